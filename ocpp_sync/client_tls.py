"""What a client's user has said about TLS, and what is made of it at the first ``wss://``."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import ssl

    from .transport.dial import TlsClient

__all__ = ["ClientTls", "TlsSettings", "security_event"]

# Rule C8: what a station reports to the CSMS when it is connected again.
_CERTIFICATE_REASONS = ("unknown-ca", "wrong-host", "expired", "not-yet-valid")
_EVENTS = {"tls-version": "InvalidTLSVersion", "cipher": "InvalidTLSCipherSuite"}


def security_event(reason: str, versions: Sequence[str]) -> str | None:
    """OCPP's name of the security event for a ``HandshakeError.reason``; None if it is none (rule C8).

    Args:
        reason: The reason.
        versions: The versions that the client speaks, in order of preference.
    """
    if reason in _CERTIFICATE_REASONS:
        return "InvalidCentralSystemCertificate" if versions[0] == "1.6" else "InvalidCsmsCertificate"
    return _EVENTS.get(reason)


class TlsSettings(NamedTuple):
    """The arguments of :class:`OcppClient` that are about TLS."""

    cafile: str | PathLike[str] | None = None
    certfile: str | PathLike[str] | None = None
    keyfile: str | PathLike[str] | None = None
    key_password: str | bytes | None = None
    ssl_context: ssl.SSLContext | None = None
    verify_time: bool = True

    def __repr__(self) -> str:
        return "<TLS settings>"  # one of them is a password


class ClientTls:
    """The settings, and the TLS made from them once.

    Args:
        settings: What the user has said.
    """

    def __init__(self, settings: TlsSettings) -> None:
        if settings.ssl_context is not None and any(value is not None for value in settings[:4]):
            raise ValueError("an ssl_context has certificates of its own: cafile, certfile and keyfile do not go with it")
        if settings.keyfile is not None and settings.certfile is None:
            raise ValueError("a keyfile needs its certfile")
        self.settings = settings
        self._made: TlsClient | None = None

    def for_url(self, url: str) -> TlsClient | None:
        """What a connection to a URL needs; None for a plain one.

        Raises:
            ValueError: The URL is a plain one, and the client is configured for TLS: it never falls back (rule C8).
            CertificateError: A file is wrong.
        """
        if url.startswith("ws:"):
            if any(value is not None for value in self.settings[:5]):
                raise ValueError("the client is configured for TLS, and connects to wss:// only")
            return None
        if self._made is None:
            self._made = _make(self.settings)
        return self._made

    def replaced(self, changes: dict[str, Any]) -> ClientTls:
        """The same with changes; its files are read at once.

        Raises:
            CertificateError: A file is wrong.
        """
        changed = ClientTls(self.settings._replace(**changes))
        if any(value is not None for value in changed.settings[:5]):
            changed._made = _make(changed.settings)
        return changed


def _make(settings: TlsSettings) -> TlsClient:
    # Here, so that a client without TLS does not import it.
    from .tls import client_context
    from .transport.dial import TlsClient

    context = settings.ssl_context
    if context is None:
        context = client_context(
            cafile=settings.cafile,
            certfile=settings.certfile,
            keyfile=settings.keyfile,
            key_password=settings.key_password,
            verify_time=settings.verify_time,
        )
    return TlsClient(context)
