"""examples/raspberry_pi/minimal.py on gpiozero's mock pins, against a scripted CSMS, on a clock that stands still."""

from __future__ import annotations

import importlib.util
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPin

from ocpp_sync import Backoff, CallError, CallTimeout, Delivery, NotAccepted, NotConnected, OcppClient, OutboxError
from ocpp_sync.testing import Answer, Cut, CutAfter, Drop, FakeClock, Late, ScriptedCsms

from .support import TIMEOUT, in_thread

EXAMPLE = Path(__file__).parent.parent / "examples" / "raspberry_pi" / "minimal.py"
IDENTITY = "CP1"
PRESSED_BY = "BUTTON-1"
BACKOFF = Backoff(10.0, 0.0, 2)


class Csms(ScriptedCsms):
    """Its messages are taken one after the other, so that none is overlooked."""

    _taken = 0

    def next(self, action: str, timeout: float = TIMEOUT) -> dict[str, Any]:
        """The next request, which must be of this action."""
        self._taken += 1
        message = self.wait_for("*", self._taken, timeout)
        assert message.action == action, message
        return message.payload

    def next_status(self, status: str) -> None:
        request = self.next("StatusNotification")
        assert {**request, "timestamp": ""} == {"connectorId": 1, "errorCode": "NoError", "status": status, "timestamp": ""}

    def next_start(self, tag: str = PRESSED_BY, status: str = "Charging") -> None:
        request = self.next("StartTransaction")
        assert {**request, "timestamp": ""} == {"connectorId": 1, "idTag": tag, "meterStart": 0, "timestamp": ""}
        self.next_status(status)

    def next_stop(self, transaction: int, reason: str) -> None:
        request = self.next("StopTransaction")
        assert {**request, "timestamp": ""} == {"transactionId": transaction, "meterStop": 0, "timestamp": "", "reason": reason}
        self.next_status("Available")

    def peek(self) -> str:
        """The action of the next request."""
        return self.wait_for("*", self._taken + 1, TIMEOUT).action

    def all_taken(self) -> bool:
        return len(self.received) == self._taken

    def ask(self, action: str, **request: Any) -> str:
        """What the charge point says to a request."""
        status: str = self.call(IDENTITY, action, request, TIMEOUT)["status"]
        return status


class Pin(MockPin):  # type: ignore[misc]
    """A pin whose changes can be waited for."""

    changed = threading.Condition()

    def _change_state(self, value: bool) -> bool:
        with self.changed:
            has_changed = bool(super()._change_state(value))
            self.changed.notify_all()
        return has_changed

    def wait_for(self, *states: bool) -> None:
        """Wait until it has had just these states."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.has_had(*states), TIMEOUT), self.states

    def has_had(self, *states: bool) -> bool:
        return [each.state for each in self.states] == list(states)


class Lock:
    """A lock that tells when somebody waits for it."""

    def __init__(self) -> None:
        self.is_awaited = threading.Event()
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self.is_awaited.set()
            self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()


class Station:
    """The pins of the charge point, and the thread that its program runs in."""

    def __init__(self, module: ModuleType, factory: MockFactory, clock: FakeClock, outbox: Path) -> None:
        self.relay: Pin = factory.pin(module.RELAY_PIN)
        self.button: Pin = factory.pin(module.BUTTON_PIN)
        self.client: OcppClient
        self.put: list[Delivery] = []
        self.lock = Lock()
        self.errors: queue.Queue[Exception] = queue.Queue()  # of presses
        self._presses: list[threading.Thread] = []
        self._main, self._outbox = module.main, outbox
        self._interrupted = threading.Event()
        station = self

        class Client(OcppClient):
            """On the test's clock, and in a thread that no signal reaches."""

            def __init__(self, identity: str, **options: Any) -> None:
                super().__init__(identity, reconnect=BACKOFF, ping_interval=None, clock=clock, **options)
                station.client, put = self, self.outbox.put

                def noted(*arguments: Any) -> Delivery:
                    station.put.append(put(*arguments))
                    return station.put[-1]

                self.outbox.put = noted  # type: ignore[method-assign, assignment]

            def run_forever(self) -> None:
                assert station._interrupted.wait(6 * TIMEOUT)
                raise KeyboardInterrupt

        class Press(threading.Thread):
            def run(self) -> None:
                station._presses.append(self)
                try:
                    super().run()
                except Exception as error:
                    station.errors.put(error)

        module.OcppClient, module.Thread, module.RLock = Client, Press, lambda: self.lock  # type: ignore[attr-defined]

    @contextmanager
    def run(self, url: str) -> Iterator[None]:
        """The program, from its start until Ctrl-C."""
        self._interrupted.clear()
        running = in_thread(self._main, url, IDENTITY, str(self._outbox))
        try:
            yield
        finally:
            self._interrupted.set()
            running.result()
        assert not self.relay.state
        assert (self.relay.function, self.button.function) == ("input", "input")
        assert self.errors.empty()

    def interrupt(self) -> None:
        self._interrupted.set()

    def press(self) -> None:
        self.button.drive_low()
        self.button.drive_high()

    def join_presses(self) -> None:
        for press in self._presses:
            press.join(TIMEOUT)
            assert not press.is_alive()

    def wait_delivered(self) -> None:
        for delivery in self.put:
            done = threading.Event()
            delivery.add_done_callback(lambda delivery, done=done: done.set())  # type: ignore[misc]
            assert done.wait(TIMEOUT), delivery

    def error(self) -> Exception:
        """What a press has failed with."""
        return self.errors.get(timeout=TIMEOUT)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def csms(clock: FakeClock) -> Iterator[Csms]:
    with Csms(clock=clock) as csms:
        yield csms


