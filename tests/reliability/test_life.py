"""A day of a station, in seconds: links are lost, cars charged, and nothing that the process holds grows (rules A8, D1 to D11)."""

from __future__ import annotations

import gc
import logging
import resource
import sys
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from ocpp_sync import Backoff, CallError, OcppClient
from ocpp_sync.outbox import OutboxSettings
from ocpp_sync.outbox.delivery import Delivery
from ocpp_sync.testing import Answer, Cut, CutAfter, FakeClock, FaultyLink, ScriptedCsms

from ..support import TIMEOUT, in_thread

DAY = 86_400.0
CYCLE = 30.0  # seconds
WARM_UP = 100  # cycles: all paths were taken, and all caches are full
MAX_GROWTH = 256 * 1024
"""Bytes of Python's objects that may be more in the end than after the warm-up, however long the day was: caches, interned names."""
MAX_RESIDENT_GROWTH = 8 * 1024 * 1024
"""Bytes of the whole process, with SQLite's: the allocator gives not everything back."""

BOOT = {"chargePointVendor": "test", "chargePointModel": "test"}
PENDING = Answer({"status": "Pending", "currentTime": "2025-01-01T00:00:00Z", "interval": 3})
TIME = "2025-01-01T00:00:00.000Z"


class Held(NamedTuple):
    """What the process holds."""

    threads: Counter[str]
    descriptors: int
    memory: int
    resident: int

    @classmethod
    def now(cls) -> Held:
        """At this moment."""
        gc.collect()
        threads = Counter(thread.name for thread in threading.enumerate())
        descriptors = len(list(Path("/proc/self/fd").iterdir()))
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return cls(threads, descriptors, tracemalloc.get_traced_memory()[0], pages * resource.getpagesize())


class Station:
    """A charge point, the link, and the CSMS."""

    def __init__(self, path: Path) -> None:
        self.clock = FakeClock()
        self.csms = ScriptedCsms(clock=self.clock, interval=5)
        self.link = FaultyLink(self.csms.url)
        self.cycles = 0
        self.counts: Counter[str] = Counter()  # of what was received
        self.client = OcppClient(
            "CP1",
            version="1.6",
            outbox=OutboxSettings(path, retry_interval=2.0, durability="normal"),
            reconnect=Backoff(1.0, 1.0, 2),
            call_timeout=DAY,
            ping_interval=None,
            clock=self.clock,
        )
        self.start()

    def close(self) -> None:
        self.client.close()
        self.link.close()
        self.csms.close()

    def start(self) -> None:
        """As after power on: the CSMS lets it wait."""
        self.client.connect(self.link.url)
        self.csms.script("BootNotification", PENDING)
        booting = in_thread(self.client.boot, BOOT)
        self.pass_time(lambda: not booting.thread.is_alive())
        assert booting.result()["status"] == "Accepted"

    def pass_time(self, until: Callable[[], bool]) -> None:
        """Let the clock go, but not while an answer is on its way."""
        self.clock.run(until, unless=["answer"], limit=DAY, timeout=TIMEOUT)

    def cycle(self) -> None:
        """Lose the link, charge meanwhile, deliver, and be idle until the cycle is over."""
        self.cycles += 1
        end = self.clock.monotonic() + CYCLE
        if self.cycles % 20 == 0:
            self.client.close(drain=True)
        elif self.cycles % 10 == 0:
            self.csms.stop(None if self.cycles % 30 else 1001)
        else:
            (self.link.cut if self.cycles % 2 else self.link.reset)()
        deliveries = self.charge()
        self.csms.script("MeterValues", *(CallError("InternalError"), Cut(), CutAfter())[: self.cycles % 4])
        if self.cycles % 20 == 0:
            self.start()
        elif self.cycles % 10 == 0:
            self.csms.start()
        self.pass_time(lambda: all(delivery.done() for delivery in deliveries))
        self.pass_time(lambda: self.clock.monotonic() >= end and self.client.connected)
        self.check()

    def charge(self) -> list[Delivery]:
        """A transaction, from its start to its stop."""
        put = self.client.outbox.put
        start = put("StartTransaction", {"connectorId": 1, "idTag": "ABC", "meterStart": 0, "timestamp": TIME})
        values = [{"timestamp": TIME, "sampledValue": [{"value": str(self.cycles)}]}]
        meter = put("MeterValues", {"connectorId": 1, "transactionId": start.transaction, "meterValue": values})
        stop = put("StopTransaction", {"transactionId": start.transaction, "meterStop": self.cycles, "timestamp": TIME})
        return [start, meter, stop]

    def check(self) -> None:
        """What the CSMS has got in this cycle."""
        received = [each for each in self.csms.received if each.action in ("StartTransaction", "MeterValues", "StopTransaction")]
        first = {each.action: each for each in reversed(received)}
        assert list(dict.fromkeys(each.action for each in received)) == ["StartTransaction", "MeterValues", "StopTransaction"]
        assert first["StopTransaction"].payload["meterStop"] == self.cycles
        start = received[0].response
        assert isinstance(start, dict)
        assert {each.payload["transactionId"] for each in received[1:]} == {start["transactionId"]}
        assert not len(self.client.outbox)
        assert not list(self.client.outbox.dead_letters())
        self.counts.update(each.action for each in self.csms.received)
        self.csms.clear()


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Station]:
    monkeypatch.setattr(logging.getLogger("ocpp_sync"), "disabled", True)  # pytest keeps what is logged
    tracemalloc.start()
    station = Station(tmp_path / "queue.sqlite3")
    yield station
    station.close()
    tracemalloc.stop()


def live(station: Station, seconds: float) -> None:
    for _ in range(WARM_UP):
        station.cycle()
    before, born = Held.now(), station.clock.monotonic()
    while station.clock.monotonic() < born + seconds or station.cycles % 20:
        station.cycle()
    after = Held.now()
    assert after.threads == before.threads
    assert after.descriptors == before.descriptors
    if sys.gettrace() is None:  # what measures coverage keeps objects of its own
        assert after.memory - before.memory < MAX_GROWTH
    assert after.resident - before.resident < MAX_RESIDENT_GROWTH
    assert station.counts["Heartbeat"] > station.cycles
    assert station.counts["BootNotification"] >= station.cycles // 20


@pytest.mark.timeout(120)
def test_a_while(station: Station) -> None:
    live(station, 6000.0)


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_a_day(station: Station) -> None:
    live(station, DAY)
