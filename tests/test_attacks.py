"""Attacks on a server in small: those who behave well notice nothing, the attackers get a clear refusal, and nothing is left of them.

``python -m benchmarks.attacks`` does the same in large, and measures.
"""

from __future__ import annotations

import base64
import select
import socket
import ssl
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync import HandshakeError, Limits, OcppClient, OcppServer, utcnow
from ocpp_sync.passwords import PasswordFile
from ocpp_sync.throttle import FailureDelays

from .pki import pki
from .support import TIMEOUT, Collector, Future, in_thread
from .wire import BINARY, PING, RSV1, Wire, connect_wire

MakeServer = Callable[..., OcppServer]
MakeClient = Callable[..., OcppClient]

MANY = 50
STATIONS = 5
VERSION = "2.0.1"
PASSWORD = "secret-password-1"
MIB = 1024
MARGIN = 100 * MIB
"""KiB by which the memory may grow: generous, and far less than what the attacks would take without limits."""


def resident() -> int:
    """Memory of this process, attackers and all, in KiB."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0])


class Stations:
    """Charge points that behave well: each calls all the time, on a thread of its own."""

    def __init__(self, server: OcppServer, **options: Any) -> None:
        server.on("Heartbeat", lambda charge_point, request: {"currentTime": utcnow()})
        server.on("MeterValues", lambda charge_point, request: {})
        self.clients = [OcppClient(f"GOOD{number}", version=VERSION, **options) for number in range(STATIONS)]
        self._url = server.url
        self._over = threading.Event()
        self._calls: Counter[str] = Counter()
        self._called = threading.Condition()
        for client in self.clients:
            client.connect(self._url, timeout=TIMEOUT)
        self._futures = [in_thread(self._run, client) for client in self.clients]

    def _run(self, client: OcppClient) -> None:
        values = {"evseId": 1, "meterValue": [{"timestamp": utcnow(), "sampledValue": [{"value": 1.0}]}]}
        while not self._over.is_set():
            client.call("Heartbeat")
            client.call("MeterValues", values)
            with self._called:
                self._calls[client.identity] += 1
                self._called.notify_all()
            self._over.wait(0.01)  # leave the machine to others, too

    def check(self) -> None:
        """From now on each of them still is answered."""
        with self._called:
            before = self._calls.copy()
            done = self._called.wait_for(lambda: all(self._calls[c.identity] >= before[c.identity] + 2 for c in self.clients), TIMEOUT)
        for future in self._futures:
            assert future.thread.is_alive() or future.result() is None  # raises what has failed
        assert done

    def close(self) -> None:
        """End; raises what a call of theirs has raised."""
        self._over.set()
        with ExitStack() as stack:
            for client, future in zip(self.clients, self._futures):  # noqa: B905
                stack.callback(client.close)
                stack.callback(future.result)


@contextmanager
def attacked(server: OcppServer, **options: Any) -> Iterator[Stations]:
    """In the block the server is attacked: nobody is disturbed meanwhile, and of the attackers nothing is left after it."""
    stations = Stations(server, **options)
    try:
        stations.check()
        before = resident()
        yield stations
        stations.check()
        assert resident() < before + MARGIN
        http = server._http
        assert http is not None
        with http._freed:
            assert http._freed.wait_for(lambda: len(http._places) == STATIONS, TIMEOUT)
        assert set(server.connections) == {client.identity for client in stations.clients}
    finally:
        stations.close()


@contextmanager
def sockets(server: OcppServer, count: int = MANY) -> Iterator[list[socket.socket]]:
    """Plain connections."""
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection(("127.0.0.1", server.port), TIMEOUT)) for _ in range(count)]


def rest(sock: socket.socket) -> bytes:
    """All that still comes until the server ends the connection; it must."""
    data = bytearray()
    try:
        while more := sock.recv(1 << 16):
            data += more
    except ConnectionError:
        pass
    return bytes(data)


def request(identity: str = "CP1", *fields: str, password: str | None = None) -> bytes:
    lines = [
        f"GET /{identity} HTTP/1.1",
        "Host: 127.0.0.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Protocol: ocpp{VERSION}",
        *fields,
    ]
    if password is not None:
        lines.append(f"Authorization: Basic {base64.b64encode(f'{identity}:{password}'.encode()).decode()}")
    return "\r\n".join([*lines, "", ""]).encode()


def status(data: bytes) -> int:
    assert data.startswith(b"HTTP/1.1 "), data[:100]
    return int(data[9:12])


# --- Before the link is open


def test_slow_headers_are_cut(make_server: MakeServer) -> None:
    server = make_server(limits=Limits(handshake_timeout=1.0))
    with attacked(server) as stations, sockets(server) as opened:
        open_still = set(opened)
        for sock in opened:
            sock.send(b"GET /CP1 HTTP/1.1\r\nX: ")
        while open_still:
            ended, _, _ = select.select(list(open_still), [], [], 0.05)
            for sock in ended:
                assert b" 101 " not in rest(sock)
                open_still.discard(sock)
            for sock in open_still:
                try:
                    sock.send(b"y")
                except ConnectionError:
                    pass  # it is cut, which select tells
        stations.check()


def test_silent_connections_are_cut(make_server: MakeServer) -> None:
    server = make_server(limits=Limits(handshake_timeout=1.0))
    with attacked(server) as stations, sockets(server) as opened:
        stations.check()
        for sock in opened:
            assert rest(sock) == b""


@pytest.mark.parametrize("said", [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"], ids=["nothing", "a byte", "half a hello"])
def test_a_slow_tls_handshake_is_cut(make_server: MakeServer, said: bytes) -> None:
    files = pki().server()
    server = make_server(listen=False, limits=Limits(handshake_timeout=1.0)).listen(0, "127.0.0.1", certfile=files.cert, keyfile=files.key)
    with attacked(server, cafile=pki().ca, password=PASSWORD) as stations, sockets(server, 20) as opened:
        for sock in opened:
            sock.send(said)
        stations.check()
        for sock in opened:
            rest(sock)


def test_silence_after_the_tls_handshake_is_cut(make_server: MakeServer) -> None:
    files = pki().server()
    server = make_server(listen=False, limits=Limits(handshake_timeout=1.0)).listen(0, "127.0.0.1", certfile=files.cert, keyfile=files.key)
    context = ssl.create_default_context(cafile=str(pki().ca))
    with (
        attacked(server, cafile=pki().ca, password=PASSWORD),
        sockets(server, 1) as (plain,),
        context.wrap_socket(plain, server_hostname="127.0.0.1") as sock,
    ):
        sock.send(b"GET /CP1 HTTP/1.1\r\n")
        assert rest(sock) == b""


def test_the_time_for_the_handshake_can_be_long(make_server: MakeServer) -> None:
    """What is not over in a short time is over in a long one: the limit is what was given."""
    server = make_server(limits=Limits(handshake_timeout=60.0))
    with sockets(server, 1) as (sock,):
        for part in (b"GET", b" /CP1", b" HTTP/1.1\r\n"):
            sock.send(part)
            assert not select.select([sock], [], [], 0.2)[0]
        sock.send(request().partition(b"\r\n")[2])
        assert status(sock.recv(1 << 16)) == 101


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param([f"X-{number}: y" for number in range(92)], 101, id="99 headers"),
        pytest.param([f"X-{number}: y" for number in range(101)], 431, id="too many"),
        pytest.param(["X: " + "y" * 60_000], 101, id="60,000 bytes"),
    ],
)
def test_the_number_of_headers_is_limited(server: OcppServer, fields: list[str], expected: int) -> None:
    with sockets(server, 1) as (sock,):
        sock.sendall(request("CP1", *fields))
        assert status(sock.recv(1 << 16)) == expected


@pytest.mark.parametrize("lines", [1, 20], ids=["one line", "many lines"])
def test_the_size_of_headers_is_limited(server: OcppServer, lines: int) -> None:
    with attacked(server), sockets(server, 20) as opened:
        for sock in opened:
            try:
                sock.sendall(b"GET /CP1 HTTP/1.1\r\n" + (b"X: " + b"y" * (1_000_000 // lines) + b"\r\n") * lines)
            except ConnectionError:
                pass
            # A client that writes on against the answer may lose it.
            answer = rest(sock)
            assert not answer or status(answer) == 431
        with sockets(server, 1) as (sock,):
            sock.sendall(b"GET /CP1 HTTP/1.1\r\n" + (b"X: " + b"y" * (64 * 1024 // lines) + b"\r\n") * lines)
            assert status(rest(sock)) == 431


def test_max_connections_are_refused_with_503(make_server: MakeServer, make_client: MakeClient) -> None:
    server = make_server(limits=Limits(max_connections=STATIONS + 2))
    with attacked(server) as stations, sockets(server, 2) as held:
        for sock in held:
            sock.send(b"GET")
        with sockets(server, MANY) as refused:
            assert [status(rest(sock)) for sock in refused] == [503] * MANY
        for _ in range(20):
            with pytest.raises(HandshakeError) as caught:
                make_client(server.url)
            assert caught.value.status == 503
        stations.check()
    assert make_client(server.url).connected


def test_max_connections_per_address_leave_room_for_others(make_server: MakeServer) -> None:
    server = make_server(limits=Limits(max_connections_per_address=3))
    with sockets(server, 3), sockets(server, MANY) as refused:
        assert [status(rest(sock)) for sock in refused] == [503] * MANY
        with socket.create_connection(("127.0.0.1", server.port), TIMEOUT, ("127.0.0.2", 0)) as other:
            other.sendall(request())
            assert status(other.recv(1 << 16)) == 101


@pytest.mark.parametrize(
    "limits", [{}, {"limits": Limits(max_connections=None, max_connections_per_address=None)}], ids=["default", "none"]
)
@pytest.mark.parametrize("count", [200, pytest.param(1000, marks=pytest.mark.nightly)])
def test_an_honest_bench_is_never_refused(make_server: MakeServer, limits: dict[str, Any], count: int) -> None:
    server = make_server(**limits)
    server.on("Heartbeat", lambda charge_point, request: {"currentTime": utcnow()})
    rejected = Collector()
    server.on("rejected", rejected)
    clients = [OcppClient(f"CP{number}", version=VERSION) for number in range(count)]
    with ExitStack() as stack, ThreadPoolExecutor(20) as pool:
        for client in clients:
            stack.callback(client.close)
        list(pool.map(lambda client: client.connect(server.url, timeout=60.0), clients))
        assert {server.wait_for(client.identity, 60.0).identity for client in clients} == {client.identity for client in clients}
        assert all(pool.map(lambda client: client.call("Heartbeat", timeout=60.0), clients))
        list(pool.map(OcppClient.close, clients))
    assert rejected.calls.empty()


# --- Passwords


def test_a5_wrong_passwords_delay_no_right_one(make_server: MakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocpp_sync.passwords._COST", 2**10)
    passwords = PasswordFile.create(tmp_path / "passwords")
    for identity in (*(f"GOOD{number}" for number in range(STATIONS)), "NEW"):
        passwords.set(identity, PASSWORD)
    server = make_server()
    server.on("authorization", passwords)
    server._admission._delays = FailureDelays(first=0.001, longest=0.002)

    def guess(number: int) -> int:
        with socket.create_connection(("127.0.0.1", server.port), 6 * TIMEOUT) as sock:
            sock.sendall(request(f"GOOD{number % STATIONS}", password=f"wrong-password-{number}"))
            return status(rest(sock))

    with attacked(server, password=PASSWORD), ThreadPoolExecutor(20) as pool:
        guesses = [pool.submit(guess, number) for number in range(200)]
        for client in stations_that_come_back(server):
            client.close()
        refusals = Counter(each.result() for each in guesses)
        assert refusals[401]
        assert set(refusals) <= {401, 503}  # the latter when many wait for one identity


def stations_that_come_back(server: OcppServer) -> Iterator[OcppClient]:
    for _ in range(5):
        with OcppClient("NEW", version=VERSION, password=PASSWORD) as client:
            yield client.connect(server.url, timeout=TIMEOUT)


def test_a5_a_failure_that_is_held_back_holds_nobody_else_back(make_server: MakeServer) -> None:
    server = make_server()
    server.on("authorization", lambda identity, request: request.password == PASSWORD.encode())
    server._admission._delays = FailureDelays(free=0, first=3600.0, longest=3600.0)
    with attacked(server, password=PASSWORD) as stations, sockets(server, MANY) as opened:
        for sock in opened:
            sock.sendall(request("GOOD0", password="wrong-password-000"))
        stations.check()
        for client in stations_that_come_back(server):
            client.close()
        assert not select.select(opened, [], [], 0)[0]
        # Who closes ends it for them, too.
        server._closed.set()
        held = [in_thread(rest, sock) for sock in opened]
        assert [status(future.result()) for future in held] == [401] * MANY
        server._closed.clear()


def test_a5_one_right_password_makes_no_room_for_further_guesses(make_server: MakeServer, make_client: MakeClient) -> None:
    server = make_server()
    server.on("authorization", lambda identity, request: request.password == PASSWORD.encode())
    delays = server._admission._delays = FailureDelays()
    for identity in ("CP1", "CP2"):
        with sockets(server, 1) as (sock,):
            sock.sendall(request(identity, password="wrong-password-000"))
            assert status(rest(sock)) == 401
    assert make_client(server.url, password=PASSWORD).connected
    assert delays.failures(("identity", "CP1")) == 0
    assert delays.failures(("identity", "CP2")) == 1
    assert delays.failures(("address", "127.0.0.1")) == 2


def test_guesses_wait_for_those_of_whom_no_password_is_guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = PasswordFile.create(tmp_path / "passwords")
    for identity in ("GUESSED", "OTHER"):
        passwords.set(identity, PASSWORD)
    begun, go_on = threading.Semaphore(0), threading.Semaphore(0)
    order: list[bytes] = []

    def scrypt(password: bytes, *_: Any) -> bytes:
        order.append(password)
        begun.release()
        assert go_on.acquire(timeout=TIMEOUT)
        return b""

    monkeypatch.setattr("ocpp_sync.passwords._scrypt", scrypt)

    def try_in(identity: str, password: bytes) -> Future:
        return in_thread(passwords, identity, Asked(password))

    first = try_in("GUESSED", b"1")
    assert begun.acquire(timeout=TIMEOUT)
    go_on.release()
    assert first.result() is False
    tries = [try_in("GUESSED", b"2")]
    assert begun.acquire(timeout=TIMEOUT)
    for identity, password in (("GUESSED", b"3"), ("GUESSED", b"4"), ("OTHER", b"5")):
        waiting = len(passwords._hashing._waiting) + 1
        tries.append(try_in(identity, password))
        stop = time.monotonic() + TIMEOUT
        while len(passwords._hashing._waiting) < waiting and time.monotonic() < stop:
            threading.Event().wait(0.001)
    for _ in tries:
        go_on.release()
    assert [each.result() for each in tries] == [False] * 4
    assert order == [b"1", b"2", b"5", b"3", b"4"]


class Asked:
    """A request of which the password alone counts."""

    def __init__(self, password: bytes) -> None:
        self.password = password


def test_hashing_leaves_no_memory_behind(tmp_path: Path) -> None:
    passwords = PasswordFile.create(tmp_path / "passwords")
    identities = [f"CP{number}" for number in range(20)]
    for identity in identities:
        passwords.set(identity, PASSWORD)
    before, over, asked = resident(), threading.Event(), threading.Semaphore(0)

    def guess(identity: str) -> None:
        assert not passwords(identity, Asked(b"wrong"))  # type: ignore[arg-type]
        asked.release()
        over.wait(6 * TIMEOUT)  # each thread has an arena of its own for as long as it lives

    guesses = [in_thread(guess, identity) for identity in identities]
    try:
        for _ in guesses:
            assert asked.acquire(timeout=6 * TIMEOUT)
        assert resident() < before + MARGIN
    finally:
        over.set()
        for each in guesses:
            each.result()


# --- Messages


BAD: dict[str, tuple[Callable[[Wire], bytes], int]] = {
    "bad JSON": (lambda peer: peer.frame('[2,"1",') * 100, 1002),
    "bad UTF-8": (lambda peer: peer.frame(b"\xff\xfe"), 1007),
    "bad opcode": (lambda peer: peer.frame(b"x", 3), 1002),
    "no mask": (lambda peer: Wire(peer.socket, masks=False).frame("[]"), 1002),
    "a long ping": (lambda peer: peer.frame(b"x" * 126, PING), 1002),
    "a reserved bit": (lambda peer: peer.frame("[]", flags=RSV1), 1002),
    "binary": (lambda peer: peer.frame(b"[]", BINARY), 1003),
    "too long": (lambda peer: peer.frame(b"[" + b" " * 3000), 1009),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_frames_close_with_their_code(make_server: MakeServer, kind: str) -> None:
    server = make_server(max_message_size=2000)
    make, code = BAD[kind]
    with attacked(server) as stations:

        def attack(number: int) -> int:
            peer = connect_wire(server.url, f"EVIL{number}", version=VERSION)
            try:
                peer.socket.sendall(make(peer))
                return closing_code(peer)
            finally:
                peer.close()

        with ThreadPoolExecutor(10) as pool:
            assert list(pool.map(attack, range(20))) == [code] * 20
        stations.check()


def closing_code(peer: Wire) -> int:
    while True:
        opcode, payload = peer.receive()
        if opcode == 8:
            return int.from_bytes(payload[:2], "big")


def test_a_peer_that_never_reads_is_cut(make_server: MakeServer) -> None:
    server = make_server(limits=Limits(stall_timeout=1.0))
    closed, over = Collector(), threading.Event()
    server.on("close", lambda charge_point, code, reason: closed(charge_point.identity, code))

    def attack(number: int) -> None:
        with closing(connect_wire(server.url, f"EVIL{number}", version=VERSION)) as peer:
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            burst = rest_of_it = peer.frame(b"x" * 125, PING) * 100
            peer.socket.settimeout(0.1)
            while not over.is_set():
                try:
                    rest_of_it = rest_of_it[peer.socket.send(rest_of_it) :] or burst
                except TimeoutError:
                    pass
                except ConnectionError:
                    return

    with attacked(server) as stations:
        attacks = [in_thread(attack, number) for number in range(4)]
        stations.check()
        assert {closed.calls.get(timeout=6 * TIMEOUT) for _ in attacks} == {(f"EVIL{number}", 1006) for number in range(4)}
        over.set()
        for each in attacks:
            each.result()


def test_a_compression_bomb_is_too_big(make_server: MakeServer) -> None:
    server = make_server(compression=True)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    plain = b'[2,"1","' + b" " * 200 * 1024 * MIB  # 200 MiB, twice the margin, in 200 KiB
    bomb = (deflate.compress(plain) + deflate.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")
    del plain
    with attacked(server) as stations:
        for number in range(10):
            headers = {"Sec-WebSocket-Extensions": "permessage-deflate"}
            with closing(connect_wire(server.url, f"EVIL{number}", version=VERSION, headers=headers)) as peer:
                assert "permessage-deflate" in peer.head
                try:
                    peer.send(bomb, flags=RSV1)
                except ConnectionError:
                    pass  # it has not waited for the end
                assert closing_code(peer) == 1009
        stations.check()


def test_b6_nested_brackets_are_unreadable(server: OcppServer) -> None:
    with attacked(server) as stations, closing(connect_wire(server.url, "EVIL", version=VERSION)) as peer:
        for message in ("[" * 100_000 + "]" * 100_000, "[" * 100_000):
            peer.send(message)
            answer = peer.receive_json()
            assert (answer[0], answer[1], answer[2]) == (4, "-1", "RpcFrameworkError")
        stations.check()
        peer.send([2, "1", "Heartbeat", {}])
        assert peer.receive_json()[:2] == [3, "1"]


@pytest.mark.parametrize("size", [100, 5000])
def test_the_size_of_a_message_is_limited_by_what_was_given(make_server: MakeServer, size: int) -> None:
    server = make_server(max_message_size=size)
    server.on("DataTransfer", lambda charge_point, request: {"status": "Accepted"})
    with closing(connect_wire(server.url, "CP1", version=VERSION)) as peer:
        head, tail = '[2,"1","DataTransfer",{"vendorId":"', '"}]'
        call = head + tail
        peer.send(call + " " * (size - len(call)))
        assert peer.receive_json() == [3, "1", {"status": "Accepted"}]
        peer.send(call + " " * (size - len(call) + 1))
        assert peer.receive_close()[0] == 1009
