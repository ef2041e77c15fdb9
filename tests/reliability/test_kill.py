"""``kill -9`` at random moments (rules D7, D10, D13): what was put is there afterwards, in its order."""

from __future__ import annotations

import os
import queue
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from ocpp_sync.testing import ScriptedCsms
from ocpp_sync.testing.log import Received

from ..support import TIMEOUT, in_thread
from .play import mark_of

ROOT = Path(__file__).parent.parent.parent
NEVER_KNOWN = -1


class Lives:
    """The lives of a station, one after the other, and what it has said in them.

    Args:
        path: The file of the outbox.
        seed: For the moments of death.
    """

    def __init__(self, path: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.csms = ScriptedCsms()
        command = [sys.executable, "-m", "tests.reliability.station", self.csms.url, str(path)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.lines: queue.SimpleQueue[tuple[str, list[int]]] = queue.SimpleQueue()
        self.reading = in_thread(self._read)
        self.first = 1  # the mark that the next life begins with
        self.begun: list[int] = []  # the first marks of all lives
        self.acknowledged: set[int] = set()
        self.attempted: set[int] = set()
        self.delivered: dict[int, int] = {}  # mark: the first mark of the life in which the station knew
        self.said: list[str] = []  # of the last life
        self.child: int | None = None  # the process that lives

    def close(self) -> None:
        """End the processes, and the CSMS."""
        if self.child is not None:
            os.kill(self.child, signal.SIGKILL)
        self.csms.close()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        assert self.process.wait(TIMEOUT) == 0
        self.reading.result()
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            what, *numbers = line.split()
            self.lines.put((what, [int(number) for number in numbers]))

    def live(self, how: str) -> None:
        """One life, until it is killed, or its end."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{how} {self.first} {self.chance.choice(['full', 'normal'])}\n")
        self.begun.append(self.first)
        self.said = []
        _, (self.child,) = self.lines.get(timeout=TIMEOUT)
        if how != "last":
            # At a moment of what it says, or of what it does before it says anything; and a moment later.
            for _ in range(self.chance.choice([0, 0, 1, 3, 10, 30])):
                if self._listen() == "full":
                    break
            time.sleep(self.chance.uniform(0.0, 0.003 if self.said else 0.03))
            os.kill(self.child, signal.SIGKILL)
        while self._listen() != "dead":
            pass
        self.first = max(self.attempted, default=0) + 1

    def _listen(self) -> str:
        what, numbers = self.lines.get(timeout=TIMEOUT)
        self.said.append(what)
        life = self.begun[-1]
        if what == "pending":
            self._compare(numbers)
            self.attempted.add(life)
        elif what == "put":
            self.acknowledged.update(numbers)
            self.attempted.update({*numbers, numbers[0] + 1})
        elif what == "delivered":
            self.delivered[numbers[0]] = life
        elif what == "dead":
            self.child = None
            assert numbers[0] in (0, signal.SIGKILL), "it has failed by itself"
        return what

    def _compare(self, pending: list[int]) -> None:
        """What a life finds in the file when it begins."""
        assert pending == sorted(set(pending)), f"not in the order of the puts: {pending}"
        invented = set(pending) - self.attempted
        assert not invented, f"never put: {invented}"
        again = {mark for mark in pending if mark in self.delivered}
        assert not again, f"answered, and still there: {again}"
        missing = self.acknowledged - set(pending) - self.received().keys()
        assert not missing, f"acknowledged, and gone: {missing}"

    def received(self) -> dict[int, list[Received]]:
        """What the CSMS has got, by mark, in the order in which it came."""
        received: dict[int, list[Received]] = defaultdict(list)
        for each in self.csms.received:
            received[mark_of(each.action, each.payload) or 0].append(each)
        return dict(received)


@pytest.fixture
def lives(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lives]:
    lives = Lives(tmp_path / "queue.sqlite3", request.param)
    yield lives
    lives.close()


def die(lives: Lives, times: int) -> None:
    """Live and be killed, then live once more until all is delivered; then judge."""
    for _ in range(times):
        lives.live(lives.chance.choice(["online", "online", "online", "offline"]))
    lives.live("last")
    assert "empty" in lives.said
    received = lives.received()
    assert lives.acknowledged <= received.keys() <= lives.attempted
    assert list(received) == sorted(received), "not in the order of the puts"
    for mark, life in lives.delivered.items():
        assert life >= max(int(each.identity.removeprefix("CP")) for each in received[mark]), f"{mark} came again after its delivery"
    check_transactions(received)
    assert len(received) > times


def check_transactions(received: dict[int, list[Received]]) -> None:
    """Each has begun, has ended, and bears the id that its StartTransaction was answered with last."""
    stopped = set()
    for several in received.values():
        for each in several:
            if each.action in ("MeterValues", "StopTransaction"):
                stop = each.action == "StopTransaction"
                first = int(each.payload["idTag"]) if stop else each.payload["connectorId"]
                start = received[first][-1].response
                assert isinstance(start, dict)
                assert each.payload["transactionId"] == start["transactionId"] != NEVER_KNOWN
                stopped.update([first] if stop else [])
    assert stopped == {mark for mark, several in received.items() if several[0].action == "StartTransaction"}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("lives", range(3), indirect=True)
def test_d13_no_kill_loses_what_was_put(lives: Lives) -> None:
    die(lives, 100)


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("lives", range(100, 110), indirect=True)
def test_d13_no_kill_of_many_loses_what_was_put(lives: Lives) -> None:
    die(lives, 200)
