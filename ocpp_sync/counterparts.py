"""What a version of OCPP has for what another version calls otherwise, found in their schemas.

Names are compared by their words, values by what enumerations have in common; and of a name that is gone and another that is new, it
counts whether that is so in most of the messages that two versions share. It is a guess, made only where it is sure: one thing must be
the other's best, and by far.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from .schemas import actions, definitions

__all__ = ["KINDS", "Place", "fold", "places_of", "resolved", "same_actions", "same_field"]

KINDS = ("request", "response")

_MAX_NAME = 60  # characters of a name
_MAX_PLACES = 1_000  # fields of a message; the longest of OCPP has 178

# Two fields are the same under another name if each is the other's best and they score this.
_SURE = 0.66
# Two actions, if so much of the names is the same, so much of the request's fields is there, and the next best has so much less.
_SURE_NAME, _SURE_REQUEST, _SURE_MARGIN = 0.42, 0.7, 0.2


class Place(NamedTuple):
    """A field of a message, somewhere in it.

    Attributes:
        names: The names of the fields that lead to it, its own last.
        text: The same as text: ``"meterValue[].timestamp"``.
        schema: The schema of its value, or of its items, the reference resolved.
        required: Whether it must be there if what it is in is there.
    """

    names: tuple[str, ...]
    text: str
    schema: Mapping[str, Any]
    required: bool

    @property
    def name(self) -> str:
        """Its own name."""
        return self.names[-1]

    @property
    def values(self) -> set[str]:
        """The values of an enumeration; else empty."""
        return {value for value in self.schema.get("enum", ()) if isinstance(value, str)}


# --- Actions


@functools.lru_cache(maxsize=64)
def same_actions(action: str, theirs: str, ours: str) -> list[str]:
    """The actions of our version that do what an action of theirs does: one, or all those that it has replaced."""
    if one := _same_action(action, theirs, ours):
        return [one]
    return [name for name in actions(ours) if name not in actions(theirs) and _same_action(name, ours, theirs) == action]


@functools.lru_cache(maxsize=256)
def _same_action(action: str, theirs: str, ours: str) -> str | None:
    sender = actions(theirs)[action].sent_by
    words, fields = _words(action), _field_words(theirs, action)
    scores = [(0.0, 0.0, 0.0, "")] * 2
    for name, entry in actions(ours).items():
        if entry.sent_by == sender:
            same_name = _alike(words, _words(name))
            same_request, same_response = map(_share, fields, _field_words(ours, name))
            scores.append((same_name + 0.7 * same_request + 0.3 * same_response, same_name, same_request, name))
    (best, same_name, same_request, name), (second, *_) = sorted(scores, reverse=True)[:2]
    sure = same_name >= _SURE_NAME and same_request >= _SURE_REQUEST and best - second >= _SURE_MARGIN
    return name if sure else None


def _field_words(version: str, action: str) -> tuple[frozenset[str], frozenset[str]]:
    request, response = (frozenset(word for place in places_of(version, action, kind) for word in _words(place.name)) for kind in KINDS)
    return request, response


# --- Fields


@functools.lru_cache(maxsize=64)
def same_field(name: str, theirs: str, ours: str, action: str, kind: str) -> Place | None:
    """The field of a message of our version that a field of theirs has become; None if that is not sure."""
    places, our_places = places_of(theirs, action, kind), places_of(ours, action, kind)
    names, our_names = ({place.name for place in some} for some in (places, our_places))
    gone = [place for place in places if place.name not in our_names]
    new = [place for place in our_places if place.name not in names]
    asked = [place for place in gone if place.name == name]
    if not asked or not new:
        return None
    score = _scorer(gone, new, _renamings(theirs, ours))
    # Among equals: what must be there, and what is nearest to the payload itself.
    found = max(new, key=lambda place: (max(score(a, place) for a in asked), place.required, -len(place.names)))
    best = max(score(a, found) for a in asked)
    is_mutual = all(score(rival, found) < best for rival in gone if rival.name != name)
    return found if best >= _SURE and is_mutual else None


def _scorer(gone: list[Place], new: list[Place], renamings: _Renamings) -> Callable[[Place, Place], float]:
    """How much two fields look like the same one, at most 2.6."""
    count: dict[str, int] = {}
    for word in (word for place in (*gone, *new) for word in _words(place.name)):
        count[word] = count.get(word, 0) + 1

    def score(a: Place, b: Place) -> float:
        words, others = _words(a.name), _words(b.name)
        # chargePointVendor is the vendorName of chargingStation: the words of what it is in count, but only where they help.
        found = _alike(words | (_parent_words(a) & others), others | (_parent_words(b) & words), count) if words & others else 0.0
        if a.values and b.values:
            found += 0.8 * len(a.values & b.values) / len(a.values | b.values)
        found += 0.6 * _together(a.name, b.name, renamings)
        return found + 0.1 * (a.required and b.required) + _same_type(a, b)

    return score


def _same_type(a: Place, b: Place) -> float:
    types = {str(place.schema.get("type")) for place in (a, b)}
    # A text may become an object with that text, but a number no text.
    return 0.1 if len(types) == 1 else 0.0 if "object" in types else -0.2


_Renamings = tuple[tuple[frozenset[str], frozenset[str]], ...]


@functools.lru_cache(maxsize=6)
def _renamings(theirs: str, ours: str) -> _Renamings:
    """Of each message of both versions: the names that only theirs has, and those that only ours has."""
    found = []
    for action, kind in itertools.product(actions(theirs).keys() & actions(ours).keys(), KINDS):
        a, b = (frozenset(place.name for place in places_of(version, action, kind)) for version in (theirs, ours))
        found.append((a - b, b - a))
    return tuple(pair for pair in found if all(pair))


def _together(a: str, b: str, renamings: _Renamings) -> float:
    """How regularly one name is missing where the other is new, from 0 to 1; once is no rule."""
    both = sum(a in gone and b in new for gone, new in renamings)
    either = sum((a in gone) + (b in new) for gone, new in renamings)
    return (1 - 1 / both) * 2 * both / either if both else 0.0


def _parent_words(place: Place) -> frozenset[str]:
    return _words(place.names[-2]) if len(place.names) > 1 else frozenset()


# --- Schemas and words


@functools.lru_cache(maxsize=32)
def places_of(version: str, action: str, kind: str) -> tuple[Place, ...]:
    """All fields of a message, however deep, customData only where it is the message's own; none if there is no such message."""
    entry = actions(version).get(action)
    schema = None if entry is None else entry.request if kind == "request" else entry.response
    return () if schema is None else tuple(itertools.islice(_walk(schema, definitions(version), (), "", ()), _MAX_PLACES))


