"""A charge point of OCPP 1.6 on an OpenEVSE board: python3 openevse.py ws://csms.example:9220/ocpp CP1111 /dev/serial0.

The board has the pilot, the relay and the protection, and is spoken to by RAPI over its serial port (rapi.py, which needs pyserial). What
this program adds is who may charge, how much, and what is told to the CSMS. To try it: `ocpp-sync serve`, and ws://localhost:9220.

A car that is plugged in is charged on the account of TAG, if the CSMS accepts that; RemoteStartTransaction charges it on another one. While
nobody may charge the board sleeps (`$FS`): then it still sees the car, which it does not when it is disabled (`$FD`), as it is when this
program has ended. A board whose Pi has died charges on, under its own protection.
"""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from rapi import OpenEvse, PortLost, RapiError, State, serial_port

from ocpp_sync import ConnectionClosed, Delivery, NotAccepted, OcppClient, OcppError, format_time, parse_time

TAG = "PLUG-1"  # who pays when a car is plugged in
MAX_AMPS = 32  # what breaker and cable allow; the board has a maximum of its own
MIN_AMPS = 6  # less cannot be told to a car: then the board sleeps
VOLTS = 230  # to make amperes of a limit in watts; the board has one phase
METER_INTERVAL = 60.0  # seconds between meter values
LOOK_INTERVAL = 1.0  # seconds between two looks at the board
FAULTS = {  # the board's states from 4 on, in words of OCPP 1.6
    4: "OtherError",  # the car wants ventilation
    5: "EVCommunicationError",  # no diode in the car
    6: "GroundFailure",  # the board's residual-current detection has tripped
    7: "GroundFailure",
    8: "PowerSwitchFailure",  # the relay is stuck
    9: "InternalError",  # its self-test has failed
    10: "HighTemperature",
    11: "OverCurrentFailure",
}


