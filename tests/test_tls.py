"""The TLS contexts, over real handshakes with Python's own sockets; and what is wrong with a file."""

from __future__ import annotations

import logging
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync import CertificateError
from ocpp_sync.tls import CIPHERS, client_context, handshake_failure, server_context

from .pki import KINDS, encrypted_key, pki
from .support import TIMEOUT, in_thread

SUITES = {
    "ECDHE-ECDSA-AES128-GCM-SHA256": "ECDSA",
    "ECDHE-ECDSA-AES256-GCM-SHA384": "ECDSA",
    "AES128-GCM-SHA256": "RSA",
    "AES256-GCM-SHA384": "RSA",
}


def shake(client: ssl.SSLContext, server: ssl.SSLContext, host: str = "127.0.0.1") -> tuple[Any, Any]:
    """A handshake: the version and suite of it, and the client's certificate; raises what the client raises."""
    left, right = socket.socketpair()
    with left, right:
        left.settimeout(TIMEOUT)
        right.settimeout(TIMEOUT)

        def serve() -> Any:
            try:
                with server.wrap_socket(right, server_side=True) as secured:
                    secured.sendall(b"x")
                    return secured.getpeercert()
            except (ssl.SSLError, OSError):
                return None

        served = in_thread(serve)
        try:
            with client.wrap_socket(left, server_hostname=host, do_handshake_on_connect=False) as secured:
                try:
                    secured.do_handshake()
                except ssl.SSLError as error:
                    error.agreed = secured.cipher() is not None  # type: ignore[attr-defined]
                    raise
                assert secured.recv(1) == b"x"
                cipher = secured.cipher()
                assert cipher is not None
                seen = secured.version(), cipher[0]
        finally:
            left.close()
        return seen, served.result()


def only(context: ssl.SSLContext, version: ssl.TLSVersion, suite: str | None = None) -> ssl.SSLContext:
    context.minimum_version = context.maximum_version = version
    if suite is not None:
        context.set_ciphers(suite)
    return context


def both() -> ssl.SSLContext:
    rsa, ecdsa = pki().server("RSA"), pki().server("ECDSA")
    return server_context([rsa.cert, ecdsa.cert], [rsa.key, ecdsa.key])


@pytest.mark.parametrize("suite", SUITES)
def test_c4_each_suite_is_negotiated_with_a_client_that_has_no_other(suite: str) -> None:
    client = only(client_context(cafile=pki().ca), ssl.TLSVersion.TLSv1_2, suite)
    assert shake(client, both())[0] == ("TLSv1.2", suite)


@pytest.mark.parametrize("suite", SUITES)
def test_c4_each_suite_is_negotiated_with_a_server_that_has_no_other(suite: str) -> None:
    files = pki().server(SUITES[suite])
    server = only(server_context(files.cert, files.key), ssl.TLSVersion.TLSv1_2, suite)
    assert shake(client_context(cafile=pki().ca), server)[0] == ("TLSv1.2", suite)


def test_c4_no_other_suite_of_tls_1_2_is_there() -> None:
    for context in (client_context(cafile=pki().ca), both()):
        names = {cipher["name"] for cipher in context.get_ciphers() if cipher["protocol"] != "TLSv1.3"}
        assert names == set(CIPHERS.split(":"))


@pytest.mark.parametrize("kind", ["RSA", "ECDSA"])
def test_c3_tls_1_3_is_taken_where_both_have_it(kind: str) -> None:
    files = pki().server(kind)
    assert shake(client_context(cafile=pki().ca), server_context(files.cert, files.key))[0][0] == "TLSv1.3"


def test_c3_nothing_older_than_tls_1_2_and_no_compression() -> None:
    for context in (client_context(cafile=pki().ca), both()):
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
        assert context.options & ssl.OP_NO_COMPRESSION


def test_c3_the_server_refuses_renegotiation_and_gives_tickets() -> None:
    context = both()
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert not context.options & ssl.OP_NO_TICKET
    assert context.num_tickets > 0


def test_c6_chain_and_host_are_verified() -> None:
    context = client_context(cafile=pki().ca)
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


def failure(client: ssl.SSLContext, server: ssl.SSLContext) -> str:
    with pytest.raises(ssl.SSLError) as caught:
        shake(client, server)
    return handshake_failure(caught.value, suite_agreed=getattr(caught.value, "agreed", True)).reason


