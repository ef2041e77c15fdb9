"""Holds each frame of a recording against the rules of OCPP-J and the schemas."""

from __future__ import annotations

import difflib
import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from ocpp_sync.checks import SIDES
from ocpp_sync.errors import InvalidPayload, spell_code
from ocpp_sync.messages import Call, CallError, CallResult, CallResultError, Send
from ocpp_sync.protocol import DIALECTS, UNREADABLE_ID
from ocpp_sync.redaction import MASK
from ocpp_sync.schemas import STANDARD, VERSIONS, Action, actions, definitions
from ocpp_sync.validation import validate

from .frames import Frame, other_side
from .masked import without_masks
from .pairing import Exchange, Pairing

__all__ = ["Checker", "Finding", "best_version"]

# Rules B10 and B11.
_BASIC_CODES = {"NotImplemented", "NotSupported", "InternalError", "ProtocolError", "SecurityError", "PropertyConstraintViolation"}
_BASIC_CODES |= {"TypeConstraintViolation", "GenericError"}
_CODES_16 = sorted(_BASIC_CODES | {"FormationViolation", "OccurenceConstraintViolation"})
_CODES_2X = sorted(_BASIC_CODES | {"FormatViolation", "OccurrenceConstraintViolation", "MessageTypeNotSupported", "RpcFrameworkError"})
_CODES = {"1.6": _CODES_16, "2.0.1": _CODES_2X, "2.1": _CODES_2X}

_MAX_IDS = 50_000  # of one sender, that are remembered
_SHORTEST_TIMEOUT = timedelta(seconds=5)  # nobody gives a call up earlier, so two that begin within it are open at once
_ALL_MASKED = f"{MASK} ("
_SHOWN_ID = 40  # characters


class Finding(NamedTuple):
    """Something that is wrong with a frame.

    Attributes:
        frame: The frame.
        about: What it is, such as ``"BootNotification request"``.
        path: The field; empty if it is about the whole.
        message: What is wrong, for people.
        rule: What it breaks: a keyword of JSON schema, or one of ``message``, ``id``, ``order``, ``direction``, ``answer``, ``code``.
    """

    frame: Frame
    about: str
    path: str
    message: str
    rule: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.about, self.path, self.message) if part)


class Checker:
    """Checks the frames of a file, one after the other.

    Args:
        keys: Of each version the key of its schemas, see :func:`~ocpp_sync.schemas.overlaid`.
        hints: Whether a finding says what to write instead.

    Attributes:
        masked: How many frames were masked as a whole, and not judged.
    """

    def __init__(self, keys: Mapping[str, str] = STANDARD, *, hints: bool = True) -> None:
        self._keys = keys
        self._hints = hints
        self._pairing = Pairing()
        self._talks: dict[tuple[str, str | None], _Talk] = {}
        self.masked = 0

    def check(self, frame: Frame, version: str) -> list[Finding]:
        """What is wrong with the next frame.

        Args:
            frame: The frame.
            version: The version of OCPP that it is held against.
        """
        talk = self._talks.setdefault((frame.identity, frame.side), _Talk())
        if frame.link != talk.link:
            talk.link = frame.link
            talk.last_calls.clear()  # they are over, answered or not
        if frame.text.startswith(_ALL_MASKED):
            self.masked += 1
            talk.last_calls.clear()  # it may have been an answer
            return []
        exchange, begins = self._pairing.take(frame, DIALECTS[version].kinds)
        if not begins:
            return [*talk.answered(exchange), *self._check_answer(exchange, frame, version)]
        message = exchange.message
        if message is None:
            return [Finding(frame, "", "", str(exchange.malformed), "message")]
        if isinstance(message, (Call, Send)):
            return [*talk.asked(exchange, message, version), *self._check_request(frame, message, exchange.sender, version)]
        return self._check_stray(exchange, message, version)

    def _check_request(self, frame: Frame, message: Call | Send, sender: str | None, version: str) -> list[Finding]:
        key = self._keys[version]
        about = f"{message.action} request"
        entry = actions(key).get(message.action)
        findings = [Finding(frame, about, "", text, "message") for text in _null_payload(frame, message.payload)]
        if entry is not None:
            findings += [Finding(frame, about, "", text, "direction") for text in _wrong_use(entry, sender, message)]
        payload = message.payload
        if entry is not None and MASK in frame.text:
            payload = without_masks(payload, entry.request, definitions(key))
        return findings + self._judge(frame, about, message.action, payload, key, "request")

    def _check_answer(self, exchange: Exchange, frame: Frame, version: str) -> list[Finding]:
        key = self._keys[version]
        action = exchange.action or ""
        about = f"{action} response"
        if exchange.malformed_answer is not None:
            return [Finding(frame, about, "", str(exchange.malformed_answer), "message")]
        if isinstance(exchange.reply, CallError):
            return _check_error(frame, f"{action} CALLERROR", exchange.reply, version)
        assert exchange.reply is not None
        payload = exchange.reply.payload
        findings = [Finding(frame, about, "", text, "message") for text in _null_payload(frame, payload)]
        entry = actions(key).get(action)
        if entry is None or entry.response is None:
            return findings  # which was found out from the call
        if MASK in frame.text:
            payload = without_masks(payload, entry.response, definitions(key))
        return findings + self._judge(frame, about, action, payload, key, "response")

    def _check_stray(self, exchange: Exchange, message: CallResult | CallError | CallResultError, version: str) -> list[Finding]:
        frame, shown = exchange.frame, f"id {message.message_id[:_SHOWN_ID]!r}"
        if isinstance(message, CallResultError):
            findings = _check_error(frame, "CALLRESULTERROR", message, version)
            if exchange.earlier is None and frame.sender is not None:
                findings.insert(0, Finding(frame, "CALLRESULTERROR", "", f"there was no answer that it could be about ({shown})", "answer"))
            return findings
        about = "CALLRESULT" if isinstance(message, CallResult) else "CALLERROR"
        findings = [] if isinstance(message, CallResult) else _check_error(frame, about, message, version)
        if message.message_id == UNREADABLE_ID and isinstance(message, CallError) and DIALECTS[version].answers_unreadable:
            return findings  # rule B6
        known = "" if exchange.earlier is None else f", line {exchange.earlier.line}, which was answered, or given up, before"
        text = f"it answers no open call{known} ({shown})"
        return [Finding(frame, about, "", text, "answer"), *findings]

    def _judge(self, frame: Frame, about: str, action: str, payload: Any, key: str, kind: str) -> list[Finding]:
        try:
            validate(action, payload, version=key, kind=kind, hints=self._hints)
        except InvalidPayload as error:
            return [Finding(frame, about, error.path, error.message, error.keyword)]
        return []


