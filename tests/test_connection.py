"""What both ends of a link share, at each end: calls, answers, handlers, events, and the end of it all."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from websockets.exceptions import ConnectionClosed as LinkClosed

from ocpp_sync import CallError, CallTimeout, ConnectionClosed, InvalidPayload, NotConnected, OcppClient, OcppServer
from ocpp_sync.connection import Connection

from .support import TIMEOUT, VERSIONS, Collector, Future, RawChargePoint, RawCsms, in_thread

MakeClient = Callable[..., OcppClient]
MakeServer = Callable[..., OcppServer]

ROLES = ("client", "server")
NOW = "2025-01-01T00:00:00Z"
ACCEPTED = {"status": "Accepted"}

each_version = pytest.mark.parametrize("version", VERSIONS)


def transfer(data: Any = "") -> dict[str, Any]:
    """A request that both ends may send in every version."""
    return {"vendorId": "v", "data": data}


class Pair(NamedTuple):
    """An end of a link, and a peer that says what it is told to."""

    connection: Connection
    peer: RawCsms | RawChargePoint

    def call(self, data: Any = "", **options: Any) -> Future:
        """Make a call in a thread of its own."""
        return in_thread(self.connection.call, "DataTransfer", transfer(data), **options)

    def received_call(self) -> tuple[str, Any]:
        """The id and the data of the call that the peer receives next."""
        kind, message_id, action, payload = self.peer.receive()
        assert (kind, action) == (2, "DataTransfer")
        return message_id, payload["data"]

    def answer(self, message_id: str, data: Any = "") -> None:
        self.peer.send([3, message_id, {**ACCEPTED, "data": data}])

    def round_trip(self, data: Any = "") -> None:
        """A call that is answered, and that the next message of the peer's is."""
        call = self.call(data)
        message_id, received = self.received_call()
        self.answer(message_id, data)
        assert (call.result()["data"], received) == (data, data)

    def cut(self) -> None:
        """Break the TCP connection, from the peer's side."""
        self.peer.socket.socket.shutdown(socket.SHUT_RDWR)


MakePair = Callable[..., Pair]


@pytest.fixture
def pair_of(
    make_client: MakeClient, make_server: MakeServer, raw_csms: Callable[..., RawCsms], raw_charge_point: Callable[..., RawChargePoint]
) -> Callable[..., Pair]:
    """Makes a pair for a role."""

    def make(role: str, version: str = "2.0.1", **options: Any) -> Pair:
        if role == "client":
            csms = raw_csms(version=version)
            return Pair(make_client(csms.url, version=version, **options), csms)
        server = make_server(**options)
        charge_point = raw_charge_point(server.url, version=version)
        return Pair(server.wait_for("CP1", TIMEOUT), charge_point)

    return make


@pytest.fixture(params=ROLES)
def role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make_pair(role: str, pair_of: MakePair) -> MakePair:
    """Makes a pair, once for the client's and once for the server's end."""
    return lambda *arguments, **options: pair_of(role, *arguments, **options)


class Frames(Collector):
    """A handler of "frame"; :meth:`seen` is what it has seen so far."""

    def seen(self) -> list[tuple[str, Any]]:
        frames = []
        while not self.calls.empty():
            direction, text = self.next()
            frames.append((direction, json.loads(text)))
        return frames

    def directions(self) -> list[str]:
        return [direction for direction, _ in self.seen()]


def watch_frames(pair: Pair) -> Frames:
    frames = Frames()
    pair.connection.on("frame", frames)
    return frames


def watch_queue(connection: Connection) -> Collector:
    """Tells of the data of each call that has taken its place among those that wait for their turn."""
    core = connection._core
    assert core is not None
    make, made = core.call, Collector()

    def call(action: str, payload: dict[str, Any], waiter: Any = None) -> Any:
        outgoing = make(action, payload, waiter)
        made(payload["data"])
        return outgoing

    core.call = call  # type: ignore[method-assign]
    return made


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


# --- peers that do not read

UPGRADE = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Protocol: ocpp2.0.1")


@pytest.fixture
def deaf_pair(role: str, make_client: MakeClient, make_server: MakeServer) -> Iterator[tuple[Connection, socket.socket]]:
    """An end of a link whose peer does not read, and the peer's socket."""
    if role == "client":
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(TIMEOUT)
            connecting = in_thread(make_client, f"ws://127.0.0.1:{listener.getsockname()[1]}")
            sock, _ = listener.accept()
        with sock:
            key = re.findall(r"(?mi)^Sec-WebSocket-Key: (.*)\r$", upgrade_head(sock))[0] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
            lines = ["HTTP/1.1 101 Switching Protocols", *UPGRADE, f"Sec-WebSocket-Accept: {accept}", "", ""]
            sock.sendall("\r\n".join(lines).encode())
            yield connecting.result(), sock
        return
    server = make_server()
    with socket.create_connection(("127.0.0.1", server.port)) as sock:
        lines = ["GET /CP1 HTTP/1.1", "Host: x", *UPGRADE, "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {'A' * 22}==", "", ""]
        sock.sendall("\r\n".join(lines).encode())
        upgrade_head(sock)
        yield server.wait_for("CP1", TIMEOUT), sock


def fill(connection: Connection) -> dict[str, Any]:
    """Call until there is no room for a call on the way to a peer that does not read; returns the request."""
    payload = transfer("x" * 1_000_000)
    for _ in range(100):
        with pytest.raises(CallTimeout) as caught:
            connection.call("DataTransfer", payload, timeout=0.05)
        if not caught.value.sent:
            return payload
    raise AssertionError("the peer has read it all")


def upgrade_head(sock: socket.socket) -> str:
    sock.settimeout(TIMEOUT)
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        data += (byte := sock.recv(1))
        assert byte, "it is closed"
    return data.decode()


# --- calls and their answers


@each_version
def test_b1_a_call_and_its_answer(version: str, make_pair: MakePair) -> None:
    pair = make_pair(version)
    assert pair.connection.version == version
    call = pair.call("ä€😀")
    message_id, data = pair.received_call()
    assert data == "ä€😀"
    pair.answer(message_id, "ß")
    assert call.result() == {"status": "Accepted", "data": "ß"}


def test_b1_a_call_without_a_payload(pair_of: MakePair) -> None:
    for role, action, answer in [("client", "Heartbeat", {"currentTime": NOW}), ("server", "ClearCache", ACCEPTED)]:
        pair = pair_of(role)
        call = in_thread(pair.connection.call, action)
        kind, message_id, *rest = pair.peer.receive()
        assert (kind, rest) == (2, [action, {}])
        pair.peer.send([3, message_id, answer])
        assert call.result() == answer


