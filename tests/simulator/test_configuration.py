"""Configuration keys, variables and triggers of a simulated charge point."""

from __future__ import annotations

import pytest

from ocpp_sync import (
    CallError,
    configuration_keys,
    hex_password,
    variables,
)

from .bench import Make, address, each_2x, each_version, wait_for

# --- Configuration


def test_configuration_keys_of_16(make: Make) -> None:
    bench = make("1.6")
    found = bench.ask("GetConfiguration")["configurationKey"]
    known = configuration_keys()
    assert {entry["key"] for entry in found} <= set(known)
    required = {key.name for key in known.values() if key.required and key.profile not in ("PlugAndCharge", "Security")}
    assert required <= {entry["key"] for entry in found}
    by_key = {entry["key"]: entry for entry in found}
    assert "value" not in by_key["AuthorizationKey"]
    assert by_key["NumberOfConnectors"] == {"key": "NumberOfConnectors", "readonly": True, "value": "1"}
    answer = bench.ask("GetConfiguration", key=["heartbeatinterval", "Nonsense"])
    assert answer["configurationKey"][0]["key"] == "HeartbeatInterval"
    assert answer["unknownKey"] == ["Nonsense"]


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        ("Nonsense", "1", "NotSupported"),
        ("NumberOfConnectors", "5", "Rejected"),
        ("SecurityProfile", "2", "Rejected"),
        ("HeartbeatInterval", "-1", "Rejected"),
        ("LocalPreAuthorize", "maybe", "Rejected"),
        ("LocalPreAuthorize", "TRUE", "Accepted"),
        ("MeterValuesSampledData", "Energy.Active.Import.Register,SoC", "Accepted"),
        ("MeterValuesSampledData", "RPM", "Rejected"),
        ("ConnectorPhaseRotation", "1.RTS", "Accepted"),
        ("WebSocketPingInterval", "55", "RebootRequired"),
        ("AuthorizationKey", "short", "Rejected"),
        ("AuthorizationKey", "00112233445566778899aabbccddeeff", "Accepted"),
        ("TransactionMessageAttempts", "5", "Accepted"),
        ("TransactionMessageAttempts", "0", "Accepted"),
        ("TransactionMessageRetryInterval", "9", "Accepted"),
    ],
)
def test_change_configuration(make: Make, key: str, value: str, status: str) -> None:
    bench = make("1.6")
    assert bench.status("ChangeConfiguration", key=key, value=value) == status
    shown = [note.text for note in bench.notes if note.what == "configuration"]
    assert all("00112233" not in text for text in shown)


def test_what_the_configuration_changes(make: Make) -> None:
    bench = make("1.6")
    client = bench.station.client
    for key, value in (("TransactionMessageAttempts", "5"), ("TransactionMessageRetryInterval", "9"), ("WebSocketPingInterval", "55")):
        bench.status("ChangeConfiguration", key=key, value=value)
    assert (client.outbox.attempts, client.outbox.retry_interval) == (5, 9.0)
    assert client.ping_interval == 30
    bench.reset("soft")
    bench.until(lambda: bench.station.presence.boots == 2)
    assert client.ping_interval == 55
    key = "00112233445566778899aabbccddeeff"
    bench.status("ChangeConfiguration", key="AuthorizationKey", value=key)
    assert client._password == hex_password(key)


