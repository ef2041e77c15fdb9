"""Bounds on input: whatever a peer sends, it costs little memory, has a defined answer, and leaves a line in the log without its text."""

from __future__ import annotations

import json
import logging
import select
import socket
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from random import Random
from typing import Any

import pytest

from ocpp_sync import OcppClient, OcppServer
from ocpp_sync import worker as worker_module
from ocpp_sync.connection import Connection
from ocpp_sync.transport.stream import HIGH_WATER
from ocpp_sync.worker import Worker

from .support import TIMEOUT, VERSIONS, Collector, in_thread
from .wire import BINARY, CONTINUATION, PING, PONG, RSV1, TEXT, Wire, connect_wire, header

ACTION = "DataTransfer"  # either side of every version sends it
ACCEPTED = {"status": "Accepted"}
SECRET = "hunter2"
LIMIT = 2000
MIB = 1024 * 1024

KERNEL = 64 * 1024
"""Size of each of the kernel's buffers where a test fills them."""

QUIET = 0.5
"""Seconds after which a socket that takes nothing is one that is full. On a slow machine a test that floods sends less at first."""

each_version = pytest.mark.parametrize("version", VERSIONS)
only_server = pytest.mark.parametrize("connect", ["server"], indirect=True)


class Pair:
    """Our end, and its peer.

    Attributes:
        handler: Our handler of DataTransfer.
        closed: Our handler of the event ``close``.
    """

    def __init__(self, ours: Connection, peer: Wire, handler: Callable[[Any], Any], closed: Collector) -> None:
        self.ours = ours
        self.peer = peer
        self.handler = handler
        self.closed = closed

    def check(self) -> None:
        """The link works, and nothing else has come from our side before this."""
        self.peer.send(call("check"))
        assert self.peer.receive_json() == [3, "check", ACCEPTED]

    def check_closed(self, code: int) -> None:
        """Our side says why it closes, the peer goes, and the program is told the same."""
        assert self.peer.receive_close()[0] == code
        self.peer.socket.shutdown(socket.SHUT_WR)
        self.peer.receive_end()
        assert self.closed.next()[0] == code

    def shrink(self) -> None:
        """Make the kernel keep little."""
        assert self.ours._link is not None
        for sock in (self.peer.socket, self.ours._link.stream._sock):
            for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                sock.setsockopt(socket.SOL_SOCKET, buffer, KERNEL)

    @property
    def unsent(self) -> int:
        """Bytes that our side keeps for the peer."""
        assert self.ours._link is not None
        return len(self.ours._link.stream._unsent)


Connect = Callable[..., Pair]


@pytest.fixture(params=["client", "server"])
def connect(
    request: pytest.FixtureRequest, make_client: Callable[..., OcppClient], make_server: Callable[..., OcppServer]
) -> Iterator[Connect]:
    """Makes a link between our client or server and a raw peer."""
    with ExitStack() as stack:

        def client(version: str, handler: Any, closed: Collector, **options: Any) -> tuple[Connection, Wire]:
            ours = make_client(version=version, **options)
            ours.on(ACTION, handler)
            ours.on("close", closed)
            with socket.create_server(("127.0.0.1", 0)) as listening:
                connecting = in_thread(ours.connect, f"ws://127.0.0.1:{listening.getsockname()[1]}", timeout=TIMEOUT)
                peer = Wire(listening.accept()[0], masks=False).accept(version)
            connecting.result()
            return ours, peer

        def server(
            version: str, handler: Any, closed: Collector, headers: dict[str, str] | None = None, **options: Any
        ) -> tuple[Connection, Wire]:
            ours = make_server(**options)
            ours.on(ACTION, lambda charge_point, request: handler(request))
            ours.on("close", lambda charge_point, code, reason: closed(code, reason))
            peer = connect_wire(ours.url, version=version, headers=headers)
            return ours.wait_for("CP1", TIMEOUT), peer

        def make(version: str = "2.0.1", handler: Callable[[Any], Any] | None = None, **options: Any) -> Pair:
            handler, closed = handler or Collector(ACCEPTED), Collector()
            ours, peer = {"client": client, "server": server}[request.param](version, handler, closed, **options)
            stack.callback(peer.close)
            return Pair(ours, peer, handler, closed)

        yield make


