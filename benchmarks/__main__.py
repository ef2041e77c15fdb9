"""How fast and how small, beside the asyncio library ``ocpp`` on ``websockets``: ``python -m benchmarks [PART ...]`` (Linux, ten minutes).

Needs the extra ``bench``. What it prints is Markdown; ``--write`` puts it into docs/performance.md.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

from benchmarks.common import PEERS, bench, environment, show, write_into
from benchmarks.goals import HEAD, Report

PARTS = ("calls", "server", "validation", "cpu", "memory", "imports", "wakeups", "start", "idle", "slow")
PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- made by python -m benchmarks --write -->", "<!-- end of what is made -->"


def measure(parts: Sequence[str], scale: float) -> Iterator[str]:
    """The lines of the text, each as soon as it is known."""
    yield f"{environment(*PEERS)}; load average of the minute before: {os.getloadavg()[0]:.1f}."
    yield ""
    yield from HEAD
    reports: dict[str, Report] = {}
    with bench(scale) as place:
        for part in parts:
            started = time.monotonic()
            reports[part] = import_module(f"benchmarks.{part}").measure(place)
            sys.stderr.write(f"{part}: {time.monotonic() - started:.0f} s\n")
            yield from (result.line() for result in reports[part].results)
    for part, report in reports.items():
        if report.details:
            yield from ("", f"`python -m benchmarks {part}`:", "", *report.details)


def main() -> None:
    """Measure the parts that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=str(__doc__).splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)}; all by default")
    parser.add_argument("--scale", type=float, default=1.0, help="how much is measured; 1 is all, less is faster and less sure")
    parser.add_argument("--write", action="store_true", help=f"write the tables into docs/{PAGE.name}, too")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown or (arguments.write and arguments.parts):
        parser.error(f"no such part: {', '.join(sorted(unknown))}" if unknown else "--write is for all parts")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # by an exception, so that nothing is left behind
    lines = []
    for line in measure(arguments.parts or PARTS, arguments.scale):
        show(line)
        lines.append(line)
    if arguments.write:
        write_into(PAGE, BEGIN, END, lines)


if __name__ == "__main__":
    main()
