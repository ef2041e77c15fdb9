"""A quick yes to payloads that are surely valid, so that jsonschema is asked, and imported, only about the others.

A schema becomes a tree of functions, once. Each returns True only if its value is valid beyond doubt, by exact types. What it does not
know, a keyword or a subclass, is no, and no means that jsonschema decides. So it can be wrong in one direction only, and a test
compares the two on many thousands of payloads of all messages.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from .schemas import actions, definitions

__all__ = ["acceptor", "is_surely_valid"]

_Accept = Callable[[Any], bool]

_SCALARS = {str, bool, int}
_MAX_INTEGER = 2**63
_MAX_STRING = 2**62

# Every time that is valid, but for the 29th of February: jsonschema decides about that.
_USUAL_TIME = re.compile(
    r"[1-9]\d{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?",
    re.ASCII,
)

_ABOUT = {"$schema", "$id", "id", "title", "description", "comment", "javaType", "default"}
_KNOWN = {
    "object": {"type", "properties", "required", "additionalProperties"},
    "array": {"type", "items", "minItems", "maxItems", "additionalItems"},
    "string": {"type", "enum", "maxLength", "format"},
    "integer": {"type", "minimum", "maximum"},
    "number": {"type", "minimum", "maximum"},
    "boolean": {"type"},
}


_acceptors: dict[tuple[str, str, str], _Accept] = {}


def acceptor(version: str, action: str, kind: str) -> _Accept:
    """What says yes to the payloads of a message that are surely valid.

    Args:
        version: The version.
        action: An action of it.
        kind: ``"request"`` or ``"response"``.
    """
    accept = _acceptors.get((version, action, kind))
    if accept is None:
        entry = actions(version)[action]
        schema = entry.request if kind == "request" else entry.response
        accept = _acceptors[version, action, kind] = _never if schema is None else _compile(schema, version)
    return accept


def is_surely_valid(version: str, action: str, kind: str, payload: Any) -> bool:
    """Whether a payload is valid beyond doubt; always false for a message until :func:`acceptor` was asked for it."""
    accept = _acceptors.get((version, action, kind))
    return accept is not None and accept(payload)


@functools.cache
def _definition(version: str, name: str) -> _Accept:
    return _compile(definitions(version)[name], version)


def _compile(schema: dict[str, Any], version: str) -> _Accept:
    if "$ref" in schema:
        return _definition(version, schema["$ref"].rpartition("/")[2])  # none of OCPP's refers to itself
    kind = schema.get("type")
    if not isinstance(kind, str) or schema.keys() - _ABOUT - _KNOWN.get(kind, set()):
        return _never
    if kind == "object":
        return _object(schema, version)
    if kind == "array":
        return _array(schema, version)
    if kind == "string":
        return _string(schema)
    if kind == "boolean":
        return lambda value: value is True or value is False
    return _number(schema, {int} if kind == "integer" else {int, float})


def _never(value: Any) -> bool:
    return False


def _object(schema: dict[str, Any], version: str) -> _Accept:
    checks = {name: _compile(field, version) for name, field in schema.get("properties", {}).items()}
    required = frozenset(schema.get("required", ()))
    others = _never if schema.get("additionalProperties", True) is False else _scalar
    find = checks.get

    def accept(value: Any) -> bool:
        if type(value) is not dict or not required <= value.keys():
            return False
        for name, field in value.items():
            check = find(name)
            if check is None:
                if type(name) is not str or not others(field):
                    return False
            elif not check(field):
                return False
        return True

    return accept


def _scalar(value: Any) -> bool:
    # Whatever may stand below customData: jsonschema looks at lists and objects there.
    return type(value) in _SCALARS and (type(value) is not int or -_MAX_INTEGER <= value < _MAX_INTEGER)


def _array(schema: dict[str, Any], version: str) -> _Accept:
    item = _compile(schema["items"], version) if isinstance(schema.get("items"), dict) else _never
    least, most = schema.get("minItems", 0), schema.get("maxItems", _MAX_STRING)

    def accept(value: Any) -> bool:
        return type(value) is list and least <= len(value) <= most and all(map(item, value))

    return accept


def _string(schema: dict[str, Any]) -> _Accept:
    most, format_ = schema.get("maxLength", _MAX_STRING), schema.get("format")
    if "enum" in schema:
        values = frozenset(value for value in schema["enum"] if format_ is None and len(value) <= most)
        return lambda value: type(value) is str and value in values
    if format_ == "date-time":
        usual = _USUAL_TIME.fullmatch
        return lambda value: type(value) is str and len(value) <= most and usual(value) is not None
    if format_ is not None:
        return _never
    return lambda value: type(value) is str and len(value) <= most


def _number(schema: dict[str, Any], types: set[type]) -> _Accept:
    least, most = schema.get("minimum", -_MAX_INTEGER), schema.get("maximum", _MAX_INTEGER)
    # NaN is neither above nor below.
    return lambda value: type(value) in types and least <= value <= most
