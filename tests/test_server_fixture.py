"""What the fixtures of the pytest plug-in do for a test; how they report is in test_pytest_plugin.py."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from websockets.exceptions import InvalidStatus

from ocpp_sync import CallError, ConnectionClosed, HandshakeError, InvalidPayload, OcppClient, endpoint, utcnow
from ocpp_sync.testing import Certificates, FakeClock, FaultyLink, OcppClientFixture, OcppServerFixture, ReceivedRequest, SeenFrame

from .support import TIMEOUT, VERSIONS, RawChargePoint, in_thread

BOOT: Any = {"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"}
STATUSES = "'Available', 'Preparing', 'Charging', 'SuspendedEVSE', 'SuspendedEV', 'Finishing', 'Reserved', 'Unavailable', 'Faulted'"
SOON = 0.05  # seconds until a test is told that something has not come


def status(connector: int, state: str) -> dict[str, Any]:
    return {"connectorId": connector, "errorCode": "NoError", "status": state}


def report(client: OcppClient[Any], *statuses: tuple[int, str]) -> None:
    """Send statuses of connectors of 1.6."""
    for connector, state in statuses:
        client.call("StatusNotification", status(connector, state))


def event(seq: int, kind: str = "Updated", **info: Any) -> dict[str, Any]:
    """A TransactionEvent of 2.x."""
    return {
        "eventType": kind,
        "timestamp": utcnow(),
        "triggerReason": "Authorized",
        "seqNo": seq,
        "transactionInfo": {"transactionId": "T1", **info},
    }


def why_not(expecting: Callable[[], object]) -> str:
    """What a test is told when something has not come."""
    with pytest.raises(AssertionError) as caught:
        expecting()
    return str(caught.value)


# --- A server that answers


@pytest.mark.parametrize("version", VERSIONS)
def test_it_answers_unconfigured(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture, version: str) -> None:
    client = ocpp_client("CP1", version=version)
    boot = BOOT if version == "1.6" else {"reason": "PowerUp", "chargingStation": {"vendorName": "eParking", "model": "NECU-T2"}}
    assert client.boot(boot, timeout=TIMEOUT)["interval"] == 300
    assert client.call("Heartbeat")["currentTime"]
    assert ocpp_server.wait_booted() is ocpp_server["CP1"] is ocpp_server.wait_for("CP1")
    assert "CP1" in ocpp_server
    assert "CP2" not in ocpp_server
    assert [request.action for request in ocpp_server.received] == ["BootNotification", "Heartbeat"]
    assert [request.version for request in ocpp_server.received] == [version, version]
    assert ocpp_server.csms.charge_points["CP1"].connected


def test_transaction_ids_rise_from_one(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    client = ocpp_client(version="1.6")
    for number in (1, 2):
        start: Any = {"connectorId": number, "idTag": "TAG", "meterStart": 0, "timestamp": utcnow()}
        assert client.call("StartTransaction", start)["transactionId"] == number
    assert [ocpp_server.expect("StartTransaction").response["transactionId"] for _ in range(2)] == [1, 2]


def test_wait_booted_waits_for_acceptance(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    ocpp_server.reply("BootNotification", {"status": "Pending", "currentTime": utcnow(), "interval": 1}, once=True)
    client = ocpp_client("CP1", version="1.6")
    assert client.call("BootNotification", BOOT)["status"] == "Pending"
    assert why_not(lambda: ocpp_server.wait_booted("CP1", timeout=SOON)) == "no BootNotification of CP1 has been accepted within 0.05 s"
    booted = in_thread(ocpp_server.wait_booted, "CP1")
    client.call("BootNotification", BOOT)
    assert booted.result() is ocpp_server["CP1"]


def test_what_has_not_connected(ocpp_server: OcppServerFixture) -> None:
    with pytest.raises(TimeoutError, match=r"CP1 has not connected within 0.05 s$"):
        ocpp_server.wait_for("CP1", timeout=SOON)
    assert why_not(lambda: ocpp_server.call("Reset", type="Soft", timeout=SOON)) == "no charge point has connected within 0.05 s"
    with pytest.raises(KeyError, match="CP1 is not connected"):
        ocpp_server["CP1"]


# --- Calls


def test_a_call_to_the_only_charge_point(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    client = ocpp_client("CP1", version="1.6", connect=False)
    client.on("Reset", lambda request: {"status": "Accepted" if request == {"type": "Soft"} else "Rejected"})
    result = in_thread(ocpp_server.call, "Reset", type="Soft")
    client.connect(ocpp_server.url)
    assert result.result() == {"status": "Accepted"}
    assert ocpp_server.call("Reset", {"type": "Hard"}) == {"status": "Rejected"}
    assert ocpp_server["CP1"].call("Reset", {"type": "Soft"}) == {"status": "Accepted"}


def test_a_call_to_one_of_several(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    for identity in ("CP1", "CP2"):
        ocpp_client(identity, version="1.6").on("ClearCache", lambda request: {"status": "Accepted"})
        ocpp_server.wait_for(identity)
    said = why_not(lambda: ocpp_server.call("ClearCache"))
    assert said == "2 charge points are connected (CP1, CP2): say which one, with identity="
    assert ocpp_server.call("ClearCache", identity="CP2") == {"status": "Accepted"}
    with pytest.raises(InvalidPayload, match="did you mean 'Soft'"):
        ocpp_server.call("Reset", identity="CP1", type="Softt")


# --- Expectations


def test_what_came_before_counts_and_what_comes_is_waited_for(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    client = ocpp_client(version="1.6")
    report(client, (1, "Preparing"))
    found = ocpp_server.expect("StatusNotification", connectorId=1)
    assert (found["status"], "status" in found, found.action, found.identity) == ("Preparing", True, "StatusNotification", "CP1")
    waiting = in_thread(ocpp_server.expect, "StatusNotification", status="Charging")
    report(client, (1, "Preparing"), (1, "Charging"))
    assert waiting.result().number == 3
    assert found.response == {}
    with pytest.raises(KeyError, match="StatusNotification has no 'info' here, but 'connectorId', 'errorCode', 'status'"):
        found["info"]
    assert repr(found) == "<ReceivedRequest #1 StatusNotification of CP1>"


def test_each_request_is_returned_once(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    client = ocpp_client(version="1.6")
    for _ in range(2):
        client.call("Heartbeat")
    assert [ocpp_server.expect("Heartbeat").number for _ in range(2)] == [1, 2]
    said = why_not(lambda: ocpp_server.expect("Heartbeat", timeout=SOON))
    assert said.startswith("no Heartbeat has come within 0.05 s\ncame instead: nothing\nall frames since what was expected last:\n")
    assert said.count("\n") == 3
    assert " CP1 <-- CALLRESULT Heartbeat CS-2 " in said


def test_the_order_counts(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    client = ocpp_client(version="1.6")
    report(client, (1, "Preparing"), (1, "Charging"), (1, "Finishing"))
    assert ocpp_server.expect("StatusNotification", status="Charging").number == 2
    said = why_not(lambda: ocpp_server.expect("StatusNotification", status="Preparing", timeout=SOON))
    assert "#1 is like that, but came before what was expected last: any_order=True takes it all the same" in said
    assert "the nearest is #3 of CP1, at" in said
    assert ocpp_server.expect("StatusNotification", status="Preparing", any_order=True).number == 1
    assert "is like that" not in why_not(lambda: ocpp_server.expect("StatusNotification", status="Preparing", timeout=SOON))
    assert ocpp_server.expect("StatusNotification").number == 3  # any_order has passed nothing


def test_the_order_is_that_of_each_charge_point(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    first, second = ocpp_client("CP1", version="1.6"), ocpp_client("CP2", version="1.6")
    report(first, (1, "Available"))
    report(second, (1, "Available"))
    assert ocpp_server.expect("StatusNotification", identity="CP2").number == 2
    assert ocpp_server.expect("*").identity == "CP1"
    said = why_not(lambda: ocpp_server.expect("StatusNotification", identity="CP2", status="Faulted", timeout=SOON))
    assert said.startswith("no StatusNotification of CP2 with status='Faulted' has come within 0.05 s\ncame instead: nothing")


def test_identities_of_2x_are_the_same_whatever_their_case(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    ocpp_client("CP1").call("Heartbeat")
    ocpp_server.expect("Heartbeat", identity="cp1")
    ocpp_client("CP2", version="1.6").call("Heartbeat")
    assert "of cp2" in why_not(lambda: ocpp_server.expect("Heartbeat", identity="cp2", timeout=SOON))


def test_two_threads_are_not_given_the_same_request(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    waiting = [in_thread(ocpp_server.expect, "Heartbeat") for _ in range(5)]
    client = ocpp_client()
    for _ in range(5):
        client.call("Heartbeat")
    assert sorted(each.result().number for each in waiting) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "fields",
    [
        {"seqNo": 2},
        {"seqNo": 2.0},
        {"transactionInfo__chargingState": "Charging"},
        {"transactionInfo": {"chargingState": "Charging"}},
        {"transactionInfo": {"chargingState": "Charging", "stoppedReason": None}},
        {"evse": None},
        {"seqNo": int, "timestamp": str, "offline": False},
        {"seqNo": lambda number: number > 1},
        {"seqNo": pytest.approx(2.01, abs=0.1), "offline": mock.ANY},
        {"meterValue__0__sampledValue__1__value": 7.5},
        {"meterValue__0__sampledValue": [{}, {"value": 7.5}]},
        {"meterValue": ({"sampledValue": [{"value": 5}, {}]},)},
        {"customData": {"vendorId": "us", "deep__own": [1]}},
        {"offline": False},
    ],
)
def test_what_is_compared(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture, fields: dict[str, Any]) -> None:
    client = ocpp_client()
    started = event(1, "Started", chargingState="EVConnected", stoppedReason="Local")
    client.call("TransactionEvent", {**started, "evse": {"id": 1}, "offline": True})
    values = [{"timestamp": utcnow(), "sampledValue": [{"value": 5}, {"value": 7.5}]}]
    more = {"meterValue": values, "offline": False, "customData": {"vendorId": "us", "deep": {"own": [1]}}}
    client.call("TransactionEvent", {**event(2, chargingState="Charging"), **more})
    assert ocpp_server.expect("TransactionEvent", fields, timeout=1.0).number == 2
    assert ocpp_server.received[0].payload["offline"] is True


@pytest.mark.parametrize(
    ("fields", "difference"),
    [
        ({"seqNo": 2}, "seqNo: 1, not 2"),
        ({"seqNo": True}, "seqNo: 1, not True"),
        ({"seqNo": str}, "seqNo: 1, not of the type str"),
        ({"offline": int}, "offline: True, not of the type int"),
        ({"evse__id": 1}, "evse.id: missing, not 1"),
        ({"evse": {"id": 1}}, "evse: missing, not {'id': 1}"),
        ({"offline": None}, "offline: True, but it should not be there"),
        ({"transactionInfo": {"transactionId": "T2", "chargingState": "Idle"}}, "transactionInfo.transactionId: 'T1', not 'T2'; and"),
        (
            {"transactionInfo__transactionId": lambda text: text == "T2"},
            "transactionInfo.transactionId: 'T1', which <lambda> does not take",
        ),
        ({"seqNo": lambda number: number["a"]}, "seqNo: 1, for which <lambda> raises TypeError: 'int' object is not subscriptable"),
        ({"meterValue": []}, "meterValue: 1 items, not 0"),
        ({"meterValue__1__timestamp": str}, "meterValue[1].timestamp: missing, not str"),
        ({"meterValue__0__sampledValue": [{"value": 6}]}, "meterValue[0].sampledValue[0].value: 5, not 6"),
        ({"customData__long": "x"}, f"customData.long: '{'y' * 198}…, not 'x'"),
        ({"seqNo__deep": 1}, None),
    ],
)
def test_what_is_different(
    ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture, fields: dict[str, Any], difference: str | None
) -> None:
    more = {"meterValue": [{"timestamp": utcnow(), "sampledValue": [{"value": 5}]}], "customData": {"vendorId": "us", "long": "y" * 300}}
    ocpp_client().call("TransactionEvent", {**event(1), **more, "offline": True})
    if difference is None:
        with pytest.raises(ValueError, match="there is no field 'deep' in seqNo"):
            ocpp_server.expect("TransactionEvent", fields)
    else:
        assert difference.removesuffix("; and") in why_not(lambda: ocpp_server.expect("TransactionEvent", fields, timeout=SOON))


def test_the_nearest_miss_is_shown(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    report(ocpp_client(version="1.6"), (1, "Available"), (2, "Preparing"), (2, "Faulted"), (3, "Faulted"))
    said = why_not(lambda: ocpp_server.expect("StatusNotification", connectorId=2, status="Charging", info="x", timeout=SOON)).split("\n")
    assert said[0] == "no StatusNotification with connectorId=2, status='Charging', info='x' has come within 0.05 s"
    assert (
        re.sub(r"\d\.\d+ s", "… s", said[1])
        == "the nearest is #3 of CP1, at … s: status: 'Faulted', not 'Charging'; info: missing, not 'x'"
    )
    assert said[2] == "came instead: " + ", ".join(f"#{number} StatusNotification of CP1" for number in (1, 2, 3, 4))
    assert said[3] == "all frames since what was expected last:"
    assert len(said) == 13
    many = {"connectorId": 9, "status": "Charging", "errorCode": "HighTemperature", "info": "a", "vendorId": "b", "vendorErrorCode": "c"}
    assert "; and 1 more\n" in why_not(lambda: ocpp_server.expect("StatusNotification", many, timeout=SOON))


def test_secrets_of_others_are_masked(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    ocpp_client().call("Authorize", {"idToken": {"idToken": "4711", "type": "KeyCode"}})
    said = why_not(lambda: ocpp_server.expect("Authorize", idToken__idToken="1", timeout=SOON))
    assert "idToken.idToken: '***', not '1'" in said
    assert "4711" not in said + ocpp_server.transcript()
    assert "4711" in ocpp_server.frames[0].text


def test_what_a_function_raises_does_not_tell_what_is_masked(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    def tell(value: Any) -> bool:
        raise ValueError(f"not {value}")

    ocpp_client().call("Authorize", {"idToken": {"idToken": "4711", "type": "KeyCode"}})
    for fields in ({"idToken__idToken": tell}, {"idToken": tell}, {"idToken": {"idToken": int}}):
        assert "4711" not in why_not(lambda fields=fields: ocpp_server.expect("Authorize", fields, timeout=SOON))  # type: ignore[misc]
    said = why_not(lambda: ocpp_server.expect("Authorize", idToken__idToken=tell, idToken__type=tell, timeout=SOON))
    assert "idToken.idToken: '***', for which tell raises ValueError; " in said
    assert "idToken.type: 'KeyCode', for which tell raises ValueError: not KeyCode" in said


@pytest.mark.parametrize(
    ("action", "fields", "said"),
    [
        ("StatusNotification", {"conectorId": 1}, "there is no field 'conectorId'; did you mean 'connectorId'? (OCPP 2.1, 2.0.1, 1.6)"),
        ("StatusNotification", {"status": "Chargin"}, "status is never 'Chargin'; did you mean 'Charging'? (OCPP 1.6)"),
        (
            "StatusNotification",
            {"connectorStatus": "7"},
            "never '7', but 'Available', 'Faulted', 'Occupied', 'Reserved', 'Unavailable' (OCPP 2",
        ),
        ("TransactionEvent", {"transactionInfo__state": "x"}, "no field 'state' in transactionInfo; there are "),
        ("TransactionEvent", {"transactionInfo": {"chargingState": "Chargin"}}, "transactionInfo.chargingState is never 'Chargin'; did"),
        (
            "MeterValues",
            {"meterValue": [{"sampledValue": [{"vale": 1}]}]},
            "no field 'vale' in meterValue.sampledValue; did you mean 'value'?",
        ),
        (
            "Heartbeat",
            {"xyz": 1},
            "there is no field 'xyz'; there are customData (OCPP 2.1, 2.0.1); there is no field 'xyz'; there are none",
        ),
        ("Hartbeat", {}, "'Hartbeat' is no action of OCPP 2.1, 2.0.1, 1.6; did you mean 'Heartbeat'?"),
        ("Reset", {}, "'Reset' is sent by the CSMS: it is not handled, but called, on this side, with call('Reset', …)"),
    ],
)
def test_what_can_never_come_is_an_error_at_once(ocpp_server: OcppServerFixture, action: str, fields: dict[str, Any], said: str) -> None:
    for expecting in (ocpp_server.expect, ocpp_server.expect_no):
        with pytest.raises(ValueError) as caught:
            expecting(action, fields)
        assert said in str(caught.value)


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("DataTransfer", {"data": {"any": 1}}),
        ("DataTransfer", {"data__any__thing": 1}),
        ("Heartbeat", {"customData__own": 1}),
        ("TransactionEvent", {"transactionInfo__customData__own": 1}),
        ("MeterValues", {"connectorId": 1}),
        ("MeterValues", {"evseId": 1}),
    ],
)
def test_what_may_come_in_some_version_is_waited_for(ocpp_server: OcppServerFixture, action: str, fields: dict[str, Any]) -> None:
    ocpp_server.expect_no(action, fields)


@pytest.mark.ocpp_server(versions="1.6")
def test_what_a_version_that_is_not_spoken_has_cannot_come(ocpp_server: OcppServerFixture) -> None:
    with pytest.raises(ValueError, match=r"'TransactionEvent' is no action of OCPP 1.6"):
        ocpp_server.expect("TransactionEvent")
    with pytest.raises(ValueError, match=r"there is no field 'evseId'.* \(OCPP 1.6\)"):
        ocpp_server.expect("MeterValues", evseId=1)


def test_what_should_not_come(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    client = ocpp_client(version="1.6")
    report(client, (1, "Faulted"), (1, "Available"))
    said = why_not(lambda: ocpp_server.expect_no("StatusNotification", status="Faulted"))
    assert said.startswith("a StatusNotification with status='Faulted' has come (#1)\nall frames since")
    ocpp_server.expect("StatusNotification", status="Available")
    ocpp_server.expect_no("StatusNotification")  # what was passed is passed
    waiting = in_thread(ocpp_server.expect_no, "StatusNotification", status="Faulted", within=TIMEOUT)
    report(client, (1, "Faulted"))
    assert "(#3)" in why_not(waiting.result)
    ocpp_server.expect("StatusNotification", status="Faulted")
    ocpp_server.expect_no("StatusNotification", within=SOON)


def test_a_send_is_a_request_too(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    stream: Any = {"id": 1, "pending": 0, "basetime": utcnow(), "data": [{"t": 0, "v": "1"}]}
    ocpp_client(version="2.1").send("NotifyPeriodicEventStream", stream)
    sent = ocpp_server.expect("NotifyPeriodicEventStream", id=1)
    assert sent.is_send
    assert why_not(lambda: sent.response) == "NotifyPeriodicEventStream of CP1 (#1) is not answered"


def test_the_response_to_a_request(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    client = ocpp_client(version="1.6", reconnect=None)
    go_on = threading.Event()

    def slow(request: dict[str, Any]) -> dict[str, Any]:
        assert go_on.wait(TIMEOUT)
        return {"idTagInfo": {"status": "Blocked"}}

    ocpp_server.reply("Authorize", slow)
    calling = in_thread(client.call, "Authorize", {"idTag": "TAG"})
    asked = ocpp_server.expect("Authorize")
    assert asked.answer is None
    ocpp_server.timeout = SOON
    assert why_not(lambda: asked.response) == "Authorize of CP1 (#1) was not answered within 0.05 s"
    ocpp_server.timeout = TIMEOUT
    go_on.set()
    assert asked.response == calling.result() == {"idTagInfo": {"status": "Blocked"}}
    ocpp_server.reply("Authorize", CallError("InternalError", "out of order"))
    with pytest.raises(CallError, match="out of order"):
        client.call("Authorize", {"idTag": "TAG"})
    with pytest.raises(CallError, match="InternalError: out of order"):
        _ = ocpp_server.expect("Authorize").response


def test_a_request_whose_link_goes_is_never_answered(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    client = ocpp_client(version="1.6", reconnect=None)

    def close(request: dict[str, Any]) -> dict[str, Any]:
        ocpp_server["CP1"].close()
        return idtag("Accepted")

    ocpp_server.reply("Authorize", close)
    with pytest.raises(ConnectionClosed):
        client.call("Authorize", {"idTag": "TAG"})
    said = why_not(lambda: ocpp_server.expect("Authorize").response)
    assert said == "Authorize of CP1 (#1) was not answered before its link went"
    assert "CP1     disconnected: 1000\n" in ocpp_server.transcript() + "\n"


def test_an_id_that_is_used_twice(ocpp_server: OcppServerFixture, raw_charge_point: Callable[..., RawChargePoint]) -> None:
    ocpp_server.allow_invalid = True
    raw = raw_charge_point(ocpp_server.url, version="1.6")
    go_on = threading.Event()

    def slow(request: dict[str, Any]) -> dict[str, Any]:
        assert go_on.wait(TIMEOUT)
        return {"currentTime": utcnow()}

    ocpp_server.reply("Heartbeat", slow)
    raw.send([2, "1", "Heartbeat", {}])
    first = ocpp_server.expect("Heartbeat")
    raw.send([2, "1", "Authorize", {"idTag": "TAG"}])
    assert raw.receive()[:3] == [4, "1", "GenericError"]
    second = ocpp_server.expect("Authorize")
    with pytest.raises(CallError, match="the message id is already in use"):
        _ = second.response
    assert not first.is_over
    go_on.set()
    assert raw.receive()[0] == 3
    assert "currentTime" in first.response
    text = ocpp_server.transcript()
    assert "<-- CALLERROR Authorize 1 " in text
    assert "<-- CALLRESULT Heartbeat 1 " in text
    assert not ocpp_server._conversation._open


def test_both_requests_of_an_id_are_over_when_the_link_goes(
    ocpp_server: OcppServerFixture, raw_charge_point: Callable[..., RawChargePoint]
) -> None:
    raw = raw_charge_point(ocpp_server.url, version="1.6")
    gone, connection = threading.Event(), ocpp_server.wait_for("CP1")

    def stuck(request: dict[str, Any]) -> dict[str, Any]:
        assert gone.wait(TIMEOUT)
        return {"currentTime": utcnow()}

    ocpp_server.reply("Heartbeat", stuck)
    raw.send([2, "1", "Heartbeat", {}])
    calling = in_thread(ocpp_server.call, "ClearCache")
    raw.receive()
    raw.close()
    assert connection.wait_closed(TIMEOUT)
    gone.set()
    assert why_not(lambda: ocpp_server.expect("Heartbeat").response).endswith("was not answered before its link went")
    with pytest.raises(ConnectionClosed):
        calling.result()
    assert not ocpp_server._conversation._open
    assert not ocpp_server._conversation._asked, "what is not answered any more"


# --- Replies


def idtag(status: str) -> dict[str, Any]:
    return {"idTagInfo": {"status": status}}


def authorize(client: OcppClient[Any]) -> Any:
    return client.call("Authorize", {"idTag": "TAG"})["idTagInfo"]["status"]


def test_replies(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    client = ocpp_client(version="1.6")
    ocpp_server.reply("Authorize", idtag("Blocked"))
    ocpp_server.reply("Authorize", idtag("Expired"), once=True)
    ocpp_server.reply("Authorize", [idtag("Invalid"), lambda request: idtag("ConcurrentTx")])
    assert [authorize(client) for _ in range(5)] == ["Expired", "Invalid", "ConcurrentTx", "Blocked", "Blocked"]
    ocpp_server.reply("Authorize", [idtag("Expired")])
    ocpp_server.reply("Authorize", None)
    assert authorize(client) == "Accepted"
    ocpp_server.reply("Authorize", lambda request: CallError("SecurityError", request["idTag"]))
    with pytest.raises(CallError, match="SecurityError: TAG"):
        authorize(client)
    ocpp_server.reply("MeterValues", lambda request: None)
    value: Any = {"timestamp": utcnow(), "sampledValue": [{"value": "1"}]}
    assert client.call("MeterValues", {"connectorId": 1, "meterValue": [value]}) == {}


def test_a_reply_may_go_on_after_its_answer(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    client: Any = ocpp_client(version="1.6")
    client.on("Reset", lambda request: {"status": "Accepted"})
    results: list[Any] = []

    def boot(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield {"status": "Accepted", "currentTime": utcnow(), "interval": 10}
        results.append(ocpp_server.call("Reset", type="Soft"))
        ocpp_server["CP1"].close()

    ocpp_server.reply("BootNotification", boot)
    closed = threading.Event()
    client.on("close", lambda code, reason: closed.set())
    client.call("BootNotification", BOOT)
    assert closed.wait(TIMEOUT)
    assert results == [{"status": "Accepted"}]


def test_a_reply_comes_before_a_handler_of_the_server(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    client = ocpp_client(version="1.6")
    ocpp_server.server.on("Authorize", lambda charge_point, request: idtag("Expired"))
    ocpp_server.reply("Authorize", idtag("Blocked"), once=True)
    assert [authorize(client) for _ in range(2)] == ["Blocked", "Expired"]


def test_a_reply_that_is_changed_afterwards_stays(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    client = ocpp_client(version="1.6")
    reply = idtag("Blocked")
    ocpp_server.reply("Authorize", reply)
    assert authorize(client) == "Blocked"
    reply["idTagInfo"]["status"] = "Expired"
    assert authorize(client) == "Blocked"


@pytest.mark.parametrize(
    ("action", "reply", "error", "said"),
    [
        (
            "Authorize",
            idtag("Blockd"),
            InvalidPayload,
            "idTagInfo.status: 'Blockd' is not one of 'Accepted', .* did you mean 'Blocked'.* 1.6",
        ),
        ("Authorize", {"idTokenInfo": {}}, InvalidPayload, r"idTokenInfo: 'status' is missing \(OCPP 2.1\)"),
        ("Authorize", [idtag("Blocked"), idtag("x")], InvalidPayload, "'x' is not one of"),
        ("Authorize", "Blocked", TypeError, "a reply is a dict, a CallError, a function of the request, or a list of these, not 'Blocked'"),
        ("Authorize", [None], TypeError, "not None"),
        ("Authorize", dict, TypeError, "not <class 'dict'>"),
        ("Autorize", {}, ValueError, "did you mean 'Authorize'"),
        ("Reset", {}, ValueError, "'Reset' is sent by the CSMS"),
        ("*", {}, ValueError, r"a reply is to one action, not to '\*'"),
        ("NotifyPeriodicEventStream", {}, ValueError, "NotifyPeriodicEventStream is a SEND, which is never answered"),
    ],
)
def test_a_wrong_reply_is_an_error_at_once(
    ocpp_server: OcppServerFixture, action: str, reply: Any, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        ocpp_server.reply(action, reply)


def test_a_reply_must_fit_the_version_that_is_spoken(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    reply = {"idTokenInfo": {"status": "Blocked"}}
    ocpp_server.reply("Authorize", reply)
    ocpp_client(version="1.6")
    ocpp_server.wait_for("CP1")
    with pytest.raises(InvalidPayload, match="idTokenInfo"):
        ocpp_server.reply("Authorize", reply)


def test_a_reply_that_is_not_validated(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    client = ocpp_client(version="1.6", validation={"in": "off"})
    ocpp_server.reply("Authorize", {"idTagInfo": {"status": "Blockd"}}, validate=False)
    assert authorize(client) == "Blockd"
    ocpp_server.allow_failures = True
    ocpp_server.reply("Authorize", lambda request: {"idTagInfo": {"status": "Blockd"}})  # which is validated again
    with pytest.raises(CallError, match="InternalError"):
        authorize(client)
    assert "'Blockd' is not one of" in ocpp_server.failures.pop()


# --- Frames and ids


def test_frames_have_ids_that_are_counted(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    client = ocpp_client("CP1", version="1.6", reconnect=None)
    client.on("ClearCache", lambda request: {"status": "Accepted"})
    report(client, (1, "Available"))
    ocpp_server.call("ClearCache")
    client.close()
    with ocpp_client("CP1", version="1.6") as again, ocpp_client("CP2", version="1.6") as other:
        report(again, (1, "Faulted"))
        report(other, (1, "Faulted"))
    texts = [frame.text for frame in ocpp_server.frames]
    assert texts == [
        '[2,"CS-1","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available"}]',
        '[3,"CS-1",{}]',
        '[2,"CSMS-1","ClearCache",{}]',
        '[3,"CSMS-1",{"status":"Accepted"}]',
        '[2,"CS-2","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Faulted"}]',
        '[3,"CS-2",{}]',
        '[2,"CS-1","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Faulted"}]',
        '[3,"CS-1",{}]',
    ]
    first = ocpp_server.frames[0]
    assert isinstance(first, SeenFrame)
    assert (first.identity, first.version, first.direction) == ("CP1", "1.6", "in")


def test_ids_are_uuids_again_afterwards() -> None:
    with OcppServerFixture() as first, OcppServerFixture() as second:
        first.close()
        assert endpoint.make_ids is not None  # that of the second one
        second.close()
    assert endpoint.make_ids is None


def test_a_transcript_is_for_people(
    ocpp_server: OcppServerFixture, raw_charge_point: Callable[..., RawChargePoint], ocpp_client: OcppClientFixture
) -> None:
    ocpp_server.allow_invalid = True
    raw = raw_charge_point(ocpp_server.url, version="1.6")
    for message in (
        "\x1b[2J",
        [2, "1", "DataTransfer", {"vendorId": "v", "data": "x " * 2000}],
        [6, "2", "x", {}],
        [3, "3", {}],
        [2, 7],
        "[2]",
    ):
        raw.send(message)
    raw.send([2, "4", "Heartbeat", {}])
    while raw.receive()[1] != "4":
        pass
    text = ocpp_server.transcript()
    assert text.isprintable() or "\n" in text
    assert "\x1b" not in text
    assert "CP1 --> no message: \\x1b[2J" in text
    assert " characters)\n" in text
    assert re.search(r"^ +\d+\.\d{3} CP1     connected with OCPP 1.6\n", text)
    assert "CP1 --> CALLRESULT ? 3 {}" in text
    assert "CP1 <-- CALLRESULT Heartbeat 4 " in text
    assert max(map(len, text.split("\n"))) <= 140


def test_nothing_that_a_failure_says_commands_the_terminal(
    ocpp_server: OcppServerFixture, raw_charge_point: Callable[..., RawChargePoint]
) -> None:
    evil = "\x1b[31m\u202e"
    with pytest.raises(InvalidStatus):
        raw_charge_point(ocpp_server.url, identity="%1B%5B31m", version="1.6")
    raw = raw_charge_point(ocpp_server.url, version="1.6")
    ocpp_server.allow_failures = True
    names: dict[str, Any] = {}
    ocpp_server.reply("Heartbeat", lambda request: names[evil])
    for message in ([2, "1", f"Do{evil}", {}], [2, "2", "Authorize", {"idTag": evil, evil: "x"}], [2, "3", "Heartbeat", {}]):
        raw.send(message)
        raw.receive()
    ocpp_server.allow_failures = False
    ocpp_server.failures.append(f"failed\nwith {evil}")
    request = ocpp_server.received[0]
    request.is_over = False  # as if it had not been answered
    request.answer, ocpp_server.timeout = None, SOON
    said = [
        why_not(lambda: ocpp_server.expect("BootNotification", timeout=SOON)),
        why_not(lambda: ocpp_server.expect_no("*")),
        why_not(lambda: ocpp_server.wait_booted(timeout=SOON)),
        why_not(lambda: request.response),
        why_not(ocpp_server.check),
        repr(request),
    ]
    for text in said:
        assert all(line.isprintable() for line in text.split("\n")), text
    assert "Do\\x1b[31m\\u202e of CP1" in said[0]
    assert "failed\nwith \\x1b[31m\\u202e\n(allow_failures" in said[4], "its lines stay lines"


def test_of_very_many_frames_the_last_are_shown(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    client = ocpp_client()
    for _ in range(250):
        client.call("Heartbeat")
    lines = ocpp_server.transcript().split("\n")
    assert lines[0] == "(101 earlier ones are left out)"
    assert len(lines) == 401
    assert "CS-250" in lines[-1]


# --- What went wrong


def problems(server: OcppServerFixture) -> list[str]:
    """What the test would fail with; it does not then."""
    return server.new_problems()


def test_what_a_charge_point_must_not_send(
    ocpp_server: OcppServerFixture, raw_charge_point: Callable[..., RawChargePoint], ocpp_client: OcppClientFixture
) -> None:
    raw = raw_charge_point(ocpp_server.url, version="1.6")
    raw.send([2, "1", "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Chargin"}])
    assert raw.receive()[0] == 4
    raw.send([2, "2", "Reset", {"type": "Soft"}])
    assert raw.receive()[0] == 4
    raw.send([2, "3", "Rest", {}])
    assert raw.receive()[0] == 4
    raw.send("[2]")
    raw.send([3, "nothing", {"a": 1}])  # an answer to nothing is no crime
    result = in_thread(ocpp_server.call, "ClearCache")
    message_id = raw.receive()[1]
    raw.send([3, message_id, {"status": "Ok"}])
    with pytest.raises(InvalidPayload):
        result.result()
    result = in_thread(ocpp_server.call, "ClearCache")
    raw.send([4, raw.receive()[1], "InternalError", "", {}])
    with pytest.raises(CallError):
        result.result()
    said = [problem.split("\n") for problem in problems(ocpp_server)]
    assert {last for *_, last in said} == {"(allow_invalid=True lets it)"}
    assert sorted(first for first, *_ in said) == [
        "CP1 sent an invalid Reset (#2): Reset is sent by the CSMS, not to it",
        "CP1 sent an invalid Rest (#3): Rest is no action of OCPP 1.6",
        f"CP1 sent an invalid StatusNotification (#1): status: 'Chargin' is not one of {STATUSES}; did you mean 'Charging'?",
        "CP1 sent an invalid response to ClearCache: status: 'Ok' is not one of 'Accepted', 'Rejected'",
        "CP1 sent what is no message: the message id is no string of characters",
    ]
    assert problems(ocpp_server) == []  # each is told once


@pytest.mark.parametrize("how", ["marker", "attribute", "validation"])
def test_invalid_payloads_can_be_allowed(how: str, raw_charge_point: Callable[..., RawChargePoint]) -> None:
    modes: dict[str, dict[str, Any]] = {"marker": {"allow_invalid": True}, "validation": {"validation": {"in": "off"}}}
    with OcppServerFixture(**modes.get(how, {})) as server:
        raw = raw_charge_point(server.url, version="1.6")
        raw.send([2, "1", "StatusNotification", {}])
        raw.receive()
        if how == "attribute":
            server.allow_invalid = True


def test_handlers_that_fail(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    client: Any = ocpp_client(version="1.6")

    def twice(request: Any) -> Any:
        yield {"status": "Accepted"}
        yield {}

    client.on("ClearCache", lambda request: request["nothing"])
    client.on("Reset", lambda request: {"status": "Maybe"})
    client.on("UnlockConnector", lambda request: CallError)
    client.on("DataTransfer", twice)
    for action, payload in (("ClearCache", {}), ("Reset", {"type": "Soft"}), ("UnlockConnector", {"connectorId": 1})):
        with pytest.raises(CallError, match="InternalError"):
            ocpp_server.call(action, payload)
    ocpp_server.call("DataTransfer", vendorId="us")
    ocpp_server.call("DataTransfer", vendorId="us")  # so the first one is over
    ocpp_server.reply("Heartbeat", lambda request: 1 / 0)
    with pytest.raises(CallError, match="InternalError"):
        client.call("Heartbeat")
    said = ocpp_server.failures[:]
    for words in (
        "KeyError: 'nothing'",
        "'Maybe' is not one of",
        "must return a dict or None, not type",
        "yields more than once",
        "ZeroDivision",
    ):
        assert any(words in each for each in said), words
    assert "(allow_failures=True lets it)" in problems(ocpp_server)[0]
    ocpp_server.failures.clear()
    client.on("ClearCache", lambda request: CallError("NotSupported"))


def test_what_is_no_handlers_failure(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    def refuse(request: Any) -> Any:
        raise CallError("NotSupported", "not today")

    ocpp_client(version="1.6").on("ClearCache", refuse)
    with pytest.raises(CallError, match="not today"):
        ocpp_server.call("ClearCache")
    logging.getLogger("ocpp_sync").error("what is said of an outbox, for example")
    assert ocpp_server.failures == []


def fail_in_a_handler(error: Exception | None = None) -> None:
    with OcppServerFixture() as server, OcppClient("CP1", version="1.6") as client:
        client.connect(server.url)
        server.reply("Heartbeat", lambda request: 1 / 0)
        with pytest.raises(CallError):
            client.call("Heartbeat")
        assert re.fullmatch(r"<OcppServerFixture at ws://127.0.0.1:\d+, 1 connected, 1 requests received>", repr(server))
        if error is not None:
            raise error


@pytest.mark.parametrize("is_wrapped", [False, True])
def test_a_handler_whose_link_goes_has_not_failed(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture, is_wrapped: bool) -> None:
    """As at the end of each test in which a handler calls."""
    client: Any = ocpp_client(version="1.6", reconnect=None)
    go_on = threading.Event()
    ocpp_server.reply("Heartbeat", lambda request: {"currentTime": utcnow()} if go_on.wait(TIMEOUT) else None)
    raised: list[BaseException] = []

    def clear_cache(request: Any) -> Any:
        yield {"status": "Accepted"}
        try:
            client.call("Heartbeat")
        except ConnectionClosed as error:
            raised.append(error)
            if is_wrapped:
                raise RuntimeError("no heartbeat") from None
            raise

    client.on("ClearCache", clear_cache)
    ocpp_server.call("ClearCache")
    ocpp_server.expect("Heartbeat")
    client.close()
    go_on.set()
    assert len(raised) == 1
    assert ocpp_server.failures == []


def test_a_context_manager_checks_too() -> None:
    assert "ZeroDivisionError" in why_not(fail_in_a_handler)
    with pytest.raises(RuntimeError, match="of the test"):
        fail_in_a_handler(RuntimeError("of the test"))


def test_a_hook_that_fails(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    ocpp_server.server.on("authorization", lambda identity, request: 1 / 0)
    with pytest.raises(HandshakeError, match="500"):
        ocpp_client(reconnect=None)
    assert "the authorization hook failed" in ocpp_server.failures.pop()


def test_a_server_that_cannot_be_made_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers = logging.getLogger("ocpp_sync").handlers[:]
    monkeypatch.setattr("ocpp_sync.OcppServer.listen", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        OcppServerFixture()
    assert logging.getLogger("ocpp_sync").handlers == handlers
    assert endpoint.make_ids is None


# --- Options


@pytest.mark.ocpp_server(versions=["2.1", "1.6"], heartbeat_interval=7, tokens=["GOOD"], timeout=3.0, call_timeout=2.0)
class TestOptions:
    def test_they_hold(self, ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
        client = ocpp_client("CP1")
        assert (client.version, ocpp_server.versions, ocpp_server.timeout) == ("2.1", ("2.1", "1.6"), 3.0)
        boot = client.call("BootNotification", {"reason": "PowerUp", "chargingStation": {"vendorName": "v", "model": "m"}})
        assert boot["interval"] == 7
        for token, answer in (("GOOD", "Accepted"), ("BAD", "Unknown")):
            asked = client.call("Authorize", {"idToken": {"idToken": token, "type": "ISO14443"}})
            assert asked["idTokenInfo"]["status"] == answer

    @pytest.mark.ocpp_server(heartbeat_interval=8, versions=["1.6"])
    def test_the_nearest_marker_counts(self, ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
        client = ocpp_client("CP1")
        assert client.version == "1.6"
        assert client.call("BootNotification", BOOT)["interval"] == 8
        assert ocpp_server.timeout == 3.0


@pytest.mark.ocpp_server(password="secret-password-1")
def test_a_password(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    ocpp_client("CP1").call("Heartbeat")
    with pytest.raises(HandshakeError, match="401"):
        ocpp_client("CP2", password="wrong-password-12", reconnect=None)
    with pytest.raises(TimeoutError, match=r"CP2 has not connected within 0.05 s; CP2 was refused with 401"):
        ocpp_server.wait_for("CP2", timeout=SOON)
    assert "CP2     refused with 401" in why_not(lambda: ocpp_server.expect("BootNotification", timeout=SOON))


@pytest.mark.ocpp_server(password=b"\xff" * 16)
def test_a_password_of_bytes(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    ocpp_client("CP1", version="1.6").call("Heartbeat")


@pytest.mark.ocpp_server(tls=True)
def test_tls(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture, faulty_link: FaultyLink) -> None:
    assert ocpp_server.url.startswith("wss://127.0.0.1:")
    ocpp_client("CP1").call("Heartbeat")
    ocpp_client("CP2", url=faulty_link.url).call("Heartbeat")
    assert faulty_link.bytes_up > 0
    with pytest.raises(HandshakeError, match="unknown-ca"):
        ocpp_client("CP3", cafile=None, reconnect=None)


@pytest.mark.ocpp_server(tls=True, client_certificates=True)
def test_certificates_of_charge_points(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    assert ocpp_server.certificates is not None
    ocpp_client("CP1").call("Heartbeat")
    certificate, key = ocpp_server.certificates.of("CP1")
    ocpp_client("CP1", certfile=certificate, keyfile=key).call("Heartbeat")
    with pytest.raises(HandshakeError):
        ocpp_client("CP2", certfile=certificate, keyfile=key, reconnect=None)


def test_certificates_are_made_once(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    assert certificates.server == certificates.server == (tmp_path / "server.pem", tmp_path / "server.key")
    before = certificates.ca.read_bytes()
    assert all(path.exists() for path in certificates.of("CP1"))
    assert certificates.ca.read_bytes() == before
    with pytest.raises(ValueError, match="ca"):
        certificates.of("../ca")


# --- The others


def test_a_client_that_connects_later(ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture) -> None:
    client = ocpp_client(connect=False, version="2.1")
    assert not client.connected
    client.connect(ocpp_server.url)
    assert client.version == "2.1"


def test_clients_are_closed(ocpp_server: OcppServerFixture) -> None:
    clients = OcppClientFixture(ocpp_server)
    first, second = clients("CP1"), clients("CP2")
    clients.close()
    assert not first.connected
    assert not second.connected
    clients.close()


def test_a_faulty_link_and_a_fake_clock(
    ocpp_server: OcppServerFixture, ocpp_client: OcppClientFixture, faulty_link: FaultyLink, fake_clock: FakeClock
) -> None:
    client = ocpp_client(version="1.6", url=faulty_link.url, clock=fake_clock)
    faulty_link.reset()
    fake_clock.advance_to("reconnect")
    client.call("Heartbeat", wait=True)
    assert isinstance(ocpp_server.expect("Heartbeat"), ReceivedRequest)
    assert faulty_link.connections == 2
