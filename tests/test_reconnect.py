"""A lost link is made again (rule A8): on a clock that stands still, so each delay is known."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync import Backoff, CallTimeout, ConnectionClosed, HandshakeError, NotConnected, OcppClient
from ocpp_sync.client_connection import _Life
from ocpp_sync.testing import Close, Cut, Drop, FakeClock, FaultyLink, ScriptedCsms

from .support import TIMEOUT, Collector, in_thread

BACKOFF = Backoff(10.0, 0.0, 2)
MakeClient = Callable[..., OcppClient]


@pytest.fixture
def make(make_client: MakeClient, clock: FakeClock) -> MakeClient:
    """Makes clients that connect again after 10 seconds, then 20, then 40 for ever."""
    return lambda url=None, **options: make_client(url, **{"reconnect": BACKOFF, "clock": clock, "ping_interval": None, **options})


def test_a8_a_lost_link_is_made_again(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client, events = make(), Collector()
    client.on("connect", lambda: events("connect"))
    client.on("close", lambda code, reason: events("close", code))
    client.connect(csms.url)
    for _ in range(3):
        csms.disconnect("CP1")
        assert [events.next(), events.next()] == [("connect",), ("close", 1006)]
        assert clock.advance_to("reconnect") == 10.0
        assert client.wait_connected(TIMEOUT)
        assert client.call("Heartbeat")
    assert events.next() == ("connect",)


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1012])
def test_a8_however_the_csms_has_closed(code: int, make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client = make(csms.url)
    csms.disconnect("CP1", code)
    clock.advance_to("reconnect")
    assert client.wait_connected(TIMEOUT)


def test_a8_the_delays_double_and_a_connect_begins_anew(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client = make(csms.url)
    errors = Collector()
    client.on("error", errors)
    for _ in range(2):
        csms.stop()
        for delay in (10.0, 20.0, 40.0, 40.0):
            assert clock.advance_to("reconnect") == delay
            (error,) = errors.next()
            assert isinstance(error, HandshakeError)
            assert error.reason == "unreachable"
        clock.wait_for("reconnect")
        csms.start()
        assert clock.advance_to("reconnect") == 40.0
        assert client.wait_connected(TIMEOUT)


@pytest.mark.parametrize(("status", "delays"), [(401, (60.0, 60.0)), (404, (60.0, 60.0)), (403, (60.0, 60.0)), (503, (20.0, 40.0))])
def test_a8_who_is_refused_does_not_hammer(
    status: int, delays: tuple[float, ...], make: MakeClient, csms: ScriptedCsms, clock: FakeClock
) -> None:
    client = make(csms.url)
    errors = Collector()
    client.on("error", errors)
    csms.refuse(status)
    csms.disconnect("CP1")
    for delay in (10.0, *delays):
        assert clock.advance_to("reconnect") == delay
        assert errors.next()[0].status == status
    csms.accept()
    clock.advance_to("reconnect")
    assert client.wait_connected(TIMEOUT)


def test_a8_the_first_connect_is_tried_again_too(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.stop()
    client = make()
    connecting = in_thread(client.connect, csms.url, retry=True)
    assert [clock.advance_to("reconnect") for _ in range(2)] == [10.0, 20.0]
    clock.wait_for("reconnect")
    csms.start()
    assert clock.advance_to("reconnect") == 40.0
    assert connecting.result() is client
    assert client.connected


def test_without_retry_the_first_connect_fails_at_once(make: MakeClient, csms: ScriptedCsms) -> None:
    csms.stop()
    client = make()
    with pytest.raises(HandshakeError):
        client.connect(csms.url)
    assert client.wait_closed(0)
    assert not client.wait_connected(0)


def test_retry_needs_delays() -> None:
    with pytest.raises(ValueError, match="reconnect"):
        OcppClient("CP1", reconnect=None).connect("ws://127.0.0.1:1", retry=True)


def test_without_delays_a_lost_link_stays_lost(make_client: MakeClient, csms: ScriptedCsms) -> None:
    client = make_client(csms.url, reconnect=None)
    csms.disconnect("CP1")
    assert client.wait_closed(TIMEOUT)
    assert not client.wait_connected(TIMEOUT)
    with pytest.raises(NotConnected):
        client.call("Heartbeat")
    assert client.connect(csms.url).call("Heartbeat")


def test_endpoints_are_tried_in_turn(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    with ScriptedCsms(clock=clock) as second:
        client = make()
        errors = Collector()
        client.on("error", errors)
        client.connect([csms.url, second.url])
        assert csms.identities == ["CP1"]
        csms.stop()
        clock.advance_to("reconnect")
        assert client.wait_connected(TIMEOUT)
        assert second.identities == ["CP1"]
        assert errors.next()[0].reason == "unreachable"
        csms.start()
        second.disconnect("CP1")
        clock.advance_to("reconnect")
        assert client.wait_connected(TIMEOUT)
        assert csms.identities == ["CP1"]  # the first is preferred, again


def test_there_must_be_an_endpoint() -> None:
    with pytest.raises(ValueError, match="endpoint"):
        OcppClient("CP1").connect([])


@pytest.mark.parametrize("refusing", ["first", "second"])
def test_a8_who_is_refused_by_one_of_several_does_not_hammer_it(
    refusing: str, make: MakeClient, csms: ScriptedCsms, clock: FakeClock
) -> None:
    with ScriptedCsms(clock=clock) as second:
        client = make()
        client.connect([csms.url, second.url])
        wrong, down = (csms, second) if refusing == "first" else (second, csms)
        wrong.refuse(401)
        down.stop()
        if refusing == "first":
            csms.disconnect("CP1")
        for delay in (10.0, 60.0):
            assert clock.advance_to("reconnect") == delay
        clock.wait_for("reconnect")
        wrong.accept()
        assert clock.advance_to("reconnect") == 60.0
        assert client.wait_connected(TIMEOUT)
        wrong.disconnect("CP1")
        assert clock.wait_for("reconnect") == 10.0


@pytest.mark.parametrize("failure", [OSError("no such file"), SystemExit("no password"), ConnectionClosed()], ids=repr)
def test_what_goes_wrong_beside_the_link_does_not_end_it(
    failure: BaseException, make: MakeClient, csms: ScriptedCsms, clock: FakeClock
) -> None:
    failures: list[BaseException] = []

    def password() -> str:
        if failures:
            raise failures.pop()
        return "secret-password-1"

    client = make(password=password)
    errors = Collector()
    client.on("error", errors)
    client.connect(csms.url)
    failures.append(failure)
    csms.disconnect("CP1")
    clock.advance_to("reconnect")
    assert errors.next() == (failure,)
    assert clock.advance_to("reconnect") == 60.0
    assert client.wait_connected(TIMEOUT)


def test_what_goes_wrong_while_reading_does_not_end_it(
    make: MakeClient, csms: ScriptedCsms, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, closed = make(csms.url), Collector()
    client.on("close", closed)

    def fail(*arguments: Any) -> None:
        monkeypatch.undo()
        raise MemoryError

    monkeypatch.setattr(client, "_receive", fail)
    with pytest.raises(ConnectionClosed):
        client.call("Heartbeat")
    assert closed.next() == (1006, "the reader failed")
    clock.advance_to("reconnect")
    assert client.wait_connected(TIMEOUT)
    assert client.call("Heartbeat")


# --- Calls


def test_a_call_offline_fails_at_once(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client = make(csms.url)
    csms.disconnect("CP1")
    clock.wait_for("reconnect")
    with pytest.raises(NotConnected):
        client.call("Heartbeat")


def test_a_call_can_wait_for_the_link(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client = make(csms.url)
    csms.disconnect("CP1")
    clock.wait_for("reconnect")
    calling = in_thread(client.call, "Heartbeat", wait=True)
    clock.wait_for("link")
    clock.advance_to("reconnect")
    assert "currentTime" in calling.result()


def test_a_call_waits_no_longer_than_its_time_out(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client = make(csms.url)
    csms.disconnect("CP1")
    clock.wait_for("reconnect")
    calling = in_thread(client.call, "Heartbeat", wait=True, timeout=5.0)
    assert clock.advance_to("link") == 5.0
    with pytest.raises(CallTimeout, match=r"after 5\.0 s \(not sent: not connected\)") as caught:
        calling.result()
    assert not caught.value.sent


def test_a_call_that_waits_for_a_link_ends_with_the_client(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client = make(csms.url)
    csms.disconnect("CP1")
    clock.wait_for("reconnect")
    calling = in_thread(client.call, "Heartbeat", wait=True)
    clock.wait_for("link")
    client.close()
    with pytest.raises(NotConnected):
        calling.result()


@pytest.mark.parametrize("step", [Cut(), Close(1001)])
def test_a_call_that_was_under_way_fails_and_is_not_repeated(step: Any, make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client = make(csms.url)
    csms.script("Heartbeat", step)
    with pytest.raises(ConnectionClosed):
        client.call("Heartbeat", wait=True)
    clock.advance_to("reconnect")
    assert client.wait_connected(TIMEOUT)
    client.call("Authorize", {"idToken": {"idToken": "1", "type": "Local"}})
    assert [each.action for each in csms.received] == ["Heartbeat", "Authorize"]


def test_a_call_in_the_event_connect(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client, answers = make(), Collector()
    client.on("connect", lambda: answers(client.call("Heartbeat")))
    client.connect(csms.url)
    answers.next()
    csms.disconnect("CP1")
    clock.advance_to("reconnect")
    answers.next()


# --- The end


def test_close_ends_the_wait_for_the_next_attempt(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client = make(csms.url)
    csms.disconnect("CP1")
    clock.wait_for("reconnect")
    waiting = [in_thread(client.wait_connected), in_thread(client.wait_closed)]
    client.close()
    assert [each.result() for each in waiting] == [False, True]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ocpp-") and thread.name.endswith("CP1")]


def test_close_ends_a_first_connect_that_waits_for_the_next_attempt(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.stop()
    client = make()
    connecting = in_thread(client.connect, csms.url, retry=True)
    clock.wait_for("reconnect")
    client.close()
    with pytest.raises(ConnectionClosed, match="closed while connecting"):
        connecting.result()


def test_close_in_the_event_close_ends_it(make: MakeClient, csms: ScriptedCsms) -> None:
    client = make()
    client.on("close", lambda code, reason: client.close())
    client.connect(csms.url)
    csms.disconnect("CP1")
    assert client.wait_closed(TIMEOUT)


def test_close_in_the_event_connect_of_a_further_link(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client = make(csms.url)
    client.on("connect", lambda: client.close())
    csms.disconnect("CP1")
    clock.advance_to("reconnect")
    assert client.wait_closed(TIMEOUT)
    assert not client.connected


def test_after_close_it_may_connect_again(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client = make(csms.url)
    for _ in range(3):
        client.close()
        assert client.wait_closed(0)
        assert client.connect(csms.url).call("Heartbeat")
    csms.disconnect("CP1")
    clock.advance_to("reconnect")
    assert client.wait_connected(TIMEOUT)


def test_while_it_connects_by_itself_it_cannot_be_told_to(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client = make(csms.url)
    with pytest.raises(RuntimeError, match="connected already"):
        client.connect(csms.url)
    csms.disconnect("CP1")
    clock.wait_for("reconnect")
    with pytest.raises(RuntimeError, match="by itself"):
        client.connect(csms.url)
    clock.advance_to("reconnect")
    assert client.wait_connected(TIMEOUT)


def test_new_credentials_hold_from_the_next_attempt_on(make: MakeClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client = make(password="secret-password-1")
    client.connect(csms.url)
    client.reconfigure(password="secret-password-2")
    csms.disconnect("CP1")
    clock.advance_to("reconnect")
    assert client.wait_connected(TIMEOUT)
    sent = [each.headers["Authorization"] for each in csms.handshakes]
    assert len(sent) == len(set(sent)) == 2


def test_who_waits_for_a_link_is_told_that_there_will_be_none(make_client: MakeClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = make_client()
        connecting = in_thread(client.connect, f"ws://127.0.0.1:{silent.getsockname()[1]}")
        accepted, _ = silent.accept()
        waiting = [in_thread(client.wait_connected), in_thread(client.call, "Heartbeat", wait=True, timeout=6 * TIMEOUT)]
        accepted.recv(4096)
        accepted.close()
        with pytest.raises(HandshakeError):
            connecting.result()
        assert waiting[0].result() is False
        with pytest.raises(NotConnected):
            waiting[1].result()


def test_close_after_no_thread_could_be_started(make: MakeClient, csms: ScriptedCsms, monkeypatch: pytest.MonkeyPatch) -> None:
    client, start = make(), threading.Thread.start

    def fail(thread: threading.Thread) -> None:
        if thread.name == "ocpp-rx CP1":
            raise KeyboardInterrupt  # in the midst of it, as Ctrl-C may come
        start(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        with pytest.raises(KeyboardInterrupt):
            client.connect(csms.url)
    client.close()
    assert client.connect(csms.url).call("Heartbeat")


class Ending(_Life):
    """One whose attempt is over as soon as somebody has looked whether it is."""

    opening = property(lambda self: self.openings.pop() if self.openings else None, lambda self, opening: None)
    openings: list[Any]


def test_close_when_an_attempt_is_just_over(make: MakeClient, csms: ScriptedCsms) -> None:
    client, life = make(), Ending([], {}, None)
    with socket.socket() as sock:
        life.openings = [sock]
        client._life = life
        client.begin_close(1000, "")
    client._life = None


def test_close_when_a_link_has_just_come(make: MakeClient, csms: ScriptedCsms, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has not seen that link, and the CSMS does not answer the close frame."""
    with FaultyLink(csms.url) as link:
        client = make(link.url)
        attach = client.attach

        def close_and_attach(*arguments: Any) -> None:
            client.begin_close(1000, "")
            link.half_open()
            attach(*arguments)

        monkeypatch.setattr(client, "attach", close_and_attach)
        monkeypatch.setattr("ocpp_sync.transport.link._LINGER", 0.01)
        csms.disconnect("CP1")
        clock.advance_to("reconnect")
        assert client.wait_closed(TIMEOUT)
        link.cut()


