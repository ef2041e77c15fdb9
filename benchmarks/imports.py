"""The processor's time until a client can be made: of a new process, less that of one which does nothing."""

from __future__ import annotations

import statistics
import sys

from benchmarks.common import CLIENT, Bench, process, shuffled
from benchmarks.goals import Goal, Report, Result, median, ratios

ROUNDS = 15
GOAL = Goal(4, 8, at_least=True, unit=" ×")
CODE = {
    "nothing": "",
    "ours": "from ocpp_sync import OcppClient; OcppClient('CP1')",
    "peer": "import ocpp.v16, websockets.asyncio.client",
}


def measure(bench: Bench) -> Report:
    """In rounds."""
    for name in CODE:
        _seconds(name)  # which compiles what it imports
    times: dict[str, list[float]] = {name: [] for name in CODE}
    for _ in range(bench.times(ROUNDS)):
        for name in shuffled(list(CODE)):
            times[name].append(_seconds(name))
    nothing = statistics.median(times["nothing"])
    net = {name: [each - nothing for each in times[name]] for name in ("ours", "peer")}
    ours, peer = (median(each, 1e3, " ms") for each in net.values())
    return Report([Result("import and `OcppClient(…)`, against the peer's import", GOAL, ratios(net["peer"], net["ours"]), ours, peer)])


def _seconds(name: str) -> float:
    with process([sys.executable, "-c", f"import time\n{CODE[name]}\nprint(time.process_time())"], CLIENT) as child:
        return float(child.read())
