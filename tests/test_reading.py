"""Callers that read their own answers, and the thread that reads when nobody else does."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync import Backoff, CallTimeout, ConnectionClosed, NotConnected, OcppClient, OcppServer
from ocpp_sync import connection as connection_module
from ocpp_sync import reactor as reactor_module
from ocpp_sync import reading as reading_module
from ocpp_sync.connection import Connection
from ocpp_sync.reading import Reading

from .pki import pki
from .support import TIMEOUT, Collector, Future, RawChargePoint, RawCsms, in_thread
from .test_connection import ACCEPTED, Pair, transfer

MakeClient = Callable[..., OcppClient]
MakeServer = Callable[..., OcppServer]
MakePair = Callable[..., Pair]

SOON = 0.1


@pytest.fixture
def threaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers are as they are where there is no epoll: their callers read, too."""
    monkeypatch.setattr(reactor_module, "is_available", lambda: False)


@pytest.fixture(params=["client", "server"])
def make_pair(
    request: pytest.FixtureRequest,
    threaded: None,
    make_client: MakeClient,
    make_server: MakeServer,
    raw_csms: Callable[..., RawCsms],
    raw_charge_point: Callable[..., RawChargePoint],
) -> MakePair:
    """Makes a pair, once for the client's and once for the server's end."""

    def make(**options: Any) -> Pair:
        if request.param == "client":
            csms = raw_csms()
            return Pair(make_client(csms.url, **options), csms)
        server = make_server(**options)
        charge_point = raw_charge_point(server.url)
        return Pair(server.wait_for("CP1", TIMEOUT), charge_point)

    return make


class Readers:
    """A handler of "frame": which thread has read each message."""

    def __init__(self, connection: Connection) -> None:
        self._seen = Collector()
        connection.on("frame", self._frame)

    def _frame(self, direction: str, _: str) -> None:
        if direction == "in":
            self._seen(threading.current_thread())

    def next(self) -> threading.Thread:
        thread: threading.Thread = self._seen.next()[0]
        return thread


def reading_of(connection: Connection) -> Reading:
    deadline = time.monotonic() + TIMEOUT
    while (reading := connection._reading) is None:  # its thread is about to begin
        assert time.monotonic() < deadline
        threading.Event().wait(0.001)
    return reading


@contextmanager
def callers_read(pair: Pair, *, patience: float = 2 * TIMEOUT) -> Iterator[None]:
    """The thread has stepped back, and whoever calls reads: for as long as this lasts, however slow the machine is."""
    reading = reading_of(pair.connection)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading_module, "_STEP_BACK", 6 * TIMEOUT)
        patch.setattr(reading_module, "_PATIENCE", patience)
        while reading._turn != 0:
            pair.round_trip("read by the thread")
        try:
            yield
        finally:
            if reading._turn == 0:
                reading._give_back()


def answers(pair: Pair, count: int) -> Future:
    """Let the peer answer so many calls with their own data."""

    def run() -> None:
        for _ in range(count):
            message_id, data = pair.received_call()
            pair.answer(message_id, data)

    return in_thread(run)


def call(pair: Pair, data: Any = "", **options: Any) -> Any:
    return pair.connection.call("DataTransfer", transfer(data), **options)["data"]


def echo(request: dict[str, Any]) -> dict[str, Any]:
    return {**ACCEPTED, "data": request["data"]}


# --- Who reads


def test_quick_callers_read_their_answers_themselves(make_pair: MakePair) -> None:
    pair = make_pair()
    with callers_read(pair):
        readers = Readers(pair.connection)
        answering = answers(pair, 20)
        for number in range(10):
            assert call(pair, number) == number
            assert readers.next() is threading.current_thread()
        for number in range(10):
            calling = pair.call(number)
            assert calling.result()["data"] == number
            assert readers.next() is calling.thread
        answering.result()


def test_the_first_answer_is_read_by_the_thread_which_then_steps_back(make_pair: MakePair) -> None:
    pair = make_pair()
    readers = Readers(pair.connection)
    pair.round_trip()
    assert readers.next().name == "ocpp-rx CP1"
    # Sooner or later it is back, and reads what nobody has asked for.
    pair.connection.on("DataTransfer", echo)
    for number in range(20):
        pair.peer.send([2, str(number), "DataTransfer", transfer(number)])
        assert pair.peer.receive() == [3, str(number), {**ACCEPTED, "data": number}]
        assert readers.next().name == "ocpp-rx CP1"


