"""What may be sent when, and what answers what: the core alone, two cores back to back, and a core that is fed nonsense."""

from __future__ import annotations

import itertools
import json
from collections import deque
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ocpp_sync import messages
from ocpp_sync.errors import CallError, InvalidPayload, MalformedMessage
from ocpp_sync.messages import Call, CallResult, CallResultError, Send
from ocpp_sync.protocol import DIALECTS, Answer, Event, Fault, GiveUp, OutgoingCall, Protocol, Stray

each_version = pytest.mark.parametrize("version", DIALECTS)

KINDS = {
    "1.6": {2: "CALL", 3: "CALLRESULT", 4: "CALLERROR"},
    "2.0.1": {2: "CALL", 3: "CALLRESULT", 4: "CALLERROR"},
    "2.1": {2: "CALL", 3: "CALLRESULT", 4: "CALLERROR", 5: "CALLRESULTERROR", 6: "SEND"},
}
CODES_16 = [
    *("NotImplemented", "NotSupported", "InternalError", "ProtocolError", "SecurityError", "FormationViolation"),
    *("PropertyConstraintViolation", "OccurenceConstraintViolation", "TypeConstraintViolation", "GenericError"),
]
CODES_2X = [
    *("FormatViolation", "GenericError", "InternalError", "MessageTypeNotSupported", "NotImplemented", "NotSupported"),
    *("OccurrenceConstraintViolation", "PropertyConstraintViolation", "ProtocolError", "RpcFrameworkError"),
    *("SecurityError", "TypeConstraintViolation"),
]
CODES = {"1.6": CODES_16, "2.0.1": CODES_2X, "2.1": CODES_2X}
RPC_ERROR = {"1.6": "GenericError", "2.0.1": "RpcFrameworkError", "2.1": "RpcFrameworkError"}
FORMAT_ERROR = {"1.6": "FormationViolation", "2.0.1": "FormatViolation", "2.1": "FormatViolation"}


def counting() -> Callable[[], str]:
    """Ids ``"1"``, ``"2"``, …"""
    return map(str, itertools.count(1)).__next__


def new_core(version: str, **settings: Any) -> Protocol:
    return Protocol(version, **{"new_id": counting(), **settings})


def feed(core: Protocol, *array: Any) -> list[Event]:
    """The core receives an array as JSON."""
    return core.receive(core.decode(json.dumps(array)))


def sent(core: Protocol) -> list[Any]:
    """What the core has to transmit, as arrays."""
    return [json.loads(frame.text) for frame in core.take_outgoing()]


def calling(version: str, *actions: str, **settings: Any) -> tuple[Protocol, list[OutgoingCall]]:
    """A core with calls, the first of which has been transmitted; their ids are ``"1"``, ``"2"``, …"""
    core = new_core(version, **settings)
    calls = [core.call(action, {}) for action in actions]
    core.take_outgoing()
    return core, calls


def handling(version: str, *message_ids: str, **settings: Any) -> Protocol:
    """A core that is asked to handle some calls."""
    core = new_core(version, **settings)
    for message_id in message_ids:
        assert feed(core, 2, message_id, "Reset", {}) == [Call(message_id, "Reset", {})]
    return core


def only_fault(events: list[Event]) -> MalformedMessage:
    (fault,) = events
    assert isinstance(fault, Fault)
    return fault.error


def fault_and_answer(events: list[Event]) -> Answer:
    fault, answer = events
    assert isinstance(fault, Fault)
    assert isinstance(answer, Answer)
    return answer


# --- messages and ids (B1, B2)


@each_version
def test_b1_the_messages_that_a_version_has(version: str) -> None:
    arrays: dict[int, list[Any]] = {
        2: [2, "a", "Reset", {}],
        3: [3, "a", {}],
        4: [4, "a", "GenericError", "", {}],
        5: [5, "a", "GenericError", "", {}],
        6: [6, "a", "NotifyPeriodicEventStream", {}],
    }
    core = new_core(version)
    readable = {number for number, array in arrays.items() if not isinstance(core.decode(json.dumps(array)), MalformedMessage)}
    assert readable == set(KINDS[version])


def test_b1_what_a_core_writes() -> None:
    core = new_core("2.1")
    feed(core, 2, "a", "Reset", {})
    feed(core, 2, "b", "Reset", {})
    core.call("BootNotification", {"reason": "PowerUp"})
    core.send("NotifyPeriodicEventStream", {"id": 1})
    core.reply("a", {"status": "Accepted"})
    core.reply_error("b", CallError("NotSupported", "no", {"x": 1}))
    core.refuse_result("c", "FormatViolation", "no")
    assert sent(core) == [
        [2, "1", "BootNotification", {"reason": "PowerUp"}],
        [6, "2", "NotifyPeriodicEventStream", {"id": 1}],
        [3, "a", {"status": "Accepted"}],
        [4, "b", "NotSupported", "no", {"x": 1}],
        [5, "c", "FormatViolation", "no", {}],
    ]
    assert sent(core) == []


