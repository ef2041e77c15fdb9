"""A station to be killed: ``python -m tests.reliability.station URL FILE``, and then a line to its standard input for each life.

The line says how (``online``, ``offline``, or ``last``), from which mark on it numbers its messages, and the durability. What has happened
is written to standard output as it happens. The modules are imported once, and each life is a fork, so that it begins at once.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from typing import Any

import ocpp_sync.transport.client  # noqa: F401
from ocpp_sync import Backoff, OcppClient
from ocpp_sync.outbox import OutboxSettings
from ocpp_sync.outbox.delivery import Delivery

from .play import mark_of

TIME = "2025-01-01T00:00:00.000Z"
WINDOW = 8
"""How many messages are queued at most while there is a link."""
BURST = 40
"""How many are queued in a life without one."""
LONGEST_LIFE = 60
"""Seconds, if nobody is there any more to kill it."""


def say(what: str, *numbers: int) -> None:
    """One line, at once and in one piece."""
    os.write(1, " ".join([what, *map(str, numbers)]).encode() + b"\n")


class Station:
    """One life.

    Args:
        path: The file of the outbox.
        first: The mark of the first message that it puts.
        durability: Of the outbox.
    """

    def __init__(self, path: str, first: int, durability: Any) -> None:
        self.mark = first
        self.queued: deque[Delivery] = deque()
        settings = OutboxSettings(path, retry_interval=0.0, durability=durability)
        # An identity for each life, so that the CSMS knows them apart.
        self.client = OcppClient(f"CP{first}", version="1.6", outbox=settings, reconnect=Backoff(0.01, 0.01, 0), ping_interval=None)

    def live(self, url: str, how: str) -> None:
        """Put and deliver until it is killed; ``last`` ends by itself, when all is delivered."""
        say("pending", *(mark_of(entry.action, entry.payload) or 0 for entry in self.client.outbox.pending()))
        if how != "offline":
            self.client.connect(url)
        for transaction in list(self.client.outbox.open_transactions()):
            self.stop(transaction.handle, int(transaction.start["idTag"]))
        while how == "online" or (how == "offline" and len(self.queued) < BURST):
            first = self.mark
            start = self.put("StartTransaction", {"connectorId": 1, "idTag": str(first), "meterStart": first, "timestamp": TIME})
            assert start.transaction is not None
            for _ in range(first % 4):
                values = [{"timestamp": TIME, "sampledValue": [{"value": str(self.mark)}]}]
                self.put("MeterValues", {"connectorId": first, "transactionId": start.transaction, "meterValue": values})
            self.stop(start.transaction, first)
            while how == "online" and len(self.queued) > WINDOW:
                self.queued.popleft().result()
        if how == "offline":
            say("full")
            signal.pause()
        self.put("DataTransfer", {"vendorId": "outbox", "data": str(self.mark)}).result()
        say("empty")
        self.client.close()

    def stop(self, handle: str, first: int) -> None:
        """End the transaction that began with a mark."""
        self.put("StopTransaction", {"transactionId": handle, "idTag": str(first), "meterStop": self.mark, "timestamp": TIME})

    def put(self, action: str, payload: dict[str, Any]) -> Delivery:
        """Put a message, and say so."""
        mark = self.mark
        delivery = self.client.outbox.put(action, payload)
        say("put", mark)
        delivery.add_done_callback(lambda done: say("delivered", mark))
        self.queued.append(delivery)
        self.mark += 1
        return delivery


def main(url: str, path: str) -> None:
    """Live as often as standard input says."""
    for line in sys.stdin:
        how, first, durability = line.split()
        if (child := os.fork()) == 0:
            signal.alarm(LONGEST_LIFE)
            try:
                Station(path, int(first), durability).live(url, how)
                os._exit(0)
            finally:
                sys.excepthook(*sys.exc_info())
                os._exit(1)
        say("born", child)
        _, status = os.waitpid(child, 0)
        say("dead", status)


if __name__ == "__main__":
    main(*sys.argv[1:])
