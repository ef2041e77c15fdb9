"""``ocpp-sync show FILE``: a recording as a person reads it, each answer below its call."""

from __future__ import annotations

import argparse
import json
import re
import sys
from datetime import date, datetime, timezone
from fnmatch import fnmatchcase
from typing import Any

from ocpp_sync.messages import CallError, CallResult, CallResultError, Send
from ocpp_sync.recording import Exchange, Frame, Log, exchanges
from ocpp_sync.recording.frames import other_side
from ocpp_sync.recording.summary import Summary
from ocpp_sync.timestamps import format_time, parse_time

from .page import Page, name_left_out, spaced_json
from .parser import closest
from .terminal import printable

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
  ocpp-sync show session.jsonl
  ocpp-sync show session.jsonl --errors                   what went wrong
  ocpp-sync show session.jsonl --identity CP1 --action Authorize
  ocpp-sync show session.jsonl --since 2026-11-27T07:00 --slow 2
  ocpp-sync show session.jsonl --summary                  the figures alone
  tail -f session.jsonl | ocpp-sync show -
"""

_FILES = """\
What --record writes, and logs of other makes that have a frame in a line: a JSON array, alone or behind a time, a level, an arrow, or
in a JSON object. They may be gzipped. A file that is damaged is read as far as it goes."""

_OUTPUT = """\
An arrow to the right is what the charge point sends, one to the left what the CSMS sends; below a call is its answer, and how long it
took. Times are in UTC. A call that is not answered holds back what comes after it, for two minutes of the recording at most."""

_STATUSES = """\
0  there was something to show
1  there was not, or the file is damaged
2  wrong arguments, or a file that cannot be opened"""

_MAX_SHOWN = 200  # characters of what is no message
_MAX_NAMED = 20
_NARROWEST = 40  # columns


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("file", metavar="FILE", help="the recording; - is the standard input")
    parser.add_argument("--json", action="store_true", help="a JSON object on a line for each call with its answer")
    parser.add_argument("--summary", action="store_true", help="the figures alone")
    parser.add_argument(
        "--width", type=_width, metavar="N", help="fold to N columns (default: those of the terminal; a file is not folded)"
    )
    parser.add_argument("--left-out", action="store_true", help="name the lines that hold no frame")
    chosen = parser.add_argument_group("what is shown")
    chosen.add_argument("--identity", action="append", metavar="NAME", help="of this charge point; may have * in it, and be repeated")
    chosen.add_argument("--action", action="append", metavar="NAME", help="of this action; may have * in it, and be repeated")
    chosen.add_argument("--since", type=_moment, metavar="TIME", help="from this time on, such as 2026-11-27 or 2026-11-27T07:00:30Z")
    chosen.add_argument("--until", type=_moment, metavar="TIME", help="before this time")
    chosen.add_argument("--errors", action="store_true", help="CALLERRORs, calls without an answer, answers to nothing, what is no message")
    chosen.add_argument("--slow", type=_seconds, metavar="SECONDS", help="what was answered after this time or later, or not at all")
    parser.add_argument_group("files", _FILES)
    parser.add_argument_group("output", _OUTPUT)
    parser.add_argument_group("exit status", _STATUSES)


def run(arguments: argparse.Namespace) -> int:
    """Run it."""
    try:
        log = Log(arguments.file, name_left_out if arguments.left_out else None)
    except OSError as error:
        print(f"ocpp-sync: {error}", file=sys.stderr)
        return 2
    with log:
        return _show(log, arguments)


def _show(log: Log, arguments: argparse.Namespace) -> int:
    printer = _JsonPrinter() if arguments.json else _Printer(Page(sys.stdout, arguments.width))
    names, chosen = _Names(), Summary()
    for exchange in exchanges(log):
        names.add(exchange)
        if not _is_chosen(exchange, arguments):
            continue
        chosen.add(exchange)
        if not arguments.summary and _is_of_interest(exchange, arguments):
            printer.show(exchange)
            if arguments.file == "-":
                sys.stdout.flush()  # whoever waits at the other end of a pipe wants to see it now
    if log.left_out:
        print(f"ocpp-sync: {log.name}: {_lines(log.left_out)} no frame", file=sys.stderr)
    if log.damage is not None:
        print(f"ocpp-sync: {log.name}: {log.damage}", file=sys.stderr)
    if not chosen.frames:
        print(f"ocpp-sync: {log.name}: {printable(sys.stderr, names.instead(arguments))}", file=sys.stderr)
        return 1
    if arguments.json and arguments.summary:
        print(json.dumps(chosen.as_dict()))
    elif not arguments.json:
        printer.summary(chosen, is_alone=arguments.summary)
    return 0 if log.damage is None else 1


def _lines(count: int) -> str:
    return "1 line holds" if count == 1 else f"{count} lines hold"


# --- What is chosen


def _is_chosen(exchange: Exchange, arguments: argparse.Namespace) -> bool:
    frame, time = exchange.frame, exchange.frame.time
    return (
        _matches(frame.identity, arguments.identity)
        and _matches(exchange.action or "", arguments.action)
        and (arguments.since is None or (time is not None and time >= arguments.since))
        and (arguments.until is None or (time is not None and time < arguments.until))
    )


def _matches(name: str, patterns: list[str] | None) -> bool:
    return patterns is None or any(fnmatchcase(name, pattern) for pattern in patterns)


def _is_of_interest(exchange: Exchange, arguments: argparse.Namespace) -> bool:
    if arguments.errors and not exchange.is_wrong:
        return False
    if arguments.slow is None:
        return True
    return exchange.is_open or (exchange.seconds is not None and exchange.seconds >= arguments.slow)


class _Names:
    """The identities and actions of a file, to say what to type when nothing was found."""

    def __init__(self) -> None:
        self._is_empty = True
        self._identities: set[str] = set()
        self._actions: set[str] = set()

    def add(self, exchange: Exchange) -> None:
        """Take those of an exchange."""
        self._is_empty = False
        self._identities.add(exchange.frame.identity)
        self._actions.add(exchange.action or "")

    def instead(self, arguments: argparse.Namespace) -> str:
        """Why nothing was found."""
        if self._is_empty:
            return "there is no frame in it"
        for what, wanted, names in (("of", arguments.identity, self._identities), ("of the action", arguments.action, self._actions)):
            known = sorted(filter(None, names))
            if wanted is not None and not any(_matches(name, wanted) for name in known):
                named = f"; there is {', '.join(known[:_MAX_NAMED])}" if known else "; its lines name none"
                return f"there is nothing {what} {', '.join(wanted)} in it{closest(wanted[0], known) or named}"
        return "there is nothing in it that is all of this"


# --- How it is shown


class _Printer:
    """For people."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._day: date | None = None

    def show(self, exchange: Exchange) -> None:
        """Print a call with its answer, or what is by itself."""
        frame, arrow = exchange.frame, self._page.arrows[exchange.sender]
        where = self._where(frame)
        message = exchange.message
        indent = len(where) + len(arrow) + 2
        if message is None:
            head = f"{where} {arrow} no message, line {frame.line}: {exchange.malformed}:"
            self._page.line(head, _cut(frame.text), colour="wrong", indent=indent)
        elif exchange.action is not None:
            payload = spaced_json(message.payload)  # type: ignore[union-attr]
            self._page.line(f"{where} {arrow} {exchange.action}", payload, colour="call", indent=indent)
            if not isinstance(message, Send):
                self._answer(exchange, " " * len(where), indent)
        else:
            kind = type(message).__name__.upper()
            to = "to nothing" if exchange.earlier is None else f"to line {exchange.earlier.line}, once more or too late"
            if isinstance(message, CallResultError):
                to = "" if exchange.earlier is None else f"about the answer to line {exchange.earlier.line}"
            head = f"{where} {arrow} {kind} {to}".rstrip() + f", line {frame.line}, id {message.message_id}:"
            self._page.line(head, _said(message), colour="wrong", indent=indent)

    def _answer(self, exchange: Exchange, where: str, indent: int) -> None:
        arrow = self._page.arrows[None if exchange.sender is None else other_side(exchange.sender)]
        took = "" if exchange.seconds is None else f" {exchange.seconds * 1000:.1f} ms"
        if exchange.answer is None:
            self._page.line(f"{where} {arrow} no answer, line {exchange.frame.line}", colour="wrong", indent=indent)
        elif exchange.reply is None:
            head = f"{where} {arrow}{took} no message, line {exchange.answer.line}: {exchange.malformed_answer}:"
            self._page.line(head, _cut(exchange.answer.text), colour="wrong", indent=indent)
        else:
            is_error = isinstance(exchange.reply, CallError)
            head = f"{where} {arrow}{took}{' CALLERROR' if is_error else ''}"
            self._page.line(head, _said(exchange.reply), colour="wrong" if is_error else "answer", indent=indent)

    def _where(self, frame: Frame) -> str:
        if frame.time is None:
            return f"{frame.line:>6} {frame.identity}".rstrip()
        if frame.time.date() != self._day:
            self._day = frame.time.date()
            self._page.line(f"{self._day}", colour="dim")
        return f"{frame.time.isoformat(timespec='milliseconds')[11:23]} {frame.identity}".rstrip()

    def summary(self, summary: Summary, *, is_alone: bool) -> None:
        """Print the figures, behind all else."""
        if not is_alone:
            self._page.line("")
        for line in summary.lines():
            self._page.line(line)


