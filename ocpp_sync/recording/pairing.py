"""Puts each answer of a recording beside its call."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from ocpp_sync.errors import MalformedMessage
from ocpp_sync.messages import Call, CallError, CallResult, CallResultError, Message, Send, parse
from ocpp_sync.schemas import VERSIONS, senders

from .frames import Frame, other_side

__all__ = ["ALL_KINDS", "Exchange", "Pairing", "exchanges", "sender_of_action"]

ALL_KINDS: frozenset[type[Message]] = frozenset({Call, CallResult, CallError, CallResultError, Send})

_MAX_OPEN = 1000  # calls of a connection that an answer is looked for, and
_MAX_OVER = 1000  # that are remembered afterwards, to tell a second answer from one to nothing
_MAX_HELD = 10_000  # exchanges that wait for an earlier one, which is not answered
_MAX_WAIT = timedelta(minutes=2)  # after which a call is not answered any more; nobody's time-out is so long


@dataclass(eq=False)
class Exchange:
    """A CALL with its answer, a SEND; or a frame that is by itself: an answer to nothing, or no message at all.

    Attributes:
        frame: The call; or the one frame that there is.
        message: What it says; None if it is no message.
        malformed: Why it is none.
        sender: Who sent it, ``"CS"`` or ``"CSMS"``; None if that cannot be told.
        answer: The frame that answers the call; None if there is none (yet).
        reply: What that says.
        earlier: Of an answer to nothing the call with this id, which is answered already, or was given up; None if there is none.
        malformed_answer: Why the answer, which has the id of the call, is no message; None if it is one.
    """

    frame: Frame
    message: Message | None
    malformed: MalformedMessage | None = None
    sender: str | None = None
    answer: Frame | None = None
    reply: CallResult | CallError | None = None
    earlier: Frame | None = None
    malformed_answer: MalformedMessage | None = None

    @property
    def is_call(self) -> bool:
        """Whether it begins with a CALL."""
        return isinstance(self.message, Call)

    @property
    def is_open(self) -> bool:
        """Whether it is a CALL that has no answer."""
        return self.is_call and self.answer is None

    @property
    def action(self) -> str | None:
        """The action; None of what is neither a CALL nor a SEND."""
        return self.message.action if isinstance(self.message, (Call, Send)) else None

    @property
    def seconds(self) -> float | None:
        """How long the answer has taken; None if that is not known."""
        if self.answer is None or self.answer.time is None or self.frame.time is None:
            return None
        return (self.answer.time - self.frame.time).total_seconds()

    @property
    def is_stray(self) -> bool:
        """Whether it is an answer to nothing."""
        return isinstance(self.message, (CallResult, CallError))

    @property
    def is_wrong(self) -> bool:
        """Whether something has gone wrong: a CALLERROR, no answer, an answer to nothing, no message."""
        return (
            self.message is None
            or self.is_open
            or self.is_stray
            or isinstance(self.message, CallResultError)
            or isinstance(self.reply, CallError)
            or self.malformed_answer is not None
        )


class Pairing:
    """Takes the frames of a file one after the other, and finds what belongs together.

    An answer belongs to the open call with its id, of the same charge point and recorded by the same side, that the other side has sent.
    Where a log does not tell the sender, that of a call is known by its action, and an answer goes by its id alone. After a reconnect an
    id may come again: the newer call has it then.
    """

    def __init__(self) -> None:
        self._connections: dict[tuple[str, str | None], _Connection] = {}

    def take(self, frame: Frame, kinds: Collection[type[Message]] = ALL_KINDS) -> tuple[Exchange, bool]:
        """Take the next frame.

        Args:
            frame: The frame.
            kinds: The kinds of messages that there are.

        Returns:
            The exchange that it belongs to, and whether that begins with it: if not, it is the answer.
        """
        key = (frame.identity, frame.side)
        connection = self._connections.setdefault(key, _Connection())
        try:
            message = parse(frame.text, frozenset(kinds))
        except MalformedMessage as error:
            return connection.take_malformed(frame, error)
        return connection.take(frame, message)

    def give_up(self, exchange: Exchange) -> None:
        """An answer that comes yet is one to nothing."""
        self._connections[exchange.frame.identity, exchange.frame.side].give_up(exchange)


_Key = tuple[str | None, str]  # who sent a call, and its id


class _Connection:
    """The calls of one charge point, as one side has recorded them."""

    def __init__(self) -> None:
        self._open: OrderedDict[_Key, Exchange] = OrderedDict()
        self._over: OrderedDict[_Key, Frame] = OrderedDict()

    def take(self, frame: Frame, message: Message) -> tuple[Exchange, bool]:
        if isinstance(message, (Call, Send)):
            return self._ask(frame, message), True
        if isinstance(message, CallResultError):
            # The caller says it about the answer that it was given, by the id of its call.
            return Exchange(frame, message, sender=frame.sender, earlier=self._over.get((frame.sender, message.message_id))), True
        key = _key(self._open, frame, message.message_id)
        if key is None:
            before = _key(self._over, frame, message.message_id)
            return Exchange(frame, message, sender=frame.sender, earlier=None if before is None else self._over[before]), True
        exchange = self._end(key)
        exchange.answer, exchange.reply = frame, message
        return exchange, False

    def take_malformed(self, frame: Frame, error: MalformedMessage) -> tuple[Exchange, bool]:
        key = None
        if error.kind in (CallResult, CallError) and error.message_id is not None:
            key = _key(self._open, frame, error.message_id)
        if key is None:
            return Exchange(frame, None, error, frame.sender), True
        exchange = self._end(key)
        exchange.answer, exchange.malformed_answer = frame, error
        return exchange, False

    def give_up(self, exchange: Exchange) -> None:
        assert isinstance(exchange.message, Call)
        key = (exchange.sender, exchange.message.message_id)
        if self._open.get(key) is exchange:
            self._end(key)

    def _ask(self, frame: Frame, message: Call | Send) -> Exchange:
        sender = frame.sender or sender_of_action(message.action)
        exchange = Exchange(frame, message, sender=sender)
        if isinstance(message, Call):
            key = (sender, message.message_id)
            self._open.pop(key, None)
            self._open[key] = exchange
            if len(self._open) > _MAX_OPEN:
                self._end(next(iter(self._open)))
        return exchange

    def _end(self, key: _Key) -> Exchange:
        exchange = self._open.pop(key)
        self._over.pop(key, None)
        self._over[key] = exchange.frame
        if len(self._over) > _MAX_OVER:
            self._over.popitem(last=False)
        return exchange


def _key(calls: Collection[_Key], frame: Frame, message_id: str) -> _Key | None:
    """The key of the call that an answer is to."""
    callers = ("CS", "CSMS", None) if frame.sender is None else (other_side(frame.sender), None)
    return next((key for caller in callers if (key := (caller, message_id)) in calls), None)


@functools.cache
def sender_of_action(action: str) -> str | None:
    """Who sends an action in the versions that have it; None if either side may, or no version has it."""
    sides = {senders(version).get(action) for version in VERSIONS} - {None}
    return sides.pop() if sides in ({"CS"}, {"CSMS"}) else None


def exchanges(frames: Iterable[Frame]) -> Iterator[Exchange]:
    """The exchanges of a file, in the order of their calls, each when its answer has come.

    It holds back what comes after a call that is not answered: until there is another link, two minutes have passed by the times of the
    recording, or ten thousand exchanges; an answer that comes later yet is one to nothing.
    """
    pairing = Pairing()
    held: OrderedDict[Exchange, None] = OrderedDict()

    def ready(now: Frame) -> Iterator[Exchange]:
        while held and _is_settled(first := next(iter(held)), now, len(held)):
            del held[first]
            if first.is_open:
                pairing.give_up(first)
            yield first

    for frame in frames:
        yield from ready(frame)  # before it could answer what is given up
        exchange, begins = pairing.take(frame)
        if begins:
            held[exchange] = None
        yield from ready(frame)
    yield from held


def _is_settled(exchange: Exchange, now: Frame, held: int) -> bool:
    if not exchange.is_open or held > _MAX_HELD:
        return True
    if (exchange.frame.identity, exchange.frame.side) == (now.identity, now.side) and exchange.frame.link != now.link:
        return True  # its link has gone
    if exchange.frame.time is None or now.time is None:
        return False
    return now.time - exchange.frame.time > _MAX_WAIT
