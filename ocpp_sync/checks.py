"""The checks of one side: which actions it may send and serve, and what its validation policy makes of a payload."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from .acceptance import acceptor
from .errors import CallError, InvalidPayload
from .schemas import STANDARD, Action, actions
from .validation import ValidationPolicy, invalid_action, validate

__all__ = ["SIDES", "Checks"]

_log = logging.getLogger("ocpp_sync")

SIDES = {"CS": "charge point", "CSMS": "CSMS"}

_Accepting = dict[tuple[str, str, str], Callable[[Any], bool]]

_accepting: dict[tuple[str, ...], _Accepting] = {}
"""Of each message that was found to be right where it is: what says yes to its payloads that are. By side and the keys of the versions;
then by way, version and action."""


class Checks:
    """What goes out and comes in, held against the schemas.

    Args:
        side: What this side is, ``"CS"`` or ``"CSMS"``.
        policy: What becomes of an invalid payload.
        identity: Of the charge point, for the log.
        keys: Of each version the key of its schemas, see :func:`~ocpp_sync.schemas.overlaid`.
    """

    def __init__(self, side: str, policy: ValidationPolicy, identity: str, keys: Mapping[str, str] = STANDARD) -> None:
        self._side = side
        self._policy = policy
        self._identity = identity
        self._keys = keys
        self._accepting = _accepting.setdefault((side, *keys.values()), {})

    def key(self, version: str) -> str:
        """The key of a version's schemas."""
        return self._keys[version]

    def outgoing_request(self, version: str, action: str, payload: Any, *, is_send: bool) -> None:
        """Check what the program wants to send.

        Raises:
            InvalidPayload: It is refused.
        """
        way = "SEND out" if is_send else "CALL out"
        if self._is_surely_right(way, version, action, payload):
            return
        mode = self._policy.mode("out", action)
        if mode == "off":
            return
        try:
            self._check_use(version, action, is_send=is_send)
            self._found_right(way, version, action, "request")
            validate(action, payload, version=self._keys[version], hints=True)
        except InvalidPayload as error:
            if mode == "strict":
                raise
            _log.warning("%s: sent although invalid: %s", self._identity, error)

    def incoming_response(self, version: str, action: str, payload: Any) -> None:
        """Check what the other side answered.

        Raises:
            InvalidPayload: It is refused.
        """
        self._response(version, action, payload, "in", "delivered")

    def incoming_request(self, version: str, action: str, payload: Any, *, is_send: bool, is_handled: bool) -> None:
        """Check what the other side wants.

        Args:
            version: The negotiated version.
            action: The action.
            payload: The request.
            is_send: Whether it came as SEND.
            is_handled: Whether there is a handler for it.

        Raises:
            CallError: It is refused, with the code for the other side (rules B8, B12).
        """
        way = "SEND in" if is_send else "CALL in"
        if is_handled and self._is_surely_right(way, version, action, payload):
            return
        mode = self._policy.mode("in", action)
        entry = actions(self._keys[version]).get(action)
        if entry is None and not (is_handled and mode == "off"):
            raise CallError("NotImplemented", f"{action[:60]} is no action of OCPP {version}")
        if not is_handled:
            raise CallError("NotSupported", f"{action[:60]} is not supported here")
        if entry is None or mode == "off":
            return
        if entry.sent_by == self._side:
            raise CallError("NotSupported", f"{action} is sent by the {SIDES[self._side]}, not to it")
        if entry.is_send != is_send:
            raise CallError("ProtocolError", f"{action} is a {_kind(entry)}")
        self._found_right(way, version, action, "request")
        try:
            validate(action, payload, version=self._keys[version])
        except InvalidPayload as error:
            if mode == "strict":
                raise CallError(error.code, f"{error.path}: {error.message}" if error.path else error.message) from error
            _log.warning("%s: delivered although invalid: %s", self._identity, error)

    def outgoing_response(self, version: str, action: str, payload: Any) -> None:
        """Check what a handler answers.

        Raises:
            InvalidPayload: It is refused.
        """
        self._response(version, action, payload, "out", "sent")

    def _response(self, version: str, action: str, payload: Any, direction: str, done: str) -> None:
        way = f"CALLRESULT {direction}"
        if self._is_surely_right(way, version, action, payload):
            return
        mode = self._policy.mode(direction, action)
        entry = actions(self._keys[version]).get(action)
        # Without a schema there is nothing to hold it against: the request was allowed to go out, or was served, all the same.
        if mode == "off" or entry is None or entry.response is None:
            return
        self._found_right(way, version, action, "response")
        try:
            validate(action, payload, version=self._keys[version], kind="response", hints=direction == "out")
        except InvalidPayload as error:
            if mode == "strict":
                raise
            _log.warning("%s: %s although invalid: response to %s", self._identity, done, error)

    def _is_surely_right(self, way: str, version: str, action: str, payload: Any) -> bool:
        accept = self._accepting.get((way, version, action))
        return accept is not None and accept(payload)

    def _found_right(self, way: str, version: str, action: str, kind: str) -> None:
        if action in actions(key := self._keys[version]):
            self._accepting[way, version, action] = acceptor(key, action, kind)

    def _check_use(self, version: str, action: str, *, is_send: bool) -> None:
        entry = actions(self._keys[version]).get(action)
        if entry is None:
            return  # validate() says what may have been meant
        if entry.sent_by not in (self._side, "both"):
            raise invalid_action(action, f"it is not sent by the {SIDES[self._side]}, but to it: handle it with on({action!r}, …)", version)
        if entry.is_send and not is_send:
            raise invalid_action(action, "it goes out as SEND, which is never answered: use send(), not call()", version)
        if is_send and not entry.is_send:
            raise invalid_action(action, "it goes out as CALL, which is answered: use call(), not send()", version)


def _kind(entry: Action) -> str:
    return "SEND, which is never answered" if entry.is_send else "CALL, which is answered"
