"""The TLS contexts of OCPP's security profiles 2 and 3 (rules C3–C6), and what a failed handshake is called (rule C8)."""

from __future__ import annotations

import logging
import os
import ssl
from collections.abc import Sequence
from os import PathLike
from typing import NamedTuple

from .certificates import check_chain, read_certificates
from .errors import CertificateError

__all__ = ["CIPHERS", "client_context", "handshake_failure", "server_context"]

_log = logging.getLogger("ocpp_sync")

File = str | PathLike[str]

CIPHERS = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:AES128-GCM-SHA256:AES256-GCM-SHA384"
"""The four suites of rule C4, by OpenSSL's names; those of TLS 1.3 are there beside them."""

_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME
_MAX_CERTIFICATE = 2048  # bytes of DER, rule C5
_MIN_RSA, _MIN_EC = 2048, 224


def client_context(
    *,
    cafile: File | None = None,
    certfile: File | None = None,
    keyfile: File | None = None,
    key_password: str | bytes | None = None,
    verify_time: bool = True,
) -> ssl.SSLContext:
    """A charge point's context: TLS 1.2 or newer, the CSMS's chain and host name are verified (rules C3, C4, C6).

    Args:
        cafile: The PEM file of the CAs to trust; None trusts the system's.
        certfile: This station's certificate and its chain, for profile 3; None has none.
        keyfile: Its private key; None is in ``certfile`` too.
        key_password: Of an encrypted key; None asks for nothing: such a key is an error then.
        verify_time: False takes certificates whatever their dates, all else is verified: for a board that does not know the time yet.

    Raises:
        CertificateError: A file is missing, damaged, out of date, or does not fit; it says which and how.
    """
    context = _context(ssl.PROTOCOL_TLS_CLIENT)
    if not verify_time:
        context.verify_flags |= _NO_CHECK_TIME
    if cafile is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        _load_cas(context, cafile)
    if certfile is not None:
        _load_chain(context, certfile, keyfile, key_password, check_time=verify_time)
    elif keyfile is not None:
        raise ValueError("a keyfile needs its certfile")
    return context