@each_version
def test_b14_a_null_payload_is_read_as_an_empty_object(version: str, pair_of: MakePair) -> None:
    pair = pair_of("client", version)
    pair.connection.on("ClearCache", cleared := Collector(ACCEPTED))
    status = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
    if version != "1.6":
        status = {"timestamp": NOW, "connectorStatus": "Available", "evseId": 1, "connectorId": 1}
    call = in_thread(pair.connection.call, "StatusNotification", status)
    pair.peer.send([3, pair.peer.receive()[1], None])
    assert call.result() == {}
    pair.peer.send([2, "1", "ClearCache", None])
    assert cleared.next() == ({},)
    assert pair.peer.receive() == [3, "1", ACCEPTED]


def test_b3_one_call_at_a_time_the_others_in_order(make_pair: MakePair) -> None:
    pair = make_pair()
    queued, frames = watch_queue(pair.connection), watch_frames(pair)
    calls = []
    for data in range(10):
        calls.append(pair.call(data))
        assert queued.next() == (data,)
    for data in range(10):
        message_id, received = pair.received_call()
        assert received == data
        # Had another one been sent, it would be among the frames before this answer.
        pair.peer.sync()
        pair.answer(message_id, data)
        assert calls[data].result()["data"] == data
    assert frames.directions() == ["out", "in"] * 10


def test_b3_requests_are_served_while_a_call_waits(make_pair: MakePair) -> None:
    pair = make_pair()
    pair.connection.on("DataTransfer", lambda request: {**ACCEPTED, "data": request["data"]})
    call = pair.call()
    message_id, _ = pair.received_call()
    for number in range(3):
        pair.peer.send([2, f"r{number}", "DataTransfer", transfer(number)])
        assert pair.peer.receive() == [3, f"r{number}", {**ACCEPTED, "data": number}]
    pair.answer(message_id)
    call.result()


def test_b2_each_call_has_an_id_of_its_own(make_pair: MakePair) -> None:
    pair = make_pair()
    ids = set()
    for _ in range(5):
        call = pair.call()
        message_id, _ = pair.received_call()
        pair.answer(message_id)
        call.result()
        ids.add(message_id)
    assert len(ids) == 5
    assert all(len(message_id) <= 36 for message_id in ids)


# --- time-outs (B4)


def test_b4_what_a_time_out_tells(make_pair: MakePair) -> None:
    pair = make_pair()
    call = pair.call(timeout=0.1)
    message_id, _ = pair.received_call()
    with pytest.raises(CallTimeout) as caught:
        call.result()
    error = caught.value
    assert (error.action, error.message_id, error.sent) == ("DataTransfer", message_id, True)
    assert 0.1 <= error.elapsed < TIMEOUT
    assert isinstance(error, TimeoutError)
    assert "sent, but not answered" in str(error)
    pair.round_trip("next")


def test_b4_the_next_call_goes_out_after_a_time_out(make_pair: MakePair) -> None:
    pair = make_pair()
    queued = watch_queue(pair.connection)
    first = pair.call(1, timeout=0.3)
    queued.next()
    second = pair.call(2)
    assert pair.received_call()[1] == 1
    message_id, data = pair.received_call()
    assert data == 2
    pair.answer(message_id, 2)
    assert second.result()["data"] == 2
    with pytest.raises(CallTimeout):
        first.result()


def test_b4_a_time_out_counts_the_wait_for_the_turn(make_pair: MakePair) -> None:
    pair = make_pair()
    first = pair.call(1)
    message_id, _ = pair.received_call()
    started = time.monotonic()
    with pytest.raises(CallTimeout) as caught:
        pair.connection.call("DataTransfer", transfer(2), timeout=0.1)
    assert caught.value.sent is False
    assert 0.1 <= caught.value.elapsed <= time.monotonic() - started
    assert "not sent" in str(caught.value)
    pair.answer(message_id)
    first.result()
    pair.round_trip(3)  # the peer has never seen the second one


def test_b4_a_peer_that_does_not_read(deaf_pair: tuple[Connection, socket.socket]) -> None:
    connection, peer = deaf_pair
    payload = fill(connection)
    # No turn is lost with it, and whoever waits can be freed.
    with pytest.raises(CallTimeout) as caught:
        connection.call("DataTransfer", payload, timeout=0.05)
    assert caught.value.sent is False
    waiting = [in_thread(connection.call, "DataTransfer", payload) for _ in range(3)]
    peer.shutdown(socket.SHUT_RDWR)
    for future in waiting:
        with pytest.raises(ConnectionClosed):
            future.result()


def test_b4_the_time_out_of_the_connection(make_pair: MakePair) -> None:
    pair = make_pair(call_timeout=0.1)
    with pytest.raises(CallTimeout) as caught:
        pair.connection.call("DataTransfer", transfer())
    assert caught.value.elapsed >= 0.1
    pair.received_call()
    call = pair.call(timeout=TIMEOUT)  # one of its own comes before it
    message_id, _ = pair.received_call()
    pair.answer(message_id)
    call.result()


def test_b4_no_time_out(make_pair: MakePair) -> None:
    pair = make_pair(call_timeout=None)
    pair.round_trip()
    call = pair.call(timeout=float("inf"))
    message_id, _ = pair.received_call()
    pair.answer(message_id)
    call.result()


def test_b4_a_time_out_of_zero_still_sends(make_pair: MakePair) -> None:
    pair = make_pair()
    with pytest.raises(CallTimeout) as caught:
        pair.connection.call("DataTransfer", transfer(), timeout=0)
    assert caught.value.sent
    assert pair.received_call()[0] == caught.value.message_id


@pytest.mark.parametrize("timeout", [-1, -0.001, float("nan"), -float("inf")])
def test_b4_a_time_out_that_is_none(timeout: float, make_pair: MakePair) -> None:
    pair = make_pair()
    frames = watch_frames(pair)
    with pytest.raises(ValueError, match="timeout"):
        pair.connection.call("DataTransfer", transfer(), timeout=timeout)
    assert frames.seen() == []
    with pytest.raises(ValueError, match="call_timeout"):
        OcppClient("CP1", call_timeout=timeout)


@pytest.mark.parametrize("size", [0, -1])
def test_a_size_that_is_none(size: int) -> None:
    with pytest.raises(ValueError, match="max_message_size"):
        OcppClient("CP1", max_message_size=size)


# --- answers that nobody waits for (B16)


