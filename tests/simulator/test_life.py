"""The life of a simulated charge point: what it does by itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync import (
    CallError,
    utcnow,
)
from ocpp_sync.simulator import Car, Note, Station
from ocpp_sync.simulator.connector import State
from ocpp_sync.simulator.registers import Registers
from ocpp_sync.testing import Answer, Drop, FakeClock, ScriptedCsms

from .bench import CAR, Bench, Make, each_version, wait_for

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
