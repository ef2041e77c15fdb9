"""``ocpp-sync replay FILE URL``: play one side of a recording against a live peer, and tell where the answers differ."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable
from hmac import compare_digest
from typing import Any
from urllib.parse import urlsplit

from ocpp_sync import CertificateError, ConnectionClosed, HandshakeError, OcppServer, RejectHandshake
from ocpp_sync.checks import SIDES
from ocpp_sync.recording import Log
from ocpp_sync.recording.comparison import MISSING, Comparison
from ocpp_sync.recording.playing import CsmsPlayer, Outcome, Played, answer_as_charge_point, play_charge_point
from ocpp_sync.recording.renewal import Renewal
from ocpp_sync.recording.script import Script, ScriptError
from ocpp_sync.recording.summary import counted

from .connecting import (
    add_connection_options,
    client_from,
    connect,
    key_password_from,
    password_from,
    recorder_from,
    seconds,
    validation_from,
    wrong_arguments,
)
from .page import Page, value_or_text
from .terminal import printable

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
  ocpp-sync replay session.jsonl ws://localhost:9220
  ocpp-sync replay session.jsonl ws://localhost:9220 --identity CP1 --as CP2 --speed 1
  ocpp-sync replay session.jsonl ws://localhost:9220 --ignore interval --ignore Authorize.idTagInfo.expiryDate
  ocpp-sync replay session.jsonl ws://localhost:9221 --side CSMS
"""

_AS_CHARGE_POINT = """\
The calls of the charge point go to the CSMS at URL, one after the other. What the CSMS calls is answered as recorded: the answers
to each action in their order, the last one again and again; without any, it is NotSupported. The CSMS's own calls are not waited for,
but for --linger after the last call."""

_AS_CSMS = """\
It listens at URL, and waits for the charge point to connect. A call of the CSMS goes out once the charge point's last call before it
in the recording has come: the same action, as many times as it is there until then; if it does not come in --timeout seconds, this is
told, and the call goes out. The charge point's calls are answered as recorded, by the same rule as above; without any, by the shortest
valid response. With wss:// it needs --certfile, and --cafile has the CAs of charge points that must have a certificate."""

_RENEWED = """\
Message ids are new. Times are moved by what has passed since the recording began, so their distances stay. A transaction has the id of
now: in 1.6 the one that the live CSMS gives it, in 2.x a new one of the charge point."""

_COMPARED = """\
Of an answer every field is compared, but for times, transaction ids, what is masked in the recording, and what --ignore names. Of
a CALLERROR only the code is. A call that is not answered in the recording is compared with nothing."""

