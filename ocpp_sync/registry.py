"""Which charge points are connected to a server, by identity."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .server_connection import OcppClientConnection

__all__ = ["Registry"]

_LISTED = 20  # identities in the text of an error


class Registry:
    """The newest connection of each identity (rule A9). Identities of 2.x are the same whatever their case (rule A2)."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._connections: dict[str, OcppClientConnection] = {}
        self._numbers: dict[str, int] = {}
        self.next_number = itertools.count().__next__

    def add(self, connection: OcppClientConnection, number: int | None = None) -> OcppClientConnection | None:
        """Register a connection.

        Args:
            connection: The connection.
            number: From :attr:`next_number`, before its peer knew that it is connected: its thread may come later than that of a newer one.
                None is now.

        Returns:
            The older one of the same identity, whose place is taken, or this one, if there is a newer one already; None if there is
            no other.
        """
        with self._lock:
            number = self.next_number() if number is None else number
            other = self._find(connection.identity, connection.version)
            if other is not None and self._numbers[other.identity] > number:
                return connection
            if other is not None:
                self._forget(other)
            self._connections[connection.identity], self._numbers[connection.identity] = connection, number
            self._changed.notify_all()
        return other

    def discard(self, connection: OcppClientConnection) -> None:
        """Forget a connection; not the newer one that may stand in its place."""
        with self._lock:
            if self._connections.get(connection.identity) is connection:
                self._forget(connection)

    def get(self, identity: str) -> OcppClientConnection | None:
        """The connection of an identity, or None."""
        with self._lock:
            return self._find(identity)

    def require(self, identity: str) -> OcppClientConnection:
        """The connection of an identity.

        Raises:
            KeyError: It is not connected; the text names those that are.
        """
        with self._lock:
            connection = self._find(identity)
            names = sorted(self._connections)
        if connection is None:
            more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
            raise KeyError(f"{identity} is not connected; connected: {', '.join(names[:_LISTED]) or 'nobody'}{more}")
        return connection

    def wait_for(self, identity: str, timeout: float | None, version: str | None = None) -> OcppClientConnection:
        """The connection of an identity, as soon as there is one, and it speaks a version; None is any.

        Raises:
            TimeoutError: There is none within ``timeout`` seconds.
        """

        def wanted() -> OcppClientConnection | None:
            connection = self._find(identity)
            return connection if connection is not None and version in (None, connection.version) else None

        with self._lock:
            connection = self._changed.wait_for(wanted, timeout)
            other = self._find(identity)
        if connection is not None:
            return connection
        if other is not None:
            raise TimeoutError(f"{identity} is connected, but speaks OCPP {other.version}, not {version}")
        raise TimeoutError(f"{identity} has not connected within {timeout:g} s")

    def snapshot(self) -> dict[str, OcppClientConnection]:
        """A copy, which does not change."""
        with self._lock:
            return dict(self._connections)

    def _forget(self, connection: OcppClientConnection) -> None:
        del self._connections[connection.identity], self._numbers[connection.identity]

    def _find(self, identity: str, version: str | None = None) -> OcppClientConnection | None:
        # An exact one comes first; those of 1.6 have no other.
        if identity in self._connections or version == "1.6":
            return self._connections.get(identity)
        folded = identity.lower()
        return next((c for c in self._connections.values() if c.version != "1.6" and c.identity.lower() == folded), None)
