"""The threads of a server: one reads all links, and runs their handlers itself as long as these are quick.

Handing a message from thread to thread costs more than all else that is done for it, and threads that wait for the interpreter's lock
wake each other all the time. So one thread, the **leader**, waits for all links at once, and does what there is to do on the spot::

    leader ──► epoll ──► step() of a link ──► its handler ──► the answer goes out ──► epoll …

A handler may wait, though: for a database, a relay, a call of its own. So there is always a second thread that waits to be the next
leader. It takes over when the leader says that it is about to wait (a call in a handler), or when it has been at the same link for too
long; the old leader goes on with its handler and then joins those that wait. A kind of task that took long is not run by the leader again,
but by one of the others, until it has been quick for some time.

The second thread looks at the leader every few milliseconds as long as there is something to do, and not at all when there is nothing.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .server_connection import OcppClientConnection
    from .transport.link import Closed, Link

__all__ = ["Reactor", "is_available"]

_log = logging.getLogger("ocpp_sync")

_LOOK_INTERVAL = 0.01  # seconds between two looks at the leader, and how long it may stay with one link
_QUIET_LOOKS = 3  # without anything to do, until nobody looks any more
_SLOW = 0.002  # seconds; what takes longer is no task for the leader
_PROBATION = 20  # times that a slow kind of task has to be quick
_MAX_KINDS = 1000
_START_INTERVAL = 1.0  # seconds, when no thread can be started
_IDLE_TIME = 10.0  # seconds that a thread waits for work, unless it is the only one that does


def is_available() -> bool:
    """Whether the system has what it needs (Linux has)."""
    return hasattr(select, "epoll") and hasattr(os, "eventfd")


class _Task(NamedTuple):
    run: Callable[[], None]
    kind: str


class _Seat:
    """A link that is read here."""

    __slots__ = ("connection", "descriptor", "due", "is_due", "is_held", "is_out", "link", "number", "polled")

    def __init__(self, connection: OcppClientConnection, link: Link) -> None:
        self.connection = connection
        self.link = link
        self.descriptor = link.stream.fileno()
        self.polled = 0  # the events that the kernel is asked for; 0 is none, not even its end
        self.due: float | None = None  # when it is looked at without any, and the number under which that is noted
        self.number = 0
        self.is_due = False
        self.is_held = False  # so much of it waits for the handlers that no more is read
        self.is_out = False  # its step has taken too long: nobody else must read it until that is over


class _Lead:
    """The time of one leader.

    Attributes:
        thread: The leader.
        seats: What it is going to look at.
        tasks: What its step has brought.
        stepping: The link that it is reading.
        since: When it has begun what it is doing; None while it waits for links.
        count: How much it has done.
    """

    __slots__ = ("count", "is_over", "seats", "since", "stepping", "tasks", "thread")

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.seats: deque[_Seat] = deque()
        self.tasks: deque[_Task] = deque()
        self.stepping: _Seat | None = None
        self.since: float | None = None
        self.count = 0
        self.is_over = False

    def next_task(self) -> _Task | None:
        try:
            return self.tasks.popleft()
        except IndexError:
            return None


class Reactor:
    """Reads the links of a server, and runs tasks for their connections.

    Args:
        name: The name of its threads, while they do nothing for a certain connection.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()  # guards what follows; nothing is called with it but what waits for nothing and takes no lock
        self._changed = threading.Condition(self._lock)
        self._threads: set[threading.Thread] = set()
        self._idle = 0  # how many of them wait
        self._tasks: deque[_Task] = deque()  # for others than the leader
        self._slow: dict[str, int] = {}  # kinds of tasks, and how often they have to be quick still
        self._lead: _Lead | None = None
        self._is_watched = False  # a thread looks at the leader
        self._quiet = 0  # looks without anything to see
        self._seen: tuple[_Lead, int] | None = None
        self._start_again = 0.0  # not before
        self._closed = False
        self._gone = False
        self._epoll = select.epoll()
        self._alarm = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._alarm, select.EPOLLIN)
        self._seats: dict[int, _Seat] = {}
        self._again: deque[_Seat] = deque()  # to be read without waiting for the kernel
        self._due: list[tuple[float, int, int]] = []  # a heap: when, the number, the descriptor
        self._numbers = itertools.count(1)

    # --- For the server

    def add(self, connection: OcppClientConnection, link: Link) -> bool:
        """Read a link from now on, until it ends; false if this is closed, or there is no thread for it."""
        seat = _Seat(connection, link)
        connection.when_room(lambda: self._read_again(seat))
        with self._lock:
            if self._closed:
                return False
            if not self._threads:
                try:
                    self._start_thread()
                except RuntimeError:
                    _log.exception("%s: no thread can be started", self._name)
                    return False
            self._seats[seat.descriptor] = seat
        self._read_again(seat)
        return True

    def start(self, run: Callable[[], None], kind: str) -> None:
        """Run a task: by the leader, when it has read the link that brought it, or by another thread.

        Args:
            run: The task; it must not raise.
            kind: What it is for.

        Raises:
            RuntimeError: There is no thread for it.
        """
        task, lead = _Task(run, kind), self._lead
        is_step = lead is not None and lead.stepping is not None and lead.thread == threading.get_ident()
        if lead is not None and is_step and kind not in self._slow:
            lead.tasks.append(task)
            return
        with self._lock:
            if not self._idle:
                try:
                    self._start_thread()
                except RuntimeError:
                    if lead is None or not is_step:
                        raise
                    lead.tasks.append(task)  # slow as it may be, there is nobody else
                    return
            self._tasks.append(task)
            self._changed.notify()

    def step_down(self) -> None:
        """For whoever is about to wait: if it is the leader, another thread leads from now on."""
        lead = self._lead
        if lead is not None and lead.thread == threading.get_ident():
            with self._lock:
                self._depose(lead)

    def close(self) -> None:
        """Let the threads end, when there is nothing to do for them any more."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()
            self._release_if_unused()
        self._wake()

    def join(self, deadline: float) -> list[str]:
        """Wait for the threads to end; the calling one is not waited for.

        Args:
            deadline: Until when, in ``time.monotonic()`` seconds.

        Returns:
            The names of those that still run.
        """
        with self._lock:
            threads = self._threads - {threading.current_thread()}
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return [thread.name for thread in threads if thread.is_alive()]

    # --- The threads

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._work, name=self._name, daemon=True)
        self._threads.add(thread)
        self._idle += 1
        try:
            thread.start()
        except RuntimeError:
            self._threads.discard(thread)
            self._idle -= 1
            raise

    def _start_next(self) -> None:
        """Start the one that looks at the leader, and leads next; if that fails, the leader tries again from time to time."""
        if self._closed or time.monotonic() < self._start_again:
            return
        try:
            self._start_thread()
        except RuntimeError:
            self._start_again = time.monotonic() + _START_INTERVAL
            _log.exception("%s: no thread can be started", self._name)

    def _work(self) -> None:
        this = threading.current_thread()
        while (job := self._next_job()) is not None:
            try:
                if isinstance(job, _Lead):
                    self._run_lead(job, this)
                else:
                    self._run_slow(job)
            except BaseException:
                _log.exception("%s failed", self._name)
            with self._lock:
                self._idle += 1
                if isinstance(job, _Lead):
                    self._depose(job)
        with self._lock:
            self._threads.discard(this)
            self._release_if_unused()

    def _release_if_unused(self) -> None:
        if self._closed and not self._threads and not self._gone:
            self._gone = True
            self._epoll.close()
            os.close(self._alarm)

    def _next_job(self) -> _Task | _Lead | None:
        """Wait for something to do; None is the end."""
        with self._lock:
            since, was_watching = time.monotonic(), False
            job: _Task | _Lead | None = None
            while job is None:
                if self._tasks:
                    job = self._tasks.popleft()
                elif self._lead is None and (self._seats or not self._closed):
                    job = self._lead = _Lead()
                elif self._closed or (self._idle > 1 and time.monotonic() >= since + _IDLE_TIME):
                    break
                else:
                    was_watching = self._wait()
            self._idle -= 1
            if job is not None and not self._idle:
                self._start_next()
            elif was_watching:
                self._changed.notify()  # another one looks from now on
            return job

    def _wait(self) -> bool:
        """Wait, and look at the leader if nobody does; true if this thread was the one that does."""
        if self._is_watched or self._quiet >= _QUIET_LOOKS:
            self._changed.wait(_IDLE_TIME if self._idle > 1 else None)
            return False
        self._is_watched = True
        self._changed.wait(_LOOK_INTERVAL)
        self._is_watched = False
        if self._lead is not None:
            self._look(self._lead)
        return True

    def _look(self, lead: _Lead) -> None:
        if lead.since is not None:
            self._quiet = 0
            if time.monotonic() - lead.since >= _LOOK_INTERVAL:
                self._depose(lead)
        elif self._seen == (lead, lead.count):
            self._quiet += 1
        else:
            self._quiet, self._seen = 0, (lead, lead.count)

    def _depose(self, lead: _Lead) -> None:
        if lead.is_over:
            return
        lead.is_over = True
        self._lead = None
        if lead.stepping is not None:
            lead.stepping.is_out = True
            self._poll_for(lead.stepping, 0)
        self._again.extend(lead.seats)
        lead.seats.clear()
        self._give_away(lead)
        self._changed.notify()

    def _give_away(self, lead: _Lead) -> None:
        # One by one: the old leader may be about to take one, too.
        while (task := lead.next_task()) is not None:
            self._tasks.append(task)

    def _run_slow(self, task: _Task) -> None:
        started = time.monotonic()
        task.run()
        if time.monotonic() - started < _SLOW and task.kind in self._slow:
            with self._lock:
                left = self._slow.pop(task.kind, 0) - 1
                if left > 0:
                    self._slow[task.kind] = left

    # --- The leader

    def _run_lead(self, lead: _Lead, this: threading.Thread) -> None:
        while not lead.is_over:
            lead.seats.extend(self._ready())
            while lead.seats:
                seat = lead.seats.popleft()
                this.name = seat.link.name
                is_leader = self._serve(lead, seat)
                this.name = self._name
                if not is_leader:
                    return
            if self._closed and not self._seats:
                return

    def _ready(self) -> list[_Seat]:
        """Wait until there is a link to look at."""
        seats = []
        for descriptor, _ in self._epoll.poll(self._patience()):
            seat = self._seats.get(descriptor)
            if seat is not None:
                seats.append(seat)
            elif descriptor == self._alarm:
                os.eventfd_read(self._alarm)
        while self._again:
            seats.append(self._again.popleft())
        while self._due and self._due[0][0] <= time.monotonic():
            _, number, descriptor = heapq.heappop(self._due)
            seat = self._seats.get(descriptor)
            if seat is not None and seat.number == number:  # else it has ended meanwhile, or was due earlier
                seat.due, seat.is_due = None, True
                seats.append(seat)
        return seats

    def _patience(self) -> float:
        if self._again:
            return 0
        return max(0.0, self._due[0][0] - time.monotonic()) + 0.001 if self._due else -1

    def _serve(self, lead: _Lead, seat: _Seat) -> bool:
        """Read a link, and do what came by it; false if there is another leader now."""
        with self._lock:
            if lead.is_over or seat.is_out or self._seats.get(seat.descriptor) is not seat:
                return not lead.is_over
            lead.stepping, lead.since = seat, time.monotonic()
            lead.count += 1
            if not self._idle:
                self._start_next()
            if self._quiet >= _QUIET_LOOKS:
                self._quiet = 0
                self._changed.notify()
        is_open = self._step(seat)
        has_unread = is_open and seat.link.has_unread
        is_full = has_unread and seat.connection.is_full()
        with self._lock:
            lead.stepping, seat.is_out = None, False
            if is_open:
                self._wait_for(seat, has_unread, is_full)
            if lead.is_over:
                # The new leader may wait already, and may have come by while this link was out.
                self._again.append(seat)
                self._alert()
            if lead.tasks and seat.link.stream.has_unsent:
                # The answer may have to wait for the other side.
                self._give_away(lead)
                self._changed.notify_all()
        while (task := lead.next_task()) is not None:
            self._run_quick(task)
        with self._lock:
            lead.since = None
            return not lead.is_over

    def _step(self, seat: _Seat) -> bool:
        """Read a link; false once it has ended."""
        if seat.is_held and seat.connection.is_full():
            return True
        closed: Closed | None = None
        try:
            if seat.is_due:
                seat.is_due = False
                seat.link.check()
            closed = seat.connection.step()
            if closed is None:
                return True
        except BaseException:
            _log.exception("%s: the link failed", seat.connection.identity)
        with self._lock:
            self._poll_for(seat, 0)
            del self._seats[seat.descriptor]  # before the descriptor is free for another one
        seat.connection.end(closed)
        return False

    def _run_quick(self, task: _Task) -> None:
        started = time.monotonic()
        task.run()
        if time.monotonic() - started >= _SLOW:
            with self._lock:
                if len(self._slow) >= _MAX_KINDS:
                    self._slow.clear()
                self._slow[task.kind] = _PROBATION

    # --- What is waited for; the lock is held, but for the next to last two

    def _wait_for(self, seat: _Seat, has_unread: bool, is_full: bool) -> None:
        """Wait for what the link needs next."""
        seat.is_held = is_full
        if is_full:
            self._poll_for(seat, 0)  # until there is room; its end would be told all the time meanwhile
            return
        if has_unread:
            self._again.append(seat)
        events, due = seat.link.stream.interest()
        self._poll_for(seat, events)
        if due is not None and (seat.due is None or due < seat.due):
            seat.due, seat.number = due, next(self._numbers)
            heapq.heappush(self._due, (due, seat.number, seat.descriptor))

    def _poll_for(self, seat: _Seat, events: int) -> None:
        # The constants of poll() and of epoll are the same.
        if events == seat.polled:
            return
        if not seat.polled:
            self._epoll.register(seat.descriptor, events)
        elif events:
            self._epoll.modify(seat.descriptor, events)
        else:
            self._epoll.unregister(seat.descriptor)
        seat.polled = events

    def _read_again(self, seat: _Seat) -> None:
        """Read a link whether or not anything more has come."""
        self._again.append(seat)
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            self._alert()

    def _alert(self) -> None:
        if not self._gone:
            os.eventfd_write(self._alarm, 1)
