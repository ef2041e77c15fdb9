"""What becomes of a message that was put into the outbox: :class:`Delivery`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from ..clock import Clock
from ..deadlines import checked_timeout
from ..errors import ConnectionClosed

__all__ = ["Delivery"]

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

    def __init__(
        self,
        number: int,
        action: str,
        payload: dict[str, Any],
        transaction: str | None,
        *,
        changed: threading.Condition,
        awaited: set[Delivery],
        clock: Clock,
    ) -> None:
        self.id = number
        self.action = action
        self.payload = payload
        self.transaction = transaction
        self._changed = changed  # the outbox's
        self._awaited = awaited  # the outbox's, of those that must be kept although their user does not hold them
        self._clock = clock
        self._outcome: dict[str, Any] | Exception | None = None
        self._interrupted = False
        self._callbacks: list[Callable[[Delivery], object]] = []

    def done(self) -> bool:
        """Whether it was answered, dropped or given up."""
        return self._outcome is not None

    def result(self, timeout: float | None = None) -> dict[str, Any]:
        """Wait until it is done.

        Args:
            timeout: Seconds; None is as long as it takes.

        Returns:
            The response.

        Raises:
            TimeoutError: It is not done in time; it stays in the outbox.
            ConnectionClosed: The client was closed meanwhile; it stays in the outbox.
            CallError, CallTimeout, InvalidPayload: It was given up after as many attempts as it had (rule D9); the last led to this.
            OutboxFull: It was dropped since the outbox was full (rule D12), or by hand.
        """
        timeout = checked_timeout(timeout, "timeout")
        deadline = None if timeout is None else self._clock.monotonic() + timeout
        with self._changed:
            while self._outcome is None:
                if self._interrupted:
                    raise ConnectionClosed(1000, f"closed; {self.action} stays in the outbox")
                if deadline is not None and self._clock.monotonic() >= deadline:
                    raise TimeoutError(f"{self.action} is not delivered yet (message {self.id} of the outbox)")
                self._clock.wait(self._changed, deadline, "delivery")
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    def add_done_callback(self, callback: Callable[[Delivery], object]) -> None:
        """Call a function with this delivery when it is done: on the thread of the client's handlers, or here if it is done already."""
        with self._changed:
            if self._outcome is None:
                self._callbacks.append(callback)
                self._awaited.add(self)
                return
        callback(self)

    def finish(self, outcome: dict[str, Any] | Exception, run: Callable[[Callable[[], None]], None]) -> None:
        """For the outbox: it is done.

        Args:
            outcome: The response, or why there is none.
            run: Runs the callbacks.
        """
        with self._changed:
            self._outcome = outcome
            callbacks, self._callbacks = self._callbacks, []
            self._awaited.discard(self)
            self._changed.notify_all()
        for callback in callbacks:
            run(_Callback(callback, self))

    def interrupt(self, interrupted: bool) -> None:
        """For the outbox, with its lock held: whoever waits comes back, since the client is closed; or may wait again."""
        self._interrupted = interrupted

    def __repr__(self) -> str:
        state = "waiting" if self._outcome is None else "failed" if isinstance(self._outcome, Exception) else "delivered"
        return f"<Delivery {self.id}: {self.action}, {state}>"


class _Callback:
    def __init__(self, function: Callable[[Delivery], object], delivery: Delivery) -> None:
        self._function = function
        self._delivery = delivery

    def __call__(self) -> None:
        try:
            self._function(self._delivery)
        except BaseException:
            _log.exception("a callback of %r failed", self._delivery)
