"""The clock that a test moves: who is woken when, and that nobody is counted as waiting who is not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from ocpp_sync.clock import Clock
from ocpp_sync.testing import FakeClock

from .support import TIMEOUT, Future, in_thread


class Sleeper:
    """Waits as the product does: looks at the clock, waits on a condition, looks again."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.changed = threading.Condition()
        self.over = False

    def sleep(self, seconds: float, what: str = "sleep") -> float:
        """Wait for a time, or until :meth:`end`; returns when that was."""
        deadline = self.clock.monotonic() + seconds
        with self.changed:
            while not self.over and self.clock.monotonic() < deadline:
                self.clock.wait(self.changed, deadline, what)
        return self.clock.monotonic()

    def end(self) -> None:
        with self.changed:
            self.over = True
            self.changed.notify_all()


def until_waiting(clock: FakeClock, *names: str) -> None:
    """Return when there is a wait for each name; the clock stays where it is."""
    clock.run(lambda: all(repr(clock).count(f"{name!r} (") >= names.count(name) for name in names), when=["never"])


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sleep(clock: FakeClock) -> Iterator[Callable[..., Future]]:
    """Starts threads that sleep, each on a condition of its own; those that still do are ended."""
    sleepers: list[Sleeper] = []

    def start(seconds: float, what: str = "sleep") -> Future:
        sleepers.append(Sleeper(clock))
        return in_thread(sleepers[-1].sleep, seconds, what)

    yield start
    for sleeper in sleepers:
        sleeper.end()


def test_both_times_begin_where_they_are_told() -> None:
    clock = FakeClock(monotonic=5.0, time=7.0)
    assert (clock.monotonic(), clock.time()) == (5.0, 7.0)


def test_time_stands_still_until_it_is_advanced(clock: FakeClock) -> None:
    monotonic, time = clock.monotonic(), clock.time()
    clock.advance(0)
    assert (clock.monotonic(), clock.time()) == (monotonic, time)
    clock.advance(12.5)
    assert (clock.monotonic(), clock.time()) == (monotonic + 12.5, time + 12.5)


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_time_never_goes_back(clock: FakeClock, seconds: float) -> None:
    with pytest.raises(ValueError, match=r"jump\(\)"):
        clock.advance(seconds)


def test_a_jump_is_the_system_clocks_alone_and_wakes_nobody(clock: FakeClock, sleep: Callable[..., Future]) -> None:
    sleep(60)
    assert clock.wait_for("sleep") == 60
    monotonic, time = clock.monotonic(), clock.time()
    clock.jump(-86_400)
    assert (clock.monotonic(), clock.time()) == (monotonic, time - 86_400)
    assert clock.waiting() == {"sleep": 60}


def test_a_deadline_that_has_passed_is_not_waited_for(clock: FakeClock) -> None:
    with (condition := threading.Condition()):
        clock.wait(condition, clock.monotonic(), "nothing")
    clock.wait_event(threading.Event(), clock.monotonic() - 1, "nothing")
    clock.wait_event(event := threading.Event(), clock.monotonic(), "nothing")
    assert not event.is_set()
    assert clock.waiting() == {}


def test_advance_wakes_those_whose_deadline_has_come_and_no_others(clock: FakeClock, sleep: Callable[..., Future]) -> None:
    start = clock.monotonic()
    near, far = sleep(10, "near"), sleep(10.5, "far")
    clock.wait_for("near")
    clock.wait_for("far")
    clock.advance(9.5)
    assert clock.waiting() == {"near": 0.5, "far": 1.0}
    clock.advance(0.5)
    assert near.result() == start + 10
    assert clock.waiting() == {"far": 0.5}
    clock.advance(100)
    assert far.result() == start + 110


def test_an_event_is_set_at_the_deadline_and_not_before(clock: FakeClock) -> None:
    event = threading.Event()
    waiting = in_thread(clock.wait_event, event, clock.monotonic() + 5, "answer")
    clock.wait_for("answer")
    clock.advance(4)
    assert not event.is_set()
    clock.advance(1)
    waiting.result()
    assert event.is_set()