@each_version
def test_b2_each_message_has_a_fresh_uuid(version: str) -> None:
    cores = [Protocol(version), Protocol(version)]
    for core in cores * 50:
        core.give_up(core.call("Heartbeat", {}))
        core.send("Heartbeat", {})
    ids = [array[1] for core in cores for array in sent(core)]
    assert len(set(ids)) == 200
    assert all(str(UUID(message_id)) == message_id and len(message_id) == 36 for message_id in ids)


def test_a_frame_of_a_call_carries_the_call() -> None:
    core = new_core("2.1")
    waiter = object()
    call = core.call("Reset", {}, waiter)
    core.send("NotifyPeriodicEventStream", {})
    first, second = core.take_outgoing()
    assert first.call is call
    assert second.call is None
    assert (call.action, call.message_id, call.text, call.waiter, call.sent) == ("Reset", "1", first.text, waiter, False)


# --- one call at a time (B3)


@each_version
def test_b3_a_call_waits_until_the_one_before_it_is_answered(version: str) -> None:
    core = new_core(version)
    first, second, third = (core.call(action, {}) for action in ("A", "B", "C"))
    assert sent(core) == [[2, "1", "A", {}]]
    assert feed(core, 3, "1", {"x": 1}) == [Answer(first, {"x": 1})]
    assert sent(core) == [[2, "2", "B", {}]]
    (answer,) = feed(core, 4, "2", "GenericError", "", {})
    assert isinstance(answer, Answer)
    assert answer.call is second
    assert sent(core) == [[2, "3", "C", {}]]
    assert feed(core, 3, "3", {}) == [Answer(third, {})]
    assert sent(core) == []


@each_version
def test_b3_incoming_calls_are_served_meanwhile(version: str) -> None:
    core, (call, _) = calling(version, "A", "B")
    assert feed(core, 2, "1", "Reset", {"x": 1}) == [Call("1", "Reset", {"x": 1})]
    assert core.reply("1", {"y": 2})
    assert sent(core) == [[3, "1", {"y": 2}]]
    assert feed(core, 3, "1", {}) == [Answer(call, {})]


@each_version
def test_b3_several_incoming_calls_may_be_handled_at_once_and_answered_in_any_order(version: str) -> None:
    core = handling(version, "a", "b", "c")
    assert [core.reply(message_id, {}) for message_id in "cab"] == [True, True, True]
    assert sent(core) == [[3, "c", {}], [3, "a", {}], [3, "b", {}]]


def test_b3_a_send_waits_for_nothing() -> None:
    core, _ = calling("2.1", "A", "B")
    core.send("NotifyPeriodicEventStream", {"id": 1})
    core.send("NotifyPeriodicEventStream", {"id": 2})
    assert sent(core) == [[6, "3", "NotifyPeriodicEventStream", {"id": 1}], [6, "4", "NotifyPeriodicEventStream", {"id": 2}]]


# --- no answer in time (B4)


@each_version
def test_b4_the_next_call_goes_out_when_one_is_given_up(version: str) -> None:
    core, (first, second) = calling(version, "A", "B")
    assert core.give_up(first)
    assert sent(core) == [[2, "2", "B", {}]]
    assert not core.give_up(first)
    assert sent(core) == []
    assert feed(core, 3, "2", {}) == [Answer(second, {})]
    assert not core.give_up(second)


@each_version
def test_b4_a_waiting_call_that_is_given_up_never_goes_out(version: str) -> None:
    core, (first, second, third) = calling(version, "A", "B", "C")
    assert core.give_up(second)
    assert not core.give_up(second)
    assert sent(core) == []
    assert feed(core, 3, "1", {}) == [Answer(first, {})]
    assert sent(core) == [[2, "3", "C", {}]]
    assert core.give_up(third)
    assert sent(core) == []


def test_b4_a_call_of_another_link_is_not_given_up() -> None:
    core, _ = calling("1.6", "A")
    _, (foreign,) = calling("1.6", "A")
    assert not core.give_up(foreign)
    assert len(core.close()) == 1


# --- exactly one answer (B5)


@each_version
def test_b5_only_the_first_answer_to_a_call_goes_out(version: str) -> None:
    core = handling(version, "a", "b")
    assert core.reply("a", {"n": 1})
    assert not core.reply("a", {"n": 2})
    assert not core.reply_error("a", CallError("InternalError"))
    assert core.reply_error("b", CallError("InternalError"))
    assert not core.reply_error("b", CallError("InternalError"))
    assert not core.reply("b", {})
    assert sent(core) == [[3, "a", {"n": 1}], [4, "b", "InternalError", "", {}]]


@each_version
def test_b5_nothing_answers_a_call_that_was_not_made(version: str) -> None:
    core, (call,) = calling(version, "A")
    assert not core.reply(call.message_id, {})
    assert not core.reply_error("a", CallError("InternalError"))
    assert sent(core) == []


@each_version
def test_b5_an_answer_that_json_cannot_carry_leaves_the_call_to_be_answered(version: str) -> None:
    core = handling(version, "a")
    with pytest.raises(ValueError):
        core.reply("a", {"x": float("nan")})
    with pytest.raises(ValueError):
        core.reply_error("a", CallError("InternalError", "", {"x": object()}))
    assert sent(core) == []
    assert core.reply_error("a", CallError("InternalError"))
    assert sent(core) == [[4, "a", "InternalError", "", {}]]


