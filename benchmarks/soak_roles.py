"""The processes of the soak: the server, the clients, and the way between them."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import itertools
import json
import logging
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.soak_account import Ledger
from benchmarks.soak_calls import FROM_CSMS, FROM_STATION, REFUSAL, VERSIONS, Kind
from benchmarks.soak_links import Proxy
from ocpp_sync import Backoff, CallError, OcppClient, OcppServer

__all__ = ["run_clients", "run_links", "run_server"]

CALL_TIMEOUT = 3.0  # seconds, as all of these
PING_INTERVAL, PONG_TIMEOUT = 1.0, 2.0
STATION_PAUSE = 0.5  # between two calls of a station, on average
CSMS_PAUSE = 0.05  # between two calls of each thread that calls stations
CSMS_CALLERS = 8
FAULT_PAUSE = 50.0  # between two faults of one link
CALLS_OF_A_CLIENT = (10, 200)  # then it is closed, and made anew
SLOW, TOO_SLOW = (0.05, 0.5), CALL_TIMEOUT + 0.5
REFUSES, IS_SLOW, IS_TOO_SLOW, WAITS = 0.02, 0.02, 0.001, 0.3  # the share of calls
PATIENCE = 30.0


def tell(counts: dict[str, int]) -> None:
    """Answer the process that asked."""
    sys.stdout.write(json.dumps(counts) + "\n")
    sys.stdout.flush()


class Errors(logging.Handler):
    """What should not be: errors that the library logs, and threads that end by one."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(logging.ERROR)
        self._ledger = ledger
        self._lines = logging.StreamHandler()  # into the file that standard error is
        threading.excepthook = self._thread_failed
        logging.getLogger().addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Count it, and keep its text."""
        self._ledger.count("errors")
        self._lines.handle(record)

    def _thread_failed(self, failure: threading.ExceptHookArgs) -> None:
        self._ledger.count("errors")
        sys.__excepthook__(failure.exc_type, failure.exc_value or failure.exc_type(), failure.exc_traceback)


@contextmanager
def books(path: str) -> Iterator[Ledger]:
    """The ledger of this process."""
    ledger = Ledger(Path(path))
    Errors(ledger)
    try:
        yield ledger
    finally:
        ledger.close()


def handle(kind: Kind, request: dict[str, Any], ledger: Ledger, draw: random.Random) -> dict[str, Any]:
    """Handle a call well, slowly, too slowly, or not at all."""
    number = int(kind.number(request))
    ledger.handled(number)
    chance = draw.random()
    if chance < IS_TOO_SLOW:
        time.sleep(TOO_SLOW)
    elif chance < IS_TOO_SLOW + IS_SLOW:
        time.sleep(draw.uniform(*SLOW))
    elif chance < IS_TOO_SLOW + IS_SLOW + REFUSES:
        raise CallError("GenericError", REFUSAL)
    return kind.response(number)


def join(threads: list[threading.Thread]) -> int:
    """Wait for threads to end: how many have not."""
    stop = time.monotonic() + PATIENCE
    for thread in threads:
        thread.join(max(0.0, stop - time.monotonic()))
    return sum(thread.is_alive() for thread in threads)


# --- The server


def give_back() -> None:
    """Give back to the system what is only held: garbage that refers to itself, and free memory between what is not."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)


