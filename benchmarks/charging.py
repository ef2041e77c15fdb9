"""What a charge point costs its SD card and its SIM card: ``python -m benchmarks.charging FOLDER`` (Linux, two minutes).

It runs examples/raspberry_pi/charge_point, pins and meter pretended, against a server over TLS with a password. An hour of charging is a
start, 60 meter values and a stop, a second apart instead of a minute, so that each is a write and a message of its own.

Counted is all that the file system of the folder writes to its disk, the journal included, and each time it tells the disk to flush; and
all that goes over the network with the headers of IP and TCP. So that nobody else's is counted, it wants both for itself, as root::

    truncate -s 256M card.img && mkfs.ext4 -q card.img && mkdir -p card && mount -o loop card.img card
    unshare --net sh -c 'ip link set lo mtu 1400 up && python -m benchmarks.charging card'

On a Pi the folder is on the partition that the charge point writes to.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.common import bench, machine, show
from benchmarks.station import DAY, PASSWORD, WORDS, Station
from ocpp_sync import OcppClient

SAMPLES = 60  # meter values in an hour, by MeterValueSampleInterval = 60
HEARTBEATS = 20
PING = 3.0  # seconds after which the one ping comes that is counted
SETTLE = 0.5  # seconds until the last acknowledgement of TCP is there
SECTOR = 512  # bytes, whatever the disk's are
ETHERNET = 14  # bytes of each packet that a loopback counts, and no SIM card
FIELD_PING, FIELD_HEARTBEAT = 30, 300  # seconds: the client's own, and what a usual CSMS asks for
HOURS = 2  # of charging a day


class Cost(NamedTuple):
    """What something has cost.

    Attributes:
        network: Bytes, both ways.
        disk: Bytes.
        flushes: How often the disk had to write down what it had in its cache.
    """

    network: float
    disk: float
    flushes: float

    def line(self, what: str, count: int = 1) -> str:
        """A line of the table, for one of so many."""
        return f"| {what} | {self.network / count:,.0f} | {self.disk / count:,.0f} | {self.flushes / count:.1f} |"


class Meters:
    """The counters of the system.

    Args:
        folder: Where the disk is that counts.

    Raises:
        SystemExit: The folder is not on a disk, or others use the network too.
    """

    def __init__(self, folder: Path) -> None:
        device = folder.stat().st_dev
        part = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve()
        # Flushes are counted for a whole disk only.
        self._folder, self._part, self._disk = folder, part, part.parent if (part / "partition").exists() else part
        if not (part / "stat").exists():
            raise SystemExit(f"{folder} is on no disk; see python -m pydoc benchmarks.charging")
        links = [line.split(":")[0].strip() for line in self._network()]
        if links != ["lo"]:
            raise SystemExit(f"others use the network too: {', '.join(links)}; see python -m pydoc benchmarks.charging")
        self._own_flushes = -self.read().flushes
        self._own_flushes += self.read().flushes  # reading has the disk flushed, too

    @staticmethod
    def _network() -> list[str]:
        return Path("/proc/net/dev").read_text().splitlines()[2:]

    def read(self) -> Cost:
        """What everything has cost so far."""
        time.sleep(SETTLE)
        subprocess.run(["sync", "-f", self._folder], check=True)  # noqa: S603, S607
        received = self._network()[0].split(":")[1].split()
        written = int((self._part / "stat").read_text().split()[6]) * SECTOR
        return Cost(int(received[0]) - ETHERNET * int(received[1]), written, int((self._disk / "stat").read_text().split()[15]))

    @contextlib.contextmanager
    def measured(self, what: str, count: int = 1) -> Iterator[list[Cost]]:
        """Print what the block costs; the list has it after that."""
        before, costs = self.read(), list[Cost]()
        yield costs
        network, disk, flushes = (after - then for after, then in zip(self.read(), before, strict=True))
        costs.append(Cost(network, disk, flushes - self._own_flushes))
        show(costs[0].line(what, count))


def measure_charging(meters: Meters, folder: Path, certificates: Path, version: str, minutes: int) -> Cost:
    """Start the example, and let somebody charge: what that costs."""
    station = Station(certificates, version)
    with station.server, contextlib.ExitStack() as stack:
        with meters.measured(f"{version}: the program starts, and registers"):
            stack.enter_context(station.charge_point(folder))
            station.wait_for("Available")
        with meters.measured(f"{version}: {minutes} minutes of charging") as charging:
            station.begin(minutes)
            station.end()
    return charging[0]


def measure_idling(meters: Meters, certificates: Path, heartbeats: int) -> tuple[float, float]:
    """Bytes of a heartbeat, and of a ping with its pong."""
    station = Station(certificates, "1.6")
    options: dict[str, Any] = {"version": "1.6", "password": PASSWORD, "cafile": certificates / "ca.pem"}
    with station.server:
        with OcppClient("CP1", ping_interval=None, **options).connect(station.url) as client:
            client.call("Heartbeat")
            with meters.measured("a Heartbeat", heartbeats) as beating:
                for _ in range(heartbeats):
                    client.call("Heartbeat")
                    time.sleep(0.1)  # so that TCP acknowledges each on its own, as it does when the next is minutes away
        with OcppClient("CP1", ping_interval=PING, **options).connect(station.url) as client:
            client.call("Heartbeat")
            with meters.measured("a ping and its pong") as pinging:
                time.sleep(PING)
    return beating[0].network / heartbeats, pinging[0].network


def main(folder: str, minutes: int = SAMPLES, heartbeats: int = HEARTBEATS) -> None:
    """Print the tables."""
    meters = Meters(Path(folder))
    show(f"{machine()}, {filesystem(folder)}\n")
    show("| what | bytes on the network | bytes on the disk | flushes |\n| --- | ---: | ---: | ---: |")
    with bench() as certificates, tempfile.TemporaryDirectory(dir=folder) as temporary:
        heartbeat, ping = measure_idling(meters, certificates.folder, heartbeats)
        hours = {}
        for version in WORDS:
            place = Path(temporary) / version
            place.mkdir()
            hours[version] = measure_charging(meters, place, certificates.folder, version, minutes)
    idle = DAY / FIELD_HEARTBEAT * heartbeat + DAY / FIELD_PING * ping
    often = f"a heartbeat each {FIELD_HEARTBEAT} s, a ping each {FIELD_PING} s"
    show(f"\nA day without a charge ({often}): {idle / 1e6:.2f} MB on the network.")
    for version, hour in hours.items():
        month, year = 30 * (idle + HOURS * hour.network) / 1e6, 365 * HOURS * hour.disk / 1e9
        flushes = 365 * HOURS * hour.flushes
        show(f"{version}, {HOURS} hours of charging a day: {month:.0f} MB a month; {year:.2f} GB and {flushes:,.0f} flushes a year.")


def filesystem(folder: str) -> str:
    """What the folder is on, and how it is mounted."""
    command = ["findmnt", "--noheadings", "--output", "FSTYPE,OPTIONS", "--target", folder]
    return " ".join(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())  # noqa: S603


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("which folder? See python -m pydoc benchmarks.charging")
    main(sys.argv[1])