def test_a_request_is_served_by_a_caller_that_waits(make_pair: MakePair) -> None:
    pair = make_pair()
    pair.connection.on("DataTransfer", echo)
    with callers_read(pair):
        readers = Readers(pair.connection)
        waiting = pair.call("slow")
        message_id, _ = pair.received_call()
        for number in range(5):
            pair.peer.send([2, str(number), "DataTransfer", transfer(number)])
            assert pair.peer.receive() == [3, str(number), {**ACCEPTED, "data": number}]
            assert readers.next() is waiting.thread
        pair.peer.sync()
        pair.answer(message_id, "late")
        assert waiting.result()["data"] == "late"
        assert readers.next() is waiting.thread


def test_a_caller_that_has_waited_long_leaves_reading_to_the_thread(make_pair: MakePair) -> None:
    pair = make_pair()
    pair.connection.on("DataTransfer", echo)
    readers, waiting = Readers(pair.connection), pair.call("slow")
    message_id, _ = pair.received_call()
    deadline = time.monotonic() + TIMEOUT
    while True:
        pair.peer.send([2, "1", "DataTransfer", transfer()])
        assert pair.peer.receive()[1] == "1"
        if (reader := readers.next()).name == "ocpp-rx CP1":
            break
        assert reader is waiting.thread
        assert time.monotonic() < deadline
    pair.answer(message_id, "late")
    assert waiting.result()["data"] == "late"


def test_a_request_after_a_caller_has_left_is_served(make_pair: MakePair) -> None:
    pair = make_pair()
    pair.connection.on("DataTransfer", echo)
    for number in range(30):
        pair.round_trip(number)
        pair.peer.send([2, str(number), "DataTransfer", transfer(number)])
        pair.peer.sync()
        assert pair.peer.receive() == [3, str(number), {**ACCEPTED, "data": number}]


def test_what_came_with_the_answer_is_served(make_pair: MakePair) -> None:
    pair = make_pair()
    pair.connection.on("DataTransfer", echo)
    for number in range(20):
        calling = pair.call(number)
        message_id, _ = pair.received_call()
        pair.answer(message_id, number)
        for extra in range(5):
            pair.peer.send([2, f"{number}-{extra}", "DataTransfer", transfer(extra)])
        assert [pair.peer.receive()[2]["data"] for _ in range(5)] == list(range(5))
        assert calling.result()["data"] == number


def test_many_callers_get_their_own_answers_and_one_thread_reads_at_a_time(make_pair: MakePair) -> None:
    pair = make_pair()
    reading = reading_of(pair.connection)
    step, inside, overlaps = reading._step, threading.Lock(), Collector()

    def alone() -> Any:
        if not inside.acquire(blocking=False):
            overlaps(threading.current_thread().name)
            return step()
        try:
            return step()
        finally:
            inside.release()

    reading._step = alone
    answering = answers(pair, 8 * 40)

    def calls(name: int) -> list[Any]:
        return [call(pair, [name, number]) for number in range(40)]

    for name, calling in enumerate([in_thread(calls, name) for name in range(8)]):
        assert calling.result(3 * TIMEOUT) == [[name, number] for number in range(40)]
    answering.result()
    assert overlaps.calls.empty()


def test_a_handler_calls_while_a_caller_reads(make_pair: MakePair) -> None:
    pair = make_pair()
    pair.connection.on("DataTransfer", lambda request: {**ACCEPTED, "data": call(pair, ["inner", request["data"]])})
    for patience in (reading_module._PATIENCE, 2 * TIMEOUT):
        with callers_read(pair, patience=patience):
            outer = pair.call("outer")
            message_id, _ = pair.received_call()
            pair.peer.send([2, "1", "DataTransfer", transfer("x")])
            pair.peer.sync()
            pair.answer(message_id, "outer")  # the inner one has its turn only then (rule B3)
            assert outer.result()["data"] == "outer"
            message_id, data = pair.received_call()
            assert data == ["inner", "x"]
            pair.answer(message_id, "y")
            assert pair.peer.receive() == [3, "1", {**ACCEPTED, "data": "y"}]


# --- Time-outs


