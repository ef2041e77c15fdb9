"""examples/raspberry_pi/minimal.py on gpiozero's mock pins, against a server of our own."""

from __future__ import annotations

import importlib.util
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPin

from ocpp_sync import CallError, ConnectionClosed, OcppClientConnection, OcppServer, utcnow

from .support import TIMEOUT, Future, in_thread

EXAMPLE = Path(__file__).parent.parent / "examples" / "raspberry_pi" / "minimal.py"
IDENTITY = "CP1"
NO_HEARTBEAT = 86400  # seconds
PRESSED_BY = "BUTTON-1"


class Seen(NamedTuple):
    """A request of the charge point, what the relay was like when it came, and when that was."""

    action: str
    request: dict[str, Any]
    relay: bool
    time: float


class Csms:
    """A CSMS that agrees to everything, unless a test has put another answer before that."""

    def __init__(self, server: OcppServer, relay: Callable[[], bool]) -> None:
        self.server = server
        self.seen: queue.Queue[Seen] = queue.Queue()
        self.answers: dict[str, list[Callable[[OcppClientConnection], dict[str, Any]]]] = {}
        self.interval = NO_HEARTBEAT
        self._relay = relay
        self._transaction = 7
        server.on("*", self._answer)

    @property
    def charge_point(self) -> OcppClientConnection:
        return self.server.wait_for(IDENTITY, TIMEOUT)

    def answer_next(self, action: str, answer: Callable[[OcppClientConnection], dict[str, Any]]) -> None:
        self.answers.setdefault(action, []).append(answer)

    def next(self, action: str, *, relay: bool = False, timeout: float = TIMEOUT) -> dict[str, Any]:
        """The next request, which must be of this action and have come with the relay like this."""
        seen = self.seen.get(timeout=timeout)
        assert (seen.action, seen.relay) == (action, relay), seen
        return seen.request

    def next_status(self, status: str, *, relay: bool = False) -> None:
        expected = {"connectorId": 1, "errorCode": "NoError", "status": status}
        assert self.next("StatusNotification", relay=relay) == expected

    def _answer(self, charge_point: OcppClientConnection, action: str, request: dict[str, Any]) -> dict[str, Any]:
        self.seen.put(Seen(action, request, self._relay(), time.monotonic()))
        if self.answers.get(action):
            return self.answers[action].pop(0)(charge_point)
        accepted = {"idTagInfo": {"status": "Accepted"}}
        if action == "StartTransaction":
            self._transaction += 1
            return {"transactionId": self._transaction, **accepted}
        times = {"currentTime": utcnow()}
        boot = {"status": "Accepted", "interval": self.interval, **times}
        answers: dict[str, dict[str, Any]] = {"BootNotification": boot, "Heartbeat": times, "Authorize": accepted}
        return answers.get(action, {})


class Station:
    """The pins of the charge point, and the thread that its program runs in."""

    def __init__(self, module: ModuleType, factory: MockFactory) -> None:
        self.relay: MockPin = factory.pin(module.RELAY_PIN)
        self.button: MockPin = factory.pin(module.BUTTON_PIN)
        self._main = module.main
        self._running: Future | None = None

    def start(self, url: str) -> None:
        self._running = in_thread(self._main, url, IDENTITY)

    def press(self) -> None:
        self.button.drive_low()
        self.button.drive_high()

    def wait(self) -> None:
        """Return when the program has ended for want of its link."""
        assert self._running is not None
        with pytest.raises(ConnectionClosed):
            self._running.result()

    def relay_states(self) -> list[bool]:
        return [state.state for state in self.relay.states]