class ChargePoint:
    """The one connector: its car, its transaction, and what the CSMS wants of it."""

    def __init__(self, evse: OpenEvse, client: "OcppClient[Any]", meter_interval: float = METER_INTERVAL) -> None:
        self.evse, self.client, self.meter_interval = evse, client, meter_interval
        self.lock = threading.RLock()  # requests of the CSMS come on other threads
        self.wake = threading.Event()  # there is something to do at once
        self.transaction: str | None = None
        self.began = client.now()
        self.profiles: dict[str, Any] = {}  # the schedule of each purpose
        self.plugged = self.left = False  # left: the car has gone, and may have come back since
        self.finished = False  # the car that is here was charged
        self.tag: str | None = None  # who would like to charge it, and was not decided about yet
        self.applied: int | None = None  # amperes that the board was told, 0 is to sleep; None is not known
        self.meter, self.meter_due = 0, 0.0
        self.reported: tuple[str, str] | None = None
        evse.notify = self.notified
        client.on("RemoteStartTransaction", self.remote_start)
        client.on("RemoteStopTransaction", self.remote_stop)
        client.on("SetChargingProfile", self.set_profile)
        client.on("ClearChargingProfile", self.clear_profile)

    def put(self, action: str, **payload: object) -> Delivery:
        """To disk, then to the CSMS, in order, whenever there is a link."""
        return self.client.outbox.put(action, {**payload, "timestamp": format_time(self.client.now())})

    def recover(self) -> None:
        """At the start: nobody may charge, and what a power cut has left is ended."""
        self.evse.sleep()
        self.meter = self.evse.energy_wh()
        for each in self.client.outbox.open_transactions():
            stop = max(self.meter, each.start["meterStart"])
            self.put("StopTransaction", transactionId=each.handle, meterStop=stop, reason="PowerLoss")

    def look(self) -> None:
        """Each LOOK_INTERVAL: see what the board does, and tell it and the CSMS what follows."""
        with self.lock:
            try:
                state = self.evse.state()
                if self.plugged and (self.left or not state.plugged):
                    self.plugged = self.left = False
                    self.stop("EVDisconnected")
                if state.plugged and not self.plugged:
                    self.plugged, self.left, self.finished, self.tag = True, False, False, TAG
                if not self.transaction and state.code in (1, 2, 3):
                    self.applied = None  # it has rebooted, or somebody has pressed its button
                self.apply()
                self.measure()
                status, error_code = self.status(self.evse.state())
                self.report(status, error_code)
                if self.tag is not None and self.plugged and not self.transaction and status != "Faulted":
                    self.start(self.tag)
            except PortLost:
                raise
            except RapiError as error:
                print(error, file=sys.stderr)
                self.applied = None
                self.report("Faulted", "InternalError")

    def notified(self, words: list[str]) -> None:
        """The board has said something by itself."""
        if words[0] == "AB":  # it has booted, and forgotten the limit
            self.applied = None
        elif words[0] == "AT" and words[2:3] == ["01"]:  # no car; perhaps there is one again when the board is asked
            self.left = True

    def status(self, state: State) -> tuple[str, str]:
        """The connector's status and error code."""
        if not state.asleep and state.code > 3:
            return "Faulted", FAULTS.get(state.code, "OtherError")
        if not self.plugged:
            return "Available", "NoError"
        if self.transaction is None:
            return ("Finishing" if self.finished else "Preparing"), "NoError"
        return ("Charging" if state.charging else "SuspendedEVSE" if state.asleep else "SuspendedEV"), "NoError"

    def report(self, status: str, error: str) -> None:
        """Tell the CSMS, if it is new."""
        if (status, error) != self.reported:
            self.put("StatusNotification", connectorId=1, status=status, errorCode=error)
            self.reported = status, error

    def apply(self) -> None:
        """Make the board do what it should, unless it does."""
        amps = self.limit() if self.transaction else 0
        if amps != self.applied:
            self.applied = None
            if amps >= MIN_AMPS:
                self.evse.set_current(amps)
                self.evse.enable()
            else:
                self.evse.sleep()
            self.applied = amps

    def limit(self) -> int:
        """Amperes that the CSMS and the wiring allow now."""
        of_transaction = self.profiles.get("TxProfile") or self.profiles.get("TxDefaultProfile")
        schedules = (of_transaction, self.profiles.get("ChargePointMaxProfile"))
        return int(min([MAX_AMPS, *(amps_at(self.client.now(), schedule, self.began) for schedule in schedules if schedule)]))

    def measure(self, context: str = "Sample.Periodic") -> None:
        """Read the meter; and tell the CSMS each interval."""
        if self.transaction is None:
            return
        self.meter = max(self.meter, self.evse.energy_wh())
        if time.monotonic() >= self.meter_due:
            amps, volts = self.evse.current()
            values = [("Energy.Active.Import.Register", "Wh", self.meter), ("Voltage", "V", volts)]
            values += [] if amps is None else [("Current.Import", "A", amps)]
            sampled = [{"measurand": name, "unit": unit, "value": str(value), "context": context} for name, unit, value in values]
            value = {"timestamp": format_time(self.client.now()), "sampledValue": sampled}
            self.client.outbox.put("MeterValues", {"connectorId": 1, "transactionId": self.transaction, "meterValue": [value]})
            self.meter_due = time.monotonic() + self.meter_interval

    def start(self, tag: str) -> None:
        """Charge the car that is here, if the CSMS lets this tag; without a link or an answer of the board the next look tries again."""
        try:
            accepted = self.client.call("Authorize", {"idTag": tag}, timeout=10)["idTagInfo"]["status"] == "Accepted"
        except (ConnectionClosed, NotAccepted):
            return
        except OcppError as error:
            print(error, file=sys.stderr)
            accepted = False
        if accepted:
            self.meter, self.began = self.evse.energy_wh(), self.client.now()
            started = self.put("StartTransaction", connectorId=1, idTag=tag, meterStart=self.meter)
            self.transaction, self.meter_due = started.transaction, time.monotonic() + self.meter_interval
            started.add_done_callback(self.answered)
            self.wake.set()  # to let the board charge
        if self.tag == tag:  # else the CSMS has named another one meanwhile
            self.tag = None

    def answered(self, started: Delivery) -> None:
        """The CSMS has taken or refused a StartTransaction."""
        with suppress(OcppError):  # it was given up, after several attempts
            if started.result()["idTagInfo"]["status"] == "Accepted":
                return
        with self.lock:
            if self.transaction == started.transaction:
                self.stop("DeAuthorized")

    def stop(self, reason: str) -> Delivery | None:
        """End the transaction, if there is one; the board's silence does not keep it from ending."""
        with self.lock:
            if self.transaction is None:
                return None
            handle, self.transaction, self.tag, self.finished = self.transaction, None, None, self.plugged
            self.profiles.pop("TxProfile", None)
            try:
                self.apply()
                self.meter = max(self.meter, self.evse.energy_wh())
            except RapiError as error:
                print(error, file=sys.stderr)  # look() tries again; the meter is that of the last look
            self.wake.set()
            return self.put("StopTransaction", transactionId=handle, meterStop=self.meter, reason=reason)

    def remote_start(self, request: dict[str, Any]) -> dict[str, str]:
        """The CSMS wants the car charged that is here."""
        if not self.plugged or self.transaction is not None:
            return {"status": "Rejected"}
        self.tag = request["idTag"]
        self.wake.set()
        return {"status": "Accepted"}

    def remote_stop(self, request: dict[str, Any]) -> Iterator[dict[str, str]]:
        """The CSMS wants the transaction ended."""
        handle = self.transaction
        mine = handle is not None and self.client.outbox.transaction_id(handle) == request["transactionId"]
        yield {"status": "Accepted" if mine else "Rejected"}
        with self.lock:
            if mine and self.transaction == handle:
                self.stop("Remote")

    def set_profile(self, request: dict[str, Any]) -> dict[str, str]:
        """The CSMS limits the current; a profile replaces the one of the same purpose, whatever its stack level and validity."""
        profile = request["csChargingProfiles"]
        purpose = profile["chargingProfilePurpose"]
        if profile["chargingProfileKind"] == "Recurring" or (purpose == "TxProfile" and self.transaction is None):
            return {"status": "Rejected"}
        self.profiles[purpose] = profile["chargingSchedule"]
        self.wake.set()
        return {"status": "Accepted"}

    def clear_profile(self, request: dict[str, Any]) -> dict[str, str]:
        """The CSMS takes back limits: those of a purpose, or all."""
        purpose = request.get("chargingProfilePurpose")
        gone = [each for each in self.profiles if purpose in (None, each)]
        for each in gone:
            self.profiles.pop(each, None)
        self.wake.set()
        return {"status": "Accepted" if gone else "Unknown"}