def test_what_is_notified_or_set_by_others_wakes_as_ever(clock: FakeClock) -> None:
    sleeper = Sleeper(clock)
    sleeping = in_thread(sleeper.sleep, 60, "sleep")
    event = threading.Event()
    waiting = in_thread(clock.wait_event, event, None, "answer")
    start = clock.wait_for("sleep")
    sleeper.end()
    event.set()
    waiting.result()
    assert sleeping.result() == clock.monotonic()
    assert start == 60
    assert clock.waiting() == {}


def test_who_has_been_notified_does_not_wait_any_more_although_it_has_not_run_yet(clock: FakeClock) -> None:
    sleeper = Sleeper(clock)
    sleeping = in_thread(sleeper.sleep, 60, "sleep")
    clock.wait_for("sleep")
    with sleeper.changed:  # so that it cannot run
        sleeper.changed.notify_all()
        assert clock.waiting() == {}
    assert clock.wait_for("sleep") == 60  # and it has looked again
    sleeper.end()
    sleeping.result()


def test_whose_event_is_set_does_not_wait_any_more(clock: FakeClock) -> None:
    event = threading.Event()
    event.set()
    clock.wait_event(event, clock.monotonic() + 5, "answer")
    with pytest.raises(TimeoutError, match="waited for: nothing"):
        clock.advance_to("answer", timeout=0)


def test_all_who_share_a_condition_are_woken_and_those_who_are_not_due_wait_again(clock: FakeClock) -> None:
    sleeper = Sleeper(clock)
    near, far = in_thread(sleeper.sleep, 1, "near"), in_thread(sleeper.sleep, 2, "far")
    clock.wait_for("far")
    assert clock.advance_to("near") == 1
    near.result()
    assert clock.advance_to("far") == 1
    far.result()


def test_advance_to_waits_until_somebody_waits(clock: FakeClock) -> None:
    moved = in_thread(clock.advance_to, "sleep")
    slept = in_thread(Sleeper(clock).sleep, 25)
    assert moved.result() == 25
    slept.result()


def test_advance_to_moves_to_the_nearest_of_a_name_and_wakes_others_that_are_due(clock: FakeClock, sleep: Callable[..., Future]) -> None:
    start = clock.monotonic()
    sleeping = [sleep(30, "a"), sleep(20, "a"), sleep(10, "b"), sleep(20, "b")]
    until_waiting(clock, "a", "a", "b", "b")
    assert clock.advance_to("a") == 20
    assert [each.result() for each in sleeping[1:]] == [start + 20] * 3
    assert clock.waiting() == {"a": 10}


def test_two_advances_in_a_row_are_two_waits(clock: FakeClock) -> None:
    def work() -> list[float]:
        return [Sleeper(clock).sleep(seconds) for seconds in range(1, 51)]

    start, working = clock.monotonic(), in_thread(work)
    assert [clock.advance_to("sleep") for _ in range(50)] == list(range(1, 51))
    assert working.result() == [start + sum(range(1, count + 1)) for count in range(1, 51)]


def test_advance_to_says_what_is_waited_for_instead(clock: FakeClock, sleep: Callable[..., Future]) -> None:
    sleep(60, "heartbeat")
    clock.wait_for("heartbeat")
    event = threading.Event()
    waiting = in_thread(clock.wait_event, event, None, "link")
    until_waiting(clock, "link")
    with pytest.raises(TimeoutError) as raised:
        clock.advance_to("reconnect", timeout=0)
    assert "'reconnect'" in str(raised.value)
    assert "'heartbeat' (in 60 s), 'link' (without a deadline)" in str(raised.value)
    with pytest.raises(TimeoutError):
        clock.advance_to("link", timeout=0)  # it has no deadline
    event.set()
    waiting.result()


def test_a_deadline_is_met_exactly_whatever_floats_do(clock: FakeClock, sleep: Callable[..., Future]) -> None:
    clock.advance(0.1)
    for count in range(30):
        sleeping = sleep(0.1 * count + 0.3)
        clock.advance_to("sleep")
        sleeping.result()


def test_the_lock_of_a_condition_is_never_waited_for_with_the_clocks_own(clock: FakeClock, sleep: Callable[..., Future]) -> None:
    sleeper = Sleeper(clock)
    sleeping = in_thread(sleeper.sleep, 5)
    clock.wait_for("sleep")
    with sleeper.changed:
        advancing = in_thread(clock.advance, 5)  # needs the lock that this thread has
        clock.run(lambda: clock.waiting() == {}, when=["never"])
        assert clock.monotonic() > 0  # which would wait too
    advancing.result()
    sleeping.result()


