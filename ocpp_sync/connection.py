"""What both ends of a link share: the protocol core, its lock, the calls that wait, and the handlers that answer.

Three kinds of threads meet here. Any number of **callers** wait in :meth:`Connection.call`, each on an event of its own. The
**reader** of the link, one at a time, resolves them and passes requests on; it stops reading when requests pile up. The **worker** runs the
handlers. The lock guards the core's state alone: no one holds it while writing to a socket, running user code, or waiting.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from . import messages
from .checks import Checks
from .clock import SYSTEM_CLOCK, Clock
from .deadlines import checked_timeout, remaining
from .dispatch import run_handler
from .errors import CallError, CallTimeout, ConnectionClosed, InvalidPayload, NotConnected
from .handlers import Handler, Handlers
from .protocol import MAX_UNREADABLE, Answer, Event, Fault, Frame, GiveUp, OutgoingCall, Protocol, Stray
from .reading import Reading
from .redaction import redact
from .schemas import STANDARD
from .typed import typed_api, typed_call, typed_on, typed_send
from .validation import ValidationPolicy, invalid_action
from .worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from .api import Actions, Api
    from .transport.link import Closed, Link

__all__ = ["DEFAULT_MAX_MESSAGE_SIZE", "Connection", "checked_size"]

_log = logging.getLogger("ocpp_sync")

DEFAULT_MAX_MESSAGE_SIZE = 1024 * 1024

_CLOSE_TIMEOUT = 5.0  # seconds for the other side to answer a close frame, and for handlers to come to an end
_ABORT_TIMEOUT = 1.0  # seconds for the reader to see that the link was cut
_SENDABLE_CODES = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014}  # RFC 6455, 7.4, and its registry
_NORMAL, _PROTOCOL_ERROR, _TOO_BIG, _ABNORMAL = 1000, 1002, 1009, 1006

_MAX_COMPLAINTS = 50  # warnings in the log about what came by one link

_generation = 0  # of this process: how many forks have led to it


def _forked() -> None:
    global _generation
    _generation += 1


os.register_at_fork(after_in_child=_forked)


def checked_size(size: int) -> int:
    """A ``max_message_size``.

    Raises:
        ValueError: It is below one byte, or no number.
    """
    if not size >= 1:
        raise ValueError(f"max_message_size is a number of bytes, not {size}")
    return size


def _ignore(text: str) -> bool:
    return True


class _Waiter:
    """A caller that waits. The core's lock guards it, but for the event itself."""

    __slots__ = ("event", "frame", "outcome", "patience")

    def __init__(self, patience: float | None) -> None:
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


