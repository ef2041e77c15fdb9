"""A simulated charge point at a CSMS, for the tests of what it does."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

import pytest

from ocpp_sync import (
    validate,
)
from ocpp_sync.simulator import Car, Note, Station
from ocpp_sync.simulator.connector import Connector, State
from ocpp_sync.testing import FakeClock, ScriptedCsms

from ..support import TIMEOUT, VERSIONS, in_thread

each_version = pytest.mark.parametrize("version", VERSIONS)
each_2x = pytest.mark.parametrize("version", VERSIONS[1:])

CAR: dict[str, Any] = {"name": "test car", "capacity": 60_000.0, "ac_power": 11_000.0, "soc": 20.0}


class Bench:
    """A station at a CSMS, and a clock that goes only when the test says so."""

    def __init__(self, csms: ScriptedCsms, clock: FakeClock, version: str, **options: Any) -> None:
        self.csms, self.clock, self.version = csms, clock, version
        self.notes: list[Note] = []
        # A call takes real time, while that of the clock passes: so it has as long as it likes.
        options = {"call_timeout": None, **options}
        self.station = Station("CP1", version=version, clock=clock, seed=1, listen=self.notes.append, **options)

    def start(self) -> Bench:
        self.station.start(self.csms.url)
        assert self.station.wait_ready(TIMEOUT)
        self.csms.wait_for("StatusNotification", len(self.station.connectors) + (self.version == "1.6"))
        return self

    def ask(self, action: str, **payload: Any) -> dict[str, Any]:
        """The CSMS asks for something; the answer is valid."""
        request = {name: value for name, value in payload.items() if value is not None}
        validate(action, request, version=self.version)
        answer = self.csms.call("CP1", action, request)
        validate(action, answer, version=self.version, kind="response")
        return answer

    def status(self, action: str, **payload: Any) -> str:
        answer: str = self.ask(action, **payload)["status"]
        return answer

    def sent(self, action: str) -> list[dict[str, Any]]:
        return [received.payload for received in self.csms.received if received.action == action]

    def until(self, condition: Callable[[], Any]) -> None:
        """Let the time pass until something is so, from one deadline to the next: what is said at one has come before the next."""
        while not condition():
            self.settle()
            if not condition():
                self._go_on(condition, self.clock.monotonic())

    def _go_on(self, condition: Callable[[], Any], before: float) -> None:
        self.clock.run(lambda: condition() or self.clock.monotonic() > before, when=["station"], timeout=30.0)

    def connector(self, number: int = 1) -> Connector:
        return self.station.connectors[number]

    def charge(self, number: int = 1, token: str = "TAG", **car: Any) -> Any:
        """Let a car charge; returns the CSMS's name of the transaction."""
        self.station.plug(number, Car(**{**CAR, **car}))
        self.station.authorize(token, number)
        assert self.station.wait_for(number, State.CHARGING), self.station
        transaction = self.transaction_id(number)
        wait_for(lambda: not list(self.station.client.outbox.pending()))
        self.settle()
        return transaction

    def settle(self) -> None:
        """Wait until the station has said all that it had to say."""
        said = threading.Event()
        self.station.agenda.soon(said.set)
        assert said.wait(TIMEOUT)

    def transaction_id(self, number: int = 1) -> Any:
        """What the CSMS calls the transaction, as soon as it has said so."""

        def told(_: Station) -> bool:
            transaction = self.connector(number).transaction
            return transaction is not None and transaction.id is not None

        assert self.station.wait_until(told)
        transaction = self.connector(number).transaction
        assert transaction is not None
        return transaction.id

    def close(self, **options: Any) -> None:
        """Close the station, while the time passes that this takes."""
        closing = in_thread(self.station.close, **options)
        self.clock.run(lambda: not closing.thread.is_alive(), limit=1e9, timeout=30)
        closing.result()

    def ended(self, number: int = 1) -> dict[str, Any]:
        """What the CSMS was told of the end of the last transaction."""
        assert self.station.wait_until(lambda _: self.connector(number).transaction is None)
        if self.version == "1.6":
            return self.csms.wait_for("StopTransaction").payload
        wait_for(lambda: any(event["eventType"] == "Ended" for event in self.sent("TransactionEvent")))
        return next(event for event in reversed(self.sent("TransactionEvent")) if event["eventType"] == "Ended")

    def reason(self) -> str:
        end = self.ended()
        reason: str = end["reason"] if self.version == "1.6" else end["transactionInfo"]["stoppedReason"]
        return reason

    def states(self, number: int = 1) -> list[str]:
        field, name = ("connectorId", "status") if self.version == "1.6" else ("evseId", "connectorStatus")
        return [status[name] for status in self.sent("StatusNotification") if status[field] == number]

    def where(self, number: int) -> dict[str, Any]:
        return {"connectorId": number} if self.version == "1.6" else {"evseId": number}

    def token(self, name: str) -> dict[str, Any]:
        return {"idTag": name} if self.version == "1.6" else {"idToken": {"idToken": name, "type": "Central"}}

    def remote_start(self, number: int | None = 1, token: str = "REMOTE", **more: Any) -> str:
        if self.version == "1.6":
            return self.status("RemoteStartTransaction", connectorId=number, idTag=token, **more)
        return self.status("RequestStartTransaction", evseId=number, remoteStartId=77, **self.token(token), **more)

    def remote_stop(self, transaction: Any) -> str:
        return self.status("RemoteStopTransaction" if self.version == "1.6" else "RequestStopTransaction", transactionId=transaction)

    def reset(self, kind: str) -> str:
        return self.status("Reset", type={"soft": "Soft", "hard": "Hard"}[kind] if self.version == "1.6" else "Immediate")

    def profile(self, number: int, purpose: str, periods: list[dict[str, Any]], unit: str = "W", level: int = 0, **more: Any) -> str:
        schedule = {"chargingRateUnit": unit, "chargingSchedulePeriod": periods, **more.pop("schedule", {})}
        wire = {"stackLevel": level, "chargingProfileKind": "Absolute", **more}
        if self.version == "1.6":
            wire |= {"chargingProfileId": more.get("id", level + 1), "chargingProfilePurpose": purpose, "chargingSchedule": schedule}
            wire.pop("id", None)
            return self.status("SetChargingProfile", connectorId=number, csChargingProfiles=wire)
        purpose = purpose.replace("ChargePoint", "ChargingStation")
        wire |= {"id": more.get("id", level + 1), "chargingProfilePurpose": purpose, "chargingSchedule": [{"id": 1, **schedule}]}
        return self.status("SetChargingProfile", evseId=number, chargingProfile=wire)

    def triggered_values(self) -> list[dict[str, Any]]:
        """What the meter of the transaction says when the CSMS asks."""
        action = "MeterValues" if self.version == "1.6" else "TransactionEvent"
        assert self.status("TriggerMessage", requestedMessage=action) == "Accepted"

        def found() -> list[list[dict[str, Any]]]:
            told = [each for each in self.sent(action) if "meterValue" in each and (self.version != "1.6" or "transactionId" in each)]
            values: list[list[dict[str, Any]]] = [each["meterValue"][0]["sampledValue"] for each in told]
            return [each for each in values if each[0]["context"] == "Trigger"]

        wait_for(found)
        return found()[-1]

    def setting(self, name: str, value: str) -> str:
        """Set what the station calls by a name of its own."""
        path = self.station.configuration.path(name)
        if self.version == "1.6":
            return self.status("ChangeConfiguration", key=path, value=value)
        status: str = self.set_variable(path, value)["attributeStatus"]
        return status

    def set_variable(self, path: str, value: str, **more: Any) -> Any:
        wanted = {**address(path), "attributeValue": value, **more}
        return self.ask("SetVariables", setVariableData=[wanted])["setVariableResult"][0]

    def get_variable(self, path: str, evse: dict[str, int] | None = None, **more: Any) -> Any:
        wanted = {**address(path), **more}
        if evse is not None:
            wanted["component"]["evse"] = evse
        return self.ask("GetVariables", getVariableData=[wanted])["getVariableResult"][0]


def address(path: str) -> dict[str, Any]:
    component, name, instance = re.fullmatch(r"(\w+)\.(\w+)(?:\[(\w+)\])?", path).groups()  # type: ignore[union-attr]
    return {"component": {"name": component}, "variable": {"name": name, **({} if instance is None else {"instance": instance})}}


def wait_for(condition: Callable[[], Any]) -> None:
    """Wait for what comes in real time."""
    over = threading.Event()
    for _ in range(int(TIMEOUT / 0.005)):
        if condition():
            return
        over.wait(0.005)
    raise AssertionError("it has not become true")


Make = Callable[..., Bench]
