"""What a recording holds, in figures."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ocpp_sync.messages import CallError, CallResultError
from ocpp_sync.timestamps import format_time

from .pairing import Exchange

__all__ = ["Summary", "counted"]

_SIDES = {"CS": "charge point", "CSMS": "CSMS", None: "unknown"}
_MAX_NAMED = 10  # identities


class _Calls:
    """The calls of one action, from one side."""

    def __init__(self) -> None:
        self.count = 0
        self.errors = 0
        self.unanswered = 0
        self.seconds = array("d")

    def quantiles(self) -> tuple[float, float, float] | None:
        """Median, 95 % and maximum of the round trips, in seconds."""
        if not self.seconds:
            return None
        ordered = sorted(self.seconds)
        return _rank(ordered, 0.5), _rank(ordered, 0.95), ordered[-1]


def _rank(ordered: list[float], share: float) -> float:
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


class Summary:
    """Figures of the exchanges that it is given."""

    def __init__(self) -> None:
        self.frames = 0
        self.first: datetime | None = None
        self.last: datetime | None = None
        self.identities: Counter[str] = Counter()
        self.errors: dict[str, Counter[str]] = {}  # by code, then action
        self.strays = self.malformed = 0
        self._calls: dict[tuple[str | None, str], _Calls] = {}

    def add(self, exchange: Exchange) -> None:
        """Count an exchange."""
        for frame in (exchange.frame, exchange.answer):
            if frame is not None:
                self.frames += 1
                self.identities[frame.identity] += 1
                if frame.time is not None:
                    self.first = frame.time if self.first is None else min(self.first, frame.time)
                    self.last = frame.time if self.last is None else max(self.last, frame.time)
        self.malformed += (exchange.message is None) + (exchange.malformed_answer is not None)
        self.strays += exchange.is_stray
        if exchange.action is not None:
            self._add_call(exchange, exchange.action)
        if isinstance(exchange.message, (CallError, CallResultError)):
            self._add_error(exchange.message.code, "?")

    def _add_call(self, exchange: Exchange, action: str) -> None:
        calls = self._calls.setdefault((exchange.sender, action), _Calls())
        calls.count += 1
        calls.unanswered += exchange.is_open
        if exchange.seconds is not None:
            calls.seconds.append(exchange.seconds)
        if isinstance(exchange.reply, CallError):
            calls.errors += 1
            self._add_error(exchange.reply.code, action)

    def _add_error(self, code: str, action: str) -> None:
        self.errors.setdefault(code, Counter())[action] += 1

    @property
    def unanswered(self) -> int:
        """How many calls have no answer."""
        return sum(calls.unanswered for calls in self._calls.values())

    def lines(self) -> Iterator[str]:
        """The figures for people."""
        yield f"{counted(self.frames, 'frame')}{self._of_whom()}{self._span()}"
        if self._calls:
            width = max(len(action) for _, action in self._calls)
            yield ""
            yield f"{'from':<12}  {'action':<{width}}  {'calls':>6}  {'errors':>6}  {'open':>5}  {'median':>9}  {'95 %':>9}  {'max':>9}"
            for (sender, action), calls in sorted(self._calls.items(), key=_by_side):
                times = "  ".join(f"{_duration(seconds):>9}" for seconds in calls.quantiles() or ())
                counts = f"{calls.count:>6}  {calls.errors:>6}  {calls.unanswered:>5}"
                yield f"{_SIDES[sender]:<12}  {action:<{width}}  {counts}  {times}".rstrip()
        if self.errors:
            yield ""
            for code, actions in sorted(self.errors.items()):
                yield f"{code}: {', '.join(f'{action} {count}' for action, count in sorted(actions.items()))}"
        wrong = [
            text
            for count, text in (
                (self.unanswered, f"{counted(self.unanswered, 'call')} without an answer"),
                (self.strays, f"{counted(self.strays, 'answer')} to nothing"),
                (self.malformed, f"{counted(self.malformed, 'frame')} that {'is' if self.malformed == 1 else 'are'} no message"),
            )
            if count
        ]
        if wrong:
            yield ""
            yield ", ".join(wrong)

    def _of_whom(self) -> str:
        names = [name for name, _ in self.identities.most_common() if name]
        shown = sorted(names[:_MAX_NAMED])
        more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
        return f" of {', '.join(shown)}{more}" if names else ""

    def _span(self) -> str:
        if self.first is None or self.last is None:
            return ""
        return f", {format_time(self.first)} to {format_time(self.last)}: {_duration((self.last - self.first).total_seconds())}"

    def as_dict(self) -> dict[str, Any]:
        """The figures for programs; times in seconds."""
        actions = []
        for (sender, action), calls in sorted(self._calls.items(), key=_by_side):
            entry: dict[str, Any] = {"action": action, "sender": sender, "calls": calls.count}
            entry |= {"errors": calls.errors, "unanswered": calls.unanswered}
            if (times := calls.quantiles()) is not None:
                entry |= dict(zip(("median", "p95", "max"), times, strict=True))
            actions.append(entry)
        return {
            "frames": self.frames,
            "first": None if self.first is None else format_time(self.first),
            "last": None if self.last is None else format_time(self.last),
            "identities": {name: count for name, count in sorted(self.identities.items()) if name},
            "actions": actions,
            "errors": {code: dict(sorted(found.items())) for code, found in sorted(self.errors.items())},
            "unanswered": self.unanswered,
            "strays": self.strays,
            "malformed": self.malformed,
        }


def _by_side(item: tuple[tuple[str | None, str], _Calls]) -> tuple[str, str]:
    (sender, action), _ = item
    return sender or "~", action


def counted(count: int, noun: str) -> str:
    """``"1 frame"``, ``"2 frames"``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _duration(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"
