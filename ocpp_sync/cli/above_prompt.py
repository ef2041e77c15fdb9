"""What other threads print while a line is typed at a prompt of readline goes above it, and the line is drawn anew."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, TextIO

__all__ = ["AbovePrompt"]

_SIGNAL = signal.SIGUSR1
_ENDING = (signal.SIGINT, signal.SIGTERM)
_RETRY = 0.05  # seconds
_TRIES = 100
_MAX_LINES = 10_000  # that wait while nothing can be printed; more would be read by nobody
_CLEAR_LINE = "\r\x1b[K"


class AbovePrompt:
    """While it is entered, lines that other threads print to the terminal wait for the right moment; the main thread prints as ever.

    Nobody may draw while readline, which runs in the main thread, is at work. So these lines are printed by a thread of its own while
    there is no prompt; and while there is one, by a signal handler, which the main thread runs when it has nothing else to do.

    SIGINT and SIGTERM end what is typed at once. By itself Python sees a signal that comes in the moment before it waits for a key at the
    next key only, and what a handler raises while Tab completes is lost.

    Args:
        interrupt: Raises what ends the prompt, given the number of the signal; called if what its handler has raised was lost.
    """

    def __init__(self, interrupt: Callable[[int], None]) -> None:
        self._interrupt = interrupt
        self._is_reading = False
        self._prompt = ""
        self._reads = 0  # how many have come to their end
        self._ended: tuple[int, int] | None = None  # the last signal, and the read that it was to end
        self._lines: deque[tuple[TextIO, str]] = deque(maxlen=_MAX_LINES)
        self._printing = threading.Lock()
        self._streams: dict[str, TextIO] = {}
        self._readline = _Readline()
        self._thread = threading.Thread(target=self._run, name="ocpp-prompt output", daemon=True)
        self._handlers_before: dict[int, Any] = {}
        self._wakeup_before = -1
        self._news, self._tell = os.pipe()  # the numbers of signals, _SIGNAL for a line, 0 for the end

    def read(self, prompt: str) -> str:
        """What ``input()`` returns and raises."""
        self._prompt = prompt
        self._is_reading = True
        try:
            self.catch_up()
            return input(prompt)
        except EOFError:
            raise
        except BaseException:
            if self._lines:
                _write(self._streams["stdout"], "\n")  # not beside what was typed
            if self._ended is not None and self._ended[1] == self._reads:
                # Python runs further signal handlers while the exception of this one is on its way, which may come out as any other.
                self._interrupt(self._ended[0])
            raise
        finally:
            self._is_reading = False
            self._reads += 1

    def catch_up(self) -> None:
        """In the main thread, which is about to print: what others have printed before comes first."""
        with self._printing:
            self._print_lines()

    def put(self, stream: TextIO, line: str) -> None:
        """Print a line when that is possible; from any thread but the main one."""
        self._lines.append((stream, line))
        self._tell_thread(_SIGNAL)

    def __enter__(self) -> AbovePrompt:
        for descriptor in (self._news, self._tell):
            os.set_blocking(descriptor, False)
        for number, handler in {_SIGNAL: self._show, **dict.fromkeys(_ENDING, self._end)}.items():
            self._handlers_before[number] = signal.signal(number, handler)
        self._wakeup_before = signal.set_wakeup_fd(self._tell, warn_on_full_buffer=False)
        for name in ("stdout", "stderr"):
            stream: TextIO = getattr(sys, name)
            if stream.isatty():
                self._streams[name] = stream
                setattr(sys, name, _Lines(stream, self))
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for name, stream in self._streams.items():
            setattr(sys, name, stream)
        self._tell_thread(0)
        self._thread.join()
        signal.set_wakeup_fd(self._wakeup_before)
        for number, handler in self._handlers_before.items():
            signal.signal(number, handler)
        for descriptor in (self._news, self._tell):
            os.close(descriptor)

    # --- The main thread

    def _end(self, number: int, frame: FrameType | None) -> None:
        self._ended = number, self._reads
        self._handlers_before[number](number, frame)

    def _show(self, number: int, frame: FrameType | None) -> None:
        if not (self._is_reading and self._readline.is_active):
            return
        if self._ended is not None and self._ended[1] == self._reads:
            self._interrupt(self._ended[0])
        count = len(self._lines)  # and not those that come meanwhile, without an end
        for _ in range(count):
            stream, line = self._lines[0]
            # Past the stream and its buffer, which the main thread may be in the middle of.
            _write(stream, f"{_CLEAR_LINE}{line}")
            self._lines.popleft()
        if count and not self._readline.redraw():
            _write(self._streams["stdout"], f"{self._prompt}{self._readline.line}")

    # --- The thread of its own

    def _tell_thread(self, what: int) -> None:
        try:
            os.write(self._tell, bytes([what]))
        except BlockingIOError:
            pass  # it has more to read than it needs

    def _run(self) -> None:
        told: set[int] = set()
        while 0 not in told:
            select.select([self._news], [], [])
            told = {*os.read(self._news, 4096)}
            if told.intersection(_ENDING):
                reads = self._reads
                time.sleep(_RETRY)
                self._nudge(lambda: self._reads != reads)  # noqa: B023 - called before the next turn
            self._nudge(lambda: not self._lines)

    def _nudge(self, is_done: Callable[[], bool]) -> None:
        """Have the main thread run :meth:`_show`, until there is no more to do, or no prompt."""
        for _ in range(_TRIES):
            with self._printing:
                if not self._is_reading:
                    self._print_lines()
            if is_done() or not self._is_reading:
                return
            signal.pthread_kill(threading.main_thread().ident or 0, _SIGNAL)
            time.sleep(_RETRY)  # it may come in the moment before it waits for a key

    def _print_lines(self) -> None:
        for _ in range(len(self._lines)):
            stream, line = self._lines[0]
            stream.write(line)
            stream.flush()
            self._lines.popleft()


class _Lines:
    """A stream whose lines from other threads than the main one are put above the prompt; all else is the stream's own."""

    def __init__(self, stream: TextIO, above: AbovePrompt) -> None:
        self._stream = stream
        self._above = above
        self._begun = threading.local()

    def write(self, text: str) -> int:
        """As the stream's."""
        if threading.current_thread() is threading.main_thread():
            self._above.catch_up()
            return self._stream.write(text)
        *lines, self._begun.text = f"{getattr(self._begun, 'text', '')}{text}".split("\n")
        for line in lines:
            self._above.put(self._stream, f"{line}\n")
        return len(text)

    def flush(self) -> None:
        """As the stream's."""
        if threading.current_thread() is threading.main_thread():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _write(stream: TextIO, text: str) -> None:
    data = text.encode(stream.encoding or "utf-8", "backslashreplace")
    while data:
        data = data[os.write(stream.fileno(), data) :]


class _Readline:
    """What Python's own module leaves out: whether a line is being typed, and how to draw it anew."""

    _CALLBACK = 0x80000  # RL_STATE_CALLBACK

    def __init__(self) -> None:
        self._state: Any = None
        self._update: Any = None
        try:
            import ctypes
            import readline

            library = ctypes.CDLL(getattr(readline, "__file__", None))
            self._state = ctypes.c_ulong.in_dll(library, "rl_readline_state")
            self._update = library.rl_forced_update_display
        except (ImportError, OSError, ValueError, AttributeError):
            pass  # it is another library that does as if, or has no file of its own

    @property
    def is_active(self) -> bool:
        """Whether the prompt is shown; if that is not known, it is."""
        return self._state is None or bool(self._state.value & self._CALLBACK)

    def redraw(self) -> bool:
        """Draw prompt and line anew; false if that is not possible."""
        if self._update is None:
            return False
        self._update()
        return True

    @property
    def line(self) -> str:
        """What is typed."""
        import readline

        return readline.get_line_buffer()
