"""What both ends of a link can do: call, send, answer by handlers, and close."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from .deadlines import checked_timeout, remaining
from .endpoint import Endpoint
from .errors import CallTimeout, InvalidPayload, NotConnected
from .protocol import Frame, OutgoingCall, Protocol
from .typed import typed_api, typed_call, typed_on, typed_send
from .validation import invalid_action
from .worker import Worker

if TYPE_CHECKING:
    from typing import TextIO

    from .api import Actions, Api
    from .stats import Durations, Stats
    from .transport.link import Link

__all__ = ["Connection"]

_log = logging.getLogger("ocpp_sync")

_CLOSE_TIMEOUT = 5.0  # seconds for the other side to answer a close frame, and for handlers to come to an end
_ABORT_TIMEOUT = 1.0  # seconds for the reader to see that the link was cut
_SENDABLE_CODES = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014}  # RFC 6455, 7.4, and its registry
_NORMAL = 1000


class _Waiter:
    """A caller that waits. The core's lock guards it, but for the event itself."""

    __slots__ = ("event", "frame", "outcome", "patience", "since", "thread")

    def __init__(self, patience: float | None, since: float) -> None:
        self.thread = threading.get_ident()
        self.since = since  # by the clock of the connection
        self.patience = patience  # seconds for the answer from its turn on, instead of a deadline
        self.event: threading.Event | None = None  # once it waits for more than what it reads itself
        self.frame: Frame | None = None  # to be sent by the caller: it is its turn
        self.outcome: dict[str, Any] | Exception | None = None

    def wake(self) -> None:
        """There is something new for the caller."""
        if self.event is not None:
            self.event.set()

    def is_answered(self) -> bool:
        """Whether there is an outcome."""
        return self.outcome is not None


class Snapshot(NamedTuple):
    """What a connection is doing.

    Attributes:
        is_exact: Whether its lock was held meanwhile.
        now: When that was, by its clock.
        link: The open link; None if there is none.
        open_for: Since how many seconds.
        reader: The thread that has the turn of reading, 0 for none; None on a server.
        calls: As :attr:`Protocol.open_calls`; their waiters have ``since`` and ``thread``.
        handlers: As :meth:`Worker.running`.
        waiting: How many tasks wait for these.
    """

    is_exact: bool
    now: float
    link: Link | None
    open_for: float
    reader: int | None
    calls: list[OutgoingCall]
    handlers: list[tuple[str, float, threading.Thread | None]]
    waiting: int


