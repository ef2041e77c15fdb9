"""What the CSMS may do with a simulated charge point: start, stop, reset."""

from __future__ import annotations

from typing import Any

import pytest

from ocpp_sync.simulator import Car
from ocpp_sync.simulator.connector import State
from ocpp_sync.testing import ScriptedCsms

from .bench import CAR, Make, each_2x, each_version, wait_for

# --- Remote start and stop


@each_version
def test_remote_start_and_stop(make: Make, version: str) -> None:
    bench = make(version)
    bench.station.plug(1, Car(**CAR))
    assert bench.remote_start() == "Accepted"
    transaction = bench.transaction_id()
    assert bench.remote_start() == "Rejected"
    assert bench.remote_stop(99 if version == "1.6" else "nonsense") == "Rejected"
    assert bench.remote_stop(transaction) == "Accepted"
    assert bench.reason() == "Remote"
    assert bench.sent("Authorize") == []
    if version != "1.6":
        first = bench.sent("TransactionEvent")[0]
        assert (first["triggerReason"], first["transactionInfo"]["remoteStartId"]) == ("RemoteStart", 77)
        assert first["idToken"] == {"idToken": "REMOTE", "type": "Central"}
        assert bench.ended()["triggerReason"] == "RemoteStop"


@each_version
def test_remote_start_somewhere_before_the_plug(make: Make, version: str) -> None:
    bench = make(version, connectors=2)
    bench.station.plug(2, Car(**CAR))
    assert bench.remote_start(None) == "Accepted"
    assert bench.station.wait_for(2, State.CHARGING)
    assert bench.remote_start(None, "OTHER") == "Accepted"
    assert bench.station.wait_for(1, State.PREPARING)
    bench.station.plug(1, Car(**CAR))
    assert bench.station.wait_for(1, State.CHARGING)
    assert bench.remote_start(9) == "Rejected"


@each_version
def test_a_remote_start_that_is_authorized(make: Make, csms: ScriptedCsms, version: str) -> None:
    bench = make(version)
    assert bench.setting("authorize remote start", "true") == "Accepted"
    bench.station.plug(1, Car(**CAR))
    assert bench.remote_start() == "Accepted"
    assert bench.station.wait_for(1, State.CHARGING)
    assert len(bench.sent("Authorize")) == 1


@each_version
def test_a_remote_start_with_a_profile(make: Make, version: str) -> None:
    bench = make(version)
    bench.station.plug(1, Car(**CAR))
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 8.0}]}
    profile: dict[str, Any] = {"stackLevel": 1, "chargingProfileKind": "Relative", "chargingProfilePurpose": "TxDefaultProfile"}
    profile |= (
        {"chargingProfileId": 3, "chargingSchedule": schedule}
        if version == "1.6"
        else {"id": 3, "chargingSchedule": [{"id": 1, **schedule}]}
    )
    assert bench.remote_start(chargingProfile=profile) == "Rejected"
    profile["chargingProfilePurpose"] = "TxProfile"
    assert bench.remote_start(chargingProfile={**profile, "stackLevel": 99}) == "Rejected"
    assert bench.remote_start(chargingProfile=profile) == "Accepted"
    assert bench.station.wait_until(lambda _: bench.connector().offered == pytest.approx(8 * 230 * 3))
    assert bench.connector().state is State.CHARGING
    bench.station.stop()
    bench.station.unplug()
    assert bench.remote_start(chargingProfile=profile) == "Accepted"
    assert bench.station.wait_for(1, State.PREPARING)
    bench.until(lambda: bench.connector().state is State.AVAILABLE)
    bench.charge()
    assert bench.connector().offered == 11_000


# --- Reset


@each_version
@pytest.mark.parametrize("kind", ["soft", "hard"])
def test_a_reset_ends_transactions_and_boots(make: Make, csms: ScriptedCsms, version: str, kind: str) -> None:
    bench = make(version)
    bench.charge()
    csms.clear()
    assert bench.reset(kind) == "Accepted"
    bench.until(lambda: bench.station.presence.boots == 2)
    assert bench.station.wait_ready()
    assert bench.reason() == ({"soft": "SoftReset", "hard": "HardReset"}[kind] if version == "1.6" else "ImmediateReset")
    actions = [received.action for received in csms.received]
    ending = "StopTransaction" if version == "1.6" else "TransactionEvent"
    is_hard_16 = (version, kind) == ("1.6", "hard")
    assert (actions.index("BootNotification") < actions.index(ending)) is is_hard_16
    by_action = {received.action: received.connection for received in csms.received}
    assert (by_action["BootNotification"] == by_action[ending]) is is_hard_16
    if version != "1.6":
        assert bench.sent("BootNotification")[0]["reason"] == "RemoteReset"
    wait_for(lambda: bench.states()[-1:] == ["Preparing" if version == "1.6" else "Occupied"])
    assert bench.station.reboots == 1
    assert bench.station.errors == {}


@each_2x
def test_a_reset_on_idle_waits(make: Make, csms: ScriptedCsms, version: str) -> None:
    bench = make(version, connectors=2)
    bench.charge()
    assert bench.status("Reset", type="OnIdle") == "Scheduled"
    assert bench.station.wait_until(lambda it: it.is_resetting)
    assert bench.remote_start(2) == "Rejected"
    csms.clear()
    bench.station.stop()
    bench.until(lambda: bench.station.presence.boots == 2)
    assert bench.sent("BootNotification")[0]["reason"] == "ScheduledReset"
    assert bench.station.wait_ready()
    assert bench.status("Reset", type="OnIdle") == "Accepted"
    bench.until(lambda: bench.station.presence.boots == 3)


@each_2x
def test_the_reset_of_an_evse(make: Make, version: str) -> None:
    bench = make(version, connectors=2)
    bench.charge(1)
    bench.charge(2)
    assert bench.status("Reset", type="OnIdle", evseId=1) == "Scheduled"
    assert bench.status("Reset", type="Immediate", evseId=9) == "Rejected"
    assert bench.status("Reset", type="Immediate", evseId=2) == "Accepted"
    assert bench.station.wait_until(lambda _: bench.connector(2).transaction is None)
    assert bench.connector(1).transaction is not None
    assert bench.station.presence.boots == 1
    if version == "2.1":
        assert bench.status("Reset", type="ImmediateAndResume") == "Rejected"


def test_a_reboot_by_hand(make: Make) -> None:
    bench = make("2.0.1")
    bench.station.reboot()
    bench.station.reboot()
    bench.until(lambda: bench.station.presence.boots == 2)
    assert bench.sent("BootNotification")[-1]["reason"] == "LocalReset"
    assert bench.station.reboots == 1
    assert bench.station.errors == {}
