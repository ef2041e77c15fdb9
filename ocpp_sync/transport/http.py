"""The standard library's threaded HTTP server, as far as a WebSocket server needs it: one request a connection, one thread each.

The thread ends with the request; its connection may live on, and still counts.
"""

from __future__ import annotations

import errno
import http.server
import logging
import math
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Set
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ..limits import Limits
from .stream import Stream

if TYPE_CHECKING:
    import ssl

__all__ = ["Exchange", "HttpAnswer", "HttpServer", "shown_host"]

_log = logging.getLogger("ocpp_sync")

_BACKLOG = 128
_MAX_REFUSED = 64  # refused connections that may still read why
_REFUSAL_TIME = 1.0  # seconds that they have
_COMPLAINT_INTERVAL = 10.0  # seconds
_OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class HttpAnswer(NamedTuple):
    """A plain answer to what does not become a WebSocket."""

    status: int
    text: str
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def line(self) -> str:
        """Status and phrase, for example ``404 Not Found``."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return f"{self.status} Refused"

    @property
    def fields(self) -> list[tuple[str, str]]:
        """All headers."""
        length = str(len(self.body))
        return [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", length), ("Connection", "close"), *self.headers]

    @property
    def body(self) -> bytes:
        """The text as it goes out."""
        return f"{self.text}\n".encode()


_FULL = HttpAnswer(503, "There are too many connections.")


class Exchange(Protocol):
    """One request, as far as what answers it must know."""

    def open_stream(self) -> Stream:
        """Its connection."""

    def keep(self) -> Callable[[], None] | None:
        """Let the connection outlive the thread of its request; returns what must be called when it has ended. None if it cannot."""


Application = Callable[[dict[str, Any], Exchange], "HttpAnswer | None"]
"""Takes the WSGI environment of a request, and the request itself; None is no (more) answer."""


class _Place(NamedTuple):
    """A connection that counts."""

    socket: socket.socket
    host: str


class HttpServer(http.server.ThreadingHTTPServer):
    """Listens at once; :meth:`start` begins to accept.

    Args:
        host: None is every interface, IPv4 and IPv6.
        port: 0 picks a free one.
        application: What answers.
        limits: What is allowed.
        context: For TLS; None is plain HTTP. It may be replaced at any time, for the connections that come then.

    Raises:
        OSError: It cannot listen there.
    """

    daemon_threads = True
    timeout: float | None = None  # of handle_request()

    def __init__(
        self, host: str | None, port: int, application: Application, limits: Limits, context: ssl.SSLContext | None = None
    ) -> None:
        sock = _listening_socket(host, port)
        super().__init__(sock.getsockname()[:2], _Request, bind_and_activate=False)
        self.socket.close()  # the base class has made one of its own
        self.socket = sock
        self.application = application
        self.limits = limits
        self.context = context
        self._stopping = threading.Event()
        self._lock = threading.Lock()  # guards the next one but one
        self._freed = threading.Condition(self._lock)
        self._places: dict[threading.Thread, _Place] = {}  # by the thread of the request, which may have ended
        self._complained = -_COMPLAINT_INTERVAL
        self._refused: deque[tuple[float, socket.socket]] = deque()  # the accepting thread's
        self._accepting = threading.Thread(target=self._accept, name=f"ocpp-accept :{self.port}", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens at."""
        port: int = self.socket.getsockname()[1]
        return port

    def start(self) -> None:
        """Accept connections, on a thread."""
        self._accepting.start()

    def stop(self) -> None:
        """Accept no more."""
        self._stopping.set()
        _cut(self.socket)
        self._accepting.join()
        self.server_close()

    def cut(self) -> None:
        """Cut every connection that is there."""
        with self._lock:
            for place in self._places.values():
                _cut(place.socket)

    def join(self, deadline: float, but: Set[threading.Thread | None] = frozenset()) -> list[str]:
        """Wait for the connections to end, and for the threads of their requests, but for some, and the calling one.

        Returns:
            The names of the threads of those that are left at the deadline.
        """
        with self._lock:
            threads = [thread for thread in self._places if thread not in but and thread is not threading.current_thread()]
            while any(thread in self._places for thread in threads) and (left := deadline - time.monotonic()) > 0:
                self._freed.wait(left)
            names = [thread.name for thread in threads if thread in self._places]
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return names

    # --- The accepting thread

    def _accept(self) -> None:
        while not self._stopping.is_set():
            self.handle_request()
            self._forget_refused(time.monotonic() - _REFUSAL_TIME)
        self._forget_refused(math.inf)

    def get_request(self) -> tuple[socket.socket, Any]:  # noqa: D102
        try:
            return super().get_request()
        except OSError as error:
            if error.errno in _OUT_OF_DESCRIPTORS:
                self._complain(f"no connection can be accepted: {error}")
                self._stopping.wait(0.1)  # the connection still waits there, and would be tried again at once
            raise

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: D102
        host = shown_host(client_address[0])
        thread = threading.Thread(
            target=self._serve, args=(request, client_address), name=f"ocpp-http {host}:{client_address[1]}", daemon=True
        )
        with self._lock:
            full = self._full(host)
            if not full:
                self._places[thread] = _Place(request, host)
        if full:
            self._refuse(request, f"{host}: refused: {full}")
            return
        try:
            thread.start()
        except RuntimeError as error:
            self._free(thread)
            self._refuse(request, f"no thread for a connection: {error}")

    def _full(self, host: str) -> str | None:
        limits = self.limits
        if limits.max_connections is not None and len(self._places) >= limits.max_connections:
            return f"there are {limits.max_connections} connections already"
        if limits.max_connections_per_address is not None:
            count = sum(place.host == host for place in self._places.values())
            if count >= limits.max_connections_per_address:
                return f"there are {count} connections from there already"
        return None

    def _refuse(self, request: socket.socket, why: str) -> None:
        self._complain(why)
        if self.context is not None:
            self.shutdown_request(request)
            return
        try:
            request.setblocking(False)
            request.send(_head(_FULL) + _FULL.body)
            request.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        # Closing it before its request has come would reset the connection, and the client might not see the answer.
        self._refused.append((time.monotonic(), request))

    def _forget_refused(self, before: float) -> None:
        while self._refused and (self._refused[0][0] <= before or len(self._refused) > _MAX_REFUSED):
            self.close_request(self._refused.popleft()[1])
        self.timeout = _REFUSAL_TIME if self._refused else None

    def _complain(self, what: str) -> None:
        # A flood of connections must not become a flood of log lines.
        now = time.monotonic()
        if now - self._complained >= _COMPLAINT_INTERVAL:
            self._complained = now
            _log.warning("%s", what)

    # --- The thread of a connection

    def _serve(self, request: Any, client_address: Any) -> None:
        is_kept = False
        try:
            stream = self._open(request, client_address)
            if stream is not None:
                is_kept = _Request(stream, client_address, self).is_kept  # type: ignore[arg-type]
        except Exception:
            self.handle_error(request, client_address)
            self.shutdown_request(request)
        finally:
            if not is_kept:
                self._free(threading.current_thread())

    def _free(self, thread: threading.Thread) -> None:
        with self._lock:
            self._places.pop(thread, None)
            self._freed.notify_all()

    def keeping(self) -> Callable[[], None]:
        """Let the place of the calling thread outlive it; returns what frees it."""
        return partial(self._free, threading.current_thread())

    def _open(self, request: socket.socket, client_address: Any) -> Stream | None:
        limits = self.limits
        deadline = time.monotonic() + limits.handshake_timeout
        if self.context is None:
            stream: Stream | None = Stream(request, max_unsent=limits.max_unsent, stall_timeout=limits.stall_timeout)
        else:
            stream = self._secure(request, client_address, self.context)
        if stream is not None:
            stream.deadline, stream.allowance = deadline, limits.max_header_size
        return stream

    def _secure(self, request: socket.socket, client_address: Any, context: ssl.SSLContext) -> Stream | None:
        from .tls_stream import TlsStream

        host = shown_host(client_address[0])
        secured: socket.socket = request
        try:
            secured = context.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
            with self._lock:
                self._places[threading.current_thread()] = _Place(secured, host)
            secured.settimeout(self.limits.handshake_timeout)
            secured.do_handshake()
            return TlsStream(secured, max_unsent=self.limits.max_unsent, stall_timeout=self.limits.stall_timeout)
        except (OSError, ValueError) as error:
            _log.info("%s: the TLS handshake failed: %s", host, error)
            # The client has written on already: with that unread, closing would take away the alert that tells it why.
            rest = Stream(socket.socket(fileno=secured.detach()))
            rest.linger(1.0)
            rest.close()
            return None

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: D102
        _log.exception("a request of %s failed", shown_host(client_address[0]))


