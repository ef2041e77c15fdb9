"""Schemas of one's own, laid over those of OCPP: for a peer that keeps to rules of its own, and for actions that no version has.

What a user gives is a mapping, or the path of a JSON file or of a folder with such files, by version::

    {"1.6": {"BootNotification": {"request": {"properties": {"imsi": {"maxLength": null}, "site": {"type": "string"}}}},
             "GetTariff": {"from": "CS", "request": {"type": "object"}, "response": {"type": "object"}},
             "definitions": {…}}}

It is a JSON merge patch (RFC 7396): an object is merged, null removes, and all else, a list too, is put in place of what is there. What
is changed in a field that refers to a data type is changed for that field alone; what is changed in ``definitions``, wherever it is used.

The result may use the keywords that OCPP's own schemas use, and no others, so that all of the package understands it: the quick yes,
the texts of errors, descriptions. An object inside another becomes a data type, named after its place.
"""

from __future__ import annotations

import difflib
import functools
import itertools
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from os import PathLike
from types import MappingProxyType
from typing import Any

from ..errors import SchemaError
from . import STANDARD, VERSIONS, Action, Document, actions, add, definitions

__all__ = ["overlay"]

_DEFINITIONS = "definitions"
_ENTRY = ("from", "send", "request", "response")
_SENDERS = ("CS", "CSMS", "both")
_ACTION = re.compile(r"[A-Z]\w*", re.ASCII)
_DEFINITION = re.compile(r"[\w.]+", re.ASCII)
_REFERENCE = re.compile(rf"#/definitions/{_DEFINITION.pattern}", re.ASCII)
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_FORMATS = ("date-time", "uri")


def _is_type(value: Any) -> bool:
    return value in _TYPES or (isinstance(value, list) and bool(value) and all(kind in _TYPES for kind in value))


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_number(value: Any) -> bool:
    try:
        return type(value) in (int, float) and math.isfinite(value)
    except OverflowError:  # an integer beyond 1.8e308
        return False


# What the value of each keyword must be; those of the last line are taken, and left out.
_KEYWORDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "$ref": (lambda value: isinstance(value, str) and _REFERENCE.fullmatch(value) is not None, "'#/definitions/NAME'"),
    "additionalProperties": (lambda value: isinstance(value, bool), "true or false"),
    "default": (lambda value: True, "anything"),
    "enum": (lambda value: _is_list_of_texts(value) and bool(value), "a list of texts"),
    "format": (lambda value: value in _FORMATS, " or ".join(map(repr, _FORMATS))),
    "items": (lambda value: isinstance(value, dict), "a schema"),
    "maxItems": (_is_count, "a whole number from 0 on"),
    "maxLength": (_is_count, "a whole number from 0 on"),
    "maximum": (_is_number, "a number"),
    "minItems": (_is_count, "a whole number from 0 on"),
    "minimum": (_is_number, "a number"),
    "multipleOf": (lambda value: _is_number(value) and value > 0, "a number above 0"),
    "properties": (lambda value: isinstance(value, dict), "an object of schemas"),
    "required": (_is_list_of_texts, "a list of the names of fields"),
    "type": (_is_type, f"one of {', '.join(map(repr, _TYPES))}, or a list of these"),
}
_ABOUT = {"$schema", "$id", "id", "$comment", "comment", "title", "description", "javaType"}

_numbers = itertools.count(1)


