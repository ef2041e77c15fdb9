"""Functions that are called later, all by one thread."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable

from ..clock import Clock

__all__ = ["Timer"]


class Timer:
    """Calls functions when their time has come; the thread starts with the first.

    Args:
        clock: Whose time it is.
        what: What the thread waits for, as it tells the clock.
    """

    def __init__(self, clock: Clock, what: str) -> None:
        self._clock = clock
        self._what = what
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()  # those of the same moment are called in the order in which they came
        self._thread: threading.Thread | None = None
        self._closed = False

    def put(self, seconds: float, function: Callable[[], None]) -> None:
        """Call a function after a time; it must not raise. After :meth:`close` it is not called."""
        with self._changed:
            heapq.heappush(self._waiting, (self._clock.monotonic() + seconds, next(self._order), function))
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name=self._what, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def close(self) -> None:
        """Call no more, and end the thread; twice does not hurt."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread not in (None, threading.current_thread()):
            self._thread.join()

    def _run(self) -> None:
        while (function := self._next()) is not None:
            function()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._closed:
                deadline = self._waiting[0][0] if self._waiting else None
                if deadline is not None and deadline <= self._clock.monotonic():
                    return heapq.heappop(self._waiting)[2]
                self._clock.wait(self._changed, deadline, self._what)
        return None
