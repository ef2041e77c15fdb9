"""The tests, and what a charge point takes, on emulated ARM: ``sudo .venv/bin/python -m benchmarks.arm`` (Debian; hours the first time).

It needs root, git, and ``apt install mmdebstrap qemu-user-static binfmt-support arch-test qemu-system-arm device-tree-compiler
openssh-client``.

- ``--part tests``: for each userland, once with the libraries that Debian has and once with the newest from wheels, ``ocpp-sync demo`` and
  the tests, by qemu-user; on the processor of the first Pi only a few.
- ``--part memory``: ``benchmarks.footprint`` on a whole machine with 256 MB.
- ``--part tutorial``: docs/raspberry-pi.md, typed on an emulated Raspberry Pi 2 B.

What it prints is Markdown; ``--write`` puts it into docs/raspberry-pi.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path

from benchmarks.arm import tutorial
from benchmarks.arm.machine import SMALL, boot
from benchmarks.arm.userland import DEBIANS_OWN, USERLANDS, WHEELS, Root, find_mirror
from benchmarks.common import machine, show, write_into

ENVIRONMENTS = {DEBIANS_OWN: "/opt/debian", WHEELS: "/opt/newest"}
# Left out: what is slow there, and does not depend on the processor.
PYTEST = "python -m pytest -q -p no:cacheprovider --timeout 1200 -n 2 --dist loadfile -m 'not nightly and not slow'"
SMOKE = "tests/test_client.py tests/test_server.py tests/test_outbox.py tests/test_tls.py tests/test_validation.py"


def run_tests(roots: Sequence[Root]) -> Iterator[str]:
    """The tests, in each userland with each set of dependencies."""
    yield "| userland | libraries | `ocpp-sync demo` | tests | minutes |"
    yield "| --- | --- | --- | --- | ---: |"
    for root in roots:
        for dependencies, venv in ENVIRONMENTS.items() if root.userland.is_whole else [(WHEELS, ENVIRONMENTS[WHEELS])]:
            yield _tested(root, dependencies, venv)


def _tested(root: Root, dependencies: str, venv: str) -> str:
    root.install(dependencies, venv)
    demo = root.run(f"{venv}/bin/ocpp-sync demo | tail -n 1").strip()
    which = "" if root.userland.is_whole else SMOKE
    started = time.monotonic()
    said = root.run(f"cd /opt/project && {venv}/bin/{PYTEST} {which}", check=False)
    minutes = (time.monotonic() - started) / 60
    cpu = f", as {root.userland.cpu}" if root.userland.cpu else ""
    summary = said.strip().splitlines()[-1].strip("= ").partition(" in ")[0]
    return f"| {root.userland.name}{cpu} | {dependencies}: {root.versions(venv)} | {demo} | {summary} | {minutes:.0f} |"


def measure_memory(roots: Sequence[Root]) -> Iterator[str]:
    """What a client and the charge point take, on a machine with 256 MB."""
    for root in roots:
        if root.userland.is_whole:
            for dependencies, venv in ENVIRONMENTS.items():
                root.install(dependencies, venv)
            yield from _footprints(root)


def _footprints(root: Root) -> Iterator[str]:
    with boot(root, SMALL) as it:
        system = it.run(". /etc/os-release; echo $PRETTY_NAME, $(dpkg --print-architecture), Linux $(uname -r)").strip()
        total, available = it.run("free -m | awk '/^Mem/ {print $2, $7}'").split()
        for dependencies, venv in ENVIRONMENTS.items():
            yield f"{system}, {total} MB, of which {available} were free; {dependencies}:"
            yield ""
            yield from it.run(f"cd /opt/project && {venv}/bin/python -m benchmarks.footprint 2>/dev/null").strip().splitlines()[2:]
            yield ""


def follow_the_tutorial(roots: Sequence[Root]) -> Iterator[str]:
    """docs/raspberry-pi.md, on a userland that has what switches pins."""
    root = next(each for each in roots if "lgpio" in each.userland.wheels)
    root.install(DEBIANS_OWN, ENVIRONMENTS[DEBIANS_OWN])
    yield from tutorial.run(root)


PARTS: dict[str, Callable[[Sequence[Root]], Iterator[str]]] = {
    "tests": run_tests,
    "memory": measure_memory,
    "tutorial": follow_the_tutorial,
}


def marks(part: str) -> tuple[str, str]:
    """Between which lines of the page a part's text is."""
    return f"<!-- made by python -m benchmarks.arm --part {part} --write -->", f"<!-- end of what is made by {part} -->"


def main() -> None:
    """Do what the arguments want."""
    names = [each.name for each in USERLANDS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.arm", description=str(__doc__).splitlines()[0])
    parser.add_argument("userlands", nargs="*", metavar="USERLAND", help=f"one of {', '.join(names)}; all by default")
    parser.add_argument("--part", choices=PARTS, help="only this; all by default")
    parser.add_argument("--work", type=Path, default=Path("/var/tmp/ocpp-sync-arm"), help="keeps userlands (default: %(default)s)")
    parser.add_argument("--write", action="store_true", help=f"write the text into docs/{tutorial.PAGE.name}, too")
    arguments = parser.parse_args()
    if unknown := set(arguments.userlands) - set(names):
        parser.error(f"no such userland: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    if os.getuid():
        parser.error("userlands are made by root: sudo " + sys.executable + " -m benchmarks.arm")
    arguments.work.mkdir(parents=True, exist_ok=True)
    roots = [Root(each, arguments.work) for each in USERLANDS if each.name in (arguments.userlands or names)]
    mirror = find_mirror()
    for root in roots:
        root.build(mirror)
    for part in [arguments.part] if arguments.part else PARTS:
        lines = [f"{datetime.now(timezone.utc).date()}, emulated on {machine()}.", ""]
        show(lines[0] + "\n")
        for line in PARTS[part](roots):
            show(line)
            lines.append(line)
        if arguments.write:
            write_into(tutorial.PAGE, *marks(part), lines)


if __name__ == "__main__":
    main()
