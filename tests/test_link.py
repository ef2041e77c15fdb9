"""Both ends of a link, on websocket-client and on simple-websocket, against a peer whose every byte is decided here."""

from __future__ import annotations

import logging
import queue
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from ocpp_sync.errors import ConnectionClosed
from ocpp_sync.transport import link as link_module
from ocpp_sync.transport.client import open_link
from ocpp_sync.transport.dial import Route
from ocpp_sync.transport.link import Closed, Link
from ocpp_sync.transport.server import accept_link
from ocpp_sync.transport.stream import Stream

from .support import TIMEOUT, Future, in_thread
from .wire import BINARY, CLOSE, CONTINUATION, PING, PONG, RSV1, TEXT, Wire, close_payload, header

VERSION = "2.0.1"
LIMIT = 1000
KERNEL = 128 * 1024
"""Size of each of the kernel's buffers."""

MUCH = 4 * 1024 * 1024
"""More than the kernel takes for a peer that does not read."""

SOON = 0.05


class Ends:
    """A link of ours, whose reader runs, and its peer.

    Attributes:
        side: ``"client"`` or ``"server"``: what our end is.
    """

    def __init__(self, side: str, link: Link, peer: Wire) -> None:
        self.side = side
        self.link = link
        self.peer = peer
        self.stream = link.stream
        self.texts: queue.Queue[str] = queue.Queue()
        self._reader: Future | None = None

    def read(self, receive: Callable[[str], Any] | None = None) -> None:
        """Start the reader; without a function, into ``texts``."""
        self._reader = in_thread(self.link.run, receive or self.texts.put)

    def text(self) -> str:
        """The next text that came."""
        return self.texts.get(timeout=TIMEOUT)

    @property
    def closed(self) -> Closed:
        """How it ended, once it has."""
        assert self._reader is not None
        closed = self._reader.result()
        assert isinstance(closed, Closed)
        return closed

    def end(self) -> None:
        self.link.abort()
        self.peer.close()
        if self._reader is not None:
            self._reader.result()
        self.stream.close()


@pytest.fixture(params=["client", "server"])
def side(request: pytest.FixtureRequest) -> str:
    """What our end is."""
    side: str = request.param
    return side


def open_ends(side: str, limit: int = LIMIT) -> Ends:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        shrink(listening)
        host, port = listening.getsockname()
        if side == "client":
            options: dict[str, Any] = {
                "subprotocols": [f"ocpp{VERSION}"],
                "headers": {},
                "tls": None,
                "route": Route(),
                "deadline": time.monotonic() + TIMEOUT,
            }
            opened = in_thread(open_link, f"ws://{host}:{port}/CP1", **options, max_message_size=limit, opening=shrink)
            peer = Wire(listening.accept()[0], masks=False).accept(VERSION)
            return Ends(side, opened.result()[0], peer)
        peer = Wire(socket.create_connection((host, port)), masks=True)
        shrink(peer.socket)
        environ = {"HTTP_HOST": host, "HTTP_UPGRADE": "websocket", "HTTP_CONNECTION": "Upgrade"}
        environ |= {"HTTP_SEC_WEBSOCKET_KEY": "dGhlIHNhbXBsZSBub25jZQ==", "HTTP_SEC_WEBSOCKET_VERSION": "13"}
        stream = Stream(listening.accept()[0])
        link = accept_link(environ, stream, subprotocol=None, max_message_size=limit, compression=False)
        peer.read_head()
        return Ends(side, link, peer)


def shrink(sock: Any) -> None:
    if not isinstance(sock, socket.socket):
        return  # what else a thread may wait for while it connects
    for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        sock.setsockopt(socket.SOL_SOCKET, buffer, KERNEL)


@pytest.fixture
def ends(side: str) -> Iterator[Ends]:
    """Both ends; the reader of ours does not run yet."""
    ends = open_ends(side)
    yield ends
    ends.end()


@pytest.fixture
def reading(ends: Ends) -> Ends:
    """Both ends; the reader of ours runs."""
    ends.read()
    return ends


# --- Messages


def test_texts_pass_in_both_directions_in_order(reading: Ends) -> None:
    texts = ["", "a", "é" * 100, "€" * 333, "x" * 1000, "😀"]
    for text in texts:
        reading.peer.send(text)
        assert reading.link.send(text)
    assert [reading.text() for _ in texts] == texts
    assert [reading.peer.receive() for _ in texts] == [(TEXT, text.encode()) for text in texts]


def test_fragments_are_joined_and_pings_between_them_are_answered(reading: Ends) -> None:
    reading.peer.send(b"one \xe2", fin=False)
    reading.peer.send(b"ping", PING)
    reading.peer.send(b"\x82", CONTINUATION, fin=False)
    reading.peer.send(b"", CONTINUATION, fin=False)
    reading.peer.send(b"", PONG)
    reading.peer.send(b"\xac", CONTINUATION)
    reading.peer.send("two")
    assert [reading.text(), reading.text()] == ["one €", "two"]
    assert reading.peer.receive() == (PONG, b"ping")


