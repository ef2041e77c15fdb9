"""A clock that stands still until a test moves it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from time import monotonic as real_monotonic
from weakref import WeakSet

from ..clock import Clock

__all__ = ["FakeClock"]

_LOOK_AGAIN = 0.01  # seconds of real time after which run() asks its condition again, while nobody begins to wait


class _Wait:
    """A thread that waits."""

    __slots__ = ("deadline", "target", "what")

    def __init__(self, target: threading.Condition | threading.Event, deadline: float | None, what: str) -> None:
        self.target = target
        self.deadline = deadline
        self.what = what

    @property
    def is_over(self) -> bool:
        # Its thread has not run since.
        return isinstance(self.target, threading.Event) and self.target.is_set()


class FakeClock(Clock):
    """A clock that a test moves; whatever takes a clock takes it.

    ::

        clock = FakeClock()
        client = OcppClient("CP1111", clock=clock)
        …
        assert clock.advance_to("heartbeat") == 300.0

    Time passes only in :meth:`advance`, :meth:`advance_to` and :meth:`run`, from any thread, which must hold no lock that a waiting thread
    needs. A wait without a deadline ends when it is notified, as ever. All ``timeout`` arguments are seconds of real time.

    Args:
        monotonic: What :meth:`monotonic` begins with, in seconds.
        time: What :meth:`time` begins with, in seconds since 1970; by default it is the beginning of 2025.
    """

    def __init__(self, *, monotonic: float = 1000.0, time: float = 1_735_689_600.0) -> None:
        self._changed = threading.Condition()  # never held while the lock of a waiter's condition is taken: those come first
        self._monotonic = monotonic
        self._time = time
        self._waits: dict[_Wait, None] = {}  # in the order in which they began
        self._watched: WeakSet[threading.Condition] = WeakSet()

    # --- For those who wait

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        with self._changed:
            return self._monotonic

    def time(self) -> float:
        """Seconds since 1970 by the system's clock; see :meth:`jump`."""
        with self._changed:
            return self._time

    def wait(self, condition: threading.Condition, deadline: float | None, what: str) -> None:
        """Wait until a condition is notified, or until this clock has come to a deadline; see :meth:`Clock.wait`."""
        self._watch(condition)
        self._wait(_Wait(condition, deadline, what))

    def wait_event(self, event: threading.Event, deadline: float | None, what: str) -> None:
        """Wait until an event is set, which this clock does at the deadline; see :meth:`Clock.wait_event`."""
        self._wait(_Wait(event, deadline, what))

    def _wait(self, wait: _Wait) -> None:
        with self._changed:
            if wait.deadline is not None and wait.deadline <= self._monotonic:
                return
            self._waits[wait] = None
            self._changed.notify_all()
        try:
            # Whoever moves the clock from now on needs the condition's lock to notify it, so nothing is missed.
            wait.target.wait()
        finally:
            with self._changed:
                self._waits.pop(wait, None)

    def _watch(self, condition: threading.Condition) -> None:
        """Learn when a condition is notified: who is about to look again does not wait any more, though it has not run yet."""
        if condition not in self._watched:
            self._watched.add(condition)
            notify_all = condition.notify_all

            def watched() -> None:
                notify_all()
                with self._changed:
                    self._waits = {wait: None for wait in self._waits if wait.target is not condition}

            condition.notify_all = watched  # type: ignore[method-assign]

    # --- For the test

    def waiting(self) -> dict[str, float]:
        """What is waited for with a deadline, and in how many seconds that is; the nearest of several of the same name."""
        left: dict[str, float] = {}
        with self._changed:
            for wait in self._current():
                if wait.deadline is not None:
                    seconds = wait.deadline - self._monotonic
                    left[wait.what] = min(seconds, left.get(wait.what, seconds))
        return left

    def wait_for(self, what: str, timeout: float = 10.0) -> float:
        """Block until some thread waits for ``what`` with a deadline; the clock stays where it is.

        Returns:
            In how many seconds the deadline is.

        Raises:
            TimeoutError: Nobody does within ``timeout`` seconds of real time; the text names what is waited for.
        """
        with self._changed:
            return self._next(what, timeout) - self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass, and wake all whose deadline has come then.

        Args:
            seconds: How much; not negative.
        """
        if not seconds >= 0:
            raise ValueError(f"time goes forward: {seconds!r} is no number of seconds for that; see jump()")
        with self._changed:
            due = self._move(self._monotonic + seconds)
        _wake(due)

    def advance_to(self, what: str, timeout: float = 10.0) -> float:
        """Block until some thread waits for ``what`` with a deadline, and move to that deadline; others that are due then wake, too.

        Who has been woken is not waiting any more: two calls in a row mean two different waits.

        Args:
            what: The name that the waiting thread gives.
            timeout: Seconds of real time.

        Returns:
            By how many seconds the clock has moved.

        Raises:
            TimeoutError: Nobody waits for it; the text names what is waited for.
        """
        with self._changed:
            before = self._monotonic
            deadline = self._next(what, timeout)
            moved = deadline - before
            due = self._move(deadline)
        _wake(due)
        return moved

    def jump(self, seconds: float) -> None:
        """Set the system's clock, forward or back, as NTP does; :meth:`monotonic` does not change, and nobody wakes."""
        with self._changed:
            self._time += seconds

    def run(
        self,
        until: threading.Event | Callable[[], bool],
        *,
        when: Iterable[str] = (),
        unless: Iterable[str] = (),
        limit: float = 86_400.0,
        timeout: float = 60.0,
    ) -> float:
        """Move from deadline to deadline, of whoever waits, as soon as there is one.

        A thread that works, or waits for something else than this clock, is not seen, and so not waited for. What must not be overtaken
        by the time is named: ``when=["charging"]`` moves only while the thread that waits under this name does so, and
        ``unless=["answer"]`` never while somebody waits for an answer, which comes in real time.

        Args:
            until: An event, or a function that says whether it is enough; it is asked before each move, and every 10 ms of real time.
            when: Names that must be waited for, with a deadline or not, before the clock moves; one that is given twice, by two threads.
            unless: Names that must not be waited for.
            limit: Seconds of this clock that it moves at most.
            timeout: Seconds of real time.

        Returns:
            By how many seconds the clock has moved.

        Raises:
            TimeoutError: One of the two limits was reached first; the text names what is waited for.
        """
        is_enough = until.is_set if isinstance(until, threading.Event) else until
        needed, forbidden = Counter(when), frozenset(unless)
        give_up, start = real_monotonic() + timeout, self.monotonic()
        while not is_enough():
            due: list[threading.Condition | threading.Event] = []
            with self._changed:
                left = give_up - real_monotonic()
                if left <= 0:
                    raise TimeoutError(f"it has not come within {timeout:g} s of real time; {self._listed()}")
                deadline = self._next_of_all(needed, forbidden)
                if deadline is None:
                    self._changed.wait(min(left, _LOOK_AGAIN))
                elif deadline - start > limit:
                    raise TimeoutError(f"it has not come within {limit:g} s of the clock; {self._listed()}")
                else:
                    due = self._move(deadline)
            _wake(due)
        return self.monotonic() - start

    def __repr__(self) -> str:
        with self._changed:
            return f"<FakeClock at {self._monotonic:g}; {self._listed()}>"

    # --- With the clock's lock held

    def _current(self) -> list[_Wait]:
        return [wait for wait in self._waits if not wait.is_over]

    def _next(self, what: str, timeout: float) -> float:
        """The first deadline of a name, as soon as there is one."""

        def deadlines() -> list[float]:
            return [wait.deadline for wait in self._current() if wait.what == what and wait.deadline is not None]

        found = self._changed.wait_for(deadlines, timeout)
        if not found:
            raise TimeoutError(f"nobody has waited for {what!r} with a deadline within {timeout:g} s; {self._listed()}")
        return min(found)

    def _next_of_all(self, needed: Counter[str], forbidden: frozenset[str]) -> float | None:
        current = self._current()
        names = Counter(wait.what for wait in current)
        if needed - names or forbidden & names.keys():
            return None
        return min((wait.deadline for wait in current if wait.deadline is not None), default=None)

    def _move(self, to: float) -> list[threading.Condition | threading.Event]:
        """Go forward; what is to be woken then, the earliest first."""
        to = max(to, self._monotonic)  # another thread may have moved it meanwhile
        self._time += to - self._monotonic
        self._monotonic = to
        over = [(wait.deadline, wait.target) for wait in self._waits if wait.deadline is not None and wait.deadline <= to]
        targets = dict.fromkeys(target for _, target in sorted(over, key=lambda each: each[0]))
        # All who wait on the same condition are woken, and those that go on waiting say so again.
        self._waits = {wait: None for wait in self._waits if wait.target not in targets}
        return list(targets)

    def _listed(self) -> str:
        waits = [
            f"{wait.what!r} (without a deadline)" if wait.deadline is None else f"{wait.what!r} (in {wait.deadline - self._monotonic:g} s)"
            for wait in self._current()
        ]
        return f"waited for: {', '.join(waits) or 'nothing'}"


def _wake(targets: Iterable[threading.Condition | threading.Event]) -> None:
    for target in targets:
        if isinstance(target, threading.Event):
            target.set()
        else:
            with target:
                target.notify_all()
