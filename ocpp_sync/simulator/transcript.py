"""What has passed between a station and its CSMS: for scenarios, and for figures."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["ERROR_FIELDS", "Passed", "Transcript"]

_CALL, _RESULT, _ERROR = 2, 3, 4
ERROR_FIELDS = ("code", "description", "details")
"""What the payload of a message that is an error has, in the order of the frame."""

_MAX_KEPT = 2000
_MAX_OPEN = 100


class Passed(NamedTuple):
    """A message that has passed.

    Attributes:
        number: Which one it is, from 1 on.
        direction: ``"out"`` is from the station.
        kind: ``"request"``, ``"answer"`` or ``"error"``.
        action: The action; of an answer that of its request.
        payload: The payload; of an error its code, description and details.
        seconds: How long a request has waited for this answer.
    """

    number: int
    direction: str
    kind: str
    action: str
    payload: Any
    seconds: float = 0.0

    def __str__(self) -> str:
        arrow = "▶" if self.direction == "out" else "◀"
        return f"{arrow} {self.action} {'' if self.kind == 'request' else self.kind + ' '}{json.dumps(self.payload, ensure_ascii=False)}"


class Transcript:
    """Notes the frames of one client; its :meth:`take` is a handler of ``frame``.

    Args:
        passed: Told of each message, where it passes.
    """

    def __init__(self, passed: Callable[[Passed], object] = lambda passed: None) -> None:
        self._told = passed
        self._lock = threading.Lock()  # guards what follows
        self._changed = threading.Condition(self._lock)
        self._kept: deque[Passed] = deque(maxlen=_MAX_KEPT)
        self._open: dict[tuple[str, str], tuple[str, float]] = {}
        self._closed = False
        self.last = 0

    def close(self) -> None:
        """Nothing more comes; whoever waits comes back."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()

    def take(self, direction: str, text: str) -> None:
        """A frame passes."""
        now = time.monotonic()
        try:
            kind, message_id, *rest = json.loads(text)
        except (ValueError, TypeError):
            return
        with self._lock:
            seconds = 0.0
            if kind == _CALL:
                what, action, payload = "request", rest[0], rest[1]
                self._open[direction, message_id] = action, now
                if len(self._open) > _MAX_OPEN:
                    del self._open[next(iter(self._open))]
            elif kind in (_RESULT, _ERROR):
                asked = "in" if direction == "out" else "out"
                action, then = self._open.pop((asked, message_id), ("", now))
                seconds = now - then
                what, payload = ("answer", rest[0]) if kind == _RESULT else ("error", dict(zip(ERROR_FIELDS, rest, strict=False)))
            else:
                return
            self.last += 1
            passed = Passed(self.last, direction, what, action, payload, seconds)
            self._kept.append(passed)
            self._changed.notify_all()
        self._told(passed)

    def wait_for(self, since: int, matches: Callable[[Passed], bool], timeout: float) -> Passed | None:
        """Wait for a message after the one of number ``since``; None if it has not come within ``timeout`` seconds of real time."""
        with self._lock:

            def found() -> Passed | None:
                return next((passed for passed in self._kept if passed.number > since and matches(passed)), None)

            self._changed.wait_for(lambda: self._closed or found(), timeout)
            return found()

    def after(self, since: int) -> list[Passed]:
        """All that is kept of what came after that number."""
        return self.between(since)

    def between(self, since: int, last: int | None = None) -> list[Passed]:
        """All that is kept of what came after a number, up to another one; None is up to now."""
        with self._lock:
            return [passed for passed in self._kept if passed.number > since and (last is None or passed.number <= last)]
