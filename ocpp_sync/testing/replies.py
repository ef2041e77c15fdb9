"""What a test lets the server answer, instead of what a CSMS would."""

from __future__ import annotations

import copy
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import CallError, InvalidPayload
from ..schemas import actions, base_version
from ..validation import validate

if TYPE_CHECKING:
    from ..handlers import Handler
    from ..server_connection import OcppClientConnection

__all__ = ["Replies", "Reply", "check_reply"]

Reply = Mapping[str, Any] | CallError | Callable[[dict[str, Any]], Any]
"""A response; a CallError that is sent instead; or a function that makes one of these from the request."""


class Replies:
    """The handler of an action: it answers as the test says, and when that says nothing (any more), as before.

    Args:
        before: The handler that was there.
    """

    def __init__(self, before: Handler) -> None:
        self.before = before
        self._lock = threading.Lock()
        self._next: deque[Reply] = deque()
        self._always: Reply | None = None

    def set(self, reply: Reply | None) -> None:
        """Answer this to all requests from now on; None is as before."""
        with self._lock:
            self._next.clear()
            self._always = _kept(reply)

    def append(self, replies: Sequence[Reply]) -> None:
        """Answer these to the next requests, one to each, after those that are there already."""
        with self._lock:
            self._next.extend(map(_kept, replies))

    def __call__(self, charge_point: OcppClientConnection, request: dict[str, Any]) -> Any:
        """Answer a request."""
        with self._lock:
            reply = self._next.popleft() if self._next else self._always
        if reply is None:
            return self.before(charge_point, request)
        answer = reply(request) if callable(reply) else reply
        if isinstance(answer, CallError):
            raise answer
        return dict(answer) if isinstance(answer, Mapping) else answer


def _kept(reply: Any) -> Any:
    """A reply that stays as it is, whatever the test does to it afterwards."""
    return copy.deepcopy(dict(reply)) if isinstance(reply, Mapping) else reply


def check_reply(action: str, reply: Any, keys: Sequence[str]) -> None:
    """Check a reply as far as that can be done before there is a request.

    Args:
        action: The action that it is for.
        reply: As given.
        keys: The versions, or the keys of their schemas, in which it may be right.

    Raises:
        TypeError: It is no reply.
        InvalidPayload: It is a payload that is right in none of these versions; the text says what to write instead.
    """
    __tracebackhide__ = True
    if isinstance(reply, CallError) or (callable(reply) and not isinstance(reply, type)):
        return
    if not isinstance(reply, Mapping):
        raise TypeError(f"a reply is a dict, a CallError, a function of the request, or a list of these, not {reply!r}")
    problems: dict[str, InvalidPayload] = {}
    for key in keys:
        try:
            validate(action, dict(reply), version=key, kind="response", hints=True)
        except InvalidPayload as error:
            problems[key] = error
        else:
            return
    nearest = max(problems, key=lambda key: len(_fields(key, action) & reply.keys()))
    problem = problems[nearest]
    message = problem.message if len(keys) == 1 else f"{problem.message} (OCPP {base_version(nearest)})"
    raise InvalidPayload(action, problem.path, problem.keyword, message, problem.code)


def _fields(key: str, action: str) -> set[str]:
    schema = actions(key)[action].response
    return set() if schema is None else set(schema.get("properties", ()))
