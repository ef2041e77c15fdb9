"""What the CSMS asks for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from gpiozero.pins.mock import MockFactory

from ocpp_sync import parse_time
from ocpp_sync.testing import Answer

from ..support import TIMEOUT, wait_until
from .bench import Bench, Csms, charge


def test_remote_start_and_stop(booted: Bench, csms: Csms) -> None:
    assert csms.ask("RemoteStopTransaction", transactionId=1) == {"status": "Rejected"}
    booted.plug()
    assert csms.ask("RemoteStartTransaction", idTag="REMOTE-1") == {"status": "Accepted"}
    booted.wait_closed()
    assert csms.wait_for("StartTransaction").payload["idTag"] == "REMOTE-1"
    csms.wait_state("Charging")
    assert csms.ask("RemoteStartTransaction", idTag="REMOTE-2") == {"status": "Rejected"}
    assert csms.ask("RemoteStopTransaction", transactionId=7) == {"status": "Rejected"}
    assert csms.ask("RemoteStopTransaction", transactionId=1) == {"status": "Accepted"}
    booted.wait_open()
    assert csms.wait_for("StopTransaction").payload["reason"] == "Remote"
    assert not csms.all("Authorize")


def test_a_remote_start_may_need_an_authorization(booted: Bench, csms: Csms) -> None:
    assert csms.ask("ChangeConfiguration", key="AuthorizeRemoteTxRequests", value="true") == {"status": "Accepted"}
    csms.script("Authorize", Answer({"idTagInfo": {"status": "Invalid"}}))
    booted.plug()
    assert csms.ask("RemoteStartTransaction", idTag="REMOTE-1") == {"status": "Accepted"}
    csms.wait_for("Authorize")
    assert csms.ask("RemoteStartTransaction", idTag="REMOTE-2") == {"status": "Accepted"}
    booted.wait_closed()
    assert csms.wait_for("StartTransaction").payload["idTag"] == "REMOTE-2"


def test_remote_start_and_stop_by_2_0_1(make_bench: Callable[..., Bench], csms: Csms) -> None:
    token = {"idToken": "REMOTE-1", "type": "Central"}
    with make_bench("2.0.1").run(csms.url) as bench:
        csms.wait_state("Available")
        bench.plug()
        assert csms.ask("RequestStartTransaction", idToken=token, remoteStartId=5) == {"status": "Accepted"}
        started = csms.events("Started")[0]
        assert (started["triggerReason"], started["transactionInfo"]["remoteStartId"]) == ("RemoteStart", 5)
        assert started["idToken"] == token
        handle = started["transactionInfo"]["transactionId"]
        assert csms.ask("GetTransactionStatus", transactionId=handle)["ongoingIndicator"] is True
        assert csms.ask("RequestStopTransaction", transactionId="another") == {"status": "Rejected"}
        assert csms.ask("RequestStopTransaction", transactionId=handle) == {"status": "Accepted"}
        assert csms.events("Ended")[0]["triggerReason"] == "RemoteStop"
        bench.wait_open()


@pytest.mark.parametrize(("kind", "outcome", "reason"), [("Soft", "restart", "SoftReset"), ("Hard", "reboot", "HardReset")])
def test_reset(kind: str, outcome: str, reason: str, make_bench: Callable[..., Bench], csms: Csms) -> None:
    bench = make_bench()
    with bench.run(csms.url, outcome):
        csms.wait_state("Available")
        charge(bench, csms)
        assert csms.ask("Reset", type=kind) == {"status": "Accepted"}
        assert csms.wait_for("StopTransaction").payload["reason"] == reason
        bench.wait_open()
        bench.running.result(3 * TIMEOUT)


def test_reset_by_2_0_1_may_wait(make_bench: Callable[..., Bench], csms: Csms) -> None:
    bench = make_bench("2.0.1")
    with bench.run(csms.url, "restart"):
        csms.wait_state("Available")
        charge(bench, csms)
        assert csms.ask("Reset", type="OnIdle") == {"status": "Scheduled"}
        bench.settle()
        assert bench.pin["contactor"].state
        bench.cards.hold()
        csms.events("Ended")
        bench.running.result(3 * TIMEOUT)
    with bench.run(csms.url):
        assert csms.wait_for("BootNotification", 2).payload["reason"] == "ScheduledReset"
        assert wait_until(lambda: bench.controller.memory["boot_reason"] == "PowerUp")


def test_availability_outlives_a_restart(make_bench: Callable[..., Bench], csms: Csms) -> None:
    bench = make_bench()
    with bench.run(csms.url):
        csms.wait_state("Available")
        charge(bench, csms)
        csms.wait_state("Charging")
        assert csms.ask("ChangeAvailability", connectorId=1, type="Inoperative") == {"status": "Scheduled"}
        bench.cards.hold()
        csms.wait_state("Unavailable")
        bench.cards.hold()
        bench.cards.wait_read()
        bench.settle()
        assert csms.ask("RemoteStartTransaction", idTag="REMOTE-1") == {"status": "Rejected"}
        bench.unplug()
    csms.clear()
    with bench.run(csms.url):
        csms.wait_state("Unavailable")
        assert csms.ask("ChangeAvailability", connectorId=2, type="Operative") == {"status": "Rejected"}
        assert csms.ask("ChangeAvailability", connectorId=0, type="Operative") == {"status": "Accepted"}
        csms.wait_state("Available")


def test_unlock(make_bench: Callable[..., Bench], csms: Csms, factory: MockFactory) -> None:
    with make_bench().run(csms.url) as bench:
        csms.wait_state("Available")
        charge(bench, csms)
        assert csms.ask("UnlockConnector", connectorId=1) == {"status": "NotSupported"}
        assert bench.pin["contactor"].state
    csms.clear()
    bench = make_bench(pins={"plug": 25, "pilot": 18, "unlock": 5})
    with bench.run(csms.url):
        csms.wait_state("Available")
        charge(bench, csms)
        assert csms.ask("UnlockConnector", connectorId=1) == {"status": "Unlocked"}
        assert csms.wait_for("StopTransaction").payload["reason"] == "UnlockCommand"
        assert wait_until(lambda: True in [each.state for each in factory.pin(5).states])
        assert not bench.pin["contactor"].state


@pytest.mark.parametrize("wanted", ["BootNotification", "Heartbeat", "MeterValues", "StatusNotification"])
def test_trigger_message(wanted: str, bench: Bench, csms: Csms) -> None:
    with bench.run(csms.url):
        csms.wait_state("Available")
        count = len(csms.all(wanted))
        assert csms.ask("TriggerMessage", requestedMessage=wanted) == {"status": "Accepted"}
        csms.wait_for(wanted, count + 1)


def test_what_cannot_be_triggered(booted: Bench, csms: Csms) -> None:
    assert csms.ask("TriggerMessage", requestedMessage="FirmwareStatusNotification") == {"status": "NotImplemented"}
    assert csms.ask("TriggerMessage", requestedMessage="StatusNotification", connectorId=2) == {"status": "Rejected"}


def test_configuration_keys(booted: Bench, csms: Csms) -> None:
    answer = csms.ask("GetConfiguration", key=["MeterValueSampleInterval", "NumberOfConnectors", "Nonsense"])
    assert answer["unknownKey"] == ["Nonsense"]
    assert answer["configurationKey"] == [
        {"key": "MeterValueSampleInterval", "readonly": False, "value": "60"},
        {"key": "NumberOfConnectors", "readonly": True, "value": "1"},
    ]
    for key, value, status in (
        ("MeterValueSampleInterval", "300", "Accepted"),
        ("MeterValueSampleInterval", "soon", "Rejected"),
        ("NumberOfConnectors", "2", "Rejected"),
        ("Nonsense", "1", "NotSupported"),
    ):
        assert csms.ask("ChangeConfiguration", key=key, value=value) == {"status": status}, key
    assert csms.ask("ChangeConfiguration", key="TransactionMessageAttempts", value="7") == {"status": "Accepted"}
    assert booted.controller.client.outbox.attempts == 7
    assert csms.ask("ChangeConfiguration", key="HeartbeatInterval", value="77") == {"status": "Accepted"}
    assert booted.controller.client.heartbeat_interval == 77
    charge(booted, csms)
    booted.pass_time(610)
    csms.wait_for("MeterValues", 2)
    times = [parse_time(each["meterValue"][0]["timestamp"]) for each in csms.all("MeterValues")]
    assert (times[1] - times[0]).total_seconds() == pytest.approx(300, abs=60)  # by the CSMS's clock
    assert len(csms.ask("GetConfiguration")["configurationKey"]) > 20


def test_variables(make_bench: Callable[..., Bench], csms: Csms) -> None:
    interval = {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedInterval"}}
    attempts = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "MessageAttempts", "instance": "TransactionEvent"}}
    nonsense = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "Nonsense"}}
    nobody = {"component": {"name": "Nobody"}, "variable": {"name": "Nonsense"}}
    with make_bench("2.0.1").run(csms.url) as bench:
        csms.wait_state("Available")
        found = csms.ask("GetVariables", getVariableData=[interval, attempts, nonsense, nobody])["getVariableResult"]
        assert [each["attributeStatus"] for each in found] == ["Accepted", "Accepted", "UnknownVariable", "UnknownComponent"]
        assert [each.get("attributeValue") for each in found] == ["60", "3", None, None]
        data = [{**attempts, "attributeValue": "9"}, {**interval, "attributeValue": "x"}]
        done = csms.ask("SetVariables", setVariableData=data)["setVariableResult"]
        assert [each["attributeStatus"] for each in done] == ["Accepted", "Rejected"]
        assert bench.controller.client.outbox.attempts == 9
        assert csms.ask("GetBaseReport", requestId=1, reportBase="FullInventory") == {"status": "Accepted"}
        csms.wait_until(lambda it: any(not each["tbc"] for each in csms.all("NotifyReport")))
        reported = [item for each in csms.all("NotifyReport") for item in each["reportData"]]
        assert len(reported) == len(list(bench.controller.configuration))
