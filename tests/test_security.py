"""Security profiles 0 to 3 between our two ends, over real TLS."""

from __future__ import annotations

import logging
import queue
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

import pytest

from ocpp_sync import CertificateError, ConnectionClosed, HandshakeError, Limits, OcppClient, OcppServer, RejectHandshake, utcnow
from ocpp_sync.passwords import check_password
from ocpp_sync.tls import client_context, server_context

from .pki import Files, pki
from .support import TIMEOUT, Collector, in_thread
from .test_tls import SUITES, only

Make = Callable[..., Any]

PASSWORD = "secret-password-1"
TLS13 = {"RSA", "ECDSA"}


def authorize(identity: str, request: Any) -> bool:
    if identity == "UNKNOWN":
        raise RejectHandshake(404)
    return check_password(request.password, PASSWORD)


def tls_server(
    make_server: Make, *, files: Files | None = None, client_ca: bool = False, context: ssl.SSLContext | None = None, **options: Any
) -> OcppServer:
    server: OcppServer = make_server(listen=False, **options)
    server.on("Heartbeat", lambda charge_point, request: {"currentTime": utcnow()})
    if context is not None:
        return server.listen(0, "127.0.0.1", ssl_context=context)
    files = files or pki().server()
    return server.listen(0, "127.0.0.1", certfile=files.cert, keyfile=files.key, client_ca=pki().ca if client_ca else None)


def works(client: OcppClient, server: OcppServer) -> bool:
    client.on("GetLocalListVersion", lambda request: {"listVersion" if client.version == "1.6" else "versionNumber": 7})
    assert "currentTime" in client.call("Heartbeat", timeout=TIMEOUT)
    return server.wait_for(client.identity, TIMEOUT).call("GetLocalListVersion", timeout=TIMEOUT) in (
        {"versionNumber": 7},
        {"listVersion": 7},
    )


def own(identity: str = "CP1", kind: str = "RSA") -> dict[str, Any]:
    files = pki().client(identity, kind)
    return {"certfile": files.cert, "keyfile": files.key}


def refused(client: OcppClient, url: str) -> HandshakeError:
    with pytest.raises(HandshakeError) as caught:
        client.connect(url, timeout=TIMEOUT)
    assert not client.connected
    assert PASSWORD not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
    return caught.value


# --- the profiles


@pytest.mark.parametrize("profile", [0, 1])
def test_c1_profiles_without_tls(profile: int, make_server: Make, make_client: Make) -> None:
    server = make_server()
    server.on("Heartbeat", lambda charge_point, request: {"currentTime": utcnow()})
    if profile:
        server.on("authorization", authorize)
    assert works(make_client(server.url, version="1.6", password=PASSWORD if profile else None), server)


MATRIX = [(version, kind, suite) for suite, kind in SUITES.items() for version in (ssl.TLSVersion.TLSv1_2,)]
MATRIX += [(ssl.TLSVersion.TLSv1_3, kind, "") for kind in sorted(TLS13)]


@pytest.mark.parametrize("profile", [2, 3])
@pytest.mark.parametrize(("version", "kind", "suite"), MATRIX, ids=lambda value: getattr(value, "name", value))
def test_c4_profiles_2_and_3_with_each_version_key_and_suite(
    profile: int, version: ssl.TLSVersion, kind: str, suite: str, make_server: Make, make_client: Make
) -> None:
    files = pki().server(kind)
    context = server_context(files.cert, files.key, client_ca=pki().ca if profile == 3 else None)
    server = tls_server(make_server, context=only(context, version, suite or None))
    if profile == 2:
        server.on("authorization", authorize)
    client = make_client(
        server.url, password=PASSWORD if profile == 2 else None, cafile=pki().ca, **(own(kind=kind) if profile == 3 else {})
    )
    sock = client._link.stream._sock
    assert sock.version() == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[version.name]
    assert not suite or sock.cipher()[0] == suite
    assert works(client, server)
    certificate = server["CP1"].request.peer_certificate
    assert (certificate is not None) == (profile == 3)


def test_c4_a_server_with_both_certificates_takes_clients_of_either_pair(make_server: Make, make_client: Make) -> None:
    rsa, ecdsa = pki().server("RSA"), pki().server("ECDSA")
    server = make_server(listen=False)
    server.on("Heartbeat", lambda charge_point, request: {"currentTime": utcnow()})
    server.listen(0, "127.0.0.1", certfile=[rsa.cert, ecdsa.cert], keyfile=[rsa.key, ecdsa.key])
    assert server.url.startswith("wss://127.0.0.1:")
    for number, suite in enumerate(SUITES):
        context = only(client_context(cafile=pki().ca), ssl.TLSVersion.TLSv1_2, suite)
        assert works(make_client(server.url, f"CP{number}", ssl_context=context), server)


