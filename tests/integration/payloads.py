"""Valid payloads, made from the schema documents: always the same ones, each checked before it is used."""

from __future__ import annotations

import functools
from typing import Any

from ocpp_sync import validate
from ocpp_sync.schemas import actions, definitions

KINDS = ("minimal", "full")

_TEXT = "aé€😀"  # characters of one to four bytes
_LONG = 60  # characters; a text that may be longer stays readable in the report of a failed test
_FORMATS = {"date-time": "2025-01-31T12:34:56.789Z", "uri": "https://csms.example/a?b=c"}


def sent_by(version: str, side: str) -> list[str]:
    """The actions that a side, ``"CS"`` or ``"CSMS"``, sends as CALL."""
    return [name for name, action in actions(version).items() if action.sent_by in (side, "both") and not action.is_send]


@functools.cache
def payload(version: str, action: str, kind: str, *, response: bool = False) -> dict[str, Any]:
    """A payload with the required fields alone (``"minimal"``), or with every field that there is (``"full"``).

    It is shared: whoever gets it must not change it.
    """
    entry = actions(version)[action]
    schema = entry.response if response else entry.request
    assert schema is not None, f"{action} has no response"
    made: dict[str, Any] = (_full if kind == "full" else _minimal)(version, schema)
    validate(action, made, version=version, kind="response" if response else "request")
    return made


def _resolved(version: str, schema: dict[str, Any]) -> dict[str, Any]:
    return definitions(version)[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _minimal(version: str, schema: dict[str, Any]) -> Any:
    schema = _resolved(version, schema)
    match schema.get("type"):
        case "object":
            return {name: _minimal(version, schema["properties"][name]) for name in schema.get("required", ())}
        case "array":
            return [_minimal(version, schema["items"])] * schema.get("minItems", 0)
        case "string":
            return schema["enum"][0] if "enum" in schema else _FORMATS.get(schema.get("format", ""), "")
        case "integer":
            return max(0, schema.get("minimum", 0))
        case "number":
            return max(0.0, schema.get("minimum", 0.0))
        case "boolean":
            return False
    return "anything"


def _full(version: str, schema: dict[str, Any]) -> Any:
    schema = _resolved(version, schema)
    match schema.get("type"):
        case "object":
            made = {name: _full(version, field) for name, field in schema.get("properties", {}).items()}
            # Rule B15: beside the vendorId in customData there may be anything.
            return made if schema.get("additionalProperties") is False else {**made, "other": [{"deep": 1}]}
        case "array":
            return [_full(version, schema["items"])] * max(1, schema.get("minItems", 0))
        case "string":
            size = min(_LONG, schema.get("maxLength", _LONG))
            return schema["enum"][-1] if "enum" in schema else _FORMATS.get(schema.get("format", ""), (_TEXT * size)[:size])
        case "integer":
            return min(42, schema.get("maximum", 42))
        case "number":
            return min(8.1, schema.get("maximum", 8.1))  # rule B18: a multiple of 0.1
        case "boolean":
            return True
    return {"anything": [1, 2.5, "b", True]}
