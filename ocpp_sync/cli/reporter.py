"""What a server shows of itself: frames, who comes and goes, what is wrong; and a summary at the end."""

from __future__ import annotations

import json
import logging
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from .frames import FrameFormat
from .live import LiveOutput, not_shown_text
from .watch import UNREADABLE, Frame, FrameWatch, LastFrames

if TYPE_CHECKING:
    from ocpp_sync import OcppClientConnection, OcppServer
    from ocpp_sync.csms import Csms
    from ocpp_sync.server_connection import HandshakeRequest

__all__ = ["Happening", "Reporter"]

_LOGGER = logging.getLogger("ocpp_sync")

# Of what an endpoint refuses because a payload, or a message, is not as it should be, in both spellings.
_INVALID = {
    *("FormatViolation", "FormationViolation", "PropertyConstraintViolation", "OccurrenceConstraintViolation"),
    *("OccurenceConstraintViolation", "TypeConstraintViolation", "ProtocolError", "RpcFrameworkError", "MessageTypeNotSupported"),
}

_ALTHOUGH_INVALID = "although invalid:"  # so begins what the log says of it where validation only warns
_BOOKS = "ocpp_sync.csms"  # the log of who counts its problems itself

_FLUSH_TIMEOUT = 3.0  # seconds at the end for a terminal that takes nothing
_SHOWN_ID_LENGTH = 60
_MAX_IDENTITIES = 100_000


class Happening(NamedTuple):
    """Something that is no frame."""

    time: datetime
    identity: str
    name: str
    text: str
    details: str = ""


class Reporter:
    """Watches a server, and prints what it sees.

    Args:
        server: The server, which does not listen yet.
        csms: What answers on it.
        out: What is printed to.
        write: Writes to it.
        as_json: One JSON object a line, instead of lines for people.
        quiet: Only the start, what is wrong, and the summary.

    Attributes:
        frames: The last frames.
        output: The lines on their way.
    """

    def __init__(
        self, server: OcppServer, csms: Csms, out: TextIO, write: Callable[[str], None], *, as_json: bool = False, quiet: bool = False
    ) -> None:
        self._server = server
        self._csms = csms
        self._quiet = quiet
        self._format: _People | _Machines = _Machines() if as_json else _People(out)
        self._watch = FrameWatch()
        self._began = time.monotonic()
        self._problems: Counter[str] = Counter()  # guarded by the lock
        self._connects = 0
        self._identities: set[str] = set()
        self._lock = threading.Lock()
        self.frames = LastFrames()
        self.output = LiveOutput(
            write,
            lambda count: self._format.happening(_left_out(count)),
            lambda error: self._format.happening(_now("", "not-shown", not_shown_text(error)), is_bad=True),
        )
        server.on("frame", self._frame)
        server.on("connection", self._connection)
        server.on("close", self._close)
        server.on("rejected", self._rejected)

    # --- What happens

    def say(self, name: str, text: str, **fields: Any) -> None:
        """Something that is always shown.

        Args:
            name: What it is, for machines.
            text: The same for people, who read nothing else.
            fields: What machines read besides.
        """
        self.output.put(lambda: self._format.said(_now("", name, text), fields), must=True)

    def problem(self, identity: str, name: str, text: str, kind: str | None, details: str = "") -> None:
        """Something is wrong: it is always shown, and counted.

        Args:
            identity: Of the charge point; empty if it is not about one.
            name: What it is, for machines.
            text: The same for people.
            kind: What it is in the summary; None is counted elsewhere.
            details: Further lines.
        """
        if kind is not None:
            with self._lock:
                self._problems[kind] += 1
        happening = _now(identity, name, text)._replace(details=details)
        self.output.put(lambda: self._format.happening(happening, is_bad=True), len(text) + len(details) + 100)

    def _frame(self, charge_point: OcppClientConnection, direction: str, text: str) -> None:
        frame = self._watch.take(direction, text, charge_point.identity)
        self.frames.append(frame)
        if not self._quiet:
            self.output.put(lambda: self._format.frame(frame), len(text) + 100)

    def _connection(self, charge_point: OcppClientConnection) -> None:
        with self._lock:
            self._connects += 1
            if len(self._identities) < _MAX_IDENTITIES:
                self._identities.add(charge_point.identity)
        host, port = charge_point.request.remote_address
        self._happened(charge_point.identity, "connected", f"connected from {host}:{port} with OCPP {charge_point.version}")

    def _close(self, charge_point: OcppClientConnection, code: int, reason: str) -> None:
        # By the very name: a newer connection may have taken its place, which in 2.x need not be written in the same case.
        if charge_point.identity not in self._server.connections:
            self._watch.forget(charge_point.identity)
        self._happened(charge_point.identity, "disconnected", f"disconnected: {code} {reason}".rstrip())

    def _rejected(self, identity: str, request: HandshakeRequest, status: int) -> None:
        phrase = f" {HTTPStatus(status).phrase}" if status in HTTPStatus.__members__.values() else ""
        host = request.remote_address[0]
        self.problem(identity[:_SHOWN_ID_LENGTH], "refused", f"refused with {status}{phrase}, from {host}", "refused connections")

    def _happened(self, identity: str, name: str, text: str) -> None:
        if not self._quiet:
            happening = _now(identity, name, text)
            self.output.put(lambda: self._format.happening(happening), len(text) + 100)

    # --- The log

    @contextmanager
    def taking_the_log(self) -> Iterator[None]:
        """In the block the warnings and errors of the package are shown here, and nowhere else."""
        handler = _LogHandler(self)
        propagate, _LOGGER.propagate = _LOGGER.propagate, False
        _LOGGER.addHandler(handler)
        try:
            yield
        finally:
            _LOGGER.removeHandler(handler)
            _LOGGER.propagate = propagate

    # --- The end

    @property
    def counts(self) -> dict[str, Any]:
        """What there has been so far."""
        counts, errors = self._watch.counted()
        sent, received = (sum(counts[way, kind] for kind in ("CALL", "SEND")) for way in ("out", "in"))
        totals = self._csms.totals
        with self._lock:
            problems, charge_points, connects = dict(self._problems), len(self._identities), self._connects
        invalid = problems.pop("invalid", 0) + counts["in", UNREADABLE]
        return {
            "seconds": round(time.monotonic() - self._began, 3),
            "chargePoints": charge_points,
            "connects": connects,
            "callsIn": received,
            "callsOut": sent,
            "answered": sum(counts[way, kind] for way in ("in", "out") for kind in ("CALLRESULT", "CALLERROR")),
            "callErrors": sum(errors.values()),
            "invalid": invalid + sum(number for (_, code), number in errors.items() if code in _INVALID),
            "transactions": totals["started"],
            "openTransactions": totals["open"],
            "energyWh": round(totals["energy_wh"], 3),
            "problems": {**problems, **self._csms.problems},
        }

    def finish(self) -> bool:
        """Print the summary, and all that waits; false if it could not be printed."""
        counts = self.counts
        self.output.put(lambda: self._format.summary(counts), must=True)
        return self.output.close(_FLUSH_TIMEOUT)


