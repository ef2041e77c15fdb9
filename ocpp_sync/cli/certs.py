"""``ocpp-sync certs DIR``: a test CA, and certificates for a server and for charge points (needs the extra ``certs``)."""

from __future__ import annotations

import argparse
import ipaddress
import os
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocpp_sync.handshake import check_identity

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

__all__ = ["EXAMPLES", "add_arguments", "make_files", "run"]

_COMMON_NAME = 64  # characters that a common name has at most
EXAMPLES = """\
  ocpp-sync certs tls                                   a CA, and a certificate for localhost
  ocpp-sync certs tls --host csms.example --client CP1  for that host, and one for the charge point CP1
"""

_CA_DAYS, _DAYS = 3650, 825


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("directory", metavar="DIR", type=Path, help="where the files go; made if it is not there")
    parser.add_argument(
        "--host", action="append", help="a name or address of the server, may be repeated (default: localhost and 127.0.0.1)"
    )
    parser.add_argument("--client", action="append", default=[], metavar="IDENTITY", help="a charge point's certificate, may be repeated")
    parser.add_argument("--days", type=int, default=_DAYS, help="how long the certificates are valid (default: %(default)s)")
    parser.add_argument("--force", action="store_true", help="replace files that are there, the CA too")


def run(arguments: argparse.Namespace) -> int:
    """Run it. A CA that is there already is used again, so that more certificates can be made later."""
    try:
        import cryptography  # noqa: F401
    except ImportError:
        print("ocpp-sync: this command needs the package 'cryptography': pip install 'ocpp-sync[certs]'", file=sys.stderr)
        return 1
    try:
        for path in make_files(
            arguments.directory, arguments.host or ["localhost", "127.0.0.1"], arguments.client, arguments.days, arguments.force
        ):
            print(path)
    except ValueError as error:
        print(f"ocpp-sync: {error}", file=sys.stderr)
        return 1
    return 0


def make_files(directory: Path, hosts: list[str], identities: list[str], days: int, force: bool) -> Iterator[Path]:
    """Make what is not there yet: a CA, a certificate of a server and those of charge points; gives each file once it is made.

    Args:
        directory: Where they go; made if it is not there.
        hosts: The names and addresses of the server.
        identities: The charge points.
        days: How long the certificates are valid.
        force: Whether files that are there are replaced, the CA too.

    Raises:
        ValueError: One of these cannot be, or a file is there.
    """
    if not 1 <= days <= _CA_DAYS:
        raise ValueError(f"--days is from 1 to {_CA_DAYS}, not {days}")
    for identity in identities:
        check_identity(identity)
        if identity in ("ca", "server") or identity.startswith("."):
            raise ValueError(f"the files of the identity {identity!r} would have the names of other files")
    directory.mkdir(parents=True, exist_ok=True)
    ca_file, ca_key_file = directory / "ca.pem", directory / "ca.key"
    if ca_file.exists() and ca_key_file.exists() and not force:
        ca, ca_key = _load(ca_file, ca_key_file)
    else:
        ca, ca_key = _ca()
        yield from _save(directory, "ca", [ca], ca_key, force)
    if force or not (directory / "server.pem").exists():
        yield from _save(directory, "server", *_leaf(ca, ca_key, hosts[0], hosts, days, server=True), force)
    for identity in identities:
        yield from _save(directory, identity, *_leaf(ca, ca_key, identity, [], days, server=False), force)


def _ca() -> tuple[x509.Certificate, Key]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    key = _new_key()
    name = _name("ocpp-sync test CA")
    builder = _builder(name, name, key, _CA_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
    return builder.sign(key, hashes.SHA256()), key


def _leaf(
    ca: x509.Certificate, ca_key: Key, common_name: str, hosts: list[str], days: int, *, server: bool
) -> tuple[list[x509.Certificate], Key]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key = _new_key()
    builder = _builder(_name(common_name), ca.subject, key, days)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(digital_signature=True, key_encipherment=True), critical=True)
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    builder = builder.add_extension(authority, critical=False)
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
    return [builder.sign(ca_key, hashes.SHA256())], key


def _builder(subject: x509.Name, issuer: x509.Name, key: Key, days: int) -> x509.CertificateBuilder:
    from cryptography import x509

    now = datetime.now(timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # clocks differ
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _new_key() -> rsa.RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)  # rule C5


def _name(common_name: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    if len(common_name) > _COMMON_NAME:  # as the identity of a station may be; not every cryptography says so
        raise ValueError(f"{common_name!r} cannot be the common name of a certificate: that has {_COMMON_NAME} characters at most")
    try:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    except ValueError as error:
        raise ValueError(f"{common_name!r} cannot be the common name of a certificate: {error}") from error


def _host(host: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(**used: bool) -> x509.KeyUsage:
    from cryptography import x509

    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: used.get(name, False) for name in names})


def _load(ca_file: Path, key_file: Path) -> tuple[x509.Certificate, Key]:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key: Any = load_pem_private_key(key_file.read_bytes(), password=None)
    return x509.load_pem_x509_certificate(ca_file.read_bytes()), key


def _save(directory: Path, stem: str, chain: list[x509.Certificate], key: Key, force: bool) -> Iterator[Path]:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    certificate_file, key_file = directory / f"{stem}.pem", directory / f"{stem}.key"
    for path in (certificate_file, key_file):
        if path.exists() and not force:
            raise ValueError(f"{path} is there already; --force replaces it")
    certificate_file.write_bytes(b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain))
    yield certificate_file
    key_file.unlink(missing_ok=True)
    # With its mode from the first moment on.
    descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    yield key_file
