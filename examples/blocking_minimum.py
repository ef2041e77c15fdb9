"""The smallest useful charge point, OCPP 1.6: it charges from RemoteStartTransaction to RemoteStopTransaction. Ctrl-C ends it.

ocpp-sync serve --repl                                         a CSMS, in another terminal
python3 examples/blocking_minimum.py ws://localhost:9220 CP1
call("RemoteStartTransaction", idTag="DEADBEEF")               at the prompt of the CSMS, and later
call("RemoteStopTransaction", transactionId=1)
"""

import queue
import sys
from contextlib import suppress
from typing import Literal

from ocpp_sync import OcppClient, utcnow


def main(url: str, identity: str) -> None:
    """One charge after the other, in plain blocking steps."""
    client = OcppClient(identity, version="1.6")
    starts: queue.Queue[str] = queue.Queue()
    stops: queue.Queue[int] = queue.Queue()
    running = 0  # the transactionId; 0 while nobody charges

    @client.on("RemoteStartTransaction")
    def remote_start(request: dict[str, str]) -> dict[str, str]:
        if running:
            return {"status": "Rejected"}
        starts.put(request["idTag"])
        return {"status": "Accepted"}

    @client.on("RemoteStopTransaction")
    def remote_stop(request: dict[str, int]) -> dict[str, str]:
        if request["transactionId"] != running:
            return {"status": "Rejected"}
        stops.put(running)
        return {"status": "Accepted"}

    def report(status: Literal["Available", "Charging"]) -> None:
        client.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": status}, wait=True)

    with client.connect(url, retry=True, boot={"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"}):
        while True:
            report("Available")
            tag = starts.get()  # blocks; requests, pings and heartbeats are answered and sent meanwhile
            started = client.call("StartTransaction", {"connectorId": 1, "idTag": tag, "meterStart": 0, "timestamp": utcnow()}, wait=True)
            running = started["transactionId"]
            report("Charging")  # here the contactor closes
            stopped = stops.get()  # and here it opens
            client.call("StopTransaction", {"transactionId": stopped, "meterStop": 0, "timestamp": utcnow(), "reason": "Remote"}, wait=True)
            running = 0


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(*sys.argv[1:])