def test_b16_a_late_answer_is_logged_and_harmless(make_pair: MakePair, caplog: pytest.LogCaptureFixture) -> None:
    pair = make_pair()
    frames = watch_frames(pair)
    with pytest.raises(CallTimeout) as caught:
        pair.connection.call("DataTransfer", transfer("late"), timeout=0.05)
    pair.received_call()
    call = pair.call("next")
    message_id, _ = pair.received_call()
    pair.answer(caught.value.message_id, "late")
    pair.answer(message_id, "next")
    assert call.result()["data"] == "next"
    (text,) = warnings_in(caplog)
    assert "late" in text
    assert caught.value.message_id in text
    assert frames.directions() == ["out", "out", "in", "in"]


@pytest.mark.parametrize("version", ["1.6", "2.1"])
def test_b16_repeated_and_unsolicited_answers_are_logged_and_harmless(
    version: str, make_pair: MakePair, caplog: pytest.LogCaptureFixture
) -> None:
    pair = make_pair(version)
    frames = watch_frames(pair)
    first = pair.call("first")
    message_id, _ = pair.received_call()
    pair.answer(message_id, "first")
    assert first.result()["data"] == "first"
    second = pair.call("second")
    next_id, _ = pair.received_call()
    strays: list[list[Any]] = [
        [3, message_id, {**ACCEPTED, "data": "again"}],
        [4, message_id, "InternalError", "again", {}],
        [3, "never", ACCEPTED],
        [4, "never", "InternalError", "", {}],
        [4, "-1", "RpcFrameworkError", "", {}],
        [3, message_id, "nonsense"],
    ]
    if version == "2.1":
        strays += [[5, next_id, "InternalError", "", {}], [5, "never", "InternalError", "", {}]]
    for stray in strays:
        pair.peer.send(stray)
    pair.answer(next_id, "second")
    assert second.result()["data"] == "second"
    assert len(warnings_in(caplog)) == len(strays)
    assert frames.directions().count("out") == 2


# --- answers that are none


@pytest.mark.parametrize(
    ("answer", "keyword", "code"),
    [
        ({}, "required", "OccurrenceConstraintViolation"),
        ({"status": "Maybe"}, "enum", "PropertyConstraintViolation"),
        ({"status": "Accepted", "more": 1}, "additionalProperties", "FormatViolation"),
        ({"status": 1}, "type", "TypeConstraintViolation"),
        ("nonsense", "type", "FormatViolation"),
        ([], "type", "FormatViolation"),
    ],
)
@each_version
def test_b16_an_invalid_result_fails_its_call(version: str, answer: Any, keyword: str, code: str, make_pair: MakePair) -> None:
    pair = make_pair(version)
    if version == "1.6":
        code = code.replace("Format", "Formation").replace("Occurrence", "Occurence")
    call = pair.call()
    message_id, _ = pair.received_call()
    pair.peer.send([3, message_id, answer])
    with pytest.raises(InvalidPayload) as caught:
        call.result()
    assert (caught.value.action, caught.value.keyword, caught.value.code) == ("DataTransfer", keyword, code)
    if version == "2.1":
        kind, refused_id, refused_code, description, details = pair.peer.receive()
        assert (kind, refused_id, refused_code, details) == (5, message_id, code, {})
        assert 0 < len(description) <= 255
    pair.round_trip("next")


def test_b11_an_error_is_spelt_for_the_version(make_pair: MakePair) -> None:
    for version, came, spelt in [
        ("1.6", "FormatViolation", "FormationViolation"),
        ("1.6", "OccurrenceConstraintViolation", "OccurenceConstraintViolation"),
        ("1.6", "RpcFrameworkError", "RpcFrameworkError"),
        ("2.0.1", "FormationViolation", "FormatViolation"),
        ("2.1", "OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
        ("2.0.1", "OutOfCoffee", "OutOfCoffee"),
    ]:
        pair = make_pair(version)
        call = pair.call()
        message_id, _ = pair.received_call()
        pair.peer.send([4, message_id, came, "so", {"x": [1]}])
        with pytest.raises(CallError) as caught:
            call.result()
        assert (caught.value.code, caught.value.description, caught.value.details) == (spelt, "so", {"x": [1]})
        pair.connection.close()


@pytest.mark.parametrize("rest", [[], [""], [None], [None, None], ["", None], ["", "none"]])
def test_b13_missing_and_null_details(rest: list[Any], make_pair: MakePair) -> None:
    pair = make_pair()
    call = pair.call()
    message_id, _ = pair.received_call()
    pair.peer.send([4, message_id, "NotSupported", *rest])
    with pytest.raises(CallError) as caught:
        call.result()
    assert (caught.value.code, caught.value.description, caught.value.details) == ("NotSupported", "", {})
    pair.round_trip("next")


# --- what does not go out


@pytest.mark.parametrize(
    ("role", "use", "action", "payload", "text"),
    [
        ("client", "call", "NoSuchAction", {}, "NoSuchAction"),
        ("client", "call", "heartbeat", {}, "Heartbeat"),
        ("client", "call", "StartTransaction", {}, "StartTransaction"),
        ("client", "call", "Reset", {"type": "Immediate"}, "not sent by the charge point"),
        ("client", "send", "Reset", {"type": "Immediate"}, "not sent by the charge point"),
        ("client", "call", "NotifyPeriodicEventStream", {}, "use send()"),
        ("client", "send", "Heartbeat", {}, "use call()"),
        ("client", "send", "NotifyPeriodicEventStream", {}, "missing"),
        ("client", "call", "BootNotification", {}, "missing"),
        ("client", "call", "Heartbeat", {"x": 1}, "x"),
        ("server", "call", "NoSuchAction", {}, "NoSuchAction"),
        ("server", "call", "Heartbeat", {}, "not sent by the CSMS"),
        ("server", "send", "NotifyPeriodicEventStream", {}, "not sent by the CSMS"),
        ("server", "send", "ClearCache", {}, "use call()"),
        ("server", "call", "Reset", {"type": "Hard"}, "Immediate"),
    ],
)
def test_what_must_not_be_sent_is_refused_before(role: str, use: str, action: str, payload: Any, text: str, pair_of: MakePair) -> None:
    pair = pair_of(role, "2.1")
    frames = watch_frames(pair)
    with pytest.raises(InvalidPayload) as caught:
        getattr(pair.connection, use)(action, payload)
    assert caught.value.action == action
    assert text in str(caught.value)
    pair.round_trip()
    assert frames.directions() == ["out", "in"]


def itself() -> dict[str, Any]:
    loop: dict[str, Any] = {}
    loop["data"] = loop
    return loop


def nested(levels: int) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "data",
    [float("nan"), float("inf"), {1, 2}, object(), b"bytes", itself(), "\ud800", {"\ud800": 1}, {1j: 1}, nested(100_000)],
    ids=["nan", "inf", "set", "object", "bytes", "loop", "surrogate", "surrogate name", "complex name", "deep"],
)
@pytest.mark.parametrize("validation", ["strict", "warn", "off"])
def test_what_json_cannot_carry_is_refused_before(validation: str, data: Any, make_pair: MakePair) -> None:
    pair = make_pair(validation=validation)
    frames = watch_frames(pair)
    for use in (pair.connection.call, pair.connection.send):
        with pytest.raises(InvalidPayload) as caught:
            use("DataTransfer", transfer(data))
        assert caught.value.action == "DataTransfer"
    pair.round_trip()
    assert frames.directions() == ["out", "in"]


