"""``ocpp-sync simulate URL IDENTITY``: a charge point that behaves as real ones do, or many of them."""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
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
from .simulation_screen import Screen

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
  ocpp-sync simulate ws://localhost:9220 CP1                       a driver comes at once
  ocpp-sync simulate ws://localhost:9220 CP1 --version 1.6 --connectors 2 --manual    you are the driver: ? shows the keys
  ocpp-sync simulate ws://localhost:9220 CP1 --speed 60            an hour passes in a minute
  ocpp-sync simulate ws://localhost:9220 CP --count 50 --stagger 0.2 --speed 60 --offline 1 --duration 60 --quiet
  ocpp-sync simulate ws://localhost:9220 CP1 --version 1.6 --scenario examples/scenarios/remote_stop.toml
"""

_STATUSES = """\
0  all went well, or it was ended by Ctrl-C or SIGTERM
1  something went wrong: a CALLERROR, an invalid payload, a lost message, no answer, a scenario's expectation
2  wrong arguments"""

_TOKENS = ("DEADBEEF", "CAFE0001", "CAFE0002", "04A1B2C3D4E5F6")
_END_TIMEOUT = 5.0  # seconds that the last messages may take
_LOOK_AGAIN = 0.5  # seconds
_MAX_CONNECTORS = 100
_MAX_DIGITS, _MAX_SHOWN = 9, 40  # characters


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add_connection_arguments(parser)
    station = parser.add_argument_group("the charge point")
    station.add_argument("--connectors", metavar="N", type=_connectors, help="how many it has (default: 1)")
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
    course.add_argument("--plugged", action="store_true", help="with --manual: at each connector a car is plugged in from the beginning")
    course.add_argument("--scenario", metavar="FILE", help="follow the steps of this TOML file, and end")
    course.add_argument("--speed", metavar="N", type=_speed, default=1.0, help="N seconds of charging and waiting pass in one")
    course.add_argument(
        "--offline", metavar="RATE", type=_rate, default=0.0, help="how often the link is lost in an hour, which passes with --speed"
    )
    course.add_argument("--seed", metavar="N", type=_whole, help="the same course each time; without one it is left to chance")
    course.add_argument("--duration", metavar="SECONDS", type=seconds, help="end by itself after so long")
    course.add_argument(
        "--on-exit", choices=("stop", "leave"), default="stop", help="what becomes of transactions in the end (default: %(default)s)"
    )
    many = parser.add_argument_group("many")
    many.add_argument(
        "--count", metavar="N", type=_count, default=1, help="so many: IDENTITY with a number added, or put for {} or %%d in it"
    )
    many.add_argument("--stagger", metavar="SECONDS", type=_wait, default=0.0, help="start one so long after the other")
    shown = parser.add_argument_group("what is shown")
    shown.add_argument("--frames", action="store_true", help="show the frames, too")
    shown.add_argument("--json", action="store_true", help="a JSON object a line")
    shown.add_argument("--quiet", action="store_true", help="nothing but what goes wrong, and the summary")
    parser.add_argument_group("exit status", _STATUSES)


def run(arguments: argparse.Namespace) -> int:
    """Run it."""
    from ocpp_sync.simulator import Fleet
    from ocpp_sync.simulator.fleet import identities

    _check_course(arguments)
    scenario = _scenario(arguments)
    version = _version(arguments, scenario)
    if scenario is not None:
        _check_scenario(arguments, scenario, version)
    names = _names(arguments, identities)
    tokens = _tokens(arguments, version)
    with ExitStack() as stack:
        recorder = stack.enter_context(recorder_from(arguments))
        screen = stack.enter_context(Screen.of(arguments, len(names)))
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
            if arguments.plugged:
                fleet.plug()
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


def _check_course(arguments: argparse.Namespace) -> None:
    if arguments.scenario is not None:
        for option in ("manual", "plugged"):
            if getattr(arguments, option):
                wrong_arguments(f"--{option} does not go with --scenario, whose steps say what happens")
    if arguments.plugged and not arguments.manual:
        wrong_arguments("--plugged goes with --manual; without that, drivers come and bring their cars")


def _check_scenario(arguments: argparse.Namespace, scenario: Any, version: str) -> None:
    from ocpp_sync.simulator import ScenarioError

    try:
        scenario.check(version, _connectors_of(arguments, scenario.options), validation_from(arguments))
    except ScenarioError as error:
        wrong_arguments(str(error))


def _connectors_of(arguments: argparse.Namespace, options: dict[str, Any]) -> int:
    number: int = arguments.connectors or options.get("connectors", 1)
    return number


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
    from ocpp_sync.simulator.proof import TOKEN_LENGTH

    tokens = list(arguments.token or _TOKENS)
    for token in tokens:
        if not 0 < len(token) <= TOKEN_LENGTH[version]:
            wrong_arguments(f"--token {token[:40]!r}: a token of OCPP {version} has 1 to {TOKEN_LENGTH[version]} characters")
    return tokens


def _make(arguments: argparse.Namespace, version: str, options: dict[str, Any], identity: str, listen: Any) -> Any:
    """A station, as the arguments and perhaps a scenario want it."""
    from ocpp_sync.simulator import Station

    given = {
        "connectors": _connectors_of(arguments, options),
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
    station = Station(identity, version=version, listen=listen, **about, **given)
    try:
        _check_settings(station, given["configuration"])
        _check_boot(station, given["validation"])
    except BaseException:
        station.close(leave=True)
        raise
    return station


def _check_settings(station: Any, given: dict[str, str]) -> None:
    for name in given:
        setting = station.configuration.find(name)
        if setting is not None and setting.mutability == "R":
            hint = {"NumberOfConnectors": "; see --connectors"}.get(setting.path, "")
            wrong_arguments(f"{setting.path} is read-only: it cannot be set{hint}")


def _check_boot(station: Any, validation: dict[str, str]) -> None:
    """Check the BootNotification, without which nothing goes."""
    from ocpp_sync.errors import InvalidPayload
    from ocpp_sync.validation import ValidationPolicy, validate

    if ValidationPolicy(validation).mode("out", "BootNotification") != "strict":
        return
    try:
        validate("BootNotification", station.wording.boot(station.who, "PowerUp"), version=station.version)
    except InvalidPayload as error:
        wrong_arguments(str(error))


def _outbox(arguments: argparse.Namespace, identity: str) -> Path | None:
    if arguments.outbox is None:
        return None
    path = Path(arguments.outbox)
    return path if arguments.count == 1 else path.with_name(f"{path.stem}-{identity}{path.suffix}")


def _count(text: str, most: int = 10_000) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > _MAX_DIGITS or not 1 <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{text[:_MAX_SHOWN]!r} is no number from 1 to {most}")
    return int(text)


def _connectors(text: str) -> int:
    return _count(text, _MAX_CONNECTORS)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:_MAX_SHOWN]!r} is no whole number") from None


def _number(text: str, what: str, most: float, *, zero: bool = False) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not 0 <= number <= most or (number == 0 and not zero):
        raise argparse.ArgumentTypeError(f"{text[:_MAX_SHOWN]!r} is no {what}: a number {'from' if zero else 'above'} 0 up to {most:g}")
    return number


def _power(text: str) -> float:
    return _number(text, "power in kW", 1000)


def _speed(text: str) -> float:
    return _number(text, "speed", 100_000)


def _rate(text: str) -> float:
    return _number(text, "rate", 100_000, zero=True)


def _wait(text: str) -> float:
    return _number(text, "number of seconds", 100_000, zero=True)


def _setting(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise argparse.ArgumentTypeError(f"{text!r} is no KEY=VALUE")
    return key, value


# --- Running


def _live(arguments: argparse.Namespace, fleet: Any, tokens: list[str], screen: Screen) -> bool:
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


def _follow(arguments: argparse.Namespace, fleet: Any, scenario: Any, failures: list[str], screen: Screen) -> None:
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
