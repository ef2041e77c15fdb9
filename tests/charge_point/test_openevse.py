"""The charge point on an OpenEVSE board, which is played on a pseudo-terminal: power cuts, faults, silence and its own button included."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from charge_point import openevse
from charge_point import settings as settings_of
from charge_point.cards import SerialReader
from charge_point.controller import Controller
from charge_point.meter import MeterError, ModbusMeter
from charge_point.openevse import OpenEvseHardware
from charge_point.rapi import OpenEvse
from charge_point.safety import Cause
from charge_point.settings import Settings

from ocpp_sync import Backoff
from ocpp_sync.testing import Answer, FakeClock, ScriptedCsms

from ..support import TIMEOUT, in_thread, wait_until
from . import EXAMPLES
from .bench import CARD, HOUR, IDENTITY, Cards, Csms, profile
from .openevse_board import GROUND_FAULT, MAXIMUM, SLEEPING, STUCK_RELAY, Board, lost

pytest.importorskip("serial", reason="pyserial is not installed")


class Bench:
    """A charge point with the board, and the thread that its main loop runs in."""

    def __init__(self, settings: Settings, board: Board, port: Any, clock: FakeClock) -> None:
        self.settings, self.board, self.clock = settings, board, clock
        self.evse = OpenEvse(port)
        self.controller: Controller

    @contextmanager
    def run(self, url: str, outcome: str = "stop") -> Iterator[Bench]:
        self.settings.csms.url = url
        self.cards = Cards()
        hardware = OpenEvseHardware(self.settings, evse=self.evse, cards=SerialReader(self.cards))
        options = {"reconnect": Backoff(10.0, 0.0, 2), "ping_interval": None, "call_timeout": None}
        self.controller = Controller(self.settings, hardware, clock=self.clock, client_options=options)
        running = in_thread(self.controller.run)
        try:
            yield self
        finally:
            self.controller.stop()
            assert running.result(3 * TIMEOUT) == outcome

    def charge(self) -> None:
        self.board.plug()
        self.cards.hold()
        self.wait_relay(closed=True)

    def wait_relay(self, *, closed: bool) -> None:
        assert wait_until(lambda: self.board.relay == closed), self.controller.guard.reasons

    def wait_asleep(self) -> None:
        assert wait_until(lambda: self.board.state == SLEEPING)

    def look(self, times: int = 3) -> None:
        """Wait until the board was looked at, and the main loop has done what followed."""
        seen = self.board.commands.count("GS")
        assert wait_until(lambda: self.board.commands.count("GS") >= seen + times)
        self.controller.ask(lambda: None)

    def measure(self) -> None:
        """Let the meter be read once more."""
        self.clock.advance_to("meter")
        self.clock.wait_for("meter")
        self.controller.ask(lambda: None)


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openevse, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(openevse, "BEAT_SECONDS", HOUR)


@pytest.fixture
def make(board: Board, port: Any, clock: FakeClock, tmp_path: Path) -> Callable[..., Bench]:
    def make(version: str = "1.6", **changes: Any) -> Bench:
        document = {
            "board": "openevse",
            "csms": {"url": "ws://127.0.0.1:1", "identity": IDENTITY, "version": version},
            "files": {"outbox": str(tmp_path / "outbox"), "memory": str(tmp_path / "memory.json")},
            "meter": {"seconds": 5.0},
        }
        return Bench(settings_of.parse({**document, **changes}), board, port, clock)

    return make


@pytest.fixture
def booted(make: Callable[..., Bench], csms: Csms) -> Iterator[Bench]:
    """A charge point of 1.6 that the CSMS has accepted."""
    with make().run(csms.url) as bench:
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


def test_a_charge_by_2_0_1(make: Callable[..., Bench], board: Board, csms: Csms) -> None:
    with make("2.0.1").run(csms.url) as bench:
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


def test_the_board_has_a_bound_of_its_own(make: Callable[..., Bench], board: Board, csms: Csms) -> None:
    with make(supply={"amps": 32.0}).run(csms.url) as bench:
        csms.wait_state("Available")
        bench.charge()
        bench.look()
        assert board.amps == MAXIMUM
        assert board.commands.count("SC 32 V") == 1


@pytest.mark.parametrize("has_answer", [True, False])
def test_whoever_plugs_in_charges_by_plug_tag(has_answer: bool, make: Callable[..., Bench], board: Board, csms: Csms) -> None:
    bench = make(plug_tag="PLUG-1")
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


def test_who_has_plugged_in_without_a_link_is_asked_about_later(make: Callable[..., Bench], board: Board, csms: Csms) -> None:
    bench = make(plug_tag="PLUG-1")
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


def test_who_has_charged_without_a_link_does_not_again_by_itself(make: Callable[..., Bench], board: Board, csms: Csms) -> None:
    bench = make(plug_tag=CARD, configuration={"AllowOfflineTxForUnknownId": True})
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
    booted.look()
    assert board.state == fault  # asleep it would not say what is wrong
    board.fault = 0
    csms.wait_state("Finishing")
    booted.wait_asleep()
    booted.cards.hold()
    booted.wait_relay(closed=True)


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
    with board.lock:
        board.allowed = 0
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
    make: Callable[..., Bench], board: Board, csms: Csms, caplog: pytest.LogCaptureFixture
) -> None:
    board.supervision = None
    with make().run(csms.url) as bench:
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
def test_a_lost_port_ends_the_charge_and_the_program(make: Callable[..., Bench], board: Board, csms: Csms) -> None:
    with make().run(csms.url, outcome="failed") as bench:
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
    make: Callable[..., Bench], board: Board, csms: Csms, caplog: pytest.LogCaptureFixture
) -> None:
    board.milliamperes = -1
    with make().run(csms.url) as bench:
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


def test_another_meter_may_be_named_and_closing_puts_the_board_to_sleep(make: Callable[..., Bench], board: Board, port: Any) -> None:
    meter_end, meter_port = os.openpty()
    try:
        bench = make(meter={"kind": "sdm120", "port": os.ttyname(meter_port)})
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


# --- The process


@pytest.fixture
def program(board: Board, tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts the real program, where there is no gpiozero."""
    programs: list[subprocess.Popen[str]] = []

    def run(url: str) -> subprocess.Popen[str]:
        config = tmp_path / "config.toml"
        document = f'board = "openevse"\n[csms]\nurl = "{url}"\nidentity = "CP1"\n[openevse]\nport = "{board.path}"\n'
        config.write_text(document, encoding="utf-8")
        main = "import sys; sys.modules['gpiozero'] = None; from charge_point.__main__ import main; sys.exit(main(sys.argv[1]))"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(EXAMPLES), str(EXAMPLES.parents[1])])}
        command = [sys.executable, "-c", main, str(config)]
        programs.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment))
        return programs[-1]

    yield run
    for each in programs:
        with each:
            each.kill()


