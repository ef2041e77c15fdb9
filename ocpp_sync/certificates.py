"""What a PEM file holds: as much of X.509 as it takes to say what is wrong with it, without a library for it."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from os import PathLike

from .errors import CertificateError

__all__ = ["Certificate", "check_chain", "read_certificates"]

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)

_SEQUENCE, _INTEGER, _BIT_STRING, _OID, _UTC_TIME, _VERSION = 0x30, 0x02, 0x03, 0x06, 0x17, 0xA0
_RSA, _EC = bytes.fromhex("2a864886f70d010101"), bytes.fromhex("2a8648ce3d0201")
_CURVES = {
    bytes.fromhex("2b81040021"): 224,
    bytes.fromhex("2a8648ce3d030107"): 256,
    bytes.fromhex("2b81040022"): 384,
    bytes.fromhex("2b81040023"): 521,
}


@dataclass(frozen=True)
class Certificate:
    """One certificate.

    Attributes:
        size: Its length in DER, in bytes.
        issuer: The name of its issuer, as DER.
        subject: Its own name, as DER.
        not_before: From when it is valid.
        not_after: Until when it is valid.
        key_type: ``"RSA"``, ``"EC"`` or ``"other"``.
        key_bits: The size of its key; 0 if that is not known.
    """

    size: int
    issuer: bytes
    subject: bytes
    not_before: datetime
    not_after: datetime
    key_type: str
    key_bits: int


def read_certificates(path: str | PathLike[str]) -> list[Certificate]:
    """The certificates of a PEM file, in its order; at least one.

    Raises:
        CertificateError: The file cannot be read, or is no PEM file with certificates.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (as in schemas)
            data = file.read()
    except OSError as error:
        raise CertificateError(path, "missing" if isinstance(error, FileNotFoundError) else "unreadable", str(error.strerror)) from error
    blocks = _PEM.findall(data)
    if not blocks:
        raise CertificateError(path, "not-pem", "it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)")
    try:
        return [_parse(base64.b64decode(b"".join(block.split()), validate=True)) for block in blocks]
    except (binascii.Error, ValueError, IndexError) as error:
        raise CertificateError(path, "not-pem", f"a certificate in it is damaged ({error})") from error


def check_chain(path: str | PathLike[str], chain: list[Certificate], *, check_time: bool) -> None:
    """Refuse a chain that the other side could not verify.

    Args:
        path: Its file, for the error.
        chain: The certificate itself first, then that of its issuer, and so on.
        check_time: Whether the dates matter: False on a board that has no clock yet.

    Raises:
        CertificateError: It is expired, not yet valid, or has a gap.
    """
    now = datetime.now(timezone.utc)
    for number, certificate in enumerate(chain, 1):
        if check_time and now > certificate.not_after:
            raise CertificateError(path, "expired", f"certificate {number} of it expired on {certificate.not_after:%Y-%m-%d %H:%M} UTC")
        if check_time and now < certificate.not_before:
            since = f"{certificate.not_before:%Y-%m-%d %H:%M} UTC, and the clock says {now:%Y-%m-%d %H:%M}"
            raise CertificateError(path, "not-yet-valid", f"certificate {number} of it is valid from {since}")
    for number, (certificate, issuer) in enumerate(pairwise(chain), 1):
        if certificate.issuer != issuer.subject:
            raise CertificateError(
                path,
                "chain-incomplete",
                f"certificate {number + 1} of it is not the issuer of certificate {number}: one is missing between",
            )


# --- DER: tag, length, content


def _parse(der: bytes) -> Certificate:
    _, outer, _ = _element(der, 0, _SEQUENCE)
    _, body, _ = _element(outer, 0, _SEQUENCE)
    position = 0
    if body[0] == _VERSION:
        _, _, position = _element(body, 0)
    _, _, position = _element(body, position, _INTEGER)  # the serial number
    _, _, position = _element(body, position, _SEQUENCE)  # the algorithm of the signature
    issuer, _, position = _element(body, position, _SEQUENCE)
    _, validity, position = _element(body, position, _SEQUENCE)
    subject, _, position = _element(body, position, _SEQUENCE)
    _, key, _ = _element(body, position, _SEQUENCE)
    _, not_before, end = _element(validity, 0)
    _, not_after, _ = _element(validity, end)
    key_type, key_bits = _key(key)
    return Certificate(
        size=len(der),
        issuer=issuer,
        subject=subject,
        not_before=_time(validity[0], not_before),
        not_after=_time(validity[end], not_after),
        key_type=key_type,
        key_bits=key_bits,
    )


def _element(data: bytes, position: int, tag: int | None = None) -> tuple[bytes, bytes, int]:
    """The element at a position: with its header, its content alone, and where the next one begins."""
    if tag is not None and data[position] != tag:
        raise ValueError(f"tag {data[position]:#x} where {tag:#x} should be")
    length, start = data[position + 1], position + 2
    if length & 0x80:
        count = length & 0x7F
        length, start = int.from_bytes(data[start : start + count], "big"), start + count
    end = start + length
    if end > len(data):
        raise ValueError("it ends too early")
    return data[position:end], data[start:end], end


def _time(tag: int, content: bytes) -> datetime:
    text = content.decode("ascii").rstrip("Z")
    if tag == _UTC_TIME:
        text = ("19" if text >= "50" else "20") + text
    if text == "99991231235959":  # RFC 5280: it never ends
        return datetime.max.replace(tzinfo=timezone.utc) - timedelta(days=1)
    if not (len(text) == 14 and text.isdecimal()):
        raise ValueError(f"{text!r} is no time")
    # Not by strptime(), which costs a small board 0.6 MiB.
    return datetime.fromisoformat(f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:]}+00:00")


def _key(info: bytes) -> tuple[str, int]:
    _, algorithm, position = _element(info, 0, _SEQUENCE)
    _, kind, parameters = _element(algorithm, 0, _OID)
    _, bits, _ = _element(info, position, _BIT_STRING)
    if kind == _RSA:
        _, numbers, _ = _element(bits[1:], 0, _SEQUENCE)
        _, modulus, _ = _element(numbers, 0, _INTEGER)
        return "RSA", int.from_bytes(modulus, "big").bit_length()
    if kind == _EC:
        return "EC", _CURVES.get(_element(algorithm, parameters)[1], 0)
    return "other", 0
