"""The steps of a script, put into effect."""

from __future__ import annotations

import itertools
import logging
import queue
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from .. import messages
from ..clock import Clock
from ..default_responses import minimal_response
from ..errors import CallError, ConnectionClosed, InvalidPayload
from ..timestamps import format_time
from ..validation import validate
from .log import Entry, Log, Received
from .steps import Answer, Close, Cut, CutAfter, Delay, Drop, Duplicate, Late, Step
from .timer import Timer

if TYPE_CHECKING:
    from ..transport.link import Link

__all__ = ["Peer", "Responder"]

_log = logging.getLogger("ocpp_sync")

_MAX_DESCRIPTION = 255  # characters; rule B13


class Peer:
    """A connected charge point; the log's lock guards it, but for the link itself.

    Attributes:
        held: The steps that wait for the next request.
        calls: Where the answers to what it was asked go, by message id.
    """

    def __init__(self, identity: str, version: str, number: int, link: Link) -> None:
        self.identity = identity
        self.version = version
        self.number = number
        self.link = link
        self.is_open = True
        self.held: dict[Entry, Step] = {}
        self.calls: dict[str, queue.SimpleQueue[messages.CallResult | messages.CallError | ConnectionClosed]] = {}


class Responder:
    """Answers requests, or does whatever else a step says; from any thread.

    Args:
        log: Where it is noted.
        clock: For times and delays.
        interval: Seconds that a BootNotification is answered with.
    """

    def __init__(self, log: Log, clock: Clock, interval: int) -> None:
        self.interval = interval
        self._log = log
        self._clock = clock
        self._timer = Timer(clock, "csms answer")
        self._transaction_ids = itertools.count(1)

    def close(self) -> None:
        """End the thread of the delays."""
        self._timer.close()

    def take(self, peer: Peer, entry: Entry, step: Step) -> None:
        """Do what a step says; it does not raise."""
        if not peer.is_open:
            self._log.note(entry, "lost")
        elif isinstance(step, Delay):
            self._log.note(entry, "delayed")
            then = step.step
            self._timer.put(step.seconds, lambda: self.take(peer, entry, then))
        elif isinstance(step, Late):
            self._hold(peer, entry, step)
        elif isinstance(step, Drop):
            self._log.note(entry, "dropped")
        elif isinstance(step, Cut):
            self._log.note(entry, "cut")
            peer.link.abort()
        elif isinstance(step, Close):
            self._log.note(entry, "closed")
            peer.link.close(step.code, step.reason)
        else:
            self._answer(peer, entry, step)

    def _hold(self, peer: Peer, entry: Entry, step: Late) -> None:
        with self._log.changed:
            if not peer.is_open:
                self._log.note(entry, "lost")
                return
            peer.held[entry] = step.step
            self._log.note(entry, "held")
        if step.seconds is not None:
            self._timer.put(step.seconds, lambda: self._let_go(peer, entry))

    def release(self, peer: Peer) -> None:
        """Take all steps that are held back."""
        with self._log.changed:
            held = list(peer.held)
        for entry in held:
            self._let_go(peer, entry)

    def _let_go(self, peer: Peer, entry: Entry) -> None:
        with self._log.changed:
            step = peer.held.pop(entry, None)
        if step is not None:  # else somebody else has taken it
            self.take(peer, entry, step)

    def leave(self, peer: Peer) -> None:
        """What is held back is never done: the connection has ended."""
        with self._log.changed:
            peer.is_open = False
            for entry in peer.held:
                self._log.note(entry, "lost")
            peer.held.clear()

    def _answer(self, peer: Peer, entry: Entry, step: Answer | Duplicate | CutAfter | CallError) -> None:
        request = entry.received
        try:
            response = self._response(peer.version, request, step)
            text = _text(request.message_id, response)
        except Exception:
            _log.exception("the script's answer to %s cannot be sent", request.action)
            self._log.note(entry, "failed")
            return
        twice, cuts = isinstance(step, Duplicate), isinstance(step, CutAfter)
        outcome = "answered twice" if twice else "answered, then cut" if cuts else "answered"
        # Before it goes out: whoever has got the answer finds it noted.
        self._log.note(entry, "refused" if isinstance(response, CallError) else outcome, response)
        try:
            for _ in range(2 if twice else 1):
                peer.link.post(text)
        except ConnectionClosed:
            self._log.note(entry, "lost")
        if cuts:
            peer.link.abort()

    def _response(self, version: str, request: Received, step: Answer | Duplicate | CutAfter | CallError) -> dict[str, Any] | CallError:
        if isinstance(step, CallError):
            return step
        if step.payload is not None:
            return dict(step.payload)
        try:
            validate(request.action, request.payload, version=version)
        except InvalidPayload as error:
            return CallError(error.code, str(error)[:_MAX_DESCRIPTION])
        response = minimal_response(version, request.action, format_time(datetime.fromtimestamp(self._clock.time(), timezone.utc)))
        if request.action == "BootNotification":
            response["interval"] = self.interval
        elif request.action == "StartTransaction":
            response["transactionId"] = next(self._transaction_ids)
        return response


def _text(message_id: str, response: dict[str, Any] | CallError) -> str:
    if isinstance(response, CallError):
        return messages.serialise(messages.CallError(message_id, response.code, response.description, response.details))
    return messages.serialise(messages.CallResult(message_id, response))
