"""What the outbox costs, and how soon a dead link is found: ``python -m benchmarks.reliability [FOLDER]`` (Linux, a minute).

The folder is on the disk that is to be measured; by default it is the current one.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.common import environment, show
from ocpp_sync import Backoff, OcppClient, OutboxSettings, utcnow
from ocpp_sync.testing import FaultyLink, ScriptedCsms

MESSAGES = 2_000
QUEUED = 10_000
HALF_OPEN = 10
PING_INTERVAL, PONG_TIMEOUT = 1.0, 0.5  # seconds
DURABILITIES = ("full", "normal")
HOUR = 62  # messages of an hour of charging: a start, meter values each minute, a stop
DRAIN_TIMEOUT = 600.0


def meter_values() -> dict[str, Any]:
    """A usual message: three samples."""
    measurands = ("Energy.Active.Import.Register", "Power.Active.Import", "Current.Import")
    samples = [{"value": "12345.6", "measurand": measurand, "context": "Sample.Periodic"} for measurand in measurands]
    return {"connectorId": 1, "meterValue": [{"timestamp": utcnow(), "sampledValue": samples}]}


@contextmanager
def queueing(path: Path, durability: Any = "full") -> Iterator[OcppClient]:
    """A client with an outbox, not connected."""
    with OcppClient(
        "CP1",
        version="1.6",
        outbox=OutboxSettings(path, durability=durability),
        reconnect=Backoff(0.01, 0, 0),
        ping_interval=PING_INTERVAL,
        pong_timeout=PONG_TIMEOUT,
    ) as client:
        yield client


def counters() -> tuple[int, int]:
    """Bytes that this process has had written to disk, and KiB of memory that it has."""
    io = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(io["write_bytes"]), int(status["VmRSS"].split()[0])


def measure_writing(folder: Path) -> None:
    """Puts a second, and what reaches the disk for a message: put, delivered, deleted."""
    show("| durability | puts a second | median ms | p99 ms | bytes on disk a put | and its delivery | MiB in an hour of charging |")
    show("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for durability in DURABILITIES:
        with ScriptedCsms() as csms, queueing(folder / f"{durability}.sqlite3", durability) as client:
            before, _ = counters()
            times = []
            for _ in range(MESSAGES):
                started = time.perf_counter()
                client.outbox.put("MeterValues", meter_values())
                times.append(time.perf_counter() - started)
            after, _ = counters()
            last = client.outbox.put("MeterValues", meter_values())
            client.connect(csms.url)
            last.result(DRAIN_TIMEOUT)
            at_the_end, _ = counters()
        put, rest = (after - before) / MESSAGES, (at_the_end - after) / MESSAGES
        p99 = statistics.quantiles(times, n=100)[98]
        show(
            f"| {durability} | {MESSAGES / sum(times):.0f} | {statistics.median(times) * 1000:.2f} | {p99 * 1000:.2f}"
            f" | {put:.0f} | {rest:.0f} | {(put + rest) * HOUR / 2**20:.2f} |"
        )


def fill(path: str, count: str) -> None:
    """Queue messages, and print by how many KiB that has made this process larger."""
    with queueing(Path(path), "normal") as client:
        client.outbox.put("MeterValues", meter_values())
        _, before = counters()
        for _ in range(int(count)):
            client.outbox.put("MeterValues", meter_values())
        _, after = counters()
        show(str(after - before))


def drain(path: str, count: str) -> None:
    """Deliver what is queued over a link that heals, and print how long that takes, and by how many KiB this process has grown."""
    with ScriptedCsms() as csms, FaultyLink(csms.url) as link, queueing(Path(path)) as client:
        client.connect(link.url)
        link.refuse()
        link.cut()
        client._no_link.wait(DRAIN_TIMEOUT)  # noqa: SLF001
        csms.clear()
        last = client.outbox.put("MeterValues", meter_values())
        _, before = counters()
        largest, started = before, time.perf_counter()
        link.heal()
        while not last.done():
            time.sleep(0.05)
            largest = max(largest, counters()[1])
            csms.clear()
        show(f"{time.perf_counter() - started:.1f} {largest - before}")


def child(*arguments: str) -> str:
    """The same program in a process of its own: what it prints."""
    command = [sys.executable, "-m", "benchmarks.reliability", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout  # noqa: S603


def measure_queue(folder: Path) -> None:
    """Memory while messages are queued, and the time until they are delivered."""
    path = str(folder / "long.sqlite3")
    show("\n| messages queued | KiB more in memory | from a healed link to an empty queue | KiB more meanwhile, of client and CSMS |")
    show("| ---: | ---: | ---: | ---: |")
    for count in (QUEUED // 10, QUEUED):
        more = child("fill", path, str(count)).strip()
        seconds, growth = child("drain", path, str(count)).split()
        show(f"| {count} | {more} | {seconds} s | {growth} |")


def measure_half_open() -> None:
    """How long it takes until the client has lost a link that swallows everything."""
    times = []
    for _ in range(HALF_OPEN):
        with ScriptedCsms() as csms, FaultyLink(csms.url) as link:
            client = OcppClient("CP1", reconnect=None, ping_interval=PING_INTERVAL, pong_timeout=PONG_TIMEOUT).connect(link.url)
            client.call("Heartbeat")
            link.half_open()
            started = time.perf_counter()
            client.wait_closed()
            times.append(time.perf_counter() - started)
            client.close()
    show(
        f"\nA half-open link, ping_interval {PING_INTERVAL:g} s and pong_timeout {PONG_TIMEOUT:g} s, is found after"
        f" {statistics.median(times):.2f} s (median of {HALF_OPEN}, {max(times):.2f} s at most)."
    )


def main(folder: str = ".") -> None:
    """Print the tables."""
    show(environment())
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        measure_writing(Path(temporary))
        measure_queue(Path(temporary))
    measure_half_open()


if __name__ == "__main__":
    roles = {"fill": fill, "drain": drain}
    role = roles.get(sys.argv[1]) if len(sys.argv) > 2 else None
    role(*sys.argv[2:]) if role is not None else main(*sys.argv[1:])
