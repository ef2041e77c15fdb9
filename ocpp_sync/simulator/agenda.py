"""What a station has to do: at once, one thing after the other, or later."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable

from ..clock import Clock

__all__ = ["Agenda", "Appointment"]

_log = logging.getLogger("ocpp_sync")

Task = Callable[[], object]


class Appointment:
    """A task for later.

    Attributes:
        due: When, in ``monotonic()`` seconds of the clock.
    """

    __slots__ = ("_order", "due", "task")

    def __init__(self, due: float, order: int, task: Task) -> None:
        self.due = due
        self._order = order
        self.task: Task | None = task

    def cancel(self) -> None:
        """Let it not take place; from any thread, and late or twice does not hurt."""
        self.task = None

    def __lt__(self, other: Appointment) -> bool:
        return (self.due, self._order) < (other.due, other._order)


class Agenda:
    """One thread for all that a station does by itself. Its tasks may wait for the CSMS; what is due meanwhile is late.

    Args:
        name: The name of the thread.
        clock: The clock.
        speed: How many seconds of the station pass in one of the clock.
        failed: Told of an exception that a task raises, which ends nothing.
    """

    def __init__(self, name: str, clock: Clock, speed: float, failed: Callable[[Exception], object]) -> None:
        self._name = name
        self._clock = clock
        self._speed = speed
        self._failed = failed
        self._began = clock.monotonic()
        self._lock = threading.Lock()  # guards what follows
        self._changed = threading.Condition(self._lock)
        self._tasks: deque[Task] = deque()
        self._appointments: list[Appointment] = []
        self._order = itertools.count()
        self._thread: threading.Thread | None = None
        self._closed = False

    @property
    def now(self) -> float:
        """Seconds of the station since it was made."""
        return (self._clock.monotonic() - self._began) * self._speed

    @property
    def is_current(self) -> bool:
        """Whether this is its thread."""
        return self._thread is threading.current_thread()

    def soon(self, task: Task) -> None:
        """Run something as soon as what was put before has run; from any thread."""
        with self._lock:
            self._tasks.append(task)
            self._start()
            self._changed.notify_all()

    def after(self, seconds: float, task: Task) -> Appointment:
        """Run something later; from any thread.

        Args:
            seconds: Seconds of the station from now on.
            task: What to run.
        """
        with self._lock:
            appointment = Appointment(self._clock.monotonic() + max(0.0, seconds) / self._speed, next(self._order), task)
            heapq.heappush(self._appointments, appointment)
            self._start()
            self._changed.notify_all()
        return appointment

    def close(self) -> None:
        """Begin nothing more; what is under way comes to its end."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()

    def join(self, timeout: float | None) -> bool:
        """Wait for the end of the thread; false if it still runs then. Its own is not waited for."""
        thread = self._thread
        if thread is None or self.is_current:
            return True
        thread.join(timeout)
        return not thread.is_alive()

    def _start(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while (task := self._next()) is not None:
            try:
                task()
            except Exception as error:
                _log.exception("%s: a task failed", self._name)
                self._failed(error)

    def _next(self) -> Task | None:
        with self._lock:
            while not self._closed:
                if self._tasks:
                    return self._tasks.popleft()
                due = self._next_due()
                if due is not None and due <= self._clock.monotonic():
                    task = heapq.heappop(self._appointments).task
                    if task is not None:
                        return task
                else:
                    self._clock.wait(self._changed, due, "station")
            return None

    def _next_due(self) -> float | None:
        while self._appointments and self._appointments[0].task is None:
            heapq.heappop(self._appointments)
        return self._appointments[0].due if self._appointments else None
