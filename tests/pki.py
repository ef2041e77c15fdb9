"""Certificates that the tests make for themselves; never any that are kept."""

from __future__ import annotations

import functools
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple

import trustme
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, load_pem_private_key

__all__ = ["KINDS", "Files", "Pki", "encrypted_key", "pki"]

KINDS = {"RSA": trustme.KeyType.RSA, "ECDSA": trustme.KeyType.ECDSA}
NOW = datetime.now(timezone.utc)


class Files(NamedTuple):
    """A certificate with its chain, and its key, as PEM files."""

    cert: Path
    key: Path


class Pki:
    """A CA, and what it has signed."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._ca = trustme.CA(key_type=trustme.KeyType.RSA)
        self.ca = directory / "ca.pem"
        self._ca.cert_pem.write_to_path(str(self.ca))
        self._made: dict[tuple[object, ...], Files] = {}

    def server(self, kind: str = "RSA", host: str = "127.0.0.1") -> Files:
        """A server's."""
        return self._issue("server", kind, host, None, NOW - timedelta(days=1), NOW + timedelta(days=30))

    def client(self, common_name: str, kind: str = "RSA") -> Files:
        """A station's; its identity is the common name, and nothing else in it is."""
        return self._issue("client", kind, "station.invalid", common_name, NOW - timedelta(days=1), NOW + timedelta(days=30))

    def expired(self, common_name: str | None = None) -> Files:
        """One that was valid."""
        return self._issue("expired", "RSA", "127.0.0.1", common_name, NOW - timedelta(days=9), NOW - timedelta(days=2))

    def not_yet_valid(self, common_name: str | None = None) -> Files:
        """One that will be valid."""
        return self._issue("early", "RSA", "127.0.0.1", common_name, NOW + timedelta(days=2), NOW + timedelta(days=9))

    def _issue(self, stem: str, kind: str, host: str, common_name: str | None, since: datetime, until: datetime) -> Files:
        key = (stem, kind, host, common_name)
        if key not in self._made:
            made = self._ca.issue_cert(host, common_name=common_name, not_before=since, not_after=until, key_type=KINDS[kind])
            name = f"{stem}-{len(self._made)}"
            files = Files(self._directory / f"{name}.pem", self._directory / f"{name}.key")
            files.cert.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
            made.private_key_pem.write_to_path(str(files.key))
            self._made[key] = files
        return self._made[key]


@functools.cache
def pki(which: str = "") -> Pki:
    """The CA of the test run; with another name, another one that the first does not trust."""
    return Pki(Path(mkdtemp(prefix="ocpp-test-pki-")))


def encrypted_key(files: Files, password: bytes, path: Path) -> Path:
    """A key as an encrypted file."""
    key = load_pem_private_key(files.key.read_bytes(), password=None)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password)))
    return path
