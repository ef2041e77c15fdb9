"""The server as a WSGI application, under gunicorn and under Werkzeug's own server."""

from __future__ import annotations

import base64
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server as make_werkzeug_server

from ocpp_sync import ConnectionClosed, HandshakeError, OcppClient, OcppServer, RejectHandshake

from .support import TIMEOUT, VERSIONS, Collector, RawChargePoint, in_thread

MakeServer = Callable[..., OcppServer]
MakeClient = Callable[..., OcppClient]
MakeChargePoint = Callable[..., RawChargePoint]

START_TIMEOUT = 60.0  # seconds for another process to come up
ROOT = Path(__file__).parents[1]
ACCEPTED = {"status": "Accepted"}
SECRET = b"secret-password-1"
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "ocpp2.0.1",
}


# --- The application, which gunicorn imports from here


def new_server() -> OcppServer:
    """A server whose behaviour a charge point can ask for by DataTransfer."""
    server = OcppServer()
    closed: dict[str, queue.Queue[str]] = defaultdict(queue.Queue)
    answers: queue.Queue[str] = queue.Queue()

    @server.on("authorization")
    def authorize(identity: str, request: Any) -> bool:
        if identity == "unknown":
            raise RejectHandshake(404, "never heard of it")
        if identity == "crash":
            raise ValueError(identity)
        return identity != "stranger"

    @server.on("close")
    def close(charge_point: Any, code: int, reason: str) -> None:
        closed[charge_point.identity].put(f"{code} {reason}")

    @server.on("DataTransfer")
    def data_transfer(charge_point: Any, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        what, _, subject = request.get("messageId", "").partition(" of ")
        if what == "who":
            seen = charge_point.request
            yield {**ACCEPTED, "data": f"{charge_point.identity} {seen.path} {seen.query} {seen.password!r} {seen.remote_address}"}
        elif what == "end":
            yield {**ACCEPTED, "data": closed[subject].get(timeout=TIMEOUT)}
        elif what == "answer":
            yield {**ACCEPTED, "data": answers.get(timeout=TIMEOUT)}
        elif what == "connected":
            yield {**ACCEPTED, "data": " ".join(sorted(server))}
        else:
            yield ACCEPTED
            if what == "call me":
                answers.put(charge_point.call("DataTransfer", {"vendorId": "csms"}, timeout=TIMEOUT)["status"])
            elif what == "close me":
                charge_point.close(4002, "as you wish")

    return server


def application() -> Any:
    """What gunicorn serves."""
    return new_server().wsgi_app


def wish(client: OcppClient, message_id: str) -> Any:
    """What the application says to a wish."""
    return client.call("DataTransfer", {"vendorId": "x", "messageId": message_id}, timeout=START_TIMEOUT).get("data")


# --- The two servers


class Gunicorn:
    """A gunicorn with one worker, in a process of its own."""

    def __init__(self, directory: Path, *options: str, settings: str = "") -> None:
        self._log = directory / "gunicorn.log"
        (directory / "gunicorn.conf.py").write_text(settings)
        # It listens already: nobody has to wait until gunicorn does.
        with socket.create_server(("127.0.0.1", 0), backlog=64) as listening, self._log.open("wb") as log:
            self.port = listening.getsockname()[1]
            descriptor = listening.fileno()
            command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{descriptor}", "--config", str(directory / "gunicorn.conf.py")]
            command += ["--worker-class", "gthread", "--threads", "8", *options, "tests.test_wsgi:application()"]
            environment = {**os.environ, "HOME": str(directory), "PYTHONPATH": str(ROOT)}
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, pass_fds=(descriptor,), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.url = f"ws://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self._log.read_text()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(START_TIMEOUT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(TIMEOUT)


@contextmanager
def served_by_gunicorn(directory: Path, *options: str, settings: str = "") -> Iterator[Gunicorn]:
    """A gunicorn that is ready to serve, until the end of the block."""
    process = Gunicorn(directory, *options, settings=settings)
    try:
        with requested(process.port, "/", timeout=START_TIMEOUT) as answer:
            assert answer.status == 426, process.log
        yield process
    finally:
        process.kill()


@contextmanager
def served_by_werkzeug(server: OcppServer) -> Iterator[int]:
    """Serves until the end of the block; the port."""
    http = make_werkzeug_server("127.0.0.1", 0, server.wsgi_app, threaded=True)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), name="test werkzeug", daemon=True)
    thread.start()
    try:
        yield http.server_port
    finally:
        server.close()
        http.shutdown()
        thread.join(TIMEOUT)
        http.server_close()


