"""The benchmarks run, with tiny counts; what they find is nothing to test here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as program
from benchmarks import footprint
from benchmarks.arm import __main__ as arm
from benchmarks.arm import tutorial
from benchmarks.common import process, write_into
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


@pytest.mark.parametrize(
    ("page", "begin", "end"),
    [
        (program.PAGE, program.BEGIN, program.END),
        (footprint.PAGE, footprint.BEGIN, footprint.END),
        *((tutorial.PAGE, *arm.marks(part)) for part in arm.PARTS),
    ],
)
def test_the_page_takes_a_new_table(page: Path, begin: str, end: str, tmp_path: Path) -> None:
    real, copy = page.read_text(encoding="utf-8"), tmp_path / page.name
    copy.write_text(real, encoding="utf-8")
    write_into(copy, begin, end, ["first"])
    write_into(copy, begin, end, ["second"])
    before, rest = copy.read_text(encoding="utf-8").split(begin)
    made, after = rest.split(end)
    assert made == "\n\nsecond\n\n"
    assert (before, after) == (real.split(begin)[0], real.split(end)[1])


@pytest.mark.timeout(300)
def test_the_footprint_of_the_charge_point_is_taken() -> None:
    command = [sys.executable, "-m", "benchmarks.footprint", "--rounds", "1"]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=250, check=True).stdout
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in output.splitlines()[4:]]
    assert [row[0] for row in found] == [
        "Python alone",
        "a client, 1.6",
        "a client, 2.0.1",
        "the charge point, 1.6",
        "the charge point, 2.0.1",
    ]
    resident = [float(row[1]) for row in found]
    assert resident[0] < resident[1] < resident[3], "each is that before it, and more"
    # What an environment adds to all of them, as that of developers does, is not theirs; the bound is generous.
    assert resident[4] - resident[0] < 35
    assert all(int(row[3]) <= 12 for row in found)


def test_the_tutorial_has_commands_for_both_machines() -> None:
    commands = tutorial.commands(tutorial.PAGE.read_text(encoding="utf-8"))
    machines = [machine for machine, _ in commands]
    assert machines.count("pi") >= 8
    assert machines.count("laptop") == 6
    assert any("install.sh" in command for _, command in commands)
