"""Makes recorded payloads good for today: their times moved, and their transactions those of now."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from ocpp_sync.timestamps import parse_time

__all__ = ["TRANSACTION_ID", "Renewal", "is_time", "times_in"]

TRANSACTION_ID = "transactionId"

_TIME = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)(?P<between>[Tt ])(?P<time>\d\d:\d\d:\d\d)(?:(?P<point>[.,])(?P<fraction>\d+))?"
    r"(?P<zone>[Zz]|(?P<sign>[+-])(?P<hours>\d\d)(?::?(?P<minutes>\d\d))?)?",
    re.ASCII,
)


def is_time(value: Any) -> bool:
    """Whether a value is a date and time of ISO 8601."""
    if not isinstance(value, str) or _TIME.fullmatch(value) is None:
        return False
    try:
        parse_time(value)
    except ValueError:
        return False
    return True


def times_in(value: Any) -> Iterator[str]:
    """The times in a payload, in order."""
    if isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from times_in(inner)
    elif is_time(value):
        yield value


class Renewal:
    """Renews payloads.

    Args:
        offset: Seconds by which times are moved; whole ones of them, so that their distances stay as they are.

    Attributes:
        transactions: The transaction id of now for each recorded one.
    """

    def __init__(self, offset: float) -> None:
        self._offset = timedelta(seconds=math.floor(offset))
        self.transactions: dict[Any, Any] = {}

    def replace(self, recorded: Any, now: Any) -> None:
        """The transaction that had an id has another one now; whatever is no id is ignored."""
        if all(isinstance(number, (int, str)) and not isinstance(number, bool) for number in (recorded, now)):
            self.transactions[recorded] = now

    def renew(self, value: Any, name: str = "") -> Any:
        """A payload of now.

        Args:
            value: The payload, or what is in it.
            name: The name of the field that it is in.
        """
        if isinstance(value, dict):
            return {inner: self.renew(field, inner) for inner, field in value.items()}
        if isinstance(value, list):
            return [self.renew(item, name) for item in value]
        if name == TRANSACTION_ID:
            return self.transaction(value)
        return self._moved(value) if is_time(value) else value

    def transaction(self, recorded: Any) -> Any:
        """The id of now for a recorded one."""
        return self.transactions.get(recorded, recorded)

    def _moved(self, text: str) -> str:
        """A time that is as much later, written as this one."""
        match = _TIME.fullmatch(text)
        assert match is not None
        zone = timedelta()
        if match["sign"]:
            zone = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"] or 0)) * (-1 if match["sign"] == "-" else 1)
        try:
            moved = parse_time(text) + self._offset + zone
        except OverflowError:
            return text
        # The offset is of whole seconds, so the fraction is what it was.
        fraction = f"{match['point']}{match['fraction']}" if match["fraction"] else ""
        return f"{moved:%Y-%m-%d}{match['between']}{moved:%H:%M:%S}{fraction}{match['zone'] or ''}".rjust(len(text), "0")
