"""What happens at a station, for whoever listens."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

__all__ = ["Note"]


class Note(NamedTuple):
    """Something that has happened at a station.

    Attributes:
        time: When, by the CSMS's clock.
        identity: The station.
        connector: The connector; 0 is the station as a whole.
        what: What it is, in a word: ``"plugged"``, ``"started"``, ``"meter"``, …
        text: The same for people.
        data: What belongs to it.
    """

    time: datetime
    identity: str
    connector: int
    what: str
    text: str
    data: dict[str, Any]

    def __str__(self) -> str:
        return f"connector {self.connector}: {self.text}" if self.connector else self.text
