"""The durable queue of a client, and the thread that delivers it (rules D7 to D13): :class:`Outbox`."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from os import PathLike
from typing import Any, Literal, NamedTuple, Protocol
from weakref import WeakValueDictionary

from ..clock import Clock
from ..errors import CallError, CallTimeout, ConnectionClosed, InvalidPayload, NotAccepted, OutboxError, OutboxFull
from ..registration import CsmsTime
from .content import role_of, shifted, with_offline, with_transaction_id
from .delivery import Delivery
from .store import DeadLetter, Entry, OpenTransaction, Origin, Store

__all__ = ["Outbox", "OutboxSettings", "Sender"]

_log = logging.getLogger("ocpp_sync")

_LOOK_AGAIN = 15.0  # seconds after which it looks whether the command line has changed the file, when that could matter
_DISK_PAUSE = 5.0  # seconds after an error of the disk
_SHIFT = 1.0  # seconds by which a time must be wrong to be corrected
_PLAUSIBLE = 1_577_836_800.0  # the beginning of 2020: a clock that is behind was never set
_NEVER_KNOWN = -1  # rule D10


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


class Sender(Protocol):
    """What the outbox needs of the client."""

    identity: str

    @property
    def connected(self) -> bool:
        """Whether there is a link."""

    @property
    def link_number(self) -> int:
        """How many links there were, this one included."""

    @property
    def may_send(self) -> bool:
        """Whether the registration lets everything pass."""

    def check_queued(self, action: str, payload: dict[str, Any]) -> None:
        """Raise InvalidPayload if a request could not be sent."""

    def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Call, if the registration lets it pass."""

    def tell(self, event: str, *arguments: Any) -> None:
        """Emit an event."""

    def run(self, task: Callable[[], None]) -> None:
        """Run something on the thread of the handlers."""