class _Talk:
    """What rules B2 and B3 are about: the ids and the last calls of both sides of one charge point."""

    def __init__(self) -> None:
        self._ids: dict[str | None, OrderedDict[str, int]] = {}
        self.last_calls: dict[str | None, Exchange] = {}
        self.link: int | None = None
        self._overtaken: OrderedDict[Exchange, Finding] = OrderedDict()  # without times it shows later whether it was still open

    def asked(self, exchange: Exchange, message: Call | Send, version: str) -> list[Finding]:
        if version == "1.6" and message.action == "BootNotification":
            self._ids.clear()  # there they need to be different on one connection only, and a new one comes with a reboot
        return [*self._check_id(exchange, message), *self._check_order(exchange, message)]

    def _check_id(self, exchange: Exchange, message: Call | Send) -> list[Finding]:
        ids = self._ids.setdefault(exchange.sender, OrderedDict())
        before = ids.pop(message.message_id, None)
        ids[message.message_id] = exchange.frame.line
        if len(ids) > _MAX_IDS:
            ids.popitem(last=False)
        if before is None:
            return []
        text = f"its id {message.message_id[:_SHOWN_ID]!r} was used on line {before} already"
        return [Finding(exchange.frame, f"{message.action} request", "", text, "id")]

    def _check_order(self, exchange: Exchange, message: Call | Send) -> list[Finding]:
        if isinstance(message, Send):
            return []  # rule B3 exempts it
        last = self.last_calls.get(exchange.sender)
        self.last_calls[exchange.sender] = exchange
        if last is None or not last.is_open:
            return []
        text = f"it was sent while {last.action}, line {last.frame.line}, was still open: one call at a time"
        finding = Finding(exchange.frame, f"{message.action} request", "", text, "order")
        if last.frame.time is None or exchange.frame.time is None:
            self._overtaken[last] = finding
            if len(self._overtaken) > _MAX_IDS:
                self._overtaken.popitem(last=False)
            return []
        return [finding] if timedelta(0) <= exchange.frame.time - last.frame.time < _SHORTEST_TIMEOUT else []

    def answered(self, exchange: Exchange) -> list[Finding]:
        finding = self._overtaken.pop(exchange, None)
        return [] if finding is None else [finding]


def _wrong_use(entry: Action, sender: str | None, message: Call | Send) -> Iterable[str]:
    if sender is not None and entry.sent_by == other_side(sender):
        yield f"it is sent by the {SIDES[entry.sent_by]}, not by the {SIDES[sender]}"
    if entry.is_send and isinstance(message, Call):
        yield "it goes out as SEND, [6,…], which is never answered"
    if isinstance(message, Send) and not entry.is_send:
        yield "it goes out as CALL, [2,…], which is answered"


def _null_payload(frame: Frame, payload: dict[str, Any]) -> Iterable[str]:
    if not payload and json.loads(frame.text)[-1] is None:
        yield "the payload is null: without fields it is {}"


def _check_error(frame: Frame, about: str, error: CallError | CallResultError, version: str) -> list[Finding]:
    findings = []
    codes = _CODES[version]
    if error.code not in codes:
        spelt = spell_code(error.code, version)
        near = [spelt] if spelt in codes else difflib.get_close_matches(error.code[:_SHOWN_ID], codes, 1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; the codes are {', '.join(codes)}"
        findings.append(Finding(frame, about, "", f"{error.code[:_SHOWN_ID]!r} is no error code of OCPP {version}{hint}", "code"))
    limit = DIALECTS[version].description_limit
    if limit is not None and len(error.description) > limit:
        text = f"{len(error.description)} characters of description are too many, the limit is {limit}"
        findings.append(Finding(frame, about, "", text, "message"))
    elements = json.loads(frame.text)
    if len(elements) != 5 or not isinstance(elements[3], str) or not isinstance(elements[4], dict):
        text = 'after the code there must be a description, which is a string, and details, which are an object: …,"",{}]'
        findings.append(Finding(frame, about, "", text, "message"))
    return findings


def best_version(frames: Iterable[Frame], keys: Mapping[str, str] = STANDARD) -> str:
    """The version that frames fit best: the one with the fewest findings; of equal ones the oldest."""
    frames = list(frames)

    def misfits(version: str) -> int:
        checker = Checker(keys, hints=False)
        return sum(len(checker.check(frame, version)) for frame in frames)

    return min(VERSIONS, key=misfits)