class _LogHandler(logging.Handler):
    def __init__(self, reporter: Reporter) -> None:
        super().__init__(logging.WARNING)
        self._reporter = reporter

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:
            text = str(record.msg)
        details = ""
        if record.exc_info and record.exc_info[1] is not None:
            details = "".join(traceback.format_exception(record.exc_info[1])).rstrip()
        kind = "invalid" if _ALTHOUGH_INVALID in text else "warnings" if record.levelno < logging.ERROR else "errors"
        self._reporter.problem("", "problem", text, None if record.name == _BOOKS else kind, details)


class _People:
    """Lines for people."""

    def __init__(self, out: TextIO) -> None:
        self._format = FrameFormat(out, with_time=True)

    def frame(self, frame: Frame) -> str:
        return self._format.frame(frame)

    def said(self, happening: Happening, fields: dict[str, Any]) -> str:
        return happening.text

    def happening(self, happening: Happening, *, is_bad: bool = False) -> str:
        first = self._format.note(happening, happening.text, is_bad=is_bad)
        return "\n".join([first, *map(self._format.plain, happening.details.splitlines())])

    def summary(self, counts: dict[str, Any]) -> str:
        return "\n".join(map(self._format.plain, _summary(counts)))


class _Machines:
    """JSON, an object a line."""

    def frame(self, frame: Frame) -> str:
        about = {"direction": frame.direction, "kind": frame.kind, "action": frame.action or None, "id": frame.id}
        took = {} if frame.round_trip is None else {"ms": round(frame.round_trip * 1000, 3)}
        fields = {"time": _iso(frame.time), "identity": frame.identity, **about, **took}
        if frame.kind != UNREADABLE:
            try:
                return _json({**fields, "payload": frame.payload})
            except (ValueError, RecursionError):  # NaN, say, which Python reads, and JSON does not have
                pass
        return _json({**fields, "text": frame.text})

    def said(self, happening: Happening, fields: dict[str, Any]) -> str:
        return _json({"time": _iso(happening.time), "event": happening.name, **fields})

    def happening(self, happening: Happening, *, is_bad: bool = False) -> str:
        who = {"identity": happening.identity} if happening.identity else {}
        details = {"details": happening.details} if happening.details else {}
        return _json({"time": _iso(happening.time), **who, "event": happening.name, "text": happening.text, **details})

    def summary(self, counts: dict[str, Any]) -> str:
        return _json({"time": _iso(datetime.now(timezone.utc)), "event": "summary", **counts})


def _summary(counts: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{_duration(counts['seconds'])}: {_some(counts['chargePoints'], 'charge point')}; {_some(counts['callsIn'], 'call')} in, "
        f"{counts['callsOut']} out; {counts['answered']} answered, {_some(counts['callErrors'], 'CALLERROR')}, {counts['invalid']} invalid."
    )
    energy = counts["energyWh"]
    shown = f"{energy:g} Wh" if abs(energy) < 1000 else f"{energy / 1000:.3f} kWh"
    yield f"{_some(counts['transactions'], 'transaction')} started, {counts['openTransactions']} open; {shown}."
    problems = "; ".join(f"{number} × {kind}" for kind, number in counts["problems"].items())
    yield f"Problems: {problems}." if problems else "No problems."


def _some(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def _left_out(count: int) -> Happening:
    return _now("", "left-out", f"… {_some(count, 'line')} left out: this cannot be printed as fast as it comes")


def _now(identity: str, name: str, text: str) -> Happening:
    return Happening(datetime.now(timezone.utc), identity, name, text)


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _json(fields: dict[str, Any]) -> str:
    return json.dumps(fields, allow_nan=False)  # pure ASCII: whatever it is, it does not command a terminal
