"""Frames as a person reads them."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any, TextIO

__all__ = ["FramePrinter"]

_KINDS = {2: "CALL", 3: "CALLRESULT", 4: "CALLERROR", 5: "CALLRESULTERROR", 6: "SEND"}
_RESET, _DIM = "\x1b[0m", "\x1b[2m"
_COLOURS = {2: "\x1b[36m", 3: "\x1b[32m", 4: "\x1b[31m", 5: "\x1b[31m", 6: "\x1b[36m"}
_ARROWS = {"out": "──▶", "in": "◀──"}
_PLAIN_ARROWS = {"out": "-->", "in": "<--"}


class FramePrinter:
    """Prints each frame on a line: direction, kind, action, payload, and how long its CALL had to wait for it.

    Its :meth:`show` is a handler of the ``frame`` event of a client; one printer sees one connection.

    Args:
        out: Where to print; None is the standard output. Colour is used only if that is a terminal, and NO_COLOR is not set.

    Attributes:
        counts: How many frames of each kind have passed, for example ``{("out", "CALL"): 12}``.
        round_trips: Seconds that each answered CALL has waited, in order, of both directions.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = sys.stdout if out is None else out
        self._colour = self._out.isatty() and "NO_COLOR" not in os.environ
        self._arrows = _ARROWS if _can_print(self._out, "".join(_ARROWS.values())) else _PLAIN_ARROWS
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str], tuple[str, float]] = {}  # by the direction of the CALL and its id
        self.counts: dict[tuple[str, str], int] = {}
        self.round_trips: list[float] = []

    def show(self, direction: str, text: str) -> None:
        """Print one frame.

        Args:
            direction: ``"in"`` or ``"out"``.
            text: The frame.
        """
        now = time.monotonic()
        with self._lock:
            line = self._line(direction, text, now)
            try:
                print(line, file=self._out, flush=True)
            except BrokenPipeError:
                pass  # nobody reads any more, which is for the main thread to notice

    def _line(self, direction: str, text: str, now: float) -> str:
        try:
            number, message_id, *rest = json.loads(text)
            kind = _KINDS[number]
        except (ValueError, TypeError, KeyError):
            return f"{self._arrows[direction]} no OCPP-J message: {text}"
        self.counts[direction, kind] = self.counts.get((direction, kind), 0) + 1
        took = ""
        if kind in ("CALL", "SEND"):
            action, body = rest[0], rest[1:]
            self._open[direction, message_id] = action, now
        else:
            asked = "in" if direction == "out" else "out"
            action, started = self._open.pop((asked, message_id), ("?", now))
            body = rest
            self.round_trips.append(now - started)
            took = f"  {(now - started) * 1000:.1f} ms"
        shown = " ".join(json.dumps(part, ensure_ascii=False) for part in body)
        head, tail = f"{self._arrows[direction]} {kind:<10} {action:<26}", took
        if self._colour:
            head, tail = f"{_COLOURS[number]}{head}{_RESET}", f"{_DIM}{tail}{_RESET}"
        return f"{head} {_printable(self._out, shown)}{tail}"


def _can_print(out: Any, text: str) -> bool:
    try:
        text.encode(getattr(out, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _printable(out: Any, text: str) -> str:
    return text if _can_print(out, text) else ascii(text)[1:-1]
