"""Payloads against the schemas of OCPP: what is wrong, where, and what was probably meant.

:mod:`~ocpp_sync.acceptance` lets pass what is surely right, and jsonschema decides about the rest. This module adds what OCPP
needs beside it (exact ``multipleOf``, the two formats, numbers and nesting that JSON cannot carry) and turns the result into an
:class:`~ocpp_sync.errors.InvalidPayload` that a person can act on.
"""

from __future__ import annotations

import functools
import itertools
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .acceptance import acceptor, is_surely_valid
from .decimals import is_decimal
from .errors import InvalidPayload, spell_code
from .schemas import VERSIONS, action_names, actions, base_version, definitions, overlaid

if TYPE_CHECKING:
    from decimal import Decimal
    from os import PathLike

    from jsonschema import FormatChecker, ValidationError
    from jsonschema.protocols import Validator

__all__ = ["ValidationPolicy", "error_code", "invalid_action", "validate"]

# Rule B12: the error code of each keyword, "action" being ours for an action that cannot be used.
_CODES = {
    "action": "NotImplemented",
    "additionalProperties": "FormatViolation",
    "enum": "PropertyConstraintViolation",
    "format": "PropertyConstraintViolation",
    "maxItems": "OccurrenceConstraintViolation",
    "maxLength": "PropertyConstraintViolation",
    "maximum": "PropertyConstraintViolation",
    "minItems": "OccurrenceConstraintViolation",
    "minimum": "PropertyConstraintViolation",
    "multipleOf": "PropertyConstraintViolation",
    "required": "OccurrenceConstraintViolation",
    "type": "TypeConstraintViolation",
}
_LIMITS = {
    "maxItems": "{size} items are too many, the limit is {limit}",
    "maxLength": "{size} characters are too many, the limit is {limit}",
    "maximum": "{value} is above the maximum {limit}",
    "minItems": "{size} items are too few, at least {limit} must be there",
    "minimum": "{value} is below the minimum {limit}",
    "multipleOf": "{value} is not a multiple of {limit}",
}
_FORMATS = {
    "date-time": "{value} is no date and time of ISO 8601, such as 2025-01-31T12:00:00Z",
    # The value stays out of the message: a URI may carry a user's password.
    "uri": "this is no URI: it needs a scheme, such as https:, and has no white space",
}
_TYPES = {
    "array": "an array",
    "boolean": "a boolean",
    "integer": "an integer",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}

_MAX_DEPTH = 100
_MAX_LISTED = 12  # an enumeration or a list of fields up to this length is shown as a whole
_MAX_SHOWN = 60  # characters of a value
_MAX_ERRORS = 20  # how many errors are weighed against each other, and
_MAX_GUESSED = 5  # how many unknown fields against the right ones: a peer must not keep us busy with a million
_MAX_NUMBER = int(sys.float_info.max)
_SECRET = ("password", "key", "secret")

_MODES = ("strict", "warn", "off")
_DIRECTIONS = ("in", "out")

_Path = tuple[str | int, ...]


def validate(
    action: str,
    payload: Any,
    *,
    version: str,
    kind: str = "request",
    schemas: Mapping[str, Any] | str | PathLike[str] | None = None,
    hints: bool = False,
) -> None:
    """Check a payload against the schema of its action.

    Args:
        action: The action, spelt as on the wire.
        payload: The payload, as json.loads makes it; Decimals are numbers too.
        version: ``"1.6"``, ``"2.0.1"`` or ``"2.1"``.
        kind: ``"request"`` or ``"response"``.
        schemas: What is laid over the schemas of OCPP, see docs/own-messages.md; None is nothing.
        hints: Whether the error says what to write instead, as far as the schemas of all versions tell. It is more work, and meant for
            payloads of one's own, not for those of a peer.

    Raises:
        InvalidPayload: The payload breaks the schema, or the version defines no such action or response.
        SchemaError: There is something wrong with ``schemas``.
        ValueError: An unknown version or kind.
    """
    if schemas is not None:
        version = overlaid(schemas).get(version, version)
    try:
        if is_surely_valid(version, action, kind, payload):
            return
    except TypeError:
        pass  # what cannot even be looked up; see below
    if kind not in ("request", "response"):
        raise ValueError(f"a payload is a 'request' or a 'response', not {kind!r}")
    known = actions(version)
    if action not in known:
        raise _invalid(action, (), "action", _unknown_action(action, version, hints), version)
    if kind == "response" and known[action].is_send:
        raise _invalid(action, (), "action", "a SEND is never answered, so it has no response", version)
    if acceptor(version, action, kind)(payload):
        return
    problem = _unlike_json(payload)
    if problem is not None:
        path, message = problem
        if hints:
            from .hints import about_object

            message += about_object(payload, path)
        raise _invalid(action, path, "type", message, version)
    errors = list(itertools.islice(_validator(version, action, kind).iter_errors(payload), _MAX_ERRORS))
    if errors:
        # min() keeps the schema's own order among equals, so the choice is always the same.
        error = min(errors, key=_usefulness)
        error, message = _with_hint(errors, error, version, action, kind) if hints else (error, _message(error))
        raise _invalid(action, tuple(error.absolute_path), str(error.validator), message, version)