class _Writer:
    """The file that the base class writes its own answers to."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def write(self, data: bytes) -> int:
        return self._stream.send(data)

    def flush(self) -> None:
        pass


class _Request(http.server.BaseHTTPRequestHandler):
    server: HttpServer
    protocol_version = "HTTP/1.1"
    # An answer to what is no HTTP request has a status line, too.
    default_request_version = "HTTP/1.1"

    def setup(self) -> None:
        self.stream: Stream = self.request
        self.rfile: Any = self.stream
        self.wfile: Any = _Writer(self.stream)
        self.close_connection = True
        self.is_kept = False

    def handle(self) -> None:
        try:
            self.raw_requestline = self.stream.readline(self.server.limits.max_header_size)
            if not self.raw_requestline or not self.parse_request():
                return
            if len(self.headers) > self.server.limits.max_header_count:
                self._send(HttpAnswer(431, "There are too many headers."))
                return
            self.stream.deadline = self.stream.allowance = None
            answer = self.server.application(self._environ(), self)
            if answer is not None:
                self._send(answer)
        except OSError as error:
            _log.debug("%s: %s", shown_host(self.client_address[0]), error)
            if self.stream.allowance is not None and self.stream.allowance < 0:
                with suppress(OSError):
                    self._send(HttpAnswer(431, "The request is too long."))

    def open_stream(self) -> Stream:
        return self.stream

    def keep(self) -> Callable[[], None]:
        self.is_kept = True
        return self.server.keeping()

    def finish(self) -> None:
        if not self.is_kept:
            self.stream.close()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        # The base class would show the request, as a page.
        self._send(HttpAnswer(code, "This request is not understood."))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        _log.debug("%s: " + format, shown_host(self.client_address[0]), *args)

    def _send(self, answer: HttpAnswer) -> None:
        self.stream.send(_head(answer) + answer.body)
        self.stream.linger(1.0)

    def _environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "REQUEST_URI": self.path,
            "REMOTE_ADDR": self.client_address[0],
            "REMOTE_PORT": str(self.client_address[1]),
            "SERVER_PROTOCOL": self.request_version,
            "ocpp_sync.peer_certificate": self.stream.peer_certificate,
        }
        for name, value in self.headers.items():
            # With "_" for "-" in the names below, a header with "_" could pass for another one.
            if "_" not in name:
                key = "HTTP_" + name.upper().replace("-", "_")
                environ[key] = f"{environ[key]},{value.strip()}" if key in environ else value.strip()
        return environ


def _head(answer: HttpAnswer) -> bytes:
    lines = [f"HTTP/1.1 {answer.line}", *(f"{name}: {value}" for name, value in answer.fields), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _cut(sock: socket.socket) -> None:
    try:
        # Not a TLS socket's own, which drops what its thread is using.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        pass  # it is not connected any more


def shown_host(host: str) -> str:
    """The host of a peer; an IPv4 one as IPv4, although a socket for both shows it as ``::ffff:192.0.2.1``."""
    return host.removeprefix("::ffff:") if "." in host else host


def _listening_socket(host: str | None, port: int) -> socket.socket:
    if not host and socket.has_dualstack_ipv6():
        try:
            return socket.create_server(("", port), family=socket.AF_INET6, backlog=_BACKLOG, dualstack_ipv6=True)
        except OSError as error:
            if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                raise
    if not host:
        return socket.create_server(("", port), backlog=_BACKLOG)
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)
