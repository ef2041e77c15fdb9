"""``ocpp-sync demo``: a charging session, both ends of it, over a real socket."""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from ocpp_sync import OcppClient, OcppClientConnection, OcppError, OcppServer, utcnow
from ocpp_sync.csms import Csms
from ocpp_sync.schemas import VERSIONS

from .connecting import recorder_from
from .frames import FramePrinter

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
  ocpp-sync demo
  ocpp-sync demo --version 1.6
  ocpp-sync demo --record session.jsonl      to read it with ocpp-sync show
"""

_IDENTITY = "CP1111"
_TAG = "DEADBEEF"
_SAMPLES_WH = (120, 240, 360)
_TIMEOUT = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--version", choices=VERSIONS, default="2.0.1", help="the version of OCPP (default: %(default)s)")
    parser.add_argument("--record", metavar="FILE", help="append each frame to this file, as JSON on a line, secrets masked")


def run(arguments: argparse.Namespace) -> int:
    """Run it; 0 if all went well."""
    version: str = arguments.version
    printer = FramePrinter()
    with recorder_from(arguments) as recorder, OcppServer() as server:
        csms = Csms(server)
        server.listen(0, "127.0.0.1")
        print(f"A CSMS listens at {server.url}; the charge point {_IDENTITY} connects to it with OCPP {version}.\n")
        client = OcppClient(_IDENTITY, version=version)
        client.on("frame", printer.show)
        if recorder is not None:
            recorder.attach(client)  # and not the server, too, which sees the same frames
        try:
            with client.connect(server.url, timeout=_TIMEOUT):
                station = _Station16(client) if version == "1.6" else _Station2x(client)
                station.charge(stop_from_csms=lambda: _stop(server.wait_for(_IDENTITY, _TIMEOUT), station.transaction))
        except (OcppError, _Unexpected) as error:
            print(f"\nFailed: {type(error).__name__}: {error}", file=sys.stderr)
            return 1
    return _summary(printer, [transaction.energy for transaction in csms.transactions if transaction.ended])


def _summary(printer: FramePrinter, energies_wh: list[float]) -> int:
    calls_out, calls_in = (printer.watch.counts.get((direction, "CALL"), 0) for direction in ("out", "in"))
    answers = sum(printer.watch.counts.get((direction, "CALLRESULT"), 0) for direction in ("out", "in"))
    print(
        f"\n{calls_out} calls of the charge point, {calls_in} of the CSMS; {answers} answered, {calls_out + calls_in - answers} not; "
        f"the median took {statistics.median(printer.watch.round_trips) * 1000:.1f} ms."
    )
    if answers != calls_out + calls_in or energies_wh != [_SAMPLES_WH[-1]]:
        print("Failed: not everything that was sent has arrived.", file=sys.stderr)
        return 1
    print(f"One transaction of {energies_wh[0]:.0f} Wh was started, metered, stopped by the CSMS, and reported. All went well.")
    return 0


class _Unexpected(Exception):
    """An answer that the session cannot go on with."""


def _expect(response: dict[str, Any], *path: str) -> None:
    value: Any = response
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if value != "Accepted":
        raise _Unexpected(f"{'.'.join(path)} is {value!r}, not 'Accepted'")


def _stop(charge_point: OcppClientConnection, transaction: Any) -> None:
    """Stop a transaction from the CSMS, as a driver's app would."""
    action = "RemoteStopTransaction" if charge_point.version == "1.6" else "RequestStopTransaction"
    _expect(charge_point.call(action, {"transactionId": transaction}), "status")