@each_2x
def test_variables_of_2x(make: Make, version: str) -> None:
    bench = make(version)
    assert bench.get_variable("SampledDataCtrlr.TxUpdatedInterval")["attributeValue"] == "60"
    assert bench.get_variable("sampleddatactrlr.txupdatedinterval")["attributeStatus"] == "Accepted"
    assert bench.get_variable("EVSE.AvailabilityState", {"id": 1})["attributeValue"] == "Available"
    assert bench.get_variable("EVSE.Power", {"id": 1})["attributeValue"] == "0"
    assert bench.get_variable("Connector.ConnectorType", {"id": 1, "connectorId": 1})["attributeValue"] == "cType2"
    assert bench.get_variable("Nonsense.Enabled")["attributeStatus"] == "UnknownComponent"
    assert bench.get_variable("EVSE.Power", {"id": 7})["attributeStatus"] == "UnknownComponent"
    assert bench.get_variable("TxCtrlr.Nonsense")["attributeStatus"] == "UnknownVariable"
    assert bench.get_variable("TxCtrlr.EVConnectionTimeOut", attributeType="Target")["attributeStatus"] == "NotSupportedAttributeType"
    secret = bench.get_variable("SecurityCtrlr.BasicAuthPassword")
    assert secret["attributeStatus"] == "Rejected"
    assert "attributeValue" not in secret
    assert bench.get_variable("ClockCtrlr.DateTime")["attributeValue"].endswith("Z")
    assert bench.set_variable("TxCtrlr.TxStartPoint", "Authorized")["attributeStatus"] == "Rejected"
    assert bench.set_variable("TxCtrlr.EVConnectionTimeOut", "soon")["attributeStatus"] == "Rejected"
    assert bench.set_variable("TxCtrlr.EVConnectionTimeOut", "30")["attributeStatus"] == "Accepted"
    assert bench.set_variable("OCPPCommCtrlr.WebSocketPingInterval", "9")["attributeStatus"] == "RebootRequired"
    assert bench.set_variable("SecurityCtrlr.BasicAuthPassword", "a-secret-of-20-chars")["attributeStatus"] == "Accepted"
    assert bench.station.client._password == "a-secret-of-20-chars"
    assert bench.set_variable("Nonsense.X", "1")["attributeStatus"] == "UnknownComponent"
    assert bench.set_variable("SmartChargingCtrlr.LimitChangeSignificance", "1.5")["attributeStatus"] == "Accepted"
    assert bench.set_variable("ClockCtrlr.TimeSource", "Sundial")["attributeStatus"] == "Rejected"


@each_2x
@pytest.mark.parametrize(("base", "least"), [("FullInventory", 40), ("ConfigurationInventory", 15), ("SummaryInventory", 4)])
def test_base_reports(make: Make, version: str, base: str, least: int) -> None:
    bench = make(version)
    assert bench.status("GetBaseReport", requestId=5, reportBase=base) == "Accepted"
    wait_for(lambda: bench.sent("NotifyReport") and not bench.sent("NotifyReport")[-1]["tbc"])
    reports = bench.sent("NotifyReport")
    assert [report["seqNo"] for report in reports] == list(range(len(reports)))
    assert [report["tbc"] for report in reports] == [True] * (len(reports) - 1) + [False]
    data = [entry for report in reports for entry in report["reportData"]]
    assert len(data) >= least
    if base == "FullInventory":
        names = {f"{entry['component']['name']}.{entry['variable']['name']}" for entry in data}
        controllers = {variable.component for variable in variables(version=version).values()} & {name.partition(".")[0] for name in names}
        assert {"TxCtrlr", "SampledDataCtrlr", "AuthCtrlr", "OCPPCommCtrlr", "EVSE", "Connector", "ChargingStation"} <= controllers
        secret = next(entry for entry in data if entry["variable"]["name"] == "BasicAuthPassword")
        assert "value" not in secret["variableAttribute"][0]