@each_version
def test_b3_a_call_that_json_cannot_carry_is_not_made(version: str) -> None:
    core = new_core(version)
    with pytest.raises(ValueError):
        core.call("A", {"x": float("inf")})
    with pytest.raises(ValueError):
        core.send("A", {"x": "\ud800"})
    assert sent(core) == []
    core.call("B", {})
    assert [array[2] for array in sent(core)] == ["B"]


# --- what cannot be read (B6)

UNREADABLE = [
    "secret",
    '{"secret":[2,"a","Reset",{}]}',
    '[2,"secret","Reset",{',
    '["secret"',
    "[]",
    "[2]",
    '[2,7,"secret",{}]',
    '[2,null,"secret",{}]',
    '[2,["a"],"secret",{}]',
    '[2,"secret","Reset",{"a":NaN}]',
    r'[2,"secret\ud800","Reset",{}]',
    r'[2,"\udfff","secret",{}]',
    "[" * 1_000,
]


@each_version
@pytest.mark.parametrize("text", UNREADABLE)
def test_b6_a_message_with_no_readable_id(version: str, text: str) -> None:
    core, _ = calling(version, "A")
    error = only_fault(core.receive(core.decode(text)))
    assert error.message_id is None
    answers = sent(core)
    if version == "1.6":
        assert answers == []
    else:
        assert [answer[:3] for answer in answers] == [[4, "-1", "RpcFrameworkError"]]
        assert answers[0][4] == {}
    assert "secret" not in f"{answers}{error}{error.args}"


@each_version
def test_b6_an_id_that_json_can_write_only_in_halves_is_unreadable(version: str) -> None:
    for text in (rf'[2,"\ud800{"x" * 40}","Reset",{{}}]', rf'[2,"{"x" * 35}\udc00x","Reset",{{}}]'):
        core = new_core(version)
        only_fault(core.receive(core.decode(text)))
        assert [answer[:3] for answer in sent(core)] == ([] if version == "1.6" else [[4, "-1", "RpcFrameworkError"]])


@each_version
@pytest.mark.parametrize(
    ("array", "code"),
    [
        ([2, "a"], RPC_ERROR),
        ([2, "a", "Reset"], RPC_ERROR),
        ([2, "a", "Reset", {}, {}], RPC_ERROR),
        ([2, "a", 7, {}], RPC_ERROR),
        ([2, "a", "Reset", []], FORMAT_ERROR),
        ([2, "a", "Reset", "\ud800"], FORMAT_ERROR),
    ],
)
def test_b5_a_malformed_call_gets_exactly_one_error(version: str, array: list[Any], code: dict[str, str]) -> None:
    core = new_core(version)
    error = only_fault(feed(core, *array))
    assert sent(core) == [[4, "a", code[version], error.reason, {}]]
    assert not core.reply("a", {})
    assert feed(core, 2, "a", "Reset", {}) == [Call("a", "Reset", {})]


@each_version
def test_b6_the_other_side_is_given_up_when_nothing_can_be_read(version: str) -> None:
    core = new_core(version, max_unreadable=3)
    assert [len(feed(core)) for _ in range(2)] == [1, 1]
    fault, give_up = feed(core)
    assert isinstance(fault, Fault)
    assert give_up == GiveUp("3 messages in a row could not be read")
    assert isinstance(feed(core, 2)[1], GiveUp)


@each_version
@pytest.mark.parametrize("readable", [[2, "a", "Reset", {}], [3, "a", {}], [2, "a", "Reset", []], [7, "a"]])
def test_b6_a_message_with_a_readable_id_starts_the_count_anew(version: str, readable: list[Any]) -> None:
    core = new_core(version, max_unreadable=3)
    for _ in range(3):
        only_fault(feed(core))
        only_fault(feed(core))
        assert len(feed(core, *readable)) == 1
        core.reply("a", {})


def test_b6_a_hundred_unreadable_messages_are_too_many() -> None:
    core = new_core("2.1")
    events = [event for _ in range(100) for event in feed(core)]
    assert [type(event) for event in events] == [*[Fault] * 100, GiveUp]


# --- unknown types (B7)


@pytest.mark.parametrize(
    ("version", "number"),
    [
        *itertools.product(DIALECTS, [1, 7, -1, 2.0, True, "2", None, []]),
        *itertools.product(["1.6", "2.0.1"], [5, 6]),
    ],
)
def test_b7_only_201_answers_an_unknown_type(version: str, number: Any) -> None:
    core, _ = calling(version, "A")
    error = only_fault(feed(core, number, "1", "Reset", {}))
    assert (error.message_id, error.code, error.kind) == ("1", "MessageTypeNotSupported", None)
    answer = [4, "1", "MessageTypeNotSupported", error.reason, {}]
    assert sent(core) == ([answer] if version == "2.0.1" else [])


@each_version
@pytest.mark.parametrize("array", [[7], [7, 7, "Reset", {}], [None, None]])
def test_b7_an_unknown_type_without_an_id(version: str, array: list[Any]) -> None:
    core = new_core(version)
    only_fault(feed(core, *array))
    # B6 and B7 name a code each for it; B7 is more precise.
    assert [answer[:3] for answer in sent(core)] == ([[4, "-1", "MessageTypeNotSupported"]] if version == "2.0.1" else [])