_STATUSES = """\
0  everything was answered as recorded      5  no connection, or the charge point was refused
1  something was not                        7  the link was lost
2  wrong arguments, or a file without calls"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("file", metavar="FILE", help="the recording, or a log of another make, see ocpp-sync show; - is the standard input")
    parser.add_argument("url", metavar="URL", help="the CSMS, such as ws://localhost:9220; of --side CSMS where to listen")
    parser.add_argument("--side", choices=list(SIDES), default="CS", help="who is played: the charge point (CS, the default), or the CSMS")
    parser.add_argument("--identity", metavar="NAME", help="the charge point, if there are several in the recording")
    parser.add_argument("--as", dest="live_identity", metavar="NAME", help="its identity now (default: as recorded)")
    parser.add_argument("--speed", type=_speed, default=0.0, metavar="N", help="N times as fast as recorded; 0: as fast as answers come")
    parser.add_argument(
        "--ignore", metavar="PATH", action="append", default=[], help="a field that may differ: interval, Authorize.idTagInfo"
    )
    parser.add_argument(
        "--linger",
        type=seconds,
        metavar="SECONDS",
        help="as the charge point: stay for so long after the last call, or until the CSMS closes",
    )
    parser.add_argument("--json", action="store_true", help="a JSON object on a line for each call")
    add_connection_options(parser, version=None, validation="strict, warn or off (the default: what is recorded may be wrong)")
    parser.add_argument_group("playing the charge point", _AS_CHARGE_POINT)
    parser.add_argument_group("playing the CSMS", _AS_CSMS)
    parser.add_argument_group("what is renewed", _RENEWED)
    parser.add_argument_group("what is compared", _COMPARED)
    parser.add_argument_group("exit status", _STATUSES)


def run(arguments: argparse.Namespace) -> int:
    """Run it."""
    script = _read(arguments)
    identity = arguments.live_identity or script.identity
    if not identity:
        wrong_arguments("the recording names no charge point: say with --as which one it is now")
    arguments.versions = arguments.versions or [script.version]
    if script.has_masks(arguments.side):
        _tell("there are secrets in the recording that are masked; they are sent as they are: ***")
    if script.skipped:
        _tell(f"{counted(script.skipped, 'frame')} left out: neither a call nor its answer, or a call that may be of either side")
    renewal = Renewal(0.0 if script.began is None else time.time() - script.began)
    comparison = Comparison(renewal, arguments.ignore)
    played = Played(script, comparison, renewal, speed=arguments.speed, timeout=arguments.timeout, tell=_tell)
    printer = _Printer(as_json=arguments.json)
    try:
        if arguments.side == "CS":
            _as_charge_point(played, identity, arguments, printer)
        else:
            _as_csms(played, identity, arguments, printer)
    except HandshakeError as error:
        _tell(str(error))
        return 5
    except (ConnectionClosed, TimeoutError) as error:
        _tell(f"{error}; {counted(printer.count, 'call')} of {len(script.calls(arguments.side))} had been played")
        return 7
    return printer.end()


def _read(arguments: argparse.Namespace) -> Script:
    if arguments.file == arguments.password_file == "-":
        wrong_arguments("- is the standard input: the recording, or the password, must come from a file")
    version = None if arguments.versions is None else arguments.versions[0]
    try:
        with Log(arguments.file) as log:
            script = Script.read(log, arguments.identity, version)
    except OSError as error:
        wrong_arguments(str(error))
    except ScriptError as error:
        wrong_arguments(f"{log.name}: {error}")
    if log.damage is not None:
        _tell(f"{log.name}: {log.damage}")
    if not script.calls(arguments.side):
        other = next(side for side in SIDES if side != arguments.side)
        wrong_arguments(f"{log.name}: there is no call of the {SIDES[arguments.side]} in it; --side {other} plays the {SIDES[other]}")
    return script


def _as_charge_point(played: Played, identity: str, arguments: argparse.Namespace, printer: _Printer) -> None:
    validation = validation_from(arguments) if arguments.validation else "off"
    options = {"identity": identity, "reconnect": None, "validation": validation}
    with recorder_from(arguments) as recorder, client_from(arguments, recorder=recorder, **options) as client:
        answer_as_charge_point(played, client)
        connect(client, arguments)
        printer.show(play_charge_point(played, client))
        if arguments.linger is not None:
            client.wait_closed(arguments.linger)


def _as_csms(played: Played, identity: str, arguments: argparse.Namespace, printer: _Printer) -> None:
    host, port, certificates = _place(arguments)
    validation = validation_from(arguments) if arguments.validation else "off"
    password = password_from(arguments)
    expected = password.encode() if isinstance(password, str) else password
    with recorder_from(arguments) as recorder, OcppServer(versions=arguments.versions, validation=validation) as server:

        @server.on("authorization")
        def authorize(name: str, request: Any) -> bool:
            if name != identity:
                raise RejectHandshake(404)
            return expected is None or compare_digest(request.password or b"", expected)

        @server.on("rejected")
        def rejected(name: str, request: Any, status: int) -> None:
            why = {401: "it has another password, or none", 403: "its certificate is that of another"}.get(status, f"it is not {identity}")
            played.tell_once(f"{name} was refused with {status}: {why}")

        if recorder is not None:
            recorder.attach(server)
        player = CsmsPlayer(played, server, identity)
        try:
            server.listen(port, host, **certificates)
        except (CertificateError, OSError) as error:
            wrong_arguments(str(error))
        _tell(f"waiting for {identity} at {server.url}")
        printer.show(player.play())


def _place(arguments: argparse.Namespace) -> tuple[str | None, int, dict[str, Any]]:
    """Where to listen."""
    try:
        parts = urlsplit(arguments.url)
        port = parts.port
    except ValueError:  # whose text may hold a password
        wrong_arguments(f"to listen, the URL is such as ws://localhost:9221, with a port up to 65535, not {_without_user(arguments.url)}")
    if parts.scheme not in ("ws", "wss") or parts.username is not None:
        wrong_arguments(f"to listen, the URL is such as ws://localhost:9221, not {_without_user(arguments.url)}")
    if (parts.scheme == "wss") != (arguments.certfile is not None):
        wrong_arguments("--certfile goes with wss://, and wss:// needs it to listen")
    certificates = {"certfile": arguments.certfile, "keyfile": arguments.keyfile, "client_ca": arguments.cafile}
    certificates["key_password"] = key_password_from(arguments)
    if arguments.certfile is None and (arguments.keyfile or arguments.cafile):
        wrong_arguments("--keyfile and --cafile go with wss:// and --certfile")
    return parts.hostname, (443 if parts.scheme == "wss" else 80) if port is None else port, certificates


def _without_user(url: str) -> str:
    return url.rpartition("@")[2]


def _tell(text: str) -> None:
    print(f"ocpp-sync: {printable(sys.stderr, text)}", file=sys.stderr)


def _speed(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no speed: 1 is that of the recording, 10 ten times as fast, 0 without waiting")
    return number


class _Printer:
    """Prints what has become of each call."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._page = Page(sys.stdout)
        self.count = 0
        self._differing = 0

    def show(self, outcomes: Iterable[Outcome]) -> None:
        """Print them as they come."""
        for outcome in outcomes:
            self.count += 1
            self._differing += outcome.differs
            if self._as_json:
                print(json.dumps(_as_dict(outcome)), flush=True)
            else:
                self._print(outcome)

    def _print(self, outcome: Outcome) -> None:
        took = "" if outcome.seconds is None else f"  {outcome.seconds * 1000:.1f} ms"
        result = "differs" if outcome.differs else "same"
        problem = f"  {outcome.problem}" if outcome.problem else ""
        colour = "wrong" if outcome.differs else ""
        head = f"line {outcome.call.frame.line:<5} {outcome.call.action:<26} {result:<7}{took}{problem}"
        self._page.line(head.rstrip(), colour=colour)
        for difference in outcome.differences:
            self._page.line(f"    {difference}", indent=8)
        sys.stdout.flush()

    def end(self) -> int:
        """Print how many there were; the exit status."""
        if not self._as_json:
            print(f"\n{counted(self.count, 'call')}: {self.count - self._differing} as recorded, {self._differing} otherwise.")
        return 1 if self._differing else 0


def _as_dict(outcome: Outcome) -> dict[str, Any]:
    differences = []
    for path, recorded, now in outcome.differences:
        values = {"recorded": recorded, "now": now}
        differences.append({"path": path, **{name: value_or_text(value) for name, value in values.items() if value is not MISSING}})
    entry: dict[str, Any] = {"line": outcome.call.frame.line, "action": outcome.call.action, "differs": outcome.differs}
    return {**entry, "seconds": outcome.seconds, "problem": outcome.problem, "differences": differences}
