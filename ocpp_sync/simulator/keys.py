"""The keys of a terminal, one press at a time; the terminal is as it was when it is over, however that comes."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, TextIO

from .connector import Reason
from .station import Station

__all__ = ["HELP", "Keyboard", "Panel"]

HELP = """\
p plug in      a hold a token to the reader: start, or stop   o offline, and online again   1–9 choose a connector
u unplug       s stop the transaction                         r reboot                      ? this help
f fault        c clear the fault                              q quit"""

_ESCAPE = "\x1b"
_SEQUENCE_TIMEOUT = 0.1  # seconds between the characters that one key sends
_LOOK_AGAIN = 0.5  # seconds: in the background nothing is read


class Keyboard:
    """Reads the keys of a terminal as they are pressed, in a ``with`` block in the main thread.

    Ctrl-C and Ctrl-Z do what they always do; while the program is stopped the terminal is as the shell wants it.

    Args:
        terminal: A terminal.
    """

    def __init__(self, terminal: TextIO) -> None:
        import termios  # here, since not every system has it

        self._termios = termios
        self._fd = terminal.fileno()
        self._before: list[Any] | None = None
        self._is_ours = False  # whether it is in the mode in which keys are read
        self._handlers: dict[int, Any] = {}

    @staticmethod
    def fits(terminal: TextIO | None) -> bool:
        """Whether keys can be read from there, now."""
        try:
            import termios  # noqa: F401

            return terminal is not None and threading.current_thread() is threading.main_thread() and terminal.isatty()
        except (ImportError, ValueError):  # no such system; or the stream is closed
            return False

    def __enter__(self) -> Keyboard:
        self._before = self._termios.tcgetattr(self._fd)
        try:
            for number, handler in ((signal.SIGTSTP, self._stop), (signal.SIGCONT, self._go_on)):
                self._handlers[number] = signal.signal(number, handler)
            self._enter()
        except BaseException:  # Ctrl-C
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._leave()
        for number, handler in self._handlers.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def read(self, deadline: float | None) -> str | None:
        """Wait for the next key.

        Args:
            deadline: In ``time.monotonic()`` seconds; None is as long as it takes.

        Returns:
            The key; ``""`` if there will be no more; None at the deadline, in the background now and then, and for a key that sends
            several characters: an arrow is no letter.
        """
        left = _LOOK_AGAIN if deadline is None else min(_LOOK_AGAIN, max(0.0, deadline - time.monotonic()))
        if not self._is_in_front:
            self._is_ours = False  # the shell has it, and may have changed its mode when it is ours again
            threading.Event().wait(left)
            return None
        if not self._is_ours:
            self._enter()
        if not select.select([self._fd], [], [], left)[0] or not self._is_in_front:
            return None
        key = self._read_one()
        return key if key != _ESCAPE or not self._skip_sequence() else None

    def _read_one(self) -> str:
        try:
            return os.read(self._fd, 1).decode("ascii", "replace")
        except OSError:
            return ""  # the terminal has gone

    def _skip_sequence(self) -> bool:
        """Read what follows Escape at once; false if nothing does, since it was that key alone."""
        key = self._read_next()
        if key is None:
            return False
        if key == "O":  # such as ESC O P
            self._read_next()
        elif key == "[":  # such as ESC [ A, ESC [ 1 ; 5 C, and ESC [ [ A of the Linux console
            key = self._read_next()
            if key == "[":
                self._read_next()
            while key and not "@" <= key <= "~":
                key = self._read_next()
        return True

    def _read_next(self) -> str | None:
        """The next character of the same key; None if there is none."""
        return self._read_one() if select.select([self._fd], [], [], _SEQUENCE_TIMEOUT)[0] else None

    @property
    def _is_in_front(self) -> bool:
        """Whether the terminal is ours; else reading, or setting it, would stop the program."""
        try:
            return os.tcgetpgrp(self._fd) == os.getpgrp()
        except OSError:
            return True  # it has gone, which is read then

    def _enter(self) -> None:
        if self._before is None or not self._is_in_front:
            return
        mode = list(self._before)
        mode[3] &= ~(self._termios.ICANON | self._termios.ECHO)
        mode[6] = [*mode[6]]
        mode[6][self._termios.VMIN], mode[6][self._termios.VTIME] = 1, 0
        self._set(mode)
        self._is_ours = True

    def _leave(self) -> None:
        self._is_ours = False
        if self._before is not None and self._is_in_front:
            self._set(self._before)

    def _set(self, mode: list[Any]) -> None:
        try:
            self._termios.tcsetattr(self._fd, self._termios.TCSADRAIN, mode)
        except self._termios.error:
            pass  # the terminal has gone

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-Z."""
        self._leave()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)  # here it stands until SIGCONT, unless nobody is there to send that
        signal.signal(signal.SIGTSTP, self._stop)
        self._enter()

    def _go_on(self, number: int, frame: FrameType | None) -> None:
        """Fg, or bg."""
        self._enter()


class Panel:
    """What the keys do to a station.

    Args:
        station: The station.
        tokens: What can be held to its reader; the next press takes the next one.
    """

    def __init__(self, station: Station, tokens: list[str]) -> None:
        self.station = station
        self._tokens = tokens
        self.connector = 1

    def press(self, key: str) -> str | None:
        """A key was pressed; returns what is to be said of it, or None."""
        if key.isascii() and key.isdigit():
            number = int(key)
            if number not in self.station.connectors:
                return f"There is no connector {key}; the last one is {len(self.station.connectors)}."
            self.connector = number
            return f"Connector {number}: {self.station.connectors[number].state.value}."
        if key == "?":
            return HELP
        action = _ACTIONS.get(key.lower())
        if action is None:
            return None if key.isspace() else f"{key!r} is no key here; ? shows which there are."
        try:
            action(self)
        except ValueError as error:
            text = str(error)
            return f"{text[0].upper()}{text[1:]}."
        return None

    def authorize(self) -> None:
        """Hold a token to the reader: the one that has begun, else the next one."""
        transaction = self.station.connectors[self.connector].transaction
        if transaction is not None:
            self.station.authorize(transaction.token, self.connector)
            return
        token = self._tokens.pop(0)
        self._tokens.append(token)
        self.station.authorize(token, self.connector)

    def stop(self) -> None:
        """End the transaction by a button."""
        self.station.stop(self.connector, Reason.LOCAL)

    def toggle_link(self) -> None:
        """Offline, or online again."""
        if self.station.uplink.is_wanted:
            self.station.go_offline()
        else:
            self.station.go_online()


_ACTIONS: dict[str, Callable[[Panel], None]] = {
    "a": Panel.authorize,
    "c": lambda panel: panel.station.clear(panel.connector),
    "f": lambda panel: panel.station.fault(panel.connector),
    "o": Panel.toggle_link,
    "p": lambda panel: panel.station.plug(panel.connector),
    "r": lambda panel: panel.station.reboot(),
    "s": Panel.stop,
    "u": lambda panel: panel.station.unplug(panel.connector),
}
