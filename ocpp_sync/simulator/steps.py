"""What the steps of a scenario do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .. import CallError, OcppError, format_time
from .connector import FAULTS, Reason, State
from .energy import Car
from .station import Station
from .transcript import Passed, Transcript

__all__ = ["STEPS", "Failure", "Field", "Run"]

_TIMEOUT = 30.0
_SHOWN = 8  # messages that came instead
_STATES = tuple(state.value for state in State)
_NAMES = {str: "a text", int: "a whole number", float: "a number", dict: "a table", list: "a list", bool: "true or false"}
_MOST = 1e9  # a number that no time, energy or count reaches


class Failure(Exception):
    """A step has not come to its end; the text says why."""


@dataclass(frozen=True)
class Field:
    """What a step may be given.

    Attributes:
        type: What it is.
        required: Whether it must be there.
        values: What it may be; empty is anything.
        least: The smallest it may be; None is any.
        most: The largest it may be, if it is a number.
    """

    type: type
    required: bool = False
    values: tuple[str, ...] = ()
    least: float | None = None
    most: float = _MOST

    def problem(self, value: Any) -> str | None:
        """What is wrong with a value; None is nothing."""
        fits = isinstance(value, (int, float) if self.type is float else self.type) and isinstance(value, bool) == (self.type is bool)
        if not fits:
            return f"is {_NAMES[self.type]}, not {value!r}"
        if self.values and value not in self.values:
            import difflib

            near = difflib.get_close_matches(value, self.values, 1)
            return f"cannot be {value!r}" + (f"; did you mean {near[0]!r}?" if near else f"; it is one of {', '.join(self.values)}")
        if self.least is not None and not value >= self.least:
            return f"is {self.least:g} or more, not {value!r}"
        if self.type in (int, float) and not value <= self.most:
            return f"is {self.most:g} or less, not {value!r}"
        return None


class Run:
    """A scenario while it runs.

    Args:
        station: The station.
        transcript: What passes.

    Attributes:
        seen: The number of the last message that was waited for, or expected: the next one comes after it.
        found: The numbers of all of them: each is found once.
    """

    def __init__(self, station: Station, transcript: Transcript) -> None:
        self.station = station
        self.transcript = transcript
        self.seen = 0
        self.found: set[int] = set()

    def until(self, condition: Callable[[Station], bool], timeout: float, what: str) -> None:
        """Wait for something to become true of the station."""
        if not self.station.wait_until(lambda station: station.is_closed or condition(station), timeout) or self.station.is_closed:
            raise Failure(f"{what} has not come within {timeout:g} s; now: {self.station!r}")

    def message(self, matches: Callable[[Passed], bool], timeout: float, what: str, *, any_order: bool = False) -> Passed:
        """Wait for a message.

        Args:
            matches: Whether it is one.
            timeout: Seconds of real time.
            what: The same for people.
            any_order: Whether it may have passed already; then the next one still comes after the one that was found before.
        """

        def is_new(passed: Passed) -> bool:
            return passed.number not in self.found and matches(passed)

        found = self.transcript.wait_for(0 if any_order else self.seen, is_new, timeout)
        if found is None:
            before = self.transcript.between(0, self.seen)
            hint = "" if any_order or not any(map(is_new, before)) else "; it has passed before: is it any_order = true?"
            earlier = f"\npassed before{_last(before)}" if before else ""
            came = self.transcript.between(self.seen)
            raise Failure(f"{what} has not come within {timeout:g} s{hint}; instead{_last(came)}{earlier}")
        if not any_order:
            self.seen = found.number
        self.found.add(found.number)
        return found


def _last(messages: list[Passed]) -> str:
    more = f" (the last {_SHOWN} of {len(messages)})" if len(messages) > _SHOWN else ""
    return f"{more}:" + ("".join(f"\n  {passed}"[:300] for passed in messages[-_SHOWN:]) or " nothing")


# --- Drivers, cars and faults


def _plug(run: Run, connector: int = 1, **car: float) -> None:
    run.station.plug(connector, _car(run.station, car))


def _car(station: Station, given: dict[str, float]) -> Car | None:
    if not given:
        return None
    car = Car(soc=float(given.get("soc", 30)), target=float(given.get("target", 100)))
    car.capacity = given.get("capacity", car.capacity / 1000) * 1000.0
    if "power" in given:
        car.ac_power = car.dc_power = given["power"] * 1000.0
    return car


def _unplug(run: Run, connector: int = 1) -> None:
    run.station.unplug(connector)


def _authorize(run: Run, token: str, connector: int = 1) -> None:
    run.station.authorize(token, connector)


def _start(run: Run, token: str, connector: int = 1, timeout: float = _TIMEOUT) -> None:
    it = run.station.connector(connector)
    run.until(lambda station: station.uplink.is_ready, timeout, "the CSMS's acceptance")
    if it.car is None:
        run.station.plug(connector)
    run.station.authorize(token, connector)
    run.until(lambda station: it.transaction is not None and it.transaction.id is not None, timeout, "a transaction")


def _stop(run: Run, connector: int = 1, reason: str = "Local") -> None:
    run.station.stop(connector, Reason(reason))


def _fault(run: Run, connector: int = 1, error: str = FAULTS[0]) -> None:
    run.station.fault(connector, error)


def _clear(run: Run, connector: int = 1) -> None:
    run.station.clear(connector)


# --- The link


def _offline(run: Run, seconds: float | None = None) -> None:
    run.station.go_offline(seconds)
    run.until(lambda station: not station.uplink.is_ready, _TIMEOUT, "the end of the link")


def _online(run: Run, timeout: float = _TIMEOUT) -> None:
    run.station.go_online()
    run.until(lambda station: station.uplink.is_ready, timeout, "a link")


def _reboot(run: Run, timeout: float = _TIMEOUT) -> None:
    boots = run.station.presence.boots
    run.station.reboot()
    run.until(lambda station: station.presence.boots > boots and station.uplink.is_ready, timeout, "the next acceptance")


# --- Waiting


def _wait(
    run: Run,
    seconds: float | None = None,
    state: str | None = None,
    energy: float | None = None,
    message: str | None = None,
    connector: int = 1,
    timeout: float = _TIMEOUT,
) -> None:
    it = run.station.connector(connector)
    if seconds is not None and not run.station.pause(seconds):
        raise Failure("the station was closed")
    if state is not None:
        run.until(lambda _: it.state.value == state, timeout, f"the state {state} of connector {connector}")
    if energy is not None:
        wanted = energy * 1000.0
        run.until(lambda _: it.energy >= wanted, timeout, f"an energy of {energy:g} kWh at connector {connector}")
    if message is not None:
        run.message(lambda passed: passed.action == message and passed.kind == "request", timeout, message)


def _expect(
    run: Run,
    request: str | None = None,
    sent: str | None = None,
    answer: str | None = None,
    error: str | None = None,
    state: str | None = None,
    payload: dict[str, Any] | None = None,
    any_order: bool = False,
    connector: int = 1,
    timeout: float = _TIMEOUT,
) -> None:
    if state is not None:
        _wait(run, state=state, connector=connector, timeout=timeout)
        return
    # From whom, what, and of which action.
    table = {"request": ("in", "request", request), "sent": ("out", "request", sent)}
    table |= {"answer": ("in", "answer", answer), "error": ("in", "error", error)}
    name, (direction, kind, action) = next((name, row) for name, row in table.items() if row[2] is not None)

    def matches(passed: Passed) -> bool:
        return (passed.direction, passed.kind, passed.action) == (direction, kind, action) and is_part(payload or {}, passed.payload)

    with_what = f" with {payload}" if payload else ""
    found = run.message(matches, timeout, f"{name} {action}{with_what}", any_order=any_order)
    if kind == "error":
        run.station.provoked[found.payload["code"]] += 1


def is_part(expected: Any, actual: Any) -> bool:
    """Whether a payload has all that is expected of it; of lists the first items, in their order."""
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(name in actual and is_part(value, actual[name]) for name, value in expected.items())
    if isinstance(expected, list):
        longer = isinstance(actual, list) and len(actual) >= len(expected)
        return longer and all(is_part(one, other) for one, other in zip(expected, actual, strict=False))
    return bool(expected == actual)


# --- Calling


def _call(
    run: Run,
    action: str,
    payload: dict[str, Any] | None = None,
    answer: dict[str, Any] | None = None,
    error: str | None = None,
    connector: int = 1,
    timeout: float = _TIMEOUT,
) -> None:
    station = run.station
    try:
        response = station.client.call(action, _filled(station, connector, payload or {}), timeout=timeout, wait=True)
    except CallError as failed:
        station.provoked[failed.code] += error == failed.code
        if error != failed.code:
            raise Failure(f"{action} was answered with {failed}") from None
        return
    except OcppError as failed:
        raise Failure(str(failed)) from None
    if error is not None:
        raise Failure(f"{action} was answered with {response}, not with the error {error}")
    if answer is not None and not is_part(answer, response):
        raise Failure(f"{action} was answered with {response}, which has not {answer}")


def _filled(station: Station, connector: int, value: Any) -> Any:
    """A payload with what stands for something in it: ``"$now"``, ``"$transaction"``."""
    if isinstance(value, dict):
        return {name: _filled(station, connector, inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(station, connector, inner) for inner in value]
    if value == "$now":
        return format_time(station.now())
    if value == "$transaction":
        transaction = station.connector(connector).transaction
        if transaction is None or transaction.id is None:
            raise Failure(f"there is no transaction at connector {connector} whose id the CSMS has told")
        return transaction.id
    return value


# --- The table


def _nothing_wrong(item: dict[str, Any]) -> str | None:
    return None


def _one_of(*names: str) -> Callable[[dict[str, Any]], str | None]:
    def problem(item: dict[str, Any]) -> str | None:
        given = [name for name in names if name in item]
        return None if len(given) == 1 else f"it needs one of {', '.join(names)}{', not ' + ' and '.join(given) if given else ''}"

    return problem


def _expectation(item: dict[str, Any]) -> str | None:
    problem = _one_of("request", "sent", "answer", "error", "state")(item)
    of_message = [name for name in ("payload", "any_order") if name in item]
    return f"{of_message[0]} is of a message, not of a state" if problem is None and "state" in item and of_message else problem


def _one_end(item: dict[str, Any]) -> str | None:
    return "it has an answer or an error, not both" if "answer" in item and "error" in item else None


@dataclass(frozen=True)
class Kind:
    """A kind of step.

    Attributes:
        act: Does it.
        fields: What it may be given.
        problem: What is wrong with the whole of it; None is nothing.
    """

    act: Callable[..., None]
    fields: dict[str, Field]
    problem: Callable[[dict[str, Any]], str | None] = _nothing_wrong


_CONNECTOR = {"connector": Field(int, least=1)}
_PATIENCE = {"timeout": Field(float, least=0)}
_TOKEN = {"token": Field(str, required=True)}
_PERCENT = Field(float, least=0, most=100)

STEPS: dict[str, Kind] = {
    "plug": Kind(
        _plug,
        {
            **_CONNECTOR,
            "soc": _PERCENT,
            "target": _PERCENT,
            "capacity": Field(float, least=1),
            "power": Field(float, least=0.1, most=1000),
        },
    ),
    "unplug": Kind(_unplug, _CONNECTOR),
    "authorize": Kind(_authorize, {**_TOKEN, **_CONNECTOR}),
    "start": Kind(_start, {**_TOKEN, **_CONNECTOR, **_PATIENCE}),
    "stop": Kind(_stop, {**_CONNECTOR, "reason": Field(str, values=tuple(reason.value for reason in Reason))}),
    "fault": Kind(_fault, {**_CONNECTOR, "error": Field(str, values=FAULTS)}),
    "clear": Kind(_clear, _CONNECTOR),
    "offline": Kind(_offline, {"seconds": Field(float, least=0)}),
    "online": Kind(_online, _PATIENCE),
    "reboot": Kind(_reboot, _PATIENCE),
    "wait": Kind(
        _wait,
        {
            "seconds": Field(float, least=0),
            "state": Field(str, values=_STATES),
            "energy": Field(float, least=0),
            "message": Field(str),
            **_CONNECTOR,
            **_PATIENCE,
        },
        _one_of("seconds", "state", "energy", "message"),
    ),
    "expect": Kind(
        _expect,
        {
            "request": Field(str),
            "sent": Field(str),
            "answer": Field(str),
            "error": Field(str),
            "state": Field(str, values=_STATES),
            "payload": Field(dict),
            "any_order": Field(bool),
            **_CONNECTOR,
            **_PATIENCE,
        },
        _expectation,
    ),
    "call": Kind(
        _call,
        {
            "action": Field(str, required=True),
            "payload": Field(dict),
            "answer": Field(dict),
            "error": Field(str),
            **_CONNECTOR,
            **_PATIENCE,
        },
        _one_end,
    ),
    "repeat": Kind(_plug, {"times": Field(int, required=True, least=1), "steps": Field(list, required=True)}),
}
