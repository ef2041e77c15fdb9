"""The tests, and what a charge point takes, on emulated ARM: ``sudo .venv/bin/python -m benchmarks.arm`` (Debian; hours the first time).

It needs root, git, and ``apt install mmdebstrap qemu-user-static binfmt-support arch-test qemu-system-arm openssh-client``. For each
userland, once with the libraries that Debian has and once with the newest from wheels: ``ocpp-sync demo`` and the tests, by qemu-user; then
memory and start on a whole machine with 256 MB, by qemu-system-arm. The one for ARMv6, which has no kernel here, runs a few tests on the
processor of the first Pi. What it prints is Markdown; ``--write`` puts it into docs/raspberry-pi.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path

from benchmarks.arm.machine import boot
from benchmarks.arm.userland import DEBIANS_OWN, USERLANDS, WHEELS, Root, find_mirror
from benchmarks.common import machine, show

PARTS = ("tests", "machine")
ENVIRONMENTS = {DEBIANS_OWN: "/opt/debian", WHEELS: "/opt/newest"}
PAGE = Path(__file__).parents[2] / "docs" / "raspberry-pi.md"
BEGIN, END = "<!-- made by python -m benchmarks.arm --write -->", "<!-- end of what is made -->"
# Left out: what is slow there and depends on neither processor nor word size.
PYTEST = "python -m pytest -q -p no:cacheprovider --timeout 1200 -m 'not nightly and not slow'"
SMOKE = "tests/test_client.py tests/test_server.py tests/test_outbox.py tests/test_tls.py tests/test_validation.py"


def measure(roots: Sequence[Root], parts: Sequence[str], tests: Sequence[str]) -> Iterator[str]:
    """The lines of the text, each as soon as it is known."""
    today = datetime.now(timezone.utc).date()
    yield f"{today}, emulated on {machine()}."
    if "tests" in parts:
        yield ""
        yield "| userland | libraries | `ocpp-sync demo` | tests | minutes |"
        yield "| --- | --- | --- | --- | ---: |"
        for root in roots:
            for dependencies, venv in ENVIRONMENTS.items() if root.userland.is_whole else [(WHEELS, ENVIRONMENTS[WHEELS])]:
                yield _tested(root, dependencies, venv, tests)
    if "machine" in parts:
        for root in roots:
            if root.userland.is_whole:
                yield from _footprints(root)


def _tested(root: Root, dependencies: str, venv: str, tests: Sequence[str]) -> str:
    root.install(dependencies, venv)
    demo = root.run(f"{venv}/bin/ocpp-sync demo | tail -n 1")
    which = " ".join(tests) or ("" if root.userland.is_whole else SMOKE)
    started = time.monotonic()
    said = root.run(f"cd /opt/project && {venv}/bin/{PYTEST} {which}", check=False)
    minutes = (time.monotonic() - started) / 60
    cpu = f", as {root.userland.cpu}" if root.userland.cpu else ""
    summary = said.strip().splitlines()[-1].strip("= ")
    return f"| {root.userland.name}{cpu} | {dependencies}: {root.versions(venv)} | {demo.strip()} | {summary} | {minutes:.0f} |"


def _footprints(root: Root) -> Iterator[str]:
    with boot(root.path, root.path.parent) as it:
        system = it.run(". /etc/os-release; echo $PRETTY_NAME, Linux $(uname -rm)").strip()
        memory = it.run("free -m | awk '/^Mem/ {print $2, $7}'").split()
        for dependencies, venv in ENVIRONMENTS.items():
            yield ""
            yield f"{system}, {memory[0]} MB, of which {memory[1]} were free; {dependencies}:"
            yield ""
            yield from it.run(f"cd /opt/project && {venv}/bin/python -m benchmarks.footprint 2>/dev/null").strip().splitlines()


def main() -> None:
    """Do what the arguments want."""
    names = [each.name for each in USERLANDS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.arm", description=str(__doc__).splitlines()[0])
    parser.add_argument("userlands", nargs="*", metavar="USERLAND", help=f"one of {', '.join(names)}; all by default")
    parser.add_argument("--part", choices=PARTS, help="only this; default: both")
    parser.add_argument("--tests", nargs="+", metavar="FILE", default=[], help="only these of the tests")
    parser.add_argument("--work", type=Path, default=Path("/var/tmp/ocpp-sync-arm"), help="keeps userlands (default: %(default)s)")
    parser.add_argument("--write", action="store_true", help=f"write the text into docs/{PAGE.name}, too")
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
    lines = []
    for line in measure(roots, [arguments.part] if arguments.part else PARTS, arguments.tests):
        show(line)
        lines.append(line)
    if arguments.write:
        page = PAGE.read_text(encoding="utf-8")
        before, rest = page.split(BEGIN)
        PAGE.write_text("\n".join([f"{before}{BEGIN}", "", *lines, "", END + rest.split(END)[1]]), encoding="utf-8")


if __name__ == "__main__":
    main()
