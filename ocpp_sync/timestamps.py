"""Times as OCPP writes and reads them (rule B20)."""

from __future__ import annotations

from datetime import datetime, timezone

__all__ = ["format_time", "parse_time", "utcnow"]


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
    if time.tzinfo is None:
        raise ValueError(f"{time!r} has no time zone")
    return time.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """A time that the other side wrote, as an aware datetime in UTC.

    It reads what ISO 8601 and the validation of ``date-time`` allow: a fraction of any length, ``Z`` or an offset. A time with neither
    is taken as UTC.

    Raises:
        ValueError: It is no such time.
    """
    head, dot, rest = text.partition(".")
    if dot:
        # datetime reads three or six digits before Python 3.11, and never more than six.
        digits = len(rest) - len(rest.lstrip("0123456789"))
        head += f".{rest[:digits][:6]:0<6}{rest[digits:]}"
    if head.endswith("Z"):
        head = f"{head[:-1]}+00:00"
    time = datetime.fromisoformat(head)
    return time.replace(tzinfo=timezone.utc) if time.tzinfo is None else time.astimezone(timezone.utc)
