"""What flows: the supply of a connector, the battery of a car, the meter between them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import NamedTuple

__all__ = ["MEASURANDS", "MODELS", "Car", "Gauges", "Reading", "Supply", "charge", "random_car", "readings"]

_PHASE_VOLTAGE = 230.0
_DC_VOLTAGE = 400.0
_LARGEST_SINGLE_PHASE = 7_400.0  # W: 32 A
_LARGEST_AC = 43_500.0  # W: 63 A on three phases
_SMALLEST_CURRENT = 6.0  # A: IEC 61851 lets no car charge with less
_STEP = 10.0  # seconds that power is taken as constant for
_RAMP = 30.0  # seconds until a car takes its full power
_TAPER = 80.0  # percent from which on it takes less and less
_LAST = 0.05  # of its power, which it takes in the end


class Supply(NamedTuple):
    """What a connector can give.

    Attributes:
        power: W at most.
        phases: 1 or 3; 0 is direct current.
    """

    power: float
    phases: int

    @classmethod
    def of(cls, power: float) -> Supply:
        """The usual one for a power in W: one phase, three, or direct current."""
        return cls(power, 1 if power <= _LARGEST_SINGLE_PHASE else 3 if power <= _LARGEST_AC else 0)

    @property
    def voltage(self) -> float:
        """V between phase and neutral, or of the direct current."""
        return _PHASE_VOLTAGE if self.phases else _DC_VOLTAGE

    def using(self, phases: int | None) -> Supply:
        """What it can give on so many of its phases; None is all."""
        if phases is None or not 0 < phases < self.phases:
            return self
        return Supply(self.power * phases / self.phases, phases)

    def watts(self, amperes: float) -> float:
        """The power of a current for each phase."""
        return amperes * self.voltage * max(1, self.phases)

    def amperes(self, watts: float) -> float:
        """The current for each phase of a power."""
        return watts / (self.voltage * max(1, self.phases))

    def is_enough(self, watts: float) -> bool:
        """Whether a car can charge with so little."""
        return watts >= self.watts(_SMALLEST_CURRENT) - 1e-6 if self.phases else watts > 0


@dataclass
class Car:
    """A car with its battery.

    Attributes:
        name: The model.
        capacity: Wh of the battery.
        ac_power: W that it takes of alternating current at most.
        dc_power: W of direct current.
        soc: Percent of the battery that are full.
        target: Percent at which it stops.
    """

    name: str = "car"
    capacity: float = 60_000.0
    ac_power: float = 11_000.0
    dc_power: float = 120_000.0
    soc: float = 30.0
    target: float = 100.0

    @property
    def is_full(self) -> bool:
        """Whether it wants no more."""
        return self.soc >= self.target - 1e-6

    def wanted(self, supply: Supply, seconds: float) -> float:
        """W that it would take, so many seconds after it has begun: a ramp, constant power, less and less towards full."""
        if self.is_full:
            return 0.0
        most = self.ac_power if supply.phases else self.dc_power
        if supply.phases == 1:
            most = min(most, _LARGEST_SINGLE_PHASE)
        ramp = min(1.0, (seconds + 1.0) / _RAMP)
        taper = 1.0 if self.soc <= _TAPER else max(_LAST, (100.0 - self.soc) / (100.0 - _TAPER))
        return most * ramp * taper


MODELS = (
    Car("city car", 24_000.0, 7_400.0, 40_000.0),
    Car("compact", 42_000.0, 11_000.0, 85_000.0),
    Car("saloon", 60_000.0, 11_000.0, 150_000.0),
    Car("estate", 77_000.0, 11_000.0, 135_000.0),
    Car("van", 75_000.0, 22_000.0, 115_000.0),
    Car("plug-in hybrid", 12_000.0, 3_700.0, 3_700.0),
)


def random_car(random: Random) -> Car:
    """A car that might come."""
    model = random.choice(MODELS)
    return replace(model, soc=float(random.randint(8, 60)))


def charge(car: Car, supply: Supply, offered: float, begun: float, seconds: float) -> float:
    """Let a car charge.

    Args:
        car: The car, whose battery fills.
        supply: Where it is plugged in.
        offered: W that it may take.
        begun: For how many seconds it has been charging before.
        seconds: For how long.

    Returns:
        The Wh that it has taken.
    """
    taken = 0.0
    steps = max(1, math.ceil(seconds / _STEP))
    for step in range(steps):
        power = min(offered, car.wanted(supply, begun + step * seconds / steps))
        energy = min(power * seconds / steps / 3600.0, car.capacity * (car.target - car.soc) / 100.0)
        if energy <= 0:
            break
        car.soc = min(car.target, car.soc + 100.0 * energy / car.capacity)
        taken += energy
    return taken


class Reading(NamedTuple):
    """One value of a meter.

    Attributes:
        measurand: What it is, as OCPP calls it.
        value: How much.
        unit: Of what, as OCPP 2.x calls it.
        phase: Of which phase; None is of all together, or of direct current.
        location: Where, if not at the outlet.
    """

    measurand: str
    value: float
    unit: str
    phase: str | None = None
    location: str | None = None


class Gauges(NamedTuple):
    """What can be read: in Wh, W, W, and percent, which is None where no car is; of the supply, and of what may be used of it now."""

    register: float
    power: float
    offered: float
    soc: float | None
    supply: Supply
    usable: Supply
    random: Random


def _currents(gauges: Gauges) -> list[Reading]:
    current, used = round(gauges.usable.amperes(gauges.power), 1), gauges.usable.phases
    phases = range(1, gauges.supply.phases + 1)
    each = [Reading("Current.Import", current if phase <= used else 0.0, "A", f"L{phase}") for phase in phases]
    return each or [Reading("Current.Import", current, "A")]


def _voltages(gauges: Gauges) -> list[Reading]:
    def voltage() -> float:
        return round(gauges.supply.voltage + gauges.random.uniform(-2, 2), 1)

    phases = range(1, gauges.supply.phases + 1)
    return [Reading("Voltage", voltage(), "V", f"L{phase}-N") for phase in phases] or [Reading("Voltage", voltage(), "V")]


_MEASURANDS: dict[str, Callable[[Gauges], list[Reading]]] = {
    "Energy.Active.Import.Register": lambda gauges: [Reading("Energy.Active.Import.Register", round(gauges.register), "Wh")],
    "Power.Active.Import": lambda gauges: [Reading("Power.Active.Import", round(gauges.power), "W")],
    "Power.Offered": lambda gauges: [Reading("Power.Offered", round(gauges.offered), "W")],
    "Current.Import": _currents,
    "Current.Offered": lambda gauges: [Reading("Current.Offered", round(gauges.usable.amperes(gauges.offered), 1), "A")],
    "Voltage": _voltages,
    "SoC": lambda gauges: [] if gauges.soc is None else [Reading("SoC", round(gauges.soc), "Percent", location="EV")],
}

MEASURANDS = tuple(_MEASURANDS)
"""What a station can measure."""


def readings(measurands: tuple[str, ...], gauges: Gauges) -> list[Reading]:
    """The values of some measurands; of the energy if there would be none, since a meter value must have one."""
    found = [reading for measurand in measurands for reading in _MEASURANDS[measurand](gauges)]
    return found or _MEASURANDS["Energy.Active.Import.Register"](gauges)
