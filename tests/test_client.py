"""The charge point's end: what it asks for, why it is refused, and how it comes and goes."""

from __future__ import annotations

import base64
import hashlib
import logging
import queue
import re
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from ocpp_sync import ConnectionClosed, HandshakeError, NotConnected, OcppClient, OcppServer, hex_password
from ocpp_sync.errors import OcppError

from .support import TIMEOUT, Collector, RawCsms, in_thread

MakeClient = Callable[..., OcppClient]
MakeServer = Callable[..., OcppServer]
MakeCsms = Callable[..., RawCsms]

PASSWORD = "secret-password-1"

BOOT = {"chargingStation": {"model": "M", "vendorName": "V"}, "reason": "PowerUp"}


# --- a server that says what no WebSocket server would


def head_of(sock: socket.socket) -> str:
    """An HTTP request as it came, or what there was of it."""
    data = b""
    while not data.endswith(b"\r\n\r\n") and (more := sock.recv(65536)):
        data += more
    return data.decode("latin-1")


def field(head: str, name: str) -> str:
    """The value of a header, which must be there once."""
    (value,) = re.findall(rf"(?mi)^{name}: (.*)\r$", head)
    assert isinstance(value, str)
    return value


def switching(head: str, *, accept: str | None = None, subprotocol: str | None = "ocpp2.0.1") -> bytes:
    """The answer that upgrades."""
    key = field(head, "Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = accept or base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept}"]
    if subprotocol is not None:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    return "\r\n".join([*lines, "", ""]).encode()


def plain(status: str, *headers: str) -> bytes:
    """A whole answer without a body."""
    return "\r\n".join([f"HTTP/1.1 {status}", "Content-Length: 0", *headers, "", ""]).encode()


class TcpServer:
    """Hands each connection's request to ``answer``, and sends what that returns piece by piece; ``stay``: and hangs up only at the end."""

    def __init__(self, answer: Callable[[str], Iterable[bytes]], stay: bool) -> None:
        self._answer = answer
        self._stay = stay
        self._sockets = ExitStack()
        self.over = threading.Event()
        self.heads: queue.Queue[str] = queue.Queue()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self.listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, name="test TCP server", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.settimeout(TIMEOUT)
            self._sockets.enter_context(sock)
            with suppress(OSError):
                head = head_of(sock)
                self.heads.put(head)
                for piece in self._answer(head):
                    sock.sendall(piece)
                if not self._stay:
                    sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        if self.over.is_set():
            return
        self.over.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(TIMEOUT)
        self.listener.close()
        self._sockets.close()


MakeTcp = Callable[..., TcpServer]


