"""Time-outs as users give them, and deadlines as they are carried through the steps of an operation: ``time.monotonic()`` seconds."""

from __future__ import annotations

import threading
import time

__all__ = ["checked_timeout", "remaining"]


def checked_timeout(timeout: float | None, name: str) -> float | None:
    """A number of seconds, or None.

    Raises:
        ValueError: It is negative, or no number.
    """
    # "not >=", so that NaN is refused too.
    if timeout is not None and not timeout >= 0:
        raise ValueError(f"{name} is a number of seconds or None, not {timeout!r}")
    return None if timeout is None else min(timeout, threading.TIMEOUT_MAX / 2)


def remaining(deadline: float | None) -> float | None:
    """Seconds until a deadline, 0 when it has passed; None is never."""
    return None if deadline is None else max(0.0, deadline - time.monotonic())
