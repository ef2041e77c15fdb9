"""How cost grows, with payload, clients, callers and queue: ``python -m benchmarks.growth [FOLDER]`` (Linux, three minutes).

It writes ``growth.md`` with its plots into the folder, ``docs`` by default, and prints the tables. ``--quick`` is for trying it out.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from benchmarks.common import CLIENT, PATIENCE, SERVER, environment, process, role, show, shuffled
from benchmarks.payloads import REQUESTS
from benchmarks.svg import Axis, plot, short, time_text
from ocpp_sync import OcppClient, OcppServer, utcnow
from ocpp_sync.types.v16 import DataTransferRequest

COMMAND = "python -m benchmarks.growth"
ROUNDS = 3
METER_VALUES = REQUESTS["1.6"]["MeterValues"]

T = TypeVar("T")


class Plan(NamedTuple):
    """How much is measured.

    Attributes:
        sizes: Of the payload, in bytes.
        clients: How many.
        callers: Threads that call by one client.
        queued: Messages in the outbox.
        seconds: For each figure.
        batch: Messages that are put and delivered for a figure.
    """

    sizes: tuple[int, ...]
    clients: tuple[int, ...]
    callers: tuple[int, ...]
    queued: tuple[int, ...]
    seconds: float
    batch: int


FULL = Plan(
    (100, 1_000, 10_000, 30_000, 100_000, 300_000, 500_000),
    (1, 3, 10, 30, 100, 300, 1_000),
    (1, 2, 4, 8, 16, 32, 64),
    (0, 10, 100, 1_000, 10_000),
    6.0,
    500,
)
QUICK = Plan((100, 10_000), (1, 3), (1, 2), (0, 10), 0.15, 5)


class Part(NamedTuple):
    """A table, its plot, and what they say."""

    name: str
    title: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]
    svg: str
    sentence: str

    @property
    def table(self) -> str:
        """The table in Markdown."""
        lines = [self.head, ("---:",) * len(self.head), *self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


class Times(NamedTuple):
    """Of many calls, in seconds."""

    median: float
    p99: float
    rate: float  # calls a second

    @classmethod
    def of(cls, times: list[float], elapsed: float) -> Times:
        """From each of them, and how long all took together."""
        ordered = sorted(times)
        return cls(statistics.median(ordered), ordered[int(len(ordered) * 0.99)], len(ordered) / elapsed)

    @classmethod
    def middle(cls, rounds: list[Times]) -> Times:
        """The medians of some rounds."""
        return cls(*(statistics.median(each) for each in zip(*rounds, strict=True)))


# --- The server's process


def serve() -> None:
    """Serve until the standard input ends."""
    with OcppServer() as server:
        server.on("Heartbeat", lambda charge_point, request: {"currentTime": utcnow()})
        server.on("MeterValues", lambda charge_point, request: {})
        # With a messageId it is the answer that is long.
        server.on("DataTransfer", lambda charge_point, request: {"status": "Accepted", "data": "x" * int(request.get("messageId", "0"))})
        server.listen(0, "127.0.0.1")
        show(str(server.port))
        sys.stdin.read()


@contextmanager
def server_process() -> Iterator[int]:
    """The server in a process of its own: its port."""
    with process(role("growth", "serve"), SERVER) as server:
        yield int(server.read())


def repeat(call: Callable[[], object], seconds: float) -> Times:
    """Call again and again for some seconds, and a little before, which does not count."""
    times: list[float] = []
    for part in (seconds / 10, seconds):
        times.clear()
        started = now = time.perf_counter()
        while now < started + part or not times:
            begun = now
            call()
            now = time.perf_counter()
            times.append(now - begun)
    return Times.of(times, now - started)


def in_rounds(things: Sequence[T], measure: Callable[[T], Times]) -> dict[T, Times]:
    """Measure each thing several times, in random order: something else may be busy for a while."""
    rounds: dict[T, list[Times]] = {thing: [] for thing in things}
    for _ in range(ROUNDS):
        for thing in shuffled(things):
            rounds[thing].append(measure(thing))
    return {thing: Times.middle(times) for thing, times in rounds.items()}


# --- What is measured


def measure_payloads(plan: Plan) -> Part:
    """The time of a call against the size of what it carries, there or back."""
    series: dict[str, list[tuple[float, float]]] = {"long request": [], "long answer": []}
    rows: list[tuple[str, ...]] = []
    with server_process() as port, OcppClient("CP1", version="1.6").connect(f"ws://127.0.0.1:{port}") as client:

        def there(size: int) -> Times:
            payload: DataTransferRequest = {"vendorId": "growth", "data": "x" * size}
            return repeat(lambda: client.call("DataTransfer", payload), plan.seconds / 2 / ROUNDS)

        def back(size: int) -> Times:
            payload: DataTransferRequest = {"vendorId": "growth", "messageId": str(size)}
            return repeat(lambda: client.call("DataTransfer", payload), plan.seconds / 2 / ROUNDS)

        requests, answers = in_rounds(plan.sizes, there), in_rounds(plan.sizes, back)
    for size in plan.sizes:
        times = requests[size], answers[size]
        for points, each in zip(series.values(), times, strict=True):
            points.append((size, each.median))
        rows.append((f"{size:,}", *(f"{value * 1e6:.0f}" for each in times for value in (each.median, each.p99))))
    head = ("bytes", "long request: median µs", "p99 µs", "long answer: median µs", "p99 µs")
    (first, low), (last, high) = series["long request"][0], series["long request"][-1]
    sentence = (
        f"A request with {last:,.0f} bytes of data, {last / first:,.0f} times as many as {first:.0f}, takes {high / low:.0f} times as long."
    )
    svg = plot("A call against its payload", Axis("bytes of data", short), Axis("time of a call, median", time_text), series)
    return Part("payload", "Payload", head, rows, svg, sentence)


def measure_clients(plan: Plan) -> Part:
    """Calls a second, and how long they take, against the number of clients that all call as fast as they can."""
    rates: dict[str, list[tuple[float, float]]] = {"Heartbeat": [], "MeterValues": []}
    rows: list[tuple[str, ...]] = []
    for count in plan.clients:
        row = [f"{count:,}"]
        with server_process() as port, process(role("driver", "drive", port), CLIENT) as driver:
            driver.ask("connect", count)
            for action in rates:
                driver.ask("run", action, plan.seconds / 10)
                answers = [json.loads(driver.ask("run", action, plan.seconds / ROUNDS)) for _ in range(ROUNDS)]
                times = Times.middle([Times(median, p99, rate) for rate, median, p99 in answers])
                rates[action].append((count, times.rate))
                row += [f"{times.rate:,.0f}", f"{times.median * 1e3:.2f}", f"{times.p99 * 1e3:.1f}"]
        rows.append(tuple(row))
    head = ("clients", "Heartbeats a second", "median ms", "p99 ms", "MeterValues a second", "median ms", "p99 ms")
    (_, best), (most, last) = max(rates["Heartbeat"], key=lambda point: point[1]), rates["Heartbeat"][-1]
    sentence = (
        f"With {most:,} clients that call as fast as they can the server answers {last / best:.0%} of the most that it answers at all."
    )
    svg = plot("Calls a second against clients", Axis("clients", short), Axis("calls a second, of all together", short), rates)
    return Part("clients", "Clients", head, rows, svg, sentence)


def measure_callers(plan: Plan) -> Part:
    """How long calls take when many threads call by the same client."""
    series: dict[str, list[tuple[float, float]]] = {"p99": [], "median": []}
    rows: list[tuple[str, ...]] = []
    with server_process() as port, OcppClient("CP1", version="1.6").connect(f"ws://127.0.0.1:{port}") as client:
        found = in_rounds(plan.callers, lambda count: _call_at_once(client, count, plan.seconds / ROUNDS))
    for count, times in found.items():
        series["p99"].append((count, times.p99))
        series["median"].append((count, times.median))
        rows.append((str(count), f"{times.rate:,.0f}", f"{times.median * 1e6:,.0f}", f"{times.p99 * 1e6:,.0f}"))
    head = ("callers", "calls a second, of all together", "median µs", "p99 µs")
    (_, low), (most, high) = series["median"][0], series["median"][-1]
    sentence = (
        "One call of a connection is under way at a time (rule B3), the others wait for their turn:"
        f" with {most:.0f} threads that call at once, each call takes {high / low:.0f} times as long as alone."
    )
    svg = plot(
        "A call against the callers of one client", Axis("threads that call at once", short), Axis("time of a call", time_text), series
    )
    return Part("callers", "Calls in flight", head, rows, svg, sentence)


def _call_at_once(client: OcppClient, count: int, seconds: float) -> Times:
    times: list[list[float]] = [[] for _ in range(count)]
    ready, stop = threading.Barrier(count + 1), 0.0

    def run(mine: list[float]) -> None:
        ready.wait(PATIENCE)
        now = time.perf_counter()
        while now < stop or not mine:
            begun = now
            client.call("Heartbeat")
            now = time.perf_counter()
            mine.append(now - begun)

    threads = [threading.Thread(target=run, args=(mine,)) for mine in times]
    for thread in threads:
        thread.start()
    started = time.perf_counter()
    stop = started + seconds
    ready.wait(PATIENCE)
    for thread in threads:
        thread.join()
    return Times.of([each for mine in times for each in mine], time.perf_counter() - started)


def measure_outbox(plan: Plan) -> Part:
    """The time of a put, and of a delivery, against the number of messages that wait."""
    series: dict[str, list[tuple[float, float]]] = {"put": [], "delivery": []}
    rows: list[tuple[str, ...]] = []
    with server_process() as port, tempfile.TemporaryDirectory() as folder:
        for length in plan.queued:
            path = Path(folder) / f"{length}.sqlite3"
            with OcppClient("CP1", version="1.6", outbox=path) as client:
                first = [client.outbox.put("MeterValues", METER_VALUES) for _ in range(length)]
                puts, deliveries = _put(client, plan.batch)
                head = (first + deliveries)[: plan.batch]  # all the others wait behind them
                client.connect(f"ws://127.0.0.1:{port}")
                head[0].result(PATIENCE)
                started = time.perf_counter()
                head[-1].result(PATIENCE)
                delivery = (time.perf_counter() - started) / max(1, plan.batch - 1)
            series["put"].append((length, puts.median))
            series["delivery"].append((length, delivery))
            rows.append((f"{length:,}", f"{puts.median * 1e6:.0f}", f"{puts.p99 * 1e6:.0f}", f"{delivery * 1e6:.0f}"))
    columns = ("messages that wait", "put: median µs", "p99 µs", "delivery: mean µs")
    ratios = [points[-1][1] / points[0][1] for points in series.values()]
    sentence = (
        f"With {plan.queued[-1]:,} messages in the queue a put takes {ratios[0]:.1f} times as long as with none, and a delivery"
        f' {ratios[1]:.1f} times (`durability="full"`: a put waits for the disk once, and so does a delivery).'
    )
    svg = plot(
        "Put and delivery against the queue", Axis("messages that wait in the outbox", short), Axis("time of one", time_text), series
    )
    return Part("outbox", "Outbox", columns, rows, svg, sentence)


def _put(client: OcppClient, count: int) -> tuple[Times, list[Any]]:
    deliveries: list[Any] = []
    times = []
    started = time.perf_counter()
    for _ in range(count):
        begun = time.perf_counter()
        deliveries.append(client.outbox.put("MeterValues", METER_VALUES))
        times.append(time.perf_counter() - begun)
    return Times.of(times, time.perf_counter() - started), deliveries


# --- The page


def page(parts: list[Part], machine: str) -> str:
    """The whole of growth.md."""
    sections = [f"## {part.title}\n\n{part.sentence}\n\n![{part.title}](growth-{part.name}.svg)\n\n{part.table}\n" for part in parts]
    intro = (
        "# How cost grows\n\n"
        f"By `{COMMAND}`, which writes this page with its plots. {machine}.\n"
        "Server and clients are processes of their own on one machine, each on a core of its own, without TLS; both validate.\n"
    )
    return "\n".join([intro, *sections])


def main(arguments: list[str]) -> None:
    """Measure, print the tables, and write the page."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="How cost grows.")
    parser.add_argument("folder", nargs="?", default="docs", type=Path)
    parser.add_argument("--quick", action="store_true", help="hardly measure anything")
    options = parser.parse_args(arguments)
    plan = QUICK if options.quick else FULL
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # for the server and the driver, too
    if CLIENT is not None:
        os.sched_setaffinity(0, {CLIENT})
    machine = environment()
    show(machine)
    parts = []
    for measure in (measure_payloads, measure_clients, measure_callers, measure_outbox):
        part = measure(plan)
        show(f"\n{part.title}\n\n{part.table}\n\n{part.sentence}")
        parts.append(part)
    options.folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        (options.folder / f"growth-{part.name}.svg").write_text(part.svg, encoding="utf-8")
    (options.folder / "growth.md").write_text(page(parts, machine), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