class Outbox:
    """Messages that must not be lost: on disk before :meth:`put` returns, delivered in order, one at a time, and deleted when answered.

    It is the ``outbox`` of an :class:`OcppClient`. Its methods may be called from any thread, with or without a link.

    Args:
        settings: How it is kept.
        version: The client's one version.
        sender: The client.
        clock: The clock.
        time: The CSMS's time.

    Attributes:
        attempts: As in the settings; a new value holds from the next failure on.
        retry_interval: As in the settings; a new value holds from the next failure on.

    Raises:
        OutboxError: The file cannot be used.
        ValueError: A setting is wrong.
    """

    def __init__(self, settings: OutboxSettings, version: str, sender: Sender, clock: Clock, time: CsmsTime) -> None:
        if settings.attempts < 1 or not settings.retry_interval >= 0:
            raise ValueError("an outbox makes one attempt or more, and its retry_interval is not negative")
        self.attempts = settings.attempts
        self.retry_interval = settings.retry_interval
        self._settings = settings
        self._version = version
        self._sender = sender
        self._clock = clock
        self._time = time
        self._process = str(uuid.uuid4())
        self._changed = threading.Condition()
        self._opening = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._draining = False
        self._in_flight: int | None = None
        self._not_before: tuple[int, float] = (0, 0.0)  # of the oldest message, after a failure
        self._deliveries: WeakValueDictionary[int, Delivery] = WeakValueDictionary()
        self._awaited: set[Delivery] = set()  # by their callbacks alone
        self._store: Store | None = None
        self._opened()

    # --- For the user's threads

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
            OutboxError: It could not be stored: the disk is full or broken.
            ValueError: The transaction is not known.
        """
        request = {} if payload is None else payload
        if not isinstance(request, dict):
            self._sender.check_queued(action, request)
        role = role_of(self._version, action, request)
        self._sender.check_queued(action, role.checked)
        store = self._opened()
        transaction = role.transaction
        if transaction is not None and self._version != "1.6" and not (role.opens or role.numbered or store.knows(transaction)):
            transaction = None  # its beginning went another way, and its numbers are the user's
        with self._changed:
            # Under the lock, so that the thread cannot have delivered it before its Delivery is known.
            put = store.put(
                action,
                request,
                self._origin(),
                transaction=transaction,
                opens=role.opens,
                closes=role.closes and transaction is not None,
                numbered=role.numbered,
                droppable=role.droppable,
            )
            entry = put.entry
            delivery = Delivery(
                entry.id, action, entry.payload, transaction, changed=self._changed, awaited=self._awaited, clock=self._clock
            )
            self._deliveries[entry.id] = delivery
            delivery.interrupt(self._closed)
            self._changed.notify_all()
        for dropped in put.dropped:
            why = OutboxFull(store.path, f"{dropped.action} was dropped: there is no more room")
            _log.warning("%s: message %d: %s", self._sender.identity, dropped.id, why)
            self._finish(dropped.id, why)
            self._sender.tell("outbox", "dropped", dropped, str(why))
        return delivery

    def pending(self) -> Iterator[Entry]:
        """The messages that wait, from the oldest, the one in flight included; read bit by bit."""
        return self._opened().entries()

    def dead_letters(self) -> Iterator[DeadLetter]:
        """The messages that were given up; ``ocpp-sync outbox`` shows them too, and can put them back."""
        return self._opened().dead_letters()

    def open_transactions(self) -> Iterator[OpenTransaction]:
        """The transactions whose end was not put yet: what a controller has to go on with, or to end, after a power cut."""
        return self._opened().open_transactions()

    def transaction_id(self, transaction: str) -> int | None:
        """The CSMS's id of a 1.6 transaction.

        Args:
            transaction: The ``transaction`` of its StartTransaction's delivery.

        Returns:
            The id; None while the CSMS has not named it, -1 if it never will (rule D10).
        """
        return self._opened().transaction_id(transaction)

    def __len__(self) -> int:
        return self._opened().count()

    def __bool__(self) -> bool:
        return True  # an empty one is still one

    def __repr__(self) -> str:
        return f"<Outbox {str(self._settings.path)!r}>"

    # --- For the client

    def resume(self) -> None:
        """The client connects (again)."""
        self._opened()
        with self._changed:
            self._closed = self._draining = False
            for delivery in list(self._deliveries.values()):
                delivery.interrupt(False)

    def wake(self) -> None:
        """The link has come or gone, or the registration has changed."""
        with self._changed:
            if self._thread is None and self._sender.connected and not self._closed:
                self._thread = threading.Thread(target=self._run, name=f"ocpp-outbox {self._sender.identity}", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def drain(self, deadline: float) -> None:
        """Begin no further delivery, and wait for the one that is under way."""
        with self._changed:
            self._draining = True
            while self._in_flight is not None and self._clock.monotonic() < deadline:
                self._clock.wait(self._changed, deadline, "drain")

    def close(self) -> None:
        """End: whoever waits for a delivery comes back; what is queued stays on disk."""
        with self._changed:
            self._closed = True
            for delivery in list(self._deliveries.values()):
                delivery.interrupt(True)
            self._changed.notify_all()

    def join(self, timeout: float | None) -> bool:
        """Wait for the thread that :meth:`close` has told to end, and close the file; false if the thread still runs."""
        thread = self._thread
        if thread is threading.current_thread():
            return True  # it closes the file when it ends
        if thread is not None:
            thread.join(timeout)
            if thread.is_alive():
                return False
        self._close_store()
        return True

    # --- The thread

    def _run(self) -> None:
        try:
            while (entry := self._next()) is not None:
                try:
                    self._deliver(entry)
                except OutboxError as error:
                    _log.error("%s: %s", self._sender.identity, error)
                    self._pause()
                except Exception:
                    # The user's handler of "frame", …: the queue must go on.
                    _log.exception("%s: a delivery failed", self._sender.identity)
                    self._pause()
                finally:
                    with self._changed:
                        self._in_flight = None
                        self._changed.notify_all()
        finally:
            with self._changed:
                self._thread = None
                if self._closed:
                    self._close_store()

    def _next(self) -> Entry | None:
        """Wait until there is something to deliver; None is the end."""
        with self._changed:
            while not self._closed:
                wait: float | None = None
                if self._sender.connected and self._sender.may_send and not self._draining:
                    try:
                        entry = self._head()
                    except OutboxError as error:
                        _log.error("%s: %s", self._sender.identity, error)
                        entry, wait = None, self._clock.monotonic() + _DISK_PAUSE
                    if entry is not None:
                        due = self._due(entry)
                        if self._clock.monotonic() >= due:
                            self._in_flight = entry.id
                            return entry
                        wait = min(due, self._clock.monotonic() + _LOOK_AGAIN)
                    elif wait is None and self._may_change_elsewhere():
                        wait = self._clock.monotonic() + _LOOK_AGAIN
                self._clock.wait(self._changed, wait, "outbox")
            return None

    def _head(self) -> Entry | None:
        store = self._opened()
        entry = store.head()
        store.set_in_flight(None if entry is None else entry.id)
        return entry

    def _may_change_elsewhere(self) -> bool:
        return next(self._opened().dead_letters(), None) is not None

    def _due(self, entry: Entry) -> float:
        if not entry.attempts:
            return 0.0
        if self._not_before[0] != entry.id:
            # It has failed before this process began.
            self._not_before = entry.id, self._clock.monotonic() + self.retry_interval * entry.attempts
        return self._not_before[1]

    def _deliver(self, entry: Entry) -> None:
        try:
            response = self._sender.call(entry.action, self._payload(entry))
        except (ConnectionClosed, NotAccepted) as error:
            # Being offline uses up no attempt (rule D9).
            _log.info("%s: message %d of the outbox: %s", self._sender.identity, entry.id, error)
        except CallTimeout as error:
            if error.sent:
                self._failed(entry, error)
        except (CallError, InvalidPayload) as error:
            self._failed(entry, error)
        else:
            opened = response.get("transactionId") if entry.opens and self._version == "1.6" else None
            self._record(lambda store: store.delivered(entry.id, opened))
            self._finish(entry.id, response)

    def _failed(self, entry: Entry, error: Exception) -> None:
        attempts = self._record(lambda store: store.failed(entry.id))
        if attempts is None or 0 < attempts < self.attempts:
            self._not_before = entry.id, self._clock.monotonic() + self.retry_interval * (attempts or 1)
            _log.warning("%s: message %d of the outbox, attempt %s: %s", self._sender.identity, entry.id, attempts, error)
            return
        if attempts:
            self._record(lambda store: store.give_up(entry.id, str(error)))
            _log.error("%s: message %d of the outbox is given up: %s", self._sender.identity, entry.id, error)
            self._sender.tell("outbox", "given-up", entry._replace(attempts=attempts), str(error))
        self._finish(entry.id, error)

    def _record(self, change: Callable[[Store], Any]) -> Any:
        """Write down what has happened; as often as it takes, since it has happened."""
        while True:
            try:
                return change(self._opened())
            except OutboxError as error:
                _log.error("%s: %s", self._sender.identity, error)
                self._pause()
                if self._closed:
                    raise

    def _pause(self) -> None:
        deadline = self._clock.monotonic() + _DISK_PAUSE
        with self._changed:
            while not self._closed and self._clock.monotonic() < deadline:
                self._clock.wait(self._changed, deadline, "outbox disk")

    def _finish(self, number: int, outcome: dict[str, Any] | Exception) -> None:
        delivery = self._deliveries.pop(number, None)
        if delivery is not None:
            delivery.finish(outcome, self._sender.run)

    # --- What goes out

    def _origin(self) -> Origin:
        return Origin(self._link(), self._process, self._clock.monotonic(), self._clock.time(), self._time.known)

    def _link(self) -> str | None:
        return f"{self._process} {self._sender.link_number}" if self._sender.connected else None

    def _payload(self, entry: Entry) -> dict[str, Any]:
        payload, origin = entry.payload, entry.origin
        if not origin.time_known:
            payload = self._restamped(entry, payload)
        if self._version == "1.6":
            if entry.transaction is not None and not entry.opens:
                known = self._opened().transaction_id(entry.transaction)
                payload = with_transaction_id(payload, _NEVER_KNOWN if known is None else known)
        elif entry.action == "TransactionEvent" and origin.link != self._link():
            payload = with_offline(payload)
        return payload

    def _restamped(self, entry: Entry, payload: dict[str, Any]) -> dict[str, Any]:
        """What was put before the time was known, with the time that it was by what is known now."""
        if entry.origin.process != self._process or not self._time.known:
            if entry.origin.time < _PLAUSIBLE:
                _log.warning("%s: message %d of the outbox was made when the time was not known", self._sender.identity, entry.id)
            return payload
        wrong = self._time.at(entry.origin.monotonic) - entry.origin.time
        if abs(wrong) <= _SHIFT:
            return payload
        moved: dict[str, Any] = shifted(payload, wrong)
        return moved

    # --- The file

    def _opened(self) -> Store:
        with self._opening:
            if self._store is None:
                settings = self._settings
                self._store = Store(
                    settings.path,
                    durability=settings.durability,
                    max_messages=settings.max_messages,
                    max_bytes=settings.max_bytes,
                    clock=self._clock,
                )
                if self._store.damage is not None:
                    self._sender.tell("outbox", "damaged", None, self._store.damage.lost)
            return self._store

    def _close_store(self) -> None:
        with self._opening:
            if self._store is not None:
                self._store.close()
                self._store = None
