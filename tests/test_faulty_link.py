"""The TCP proxy with faults: what each fault does to real sockets, and that the same seed does the same."""

from __future__ import annotations

import errno
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from ocpp_sync import CallTimeout, ConnectionClosed, HandshakeError, OcppClient, OcppServer
from ocpp_sync.testing import FaultyLink, LinkStep

from .pki import pki
from .support import TIMEOUT, Collector, in_thread

MEGABYTE = bytes(range(256)) * 4096


class Bench:
    """A link between plain sockets: those of clients, and those that its target has accepted."""

    def __init__(self, stack: ExitStack, **options: int) -> None:
        self._stack = stack
        self.listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.listener.settimeout(TIMEOUT)
        self.link = stack.enter_context(FaultyLink(self.listener.getsockname()[1], **options))

    def connect(self) -> socket.socket:
        """A client that has connected to the link."""
        return self._stack.enter_context(socket.create_connection(("127.0.0.1", self.link.port), TIMEOUT))

    def accept(self) -> socket.socket:
        """What the target gets."""
        accepted = self._stack.enter_context(self.listener.accept()[0])
        accepted.settimeout(TIMEOUT)
        return accepted

    def pair(self) -> tuple[socket.socket, socket.socket]:
        """A client, and its counterpart."""
        return self.connect(), self.accept()


@pytest.fixture
def make_bench() -> Iterator[Callable[..., Bench]]:
    with ExitStack() as stack:
        yield lambda **options: Bench(stack, **options)


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()


def read(sock: socket.socket, size: int) -> bytes:
    """So many bytes, or all until the end."""
    data = bytearray()
    while len(data) < size and (chunk := sock.recv(size - len(data))):
        data += chunk
    return bytes(data)


