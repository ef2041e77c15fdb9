"""What to write instead of what is wrong, found in the schemas of all versions; imported only to word an error.

A hint says what is surely helpful, or which version has the thing, or nothing, and it shows no value. It is for what is one's own: the
first hint about another version reads that version's document. Even so there are bounds, for what comes from elsewhere in the end.
"""

from __future__ import annotations

import functools
import itertools
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from .counterparts import KINDS, Place, fold, places_of, resolved, same_actions, same_field
from .decimals import is_decimal
from .schemas import VERSIONS, action_names, actions, base_version, definitions

if TYPE_CHECKING:
    from jsonschema import ValidationError

__all__ = ["Message", "about_action", "about_field", "about_object", "about_origin", "about_owners", "about_value", "how_to_send"]

_MAX_NAME = 60  # characters of a name or a value that is looked for
_MAX_NAMES = 5  # unknown fields of an object that are looked for
_MAX_SHOWN = 3  # names that are worth a mention


class Message(NamedTuple):
    """The message that is wrong.

    Attributes:
        version: The version of OCPP, or the key of its schemas.
        action: The action.
        kind: ``"request"`` or ``"response"``.
    """

    version: str
    action: str
    kind: str

    @property
    def places(self) -> tuple[Place, ...]:
        """Its fields."""
        return places_of(*self)

    @property
    def elsewhere(self) -> dict[str, tuple[Place, ...]]:
        """Its fields in the other versions."""
        return {other: places_of(other, self.action, self.kind) for other in VERSIONS if other != base_version(self.version)}


# --- An action


def about_action(name: str, versions: Sequence[str]) -> str | None:
    """What stands for an action that none of these versions has: a question, or nothing; None if no version has such an action."""
    others = _owners(name, versions)
    pairs = itertools.product(versions, others.items())
    instead = next(filter(None, (same_actions(found, other, version) for version, (other, found) in pairs)), None)
    if instead is not None:
        return f"; did you mean {_either(map(repr, instead))}?"
    return "" if others else None


def about_owners(name: str, versions: Sequence[str]) -> str:
    """Which other versions have an action, to be added to what is said of it; else empty."""
    others = _owners(name, versions)
    return f" ({next(iter(others.values()))} is {_ocpp(others)})" if others else ""


def _owners(name: str, versions: Sequence[str]) -> dict[str, str]:
    """The other versions that have an action, whatever the case, each with its right name; none if one of these has it."""
    if len(name) > _MAX_NAME:
        return {}
    found = {version: [right for right in action_names(version) if fold(right) == fold(name)] for version in (*versions, *VERSIONS)}
    if any(found[version] for version in versions):
        return {}
    return {other: right[0] for other, right in found.items() if right and other not in map(base_version, versions)}


def how_to_send(name: str, versions: Sequence[str]) -> str:
    """The method that sends an action: ``call('Reset', …)``."""
    is_send = any(actions(version)[name].is_send for version in versions if name in actions(version))
    return f"{'send' if is_send else 'call'}({name!r}, …)"


# --- A field that is not one


def about_field(error: ValidationError, message: Message) -> str | None:
    """What to write instead of an unknown field, as a whole sentence; None if that is not sure.

    Args:
        error: Of the keyword ``additionalProperties``.
        message: The message that it is in.
    """
    for name in _extras(error):
        for rule in (_misspelt, _misplaced, _renamed, _of_other_kind):
            if hint := rule(name, error, message):
                return f"{name!r} {hint}"
    return None


def about_origin(error: ValidationError, message: Message) -> str:
    """Where the first unknown field of an object comes from, to be added to what is said of it; else empty."""
    name = next(_extras(error), None)
    if name is None:
        return ""
    if versions := _versions_with(name, message):
        return f"; {name!r} is {_ocpp(versions)}"
    users = {} if _is_known(name, message.version) else {other: _users(name, other) for other in VERSIONS}
    other = next((other for other, names in users.items() if names), None)
    return f"; {name!r} is a field of {_either(users[other][:_MAX_SHOWN])} in OCPP {other}" if other is not None else ""


