"""The connections that a server serves, and what those that have ended did."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from .stats import Stats

if TYPE_CHECKING:
    from .server_connection import OcppClientConnection

__all__ = ["Served"]


class Served:
    """A connection is here as long as its link is read or a handler of it runs, whether or not the charge point can still be found."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connections: set[OcppClientConnection] = set()
        self._ended = Stats()

    def add(self, connection: OcppClientConnection) -> None:
        """A connection has opened."""
        with self._lock:
            self._connections.add(connection)

    def discard(self, connection: OcppClientConnection) -> None:
        """A connection is over: what it did is kept."""
        with self._lock:
            if connection in self._connections:
                self._connections.discard(connection)
                self._ended.merge(connection.count())

    def __len__(self) -> int:
        return len(self._connections)

    def snapshot(self) -> set[OcppClientConnection]:
        """A copy."""
        with self._lock:
            return self._connections.copy()

    def count(self) -> Stats:
        """The sum of all connections, past and present."""
        with self._lock:
            total = self._ended.copy()
            for connection in self._connections:
                total.merge(connection.count())
        return total
