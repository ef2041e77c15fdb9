"""The five messages of OCPP-J and their JSON (rule B1): parse what came in, serialise what goes out."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from .decimals import is_decimal
from .errors import MalformedMessage

__all__ = [
    "KIND_NAMES",
    "MAX_DEPTH",
    "MAX_ID_LENGTH",
    "Call",
    "CallError",
    "CallResult",
    "CallResultError",
    "Message",
    "Send",
    "parse",
    "printable",
    "read_json",
    "serialise",
    "write_json",
]

MAX_DEPTH = 100
"""How deeply JSON may be nested: far more than OCPP needs, far less than what overflows the stack of a small thread."""

MAX_ID_LENGTH = 36
"""Rule B2."""

_MAX_NAME = 60  # characters; no action is so long

_DECIMAL_PLACES = 6  # rule B20, towards a charging station


class Call(NamedTuple):
    """CALL: a request that is answered."""

    message_id: str
    action: str
    payload: dict[str, Any]


class CallResult(NamedTuple):
    """CALLRESULT: the response to a CALL."""

    message_id: str
    payload: dict[str, Any]


class CallError(NamedTuple):
    """CALLERROR: a CALL that could not be handled."""

    message_id: str
    code: str
    description: str
    details: dict[str, Any]


class CallResultError(NamedTuple):
    """CALLRESULTERROR of OCPP 2.1: a CALLRESULT that the caller could not take."""

    message_id: str
    code: str
    description: str
    details: dict[str, Any]


class Send(NamedTuple):
    """SEND of OCPP 2.1: a message that is never answered."""

    message_id: str
    action: str
    payload: dict[str, Any]


Message = Call | CallResult | CallError | CallResultError | Send

_TYPES: dict[int, type[Message]] = {2: Call, 3: CallResult, 4: CallError, 5: CallResultError, 6: Send}
_NUMBERS = {kind: number for number, kind in _TYPES.items()}

KIND_NAMES = {number: kind.__name__.upper() for number, kind in _TYPES.items()}
"""How OCPP calls the messages, by their type: ``2`` is ``"CALL"``."""

_REQUESTS = (Call, Send)
_ERRORS = (CallError, CallResultError)


def printable(action: str) -> str:
    """The name of an action for a log: what the other side made up cannot write lines of it."""
    return action if len(action) <= _MAX_NAME and action.isidentifier() else repr(action[:_MAX_NAME])


def parse(text: str, kinds: frozenset[type[Message]]) -> Message:
    """Read one message.

    A null payload is read as ``{}`` (rule B14); an error's description and details may be missing or null (rule B13).

    Args:
        text: One WebSocket text message.
        kinds: The kinds of message that the version at hand knows (rules B1, B7).

    Raises:
        MalformedMessage: It is none of them. Its attributes tell as much of the message as could be read.
    """
    array = _load(text, kinds)
    message = _usual(array, text, kinds)
    if message is not None:
        return message
    if not isinstance(array, list) or not array:
        raise MalformedMessage("a message must be a JSON array that begins with its type")
    number, *rest = array
    lone_surrogate = _has_lone_surrogate(text, array)
    message_id = rest[0] if rest and isinstance(rest[0], str) and not (lone_surrogate and _not_unicode(rest[0])) else None
    # A boolean or 2.0 equals an integer in Python, but is no message type.
    kind = _TYPES.get(number) if type(number) is int else None
    if kind is None or kind not in kinds:
        shown = number if type(number) is int and abs(number) < 1_000_000 else "of no integer"
        raise MalformedMessage(f"there is no message type {shown}", message_id, "MessageTypeNotSupported")
    if message_id is None:
        raise MalformedMessage("the message id is no string of characters", None, "RpcFrameworkError", kind)
    if len(message_id) > MAX_ID_LENGTH:
        raise MalformedMessage(f"the message id is longer than {MAX_ID_LENGTH} characters", message_id, "RpcFrameworkError", kind)
    if lone_surrogate:
        raise MalformedMessage("the text holds half of a surrogate pair, which is no character", message_id, "FormatViolation", kind)
    return _build(kind, message_id, rest[1:])


_USUAL: dict[int, type[Message]] = {4: Call, 3: CallResult}


def _usual(array: Any, text: str, kinds: frozenset[type[Message]]) -> Message | None:
    """A CALL or CALLRESULT without anything unusual, in a third of the time that it takes to find out what is wrong with others."""
    if type(array) is not list or "\\u" in text:
        return None
    kind = _USUAL.get(len(array))
    if kind not in kinds or type(array[0]) is not int or _TYPES.get(array[0]) is not kind:
        return None
    if not (type(array[1]) is str and len(array[1]) <= MAX_ID_LENGTH and type(array[-1]) is dict):
        return None
    if kind is Call:
        return Call(array[1], array[2], array[3]) if type(array[2]) is str else None
    return CallResult(array[1], array[2])


def _build(kind: Any, message_id: str, fields: list[Any]) -> Message:
    def malformed(reason: str, code: str = "FormatViolation") -> MalformedMessage:
        return MalformedMessage(reason, message_id, code, kind)

    if kind in _ERRORS:
        if not 1 <= len(fields) <= 3 or not isinstance(fields[0], str):
            raise malformed("an error must have a code, a description and details")
        code, description, details = (*fields, None, None)[:3]
        description = description if isinstance(description, str) else ""
        error: Message = kind(message_id, code, description, details if isinstance(details, dict) else {})
        return error
    names = 2 if kind in _REQUESTS else 1
    if len(fields) != names:
        raise malformed(f"the message must have {names + 2} elements, not {len(fields) + 2}", "RpcFrameworkError")
    payload = {} if fields[-1] is None else fields[-1]
    if kind in _REQUESTS and not isinstance(fields[0], str):
        raise malformed("the action is no string", "RpcFrameworkError")
    if not isinstance(payload, dict):
        raise malformed("the payload must be a JSON object")
    message: Message = kind(message_id, *fields[:-1], payload)
    return message


def serialise(message: Message, *, short_decimals: bool = False) -> str:
    """Write one message as JSON, as short as it can be.

    Args:
        message: What goes out. Decimals in it become numbers.
        short_decimals: Round numbers to the six places that a charging station must be able to take (rule B20).

    Raises:
        ValueError: It holds what JSON cannot carry: NaN, an infinity, half of a surrogate pair, an object that contains itself, or
            a Python object that JSON knows nothing of.
    """
    fields: list[Any] = [_NUMBERS[type(message)], *message]
    try:
        text = _encode(fields)
        if short_decimals and _has_long_decimal(text):
            text = _encode(_rounded(fields))
        if not text.isascii():
            text.encode()
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair is no character that JSON can carry") from None
    except (TypeError, ArithmeticError, RecursionError) as error:
        raise ValueError(str(error)) from None
    return text


def read_json(text: str) -> Any:
    """Read JSON that is in a message as a text, with the same bounds.

    Raises:
        ValueError: It is none.
    """
    if _too_deep(text):
        raise ValueError(f"the JSON is nested deeper than {MAX_DEPTH} levels")
    try:
        value = _decode(text)
    except RecursionError as error:
        raise ValueError(str(error)) from None
    if _has_lone_surrogate(text, [value]):
        raise ValueError("the text holds half of a surrogate pair, which is no character")
    return value


def write_json(value: Any) -> str:
    """Write JSON that goes into a message as a text.

    Raises:
        ValueError: As for :func:`serialise`.
    """
    try:
        return _encode(value)
    except (TypeError, ArithmeticError, RecursionError) as error:
        raise ValueError(str(error)) from None


# --- Reading


def _load(text: str, kinds: frozenset[type[Message]]) -> Any:
    if text.count("[") + text.count("{") > MAX_DEPTH and _too_deep(text):
        problem = f"the JSON is nested deeper than {MAX_DEPTH} levels"
    else:
        try:
            return _decode(text)
        except (ValueError, RecursionError):
            problem = "the text is no JSON"  # and not what the parser says, which may quote it
    # What begins like an answer or a SEND must not be answered, whatever follows (rules B16, B17).
    begins = _BEGINNING.match(text)
    kind = _TYPES[int(begins[1])] if begins else None
    raise MalformedMessage(problem, None, "RpcFrameworkError", kind if kind in kinds else None)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_decode = json.JSONDecoder(parse_constant=_refuse_constant).decode

_BEGINNING = re.compile(r"\s*\[\s*([3-6])\s*,")
_ESCAPE = re.compile(r"\\.", re.DOTALL)
_STRING = re.compile(r'"[^"]*"')
_BRACKET = re.compile(r"[\[\]{}]")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


def _too_deep(text: str) -> bool:
    """Whether the brackets outside strings are nested too deeply, found without recursion and in linear time."""
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", _ESCAPE.sub("", text))):
        depth += 1 if bracket.group() in "[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _has_lone_surrogate(text: str, array: list[Any]) -> bool:
    # A WebSocket text is valid UTF-8, so only an escape can bring one.
    return "\\u" in text and _SURROGATE_ESCAPE.search(text) is not None and _not_unicode(json.dumps(array, ensure_ascii=False))


def _not_unicode(text: str) -> bool:
    try:
        if not text.isascii():
            text.encode()
    except UnicodeEncodeError:
        return True
    return False


# --- Writing


def _plain_number(value: Any) -> Any:
    if is_decimal(value):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"JSON knows nothing like a Python {type(value).__name__}")


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain_number).encode

_LONG_FRACTION = re.compile(r"\.\d{7}")
_SMALL_NUMBER = re.compile(r"[:,\[]-?\d+(?:\.\d+)?e-\d")  # and not what a UUID may look like


def _has_long_decimal(text: str) -> bool:
    # As one pattern it takes three times as long.
    return _LONG_FRACTION.search(text) is not None or ("e-" in text and _SMALL_NUMBER.search(text) is not None)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(inner) for inner in value]
    if is_decimal(value):
        value = _plain_number(value)
    return round(value, _DECIMAL_PLACES) if isinstance(value, float) else value