def error_code(keyword: str, version: str) -> str:
    """The OCPP error code for a failed JSON schema keyword, as the version spells it (rule B12); GenericError for others."""
    return spell_code(_CODES.get(keyword, "GenericError"), base_version(version))


def invalid_action(action: str, message: str, version: str, keyword: str = "action") -> InvalidPayload:
    """The error for an action that cannot be used here, or a payload that is wrong as a whole."""
    return _invalid(action, (), keyword, message, version)


class ValidationPolicy:
    """Which payloads are checked, and what becomes of an invalid one; made from what a user gives as ``validation=``.

    Args:
        validation: ``"strict"`` (refuse), ``"warn"`` (log only) or ``"off"`` for everything; or a mapping to these from
            ``"*"``, a direction (``"in"``, ``"out"``), an action, or both (``"in:MeterValues"``). The most specific key
            wins, in the order direction:action, action, direction, ``"*"``; without any of them it is strict.
        versions: The versions, or their keys, whose actions may be named.

    Raises:
        ValueError: A key or a mode that does not exist; the text names it and the nearest right one.
    """

    __slots__ = ("_modes",)

    def __init__(self, validation: str | Mapping[str, str] = "strict", versions: Collection[str] = VERSIONS) -> None:
        self._modes = {"*": validation} if isinstance(validation, str) else {"*": "strict", **validation}
        for key, mode in self._modes.items():
            _check_key(key, versions)
            if mode not in _MODES:
                hint = _did_you_mean(str(mode), _MODES)
                raise ValueError(f"validation: {mode!r} for {key!r} is not one of {_listed(str(mode), _MODES)}{hint}")

    def mode(self, direction: str, action: str) -> str:
        """``"strict"``, ``"warn"`` or ``"off"`` for an action's payload that comes ``"in"`` or goes ``"out"``."""
        for key in (f"{direction}:{action}", action, direction):
            if key in self._modes:
                return self._modes[key]
        return self._modes["*"]


def _check_key(key: str, versions: Collection[str]) -> None:
    if key in ("*", *_DIRECTIONS):
        return
    # The documents are looked at only when a mapping names actions.
    known = sorted({name for version in versions for name in action_names(version)})
    with_direction = [f"{direction}:{name}" for direction in _DIRECTIONS for name in known]
    if key not in known and key not in with_direction:
        right = with_direction if ":" in str(key) else ["*", *_DIRECTIONS, *known]
        hint = _did_you_mean(str(key), right)
        raise ValueError(f"validation: {key!r} is no action, no direction ('in', 'out'), no 'direction:action' and not '*'{hint}")


# --- What jsonschema must not see


def _unlike_json(payload: Any) -> tuple[_Path, str] | None:
    """Where and why a payload is nothing that JSON can carry, or None.

    It walks with a stack of its own, and no deeper than the limit, so that neither a hostile peer nor an object that
    contains itself leads to a RecursionError, here or in jsonschema.
    """
    stack: list[tuple[_Path, Any]] = [((), payload)]
    while stack:
        path, value = stack.pop()
        children: Iterable[tuple[Any, Any]]
        if isinstance(value, dict):
            if not all(isinstance(name, str) for name in value):
                return path, "the names of fields must be strings"
            children = value.items()
        elif isinstance(value, list):
            children = enumerate(value)
        elif (problem := _no_scalar(value)) is not None:
            return path, problem
        else:
            continue
        if len(path) == _MAX_DEPTH:
            return path[:1], f"this is nested deeper than {_MAX_DEPTH} levels, or contains itself"
        stack.extend(((*path, key), child) for key, child in children if not isinstance(child, str))
    return None


def _no_scalar(value: Any) -> str | None:
    if value is None or isinstance(value, (str, bool)):
        return None
    if not (isinstance(value, (int, float)) or is_decimal(value)):
        return f"JSON knows nothing like {_type_name(value)}"
    if (is_decimal(value) and value.is_nan()) or not -_MAX_NUMBER <= value <= _MAX_NUMBER:
        return "this is no number that JSON can carry: NaN, infinite or beyond 1.8e308"
    return None


