"""Memory and start of the charge point of examples/raspberry_pi, beside a bare client: ``python -m benchmarks.footprint`` (a minute).

Linux only. Each is a process of its own, connected by TLS with a password to a CSMS on the same machine, which validates as they do. The
charge point has pretended pins, and charges, with a meter value a second.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.common import PATIENCE, Child, bench, environment, process, role, show, write_into
from benchmarks.payloads import REQUESTS
from benchmarks.station import PASSWORD, Station

PAGE = Path(__file__).parent.parent / "docs" / "raspberry-pi.md"
BEGIN, END = "<!-- made by python -m benchmarks.footprint --write -->", "<!-- end of what is made by footprint -->"
ROUNDS = 3
CALLS = 10  # of each action
SAMPLES = 5  # of the meter
GOALS = {"1.6": "≤ 23, Anonymous ≤ 12", "2.0.1": "≤ 24"}
HEAD = (
    "| process | MiB resident | of that anonymous | threads | seconds until BootNotification | goal on x86_64 |",
    "| --- | ---: | ---: | ---: | ---: | --- |",
)


class Footprint(NamedTuple):
    """What a process takes.

    Attributes:
        resident: MiB.
        anonymous: MiB of that.
        threads: How many.
        seconds: From its start until its BootNotification has come; None if it sends none.
    """

    resident: float
    anonymous: float
    threads: int
    seconds: float | None = None


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.footprint", description=str(__doc__).splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"how often each is started (default: {ROUNDS}); the median counts")
    parser.add_argument("--write", action="store_true", help=f"write it into docs/{PAGE.name}, too")
    arguments = parser.parse_args()
    logging.getLogger("ocpp_sync").setLevel(logging.ERROR)  # the CSMS does not know the transaction of the client's values
    lines = []
    with bench() as ready, TemporaryDirectory() as folder:
        for line in measure(ready.folder, Path(folder), arguments.rounds):
            show(line)
            lines.append(line)
    if arguments.write:
        write_into(PAGE, BEGIN, END, lines)


def measure(certificates: Path, folder: Path, rounds: int) -> Iterator[str]:
    """The lines of the table, each as soon as it is known."""
    yield f"{environment()}."
    yield ""
    yield from HEAD
    yield row("Python alone", [_alone() for _ in range(rounds)], "–")
    for what, side in (("a client", _client), ("the charge point", _example)):
        for version, goal in GOALS.items():
            found = [side(certificates, folder, version) for _ in range(1 + rounds)]
            # The first has compiled what it imports; and the goal is a client's.
            yield row(f"{what}, {version}", found[1:], goal if side is _client else "–")


def row(what: str, found: list[Footprint], goal: str) -> str:
    """A line of the table: medians."""
    resident, anonymous = (statistics.median(each) for each in zip(*(each[:2] for each in found), strict=True))
    seconds = [each.seconds for each in found if each.seconds is not None]
    start = f"{statistics.median(seconds):.2f}" if seconds else "–"
    return f"| {what} | {resident:.1f} | {anonymous:.1f} | {found[-1].threads} | {start} | {goal} |"


def _footprint(child: Child, seconds: float | None = None) -> Footprint:
    resident, anonymous = child.memory()
    return Footprint(resident / 1024, anonymous / 1024, child.status("Threads"), seconds)


def _alone() -> Footprint:
    with process([sys.executable, "-c", "print('ready', flush=True); input()"]) as child:
        child.read()
        found = _footprint(child)
        child.tell()
        return found


def _client(certificates: Path, folder: Path, version: str) -> Footprint:
    station = Station(certificates, version)
    with station.server, process(role("ours", "call", station.url, certificates, version, f"password={PASSWORD}")) as child:
        child.read()
        for action in REQUESTS[version]:
            if action != "DataTransfer":
                child.ask(action, CALLS)
        return _footprint(child)


def _example(certificates: Path, folder: Path, version: str) -> Footprint:
    station, started = Station(certificates, version), time.perf_counter()
    with station.server, station.charge_point(folder) as child:
        station.server.wait_for("CP1111", timeout=PATIENCE)
        station.wait_for("BootNotification")
        seconds = time.perf_counter() - started
        station.wait_for("Available")
        station.begin(SAMPLES)
        return _footprint(child, seconds)


if __name__ == "__main__":
    main()