@pytest.mark.parametrize("timeout", [0.0, 0.005, SOON])
def test_a_caller_that_reads_leaves_in_time(make_pair: MakePair, timeout: float) -> None:
    pair = make_pair()
    with callers_read(pair):
        with pytest.raises(CallTimeout) as caught:
            call(pair, "late", timeout=timeout)
        assert timeout <= caught.value.elapsed < TIMEOUT
        message_id, _ = pair.received_call()
        pair.answer(message_id, "nobody waits for it any more")
    pair.round_trip("next")


def test_a_caller_leaves_in_time_although_the_peer_sends_on(make_pair: MakePair) -> None:
    pair = make_pair(redact=False)
    with callers_read(pair):
        never, readers = threading.Event(), []

        def frame(direction: str, _: str) -> None:
            if direction == "in":
                readers.append(threading.current_thread())
                never.wait(0.01)

        pair.connection.on("frame", frame)
        waiting = pair.call("never answered", timeout=SOON)
        pair.received_call()

        def send_on() -> None:
            for number in range(200):
                pair.peer.send([3, f"stray {number}", {"x": "x" * 20_000}])  # three of them at once

        sending = in_thread(send_on)
        with pytest.raises(CallTimeout):
            waiting.result(3 * TIMEOUT)
        sending.result(3 * TIMEOUT)
    assert readers.count(waiting.thread) <= 50


def test_a_caller_that_reads_takes_no_more_than_there_is_room_for(make_pair: MakePair) -> None:
    pair = make_pair()
    release, blocked, overfull = threading.Event(), threading.Event(), threading.Event()
    worker = pair.connection._worker
    put = worker.put

    def watched(*arguments: Any) -> None:
        put(*arguments)
        if len(worker._tasks) > 70:
            overfull.set()

    worker.put = watched  # type: ignore[method-assign, assignment]

    def handle(request: dict[str, Any]) -> dict[str, Any]:
        blocked.set()
        assert release.wait(2 * TIMEOUT)
        return echo(request)

    pair.connection.on("DataTransfer", handle)
    with callers_read(pair):
        waiting = pair.call("waits")
        message_id, _ = pair.received_call()
        for number in range(500):
            pair.peer.send([2, str(number), "DataTransfer", transfer(number)])
        assert blocked.wait(TIMEOUT)
        is_overfull = overfull.wait(3 * SOON)
        release.set()
        assert [pair.peer.receive()[1] for _ in range(500)] == [str(number) for number in range(500)]
        pair.answer(message_id, "at last")
        assert waiting.result()["data"] == "at last"
    assert not is_overfull


# --- The end of a link


def test_close_ends_a_caller_that_reads(make_pair: MakePair) -> None:
    pair = make_pair()
    pair.connection.on("close", closed := Collector())
    with callers_read(pair):
        waiting = [pair.call("never answered") for _ in range(4)]
        pair.received_call()
        pair.connection.close(3001, "enough")
    for each in waiting:
        with pytest.raises((ConnectionClosed, NotConnected)):
            each.result()
    assert closed.next() == (3001, "enough")
    assert pair.connection.wait_closed(TIMEOUT)
    assert closed.calls.empty()


def close_in_a_callers_step(pair: Pair) -> None:
    """Let a handler of "frame" close the connection, in the thread of a caller that reads."""
    pair.connection.on("close", closed := Collector())
    threads = Collector()

    def frame(direction: str, text: str) -> None:
        if direction == "in" and "close now" in text:
            threads(threading.current_thread())
            pair.connection.close(3001, "enough")

    pair.connection.on("frame", frame)
    with callers_read(pair):
        waiting = pair.call("never answered")
        pair.received_call()
        pair.peer.send([2, "1", "DataTransfer", transfer("close now")])
        with pytest.raises(ConnectionClosed) as caught:
            waiting.result()
    assert (caught.value.code, caught.value.reason) == (3001, "enough")
    assert threads.next() == (waiting.thread,)
    assert closed.next() == (3001, "enough")
    assert pair.connection.wait_closed(TIMEOUT)
    assert closed.calls.empty()


def test_a_handler_of_frame_closes_in_the_callers_thread(make_pair: MakePair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "_CLOSE_TIMEOUT", SOON)
    close_in_a_callers_step(make_pair())


def test_a_handler_of_frame_that_closes_waits_for_nothing(
    again: Pair, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connection_module, "_CLOSE_TIMEOUT", SOON)
    close_in_a_callers_step(again)
    assert "still runs" not in caplog.text


