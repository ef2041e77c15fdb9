"""What a WebSocket link is to the rest of the package, whichever library and whichever end it is."""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

from ..errors import ConnectionClosed
from .stream import Stream

__all__ = [
    "ABNORMAL",
    "GOING_AWAY",
    "INVALID_DATA",
    "NORMAL",
    "NO_STATUS",
    "POLICY_VIOLATION",
    "PROTOCOL_ERROR",
    "TOO_BIG",
    "UNSUPPORTED_DATA",
    "Closed",
    "Link",
]

# Close codes of RFC 6455, 7.4.1. The second row never goes over the wire.
NORMAL, GOING_AWAY, PROTOCOL_ERROR, UNSUPPORTED_DATA, INVALID_DATA, POLICY_VIOLATION, TOO_BIG = 1000, 1001, 1002, 1003, 1007, 1008, 1009
NO_STATUS, ABNORMAL = 1005, 1006

_log = logging.getLogger("ocpp_sync")

_MAX_REASON = 123  # bytes; RFC 6455, 5.5
_LINGER = 2.0  # seconds for the other side to take our close frame after it broke a rule


class Closed(NamedTuple):
    """How a link ended: a close code, and the text that came with it."""

    code: int
    reason: str


class Link(ABC):
    """An open WebSocket.

    One thread calls :meth:`run`; :meth:`send`, :meth:`close` and :meth:`abort` are for any thread. None of them waits for the reader.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._send_lock = threading.Lock()  # round the framing of one message, which never waits
        self._closed_by_us: Closed | None = None
        self._silent = False  # its first message is waited for

    def keep_alive(self, interval: float, timeout: float) -> None:
        """Send a ping after ``interval`` seconds of silence; the link ends as half open if nothing comes for ``timeout`` more (rule A7)."""
        self._stream.keep_alive(interval, timeout, self._ping)

    def _ping(self) -> None:
        with self._send_lock:
            if self._closed_by_us is None:
                try:
                    self._send_ping()
                except OSError:
                    pass  # the reader, who has called this, will see it

    def run(self, receive: Callable[[str], None], *, first_message_timeout: float | None = None) -> Closed:
        """Read until the link ends; then the socket is closed.

        Args:
            receive: Takes each text message until this side closes. It must not raise, and may wait: nothing is read meanwhile.
            first_message_timeout: Seconds for the first one to come; then the link is closed with 1008. None is any time.

        Returns:
            How the link ended; as this side said when it was the first to close.
        """
        if first_message_timeout is not None:
            self._silent, self._stream.deadline = True, time.monotonic() + first_message_timeout

        def take(text: str) -> None:
            if self._closed_by_us is None:
                if self._silent:
                    self._silent, self._stream.deadline = False, None
                receive(text)

        try:
            closed = self._read(take)
            if self._silent and self._closed_by_us is None and self._stream.is_overdue:
                closed = self._refuse(POLICY_VIOLATION, f"no message came in the first {first_message_timeout:g} s")
        except (OSError, UnicodeError) as error:
            closed = Closed(ABNORMAL, str(error))
        finally:
            with self._send_lock:  # a close frame that is about to be written goes out first
                self._stream.close()
        return self._closed_by_us or closed

    def send(self, text: str, deadline: float | None = None) -> bool:
        """Send a text message, and stay until the kernel has all of it, or the deadline passes.

        Args:
            text: The message.
            deadline: In ``time.monotonic()`` seconds; None is as long as the link lives.

        Returns:
            False if the other side reads so slowly that there was no room for the message until the deadline: it is not sent then.

        Raises:
            ConnectionClosed: The link is closed or broken.
        """
        try:
            if not self._stream.drain(deadline, below=self._stream.max_unsent):
                return False
        except OSError as error:
            raise self._lost(error) from error
        self.post(text)
        try:
            self._stream.drain(deadline)
        except OSError as error:
            if not self._stream.flushed:  # else it has gone out, and only then was the link lost
                raise self._lost(error) from error
        return True

    def post(self, text: str) -> None:
        """Send a text message without waiting for anything: for the reader.

        Raises:
            ConnectionClosed: The link is closed or broken.
        """
        with self._send_lock:
            if self._closed_by_us is not None:
                raise ConnectionClosed(*self._closed_by_us)
            try:
                self._send_text(text)
            except OSError as error:
                raise self._lost(error) from error

    def _lost(self, error: OSError) -> ConnectionClosed:
        return ConnectionClosed(*(self._closed_by_us or (ABNORMAL, str(error))))

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Send the close frame, once; the reader ends when the other side has answered it, or at :meth:`abort`."""
        with self._send_lock:
            if self._closed_by_us is None:
                # Cut to whole characters.
                reason = reason.encode()[:_MAX_REASON].decode(errors="ignore")
                self._closed_by_us = Closed(code, reason)
                try:
                    self._send_close(code, reason)
                except OSError:
                    self._stream.shutdown()

    def fail(self, code: int, reason: str) -> None:
        """Close because the other side broke a rule; it has a moment to answer, then the reader ends anyway. For the reader."""
        self._complain(code, reason)
        deadline = time.monotonic() + _LINGER
        if self._stream.deadline is None or self._stream.deadline > deadline:  # that for the first message may be later
            self._stream.deadline = deadline

    def abort(self) -> None:
        """Cut the connection now; the reader ends at once."""
        self._stream.shutdown()

    def _refuse(self, code: int, reason: str) -> Closed:
        """As :meth:`fail`, when what comes next cannot be read any more."""
        self._complain(code, reason)
        self._stream.linger(_LINGER)
        return Closed(code, reason)

    def _complain(self, code: int, reason: str) -> None:
        if self._closed_by_us is None:
            # The reader's thread has the identity in its name.
            _log.warning("%s: closing with %d: %s", threading.current_thread().name, code, reason)
        self.close(code, reason)

    @abstractmethod
    def _read(self, receive: Callable[[str], None]) -> Closed:
        """Read until the other side closes, or breaks a rule (then say so in a close frame)."""

    @abstractmethod
    def _send_text(self, text: str) -> None:
        """Frame a text message and give it to the stream."""

    @abstractmethod
    def _send_ping(self) -> None:
        """Frame a ping and give it to the stream."""

    @abstractmethod
    def _send_close(self, code: int, reason: str) -> None:
        """Frame a close message and give it to the stream."""
