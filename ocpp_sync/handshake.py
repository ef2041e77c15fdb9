"""What is said in the HTTP request that opens a link: URL, identity, subprotocol, Basic credentials (rules A1–A5, C2). No I/O."""

from __future__ import annotations

import base64
import binascii
import re
import string
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes, urlsplit, urlunsplit

from .schemas import VERSIONS

__all__ = [
    "Target",
    "basic_credentials",
    "check_identity",
    "choose_subprotocol",
    "connection_url",
    "hex_password",
    "parse_basic",
    "parse_target",
    "subprotocols",
    "version_of",
]

_MAX_IDENTITY = 255
_BAD_IN_IDENTITY = re.compile(r"[\x00-\x1f\x7f-\x9f/\ud800-\udfff]")
_PREFIX = "ocpp"


class Target(NamedTuple):
    """A request target, taken apart: the path without the identity is the server's endpoint."""

    path: str
    query: str
    identity: str


# --- Identity and URL


def check_identity(identity: str) -> None:
    """Refuse what is no identity in any version (rule A2).

    Raises:
        ValueError: It is empty, longer than 255 characters, or has a control character or a ``/`` in it.
    """
    if not isinstance(identity, str) or not 1 <= len(identity) <= _MAX_IDENTITY:
        raise ValueError(f"an identity is a text of 1 to {_MAX_IDENTITY} characters, not {identity!r:.80}")
    if _BAD_IN_IDENTITY.search(identity):
        raise ValueError(f"an identity has no control characters and no '/': {identity!r}")


def connection_url(endpoint: str, identity: str) -> str:
    """The URL that a charge point connects to: the endpoint, ``/``, and the percent-encoded identity (rule A1).

    Args:
        endpoint: ``ws://…`` or ``wss://…``, with or without a slash at its end; a query string is kept.
        identity: The identity of the charge point.

    Raises:
        ValueError: The endpoint is no such URL.
    """
    try:
        parts = urlsplit(endpoint)
        valid = parts.scheme in ("ws", "wss") and parts.hostname and (parts.port is None or 0 < parts.port < 65536)
    except ValueError:
        valid = False
    if not valid:
        raise ValueError(f"an endpoint is a URL such as ws://host:9220/ocpp, not {_without_user(endpoint)!r}") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError("credentials do not belong in the endpoint: the user is the identity, and the password has an argument of its own")
    if parts.fragment or re.search(r"[\x00-\x20\x7f]", endpoint):
        raise ValueError(f"an endpoint has no fragment and no white space: {endpoint!r}")
    path = quote(parts.path, safe="/%:@!$&'()*+,;=-._~").rstrip("/")
    query = quote(parts.query, safe=string.punctuation)
    return urlunsplit((parts.scheme, parts.netloc, f"{path}/{quote(identity, safe='')}", query, ""))


def _without_user(endpoint: str) -> str:
    return re.sub(r"^(\w+://)?.*@", r"\1***@", endpoint, flags=re.DOTALL)[:200]


def parse_target(target: str) -> Target | None:
    """Take a request target apart: the last segment of its path is the identity (rule A1).

    Returns:
        None if there is no identity in it, or none that can be decoded (rule A2).
    """
    try:
        # Two slashes at the beginning are an empty segment, not a host; and "#" is a character like others.
        parts = urlsplit(f"//host{target}" if target.startswith("/") else target, allow_fragments=False)
        _, _, last = parts.path.rpartition("/")
        identity = unquote_to_bytes(last).decode()
        check_identity(identity)
    except ValueError:
        return None
    return Target(parts.path, parts.query, identity)


# --- Subprotocols


def subprotocols(versions: Iterable[str]) -> list[str]:
    """The subprotocol of each version, for example ``ocpp2.0.1`` (rule A3).

    Raises:
        ValueError: A version is unknown, or there is none.
    """
    versions = list(dict.fromkeys(versions))  # RFC 6455 wants each of them once
    for version in versions:
        if version not in VERSIONS:
            raise ValueError(f"OCPP {version!r} is not supported; the versions are {', '.join(map(repr, VERSIONS))}")
    if not versions:
        raise ValueError("at least one version of OCPP is needed")
    return [_PREFIX + version for version in versions]


def version_of(subprotocol: str) -> str:
    """The version of a subprotocol that :func:`subprotocols` made."""
    return subprotocol.removeprefix(_PREFIX)


def choose_subprotocol(offered: str, supported: Sequence[str]) -> str | None:
    """The first of a client's subprotocols that the server supports; None if there is none (rules A3, A4).

    Args:
        offered: The value of ``Sec-WebSocket-Protocol``.
        supported: The server's subprotocols.
    """
    return next((name for name in map(str.strip, offered.split(",")) if name in supported), None)


# They are the library's own, and a second one of them would contradict the first.
_RESERVED_HEADERS = {"host", "upgrade", "connection", "content-length", "transfer-encoding"}


def check_headers(headers: Mapping[str, str] | None, *, has_password: bool) -> dict[str, str]:
    """Further headers of a client's request.

    Args:
        headers: As the user has given them; None is none.
        has_password: Whether there will be an ``Authorization`` header too.

    Raises:
        ValueError: One of them cannot be sent.
    """
    result = dict(headers or {})
    for name, value in result.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or not re.fullmatch(r"[\t\x20-\x7e\xa0-\xff]*", value):
            raise ValueError(f"{name!r:.80} is no HTTP header, or its value holds what no header may")
        if name.lower() in _RESERVED_HEADERS or name.lower().startswith("sec-websocket-"):
            raise ValueError(f"the header {name!r} is part of the WebSocket upgrade and cannot be given")
    if has_password and "authorization" in map(str.lower, result):
        raise ValueError("the header 'Authorization' and a password cannot both be given")
    return result


# --- Credentials


def basic_credentials(identity: str, password: str | bytes) -> str:
    """The value of an ``Authorization`` header for HTTP Basic authentication, the identity being the user (rule C2).

    Args:
        identity: The identity.
        password: Text goes out as UTF-8. Bytes go out as they are: see :func:`hex_password`.

    Raises:
        ValueError: There is a ``:`` in the identity, which Basic authentication cannot carry (RFC 7617).
        TypeError: The password is neither text nor bytes.
    """
    if not isinstance(password, (str, bytes, bytearray)):
        raise TypeError(f"a password is text or bytes, not {type(password).__name__}")  # bytes(5) would be five zeros
    if ":" in identity:
        raise ValueError(f"an identity with a ':' cannot be used with a password (RFC 7617): {identity!r}")
    secret = password.encode() if isinstance(password, str) else bytes(password)
    return "Basic " + base64.b64encode(identity.encode() + b":" + secret).decode("ascii")


def parse_basic(authorization: str, identity: str) -> bytes | None:
    """The password of an ``Authorization`` header; None if it is no Basic one of this identity.

    The user name is split off by the identity that the URL has named, since it may have a ``:`` in it (rule A2).
    """
    scheme, _, encoded = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    user = identity.encode() + b":"
    return decoded[len(user) :] if decoded.startswith(user) else None


def hex_password(key: str) -> bytes:
    """The password for a 1.6 AuthorizationKey, which is configured as hexadecimal text and sent as raw bytes (rule C2).

    Args:
        key: 32 to 40 hexadecimal digits.

    Raises:
        ValueError: It is none; the key is not part of the message.
    """
    if not re.fullmatch(r"(?:[0-9A-Fa-f]{2}){16,20}", key):
        raise ValueError("an AuthorizationKey is 32 to 40 hexadecimal digits (16 to 20 bytes)")
    return bytes.fromhex(key)
