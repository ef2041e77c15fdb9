"""What meter values say, in all versions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["energy_registers", "latest_values", "reading"]

_ENERGY = "Energy.Active.Import.Register"
_WH = {"Wh": 1.0, "kWh": 1000.0}
_MAX_WH = 1e15  # no meter counts that far, and no sum of such readings is infinite
# The values of a transaction may all come with its last event.
_ORDER = {"Transaction.Begin": -1, "Transaction.End": 1}


def energy_registers(meter_values: Sequence[Mapping[str, Any]]) -> list[float]:
    """The readings of the energy register, all phases together, in Wh, and in their order."""
    samples = [
        sample
        for value in meter_values
        for sample in value["sampledValue"]
        if sample.get("measurand", _ENERGY) == _ENERGY and "phase" not in sample and _unit(sample) in _WH
    ]
    samples.sort(key=lambda sample: _ORDER.get(sample.get("context", ""), 0))
    readings = (reading(_number(sample), _WH[_unit(sample)]) for sample in samples)
    return [each for each in readings if each is not None]


def reading(value: Any, wh: float = 1.0) -> float | None:
    """A reading of the energy register in Wh; None if it is no number, or one that no meter shows.

    Args:
        value: The number.
        wh: Its unit.
    """
    try:
        number = float(value) * wh
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) <= _MAX_WH else None  # nor is NaN


def latest_values(meter_values: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each measurand, with its phase and place if they are told, and its value."""
    for value in meter_values:
        for sample in value["sampledValue"]:
            if (number := _number(sample)) is None:
                continue
            name = " ".join([sample.get("measurand", _ENERGY), *(sample[part] for part in ("phase", "location") if part in sample)])
            yield name, {"value": number, "unit": _unit(sample), "timestamp": str(value["timestamp"])}


def _unit(sample: Mapping[str, Any]) -> str:
    unit: str | None = sample.get("unit") or sample.get("unitOfMeasure", {}).get("unit")
    return unit or ("Wh" if sample.get("measurand", _ENERGY).startswith("Energy.") else "")


def _number(sample: Mapping[str, Any]) -> float | None:
    """The value; None if it is signed data, which only who has the key can read, or no number."""
    if sample.get("format") == "SignedData":
        return None
    try:
        number: float = float(sample["value"]) * 10.0 ** sample.get("unitOfMeasure", {}).get("multiplier", 0)
    except (ValueError, OverflowError):
        return None
    return round(number, 9) if math.isfinite(number) else None