def _said(message: CallResult | CallError | CallResultError | Any) -> str:
    if isinstance(message, CallResult):
        return spaced_json(message.payload)
    details = f" {spaced_json(message.details)}" if message.details else ""
    description = f": {message.description}" if message.description else ""
    return f"{message.code}{description}{details}"


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


_PAYLOADS = ("request", "response", "error")


class _JsonPrinter:
    """For programs."""

    def show(self, exchange: Exchange) -> None:
        """Print an exchange as an object."""
        entry = _as_dict(exchange)
        try:
            line = json.dumps(entry, allow_nan=False)
        except ValueError:  # 1e999, say, which Python reads as infinity, for which there is nothing in JSON
            line = json.dumps({**{name: value for name, value in entry.items() if name not in _PAYLOADS}, **_texts(exchange)})
        print(line)

    def summary(self, summary: Summary, *, is_alone: bool) -> None:
        """There is none: a program asks for it alone."""


def _as_dict(exchange: Exchange) -> dict[str, Any]:
    frame, message, answer, reply = exchange.frame, exchange.message, exchange.answer, exchange.reply
    entry: dict[str, Any] = {
        "line": frame.line,
        "time": _time(frame.time),
        "identity": frame.identity or None,
        "version": frame.version,
        "sender": exchange.sender,
        "kind": "malformed" if message is None else type(message).__name__.upper(),
        "id": None if message is None else message.message_id,
    }
    if message is None:
        entry |= {"problem": str(exchange.malformed), "text": frame.text}
    elif exchange.action is not None:
        entry |= {"action": exchange.action, "request": message.payload}  # type: ignore[union-attr]
    else:
        entry |= _said_as_dict(message)
    if exchange.is_stray:
        entry |= {"problem": "an answer to nothing", "answered": None if exchange.earlier is None else exchange.earlier.line}
    if exchange.is_open:
        entry |= {"problem": "no answer"}
    if answer is not None:
        entry |= {"answerLine": answer.line, "answerTime": _time(answer.time), "seconds": exchange.seconds}
        if reply is None:
            entry |= {"problem": f"the answer is no message: {exchange.malformed_answer}", "text": answer.text}
        else:
            entry |= _said_as_dict(reply)
    return entry


def _texts(exchange: Exchange) -> dict[str, str]:
    answer = {} if exchange.answer is None else {"answerText": exchange.answer.text}
    return {"text": exchange.frame.text, **answer}


def _said_as_dict(message: CallResult | CallError | CallResultError | Any) -> dict[str, Any]:
    if isinstance(message, CallResult):
        return {"response": message.payload}
    return {"error": {"code": message.code, "description": message.description, "details": message.details}}


def _time(time: datetime | None) -> str | None:
    return None if time is None else format_time(time)


# --- Arguments


def _width(text: str) -> int:
    if not re.fullmatch(r"[0-9]{2,5}", text) or int(text) < _NARROWEST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of columns, which is {_NARROWEST} at least")
    return int(text)


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return number


_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MINUTE = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d", re.ASCII)


def _moment(text: str) -> datetime:
    full = f"{text}T00:00:00" if _DAY.fullmatch(text) else f"{text}:00" if _MINUTE.fullmatch(text) else text
    try:
        return parse_time(full).astimezone(timezone.utc)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2026-11-27, 2026-11-27T07:00 or 2026-11-27T07:00:30Z") from None
