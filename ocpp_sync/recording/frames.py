"""One recorded frame, and how it is found in a line of a log."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from ocpp_sync.schemas import VERSIONS
from ocpp_sync.timestamps import parse_time

__all__ = ["Frame", "frame_in", "other_side"]

_SIDES = ("CS", "CSMS")


class Frame(NamedTuple):
    """A frame, and as much as its line tells of it.

    Attributes:
        line: The number of the line, from 1.
        text: The frame itself.
        time: When it passed, UTC; None if the line does not tell.
        identity: Of the charge point; empty if the line does not tell.
        side: Who recorded it, ``"CS"`` or ``"CSMS"``; None if the line does not tell.
        version: The version of OCPP; None if the line does not tell.
        direction: ``"in"`` or ``"out"``, seen from who recorded it; None if the line does not tell.
        link: Another number for each link; None if the line does not tell.
    """

    line: int
    text: str
    time: datetime | None = None
    identity: str = ""
    side: str | None = None
    version: str | None = None
    direction: str | None = None
    link: int | None = None

    @property
    def sender(self) -> str | None:
        """Who sent it, ``"CS"`` or ``"CSMS"``; None if the line does not tell."""
        if self.side is None or self.direction is None:
            return None
        return self.side if self.direction == "out" else other_side(self.side)


def other_side(side: str) -> str:
    """The other of ``"CS"`` and ``"CSMS"``."""
    return "CSMS" if side == "CS" else "CS"


def frame_in(number: int, line: str) -> Frame | None:
    """The frame that a line of a log holds, if it holds one.

    Args:
        number: The number of the line, from 1.
        line: The line: of a :class:`~ocpp_sync.recording.Recorder`, another JSON object that has a frame in it, or text with a JSON array.
    """
    line = line.strip()
    if line.startswith("{") and isinstance(fields := _json(line), dict):
        return _of_object(number, fields)
    return _of_text(number, line)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


# --- A line that is a JSON object

# How other makes call what a line tells, in the order in which they are looked for; the names of the Recorder come first.
_TIMES = ("time", "timestamp", "@timestamp", "ts", "date")
_IDENTITIES = ("identity", "chargePointId", "chargePoint", "chargingStationId", "stationId", "cpId", "cp", "id")
_DIRECTIONS = ("direction", "dir")
_TEXTS = ("text", "message", "msg", "frame", "payload", "data")


def _of_object(number: int, fields: dict[str, Any]) -> Frame | None:
    if isinstance(fields.get("text"), str) and "direction" in fields:
        text = fields["text"]  # whatever it is: what went over the wire may be nonsense
    else:
        text = next(filter(None, (_frame_text(fields[name]) for name in _TEXTS if name in fields)), None)
        if text is None:
            return None
    side, version, link = fields.get("side"), fields.get("version"), fields.get("link")
    version = version.lower().removeprefix("ocpp") if isinstance(version, str) else None
    return Frame(
        number,
        text,
        _time(_first_text(fields, _TIMES)),
        _first_text(fields, _IDENTITIES),
        side if side in _SIDES else None,
        version if version in VERSIONS else None,
        _direction(_first_text(fields, _DIRECTIONS)),
        link if type(link) is int else None,
    )


def _first_text(fields: dict[str, Any], names: Iterable[str]) -> str:
    return next((fields[name] for name in names if isinstance(fields.get(name), str)), "")


def _frame_text(value: Any) -> str | None:
    if isinstance(value, str):
        return _cut_out(value)[1] if _ARRAY.search(value) else None
    if isinstance(value, list) and value and type(value[0]) is int:
        return json.dumps(value, separators=(",", ":"))
    return None


# --- A line of text

_MAX_PREFIX = 300  # characters before a frame that are searched for its direction
_ARRAY = re.compile(r"\[\s*\d{1,3}\s*,")
_ARRAY_WITH_ID = re.compile(r'\[\s*\d{1,3}\s*,\s*"')  # behind a prefix, which may have lists of numbers of its own
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:[Zz]|[+-]\d\d:?\d\d)?", re.ASCII)
_IDENTITY = re.compile(r"([^\s:\[\]]+): (?:send|receive message) \Z")  # as the Python package ocpp has it
_DIRECTION = re.compile(
    r"(?P<in>\b(?:recv|receiv(?:e|ed|ing)|rx|in|incoming|inbound)\b|<[-=]+|<<+|[←⇐⟵◀])"
    r"|(?P<out>\b(?:sen[dt]|sending|tx|out|outgoing|outbound)\b|[-=]+>|>>+|[→⇒⟶▶])",
    re.IGNORECASE,
)


def _of_text(number: int, line: str) -> Frame | None:
    prefix, text = _cut_out(line)
    if text is None:
        return None
    near = prefix[-_MAX_PREFIX:]  # more would take long, and tell nothing
    identity = _IDENTITY.search(near)
    return Frame(number, text, _time(prefix), identity[1] if identity else "", direction=_direction(near))


def _cut_out(line: str) -> tuple[str, str | None]:
    """What stands before the frame in a line, and the frame."""
    if _ARRAY.match(line) or (line.startswith("[") and isinstance(_json(line), list)):
        return "", _up_to_its_end(line)
    found = _ARRAY_WITH_ID.search(line)
    return ("", None) if found is None else (line[: found.start()], _up_to_its_end(line[found.start() :]))


_decode = json.JSONDecoder().raw_decode


def _up_to_its_end(text: str) -> str:
    """The JSON array that a text begins with; the whole text if it is broken."""
    try:
        return text[: _decode(text)[1]]
    except (ValueError, RecursionError):
        return text


def _time(text: str) -> datetime | None:
    if (found := _TIME.search(text)) is None:
        return None
    try:
        return parse_time(found[0])
    except ValueError:
        return None


def _direction(text: str) -> str | None:
    """What the last word or arrow for a direction says."""
    last = None
    for found in _DIRECTION.finditer(text[-_MAX_PREFIX:]):
        last = found.lastgroup
    return last
