"""Which requests and responses a side sends and takes, under each validation policy (rules B8, B12, B17)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from ocpp_sync.checks import SIDES, Checks
from ocpp_sync.errors import CallError, InvalidPayload
from ocpp_sync.schemas import actions
from ocpp_sync.validation import ValidationPolicy

from .support import VERSIONS

STREAM = "NotifyPeriodicEventStream"
STREAM_PAYLOAD: dict[str, Any] = {"id": 1, "pending": 0, "basetime": "2025-01-31T12:00:00Z", "data": [{"t": 1.5, "v": "1"}]}

each_side = pytest.mark.parametrize(("version", "side"), [(version, side) for version in VERSIONS for side in SIDES])


def checks(side: str = "CS", **policy: str) -> Checks:
    """The checks of a side: ``strict()``, or with modes for directions or actions."""
    return Checks(side, ValidationPolicy(policy or "strict"), "CP1")


def take(checked: Checks, action: str, payload: Any, version: str = "1.6", *, is_send: bool = False, is_handled: bool = True) -> None:
    checked.incoming_request(version, action, payload, is_send=is_send, is_handled=is_handled)


def give(checked: Checks, action: str, payload: Any, version: str = "1.6", *, is_send: bool = False) -> None:
    checked.outgoing_request(version, action, payload, is_send=is_send)


def refused(function: Callable[..., None], *arguments: Any, **named: Any) -> CallError:
    with pytest.raises(CallError) as caught:
        function(*arguments, **named)
    return caught.value


def invalid(function: Callable[..., None], *arguments: Any, **named: Any) -> InvalidPayload:
    with pytest.raises(InvalidPayload) as caught:
        function(*arguments, **named)
    return caught.value


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "ocpp_sync" and record.levelno == logging.WARNING]


# --- what may pass


def test_what_is_right_passes_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    for mode in ("strict", "warn", "off"):
        station, csms = checks("CS", **{"*": mode}), checks("CSMS", **{"*": mode})
        give(station, "Heartbeat", {})
        take(csms, "Heartbeat", {})
        csms.outgoing_response("1.6", "Heartbeat", {"currentTime": "2025-01-31T12:00:00Z"})
        station.incoming_response("1.6", "Heartbeat", {"currentTime": "2025-01-31T12:00:00Z"})
        give(station, STREAM, STREAM_PAYLOAD, "2.1", is_send=True)
        take(csms, STREAM, STREAM_PAYLOAD, "2.1", is_send=True)
    assert not warnings(caplog)


@each_side
def test_b8_b17_each_action_goes_its_own_way(version: str, side: str) -> None:
    for action, entry in actions(version).items():
        # With a payload that is none, an action that may go this way fails for its payload only.
        error = invalid(give, checks(side), action, [], version, is_send=entry.is_send)
        assert (error.keyword == "type") == (entry.sent_by in (side, "both")), action
        answer = refused(take, checks(side), action, [], version, is_send=entry.is_send)
        assert (answer.code == "NotSupported") == (entry.sent_by == side), action


@each_side
def test_b17_each_action_goes_as_call_or_as_send_alone(version: str, side: str) -> None:
    for action, entry in actions(version).items():
        if entry.sent_by in (side, "both"):
            assert invalid(give, checks(side), action, {}, version, is_send=not entry.is_send).keyword == "action", action
        if entry.sent_by != side:
            assert refused(take, checks(side), action, {}, version, is_send=not entry.is_send).code == "ProtocolError", action


# --- requests that go out


def test_an_outgoing_request_of_the_other_side() -> None:
    error = invalid(give, checks("CS"), "Reset", {"type": "Soft"})
    assert str(error) == "Reset: it is not sent by the charge point, but to it: handle it with on('Reset', …)"
    assert (error.code, error.path) == ("NotImplemented", "")
    assert "not sent by the CSMS" in str(invalid(give, checks("CSMS"), "Heartbeat", {}))


@pytest.mark.parametrize("action", ["heartbeat", "BootNotificationRequest", "TransactionEvent", ""])
def test_b8_an_outgoing_request_that_the_version_does_not_define(action: str) -> None:
    error = invalid(give, checks(), action, {})
    assert (error.keyword, error.code) == ("action", "NotImplemented")


def test_b17_a_send_is_not_called_and_a_call_is_not_sent() -> None:
    assert "use send(), not call()" in str(invalid(give, checks(), STREAM, STREAM_PAYLOAD, "2.1"))
    assert "use call(), not send()" in str(invalid(give, checks(), "Heartbeat", {}, "2.1", is_send=True))


def test_b12_an_invalid_outgoing_request() -> None:
    error = invalid(give, checks("CSMS"), "Reset", {"type": "soft"})
    assert (error.path, error.keyword, error.code) == ("type", "enum", "PropertyConstraintViolation")


INVALID_REQUESTS: list[tuple[str, Any, str, bool]] = [
    ("BootNotification", {}, "1.6", False),
    ("BootNotification", [], "1.6", False),
    ("Reset", {"type": "Soft"}, "1.6", False),
    ("Nonsense", {}, "1.6", False),
    (STREAM, STREAM_PAYLOAD, "2.1", False),
    (STREAM, {}, "2.1", True),
    ("Heartbeat", {}, "2.1", True),
]


@pytest.mark.parametrize(("action", "payload", "version", "is_send"), INVALID_REQUESTS)
def test_a_request_goes_out_although_invalid(
    caplog: pytest.LogCaptureFixture, action: str, payload: Any, version: str, is_send: bool
) -> None:
    invalid(give, checks(), action, payload, version, is_send=is_send)
    give(checks(out="off"), action, payload, version, is_send=is_send)
    assert not warnings(caplog)
    give(checks(out="warn"), action, payload, version, is_send=is_send)
    (warning,) = warnings(caplog)
    assert warning.startswith(f"CP1: sent although invalid: {action}: ")


# --- requests that come in


@pytest.mark.parametrize("mode", ["strict", "warn", "off"])
def test_b8_what_no_version_defines_is_not_implemented_and_what_nobody_handles_not_supported(mode: str) -> None:
    checked = checks("CSMS", **{"*": mode})
    assert refused(take, checked, "Nonsense", {}, is_handled=False).code == "NotImplemented"
    assert refused(take, checked, "TransactionEvent", {}, is_handled=False).code == "NotImplemented"
    assert refused(take, checked, "Heartbeat", {}, is_handled=False).code == "NotSupported"
    # It comes before the payload: nobody wants to know what is wrong with that.
    assert refused(take, checked, "BootNotification", {"a": 1}, is_handled=False).code == "NotSupported"


def test_b8_an_unknown_action_reaches_a_handler_of_all_only_without_validation() -> None:
    assert refused(take, checks("CSMS"), "Nonsense", {}).code == "NotImplemented"
    assert refused(take, checks("CSMS", **{"in": "warn"}), "Nonsense", {}).code == "NotImplemented"
    take(checks("CSMS", **{"in": "off"}), "Nonsense", {})


def test_b8_the_description_is_short_whatever_was_asked_for() -> None:
    error = refused(take, checks("CSMS"), "x" * 100_000, {}, is_handled=False)
    assert error.description == f"{'x' * 60} is no action of OCPP 1.6"
    assert "Heartbeat is not supported here" in refused(take, checks("CSMS"), "Heartbeat", {}, is_handled=False).description


@pytest.mark.parametrize("mode", ["strict", "warn"])
def test_b8_a_request_in_the_wrong_direction(mode: str) -> None:
    error = refused(take, checks("CS", **{"*": mode}), "Heartbeat", {})
    assert (error.code, error.description) == ("NotSupported", "Heartbeat is sent by the charge point, not to it")
    assert refused(take, checks("CSMS", **{"*": mode}), "Reset", {"type": "Soft"}).description == "Reset is sent by the CSMS, not to it"


@pytest.mark.parametrize("mode", ["strict", "warn"])
def test_b17_a_request_of_the_wrong_kind(mode: str) -> None:
    checked = checks("CSMS", **{"*": mode})
    error = refused(take, checked, STREAM, STREAM_PAYLOAD, "2.1")
    assert (error.code, error.description) == ("ProtocolError", f"{STREAM} is a SEND, which is never answered")
    error = refused(take, checked, "Heartbeat", {}, "2.1", is_send=True)
    assert (error.code, error.description) == ("ProtocolError", "Heartbeat is a CALL, which is answered")


@pytest.mark.parametrize("action", ["Heartbeat", "Reset", STREAM])
@pytest.mark.parametrize("is_send", [False, True])
def test_without_validation_everything_reaches_its_handler(action: str, is_send: bool) -> None:
    take(checks("CS", **{"in": "off"}), action, None, "2.1", is_send=is_send)


@pytest.mark.parametrize(
    ("version", "payload", "code", "description"),
    [
        ("1.6", {"type": "soft"}, "PropertyConstraintViolation", "type: 'soft' is not one of"),
        ("1.6", {}, "OccurenceConstraintViolation", "'type' is missing"),
        ("2.0.1", {}, "OccurrenceConstraintViolation", "'type' is missing"),
        ("1.6", [], "FormationViolation", "this must be an object"),
        ("2.1", [], "FormatViolation", "this must be an object"),
        ("1.6", {"type": 1}, "TypeConstraintViolation", "type: this must be a string"),
    ],
)
def test_b12_an_invalid_request_is_answered_with_the_code_of_its_version(version: str, payload: Any, code: str, description: str) -> None:
    error = refused(take, checks("CS"), "Reset", payload, version)
    assert error.code == code
    assert error.description.startswith(description)


def test_an_invalid_request_may_be_delivered(caplog: pytest.LogCaptureFixture) -> None:
    take(checks("CS", **{"in": "off"}), "Reset", {"type": "soft"})
    assert not warnings(caplog)
    take(checks("CS", **{"in": "warn"}), "Reset", {"type": "soft"})
    (warning,) = warnings(caplog)
    assert warning.startswith("CP1: delivered although invalid: Reset: type: ")


# --- responses


@pytest.mark.parametrize(
    ("direction", "done"),
    [
        ("in", "delivered"),
        ("out", "sent"),
    ],
)
def test_an_invalid_response(caplog: pytest.LogCaptureFixture, direction: str, done: str) -> None:
    def respond(checked: Checks) -> None:
        check = checked.incoming_response if direction == "in" else checked.outgoing_response
        check("1.6", "Reset", {"status": "accepted"})

    error = invalid(respond, checks())
    assert (error.action, error.path, error.keyword) == ("Reset", "status", "enum")
    respond(checks(**{direction: "off"}))
    assert not warnings(caplog)
    respond(checks(**{direction: "warn"}))
    (warning,) = warnings(caplog)
    assert warning.startswith(f"CP1: {done} although invalid: response to Reset: status: ")


@pytest.mark.parametrize(("version", "action"), [("1.6", "Nonsense"), ("1.6", "TransactionEvent"), ("2.1", STREAM)])
def test_a_response_without_a_schema_is_not_held_against_one(version: str, action: str) -> None:
    checked = checks(**{"out:Reset": "off"})
    checked.incoming_response(version, action, {"a": 1})
    checked.outgoing_response(version, action, {"a": 1})


# --- the policy


def test_the_most_specific_mode_holds() -> None:
    checked = checks("CSMS", **{"*": "off", "out": "strict", "in:DataTransfer": "strict", "out:Reset": "off"})
    give(checked, "Reset", {})
    invalid(give, checked, "UnlockConnector", {})
    invalid(checked.outgoing_response, "1.6", "DataTransfer", {})
    refused(take, checked, "DataTransfer", {})
    take(checked, "BootNotification", {})
    checked.incoming_response("1.6", "Reset", {})
