"""The tree of exceptions, their texts, and how error codes are spelt."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp_sync import errors
from ocpp_sync.errors import (
    CallError,
    CallTimeout,
    ConnectionClosed,
    DataTransferError,
    FileError,
    HandshakeError,
    InvalidPayload,
    MalformedMessage,
    NotAccepted,
    NotConnected,
    OcppError,
    OutboxError,
    OutboxFull,
    RejectHandshake,
    ScenarioError,
    ScenarioFailure,
    SchemaError,
    StateError,
    sendable_code,
    spell_code,
)

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

versions = st.sampled_from(list(CODES))


# --- codes (B10, B11)


@pytest.mark.parametrize(
    ("code", "in_16"),
    [
        ("FormatViolation", "FormationViolation"),
        ("OccurrenceConstraintViolation", "OccurenceConstraintViolation"),
        ("MessageTypeNotSupported", "GenericError"),
        ("RpcFrameworkError", "GenericError"),
        *((code, code) for code in CODES_16),
    ],
)
def test_b10_what_goes_out_in_16(code: str, in_16: str) -> None:
    assert sendable_code(code, "1.6") == in_16


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
@pytest.mark.parametrize(
    ("code", "in_2x"),
    [
        ("FormationViolation", "FormatViolation"),
        ("OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
        *((code, code) for code in CODES_2X),
    ],
)
def test_b11_what_goes_out_in_2x(version: str, code: str, in_2x: str) -> None:
    assert sendable_code(code, version) == in_2x


@pytest.mark.parametrize("version", CODES)
@pytest.mark.parametrize(
    ("code_16", "code_2x"),
    [
        ("FormationViolation", "FormatViolation"),
        ("OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
    ],
)
def test_b11_either_spelling_is_understood(version: str, code_16: str, code_2x: str) -> None:
    assert spell_code(code_16, version) == spell_code(code_2x, version) == (code_16 if version == "1.6" else code_2x)


@pytest.mark.parametrize("code", ["RpcFrameworkError", "MessageTypeNotSupported"])
def test_b11_what_comes_in_keeps_a_code_that_16_could_not_send(code: str) -> None:
    assert spell_code(code, "1.6") == code


@given(st.text() | st.sampled_from(["", "genericerror", "formatViolation", "Formation Violation"]), versions)
def test_b11_an_unknown_code_is_kept(code: str, version: str) -> None:
    if code not in {*CODES_16, *CODES_2X}:
        assert spell_code(code, version) == sendable_code(code, version) == code


@given(st.sampled_from([*CODES_16, *CODES_2X]), versions)
def test_b10_b11_a_known_code_goes_out_as_one_of_the_version(code: str, version: str) -> None:
    assert sendable_code(code, version) in CODES[version]
    assert sendable_code(sendable_code(code, version), version) == sendable_code(code, version)


# --- the tree

EXAMPLES: list[tuple[OcppError, str]] = [
    (CallError("NotSupported"), "NotSupported"),
    (CallError("NotSupported", "no such thing", {"a": 1}), "NotSupported: no such thing {'a': 1}"),
    (CallTimeout("Reset", "id-1", 30.04, True), "Reset timed out after 30.0 s (sent, but not answered; id id-1)"),
    (
        CallTimeout("Reset", "id-1", 30.04, False),
        "Reset timed out after 30.0 s (not sent: other calls were still waiting for their answers; id id-1)",
    ),
    (InvalidPayload("Reset", "type", "enum", "'x' is wrong", "PropertyConstraintViolation"), "Reset: type: 'x' is wrong"),
    (InvalidPayload("Reset", "", "required", "'type' is missing", "OccurrenceConstraintViolation"), "Reset: 'type' is missing"),
    (MalformedMessage("the text is no JSON"), "the text is no JSON"),
    (MalformedMessage("the action is no string", "id\n1"), r"the action is no string (id 'id\n1')"),
    (MalformedMessage("the message id is too long", "x" * 50), f"the message id is too long (id '{'x' * 40}')"),
    (RejectHandshake(404), "404"),
    (RejectHandshake(401, "who are you?"), "401 who are you?"),
    (CallError("GenericError", "a\nline\x1b[2J"), "GenericError: 'a\\nline\\x1b[2J'"),
    (ConnectionClosed(1001, "two\nlines"), "the connection is closed (1001 'two\\nlines')"),
    (ConnectionClosed(), "the connection is closed (1006)"),
    (ConnectionClosed(1001, "going away"), "the connection is closed (1001 going away)"),
    (NotConnected(), "not connected"),
    (NotConnected(1006, "connect() was not called"), "connect() was not called"),
    (HandshakeError("unauthorized", "the server answered 401", 401), "the server answered 401 (unauthorized)"),
    (CallTimeout("Heartbeat", "", 1.0, False, "not connected"), "Heartbeat timed out after 1.0 s (not sent: not connected)"),
    (NotAccepted("Heartbeat", "Pending", "the CSMS waits (rule D3)"), "Heartbeat was not sent: the CSMS waits (rule D3)"),
    (OutboxError("queue.sqlite3", "it is another's"), "queue.sqlite3: it is another's"),
    (OutboxFull("queue.sqlite3", "there is no room"), "queue.sqlite3: there is no room"),
    (FileError("a file", "it is gone"), "a file: it is gone"),
    (StateError("bench.sqlite3", "it is another's"), "bench.sqlite3: it is another's"),
    (ScenarioError("a.toml", "step 3", "there is no such field"), "a.toml: step 3: there is no such field"),
    (ScenarioFailure("a.toml", "step 3", "nothing has come"), "a.toml: step 3: nothing has come"),
    (DataTransferError(), "the DataTransfer was answered with Rejected"),
    (DataTransferError("a\nb", 5, {"reasonCode": "x"}), "the DataTransfer was answered with 'a\\nb' {'reasonCode': 'x'}"),
    (SchemaError("1.6/Reset", "this must be an object"), "schemas: 1.6/Reset: this must be an object"),
]

each_error = pytest.mark.parametrize("error", [error for error, _ in EXAMPLES], ids=lambda error: type(error).__name__)


@pytest.mark.parametrize(
    ("kind", "bases"),
    [
        (CallError, (OcppError,)),
        (CallTimeout, (OcppError, TimeoutError)),
        (InvalidPayload, (OcppError, ValueError)),
        (MalformedMessage, (OcppError,)),
        (RejectHandshake, (OcppError,)),
        (DataTransferError, (OcppError,)),
        (SchemaError, (OcppError, ValueError)),
        (NotAccepted, (OcppError,)),
        (FileError, (OcppError,)),
        (OutboxError, (FileError,)),
        (StateError, (FileError,)),
        (ScenarioError, (OcppError, ValueError)),
        (ScenarioFailure, (OcppError, AssertionError)),
        (OutboxFull, (OutboxError,)),
        (ConnectionClosed, (OcppError, ConnectionError)),
        (NotConnected, (ConnectionClosed,)),
        (HandshakeError, (ConnectionClosed,)),
    ],
)
def test_the_tree(kind: type[OcppError], bases: tuple[type, ...]) -> None:
    assert kind.__bases__ == bases


def test_every_exception_is_exported_and_has_the_root() -> None:
    kinds = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert kinds == {name for name in errors.__all__ if name[0].isupper()}
    assert all(issubclass(getattr(errors, name), OcppError) for name in kinds)


@pytest.mark.parametrize(("error", "text"), EXAMPLES, ids=lambda value: type(value).__name__)
def test_what_the_user_is_told(error: OcppError, text: str) -> None:
    assert str(error) == text


@each_error
def test_an_error_survives_being_copied_and_pickled(error: OcppError) -> None:
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (type(twin), str(twin), twin.args, vars(twin)) == (type(error), str(error), error.args, vars(error))


@each_error
def test_the_args_of_an_error_are_those_it_was_made_of(error: OcppError) -> None:
    again = type(error)(*error.args)
    assert (str(again), vars(again)) == (str(error), vars(error))


def test_b13_an_error_without_details_has_an_object_of_its_own() -> None:
    first, second = CallError("GenericError"), CallError("GenericError", "", None)
    first.details["a"] = 1
    assert second.details == {}
    given_details: dict[str, Any] = {}
    assert CallError("GenericError", "", given_details).details is given_details


def test_the_attributes_of_a_handshake_error() -> None:
    error = HandshakeError("wrong-host", "the certificate is for another host")
    assert (error.code, error.reason, error.status) == (1006, "wrong-host", None)


@pytest.mark.parametrize("status", [400, 599])
def test_a_handshake_is_refused_with_an_error_status(status: int) -> None:
    assert RejectHandshake(status).status == status


@pytest.mark.parametrize("status", [0, 101, 399, 600])
def test_another_status_does_not_refuse_a_handshake(status: int) -> None:
    with pytest.raises(ValueError, match=f"from 400 to 599, not {status}"):
        RejectHandshake(status)
