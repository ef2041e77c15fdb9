"""SIGTERM, by which a service is told to end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["terminable"]


class _Terminated(BaseException):
    """SIGTERM has come."""


@contextmanager
def terminable() -> Iterator[list[int]]:
    """In the block SIGTERM ends what the main thread waits for, and then the block.

    In another thread, and if the program has a handler of its own for it, nothing is changed.

    Returns:
        A list, which holds the signal if it has come.
    """
    came: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        if not came:  # a second one must not end what the first has begun
            came.append(number)
            raise _Terminated

    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield came
        return
    try:
        signal.signal(signal.SIGTERM, handle)
        yield came
    except _Terminated:
        pass
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
