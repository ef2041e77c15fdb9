"""How a command is told to end: Ctrl-C, SIGINT and SIGTERM."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["interruptible", "stoppable"]

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

    def stop(number: int) -> None:
        came.append(number)
        raise KeyboardInterrupt

    handle = _once(stop)
    with _handling({signal.SIGINT: handle, signal.SIGTERM: handle}):
        yield came


@contextmanager
def interruptible(terminate: Callable[[], None]) -> Iterator[None]:
    """In the block, a prompt, SIGINT raises KeyboardInterrupt in the main thread however often it comes; SIGTERM is to end the prompt.

    Once the block has ended, a SIGTERM that has come is passed on to whoever handles it outside of it.

    Args:
        terminate: What ends the prompt, called in the main thread at the first SIGTERM; it may raise. One more, a second later, ends the
            process at once.
    """
    came: list[int] = []

    def end(number: int) -> None:
        came.append(number)
        terminate()

    try:
        with _handling({signal.SIGINT: signal.default_int_handler, signal.SIGTERM: _once(end)}):
            yield
    finally:
        for number in came:
            signal.raise_signal(number)


def _once(act: Callable[[int], None]) -> Callable[[int, FrameType | None], None]:
    since: float | None = None

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal since
        now = time.monotonic()
        if since is None:
            since = now
            act(number)
        elif now - since > _ONE_PRESS:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    return handle


@contextmanager
def _handling(handlers: Mapping[int, Any]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in handlers}
    try:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
