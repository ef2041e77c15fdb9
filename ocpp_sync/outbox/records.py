"""What the store takes and hands out."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from ocpp_sync.messages import Call, serialise

from .database import Message

__all__ = ["Damage", "DeadLetter", "Entry", "OpenTransaction", "Origin", "Put", "entry_of", "payload_text"]


class Origin(NamedTuple):
    """Where and when a message was put.

    Attributes:
        link: Which link was open; None offline.
        process: Which process it was, by a UUID of its own: ``monotonic`` means nothing to another one.
        monotonic: Seconds of that process's monotonic clock.
        time: Seconds since 1970 by the system's clock.
        time_known: Whether that clock was known to be right.
    """

    link: str | None
    process: str
    monotonic: float
    time: float
    time_known: bool


class Entry(NamedTuple):
    """A message of the queue.

    Attributes:
        id: Its number, which is its place in the queue too; never used again.
        action: The action.
        payload: The payload, as it was put, with the ``seqNo`` that it was given.
        transaction: The handle of the transaction that it belongs to; None if to none.
        attempts: How often it was sent in vain.
        origin: Where and when it was put.
        droppable: Whether it may be dropped when the outbox is full (rule D12).
        opens: Whether it begins the transaction.
        closes: Whether it ends the transaction.
    """

    id: int
    action: str
    payload: dict[str, Any]
    transaction: str | None
    attempts: int
    origin: Origin
    droppable: bool
    opens: bool
    closes: bool


class DeadLetter(NamedTuple):
    """A message that was given up.

    Attributes:
        id: The number that it had in the queue.
        action: The action.
        payload: The payload.
        transaction: The handle of its transaction; None if it has none.
        attempts: How often it was sent in vain.
        reason: Why it was given up, for people.
        given_up_at: Seconds since 1970 by the system's clock.
    """

    id: int
    action: str
    payload: dict[str, Any]
    transaction: str | None
    attempts: int
    reason: str
    given_up_at: float


class OpenTransaction(NamedTuple):
    """A transaction whose closing message was not put yet.

    Attributes:
        handle: The local handle.
        transaction_id: What the CSMS calls it; None if it has not said so yet, -1 if it never will (rule D10).
        start: The payload of the message that opened it.
        queued_at: When that was put, in seconds since 1970 by the system's clock.
    """

    handle: str
    transaction_id: int | None
    start: dict[str, Any]
    queued_at: float


class Put(NamedTuple):
    """What a put has done.

    Attributes:
        entry: The message, which is on disk now.
        dropped: The messages that had to go for it, oldest first (rule D12).
    """

    entry: Entry
    dropped: list[Entry]


class Damage(NamedTuple):
    """What was found wrong with the file when it was opened.

    Attributes:
        set_aside: The new name of the damaged file; None if there was nothing to set aside.
        salvaged: How many messages of it are in the new file, dead letters included; 0 if the file itself goes on.
        lost: What is wrong, and what is or may be lost, for people.
    """

    set_aside: str | None
    salvaged: int
    lost: str


def entry_of(message: Message) -> Entry:
    """A row as the store hands it out."""
    origin = Origin(message.link, message.process, message.monotonic, message.time, bool(message.time_known))
    flags = (bool(message.droppable), bool(message.opens), bool(message.closes))
    return Entry(message.id, message.action, json.loads(message.payload), message.handle, message.attempts, origin, *flags)


def payload_text(action: str, payload: dict[str, Any]) -> str:
    """A payload as it is sent.

    Raises:
        ValueError: It is no JSON object.
    """
    if not isinstance(payload, dict):
        raise ValueError(f"the payload of {action} is no JSON object")
    try:
        return serialise(Call("", "", payload)).removeprefix('[2,"","",').removesuffix("]")
    except ValueError as error:
        raise ValueError(f"the payload of {action} is no JSON: {error}") from error
