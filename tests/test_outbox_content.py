"""What the outbox knows of OCPP's messages, without file, thread or clock."""

from __future__ import annotations

from typing import Any

import pytest

from ocpp_sync.outbox.content import Role, named_id, role_of, shifted, with_offline, with_transaction_id

YEAR = 365 * 86_400.0

twos = pytest.mark.parametrize("version", ["2.0.1", "2.1"])


def event(kind: str = "Updated", **more: Any) -> dict[str, Any]:
    return {"eventType": kind, "transactionInfo": {"transactionId": "T"}, **more}


# --- 1.6


def test_d10_each_start_of_1_6_has_a_handle_of_its_own() -> None:
    payload = {"connectorId": 1}
    first, second = (role_of("1.6", "StartTransaction", payload) for _ in range(2))
    assert first.transaction
    assert second.transaction
    assert first.transaction != second.transaction
    assert first == Role(payload, first.transaction, opens=True)


@pytest.mark.parametrize(
    ("action", "closes", "droppable"), [("StopTransaction", True, False), ("MeterValues", False, True)], ids=["stop", "meter"]
)
def test_d10_d12_a_handle_stands_for_the_id(action: str, closes: bool, droppable: bool) -> None:
    payload = {"transactionId": "handle", "x": 1}
    assert role_of("1.6", action, payload) == Role({"transactionId": 0, "x": 1}, "handle", closes=closes, droppable=droppable)
    assert payload == {"transactionId": "handle", "x": 1}


@pytest.mark.parametrize("payload", [{"transactionId": 7}, {}, {"transactionId": None}, {"transactionId": ["x"]}])
@pytest.mark.parametrize(("action", "droppable"), [("StopTransaction", False), ("MeterValues", True)])
def test_d10_d12_without_a_handle_it_belongs_to_no_transaction_of_ours(action: str, droppable: bool, payload: dict[str, Any]) -> None:
    assert role_of("1.6", action, payload) == Role(payload, droppable=droppable)


@pytest.mark.parametrize("action", ["DataTransfer", "StatusNotification", "TransactionEvent"])
def test_other_messages_of_1_6_are_as_they_are(action: str) -> None:
    payload = event() | {"transactionId": "handle"}
    assert role_of("1.6", action, payload) == Role(payload)


@pytest.mark.parametrize("number", [0, 1, -5, 2**63 - 1, -(2**63)])
def test_d10_the_id_is_what_the_csms_has_said(number: int) -> None:
    assert named_id({"transactionId": number}) == number


NO_IDS: list[Any] = [None, "7", 7.0, True, [7], {}, 2**63, -(2**63) - 1, 10**30]


@pytest.mark.parametrize("answer", [{}, *({"transactionId": value} for value in NO_IDS)])
def test_d10_what_is_no_id_is_never_known(answer: dict[str, Any]) -> None:
    assert named_id(answer) == -1


def test_d10_the_id_comes_where_the_handle_was() -> None:
    payload = {"connectorId": 1, "transactionId": "handle", "meterValue": []}
    assert list(with_transaction_id(payload, 42).items()) == [("connectorId", 1), ("transactionId", 42), ("meterValue", [])]
    assert payload["transactionId"] == "handle"


# --- 2.x


@twos
@pytest.mark.parametrize("kind", ["Started", "Updated", "Ended"])
def test_d11_d12_an_event_without_a_number_gets_one(kind: str, version: str) -> None:
    expected = Role(event(kind, seqNo=0), "T", kind == "Started", kind == "Ended", numbered=True, droppable=kind == "Updated")
    assert role_of(version, "TransactionEvent", event(kind)) == expected


@twos
def test_d11_an_own_number_stays(version: str) -> None:
    assert role_of(version, "TransactionEvent", event(seqNo=7)) == Role(event(seqNo=7), "T", droppable=True)
    assert not role_of(version, "TransactionEvent", event(seqNo=None)).numbered  # which validation refuses


@twos
@pytest.mark.parametrize("info", [None, "T", [], {}, {"transactionId": 7}])
def test_an_event_of_no_transaction_is_left_to_validation(version: str, info: Any) -> None:
    payload = {"eventType": "Started", "transactionInfo": info}
    assert role_of(version, "TransactionEvent", payload) == Role({**payload, "seqNo": 0})  # so that what is wrong is named
    assert role_of(version, "TransactionEvent", {"seqNo": 1}) == Role({"seqNo": 1})


@twos
@pytest.mark.parametrize("action", ["SecurityEventNotification", "MeterValues", "StartTransaction"])
def test_d12_nothing_else_of_2_x_may_be_dropped(action: str, version: str) -> None:
    payload = event() | {"transactionId": "handle"}
    assert role_of(version, action, payload) == Role(payload)


def test_d11_offline_unless_it_says_something_of_it() -> None:
    payload = event()
    assert with_offline(payload) == event(offline=True)
    assert "offline" not in payload
    assert [with_offline(event(offline=said))["offline"] for said in (True, False)] == [True, False]


# --- Times


@pytest.mark.parametrize(
    ("text", "seconds", "moved"),
    [
        ("2025-01-31T12:00:00Z", 0.25, "2025-01-31T12:00:00.250Z"),
        ("2025-01-31T12:00:00.500Z", -3600.5, "2025-01-31T11:00:00.000Z"),
        ("1970-01-01T01:00:00+01:00", 55 * YEAR, "2024-12-18T00:00:00.000Z"),
        ("2024-02-28T23:59:59.999", 0.001, "2024-02-29T00:00:00.000Z"),
    ],
)
def test_a_time_is_moved(text: str, seconds: float, moved: str) -> None:
    assert shifted({"timestamp": text}, seconds) == {"timestamp": moved}


def test_times_are_moved_wherever_they_are_and_nothing_else() -> None:
    text, moved = "2025-01-31T12:00:00Z", "2025-01-31T12:00:10.000Z"
    values = [{"timestamp": text, "sampledValue": [{"value": "1"}]}, {"timestamp": text}]
    payload = {"timestamp": text, "meterValue": values, "data": text, "n": [1, None, True, 0.5], "o": {"p": {"timestamp": text}}}
    there = shifted(payload, 10.0)
    assert there == {
        "timestamp": moved,
        "meterValue": [{"timestamp": moved, "sampledValue": [{"value": "1"}]}, {"timestamp": moved}],
        "data": text,
        "n": [1, None, True, 0.5],
        "o": {"p": {"timestamp": moved}},
    }
    assert list(there) == list(payload)
    assert payload["timestamp"] == text


@pytest.mark.parametrize("value", ["yesterday", "", None, 5, {"timestamp": 1}, ["2025-01-31T12:00:00Z"], "9999-12-31T23:59:59Z"])
def test_what_is_no_time_stays(value: Any) -> None:
    assert shifted({"timestamp": value}, 10.0) == {"timestamp": value}
