"""What goes wrong in the middle of a charge."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from charge_point.meter import MeterError

from ocpp_sync import OutboxError
from ocpp_sync.testing import Drop

from ..support import in_thread
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
