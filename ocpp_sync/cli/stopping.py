"""How a command is told to end: Ctrl-C, SIGINT and SIGTERM."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["stoppable"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_ONE_PRESS = 1.0  # seconds in which a further signal is the same wish: of a shell and of what it runs


@contextmanager
def stoppable() -> Iterator[list[int]]:
    """In the block SIGINT and SIGTERM raise KeyboardInterrupt in the main thread; one more, a second later, ends the process at once.

    SIGINT does so where it was ignored, too: a shell ignores it for what a script starts in the background, and whoever sends it there
    means it. In another thread than the main one nothing is changed.

    Returns:
        A list, which holds the number of the first signal once it has come.
    """
    came: list[int] = []
    since = 0.0

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal since
        now = time.monotonic()
        if not came:
            came.append(number)
            since = now
            raise KeyboardInterrupt
        if now - since > _ONE_PRESS:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        for number in _SIGNALS:
            signal.signal(number, handle)
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
