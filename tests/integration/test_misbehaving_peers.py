"""Peers that break the rules: they are told what OCPP says to that and nothing else, and the link goes on working."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

import pytest

from ocpp_sync import CallError, CallTimeout, InvalidPayload, OcppServer
from ocpp_sync.errors import MalformedMessage

from ..support import TIMEOUT, Collector, in_thread
from .links import ACTION, REQUEST, RESPONSE, RawLink, RawLinkMaker, a_request, a_response, each_side, each_version
from .payloads import payload

SHORT = 0.1  # seconds until a call gives up that is never answered

FORMAT, OCCURRENCE, PROPERTY = "FormatViolation", "OccurrenceConstraintViolation", "PropertyConstraintViolation"
RPC, TYPE = "RpcFrameworkError", "TypeConstraintViolation"
STREAM = "NotifyPeriodicEventStream"


def check_fault(link: RawLink) -> None:
    """The program was told of one malformed message, and the link works."""
    link.check()
    assert isinstance(link.errors.next()[0], MalformedMessage)
    assert link.errors.calls.empty()


# --- requests that are no messages

MALFORMED_CALLS: list[tuple[list[Any], str]] = [
    ([2, "a"], RPC),
    ([2, "a", ACTION], RPC),
    ([2, "a", ACTION, REQUEST, {}], RPC),
    ([2, "a", 7, REQUEST], RPC),
    ([2, "a", None, REQUEST], RPC),
    ([2, "a", REQUEST, ACTION], RPC),
    ([2, "a", ACTION, []], FORMAT),
    ([2, "a", ACTION, [REQUEST]], FORMAT),
    ([2, "a", ACTION, "secret"], FORMAT),
    ([2, "a", ACTION, 7], FORMAT),
    ([2, "a", ACTION, False], FORMAT),
    ([2, "a", ACTION, {"vendorId": "\ud800"}], FORMAT),
]


@each_version
@each_side
def test_b1_malformed_calls(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    for message, code in MALFORMED_CALLS:
        link.raw.send(message)
        assert "secret" not in link.take_error("a", code), message
        check_fault(link)


UNREADABLE = [
    "",
    "secret",
    "null",
    "7",
    '"secret"',
    "{}",
    '{"secret":[2,"a","DataTransfer",{"vendorId":"v"}]}',
    "[]",
    "[2]",
    '[2,"a","secret",{"vendorId":"v"}',
    '[2,"a","secret",{"vendorId":NaN}]',
    "[2,'a','secret',{}]",
    '[2,7,"secret",{}]',
    '[2,null,"secret",{}]',
    '[2,["a"],"secret",{}]',
    r'[2,"secret\ud800","DataTransfer",{}]',
    "[" * 10_000,
    '{"a":' * 10_000,
    "9" * 10_000,
]


@each_version
@each_side
def test_b6_messages_whose_id_cannot_be_read(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    for text in UNREADABLE:
        link.raw.send(text)
        if version != "1.6":
            assert "secret" not in link.take_error("-1", RPC), text
        check_fault(link)


@each_version
@each_side
def test_b6_a_peer_that_sends_nothing_else_is_given_up(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    for _ in range(99):
        link.raw.send("[]")
        if version != "1.6":
            link.take_error("-1", RPC)
    link.check()
    for _ in range(100):
        link.raw.send("[]")
    code, reason = link.raw.receive_close()
    assert (code, "100" in reason) == (1002, True)
    assert link.ours.wait_closed(TIMEOUT)


UNKNOWN_TYPES = [0, 1, 7, 99, -2, 10**30, 2.0, "2", None, True, [2], {}]


@each_version
@each_side
def test_b7_only_201_answers_an_unknown_message_type(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    for number in [*UNKNOWN_TYPES, *([] if version == "2.1" else [5, 6])]:
        link.raw.send([number, "a", ACTION, REQUEST])
        if version == "2.0.1":
            link.take_error("a", "MessageTypeNotSupported")
        check_fault(link)


# --- requests with the wrong action

NO_ACTIONS = ["", "datatransfer", "DataTransferRequest", "DataTransfer ", "TriggerReset", "x" * 10_000, "*", "error"]
OF_ANOTHER_VERSION = {"1.6": "TransactionEvent", "2.0.1": "BatterySwap", "2.1": "StartTransaction"}
NOT_HANDLED = {"CS": "ClearCache", "CSMS": "Heartbeat"}
SENT_BY_US = {"CS": "Heartbeat", "CSMS": "ClearCache"}


@each_version
@each_side
def test_b8_actions_that_are_none(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    for action in [*NO_ACTIONS, OF_ANOTHER_VERSION[version]]:
        link.raw.send([2, "a", action, {}])
        link.take_error("a", "NotImplemented")
        link.check()
    assert link.errors.calls.empty()


@each_version
@each_side
def test_b8_actions_without_a_handler(raw_link: RawLinkMaker, make_server: Callable[..., OcppServer], side: str, version: str) -> None:
    link = raw_link(side, version, server=make_server())
    for action in [NOT_HANDLED[side], SENT_BY_US[side]]:
        link.raw.send([2, "a", action, {}])
        link.take_error("a", "NotSupported")
        link.check()


@each_version
@each_side
def test_b8_an_action_that_only_we_send_is_not_handled_by_the_handler_of_all(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    handler = link.ours.on("*", Collector())
    link.raw.send([2, "a", SENT_BY_US[side], {}])
    link.take_error("a", "NotSupported")
    link.check()
    assert handler.calls.empty()


# --- requests with the wrong id (B9)


@each_version
@each_side
def test_b9_ids_that_are_too_long(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    for length in (37, 10_000):
        link.raw.send([2, "é" * length, ACTION, REQUEST])
        link.take_error("é" * 36, RPC)
        check_fault(link)


@each_version
@each_side
def test_b9_odd_ids_are_ids(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    for message_id in ["", " ", "-1", "é" * 36, '"', "\\", "\n", "😀"]:
        link.raw.send([2, message_id, ACTION, REQUEST])
        assert link.raw.receive() == [3, message_id, RESPONSE]
        assert link.handler.next() == (REQUEST,)
        link.check()


@each_version
@each_side
def test_b9_an_id_that_is_in_use(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    entered, released = threading.Event(), threading.Event()

    def slow(request: dict[str, Any]) -> dict[str, Any]:
        entered.set()
        assert released.wait(TIMEOUT)
        return RESPONSE

    link.ours.on(ACTION, slow)
    link.raw.send([2, "a", ACTION, REQUEST])
    assert entered.wait(TIMEOUT)
    for action in (ACTION, NOT_HANDLED[side], "NoAction"):
        link.raw.send([2, "a", action, {}])
        link.take_error("a", RPC)
    released.set()
    assert link.raw.receive() == [3, "a", RESPONSE]
    link.ours.on(ACTION, link.handler)
    link.check()


@each_version
@each_side
def test_b9_an_id_that_was_in_use(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    for message in [[2, "a", ACTION, {}], [2, "a", "NoAction", {}], [2, "a", ACTION, REQUEST], [2, "a", ACTION]] * 2:
        link.raw.send(message)
        assert link.raw.receive()[:2] == [3 if message[-1] == REQUEST else 4, "a"]
    assert [link.handler.next() for _ in range(2)] == [(REQUEST,)] * 2
    link.check()


@each_version
@each_side
def test_b9_both_sides_may_use_the_same_id(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    message_id, result = link.call()
    link.raw.send([2, message_id, ACTION, REQUEST])
    assert link.raw.receive() == [3, message_id, RESPONSE]
    assert link.handler.next() == (REQUEST,)
    link.raw.send([3, message_id, a_response("theirs")])
    assert result.result() == a_response("theirs")
    link.check()


# --- requests with the wrong payload (B12, B14, B15)

INVALID_REQUESTS: list[tuple[Any, str]] = [
    ({}, OCCURRENCE),
    (None, OCCURRENCE),
    ({"data": "x"}, OCCURRENCE),
    ({"vendorId": 7}, TYPE),
    ({"vendorId": None}, TYPE),
    ({**REQUEST, "messageId": None}, TYPE),
    ({"vendorId": "x" * 256}, PROPERTY),
    ({**REQUEST, "extra": 1}, FORMAT),
    ({"vendorID": "x"}, FORMAT),
]
INVALID_REQUESTS_2X: list[tuple[Any, str]] = [
    ({**REQUEST, "customData": {}}, OCCURRENCE),
    ({**REQUEST, "customData": {"vendorId": "x" * 256}}, PROPERTY),
]


@each_version
@each_side
def test_b12_b14_b15_invalid_requests(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    for request, code in [*INVALID_REQUESTS, *([] if version == "1.6" else INVALID_REQUESTS_2X)]:
        link.raw.send([2, "a", ACTION, request])
        link.take_error("a", code)
        link.check()


INNER = {  # an action that a side handles, the list in its request, and a field that an element of it must have
    "CS": ("SendLocalList", "localAuthorizationList", {"1.6": "idTag", "2.0.1": "idToken", "2.1": "idToken"}),
    "CSMS": ("MeterValues", "meterValue", {"1.6": "timestamp", "2.0.1": "timestamp", "2.1": "timestamp"}),
}


@each_version
@each_side
def test_b12_b15_inner_fields(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    action, field, inner = INNER[side]
    valid, response = payload(version, action, "full"), payload(version, action, "minimal", response=True)
    handler = link.ours.on(action, Collector(response))
    for change, code in (({"extra": 1}, FORMAT), ({inner[version]: None}, TYPE), ({inner[version]: []}, TYPE)):
        invalid = copy.deepcopy(valid)
        invalid[field][0] |= change
        link.raw.send([2, "a", action, invalid])
        link.take_error("a", code)
        link.check()
    assert handler.calls.empty()
    link.raw.send([2, "a", action, valid])
    assert link.raw.receive() == [3, "a", response]
    assert handler.next() == (valid,)
    link.check()


@each_version
@each_side
def test_b14_a_null_payload_is_an_empty_one(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    action = NOT_HANDLED[side]
    response = payload(version, action, "minimal", response=True)
    handler = link.ours.on(action, Collector(response))
    link.raw.send([2, "a", action, None])
    assert link.raw.receive() == [3, "a", response]
    assert handler.next() == ({},)
    link.check()


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
@each_side
def test_b15_anything_may_be_in_custom_data(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    request = {**REQUEST, "customData": {"vendorId": "v", "extra": [None, {"": 1.5}]}}
    link.raw.send([2, "a", ACTION, request])
    assert link.raw.receive() == [3, "a", RESPONSE]
    assert link.handler.next() == (request,)
    link.check()


@each_version
@each_side
def test_b3_b5_many_calls_at_once_are_answered_in_order(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    for number in range(100):
        link.raw.send([2, f"{number}", ACTION, REQUEST if number % 3 else {}])
    for number in range(100):
        answer = link.raw.receive()
        assert answer[:2] == [3 if number % 3 else 4, f"{number}"]
    assert [link.handler.next() for number in range(100) if number % 3] == [(REQUEST,)] * 66
    link.check()


# --- no answers (B3, B4)


@each_version
@each_side
def test_b3_b4_a_peer_that_does_not_answer(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    _, first = link.call("1", timeout=SHORT)
    second = in_thread(link.ours.call, ACTION, a_request("2"), timeout=TIMEOUT)
    kind, message_id, *_, request = link.raw.receive()
    assert (kind, request) == (2, a_request("2"))
    with pytest.raises(CallTimeout) as caught:
        first.result()
    assert caught.value.sent
    link.raw.send([3, message_id, a_response("2")])
    assert second.result() == a_response("2")
    link.check()


@each_version
@each_side
def test_b2_every_message_has_its_own_id(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    ids = []
    for _ in range(20):
        message_id, result = link.call()
        ids.append(message_id)
        link.raw.send([3, message_id, RESPONSE])
        assert result.result() == RESPONSE
    assert len(set(ids)) == 20
    assert all(0 < len(message_id) <= 36 for message_id in ids)


# --- answers that are none (B16)

STRAYS: list[list[Any]] = [
    [3, "x", RESPONSE],
    [3, "x", {}],
    [3, "x", None],
    [3, "x"],
    [3, "x", []],
    [3, "x", {}, {}],
    [3, "x" * 37, RESPONSE],
    [3, "-1", RESPONSE],
    [3, "check", RESPONSE],
    [3, None, RESPONSE],
    [3, 7, RESPONSE],
    [3, "\ud800", RESPONSE],
    [3],
    [4, "x", "GenericError", "", {}],
    [4, "x", "GenericError"],
    [4, "x", "NoCode", None, None],
    [4, "x", 7, "", {}],
    [4, "x"],
    [4, "x" * 37, "GenericError", "", {}],
    [4, "-1", RPC, "", {}],
    [4, None, "GenericError", "", {}],
    [4],
]
STRAYS_21: list[list[Any]] = [
    [5, "x", "GenericError", "", {}],
    [5, "x", "NoCode"],
    [5, "x"],
    [5, "x" * 37, "GenericError", "", {}],
    [5, None, "GenericError", "", {}],
    [5],
]


def strays(version: str) -> list[list[Any]]:
    return [*STRAYS, *(STRAYS_21 if version == "2.1" else [])]


@each_version
@each_side
def test_b16_answers_to_nothing(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    for message in strays(version):
        link.raw.send(message)
        link.check()


@each_version
@each_side
def test_b16_answers_to_nothing_while_a_call_waits(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    for message in strays(version):
        message_id, result = link.call()
        link.raw.send(message)
        link.raw.send([3, message_id[:-1], a_response("wrong")])
        link.raw.send([3, message_id + "x", a_response("wrong")])
        link.raw.send([3, message_id, a_response("right")])
        assert result.result() == a_response("right"), message
    link.check()


@each_version
@each_side
def test_b16_late_answers(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    late = []
    for _ in range(2):
        message_id, result = link.call(timeout=SHORT)
        with pytest.raises(CallTimeout):
            result.result()
        late.append(message_id)
    message_id, result = link.call()
    link.raw.send([3, late[0], a_response("late")])
    link.raw.send([4, late[1], "GenericError", "late", {}])
    link.raw.send([3, message_id, a_response("in time")])
    assert result.result() == a_response("in time")
    link.check()


@each_version
@each_side
def test_b16_several_answers(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    first, result = link.call()
    for message in ([3, first, a_response("1")], [3, first, a_response("2")], [4, first, "GenericError", "", {}], [3, first]):
        link.raw.send(message)
    assert result.result() == a_response("1")
    link.check()
    second, result = link.call()
    link.raw.send([3, first, a_response("1")])
    link.raw.send([4, second, "GenericError", "first", {}])
    link.raw.send([3, second, a_response("2")])
    with pytest.raises(CallError, match="first"):
        result.result()
    link.check()


@each_version
@each_side
def test_b16_answers_with_their_ids_exchanged(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    first, given_up = link.call("1", timeout=SHORT)
    with pytest.raises(CallTimeout):
        given_up.result()
    second, result = link.call("2")
    link.raw.send([3, first, a_response("2")])
    link.raw.send([3, second, a_response("1")])
    # The id alone says what is answered.
    assert result.result() == a_response("1")
    link.check()


@each_version
@each_side
def test_b16_a_peer_that_answers_its_own_call(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    message_id, result = link.call()
    link.raw.send([2, "a", ACTION, REQUEST])
    link.raw.send([3, "a", a_response("wrong")])
    assert link.raw.receive() == [3, "a", RESPONSE]
    assert link.handler.next() == (REQUEST,)
    link.raw.send([3, message_id, a_response("right")])
    assert result.result() == a_response("right")
    link.check()


INVALID_RESPONSES: list[tuple[Any, str]] = [
    ({}, OCCURRENCE),
    (None, OCCURRENCE),
    ({"status": 7}, TYPE),
    ({"status": None}, TYPE),
    ({"status": "accepted"}, PROPERTY),
    ({**RESPONSE, "extra": 1}, FORMAT),
    ([], FORMAT),
    ("Accepted", FORMAT),
    (7, FORMAT),
]


def check_refused(link: RawLink, rest: list[Any], code: str) -> None:
    """A CALLRESULT fails its call at once; in 2.1 the peer is told so."""
    message_id, result = link.call()
    link.raw.send([3, message_id, *rest])
    with pytest.raises(InvalidPayload) as caught:
        result.result()
    assert (caught.value.action, caught.value.code) == (ACTION, link.spelt(code))
    if link.version == "2.1":
        link.take_error(message_id, code, kind=5)
    link.check()


@each_version
@each_side
def test_b16_invalid_results(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    for response, code in INVALID_RESPONSES:
        check_refused(link, [response], code)


@each_version
@each_side
def test_b16_results_with_too_few_or_too_many_elements(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    for rest in ([], [RESPONSE, {}], [ACTION, RESPONSE]):
        check_refused(link, rest, RPC)


@each_version
@each_side
def test_b14_a_null_result_is_an_empty_one(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    action = "StatusNotification" if side == "CS" else "GetConfiguration" if version == "1.6" else "CostUpdated"
    assert payload(version, action, "minimal", response=True) == {}
    result = in_thread(link.ours.call, action, payload(version, action, "minimal"))
    link.raw.send([3, link.raw.receive()[1], None])
    assert result.result() == {}
    link.check()


# --- CALLERRORs (B11, B13)

LONG = "x" * 1_000
ERRORS: list[tuple[list[Any], tuple[str, str, dict[str, Any]]]] = [
    (["GenericError", "why", {"a": None}], ("GenericError", "why", {"a": None})),
    (["NoCode", "why", {}], ("NoCode", "why", {})),
    (["", "", {}], ("", "", {})),
    (["RpcFrameworkError", "", {}], ("RpcFrameworkError", "", {})),
    (["genericerror", LONG, {}], ("genericerror", LONG, {})),
    (["GenericError", "why", None], ("GenericError", "why", {})),
    (["GenericError", None, None], ("GenericError", "", {})),
    (["GenericError", None, {"a": 1}], ("GenericError", "", {"a": 1})),
    (["GenericError", "why"], ("GenericError", "why", {})),
    (["GenericError"], ("GenericError", "", {})),
    (["GenericError", 7, "details"], ("GenericError", "", {})),
]


@each_version
@each_side
def test_b11_b13_unusual_errors(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    for rest, expected in ERRORS:
        message_id, result = link.call()
        link.raw.send([4, message_id, *rest])
        with pytest.raises(CallError) as caught:
            result.result()
        assert (caught.value.code, caught.value.description, caught.value.details) == expected
        link.check()


@each_version
@each_side
def test_b11_the_spelling_of_any_version_is_understood(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    for code in (FORMAT, OCCURRENCE):
        for spelling in (code, code.replace("Format", "Formation").replace("Occurrence", "Occurence")):
            message_id, result = link.call()
            link.raw.send([4, message_id, spelling, "", {}])
            with pytest.raises(CallError) as caught:
                result.result()
            assert caught.value.code == link.spelt(code)
    link.check()


@each_version
@each_side
def test_b16_malformed_errors_fail_their_call_at_once(raw_link: RawLinkMaker, side: str, version: str) -> None:
    link = raw_link(side, version)
    for rest in ([], [7, "", {}], [None], [{}, "GenericError", ""], ["GenericError", "", {}, {}]):
        message_id, result = link.call()
        link.raw.send([4, message_id, *rest])
        with pytest.raises(MalformedMessage):
            result.result()
        check_fault(link)


@each_side
def test_b16_a_callresulterror_answers_no_call(raw_link: RawLinkMaker, side: str) -> None:
    link = raw_link(side, "2.1")
    message_id, result = link.call()
    for rest in (["GenericError", "", {}], ["GenericError"], [], [7, "", {}]):
        link.raw.send([5, message_id, *rest])
    link.raw.send([3, message_id, RESPONSE])
    assert result.result() == RESPONSE
    link.raw.send([2, "a", ACTION, REQUEST])
    assert link.raw.receive() == [3, "a", RESPONSE]
    assert link.handler.next() == (REQUEST,)
    link.raw.send([5, "a", FORMAT, "it was invalid", {}])
    link.check()


# --- SEND (B17)

INVALID_SENDS: list[list[Any]] = [
    [6],
    [6, "a"],
    [6, "a", STREAM],
    [6, "a", STREAM, None],
    [6, "a", STREAM, {}],
    [6, "a", STREAM, []],
    [6, "a", STREAM, {"extra": 1}],
    [6, "a", STREAM, {}, {}],
    [6, "a", 7, {}],
    [6, None, STREAM, {}],
    [6, 7, STREAM, {}],
    [6, "x" * 37, STREAM, {}],
    [6, "a", "NoAction", {}],
    [6, "a", ACTION, REQUEST],
    [6, "a", "Heartbeat", {}],
    [6, "a", "ClearCache", {}],
]


@pytest.mark.parametrize("catch_all", [False, True])
@each_side
def test_b17_an_invalid_send_is_never_answered(raw_link: RawLinkMaker, side: str, catch_all: bool) -> None:
    link = raw_link(side, "2.1")
    handler = Collector()
    if catch_all:
        link.ours.on("*", handler)
    for message in INVALID_SENDS:
        link.raw.send(message)
        link.check()
    assert handler.calls.empty()


def test_b17_a_send_that_came_as_call_is_refused(raw_link: RawLinkMaker) -> None:
    link = raw_link("CSMS", "2.1")
    handler = link.ours.on(STREAM, Collector())
    link.raw.send([2, "a", STREAM, payload("2.1", STREAM, "full")])
    link.take_error("a", "ProtocolError")
    link.check()
    assert handler.calls.empty()


def test_b17_a_handler_of_a_send_that_fails_is_not_answered(raw_link: RawLinkMaker) -> None:
    link = raw_link("CSMS", "2.1")

    def fail(request: dict[str, Any]) -> None:
        raise CallError("InternalError", "no")

    link.ours.on(STREAM, fail)
    link.raw.send([6, "a", STREAM, payload("2.1", STREAM, "full")])
    link.check()


def test_b16_b17_answers_to_a_send(raw_link: RawLinkMaker) -> None:
    link = raw_link("CS", "2.1")
    link.ours.send(STREAM, payload("2.1", STREAM, "full"))
    message_id = link.raw.receive()[1]
    for message in ([3, message_id, {}], [4, message_id, "GenericError", "", {}], [5, message_id, "GenericError", "", {}], [3, message_id]):
        link.raw.send(message)
        link.check()


def test_b3_b17_a_send_waits_for_no_answer(raw_link: RawLinkMaker) -> None:
    link = raw_link("CS", "2.1")
    message_id, result = link.call()
    for _ in range(3):
        link.ours.send(STREAM, payload("2.1", STREAM, "minimal"))
        assert link.raw.receive()[0] == 6
    link.raw.send([3, message_id, RESPONSE])
    assert result.result() == RESPONSE
    link.check()