@each_version
@pytest.mark.parametrize("rest", ["", ',"Reset",{}'])
def test_b7_an_unknown_type_whose_id_is_no_text(version: str, rest: str) -> None:
    core = new_core(version)
    only_fault(core.receive(core.decode(rf'[7,"\ud800"{rest}]')))
    assert [answer[:2] for answer in sent(core)] == ([[4, "-1"]] if version == "2.0.1" else [])


@each_version
def test_b7_an_unknown_type_whose_id_is_too_long(version: str) -> None:
    core = new_core(version)
    assert only_fault(feed(core, 7, "x" * 37)).message_id == "x" * 37
    assert [answer[:2] for answer in sent(core)] == ([[4, "x" * 36]] if version == "2.0.1" else [])


# --- ids that are wrong (B9)


@each_version
def test_b9_an_id_that_is_too_long(version: str) -> None:
    core = new_core(version)
    assert only_fault(feed(core, 2, "x" * 37, "Reset", {})).message_id == "x" * 37
    assert [answer[:3] for answer in sent(core)] == [[4, "x" * 36, RPC_ERROR[version]]]
    assert feed(core, 2, "x" * 36, "Reset", {}) == [Call("x" * 36, "Reset", {})]


@each_version
def test_b9_an_id_that_is_still_in_use(version: str) -> None:
    core = handling(version, "a")
    error = only_fault(feed(core, 2, "a", "ClearCache", {}))
    assert sent(core) == [[4, "a", RPC_ERROR[version], error.reason, {}]]
    assert core.reply("a", {"n": 1})
    assert sent(core) == [[3, "a", {"n": 1}]]
    assert feed(core, 2, "a", "Reset", {}) == [Call("a", "Reset", {})]


@each_version
def test_b9_both_sides_may_use_the_same_id(version: str) -> None:
    core, (call,) = calling(version, "A")
    assert feed(core, 2, call.message_id, "Reset", {}) == [Call(call.message_id, "Reset", {})]


# --- codes (B10, B11)


@each_version
@pytest.mark.parametrize("code", [*CODES_16, *CODES_2X])
def test_b10_b11_only_the_codes_of_the_version_go_out(version: str, code: str) -> None:
    core = handling(version, "a")
    core.reply_error("a", CallError(code))
    core.refuse_result("b", code, "no")
    assert {array[2] for array in sent(core)} <= set(CODES[version])


