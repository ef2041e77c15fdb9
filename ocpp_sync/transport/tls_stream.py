"""TLS on a stream: one thread reads while others write, and OpenSSL never sees two of them at once.

An OpenSSL object must not be read and written at the same time. The stream's one lock is round each operation, which is short because
the socket is non-blocking; the waiting happens outside of it. Whoever waits asks OpenSSL first, so data that it has decrypted already is
never overlooked.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from typing import Any

from .stream import CHUNK, Stream, _earlier

__all__ = ["TlsStream"]

_RENEGOTIATION_INTERVAL = 0.1  # seconds


class TlsStream(Stream):
    """A stream over TLS.

    Args:
        sock: A TLS socket whose handshake is done; it becomes the stream's own.
        max_unsent: As for :class:`Stream`.
        stall_timeout: As for :class:`Stream`.
    """

    _sock: ssl.SSLSocket

    def __init__(self, sock: ssl.SSLSocket, *, max_unsent: int | None = None, stall_timeout: float = 30.0) -> None:
        super().__init__(sock, max_unsent=max_unsent, stall_timeout=stall_timeout)
        self._lingers = False
        self._write_wants_read = False

    @property
    def peer_certificate(self) -> dict[str, Any] | None:  # noqa: D102
        with self._lock:
            return self._sock.getpeercert() or None

    @property
    def session(self) -> ssl.SSLSession | None:
        """What a later connection may resume; None without one."""
        with self._lock:
            return self._sock.session

    @property
    def has_pending(self) -> bool:  # noqa: D102
        if super().has_pending:
            return True
        with self._lock:
            return not self._closed and self._sock.pending() > 0

    def _poll_once(self, wanted: int, deadline: float | None) -> bool:
        # What OpenSSL has decrypted already, no poll() tells.
        return bool(wanted & select.POLLIN and self.has_pending) or super()._poll_once(wanted, deadline)

    def _read(self) -> bytes | None:
        self._read_wants_write = False
        try:
            # Data that crosses our close_notify is an error to OpenSSL. It is to be thrown away, for which it need not be decrypted.
            return socket.socket.recv(self._sock, CHUNK) if self._lingers else self._sock.recv(self._chunk)
        except (ssl.SSLWantReadError, BlockingIOError):
            return None
        except ssl.SSLWantWriteError:
            self._read_wants_write = True
            return None

    def _write(self, chunk: bytes | memoryview) -> int:
        self._write_wants_read = False
        try:
            return self._sock.send(chunk)
        except ssl.SSLWantWriteError:
            return 0
        except ssl.SSLWantReadError:
            self._write_wants_read = True
            return 0

    def _wait(self, events: int, deadline: float | None, poll: select.poll | None = None) -> bool:
        if self._write_wants_read:
            # The server has begun to renegotiate. The kernel would take more, but OpenSSL waits for the other side, and what comes may
            # be read by another thread.
            events, deadline, poll = select.POLLIN, _earlier(deadline, time.monotonic() + _RENEGOTIATION_INTERVAL), None
        return super()._wait(events, deadline, poll)

    def _shutdown(self, how: int = socket.SHUT_RDWR) -> None:
        self._lingers = how == socket.SHUT_WR
        try:
            # Only says that nothing more comes from here; what the other side says to that is not waited for.
            self._sock.unwrap()
        except (OSError, ValueError):
            pass
        try:
            # Not SSLSocket's own, which drops the TLS object that another thread is about to use.
            socket.socket.shutdown(self._sock, how)
        except OSError:
            pass
