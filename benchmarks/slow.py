"""How soon one client is answered while others loop in handlers that take 50 ms."""

from __future__ import annotations

import contextlib
import json

from benchmarks.common import CLIENT, Bench, Child, shuffled
from benchmarks.goals import Goal, Report, Result, median, ratios

ROUNDS = 5
SECONDS = 1.0  # of a round
SLOW_ONES = 20
SIDES = ("ours", "peer")
LEAD = 0.2  # seconds that the others begin before, and end after


def measure(bench: Bench) -> Report:
    """Loaded and unloaded in turns."""
    found: dict[tuple[str, bool], list[tuple[float, float, float]]] = {(side, loaded): [] for side in SIDES for loaded in (False, True)}
    with contextlib.ExitStack() as stack:
        arms = {side: _arm(stack, bench, side) for side in SIDES}
        for _ in range(bench.times(ROUNDS)):
            for side, loaded in shuffled(list(found)):
                found[side, loaded].append(_round(bench, *arms[side], loaded=loaded))
    halves = {key: [half for _, half, _ in values] for key, values in found.items()}
    report = Report(details=["| one client's call | alone, p50 / p99, µs | beside slow handlers |", "| --- | ---: | ---: |"])
    cells: dict[str, str] = {}
    for side in SIDES:
        alone, beside = ([median([each[column] for each in found[side, loaded]], 1e6) for column in (1, 2)] for loaded in (False, True))
        report.details.append(f"| {side} | {' / '.join(alone)} | {' / '.join(beside)} |")
        cells[side] = f"{alone[0]} → {beside[0]} µs"
    what = f"median call beside {bench.times(SLOW_ONES)} clients in handlers of 50 ms, against alone"
    values = ratios(halves["ours", True], halves["ours", False])
    report.results.append(Result(what, Goal(unit=" ×"), values, cells["ours"], cells["peer"]))
    return report


def _arm(stack: contextlib.ExitStack, bench: Bench, side: str) -> tuple[Child, Child]:
    """The driver of the one client, and that of the others."""
    _, port = stack.enter_context(bench.server(side))
    one, others = (stack.enter_context(bench.end("driver", "drive", port, core=CLIENT)) for _ in range(2))
    one.ask("connect", 1)
    others.ask("connect", bench.times(SLOW_ONES))
    return one, others


def _round(bench: Bench, one: Child, others: Child, *, loaded: bool) -> tuple[float, float, float]:
    seconds = bench.seconds(SECONDS)
    if not loaded:
        return tuple(json.loads(one.ask("run", "Heartbeat", seconds)))
    others.tell("run", "DataTransfer", seconds + 2 * LEAD)
    # No need to wait for the others to begin: what is measured is a median.
    rate, half, most = json.loads(one.ask("run", "Heartbeat", seconds))
    others.read()
    return rate, half, most