@pytest.fixture
def tcp_server() -> Iterator[MakeTcp]:
    servers: list[TcpServer] = []

    def make(answer: Callable[[str], Iterable[bytes]] | bytes = b"", *, stay: bool = False) -> TcpServer:
        servers.append(TcpServer((lambda _: [answer]) if isinstance(answer, bytes) else answer, stay))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"ws://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def deaf_port() -> Iterator[str]:
    """Where connecting never comes to an end: the queue of those who want to is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as stack:
        address = listener.getsockname()
        while True:
            sock = stack.enter_context(socket.socket())
            sock.settimeout(0.2)
            try:
                sock.connect(address)
            except TimeoutError:
                break
        yield f"ws://127.0.0.1:{address[1]}"


def refused(client: OcppClient, url: str, **options: Any) -> HandshakeError:
    with pytest.raises(HandshakeError) as caught:
        client.connect(url, timeout=options.pop("timeout", TIMEOUT), **options)
    assert not client.connected
    assert client.wait_closed(0)
    return caught.value


# --- URL and identity (A1, A2)


@pytest.mark.parametrize(
    ("endpoint", "identity", "target"),
    [
        ("", "CP1", "/CP1"),
        ("/", "CP1", "/CP1"),
        ("/ocpp", "CP1", "/ocpp/CP1"),
        ("/ocpp/", "CP1", "/ocpp/CP1"),
        ("/a/b%20c/", "CP1", "/a/b%20c/CP1"),
        ("/ocpp", "RDAM 123", "/ocpp/RDAM%20123"),
        ("/ocpp", "RDAM|123", "/ocpp/RDAM%7C123"),
        ("/ocpp", "R:1?2#3%4&5", "/ocpp/R%3A1%3F2%233%254%265"),
        ("/ocpp", "Ladesäule", "/ocpp/Lades%C3%A4ule"),
        ("?token=a%20b&x=1", "CP1", "/CP1?token=a%20b&x=1"),
        ("/ocpp/?token=a%20b&x=1", "RDAM 123", "/ocpp/RDAM%20123?token=a%20b&x=1"),
    ],
)
def test_a1_what_the_server_receives(endpoint: str, identity: str, target: str, tcp_server: MakeTcp, make_client: MakeClient) -> None:
    server = tcp_server(plain("404 Not Found"))
    refused(make_client(identity=identity, version="1.6"), server.url + endpoint)
    assert server.heads.get(timeout=TIMEOUT).startswith(f"GET {target} HTTP/1.1\r\n")


def test_a1_the_server_of_this_package_reads_it_back(server: OcppServer, make_client: MakeClient) -> None:
    make_client(f"{server.url}/ocpp/?token=1", "RDAM 123|ä", version="1.6")
    request = server.wait_for("RDAM 123|ä", TIMEOUT).request
    assert (request.path, request.query) == ("/ocpp/RDAM%20123%7C%C3%A4", "token=1")


@pytest.mark.parametrize(
    "url",
    [
        *("", "csms.example", "http://csms.example", "ws://", "ws://:9220", "ws://csms.example:0", "ws://csms.example:65536"),
        *(
            "ws://csms.example:port",
            "ws://user@csms.example",
            f"ws://CP1:{PASSWORD}@csms.example",
            "ws://csms.example/#top",
            "ws://csms.example/a b",
        ),
    ],
)
def test_a1_a_wrong_endpoint_is_refused(url: str, make_client: MakeClient) -> None:
    with pytest.raises(ValueError, match="endpoint") as caught:
        make_client().connect(url)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("identity", ["", "x" * 256, "CP/1", "CP\n1", "CP\x001", "CP\x7f1", "CP\ud8001", None, 1, b"CP1"])
def test_a2_a_bad_identity_is_refused(identity: Any) -> None:
    with pytest.raises(ValueError, match="identity"):
        OcppClient(identity)


@pytest.mark.parametrize("password", ["secret", b"secret"])
def test_a2_a_colon_in_the_identity_is_refused_with_a_password(password: str | bytes) -> None:
    with pytest.raises(ValueError, match="':'"):
        OcppClient("CP:1", version="1.6", password=password)


def test_a2_a_colon_in_the_identity_is_refused_when_a_password_comes(server: OcppServer, make_client: MakeClient) -> None:
    passwords: list[str | None] = [None, "secret"]
    client = make_client(identity="CP:1", version="1.6", password=lambda: passwords.pop(0))
    client.connect(server.url).close()
    with pytest.raises(ValueError, match="':'"):
        client.connect(server.url)


@pytest.mark.parametrize(
    ("identity", "version", "warns"),
    [
        ("azAZ09*-_=+|@.", "2.0.1", False),
        ("x" * 48, ["2.1", "2.0.1"], False),
        ("x" * 49, "2.0.1", True),
        ("RDAM 123", "2.1", True),
        ("CP:1", "2.0.1", True),
        ("Ladesäule", "2.0.1", True),
        ("CP1\n", "2.0.1", None),
        ("RDAM 123", "1.6", False),
        ("x" * 49, ["2.0.1", "1.6"], False),
    ],
)
def test_a2_an_identity_beyond_the_rules_of_2x_is_logged(
    identity: str, version: Any, warns: bool | None, caplog: pytest.LogCaptureFixture
) -> None:
    if warns is None:
        with pytest.raises(ValueError, match="identity"):
            OcppClient(identity, version=version)
        return
    OcppClient(identity, version=version)
    records = [(record.levelname, identity in record.getMessage()) for record in caplog.records]
    assert records == ([("WARNING", True)] if warns else [])


# --- versions (A3, A4)


@pytest.mark.parametrize("version", [[], (), "2.0", "ocpp1.6", "", ["1.6", "2.0"]])
def test_a3_an_unknown_version_is_refused(version: Any) -> None:
    with pytest.raises(ValueError, match="version"):
        OcppClient("CP1", version=version)


@pytest.mark.parametrize(
    ("version", "offer"),
    [
        ("1.6", ["ocpp1.6"]),
        ("2.0.1", ["ocpp2.0.1"]),
        ("2.1", ["ocpp2.1"]),
        (["2.1", "1.6"], ["ocpp2.1", "ocpp1.6"]),
        (("1.6", "2.0.1", "2.1"), ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"]),
    ],
)
def test_a3_the_client_offers_its_versions_in_order_of_preference(
    version: Any, offer: list[str], tcp_server: MakeTcp, make_client: MakeClient
) -> None:
    server = tcp_server(plain("404 Not Found"))
    refused(make_client(version=version), server.url)
    assert field(server.heads.get(timeout=TIMEOUT), "Sec-WebSocket-Protocol").split(", ") == offer


@pytest.mark.parametrize(
    ("offered", "supported", "negotiated"),
    [
        ("2.1", ["1.6", "2.0.1", "2.1"], "2.1"),
        (["1.6", "2.1"], ["2.1", "2.0.1", "1.6"], "1.6"),
        (["2.1", "2.0.1", "1.6"], ["1.6", "2.0.1"], "2.0.1"),
        (["2.1", "1.6"], ["1.6"], "1.6"),
    ],
)
def test_a3_the_negotiated_version(
    offered: Any, supported: list[str], negotiated: str, make_server: MakeServer, make_client: MakeClient
) -> None:
    server = make_server(versions=supported)
    client = make_client(version=offered)
    assert client.version is None
    client.connect(server.url)
    assert client.version == server.wait_for("CP1", TIMEOUT).version == negotiated
    client.close()
    assert client.version == negotiated


def test_a3_the_version_is_negotiated_anew_at_each_connect(raw_csms: MakeCsms, make_client: MakeClient) -> None:
    client = make_client(version=["2.1", "1.6"])
    for version in ("1.6", "2.1", "1.6"):
        client.connect(raw_csms(version=version).url)
        assert client.version == version
        client.close()


def test_a4_an_answer_without_a_subprotocol_is_a_failure(tcp_server: MakeTcp, make_client: MakeClient) -> None:
    server = tcp_server(lambda head: [switching(head, subprotocol=None)], stay=True)
    client = make_client()
    error = refused(client, server.url)
    assert (error.reason, error.status, client.version) == ("subprotocol", 101, None)
    with pytest.raises(NotConnected):
        client.call("Heartbeat")


@pytest.mark.parametrize("chosen", ["ocpp1.6", "ocpp2.0", "OCPP2.0.1", "ocpp2.0.1, ocpp2.1", "x" * 500])
def test_a4_a_subprotocol_that_was_never_offered_is_a_failure(chosen: str, tcp_server: MakeTcp, make_client: MakeClient) -> None:
    server = tcp_server(lambda head: [switching(head, subprotocol=chosen)], stay=True)
    client = make_client(version=["2.1", "2.0.1"])
    error = refused(client, server.url)
    assert (error.reason, error.status, client.version) == ("subprotocol", 101, None)
    assert len(str(error)) < 200


def test_a4_no_common_version_with_the_server_of_this_package(make_server: MakeServer, make_client: MakeClient) -> None:
    client = make_client(version="2.1")
    for mismatch, reason, status in [("close", "subprotocol", 101), ("refuse", "rejected", 400)]:
        error = refused(client, make_server(versions=["1.6"], subprotocol_mismatch=mismatch).url)
        assert (error.reason, error.status) == (reason, status)


# --- credentials and headers (A5, C2)


def authorization_of(client: OcppClient, server: TcpServer) -> str:
    refused(client, server.url)
    return field(server.heads.get(timeout=TIMEOUT), "Authorization")


def test_c2_the_vector_of_a_1_6_key(tcp_server: MakeTcp, make_client: MakeClient) -> None:
    key = hex_password("0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF")
    client = make_client(identity="AL1000", version="1.6", password=key)
    assert authorization_of(client, tcp_server(plain("401 Unauthorized"))) == "Basic QUwxMDAwOgABAgMEBQYH////////////////"


@pytest.mark.parametrize(
    ("password", "raw"),
    [
        (PASSWORD, PASSWORD.encode()),
        ("Schlüssel €", "Schlüssel €".encode()),
        ("00ff", b"00ff"),
        ("a:b:c", b"a:b:c"),
        ("", b""),
        (b"\x00\xff\n", b"\x00\xff\n"),
        (bytearray(b"secret"), b"secret"),
    ],
)
def test_c2_text_goes_out_as_utf8_and_bytes_as_they_are(password: Any, raw: bytes, tcp_server: MakeTcp, make_client: MakeClient) -> None:
    client = make_client(password=password)
    scheme, encoded = authorization_of(client, tcp_server(plain("401 Unauthorized"))).split(" ")
    assert (scheme, base64.b64decode(encoded, validate=True)) == ("Basic", b"CP1:" + raw)


def test_c2_the_server_of_this_package_reads_the_password(make_server: MakeServer, make_client: MakeClient) -> None:
    server = make_server()
    server.on("authorization", lambda _, request: request.password == "Schlüssel €".encode())
    make_client(server.url, password="Schlüssel €")
    error = refused(make_client(password="Schlussel"), server.url)
    assert (error.reason, error.status) == ("unauthorized", 401)


def test_c2_without_a_password_no_credentials_go_out(tcp_server: MakeTcp, make_client: MakeClient) -> None:
    server = tcp_server(plain("401 Unauthorized"))
    refused(make_client(), server.url)
    refused(make_client(password=lambda: None), server.url)
    for _ in range(2):
        assert "authorization" not in server.heads.get(timeout=TIMEOUT).lower()


def test_c2_a_function_is_asked_for_the_password_at_each_connect(tcp_server: MakeTcp, make_client: MakeClient) -> None:
    passwords: list[str | bytes] = ["first", b"second"]
    client = make_client(password=lambda: passwords.pop(0))
    assert len(passwords) == 2
    server = tcp_server(plain("401 Unauthorized"))
    sent = [base64.b64decode(authorization_of(client, server).split(" ")[1]) for _ in range(2)]
    assert sent == [b"CP1:first", b"CP1:second"]


def test_c2_a_function_that_fails_is_heard_of_and_harms_nothing(server: OcppServer, make_client: MakeClient) -> None:
    errors: list[Exception] = [OSError("no key store")]

    def password() -> str:
        if errors:
            raise errors.pop()
        return PASSWORD

    client = make_client(password=password)
    with pytest.raises(OSError, match="no key store"):
        client.connect(server.url)
    assert client.connect(server.url).connected


def test_further_headers_go_out(tcp_server: MakeTcp, make_client: MakeClient) -> None:
    server = tcp_server(plain("404 Not Found"))
    refused(
        make_client(),
        server.url,
        headers={"X-Serial": "4711: a b", "user-agent": "NECU-T2", "Authorization": "Bearer token", "X-Empty": ""},
    )
    head = server.heads.get(timeout=TIMEOUT)
    assert field(head, "X-Serial") == "4711: a b"
    assert field(head, "User-Agent") == "NECU-T2"
    assert field(head, "Authorization") == "Bearer token"
    assert field(head, "X-Empty") == ""
    assert field(head, "Host") == server.url.removeprefix("ws://")
    assert "origin" not in head.lower()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("X-A", "1\r\nX-B: 2"), ("X-A", "1\nX-B: 2"), ("X-A", "1\r"), ("X-A", "1\x00"), ("X-A", "1\n"), ("X-A", "€")),
        *(("X-A\r\nX-B", "1"), ("X-A\n", "1"), ("X A", "1"), ("X-A:", "1"), ("", "1"), ("X-Ä", "1")),
        *((name, "1") for name in ("Host", "host", "Upgrade", "Connection", "Content-Length", "Transfer-Encoding")),
        *((name, "1") for name in ("Sec-WebSocket-Key", "sec-websocket-protocol", "Sec-WebSocket-Extensions", "SEC-WEBSOCKET-VERSION")),
    ],
)
def test_a_header_that_would_change_the_upgrade_is_refused(name: str, value: str, server: OcppServer, make_client: MakeClient) -> None:
    client = make_client()
    with pytest.raises(ValueError, match="header"):
        client.connect(server.url, {"X-Good": "1", name: value})
    assert not client.connected


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
def test_c2_there_are_no_two_kinds_of_credentials(name: str, server: OcppServer, make_client: MakeClient) -> None:
    with pytest.raises(ValueError, match="Authorization") as caught:
        make_client(password=PASSWORD).connect(server.url, {name: "Bearer token"})
    assert PASSWORD not in str(caught.value)
    assert "token" not in str(caught.value)


# --- why there is no link


def test_nobody_listens(closed_port: str, make_client: MakeClient) -> None:
    error = refused(make_client(), closed_port)
    assert (error.reason, error.status, error.code) == ("unreachable", None, 1006)
    assert isinstance(error, ConnectionError)
    assert isinstance(error.__cause__, ConnectionRefusedError)
    assert closed_port.removeprefix("ws://") in str(error)


def test_nobody_knows_the_name(make_client: MakeClient) -> None:
    error = refused(make_client(), "ws://nosuchhost.invalid/ocpp", timeout=None)
    assert (error.reason, error.status) == ("unreachable", None)
    assert isinstance(error.__cause__, socket.gaierror)
    assert "nosuchhost.invalid" in str(error)


def test_a_name_that_is_none(make_client: MakeClient) -> None:
    error = refused(make_client(), f"ws://{'x' * 64}.invalid/")
    assert (error.reason, error.status) == ("unreachable", None)
    assert isinstance(error.__cause__, (OSError, UnicodeError))


def test_the_resolver_is_not_waited_for_beyond_the_time_out(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    over = slow_resolver(monkeypatch)
    try:
        error = refused(make_client(), "ws://csms.example/", timeout=0.05)
    finally:
        over.set()
    assert (error.reason, error.status) == ("timeout", None)


def slow_resolver(monkeypatch: pytest.MonkeyPatch, asked: Callable[[], Any] = lambda: None) -> threading.Event:
    """The system resolves no name until the event is set."""
    over, resolve = threading.Event(), socket.getaddrinfo

    def getaddrinfo(host: str, port: int, **options: Any) -> Any:
        if not options.get("flags"):
            asked()
            over.wait()
        return resolve(host, port, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return over


def test_each_address_of_a_name_is_tried(
    server: OcppServer, closed_port: str, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo
    ports = [int(closed_port.rpartition(":")[2]), server.port]

    def getaddrinfo(host: str, port: int, **options: Any) -> Any:
        if options.get("flags"):
            raise socket.gaierror(socket.EAI_NONAME, "a name")
        return [address for port in ports for address in resolve("127.0.0.1", port, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert make_client("ws://csms.example/").connected


def drip(server: Callable[[], TcpServer], pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Piece by piece, each sooner than any time-out that starts anew with each."""
    for piece in pieces:
        yield piece
        if server().over.wait(0.02):
            return


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([], id="nothing"),
        pytest.param([b"HTTP/1.1 101 Switching Protocols\r\nUpgr"], id="half"),
        pytest.param([b"HTTP/1.1 101 Switching", *[b" "] * 10_000], id="slow line"),
        pytest.param([b"HTTP/1.1 101 Switching Protocols\r\n", *[b"X: 1\r\n"] * 10_000], id="slow headers"),
    ],
)
def test_a_server_that_is_slow_to_answer(pieces: list[bytes], tcp_server: MakeTcp, make_client: MakeClient) -> None:
    servers: list[TcpServer] = []
    servers.append(tcp_server(lambda _: drip(lambda: servers[0], pieces), stay=True))
    started = time.monotonic()
    error = refused(make_client(), servers[0].url, timeout=0.3)
    assert (error.reason, error.status) == ("timeout", None)
    assert 0.3 <= time.monotonic() - started < TIMEOUT
    assert error.__cause__ is not None


