"""A charge point of OCPP 1.6 with one contactor and one button: python3 minimal.py ws://csms.example:9220/ocpp CP1111."""

import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from threading import RLock, Thread

from gpiozero import Button, OutputDevice

from ocpp_sync import Delivery, OcppClient, OcppError, format_time

RELAY_PIN = 17  # GPIO17, header pin 11. High closes the contactor; low opens it, and so must a Pi that is off or boots
BUTTON_PIN = 27  # GPIO27, header pin 13. The button connects it to ground; the Pi's own resistor holds it high
ID_TAG = "BUTTON-1"  # who pays when the button is pressed; a card reader would know better


def main(url: str, identity: str, outbox: str = f"{__file__}.outbox") -> None:
    """Run until Ctrl-C or SIGTERM. While the link is lost nobody can start, but a charge goes on, and the button stops it."""
    with OutputDevice(RELAY_PIN) as relay, Button(BUTTON_PIN, bounce_time=0.05) as button:
        client = OcppClient(identity, version="1.6", outbox=outbox)
        running = [each.handle for each in client.outbox.open_transactions()]  # one at most; here it is what a power cut has left
        lock, ending = RLock(), False  # the button, the CSMS's requests and its answers come on a thread each

        def put(action: str, **payload: object) -> Delivery:  # to disk, then to the CSMS, in order; nobody waits for the network here
            return client.outbox.put(action, {**payload, "timestamp": format_time(client.now())})

        def start(tag: str) -> None:
            with lock:  # who is not known to be authorized does not start: without a link, or an answer, call() raises
                if not running and client.call("Authorize", {"idTag": tag}, timeout=10)["idTagInfo"]["status"] == "Accepted" and not ending:
                    started = put("StartTransaction", connectorId=1, idTag=tag, meterStart=0)  # there is no meter: always 0 Wh
                    running.append(started.transaction or "")  # stands for the transactionId, which the CSMS may tell much later
                    put("StatusNotification", connectorId=1, errorCode="NoError", status="Charging")
                    relay.on()  # last, so that whoever holds the lock and waits, for network or disk, has the contactor open
                    started.add_done_callback(answered)

        def answered(started: Delivery) -> None:
            with suppress(OcppError):  # it was given up, after several attempts
                if started.result()["idTagInfo"]["status"] == "Accepted":
                    return
            stop("DeAuthorized", started.transaction)

        def stop(reason: str, only: str | None = None) -> Delivery:
            with lock:
                for transaction in [each for each in running if only in (None, each)]:
                    relay.off()  # before anything that may fail
                    put("StopTransaction", transactionId=transaction, meterStop=0, reason=reason)
                    running.remove(transaction)
                return put("StatusNotification", connectorId=1, errorCode="NoError", status="Charging" if running else "Available")

        @client.on("RemoteStartTransaction")
        def remote_start(request: dict[str, str]) -> Iterator[dict[str, str]]:
            free = not running
            yield {"status": "Accepted" if free else "Rejected"}  # the answer; what follows runs once it has gone out
            if free:
                start(request["idTag"])

        @client.on("RemoteStopTransaction")
        def remote_stop(request: dict[str, int]) -> Iterator[dict[str, str]]:
            mine = [each for each in running if client.outbox.transaction_id(each) == request["transactionId"]]
            yield {"status": "Accepted" if mine else "Rejected"}
            if mine:
                stop("Remote", mine[0])

        stop("PowerLoss")  # and reports that the connector is available
        button.when_pressed = lambda: Thread(target=lambda: stop("Local") if running else start(ID_TAG)).start()  # it may fail on its own
        with suppress(KeyboardInterrupt):
            client.connect(url, retry=True, boot={"chargePointVendor": "DIY", "chargePointModel": "Pi"})
            client.run_forever()
        ending = True
        with suppress(OcppError, TimeoutError):  # what cannot go out now does at the next start
            stop("Other").result(timeout=5 if client.connected else 0)
        client.close(drain=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # systemd stops it as Ctrl-C does
    main(*sys.argv[1:])
