"""Frames as a person reads them."""

from __future__ import annotations

import functools
import json
import sys
import threading
from datetime import datetime
from typing import Any, TextIO

from .terminal import can_print, fold, printable, uses_colour, width_of
from .watch import UNREADABLE, Frame, FrameWatch

__all__ = ["FrameFormat", "FramePrinter"]

_RESET, _DIM = "\x1b[0m", "\x1b[2m"
_RED, _GREEN, _CYAN = "\x1b[31m", "\x1b[32m", "\x1b[36m"
_COLOURS = {"CALL": _CYAN, "SEND": _CYAN, "CALLRESULT": _GREEN}
_ARROWS = {"out": "──▶", "in": "◀──"}
_PLAIN_ARROWS = {"out": "-->", "in": "<--"}

_ACTION = 34  # columns: of the longest action, or of a shorter one with its round trip
_WIDE = 120  # columns of a terminal that has room for a table
_INDENT = 4
_to_json = json.JSONEncoder(ensure_ascii=False).encode


class FrameFormat:
    """Makes lines of frames: time, identity, direction, kind, action, how long its CALL had to wait for it, payload.

    On a terminal the payload is folded to its width. What the other side has written cannot command the terminal.

    Args:
        out: What it is for. Colour is used only if that is a terminal, and NO_COLOR is not set.
        with_time: Whether a line begins with the time of day.
    """

    def __init__(self, out: Any, *, with_time: bool = False) -> None:
        self._out = out
        self._with_time = with_time
        self._colour = uses_colour(out)
        self._arrows = _ARROWS if can_print(out, "".join(_ARROWS.values())) else _PLAIN_ARROWS

    def frame(self, frame: Frame) -> str:
        """The text of a frame, without an end of line."""
        if frame.kind == UNREADABLE:
            return self._line(frame, f"{self._arrows[frame.direction]} no OCPP-J message:", frame.text, _RED)
        took = "" if frame.round_trip is None else f"{frame.round_trip * 1000:.1f} ms"
        width = width_of(self._out)
        action = f"{frame.action or '?'}  {took}".rstrip()
        if width is None or width >= _WIDE:
            action = f"{action:<{_ACTION}}"
        shown = " ".join([_to_json(part) for part in frame.parts])
        return self._line(frame, f"{self._arrows[frame.direction]} {frame.kind:<10} {action}", shown, _COLOURS.get(frame.kind, _RED))

    def note(self, about: Any, text: str, *, is_bad: bool = False) -> str:
        """The text of something else that has happened, with a ``time`` and an ``identity`` as a frame has them."""
        return self._line(about, "", text, _RED if is_bad else "")

    def plain(self, text: str) -> str:
        """A line without a time."""
        return fold(printable(self._out, text), width_of(self._out), _INDENT)

    def _line(self, about: Any, head: str, text: str, colour: str) -> str:
        before = self._before(about)
        head, text = printable(self._out, head), printable(self._out, text)
        plain = fold(
            f"{before}{head} {text}" if head else f"{before}{text}", width_of(self._out), len(before) if self._with_time else _INDENT
        )
        if not (self._colour and colour):
            return plain
        ends = len(before) + len(head) if head else len(plain)
        return f"{_DIM}{plain[: len(before)]}{_RESET}{colour}{plain[len(before) : ends]}{_RESET}{plain[ends:]}"

    def _before(self, about: Any) -> str:
        time = f"{_time_of_day(about.time.replace(microsecond=0))}.{about.time.microsecond // 1000:03} " if self._with_time else ""
        return f"{time}{printable(self._out, about.identity)} " if about.identity else time


@functools.lru_cache(maxsize=4)
def _time_of_day(time: datetime) -> str:
    return f"{time.astimezone():%H:%M:%S}"


class FramePrinter:
    """Prints each frame on a line; see :class:`FrameFormat`.

    Its :meth:`show` is a handler of the ``frame`` event of a client.

    Args:
        out: Where to print; None is the standard output.

    Attributes:
        watch: What has been counted.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = sys.stdout if out is None else out
        self._format = FrameFormat(self._out)
        self._lock = threading.Lock()
        self.watch = FrameWatch()

    def show(self, direction: str, text: str, *, identity: str = "") -> None:
        """Print one frame.

        Args:
            direction: ``"in"`` or ``"out"``.
            text: The frame.
            identity: Of the charge point, if frames of several are printed.
        """
        frame = self.watch.take(direction, text, identity)
        line = self._format.frame(frame)
        with self._lock:
            try:
                print(line, file=self._out, flush=True)
            except BrokenPipeError:
                pass  # nobody reads any more, which is for the main thread to notice
