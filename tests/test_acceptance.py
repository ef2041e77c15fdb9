"""What is let pass without jsonschema is what jsonschema lets pass: of every message, valid and mutated in every way."""

from __future__ import annotations

import copy
import random
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from ocpp_sync import validation
from ocpp_sync.acceptance import acceptor
from ocpp_sync.schemas import VERSIONS, actions

from .integration.payloads import payload

MUTATIONS = 150  # of each message
MESSAGES = [
    (version, action, kind)
    for version in VERSIONS
    for action, entry in actions(version).items()
    for kind in ("request", "response")
    if kind == "request" or entry.response is not None
]

VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    1,
    1.0,
    2.5,
    8.1,
    4.11,
    10**30,
    -(2**63),
    2**63,
    1e308,
    float("nan"),
    float("inf"),
    -float("inf"),
    Decimal("8.1"),
    Decimal("NaN"),
    "",
    "x",
    "x" * 1000,
    "\ud800",
    "Accepted",
    "accepted",
    "2025-02-28T12:00:00Z",
    "2025-02-29T12:00:00Z",
    "2025-01-31T12:00:00.5-23:59",
    "2025-04-30T12:00:00Z",
    "2025-04-31T12:00:00Z",
    "2025-02-30T12:00:00Z",
    "2024-02-29T12:00:00+01:00",
    "2025-13-01T12:00:00Z",
    "0000-01-01T00:00:00Z",
    "2025-01-01T24:00:00Z",
    "2025-01-01T12:00:60Z",
    "2025-01-01T12:00:00.Z",
    "2025-01-01T12:00:00.123456789",
    "2025-01-01T12:00:00Z\n",
    "2025-01-01 12:00:00Z",
    "\u0661025-01-01T12:00:00Z",
    "https://csms.example",
    [],
    [1],
    [{}],
    {},
    {"vendorId": "x"},
    {"vendorId": "x", "more": 1},
    {"vendorId": "x", "more": float("nan")},
    {"vendorId": "x", "more": {"deep": [1]}},
    {1: 2},
    {"vendorId": "x", 1: 2},
    (),
    b"x",
]


class Text(str):
    """A subclass, of which nobody knows what it does."""


class Fields(dict[str, Any]):
    """The same."""


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something can be changed."""
    yield path
    for key, child in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(child, (*path, key))


def some(chance: random.Random) -> Any:
    return copy.deepcopy(chance.choice(VALUES))


def mutated(original: dict[str, Any], chance: random.Random) -> Any:
    """The payload with one to three changes, anywhere."""
    made: Any = copy.deepcopy(original)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        *path, key = chance.choice(list(places(made))[1:] or [("nothing",)])
        if key == "nothing":
            made[key] = some(chance)
            continue
        parent = made
        for part in path:
            parent = parent[part]
        value = parent[key]
        change = chance.randrange(10)
        if change == 0:
            del parent[key]
        elif change == 1 and isinstance(parent, dict):
            parent[chance.choice(("customData", "extra", "vendorId", "status", 7))] = some(chance)
        elif change == 2 and isinstance(value, list):
            parent[key] = value * chance.choice((0, 2, 30))
        elif change == 3 and isinstance(value, str):
            parent[key] = chance.choice((value.upper(), value + " ", value * 20, Text(value), value[:-1]))
        elif change == 4 and isinstance(value, (int, float)) and not isinstance(value, bool):
            parent[key] = chance.choice((-value, value + 1, value + 0.05, float(value), value * 10**6))
        elif change == 5 and isinstance(value, dict):
            parent[key] = Fields(value)
        else:
            parent[key] = some(chance)
        if not isinstance(made, dict) or not made:
            break
    return made


def refused(version: str, action: str, kind: str, value: Any) -> bool:
    """Whether jsonschema, with all that stands before it, refuses."""
    return validation._unlike_json(value) is not None or not validation._validator(version, action, kind).is_valid(value)


@pytest.mark.parametrize(("version", "action", "kind"), MESSAGES, ids=lambda value: str(value))
def test_what_is_accepted_is_valid(version: str, action: str, kind: str) -> None:
    chance = random.Random(f"{version} {action} {kind}")
    accept = acceptor(version, action, kind)
    accepted = 0
    for number in range(MUTATIONS):
        value = mutated(payload(version, action, ("minimal", "full")[number % 2], response=kind == "response"), chance)
        if accept(value):
            accepted += 1
            assert not refused(version, action, kind, value), value
    for value in VALUES:
        assert not accept(value) or not refused(version, action, kind, value), value


# It knows no URI, no multipleOf, and nothing of what may be anything.
LEFT_TO_JSONSCHEMA = {
    "DataTransfer",
    "GetDiagnostics",
    "UpdateFirmware",
    "RemoteStartTransaction",
    "SetChargingProfile",
    "GetCompositeSchedule",
}


@pytest.mark.parametrize(("version", "action", "kind"), MESSAGES, ids=lambda value: str(value))
def test_what_is_valid_is_accepted(version: str, action: str, kind: str) -> None:
    minimal = payload(version, action, "minimal", response=kind == "response")
    assert acceptor(version, action, kind)(minimal) or (version == "1.6" and action in LEFT_TO_JSONSCHEMA)


def test_who_only_speaks_correctly_needs_no_jsonschema() -> None:
    program = """
import sys
from ocpp_sync import OcppClient, OcppServer, utcnow
with OcppServer() as server:
    server.on("MeterValues", lambda charge_point, request: {})
    server.listen(0, "127.0.0.1")
    with OcppClient("CP1", version="1.6").connect(server.url) as client:
        client.call("MeterValues", {"connectorId": 1, "meterValue": [{"timestamp": utcnow(), "sampledValue": [{"value": "1"}]}]})
assert "jsonschema" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
