"""Charge points of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from ..client import OcppClient

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from typing_extensions import Unpack

    from ..typed import ClientOptions
    from .server_fixture import OcppServerFixture

__all__ = ["OcppClientFixture"]

_VERSION = "2.0.1"  # that of OcppClient


class OcppClientFixture:
    """Makes charge points that are connected to the server of a test, and closes them at its end.

    Args:
        server: The server.
    """

    def __init__(self, server: OcppServerFixture) -> None:
        self._server = server
        self._clients: list[OcppClient[Any]] = []

    @overload
    def __call__(
        self, identity: str = ..., *, version: Literal["1.6"], url: str | None = ..., connect: bool = ..., **options: Unpack[ClientOptions]
    ) -> OcppClient[Literal["1.6"]]: ...
    @overload
    def __call__(
        self,
        identity: str = ...,
        *,
        version: Literal["2.0.1"],
        url: str | None = ...,
        connect: bool = ...,
        **options: Unpack[ClientOptions],
    ) -> OcppClient[Literal["2.0.1"]]: ...
    @overload
    def __call__(
        self, identity: str = ..., *, version: Literal["2.1"], url: str | None = ..., connect: bool = ..., **options: Unpack[ClientOptions]
    ) -> OcppClient[Literal["2.1"]]: ...
    @overload
    def __call__(
        self,
        identity: str = ...,
        *,
        version: str | None = ...,
        url: str | None = ...,
        connect: bool = ...,
        **options: Unpack[ClientOptions],
    ) -> OcppClient: ...
    def __call__(
        self, identity: str = "CP1", *, version: str | None = None, url: str | None = None, connect: bool = True, **options: Any
    ) -> OcppClient[Any]:
        """Make a charge point; it has the password, and trusts the certificate, of the server.

        Args:
            identity: Its identity.
            version: What it speaks; None is 2.0.1, or what the server speaks if that does not.
            url: Where it connects to; None is the server.
            connect: Whether it does so.
            options: Those of :class:`~ocpp_sync.OcppClient`.

        Raises:
            HandshakeError: It cannot connect.
        """
        if version is None:
            version = _VERSION if _VERSION in self._server.versions else self._server.versions[0]
        client: OcppClient[Any] = OcppClient(identity, version=version, **{**self._defaults(identity, options), **options})
        self._clients.append(client)
        if connect:
            client.connect(self._server.url if url is None else url, timeout=self._server.timeout)
        return client

    def _defaults(self, identity: str, options: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {"password": self._server.password}
        certificates = self._server.certificates
        if certificates is not None and "ssl_context" not in options:
            found["cafile"] = certificates.ca
            if self._server.client_certificates and "certfile" not in options:
                found["certfile"], found["keyfile"] = certificates.of(identity)
        return found

    def close(self) -> None:
        """Close all that were made; twice does not hurt."""
        while self._clients:
            self._clients.pop().close()