@pytest.fixture(scope="module")
def shared_gunicorn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gunicorn]:
    """One for all tests that do not care who was there before."""
    with served_by_gunicorn(tmp_path_factory.mktemp("gunicorn")) as process:
        yield process
        assert process.stop() == 0
        # The hook that crashes is the only thing that does.
        assert process.log.count("Traceback") == process.log.count("the authorization hook failed")


@pytest.fixture(params=["gunicorn", "werkzeug"])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    """A port where the application is served."""
    if request.param == "gunicorn":
        yield request.getfixturevalue("shared_gunicorn").port
    else:
        with served_by_werkzeug(new_server()) as port:
            yield port


@pytest.fixture
def url(port: int) -> str:
    return f"ws://127.0.0.1:{port}"


@contextmanager
def requested(
    port: int, path: str, headers: Mapping[str, str] | None = None, *, method: str = "GET", timeout: float = TIMEOUT
) -> Iterator[HTTPResponse]:
    """The answer to an HTTP request."""
    connection = HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, headers=headers or {})
        yield connection.getresponse()
    finally:
        connection.close()


# --- Under both


@pytest.mark.parametrize("version", VERSIONS)
def test_calls_in_both_directions(url: str, make_client: MakeClient, version: str) -> None:
    client = make_client(version=version)
    called = Collector({"status": "UnknownVendorId"})
    client.on("DataTransfer", called)
    client.connect(url)
    assert client.version == version
    assert wish(client, "call me") is None
    assert called.next() == ({"vendorId": "csms"},)
    assert wish(client, "answer") == "UnknownVendorId"


def test_what_the_server_knows_of_a_charge_point(url: str, make_client: MakeClient) -> None:
    client = make_client(identity="RDAM|1 é", password=SECRET, version="1.6").connect(f"{url}/a%20b?token=1")
    link = client._link
    assert link is not None
    address = link.stream._sock.getsockname()
    assert wish(client, "who") == f"RDAM|1 é /a%20b/RDAM%7C1%20%C3%A9 token=1 {SECRET!r} {address}"


def test_several_at_once(url: str, make_client: MakeClient) -> None:
    identities = {f"several-{number}" for number in range(4)}
    clients = [make_client(url, identity) for identity in identities]
    for client in clients:
        wish(client, "answer this")  # the server knows it now
    for client in clients:
        assert set(wish(client, "connected").split()) >= identities


def test_a5_refused_connections(url: str, make_client: MakeClient) -> None:
    for identity, status, reason in [("stranger", 401, "unauthorized"), ("unknown", 404, "not-found"), ("crash", 500, "rejected")]:
        with pytest.raises(HandshakeError) as refused:
            make_client(url, identity)
        assert (refused.value.status, refused.value.reason) == (status, reason)
    assert make_client(url).connected


def test_what_is_refused_gets_a_plain_answer(port: int) -> None:
    for path, method, headers, status, text in [
        ("/stranger", "GET", UPGRADE, 401, "401 Unauthorized"),
        ("/unknown", "GET", UPGRADE, 404, "never heard of it"),
        ("/", "GET", UPGRADE, 404, "identity"),
        ("/CP%2F1", "GET", UPGRADE, 404, "identity"),
        ("/CP1", "GET", {}, 426, "WebSocket"),
        ("/CP1", "POST", UPGRADE, 426, "WebSocket"),
        ("/CP1", "GET", {**UPGRADE, "Sec-WebSocket-Version": "8"}, 400, "no proper WebSocket upgrade"),
    ]:
        with requested(port, path, headers, method=method) as answer:
            body = answer.read().decode()
            assert (answer.status, answer.headers.get_content_type()) == (status, "text/plain")
            assert text in body
            assert ("WWW-Authenticate" in answer.headers) == (status == 401)
            if status == 426:
                assert answer.headers["Upgrade"] == "websocket"


