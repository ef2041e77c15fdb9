"""The stream over TLS 1.2 and 1.3 and real TCP: reading and writing at once, ends at any moment, and peers that do not read."""

from __future__ import annotations

import functools
import os
import random
import select
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync.tls import client_context, server_context
from ocpp_sync.transport.stream import Stream
from ocpp_sync.transport.tls_stream import TlsStream

from .pki import pki
from .support import TIMEOUT, in_thread
from .test_stream import KERNEL, MUCH, SOON, Polling, exactly_from, fill, polling, reset, soon
from .test_tls import only

__all__ = ["polling"]

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
BIG = 200_000
ENOUGH = 32 * 1024
"""So many unsent bytes make a writer wait."""

LONG = 300.0
"""Seconds for what is much work, on a machine that has more to do."""

Ends = tuple[TlsStream, TlsStream]


@functools.cache
def contexts(version: ssl.TLSVersion) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    files = pki().server()
    return only(client_context(cafile=pki().ca), version), only(server_context(files.cert, files.key), version)


def tcp() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL)
        pair = (socket.create_connection(listening.getsockname(), TIMEOUT), listening.accept()[0])
    for end in pair:
        end.settimeout(TIMEOUT)
        for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            end.setsockopt(socket.SOL_SOCKET, buffer, KERNEL)
    return pair


def secured(version: ssl.TLSVersion) -> tuple[ssl.SSLSocket, ssl.SSLSocket]:
    """The client's and the server's end, after the handshake."""
    left, right = tcp()
    client, server = contexts(version)
    serving = in_thread(server.wrap_socket, right, server_side=True)
    return client.wrap_socket(left, server_hostname="127.0.0.1"), serving.result()


def connect(version: ssl.TLSVersion) -> Ends:
    client, server = secured(version)
    return TlsStream(client), TlsStream(server)


def close(*streams: Stream) -> None:
    for stream in streams:
        stream.close()


@pytest.fixture(params=VERSIONS, ids=lambda version: version.name)
def version(request: pytest.FixtureRequest) -> ssl.TLSVersion:
    found: ssl.TLSVersion = request.param
    return found


@pytest.fixture(params=["client", "server"])
def ends(request: pytest.FixtureRequest, version: ssl.TLSVersion) -> Iterator[Ends]:
    """Two streams; the first is the client's, then the server's."""
    pair = connect(version)
    yield pair if request.param == "client" else pair[::-1]
    close(*pair)


@pytest.fixture
def stream(ends: Ends) -> TlsStream:
    return ends[0]


@pytest.fixture
def peer(ends: Ends) -> TlsStream:
    return ends[1]


# --- Reading and writing at once


def messages(seed: int, count: int, big: int) -> Iterator[bytes]:
    """Always the same for a seed; one of fifty has ``big`` bytes."""
    made = random.Random(seed)
    for number in range(count):
        yield made.randbytes(big if number % 50 == 49 else made.randrange(1, 400))


def exchange(ends: Ends, count: int, big: int = BIG) -> None:
    """Both ends write and read ``count`` messages at once, on four threads."""

    def write(stream: Stream, seed: int) -> None:
        for message in messages(seed, count, big):
            assert stream.drain(time.monotonic() + LONG, below=ENOUGH)
            assert stream.send(message) == len(message)
        assert stream.drain(time.monotonic() + LONG)

    def read(stream: Stream, seed: int) -> None:
        for number, message in enumerate(messages(seed, count, big)):
            assert exactly_from(stream, len(message)) == message, f"message {number} is another one"

    def run(job: Callable[[Stream, int], None], stream: Stream, seed: int) -> None:
        try:
            job(stream, seed)
        except BaseException:
            for end in ends:
                end.shutdown()  # the others would wait
            raise

    left, right = ends
    jobs = [in_thread(run, *job) for job in ((read, left, 1), (write, left, 2), (read, right, 2), (write, right, 1))]
    for job in jobs:
        job.result(LONG)


@pytest.mark.parametrize("count", [1_000, pytest.param(20_000, marks=[pytest.mark.nightly, pytest.mark.timeout(2 * LONG)])])
def test_two_threads_write_while_two_read(version: ssl.TLSVersion, count: int) -> None:
    ends = connect(version)
    try:
        exchange(ends, count)
    finally:
        close(*ends)


@pytest.mark.parametrize("count", [200, pytest.param(1_000, marks=[pytest.mark.nightly, pytest.mark.timeout(2 * LONG)])])
def test_fresh_connections_whose_first_messages_cross(version: ssl.TLSVersion, count: int) -> None:
    for number in range(count):
        ends = connect(version)
        try:
            exchange(ends, 2)
            ends[number % 2].close()
            assert ends[1 - number % 2].recv(1) == b""
        finally:
            close(*ends)


def stress() -> None:
    """What a subprocess with all warnings runs."""
    for version in VERSIONS:
        for number in range(20):
            ends = connect(version)
            exchange(ends, 100)
            close(*ends[:: 1 if number % 2 else -1])


