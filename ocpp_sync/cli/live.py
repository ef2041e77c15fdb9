"""Output that never holds up those who have something to say."""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import TextIO

__all__ = ["LiveOutput", "not_shown_text", "stream_writer_to", "writer_to"]

_MAX_LINES = 10_000
_MAX_CHARACTERS = 8 * 1024 * 1024
_BATCH = 32  # lines
_GATHERING = 0.01  # seconds


class LiveOutput:
    """Prints lines on a thread of its own, in their order. What it cannot print in time it leaves out, and says how much that was.

    Args:
        write: Writes a text, as a whole; it may block.
        left_out: Makes the line that says how many lines were left out.
        not_shown: Makes the line that stands for one that cannot be made.

    Attributes:
        failed: Set when nothing can be written any more; :attr:`error` says why.
        error: What the writing has raised; None if nothing has.
    """

    def __init__(
        self, write: Callable[[str], None], left_out: Callable[[int], str], not_shown: Callable[[Exception], str] | None = None
    ) -> None:
        self._write = write
        self._left_out = left_out
        self._not_shown = not_shown_text if not_shown is None else not_shown
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._closed = threading.Condition(self._lock)
        self._lines: deque[tuple[Callable[[], str], int]] = deque()
        self._characters = 0
        self._missing = 0
        self._closing = False
        self.failed = threading.Event()
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="ocpp-print", daemon=True)
        self._thread.start()

    def put(self, make: Callable[[], str], size: int = 100, *, must: bool = False) -> None:
        """Print a line; it returns at once.

        Args:
            make: Makes the line, without its end, on the printing thread.
            size: How many characters it has, more or less.
            must: Whether it is kept however many wait.
        """
        with self._lock:
            if self._closing or self.failed.is_set():
                return
            if not must and self._is_full(size):
                self._missing += 1
                return
            was_empty = not self._lines
            if self._missing:
                self._say_what_is_missing()
            self._lines.append((make, size))
            self._characters += size
            if was_empty:
                self._changed.notify()

    def close(self, timeout: float) -> bool:
        """Print what waits, and end; a terminal that takes nothing is waited for no longer than that.

        Args:
            timeout: Seconds.

        Returns:
            Whether all was printed.
        """
        with self._lock:
            if self._missing:
                self._say_what_is_missing()
            self._closing = True
            self._changed.notify()
            self._closed.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive() and self.error is None

    def _is_full(self, size: int) -> bool:
        # Once something is left out, so is the rest until half of what waits is printed: one large gap can be read better than many.
        part = 2 if self._missing else 1
        return len(self._lines) >= _MAX_LINES // part or self._characters + size > _MAX_CHARACTERS // part

    def _say_what_is_missing(self) -> None:
        missing, self._missing = self._missing, 0
        self._lines.append((lambda: self._left_out(missing), 0))

    def _run(self) -> None:
        while lines := self._next():
            try:
                self._write("".join([f"{self._made(make)}\n" for make in lines]))
            except Exception as error:
                with self._lock:
                    self.error = error
                    self._lines.clear()
                self.failed.set()
                return

    def _next(self) -> list[Callable[[], str]]:
        """The next lines, few enough that nobody has to wait long for the interpreter's lock; none at the end."""
        with self._lock:
            if not self._lines and not self._closing:
                self._changed.wait_for(lambda: self._lines or self._closing)
                # More will come soon, if much is going on: each waking takes time from those who have something to say.
                self._closed.wait_for(lambda: self._closing, _GATHERING)
            taken = [self._lines.popleft() for _ in range(min(len(self._lines), _BATCH))]
            self._characters -= sum(size for _, size in taken)
        return [make for make, _ in taken]

    def _made(self, make: Callable[[], str]) -> str:
        try:
            return make()
        except Exception as error:  # RecursionError: what a peer has sent is nested too deeply, say
            return self._not_shown(error)


def not_shown_text(error: Exception) -> str:
    """What stands for a line that cannot be made, for people."""
    return f"… a line that cannot be shown: {type(error).__name__}"


def writer_to(out: TextIO) -> Callable[[str], None]:
    """What writes to a stream: past its buffer if it is a file of the system, else to the stream itself.

    A thread that is stuck in a write must not hold the lock of the buffer: the interpreter takes it at its end.
    """
    try:
        descriptor = out.fileno()
    except (OSError, ValueError, AttributeError):
        return stream_writer_to(out)
    out.flush()
    encoding = getattr(out, "encoding", None) or "utf-8"
    return lambda text: _write_all(descriptor, text.encode(encoding, "backslashreplace"))


def stream_writer_to(out: TextIO) -> Callable[[str], None]:
    """What writes to a stream itself."""
    return lambda text: _write_and_flush(out, text)


def _write_and_flush(out: TextIO, text: str) -> None:
    out.write(text)
    out.flush()


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:  # another program has made the terminal non-blocking, for all who share it
            select.select([], [descriptor], [])