class Gate:
    """A handler that answers when it may."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()
        self.requests: list[Any] = []

    def __call__(self, *arguments: Any) -> dict[str, str]:
        self.requests.append(arguments[-1])
        self.entered.set()
        assert self.open.wait(TIMEOUT)
        return ACCEPTED


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


def call(message_id: str, data: Any = SECRET) -> list[Any]:
    return [2, message_id, ACTION, {"vendorId": "v", "data": data}]


def call_text(message_id: str, data: str) -> str:
    """A CALL with any JSON, or none, in it."""
    return f'[2,"{message_id}","{ACTION}",{{"vendorId":"v","data":{data}}}]'


def call_of(size: int, filler: str = "x") -> str:
    """A CALL of so many bytes."""
    room = size - len(call_text("1", '""'))
    width = len(filler.encode())
    data = filler * (room // width) + "x" * (room % width)
    text = call_text("1", f'"{data}"')
    assert len(text.encode()) == size
    return text


def flood(peer: Wire, data: bytes) -> int:
    """Send for as long as the other side takes something; returns how many bytes it took."""
    sent = 0
    with memoryview(data) as view:
        while sent < len(data) and select.select([], [peer.socket], [], QUIET)[1]:
            peer.socket.setblocking(False)
            try:
                sent += peer.socket.send(view[sent : sent + 65536])
            except BlockingIOError:
                continue
            finally:
                peer.socket.settimeout(TIMEOUT)
    return sent


def check_log(caplog: pytest.LogCaptureFixture) -> None:
    """There is a line, and nothing of what came is in any."""
    assert [record for record in caplog.records if record.name == "ocpp_sync" and record.levelno >= logging.WARNING]
    assert SECRET not in caplog.text


# --- The size of a message


@pytest.mark.parametrize("connect", ["client"], indirect=True)
def test_a_big_message_is_refused_by_its_header(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    pair = connect(max_message_size=LIMIT)
    pair.peer.socket.sendall(header(1 << 30, masked=pair.peer.masks))
    pair.check_closed(1009)
    check_log(caplog)


def test_a_big_message_is_refused_before_all_of_it_has_come(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    pair = connect(max_message_size=LIMIT)
    pair.peer.socket.sendall(header(1 << 30, masked=pair.peer.masks) + (SECRET * LIMIT).encode()[: LIMIT + 1])
    pair.check_closed(1009)
    check_log(caplog)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("sizes", [[LIMIT // 2, LIMIT // 2, 1], [LIMIT, 0, 1], [0, LIMIT + 1], [1] * (LIMIT + 1)])
def test_fragments_count_together(connect: Connect, caplog: pytest.LogCaptureFixture, opcode: int, sizes: list[int]) -> None:
    pair = connect(max_message_size=LIMIT)
    for number, size in enumerate(sizes):
        pair.peer.send((SECRET * LIMIT)[:size], CONTINUATION if number else opcode, fin=False)
    pair.check_closed(1009)
    check_log(caplog)


@pytest.mark.parametrize("connect", ["client"], indirect=True)
def test_fragments_without_end_or_content_are_refused(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    pair = connect()
    pair.peer.send(SECRET, fin=False)
    flood(pair.peer, pair.peer.frame("", CONTINUATION, fin=False) * 10_000)
    pair.check_closed(1009)
    check_log(caplog)


@pytest.mark.parametrize("filler", ["x", "é", "€", "😀"])
@pytest.mark.parametrize("fragments", [1, 3])
@pytest.mark.parametrize("excess", [0, 1])
def test_the_limit_is_in_bytes_and_included(connect: Connect, filler: str, fragments: int, excess: int) -> None:
    pair = connect(max_message_size=LIMIT)
    data = call_of(LIMIT + excess, filler).encode()
    part = len(data) // fragments + 1
    for start in range(0, len(data), part):
        pair.peer.send(data[start : start + part], CONTINUATION if start else TEXT, fin=start + part >= len(data))
        pair.peer.send(b"", PING)
    while (frame := pair.peer.receive()) == (PONG, b""):
        pass
    assert frame == (TEXT, b'[3,"1",{"status":"Accepted"}]') if not excess else frame[1].startswith(b"\x03\xf1")


def test_a_limit_is_for_each_message_alone(connect: Connect) -> None:
    pair = connect(max_message_size=LIMIT)
    for _ in range(5):
        pair.peer.send(call_of(LIMIT))
        assert pair.peer.receive_json() == [3, "1", ACCEPTED]
    pair.check()


# --- Compression

DEFLATE = {"headers": {"Sec-WebSocket-Extensions": "permessage-deflate"}, "compression": True}


def deflate(chunks: Iterator[bytes]) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = b"".join(compressor.compress(chunk) for chunk in chunks) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return data.removesuffix(b"\x00\x00\xff\xff")


def inflate(data: bytes) -> bytes:
    return zlib.decompressobj(-15).decompress(data + b"\x00\x00\xff\xff")


def connect_deflating(connect: Connect, **options: Any) -> Pair:
    pair = connect(**DEFLATE, **options)
    assert "permessage-deflate" in pair.peer.head
    return pair


@only_server
@pytest.mark.parametrize("filler", ["x", "€"])
def test_a6_the_size_counts_after_inflation(connect: Connect, caplog: pytest.LogCaptureFixture, filler: str) -> None:
    pair = connect_deflating(connect, max_message_size=LIMIT)
    data = deflate(iter([call_of(LIMIT, filler).encode()]))
    assert len(data) < LIMIT // 10
    pair.peer.send(data, flags=RSV1)
    opcode, answer = pair.peer.receive()
    assert (opcode, json.loads(inflate(answer))) == (TEXT, [3, "1", ACCEPTED])
    pair.peer.send(deflate(iter([call_of(LIMIT + 1, filler).encode()])), flags=RSV1)
    pair.check_closed(1009)
    check_log(caplog)


@only_server
@pytest.mark.parametrize("ratio", [100, 1000])
@pytest.mark.parametrize("fragments", [1, 10])
def test_a6_a_bomb_is_refused_while_it_is_small(connect: Connect, ratio: int, fragments: int) -> None:
    pair = connect_deflating(connect)
    size = 64 * MIB
    bomb = deflate(iter([SECRET.encode(), *[compressible(ratio)] * (size // MIB)]))
    assert ratio / 2 < size / len(bomb) < ratio * 2
    part = len(bomb) // fragments + 1
    data = b""
    for start in range(0, len(bomb), part):
        first, last = start == 0, start + part >= len(bomb)
        data += pair.peer.frame(bomb[start : start + part], TEXT if first else CONTINUATION, fin=last, flags=RSV1 if first else 0)
    tracemalloc.start()
    try:
        sending = in_thread(pair.peer.socket.sendall, data)
        assert pair.peer.receive_close()[0] == 1009
        # It sees all that Python and zlib hand out, which is more than what the resident size shows.
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6 * MIB
    sending.result()
    pair.peer.socket.shutdown(socket.SHUT_WR)
    pair.peer.receive_end()


def compressible(ratio: int) -> bytes:
    """A MiB that can be compressed by this ratio, 1000 being the most that there is."""
    if ratio == 1000:
        return b"x" * MIB
    random = Random(0)
    return b"".join(random.randbytes(8).hex().encode() + b"x" * 1400 for _ in range(MIB // 1416 + 1))[:MIB]


# --- What cannot be read


def nested(depth: int) -> str:
    """A CALL of so many levels: the message, its payload, and the lists in it."""
    return call_text("1", "[" * (depth - 2) + f'"{SECRET}"' + "]" * (depth - 2))


@each_version
@pytest.mark.parametrize("depth", [101, 100_000])
def test_b6_deep_nesting_is_unreadable(connect: Connect, caplog: pytest.LogCaptureFixture, version: str, depth: int) -> None:
    pair = connect(version)
    pair.peer.send(nested(depth))
    check_unreadable(pair, version)
    pair.check()
    check_log(caplog)


def check_unreadable(pair: Pair, version: str) -> None:
    """Rule B6: the answer, where the version has one."""
    if version != "1.6":
        kind, message_id, code, description, details = pair.peer.receive_json()
        assert (kind, message_id, code, details) == (4, "-1", "RpcFrameworkError", {})
        assert SECRET not in description


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_nesting_up_to_the_limit_is_handled(connect: Connect, version: str) -> None:
    pair = connect(version)
    pair.peer.send(nested(100))
    assert pair.peer.receive_json() == [3, "1", ACCEPTED]


def test_brackets_in_a_text_are_no_nesting(connect: Connect) -> None:
    pair = connect()
    pair.peer.send(call("1", "[{" * 10_000))
    assert pair.peer.receive_json() == [3, "1", ACCEPTED]


@each_version
def test_b1_a_binary_message_closes_with_1003(connect: Connect, caplog: pytest.LogCaptureFixture, version: str) -> None:
    pair = connect(version)
    pair.peer.send(call_text("1", f'"{SECRET}"').encode(), BINARY)
    pair.check_closed(1003)
    check_log(caplog)


@each_version
@pytest.mark.parametrize("fragments", [1, 2])
def test_b1_what_is_no_utf_8_closes_with_1007(connect: Connect, caplog: pytest.LogCaptureFixture, version: str, fragments: int) -> None:
    pair = connect(version)
    data = call_text("1", f'"{SECRET}"').encode() + b"\xc3"
    for number in range(fragments):
        pair.peer.send(data if number == 0 else SECRET, CONTINUATION if number else TEXT, fin=number == fragments - 1)
    pair.check_closed(1007)
    check_log(caplog)


UNREADABLE = ["", SECRET, "[]", "{}", "null", f'[2,7,"{SECRET}",{{}}]', f'[2,"1","{SECRET}",{{}}', f'"{SECRET}"']


@each_version
def test_b6_a_hundred_unreadable_messages_in_a_row_close_with_1002(
    connect: Connect, caplog: pytest.LogCaptureFixture, version: str
) -> None:
    pair = connect(version)
    for _ in range(2):
        for number in range(99):
            pair.peer.send(UNREADABLE[number % len(UNREADABLE)])
            check_unreadable(pair, version)
        pair.check()  # which begins the count anew
    for number in range(100):
        pair.peer.send(UNREADABLE[number % len(UNREADABLE)])
        check_unreadable(pair, version)
    pair.check_closed(1002)
    check_log(caplog)


def test_b6_nothing_more_is_handled_after_that(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    pair = connect("1.6")
    pair.peer.socket.sendall(pair.peer.frame("x") * 1000 + pair.peer.frame(call_text("1", f'"{SECRET}"')))
    pair.check_closed(1002)
    assert isinstance(pair.handler, Collector)
    assert pair.handler.calls.empty()
    assert len([record for record in caplog.records if record.name == "ocpp_sync"]) < 110


FORMAT_ERROR = {"1.6": "FormationViolation", "2.0.1": "FormatViolation", "2.1": "FormatViolation"}


@each_version
@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", f'{{"{SECRET}": NaN}}'])
def test_b6_what_only_python_takes_for_a_number_is_no_json(
    connect: Connect, caplog: pytest.LogCaptureFixture, version: str, value: str
) -> None:
    pair = connect(version)
    pair.peer.send(call_text("1", value))
    check_unreadable(pair, version)
    pair.check()
    check_log(caplog)


@each_version
def test_b12_a_number_that_is_too_big_is_refused(connect: Connect, version: str) -> None:
    pair = connect(version)
    pair.peer.send(call_text("1", "1e999"))
    answer = pair.peer.receive_json()
    assert answer[:3] == [4, "1", "TypeConstraintViolation"]
    pair.check()


@each_version
@pytest.mark.parametrize("half", [r"\ud800", r"\udfff", r"\uDE00\uD83D"])
def test_b1_half_of_a_surrogate_pair_is_refused(connect: Connect, caplog: pytest.LogCaptureFixture, version: str, half: str) -> None:
    pair = connect(version)
    pair.peer.send(call_text("1", f'"{SECRET}{half}"'))
    kind, message_id, code, description, details = pair.peer.receive_json()
    assert (kind, message_id, code, details) == (4, "1", FORMAT_ERROR[version], {})
    assert SECRET not in description
    pair.check()
    check_log(caplog)


@each_version
def test_b6_an_id_with_half_of_a_surrogate_pair_is_unreadable(connect: Connect, caplog: pytest.LogCaptureFixture, version: str) -> None:
    pair = connect(version)
    pair.peer.send(call_text(r"\ud800", f'"{SECRET}"'))
    check_unreadable(pair, version)
    pair.check()
    check_log(caplog)


@each_version
def test_b9_an_id_that_is_being_handled_cannot_be_used_again(
    connect: Connect, caplog: pytest.LogCaptureFixture, gate: Gate, version: str
) -> None:
    pair = connect(version, gate)
    pair.peer.send(call("1"))
    assert gate.entered.wait(TIMEOUT)
    for _ in range(3):
        pair.peer.send(call("1"))
        answer = pair.peer.receive_json()
        assert answer[:3] == [4, "1", "GenericError" if version == "1.6" else "RpcFrameworkError"]
        assert SECRET not in answer[3]
    gate.open.set()
    assert pair.peer.receive_json() == [3, "1", ACCEPTED]
    pair.peer.send(call("1"))
    assert pair.peer.receive_json() == [3, "1", ACCEPTED]
    assert len(gate.requests) == 2
    check_log(caplog)


# --- A handler that takes its time


@each_version
def test_b3_pings_and_calls_go_on_while_a_handler_is_blocked(connect: Connect, gate: Gate, version: str) -> None:
    pair = connect(version, gate)
    pair.peer.send(call("1"))
    assert gate.entered.wait(TIMEOUT)
    for number in range(3):
        pair.peer.send(b"%d" % number, PING)
        assert pair.peer.receive() == (PONG, b"%d" % number)
        calling = in_thread(pair.ours.call, ACTION, {"vendorId": "v"}, timeout=TIMEOUT)
        message = pair.peer.receive_json()
        assert message[2:] == [ACTION, {"vendorId": "v"}]
        pair.peer.send([3, message[1], {**ACCEPTED, "data": f"{number}"}])
        assert calling.result() == {**ACCEPTED, "data": f"{number}"}
    gate.open.set()
    assert pair.peer.receive_json() == [3, "1", ACCEPTED]


class Queue:
    """What has been waiting in the queues of all workers."""

    def __init__(self) -> None:
        self.full = threading.Event()
        self.most = 0
        self.most_bytes = 0

    def note(self, worker: Worker) -> None:
        with worker._changed:
            tasks, cost = len(worker._tasks), worker._cost
        self.most, self.most_bytes = max(self.most, tasks), max(self.most_bytes, cost)
        if tasks >= worker_module._MAX_TASKS or cost >= worker_module._MAX_COST:
            self.full.set()


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> Queue:
    queued, put = Queue(), Worker.put

    def noted(worker: Worker, *arguments: Any, **named: Any) -> None:
        put(worker, *arguments, **named)
        queued.note(worker)

    monkeypatch.setattr(Worker, "put", noted)
    return queued


@pytest.mark.parametrize(("count", "size"), [(4000, 1000), (60, 500_000)])
def test_b5_a_flood_of_calls_is_answered_in_order_and_held_back_meanwhile(
    connect: Connect, gate: Gate, queued: Queue, count: int, size: int
) -> None:
    pair = connect(handler=gate)
    pair.shrink()
    data = b"".join(pair.peer.frame(json.dumps(call(f"{number}", "x" * size))) for number in range(count))
    sent = flood(pair.peer, data)
    assert sent < len(data)
    assert queued.full.wait(TIMEOUT)
    rest = in_thread(pair.peer.socket.sendall, data[sent:])
    gate.open.set()
    for number in range(count):
        assert pair.peer.receive_json() == [3, f"{number}", ACCEPTED]
    rest.result()
    pair.check()
    assert len(gate.requests) == count + 1
    assert queued.most <= worker_module._MAX_TASKS
    assert queued.most_bytes <= worker_module._MAX_COST + size + 100


def stream_event(number: int) -> list[Any]:
    data = [{"t": 0, "v": "x" * 1000}]
    return [6, f"{number}", "NotifyPeriodicEventStream", {"id": number, "pending": 0, "basetime": "2026-01-01T00:00:00Z", "data": data}]


@only_server
def test_b17_a_flood_of_sends_is_handled_in_order_and_held_back_meanwhile(connect: Connect, gate: Gate, queued: Queue) -> None:
    pair = connect("2.1")
    pair.ours.on("NotifyPeriodicEventStream", gate)
    pair.shrink()
    count = 4000
    data = b"".join(pair.peer.frame(json.dumps(stream_event(number))) for number in range(count))
    sent = flood(pair.peer, data)
    assert sent < len(data)
    assert queued.full.wait(TIMEOUT)
    rest = in_thread(pair.peer.socket.sendall, data[sent:])
    gate.open.set()
    rest.result()
    pair.check()
    assert [request["id"] for request in gate.requests] == list(range(count))
    assert queued.most <= worker_module._MAX_TASKS


def test_b17_sends_behind_a_blocked_handler_are_held_back(
    connect: Connect, caplog: pytest.LogCaptureFixture, gate: Gate, queued: Queue
) -> None:
    caplog.set_level(logging.CRITICAL, "ocpp_sync")  # each of them leaves a line
    pair = connect("2.1", gate)
    pair.shrink()
    data = pair.peer.frame(json.dumps(call("first"))) + b"".join(
        pair.peer.frame(json.dumps(stream_event(number))) for number in range(2000)
    )
    sent = flood(pair.peer, data)
    assert sent < len(data)
    assert queued.full.wait(TIMEOUT)
    rest = in_thread(pair.peer.socket.sendall, data[sent:])
    gate.open.set()
    assert pair.peer.receive_json() == [3, "first", ACCEPTED]
    rest.result()
    pair.check()  # none of them is answered, although there is no handler
    assert queued.most <= worker_module._MAX_TASKS


def test_error_events_behind_a_blocked_handler_are_held_back(
    connect: Connect, caplog: pytest.LogCaptureFixture, gate: Gate, queued: Queue
) -> None:
    caplog.set_level(logging.CRITICAL, "ocpp_sync")
    pair = connect("1.6")
    pair.ours.on("error", gate)
    pair.shrink()
    count = 2000
    data = b"".join(pair.peer.frame(f'[2,"{number}","{SECRET * 100}"]') for number in range(count))
    sent = flood(pair.peer, data)
    assert sent < len(data)
    assert queued.full.wait(TIMEOUT)
    rest = in_thread(pair.peer.socket.sendall, data[sent:])
    gate.open.set()
    for number in range(count):
        assert pair.peer.receive_json()[:2] == [4, f"{number}"]
    rest.result()
    pair.check()
    assert [error.message_id for error in gate.requests] == [f"{number}" for number in range(count)]
    assert queued.most <= worker_module._MAX_TASKS


# --- A peer that sends, and does not read


def pings(pair: Pair, number: int) -> bytes:
    return pair.peer.frame(b"%125d" % number, PING)


def malformed(pair: Pair, number: int) -> bytes:
    return pair.peer.frame(f'[2,"{number}","{"x" * 100}"]')


def unhandled(pair: Pair, number: int) -> bytes:
    return pair.peer.frame(f'[2,"{number}","{"x" * 100}",{{}}]')


def repeated(pair: Pair, number: int) -> bytes:
    return pair.peer.frame(call_text("1", f'"{number:0100d}"'))


@pytest.mark.parametrize("message", [pings, malformed, unhandled, repeated])
def test_a_peer_that_never_reads_does_not_make_us_keep_ever_more(
    connect: Connect, caplog: pytest.LogCaptureFixture, gate: Gate, message: Callable[[Pair, int], bytes]
) -> None:
    caplog.set_level(logging.CRITICAL, "ocpp_sync")
    pair = connect(handler=gate)
    pair.shrink()
    if message is repeated:
        pair.peer.send(call("1"))
        assert gate.entered.wait(TIMEOUT)
    else:
        gate.open.set()
    count = 10_000
    data = b"".join(message(pair, number) for number in range(count))
    sent = flood(pair.peer, data)
    assert sent < len(data)
    assert pair.unsent < 4 * HIGH_WATER
    rest = in_thread(pair.peer.socket.sendall, data[sent:])
    for number in range(count):
        opcode, answer = pair.peer.receive()
        if message is pings:
            assert (opcode, answer) == (PONG, b"%125d" % number)
        else:
            assert answer.startswith(b'[4,"1",' if message is repeated else b'[4,"%d",' % number)
    rest.result()
    if message is repeated:
        gate.open.set()
        assert pair.peer.receive_json() == [3, "1", ACCEPTED]
    pair.check()
