"""Without a link, and without power."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from charge_point.safety import Cause

from ocpp_sync.testing import Drop, FakeClock, FaultyLink

from ..support import TIMEOUT, wait_until
from .bench import IDENTITY, VERSIONS, Bench, Csms, charge


@pytest.mark.parametrize("version", VERSIONS)
def test_a_link_that_is_cut_ends_no_charge_and_nothing_is_lost(
    version: str, make_bench: Callable[..., Bench], csms: Csms, clock: FakeClock
) -> None:
    bench = make_bench(version)
    with FaultyLink(csms.port) as link, bench.run(link.url):
        csms.wait_state("Available")
        charge(bench, csms)
        csms.wait_state("Charging" if version == "1.6" else "Occupied")  # in 1.6 the start was answered then
        link.cut()
        link.refuse()
        assert wait_until(lambda: not bench.controller.client.connected)
        bench.pass_time(1800)
        assert bench.pin["contactor"].state
        bench.cards.hold()
        bench.wait_open()
        clock.wait_for("reconnect")  # else it is just connecting
        link.heal()
        clock.advance_to("reconnect")
        if version == "1.6":
            stop = csms.wait_for("StopTransaction", timeout=3 * TIMEOUT).payload
            assert (stop["transactionId"], stop["meterStop"]) == (1, 1840)
            assert len(csms.all("MeterValues")) == 30
        else:
            ended = csms.events("Ended")[0]
            assert ended["offline"] is True
            assert ended["meterValue"][0]["sampledValue"][0]["value"] == 1840


def test_a_link_that_is_lost_for_too_long_ends_it(make_bench: Callable[..., Bench], csms: Csms, clock: FakeClock) -> None:
    bench = make_bench(safety={"link-lost": {"policy": "keep until limit", "minutes": 30}})
    with bench.run(csms.url):
        csms.wait_state("Available")
        charge(bench, csms)
        csms.wait_state("Charging")
        csms.stop()
        assert wait_until(lambda: not bench.controller.client.connected)
        bench.settle()
        bench.pass_time(1790)
        assert bench.pin["contactor"].state
        bench.pass_time(20)
        bench.wait_open()
        assert wait_until(lambda: bench.controller.session is None)
        bench.cards.hold()  # nor does another one begin
        bench.settle()
        assert not bench.pin["contactor"].state
        csms.start()
        clock.advance_to("reconnect")
        assert csms.wait_for("StopTransaction").payload["reason"] == "Other"
        assert len(csms.all("StartTransaction")) == 1


@pytest.mark.parametrize(
    ("tag", "known", "unknown", "charges"),
    [
        ("900D0001", "true", "false", True),
        ("900D0001", "false", "false", False),
        ("BAD00002", "true", "true", False),
        ("01D00003", "true", "true", False),
        ("DEADBEEF", "true", "false", False),
        ("DEADBEEF", "true", "true", True),
    ],
)
def test_the_offline_policy(tag: str, known: str, unknown: str, charges: bool, booted: Bench, csms: Csms) -> None:
    listed = [
        {"idTag": "900d0001", "idTagInfo": {"status": "Accepted", "expiryDate": "2030-01-01T00:00:00Z"}},
        {"idTag": "BAD00002", "idTagInfo": {"status": "Blocked"}},
        {"idTag": "01D00003", "idTagInfo": {"status": "Accepted", "expiryDate": "2024-01-01T00:00:00Z"}},
    ]
    answer = csms.ask("SendLocalList", listVersion=4, updateType="Full", localAuthorizationList=listed)
    assert answer == {"status": "Accepted"}
    assert csms.ask("GetLocalListVersion") == {"listVersion": 4}
    for key, value in (("LocalAuthorizeOffline", known), ("AllowOfflineTxForUnknownId", unknown)):
        assert csms.ask("ChangeConfiguration", key=key, value=value) == {"status": "Accepted"}
    csms.stop()
    assert wait_until(lambda: not booted.controller.client.connected)
    booted.plug()
    booted.cards.hold(tag)
    if charges:
        booted.wait_closed()
    else:
        booted.cards.wait_read()
        booted.settle()
        assert not booted.pin["contactor"].state


def test_the_local_list_is_updated(booted: Bench, csms: Csms) -> None:
    def send(version: int, kind: str, *entries: dict[str, Any]) -> str:
        answer = csms.ask("SendLocalList", listVersion=version, updateType=kind, localAuthorizationList=list(entries))
        status: str = answer["status"]
        return status

    assert send(1, "Full", {"idTag": "A", "idTagInfo": {"status": "Accepted"}}) == "Accepted"
    assert send(1, "Differential", {"idTag": "A"}) == "VersionMismatch"
    assert send(2, "Differential", {"idTag": "A"}, {"idTag": "B", "idTagInfo": {"status": "Accepted"}}) == "Accepted"
    assert list(booted.controller.memory["list"]) == ["b"]
    assert csms.ask("ChangeConfiguration", key="LocalAuthListEnabled", value="false") == {"status": "Accepted"}
    assert csms.ask("GetLocalListVersion") == {"listVersion": -1}
    assert send(3, "Full") == "NotSupported"


def test_a_power_cut_leaves_no_transaction_open(bench: Bench, csms: Csms) -> None:
    with bench.run(csms.url):
        csms.wait_state("Available")
        charge(bench, csms)
        csms.wait_state("Charging" if bench.settings.csms.version == "1.6" else "Occupied")
        assert wait_until(lambda: len(bench.controller.client.outbox) == 0)  # so the answer to the StartTransaction is on disk
        bench.cut_power()
        bench.unplug()
    with bench.run(csms.url):
        if bench.settings.csms.version == "1.6":
            stop = csms.wait_for("StopTransaction").payload
            assert (stop["transactionId"], stop["reason"]) == (1, "PowerLoss")
        else:
            ended = csms.events("Ended")[0]
            started = csms.events("Started")[0]
            assert ended["transactionInfo"]["transactionId"] == started["transactionInfo"]["transactionId"]
            assert ended["transactionInfo"]["stoppedReason"] == "PowerLoss"
        csms.wait_state("Available")
        bench.settle()
        assert not list(bench.controller.client.outbox.open_transactions())


def test_who_may_be_silent_for_how_long_follows_the_heartbeats(make_bench: Callable[..., Bench], csms: Csms) -> None:
    safety = {"csms-silent": {"policy": "stop"}, "csms_seconds": 1.0}
    with make_bench(meter={"seconds": 50.0}, safety=safety).run(csms.url) as bench:
        csms.wait_state("Available")
        assert csms.ask("ChangeConfiguration", key="HeartbeatInterval", value="3600") == {"status": "Accepted"}
        csms.script("*", lambda request: Drop())
        bench.pass_time(7100)
        assert Cause.CSMS_SILENT not in bench.controller.guard.reasons
        bench.pass_time(150)
        assert wait_until(lambda: Cause.CSMS_SILENT in bench.controller.guard.reasons)
        csms.script("*")  # from here on it answers
        assert csms.ask("ChangeConfiguration", key="HeartbeatInterval", value="30") == {"status": "Accepted"}
        assert wait_until(lambda: Cause.CSMS_SILENT not in bench.controller.guard.reasons)
        csms.script("*", lambda request: Drop())
        bench.pass_time(150)
        assert wait_until(lambda: Cause.CSMS_SILENT in bench.controller.guard.reasons)
        csms.disconnect(IDENTITY)
