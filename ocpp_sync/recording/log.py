"""Reads a file of frames, whoever wrote it, and whatever has become of it since."""

from __future__ import annotations

import codecs
import io
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from .frames import Frame, frame_in

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["MAX_LINE", "Log"]

MAX_LINE = 8 * 1024 * 1024
"""Characters of the longest line that is looked at."""

_GZIP = b"\x1f\x8b"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Log:
    """The frames of a file, read as they are asked for: those of a :class:`Recorder`, or of other makes.

    A line is what the Recorder writes, another JSON object that has a frame in it, or text that has a JSON array in it, alone or behind
    a time, a level, an identity, an arrow. A line that holds none is left out. A file that is damaged is read as far as it goes: nothing
    that is in it raises.

    Args:
        file: The path; ``"-"`` is the standard input; or a file that is open for reading bytes, which stays open. It may be gzipped.
        on_left_out: Told the number and the text of each line that holds no frame, unless it is blank; None is nobody.

    Attributes:
        name: How the file is called.
        left_out: How many lines that are not blank held no frame so far.
        damage: What is wrong with the file, so that it could not be read to its end; None if nothing is.

    Raises:
        OSError: The file cannot be opened.
    """

    def __init__(self, file: str | PathLike[str] | BinaryIO, on_left_out: Callable[[int, str], None] | None = None) -> None:
        self._on_left_out = on_left_out
        self.left_out = 0
        self.damage: str | None = None
        self._own: IO[bytes] | None = None
        if not isinstance(file, (str, PathLike)):
            self.name = str(getattr(file, "name", "-"))
            self._raw: IO[bytes] = file
        elif os.fspath(file) == "-":
            self.name = "<stdin>"
            if sys.stdin is None:
                raise OSError("the standard input is closed")
            self._raw = sys.stdin.buffer
        else:
            self.name = os.fspath(file)
            self._own = self._raw = Path(file).open("rb")  # noqa: SIM115 (closed by close())

    def __iter__(self) -> Iterator[Frame]:
        for number, line in self._lines():
            if (frame := frame_in(number, line)) is not None:
                yield frame
            elif line.strip("\0\ufeff \t\r\n"):
                self.left_out += 1
                if self._on_left_out is not None:
                    self._on_left_out(number, line.rstrip("\r\n"))

    def _lines(self) -> Iterator[tuple[int, str]]:
        number = 0
        try:
            text = self._text()
            while line := text.readline(MAX_LINE):
                number += 1
                if len(line) == MAX_LINE and not line.endswith("\n"):
                    while (rest := text.readline(MAX_LINE)) and not rest.endswith("\n"):
                        pass
                    line = f"(more than {MAX_LINE} characters)"
                yield number, line
        except (OSError, EOFError, zlib.error) as error:
            self.damage = f"it could not be read beyond line {number}: {error}"

    def _text(self) -> io.TextIOBase:
        source = io.BufferedReader(_Unclosed(self._raw))
        if source.peek(2)[:2] == _GZIP:
            import gzip

            source = io.BufferedReader(_Unclosed(gzip.GzipFile(fileobj=source)))  # what of it is broken comes as OSError or EOFError
        encoding = "utf-16" if source.peek(2)[:2] in _UTF_16 else "utf-8-sig"
        return io.TextIOWrapper(source, encoding, errors="replace")

    def close(self) -> None:
        """Close the file, unless it was given open, or is the standard input."""
        if self._own is not None:
            self._own.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class _Unclosed(io.RawIOBase):
    """A file, of which wrappers are made that close theirs when they are thrown away."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        # One read of what is there: a pipe that is written to slowly is read line by line.
        read = getattr(self._file, "read1", self._file.read)
        data: bytes = read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
