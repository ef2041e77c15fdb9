"""How often an idle client wakes up: voluntary context switches of all its threads, without pings."""

from __future__ import annotations

import contextlib
import time

from benchmarks.common import Bench, Child
from benchmarks.goals import Goal, Report, Result, figure
from benchmarks.ours import QUIET

SECONDS = 60.0
SETTLING = 2.0  # seconds after the last call
GOAL = Goal(12, 2, unit=" a minute")


def measure(bench: Bench) -> Report:
    """Both clients at once, since they do nothing."""
    with contextlib.ExitStack() as stack:
        clients = [_idle(stack, bench, side) for side in ("ours", "peer")]
        time.sleep(bench.seconds(SETTLING))
        before = [client.wake_ups() for client in clients]
        started = time.monotonic()
        time.sleep(bench.seconds(SECONDS))
        minutes = (time.monotonic() - started) / 60
        ours, peer = ((client.wake_ups() - count) / minutes for client, count in zip(clients, before, strict=True))
    return Report([Result("wake-ups of an idle client", GOAL, [ours], peer=f"{figure(peer)} a minute")])


def _idle(stack: contextlib.ExitStack, bench: Bench, side: str) -> Child:
    _, port = stack.enter_context(bench.server(side, QUIET))
    client = stack.enter_context(bench.client(side, port, QUIET))
    client.ask("Heartbeat", 3)
    return client
