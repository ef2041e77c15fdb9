"""What the outbox knows of OCPP's messages: which belong to a transaction, and what is to be filled in when they go out."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any, NamedTuple

from ..timestamps import format_time, parse_time

__all__ = ["Role", "role_of", "shifted", "with_offline", "with_transaction_id"]


class Role(NamedTuple):
    """What a message is to its transaction.

    Attributes:
        transaction: The handle of it; None if there is none.
        opens: It begins it.
        closes: It ends it.
        numbered: It is to be given the next ``seqNo``.
        droppable: It may be dropped when there is no room (rule D12).
        checked: The payload as it can be validated now: with something in place of what is filled in later.
    """

    transaction: str | None
    opens: bool
    closes: bool
    numbered: bool
    droppable: bool
    checked: dict[str, Any]


def role_of(version: str, action: str, payload: dict[str, Any]) -> Role:
    """What a message is, by the rules of a version.

    Args:
        version: The version.
        action: The action.
        payload: The payload as the user has given it.
    """
    if version == "1.6":
        if action == "StartTransaction":
            return Role(str(uuid.uuid4()), True, False, False, False, payload)
        if action in ("StopTransaction", "MeterValues") and "transactionId" in payload:
            number = payload["transactionId"]
            handle = number if isinstance(number, str) else None
            checked = payload if handle is None else {**payload, "transactionId": 0}
            return Role(handle, False, action == "StopTransaction" and handle is not None, False, action == "MeterValues", checked)
    elif action == "TransactionEvent":
        info, kind = payload.get("transactionInfo"), payload.get("eventType")
        handle = info.get("transactionId") if isinstance(info, dict) else None
        if isinstance(handle, str):
            numbered = "seqNo" not in payload
            checked = {**payload, "seqNo": 0} if numbered else payload
            return Role(handle, kind == "Started", kind == "Ended", numbered, kind == "Updated", checked)
    return Role(None, False, False, False, False, payload)


def with_transaction_id(payload: dict[str, Any], transaction_id: int) -> dict[str, Any]:
    """A 1.6 message with the CSMS's id of its transaction (rule D10)."""
    return {**payload, "transactionId": transaction_id}


def with_offline(payload: dict[str, Any]) -> dict[str, Any]:
    """A 2.x TransactionEvent that says that it was made offline (rule D11), unless it says something of it already."""
    return {"offline": True, **payload}


def shifted(value: Any, seconds: float) -> Any:
    """A payload whose times are moved: all that are called ``timestamp``.

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