def _walk(
    schema: Mapping[str, Any], known: Mapping[str, Any], names: tuple[str, ...], prefix: str, outside: tuple[int, ...]
) -> Iterator[Place]:
    inside = (*outside, id(schema))
    for name, field in schema.get("properties", {}).items():
        if name == "customData" and names:
            continue
        is_array = field.get("type") == "array"
        item = resolved(field["items"] if is_array else field, known)
        text = f"{prefix}{name}"
        yield Place((*names, name), text, item, name in schema.get("required", ()))
        if id(item) not in inside and name != "customData":
            yield from _walk(item, known, (*names, name), f"{text}{'[]' if is_array else ''}.", inside)


def resolved(schema: Mapping[str, Any], known: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema, or the definition that it refers to."""
    found: Mapping[str, Any] = known.get(schema["$ref"].rpartition("/")[2], {}) if "$ref" in schema else schema
    return found


@functools.lru_cache(maxsize=1024)
def fold(name: str) -> str:
    """A name whatever its case, and whatever stands between its words."""
    return re.sub(r"[\s_-]", "", name[:_MAX_NAME]).lower()


@functools.lru_cache(maxsize=1024)
def _words(name: str) -> frozenset[str]:
    """The words of a name, without their endings: ``chargingStations`` is ``charg`` and ``station``."""
    words = (word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name))
    return frozenset(re.sub(r"(ing|es|e|s)$", "", word) if len(word) > 4 else word for word in words)


def _alike(a: frozenset[str], b: frozenset[str], count: Mapping[str, int] | None = None) -> float:
    """How much two sets of words have in common, from 0 to 1; a word that is in many names says little."""

    def weight(words: frozenset[str]) -> float:
        return sum(1 / (count or {}).get(word, 1) for word in words)

    return 2 * weight(a & b) / (weight(a) + weight(b)) if a and b else 0.0


def _share(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / len(a) if a else 0.0
