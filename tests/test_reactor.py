"""The threads of a server: one reads all links, and whatever a handler does, somebody else goes on."""

from __future__ import annotations

import gc
import json
import os
import socket
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from ocpp_sync import Limits, OcppClient, OcppServer
from ocpp_sync import connection as connection_module
from ocpp_sync import reactor as reactor_module
from ocpp_sync import server as server_module
from ocpp_sync.reactor import Reactor
from ocpp_sync.server_connection import OcppClientConnection

from .support import TIMEOUT, Collector, Future, in_thread, wait_until
from .wire import PING, PONG, Wire, connect_wire, header

pytestmark = pytest.mark.skipif(not reactor_module.is_available(), reason="there is no epoll here")

MakeServer = Callable[..., OcppServer]
MakeClient = Callable[..., OcppClient]

VERSION = "2.0.1"
ACCEPTED = {"status": "Accepted"}
SOON = 0.1


def transfer(data: Any = "") -> dict[str, Any]:
    """A request that both ends may send."""
    return {"vendorId": "v", "data": data}


def echo(_: Any, request: dict[str, Any]) -> dict[str, Any]:
    return {**ACCEPTED, "data": request.get("data", "")}


PATIENCE = 1.0
"""Seconds for what comes at once, or never where it must not or does not yet."""


class Gate:
    """A handler that waits where its request says so, until it is opened."""

    def __init__(self) -> None:
        self.entered: Collector = Collector()
        self._open = threading.Event()

    def __call__(self, connection: OcppClientConnection, request: dict[str, Any]) -> dict[str, Any]:
        if request["data"] == "wait":
            self.entered(connection.identity)
            assert self._open.wait(3 * TIMEOUT)
        return echo(connection, request)

    def frame(self, connection: OcppClientConnection, direction: str, text: str) -> None:
        """The same as a handler of "frame"."""
        if direction == "in" and '"wait in frame"' in text:
            self.entered(connection.identity)
            assert self._open.wait(3 * TIMEOUT)

    def wait(self, count: int = 1) -> set[str]:
        """Wait until so many are in it; returns who."""
        return {self.entered.next()[0] for _ in range(count)}

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()


@pytest.fixture
def gated(make_server: MakeServer, gate: Gate) -> Iterator[OcppServer]:
    """A server with the gate for DataTransfer; it opens before the server is closed."""
    server = make_server()
    server.on("DataTransfer", gate)
    server.on("frame", gate.frame)
    yield server
    gate.open()


@pytest.fixture
def connect() -> Iterator[Callable[..., Wire]]:
    """Connects charge points whose every byte is decided here."""
    wires: list[Wire] = []

    def connect(server: OcppServer, identity: str = "CP1") -> Wire:
        wires.append(connect_wire(server.url, identity, version=VERSION))
        server.wait_for(identity, TIMEOUT)
        return wires[-1]

    yield connect
    for wire in wires:
        wire.close()


Connect = Callable[..., Wire]


@pytest.fixture
def short_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing does not wait long for a handler that does not come back."""
    monkeypatch.setattr(server_module, "_CLOSE_TIMEOUT", SOON)
    monkeypatch.setattr(connection_module, "_CLOSE_TIMEOUT", SOON)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The leader may take its time: nothing depends on how fast the machine is."""
    monkeypatch.setattr(reactor_module, "_LOOK_INTERVAL", 2 * TIMEOUT)
    monkeypatch.setattr(reactor_module, "_SLOW", 2 * TIMEOUT)


def ask(wire: Wire, data: Any = "", message_id: str = "1") -> None:
    wire.send([2, message_id, "DataTransfer", transfer(data)])


def round_trip(wire: Wire, data: Any = "", message_id: str = "1") -> None:
    """A call of the charge point's that is answered."""
    ask(wire, data, message_id)
    assert wire.receive_json() == [3, message_id, {**ACCEPTED, "data": data}]


def answer(wire: Wire, data: Any = "") -> Any:
    """Answer the call that comes next; returns what it has brought."""
    kind, message_id, action, payload = wire.receive_json()
    assert (kind, action) == (2, "DataTransfer")
    wire.send([3, message_id, {**ACCEPTED, "data": data}])
    return payload["data"]


def called(server: OcppServer, wire: Wire, identity: str = "CP1") -> None:
    """A call of the server's that is answered."""
    call = in_thread(server[identity].call, "DataTransfer", transfer("down"))
    assert answer(wire, "up") == "down"
    assert call.result()["data"] == "up"


def pinged(wire: Wire) -> None:
    wire.send(b"alive", PING)
    assert wire.receive() == (PONG, b"alive")


def reactor_of(server: OcppServer) -> Reactor:
    assert server._reactor is not None
    return server._reactor


def seat_of(server: OcppServer, identity: str = "CP1") -> Any:
    connection, reactor = server[identity], reactor_of(server)

    def seats() -> list[Any]:
        return [seat for seat in list(reactor._seats.values()) if seat.connection is connection]

    assert wait_until(seats)
    return seats()[0]


def our_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("ocpp-")]


# --- Few threads