def amps_at(now: datetime, schedule: dict[str, Any], began: datetime) -> float:
    """Amperes that a charging schedule allows."""
    start = parse_time(schedule["startSchedule"]) if "startSchedule" in schedule else began
    seconds = (now - start).total_seconds()
    past = [period["limit"] for period in schedule["chargingSchedulePeriod"] if period["startPeriod"] <= seconds]
    if not past or seconds >= schedule.get("duration", float("inf")):
        return MAX_AMPS
    return float(past[-1] if schedule["chargingRateUnit"] == "A" else past[-1] / VOLTS)


def connect(client: "OcppClient[Any]", url: str, boot: dict[str, str], stopping: threading.Event) -> None:
    """Make the link and register, for as long as that takes."""
    try:
        client.connect(url, retry=True, boot=boot)
    except (OcppError, ValueError) as error:
        if not stopping.is_set():
            print(error, file=sys.stderr)
            stopping.set()


def run(url: str, client: "OcppClient[Any]", evse: OpenEvse, stopping: threading.Event, meter_interval: float = METER_INTERVAL) -> None:
    """Be a charge point until the event is set; the board is disabled at the end, and if its serial port is lost."""
    firmware, _ = evse.version()
    point = ChargePoint(evse, client, meter_interval)
    point.recover()
    boot = {"chargePointVendor": "OpenEVSE", "chargePointModel": "RAPI", "firmwareVersion": firmware[:50]}
    connecting = threading.Thread(target=connect, args=(client, url, boot, stopping), name="connect", daemon=True)
    connecting.start()  # on a thread of its own, since a car is looked after without a link too
    try:
        while not stopping.is_set():
            point.wake.clear()
            point.look()
            point.wake.wait(LOOK_INTERVAL)
    finally:
        stopping.set()
        stopped = point.stop("Other")
        with suppress(RapiError):
            evse.disable()
        with suppress(OcppError, TimeoutError):  # what cannot go out now does at the next start
            if stopped is not None:
                stopped.result(timeout=5 if client.connected else 0)
        client.close(drain=True)
        connecting.join(10)


def main(url: str, identity: str, port: str, outbox: str = f"{__file__}.outbox") -> None:
    """Run until Ctrl-C or SIGTERM."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    try:
        run(url, OcppClient(identity, version="1.6", outbox=outbox), OpenEvse(serial_port(port)), stopping)
    except RapiError as error:
        sys.exit(str(error))  # systemd starts it again


if __name__ == "__main__":
    main(*sys.argv[1:])