def test_a_host_that_does_not_answer(deaf_port: str, make_client: MakeClient) -> None:
    error = refused(make_client(), deaf_port, timeout=0.1)
    assert (error.reason, error.status) == ("timeout", None)
    assert isinstance(error.__cause__, TimeoutError)


@pytest.mark.parametrize("timeout", [-1, float("nan"), -float("inf")])
def test_a_time_out_that_is_none(timeout: float, server: OcppServer, make_client: MakeClient) -> None:
    with pytest.raises(ValueError, match="timeout"):
        make_client().connect(server.url, timeout=timeout)


@pytest.mark.parametrize("timeout", [None, 1e12, float("inf")])
def test_a_long_time_out(timeout: float | None, server: OcppServer, make_client: MakeClient) -> None:
    assert make_client().connect(server.url, timeout=timeout).connected


def test_a_time_out_that_overflows_in_milliseconds(deaf_port: str, make_client: MakeClient) -> None:
    client = make_client()
    connecting = in_thread(client.connect, deaf_port, timeout=2**32 / 1000 + 0.02)
    connecting.thread.join(0.2)
    assert connecting.thread.is_alive()
    closed_while_connecting(client, connecting)


def test_no_time_at_all(server: OcppServer, make_client: MakeClient) -> None:
    assert refused(make_client(), server.url, timeout=0).reason == "timeout"