@pytest.mark.parametrize("payload", [[], "text", 1, True, (("vendorId", "v"),)])
@pytest.mark.parametrize("validation", ["strict", "warn", "off"])
def test_a_payload_that_is_no_dict_is_refused_before(validation: str, payload: Any, make_pair: MakePair) -> None:
    pair = make_pair(validation=validation)
    frames = watch_frames(pair)
    for use in (pair.connection.call, pair.connection.send):
        with pytest.raises(InvalidPayload):
            use("DataTransfer", payload)
    assert frames.seen() == []


# --- validation of all four payloads: strict, warn, off


def set_modes(direction: str, mode: str, how: str) -> dict[str, str]:
    """A mode for one direction, with the contrary for everything else."""
    other = "off" if mode == "strict" else "strict"
    key = {"direction": direction, "action": "DataTransfer", "both": f"{direction}:DataTransfer"}[how]
    modes = {"*": other, key: mode}
    if how == "both":
        modes |= {"DataTransfer": other, direction: other}
    return modes


each_mode = pytest.mark.parametrize("mode", ["strict", "warn", "off"])
each_key = pytest.mark.parametrize("how", ["direction", "action", "both"])
INVALID = {"vendorId": "v", "more": 1}
INVALID_ANSWER = {"status": "Maybe"}


@each_mode
@each_key
def test_validation_of_a_request_that_goes_out(mode: str, how: str, make_pair: MakePair, caplog: pytest.LogCaptureFixture) -> None:
    pair = make_pair(validation=set_modes("out", mode, how))
    if mode == "strict":
        with pytest.raises(InvalidPayload):
            pair.connection.call("DataTransfer", INVALID)
        return
    call = in_thread(pair.connection.call, "DataTransfer", INVALID)
    _, message_id, _, payload = pair.peer.receive()
    assert payload == INVALID
    pair.peer.send([3, message_id, ACCEPTED])
    assert call.result() == ACCEPTED
    assert_warned(caplog, mode)


@each_mode
@each_key
def test_validation_of_a_response_that_comes_in(mode: str, how: str, make_pair: MakePair, caplog: pytest.LogCaptureFixture) -> None:
    pair = make_pair(validation=set_modes("in", mode, how))
    call = pair.call()
    message_id, _ = pair.received_call()
    pair.peer.send([3, message_id, INVALID_ANSWER])
    if mode == "strict":
        with pytest.raises(InvalidPayload):
            call.result()
        return
    assert call.result() == INVALID_ANSWER
    assert_warned(caplog, mode)


@each_mode
@each_key
def test_validation_of_a_request_that_comes_in(mode: str, how: str, make_pair: MakePair, caplog: pytest.LogCaptureFixture) -> None:
    pair = make_pair(validation=set_modes("in", mode, how))
    pair.connection.on("DataTransfer", handled := Collector(ACCEPTED))
    pair.peer.send([2, "1", "DataTransfer", INVALID])
    answer = pair.peer.receive()
    if mode == "strict":
        assert answer[:3] == [4, "1", "FormatViolation"]
        assert handled.calls.empty()
        return
    assert answer == [3, "1", ACCEPTED]
    assert handled.next() == (INVALID,)
    assert_warned(caplog, mode)


@each_mode
@each_key
def test_validation_of_a_response_that_goes_out(mode: str, how: str, make_pair: MakePair, caplog: pytest.LogCaptureFixture) -> None:
    pair = make_pair(validation=set_modes("out", mode, how))
    pair.connection.on("DataTransfer", lambda _: INVALID_ANSWER)
    pair.peer.send([2, "1", "DataTransfer", transfer()])
    answer = pair.peer.receive()
    if mode == "strict":
        assert answer == [4, "1", "InternalError", "", {}]
        return
    assert answer == [3, "1", INVALID_ANSWER]
    assert_warned(caplog, mode)


def assert_warned(caplog: pytest.LogCaptureFixture, mode: str) -> None:
    assert [("although invalid" in text) for text in warnings_in(caplog)] == ([True] if mode == "warn" else [])


def test_validation_off_lets_an_action_out_that_the_version_does_not_know(pair_of: MakePair) -> None:
    pair = pair_of("client", validation={"out": "off"})
    call = in_thread(pair.connection.call, "OutOfCoffee", {"cups": 0})
    kind, message_id, action, payload = pair.peer.receive()
    assert (kind, action, payload) == (2, "OutOfCoffee", {"cups": 0})
    pair.peer.send([4, message_id, "NotImplemented", "", {}])
    with pytest.raises(CallError):
        call.result()


# --- SEND (B17)


STREAM = {"id": 1, "pending": 0, "basetime": NOW, "data": [{"t": 0, "v": "1"}]}


def test_b17_a_send_goes_out_while_a_call_waits(pair_of: MakePair) -> None:
    pair = pair_of("client", "2.1")
    call = pair.call()
    message_id, _ = pair.received_call()
    for _ in range(3):
        pair.connection.send("NotifyPeriodicEventStream", STREAM)
        kind, _, *rest = pair.peer.receive()
        assert (kind, rest) == (6, ["NotifyPeriodicEventStream", STREAM])
    pair.answer(message_id)
    call.result()


def test_b17_a_send_is_handled_and_never_answered(pair_of: MakePair, caplog: pytest.LogCaptureFixture) -> None:
    pair = pair_of("server", "2.1")
    pair.connection.on("NotifyPeriodicEventStream", handled := Collector({"never": "sent"}))
    frames = watch_frames(pair)
    pair.peer.send([6, "1", "NotifyPeriodicEventStream", STREAM])
    assert handled.next() == (STREAM,)
    pair.peer.send([6, "2", "NotifyPeriodicEventStream", {}])
    pair.peer.send([6, "3", "DataTransfer", transfer()])
    pair.peer.send([2, "4", "NotifyPeriodicEventStream", STREAM])
    assert pair.peer.receive()[:3] == [4, "4", "ProtocolError"]
    assert frames.directions().count("out") == 1
    assert sum("SEND was not handled" in text for text in warnings_in(caplog)) == 2


