"""The time, and waiting for it: one place, so that a test can put a clock of its own there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

__all__ = ["SYSTEM_CLOCK", "Clock"]


class Clock:
    """The clock of the machine; :class:`ocpp_sync.testing.FakeClock` is one that a test moves.

    Whoever waits says until when, not for how long, and looks again afterwards: both ways of waiting may come back too early.
    """

    monotonic: Callable[..., float] = staticmethod(time.monotonic)
    """Seconds that only go forward, from some point in the past."""

    time: Callable[..., float] = staticmethod(time.time)
    """Seconds since 1970 by the system's clock, which may be wrong, and may jump."""

    def wait(self, condition: threading.Condition, deadline: float | None, what: str) -> None:
        """Wait until a condition is notified, or until a deadline.

        Args:
            condition: Its lock is held by the caller.
            deadline: In :meth:`monotonic` seconds; None is as long as it takes.
            what: What is waited for, in a word, for whoever looks at the clock of a test.
        """
        condition.wait(None if deadline is None else min(max(0.0, deadline - time.monotonic()), threading.TIMEOUT_MAX))

    def for_system(self, deadline: float | None) -> float | None:
        """The same deadline in ``time.monotonic()`` seconds, for what the system waits for."""
        if deadline is None or type(self) is Clock:
            return deadline
        return time.monotonic() + (deadline - self.monotonic())

    def wait_event(self, event: threading.Event, deadline: float | None, what: str) -> None:
        """Wait until an event is set, or until a deadline; a test's clock may set it at the deadline.

        Args:
            event: An event that says no more than "look again".
            deadline: As for :meth:`wait`.
            what: As for :meth:`wait`.
        """
        event.wait(None if deadline is None else min(max(0.0, deadline - time.monotonic()), threading.TIMEOUT_MAX))


SYSTEM_CLOCK = Clock()
