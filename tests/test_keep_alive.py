"""Pings, and links that are half open (rule A7), on both ends, plain and over TLS."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ocpp_sync import OcppClient, OcppServer, utcnow
from ocpp_sync.testing import FaultyLink

from .pki import pki
from .support import TIMEOUT, Collector, RawChargePoint, RawCsms
from .wire import PING, PONG, TEXT, Wire, connect_wire

MakeServer = Callable[..., OcppServer]
MakeClient = Callable[..., OcppClient]

SOON = 0.05
LONG = 3600.0


@pytest.fixture(params=["plain", "TLS"])
def listening(request: pytest.FixtureRequest, make_server: MakeServer) -> Callable[..., tuple[OcppServer, dict[str, Any]]]:
    """Makes a server, and says what a client needs for it."""

    def make(**options: Any) -> tuple[OcppServer, dict[str, Any]]:
        if request.param == "plain":
            return make_server(**options), {}
        server, files = make_server(listen=False, **options), pki().server()
        return server.listen(0, "127.0.0.1", certfile=files.cert, keyfile=files.key), {"cafile": pki().ca}

    return make


@pytest.fixture
def link() -> Iterator[Callable[[str], FaultyLink]]:
    links: list[FaultyLink] = []

    def make(url: str) -> FaultyLink:
        links.append(FaultyLink(url))
        return links[-1]

    yield make
    for each in links:
        each.close()


def test_a7_a_client_finds_its_link_half_open(
    listening: Callable[..., tuple[OcppServer, dict[str, Any]]], link: Callable[[str], FaultyLink], make_client: MakeClient
) -> None:
    server, needed = listening(ping_interval=None)
    between = link(server.url)
    client = make_client(between.url, ping_interval=SOON, pong_timeout=SOON, **needed)
    closed = Collector()
    client.on("close", closed)
    between.half_open()
    assert closed.next() == (1006, "half open: no sign of life for 0.1 s")
    assert client.wait_closed(TIMEOUT)


def test_a7_a_server_finds_a_link_half_open(
    listening: Callable[..., tuple[OcppServer, dict[str, Any]]], link: Callable[[str], FaultyLink], make_client: MakeClient
) -> None:
    server, needed = listening(ping_interval=SOON, pong_timeout=SOON)
    closed = Collector()
    server.on("close", lambda charge_point, code, reason: closed(charge_point.identity, code, reason))
    between = link(server.url)
    make_client(between.url, ping_interval=None, **needed)
    between.half_open()
    assert closed.next() == ("CP1", 1006, "half open: no sign of life for 0.1 s")
    assert not server.connections
    between.cut()  # else the client waits for the other side to answer its close frame


def test_a7_pongs_keep_a_silent_link_open(
    listening: Callable[..., tuple[OcppServer, dict[str, Any]]], link: Callable[[str], FaultyLink], make_client: MakeClient
) -> None:
    server, needed = listening(ping_interval=0.01, pong_timeout=LONG)
    between = link(server.url)
    client = make_client(between.url, ping_interval=0.01, pong_timeout=LONG, **needed)
    up, down = between.bytes_up, between.bytes_down
    between.wait_until(lambda it: it.bytes_up > up + 200 and it.bytes_down > down + 200, TIMEOUT)
    assert client.connected
    assert server["CP1"].connected


@pytest.mark.parametrize("interval", [None, 0, LONG])
def test_a7_no_pings_before_their_time(interval: float | None, raw_csms: Callable[..., RawCsms], make_client: MakeClient) -> None:
    csms = raw_csms()
    client = make_client(csms.url, ping_interval=interval, pong_timeout=0.0)
    csms.sync()
    assert client.connected
    stream = client._link.stream  # type: ignore[union-attr]
    assert (stream._silent_at() is None) is (not interval)


def next_frame(peer: Wire, wanted: int) -> bytes:
    """The next frame of a kind."""
    while True:
        opcode, payload = peer.receive()
        if opcode == wanted:
            return payload


def test_a7_whatever_comes_is_a_sign_of_life(make_server: MakeServer) -> None:
    server = make_server(ping_interval=SOON, pong_timeout=LONG)
    server.on("Heartbeat", lambda charge_point, request: {"currentTime": utcnow()})
    closed = Collector()
    server.on("close", closed)
    peer = connect_wire(server.url, "CP1", version="2.0.1")
    try:
        # Never a pong, but a call after each ping: asked again, and never given up.
        for number in range(5):
            next_frame(peer, PING)
            peer.send([2, str(number), "Heartbeat", {}])
            assert json.loads(next_frame(peer, TEXT))[1] == str(number)
        stream = server["CP1"]._link.stream  # type: ignore[union-attr]
        next_frame(peer, PING)
        assert stream._asked is not None
        peer.send(b"", PONG)
        next_frame(peer, PING)  # heard, silent again, asked again
        assert closed.calls.empty()
    finally:
        peer.close()


def test_a7_a_peer_that_answers_no_ping_is_dropped(make_server: MakeServer, raw_charge_point: Callable[..., RawChargePoint]) -> None:
    server = make_server(ping_interval=SOON, pong_timeout=SOON)
    closed = Collector()
    server.on("close", lambda charge_point, code, reason: closed(code))
    peer = connect_wire(server.url, "CP1", version="2.0.1")
    try:
        assert closed.next() == (1006,)
        with pytest.raises((AssertionError, ConnectionResetError)):  # cut, or reset
            next_frame(peer, TEXT)
    finally:
        peer.close()


def test_a7_a_call_on_a_half_open_link_fails_when_that_is_found(server: OcppServer, make_client: MakeClient) -> None:
    with FaultyLink(server.url) as between:
        client = make_client(between.url, ping_interval=SOON, pong_timeout=SOON, call_timeout=LONG)
        between.half_open()
        with pytest.raises(ConnectionError, match="half open"):
            client.call("Heartbeat")


def test_a7_the_system_is_told_to_give_up_unacknowledged_data(server: OcppServer, make_client: MakeClient) -> None:
    client = make_client(server.url, ping_interval=12.0, pong_timeout=3.0)
    for connection in (client, server.wait_for("CP1", TIMEOUT)):
        sock = connection._link.stream._sock  # type: ignore[union-attr]
        expected = 15_000 if connection is client else 50_000
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == expected


def test_a7_without_pings_unacknowledged_data_is_given_up_too(server: OcppServer, make_client: MakeClient) -> None:
    client = make_client(server.url, ping_interval=0)
    sock = client._link.stream._sock  # type: ignore[union-attr]
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000


def test_a7_a_new_interval_holds_from_the_next_link_on(server: OcppServer, make_client: MakeClient) -> None:
    client = make_client(server.url, ping_interval=LONG)
    client.ping_interval = 0
    assert client._link.stream._silent_at() is not None  # type: ignore[union-attr]
    client.close()
    client.connect(server.url)
    assert client._link.stream._silent_at() is None  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="ping_interval"):
        client.ping_interval = -1.0


@pytest.mark.parametrize("name", ["ping_interval", "pong_timeout"])
def test_a_time_that_makes_no_sense(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        OcppClient("CP1", **{name: -1.0})  # type: ignore[call-overload]


@pytest.mark.parametrize("name", ["ping_interval", "pong_timeout", "call_timeout", "max_message_size"])
def test_a_server_says_at_once_what_makes_no_sense(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        OcppServer(**{name: -1})  # type: ignore[arg-type]
