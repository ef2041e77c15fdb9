"""A link between an end of ours and a peer that is not ours, and what the tests do with one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from ocpp_sync.connection import Connection

from ..support import TIMEOUT, VERSIONS, Collector, Future, RawChargePoint, RawCsms, in_thread
from .peers import Peer

OTHER = {"CS": "CSMS", "CSMS": "CS"}

each_side = pytest.mark.parametrize("side", OTHER)
each_version = pytest.mark.parametrize("version", VERSIONS)

# The one action that either side of every version sends and answers.
ACTION = "DataTransfer"
REQUEST = {"vendorId": "us"}
RESPONSE = {"status": "Accepted"}

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


def a_request(text: str) -> dict[str, Any]:
    """A request that can be told from others."""
    return {**REQUEST, "data": text}


def a_response(text: str) -> dict[str, Any]:
    """A response that can be told from others."""
    return {**RESPONSE, "data": text}


class OcppLink(NamedTuple):
    """Our end, and that of ``ocpp``."""

    ours: Connection
    peer: Peer

    def check(self) -> None:
        """A call in either direction works."""
        self.peer.silent = False
        self.peer.respond(ACTION, a_response("theirs"))
        self.ours.on(ACTION, Collector(a_response("ours")))
        assert self.ours.call(ACTION, a_request("ours"), timeout=TIMEOUT) == a_response("theirs")
        assert self.peer.call_and_wait(ACTION, a_request("theirs"))[2] == a_response("ours")


LinkMaker = Callable[..., OcppLink]


class RawLink:
    """Our end, and one without OCPP.

    Attributes:
        handler: Our handler of DataTransfer.
        errors: Our handler of the event ``error``.
    """

    def __init__(self, ours: Connection, raw: RawCsms | RawChargePoint, side: str, version: str) -> None:
        self.ours = ours
        self.raw = raw
        self.side = side
        self.version = version
        self.handler = ours.on(ACTION, Collector(RESPONSE))
        self.errors = ours.on("error", Collector())

    def call(self, text: str = "", timeout: float = TIMEOUT) -> tuple[str, Future]:
        """Our end calls; returns the id of what went out, and what becomes of the call."""
        result = in_thread(self.ours.call, ACTION, a_request(text), timeout=timeout)
        kind, message_id, *rest = self.raw.receive()
        assert (kind, rest) == (2, [ACTION, a_request(text)])
        return message_id, result

    def take_error(self, message_id: str, code: str, *, kind: int = 4) -> str:
        """The next message from our end is a CALLERROR, or of another kind; returns its description. The code is that of OCPP 2.x."""
        description: str
        received, answered, sent, description, details = self.raw.receive()
        assert (received, answered, sent, details) == (kind, message_id, self.spelt(code), {})
        assert len(description) <= 255
        return description

    def spelt(self, code: str) -> str:
        """What becomes of an error code of OCPP 2.x in the version (rules B9, B10)."""
        if self.version != "1.6":
            return code
        if code in ("RpcFrameworkError", "MessageTypeNotSupported"):
            return "GenericError"
        return code.replace("Format", "Formation").replace("Occurrence", "Occurence")

    def check(self) -> None:
        """A call in either direction works. Our end has said nothing else before, and its handler was not called."""
        self.raw.send([2, "check", ACTION, REQUEST])
        assert self.raw.receive() == [3, "check", RESPONSE]
        assert self.handler.next() == (REQUEST,)
        assert self.handler.calls.empty()
        message_id, result = self.call("check")
        self.raw.send([3, message_id, a_response("check")])
        assert result.result() == a_response("check")


RawLinkMaker = Callable[..., RawLink]
