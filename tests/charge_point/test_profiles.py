"""How much current the CSMS leaves."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from charge_point import profiles
from charge_point.settings import Supply

from ocpp_sync import format_time
from ocpp_sync.testing import FakeClock

from .bench import Bench, Csms, charge, profile


def test_a_profile_limits_the_current_over_time(booted: Bench, csms: Csms) -> None:
    limits = profile([(0, 10.0), (600, 0.0), (1200, 16.0)])
    assert csms.ask("SetChargingProfile", connectorId=1, csChargingProfiles=limits) == {"status": "Accepted"}
    charge(booted, csms)
    csms.wait_state("Charging")
    assert booted.pin["pilot"].state == pytest.approx(10 / 60)
    booted.pass_time(605)
    booted.wait_open()
    csms.wait_state("SuspendedEVSE")
    assert booted.pin["pilot"].state == 1.0
    booted.pass_time(600)
    booted.wait_closed()
    csms.wait_state("Charging")
    assert booted.pin["pilot"].state == pytest.approx(16 / 60)
    schedule = csms.ask("GetCompositeSchedule", connectorId=1, duration=60, chargingRateUnit="W")["chargingSchedule"]
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 3680.0}]
    assert csms.ask("ClearChargingProfile", id=1) == {"status": "Accepted"}
    assert csms.ask("ClearChargingProfile", id=1) == {"status": "Unknown"}


def test_a_profile_of_the_transaction_ends_with_it(bench: Bench, csms: Csms) -> None:
    is_16 = bench.settings.csms.version == "1.6"
    limits = profile([(0, 8.0)], "TxProfile")
    with bench.run(csms.url):
        csms.wait_state("Available")

        def send() -> str:
            if is_16:
                return str(csms.ask("SetChargingProfile", connectorId=1, csChargingProfiles=limits)["status"])
            wire = {**limits, "id": 1, "chargingSchedule": [{"id": 1, **limits["chargingSchedule"]}]}
            del wire["chargingProfileId"]
            session = bench.controller.session
            wire["transactionId"] = "none" if session is None else session.handle
            return str(csms.ask("SetChargingProfile", evseId=1, chargingProfile=wire)["status"])

        assert send() == "Rejected"
        charge(bench, csms)
        bench.settle()
        assert send() == "Accepted"
        assert bench.pin["pilot"].state == pytest.approx(8 / 60)
        bench.cards.hold()
        bench.wait_open()
        bench.settle()
        charge(bench, csms)
        bench.settle()
        assert bench.pin["pilot"].state == pytest.approx(16 / 60)


def test_a_remote_start_brings_its_limit(booted: Bench, csms: Csms) -> None:
    booted.plug()
    answer = csms.ask("RemoteStartTransaction", idTag="REMOTE-1", chargingProfile=profile([(0, 7.0)], "TxProfile"))
    assert answer == {"status": "Accepted"}
    booted.wait_closed()
    booted.settle()
    assert booted.pin["pilot"].state == pytest.approx(7 / 60)


def test_the_rules_of_profiles(clock: FakeClock) -> None:

    supply, now = Supply(amps=32.0, phases=3), datetime(2025, 1, 8, 12, tzinfo=timezone.utc)

    def limit(*installed: dict[str, Any], minutes: float = 0.0, since: float = 0.0) -> float:
        at = now + timedelta(minutes=minutes)
        return profiles.limit(list(installed), supply, at, at - timedelta(minutes=since))

    assert limit() == 32.0
    assert limit(profile([(0, 10.0)])) == 10.0
    assert limit(profile([(0, 10.0)]), profile([(0, 20.0)], stackLevel=1)) == 20.0
    assert limit(profile([(0, 10.0)]), profile([(0, 20.0)], "TxProfile")) == 20.0
    absolute = {"chargingProfileKind": "Absolute", "schedule": {"startSchedule": "2025-01-01T00:00:00Z"}}
    assert limit(profile([(0, 10.0)], "ChargePointMaxProfile", **absolute), profile([(0, 20.0)])) == 10.0
    assert limit(profile([(0, 20.0)], "ChargingStationMaxProfile", **absolute), profile([(0, 10.0)])) == 10.0
    assert limit(profile([(0, 6900.0)], schedule={"chargingRateUnit": "W"})) == pytest.approx(10.0)
    assert limit(profile([(0, 10.0)], validTo=format_time(now))) == 32.0
    assert limit(profile([(0, 10.0)], validFrom=format_time(now + timedelta(hours=1)))) == 32.0
    assert limit(profile([(0, 10.0)], schedule={"duration": 600}), since=11) == 32.0
    daily = {"startSchedule": "2025-01-01T08:00:00Z", "duration": 6 * 3600}
    night = profile([(0, 8.0), (4 * 3600, 9.0)], chargingProfileKind="Recurring", recurrencyKind="Daily", schedule=daily)
    assert (limit(night), limit(night, minutes=-1), limit(night, minutes=180)) == (9.0, 8.0, 32.0)
    assert profiles.why_not(profile([(5, 1.0)]), None) is not None
    assert profiles.why_not(profile([(0, 1.0)], "TxProfile"), None) is not None
    assert profiles.why_not(profile([(0, 1.0)], chargingProfileKind="Dynamic"), None) is not None


@pytest.mark.parametrize("period", [{}, {"numberPhases": 1}, {"numberPhases": 3}])
def test_a_limit_of_power_is_for_all_phases_that_are_wired(period: dict[str, int], clock: FakeClock) -> None:
    now = datetime(2025, 1, 8, 12, tzinfo=timezone.utc)
    wire = profile([], schedule={"chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6900.0, **period}]})
    assert profiles.limit([wire], Supply(amps=32.0, phases=3), now, now) == pytest.approx(10.0)
    assert profiles.limit([wire], Supply(amps=32.0, phases=1), now, now) == pytest.approx(30.0)
