"""Limits of a server, each at its edge. How others fare meanwhile is the matter of test_attacks."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

from ocpp_sync import Limits, OcppClient, OcppServer, utcnow
from ocpp_sync.throttle import RateLimit

from .support import TIMEOUT, Collector, RawChargePoint
from .wire import BINARY, PING, connect_wire

MakeServer = Callable[..., OcppServer]
MakeClient = Callable[..., OcppClient]
MakeRaw = Callable[..., RawChargePoint]

SOON = 0.05
HEARTBEAT: list[Any] = [2, "1", "Heartbeat", {}]


@pytest.fixture
def make_limited(make_server: MakeServer) -> Callable[..., OcppServer]:
    """Makes servers that answer heartbeats."""

    def make(**limits: Any) -> OcppServer:
        server = make_server(limits=Limits(**limits))
        server.on("Heartbeat", lambda charge_point, request: {"currentTime": utcnow()})
        return server

    return make


@pytest.mark.parametrize("name", [field.name for field in fields(Limits)])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_limit_is_above_zero(name: str, value: float) -> None:
    limits: dict[str, Any] = {name: value}
    with pytest.raises(ValueError, match=name):
        Limits(**limits)


ALWAYS = ("handshake_timeout", "max_header_size", "max_header_count", "max_bad_messages", "max_unsent", "stall_timeout")


@pytest.mark.parametrize("name", ALWAYS)
def test_some_limits_are_always_there(name: str) -> None:
    limits: dict[str, Any] = {name: None}
    with pytest.raises(ValueError, match=name):
        Limits(**limits)


def test_who_says_nothing_is_closed(make_limited: MakeServer, raw_charge_point: MakeRaw) -> None:
    server = make_limited(first_message_timeout=SOON)
    closed = Collector()
    server.on("close", lambda charge_point, code, reason: closed(code))
    code, reason = raw_charge_point(server.url).receive_close()
    assert (code, reason) == (1008, "no message came in the first 0.05 s")
    assert closed.next() == (1008,)


def test_who_has_said_something_may_be_silent(make_limited: MakeServer, raw_charge_point: MakeRaw) -> None:
    server = make_limited(first_message_timeout=TIMEOUT)
    peer = raw_charge_point(server.url)
    stream = server.wait_for("CP1", TIMEOUT)._link.stream  # type: ignore[union-attr]
    assert stream.deadline is not None
    peer.send(HEARTBEAT)
    assert peer.receive()[0] == 3
    assert stream.deadline is None


def test_a_first_message_that_breaks_the_rules_has_its_own_code(make_limited: MakeServer, raw_charge_point: MakeRaw) -> None:
    peer = raw_charge_point(make_limited(first_message_timeout=TIMEOUT).url)
    peer.send(b"binary")
    assert peer.receive_close()[0] == 1003


def test_who_breaks_the_rules_has_no_longer_for_it(make_limited: MakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocpp_sync.transport.link._LINGER", SOON)
    server = make_limited(first_message_timeout=3600.0)
    closed = Collector()
    server.on("close", lambda charge_point, code, reason: closed(code))
    peer = connect_wire(server.url, "CP1", version="2.0.1")
    try:
        peer.send(b"binary", BINARY)  # and it does not answer the close frame
        assert closed.next() == (1003,)
    finally:
        peer.close()


def test_too_many_messages_a_second_are_closed(make_limited: MakeServer, raw_charge_point: MakeRaw) -> None:
    peer = raw_charge_point(make_limited(max_message_rate=0.2).url)
    for number in range(2):
        peer.send([2, str(number), "Heartbeat", {}])
        assert peer.receive()[1] == str(number)
    peer.send([2, "2", "Heartbeat", {}])
    assert peer.receive_close() == (1008, "more than 0.2 messages a second")


def test_without_a_rate_any_number_is_taken(make_limited: MakeServer, make_client: MakeClient) -> None:
    client = make_client(make_limited().url)
    for _ in range(1000):
        client.call("Heartbeat")


def test_a_rate_is_an_average() -> None:
    now = 100.0
    limit = RateLimit(5.0, clock=lambda: now)
    assert [limit.take() for _ in range(51)] == [True] * 50 + [False]
    now += 1.0
    assert [limit.take() for _ in range(6)] == [True] * 5 + [False]
    now += 3600.0
    assert [limit.take() for _ in range(51)] == [True] * 50 + [False]


def test_a_rate_below_one_in_ten_seconds_takes_one() -> None:
    now = 100.0
    limit = RateLimit(0.01, clock=lambda: now)
    assert [limit.take(), limit.take()] == [True, False]
    now += 100.0
    assert limit.take()


@pytest.mark.parametrize(("more", "status"), [(0, b"101"), (1, b"431")])
def test_headers_are_counted(make_limited: MakeServer, more: int, status: bytes) -> None:
    server = make_limited(max_header_count=10)
    names = ["Host: x", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    names += ["Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol: ocpp2.0.1"]
    names += [f"X-{number}: 1" for number in range(4 + more)]
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as sock:
        sock.sendall("\r\n".join(["GET /CP1 HTTP/1.1", *names, "", ""]).encode())
        assert sock.recv(4096).split()[1] == status


def test_a_request_may_be_as_long_as_was_said(make_limited: MakeServer) -> None:
    with socket.create_connection(("127.0.0.1", make_limited(max_header_size=200).port), TIMEOUT) as sock:
        sock.sendall(b"GET /CP1 HTTP/1.1\r\nX: " + b"x" * 200)
        assert sock.recv(4096).split()[1] == b"431"


def test_b6_bad_messages_are_counted(make_limited: MakeServer, raw_charge_point: MakeRaw) -> None:
    peer = raw_charge_point(make_limited(max_bad_messages=3).url)
    for message, answer in (("[", 4), ("[", 4), (HEARTBEAT, 3), ("[", 4), ("[", 4), ("[", 4)):
        peer.send(message)
        assert peer.receive()[0] == answer
    assert peer.receive_close()[0] == 1002


@pytest.mark.parametrize("size", [4096, 64 * 1024])
def test_what_waits_for_who_does_not_read_is_bounded_in_the_system_too(make_limited: MakeServer, size: int) -> None:
    server = make_limited(max_unsent=size, stall_timeout=SOON)
    closed = Collector()
    server.on("close", lambda charge_point, code, reason: closed(code, reason))
    peer = connect_wire(server.url, "CP1", version="2.0.1")
    try:
        stream = server.wait_for("CP1", TIMEOUT)._link.stream  # type: ignore[union-attr]
        # The kernel doubles it, for what it needs itself.
        assert stream._sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 4 * size
        peer.socket.settimeout(0.01)
        rest = pings = peer.frame(b"x" * 125, PING) * 100
        while closed.calls.empty():
            try:
                rest = rest[peer.socket.send(rest) :] or pings
            except TimeoutError:
                pass
            except ConnectionError:
                break
        assert closed.next() == (1006, "the other side has taken nothing for 0.05 s")
    finally:
        peer.close()