# --- who is who


def test_c7_the_certificate_must_name_the_identity(make_server: Make, make_client: Make) -> None:
    server = tls_server(make_server, client_ca=True)
    rejected, hook = Collector(), Collector(True)
    server.on("rejected", rejected)
    server.on("authorization", hook)
    error = refused(make_client(identity="CP2", version="1.6", cafile=pki().ca, **own("CP1")), server.url)
    assert (error.reason, error.status) == ("rejected", 403)
    identity, request, status = rejected.next()
    assert (identity, status) == ("CP2", 403)
    assert request.peer_certificate["subject"][-1][0] == ("commonName", "CP1")
    assert hook.calls.empty()
    assert works(make_client(server.url, "CP1", version="1.6", cafile=pki().ca, **own("CP1")), server)


def test_c7_the_case_counts_in_1_6_only(make_server: Make, make_client: Make) -> None:
    server = tls_server(make_server, client_ca=True)
    assert refused(make_client(identity="cp1", version="1.6", cafile=pki().ca, **own("CP1")), server.url).status == 403
    assert works(make_client(server.url, "cp1", version="2.0.1", cafile=pki().ca, **own("CP1")), server)


def test_c7_a_san_may_name_the_identity_and_the_check_can_be_left_to_the_hook(make_server: Make, make_client: Make) -> None:
    server = tls_server(make_server, client_ca=True)
    assert works(make_client(server.url, "station.invalid", cafile=pki().ca, **own("CP1")), server)
    relaxed = tls_server(make_server, client_ca=True, verify_identity=False)
    assert works(make_client(relaxed.url, "SERIAL-4711", cafile=pki().ca, **own("CP1")), relaxed)


def test_a5_refused_before_any_message(make_server: Make, make_client: Make) -> None:
    server = tls_server(make_server)
    frames, rejected = Collector(), Collector()
    server.on("authorization", authorize)
    server.on("frame", frames)
    server.on("rejected", rejected)
    wrong = refused(make_client(password="wrong-password-1", cafile=pki().ca), server.url)
    assert (wrong.reason, wrong.status) == ("unauthorized", 401)
    unknown = refused(make_client(identity="UNKNOWN", password=PASSWORD, cafile=pki().ca), server.url)
    assert (unknown.reason, unknown.status) == ("not-found", 404)
    assert [rejected.next()[2] for _ in range(2)] == [401, 404]
    assert frames.calls.empty()


# --- what fails is told apart (C8)


def plain_tls(files: Files, **changes: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.cert, files.key)
    for name, value in changes.items():
        setattr(context, name, value)
    return context


CSMS_CERTIFICATES = {
    "wrong-host": lambda: pki().server(host="other.example"),
    "expired": lambda: pki().expired(),
    "not-yet-valid": lambda: pki().not_yet_valid(),
    "unknown-ca": lambda: pki("other").server(),
}


@pytest.mark.parametrize("reason", CSMS_CERTIFICATES)
@pytest.mark.parametrize(("version", "event"), [("1.6", "InvalidCentralSystemCertificate"), ("2.0.1", "InvalidCsmsCertificate")])
def test_c8_a_wrong_certificate_of_the_csms(reason: str, version: str, event: str, make_server: Make, make_client: Make) -> None:
    server = tls_server(make_server, context=plain_tls(CSMS_CERTIFICATES[reason]()))
    hook = Collector(True)
    server.on("authorization", hook)
    error = refused(make_client(version=version, password=PASSWORD, cafile=pki().ca), server.url)
    assert (error.reason, error.status, error.security_event) == (reason, None, event)
    assert isinstance(error.__cause__, ssl.SSLCertVerificationError)
    assert hook.calls.empty()  # no password was sent


