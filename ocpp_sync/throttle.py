"""Slowing down those who guess passwords, and counting the messages of those who send too many."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

__all__ = ["FailureDelays", "RateLimit"]

_BURST = 10.0  # seconds


class FailureDelays:
    """How long the answer to a failed attempt is held back: the longer, the more have failed before. A right one is never held back.

    Args:
        free: How many failures are not held back.
        first: Seconds that the next one is; each after it twice as long.
        longest: Seconds at most.
        forget_after: Seconds after the last failure until all is forgotten.
        max_entries: How many addresses and identities are remembered; the one that failed longest ago goes first.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        *,
        free: int = 3,
        first: float = 0.25,
        longest: float = 5.0,
        forget_after: float = 600.0,
        max_entries: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._free = free
        self._first = first
        self._longest = longest
        self._forget_after = forget_after
        self._max_entries = max_entries
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()

    def failed(self, *keys: Hashable) -> float:
        """An attempt has failed.

        Args:
            keys: What it is remembered by, for example its address and its identity; the one that has failed most often counts.

        Returns:
            Seconds to wait before the answer.
        """
        now = self._clock()
        with self._lock:
            count = max((self._count(key, now) for key in keys), default=0)
            while len(self._failures) > self._max_entries:
                self._failures.popitem(last=False)
        doublings = min(count - self._free - 1, 60)
        return 0.0 if doublings < 0 else min(self._longest, self._first * 2.0**doublings)

    def failures(self, key: Hashable) -> int:
        """How often it has failed lately."""
        count, last = self._failures.get(key, (0, 0.0))
        return 0 if self._clock() - last > self._forget_after else count

    def succeeded(self, *keys: Hashable) -> None:
        """An attempt was right: what failed before is forgotten."""
        with self._lock:
            for key in keys:
                self._failures.pop(key, None)

    def _count(self, key: Hashable, now: float) -> int:
        count, last = self._failures.pop(key, (0, now))
        count = 1 if now - last > self._forget_after else count + 1
        self._failures[key] = count, now
        return count


class RateLimit:
    """How many a second, on the average of ten seconds: a bucket that fills up by and by, and from which each takes one.

    Args:
        rate: How many a second.
        clock: Seconds that only go forward.
    """

    def __init__(self, rate: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._most = max(1.0, _BURST * rate)
        self._left = self._most
        self._clock = clock
        self._filled = clock()

    def take(self) -> bool:
        """Whether one more is allowed; for one thread."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._filled) * self._rate)
        self._filled = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