@pytest.mark.parametrize(
    ("answer", "reason", "status"),
    [
        (plain("401 Unauthorized", 'WWW-Authenticate: Basic realm="OCPP"'), "unauthorized", 401),
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n\r\nno\n", "unauthorized", 401),
        (b"HTTP/1.1 401 Unauthorized\r\n\r\nno", "unauthorized", 401),
        (b"HTTP/1.0 401\r\n\r\n", "unauthorized", 401),
        (plain("404 Not Found"), "not-found", 404),
        (plain("400 Bad Request"), "rejected", 400),
        (plain("403 Forbidden"), "rejected", 403),
        (plain("426 Upgrade Required", "Upgrade: websocket"), "rejected", 426),
        (plain("500 Internal Server Error"), "rejected", 500),
        (plain("503 Service Unavailable", "Retry-After: 60"), "rejected", 503),
        (plain("200 OK"), "rejected", 200),
        (plain("100 Continue"), "rejected", 100),
    ],
)
def test_a5_what_http_answers_instead(answer: bytes, reason: str, status: int, tcp_server: MakeTcp, make_client: MakeClient) -> None:
    error = refused(make_client(password=PASSWORD), tcp_server(answer).url)
    assert (error.reason, error.status) == (reason, status)
    assert str(status) in str(error)
    assert error.__cause__ is not None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(status: int, tcp_server: MakeTcp, make_client: MakeClient) -> None:
    elsewhere = tcp_server(plain("404 Not Found"))
    server = tcp_server(plain(f"{status} Elsewhere", f"Location: {elsewhere.url}/CP1"))
    error = refused(make_client(password=PASSWORD), server.url)
    assert (error.reason, error.status) == ("redirect", status)
    # Had it been followed, the first request there would not be this one.
    with socket.create_connection(elsewhere.listener.getsockname()) as sock:
        sock.sendall(b"mine\r\n\r\n")
        assert elsewhere.heads.get(timeout=TIMEOUT).startswith("mine")


