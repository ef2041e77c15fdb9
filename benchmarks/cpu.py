"""A call while another thread of the client's process is busy all the time; nothing is pinned, as on a board with several cores."""

from __future__ import annotations

import contextlib

from benchmarks.calls import ARMS
from benchmarks.common import Bench, Child, shuffled
from benchmarks.goals import Goal, Report, Result, median

ROUNDS = 7
CALLS = 100  # a round
GOAL = Goal(4, 0.3, unit=" ms")


def measure(bench: Bench) -> Report:
    """The mean of Heartbeats."""
    times: dict[str, list[float]] = {name: [] for name in ARMS}
    for _ in range(bench.times(ROUNDS)):
        for name in shuffled(list(ARMS)):
            with contextlib.ExitStack() as stack:  # one at a time, since each keeps a core busy
                client = _arm(stack, bench, name)
                client.ask("Heartbeat", bench.times(20))
                client.tell("burn")
                times[name].append(float(client.ask("Heartbeat", bench.times(CALLS))) * 1e3)
    peer, tuned = median(times["peer"], 1, " ms"), median(times["tuned"], 1, " ms")
    return Report([Result("mean call beside a CPU-bound thread", GOAL, times["ours"], peer=f"{peer} (tuned {tuned})")])


def _arm(stack: contextlib.ExitStack, bench: Bench, name: str) -> Child:
    side, flags = "ours" if name == "ours" else "peer", ARMS[name]
    _, port = stack.enter_context(bench.server(side, *flags, core=None))
    return stack.enter_context(bench.client(side, port, *flags, core=None))
