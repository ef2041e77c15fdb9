"""Memory of a client that is connected by TLS with one CA, after calls that both ends have validated."""

from __future__ import annotations

from benchmarks.common import Bench, shuffled
from benchmarks.goals import Goal, Report, Result, median
from benchmarks.payloads import REQUESTS

ROUNDS = 5
CALLS = 50  # of each action
GOALS = {
    "1.6": (Goal(23, 21, unit=" MiB"), Goal(12, None, unit=" MiB")),
    "2.0.1": (Goal(24, 22, unit=" MiB"), Goal(None, None, unit=" MiB")),
}
SIDES = ("ours", "peer")


def measure(bench: Bench) -> Report:
    """Both versions; each figure is of a process of its own."""
    report = Report()
    for version, goals in GOALS.items():
        found: dict[str, list[tuple[float, float]]] = {side: [] for side in SIDES}
        for side in SIDES:
            _connected(bench, side, version)  # which compiles what it imports
        for _ in range(bench.times(ROUNDS)):
            for side in shuffled(SIDES):
                found[side].append(_connected(bench, side, version))
        for column, name in enumerate(("RSS", "Anonymous")):
            values = {side: [each[column] for each in found[side]] for side in SIDES}
            report.results.append(
                Result(f"{name} of a client by TLS, {version}", goals[column], values["ours"], peer=median(values["peer"], 1, " MiB"))
            )
    return report


def _connected(bench: Bench, side: str, version: str) -> tuple[float, float]:
    """MiB that are resident, and anonymous."""
    with bench.server(side, "tls") as (_, port), bench.client(side, port, version=version, tls=True) as client:
        for action in REQUESTS[version]:
            if action != "DataTransfer":
                client.ask(action, bench.times(CALLS))
        resident, anonymous = client.memory()
    return resident / 1024, anonymous / 1024
