"""One end of OCPP-J, with or without a link at the moment: what comes in, and what goes out in answer to it.

Three kinds of threads meet here. Any number of **callers** wait in ``Connection.call``, each on an event of its own. The **reader** of
the link, one at a time, resolves them and passes requests on; it stops reading when requests pile up. The **worker** runs the handlers. The
lock guards the core's state alone: no one holds it while writing to a socket, running user code, or waiting.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from . import messages
from .checks import Checks
from .clock import SYSTEM_CLOCK, Clock
from .deadlines import checked_timeout
from .dispatch import run_handler
from .errors import CallError, ConnectionClosed
from .handlers import Handler, Handlers
from .protocol import MAX_UNREADABLE, Answer, Event, Fault, Frame, GiveUp, OutgoingCall, Protocol, Stray
from .reading import Reading
from .redaction import redact
from .schemas import STANDARD
from .stats import Stats
from .validation import ValidationPolicy
from .worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from .transport.link import Closed, Link

__all__ = ["DEFAULT_MAX_MESSAGE_SIZE", "Endpoint", "checked_size"]

_log = logging.getLogger("ocpp_sync")

DEFAULT_MAX_MESSAGE_SIZE = 1024 * 1024

_PROTOCOL_ERROR, _TOO_BIG, _ABNORMAL = 1002, 1009, 1006

_MAX_COMPLAINTS = 50  # warnings in the log about what came by one link

make_ids: Callable[[str, str], Callable[[], str]] | None = None
"""Asked by each link, with its side and identity, for what makes the ids of its messages; None is fresh UUIDs. It is for tests alone."""

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


class Endpoint:
    """The core, its lock, the link, the handlers and the thread that these run on; the base of :class:`~ocpp_sync.connection.Connection`.

    Who reads is not decided here: :meth:`step` is for whoever does.
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
        slow_handler: float | None,
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
        self._slow_handler = checked_timeout(slow_handler, "slow_handler")
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
        self._last_sent = self._opened = clock.monotonic()
        self._stats = Stats()

    # --- The process

    @property
    def _is_forked(self) -> bool:
        # Threads do not survive a fork, and the link belongs to the process that has them.
        return self._generation != _generation

    def _check_process(self) -> None:
        if self._is_forked:
            raise RuntimeError(f"{self!r} belongs to another process: after a fork the new process needs one of its own")

    # --- What goes out

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

    def _transmit(self, link: Link, frame: Frame, deadline: float | None) -> bool:
        """Send one frame, and wait for the network if need be; false if it could not. A link that breaks here is the reader's business."""
        if self._watches_frames():
            self._show_frame("out", frame.text)
        self._last_sent = now = self._clock.monotonic()
        if frame.call is not None:
            frame.call.sent_at = now
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
        new_id = None if make_ids is None else make_ids(self._side, self.identity)
        core = Protocol(version, short_decimals=self._side == "CSMS", new_id=new_id, max_unreadable=self._max_unreadable)
        with self._lock:
            self._last_version = version
            self._opened = self._clock.monotonic()
            self._stats.links += 1
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
            if self._worker.has_running and self._slow_handler is not None:
                self._worker.complain(self._slow_handler)

    def detach(self, closed: Closed | None) -> None:
        """For the package: the link has ended; None if its reader failed."""
        code, reason = closed or (_ABNORMAL, "the reader failed")
        if self._link is not None:
            self._link.end()
        self._end_calls(self._link, code, reason)
        with self._lock:
            if self._link is not None:
                self._stats.add_link(self._link)
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
                self._stats.lost += 1
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
            now = self._clock.monotonic()
            with self._lock:
                self._stats.count_answer(event.outcome, now - event.call.sent_at)
                self._resolve(event.call, event.outcome)
            if (reading := self._reading) is not None:
                reading.has_answered = True
        elif isinstance(event, (messages.Call, messages.Send)):
            self._worker.put(partial(self._serve, core, link, event), size, event.action)
        elif isinstance(event, Stray):
            self._stats.strays += 1
            self._complain(str(event))
        elif isinstance(event, Fault):
            self._stats.malformed += 1
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
        started = self._clock.monotonic()
        reply = run_handler(self._find_handler(request.action), request, core.version, self._checks)
        seconds = self._clock.monotonic() - started
        if self._slow_handler is not None and seconds > self._slow_handler:
            _log.warning("%s: the handler of %s took %.1f s", self.identity, messages.printable(request.action), seconds)
        answered = self._answer(core, link, request, reply.answer, seconds)
        if answered:
            self._request_answered(request, reply.answer)
            reply.go_on(self._worker.step_aside)
        else:
            reply.drop()

    def _answer(
        self, core: Protocol, link: Link, request: messages.Call | messages.Send, answer: dict[str, Any] | CallError, seconds: float = 0.0
    ) -> bool:
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
            if answered:
                self._stats.count_request(answer, seconds)
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
