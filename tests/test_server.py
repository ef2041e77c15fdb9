"""The server: who may connect and as whom, who is connected, what is no WebSocket, and how all of it ends."""

from __future__ import annotations

import base64
import http.client
import io
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from ocpp_sync import CallError, ConnectionClosed, HandshakeError, Limits, MalformedMessage, OcppClient, OcppServer, RejectHandshake
from ocpp_sync.reactor import Reactor
from ocpp_sync.registry import Registry
from ocpp_sync.server_connection import OcppClientConnection

from .support import TIMEOUT, VERSIONS, Collector, Future, RawChargePoint, in_thread

MakeServer = Callable[..., OcppServer]
MakeClient = Callable[..., OcppClient]
MakeChargePoint = Callable[..., RawChargePoint]

ACCEPTED = {"status": "Accepted"}
REQUEST = {"vendorId": "eParking"}
SECRET = b"secret-password-1"

CLOSE_1001 = b"\x88\x13\x03\xe9the server closes"

HEADERS = {
    "Host": "csms.example",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "ocpp2.0.1",
}


class Answer(NamedTuple):
    """What came back until the connection ended."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Tcp:
    """A TCP connection to a server, byte by byte."""

    def __init__(self, server: OcppServer, host: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection((host, server.port), TIMEOUT)

    def __enter__(self) -> Tcp:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.socket.getsockname()[:2]
        return host, port

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read_all(self) -> bytes:
        """Everything until the other side ends the connection."""
        data = b""
        try:
            while chunk := self.socket.recv(65536):
                data += chunk
        except ConnectionResetError:
            pass
        return data

    def read_head(self) -> bytes:
        """An answer as far as its headers."""
        data = b""
        while not data.endswith(b"\r\n\r\n"):
            chunk = self.socket.recv(1)
            assert chunk, f"the connection ended after {data!r}"
            data += chunk
        return data


def basic(user: bytes, password: bytes) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(user + b":" + password).decode()}


def upgrade(target: str = "/CP1", *, line: str | None = None, **changes: str | None) -> bytes:
    """A WebSocket upgrade; ``changes`` to its headers are named with ``_`` for ``-``, None leaves one out."""
    names = {name.lower(): name for name in HEADERS}
    headers: dict[str, str | None] = dict(HEADERS)
    for key, value in changes.items():
        name = key.replace("_", "-")
        headers[names.get(name.lower(), name)] = value
    lines = [line or f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items() if value is not None)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def parse(data: bytes) -> Answer:
    """A whole answer."""
    response = http.client.HTTPResponse(SimpleNamespace(makefile=lambda *_: io.BytesIO(data)))  # type: ignore[arg-type]
    response.begin()
    return Answer(response.status, response.msg, response.read())


def ask(server: OcppServer, data: bytes) -> Answer:
    """Send bytes; the answer, which must be followed by the end of the connection."""
    with Tcp(server) as tcp:
        tcp.send(data)
        return parse(tcp.read_all())


def assert_refused(answer: Answer, status: int, text: str = "") -> None:
    """A short plain answer, with no WebSocket behind it."""
    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert int(answer.headers["Content-Length"]) == len(answer.body) < 300
    assert text in answer.body.decode()


def own_threads() -> list[str]:
    """The threads of the servers; those that are just ending have a moment."""
    found = []
    for thread in threading.enumerate():
        if thread.name.startswith(("ocpp-http", "ocpp-accept", "ocpp-handler", "ocpp-rx", "ocpp-serve")):
            thread.join(1.0)
            if thread.is_alive():
                found.append(thread.name)
    return found


def call_itself(peer: RawChargePoint, message_id: str = "1") -> Any:
    """What answers a DataTransfer of a raw charge point."""
    peer.send([2, message_id, "DataTransfer", REQUEST])
    return peer.receive()


@pytest.fixture
def tcp(server: OcppServer) -> Iterator[Callable[[], Tcp]]:
    """Makes TCP connections to the server."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Tcp(server))


# --- Identity


@pytest.mark.parametrize(
    ("target", "identity"),
    [
        ("/CP1", "CP1"),
        ("/ocpp/CP1", "CP1"),
        ("/a/b/c/CP1?token=1", "CP1"),
        ("/ocpp/RDAM%20123", "RDAM 123"),
        ("/ocpp/RDAM%7C123", "RDAM|123"),
        ("/a%3Ab", "a:b"),
        ("/%C3%A9%E2%82%AC", "é€"),
        ("/%43P%31", "CP1"),
        ("/100%25", "100%"),
        ("/a+b", "a+b"),
        ("/a%3Fb%23c", "a?b#c"),
        ("/" + "x" * 255, "x" * 255),
        ("http://csms.example/ocpp/CP1", "CP1"),
    ],
)
def test_a1_the_identity_is_the_last_segment_of_the_path(server: OcppServer, target: str, identity: str) -> None:
    hook = Collector(False)
    server.on("authorization", hook)
    assert ask(server, upgrade(target)).status == 401
    assert hook.next()[0] == identity


@pytest.mark.parametrize(
    "target",
    ["/", "/ocpp/", "/ocpp/?CP1", "/ocpp/CP%2F1", "/%2F", "/%FF", "/%C3", "/CP%00", "/CP%0D%0A", "/%7F", "/%C2%85", "/" + "x" * 256],
)
def test_a2_what_is_no_identity_is_not_found(server: OcppServer, target: str) -> None:
    hook = Collector(True)
    server.on("authorization", hook)
    assert_refused(ask(server, upgrade(target)), 404)
    assert hook.calls.empty()
    assert server.connections == {}


def test_a2_a_colon_in_the_identity_is_no_end_of_the_user_name(server: OcppServer) -> None:
    hook = Collector(False)
    server.on("authorization", hook)
    ask(server, upgrade("/a%3Ab", **basic(b"a:b", b"c:d")))
    identity, request = hook.next()
    assert (identity, request.password) == ("a:b", b"c:d")


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_a2_an_identity_of_2x_is_found_whatever_its_case(server: OcppServer, raw_charge_point: MakeChargePoint, version: str) -> None:
    raw_charge_point(server.url, "Cp1", version=version)
    charge_point = server.wait_for("cP1", TIMEOUT)
    assert charge_point.identity == "Cp1"
    assert server["CP1"] is server["cp1"] is server["Cp1"] is charge_point
    assert "cp1" in server
    assert "cp2" not in server
    assert list(server.connections) == ["Cp1"]


