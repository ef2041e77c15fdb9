"""Charging profiles of a simulated charge point."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ocpp_sync import (
    format_time,
    parse_time,
    utcnow,
)
from ocpp_sync.simulator import Car
from ocpp_sync.simulator.connector import State
from ocpp_sync.simulator.energy import Supply
from ocpp_sync.simulator.profiles import MAX_PERIODS, MAX_PROFILES, Profile, Profiles, Subject
from ocpp_sync.testing import Answer, Delay, FakeClock

from ..support import in_thread
from .bench import CAR, Bench, Make, each_2x, each_version, wait_for

# --- Smart charging


@each_version
def test_a_limit_changes_the_power(make: Make, version: str) -> None:
    bench = make(version)
    transaction = bench.charge()
    bench.until(lambda: bench.connector().power == 11_000)
    assert bench.profile(1, "TxProfile", [{"startPeriod": 0, "limit": 5_000.0}], transactionId=transaction) == "Accepted"
    assert bench.connector().power == 5_000
    assert (
        bench.profile(1, "TxProfile", [{"startPeriod": 0, "limit": 10.0, "numberPhases": 1}], "A", level=2, transactionId=transaction)
        == "Accepted"
    )
    assert bench.connector().power == 2_300
    assert bench.profile(1, "TxProfile", [{"startPeriod": 0, "limit": 0.0}], level=3, transactionId=transaction) == "Accepted"
    assert bench.connector().state is State.SUSPENDED_EVSE
    if version != "1.6":
        wait_for(lambda: bench.sent("TransactionEvent")[-1]["transactionInfo"]["chargingState"] == "SuspendedEVSE")
        triggers = [event["triggerReason"] for event in bench.sent("TransactionEvent")]
        assert [trigger for trigger in triggers if trigger.startswith("Charging")] == [
            "ChargingRateChanged",
            "ChargingRateChanged",
            "ChargingStateChanged",
        ]
    clear = {"id": 4} if version == "1.6" else {"chargingProfileId": 4}
    assert bench.status("ClearChargingProfile", **clear) == "Accepted"
    assert bench.status("ClearChargingProfile", **clear) == "Unknown"
    assert bench.connector().power == 2_300
    bench.station.stop()
    assert len(bench.station.charging.profiles) == 0


@each_version
def test_below_six_amperes_a_phase_a_car_stops(make: Make, version: str) -> None:
    bench = make(version)
    transaction = bench.charge()
    assert bench.setting("sampled measurands", "Current.Import") == "Accepted"
    for level, (amperes, phases, state) in enumerate(
        [(5.9, 3, State.SUSPENDED_EVSE), (6.0, 3, State.CHARGING), (5.9, 1, State.SUSPENDED_EVSE), (10.0, 1, State.CHARGING)]
    ):
        period = {"startPeriod": 0, "limit": amperes, "numberPhases": phases}
        assert bench.profile(1, "TxProfile", [period], "A", level=level, transactionId=transaction) == "Accepted"
        assert bench.connector().state is state
    bench.until(lambda: bench.connector().power == 2_300)
    answer = bench.ask("GetCompositeSchedule", **bench.where(1), duration=60, chargingRateUnit="A")
    schedule = answer["chargingSchedule" if version == "1.6" else "schedule"]
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 10.0, "numberPhases": 1}]
    currents = {value["phase"]: float(value["value"]) for value in bench.triggered_values()}
    assert currents == {"L1": 10.0, "L2": 0.0, "L3": 0.0}


def begun(make: Make, seconds: float) -> Bench:
    """A station whose StartTransaction is answered only after so many seconds: with 41."""
    bench = make("1.6")
    answer = Answer({"transactionId": 41, "idTagInfo": {"status": "Accepted"}})
    bench.csms.script("StartTransaction", Delay(seconds, answer))
    bench.station.plug(1, Car(**CAR))
    bench.station.authorize("TAG", 1)
    bench.csms.wait_for("StartTransaction")
    return bench


@pytest.mark.parametrize("action", ["RemoteStopTransaction", "SetChargingProfile"])
def test_what_is_asked_before_the_answer_was_looked_at(make: Make, action: str) -> None:
    """The CSMS asks at once for something to be done with the transaction that it has just named."""
    bench = begun(make, 1.0)
    period = {"startPeriod": 0, "limit": 8.0}
    asking = (
        in_thread(bench.remote_stop, 41)
        if action == "RemoteStopTransaction"
        else in_thread(bench.profile, 1, "TxProfile", [period], "A", transactionId=41)
    )
    assert bench.clock.wait_for("delivery") == 2.0
    assert bench.clock.advance_to("csms answer") == 1.0
    assert asking.result() == "Accepted"
    if action == "RemoteStopTransaction":
        assert bench.reason() == "Remote"
    else:
        assert bench.connector().offered == pytest.approx(8 * 230 * 3)
        assert bench.remote_stop(42) == "Rejected"


def test_an_answer_that_does_not_come_is_not_waited_for_long(make: Make) -> None:
    bench = begun(make, 60.0)
    asking = in_thread(bench.remote_stop, 41)
    assert bench.clock.advance_to("delivery") == 2.0
    assert asking.result() == "Rejected"


@each_version
def test_profiles_that_cannot_be(make: Make, version: str) -> None:
    bench = make(version)
    period = [{"startPeriod": 0, "limit": 5_000.0}]
    assert bench.profile(1, "TxProfile", period) == "Rejected"
    assert bench.profile(0, "TxProfile", period) == "Rejected"
    assert bench.profile(1, "ChargePointMaxProfile", period) == "Rejected"
    assert bench.profile(9, "TxDefaultProfile", period) == "Rejected"
    assert bench.profile(1, "TxDefaultProfile", [{"startPeriod": 5, "limit": 1.0}]) == "Rejected"
    assert bench.profile(1, "TxDefaultProfile", period, level=10) == "Rejected"
    if version == "2.1":
        assert bench.profile(1, "PriorityCharging", period) == "Rejected"
        assert bench.profile(1, "TxDefaultProfile", period, chargingProfileKind="Dynamic") == "Rejected"
    bench.charge()
    if version != "1.6":
        assert bench.profile(1, "TxProfile", period) == "Rejected"
    other = 99 if version == "1.6" else "other"
    assert bench.profile(1, "TxProfile", period, transactionId=other) == "Rejected"


@each_version
def test_the_limit_of_the_station_is_shared(make: Make, version: str) -> None:
    bench = make(version, connectors=2)
    bench.charge(1)
    assert bench.profile(0, "ChargePointMaxProfile", [{"startPeriod": 0, "limit": 10_000.0}]) == "Accepted"
    assert bench.connector(1).offered == 10_000
    bench.charge(2)
    assert [bench.connector(number).offered for number in (1, 2)] == [5_000, 5_000]
    bench.station.stop(1)
    assert bench.connector(2).offered == 10_000


@each_version
def test_a_schedule_goes_on_in_time(make: Make, version: str) -> None:
    bench = make(version)
    periods = [{"startPeriod": 0, "limit": 5_000.0}, {"startPeriod": 120, "limit": 7_000.0}]
    assert bench.profile(0, "TxDefaultProfile", periods, chargingProfileKind="Relative", schedule={"duration": 300}) == "Accepted"
    bench.charge()
    assert bench.connector().offered == 5_000
    where = {**bench.where(1), "duration": 600, "chargingRateUnit": "W"}
    answer = bench.ask("GetCompositeSchedule", **where)
    assert answer["status"] == "Accepted"
    schedule = answer["chargingSchedule" if version == "1.6" else "schedule"]
    assert schedule["chargingSchedulePeriod"] == [
        {"startPeriod": 0, "limit": 5000.0},
        {"startPeriod": 120, "limit": 7000.0},
        {"startPeriod": 300, "limit": 11000.0},
    ]
    in_amperes = bench.ask("GetCompositeSchedule", **{**where, "chargingRateUnit": "A"})
    first = in_amperes["chargingSchedule" if version == "1.6" else "schedule"]["chargingSchedulePeriod"][0]
    assert first["limit"] == pytest.approx(5000 / 690, abs=0.06)
    assert bench.status("GetCompositeSchedule", **bench.where(0), duration=60) == "Accepted"
    assert bench.status("GetCompositeSchedule", **bench.where(9), duration=60) == "Rejected"
    bench.until(lambda: bench.connector().offered == 7_000)
    bench.until(lambda: bench.connector().offered == 11_000)


@each_2x
def test_profiles_are_reported(make: Make, version: str) -> None:
    bench = make(version)
    period = [{"startPeriod": 0, "limit": 5_000.0}]
    assert bench.status("GetChargingProfiles", requestId=1, chargingProfile={}) == "NoProfiles"
    for level in (1, 2):
        assert bench.profile(1, "TxDefaultProfile", period, level=level) == "Accepted"
    criteria = {"chargingProfilePurpose": "TxDefaultProfile"}
    assert bench.status("GetChargingProfiles", requestId=2, chargingProfile=criteria) == "Accepted"
    bench.csms.wait_for("ReportChargingProfiles", 2)
    assert [report["tbc"] for report in bench.sent("ReportChargingProfiles")] == [True, False]
    criteria_of_one: dict[str, Any] = {"chargingProfileId": [2]}
    assert bench.status("GetChargingProfiles", requestId=3, chargingProfile=criteria_of_one, evseId=1) == "Accepted"
    assert bench.status("ClearChargingProfile", chargingProfileCriteria={**criteria, "stackLevel": 2}) == "Accepted"
    assert bench.status("ClearChargingProfile", chargingProfileCriteria={"evseId": 1}) == "Accepted"
    assert len(bench.station.charging.profiles) == 0


def profile(kind: str = "Absolute", begin: Any = None, periods: Any = None, now: Any = None, **more: Any) -> Profile:
    schedule = {"chargingRateUnit": "W", "chargingSchedulePeriod": periods or [{"startPeriod": 0, "limit": 1000}]}
    if begin is not None:
        schedule["startSchedule"] = format_time(begin)
    wire = {"chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": kind, **more}
    return Profile.parse(1, {**wire, "chargingSchedule": schedule}, now or parse_time(utcnow()))


def test_when_a_profile_holds(clock: FakeClock) -> None:
    from datetime import datetime, timezone

    supply, day = Supply.of(11_000), timedelta(days=1)
    noon = datetime(2025, 1, 31, 12, tzinfo=timezone.utc)
    night = [{"startPeriod": 0, "limit": 9000}, {"startPeriod": 36_000, "limit": 2000}, {"startPeriod": 50_000}]
    daily = profile("Recurring", noon, night, recurrencyKind="Daily")
    assert daily.limit(noon - day, None, supply) is None
    assert daily.limit(noon + 3 * day, None, supply) == (9000, None)
    assert daily.limit(noon + 3 * day + timedelta(hours=11), None, supply) == (2000, None)
    assert daily.limit(noon + timedelta(hours=15), None, supply) is None
    weekly = profile("Recurring", noon, recurrencyKind="Weekly")
    assert weekly.limit(noon + 8 * day, None, supply) == (1000, None)
    bounded = profile(begin=noon, validFrom=format_time(noon + day), validTo=format_time(noon + 2 * day))
    assert [bounded.limit(noon + count * day, None, supply) for count in range(3)] == [None, (1000, None), None]
    assert profile("Relative").limit(noon, None, supply) is None
    assert profile("Absolute").limit(noon, noon, supply) == (1000, None)
    hour = profile("Absolute", now=noon, periods=[{"startPeriod": 0, "limit": 1000}, {"startPeriod": 3600, "limit": 2000}])
    assert hour.limit(noon + timedelta(minutes=59), None, supply) == (1000, None)
    assert hour.limit(noon + timedelta(minutes=61), None, supply) == (2000, None)
    assert hour.limit(noon + timedelta(minutes=61), noon + timedelta(minutes=30), supply) == (1000, None)
    profiles = Profiles()
    profiles.add(daily)
    changes = profiles.changes(noon + day, noon + 2 * day, None)
    assert changes == [noon + day, noon + day + timedelta(seconds=36_000), noon + day + timedelta(seconds=50_000)]
    assert profiles.limit(Subject(1, supply), noon + day) == (9000, None)


def test_there_is_room_for_so_many_profiles() -> None:
    profiles = Profiles()
    many = [profile(chargingProfileId=number, stackLevel=number % 10, transactionId=number) for number in range(MAX_PROFILES + 1)]
    for each in many[:-1]:
        profiles.add(each)
    with pytest.raises(ValueError, match="there are 32 profiles already"):
        profiles.add(many[-1])
    with pytest.raises(ValueError, match="1 to 24 periods"):
        profile(periods=[{"startPeriod": number, "limit": 1} for number in range(MAX_PERIODS + 1)])
