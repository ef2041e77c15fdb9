"""The one place that decides whether the contactor may be closed.

Everybody else only asks: ``guard.close()``. The guard opens the contactor when a cause holds, and tells the controller afterwards. A cause
begins and ends by ``begin`` and ``end``, or when a sign of life does not come that was expected (``expect``, ``alive``). The policy of a
cause says what follows: ``stop`` opens at once, ``keep until limit`` after so many seconds in which the cause did not end. Whoever was
stopped stays stopped until the next ``arm()``: power does not come back by itself.

What software cannot do: ``kill -9``, a kernel that hangs, or a Pi without power open nothing. So a resistor of 10 kΩ pulls the pin low when
nobody drives it, systemd sets it low when the process is gone (``ExecStopPost``), and the hardware watchdog starts a Pi anew that hangs.
See README.md.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from enum import Enum
from types import TracebackType
from typing import NamedTuple, Protocol

from ocpp_sync.clock import SYSTEM_CLOCK, Clock

log = logging.getLogger("charge_point")


class Cause(Enum):
    """Why the contactor may not be closed; the value is the name in config.toml."""

    LINK_LOST = "link-lost"
    CSMS_SILENT = "csms-silent"
    METER_UNREADABLE = "meter-unreadable"
    METER_STUCK = "meter-stuck"
    OVER_CURRENT = "over-current"
    OVER_TEMPERATURE = "over-temperature"
    BOARD = "board"
    WATCHDOG = "watchdog"
    THREAD_FAILED = "thread-failed"
    STOPPING = "stopping"


ALWAYS_STOP = frozenset({Cause.OVER_CURRENT, Cause.OVER_TEMPERATURE, Cause.BOARD, Cause.WATCHDOG, Cause.THREAD_FAILED, Cause.STOPPING})
NEVER_ENDS = frozenset({Cause.METER_STUCK, Cause.THREAD_FAILED, Cause.STOPPING})  # until the program starts again
IS_FAULT = frozenset(Cause) - {Cause.LINK_LOST, Cause.CSMS_SILENT, Cause.STOPPING}  # what the CSMS is told of as Faulted


class Policy(NamedTuple):
    """What follows from a cause.

    Attributes:
        keep_seconds: How long a charge goes on while the cause holds; 0 is ``stop``.
    """

    keep_seconds: float = 0.0


STOP = Policy()
DEFAULT_POLICIES = dict.fromkeys(Cause, STOP) | {
    Cause.LINK_LOST: Policy(4 * 3600.0),
    Cause.CSMS_SILENT: Policy(4 * 3600.0),
    Cause.METER_UNREADABLE: Policy(60.0),
}


class Switch(Protocol):
    """The contactor: an ``OutputDevice`` of gpiozero is one."""

    def on(self) -> None:
        """Close it."""

    def off(self) -> None:
        """Open it."""


class _Sign(NamedTuple):
    within: float
    heard: float


class Guard:
    """Holds the contactor; its methods may be called from any thread.

    Args:
        contactor: What it switches. Nobody else may.
        policies: Of each cause; what is left out has its default.
        clock: Another clock than the machine's, for tests.
        told: Called, in the thread that watches, whenever a cause begins or ends to forbid closing; it must not wait.
        healthy: Called about every second while all threads show signs of life, to feed a watchdog outside.

    Attributes:
        tripped: What has stopped the charge that was armed last, though it may have ended since.
    """

    def __init__(
        self,
        contactor: Switch,
        policies: Mapping[Cause, Policy] | None = None,
        *,
        clock: Clock = SYSTEM_CLOCK,
        told: Callable[[], object] = lambda: None,
        healthy: Callable[[], object] | None = None,
    ) -> None:
        self.told = told
        self.tripped: frozenset[Cause] = frozenset()
        self._contactor = contactor
        self._policies = {**DEFAULT_POLICIES, **(policies or {})}
        for cause in ALWAYS_STOP:
            if self._policies[cause] != STOP:
                raise ValueError(f"{cause.value} always stops; it has no other policy")
        self._clock = clock
        self._healthy = healthy
        self._feed_at = clock.monotonic()
        self._changed = threading.Condition(threading.RLock())
        self._began: dict[Cause, tuple[float, str]] = {}
        self._signs: dict[tuple[Cause, str], _Sign] = {}
        self._forbidding: set[Cause] = set()
        self._is_armed = self._is_closed = self._ended = self._untold = False
        self._thread = threading.Thread(target=self._run, name="charge-point safety", daemon=True)
        contactor.off()

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    # --- What the controller asks for

    def arm(self) -> bool:
        """A new charge is about to begin; false if a cause forbids it."""
        with self._changed:
            self._look()
            self._is_armed = not self._forbidding and not self._ended
            self.tripped = frozenset()
            return self._is_armed

    def close(self) -> bool:
        """Close the contactor, if it may be; false if not."""
        with self._changed:
            self._look()
            if not self._is_armed:
                return False
            self._contactor.on()
            self._is_closed = True
            return True

    def open(self) -> None:
        """Open the contactor; :meth:`close` may close it again, as after a pause."""
        with self._changed:
            self._contactor.off()
            self._is_closed = False

    def disarm(self) -> None:
        """Open the contactor, until the next :meth:`arm`."""
        with self._changed:
            self._is_armed = False
            self.open()

    @property
    def is_closed(self) -> bool:
        """Whether the contactor is closed."""
        return self._is_closed

    @property
    def is_armed(self) -> bool:
        """Whether a charge that was begun may go on."""
        return self._is_armed

    @property
    def reasons(self) -> dict[Cause, str]:
        """What forbids closing now, and why in words."""
        with self._changed:
            return {cause: self._began[cause][1] for cause in Cause if cause in self._forbidding}

    # --- What threads report

    def begin(self, cause: Cause, why: str) -> None:
        """Something is wrong; if it was already, nothing changes."""
        with self._changed:
            if cause not in self._began:
                self._began[cause] = (self._clock.monotonic(), why)
                log.warning("%s: %s", cause.value, why)
            self._look()
            self._changed.notify_all()

    def end(self, cause: Cause) -> None:
        """It is well again; there is no way back from some causes."""
        with self._changed:
            if cause in NEVER_ENDS or self._began.pop(cause, None) is None:
                return
            log.info("%s has ended", cause.value)
            self._look()
            self._changed.notify_all()

    def expect(self, cause: Cause, who: str, within: float) -> None:
        """From now on a sign of life is expected all so many seconds; without one, the cause begins."""
        with self._changed:
            self._signs[cause, who] = _Sign(within, self._clock.monotonic())
            self._changed.notify_all()

    def alive(self, cause: Cause, who: str) -> None:
        """A sign of life; the cause ends with it, if nobody else is missing."""
        with self._changed:
            sign = self._signs.get((cause, who))
            if sign is None:
                return
            now = self._clock.monotonic()
            self._signs[cause, who] = sign._replace(heard=now)
            missing = any(each is cause and now - sign.heard >= sign.within for (each, _), sign in self._signs.items())
        if not missing:
            self.end(cause)

    def forget(self, cause: Cause, who: str) -> None:
        """No sign of life is expected any more."""
        with self._changed:
            self._signs.pop((cause, who), None)
        self.end(cause)

    def thread(self, function: Callable[[], object], name: str) -> threading.Thread:
        """Start a thread; if its function raises, the contactor opens."""

        def run() -> None:
            try:
                function()
            except BaseException as error:
                self.failed(name, error)
                log.critical("the thread %r failed", name, exc_info=True)

        thread = threading.Thread(target=run, name=f"charge-point {name}", daemon=True)
        thread.start()
        return thread

    def failed(self, name: str, error: BaseException | None) -> None:
        """A thread has ended with an exception; ``threading.excepthook`` is made of this."""
        self.begin(Cause.THREAD_FAILED, f"the thread {name!r} failed: {type(error).__name__}: {error}")

    # --- The end

    def shut(self, why: str = "the program ends") -> None:
        """Open the contactor for good; twice does not hurt."""
        try:
            self.begin(Cause.STOPPING, why)
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()
                self.disarm()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(10)

    def __enter__(self) -> Guard:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.shut()

    # --- The thread

    def _run(self) -> None:
        try:
            while True:
                with self._changed:
                    if self._ended:
                        return
                    self._look()
                    changed, self._untold = self._untold, False
                    is_healthy = not any(cause in self._began for cause in (Cause.WATCHDOG, Cause.THREAD_FAILED))
                    if not changed:
                        self._clock.wait(self._changed, self._next_look(), "safety")
                if changed:
                    self.told()
                elif self._healthy is not None and self._clock.monotonic() >= self._feed_at:
                    self._feed_at = self._clock.monotonic() + 1.0
                    if is_healthy:
                        self._healthy()
        except BaseException as error:
            try:
                with self._changed:
                    self._is_armed = False
                    self._contactor.off()
            finally:
                try:
                    self.failed("safety", error)  # which opens too, and may fail as well
                finally:
                    self.told()
            raise

    def _look(self) -> None:
        """With the lock held: find what forbids closing, and open if there is something."""
        now = self._clock.monotonic()
        for (cause, who), sign in self._signs.items():
            if now - sign.heard >= sign.within and cause not in self._began:
                why = f"nothing from {who} for {sign.within:g} s"
                self._began[cause] = (sign.heard + sign.within, why)
                log.warning("%s: %s", cause.value, why)
        forbidding = set()
        for cause, (began, _) in self._began.items():
            if now - began >= self._policies[cause].keep_seconds:
                forbidding.add(cause)
        if forbidding != self._forbidding:
            self._forbidding, self._untold = forbidding, True
            self._changed.notify_all()  # the thread tells of it
        if forbidding and (self._is_armed or self._is_closed):  # the latter: opening it has failed
            if self._is_armed:
                self.tripped = frozenset(forbidding)
            self.disarm()

    def _next_look(self) -> float | None:
        times = [sign.heard + sign.within for (cause, _), sign in self._signs.items() if cause not in self._began]
        for cause, (began, _) in self._began.items():
            if cause not in self._forbidding:
                times.append(began + self._policies[cause].keep_seconds)
        if self._healthy is not None:
            times.append(self._feed_at)
        return min(times, default=None)


class MeterWatch:
    """Finds a meter that shows power, but no energy: its register stands still, or its readings are old ones.

    A meter that shows no power while there is some cannot be told from a car that is full.

    Args:
        patience_wh: How much energy the power may have come to before the register must have moved; more than the meter's resolution.
        clock: Another clock than the machine's, for tests.
    """

    def __init__(self, patience_wh: float, clock: Clock = SYSTEM_CLOCK) -> None:
        self._patience = patience_wh
        self._clock = clock
        self._energy: float | None = None
        self._missing = 0.0
        self._read_at = 0.0

    def check(self, energy_wh: float, power_w: float) -> str | None:
        """What is wrong with a reading, after those before it; None is nothing."""
        now = self._clock.monotonic()
        if self._energy is None or energy_wh > self._energy:
            self._energy, self._missing = energy_wh, 0.0
        elif energy_wh < self._energy - self._patience:
            return f"the energy register went back from {self._energy:g} to {energy_wh:g} Wh"
        else:
            self._missing += abs(power_w) * (now - self._read_at) / 3600
        self._read_at = now
        if self._missing >= self._patience:
            return f"{power_w:g} W flow, and the energy register stays at {energy_wh:g} Wh"
        return None
