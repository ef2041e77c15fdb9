"""How many calls a second a server answers, and how soon, when 1 to 500 charge points, the same for all servers, call all the time."""

from __future__ import annotations

import contextlib
import json
from functools import partial

from benchmarks.common import CLIENT, Bench, Child, shuffled
from benchmarks.goals import Goal, Report, Result, median, ratios

ROUNDS = 5
SECONDS = {1: 0.3, 10: 0.3, 100: 0.7, 500: 1.5}  # of a round, by the number of clients: long enough for some calls of each
MOST = 500
WARM_UP = 0.3  # seconds
ACTIONS = ("Heartbeat", "MeterValues")
ARMS: dict[str, tuple[str, ...]] = {"ours": (), "peer": (), "tuned": ("tuned",)}
TIMES = partial(Goal, at_least=True, unit=" ×")
GOALS = {
    (100, "Heartbeat"): TIMES(6, 15),
    (100, "MeterValues"): TIMES(12, 30),
    (500, "Heartbeat"): TIMES(2.5, 6),
    (500, "MeterValues"): TIMES(6, 13),
}
SOONER = Goal(1, strictly=True, unit=" ×")


def measure(bench: Bench) -> Report:
    """All numbers of clients, fewest first."""
    report = Report()
    report.details += [
        "| clients | call | ours: calls a second | p50 / p99, ms | peer's | p50 / p99, ms | tuned | p50 / p99, ms |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    with contextlib.ExitStack() as stack:
        drivers = {name: _arm(stack, bench, name) for name in ARMS}
        for number, seconds in SECONDS.items():
            clients = bench.times(number)
            for driver in drivers.values():
                driver.ask("connect", clients)
            for action in ACTIONS:
                found = _rounds(bench, drivers, action, bench.seconds(seconds))
                report.details.append(f"| {clients} | {action} | {' | '.join(map(_cells, found.values()))} |")
                what = f"server, {clients} clients, {action}"
                if (number, action) in GOALS:
                    report.results.append(_rate(what, found, GOALS[number, action]))
                if number == MOST:
                    report.results.append(_delay(what, found))
    return report


def _arm(stack: contextlib.ExitStack, bench: Bench, name: str) -> Child:
    _, port = stack.enter_context(bench.server("ours" if name == "ours" else "peer", *ARMS[name]))
    return stack.enter_context(bench.end("driver", "drive", port, core=CLIENT))


Rounds = list[tuple[float, float, float]]
"""Of each round: calls a second, and the seconds in which half and 99 of 100 are answered."""


def _rounds(bench: Bench, drivers: dict[str, Child], action: str, seconds: float) -> dict[str, Rounds]:
    found: dict[str, Rounds] = {name: [] for name in drivers}
    for driver in drivers.values():
        driver.ask("run", action, bench.seconds(WARM_UP))
    for _ in range(bench.times(ROUNDS)):
        for name in shuffled(list(drivers)):
            found[name].append(tuple(json.loads(drivers[name].ask("run", action, seconds))))
    return found


def _cells(found: Rounds) -> str:
    rate, half, most = zip(*found, strict=True)
    return f"{median(rate)} | {median(half, 1e3)} / {median(most, 1e3)}"


def _column(found: dict[str, Rounds], column: int) -> tuple[list[float], ...]:
    """Of each arm, a figure of each round."""
    return tuple([each[column] for each in values] for values in found.values())


def _rate(what: str, found: dict[str, Rounds], goal: Goal) -> Result:
    ours, peer, tuned = _column(found, 0)
    return Result(f"{what}: calls a second", goal, ratios(ours, peer), median(ours), median(peer), ratios(ours, tuned))


def _delay(what: str, found: dict[str, Rounds]) -> Result:
    ours, peer, tuned = _column(found, 2)
    return Result(f"{what}: p99", SOONER, ratios(ours, peer), median(ours, 1e3, " ms"), median(peer, 1e3, " ms"), ratios(ours, tuned))
