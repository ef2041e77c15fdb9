"""The CSMS's end of one link: :class:`OcppClientConnection`."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic
from wsgiref.headers import Headers

from .connection import Connection
from .handlers import Handler, Handlers
from .limits import Limits
from .schemas import STANDARD, VERSIONS
from .throttle import RateLimit
from .typed import VersionT
from .worker import Worker

if TYPE_CHECKING:
    from .protocol import Protocol
    from .reactor import Reactor
    from .transport.link import Closed, Link

__all__ = ["EVENTS", "HandshakeRequest", "OcppClientConnection"]

EVENTS = ("close", "error", "frame")

_POLICY_VIOLATION = 1008


class HandshakeHeaders(Headers):
    """HTTP headers, looked up whatever their case, that do not show themselves: they may hold credentials."""

    def __repr__(self) -> str:
        return f"<{len(self)} headers: {', '.join(self.keys())}>"

    __str__ = __repr__


@dataclass(frozen=True, repr=False)
class HandshakeRequest:
    """The HTTP request of a charge point that wants to connect.

    Attributes:
        path: The path of the URL as it came, percent-encoded identity and all.
        query: The query string of the URL, without the ``?``.
        headers: The HTTP headers; names are looked up whatever their case.
        password: The password of HTTP Basic authentication, raw; None if there is none, or if the user is not the identity.
        peer_certificate: The client's TLS certificate; None without one.
        remote_address: Host and port of the peer.
    """

    path: str
    query: str
    headers: HandshakeHeaders
    password: bytes | None
    peer_certificate: Mapping[str, Any] | None
    remote_address: tuple[str, int]

    def __repr__(self) -> str:
        return f"<HandshakeRequest {self.path!r} from {self.remote_address[0]}:{self.remote_address[1]}>"


class OcppClientConnection(Connection, Generic[VersionT]):
    """A server's connection to one charge point.

    Its own handlers come before those of the server; they are called without the connection: ``handler(request)``.

    Attributes:
        request: The HTTP request that opened it.
        link_number: For the package: no other connection of the process has it.
    """

    _side = "CSMS"
    _link_numbers = itertools.count(1)
    _versions = VERSIONS

    def __init__(
        self,
        identity: str,
        request: HandshakeRequest,
        server_handlers: Handlers,
        ended: Callable[[OcppClientConnection], None],
        done: Callable[[OcppClientConnection], None],
        *,
        limits: Limits,
        reactor: Reactor | None,
        keys: Mapping[str, str] = STANDARD,
        **options: Any,
    ) -> None:
        self._reactor = reactor
        handlers = Handlers(EVENTS, tuple(keys.values()), "CS")
        super().__init__(identity, handlers, max_unreadable=limits.max_bad_messages, keys=keys, **options)
        self.request = request
        self.link_number = next(self._link_numbers)
        self._server_handlers = server_handlers
        self._ended = ended
        self._done = done
        self._limits = limits
        self._rate = None if limits.max_message_rate is None else RateLimit(limits.max_message_rate)
        self.thread = threading.current_thread()  # of its request

    def _find_handler(self, action: str) -> Handler | None:
        own, shared = self._handlers, self._server_handlers
        if (handler := own.action(action)) is not None:
            return handler
        if (handler := shared.action(action)) is not None:
            return partial(handler, self)
        if (handler := own.action("*")) is not None:
            return partial(handler, action)
        if (handler := shared.action("*")) is not None:
            return partial(handler, self, action)
        return None

    def _watches_frames(self) -> bool:
        return self._handlers.watches_frames or self._server_handlers.watches_frames

    def _has_handler(self, event: str) -> bool:
        return super()._has_handler(event) or bool(self._server_handlers.event(event))

    def _emit(self, event: str, *arguments: Any) -> None:
        super()._emit(event, *arguments)
        self._server_handlers.emit(event, self, *arguments)

    def attach(self, link: Link, version: str) -> None:
        """For the server: its link has opened."""
        if self._limits.first_message_timeout is not None:
            link.expect_message(self._limits.first_message_timeout)
        super().attach(link, version)

    def welcome(self) -> None:
        """For the server: it can be found now."""
        self._put_event("connection")

    def serve(self) -> None:
        """For the server, in the thread of a WSGI server's request: live as long as the link does."""
        thread = threading.current_thread()
        name, thread.name = thread.name, f"ocpp-rx {self.identity}"
        try:
            self._read()
        finally:
            # A connection counts, and is waited for, as long as a handler of it runs.
            self._end_worker()
            self._worker.join()
            thread.name = name  # it may be one of a pool

    # --- For the reactor

    def when_room(self, room_again: Callable[[], None]) -> None:
        """What is called when there is room again after :meth:`is_full`."""
        self._worker.room_again = room_again

    def is_full(self) -> bool:
        """Whether so much is waiting for the handlers that no more should be read."""
        return self._worker.is_full()

    def end(self, closed: Closed | None) -> None:
        """The link has ended."""
        self.detach(closed)
        self._end_worker()
        self._worker.room_again = None

    def _end_worker(self) -> None:
        self._worker.ended = partial(self._done, self)
        self._worker.close()

    def _before_waiting(self) -> None:
        if self._reactor is not None:
            self._reactor.step_down()

    def _new_worker(self) -> Worker:
        return Worker(f"ocpp-handler {self.identity}", None if self._reactor is None else self._reactor.start)

    @property
    def is_handling(self) -> bool:
        """For the server: whether the calling thread is that of a handler of this connection."""
        return self._worker.is_current

    def detach(self, closed: Closed | None) -> None:
        """For the package: the link has ended."""
        # Before the event of its end: a handler of that finds the server without it.
        self._ended(self)
        super().detach(closed)

    def _receive(self, core: Protocol, link: Link, text: str) -> bool:
        if self._rate is not None and not self._rate.take():
            link.fail(_POLICY_VIOLATION, f"more than {self._limits.max_message_rate:g} messages a second")
            return True
        return super()._receive(core, link, text)

    def replace(self) -> None:
        """For the server: a newer connection of the charge point has come (rule A9)."""
        self.begin_close(_POLICY_VIOLATION, "replaced by a newer connection of this identity")
        if (link := self._link) is not None:
            link.abort()
