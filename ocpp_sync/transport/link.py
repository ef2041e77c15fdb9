"""What a WebSocket link is to the rest of the package, whichever library and whichever end it is."""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

from ..errors import ConnectionClosed
from .frames import FrameReader, FrameWriter, OtherFrame
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

    One thread at a time reads: it calls :meth:`step` and :meth:`wait` in turn, or :meth:`run`, which does. :meth:`send`, :meth:`close`
    and :meth:`abort` are for any thread. None of them waits for the reader.

    Args:
        stream: What it goes over.
        library: The WebSocket of the library, connected.
        is_client: Whether this side is the client.
        max_message_size: Bytes of the largest message that is taken.

    Attributes:
        name: For the log.
        stream: As given.
        frames_in: How many text messages have come.
        frames_out: How many have gone out.
    """

    def __init__(self, stream: Stream, library: Any, *, is_client: bool, max_message_size: int) -> None:
        self.name = ""
        self.stream = stream
        self.frames_in = self.frames_out = 0
        self._library = library
        self._writer = FrameWriter(is_masked=is_client)
        self._frames = FrameReader(is_masked=not is_client, max_size=max_message_size)
        self._send_lock = threading.Lock()  # round the framing of one message, which never waits
        self._closed_by_us: Closed | None = None
        self._refused: Closed | None = None  # nothing more of it can be read; it has a moment to take our close frame
        self._ended: Closed | None = None
        self._has_frames = False  # that were left for the next step
        self._first_message_timeout: float | None = None  # set while its first message is waited for

    def keep_alive(self, interval: float, timeout: float) -> None:
        """Send a ping after ``interval`` seconds of silence; the link ends as half open if nothing comes for ``timeout`` more (rule A7)."""
        self.stream.keep_alive(interval, timeout, self._ping)

    def _ping(self) -> None:
        with self._send_lock:
            if self._closed_by_us is None:
                try:
                    self._send_ping()
                except OSError:
                    pass  # the reader, who has called this, will see it

    # --- Reading

    def expect_message(self, timeout: float) -> None:
        """Close the link with 1008 if no message has come in so many seconds. For the reader, before it begins."""
        self._first_message_timeout = timeout
        self.stream.deadline = time.monotonic() + timeout

    def run(self, receive: Callable[[str], object]) -> Closed:
        """Read until the link ends; then the socket is closed.

        Args:
            receive: As for :meth:`step`.

        Returns:
            How the link ended; as this side said when it was the first to close.
        """
        try:
            while (closed := self.step(receive)) is None:
                self.wait()
            return closed
        finally:
            self.end()

    @property
    def has_unread(self) -> bool:
        """Whether there is something to :meth:`step` through before anything more comes."""
        return self._ended is not None or self._has_frames or self.stream.has_pending

    def step(self, receive: Callable[[str], object]) -> Closed | None:
        """Read what has come, without waiting.

        Args:
            receive: Takes each text message until this side closes. It must not raise. False is enough for now: what has come with the
                message is kept for the next step.

        Returns:
            How the link ended, as this side said when it was the first to close; :meth:`end` is next. None while it lives.
        """
        try:
            closed = self._ended or self._step(receive)
        except (OSError, UnicodeError) as error:
            closed = self._failed(error)
        except BaseException:
            self.abort()  # Ctrl-C: nobody knows what was taken of the last message
            raise
        return None if closed is None else self._closed_by_us or closed

    def end(self) -> None:
        """Close the socket; for the reader, when the link has ended."""
        with self._send_lock:  # a close frame that is about to be written goes out first
            self.stream.close()
            self._let_go()

    def _step(self, receive: Callable[[str], object]) -> Closed | None:
        frames = self._frames
        if not self._has_frames:
            data = self.stream.receive()
            if data is None:
                return None
            if not data:
                return self._refused or Closed(ABNORMAL, self.stream.failure or "the connection was lost")
            if self._refused is not None:
                return None
            frames.feed(data)
        self._has_frames = False
        while self._refused is None:
            try:
                message = frames.next()
            except UnicodeDecodeError:
                self.fail(INVALID_DATA, "the text is no UTF-8")
                continue
            if message is None:
                return None
            if isinstance(message, OtherFrame):
                closed, text = self._read_frame()
                if closed is not None:
                    return closed
                if text is None:
                    continue
            else:
                text = message
            if self._closed_by_us is None and self._take(receive, text) is False:
                self._has_frames = True
                return None
        return None

    def _take(self, receive: Callable[[str], object], message: str) -> object:
        self.frames_in += 1
        if self._first_message_timeout is not None:
            self._first_message_timeout, self.stream.deadline = None, None
        return receive(message)

    def wait(self, until: float | None = None) -> bool:
        """Wait until there is something to read, or until a time; for the reader.

        Args:
            until: In ``time.monotonic()`` seconds; None is as long as it takes. It may come back earlier.

        Returns:
            Whether there may be something to read.
        """
        if self._ended is not None or self._has_frames:
            return True
        try:
            return self.stream.wait(until)
        except OSError as error:
            self._ended = self._failed(error)
            return True

    def check(self) -> None:
        """Do what is due; see :meth:`~ocpp_sync.transport.stream.Stream.check`. For a reader that does not :meth:`wait`."""
        try:
            self.stream.check()
        except OSError as error:
            self._ended = self._failed(error)

    def _failed(self, error: Exception) -> Closed | None:
        if self._refused is not None:
            return self._refused
        if self._first_message_timeout is not None and self._closed_by_us is None and self.stream.is_overdue:
            reason = f"no message came in the first {self._first_message_timeout:g} s"
            self._first_message_timeout, self.stream.deadline = None, None
            self._refuse(POLICY_VIOLATION, reason)
            return None
        return Closed(ABNORMAL, self.stream.failure or str(error))

    # --- Writing

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
        stream = self.stream
        if stream.has_unsent:
            try:
                if not stream.drain(deadline, below=stream.max_unsent):
                    return False
            except OSError as error:
                raise self._lost(error) from error
        self._send(text, is_owed=False)
        if stream.has_unsent:
            try:
                stream.drain(deadline)
            except OSError as error:
                if not stream.flushed:  # else it has gone out, and only then was the link lost
                    raise self._lost(error) from error
        return True

    def post(self, text: str) -> None:
        """Send a text message without waiting for anything: for the reader.

        Raises:
            ConnectionClosed: The link is closed or broken.
        """
        self._send(text, is_owed=True)

    def _send(self, text: str, *, is_owed: bool) -> None:
        with self._send_lock:
            if self._closed_by_us is not None:
                raise ConnectionClosed(*self._closed_by_us)
            self.frames_out += 1  # first: whoever has got its answer finds it counted
            try:
                self._send_text(text, is_owed=is_owed)
            except OSError as error:
                self.frames_out -= 1
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
                    self.stream.shutdown()

    def fail(self, code: int, reason: str) -> None:
        """Close because the other side broke a rule; it has a moment to answer, then the reader ends anyway. For the reader."""
        self._complain(code, reason)
        self._hurry()

    def abort(self) -> None:
        """Cut the connection now; the reader ends at once."""
        self.stream.shutdown()

    def _refuse(self, code: int, reason: str) -> None:
        """As :meth:`fail`, when what comes next cannot be read any more: it is thrown away, until the other side has closed.

        Closing a socket with unread bytes in it resets the connection, and the other side may lose the close frame.
        """
        self._complain(code, reason)
        self._refused = Closed(code, reason)
        self._hurry()
        self.stream.finish()

    def _hurry(self) -> None:
        deadline = time.monotonic() + _LINGER
        if self.stream.deadline is None or self.stream.deadline > deadline:  # that for the first message may be later
            self.stream.deadline = deadline

    def _complain(self, code: int, reason: str) -> None:
        if self._closed_by_us is None:
            _log.warning("%s: closing with %d: %s", self.name or threading.current_thread().name, code, reason)
        self.close(code, reason)

    @abstractmethod
    def _read_frame(self) -> tuple[Closed | None, str | None]:
        """Let the library read a frame: how the link ended if it has, and the message that is complete now, if one is."""

    def _send_text(self, text: str, *, is_owed: bool) -> None:
        """Frame a text message and give it to the stream."""
        if not self._library.connected:
            raise ConnectionResetError("the other side has closed the connection")
        self.stream.send(self._writer.frame(text), is_owed=is_owed)

    @abstractmethod
    def _let_go(self) -> None:
        """Break the circles of references in the library, so that the memory is free at once; nothing is read any more."""

    @abstractmethod
    def _send_ping(self) -> None:
        """Frame a ping and give it to the stream."""

    @abstractmethod
    def _send_close(self, code: int, reason: str) -> None:
        """Frame a close message and give it to the stream."""
