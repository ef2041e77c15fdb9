"""The thread that handlers run on: its order, its limits, and its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ocpp_sync.worker import Worker

from .support import TIMEOUT, Collector, in_thread

NAME = "ocpp-handler CP1"
MANY = 64
MUCH = 4 * 1024 * 1024


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker(NAME)
    yield worker
    worker.close()
    assert worker.join(time.monotonic() + TIMEOUT)


class Blocker:
    """A task that stays until it is released."""

    def __init__(self, before: Callable[[], None] | None = None) -> None:
        self.before = before
        self.started = threading.Event()
        self.release = threading.Event()
        self.thread: threading.Thread | None = None

    def __call__(self) -> None:
        self.thread = threading.current_thread()
        if self.before is not None:
            self.before()
        self.started.set()
        self.release.wait()


def running(worker: Worker, **options: Any) -> Blocker:
    """A blocker that has started."""
    blocker = Blocker(**options)
    worker.put(blocker)
    assert blocker.started.wait(TIMEOUT)
    return blocker


def handler_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == NAME}


def watch_waits(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Collector:
    """Tells which thread is about to wait for the worker to change; the worker's lock is held then."""
    waits = Collector()
    wait = worker._changed.wait

    def watched(timeout: float | None = None) -> bool:
        waits(threading.current_thread())
        return wait(timeout)

    monkeypatch.setattr(worker._changed, "wait", watched)
    return waits


def test_tasks_run_in_order_on_one_daemon_thread_of_that_name(worker: Worker) -> None:
    done = Collector()
    for number in range(100):
        worker.put(lambda number=number: done(number, threading.current_thread()))  # type: ignore[misc]
    ran = [done.next() for _ in range(100)]
    assert [number for number, _ in ran] == list(range(100))
    (thread,) = {thread for _, thread in ran}
    assert (thread.name, thread.daemon) == (NAME, True)


def test_tasks_of_many_threads_all_run_in_the_order_of_each(worker: Worker) -> None:
    done = Collector()

    def put(name: int) -> None:
        for number in range(100):
            worker.put(lambda number=number: done(name, number))  # type: ignore[misc]
            worker.wait_for_room()

    for future in [in_thread(put, name) for name in range(5)]:
        future.result()
    ran: dict[int, list[int]] = {name: [] for name in range(5)}
    for _ in range(500):
        name, number = done.next()
        ran[name].append(number)
    assert ran == {name: list(range(100)) for name in range(5)}


def test_the_thread_starts_with_the_first_task_and_stays(worker: Worker) -> None:
    assert handler_threads() == set()
    done = Collector()
    worker.put(lambda: done(threading.current_thread()))
    (thread,) = done.next()
    assert handler_threads() == {thread}
    worker.put(lambda: done(threading.current_thread()))
    assert done.next() == (thread,)


def test_a_worker_that_never_had_a_task_ends_without_a_thread() -> None:
    worker = Worker(NAME)
    assert not worker.closed
    worker.close()
    assert worker.closed
    assert worker.join(time.monotonic())
    assert handler_threads() == set()


def test_a_task_may_put_another(worker: Worker) -> None:
    done = Collector()
    worker.put(lambda: worker.put(done))
    assert done.next() == ()


# --- stepping aside


def test_the_next_task_waits_for_one_that_has_not_stepped_aside(worker: Worker) -> None:
    blocker, done = running(worker), Collector()
    worker.put(lambda: done(blocker.release.is_set(), threading.current_thread()))
    blocker.release.set()
    assert done.next() == (True, blocker.thread)


def test_the_next_task_runs_beside_one_that_has_stepped_aside(worker: Worker) -> None:
    blocker, done = running(worker, before=worker.step_aside), Collector()
    for number in range(3):
        worker.put(lambda number=number: done(number, threading.current_thread()))  # type: ignore[misc]
    ran = [done.next() for _ in range(3)]
    assert [number for number, _ in ran] == [0, 1, 2]
    (thread,) = {thread for _, thread in ran}
    assert thread is not blocker.thread
    # Two are not needed any more: the one that comes back ends.
    blocker.release.set()
    assert blocker.thread is not None
    blocker.thread.join(TIMEOUT)
    assert handler_threads() == {thread}


def test_one_that_has_stepped_aside_goes_on_to_the_next_task_if_nobody_else_does(worker: Worker) -> None:
    blocker, done = running(worker, before=worker.step_aside), Collector()
    blocker.release.set()
    worker.put(lambda: done(threading.current_thread()))
    done.next()
    # Whether it had come back before the task was put or not: one thread remains.
    worker.put(lambda: done(threading.current_thread()))
    (thread,) = done.next()
    for other in handler_threads() - {thread}:
        other.join(TIMEOUT)
    assert handler_threads() == {thread}


def test_stepping_aside_twice_or_from_elsewhere_changes_nothing(worker: Worker) -> None:
    worker.step_aside()

    def twice() -> None:
        worker.step_aside()
        worker.step_aside()

    first = running(worker, before=twice)
    second, done = running(worker), Collector()
    worker.step_aside()
    in_thread(worker.step_aside).result()
    first.release.set()
    worker.put(lambda: done(threading.current_thread()))
    second.release.set()
    assert done.next() == (second.thread,)


def test_there_are_four_threads_at_most(worker: Worker) -> None:
    blockers = [running(worker, before=worker.step_aside) for _ in range(4)]
    threads = {blocker.thread for blocker in blockers}
    assert len(threads) == 4
    done = Collector()
    for number in range(2):
        worker.put(lambda number=number: done(number, threading.current_thread()))  # type: ignore[misc]
    assert handler_threads() == threads
    blockers[2].release.set()
    assert [done.next() for _ in range(2)] == [(0, blockers[2].thread), (1, blockers[2].thread)]
    for blocker in blockers:
        blocker.release.set()