def test_a_redirect_to_nowhere(tcp_server: MakeTcp, make_client: MakeClient) -> None:
    error = refused(make_client(), tcp_server(plain("302 Found")).url)
    assert (error.reason, error.status) == ("redirect", 302)


def without(name: str) -> Callable[[str], list[bytes]]:
    return lambda head: [re.sub(rb"(?mi)^" + name.encode() + rb":.*\r\n", b"", switching(head))]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00\xff\xfe" * 100, id="bytes"),
        pytest.param(b"\xff\r\n\r\n", id="no UTF-8"),
        pytest.param(b"220 mail.example ESMTP\r\n\r\n", id="mail"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="SSH"),
        pytest.param(b"HTTP/1.1\r\n\r\n", id="no status"),
        pytest.param(b"HTTP/1.1 abc OK\r\n\r\n", id="no number"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\nnonsense\r\n\r\n", id="no header"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", id="no headers"),
        pytest.param(b"\r\n\r\n", id="empty lines"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: webso", id="cut"),
        pytest.param(b"HTTP/1.1 400 Bad\r\nContent-Length: many\r\n\r\n", id="no length"),
        pytest.param(lambda head: [switching(head, accept="s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")], id="wrong accept"),
        pytest.param(without("Sec-WebSocket-Accept"), id="no accept"),
        pytest.param(without("Upgrade"), id="no upgrade"),
        pytest.param(without("Connection"), id="no connection"),
    ],
)
def test_what_is_no_upgrade_is_rejected(answer: Any, tcp_server: MakeTcp, make_client: MakeClient) -> None:
    error = refused(make_client(password=PASSWORD), tcp_server(answer).url)
    assert error.reason == "rejected"
    assert error.__cause__ is not None
    assert len(str(error)) < 400


@pytest.mark.parametrize(
    ("start", "filler"),
    [
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\n", b"X-Filler: 1\r\n", id="headers"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\nX-Filler: ", b"1", id="header"),
        pytest.param(b"HTTP/1.1 101 ", b"Switching Protocols ", id="status line"),
        pytest.param(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 1000000000000\r\n\r\n", b"1", id="body"),
    ],
)
def test_an_answer_without_end_is_rejected(start: bytes, filler: bytes, tcp_server: MakeTcp, make_client: MakeClient) -> None:
    def answer(_: str) -> Iterator[bytes]:
        yield start
        while True:
            yield filler * 1000

    error = refused(make_client(), tcp_server(answer, stay=True).url, timeout=None)
    assert error.reason == "rejected"


