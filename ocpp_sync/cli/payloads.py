"""A payload out of the arguments of a command: JSON, ``@file`` or ``-``, and fields as ``path.to[0].field=value``."""

from __future__ import annotations

import copy
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ocpp_sync.schemas import actions, definitions
from ocpp_sync.timestamps import utcnow

__all__ = ["Assignment", "Given", "read_payload", "schema_at"]

_NAME = r"[^\s.\[\]:=]+"
_ASSIGNMENT = re.compile(rf"(?P<path>{_NAME}(?:\[\d*\]|\.{_NAME})*)(?P<sign>:?=)(?P<value>.*)", re.DOTALL)
_PART = re.compile(rf"\[(\d*)\]|({_NAME})")
_MAX_SHOWN = 60  # characters
_APPEND = -1  # the index of "[]"

# What a value that JSON has read must be for a field of each type; a bool is an int for Python alone.
_FITTING: dict[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int, float),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}


class Assignment(NamedTuple):
    """A field that is set.

    Attributes:
        path: As it was typed, for errors.
        parts: Names of fields, and indices; -1 is the end of the array.
        value: As it was typed.
        is_json: Whether it is JSON, whatever the field is.
    """

    path: str
    parts: tuple[str | int, ...]
    value: str
    is_json: bool


class Given(NamedTuple):
    """What the arguments say about a payload.

    Attributes:
        payload: The payload that the fields go into; None if none was given.
        assignments: The fields, in their order.
    """

    payload: dict[str, Any] | None
    assignments: tuple[Assignment, ...]

    @classmethod
    def of(cls, arguments: Iterable[str]) -> Given:
        """Read the arguments, files and standard input.

        Raises:
            ValueError: One of them is neither a payload nor a field, or there are two payloads.
            OSError: A file cannot be read.
        """
        payload: dict[str, Any] | None = None
        assignments: dict[tuple[str | int, ...], Assignment] = {}
        for argument in arguments:
            assignment = _assignment(argument)
            if assignment is None:
                if payload is not None:
                    raise ValueError(f"there is a payload already, and {_shown(argument)} is a second one; fields are FIELD=VALUE")
                payload = read_payload(argument)
            elif assignment.parts in assignments and _APPEND not in assignment.parts:
                raise ValueError(f"{assignment.path} is given twice")
            else:
                assignments[(*assignment.parts, len(assignments)) if _APPEND in assignment.parts else assignment.parts] = assignment
        return cls(payload, tuple(assignments.values()))

    def build(self, version: str, action: str, base: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The payload: JSON values where the schema of the field agrees with them, else text.

        Args:
            version: The version of OCPP.
            action: The action; of one that the version does not have, nothing is known about the fields.
            base: What the fields go into if no payload was given; None is ``{}``.

        Raises:
            ValueError: A field does not go with the rest, for example an index with what is no array.
        """
        payload: dict[str, Any] = copy.deepcopy(dict(base or {}) if self.payload is None else self.payload)
        entry = actions(version).get(action)
        for assignment in self.assignments:
            schema = None if entry is None else schema_at(entry.request, assignment.path, definitions(version))
            _set(payload, assignment, _json(assignment) if assignment.is_json else _typed(assignment.value, schema))
        return payload


def read_payload(argument: str) -> dict[str, Any]:
    """A payload: JSON, ``@file``, or ``-`` for the standard input.

    Raises:
        ValueError: It is no JSON object; the text says where.
        OSError: The file cannot be read.
    """
    if argument == "-":
        if sys.stdin.isatty():
            print("The payload, and Ctrl-D at its end:", file=sys.stderr)
        return _object(_decoded(sys.stdin.buffer.read(), "the standard input"), "the standard input")
    if argument.startswith("@"):
        return _object(_decoded(Path(argument[1:]).read_bytes(), argument[1:]), argument[1:])
    return _object(argument, "the payload")


def _assignment(argument: str) -> Assignment | None:
    """None is a payload."""
    if argument == "-" or argument.lstrip()[:1] in ("{", "["):
        return None
    if not argument.startswith("@") and (found := _ASSIGNMENT.fullmatch(argument)) is not None:
        return Assignment(found["path"], _parts(found["path"]), found["value"], found["sign"] == ":=")
    if argument.startswith("@") or _is_json(argument):
        return None
    raise ValueError(f"{_shown(argument)} is neither a payload (JSON, @FILE or -) nor FIELD=VALUE")


def _parts(path: str) -> tuple[str | int, ...]:
    return tuple(name or (int(index) if index else _APPEND) for index, name in _PART.findall(path))


def _is_json(text: str) -> bool:
    try:
        _read(text)
    except ValueError:
        return False
    return True


def _shown(text: str) -> str:
    return repr(text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…")


# --- JSON


def _object(text: str, what: str) -> dict[str, Any]:
    value = _located(text, what)
    if not isinstance(value, dict):
        raise ValueError(f'{what} must be a JSON object, such as {{"connectorId": 1}}')
    return value


def _json(assignment: Assignment) -> Any:
    return _located(assignment.value, f"{assignment.path}:=")


def _located(text: str, what: str) -> Any:
    try:
        return _read(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{what} is no JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None
    except ValueError as error:
        raise ValueError(f"{what} is no JSON: {error}") from None


def _read(text: str) -> Any:
    try:
        value = json.loads(text, object_pairs_hook=_fields, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeEncodeError:
        raise ValueError("it has half of a surrogate pair in it, which is no character") from None
    return value


def _fields(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the field {_shown(twice)} is there twice")
    return fields


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no number that JSON has")


def _decoded(data: bytes, what: str) -> str:
    try:
        return data.decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except UnicodeDecodeError as error:
        raise ValueError(f"{what} is no UTF-8: byte {error.start} is {data[error.start]:#04x}") from None


# --- Fields


def schema_at(schema: Mapping[str, Any] | None, path: str, known: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schema of a field.

    Args:
        schema: That of the object which the path begins in.
        path: Names of fields with dots between, and indices: ``meterValue[0].timestamp``.
        known: The definitions that references point into.

    Returns:
        None if there is no such field.
    """
    for part in _parts(path):
        inner = None if schema is None else schema.get("properties", {}).get(part) if isinstance(part, str) else schema.get("items")
        schema = known[inner["$ref"].rpartition("/")[2]] if inner is not None and "$ref" in inner else inner
    return schema


def _typed(text: str, schema: Mapping[str, Any] | None) -> Any:
    kinds = None if schema is None else schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if schema is not None and schema.get("format") == "date-time" and text == "now":
        return utcnow()
    try:
        value = _read(text.lower() if kinds == ["boolean"] else text)
    except ValueError:
        return text
    if kinds is None:
        return value
    fits = any(isinstance(value, _FITTING[kind]) and (kind == "boolean" or not isinstance(value, bool)) for kind in kinds)
    return value if fits else text


def _set(payload: dict[str, Any], assignment: Assignment, value: Any) -> None:
    target: Any = payload
    *way, last = assignment.parts
    for part, following in zip(way, assignment.parts[1:], strict=True):
        target = _step(target, part, {} if isinstance(following, str) else [], assignment)
    _check(target, last, assignment)
    if isinstance(target, dict):
        target[last] = value
    else:
        target[_index(target, last) : _index(target, last) + 1] = [value]


def _step(target: Any, part: str | int, empty: Any, assignment: Assignment) -> Any:
    _check(target, part, assignment)
    if isinstance(target, dict):
        return target.setdefault(part, empty)
    if _index(target, part) == len(target):
        target.append(empty)
        return empty
    return target[part]


def _index(target: list[Any], part: Any) -> int:
    return len(target) if part == _APPEND else int(part)


def _check(target: Any, part: str | int, assignment: Assignment) -> None:
    if not isinstance(target, dict if isinstance(part, str) else list):
        wanted = f"a field {part!r}" if isinstance(part, str) else f"an item {part if part != _APPEND else ''}".rstrip()
        found = "an object" if isinstance(target, dict) else "an array" if isinstance(target, list) else "a single value"
        raise ValueError(f"{assignment.path}: {wanted} cannot be in {found}")
    if isinstance(target, list) and _index(target, part) > len(target):
        raise ValueError(f"{assignment.path}: there is no item {len(target)} yet; items count from 0")