class Connection:
    """One side of OCPP-J, with or without a link at the moment; the base of client and server connection.

    Attributes:
        identity: The identity of the charge point.
    """

    # What this side is, "CS" or "CSMS", and the versions that it may speak, the preferred one first; a subclass says.
    _side: str
    _versions: Sequence[str]

    def __init__(
        self,
        identity: str,
        handlers: Handlers,
        *,
        call_timeout: float | None,
        validation: str | Mapping[str, str] | ValidationPolicy,
        max_message_size: int,
        redact: bool,
        ping_interval: float | None,
        pong_timeout: float,
        max_unreadable: int = MAX_UNREADABLE,
        keys: Mapping[str, str] = STANDARD,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.identity = identity
        self._handlers = handlers
        self._call_timeout = checked_timeout(call_timeout, "call_timeout")
        policy = validation if isinstance(validation, ValidationPolicy) else ValidationPolicy(validation, keys.values())
        self._checks = Checks(self._side, policy, identity, keys)
        self._max_message_size = checked_size(max_message_size)
        self._redact = redact
        self._max_unreadable = max_unreadable
        self._ping_interval = checked_timeout(ping_interval, "ping_interval")
        self._pong_timeout = checked_timeout(pong_timeout, "pong_timeout")
        self._clock = clock
        self._generation = _generation
        self._lock = threading.Lock()
        self._core: Protocol | None = None
        self._link: Link | None = None
        self._stepping = 0  # the thread that is in a step of reading
        self._reading: Reading | None = None  # if callers may read, too
        self._worker = self._new_worker()
        self._showing: set[int] = set()  # the threads that are in a handler of "frame"
        self._no_link = threading.Event()
        self._no_link.set()
        self._last_version: str | None = None
        self._complaints = 0  # about the other side, since the link opened
        self._receiver: Callable[[str], bool] = _ignore
        self._last_sent = clock.monotonic()

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
        waiter = _Waiter(timeout if is_patient else None)
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

    def __repr__(self) -> str:
        state = f"connected, OCPP {self.version}" if self.connected else "not connected"
        return f"<{type(self).__name__} {self.identity!r} ({state})>"

    # --- The caller's thread

    @property
    def _is_forked(self) -> bool:
        # Threads do not survive a fork, and the link belongs to the process that has them.
        return self._generation != _generation

    def _check_process(self) -> None:
        if self._is_forked:
            raise RuntimeError(f"{self!r} belongs to another process: after a fork the new process needs one of its own")

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
        has_waited, may_read = False, False
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
            if frame is not None and not (is_over and has_waited):
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
                has_waited = True
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
            self._hand_out(core)
        return gave_up

    def _hand_out(self, core: Protocol) -> list[Frame]:
        """What is to be sent now; the lock is held. A CALL is left to its own caller, who has the time for it, and the time-out."""
        frames = []
        for frame in core.take_outgoing():
            if frame.call is None:
                frames.append(frame)
            else:
                waiter = frame.call.waiter
                waiter.frame = frame
                waiter.wake()
        return frames

    def _check_response(self, core: Protocol, link: Link, call: OutgoingCall, response: dict[str, Any], deadline: float | None) -> None:
        try:
            self._checks.incoming_response(core.version, call.action, response)
        except InvalidPayload as error:
            with self._lock:
                core.refuse_result(call.message_id, error.code, str(error))
                frames = self._hand_out(core)
            for frame in frames:
                self._transmit(link, frame, deadline)
            raise

    def _transmit(self, link: Link, frame: Frame, deadline: float | None) -> bool:
        """Send one frame, and wait for the network if need be; false if it could not. A link that breaks here is the reader's business."""
        if self._watches_frames():
            self._show_frame("out", frame.text)
        self._last_sent = self._clock.monotonic()
        try:
            sent = link.send(frame.text, self._clock.for_system(deadline))
        except ConnectionClosed:
            return False
        if frame.call is not None:
            frame.call.sent = sent
        return sent

    # --- The reader

    def attach(self, link: Link, version: str) -> None:
        """For the package: a link has opened. :meth:`_read` or :meth:`step` come next, in the reader's thread."""
        if self._ping_interval and self._pong_timeout is not None:
            link.keep_alive(self._ping_interval, self._pong_timeout)
        link.name = f"ocpp-rx {self.identity}"
        core = Protocol(version, short_decimals=self._side == "CSMS", max_unreadable=self._max_unreadable)
        with self._lock:
            self._last_version = version
            self._core, self._link = core, link
            self._receiver = lambda text: self._receive(core, link, text)
            self._no_link.clear()
            self._complaints = 0
            if self._worker.closed:
                self._worker = self._new_worker()

    def _read(self) -> None:
        """Read the link until it ends."""
        link = self._link
        assert link is not None
        closed: Closed | None = None
        self._reading = Reading(link, self.step, self._worker)
        try:
            closed = self._reading.run()
        finally:
            self._reading = None
            self.detach(closed)

    def step(self) -> Closed | None:
        """For the package: read what has come, without waiting; returns how the link ended once it has, and :meth:`detach` is next."""
        link = self._link
        assert link is not None
        self._stepping = threading.get_ident()
        try:
            return link.step(self._receiver)
        finally:
            self._stepping = 0

    def detach(self, closed: Closed | None) -> None:
        """For the package: the link has ended; None if its reader failed."""
        code, reason = closed or (_ABNORMAL, "the reader failed")
        if self._link is not None:
            self._link.end()
        self._end_calls(self._link, code, reason)
        with self._lock:
            self._link = None
            self._receiver = _ignore  # it refers to this object, which need not wait for the garbage collection
        self._put_event("close", code, reason)
        self._no_link.set()

    def _end_calls(self, link: Link | None, code: int, reason: str) -> None:
        with self._lock:
            if link is not self._link:
                return
            core, self._core = self._core, None
            for call in core.close() if core is not None else ():
                self._resolve(call, ConnectionClosed(code, reason))

    def _resolve(self, call: OutgoingCall, outcome: dict[str, Any] | Exception) -> None:
        call.waiter.outcome = outcome
        call.waiter.wake()

    def _receive(self, core: Protocol, link: Link, text: str) -> bool:
        """Take a message; false if that is enough for now."""
        if len(text) > self._max_message_size or (not text.isascii() and len(text.encode()) > self._max_message_size):
            link.fail(_TOO_BIG, "the message is too big")
            return True
        if self._watches_frames():
            self._show_frame("in", text)
        message = core.decode(text)
        with self._lock:
            events = core.receive(message)
            frames = self._hand_out(core) if core.has_outgoing else ()
        for frame in frames:
            self._post(link, frame)
        for event in events:
            self._take_event(core, link, event, len(text))
        return not self._worker.is_full()

    def _post(self, link: Link, frame: Frame) -> None:
        """Send one frame without waiting for anything."""
        if self._watches_frames():
            self._show_frame("out", frame.text)
        self._last_sent = self._clock.monotonic()
        try:
            link.post(frame.text)
        except ConnectionClosed:
            pass

    def _take_event(self, core: Protocol, link: Link, event: Event, size: int) -> None:
        if isinstance(event, Answer):
            with self._lock:
                self._resolve(event.call, event.outcome)
            if (reading := self._reading) is not None:
                reading.has_answered = True
        elif isinstance(event, (messages.Call, messages.Send)):
            self._worker.put(partial(self._serve, core, link, event), size, event.action)
        elif isinstance(event, Stray):
            self._complain(str(event))
        elif isinstance(event, Fault):
            self._complain(f"a message that is none: {event.error}")
            self._put_event("error", event.error, cost=size)
        elif isinstance(event, GiveUp):
            link.fail(_PROTOCOL_ERROR, event.reason)

    def _complain(self, what: str) -> None:
        # A flood of nonsense must not become a flood of log lines.
        self._complaints += 1
        level = logging.WARNING if self._complaints <= _MAX_COMPLAINTS else logging.DEBUG
        more = "; further ones are logged as DEBUG" if self._complaints == _MAX_COMPLAINTS else ""
        _log.log(level, "%s: %s%s", self.identity, what, more)

    def _watches_frames(self) -> bool:
        return self._handlers.watches_frames

    def _show_frame(self, direction: str, text: str) -> None:
        try:
            self._showing.add(threading.get_ident())
            self._emit("frame", direction, redact(text) if self._redact else text)
        finally:
            self._showing.discard(threading.get_ident())

    # --- The worker's thread

    def _serve(self, core: Protocol, link: Link, request: messages.Call | messages.Send) -> None:
        """Handle one request, and answer it if it is a CALL."""
        if isinstance(request, messages.Call) and core is not self._core:
            _log.info("%s: %.60r was not handled: the link it came by has gone", self.identity, request.action)
            return
        reply = run_handler(self._find_handler(request.action), request, core.version, self._checks)
        answered = self._answer(core, link, request, reply.answer)
        if answered:
            self._request_answered(request, reply.answer)
            reply.go_on(self._worker.step_aside)
        else:
            reply.drop()

    def _answer(self, core: Protocol, link: Link, request: messages.Call | messages.Send, answer: dict[str, Any] | CallError) -> bool:
        """Send an answer; false if something else, or nothing, has gone out."""
        if isinstance(request, messages.Send):
            if isinstance(answer, CallError):
                _log.warning("%s: a SEND was not handled: %s", self.identity, answer)
            return True
        with self._lock:
            try:
                if isinstance(answer, CallError):
                    answered = core.reply_error(request.message_id, answer)
                else:
                    answered = core.reply(request.message_id, answer)
            except ValueError as error:
                _log.error("%s: the answer to %s cannot be sent: %s", self.identity, request.action, error)
                core.reply_error(request.message_id, CallError("InternalError"))
                answered = False
            frames = self._hand_out(core)
        for frame in frames:
            answered = self._transmit(link, frame, None) and answered
        return answered

    def _request_answered(self, request: messages.Call | messages.Send, answer: dict[str, Any] | CallError) -> None:
        """The answer to a request has gone out; a generator's rest comes next."""

    @property
    def is_reading(self) -> bool:
        """For the package: whether the calling thread is in a step of reading: in a handler of ``frame``."""
        return self._stepping == threading.get_ident()

    def _before_waiting(self) -> None:
        """This thread is about to wait for the other side."""

    def _new_worker(self) -> Worker:
        return Worker(f"ocpp-handler {self.identity}")

    # --- Handlers and events

    def _find_handler(self, action: str) -> Handler | None:
        """The handler of an action, to be called with the request."""
        if (handler := self._handlers.action(action)) is not None:
            return handler
        if (handler := self._handlers.action("*")) is not None:
            return partial(handler, action)
        return None

    def _has_handler(self, event: str) -> bool:
        return bool(self._handlers.event(event))

    def _emit(self, event: str, *arguments: Any) -> None:
        self._handlers.emit(event, *arguments)

    def _put_event(self, event: str, *arguments: Any, cost: int = 0) -> None:
        if self._has_handler(event):
            self._worker.put(partial(self._emit, event, *arguments), cost, event)
