"""Responses that are valid, and as short as they can be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .schemas import actions, definitions

__all__ = ["minimal_response"]


def minimal_response(version: str, action: str, now: str) -> dict[str, Any]:
    """A response to an action with nothing but what must be there; where ``"Accepted"`` is possible, it says so.

    Args:
        version: The version of OCPP.
        action: An action that the version defines, and that is answered.
        now: The time, for the fields that are one.
    """
    schema = actions(version)[action].response
    assert schema is not None, f"{action} is a SEND, which has no response"
    response: dict[str, Any] = _value(schema, definitions(version), now)
    return response


def _value(schema: Mapping[str, Any], known: Mapping[str, Any], now: str) -> Any:
    if "$ref" in schema:
        return _value(known[schema["$ref"].rpartition("/")[2]], known, now)
    if "enum" in schema:
        return "Accepted" if "Accepted" in schema["enum"] else schema["enum"][0]
    kind = schema["type"]
    if kind == "object":
        return {name: _value(schema["properties"][name], known, now) for name in schema.get("required", ())}
    if kind == "array":
        return [_value(schema["items"], known, now) for _ in range(schema.get("minItems", 0))]
    if kind == "string":
        return now if schema.get("format") == "date-time" else ""
    return False if kind == "boolean" else max(0, schema.get("minimum", 0))
