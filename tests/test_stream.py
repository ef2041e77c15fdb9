"""The stream over a pair of Unix sockets and over TCP: one reader, many writers, deadlines, and peers that do not read."""

from __future__ import annotations

import hashlib
import os
import queue
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from ocpp_sync.limits import Limits
from ocpp_sync.transport.http import Exchange, HttpServer
from ocpp_sync.transport.stream import HIGH_WATER, LentStream, Stream

from .support import TIMEOUT, in_thread

KERNEL = 256 * 1024
"""Size of each of the kernel's buffers; it takes some more."""

MUCH = 4 * 1024 * 1024
"""So much that more than HIGH_WATER of it is unsent, whatever the kernel takes by and by."""

SOON = 0.05
"""Seconds until something that must happen by itself."""


@pytest.fixture(params=["unix", "tcp"])
def sockets(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket]]:
    if request.param == "unix":
        pair = socket.socketpair()
    else:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL)
            pair = (socket.create_connection(listening.getsockname()), listening.accept()[0])
    for end in pair:
        end.settimeout(TIMEOUT)
        for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            end.setsockopt(socket.SOL_SOCKET, buffer, KERNEL)
    yield pair
    for end in pair:
        end.close()


@pytest.fixture
def peer(sockets: tuple[socket.socket, socket.socket]) -> socket.socket:
    """The other end: a plain socket."""
    return sockets[1]


@pytest.fixture
def stream(sockets: tuple[socket.socket, socket.socket]) -> Iterator[Stream]:
    stream = Stream(sockets[0])
    yield stream
    stream.close()


class Polling:
    """Tells when a thread of ours begins to wait, and for which events; ``gate`` holds it back just before."""

    def __init__(self) -> None:
        self.events: queue.Queue[int] = queue.Queue()
        self.gate = threading.Event()
        self.gate.set()

    def wait_for(self, events: int) -> None:
        while self.events.get(timeout=TIMEOUT) != events:
            pass


@pytest.fixture
def polling(monkeypatch: pytest.MonkeyPatch) -> Polling:
    polling, real = Polling(), select.poll

    class Poll:
        def __init__(self) -> None:
            self._poll, self._events = real(), 0

        def register(self, descriptor: int, events: int) -> None:
            self._poll.register(descriptor, events)
            self._events = events

        def poll(self, timeout: float | None) -> list[tuple[int, int]]:
            polling.events.put(self._events)
            assert polling.gate.wait(TIMEOUT)
            return self._poll.poll(timeout)

    monkeypatch.setattr(select, "poll", Poll)
    return polling


def soon() -> float:
    return time.monotonic() + SOON