CHILD = """
import gc, sys, warnings
from tests import test_tls_stream
print("begin", file=sys.stderr)
warnings.simplefilter("error")
test_tls_stream.stress()
gc.collect()
print("done")
"""


def test_no_warning_in_development_mode() -> None:
    root = Path(__file__).parent.parent
    paths = [str(root), *(path for path in sys.path if path)]
    environment = {**os.environ, "PYTHONDEVMODE": "1", "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-c", CHILD]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
    assert done.stderr.partition("begin\n")[2] == ""  # before it, others may have warned


# --- What is there already is read


def test_many_records_in_one_segment_are_all_read_before_waiting(stream: Stream, peer: TlsStream) -> None:
    peer._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    for number in range(300):
        peer.send(b"%05d" % number)
    peer._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)  # all at once, and then silence
    stream.deadline = time.monotonic() + TIMEOUT
    assert exactly_from(stream, 1500) == b"".join(b"%05d" % number for number in range(300))


def test_many_records_in_one_segment_wake_a_reader_that_waits(stream: Stream, peer: TlsStream, polling: Polling) -> None:
    reader = in_thread(exactly_from, stream, 1500)
    polling.wait_for(select.POLLIN)
    peer._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    for number in range(300):
        peer.send(b"%05d" % number)
    peer._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
    assert reader.result() == b"".join(b"%05d" % number for number in range(300))


def test_what_came_along_with_the_end_of_the_handshake_is_read() -> None:
    client_side, server_side = contexts(ssl.TLSVersion.TLSv1_3)
    left, right = tcp()
    with left:
        serving = in_thread(server_side.wrap_socket, right, server_side=True)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = client_side.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                left.sendall(outgoing.read())
                incoming.write(left.recv(1 << 16))
        for word in (b"one ", b"two ", b"three"):
            client.write(word)
        left.sendall(outgoing.read())  # the handshake's last message is in it, too
        stream = TlsStream(serving.result())
        stream.deadline = time.monotonic() + TIMEOUT
        assert exactly_from(stream, 13) == b"one two three"
        stream.close()


def test_a_line_and_what_follows_it_may_be_one_record(stream: Stream, peer: Stream) -> None:
    peer.send(b"GET / HTTP/1.1\r\nrest")
    assert stream.readline(1000) == b"GET / HTTP/1.1\r\n"
    assert exactly_from(stream, 4) == b"rest"


def test_a_deadline_ends_a_read_that_waits(stream: Stream) -> None:
    stream.deadline = soon()
    with pytest.raises(TimeoutError):
        stream.recv(1)


# --- A peer that does not read


def test_send_never_waits_and_all_arrives_once_the_peer_reads(stream: Stream, peer: Stream) -> None:
    body = random.Random(1).randbytes(MUCH)
    stream.send(body)
    assert len(stream._unsent) > MUCH // 2
    assert not stream.drain(soon())
    assert not stream.flushed
    draining = in_thread(stream.drain)
    assert exactly_from(peer, MUCH) == body
    assert draining.result() is True
    assert stream.flushed


def test_what_is_sent_while_a_record_is_half_out_follows_in_order(stream: Stream, peer: Stream) -> None:
    bodies = [random.Random(number).randbytes(1 + 997 * number) for number in range(100)]
    stream.send(b"x" * MUCH)
    for body in bodies:
        stream.send(body)
    draining = in_thread(stream.drain)
    assert exactly_from(peer, MUCH) == b"x" * MUCH
    assert exactly_from(peer, sum(map(len, bodies))) == b"".join(bodies)
    draining.result()


def test_a_reader_sends_what_is_unsent(stream: Stream, peer: Stream) -> None:
    size = fill(stream)
    reader = in_thread(stream.recv, 10)
    assert exactly_from(peer, size) == b"x" * size
    peer.send(b"thanks")
    assert reader.result() == b"thanks"


def test_a_reader_gets_what_comes_while_the_peer_does_not_read(stream: Stream, peer: Stream) -> None:
    fill(stream)
    for word in (b"one", b"two"):
        peer.send(word)
        assert exactly_from(stream, 3) == word


def test_a_peer_that_takes_nothing_for_too_long_is_dead(version: ssl.TLSVersion) -> None:
    client, server = secured(version)
    stream = TlsStream(client, stall_timeout=SOON)
    try:
        fill(stream)
        reader = in_thread(stream.recv, 1)
        with pytest.raises(OSError):
            in_thread(stream.drain).result()
        with pytest.raises(OSError):
            stream.send(b"more")
        assert ended(reader)
    finally:
        server.close()
        stream.close()


# --- The end, at any moment


def ended(reading: Any) -> bool:
    try:
        return bool(reading.result() == b"")
    except OSError as error:
        return not isinstance(error, TimeoutError) or "taken nothing" in str(error)


