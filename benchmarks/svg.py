"""Plots with logarithmic axes, as SVG: no library is needed for that little."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

__all__ = ["Axis", "plot", "short", "time_text"]

_WIDTH, _HEIGHT = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 150, 48, 56
_SIZE = 13  # pixels of the text
_SHAPES = ("circle", "square", "diamond")  # a series is known by its colour, by its shape, and by its name at its end

# One colour for each series, in a light and in a dark theme; each stands out from the background by 3:1 at least.
_STYLE = """
  svg { --back: #ffffff; --text: #1f2328; --grid: #d8dee4; --axis: #6e7781; --s0: #0969da; --s1: #bc4c00; --s2: #1a7f37; }
  @media (prefers-color-scheme: dark) {
    svg { --back: #0d1117; --text: #e6edf3; --grid: #2d333b; --axis: #8b949e; --s0: #58a6ff; --s1: #f0883e; --s2: #3fb950; }
  }
  .back { fill: var(--back); }
  text { fill: var(--text); font: 13px system-ui, sans-serif; }
  .title { font-weight: 600; font-size: 15px; }
  .grid { stroke: var(--grid); }
  .axis { stroke: var(--axis); fill: none; }
  .s0, .s1, .s2 { stroke-width: 2; fill: none; }
  .s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); } .s2 { stroke: var(--s2); }
  .s0.dot { fill: var(--s0); } .s1.dot { fill: var(--s1); } .s2.dot { fill: var(--s2); }
"""


class Axis(NamedTuple):
    """What an axis shows.

    Attributes:
        label: Its name, with the unit.
        text: Makes the text of a tick.
    """

    label: str
    text: Callable[[float], str]


class _Scale:
    """From values to pixels: logarithmic, and a zero one decade before the smallest value."""

    def __init__(self, values: Sequence[float], begin: float, end: float) -> None:
        positive = [value for value in values if value > 0]
        first, last = math.floor(_log(min(positive))), math.ceil(_log(max(positive)))
        self._zero = first - 1
        self._first = self._zero if min(values) == 0 else first
        self._last = max(last, first + 1)
        self._begin, self._end = begin, end

    def __call__(self, value: float) -> float:
        place = _log(value) if value > 0 else self._zero
        return self._begin + (place - self._first) / (self._last - self._first) * (self._end - self._begin)

    def ticks(self) -> list[float]:
        """A tick for each decade, and for zero."""
        decades = range(self._first, self._last + 1)
        return [0.0 if self._first == self._zero and decade == self._zero else 10.0**decade for decade in decades]


def _log(value: float) -> float:
    return round(math.log10(value), 9)  # 1000 is no bit above or below 3


def plot(title: str, x_axis: Axis, y_axis: Axis, series: dict[str, list[tuple[float, float]]]) -> str:
    """A plot of up to three series of points.

    Args:
        title: What it shows.
        x_axis: The axis at the bottom.
        y_axis: The axis at the left.
        series: The points of each by its name.

    Returns:
        The SVG document.
    """
    points = [point for each in series.values() for point in each]
    x_scale = _Scale([x for x, _ in points], _LEFT, _WIDTH - _RIGHT)
    y_scale = _Scale([y for _, y in points], _HEIGHT - _BOTTOM, _TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="back" width="{_WIDTH}" height="{_HEIGHT}" rx="6"/>',
        _text(_LEFT, _TOP - 22, title, css="title"),
        *_grid(x_axis, x_scale, y_axis, y_scale),
    ]
    names = _spread({name: y_scale(each[-1][1]) for name, each in series.items()})
    for number, (name, each) in enumerate(series.items()):
        placed = [(x_scale(x), y_scale(y)) for x, y in each]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts.append(f'<polyline class="s{number}" points="{line}"/>')
        parts += [
            _mark(number, x, y, f"{name}: {x_axis.text(value[0])}, {y_axis.text(value[1])}")
            for (x, y), value in zip(placed, each, strict=True)
        ]
        parts.append(_text(placed[-1][0] + 10, names[name] + _SIZE / 3, name))
    return "\n".join([*parts, "</svg>", ""])


def _grid(x_axis: Axis, x_scale: _Scale, y_axis: Axis, y_scale: _Scale) -> list[str]:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = []
    for value in x_scale.ticks():
        x = x_scale(value)
        parts.append(f'<path class="grid" d="M{x:.1f} {_TOP}V{bottom}"/>')
        parts.append(_text(x, bottom + 20, x_axis.text(value), anchor="middle"))
    for value in y_scale.ticks():
        y = y_scale(value)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{right}"/>')
        parts.append(_text(_LEFT - 8, y + _SIZE / 3, y_axis.text(value), anchor="end"))
    parts.append(f'<path class="axis" d="M{_LEFT} {_TOP}V{bottom}H{right}"/>')
    parts.append(_text((_LEFT + right) / 2, _HEIGHT - 14, x_axis.label, anchor="middle"))
    middle = (_TOP + bottom) / 2
    parts.append(_text(18, middle, y_axis.label, anchor="middle", turn=f' transform="rotate(-90 18 {middle:.1f})"'))
    return parts


def _text(x: float, y: float, text: str, *, css: str = "", anchor: str = "start", turn: str = "") -> str:
    style = f' class="{css}"' if css else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}{turn}>{escape(text)}</text>'


def _mark(number: int, x: float, y: float, tip: str) -> str:
    css, inside = f'class="s{number} dot"', f"<title>{escape(tip)}</title>"
    shape = _SHAPES[number]
    if shape == "circle":
        return f'<circle {css} cx="{x:.1f}" cy="{y:.1f}" r="3.5">{inside}</circle>'
    turn = f' transform="rotate(45 {x:.1f} {y:.1f})"' if shape == "diamond" else ""
    return f'<rect {css} x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6"{turn}>{inside}</rect>'


def _spread(places: dict[str, float]) -> dict[str, float]:
    """Move names that would lie on each other apart."""
    spread: dict[str, float] = {}
    for name, y in sorted(places.items(), key=lambda item: item[1]):
        spread[name] = max([y, *(other + _SIZE + 3 for other in spread.values())])
    return spread


def short(number: float) -> str:
    """A number with k or M: 500,000 is 500k."""
    for factor, letter in ((1e6, "M"), (1e3, "k")):
        if abs(number) >= factor:
            return f"{number / factor:.4g}{letter}"
    return f"{number:.4g}"


def time_text(seconds: float) -> str:
    """A time with the unit that suits it."""
    for factor, unit in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= factor * (1 - 1e-9):
            return f"{seconds / factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"