@pytest.mark.parametrize(
    ("version", "code", "on_the_wire"),
    [
        ("1.6", "FormatViolation", "FormationViolation"),
        ("1.6", "OccurrenceConstraintViolation", "OccurenceConstraintViolation"),
        ("1.6", "RpcFrameworkError", "GenericError"),
        ("1.6", "MessageTypeNotSupported", "GenericError"),
        ("2.0.1", "FormationViolation", "FormatViolation"),
        ("2.1", "OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
        ("2.1", "MyOwnError", "MyOwnError"),
    ],
)
def test_b10_b11_how_a_code_goes_out(version: str, code: str, on_the_wire: str) -> None:
    core = handling(version, "a")
    core.reply_error("a", CallError(code))
    assert sent(core) == [[4, "a", on_the_wire, "", {}]]


@pytest.mark.parametrize(
    ("version", "on_the_wire", "code"),
    [
        ("1.6", "FormatViolation", "FormationViolation"),
        ("1.6", "OccurenceConstraintViolation", "OccurenceConstraintViolation"),
        ("1.6", "RpcFrameworkError", "RpcFrameworkError"),
        ("2.0.1", "FormationViolation", "FormatViolation"),
        ("2.1", "OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
        ("2.1", "MyOwnError", "MyOwnError"),
        ("2.1", "", ""),
    ],
)
def test_b11_how_a_code_comes_in(version: str, on_the_wire: str, code: str) -> None:
    core, (call,) = calling(version, "A")
    (answer,) = feed(core, 4, "1", on_the_wire, "no", {"x": 1})
    assert isinstance(answer, Answer)
    assert answer.call is call
    assert isinstance(answer.outcome, CallError)
    assert (answer.outcome.code, answer.outcome.description, answer.outcome.details) == (code, "no", {"x": 1})


# --- descriptions, details, null (B13, B14)


@each_version
@pytest.mark.parametrize("character", ["x", "€", "😀"])
def test_b13_a_description_is_cut_in_2x(version: str, character: str) -> None:
    core = handling(version, "a", "b")
    core.reply_error("a", CallError("InternalError", character * 255))
    core.reply_error("b", CallError("InternalError", character * 256))
    core.refuse_result("c", "FormatViolation", character * 256)
    descriptions = [array[3] for array in sent(core)]
    assert descriptions[0] == character * 255
    assert descriptions[1] == character * (256 if version == "1.6" else 255)
    assert descriptions[2:] == ([character * 255] if version == "2.1" else [])


@each_version
@pytest.mark.parametrize("rest", [[], [None], [None, None], ["", None]])
def test_b13_a_received_error_may_lack_description_and_details(version: str, rest: list[Any]) -> None:
    core, _ = calling(version, "A")
    (answer,) = feed(core, 4, "1", "GenericError", *rest)
    assert isinstance(answer, Answer)
    assert isinstance(answer.outcome, CallError)
    assert (answer.outcome.description, answer.outcome.details) == ("", {})


@each_version
def test_b14_a_null_payload_is_read_as_an_empty_object(version: str) -> None:
    core, (call,) = calling(version, "A")
    assert feed(core, 2, "a", "Heartbeat", None) == [Call("a", "Heartbeat", {})]
    assert feed(core, 3, "1", None) == [Answer(call, {})]


# --- answers (B16)

ANSWERS: list[list[Any]] = [[3, "1", {}], [4, "1", "GenericError", "", {}], [4, "1", "GenericError"]]


@each_version
@pytest.mark.parametrize("array", ANSWERS)
def test_b16_an_unsolicited_answer_is_a_stray_one(version: str, array: list[Any]) -> None:
    core = new_core(version)
    (stray,) = feed(core, *array)
    assert isinstance(stray, Stray)
    assert sent(core) == []
    call = core.call("A", {})
    assert sent(core) == [[2, "1", "A", {}]]
    assert core.close() == [call]


@each_version
@pytest.mark.parametrize("array", ANSWERS)
def test_b16_a_late_answer_does_not_answer_the_next_call(version: str, array: list[Any]) -> None:
    core, (first, second) = calling(version, "A", "B")
    core.give_up(first)
    core.take_outgoing()
    assert [type(event) for event in feed(core, *array)] == [Stray]
    assert sent(core) == []
    assert feed(core, 3, "2", {}) == [Answer(second, {})]


@each_version
@pytest.mark.parametrize("array", ANSWERS)
def test_b16_a_duplicate_answer_does_not_answer_the_next_call(version: str, array: list[Any]) -> None:
    core, (_, second) = calling(version, "A", "B")
    assert [type(event) for event in feed(core, *array)] == [Answer]
    assert [array[1] for array in sent(core)] == ["2"]
    assert [type(event) for event in feed(core, *array)] == [Stray]
    assert sent(core) == []
    assert core.close() == [second]


@each_version
def test_b16_an_answer_to_a_call_that_has_not_gone_out_is_a_stray_one(version: str) -> None:
    core, calls = calling(version, "A", "B")
    assert feed(core, 3, "2", {}) == [Stray(CallResult("2", {}))]
    assert core.close() == calls


MALFORMED_RESULTS: list[tuple[list[Any], dict[str, str]]] = [
    ([3, "1"], RPC_ERROR),
    ([3, "1", {}, {}], RPC_ERROR),
    ([3, "1", []], FORMAT_ERROR),
    ([3, "1", "\ud800"], FORMAT_ERROR),
]


@each_version
@pytest.mark.parametrize(("array", "code"), MALFORMED_RESULTS)
def test_b16_an_invalid_result_fails_its_call_at_once(version: str, array: list[Any], code: dict[str, str]) -> None:
    core, (call, _) = calling(version, "A", "B")
    answer = fault_and_answer(feed(core, *array))
    assert answer.call is call
    assert isinstance(answer.outcome, InvalidPayload)
    assert (answer.outcome.action, answer.outcome.code) == ("A", code[version])
    complaint = [5, "1", code[version], answer.outcome.message, {}]
    assert sent(core) == [*([complaint] if version == "2.1" else []), [2, "2", "B", {}]]


@each_version
@pytest.mark.parametrize("rest", [[], [7], [None, "", {}], ["GenericError", "", {}, {}], ["\ud800"]])
def test_b16_an_invalid_error_fails_its_call_at_once(version: str, rest: list[Any]) -> None:
    core, (call, _) = calling(version, "A", "B")
    answer = fault_and_answer(feed(core, 4, "1", *rest))
    assert answer.call is call
    assert isinstance(answer.outcome, MalformedMessage)
    assert sent(core) == [[2, "2", "B", {}]]


@each_version
@pytest.mark.parametrize("number", [3, 4])
@pytest.mark.parametrize("rest", [[], ["2"], ["x"], [7], [None], ["x" * 37], ["\ud800"], ["2\ud800", "GenericError"]])
def test_b16_an_invalid_answer_that_names_no_outstanding_call_fails_none(version: str, number: int, rest: list[Any]) -> None:
    core, calls = calling(version, "A", "B")
    only_fault(feed(core, number, *rest))
    assert sent(core) == []
    assert core.close() == calls


@each_version
@pytest.mark.parametrize("number", [3, 4])
def test_b16_an_id_that_only_begins_like_that_of_the_call_is_another(version: str, number: int) -> None:
    core, calls = calling(version, "A", new_id=lambda: "x" * 36)
    only_fault(feed(core, number, "x" * 37, {}))
    assert sent(core) == []
    assert core.close() == calls


@each_version
def test_b16_only_21_tells_the_other_side_about_its_result(version: str) -> None:
    core = new_core(version)
    core.refuse_result("a", "OccurenceConstraintViolation", "'x' is missing")
    assert sent(core) == ([[5, "a", "OccurrenceConstraintViolation", "'x' is missing", {}]] if version == "2.1" else [])


@pytest.mark.parametrize("message_id", ["1", "2", "a", "b"])
def test_b16_a_callresulterror_is_never_answered(message_id: str) -> None:
    core, calls = calling("2.1", "A", "B")
    feed(core, 2, "a", "Reset", {})
    assert feed(core, 5, message_id, "FormatViolation", "no", {}) == [Stray(CallResultError(message_id, "FormatViolation", "no", {}))]
    assert sent(core) == []
    assert core.reply("a", {})
    assert core.close() == calls


@pytest.mark.parametrize("rest", [[], ["1"], ["1", 7], ["1", "", "", {}, {}], [7], [None, ""], ["x" * 37, "", "", {}], ["1", "\ud800"]])
def test_b16_an_invalid_callresulterror_is_never_answered(rest: list[Any]) -> None:
    core, calls = calling("2.1", "A", "B")
    only_fault(feed(core, 5, *rest))
    assert sent(core) == []
    assert core.close() == calls


# --- SEND (B17)


@pytest.mark.parametrize("message_id", ["1", "a", "x"])
def test_b17_a_send_is_never_answered(message_id: str) -> None:
    core, calls = calling("2.1", "A", "B")
    feed(core, 2, "a", "Reset", {})
    for _ in range(2):
        assert feed(core, 6, message_id, "NotifyPeriodicEventStream", {"id": 1}) == [
            Send(message_id, "NotifyPeriodicEventStream", {"id": 1})
        ]
    assert not core.reply("x", {})
    assert not core.reply_error("x", CallError("NotSupported"))
    assert sent(core) == []
    assert core.close() == calls


@pytest.mark.parametrize(
    "rest",
    [
        [],
        ["1"],
        ["1", "A"],
        ["1", 7, {}],
        ["1", "A", []],
        ["1", "A", {}, {}],
        [7],
        [None, "A", {}],
        ["x" * 37, "A", {}],
        ["1", "\ud800", {}],
    ],
)
def test_b17_an_invalid_send_is_never_answered(rest: list[Any]) -> None:
    core, calls = calling("2.1", "A", "B")
    only_fault(feed(core, 6, *rest))
    assert sent(core) == []
    assert core.close() == calls


def test_b17_the_other_side_is_told_nothing_when_it_sends_only_bad_sends() -> None:
    core = new_core("2.1", max_unreadable=2)
    events = [*feed(core, 6), *feed(core, 6)]
    assert [type(event) for event in events] == [Fault, Fault, GiveUp]
    assert sent(core) == []


@pytest.mark.parametrize(
    ("version", "start"),
    [
        *itertools.product(DIALECTS, ['[3,"1",', '[3,"x",', '[4,"1","GenericError","",', " [\t3 , "]),
        *itertools.product(["2.1"], ['[5,"1","GenericError","",', '[6,"1","A",']),
    ],
)
@pytest.mark.parametrize("rest", ['{"a":NaN}]', "{", '{"a":', "[" * 100 + "]" * 101, "9" * 5_000 + "]"], ids=lambda rest: rest[:9])
def test_b16_b17_an_unreadable_answer_or_send_is_not_answered(version: str, start: str, rest: str) -> None:
    core, calls = calling(version, "A", "B")
    error = only_fault(core.receive(core.decode(start + rest)))
    assert (error.message_id, error.code) == (None, "RpcFrameworkError")
    assert sent(core) == []
    assert core.close() == calls


# --- decimals (B20)


@each_version
def test_b20_short_decimals_everywhere_or_nowhere(version: str) -> None:
    for short, number in ((True, 0.123457), (False, 0.1234567)):
        core = handling(version, "a", "b", short_decimals=short)
        core.call("A", {"x": 0.1234567})
        core.send("A", {"x": 0.1234567})
        core.reply("a", {"x": 0.1234567})
        core.reply_error("b", CallError("GenericError", "", {"x": 0.1234567}))
        assert [array[-1] for array in sent(core)] == [{"x": number}] * 4


# --- the end


@each_version
def test_close_returns_the_calls_without_an_answer_oldest_first(version: str) -> None:
    core, (first, second, third, fourth) = calling(version, "A", "B", "C", "D")
    feed(core, 3, "1", {})
    core.give_up(third)
    assert core.close() == [second, fourth]
    assert core.close() == []
    assert not any(core.give_up(call) for call in (first, second, third, fourth))


@each_version
def test_nothing_comes_in_after_close(version: str) -> None:
    core = handling(version, "a")
    core.call("A", {})
    core.close()
    texts = ['[2,"b","Reset",{}]', '[3,"1",{}]', '[4,"1","GenericError","",{}]', '[2,"c"]', "nonsense"]
    assert [core.receive(core.decode(text)) for text in texts] == [[]] * 5
    assert sent(core) == []


@each_version
def test_nothing_goes_out_after_close(version: str) -> None:
    core = handling(version, "a")
    core.call("A", {})
    core.close()
    assert not core.reply("a", {})
    assert not core.reply_error("a", CallError("InternalError"))
    core.refuse_result("b", "GenericError", "no")
    core.send("NotifyPeriodicEventStream", {})
    assert sent(core) == []


@each_version
def test_no_call_goes_out_after_close(version: str) -> None:
    core = new_core(version)
    core.close()
    core.call("A", {})
    assert sent(core) == []


# --- two cores back to back


class Side:
    """One core of two, and all that was asked of it and came of it. Both use the ids ``"1"``, ``"2"``, …, so mixing them up shows."""

    def __init__(self, version: str) -> None:
        self.core = new_core(version)
        self.made: list[OutgoingCall] = []
        self.transmitted: list[OutgoingCall] = []
        self.settled: set[str] = set()
        self.given_up: set[str] = set()
        self.outcomes: dict[str, Any] = {}
        self.sends: list[int] = []
        self.inbox: deque[str] = deque()
        self.to_answer: list[str] = []
        self.requests: list[tuple[str, int]] = []
        self.replies: dict[str, Any] = {}
        self.sends_received: list[int] = []

    def call(self, number: int) -> None:
        self.made.append(self.core.call("A", {"n": number}, waiter=number))

    def give_up(self, call: OutgoingCall) -> None:
        waiting = call.message_id not in self.settled
        assert self.core.give_up(call) is waiting
        if waiting:
            self.settled.add(call.message_id)
            self.given_up.add(call.message_id)

    def send(self, number: int) -> None:
        self.core.send("B", {"n": number})
        self.sends.append(number)

    def answer(self, which: int, number: int, as_error: bool) -> None:
        message_id = self.to_answer.pop(which % len(self.to_answer))
        if as_error:
            assert self.core.reply_error(message_id, CallError("GenericError", f"{number}", {"n": number}))
        else:
            assert self.core.reply(message_id, {"n": number})
        self.replies[message_id] = ("error" if as_error else "result", number)

    def transmit_to(self, other: Side) -> None:
        for frame in self.core.take_outgoing():
            if frame.call is not None:
                assert all(call.message_id in self.settled for call in self.transmitted), "two calls are outstanding"
                self.transmitted.append(frame.call)
            other.inbox.append(frame.text)

    def deliver_from(self, other: Side) -> None:
        for event in self.core.receive(self.core.decode(self.inbox.popleft())):
            if isinstance(event, Answer):
                self.take_answer(event, other)
            elif isinstance(event, Call):
                self.requests.append((event.message_id, event.payload["n"]))
                self.to_answer.append(event.message_id)
            elif isinstance(event, Send):
                self.sends_received.append(event.payload["n"])
            else:
                # Only an answer that came too late is a stray one.
                assert isinstance(event, Stray)
                assert event.message.message_id in self.given_up

    def take_answer(self, answer: Answer, other: Side) -> None:
        message_id = answer.call.message_id
        assert answer.call is self.transmitted[-1]
        assert message_id not in self.settled
        self.settled.add(message_id)
        if isinstance(answer.outcome, CallError):
            assert answer.outcome.description == str(answer.outcome.details["n"])
            self.outcomes[message_id] = ("error", answer.outcome.details["n"])
        else:
            assert isinstance(answer.outcome, dict)
            self.outcomes[message_id] = ("result", answer.outcome["n"])

    def check_at_the_end(self, other: Side) -> None:
        """Everything has been delivered and answered."""
        calls = {call.message_id: call.waiter for call in self.transmitted}
        assert [call for call in self.made if call in self.transmitted] == self.transmitted
        assert {call.message_id for call in self.made} - set(calls) <= self.given_up
        assert other.requests == list(calls.items())
        assert other.sends_received == self.sends
        assert set(self.outcomes) == {call.message_id for call in self.made} - self.given_up
        assert self.outcomes == {message_id: other.replies[message_id] for message_id in self.outcomes}
        assert self.core.close() == []


steps = st.tuples(
    st.sampled_from(["call", "call", "answer", "answer", "error", "give up", "send", "transmit", "deliver", "deliver"]),
    st.booleans(),
    st.integers(0, 9),
)


def take_step(side: Side, other: Side, step: str, which: int, number: int) -> None:
    if step == "call":
        side.call(number)
    elif step in ("answer", "error") and side.to_answer:
        side.answer(which, number, as_error=step == "error")
    elif step == "give up" and side.made:
        side.give_up(side.made[-1 - which % len(side.made)])
    elif step == "send" and messages.Send in side.core.dialect.kinds:
        side.send(number)
    elif step == "transmit":
        side.transmit_to(other)
    elif step == "deliver" and side.inbox:
        side.deliver_from(other)


def finish(side: Side, other: Side) -> None:
    """Deliver and answer everything, one after the other."""
    number = 1_000_000
    while True:
        for here, there in ((side, other), (other, side)):
            here.transmit_to(there)
            while here.inbox:
                here.deliver_from(there)
            while here.to_answer:
                here.answer(0, number, as_error=False)
                number += 1
            here.transmit_to(there)
        if not side.inbox and not other.inbox:
            return


@each_version
@settings(max_examples=300, deadline=None)
@given(schedule=st.lists(steps, max_size=80))
@example([("call", True, 0), ("transmit", True, 0), ("give up", True, 0), ("call", True, 0), ("deliver", False, 0), ("answer", False, 0)])
def test_b3_b4_b5_b16_each_call_gets_its_own_answer_whatever_the_order(version: str, schedule: list[tuple[str, bool, int]]) -> None:
    station, server = Side(version), Side(version)
    for number, (step, is_station, which) in enumerate(schedule):
        side, other = (station, server) if is_station else (server, station)
        take_step(side, other, step, which, number)
    finish(station, server)
    station.check_at_the_end(server)
    server.check_at_the_end(station)


# --- a core that is fed nonsense

OUTSTANDING, WAITING, HANDLED = "o" * 36, "w" * 36, "h" * 36

DEEP = ["[" * 90 + "]" * 90, '{"a":' * 90 + "1" + "}" * 90, "[" * 2_000, '{"a":' * 2_000, "[" * 2_000 + "]" * 2_000]
NUMBERS = ["0", "-1", "2.0", "NaN", "-Infinity", "1e999", "-1e999", "1e-999", "9" * 400, "9" * 5_000]
literals = st.sampled_from(["null", "true", "{}", "[]", *NUMBERS, *DEEP])
halves = st.text(st.sampled_from("a\ud83d\ude00")).map(json.dumps)
strings = st.text().map(json.dumps) | halves | st.sampled_from(['"\\', '"\\u12', r'"\"', '"\n"', "'a'"])
leaves = literals | strings | st.floats().map(json.dumps)
texts_of_values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4).map(lambda texts: f"[{','.join(texts)}]") | inner.map('{{"a":{}}}'.format),
    max_leaves=8,
)
types = st.sampled_from(["2", "3", "4", "5", "6", "2", "3", "4", "5", "6", "7", "-1", "3.0", "true", "9" * 50])
known_ids = [OUTSTANDING, WAITING, HANDLED, OUTSTANDING + "x", OUTSTANDING[:-1], "", "-1", "x" * 37, "\ud800" * 37, OUTSTANDING + "\ud800"]
ids = st.sampled_from(known_ids).map(json.dumps) | texts_of_values
rests = st.lists(texts_of_values, max_size=4) | st.sampled_from(
    [["{}"], ["null"], ['"A"', "{}"], ['"A"', "null"], ['"GenericError"', '""', "{}"], ['"A"', '{"a":"\\ud800"}'], ['{"a":"\\udc00"}']]
)
arrays = st.builds(lambda number, message_id, rest: f"[{','.join([number, message_id, *rest])}]", types, ids, rests)
truncated = st.builds(lambda text, length: text[:length], arrays, st.integers(0, 60))
incoming = arrays | arrays | truncated | texts_of_values | st.text()