def _extras(error: ValidationError) -> Iterator[str]:
    schema: Any = error.schema
    value: Any = error.instance
    names = (name for name in value if name not in schema.get("properties", ()))
    return (name for name in itertools.islice(names, _MAX_NAMES) if len(name) <= _MAX_NAME)


def _misspelt(name: str, error: ValidationError, message: Message) -> str | None:
    schema: Any = error.schema
    value: Any = error.instance
    right = [field for field in schema.get("properties", ()) if field not in value and fold(field) == fold(name)]
    return f"is not a field here; did you mean {right[0]!r}?" if right else None


def _misplaced(name: str, error: ValidationError, message: Message) -> str | None:
    at = _names(error.absolute_path)
    elsewhere = [place for place in message.places if place.names[:-1] != at and fold(place.name) == fold(name)]
    deeper = [place for place in elsewhere if place.names[: len(at)] == at]
    right = sorted(deeper or elsewhere, key=lambda place: len(place.names))
    if not 1 <= len(right) <= _MAX_SHOWN:
        return None
    if right == [place for place in right if len(place.names) == 1]:
        return f"is not a field here; {right[0].name!r} belongs at the top of the payload"
    return f"is not a field here; its place is {_either(place.text for place in right)}"


def _renamed(name: str, error: ValidationError, message: Message) -> str | None:
    versions = _versions_with(name, message)
    found = next(filter(None, (same_field(name, other, *message) for other in versions)), None)
    return f"is {_ocpp(versions)}; OCPP {base_version(message.version)} has {found.text}" if found is not None else None


def _of_other_kind(name: str, error: ValidationError, message: Message) -> str | None:
    other = KINDS[message.kind == "request"]
    is_there = any(place.names == (name,) for place in places_of(message.version, message.action, other))
    return f"is a field of the {other}, not of the {message.kind}" if is_there and not error.absolute_path else None


def _versions_with(name: str, message: Message) -> list[str]:
    """The other versions whose message has the field."""
    return [other for other, places in message.elsewhere.items() if any(place.name == name for place in places)]


def _is_known(name: str, version: str) -> bool:
    schemas = itertools.chain(definitions(version).values(), (action.request for action in actions(version).values()))
    return any(name in schema.get("properties", ()) for schema in schemas)


def _users(name: str, version: str) -> list[str]:
    return [action.name for action in actions(version).values() if name in action.request.get("properties", ())]


# --- A value of the wrong type, or none of those that are right


def about_value(error: ValidationError, message: Message) -> str:
    """What to write instead of a wrong value, to be added to what is said of it; empty if that is not sure."""
    rules = {"enum": _enumerated, "format": _formatted, "required": _to_begin_with, "type": _typed}
    rule = rules.get(str(error.validator))
    return "" if rule is None else rule(error, message)


def _enumerated(error: ValidationError, message: Message) -> str:
    value: Any = error.instance
    limit: Any = error.validator_value
    right = {word for word in limit if isinstance(word, str)}
    if not isinstance(value, str) or len(value) > _MAX_NAME or fold(value) in map(fold, right):
        return ""
    names = _names(error.absolute_path)
    versions = [
        other
        for other, places in message.elsewhere.items()
        if any(value in place.values and (place.name in names[-1:] or place.values & right) for place in places)
    ]
    return f"; in {_ocpp(versions)} it is one" if versions else ""


def _formatted(error: ValidationError, message: Message) -> str:
    return "; ocpp_sync.format_time(…) writes a datetime so" if error.validator_value == "date-time" else ""


def _to_begin_with(error: ValidationError, message: Message) -> str:
    if error.absolute_path or error.instance:
        return ""
    kind = "" if message.kind == "request" else ", kind='response'"
    return f"; ocpp_sync.skeleton({message.action!r}, version={base_version(message.version)!r}{kind}) makes a payload to begin with"


_NUMBER = re.compile(r"\s*[+-]?\d{1,20}(?:\.\d{1,20})?\s*", re.ASCII)


