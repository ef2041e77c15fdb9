"""The CSMS that answers by a script: what it does by default, what each step does, and what it notes."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ocpp_sync.testing
from ocpp_sync import CallError, CallTimeout, ConnectionClosed, HandshakeError, InvalidPayload, NotConnected, OcppClient, validate
from ocpp_sync.default_responses import minimal_response
from ocpp_sync.schemas import actions
from ocpp_sync.testing import Answer, Close, Cut, CutAfter, Delay, Drop, Duplicate, FakeClock, Late, ScriptedCsms
from ocpp_sync.timestamps import parse_time

from .pki import pki
from .support import TIMEOUT, VERSIONS, RawChargePoint, in_thread
from .test_architecture import LATE, new_modules

START = {"connectorId": 1, "idTag": "ABC", "meterStart": 0, "timestamp": "2025-01-31T12:00:00Z"}
BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}

Make = Callable[..., Any]


@pytest.fixture
def client(csms: ScriptedCsms, make_client: Make) -> OcppClient:
    connected: OcppClient = make_client(csms.url, version="1.6")
    return connected


@pytest.fixture
def point(csms: ScriptedCsms, raw_charge_point: Make) -> RawChargePoint:
    connected: RawChargePoint = raw_charge_point(csms.url, version="1.6")
    return connected


def beat(point: RawChargePoint, message_id: str) -> None:
    point.send([2, message_id, "Heartbeat", {}])


def outcomes(csms: ScriptedCsms) -> list[str]:
    return [message.outcome for message in csms.received]


# --- By default


@pytest.mark.parametrize("version", VERSIONS)
def test_every_action_has_a_valid_default_response(version: str) -> None:
    for name, action in actions(version).items():
        if not action.is_send:
            validate(name, minimal_response(version, name, "2025-01-31T12:00:00Z"), version=version, kind="response")


def test_a_boot_is_accepted_with_the_interval_and_the_time_of_its_clock(csms: ScriptedCsms, client: OcppClient, clock: FakeClock) -> None:
    clock.advance(3600)
    csms.interval = 42
    boot = client.call("BootNotification", BOOT)
    assert (boot["status"], boot["interval"]) == ("Accepted", 42)
    assert parse_time(boot["currentTime"]).timestamp() == clock.time()


def test_what_authorizes_is_accepted_and_transaction_ids_rise(client: OcppClient) -> None:
    assert client.call("Authorize", {"idTag": "ABC"}) == {"idTagInfo": {"status": "Accepted"}}
    assert [client.call("StartTransaction", START)["transactionId"] for _ in range(3)] == [1, 2, 3]


def test_a_request_that_breaks_its_schema_is_refused(csms: ScriptedCsms, point: RawChargePoint) -> None:
    point.send([2, "1", "Authorize", {}])
    assert point.receive()[:3] == [4, "1", "OccurenceConstraintViolation"]
    point.send([2, "2", "Nonsense", {}])
    assert point.receive()[:3] == [4, "2", "NotImplemented"]
    assert outcomes(csms) == ["refused", "refused"]
    assert isinstance(csms.received[0].response, CallError)


def test_a_send_is_received_and_not_answered(csms: ScriptedCsms, make_client: Make) -> None:
    client = make_client(csms.url, version="2.1", validation="off")
    client.send("NotifyPeriodicEventStream", {"id": 1})
    assert csms.wait_for("NotifyPeriodicEventStream").payload == {"id": 1}
    client.call("Heartbeat")  # and goes on
    assert outcomes(csms) == ["received", "answered"]


def test_pings_are_answered(point: RawChargePoint) -> None:
    point.sync()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_charge_point_gets_its_version(make_client: Make, version: str) -> None:
    with ScriptedCsms(versions=version) as csms:
        assert make_client(csms.url, version=[*VERSIONS]).version == version
        other = next(each for each in VERSIONS if each != version)
        with pytest.raises(HandshakeError) as raised:
            make_client(csms.url, "CP2", version=other)
        assert raised.value.status == 400
        assert [(each.identity, each.status) for each in csms.handshakes] == [("CP1", 101), ("CP2", 400)]


def test_it_speaks_tls(make_client: Make) -> None:
    files = pki().server()
    with ScriptedCsms(certfile=files.cert, keyfile=files.key) as csms:
        assert csms.url.startswith("wss://")
        client = make_client(csms.url, cafile=pki().ca)
        assert client.call("Heartbeat")
        csms.script("Heartbeat", Cut())
        with pytest.raises(ConnectionClosed):
            client.call("Heartbeat")


# --- Steps


def test_steps_are_taken_in_order_and_then_the_default_again(csms: ScriptedCsms, client: OcppClient) -> None:
    one = Answer({"currentTime": "2001-01-01T00:00:00Z"})
    csms.script("Heartbeat", one, CallError("InternalError", "text", {"a": 1}), one)
    assert client.call("Heartbeat")["currentTime"] == "2001-01-01T00:00:00Z"
    with pytest.raises(CallError) as raised:
        client.call("Heartbeat")
    assert (raised.value.code, raised.value.description, raised.value.details) == ("InternalError", "text", {"a": 1})
    assert client.call("Authorize", {"idTag": "ABC"})  # another action
    assert client.call("Heartbeat")["currentTime"] == "2001-01-01T00:00:00Z"
    assert client.call("Heartbeat")["currentTime"] == "2025-01-01T00:00:00.000Z"
    error = csms.received[1].response
    assert isinstance(error, CallError)
    assert error.code == "InternalError"


def test_an_answer_may_break_every_rule(csms: ScriptedCsms, client: OcppClient) -> None:
    csms.script("Heartbeat", Answer({"currentTime": "yesterday"}))
    with pytest.raises(InvalidPayload):
        client.call("Heartbeat")
    assert csms.received[0].response == {"currentTime": "yesterday"}


def test_a_dropped_request_is_received_and_never_answered(csms: ScriptedCsms, point: RawChargePoint) -> None:
    csms.script("Heartbeat", Drop())
    beat(point, "1")
    beat(point, "2")
    assert point.receive()[1] == "2"
    assert outcomes(csms) == ["dropped", "answered"]


def test_a_duplicate_is_answered_twice(csms: ScriptedCsms, point: RawChargePoint) -> None:
    csms.script("Heartbeat", Duplicate({"a": 1}))
    beat(point, "1")
    assert [point.receive(), point.receive()] == [[3, "1", {"a": 1}]] * 2
    assert outcomes(csms) == ["answered twice"]


def test_a_delay_is_by_its_clock_and_others_are_answered_meanwhile(csms: ScriptedCsms, point: RawChargePoint, clock: FakeClock) -> None:
    csms.script("Heartbeat", Delay(20), Delay(10, CallError("InternalError")))
    for message_id in ("1", "2", "3"):
        beat(point, message_id)
    assert point.receive()[1] == "3"
    assert outcomes(csms) == ["delayed", "delayed", "answered"]
    calling = in_thread(csms.call, "CP1", "Reset", {"type": "Soft"})
    reset = point.receive()
    point.send([3, reset[1], {"status": "Accepted"}])
    assert calling.result() == {"status": "Accepted"}
    assert clock.advance_to("csms answer") == 10
    assert point.receive()[:3] == [4, "2", "InternalError"]
    assert clock.advance_to("csms answer") == 10
    assert point.receive()[:2] == [3, "1"]
    assert outcomes(csms) == ["answered", "refused", "answered"]


def test_a_late_answer_comes_when_the_next_request_has_come(csms: ScriptedCsms, point: RawChargePoint) -> None:
    csms.script("Heartbeat", Late())
    beat(point, "1")
    point.sync()
    assert outcomes(csms) == ["held"]
    beat(point, "2")
    assert [point.receive()[1], point.receive()[1]] == ["1", "2"]


def test_a_late_answer_comes_when_it_is_released(csms: ScriptedCsms, point: RawChargePoint) -> None:
    csms.script("Heartbeat", Late(step=Duplicate()))
    beat(point, "1")
    csms.wait_until(lambda csms: outcomes(csms) == ["held"])
    csms.release()
    csms.release()
    assert [point.receive()[1], point.receive()[1]] == ["1", "1"]
    beat(point, "2")
    assert point.receive()[1] == "2"


def test_a_late_answer_comes_after_its_time_and_once_only(csms: ScriptedCsms, point: RawChargePoint, clock: FakeClock) -> None:
    csms.script("Heartbeat", Late(5), Late(7))
    beat(point, "1")
    assert clock.advance_to("csms answer") == 5
    assert point.receive()[1] == "1"
    beat(point, "2")
    assert clock.wait_for("csms answer") == 7
    csms.release()
    assert point.receive()[1] == "2"
    clock.advance_to("csms answer")
    beat(point, "3")
    assert point.receive()[1] == "3"


def test_a_close_comes_instead_of_the_answer(csms: ScriptedCsms, client: OcppClient) -> None:
    csms.script("Heartbeat", Close(1001, "restart"))
    with pytest.raises(ConnectionClosed) as raised:
        client.call("Heartbeat")
    assert (raised.value.code, raised.value.reason) == (1001, "restart")
    assert outcomes(csms) == ["closed"]


def test_a_cut_comes_instead_of_the_answer(csms: ScriptedCsms, client: OcppClient) -> None:
    csms.script("Heartbeat", Cut())
    with pytest.raises(ConnectionClosed) as raised:
        client.call("Heartbeat")
    assert raised.value.code == 1006
    assert outcomes(csms) == ["cut"]


def test_a_cut_after_the_answer_lets_the_answer_through(csms: ScriptedCsms, point: RawChargePoint) -> None:
    csms.script("Heartbeat", CutAfter())
    beat(point, "1")
    assert point.receive()[1] == "1"
    assert point.receive_close()[0] == 1006
    assert outcomes(csms) == ["answered, then cut"]


@pytest.mark.parametrize("step", [Late(), Delay(5)])
def test_what_is_not_answered_when_the_connection_goes_is_lost(
    csms: ScriptedCsms, point: RawChargePoint, clock: FakeClock, step: Late | Delay
) -> None:
    csms.script("Heartbeat", step)
    beat(point, "1")
    csms.wait_until(lambda csms: outcomes(csms) in (["held"], ["delayed"]))
    csms.disconnect("CP1")
    csms.wait_until(lambda csms: not csms.identities)
    csms.release()
    if isinstance(step, Delay):
        clock.advance_to("csms answer")
    csms.wait_until(lambda csms: outcomes(csms) == ["lost"])


def test_a_function_chooses_and_stays(csms: ScriptedCsms, point: RawChargePoint) -> None:
    asked = []

    def choose(request: ocpp_sync.testing.Received) -> Drop | None:
        asked.append(request.message_id)
        return Drop() if int(request.message_id) % 2 else None

    csms.script("Heartbeat", CallError("InternalError"), choose)
    for number in range(6):
        beat(point, str(number))
    assert [point.receive()[:2] for _ in range(3)] == [[4, "0"], [3, "2"], [3, "4"]]
    point.sync()
    assert asked == ["1", "2", "3", "4", "5"]
    csms.script("Heartbeat")
    beat(point, "7")
    assert point.receive()[:2] == [3, "7"]


def test_an_actions_own_script_comes_before_that_of_all(csms: ScriptedCsms, point: RawChargePoint) -> None:
    csms.script("*", *[Answer({"all": True})] * 2)
    csms.script("Heartbeat", Answer({"own": True}))
    beat(point, "1")
    beat(point, "2")
    point.send([2, "3", "Authorize", {"idTag": "A"}])
    beat(point, "4")
    answers = [point.receive()[2] for _ in range(4)]
    assert answers[:3] == [{"own": True}, {"all": True}, {"all": True}]
    assert answers[3].keys() == {"currentTime"}


def test_a_script_that_fails_is_noted_and_logged(csms: ScriptedCsms, point: RawChargePoint, caplog: pytest.LogCaptureFixture) -> None:
    def fail(request: ocpp_sync.testing.Received) -> None:
        raise LookupError("of the test")

    csms.script("Heartbeat", Answer({"x": float("nan")}), fail)
    beat(point, "1")
    beat(point, "2")
    point.send([2, "3", "Authorize", {"idTag": "A"}])
    assert point.receive()[1] == "3"
    assert outcomes(csms) == ["failed", "failed", "answered"]
    assert "of the test" in caplog.text


@pytest.mark.parametrize("steps", [(Drop,), (None,), (lambda _: None, Drop()), ("InternalError",)])
def test_what_is_no_step_is_refused(csms: ScriptedCsms, steps: Any) -> None:
    with pytest.raises(ValueError, match="step 1 for Heartbeat is"):
        csms.script("Heartbeat", *steps)


def test_a_misspelt_action_is_refused(csms: ScriptedCsms) -> None:
    with pytest.raises(ValueError, match="'Heartbeet' is no action"):
        csms.script("Heartbeet", Drop())


# --- Calls


def test_a_call_gets_the_answer_of_the_charge_point(csms: ScriptedCsms, client: OcppClient) -> None:
    client.on("TriggerMessage", lambda request: {"status": "Accepted" if request["requestedMessage"] == "Heartbeat" else "Rejected"})
    assert csms.call("CP1", "TriggerMessage", {"requestedMessage": "Heartbeat"}) == {"status": "Accepted"}
    with pytest.raises(CallError) as raised:
        csms.call("CP1", "ClearCache")
    assert raised.value.code == "NotSupported"


def test_several_calls_may_be_under_way(csms: ScriptedCsms, point: RawChargePoint) -> None:
    calls = [in_thread(csms.call, "CP1", "Reset", {"type": kind}) for kind in ("Soft", "Hard")]
    requests = [point.receive() for _ in calls]
    for _, message_id, _, payload in reversed(requests):
        point.send([3, message_id, payload])
    assert [call.result() for call in calls] == [{"type": "Soft"}, {"type": "Hard"}]


def test_a_call_without_an_answer_ends(csms: ScriptedCsms, point: RawChargePoint) -> None:
    with pytest.raises(CallTimeout):
        csms.call("CP1", "Reset", timeout=0.01)
    reset = point.receive()
    point.send([3, reset[1], {"late": True}])
    csms.wait_until(lambda csms: outcomes(csms) == ["unasked"])
    calling = in_thread(csms.call, "CP1", "Reset")
    point.receive()
    point.close()
    with pytest.raises(ConnectionClosed):
        calling.result()


def test_who_is_not_connected_cannot_be_called(csms: ScriptedCsms, client: OcppClient) -> None:
    with pytest.raises(NotConnected, match="CP2 is not connected; connected: CP1"):
        csms.call("CP2", "Reset")
    with pytest.raises(NotConnected):
        csms.disconnect("CP2")


# --- Connections


def test_a_restart_keeps_port_script_log_and_transaction_ids(csms: ScriptedCsms, make_client: Make) -> None:
    client, url = make_client(csms.url, version="1.6"), csms.url
    csms.script("Heartbeat", Answer({"currentTime": "2001-01-01T00:00:00Z"}))
    assert client.call("StartTransaction", START)["transactionId"] == 1
    csms.stop()
    csms.stop()
    assert client.wait_closed(TIMEOUT)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", csms.port), TIMEOUT)
    csms.start()
    with pytest.raises(RuntimeError, match="already"):
        csms.start()
    assert csms.url == url
    client = make_client(csms.url, version="1.6")
    assert client.call("StartTransaction", START)["transactionId"] == 2
    assert client.call("Heartbeat")["currentTime"] == "2001-01-01T00:00:00Z"
    assert [(each.action, each.connection) for each in csms.received] == [
        ("StartTransaction", 1),
        ("StartTransaction", 2),
        ("Heartbeat", 2),
    ]


def test_it_may_say_goodbye(csms: ScriptedCsms, point: RawChargePoint) -> None:
    stopping = in_thread(csms.stop, 1001)
    assert point.receive_close() == (1001, "the CSMS stops")
    stopping.result()


def test_handshakes_are_refused_while_it_says_so(csms: ScriptedCsms, make_client: Make, clock: FakeClock) -> None:
    first = make_client(csms.url, "CP1", version="1.6")
    csms.refuse(401)
    clock.advance(5)
    with pytest.raises(HandshakeError) as raised:
        make_client(csms.url, "CP2", version="1.6", password="0123456789abcdef")
    assert (raised.value.status, raised.value.reason) == (401, "unauthorized")
    assert first.call("Heartbeat")
    csms.refuse(503)
    with pytest.raises(HandshakeError):
        make_client(csms.url, "CP2", version="1.6")
    csms.accept()
    make_client(csms.url, "CP2", version="1.6")
    assert [(each.identity, each.status, each.time) for each in csms.handshakes] == [
        ("CP1", 101, 1000.0),
        ("CP2", 401, 1005.0),
        ("CP2", 503, 1005.0),
        ("CP2", 101, 1005.0),
    ]
    assert str(csms.handshakes[1].headers["authorization"]).startswith("Basic ")
    assert "MDEy" not in repr(csms.handshakes[1])
    assert csms.identities == ["CP1", "CP2"]


def test_a_disconnect_closes_or_cuts(csms: ScriptedCsms, raw_charge_point: Make) -> None:
    for code, expected in ((1012, 1012), (None, 1006)):
        point = raw_charge_point(csms.url)
        csms.disconnect("CP1", code)
        assert point.receive_close()[0] == expected
        csms.wait_until(lambda csms: not csms.identities)


def test_a_newer_connection_of_an_identity_replaces_the_older(csms: ScriptedCsms, raw_charge_point: Make) -> None:
    older, newer = raw_charge_point(csms.url), raw_charge_point(csms.url)
    assert older.receive_close()[0] == 1008
    beat(newer, "1")
    assert newer.receive()[1] == "1"
    assert csms.wait_for("Heartbeat").connection == 2
    assert csms.identities == ["CP1"]


def test_what_is_no_upgrade_gets_an_answer(csms: ScriptedCsms) -> None:
    with socket.create_connection(("127.0.0.1", csms.port), TIMEOUT) as sock:
        sock.sendall(b"GET /CP1 HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 400 ")
    with socket.create_connection(("127.0.0.1", csms.port), TIMEOUT) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 404 ")
    assert [each.status for each in csms.handshakes] == [400, 404]


# --- The log


def test_all_that_comes_is_noted(csms: ScriptedCsms, point: RawChargePoint, clock: FakeClock) -> None:
    beat(point, "1")
    point.receive()
    clock.advance(2)
    point.send("nonsense")
    point.send([3, "9", {}])
    beat(point, "2")
    point.receive()
    assert csms.received[0] == ("CP1", 1, "Heartbeat", {}, "1", 1000.0, "answered", {"currentTime": "2025-01-01T00:00:00.000Z"})
    assert [(each.action, each.message_id, each.outcome, each.time) for each in csms.received][1:3] == [
        ("", "", "malformed", 1002.0),
        ("", "9", "unasked", 1002.0),
    ]
    assert csms.wait_for("Heartbeat", 2).message_id == "2"
    assert csms.wait_for("*", 3).message_id == "9"


def test_waiting_ends_with_what_has_come_instead(csms: ScriptedCsms, client: OcppClient) -> None:
    client.call("Heartbeat")
    with pytest.raises(TimeoutError, match=r"1 of 2 Heartbeat have come within 0 s; received: {'Heartbeat': 1}"):
        csms.wait_for("Heartbeat", 2, timeout=0)
    with pytest.raises(TimeoutError, match="1 connected, 1 messages received"):
        csms.wait_until(lambda csms: len(csms.received) == 2, timeout=0)
    csms.clear()
    assert (csms.received, csms.handshakes) == ([], [])
    client.call("Heartbeat")
    assert csms.wait_for("Heartbeat").outcome == "answered"


def test_whoever_has_an_answer_finds_it_noted(csms: ScriptedCsms, client: OcppClient) -> None:
    for number in range(1, 101):
        client.call("Heartbeat")
        assert outcomes(csms) == ["answered"] * number


def test_many_charge_points_at_once(csms: ScriptedCsms, make_client: Make) -> None:
    clients = [make_client(csms.url, f"CP{number}", version="1.6") for number in range(10)]

    def work(client: OcppClient) -> list[int]:
        return [client.call("StartTransaction", START)["transactionId"] for _ in range(10)]

    given = [each.result() for each in [in_thread(work, client) for client in clients]]
    assert sorted(each for ids in given for each in ids) == list(range(1, 101))
    assert all(ids == sorted(ids) for ids in given)
    assert len(csms.received) == 100


def test_close_ends_everything_also_twice_and_with_delays_left(csms: ScriptedCsms, point: RawChargePoint, clock: FakeClock) -> None:
    csms.script("Heartbeat", Delay(1000))
    beat(point, "1")
    clock.wait_for("csms answer")
    csms.close()
    csms.close()
    assert point.receive_close()[0] == 1006
    assert outcomes(csms) == ["delayed"]
    assert "stopped" in repr(csms)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("csms", "ocpp-accept"))]


def test_a_taken_port_is_refused(csms: ScriptedCsms) -> None:
    with pytest.raises(OSError):
        ScriptedCsms(port=csms.port)


# --- The package


def test_the_public_names_are_all_there() -> None:
    for name in ocpp_sync.testing.__all__:
        assert getattr(ocpp_sync.testing, name).__name__ == name
        assert name in dir(ocpp_sync.testing)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = ocpp_sync.testing.Nothing


def test_import_of_the_tools_loads_nothing_heavy() -> None:
    loaded = new_modules("import ocpp_sync.testing")
    assert "ocpp_sync.testing" in loaded
    assert not loaded & {*LATE, "ocpp_sync.testing.scripted_csms", "socket"}


EXAMPLES = re.findall(
    r"^```python\n(.*?)^```", Path(__file__).parents[1].joinpath("docs/testing.md").read_text(encoding="utf-8"), re.M | re.S
)


def test_there_is_an_example_of_each_tool() -> None:
    assert [any(f"{tool}(" in example for example in EXAMPLES) for tool in ("ScriptedCsms", "FaultyLink", "FakeClock")] == [True] * 3


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_documentation_run(example: str) -> None:
    exec(compile(example, "docs/testing.md", "exec"), {})
