"""From the start of a process until its BootNotification is accepted, by TLS."""

from __future__ import annotations

import time

from benchmarks.common import CLIENT, Bench, address, shuffled
from benchmarks.goals import Goal, Report, Result, median, ratios

ROUNDS = 15
GOAL = Goal(0.5, 0.333, unit=" ×")
ARMS: dict[str, tuple[str, ...]] = {"ours": (), "peer": (), "tuned": ("tuned",)}


def measure(bench: Bench) -> Report:
    """In rounds."""
    times: dict[str, list[float]] = {name: [] for name in ARMS}
    with bench.server("ours", "tls") as (_, ours), bench.server("peer", "tls") as (_, peer):
        for number in range(1 + bench.times(ROUNDS)):
            for name in shuffled(list(ARMS)):
                seconds = _seconds(bench, name, ours if name == "ours" else peer)
                if number:  # the first compiles what it imports
                    times[name].append(seconds)
    return Report(
        [
            Result(
                "process start to BootNotification accepted, by TLS",
                GOAL,
                ratios(times["ours"], times["peer"]),
                median(times["ours"], 1e3, " ms"),
                median(times["peer"], 1e3, " ms"),
                ratios(times["ours"], times["tuned"]),
            )
        ]
    )


def _seconds(bench: Bench, name: str, port: int) -> float:
    side = "ours" if name == "ours" else "peer"
    started = time.perf_counter()
    with bench.end(side, "boot", address(port, tls=True), bench.folder, *ARMS[name], core=CLIENT) as child:
        child.read()
        return time.perf_counter() - started
