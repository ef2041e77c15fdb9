"""What is read from a PEM file, held against a library for it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp_sync import CertificateError
from ocpp_sync.certificates import check_chain, read_certificates

from .pki import pki

NOW = datetime.now(timezone.utc).replace(microsecond=0)


def made(
    directory: Path,
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey,
    *,
    not_before: datetime = NOW - timedelta(days=1),
    not_after: datetime = NOW + timedelta(days=1),
    subject: str = "subject",
    issuer: str = "issuer",
) -> tuple[Path, x509.Certificate]:
    builder = x509.CertificateBuilder(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]),
        key.public_key(),
        x509.random_serial_number(),
        not_before,
        not_after,
    )
    certificate = builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    path = directory / f"{subject}.pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    return path, certificate


@pytest.mark.parametrize(
    ("curve", "bits"), [(ec.SECP224R1(), 224), (ec.SECP256R1(), 256), (ec.SECP384R1(), 384), (ec.SECP521R1(), 521), (ec.SECP256K1(), 0)]
)
def test_an_ec_certificate(tmp_path: Path, curve: ec.EllipticCurve, bits: int) -> None:
    path, theirs = made(tmp_path, ec.generate_private_key(curve))
    (ours,) = read_certificates(path)
    assert (ours.key_type, ours.key_bits) == ("EC", bits)
    assert ours.size == len(theirs.public_bytes(Encoding.DER))


@pytest.mark.parametrize("bits", [1024, 2048, 3072])
def test_an_rsa_certificate(tmp_path: Path, bits: int) -> None:
    path, theirs = made(tmp_path, rsa.generate_private_key(65537, bits))
    (ours,) = read_certificates(path)
    assert (ours.key_type, ours.key_bits, ours.size) == ("RSA", bits, len(theirs.public_bytes(Encoding.DER)))
    assert (ours.subject, ours.issuer) == (theirs.subject.public_bytes(), theirs.issuer.public_bytes())


def test_another_key(tmp_path: Path) -> None:
    path, _ = made(tmp_path, ed25519.Ed25519PrivateKey.generate())
    assert (read_certificates(path)[0].key_type, read_certificates(path)[0].key_bits) == ("other", 0)


@pytest.mark.parametrize("year", [1951, 1970, 1999, 2000, 2049, 2050, 2051, 9998])
def test_dates_of_both_forms(tmp_path: Path, year: int) -> None:
    until = datetime(year, 12, 31, 23, 59, 58, tzinfo=timezone.utc)
    path, _ = made(tmp_path, ec.generate_private_key(ec.SECP256R1()), not_before=until - timedelta(days=1), not_after=until)
    (ours,) = read_certificates(path)
    assert (ours.not_before, ours.not_after) == (until - timedelta(days=1), until)


def test_a_date_that_never_comes(tmp_path: Path) -> None:
    until = datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)
    path, _ = made(tmp_path, ec.generate_private_key(ec.SECP256R1()), not_after=until)
    check_chain(path, read_certificates(path), check_time=True)


def test_a_chain_with_a_gap(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    leaf, _ = made(tmp_path, key, subject="leaf", issuer="middle")
    middle, _ = made(tmp_path, key, subject="middle", issuer="root")
    root, _ = made(tmp_path, key, subject="root", issuer="root")
    chain = tmp_path / "chain.pem"
    chain.write_bytes(leaf.read_bytes() + b"some text between\n" + middle.read_bytes() + root.read_bytes())
    check_chain(chain, read_certificates(chain), check_time=True)
    chain.write_bytes(leaf.read_bytes() + root.read_bytes())
    with pytest.raises(CertificateError, match="certificate 2 of it is not the issuer of certificate 1") as caught:
        check_chain(chain, read_certificates(chain), check_time=True)
    assert (caught.value.problem, caught.value.file) == ("chain-incomplete", str(chain))


def test_dates_that_are_over_or_to_come() -> None:
    for files, problem in ((pki().expired(), "expired"), (pki().not_yet_valid(), "not-yet-valid")):
        with pytest.raises(CertificateError) as caught:
            check_chain(files.cert, read_certificates(files.cert), check_time=True)
        assert caught.value.problem == problem
        check_chain(files.cert, read_certificates(files.cert), check_time=False)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "missing"),
        (b"", "not-pem"),
        (b"nonsense", "not-pem"),
        (b"-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----", "not-pem"),
    ],
)
def test_what_is_no_certificate(tmp_path: Path, content: bytes | None, problem: str) -> None:
    path = tmp_path / "x.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CertificateError) as caught:
        read_certificates(path)
    assert (caught.value.problem, caught.value.file) == (problem, str(path))
    assert str(path) in str(caught.value)


def test_a_directory_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(CertificateError) as caught:
        read_certificates(tmp_path)
    assert caught.value.problem == "unreadable"


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2000), st.binary(min_size=1, max_size=4))
def test_a_damaged_certificate_is_an_error_or_another_one(position: int, replacement: bytes) -> None:
    import base64

    lines = pki().server().cert.read_text().split("-----")
    der = bytearray(base64.b64decode(lines[2]))
    position %= len(der)
    der[position : position + len(replacement)] = replacement
    path = pki().ca.with_name("damaged.pem")
    path.write_text(f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(der).decode()}\n-----END CERTIFICATE-----\n")
    try:
        read_certificates(path)
    except CertificateError as error:
        assert error.problem == "not-pem"
