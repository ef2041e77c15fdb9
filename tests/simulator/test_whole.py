"""All of a simulated charge point, and many of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync import (
    OcppServer,
    describe,
    utcnow,
)
from ocpp_sync.simulator import Fleet, Note, Station
from ocpp_sync.simulator.agenda import Agenda
from ocpp_sync.simulator.configuration import Configuration
from ocpp_sync.simulator.connector import Reason, State
from ocpp_sync.simulator.fleet import Latencies, identities
from ocpp_sync.testing import Drop, FakeClock, ScriptedCsms

from ..support import TIMEOUT, VERSIONS
from .bench import Make, each_2x, each_version, wait_for

# --- The whole


@each_2x
def test_the_status_of_transactions(make: Make, version: str) -> None:
    bench = make(version)
    assert bench.ask("GetTransactionStatus") == {"messagesInQueue": False}
    transaction = bench.charge()
    wait_for(lambda: not list(bench.station.client.outbox.pending()))
    assert bench.ask("GetTransactionStatus", transactionId=transaction) == {"ongoingIndicator": True, "messagesInQueue": False}
    bench.csms.script("TransactionEvent", Drop())
    bench.station.stop()
    assert bench.ask("GetTransactionStatus", transactionId=transaction) == {"ongoingIndicator": False, "messagesInQueue": True}
    assert bench.ask("GetTransactionStatus") == {"messagesInQueue": True}


def test_a_task_that_fails_ends_nothing(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    failures: list[Exception] = []
    agenda = Agenda("test agenda", clock, 1.0, failures.append)
    done = threading.Event()
    agenda.soon(lambda: 1 / 0)
    agenda.after(5, done.set)
    agenda.after(1, lambda: failures.append(ValueError())).cancel()
    clock.run(done)
    agenda.close()
    assert agenda.join(TIMEOUT)
    assert [type(each) for each in failures] == [ZeroDivisionError]
    agenda.soon(done.clear)
    assert done.is_set()


def test_a_fault_of_the_simulator_is_counted(make: Make) -> None:
    bench = make("1.6")
    bench.station.agenda.soon(lambda: 1 / 0)
    assert bench.station.wait_until(lambda it: it.errors["crash"] == 1)


def test_a_message_that_cannot_be_queued_is_lost(make: Make) -> None:
    bench = make("1.6")
    assert bench.station.put(("StopTransaction", {"transactionId": "unknown", "meterStop": 0, "timestamp": utcnow()})) is None
    assert bench.station.errors["lost"] == 1


def test_a_link_that_cannot_be_is_told(csms: ScriptedCsms, tmp_path: Path) -> None:
    missing = tmp_path / "ca.pem"
    notes: list[Note] = []
    with Station("CP1", cafile=missing, listen=notes.append).start("wss://127.0.0.1:1") as station:
        assert station.wait_until(lambda it: it.errors["link"] == 1)
    assert "ca.pem" in notes[-1].text


def test_all_messages_are_valid_in_any_state() -> None:
    """Each reason and each state has its words in every version."""
    from ocpp_sync.simulator.messages2x import _REASONS, connector_status
    from ocpp_sync.simulator.messages16 import _REASONS as REASONS_16

    for version in VERSIONS[1:]:
        text = str(describe("TransactionEvent", version=version))
        for stopped, trigger in _REASONS.values():
            assert stopped in text
            assert trigger in text
    assert set(_REASONS) == set(REASONS_16) == set(Reason)
    assert {connector_status(state) for state in State} == {"Available", "Occupied", "Reserved", "Unavailable", "Faulted"}


def test_settings_are_those_of_the_standard() -> None:
    for version in VERSIONS:
        configuration = Configuration.standard(version, {}, lambda name: None)
        assert all(setting.takes(setting.text) for setting in configuration if setting.mutability == "RW"), version


# --- Many


def test_identities() -> None:
    assert identities("CP", 1) == ["CP"]
    assert identities("CP", 3) == ["CP0001", "CP0002", "CP0003"]
    assert identities("A-{}-B", 2) == ["A-1-B", "A-2-B"]
    assert identities("A%d", 1) == ["A1"]
    with pytest.raises(ValueError, match="several places"):
        identities("{}{}", 2)


def test_latencies() -> None:
    latencies = Latencies()
    assert latencies.quantile(0.5) == 0.0
    for number in range(20_000):
        latencies.add(number / 1000)
    assert latencies.count == 20_000
    assert latencies.max == 19.999
    assert 8 < latencies.quantile(0.5) < 12


@pytest.fixture
def central() -> Iterator[OcppServer]:
    from ocpp_sync.csms import Csms

    with OcppServer() as server, Csms(server):
        yield server.listen(0, "127.0.0.1")


def run_fleet(server: OcppServer, count: int, sessions: int, version: str) -> tuple[Fleet, dict[str, Any]]:
    def make_one(identity: str, listen: Any) -> Station:
        return Station(identity, version=version, speed=600.0, seed=7, listen=listen)

    with Fleet(identities("CP", count), make_one) as fleet:
        fleet.start(server.url, stagger=0.01)
        fleet.drive(["A", "B", "C"])
        fleet.lose_links(2.0)
        assert all(station.wait_ready(60) for station in fleet.stations)
        while fleet.summary()["sessions"] < sessions:
            threading.Event().wait(0.1)
    return fleet, fleet.summary()


def test_a_fleet_for_a_moment(central: OcppServer) -> None:
    fleet, summary = run_fleet(central, 50, 10, "2.0.1")
    assert fleet.problems(summary) == []
    assert summary["stations"] == summary["accepted"] == 50
    assert summary["sessions"] >= 10
    assert summary["calls"] > 200
    assert summary["latency"]["median"] <= summary["latency"]["p95"] <= summary["latency"]["max"]


@pytest.mark.nightly
@each_version
def test_a_fleet_for_long(central: OcppServer, version: str) -> None:
    fleet, summary = run_fleet(central, 50, 300, version)
    assert fleet.problems(summary) == []
    assert summary["reconnects"] > 10


def test_a_fleet_that_cannot_be_made_leaves_nothing_behind() -> None:
    def make_one(identity: str, listen: Any) -> Station:
        if identity == "CP0003":
            raise ValueError("no more")
        return Station(identity)

    with pytest.raises(ValueError, match="no more"):
        Fleet(identities("CP", 5), make_one)


def test_what_is_a_problem() -> None:
    fleet = Fleet([], Station)
    summary = fleet.summary()
    assert fleet.problems(summary) == []
    summary |= {"stations": 2, "accepted": 1, "callErrors": {"GenericError": 2}, "timeouts": 1, "invalid": 3}
    summary |= {"refused": {"NotSupported": 4, "InternalError": 1}, "errors": {"lost": 5, "callerror": 2}}
    assert fleet.problems(summary) == [
        "2 × GenericError from the CSMS",
        "1 × InternalError to the CSMS",
        "1 × no answer",
        "3 × an invalid answer",
        "5 × a message lost",
        "1 not accepted by the CSMS",
    ]
    assert len(fleet.problems(summary, is_cut_short=True)) == 5