def test_what_comes_byte_by_byte_is_read_as_well(reading: Ends) -> None:
    data = reading.peer.frame("byte by byte") + reading.peer.frame(b"p", PING)
    for byte in data:
        reading.peer.socket.send(bytes([byte]))
    assert reading.text() == "byte by byte"
    assert reading.peer.receive() == (PONG, b"p")


def test_what_came_before_the_reader_is_not_lost(ends: Ends) -> None:
    ends.peer.send("early")
    ends.read()
    assert ends.text() == "early"


def test_messages_of_many_threads_stay_whole(reading: Ends) -> None:
    texts = {f"{writer} {number} " + "x" * 20_000 for writer in range(4) for number in range(50)}
    writers = [in_thread(lambda mine: [reading.link.send(text) for text in mine], sorted(texts)[part::4]) for part in range(4)]
    assert {reading.peer.receive()[1].decode() for _ in texts} == texts
    for writer in writers:
        assert all(writer.result())


def test_post_never_waits_and_send_waits_as_long_as_it_is_told(reading: Ends) -> None:
    in_thread(reading.link.post, "p" * MUCH).result()
    assert reading.link.send("not sent", time.monotonic() + SOON) is False
    assert reading.link.send("nor this", 0) is False
    late = in_thread(reading.link.send, "s")
    assert reading.peer.receive() == (TEXT, b"p" * MUCH)
    assert late.result() is True
    assert reading.peer.receive() == (TEXT, b"s")


def test_two_ends_of_ours_that_write_much_at_once_both_go_on() -> None:
    client, server = ends = [open_ends(side, MUCH) for side in ("client", "server")]
    pumps = [in_thread(pump, client.peer, server.peer), in_thread(pump, server.peer, client.peer)]
    texts = [letter * MUCH for letter in "abc"]
    for end in ends:
        end.read()
    writers = [in_thread(end.link.send, text) for end in ends for text in texts]
    for end in ends:
        assert sorted(end.text() for _ in texts) == texts
    for writer in writers:
        assert writer.result()
    client.link.close(3001)
    for end in ends:
        assert end.closed.code == 3001
    for pumping in pumps:
        pumping.result()
    for end in ends:
        end.end()


def pump(source: Wire, target: Wire) -> None:
    with suppress(OSError):
        while data := source.socket.recv(1 << 16):
            target.socket.sendall(data)
        target.socket.shutdown(socket.SHUT_WR)


# --- Closing


def test_the_peer_closes(reading: Ends) -> None:
    reading.peer.send_close(3001, "Grüße")
    assert reading.peer.receive_close()[0] in (1000, 3001)
    reading.peer.receive_end()
    assert reading.closed == Closed(3001, "Grüße")


def test_this_side_closes(reading: Ends) -> None:
    reading.link.close(3002, "Grüße")
    assert reading.peer.receive_close() == (3002, "Grüße")
    reading.peer.send_close(3002)
    reading.peer.receive_end()
    assert reading.closed == Closed(3002, "Grüße")


def test_both_sides_close(reading: Ends) -> None:
    reading.link.close(3002, "ours")
    reading.peer.send_close(3001, "theirs")
    assert reading.peer.receive_close() == (3002, "ours")
    reading.peer.receive_end()
    assert reading.closed == Closed(3002, "ours")


def test_a_close_frame_without_a_code_is_1005(reading: Ends) -> None:
    reading.peer.send(b"", CLOSE)
    assert reading.peer.receive_close() in ((1005, ""), (1000, ""))
    reading.peer.receive_end()
    assert reading.closed == Closed(1005, "")


def test_one_close_frame_at_most_goes_out(reading: Ends) -> None:
    closers = [in_thread(reading.link.close, 3000 + number) for number in range(8)]
    reading.peer.send_close(1000)
    for closer in closers:
        closer.result()
    reading.link.close()
    reading.peer.receive_close()
    reading.peer.receive_end()


def test_nothing_goes_out_after_the_close_frame(reading: Ends) -> None:
    reading.link.close(3002, "enough")
    for use in (reading.link.send, reading.link.post):
        with pytest.raises(ConnectionClosed) as caught:
            use("late")
        assert (caught.value.code, caught.value.reason) == (3002, "enough")
    reading.peer.receive_close()
    reading.peer.send_close(3002)
    reading.peer.receive_end()


def test_nothing_goes_out_after_the_peers_close_frame(reading: Ends) -> None:
    reading.peer.send_close(3001)
    assert reading.closed.code == 3001
    for use in (reading.link.send, reading.link.post):
        with pytest.raises(ConnectionClosed):
            use("late")
    reading.peer.receive_close()
    reading.peer.receive_end()