class _Station16:
    """A charge point of OCPP 1.6 with one connector."""

    boot: ClassVar[dict[str, Any]] = {"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"}
    stop_action = "RemoteStopTransaction"

    def __init__(self, client: OcppClient) -> None:
        self.client = client
        self.transaction: Any = None
        self.stopped = threading.Event()

        @client.on(self.stop_action)
        def stop(request: dict[str, Any]) -> Iterator[dict[str, str]]:
            yield {"status": "Accepted" if request["transactionId"] == self.transaction else "Rejected"}
            self.stopped.set()

    def charge(self, stop_from_csms: Callable[[], None]) -> None:
        """One session, from boot to idle; ``stop_from_csms`` is called while it charges."""
        _expect(self.client.call("BootNotification", self.boot), "status")
        self.status("Available")
        self.authorize()
        self.start()
        for energy in _SAMPLES_WH:
            self.meter(energy)
        stop_from_csms()
        if not self.stopped.wait(_TIMEOUT):
            raise _Unexpected("the CSMS has not stopped the transaction")
        self.stop(_SAMPLES_WH[-1])
        self.status("Available")
        self.client.call("Heartbeat")

    def status(self, status: str) -> None:
        """Report the state of the connector."""
        self.client.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": status, "timestamp": utcnow()})

    def authorize(self) -> None:
        """Ask whether the driver may charge."""
        _expect(self.client.call("Authorize", {"idTag": _TAG}), "idTagInfo", "status")

    def start(self) -> None:
        """Begin a transaction."""
        started = self.client.call("StartTransaction", {"connectorId": 1, "idTag": _TAG, "meterStart": 0, "timestamp": utcnow()})
        _expect(started, "idTagInfo", "status")
        self.transaction = started["transactionId"]
        self.status("Charging")

    def meter(self, energy: int) -> None:
        """Report the meter, in Wh since the start."""
        sample = {"value": str(energy), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
        value = {"timestamp": utcnow(), "sampledValue": [sample]}
        self.client.call("MeterValues", {"connectorId": 1, "transactionId": self.transaction, "meterValue": [value]})

    def stop(self, energy: int) -> None:
        """End the transaction."""
        self.client.call(
            "StopTransaction", {"transactionId": self.transaction, "meterStop": energy, "timestamp": utcnow(), "reason": "Remote"}
        )
        self.status("Finishing")


class _Station2x(_Station16):
    """A charging station of OCPP 2.0.1 or 2.1 with one EVSE."""

    boot: ClassVar[dict[str, Any]] = {"reason": "PowerUp", "chargingStation": {"vendorName": "eParking", "model": "NECU-T2"}}
    stop_action = "RequestStopTransaction"
    token: ClassVar[dict[str, str]] = {"idToken": _TAG, "type": "ISO14443"}

    def __init__(self, client: OcppClient) -> None:
        super().__init__(client)
        self.sequence = 0

    def status(self, status: str) -> None:
        """Report the state of the connector."""
        self.client.call("StatusNotification", {"timestamp": utcnow(), "connectorStatus": status, "evseId": 1, "connectorId": 1})

    def authorize(self) -> None:
        """Ask whether the driver may charge."""
        _expect(self.client.call("Authorize", {"idToken": self.token}), "idTokenInfo", "status")

    def start(self) -> None:
        """Begin a transaction."""
        self.status("Occupied")
        self.transaction = str(uuid.uuid4())
        begun: dict[str, Any] = {"idToken": self.token, "evse": {"id": 1, "connectorId": 1}, "meterValue": [self.value(0)]}
        self.event("Started", "Authorized", "Charging", **begun)

    def meter(self, energy: int) -> None:
        """Report the meter, in Wh since the start."""
        self.event("Updated", "MeterValuePeriodic", "Charging", meterValue=[self.value(energy)])

    def stop(self, energy: int) -> None:
        """End the transaction."""
        self.event("Ended", "RemoteStop", "EVConnected", "Remote", meterValue=[self.value(energy)])

    def value(self, energy: int) -> dict[str, Any]:
        """A meter value of now."""
        sample = {"value": energy, "measurand": "Energy.Active.Import.Register", "unitOfMeasure": {"unit": "Wh"}}
        return {"timestamp": utcnow(), "sampledValue": [sample]}

    def event(self, kind: str, trigger: str, state: str, reason: str | None = None, **fields: Any) -> None:
        """Send the next event of the transaction."""
        info = {"transactionId": self.transaction, "chargingState": state, **({"stoppedReason": reason} if reason else {})}
        event = {"eventType": kind, "timestamp": utcnow(), "triggerReason": trigger, "seqNo": self.sequence, "transactionInfo": info}
        self.client.call("TransactionEvent", {**event, **fields})
        self.sequence += 1
