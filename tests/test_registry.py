"""Who is connected: the newest connection of each identity, looked up, waited for and forgotten."""

from __future__ import annotations

import threading
from typing import cast

import pytest

from ocpp_sync.registry import Registry
from ocpp_sync.server_connection import OcppClientConnection

from .support import TIMEOUT, in_thread


class Peer:
    """All of a connection that a registry looks at."""

    def __init__(self, identity: str, version: str) -> None:
        self.identity = identity
        self.version = version


def connection(identity: str, version: str = "2.0.1") -> OcppClientConnection:
    return cast(OcppClientConnection, Peer(identity, version))


@pytest.fixture
def registry() -> Registry:
    return Registry()


# --- the newest one (A9)


def test_a9_the_newest_connection_takes_the_place_of_the_older_one(registry: Registry) -> None:
    first, second, third = (connection("CP1") for _ in range(3))
    assert registry.add(first) is None
    assert registry.add(second) is first
    assert registry.add(third) is second
    assert registry.get("CP1") is third
    assert registry.snapshot() == {"CP1": third}


def test_a9_who_connected_first_is_the_older_one_whenever_its_thread_comes(registry: Registry) -> None:
    older, newer = connection("CP1"), connection("CP1")
    first, second = registry.next_number(), registry.next_number()
    assert registry.add(newer, second) is None
    assert registry.add(older, first) is older
    assert registry.get("CP1") is newer
    registry.discard(older)
    assert registry.get("CP1") is newer


def test_a9_the_late_end_of_the_older_one_leaves_the_newer_one(registry: Registry) -> None:
    older, newer = connection("CP1"), connection("CP1")
    registry.add(older)
    registry.add(newer)
    registry.discard(older)
    assert registry.get("CP1") is newer
    registry.discard(newer)
    assert registry.get("CP1") is None


def test_a_connection_may_be_discarded_twice_or_without_having_been_added(registry: Registry) -> None:
    one, other = connection("CP1"), connection("CP2")
    registry.add(one)
    registry.discard(other)
    assert registry.snapshot() == {"CP1": one}
    registry.discard(one)
    registry.discard(one)
    assert registry.snapshot() == {}


def test_a9_many_at_once_leave_one(registry: Registry) -> None:
    count = 8
    start = threading.Barrier(count)

    def come(one: OcppClientConnection) -> OcppClientConnection | None:
        start.wait(TIMEOUT)
        return registry.add(one)

    connections = [connection("CP1") for _ in range(count)]
    replaced = [future.result() for future in [in_thread(come, one) for one in connections]]
    left = [one for one in connections if one not in replaced]
    assert left == [registry.get("CP1")]
    assert replaced.count(None) == 1


# --- the same whatever the case (A2)


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_a2_an_identity_of_2x_is_the_same_whatever_its_case(registry: Registry, version: str) -> None:
    older, newer = connection("cp-1", version), connection("CP-1", version)
    registry.add(older)
    assert registry.get("Cp-1") is registry.require("CP-1") is older
    assert registry.add(newer) is older
    assert registry.snapshot() == {"CP-1": newer}
    registry.discard(older)
    assert registry.get("cp-1") is newer


def test_a2_an_identity_of_16_is_what_it_is(registry: Registry) -> None:
    lower, upper = connection("cp1", "1.6"), connection("CP1", "1.6")
    registry.add(lower)
    assert registry.add(upper) is None
    assert (registry.get("cp1"), registry.get("CP1"), registry.get("Cp1")) == (lower, upper, None)


def test_a2_the_exact_identity_comes_first(registry: Registry) -> None:
    new, old = connection("cp1", "2.0.1"), connection("CP1", "1.6")
    assert registry.add(new) is registry.add(old) is None
    assert (registry.get("cp1"), registry.get("CP1"), registry.get("Cp1")) == (new, old, new)


def test_a9_a_charge_point_that_has_changed_its_version_is_replaced_too(registry: Registry) -> None:
    old, new, older_again = connection("CP1", "1.6"), connection("CP1", "2.1"), connection("CP1", "1.6")
    registry.add(old)
    assert registry.add(new) is old
    assert registry.add(older_again) is new
    assert registry.snapshot() == {"CP1": older_again}


# --- looking up


def test_the_error_of_a_look_up_names_who_is_there(registry: Registry) -> None:
    with pytest.raises(KeyError, match="CP1 is not connected; connected: nobody"):
        registry.require("CP1")
    for number in (3, 2):
        registry.add(connection(f"CP{number}"))
    with pytest.raises(KeyError, match="CP1 is not connected; connected: CP2, CP3'"):
        registry.require("CP1")


def test_the_error_of_a_look_up_does_not_name_thousands(registry: Registry) -> None:
    for number in range(1000):
        registry.add(connection(f"CP{number:03}"))
    with pytest.raises(KeyError, match=r"connected: CP000, CP001, .*, CP019 and 980 more'"):
        registry.require("CPX")


def test_a_snapshot_does_not_change(registry: Registry) -> None:
    one = connection("CP1")
    registry.add(one)
    snapshot = registry.snapshot()
    registry.discard(one)
    registry.add(connection("CP2"))
    assert snapshot == {"CP1": one}
    snapshot.clear()
    assert list(registry.snapshot()) == ["CP2"]


# --- waiting


def test_who_is_there_need_not_be_waited_for(registry: Registry) -> None:
    one = connection("CP1")
    registry.add(one)
    assert registry.wait_for("CP1", 0) is registry.wait_for("cp1", None) is one


def test_one_that_comes_ends_the_wait_of_all(registry: Registry) -> None:
    one = connection("CP1")
    waiting = [in_thread(registry.wait_for, identity, TIMEOUT) for identity in ("CP1", "cp1", "CP1")]
    registry.add(connection("CP2"))
    registry.add(one)
    assert all(future.result() is one for future in waiting)


@pytest.mark.parametrize(("timeout", "text"), [(0, "0 s"), (0.01, "0.01 s"), (-1, "-1 s")])
def test_nobody_comes(registry: Registry, timeout: float, text: str) -> None:
    registry.add(connection("CP2"))
    with pytest.raises(TimeoutError, match=f"CP1 has not connected within {text}"):
        registry.wait_for("CP1", timeout)
