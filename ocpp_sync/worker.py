"""The thread that a connection's handlers run on."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

__all__ = ["Worker"]

_log = logging.getLogger("ocpp_sync")

_MAX_THREADS = 4
_MAX_TASKS = 64
_MAX_COST = 4 * 1024 * 1024


class Worker:
    """Runs tasks one after the other, on a thread that starts with the first.

    A task that has done the part that others wait for can :meth:`step_aside`: then the next task runs on a further thread.

    Args:
        name: The name of the threads.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._tasks: deque[tuple[Callable[[], None], int]] = deque()
        self._cost = 0
        self._threads: set[threading.Thread] = set()
        self._running: set[threading.Thread] = set()  # those of them that are in a task
        self._taker: threading.Thread | None = None  # the one of them that takes the next task
        self._closed = False

    def put(self, task: Callable[[], None], cost: int = 0) -> None:
        """Add a task, which must not raise; it never waits (see :meth:`wait_for_room`).

        Args:
            task: What to run.
            cost: The memory that it holds until then, in bytes.
        """
        with self._changed:
            self._tasks.append((task, cost))
            self._cost += cost
            self._changed.notify_all()
            self._start_taker()

    def wait_for_room(self) -> None:
        """Wait until few enough tasks are waiting, or the worker is closed."""
        with self._changed:
            while not self._closed and (len(self._tasks) >= _MAX_TASKS or self._cost >= _MAX_COST):
                self._changed.wait()

    def wait_idle(self, deadline: float | None) -> bool:
        """Wait until no task waits or runs, but for that of the calling thread; false if the deadline came first."""
        with self._changed:
            while self._tasks or self._running - {threading.current_thread()}:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return False
                self._changed.wait(left)
        return True

    def step_aside(self) -> None:
        """Called in a task: the next task need not wait for the rest of this one."""
        with self._changed:
            if self._taker is threading.current_thread():
                self._taker = None
                self._start_taker()

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closed

    def close(self) -> None:
        """Let the threads end when the tasks that are there have run."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def is_current(self) -> bool:
        """Whether the calling thread is one of the worker's."""
        return threading.current_thread() in self._threads

    def join(self, deadline: float | None = None) -> bool:
        """Wait for the threads to end; the calling thread is not waited for.

        Args:
            deadline: Until when, in ``time.monotonic()`` seconds; None is as long as it takes.

        Returns:
            False if one of them still runs.
        """
        with self._changed:
            threads = self._threads - {threading.current_thread()}
        for thread in threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _start_taker(self) -> None:
        if self._taker is None and self._tasks and len(self._threads) < _MAX_THREADS:
            # A daemon: a handler that never returns must not keep the program from ending.
            self._taker = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._threads.add(self._taker)
            try:
                self._taker.start()
            except RuntimeError:
                # Out of threads or memory: whichever thread comes back takes the task, or the next put() tries again.
                _log.exception("%s: no thread can be started", self._name)
                self._threads.discard(self._taker)
                self._taker = None

    def _run(self) -> None:
        this = threading.current_thread()
        while (task := self._take(this)) is not None:
            try:
                task()
            except BaseException:
                # Nothing ends this thread: asyncio.CancelledError and the like are no Exception.
                _log.exception("%s: a task failed", self._name)

    def _take(self, this: threading.Thread) -> Callable[[], None] | None:
        with self._changed:
            self._running.discard(this)
            if self._taker is None:
                self._taker = this
            if not self._tasks:
                self._changed.notify_all()  # whoever waits until it is idle
            while self._taker is this and not self._tasks and not self._closed:
                self._changed.wait()
            if self._taker is this and self._tasks:
                task, cost = self._tasks.popleft()
                self._cost -= cost
                self._running.add(this)
                self._changed.notify_all()
                return task
            if self._taker is this:
                self._taker = None
            self._threads.discard(this)
            return None