REFUSALS: dict[str, Callable[[str], Iterable[bytes]]] = {
    "unauthorized": lambda _: [plain("401 Unauthorized")],
    "redirect": lambda _: [plain("302 Found", "Location: ws://127.0.0.1:1/")],
    "rejected": lambda _: [b"nonsense"],
    "subprotocol": lambda head: [switching(head, subprotocol=None)],
    "echo": lambda head: [head.encode("latin-1")],
    "echo as headers": lambda head: [b"HTTP/1.1 403 Forbidden\r\n", head.partition("\r\n")[2].encode("latin-1")],
    "echo as body": lambda head: [f"HTTP/1.1 403 Forbidden\r\nContent-Length: {len(head)}\r\n\r\n{head}".encode("latin-1")],
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_c2_the_password_is_shown_nowhere(
    kind: str, tcp_server: MakeTcp, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = make_client(password=PASSWORD)
    error = refused(client, tcp_server(REFUSALS[kind]).url)
    shown = [str(error), repr(error), str(error.args), repr(client), caplog.text, "".join(traceback.format_exception(error))]
    encoded = base64.b64encode(f"CP1:{PASSWORD}".encode()).decode()
    for text in shown:
        assert PASSWORD not in text
        assert encoded not in text


# --- coming and going


def test_before_connect(make_client: MakeClient) -> None:
    client = make_client()
    assert (client.identity, client.version, client.connected) == ("CP1", None, False)
    assert repr(client) == "<OcppClient 'CP1' (not connected)>"
    assert client.wait_closed()
    client.run_forever()
    for use in (client.call, client.send):
        with pytest.raises(NotConnected, match="not connected") as caught:
            use("Heartbeat")
        assert isinstance(caught.value, (ConnectionClosed, ConnectionError, OcppError))
    client.close()
    client.close()


def test_connect_returns_the_client_when_the_link_is_open(server: OcppServer, make_client: MakeClient) -> None:
    connected = Collector()
    client = make_client()
    client.on("connect", connected)
    assert client.connect(server.url) is client
    assert client.connected
    assert repr(client) == "<OcppClient 'CP1' (connected, OCPP 2.0.1)>"
    assert connected.next() == ()
    assert not client.wait_closed(0)
    client.close()
    assert repr(client) == "<OcppClient 'CP1' (not connected)>"
    with pytest.raises(NotConnected):
        client.call("Heartbeat")


def test_a_second_connect_is_refused_and_harms_nothing(server: OcppServer, make_client: MakeClient) -> None:
    server.on("Heartbeat", lambda *_: {"currentTime": "2025-01-01T00:00:00Z"})
    client = make_client(server.url)
    with pytest.raises(RuntimeError, match="connected already"):
        client.connect(server.url)
    assert client.call("Heartbeat") == {"currentTime": "2025-01-01T00:00:00Z"}


def test_two_threads_cannot_connect_at_once(tcp_server: MakeTcp, make_client: MakeClient) -> None:
    server = tcp_server(stay=True)
    client = make_client()
    connecting = in_thread(client.connect, server.url)
    server.heads.get(timeout=TIMEOUT)
    with pytest.raises(RuntimeError, match="another thread"):
        client.connect(server.url)
    client.close()
    with pytest.raises(ConnectionClosed):
        connecting.result()


def test_a_client_that_was_refused_connects_later(
    closed_port: str, tcp_server: MakeTcp, server: OcppServer, make_client: MakeClient
) -> None:
    client = make_client()
    refused(client, closed_port)
    refused(client, tcp_server(plain("401 Unauthorized")).url)
    refused(client, tcp_server(lambda head: [switching(head, subprotocol=None)], stay=True).url)
    assert client.connect(server.url).connected


def test_handlers_are_kept_from_one_link_to_the_next(server: OcppServer, make_client: MakeClient) -> None:
    connected, closed, cleared = Collector(), Collector(), Collector({"status": "Accepted"})
    client = make_client()
    client.on("connect", connected)
    client.on("close", closed)
    client.on("ClearCache", cleared)
    for number in range(3):
        client.connect(server.url)
        assert server.wait_for("CP1", TIMEOUT).call("ClearCache") == {"status": "Accepted"}
        client.close(1000, f"bye {number}")
        assert (connected.next(), cleared.next(), closed.next()) == ((), ({},), (1000, f"bye {number}"))


def test_one_thread_runs_the_handlers_of_a_later_link(server: OcppServer, make_client: MakeClient) -> None:
    threads = Collector({"status": "Accepted"})
    client = make_client(server.url)
    client.on("ClearCache", lambda _: threads(threading.current_thread()))
    client.close()
    client.connect(server.url)
    for _ in range(2):
        server.wait_for("CP1", TIMEOUT).call("ClearCache")
    assert threads.next() == threads.next()


def test_connect_after_the_other_side_has_closed(raw_csms: MakeCsms, make_client: MakeClient) -> None:
    csms = raw_csms()
    client = make_client(csms.url)
    for _ in range(3):
        csms.next_socket().close(1001, "maintenance")
        assert client.wait_closed(TIMEOUT)
        client.connect(csms.url)
    assert client.connected


def test_connect_as_soon_as_a_call_has_failed(raw_csms: MakeCsms, make_client: MakeClient) -> None:
    csms = raw_csms()
    client = make_client()
    for _ in range(20):
        client.connect(csms.url)
        call = in_thread(call_then_connect, client, csms.url)
        csms.next_socket().recv(timeout=TIMEOUT)
        csms.socket.close(1001)
        call.result()
        assert client.connected
        client.close()
        csms.next_socket()


def call_then_connect(client: OcppClient, url: str) -> None:
    with pytest.raises(ConnectionClosed):
        client.call("Heartbeat")
    client.connect(url)


def test_connect_in_a_handler_of_close(raw_csms: MakeCsms, make_client: MakeClient) -> None:
    csms = raw_csms()
    client = make_client(csms.url)
    connected = Collector()
    urls = [csms.url] * 4
    client.on("close", lambda *_: urls and connected(client.connect(urls.pop())))
    for _ in range(3):
        csms.next_socket().close(1001)
        assert connected.next() == (client,)
        assert client.connected
    client.close()  # whose last act is the event
    assert connected.next() == (client,)
    assert client.connected


def test_a_link_that_came_while_close_was_waiting_is_left_alone(server: OcppServer, make_client: MakeClient) -> None:
    client = make_client(server.url)
    client.begin_close(1000, "")
    assert client.wait_closed(TIMEOUT)
    client.connect(server.url)
    client.finish_close(time.monotonic())
    assert client.connected
    assert server.wait_for("CP1", TIMEOUT).connected


def test_connect_waits_no_longer_than_its_time_out_for_the_last_link(tcp_server: MakeTcp, make_client: MakeClient) -> None:
    server = tcp_server(lambda head: [switching(head)], stay=True)
    client = make_client(server.url)
    client.begin_close(1000, "")
    with pytest.raises(HandshakeError, match="last link") as caught:
        client.connect(server.url, timeout=0.05)
    assert caught.value.reason == "timeout"
    server.close()
    assert client.wait_closed(TIMEOUT)


# --- close()


def test_close_tells_the_other_side(raw_csms: MakeCsms, make_client: MakeClient) -> None:
    csms = raw_csms()
    client = make_client(csms.url)
    closed = Collector()
    client.on("close", closed)
    client.close(4001, "done")
    assert csms.receive_close() == (4001, "done")
    assert closed.next() == (4001, "done")
    client.close(1000, "again")
    client.close()
    assert closed.calls.empty()


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, -1])
def test_a_close_code_that_must_not_be_sent_is_refused(code: int, server: OcppServer, make_client: MakeClient) -> None:
    client = make_client(server.url)
    with pytest.raises(ValueError, match="close code"):
        client.close(code)
    assert client.connected


