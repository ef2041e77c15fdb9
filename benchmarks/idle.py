"""What a server needs for each connection that is idle, having made one call: memory, and threads."""

from __future__ import annotations

from benchmarks.common import CLIENT, Bench, shuffled
from benchmarks.goals import Goal, Report, Result, median

ROUNDS = 3
FEW, MANY = 100, 500  # connections; the server itself is not counted
KINDS = {"plain": (Goal(45, 20, unit=" KiB"), ()), "TLS": (Goal(90, 60, unit=" KiB"), ("tls",))}
THREADS = Goal(40, 10)
SIDES = ("ours", "peer")


def measure(bench: Bench) -> Report:
    """Plain and by TLS; each figure is of a server of its own."""
    report = Report()
    threads: dict[str, list[float]] = {side: [] for side in SIDES}
    for kind, (goal, flags) in KINDS.items():
        memory: dict[str, list[float]] = {side: [] for side in SIDES}
        for _ in range(bench.times(ROUNDS)):
            for side in shuffled(SIDES):
                each, count = _idle(bench, side, *flags)
                memory[side].append(each)
                threads[side].append(count)
        report.results.append(
            Result(f"server RSS for each idle connection, {kind}", goal, memory["ours"], peer=median(memory["peer"], 1, " KiB"))
        )
    what = f"server threads with {bench.times(MANY)} idle connections"
    report.results.append(Result(what, THREADS, threads["ours"], f"{max(threads['ours']):.0f}", f"{max(threads['peer']):.0f}"))
    return report


def _idle(bench: Bench, side: str, *flags: str) -> tuple[float, int]:
    """KiB of a connection, and threads of the server."""
    few, many = bench.times(FEW), bench.times(MANY, 2)
    cafile = [f"{bench.folder}/ca.pem"] if flags else []
    with bench.server(side, *flags) as (server, port), bench.end("driver", "drive", port, *cafile, core=CLIENT) as driver:
        driver.ask("connect", few)
        before = server.status("VmRSS")
        driver.ask("connect", many)
        return (server.status("VmRSS") - before) / (many - few), server.status("Threads")
