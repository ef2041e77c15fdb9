"""What a station owes its CSMS beside its own messages: boot, heartbeats, and the time it is told (rules D1–D6)."""

from __future__ import annotations

import logging
import math
import threading
import weakref
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, Protocol

from .backoff import Backoff
from .clock import Clock
from .errors import CallError, CallTimeout, ConnectionClosed, InvalidPayload, NotAccepted
from .threads import Closable
from .timestamps import parse_time

__all__ = ["CsmsTime", "Registration", "Station"]

_log = logging.getLogger("ocpp_sync")

_DAY = 86_400.0
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_TRIGGERS = ("TriggerMessage", "ExtendedTriggerMessage")
_REPORTS = {"GetBaseReport": "NotifyReport", "GetReport": "NotifyReport"}


class Station(Protocol):
    """What :class:`Registration` needs of the client."""

    identity: str

    @property
    def connected(self) -> bool:
        """Whether there is a link."""

    @property
    def last_sent(self) -> float:
        """When the last message went out, by the clock."""

    def request(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Call, whatever the registration."""

    def check_request(self, action: str, payload: dict[str, Any]) -> None:
        """Raise InvalidPayload if it could not be sent."""

    def tell(self, event: str, *arguments: Any) -> None:
        """Emit an event."""


class CsmsTime:
    """The CSMS's time, carried on by a clock that nobody sets; the system's is never touched.

    Args:
        clock: The clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._base: tuple[float, float] | None = None  # seconds since 1970, and the monotonic time then

    @property
    def known(self) -> bool:
        """Whether a CSMS has told it."""
        return self._base is not None

    def set(self, text: Any, asked: float) -> None:
        """The CSMS has told its time.

        Args:
            text: A time as OCPP writes it; one that is none is ignored.
            asked: When it was asked, in ``monotonic()`` seconds: half of what has passed since is added.
        """
        try:
            told = (parse_time(text) - _EPOCH).total_seconds()
        except (TypeError, ValueError):  # without validation it may be no text at all
            return
        self._base = told, (asked + self._clock.monotonic()) / 2

    def at(self, monotonic: float) -> float:
        """Seconds since 1970 at a ``monotonic()`` time; by the system's clock while nothing is known."""
        base = self._base
        if base is None:
            return self._clock.time() + monotonic - self._clock.monotonic()
        return base[0] + monotonic - base[1]

    def now(self) -> datetime:
        """The time, aware, in UTC; that of the system while nothing is known."""
        return _EPOCH + timedelta(seconds=self.at(self._clock.monotonic()))

    @property
    def offset(self) -> float | None:
        """Seconds that the CSMS's clock is ahead of the system's; None while nothing is known."""
        return self.at(self._clock.monotonic()) - self._clock.time() if self.known else None


class Registration(Closable):
    """One thread boots until the CSMS accepts, then sends heartbeats; it starts with the first :meth:`boot`.

    Args:
        station: The client.
        clock: The clock.
        time: Where the CSMS's time is kept.
        backoff: The delays when a BootNotification fails, or the CSMS names no interval (rule D4).
    """

    def __init__(self, station: Station, clock: Clock, time: CsmsTime, backoff: Backoff) -> None:
        super().__init__()
        # It has this object: weakly, so that neither waits for the garbage collection when it is dropped.
        self._station: Station = weakref.proxy(station)
        self._reference = weakref.ref(station)
        self._clock = clock
        self._time = time
        self._backoff = backoff
        self._status: str | None = None
        self._gated = False
        self._payload: dict[str, Any] | None = None  # to boot with
        self._booting = False
        self._next_boot = 0.0
        self._renewed = False  # another boot is wanted than the one that may be under way
        self._sent = False
        self._delays: Iterator[float] = backoff.delays()
        self._accepted: dict[str, Any] | None = None
        self._failure: InvalidPayload | None = None  # the payload cannot be sent at all
        self._trouble = ""  # why the last BootNotification had no answer, or none to go by
        self._asked_for: set[str] = set()
        self._interval = 0.0
        self._last_heartbeat = clock.monotonic()  # or what has told the time in its place

    # --- For the user's threads

    @property
    def status(self) -> str | None:
        """The CSMS's last answer to a BootNotification: ``"Accepted"``, ``"Pending"``, ``"Rejected"``; None before the first."""
        return self._status

    @property
    def interval(self) -> float:
        """Seconds between heartbeats; 0 is one a day."""
        return self._interval

    @interval.setter
    def interval(self, seconds: float) -> None:
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"a heartbeat interval is a number of seconds, not {seconds!r}")
        with self._lock:
            self._interval = float(seconds)
            self._changed.notify_all()

    def require(self, payload: dict[str, Any]) -> None:
        """Register; nothing passes until the CSMS has accepted. If that is under way with this payload it goes on, so that rule D4 is kept.

        Raises:
            InvalidPayload: The request is refused before anything was sent.
        """
        if self._station.connected:
            self._station.check_request("BootNotification", payload)
        with self._lock:
            if not (self._booting and payload == self._payload):
                self._begin(payload)
            self._closed = False
            self._start()
            self._changed.notify_all()

    def wait_accepted(self, deadline: float | None) -> dict[str, Any]:
        """Wait until the CSMS has accepted what was required.

        Raises:
            InvalidPayload: The request is refused before anything was sent.
            CallTimeout: It has not been accepted in time; the registration goes on.
            ConnectionClosed: The client was closed meanwhile.
        """
        started = self._clock.monotonic()
        with self._lock:
            while self._accepted is None:
                if self._failure is not None:
                    raise self._failure
                if self._closed:
                    raise ConnectionClosed(1000, "closed while booting")
                now = self._clock.monotonic()
                if deadline is not None and now >= deadline:
                    raise CallTimeout("BootNotification", "", now - started, self._sent, self._why())
                self._clock.wait(self._changed, deadline, "accepted")
            return self._accepted

    def check(self, action: str) -> None:
        """Let an action pass, or not (rules D2, D3).

        Raises:
            NotAccepted: It must wait.
        """
        if self.is_open:
            return  # without the lock, as most calls do
        with self._lock:
            if not self._passes(action):
                raise NotAccepted(action, self._status, self._why())

    def wait(self, action: str, deadline: float | None) -> bool:
        """Wait until an action may pass; false if it may not at the deadline.

        Raises:
            ConnectionClosed: The client was closed meanwhile.
        """
        with self._lock:
            while not self._passes(action):
                if self._closed:
                    raise ConnectionClosed(1000, "closed while waiting to be accepted")
                if deadline is not None and self._clock.monotonic() >= deadline:
                    return False
                self._clock.wait(self._changed, deadline, "accepted")
        return True

    # --- For the client

    @property
    def is_open(self) -> bool:
        """Whether everything may be sent (rule D2)."""
        return not self._gated or self._status == "Accepted"

    @property
    def is_rejected(self) -> bool:
        """Whether the CSMS wants to hear nothing from this station (rule D3)."""
        return self._gated and self._status == "Rejected"

    def answered(self, action: str, response: dict[str, Any], asked: float) -> None:
        """A call was answered: it may tell the time, and whether this station is accepted."""
        if action not in ("BootNotification", "Heartbeat"):
            return
        self._time.set(response.get("currentTime"), asked)
        with self._lock:
            self._last_heartbeat = self._clock.monotonic()
            told = action == "BootNotification" and not self._renewed  # else that answer is not worth anything any more
            if told:
                self._take_status(response)
            self._changed.notify_all()
            status, why = self._status, self._why() if told else ""
        if told:
            _log.info("%s: BootNotification: %s", self._station.identity, status if status == "Accepted" else why)
            self._station.tell("registration", status)

    def trigger_answered(self, action: str, request: dict[str, Any], answer: Any) -> None:
        """A request of the CSMS was answered; what it asks for by that may pass even while Pending (rule D3)."""
        if not isinstance(answer, dict) or answer.get("status") != "Accepted":
            return
        wanted = str(request.get("requestedMessage", "")) if action in _TRIGGERS else _REPORTS.get(action)
        if wanted is None:
            return
        with self._lock:
            if wanted == "BootNotification" and self._payload is not None:
                self._boot_now()
            elif self._status == "Pending":
                self._asked_for.add("SignCertificate" if wanted.startswith("Sign") else wanted)
            self._changed.notify_all()

    def wake(self) -> None:
        """The link has come or gone."""
        with self._lock:
            self._changed.notify_all()

    def resume(self) -> None:
        """After :meth:`close` there is to be a link again: what was under way goes on."""
        with self._lock:
            self._closed = False
            if self._payload is not None:
                self._start()

    # --- With the condition's lock held

    def _begin(self, payload: dict[str, Any]) -> None:
        self._payload, self._gated = dict(payload), True
        self._status, self._failure, self._trouble, self._sent = None, None, "", False
        self._delays = self._backoff.delays()
        self._asked_for.clear()
        self._boot_now()

    def _boot_now(self) -> None:
        self._booting, self._renewed, self._accepted = True, True, None
        self._next_boot = self._clock.monotonic()

    def _start(self) -> None:
        if not self._running:
            thread = threading.Thread(
                target=self._run, args=(self._reference(),), name=f"ocpp-registration {self._station.identity}", daemon=True
            )
            thread.start()
            self._thread, self._running = thread, True

    def _passes(self, action: str) -> bool:
        return self.is_open or action == "BootNotification" or action in self._asked_for

    def _take_status(self, response: dict[str, Any]) -> None:
        interval = response.get("interval")
        seconds = float(interval) if isinstance(interval, (int, float)) and interval > 0 else 0.0
        self._status = response.get("status")
        if self._status == "Accepted":
            self._booting, self._accepted, self._interval = False, response, seconds
        elif self._gated:
            self._booting, self._accepted = True, None
            self._next_boot = self._clock.monotonic() + (seconds or next(self._delays))
        if seconds or not self._booting:
            self._delays = self._backoff.delays()
        if self._status != "Pending":
            self._asked_for.clear()

    def _failed(self, step: Callable[[], None], error: BaseException) -> None:
        now = self._clock.monotonic()
        self._last_heartbeat = now  # not again at once
        if step == self._boot and not self._renewed:
            self._trouble, self._next_boot = str(error), now + next(self._delays)

    def _why(self) -> str:
        if self._failure is not None:
            return f"boot() has failed (rule D2): {self._failure}"
        if self._status is not None:
            said = f"the CSMS has answered BootNotification with {self._status} (rule D3)"
        elif self._trouble:
            said = f"BootNotification has failed (rule D2): {self._trouble}"
        else:
            said = "the CSMS has not answered BootNotification yet (rule D2)"
        if not self._station.connected:
            return f"{said}; there is no link"
        left = math.ceil(self._next_boot - self._clock.monotonic())
        return f"{said}; the next one is due in {left} s" if left > 0 else said

    def _heartbeat_due(self) -> float:
        # Rule D6: another message does as well, but for the time, which is asked for once a day.
        by_silence = max(self._station.last_sent, self._last_heartbeat) + self._interval
        by_day = self._last_heartbeat + _DAY
        return min(by_silence, by_day) if self._interval > 0 else by_day

    # --- The thread

    def _run(self, _: Station) -> None:
        # The station stays as long as its thread does.
        while (step := self._next_step()) is not None:
            try:
                step()
            except ConnectionClosed as error:
                _log.info("%s: %s", self._station.identity, error)  # again as soon as there is a link
            except BaseException as error:
                # Nothing ends this thread, not even what a handler of "frame" may raise.
                expected = isinstance(error, (CallError, CallTimeout, InvalidPayload))
                _log.warning("%s: the registration: %s", self._station.identity, error, exc_info=not expected)
                with self._lock:
                    self._failed(step, error)

    def _next_step(self) -> Callable[[], None] | None:
        with self._lock:
            while not self._closed:
                due, step, what = (
                    (self._next_boot, self._boot, "boot") if self._booting else (self._heartbeat_due(), self._heartbeat, "heartbeat")
                )
                if not self._station.connected or not (self._booting or self.is_open):
                    self._clock.wait(self._changed, None, "link")
                elif self._clock.monotonic() < due:
                    self._clock.wait(self._changed, due, what)
                else:
                    return step
            self._running = False
            self._changed.notify_all()
            return None

    def _boot(self) -> None:
        with self._lock:
            payload, self._renewed = self._payload, False
        assert payload is not None
        try:
            self._station.check_request("BootNotification", payload)
        except InvalidPayload as error:
            with self._lock:
                self._booting, self._failure = False, error
                self._changed.notify_all()
            return
        self._sent = True
        self._station.request("BootNotification", payload)  # answered() takes it from there

    def _heartbeat(self) -> None:
        self._station.request("Heartbeat", {})  # likewise
