"""What an end of OCPP-J has done, counted."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp_sync import Backoff, CallError, CallTimeout, ConnectionClosed, HandshakeError, InvalidPayload, OcppClient, OcppServer
from ocpp_sync.stats import Durations, Stats
from ocpp_sync.testing import Answer, Cut, Delay, Duplicate, FakeClock, ScriptedCsms

from .support import RawChargePoint, in_thread, wait_until

MakeClient = Callable[..., OcppClient]
VERSION = "1.6"
DONE = {"status": "Accepted"}
AT_ONCE = Backoff(0.0, 0.0, refused_minimum=0.0)


# --- durations


@given(st.floats(0, 1e5))
def test_a_bucket_is_an_eighth_of_its_power_of_two_wide(seconds: float) -> None:
    durations = Durations()
    durations.add(seconds)
    ((lower, upper, count),) = durations.buckets()
    assert count == 1
    assert lower <= seconds * (1 + 1e-12)
    assert math.floor(seconds * 1e6) < round(upper * 1e6)
    assert upper - lower <= max(1e-6, seconds / 8) * (1 + 1e-9)


def test_quantiles_are_near_the_true_ones() -> None:
    true = sorted(random.Random(1).expovariate(100) for _ in range(5000))
    durations = Durations()
    for seconds in true:
        durations.add(seconds)
    found = durations.as_dict()
    assert found["count"] == 5000
    assert found["max"] == true[-1]
    assert found["mean"] == pytest.approx(sum(true) / 5000)
    for name, place in (("p50", 2500), ("p95", 4750), ("p99", 4950)):
        assert found[name] == pytest.approx(true[place], rel=0.13)


def test_nothing_has_no_quantiles() -> None:
    assert Durations().as_dict() == {"count": 0, "mean": None, "p50": None, "p95": None, "p99": None, "max": None}


def test_a_sum_is_as_if_all_had_been_counted_in_one_place() -> None:
    parts, whole = (Stats(), Stats()), Stats()
    for number in range(100):
        for stats in (parts[number % 2], whole):
            stats.links += 1
            stats.count_answer(CallError("NotSupported") if number % 3 == 0 else {}, number / 7)
            stats.count_request(CallError("InternalError") if number % 5 == 0 else {}, number / 3)
    merged = parts[0].copy()
    merged.merge(parts[1])
    expected, found = whole.as_dict(), merged.as_dict()
    for kind in ("latency", "handling"):
        assert found[kind].pop("mean") == pytest.approx(expected[kind].pop("mean"))
    assert found == expected
    assert parts[0].links == 50


def test_the_other_side_cannot_make_up_any_number_of_codes() -> None:
    stats = Stats()
    for number in range(1000):
        stats.count_answer(CallError(f"Code{number}" + "x" * 1000), 0.0)
    assert len(stats.errors) == 31
    assert stats.errors["other"] == 970
    assert max(map(len, stats.errors)) == 60


# --- a client and a server


def test_both_ends_count_the_same(server: OcppServer, make_client: MakeClient) -> None:
    server.on("Heartbeat", lambda charge_point, request: {"currentTime": "2026-01-31T12:00:00Z"})
    client = make_client(server.url, version=VERSION)
    client.on("Reset", lambda request: DONE)
    for _ in range(3):
        client.call("Heartbeat")
    with pytest.raises(CallError):
        client.call("Authorize", {"idTag": "X"})
    server.wait_for("CP1", 10).call("Reset", {"type": "Soft"})

    def bytes_fit() -> bool:
        # They are counted when the kernel has taken them, which the other side may hear of first.
        mine, theirs = client.stats["bytes"], server["CP1"].stats["bytes"]
        return bool(mine["in"] == theirs["out"] > 0 and mine["out"] >= theirs["in"] > 0)

    assert wait_until(bytes_fit)
    mine, theirs = client.stats, server["CP1"].stats
    assert (mine["identity"], mine["version"], mine["connected"]) == ("CP1", VERSION, True)
    assert (mine["registration"], mine["outbox"]) == (None, None)
    assert mine["links"] == theirs["links"] == 1
    assert (mine["reconnects"], mine["failed_attempts"]) == (0, 0)
    assert mine["frames"] == {"in": 5, "out": 5}
    assert theirs["frames"] == {"in": 5, "out": 5}
    assert mine["calls"] == {"answered": 3, "errors": {"NotSupported": 1}, "timeouts": 0, "lost": 0, "invalid": 0}
    assert theirs["requests"] == {"answered": 3, "errors": {"NotSupported": 1}}
    assert theirs["calls"]["answered"] == mine["requests"]["answered"] == 1
    assert mine["latency"]["count"] == theirs["handling"]["count"] == 4
    assert 0 < mine["latency"]["p50"] <= mine["latency"]["max"]
    assert (mine["open_calls"], mine["waiting_requests"], mine["malformed"], mine["strays"]) == (0, 0, 0, 0)
    assert mine["connected_for"] > 0


def test_a_server_adds_up_those_that_have_left(server: OcppServer, make_client: MakeClient) -> None:
    server.on("Heartbeat", lambda charge_point, request: {"currentTime": "2026-01-31T12:00:00Z"})
    left = threading.Semaphore(0)
    server.on("close", lambda charge_point, code, reason: left.release())
    for identity in ("CP1", "CP2"):
        with make_client(server.url, identity, version=VERSION) as client:
            client.call("Heartbeat")
        assert left.acquire(timeout=10)
    make_client(server.url, "CP3", version=VERSION).call("Heartbeat")
    stats = server.stats
    assert (stats["connections"], stats["links"], stats["rejected"], stats["waiting_requests"]) == (1, 3, 0, 0)
    assert stats["requests"] == {"answered": 3, "errors": {}}
    assert stats["frames"] == {"in": 3, "out": 3}


def test_who_is_not_let_in_is_counted(server: OcppServer, make_client: MakeClient) -> None:
    server.on("authorization", lambda identity, request: False)
    client = make_client()
    with pytest.raises(HandshakeError):
        client.connect(server.url)
    assert server.stats["rejected"] == 1
    assert server.stats["links"] == 0


def test_what_becomes_of_calls(csms: ScriptedCsms, clock: FakeClock, make_client: MakeClient) -> None:
    client = make_client(csms.url, version=VERSION, clock=clock)
    csms.script("Heartbeat", Delay(60.0), Duplicate(), Answer({"currentTime": 7}), Cut())
    calling = in_thread(client.call, "Heartbeat", timeout=5.0)
    csms.wait_for("Heartbeat")
    assert client.stats["open_calls"] == 1
    clock.advance_to("answer")
    with pytest.raises(CallTimeout):
        calling.result()
    client.call("Heartbeat")
    with pytest.raises(InvalidPayload):
        client.call("Heartbeat")  # its answer has come after the second one of the call before
    with pytest.raises(ConnectionClosed):
        client.call("Heartbeat")
    assert client.wait_closed(10)
    stats = client.stats
    assert stats["calls"] == {"answered": 2, "errors": {}, "timeouts": 1, "lost": 1, "invalid": 1}
    assert stats["strays"] == 1
    assert (stats["connected"], stats["connected_for"]) == (False, None)
    assert stats["latency"]["max"] == 0.0  # by the clock that stands still


def test_what_is_no_message_is_counted(server: OcppServer, raw_charge_point: Callable[..., RawChargePoint]) -> None:
    peer = raw_charge_point(server.url)
    peer.send("nonsense")
    peer.send([3, "1", {}])
    peer.sync()
    stats = server["CP1"].stats
    assert (stats["malformed"], stats["strays"], stats["frames"]["in"]) == (1, 1, 2)


def test_links_are_counted_over_a_reconnect(csms: ScriptedCsms, make_client: MakeClient) -> None:
    client = make_client(csms.url, version=VERSION, reconnect=AT_ONCE)
    client.call("Heartbeat")
    csms.refuse(503)
    failed = threading.Event()
    client.on("error", lambda error: failed.set())
    csms.disconnect("CP1")
    assert failed.wait(10)
    csms.accept()
    assert client.wait_connected(10)
    client.call("Heartbeat")
    stats = client.stats
    assert (stats["links"], stats["reconnects"]) == (2, 1)
    assert stats["failed_attempts"] >= 1
    assert stats["frames"] == {"in": 2, "out": 2}
    assert stats["calls"]["answered"] == 2


def test_an_outbox_is_counted(csms: ScriptedCsms, make_client: MakeClient, tmp_path: Any) -> None:
    client = make_client(version=VERSION, outbox=tmp_path / "outbox")
    client.outbox.put("Heartbeat")
    assert client.stats["outbox"] == 1


# --- handlers that take long


@pytest.fixture
def handler() -> Iterator[tuple[threading.Event, threading.Event]]:
    """Set when it runs, and waited for."""
    running, go_on = threading.Event(), threading.Event()
    yield running, go_on
    go_on.set()


def test_a_slow_handler_is_named_while_it_runs(
    csms: ScriptedCsms, make_client: MakeClient, handler: tuple[threading.Event, threading.Event], caplog: pytest.LogCaptureFixture
) -> None:
    running, go_on = handler
    client = make_client(csms.url, version=VERSION, slow_handler=0.0)

    @client.on("Reset")
    def reset_the_relay(request: dict[str, Any]) -> dict[str, str]:
        running.set()
        go_on.wait(10)
        return DONE

    answer = in_thread(csms.call, "CP1", "Reset", {"type": "Soft"})
    assert running.wait(10)
    for _ in range(2):
        client.call("Heartbeat")  # something comes meanwhile
    told = [record.message for record in caplog.records if "the handler of Reset runs for" in record.message]
    assert len(told) == 1
    assert "ocpp-handler CP1" in told[0]
    assert "threading.py" in told[0]  # in wait(), called by the handler
    go_on.set()
    assert answer.result() == DONE
    assert [record.message for record in caplog.records if "the handler of Reset took" in record.message]


def test_what_others_do_not_wait_for_is_not_slow(
    csms: ScriptedCsms, make_client: MakeClient, handler: tuple[threading.Event, threading.Event], caplog: pytest.LogCaptureFixture
) -> None:
    running, go_on = handler
    client = make_client(csms.url, version=VERSION, slow_handler=0.0)

    @client.on("Reset")
    def reset(request: dict[str, Any]) -> Iterator[dict[str, str]]:
        yield DONE
        running.set()
        go_on.wait(10)

    csms.call("CP1", "Reset", {"type": "Soft"})
    assert running.wait(10)
    client.call("Heartbeat")
    assert "runs for" not in caplog.text


def test_nobody_is_named_if_that_is_not_wanted(csms: ScriptedCsms, make_client: MakeClient, caplog: pytest.LogCaptureFixture) -> None:
    client = make_client(csms.url, version=VERSION, slow_handler=None)
    client.on("Reset", lambda request: DONE)
    csms.call("CP1", "Reset", {"type": "Soft"})
    client.call("Heartbeat")
    assert not caplog.records


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_a_wrong_limit_is_refused(seconds: Any) -> None:
    for end in (lambda: OcppClient("CP1", slow_handler=seconds), lambda: OcppServer(slow_handler=seconds)):
        with pytest.raises((ValueError, TypeError), match="slow_handler"):
            end()


def test_stats_may_be_asked_for_at_any_time(server: OcppServer, make_client: MakeClient) -> None:
    """While charge points come, call and go: nothing is counted twice, and nothing is lost."""
    server.on("Heartbeat", lambda charge_point, request: {"currentTime": "2026-01-31T12:00:00Z"})
    over = threading.Event()

    def watch() -> int:
        last = 0
        while not over.is_set():
            now = server.stats["requests"]["answered"]
            assert now >= last
            last = now
        return last

    watching = in_thread(watch)

    def come_and_go(identity: str) -> None:
        for _ in range(10):
            with make_client(server.url, identity, version=VERSION) as client:
                for _ in range(5):
                    client.call("Heartbeat")

    for guest in [in_thread(come_and_go, f"CP{number}") for number in range(4)]:
        guest.result(60)
    over.set()
    assert watching.result() <= 200
    assert server.stats["requests"]["answered"] == 200
    assert server.stats["links"] == 40


def test_what_the_other_side_calls_an_action_writes_no_line_of_the_log(
    server: OcppServer,
    raw_charge_point: Callable[..., RawChargePoint],
    make_server: Callable[..., OcppServer],
    caplog: pytest.LogCaptureFixture,
) -> None:
    loose = make_server(validation="off", slow_handler=0.0)
    loose.on("*", lambda charge_point, action, request: {})
    peer = raw_charge_point(loose.url)
    peer.send([2, "1", "Reset\nWARNING forged" + "x" * 1000, {}])
    peer.receive()
    told = [record.getMessage() for record in caplog.records if "the handler of" in record.getMessage()]
    assert told
    assert not [text for text in told if "\n" in text or len(text) > 200]


def test_codes_do_not_pile_up_over_links() -> None:
    total = Stats()
    for number in range(100):
        link = Stats()
        link.count_answer(CallError(f"Code{number}"), 0.0)
        total.merge(link)
    assert len(total.errors) == 31
    assert total.errors["other"] == 70