def test_c8_what_is_wrong_with_the_csms_is_told_apart() -> None:
    trusting = client_context(cafile=pki().ca)

    def plain(files: Any) -> ssl.SSLContext:
        # Ours would not take such a file.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.cert, files.key)
        return context

    files = pki().server()
    assert failure(client_context(cafile=pki("other").ca), plain(files)) == "unknown-ca"
    assert failure(trusting, plain(pki().server(host="other.example"))) == "wrong-host"
    assert failure(trusting, plain(pki().expired())) == "expired"
    assert failure(trusting, plain(pki().not_yet_valid())) == "not-yet-valid"
    old = plain(files)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    assert failure(trusting, old) == "tls-version"
    assert failure(trusting, only(plain(files), ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES256-GCM-SHA384")) == "cipher"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_c7_a_station_without_the_right_certificate_is_refused(version: ssl.TLSVersion) -> None:
    files = pki().server()
    server = only(server_context(files.cert, files.key, client_ca=pki().ca), version)
    right, foreign = pki().client("CP1"), pki("other").client("CP1")
    assert shake(client_context(cafile=pki().ca, certfile=right.cert, keyfile=right.key), server)[1]["subject"][-1][0][1] == "CP1"
    assert failure(client_context(cafile=pki().ca), server) == "client-certificate"
    assert failure(client_context(cafile=pki().ca, certfile=foreign.cert, keyfile=foreign.key), server) == "client-certificate"


def test_a_board_without_a_clock_verifies_all_but_the_dates() -> None:
    early = pki().not_yet_valid()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(early.cert, early.key)
    assert shake(client_context(cafile=pki().ca, verify_time=False), server)[0][0] == "TLSv1.3"
    assert failure(client_context(cafile=pki("other").ca, verify_time=False), server) == "unknown-ca"
    mine = pki().not_yet_valid("CP1")
    client_context(cafile=pki().ca, certfile=mine.cert, keyfile=mine.key, verify_time=False)


# --- files


def refused(problem: str, make: Any, *arguments: Any, **named: Any) -> CertificateError:
    with pytest.raises(CertificateError) as caught:
        make(*arguments, **named)
    assert caught.value.problem == problem
    return caught.value


def test_a_wrong_file_is_named_with_what_is_wrong_with_it(tmp_path: Path) -> None:
    files, other = pki().server(), pki().server("ECDSA")
    missing, text = tmp_path / "missing.pem", tmp_path / "text.pem"
    text.write_text("no PEM")
    assert refused("missing", client_context, cafile=missing).file == str(missing)
    assert refused("not-pem", client_context, cafile=text).file == str(text)
    assert refused("missing", server_context, missing).file == str(missing)
    assert refused("not-pem", server_context, text).file == str(text)
    assert refused("missing", server_context, files.cert, missing).file == str(missing)
    assert refused("not-pem", server_context, files.cert, text).file == str(text)
    assert refused("not-pem", server_context, files.cert).file == str(files.cert)  # there is no key in it
    assert refused("key-mismatch", server_context, files.cert, other.key).file == str(other.key)
    for made, problem in ((pki().expired(), "expired"), (pki().not_yet_valid(), "not-yet-valid")):
        assert refused(problem, server_context, made.cert, made.key).file == str(made.cert)
        assert refused(problem, client_context, cafile=pki().ca, certfile=made.cert, keyfile=made.key).file == str(made.cert)
    gap = tmp_path / "gap.pem"
    gap.write_bytes(files.cert.read_bytes() + pki("other").server().cert.read_bytes())
    assert refused("chain-incomplete", server_context, gap, files.key).file == str(gap)
    assert refused("missing", server_context, files.cert, files.key, client_ca=missing).file == str(missing)


def test_an_encrypted_key_needs_its_password_and_never_asks(tmp_path: Path) -> None:
    files = pki().server()
    key = encrypted_key(files, b"hunter2-hunter2", tmp_path / "encrypted.key")
    server_context(files.cert, key, key_password="hunter2-hunter2")
    assert refused("encrypted", server_context, files.cert, key).file == str(key)
    wrong = refused("encrypted", server_context, files.cert, key, key_password=b"wrong-password")
    assert "wrong-password" not in f"{wrong} {wrong!r}"


def test_key_and_certificate_in_one_file(tmp_path: Path) -> None:
    files = pki().server()
    together = tmp_path / "both.pem"
    together.write_bytes(files.key.read_bytes() + files.cert.read_bytes())
    assert shake(client_context(cafile=pki().ca), server_context(together))[0][0] == "TLSv1.3"


def test_wrong_arguments() -> None:
    files = pki().server()
    with pytest.raises(ValueError, match="do not fit together"):
        server_context([files.cert, files.cert], files.key)
    with pytest.raises(ValueError, match="do not fit together"):
        server_context([])
    with pytest.raises(ValueError, match="needs its certfile"):
        client_context(keyfile=files.key)


def test_c5_a_certificate_that_not_every_station_can_take(caplog: pytest.LogCaptureFixture) -> None:
    ecdsa, rsa = pki().server("ECDSA"), pki().server("RSA")
    with caplog.at_level(logging.WARNING, "ocpp_sync"):
        server_context(ecdsa.cert, ecdsa.key)
    assert "its key is EC, not RSA" in caplog.text
    caplog.clear()
    server_context(rsa.cert, rsa.key, strict_certificate=True)
    server_context([ecdsa.cert, rsa.cert], [ecdsa.key, rsa.key], strict_certificate=True)
    assert not caplog.records
    assert "not RSA" in str(refused("not-for-small-stations", server_context, ecdsa.cert, ecdsa.key, strict_certificate=True))


def test_c5_a_certificate_that_is_too_large() -> None:
    hosts = [f"host-{number}.a-rather-long-name.example" for number in range(60)]
    made = pki()._ca.issue_cert(*hosts, key_type=KINDS["RSA"])
    path = pki().ca.with_name("large.pem")
    made.private_key_and_cert_chain_pem.write_to_path(str(path))
    assert "bytes, more than 2048" in str(refused("not-for-small-stations", server_context, path, strict_certificate=True))
