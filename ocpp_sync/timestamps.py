"""Times as OCPP writes and reads them (rule B20)."""

from __future__ import annotations

import re
from datetime import datetime, timezone

__all__ = ["format_time", "parse_time", "utcnow"]

# What datetime.fromisoformat() takes differs from one Python to the next, so it is given one form only.
_TIME = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[Tt ](?P<time>\d\d:\d\d:\d\d)(?:[.,](?P<fraction>\d+))?"
    r"(?:[Zz]|(?P<hours>[+-]\d\d)(?::?(?P<minutes>\d\d))?)?",
    re.ASCII,
)


def utcnow() -> str:
    """The current time as OCPP writes it: UTC, ``Z``, milliseconds; for example ``2025-01-31T12:00:00.000Z``."""
    return format_time(datetime.now(timezone.utc))


def format_time(time: datetime) -> str:
    """A time as OCPP writes it; see :func:`utcnow`.

    Args:
        time: An aware datetime of any time zone.

    Raises:
        ValueError: It has no time zone, so nobody can say which moment it is.
    """
    if time.utcoffset() is None:
        raise ValueError(f"{time!r} has no time zone")
    return time.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """A time that the other side wrote, as an aware datetime in UTC.

    It reads date and time of ISO 8601: seconds with a fraction of any length, of which microseconds are kept, and ``Z`` or an offset.
    A time with neither is taken as UTC.

    Raises:
        ValueError: It is no such time.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:60]!r} is no date and time such as 2025-01-31T12:00:00Z")
    fraction = (match["fraction"] or "")[:6]
    offset = f"{match['hours'] or '+00'}:{match['minutes'] or '00'}"
    try:
        return datetime.fromisoformat(f"{match['date']}T{match['time']}.{fraction:0<6}{offset}").astimezone(timezone.utc)
    except OverflowError:
        raise ValueError(f"{text[:60]!r} is before the year 1 or after 9999 in UTC") from None
