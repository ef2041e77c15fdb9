"""A program on a pseudo-terminal, and a person in front of it."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Terminal"]

_TIMEOUT = 40.0  # seconds; IPython takes its time to start on a slow machine
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[=>78])|[\x01\x02]")

# The terminal becomes the controlling one, so that Ctrl-C is a signal; without preexec_fn, since there are threads here.
_BEGIN = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"


class Terminal:
    """Runs ``python ARGUMENTS`` on a terminal.

    Args:
        arguments: Of the interpreter.
        environment: Variables beside, or instead of, those that there are.
        rows: Lines of the terminal.
        columns: Columns of the terminal.

    Attributes:
        shown: All that was shown so far and not expected yet, without colours and the like.
    """

    def __init__(self, *arguments: str, environment: Mapping[str, str] | None = None, rows: int = 50, columns: int = 160) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        env = {**os.environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "PYTHONIOENCODING": "utf-8", **(environment or {})}
        command = [sys.executable, "-c", _BEGIN, *arguments]
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env=env)
        os.close(slave)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._begun = ""
        self.shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    def enter(self, line: str) -> None:
        """Type a line, and Return."""
        self.type(f"{line}\r")

    def expect(self, pattern: str) -> re.Match[str]:
        """Wait until something is shown; what was shown until there is forgotten."""
        found = self.shows(pattern, _TIMEOUT)
        assert found is not None, f"{pattern!r} was not shown, but {self.shown!r}"
        return found

    def shows(self, pattern: str, seconds: float) -> re.Match[str] | None:
        """The same, but for a while only; None if it is not shown."""
        deadline = time.monotonic() + seconds
        while (found := re.search(pattern, self.shown, re.DOTALL)) is None:
            if not self._read(deadline):
                return None
        self.shown = self.shown[found.end() :]
        return found

    def wait(self) -> int:
        """Wait until the program ends, and return its status."""
        deadline = time.monotonic() + _TIMEOUT
        while self._read(deadline):
            pass
        return self.process.wait(_TIMEOUT)

    def _read(self, deadline: float) -> bool:
        if not select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return False  # nobody has the other side any more
        text = self._begun + self._decode(data)
        # The end may be the beginning of an escape.
        before, escape, after = text.rpartition("\x1b")
        is_begun = bool(escape) and not _ESCAPES.match(escape + after)
        text, self._begun = (before, escape + after) if is_begun else (text, "")
        self.shown += _ESCAPES.sub("", text)
        return bool(data)
