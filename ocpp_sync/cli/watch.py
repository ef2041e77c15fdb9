"""Frames as they pass, each answer with its call."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, overload

from ocpp_sync.messages import KIND_NAMES

__all__ = ["UNREADABLE", "Frame", "FrameWatch", "LastFrames"]

UNREADABLE = "unreadable"

_ANSWERS = {"CALLRESULT", "CALLERROR"}
_ERRORS = {"CALLERROR", "CALLRESULTERROR"}
_ERROR_FIELDS = ("errorCode", "errorDescription", "errorDetails")

# Nothing but the beginning is read where a frame passes; its payload only if somebody wants to see it.
# No valid id or action is nearly as long as that: what a peer makes up is neither kept nor searched whole.
_STRING = r'"((?:[^"\\]|\\.){0,200})"'
_HEAD = re.compile(rf"\s*\[\s*([2-6])\s*,\s*{_STRING}\s*,\s*(?:{_STRING})?")

_MAX_OPEN = 100  # calls of one charge point without an answer; there can be two, if both sides are as they should be
_MAX_ROUND_TRIPS = 10_000
_MAX_CODES = 30  # of CALLERRORs in each direction; OCPP has fewer, but a peer can make some up
_MAX_CODE_LENGTH = 60
_OTHER = "other"


@dataclass(eq=False)
class Frame:
    """One frame.

    Attributes:
        time: When it passed, an aware datetime in UTC.
        identity: Of the charge point; empty if there is only one.
        direction: ``"in"`` or ``"out"``.
        kind: ``"CALL"``, ``"CALLRESULT"``, ``"CALLERROR"``, ``"SEND"``, ``"CALLRESULTERROR"``, or ``"unreadable"``.
        action: The action, of an answer that of its call; empty if that is not known.
        id: The message id.
        text: The frame itself.
        round_trip: Seconds that a call has waited for this answer; None if it is none, or its call is not known.
    """

    time: datetime
    identity: str
    direction: str
    kind: str
    action: str
    id: str
    text: str
    round_trip: float | None = None

    @property
    def payload(self) -> Any:
        """The payload; of a CALLERROR its code, description and details; None if it cannot be read."""
        parts = self.parts
        if self.kind in _ERRORS:
            return dict(zip(_ERROR_FIELDS, parts, strict=False))
        return parts[0] if parts else None

    @property
    def parts(self) -> list[Any]:
        """What comes after the id and the action; nothing if it cannot be read."""
        try:
            message: list[Any] = json.loads(self.text)
        except (ValueError, RecursionError):
            return []
        return message[3:] if self.kind in ("CALL", "SEND") else message[2:]

    def __repr__(self) -> str:
        who = f"{self.identity} " if self.identity else ""
        return f"<{self.time:%H:%M:%S} {who}{self.direction} {self.kind} {self.action} {self.payload}>"


class FrameWatch:
    """Tells which answer belongs to which call, and counts; from any thread.

    Attributes:
        counts: How many frames of each kind have passed, for example ``{("out", "CALL"): 12}``.
        errors: How many CALLERRORs there were of each code, for example ``{("out", "NotSupported"): 1}``. When there are too many codes,
            further ones are ``"other"``.
        round_trips: Seconds that the last calls have waited for their answers, in order, of both directions.
    """

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.errors: Counter[tuple[str, str]] = Counter()
        self.round_trips: deque[float] = deque(maxlen=_MAX_ROUND_TRIPS)
        self._lock = threading.Lock()
        self._open: dict[str, dict[tuple[str, str], tuple[str, float]]] = {}  # by identity; by the direction of the CALL and its id

    def take(self, direction: str, text: str, identity: str = "") -> Frame:
        """Look at a frame.

        Args:
            direction: ``"in"`` or ``"out"``.
            text: The frame.
            identity: Of the charge point, if there are several.
        """
        now, then = time.monotonic(), datetime.now(timezone.utc)
        kind, message_id, name = _head(text)
        with self._lock:
            self.counts[direction, kind] += 1
            if kind in _ERRORS:
                self.errors[direction, self._code(direction, name)] += 1
            action, took = name, None
            if kind == "CALL":
                still_open = self._open.setdefault(identity, {})
                if len(still_open) >= _MAX_OPEN:
                    del still_open[next(iter(still_open))]
                still_open[direction, message_id] = action, now
            elif kind in _ERRORS or kind in _ANSWERS:
                asked = "in" if direction == "out" else "out"
                action, started = self._open.get(identity, {}).pop((asked, message_id), ("", None))
                if started is not None:
                    took = now - started
                    self.round_trips.append(took)
        return Frame(then, identity, direction, kind, action, message_id, text, took)

    def _code(self, direction: str, name: str) -> str:
        code = name[:_MAX_CODE_LENGTH]
        is_known = (direction, code) in self.errors
        return code if is_known or sum(way == direction for way, _ in self.errors) < _MAX_CODES else _OTHER

    def counted(self) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
        """Copies of :attr:`counts` and :attr:`errors`, of the same moment."""
        with self._lock:
            return self.counts.copy(), self.errors.copy()

    def forget(self, identity: str) -> None:
        """A charge point has gone, and what it has been asked is not answered any more."""
        with self._lock:
            self._open.pop(identity, None)


class LastFrames(Sequence[Frame]):
    """The last frames, oldest first: as many as there is room for."""

    _MAX_FRAMES = 1000
    _MAX_CHARACTERS = 8 * 1024 * 1024

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frames: deque[Frame] = deque()
        self._characters = 0

    def append(self, frame: Frame) -> None:
        """Keep one more."""
        with self._lock:
            self._frames.append(frame)
            self._characters += len(frame.text)
            while len(self._frames) > self._MAX_FRAMES or (self._characters > self._MAX_CHARACTERS and len(self._frames) > 1):
                self._characters -= len(self._frames.popleft().text)

    @overload
    def __getitem__(self, index: int) -> Frame: ...
    @overload
    def __getitem__(self, index: slice) -> list[Frame]: ...
    def __getitem__(self, index: int | slice) -> Frame | list[Frame]:
        return self._copy()[index]

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._copy())

    def _copy(self) -> list[Frame]:
        with self._lock:
            return list(self._frames)

    def __repr__(self) -> str:
        frames = self._copy()
        return "\n".join([f"<the last {len(frames)} frames; the newest are frames[-1], frames[-2], …>", *map(repr, frames[-10:])])


def _head(text: str) -> tuple[str, str, str]:
    """Kind, id, and the text after it: the action of a CALL, the code of a CALLERROR."""
    match = _HEAD.match(text)
    if match is None or not text.rstrip().endswith("]") or (match[1] != "3" and match[3] is None):
        return UNREADABLE, "", ""
    return KIND_NAMES[int(match[1])], _unescaped(match[2]), _unescaped(match[3] or "")


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text
