"""The compact schema documents against the official files, which the test dependency ``ocpp`` installs."""

from __future__ import annotations

import copy
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync import schemas
from ocpp_sync.schemas import VERSIONS, Action, action_names, actions, definitions, senders

# Section E of the rules, by who sends the request.
_CS_16 = """Authorize BootNotification DiagnosticsStatusNotification FirmwareStatusNotification Heartbeat MeterValues StartTransaction
    StatusNotification StopTransaction LogStatusNotification SecurityEventNotification SignCertificate
    SignedFirmwareStatusNotification"""
_CSMS_16 = """CancelReservation ChangeAvailability ChangeConfiguration ClearCache ClearChargingProfile GetCompositeSchedule
    GetConfiguration GetDiagnostics GetLocalListVersion RemoteStartTransaction RemoteStopTransaction ReserveNow Reset SendLocalList
    SetChargingProfile TriggerMessage UnlockConnector UpdateFirmware CertificateSigned DeleteCertificate ExtendedTriggerMessage
    GetInstalledCertificateIds GetLog InstallCertificate SignedUpdateFirmware"""
_CS_201 = """Authorize BootNotification ClearedChargingLimit FirmwareStatusNotification Get15118EVCertificate GetCertificateStatus
    Heartbeat LogStatusNotification MeterValues NotifyChargingLimit NotifyCustomerInformation NotifyDisplayMessages
    NotifyEVChargingNeeds NotifyEVChargingSchedule NotifyEvent NotifyMonitoringReport NotifyReport PublishFirmwareStatusNotification
    ReportChargingProfiles ReservationStatusUpdate SecurityEventNotification SignCertificate StatusNotification TransactionEvent"""
_CSMS_201 = """CancelReservation CertificateSigned ChangeAvailability ClearCache ClearChargingProfile ClearDisplayMessage
    ClearVariableMonitoring CostUpdated CustomerInformation DeleteCertificate GetBaseReport GetChargingProfiles GetCompositeSchedule
    GetDisplayMessages GetInstalledCertificateIds GetLocalListVersion GetLog GetMonitoringReport GetReport GetTransactionStatus
    GetVariables InstallCertificate PublishFirmware RequestStartTransaction RequestStopTransaction ReserveNow Reset SendLocalList
    SetChargingProfile SetDisplayMessage SetMonitoringBase SetMonitoringLevel SetNetworkProfile SetVariableMonitoring SetVariables
    TriggerMessage UnlockConnector UnpublishFirmware UpdateFirmware"""
_CS_21 = """BatterySwap ClosePeriodicEventStream GetCertificateChainStatus NotifyDERAlarm NotifyDERStartStop NotifyPeriodicEventStream
    NotifyPriorityCharging NotifySettlement OpenPeriodicEventStream PullDynamicScheduleUpdate ReportDERControl VatNumberValidation"""
_CSMS_21 = """AFRRSignal AdjustPeriodicEventStream ChangeTransactionTariff ClearDERControl ClearTariffs GetDERControl
    GetPeriodicEventStream GetTariffs NotifyAllowedEnergyTransfer NotifyWebPaymentStarted RequestBatterySwap SetDERControl
    SetDefaultTariff UpdateDynamicSchedule UsePriorityCharging"""
_SECURITY_EXTENSION_16 = """CertificateSigned DeleteCertificate ExtendedTriggerMessage GetInstalledCertificateIds GetLog
    InstallCertificate LogStatusNotification SecurityEventNotification SignCertificate SignedFirmwareStatusNotification
    SignedUpdateFirmware"""

SENT_BY = {
    "1.6": {"CS": _CS_16, "CSMS": _CSMS_16, "both": "DataTransfer"},
    "2.0.1": {"CS": _CS_201, "CSMS": _CSMS_201, "both": "DataTransfer"},
    "2.1": {"CS": f"{_CS_201} {_CS_21}", "CSMS": f"{_CSMS_201} {_CSMS_21}", "both": "DataTransfer"},
}
COUNTS = {"1.6": 39, "2.0.1": 64, "2.1": 91}

_PROSE = {"$id", "$schema", "comment", "definitions", "description", "id", "javaType", "title"}
_FOLDER = Path(schemas.__file__).parent
_OFFICIAL = Path(str(importlib.import_module("ocpp").__file__)).parent