def fill(sock: socket.socket) -> bytes:
    """Send until the socket takes no more; returns what it has taken."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
    sock.setblocking(False)
    sent = bytearray()
    while True:
        try:
            sent += MEGABYTE[: sock.send(MEGABYTE)]
        except BlockingIOError:
            break
        assert len(sent) < 64 * len(MEGABYTE), "somebody still reads"
    sock.settimeout(TIMEOUT)
    return bytes(sent)


def is_reset(sock: socket.socket) -> bool:
    """Whether the connection ends with a reset, and nothing before it."""
    try:
        return not sock.recv(1) and False
    except ConnectionResetError:
        return True


# --- Without a fault


def test_bytes_pass_both_ways_and_are_counted(bench: Bench) -> None:
    client, target = bench.pair()
    sending = in_thread(client.sendall, MEGABYTE)
    assert read(target, len(MEGABYTE)) == MEGABYTE
    sending.result()
    target.sendall(b"answer")
    assert read(client, 6) == b"answer"
    bench.link.wait_until(lambda link: link.bytes_down == 6)
    assert (bench.link.bytes_up, bench.link.connections, bench.link.open_connections) == (len(MEGABYTE), 1, 1)


def test_an_end_passes_and_the_other_direction_goes_on(bench: Bench) -> None:
    client, target = bench.pair()
    client.sendall(b"last")
    client.shutdown(socket.SHUT_WR)
    assert read(target, 100) == b"last"
    target.sendall(b"answer")
    target.close()
    assert read(client, 100) == b"answer"
    bench.link.wait_until(lambda link: link.open_connections == 0)


@pytest.mark.parametrize("which", ["client", "target"])
def test_a_reset_of_one_end_resets_the_other(bench: Bench, which: str) -> None:
    ends = dict(zip(("client", "target"), bench.pair(), strict=True))
    ends[which].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    ends.pop(which).close()
    assert is_reset(ends.popitem()[1])


def test_a_target_that_is_down_resets_the_client_and_may_come_back() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        link = FaultyLink(port)
    with link:
        with pytest.raises(ConnectionResetError), socket.create_connection(("127.0.0.1", link.port), TIMEOUT) as client:
            client.recv(1)
        with socket.create_server(("127.0.0.1", port)) as listener, socket.create_connection(("127.0.0.1", link.port), TIMEOUT) as client:
            listener.settimeout(TIMEOUT)
            with listener.accept()[0] as target:
                client.sendall(b"x")
                assert read(target, 1) == b"x"


def test_one_thread_serves_all_connections(bench: Bench) -> None:
    threads = threading.active_count()
    pairs = [bench.pair() for _ in range(50)]
    for number, (client, _) in enumerate(pairs):
        client.sendall(bytes([number]))
    assert [read(target, 1) for _, target in pairs] == [bytes([number]) for number in range(50)]
    assert threading.active_count() == threads
    assert (bench.link.connections, bench.link.open_connections) == (50, 50)


@pytest.mark.parametrize(
    ("target", "url"),
    [
        (9220, "ws://127.0.0.1:{}"),
        (("127.0.0.1", 9220), "ws://127.0.0.1:{}"),
        ("ws://127.0.0.1:9220", "ws://127.0.0.1:{}"),
        ("wss://localhost/ocpp/a%20b?c=d", "wss://localhost:{}/ocpp/a%20b?c=d"),
    ],
)
def test_the_url_is_the_targets_but_for_host_and_port(target: int | str | tuple[str, int], url: str) -> None:
    with FaultyLink(target) as link:
        assert link.url == url.format(link.port)


@pytest.mark.parametrize("target", ["127.0.0.1:9220", "http://127.0.0.1", "ws://"])
def test_what_is_no_target_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match="a target is"):
        FaultyLink(target)


def test_a_taken_port_is_refused(bench: Bench) -> None:
    with pytest.raises(OSError) as raised:
        FaultyLink(9220, port=bench.listener.getsockname()[1])
    assert raised.value.errno == errno.EADDRINUSE


# --- Faults


def test_cut_is_a_proper_end_for_both_even_with_bytes_unread(bench: Bench) -> None:
    client, target = bench.pair()
    bench.link.stall()
    client.sendall(b"lost")
    target.sendall(b"lost")
    bench.link.cut()
    assert bench.link.open_connections == 0
    assert (client.recv(1), target.recv(1)) == (b"", b"")
    client.sendall(b"into nothing")  # the other side learns it late; that is no reset either
    bench.link.wait_until(lambda link: link.bytes_swallowed == 20)
    assert client.recv(1) == b""


def test_reset_resets_both(bench: Bench) -> None:
    client, target = bench.pair()
    bench.link.reset()
    assert is_reset(client)
    assert is_reset(target)


def test_refuse_is_as_if_nobody_listened_and_leaves_open_connections_alone(bench: Bench) -> None:
    client, target = bench.pair()
    bench.link.refuse()
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            bench.connect()
    client.sendall(b"x")
    assert read(target, 1) == b"x"
    bench.link.heal()
    client, target = bench.pair()
    client.sendall(b"y")
    assert read(target, 1) == b"y"
    assert bench.link.connections == 2


def test_a_stall_slows_the_sender_down_and_loses_nothing(bench: Bench) -> None:
    client, target = bench.pair()
    bench.link.stall("up")
    sent = fill(client)
    target.sendall(b"the other direction")
    assert read(client, 19) == b"the other direction"
    assert bench.link.bytes_up == 0
    bench.link.heal()
    assert read(target, len(sent)) == sent


def test_a_stall_holds_for_new_connections(bench: Bench) -> None:
    bench.link.stall()
    client, target = bench.pair()
    sent = fill(client)
    bench.link.heal()
    assert read(target, len(sent)) == sent


def test_half_open_swallows_all_and_looks_alive(bench: Bench) -> None:
    client, target = bench.pair()
    bench.link.half_open()
    in_thread(client.sendall, MEGABYTE).result()
    target.sendall(b"lost")
    bench.link.wait_until(lambda link: link.bytes_swallowed == len(MEGABYTE) + 4)
    assert bench.link.open_connections == 1
    assert (bench.link.bytes_up, bench.link.bytes_down) == (0, 0)
    bench.link.reset()
    assert is_reset(client)  # nothing before it
    assert is_reset(target)


def test_half_open_does_not_let_new_connections_through_and_heals_for_newer_ones(bench: Bench) -> None:
    old, old_target = bench.pair()
    bench.link.half_open()
    new = bench.connect()
    new.sendall(b"lost")
    bench.link.wait_until(lambda link: link.bytes_swallowed == 4)
    bench.link.heal()
    newer, newer_target = bench.pair()  # had the one before come through, it would be this one
    newer.sendall(b"x")
    assert read(newer_target, 1) == b"x"
    old.sendall(b"still lost")
    bench.link.wait_until(lambda link: link.bytes_swallowed == 14)
    old_target.setblocking(False)
    with pytest.raises(BlockingIOError):
        old_target.recv(1)


def test_a_half_open_connection_is_forgotten_when_both_ends_have_given_it_up(bench: Bench) -> None:
    client, target = bench.pair()
    bench.link.half_open()
    client.close()
    target.setblocking(False)
    with pytest.raises(BlockingIOError):
        target.recv(1)
    target.close()
    bench.link.wait_until(lambda link: link.open_connections == 0)


def test_a_delay_delays(bench: Bench) -> None:
    client, target = bench.pair()
    bench.link.delay(0.05, "up")
    started = time.monotonic()
    client.sendall(b"x")
    assert read(target, 1) == b"x"
    assert time.monotonic() - started >= 0.05


def test_nothing_overtakes_when_a_delay_becomes_shorter(bench: Bench) -> None:
    client, target = bench.pair()
    for number in range(20):
        bench.link.delay((20 - number) / 500)
        client.sendall(bytes([number]))
    assert read(target, 20) == bytes(range(20))


def test_what_is_delayed_goes_on_at_once_when_healed(bench: Bench) -> None:
    client, target = bench.pair()
    bench.link.delay(10_000)
    client.sendall(b"slow")
    client.shutdown(socket.SHUT_WR)
    bench.link.delay(0, "down")
    target.sendall(b"quick")  # when this has passed, the other has been read
    assert read(client, 5) == b"quick"
    bench.link.heal()
    assert read(target, 10) == b"slow"


def test_a_throttle_is_as_slow_as_it_says(bench: Bench) -> None:
    client, target = bench.pair()
    bench.link.throttle(100_000, "up")
    data, started = MEGABYTE[:30_000], time.monotonic()
    client.sendall(data)
    assert read(target, len(data)) == data
    assert time.monotonic() - started >= 0.25 * 0.95  # the first 0.05 s' worth of them, go at once


@pytest.mark.parametrize("size", [1, 7])
def test_split_makes_segments_of_that_size(bench: Bench, size: int) -> None:
    client, target = bench.pair()
    bench.link.split(size)
    client.sendall(MEGABYTE[:700])
    assert read(target, 700) == MEGABYTE[:700]
    assert segments(target) >= 700 // size


def segments(sock: socket.socket) -> int:
    """How many segments with data have come: ``tcpi_data_segs_in`` of Linux."""
    told = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 160)
    if len(told) < 156:
        pytest.skip("qemu-user tells nothing of segments")
    return int(struct.unpack_from("I", told, 152)[0])


def test_without_split_there_are_few_segments(bench: Bench) -> None:
    client, target = bench.pair()
    client.sendall(MEGABYTE[:700])
    assert read(target, 700) == MEGABYTE[:700]
    assert segments(target) == 1


def damaged(make_bench: Callable[..., Bench], seed: int, rate: float, *sizes: int) -> bytes:
    """What becomes of zeros, sent in parts of these sizes."""
    bench = make_bench(seed=seed)
    client, target = bench.pair()
    bench.link.corrupt(rate, "up")
    result = bytearray()
    for size in sizes:
        client.sendall(bytes(size))
        result += read(target, size)
    target.sendall(bytes(1000))
    assert read(client, 1000) == bytes(1000)  # the other direction
    bench.link.heal()
    client.sendall(bytes(1000))
    assert read(target, 1000) == bytes(1000)
    return bytes(result)


def test_corruption_is_the_same_for_the_same_seed_however_the_bytes_come(make_bench: Callable[..., Bench]) -> None:
    result = damaged(make_bench, 1, 0.01, 10_000)
    assert 20 < sum(map(bool, result)) < 500
    assert damaged(make_bench, 1, 0.01, 1, 499, 9000, 500) == result
    assert damaged(make_bench, 2, 0.01, 10_000) != result


def test_corruption_flips_one_bit_of_each_byte_at_most(make_bench: Callable[..., Bench]) -> None:
    result = damaged(make_bench, 1, 1.0, 1000)
    assert {byte.bit_count() for byte in result} == {1}
    assert len(set(result)) == 8


def test_faults_of_one_direction_leave_the_other_alone(bench: Bench) -> None:
    client, target = bench.pair()
    bench.link.corrupt(1, "down")
    bench.link.delay(10_000, "down")
    client.sendall(b"clean")
    assert read(target, 5) == b"clean"


@pytest.mark.parametrize(
    "fault",
    [
        lambda link: link.delay(-1),
        lambda link: link.throttle(0),
        lambda link: link.split(0),
        lambda link: link.corrupt(1.5),
        lambda link: link.corrupt(float("nan")),
        lambda link: link.stall("sideways"),
    ],
)
def test_what_is_no_fault_is_refused(bench: Bench, fault: Callable[[FaultyLink], None]) -> None:
    with pytest.raises(ValueError):
        fault(bench.link)


def test_faults_from_many_threads_change_nothing_of_what_is_said(bench: Bench) -> None:
    client, target = bench.pair()
    over = threading.Event()

    def disturb(direction: str) -> None:
        while not over.is_set():
            bench.link.split(1000, "up")
            bench.link.delay(0.001, "up")
            bench.link.stall("up")
            bench.link.heal()

    disturbing = [in_thread(disturb, "up") for _ in range(3)]
    sending = in_thread(client.sendall, MEGABYTE)
    assert read(target, len(MEGABYTE)) == MEGABYTE
    sending.result()
    over.set()
    for each in disturbing:
        each.result()


# --- Scripts


def test_a_step_comes_after_exactly_so_many_bytes_however_they_come(bench: Bench) -> None:
    for size in (1, 100, 1000):
        client, target = bench.pair()
        bench.link.play([LinkStep(FaultyLink.cut, bytes=137, direction="up")])
        target.sendall(b"does not count")
        assert read(client, 14) == b"does not count"
        for start in range(0, 1000, size):
            try:
                client.sendall(MEGABYTE[start : start + size])
            except OSError:
                break
        assert read(target, 1000) == MEGABYTE[:137]
        bench.link.wait_played()


def test_bytes_of_both_directions_count_together(bench: Bench) -> None:
    client, target = bench.pair()
    bench.link.play([LinkStep(FaultyLink.cut, bytes=10)])
    client.sendall(b"123456")
    assert read(target, 6) == b"123456"
    target.sendall(b"123456")
    assert read(client, 6) == b"1234"


def test_each_step_is_counted_from_the_one_before(bench: Bench) -> None:
    seen: list[tuple[str, int]] = []

    def note(name: str) -> Callable[[FaultyLink], None]:
        return lambda link: seen.append((name, link.bytes_up))

    client, target = bench.pair()
    bench.link.play([LinkStep(note("a"), bytes=3), LinkStep(note("b")), LinkStep(note("c"), bytes=4)])
    client.sendall(bytes(10))
    assert read(target, 10) == bytes(10)
    bench.link.wait_played()
    assert seen == [("a", 3), ("b", 3), ("c", 7)]


def test_a_step_may_wait_for_connections(bench: Bench) -> None:
    bench.link.play([LinkStep(FaultyLink.refuse, connections=2)])
    bench.pair()
    bench.pair()
    bench.link.wait_for_connection(2)
    bench.link.wait_played()
    with pytest.raises(ConnectionRefusedError):
        bench.connect()


def test_a_step_may_wait_for_time(bench: Bench) -> None:
    started = time.monotonic()
    bench.link.play([LinkStep(FaultyLink.stall), LinkStep(FaultyLink.heal, seconds=0.05)])
    client, target = bench.pair()
    client.sendall(b"x")
    assert read(target, 1) == b"x"
    assert time.monotonic() - started >= 0.05
    bench.link.wait_played()


def test_a_step_may_wait_for_a_function(bench: Bench) -> None:
    ready = threading.Event()
    client, target = bench.pair()
    bench.link.play([LinkStep(FaultyLink.cut, bytes=1, when=ready.is_set)])
    client.sendall(b"123")
    assert read(target, 3) == b"123"
    with pytest.raises(TimeoutError, match=r"1 steps have not been taken; next: .*cut"):
        bench.link.wait_played(timeout=0)
    ready.set()
    client.sendall(b"4")
    assert target.recv(1) == b""


def test_a_new_script_replaces_the_old_one_also_from_within_it(bench: Bench) -> None:
    seen = Collector()
    bench.link.play([LinkStep(FaultyLink.refuse, bytes=1)])
    bench.link.play([LinkStep(lambda link: link.play([LinkStep(lambda _: seen("new"))])), LinkStep(lambda _: seen("old"))])
    bench.link.wait_played()
    assert seen.next() == ("new",)
    assert seen.calls.empty()
    bench.pair()


def test_a_script_that_fails_says_so(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: FaultyLink) -> None:
        raise LookupError("of the test")

    bench.link.play([LinkStep(fail), LinkStep(FaultyLink.refuse)])
    with pytest.raises(LookupError, match="of the test"):
        bench.link.wait_played()
    assert "the script of" in caplog.text
    bench.pair()
    bench.link.play([])
    bench.link.wait_played()


def test_the_same_seed_makes_the_same_random_steps() -> None:
    def steps(seed: int) -> list[tuple[object, ...]]:
        with FaultyLink(9, seed=seed) as link:
            return [(step.bytes, step.direction, step.seconds) for step in link.random_steps(50, within=100)]

    assert steps(1) == steps(1)
    assert steps(1) != steps(2)
    assert max(amount for amount, *_ in steps(1) if isinstance(amount, int)) <= 100


def test_after_random_faults_all_is_well(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(seed=7)
    over = threading.Event()

    def echo() -> None:
        while not over.is_set():
            with bench.listener.accept()[0] as target:
                target.settimeout(1)
                try:
                    while data := target.recv(1000):
                        target.sendall(data)
                except OSError:
                    pass

    echoing = in_thread(echo)
    bench.link.play(bench.link.random_steps(20, within=500))
    while True:
        try:
            with socket.create_connection(("127.0.0.1", bench.link.port), 1) as client:
                client.settimeout(1)
                while True:
                    client.sendall(MEGABYTE[:200])
                    data = read(client, 200)
                    assert data == MEGABYTE[: len(data)]
                    if not data:
                        break
                    try:
                        bench.link.wait_played(timeout=0)
                    except TimeoutError:
                        continue
                    if data == MEGABYTE[:200]:
                        over.set()
                        break
        except OSError:
            pass
        if over.is_set():
            break
    echoing.result()


# --- Waiting and ending


def test_waiting_ends_with_what_has_come_instead(bench: Bench) -> None:
    bench.pair()
    bench.link.wait_for_connection()
    with pytest.raises(TimeoutError, match="1 of 2 connections were made"):
        bench.link.wait_for_connection(2, timeout=0)
    with pytest.raises(TimeoutError, match="1 open, 0 bytes up"):
        bench.link.wait_until(lambda link: link.bytes_up > 0, timeout=0)


def test_close_ends_all_and_sets_the_port_free(bench: Bench) -> None:
    client, target = bench.pair()
    bench.link.close()
    bench.link.close()
    assert (client.recv(1), target.recv(1)) == (b"", b"")
    with pytest.raises(ConnectionRefusedError):
        bench.connect()
    with pytest.raises(RuntimeError, match="closed"):
        bench.link.heal()
    with FaultyLink(9, port=bench.link.port):
        pass


def test_close_may_come_from_a_script(bench: Bench) -> None:
    client, _ = bench.pair()
    bench.link.play([LinkStep(FaultyLink.close)])
    assert client.recv(1) == b""


# --- With both ends of the library


def test_a_client_sees_a_cut_at_once(server: OcppServer, make_client: Callable[..., OcppClient]) -> None:
    closed, release = Collector(), threading.Event()
    server.on("Heartbeat", lambda *_: release.wait(TIMEOUT) and None)
    with FaultyLink(server.url) as link:
        client = make_client(link.url)
        client.on("close", closed)
        calling = in_thread(client.call, "Heartbeat")
        link.wait_until(lambda link: link.bytes_up > 200)
        link.cut()
        with pytest.raises(ConnectionClosed):
            calling.result()
        assert closed.next()[0] == 1006
        release.set()


def test_a_half_open_link_looks_alive_to_a_client(server: OcppServer, make_client: Callable[..., OcppClient]) -> None:
    with FaultyLink(server.url) as link:
        client = make_client(link.url)
        link.half_open()
        with pytest.raises(CallTimeout) as raised:
            client.call("Heartbeat", timeout=0.05)
        assert raised.value.sent
        assert client.connected
        link.reset()


def test_tls_goes_through_byte_by_byte(make_server: Callable[..., OcppServer], make_client: Callable[..., OcppClient]) -> None:
    server = make_server(listen=False)
    server.on("DataTransfer", lambda _, request: {"status": "Accepted", "data": request["data"]})
    files = pki().server()
    server.listen(0, "127.0.0.1", certfile=files.cert, keyfile=files.key)
    with FaultyLink(server.url) as link:
        assert link.url.startswith("wss://")
        link.split(1)
        client = make_client(link.url, cafile=pki().ca)
        assert client.call("DataTransfer", {"vendorId": "x", "data": "ä" * 1000})["data"] == "ä" * 1000
        client.close()
        link.corrupt(0.05)
        with pytest.raises(HandshakeError):
            make_client(link.url, cafile=pki().ca)


def test_what_fails_in_the_thread_of_the_link_is_raised_here(make_bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch) -> None:
    bench = make_bench()
    bench.link.refuse()

    def fail(*arguments: object, **options: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(socket, "create_server", fail)
        with pytest.raises(OSError, match="Too many"):
            bench.link.heal()
    bench.link.heal()
    bench.pair()
