"""The standard library's threaded HTTP server, as far as a WebSocket server needs it: one request a connection, one thread each."""

from __future__ import annotations

import errno
import http.server
import logging
import socket
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple

from .stream import Stream

__all__ = ["HttpAnswer", "HttpServer", "shown_host"]

_log = logging.getLogger("ocpp_sync")

_BACKLOG = 128
_MAX_HEAD = 64 * 1024  # bytes of a request line and headers
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


Application = Callable[[dict[str, Any], Callable[[], Stream]], "HttpAnswer | None"]
"""Takes the WSGI environment of a request, and what gives its connection; None is no (more) answer."""


class HttpServer(http.server.ThreadingHTTPServer):
    """Listens at once; :meth:`start` begins to accept.

    Args:
        host: None is every interface, IPv4 and IPv6.
        port: 0 picks a free one.
        application: What answers.
        head_timeout: Seconds that a client has for its request.

    Raises:
        OSError: It cannot listen there.
    """

    daemon_threads = True
    timeout = None

    def __init__(self, host: str | None, port: int, application: Application, head_timeout: float) -> None:
        sock = _listening_socket(host, port)
        super().__init__(sock.getsockname()[:2], _Request, bind_and_activate=False)
        self.socket.close()  # the base class has made one of its own
        self.socket = sock
        self.application = application
        self.head_timeout = head_timeout
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._requests: dict[threading.Thread, socket.socket] = {}
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
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._accepting.join()
        self.server_close()

    def cut(self) -> None:
        """Cut every connection that is there."""
        with self._lock:
            for sock in self._requests.values():
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def join(self, deadline: float) -> list[str]:
        """Wait for the threads of the connections.

        Returns:
            The names of those that still run at the deadline.
        """
        with self._lock:
            threads = [thread for thread in self._requests if thread is not threading.current_thread()]
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return [thread.name for thread in threads if thread.is_alive()]

    def _accept(self) -> None:
        while not self._stopping.is_set():
            self.handle_request()

    def get_request(self) -> tuple[socket.socket, Any]:  # noqa: D102
        try:
            return super().get_request()
        except OSError as error:
            if error.errno in _OUT_OF_DESCRIPTORS:
                _log.error("no connection can be accepted: %s", error)
                self._stopping.wait(0.1)  # the connection still waits there, and would be tried again at once
            raise

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: D102
        name = f"ocpp-http {shown_host(client_address[0])}:{client_address[1]}"
        thread = threading.Thread(target=self._serve, args=(request, client_address), name=name, daemon=True)
        with self._lock:
            self._requests[thread] = request
        try:
            thread.start()
        except RuntimeError:
            with self._lock:
                del self._requests[thread]
            raise

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
            # The stream closes the socket, as soon as no thread polls it any more.
        except Exception:
            self.handle_error(request, client_address)
            self.shutdown_request(request)
        finally:
            with self._lock:
                del self._requests[threading.current_thread()]

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
    error_content_type = "text/plain"
    error_message_format = "%(message)s\n"

    def setup(self) -> None:
        self.stream = Stream(self.request)
        self.stream.deadline = time.monotonic() + self.server.head_timeout
        self.stream.allowance = _MAX_HEAD
        self.rfile = self.stream  # type: ignore[assignment]
        self.wfile = _Writer(self.stream)  # type: ignore[assignment]
        self.close_connection = True

    def handle(self) -> None:
        try:
            self.raw_requestline = self.stream.readline(_MAX_HEAD)
            if not self.raw_requestline or not self.parse_request():
                self.stream.linger(1.0)
                return
            self.stream.deadline = self.stream.allowance = None
            answer = self.server.application(self._environ(), lambda: self.stream)
            if answer is not None:
                self._send(answer)
        except OSError as error:
            _log.debug("%s: %s", shown_host(self.client_address[0]), error)

    def finish(self) -> None:
        self.stream.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        _log.debug("%s: " + format, shown_host(self.client_address[0]), *args)

    def _send(self, answer: HttpAnswer) -> None:
        head = [f"HTTP/1.1 {answer.line}", *(f"{name}: {value}" for name, value in answer.fields), "", ""]
        self.stream.send("\r\n".join(head).encode("latin-1") + answer.body)
        self.stream.linger(1.0)

    def _environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "REQUEST_URI": self.path,
            "REMOTE_ADDR": self.client_address[0],
            "REMOTE_PORT": str(self.client_address[1]),
            "SERVER_PROTOCOL": self.request_version,
        }
        for name, value in self.headers.items():
            # With "_" for "-" in the names below, a header with "_" could pass for another one.
            if "_" not in name:
                key = "HTTP_" + name.upper().replace("-", "_")
                environ[key] = f"{environ[key]},{value.strip()}" if key in environ else value.strip()
        return environ


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