def test_b17_a_send_into_a_closed_link_is_heard_of(pair_of: MakePair) -> None:
    pair = pair_of("client", "2.1")
    client = pair.connection
    client.on("frame", lambda *_: client.close(1000, "in between"))
    with pytest.raises(ConnectionClosed) as caught:
        client.send("NotifyPeriodicEventStream", STREAM)
    assert not isinstance(caught.value, NotConnected)
    with pytest.raises(NotConnected):
        client.send("NotifyPeriodicEventStream", STREAM)


def test_a_call_into_a_closed_link_is_heard_of(make_pair: MakePair) -> None:
    pair = make_pair()
    pair.connection.on("frame", lambda *_: pair.connection.close(1000, "in between"))
    with pytest.raises(ConnectionClosed) as caught:
        pair.connection.call("DataTransfer", transfer())
    assert (caught.value.code, caught.value.reason) == (1000, "in between")


@pytest.mark.parametrize("use", ["call", "send"])
def test_a_link_that_goes_while_the_request_is_checked(use: str, pair_of: MakePair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = pair_of("client", "2.1", validation="off")
    check = pair.connection._checks.outgoing_request

    def slow(*arguments: Any, **options: Any) -> None:
        check(*arguments, **options)
        pair.connection.close()

    monkeypatch.setattr(pair.connection._checks, "outgoing_request", slow)
    with pytest.raises(NotConnected):
        getattr(pair.connection, use)("NotifyPeriodicEventStream", STREAM)


def test_what_the_reader_says_into_a_closed_link_is_dropped(make_pair: MakePair) -> None:
    pair = make_pair()
    done = Collector()

    def close(direction: str, _: str) -> None:
        if direction == "out":
            pair.connection.close(4000, "enough")
            done(threading.current_thread().name)

    pair.connection.on("frame", close)
    pair.connection.on("close", closed := Collector())
    pair.peer.send("nonsense")
    assert done.next() == ("ocpp-rx CP1",)
    assert pair.peer.receive_close() == (4000, "enough")
    assert closed.next() == (4000, "enough")


# --- the link is lost


def waiting_calls(pair: Pair, count: int = 4) -> list[Future]:
    """Calls, the first of which has gone out."""
    queued = watch_queue(pair.connection)
    calls = []
    for data in range(count):
        calls.append(pair.call(data))
        queued.next()
    pair.received_call()
    return calls


def assert_closed(calls: list[Future], code: int, reason: str | None = None) -> None:
    for call in calls:
        with pytest.raises(ConnectionClosed) as caught:
            call.result()
        assert caught.value.code == code
        assert reason is None or caught.value.reason == reason
        assert isinstance(caught.value, ConnectionError)
        assert not isinstance(caught.value, NotConnected)


def test_a_lost_link_fails_all_calls_at_once(make_pair: MakePair) -> None:
    pair = make_pair(call_timeout=None)
    pair.connection.on("close", closed := Collector())
    calls = waiting_calls(pair)
    pair.cut()
    assert_closed(calls, 1006)
    assert closed.next()[0] == 1006
    assert pair.connection.wait_closed(TIMEOUT)
    assert not pair.connection.connected
    with pytest.raises(NotConnected):
        pair.connection.call("DataTransfer", transfer())


def test_a_reset_link_fails_all_calls_at_once(deaf_pair: tuple[Connection, socket.socket]) -> None:
    connection, peer = deaf_pair
    queued = watch_queue(connection)
    calls = [in_thread(connection.call, "DataTransfer", transfer(), timeout=None) for _ in range(3)]
    for _ in calls:
        queued.next()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    peer.close()
    assert_closed(calls, 1006)


def test_the_other_side_closes_and_all_calls_fail_with_what_it_says(make_pair: MakePair) -> None:
    pair = make_pair(call_timeout=None)
    pair.connection.on("close", closed := Collector())
    calls = waiting_calls(pair)
    pair.peer.socket.close(4001, "maintenance")
    assert_closed(calls, 4001, "maintenance")
    assert closed.next() == (4001, "maintenance")


def test_the_other_side_closes_without_a_code(deaf_pair: tuple[Connection, socket.socket]) -> None:
    connection, peer = deaf_pair
    connection.on("close", closed := Collector())
    # A client masks its frames, a server does not.
    peer.sendall(b"\x88\x00" if isinstance(connection, OcppClient) else b"\x88\x80\0\0\0\0")
    assert closed.next() == (1005, "")
    assert connection.wait_closed(TIMEOUT)


def test_a_request_whose_link_has_gone_is_not_handled(make_pair: MakePair) -> None:
    pair = make_pair()
    release, started = threading.Event(), threading.Event()
    handled = Collector()

    def handle(request: Any) -> dict[str, Any]:
        handled(request["data"])
        started.set()
        release.wait(TIMEOUT)
        return ACCEPTED

    pair.connection.on("DataTransfer", handle)
    pair.connection.on("close", closed := Collector())
    for number in range(5):
        pair.peer.send([2, str(number), "DataTransfer", transfer(number)])
    assert started.wait(TIMEOUT)
    pair.peer.sync()
    pair.cut()
    assert pair.connection.wait_closed(TIMEOUT)
    release.set()
    assert closed.next()[0] == 1006  # comes after them in order
    assert handled.next() == (0,)
    assert handled.calls.empty()


# --- many threads


def echo(request: dict[str, Any]) -> dict[str, Any]:
    return {**ACCEPTED, "data": request["data"]}


def call_many(connection: Connection, name: int, count: int) -> list[Any]:
    return [connection.call("DataTransfer", transfer(f"{name}:{number}"), timeout=60)["data"] for number in range(count)]


@pytest.mark.parametrize("roles", [("client",), ("server",), ROLES], ids="+".join)
def test_b3_a_thousand_calls_of_twenty_threads_over_one_link(roles: tuple[str, ...], server: OcppServer, make_client: MakeClient) -> None:
    ends: dict[str, Connection] = {"client": make_client(server.url, version="1.6")}
    ends["server"] = server.wait_for("CP1", TIMEOUT)
    received: dict[str, list[str]] = {role: [] for role in ROLES}

    def handler(caller: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
        return lambda request: received[caller].append(request["data"]) or echo(request)  # type: ignore[func-returns-value]

    ends["client"].on("DataTransfer", handler("server"))
    ends["server"].on("DataTransfer", handler("client"))
    threads = {(role, name): in_thread(call_many, ends[role], name, 50) for name in range(20) for role in roles}
    for (_, name), thread in threads.items():
        assert thread.result(60) == [f"{name}:{number}" for number in range(50)]
    for role in roles:
        assert len(received[role]) == 1000
        for name in range(20):
            assert [data for data in received[role] if data.startswith(f"{name}:")] == [f"{name}:{number}" for number in range(50)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_b3_calls_over_a_link_that_is_cut_again_and_again(seed: int, server: OcppServer, make_client: MakeClient) -> None:
    dice = random.Random(seed)
    url, cuts = server.url, []
    client = make_client(url)
    reconnecting = threading.Lock()

    def handle(charge_point: Any, request: dict[str, Any]) -> dict[str, Any]:
        # One handler at a time, but for that of a link that has just been replaced.
        if dice.random() < 0.05 and (link := charge_point._link) is not None:
            cuts.append(request["data"])
            link.abort()
        return echo(request)

    server.on("DataTransfer", handle)

    def work(name: int) -> tuple[int, int]:
        answered = lost = 0
        for number in range(60):
            data = f"{name}:{number}"
            try:
                assert client.call("DataTransfer", transfer(data), timeout=60)["data"] == data
                answered += 1
            except ConnectionClosed:
                lost += 1
                with reconnecting:
                    if not client.connected:
                        client.connect(url, timeout=60)
        return answered, lost

    outcomes = [future.result(60) for future in [in_thread(work, name) for name in range(8)]]
    assert sum(answered + lost for answered, lost in outcomes) == 8 * 60
    assert cuts
    assert sum(lost for _, lost in outcomes) >= 1
    assert sum(answered for answered, _ in outcomes) >= 60


# --- the end, from this side


def test_close_fails_all_calls_at_once(make_pair: MakePair) -> None:
    pair = make_pair(call_timeout=None)
    pair.connection.on("close", closed := Collector())
    calls = waiting_calls(pair)
    in_thread(pair.connection.close, 4000, "enough").result()
    assert_closed(calls, 4000, "enough")
    assert closed.next() == (4000, "enough")
    assert pair.peer.receive_close() == (4000, "enough")


def test_close_fails_all_calls_before_the_other_side_has_answered(deaf_pair: tuple[Connection, socket.socket]) -> None:
    connection, peer = deaf_pair
    queued = watch_queue(connection)
    calls = [in_thread(connection.call, "DataTransfer", transfer(), timeout=None) for _ in range(3)]
    for _ in calls:
        queued.next()
    closing = in_thread(connection.close)
    assert_closed(calls, 1000)
    assert not connection.wait_closed(0)
    peer.shutdown(socket.SHUT_RDWR)
    closing.result()


@pytest.mark.parametrize("full", [False, True])
def test_close_comes_to_an_end_without_an_answer(
    full: bool, deaf_pair: tuple[Connection, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocpp_sync.connection._CLOSE_TIMEOUT", 0.2)
    connection, _ = deaf_pair
    if full:
        fill(connection)
    connection.on("close", closed := Collector())
    in_thread(connection.close).result()
    assert closed.next() == (1000, "")
    assert connection.wait_closed(0)


def test_close_from_a_handler_while_the_call_of_another_one_waits(make_pair: MakePair) -> None:
    pair = make_pair(call_timeout=None)
    failed = Collector()

    def first(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield ACCEPTED
        try:
            pair.connection.call("DataTransfer", transfer())
        except ConnectionClosed as error:
            failed(error.code, error.reason)

    def close(*_: Any) -> dict[str, Any]:
        pair.connection.close(1000, "from a handler")
        return ACCEPTED

    pair.connection.on("DataTransfer", first)
    pair.connection.on("*", close)
    pair.peer.send([2, "1", "DataTransfer", transfer()])
    assert pair.peer.receive() == [3, "1", ACCEPTED]
    pair.received_call()
    pair.peer.send([2, "2", *(("ClearCache", {}) if isinstance(pair.connection, OcppClient) else ("Heartbeat", {}))])
    assert failed.next() == (1000, "from a handler")
    assert pair.peer.receive_close() == (1000, "from a handler")
    assert pair.connection.wait_closed(TIMEOUT)


def test_close_does_not_wait_for_ever_for_a_handler(
    make_pair: MakePair, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ocpp_sync.connection._CLOSE_TIMEOUT", 0.1)
    monkeypatch.setattr("ocpp_sync.connection._ABORT_TIMEOUT", 0.1)
    pair = make_pair()
    release, started = threading.Event(), threading.Event()

    def handle(_: Any) -> None:
        started.set()
        release.wait()

    pair.connection.on("DataTransfer", handle)
    pair.peer.send([2, "1", "DataTransfer", transfer()])
    assert started.wait(TIMEOUT)
    in_thread(pair.connection.close).result()
    assert [("handler still runs" in text) for text in warnings_in(caplog)] == [True]
    release.set()


def test_close_of_both_sides_at_once(server: OcppServer, make_client: MakeClient) -> None:
    for _ in range(20):
        client = make_client(server.url)
        connection = server.wait_for("CP1", TIMEOUT)
        both = [in_thread(end.close) for end in (client, connection)]
        for future in both:
            future.result()
        assert connection.wait_closed(TIMEOUT)
        assert client.wait_closed(TIMEOUT)


def test_close_from_many_threads(make_pair: MakePair) -> None:
    pair = make_pair()
    pair.connection.on("close", closed := Collector())
    for future in [in_thread(pair.connection.close, 4000 + number) for number in range(10)]:
        future.result()
    code, _ = closed.next()
    assert pair.peer.receive_close()[0] == code
    assert closed.calls.empty()


SCRIPT = """
import signal, socket, sys, threading, time
from ocpp_sync import CallTimeout, OcppClient, OcppServer

def stack(thread):
    frame = sys._current_frames()[thread]
    while frame is not None:
        yield frame.f_code.co_name
        frame = frame.f_back

def interrupt():
    main = threading.main_thread().ident
    while True:  # until the main thread waits, and where it is to be interrupted: starting a thread waits, too
        innermost, *callers = stack(main)
        if innermost in ("wait", "_wait") and "expect_interrupt" in callers:
            break
        time.sleep(0.001)
    while True:  # a signal that comes when it is just about to wait in the system wakes nobody
        signal.pthread_kill(main, signal.SIGINT)
        if interrupted.wait(1):
            break

interrupted = threading.Event()

def expect_interrupt(function, *arguments):
    try:
        function(*arguments)
    except KeyboardInterrupt:
        interrupted.set()
        print("interrupted", flush=True)
"""

ENDS = {
    "call": """
server = OcppServer().listen(0, "127.0.0.1")
server.on("DataTransfer", lambda *_: interrupt() or threading.Event().wait())
server.on("Heartbeat", lambda *_: {"currentTime": "2025-01-01T00:00:00Z"})
client = OcppClient("CP1", call_timeout=None).connect(server.url)
expect_interrupt(client.call, "DataTransfer", {"vendorId": "v"})
try:  # it has its turn at once, although the handler of the other one never comes back
    client.call("Heartbeat", timeout=0)
except CallTimeout as error:
    print("sent", error.sent)
""",
    "connect": """
listener = socket.create_server(("127.0.0.1", 0))
def silent():
    sock, _ = listener.accept()
    sock.recv(1)
    interrupt()
    threading.Event().wait()
threading.Thread(target=silent, daemon=True).start()
client = OcppClient("CP1")
expect_interrupt(client.connect, f"ws://127.0.0.1:{listener.getsockname()[1]}")
print("connected", client.connected)
server = OcppServer().listen(0, "127.0.0.1")
print("connected", client.connect(server.url).connected)
""",
    "run_forever": """
server = OcppServer().listen(0, "127.0.0.1")
client = OcppClient("CP1").connect(server.url)
client.on("ClearCache", lambda _: interrupt() or {"status": "Accepted"})
threading.Thread(target=server.wait_for("CP1").call, args=("ClearCache",), daemon=True).start()
expect_interrupt(client.run_forever)
print("connected", client.connected)
""",
    "exit": """
server = OcppServer().listen(0, "127.0.0.1")
called = threading.Event()
server.on("DataTransfer", lambda *_: called.set() or threading.Event().wait())
client = OcppClient("CP1", call_timeout=None).connect(server.url)
client.on("ClearCache", lambda _: threading.Event().wait())
threading.Thread(target=client.call, args=("DataTransfer", {"vendorId": "v"}), daemon=True).start()
threading.Thread(target=server.wait_for("CP1").call, args=("ClearCache",), daemon=True).start()
called.wait()
print("connected", client.connected)
""",
}


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("call", ["interrupted", "sent True"]),
        ("connect", ["interrupted", "connected False", "connected True"]),
        ("run_forever", ["interrupted", "connected True"]),
        ("exit", ["connected True"]),
    ],
)
def test_ctrl_c_and_the_end_of_the_program(name: str, output: list[str]) -> None:
    # Whatever is still open then must not keep the program from ending.
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT + ENDS[name]],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "PYTHONWARNINGS": "default"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stdout.splitlines(), run.stderr) == (0, output, "")


def test_ctrl_c_in_the_middle_of_a_write_sends_nothing_twice(make_pair: MakePair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = make_pair()
    assert pair.connection._link is not None
    stream = pair.connection._link.stream
    write = stream._write

    def interrupted(chunk: memoryview) -> int:
        assert write(chunk) == len(chunk)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stream, "_write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pair.connection.call("DataTransfer", transfer("first"))
    assert pair.received_call()[1] == "first"
    call = pair.call("next")
    try:
        message_id, data = pair.received_call()
    except LinkClosed:
        # Who cannot tell what has gone out may give the link up as well.
        with pytest.raises(ConnectionClosed):
            call.result()
        return
    assert data == "next"
    pair.answer(message_id)
    call.result()


# --- handlers


class Blocked(NamedTuple):
    """A pair one of whose handlers does not come back until it is released."""

    pair: Pair
    release: threading.Event


@pytest.fixture
def blocked(make_pair: MakePair) -> Iterator[Blocked]:
    release, started = threading.Event(), threading.Event()

    def handle(_: Any) -> dict[str, Any]:
        started.set()
        release.wait()
        return ACCEPTED

    pair = make_pair()
    pair.connection.on("DataTransfer", handle)
    pair.peer.send([2, "blocked", "DataTransfer", transfer()])
    assert started.wait(TIMEOUT)
    yield Blocked(pair, release)
    release.set()


def test_a_blocked_handler_holds_up_no_ping_no_answer_and_no_call(blocked: Blocked) -> None:
    pair = blocked.pair
    pair.peer.sync()
    for number in range(3):
        pair.round_trip(number)
    calls = waiting_calls(pair)
    blocked.release.set()
    assert pair.peer.receive() == [3, "blocked", ACCEPTED]
    pair.cut()
    assert_closed(calls, 1006)


def test_a_blocked_handler_does_not_keep_the_end_of_the_link_from_being_seen(blocked: Blocked) -> None:
    calls = waiting_calls(blocked.pair)
    blocked.pair.peer.socket.close(1001, "away")
    assert_closed(calls, 1001, "away")
    assert blocked.pair.connection.wait_closed(TIMEOUT)


def test_the_answer_to_a_request_of_a_lost_link_goes_nowhere(blocked: Blocked, caplog: pytest.LogCaptureFixture) -> None:
    blocked.pair.connection.on("close", closed := Collector())
    blocked.pair.cut()
    assert blocked.pair.connection.wait_closed(TIMEOUT)
    blocked.release.set()
    closed.next()
    assert warnings_in(caplog) == []


def test_a_handler_may_call(make_pair: MakePair) -> None:
    pair = make_pair()
    pair.connection.on("DataTransfer", lambda request: pair.connection.call("DataTransfer", transfer([request["data"]])))
    pair.peer.send([2, "1", "DataTransfer", transfer("x")])
    message_id, data = pair.received_call()
    assert data == ["x"]
    pair.answer(message_id, "y")
    assert pair.peer.receive() == [3, "1", {**ACCEPTED, "data": "y"}]


@pytest.mark.parametrize("answer", [{"status": float("nan")}, {"status": object()}, ["no dict"], ValueError("secret")])
def test_b5_an_answer_that_cannot_be_sent_is_an_error(answer: Any, make_pair: MakePair) -> None:
    pair = make_pair(validation="off")

    def handle(_: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    pair.connection.on("DataTransfer", handle)
    for message_id in ("1", "2"):
        pair.peer.send([2, message_id, "DataTransfer", transfer()])
        assert pair.peer.receive() == [4, message_id, "InternalError", "", {}]


def test_b8_what_nobody_handles_is_answered(make_pair: MakePair) -> None:
    pair = make_pair()
    for action, code in [("DataTransfer", "NotSupported"), ("OutOfCoffee", "NotImplemented")]:
        pair.peer.send([2, "1", action, transfer()])
        assert pair.peer.receive()[:3] == [4, "1", code]


def test_b5_requests_are_answered_in_their_order(make_pair: MakePair) -> None:
    pair = make_pair()
    pair.connection.on("DataTransfer", echo)
    for number in range(200):
        pair.peer.send([2, str(number), "DataTransfer", transfer(number)])
    assert [pair.peer.receive() for _ in range(200)] == [[3, str(number), {**ACCEPTED, "data": number}] for number in range(200)]


def test_more_requests_than_there_is_room_for_are_not_lost(blocked: Blocked) -> None:
    pair = blocked.pair
    for number in range(300):
        pair.peer.send([2, str(number), "DataTransfer", transfer(number)])
    blocked.release.set()
    assert [pair.peer.receive()[1] for _ in range(301)] == ["blocked", *map(str, range(300))]


def test_close_frees_a_reader_that_waits_for_room(blocked: Blocked, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = blocked.pair
    waits = Collector()
    worker = pair.connection._worker
    is_full = worker.is_full

    def watched() -> bool:
        if full := is_full():
            waits(threading.current_thread().name)
        return full

    monkeypatch.setattr(worker, "is_full", watched)
    for number in range(100):
        pair.peer.send([2, str(number), "DataTransfer", transfer(number)])
    assert waits.next() == ("ocpp-rx CP1",)
    closing = in_thread(pair.connection.close, 1000, "enough")
    assert pair.peer.receive_close() == (1000, "enough")
    assert pair.connection.wait_closed(TIMEOUT)
    blocked.release.set()
    closing.result()


# --- events


def test_frame_shows_both_directions_in_order(make_pair: MakePair) -> None:
    pair = make_pair()
    frames = watch_frames(pair)
    pair.connection.on("DataTransfer", echo)
    call = pair.call("ä")
    message_id, _ = pair.received_call()
    pair.answer(message_id, "b")
    call.result()
    pair.peer.send([2, "1", "DataTransfer", transfer("c")])
    pair.peer.receive()
    assert frames.seen() == [
        ("out", [2, message_id, "DataTransfer", transfer("ä")]),
        ("in", [3, message_id, {**ACCEPTED, "data": "b"}]),
        ("in", [2, "1", "DataTransfer", transfer("c")]),
        ("out", [3, "1", {**ACCEPTED, "data": "c"}]),
    ]


def test_frame_shows_what_is_no_message_too(make_pair: MakePair) -> None:
    pair = make_pair()
    pair.connection.on("frame", frames := Collector())
    pair.connection.on("error", errors := Collector())
    pair.peer.send("nonsense")
    assert frames.next() == ("in", "nonsense")
    assert frames.next()[0] == "out"
    (error,) = errors.next()
    assert error.code == "RpcFrameworkError"
    assert pair.peer.receive()[:3] == [4, "-1", "RpcFrameworkError"]


def test_the_call_of_frame_precedes_that_of_its_answer(server: OcppServer, make_client: MakeClient) -> None:
    server.on("DataTransfer", lambda _, request: echo(request))
    client = make_client(server.url)
    client.on("frame", frames := Frames())
    for future in [in_thread(call_many, client, name, 20) for name in range(5)]:
        future.result(60)
    seen = [(direction, message[:2]) for direction, message in frames.seen()]
    outgoing = [message[1] for direction, message in seen if direction == "out"]
    assert len(outgoing) == 100
    assert seen == [entry for message_id in outgoing for entry in (("out", [2, message_id]), ("in", [3, message_id]))]


@pytest.mark.parametrize("masked", [True, False])
def test_frame_masks_secrets_unless_told_otherwise(masked: bool, pair_of: MakePair) -> None:
    pair = pair_of("client", "1.6", **({} if masked else {"redact": False}))
    pair.connection.on("ChangeConfiguration", handled := Collector({"status": "Accepted"}))
    frames = watch_frames(pair)
    request = {"key": "AuthorizationKey", "value": "0001020304050607FFFF"}
    pair.peer.send([2, "1", "ChangeConfiguration", request])
    assert handled.next() == (request,)
    pair.peer.receive()
    direction, (_, _, _, shown) = frames.seen()[0]
    assert (direction, shown) == ("in", {**request, "value": "***"} if masked else request)


@pytest.mark.parametrize("masked", [True, False])
def test_frame_masks_what_goes_out(masked: bool, pair_of: MakePair) -> None:
    pair = pair_of("server", "1.6", **({} if masked else {"redact": False}))
    frames = watch_frames(pair)
    request = {"key": "AuthorizationKey", "value": "0001020304050607FFFF"}
    call = in_thread(pair.connection.call, "ChangeConfiguration", request)
    _, message_id, _, payload = pair.peer.receive()
    assert payload == request
    pair.peer.send([3, message_id, ACCEPTED])
    call.result()
    direction, (_, _, _, shown) = frames.seen()[0]
    assert (direction, shown) == ("out", {**request, "value": "***"} if masked else request)


@pytest.mark.parametrize("where", ["in", "out"])
def test_a_call_in_a_handler_of_frame_is_refused(where: str, make_pair: MakePair) -> None:
    pair = make_pair(call_timeout=None)
    refusals = Collector()

    def frame(direction: str, _: str) -> None:
        if direction == where:
            for use in (pair.connection.call, pair.connection.send):
                with pytest.raises(RuntimeError, match="'frame'"):
                    use("DataTransfer", transfer())
            refusals(direction)

    pair.connection.on("frame", frame)
    for number in range(3):
        pair.round_trip(number)
        assert refusals.next() == (where,)


def test_the_call_of_another_thread_is_free_while_frame_is_handled(make_pair: MakePair) -> None:
    pair = make_pair()
    release, started = threading.Event(), threading.Event()

    def frame(_: str, text: str) -> None:
        if "slow" in text:
            started.set()
            release.wait()

    pair.connection.on("frame", frame)
    slow = pair.call("slow", timeout=TIMEOUT)
    assert started.wait(TIMEOUT)
    other = pair.call("other")
    release.set()
    for _ in range(2):
        message_id, data = pair.received_call()
        pair.answer(message_id, data.replace("slow", "done"))
    assert (slow.result()["data"], other.result()["data"]) == ("done", "other")


def test_what_a_handler_of_an_event_raises_is_logged(make_pair: MakePair, caplog: pytest.LogCaptureFixture) -> None:
    pair = make_pair()

    def fail(*_: Any) -> None:
        raise ValueError("so")

    pair.connection.on("frame", fail)
    pair.connection.on("close", fail)
    pair.connection.on("close", closed := Collector())
    pair.round_trip()
    pair.peer.socket.close(1001)
    assert closed.next() == (1001, "")
    assert sum("handler of the event" in text for text in warnings_in(caplog)) == 3


def test_calls_leave_nothing_behind(make_pair: MakePair) -> None:
    pair = make_pair()
    core = pair.connection._core
    assert core is not None
    pair.round_trip()
    with pytest.raises(CallTimeout):
        pair.connection.call("DataTransfer", transfer(), timeout=0)
    assert (core._outstanding, list(core._waiting), core._being_handled, core._outgoing) == (None, [], set(), [])
