"""The durable queue of a client (rules D7 to D13): :class:`Outbox`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from os import PathLike
from typing import Any, Literal, NamedTuple

from ..clock import Clock
from ..errors import OutboxError, OutboxFull
from ..registration import CsmsTime
from .content import Role, role_of
from .courier import Courier, Sender
from .delivery import Deliveries, Delivery
from .file import OutboxFile
from .records import Origin
from .store import DeadLetter, Entry, OpenTransaction, Store

__all__ = ["Outbox", "OutboxSettings"]

_log = logging.getLogger("ocpp_sync")


class OutboxSettings(NamedTuple):
    """How a client keeps its queue: ``OcppClient(outbox=OutboxSettings("queue.sqlite3", attempts=5))``.

    Attributes:
        path: The file.
        attempts: How often a message is sent until it is given up (TransactionMessageAttempts, MessageAttempts; rule D9).
        retry_interval: Seconds: before it is sent again, as many as this times the attempts so far (TransactionMessageRetryInterval,
            MessageAttemptInterval).
        durability: ``"full"``: what was put is on disk, whatever happens. ``"normal"``: a power cut may take the last messages, the end of
            the process cannot; it spares the SD card.
        max_messages: How many messages there may be.
        max_bytes: How many bytes of JSON they may have together.
    """

    path: str | PathLike[str]
    attempts: int = 3
    retry_interval: float = 60.0
    durability: Literal["full", "normal"] = "full"
    max_messages: int = 100_000
    max_bytes: int = 64 * 1024 * 1024


class Outbox:
    """Messages that must not be lost: on disk before :meth:`put` returns, delivered in order, one at a time, and deleted when answered.

    It is the ``outbox`` of an :class:`OcppClient`. Its methods may be called from any thread, with or without a link, and after
    ``close()`` too: then the file is opened for that one call.

    Args:
        settings: How it is kept.
        version: The client's one version.
        sender: The client.
        clock: The clock.
        time: The CSMS's time.

    Raises:
        OutboxError: The file cannot be used.
        ValueError: A setting is wrong.
    """

    def __init__(self, settings: OutboxSettings, version: str, sender: Sender, clock: Clock, time: CsmsTime) -> None:
        self.attempts = settings.attempts
        self.retry_interval = settings.retry_interval
        self._path = settings.path
        self._version = version
        self._sender = sender

        def make() -> Store:
            return Store(
                settings.path,
                durability=settings.durability,
                max_messages=settings.max_messages,
                max_bytes=settings.max_bytes,
                clock=clock,
            )

        self._file = OutboxFile(make)
        self._deliveries = Deliveries(clock, sender.run)
        self._courier = Courier(version, sender, self._file, self._deliveries, self, clock, time)

    # --- For the user's threads

    @property
    def attempts(self) -> int:
        """How often a message is sent until it is given up (rule D9); a new value holds from the next failure on."""
        return self._attempts

    @attempts.setter
    def attempts(self, attempts: int) -> None:
        if not attempts >= 1:
            raise ValueError(f"an outbox makes one attempt or more, not {attempts!r}")
        self._attempts = attempts

    @property
    def retry_interval(self) -> float:
        """Seconds: before a resend, as many as this times the attempts so far (rule D9); a new value holds from the next failure on."""
        return self._retry_interval

    @retry_interval.setter
    def retry_interval(self, seconds: float) -> None:
        if not seconds >= 0:
            raise ValueError(f"retry_interval is a number of seconds, not {seconds!r}")
        self._retry_interval = seconds

    def put(self, action: str, payload: dict[str, Any] | None = None) -> Delivery:
        """Queue a message; it is on disk when this returns (see ``durability``).

        In 1.6 the ``transactionId`` of StopTransaction and MeterValues may be the ``transaction`` of the StartTransaction's delivery: it
        becomes the CSMS's id when they go out, after a restart too (rule D10). In 2.x a TransactionEvent without ``seqNo`` gets the next
        one of its transaction, and one that was not made on the link that it goes out by gets ``offline`` (rule D11).

        Args:
            action: The action.
            payload: The request, with the wire's own names; None is ``{}``.

        Raises:
            InvalidPayload: It is refused before anything was stored.
            OutboxFull: There is no room, and nothing in the queue may be dropped for it (rule D12).
            OutboxError: It could not be stored: the disk is full or broken, or after ``close()`` another process delivers from the file.
            ValueError: The transaction is not known, or was begun already; or, without validation, the payload is no JSON.
        """
        request = {} if payload is None else payload
        if not isinstance(request, dict):
            self._sender.check_queued(action, request)  # which refuses it in any case
        role = role_of(self._version, action, request)
        self._sender.check_queued(action, role.checked)
        origin = self._courier.origin()
        delivery = self._file.use(lambda store: self._put(store, action, request, role, origin))
        self._courier.wake()
        return delivery

    def _put(self, store: Store, action: str, request: dict[str, Any], role: Role, origin: Origin) -> Delivery:
        transaction = role.transaction
        if self._version != "1.6" and transaction is not None and not (role.opens or role.numbered or store.knows(transaction)):
            transaction = None  # its beginning went another way, and its numbers are the user's
        entry, dropped = store.put(
            action,
            request,
            origin,
            transaction=transaction,
            opens=role.opens,
            closes=role.closes and transaction is not None,
            numbered=role.numbered,
            droppable=role.droppable,
        )
        delivery = self._deliveries.add(entry)  # before the thread can see the message
        for each in dropped:
            why = OutboxFull(store.path, f"{each.action} was dropped: there is no more room")
            _log.warning("%s: message %d: %s", self._sender.identity, each.id, why)
            self._sender.tell("outbox", "dropped", each, str(why))
            self._deliveries.finish(each.id, why)
        return delivery

    def pending(self) -> Iterator[Entry]:
        """The messages that wait, from the oldest, the one in flight included; read bit by bit."""
        return self._file.listed(Store.entries)

    def dead_letters(self) -> Iterator[DeadLetter]:
        """The messages that were given up; ``ocpp-sync outbox`` shows them too, and can put them back."""
        return self._file.listed(Store.dead_letters)

    def open_transactions(self) -> Iterator[OpenTransaction]:
        """The transactions whose end was not put yet: what a controller has to go on with, or to end, after a power cut."""
        return self._file.listed(Store.open_transactions)

    def transaction_id(self, transaction: str) -> int | None:
        """The CSMS's id of a 1.6 transaction.

        Args:
            transaction: The ``transaction`` of its StartTransaction's delivery.

        Returns:
            The id; -1 if the CSMS will never name it (rule D10); None if it has not done so yet, or the transaction is not known, any more.
        """
        return self._file.use(lambda store: store.transaction_id(transaction))

    def depth(self, patience: float | None = None) -> int | None:
        """How many messages wait; None if the file cannot be read, or somebody else uses it for so many seconds."""
        try:
            return len(self) if patience is None else self._file.try_to_use(Store.count, patience)
        except OutboxError:
            return None

    def __len__(self) -> int:
        return self._file.use(Store.count)

    def __bool__(self) -> bool:
        return True  # an empty one is still one

    def __repr__(self) -> str:
        return f"<Outbox {str(self._path)!r}>"

    # --- For the client

    def resume(self) -> None:
        """The client is about to connect, perhaps again.

        Raises:
            OutboxError: The file cannot be used any more.
        """
        self._courier.resume()
        self._file.resume()
        self._deliveries.set_closed(False)
        if (damage := self._file.take_damage()) is not None:
            # Not before: when the client was made, nobody could listen yet.
            self._sender.tell("outbox", "damaged", None, damage.lost)

    def wake(self) -> None:
        """The link has come or gone, or the registration has changed."""
        self._courier.wake()

    def drain(self, deadline: float) -> None:
        """Begin no further delivery, and wait for the one that is under way."""
        self._courier.drain(deadline)

    def close(self) -> None:
        """End: whoever waits for a delivery comes back; what is queued stays on disk."""
        self._file.close()
        self._courier.close()
        self._deliveries.set_closed(True)

    def join(self, timeout: float | None) -> bool:
        """Wait for the end that :meth:`close` has begun; false if a delivery is still under way."""
        if not self._courier.join(timeout):
            return False
        self._file.let_go()
        return True
