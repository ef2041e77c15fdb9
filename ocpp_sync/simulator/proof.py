"""What can be told of a step before anything is sent: the actions, fields and values that a version of OCPP has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidPayload
from ..hints import about_action, about_owners
from ..schemas import senders
from ..testing.possible import check_fields, did_you_mean
from ..validation import ValidationPolicy, validate
from .transcript import ERROR_FIELDS

__all__ = ["TOKEN_LENGTH", "problem_of"]

TOKEN_LENGTH = {"1.6": 20, "2.0.1": 36, "2.1": 255}
"""How many characters a token may have, by the version."""

_LISTED = f"; there are {', '.join(ERROR_FIELDS)}"
_SIDES = {"CS": "charge point", "CSMS": "CSMS"}
_STAND_INS = {"$now": "2025-01-31T12:00:00Z"}
_TRANSACTIONS: dict[str, Any] = {"1.6": 1, "2.0.1": "a-transaction", "2.1": "a-transaction"}

# Who sends the request of the action that an expectation is about, and where what is expected of it goes.
_EXPECTED = {
    "request": ("CSMS", "request", "in"),
    "sent": ("CS", "request", "out"),
    "answer": ("CS", "response", "in"),
    "error": ("CS", "error", "in"),
}


def problem_of(do: str, fields: Mapping[str, Any], version: str, connectors: int, policy: ValidationPolicy) -> str | None:
    """What is wrong with a step, each of whose fields is right by itself; None is nothing.

    Args:
        do: What it does.
        fields: With what.
        version: The version that the station speaks.
        connectors: How many connectors it has.
        policy: Which payloads are checked before they are sent.
    """
    number = fields.get("connector", 1)
    if number > connectors:
        return f"there is no connector {number}; the last one is {connectors}"
    token = fields.get("token")
    if token is not None and not 0 < len(token) <= TOKEN_LENGTH[version]:
        return f"token {token[:40]!r}: a token of OCPP {version} has 1 to {TOKEN_LENGTH[version]} characters, not {len(token)}"
    check = {"call": _call, "expect": _expect, "wait": _wait}.get(do)
    try:
        if check is not None:
            check(fields, version, policy)
    except (ValueError, InvalidPayload) as error:
        return str(error)
    return None


def _wait(fields: Mapping[str, Any], version: str, policy: ValidationPolicy) -> None:
    if "message" in fields:
        _check_action("message", fields["message"], version, None)


def _expect(fields: Mapping[str, Any], version: str, policy: ValidationPolicy) -> None:
    for name, (side, kind, direction) in _EXPECTED.items():
        if name in fields:
            action, part = fields[name], fields.get("payload", {})
            _check_action(name, action, version, side)
            if kind == "error":
                _check_error(part)
            elif policy.mode(direction, action) == "strict":
                check_fields(action, part, [version], kind)


def _call(fields: Mapping[str, Any], version: str, policy: ValidationPolicy) -> None:
    action = fields["action"]
    _check_action("action", action, version, "CS")
    if policy.mode("out", action) == "strict":
        validate(action, _filled(fields.get("payload", {}), version), version=version, hints=True)
    if policy.mode("in", action) == "strict":
        check_fields(action, fields.get("answer", {}), [version], "response")


def _check_action(name: str, action: str, version: str, side: str | None) -> None:
    """Check that a version has an action, and that a side sends it; None is either."""
    known = senders(version)
    if action not in known:
        hint = about_action(action, [version])
        hint = did_you_mean(action, known) if hint is None else hint
        raise ValueError(f"{name} {action[:60]!r} is no action of OCPP {version}{hint}{about_owners(action, [version])}")
    if side is not None and known[action] not in (side, "both"):
        other = {"request": "sent", "sent": "request"}.get(name)
        instead = f"; is it {other} = {action!r}?" if other else ""
        raise ValueError(f"{name}: {action} is sent by the {_SIDES[known[action]]}, not by the {_SIDES[side]}{instead}")


def _check_error(part: Mapping[str, Any]) -> None:
    for name in part:
        if name not in ERROR_FIELDS:
            raise ValueError(f"an error has no {name!r}{did_you_mean(name, ERROR_FIELDS) or _LISTED}")


def _filled(value: Any, version: str) -> Any:
    """A payload with something in the place of what is known only when it is sent."""
    if isinstance(value, dict):
        return {name: _filled(inner, version) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, version) for inner in value]
    if isinstance(value, str):
        return _TRANSACTIONS[version] if value == "$transaction" else _STAND_INS.get(value, value)
    return value