every_action = pytest.mark.parametrize(("version", "name"), [(version, name) for version in VERSIONS for name in sorted(actions(version))])
every_version = pytest.mark.parametrize("version", VERSIONS)


def file_name(version: str) -> str:
    return f"v{version.replace('.', '')}"


def official_folder(version: str) -> Path:
    folder = _OFFICIAL / file_name(version) / "schemas"
    if sys.version_info < (3, 11) and not folder.exists():
        pytest.skip(f"the last 'ocpp' for Python 3.10 has no OCPP {version}")
    return folder


def official(version: str, stem: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((official_folder(version) / f"{stem}.json").read_text(encoding="utf-8-sig"))
    return schema


def official_request(version: str, name: str) -> dict[str, Any]:
    plain = version == "1.6" or name == "NotifyPeriodicEventStream"
    return official(version, name if plain else f"{name}Request")


def rules(schema: dict[str, Any], shared: Any) -> dict[str, Any]:
    """What a schema demands: references resolved, without prose and without what has no effect, order of sets ignored."""
    if "$ref" in schema:
        assert set(schema) <= {"$ref", *_PROSE}
        return rules(shared[schema["$ref"].removeprefix("#/definitions/")], shared)
    result = {}
    for keyword, value in schema.items():
        if keyword in _PROSE:
            continue
        if keyword == "additionalProperties" and schema["type"] != "object":
            continue
        if keyword == "additionalItems" and isinstance(schema["items"], dict):
            continue
        if keyword in ("enum", "required"):
            assert len(set(value)) == len(value)
            value = sorted(value)
        elif keyword == "items":
            value = rules(value, shared)
        elif keyword == "properties":
            value = {name: rules(field, shared) for name, field in value.items()}
            if not value:
                continue
        result[keyword] = value
    return result


def draft(schema: dict[str, Any]) -> int:
    return {"http://json-schema.org/draft-04/schema#": 4, "http://json-schema.org/draft-06/schema#": 6}[schema["$schema"]]


# --- the same rules as in the official files


@every_action
def test_request_equals_the_official_schema(version: str, name: str) -> None:
    theirs = official_request(version, name)
    ours = actions(version)[name]
    assert rules(ours.request, definitions(version)) == rules(theirs, theirs.get("definitions"))
    assert ours.draft == draft(theirs)


@every_action
def test_response_equals_the_official_schema(version: str, name: str) -> None:
    ours = actions(version)[name]
    if ours.response is None:
        assert not (official_folder(version) / f"{name}Response.json").exists()
        return
    theirs = official(version, f"{name}Response")
    assert rules(ours.response, definitions(version)) == rules(theirs, theirs.get("definitions"))
    assert ours.draft == draft(theirs)


@every_version
def test_no_official_file_is_left_out(version: str) -> None:
    files = {path.stem for path in official_folder(version).glob("*.json")}
    ours = {name if version == "1.6" or action.is_send else f"{name}Request" for name, action in actions(version).items()}
    ours |= {f"{name}Response" for name, action in actions(version).items() if action.response is not None}
    assert files == ours


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("properties", "idToken"), {"type": "string"}),
        (("properties", "evse", "properties", "id", "minimum"), 1),
        (("properties", "timestamp", "format"), "date"),
        (("properties", "eventType", "enum"), ["Started", "Updated"]),
        (("required",), ["eventType"]),
        (("additionalProperties",), True),
        (("properties", "meterValue", "minItems"), 2),
    ],
)
def test_the_comparison_notices_a_changed_rule(path: tuple[str, ...], value: Any) -> None:
    theirs = official_request("2.0.1", "TransactionEvent")
    right = rules(theirs, theirs["definitions"])
    wrong = copy.deepcopy(right)
    place = wrong
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    assert rules(actions("2.0.1")["TransactionEvent"].request, definitions("2.0.1")) == right
    assert rules(actions("2.0.1")["TransactionEvent"].request, definitions("2.0.1")) != wrong


# --- actions and directions (section E)


@every_version
def test_actions_and_directions(version: str) -> None:
    expected = {name: side for side, names in SENT_BY[version].items() for name in names.split()}
    assert len(expected) == COUNTS[version]
    assert {name: action.sent_by for name, action in actions(version).items()} == expected
    assert all(action.name == name for name, action in actions(version).items())


