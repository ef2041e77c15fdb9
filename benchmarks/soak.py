"""A server and many clients under faults, for long: ``python -m benchmarks.soak [--minutes 10] [--clients 200]`` (Linux).

The server, the clients and the way between them are processes of their own. All call each other at random moments, with slow and refusing
handlers among them; links are cut, reset, stalled, half open, or carry garbage; clients are closed and made anew. At the end it says
whether memory, threads and descriptors stayed flat, and whether every call is accounted for; its exit status is 1 if not.
"""

from __future__ import annotations

import argparse
import json
import resource
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from benchmarks.common import environment, role, show
from benchmarks.soak_account import Account

CLIENTS_OF_A_PROCESS = 100
SAMPLES = 60  # at least 15 in each quarter
PATIENCE = 60.0  # seconds for anything that must end
SHORTEST_JUDGED = 60.0  # seconds; before, caches and pools still fill

# What may be more in the last quarter than in the second one: the larger of a number and a share.
MARGINS = {"RSS MiB": (4.0, 0.05), "threads": (4.0, 0.05), "descriptors": (4.0, 0.05)}
LEFT_OVER = 8  # descriptors of the server when all clients have gone, more than before the first came
PROBLEMS_SHOWN = 20

OUTCOMES = ("answered", "CallError", "CallTimeout", "CallTimeout, not sent", "ConnectionClosed", "NotConnected")
HEAD = ("s", "server MiB, threads, fds", "clients MiB, threads, fds", "answered", "refused", "timed out", "not sent", "closed", "no link")


class Usage(NamedTuple):
    """What processes take."""

    memory: float
    threads: int
    descriptors: int

    @classmethod
    def of(cls, children: list[Child]) -> Usage:
        """The sums over some processes, now."""
        memory = threads = descriptors = 0
        for child in children:
            status = dict(line.split(":", 1) for line in Path(f"/proc/{child.pid}/status").read_text().splitlines())
            memory += int(status["VmRSS"].split()[0])
            threads += int(status["Threads"])
            descriptors += len(list(Path(f"/proc/{child.pid}/fd").iterdir()))
        return cls(memory / 1024, threads, descriptors)

    def __str__(self) -> str:
        return f"{self.memory:.1f} {self.threads} {self.descriptors}"


class Sample(NamedTuple):
    """What the processes take at a moment."""

    elapsed: float
    server: Usage
    clients: Usage


class Child:
    """A process of the soak: a function of its roles."""

    def __init__(self, stack: ExitStack, log: Path, function: str, *arguments: object) -> None:
        self.log = log
        errors = stack.enter_context(log.open("w"))
        command = role("soak_roles", function, *arguments)
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)  # noqa: S603
        stack.callback(self._end)
        self.pid = self._process.pid

    def ask(self, line: str = "") -> dict[str, int]:
        """Send a line, and return the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self.answer()

    def answer(self) -> dict[str, int]:
        """The next one."""
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], PATIENCE)[0]:
            raise TimeoutError(f"{self.log.stem} does not answer")
        answer: dict[str, int] = json.loads(self._process.stdout.readline() or "{}")
        return answer

    def finish(self) -> dict[str, int]:
        """Let it end: its last answer, and whether it has ended well."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            last = self.answer()
            return {**last, "status": self._process.wait(PATIENCE)}
        except (TimeoutError, subprocess.TimeoutExpired):
            return {"stuck": 1}

    def _end(self) -> None:
        self._process.kill()  # if it has not ended
        with self._process:
            pass


