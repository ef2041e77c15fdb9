"""One request and its handler: what a user's function makes of it becomes exactly one answer (rule B5)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import GeneratorType
from typing import Any

from .checks import Checks
from .errors import CallError
from .handlers import Handler
from .messages import Call, Send, printable

__all__ = ["Reply", "run_handler"]

_log = logging.getLogger("ocpp_sync")


class Reply:
    """What a handler has answered, and what is left of it when it is a generator.

    Attributes:
        answer: The response, or the error to answer with.
    """

    def __init__(self, action: str, answer: dict[str, Any] | CallError, rest: GeneratorType[Any, Any, Any] | None = None) -> None:
        self.answer = answer
        self._action = printable(action)
        self._rest = rest

    def go_on(self, step_aside: Callable[[], None]) -> None:
        """Run the rest, now that the answer has gone out.

        Args:
            step_aside: Called before, if there is a rest: the next request need not wait for it.
        """
        if self._rest is None:
            return
        step_aside()
        try:
            next(self._rest)
        except StopIteration:
            return
        except BaseException:
            _log.exception("the handler of %s failed after its reply", self._action)
        else:
            _log.error("the handler of %s yields more than once; only the first is the reply", self._action)
            self.drop()

    def drop(self) -> None:
        """Do not run the rest: the answer has not gone out."""
        if self._rest is not None:
            try:
                self._rest.close()
            except BaseException:
                _log.exception("the handler of %s failed when it was ended", self._action)


def run_handler(handler: Handler | None, request: Call | Send, version: str, checks: Checks) -> Reply:
    """Check a request, run its handler as far as its reply, and check that.

    Args:
        handler: Called with the payload; None if there is none.
        request: What came in.
        version: The negotiated version.
        checks: This side's.
    """
    action, is_send = request.action, isinstance(request, Send)
    rest: GeneratorType[Any, Any, Any] | None = None
    try:
        checks.incoming_request(version, action, request.payload, is_send=is_send, is_handled=handler is not None)
        assert handler is not None
        result = handler(request.payload)
        if isinstance(result, GeneratorType):
            rest = result
            try:
                result = next(rest)
            except StopIteration as end:
                rest, result = None, end.value
        reply = {} if result is None else result
        if not isinstance(reply, dict):
            raise TypeError(f"the handler of {printable(action)} must return a dict or None, not {type(reply).__name__}")
        if not is_send:
            checks.outgoing_response(version, action, reply)
    except BaseException as error:
        # Whatever it is, SystemExit or asyncio.CancelledError too: there must be an answer, and the thread must serve the next request.
        if not isinstance(error, CallError):
            # The text of an exception of ours is no business of the other side.
            _log.exception("the handler of %s failed", printable(action))
        # Without its traceback, which refers to this frame and so to itself: the memory is free at once.
        answer = error.with_traceback(None) if isinstance(error, CallError) else CallError("InternalError")
        Reply(action, answer, rest).drop()
        return Reply(action, answer)
    return Reply(action, reply, rest)
