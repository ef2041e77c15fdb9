"""What a server of a test and its charge points have said to each other."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import messages
from ..errors import CallError, InvalidPayload, MalformedMessage
from ..protocol import DIALECTS
from .printable import printable

if TYPE_CHECKING:
    from ..checks import Checks
    from ..server_connection import HandshakeRequest, OcppClientConnection

__all__ = ["Conversation", "Happening", "ReceivedRequest", "SeenFrame"]


class SeenFrame(NamedTuple):
    """A frame that has passed.

    Attributes:
        time: Seconds since the server was made.
        identity: The charge point.
        version: The version that it speaks.
        direction: ``"in"`` from the charge point, ``"out"`` to it.
        action: The action; that of an answer is its call's. Empty if there is none.
        text: The frame as it was on the wire, nothing masked.
    """

    time: float
    identity: str
    version: str
    direction: str
    action: str
    text: str


class Happening(NamedTuple):
    """What has happened to a connection, for people.

    Attributes:
        time: Seconds since the server was made.
        identity: The charge point.
        text: What it was.
    """

    time: float
    identity: str
    text: str


class ReceivedRequest:
    """A request of a charge point: a CALL, or a SEND of 2.1. ``request["status"]`` is a field of its payload.

    Attributes:
        number: Its place among all requests of the test, counted from 1.
        time: Seconds since the server was made.
        identity: The charge point that sent it.
        version: The version that it speaks.
        action: The action.
        payload: What was in it.
        message_id: Its id.
        is_send: Whether it came as SEND, which is never answered.
        frame: The frame that it came in.
        answer: What it has been answered with, a payload or a CallError; None as long as it is not.
        is_over: Whether no answer will come any more.
    """

    def __init__(self, conversation: Conversation, number: int, frame: SeenFrame, message: messages.Call | messages.Send) -> None:
        self._conversation = conversation
        self.number = number
        self.time = frame.time
        self.identity = frame.identity
        self.version = frame.version
        self.action = message.action
        self.payload = message.payload
        self.message_id = message.message_id
        self.is_send = isinstance(message, messages.Send)
        self.frame = frame
        self.answer: dict[str, Any] | CallError | None = None
        self.is_over = self.is_send

    @property
    def response(self) -> dict[str, Any]:
        """The payload that it is answered with, which is waited for.

        Raises:
            CallError: It is answered with a CALLERROR.
            AssertionError: It has not been answered in time, or never will be.
        """
        __tracebackhide__ = True
        changed, timeout = self._conversation.changed, self._conversation.timeout
        with changed:
            changed.wait_for(lambda: self.is_over, timeout)
            answer, is_over = self.answer, self.is_over
        if isinstance(answer, CallError):
            raise answer.with_traceback(None)
        if answer is None:
            why = "is not answered" if self.is_send else "was not answered before its link went" if is_over else None
            said = f"{self.action} of {self.identity} (#{self.number}) {why or f'was not answered within {timeout:g} s'}"
            raise AssertionError(printable(said))
        return answer

    def __getitem__(self, field: str) -> Any:
        """A field of the payload.

        Raises:
            KeyError: It has no such field; the text names those that it has.
        """
        try:
            return self.payload[field]
        except KeyError:
            raise KeyError(f"{self.action} has no {field!r} here, but {', '.join(map(repr, self.payload)) or 'nothing'}") from None

    def __contains__(self, field: object) -> bool:
        return field in self.payload

    def __repr__(self) -> str:
        return printable(f"<ReceivedRequest #{self.number} {self.action} of {self.identity}>")


class _Response(NamedTuple):
    """What a charge point has answered to a call."""

    identity: str
    version: str
    action: str
    payload: dict[str, Any]


class Conversation:
    """All that has been said, in order; fed by the events of a server, from any thread.

    Args:
        timeout: Seconds that are waited for an answer.

    Attributes:
        timeout: As given; may be set.
        changed: Guards all of it; notified when there is something new.
        frames: All frames.
        happenings: Connections that came and went, and those that were refused.
        requests: The requests of the charge points.
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.changed = threading.Condition()
        self.frames: list[SeenFrame] = []
        self.happenings: list[Happening] = []
        self.requests: list[ReceivedRequest] = []
        self._began = time.monotonic()
        self._connected: set[OcppClientConnection] = set()
        self._responses: list[_Response] = []
        self._malformed: list[str] = []
        # What is not answered yet, by connection and id: of the charge points, who may use an id twice, and of the server.
        self._open: dict[tuple[OcppClientConnection, str], list[ReceivedRequest]] = {}
        self._asked: dict[tuple[OcppClientConnection, str], str] = {}

    # --- Events of the server

    def frame(self, charge_point: OcppClientConnection, direction: str, text: str) -> None:
        """A frame passes."""
        version = str(charge_point.version)
        message: messages.Message | MalformedMessage
        try:
            message = messages.parse(text, DIALECTS[version].kinds)
        except MalformedMessage as error:
            message = error.with_traceback(None)
        with self.changed:
            self._has_connected(charge_point)
            action = self._action(charge_point, direction, message)
            frame = SeenFrame(self._now(), charge_point.identity, version, direction, action, text)
            self.frames.append(frame)
            if direction == "in":
                self._came(charge_point, frame, message)
            else:
                self._went(charge_point, message)
            self.changed.notify_all()

    def connection(self, charge_point: OcppClientConnection) -> None:
        """A charge point has connected."""
        with self.changed:
            self._has_connected(charge_point)

    def close(self, charge_point: OcppClientConnection, code: int, reason: str) -> None:
        """A connection has ended."""
        with self.changed:
            for key in [key for key in self._open if key[0] is charge_point]:
                for request in self._open.pop(key):
                    request.is_over = True
            for key in [key for key in self._asked if key[0] is charge_point]:
                del self._asked[key]
            self._happened(charge_point.identity, f"disconnected: {code}{f' {reason!r}' if reason else ''}")

    def rejected(self, identity: str, request: HandshakeRequest, status: int) -> None:
        """Somebody was refused."""
        self._happened(identity, f"refused with {status}")

    def _has_connected(self, charge_point: OcppClientConnection) -> None:
        # The event is told where handlers run; the first frame may pass before.
        if charge_point not in self._connected:
            self._connected.add(charge_point)
            self._happened(charge_point.identity, f"connected with OCPP {charge_point.version}")

    def _happened(self, identity: str, text: str) -> None:
        with self.changed:
            self.happenings.append(Happening(self._now(), identity, text))
            self.changed.notify_all()

    def refusals(self) -> str:
        """Who was refused, to be added to an error; empty if nobody was."""
        with self.changed:
            refused = [f"; {each.identity} was {each.text}" for each in self.happenings if each.text.startswith("refused")]
        return printable("".join(refused))

    def _now(self) -> float:
        return time.monotonic() - self._began

    def _action(self, charge_point: OcppClientConnection, direction: str, message: messages.Message | MalformedMessage) -> str:
        if isinstance(message, MalformedMessage):
            return ""
        if isinstance(message, (messages.Call, messages.Send)):
            return message.action
        key = (charge_point, message.message_id)
        if direction == "in":
            return self._asked.get(key, "")
        request = self._answered(charge_point, message)
        return "" if request is None else request.action

    def _answered(self, charge_point: OcppClientConnection, message: messages.Message) -> ReceivedRequest | None:
        """The request that the server answers. One with an id that is in use is refused at once, while the first one waits."""
        requests = self._open.get((charge_point, message.message_id), [None])
        return requests[-1 if isinstance(message, messages.CallError) else 0]

    def _came(self, charge_point: OcppClientConnection, frame: SeenFrame, message: messages.Message | MalformedMessage) -> None:
        if isinstance(message, MalformedMessage):
            self._malformed.append(f"{charge_point.identity} sent what is no message: {message}")
        elif isinstance(message, (messages.Call, messages.Send)):
            request = ReceivedRequest(self, len(self.requests) + 1, frame, message)
            self.requests.append(request)
            if not request.is_send:
                self._open.setdefault((charge_point, request.message_id), []).append(request)
        else:
            action = self._asked.pop((charge_point, message.message_id), None)
            if action is not None and isinstance(message, messages.CallResult):
                self._responses.append(_Response(frame.identity, frame.version, action, message.payload))

    def _went(self, charge_point: OcppClientConnection, message: messages.Message | MalformedMessage) -> None:
        if isinstance(message, messages.Call):
            self._asked[charge_point, message.message_id] = message.action
        elif isinstance(message, (messages.CallResult, messages.CallError)):
            request = self._answered(charge_point, message)
            if request is not None:
                key = (charge_point, message.message_id)
                self._open[key].remove(request)
                if not self._open[key]:
                    del self._open[key]
                request.answer = message.payload if isinstance(message, messages.CallResult) else CallError(*message[1:])
                request.is_over = True

    # --- What of it was wrong

    def invalid(self, checks: Checks) -> list[str]:
        """What the charge points have sent that no charge point may send, for people.

        Args:
            checks: Those of the server.
        """
        with self.changed:
            requests, responses, found = list(self.requests), list(self._responses), list(self._malformed)
        for request in requests:
            if (problem := invalid_request(request, checks)) is not None:
                found.append(f"{request.identity} sent an invalid {request.action} (#{request.number}): {problem}")
        for response in responses:
            try:
                checks.incoming_response(response.version, response.action, response.payload)
            except InvalidPayload as error:
                found.append(f"{response.identity} sent an invalid response to {error}")
        return found


def invalid_request(request: ReceivedRequest, checks: Checks) -> str | None:
    """What is wrong with a request; None if nothing is."""
    try:
        checks.incoming_request(request.version, request.action, request.payload, is_send=request.is_send, is_handled=True)
    except CallError as error:
        return error.description
    return None
