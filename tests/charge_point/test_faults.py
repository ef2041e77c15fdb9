"""What goes wrong in the middle of a charge."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from charge_point.meter import MeterError
from charge_point.pi import PiHardware
from charge_point.safety import Cause

from ocpp_sync import OutboxError
from ocpp_sync.testing import Drop

from ..support import TIMEOUT, in_thread
from .bench import IDENTITY, VERSIONS, Bench, Csms, charge


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("wrong", ["unreadable", "stuck", "over-current", "thread", "silent", "temperature"])
def test_what_is_wrong_ends_the_charge(wrong: str, version: str, make_bench: Callable[..., Bench], csms: Csms, tmp_path: Path) -> None:
    file = tmp_path / "temp"
    file.write_text("40000", encoding="ascii")
    silent = {"csms-silent": {"policy": "stop"}, "csms_seconds": 1.0}
    bench = make_bench(version, safety={"temperature_file": str(file), **(silent if wrong == "silent" else {})})
    with bench.run(csms.url, "failed" if wrong == "thread" else "stop"):
        csms.wait_state("Available")
        charge(bench, csms)
        csms.wait_state("Charging" if version == "1.6" else "Occupied")
        bench.settle()
        if wrong == "unreadable":
            bench.meter.failure = MeterError("no answer")
            bench.pass_time(90)
        elif wrong == "stuck":
            bench.meter.is_stuck = True
            bench.pass_time(120)
        elif wrong == "over-current":
            bench.controller.hardware.allow(25.0)
            bench.clock.advance_to("meter")
        elif wrong == "thread":
            bench.meter.failure = LookupError("a bug")
            bench.clock.advance_to("meter")
        elif wrong == "temperature":
            file.write_text("95000", encoding="ascii")
            bench.clock.advance_to("meter")
        else:
            csms.script("*", lambda request: Drop())
            bench.clock.advance(2 * csms.interval)
            bench.wait_open()
            csms.script("*")
            csms.disconnect(IDENTITY)
            bench.clock.advance_to("reconnect")
        bench.wait_open()
        if version == "1.6":
            stop = csms.wait_for("StopTransaction").payload
            assert stop["reason"] == ("EmergencyStop" if wrong == "over-current" else "Other")
        else:
            assert csms.events("Ended")[0]["triggerReason"] == "AbnormalCondition"
        if wrong in ("unreadable", "stuck", "temperature"):
            csms.wait_state("Faulted")


def test_what_is_well_again_needs_a_driver(booted: Bench, csms: Csms) -> None:
    charge(booted, csms)
    csms.wait_state("Charging")
    booted.meter.failure = MeterError("no answer")
    booted.pass_time(90)
    csms.wait_state("Faulted")
    booted.meter.failure = None
    booted.pass_time(30)
    csms.wait_state("Finishing")
    assert not booted.pin["contactor"].state
    booted.cards.hold()
    booted.wait_closed()


def test_an_outbox_that_is_full_lets_nobody_charge(booted: Bench, csms: Csms) -> None:
    def fail(action: str, payload: dict[str, Any]) -> None:
        raise OutboxError("outbox", "the disk is full")

    put, booted.controller.client.outbox.put = booted.controller.client.outbox.put, fail  # type: ignore[method-assign, assignment]
    booted.plug()
    with pytest.raises(OutboxError, match="the disk is full"):
        booted.running.result()
    booted.controller.client.outbox.put = put  # type: ignore[method-assign]
    assert not booted.pin["contactor"].state
    booted.running = in_thread(lambda: "stop")


def test_heat_opens_while_the_meter_cannot_be_read(make_bench: Callable[..., Bench], csms: Csms, tmp_path: Path) -> None:
    file = tmp_path / "temp"
    file.write_text("40000", encoding="ascii")
    policy = {"policy": "keep until limit", "minutes": 600}
    with make_bench(safety={"temperature_file": str(file), "meter-unreadable": policy}).run(csms.url) as bench:
        csms.wait_state("Available")
        charge(bench, csms)
        csms.wait_state("Charging")
        bench.meter.failure = MeterError("no answer")
        bench.pass_time(60)
        assert bench.pin["contactor"].state
        file.write_text("95000", encoding="ascii")
        bench.pass_time(10)
        bench.wait_open()
        csms.wait_for("StopTransaction")
        csms.wait_state("Faulted")
        assert csms.all("StatusNotification")[-1]["errorCode"] == "HighTemperature"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_guard_that_fails_ends_the_charge_and_the_program(make_bench: Callable[..., Bench], csms: Csms) -> None:
    def fail() -> None:
        raise LookupError("a bug")

    bench = make_bench()
    with bench.run(csms.url, "failed"):
        csms.wait_state("Available")
        charge(bench, csms)
        csms.wait_state("Charging")
        bench.controller.guard._healthy = fail
        bench.controller.guard.expect(Cause.WATCHDOG, "who wakes it up", 60.0)
        bench.wait_open()
        assert csms.wait_for("StopTransaction").payload["reason"] == "Other"
        bench.running.result(3 * TIMEOUT)


# --- What fails in the goodbye


def full(**values: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def assert_all_is_closed(bench: Bench) -> None:
    """The threads that are left fail the test by themselves."""
    assert not bench.controller.client.connected
    assert not bench.pin["contactor"].state
    PiHardware(bench.settings, clock=bench.clock).close()  # all pins were let go


def test_a_disk_that_is_full_in_the_goodbye_hinders_nothing(make_bench: Callable[..., Bench], csms: Csms) -> None:
    bench = make_bench()
    with bench.run(csms.url):
        csms.wait_state("Available")
        charge(bench, csms)
        csms.wait_state("Charging")
        bench.controller.guard.told = lambda: None  # so that it is the goodbye that ends the transaction
        bench.controller.memory.keep = full  # type: ignore[method-assign]
    assert_all_is_closed(bench)
    with bench.run(csms.url):
        assert csms.wait_for("StopTransaction").payload["transactionId"] == 1


def test_a_guard_that_cannot_be_shut_hinders_no_goodbye(make_bench: Callable[..., Bench], csms: Csms) -> None:
    bench = make_bench()
    bench.start(csms.url)
    csms.wait_state("Available")
    charge(bench, csms)
    csms.wait_state("Charging")
    shut = bench.controller.guard.shut

    def shut_badly() -> None:
        shut()
        raise OSError(errno.EIO, "the contactor does not answer")

    bench.controller.guard.shut = shut_badly  # type: ignore[method-assign, assignment]
    bench.controller.stop()
    with pytest.raises(OSError, match="the contactor does not answer"):
        bench.running.result(3 * TIMEOUT)
    csms.wait_for("StopTransaction")
    assert_all_is_closed(bench)