def refuse(name: str) -> None:
    raise ValueError(name)


def type_and_id(text: str) -> tuple[Any, Any]:
    """What a message says of itself; None where it may be too deep or is no JSON, so that it says nothing."""
    if text.count("[") + text.count("{") > messages.MAX_DEPTH:
        return None, None
    try:
        array = json.loads(text, parse_constant=refuse)
    except ValueError:
        return None, None
    if not isinstance(array, list) or not array or type(array[0]) is not int:
        return None, None
    return array[0], array[1] if len(array) > 1 else None


def check_frame(version: str, text: str) -> Any:
    """A frame that goes out is a message of the version, with a code and a description that it may have."""
    text.encode()
    array = json.loads(text, parse_constant=refuse)
    assert not isinstance(Protocol(version).decode(text), MalformedMessage)
    assert array[0] in KINDS[version]
    if array[0] in (4, 5):
        assert array[2] in CODES[version]
        assert version == "1.6" or len(array[3]) <= 255
        assert array[4] == {}
    return array


@each_version
@settings(max_examples=400, deadline=None)
@given(texts=st.lists(incoming, min_size=1, max_size=6))
@example([r'[9,"\ud800"]', rf'[2,"\ud800{"x" * 40}","A",{{}}]', f'[3,"{OUTSTANDING}x",{{}}]'])
def test_b16_b17_whatever_comes_in(version: str, texts: list[str]) -> None:
    core = handling(version, HANDLED, new_id=iter([OUTSTANDING, WAITING]).__next__)
    calls = [core.call("A", {}), core.call("B", {})]
    core.take_outgoing()
    for text in texts:
        number, message_id = type_and_id(text)
        events = core.receive(core.decode(text))
        frames = [check_frame(version, frame.text) for frame in core.take_outgoing()]
        errors = [array for array in frames if array[0] == 4]
        assert len(errors) <= 1
        if any(number == unanswered or text.startswith(f"[{unanswered},") for unanswered in set(KINDS[version]) - {2}):
            assert not errors
        if errors:
            assert [type(event) for event in events] == [Fault]
        for event in events:
            assert not isinstance(event, GiveUp)
            if isinstance(event, Answer):
                assert event.call is calls.pop(0)
                assert number in (3, 4)
                assert message_id == event.call.message_id
    assert core.reply(HANDLED, {})
    assert core.close() == calls


@each_version
@settings(deadline=None)
@given(text=st.text() | st.text(st.sampled_from('[]{}",:\\u0d8e29 ')))
def test_b6_arbitrary_text_is_never_more_than_a_fault(version: str, text: str) -> None:
    core, calls = calling(version, "A")
    events = core.receive(core.decode(text))
    assert [type(event) for event in events] == [Fault]
    assert len([check_frame(version, frame.text) for frame in core.take_outgoing()]) <= 1
    assert core.close() == calls