# --- jsonschema, as OCPP needs it


# As for the documents: threads that come first together may each build one, and all of them are good.
@functools.cache
def _validator(version: str, action: str, kind: str) -> Validator:
    entry = actions(version)[action]
    schema = entry.request if kind == "request" else entry.response
    assert schema is not None  # a SEND has been refused before
    # The schema takes its definitions along, so that every jsonschema resolves references by itself, in its own way.
    needed: dict[str, dict[str, Any]] = {}
    waiting = list(_references(schema))
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = definitions(version)[name]
            waiting.extend(_references(needed[name]))
    validator: Validator = _validator_class(entry.draft)({**schema, "definitions": needed}, format_checker=_format_checker())
    return validator


def _references(schema: dict[str, Any]) -> Iterator[str]:
    """The names of the definitions that a schema refers to directly."""
    if "$ref" in schema:
        yield schema["$ref"].rpartition("/")[2]
    if "items" in schema:
        yield from _references(schema["items"])
    for field in schema.get("properties", {}).values():
        yield from _references(field)


@functools.cache
def _validator_class(draft: int) -> Any:
    # It is the slowest import of the package by far, and who turns validation off never needs it.
    from jsonschema import Draft4Validator, Draft6Validator, validators

    extend: Any = validators.extend
    if draft == 4:
        return extend(Draft4Validator, {"multipleOf": _multiple_of})
    whole = Draft6Validator.TYPE_CHECKER.redefine("integer", _is_integer)
    return extend(Draft6Validator, {"multipleOf": _multiple_of}, type_checker=whole)


@functools.cache
def _format_checker() -> FormatChecker:
    from jsonschema import FormatChecker

    checker = FormatChecker(formats=())
    checker.checks("date-time")(_is_date_time)
    checker.checks("uri")(_is_uri)
    return checker


# The largest finite number has 309 digits, so no remainder of what _no_scalar lets pass needs more than that.
_EXACT_DIGITS = 400


def _multiple_of(validator: Validator, divisor: float, value: Any, schema: Any) -> Iterator[ValidationError]:
    """``multipleOf`` in decimal arithmetic: 8.1 is a multiple of 0.1, although 8.1 / 0.1 is none of floats (rule B18)."""
    from decimal import Context

    from jsonschema import ValidationError

    if validator.is_type(value, "number") and Context(prec=_EXACT_DIGITS).remainder(_decimal(value), _decimal(divisor)):
        yield ValidationError("not a multiple")


def _decimal(number: float | Decimal) -> Decimal:
    """The number as it is written; int and float may have subclasses with a ``repr`` of their own."""
    from decimal import Decimal

    return Decimal(float.__repr__(number)) if isinstance(number, float) else Decimal(number)


def _is_integer(checker: object, value: Any) -> bool:
    """Draft 6 goes by the value, ``1.0`` is an integer; draft 4 by the notation (rule B18)."""
    if isinstance(value, float):
        return value.is_integer()
    if is_decimal(value):
        return value == value.to_integral_value()
    return isinstance(value, int) and not isinstance(value, bool)


_DATE_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?",
    re.ASCII,
)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")


def _is_date_time(value: object) -> bool:
    """ISO 8601 with a fraction of any length, and ``Z``, an offset or neither (rule B20); the day must exist."""
    if not isinstance(value, str):
        return True  # that is the business of "type"
    match = _DATE_TIME.fullmatch(value)
    if match is None:
        return False
    try:
        datetime(*map(int, match.groups()))  # type: ignore[arg-type]
    except ValueError:
        return False
    return True


def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or _URI.fullmatch(value) is not None


# --- What the user is told


def _invalid(action: str, path: _Path, keyword: str, message: str, version: str) -> InvalidPayload:
    # A payload that is no object at all is malformed, not a field of the wrong type (rule B12).
    code = error_code("additionalProperties" if keyword == "type" and not path else keyword, version)
    return InvalidPayload(action, _path_text(path), keyword, message, code)