def test_a_long_reason_is_cut_to_whole_characters(raw_csms: MakeCsms, make_client: MakeClient) -> None:
    csms = raw_csms()
    make_client(csms.url).close(1000, "ä" * 100)
    assert csms.receive_close() == (1000, "ä" * 61)


@pytest.mark.parametrize("action", ["ClearCache", "close"])
def test_close_from_a_handler(action: str, raw_csms: MakeCsms, make_client: MakeClient) -> None:
    csms = raw_csms()
    client = make_client(csms.url)
    done = Collector()

    def close(*_: Any) -> None:
        client.close(1000, "from a handler")
        done(client.connected, client.wait_closed(0))

    client.on(action, close)
    if action == "close":
        csms.socket.close(1001)
    else:
        csms.send([2, "1", action, {}])
    assert done.next() == (False, action != "close" or client.wait_closed(TIMEOUT))


def test_close_from_a_handler_of_connect(server: OcppServer, make_client: MakeClient) -> None:
    client = make_client()
    closed = Collector()
    client.on("connect", lambda: client.close(1000, "at once"))
    client.on("close", closed)
    with suppress(ConnectionClosed):  # close() may come before connect() has come back
        client.connect(server.url)
    assert closed.next() == (1000, "at once")
    assert client.wait_closed(TIMEOUT)


def test_close_from_a_handler_of_frame(raw_csms: MakeCsms, make_client: MakeClient) -> None:
    csms = raw_csms()
    client = make_client(csms.url)
    closed, done = Collector(), Collector()

    def close(direction: str, _: str) -> None:
        client.close(1000, "seen enough")
        done(direction)

    client.on("frame", close)
    client.on("close", closed)
    csms.send([2, "1", "ClearCache", {}])
    assert done.next() == ("in",)
    assert closed.next() == (1000, "seen enough")
    assert csms.receive_close() == (1000, "seen enough")