class Soak:
    """One run.

    Args:
        folder: For the books and logs.
        clients: How many.
        seconds: How long.
        seed: For all that is random.
    """

    def __init__(self, folder: Path, clients: int, seconds: float, seed: int) -> None:
        self._folder = folder
        self._clients = clients
        self._seconds = seconds
        self._seed = seed
        self._samples: list[Sample] = []
        self.problems: list[str] = []

    @property
    def is_judged(self) -> bool:
        """Whether it is long enough for a verdict about memory, threads and descriptors."""
        return self._seconds >= SHORTEST_JUDGED

    def run(self) -> None:
        """Start all, watch, end all, and settle the accounts."""
        with ExitStack() as stack:
            server = self._start(stack, "server", "run_server", self._book("server"), self._seed)
            port = server.answer()["port"]
            links = self._start(stack, "links", "run_links", port, self._clients, self._seed)
            url = f"ws://127.0.0.1:{links.answer()['port']}"
            before = Usage.of([server])
            clients = []
            for first in range(0, self._clients, CLIENTS_OF_A_PROCESS):
                count = min(CLIENTS_OF_A_PROCESS, self._clients - first)
                name = f"clients{first // CLIENTS_OF_A_PROCESS}"
                clients.append(self._start(stack, name, "run_clients", self._book(name), url, first, count, self._seed))
            self._watch(server, clients)
            show(f"\nfaults: {_listed(links.ask('heal'))}")
            handled = server.ask("quiet")
            made = sum((Counter(child.finish()) for child in clients), Counter())
            self._judge_ends(server, before)
            last = server.finish()
            links.finish()
        show(f"clients made: {made['clients']}, links: {made['links']}")
        for what in ("stuck", "status", "errors"):
            if bad := made[what] + last.get(what, 0) + handled.get(what, 0):
                self.problems.append(f"{bad} {'threads stuck' if what == 'stuck' else what}; logs:\n{self._logs()}")
        self._judge_flatness()
        self._judge_calls(len(clients))

    def _start(self, stack: ExitStack, name: str, function: str, *arguments: object) -> Child:
        return Child(stack, self._folder / f"{name}.log", function, *arguments)

    def _book(self, name: str) -> Path:
        return self._folder / f"{name}.calls"

    def _watch(self, server: Child, clients: list[Child]) -> None:
        show(f"\n| {' | '.join(HEAD)} | links | answered to the CSMS | of its calls |")
        show(f"|{' ---: |' * (len(HEAD) + 3)}")
        started = time.monotonic()
        for sample in range(1, SAMPLES + 1):
            time.sleep(max(0.0, started + sample * self._seconds / SAMPLES - time.monotonic()))
            elapsed, usage, theirs = time.monotonic() - started, Usage.of([server]), Usage.of(clients)
            self._samples.append(Sample(elapsed, usage, theirs))
            if sample % 3 == 0:
                ours, calls = server.ask(), sum((Counter(child.ask()) for child in clients), Counter())
                counts = " | ".join(str(calls[outcome]) for outcome in OUTCOMES)
                total = sum(ours.get(outcome, 0) for outcome in OUTCOMES)
                show(f"| {elapsed:.0f} | {usage} | {theirs} | {counts} | {calls['links']} | {ours.get('answered', 0)} | {total} |")

    # --- The verdict

    def _judge_ends(self, server: Child, before: Usage) -> None:
        """When the last client has gone, nothing of the connections may be left."""
        stop = time.monotonic() + PATIENCE
        while (left := server.ask()["connected"]) and time.monotonic() < stop:
            time.sleep(0.1)
        while (after := Usage.of([server])).descriptors > before.descriptors + LEFT_OVER and time.monotonic() < stop:
            time.sleep(0.1)
        show(f"server without clients, MiB threads fds: {before} before, {after} afterwards")
        if left or after.descriptors > before.descriptors + LEFT_OVER:
            self.problems.append(f"{left} connections and {after.descriptors - before.descriptors} descriptors are left")

    def _judge_flatness(self) -> None:
        if not self.is_judged:
            show(f"too short to judge memory, threads and descriptors: that takes {SHORTEST_JUDGED:.0f} s")
            return
        second = [sample for sample in self._samples if 0.25 <= sample.elapsed / self._seconds < 0.5]
        last = [sample for sample in self._samples if sample.elapsed / self._seconds >= 0.75]
        show("\n| median of the second → of the last quarter | server | clients |\n| --- | ---: | ---: |")
        for column, (name, (number, share)) in enumerate(MARGINS.items()):
            cells = []
            for where in ("server", "clients"):
                was, now = (statistics.median(getattr(sample, where)[column] for sample in part) for part in (second, last))
                cells.append(f"{was:.1f} → {now:.1f}")
                if now > was + max(number, share * was):
                    self.problems.append(f"{name} of the {where} grow: {was:.1f} → {now:.1f}")
            show(f"| {name}, {number:g} or {share:.0%} more allowed | {' | '.join(cells)} |")

    def _judge_calls(self, processes: int) -> None:
        ours, theirs = [self._book("server")], [self._book(f"clients{number}") for number in range(processes)]
        show("\n| calls by | made | handled | handled, but unanswered | twice | ended as |\n| --- | ---: | ---: | ---: | ---: | --- |")
        for name, account in (("clients", Account.read(theirs, ours)), ("server", Account.read(ours, theirs))):
            twice = sum(times > 1 for times in account.handled.values())
            made, handled, ended = account.begun.total(), account.handled.total(), _listed(account.outcomes())
            show(f"| {name} | {made} | {handled} | {account.lost()} | {twice} | {ended} |")
            self.problems += [f"{name}: {problem}" for problem in account.problems()]

    def _logs(self) -> str:
        return "\n".join(path.read_text()[-2000:] for path in sorted(self._folder.glob("*.log")))


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{what} {count}" for what, count in sorted(counts.items(), key=lambda item: -item[1]))


def main(arguments: list[str]) -> int:
    """Run it, and print the verdict: the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description="Server and clients under faults, for long.")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1, help="for all that is random; threads make each run another one nevertheless")
    parser.add_argument("--keep", metavar="FOLDER", help="where to leave the books and logs")
    options = parser.parse_args(arguments)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    show(f"{environment()}\n{options.clients} clients, {options.minutes:g} minutes, seed {options.seed}")
    with ExitStack() as stack:
        folder = Path(options.keep or stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        soak = Soak(folder, options.clients, options.minutes * 60, options.seed)
        soak.run()
    for problem in soak.problems[:PROBLEMS_SHOWN]:
        show(f"bad: {problem}")
    good = f"{'flat, and ' if soak.is_judged else ''}every call accounted for"
    show(f"\nverdict: {f'{len(soak.problems)} problems' if soak.problems else good}")
    return 1 if soak.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
