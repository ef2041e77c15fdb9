"""OCPP-J's RPC framework without socket, thread, lock or clock: what may be sent when, and what answers what (rules B1–B17).

A :class:`Protocol` is the state of one side of one link. It is told what the program wants (:meth:`~Protocol.call`,
:meth:`~Protocol.reply`, …) and what came in (:meth:`~Protocol.receive`), and is drained of the frames to transmit
(:meth:`~Protocol.take_outgoing`). Whoever owns it serialises the access.

::

    call()   ──► waiting, in order ──► outstanding (one at most, B3) ──► Answer
    receive: CALL ──► being handled ──► reply() or reply_error(), exactly one (B5)
"""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from . import messages
from .errors import CallError, InvalidPayload, MalformedMessage, sendable_code, spell_code
from .messages import Message

__all__ = ["DIALECTS", "MAX_UNREADABLE", "Answer", "Dialect", "Event", "Fault", "Frame", "GiveUp", "OutgoingCall", "Protocol", "Stray"]

MAX_UNREADABLE = 100
"""How many messages in a row may have an id that cannot be read before the other side is given up."""

UNREADABLE_ID = "-1"
"""Rule B6: the id of a CALLERROR that answers a message whose own id could not be read."""


class Dialect(NamedTuple):
    """In what the versions of OCPP-J differ.

    Attributes:
        kinds: The messages that the version knows (rule B1).
        answers_unreadable: Whether a message whose id cannot be read is answered, by the id ``"-1"`` (rule B6).
        answers_unknown_type: Whether an unknown message type is answered with MessageTypeNotSupported (rule B7).
        description_limit: How long an errorDescription may be, in characters; None is any length (rule B13).
    """

    kinds: frozenset[type[Message]]
    answers_unreadable: bool
    answers_unknown_type: bool
    description_limit: int | None


_BASIC: frozenset[type[Message]] = frozenset({messages.Call, messages.CallResult, messages.CallError})

DIALECTS = {
    #                kinds                                                      unreadable  unknown type  description
    "1.6": Dialect(_BASIC, False, False, None),
    "2.0.1": Dialect(_BASIC, True, True, 255),
    "2.1": Dialect(_BASIC | {messages.CallResultError, messages.Send}, True, False, 255),
}


class OutgoingCall:
    """One CALL of this side, from the moment it is made.

    Attributes:
        action: The action.
        message_id: The id of the CALL.
        text: The frame.
        waiter: Whatever its owner wants to find again when the answer comes.
        sent: Whether the frame was handed to the network; set by the owner.
        sent_at: When it was about to be, by the owner's clock.
    """

    __slots__ = ("action", "message_id", "sent", "sent_at", "text", "waiter")

    def __init__(self, action: str, message_id: str, text: str, waiter: Any) -> None:
        self.action = action
        self.message_id = message_id
        self.text = text
        self.waiter = waiter
        self.sent = False
        self.sent_at = 0.0


class Frame(NamedTuple):
    """A text to transmit, and the call that it belongs to if it is a CALL."""

    text: str
    call: OutgoingCall | None = None


class Answer(NamedTuple):
    """A call is answered: with the payload of a CALLRESULT, or with the exception for its caller."""

    call: OutgoingCall
    outcome: dict[str, Any] | Exception


class Fault(NamedTuple):
    """The other side sent something that is no valid message; what OCPP says to that is already among the outgoing frames."""

    error: MalformedMessage


class Stray(NamedTuple):
    """An answer to nothing, or an error that the other side reports: to be logged, never answered (rule B16)."""

    message: messages.CallResult | messages.CallError | messages.CallResultError

    def __str__(self) -> str:
        # All of it comes from the other side: it must not be able to write lines of the log.
        message = self.message
        if isinstance(message, messages.CallResult):
            return f"a CALLRESULT that answers no open call: late, repeated or never asked for (id {message.message_id!r})"
        kind = "CALLERROR" if isinstance(message, messages.CallError) else "CALLRESULTERROR"
        return f"a {kind}: {message.code[:60]!r}: {message.description[:200]!r} (id {message.message_id!r})"


class GiveUp(NamedTuple):
    """The other side sends nothing but what cannot be read: close the link with 1002."""

    reason: str


Event = messages.Call | messages.Send | Answer | Fault | Stray | GiveUp
"""What :meth:`Protocol.receive` returns; a ``Call`` or ``Send`` is a request to handle."""


