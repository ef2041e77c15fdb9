"""What a terminal can show, and what must not get to it."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

__all__ = ["can_print", "fold", "printable", "uses_colour", "width_of"]

_DEFAULT_WIDTH = 80
_WORD = re.compile(r"^ +|[^ ]+ *")  # with the spaces after it
_NARROWEST = 40  # columns; below, the terminal folds better by itself


def uses_colour(out: Any) -> bool:
    """Whether to write in colour: on a terminal, unless NO_COLOR is set."""
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width_of(out: Any) -> int | None:
    """The columns of a terminal now; None if it is none."""
    if not out.isatty():
        return None
    try:
        return os.get_terminal_size(out.fileno()).columns or _DEFAULT_WIDTH
    except (OSError, ValueError):
        return _DEFAULT_WIDTH


def can_print(out: Any, text: str) -> bool:
    """Whether the encoding of a stream has all characters of a text."""
    encoding = getattr(out, "encoding", None) or "utf-8"
    if text.isascii() or (encoding == "utf-8" and text.isprintable()):
        return True
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def printable(out: Any, text: str) -> str:
    """A text that somebody else has written, so that it cannot command the terminal, and that can be printed.

    Each control character, and each that turns the direction of writing or cannot be seen, is there as an escape of JSON.
    """
    if not text.isprintable():
        text = "".join(character if character.isprintable() else _escaped(character) for character in text)
    return text if can_print(out, text) else ascii(text)[1:-1]


def _escaped(character: str) -> str:
    number = ord(character)
    if number > 0xFFFF:
        high, low = divmod(number - 0x10000, 0x400)
        return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
    return f"\\u{number:04x}"


def fold(text: str, width: int | None, indent: int) -> str:
    """Break a text into lines, at its spaces where that can be.

    Args:
        text: One line, without escape sequences.
        width: The columns of the terminal; None leaves the text as it is.
        indent: The columns by which all lines but the first are indented.
    """
    if width is None or width < _NARROWEST or (text.isascii() and len(text) <= width):
        return text
    indent = min(indent, width // 3)
    lines, line, used = [], "", 0
    for word in _WORD.findall(text):
        cells = _cells(word.rstrip(" "))
        if line.strip() and used + cells > width:
            lines.append(line)
            line, used = " " * indent, indent
        if used + cells > width:  # a word that is longer than a whole line is broken wherever the line ends
            *full, word = _pieces(word, width - used, width - indent)
            for piece in full:
                lines.append(line + piece)
                line, used = " " * indent, indent
        line += word
        used += _cells(word)
    return "\n".join([each.rstrip(" ") for each in [*lines, line]])


def _pieces(word: str, first: int, others: int) -> Iterator[str]:
    """Parts of a word, of so many columns."""
    start, used, room = 0, 0, first
    for index, character in enumerate(word):
        cells = _cells(character)
        if used + cells > room and character != " ":
            yield word[start:index]
            start, used, room = index, 0, others
        used += cells
    yield word[start:]


def _cells(text: str) -> int:
    """The columns that a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