def _path_text(path: _Path) -> str:
    """``("meterValue", 0, "timestamp")`` as ``meterValue[0].timestamp``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _unknown_action(action: str, version: str, hints: bool) -> str:
    base = base_version(version)
    others = [f"OCPP {other}" for other in VERSIONS if other != base and action in action_names(other)]
    but = f", but of {' and '.join(others)}" if others else ""
    hint = None
    if hints:
        from .hints import about_action

        hint = about_action(action, [version])
    return f"{_show(action)} is no action of OCPP {base}{but}{_did_you_mean(action, actions(version)) if hint is None else hint}"


def _usefulness(error: ValidationError) -> tuple[bool, int]:
    """The order in which errors help: a misspelt field explains a missing one; then the nearest to the payload itself."""
    return _misspelt(error) is None, len(error.absolute_path)


def _with_hint(errors: list[ValidationError], error: ValidationError, version: str, action: str, kind: str) -> tuple[ValidationError, str]:
    """The error to show, and its message with what to write instead."""
    from .hints import Message, about_field, about_origin, about_value

    message = Message(version, action, kind)
    # A field of another name or in another place explains a missing one.
    unknown = [other for other in errors if other.validator == "additionalProperties"][:_MAX_GUESSED]
    unknown = [error] if error in unknown else unknown if error.validator == "required" else []
    for other in unknown:
        if (hint := about_field(other, message)) is not None:
            return other, hint
    return error, _message(error) + about_value(error, message) + "".join(about_origin(other, message) for other in unknown[:1])


def _message(error: ValidationError) -> str:
    keyword = str(error.validator)
    limit: Any = error.validator_value
    value: Any = error.instance
    if keyword == "additionalProperties":
        return _extra_field(error)
    if keyword == "required":
        missing = [repr(name) for name in limit if name not in value]
        return f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
    if keyword == "type":
        null = " (a field without a value is left out)" if value is None and error.absolute_path else ""
        right = " or ".join(_TYPES[kind] for kind in ([limit] if isinstance(limit, str) else limit))
        return f"this must be {right}, not {_type_name(value)}{null}"
    secret = any(word in str(part).lower() for part in error.absolute_path for word in _SECRET)
    shown = _type_name(value) if secret else _show(value)
    if keyword == "enum":
        # The suggestions are made from the value too.
        word = "" if secret or not isinstance(value, str) else value
        return f"{shown} is not one of {_listed(word, limit)}{_did_you_mean(word, limit)}"
    if keyword == "format":
        return _FORMATS[limit].format(value=shown)
    size = len(value) if isinstance(value, (str, list)) else None
    return _LIMITS[keyword].format(value=shown, size=size, limit=limit)


def _extra_field(error: ValidationError) -> str:
    name = _misspelt(error)
    fields, unused, extras = _fields(error)
    if name is not None:
        return f"{_show(name)} is not a field here{_did_you_mean(name, unused)}"
    instead = f"the fields are {_listed(extras[0], fields, 'fields')}" if fields else "there are none"
    return f"{_show(extras[0])} is not a field here; {instead}"


def _misspelt(error: ValidationError) -> str | None:
    """The first unknown field whose name is like that of a field that is not there yet."""
    if error.validator != "additionalProperties":
        return None
    _, unused, extras = _fields(error)
    return next((name for name in extras[:_MAX_GUESSED] if _nearest(name, unused)), None)


def _fields(error: ValidationError) -> tuple[list[str], list[str], list[str]]:
    """The fields that an object may have, those of them that it has not, and those that it should not have."""
    schema: Any = error.schema
    value: Any = error.instance
    fields = list(schema.get("properties", ()))
    return fields, [name for name in fields if name not in value], [name for name in value if name not in fields]


def _listed(word: str, names: Collection[str], noun: str = "values") -> str:
    """All the names, or those most like a word when there are many."""
    if len(names) <= _MAX_LISTED:
        return ", ".join(map(repr, names))
    return f"{', '.join(map(repr, _nearest(word, names, count=5, cutoff=0.0)))}, … {len(names)} {noun} in all"


def _did_you_mean(word: str, names: Iterable[str]) -> str:
    return "".join(f"; did you mean {name!r}?" for name in _nearest(word, names))


def _nearest(word: str, names: Iterable[str], count: int = 1, cutoff: float = 0.6) -> list[str]:
    """The names most like a word, best first, whatever their case."""
    import difflib

    folded = {name.lower(): name for name in names}
    return [folded[near] for near in difflib.get_close_matches(word[:_MAX_SHOWN].lower(), folded, count, cutoff)]


def _show(value: Any) -> str:
    # Cut before repr(), which is slow for a long text, and after it, which writes a control character as four.
    text = repr(value[: _MAX_SHOWN + 1]) if isinstance(value, str) else str(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def _type_name(value: Any) -> str:
    """What a value is in JSON's own words, without showing it."""
    if value is None:
        return "null"
    # bool before int, whose subclass it is.
    for kind, name in ((bool, "boolean"), (str, "string"), (int, "integer"), (dict, "object"), (list, "array")):
        if isinstance(value, kind):
            return _TYPES[name]
    return "a decimal number" if isinstance(value, float) or is_decimal(value) else f"a Python {type(value).__name__}"