def test_nothing_is_delivered_after_the_close_frame(reading: Ends) -> None:
    reading.link.close()
    reading.peer.send("late")
    reading.peer.receive_close()
    reading.peer.send_close(1000)
    assert reading.closed.code == 1000
    assert reading.texts.empty()


def test_a_ping_that_crosses_the_close_frame_does_no_harm(reading: Ends) -> None:
    reading.link.close(3002, "ours")
    reading.peer.send(b"ping", PING)
    reading.peer.send(b"ping", PING)
    assert reading.peer.receive_close() == (3002, "ours")
    opcodes = set()
    if reading.side == "client":
        opcodes = {reading.peer.receive()[0] for _ in range(2)}  # RFC 6455 allows it: only data must not come after a close frame
    assert opcodes <= {PONG}
    reading.peer.send_close(3002)
    reading.peer.receive_end()
    assert reading.closed == Closed(3002, "ours")


@pytest.mark.parametrize(
    ("reason", "sent"),
    [
        ("x" * 123, "x" * 123),
        ("x" * 124, "x" * 123),
        ("€" * 41, "€" * 41),
        ("€" * 42, "€" * 41),
        ("x" + "€" * 41, "x" + "€" * 40),
        ("é" * 62, "é" * 61),
        ("😀" * 31, "😀" * 30),
    ],
)
def test_a_long_reason_is_cut_to_whole_characters(reading: Ends, reason: str, sent: str) -> None:
    reading.link.close(1000, reason)
    assert reading.peer.receive_close() == (1000, sent)
    reading.peer.send_close(1000)
    assert reading.closed == Closed(1000, sent)


# --- Ends without a close frame


def test_an_end_without_a_close_frame_is_1006(reading: Ends) -> None:
    reading.peer.close()
    assert reading.closed.code == 1006


def test_an_end_in_the_middle_of_a_frame_is_1006(reading: Ends) -> None:
    reading.peer.socket.sendall(reading.peer.frame("x" * 100)[:-1])
    reading.peer.close()
    assert reading.closed.code == 1006
    assert reading.texts.empty()


def test_a_reset_is_1006(reading: Ends) -> None:
    reading.peer.reset()
    assert reading.closed.code == 1006
    with pytest.raises(ConnectionClosed) as caught:
        reading.link.send("late")
    assert caught.value.code == 1006


def test_abort_ends_the_reader_at_once(reading: Ends) -> None:
    reading.link.abort()
    assert reading.closed.code == 1006
    reading.peer.receive_end()


def test_abort_ends_a_close_that_is_not_answered(reading: Ends) -> None:
    reading.link.close(3002, "ours")
    reading.peer.receive_close()
    reading.link.abort()
    assert reading.closed == Closed(3002, "ours")


def test_abort_ends_whoever_waits_for_the_peer_to_read(reading: Ends) -> None:
    sends = [in_thread(reading.link.send, "x" * MUCH) for _ in range(2)]
    assert reading.peer.socket.recv(1)
    reading.link.abort()
    for send in sends:
        with pytest.raises(ConnectionClosed) as caught:
            send.result()
        assert caught.value.code == 1006


def test_a_close_frame_counts_although_it_cannot_be_answered(ends: Ends) -> None:
    ends.peer.send_close(3001, "theirs")
    ends.stream.shutdown(socket.SHUT_WR)
    ends.read()
    assert ends.closed == Closed(3001, "theirs")


def test_closing_a_link_that_has_stalled_raises_nothing(ends: Ends) -> None:
    ends.stream._stall_timeout = SOON
    ends.link.post("x" * MUCH)
    with pytest.raises(ConnectionClosed, match="taken nothing"):
        ends.link.send("late")
    with pytest.raises(ConnectionClosed, match="taken nothing"):
        ends.link.post("late")
    ends.link.close()
    ends.link.close()
    with pytest.raises(ConnectionClosed):
        ends.link.post("later")


# --- A peer that breaks a rule

