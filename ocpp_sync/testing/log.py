"""What a :class:`~ocpp_sync.testing.ScriptedCsms` has got, and what became of it."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from ..clock import Clock
from ..errors import CallError

if TYPE_CHECKING:
    from ..server_connection import HandshakeHeaders

__all__ = ["EVERY", "Entry", "Handshake", "Log", "Received"]

EVERY = "*"


class Handshake(NamedTuple):
    """One attempt to connect.

    Attributes:
        identity: Who it was; ``""`` if the URL names nobody.
        time: When, in ``monotonic()`` seconds of the CSMS's clock.
        status: What was answered, 101 being a connection.
        headers: The HTTP headers of the request.
    """

    identity: str
    time: float
    status: int
    headers: HandshakeHeaders


class Received(NamedTuple):
    """One message that has come, and what has become of it until now.

    Attributes:
        identity: The charge point that sent it.
        connection: The number of the connection that it came by, counted from 1 over all charge points.
        action: The action; ``""`` for what is no request.
        payload: The request.
        message_id: The id; ``""`` if it could not be read.
        time: When, in ``monotonic()`` seconds of the CSMS's clock.
        outcome: ``"answered"``, ``"refused"`` (with a CALLERROR), ``"answered twice"``, ``"answered, then cut"``, ``"dropped"``,
            ``"cut"``, ``"closed"``; ``"delayed"`` or ``"held"`` as long as it is; ``"lost"`` if the connection went before the answer;
            ``"received"`` for a SEND; ``"unasked"`` for an answer to nothing; ``"malformed"``; ``"failed"`` if the script did, see the
            log ``ocpp_sync``. What has been answered may still be lost on its way.
        response: The payload of the answer, or the CallError; None if none has gone out.
    """

    identity: str
    connection: int
    action: str
    payload: dict[str, Any]
    message_id: str
    time: float
    outcome: str
    response: dict[str, Any] | CallError | None


class Entry:
    """A line of the log, that goes on changing; ``changed`` guards it."""

    __slots__ = ("received",)

    def __init__(self, received: Received) -> None:
        self.received = received


class Log:
    """All that has come.

    Args:
        clock: Whose times are noted.

    Attributes:
        changed: Guards the log, and all else of the CSMS; notified at each change.
    """

    def __init__(self, clock: Clock) -> None:
        self.changed = threading.Condition()
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        with self.changed:
            self._entries: list[Entry] = []
            self._by_action: dict[str, list[Entry]] = {}
            self._handshakes: list[Handshake] = []

    def add(
        self, identity: str, connection: int, action: str, payload: dict[str, Any], message_id: str, outcome: str = "received"
    ) -> Entry:
        """Note a message."""
        entry = Entry(Received(identity, connection, action, payload, message_id, self._clock.monotonic(), outcome, None))
        with self.changed:
            self._entries.append(entry)
            self._by_action.setdefault(action, []).append(entry)
            self.changed.notify_all()
        return entry

    def note(self, entry: Entry, outcome: str, response: dict[str, Any] | CallError | None = None) -> None:
        """Note what became of a message."""
        with self.changed:
            entry.received = entry.received._replace(outcome=outcome, response=response)
            self.changed.notify_all()

    def add_handshake(self, handshake: Handshake) -> None:
        """Note an attempt to connect."""
        with self.changed:
            self._handshakes.append(handshake)
            self.changed.notify_all()

    @property
    def received(self) -> list[Received]:
        """A copy of all messages, in order."""
        with self.changed:
            return [entry.received for entry in self._entries]

    @property
    def handshakes(self) -> list[Handshake]:
        """A copy of all attempts to connect, in order."""
        with self.changed:
            return list(self._handshakes)

    def wait_for(self, action: str, count: int, timeout: float) -> Received:
        """Wait until so many requests of an action are there; see :meth:`ScriptedCsms.wait_for`."""
        with self.changed:
            if not self.changed.wait_for(lambda: len(self._of(action)) >= count, timeout):
                came = dict(Counter(entry.received.action for entry in self._entries))
                raise TimeoutError(f"{len(self._of(action))} of {count} {action} have come within {timeout:g} s; received: {came}")
            return self._of(action)[count - 1].received

    def _of(self, action: str) -> list[Entry]:
        return self._entries if action == EVERY else self._by_action.get(action, [])
