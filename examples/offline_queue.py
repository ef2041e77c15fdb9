"""A queue that survives a restart: a charge that the CSMS did not hear of is told at the next run, complete and in order.

python3 examples/offline_queue.py ws://localhost:9220 CP1 queue.sqlite3      while nobody listens there: it stays on disk
ocpp-sync outbox list queue.sqlite3                                          to look at it
ocpp-sync serve                                                              a CSMS, in another terminal
python3 examples/offline_queue.py ws://localhost:9220 CP1 queue.sqlite3      now both charges arrive

The CSMS names a transaction when it hears of its start, and that may be days later; `transaction` stands for the name until then.
"""

import sys

from ocpp_sync import HandshakeError, OcppClient, OcppError, utcnow


def main(url: str, identity: str, file: str) -> None:
    """Charge once, and deliver what there is to deliver."""
    client = OcppClient(identity, version="1.6", outbox=file)
    print(f"{len(client.outbox)} messages of earlier runs")

    started = client.outbox.put("StartTransaction", {"connectorId": 1, "idTag": "DEADBEEF", "meterStart": 0, "timestamp": utcnow()})
    reading = {"timestamp": utcnow(), "sampledValue": [{"value": "700", "unit": "Wh"}]}
    client.outbox.put("MeterValues", {"connectorId": 1, "transactionId": started.transaction, "meterValue": [reading]})
    stop = {"transactionId": started.transaction, "meterStop": 1200, "timestamp": utcnow()}
    stopped = client.outbox.put("StopTransaction", stop)  # has returned: it is on disk

    try:
        client.connect(url, timeout=10, boot={"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"})
        stopped.result(timeout=60)  # the last one was answered, and so were all before it
        print(f"delivered; {len(client.outbox)} messages are left")
    except HandshakeError as error:
        print(f"{error.reason}: {len(client.outbox)} messages stay in {file}")
    except (OcppError, TimeoutError) as error:
        print(f"{error}: {len(client.outbox)} messages stay in {file}")
    finally:
        client.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