@each_2x
def test_reports_of_some_variables(make: Make, version: str) -> None:
    bench = make(version)
    wanted = [{"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}}]
    assert bench.status("GetReport", requestId=6, componentVariable=wanted) == "Accepted"
    bench.csms.wait_for("NotifyReport")
    assert len(bench.sent("NotifyReport")[0]["reportData"]) == 1
    assert bench.status("GetReport", requestId=7, componentCriteria=["Problem"]) == "EmptyResultSet"
    assert bench.status("GetReport", requestId=8, componentCriteria=["Enabled"]) == "Accepted"


@each_2x
def test_monitoring_is_refused_honestly(make: Make, version: str) -> None:
    bench = make(version)
    wanted = {"value": 5, "type": "UpperThreshold", "severity": 5}
    data = [{**wanted, **address("TxCtrlr.EVConnectionTimeOut")}, {**wanted, **address("No.Such")}]
    results = bench.ask("SetVariableMonitoring", setMonitoringData=data)["setMonitoringResult"]
    assert [result["status"] for result in results] == ["UnsupportedMonitorType", "UnknownComponent"]


@each_version
def test_what_it_does_not_do_it_says_so(make: Make, version: str) -> None:
    bench = make(version)
    action, payload = (
        ("GetInstalledCertificateIds", {"certificateType": "CentralSystemRootCertificate"})
        if version == "1.6"
        else ("GetDisplayMessages", {"requestId": 1})
    )
    with pytest.raises(CallError) as refused:
        bench.ask(action, **payload)
    assert refused.value.code in ("NotSupported", "NotImplemented")
    assert bench.status("DataTransfer", vendorId="nobody") == "UnknownVendorId"


# --- Triggers


@pytest.mark.parametrize(
    ("action", "name", "message"),
    [
        ("TriggerMessage", "BootNotification", "BootNotification"),
        ("TriggerMessage", "DiagnosticsStatusNotification", "DiagnosticsStatusNotification"),
        ("TriggerMessage", "FirmwareStatusNotification", "FirmwareStatusNotification"),
        ("TriggerMessage", "Heartbeat", "Heartbeat"),
        ("TriggerMessage", "MeterValues", "MeterValues"),
        ("TriggerMessage", "StatusNotification", "StatusNotification"),
        ("ExtendedTriggerMessage", "LogStatusNotification", "LogStatusNotification"),
        ("ExtendedTriggerMessage", "Heartbeat", "Heartbeat"),
    ],
)
def test_triggers_of_16(make: Make, action: str, name: str, message: str) -> None:
    bench = make("1.6", connectors=2)
    bench.csms.clear()
    assert bench.status(action, requestedMessage=name) == "Accepted"
    bench.csms.wait_for(message)
    assert bench.status(action, requestedMessage=name, connectorId=7) == "Rejected"
    assert bench.status("ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate") == "NotImplemented"


def test_a_trigger_of_one_connector_of_16(make: Make) -> None:
    bench = make("1.6", connectors=2)
    bench.csms.clear()
    assert bench.status("TriggerMessage", requestedMessage="StatusNotification", connectorId=2) == "Accepted"
    assert bench.csms.wait_for("StatusNotification").payload["connectorId"] == 2
    assert bench.status("TriggerMessage", requestedMessage="MeterValues", connectorId=2) == "Accepted"
    bench.csms.wait_for("MeterValues")
    assert [payload["connectorId"] for payload in bench.sent("MeterValues")] == [2]


@each_2x
@pytest.mark.parametrize(
    "name", ["FirmwareStatusNotification", "Heartbeat", "LogStatusNotification", "MeterValues", "StatusNotification", "TransactionEvent"]
)
def test_triggers_of_2x(make: Make, version: str, name: str) -> None:
    bench = make(version)
    bench.charge()
    bench.csms.clear()
    assert bench.status("TriggerMessage", requestedMessage=name) == "Accepted"
    payload = bench.csms.wait_for(name).payload
    if name == "TransactionEvent":
        assert payload["triggerReason"] == "Trigger"
    assert bench.status("TriggerMessage", requestedMessage=name, evse={"id": 9}) == "Rejected"
    assert bench.status("TriggerMessage", requestedMessage="BootNotification") == "Rejected"
    assert bench.status("TriggerMessage", requestedMessage="SignV2GCertificate") == "NotImplemented"


@each_2x
def test_a_trigger_of_a_transaction_that_is_not(make: Make, version: str) -> None:
    bench = make(version, connectors=2)
    assert bench.status("TriggerMessage", requestedMessage="TransactionEvent") == "Rejected"
    bench.charge(1)
    assert bench.status("TriggerMessage", requestedMessage="TransactionEvent", evse={"id": 2}) == "Rejected"
    assert bench.status("TriggerMessage", requestedMessage="TransactionEvent", evse={"id": 1}) == "Accepted"