def _typed(error: ValidationError, message: Message) -> str:
    value: Any = error.instance
    schema: Any = error.schema
    if value is None:
        return _without_value(error, message)
    if isinstance(value, list):
        return "; write its one item by itself, not in a list" if len(value) == 1 else ""
    # A list of types, as only a user's own schemas have it, has no rule.
    rule = _TYPES.get(str(schema["type"]))
    return "" if rule is None else rule(value, schema, message)


def _without_value(error: ValidationError, message: Message) -> str:
    names = _names(error.absolute_path)
    is_required = any(place.names == names and place.required for place in message.places)
    return f"; {names[-1]!r} must be there, so it needs one" if is_required and isinstance(error.absolute_path[-1], str) else ""


def _as_string(value: Any, schema: Mapping[str, Any], message: Message) -> str:
    if isinstance(value, dict):
        return ""
    if schema.get("format") == "date-time":
        return "; write ocpp_sync.format_time(…) of a datetime"
    if isinstance(value, bool):
        return f"; write {str(value).lower()!r}"
    return "" if "enum" in schema else "; write it as text, in quotes"


def _as_boolean(value: Any, schema: Mapping[str, Any], message: Message) -> str:
    if isinstance(value, dict):
        return ""
    right = {"true": True, "1": True, "false": False, "0": False}.get(str(value[:9] if isinstance(value, str) else value).strip().lower())
    return "" if right is None else f"; write {right}"


def _as_number(value: Any, schema: Mapping[str, Any], message: Message) -> str:
    if isinstance(value, str):
        is_number = _NUMBER.fullmatch(value) and ("." not in value or schema["type"] == "number")
        return "; write it as a number, without quotes" if is_number else ""
    if isinstance(value, float) and value.is_integer():
        return "; write int(…), which has no fraction"
    return ""


def _as_object(value: Any, schema: Mapping[str, Any], message: Message) -> str:
    required = schema.get("required", ())
    return f"; write {{{', '.join(f'{name!r}: …' for name in required)}}}" if 1 <= len(required) <= _MAX_SHOWN else ""


def _as_array(value: Any, schema: Mapping[str, Any], message: Message) -> str:
    expected = resolved(schema["items"], definitions(message.version)).get("type")
    kind = {dict: "object", str: "string", int: "integer"}.get(type(value))
    return f"; write a list, even of one: {'[{…}]' if kind == 'object' else '[…]'}" if kind is not None and kind == expected else ""


_TYPES = {
    "array": _as_array,
    "boolean": _as_boolean,
    "integer": _as_number,
    "number": _as_number,
    "object": _as_object,
    "string": _as_string,
}


# --- A Python object that JSON cannot carry


# The first that fits; each datetime is a date too.
_OBJECTS: tuple[tuple[Any, str], ...] = (
    (Enum, "its .value"),
    (datetime, "ocpp_sync.format_time(…)"),
    (date, "ocpp_sync.format_time(…) of a datetime"),
    (timedelta, "its .total_seconds()"),
    ((bytes, bytearray), "its text, as .decode() makes it"),
    (os.PathLike, "str(…)"),
    (Mapping, "dict(…)"),
    (Iterable, "list(…)"),
)


def about_object(payload: Any, path: Iterable[str | int]) -> str:
    """What to write instead of a Python object that JSON cannot carry; empty if that is not sure."""
    value = functools.reduce(lambda inner, part: inner[part], path, payload)
    if isinstance(value, (str, int, float, dict, list)) or is_decimal(value):
        return ""
    if callable(value):
        return "; was it to be called, with ()?"
    right = next((right for kind, right in _OBJECTS if isinstance(value, kind)), None)
    return f"; write {right}" if right is not None else ""


# --- Words of a message


def _names(path: Iterable[str | int]) -> tuple[str, ...]:
    return tuple(part for part in path if isinstance(part, str))


def _either(names: Iterable[str]) -> str:
    return " or ".join(names)


def _ocpp(versions: Iterable[str]) -> str:
    return f"OCPP {' and '.join(versions)}"
