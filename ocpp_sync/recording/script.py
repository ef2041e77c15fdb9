"""What of a recording is played again: the conversation of one charge point."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, islice

from ocpp_sync.messages import Call, CallError, CallResult, Send
from ocpp_sync.redaction import MASK
from ocpp_sync.timestamps import parse_time

from .checking import best_version
from .frames import Frame, other_side
from .pairing import Exchange, exchanges
from .renewal import times_in

__all__ = ["Answers", "Script", "ScriptError"]

_SAMPLE = 1000  # frames from which the version is found out
_MAX_NAMED = 20


class ScriptError(ValueError):
    """There is nothing in a recording that could be played."""


@dataclass
class Script:
    """The conversation of one charge point, in order.

    Attributes:
        identity: Of the charge point; empty if the lines name none.
        version: The version of OCPP.
        exchanges: The CALLs and SENDs of both sides, with their answers.
        skipped: How many frames are no calls, no answers, or calls that might be of either side.
    """

    identity: str
    version: str
    exchanges: list[Exchange]
    skipped: int

    @classmethod
    def read(cls, frames: Iterable[Frame], identity: str | None = None, version: str | None = None) -> Script:
        """Take the conversation out of a recording.

        If both sides have recorded it into one file, what the first of them has recorded is taken.

        Args:
            frames: All frames.
            identity: Whose conversation; None if there is only one.
            version: The version of OCPP; None is that of the lines, or the one that the frames fit best.

        Raises:
            ScriptError: There is none, or there are several; the text says what to choose.
        """
        source = _Chosen(frames, identity)
        sample = list(islice(source, _SAMPLE))
        found, skipped = [], 0
        for exchange in exchanges(chain(sample, source)):
            if isinstance(exchange.message, (Call, Send)) and exchange.sender is not None:
                found.append(exchange)
            else:
                skipped += 1
        source.check()
        if not found:
            raise ScriptError("there is no call in it")
        if version is None:
            version = next((frame.version for frame in sample if frame.version is not None), None) or best_version(sample)
        return cls(source.identity or "", version, found, skipped)

    def calls(self, side: str) -> list[Exchange]:
        """What a side has sent."""
        return [exchange for exchange in self.exchanges if exchange.sender == side]

    def has_masks(self, side: str) -> bool:
        """Whether there are masked values in what a side sends and answers."""
        texts = chain((call.frame.text for call in self.calls(side)), self._answers_of(side))
        return any(MASK in text for text in texts)

    def _answers_of(self, side: str) -> Iterable[str]:
        return (call.answer.text for call in self.calls(other_side(side)) if call.answer is not None)

    @property
    def began(self) -> float | None:
        """When it began, in seconds since 1970: by the times of the lines, else by the first time in a message; None if there is none."""
        for exchange in self.exchanges:
            if exchange.frame.time is not None:
                return exchange.frame.time.timestamp()
            assert isinstance(exchange.message, (Call, Send))
            for text in times_in(exchange.message.payload):
                return parse_time(text).timestamp()
        return None


class _Chosen:
    """Of all frames those of one charge point, as one side has recorded them."""

    def __init__(self, frames: Iterable[Frame], identity: str | None) -> None:
        self._frames = iter(frames)
        self._wanted = identity
        self._side: str | None = None
        self._others: dict[str, None] = {}
        self.identity: str | None = None

    def __iter__(self) -> _Chosen:
        return self

    def __next__(self) -> Frame:
        for frame in self._frames:
            if self._wanted not in (None, frame.identity) or self.identity not in (None, frame.identity):
                self._others[frame.identity] = None
                continue
            if self.identity is None:
                self.identity, self._side = frame.identity, frame.side
            if frame.side == self._side:
                return frame
        raise StopIteration

    def check(self) -> None:
        """After the last frame.

        Raises:
            ScriptError: None of the frames, or too many, can have been meant.
        """
        others = sorted(filter(None, self._others))[:_MAX_NAMED]
        if self.identity is None:
            if self._wanted is None:
                raise ScriptError("there is no frame in it")
            known = f"; there is {', '.join(others)}" if others else "; its lines name no charge point" if self._others else ""
            raise ScriptError(f"there is nothing of {self._wanted!r} in it{known}")
        if self._wanted is None and self._others:
            raise ScriptError(f"there is more than one charge point in it: choose with --identity {self.identity}, or {', '.join(others)}")


class Answers:
    """What a side has answered in a recording, action by action; the last answer to an action is given again and again.

    It serves one thread at a time.

    Args:
        calls: The calls of the other side.
    """

    def __init__(self, calls: Iterable[Exchange]) -> None:
        self._replies: dict[str, deque[CallResult | CallError]] = {}
        for call in calls:
            if call.reply is not None and call.action is not None:
                self._replies.setdefault(call.action, deque()).append(call.reply)

    def next(self, action: str) -> CallResult | CallError | None:
        """The next answer to an action; None if there was never one."""
        replies = self._replies.get(action)
        if replies is None:
            return None
        return replies.popleft() if len(replies) > 1 else replies[0]