class Connection(Endpoint):
    """One side of OCPP-J, with or without a link at the moment; the base of client and server connection.

    Attributes:
        identity: The identity of the charge point.
    """

    # --- For everybody

    @property
    def version(self) -> str | None:
        """The negotiated version of OCPP, which stays after the link has gone; None before the first link."""
        return self._last_version

    @property
    def ping_interval(self) -> float | None:
        """Seconds of silence after which a ping is sent; 0 or None sends none. A new value holds from the next link on (rule A7)."""
        return self._ping_interval

    @ping_interval.setter
    def ping_interval(self, seconds: float | None) -> None:
        self._ping_interval = checked_timeout(seconds, "ping_interval")

    @property
    def connected(self) -> bool:
        """Whether there is an open link."""
        return self._core is not None

    @property
    def actions(self) -> Actions:
        """The names of what this side may send: with the negotiated version, or before the first link with the preferred one."""
        from .api import Actions

        return Actions(self._side, self._checks.key(self.version or self._versions[0]))

    @typed_api
    def api(self) -> Api:
        """These as functions: ``client.api.Heartbeat()`` is another spelling of ``client.call("Heartbeat", {})``."""
        from .api import Api

        return Api(self)

    @typed_on
    def on(self, name: str, handler: Any = None) -> Any:
        """Register a handler of an action, of every other action (``"*"``), or of a life-cycle event; without one, a decorator that does.

        A handler of an action is called with the request and returns the response, a dict; None is ``{}``. A generator yields its
        response once, and goes on when that has gone out. ``"*"`` is called with the action and the request. A second handler of an
        action replaces the first; an event takes several. The events are in lower case: ``close(code, reason)``, ``error(exception)``,
        ``frame(direction, text)``, and what the class names beside these.

        Handlers run on a thread of the connection, in the order in which the requests came; ``frame`` runs where the frame passes,
        must be quick, and must not call.

        Raises:
            ValueError: There is no such event, no supported version defines the action, or the other side does not send it.
        """
        return self._handlers.on(name) if handler is None else self._handlers.on(name, handler)

    @typed_call
    def call(self, action: str, payload: dict[str, Any] | None = None, *, timeout: float | None = None) -> dict[str, Any]:
        """Send a CALL and wait for its answer; from any thread, a handler's too.

        At most one call is under way at a time (rule B3); others wait for their turn, in the order they came.

        Args:
            action: The action, spelt as on the wire, for example ``"BootNotification"``.
            payload: The request, with the wire's own names; None is ``{}``.
            timeout: Seconds from now until the answer, the wait for its turn included; None is the connection's ``call_timeout``.

        Returns:
            The response, with the wire's own names.

        Raises:
            InvalidPayload: The request is refused before anything was sent, or the response breaks its schema.
            CallError: The other side answered with a CALLERROR.
            CallTimeout: No answer came in time (rule B4).
            NotConnected: There is no link.
            ConnectionClosed: The link was lost meanwhile; the call may or may not have reached the other side.
        """
        return self._call(action, payload, timeout)

    def _call(self, action: str, payload: dict[str, Any] | None, timeout: float | None, *, is_patient: bool = False) -> dict[str, Any]:
        """:meth:`call`; a patient one waits for its turn as long as the link lives, and its time-out counts from there."""
        started = self._clock.monotonic()
        timeout = self._call_timeout if timeout is None else checked_timeout(timeout, "timeout")
        core, link = self._connected()
        request = self._request(core, action, payload, is_send=False)
        waiter = _Waiter(timeout if is_patient else None, started)
        deadline = None if timeout is None or is_patient else started + timeout
        call: OutgoingCall | None = None
        try:
            with self._lock:
                if core is not self._core:
                    raise NotConnected
                try:
                    call = core.call(action, request, waiter)
                except ValueError as error:
                    raise invalid_action(action, str(error), core.version, "type") from None
                self._hand_out(core)
            response = self._await(core, link, call, waiter, deadline, started)
        except BaseException:
            # Also when Ctrl-C comes: the next call must not wait for this one.
            if (reading := self._reading) is not None:
                reading.leave()
            if call is not None:
                self._give_up(core, call)
            raise
        self._check_response(core, link, call, response, deadline)
        return response

    @typed_send
    def send(self, action: str, payload: dict[str, Any] | None = None) -> None:
        """Send a SEND of OCPP 2.1, which is never answered (rule B17).

        Args:
            action: The action: NotifyPeriodicEventStream is the only one there is.
            payload: The message, with the wire's own names; None is ``{}``.

        Raises:
            InvalidPayload: It is refused before anything was sent.
            NotConnected: There is no link.
            ConnectionClosed: The link was lost meanwhile.
        """
        core, link = self._connected()
        request = self._request(core, action, payload, is_send=True)
        with self._lock:
            if core is not self._core:
                raise NotConnected
            try:
                core.send(action, request)
            except ValueError as error:
                raise invalid_action(action, str(error), core.version, "type") from None
            frames = self._hand_out(core)
        for frame in frames:
            if self._watches_frames():
                self._show_frame("out", frame.text)
            self._last_sent = self._clock.monotonic()
            link.send(frame.text)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the link and end its threads; from any thread, a handler's too, any number of times.

        Calls that wait fail at once with ConnectionClosed. The other side has 5 seconds to answer the close frame before the connection
        is cut, and handlers have as long to come to an end. It is not for a signal handler, which interrupts the main thread while that
        may hold a lock: raise an exception there, as Ctrl-C does.

        Args:
            code: The WebSocket close code, 1000 or from 3000 to 4999 or one of those that RFC 6455 lets a program send.
            reason: A short text for the other side; UTF-8 longer than 123 bytes is cut.

        Raises:
            ValueError: The code is none that may be sent.
        """
        if self._is_forked:
            return  # the link is the parent's
        if not (code in _SENDABLE_CODES or 3000 <= code <= 4999):
            raise ValueError(f"{code} is no WebSocket close code that may be sent")
        self.begin_close(code, reason)
        self.finish_close(time.monotonic() + _CLOSE_TIMEOUT)

    def begin_close(self, code: int, reason: str) -> None:
        """For the package: all of closing that waits for nothing."""
        with self._lock:
            link, worker = self._link, self._worker
        self._begin_close(link, worker, code, reason)

    def _begin_close(self, link: Link | None, worker: Worker, code: int, reason: str) -> None:
        if link is not None:
            link.close(code, reason)
            self._end_calls(link, code, reason)
        worker.close()  # a reader that waits for room goes on, too

    def finish_close(self, deadline: float) -> None:
        """For the package: wait for what :meth:`begin_close` has begun, and cut the link at the deadline."""
        with self._lock:
            if self._core is not None:
                return  # that link has ended, and another has come meanwhile
            link, worker = self._link, self._worker
        if self.is_reading:
            if link is not None:
                link.fail(_NORMAL, "")  # it is closed already; this bounds the wait for the other side
            return
        self._before_waiting()
        if link is not None and not self._no_link.wait(remaining(deadline)):
            link.abort()
            self._no_link.wait(_ABORT_TIMEOUT)
        if not worker.join(max(deadline, time.monotonic() + _ABORT_TIMEOUT)):
            _log.warning("%s: a handler still runs after close()", self.identity)

    def wait_closed(self, timeout: float | None = None) -> bool:
        """Wait until there is no link.

        Args:
            timeout: Seconds; None is as long as it takes.

        Returns:
            False if there still is one.
        """
        return self._no_link.wait(timeout)

    def count(self) -> Stats:
        """For the package: a copy of its counters, the open link included."""
        with self._lock:
            stats = self._stats.copy()
            if self._link is not None:
                stats.add_link(self._link)
        return stats

    def durations(self) -> tuple[Durations, Durations]:
        """For the package: of calls, and of handlers; copies."""
        counted = self.count()
        return counted.latency, counted.handling

    @property
    def waiting_requests(self) -> int:
        """For the package: how many requests and events wait for the handlers."""
        return self._worker.waiting

    @property
    def stats(self) -> dict[str, Any]:
        """What it has done so far, in plain values: a copy. See docs/observability.md for each of them."""
        counted = self.count()
        with self._lock:
            core = self._core
            open_calls = 0 if core is None else len(core.open_calls)
            connected_for = None if core is None else self._clock.monotonic() - self._opened
        return {
            "identity": self.identity,
            "version": self.version,
            "connected": core is not None,
            "connected_for": connected_for,
            **counted.as_dict(),
            "open_calls": open_calls,
            "waiting_requests": self.waiting_requests,
        }

    def dump(self, file: TextIO | None = None) -> None:
        """Write down what is going on: the state, the calls and who waits for them, the handlers, the threads with their stacks.

        For the case that something hangs: it waits for nothing, so it may be called from any thread, and in a signal handler.
        What messages hold is not in it.

        Args:
            file: Where to write; None is the standard error.
        """
        from .dump import dump_connection, dump_threads

        dump_connection(self, file)
        dump_threads(file)

    def snapshot(self, patience: float) -> Snapshot:
        """For the package: what it is doing, whoever holds its lock.

        Args:
            patience: Seconds to wait for the lock.
        """
        is_exact = self._lock.acquire(timeout=patience)
        try:
            now, core, reading, worker = self._clock.monotonic(), self._core, self._reading, self._worker
            calls = [] if core is None else core.open_calls
            reader = None if reading is None else reading.turn
            return Snapshot(is_exact, now, self._link, now - self._opened, reader, calls, worker.running(), worker.waiting)
        finally:
            if is_exact:
                self._lock.release()

    def __repr__(self) -> str:
        state = f"connected, OCPP {self.version}" if self.connected else "not connected"
        return f"<{type(self).__name__} {self.identity!r} ({state})>"

    # --- The caller's thread

    def _connected(self) -> tuple[Protocol, Link]:
        self._check_process()
        with self._lock:
            core, link = self._core, self._link
        if core is None or link is None:
            raise NotConnected
        if threading.get_ident() in self._showing:
            raise RuntimeError("a handler of 'frame' must not call: the frame would wait for the answer, and the answer for the frame")
        return core, link

    def _request(self, core: Protocol, action: str, payload: dict[str, Any] | None, *, is_send: bool) -> dict[str, Any]:
        request = {} if payload is None else payload
        self._check_request(core.version, action, request, is_send=is_send)
        return request

    def _check_request(self, version: str, action: str, request: dict[str, Any], *, is_send: bool = False) -> None:
        self._checks.outgoing_request(version, action, request, is_send=is_send)
        if not isinstance(request, dict):
            raise invalid_action(action, "the payload must be a dict", version, "type")

    def _await(
        self, core: Protocol, link: Link, call: OutgoingCall, waiter: _Waiter, deadline: float | None, started: float
    ) -> dict[str, Any]:
        may_read = False
        while waiter.outcome is None:
            with self._lock:
                frame, waiter.frame = waiter.frame, None
                if frame is None and not may_read:
                    event = waiter.event = waiter.event or threading.Event()
                    event.clear()
                if waiter.outcome is not None:
                    break
            if frame is not None and waiter.patience is not None:
                deadline = self._clock.monotonic() + waiter.patience
            is_over = deadline is not None and self._clock.monotonic() >= deadline
            if frame is not None and not (is_over and deadline != started):  # a time-out of 0 sends, and does not wait
                self._transmit(link, frame, deadline)
                may_read = self._reading is not None
                self._before_waiting()
            elif is_over:
                if self._give_up(core, call):
                    # If its turn has come just now, it is too late: nobody would wait for the answer.
                    raise CallTimeout(call.action, call.message_id, self._clock.monotonic() - started, call.sent)
            elif may_read:
                may_read = False
                if (reading := self._reading) is not None:
                    reading.read_until(waiter.is_answered, self._clock.for_system(deadline))
            else:
                self._clock.wait_event(event, deadline, "answer")
        outcome, waiter.outcome = waiter.outcome, None
        if isinstance(outcome, Exception):
            try:
                raise outcome
            finally:
                del outcome  # its traceback refers to this frame, which must not refer to it
        assert outcome is not None
        return outcome

    def _give_up(self, core: Protocol, call: OutgoingCall) -> bool:
        """Stop waiting; false if there is an outcome already."""
        with self._lock:
            gave_up = core.give_up(call)
            self._stats.timeouts += gave_up
            self._hand_out(core)
        return gave_up

    def _check_response(self, core: Protocol, link: Link, call: OutgoingCall, response: dict[str, Any], deadline: float | None) -> None:
        try:
            self._checks.incoming_response(core.version, call.action, response)
        except InvalidPayload as error:
            with self._lock:
                self._stats.invalid += 1
                core.refuse_result(call.message_id, error.code, str(error))
                frames = self._hand_out(core)
            for frame in frames:
                self._transmit(link, frame, deadline)
            raise
