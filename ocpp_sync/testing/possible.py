"""What a test may expect: the actions that charge points send, the fields that they have, and the values that these can have."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..counterparts import Place, places_of
from ..handlers import Handlers
from ..schemas import actions, base_version

__all__ = ["EVERY", "SEPARATOR", "check_action", "check_fields", "did_you_mean"]

EVERY = "*"
"""Stands for any action."""

SEPARATOR = "__"
"""What joins the parts of a path that is the name of an argument."""

_CUSTOM_DATA = "customData"  # which may hold anything
_MAX_WORD = 60  # characters


def check_action(action: str, keys: Sequence[str]) -> None:
    """Check that a charge point sends an action.

    Args:
        action: Its name.
        keys: The versions, or the keys of their schemas, that the server speaks.

    Raises:
        ValueError: It is no action of any of them, or is sent by the CSMS; the text says what to do instead.
    """
    __tracebackhide__ = True
    try:
        Handlers((), keys, "CS").on(action, lambda request: None)
    except ValueError as error:
        raise ValueError(str(error)) from None  # for a short traceback


def check_fields(action: str, fields: Mapping[str, Any], keys: Sequence[str], kind: str = "request") -> None:
    """Check that a message of an action can have these fields, and that these can have such values, in one of the versions.

    Args:
        action: An action that one of them has.
        fields: As those of an :class:`~.expectations.Expectation`.
        keys: The versions, or the keys of their schemas.
        kind: ``"request"`` or ``"response"``.

    Raises:
        ValueError: It cannot; the text says what may have been meant.
    """
    __tracebackhide__ = True
    problems: dict[_Problem, list[str]] = {}
    for key in keys:
        if action in actions(key):
            problem = _impossible(fields, (), places_of(key, action, kind))
            if problem is None:
                return
            problems.setdefault(problem, []).append(base_version(key))
    # A wrong value in one version says more than that another one has no such field.
    most = max(problem.is_about_value for problem in problems)
    texts = [f"{each.text} (OCPP {', '.join(versions)})" for each, versions in problems.items() if each.is_about_value == most]
    raise ValueError(f"{action}: {'; '.join(texts)}")


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """A question about the name that is most like a word, to be added to an error; empty if none is."""
    folded = {name.lower(): name for name in names}
    near = difflib.get_close_matches(word[:_MAX_WORD].lower(), folded, 1)
    return f"; did you mean {folded[near[0]]!r}?" if near else ""


class _Problem(NamedTuple):
    is_about_value: bool
    text: str


def _impossible(fields: Mapping[str, Any], at: tuple[str, ...], places: Sequence[Place]) -> _Problem | None:
    for name, wanted in fields.items():
        path = (*at, *(part for part in name.split(SEPARATOR) if not part.isdecimal()))
        if (problem := _impossible_value(path, wanted, places)) is not None:
            return problem
    return None


def _impossible_value(path: tuple[str, ...], wanted: Any, places: Sequence[Place]) -> _Problem | None:
    place = next((place for place in places if place.names == path), None)
    if place is None:
        return None if _is_unknown(path, places) else _Problem(False, _no_field(path, places))
    if isinstance(wanted, Mapping):
        return _impossible(wanted, path, places)
    if isinstance(wanted, (list, tuple)):
        return next(filter(None, (_impossible_value(path, item, places) for item in wanted)), None)
    if isinstance(wanted, str) and place.values and wanted not in place.values:
        hint = did_you_mean(wanted, place.values) or f", but {', '.join(map(repr, sorted(place.values)))}"
        return _Problem(True, f"{'.'.join(path)} is never {wanted!r}{hint}")
    return None


def _is_unknown(path: tuple[str, ...], places: Sequence[Place]) -> bool:
    """Whether no schema says what there is: in customData, and in a field that may have any content."""
    if _CUSTOM_DATA in path:
        return True
    above = [place for place in places if place.names == path[: len(place.names)]]
    return any("properties" not in place.schema and place.schema.get("type") in (None, "object") for place in above)


def _no_field(path: tuple[str, ...], places: Sequence[Place]) -> str:
    known = {place.names for place in places}
    at = next(length for length in range(1, len(path) + 1) if path[:length] not in known)
    beside = [place.name for place in places if place.names[:-1] == path[: at - 1]]
    where = f" in {'.'.join(path[: at - 1])}" if at > 1 else ""
    hint = did_you_mean(path[at - 1], beside) or f"; there are {', '.join(beside) or 'none'}"
    return f"there is no field {path[at - 1]!r}{where}{hint}"
