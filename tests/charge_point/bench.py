"""A charge point on mock pins, with a simulated meter and a card reader in memory, and a scripted CSMS."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from charge_point.cards import SerialReader
from charge_point.controller import Controller
from charge_point.meter import SimulatedMeter
from charge_point.pi import PiHardware
from charge_point.settings import Settings
from gpiozero.pins.mock import MockFactory

from ocpp_sync import Backoff
from ocpp_sync.testing import FakeClock, ScriptedCsms

from ..support import TIMEOUT, Future, in_thread, wait_until

IDENTITY = "CP1"
CARD = "04A1B2C3"
VERSIONS = ("1.6", "2.0.1")
HOUR = 3600.0


class Cards:
    """A card reader: readline() as a serial port has it."""

    def __init__(self) -> None:
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._is_reading = False

    def hold(self, uid: str = CARD) -> None:
        self._lines.put(f"UID: {uid}\r\n".encode())

    def say(self, line: bytes) -> None:
        self._lines.put(line)

    def wait_read(self) -> None:
        """Wait until the program has done with all that was held to it."""
        assert wait_until(lambda: not self._lines.unfinished_tasks)

    def readline(self) -> bytes:
        if self._is_reading:
            self._lines.task_done()  # who asks for the next has done with this one
        self._is_reading = True
        line = self._lines.get(timeout=6 * TIMEOUT)
        if line is None:
            raise OSError("the port is closed")
        return line

    def close(self) -> None:
        self._lines.put(None)


class Bench:
    """A charge point on a bench, and the thread that its main loop runs in.

    Attributes:
        meter_wh: The register of the meter while the program does not run; it goes on from there, as a real one does.
    """

    def __init__(self, settings: Settings, factory: MockFactory, clock: FakeClock) -> None:
        self.settings, self.clock = settings, clock
        self.pin = {name: factory.pin(getattr(settings.pins, name)) for name in ("contactor", "button", "plug", "pilot")}
        self.pin["plug"].drive_high()
        self.meter_wh = 0.0
        self.is_car_there = False
        self.controller: Controller
        self.cards: Cards
        self.running: Future
        self.outcome: Any = None

    @contextmanager
    def run(self, url: str, outcome: str = "stop") -> Iterator[Bench]:
        self.start(url)
        try:
            yield self
        finally:
            self.controller.stop()
            self.end(outcome)

    def start(self, url: str) -> None:
        """Start the program."""
        self.settings.csms.url = url
        self.cards = Cards()
        reader = None if self.settings.cards.port else SerialReader(self.cards)
        hardware = PiHardware(self.settings, cards=reader, clock=self.clock)
        # The clock runs faster than answers come, so these have all the time.
        options = {"reconnect": Backoff(10.0, 0.0, 2), "ping_interval": None, "call_timeout": None}
        self.controller = Controller(self.settings, hardware, clock=self.clock, client_options=options)
        if isinstance(hardware.meter, SimulatedMeter):
            hardware.meter.energy_wh = self.meter_wh
        if self.is_car_there:
            self.plug()  # a pin that nobody uses is not held low
        self.running = in_thread(self.controller.run)

    def end(self, outcome: str = "stop") -> None:
        """Wait for the end of the program, which has been told to end."""
        self.outcome = self.running.result(3 * TIMEOUT)
        if isinstance(self.controller.hardware.meter, SimulatedMeter):
            self.meter_wh = self.meter.energy_wh
        assert self.outcome == outcome
        assert not self.pin["contactor"].state

    def cut_power(self) -> None:
        """As kill -9 does: it ends without a goodbye, and the files stay as they are now."""

        def cut() -> None:
            raise SystemError("power cut")

        folder = Path(self.settings.files.outbox).parent
        kept = {file: file.read_bytes() for file in folder.iterdir() if file.is_file()}
        self.controller._say_goodbye = self.controller.client.close  # type: ignore[method-assign]
        self.controller.post(cut)
        with pytest.raises(SystemError, match="power cut"):
            self.running.result(3 * TIMEOUT)
        for file in folder.iterdir():
            if file.is_file() and file not in kept:
                file.unlink()
        for file, content in kept.items():
            file.write_bytes(content)
        self.running = in_thread(lambda: "stop")

    @property
    def meter(self) -> SimulatedMeter:
        meter = self.controller.hardware.meter
        assert isinstance(meter, SimulatedMeter)
        return meter

    def plug(self) -> None:
        self.is_car_there = True
        self.pin["plug"].drive_low()

    def unplug(self) -> None:
        self.is_car_there = False
        self.pin["plug"].drive_high()

    def press(self) -> None:
        self.pin["button"].drive_low()
        self.pin["button"].drive_high()

    def wait_closed(self) -> None:
        assert wait_until(lambda: self.pin["contactor"].state), self.controller.guard.reasons

    def wait_open(self) -> None:
        assert wait_until(lambda: not self.pin["contactor"].state)

    def settle(self) -> None:
        """Wait until the main loop has done what it was told."""
        self.controller.ask(lambda: None)

    def pass_time(self, seconds: float) -> None:
        """Let time pass; the meter is looked at all the while."""
        until = self.clock.monotonic() + seconds
        while self.clock.monotonic() < until:
            self.clock.advance_to("meter")
            self.clock.wait_for("meter")
            self.settle()


class Csms(ScriptedCsms):
    """Counts for a test what it has got."""

    def states(self) -> list[str]:
        names = ("status", "connectorStatus")
        found = [each.payload for each in self.received if each.action == "StatusNotification"]
        return [next(payload[name] for name in names if name in payload) for payload in found]

    def wait_state(self, state: str) -> None:
        self.wait_until(lambda csms: self.states()[-1:] == [state])

    def all(self, action: str) -> list[dict[str, Any]]:
        return [each.payload for each in self.received if each.action == action]

    def ask(self, action: str, **request: Any) -> dict[str, Any]:
        return self.call(IDENTITY, action, request, TIMEOUT)

    def events(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """Of 2.0.1: so many TransactionEvents of a kind."""

        def found() -> list[dict[str, Any]]:
            return [each for each in self.all("TransactionEvent") if each["eventType"] == kind]

        self.wait_until(lambda csms: len(found()) >= count)
        return found()


@contextmanager
def busy(controller: Controller) -> Iterator[None]:
    """Let the main loop do nothing meanwhile; what happens then it does afterwards, in its order."""
    is_busy, is_over = threading.Event(), threading.Event()

    def job() -> None:
        is_busy.set()
        is_over.wait(6 * TIMEOUT)

    controller.post(job)
    assert is_busy.wait(TIMEOUT)
    try:
        yield
    finally:
        is_over.set()
    controller.ask(lambda: None)


def charge(bench: Bench, csms: Csms, tag: str = CARD) -> None:
    bench.plug()
    bench.cards.hold(tag)
    bench.wait_closed()


def profile(limits: list[tuple[int, float]], purpose: str = "TxDefaultProfile", **more: Any) -> dict[str, Any]:
    periods = [{"startPeriod": start, "limit": limit} for start, limit in limits]
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": periods, **more.pop("schedule", {})}
    wire: dict[str, Any] = {"chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": purpose, "chargingProfileKind": "Relative"}
    return {**wire, "chargingSchedule": schedule, **more}