def _uuids() -> Callable[[], str]:
    """Makes fresh UUIDs: random once, and then counted, which takes a tenth of the time. And the module uuid a small board 0.2 MiB."""
    digits, count = os.urandom(9).hex(), itertools.count()
    random = f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-8{digits[15:]}-"
    return lambda: f"{random}{next(count):012x}"


class Protocol:
    """One side of one link.

    Args:
        version: The negotiated version, ``"1.6"``, ``"2.0.1"`` or ``"2.1"``.
        short_decimals: Write numbers with six decimal places at most, as is due towards a charging station (rule B20).
        new_id: Makes the id of each message; None is fresh UUIDs (rule B2).
        max_unreadable: How many messages in a row may have no readable id.
    """

    def __init__(
        self,
        version: str,
        *,
        short_decimals: bool = False,
        new_id: Callable[[], str] | None = None,
        max_unreadable: int = MAX_UNREADABLE,
    ) -> None:
        self.version = version
        self.dialect = DIALECTS[version]
        self._short_decimals = short_decimals
        self._new_id = _uuids() if new_id is None else new_id
        self._max_unreadable = max_unreadable
        self._waiting: deque[OutgoingCall] = deque()
        self._outstanding: OutgoingCall | None = None
        self._being_handled: set[str] = set()
        self._unreadable = 0
        self._outgoing: list[Frame] = []
        self._closed = False

    # --- What this side wants

    def call(self, action: str, payload: dict[str, Any], waiter: Any = None) -> OutgoingCall:
        """Make a CALL; it goes out when those before it are answered (rule B3).

        Raises:
            ValueError: The payload holds what JSON cannot carry; nothing has happened then.
        """
        message_id = self._new_id()
        text = self._serialise(messages.Call(message_id, action, payload))
        call = OutgoingCall(action, message_id, text, waiter)
        self._waiting.append(call)
        self._next()
        return call

    def send(self, action: str, payload: dict[str, Any]) -> None:
        """Make a SEND; it waits for nothing (rules B3, B17).

        Raises:
            ValueError: As for :meth:`call`.
        """
        self._put(messages.Send(self._new_id(), action, payload))

    def give_up(self, call: OutgoingCall) -> bool:
        """Stop waiting for a call (rule B4); a later answer to it is a stray one.

        Returns:
            False if it was not waiting any more.
        """
        if call is self._outstanding:
            self._outstanding = None
            self._next()
            return True
        if call in self._waiting:
            self._waiting.remove(call)
            return True
        return False

    def reply(self, message_id: str, payload: dict[str, Any]) -> bool:
        """Answer a CALL with a CALLRESULT.

        Returns:
            False if there is no such CALL to answer (any more): nothing goes out then (rule B5).

        Raises:
            ValueError: As for :meth:`call`; the CALL still waits for its answer.
        """
        if message_id not in self._being_handled:
            return False
        self._put(messages.CallResult(message_id, payload))
        self._being_handled.discard(message_id)
        return True

    def reply_error(self, message_id: str, error: CallError) -> bool:
        """Answer a CALL with a CALLERROR; see :meth:`reply`."""
        if message_id not in self._being_handled:
            return False
        self._put_error(message_id, error.code, error.description, error.details)
        self._being_handled.discard(message_id)
        return True

    def ignore(self, message_id: str) -> None:
        """Leave a CALL without an answer, as a rejected 1.6 station does (rule D3)."""
        self._being_handled.discard(message_id)

    def refuse_result(self, message_id: str, code: str, description: str) -> None:
        """Tell the other side that its CALLRESULT was invalid, where the version has a message for it (rule B16)."""
        if messages.CallResultError in self.dialect.kinds:
            self._put(messages.CallResultError(message_id, self._code(code), self._cut(description), {}))

    @property
    def is_idle(self) -> bool:
        """Whether no call waits for its turn, or for its answer."""
        return self._outstanding is None and not self._waiting

    @property
    def open_calls(self) -> list[OutgoingCall]:
        """The one that waits for its answer, if there is one, and those that wait for their turn, oldest first."""
        return [call for call in (self._outstanding, *self._waiting) if call is not None]

    def close(self) -> list[OutgoingCall]:
        """End it: from now on nothing goes out; returns the calls that were not answered, oldest first."""
        self._closed = True
        self._outgoing.clear()
        self._being_handled.clear()
        unanswered = self.open_calls
        self._outstanding = None
        self._waiting.clear()
        return unanswered

    @property
    def has_outgoing(self) -> bool:
        """Whether there are frames to transmit now."""
        return bool(self._outgoing)

    def take_outgoing(self) -> list[Frame]:
        """The frames to transmit now, in order; each is returned once."""
        frames, self._outgoing = self._outgoing, []
        return frames

    # --- What came in

    def decode(self, text: str) -> Message | MalformedMessage:
        """Read a text, for :meth:`receive`. It touches no state, so it needs no lock."""
        try:
            return messages.parse(text, self.dialect.kinds)
        except MalformedMessage as error:
            return error.with_traceback(None)  # which refers to this frame

    def receive(self, message: Message | MalformedMessage) -> list[Event]:
        """Take what came in.

        Args:
            message: What :meth:`decode` made of it.

        Returns:
            What has happened, in order.
        """
        if self._closed:
            return []
        if isinstance(message, MalformedMessage):
            return self._malformed(message)
        self._unreadable = 0
        if isinstance(message, messages.Call):
            return self._request(message)
        if isinstance(message, messages.Send):
            return [message]
        answered = self._outstanding
        if answered is None or answered.message_id != message.message_id or isinstance(message, messages.CallResultError):
            return [Stray(message)]
        if isinstance(message, messages.CallResult):
            return self._answer(answered, message.payload)
        return self._answer(answered, CallError(spell_code(message.code, self.version), message.description, message.details))

    def _request(self, call: messages.Call) -> list[Event]:
        if call.message_id in self._being_handled:
            return self._malformed(MalformedMessage("the message id is already in use", call.message_id, kind=messages.Call))
        self._being_handled.add(call.message_id)
        return [call]

    def _answer(self, call: OutgoingCall, outcome: dict[str, Any] | Exception) -> list[Event]:
        self._outstanding = None
        self._next()
        return [Answer(call, outcome)]

    def _malformed(self, error: MalformedMessage) -> list[Event]:
        events: list[Event] = [Fault(error)]
        self._unreadable = self._unreadable + 1 if error.message_id is None else 0
        unknown_type = error.kind is None and error.code == "MessageTypeNotSupported"
        if unknown_type and not self.dialect.answers_unknown_type:
            pass
        elif error.kind in (messages.CallResult, messages.CallError):
            events += self._malformed_answer(error)
        elif error.kind in (None, messages.Call):
            self._put_malformed(error)
        if self._unreadable >= self._max_unreadable:
            events.append(GiveUp(f"{self._unreadable} messages in a row could not be read"))
        return events

    def _malformed_answer(self, error: MalformedMessage) -> list[Event]:
        """It fails its own call at once, which would only time out otherwise; it is never answered as a CALL is (rule B16)."""
        call = self._outstanding
        if call is None or call.message_id != error.message_id:
            return []
        if error.kind is messages.CallError:
            return self._answer(call, error)
        self.refuse_result(call.message_id, error.code, error.reason)
        return self._answer(call, InvalidPayload(call.action, "", "type", error.reason, self._code(error.code)))

    def _put_malformed(self, error: MalformedMessage) -> None:
        if error.message_id is not None:
            self._put_error(error.message_id[: messages.MAX_ID_LENGTH], error.code, error.reason, {})  # rule B9
        elif self.dialect.answers_unreadable:
            self._put_error(UNREADABLE_ID, error.code, error.reason, {})

    # --- Frames

    def _next(self) -> None:
        if self._outstanding is None and self._waiting and not self._closed:
            self._outstanding = self._waiting.popleft()
            self._outgoing.append(Frame(self._outstanding.text, self._outstanding))

    def _put(self, message: Message) -> None:
        text = self._serialise(message)
        if not self._closed:
            self._outgoing.append(Frame(text))

    def _put_error(self, message_id: str, code: str, description: str, details: dict[str, Any]) -> None:
        self._put(messages.CallError(message_id, self._code(code), self._cut(description), details))

    def _serialise(self, message: Message) -> str:
        return messages.serialise(message, short_decimals=self._short_decimals)

    def _code(self, code: str) -> str:
        return sendable_code(code, self.version)

    def _cut(self, description: str) -> str:
        return description[: self.dialect.description_limit]
