"""A connected socket that one thread at a time reads while any number of threads write to it.

The socket is non-blocking. Every operation on it is short and made under one lock, and the waiting (``poll``) is done outside of it,
so no thread ever holds the lock while it waits. :meth:`Stream.send` never waits either: what the kernel does not take is kept and
goes out with the next write, from :meth:`Stream.drain`, or from the reader. So a peer that reads slowly delays only those who choose
to wait for it, each as long as it chooses.

Reading is in two halves, so that one thread may wait for many streams: :meth:`Stream.receive` takes what has come, and either
:meth:`Stream.wait` waits for more, or whoever polls asks :meth:`Stream.interest` what for and until when.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = ["CHUNK", "HIGH_WATER", "LentStream", "Stream"]

HIGH_WATER = 64 * 1024
"""How many unsent bytes there are by default until writers wait and the reader reads no more."""

CHUNK = 64 * 1024
"""How much is read and written at once, at most."""

_SMALL_CHUNK = 4096
_MAX_BUFFER = 2**30
_MAX_TIMEOUT = 2**31 - 1  # milliseconds
_ACKNOWLEDGED_WITHIN = 60.0  # seconds; by itself the kernel goes on for a quarter of an hour


class Stream:
    """The read side belongs to one thread at a time; :meth:`send`, :meth:`drain` and :meth:`shutdown` to all.

    Args:
        sock: A connected socket, which becomes the stream's own.
        max_unsent: With more unsent bytes than this, writers wait before they add to them; with more of the reader's own, it reads no
            more. The kernel's buffer is made twice as large; None leaves that as it is, with :data:`HIGH_WATER` for the rest.
        stall_timeout: Seconds after which a peer that takes none of the unsent bytes counts as dead.

    Attributes:
        max_unsent: As given.
        deadline: When reading fails with TimeoutError, in ``time.monotonic()`` seconds; None is never. For the time of a handshake.
        allowance: How many more bytes may be read; None is any number. For the time of a handshake.
        received_bytes: How many have come since the beginning; of TLS, what was in it.
    """

    def __init__(self, sock: socket.socket, *, max_unsent: int | None = None, stall_timeout: float = 30.0) -> None:
        sock.setblocking(False)
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            _give_up_after(sock, _ACKNOWLEDGED_WITHIN)
            if max_unsent is not None:
                # By itself it grows to several MiB for each peer that does not read.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, min(2 * max_unsent, _MAX_BUFFER))
        self.deadline: float | None = None
        self.allowance: int | None = None
        self.max_unsent = HIGH_WATER if max_unsent is None else max_unsent
        self._sock = sock
        self._descriptor = sock.fileno()
        self._stall_timeout = stall_timeout
        self._lock = threading.Lock()
        self._unsent = bytearray()
        self._progress = 0.0  # when the kernel last took bytes, or when the first unsent ones came
        self.received_bytes = 0
        self._taken = self._sent = 0  # bytes since the beginning
        self._owed = 0  # bytes that the reader has sent, the last of which are still unsent
        self._owed_end = 0  # where they end, counted as in _taken
        self._chunk = _SMALL_CHUNK  # how much is read next
        self._received = b""
        self._position = 0
        self._poll: select.poll | None = None  # the reader's, with the events that it waits for
        self._polled = -1
        self._keep_alive: tuple[float, float, Callable[[], None]] | None = None
        self._heard = 0.0  # when the last bytes came
        self._asked: float | None = None  # when a sign of life was asked for, since then
        self._pollers = 0
        self._read_wants_write = False  # only TLS ever does
        self._is_finishing = False
        self._closed = False
        self._broken: OSError | None = None

    @property
    def peer_certificate(self) -> dict[str, Any] | None:
        """The certificate that the other side has shown and that was verified; None without one."""
        return None

    @property
    def failure(self) -> str:
        """What has broken the connection; empty if nothing has, or the other side."""
        return "" if self._broken is None else str(self._broken)

    @property
    def is_overdue(self) -> bool:
        """Whether the deadline has passed."""
        return _passed(self.deadline)

    def keep_alive(self, interval: float, timeout: float, ask: Callable[[], None]) -> None:
        """Ask for a sign of life when none has come for a time, and take the connection for dead when none comes (rule A7).

        Whatever bytes come are one. The system is told to give up unacknowledged data after as long.

        Args:
            interval: Seconds of silence.
            timeout: Seconds for the sign to come.
            ask: Called by the reader, in :meth:`check`; it must not wait.
        """
        self._heard, self._asked = time.monotonic(), None
        self._keep_alive = interval, timeout, ask
        if self._sock.family in (socket.AF_INET, socket.AF_INET6):
            _give_up_after(self._sock, interval + timeout)

    # --- Reading: one thread

    def recv(self, size: int) -> bytes:
        """At least one and at most ``size`` bytes; waits for them. ``b""`` is the end.

        Raises:
            TimeoutError: The deadline passed, or the peer has stalled.
            OSError: The connection is broken, or more came than is allowed.
        """
        if self._position == len(self._received) and not self._fill():
            return b""
        data = self._received[self._position : self._position + size]
        self._take(len(data))
        return data

    def readline(self, size: int = -1) -> bytes:
        """Bytes up to a line feed, the end of the stream, or ``size``; for :mod:`http.server`, which reads a file."""
        line = bytearray()
        while (size < 0 or len(line) < size) and not line.endswith(b"\n"):
            if self._position == len(self._received) and not self._fill():
                break
            end = self._received.find(b"\n", self._position) + 1 or len(self._received)
            if size >= 0:
                end = min(end, self._position + size - len(line))
            line += self._received[self._position : end]
            self._take(end - self._position)
        return bytes(line)

    def _take(self, count: int) -> None:
        self._position += count
        if self.allowance is not None:
            self.allowance -= count
            if self.allowance < 0:
                raise OSError("the other side sent more than is allowed before the connection is open")

    def _fill(self) -> bool:
        while True:
            data = self.receive()
            if data is not None:
                self._received, self._position = data, 0
                return bool(data)
            self.wait()

    def receive(self) -> bytes | None:
        """What has come, without waiting: None if nothing has, ``b""`` is the end.

        Raises:
            TimeoutError: The deadline passed.
            OSError: The connection is broken.
        """
        if self._position < len(self._received):  # what :meth:`recv` has left
            rest, self._received, self._position = self._received[self._position :], b"", 0
            return rest
        if _passed(self.deadline):  # however much a slow peer still sends
            raise TimeoutError("the time to read is over")
        with self._lock:
            if self._closed:
                return b""
            if self._unsent:
                self._push()
                # A peer that sends but does not read must not make us keep ever more answers for it. Only what the reader itself has
                # to say counts: two sides that write much at once must both go on reading.
                if self._owed > self.max_unsent:
                    return None
            data = self._read()
        if data is not None:
            self.received_bytes += len(data)
            # A buffer of full size for each small message costs time, and leaves holes in the memory.
            self._chunk = CHUNK if len(data) >= self._chunk else _SMALL_CHUNK
            if self._keep_alive is not None:
                self._heard, self._asked = time.monotonic(), None
        return data

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    @property
    def sent_bytes(self) -> int:
        """How many the kernel has taken since the beginning."""
        return self._sent

    @property
    def has_unsent(self) -> bool:
        """Whether there is something that the kernel has not taken yet, or never will."""
        return bool(self._unsent) or self._sent != self._taken

    @property
    def has_pending(self) -> bool:
        """Whether there is something to receive of which the kernel does not know."""
        return self._position < len(self._received)

    def interest(self) -> tuple[int, float | None]:
        """What the reader waits for: the events of ``poll``, and when to call :meth:`check`, in ``time.monotonic()`` seconds."""
        wanted, due = select.POLLIN, self.deadline
        if self._owed > self.max_unsent:
            wanted = 0
        elif self._keep_alive is not None:  # while it does not read, it hears nothing
            due = _earlier(due, self._silent_at())
        if self._unsent:
            wanted |= select.POLLOUT
            due = _earlier(due, self._progress + self._stall_timeout)
        elif self._read_wants_write:
            wanted |= select.POLLOUT
        return wanted, due

    def wait(self, until: float | None = None) -> bool:
        """Wait until there may be something to receive; false if a time came first, this or one of the stream's own.

        Args:
            until: In ``time.monotonic()`` seconds; None is as long as it takes.

        Raises:
            OSError: As for :meth:`check`.
        """
        wanted, due = self.interest()
        if self._poll_once(wanted, _earlier(due, until)):
            return True
        self.check()
        return False

    def check(self) -> None:
        """Do what is due: ask for a sign of life, or give up.

        Raises:
            TimeoutError: The deadline passed, the peer has stalled, or it is dead; the connection may live on in the first case only.
        """
        if _passed(self.deadline):
            raise TimeoutError("the time to read is over")
        self._fail_if_stalled()
        if self._keep_alive is not None and self._owed <= self.max_unsent and _passed(self._silent_at()):
            self._fail_if_dead()

    def _poll_once(self, wanted: int, deadline: float | None) -> bool:
        if self._poll is None:
            self._poll = select.poll()
        if wanted != self._polled:
            self._polled = -1  # Ctrl-C may come between the two
            self._poll.register(self._descriptor, wanted)
            self._polled = wanted
        return self._wait(wanted, deadline, self._poll)

    def _silent_at(self) -> float | None:
        """When something is to be done about the other side's silence."""
        if self._keep_alive is None:
            return None
        interval, timeout, _ = self._keep_alive
        return self._heard + interval if self._asked is None else self._asked + timeout

    def _fail_if_dead(self) -> None:
        """Ask for a sign of life, or give up if that was done already."""
        assert self._keep_alive is not None
        interval, timeout, ask = self._keep_alive
        if self._asked is None:
            self._asked = time.monotonic()
            ask()
            return
        with self._lock:
            self._break(TimeoutError(f"half open: no sign of life for {interval + timeout:g} s"))
            self._reset_at_close()
            self._check()

    def _read(self) -> bytes | None:
        """What the kernel has, or None; the lock is held."""
        try:
            return self._sock.recv(self._chunk)
        except BlockingIOError:
            return None

    # --- Writing: any thread

    def send(self, data: bytes, *, is_owed: bool = False) -> int:
        """Take all of ``data``, to be sent in order; never waits.

        Args:
            data: What to send.
            is_owed: It is an answer of the reader's to what the peer has sent: with too much of that unsent, no more is read.

        Raises:
            OSError: The connection is closed or broken.
        """
        with self._lock:
            self._check()
            self._taken += len(data)
            if is_owed:
                self._owed += len(data)
                self._owed_end = self._taken
            if self._unsent:
                self._unsent += data
                self._push()
            else:
                self._progress = time.monotonic()
                self._push(data)
            self._check()
        return len(data)

    def send_owed(self, data: bytes) -> int:
        """:meth:`send` for the reader, and for a library that answers by itself."""
        return self.send(data, is_owed=True)

    def drain(self, deadline: float | None = None, *, below: int = 0) -> bool:
        """Wait until at most ``below`` bytes are unsent.

        Args:
            deadline: Until when, in ``time.monotonic()`` seconds; None is as long as it takes.
            below: A number of bytes.

        Returns:
            False if the deadline passed first.

        Raises:
            TimeoutError: The peer has taken nothing for ``stall_timeout`` seconds; the connection is broken now.
            OSError: The connection is closed or broken.
        """
        while True:
            if not self._unsent and self._broken is None and not self._closed:
                return True  # as nearly always
            with self._lock:
                self._check()
                self._push()
                self._check()
                if len(self._unsent) <= below:
                    return True
                stalled = self._progress + self._stall_timeout
            if not self._wait(select.POLLOUT, _earlier(deadline, stalled)):
                if _passed(deadline):
                    return False
                self._fail_if_stalled()

    @property
    def flushed(self) -> bool:
        """Whether the kernel has got all that was sent, whatever has become of the connection since."""
        with self._lock:
            return self._sent == self._taken

    def _push(self, data: bytes = b"") -> None:
        """Hand to the kernel what it takes of what is unsent, or of ``data`` if nothing is; the lock is held."""
        while (data or self._unsent) and self._broken is None:
            try:
                if data:  # nearly always the kernel takes it, and nothing is copied
                    sent = self._write(data if len(data) <= CHUNK else data[:CHUNK])
                    if sent < len(data):
                        self._unsent += data[sent:]
                    data = b""
                else:
                    with memoryview(self._unsent) as view, view[:CHUNK] as chunk:
                        sent = self._write(chunk)
                    del self._unsent[:sent]
            except OSError as error:
                self._break(error)
                return
            except BaseException:
                # Ctrl-C: nobody knows what the kernel has taken, and nothing must go out twice.
                self._break(ConnectionResetError("a write was interrupted"))
                raise
            if not sent:
                return
            self._sent += sent
            if self._sent >= self._owed_end:
                self._owed = 0
            self._progress = time.monotonic()
        if self._is_finishing and not self._unsent and self._broken is None:
            self._is_finishing = False
            self._shutdown(socket.SHUT_WR)

    def _write(self, chunk: bytes | memoryview) -> int:
        """How many bytes the kernel takes, 0 if none for now; the lock is held."""
        try:
            return self._sock.send(chunk)
        except BlockingIOError:
            return 0

    def _fail_if_stalled(self) -> None:
        with self._lock:
            if self._unsent and time.monotonic() >= self._progress + self._stall_timeout:
                self._break(TimeoutError(f"the other side has taken nothing for {self._stall_timeout:g} s"))
                self._reset_at_close()
            self._check()

    def _reset_at_close(self) -> None:
        # What the kernel holds would keep it busy for minutes, and the other side would not be told.
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _break(self, error: OSError) -> None:
        self._broken = error
        self._unsent.clear()
        self._owed = 0
        self._shutdown()

    def _check(self) -> None:
        if self._closed:
            raise ConnectionResetError("the socket is closed")
        if self._broken is not None:
            raise type(self._broken)(*self._broken.args)

    # --- Waiting and ending

    def _wait(self, events: int, deadline: float | None, poll: select.poll | None = None) -> bool:
        """Wait outside the lock; the descriptor stays open for as long as somebody polls it."""
        with self._lock:
            if self._closed:
                return True  # the caller looks again and sees it
            self._pollers += 1
        try:
            if poll is None:
                poll = select.poll()
                poll.register(self._descriptor, events)
            return bool(poll.poll(_milliseconds(deadline)))
        finally:
            with self._lock:
                self._pollers -= 1
                if self._closed:
                    self._close_if_unused()

    def finish(self) -> None:
        """Say that nothing more comes from here, as soon as what is unsent has gone."""
        with self._lock:
            self._is_finishing = True
            self._push()

    def linger(self, seconds: float) -> None:
        """:meth:`finish`, and throw away what still comes in, until the end or for a time; for the reader.

        Closing a socket with unread bytes in it resets the connection, and the other side may lose the close frame.
        """
        self.deadline, self.allowance = _earlier(self.deadline, time.monotonic() + seconds), None
        try:
            self.finish()
            while self.recv(CHUNK):
                pass
        except OSError:
            pass

    def shutdown(self, how: int = socket.SHUT_RDWR) -> None:
        """End the connection: whoever waits, in whatever thread, comes back. The socket stays open until :meth:`close`."""
        with self._lock:
            if not self._closed:
                self._shutdown(how)

    def _shutdown(self, how: int = socket.SHUT_RDWR) -> None:
        try:
            self._sock.shutdown(how)
        except OSError:
            pass  # it is not connected any more

    def close(self) -> None:
        """End the connection and release the socket; once is enough, more does not hurt."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._unsent.clear()
                self._keep_alive = None
                self._shutdown()
            self._close_if_unused()

    def _close_if_unused(self) -> None:
        if self._closed and self._pollers == 0:
            self._sock.close()


class LentStream:
    """A stream as the WebSocket libraries get it: a socket that blocks, and whose end is not their business."""

    def __init__(self, stream: Stream) -> None:
        self.recv = stream.recv
        self.send = stream.send_owed

    def gettimeout(self) -> None:
        """Always None; see :attr:`Stream.deadline`."""

    def close(self) -> None:
        """Without effect: the link closes its stream."""


def _give_up_after(sock: socket.socket, seconds: float) -> None:
    """Let the connection end when nothing acknowledges what was sent, so that a dead link is found without pings too."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, min(int(seconds * 1000), _MAX_TIMEOUT))


def _earlier(first: float | None, second: float | None) -> float | None:
    if first is None or second is None:
        return second if first is None else first
    return min(first, second)


def _passed(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() >= deadline


def _milliseconds(deadline: float | None) -> float | None:
    # A day at most: poll() takes no more than 2^31; whoever waits looks at the clock again anyway.
    return None if deadline is None else min(max(0.0, deadline - time.monotonic()), 86_400.0) * 1000 + 1