def test_a2_an_identity_of_16_is_found_as_it_is(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    raw_charge_point(server.url, "Cp1", version="1.6")
    charge_point = server.wait_for("Cp1", TIMEOUT)
    assert server["Cp1"] is charge_point
    assert "cp1" not in server
    with pytest.raises(KeyError):
        server["CP1"]
    raw_charge_point(server.url, "CP1", version="1.6")
    assert server.wait_for("CP1", TIMEOUT) is not charge_point
    assert sorted(server) == ["CP1", "Cp1"]


def test_a2_the_exact_identity_comes_first(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    raw_charge_point(server.url, "cp1", version="1.6")
    raw_charge_point(server.url, "CP1", version="2.0.1")
    server.wait_for("CP1", TIMEOUT)
    assert (server["cp1"].version, server["CP1"].version, server["Cp1"].version) == ("1.6", "2.0.1", "2.0.1")


# --- Authorization


@pytest.mark.parametrize("result", [True, 1, "yes"])
def test_a_true_result_of_the_hook_lets_in(server: OcppServer, make_client: MakeClient, result: Any) -> None:
    server.on("authorization", Collector(result))
    assert make_client(server.url).connected


@pytest.mark.parametrize("result", [False, None, 0, ""])
def test_a5_a_false_result_of_the_hook_is_401(server: OcppServer, make_client: MakeClient, result: Any) -> None:
    server.on("authorization", Collector(result))
    connected = Collector()
    server.on("connection", connected)
    answer = ask(server, upgrade())
    assert_refused(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")
    with pytest.raises(HandshakeError) as refused:
        make_client(server.url)
    assert (refused.value.status, refused.value.reason) == (401, "unauthorized")
    assert server.connections == {}
    assert connected.calls.empty()


@pytest.mark.parametrize(
    ("status", "text", "shown"),
    [
        (404, None, "404 Not Found"),
        (404, "never heard of it", "never heard of it"),
        (401, "wrong password", "wrong password"),
        (403, "é€", "é€"),
        (429, None, "429 Too Many Requests"),
        (503, "later", "later"),
        (499, None, "499 Refused"),
    ],
)
def test_a5_the_hook_can_refuse_with_another_status(server: OcppServer, status: int, text: str | None, shown: str) -> None:
    @server.on("authorization")
    def refuse(identity: str, request: Any) -> bool:
        raise RejectHandshake(status, text)

    answer = ask(server, upgrade())
    assert_refused(answer, status, shown)
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_a5_an_unknown_identity_is_not_found_for_the_client(server: OcppServer, make_client: MakeClient) -> None:
    @server.on("authorization")
    def refuse(identity: str, request: Any) -> bool:
        raise RejectHandshake(404)

    with pytest.raises(HandshakeError) as refused:
        make_client(server.url)
    assert (refused.value.status, refused.value.reason) == (404, "not-found")


@pytest.mark.parametrize(
    "error", [ValueError("secret-1"), CallError("SecurityError", "secret-1"), SystemExit("secret-1"), BaseException("secret-1")]
)
def test_a_hook_that_fails_is_500_and_never_401(server: OcppServer, caplog: pytest.LogCaptureFixture, error: BaseException) -> None:
    @server.on("authorization")
    def fail(identity: str, request: Any) -> bool:
        raise error

    answer = ask(server, upgrade())
    assert_refused(answer, 500)
    assert b"secret-1" not in answer.body
    (record,) = [record for record in caplog.records if "the authorization hook failed" in record.getMessage()]
    assert record.exc_info is not None
    assert record.exc_info[1] is error


def test_the_last_hook_decides_alone(server: OcppServer, make_client: MakeClient) -> None:
    first = Collector(False)
    server.on("authorization", first)
    server.on("authorization", Collector(True))
    assert make_client(server.url).connected
    assert first.calls.empty()


@pytest.mark.parametrize("password", ["secret-password-1", SECRET, b"\x00\xff:\x80"])
def test_c2_the_hook_gets_the_password_as_bytes(server: OcppServer, make_client: MakeClient, password: str | bytes) -> None:
    hook = Collector(True)
    server.on("authorization", hook)
    make_client(server.url, password=password)
    assert hook.next()[1].password == (password.encode() if isinstance(password, str) else password)


@pytest.mark.parametrize(
    "header",
    [
        {},
        basic(b"CP2", SECRET),
        basic(b"CP11", SECRET),
        {"Authorization": "Bearer " + base64.b64encode(b"CP1:" + SECRET).decode()},
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic é"},
        {"Authorization": "Basic " + base64.b64encode(b"CP1").decode()},
    ],
)
def test_c2_what_are_no_credentials_of_the_identity_is_no_password(server: OcppServer, header: dict[str, str]) -> None:
    hook = Collector(False)
    server.on("authorization", hook)
    assert ask(server, upgrade(**header)).status == 401
    assert hook.next()[1].password is None


def test_c2_an_empty_password_is_one(server: OcppServer) -> None:
    hook = Collector(False)
    server.on("authorization", hook)
    ask(server, upgrade(authorization="basic " + base64.b64encode(b"CP1:").decode()))
    assert hook.next()[1].password == b""


def test_what_the_hook_sees_of_the_request(server: OcppServer, tcp: Callable[[], Tcp]) -> None:
    hook = Collector(False)
    server.on("authorization", hook)
    peer = tcp()
    peer.send(upgrade("/ocpp/RDAM%20123?token=a%20b&x", X_Serial="  42 ", X_Empty=""))
    assert parse(peer.read_all()).status == 401
    identity, request = hook.next()
    assert identity == "RDAM 123"
    assert (request.path, request.query) == ("/ocpp/RDAM%20123", "token=a%20b&x")
    assert request.headers["X-Serial"] == request.headers["x-sERIAL"] == "42"
    assert request.headers["x-empty"] == ""
    assert request.headers["X-Missing"] is None
    assert request.headers["sec-websocket-protocol"] == "ocpp2.0.1"
    assert request.remote_address == peer.address
    assert request.peer_certificate is None


def test_a_header_that_comes_twice_is_one_with_commas(server: OcppServer) -> None:
    hook = Collector(False)
    server.on("authorization", hook)
    ask(server, upgrade().replace(b"\r\n\r\n", b"\r\nX-Tag: a\r\nX-Tag: b\r\n\r\n"))
    assert hook.next()[1].headers["X-Tag"] == "a,b"


def test_a_header_with_an_underscore_cannot_pass_for_another(server: OcppServer) -> None:
    hook = Collector(False)
    server.on("authorization", hook)
    ask(server, upgrade().replace(b"\r\n\r\n", b"\r\nX_Client_Verified: yes\r\n\r\n"))
    assert hook.next()[1].headers["X-Client-Verified"] is None


def test_the_connection_keeps_its_request(server: OcppServer, make_client: MakeClient) -> None:
    hook = Collector(True)
    server.on("authorization", hook)
    make_client(server.url, password=SECRET)
    assert server.wait_for("CP1", TIMEOUT).request is hook.next()[1]


@pytest.mark.parametrize("allowed", [True, False])
def test_c2_no_secret_is_shown_or_logged(server: OcppServer, caplog: pytest.LogCaptureFixture, allowed: bool) -> None:
    caplog.set_level(logging.DEBUG)
    hook = Collector(allowed)
    server.on("authorization", hook)
    header = basic(b"CP1", SECRET)
    with Tcp(server) as tcp:
        tcp.send(upgrade(**header))
        tcp.read_head()
        request = hook.next()[1]
        shown = [repr(request), str(request), f"{server!r} {server.connections!r} {hook!r}", caplog.text]
    for text in shown:
        assert SECRET.decode() not in text
        assert header["Authorization"].split()[1] not in text
    assert "CP1" in repr(request)
    assert "127.0.0.1" in repr(request)


# --- Versions and extensions (A3, A4, A6)


@pytest.mark.parametrize(
    ("offered", "supported", "chosen"),
    [
        (["1.6", "2.0.1"], ["2.1", "2.0.1", "1.6"], "1.6"),
        (["2.0.1", "1.6"], ["2.1", "2.0.1", "1.6"], "2.0.1"),
        (["2.1", "2.0.1", "1.6"], ["1.6", "2.0.1"], "2.0.1"),
        (["2.1", "1.6"], ["2.0.1", "1.6"], "1.6"),
        (["2.0.1"], ["2.0.1"], "2.0.1"),
    ],
)
def test_a3_the_first_of_the_clients_versions_that_the_server_speaks(
    make_server: MakeServer, make_client: MakeClient, offered: list[str], supported: list[str], chosen: str
) -> None:
    server = make_server(versions=supported)
    client = make_client(server.url, version=offered)
    assert client.version == server.wait_for("CP1", TIMEOUT).version == chosen


def test_a3_several_versions_at_once(server: OcppServer, make_client: MakeClient) -> None:
    server.on("DataTransfer", lambda charge_point, request: {"status": "Accepted", "data": charge_point.version})
    clients = {version: make_client(server.url, f"CP{version}", version=version) for version in VERSIONS}
    for version, client in clients.items():
        assert client.call("DataTransfer", REQUEST)["data"] == version
        assert server[f"CP{version}"].version == version


def test_a3_the_url_does_not_decide_the_version(server: OcppServer, make_client: MakeClient) -> None:
    assert make_client(f"{server.url}/ocpp1.6", version="2.0.1").version == "2.0.1"


@pytest.mark.parametrize(
    ("offer", "chosen"),
    [
        ("ocpp1.5, ocpp1.6", "ocpp1.6"),
        ("ocpp2.0.1,ocpp1.6", "ocpp2.0.1"),
        ("mqtt ,  ocpp2.1 ", "ocpp2.1"),
        ("OCPP1.6, ocpp2.0.1", "ocpp2.0.1"),
    ],
)
def test_a3_exactly_one_subprotocol_is_echoed(server: OcppServer, tcp: Callable[[], Tcp], offer: str, chosen: str) -> None:
    peer = tcp()
    peer.send(upgrade(Sec_WebSocket_Protocol=offer))
    head = peer.read_head().decode().lower()
    assert head.startswith("http/1.1 101 ")
    assert head.count("sec-websocket-protocol:") == 1
    assert f"sec-websocket-protocol: {chosen}\r\n" in head


def test_a3_a_version_that_does_not_exist_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match=r"'1\.5' is not supported"):
        OcppServer(versions=("1.5",))
    with pytest.raises(ValueError, match="at least one version"):
        OcppServer(versions=())


@pytest.mark.parametrize("offer", [None, "1.5"])
def test_a4_without_a_common_version_it_opens_and_closes_at_once(
    server: OcppServer, raw_charge_point: MakeChargePoint, offer: str | None
) -> None:
    connected = Collector()
    server.on("connection", connected)
    peer = raw_charge_point(server.url, version=offer)
    assert peer.socket.subprotocol is None
    code, reason = peer.receive_close()
    assert code == 1002
    assert "ocpp2.1, ocpp2.0.1, ocpp1.6" in reason
    assert server.connections == {}
    assert connected.calls.empty()


@pytest.mark.parametrize("offer", [None, "ocpp1.5", ""])
def test_a4_without_a_common_version_it_can_refuse(make_server: MakeServer, offer: str | None) -> None:
    server = make_server(subprotocol_mismatch="refuse")
    assert_refused(ask(server, upgrade(Sec_WebSocket_Protocol=offer)), 400, "ocpp2.1, ocpp2.0.1, ocpp1.6")
    assert server.connections == {}


@pytest.mark.parametrize("mismatch", ["close", "refuse"])
def test_a4_either_way_the_client_cannot_connect(make_server: MakeServer, make_client: MakeClient, mismatch: str) -> None:
    server = make_server(versions=("1.6",), subprotocol_mismatch=mismatch)
    with pytest.raises(HandshakeError) as refused:
        make_client(server.url, version="2.0.1")
    assert (refused.value.status, refused.value.reason) == ((101, "subprotocol") if mismatch == "close" else (400, "rejected"))


def test_a4_the_setting_is_one_of_two() -> None:
    with pytest.raises(ValueError, match="subprotocol_mismatch"):
        OcppServer(subprotocol_mismatch="ignore")


@pytest.mark.parametrize("compression", [False, True])
def test_a6_compression_is_for_those_who_ask(make_server: MakeServer, raw_charge_point: MakeChargePoint, compression: bool) -> None:
    server = make_server(compression=compression)
    server.on("DataTransfer", lambda charge_point, request: {"status": "Accepted", "data": request["data"]})
    peer = raw_charge_point(server.url, compression="deflate")
    assert bool(peer.socket.protocol.extensions) is compression
    data = "a" * 10_000
    peer.send([2, "1", "DataTransfer", {**REQUEST, "data": data}])
    assert peer.receive() == [3, "1", {"status": "Accepted", "data": data}]


def test_a6_nobody_is_refused_because_of_compression(make_server: MakeServer, make_client: MakeClient) -> None:
    assert make_client(make_server(compression=True).url).connected


# --- The newest wins (A9)


def test_a9_the_newest_connection_wins(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    closed = Collector()
    server.on("close", lambda charge_point, code, reason: closed(charge_point, code, server["CP1"]))
    old_peer = raw_charge_point(server.url)
    old = server.wait_for("CP1", TIMEOUT)
    pending = in_thread(old.call, "DataTransfer", REQUEST, timeout=None)
    assert old_peer.receive()[2] == "DataTransfer"

    new_peer = raw_charge_point(server.url)
    with pytest.raises(ConnectionClosed) as lost:
        pending.result()
    assert lost.value.code == 1008
    assert old_peer.receive_close()[0] == 1008
    new = server["CP1"]
    assert closed.next() == (old, 1008, new)
    assert new is not old
    assert (old.connected, new.connected) == (False, True)
    assert list(server.connections.values()) == [new]

    answer = in_thread(new.call, "DataTransfer", REQUEST, timeout=TIMEOUT)
    _, message_id, _, _ = new_peer.receive()
    new_peer.send([3, message_id, ACCEPTED])
    assert answer.result() == ACCEPTED


def test_a9_a2_the_newest_of_an_identity_in_another_case(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    old = raw_charge_point(server.url, "CP1")
    server.wait_for("CP1", TIMEOUT)
    raw_charge_point(server.url, "cp1")
    assert old.receive_close()[0] == 1008
    assert list(server.connections) == ["cp1"]


def test_a9_the_newest_wins_whatever_its_version(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    for number, (before, after) in enumerate([("1.6", "2.0.1"), ("2.1", "1.6")]):
        old = raw_charge_point(server.url, f"CP{number}", version=before)
        server.wait_for(f"CP{number}", TIMEOUT)
        raw_charge_point(server.url, f"CP{number}", version=after)
        assert old.receive_close()[0] == 1008
        assert server[f"CP{number}"].version == after


def test_a9_the_late_end_of_the_old_one_leaves_the_new_one_alone(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    reading, released, closed = Collector(), threading.Event(), Collector()
    old_peer = raw_charge_point(server.url)
    old = server.wait_for("CP1", TIMEOUT)
    old.on("close", closed)

    @old.on("frame")
    def hold_the_reader(direction: str, text: str) -> None:
        if direction == "in":
            reading()
            released.wait(TIMEOUT)

    old_peer.send([2, "1", "DataTransfer", REQUEST])
    reading.next()
    raw_charge_point(server.url)
    assert old_peer.receive_close()[0] == 1008
    new = server["CP1"]
    assert new is not old
    assert closed.calls.empty()
    released.set()
    assert closed.next()[0] == 1008
    assert server["CP1"] is new


def test_a9_one_that_is_replaced_before_it_reads_ends_as_replaced(
    server: OcppServer, raw_charge_point: MakeChargePoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, entered, released, closed = Reactor.add, Collector(), threading.Event(), Collector()

    def late(self: Reactor, connection: OcppClientConnection, link: Any) -> bool:
        if not released.is_set():
            entered()
            released.wait(TIMEOUT)
        return add(self, connection, link)

    monkeypatch.setattr(Reactor, "add", late)
    server.on("close", lambda charge_point, code, reason: closed(charge_point, code))
    old_peer = raw_charge_point(server.url)
    old = server.wait_for("CP1", TIMEOUT)
    entered.next()
    monkeypatch.setattr(Reactor, "add", add)
    raw_charge_point(server.url)
    assert old_peer.receive_close()[0] == 1008
    released.set()
    assert closed.next() == (old, 1008)


def test_a9_one_that_is_refused_replaces_nobody(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    raw_charge_point(server.url)
    charge_point = server.wait_for("CP1", TIMEOUT)
    server.on("authorization", Collector(False))
    assert ask(server, upgrade()).status == 401
    assert server["CP1"] is charge_point
    assert charge_point.connected


def test_a9_many_at_once_leave_one(server: OcppServer, make_client: MakeClient) -> None:
    count = 20
    closed, turns = Collector(), threading.Barrier(count)
    server.on("close", lambda charge_point, code, reason: closed(charge_point))

    def connect() -> OcppClient:
        client = make_client()
        turns.wait(TIMEOUT)
        return client.connect(server.url, timeout=TIMEOUT)

    for future in [in_thread(connect) for _ in range(count)]:
        future.result()
    gone = {closed.next()[0] for _ in range(count - 1)}
    assert len(gone) == count - 1
    (last,) = server.connections.values()
    assert last not in gone
    assert last.connected


# --- Who is connected


def test_an_unknown_identity_is_a_key_error_that_names_the_others(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    with pytest.raises(KeyError, match="CP9 is not connected; connected: nobody"):
        server["CP9"]
    for identity in ("CP2", "CP1"):
        raw_charge_point(server.url, identity)
        server.wait_for(identity, TIMEOUT)
    with pytest.raises(KeyError, match="CP9 is not connected; connected: CP1, CP2"):
        server["CP9"]


def test_a_key_error_does_not_name_thousands() -> None:
    registry = Registry()
    for number in range(1000):
        registry.add(SimpleNamespace(identity=f"CP{number:03}", version="1.6"))  # type: ignore[arg-type]
    with pytest.raises(KeyError, match=r"connected: CP000, CP001, .*, CP019 and 980 more") as unknown:
        registry.require("x")
    assert len(str(unknown.value)) < 300


def test_wait_for_blocks_until_it_comes(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    waiting = [in_thread(server.wait_for, "CP2", timeout) for timeout in (None, TIMEOUT)]
    raw_charge_point(server.url, "CP1")
    server.wait_for("CP1", TIMEOUT)
    assert all(future.thread.is_alive() for future in waiting)
    raw_charge_point(server.url, "CP2")
    assert {future.result() for future in waiting} == {server["CP2"]}
    assert server.wait_for("CP2", 0) is server["CP2"]


@pytest.mark.parametrize("timeout", [0, 0.01])
def test_wait_for_gives_up(server: OcppServer, timeout: float) -> None:
    with pytest.raises(TimeoutError, match=f"CP1 has not connected within {timeout:g} s"):
        server.wait_for("CP1", timeout)


def test_the_connections_are_a_snapshot(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    peer = raw_charge_point(server.url, "CP1")
    server.wait_for("CP1", TIMEOUT)
    before = server.connections
    gone = Collector()
    server.on("close", lambda charge_point, code, reason: gone(charge_point.identity in server))
    raw_charge_point(server.url, "CP2")
    server.wait_for("CP2", TIMEOUT)
    peer.close()
    assert gone.next() == (False,)
    assert list(before) == ["CP1"]
    assert not before["CP1"].connected
    assert list(server.connections) == list(server) == ["CP2"]
    before.clear()
    assert "CP2" in server
    assert 42 not in server


def test_what_the_server_and_its_connections_show(make_server: MakeServer, raw_charge_point: MakeChargePoint) -> None:
    server = make_server(listen=False)
    assert repr(server) == "<OcppServer not listening, 0 connected>"
    server.listen(0, "127.0.0.1")
    raw_charge_point(server.url)
    charge_point = server.wait_for("CP1", TIMEOUT)
    assert repr(server) == f"<OcppServer listening at {server.url}, 1 connected>"
    assert repr(charge_point) == "<OcppClientConnection 'CP1' (connected, OCPP 2.0.1)>"
    server.close()
    assert repr(charge_point) == "<OcppClientConnection 'CP1' (not connected)>"


def test_calls_from_many_threads_reach_the_right_ones(server: OcppServer, make_client: MakeClient) -> None:
    identities = [f"CP{number}" for number in range(5)]
    for identity in identities:
        make_client(server.url, identity).on("DataTransfer", Collector({"status": "Accepted", "data": identity}))
    futures: list[tuple[str, Future]] = []
    for identity in identities * 4:
        futures.append((identity, in_thread(lambda name: server.wait_for(name, TIMEOUT).call("DataTransfer", REQUEST), identity)))
    for identity, future in futures:
        assert future.result()["data"] == identity


# --- Events


def test_the_connection_event_comes_before_the_first_request(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    entered, released = Collector(), threading.Event()

    @server.on("connection")
    def connected(charge_point: OcppClientConnection) -> None:
        entered(charge_point)
        released.wait(TIMEOUT)
        charge_point.on("DataTransfer", Collector({"status": "Accepted", "data": "its own"}))

    server.on("DataTransfer", Collector(ACCEPTED))
    peer = raw_charge_point(server.url)
    peer.send([2, "1", "DataTransfer", REQUEST])
    assert entered.next() == (server["CP1"],)
    peer.sync()
    released.set()
    assert peer.receive() == [3, "1", {"status": "Accepted", "data": "its own"}]


def test_a_request_behind_the_upgrade_in_one_packet_is_handled(server: OcppServer, tcp: Callable[[], Tcp]) -> None:
    handled = Collector(ACCEPTED)
    server.on("DataTransfer", handled)
    message = json.dumps([2, "1", "DataTransfer", REQUEST]).encode()
    assert len(message) < 126
    peer = tcp()
    peer.send(upgrade() + bytes([0x81, 0x80 | len(message), 0, 0, 0, 0]) + message)
    assert handled.next() == (server.wait_for("CP1", TIMEOUT), REQUEST)


def test_the_order_of_events(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    seen = Collector(ACCEPTED)
    for name in ("connection", "DataTransfer", "error", "close"):
        server.on(name, lambda charge_point, *rest, name=name: seen(name, charge_point, *rest))
    peer = raw_charge_point(server.url)
    charge_point = server.wait_for("CP1", TIMEOUT)
    peer.send([2, "1", "DataTransfer", REQUEST])
    peer.send("no JSON")
    peer.send([2, "2", "DataTransfer", REQUEST])
    assert {peer.receive()[1] for _ in range(3)} == {"1", "-1", "2"}
    peer.socket.close(4001, "done")
    assert seen.next() == ("connection", charge_point)
    assert seen.next() == ("DataTransfer", charge_point, REQUEST)
    name, where, error = seen.next()
    assert (name, where) == ("error", charge_point)
    assert isinstance(error, MalformedMessage)
    assert seen.next() == ("DataTransfer", charge_point, REQUEST)
    assert seen.next() == ("close", charge_point, 4001, "done")


def test_the_error_event_of_one_connection(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    peer, other = raw_charge_point(server.url), raw_charge_point(server.url, "CP2")
    seen = Collector()
    server.wait_for("CP2", TIMEOUT)
    server.wait_for("CP1", TIMEOUT).on("error", seen)
    other.send("no JSON")
    other.sync()
    peer.send("[]")
    (error,) = seen.next()
    assert isinstance(error, MalformedMessage)
    peer.sync()
    assert seen.calls.empty()


def test_the_frame_event_sees_both_directions(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    own, shared = Collector(), Collector()
    server.on("frame", shared)
    server.on("DataTransfer", Collector(ACCEPTED))
    peer = raw_charge_point(server.url)
    charge_point = server.wait_for("CP1", TIMEOUT)
    charge_point.on("frame", own)
    assert call_itself(peer) == [3, "1", ACCEPTED]
    for direction, message in [("in", [2, "1", "DataTransfer", REQUEST]), ("out", [3, "1", ACCEPTED])]:
        seen, text = own.next()
        assert (seen, json.loads(text)) == (direction, message)
        assert shared.next() == (charge_point, direction, text)


@pytest.mark.parametrize("redact", [True, False])
def test_c2_the_frame_event_shows_no_secret(make_server: MakeServer, raw_charge_point: MakeChargePoint, redact: bool) -> None:
    server, seen = make_server(redact=redact), Collector()
    server.on("frame", seen)
    server.on("DataTransfer", Collector(ACCEPTED))
    peer = raw_charge_point(server.url)
    peer.send([2, "1", "DataTransfer", {"vendorId": "x", "data": {"password": SECRET.decode()}}])
    assert ("***" in seen.next()[2]) is redact
    assert peer.receive() == [3, "1", ACCEPTED]


# --- Listening


def test_port_0_picks_a_free_one(make_server: MakeServer) -> None:
    first, second = make_server(), make_server()
    assert first.port > 0
    assert first.port != second.port
    assert first.url == f"ws://127.0.0.1:{first.port}"


def test_it_listens_once(server: OcppServer, make_client: MakeClient) -> None:
    with pytest.raises(RuntimeError, match=f"listens at port {server.port} already"):
        server.listen(0)
    assert make_client(server.url).connected


def test_without_listening_there_is_no_port(make_server: MakeServer) -> None:
    server = make_server(listen=False)
    for use in (lambda: server.port, lambda: server.url, server.serve_forever):
        with pytest.raises(RuntimeError, match="call listen"):
            use()
    server.close()


def test_a_port_that_is_taken_is_an_error_and_no_harm(server: OcppServer, make_server: MakeServer, make_client: MakeClient) -> None:
    other = make_server(listen=False)
    with pytest.raises(OSError, match=r"."):
        other.listen(server.port, "127.0.0.1")
    other.listen(0, "127.0.0.1")
    assert make_client(other.url).connected


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


@pytest.mark.parametrize("host", [None, ""])
def test_without_a_host_every_interface_is_served(make_server: MakeServer, make_client: MakeClient, host: str | None) -> None:
    server, hook = make_server(listen=False), Collector(False)
    server.listen(0, host)
    server.on("authorization", hook)
    for address in ("127.0.0.1", "::1") if has_ipv6() else ("127.0.0.1",):
        with Tcp(server, address) as tcp:
            tcp.send(upgrade())
            assert parse(tcp.read_all()).status == 401
            request = hook.next()[1]
            assert request.remote_address == tcp.address
            assert request.remote_address[0] == address
    server.on("authorization", Collector(True))
    assert server.url == f"ws://127.0.0.1:{server.port}"
    assert make_client(server.url).connected


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "0.0.0.0", pytest.param("::1", marks=needs_ipv6), pytest.param("::", marks=needs_ipv6)]
)
def test_the_url_is_one_for_a_client_on_this_machine(make_server: MakeServer, make_client: MakeClient, host: str) -> None:
    server = make_server(listen=False).listen(0, host)
    shown = {"0.0.0.0": "127.0.0.1", "::1": "[::1]", "::": "[::1]"}.get(host, host)
    assert server.url == f"ws://{shown}:{server.port}"
    assert make_client(server.url).connected


# --- What is no WebSocket


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(b"GET /CP1 HTTP/1.1\r\nHost: x\r\n\r\n", 426, id="GET"),
        pytest.param(b"GET /CP1 HTTP/1.0\r\n\r\n", 426, id="GET of HTTP 1.0"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 426, id="GET without an identity"),
        pytest.param(b"POST /CP1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 426, id="POST"),
        pytest.param(b"OPTIONS * HTTP/1.1\r\n\r\n", 426, id="OPTIONS"),
        pytest.param(upgrade(line="POST /CP1 HTTP/1.1"), 426, id="POST that upgrades"),
        pytest.param(upgrade(line="GET /CP1 HTTP/1.0"), 426, id="HTTP 1.0 that upgrades"),
        pytest.param(upgrade(Upgrade="h2c"), 426, id="upgrade to something else"),
        pytest.param(upgrade(Upgrade=None), 426, id="no Upgrade"),
        pytest.param(upgrade(Connection="keep-alive"), 400, id="another Connection"),
        pytest.param(upgrade(Connection=None), 400, id="no Connection"),
        pytest.param(upgrade(Sec_WebSocket_Key=None), 400, id="no key"),
        pytest.param(upgrade(Sec_WebSocket_Version=None), 400, id="no version"),
        pytest.param(upgrade(Sec_WebSocket_Version="8"), 400, id="another version"),
        pytest.param(b"GET /CP1 HTTP/9.9\r\n\r\n", 505, id="HTTP 9.9"),
        pytest.param(b"GET /CP1 HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431, id="many headers"),
        pytest.param(b"hello\r\n\r\n", 400, id="a word"),
        pytest.param(b"one two three four\r\n\r\n", 400, id="words"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\r\n\r\n", 400, id="TLS"),
        pytest.param(b"\xff" * 10_000 + b"\r\n\r\n", 400, id="garbage"),
    ],
)
def test_what_is_no_websocket_upgrade_gets_a_short_answer(server: OcppServer, data: bytes, status: int) -> None:
    hook = Collector(True)
    connected = Collector()
    server.on("connection", connected)
    server.on("authorization", hook)
    answer = ask(server, data)
    assert_refused(answer, status)
    assert answer.headers["Connection"].lower().startswith("close")
    if status == 426:
        assert "websocket" in answer.headers["Upgrade"]
        assert hook.calls.empty()
    assert connected.calls.empty()
    assert server.connections == {}


def test_a_connection_that_says_nothing_and_ends_is_no_harm(server: OcppServer, make_client: MakeClient) -> None:
    for data in (b"", b"G", b"GET /CP1 HTTP/1.1\r\nHost"):
        with Tcp(server) as tcp:
            tcp.send(data)
            tcp.socket.shutdown(socket.SHUT_WR)
            tcp.read_all()
    assert make_client(server.url).connected


def test_a_request_head_without_an_end_is_cut(server: OcppServer) -> None:
    with Tcp(server) as tcp:
        try:
            tcp.send(b"GET /CP1 HTTP/1.1\r\n" + b"X: " + b"y" * 1_000_000)
        except OSError:
            pass
        tcp.read_all()


@pytest.mark.parametrize("data", [b"", b"GET /CP1 HTTP/1.1\r\n", b"GET /CP1 HTTP/1.1\r\nX: y"])
def test_a_slow_request_head_is_cut(make_server: MakeServer, data: bytes) -> None:
    server = make_server(limits=Limits(handshake_timeout=0.1))
    with Tcp(server) as tcp:
        tcp.send(data)
        assert b"101" not in tcp.read_all()


def test_the_time_for_the_request_head_is_for_all_of_it(make_server: MakeServer) -> None:
    server = make_server(limits=Limits(handshake_timeout=0.2))
    pause = 0.02
    with Tcp(server) as tcp:
        tcp.socket.settimeout(pause)
        tcp.send(b"GET /CP1 HTTP/1.1\r\nX: ")
        for _ in range(int(TIMEOUT / pause)):
            try:
                tcp.send(b"y")
                assert not tcp.socket.recv(1)
                break
            except TimeoutError:
                pass  # nothing has come: it goes on reading
            except ConnectionError:
                break
        else:
            pytest.fail("it goes on reading for ever")


def test_the_time_for_the_request_head_ends_with_it(make_server: MakeServer, raw_charge_point: MakeChargePoint) -> None:
    timeout = 1.5
    server = make_server(limits=Limits(handshake_timeout=timeout))
    server.on("DataTransfer", Collector(ACCEPTED))
    peer = raw_charge_point(server.url)
    assert not server.wait_for("CP1", TIMEOUT).wait_closed(timeout + 0.1)
    assert call_itself(peer) == [3, "1", ACCEPTED]


# --- The end


def test_close_ends_every_thread_and_socket(server: OcppServer, make_client: MakeClient, raw_charge_point: MakeChargePoint) -> None:
    server.on("DataTransfer", Collector(ACCEPTED))
    closed = Collector()
    server.on("close", lambda charge_point, code, reason: closed(code))
    clients = [make_client(server.url, f"CP{number}") for number in range(3)]
    for client in clients:
        client.call("DataTransfer", REQUEST)
    peer = raw_charge_point(server.url, "raw")
    server.wait_for("raw", TIMEOUT)
    charge_points = list(server.connections.values())
    server.close()
    assert peer.receive_close() == (1001, "the server closes")
    assert [closed.next() for _ in range(4)] == [(1001,)] * 4
    for client in clients:
        assert client.wait_closed(TIMEOUT)
    assert own_threads() == []
    assert server.connections == {}
    for charge_point in charge_points:
        with pytest.raises(ConnectionClosed):
            charge_point.call("DataTransfer", REQUEST)


def test_close_fails_the_calls_that_wait(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    peer = raw_charge_point(server.url)
    pending = in_thread(server.wait_for("CP1", TIMEOUT).call, "DataTransfer", REQUEST, timeout=None)
    peer.receive()
    server.close()
    with pytest.raises(ConnectionClosed) as lost:
        pending.result()
    assert lost.value.code == 1001


def test_after_close_nobody_gets_in(server: OcppServer, make_client: MakeClient) -> None:
    url = server.url
    server.close()
    with pytest.raises(HandshakeError) as refused:
        make_client(url)
    assert refused.value.reason == "unreachable"


@pytest.mark.parametrize("data", [b"", b"GET /CP1 HTTP/1.1\r\nHost"])
def test_close_in_the_middle_of_a_request(server: OcppServer, make_client: MakeClient, data: bytes) -> None:
    with Tcp(server) as tcp:
        tcp.send(data)
        make_client(server.url)  # it was accepted after the other
        server.close()
        assert own_threads() == []
        assert tcp.read_all() == b""


def test_close_cuts_who_does_not_answer_it(server: OcppServer, tcp: Callable[[], Tcp], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocpp_sync.server._CLOSE_TIMEOUT", 0.1)
    peer = tcp()
    peer.send(upgrade())
    peer.read_head()
    server.wait_for("CP1", TIMEOUT)
    server.close()
    assert own_threads() == []
    assert peer.read_all() == CLOSE_1001


def test_close_says_which_thread_still_runs(
    server: OcppServer, tcp: Callable[[], Tcp], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ocpp_sync.server._CLOSE_TIMEOUT", 0.1)
    entered, released = Collector(), threading.Event()

    @server.on("authorization")
    def hook(identity: str, request: Any) -> bool:
        entered()
        return released.wait(TIMEOUT)

    peer = tcp()
    peer.send(upgrade())
    entered.next()
    server.close()
    assert f"the thread 'ocpp-http 127.0.0.1:{peer.address[1]}' still runs" in caplog.text
    released.set()
    assert own_threads() == []
    assert server.connections == {}
    assert b"101" not in peer.read_all()


def test_close_twice_and_without_having_listened(server: OcppServer, make_server: MakeServer, make_client: MakeClient) -> None:
    make_server(listen=False).close()
    make_client(server.url)
    for _ in range(3):
        server.close()
    assert own_threads() == []


def test_close_from_two_threads_at_once(server: OcppServer, make_client: MakeClient) -> None:
    for number in range(3):
        make_client(server.url, f"CP{number}")
    barrier = threading.Barrier(2)

    def close() -> None:
        barrier.wait(TIMEOUT)
        server.close()

    for future in [in_thread(close), in_thread(close)]:
        future.result()
    assert own_threads() == []
    assert server.connections == {}


@pytest.mark.parametrize("event", ["connection", "DataTransfer", "close", "error", "frame in", "frame out"])
def test_close_from_a_handler(server: OcppServer, raw_charge_point: MakeChargePoint, event: str) -> None:
    done = Collector()

    def close(charge_point: Any, *arguments: Any) -> dict[str, Any]:
        if charge_point.identity == "CP1" and event.split()[1:] in ([], list(arguments[:1])):
            server.close()
            done()
        return ACCEPTED

    server.on("DataTransfer", Collector(ACCEPTED))
    server.on(event.split()[0], close)
    bystander = raw_charge_point(server.url, "other")
    server.wait_for("other", TIMEOUT)
    peer = raw_charge_point(server.url)
    if event == "error":
        peer.send("no JSON")
    elif event == "close":
        peer.socket.close()
    elif event != "connection":
        peer.send([2, "1", "DataTransfer", REQUEST])
    done.next()
    assert bystander.receive_close()[0] == 1001
    assert peer.receive_close()[0] == (1000 if event == "close" else 1001)
    assert own_threads() == []
    assert server.connections == {}
    with pytest.raises(RuntimeError):
        server.port  # noqa: B018


@pytest.mark.parametrize("allowed", [True, False])
def test_close_from_the_authorization_hook(server: OcppServer, raw_charge_point: MakeChargePoint, allowed: bool) -> None:
    bystander = raw_charge_point(server.url, "other")
    server.wait_for("other", TIMEOUT)

    @server.on("authorization")
    def hook(identity: str, request: Any) -> bool:
        server.close()
        return allowed

    with Tcp(server) as tcp:
        tcp.send(upgrade())
        assert tcp.read_all() == b""
    assert bystander.receive_close()[0] == 1001
    assert own_threads() == []
    assert server.connections == {}


def test_close_while_a_handler_runs_waits_for_it(server: OcppServer, raw_charge_point: MakeChargePoint) -> None:
    entered, released, ended = Collector(), threading.Event(), Collector()

    @server.on("DataTransfer")
    def handler(charge_point: Any, request: Any) -> dict[str, Any]:
        entered()
        released.wait(TIMEOUT)
        ended()
        return ACCEPTED

    peer = raw_charge_point(server.url)
    peer.send([2, "1", "DataTransfer", REQUEST])
    entered.next()
    closing = in_thread(server.close)
    assert peer.receive_close()[0] == 1001
    assert ended.calls.empty()
    released.set()
    closing.result()
    assert ended.next() == ()
    assert own_threads() == []


def test_close_while_charge_points_connect(make_server: MakeServer) -> None:
    server = make_server()
    url, begun, over = server.url, threading.Semaphore(0), threading.Event()

    def come_and_go(identity: str) -> None:
        while not over.is_set():
            with OcppClient(identity, reconnect=None) as client:
                try:
                    client.connect(url, timeout=TIMEOUT)
                except ConnectionClosed:
                    continue
                finally:
                    begun.release()
                client.wait_closed(TIMEOUT)

    threads = [in_thread(come_and_go, f"CP{number % 4}") for number in range(8)]
    for _ in range(20):
        assert begun.acquire(timeout=TIMEOUT)
    server.close()
    over.set()
    for thread in threads:
        thread.result()
    assert own_threads() == []
    assert server.connections == {}


def test_one_that_is_let_in_during_close_is_closed(server: OcppServer, tcp: Callable[[], Tcp]) -> None:
    entered, released = Collector(), threading.Event()

    @server.on("authorization")
    def hook(identity: str, request: Any) -> bool:
        entered()
        return released.wait(TIMEOUT)

    peer = tcp()
    peer.send(upgrade())
    entered.next()
    closing = in_thread(server.close)
    assert server._closed.wait(TIMEOUT)
    released.set()
    # It is cut, or opened and closed: whichever comes first.
    data = b""
    while not data.endswith(CLOSE_1001) and (chunk := peer.socket.recv(65536)):
        data += chunk
    peer.socket.close()
    closing.result()
    assert own_threads() == []
    assert server.connections == {}


def test_it_listens_again_after_close(server: OcppServer, make_client: MakeClient) -> None:
    server.on("DataTransfer", Collector(ACCEPTED))
    for _ in range(3):
        client = make_client(server.url)
        assert client.call("DataTransfer", REQUEST) == ACCEPTED
        port = server.port
        server.close()
        assert client.wait_closed(TIMEOUT)
        server.listen(port, "127.0.0.1")
        assert server.port == port


def test_a_with_statement_closes(make_server: MakeServer, raw_charge_point: MakeChargePoint) -> None:
    with make_server() as server:
        peer = raw_charge_point(server.url)
        server.wait_for("CP1", TIMEOUT)
    assert peer.receive_close()[0] == 1001
    with pytest.raises(RuntimeError):
        server.port  # noqa: B018


def test_serve_forever_blocks_until_close(server: OcppServer, make_client: MakeClient) -> None:
    serving = in_thread(server.serve_forever)
    assert make_client(server.url).connected
    assert serving.thread.is_alive()
    server.close()
    serving.result()
    server.serve_forever()  # it has been closed


def test_a_connection_can_be_closed_by_the_server(server: OcppServer, make_client: MakeClient) -> None:
    client, closed = make_client(), Collector()
    client.on("close", closed)
    client.connect(server.url)
    charge_point = server.wait_for("CP1", TIMEOUT)
    charge_point.close(4002, "go away")
    assert closed.next() == (4002, "go away")
    assert not charge_point.connected
    assert "CP1" not in server
    assert make_client(server.url, "CP2").connected


def test_a_client_that_vanishes_is_forgotten(server: OcppServer, tcp: Callable[[], Tcp]) -> None:
    closed = Collector()
    server.on("close", lambda charge_point, code, reason: closed(code))
    peer = tcp()
    peer.send(upgrade())
    peer.read_head()
    server.wait_for("CP1", TIMEOUT)
    peer.socket.close()
    assert closed.next() == (1006,)
    assert server.connections == {}
