"""The CSMS's end: :class:`OcppServer`."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from .admission import Admission, Admitted
from .deadlines import checked_timeout
from .endpoint import DEFAULT_MAX_MESSAGE_SIZE, checked_size
from .handlers import Handler, Handlers
from .handshake import subprotocols, version_of
from .limits import Limits
from .registry import Registry
from .schemas import overlaid
from .served import Served
from .server_connection import EVENTS as CONNECTION_EVENTS
from .server_connection import OcppClientConnection
from .transport.http import Exchange, HttpAnswer, HttpServer
from .transport.server import accept_link
from .transport.stream import Stream
from .typed import Version
from .validation import ValidationPolicy

if TYPE_CHECKING:
    import socket
    import ssl
    from types import TracebackType
    from typing import TextIO

    from typing_extensions import Self

    from .reactor import Reactor
    from .stats import Durations
    from .transport.link import Link

__all__ = ["OcppServer"]

_log = logging.getLogger("ocpp_sync")

_EVENTS = ("authorization", "rejected", "connection", *CONNECTION_EVENTS)
_MISMATCH = ("close", "refuse")
_GOING_AWAY, _PROTOCOL_ERROR = 1001, 1002
_CLOSE_TIMEOUT = 5.0  # seconds for everything that close() waits for
_ANY_IPV4 = "0.0.0.0"  # noqa: S104 (it is compared with)

_V = TypeVar("_V", bound=Version)
_H = TypeVar("_H", bound=Handler)
_File = str | PathLike[str]


class OcppServer:
    """A CSMS for tests, a bench, a REPL: charge points connect to it, and are called by their identity.

    ::

        with OcppServer() as server:
            server.on("BootNotification", lambda charge_point, request: {"status": "Accepted", "currentTime": utcnow(), "interval": 300})
            server.listen(9220)
            server.wait_for("CP1111").call("Reset", {"type": "Soft"})

    Args:
        versions: The versions that it speaks; each charge point gets the first of its own that is among them (rule A3).
        call_timeout: Seconds that a call waits for its answer; None is as long as the link lives (rule B4).
        ping_interval: Seconds of silence after which a ping is sent; 0 or None sends none (rule A7).
        pong_timeout: Seconds after that in which something must come, else the link is taken for half open, and lost.
        validation: ``"strict"``, ``"warn"`` or ``"off"``, or a mapping to these from ``"in"``, ``"out"``, actions, or both
            (``"in:MeterValues"``); the most specific key wins.
        max_message_size: Bytes of the largest message that is taken, after inflation; a larger one closes the link with 1009.
        compression: Whether to compress for a charge point that offers it (RFC 7692, rule A6); costs about 100 KiB a connection.
        subprotocol_mismatch: What becomes of a charge point whose versions are none of these: ``"close"`` completes the upgrade and
            closes at once with 1002, as the specification has it; ``"refuse"`` answers 400 (rule A4).
        verify_identity: Whether a charge point's certificate must name its identity, by its CN or a SAN (rule C7); else it is refused
            with 403.
        limits: What it allows those who connect to it; None is the defaults of :class:`Limits`.
        schemas: What is laid over the schemas of OCPP, for charge points that keep to rules of their own and for own actions: a mapping, or
            the path of a JSON file or a folder of such files, see docs/own-messages.md; None is nothing.
        redact: Whether passwords and keys are masked in what the ``frame`` event shows.
        slow_handler: Seconds after which a handler that others wait for is named in the log; None names none.

    Raises:
        SchemaError: There is something wrong with ``schemas``.
        ValueError: An argument is none of these.
    """

    def __init__(
        self,
        *,
        versions: Sequence[str] = ("2.1", "2.0.1", "1.6"),
        call_timeout: float | None = 30.0,
        ping_interval: float | None = 30.0,
        pong_timeout: float = 20.0,
        validation: str | Mapping[str, str] = "strict",
        max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE,
        compression: bool = False,
        subprotocol_mismatch: str = "close",
        verify_identity: bool = True,
        limits: Limits | None = None,
        schemas: Mapping[str, Any] | _File | None = None,
        redact: bool = True,
        slow_handler: float | None = 10.0,
    ) -> None:
        if subprotocol_mismatch not in _MISMATCH:
            raise ValueError(f"subprotocol_mismatch is one of {', '.join(map(repr, _MISMATCH))}, not {subprotocol_mismatch!r}")
        self._subprotocols = subprotocols(versions)
        self._versions = tuple(versions)
        keys = overlaid(schemas)
        self._handlers = Handlers(_EVENTS, [keys[version] for version in self._versions], "CS")
        self._limits = Limits() if limits is None else limits
        self._options: dict[str, Any] = {
            # Checked here, not when the first charge point comes.
            "call_timeout": checked_timeout(call_timeout, "call_timeout"),
            "ping_interval": checked_timeout(ping_interval, "ping_interval"),
            "pong_timeout": checked_timeout(pong_timeout, "pong_timeout"),
            "slow_handler": checked_timeout(slow_handler, "slow_handler"),
            "validation": ValidationPolicy(validation, keys.values()),
            "max_message_size": checked_size(max_message_size),
            "redact": redact,
            "limits": self._limits,
            "keys": keys,
        }
        self._max_message_size = max_message_size
        self._compression = compression
        self._registry = Registry()
        self._served = Served()
        self._lock = threading.Lock()
        self._http: HttpServer | None = None
        self._reactor: Reactor | None = None
        self._process: int | None = None  # that listens
        self._host: str | None = None
        self._closed = threading.Event()
        self._tls: Callable[[], ssl.SSLContext] | None = None
        self._admission = Admission(
            self._handlers,
            self._subprotocols,
            refuse_mismatch=subprotocol_mismatch == "refuse",
            verify_identity=verify_identity,
            closed=self._closed,
        )

    # --- Listening

    def listen(
        self,
        port: int = 9220,
        host: str | None = None,
        *,
        certfile: _File | Sequence[_File] | None = None,
        keyfile: _File | Sequence[_File] | None = None,
        client_ca: _File | None = None,
        key_password: str | bytes | None = None,
        strict_certificate: bool = False,
        ssl_context: ssl.SSLContext | None = None,
    ) -> Self:
        """Accept connections; returns at once.

        Args:
            port: 0 picks a free one, see :attr:`port`.
            host: An address or name of this machine; None is every interface, IPv4 and IPv6.
            certfile: The PEM file of the server's certificate and its chain, for ``wss://`` (profiles 2 and 3), or a list of an RSA and
                an ECDSA one; None listens without TLS.
            keyfile: The PEM file of its private key, or a list; None is in ``certfile`` too.
            client_ca: The PEM file of the CAs that sign the charge points' certificates: each must have one then (profile 3).
            key_password: Of encrypted keys.
            strict_certificate: Whether a certificate that not every charge point can take (rule C5) is an error instead of a warning.
            ssl_context: A context of one's own, instead of these five.

        Returns:
            The server itself.

        Raises:
            OSError: It cannot listen there.
            CertificateError: A certificate or key file is wrong.
            ValueError: A key or client CA without a certificate.
            RuntimeError: It listens already.
        """
        if certfile is None and (keyfile is not None or client_ca is not None):
            raise ValueError("keyfile and client_ca need a certfile")
        if certfile is not None and ssl_context is not None:
            raise ValueError("an ssl_context has certificates of its own: certfile, keyfile and client_ca do not go with it")

        def context() -> ssl.SSLContext:
            # Here, so that a server without TLS does not import it.
            from .tls import server_context

            if ssl_context is not None:
                return ssl_context
            assert certfile is not None
            return server_context(certfile, keyfile, client_ca=client_ca, key_password=key_password, strict_certificate=strict_certificate)

        tls = None if certfile is None and ssl_context is None else context
        made = None if tls is None else tls()
        with self._lock:
            if self._http is not None:
                raise RuntimeError(f"the server listens at port {self._http.port} already")
            self._closed.clear()
            self._process = os.getpid()
            http = HttpServer(host, port, self._handle, self._limits, made)
            try:
                self._reactor = _new_reactor(f"ocpp-serve :{http.port}")
            except BaseException:
                http.server_close()
                raise
            self._http, self._host, self._tls = http, host, tls
            http.start()
        return self

    def reload_certificates(self) -> None:
        """Read the files that :meth:`listen` was given again; they hold for the connections that come then, the others stay.

        Raises:
            CertificateError: A file is wrong; nothing is changed then.
            RuntimeError: The server does not listen, or not with TLS.
        """
        with self._lock:
            http, tls = self._http, self._tls
        if http is None or tls is None:
            raise RuntimeError("the server does not listen with TLS")
        http.context = tls()

    @property
    def port(self) -> int:
        """The port that it listens at.

        Raises:
            RuntimeError: It does not listen.
        """
        http = self._http
        if http is None:
            raise RuntimeError("the server does not listen: call listen() first")
        return http.port

    @property
    def url(self) -> str:
        """The endpoint for a charge point on the same machine, for example ``ws://127.0.0.1:9220``, or ``wss://…`` with TLS.

        Raises:
            RuntimeError: It does not listen.
        """
        host = "127.0.0.1" if self._host in (None, "", _ANY_IPV4) else "::1" if self._host == "::" else self._host
        return f"{'ws' if self._tls is None else 'wss'}://{f'[{host}]' if ':' in str(host) else host}:{self.port}"

    def serve_forever(self) -> None:
        """Block until :meth:`close`, or Ctrl-C.

        Raises:
            RuntimeError: It does not listen.
        """
        if not self._closed.is_set():
            _ = self.port  # raises when it does not listen
            self._closed.wait()

    def close(self) -> None:
        """Close every connection with 1001, stop listening, and end all threads; from any thread, a handler's too, any number of times.

        It waits for five seconds at most, then cuts what is left.
        """
        deadline = time.monotonic() + _CLOSE_TIMEOUT
        if self._process not in (None, os.getpid()):
            return  # after a fork: it is the parent that listens
        with self._lock:
            http, self._http = self._http, None
            reactor = self._reactor
            self._closed.set()
        if reactor is not None:
            reactor.step_down()
        if http is not None:
            http.stop()
        connections = list(self.connections.values())
        for connection in connections:
            connection.begin_close(_GOING_AWAY, "the server closes")
        for connection in connections:
            connection.finish_close(deadline)
        if http is not None:
            http.cut()
            # A handler that closes the server is not waited for, nor is its connection.
            served = self._served.snapshot()
            is_reading = any(connection.is_reading for connection in served)
            own = {connection.thread for connection in served if connection.is_handling or connection.is_reading}
            still = http.join(max(deadline, time.monotonic() + 1.0), own)
            if reactor is not None:
                reactor.close()
                if not (still or is_reading):
                    still = reactor.join(max(deadline, time.monotonic() + 1.0))
            for name in still:
                _log.warning("the thread %r still runs after close()", name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # --- Charge points

    @overload
    def on(self, name: str) -> Callable[[_H], _H]: ...
    @overload
    def on(self, name: str, handler: _H) -> _H: ...
    def on(self, name: str, handler: _H | None = None) -> _H | Callable[[_H], _H]:
        """Register a handler for every charge point; without one, a decorator that does.

        A handler of an action is called with the connection and the request, that of ``"*"`` with the connection, the action and the
        request; see :meth:`OcppClientConnection.on` for the rest. The events are ``connection(charge_point)``,
        ``close(charge_point, code, reason)``, ``error(charge_point, exception)``, ``frame(charge_point, direction, text)``, and
        ``authorization(identity, request)``: it is asked before a charge point may connect; a false result refuses it with 401, a
        :class:`RejectHandshake` with another status. Without one, all may. ``rejected(identity, request, status)`` is told of each that
        may not; both run where the request is answered.

        Raises:
            ValueError: There is no such event, no supported version defines the action, or a charge point does not send it.
        """
        return self._handlers.on(name) if handler is None else self._handlers.on(name, handler)

    @property
    def connections(self) -> dict[str, OcppClientConnection]:
        """The connections by identity: a copy, which does not change."""
        return self._registry.snapshot()

    def __getitem__(self, identity: str) -> OcppClientConnection:
        """The connection of a charge point.

        Raises:
            KeyError: It is not connected; the text names those that are.
        """
        return self._registry.require(identity)

    def __contains__(self, identity: object) -> bool:
        return isinstance(identity, str) and self._registry.get(identity) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.connections)

    @overload
    def wait_for(self, identity: str, timeout: float | None = None) -> OcppClientConnection: ...
    @overload
    def wait_for(self, identity: str, timeout: float | None = None, *, version: _V) -> OcppClientConnection[_V]: ...
    def wait_for(self, identity: str, timeout: float | None = None, *, version: Version | None = None) -> OcppClientConnection[Any]:
        """Wait until a charge point is connected.

        Args:
            identity: Its identity.
            timeout: Seconds; None is as long as it takes.
            version: The version that it must speak, by which a type checker knows its calls; None is any.

        Raises:
            TimeoutError: It has not come in time, or does not speak that version.
            ValueError: The server does not speak that version.
        """
        if version is not None and version not in self._versions:
            raise ValueError(f"the server does not speak OCPP {version}, but {', '.join(self._versions)}")
        return self._registry.wait_for(identity, timeout, version)

    @property
    def stats(self) -> dict[str, Any]:
        """What it has done so far, all connections together, in plain values: a copy. See docs/observability.md for each of them."""
        connections = self.connections.values()
        return {
            "connections": len(connections),
            "rejected": self._admission.rejected,
            **self._served.count().as_dict(),
            "waiting_requests": sum(connection.waiting_requests for connection in connections),
        }

    def durations(self) -> tuple[Durations, Durations]:
        """For the package: of calls, and of handlers; copies."""
        counted = self._served.count()
        return counted.latency, counted.handling

    def dump(self, file: TextIO | None = None) -> None:
        """Write down what is going on, as :meth:`OcppClient.dump`: each connection, then the threads with their stacks.

        Args:
            file: Where to write; None is the standard error.
        """
        from .dump import dump_server, dump_threads

        dump_server(self, file)
        dump_threads(file)

    def __repr__(self) -> str:
        state = f"listening at {self.url}" if self._http is not None else "not listening"
        return f"<OcppServer {state}, {len(self.connections)} connected>"

    # --- HTTP

    def wsgi_app(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Sequence[bytes]:
        """The server as a WSGI application, for gunicorn (with threads) and Werkzeug, which hand out the socket of a request.

        Under several worker processes each knows its own connections only.
        """
        key = next((key for key in ("gunicorn.socket", "werkzeug.socket") if key in environ), None)
        answer: HttpAnswer | None = None
        with ExitStack() as unserved:
            if key is None:
                answer = HttpAnswer(500, "This WSGI server does not hand out the socket of a request; gunicorn and Werkzeug do.")
            else:
                try:
                    answer = self._handle(_with_certificate(environ, environ[key]), _WsgiExchange(environ[key], unserved, self._limits))
                except OSError as error:
                    _log.debug("%s: gone before the connection was open: %s", environ.get("REMOTE_ADDR"), error)
                else:
                    if answer is None:
                        unserved.pop_all()  # it is closed, with the link
        if answer is not None:
            start_response(answer.line, answer.fields)
            return [answer.body]
        # The connection has been a WebSocket and is closed: nothing can be answered any more. This is how each server is told.
        if key == "gunicorn.socket":
            raise StopIteration
        raise ConnectionError

    def _handle(self, environ: dict[str, Any], exchange: Exchange) -> HttpAnswer | None:
        """Answer a request: None once it has become a WebSocket."""
        if self._closed.is_set():
            return HttpAnswer(503, "The server closes.")
        admitted = self._admission.check(environ)
        if isinstance(admitted, HttpAnswer):
            return admitted
        number = self._registry.next_number()
        stream = exchange.open_stream()
        try:
            link = accept_link(
                environ,
                stream,
                subprotocol=admitted.subprotocol,
                max_message_size=self._max_message_size,
                compression=self._compression,
            )
        except ValueError as error:
            return HttpAnswer(400, f"This is no proper WebSocket upgrade: {error}")
        if admitted.subprotocol is None:
            link.fail(_PROTOCOL_ERROR, f"no common subprotocol; known are {', '.join(self._subprotocols)}")
            link.run(lambda _: None)
        else:
            self._serve(link, admitted, exchange, number)
        return None

    def _serve(self, link: Link, admitted: Admitted, exchange: Exchange, number: int) -> None:
        free = exchange.keep()
        reactor = None if free is None else self._reactor

        def done(connection: OcppClientConnection) -> None:
            self._served.discard(connection)
            if free is not None:
                free()

        connection = OcppClientConnection(
            admitted.identity, admitted.request, self._handlers, self._registry.discard, done, reactor=reactor, **self._options
        )
        try:
            connection.attach(link, version_of(str(admitted.subprotocol)))
            self._served.add(connection)
            older = self._registry.add(connection, number)
            if older is not None:
                _log.info("%s: replaced by a newer connection from %s", connection.identity, admitted.request.remote_address[0])
                older.replace()
            if self._closed.is_set():
                connection.begin_close(_GOING_AWAY, "the server closes")
            connection.welcome()
            if reactor is not None and reactor.add(connection, link):
                return
        except BaseException:
            link.abort()
            _log.exception("%s: a connection failed", connection.identity)
        connection.serve()


class _WsgiExchange:
    """The request of a WSGI server, whose thread the connection keeps."""

    def __init__(self, sock: socket.socket, unserved: ExitStack, limits: Limits) -> None:
        self._sock = sock
        self._unserved = unserved
        self._limits = limits

    def open_stream(self) -> Stream:
        options: dict[str, Any] = {"max_unsent": self._limits.max_unsent, "stall_timeout": self._limits.stall_timeout}
        if hasattr(self._sock, "getpeercert"):
            from .transport.tls_stream import TlsStream

            # TLS has no second descriptor.
            return TlsStream(cast("ssl.SSLSocket", self._sock), **options)
        # A descriptor of its own: the WSGI server closes its one too, and gunicorn counts wrongly if it is closed already.
        return Stream(self._unserved.enter_context(self._sock.dup()), **options)

    def keep(self) -> None:
        return None


def _new_reactor(name: str) -> Reactor | None:
    # Here, since under a WSGI server there is none.
    from . import reactor

    return reactor.Reactor(name) if reactor.is_available() else None


def _with_certificate(environ: dict[str, Any], sock: socket.socket) -> dict[str, Any]:
    certificate = sock.getpeercert() if hasattr(sock, "getpeercert") else None
    return {**environ, "ocpp_sync.peer_certificate": certificate or None}
