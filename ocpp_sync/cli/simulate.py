"""``ocpp-sync simulate URL IDENTITY``: a charge point that behaves as real ones do, or many of them."""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timezone
from functools import partial
from pathlib import Path
from typing import Any

from ocpp_sync.errors import OcppError
from ocpp_sync.handshake import check_identity

from .connecting import (
    add_connection_arguments,
    key_password_from,
    password_from,
    recorder_from,
    seconds,
    validation_from,
    wrong_arguments,
)

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
  ocpp-sync simulate ws://localhost:9220 CP1                       a driver comes at once
  ocpp-sync simulate ws://localhost:9220 CP1 --version 1.6 --connectors 2 --manual    you are the driver: ? shows the keys
  ocpp-sync simulate ws://localhost:9220 CP1 --speed 60            an hour passes in a minute
  ocpp-sync simulate ws://localhost:9220 CP --count 50 --stagger 0.2 --speed 60 --offline 1 --duration 60 --quiet
  ocpp-sync simulate ws://localhost:9220 CP1 --scenario examples/scenarios/remote_stop.toml
"""

_STATUSES = """\
0  all went well, or it was ended by Ctrl-C or SIGTERM
1  something went wrong: a CALLERROR, an invalid payload, a lost message, no answer, a scenario's expectation
2  wrong arguments"""

_TOKENS = ("DEADBEEF", "CAFE0001", "CAFE0002", "04A1B2C3D4E5F6")
_END_TIMEOUT = 5.0  # seconds that the last messages may take
_LOOK_AGAIN = 0.5  # seconds
_FLUSH_TIMEOUT = 5.0  # seconds for a terminal that takes nothing
_TOKEN_LENGTH = {"1.6": 20, "2.0.1": 36, "2.1": 255}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add_connection_arguments(parser)
    station = parser.add_argument_group("the charge point")
    station.add_argument("--connectors", metavar="N", type=_count, help="how many it has (default: 1)")
    station.add_argument("--power", metavar="KW", type=_power, help="what each can give (default: 11)")
    station.add_argument("--vendor", default="ocpp_sync", help="who has made it (default: %(default)s)")
    station.add_argument("--model", default="Simulator", help="what it is (default: %(default)s)")
    station.add_argument("--set", metavar="KEY=VALUE", type=_setting, action="append", default=[], help="a setting, may be repeated")
    station.add_argument("--outbox", metavar="FILE", help="keep what is not delivered in this file (default: one that goes at the end)")
    course = parser.add_argument_group("what happens")
    course.add_argument(
        "--token", metavar="TAG", action="append", help=f"what drivers have, may be repeated (default: {', '.join(_TOKENS)})"
    )
    course.add_argument("--manual", action="store_true", help="no drivers come by themselves: press keys, or let the CSMS start")
    course.add_argument("--scenario", metavar="FILE", help="follow the steps of this TOML file, and end")
    course.add_argument("--speed", metavar="N", type=_speed, default=1.0, help="N seconds of charging and waiting pass in one")
    course.add_argument("--offline", metavar="RATE", type=_rate, default=0.0, help="how often in an hour the link is lost for a while")
    course.add_argument("--seed", metavar="N", type=int, help="the same course each time; without one it is left to chance")
    course.add_argument("--duration", metavar="SECONDS", type=seconds, help="end by itself after so long")
    course.add_argument(
        "--on-exit", choices=("stop", "leave"), default="stop", help="what becomes of transactions in the end (default: %(default)s)"
    )
    many = parser.add_argument_group("many")
    many.add_argument(
        "--count", metavar="N", type=_count, default=1, help="so many: IDENTITY with a number added, or put for {} or %%d in it"
    )
    many.add_argument("--stagger", metavar="SECONDS", type=_rate, default=0.0, help="start one so long after the other")
    shown = parser.add_argument_group("what is shown")
    shown.add_argument("--frames", action="store_true", help="show the frames, too")
    shown.add_argument("--json", action="store_true", help="a JSON object a line")
    shown.add_argument("--quiet", action="store_true", help="nothing but what goes wrong, and the summary")
    parser.add_argument_group("exit status", _STATUSES)


def run(arguments: argparse.Namespace) -> int:
    """Run it."""
    from ocpp_sync.simulator import Fleet
    from ocpp_sync.simulator.fleet import identities

    scenario = _scenario(arguments)
    version = _version(arguments, scenario)
    names = _names(arguments, identities)
    tokens = _tokens(arguments, version)
    with ExitStack() as stack:
        recorder = stack.enter_context(recorder_from(arguments))
        screen = stack.enter_context(_Screen.of(arguments, len(names)))
        make = partial(_make, arguments, version, {} if scenario is None else scenario.options)
        try:
            fleet = Fleet(names, make, screen.note)
        except ValueError as error:
            wrong_arguments(str(error))
        except OcppError as error:
            print(f"ocpp-sync: {error}", file=sys.stderr)
            return 1
        for station in fleet.stations:
            if recorder is not None:
                recorder.attach(station.client)
            if arguments.frames:
                station.client.on("frame", partial(screen.frame, station.identity if len(names) > 1 else ""))
        failures: list[str] = []
        is_cut_short = False
        try:
            fleet.start(arguments.url, dict(arguments.header or ()), stagger=arguments.stagger)
            if arguments.offline:
                fleet.lose_links(arguments.offline)
            if scenario is not None:
                _follow(arguments, fleet, scenario, failures, screen)
            else:
                if not arguments.manual:
                    fleet.drive(tokens, at_once=len(names) == 1)
                is_cut_short = _live(arguments, fleet, tokens, screen)
        except KeyboardInterrupt:
            is_cut_short = True
        finally:
            fleet.close(leave=arguments.on_exit == "leave", timeout=_END_TIMEOUT)
        return screen.summary(fleet, failures, is_cut_short=is_cut_short)


# --- The arguments


def _scenario(arguments: argparse.Namespace) -> Any:
    if arguments.scenario is None:
        return None
    from ocpp_sync.simulator import Scenario, ScenarioError

    try:
        return Scenario.load(arguments.scenario)
    except ScenarioError as error:
        wrong_arguments(str(error))
    except OSError as error:
        wrong_arguments(f"--scenario {arguments.scenario}: {error.strerror}")


def _version(arguments: argparse.Namespace, scenario: Any) -> str:
    if len(arguments.versions) != 1:
        wrong_arguments("a simulated charge point has one --version, not several in order of preference")
    version: str = arguments.versions[0]
    wanted = None if scenario is None else scenario.version
    if wanted is not None and wanted != version:
        wrong_arguments(f"{scenario.file} is for OCPP {wanted}: add --version {wanted}")
    return version


def _names(arguments: argparse.Namespace, identities: Callable[[str, int], list[str]]) -> list[str]:
    try:
        names = identities(arguments.identity, arguments.count)
        for name in names:
            check_identity(name)
    except ValueError as error:
        wrong_arguments(str(error))
    return names


def _tokens(arguments: argparse.Namespace, version: str) -> list[str]:
    tokens = list(arguments.token or _TOKENS)
    for token in tokens:
        if not 0 < len(token) <= _TOKEN_LENGTH[version]:
            wrong_arguments(f"--token {token[:40]!r}: a token of OCPP {version} has 1 to {_TOKEN_LENGTH[version]} characters")
    return tokens


def _make(arguments: argparse.Namespace, version: str, options: dict[str, Any], identity: str, listen: Any) -> Any:
    """A station, as the arguments and perhaps a scenario want it."""
    from ocpp_sync.simulator import Station

    given = {
        "connectors": arguments.connectors or options.get("connectors", 1),
        "power": arguments.power * 1000.0 if arguments.power else options.get("power", 11_000.0),
        "configuration": {**options.get("configuration", {}), **dict(arguments.set)},
        "outbox": _outbox(arguments, identity),
        "cafile": arguments.cafile,
        "certfile": arguments.certfile,
        "keyfile": arguments.keyfile,
        "key_password": key_password_from(arguments),
        "password": password_from(arguments),
        "call_timeout": arguments.timeout,
        "validation": validation_from(arguments),
        "proxy": arguments.proxy,
    }
    about = {"vendor": arguments.vendor, "model": arguments.model, "speed": arguments.speed, "seed": arguments.seed}
    return Station(identity, version=version, listen=listen, **about, **given)


def _outbox(arguments: argparse.Namespace, identity: str) -> Path | None:
    if arguments.outbox is None:
        return None
    path = Path(arguments.outbox)
    return path if arguments.count == 1 else path.with_name(f"{path.stem}-{identity}{path.suffix}")


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 10000")
    return int(text)


def _number(text: str, what: str, *, above: float, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not above <= number <= most or (number == 0 and what != "rate"):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no {what}: a number {'from' if what == 'rate' else 'above'} {above:g} up to {most:g}"
        )
    return number


def _power(text: str) -> float:
    return _number(text, "power in kW", above=0, most=1000)


def _speed(text: str) -> float:
    return _number(text, "speed", above=0, most=100_000)


def _rate(text: str) -> float:
    return _number(text, "rate", above=0, most=100_000)


def _setting(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise argparse.ArgumentTypeError(f"{text!r} is no KEY=VALUE")
    return key, value


# --- Running


def _live(arguments: argparse.Namespace, fleet: Any, tokens: list[str], screen: _Screen) -> bool:
    """Until the end of the duration, or q, for which it is true."""
    from ocpp_sync.simulator.keys import Keyboard, Panel

    deadline = None if arguments.duration is None else time.monotonic() + arguments.duration
    if len(fleet.stations) > 1 or not Keyboard.fits(sys.stdin):
        while (deadline is None or time.monotonic() < deadline) and not screen.failed.wait(_left(deadline)):
            pass
        return False
    panel = Panel(fleet.stations[0], list(tokens))
    screen.say("Keys: p plug, a authorize, s stop, u unplug, o offline, q quit; ? shows all.")
    with Keyboard(sys.stdin) as keyboard:
        while (deadline is None or time.monotonic() < deadline) and not screen.failed.is_set():
            key = keyboard.read(deadline)
            if key in ("", "q", "Q", "\x04"):
                return True
            if key is not None and (answer := panel.press(key)) is not None:
                screen.say(answer)
    return False


def _left(deadline: float | None) -> float:
    """How long to wait now: a signal may have been taken by another thread, and is seen when this one wakes."""
    return _LOOK_AGAIN if deadline is None else min(_LOOK_AGAIN, max(0.0, deadline - time.monotonic()))


def _follow(arguments: argparse.Namespace, fleet: Any, scenario: Any, failures: list[str], screen: _Screen) -> None:
    """Let each station follow the scenario, on a thread of its own; until they have, or the end of the duration."""
    from ocpp_sync.simulator import ScenarioFailure

    deadline = None if arguments.duration is None else time.monotonic() + arguments.duration

    def follow(station: Any) -> None:
        try:
            scenario.run(station, fleet.transcripts[station.identity])
        except ScenarioFailure as failure:
            if not station.is_closed:
                failures.append(str(failure) if len(fleet.stations) == 1 else f"{station.identity}: {failure}")

    threads = [
        threading.Thread(target=follow, args=(station,), name=f"ocpp-scenario {station.identity}", daemon=True)
        for station in fleet.stations
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive() and (deadline is None or time.monotonic() < deadline):
            thread.join(_left(deadline))
    if any(thread.is_alive() for thread in threads):
        failures.append(f"{scenario.file}: it has not come to its end within {arguments.duration:g} s")
    else:
        screen.say(f"{scenario.name}: {'failed' if failures else 'done'}.")


# --- What is shown


class _Screen:
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

    @classmethod
    @contextmanager
    def of(cls, arguments: argparse.Namespace, count: int) -> Iterator[_Screen]:
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
        if not self._quiet or is_bad:
            self._output.put(partial(self._json_note if self._as_json else self._line, note), must=is_bad)

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
