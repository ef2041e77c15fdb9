"""The durable queue of a client, and the thread that delivers it (rules D7 to D13): :class:`Outbox`."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import PathLike
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from ..clock import Clock
from ..errors import CallTimeout, ConnectionClosed, InvalidPayload, NotAccepted, OcppError, OutboxError, OutboxFull
from ..registration import CsmsTime
from .content import named_id, role_of, shifted, with_offline, with_transaction_id
from .delivery import Deliveries, Delivery
from .store import Damage, DeadLetter, Entry, OpenTransaction, Origin, Store
from .transactions import NEVER_KNOWN

__all__ = ["Outbox", "OutboxSettings", "Sender"]

_log = logging.getLogger("ocpp_sync")

_LOOK_AGAIN = 15.0  # seconds after which it looks whether another process has changed the file, when that could matter
_DISK_PAUSE = 5.0  # seconds after an error of the disk
_SHIFT = 1.0  # seconds by which a time must be wrong to be corrected
_PLAUSIBLE = 1_577_836_800.0  # the beginning of 2020: a clock that is behind was never set

_T = TypeVar("_T")


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

    # Two locks. ``_file`` may be held as long as the disk takes: by a put, and by the thread when it looks for the oldest message or
    # writes down what became of it. ``_changed`` is held for moments only, since the reader of the link takes it. Nobody has both.

    def __init__(self, settings: OutboxSettings, version: str, sender: Sender, clock: Clock, time: CsmsTime) -> None:
        self.attempts = settings.attempts
        self.retry_interval = settings.retry_interval
        self._settings = settings
        self._version = version
        self._sender = sender
        self._clock = clock
        self._time = time
        self._process = str(uuid.uuid4())
        self._deliveries = Deliveries(clock, sender.run)
        self._not_before: tuple[int, float] = (0, 0.0)  # the message that failed last, and when it may go out again: the thread's own

        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._running = False
        self._closed = False
        self._draining = False
        self._delivering = False
        self._news = False  # the thread should look at the queue

        self._file = threading.Lock()
        self._store: Store | None = None
        self._damage: Damage | None = None  # that nobody was told of yet
        self._reopened = False  # the thread has not looked at the file since it was opened
        with self._opened():
            pass

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
        origin = self._origin()
        with self._opened() as store:
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
        with self._changed:
            self._news = True
            self._changed.notify_all()
        return delivery

    def pending(self) -> Iterator[Entry]:
        """The messages that wait, from the oldest, the one in flight included; read bit by bit."""
        return self._listed(Store.entries)

    def dead_letters(self) -> Iterator[DeadLetter]:
        """The messages that were given up; ``ocpp-sync outbox`` shows them too, and can put them back."""
        return self._listed(Store.dead_letters)

    def open_transactions(self) -> Iterator[OpenTransaction]:
        """The transactions whose end was not put yet: what a controller has to go on with, or to end, after a power cut."""
        return self._listed(Store.open_transactions)

    def transaction_id(self, transaction: str) -> int | None:
        """The CSMS's id of a 1.6 transaction.

        Args:
            transaction: The ``transaction`` of its StartTransaction's delivery.

        Returns:
            The id; -1 if the CSMS will never name it (rule D10); None if it has not done so yet, or the transaction is not known, any more.
        """
        with self._opened() as store:
            return store.transaction_id(transaction)

    def __len__(self) -> int:
        with self._opened() as store:
            return store.count()

    def __bool__(self) -> bool:
        return True  # an empty one is still one

    def __repr__(self) -> str:
        return f"<Outbox {str(self._settings.path)!r}>"

    # --- For the client

    def resume(self) -> None:
        """The client is about to connect, perhaps again.

        Raises:
            OutboxError: The file cannot be used any more.
        """
        with self._changed:
            self._closed = self._draining = False
        with self._opened():
            damage, self._damage = self._damage, None
        self._deliveries.set_closed(False)
        if damage is not None:
            # Not before: when the client was made, nobody could listen yet.
            self._sender.tell("outbox", "damaged", None, damage.lost)

    def wake(self) -> None:
        """The link has come or gone, or the registration has changed."""
        with self._changed:
            self._news = True
            self._changed.notify_all()
            if not self._running and self._sender.connected and not self._closed:
                thread = threading.Thread(target=self._run, name=f"ocpp-outbox {self._sender.identity}", daemon=True)
                thread.start()
                self._thread, self._running = thread, True

    def drain(self, deadline: float) -> None:
        """Begin no further delivery, and wait for the one that is under way."""
        with self._changed:
            self._draining = True
            while self._delivering and not self._is_mine and self._clock.monotonic() < deadline:
                self._clock.wait(self._changed, deadline, "drain")

    def close(self) -> None:
        """End: whoever waits for a delivery comes back; what is queued stays on disk."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._deliveries.set_closed(True)

    def join(self, timeout: float | None) -> bool:
        """Wait for the thread to end, which :meth:`close` has told to, and let go of the file; false if the thread still runs."""
        with self._changed:
            thread = self._thread
            if self._is_mine:
                return True  # it lets go of the file when it ends
            if not self._changed.wait_for(lambda: not (self._running and self._closed), timeout):
                return False
            if not self._closed:
                return True  # a handler of "close" has connected again
        if thread is not None:
            thread.join(timeout)
        self._let_go()
        return thread is None or not thread.is_alive()

    # --- The thread

    @property
    def _is_mine(self) -> bool:
        return threading.current_thread() is self._thread

    def _run(self) -> None:
        look_at: float | None = 0.0  # at once
        while self._wait(look_at):
            try:
                look_at = self._step()
            except BaseException as error:
                # Nothing ends this thread: a disk may come back.
                _log.error("%s: the outbox: %s", self._sender.identity, error, exc_info=not isinstance(error, OutboxError))
                look_at = self._clock.monotonic() + _DISK_PAUSE
            finally:
                with self._changed:
                    self._delivering = False
                    self._changed.notify_all()
        self._let_go()

    def _step(self) -> float | None:
        """Deliver what is due; returns when to look again, None being when there is news."""
        entry, look_at = self._look()
        if entry is None:
            return look_at
        with self._changed:
            self._delivering = not (self._closed or self._draining)
        if self._delivering:
            self._deliver(entry)
        return 0.0

    def _wait(self, look_at: float | None) -> bool:
        """Wait until something may be sent, and it is time to look at the queue, or there is news of it; false at the end."""
        with self._changed:
            while not self._closed:
                may_send = self._sender.connected and self._sender.may_send and not self._draining
                if may_send and (self._news or (look_at is not None and self._clock.monotonic() >= look_at)):
                    self._news = False
                    return True
                self._clock.wait(self._changed, look_at if may_send else None, "outbox")
            # Under the same lock: whoever connects from now on starts another thread.
            self._running = False
            self._changed.notify_all()
            return False

    def _look(self) -> tuple[Entry | None, float | None]:
        """The message that is due, or when to look again."""
        with self._opened() as store:
            if store.changed_elsewhere() or self._reopened:
                self._reopened = False
                self._end_dropped(store)
            now, entry = self._clock.monotonic(), store.head()
            due = self._due(entry, now)
            in_flight = entry if due <= now else None
            store.set_in_flight(None if in_flight is None else in_flight.id)
            # Another process may drop a message that waits, or put a dead letter back.
            may_change = entry is not None or next(store.dead_letters(), None) is not None
        return in_flight, min(due, now + _LOOK_AGAIN) if may_change else None

    def _due(self, entry: Entry | None, now: float) -> float:
        if entry is None:
            return float("inf")
        if not entry.attempts:
            return now
        if self._not_before[0] != entry.id:
            # It failed when this process had not begun, or an older message was put back before it.
            self._not_before = entry.id, now + self.retry_interval * entry.attempts
        return self._not_before[1]

    def _end_dropped(self, store: Store) -> None:
        """End the deliveries whose messages are gone: nobody but another process has removed them."""
        if numbers := self._deliveries.numbers():
            for number in numbers - {entry.id for entry in store.entries()}:
                self._deliveries.finish(number, OutboxError(store.path, f"message {number} was dropped by hand, or is lost"))

    def _deliver(self, entry: Entry) -> None:
        payload = self._payload(entry)
        try:
            response = self._sender.call(entry.action, payload)
        except (ConnectionClosed, NotAccepted) as error:
            # Being offline uses up no attempt (rule D9).
            _log.info("%s: message %d of the outbox: %s", self._sender.identity, entry.id, error)
        except Exception as error:
            if isinstance(error, InvalidPayload) and not self._is_valid(entry.action, payload):
                self._give_up(entry, error)  # it is the message that is invalid, and will be next time
            elif isinstance(error, CallTimeout) and not error.sent:
                _log.info("%s: message %d of the outbox: %s", self._sender.identity, entry.id, error)
            else:
                self._failed(entry, error)  # whatever it was: else it could be sent for ever
        else:
            named = named_id(response) if entry.opens and self._version == "1.6" else None
            self._record(lambda store: store.delivered(entry.id, named))
            self._deliveries.finish(entry.id, response)

    def _is_valid(self, action: str, payload: dict[str, Any]) -> bool:
        try:
            self._sender.check_queued(action, payload)
        except InvalidPayload:
            return False
        return True

    def _failed(self, entry: Entry, error: Exception) -> None:
        attempts = self._record(lambda store: store.failed(entry.id))
        if not attempts:  # it was dropped by hand meanwhile
            self._deliveries.finish(entry.id, error)
        elif attempts < self.attempts:
            self._not_before = entry.id, self._clock.monotonic() + self.retry_interval * attempts
            unexpected = not isinstance(error, OcppError)
            text = "%s: message %d of the outbox, attempt %d: %s"
            _log.warning(text, self._sender.identity, entry.id, attempts, error, exc_info=unexpected)
        else:
            self._give_up(entry._replace(attempts=attempts), error)

    def _give_up(self, entry: Entry, error: Exception) -> None:
        reason = str(error) or repr(error)
        self._record(lambda store: store.give_up(entry.id, reason))
        _log.error("%s: message %d of the outbox is given up: %s", self._sender.identity, entry.id, reason)
        self._sender.tell("outbox", "given-up", entry, reason)
        self._deliveries.finish(entry.id, error)

    def _record(self, change: Callable[[Store], _T]) -> _T:
        """Write down what has happened; as often as it takes, since it has happened."""
        while True:
            try:
                with self._opened() as store:
                    return change(store)
            except OutboxError as error:
                if self._closed:
                    raise
                _log.error("%s: %s", self._sender.identity, error)
                self._pause()

    def _pause(self) -> None:
        deadline = self._clock.monotonic() + _DISK_PAUSE
        with self._changed:
            while not self._closed and self._clock.monotonic() < deadline:
                self._clock.wait(self._changed, deadline, "outbox disk")

    # --- What goes out

    def _origin(self) -> Origin:
        return Origin(self._link(), self._process, self._clock.monotonic(), self._clock.time(), self._time.known)

    def _link(self) -> str | None:
        return f"{self._process} {self._sender.link_number}" if self._sender.connected else None

    def _payload(self, entry: Entry) -> dict[str, Any]:
        payload = entry.payload if entry.origin.time_known else self._restamped(entry)
        if self._version == "1.6" and entry.transaction is not None and not entry.opens:
            with self._opened() as store:
                known = store.transaction_id(entry.transaction)
            # The StartTransaction was before it: it is answered, or never will be.
            return with_transaction_id(payload, NEVER_KNOWN if known is None else known)
        if entry.action == "TransactionEvent" and (entry.origin.link is None or entry.origin.link != self._link()):
            return with_offline(payload)
        return payload

    def _restamped(self, entry: Entry) -> dict[str, Any]:
        """What was put before the time was known, with the time that it was by what is known now."""
        origin, payload = entry.origin, entry.payload
        if origin.process == self._process and self._time.known:
            wrong = self._time.at(origin.monotonic) - origin.time
            if abs(wrong) > _SHIFT:
                payload = shifted(payload, wrong)
        elif origin.time < _PLAUSIBLE:
            _log.warning("%s: message %d of the outbox was made when the time was not known", self._sender.identity, entry.id)
        return payload

    # --- The file

    @contextmanager
    def _opened(self) -> Iterator[Store]:
        """The file, for a moment: nobody else has it, and that of a closed client is closed again."""
        with self._file:
            if self._store is None:
                self._store = self._open()
            try:
                yield self._store
            finally:
                if self._closed:
                    self._close_file()

    def _listed(self, look: Callable[[Store], Iterator[_T]]) -> Iterator[_T]:
        with self._opened() as store:
            return iter([*look(store)]) if self._closed else look(store)

    def _open(self) -> Store:
        settings = self._settings
        store = Store(
            settings.path,
            durability=settings.durability,
            max_messages=settings.max_messages,
            max_bytes=settings.max_bytes,
            clock=self._clock,
        )
        self._reopened = True
        self._damage = store.damage or self._damage
        return store

    def _let_go(self) -> None:
        with self._file:
            if self._closed:
                self._close_file()

    def _close_file(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            try:
                store.close()
            except OutboxError as error:
                _log.error("%s: %s", self._sender.identity, error)