def server_context(
    certfile: File | Sequence[File],
    keyfile: File | Sequence[File] | None = None,
    *,
    client_ca: File | None = None,
    key_password: str | bytes | None = None,
    strict_certificate: bool = False,
) -> ssl.SSLContext:
    """A CSMS's context: TLS 1.2 or newer, the four suites of rule C4, tickets for resumption, no renegotiation.

    Args:
        certfile: The certificate and its chain; or several, an RSA and an ECDSA one for all four suites.
        keyfile: The private key of each; None is in the certfiles too.
        client_ca: The PEM file of the CAs that sign the stations' certificates: each must have one then (profile 3); None asks for none.
        key_password: Of encrypted keys.
        strict_certificate: Whether a certificate that small stations cannot take (rule C5) is an error instead of a warning.

    Raises:
        CertificateError: A file is missing, damaged, out of date, or does not fit; it says which and how.
        ValueError: There are not as many keys as certificates.
    """
    context = _context(ssl.PROTOCOL_TLS_SERVER)
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    certfiles = _files(certfile)
    keyfiles: Sequence[File | None] = [None] * len(certfiles) if keyfile is None else _files(keyfile)
    if not certfiles or len(keyfiles) != len(certfiles):
        raise ValueError(f"{len(certfiles)} certificates and {len(keyfiles)} keys do not fit together")
    for certificate, key in zip(certfiles, keyfiles):  # noqa: B905 (checked above)
        _load_chain(context, certificate, key, key_password, check_time=True)
    _check_for_small_stations(certfiles, strict_certificate)
    if client_ca is not None:
        _load_cas(context, client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _context(protocol: int) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_ciphers(CIPHERS)
    return context


def _files(given: File | Sequence[File]) -> list[File]:
    return [given] if isinstance(given, (str, PathLike)) else list(given)


def _load_cas(context: ssl.SSLContext, path: File) -> None:
    read_certificates(path)  # its errors are clearer
    try:
        context.load_verify_locations(path)
    except (ssl.SSLError, OSError) as error:
        raise CertificateError(path, "not-pem", str(error)) from error


def _load_chain(
    context: ssl.SSLContext, certfile: File, keyfile: File | None, key_password: str | bytes | None, *, check_time: bool
) -> None:
    chain = read_certificates(certfile)
    key = certfile if keyfile is None else keyfile
    if not os.path.exists(key):  # noqa: PTH110 (as in schemas)
        raise CertificateError(key, "missing", "there is no such file")

    asked = False

    def password() -> str | bytes:
        # Without it OpenSSL would ask on the terminal, and wait.
        nonlocal asked
        asked = True
        if key_password is None:
            raise CertificateError(key, "encrypted", "the key is encrypted, and no key_password was given")
        return key_password

    try:
        context.load_cert_chain(certfile, keyfile, password)
    except CertificateError:
        raise
    except ssl.SSLError as error:
        if "KEY_VALUES_MISMATCH" in str(error) or "NO_CERTIFICATE_ASSIGNED" in str(error):
            raise CertificateError(key, "key-mismatch", f"it is not the key of the certificate {certfile}") from error
        if asked:
            raise CertificateError(key, "encrypted", "key_password does not decrypt the key") from error
        raise CertificateError(key, "not-pem", f"it holds no usable private key in PEM form ({error.reason or error})") from error
    except OSError as error:
        raise CertificateError(key, "unreadable", str(error.strerror)) from error
    check_chain(certfile, chain, check_time=check_time)


def _check_for_small_stations(certfiles: Sequence[File], strict: bool) -> None:
    """Rule C5: there must be one certificate that every station can take."""
    problems = []
    for path in certfiles:
        own = read_certificates(path)[0]
        if own.key_type != "RSA":
            problem = f"its key is {own.key_type}, not RSA"
        elif own.key_bits < _MIN_RSA:
            problem = f"its key has {own.key_bits} bits, fewer than {_MIN_RSA}"
        elif own.size > _MAX_CERTIFICATE:
            problem = f"it has {own.size} bytes, more than {_MAX_CERTIFICATE}"
        else:
            return
        problems.append((path, problem))
    path, problem = problems[0]
    text = f"not every station can take it: {problem} (OCPP-J 1.6, 6.2.1)"
    if strict:
        raise CertificateError(path, "not-for-small-stations", text)
    _log.warning("%s: %s", path, text)


# --- What went wrong


class Failure(NamedTuple):
    """A failed handshake: the word for ``HandshakeError.reason``, and a sentence for people."""

    reason: str
    message: str


_VERIFY = {
    9: Failure("not-yet-valid", "the CSMS's certificate is not valid yet; does this machine know the time?"),
    10: Failure("expired", "the CSMS's certificate has expired"),
    62: Failure("wrong-host", "the CSMS's certificate is for another host"),
    64: Failure("wrong-host", "the CSMS's certificate is for another address"),
}
_VERSION_WORDS = ("PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE", "WRONG_VERSION_NUMBER", "WRONG_SSL_VERSION")
_CIPHER_WORDS = ("HANDSHAKE_FAILURE", "NO_SHARED_CIPHER", "NO_CIPHERS_AVAILABLE", "INSUFFICIENT_SECURITY")
_CERTIFICATE_WORDS = (
    "CERTIFICATE_REQUIRED",
    "ALERT_BAD_CERTIFICATE",
    "ALERT_UNKNOWN_CA",
    "ALERT_CERTIFICATE_UNKNOWN",
    "ALERT_CERTIFICATE_EXPIRED",
    "ALERT_CERTIFICATE_REVOKED",
    "ALERT_UNSUPPORTED_CERTIFICATE",
    "ALERT_ACCESS_DENIED",
    "ALERT_DECRYPT_ERROR",
)


def handshake_failure(error: ssl.SSLError, *, suite_agreed: bool = False) -> Failure:
    """What a failed TLS handshake of a client means.

    Args:
        error: What was raised.
        suite_agreed: Whether version and cipher suite had been agreed on before. The CSMS uses the same word for not finding any as,
            with TLS 1.2, for not getting a certificate.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        unknown = Failure("unknown-ca", f"the CSMS's certificate is not signed by a trusted CA: {error.verify_message}")
        return _VERIFY.get(error.verify_code, unknown)
    text = f"{error.reason} {error}"
    if any(word in text for word in _CERTIFICATE_WORDS) or (suite_agreed and "HANDSHAKE_FAILURE" in text):
        return Failure("client-certificate", f"the CSMS does not take this station's certificate: {error.reason}")
    if any(word in text for word in _VERSION_WORDS):
        return Failure("tls-version", f"the CSMS speaks no version of TLS that is allowed here: {error.reason}")
    if any(word in text for word in _CIPHER_WORDS):
        return Failure("cipher", f"the CSMS speaks no cipher suite that is allowed here: {error.reason}")
    return Failure("rejected", f"the TLS handshake failed: {error.reason or error}")
