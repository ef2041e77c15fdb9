"""Who reads a link: a thread of its own, or a caller that waits for its answer.

A caller that reads its answer itself saves two hand-overs from thread to thread, which is most of what a quick call costs
(``python -m benchmarks calls``). So the thread, when it has read somebody's answer, steps back for a few milliseconds: whoever calls
meanwhile reads. It comes back when nobody has read for that long, or when a caller has waited long enough and gives the turn back.
What comes without being asked for is served by whoever reads, or, at the latest, when the thread is back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .transport.link import Closed, Link
    from .worker import Worker

__all__ = ["Reading"]

_STEP_BACK = 0.005  # seconds
_PATIENCE = 0.02  # seconds; an answer that takes longer may cost a hand-over


class Reading:
    """The turns of reading one link.

    Args:
        link: The link.
        step: Its :meth:`~ocpp_sync.transport.link.Link.step`.
        worker: Who takes what the steps bring. When it is full, the thread waits for it.

    Attributes:
        has_answered: Set when a step has brought a caller's answer.
    """

    def __init__(self, link: Link, step: Callable[[], Closed | None], worker: Worker) -> None:
        self._link = link
        self._step = step
        self._worker = worker
        self.has_answered = False
        self._lock = threading.Lock()  # guards the next two
        self._changed = threading.Condition(self._lock)
        self._turn = threading.get_ident()  # the thread that reads; 0 is none
        self._given_back = False  # the thread is to read now
        self._last_turn = 0.0  # when a caller last read
        self._outcome: Closed | Exception | None = None  # of a caller's step that was the last one

    def run(self) -> Closed:
        """Read until the link ends, in a thread of its own; returns how it has ended."""
        while True:
            while not self.has_answered:
                closed = self._step()
                if closed is not None:
                    return closed
                self._worker.wait_for_room()
                if not self.has_answered:
                    self._link.wait()
            self._step_back()
            if isinstance(self._outcome, Exception):
                raise self._outcome
            if self._outcome is not None:
                return self._outcome

    def _step_back(self) -> None:
        with self._lock:
            until = time.monotonic() + _STEP_BACK
            self._turn = 0
            while not self._given_back:
                left = until - time.monotonic()
                if left <= 0 and not self._turn:
                    break
                self._changed.wait(left if left > 0 else _STEP_BACK)
                until = max(until, self._last_turn + _STEP_BACK)
            self._turn = threading.get_ident()
            self._given_back = self.has_answered = False

    def read_until(self, is_done: Callable[[], bool], deadline: float | None) -> None:
        """Read, if nobody else does, until something is done; for a caller that waits for it.

        Args:
            is_done: Whether it is.
            deadline: Until when at most, in ``time.monotonic()`` seconds; None is as long as such a wait is worth it.
        """
        this = threading.get_ident()
        try:
            with self._lock:
                if self._turn or self._given_back:
                    return
                self._turn = this
            until = time.monotonic() + _PATIENCE
            if deadline is not None and deadline < until:
                until = deadline
            while not is_done() and not self._worker.is_full() and self._link.wait(until):
                self._outcome = self._step()
                if self._outcome is not None or time.monotonic() >= until:
                    return
        except Exception as error:
            self._outcome = error  # it is the thread's to end the link
        finally:
            if self._turn == this:
                self._last_turn = time.monotonic()
                if is_done() and self._outcome is None:
                    self._turn = 0
                else:
                    self._give_back()

    @property
    def turn(self) -> int:
        """The thread that reads; 0 is none."""
        return self._turn

    def leave(self) -> None:
        """For a caller that Ctrl-C has ended, wherever it came: the turn is not left to it."""
        if self._turn == threading.get_ident():
            self._give_back()

    def _give_back(self) -> None:
        with self._lock:
            self._turn = 0
            self._given_back = True
            self._changed.notify()
