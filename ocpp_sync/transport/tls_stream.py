"""TLS on a stream: one thread reads while others write, and OpenSSL never sees two of them at once.

An OpenSSL object must not be read and written at the same time. The stream's one lock is round each operation, which is short because
the socket is non-blocking; the waiting happens outside of it. Reading always tries first and polls only when OpenSSL has nothing, so data
that it has decrypted already is never overlooked.
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

    def _read(self) -> bytes | None:
        self._read_wants_write = False
        try:
            # Data that crosses our close_notify is an error to OpenSSL. It is to be thrown away, for which it need not be decrypted.
            return socket.socket.recv(self._sock, CHUNK) if self._lingers else self._sock.recv(CHUNK)
        except (ssl.SSLWantReadError, BlockingIOError):
            return None
        except ssl.SSLWantWriteError:
            self._read_wants_write = True
            return None

    def _write(self, chunk: memoryview) -> int:
        self._write_wants_read = False
        try:
            return self._sock.send(chunk)
        except ssl.SSLWantWriteError:
            return 0
        except ssl.SSLWantReadError:
            self._write_wants_read = True
            return 0

    def _wait(self, events: int, deadline: float | None) -> bool:
        if self._write_wants_read:
            # The server has begun to renegotiate. The kernel would take more, but OpenSSL waits for the other side, and what comes may
            # be read by another thread.
            events, deadline = select.POLLIN, _earlier(deadline, time.monotonic() + _RENEGOTIATION_INTERVAL)
        return super()._wait(events, deadline)

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