@pytest.fixture
def station() -> Iterator[Station]:
    spec = importlib.util.spec_from_file_location("minimal", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    previous, Device.pin_factory = Device.pin_factory, MockFactory()
    yield Station(module, Device.pin_factory)
    Device.pin_factory.reset()
    Device.pin_factory = previous


@pytest.fixture
def csms(server: OcppServer, station: Station) -> Iterator[Csms]:
    """A CSMS that the charge point has booted at."""
    csms = Csms(server, lambda: bool(station.relay.state))
    station.start(server.url)
    csms.next("BootNotification")
    csms.next_status("Available")
    yield csms
    server.close()
    station.wait()
    assert csms.seen.empty()
    assert not station.relay.state
    assert (station.relay.function, station.button.function) == ("input", "input")


def refuse(status: str, **more: Any) -> Callable[[OcppClientConnection], dict[str, Any]]:
    return lambda charge_point: {"idTagInfo": {"status": status}, **more}


def start_charging(csms: Csms, station: Station) -> None:
    station.press()
    csms.next("Authorize")
    csms.next("StartTransaction")
    csms.next_status("Charging", relay=True)


def test_the_file_is_short() -> None:
    assert len(EXAMPLE.read_text(encoding="utf-8").splitlines()) < 80


# --- boot


def test_d4_it_boots_until_it_is_accepted_and_takes_nothing_from_the_csms_before(server: OcppServer, station: Station) -> None:
    csms = Csms(server, lambda: bool(station.relay.state))
    refused: list[str] = []

    def not_yet(status: str) -> Callable[[OcppClientConnection], dict[str, Any]]:
        def answer(charge_point: OcppClientConnection) -> dict[str, Any]:
            try:
                charge_point.call("RemoteStartTransaction", {"idTag": "REMOTE-1"}, timeout=TIMEOUT)
            except CallError as error:
                refused.append(error.code)
            return {"status": status, "currentTime": utcnow(), "interval": 1}

        return answer

    csms.answer_next("BootNotification", not_yet("Pending"))
    csms.answer_next("BootNotification", not_yet("Rejected"))
    station.start(server.url)
    boots = [csms.seen.get(timeout=TIMEOUT) for _ in range(3)]
    csms.next_status("Available")
    assert [boot.action for boot in boots] == ["BootNotification"] * 3
    assert all(later.time - earlier.time > 0.9 for earlier, later in pairwise(boots))
    assert refused == ["NotSupported", "NotSupported"]
    server.close()
    station.wait()


def test_d5_heartbeats_come_at_the_interval(server: OcppServer, station: Station) -> None:
    csms = Csms(server, lambda: bool(station.relay.state))
    csms.interval = 1
    station.start(server.url)
    csms.next("BootNotification")
    csms.next_status("Available")
    first, second = (csms.seen.get(timeout=TIMEOUT) for _ in range(2))
    assert first.action == second.action == "Heartbeat"
    assert second.time - first.time > 0.9
    server.close()
    station.wait()


# --- the button


def test_the_button_starts_and_stops(csms: Csms, station: Station) -> None:
    for transaction in (8, 9):
        station.press()
        assert csms.next("Authorize") == {"idTag": PRESSED_BY}
        started = csms.next("StartTransaction")
        assert {**started, "timestamp": ""} == {"connectorId": 1, "idTag": PRESSED_BY, "meterStart": 0, "timestamp": ""}
        csms.next_status("Charging", relay=True)
        station.press()
        stopped = csms.next("StopTransaction")
        assert {**stopped, "timestamp": ""} == {"transactionId": transaction, "meterStop": 0, "timestamp": "", "reason": "Local"}
        csms.next_status("Available")
    assert station.relay_states() == [False, True, False, True, False]


def test_who_may_not_charge_starts_nothing(csms: Csms, station: Station) -> None:
    csms.answer_next("Authorize", refuse("Blocked"))
    station.press()
    csms.next("Authorize")
    start_charging(csms, station)
    station.press()
    csms.next("StopTransaction")
    csms.next_status("Available")


def test_a_transaction_that_is_refused_gets_no_power(csms: Csms, station: Station) -> None:
    csms.answer_next("StartTransaction", refuse("ConcurrentTx", transactionId=3))
    station.press()
    csms.next("Authorize")
    csms.next("StartTransaction")
    csms.next_status("SuspendedEVSE")
    station.press()
    assert csms.next("StopTransaction")["transactionId"] == 3
    csms.next_status("Available")
    assert station.relay_states() == [False]


def test_the_button_outlives_an_error(csms: Csms, station: Station, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(charge_point: OcppClientConnection) -> dict[str, Any]:
        raise CallError("GenericError", "not today")

    csms.answer_next("Authorize", fail)
    station.press()
    csms.next("Authorize")
    assert capsys.readouterr().out == "button: GenericError: not today\n"
    start_charging(csms, station)
    csms.answer_next("StopTransaction", fail)
    for _ in range(2):  # the transaction is still there to be stopped, but its power has gone
        station.press()
        assert csms.next("StopTransaction")["transactionId"] == 8
    csms.next_status("Available")


# --- the CSMS


def test_the_csms_starts_and_stops(csms: Csms, station: Station) -> None:
    charge_point = csms.charge_point
    assert charge_point.call("RemoteStartTransaction", {"idTag": "REMOTE-1"}, timeout=TIMEOUT) == {"status": "Accepted"}
    assert csms.next("Authorize") == {"idTag": "REMOTE-1"}
    assert csms.next("StartTransaction")["idTag"] == "REMOTE-1"
    csms.next_status("Charging", relay=True)
    assert charge_point.call("RemoteStartTransaction", {"idTag": "REMOTE-2"}, timeout=TIMEOUT) == {"status": "Rejected"}
    assert charge_point.call("RemoteStopTransaction", {"transactionId": 7}, timeout=TIMEOUT) == {"status": "Rejected"}
    assert station.relay.state
    assert charge_point.call("RemoteStopTransaction", {"transactionId": 8}, timeout=TIMEOUT) == {"status": "Accepted"}
    assert csms.next("StopTransaction")["reason"] == "Remote"
    csms.next_status("Available")
    assert charge_point.call("RemoteStopTransaction", {"transactionId": 8}, timeout=TIMEOUT) == {"status": "Rejected"}


def test_what_one_has_started_the_other_can_stop(csms: Csms, station: Station) -> None:
    start_charging(csms, station)
    assert csms.charge_point.call("RemoteStopTransaction", {"transactionId": 8}, timeout=TIMEOUT) == {"status": "Accepted"}
    csms.next("StopTransaction")
    csms.next_status("Available")
    assert csms.charge_point.call("RemoteStartTransaction", {"idTag": "REMOTE-1"}, timeout=TIMEOUT) == {"status": "Accepted"}
    csms.next("Authorize")
    csms.next("StartTransaction")
    csms.next_status("Charging", relay=True)
    station.press()
    csms.next("StopTransaction")
    csms.next_status("Available")


def test_both_at_once_start_one_transaction(csms: Csms, station: Station) -> None:
    go_on = threading.Event()

    def slowly(charge_point: OcppClientConnection) -> dict[str, Any]:
        assert go_on.wait(TIMEOUT)
        return {"transactionId": 3, "idTagInfo": {"status": "Accepted"}}

    csms.answer_next("StartTransaction", slowly)
    csms.charge_point.call("RemoteStartTransaction", {"idTag": "REMOTE-1"}, timeout=TIMEOUT)
    csms.next("Authorize")
    csms.next("StartTransaction")
    press = in_thread(station.press)
    go_on.set()
    csms.next_status("Charging", relay=True)
    press.result()
    # A press that came in time has started nothing, and one that came late has stopped it.
    if station.relay.state:
        station.press()
    assert csms.next("StopTransaction")["transactionId"] == 3
    csms.next_status("Available")


# --- the end


def test_a_lost_link_opens_the_contactor_and_ends_the_program(csms: Csms, station: Station) -> None:
    start_charging(csms, station)
    csms.charge_point.close()
    station.wait()
    assert station.relay_states() == [False, True, False]


@pytest.mark.parametrize(("action", "states"), [("StartTransaction", [False]), ("StatusNotification", [False, True, False])])
def test_a_link_that_is_lost_in_the_middle_of_a_start(csms: Csms, station: Station, action: str, states: list[bool]) -> None:
    def leave(charge_point: OcppClientConnection) -> dict[str, Any]:
        charge_point.close()
        return {"transactionId": 3, "idTagInfo": {"status": "Accepted"}} if action == "StartTransaction" else {}

    csms.answer_next(action, leave)
    station.press()
    csms.next("Authorize")
    csms.next("StartTransaction")
    if action == "StatusNotification":
        csms.next_status("Charging", relay=True)
    station.wait()
    assert station.relay_states() == states


DRIVER = """
import runpy, signal, sys
from gpiozero import Device
from gpiozero.pins.mock import MockFactory
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what it runs in the background ignore it
Device.pin_factory = MockFactory()
relay = Device.pin_factory.pin(17)
runpy.run_path(sys.argv.pop(1), run_name="__main__")
print([state.state for state in relay.states])
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_systemd_end_the_transaction_first(server: OcppServer, number: signal.Signals) -> None:
    csms = Csms(server, lambda: False)
    command = [sys.executable, "-c", DRIVER, str(EXAMPLE), server.url, IDENTITY]
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLE.parents[2])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as program:
        try:
            csms.next("BootNotification", timeout=6 * TIMEOUT)  # with the start of an interpreter before it
            csms.next_status("Available")
            csms.charge_point.call("RemoteStartTransaction", {"idTag": "REMOTE-1"}, timeout=TIMEOUT)
            csms.next("Authorize")
            csms.next("StartTransaction")
            csms.next_status("Charging")
            program.send_signal(number)
            assert csms.next("StopTransaction")["reason"] == "Other"
            csms.next_status("Available")
            out, err = program.communicate(timeout=TIMEOUT)
        finally:
            program.kill()
    assert (program.returncode, out, err) == (0, "[False, True, False]\n", "")