def test_many_idle_connections_need_few_threads(gated: OcppServer, connect: Connect) -> None:
    wires = [connect(gated, f"CP{number}") for number in range(120)]
    for number, wire in enumerate(wires):
        round_trip(wire, number)
    assert wait_until(lambda: not any(name.startswith("ocpp-http") for name in our_threads()))
    assert len(our_threads()) <= 12  # a few more than there are handlers at a time, on the slowest machine
    assert len(reactor_of(gated)._seats) == 120
    for number in (0, 60, 119):
        called(gated, wires[number], f"CP{number}")


@pytest.mark.usefixtures("unhurried")
def test_a_quick_handler_runs_in_the_thread_that_reads(make_server: MakeServer, connect: Connect) -> None:
    server, readers, handlers = make_server(), Collector(), Collector()
    server.on("frame", lambda _, direction, __: readers(threading.get_ident()) if direction == "in" else None)
    server.on("DataTransfer", lambda *arguments: handlers(threading.get_ident()) or echo(*arguments))
    wires = [connect(server, f"CP{number}") for number in range(3)]
    seen = set()
    for number in range(30):
        round_trip(wires[number % 3], number)
        seen |= {readers.next(), handlers.next()}
    assert len(seen) == 1


def test_idle_threads_end(gated: OcppServer, gate: Gate, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reactor_module, "_IDLE_TIME", SOON)
    wires = [connect(gated, f"CP{number}") for number in range(8)]
    for wire in wires:
        ask(wire, "wait")
    gate.wait(8)
    reactor = reactor_of(gated)
    assert len(reactor._threads) >= 9
    gate.open()
    for wire in wires:
        assert wire.receive_json()[0] == 3
    assert wait_until(lambda: len(reactor._threads) <= 2)
    round_trip(wires[0], "still there")


def test_nobody_looks_when_there_is_nothing_to_do(gated: OcppServer, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reactor_module, "_IDLE_TIME", SOON)  # else a thread more may be there, and wait for its end
    reactor = reactor_of(gated)
    waits: list[float | None] = []
    never = threading.Event()
    wait = reactor._changed.wait

    def watched(timeout: float | None = None) -> bool:
        waits.append(timeout)
        return wait(timeout)

    monkeypatch.setattr(reactor._changed, "wait", watched)
    wire = connect(gated)
    for number in range(3):
        round_trip(wire, number)
        # The number of quiet looks first: it begins anew before the answer goes out.
        assert wait_until(lambda: reactor._quiet >= 3 and waits[-1] is None and len(reactor._threads) == 2)
        count = len(waits)
        never.wait(SOON)
        assert len(waits) == count
    round_trip(wire, "again")
    assert wait_until(lambda: len(waits) > count)  # something to do: they look again


# --- Slow handlers


def test_a_slow_handler_keeps_nobody_else_waiting(gated: OcppServer, gate: Gate, connect: Connect) -> None:
    slow, *others = [connect(gated, f"CP{number}") for number in range(6)]
    for turn in range(3):
        ask(slow, "wait" if turn == 0 else turn, f"slow {turn}")
    gate.wait()
    for turn in range(3):
        for number, wire in enumerate(others, 1):
            round_trip(wire, turn)
            called(gated, wire, f"CP{number}")
        pinged(slow)
        called(gated, slow, "CP0")
    gate.open()
    assert [slow.receive_json()[1] for _ in range(3)] == ["slow 0", "slow 1", "slow 2"]


def test_many_slow_handlers_at_once(gated: OcppServer, gate: Gate, connect: Connect) -> None:
    wires = [connect(gated, f"CP{number}") for number in range(30)]
    for wire in wires[1:]:
        ask(wire, "wait")
    assert gate.wait(29) == {f"CP{number}" for number in range(1, 30)}
    round_trip(wires[0])
    for wire in wires[1:]:
        pinged(wire)
    gate.open()
    for wire in wires[1:]:
        assert wire.receive_json() == [3, "1", {**ACCEPTED, "data": "wait"}]
    for wire in wires:
        round_trip(wire, "after")