def test_many_threads_wait_and_many_advance(clock: FakeClock) -> None:
    start = clock.monotonic()

    def work(step: float) -> float:
        sleeper = Sleeper(clock)
        for _ in range(100):
            sleeper.sleep(step)
        return clock.monotonic()

    working = [in_thread(work, step) for step in (0.5, 1.0, 1.5)]
    runs = [in_thread(clock.run, lambda: not any(each.thread.is_alive() for each in working), timeout=TIMEOUT) for _ in range(3)]
    assert [each.result() >= start + 100 * step for each, step in zip(working, (0.5, 1.0, 1.5), strict=True)] == [True] * 3
    for run in runs:
        run.result()


# --- run()


def test_run_lives_a_day_in_no_time(clock: FakeClock) -> None:
    beats, over = [], threading.Event()

    def work() -> None:
        sleeper = Sleeper(clock)
        while clock.monotonic() < 1000 + 86_400:
            beats.append(sleeper.sleep(300, "heartbeat"))
        over.set()

    working = in_thread(work)
    assert clock.run(over) == 86_400
    working.result()
    assert beats == [1000 + 300 * count for count in range(1, 289)]


def test_run_moves_only_when_those_that_are_named_wait(clock: FakeClock) -> None:
    order, busy, over = [], threading.Event(), threading.Event()

    def charge() -> None:
        sleeper = Sleeper(clock)
        for count in range(5):
            order.append(("charge", sleeper.sleep(10, "charge")))
            if count == 0:
                busy.set()
                assert asked.wait(TIMEOUT)  # works, while the other one waits
        over.set()

    def until() -> bool:
        if busy.is_set() and not asked.is_set():
            looks.append(clock.monotonic())
            if len(looks) == 3:
                asked.set()
        return over.is_set()

    asked, looks = threading.Event(), list[float]()
    other = Sleeper(clock)
    working, waiting = in_thread(charge), in_thread(other.sleep, 1_000_000, "other")
    assert clock.run(until, when=["charge"]) == 50
    working.result()
    other.end()
    waiting.result()
    assert looks == [1010.0] * 3
    assert order == [("charge", 1000.0 + 10 * count) for count in range(1, 6)]


def test_run_counts_those_of_the_same_name(clock: FakeClock, sleep: Callable[..., Future]) -> None:
    sleep(5, "charge")
    clock.wait_for("charge")
    looks = iter([False, False, True])
    assert clock.run(lambda: next(looks), when=["charge", "charge"]) == 0
    sleep(6, "charge")
    assert clock.run(lambda: clock.monotonic() >= 1005, when=["charge", "charge"]) == 5


def test_run_stands_still_while_something_waits_that_must_not_be_overtaken(clock: FakeClock, sleep: Callable[..., Future]) -> None:
    event = threading.Event()
    answer = in_thread(clock.wait_event, event, clock.monotonic() + 30, "answer")
    clock.wait_for("answer")
    sleep(5)
    clock.wait_for("sleep")
    looks = iter([False] * 3 + [True])
    assert clock.run(lambda: next(looks), unless=["answer"]) == 0
    event.set()
    answer.result()
    assert clock.run(lambda: clock.monotonic() > 1000, unless=["answer"]) == 5


def test_run_ends_at_the_limit_of_the_clock(clock: FakeClock, sleep: Callable[..., Future]) -> None:
    sleep(100)
    clock.wait_for("sleep")
    with pytest.raises(TimeoutError, match=r"within 99 s of the clock; waited for: 'sleep' \(in 100 s\)"):
        clock.run(threading.Event(), limit=99)
    assert clock.monotonic() == 1000


def test_run_ends_at_the_limit_of_real_time(clock: FakeClock) -> None:
    with pytest.raises(TimeoutError, match=r"within 0 s of real time; waited for: nothing"):
        clock.run(threading.Event(), timeout=0)


def test_run_moves_not_at_all_when_it_is_enough_already(clock: FakeClock, sleep: Callable[..., Future]) -> None:
    sleep(5)
    clock.wait_for("sleep")
    assert clock.run(lambda: True) == 0
    assert clock.waiting() == {"sleep": 5}
