"""Who may connect: from an HTTP request to an admitted charge point, or a plain refusal (rules A2–A5, C7)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .errors import RejectHandshake
from .handlers import Handlers
from .handshake import Target, choose_subprotocol, parse_basic, parse_target, version_of
from .server_connection import HandshakeHeaders, HandshakeRequest
from .throttle import FailureDelays
from .transport.http import HttpAnswer, shown_host

__all__ = ["Admission", "Admitted"]

_log = logging.getLogger("ocpp_sync")


class Admitted(NamedTuple):
    """A charge point that may connect.

    Attributes:
        identity: Its identity.
        request: Its request.
        subprotocol: What was agreed on; None if there is no common one, and the link is to be closed at once (rule A4).
    """

    identity: str
    request: HandshakeRequest
    subprotocol: str | None


class Admission:
    """The checks that a request goes through, in their order.

    Args:
        handlers: The server's; its ``authorization`` hook is asked, ``rejected`` is told.
        subprotocols: What the server speaks.
        refuse_mismatch: Whether a request without a common subprotocol is refused with 400 (rule A4).
        verify_identity: Whether a client certificate must name the identity (rule C7).
        closed: Set when the server closes: whoever is held back then goes at once.

    Attributes:
        rejected: How many requests were refused.
    """

    def __init__(
        self, handlers: Handlers, subprotocols: Sequence[str], *, refuse_mismatch: bool, verify_identity: bool, closed: threading.Event
    ) -> None:
        self._handlers = handlers
        self._subprotocols = subprotocols
        self._refuse_mismatch = refuse_mismatch
        self._verify_identity = verify_identity
        self._closed = closed
        self._delays = FailureDelays()
        self._counting = threading.Lock()
        self.rejected = 0

    def check(self, environ: Mapping[str, Any]) -> Admitted | HttpAnswer:
        """Admit a request, or say how it is refused; a wrong password is held back for a time.

        Args:
            environ: Its WSGI environment.
        """
        # HTTP/1.0 knows no upgrade (RFC 6455, 4.2.1).
        is_upgrade = environ["REQUEST_METHOD"] == "GET" and environ["SERVER_PROTOCOL"] >= "HTTP/1.1"
        if not is_upgrade or "websocket" not in environ.get("HTTP_UPGRADE", "").lower():
            upgrade = (("Upgrade", "websocket"), ("Connection", "Upgrade"))
            return HttpAnswer(426, "This is an OCPP-J endpoint: charge points connect here with a WebSocket.", upgrade)
        target = parse_target(_raw_target(environ))
        if target is None:
            return HttpAnswer(404, "The URL must end with the identity of a charge point.")
        request = _handshake_request(environ, target)
        subprotocol = choose_subprotocol(environ.get("HTTP_SEC_WEBSOCKET_PROTOCOL", ""), self._subprotocols)
        refusal = self._refusal(target.identity, request, subprotocol)
        if refusal is not None:
            _log.info("%s from %s: refused with %s", target.identity, request.remote_address[0], refusal.line)
            with self._counting:
                self.rejected += 1
            self._handlers.emit("rejected", target.identity, request, refusal.status)
            return refusal
        if subprotocol is None:
            _log.warning("%s: no common version: it offers %.100r", target.identity, environ.get("HTTP_SEC_WEBSOCKET_PROTOCOL"))
        return Admitted(target.identity, request, subprotocol)

    def _refusal(self, identity: str, request: HandshakeRequest, subprotocol: str | None) -> HttpAnswer | None:
        if self._verify_identity and not _names(request.peer_certificate, identity, subprotocol):
            return HttpAnswer(403, "The certificate is that of another charge point.")
        refusal = self._authorize(identity, request)
        if refusal is not None:
            return refusal
        if subprotocol is None and self._refuse_mismatch:
            return HttpAnswer(400, f"None of the subprotocols is known here; known are {', '.join(self._subprotocols)}.")
        return None

    def _authorize(self, identity: str, request: HandshakeRequest) -> HttpAnswer | None:
        hooks = self._handlers.event("authorization")
        if not hooks:
            return None
        by_address, by_identity = ("address", request.remote_address[0]), ("identity", identity)
        try:
            # The last one registered is the hook: there is one answer only.
            if hooks[-1](identity, request):
                # What failed from its address may have been for others: whoever knows one password must not guess the rest at ease.
                self._delays.succeeded(by_identity)
                return None
        except RejectHandshake as rejection:
            if rejection.status == 401:
                self._closed.wait(self._delays.failed(by_address, by_identity))
            elif rejection.status == 404:
                self._closed.wait(self._delays.failed(by_address))
            return _answer(rejection.status, rejection.text)
        except KeyboardInterrupt:
            raise  # a WSGI server may call this in its main thread
        except BaseException:
            # SystemExit, asyncio.CancelledError and the like too: the charge point must get its answer.
            _log.exception("%s: the authorization hook failed", identity)
            return HttpAnswer(500, "The server cannot tell who may connect.")
        self._closed.wait(self._delays.failed(by_address, by_identity))
        return _answer(401, None)


def _raw_target(environ: Mapping[str, Any]) -> str:
    # As it came, since "%2F" is no "/": gunicorn, and Werkzeug as well as the built-in server.
    target: str = environ.get("RAW_URI") or environ["REQUEST_URI"]
    return target


def _handshake_request(environ: Mapping[str, Any], target: Target) -> HandshakeRequest:
    headers = [(name[5:].replace("_", "-").title(), value) for name, value in environ.items() if name.startswith("HTTP_")]
    return HandshakeRequest(
        path=target.path,
        query=target.query,
        headers=HandshakeHeaders(headers),
        password=parse_basic(environ.get("HTTP_AUTHORIZATION", ""), target.identity),
        peer_certificate=environ.get("ocpp_sync.peer_certificate"),
        remote_address=(shown_host(environ.get("REMOTE_ADDR", "")), int(environ.get("REMOTE_PORT") or 0)),
    )


def _names(certificate: Mapping[str, Any] | None, identity: str, subprotocol: str | None) -> bool:
    """Whether a client certificate, if there is one, names an identity: by its CN or a SAN (rule C7)."""
    if not certificate:
        return True
    if subprotocol is not None and version_of(subprotocol) != "1.6":
        # Identities of 2.x are the same whatever their case (rule A2).
        return identity.lower() in (name.lower() for name in _all_names(certificate))
    return identity in _all_names(certificate)


def _all_names(certificate: Mapping[str, Any]) -> Iterator[str]:
    for part in certificate.get("subject", ()):
        for field, value in part:
            if field == "commonName":
                yield value
    for _, value in certificate.get("subjectAltName", ()):
        if isinstance(value, str):
            yield value


def _answer(status: int, text: str | None) -> HttpAnswer:
    challenge = (("WWW-Authenticate", 'Basic realm="OCPP", charset="UTF-8"'),) if status == 401 else ()
    return HttpAnswer(status, text or HttpAnswer(status, "").line, challenge)
