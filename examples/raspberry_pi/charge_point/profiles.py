"""Charging profiles of 1.6 and 2.0.1: how many amps a phase may flow now."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from ocpp_sync import format_time, parse_time

from .memory import Memory
from .settings import Supply

log = logging.getLogger("charge_point")

MOST_PROFILES, MOST_PERIODS, HIGHEST_LEVEL = 20, 24, 9
MAX, DEFAULT, TX = "Max", "TxDefault", "Tx"
Wire = dict[str, Any]


def purpose(profile: Wire) -> str:
    """``"Max"``, ``"TxDefault"`` or ``"Tx"``, whatever the version calls it."""
    name: str = profile["chargingProfilePurpose"]
    return name.replace("ChargePoint", "").replace("ChargingStation", "").removesuffix("Profile")


def number(profile: Wire) -> int:
    """Its number."""
    found: int = profile["chargingProfileId"] if "chargingProfileId" in profile else profile["id"]
    return found


def _schedule(profile: Wire) -> Wire:
    schedule = profile["chargingSchedule"]
    found: Wire = schedule[0] if isinstance(schedule, list) else schedule
    return found


def why_not(profile: Wire, transaction: Any) -> str | None:
    """Why a profile cannot be installed; None if it can.

    Args:
        profile: As it came.
        transaction: The id of the transaction that goes on; None if there is none.
    """
    periods = _schedule(profile)["chargingSchedulePeriod"]
    starts = [each["startPeriod"] for each in periods]
    if purpose(profile) not in (MAX, DEFAULT, TX):
        return f"the purpose {profile['chargingProfilePurpose']} is not supported"
    if profile["chargingProfileKind"] not in ("Absolute", "Recurring", "Relative"):
        return f"the kind {profile['chargingProfileKind']} is not supported"
    if not 0 <= profile["stackLevel"] <= HIGHEST_LEVEL:
        return f"the highest stack level is {HIGHEST_LEVEL}"
    if not starts or len(starts) > MOST_PERIODS or starts[0] != 0 or starts != sorted(set(starts)):
        return f"a schedule has 1 to {MOST_PERIODS} periods, from 0 on, in their order"
    if purpose(profile) == TX and (transaction is None or profile.get("transactionId", transaction) != transaction):
        return "a TxProfile is for the transaction that goes on"
    if isinstance(profile["chargingSchedule"], list) and len(profile["chargingSchedule"]) != 1:
        return "a profile has one schedule here"
    return None


def installed(profiles: list[Wire], new: Wire) -> list[Wire] | None:
    """Profiles with one more, which takes the place of its like; None if there is no room."""

    def place(each: Wire) -> tuple[str, int]:
        return purpose(each), each["stackLevel"]

    kept = [each for each in profiles if number(each) != number(new) and place(each) != place(new)]
    return [*kept, new] if len(kept) < MOST_PROFILES else None


def limit(profiles: list[Wire], supply: Supply, now: datetime, started: datetime | None) -> float:
    """Amps a phase.

    Args:
        profiles: All that are installed.
        supply: What the circuit can give.
        now: The time.
        started: When the transaction began; None if there is none.
    """
    amps = supply.amps
    for group in ((MAX,), (TX, DEFAULT)):  # what the station may take, and the transaction
        for name in group:
            found = _leading([each for each in profiles if purpose(each) == name], supply, now, started)
            if found is not None:
                amps = min(amps, found)
                break  # a TxProfile that says something overrules the TxDefaultProfile
    return max(0.0, amps)


def _leading(profiles: list[Wire], supply: Supply, now: datetime, started: datetime | None) -> float | None:
    for profile in sorted(profiles, key=lambda each: -int(each["stackLevel"])):
        amps = _amps(profile, supply, now, started)
        if amps is not None:
            return amps
    return None


def _amps(profile: Wire, supply: Supply, now: datetime, started: datetime | None) -> float | None:
    schedule = _schedule(profile)
    if "validFrom" in profile and now < parse_time(profile["validFrom"]):
        return None
    if "validTo" in profile and now >= parse_time(profile["validTo"]):
        return None
    begin = started
    if profile["chargingProfileKind"] != "Relative" and "startSchedule" in schedule:
        begin = parse_time(schedule["startSchedule"])
    if begin is None or now < begin:
        return None
    passed = now - begin
    if profile["chargingProfileKind"] == "Recurring":
        passed %= timedelta(days=7 if profile.get("recurrencyKind") == "Weekly" else 1)
    seconds = passed.total_seconds()
    if seconds >= schedule.get("duration", float("inf")):
        return None
    period = [each for each in schedule["chargingSchedulePeriod"] if each["startPeriod"] <= seconds][-1]
    value = float(period["limit"])
    if schedule["chargingRateUnit"] == "A":
        return value
    watts_an_ampere: float = supply.volts * supply.phases  # numberPhases changes nothing: no phase can be switched off here
    return value / watts_an_ampere


class Limits:
    """The profiles that are installed, and what they come to.

    Args:
        memory: Where they are kept.
        supply: What the circuit can give.
        now: The time.
    """

    def __init__(self, memory: Memory, supply: Supply, now: Callable[[], datetime]) -> None:
        self._memory, self._supply, self._now = memory, supply, now

    def install(self, profile: Wire, transaction: Any) -> bool:
        """Install one; false if it cannot be.

        Args:
            profile: As it came.
            transaction: The id of the transaction that goes on; None if there is none.
        """
        why = why_not(profile, transaction)
        kept = None if why else installed(self._memory["profiles"], profile)
        if kept is None:
            log.warning("a charging profile was refused: %s", why or f"there are {MOST_PROFILES} already")
            return False
        self._memory.keep(profiles=kept)
        return True

    def clear(self, matches: Callable[[Wire], bool]) -> bool:
        """Take those away that a function says; false if there are none."""
        kept = [each for each in self._memory["profiles"] if not matches(each)]
        is_changed = len(kept) != len(self._memory["profiles"])
        self._memory.keep(profiles=kept)
        return is_changed

    def end_transaction(self) -> None:
        """A TxProfile ends with its transaction."""
        self.clear(lambda each: purpose(each) == TX)

    def amps(self, started: datetime | None) -> float:
        """Amps a phase that may flow now, in a transaction that began then; None is without one."""
        return limit(self._memory["profiles"], self._supply, self._now(), started)

    def composite(self, started: datetime | None, duration: int, unit: str) -> tuple[str, list[Wire]]:
        """The time, and the periods that all profiles come to from then on, to the minute; a day at most."""
        now, periods = self._now(), list[Wire]()
        for second in range(0, min(duration, 86_400), 60):
            amps = limit(self._memory["profiles"], self._supply, now + timedelta(seconds=second), started)
            value = round(amps if unit == "A" else amps * self._supply.volts * self._supply.phases, 1)
            if not periods or periods[-1]["limit"] != value:
                periods.append({"startPeriod": second, "limit": value})
        return format_time(now), periods
