"""What a station owes its CSMS beside its own messages: boot, heartbeats, and the time it is told (rules D1–D6)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, Protocol

from .backoff import Backoff
from .clock import Clock
from .errors import CallError, CallTimeout, ConnectionClosed, InvalidPayload, NotAccepted
from .timestamps import parse_time

__all__ = ["CsmsTime", "Registration", "Station"]

_log = logging.getLogger("ocpp_sync")

_DAY = 86_400.0
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_TRIGGERS = ("TriggerMessage", "ExtendedTriggerMessage")


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

    def set(self, text: str, asked: float) -> None:
        """The CSMS has told its time.

        Args:
            text: A time as OCPP writes it; one that is none is ignored.
            asked: When it was asked, in ``monotonic()`` seconds: half of what has passed since is added.
        """
        try:
            told = (parse_time(text) - _EPOCH).total_seconds()
        except ValueError:
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


class Registration:
    """One thread boots until the CSMS accepts, then sends heartbeats; it starts with the first :meth:`boot`.

    Args:
        station: The client.
        clock: The clock.
        time: Where the CSMS's time is kept.
        backoff: The delays when a BootNotification fails, or the CSMS names no interval (rule D4).
    """

    def __init__(self, station: Station, clock: Clock, time: CsmsTime, backoff: Backoff) -> None:
        self._station = station
        self._clock = clock
        self._time = time
        self._backoff = backoff
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._status: str | None = None
        self._gated = False
        self._payload: dict[str, Any] | None = None  # to boot with
        self._booting = False
        self._next_boot = 0.0
        self._delays: Iterator[float] = backoff.delays()
        self._accepted: dict[str, Any] | None = None
        self._failure: InvalidPayload | None = None
        self._triggered: set[str] = set()
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
        with self._changed:
            self._interval = float(seconds)
            self._changed.notify_all()

    def boot(self, payload: dict[str, Any], deadline: float | None) -> dict[str, Any]:
        """Register, and wait until the CSMS accepts.

        Raises:
            InvalidPayload: The request is refused before anything was sent.
            CallTimeout: It has not been accepted in time; the registration goes on.
            ConnectionClosed: The client was closed meanwhile.
        """
        started = self._clock.monotonic()
        with self._changed:
            self._payload, self._booting, self._gated = dict(payload), True, True
            self._status, self._accepted, self._failure = None, None, None
            self._next_boot, self._delays = started, self._backoff.delays()
            self._closed = False
            self._start()
            self._changed.notify_all()
            while self._accepted is None:
                if self._failure is not None:
                    raise self._failure
                if self._closed:
                    raise ConnectionClosed(1000, "closed while booting")
                now = self._clock.monotonic()
                if deadline is not None and now >= deadline:
                    raise CallTimeout("BootNotification", None, now - started, self._status is not None, self._why())
                self._clock.wait(self._changed, deadline, "accepted")
            return self._accepted

    def check(self, action: str) -> None:
        """Let an action pass, or not (rules D2, D3).

        Raises:
            NotAccepted: It must wait.
        """
        if not self.is_open:
            with self._changed:
                if action != "BootNotification" and action not in self._triggered:
                    raise NotAccepted(action, self._status, self._why())

    def wait(self, action: str, deadline: float | None) -> bool:
        """Wait until an action may pass; false if it may not at the deadline, or the client was closed."""
        with self._changed:
            while not self.is_open and action not in self._triggered and action != "BootNotification":
                if self._closed or (deadline is not None and self._clock.monotonic() >= deadline):
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
        self._time.set(response.get("currentTime", ""), asked)
        with self._changed:
            self._last_heartbeat = self._clock.monotonic()
            if action == "BootNotification":
                self._take_status(response)
            self._changed.notify_all()
        if action == "BootNotification":
            self._station.tell("registration", self._status)

    def trigger_answered(self, action: str, request: dict[str, Any], answer: Any) -> None:
        """A request of the CSMS was answered; if it was to trigger a message, that may pass even while Pending (rule D3)."""
        if action not in _TRIGGERS or not isinstance(answer, dict) or answer.get("status") != "Accepted":
            return
        wanted = str(request.get("requestedMessage", ""))
        with self._changed:
            if wanted == "BootNotification" and self._payload is not None:
                self._booting, self._next_boot = True, self._clock.monotonic()
            elif self._status == "Pending":
                self._triggered.add("SignCertificate" if wanted.startswith("Sign") else wanted)
            self._changed.notify_all()

    def wake(self) -> None:
        """The link has come or gone."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """End: whoever waits comes back."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def join(self, timeout: float | None) -> bool:
        """Wait for the thread to end, which :meth:`close` has told to; false if it still runs."""
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return True
        thread.join(timeout)
        return not thread.is_alive()

    # --- The thread; the condition's lock is held in what begins with "_", but for _run, _boot and _heartbeat

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name=f"ocpp-registration {self._station.identity}", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while (step := self._next_step()) is not None:
            try:
                step()
            except Exception:
                # A user's clock, handler of "frame", … must not end it.
                _log.exception("%s: the registration failed", self._station.identity)
                with self._changed:
                    self._postpone()

    def _next_step(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._closed:
                due, step = (self._next_boot, self._boot) if self._booting else (self._heartbeat_due(), self._heartbeat)
                if not self._station.connected:
                    self._clock.wait(self._changed, None, "link")
                elif self._clock.monotonic() >= due:
                    return step
                else:
                    self._clock.wait(self._changed, due, "boot" if self._booting else "heartbeat")
            if self._thread is threading.current_thread():
                self._thread = None
            return None

    def _boot(self) -> None:
        payload = self._payload
        assert payload is not None
        try:
            self._station.check_request("BootNotification", payload)
        except InvalidPayload as error:
            with self._changed:
                self._booting, self._failure = False, error
                self._changed.notify_all()
            return
        try:
            self._station.request("BootNotification", payload)  # answered() takes it from there
        except ConnectionClosed as error:
            _log.info("%s: BootNotification: %s", self._station.identity, error)  # again as soon as there is a link
        except (CallError, CallTimeout, InvalidPayload) as error:
            _log.warning("%s: BootNotification failed: %s", self._station.identity, error)
            with self._changed:
                self._postpone()

    def _postpone(self) -> None:
        now = self._clock.monotonic()
        self._last_heartbeat = now
        if self._booting:
            self._next_boot = now + next(self._delays)

    def _take_status(self, response: dict[str, Any]) -> None:
        status, interval, now = response.get("status"), response.get("interval", 0), self._clock.monotonic()
        self._status = status
        if status == "Accepted":
            self._booting, self._accepted, self._delays = False, response, self._backoff.delays()
            self._triggered.clear()
            self._interval = float(max(0, interval))
        elif self._gated:
            self._booting = True
            self._next_boot = now + (interval if interval > 0 else next(self._delays))
            if status == "Rejected":
                self._triggered.clear()
            _log.info("%s: %s by the CSMS; again in %.0f s", self._station.identity, status, self._next_boot - now)

    def _heartbeat_due(self) -> float:
        # Rule D6: another message does as well, but for the time, which is asked for once a day.
        by_silence = max(self._station.last_sent, self._last_heartbeat) + self._interval
        by_day = self._last_heartbeat + _DAY
        return min(by_silence, by_day) if self._interval > 0 else by_day

    def _heartbeat(self) -> None:
        with self._changed:
            self._last_heartbeat = self._clock.monotonic()
        try:
            self._station.request("Heartbeat", {})
        except (CallError, CallTimeout, ConnectionClosed, InvalidPayload) as error:
            _log.info("%s: a heartbeat failed: %s", self._station.identity, error)

    def _why(self) -> str:
        if self._status is None:
            return (
                "the CSMS has not answered a BootNotification yet (rule D2)" if self._station.connected else "there is no link to boot by"
            )
        left = max(0.0, self._next_boot - self._clock.monotonic())
        return f"the CSMS has answered BootNotification with {self._status} (rule D3); the next one is due in {left:.0f} s"