def test_threads_that_have_ended_do_not_count(worker: Worker) -> None:
    for _ in range(6):
        aside = running(worker, before=worker.step_aside)
        last = running(worker)
        aside.release.set()
        assert aside.thread is not None
        aside.thread.join(TIMEOUT)
        assert handler_threads() == {last.thread}
        last.release.set()


# --- room


def test_there_is_room_for_tasks_up_to_their_number(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    blocker = running(worker)
    waits = watch_waits(worker, monkeypatch)
    for _ in range(MANY - 1):
        worker.put(lambda: None)
    in_thread(worker.wait_for_room).result()
    worker.put(lambda: None)
    waiting = in_thread(worker.wait_for_room)
    assert waits.next() == (waiting.thread,)
    blocker.release.set()
    waiting.result()


def test_there_is_room_for_tasks_up_to_their_cost(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    blocker = running(worker)
    waits = watch_waits(worker, monkeypatch)
    worker.put(lambda: None, cost=MUCH - 1)
    in_thread(worker.wait_for_room).result()
    worker.put(lambda: None, cost=1)
    waiting = in_thread(worker.wait_for_room)
    assert waits.next() == (waiting.thread,)
    blocker.release.set()
    waiting.result()


def test_what_has_been_taken_costs_nothing_any_more(worker: Worker) -> None:
    for _ in range(3):
        blocker = Blocker()
        worker.put(blocker, cost=MUCH)
        assert blocker.started.wait(TIMEOUT)
        in_thread(worker.wait_for_room).result()
        blocker.release.set()


def test_put_never_waits(worker: Worker) -> None:
    blocker, done = running(worker), Collector()
    for number in range(3 * MANY):
        worker.put(lambda number=number: done(number), cost=MUCH)  # type: ignore[misc]
    blocker.release.set()
    assert [done.next() for _ in range(3 * MANY)] == [(number,) for number in range(3 * MANY)]


def test_whoever_waits_for_room_goes_on_when_the_worker_is_closed(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    blocker = running(worker)
    waits = watch_waits(worker, monkeypatch)
    worker.put(lambda: None, cost=MUCH)
    waiting = in_thread(worker.wait_for_room)
    assert waits.next() == (waiting.thread,)
    worker.close()
    waiting.result()
    in_thread(worker.wait_for_room).result()
    blocker.release.set()


# --- the end


def test_an_idle_thread_ends_at_close(worker: Worker) -> None:
    done = Collector()
    worker.put(done)
    done.next()
    worker.close()
    worker.close()
    assert worker.join(time.monotonic() + TIMEOUT)
    assert handler_threads() == set()


def test_tasks_that_are_there_at_close_or_come_after_it_still_run(worker: Worker) -> None:
    blocker, done = running(worker), Collector()
    worker.put(lambda: done("before"))
    worker.close()
    worker.put(lambda: done("after"))
    blocker.release.set()
    assert [done.next(), done.next()] == [("before",), ("after",)]
    assert worker.join(time.monotonic() + TIMEOUT)
    worker.put(lambda: done("later"))
    assert done.next() == ("later",)
    assert worker.join(time.monotonic() + TIMEOUT)
    assert handler_threads() == set()


def test_join_says_when_a_task_still_runs(worker: Worker) -> None:
    blocker = running(worker)
    worker.close()
    assert not worker.join(time.monotonic() + 0.05)
    blocker.release.set()
    assert worker.join(time.monotonic() + TIMEOUT)


def test_join_waits_for_those_that_have_stepped_aside_too(worker: Worker) -> None:
    aside = running(worker, before=worker.step_aside)
    last = running(worker)
    worker.close()
    last.release.set()
    assert not worker.join(time.monotonic() + 0.05)
    aside.release.set()
    assert worker.join(time.monotonic() + TIMEOUT)


def test_a_task_that_joins_does_not_wait_for_itself(worker: Worker) -> None:
    done = Collector()

    def close() -> None:
        worker.close()
        done(worker.join(time.monotonic() + TIMEOUT))

    worker.put(close)
    assert done.next() == (True,)


# --- tasks that raise


class Unusual(BaseException):
    """As asyncio.CancelledError and pytest.fail() are: no Exception."""


@pytest.mark.parametrize("error", [ValueError("so"), SystemExit(1), KeyboardInterrupt(), Unusual("so")])
def test_what_a_task_raises_is_logged_and_the_next_one_runs(worker: Worker, error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    done = Collector()

    def fail() -> None:
        done(threading.current_thread())
        raise error

    worker.put(fail)
    worker.put(lambda: done(threading.current_thread()))
    assert done.next() == done.next()
    (record,) = caplog.records
    assert (record.name, record.levelname, record.getMessage()) == ("ocpp_sync", "ERROR", f"{NAME}: a task failed")
    assert record.exc_info is not None
    assert record.exc_info[1] is error


def test_what_a_task_raises_that_has_stepped_aside_is_logged(worker: Worker, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        worker.step_aside()
        raise SystemExit

    worker.put(fail)
    done = Collector()
    worker.put(done)
    done.next()
    worker.close()
    assert worker.join(time.monotonic() + TIMEOUT)
    assert [record.getMessage() for record in caplog.records] == [f"{NAME}: a task failed"]


def test_without_a_thread_a_task_waits_for_the_next(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    done = Collector()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        worker.put(lambda: done(1))
    assert [record.getMessage() for record in caplog.records] == [f"{NAME}: no thread can be started"]
    worker.put(lambda: done(2))
    assert [done.next(), done.next()] == [(1,), (2,)]
