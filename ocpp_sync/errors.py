"""The exceptions of ocpp_sync.

::

    OcppError
    ├── CallError                     the other side answered with a CALLERROR, or a handler sends one
    ├── CertificateError              a certificate or key file is wrong        (also ValueError)
    ├── CallTimeout                   no answer in time                         (also TimeoutError)
    ├── InvalidPayload                a payload breaks its schema               (also ValueError)
    ├── MalformedMessage              the other side sent what is no OCPP-J message
    ├── NotAccepted                   the CSMS has not accepted this station yet
    ├── SchemaError                   schemas= says something that cannot be     (also ValueError)
    ├── DataTransferError             the other side did not accept a DataTransfer, or a handler does not
    ├── FileError                     a file cannot be used
    │   ├── OutboxError               that of the outbox
    │   │   └── OutboxFull            there is no room in it
    │   └── StateError                that of a CSMS's state
    ├── ScenarioError                 a scenario of the simulator is wrong      (also ValueError)
    ├── ScenarioFailure               what a scenario expects has not come      (also AssertionError)
    ├── RejectHandshake               raised in an authorization hook: refuse with this status
    └── ConnectionClosed              the link has gone                         (also ConnectionError)
        ├── NotConnected              there was no link when the call was made
        └── HandshakeError            the link could not be made
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "CallError",
    "CallTimeout",
    "CertificateError",
    "ConnectionClosed",
    "DataTransferError",
    "FileError",
    "HandshakeError",
    "InvalidPayload",
    "MalformedMessage",
    "NotAccepted",
    "NotConnected",
    "OcppError",
    "OutboxError",
    "OutboxFull",
    "RejectHandshake",
    "ScenarioError",
    "ScenarioFailure",
    "SchemaError",
    "StateError",
    "sendable_code",
    "spell_code",
]

# Rules B10 and B11: how 1.6 spells what 2.x spells otherwise, misspelling included; two codes it does not have at all.
_SPELT_16 = {
    "FormatViolation": "FormationViolation",
    "OccurrenceConstraintViolation": "OccurenceConstraintViolation",
}
_SPELT_2X = {theirs: ours for ours, theirs in _SPELT_16.items()}
_ONLY_2X = {"MessageTypeNotSupported", "RpcFrameworkError"}

_SHOWN_ID = 40  # characters


def spell_code(code: str, version: str) -> str:
    """An OCPP error code as a version spells it (rules B10, B11); a code that no version knows stays as it is."""
    if version == "1.6":
        return _SPELT_16.get(code, code)
    return _SPELT_2X.get(code, code)


def sendable_code(code: str, version: str) -> str:
    """The code that goes out for ``code``: spelt for the version, GenericError where 1.6 has nothing like it (rule B10)."""
    return "GenericError" if version == "1.6" and code in _ONLY_2X else spell_code(code, version)


def _line(text: str) -> str:
    """What the other side has said, for a line of a log: it must not begin lines of its own, nor command a terminal."""
    return text if text.isprintable() else repr(text)


class OcppError(Exception):
    """The root of every exception that ocpp_sync raises by itself."""

    def __reduce__(self) -> Any:
        # By its attributes: OSError, a base of some, makes other things of the arguments than these classes do.
        return type(self).__new__, (type(self),), {**self.__dict__, "args": self.args}


class CallError(OcppError):
    """The other side answered a CALL with a CALLERROR; raised in a handler, it sends one.

    Args:
        code: An OCPP error code, for example ``"NotSupported"``. What comes in is spelt as the
            negotiated version spells it (rules B10, B11); an unknown code is kept as it came.
        description: A short text; OCPP 2.x allows 255 characters, more is cut on the way out (rule B13).
        details: A JSON object with further information; ``None`` means ``{}``.
    """

    def __init__(self, code: str, description: str = "", details: dict[str, Any] | None = None) -> None:
        super().__init__(code, description, details)
        self.code = code
        self.description = description
        self.details: dict[str, Any] = {} if details is None else details

    def __str__(self) -> str:
        text = f"{_line(self.code)}: {_line(self.description)}" if self.description else _line(self.code)
        return f"{text} {self.details}" if self.details else text


class CallTimeout(OcppError, TimeoutError):
    """No answer came in time (rule B4).

    Attributes:
        action: The action that was called.
        message_id: The id of the CALL; empty if it did not come so far.
        elapsed: Seconds since ``call()`` was entered, the wait for its turn included.
        sent: Whether the CALL went out. False: the other side has never seen it.
        why: What kept it from going out, or from being answered well, for people; empty if that is not known.
    """

    def __init__(self, action: str, message_id: str, elapsed: float, sent: bool, why: str = "") -> None:
        super().__init__()
        self.args = (action, message_id, elapsed, sent, why)  # afterwards: OSError would take the first for an errno
        self.action = action
        self.message_id = message_id
        self.elapsed = elapsed
        self.sent = sent
        self.why = why

    def __str__(self) -> str:
        if self.why:
            state = self.why if self.sent else f"not sent: {self.why}"
        else:
            state = "sent, but not answered" if self.sent else "not sent: other calls were still waiting for their answers"
        named = f"; id {self.message_id}" if self.message_id else ""
        return f"{self.action} timed out after {self.elapsed:.1f} s ({state}{named})"


class CertificateError(OcppError, ValueError):
    """A certificate or key file cannot be used.

    Attributes:
        file: The file.
        problem: One of ``missing``, ``unreadable``, ``not-pem``, ``encrypted``, ``key-mismatch``, ``expired``, ``not-yet-valid``,
            ``chain-incomplete``, ``not-for-small-stations``.
        message: What is wrong with it, for people.
    """

    def __init__(self, file: Any, problem: str, message: str) -> None:
        super().__init__(file, problem, message)
        self.file = str(file)
        self.problem = problem
        self.message = message

    def __str__(self) -> str:
        return f"{self.file}: {self.message}"


class InvalidPayload(OcppError, ValueError):
    """A payload that breaks the schema of its action, or an action that cannot be used here.

    Attributes:
        action: The action whose payload it is.
        path: Where in the payload, for example ``"meterValue[0].sampledValue[2].unit"``; ``""`` is the payload itself.
        keyword: The JSON schema keyword that failed, for example ``"enum"``, or ``"action"`` when the action itself is wrong.
        message: What is wrong there, with the limit or the allowed values.
        code: The OCPP error code that it maps to in the version at hand (rule B12).
    """

    def __init__(self, action: str, path: str, keyword: str, message: str, code: str) -> None:
        super().__init__(action, path, keyword, message, code)
        self.action = action
        self.path = path
        self.keyword = keyword
        self.message = message
        self.code = code

    def __str__(self) -> str:
        return f"{self.action}: {self.path}: {self.message}" if self.path else f"{self.action}: {self.message}"


class MalformedMessage(OcppError):
    """The other side sent a text that is no valid OCPP-J message (rules B1, B6, B7, B9); handed to the ``error`` event.

    The raw text is not part of it, so that no secret gets into a log.

    Attributes:
        reason: What is wrong with the message.
        message_id: The id, when it could be read, however long it is; else None.
        code: The OCPP error code that it maps to, as OCPP 2.x spells it.
        kind: The class of :mod:`ocpp_sync.messages` that it should have been, when its type could be read; else None.
    """

    def __init__(self, reason: str, message_id: str | None = None, code: str = "RpcFrameworkError", kind: type | None = None) -> None:
        super().__init__(reason, message_id, code, kind)
        self.reason = reason
        self.message_id = message_id
        self.code = code
        self.kind = kind

    def __str__(self) -> str:
        return self.reason if self.message_id is None else f"{self.reason} (id {self.message_id[:_SHOWN_ID]!r})"


class NotAccepted(OcppError):
    """The CSMS has not accepted this station (yet), so only a BootNotification may be sent, or what the CSMS has asked for (rules D2, D3).

    Attributes:
        action: What was to be sent.
        status: The CSMS's last answer to a BootNotification, ``"Pending"`` or ``"Rejected"``; None if there was none.
        why: What is waited for, for people.
    """

    def __init__(self, action: str, status: str | None, why: str) -> None:
        super().__init__(action, status, why)
        self.action = action
        self.status = status
        self.why = why

    def __str__(self) -> str:
        return f"{self.action} was not sent: {self.why}"


class DataTransferError(OcppError):
    """The other side did not accept a DataTransfer; raised in a handler of one, it is the answer.

    Args:
        status: ``"Rejected"``, ``"UnknownMessageId"`` or ``"UnknownVendorId"``.
        data: What goes with it, as the two sides have agreed; None is nothing.
        status_info: In OCPP 2.x more about the reason, with ``reasonCode`` and ``additionalInfo``; None is nothing.
    """

    def __init__(self, status: str = "Rejected", data: Any = None, status_info: dict[str, Any] | None = None) -> None:
        super().__init__(status, data, status_info)
        self.status = status
        self.data = data
        self.status_info = status_info

    def __str__(self) -> str:
        more = "" if self.status_info is None else f" {self.status_info}"
        return f"the DataTransfer was answered with {_line(str(self.status))}{more}"


class SchemaError(OcppError, ValueError):
    """Schemas that were given as ``schemas=`` cannot be laid over those of OCPP.

    Attributes:
        place: Where in them, for example ``"1.6/BootNotification/request/properties/imsi/maxLength"``, or the file that cannot be read.
        message: What is wrong there, for people.
    """

    def __init__(self, place: str, message: str) -> None:
        super().__init__(place, message)
        self.place = place
        self.message = message

    def __str__(self) -> str:
        return f"schemas: {self.place}: {self.message}"


class RejectHandshake(OcppError):
    """Raised in a server's authorization hook: refuse the connection with this HTTP status (rule A5).

    Args:
        status: An HTTP status from 400 to 599, for example 404 for an unknown identity.
        text: The body of the answer, plain text; None is the status's standard phrase.
    """

    def __init__(self, status: int, text: str | None = None) -> None:
        if not 400 <= status <= 599:
            raise ValueError(f"a handshake is refused with an HTTP status from 400 to 599, not {status}")
        super().__init__(status, text)
        self.status = status
        self.text = text

    def __str__(self) -> str:
        return f"{self.status} {self.text}" if self.text else str(self.status)


class ConnectionClosed(OcppError, ConnectionError):
    """The link is closed or lost.

    Attributes:
        code: The WebSocket close code; 1006 when the link was lost without a close frame.
        reason: The text that came with it.
    """

    def __init__(self, code: int = 1006, reason: str = "") -> None:
        super().__init__()
        self.args = (code, reason)  # afterwards: OSError would take the first for an errno
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"the connection is closed ({self.code}{' ' + _line(self.reason) if self.reason else ''})"


class NotConnected(ConnectionClosed):
    """There is no link: ``connect()`` was not called, or the link is down."""

    def __str__(self) -> str:
        return self.reason or "not connected"


class HandshakeError(ConnectionClosed):
    """The connection could not be made: everything before the WebSocket upgrade was complete.

    Attributes:
        status: The HTTP status, when HTTP answered; else None.
        reason: One of ``unreachable``, ``timeout``, ``unknown-ca``, ``wrong-host``, ``expired``, ``not-yet-valid``,
            ``tls-version``, ``cipher``, ``client-certificate``, ``unauthorized``, ``not-found``, ``subprotocol``,
            ``redirect``, ``rejected``.
        message: What happened, for people.
        security_event: OCPP's name of the security event to report, for example ``InvalidCsmsCertificate``; None if it is none (rule C8).
    """

    def __init__(self, reason: str, message: str, status: int | None = None) -> None:
        super().__init__(1006, reason)
        self.args = (reason, message, status)
        self.message = message
        self.status = status
        self.security_event: str | None = None

    def __str__(self) -> str:
        return f"{self.message} ({self.reason})"


class FileError(OcppError):
    """A file cannot be used.

    Attributes:
        file: The file.
        message: What is wrong with it, for people.
    """

    def __init__(self, file: Any, message: str) -> None:
        super().__init__(file, message)
        self.file = str(file)
        self.message = message

    def __str__(self) -> str:
        return f"{self.file}: {self.message}"


class OutboxError(FileError):
    """The file of an outbox cannot be used: it is another's, newer, in use, or the disk is full or broken."""


class OutboxFull(OutboxError):
    """There is no room for a message in the outbox, and nothing in it that may be dropped for it (rule D12)."""


class StateError(FileError):
    """The file of a CSMS's state cannot be used: it is another's, newer, in use, or damaged."""


class ScenarioError(OcppError, ValueError):
    """A scenario file is wrong.

    Attributes:
        file: The file.
        place: Where in it, for example ``"step 3"`` or ``"step 4.2"``; empty is the whole.
        message: What is wrong there, for people.
    """

    def __init__(self, file: str, place: str, message: str) -> None:
        super().__init__(file, place, message)
        self.file = file
        self.place = place
        self.message = message

    def __str__(self) -> str:
        return f"{self.file}: {self.place}: {self.message}" if self.place else f"{self.file}: {self.message}"


class ScenarioFailure(OcppError, AssertionError):
    """What a step waits for, or expects, has not come.

    Attributes:
        file: The file.
        place: The step.
        message: What came instead, for people.
    """

    def __init__(self, file: str, place: str, message: str) -> None:
        super().__init__(file, place, message)
        self.file = file
        self.place = place
        self.message = message

    def __str__(self) -> str:
        return f"{self.file}: {self.place}: {self.message}"
