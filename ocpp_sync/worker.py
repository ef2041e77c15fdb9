"""The thread that a connection's handlers run on."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial

from .messages import printable

__all__ = ["Worker"]

_log = logging.getLogger("ocpp_sync")

_MAX_THREADS = 4
_MAX_TASKS = 64
_MAX_COST = 4 * 1024 * 1024


class _Run:
    """A thread while it runs tasks of a worker.

    Attributes:
        thread: The thread.
        kind: What its task is for.
        since: When that began, in ``time.monotonic()`` seconds.
        is_awaited: Whether the next task waits for it.
        is_reported: Whether somebody was told that it takes long.
    """

    __slots__ = ("is_awaited", "is_reported", "kind", "since", "thread")

    def __init__(self) -> None:
        self.thread: threading.Thread | None = None
        self.kind = ""
        self.since = 0.0
        self.is_awaited = self.is_reported = False


class Worker:
    """Runs tasks one after the other, on a thread that starts with the first.

    A task that has done the part that others wait for can :meth:`step_aside`: then the next task runs on a further thread.

    Args:
        name: The name of the threads.
        start: Runs a function on a thread that it has, with a name of what it is for; it must not wait, and raises RuntimeError if it has
            none. None is threads of the worker's own, which stay for the next task.

    Attributes:
        room_again: Called when there is room again after :meth:`is_full`, in any thread; it must not wait.
        ended: Called, if there is such a thing, when it is closed and its last task has run; it must not wait either.
    """

    def __init__(self, name: str, start: Callable[[Callable[[], None], str], None] | None = None) -> None:
        self._name = name
        self._start = start
        self.room_again: Callable[[], None] | None = None
        self.ended: Callable[[], None] | None = None
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._tasks: deque[tuple[Callable[[], None], int, str]] = deque()
        self._cost = 0
        self._runs: set[_Run] = set()
        self._running: set[_Run] = set()  # those of them that are in a task
        self._taker: _Run | None = None  # the one of them that takes the next task
        self._told_full = False
        self._waiting = 0  # how many threads wait for a change
        self._closed = False

    def put(self, task: Callable[[], None], cost: int = 0, kind: str = "") -> None:
        """Add a task, which must not raise; it never waits (see :meth:`wait_for_room`).

        Args:
            task: What to run.
            cost: The memory that it holds until then, in bytes.
            kind: What it is for: tasks of a kind take about as long.
        """
        with self._lock:
            self._tasks.append((task, cost, kind))
            self._cost += cost
            if self._taker is None:
                self._start_taker(kind)
            else:
                self._notify()

    def is_full(self) -> bool:
        """Whether so many tasks are waiting that no more should come, until :attr:`room_again` is called."""
        if len(self._tasks) < _MAX_TASKS and self._cost < _MAX_COST:
            return False  # as nearly always
        with self._lock:
            self._told_full = not self._closed and self._is_full
            return self._told_full

    @property
    def _is_full(self) -> bool:
        return len(self._tasks) >= _MAX_TASKS or self._cost >= _MAX_COST

    def wait_for_room(self) -> None:
        """Wait until few enough tasks are waiting, or the worker is closed."""
        if not self._is_full:
            return
        with self._lock:
            while not self._closed and self._is_full:
                self._wait()

    def wait_idle(self, deadline: float | None) -> bool:
        """Wait until no task waits or runs, but for that of the calling thread; false if the deadline came first."""
        this = threading.current_thread()
        with self._lock:
            while self._tasks or any(run.thread is not this for run in self._running):
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return False
                self._wait(left)
        return True

    @property
    def waiting(self) -> int:
        """How many tasks wait for their turn."""
        return len(self._tasks)

    @property
    def has_running(self) -> bool:
        """Whether a task is being run."""
        return bool(self._running)

    def running(self) -> list[tuple[str, float, threading.Thread | None]]:
        """What is being run: the kind, since when in ``time.monotonic()`` seconds, and by which thread."""
        return [(run.kind, run.since, run.thread) for run in self._running.copy()]

    def complain(self, limit: float) -> None:
        """Log each task that others wait for and that has been running for more than ``limit`` seconds, once."""
        now = time.monotonic()
        for run in self._running.copy():
            if run.is_awaited and not run.is_reported and now - run.since > limit:
                run.is_reported = True
                _log.warning(
                    "%s: the handler of %s runs for %.1f s now%s", self._name, printable(run.kind), now - run.since, _place(run.thread)
                )

    def step_aside(self) -> None:
        """Called in a task: the next task need not wait for the rest of this one."""
        with self._lock:
            if self._taker is not None and self._taker.thread is threading.current_thread():
                self._taker.is_awaited = False
                self._taker = None
                self._start_taker()

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closed

    def close(self) -> None:
        """Let the threads end when the tasks that are there have run."""
        with self._lock:
            self._closed = True
            self._notify()
            self._tell_room()
            self._tell_end()

    @property
    def is_current(self) -> bool:
        """Whether the calling thread is one of the worker's."""
        this = threading.current_thread()
        with self._lock:
            return any(run.thread is this for run in self._runs)

    def join(self, deadline: float | None = None) -> bool:
        """Wait until no thread is here any more; the calling one is not waited for.

        Args:
            deadline: Until when, in ``time.monotonic()`` seconds; None is as long as it takes.

        Returns:
            False if one of them still is.
        """
        this = threading.current_thread()
        with self._lock:
            runs = [run for run in self._runs if run.thread is not this]
            while self._start is not None and not self._runs.isdisjoint(runs):
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return False
                self._wait(left)
        if self._start is not None:
            return True
        threads = [run.thread for run in runs if run.thread is not None]
        for thread in threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _start_taker(self, kind: str = "") -> None:
        if self._taker is None and self._tasks and len(self._runs) < _MAX_THREADS:
            self._taker = run = _Run()
            self._runs.add(run)
            try:
                if self._start is not None:
                    self._start(partial(self._run, run), kind)
                else:
                    # A daemon: a handler that never returns must not keep the program from ending.
                    run.thread = threading.Thread(target=self._run, args=(run,), name=self._name, daemon=True)
                    run.thread.start()
            except BaseException as error:
                if run.thread is None or run.thread.ident is None:
                    self._runs.discard(run)
                    self._taker = None
                if not isinstance(error, RuntimeError):
                    raise  # Ctrl-C in a caller that reads
                # Out of threads or memory: whichever thread comes back takes the task, or the next put() tries again.
                _log.exception("%s: no thread can be started", self._name)

    def _run(self, run: _Run) -> None:
        this = run.thread = threading.current_thread()
        name, this.name = this.name, self._name
        while (task := self._take(run)) is not None:
            try:
                task()
            except BaseException:
                # Nothing ends this thread: asyncio.CancelledError and the like are no Exception.
                _log.exception("%s: a task failed", self._name)
        this.name = name

    def _take(self, run: _Run) -> Callable[[], None] | None:
        with self._lock:
            self._running.discard(run)
            if self._taker is None:
                self._taker = run
            if not self._tasks:
                self._notify()  # whoever waits until it is idle
            while self._start is None and self._taker is run and not self._tasks and not self._closed:
                self._wait()
            if self._taker is run and self._tasks:
                task, cost, run.kind = self._tasks.popleft()
                self._cost -= cost
                run.since, run.is_awaited, run.is_reported = time.monotonic(), True, False
                self._running.add(run)
                self._notify()
                self._tell_room()
                return task
            if self._taker is run:
                self._taker = None
            self._runs.discard(run)
            self._notify()
            self._tell_end()
            return None

    def _wait(self, timeout: float | None = None) -> None:
        self._waiting += 1
        try:
            self._changed.wait(timeout)
        finally:
            self._waiting -= 1

    def _notify(self) -> None:
        if self._waiting:
            self._changed.notify_all()

    def _tell_room(self) -> None:
        if self._told_full and (self._closed or not self._is_full):
            self._told_full = False
            if self.room_again is not None:
                self.room_again()

    def _tell_end(self) -> None:
        if self._closed and not self._runs and self.ended is not None:
            ended, self.ended = self.ended, None
            ended()


def _place(thread: threading.Thread | None) -> str:
    """Where a thread is, for the log."""
    ident = None if thread is None else thread.ident
    frame = None if ident is None else sys._current_frames().get(ident)  # noqa: SLF001 (it is documented)
    if frame is None:
        return ""
    return f", and is at {frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}()"
