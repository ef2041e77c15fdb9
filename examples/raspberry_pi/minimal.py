"""A charge point of OCPP 1.6 with one contactor and one button: python3 minimal.py ws://csms.example:9220/ocpp CP1111."""

import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from threading import RLock

from gpiozero import Button, OutputDevice

from ocpp_sync import OcppClient, OcppError, utcnow

RELAY_PIN = 17  # GPIO17, header pin 11. High closes the contactor; low opens it, and so must a Pi that is off or boots
BUTTON_PIN = 27  # GPIO27, header pin 13. The button connects it to ground; the Pi's own resistor holds it high
ID_TAG = "BUTTON-1"  # who pays when the button is pressed; a card reader would know better
CONNECTOR = {"connectorId": 1, "errorCode": "NoError"}


def main(url: str, identity: str) -> None:
    """Run until Ctrl-C, or until the link is lost: then the next call fails, and systemd starts it again."""
    client = OcppClient(identity, version="1.6", reconnect=None)
    running: list[int] = []  # the id of the transaction while there is one; without a meter it starts and ends at 0 Wh
    lock = RLock()  # the button and the CSMS come on a thread each, perhaps at the same moment

    def start(tag: str) -> None:
        with lock:
            if not running and client.call("Authorize", {"idTag": tag})["idTagInfo"]["status"] == "Accepted":
                answer = client.call("StartTransaction", {"connectorId": 1, "idTag": tag, "meterStart": 0, "timestamp": utcnow()})
                running.append(answer["transactionId"])
                relay.value = answer["idTagInfo"]["status"] == "Accepted"
                client.call("StatusNotification", CONNECTOR | {"status": "Charging" if relay.value else "SuspendedEVSE"})

    def stop(reason: str) -> None:
        with lock:
            relay.off()  # before anything that may fail
            if running:
                client.call("StopTransaction", {"transactionId": running[0], "meterStop": 0, "timestamp": utcnow(), "reason": reason})
                running.clear()
                client.call("StatusNotification", CONNECTOR | {"status": "Available"})

    def pressed() -> None:
        try:
            stop("Local") if running else start(ID_TAG)
        except OcppError as error:  # the thread that watches the pin must go on
            print("button:", error)

    def remote_start(request: dict[str, str]) -> Iterator[dict[str, str]]:
        free = not running
        yield {"status": "Accepted" if free else "Rejected"}  # the answer; what follows runs once it has gone out
        if free:
            start(request["idTag"])

    def remote_stop(request: dict[str, int]) -> Iterator[dict[str, str]]:
        mine = request["transactionId"] in running
        yield {"status": "Accepted" if mine else "Rejected"}
        if mine:
            stop("Remote")

    with OutputDevice(RELAY_PIN) as relay, Button(BUTTON_PIN, bounce_time=0.05) as button, suppress(KeyboardInterrupt):
        try:
            client.connect(url)
            while (boot := client.call("BootNotification", {"chargePointVendor": "DIY", "chargePointModel": "Pi"}))["status"] != "Accepted":
                client.wait_closed(boot["interval"] or 60)  # sleeps, but not on when the link has gone
            client.on("RemoteStartTransaction", remote_start)
            client.on("RemoteStopTransaction", remote_stop)
            button.when_pressed = pressed
            client.call("StatusNotification", CONNECTOR | {"status": "Available"})
            while True:
                client.wait_closed(boot["interval"] or 60)
                client.call("Heartbeat")
        finally:
            relay.off()  # at once: without this program and its link nobody can stop from afar what flows, nor bill it
            with lock, client, suppress(OcppError):  # the client is closed before the lock is free, so no start can follow
                stop("Other")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # systemd stops it as Ctrl-C does
    main(*sys.argv[1:])
