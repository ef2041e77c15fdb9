"""What a station knows of tokens by itself: its cache, and the list that the CSMS has sent."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from .connector import Token

__all__ = ["KnownTokens", "TokenInfo"]

_MAX_CACHED = 1000


class TokenInfo(NamedTuple):
    """What the CSMS thinks of a token.

    Attributes:
        status: ``"Accepted"``, or why it is not.
        group: The group that it belongs to; None is none.
        expires: Until when that holds; None is for ever.
    """

    status: str
    group: str | None = None
    expires: datetime | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether it may charge."""
        return self.status == "Accepted"


class KnownTokens:
    """Tokens and what is known of them; the station's lock guards it.

    Attributes:
        version: Of the list; 0 is none.
        listed: The list.
        cached: What the CSMS has said of single ones.
    """

    def __init__(self) -> None:
        self.version = 0
        self.listed: dict[str, TokenInfo] = {}
        self.cached: dict[str, TokenInfo] = {}

    def find(self, token: Token, now: datetime, *, use_list: bool, use_cache: bool) -> TokenInfo | None:
        """What is known of a token; None is nothing, or nothing that still holds."""
        key = token.id.lower()
        info = (self.listed.get(key) if use_list else None) or (self.cached.get(key) if use_cache else None)
        return None if info is None or (info.expires is not None and info.expires <= now) else info

    def learn(self, token: Token, info: TokenInfo) -> None:
        """The CSMS has said something of a token."""
        self.cached.pop(token.id.lower(), None)
        self.cached[token.id.lower()] = info
        if len(self.cached) > _MAX_CACHED:
            del self.cached[next(iter(self.cached))]

    def update(self, version: int, entries: dict[str, TokenInfo | None], *, full: bool) -> bool:
        """The CSMS has sent its list, or what has changed in it; false if that does not fit the version here."""
        if not full and version <= self.version:
            return False
        known = {} if full else dict(self.listed)
        for name, info in entries.items():
            if info is None:
                known.pop(name.lower(), None)
            else:
                known[name.lower()] = info
        self.version, self.listed = version, known
        return True
