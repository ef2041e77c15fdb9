"""Where a command prints what people read: folded to the width of a terminal, and coloured on a terminal only."""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO

from .terminal import can_print, fold, printable, uses_colour, width_of

__all__ = ["Page", "name_left_out", "spaced_json", "value_or_text"]

_COLOURS = {"call": "\x1b[36m", "answer": "\x1b[32m", "wrong": "\x1b[31m", "dim": "\x1b[2m"}
_RESET = "\x1b[0m"
_ARROWS = {"CS": "──▶", "CSMS": "◀──", None: "───"}
_PLAIN_ARROWS = {"CS": "-->", "CSMS": "<--", None: "---"}
_NO_BREAK = "\u00a0"  # between a name and its value; where the text itself has one, it is an escape by then

_MAX_SHOWN = 200  # characters of a line


class Page:
    """Prints lines, each of a head and a body.

    Args:
        out: Where to.
        width: Columns to fold to; None is the width of the terminal if it is one, else nothing is folded.

    Attributes:
        arrows: By who sends: from the charge point to the right, to it to the left.
    """

    def __init__(self, out: TextIO, width: int | None = None) -> None:
        self._out = out
        self._colour = uses_colour(out)
        self._width = width_of(out) if width is None else width
        self.arrows = _ARROWS if can_print(out, "".join(_ARROWS.values())) else _PLAIN_ARROWS

    def line(self, head: str, body: str = "", *, colour: str = "", indent: int = 4) -> None:
        """Print a line.

        Args:
            head: How it begins, in a colour if there are any.
            body: What comes behind it.
            colour: ``"call"``, ``"answer"``, ``"wrong"`` or ``"dim"``; empty is none.
            indent: Of the further lines that it is folded to, in columns.
        """
        head, body = printable(self._out, head), printable(self._out, body).replace('": ', f'":{_NO_BREAK}')
        text = fold(f"{head} {body}" if body else head, self._width, indent).replace(_NO_BREAK, " ")
        if self._colour and colour and text.startswith(head):
            text = f"{_COLOURS[colour]}{head}{_RESET}{text[len(head) :]}"
        print(text, file=self._out)


def name_left_out(number: int, line: str) -> None:
    """Name a line of a log that holds no frame, on the standard error."""
    print(f"line {number} holds no frame: {printable(sys.stderr, line[:_MAX_SHOWN])}", file=sys.stderr)


def spaced_json(value: Any) -> str:
    """JSON that can be folded at its spaces."""
    return json.dumps(value, ensure_ascii=False)


def value_or_text(value: Any) -> Any:
    """A value as it is, or its text if JSON has nothing for it: a recording may hold 1e999 or NaN, which Python reads all the same."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(value)
    return value
