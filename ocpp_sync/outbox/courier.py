"""The thread that delivers what is in an outbox, and sends it again if need be (rule D9): :class:`Courier`."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from ..clock import Clock
from ..errors import CallTimeout, ConnectionClosed, InvalidPayload, NotAccepted, OcppError, OutboxError
from ..registration import CsmsTime
from ..threads import Closable
from .content import named_id, shifted, with_offline, with_transaction_id
from .delivery import Deliveries
from .file import OutboxFile
from .store import Entry, Origin, Store
from .transactions import NEVER_KNOWN

__all__ = ["Courier", "RetryRule", "Sender"]

_log = logging.getLogger("ocpp_sync")

_LOOK_AGAIN = 15.0  # seconds after which it looks whether another process has changed the file, when that could matter
_DISK_PAUSE = 5.0  # seconds after an error of the disk
_SHIFT = 1.0  # seconds by which a time must be wrong to be corrected
_PLAUSIBLE = 1_577_836_800.0  # the beginning of 2020: a clock that is behind was never set

_T = TypeVar("_T")


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

    def deliver(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Call, if the registration lets it pass; its time-out counts from its turn on."""

    def tell(self, event: str, *arguments: Any) -> None:
        """Emit an event."""

    def run(self, task: Callable[[], None]) -> None:
        """Run something on the thread of the handlers."""


class RetryRule(Protocol):
    """When to send again (rule D9); it may change at any time."""

    @property
    def attempts(self) -> int:
        """How often a message is sent until it is given up."""

    @property
    def retry_interval(self) -> float:
        """Seconds, which are multiplied by the attempts so far."""


class Courier(Closable):
    """Delivers the messages of an outbox, in their order and one at a time, on a thread that starts with the first link.

    Args:
        version: The client's one version.
        sender: The client.
        file: The file.
        deliveries: Where it says what became of a message.
        rule: When to send again.
        clock: The clock.
        time: The CSMS's time.
    """

    def __init__(
        self, version: str, sender: Sender, file: OutboxFile, deliveries: Deliveries, rule: RetryRule, clock: Clock, time: CsmsTime
    ) -> None:
        # Its lock is held for moments only, since the reader of the link takes it: never while the disk, or an answer, is waited for.
        super().__init__()
        self._version = version
        self._sender = sender
        self._file = file
        self._deliveries = deliveries
        self._rule = rule
        self._clock = clock
        self._time = time
        self._process = str(uuid.uuid4())
        self._not_before: tuple[int, float] = (0, 0.0)  # the message that failed last, and when it may go out again: the thread's own
        self._draining = False
        self._delivering = False
        self._news = False  # it should look at the queue

    # --- For the client's threads

    def resume(self) -> None:
        """The client is about to connect, perhaps again."""
        with self._lock:
            self._closed = self._draining = False

    def wake(self) -> None:
        """Something was put, the link has come or gone, or the registration has changed."""
        with self._lock:
            self._news = True
            self._changed.notify_all()
            if not self._running and self._sender.connected and not self._closed:
                thread = threading.Thread(target=self._run, name=f"ocpp-outbox {self._sender.identity}", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    # Out of threads or memory; what was put is put, and the next to wake it tries again.
                    _log.exception("%s: the outbox", self._sender.identity)
                else:
                    self._thread, self._running = thread, True

    def drain(self, deadline: float) -> None:
        """Begin no further delivery, and wait for the one that is under way."""
        with self._lock:
            self._draining = True
            while self._delivering and self._clock.monotonic() < deadline:
                self._clock.wait(self._changed, deadline, "drain")

    def origin(self) -> Origin:
        """Where and when a message is put that is put now."""
        return Origin(self._link(), self._process, self._clock.monotonic(), self._clock.time(), self._time.known)

    # --- The thread

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
                with self._lock:
                    self._delivering = False
                    self._changed.notify_all()
        self._file.let_go()  # if the client has not waited for this

    def _step(self) -> float | None:
        """Deliver what is due; returns when to look again, None being when there is news."""
        entry, look_at = self._look()
        if entry is None:
            return look_at
        with self._lock:
            self._delivering = not (self._closed or self._draining)
        if self._delivering:
            self._deliver(entry)
        return 0.0

    def _wait(self, look_at: float | None) -> bool:
        """Wait until something may be sent, and it is time to look at the queue, or there is news of it; false at the end."""
        with self._lock:
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
        return self._file.use(self._look_into)

    def _look_into(self, store: Store) -> tuple[Entry | None, float | None]:
        if self._file.was_opened() or store.changed_elsewhere():
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
        if not 0 < entry.attempts < self._rule.attempts:
            return now
        if self._not_before[0] != entry.id:
            # It failed when this process had not begun, or an older message was put back before it.
            self._not_before = entry.id, now + self._rule.retry_interval * entry.attempts
        return self._not_before[1]

    def _end_dropped(self, store: Store) -> None:
        """End the deliveries whose messages are gone: nobody but another process has removed them."""
        if numbers := self._deliveries.numbers():
            for number in numbers - {entry.id for entry in store.entries()}:
                self._deliveries.finish(number, OutboxError(store.path, f"message {number} was dropped by hand, or is lost"))

    def _deliver(self, entry: Entry) -> None:
        if entry.attempts >= self._rule.attempts:
            # The process has ended between the last attempt and giving up, or there are to be fewer attempts now.
            self._give_up(entry, CallTimeout(entry.action, "", 0.0, True, f"sent {entry.attempts} times in vain, lastly some time ago"))
            return
        payload = self._payload(entry)
        try:
            response = self._sender.deliver(entry.action, payload)
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
        elif attempts < self._rule.attempts:
            self._not_before = entry.id, self._clock.monotonic() + self._rule.retry_interval * attempts
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
                return self._file.use(change)
            except OutboxError as error:
                if self._closed:
                    raise
                _log.error("%s: %s", self._sender.identity, error)
                self._pause()

    def _pause(self) -> None:
        deadline = self._clock.monotonic() + _DISK_PAUSE
        with self._lock:
            while not self._closed and self._clock.monotonic() < deadline:
                self._clock.wait(self._changed, deadline, "outbox disk")

    # --- What goes out

    def _link(self) -> str | None:
        return f"{self._process} {self._sender.link_number}" if self._sender.connected else None

    def _payload(self, entry: Entry) -> dict[str, Any]:
        payload = entry.payload if entry.origin.time_known else self._restamped(entry)
        if self._version == "1.6" and (transaction := entry.transaction) is not None and not entry.opens:
            known = self._file.use(lambda store: store.transaction_id(transaction))
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
