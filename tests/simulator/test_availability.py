"""Availability, unlocking and reservations of a simulated charge point."""

from __future__ import annotations

from datetime import timedelta

from ocpp_sync import (
    format_time,
)
from ocpp_sync.simulator.connector import State

from .bench import Make, each_2x, each_version, wait_for

# --- Availability, unlocking, reservations


@each_version
def test_change_availability(make: Make, version: str) -> None:
    bench = make(version, connectors=2)

    def change(number: int, operative: bool) -> str:
        kind = "Operative" if operative else "Inoperative"
        if version == "1.6":
            return bench.status("ChangeAvailability", connectorId=number, type=kind)
        return bench.status("ChangeAvailability", operationalStatus=kind, evse={"id": number} if number else None)

    def whole() -> str:
        if version == "1.6":
            return bench.states(0)[-1]
        value: str = bench.get_variable("ChargingStation.AvailabilityState")["attributeValue"]
        return value

    bench.charge(1)
    assert change(0, False) == "Scheduled"
    bench.settle()
    assert whole() == "Available"
    assert bench.connector(2).state is State.UNAVAILABLE
    assert bench.connector(1).state is State.CHARGING
    bench.station.stop()
    assert bench.connector(1).state is State.UNAVAILABLE
    wait_for(lambda: whole() == "Unavailable")
    assert bench.remote_start(1) == "Rejected"
    bench.csms.clear()
    assert bench.status("TriggerMessage", requestedMessage="StatusNotification") == "Accepted"
    bench.csms.wait_for("StatusNotification", 3 if version == "1.6" else 2)
    assert whole() == "Unavailable"
    assert change(1, True) == change(2, True) == "Accepted"
    wait_for(lambda: whole() == "Available")
    assert (bench.connector(1).state, bench.connector(2).state) == (State.FINISHING, State.AVAILABLE)
    assert change(9, True) == "Rejected"
    wait_for(lambda: bench.states(2) == ["Unavailable", "Available"])


@each_version
def test_the_availability_of_the_station_is_told_after_a_boot_and_an_outage(make: Make, version: str) -> None:
    bench = make(version)
    kind = {"connectorId": 0, "type": "Inoperative"} if version == "1.6" else {"operationalStatus": "Inoperative"}
    bench.station.go_offline()
    wait_for(lambda: not bench.csms.identities)
    with bench.station.changing():
        bench.station.presence.operative = bench.connector().operative = False
    bench.csms.clear()
    bench.station.go_online()
    if version == "1.6":
        wait_for(lambda: bench.states(0) == ["Unavailable"])
    wait_for(lambda: bench.states(1) == ["Unavailable"])
    assert bench.status("ChangeAvailability", **kind) == "Accepted"
    bench.csms.clear()
    assert bench.reset("soft") == "Accepted"
    bench.until(lambda: bench.states(1) == ["Unavailable"])
    assert bench.states(0) == (["Unavailable"] if version == "1.6" else [])


def test_unlock_in_16_ends_a_transaction(make: Make) -> None:
    bench = make("1.6")
    bench.charge()
    assert bench.status("UnlockConnector", connectorId=9) == "NotSupported"
    assert bench.status("UnlockConnector", connectorId=1) == "Unlocked"
    assert bench.reason() == "UnlockCommand"


@each_2x
def test_unlock_in_2x_does_not_end_one(make: Make, version: str) -> None:
    bench = make(version)
    assert bench.status("UnlockConnector", evseId=1, connectorId=1) == "Unlocked"
    assert bench.status("UnlockConnector", evseId=1, connectorId=2) == "UnknownConnector"
    assert bench.status("UnlockConnector", evseId=2, connectorId=1) == "UnknownConnector"
    bench.charge()
    assert bench.status("UnlockConnector", evseId=1, connectorId=1) == "OngoingAuthorizedTransaction"


@each_version
def test_reservations(make: Make, version: str) -> None:
    bench = make(version, connectors=2)

    def reserve(number: int | None, name: int, token: str, seconds: float = 600.0) -> str:
        expires = format_time(bench.station.now() + timedelta(seconds=seconds))
        if version == "1.6":
            return bench.status("ReserveNow", connectorId=number or 0, expiryDate=expires, idTag=token, reservationId=name)
        return bench.status("ReserveNow", id=name, expiryDateTime=expires, evseId=number, **bench.token(token))

    assert reserve(1, 4, "ANNA") == "Accepted"
    assert bench.connector(1).state is State.RESERVED
    assert reserve(1, 5, "BERT") == "Occupied"
    assert bench.remote_start(1, "BERT") == "Rejected"
    bench.charge(1, "anna")
    if version == "1.6":
        assert bench.sent("StartTransaction")[0]["reservationId"] == 4
    else:
        assert bench.sent("TransactionEvent")[0]["reservationId"] == 4
    assert reserve(1, 6, "BERT") == "Occupied"
    assert reserve(None, 7, "BERT") == ("Rejected" if version == "1.6" else "Accepted")
    assert reserve(2, 7, "BERT", 50.0) == "Accepted"
    bench.until(lambda: bench.connector(2).state is State.AVAILABLE)
    if version != "1.6":
        bench.csms.wait_for("ReservationStatusUpdate")
        assert bench.sent("ReservationStatusUpdate") == [{"reservationId": 7, "reservationUpdateStatus": "Expired"}]
    assert reserve(2, 8, "BERT") == "Accepted"
    assert bench.status("CancelReservation", reservationId=99) == "Rejected"
    assert bench.status("CancelReservation", reservationId=8) == "Accepted"
    assert bench.connector(2).state is State.AVAILABLE
    assert reserve(9, 9, "BERT") == "Rejected"
    bench.station.fault(2)
    assert reserve(2, 9, "BERT") == "Faulted"
    bench.station.clear(2)
    bench.connector(2).operative = False
    assert reserve(2, 9, "BERT") == "Unavailable"