def test_the_client_ends_the_connection(url: str, make_client: MakeClient) -> None:
    make_client(url, "leaving").close(4001, "bye")
    other = make_client(url)
    assert wish(other, "end of leaving") == "4001 bye"
    assert "leaving" not in wish(other, "connected").split()


def test_the_server_ends_the_connection(url: str, make_client: MakeClient) -> None:
    client, closed = make_client(identity="sent-away"), Collector()
    client.on("close", closed)
    client.connect(url)
    wish(client, "close me")
    assert closed.next() == (4002, "as you wish")
    assert wish(make_client(url), "end of sent-away") == "4002 as you wish"


def test_a_charge_point_vanishes(port: int, url: str, make_client: MakeClient) -> None:
    with requested(port, "/vanishing", UPGRADE) as answer:
        assert answer.status == 101
    assert wish(make_client(url), "end of vanishing").startswith("1006")


def test_a9_the_newest_connection_wins(url: str, make_client: MakeClient) -> None:
    old, closed = make_client(identity="twice"), Collector()
    old.on("close", closed)
    old.connect(url)
    wish(old, "answer this")  # the server knows it now
    new = make_client(url, "twice")
    assert closed.next()[0] == 1008
    assert wish(new, "end of twice").startswith("1008")
    assert "twice" in wish(new, "connected").split()


def test_a4_without_a_common_version(url: str, raw_charge_point: MakeChargePoint, make_client: MakeClient) -> None:
    assert raw_charge_point(url, version=None).receive_close()[0] == 1002
    assert make_client(url).connected


# --- Under gunicorn


def test_gunicorn_counts_its_connections_rightly(tmp_path: Path, make_client: MakeClient) -> None:
    count = 5
    hook = "def pre_request(worker, request):\n    print('counted', worker.nr_conns, flush=True)\n"
    with served_by_gunicorn(tmp_path, settings=hook) as process:
        for number in range(count):
            make_client(process.url, f"CP{number}").close()
            with requested(process.port, "/CP", {**UPGRADE, "Sec-WebSocket-Version": "8"}) as answer:
                assert answer.status == 400
        assert process.stop() == 0
        counted = [int(number) for number in re.findall(r"counted (-?\d+)", process.log)]
        assert len(counted) == 2 * count + 1
        assert all(number >= 1 for number in counted)
        assert "Traceback" not in process.log


def test_gunicorn_ends_although_somebody_is_connected(tmp_path: Path, make_client: MakeClient) -> None:
    with served_by_gunicorn(tmp_path, "--graceful-timeout", "1") as process:
        client = make_client(process.url)
        process.stop()
        assert client.wait_closed(TIMEOUT)
        with pytest.raises(ConnectionClosed):
            client.call("DataTransfer", {"vendorId": "x"})


# --- Under Werkzeug


def test_close_closes_the_connections_and_lets_nobody_in(
    make_server: MakeServer, make_client: MakeClient, raw_charge_point: MakeChargePoint
) -> None:
    server = make_server(listen=False)
    with served_by_werkzeug(server) as port:
        url = f"ws://127.0.0.1:{port}"
        peer = raw_charge_point(url)
        server.wait_for("CP1", TIMEOUT)
        server.close()
        assert peer.receive_close() == (1001, "the server closes")
        assert server.connections == {}
        with pytest.raises(HandshakeError) as refused:
            make_client(url)
        assert refused.value.status == 503