def test_close_at_the_moment_of_the_next_connect(
    make: MakeClient, csms: ScriptedCsms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make(outbox=tmp_path / "queue.sqlite3")
    client.connect(csms.url).close()
    end = client._end_life

    def connect_first(*arguments: Any) -> None:
        in_thread(client.connect, csms.url).result()
        end(*arguments)

    monkeypatch.setattr(client, "_end_life", connect_first)
    client.close()  # has seen no link to close
    assert client.connected
    assert client.outbox.put("Heartbeat").result(TIMEOUT)


def test_a_connect_that_has_not_waited_for_the_last_link_leaves_it_to_the_next(
    make: MakeClient, csms: ScriptedCsms, clock: FakeClock
) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def password() -> str:
        if len(csms.handshakes) == 1:
            asked.set()
            go_on.wait(TIMEOUT)
        return "secret-password-1"

    client = make(csms.url, password=password)
    csms.disconnect("CP1")
    clock.advance_to("reconnect")
    assert asked.wait(TIMEOUT)
    client.begin_close(1000, "")
    for _ in range(2):
        with pytest.raises(HandshakeError, match="the last link has not ended in time"):
            client.connect(csms.url, timeout=0)
    go_on.set()
    assert client.connect(csms.url).call("Heartbeat")


def test_drain_lets_calls_and_handlers_come_to_their_end(make_client: MakeClient, csms: ScriptedCsms) -> None:
    client = make_client(csms.url)
    called, go_on = threading.Event(), threading.Event()

    @client.on("GetLocalListVersion")
    def version(request: dict[str, Any]) -> dict[str, Any]:
        called.set()
        assert go_on.wait(TIMEOUT)
        return {"versionNumber": 7}

    asking = in_thread(csms.call, "CP1", "GetLocalListVersion", {}, TIMEOUT)
    assert called.wait(TIMEOUT)
    closing = in_thread(client.close, drain=True, timeout=TIMEOUT)
    assert client.call("Heartbeat")  # the handler still holds it up
    go_on.set()
    closing.result()
    assert asking.result() == {"versionNumber": 7}


def test_drain_waits_no_longer_than_it_was_told(make_client: MakeClient, csms: ScriptedCsms) -> None:
    client = make_client(csms.url)
    over = threading.Event()
    client.on("GetLocalListVersion", lambda request: over.wait(TIMEOUT) and {"versionNumber": 7})
    asking = in_thread(csms.call, "CP1", "GetLocalListVersion", {}, TIMEOUT)
    client.call("Heartbeat")
    client._drain(client._clock.monotonic())
    over.set()
    assert asking.result() == {"versionNumber": 7}


def test_close_ends_a_drain(make_client: MakeClient, csms: ScriptedCsms) -> None:
    client = make_client(csms.url)
    csms.script("Heartbeat", Drop())
    calling = in_thread(client.call, "Heartbeat", timeout=3600)
    csms.wait_for("Heartbeat")
    closing = in_thread(client.close, drain=True, timeout=3600)
    client.close()
    with pytest.raises(ConnectionClosed):
        calling.result()
    closing.result()


# --- The process


def run(program: str, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    source = textwrap.dedent(program)
    return subprocess.Popen(
        [sys.executable, "-c", source, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )


MAIN_LOOP = """
    import sys
    from ocpp_sync import OcppClient
    client = OcppClient("CP1").connect(sys.argv[1])
    client.on("close", lambda code, reason: print("closed", code, flush=True))
    wait_closed = client.wait_closed
    client.wait_closed = lambda: (print("ready", flush=True), wait_closed())  # run_forever() is about to wait
    try:
        client.run_forever()
        print("returned", client.connected, flush=True)
    except KeyboardInterrupt:
        print("interrupted", client.connected, flush=True)
"""


@pytest.mark.parametrize(
    ("number", "lines"),
    [
        (signal.SIGTERM, ["closed 1000", "returned False"]),
        (signal.SIGINT, ["interrupted True"]),
    ],
    ids=["SIGTERM", "Ctrl-C"],
)
def test_the_main_loop_ends_with_a_signal(number: int, lines: list[str], csms: ScriptedCsms) -> None:
    with run(MAIN_LOOP, csms.url) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        child.send_signal(number)
        output, _ = child.communicate(timeout=6 * TIMEOUT)
    assert sorted(output.splitlines()) == sorted(lines)
    assert child.returncode == 0


OFFLINE = """
    import sys, threading
    from ocpp_sync import Backoff, OcppClient, OcppServer
    with OcppServer().listen(0, "127.0.0.1") as server:
        client, lost = OcppClient("CP1", reconnect=Backoff(3600)), threading.Event()
        client.on("close", lambda code, reason: lost.set())
        client.connect(server.url)
    lost.wait()
    {wait}
"""


WAITS = (
    "client.wait_connected()",
    "client.wait_closed()",
    "client.call('Heartbeat', wait=True, timeout=3600)",
    "pass",
)


@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_every_wait_and_the_interpreter_ends_with_the_program(wait: str) -> None:
    with run(OFFLINE.replace("{wait}", f'print("ready", flush=True); {wait}')) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        if wait != "pass":
            child.send_signal(signal.SIGINT)
        output, _ = child.communicate(timeout=6 * TIMEOUT)
    assert ("KeyboardInterrupt" in output) is (wait != "pass")


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_after_a_fork_the_new_process_needs_a_client_of_its_own(make_client: MakeClient, csms: ScriptedCsms) -> None:
    client = make_client(csms.url)
    uses: list[Callable[[], object]] = [
        lambda: client.call("Heartbeat"),
        lambda: client.connect(csms.url),
        lambda: client.wait_connected(0),
        lambda: client.wait_closed(0),
        lambda: client.boot({}),
    ]
    child = os.fork()
    if child == 0:
        # No exception, exit handler or fixture of the parent's may run here.
        status = 1
        try:
            client.close()
            refused = 0
            for use in uses:
                try:
                    use()
                except RuntimeError as error:
                    refused += "after a fork" in str(error)
            status = 0 if refused == len(uses) else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert client.call("Heartbeat")  # the parent's link is as it was


def test_a8_however_the_link_breaks(make_client: MakeClient, csms: ScriptedCsms) -> None:
    """On the real clock."""
    with FaultyLink(csms.url) as link:
        client, connected = make_client(reconnect=Backoff(0.001, 0.001, 3), ping_interval=0.05, pong_timeout=0.05), Collector()
        client.on("connect", connected)
        client.connect(link.url)
        for fault in (link.cut, link.reset, link.refuse, link.half_open, lambda: link.corrupt(0.5)) * 3:
            connected.next()
            fault()
            if fault == link.refuse:
                link.cut()
            lost = client._no_link.wait(TIMEOUT)
            link.heal()
            assert lost
        connected.next()
        assert client.call("Heartbeat", wait=True)
