"""What a station obeys in every version, and what the handlers of one version share with those of another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .connector import Connector, Reason, Token
from .profiles import Profile

if TYPE_CHECKING:
    from .station import Station

__all__ = [
    "ACCEPTED",
    "REJECTED",
    "Answer",
    "Later",
    "Request",
    "cancel_reservation",
    "choose",
    "clear_cache",
    "clear_profiles",
    "data_transfer",
    "get_log",
    "log_name",
    "pending_profile",
    "remote_stop",
    "reservable",
    "say_firmware",
    "say_heartbeat",
    "say_log",
    "say_meter",
    "say_nothing",
    "say_status",
    "schedule_periods",
    "set_availability",
    "why_not_profile",
]

Request = dict[str, Any]
Answer = dict[str, Any]
Later = Iterator[dict[str, Any]]
"""An answer, and what is done when that has gone out."""

ACCEPTED = {"status": "Accepted"}
REJECTED = {"status": "Rejected"}


# --- Transactions


def choose(station: Station, number: int | None, token: Token) -> Connector | None:
    """The connector for a remote start; None if it cannot be."""
    wanted = station.connectors.values() if number is None else filter(None, [station.connectors.get(number)])
    fit = [it for it in wanted if station.reader.why_not(it, token) is None]
    return min(fit, key=lambda it: it.car is None, default=None)


def pending_profile(station: Station, it: Connector, wire: Request | None) -> bool | None:
    """Keep the profile that comes with a remote start; false if it cannot be taken, None if there is none."""
    station.pending_profiles.pop(it.number, None)
    if wire is None:
        return None
    try:
        profile = Profile.parse(it.number, wire, station.now())
    except ValueError:
        return False
    if profile.purpose != "Tx" or profile.transaction is not None:
        return False
    station.pending_profiles[it.number] = profile
    return True


def remote_stop(station: Station, request: Request) -> Later:
    """A transaction is to end."""
    station.charging.wait_named(request["transactionId"])
    with station.changing():
        it = station.charging.find(request["transactionId"])
    if it is None:
        yield REJECTED
        return
    yield ACCEPTED
    with station.changing():
        if station.charging.find(request["transactionId"]) is it:
            station.charging.end(it, Reason.REMOTE)


def reservable(station: Station, it: Connector, number: int) -> str:
    """Whether a connector can be kept for somebody."""
    if it.fault is not None:
        return "Faulted"
    if not it.operative:
        return "Unavailable"
    mine = it.reservation is None or it.reservation.id == number
    return "Accepted" if mine and it.is_free and it.car is None else "Occupied"


def cancel_reservation(station: Station, request: Request) -> Answer:
    """It need not be kept any more."""
    with station.changing():
        it = station.charging.reservation(request["reservationId"])
        if it is None:
            return REJECTED
        station.charging.release(it)
        station.note("cancelled", "the reservation is cancelled", it.number)
    return ACCEPTED


# --- Smart charging


def why_not_profile(station: Station, number: int, wire: Request) -> str | None:
    """Install a profile; what keeps it from being, or None."""
    try:
        profile = Profile.parse(number, wire, station.now())
        if number != 0:
            station.connector(number)
        if profile.purpose == "Max" and number != 0:
            raise ValueError("a limit of the whole station is set for the whole station")
        if profile.purpose == "Tx":
            transaction = None if number == 0 else station.connectors[number].transaction
            if transaction is None or profile.transaction not in (None, transaction.id):
                raise ValueError("there is no such transaction")
        station.charging.profiles.add(profile)
    except ValueError as error:
        return str(error)
    station.note("profile", f"charging profile {profile.id} is set", number, profile=profile.id)
    return None


def clear_profiles(station: Station, wanted: Request) -> Answer:
    """Take those away that have all that is wanted."""

    def matches(profile: Profile) -> bool:
        return all(value is None or getattr(profile, name) == value for name, value in wanted.items())

    with station.changing():
        removed = station.charging.profiles.remove(matches)
    if removed:
        station.note("profile", f"{removed} charging profile{'s are' if removed > 1 else ' is'} taken away")
    return {"status": "Accepted" if removed else "Unknown"}


def schedule_periods(station: Station, number: int, duration: int, unit: str) -> list[dict[str, Any]]:
    """The periods of a composite schedule."""
    supply = station.connectors[number or 1].supply
    periods = []
    for start, limit in station.charging.schedule(number, duration):
        usable = supply.using(limit.phases)
        period = {"startPeriod": start, "limit": round(usable.amperes(limit.power) if unit == "A" else limit.power, 1)}
        periods.append(period if usable == supply else {**period, "numberPhases": usable.phases})
    return periods


# --- The station


def set_availability(station: Station, number: int, operative: bool) -> str:
    """Change that of a connector, or of the whole station, whose number is 0; now or after a transaction."""
    with station.changing():
        status, numbers = "Accepted", [number] if number else list(station.connectors)
        # A station of which a part may be used is not out of use.
        station.presence.operative = operative or (station.presence.operative and number != 0)
        for it in (station.connectors[number] for number in numbers):
            if it.transaction is not None and not operative:
                it.scheduled, status = operative, "Scheduled"
            else:
                it.operative, it.scheduled = operative, None
        station.note("availability", f"{'operative' if operative else 'inoperative'} ({status})", number)
    return status


def say_status(station: Station, number: int | None) -> None:
    """The states of all, or of one."""
    with station.changing():
        for each in (0, *station.connectors) if number is None else (number,):
            station.presence.report(each, anew=True)


def say_meter(station: Station, number: int | None) -> None:
    """The meters of all, or of one."""
    with station.changing():
        for it in station.connectors.values() if not number else (station.connectors[number],):
            station.metering.report(it, "Trigger")


def say_heartbeat(station: Station, number: int | None) -> None:
    """A heartbeat."""
    station.say(("Heartbeat", {}))


def say_log(station: Station, number: int | None) -> None:
    """How far an upload is."""
    station.maintenance.log.repeat()


def say_firmware(station: Station, number: int | None) -> None:
    """How far an update is."""
    station.maintenance.firmware.repeat()


def say_nothing(station: Station, number: int | None) -> None:
    """The client itself does it."""


def log_name(station: Station) -> str:
    """The name that a file would have."""
    return f"{station.identity}-{station.now():%Y%m%d-%H%M%S}.log"


def get_log(station: Station, request: Request) -> Later:
    """The same by the newer message."""
    canceled = station.maintenance.log.is_under_way
    yield {"status": "AcceptedCanceled" if canceled else "Accepted", "filename": log_name(station)}
    station.maintenance.send_log(request["requestId"])


# --- Tokens, and the rest


def clear_cache(station: Station, request: Request) -> Answer:
    """It is to forget whom it knows."""
    with station.changing():
        station.reader.tokens.cached.clear()
        return {"status": "Accepted" if station.configuration.flag("cache") else "Rejected"}


def data_transfer(station: Station, request: Request) -> Answer:
    """It has no vendor's own messages."""
    return {"status": "UnknownVendorId"}
