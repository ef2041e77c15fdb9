"""What a person at the prompt of ``ocpp-sync serve --repl`` has at hand."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from ocpp_sync import ConnectionClosed, OcppClient, OcppServer
from ocpp_sync.cli.live import stream_writer_to
from ocpp_sync.cli.prompt_names import prompt_names
from ocpp_sync.cli.reporter import Reporter
from ocpp_sync.cli.watch import LastFrames
from ocpp_sync.csms import Csms

from .support import TIMEOUT, Collector, in_thread

Connect = Callable[..., OcppClient]


@pytest.fixture
def names(server: OcppServer) -> dict[str, Any]:
    return prompt_names(server, Csms(server), LastFrames())


@pytest.fixture
def connect(server: OcppServer, make_client: Connect) -> Callable[..., OcppClient]:
    """Connects charge points that accept a reset, and waits until the server knows them."""

    def connect(identity: str, version: str = "1.6") -> OcppClient:
        client = make_client(identity=identity, version=version)
        client.on("Reset", lambda request: {"status": "Accepted" if request["type"] == "Soft" else "Rejected"})
        client.connect(server.url)
        server.wait_for(identity, TIMEOUT)
        return client

    return connect


def test_a_call_goes_to_the_latest_charge_point_unless_another_is_named(names: dict[str, Any], connect: Connect) -> None:
    connect("CP1")
    latest = connect("CP2")
    call = names["call"]
    seen = Collector({"status": "Rejected"})
    latest.on("Reset", seen)
    assert call("Reset", type="Soft") == {"status": "Rejected"}
    assert call("Reset", {"type": "Hard"}, timeout=TIMEOUT) == {"status": "Rejected"}
    assert [seen.next(), seen.next()] == [({"type": "Soft"},), ({"type": "Hard"},)]
    assert call("Reset", "CP1", type="Soft") == {"status": "Accepted"}
    assert call("Reset", names["cps"]["CP1"], {}, type="Hard") == {"status": "Rejected"}
    assert call("Reset", names["cp"], type="Hard") == {"status": "Rejected"}
    assert "Reset" in call.completions()
    for payload, more in ({}, 7), ("CP2", {}):
        with pytest.raises(TypeError, match="after the action comes an identity"):
            call("Reset", "CP1", payload, more)
    with pytest.raises(KeyError, match="CP3 is not connected"):
        call("Reset", "CP3", type="Soft")


def test_the_latest_charge_point_is_live(names: dict[str, Any], connect: Connect, server: OcppServer) -> None:
    cp = names["cp"]
    assert repr(cp) == "'no charge point is connected'"
    assert dir(cp) == []
    with pytest.raises(LookupError, match="no charge point is connected"):
        cp.identity  # noqa: B018
    with pytest.raises(LookupError, match="no charge point is connected"):
        names["call"]("Reset", type="Soft")
    with pytest.raises(AttributeError):
        cp._repr_html_  # noqa: B018
    left = Collector()
    server.on("close", left)
    connect("CP1")
    second = connect("CP2")
    assert (cp.identity, cp.call("Reset", {"type": "Soft"})) == ("CP2", {"status": "Accepted"})
    assert repr(cp) == repr(server["CP2"])
    assert "call" in dir(cp)
    second.close()
    left.next()
    assert cp.identity == "CP1"


def test_the_charge_points_are_live(names: dict[str, Any], connect: Connect, server: OcppServer) -> None:
    cps = names["cps"]
    assert (len(cps), repr(cps)) == (0, "{}")
    connect("CP1")
    assert (list(cps), cps["CP1"]) == (["CP1"], server["CP1"])
    assert names["wait_for"]("CP1", TIMEOUT) is server["CP1"]
    assert names["stats"]()["connections"] == 1


def test_payloads_are_of_the_version_of_the_latest_charge_point(names: dict[str, Any], connect: Connect) -> None:
    assert "customData" in str(names["describe"]("Reset"))
    connect("CP1", "1.6")
    assert names["skeleton"]("Reset") == {"type": "Hard"}
    assert "OCPP 1.6" in str(names["describe"]("Reset"))


# --- What else is shown


def test_what_the_log_says_is_shown_and_counted(server: OcppServer) -> None:
    out = io.StringIO()
    log = logging.getLogger("ocpp_sync")
    reporter = Reporter(server, Csms(server), out, stream_writer_to(out))
    with reporter.taking_the_log():
        log.warning("a warning")
        log.info("not shown")
        log.warning("%d", "no number")
        try:
            raise ValueError("a\x1bb")
        except ValueError:
            log.exception("a handler failed")
    log.warning("not here any more")
    assert reporter.finish()
    lines = out.getvalue().splitlines()
    assert [line[13:] for line in lines[:3]] == ["a warning", "%d", "a handler failed"]
    assert lines[3] == "Traceback (most recent call last):"
    assert "ValueError: a\\u001bb" in lines
    assert lines[-1] == "Problems: 2 × warnings; 1 × errors."


def test_a_traceback_is_there_for_machines_too(server: OcppServer) -> None:
    out = io.StringIO()
    reporter = Reporter(server, Csms(server), out, stream_writer_to(out), as_json=True)
    reporter.problem("", "problem", "it failed", "errors", "line 1\nline 2")
    assert reporter.finish()
    assert '"text": "it failed", "details": "line 1\\nline 2"' in out.getvalue()


def test_refusals_with_a_status_of_one_s_own(server: OcppServer, make_client: Connect) -> None:
    from ocpp_sync import HandshakeError, RejectHandshake

    def refuse(identity: str, request: Any) -> bool:
        raise RejectHandshake(499)

    server.on("authorization", refuse)
    out = io.StringIO()
    reporter = Reporter(server, Csms(server), out, stream_writer_to(out))
    with pytest.raises(HandshakeError):
        make_client(server.url)
    assert reporter.finish()
    assert "CP1 refused with 499, from 127.0.0.1\n" in out.getvalue()


def test_what_json_does_not_have_is_shown_as_text(server: OcppServer) -> None:
    out = io.StringIO()
    reporter = Reporter(server, Csms(server), out, stream_writer_to(out), as_json=True)
    charge_point: Any = SimpleNamespace(identity="CP1")
    for payload in ("NaN", "1e999"):
        reporter._frame(charge_point, "in", f'[2,"1","DataTransfer",{{"data":{payload}}}]')
    assert reporter.finish()
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line.get("text") for line in lines[:2]] == [f'[2,"1","DataTransfer",{{"data":{payload}}}]' for payload in ("NaN", "1e999")]


def test_all_lines_for_machines_are_json(server: OcppServer) -> None:
    written: list[str] = []
    go_on = threading.Event()

    def write(text: str) -> None:
        assert go_on.wait(TIMEOUT)
        written.append(text)

    reporter = Reporter(server, Csms(server), io.StringIO(), write, as_json=True)
    charge_point: Any = SimpleNamespace(identity="CP1")
    reporter.say("what", "cannot be JSON", number=float("inf"))
    for _ in range(12_000):
        reporter._frame(charge_point, "in", '[2,"1","Heartbeat",{}]')
    go_on.set()
    assert reporter.finish()
    lines = [json.loads(line) for line in "".join(written).splitlines()]
    assert (lines[0]["event"], lines[0]["text"]) == ("not-shown", "… a line that cannot be shown: ValueError")
    assert lines[-2]["event"] == "left-out"
    assert lines[-1]["event"] == "summary"


def test_what_a_charge_point_was_asked_is_forgotten_when_it_comes_with_its_name_in_another_case(
    server: OcppServer, make_client: Connect
) -> None:
    asked = threading.Event()
    closing, closed = threading.Event(), Collector()
    reporter = Reporter(server, Csms(server), io.StringIO(), lambda text: None)
    server.on("close", closed)  # told after the reporter

    def never(request: dict[str, Any]) -> None:
        asked.set()
        closing.wait(TIMEOUT)

    first = make_client(server.url, identity="cp1", version="2.0.1")
    first.on("ClearCache", never)
    calling = in_thread(server.wait_for("cp1", TIMEOUT).call, "ClearCache")
    assert asked.wait(TIMEOUT)
    assert list(reporter._watch._open) == ["cp1"]
    second = make_client(server.url, identity="CP1", version="2.0.1")
    assert closed.next()[0].identity == "cp1"
    closing.set()
    with pytest.raises(ConnectionClosed):
        calling.result()
    assert not reporter._watch._open
    assert second.connected
    assert reporter.finish()


@pytest.mark.parametrize(("seconds", "shown"), [(0.25, "0.2 s"), (75, "1 min 15 s"), (7265, "2 h 1 min")])
def test_durations_are_for_people(seconds: float, shown: str) -> None:
    from ocpp_sync.cli.reporter import _duration

    assert _duration(seconds) == shown
