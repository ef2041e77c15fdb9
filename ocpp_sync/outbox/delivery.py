"""What becomes of a message that was put into the outbox: :class:`Delivery`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from ..clock import Clock
from ..deadlines import checked_timeout
from ..errors import ConnectionClosed
from .records import Entry

__all__ = ["Deliveries", "Delivery"]

_log = logging.getLogger("ocpp_sync")


class Delivery:
    """A message on its way: it is on disk, and stays there until it was answered, dropped or given up.

    Attributes:
        id: Its number in the outbox.
        action: The action.
        payload: The payload, with the ``seqNo`` that it was given.
        transaction: The handle of its transaction: in 1.6 what to write for ``transactionId`` in the messages that follow a
            StartTransaction, whether or not the CSMS has named it; None if the message belongs to none.
    """

    def __init__(self, entry: Entry, deliveries: Deliveries) -> None:
        self.id = entry.id
        self.action = entry.action
        self.payload = entry.payload
        self.transaction = entry.transaction
        self._deliveries = deliveries
        self._outcome: dict[str, Any] | Exception | None = None
        self._callbacks: list[Callable[[Delivery], object]] = []

    def done(self) -> bool:
        """Whether it was answered, dropped or given up."""
        return self._outcome is not None

    def result(self, timeout: float | None = None) -> dict[str, Any]:
        """Wait until it is done; from any thread.

        Args:
            timeout: Seconds; None is as long as it takes.

        Returns:
            The response.

        Raises:
            TimeoutError: It is not done in time; it stays in the outbox.
            ConnectionClosed: The client was closed meanwhile; it stays in the outbox, and can be waited for again after ``connect()``.
            CallError, CallTimeout, …: It was given up after as many attempts as it had (rule D9); the last led to this.
            InvalidPayload: That was it too; or the message itself breaks its schema now, as what queued it was less strict.
            OutboxFull: It was dropped since there was no more room (rule D12).
            OutboxError: It was dropped by hand.
        """
        timeout = checked_timeout(timeout, "timeout")
        deliveries = self._deliveries
        deadline = None if timeout is None else deliveries.clock.monotonic() + timeout
        with deliveries.lock:
            while self._outcome is None:
                if deliveries.closed:
                    raise ConnectionClosed(1000, f"closed; {self.action} stays in the outbox")
                if deadline is not None and deliveries.clock.monotonic() >= deadline:
                    raise TimeoutError(f"{self.action} is not delivered yet (message {self.id} of the outbox)")
                deliveries.clock.wait(deliveries.changed, deadline, "delivery")
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    def add_done_callback(self, callback: Callable[[Delivery], object]) -> None:
        """Call a function with this delivery when it is done: on the thread of the client's handlers, or here if it is done already.

        Nobody needs to hold the delivery for that. What the function raises goes to the log.
        """
        with self._deliveries.lock:
            if self._outcome is None:
                self._callbacks.append(callback)
                self._deliveries.awaited.add(self)
                return
        self._tell(callback)

    def finish(self, outcome: dict[str, Any] | Exception) -> list[Callable[[], None]]:
        """For the package, with the lock held: it is done; returns what is to be run then."""
        self._outcome = outcome
        callbacks, self._callbacks = self._callbacks, []
        return [partial(self._tell, callback) for callback in callbacks]

    def _tell(self, callback: Callable[[Delivery], object]) -> None:
        try:
            callback(self)
        except Exception:
            _log.exception("a callback of %r failed", self)

    def __repr__(self) -> str:
        state = "waiting" if self._outcome is None else "failed" if isinstance(self._outcome, Exception) else "delivered"
        return f"<Delivery {self.id}: {self.action}, {state}>"


class Deliveries:
    """Those that are not done yet, of messages that this process has put; one that nobody can ask any more is forgotten.

    Args:
        clock: The clock.
        run: Runs a callback, on another thread.

    Attributes:
        clock: The clock.
        lock: Guards them all; nobody holds it while working.
        changed: Notified when one is done.
        awaited: Those that are kept, although their user may not hold them, since they have a callback.
        closed: Whether whoever waits comes back.
    """

    def __init__(self, clock: Clock, run: Callable[[Callable[[], None]], None]) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.awaited: set[Delivery] = set()
        self.closed = False
        self._run = run
        self._known: WeakValueDictionary[int, Delivery] = WeakValueDictionary()

    def add(self, entry: Entry) -> Delivery:
        """The delivery of a message that was just put."""
        with self.lock:
            delivery = self._known[entry.id] = Delivery(entry, self)
        return delivery

    def numbers(self) -> set[int]:
        """The ids of all that are not done."""
        with self.lock:
            return set(self._known)

    def finish(self, number: int, outcome: dict[str, Any] | Exception) -> None:
        """A message is done, with its response or the reason why there is none."""
        with self.lock:
            delivery = self._known.pop(number, None)
            if delivery is None:
                return
            callbacks = delivery.finish(outcome)
            self.awaited.discard(delivery)
            self.changed.notify_all()
        for callback in callbacks:
            self._run(callback)

    def set_closed(self, closed: bool) -> None:
        """Let whoever waits come back, since the client is closed; or let them wait again."""
        with self.lock:
            self.closed = closed
            self.changed.notify_all()