def test_b17_only_notify_periodic_event_stream_is_a_send() -> None:
    sends = [(version, name) for version in VERSIONS for name, action in actions(version).items() if action.is_send]
    assert sends == [("2.1", "NotifyPeriodicEventStream")]
    assert all((action.response is None) == action.is_send for version in VERSIONS for action in actions(version).values())


def test_b18_drafts() -> None:
    assert {name for name, action in actions("1.6").items() if action.draft == 6} == set(_SECURITY_EXTENSION_16.split())
    assert all(action.draft in (4, 6) for action in actions("1.6").values())
    assert all(action.draft == 6 for version in ("2.0.1", "2.1") for action in actions(version).values())


def test_b19_the_reason_of_stop_transaction_is_optional() -> None:
    request = actions("1.6")["StopTransaction"].request
    assert "reason" in request["properties"]
    assert "reason" not in request["required"]


def test_b19_the_interval_of_boot_notification_is_an_integer() -> None:
    response = actions("1.6")["BootNotification"].response
    assert response is not None
    assert response["properties"]["interval"] == {"type": "integer"}


@pytest.mark.parametrize("field", ["retries", "retryInterval"])
def test_b19_the_retries_of_update_firmware_are_integers(field: str) -> None:
    assert actions("1.6")["UpdateFirmware"].request["properties"][field] == {"type": "integer"}


# --- the documents on disk


@every_version
def test_a_document_has_no_prose_and_no_unused_definition(version: str) -> None:
    text = (_FOLDER / f"{file_name(version)}.json").read_text(encoding="utf-8")
    document = json.loads(text)
    assert set(document) == {"draft", "definitions", "actions"}
    for word in ("description", "javaType", "$schema", "$id", "additionalItems"):
        assert f'"{word}":' not in text.replace('"description":{', "")  # a field of this name is no prose
    used = {part.split('"')[0] for part in text.split('"#/definitions/')[1:]}
    assert used == set(document["definitions"])


@every_version
def test_a_document_has_one_definition_or_action_a_line_in_order(version: str) -> None:
    lines = (_FOLDER / f"{file_name(version)}.json").read_text(encoding="utf-8").splitlines()
    assert lines[1] == '"definitions":{'
    middle = lines.index('"actions":{')
    assert lines[middle - 1] == "},"
    assert lines[-1] == "}}"
    parts = (lines[2 : middle - 1], definitions(version)), (lines[middle + 1 : -1], actions(version))
    for part, expected in parts:
        entries = [json.loads(f"{{{line.rstrip(',')}}}") for line in part]
        assert [name for entry in entries for name in entry] == sorted(expected)


# --- the loader


@every_version
def test_the_names_alone_are_those_of_the_actions(version: str) -> None:
    assert action_names(version) == set(actions(version))
    assert senders(version) == {name: action.sent_by for name, action in actions(version).items()}


def test_a_document_is_read_once_and_cannot_be_changed() -> None:
    assert actions("1.6") is actions("1.6")
    assert definitions("1.6") is definitions("1.6")
    with pytest.raises(TypeError):
        actions("1.6")["Heartbeat"] = None  # type: ignore[index]
    with pytest.raises(AttributeError):
        actions("1.6")["Heartbeat"].name = "Beat"  # type: ignore[misc]
    assert isinstance(actions("1.6")["Heartbeat"], Action)


@pytest.mark.parametrize("function", [actions, definitions, action_names, senders])
@pytest.mark.parametrize("version", ["2.0", "", "ocpp1.6"])
def test_an_unknown_version_is_told_the_three(function: Any, version: str) -> None:
    with pytest.raises(ValueError, match=r"'1\.6', '2\.0\.1', '2\.1'"):
        function(version)


def test_nothing_is_read_at_import() -> None:
    code = (
        "import builtins; read = []; real = builtins.open\n"
        "builtins.open = lambda path, *how, **named: (read.append(str(path).split('/')[-1]), real(path, *how, **named))[1]\n"
        "import ocpp_sync.schemas as schemas; assert read == [], read\n"
        "schemas.actions('2.0.1'); schemas.definitions('2.0.1'); assert read == ['v201.json'], read\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=_FOLDER.parents[1], timeout=30)