BROKEN: dict[str, tuple[int, Callable[[Wire], bytes]]] = {
    "reserved opcode": (1002, lambda peer: peer.frame("x", 0x3)),
    "reserved control opcode": (1002, lambda peer: peer.frame(b"x", 0xB)),
    "reserved bit": (1002, lambda peer: peer.frame("x", flags=0x20)),
    "compressed, not negotiated": (1002, lambda peer: peer.frame("x", flags=RSV1)),
    "continuation of nothing": (1002, lambda peer: peer.frame("x", CONTINUATION)),
    "text within fragments": (1002, lambda peer: peer.frame("x", fin=False) + peer.frame("y")),
    "ping in fragments": (1002, lambda peer: peer.frame(b"x", PING, fin=False)),
    "long ping": (1002, lambda peer: peer.frame(b"x" * 126, PING)),
    "long close": (1002, lambda peer: peer.frame(close_payload(1000, "x" * 124), CLOSE)),
    "close of one byte": (1002, lambda peer: peer.frame(b"x", CLOSE)),
    "close with 1005": (1002, lambda peer: peer.frame(close_payload(1005), CLOSE)),
    "close with 1006": (1002, lambda peer: peer.frame(close_payload(1006), CLOSE)),
    "close with 999": (1002, lambda peer: peer.frame(close_payload(999), CLOSE)),
    "close with 65535": (1002, lambda peer: peer.frame(close_payload(65535), CLOSE)),
    "no UTF-8": (1007, lambda peer: peer.frame(b"hello \xff")),
    "cut UTF-8": (1007, lambda peer: peer.frame("€".encode()[:2])),
    "surrogate": (1007, lambda peer: peer.frame(b"\xed\xa0\x80")),
    "no UTF-8 in fragments": (1007, lambda peer: peer.frame(b"\xe2\x82", fin=False) + peer.frame(b"x", CONTINUATION)),
    "binary": (1003, lambda peer: peer.frame(b"x", BINARY)),
    "too big": (1009, lambda peer: peer.frame(b"x" * (LIMIT + 1))),
    "fragments too big": (1009, lambda peer: peer.frame(b"x" * 400, fin=False) + peer.frame(b"x" * 601, CONTINUATION)),
    "binary too big": (1009, lambda peer: peer.frame(b"x" * (LIMIT + 1), BINARY)),
    "length with its highest bit": (1009, lambda peer: header(1 << 63 | 5, masked=peer.masks)),
}

# Where the library that the server is made of sees another mistake.
BROKEN_SERVER = {"length with its highest bit": 1002}


@pytest.mark.parametrize("kind", BROKEN)
def test_who_breaks_a_rule_gets_a_close_frame_and_no_reset(reading: Ends, caplog: pytest.LogCaptureFixture, kind: str) -> None:
    code, broken = BROKEN[kind]
    code = BROKEN_SERVER.get(kind, code) if reading.side == "server" else code
    reading.peer.send("fine")
    # What comes after it lies there unread, which must not become a reset.
    reading.peer.socket.sendall(broken(reading.peer) + b"\x00" * 100_000)
    assert reading.text() == "fine"
    assert reading.peer.receive_close()[0] == code
    reading.peer.socket.shutdown(socket.SHUT_WR)
    reading.peer.receive_end()
    assert reading.closed.code == code
    assert reading.texts.empty()
    assert f"closing with {code}: " in caplog.text
    assert all(record.levelno == logging.WARNING for record in caplog.records)


@pytest.fixture
def short_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "_LINGER", SOON)


VIOLATIONS = {1003: (b"x", BINARY), 1007: (b"\xff", TEXT), 1009: (b"x" * (LIMIT + 1), TEXT), 1002: (b"", CONTINUATION)}
IGNORING = {"silent": None, "texts": ("more", TEXT), "binaries": (b"more", BINARY), "pings": (b"more", PING), "no UTF-8": (b"\xff", TEXT)}


@pytest.mark.parametrize("code", VIOLATIONS)
@pytest.mark.parametrize("then", IGNORING)
@pytest.mark.usefixtures("short_linger")
def test_a_peer_that_ignores_our_close_frame_has_its_time_and_no_more(reading: Ends, code: int, then: str) -> None:
    reading.peer.send(*VIOLATIONS[code])
    more = IGNORING[then]
    flood = in_thread(send_for_ever, reading.peer, *more) if more else None
    assert reading.closed.code == code
    assert reading.texts.empty()
    if flood:
        flood.result()


def send_for_ever(peer: Wire, message: str | bytes, opcode: int) -> None:
    with suppress(ConnectionError):
        while True:
            peer.socket.sendall(peer.frame(message, opcode) * 100)


@pytest.mark.usefixtures("short_linger")
def test_fail_is_for_the_reader_and_bounds_its_wait(ends: Ends) -> None:
    def receive(text: str) -> None:
        ends.link.fail(3003, text)
        ends.link.fail(3004, "again")

    ends.read(receive)
    ends.peer.send("enough")
    assert ends.peer.receive_close() == (3003, "enough")
    assert ends.closed == Closed(3003, "enough")


@pytest.mark.parametrize("code", [1002, 1007, 1009])
def test_what_a_peer_says_when_it_closes_is_not_logged(reading: Ends, caplog: pytest.LogCaptureFixture, code: int) -> None:
    reading.peer.send_close(code, "hunter2")
    assert reading.closed == Closed(code, "hunter2")
    assert not caplog.records
