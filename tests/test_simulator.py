"""The simulated charge point: what it does by itself, and how it obeys, in every version."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync import (
    CallError,
    OcppServer,
    configuration_keys,
    describe,
    format_time,
    hex_password,
    parse_time,
    utcnow,
    validate,
    variables,
)
from ocpp_sync.simulator import Car, Fleet, Note, Station, Token
from ocpp_sync.simulator.agenda import Agenda
from ocpp_sync.simulator.configuration import Configuration
from ocpp_sync.simulator.connector import Connector, Reason, State
from ocpp_sync.simulator.energy import MEASURANDS, Supply, charge
from ocpp_sync.simulator.fleet import Latencies, identities
from ocpp_sync.simulator.profiles import MAX_PERIODS, MAX_PROFILES, Profile, Profiles, Subject
from ocpp_sync.simulator.registers import Registers
from ocpp_sync.simulator.tokens import KnownTokens, TokenInfo
from ocpp_sync.testing import Answer, Delay, Drop, FakeClock, ScriptedCsms

from .support import TIMEOUT, VERSIONS, in_thread

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


@pytest.fixture
def make(csms: ScriptedCsms, clock: FakeClock) -> Iterator[Callable[..., Bench]]:
    with ExitStack() as stack:

        def make(version: str, *, start: bool = True, **options: Any) -> Bench:
            bench = Bench(csms, clock, version, **options)
            stack.callback(bench.close, leave=True)
            return bench.start() if start else bench

        yield make


Make = Callable[..., Bench]


# --- The life of a station


@each_version
def test_it_boots_and_reports_its_connectors(make: Make, version: str) -> None:
    bench = make(version, connectors=2)
    assert bench.states(1) == bench.states(2) == ["Available"]
    assert bench.csms.received[0].action == "BootNotification"
    assert all(received.outcome == "answered" for received in bench.csms.received)
    assert str(bench.notes[0]) == f"connected, OCPP {version}"
    assert repr(bench.station) == f"<Station 'CP1', OCPP {version}: Available, Available>"


@each_version
def test_pending_is_honoured(make: Make, csms: ScriptedCsms, version: str) -> None:
    csms.script("BootNotification", Answer({"status": "Pending", "currentTime": utcnow(), "interval": 20}))
    bench = make(version, start=False)
    bench.station.start(csms.url)
    csms.wait_for("BootNotification")
    bench.clock.wait_for("boot")
    assert bench.sent("StatusNotification") == []
    assert bench.clock.advance_to("boot") == 20.0
    assert bench.station.wait_ready()
    csms.wait_for("StatusNotification")


@each_version
def test_heartbeats_keep_to_the_interval(make: Make, csms: ScriptedCsms, version: str) -> None:
    csms.interval = 120
    bench = make(version)
    bench.until(lambda: bench.sent("Heartbeat"))
    assert bench.station.configuration.text("heartbeat interval") == "120"
    assert bench.setting("heartbeat interval", "7") == "Accepted"
    assert bench.station.client.heartbeat_interval == 7


@each_version
def test_a_whole_charge(make: Make, version: str) -> None:
    bench = make(version)
    assert bench.setting("ended measurands", "Energy.Active.Import.Register,SoC") == "Accepted"
    bench.charge(soc=70.0)
    assert bench.setting("sample interval", "30") == "Accepted"
    bench.until(lambda: bench.connector().energy > 5_000)
    bench.station.stop()
    bench.station.unplug()
    end = bench.ended()
    wait_for(lambda: bench.states()[-1] == "Available")
    energies = []
    if version == "1.6":
        assert bench.states() == ["Available", "Preparing", "Charging", "Finishing", "Available"]
        assert end["reason"] == "Local"
        assert end["meterStop"] == pytest.approx(5_000, abs=100)
        assert [data["sampledValue"][0]["context"] for data in end["transactionData"]] == ["Transaction.Begin", "Transaction.End"]
        values = [payload["meterValue"][0]["sampledValue"] for payload in bench.sent("MeterValues")]
        energies = [float(value["value"]) for each in values for value in each if value["measurand"] == "Energy.Active.Import.Register"]
        units = {value["unit"] for each in values for value in each}
    else:
        assert bench.states() == ["Available", "Occupied", "Available"]
        assert (end["triggerReason"], end["transactionInfo"]["stoppedReason"]) == ("StopAuthorized", "Local")
        events = bench.sent("TransactionEvent")
        assert [event["seqNo"] for event in events] == list(range(len(events)))
        assert (events[0]["triggerReason"], events[0]["transactionInfo"]["chargingState"]) == ("Authorized", "Charging")
        periodic = [event for event in events if event["triggerReason"] == "MeterValuePeriodic"]
        values = [event["meterValue"][0]["sampledValue"] for event in periodic]
        energies = [value["value"] for each in values for value in each if value["measurand"] == "Energy.Active.Import.Register"]
        units = {value["unitOfMeasure"]["unit"] for each in values for value in each}
    assert len(energies) >= 10
    assert energies == sorted(energies)
    assert units == {"Wh", "W", "A", "V", "Percent"}
    assert bench.station.errors == {}


@each_version
def test_a_full_battery_suspends(make: Make, version: str) -> None:
    bench = make(version)
    bench.charge(soc=97.0, capacity=20_000.0)
    bench.until(lambda: bench.connector().state is State.SUSPENDED_EV)
    assert bench.connector().energy == pytest.approx(600, abs=1)
    if version == "1.6":
        wait_for(lambda: bench.states()[-1] == "SuspendedEV")
    else:
        wait_for(lambda: bench.sent("TransactionEvent")[-1]["triggerReason"] == "ChargingStateChanged")
        assert bench.sent("TransactionEvent")[-1]["transactionInfo"]["chargingState"] == "SuspendedEV"


@each_version
def test_a_refused_token_does_not_charge(make: Make, csms: ScriptedCsms, version: str) -> None:
    info = "idTagInfo" if version == "1.6" else "idTokenInfo"
    csms.script("Authorize", Answer({info: {"status": "Blocked"}}))
    bench = make(version)
    bench.station.plug()
    bench.station.authorize("THIEF")
    assert bench.station.wait_until(lambda _: any(note.what == "refused" for note in bench.notes))
    assert bench.connector().transaction is None
    assert bench.sent("StartTransaction") == bench.sent("TransactionEvent") == []
    assert any(note.text == "THIEF is refused: Blocked" for note in bench.notes)


@each_version
@pytest.mark.parametrize("stops", ["true", "false"])
def test_a_token_that_is_refused_after_the_start(make: Make, csms: ScriptedCsms, version: str, stops: str) -> None:
    if version == "1.6":
        csms.script("StartTransaction", Answer({"transactionId": 5, "idTagInfo": {"status": "Invalid"}}))
    else:
        csms.script("TransactionEvent", Answer({"idTokenInfo": {"status": "Invalid"}}))
    bench = make(version)
    assert bench.setting("stop on invalid", stops) == "Accepted"
    bench.station.plug(1, Car(**CAR))
    bench.station.authorize("TAG")
    if stops == "true":
        assert bench.station.wait_until(lambda _: bench.station.charging.sessions == 1)
        assert bench.reason() == "DeAuthorized"
    else:
        assert bench.station.wait_for(1, State.SUSPENDED_EVSE)
        assert bench.connector().power == 0.0


@each_version
def test_the_same_token_ends_it_and_another_does_not(make: Make, version: str) -> None:
    bench = make(version)
    bench.charge(token="ONE")
    bench.station.authorize("TWO")
    assert bench.station.wait_until(lambda _: any("TWO cannot charge" in note.text for note in bench.notes))
    assert bench.connector().transaction is not None
    bench.station.authorize("one")
    assert bench.reason() == "Local"


@each_version
def test_a_token_of_the_same_group_ends_it(make: Make, csms: ScriptedCsms, version: str) -> None:
    if version == "1.6":
        csms.script("Authorize", lambda request: Answer({"idTagInfo": {"status": "Accepted", "parentIdTag": "FAMILY"}}))
    else:
        group = {"idToken": "FAMILY", "type": "Central"}
        csms.script("Authorize", lambda request: Answer({"idTokenInfo": {"status": "Accepted", "groupIdToken": group}}))
    bench = make(version)
    bench.charge(token="ONE")
    bench.station.authorize("TWO")
    assert bench.reason() == "Local"


@each_version
def test_a_token_first_then_the_plug(make: Make, version: str) -> None:
    bench = make(version)
    bench.station.authorize("TAG")
    assert bench.station.wait_for(1, State.PREPARING)
    bench.station.plug(1, Car(**CAR))
    assert bench.station.wait_for(1, State.CHARGING)
    if version != "1.6":
        bench.csms.wait_for("TransactionEvent")
        assert bench.sent("TransactionEvent")[0]["triggerReason"] == "CablePluggedIn"


@each_version
def test_nobody_plugs_in(make: Make, version: str) -> None:
    bench = make(version)
    bench.station.authorize("TAG")
    assert bench.station.wait_for(1, State.PREPARING)
    bench.until(lambda: bench.connector().state is State.AVAILABLE)
    assert bench.notes[-1].what in ("state", "lapsed")
    bench.station.plug(1, Car(**CAR))
    assert bench.connector().transaction is None


@each_version
def test_unplugging_ends_it_or_waits(make: Make, version: str) -> None:
    bench = make(version)
    bench.charge()
    assert bench.setting("stop on disconnect", "false") == "Accepted"
    bench.station.unplug()
    assert bench.connector().state is State.SUSPENDED_EV
    if version != "1.6":
        wait_for(lambda: bench.sent("TransactionEvent")[-1]["transactionInfo"]["chargingState"] == "Idle")
    bench.station.plug(1, Car(**CAR))
    assert bench.connector().state is State.CHARGING
    assert bench.setting("stop on disconnect", "true") == "Accepted"
    bench.station.unplug()
    assert bench.connector().state is State.AVAILABLE
    assert bench.reason() == "EVDisconnected"


@each_version
def test_a_fault_ends_it(make: Make, version: str) -> None:
    bench = make(version)
    bench.charge()
    bench.station.fault(1, "OverCurrentFailure")
    assert bench.reason() == ("Other" if version == "1.6" else "GroundFault")
    wait_for(lambda: bench.states()[-1] == "Faulted")
    if version == "1.6":
        assert bench.sent("StatusNotification")[-1]["errorCode"] == "OverCurrentFailure"
    assert bench.remote_start() == "Rejected"
    bench.station.clear()
    bench.station.clear()
    assert bench.connector().state is State.FINISHING


@each_version
def test_what_happens_offline_arrives_later_in_order(make: Make, csms: ScriptedCsms, version: str) -> None:
    bench = make(version)
    bench.charge()
    csms.clear()
    bench.station.go_offline(100)
    bench.until(lambda: any(note.what == "meter" for note in bench.notes))
    assert "CP1" not in csms.identities
    assert bench.sent("MeterValues") == bench.sent("TransactionEvent") == []
    bench.station.stop()
    bench.until(lambda: bench.station.uplink.is_ready)
    bench.ended()
    actions = [received.action for received in csms.received]
    if version == "1.6":
        assert [each for each in actions if each != "StatusNotification"] == ["MeterValues", "StopTransaction"]
    else:
        events = bench.sent("TransactionEvent")
        assert [event["eventType"] for event in events] == ["Updated", "Ended"]
        assert [event["offline"] for event in events] == [True, True]
    wait_for(lambda: bench.states() == [*(["Finishing"] if version == "1.6" else [])])
    assert bench.station.presence.outages == 1
    assert bench.station.errors == {}


@each_version
def test_who_is_known_charges_without_a_link(make: Make, version: str) -> None:
    bench = make(version)
    bench.charge(token="KNOWN")
    bench.station.stop()
    bench.station.unplug()
    bench.ended()
    bench.station.go_offline()
    wait_for(lambda: not bench.station.uplink.is_wanted)
    bench.station.go_offline()  # once more does nothing
    bench.station.plug(1, Car(**CAR))
    bench.station.authorize("STRANGER")
    assert bench.station.wait_until(lambda _: any("the CSMS cannot be asked" in note.text for note in bench.notes))
    bench.station.authorize("KNOWN")
    assert bench.station.wait_for(1, State.CHARGING)
    bench.station.stop()
    bench.station.configuration.put(bench.station.configuration.path("offline unknown"), "true")
    bench.station.authorize("STRANGER")
    assert bench.station.wait_for(1, State.CHARGING)
    bench.station.go_online()
    assert bench.station.wait_ready()


@each_version
def test_a_restart_ends_what_was_left_open(csms: ScriptedCsms, version: str, tmp_path: Path) -> None:
    file = tmp_path / "outbox.sqlite3"
    clock = FakeClock()
    bench = Bench(csms, clock, version, outbox=file).start()
    transaction = bench.charge()
    bench.station.close(leave=True)
    bench.station.close()
    csms.clear()
    again = Bench(csms, clock, version, outbox=file).start()
    assert again.reason() == "PowerLoss"
    end = again.ended()
    assert (end if version == "1.6" else end["transactionInfo"])["transactionId"] == transaction
    again.station.close()
    assert again.station.errors == {}


@each_version
def test_a_meter_keeps_what_it_shows(csms: ScriptedCsms, version: str, tmp_path: Path) -> None:
    file, clock = tmp_path / "outbox.sqlite3", FakeClock()
    bench = Bench(csms, clock, version, outbox=file, connectors=2).start()
    assert bench.setting("sampled measurands", "Energy.Active.Import.Register") == "Accepted"
    bench.charge(2)
    bench.until(lambda: bench.connector(2).energy > 1_000)
    reported = float(bench.triggered_values()[0]["value"])
    assert reported >= 1_000

    def shown(payload: dict[str, Any]) -> float:
        return float(payload["meterValue"][-1]["sampledValue"][0]["value"])

    bench.station.close(leave=True)
    csms.clear()
    again = Bench(csms, clock, version, outbox=file, connectors=2).start()
    end = again.ended(2)
    assert (end["meterStop"] if version == "1.6" else shown(end)) == reported
    csms.clear()
    again.charge(2)
    start = csms.wait_for("StartTransaction").payload if version == "1.6" else again.sent("TransactionEvent")[0]
    assert (start["meterStart"] if version == "1.6" else shown(start)) == reported
    again.station.close()
    assert again.station.errors == {}


def test_a_file_of_meters_that_is_of_no_use(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    file = tmp_path / "outbox.sqlite3.meters"
    registers = Registers(tmp_path / "outbox.sqlite3")
    assert registers.load() == {}
    registers.save({1: 5.5})
    assert registers.load() == {1: 5.5}
    for text in ("", "[]", '{"1": -1}', '{"one": 1}', '{"1": NaN}', '{"1": true}', "\0"):
        file.write_text(text)
        caplog.clear()
        assert registers.load() == {}
        assert "the meters start at 0: " in caplog.text
    file.unlink()
    file.mkdir()
    caplog.clear()
    registers.save({1: 6.0})
    registers.save({1: 7.0})
    assert caplog.text.count("what the meters show cannot be kept") == 1
    file.rmdir()
    registers.save({1: 7.0})
    assert registers.load() == {1: 7.0}
    Registers(None).save({1: 1.0})
    assert Registers(None).load() == {}
    assert [each.name for each in tmp_path.iterdir()] == [file.name]


@each_version
def test_closing_ends_transactions(make: Make, version: str) -> None:
    bench = make(version)
    bench.charge()
    bench.station.close()
    assert bench.reason() == "PowerLoss"
    assert bench.station.errors == {}


def test_closing_offline_goes_online_for_the_last_messages(make: Make) -> None:
    bench = make("1.6")
    bench.charge()
    bench.station.go_offline()
    wait_for(lambda: not bench.csms.identities)
    bench.station.close()
    assert bench.reason() == "PowerLoss"


def test_what_cannot_be_delivered_in_the_end_is_told(make: Make) -> None:
    bench = make("1.6", call_timeout=0.2)
    bench.charge()
    bench.csms.stop()
    wait_for(lambda: not bench.station.client.connected)
    bench.close(timeout=0.5)
    assert bench.station.errors["lost"] == 1
    assert bench.notes[-1].text == "1 of its last messages could not be delivered"


def test_it_is_a_context_manager(csms: ScriptedCsms) -> None:
    with Station("CP9").start(csms.url) as station:
        assert station.wait_ready()
        assert station.pause(0.01)
    assert station.is_closed
    assert not station.wait_ready()
    assert not station.pause(10)


def test_what_listens_and_fails_harms_nothing(csms: ScriptedCsms, caplog: pytest.LogCaptureFixture) -> None:
    def listen(note: Note) -> None:
        raise RuntimeError("mine")

    with Station("CP9", listen=listen).start(csms.url) as station:
        assert station.wait_ready()
    assert "whoever listens to it failed" in caplog.text


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"connectors": 0}, "1 to 100 connectors"),
        ({"power": 0}, "W"),
        ({"speed": 0}, "the speed"),
        ({"version": "1.5"}, "1.5"),
        ({"configuration": {"HeartbeatIntervall": "1"}}, "did you mean 'OCPPCommCtrlr.HeartbeatInterval'"),
        ({"configuration": {"TxCtrlr.EVConnectionTimeOut": "soon"}}, "cannot be 'soon'"),
    ],
)
def test_wrong_arguments(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Station("CP1", **options)


def test_wrong_calls(make: Make) -> None:
    bench = make("1.6")
    station = bench.station
    for call, text in (
        (lambda: station.plug(7), "there is no connector 7; the last one is 1"),
        (lambda: station.unplug(1), "no car is plugged in"),
        (lambda: station.stop(1), "there is no transaction"),
        (lambda: station.fault(1, "Boredom"), "is no error of a connector; these are: GroundFailure"),
        (lambda: station.start("http://x"), "ws://"),
    ):
        with pytest.raises(ValueError, match=re.escape(text)):
            call()
    station.plug(1)
    with pytest.raises(ValueError, match="a car is plugged in"):
        station.plug(1)


def test_calls_that_fail_are_counted(make: Make, csms: ScriptedCsms) -> None:
    bench = make("1.6")
    csms.script("Authorize", CallError("InternalError", "down"), Answer({"idTagInfo": {"status": "Nonsense"}}))
    bench.station.plug(1, Car(**CAR))
    bench.station.authorize("ONE")
    bench.station.authorize("ONE")
    assert bench.station.wait_until(lambda it: it.errors == {"callerror": 1, "invalid": 1})
    csms.script("Authorize", Drop())
    bench.station.client._call_timeout = 1.0
    bench.station.authorize("ONE")
    csms.wait_for("Authorize", 3)
    bench.clock.run(lambda: bench.station.errors["timeout"] == 1, timeout=20)
    assert sum(note.what == "error" for note in bench.notes) == 3


# --- Remote start and stop


@each_version
def test_remote_start_and_stop(make: Make, version: str) -> None:
    bench = make(version)
    bench.station.plug(1, Car(**CAR))
    assert bench.remote_start() == "Accepted"
    transaction = bench.transaction_id()
    assert bench.remote_start() == "Rejected"
    assert bench.remote_stop(99 if version == "1.6" else "nonsense") == "Rejected"
    assert bench.remote_stop(transaction) == "Accepted"
    assert bench.reason() == "Remote"
    assert bench.sent("Authorize") == []
    if version != "1.6":
        first = bench.sent("TransactionEvent")[0]
        assert (first["triggerReason"], first["transactionInfo"]["remoteStartId"]) == ("RemoteStart", 77)
        assert first["idToken"] == {"idToken": "REMOTE", "type": "Central"}
        assert bench.ended()["triggerReason"] == "RemoteStop"


@each_version
def test_remote_start_somewhere_before_the_plug(make: Make, version: str) -> None:
    bench = make(version, connectors=2)
    bench.station.plug(2, Car(**CAR))
    assert bench.remote_start(None) == "Accepted"
    assert bench.station.wait_for(2, State.CHARGING)
    assert bench.remote_start(None, "OTHER") == "Accepted"
    assert bench.station.wait_for(1, State.PREPARING)
    bench.station.plug(1, Car(**CAR))
    assert bench.station.wait_for(1, State.CHARGING)
    assert bench.remote_start(9) == "Rejected"


@each_version
def test_a_remote_start_that_is_authorized(make: Make, csms: ScriptedCsms, version: str) -> None:
    bench = make(version)
    assert bench.setting("authorize remote start", "true") == "Accepted"
    bench.station.plug(1, Car(**CAR))
    assert bench.remote_start() == "Accepted"
    assert bench.station.wait_for(1, State.CHARGING)
    assert len(bench.sent("Authorize")) == 1


@each_version
def test_a_remote_start_with_a_profile(make: Make, version: str) -> None:
    bench = make(version)
    bench.station.plug(1, Car(**CAR))
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 8.0}]}
    profile: dict[str, Any] = {"stackLevel": 1, "chargingProfileKind": "Relative", "chargingProfilePurpose": "TxDefaultProfile"}
    profile |= (
        {"chargingProfileId": 3, "chargingSchedule": schedule}
        if version == "1.6"
        else {"id": 3, "chargingSchedule": [{"id": 1, **schedule}]}
    )
    assert bench.remote_start(chargingProfile=profile) == "Rejected"
    profile["chargingProfilePurpose"] = "TxProfile"
    assert bench.remote_start(chargingProfile={**profile, "stackLevel": 99}) == "Rejected"
    assert bench.remote_start(chargingProfile=profile) == "Accepted"
    assert bench.station.wait_until(lambda _: bench.connector().offered == pytest.approx(8 * 230 * 3))
    assert bench.connector().state is State.CHARGING
    bench.station.stop()
    bench.station.unplug()
    assert bench.remote_start(chargingProfile=profile) == "Accepted"
    assert bench.station.wait_for(1, State.PREPARING)
    bench.until(lambda: bench.connector().state is State.AVAILABLE)
    bench.charge()
    assert bench.connector().offered == 11_000


# --- Reset


@each_version
@pytest.mark.parametrize("kind", ["soft", "hard"])
def test_a_reset_ends_transactions_and_boots(make: Make, csms: ScriptedCsms, version: str, kind: str) -> None:
    bench = make(version)
    bench.charge()
    csms.clear()
    assert bench.reset(kind) == "Accepted"
    bench.until(lambda: bench.station.presence.boots == 2)
    assert bench.station.wait_ready()
    assert bench.reason() == ({"soft": "SoftReset", "hard": "HardReset"}[kind] if version == "1.6" else "ImmediateReset")
    actions = [received.action for received in csms.received]
    ending = "StopTransaction" if version == "1.6" else "TransactionEvent"
    is_hard_16 = (version, kind) == ("1.6", "hard")
    assert (actions.index("BootNotification") < actions.index(ending)) is is_hard_16
    by_action = {received.action: received.connection for received in csms.received}
    assert (by_action["BootNotification"] == by_action[ending]) is is_hard_16
    if version != "1.6":
        assert bench.sent("BootNotification")[0]["reason"] == "RemoteReset"
    wait_for(lambda: bench.states()[-1:] == ["Preparing" if version == "1.6" else "Occupied"])
    assert bench.station.reboots == 1
    assert bench.station.errors == {}


@each_2x
def test_a_reset_on_idle_waits(make: Make, csms: ScriptedCsms, version: str) -> None:
    bench = make(version, connectors=2)
    bench.charge()
    assert bench.status("Reset", type="OnIdle") == "Scheduled"
    assert bench.station.wait_until(lambda it: it.is_resetting)
    assert bench.remote_start(2) == "Rejected"
    csms.clear()
    bench.station.stop()
    bench.until(lambda: bench.station.presence.boots == 2)
    assert bench.sent("BootNotification")[0]["reason"] == "ScheduledReset"
    assert bench.station.wait_ready()
    assert bench.status("Reset", type="OnIdle") == "Accepted"
    bench.until(lambda: bench.station.presence.boots == 3)


@each_2x
def test_the_reset_of_an_evse(make: Make, version: str) -> None:
    bench = make(version, connectors=2)
    bench.charge(1)
    bench.charge(2)
    assert bench.status("Reset", type="OnIdle", evseId=1) == "Scheduled"
    assert bench.status("Reset", type="Immediate", evseId=9) == "Rejected"
    assert bench.status("Reset", type="Immediate", evseId=2) == "Accepted"
    assert bench.station.wait_until(lambda _: bench.connector(2).transaction is None)
    assert bench.connector(1).transaction is not None
    assert bench.station.presence.boots == 1
    if version == "2.1":
        assert bench.status("Reset", type="ImmediateAndResume") == "Rejected"


def test_a_reboot_by_hand(make: Make) -> None:
    bench = make("2.0.1")
    bench.station.reboot()
    bench.station.reboot()
    bench.until(lambda: bench.station.presence.boots == 2)
    assert bench.sent("BootNotification")[-1]["reason"] == "LocalReset"
    assert bench.station.reboots == 1
    assert bench.station.errors == {}


# --- Availability, unlocking, reservations


@each_version
def test_change_availability(make: Make, version: str) -> None:
    bench = make(version, connectors=2)

    def change(number: int, operative: bool) -> str:
        kind = "Operative" if operative else "Inoperative"
        if version == "1.6":
            return bench.status("ChangeAvailability", connectorId=number, type=kind)
        return bench.status("ChangeAvailability", operationalStatus=kind, evse={"id": number} if number else None)

    def whole() -> str:
        if version == "1.6":
            return bench.states(0)[-1]
        value: str = bench.get_variable("ChargingStation.AvailabilityState")["attributeValue"]
        return value

    bench.charge(1)
    assert change(0, False) == "Scheduled"
    bench.settle()
    assert whole() == "Available"
    assert bench.connector(2).state is State.UNAVAILABLE
    assert bench.connector(1).state is State.CHARGING
    bench.station.stop()
    assert bench.connector(1).state is State.UNAVAILABLE
    wait_for(lambda: whole() == "Unavailable")
    assert bench.remote_start(1) == "Rejected"
    bench.csms.clear()
    assert bench.status("TriggerMessage", requestedMessage="StatusNotification") == "Accepted"
    bench.csms.wait_for("StatusNotification", 3 if version == "1.6" else 2)
    assert whole() == "Unavailable"
    assert change(1, True) == change(2, True) == "Accepted"
    wait_for(lambda: whole() == "Available")
    assert (bench.connector(1).state, bench.connector(2).state) == (State.FINISHING, State.AVAILABLE)
    assert change(9, True) == "Rejected"
    wait_for(lambda: bench.states(2) == ["Unavailable", "Available"])


@each_version
def test_the_availability_of_the_station_is_told_after_a_boot_and_an_outage(make: Make, version: str) -> None:
    bench = make(version)
    kind = {"connectorId": 0, "type": "Inoperative"} if version == "1.6" else {"operationalStatus": "Inoperative"}
    bench.station.go_offline()
    wait_for(lambda: not bench.csms.identities)
    with bench.station.changing():
        bench.station.presence.operative = bench.connector().operative = False
    bench.csms.clear()
    bench.station.go_online()
    if version == "1.6":
        wait_for(lambda: bench.states(0) == ["Unavailable"])
    wait_for(lambda: bench.states(1) == ["Unavailable"])
    assert bench.status("ChangeAvailability", **kind) == "Accepted"
    bench.csms.clear()
    assert bench.reset("soft") == "Accepted"
    bench.until(lambda: bench.states(1) == ["Unavailable"])
    assert bench.states(0) == (["Unavailable"] if version == "1.6" else [])


def test_unlock_in_16_ends_a_transaction(make: Make) -> None:
    bench = make("1.6")
    bench.charge()
    assert bench.status("UnlockConnector", connectorId=9) == "NotSupported"
    assert bench.status("UnlockConnector", connectorId=1) == "Unlocked"
    assert bench.reason() == "UnlockCommand"


@each_2x
def test_unlock_in_2x_does_not_end_one(make: Make, version: str) -> None:
    bench = make(version)
    assert bench.status("UnlockConnector", evseId=1, connectorId=1) == "Unlocked"
    assert bench.status("UnlockConnector", evseId=1, connectorId=2) == "UnknownConnector"
    assert bench.status("UnlockConnector", evseId=2, connectorId=1) == "UnknownConnector"
    bench.charge()
    assert bench.status("UnlockConnector", evseId=1, connectorId=1) == "OngoingAuthorizedTransaction"


@each_version
def test_reservations(make: Make, version: str) -> None:
    bench = make(version, connectors=2)

    def reserve(number: int | None, name: int, token: str, seconds: float = 600.0) -> str:
        expires = format_time(bench.station.now() + timedelta(seconds=seconds))
        if version == "1.6":
            return bench.status("ReserveNow", connectorId=number or 0, expiryDate=expires, idTag=token, reservationId=name)
        return bench.status("ReserveNow", id=name, expiryDateTime=expires, evseId=number, **bench.token(token))

    assert reserve(1, 4, "ANNA") == "Accepted"
    assert bench.connector(1).state is State.RESERVED
    assert reserve(1, 5, "BERT") == "Occupied"
    assert bench.remote_start(1, "BERT") == "Rejected"
    bench.charge(1, "anna")
    if version == "1.6":
        assert bench.sent("StartTransaction")[0]["reservationId"] == 4
    else:
        assert bench.sent("TransactionEvent")[0]["reservationId"] == 4
    assert reserve(1, 6, "BERT") == "Occupied"
    assert reserve(None, 7, "BERT") == ("Rejected" if version == "1.6" else "Accepted")
    assert reserve(2, 7, "BERT", 50.0) == "Accepted"
    bench.until(lambda: bench.connector(2).state is State.AVAILABLE)
    if version != "1.6":
        bench.csms.wait_for("ReservationStatusUpdate")
        assert bench.sent("ReservationStatusUpdate") == [{"reservationId": 7, "reservationUpdateStatus": "Expired"}]
    assert reserve(2, 8, "BERT") == "Accepted"
    assert bench.status("CancelReservation", reservationId=99) == "Rejected"
    assert bench.status("CancelReservation", reservationId=8) == "Accepted"
    assert bench.connector(2).state is State.AVAILABLE
    assert reserve(9, 9, "BERT") == "Rejected"
    bench.station.fault(2)
    assert reserve(2, 9, "BERT") == "Faulted"
    bench.station.clear(2)
    bench.connector(2).operative = False
    assert reserve(2, 9, "BERT") == "Unavailable"


# --- Configuration


def test_configuration_keys_of_16(make: Make) -> None:
    bench = make("1.6")
    found = bench.ask("GetConfiguration")["configurationKey"]
    known = configuration_keys()
    assert {entry["key"] for entry in found} <= set(known)
    required = {key.name for key in known.values() if key.required and key.profile not in ("PlugAndCharge", "Security")}
    assert required <= {entry["key"] for entry in found}
    by_key = {entry["key"]: entry for entry in found}
    assert "value" not in by_key["AuthorizationKey"]
    assert by_key["NumberOfConnectors"] == {"key": "NumberOfConnectors", "readonly": True, "value": "1"}
    answer = bench.ask("GetConfiguration", key=["heartbeatinterval", "Nonsense"])
    assert answer["configurationKey"][0]["key"] == "HeartbeatInterval"
    assert answer["unknownKey"] == ["Nonsense"]


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        ("Nonsense", "1", "NotSupported"),
        ("NumberOfConnectors", "5", "Rejected"),
        ("SecurityProfile", "2", "Rejected"),
        ("HeartbeatInterval", "-1", "Rejected"),
        ("LocalPreAuthorize", "maybe", "Rejected"),
        ("LocalPreAuthorize", "TRUE", "Accepted"),
        ("MeterValuesSampledData", "Energy.Active.Import.Register,SoC", "Accepted"),
        ("MeterValuesSampledData", "RPM", "Rejected"),
        ("ConnectorPhaseRotation", "1.RTS", "Accepted"),
        ("WebSocketPingInterval", "55", "RebootRequired"),
        ("AuthorizationKey", "short", "Rejected"),
        ("AuthorizationKey", "00112233445566778899aabbccddeeff", "Accepted"),
        ("TransactionMessageAttempts", "5", "Accepted"),
        ("TransactionMessageAttempts", "0", "Accepted"),
        ("TransactionMessageRetryInterval", "9", "Accepted"),
    ],
)
def test_change_configuration(make: Make, key: str, value: str, status: str) -> None:
    bench = make("1.6")
    assert bench.status("ChangeConfiguration", key=key, value=value) == status
    shown = [note.text for note in bench.notes if note.what == "configuration"]
    assert all("00112233" not in text for text in shown)


def test_what_the_configuration_changes(make: Make) -> None:
    bench = make("1.6")
    client = bench.station.client
    for key, value in (("TransactionMessageAttempts", "5"), ("TransactionMessageRetryInterval", "9"), ("WebSocketPingInterval", "55")):
        bench.status("ChangeConfiguration", key=key, value=value)
    assert (client.outbox.attempts, client.outbox.retry_interval) == (5, 9.0)
    assert client.ping_interval == 30
    bench.reset("soft")
    bench.until(lambda: bench.station.presence.boots == 2)
    assert client.ping_interval == 55
    key = "00112233445566778899aabbccddeeff"
    bench.status("ChangeConfiguration", key="AuthorizationKey", value=key)
    assert client._password == hex_password(key)


@each_2x
def test_variables_of_2x(make: Make, version: str) -> None:
    bench = make(version)
    assert bench.get_variable("SampledDataCtrlr.TxUpdatedInterval")["attributeValue"] == "60"
    assert bench.get_variable("sampleddatactrlr.txupdatedinterval")["attributeStatus"] == "Accepted"
    assert bench.get_variable("EVSE.AvailabilityState", {"id": 1})["attributeValue"] == "Available"
    assert bench.get_variable("EVSE.Power", {"id": 1})["attributeValue"] == "0"
    assert bench.get_variable("Connector.ConnectorType", {"id": 1, "connectorId": 1})["attributeValue"] == "cType2"
    assert bench.get_variable("Nonsense.Enabled")["attributeStatus"] == "UnknownComponent"
    assert bench.get_variable("EVSE.Power", {"id": 7})["attributeStatus"] == "UnknownComponent"
    assert bench.get_variable("TxCtrlr.Nonsense")["attributeStatus"] == "UnknownVariable"
    assert bench.get_variable("TxCtrlr.EVConnectionTimeOut", attributeType="Target")["attributeStatus"] == "NotSupportedAttributeType"
    secret = bench.get_variable("SecurityCtrlr.BasicAuthPassword")
    assert secret["attributeStatus"] == "Rejected"
    assert "attributeValue" not in secret
    assert bench.get_variable("ClockCtrlr.DateTime")["attributeValue"].endswith("Z")
    assert bench.set_variable("TxCtrlr.TxStartPoint", "Authorized")["attributeStatus"] == "Rejected"
    assert bench.set_variable("TxCtrlr.EVConnectionTimeOut", "soon")["attributeStatus"] == "Rejected"
    assert bench.set_variable("TxCtrlr.EVConnectionTimeOut", "30")["attributeStatus"] == "Accepted"
    assert bench.set_variable("OCPPCommCtrlr.WebSocketPingInterval", "9")["attributeStatus"] == "RebootRequired"
    assert bench.set_variable("SecurityCtrlr.BasicAuthPassword", "a-secret-of-20-chars")["attributeStatus"] == "Accepted"
    assert bench.station.client._password == "a-secret-of-20-chars"
    assert bench.set_variable("Nonsense.X", "1")["attributeStatus"] == "UnknownComponent"
    assert bench.set_variable("SmartChargingCtrlr.LimitChangeSignificance", "1.5")["attributeStatus"] == "Accepted"
    assert bench.set_variable("ClockCtrlr.TimeSource", "Sundial")["attributeStatus"] == "Rejected"


@each_2x
@pytest.mark.parametrize(("base", "least"), [("FullInventory", 40), ("ConfigurationInventory", 15), ("SummaryInventory", 4)])
def test_base_reports(make: Make, version: str, base: str, least: int) -> None:
    bench = make(version)
    assert bench.status("GetBaseReport", requestId=5, reportBase=base) == "Accepted"
    wait_for(lambda: bench.sent("NotifyReport") and not bench.sent("NotifyReport")[-1]["tbc"])
    reports = bench.sent("NotifyReport")
    assert [report["seqNo"] for report in reports] == list(range(len(reports)))
    assert [report["tbc"] for report in reports] == [True] * (len(reports) - 1) + [False]
    data = [entry for report in reports for entry in report["reportData"]]
    assert len(data) >= least
    if base == "FullInventory":
        names = {f"{entry['component']['name']}.{entry['variable']['name']}" for entry in data}
        controllers = {variable.component for variable in variables(version=version).values()} & {name.partition(".")[0] for name in names}
        assert {"TxCtrlr", "SampledDataCtrlr", "AuthCtrlr", "OCPPCommCtrlr", "EVSE", "Connector", "ChargingStation"} <= controllers
        secret = next(entry for entry in data if entry["variable"]["name"] == "BasicAuthPassword")
        assert "value" not in secret["variableAttribute"][0]


@each_2x
def test_reports_of_some_variables(make: Make, version: str) -> None:
    bench = make(version)
    wanted = [{"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}}]
    assert bench.status("GetReport", requestId=6, componentVariable=wanted) == "Accepted"
    bench.csms.wait_for("NotifyReport")
    assert len(bench.sent("NotifyReport")[0]["reportData"]) == 1
    assert bench.status("GetReport", requestId=7, componentCriteria=["Problem"]) == "EmptyResultSet"
    assert bench.status("GetReport", requestId=8, componentCriteria=["Enabled"]) == "Accepted"


@each_2x
def test_monitoring_is_refused_honestly(make: Make, version: str) -> None:
    bench = make(version)
    wanted = {"value": 5, "type": "UpperThreshold", "severity": 5}
    data = [{**wanted, **address("TxCtrlr.EVConnectionTimeOut")}, {**wanted, **address("No.Such")}]
    results = bench.ask("SetVariableMonitoring", setMonitoringData=data)["setMonitoringResult"]
    assert [result["status"] for result in results] == ["UnsupportedMonitorType", "UnknownComponent"]


@each_version
def test_what_it_does_not_do_it_says_so(make: Make, version: str) -> None:
    bench = make(version)
    action, payload = (
        ("GetInstalledCertificateIds", {"certificateType": "CentralSystemRootCertificate"})
        if version == "1.6"
        else ("GetDisplayMessages", {"requestId": 1})
    )
    with pytest.raises(CallError) as refused:
        bench.ask(action, **payload)
    assert refused.value.code in ("NotSupported", "NotImplemented")
    assert bench.status("DataTransfer", vendorId="nobody") == "UnknownVendorId"


# --- Triggers


@pytest.mark.parametrize(
    ("action", "name", "message"),
    [
        ("TriggerMessage", "BootNotification", "BootNotification"),
        ("TriggerMessage", "DiagnosticsStatusNotification", "DiagnosticsStatusNotification"),
        ("TriggerMessage", "FirmwareStatusNotification", "FirmwareStatusNotification"),
        ("TriggerMessage", "Heartbeat", "Heartbeat"),
        ("TriggerMessage", "MeterValues", "MeterValues"),
        ("TriggerMessage", "StatusNotification", "StatusNotification"),
        ("ExtendedTriggerMessage", "LogStatusNotification", "LogStatusNotification"),
        ("ExtendedTriggerMessage", "Heartbeat", "Heartbeat"),
    ],
)
def test_triggers_of_16(make: Make, action: str, name: str, message: str) -> None:
    bench = make("1.6", connectors=2)
    bench.csms.clear()
    assert bench.status(action, requestedMessage=name) == "Accepted"
    bench.csms.wait_for(message)
    assert bench.status(action, requestedMessage=name, connectorId=7) == "Rejected"
    assert bench.status("ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate") == "NotImplemented"


def test_a_trigger_of_one_connector_of_16(make: Make) -> None:
    bench = make("1.6", connectors=2)
    bench.csms.clear()
    assert bench.status("TriggerMessage", requestedMessage="StatusNotification", connectorId=2) == "Accepted"
    assert bench.csms.wait_for("StatusNotification").payload["connectorId"] == 2
    assert bench.status("TriggerMessage", requestedMessage="MeterValues", connectorId=2) == "Accepted"
    bench.csms.wait_for("MeterValues")
    assert [payload["connectorId"] for payload in bench.sent("MeterValues")] == [2]


@each_2x
@pytest.mark.parametrize(
    "name", ["FirmwareStatusNotification", "Heartbeat", "LogStatusNotification", "MeterValues", "StatusNotification", "TransactionEvent"]
)
def test_triggers_of_2x(make: Make, version: str, name: str) -> None:
    bench = make(version)
    bench.charge()
    bench.csms.clear()
    assert bench.status("TriggerMessage", requestedMessage=name) == "Accepted"
    payload = bench.csms.wait_for(name).payload
    if name == "TransactionEvent":
        assert payload["triggerReason"] == "Trigger"
    assert bench.status("TriggerMessage", requestedMessage=name, evse={"id": 9}) == "Rejected"
    assert bench.status("TriggerMessage", requestedMessage="BootNotification") == "Rejected"
    assert bench.status("TriggerMessage", requestedMessage="SignV2GCertificate") == "NotImplemented"


@each_2x
def test_a_trigger_of_a_transaction_that_is_not(make: Make, version: str) -> None:
    bench = make(version, connectors=2)
    assert bench.status("TriggerMessage", requestedMessage="TransactionEvent") == "Rejected"
    bench.charge(1)
    assert bench.status("TriggerMessage", requestedMessage="TransactionEvent", evse={"id": 2}) == "Rejected"
    assert bench.status("TriggerMessage", requestedMessage="TransactionEvent", evse={"id": 1}) == "Accepted"


# --- Smart charging


@each_version
def test_a_limit_changes_the_power(make: Make, version: str) -> None:
    bench = make(version)
    transaction = bench.charge()
    bench.until(lambda: bench.connector().power == 11_000)
    assert bench.profile(1, "TxProfile", [{"startPeriod": 0, "limit": 5_000.0}], transactionId=transaction) == "Accepted"
    assert bench.connector().power == 5_000
    assert (
        bench.profile(1, "TxProfile", [{"startPeriod": 0, "limit": 10.0, "numberPhases": 1}], "A", level=2, transactionId=transaction)
        == "Accepted"
    )
    assert bench.connector().power == 2_300
    assert bench.profile(1, "TxProfile", [{"startPeriod": 0, "limit": 0.0}], level=3, transactionId=transaction) == "Accepted"
    assert bench.connector().state is State.SUSPENDED_EVSE
    if version != "1.6":
        wait_for(lambda: bench.sent("TransactionEvent")[-1]["transactionInfo"]["chargingState"] == "SuspendedEVSE")
        triggers = [event["triggerReason"] for event in bench.sent("TransactionEvent")]
        assert [trigger for trigger in triggers if trigger.startswith("Charging")] == [
            "ChargingRateChanged",
            "ChargingRateChanged",
            "ChargingStateChanged",
        ]
    clear = {"id": 4} if version == "1.6" else {"chargingProfileId": 4}
    assert bench.status("ClearChargingProfile", **clear) == "Accepted"
    assert bench.status("ClearChargingProfile", **clear) == "Unknown"
    assert bench.connector().power == 2_300
    bench.station.stop()
    assert len(bench.station.charging.profiles) == 0


@each_version
def test_below_six_amperes_a_phase_a_car_stops(make: Make, version: str) -> None:
    bench = make(version)
    transaction = bench.charge()
    assert bench.setting("sampled measurands", "Current.Import") == "Accepted"
    for level, (amperes, phases, state) in enumerate(
        [(5.9, 3, State.SUSPENDED_EVSE), (6.0, 3, State.CHARGING), (5.9, 1, State.SUSPENDED_EVSE), (10.0, 1, State.CHARGING)]
    ):
        period = {"startPeriod": 0, "limit": amperes, "numberPhases": phases}
        assert bench.profile(1, "TxProfile", [period], "A", level=level, transactionId=transaction) == "Accepted"
        assert bench.connector().state is state
    bench.until(lambda: bench.connector().power == 2_300)
    answer = bench.ask("GetCompositeSchedule", **bench.where(1), duration=60, chargingRateUnit="A")
    schedule = answer["chargingSchedule" if version == "1.6" else "schedule"]
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 10.0, "numberPhases": 1}]
    currents = {value["phase"]: float(value["value"]) for value in bench.triggered_values()}
    assert currents == {"L1": 10.0, "L2": 0.0, "L3": 0.0}


def begun(make: Make, seconds: float) -> Bench:
    """A station whose StartTransaction is answered only after so many seconds: with 41."""
    bench = make("1.6")
    answer = Answer({"transactionId": 41, "idTagInfo": {"status": "Accepted"}})
    bench.csms.script("StartTransaction", Delay(seconds, answer))
    bench.station.plug(1, Car(**CAR))
    bench.station.authorize("TAG", 1)
    bench.csms.wait_for("StartTransaction")
    return bench


@pytest.mark.parametrize("action", ["RemoteStopTransaction", "SetChargingProfile"])
def test_what_is_asked_before_the_answer_was_looked_at(make: Make, action: str) -> None:
    """The CSMS asks at once for something to be done with the transaction that it has just named."""
    bench = begun(make, 1.0)
    period = {"startPeriod": 0, "limit": 8.0}
    asking = (
        in_thread(bench.remote_stop, 41)
        if action == "RemoteStopTransaction"
        else in_thread(bench.profile, 1, "TxProfile", [period], "A", transactionId=41)
    )
    assert bench.clock.wait_for("delivery") == 2.0
    assert bench.clock.advance_to("csms answer") == 1.0
    assert asking.result() == "Accepted"
    if action == "RemoteStopTransaction":
        assert bench.reason() == "Remote"
    else:
        assert bench.connector().offered == pytest.approx(8 * 230 * 3)
        assert bench.remote_stop(42) == "Rejected"


def test_an_answer_that_does_not_come_is_not_waited_for_long(make: Make) -> None:
    bench = begun(make, 60.0)
    asking = in_thread(bench.remote_stop, 41)
    assert bench.clock.advance_to("delivery") == 2.0
    assert asking.result() == "Rejected"


@each_version
def test_profiles_that_cannot_be(make: Make, version: str) -> None:
    bench = make(version)
    period = [{"startPeriod": 0, "limit": 5_000.0}]
    assert bench.profile(1, "TxProfile", period) == "Rejected"
    assert bench.profile(0, "TxProfile", period) == "Rejected"
    assert bench.profile(1, "ChargePointMaxProfile", period) == "Rejected"
    assert bench.profile(9, "TxDefaultProfile", period) == "Rejected"
    assert bench.profile(1, "TxDefaultProfile", [{"startPeriod": 5, "limit": 1.0}]) == "Rejected"
    assert bench.profile(1, "TxDefaultProfile", period, level=10) == "Rejected"
    if version == "2.1":
        assert bench.profile(1, "PriorityCharging", period) == "Rejected"
        assert bench.profile(1, "TxDefaultProfile", period, chargingProfileKind="Dynamic") == "Rejected"
    bench.charge()
    if version != "1.6":
        assert bench.profile(1, "TxProfile", period) == "Rejected"
    other = 99 if version == "1.6" else "other"
    assert bench.profile(1, "TxProfile", period, transactionId=other) == "Rejected"


@each_version
def test_the_limit_of_the_station_is_shared(make: Make, version: str) -> None:
    bench = make(version, connectors=2)
    bench.charge(1)
    assert bench.profile(0, "ChargePointMaxProfile", [{"startPeriod": 0, "limit": 10_000.0}]) == "Accepted"
    assert bench.connector(1).offered == 10_000
    bench.charge(2)
    assert [bench.connector(number).offered for number in (1, 2)] == [5_000, 5_000]
    bench.station.stop(1)
    assert bench.connector(2).offered == 10_000


@each_version
def test_a_schedule_goes_on_in_time(make: Make, version: str) -> None:
    bench = make(version)
    periods = [{"startPeriod": 0, "limit": 5_000.0}, {"startPeriod": 120, "limit": 7_000.0}]
    assert bench.profile(0, "TxDefaultProfile", periods, chargingProfileKind="Relative", schedule={"duration": 300}) == "Accepted"
    bench.charge()
    assert bench.connector().offered == 5_000
    where = {**bench.where(1), "duration": 600, "chargingRateUnit": "W"}
    answer = bench.ask("GetCompositeSchedule", **where)
    assert answer["status"] == "Accepted"
    schedule = answer["chargingSchedule" if version == "1.6" else "schedule"]
    assert schedule["chargingSchedulePeriod"] == [
        {"startPeriod": 0, "limit": 5000.0},
        {"startPeriod": 120, "limit": 7000.0},
        {"startPeriod": 300, "limit": 11000.0},
    ]
    in_amperes = bench.ask("GetCompositeSchedule", **{**where, "chargingRateUnit": "A"})
    first = in_amperes["chargingSchedule" if version == "1.6" else "schedule"]["chargingSchedulePeriod"][0]
    assert first["limit"] == pytest.approx(5000 / 690, abs=0.06)
    assert bench.status("GetCompositeSchedule", **bench.where(0), duration=60) == "Accepted"
    assert bench.status("GetCompositeSchedule", **bench.where(9), duration=60) == "Rejected"
    bench.until(lambda: bench.connector().offered == 7_000)
    bench.until(lambda: bench.connector().offered == 11_000)


@each_2x
def test_profiles_are_reported(make: Make, version: str) -> None:
    bench = make(version)
    period = [{"startPeriod": 0, "limit": 5_000.0}]
    assert bench.status("GetChargingProfiles", requestId=1, chargingProfile={}) == "NoProfiles"
    for level in (1, 2):
        assert bench.profile(1, "TxDefaultProfile", period, level=level) == "Accepted"
    criteria = {"chargingProfilePurpose": "TxDefaultProfile"}
    assert bench.status("GetChargingProfiles", requestId=2, chargingProfile=criteria) == "Accepted"
    bench.csms.wait_for("ReportChargingProfiles", 2)
    assert [report["tbc"] for report in bench.sent("ReportChargingProfiles")] == [True, False]
    criteria_of_one: dict[str, Any] = {"chargingProfileId": [2]}
    assert bench.status("GetChargingProfiles", requestId=3, chargingProfile=criteria_of_one, evseId=1) == "Accepted"
    assert bench.status("ClearChargingProfile", chargingProfileCriteria={**criteria, "stackLevel": 2}) == "Accepted"
    assert bench.status("ClearChargingProfile", chargingProfileCriteria={"evseId": 1}) == "Accepted"
    assert len(bench.station.charging.profiles) == 0


def profile(kind: str = "Absolute", begin: Any = None, periods: Any = None, now: Any = None, **more: Any) -> Profile:
    schedule = {"chargingRateUnit": "W", "chargingSchedulePeriod": periods or [{"startPeriod": 0, "limit": 1000}]}
    if begin is not None:
        schedule["startSchedule"] = format_time(begin)
    wire = {"chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": kind, **more}
    return Profile.parse(1, {**wire, "chargingSchedule": schedule}, now or parse_time(utcnow()))


def test_when_a_profile_holds(clock: FakeClock) -> None:
    from datetime import datetime, timezone

    supply, day = Supply.of(11_000), timedelta(days=1)
    noon = datetime(2025, 1, 31, 12, tzinfo=timezone.utc)
    night = [{"startPeriod": 0, "limit": 9000}, {"startPeriod": 36_000, "limit": 2000}, {"startPeriod": 50_000}]
    daily = profile("Recurring", noon, night, recurrencyKind="Daily")
    assert daily.limit(noon - day, None, supply) is None
    assert daily.limit(noon + 3 * day, None, supply) == (9000, None)
    assert daily.limit(noon + 3 * day + timedelta(hours=11), None, supply) == (2000, None)
    assert daily.limit(noon + timedelta(hours=15), None, supply) is None
    weekly = profile("Recurring", noon, recurrencyKind="Weekly")
    assert weekly.limit(noon + 8 * day, None, supply) == (1000, None)
    bounded = profile(begin=noon, validFrom=format_time(noon + day), validTo=format_time(noon + 2 * day))
    assert [bounded.limit(noon + count * day, None, supply) for count in range(3)] == [None, (1000, None), None]
    assert profile("Relative").limit(noon, None, supply) is None
    assert profile("Absolute").limit(noon, noon, supply) == (1000, None)
    hour = profile("Absolute", now=noon, periods=[{"startPeriod": 0, "limit": 1000}, {"startPeriod": 3600, "limit": 2000}])
    assert hour.limit(noon + timedelta(minutes=59), None, supply) == (1000, None)
    assert hour.limit(noon + timedelta(minutes=61), None, supply) == (2000, None)
    assert hour.limit(noon + timedelta(minutes=61), noon + timedelta(minutes=30), supply) == (1000, None)
    profiles = Profiles()
    profiles.add(daily)
    changes = profiles.changes(noon + day, noon + 2 * day, None)
    assert changes == [noon + day, noon + day + timedelta(seconds=36_000), noon + day + timedelta(seconds=50_000)]
    assert profiles.limit(Subject(1, supply), noon + day) == (9000, None)


def test_there_is_room_for_so_many_profiles() -> None:
    profiles = Profiles()
    many = [profile(chargingProfileId=number, stackLevel=number % 10, transactionId=number) for number in range(MAX_PROFILES + 1)]
    for each in many[:-1]:
        profiles.add(each)
    with pytest.raises(ValueError, match="there are 32 profiles already"):
        profiles.add(many[-1])
    with pytest.raises(ValueError, match="1 to 24 periods"):
        profile(periods=[{"startPeriod": number, "limit": 1} for number in range(MAX_PERIODS + 1)])


# --- Tokens


@each_version
def test_local_lists_and_the_cache(make: Make, version: str) -> None:
    bench = make(version)

    def send(number: int, kind: str, **tokens: str | None) -> str:
        entries = []
        for token, status in tokens.items():
            info = {} if status is None else {"idTagInfo" if version == "1.6" else "idTokenInfo": {"status": status}}
            entries.append({**bench.token(token), **info})
        field = "listVersion" if version == "1.6" else "versionNumber"
        return bench.status("SendLocalList", **{field: number}, updateType=kind, localAuthorizationList=entries or None)

    def version_of_it() -> int:
        answer = bench.ask("GetLocalListVersion")
        return int(answer["listVersion" if version == "1.6" else "versionNumber"])

    assert version_of_it() == 0
    assert send(3, "Full", ANNA="Accepted", BERT="Blocked") == "Accepted"
    assert send(3, "Differential", CARL="Accepted") == "VersionMismatch"
    assert send(4, "Differential", BERT=None, CARL="Accepted") == "Accepted"
    assert version_of_it() == 4
    assert set(bench.station.reader.tokens.listed) == {"anna", "carl"}
    assert bench.setting("preauthorize", "true") == "Accepted"
    bench.charge(token="ANNA")
    assert bench.sent("Authorize") == []
    assert bench.status("ClearCache") == "Accepted"
    assert bench.station.reader.tokens.cached == {}
    assert bench.setting("cache", "false") == bench.setting("list", "false") == "Accepted"
    assert bench.status("ClearCache") == "Rejected"
    assert send(5, "Full") == ("NotSupported" if version == "1.6" else "Failed")
    assert version_of_it() == (-1 if version == "1.6" else 4)


def test_tokens_expire_and_the_cache_is_bounded(clock: FakeClock) -> None:
    from datetime import datetime, timezone

    now = datetime(2025, 1, 1, tzinfo=timezone.utc)
    tokens = KnownTokens()
    tokens.learn(Token("A"), TokenInfo("Accepted", None, now))
    assert tokens.find(Token("a"), now - timedelta(seconds=1), use_list=True, use_cache=True) is not None
    assert tokens.find(Token("a"), now, use_list=True, use_cache=True) is None
    assert tokens.find(Token("a"), now - timedelta(seconds=1), use_list=True, use_cache=False) is None
    for number in range(1200):
        tokens.learn(Token(str(number)), TokenInfo("Accepted"))
    assert len(tokens.cached) == 1000


def test_a_token_without_authorization(make: Make) -> None:
    bench = make("2.0.1")
    bench.station.plug(1, Car(**CAR))
    bench.station.authorize(Token("", "NoAuthorization"))
    assert bench.station.wait_for(1, State.CHARGING)
    assert bench.sent("Authorize") == []


# --- Logs and firmware


def statuses(bench: Bench, action: str) -> list[str]:
    return [payload["status"] for payload in bench.sent(action)]


def test_diagnostics_of_16(make: Make) -> None:
    bench = make("1.6")
    assert bench.ask("GetDiagnostics", location="ftp://x/")["fileName"].startswith("CP1-")
    bench.until(lambda: statuses(bench, "DiagnosticsStatusNotification")[-1:] == ["Uploaded"])
    assert statuses(bench, "DiagnosticsStatusNotification") == ["Uploading", "Uploaded"]
    assert bench.status("ExtendedTriggerMessage", requestedMessage="LogStatusNotification") == "Accepted"
    assert bench.csms.wait_for("LogStatusNotification").payload == {"status": "Idle"}


@each_version
def test_logs(make: Make, version: str) -> None:
    bench = make(version)

    def ask(number: int) -> str:
        return bench.status("GetLog", log={"remoteLocation": "ftp://x/"}, logType="DiagnosticsLog", requestId=number)

    assert ask(1) == "Accepted"
    wait_for(lambda: statuses(bench, "LogStatusNotification") == ["Uploading"])  # at once: the time stands still, else it would be over
    assert ask(2) == "AcceptedCanceled"
    bench.until(lambda: statuses(bench, "LogStatusNotification")[-1:] == ["Uploaded"])
    found = [(payload["requestId"], payload["status"]) for payload in bench.sent("LogStatusNotification")]
    assert found == [(1, "Uploading"), (1, "UploadFailure" if version == "1.6" else "AcceptedCanceled"), (2, "Uploading"), (2, "Uploaded")]
    if version == "1.6":
        assert bench.status("TriggerMessage", requestedMessage="DiagnosticsStatusNotification") == "Accepted"
        assert bench.csms.wait_for("DiagnosticsStatusNotification").payload == {"status": "Idle"}
        assert bench.status("ExtendedTriggerMessage", requestedMessage="LogStatusNotification") == "Accepted"
        assert bench.csms.wait_for("LogStatusNotification", 5).payload == {"status": "Uploaded", "requestId": 2}


@each_version
@pytest.mark.parametrize("signed", [False, True])
def test_firmware(make: Make, version: str, signed: bool) -> None:
    bench = make(version)
    bench.charge()
    later = format_time(bench.station.now() + timedelta(seconds=30))
    if version == "1.6" and not signed:
        action = "FirmwareStatusNotification"
        assert bench.ask("UpdateFirmware", location="ftp://x/f", retrieveDate=later) == {}
        expected = ["Downloading", "Downloaded", "Installing", "Installed"]
    else:
        firmware = {"location": "ftp://x/f", "retrieveDateTime": later}
        if version == "1.6":
            firmware |= {"signingCertificate": "x", "signature": "x"}
            action = "SignedFirmwareStatusNotification"
            assert bench.status("SignedUpdateFirmware", requestId=8, firmware=firmware) == "Accepted"
        else:
            action = "FirmwareStatusNotification"
            assert bench.status("UpdateFirmware", requestId=8, firmware=firmware) == "Accepted"
        expected = ["DownloadScheduled", "Downloading", "Downloaded", "Installing", "InstallRebooting", "Installed"]
    wait_for(lambda: bench.station.maintenance.firmware.is_under_way)
    bench.until(lambda: statuses(bench, action)[-1:] == ["Downloaded"])
    bench.station.stop()
    bench.until(lambda: statuses(bench, action)[-1:] == ["Installed"])
    assert statuses(bench, action) == expected
    boot = bench.sent("BootNotification")[-1]
    assert (boot if version == "1.6" else boot["chargingStation"])["firmwareVersion"] == "2.0.0"
    if version != "1.6":
        assert boot["reason"] == "FirmwareUpdate"


def test_an_update_takes_the_place_of_another(make: Make) -> None:
    bench = make("2.0.1")
    firmware = {"location": "ftp://x/f", "retrieveDateTime": format_time(bench.station.now())}
    assert bench.status("UpdateFirmware", requestId=1, firmware=firmware) == "Accepted"
    bench.until(lambda: statuses(bench, "FirmwareStatusNotification") == ["Downloading"])
    assert bench.status("UpdateFirmware", requestId=2, firmware=firmware) == "AcceptedCanceled"
    bench.until(lambda: statuses(bench, "FirmwareStatusNotification")[-1:] == ["Installed"])
    assert {payload["requestId"] for payload in bench.sent("FirmwareStatusNotification")[1:]} == {2}


# --- Meters


@each_version
def test_values_by_the_clock_on_the_wall(make: Make, version: str) -> None:
    bench = make(version)
    assert bench.setting("sample interval", "0") == "Accepted"
    assert bench.setting("aligned interval", "900") == "Accepted"
    bench.until(lambda: bench.sent("MeterValues"))
    value = bench.sent("MeterValues")[0]["meterValue"][0]
    assert value["sampledValue"][0]["context"] == "Sample.Clock"
    bench.charge()
    bench.csms.clear()
    if version == "1.6":
        bench.until(lambda: bench.sent("MeterValues"))
        assert "transactionId" in bench.sent("MeterValues")[0]
    else:
        bench.until(lambda: bench.sent("TransactionEvent"))
        assert bench.sent("TransactionEvent")[0]["triggerReason"] == "MeterValueClock"
    assert bench.setting("aligned interval", "0") == "Accepted"


def test_nothing_is_measured_if_nobody_wants_to_know(make: Make) -> None:
    bench = make("1.6")
    bench.setting("sampled measurands", "")
    bench.setting("aligned measurands", "")
    assert bench.status("TriggerMessage", requestedMessage="MeterValues") == "Accepted"
    assert bench.status("TriggerMessage", requestedMessage="Heartbeat") == "Accepted"
    bench.csms.wait_for("Heartbeat")
    assert bench.sent("MeterValues") == []


@each_version
@pytest.mark.parametrize("power", [3_700.0, 11_000.0, 150_000.0])
def test_every_measurand(make: Make, version: str, power: float) -> None:
    bench = make(version, power=power)
    assert bench.setting("sampled measurands", ",".join(MEASURANDS)) == "Accepted"
    bench.charge(dc_power=100_000.0)
    action = "MeterValues" if version == "1.6" else "TransactionEvent"
    bench.csms.clear()
    bench.until(lambda: bench.sent(action))
    sampled = bench.sent(action)[0]["meterValue"][0]["sampledValue"]
    assert {value["measurand"] for value in sampled} == set(MEASURANDS)
    phases = {3_700.0: 1, 11_000.0: 3, 150_000.0: 0}[power]
    assert sum("phase" in value for value in sampled) == 2 * phases
    assert bench.station.errors == {}


def test_the_curve_of_a_battery() -> None:
    supply = Supply.of(22_000)
    car = Car(**CAR)
    assert car.wanted(supply, 0) < 500 < car.wanted(supply, 15) < car.wanted(supply, 60) == 11_000
    car.soc = 90
    assert car.wanted(supply, 600) == 5_500
    car.soc = 100
    assert car.wanted(supply, 600) == 0
    car = Car(**CAR, target=40.0)
    assert charge(car, supply, 22_000, 0, 36_000) == pytest.approx(12_000)
    assert car.is_full
    assert Car(**{**CAR, "ac_power": 22_000.0}).wanted(Supply.of(7_000), 60) == 7_400
    assert Car(**CAR).wanted(Supply.of(150_000), 60) == 120_000


# --- The whole


@each_2x
def test_the_status_of_transactions(make: Make, version: str) -> None:
    bench = make(version)
    assert bench.ask("GetTransactionStatus") == {"messagesInQueue": False}
    transaction = bench.charge()
    wait_for(lambda: not list(bench.station.client.outbox.pending()))
    assert bench.ask("GetTransactionStatus", transactionId=transaction) == {"ongoingIndicator": True, "messagesInQueue": False}
    bench.csms.script("TransactionEvent", Drop())
    bench.station.stop()
    assert bench.ask("GetTransactionStatus", transactionId=transaction) == {"ongoingIndicator": False, "messagesInQueue": True}
    assert bench.ask("GetTransactionStatus") == {"messagesInQueue": True}


def test_a_task_that_fails_ends_nothing(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    failures: list[Exception] = []
    agenda = Agenda("test agenda", clock, 1.0, failures.append)
    done = threading.Event()
    agenda.soon(lambda: 1 / 0)
    agenda.after(5, done.set)
    agenda.after(1, lambda: failures.append(ValueError())).cancel()
    clock.run(done)
    agenda.close()
    assert agenda.join(TIMEOUT)
    assert [type(each) for each in failures] == [ZeroDivisionError]
    agenda.soon(done.clear)
    assert done.is_set()


def test_a_fault_of_the_simulator_is_counted(make: Make) -> None:
    bench = make("1.6")
    bench.station.agenda.soon(lambda: 1 / 0)
    assert bench.station.wait_until(lambda it: it.errors["crash"] == 1)


def test_a_message_that_cannot_be_queued_is_lost(make: Make) -> None:
    bench = make("1.6")
    assert bench.station.put(("StopTransaction", {"transactionId": "unknown", "meterStop": 0, "timestamp": utcnow()})) is None
    assert bench.station.errors["lost"] == 1


def test_a_link_that_cannot_be_is_told(csms: ScriptedCsms, tmp_path: Path) -> None:
    missing = tmp_path / "ca.pem"
    notes: list[Note] = []
    with Station("CP1", cafile=missing, listen=notes.append).start("wss://127.0.0.1:1") as station:
        assert station.wait_until(lambda it: it.errors["link"] == 1)
    assert "ca.pem" in notes[-1].text


def test_all_messages_are_valid_in_any_state() -> None:
    """Each reason and each state has its words in every version."""
    from ocpp_sync.simulator.messages2x import _REASONS, connector_status
    from ocpp_sync.simulator.messages16 import _REASONS as REASONS_16

    for version in VERSIONS[1:]:
        text = str(describe("TransactionEvent", version=version))
        for stopped, trigger in _REASONS.values():
            assert stopped in text
            assert trigger in text
    assert set(_REASONS) == set(REASONS_16) == set(Reason)
    assert {connector_status(state) for state in State} == {"Available", "Occupied", "Reserved", "Unavailable", "Faulted"}


def test_settings_are_those_of_the_standard() -> None:
    for version in VERSIONS:
        configuration = Configuration.standard(version, {}, lambda name: None)
        assert all(setting.takes(setting.text) for setting in configuration if setting.mutability == "RW"), version


# --- Many


def test_identities() -> None:
    assert identities("CP", 1) == ["CP"]
    assert identities("CP", 3) == ["CP0001", "CP0002", "CP0003"]
    assert identities("A-{}-B", 2) == ["A-1-B", "A-2-B"]
    assert identities("A%d", 1) == ["A1"]
    with pytest.raises(ValueError, match="several places"):
        identities("{}{}", 2)


def test_latencies() -> None:
    latencies = Latencies()
    assert latencies.quantile(0.5) == 0.0
    for number in range(20_000):
        latencies.add(number / 1000)
    assert latencies.count == 20_000
    assert latencies.max == 19.999
    assert 8 < latencies.quantile(0.5) < 12


@pytest.fixture
def central() -> Iterator[OcppServer]:
    from ocpp_sync.csms import Csms

    with OcppServer() as server, Csms(server):
        yield server.listen(0, "127.0.0.1")


def run_fleet(server: OcppServer, count: int, sessions: int, version: str) -> tuple[Fleet, dict[str, Any]]:
    def make_one(identity: str, listen: Any) -> Station:
        return Station(identity, version=version, speed=600.0, seed=7, listen=listen)

    with Fleet(identities("CP", count), make_one) as fleet:
        fleet.start(server.url, stagger=0.01)
        fleet.drive(["A", "B", "C"])
        fleet.lose_links(2.0)
        assert all(station.wait_ready(60) for station in fleet.stations)
        while fleet.summary()["sessions"] < sessions:
            threading.Event().wait(0.1)
    return fleet, fleet.summary()


def test_a_fleet_for_a_moment(central: OcppServer) -> None:
    fleet, summary = run_fleet(central, 50, 10, "2.0.1")
    assert fleet.problems(summary) == []
    assert summary["stations"] == summary["accepted"] == 50
    assert summary["sessions"] >= 10
    assert summary["calls"] > 200
    assert summary["latency"]["median"] <= summary["latency"]["p95"] <= summary["latency"]["max"]


@pytest.mark.nightly
@each_version
def test_a_fleet_for_long(central: OcppServer, version: str) -> None:
    fleet, summary = run_fleet(central, 50, 300, version)
    assert fleet.problems(summary) == []
    assert summary["reconnects"] > 10


def test_a_fleet_that_cannot_be_made_leaves_nothing_behind() -> None:
    def make_one(identity: str, listen: Any) -> Station:
        if identity == "CP0003":
            raise ValueError("no more")
        return Station(identity)

    with pytest.raises(ValueError, match="no more"):
        Fleet(identities("CP", 5), make_one)


def test_what_is_a_problem() -> None:
    fleet = Fleet([], Station)
    summary = fleet.summary()
    assert fleet.problems(summary) == []
    summary |= {"stations": 2, "accepted": 1, "callErrors": {"GenericError": 2}, "timeouts": 1, "invalid": 3}
    summary |= {"refused": {"NotSupported": 4, "InternalError": 1}, "errors": {"lost": 5, "callerror": 2}}
    assert fleet.problems(summary) == [
        "2 × GenericError from the CSMS",
        "1 × InternalError to the CSMS",
        "1 × no answer",
        "3 × an invalid answer",
        "5 × a message lost",
        "1 not accepted by the CSMS",
    ]
    assert len(fleet.problems(summary, is_cut_short=True)) == 5