@pytest.fixture
def station(clock: FakeClock, tmp_path: Path) -> Iterator[Station]:
    spec = importlib.util.spec_from_file_location("minimal", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    previous, Device.pin_factory = Device.pin_factory, MockFactory(pin_class=Pin)
    yield Station(module, Device.pin_factory, clock, tmp_path / "outbox")
    Device.pin_factory.reset()
    Device.pin_factory = previous


@pytest.fixture
def booted(station: Station, csms: Csms) -> Iterator[Station]:
    """A charge point that the CSMS has accepted, and that says goodbye to it when the test is over."""
    with station.run(csms.url):
        csms.next("BootNotification")
        csms.next_status("Available")
        yield station
    csms.next_status("Available")
    assert csms.all_taken()


def id_tag(status: str, **more: Any) -> Answer:
    """What the CSMS thinks of an idTag."""
    return Answer({"idTagInfo": {"status": status}, **more})


def charge(csms: Csms, station: Station) -> None:
    before = [each.state for each in station.relay.states]
    station.press()
    assert csms.next("Authorize") == {"idTag": PRESSED_BY}
    csms.next_start()
    station.relay.wait_for(*before, True)


def go_offline(csms: Csms, station: Station, clock: FakeClock) -> None:
    station.wait_delivered()
    csms.stop()
    clock.wait_for("reconnect")


def come_back(csms: Csms, station: Station, clock: FakeClock) -> None:
    csms.start()
    clock.advance_to("reconnect")
    assert in_thread(station.client.wait_connected).result()


def test_the_file_is_short() -> None:
    assert len(EXAMPLE.read_text(encoding="utf-8").splitlines()) <= 80


# --- boot


def test_d2_d4_it_boots_until_it_is_accepted_and_nobody_can_start_before(csms: Csms, station: Station, clock: FakeClock) -> None:
    csms.script(
        "BootNotification", *(Answer({"status": s, "currentTime": "2025-01-01T00:00:00Z", "interval": 7}) for s in ("Pending", "Rejected"))
    )
    with station.run(csms.url):
        for _ in range(2):
            csms.next("BootNotification")
            clock.wait_for("boot")
            station.press()
            assert isinstance(station.error(), NotAccepted)
            assert clock.advance_to("boot") == 7.0
        csms.next("BootNotification")
        csms.next_status("Available")
        charge(csms, station)
    csms.next_stop(1, "Other")


def test_the_csms_is_not_there_at_the_start(csms: Csms, station: Station, clock: FakeClock) -> None:
    csms.stop()
    with station.run(csms.url):
        clock.wait_for("reconnect")
        station.press()
        assert isinstance(station.error(), NotAccepted)
        assert clock.advance_to("reconnect") == 10.0
        clock.wait_for("reconnect")
        come_back(csms, station, clock)
        csms.next("BootNotification")
        csms.next_status("Available")
        charge(csms, station)
    csms.next_stop(1, "Other")


def test_d6_heartbeats_come_at_the_interval(csms: Csms, booted: Station, clock: FakeClock) -> None:
    booted.wait_delivered()
    for _ in range(2):
        assert clock.advance_to("heartbeat") == csms.interval
        csms.next("Heartbeat")


# --- the button


def test_the_button_starts_and_stops(csms: Csms, booted: Station) -> None:
    for transaction in (1, 2):
        charge(csms, booted)
        booted.press()
        csms.next_stop(transaction, "Local")
    booted.relay.wait_for(False, True, False, True, False)


def test_who_may_not_charge_starts_nothing(csms: Csms, booted: Station) -> None:
    csms.script("Authorize", id_tag("Blocked"))
    booted.press()
    csms.next("Authorize")
    booted.join_presses()
    booted.relay.wait_for(False)
    charge(csms, booted)
    booted.press()
    csms.next_stop(1, "Local")


def test_who_cannot_be_asked_about_starts_nothing(csms: Csms, booted: Station, clock: FakeClock) -> None:
    csms.script("Authorize", Drop())
    booted.press()
    csms.next("Authorize")
    assert clock.advance_to("answer") == 10.0
    assert isinstance(booted.error(), CallTimeout)
    go_offline(csms, booted, clock)
    booted.press()
    assert isinstance(booted.error(), NotConnected)
    booted.relay.wait_for(False)
    come_back(csms, booted, clock)


def test_a_transaction_that_is_refused_opens_the_contactor(csms: Csms, booted: Station) -> None:
    csms.script("StartTransaction", Late(step=id_tag("ConcurrentTx", transactionId=3)))
    booted.press()
    csms.next("Authorize")
    csms.next("StartTransaction")
    booted.relay.wait_for(False, True)
    csms.release()
    csms.next_status("Charging")
    csms.next_stop(3, "DeAuthorized")
    booted.relay.wait_for(False, True, False)


def test_the_refusal_of_an_older_transaction_stops_no_newer_one(csms: Csms, booted: Station) -> None:
    busy, go_on = threading.Event(), threading.Event()

    @booted.client.on("ClearCache")
    def clear(request: dict[str, Any]) -> dict[str, Any]:
        busy.set()
        return {"status": "Accepted" if go_on.wait(TIMEOUT) else "Rejected"}

    asking = in_thread(csms.ask, "ClearCache")
    assert busy.wait(TIMEOUT)  # callbacks wait for handlers
    csms.script("StartTransaction", id_tag("Invalid", transactionId=3))
    charge(csms, booted)
    booted.press()
    csms.next_stop(3, "Local")
    charge(csms, booted)
    go_on.set()
    assert (asking.result(), csms.ask("ClearCache")) == ("Accepted", "Accepted")
    csms.next_status("Charging")
    assert booted.relay.state
    booted.press()
    csms.next_stop(1, "Local")


def test_d9_a_transaction_that_is_given_up_opens_the_contactor(csms: Csms, booted: Station, clock: FakeClock) -> None:
    csms.script("StartTransaction", *[CallError("InternalError")] * 3)
    booted.press()
    csms.next("Authorize")
    for seconds in (60, 120):
        csms.next("StartTransaction")
        booted.relay.wait_for(False, True)
        clock.wait_for("outbox")
        clock.advance(seconds)
    csms.next_start()
    csms.next_stop(-1, "DeAuthorized")
    booted.relay.wait_for(False, True, False)


def test_the_button_outlives_an_error(csms: Csms, booted: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    csms.script("Authorize", CallError("GenericError", "not today"))
    booted.press()
    csms.next("Authorize")
    assert str(booted.error()) == "GenericError: not today"
    charge(csms, booted)

    def fail(action: str, payload: dict[str, Any]) -> None:
        raise OutboxError("outbox", "the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(booted.client.outbox, "put", fail)
        booted.press()
        assert isinstance(booted.error(), OutboxError)
        booted.relay.wait_for(False, True, False)  # the transaction is still there to be stopped, but its power has gone
    booted.press()
    csms.next_stop(1, "Local")


# --- the CSMS


def test_the_csms_starts_and_stops(csms: Csms, booted: Station) -> None:
    assert csms.ask("RemoteStopTransaction", transactionId=1) == "Rejected"
    assert csms.ask("RemoteStartTransaction", idTag="REMOTE-1") == "Accepted"
    assert csms.next("Authorize") == {"idTag": "REMOTE-1"}
    csms.next_start("REMOTE-1")
    booted.relay.wait_for(False, True)
    assert csms.ask("RemoteStartTransaction", idTag="REMOTE-2") == "Rejected"
    assert csms.ask("RemoteStopTransaction", transactionId=7) == "Rejected"
    assert booted.relay.state
    assert csms.ask("RemoteStopTransaction", transactionId=1) == "Accepted"
    csms.next_stop(1, "Remote")
    booted.relay.wait_for(False, True, False)
    assert csms.ask("RemoteStopTransaction", transactionId=1) == "Rejected"


def test_what_one_has_started_the_other_can_stop(csms: Csms, booted: Station) -> None:
    charge(csms, booted)
    assert csms.ask("RemoteStopTransaction", transactionId=1) == "Accepted"
    csms.next_stop(1, "Remote")
    assert csms.ask("RemoteStartTransaction", idTag="REMOTE-1") == "Accepted"
    csms.next("Authorize")
    csms.next_start("REMOTE-1")
    booted.relay.wait_for(False, True, False, True)
    booted.press()
    csms.next_stop(2, "Local")


def test_what_was_rejected_does_not_start_later(csms: Csms, booted: Station) -> None:
    charge(csms, booted)
    answering, go_on = threading.Event(), threading.Event()

    def hold(direction: str, text: str) -> None:
        if direction == "out" and "Rejected" in text:
            answering.set()
            assert go_on.wait(TIMEOUT)

    booted.client.on("frame", hold)
    asking = in_thread(csms.ask, "RemoteStartTransaction", idTag="REMOTE-1")
    assert answering.wait(TIMEOUT)
    booted.press()
    csms.next_stop(1, "Local")
    go_on.set()
    assert asking.result() == "Rejected"


def test_both_at_once_start_one_transaction(csms: Csms, booted: Station) -> None:
    csms.script("Authorize", Late())
    assert csms.ask("RemoteStartTransaction", idTag="REMOTE-1") == "Accepted"
    csms.next("Authorize")
    booted.press()
    assert booted.lock.is_awaited.wait(TIMEOUT)
    csms.release()
    csms.next_start("REMOTE-1")
    booted.join_presses()
    assert booted.relay.has_had(False, True)
    booted.press()
    csms.next_stop(1, "Local")


# --- the link


def test_a_lost_link_ends_no_charge_and_the_button_can(csms: Csms, booted: Station, clock: FakeClock) -> None:
    charge(csms, booted)
    go_offline(csms, booted, clock)
    assert booted.relay.has_had(False, True)
    booted.press()
    booted.relay.wait_for(False, True, False)
    come_back(csms, booted, clock)
    csms.next_stop(1, "Local")
    charge(csms, booted)
    go_offline(csms, booted, clock)
    come_back(csms, booted, clock)
    assert booted.relay.has_had(False, True, False, True)
    assert csms.ask("RemoteStopTransaction", transactionId=2) == "Accepted"
    csms.next_stop(2, "Remote")


@pytest.mark.parametrize(("step", "transaction"), [(Cut(), 1), (CutAfter(), 2)])
def test_d10_a_link_that_is_lost_in_the_middle_of_a_start(
    step: Cut | CutAfter, transaction: int, csms: Csms, booted: Station, clock: FakeClock
) -> None:
    csms.script("StartTransaction", step)
    booted.press()
    csms.next("Authorize")
    csms.next("StartTransaction")
    csms.stop()
    clock.wait_for("reconnect")
    booted.relay.wait_for(False, True)
    booted.press()
    booted.relay.wait_for(False, True, False)
    come_back(csms, booted, clock)
    if csms.peek() == "StartTransaction":  # its answer has not come through
        csms.next_start()
    else:
        transaction = 1
        csms.next_status("Charging")
    csms.next_stop(transaction, "Local")


# --- the end


def test_what_ends_without_a_link_is_told_at_the_next_start(csms: Csms, station: Station, clock: FakeClock) -> None:
    with station.run(csms.url):
        csms.next("BootNotification")
        csms.next_status("Available")
        charge(csms, station)
        go_offline(csms, station, clock)
    station.relay.wait_for(False, True, False)
    csms.start()
    with station.run(csms.url):
        csms.next("BootNotification")
        csms.next_stop(1, "Other")
        csms.next_status("Available")
    csms.next_status("Available")


def test_nothing_starts_when_it_ends(csms: Csms, station: Station) -> None:
    csms.script("Authorize", Late())
    with station.run(csms.url):
        csms.next("BootNotification")
        csms.next_status("Available")
        station.press()
        csms.next("Authorize")
        station.interrupt()
        assert station.lock.is_awaited.wait(TIMEOUT)
        csms.release()
    csms.next_status("Available")
    assert csms.all_taken()
    assert station.relay.has_had(False)


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


@pytest.fixture
def program(tmp_path: Path, start_process: Callable[..., subprocess.Popen[str]]) -> Callable[[str], subprocess.Popen[str]]:
    """Starts the real program, with the outbox of the one before."""

    def run(url: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", DRIVER, str(EXAMPLE), url, IDENTITY, str(tmp_path / "outbox")]
        return start_process(command, PYTHONPATH=str(EXAMPLE.parents[2]))

    return run


@pytest.fixture
def real_csms() -> Iterator[Csms]:
    """Its clock is the machine's."""
    with Csms() as csms:
        yield csms


RunProgram = Callable[[str], "subprocess.Popen[str]"]
START = 6 * TIMEOUT  # of an interpreter


def start_remotely(csms: Csms) -> None:
    csms.next("BootNotification", START)
    csms.next_status("Available")
    csms.ask("RemoteStartTransaction", idTag="REMOTE-1")
    csms.next("Authorize")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_systemd_end_the_transaction_first(real_csms: Csms, program: RunProgram, number: signal.Signals) -> None:
    running = program(real_csms.url)
    start_remotely(real_csms)
    real_csms.next_start("REMOTE-1")
    assert real_csms.ask("RemoteStartTransaction", idTag="REMOTE-1") == "Rejected"
    running.send_signal(number)
    real_csms.next_stop(1, "Other")
    out, err = running.communicate(timeout=TIMEOUT)
    assert (running.returncode, out, err) == (0, "[False, True, False]\n", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_systemd_end_it_without_a_csms_too(real_csms: Csms, program: RunProgram, number: signal.Signals) -> None:
    real_csms.stop()
    running = program(real_csms.url)
    assert running.stderr is not None
    assert "cannot connect" in running.stderr.readline()
    running.send_signal(number)
    out, _ = running.communicate(timeout=TIMEOUT)
    assert (running.returncode, out) == (0, "[False]\n")


@pytest.mark.parametrize("is_answered", [True, False])
def test_d10_d13_after_a_power_cut_the_transaction_is_ended(real_csms: Csms, program: RunProgram, is_answered: bool) -> None:
    if not is_answered:
        real_csms.script("StartTransaction", Drop())
    running = program(real_csms.url)
    start_remotely(real_csms)
    real_csms.next("StartTransaction")
    if is_answered:
        real_csms.next_status("Charging")
    running.kill()
    running.wait(TIMEOUT)
    program(real_csms.url)
    real_csms.next("BootNotification", START)
    if not is_answered:
        real_csms.next("StartTransaction")
    if not is_answered or real_csms.peek() == "StatusNotification":  # killed before its answer was on disk
        real_csms.next_status("Charging")
    real_csms.next_stop(1, "PowerLoss")
