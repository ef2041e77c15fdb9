"""What is refused, with which code, and what the user is told."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp_sync import validation
from ocpp_sync.errors import InvalidPayload
from ocpp_sync.schemas import VERSIONS, action_names, actions, definitions
from ocpp_sync.validation import ValidationPolicy, error_code, validate

BOOT_16: dict[str, Any] = {"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"}
BOOT_201: dict[str, Any] = {"reason": "PowerUp", "chargingStation": {"model": "NECU-T2", "vendorName": "eParking"}}
EVERYTHING = object()


def refused(action: str, payload: Any, *, version: str = "1.6", kind: str = "request") -> InvalidPayload:
    with pytest.raises(InvalidPayload) as caught:
        validate(action, payload, version=version, kind=kind)
    assert caught.value.action == action
    return caught.value


def meter_values(**fields: Any) -> dict[str, Any]:
    values = [{"value": "1"}, {"value": "2"}, {"value": "3", **fields}]
    return {"connectorId": 1, "meterValue": [{"timestamp": "2025-01-31T12:00:00Z", "sampledValue": values}]}


def charging_profile(**period: Any) -> dict[str, Any]:
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16, **period}]}
    profile = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule,
    }
    return {"connectorId": 1, "csChargingProfiles": profile}


def data_transfer(data: Any) -> dict[str, Any]:
    return {"vendorId": "com.example", "data": data}


# --- what is right


@pytest.mark.parametrize(
    ("action", "payload", "version", "kind"),
    [
        ("BootNotification", BOOT_16, "1.6", "request"),
        ("BootNotification", {"status": "Accepted", "currentTime": "2025-01-31T12:00:00Z", "interval": 300}, "1.6", "response"),
        ("BootNotification", BOOT_201, "2.0.1", "request"),
        ("BootNotification", BOOT_201, "2.1", "request"),
        ("Heartbeat", {}, "1.6", "request"),
        ("MeterValues", meter_values(unit="kWh"), "1.6", "request"),
        ("SetChargingProfile", charging_profile(), "1.6", "request"),
        ("SecurityEventNotification", {}, "2.1", "response"),
    ],
)
def test_a_right_payload_is_accepted(action: str, payload: Any, version: str, kind: str) -> None:
    validate(action, payload, version=version, kind=kind)


# --- codes (B12)


@pytest.mark.parametrize(
    ("keyword", "code"),
    [
        *((keyword, "OccurrenceConstraintViolation") for keyword in ("required", "minItems", "maxItems")),
        ("additionalProperties", "FormatViolation"),
        ("type", "TypeConstraintViolation"),
        *((keyword, "PropertyConstraintViolation") for keyword in ("enum", "maxLength", "format", "minimum", "maximum", "multipleOf")),
        ("action", "NotImplemented"),
        ("oneOf", "GenericError"),
    ],
)
def test_b12_the_code_of_a_keyword(keyword: str, code: str) -> None:
    spelt_16 = {"OccurrenceConstraintViolation": "OccurenceConstraintViolation", "FormatViolation": "FormationViolation"}
    assert error_code(keyword, "2.0.1") == error_code(keyword, "2.1") == code
    assert error_code(keyword, "1.6") == spelt_16.get(code, code)


@pytest.mark.parametrize("payload", [[], "text", 3, None, True])
def test_b12_a_payload_that_is_no_object_is_a_format_violation(payload: Any) -> None:
    error = refused("Heartbeat", payload, version="1.6")
    assert (error.path, error.keyword, error.code) == ("", "type", "FormationViolation")
    assert refused("Heartbeat", payload, version="2.1").code == "FormatViolation"
    assert error.message.startswith("this must be an object, not ")


def keywords(schema: dict[str, Any]) -> set[str]:
    inner = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    return set(schema).union(*map(keywords, inner))


@pytest.mark.parametrize("version", VERSIONS)
def test_b12_every_keyword_of_the_schemas_has_a_code(version: str) -> None:
    every = [schema for action in actions(version).values() for schema in (action.request, action.response) if schema is not None]
    used = set().union(*map(keywords, [*every, *definitions(version).values()]))
    assert used - {"$ref", "properties", "items", "default"} <= set(validation._CODES)


@pytest.mark.parametrize(
    ("action", "payload", "version", "path", "keyword", "message"),
    [
        ("BootNotification", {"chargePointModel": "a"}, "1.6", "", "required", "'chargePointVendor' is missing"),
        ("BootNotification", {}, "1.6", "", "required", "'chargePointVendor', 'chargePointModel' are missing"),
        (
            "BootNotification",
            {**BOOT_16, "iccid": "x" * 21},
            "1.6",
            "iccid",
            "maxLength",
            "21 characters are too many, the limit is 20",
        ),
        ("BootNotification", {**BOOT_16, "iccid": 7}, "1.6", "iccid", "type", "this must be a string, not an integer"),
        (
            "BootNotification",
            {**BOOT_16, "iccid": None},
            "1.6",
            "iccid",
            "type",
            "this must be a string, not null (a field without a value is left out)",
        ),
        (
            "MeterValues",
            meter_values(unit="kwh"),
            "1.6",
            "meterValue[0].sampledValue[2].unit",
            "enum",
            "'kwh' is not one of 'kWh', 'Wh', 'kW', 'W', 'kvarh', … 18 values in all; did you mean 'kWh'?",
        ),
        (
            "Reset",
            {"type": "Immediate"},
            "1.6",
            "type",
            "enum",
            "'Immediate' is not one of 'Hard', 'Soft'",
        ),
        ("Reset", {"type": "hard"}, "1.6", "type", "enum", "'hard' is not one of 'Hard', 'Soft'; did you mean 'Hard'?"),
        (
            "GetVariables",
            {"getVariableData": []},
            "2.0.1",
            "getVariableData",
            "minItems",
            "0 items are too few, at least 1 must be there",
        ),
        (
            "ClearVariableMonitoring",
            {"id": [-1]},
            "2.1",
            "id[0]",
            "minimum",
            "-1 is below the minimum 0",
        ),
        (
            "SetMonitoringLevel",
            {"severity": "3"},
            "2.0.1",
            "severity",
            "type",
            "this must be an integer, not a string",
        ),
        (
            "GetDiagnostics",
            {"location": "ftp://user:secret-password@host/a b"},
            "1.6",
            "location",
            "format",
            "this is no URI: it needs a scheme, such as https:, and has no white space",
        ),
        (
            "CancelReservation",
            {"reservationId": 1, "foo": 2},
            "1.6",
            "",
            "additionalProperties",
            "'foo' is not a field here; the fields are 'reservationId'",
        ),
        ("Heartbeat", {"foo": 2}, "1.6", "", "additionalProperties", "'foo' is not a field here; there are none"),
    ],
)
def test_b12_paths_and_messages(action: str, payload: Any, version: str, path: str, keyword: str, message: str) -> None:
    error = refused(action, payload, version=version)
    assert (error.path, error.keyword, error.message) == (path, keyword, message)
    assert error.code == error_code(keyword, version)


def test_b12_too_many_items() -> None:
    hashes = {"hashAlgorithm": "SHA256", "issuerNameHash": "a", "issuerKeyHash": "b", "serialNumber": "c", "responderURL": "d"}
    payload = {"idToken": {"idToken": "x", "type": "Central"}, "iso15118CertificateHashData": [hashes] * 5}
    error = refused("Authorize", payload, version="2.0.1")
    assert (error.path, error.message) == ("iso15118CertificateHashData", "5 items are too many, the limit is 4")
    assert error.code == "OccurrenceConstraintViolation"


def test_b12_above_the_maximum() -> None:
    payload = {
        "chargingNeeds": {
            "requestedEnergyTransfer": "DC",
            "dcChargingParameters": {"evMaxCurrent": 1, "evMaxVoltage": 2, "stateOfCharge": 101},
        },
        "evseId": 1,
    }
    error = refused("NotifyEVChargingNeeds", payload, version="2.0.1")
    assert (error.path, error.message) == ("chargingNeeds.dcChargingParameters.stateOfCharge", "101 is above the maximum 100")


# --- extra and misspelt fields (B15)


@pytest.mark.parametrize("wrong", ["chargePointVendr", "chargepointvendor", "charge_point_vendor"])
def test_b15_a_misspelt_field_explains_a_missing_one(wrong: str) -> None:
    error = refused("BootNotification", {wrong: "eParking", "chargePointModel": "x" * 99})
    assert error.keyword == "additionalProperties"
    assert error.message == f"'{wrong}' is not a field here; did you mean 'chargePointVendor'?"
    assert error.code == "FormationViolation"


def test_b15_a_field_that_is_there_is_not_suggested() -> None:
    error = refused("CancelReservation", {"reservationId": 1, "reservationIds": [1]})
    assert error.message == "'reservationIds' is not a field here; the fields are 'reservationId'"


def test_b15_extra_fields_are_invalid_in_inner_objects_too() -> None:
    error = refused("SetChargingProfile", charging_profile(startperiod=1))
    assert error.path == "csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0]"
    assert error.message == "'startperiod' is not a field here; the fields are 'startPeriod', 'limit', 'numberPhases'"


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_b15_custom_data_takes_anything_beside_its_vendor(version: str) -> None:
    custom = {"vendorId": "com.example", "anything": {"at": ["all", None, 1.5]}}
    validate("BootNotification", {**BOOT_201, "customData": custom}, version=version)
    assert refused("BootNotification", {**BOOT_201, "customData": {"a": 1}}, version=version).message == "'vendorId' is missing"
    error = refused("BootNotification", {**BOOT_201, "customData": {"vendorId": "x" * 256}}, version=version)
    assert (error.path, error.keyword) == ("customData.vendorId", "maxLength")


def test_b15_a_million_unknown_fields_are_no_work() -> None:
    refused("BootNotification", {f"chargePoint{number}": number for number in range(100_000)})


# --- numbers (B18)


def test_b18_every_decimal_with_one_place_is_a_multiple_of_a_tenth() -> None:
    for tenths in range(10_001):
        for limit in (tenths / 10, Decimal(tenths) / 10):
            validate("SetChargingProfile", charging_profile(limit=limit), version="1.6")


@pytest.mark.parametrize("limit", [4.11, 0.05, Decimal("4.11"), 1e-7, 1e-300, Decimal("0.10000000000000000000000000000000001")])
def test_b18_a_finer_decimal_is_refused(limit: Any) -> None:
    error = refused("SetChargingProfile", charging_profile(limit=limit))
    assert error.path == "csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit"
    assert error.keyword == "multipleOf"
    assert error.message == f"{limit} is not a multiple of 0.1"


class Amperes(IntEnum):
    SIXTEEN = 16


@pytest.mark.parametrize("limit", [8.1, 7, Decimal("8.10"), 1e308, 10**308, Amperes.SIXTEEN, -0.0])
def test_b18_all_kinds_of_numbers_are_accepted(limit: Any) -> None:
    validate("SetChargingProfile", charging_profile(limit=limit), version="1.6")


def test_b18_one_point_zero_is_an_integer_in_draft_6_only() -> None:
    validate("ClearVariableMonitoring", {"id": [1.0, Decimal(2), Decimal("1E+200"), 3]}, version="2.0.1")
    validate("GetLog", {"log": {"remoteLocation": "x"}, "logType": "SecurityLog", "requestId": 1.0}, version="1.6")
    for number in (1.0, Decimal(1)):
        error = refused("CancelReservation", {"reservationId": number})
        assert (error.keyword, error.message) == ("type", "this must be an integer, not a decimal number")


@pytest.mark.parametrize("number", [1.5, Decimal("1.5"), True])
def test_b18_a_fraction_or_boolean_is_no_integer(number: Any) -> None:
    assert refused("ClearVariableMonitoring", {"id": [number]}, version="2.0.1").keyword == "type"
    assert refused("CancelReservation", {"reservationId": number}, version="1.6").keyword == "type"


@pytest.mark.parametrize(
    "number",
    [
        *map(float, ("nan", "inf", "-inf")),
        *map(Decimal, ("NaN", "sNaN", "Infinity", "-Infinity", "1E+9999999")),
        10**309,
        pytest.param(-(10**9999), id="huge"),
    ],
)
def test_b18_numbers_that_json_cannot_carry_are_found_anywhere(number: Any) -> None:
    error = refused("SetChargingProfile", charging_profile(limit=number))
    assert error.path == "csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit"
    assert error.keyword == "type"
    assert refused("DataTransfer", data_transfer([0, {"x": number}]), version="2.0.1").path == "data[1].x"


# --- formats


@pytest.mark.parametrize(
    "text",
    [
        "2025-01-31T12:00:00Z",
        "2025-01-31T12:00:00",
        "2025-01-31T12:00:00.1Z",
        "2025-01-31T12:00:00.123456789012+01:00",
        "2024-02-29T23:59:59-11:30",
    ],
)
def test_date_time_accepts(text: str) -> None:
    validate("Heartbeat", {"currentTime": text}, version="1.6", kind="response")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2025-01-31",
        "2025-01-31 12:00:00Z",
        "2025-01-31T12:00Z",
        "2025-02-29T12:00:00Z",
        "2025-13-01T12:00:00Z",
        "2025-01-31T24:00:00Z",
        "2025-01-31T12:00:60Z",
        "2025-01-31T12:00:00.Z",
        "2025-01-31T12:00:00+0100",
        "2025-01-31T12:00:00+24:00",
        "2025-01-31T12:00:00Z\n",
        "٢٠٢٥-01-31T12:00:00Z",
    ],
)
def test_date_time_refuses(text: str) -> None:
    error = refused("Heartbeat", {"currentTime": text}, kind="response")
    assert (error.path, error.keyword) == ("currentTime", "format")
    assert error.message == f"{text!r} is no date and time of ISO 8601, such as 2025-01-31T12:00:00Z"


@pytest.mark.parametrize("text", ["https://example.com/x", "ftp://user:pass@host", "urn:x", "x-y+z.1:a"])
def test_uri_accepts(text: str) -> None:
    validate("GetDiagnostics", {"location": text}, version="1.6")


@pytest.mark.parametrize("text", ["", "example.com", "//host", "https:", "http://a b", "1x:y", "http://a\n"])
def test_uri_refuses(text: str) -> None:
    assert refused("GetDiagnostics", {"location": text}).keyword == "format"


def test_a_format_is_asked_of_strings_only() -> None:
    assert refused("GetDiagnostics", {"location": 1}).keyword == "type"
    assert refused("Heartbeat", {"currentTime": 1}, kind="response").keyword == "type"


# --- actions and kinds (B8)


@pytest.mark.parametrize(
    ("action", "version", "message"),
    [
        ("BootNotificaton", "1.6", "'BootNotificaton' is no action of OCPP 1.6; did you mean 'BootNotification'?"),
        ("bootnotification", "2.1", "'bootnotification' is no action of OCPP 2.1; did you mean 'BootNotification'?"),
        (
            "RemoteStartTransaction",
            "2.0.1",
            "'RemoteStartTransaction' is no action of OCPP 2.0.1, but of OCPP 1.6; did you mean 'RequestStartTransaction'?",
        ),
        ("CostUpdated", "1.6", "'CostUpdated' is no action of OCPP 1.6, but of OCPP 2.0.1 and OCPP 2.1"),
        ("Zzzzzz", "1.6", "'Zzzzzz' is no action of OCPP 1.6"),
    ],
)
def test_b8_an_unknown_action(action: str, version: str, message: str) -> None:
    error = refused(action, {}, version=version)
    assert (error.path, error.keyword, error.code, error.message) == ("", "action", "NotImplemented", message)


def test_b8_a_long_action_is_shortened() -> None:
    assert len(refused("X" * 1_000_000, {}).message) < 100


def test_b17_a_send_has_no_response() -> None:
    error = refused("NotifyPeriodicEventStream", {}, version="2.1", kind="response")
    assert error.keyword == "action"
    assert "SEND" in error.message


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="'request' or a 'response', not 'confirmation'"):
        validate("Heartbeat", {}, version="1.6", kind="confirmation")
    with pytest.raises(ValueError, match=r"'1\.6', '2\.0\.1', '2\.1'"):
        validate("Heartbeat", {}, version="1.5")


# --- what JSON cannot carry


def nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_nesting_is_limited_to_a_hundred_levels() -> None:
    validate("DataTransfer", data_transfer(nested(99)), version="2.0.1")
    for levels in (100, 100_000):
        error = refused("DataTransfer", data_transfer(nested(levels)), version="2.0.1")
        assert (error.path, error.keyword) == ("data", "type")
        assert "100 levels" in error.message


@pytest.mark.parametrize("wide", [0, 1_000])
def test_an_object_that_contains_itself_is_refused(wide: int) -> None:
    payload = data_transfer({"list": [1] * wide})
    payload["data"]["self"] = payload["data"]
    payload["data"]["again"] = [payload, payload]
    assert "contains itself" in refused("DataTransfer", payload, version="2.0.1").message
    assert "contains itself" in refused("Heartbeat", payload).message


@pytest.mark.parametrize("key", [1, None, True, ("a",), b"a"])
def test_field_names_are_strings(key: Any) -> None:
    error = refused("DataTransfer", data_transfer({"a": [{key: 1}]}), version="2.0.1")
    assert (error.path, error.message) == ("data.a[0]", "the names of fields must be strings")
    assert refused("Heartbeat", {key: 1}).code == "FormationViolation"


@pytest.mark.parametrize(("value", "name"), [((1,), "tuple"), ({1}, "set"), (b"x", "bytes"), (1j, "complex"), (EVERYTHING, "object")])
def test_other_python_values_are_refused(value: Any, name: str) -> None:
    error = refused("DataTransfer", data_transfer({"a": value}), version="2.0.1")
    assert (error.path, error.message) == ("data.a", f"JSON knows nothing like a Python {name}")


# --- what a message must not contain


@pytest.mark.parametrize("text", ["x" * 1_000, "\x00" * 1_000, "x" * 60])
def test_a_long_value_is_shortened(text: str) -> None:
    message = refused("Reset", {"type": text}).message
    assert len(message) < 100
    assert message.endswith("… is not one of 'Hard', 'Soft'")


def test_a_value_of_sixty_characters_is_shown() -> None:
    text = "x" * 58  # and two quotes
    assert refused("Reset", {"type": text}).message.startswith(f"'{text}' is")


@pytest.mark.parametrize("field", ["basicAuthPassword", "KEY", "clientSecret"])
@pytest.mark.parametrize(
    ("schema", "value"), [({"enum": ["hunter1", "b"]}, "hunter2"), ({"maximum": 1}, 47_11), ({"maxLength": 1}, "hunter2")]
)
def test_a_secret_is_never_shown(field: str, schema: dict[str, Any], value: Any) -> None:
    from jsonschema import Draft6Validator

    (error,) = Draft6Validator({"properties": {field: schema}}).iter_errors({field: value})
    message = validation._message(error)
    assert str(value) not in message
    assert "did you mean" not in message


def test_a_secret_network_profile_password_is_not_shown() -> None:
    connection = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "wss://x",
        "messageTimeout": 30,
        "securityProfile": 1,
        "ocppInterface": "Wired0",
        "vpn": {"server": "a", "user": "b", "password": 12345678, "key": "c", "type": "PPTP"},
    }
    error = refused("SetNetworkProfile", {"configurationSlot": 1, "connectionData": connection}, version="2.0.1")
    assert (error.path, error.message) == ("connectionData.vpn.password", "this must be a string, not an integer")


# --- the same answer at any time, on any thread


def test_the_choice_among_errors_is_always_the_same() -> None:
    payload = {"meterValue": [{"sampledValue": [{"unit": number, "contxt": "x"} for number in range(1_000)]}]}
    first = str(refused("MeterValues", payload))
    assert first.startswith("MeterValues: meterValue[0].sampledValue[0]: 'contxt' is not a field here; did you mean 'context'?")
    assert {str(refused("MeterValues", payload)) for _ in range(5)} == {first}


def test_many_threads_at_first_use() -> None:
    for function in (validation._validator, validation._validator_class, validation._format_checker):
        function.cache_clear()
    start = threading.Barrier(16)
    results: list[str] = []

    def work() -> None:
        start.wait(10)
        for version in VERSIONS:
            for name in sorted(action_names(version))[:20]:
                try:
                    validate(name, {"nonsense": 1}, version=version)
                except InvalidPayload as error:
                    results.append(f"{version} {error}")
        validate("SetChargingProfile", charging_profile(limit=8.1), version="1.6")
        results.append("done")

    threads = [threading.Thread(target=work, name=f"first-use-{number}") for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results.count("done") == 16
    assert all(results.count(result) == 16 for result in set(results))
    assert len(set(results)) == 61


def test_jsonschema_is_imported_about_what_is_wrong_only() -> None:
    code = (
        "import sys; from ocpp_sync import validation\n"
        "validation.ValidationPolicy({'in': 'off', 'Heartbeat': 'warn'}); assert 'jsonschema' not in sys.modules\n"
        "validation.validate('Heartbeat', {}, version='1.6'); assert 'jsonschema' not in sys.modules\n"
        "try: validation.validate('Heartbeat', {'x': 1}, version='1.6')\n"
        "except ValueError: assert 'jsonschema' in sys.modules\n"
        "else: raise AssertionError\n"
    )
    root = Path(validation.__file__).parents[1]
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=root, timeout=30)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text(max_size=8)
names = st.sampled_from(["status", "reason", "idTag", "meterValue", "customData", "vendorId", "data", "evse"]) | st.text(max_size=4)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=12)
everything = [(version, name) for version in VERSIONS for name in sorted(action_names(version))]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(everything), values, st.sampled_from(["request", "response"]))
def test_nothing_but_invalid_payload_is_raised(which: tuple[str, str], payload: Any, kind: str) -> None:
    version, action = which
    try:
        validate(action, payload, version=version, kind=kind)
    except InvalidPayload as error:
        assert error.code in {error_code(keyword, version) for keyword in validation._CODES}
        assert error.message
        assert len(error.message) < 1_000
    else:
        json.dumps(payload, default=float, allow_nan=False)


# --- the policy


@pytest.mark.parametrize("mode", ["strict", "warn", "off"])
def test_one_mode_for_everything(mode: str) -> None:
    policy = ValidationPolicy(mode)
    assert policy.mode("in", "Heartbeat") == policy.mode("out", "Reset") == mode


def test_the_default_is_strict() -> None:
    assert ValidationPolicy().mode("in", "Heartbeat") == "strict"
    assert ValidationPolicy({"out": "off"}).mode("in", "Heartbeat") == "strict"


def test_the_most_specific_key_wins() -> None:
    policy = ValidationPolicy({"*": "off", "in": "warn", "MeterValues": "strict", "out:MeterValues": "off", "in:Reset": "strict"})
    assert policy.mode("in", "MeterValues") == "strict"
    assert policy.mode("out", "MeterValues") == "off"
    assert policy.mode("in", "Heartbeat") == "warn"
    assert policy.mode("out", "Heartbeat") == "off"
    assert policy.mode("in", "Reset") == "strict"
    assert policy.mode("out", "Reset") == "off"


@pytest.mark.parametrize(
    ("given_mode", "message"),
    [
        ("strikt", "'strikt' for '*' is not one of 'strict', 'warn', 'off'; did you mean 'strict'?"),
        ({"in": "of"}, "'of' for 'in' is not one of 'strict', 'warn', 'off'; did you mean 'off'?"),
        ({"in": None}, "None for 'in' is not one of 'strict', 'warn', 'off'"),
        ({"Hartbeat": "off"}, "'Hartbeat' is no action, no direction .*; did you mean 'Heartbeat'?"),
        ({"inn": "off"}, "'inn' is no action, no direction .*; did you mean 'in'?"),
        ({"in:Hartbeat": "off"}, "'in:Hartbeat' is no action, no direction .*; did you mean 'in:Heartbeat'?"),
        ({"inn:Heartbeat": "off"}, "'inn:Heartbeat' is no action, no direction .*; did you mean 'in:Heartbeat'?"),
        ({7: "off"}, "7 is no action, no direction"),
    ],
)
def test_a_wrong_key_or_mode(given_mode: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("?", r"\?").replace("'*'", r"'\*'")):
        ValidationPolicy(given_mode)


def test_an_action_of_any_version_is_a_key() -> None:
    policy = ValidationPolicy({"RemoteStartTransaction": "off", "TransactionEvent": "warn", "out:NotifySettlement": "off"})
    assert policy.mode("out", "NotifySettlement") == "off"