def test_c8_another_version_or_suite(make_server: Make, make_client: Make) -> None:
    old = plain_tls(pki().server())
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    error = refused(make_client(cafile=pki().ca), tls_server(make_server, context=old).url)
    assert (error.reason, error.security_event) == ("tls-version", "InvalidTLSVersion")
    other = only(plain_tls(pki().server()), ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES256-GCM-SHA384")
    error = refused(make_client(cafile=pki().ca), tls_server(make_server, context=other).url)
    assert (error.reason, error.security_event) == ("cipher", "InvalidTLSCipherSuite")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("certificate", ["none", "foreign"])
def test_c8_no_or_a_foreign_certificate_of_the_station(
    version: ssl.TLSVersion, certificate: str, make_server: Make, make_client: Make
) -> None:
    files, foreign = pki().server(), pki("other").client("CP1")
    server = tls_server(make_server, context=only(server_context(files.cert, files.key, client_ca=pki().ca), version))
    shown = {} if certificate == "none" else {"certfile": foreign.cert, "keyfile": foreign.key}
    assert refused(make_client(cafile=pki().ca, **shown), server.url).reason == "client-certificate"


def test_c8_a_client_with_tls_never_falls_back(make_server: Make, make_client: Make) -> None:
    server = make_server()
    for settings in ({"cafile": pki().ca}, own(), {"ssl_context": client_context(cafile=pki().ca)}):
        with pytest.raises(ValueError, match="connects to wss:// only"):
            make_client(**settings).connect(server.url)
    assert not server.connections
    error = refused(make_client(password=PASSWORD, cafile=pki().ca), server.url.replace("ws:", "wss:"))
    assert error.reason in ("rejected", "tls-version")


def test_c8_a_server_with_tls_takes_nothing_plain(make_server: Make, make_client: Make) -> None:
    server = tls_server(make_server)
    assert refused(make_client(password=PASSWORD), server.url.replace("wss:", "ws:")).reason == "rejected"
    assert works(make_client(server.url, cafile=pki().ca), server)


def test_wrong_files_and_arguments(make_server: Make, make_client: Make) -> None:
    files = pki().server()
    server = make_server(listen=False)
    with pytest.raises(CertificateError):
        server.listen(0, certfile=files.key, keyfile=files.key)
    with pytest.raises(ValueError, match="need a certfile"):
        server.listen(0, keyfile=files.key)
    with pytest.raises(RuntimeError, match="does not listen with TLS"):
        server.reload_certificates()
    client = make_client(cafile=files.key)
    with pytest.raises(CertificateError):
        client.connect("wss://127.0.0.1:1", timeout=TIMEOUT)


# --- a board without a clock


def test_a_board_without_a_clock_verifies_dates_once_it_knows_the_time(make_server: Make, make_client: Make) -> None:
    server = tls_server(make_server, context=plain_tls(pki().not_yet_valid()))
    client = make_client(server.url, cafile=pki().ca, verify_time=False)
    client.close()
    client.connect(server.url, timeout=TIMEOUT)  # still: nobody has told the time
    assert works(client, server)
    client.close()
    assert refused(client, server.url).reason == "not-yet-valid"
    strangers = make_client(cafile=pki("other").ca, verify_time=False)
    assert refused(strangers, server.url).reason == "unknown-ca"


# --- rotation


def test_a_new_password_or_certificate_holds_from_the_next_connect(make_server: Make, make_client: Make) -> None:
    server = tls_server(make_server, client_ca=True)
    server.on("authorization", authorize)
    client = make_client(server.url, password=PASSWORD, cafile=pki().ca, **own())
    client.reconfigure(password="wrong-password-1")
    assert works(client, server)
    client.close()
    assert refused(client, server.url).reason == "unauthorized"
    foreign = pki("other").client("CP1")
    client.reconfigure(password=PASSWORD, certfile=foreign.cert, keyfile=foreign.key)
    assert refused(client, server.url).reason == "client-certificate"
    with pytest.raises(CertificateError):
        client.reconfigure(password="other", certfile=foreign.key)
    with pytest.raises(TypeError, match="identity cannot be changed"):
        client.reconfigure(identity="CP2")
    client.reconfigure(**own())
    client.connect(server.url, timeout=TIMEOUT)
    assert works(client, server)


def test_the_server_takes_new_certificates_and_keeps_its_connections(make_server: Make, make_client: Make, tmp_path: Any) -> None:
    first, second = pki().server(), pki("other").server()
    files = Files(tmp_path / "cert.pem", tmp_path / "key.pem")

    def install(made: Files) -> None:
        files.cert.write_bytes(made.cert.read_bytes())
        files.key.write_bytes(made.key.read_bytes())

    install(first)
    server = tls_server(make_server, files=files)
    old = make_client(server.url, "OLD", cafile=pki().ca)
    install(second)
    server.reload_certificates()
    assert refused(make_client(identity="NEW", cafile=pki().ca), server.url).reason == "unknown-ca"
    assert works(make_client(server.url, "NEW", cafile=pki("other").ca), server)
    assert works(old, server)
    files.key.write_text("damaged")
    with pytest.raises(CertificateError):
        server.reload_certificates()
    assert works(make_client(server.url, "NEWER", cafile=pki("other").ca), server)


# --- resumption


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("profile", [2, 3])
def test_a_client_that_reconnects_resumes_its_session(version: ssl.TLSVersion, profile: int, make_server: Make, make_client: Make) -> None:
    files = pki().server()
    context = server_context(files.cert, files.key, client_ca=pki().ca if profile == 3 else None)
    server = tls_server(make_server, context=only(context, version))
    client = make_client(server.url, cafile=pki().ca, **(own() if profile == 3 else {}))
    resumed = [client._link.stream._sock.session_reused]
    for _ in range(3):
        client.close()
        client.connect(server.url, timeout=TIMEOUT)
        resumed.append(client._link.stream._sock.session_reused)
        assert works(client, server)
        assert (server["CP1"].request.peer_certificate is not None) == (profile == 3)
    assert resumed == [False, True, True, True]
    client.reconfigure()
    client.close()
    client.connect(server.url, timeout=TIMEOUT)
    assert not client._link.stream._sock.session_reused  # new files may be new certificates


# --- against Python's own TLS


def test_a_plain_tls_client_against_our_server(make_server: Make) -> None:
    server = tls_server(make_server)
    context = ssl.create_default_context(cafile=str(pki().ca))
    with (
        socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as raw,
        context.wrap_socket(raw, server_hostname="127.0.0.1") as sock,
    ):
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while chunk := sock.recv(4096):
            answer += chunk
    assert answer.startswith(b"HTTP/1.1 426 ")


def has_ended(sock: socket.socket) -> bool:
    try:
        return sock.recv(100) == b""
    except ConnectionResetError:
        return True


def test_close_at_any_moment_of_the_handshake(make_server: Make, make_client: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"wss://127.0.0.1:{silent.getsockname()[1]}"
        client = make_client(cafile=pki().ca)
        waiting = in_thread(client.connect, url, timeout=60)
        silent.settimeout(TIMEOUT)
        peer, _ = silent.accept()
        with peer:
            peer.settimeout(TIMEOUT)
            assert peer.recv(1) == b"\x16"  # it is in the middle of it
            client.close()
            with pytest.raises(ConnectionClosed, match="closed while connecting"):
                waiting.result()
    server = tls_server(make_server)
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as half:
        half.sendall(b"\x16\x03\x01")
        server.close()
        half.settimeout(TIMEOUT)
        assert has_ended(half)


# --- secrets


def test_c2_no_secret_is_written_anywhere(make_server: Make, make_client: Make, caplog: pytest.LogCaptureFixture) -> None:
    key = "0123456789abcdef0123456789abcdef"
    seen: queue.Queue[str] = queue.Queue()
    with caplog.at_level(logging.DEBUG):
        server = tls_server(make_server)
        server.on("authorization", authorize)
        server.on("frame", lambda charge_point, direction, text: seen.put(text))
        client = make_client(version="1.6", password=PASSWORD, cafile=pki().ca)
        client.on("frame", lambda direction, text: seen.put(text))
        client.on("ChangeConfiguration", lambda request: {"status": "Accepted"})
        client.connect(server.url, timeout=TIMEOUT)
        answer = server.wait_for("CP1", TIMEOUT).call("ChangeConfiguration", {"key": "AuthorizationKey", "value": key})
        assert answer == {"status": "Accepted"}
        refused(make_client(identity="CP9", password=PASSWORD[:-1] + "x", cafile=pki().ca), server.url)
        shown = f"{client!r} {server!r} {server['CP1']!r} {server['CP1'].request!r} {client._tls.settings!r}"
    frames = "".join(seen.queue)
    assert '"value":"***"' in frames
    for secret in (PASSWORD, key, "Q1AxOn"):
        assert secret not in caplog.text + shown + frames


# --- what a hostile end might try


def test_a_cookie_of_one_server_goes_to_no_other_and_injects_nothing(make_client: Make, raw_csms: Make) -> None:
    def poison(connection: Any, request: Any, response: Any) -> None:
        response.headers["Set-Cookie"] = 'a="x\\015\\012X-Evil: injected"; Domain=127.0.0.1'

    poisoned, other = raw_csms(process_response=poison), raw_csms()
    make_client(poisoned.url, "CP1")
    make_client(other.url, "CP2")
    assert "Set-Cookie" in poisoned.socket.response.headers
    assert not {"Cookie", "X-Evil"} & set(other.socket.request.headers)


def test_an_own_context_does_not_go_with_files(make_server: Make) -> None:
    files, context = pki().server(), client_context(cafile=pki().ca)
    with pytest.raises(ValueError, match="do not go with it"):
        make_server(listen=False).listen(0, certfile=files.cert, ssl_context=context)
    with pytest.raises(ValueError, match="need a certfile"):
        make_server(listen=False).listen(0, client_ca=pki().ca, ssl_context=context)
    with pytest.raises(ValueError, match="do not go with it"):
        OcppClient("CP1", cafile=pki().ca, ssl_context=context)
    with pytest.raises(ValueError, match="needs its certfile"):
        OcppClient("CP1", keyfile=files.key)
    with pytest.raises(ValueError, match="do not go with it"):
        OcppClient("CP1", ssl_context=context).reconfigure(cafile=pki().ca)


def test_the_headers_of_a_request_do_not_show_themselves(make_server: Make, make_client: Make) -> None:
    server = make_server()
    make_client(server.url, password=PASSWORD)
    request = server.wait_for("CP1", TIMEOUT).request
    assert request.headers["authorization"].startswith("Basic ")
    assert "Basic" not in f"{request!r} {request.headers!r} {request.headers}"
    assert "Authorization" in repr(request.headers)


def test_a_peer_cannot_forge_a_line_of_the_log(server: OcppServer, raw_charge_point: Make, caplog: pytest.LogCaptureFixture) -> None:
    peer = raw_charge_point(server.url)
    peer.send([4, "x", "E\nCRITICAL forged", "d\nERROR forged too", {}])
    peer.sync()
    assert any("forged" in record.getMessage() for record in caplog.records)
    assert not any("\n" in record.getMessage() for record in caplog.records)


def test_an_address_that_swallows_everything_leaves_time_for_the_next(
    server: OcppServer, make_client: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
        full = [socket.socket() for _ in range(4)]
        for sock in full:  # they fill its queue: nobody accepts
            sock.setblocking(False)
            sock.connect_ex(deaf.getsockname())
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        addresses = [(*kind, deaf.getsockname()), (*kind, ("127.0.0.1", server.port))]
        real = socket.getaddrinfo

        def resolve(host: bytes, *arguments: Any, **named: Any) -> Any:
            if host != b"csms.example":
                return real(host, *arguments, **named)
            if named.get("flags"):
                raise socket.gaierror("a name")
            return addresses

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        assert make_client().connect("ws://csms.example", timeout=4).connected
        for sock in full:
            sock.close()


@pytest.mark.parametrize("form", ["wss://LOCALHOST:{port}/", "wss://localhost:{port}", "wss://127.0.0.1:{port}/ocpp"])
def test_a_session_is_resumed_however_the_url_is_written(form: str, make_server: Make, make_client: Make) -> None:
    server = tls_server(make_server, files=pki().server(host="127.0.0.1" if "127" in form else "localhost"))
    url = form.format(port=server.port)
    client = make_client(url, cafile=pki().ca)
    client.close()
    client.connect(url, timeout=TIMEOUT)
    assert client._link.stream._sock.session_reused


def test_a_connection_counts_as_long_as_a_handler_of_it_runs(make_server: Make, make_client: Make) -> None:
    server = make_server(limits=Limits(max_connections=1))
    entered, released = Collector(), threading.Event()

    def block(charge_point: Any, request: Any) -> dict[str, Any]:
        entered(charge_point)
        released.wait(TIMEOUT)
        return {"currentTime": utcnow()}

    server.on("Heartbeat", block)
    first = make_client(server.url, "CP1")
    calling = in_thread(first.call, "Heartbeat")
    (connection,) = entered.next()
    first.close()
    with pytest.raises(ConnectionClosed):
        calling.result()
    assert connection.wait_closed(TIMEOUT)
    assert refused(make_client(identity="CP2"), server.url).status == 503
    released.set()
    http = server._http
    with http._freed:
        assert http._freed.wait_for(lambda: not http._places, TIMEOUT)
    assert make_client(server.url, "CP2").connected
