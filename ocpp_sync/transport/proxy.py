"""HTTP proxies that connect a client to whatever it asks for (CONNECT, RFC 9110, 9.3.6)."""

from __future__ import annotations

import base64
import socket
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from ..errors import HandshakeError

__all__ = ["Proxy", "parse_proxy", "tunnel"]

_MAX_HEAD = 16 * 1024  # bytes of a proxy's answer
_DEFAULT_PORT = 8080


class Proxy(NamedTuple):
    """A proxy.

    Attributes:
        host: Its name or address.
        port: Its port.
        authorization: The value of the ``Proxy-Authorization`` header; None sends none.
    """

    host: str
    port: int
    authorization: str | None

    def __repr__(self) -> str:
        return f"<proxy {self.host}:{self.port}>"


def parse_proxy(url: str) -> Proxy:
    """The proxy of a URL.

    Args:
        url: ``http://[user:password@]host[:port]``; the port is 8080 by default.

    Raises:
        ValueError: It is none; the text does not show it, since it may hold a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORT
    except ValueError:
        raise ValueError("the proxy's URL has a port that is none") from None
    if parts.scheme != "http" or not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("a proxy is http://[user:password@]host[:port]")
    if parts.username is None:
        return Proxy(parts.hostname, port, None)
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Proxy(parts.hostname, port, "Basic " + base64.b64encode(credentials.encode()).decode("ascii"))


def tunnel(sock: socket.socket, proxy: Proxy, host: str, port: int, set_timeout: Callable[[], None]) -> None:
    """Ask a proxy for a connection; afterwards the socket leads to where it was asked for.

    Args:
        sock: A connection to the proxy.
        proxy: The proxy.
        host: Where to.
        port: Where to.
        set_timeout: Called before each wait, to give the socket what time is left.

    Raises:
        HandshakeError: The proxy refuses.
        OSError: The connection is broken, or the time is over.
    """
    name = host if host.isascii() else host.encode("idna").decode("ascii")
    where = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
    lines = [f"CONNECT {where} HTTP/1.1", f"Host: {where}"]
    if proxy.authorization is not None:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    set_timeout()
    sock.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        set_timeout()
        # One by one, and none of what comes after the head. It is short, and there is one for each connection.
        byte = sock.recv(1)
        head += byte
        if not byte or len(head) > _MAX_HEAD:
            raise HandshakeError("unreachable", f"the proxy {proxy.host}:{proxy.port} gave no answer")
    version, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    status = int(rest[:3]) if version.startswith("HTTP/1.") and rest[:3].isdecimal() else 0
    if status == 407:
        raise HandshakeError("unauthorized", f"the proxy {proxy.host}:{proxy.port} wants another user or password", status)
    if not 200 <= status < 300:
        said = f"answered {rest[:60]!r}" if status else "is none"
        raise HandshakeError("unreachable", f"the proxy {proxy.host}:{proxy.port} {said}", status or None)