def exactly(sock: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        chunk = sock.recv(min(size - len(data), 1 << 20))
        assert chunk, "the stream ended early"
        data += chunk
    return bytes(data)


def rest(sock: socket.socket) -> bytes:
    """All until the end; a reset is an error."""
    data = bytearray()
    while chunk := sock.recv(1 << 20):
        data += chunk
    return bytes(data)


def fill(stream: Stream) -> int:
    """Send much to a peer that does not read."""
    size = stream.send(b"x" * MUCH)
    assert len(stream._unsent) > MUCH // 2
    return size


def reset(sock: socket.socket) -> None:
    """Close so that the other end sees a reset, as after a crash; for Unix sockets, the plain end."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


# --- Reading


def test_recv_hands_out_what_came_piece_by_piece(stream: Stream, peer: socket.socket) -> None:
    peer.sendall(b"abcdefgh")
    peer.shutdown(socket.SHUT_WR)
    assert [stream.recv(size) for size in (3, 1, 3, 100)] == [b"abc", b"d", b"efg", b"h"]
    assert stream.recv(1) == stream.recv(1) == b""


def exactly_from(stream: Stream, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        chunk = stream.recv(size - len(data))
        assert chunk, "the stream ended early"
        data += chunk
    return bytes(data)


@pytest.mark.parametrize(
    ("size", "lines"),
    [
        (-1, [b"one\n", b"\n", b"three", b""]),
        (100, [b"one\n", b"\n", b"three", b""]),
        (4, [b"one\n", b"\n", b"thre", b"e", b""]),
        (3, [b"one", b"\n", b"\n", b"thr", b"ee", b""]),
        (1, [b"o", b"n", b"e", b"\n", b"\n", b"t", b"h", b"r", b"e", b"e", b""]),
    ],
)
@pytest.mark.parametrize("pieces", [[b"one\n\nthree"], [b"o", b"ne", b"\n\nth", b"ree"]])
def test_readline_ends_at_line_feed_limit_or_end(
    stream: Stream, peer: socket.socket, polling: Polling, size: int, lines: list[bytes], pieces: list[bytes]
) -> None:
    reader = in_thread(lambda: [stream.readline(size) for _ in lines])
    for piece in pieces:
        polling.wait_for(select.POLLIN)
        peer.send(piece)
    peer.shutdown(socket.SHUT_WR)
    assert reader.result() == lines


def test_readline_leaves_the_rest_to_recv(stream: Stream, peer: socket.socket) -> None:
    peer.sendall(b"GET / HTTP/1.1\r\nrest")
    assert stream.readline(1000) == b"GET / HTTP/1.1\r\n"
    assert stream.recv(1000) == b"rest"


def test_a_deadline_ends_a_read_that_waits(stream: Stream) -> None:
    stream.deadline = soon()
    with pytest.raises(TimeoutError):
        stream.recv(1)
    with pytest.raises(TimeoutError):
        stream.readline()


def test_a_deadline_is_not_in_the_way_of_what_comes_before_it(stream: Stream, peer: socket.socket, polling: Polling) -> None:
    stream.deadline = time.monotonic() + TIMEOUT
    reader = in_thread(stream.recv, 100)
    polling.wait_for(select.POLLIN)
    peer.sendall(b"in time")
    assert reader.result() == b"in time"
    stream.deadline = None
    peer.sendall(b"and after")
    assert exactly_from(stream, 9) == b"and after"


def test_a_deadline_that_has_passed_is_not_put_off_by_what_is_there(stream: Stream, peer: socket.socket) -> None:
    peer.sendall(b"ab")
    assert stream.recv(1) == b"a"
    stream.deadline = time.monotonic()
    assert stream.recv(1) == b"b"
    peer.sendall(b"c")
    with pytest.raises(TimeoutError):
        stream.recv(1)


def test_a_deadline_holds_for_a_peer_that_never_stops_sending(stream: Stream, peer: socket.socket) -> None:
    writer = in_thread(flood, peer)
    stream.deadline = soon()
    with pytest.raises(TimeoutError):
        in_thread(exactly_from, stream, 1 << 40).result()
    stream.close()
    writer.result()


def flood(sock: socket.socket) -> None:
    """Send until the other end has gone."""
    with suppress(ConnectionError):
        while True:
            sock.sendall(b"f" * (1 << 16))


@pytest.mark.parametrize("read", ["recv", "readline"])
def test_an_allowance_is_used_up_by_what_is_read(stream: Stream, peer: socket.socket, read: str) -> None:
    peer.sendall(b"12345\n7")
    stream.allowance = 6
    taken = stream.recv(6) if read == "recv" else stream.readline()
    assert (taken, stream.allowance) == (b"12345\n", 0)
    with pytest.raises(OSError, match="more than is allowed"):
        stream.recv(1)


def test_an_allowance_does_not_count_what_is_read_after_it(stream: Stream, peer: socket.socket) -> None:
    peer.sendall(b"head" + b"b" * 1000)
    stream.allowance = 4
    assert stream.recv(4) == b"head"
    stream.allowance = None
    assert exactly_from(stream, 1000) == b"b" * 1000


def test_an_endless_line_hits_the_allowance(stream: Stream, peer: socket.socket) -> None:
    stream.allowance = 1000
    writer = in_thread(flood, peer)
    with pytest.raises(OSError, match="more than is allowed"):
        stream.readline()
    stream.close()
    writer.result()


# --- Writing


def test_send_never_waits_for_a_peer_that_does_not_read(stream: Stream, peer: socket.socket) -> None:
    data = os.urandom(8 * 1024 * 1024)
    assert in_thread(stream.send, data).result() == len(data)
    receiver = in_thread(exactly, peer, len(data))
    assert stream.drain(time.monotonic() + TIMEOUT)
    assert receiver.result() == data


def test_the_reader_sends_what_was_left(stream: Stream, peer: socket.socket) -> None:
    sent = fill(stream) + stream.send(b"the end")
    reader = in_thread(stream.recv, 100)
    assert exactly(peer, sent).endswith(b"xthe end")
    peer.sendall(b"thanks")
    assert reader.result() == b"thanks"


def test_the_next_write_sends_what_was_left(stream: Stream, peer: socket.socket) -> None:
    fill(stream)
    unsent = len(stream._unsent)
    exactly(peer, MUCH - unsent)
    stream.send(b".")
    assert len(stream._unsent) < unsent


@pytest.mark.parametrize("writers", [8])
def test_writes_of_many_threads_stay_whole_and_in_order(stream: Stream, peer: socket.socket, writers: int) -> None:
    size, count = 10_000, 100

    def write(writer: int) -> None:
        for number in range(count):
            stream.send(struct.pack("!II", writer, number) + bytes([writer]) * size)
            if number % 10 == writer:
                stream.drain()

    threads = [in_thread(write, writer) for writer in range(writers)]
    expected = dict.fromkeys(range(writers), 0)
    drained = in_thread(lambda: [thread.result() for thread in threads] and stream.drain())
    for _ in range(writers * count):
        writer, number = struct.unpack("!II", exactly(peer, 8))
        assert number == expected[writer]
        expected[writer] += 1
        assert exactly(peer, size) == bytes([writer]) * size
    assert drained.result()


def test_drain_keeps_to_its_deadline(stream: Stream) -> None:
    fill(stream)
    assert stream.drain(soon()) is False
    assert stream.drain(0) is False
    assert stream.drain(0, below=MUCH // 2) is False


def test_drain_below_waits_for_less(stream: Stream, peer: socket.socket, polling: Polling) -> None:
    fill(stream)
    assert stream.drain(0, below=MUCH)
    drain = in_thread(stream.drain, below=1000)
    polling.wait_for(select.POLLOUT)
    exactly(peer, MUCH - 1000)
    assert drain.result()
    assert len(stream._unsent) <= 1000
    drain = in_thread(stream.drain)
    exactly(peer, 1000)
    assert drain.result()
    assert stream._unsent == b""


def test_a_peer_that_takes_nothing_is_given_up_by_drain(sockets: tuple[socket.socket, socket.socket]) -> None:
    stream = Stream(sockets[0], stall_timeout=SOON)
    fill(stream)
    with pytest.raises(TimeoutError, match=r"taken nothing for 0\.05 s"):
        in_thread(stream.drain).result()
    with pytest.raises(TimeoutError, match="taken nothing"):
        stream.send(b"x")
    with pytest.raises(TimeoutError, match="taken nothing"):
        stream.drain()
    assert stream.recv(1) == b""
    assert stream._unsent == b""
    stream.close()


def test_a_peer_that_takes_nothing_is_given_up_by_the_reader(sockets: tuple[socket.socket, socket.socket]) -> None:
    stream = Stream(sockets[0], stall_timeout=SOON)
    fill(stream)
    with pytest.raises(TimeoutError, match="taken nothing"):
        in_thread(stream.recv, 1).result()
    with pytest.raises(TimeoutError, match="taken nothing"):
        stream.send(b"x")
    stream.close()


def test_a_peer_that_has_taken_all_may_be_silent(sockets: tuple[socket.socket, socket.socket], polling: Polling) -> None:
    stream, peer = Stream(sockets[0], stall_timeout=0.0), sockets[1]
    stream.send(b"all")
    assert stream.drain()
    reader = in_thread(stream.recv, 10)
    polling.wait_for(select.POLLIN)
    peer.sendall(b"at last")
    assert reader.result() == b"at last"
    stream.send(b"more")
    assert exactly(peer, 7) == b"allmore"
    stream.close()


def flooding(stream: Stream) -> bytes:
    """The reader owes a peer that does not read ever more, as a reader does that answers; then it reads on."""
    assert stream.recv(100) == b"ask"
    while stream._owed < MUCH:
        stream.send_owed(b"y" * 100_000)
    return stream.recv(100)


def test_a_peer_that_does_not_read_is_not_read(stream: Stream, peer: socket.socket, polling: Polling) -> None:
    peer.sendall(b"ask")
    reader = in_thread(flooding, stream)
    polling.wait_for(select.POLLOUT)  # and not for what is there to be read
    peer.sendall(b"ask again")
    assert reader.thread.is_alive()
    taker = in_thread(rest, peer)
    assert reader.result() == b"ask again"
    assert stream._owed == 0
    stream.close()
    assert set(taker.result()) == set(b"y")


def test_a_reader_that_owes_much_notices_that_the_peer_has_gone(stream: Stream, peer: socket.socket, polling: Polling) -> None:
    peer.sendall(b"ask")
    reader = in_thread(flooding, stream)
    polling.wait_for(select.POLLOUT)
    reset(peer)
    try:
        assert reader.result() == b""
    except ConnectionResetError:
        pass


def test_what_others_have_to_say_is_not_in_the_way_of_reading(stream: Stream, peer: socket.socket) -> None:
    fill(stream)
    peer.sendall(b"at once")
    assert in_thread(stream.recv, 100).result() == b"at once"


def test_a_peer_that_has_gone_breaks_the_stream(stream: Stream, peer: socket.socket) -> None:
    fill(stream)
    drain = in_thread(stream.drain)
    reset(peer)
    with pytest.raises(OSError):
        drain.result()
    with pytest.raises(OSError):
        stream.send(b"x")
    assert stream._unsent == b""


def test_an_interrupt_in_the_middle_of_a_write_breaks_the_stream(
    stream: Stream, peer: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = stream._write

    def interrupted(chunk: memoryview) -> int:
        write(chunk)
        raise KeyboardInterrupt

    monkeypatch.setattr(stream, "_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        stream.send(b"once")
    monkeypatch.undo()
    with pytest.raises(ConnectionResetError, match="interrupted"):
        stream.send(b"never")
    with pytest.raises(ConnectionResetError, match="interrupted"):
        stream.drain()
    assert rest(peer) == b"once"


def test_what_the_peer_sent_before_it_stopped_reading_still_comes(stream: Stream, peer: socket.socket) -> None:
    peer.sendall(b"last words")
    peer.shutdown(socket.SHUT_WR)
    assert stream.recv(4) == b"last"
    stream.send(b"answer")
    assert stream.recv(100) == b" words"
    assert stream.recv(100) == b""
    assert exactly(peer, 6) == b"answer"


def test_much_in_both_directions_from_many_threads_arrives_unharmed(sockets: tuple[socket.socket, socket.socket]) -> None:
    ends = [Stream(end) for end in sockets]
    writers, count, size = 4, 32, 64 * 1024

    def write(stream: Stream, writer: int) -> bytes:
        digest = hashlib.sha256()
        for _ in range(count):
            data = os.urandom(size)
            digest.update(data)
            stream.drain(below=HIGH_WATER)
            stream.send(bytes([writer]) + data)
        stream.drain()
        return digest.digest()

    def read(stream: Stream) -> list[bytes]:
        digests = [hashlib.sha256() for _ in range(writers)]
        for _ in range(writers * count):
            digests[stream.recv(1)[0]].update(exactly_from(stream, size))
        return [digest.digest() for digest in digests]

    readers = [in_thread(read, stream) for stream in ends]
    sent = [[in_thread(write, stream, writer) for writer in range(writers)] for stream in ends]
    for reader, threads in zip(readers, reversed(sent), strict=True):
        assert reader.result() == [thread.result() for thread in threads]
    for stream in ends:
        stream.close()


# --- Ending


def test_shutdown_wakes_the_reader_and_whoever_drains(stream: Stream, polling: Polling) -> None:
    fill(stream)
    reader = in_thread(stream.recv, 1)
    polling.wait_for(select.POLLIN | select.POLLOUT)
    drains = [in_thread(stream.drain) for _ in range(3)]
    for _ in drains:
        polling.wait_for(select.POLLOUT)
    stream.shutdown()
    assert reader.result() == b""
    for drain in drains:
        with pytest.raises(OSError):
            drain.result()
    assert stream._sock.fileno() != -1


def test_shutdown_of_the_writing_half_leaves_the_reading_half(stream: Stream, peer: socket.socket) -> None:
    stream.send(b"bye")
    stream.shutdown(socket.SHUT_WR)
    assert rest(peer) == b"bye"
    peer.sendall(b"bye, too")
    assert exactly_from(stream, 8) == b"bye, too"
    with pytest.raises(OSError):
        stream.send(b"x")


def test_close_wakes_everybody_and_may_be_repeated(stream: Stream, peer: socket.socket, polling: Polling) -> None:
    fill(stream)
    drain = in_thread(stream.drain)
    polling.wait_for(select.POLLOUT)
    reader = in_thread(stream.recv, 1)
    polling.wait_for(select.POLLIN | select.POLLOUT)
    stream.close()
    stream.close()
    stream.shutdown()
    assert reader.result() == b""
    with pytest.raises(ConnectionResetError, match="closed"):
        drain.result()
    assert stream._sock.fileno() == -1
    assert stream.recv(1) == b""
    with pytest.raises(ConnectionResetError, match="closed"):
        stream.send(b"x")
    with pytest.raises(ConnectionResetError, match="closed"):
        stream.drain()
    assert rest(peer).endswith(b"x")


@pytest.mark.parametrize("wait", ["recv", "drain"])
def test_a_descriptor_that_is_polled_stays_open(stream: Stream, polling: Polling, wait: str) -> None:
    waiting: dict[str, Any] = {"recv": lambda: stream.recv(1), "drain": stream.drain}
    if wait == "drain":
        fill(stream)
    polling.gate.clear()
    thread = in_thread(waiting[wait])
    polling.events.get(timeout=TIMEOUT)
    descriptor = stream._sock.fileno()
    stream.close()
    assert stream._sock.fileno() == descriptor
    os.fstat(descriptor)  # raises when it is closed
    polling.gate.set()
    try:
        assert thread.result() == b""
    except ConnectionResetError:
        assert wait == "drain"
    assert stream._sock.fileno() == -1


def test_a_descriptor_that_is_polled_stays_open_when_its_http_request_ends(polling: Polling) -> None:
    streams: queue.Queue[Stream] = queue.Queue()
    over = threading.Event()

    def application(environ: dict[str, Any], exchange: Exchange) -> None:
        streams.put(exchange.open_stream())
        assert over.wait(TIMEOUT)

    server = HttpServer("127.0.0.1", 0, application, Limits())
    server.start()
    with socket.create_connection(("127.0.0.1", server.port)) as peer:
        peer.sendall(b"GET / HTTP/1.1\r\n\r\n")
        stream = streams.get(timeout=TIMEOUT)
        stream.send(b"x" * (16 * MUCH))  # the kernel's buffers are as large as it likes
        polling.gate.clear()
        drain = in_thread(stream.drain)
        polling.wait_for(select.POLLOUT)
        over.set()
        assert server.join(time.monotonic() + TIMEOUT) == []
        os.fstat(stream._sock.fileno())  # raises when it is closed
        polling.gate.set()
        with pytest.raises(ConnectionResetError):
            drain.result()
        assert stream._sock.fileno() == -1
    server.stop()


def linger_and_close(stream: Stream) -> None:
    stream.linger(TIMEOUT)
    stream.close()


def test_linger_lets_the_peer_take_the_last_bytes(stream: Stream, peer: socket.socket) -> None:
    peer.sendall(b"never read" * 1000)
    stream.send(b"last words")
    linger = in_thread(linger_and_close, stream)
    assert rest(peer) == b"last words"
    peer.sendall(b"nor is this")
    peer.close()
    linger.result()


def test_linger_gives_what_is_unsent_its_time(stream: Stream, peer: socket.socket) -> None:
    sent = fill(stream) + stream.send(b"last words")
    linger = in_thread(linger_and_close, stream)
    data = rest(peer)
    assert len(data) == sent
    assert data.endswith(b"last words")
    peer.close()
    linger.result()


def test_linger_has_an_end_when_the_peer_is_silent(stream: Stream) -> None:
    in_thread(stream.linger, SOON).result()


def test_linger_has_an_end_when_the_peer_does_not_read(stream: Stream) -> None:
    fill(stream)
    in_thread(stream.linger, SOON).result()


def test_linger_has_an_end_when_the_peer_never_stops_sending(stream: Stream, peer: socket.socket) -> None:
    writer = in_thread(flood, peer)
    in_thread(stream.linger, SOON).result()
    stream.close()
    writer.result()


def test_a_lent_stream_passes_for_a_blocking_socket_and_keeps_its_end(stream: Stream, peer: socket.socket) -> None:
    lent = LentStream(stream)
    assert lent.gettimeout() is None  # type: ignore[func-returns-value]
    assert lent.send(b"there") == 5
    peer.sendall(b"back")
    assert lent.recv(100) == b"back"
    lent.close()
    stream.send(b" again")
    assert exactly(peer, 11) == b"there again"