def test_a_signal_puts_the_board_to_sleep(board: Board, program: Callable[[str], subprocess.Popen[str]]) -> None:
    board.plug()
    with ScriptedCsms(versions="1.6") as csms:
        running = program(csms.url)
        csms.wait_for("StatusNotification", timeout=6 * TIMEOUT)
        csms.call("CP1", "RemoteStartTransaction", {"idTag": "REMOTE-1"})
        assert wait_until(lambda: board.relay)
        running.send_signal(signal.SIGTERM)
        assert csms.wait_for("StopTransaction").payload["reason"] == "Other"
        assert running.wait(TIMEOUT) == 0
        assert board.state == SLEEPING


def test_after_kill_9_what_systemd_runs_puts_the_board_to_sleep(
    board: Board, program: Callable[[str], subprocess.Popen[str]], tmp_path: Path
) -> None:
    """ExecStopPost; see README.md."""
    board.plug()
    with ScriptedCsms(versions="1.6") as csms:
        running = program(csms.url)
        csms.wait_for("StatusNotification", timeout=6 * TIMEOUT)
        csms.call("CP1", "RemoteStartTransaction", {"idTag": "REMOTE-1"})
        assert wait_until(lambda: board.relay)
        csms.wait_for("StatusNotification", 2)  # so the answer to the StartTransaction is on disk
        running.kill()
        running.communicate(timeout=TIMEOUT)
        assert board.relay
        command = [sys.executable, "-m", "charge_point.open_contactor", str(tmp_path / "config.toml")]
        subprocess.run(command, check=True, timeout=6 * TIMEOUT, env={**os.environ, "PYTHONPATH": str(EXAMPLES)})
        assert board.state == SLEEPING
        board.session_ws = 3600 * 400
        program(csms.url)
        stop = csms.wait_for("StopTransaction", timeout=6 * TIMEOUT)
        assert (stop.payload["reason"], stop.payload["meterStop"]) == ("PowerLoss", 5400)


def test_no_board_is_said_in_a_line(board: Board, program: Callable[[str], subprocess.Popen[str]]) -> None:
    board.silent = True
    running = program("ws://127.0.0.1:1")
    _, error = running.communicate(timeout=6 * TIMEOUT)
    wanted = "charge_point: no answer to $GV in 3 × 0.5 s; is the board on, and are RX and TX crossed?\n"
    assert (running.returncode, error) == (2, wanted)
