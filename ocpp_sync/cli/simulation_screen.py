"""What ``ocpp-sync simulate`` shows: for people, or as JSON."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timezone
from functools import partial
from typing import Any

__all__ = ["Screen"]

_FLUSH_TIMEOUT = 5.0  # seconds for a terminal that takes nothing
_METER_INTERVAL = 1.0  # seconds between two lines for people about one meter


class Screen:
    """What is printed, on a thread of its own: a terminal that stands still holds nobody up.

    Args:
        arguments: Those of the command.
        is_alone: Whether there is one station only.
    """

    def __init__(self, arguments: argparse.Namespace, *, is_alone: bool) -> None:
        from .frames import FrameFormat
        from .live import LiveOutput, writer_to
        from .watch import FrameWatch

        self._as_json: bool = arguments.json
        self._quiet: bool = arguments.quiet
        self._is_alone = is_alone
        self._format = FrameFormat(sys.stdout, with_time=True)
        self._watch = FrameWatch()
        self._output = LiveOutput(writer_to(sys.stdout), lambda count: f"… {count} lines left out")
        self.failed = self._output.failed
        self._metered: dict[tuple[str, int], float] = {}  # when each meter was shown last

    @classmethod
    @contextmanager
    def of(cls, arguments: argparse.Namespace, count: int) -> Iterator[Screen]:
        """One, closed in the end."""
        screen = cls(arguments, is_alone=count == 1)
        try:
            yield screen
        finally:
            screen._output.close(_FLUSH_TIMEOUT)
        if screen._output.error is not None:
            raise screen._output.error

    def note(self, note: Any) -> None:
        """Something has happened at a station."""
        is_bad = note.what == "error"
        if (not self._quiet or is_bad) and (self._as_json or note.what != "meter" or self._is_due(note)):
            self._output.put(partial(self._json_note if self._as_json else self._line, note), must=is_bad)

    def _is_due(self, note: Any) -> bool:
        """Whether people can read what a meter says: not many lines a second."""
        now, key = time.monotonic(), (note.identity, note.connector)
        if now - self._metered.get(key, -_METER_INTERVAL) < _METER_INTERVAL:
            return False
        self._metered[key] = now
        return True

    def frame(self, identity: str, direction: str, text: str) -> None:
        """A frame has passed."""
        frame = self._watch.take(direction, text, identity)
        if not self._quiet:
            self._output.put(partial(self._json_frame if self._as_json else self._format.frame, frame), len(text) + 100)

    def say(self, text: str) -> None:
        """Something for people."""
        if not self._as_json:
            self._output.put(lambda: text, must=True)

    def summary(self, fleet: Any, failures: list[str], *, is_cut_short: bool) -> int:
        """The end; returns the exit status."""
        summary = fleet.summary()
        problems = [*failures, *fleet.problems(summary, is_cut_short=is_cut_short)]
        if self._as_json:
            document = json.dumps({"event": "summary", **summary, "problems": problems})
            self._output.put(lambda: document, must=True)
        else:
            self._output.put(lambda: "\n".join(_summary(summary)), must=True)
        self._output.close(_FLUSH_TIMEOUT)
        for problem in problems:
            print(f"ocpp-sync: {problem}", file=sys.stderr)
        return 1 if problems else 0

    def _line(self, note: Any) -> str:
        who = "" if self._is_alone else f"{note.identity} "
        return self._format.note(note._replace(identity=who.strip()), str(note), is_bad=note.what == "error")

    def _json_note(self, note: Any) -> str:
        time = note.time.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        about = {"time": time, "identity": note.identity, "connector": note.connector, "event": note.what, "text": note.text}
        return json.dumps({**about, **note.data})

    def _json_frame(self, frame: Any) -> str:
        time = frame.time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        about = {"time": time, "identity": frame.identity, "event": "frame", "direction": frame.direction, "kind": frame.kind}
        return json.dumps({**about, "action": frame.action or None, "payload": frame.payload})


def _summary(summary: dict[str, Any]) -> Iterator[str]:
    latency = summary["latency"]
    yield ""
    yield (
        f"{_some(summary['stations'], 'charge point')} in {summary['seconds']:.0f} s: {_some(summary['sessions'], 'session')}, "
        f"{summary['energy'] / 1000:.2f} kWh; {_some(summary['reconnects'], 'reconnect')} "
        f"({_some(summary['outages'], 'outage')}, {_some(summary['reboots'], 'reboot')})."
    )
    yield (
        f"{_some(summary['calls'], 'call')} answered, {_some(sum(summary['callErrors'].values()), 'CALLERROR')}, "
        f"{_some(summary['timeouts'], 'time-out')}; "
        f"median {latency['median']:.1f} ms, p95 {latency['p95']:.1f} ms, max {latency['max']:.1f} ms."
    )


def _some(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
