from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.svg import Axis, plot, short, time_text

ROOT = Path(__file__).parent.parent
SVG = "{http://www.w3.org/2000/svg}"


def drawn(**series: list[tuple[float, float]]) -> ElementTree.Element:
    return ElementTree.fromstring(plot("A & B", Axis("x < y", short), Axis("time", time_text), series))


def points(root: ElementTree.Element, number: int = 0) -> list[tuple[float, ...]]:
    line = root.findall(f"{SVG}polyline")[number]
    return [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]


def test_a_plot_is_logarithmic_and_says_what_it_shows() -> None:
    root = drawn(a=[(1, 1e-6), (10, 1e-5), (100, 1e-4)])
    (x0, y0), (x1, y1), (x2, y2) = points(root)
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    assert x1 > x0
    assert y0 - y1 == pytest.approx(y1 - y2, abs=0.2)
    assert y1 < y0
    texts = {text.text for text in root.findall(f"{SVG}text")}
    assert {"A & B", "x < y", "time", "a", "1", "10", "100", "1 µs", "10 µs", "100 µs"} <= texts


def test_zero_is_a_decade_before_the_smallest_value() -> None:
    root = drawn(a=[(0, 1), (10, 1), (100, 1)])
    (x0, _), (x1, _), (x2, _) = points(root)
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    assert "0" in {text.text for text in root.findall(f"{SVG}text")}


def test_names_at_the_same_place_are_moved_apart() -> None:
    root = drawn(a=[(1, 5)], b=[(1, 5)], c=[(1, 5)])
    places = sorted(float(text.attrib["y"]) for text in root.findall(f"{SVG}text") if text.text in ("a", "b", "c"))
    assert places[1] - places[0] > 12
    assert places[2] - places[1] > 12


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (short(0), "0"),
        (short(100), "100"),
        (short(1000), "1k"),
        (short(500_000), "500k"),
        (short(2e6), "2M"),
        (time_text(10.0), "10 s"),
        (time_text(10**-3), "1 ms"),
        (time_text(1e-5), "10 µs"),
    ],
)
def test_numbers_are_short(text: str, shown: str) -> None:
    assert text == shown


def test_it_writes_a_page_with_plots(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.growth", "--quick", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True, timeout=100)
    page = (tmp_path / "growth.md").read_text(encoding="utf-8")
    plots = sorted(path.name for path in tmp_path.glob("*.svg"))
    assert plots == [f"growth-{part}.svg" for part in ("callers", "clients", "outbox", "payload")]
    for name in plots:
        assert f"({name})" in page
        ElementTree.parse(tmp_path / name)
