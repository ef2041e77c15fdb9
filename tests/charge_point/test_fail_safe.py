"""What opens the contactor: each cause on its own, on a clock that stands still."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest
from charge_point.safety import ALWAYS_STOP, DEFAULT_POLICIES, NEVER_ENDS, Cause, Guard, MeterWatch, Policy
from gpiozero import Device, OutputDevice
from gpiozero.pins.mock import MockFactory, MockPin

from ocpp_sync.testing import FakeClock

from ..support import TIMEOUT, wait_until
from . import EXAMPLES

HOUR = 3600.0


class Relay(OutputDevice):  # type: ignore[misc]
    """A contactor that does not open when it is told to, so many times."""

    failures = 0.0

    def off(self) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("the pin does not answer")
        super().off()


class Bench:
    """A contactor on a mock pin, and its guard."""

    def __init__(self, factory: MockFactory, clock: FakeClock, policies: dict[Cause, Policy] | None = None) -> None:
        self.pin: MockPin = factory.pin(17)
        self.relay = Relay(17)
        self.clock = clock
        self.was_told = threading.Event()
        self.guard = Guard(self.relay, policies, clock=clock, told=self.was_told.set)

    def close(self) -> None:
        assert self.guard.arm()
        assert self.guard.close()
        assert self.pin.state

    def wait_open(self) -> None:
        assert wait_until(lambda: not self.pin.state), self.guard.reasons
        assert self.was_told.wait(TIMEOUT)


@pytest.fixture
def factory() -> Iterator[MockFactory]:
    previous, Device.pin_factory = Device.pin_factory, MockFactory()
    yield Device.pin_factory
    Device.pin_factory.reset()
    Device.pin_factory = previous


@pytest.fixture
def bench(factory: MockFactory, clock: FakeClock) -> Iterator[Bench]:
    bench = Bench(factory, clock)
    with bench.guard:
        yield bench
    assert not bench.pin.state
    bench.relay.close()


# --- Each cause


def test_the_readme_names_each_cause_in_its_order() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|", (EXAMPLES / "charge_point" / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [cause.value for cause in Cause]


@pytest.mark.parametrize("cause", [each for each in Cause if DEFAULT_POLICIES[each].keep_seconds == 0])
def test_a_cause_whose_policy_is_stop_opens_at_once(cause: Cause, bench: Bench) -> None:
    bench.close()
    bench.guard.begin(cause, "it went wrong")
    assert not bench.pin.state
    assert bench.guard.reasons == {cause: "it went wrong"}
    assert bench.was_told.wait(TIMEOUT)
    assert not bench.guard.arm()
    assert not bench.guard.close()
    assert not bench.pin.state


@pytest.mark.parametrize("cause", [each for each in Cause if DEFAULT_POLICIES[each].keep_seconds])
def test_a_cause_with_a_limit_opens_when_it_is_over(cause: Cause, bench: Bench) -> None:
    bench.close()
    bench.guard.begin(cause, "it went wrong")
    assert bench.clock.wait_for("safety") == DEFAULT_POLICIES[cause].keep_seconds
    bench.clock.advance(DEFAULT_POLICIES[cause].keep_seconds - 1)
    assert bench.guard.close()
    assert not bench.guard.reasons
    bench.clock.advance(1)
    bench.wait_open()
    assert bench.guard.reasons == {cause: "it went wrong"}


def test_a_cause_that_ends_before_its_limit_opens_nothing(bench: Bench) -> None:
    bench.close()
    for _ in range(3):
        bench.guard.begin(Cause.LINK_LOST, "no link")
        bench.clock.advance(3 * HOUR)
        bench.guard.end(Cause.LINK_LOST)
    bench.clock.advance(9 * HOUR)
    assert bench.guard.is_armed
    assert bench.pin.state
    assert not bench.was_told.is_set()


def test_a_cause_that_begins_again_does_not_begin_anew(bench: Bench) -> None:
    bench.close()
    for _ in range(4):
        bench.guard.begin(Cause.LINK_LOST, "no link")
        bench.clock.advance(HOUR)
    bench.wait_open()


@pytest.mark.parametrize("cause", sorted(set(Cause) - NEVER_ENDS, key=str))
def test_power_does_not_come_back_by_itself(cause: Cause, factory: MockFactory, clock: FakeClock) -> None:
    bench = Bench(factory, clock, {cause: Policy()})
    with bench.guard:
        bench.close()
        bench.guard.begin(cause, "it went wrong")
        bench.guard.end(cause)
        assert not bench.guard.close()
        assert not bench.pin.state
        bench.close()
    bench.relay.close()


@pytest.mark.parametrize("cause", sorted(NEVER_ENDS, key=str))
def test_some_causes_hold_until_the_program_starts_again(cause: Cause, bench: Bench) -> None:
    bench.guard.begin(cause, "it went wrong")
    bench.guard.end(cause)
    assert not bench.guard.arm()


@pytest.mark.parametrize("cause", sorted(ALWAYS_STOP, key=str))
def test_some_causes_have_no_other_policy(cause: Cause, factory: MockFactory) -> None:
    with OutputDevice(17) as relay, pytest.raises(ValueError, match=f"{cause.value} always stops"):
        Guard(relay, {cause: Policy(60)})


@pytest.mark.parametrize("cause", [Cause.WATCHDOG, Cause.CSMS_SILENT, Cause.METER_UNREADABLE])
def test_who_shows_no_sign_of_life_begins_the_cause(cause: Cause, factory: MockFactory, clock: FakeClock) -> None:
    bench = Bench(factory, clock, {cause: Policy()})
    with bench.guard as guard:
        guard.expect(cause, "one", 60)
        guard.expect(cause, "other", 60)
        bench.close()
        for _ in range(3):
            clock.advance(50)
            guard.alive(cause, "one")
            guard.alive(cause, "other")
        clock.advance(50)
        guard.alive(cause, "one")
        assert bench.pin.state
        clock.advance(10)
        bench.wait_open()
        assert guard.reasons == {cause: "nothing from other for 60 s"}
        guard.alive(cause, "one")
        assert not guard.arm()
        guard.alive(cause, "other")
        bench.close()
    bench.relay.close()


def test_who_is_not_expected_any_more_is_not_missed(bench: Bench) -> None:
    bench.guard.expect(Cause.CSMS_SILENT, "the CSMS", 900)
    bench.close()
    bench.guard.forget(Cause.CSMS_SILENT, "the CSMS")
    bench.clock.advance(24 * HOUR)
    assert bench.guard.arm()


def test_silence_has_its_limit_beside_the_time_until_it_counts(bench: Bench) -> None:
    bench.guard.expect(Cause.CSMS_SILENT, "the CSMS", 900)
    bench.close()
    bench.clock.advance(900 + 4 * HOUR - 1)
    assert bench.guard.close()
    bench.clock.advance(1)
    bench.wait_open()


def test_an_exception_in_a_thread_opens(bench: Bench) -> None:
    def fail() -> None:
        raise LookupError("no such thing")

    bench.close()
    bench.guard.thread(fail, "work").join(TIMEOUT)
    assert not bench.pin.state
    assert bench.guard.reasons == {Cause.THREAD_FAILED: "the thread 'work' failed: LookupError: no such thing"}
    assert bench.was_told.wait(TIMEOUT)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_exception_in_the_guard_itself_opens(factory: MockFactory, clock: FakeClock) -> None:
    bench = Bench(factory, clock)

    def fail() -> None:
        raise LookupError("no such thing")

    bench.guard.told = fail
    with bench.guard as guard:
        bench.close()
        guard.begin(Cause.CSMS_SILENT, "not a word")
        clock.advance(4 * HOUR)
        assert wait_until(lambda: Cause.THREAD_FAILED in guard.reasons)
        assert not bench.pin.state
    bench.relay.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("failures", [0.0, 1.0, float("inf")])
def test_whoever_runs_the_guard_is_told_of_its_end(failures: float, factory: MockFactory, clock: FakeClock) -> None:
    bench = Bench(factory, clock)

    def fail() -> None:
        bench.relay.failures = failures
        raise LookupError("a bug")

    guard = bench.guard
    guard._healthy = fail
    guard._feed_at = clock.monotonic() + 10
    guard.start()
    bench.close()
    clock.advance_to("safety")
    assert bench.was_told.wait(TIMEOUT)
    assert guard.reasons[Cause.THREAD_FAILED] == "the thread 'safety' failed: LookupError: a bug"
    bench.relay.failures = 0.0
    assert not guard.close()
    guard.shut()
    assert not bench.pin.state
    bench.relay.close()


def test_a_contactor_that_does_not_open_is_told_again(bench: Bench) -> None:
    bench.close()
    bench.relay.failures = 1.0
    with pytest.raises(OSError, match="the pin does not answer"):
        bench.guard.begin(Cause.OVER_CURRENT, "20 A flow")
    bench.wait_open()
    assert bench.guard.reasons == {Cause.OVER_CURRENT: "20 A flow"}
    assert bench.guard.tripped == {Cause.OVER_CURRENT}
    assert not bench.guard.is_closed


def test_it_opens_when_the_guard_goes_out_of_service(bench: Bench) -> None:
    bench.close()
    bench.guard.shut()
    assert not bench.pin.state
    assert not bench.guard.arm()
    bench.guard.shut()


def test_a_pause_is_no_cause(bench: Bench) -> None:
    bench.close()
    bench.guard.open()
    assert not bench.pin.state
    assert bench.guard.close()
    assert bench.pin.state
    assert not bench.was_told.is_set()


def test_a_watchdog_outside_is_fed_while_all_threads_live(factory: MockFactory, clock: FakeClock) -> None:
    fed: list[float] = []
    with OutputDevice(17) as relay, Guard(relay, clock=clock, healthy=lambda: fed.append(clock.monotonic())) as guard:
        guard.expect(Cause.WATCHDOG, "work", 10)
        for _ in range(9):
            clock.advance_to("safety")
        clock.wait_for("safety")
        assert fed
        clock.advance(1)
        assert wait_until(lambda: Cause.WATCHDOG in guard.reasons)
        clock.wait_for("safety")
        count = len(fed)
        for _ in range(5):
            clock.advance_to("safety")
        clock.wait_for("safety")
        assert len(fed) == count
        guard.alive(Cause.WATCHDOG, "work")
        clock.wait_for("safety")
        clock.advance_to("safety")
        assert wait_until(lambda: len(fed) > count)


# --- The meter


def test_a_meter_whose_register_moves_is_well(clock: FakeClock) -> None:
    watch = MeterWatch(100.0, clock)
    for second in range(600):
        assert watch.check(second // 10 * 20.0, 7360.0) is None
        clock.advance(1)


@pytest.mark.parametrize("power", [7200.0, -7200.0])  # the latter: it is wired the wrong way round
def test_a_meter_that_shows_power_without_energy_is_stuck(power: float, clock: FakeClock) -> None:
    watch = MeterWatch(100.0, clock)
    seconds = 0
    while (wrong := watch.check(5000.0, power)) is None and seconds < 1000:
        clock.advance(1)
        seconds += 1
    assert (seconds, wrong) == (50, f"{power:g} W flow, and the energy register stays at 5000 Wh")


def test_a_full_car_makes_no_stuck_meter(clock: FakeClock) -> None:
    watch = MeterWatch(100.0, clock)
    for _ in range(100):
        assert watch.check(5000.0, 0.0) is None
        clock.advance(HOUR)


def test_a_register_that_goes_back_is_wrong(clock: FakeClock) -> None:
    watch = MeterWatch(100.0, clock)
    assert watch.check(5000.0, 0.0) is None
    assert watch.check(10.0, 0.0) == "the energy register went back from 5000 to 10 Wh"
