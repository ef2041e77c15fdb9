"""Certificates of a test's server and charge points (needs the extra ``certs``)."""

from __future__ import annotations

from pathlib import Path

__all__ = ["Certificates"]

_HOSTS = ["localhost", "127.0.0.1"]
_DAYS = 2


class Certificates:
    """A CA, and what it has signed; each is made when it is asked for.

    Args:
        directory: Where the files go.

    Attributes:
        ca: The PEM file of the CA, once there is a certificate.

    Raises:
        ImportError: The package ``cryptography`` is not installed.
    """

    def __init__(self, directory: Path) -> None:
        import cryptography  # noqa: F401

        self._directory = directory
        self.ca = directory / "ca.pem"

    @property
    def server(self) -> tuple[Path, Path]:
        """The files of the server's certificate, for localhost and 127.0.0.1, and of its key."""
        return self._made("server", [])

    def of(self, identity: str) -> tuple[Path, Path]:
        """The files of a charge point's certificate, and of its key.

        Args:
            identity: Its identity.

        Raises:
            ValueError: There can be no files of this name.
        """
        return self._made(identity, [identity])

    def _made(self, stem: str, identities: list[str]) -> tuple[Path, Path]:
        from ..cli.certs import make_files

        certificate, key = self._directory / f"{stem}.pem", self._directory / f"{stem}.key"
        if not key.exists():
            list(make_files(self._directory, _HOSTS, identities, _DAYS, force=False))
        return certificate, key
