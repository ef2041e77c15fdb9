"""What the outbox knows of OCPP's messages: which belong to a transaction, and what is to be filled in when they go out."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any, NamedTuple

from ..timestamps import format_time, parse_time
from .transactions import NEVER_KNOWN

__all__ = ["Role", "named_id", "role_of", "shifted", "with_offline", "with_transaction_id"]

_INT64 = range(-(2**63), 2**63)  # what SQLite can store


class Role(NamedTuple):
    """What a message is to its transaction.

    Attributes:
        checked: The payload as it can be validated now: with something in place of what is filled in later.
        transaction: The handle of it; None if there is none.
        opens: It begins it.
        closes: It ends it.
        numbered: It is to be given the next ``seqNo``.
        droppable: It may be dropped when there is no room (rule D12).
    """

    checked: dict[str, Any]
    transaction: str | None = None
    opens: bool = False
    closes: bool = False
    numbered: bool = False
    droppable: bool = False


def role_of(version: str, action: str, payload: dict[str, Any]) -> Role:
    """What a message is, by the rules of a version.

    Args:
        version: The version.
        action: The action.
        payload: The payload as the user has given it, valid or not.
    """
    if version == "1.6":
        return _role_16(action, payload)
    return _role_2x(payload) if action == "TransactionEvent" else Role(payload)


def _role_16(action: str, payload: dict[str, Any]) -> Role:
    if action == "StartTransaction":
        return Role(payload, str(uuid.uuid4()), opens=True)
    droppable = action == "MeterValues"
    handle = payload.get("transactionId")
    if not (droppable or action == "StopTransaction") or not isinstance(handle, str):
        return Role(payload, droppable=droppable)
    return Role({**payload, "transactionId": 0}, handle, closes=not droppable, droppable=droppable)


def _role_2x(payload: dict[str, Any]) -> Role:
    info, kind, numbered = payload.get("transactionInfo"), payload.get("eventType"), "seqNo" not in payload
    checked = {**payload, "seqNo": 0} if numbered else payload
    handle = info.get("transactionId") if isinstance(info, dict) else None
    if not isinstance(handle, str):
        return Role(checked)  # which is invalid
    return Role(checked, handle, opens=kind == "Started", closes=kind == "Ended", numbered=numbered, droppable=kind == "Updated")


def named_id(response: dict[str, Any]) -> int:
    """What the answer to a 1.6 StartTransaction calls the transaction; -1 if that is no id, which only validation would have refused."""
    number = response.get("transactionId")
    return number if type(number) is int and number in _INT64 else NEVER_KNOWN


def with_transaction_id(payload: dict[str, Any], transaction_id: int) -> dict[str, Any]:
    """A 1.6 message with the CSMS's id of its transaction (rule D10)."""
    return {**payload, "transactionId": transaction_id}


def with_offline(payload: dict[str, Any]) -> dict[str, Any]:
    """A 2.x TransactionEvent that says that it was made offline (rule D11), unless it says something of it already."""
    return {"offline": True, **payload}


def shifted(value: Any, seconds: float) -> Any:
    """A payload whose times are moved: all that are called ``timestamp``. What is no time stays as it is.

    Args:
        value: The payload, or a part of it.
        seconds: By how much; the future is above zero.
    """
    if isinstance(value, list):
        return [shifted(each, seconds) for each in value]
    if not isinstance(value, dict):
        return value
    return {name: _moved(each, seconds) if name == "timestamp" else shifted(each, seconds) for name, each in value.items()}


def _moved(text: Any, seconds: float) -> Any:
    try:
        return format_time(parse_time(text) + timedelta(seconds=seconds))
    except (TypeError, ValueError, OverflowError):
        return text
