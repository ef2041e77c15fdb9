"""The benchmarks run, with tiny counts; what they find is nothing to test here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as program
from benchmarks.common import process
from benchmarks.goals import HEAD, Goal, Result, figure

ROOT = Path(__file__).parent.parent
TIMEOUT = 100.0


def rows(*parts: str) -> list[list[str]]:
    """The cells of the table of goals."""
    command = [sys.executable, "-m", "benchmarks", "--scale", "0.004", *parts]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT, check=True).stdout
    table = output.split("\n\n")[1].splitlines()
    assert tuple(table[:2]) == HEAD
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def test_parts_run() -> None:
    found = rows("calls", "validation", "idle")
    assert [row[0] for row in found] == [
        '`call("Heartbeat")`',
        '`call("MeterValues")`',
        '`call("Heartbeat")`, TLS',
        '`call("MeterValues")`, TLS',
        "validation of 1.6 MeterValues",
        "validation of 2.0.1 TransactionEvent",
        "server RSS for each idle connection, plain",
        "server RSS for each idle connection, TLS",
        "server threads with 2 idle connections",
    ]
    assert {len(row) for row in found} == {HEAD[0].count("|") - 1}


@pytest.mark.nightly
def test_all_parts_run() -> None:
    assert len(rows()) == 24


def test_an_unknown_part_is_refused() -> None:
    command = [sys.executable, "-m", "benchmarks", "call"]
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert refused.returncode == 2
    assert "no such part: call" in refused.stderr


def test_a_process_ends_with_whoever_started_it() -> None:
    started: list[int] = []

    def fail() -> None:
        with process([sys.executable, "-c", "import time; print('there', flush=True); time.sleep(1000)"]) as child:
            started.append(child.pid)
            assert child.read() == "there"
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not Path(f"/proc/{started[0]}").exists()


@pytest.mark.parametrize(
    ("goal", "value", "reached"),
    [
        (Goal(12, 20, at_least=True), 11.9, "**no**"),
        (Goal(12, 20, at_least=True), 12, "yes"),
        (Goal(12, 20, at_least=True), 20, "yes, stretch too"),
        (Goal(23, 21), 23.1, "**no**"),
        (Goal(23, 21), 23, "yes"),
        (Goal(23, 21), 21, "yes, stretch too"),
        (Goal(1, strictly=True), 1, "**no**"),
        (Goal(1, strictly=True), 0.99, "yes"),
        (Goal(), 7, "–"),
    ],
)
def test_whether_a_goal_is_reached(goal: Goal, value: float, reached: str) -> None:
    assert goal.reached_by(value) == reached


def test_a_line_has_the_median_and_the_quartiles() -> None:
    line = Result("it", Goal(12, 20, at_least=True, unit=" ×"), [10, 14, 15, 16, 30], "55 µs", "900 µs", [5, 6, 7]).line()
    assert line == "| it | 55 µs | 900 µs | 15 × | 14–16 | 6 × | ≥ 12 × | ≥ 20 × | yes |"


@pytest.mark.parametrize(("value", "text"), [(0.3333, "0.333"), (4, "4"), (17.44, "17.4"), (36789.6, "36790")])
def test_a_figure_has_no_digits_that_say_nothing(value: float, text: str) -> None:
    assert figure(value) == text


def test_the_page_takes_a_new_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "performance.md"
    page.write_text(program.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(program, "PAGE", page)
    program.write(["first"])
    program.write(["second"])
    before, rest = page.read_text(encoding="utf-8").split(program.BEGIN)
    made, after = rest.split(program.END)
    assert made == "\n\nsecond\n\n"
    real = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert (before, after) == (real.split(program.BEGIN)[0], real.split(program.END)[1])
