"""The charge point on an OpenEVSE board, which is played on a pseudo-terminal: faults, silence and its own button included."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from charge_point import openevse
from charge_point.meter import MeterError, ModbusMeter
from charge_point.openevse import OpenEvseHardware
from charge_point.safety import Cause

from ocpp_sync.testing import Answer

from ..support import wait_until
from .bench import CARD, Csms, profile
from .openevse_bench import OpenEvseBench as Bench
from .openevse_board import GROUND_FAULT, MAXIMUM, SLEEPING, STUCK_RELAY, Board, lost

pytest.importorskip("serial", reason="pyserial is not installed")


@pytest.fixture
def booted(make_openevse: Callable[..., Bench], csms: Csms) -> Iterator[Bench]:
    """A charge point of 1.6 that the CSMS has accepted."""
    with make_openevse().run(csms.url) as bench:
        csms.wait_state("Available")
        yield bench


# --- A charge


def test_plug_card_charge_unplug(booted: Bench, board: Board, csms: Csms) -> None:
    assert board.state == SLEEPING
    board.plug()
    csms.wait_state("Preparing")
    booted.cards.hold()
    assert csms.wait_for("Authorize").payload == {"idTag": CARD}
    assert csms.wait_for("StartTransaction").payload["meterStart"] == 5000
    csms.wait_state("Charging")
    booted.wait_relay(closed=True)
    assert board.amps == 16  # as the settings say of the circuit
    for wh in range(100, 1300, 100):
        board.session_ws = wh * 3600
        booted.measure()
    sampled = csms.wait_for("MeterValues").payload
    assert sampled["transactionId"] == 1
    assert [each["value"] for each in sampled["meterValue"][0]["sampledValue"]] == ["6200", "3704", "16.0", "231.5"]
    board.unplug()
    stop = csms.wait_for("StopTransaction").payload
    assert (stop["transactionId"], stop["meterStop"], stop["reason"]) == (1, 6200, "EVDisconnected")
    csms.wait_state("Available")
    booted.wait_asleep()
    assert csms.states() == ["Available", "Preparing", "Charging", "Available"]


def test_a_charge_by_2_0_1(make_openevse: Callable[..., Bench], board: Board, csms: Csms) -> None:
    with make_openevse("2.0.1").run(csms.url) as bench:
        csms.wait_state("Available")
        board.plug()
        csms.wait_state("Occupied")
        token = {"idToken": "REMOTE-1", "type": "Central"}
        assert csms.ask("RequestStartTransaction", remoteStartId=7, idToken=token, evseId=1)["status"] == "Accepted"
        bench.wait_relay(closed=True)
        assert csms.events("Started")[0]["transactionInfo"]["remoteStartId"] == 7
        board.session_ws = 3600 * 700
        board.fault = GROUND_FAULT
        csms.wait_state("Faulted")
        ended = csms.events("Ended")[0]
        assert ended["triggerReason"] == "AbnormalCondition"
        assert ended["meterValue"][0]["sampledValue"][0]["value"] == 5700


def test_the_csms_starts_and_stops(booted: Bench, board: Board, csms: Csms) -> None:
    board.plug()
    csms.wait_state("Preparing")
    assert csms.ask("RemoteStartTransaction", idTag="REMOTE-1") == {"status": "Accepted"}
    csms.wait_state("Charging")
    booted.wait_relay(closed=True)
    assert csms.ask("RemoteStopTransaction", transactionId=1) == {"status": "Accepted"}
    assert csms.wait_for("StopTransaction").payload["reason"] == "Remote"
    assert board.state == SLEEPING
    csms.wait_state("Finishing")
    assert csms.ask("UnlockConnector", connectorId=1) == {"status": "NotSupported"}


def test_a_transaction_that_is_refused_ends(booted: Bench, board: Board, csms: Csms) -> None:
    csms.script("StartTransaction", Answer({"transactionId": 9, "idTagInfo": {"status": "ConcurrentTx"}}))
    board.plug()
    booted.cards.hold()
    stop = csms.wait_for("StopTransaction").payload
    assert (stop["transactionId"], stop["reason"]) == (9, "DeAuthorized")
    booted.wait_asleep()


@pytest.mark.parametrize(("limit", "amps"), [(10, 10), (12.9, 12), (3, 0)])
def test_a_limit_reaches_the_board(limit: float, amps: int, booted: Bench, board: Board, csms: Csms) -> None:
    booted.charge()
    csms.wait_state("Charging")
    wire = profile([(0, limit)], "TxProfile", chargingProfileKind="Relative")
    assert csms.ask("SetChargingProfile", connectorId=1, csChargingProfiles=wire) == {"status": "Accepted"}
    if amps:
        assert board.amps == amps
    else:
        csms.wait_state("SuspendedEVSE")
        assert board.state == SLEEPING
    assert csms.ask("ClearChargingProfile") == {"status": "Accepted"}
    csms.wait_state("Charging")
    assert (board.amps, board.relay) == (16, True)


def test_the_board_has_a_bound_of_its_own(make_openevse: Callable[..., Bench], board: Board, csms: Csms) -> None:
    with make_openevse(supply={"amps": 32.0}).run(csms.url) as bench:
        csms.wait_state("Available")
        bench.charge()
        bench.look()
        assert board.amps == MAXIMUM
        assert board.commands.count("SC 32 V") == 1


@pytest.mark.parametrize("has_answer", [True, False])
def test_whoever_plugs_in_charges_by_plug_tag(has_answer: bool, make_openevse: Callable[..., Bench], board: Board, csms: Csms) -> None:
    bench = make_openevse(plug_tag="PLUG-1")
    if not has_answer:
        csms.script("Authorize", Answer({"idTagInfo": {"status": "Blocked"}}))
    with bench.run(csms.url):
        csms.wait_state("Available")
        board.plug()
        assert csms.wait_for("Authorize").payload == {"idTag": "PLUG-1"}
        if has_answer:
            csms.wait_state("Charging")
        bench.look()
        assert board.relay == has_answer
        assert len(csms.all("Authorize")) == 1


def test_who_has_plugged_in_without_a_link_is_asked_about_later(make_openevse: Callable[..., Bench], board: Board, csms: Csms) -> None:
    bench = make_openevse(plug_tag="PLUG-1")
    csms.stop()
    with bench.run(csms.url):
        bench.look()
        board.plug()
        bench.look()
        assert not board.relay
        csms.start()
        bench.clock.advance_to("reconnect")
        csms.wait_for("Authorize")
        csms.wait_state("Charging")
        assert len(csms.all("StartTransaction")) == 1


def test_who_has_charged_without_a_link_does_not_again_by_itself(make_openevse: Callable[..., Bench], board: Board, csms: Csms) -> None:
    bench = make_openevse(plug_tag=CARD, configuration={"AllowOfflineTxForUnknownId": True})
    csms.stop()
    with bench.run(csms.url):
        bench.look()
        board.plug()
        bench.wait_relay(closed=True)
        bench.cards.hold()
        bench.wait_asleep()
        csms.start()
        bench.clock.advance_to("reconnect")
        csms.wait_for("StopTransaction")
        csms.wait_state("Finishing")
        bench.look()
        assert board.state == SLEEPING
        assert len(csms.all("StartTransaction")) == 1


def test_a_car_that_is_changed_between_two_looks_is_another_one(booted: Bench, board: Board, csms: Csms) -> None:
    booted.charge()
    with board.lock:  # nothing is answered meanwhile
        board.session_ws = 3600 * 50
        board.unplug()
        board.plug()
    stop = csms.wait_for("StopTransaction").payload
    assert (stop["meterStop"], stop["reason"]) == (5050, "EVDisconnected")
    csms.wait_state("Preparing")
    booted.wait_asleep()


# --- What the board does by itself


@pytest.mark.parametrize(
    ("fault", "error", "why"),
    [
        (GROUND_FAULT, "GroundFailure", "the board: the residual-current detection has tripped"),
        (STUCK_RELAY, "PowerSwitchFailure", "the board: the relay is stuck"),
        (0x0E, "OtherError", "the board: it is in state 14"),
    ],
)
def test_a_fault_ends_the_charge_and_needs_a_driver(fault: int, error: str, why: str, booted: Bench, board: Board, csms: Csms) -> None:
    booted.charge()
    csms.wait_state("Charging")
    board.fault = fault
    csms.wait_state("Faulted")
    faulted = csms.all("StatusNotification")[-1]
    assert (faulted["errorCode"], faulted["info"]) == (error, why[:50])
    assert csms.wait_for("StopTransaction").payload["reason"] == "Other"
    assert csms.ask("RemoteStartTransaction", idTag="REMOTE-1") == {"status": "Rejected"}
    booted.wait_asleep()  # it would try again by itself
    board.fault = 0
    booted.look()
    assert csms.states()[-1] == "Faulted", "for this car"
    board.unplug()
    csms.wait_state("Available")
    board.plug()
    csms.wait_state("Preparing")
    booted.cards.hold()
    booted.wait_relay(closed=True)


def test_a_fault_without_a_car_lasts_while_the_board_says_so(booted: Bench, board: Board, csms: Csms) -> None:
    board.fault = 8
    board.reboot()  # asleep it has said nothing
    csms.wait_state("Faulted")
    booted.look()
    assert board.state == 8, "asleep it would not say what is wrong"
    board.plug()
    booted.wait_asleep()
    board.unplug()
    csms.wait_state("Available")


def test_a_board_that_starts_anew_is_put_to_sleep(booted: Bench, board: Board) -> None:
    board.plug()
    board.reboot()
    booted.wait_asleep()


def test_a_board_that_starts_anew_in_a_charge_is_told_its_limit(booted: Bench, board: Board, csms: Csms) -> None:
    booted.charge()
    board.session_ws = 3600 * 2000
    booted.measure()
    board.reboot()
    assert wait_until(lambda: board.amps == 16)
    assert board.relay
    for wh in (0, 10):
        board.session_ws = 3600 * wh
        booted.measure()
    board.unplug()
    assert csms.wait_for("StopTransaction").payload["meterStop"] == 7010  # what it has forgotten is not lost


def test_the_boards_button_wakes_nobody(booted: Bench, board: Board) -> None:
    board.plug()
    for allowed in (1, -1):
        with board.lock:
            board.allowed = allowed
        booted.wait_asleep()


def test_the_boards_button_ends_a_charge(booted: Bench, board: Board, csms: Csms) -> None:
    booted.charge()
    csms.wait_state("Charging")
    board.press()
    assert csms.wait_for("StopTransaction").payload["reason"] == "Local"
    csms.wait_state("Finishing")
    booted.look()
    assert board.state == SLEEPING


# --- A board that does not answer, and a computer that does not


def test_heartbeats(booted: Bench, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    assert board.supervision == ("30", "6")
    booted.charge()
    with board.lock:
        board.amps = 6  # it has missed some
    assert wait_until(lambda: board.amps == 16)
    assert board.commands.count("SY 30 6") == 1
    monkeypatch.setattr(openevse, "BEAT_SECONDS", 0.0)
    booted.controller.hardware._beat_at = 0.0  # type: ignore[attr-defined]
    assert wait_until(lambda: board.commands.count("SY 30 6") > 3)


def test_a_board_without_supervision_is_warned_of(
    make_openevse: Callable[..., Bench], board: Board, csms: Csms, caplog: pytest.LogCaptureFixture
) -> None:
    board.supervision = None
    with make_openevse().run(csms.url) as bench:
        bench.look()
    assert board.commands.count("SY 30 6") == 1
    assert [each.levelname for each in caplog.records if "no heartbeat supervision" in each.message] == ["WARNING"]


def test_a_lost_answer_is_nothing(booted: Bench, board: Board, csms: Csms) -> None:
    booted.evse._timeout = 0.05
    with board.lock:
        board.spoils.extend([lost] * 4)
    booted.charge()
    csms.wait_state("Charging")
    assert wait_until(lambda: not board.spoils)
    booted.look()
    assert board.relay
    assert not booted.controller.guard.reasons


def test_who_stops_while_the_board_is_silent_is_not_forgotten(booted: Bench, board: Board, csms: Csms) -> None:
    booted.evse._timeout = 0.05
    booted.charge()
    csms.wait_state("Charging")
    board.session_ws = 3600 * 30
    booted.measure()
    board.silent = True
    assert csms.ask("RemoteStopTransaction", transactionId=1) == {"status": "Accepted"}
    stop = csms.wait_for("StopTransaction").payload
    assert (stop["meterStop"], stop["reason"]) == (5030, "Remote")
    assert board.relay  # how should it know?
    board.silent = False
    booted.wait_asleep()


def test_a_board_that_stays_silent_is_a_fault_until_it_answers(
    booted: Bench, board: Board, csms: Csms, monkeypatch: pytest.MonkeyPatch
) -> None:
    booted.evse._timeout = 0.05
    booted.charge()
    csms.wait_state("Charging")
    monkeypatch.setattr(openevse, "SILENT_SECONDS", 0.0)
    board.silent = True
    csms.wait_state("Faulted")
    assert csms.all("StatusNotification")[-1]["errorCode"] == "InternalError"
    assert "no answer to $" in booted.controller.guard.reasons[Cause.BOARD]
    csms.wait_for("StopTransaction")
    board.silent = False
    csms.wait_state("Finishing")
    booted.wait_asleep()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_lost_port_ends_the_charge_and_the_program(make_openevse: Callable[..., Bench], board: Board, csms: Csms) -> None:
    with make_openevse().run(csms.url, outcome="failed") as bench:
        csms.wait_state("Available")
        bench.charge()
        csms.wait_state("Charging")
        board.session_ws = 3600 * 10
        bench.measure()
        board.close()
        stop = csms.wait_for("StopTransaction").payload
        assert (stop["transactionId"], stop["meterStop"]) == (1, 5010)
    assert "the thread 'board' failed: PortLost" in bench.controller.guard.reasons[Cause.THREAD_FAILED]


# --- The meter


def test_a_board_without_an_ammeter_measures_nothing(
    make_openevse: Callable[..., Bench], board: Board, csms: Csms, caplog: pytest.LogCaptureFixture
) -> None:
    board.milliamperes = -1
    with make_openevse().run(csms.url) as bench:
        csms.wait_state("Available")
        bench.charge()
        for _ in range(100):
            bench.measure()
        assert bench.controller.hardware.meter.read() == (5000, 0.0, 231.5, 0.0)
        assert board.relay
        assert not bench.controller.guard.reasons
    assert "the board has no ammeter" in caplog.text


def test_the_boards_over_current_is_seen(booted: Bench, board: Board, csms: Csms) -> None:
    booted.charge()
    board.milliamperes = 19000
    booted.clock.advance_to("meter")
    csms.wait_for("StopTransaction")
    booted.wait_asleep()


def test_a_meter_that_does_not_answer(booted: Bench, board: Board) -> None:
    booted.evse._timeout = 0.05
    board.silent = True
    with pytest.raises(MeterError, match=r"no answer to \$G"):
        booted.controller.hardware.meter.read()
    board.silent = False


def test_another_meter_may_be_named_and_closing_puts_the_board_to_sleep(
    make_openevse: Callable[..., Bench], board: Board, port: Any
) -> None:
    meter_end, meter_port = os.openpty()
    try:
        bench = make_openevse(meter={"kind": "sdm120", "port": os.ttyname(meter_port)})
        hardware = OpenEvseHardware(bench.settings, evse=bench.evse)
        assert isinstance(hardware.meter, ModbusMeter)
        assert board.state != SLEEPING
        hardware.close()
        assert board.state == SLEEPING
        hardware.close()
    finally:
        os.close(meter_end)
        os.close(meter_port)
    assert not port.is_open
