"""Message ids that are the same each time a test runs."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator

from .. import endpoint

__all__ = ["CountedIds"]


class CountedIds:
    """Makes the ids ``"CS-1"``, ``"CS-2"``, … of the messages of a charge point, and ``"CSMS-1"``, … of those that go to it.

    They are counted for each identity, over all its links: so none comes twice (rule B2).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], Iterator[int]] = {}

    def __call__(self, side: str, identity: str) -> Callable[[], str]:
        """What makes the ids of an end.

        Args:
            side: Which one it is, ``"CS"`` or ``"CSMS"``.
            identity: The identity of the charge point.
        """
        with self._lock:
            # Identities of 2.x are the same whatever their case.
            count = self._counts.setdefault((side, identity.lower()), itertools.count(1))
        return lambda: f"{side}-{next(count)}"

    def install(self) -> None:
        """Let all links of this process that open from now on have such ids."""
        endpoint.make_ids = self

    def remove(self) -> None:
        """Let those that open from now on have fresh UUIDs again."""
        if endpoint.make_ids is self:
            endpoint.make_ids = None
