"""From a URL to a stream: name, TCP, TLS, within one deadline."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from ..errors import HandshakeError
from .proxy import Proxy, tunnel
from .stream import Stream

if TYPE_CHECKING:
    import ssl

    from .tls_stream import TlsStream

__all__ = ["Breakable", "Route", "TlsClient", "dial"]


_ADDRESS_TIMEOUT = 10.0  # seconds for each address but the last, when there is no deadline


class Breakable(Protocol):
    """Something that another thread can end while it is waited for, as a socket is."""

    def shutdown(self, how: int, /) -> None:
        """End it."""


class TlsClient:
    """A client's TLS: its context, and the session that it may resume.

    Args:
        context: The context of all connections.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        self._session: tuple[str, ssl.SSLSession] | None = None  # with the server that it is for

    def session(self, url: str) -> ssl.SSLSession | None:
        """The session to resume with the server of a URL, or None."""
        remembered = self._session
        return remembered[1] if remembered is not None and remembered[0] == urlsplit(url).netloc else None

    def remember(self, url: str, stream: TlsStream) -> None:
        """Keep the session of a stream that has been read from: TLS 1.3 sends its tickets after the handshake."""
        session = stream.session
        if session is not None:
            self._session = urlsplit(url).netloc, session


class Route(NamedTuple):
    """Which way connections take.

    Attributes:
        proxy: The HTTP proxy to go through; None is the straight way.
        source_address: The own host and port to go from; None leaves that to the system.
    """

    proxy: Proxy | None = None
    source_address: tuple[str, int] | None = None


def dial(url: str, *, tls: TlsClient | None, route: Route, deadline: float | None, opening: Callable[[Breakable], None]) -> Stream:
    """Connect to the server of a URL.

    Args:
        url: ``ws://…``, or ``wss://…`` with ``tls``.
        tls: None for a plain connection.
        route: Which way.
        deadline: Until when, in ``time.monotonic()`` seconds; None is as long as it takes.
        opening: Called before each wait with what another thread can end it by; what it raises ends it too.

    Raises:
        HandshakeError: There is no connection; the cause is chained.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "wss" else 80)
    if route.proxy is None:
        sock = _connect(host, port, route, deadline, opening)
    else:
        sock = _connect(route.proxy.host, route.proxy.port, route, deadline, opening)
        _tunnel(sock, route.proxy, host, port, deadline)
    if tls is None:
        return Stream(sock)
    return _secure(sock, host, tls, tls.session(url), deadline, opening)


def _tunnel(sock: socket.socket, proxy: Proxy, host: str, port: int, deadline: float | None) -> None:
    try:
        tunnel(sock, proxy, host, port, lambda: sock.settimeout(_remaining(deadline)))
    except BaseException as error:
        sock.close()
        if isinstance(error, TimeoutError):
            raise HandshakeError("timeout", f"the proxy {proxy.host}:{proxy.port} did not answer in time") from error
        if isinstance(error, OSError) and not isinstance(error, HandshakeError):
            raise HandshakeError("unreachable", f"the proxy {proxy.host}:{proxy.port}: {error}") from error
        raise


def _connect(host: str, port: int, route: Route, deadline: float | None, opening: Callable[[Breakable], None]) -> socket.socket:
    where = f"{host}:{port}"
    failure: OSError | None = None
    addresses = _resolve(host, port, deadline, opening)
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        try:
            sock = socket.socket(family, kind, protocol)
        except OSError as error:  # a system without IPv6, or without descriptors
            failure = error
            continue
        try:
            opening(sock)
            if route.source_address is not None:
                sock.bind(route.source_address)
            # An address that swallows everything, as a broken IPv6 does, must leave time for the others.
            others = len(addresses) - number - 1
            remaining = _remaining(deadline)
            sock.settimeout(_ADDRESS_TIMEOUT if remaining is None and others else remaining and remaining / (others + 1))
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    if isinstance(failure, TimeoutError):
        raise HandshakeError("timeout", f"{where} did not answer in time") from failure
    raise HandshakeError("unreachable", f"cannot connect to {where}: {failure}") from failure


def _remaining(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError("timed out")
    return remaining


class _Lookup:
    """A look-up of a name in a thread that can be left behind: the system's resolver knows no time-out."""

    def __init__(self, host: str, port: int) -> None:
        self.result: list[Any] | Exception | None = None
        self._over = threading.Event()
        threading.Thread(target=self._run, args=(host, port), name=f"ocpp-resolve {host}", daemon=True).start()

    def _run(self, host: str, port: int) -> None:
        try:
            self.result = socket.getaddrinfo(_encoded(host), port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            self.result = error
        self._over.set()

    def wait(self, deadline: float | None) -> None:
        self._over.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))

    def shutdown(self, how: int, /) -> None:
        self._over.set()


def _resolve(host: str, port: int, deadline: float | None, opening: Callable[[Breakable], None]) -> list[Any]:
    try:
        return socket.getaddrinfo(_encoded(host), port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        pass  # a name
    lookup = _Lookup(host, port)
    opening(lookup)
    lookup.wait(deadline)
    if lookup.result is None:
        raise HandshakeError("timeout", f"the name {host} could not be resolved in time")
    if isinstance(lookup.result, Exception):
        raise HandshakeError("unreachable", f"the name {host} cannot be resolved: {lookup.result}") from lookup.result
    return lookup.result


def _encoded(host: str) -> str | bytes:
    # What is ASCII need not go through the codec for other names, which costs a small board 0.4 MiB.
    return host.encode() if host.isascii() else host


def _secure(
    sock: socket.socket,
    host: str,
    tls: TlsClient,
    session: ssl.SSLSession | None,
    deadline: float | None,
    opening: Callable[[Breakable], None],
) -> Stream:
    import ssl

    from ..tls import handshake_failure
    from .tls_stream import TlsStream

    try:
        secured = tls.context.wrap_socket(sock, server_hostname=_encoded(host), do_handshake_on_connect=False, session=session)
    except BaseException:
        sock.close()
        raise
    try:
        opening(secured)
        secured.settimeout(_remaining(deadline))
        secured.do_handshake()
        return TlsStream(secured)
    except BaseException as error:
        agreed = secured.cipher() is not None
        secured.close()
        if isinstance(error, TimeoutError):
            raise HandshakeError("timeout", f"{host} did not finish the TLS handshake in time") from error
        if isinstance(error, ssl.SSLError):
            raise HandshakeError(*handshake_failure(error, suite_agreed=agreed)) from error
        if isinstance(error, OSError) and not isinstance(error, HandshakeError):
            raise HandshakeError("rejected", f"{host} cut the connection in the TLS handshake: {error}") from error
        raise
