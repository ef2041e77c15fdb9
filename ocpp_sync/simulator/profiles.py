"""Charging profiles: which limit holds when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from .. import parse_time
from .energy import Supply

__all__ = ["MAX_PERIODS", "MAX_PROFILES", "MAX_STACK_LEVEL", "Limit", "Profile", "Profiles", "Subject"]

MAX_STACK_LEVEL = 9
MAX_PERIODS = 24
MAX_PROFILES = 32

_CYCLES = {"Daily": timedelta(days=1), "Weekly": timedelta(days=7)}


class Limit(NamedTuple):
    """What may flow.

    Attributes:
        power: W.
        phases: On how many phases; None is all.
    """

    power: float
    phases: int | None


class Period(NamedTuple):
    """A part of a schedule.

    Attributes:
        start: Seconds after the schedule's begin.
        limit: In its unit; None is no limit.
        phases: How many may be used; None is all.
    """

    start: int
    limit: float | None
    phases: int | None


@dataclass(frozen=True)
class Profile:
    """A charging profile, of any version.

    Attributes:
        id: Its number.
        connector: Where it was set; 0 is the station.
        purpose: ``"Max"``, ``"TxDefault"`` or ``"Tx"``.
        set_at: When it was set.
        wire: As it came.
    """

    id: int
    connector: int
    purpose: str
    stack_level: int
    kind: str
    cycle: timedelta | None
    valid_from: datetime | None
    valid_to: datetime | None
    transaction: Any
    unit: str
    begin: datetime | None
    duration: int | None
    periods: tuple[Period, ...]
    set_at: datetime
    wire: dict[str, Any]

    @classmethod
    def parse(cls, connector: int, wire: dict[str, Any], now: datetime) -> Profile:
        """A profile of 1.6 or 2.x that is set now.

        Raises:
            ValueError: It has a purpose or a kind that a station does not take, or a time that is none.
        """
        purpose = wire["chargingProfilePurpose"].replace("ChargePoint", "").replace("ChargingStation", "").removesuffix("Profile")
        if purpose not in ("Max", "TxDefault", "Tx"):
            raise ValueError(f"the purpose {wire['chargingProfilePurpose']} is not supported")
        if wire["chargingProfileKind"] not in ("Absolute", "Recurring", "Relative"):
            raise ValueError(f"the kind {wire['chargingProfileKind']} is not supported")
        schedules = wire["chargingSchedule"]
        schedule = schedules[0] if isinstance(schedules, list) else schedules
        periods = [Period(each["startPeriod"], each.get("limit"), each.get("numberPhases")) for each in schedule["chargingSchedulePeriod"]]
        if wire["stackLevel"] not in range(MAX_STACK_LEVEL + 1):
            raise ValueError(f"the highest stack level is {MAX_STACK_LEVEL}")
        if not 1 <= len(periods) <= MAX_PERIODS or periods[0].start != 0 or periods != sorted(periods, key=lambda each: each.start):
            raise ValueError(f"a schedule has 1 to {MAX_PERIODS} periods, from 0 on, in their order")
        return cls(
            id=wire["chargingProfileId"] if "chargingProfileId" in wire else wire["id"],
            connector=connector,
            purpose=purpose,
            stack_level=wire["stackLevel"],
            kind=wire["chargingProfileKind"],
            cycle=_CYCLES[wire.get("recurrencyKind", "Daily")] if wire["chargingProfileKind"] == "Recurring" else None,
            valid_from=_time(wire, "validFrom"),
            valid_to=_time(wire, "validTo"),
            transaction=wire.get("transactionId"),
            unit=schedule["chargingRateUnit"],
            begin=_time(schedule, "startSchedule"),
            duration=schedule.get("duration"),
            periods=tuple(periods),
            set_at=now,
            wire=wire,
        )

    def limit(self, at: datetime, started: datetime | None, supply: Supply) -> Limit | None:
        """What it allows at a time; None if it says nothing then.

        Args:
            at: The time.
            started: When the transaction began; None without one.
            supply: Of the connector, which makes W of A.
        """
        elapsed = self._elapsed(at, started)
        if elapsed is None or (self.duration is not None and elapsed >= self.duration):
            return None
        period = [each for each in self.periods if each.start <= elapsed][-1]
        if period.limit is None:
            return None
        power = period.limit if self.unit == "W" else supply.using(period.phases).watts(period.limit)
        return Limit(power, period.phases)

    def _elapsed(self, at: datetime, started: datetime | None) -> float | None:
        """Seconds since the schedule has begun; None if it has not, or the profile is not valid."""
        if (self.valid_from is not None and at < self.valid_from) or (self.valid_to is not None and at >= self.valid_to):
            return None
        begin = self._first(started)
        if begin is None or at < begin:
            return None
        passed = at - begin
        return (passed % self.cycle if self.cycle is not None else passed).total_seconds()

    def _first(self, started: datetime | None) -> datetime | None:
        """When its schedule begins first: as it says itself, with the transaction, or else when it was set; None if that is to come."""
        if self.begin is not None and self.kind != "Relative":
            return self.begin
        if self.purpose == "Max":
            return self.set_at  # a station has no transaction to begin with
        return self.set_at if started is None and self.kind != "Relative" else started

    def changes(self, since: datetime, until: datetime, started: datetime | None) -> Iterator[datetime]:
        """When its limit may change."""
        yield from filter(None, (self.valid_from, self.valid_to))
        begin = self._first(started)
        if begin is None:
            return
        if self.cycle is not None and since > begin:
            begin += ((since - begin) // self.cycle) * self.cycle
        while begin <= until:
            for seconds in (*(each.start for each in self.periods), *([] if self.duration is None else [self.duration])):
                yield begin + timedelta(seconds=seconds)
            if self.cycle is None:
                return
            begin += self.cycle


class Subject(NamedTuple):
    """What a limit is asked for.

    Attributes:
        connector: The number of the connector.
        supply: What it can give.
        transaction: Its transaction's id; None without one.
        started: When that began; None without one.
    """

    connector: int
    supply: Supply
    transaction: Any = None
    started: datetime | None = None


class Profiles:
    """All that were set; the station's lock guards them."""

    def __init__(self) -> None:
        self._profiles: list[Profile] = []

    def __iter__(self) -> Iterator[Profile]:
        return iter(list(self._profiles))

    def __len__(self) -> int:
        return len(self._profiles)

    def add(self, profile: Profile) -> None:
        """Install one; it takes the place of one of the same id, or of the same purpose and level at the same connector.

        Raises:
            ValueError: There is no room.
        """

        def key(each: Profile) -> tuple[Any, ...]:
            return each.connector, each.purpose, each.stack_level, each.transaction

        kept = [each for each in self._profiles if each.id != profile.id and key(each) != key(profile)]
        if len(kept) >= MAX_PROFILES:
            raise ValueError(f"there are {MAX_PROFILES} profiles already")
        self._profiles = [*kept, profile]

    def remove(self, matches: Callable[[Profile], bool]) -> int:
        """Remove those that a function says; returns how many these were."""
        before = len(self._profiles)
        self._profiles = [each for each in self._profiles if not matches(each)]
        return before - len(self._profiles)

    def limit(self, subject: Subject, at: datetime) -> Limit | None:
        """What a connector may give to its transaction, by the profiles for transactions; None if they say nothing."""
        of_transaction = [each for each in self._profiles if each.purpose == "Tx" and each.connector == subject.connector]
        mine = [each for each in of_transaction if each.transaction in (None, subject.transaction)]
        for group in (mine, self._defaults(subject.connector), self._defaults(0)):
            found = self._leading(group, at, subject)
            if found is not None:
                return found
        return None

    def station_limit(self, supply: Supply, at: datetime) -> Limit | None:
        """What the station may take; None if no profile says so."""
        return self._leading((each for each in self._profiles if each.purpose == "Max"), at, Subject(0, supply))

    def changes(self, since: datetime, until: datetime, started: datetime | None) -> list[datetime]:
        """When a limit may change between two times, in order; the first is one of them."""
        found = {when for each in self._profiles for when in each.changes(since, until, started)}
        return sorted({since} | {when for when in found if since < when < until})

    def _defaults(self, connector: int) -> list[Profile]:
        return [each for each in self._profiles if each.purpose == "TxDefault" and each.connector == connector]

    def _leading(self, group: Iterable[Profile], at: datetime, subject: Subject) -> Limit | None:
        """What the highest says of those that say something."""
        for each in sorted(group, key=lambda each: -each.stack_level):
            limit = each.limit(at, subject.started, subject.supply)
            if limit is not None:
                return limit
        return None


def _time(wire: dict[str, Any], name: str) -> datetime | None:
    return parse_time(wire[name]) if name in wire else None