def overlay(schemas: Mapping[str, Any] | str | PathLike[str]) -> Mapping[str, str]:
    """Lay schemas over those of OCPP; the same ones have the same keys.

    Returns:
        The versions, each with the key by which :func:`ocpp_sync.schemas.actions` and the others find the result.

    Raises:
        SchemaError: There is something wrong with them; the text says what, and where.
    """
    keys = dict(STANDARD)
    for version, changes in _read(schemas).items():
        if version not in VERSIONS:
            raise SchemaError(_place(version), f"this is no version of OCPP; the versions are {', '.join(map(repr, VERSIONS))}")
        try:
            text = json.dumps(changes, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise SchemaError(_place(version), f"this is no JSON: {error}") from None
        keys[version] = _key(version, text)
    return MappingProxyType(keys)


def _read(schemas: Mapping[str, Any] | str | PathLike[str]) -> Mapping[str, Any]:
    if isinstance(schemas, Mapping):
        return schemas
    from pathlib import Path

    path = Path(schemas)
    found: dict[str, Any] = {}
    for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SchemaError(str(file), f"this cannot be read as JSON: {error}") from error
        if not isinstance(document, dict):
            raise SchemaError(str(file), "this must be an object, by versions")
        # One file's null is for the standard, not for the other files.
        found = {**found, **{version: _joined(found.get(version), changes) for version, changes in document.items()}}
    if not found:
        raise SchemaError(str(path), "there are no JSON files in it, or nothing in them")
    return found


def _joined(first: Any, second: Any) -> Any:
    """Two patches as one."""
    if not (isinstance(first, dict) and isinstance(second, dict)):
        return second
    return {**first, **{name: _joined(first.get(name), value) for name, value in second.items()}}


# By its text, so that a thousand clients with the same schemas have them once. Two threads that come first may each make one.
@functools.cache
def _key(version: str, text: str) -> str:
    key = f"{version}+{next(_numbers)}"
    add(key, _Overlay(version, json.loads(text)).document)
    return key


class _Overlay:
    """One version with its changes.

    Attributes:
        document: The result.
    """

    def __init__(self, version: str, changes: Any) -> None:
        self._version = version
        self._standard = definitions(version)
        if not isinstance(changes, dict):
            raise self._wrong((), "this must be an object, by actions")
        self._changes = changes.pop(_DEFINITIONS, {})
        if not isinstance(self._changes, dict):
            raise self._wrong((_DEFINITIONS,), "this must be an object, by the names of data types")
        self._definitions: dict[str, dict[str, Any]] = {}
        for name in [*self._standard, *self._changes]:
            self._definition(name)
        found = {**actions(version), **{name: self._action(name, entry) for name, entry in changes.items()}}
        kept = {name: action for name, action in found.items() if action is not None}
        self._check_references(kept)
        self.document = Document(MappingProxyType(self._definitions), MappingProxyType(kept))

    def _wrong(self, where: Iterable[str], what: str) -> SchemaError:
        return SchemaError(_place(self._version, *where), what)

    # --- Definitions and actions

    def _definition(self, name: str) -> dict[str, Any] | None:
        """A definition as it will be; None if there is none."""
        if name not in self._definitions:
            schema: Any = self._standard.get(name)
            if name in self._changes:
                where = (_DEFINITIONS, name)
                if not _DEFINITION.fullmatch(name):
                    raise self._wrong(where, "the name of a data type has letters, digits, _ and .")
                schema = self._merged(schema, self._changes[name])
                if schema is not None:
                    schema = self._checked(schema, where, name, is_inside=False)
            if schema is not None:
                self._definitions[name] = schema
        return self._definitions.get(name)

    def _action(self, name: str, changes: Any) -> Action | None:
        standard = actions(self._version).get(name)
        if changes is None:
            return None
        if not isinstance(changes, dict):
            raise self._wrong((name,), f"this must be an object with {', '.join(map(repr, _ENTRY))}")
        if standard is None and "from" not in changes:
            hint = _did_you_mean(name, actions(self._version))
            raise self._wrong((name,), f"this is no action of OCPP {self._version}; one of your own has a 'from', who sends it{hint}")
        if standard is None and not _ACTION.fullmatch(name):
            raise self._wrong((name,), "the name of an action begins with a capital letter, and has letters, digits and _")
        return self._entry(name, standard, changes)

    def _entry(self, name: str, standard: Action | None, changes: dict[str, Any]) -> Action:
        for key in changes.keys() - set(_ENTRY):
            raise self._wrong((name, key), f"an action has {', '.join(map(repr, _ENTRY))}, and nothing else{_did_you_mean(key, _ENTRY)}")
        if (sent_by := changes.get("from", standard and standard.sent_by)) not in _SENDERS:
            raise self._wrong((name, "from"), f"this must be one of {', '.join(map(repr, _SENDERS))}")
        is_send = changes.get("send", standard is not None and standard.is_send)
        if not isinstance(is_send, bool) or (is_send and self._version != "2.1"):
            raise self._wrong((name, "send"), "this must be true or false, and true only in OCPP 2.1, which has SEND")
        response = None if is_send else self._message(name, "response", standard and standard.response, changes)
        draft = standard.draft if standard is not None else next(iter(actions(self._version).values())).draft
        return Action(name, sent_by, is_send, draft, self._message(name, "request", standard and standard.request, changes), response)

    def _message(self, name: str, kind: str, standard: dict[str, Any] | None, changes: dict[str, Any]) -> dict[str, Any]:
        if standard is not None and kind not in changes:
            return standard
        schema = self._merged(standard, changes.get(kind))
        if not isinstance(schema, dict) or schema.get("type") != "object":
            raise self._wrong((name, kind), 'this must be a schema with "type": "object"')
        return self._checked(schema, (name, kind), f"{name}{kind.capitalize()}", is_inside=False)

    # --- Schemas

    def _merged(self, standard: Any, changes: Any) -> Any:
        """RFC 7396, but for references: a change does not go beside one, where it would not hold."""
        if not isinstance(changes, dict):
            return changes
        merged: dict[str, Any] = dict(standard) if isinstance(standard, dict) else {}
        if "$ref" in changes:
            merged = {}
        elif changes and isinstance(merged.get("$ref"), str):
            merged = dict(self._definition(_name(merged["$ref"])) or {})
        for key, change in changes.items():
            if change is None:
                merged.pop(key, None)
            else:
                merged[key] = self._merged(merged.get(key), change)
        return merged

    def _checked(self, schema: Any, where: tuple[str, ...], name: str, *, is_inside: bool = True) -> dict[str, Any]:
        """A schema without what is only about it, and with its objects as definitions.

        Raises:
            SchemaError: It is none.
        """
        if not isinstance(schema, dict):
            raise self._wrong(where, "this must be a schema: an object")
        schema = {key: value for key, value in schema.items() if key not in _ABOUT}
        for key, value in schema.items():
            if key not in _KEYWORDS:
                raise self._wrong((*where, key), f"this is no keyword of OCPP's schemas{_did_you_mean(key, _KEYWORDS)}")
            is_right, what = _KEYWORDS[key]
            if not is_right(value):
                raise self._wrong((*where, key), f"this must be {what}")
        if "$ref" in schema and schema.keys() - {"$ref", "default"}:
            raise self._wrong((*where, "$ref"), "nothing else holds beside a reference")
        self._check_kind(schema, where)
        if "items" in schema:
            schema["items"] = self._checked(schema["items"], (*where, "items"), name)
        if "properties" in schema:
            properties = schema["properties"].items()
            schema["properties"] = {
                field: self._checked(value, (*where, "properties", field), f"{name}.{field}") for field, value in properties
            }
        return self._named(schema, name) if is_inside and "object" in _kinds(schema) else schema

    def _named(self, schema: dict[str, Any], name: str) -> dict[str, Any]:
        """A reference to a schema that is a definition from now on."""
        name = re.sub(r"[^\w.]", "_", name, flags=re.ASCII)
        while name in self._definitions:
            name += "_"
        self._definitions[name] = schema
        return {"$ref": f"#/definitions/{name}"}

    def _check_kind(self, schema: dict[str, Any], where: tuple[str, ...]) -> None:
        if schema.get("properties") and "object" not in _kinds(schema):
            raise self._wrong(where, 'what has properties must have "type": "object"')
        if "enum" in schema and schema.get("type") != "string":
            raise self._wrong((*where, "enum"), 'what has an enumeration must have "type": "string"')
        if "array" in _kinds(schema) and "items" not in schema:
            raise self._wrong(where, "an array must say what its items are")
        for field in schema.get("required", ()):
            if field not in schema.get("properties", {}):
                raise self._wrong((*where, "required"), f"{field!r} is not among the properties")

    def _check_references(self, found: Mapping[str, Action]) -> None:
        """All references lead to something, and none to itself.

        Raises:
            SchemaError: One does not.
        """
        done: set[str] = set()

        def check(schema: Mapping[str, Any], where: tuple[str, ...], inside: tuple[str, ...]) -> None:
            for name in _references(schema):
                if name not in self._definitions:
                    raise self._wrong(where, f"there is no {name!r} in definitions{_did_you_mean(name, self._definitions)}")
                if name in inside:
                    raise self._wrong(where, f"{name!r} contains itself")
                if name not in done:
                    check(self._definitions[name], (_DEFINITIONS, name), (*inside, name))
                    done.add(name)

        for action in found.values():
            check(action.request, (action.name, "request"), ())
            check(action.response or {}, (action.name, "response"), ())
        for name in list(self._definitions):
            check(self._definitions[name], (_DEFINITIONS, name), (name,))


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    kinds = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else kinds


def _references(schema: Mapping[str, Any]) -> Iterator[str]:
    if "$ref" in schema:
        yield _name(schema["$ref"])
    for inner in [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]:
        yield from _references(inner)


def _name(reference: str) -> str:
    return reference.removeprefix("#/definitions/")


def _place(*parts: Any) -> str:
    return "/".join(map(str, parts))


def _did_you_mean(word: str, names: Iterable[str]) -> str:
    folded = {name.lower(): name for name in names}
    near = difflib.get_close_matches(word[:60].lower(), folded, 1)
    return f"; did you mean {folded[near[0]]!r}?" if near else ""
