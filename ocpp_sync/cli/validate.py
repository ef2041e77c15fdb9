"""``ocpp-sync validate FILE``: each frame of a log, held against the schemas and the rules of OCPP-J."""

from __future__ import annotations

import argparse
import json
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from ocpp_sync.errors import SchemaError
from ocpp_sync.recording import Frame, Log
from ocpp_sync.recording.checking import Checker, Finding, best_version
from ocpp_sync.recording.summary import counted
from ocpp_sync.schemas import VERSIONS, overlaid

from .page import name_left_out
from .terminal import printable

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
  ocpp-sync validate session.jsonl
  ocpp-sync validate other.log --version 1.6
  ocpp-sync validate session.jsonl --json | jq .message
"""

_FILES = """\
What --record writes, and logs of other makes that have a frame in a line, see ocpp-sync show."""

_FINDINGS = """\
Printed as FILE:LINE: …, which editors can jump to: payloads that break their schema, the first error of each; messages that are none;
answers to nothing; error codes that do not exist; ids that are used twice; calls of one side that are open at once; actions that the
other side sends. What is masked (***) is not judged."""

_STATUSES = """\
0  nothing was found
1  something was found
2  wrong arguments, or a file that cannot be read to its end, or holds no frame"""

_SAMPLE = 1000  # frames from which the version is found out


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("file", metavar="FILE", help="the log; - is the standard input")
    parser.add_argument(
        "--version", choices=VERSIONS, help="the version of OCPP (default: what the lines say, else the one that the frames fit best)"
    )
    parser.add_argument("--schemas", metavar="FILE", help="lay these over the schemas of OCPP, see docs/own-messages.md")
    parser.add_argument("--json", action="store_true", help="a JSON object on a line for each finding")
    parser.add_argument("--left-out", action="store_true", help="name the lines that hold no frame")
    parser.add_argument_group("files", _FILES)
    parser.add_argument_group("findings", _FINDINGS)
    parser.add_argument_group("exit status", _STATUSES)


def run(arguments: argparse.Namespace) -> int:
    """Run it."""
    try:
        keys = overlaid(arguments.schemas)
        log = Log(arguments.file, name_left_out if arguments.left_out else None)
    except (OSError, SchemaError) as error:
        print(f"ocpp-sync: {error}", file=sys.stderr)
        return 2
    with log:
        return _validate(log, arguments, keys)


def _validate(log: Log, arguments: argparse.Namespace, keys: Mapping[str, str]) -> int:
    checker = Checker(keys)
    frames = findings = 0
    for frame, version in _with_versions(log, arguments.version, keys):
        frames += 1
        for finding in checker.check(frame, version):
            findings += 1
            print(
                _as_json(log.name, finding, version)
                if arguments.json
                else f"{log.name}:{finding.frame.line}: {printable(sys.stdout, str(finding))}"
            )
            if arguments.file == "-":
                sys.stdout.flush()
    if log.damage is not None:
        print(f"ocpp-sync: {log.name}: {log.damage}", file=sys.stderr)
    if not frames:
        print(f"ocpp-sync: {log.name}: there is no frame in it{_without_frame(log.left_out)}", file=sys.stderr)
        return 2
    masked = f"; {counted(checker.masked, 'frame')} masked as a whole, and not judged" if checker.masked else ""
    counts = f"{counted(frames, 'frame')}, {counted(findings, 'finding') if findings else 'nothing found'}"
    print(f"{log.name}: {counts}{masked}{_without_frame(log.left_out)}", file=sys.stderr)
    if log.damage is not None:
        return 2
    return 1 if findings else 0


def _with_versions(frames: Iterable[Frame], version: str | None, keys: Mapping[str, str]) -> Iterator[tuple[Frame, str]]:
    """Each frame with its version: the given one, that of its line, or the one that the frames of its charge point fit best."""
    source, ahead = iter(frames), deque[Frame]()
    found: dict[str, str] = {}
    while (frame := ahead.popleft() if ahead else next(source, None)) is not None:
        own = version or frame.version or found.get(frame.identity)
        if own is None:
            ahead.extend(islice(source, _SAMPLE - len(ahead)))
            sample = [one for one in (frame, *ahead) if one.version is None and one.identity == frame.identity]
            own = found[frame.identity] = best_version(sample, keys)
            of_whom = f" of {printable(sys.stderr, frame.identity)}" if frame.identity else ""
            print(f"ocpp-sync: the lines{of_whom} name no version of OCPP; {own} fits them best (--version takes another)", file=sys.stderr)
        yield frame, own


def _as_json(name: str, finding: Finding, version: str) -> str:
    entry: dict[str, Any] = {"file": name, "line": finding.frame.line, "identity": finding.frame.identity or None, "version": version}
    return json.dumps({**entry, "about": finding.about, "path": finding.path, "rule": finding.rule, "message": finding.message})


def _without_frame(count: int) -> str:
    return f"; {counted(count, 'line')} without a frame" if count else ""