@pytest.mark.usefixtures("unhurried")
def test_a_slow_kind_of_task_runs_elsewhere_until_it_was_quick_often_enough(
    make_server: MakeServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, readers, handlers = make_server(), Collector(), Collector()
    server.on("frame", lambda _, direction, __: readers(threading.get_ident()) if direction == "in" else None)
    server.on("DataTransfer", lambda *arguments: handlers(threading.get_ident()) or echo(*arguments))
    server.on("Heartbeat", lambda _, __: handlers(threading.get_ident()) or {"currentTime": "2025-01-01T00:00:00Z"})
    wire, reactor = connect(server), reactor_of(server)
    worker = server["CP1"]._worker

    def by_leader(action: str = "DataTransfer") -> bool:
        wire.send([2, "1", action, transfer() if action == "DataTransfer" else {}])
        assert wire.receive_json()[0] == 3
        assert wait_until(lambda: not worker._runs)  # and nothing of it is left for the next one
        assert wait_until(lambda: reactor._lead is not None and reactor._lead.since is None)
        return readers.next() == handlers.next()

    assert by_leader()
    with monkeypatch.context() as patch:
        patch.setattr(reactor_module, "_SLOW", 0.0)
        assert by_leader()
        assert wait_until(lambda: "DataTransfer" in reactor._slow)
    quick = 0
    while not by_leader():
        quick += 1
        assert quick <= 100
    assert quick >= reactor_module._PROBATION
    assert reactor._slow == {}
    assert by_leader("Heartbeat")


# --- Handlers that call and close


def test_a_handler_calls_its_own_charge_point(make_server: MakeServer, connect: Connect) -> None:
    server = make_server()
    server.on("DataTransfer", lambda connection, request: connection.call("DataTransfer", transfer(["back", request["data"]])))
    wires = [connect(server, f"CP{number}") for number in range(5)]
    for turn in range(3):
        for wire in wires:
            ask(wire, turn, f"up {turn}")
        for wire in wires:
            assert answer(wire, "x") == ["back", turn]
        for wire in wires:
            assert wire.receive_json() == [3, f"up {turn}", {**ACCEPTED, "data": "x"}]


def test_handlers_call_the_next_charge_point_all_round(make_server: MakeServer, make_client: MakeClient) -> None:
    server, count = make_server(), 6

    def relay(connection: OcppClientConnection, request: dict[str, Any]) -> dict[str, Any]:
        following = (int(connection.identity[2:]) + 1) % count
        return server[f"CP{following}"].call("DataTransfer", request)

    server.on("DataTransfer", relay)
    clients = [make_client(identity=f"CP{number}") for number in range(count)]
    for number, client in enumerate(clients):
        client.on("DataTransfer", lambda request, number=number: {**ACCEPTED, "data": [number, request["data"]]})
        client.connect(server.url)
        server.wait_for(f"CP{number}", TIMEOUT)
    for turn in range(5):
        calls = [in_thread(client.call, "DataTransfer", transfer(turn)) for client in clients]
        assert [call.result()["data"] for call in calls] == [[(number + 1) % count, turn] for number in range(count)]


def test_a_handler_calls_a_chain_of_others(make_server: MakeServer, make_client: MakeClient) -> None:
    # Each waits in its handler for the answer of the next: as many threads as there are links of the chain.
    server, count = make_server(), 12

    def relay(connection: OcppClientConnection, request: dict[str, Any]) -> dict[str, Any]:
        following = int(connection.identity[2:]) + 1
        if following == count:
            return {**ACCEPTED, "data": request["data"]}
        return server[f"CP{following}"].call("DataTransfer", request)

    server.on("DataTransfer", relay)
    clients = [make_client(identity=f"CP{number}") for number in range(count)]
    for number, client in enumerate(clients):
        client.on("DataTransfer", lambda request, client=client: client.call("DataTransfer", transfer(request["data"] + 1)))
        client.connect(server.url)
        server.wait_for(f"CP{number}", TIMEOUT)
    assert clients[0].call("DataTransfer", transfer(0))["data"] == count - 1


def test_a_handler_closes_its_connection(make_server: MakeServer, connect: Connect) -> None:
    server, closed, threads = make_server(), Collector(), Collector()

    def close(connection: OcppClientConnection, _: dict[str, Any]) -> dict[str, Any]:
        connection.close(3001, "enough")
        threads(connection.wait_closed(0))
        return ACCEPTED

    server.on("DataTransfer", close)
    server.on("ClearedChargingLimit", lambda *_: {})
    server.on("close", closed)
    wire, other = connect(server), connect(server, "CP2")
    ask(wire)
    assert wire.receive_close() == (3001, "enough")
    other.send([2, "1", "ClearedChargingLimit", {"chargingLimitSource": "EMS"}])
    assert other.receive_json() == [3, "1", {}]
    wire.send_close(3001)
    wire.receive_end()
    assert threads.next() == (True,)
    assert closed.next()[1:] == (3001, "enough")
    assert wait_until(lambda: len(reactor_of(server)._seats) == 1)


def test_a_handler_of_frame_closes_its_connection(make_server: MakeServer, connect: Connect) -> None:
    server, closed = make_server(), Collector()
    server.on("frame", lambda connection, direction, _: connection.close(3001, "enough") if direction == "in" else None)
    server.on("close", closed)
    wire = connect(server)
    ask(wire)
    assert wire.receive_close() == (3001, "enough")
    wire.send_close(3001)
    wire.receive_end()
    assert closed.next()[1:] == (3001, "enough")
    assert closed.calls.empty()


# --- Too much


def tell_most(connection: OcppClientConnection) -> list[int]:
    """Collects how many tasks have waited for the handlers of a connection."""
    worker, counts = connection._worker, [0]
    put = worker.put

    def counted(*arguments: Any) -> None:
        put(*arguments)
        counts.append(len(worker._tasks))

    worker.put = counted  # type: ignore[method-assign, assignment]
    return counts


def flood(wire: Wire, count: int) -> Future:
    """Send many calls, as fast as they are taken."""
    data = b"".join(wire.frame(f'[2,"{number}","DataTransfer",{{"vendorId":"v","data":"{"x" * 200}"}}]') for number in range(count))

    def send() -> None:
        wire.socket.sendall(data)

    return in_thread(send)


def test_a_flood_is_held_back_and_answered_in_the_end(gated: OcppServer, gate: Gate, connect: Connect) -> None:
    wire, other = connect(gated), connect(gated, "CP2")
    counts = tell_most(gated["CP1"])
    ask(wire, "wait", "first")
    gate.wait()
    flooding = flood(wire, 3000)
    assert wait_until(lambda: seat_of(gated).polled == 0)
    for number in range(10):
        round_trip(other, number)
    assert max(counts) <= 64
    gate.open()
    assert [wire.receive_json()[1] for _ in range(3001)] == ["first", *map(str, range(3000))]
    assert max(counts) <= 64
    flooding.result()
    round_trip(wire, "after")


def test_close_ends_a_flood(gated: OcppServer, gate: Gate, connect: Connect) -> None:
    wire, closed = connect(gated), Collector()
    gated.on("close", closed)
    ask(wire, "wait", "first")
    gate.wait()
    flooding = flood(wire, 1000)
    connection = gated["CP1"]
    assert wait_until(lambda: seat_of(gated).polled == 0)
    closing = in_thread(connection.close, 3001, "enough")
    assert wire.receive_close() == (3001, "enough")
    flooding.result()
    wire.send_close(3001)
    wire.receive_end()
    assert connection.wait_closed(TIMEOUT)
    gate.open()
    closing.result()
    assert closed.next()[1:] == (3001, "enough")


def test_the_end_of_a_flood_is_noticed_when_there_is_room(gated: OcppServer, gate: Gate, connect: Connect) -> None:
    wire, closed = connect(gated), Collector()
    gated.on("close", closed)
    ask(wire, "wait", "first")
    gate.wait()
    flooding = flood(wire, 200)
    assert wait_until(lambda: seat_of(gated).polled == 0)
    flooding.result()
    wire.reset()
    gate.open()
    assert closed.next()[1] == 1006
    assert wait_until(lambda: not reactor_of(gated)._seats)


def test_a_peer_that_does_not_read_is_held_back(make_server: MakeServer, connect: Connect) -> None:
    server = make_server(limits=Limits(max_unsent=10_000))
    server.on("DataTransfer", lambda _, request: {**ACCEPTED, "data": "y" * 20_000})
    wire, other = connect(server), connect(server, "CP2")
    flooding = flood(wire, 2000)
    stream = seat_of(server).link.stream
    assert wait_until(lambda: stream.has_unsent)
    for number in range(20):
        other.send([2, str(number), "DataTransfer", transfer()])
        assert other.receive_json()[1] == str(number)
    assert len(stream._unsent) < 100_000
    assert [wire.receive_json()[1] for _ in range(2000)] == [str(number) for number in range(2000)]
    flooding.result()


def test_a_peer_that_never_reads_is_cut_off(make_server: MakeServer, connect: Connect) -> None:
    server, closed = make_server(limits=Limits(max_unsent=10_000, stall_timeout=2 * SOON)), Collector()
    server.on("DataTransfer", lambda _, request: {**ACCEPTED, "data": "y" * 20_000})
    server.on("close", closed)
    wires = [connect(server, f"CP{number}") for number in range(3)]
    for wire in wires:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for number in range(100):
            ask(wire, "", str(number))
    for _ in wires:
        _, code, reason = closed.next()
        assert code == 1006
        assert "taken nothing" in reason or "reset" in reason.lower()
    assert wait_until(lambda: not reactor_of(server)._seats)


# --- Slow steps


def test_a_link_is_read_again_after_a_slow_step(gated: OcppServer, gate: Gate, connect: Connect) -> None:
    wire, other = connect(gated), connect(gated, "CP2")
    ask(wire, "wait in frame")
    gate.wait()
    round_trip(other)  # by the next leader
    ask(wire, "came meanwhile", "2")
    round_trip(other)
    gate.open()
    assert wire.receive_json()[1] == "1"
    assert wire.receive_json()[1] == "2"
    round_trip(wire, "after", "3")
    called(gated, wire)


@pytest.mark.parametrize("end", ["reset", "close"])
def test_the_end_of_a_link_during_a_slow_step_is_noticed(gated: OcppServer, gate: Gate, connect: Connect, end: str) -> None:
    gated.on("close", closed := Collector())
    wire, other = connect(gated), connect(gated, "CP2")
    ask(wire, "wait in frame")
    gate.wait()
    round_trip(other)
    if end == "reset":
        wire.reset()
    else:
        wire.send_close(3001)
    round_trip(other)
    gate.open()
    assert closed.next()[1] == (1006 if end == "reset" else 3001)
    assert wait_until(lambda: list(gated.connections) == ["CP2"])
    assert wait_until(lambda: len(reactor_of(gated)._seats) == 1)


def test_what_was_left_by_a_slow_step_is_read(gated: OcppServer, gate: Gate, connect: Connect) -> None:
    # More than a worker takes at once, so that a part of it stays in the link while another thread leads.
    wire, other = connect(gated), connect(gated, "CP2")
    ask(wire, "wait in frame", "first")
    gate.wait()
    round_trip(other)
    flooding = flood(wire, 500)
    round_trip(other)
    gate.open()
    assert [wire.receive_json()[1] for _ in range(501)] == ["first", *map(str, range(500))]
    flooding.result()


def test_close_during_a_slow_step(gated: OcppServer, gate: Gate, connect: Connect) -> None:
    wire = connect(gated)
    connection = gated["CP1"]
    ask(wire, "wait in frame")
    gate.wait()
    closing = in_thread(connection.close, 3001, "enough")
    assert wire.receive_close() == (3001, "enough")
    wire.send_close(3001)
    gate.open()
    wire.receive_end()
    closing.result()
    assert connection.wait_closed(TIMEOUT)


def batch(*data: str) -> bytes:
    """Calls that come at once, with their data as id."""
    return b"".join(
        header(len(text), masked=True) + text for text in (json.dumps([2, each, "DataTransfer", transfer(each)]).encode() for each in data)
    )


def test_what_is_unread_after_a_slow_step_wakes_the_next_leader(gated: OcppServer, gate: Gate, connect: Connect) -> None:
    wire, other = connect(gated), connect(gated, "CP2")
    # No room for a moment, and room again when it is looked at next.
    full = iter([True])
    gated["CP1"]._worker.is_full = lambda: next(full, False)  # type: ignore[method-assign]
    wire.socket.sendall(batch("wait in frame", "second"))
    gate.wait()
    next_leader_sleeps(gated, other)
    gate.open()
    assert wire.receive_json()[1] == "wait in frame"
    assert wire.receive_json()[1] == "second"


def test_room_that_comes_at_the_end_of_a_slow_step_is_not_missed(gated: OcppServer, gate: Gate, connect: Connect) -> None:
    wire, other = connect(gated), connect(gated, "CP2")
    connection, reactor, seat = gated["CP1"], reactor_of(gated), seat_of(gated)
    worker, full, asked = connection._worker, iter([True]), iter([True])
    worker.is_full = lambda: next(full, False)  # type: ignore[method-assign]

    def full_until_now() -> bool:
        if not next(asked, False):
            return False
        assert worker.room_again is not None
        worker.room_again()
        assert wait_until(lambda: not reactor._again)  # the leader has looked at it
        return True

    connection.is_full = full_until_now  # type: ignore[method-assign]
    wire.socket.sendall(batch("wait in frame", "second"))
    gate.wait()
    next_leader_sleeps(gated, other)
    gate.open()
    assert wire.receive_json()[1] == "wait in frame"
    try:
        assert wire.receive_json()[1] == "second"
    finally:
        reactor._read_again(seat)  # so that the link can end


def test_what_is_due_after_a_slow_step_wakes_the_next_leader(make_server: MakeServer, gate: Gate, connect: Connect) -> None:
    server = make_server(ping_interval=None)
    server.on("DataTransfer", gate)
    server.on("frame", gate.frame)
    wire, other = connect(server), connect(server, "CP2")
    stream = seat_of(server).link.stream
    ask(wire, "wait in frame")
    gate.wait()
    next_leader_sleeps(server, other)
    stream.deadline = time.monotonic() + 2 * SOON  # as fail() does in a step
    server.on("close", closed := Collector())
    gate.open()
    assert wire.receive_json()[1] == "1"
    assert closed.calls.get(timeout=TIMEOUT)[1] == 1006


def next_leader_sleeps(server: OcppServer, other: Wire) -> None:
    """Return when another thread leads, and has nothing to do."""
    round_trip(other)
    reactor = reactor_of(server)
    assert wait_until(lambda: (lead := reactor._lead) is not None and lead.since is None and not lead.seats and not reactor._again)
    quiet = reactor._quiet
    assert wait_until(lambda: reactor._quiet > quiet or reactor._quiet >= 3)


def test_ctrl_c_in_a_step_ends_the_link(make_server: MakeServer, connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    server, closed = make_server(), Collector()

    def interrupt(_: Any, direction: str, text: str) -> None:
        if direction == "in" and "interrupt" in text:
            raise KeyboardInterrupt

    server.on("frame", interrupt)
    server.on("DataTransfer", echo)
    server.on("close", closed)
    wire, other = connect(server), connect(server, "CP2")
    connection = server["CP1"]
    seat = seat_of(server)
    ask(wire, "interrupt")
    wire.receive_end()
    try:
        round_trip(other)
        assert connection.wait_closed(TIMEOUT)
        assert closed.next()[1] == 1006
    finally:
        seat.is_out = False  # so that the server can end
        reactor_of(server)._read_again(seat)


def test_a_failure_in_a_step_ends_the_link_alone(make_server: MakeServer, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    server, closed = make_server(), Collector()
    server.on("DataTransfer", echo)
    server.on("close", closed)
    wire, other = connect(server), connect(server, "CP2")
    core = server["CP1"]._core
    assert core is not None

    def fail(_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(core, "decode", fail)
    ask(wire)
    assert closed.next()[1:] == (1006, "the reader failed")
    round_trip(other)
    assert wait_until(lambda: len(reactor_of(server)._seats) == 1)


# --- Two threads at once


class Watched(deque[Any]):
    """Tells when it has been copied, and is about to be cleared."""

    about_to_clear: Callable[[], None] = staticmethod(lambda: None)

    def clear(self) -> None:
        self.about_to_clear()
        super().clear()


class Kind(str):
    """A kind of task; whoever looks it up stays a while."""

    __slots__ = ()

    looked_up, go_on = threading.Event(), threading.Event()

    def __hash__(self) -> int:
        self.looked_up.set()
        self.go_on.wait(PATIENCE)
        return super().__hash__()


def test_a_task_that_comes_while_the_leader_is_deposed_is_not_lost() -> None:
    reactor, kind = Reactor("test"), Kind("kind")
    lead = reactor._lead = reactor_module._Lead()
    lead.tasks = Watched()
    lead.stepping = reactor_module._Seat.__new__(reactor_module._Seat)
    lead.stepping.polled = 0

    def start() -> None:
        lead.thread = threading.get_ident()
        reactor.start(lambda: None, kind)

    leader = in_thread(start)
    assert kind.looked_up.wait(TIMEOUT)

    def meanwhile() -> None:
        kind.go_on.set()
        leader.thread.join(PATIENCE)  # unless the lock keeps it waiting

    lead.tasks.about_to_clear = meanwhile
    with reactor._lock:
        reactor._depose(lead)
    leader.result()
    try:
        assert len(lead.tasks) + len(reactor._tasks) == 1
    finally:
        reactor._tasks.clear()
        end(reactor)


def end(reactor: Reactor) -> None:
    """Close a reactor that no server has."""
    reactor._lead = None
    reactor.close()
    assert reactor.join(time.monotonic() + TIMEOUT) == []
    if not reactor._gone:
        reactor._epoll.close()
        os.close(reactor._alarm)


# --- No thread


class NoThreads:
    """Lets no thread start whose name begins so, as long as it is told to.

    Attributes:
        refused: How often one could not start.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
        self.refused = 0
        self.count = 0
        start = threading.Thread.start

        def refuse(thread: threading.Thread) -> None:
            if self.count > 0 and thread.name.startswith(prefix):
                self.count -= 1
                self.refused += 1
                raise RuntimeError("can't start new thread")
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", refuse)


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> NoThreads:
    return NoThreads(monkeypatch, "ocpp-serve")


def test_without_its_first_thread_a_link_keeps_that_of_its_request(gated: OcppServer, connect: Connect, no_threads: NoThreads) -> None:
    no_threads.count = 1
    wire = connect(gated)
    assert wait_until(lambda: no_threads.refused == 1)
    round_trip(wire)
    called(gated, wire)
    pinged(wire)
    other = connect(gated, "CP2")
    for _ in range(5):
        round_trip(other)
        round_trip(wire)
    wire.reset()
    assert wait_until(lambda: list(gated.connections) == ["CP2"])
    assert wait_until(lambda: len(gated._served) == 1)


def test_a_request_without_a_thread_is_served_with_the_next(gated: OcppServer, connect: Connect, no_threads: NoThreads) -> None:
    no_threads.count = 1000
    wire = connect(gated)
    ask(wire, "early", "1")
    assert wait_until(lambda: no_threads.refused >= 2)
    no_threads.count = 0
    ask(wire, "late", "2")
    assert [wire.receive_json()[1] for _ in range(2)] == ["1", "2"]


@pytest.mark.usefixtures("unhurried")
def test_the_leader_alone_serves_what_is_quick(gated: OcppServer, connect: Connect, no_threads: NoThreads) -> None:
    first = connect(gated)
    round_trip(first)
    reactor = reactor_of(gated)
    no_threads.count = 1000
    for number in range(5):
        round_trip(first, number)
        round_trip(connect(gated, f"CP{number + 2}"), number)
    assert len(reactor._threads) >= 1


def test_the_next_leader_is_started_later_when_it_could_not_be_started_at_first(
    gated: OcppServer, gate: Gate, connect: Connect, no_threads: NoThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = Reactor._start_thread
    tries: list[int] = []

    def fail_second(reactor: Reactor) -> None:
        tries.append(len(tries))
        no_threads.count = int(len(tries) == 2)
        start(reactor)

    monkeypatch.setattr(Reactor, "_start_thread", fail_second)
    monkeypatch.setattr(reactor_module, "_START_INTERVAL", 0)
    monkeypatch.setattr(reactor_module, "_SLOW", 2 * TIMEOUT)  # a slow task starts a thread anyway
    slow, other = connect(gated), connect(gated, "CP2")
    assert wait_until(lambda: no_threads.refused == 1)
    for number in range(10):
        round_trip(other, number)
        round_trip(slow, number)
    ask(slow, "wait")
    gate.wait()
    ask(other, "meanwhile")
    other.socket.settimeout(PATIENCE)
    assert other.receive_json()[1] == "1"


# --- Closing the server


def test_a_handler_closes_the_server(make_server: MakeServer, connect: Connect) -> None:
    server, closed = make_server(), Collector()

    def close(*_: Any) -> dict[str, Any]:
        server.close()
        closed(len(server.connections))
        return ACCEPTED

    server.on("DataTransfer", close)
    wires = [connect(server, f"CP{number}") for number in range(3)]
    ask(wires[0])
    for wire in wires:
        assert wire.receive_close()[0] == 1001
        wire.send_close(1001)
        wire.receive_end()
    assert closed.next() == (0,)
    assert wait_until(lambda: not our_threads())


@pytest.mark.usefixtures("short_closes")
def test_a_handler_of_frame_closes_the_server(make_server: MakeServer, connect: Connect) -> None:
    server, closed = make_server(), Collector()

    def close(_: Any, direction: str, __: str) -> None:
        if direction == "in":
            server.close()
            closed(direction)

    server.on("frame", close)
    wires = [connect(server, f"CP{number}") for number in range(3)]
    ask(wires[0])
    for wire in wires:
        assert wire.receive_close()[0] == 1001
        wire.send_close(1001)
    assert closed.next() == ("in",)
    for wire in wires:
        wire.receive_end()
    assert wait_until(lambda: not our_threads())
    assert not server.connections


@pytest.mark.usefixtures("short_closes")
def test_close_while_handlers_block(gated: OcppServer, gate: Gate, connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    wires = [connect(gated, f"CP{number}") for number in range(4)]
    ask(wires[0], "wait")
    ask(wires[1], "wait in frame")
    gate.wait(2)
    for wire in wires[1:3]:  # the others do not answer
        wire.send_close(1001)
    in_thread(gated.close).result()
    assert "still runs" in caplog.text
    gate.open()
    assert wait_until(lambda: not our_threads())
    assert not gated.connections


def test_close_while_charge_points_connect_and_call(make_server: MakeServer) -> None:
    for _ in range(3):
        server = make_server()
        server.on("DataTransfer", echo)
        over, going, address = threading.Event(), Collector(), ("127.0.0.1", server.port)

        def come_and_go(name: int, address: Any = address, over: threading.Event = over, going: Collector = going) -> None:
            while not over.is_set():
                with suppress(OSError, AssertionError), socket.create_connection(address, TIMEOUT) as sock:
                    wire = Wire(sock, masks=True).connect(f"/CP{name}", **{"Sec-WebSocket-Protocol": f"ocpp{VERSION}"})
                    ask(wire)
                    wire.receive()
                    going(name)

        coming = [in_thread(come_and_go, name) for name in range(4)]
        for _ in range(20):
            going.next()
        in_thread(server.close).result()
        over.set()
        for each in coming:
            each.result()
        assert wait_until(lambda: not our_threads())
        assert not server.connections


def test_a_connection_that_is_closed_at_once_is_not_kept(make_server: MakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server = make_server()
    add = server._registry.add

    def close_at_once(connection: OcppClientConnection, number: int) -> Any:
        older = add(connection, number)
        connection.begin_close(3001, "at once")  # as close() in the thread that wait_for() has woken
        return older

    monkeypatch.setattr(server._registry, "add", close_at_once)
    wire = connect_wire(server.url, version=VERSION)
    assert wire.receive_close()[0] == 3001
    wire.send_close(3001)
    wire.receive_end()
    wire.close()
    reactor = reactor_of(server)
    assert wait_until(lambda: reactor._threads and not reactor._seats)
    assert wait_until(lambda: not server._served)


def test_a_connection_that_closes_still_counts(make_server: MakeServer, connect: Connect) -> None:
    server = make_server(limits=Limits(max_connections=1))
    wire = connect(server)
    seat_of(server)
    server["CP1"].begin_close(3001, "enough")
    assert wire.receive_close()[0] == 3001
    with socket.create_connection(("127.0.0.1", server.port)) as sock, pytest.raises(AssertionError, match="503"):
        Wire(sock, masks=True).connect("/CP2", **{"Sec-WebSocket-Protocol": f"ocpp{VERSION}"})


@pytest.mark.usefixtures("short_closes")
def test_the_server_listens_again_after_close(gated: OcppServer, connect: Connect) -> None:
    for turn in range(3):
        round_trip(connect(gated), turn)
        gated.close()
        assert not our_threads()
        gated.listen(0, "127.0.0.1")


# --- Nothing is left


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def test_connections_that_come_and_go_quickly_leave_nothing(gated: OcppServer) -> None:
    server, reactor = gated, reactor_of(gated)
    connect_wire(server.url, "CP", version=VERSION).close()
    assert wait_until(lambda: not server._served and not reactor._seats)
    before = descriptors()

    def come_and_go(name: int) -> None:
        for number in range(50):
            wire = connect_wire(server.url, f"CP{name}-{number}", version=VERSION)
            if number % 3:
                round_trip(wire, number)
            if number % 2:
                wire.send_close(1000)
                wire.receive_close()
                wire.receive_end()
                wire.close()
            else:
                wire.reset()

    for each in [in_thread(come_and_go, name) for name in range(6)]:
        each.result(3 * TIMEOUT)
    assert wait_until(lambda: not server._served and not reactor._seats and not server.connections)
    assert server._http is not None
    assert wait_until(lambda: server._http is None or not server._http._places)
    assert wait_until(lambda: not any(name.startswith("ocpp-http") for name in our_threads()))
    assert descriptors() <= before
    assert len(our_threads()) <= 20
    assert not reactor._again


def has_come(server: OcppServer, address: tuple[str, int]) -> bool:
    return "CP1" in server and server["CP1"].request.remote_address == address


def test_a_replaced_connection_leaves_nothing(gated: OcppServer, connect: Connect) -> None:
    reactor = reactor_of(gated)
    wires = []
    for _ in range(20):
        wires.append(connect(gated))
        own = wires[-1].socket.getsockname()
        assert wait_until(partial(has_come, gated, own))
    for wire in wires[:-1]:
        assert wire.receive_close()[0] == 1008
    round_trip(wires[-1])
    assert wait_until(lambda: len(reactor._seats) == 1)
    assert list(gated.connections) == ["CP1"]


def test_a_server_without_connections_leaves_no_descriptor(make_server: MakeServer) -> None:
    make_server().close()
    gc.collect()
    before = descriptors()
    for _ in range(5):
        make_server().close()
    gc.collect()
    assert descriptors() == before


def test_an_ended_connection_is_not_kept(make_server: MakeServer, connect: Connect) -> None:
    server = make_server(ping_interval=3600)
    wire = connect(server)
    assert seat_of(server).link is not None
    assert wait_until(lambda: reactor_of(server)._due)
    connection = weakref.ref(server["CP1"])
    wire.close()
    assert wait_until(lambda: not reactor_of(server)._seats and not server._served)
    connect(server, "CP2")
    assert wait_until(lambda: gc.collect() >= 0 and connection() is None)


def test_what_is_due_does_not_grow(gated: OcppServer, connect: Connect) -> None:
    wire, reactor = connect(gated), reactor_of(gated)
    stream = seat_of(gated).link.stream
    for number in range(10):
        stream.deadline = time.monotonic() + TIMEOUT - number / 100  # earlier and earlier
        round_trip(wire, number)
    stream.deadline = None
    round_trip(wire)
    assert len([entry for entry in reactor._due if entry[2] is seat_of(gated)]) <= 2


# --- What is due


def test_pings_go_out_on_many_links(make_server: MakeServer, connect: Connect) -> None:
    server = make_server(ping_interval=SOON, pong_timeout=2 * TIMEOUT)
    wires = [connect(server, f"CP{number}") for number in range(100)]
    for _ in range(2):
        for wire in wires:
            opcode, payload = wire.receive()
            assert opcode == PING
            wire.send(payload, PONG)
    assert len(server.connections) == 100


def test_links_without_a_sign_of_life_end(make_server: MakeServer) -> None:
    server, closed = make_server(ping_interval=SOON, pong_timeout=SOON), Collector()
    server.on("close", closed)
    wires = [connect_wire(server.url, f"CP{number}", version=VERSION) for number in range(30)]
    for _ in wires:
        _, code, reason = closed.next()
        assert code == 1006
        assert "half open" in reason
    assert wait_until(lambda: not reactor_of(server)._seats)
    for wire in wires:
        wire.close()


def test_who_says_nothing_at_first_is_closed(make_server: MakeServer) -> None:
    server, closed = make_server(limits=Limits(first_message_timeout=3 * SOON)), Collector()
    server.on("close", closed)
    wires = [connect_wire(server.url, f"CP{number}", version=VERSION) for number in range(20)]
    for wire in wires:
        assert wire.receive_close()[0] == 1008
        wire.send_close(1008)
        wire.receive_end()
        wire.close()
    assert {closed.next()[1] for _ in wires} == {1008}
    assert wait_until(lambda: not reactor_of(server)._seats)


def test_who_says_something_at_first_is_not_closed(make_server: MakeServer, connect: Connect) -> None:
    server = make_server(limits=Limits(first_message_timeout=TIMEOUT / 2))
    server.on("DataTransfer", echo)
    wire = connect(server)
    stream = seat_of(server).link.stream
    assert stream.deadline is not None
    round_trip(wire)
    assert stream.deadline is None


# --- Without epoll


@pytest.fixture
def threaded(gate: Gate, monkeypatch: pytest.MonkeyPatch, make_server: MakeServer) -> Iterator[OcppServer]:
    """A server as it is where there is no epoll."""
    monkeypatch.setattr(reactor_module, "is_available", lambda: False)
    server = make_server()
    assert server._reactor is None
    server.on("DataTransfer", gate)
    server.on("frame", gate.frame)
    yield server
    gate.open()


def test_without_epoll_both_ends_call_and_are_answered(threaded: OcppServer, connect: Connect) -> None:
    wires = [connect(threaded, f"CP{number}") for number in range(5)]
    for number, wire in enumerate(wires):
        round_trip(wire, number)
        called(threaded, wire, f"CP{number}")
        pinged(wire)
    wires[0].reset()
    assert wait_until(lambda: len(threaded.connections) == 4)


@pytest.mark.parametrize("where", ["wait", "wait in frame"])
def test_without_epoll_a_slow_handler_keeps_no_other_link_waiting(threaded: OcppServer, gate: Gate, connect: Connect, where: str) -> None:
    wire, other = connect(threaded), connect(threaded, "CP2")
    ask(wire, where)
    gate.wait()
    round_trip(other)
    gate.open()
    assert wire.receive_json()[1] == "1"


def test_without_epoll_connections_that_come_and_go_leave_nothing(threaded: OcppServer) -> None:
    connect_wire(threaded.url, "CP", version=VERSION).close()
    assert wait_until(lambda: not threaded._served)
    before = descriptors()
    for number in range(30):
        wire = connect_wire(threaded.url, f"CP{number}", version=VERSION)
        round_trip(wire, number)
        wire.reset()
    assert wait_until(lambda: not threaded._served and not any(name.startswith(("ocpp-rx", "ocpp-http")) for name in our_threads()))
    assert descriptors() <= before


def test_without_epoll_a_handler_closes_the_server(make_server: MakeServer, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reactor_module, "is_available", lambda: False)
    test_a_handler_closes_the_server(make_server, connect)
