"""What a user has registered with ``on()``."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, overload

from .schemas import base_version, senders

__all__ = ["Handler", "Handlers"]

_log = logging.getLogger("ocpp_sync")

Handler = Callable[..., Any]
_H = TypeVar("_H", bound=Handler)


class Handlers:
    """Actions have one handler each, events any number.

    Args:
        events: The names of the life-cycle events, all in lower case.
        versions: The versions, or the keys of their schemas, whose actions can be registered.
        served_side: Who sends the requests that are handled here, ``"CS"`` or ``"CSMS"``.

    Attributes:
        watches_frames: Whether there is a handler of ``frame``.
    """

    def __init__(self, events: Iterable[str], versions: Sequence[str], served_side: str) -> None:
        self._versions = versions
        self._served_side = served_side
        self._events: dict[str, tuple[Handler, ...]] = dict.fromkeys(events, ())
        self._actions: dict[str, Handler] = {}
        self.watches_frames = False
        self._registering = threading.Lock()

    @overload
    def on(self, name: str) -> Callable[[_H], _H]: ...
    @overload
    def on(self, name: str, handler: _H) -> _H: ...
    def on(self, name: str, handler: _H | None = None) -> _H | Callable[[_H], _H]:
        """Register a handler; without one, a decorator that does.

        Raises:
            ValueError: There is no such event, no supported version defines the action, or the other side does not send it.
            TypeError: The handler cannot be called, or there is no name.
        """
        if not isinstance(name, str):
            raise TypeError(f"on() takes the name of an action or event first, not {name!r}")
        self._check(name)

        def register(handler: _H) -> _H:
            if not callable(handler):
                raise TypeError(f"the handler of {name!r} cannot be called: {handler!r}")
            # Replaced as a whole, never changed in place: whoever reads them needs no lock.
            with self._registering:
                if name in self._events:
                    self._events[name] = (*self._events[name], handler)
                    self.watches_frames = bool(self._events.get("frame"))
                else:
                    self._actions[name] = handler
            return handler

        return register if handler is None else register(handler)

    def action(self, name: str) -> Handler | None:
        """The handler of an action, or of ``"*"``."""
        return self._actions.get(name)

    def event(self, name: str) -> tuple[Handler, ...]:
        """The handlers of an event, in the order of their registration."""
        return self._events.get(name, ())

    def emit(self, name: str, *arguments: Any) -> None:
        """Call the handlers of an event; what one of them raises is logged and does not keep the next from running."""
        for handler in self._events.get(name, ()):
            try:
                handler(*arguments)
            except KeyboardInterrupt:
                raise  # that of "frame" may run in the main thread
            except BaseException:
                # SystemExit, asyncio.CancelledError and the like must not end the thread that calls all the others.
                _log.exception("a handler of the event %r failed", name)

    def _check(self, name: str) -> None:
        if name == "*" or name in self._events:
            return
        sides = {action: side for version in reversed(self._versions) for action, side in senders(version).items()}
        if name not in sides:
            import difflib

            from .hints import about_action, about_owners

            kind = "event" if name[:1].islower() else f"action of OCPP {', '.join(map(base_version, self._versions))}"
            near = difflib.get_close_matches(name[:60].lower(), folded := {right.lower(): right for right in [*self._events, *sides]}, 1)
            hint = about_action(name, self._versions)
            if hint is None:
                hint = f"; did you mean {folded[near[0]]!r}?" if near else ""
            raise ValueError(f"{name[:60]!r} is no {kind}{hint}{about_owners(name, self._versions)}")
        if sides[name] not in (self._served_side, "both"):
            sender = {"CS": "charge point", "CSMS": "CSMS"}[sides[name]]
            from .hints import how_to_send

            call = how_to_send(name, self._versions)
            raise ValueError(f"{name!r} is sent by the {sender}: it is not handled, but called, on this side, with {call}")