def run_server(path: str, seed: str) -> None:
    """Serve, and call those that are connected. Each line of the standard input asks for the counts, ``quiet`` ends the calls first."""
    draw, over, numbers = random.Random(int(seed)), threading.Event(), itertools.count(1)  # noqa: S311 (no secret)
    with books(path) as ledger, OcppServer(call_timeout=CALL_TIMEOUT, ping_interval=PING_INTERVAL, pong_timeout=PONG_TIMEOUT) as server:

        def handler(action: str) -> Callable[[Any, dict[str, Any]], dict[str, Any]]:
            return lambda station, request: handle(FROM_STATION[station.version][action], request, ledger, draw)

        def call_stations() -> None:
            while not over.wait(draw.expovariate(1 / CSMS_PAUSE)):
                if stations := list(server.connections.values()):
                    station = draw.choice(stations)
                    kind = draw.choice(list(FROM_CSMS[station.version or VERSIONS[0]].values()))
                    ledger.call(station.call, kind, next(numbers))

        for action in {action for kinds in FROM_STATION.values() for action in kinds}:
            server.on(action, handler(action))
        server.listen(0, "127.0.0.1")
        tell({"port": server.port})
        callers = [threading.Thread(target=call_stations) for _ in range(CSMS_CALLERS)]
        for caller in callers:
            caller.start()
        for line in sys.stdin:
            if line.strip() == "quiet":
                over.set()
                join(callers)
            give_back()
            tell({**ledger.counts(), "connected": len(server.connections)})
        over.set()
        tell({"stuck": join(callers)})


# --- The clients


class Station:
    """A charge point: one client after the other, of which each makes some calls.

    Args:
        number: Its number among all.
        url: Where it connects to.
        ledger: That of its process.
        over: Set when it is to end.
        seed: For all that is random.
    """

    def __init__(self, number: int, url: str, ledger: Ledger, over: threading.Event, seed: int) -> None:
        self._identity, self._version, self._url = f"CP{number:04}", VERSIONS[number % len(VERSIONS)], url
        self._ledger, self._over = ledger, over
        self._random = random.Random(seed * 10_000 + number)  # noqa: S311 (no secret)
        self._numbers = itertools.count(number * 1_000_000)
        self._to_csms = list(FROM_STATION[self._version].values())

    def live(self) -> None:
        """Be a charge point until all is over."""
        while not self._over.is_set():
            with self._client() as client:
                client.connect(self._url, retry=True, timeout=5.0)
                for _ in range(self._random.randint(*CALLS_OF_A_CLIENT)):
                    if self._over.wait(self._random.expovariate(1 / STATION_PAUSE)):
                        break
                    self._call(client, wait=self._random.random() < WAITS)
            self._ledger.count("clients")

    def _client(self) -> OcppClient:
        client = OcppClient(
            self._identity,
            version=self._version,
            call_timeout=CALL_TIMEOUT,
            ping_interval=PING_INTERVAL,
            pong_timeout=PONG_TIMEOUT,
            reconnect=Backoff(0.1, 0.2, 2),
        )
        client.on("connect", lambda: self._ledger.count("links"))
        for kind in FROM_CSMS[self._version].values():
            client.on(kind.action, self._handler(client, kind))
        return client

    def _handler(self, client: OcppClient, kind: Kind) -> Callable[[dict[str, Any]], Any]:
        def trigger(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
            yield handle(kind, request, self._ledger, self._random)
            self._call(client)  # what was asked for, while the station itself may be calling

        return trigger if kind.action == "TriggerMessage" else lambda request: handle(kind, request, self._ledger, self._random)

    def _call(self, client: OcppClient, *, wait: bool = False) -> None:
        self._ledger.call(client.call, self._random.choice(self._to_csms), next(self._numbers), wait=wait)


def run_clients(path: str, url: str, first: str, count: str, seed: str) -> None:
    """Be charge points until the standard input ends; each line of it asks for the counts."""
    over = threading.Event()
    with books(path) as ledger:
        stations = [Station(number, url, ledger, over, int(seed)) for number in range(int(first), int(first) + int(count))]
        threads = [threading.Thread(target=station.live, daemon=True) for station in stations]
        for thread in threads:
            thread.start()
        for _ in sys.stdin:
            give_back()
            tell(ledger.counts())
        over.set()
        stuck = join(threads)
        tell({**ledger.counts(), "stuck": stuck})


# --- The way between them


def run_links(target: str, clients: str, seed: str) -> None:
    """Pass on, with faults."""
    proxy = Proxy(int(target), FAULT_PAUSE / int(clients), int(seed))
    tell({"port": proxy.port})
    proxy.run()