@pytest.mark.parametrize("end", ["cut", "close"])
def test_the_end_of_the_link_ends_a_caller_that_reads(make_pair: MakePair, end: str) -> None:
    pair = make_pair()
    pair.connection.on("close", closed := Collector())
    with callers_read(pair):
        waiting = [pair.call("never answered") for _ in range(4)]
        pair.received_call()
        if end == "cut":
            pair.cut()
        else:
            pair.peer.socket.close(3001, "away")
    code = 1006 if end == "cut" else 3001
    for each in waiting:
        with pytest.raises((ConnectionClosed, NotConnected)):
            each.result()
    assert closed.next()[0] == code
    assert pair.connection.wait_closed(TIMEOUT)
    assert closed.calls.empty()


def test_an_answer_right_before_the_end_counts(make_pair: MakePair) -> None:
    pair = make_pair()
    pair.connection.on("close", closed := Collector())
    with callers_read(pair):
        waiting = pair.call("last")
        message_id, _ = pair.received_call()
        pair.answer(message_id, "last")
        closing = in_thread(pair.peer.socket.close, 3001, "away")
        assert waiting.result()["data"] == "last"
    closing.result()
    assert closed.next() == (3001, "away")
    assert closed.calls.empty()


@pytest.fixture
def again(make_client: MakeClient, raw_csms: Callable[..., RawCsms]) -> Pair:
    """A client that connects again by itself, and its peer."""
    csms = raw_csms()
    return Pair(make_client(csms.url, reconnect=Backoff(0.0, 0.0)), csms)


def reconnected(pair: Pair) -> None:
    """The client is there again, and works as before."""
    assert isinstance(pair.peer, RawCsms)
    client = pair.connection
    assert isinstance(client, OcppClient)
    pair.peer.next_socket()
    assert client.wait_connected(TIMEOUT)
    for number in range(5):
        pair.round_trip(number)
    pair.connection.on("DataTransfer", echo)
    pair.peer.send([2, "1", "DataTransfer", transfer("x")])
    assert pair.peer.receive() == [3, "1", {**ACCEPTED, "data": "x"}]


def test_a_client_whose_caller_has_seen_the_end_connects_again(again: Pair) -> None:
    again.connection.on("close", closed := Collector())
    for turn in range(3):
        with callers_read(again):
            waiting = again.call("never answered")
            again.received_call()
            again.cut()
            with pytest.raises(ConnectionClosed):
                waiting.result()
        assert closed.next()[0] == 1006
        reconnected(again)
        assert again.connection.link_number == turn + 2  # type: ignore[attr-defined]
    assert closed.calls.empty()


