"""The table of goals: a line for each, with what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

HEAD = (
    "| what | ours | peer's | value | quartiles | against the tuned peer | goal | stretch | reached |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
)


@dataclass(frozen=True)
class Goal:
    """What is wanted of a value.

    Attributes:
        limit: The goal; None has none.
        stretch: What is wanted beyond it; None has none.
        at_least: Whether larger is better.
        unit: Of both, and of the value.
        strictly: Whether the limit itself is not enough.
    """

    limit: float | None = None
    stretch: float | None = None
    at_least: bool = False
    unit: str = ""
    strictly: bool = False

    def reached_by(self, value: float) -> str:
        """Yes or no."""
        if self.limit is None:
            return "–"
        if not self._is_met(value, self.limit):
            return "**no**"
        return "yes, stretch too" if self.stretch is not None and self._is_met(value, self.stretch) else "yes"

    def _is_met(self, value: float, limit: float) -> bool:
        if self.strictly and value == limit:
            return False
        return value >= limit if self.at_least else value <= limit

    def cells(self) -> str:
        """Goal and stretch."""
        sign = ("≥" if self.at_least else "≤") if not self.strictly else (">" if self.at_least else "<")
        limits = (f"{sign} {limit:g}{self.unit}" if limit is not None else "–" for limit in (self.limit, self.stretch))
        return " | ".join(limits)


@dataclass(frozen=True)
class Result:
    """A line of the table.

    Attributes:
        what: What was measured.
        goal: What was wanted.
        values: Of each round; their median counts.
        ours: Our figure, if the value is a ratio.
        peer: The peer's.
        tuned: As the values, against the tuned peer.
    """

    what: str
    goal: Goal
    values: Sequence[float]
    ours: str = ""
    peer: str = "–"
    tuned: Sequence[float] = ()

    @property
    def value(self) -> float:
        """What counts."""
        return statistics.median(self.values)

    def line(self) -> str:
        """As a line of the table."""
        unit = self.goal.unit
        value = f"{figure(self.value)}{unit}"
        low, _, high = quartiles(self.values)
        tuned = f"{figure(statistics.median(self.tuned))}{unit}" if self.tuned else "–"
        spread = f"{figure(low)}–{figure(high)}" if len(self.values) > 1 else "–"
        reached = self.goal.reached_by(self.value)
        return f"| {self.what} | {self.ours or value} | {self.peer} | {value} | {spread} | {tuned} | {self.goal.cells()} | {reached} |"


@dataclass
class Report:
    """What a part of the benchmarks has found: lines of the table, and further lines of text that go into the details."""

    results: list[Result] = field(default_factory=list)
    details: list[str] = field(default_factory=list)


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """The quartiles, the second of which is the median."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, method="inclusive")
    return low, middle, high


def figure(value: float) -> str:
    """A number with as many digits as say something."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """The ratio of each round."""
    return [first / second for first, second in zip(above, below, strict=True)]


def median(values: Sequence[float], factor: float = 1.0, unit: str = "") -> str:
    """The median as text."""
    return f"{figure(statistics.median(values) * factor)}{unit}"