def test_close_from_a_handler_of_frame_comes_to_an_end_without_an_answer(
    tcp_server: MakeTcp, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocpp_sync.transport.link._LINGER", 0.1)
    text = b'[2,"1","ClearCache",{}]'
    connected = threading.Event()

    def answer(head: str) -> Iterator[bytes]:
        yield switching(head)
        connected.wait(TIMEOUT)
        yield bytes([0x81, len(text)]) + text

    client = make_client()
    closed = Collector()
    client.on("frame", lambda *_: client.close(1000, "seen enough"))
    client.on("close", closed)
    client.connect(tcp_server(answer, stay=True).url)
    connected.set()
    assert closed.next() == (1000, "seen enough")
    assert client.wait_closed(TIMEOUT)


def test_the_reader_cannot_connect(raw_csms: MakeCsms, make_client: MakeClient) -> None:
    csms = raw_csms()
    client = make_client(csms.url)
    done = Collector()

    def connect(*_: Any) -> None:
        with pytest.raises(RuntimeError):
            client.connect(csms.url)
        client.close()
        with pytest.raises(RuntimeError):
            client.connect(csms.url)
        done()

    client.on("frame", connect)
    csms.send([2, "1", "ClearCache", {}])
    assert done.next() == ()


class Hasty(OcppClient):
    """Closed before its reader has begun."""

    def attach(self, *arguments: Any) -> None:
        super().attach(*arguments)
        self.begin_close(1000, "at once")


def test_a_link_that_is_closed_before_its_reader_has_begun(raw_csms: MakeCsms) -> None:
    csms = raw_csms()
    client = Hasty("CP1")
    closed = Collector()
    client.on("close", closed)
    with pytest.raises(ConnectionClosed, match="closed while connecting"):
        client.connect(csms.url)
    assert csms.receive_close() == (1000, "at once")
    assert closed.next() == (1000, "at once")
    assert client.wait_closed(TIMEOUT)
    client.close()


def test_without_a_thread_to_read_there_is_no_link(raw_csms: MakeCsms, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    csms = raw_csms()
    client = make_client()
    start = threading.Thread.start

    def fail(thread: threading.Thread) -> None:
        if thread.name == "ocpp-rx CP1":
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        with pytest.raises(RuntimeError, match="new thread"):
            client.connect(csms.url)
    assert not client.connected
    assert csms.receive_close() == (1006, "")
    assert client.connect(csms.url).connected


# --- close() while another thread connects


def closed_while_connecting(client: OcppClient, connecting: Any) -> None:
    client.close()
    with pytest.raises(ConnectionClosed) as caught:
        connecting.result()
    assert (caught.value.code, caught.value.reason) == (1000, "closed while connecting")
    assert not client.connected
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_close_ends_a_connect_that_waits_for_the_upgrade(tcp_server: MakeTcp, server: OcppServer, make_client: MakeClient) -> None:
    silent = tcp_server(stay=True)
    client = make_client(password=PASSWORD)
    connecting = in_thread(client.connect, silent.url, timeout=None)
    silent.heads.get(timeout=TIMEOUT)
    closed_while_connecting(client, connecting)
    assert client.connect(server.url).connected


class Watched(OcppClient):
    """Says when it has a socket, and is about to connect it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.ready = threading.Event()

    def _set_opening(self, *arguments: Any) -> None:
        super()._set_opening(*arguments)
        self.ready.set()


def test_close_ends_a_connect_that_waits_for_tcp(deaf_port: str) -> None:
    client = Watched("CP1")
    connecting = in_thread(client.connect, deaf_port)
    assert client.ready.wait(TIMEOUT)
    closed_while_connecting(client, connecting)


def test_close_ends_a_connect_that_waits_for_a_name(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Collector()
    over = slow_resolver(monkeypatch, asked)
    client = make_client()
    connecting = in_thread(client.connect, "ws://csms.example/")
    asked.next()
    try:
        closed_while_connecting(client, connecting)
    finally:
        over.set()
        connecting.thread.join(TIMEOUT)


class Late(OcppClient):
    """Closed when the upgrade is done, but nobody knows yet."""

    def attach(self, *arguments: Any) -> None:
        in_thread(self.close).result()
        super().attach(*arguments)


def test_close_ends_a_connect_that_is_all_but_done(raw_csms: MakeCsms) -> None:
    csms = raw_csms()
    client = Late("CP1")
    with pytest.raises(ConnectionClosed, match="while connecting"):
        client.connect(csms.url)
    assert not client.connected
    assert csms.receive_close() == (1000, "")


# --- with, and the main loop


def test_with_closes(raw_csms: MakeCsms) -> None:
    csms = raw_csms()
    with OcppClient("CP1") as client:
        assert not client.connected
        client.connect(csms.url)
    assert client.wait_closed(0)
    assert csms.receive_close() == (1000, "")
    with pytest.raises(KeyError), OcppClient("CP1").connect(csms.url) as client:
        raise KeyError
    assert client.wait_closed(0)


def test_wait_closed_and_run_forever_come_back_with_the_end_of_the_link(raw_csms: MakeCsms, make_client: MakeClient) -> None:
    csms = raw_csms()
    client = make_client(csms.url)
    assert client.wait_closed(0.01) is False
    waiting, running = in_thread(client.wait_closed), in_thread(client.run_forever)
    csms.socket.close(1001)
    assert waiting.result() is True
    assert running.result() is None
    assert not client.connected


def test_a_call_over_a_real_link(server: OcppServer, make_client: MakeClient) -> None:
    server.on("BootNotification", lambda *_: {"status": "Accepted", "currentTime": "2025-01-01T00:00:00Z", "interval": 300})
    assert make_client(server.url).call("BootNotification", BOOT)["status"] == "Accepted"