@pytest.mark.parametrize("how", ["close", "shutdown"])
def test_both_ends_of_a_silent_connection_come_back_when_one_ends_it(ends: Ends, polling: Polling, how: str) -> None:
    stream, peer = ends
    readers = in_thread(stream.recv, 1), in_thread(peer.recv, 1)
    for _ in readers:
        polling.wait_for(select.POLLIN)
    getattr(stream, how)()
    assert [reader.result() for reader in readers] == [b"", b""]
    assert stream.flushed
    if how == "close":
        with pytest.raises(ConnectionResetError):
            stream.send(b"late")
    else:
        with pytest.raises(OSError):
            stream.send(b"late")


def test_both_sides_may_end_it_at_once(version: ssl.TLSVersion) -> None:
    for _ in range(50):
        ends = connect(version)
        readers = [in_thread(end.recv, 1) for end in ends]
        for closing in [in_thread(end.close) for end in ends]:
            closing.result()
        assert all(ended(reader) for reader in readers)


@pytest.mark.parametrize("which", ["own", "other"])
def test_an_end_while_a_writer_drains(ends: Ends, polling: Polling, which: str) -> None:
    stream, peer = ends
    fill(stream)
    draining = in_thread(stream.drain)
    polling.wait_for(select.POLLOUT)
    (stream if which == "own" else peer).close()
    with pytest.raises(OSError):
        draining.result()
    with pytest.raises(OSError):
        stream.send(b"more")


@pytest.mark.parametrize("which", ["own", "other"])
def test_an_end_at_any_moment_of_much_traffic(version: ssl.TLSVersion, which: str) -> None:
    def write(stream: Stream) -> None:
        try:
            while True:
                stream.send(b"y" * 3000)
                stream.drain(below=ENOUGH)
        except OSError:
            pass

    def read(stream: Stream) -> None:
        try:
            while stream.recv(5000):
                pass
        except OSError:
            pass

    for number in range(30):
        ends = connect(version)
        threads = [in_thread(job, end) for end in ends for job in (read, write)]
        for _ in range(number):
            ends[1].send(b"z")
        ends[which == "own"].close()
        for thread in threads:
            thread.result()
        close(*ends)


def test_a_reset_ends_a_reader_and_a_writer(version: ssl.TLSVersion) -> None:
    client, server = secured(version)
    stream = TlsStream(client)
    fill(stream)
    reading, draining = in_thread(stream.recv, 1), in_thread(stream.drain)
    reset(server)
    assert ended(reading)
    with pytest.raises(OSError):
        draining.result()
    stream.close()


def test_an_end_without_a_word_of_tls_is_an_end(version: ssl.TLSVersion) -> None:
    client, server = secured(version)
    stream = TlsStream(client)
    reading = in_thread(stream.recv, 1)
    server.sendall(b"x")
    assert reading.result() == b"x"
    reading = in_thread(stream.recv, 1)
    socket.socket.shutdown(server, socket.SHUT_WR)
    assert reading.result() == b""
    server.close()
    stream.close()


def test_what_was_sent_before_the_end_arrives(stream: Stream, peer: Stream) -> None:
    stream.send(b"last words")
    stream.close()
    assert exactly_from(peer, 10) == b"last words"
    assert peer.recv(1) == b""


# --- Lingering


def rest(stream: Stream) -> bytes:
    data = bytearray()
    while chunk := stream.recv(1 << 16):
        data += chunk
    return bytes(data)


def linger_and_close(stream: Stream) -> None:
    stream.linger(TIMEOUT)
    stream.close()


def test_linger_keeps_the_last_words_although_the_peer_has_sent_more(stream: Stream, peer: Stream) -> None:
    for _ in range(100):
        peer.send(b"unread" * 100)
    stream.send(b"last words")
    lingering = in_thread(linger_and_close, stream)
    assert rest(peer) == b"last words"
    for _ in range(20):
        peer.send(b"more" * 100)  # has not been reset
    assert peer.drain(time.monotonic() + TIMEOUT)
    assert lingering.thread.is_alive()  # until the peer ends it, too
    peer.close()
    lingering.result()


def test_linger_has_an_end_when_the_peer_is_silent(stream: Stream) -> None:
    in_thread(stream.linger, SOON).result()


def test_linger_has_an_end_when_the_peer_does_not_read(stream: Stream) -> None:
    fill(stream)
    in_thread(stream.linger, SOON).result()


# --- What a stream tells


def test_the_session_of_a_stream_that_was_read_can_be_resumed(version: ssl.TLSVersion) -> None:
    client_side, server_side = contexts(version)
    client, server = connect(version)
    server.send(b"x")
    assert exactly_from(client, 1) == b"x"
    session = client.session
    assert session is not None
    close(client, server)
    left, right = tcp()
    serving = in_thread(server_side.wrap_socket, right, server_side=True)
    resumed = client_side.wrap_socket(left, server_hostname="127.0.0.1", session=session)
    assert resumed.session_reused
    resumed.close()
    serving.result().close()


def test_the_certificate_that_was_verified(version: ssl.TLSVersion) -> None:
    client, server = connect(version)
    assert client.peer_certificate is not None
    assert ("IP Address", "127.0.0.1") in client.peer_certificate["subjectAltName"]
    assert server.peer_certificate is None
    close(client, server)