@pytest.mark.parametrize("error", [MemoryError, RecursionError, ValueError])
def test_a_failure_in_a_callers_step_ends_the_link(again: Pair, monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    again.connection.on("close", closed := Collector())
    core = again.connection._core
    assert core is not None
    failed = Collector()

    def fail(_: str) -> Any:
        failed(threading.current_thread())
        raise error

    with callers_read(again):
        monkeypatch.setattr(core, "decode", fail)
        waiting = again.call("x")
        message_id, _ = again.received_call()
        again.answer(message_id, "y")
        with pytest.raises(ConnectionClosed):
            waiting.result()
    assert failed.next() == (waiting.thread,)
    assert closed.next() == (1006, "the reader failed")
    assert closed.calls.empty()
    reconnected(again)


@pytest.mark.usefixtures("threaded")
@pytest.mark.parametrize("reads", ["thread", "caller"])
def test_a_failure_in_a_step_ends_the_link_of_a_threaded_server(
    reads: str, make_server: MakeServer, raw_charge_point: Callable[..., RawChargePoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = make_server()
    charge_point = raw_charge_point(server.url)
    connection = server.wait_for("CP1", TIMEOUT)
    pair = Pair(connection, charge_point)
    connection.on("close", closed := Collector())
    core, failures = connection._core, Collector()
    assert core is not None
    monkeypatch.setattr(threading, "excepthook", failures)

    def fail(_: str) -> Any:
        raise MemoryError

    if reads == "caller":
        with callers_read(pair):
            monkeypatch.setattr(core, "decode", fail)
            waiting = pair.call("x")
            pair.received_call()
            pair.peer.send([2, "1", "DataTransfer", transfer()])
            with pytest.raises(ConnectionClosed):
                waiting.result()
    else:
        monkeypatch.setattr(core, "decode", fail)
        pair.peer.send([2, "1", "DataTransfer", transfer()])
    assert closed.next() == (1006, "the reader failed")
    connection.thread.join(TIMEOUT)
    assert not connection.thread.is_alive()
    assert [failure.exc_type for (failure,) in failures.calls.queue] == []
    assert not server._served


# --- Ctrl-C


def test_ctrl_c_in_a_callers_step(again: Pair) -> None:
    again.connection.on("close", closed := Collector())
    pending = [True]

    def interrupt(direction: str, text: str) -> None:
        if direction == "in" and "interrupt" in text and pending:
            pending.clear()
            assert threading.current_thread() is threading.main_thread()
            raise KeyboardInterrupt

    again.connection.on("frame", interrupt)
    with callers_read(again):
        sending = in_thread(lambda: [again.received_call(), again.peer.send([2, "1", "DataTransfer", transfer("interrupt")])])
        with pytest.raises(KeyboardInterrupt):
            call(again, "x", timeout=2 * TIMEOUT)
        sending.result()
    # Nobody knows what was taken of the message: the link has ended.
    assert closed.next()[0] == 1006
    reconnected(again)
    assert closed.calls.empty()


SCRIPT = """
import random, signal, sys, threading, time
from ocpp_sync import Backoff, ConnectionClosed, NotConnected, OcppClient, OcppServer

server = OcppServer().listen(0, "127.0.0.1")
server.on("DataTransfer", lambda _, request: {"status": "Accepted", "data": request["data"]})
client = OcppClient("CP1", reconnect=Backoff(0.0, 0.0), call_timeout=10).connect(server.url)
main = threading.main_thread().ident
count, random, calling, never = 100, random.Random(1), threading.Event(), threading.Event()

def call(data):
    try:
        assert client.call("DataTransfer", {"vendorId": "v", "data": data})["data"] == data
        return True
    except (ConnectionClosed, NotConnected):
        time.sleep(0.001)
        return False

def interrupt():
    for _ in range(count):
        calling.wait()
        calling.clear()
        never.wait(random.random() * 0.002)
        signal.pthread_kill(main, signal.SIGINT)

call("what is imported at the first one")
threading.Thread(target=interrupt, daemon=True).start()
for number in range(count):
    assert client.wait_connected(10)
    try:
        calling.set()
        while True:
            call(number)
    except KeyboardInterrupt:
        pass
deadline = time.monotonic() + 30
while not all([call(number) for number in range(20)]):
    assert time.monotonic() < deadline
client.close()
server.close()
print("done")
"""


def test_ctrl_c_at_any_moment() -> None:
    run = subprocess.run(
        [sys.executable, "-c", "import logging; logging.disable()\n" + SCRIPT],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "PYTHONWARNINGS": "default"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "done\n", "")


# --- Everything at once


@pytest.mark.parametrize("kind", ["plain", "TLS"])
@pytest.mark.parametrize("epoll", [True, False], ids=["epoll", "threads"])
def test_many_callers_at_both_ends(
    kind: str, epoll: bool, make_server: MakeServer, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not epoll:
        monkeypatch.setattr(reactor_module, "is_available", lambda: False)
    server = make_server(listen=False)
    files = pki().server()
    options: dict[str, Any] = {"certfile": files.cert, "keyfile": files.key} if kind == "TLS" else {}
    server.listen(0, "127.0.0.1", **options)
    server.on("DataTransfer", lambda _, request: echo(request))
    client = make_client(identity="CP1", **({"cafile": pki().ca} if kind == "TLS" else {}))
    client.on("DataTransfer", echo)
    client.connect(server.url)
    ends: list[Connection] = [client, server.wait_for("CP1", TIMEOUT)]

    def calls(end: Connection, name: str) -> None:
        for number in range(40):
            data = f"{name} {number} " + "x" * (number % 4 * 10_000)
            assert end.call("DataTransfer", transfer(data), timeout=6 * TIMEOUT)["data"] == data

    for calling in [in_thread(calls, end, f"{place}-{name}") for name in range(8) for place, end in enumerate(ends)]:
        calling.result(6 * TIMEOUT)
    assert all(end.connected for end in ends)