def test_one_that_is_let_in_after_close_is_closed(make_server: MakeServer, raw_charge_point: MakeChargePoint) -> None:
    server = make_server(listen=False)
    entered, released = Collector(), threading.Event()

    @server.on("authorization")
    def hook(identity: str, request: Any) -> bool:
        entered()
        return released.wait(TIMEOUT)

    with served_by_werkzeug(server) as port:
        connecting = in_thread(raw_charge_point, f"ws://127.0.0.1:{port}")
        entered.next()
        server.close()
        released.set()
        assert connecting.result().receive_close() == (1001, "the server closes")
    assert server.connections == {}


def test_it_can_listen_beside(make_server: MakeServer, make_client: MakeClient) -> None:
    server = make_server()
    with served_by_werkzeug(server) as port:
        make_client(server.url, "CP1")
        make_client(f"ws://127.0.0.1:{port}", "CP2")
        assert {server.wait_for(identity, TIMEOUT).identity for identity in ("CP1", "CP2")} == {"CP1", "CP2"}


def test_the_password_reaches_the_hook(make_server: MakeServer) -> None:
    server = make_server(listen=False)
    hook = Collector(False)
    server.on("authorization", hook)
    credentials = {"Authorization": "Basic " + base64.b64encode(b"a:b:" + SECRET).decode()}
    with served_by_werkzeug(server) as port, requested(port, "/a%3Ab", {**UPGRADE, **credentials}) as answer:
        assert answer.status == 401
    identity, request = hook.next()
    assert (identity, request.password) == ("a:b", SECRET)


def test_a_borrowed_thread_gets_its_name_back(make_server: MakeServer, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    server, names = make_server(listen=False), Collector()
    serve = server.wsgi_app

    def watched(environ: dict[str, Any], start_response: Any) -> Any:
        before = threading.current_thread().name
        try:
            return serve(environ, start_response)
        finally:
            names(before, threading.current_thread().name)

    monkeypatch.setattr(server, "wsgi_app", watched)

    @server.on("frame")
    def frame(charge_point: Any, direction: str, text: str) -> None:
        if direction == "in":
            names(threading.current_thread().name)

    server.on("DataTransfer", Collector(ACCEPTED))
    with served_by_werkzeug(server) as port:
        client = make_client(f"ws://127.0.0.1:{port}")
        client.call("DataTransfer", {"vendorId": "x"})
        client.close()
        assert names.next() == ("ocpp-rx CP1",)
        before, after = names.next()
        assert before == after != "ocpp-rx CP1"


# --- Under neither


def test_a_wsgi_server_without_the_socket_is_told(make_server: MakeServer) -> None:
    start = Collector()
    server = make_server(listen=False)
    (body,) = server.wsgi_app({"REQUEST_METHOD": "GET", "REQUEST_URI": "/CP1", "SERVER_PROTOCOL": "HTTP/1.1"}, start)
    status, headers = start.next()
    assert status == "500 Internal Server Error"
    assert ("Content-Length", str(len(body))) in headers
    assert b"gunicorn and Werkzeug" in body


def environ(key: str, sock: socket.socket) -> dict[str, Any]:
    """What a WSGI server makes of an upgrade."""
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in UPGRADE.items()}
    return {"REQUEST_METHOD": "GET", "REQUEST_URI": "/CP1", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "x", **headers, key: sock}


@pytest.mark.parametrize(("key", "error"), [("gunicorn.socket", StopIteration), ("werkzeug.socket", ConnectionError)])
def test_a_charge_point_that_is_gone_when_it_is_let_in(make_server: MakeServer, key: str, error: type[Exception]) -> None:
    server = make_server(listen=False)
    ours, theirs = socket.socketpair()
    theirs.close()
    start = Collector()
    with ours, pytest.raises(error):
        server.wsgi_app(environ(key, ours), start)
    assert start.calls.empty()
    assert server.connections == {}


def test_ctrl_c_in_the_hook_is_not_swallowed(make_server: MakeServer) -> None:
    server = make_server(listen=False)

    @server.on("authorization")
    def interrupted(identity: str, request: Any) -> bool:
        raise KeyboardInterrupt

    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(KeyboardInterrupt):
        server.wsgi_app(environ("werkzeug.socket", ours), Collector())
