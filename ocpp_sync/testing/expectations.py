"""What a test expects a charge point to send: does a request have these fields, and what it has instead."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .. import messages
from ..redaction import redact
from .conversation import ReceivedRequest
from .possible import EVERY, SEPARATOR, check_action, check_fields

__all__ = ["Expectation"]

_MAX_SHOWN = 200  # characters of a value

_MISSING = object()


class Expectation:
    """An action and what its payload must have.

    Args:
        action: The action, or ``"*"`` for any.
        fields: The values of fields, by name; the parts of a path are joined by ``__``, and numbers are places in a list. A mapping
            is what the object there must have, a list what its items must have, a callable is asked about the value, None
            stands for a field that is not there, and anything else is compared.
        identity: The charge point; None is any.
        keys: The versions, or the keys of their schemas, that the server speaks.

    Raises:
        ValueError: No charge point sends this action, or it can have no such field, or no such value.
    """

    def __init__(self, action: str, fields: Mapping[str, Any], identity: str | None, keys: Sequence[str]) -> None:
        __tracebackhide__ = True
        self._action = action
        self._fields = fields
        self._identity = identity
        if action != EVERY:
            check_action(action, keys)
            check_fields(action, fields, keys)

    def is_about(self, request: ReceivedRequest) -> bool:
        """Whether a request is of the charge point and the action that it is about."""
        return self._is_of(request) and self._action in (EVERY, request.action)

    def _is_of(self, request: ReceivedRequest) -> bool:
        # Identities of 2.x are the same whatever their case.
        fold = str if request.version == "1.6" else str.lower
        return self._identity is None or fold(self._identity) == fold(request.identity)

    def is_met_by(self, request: ReceivedRequest) -> bool:
        """Whether a request is what is expected; functions of the user are asked."""
        return self.is_about(request) and not self.differences(request)

    def differences(self, request: ReceivedRequest) -> list[str]:
        """In what the payload of a request is not as expected, for people; secrets in it are masked."""
        return list(_differences(self._fields, request.payload, _without_secrets(request), ""))

    def __str__(self) -> str:
        fields = ", ".join(f"{name}={_wanted(value)}" for name, value in self._fields.items())
        action = "request" if self._action == EVERY else self._action
        who = f" of {self._identity}" if self._identity is not None else ""
        return f"{action}{who}{f' with {fields}' if fields else ''}"


# --- Comparing


def _differences(expected: Mapping[str, Any], actual: Any, shown: Any, at: str) -> Iterator[str]:
    for name, wanted in expected.items():
        path, value, value_shown = at, actual, shown
        for part in name.split(SEPARATOR):
            path = f"{path}[{part}]" if part.isdecimal() else f"{path}.{part}" if path else part
            value, value_shown = _inside(value, part), _inside(value_shown, part)
        yield from _difference(wanted, value, value_shown, path)


def _inside(value: Any, part: str) -> Any:
    if isinstance(value, list) and part.isdecimal():
        return value[int(part)] if int(part) < len(value) else _MISSING
    return value.get(part, _MISSING) if isinstance(value, dict) else _MISSING


def _difference(wanted: Any, value: Any, shown: Any, path: str) -> Iterator[str]:
    if wanted is None:
        if value is not _MISSING and value is not None:
            yield f"{path}: {_short(shown)}, but it should not be there"
    elif value is _MISSING:
        yield f"{path}: missing, not {_wanted(wanted)}"
    elif isinstance(wanted, Mapping) and isinstance(value, dict):
        yield from _differences(wanted, value, shown, path)
    elif isinstance(wanted, (list, tuple)) and isinstance(value, list):
        if len(wanted) != len(value):
            yield f"{path}: {len(value)} items, not {len(wanted)}"
        else:
            for place, pair in enumerate(zip(wanted, value, shown, strict=True)):
                yield from _difference(*pair, f"{path}[{place}]")
    elif callable(wanted):
        if (problem := _refusal(wanted, value, is_masked=shown != value)) is not None:
            yield f"{path}: {_short(shown)}, {problem}"
    elif not _is_equal(wanted, value):
        yield f"{path}: {_short(shown)}, not {_wanted(wanted)}"


def _is_equal(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, (int, float)) and isinstance(value, bool) != isinstance(wanted, bool):
        return False  # in JSON true is not 1
    return bool(wanted == value)


def _refusal(predicate: Any, value: Any, *, is_masked: bool) -> str | None:
    """Why a function of the user does not take a value, or a type has it not as an instance; None if it does.

    Of a value that is masked, what the function raises is not quoted: it may tell the value.
    """
    if isinstance(predicate, type):
        is_one = isinstance(value, predicate) and (predicate is bool or not isinstance(value, bool))
        return None if is_one else f"not of the type {predicate.__name__}"
    try:
        return None if predicate(value) else f"which {_wanted(predicate)} does not take"
    except Exception as error:
        return f"for which {_wanted(predicate)} raises {type(error).__name__}{'' if is_masked else f': {error}'}"


def _wanted(value: Any) -> str:
    if isinstance(value, type) or (callable(value) and hasattr(value, "__name__")):
        return str(value.__name__)
    return _short(value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def _without_secrets(request: ReceivedRequest) -> Any:
    """The payload with each secret masked, in the shape that it has."""
    text = messages.write_json([2, request.message_id, request.action, request.payload])
    masked = redact(text)
    return request.payload if masked == text else json.loads(masked)[3]
