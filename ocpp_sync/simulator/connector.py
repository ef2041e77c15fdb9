"""A connector: what is known of it, and the state that follows from that. No version of OCPP is known here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from .. import Delivery
from .agenda import Appointment
from .energy import Car, Reading, Supply, charge

__all__ = ["FAULTS", "Authorization", "Connector", "Reason", "Reservation", "State", "Token", "Transaction"]


FAULTS = ("GroundFailure", "HighTemperature", "OverCurrentFailure", "PowerSwitchFailure", "EVCommunicationError")
"""What may befall a connector, by the names of OCPP 1.6."""


class State(str, Enum):
    """The state of a connector, by the names of OCPP 1.6; 2.x has one word for several."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


class Reason(str, Enum):
    """Why a transaction ends."""

    LOCAL = "Local"
    REMOTE = "Remote"
    EV_DISCONNECTED = "EVDisconnected"
    DEAUTHORIZED = "DeAuthorized"
    UNLOCK = "UnlockCommand"
    SOFT_RESET = "SoftReset"
    HARD_RESET = "HardReset"
    REBOOT = "Reboot"
    POWER_LOSS = "PowerLoss"
    EMERGENCY_STOP = "EmergencyStop"
    FAULT = "Fault"


class Token(NamedTuple):
    """Who wants to charge.

    Attributes:
        id: The token.
        type: What it is, in OCPP 2.x.
    """

    id: str
    type: str = "ISO14443"


@dataclass
class Authorization:
    """Somebody who may charge here, and has not begun.

    Attributes:
        token: Who.
        group: The group that they belong to; None is none.
        remote_start_id: Of the request that has started it, in 2.x.
        is_remote: Whether the CSMS has started it.
        end: When it lapses.
    """

    token: Token
    group: str | None = None
    remote_start_id: int | None = None
    is_remote: bool = False
    end: Appointment | None = None


class Reservation(NamedTuple):
    """Somebody for whom a connector is kept.

    Attributes:
        id: The CSMS's number for it.
        token: Who.
        group: Whose group may use it, too; None is none.
        expires: Until when.
        end: When it is taken back.
    """

    id: int
    token: Token
    group: str | None
    expires: datetime
    end: Appointment

    def is_for(self, token: Token, group: str | None) -> bool:
        """Whether somebody may use it."""
        return self.token.id.lower() == token.id.lower() or (self.group is not None and self.group == group)


@dataclass
class Transaction:
    """A transaction that goes on.

    Attributes:
        authorization: Who charges.
        meter_start: Wh of the meter when it began.
        started: When that was.
        handle: What the outbox calls it; in 2.x its id.
        id: What the CSMS calls it; None as long as it has not said.
        delivery: That of its beginning; None if it could not be queued.
        reservation_id: Of the reservation that it has used; None is none.
        deauthorized: Whether the CSMS does not want it to get energy.
        charging_for: Seconds in which energy has flown.
        begin: The first values of the meter.
        told: The state and the W on offer that the CSMS knows of; None before the first.
        sample: When the next values are due.
    """

    authorization: Authorization
    meter_start: float
    started: datetime
    handle: str = ""
    id: int | str | None = None
    delivery: Delivery | None = None
    reservation_id: int | None = None
    deauthorized: bool = False
    charging_for: float = 0.0
    begin: list[Reading] = field(default_factory=list)
    told: tuple[str, float] | None = None
    sample: Appointment | None = None

    @property
    def token(self) -> Token:
        """Who charges."""
        return self.authorization.token


class Connector:
    """What is known of a connector; the station's lock guards it.

    Args:
        number: From 1 on; in 2.x it is the only one of the EVSE of this number.
        supply: What it can give.

    Attributes:
        car: The car that is plugged in; None is none.
        authorization: Who may begin; None is nobody.
        transaction: What goes on; None is nothing.
        reservation: For whom it is kept; None is nobody.
        fault: Its error, by a name of OCPP 1.6; None is none.
        operative: Whether it may be used.
        scheduled: What ``operative`` becomes after the transaction; None is what it is.
        finished: Whether the car that is plugged in has had its transaction.
        register: Wh of its meter.
        offered: W that a car may take.
        usable: What may be used of the supply now: perhaps not all of its phases.
        advanced: Until when the meter has been moved on, in the station's seconds.
        shown: The state when the station looked last.
    """

    def __init__(self, number: int, supply: Supply) -> None:
        self.number = number
        self.supply = supply
        self.car: Car | None = None
        self.authorization: Authorization | None = None
        self.transaction: Transaction | None = None
        self.reservation: Reservation | None = None
        self.fault: str | None = None
        self.operative = True
        self.scheduled: bool | None = None
        self.finished = False
        self.register = 0.0
        self.offered = supply.power
        self.usable = supply
        self.advanced = 0.0
        self.shown = State.AVAILABLE

    @property
    def state(self) -> State:
        """What it is now: the first of the table that holds."""
        return next(state for state, holds in _STATES if holds(self))

    @property
    def power(self) -> float:
        """W that flow now."""
        transaction, car = self.transaction, self.car
        if transaction is None or car is None or self.state is not State.CHARGING:
            return 0.0
        return min(self.offered, car.wanted(self.usable, transaction.charging_for))

    @property
    def energy(self) -> float:
        """Wh of the transaction; 0 without one."""
        return 0.0 if self.transaction is None else self.register - self.transaction.meter_start

    @property
    def is_free(self) -> bool:
        """Whether somebody may begin here."""
        return self.transaction is None and self.authorization is None and self.fault is None and self.operative

    def advance(self, now: float) -> None:
        """Let the time pass until ``now``, in the station's seconds."""
        seconds, self.advanced = now - self.advanced, now
        transaction, car = self.transaction, self.car
        if seconds > 0 and transaction is not None and car is not None and self.state is State.CHARGING:
            self.register += charge(car, self.usable, self.offered, transaction.charging_for, seconds)
            transaction.charging_for += seconds


_STATES: tuple[tuple[State, Callable[[Connector], bool]], ...] = (
    (State.FAULTED, lambda it: it.fault is not None),
    (State.SUSPENDED_EV, lambda it: it.transaction is not None and (it.car is None or it.car.is_full)),
    (
        State.SUSPENDED_EVSE,
        lambda it: it.transaction is not None and (it.transaction.deauthorized or not it.usable.is_enough(it.offered)),
    ),
    (State.CHARGING, lambda it: it.transaction is not None),
    (State.UNAVAILABLE, lambda it: not it.operative),
    (State.FINISHING, lambda it: it.car is not None and it.finished),
    (State.PREPARING, lambda it: it.car is not None or it.authorization is not None),
    (State.RESERVED, lambda it: it.reservation is not None),
    (State.AVAILABLE, lambda it: True),
)
