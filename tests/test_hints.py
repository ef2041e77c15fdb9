"""What the errors about one's own payloads and actions say to write instead, and what a peer cannot make them do."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from itertools import permutations
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from ocpp_sync import CallError, InvalidPayload, counterparts, hints, skeleton, utcnow, validate
from ocpp_sync.checks import Checks
from ocpp_sync.counterparts import same_actions
from ocpp_sync.handlers import Handlers
from ocpp_sync.schemas import VERSIONS, action_names, actions
from ocpp_sync.validation import ValidationPolicy

BOOT_16: dict[str, Any] = {"chargePointVendor": "a", "chargePointModel": "b"}
BOOT_201: dict[str, Any] = {"reason": "PowerUp", "chargingStation": {"model": "a", "vendorName": "b"}}


class Reason(Enum):
    REBOOT = "Reboot"


STATUS = skeleton("StatusNotification")
EVENT = skeleton("TransactionEvent")


def hinted(action: str, payload: Any, version: str = "1.6", kind: str = "request", *, hints: bool = True) -> str:
    """What is said of a payload of one's own, with the path."""
    with pytest.raises(InvalidPayload) as refused:
        validate(action, payload, version=version, kind=kind, hints=hints)
    text = str(refused.value).removeprefix(f"{action}: ")
    assert text.isprintable()
    assert len(text) < 400
    return text


def meter_values(**fields: Any) -> dict[str, Any]:
    return {"connectorId": 1, "meterValue": [{"timestamp": utcnow(), "sampledValue": [{"value": "1", **fields}]}]}


# --- Fields


@pytest.mark.parametrize(
    ("action", "payload", "version", "message"),
    [
        ("BootNotification", BOOT_16, "2.0.1", "'chargePointVendor' is OCPP 1.6; OCPP 2.0.1 has chargingStation.vendorName"),
        ("BootNotification", BOOT_16, "2.1", "'chargePointVendor' is OCPP 1.6; OCPP 2.1 has chargingStation.vendorName"),
        ("Authorize", {"idTag": "a"}, "2.0.1", "'idTag' is OCPP 1.6; OCPP 2.0.1 has idToken.idToken"),
        ("Authorize", {"idToken": {}}, "1.6", "'idToken' is OCPP 2.0.1 and 2.1; OCPP 1.6 has idTag"),
        ("StatusNotification", {"status": "Available"}, "2.0.1", "'status' is OCPP 1.6; OCPP 2.0.1 has connectorStatus"),
        ("ChangeAvailability", {"type": "Operative"}, "2.1", "'type' is OCPP 1.6; OCPP 2.1 has operationalStatus"),
    ],
)
def test_a_field_that_has_another_name_here(action: str, payload: Any, version: str, message: str) -> None:
    assert hinted(action, payload, version) == message


@pytest.mark.parametrize(
    ("action", "payload", "version", "message"),
    [
        ("BootNotification", {"meterType": 1}, "2.0.1", "'reason', 'chargingStation' are missing; 'meterType' is OCPP 1.6"),
        ("BootNotification", {**BOOT_201, "meterSerialNumber": 1}, "2.0.1", "'meterSerialNumber' is not a field here; "),
        ("ReserveNow", {**skeleton("ReserveNow"), "reservationId": 1}, "2.0.1", "'reservationId' is not a field here; "),
        (
            "TransactionEvent",
            {**EVENT, "meterStart": 1},
            "2.0.1",
            "'meterStart' is not a field here; did you mean 'meterValue'?; 'meterStart' is a field of StartTransaction in OCPP 1.6",
        ),
        ("CancelReservation", {"reservationId": 1, "foo": 2}, "1.6", "'foo' is not a field here; the fields are 'reservationId'"),
    ],
)
def test_what_is_not_sure_is_not_said(action: str, payload: Any, version: str, message: str) -> None:
    text = hinted(action, payload, version)
    assert text.startswith(message)
    assert "has" not in text.split()


FIELDS_OF_16 = {
    "Authorize": {"idTag": "idToken.idToken"},
    "BootNotification": {
        "chargePointModel": "chargingStation.model",
        "chargePointSerialNumber": "chargingStation.serialNumber",
        "chargePointVendor": "chargingStation.vendorName",
    },
    "ChangeAvailability": {"type": "operationalStatus"},
    "ClearChargingProfile": {"connectorId": "chargingProfileCriteria.evseId"},
    "GetCompositeSchedule": {"connectorId": "evseId"},
    "MeterValues": {"connectorId": "evseId"},
    "ReserveNow": {"expiryDate": "expiryDateTime", "idTag": "idToken.idToken"},
    "SendLocalList": {
        "expiryDate": "localAuthorizationList[].idTokenInfo.cacheExpiryDateTime",
        "idTag": "localAuthorizationList[].idToken.idToken",
        "idTagInfo": "localAuthorizationList[].idTokenInfo",
        "listVersion": "versionNumber",
    },
    "SetChargingProfile": {"chargingProfileId": "chargingProfile.id", "connectorId": "evseId"},
    "StatusNotification": {"status": "connectorStatus"},
    "UpdateFirmware": {"retrieveDate": "firmware.retrieveDateTime"},
}


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_all_fields_of_requests_that_are_found_to_be_the_same(version: str) -> None:
    found: dict[str, dict[str, str]] = {}
    for action in actions("1.6"):
        for name in {place.name for place in counterparts.places_of("1.6", action, "request")}:
            if (place := counterparts.same_field(name, "1.6", version, action, "request")) is not None:
                found.setdefault(action, {})[name] = place.text
    assert found == FIELDS_OF_16


@pytest.mark.parametrize("name", ["chargepointvendor", "charge_point_vendor", "ChargePointVendor", "charge-point-vendor"])
def test_another_case_or_snake_case(name: str) -> None:
    assert hinted("BootNotification", {name: "a", "chargePointModel": "b"}).endswith("; did you mean 'chargePointVendor'?")


@pytest.mark.parametrize(
    ("action", "payload", "version", "message"),
    [
        ("BootNotification", {"vendorName": "a"}, "2.0.1", "'vendorName' is not a field here; its place is chargingStation.vendorName"),
        ("Authorize", {"type": "Central"}, "2.1", "'type' is not a field here; its place is idToken.type or idToken.additionalInfo[].type"),
        (
            "BootNotification",
            {"chargingStation": {"model": "a", "vendorName": "b", "reason": "PowerUp"}},
            "2.0.1",
            "chargingStation: 'reason' is not a field here; 'reason' belongs at the top of the payload",
        ),
        (
            "MeterValues",
            {"evseId": 1, "meterValue": meter_values(unit="kWh")["meterValue"]},
            "2.0.1",
            "meterValue[0].sampledValue[0]: 'unit' is not a field here; its place is meterValue[].sampledValue[].unitOfMeasure.unit",
        ),
    ],
)
def test_a_field_at_the_wrong_level(action: str, payload: Any, version: str, message: str) -> None:
    assert hinted(action, payload, version) == message


def test_a_field_of_the_request_in_the_response_and_the_reverse() -> None:
    assert hinted("Reset", {"type": "Soft"}, kind="response") == "'type' is a field of the request, not of the response"
    answer = {"status": "Accepted", "currentTime": utcnow(), "interval": 1}
    assert hinted("BootNotification", answer) == "'status' is a field of the response, not of the request"


def test_an_empty_payload_may_begin_with_a_skeleton() -> None:
    assert hinted("Reset", {}).endswith("; ocpp_sync.skeleton('Reset', version='1.6') makes a payload to begin with")
    assert "skeleton('Reset', version='2.1', kind='response')" in hinted("Reset", {}, "2.1", "response")


# --- Values


@pytest.mark.parametrize(
    ("action", "payload", "version", "hint"),
    [
        ("MeterValues", meter_values(unit="kwh"), "1.6", "18 values in all; did you mean 'kWh'?"),
        ("Reset", {"type": "Immediate"}, "1.6", "is not one of 'Hard', 'Soft'; in OCPP 2.0.1 and 2.1 it is one"),
        ("Reset", {"type": "Hard"}, "2.0.1", "; in OCPP 1.6 it is one"),
        ("StatusNotification", {**STATUS, "connectorStatus": "Charging"}, "2.0.1", "; in OCPP 1.6 it is one"),
        ("Reset", {"type": "Nonsense"}, "1.6", "is not one of 'Hard', 'Soft'"),
        ("CancelReservation", {"reservationId": "1"}, "1.6", "not a string; write it as a number, without quotes"),
        ("CancelReservation", {"reservationId": "one"}, "1.6", "not a string"),
        ("CancelReservation", {"reservationId": "1.5"}, "1.6", "not a string"),
        ("CancelReservation", {"reservationId": 1.0}, "1.6", "; write int(…), which has no fraction"),
        ("CancelReservation", {"reservationId": 1.5}, "1.6", "not a decimal number"),
        ("CancelReservation", {"reservationId": {}}, "1.6", "not an object"),
        ("Authorize", {"idTag": 7}, "1.6", "not an integer; write it as text, in quotes"),
        ("Authorize", {"idTag": Decimal("1.5")}, "1.6", "; write it as text, in quotes"),
        ("Authorize", {"idTag": {}}, "1.6", "not an object"),
        ("Authorize", {"idTag": ["a"]}, "1.6", "; write its one item by itself, not in a list"),
        ("Authorize", {"idTag": ["a", "b"]}, "1.6", "not an array"),
        ("Reset", {"type": 1}, "1.6", "not an integer"),
        ("ChangeConfiguration", {"key": "a", "value": True}, "1.6", "; write 'true'"),
        ("TransactionEvent", {**EVENT, "offline": "False"}, "2.0.1", "; write False"),
        ("TransactionEvent", {**EVENT, "offline": 1}, "2.0.1", "; write True"),
        ("TransactionEvent", {**EVENT, "offline": "no"}, "2.0.1", "not a string"),
        ("TransactionEvent", {**EVENT, "offline": {}}, "2.0.1", "not an object"),
        ("Authorize", {"idToken": "a"}, "2.0.1", "not a string; write {'idToken': …, 'type': …}"),
        ("SetVariables", {"setVariableData": {}}, "2.0.1", "not an object; write a list, even of one: [{…}]"),
        ("GetConfiguration", {"key": "a"}, "1.6", "not a string; write a list, even of one: […]"),
        ("GetConfiguration", {"key": 1}, "1.6", "not an integer"),
        ("BootNotification", {**BOOT_16, "iccid": None}, "1.6", "not null (a field without a value is left out)"),
        ("BootNotification", {**BOOT_16, "chargePointModel": None}, "1.6", "; 'chargePointModel' must be there, so it needs one"),
        ("StatusNotification", {**STATUS, "timestamp": 1.7e9}, "2.0.1", "; write ocpp_sync.format_time(…) of a datetime"),
        ("StatusNotification", {**STATUS, "timestamp": "31.1."}, "2.0.1", "; ocpp_sync.format_time(…) writes a datetime so"),
        ("GetDiagnostics", {"location": "example.com"}, "1.6", "and has no white space"),
        ("Reset", [], "1.6", "this must be an object, not an array"),
    ],
)  # fmt: skip
def test_a_wrong_value(action: str, payload: Any, version: str, hint: str) -> None:
    assert hinted(action, payload, version).endswith(hint)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (datetime.now(timezone.utc), "; write ocpp_sync.format_time(…)"),
        (date(2025, 1, 31), "; write ocpp_sync.format_time(…) of a datetime"),
        (timedelta(1), "; write its .total_seconds()"),
        (Reason.REBOOT, "; write its .value"),
        (Path("a"), "; write str(…)"),
        (b"a", "; write its text, as .decode() makes it"),
        ((1,), "; write list(…)"),
        ({1}, "; write list(…)"),
        (MappingProxyType({}), "; write dict(…)"),
        (utcnow, "; was it to be called, with ()?"),
        (object(), "JSON knows nothing like a Python object"),
        (Decimal("NaN"), "NaN, infinite or beyond 1.8e308"),
        ({1: 2}, "the names of fields must be strings"),
    ],
)
def test_a_python_object(value: Any, hint: str) -> None:
    assert hinted("DataTransfer", {"vendorId": "a", "data": [0, {"a": value}]}, "2.0.1").endswith(hint)


def test_no_value_is_shown() -> None:
    connection = {**skeleton("SetNetworkProfile")["connectionData"], "vpn": {"server": "a", "user": "b", "key": "c", "type": "PPTP"}}
    connection["vpn"]["password"] = 12345678
    text = hinted("SetNetworkProfile", {"configurationSlot": 1, "connectionData": connection}, "2.0.1")
    assert text == "connectionData.vpn.password: this must be a string, not an integer; write it as text, in quotes"
    assert "4711" not in hinted("CancelReservation", {"reservationId": "4711"})


# --- Actions


@pytest.mark.parametrize(
    ("action", "version", "message"),
    [
        ("StartTransaction", "2.0.1", "no action of OCPP 2.0.1, but of OCPP 1.6; did you mean 'TransactionEvent'?"),
        ("startTransaction", "2.1", "no action of OCPP 2.1; did you mean 'TransactionEvent'?"),
        ("TransactionEvent", "1.6", "but of OCPP 2.0.1 and OCPP 2.1; did you mean 'StartTransaction' or 'StopTransaction'?"),
        ("RemoteStopTransaction", "2.1", "but of OCPP 1.6; did you mean 'RequestStopTransaction'?"),
        ("DiagnosticsStatusNotification", "2.0.1", "no action of OCPP 2.0.1, but of OCPP 1.6"),
        ("Authorise", "1.6", "did you mean 'Authorize'?"),
        ("boot_notification", "2.0.1", "did you mean 'BootNotification'?"),
        ("BootNotificationRequest", "2.1", "did you mean 'BootNotification'?"),
        ("X" * 100_000, "1.6", "… is no action of OCPP 1.6"),
    ],
)
def test_an_action_of_another_version(action: str, version: str, message: str) -> None:
    assert hinted(action, {}, version).endswith(message)


def test_all_actions_that_are_found_to_be_the_same() -> None:
    found = {
        (theirs, ours): {name: same for name in actions(theirs) if name not in actions(ours) and (same := same_actions(name, theirs, ours))}
        for theirs, ours in permutations(VERSIONS, 2)
    }
    to_2 = {
        "ExtendedTriggerMessage": ["TriggerMessage"],
        "RemoteStartTransaction": ["RequestStartTransaction"],
        "RemoteStopTransaction": ["RequestStopTransaction"],
        "SignedUpdateFirmware": ["UpdateFirmware"],
        "StartTransaction": ["TransactionEvent"],
        "StopTransaction": ["TransactionEvent"],
    }
    to_16 = {
        "RequestStartTransaction": ["RemoteStartTransaction"],
        "RequestStopTransaction": ["RemoteStopTransaction"],
        "TransactionEvent": ["StartTransaction", "StopTransaction"],
    }
    assert found == {
        ("1.6", "2.0.1"): to_2,
        ("1.6", "2.1"): to_2,
        ("2.0.1", "1.6"): to_16,
        ("2.1", "1.6"): to_16,
        ("2.0.1", "2.1"): {},
        ("2.1", "2.0.1"): {"GetCertificateChainStatus": ["GetCertificateStatus"]},
    }


@pytest.mark.parametrize(
    ("versions", "name", "side", "message"),
    [
        (("2.0.1",), "StartTransaction", "CS", "no action of OCPP 2.0.1; did you mean 'TransactionEvent'? (StartTransaction is OCPP 1.6)"),
        (("2.0.1", "1.6"), "GetTariffs", "CSMS", "no action of OCPP 2.0.1, 1.6 (GetTariffs is OCPP 2.1)"),
        (("2.0.1",), "transactionEvent", "CS", "no event; did you mean 'TransactionEvent'?"),
        (("1.6",), "Reset", "CS", "it is not handled, but called, on this side, with call('Reset', …)"),
        (("2.1",), "NotifyPeriodicEventStream", "CSMS", "on this side, with send('NotifyPeriodicEventStream', …)"),
    ],
)
def test_a_handler_of_the_wrong_action(versions: tuple[str, ...], name: str, side: str, message: str) -> None:
    with pytest.raises(ValueError) as refused:
        Handlers(("connect",), versions, side).on(name, print)
    assert str(refused.value).endswith(message)


# --- Only what is one's own, and only within bounds


def checks(side: str = "CS") -> Checks:
    return Checks(side, ValidationPolicy(), "CP1")


@pytest.mark.parametrize(
    "check",
    [
        lambda: checks().outgoing_request("1.6", "Authorize", {"idTag": 7}, is_send=False),
        lambda: checks("CSMS").outgoing_response("1.6", "DataTransfer", {"status": "Accepted", "data": 7}),
    ],
)
def test_what_goes_out_gets_hints(check: Callable[[], None]) -> None:
    with pytest.raises(InvalidPayload, match="; write it as text, in quotes"):
        check()


@pytest.mark.parametrize(
    "check",
    [
        lambda: checks("CSMS").incoming_request("1.6", "Authorize", {"idTag": 7}, is_send=False, is_handled=True),
        lambda: checks("CSMS").incoming_request("1.6", "TransactionEvent", {}, is_send=False, is_handled=True),
        lambda: checks("CSMS").incoming_request("2.1", "BootNotification", BOOT_16, is_send=False, is_handled=True),
        lambda: checks().incoming_response("1.6", "DataTransfer", {"status": "Accepted", "data": datetime.now(timezone.utc)}),
        lambda: checks().incoming_response("2.1", "Authorize", {"idTagInfo": {}}),
        lambda: validate("Reset", {"type": "Immediate"}, version="1.6"),
    ],
)
def test_a_peer_makes_nobody_look_for_hints(check: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ocpp_sync.hints", None)  # an import is an ImportError
    with pytest.raises((CallError, InvalidPayload)):
        check()


def calls_of(function: Callable[[], object]) -> int:
    """How many Python functions it calls: a measure of work that no machine makes larger."""
    count = 0

    def profile(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


def every_name() -> list[str]:
    places = [place for version in VERSIONS for action in actions(version) for place in counterparts.places_of(version, action, "request")]
    return sorted({place.name for place in places})


HOSTILE = {
    "many unknown fields": {f"chargePoint{number}": number for number in range(10_000)},
    "fields of all messages": dict.fromkeys(every_name()),
    "long names": {letter * 1_000_000: 1 for letter in "abcdef"},
    "many objects with unknown fields": {"meterValue": [{**dict.fromkeys(every_name(), 1), "timestamp": 1}] * 50},
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("action", ["TransactionEvent", "MeterValues", "SetChargingProfile"])
def test_hints_about_a_hostile_payload_are_little_work(name: str, action: str) -> None:
    for function in (counterparts.places_of, counterparts.same_field, counterparts._renamings):
        function.cache_clear()
    hinted(action, HOSTILE[name], "2.1", hints=False)
    without = calls_of(functools.partial(hinted, action, HOSTILE[name], "2.1", hints=False))
    assert calls_of(functools.partial(hinted, action, HOSTILE[name], "2.1")) - without < 20_000  # found: at most 3,800


def test_every_wrong_payload_of_every_action_gets_one_line() -> None:
    for version in VERSIONS:
        for action in action_names(version):
            for kind in ("request", "response") if not actions(version)[action].is_send else ("request",):
                for wrong in ({"idTag": 1, "x" * 99: 2, "a\nb": 3}, dict.fromkeys(("status", "evse", "idToken", "connectorId"))):
                    hinted(action, {**skeleton(action, version=version, kind=kind), **wrong}, version, kind)


def test_nothing_of_it_is_imported_while_nothing_is_wrong() -> None:
    code = (
        "import sys; from ocpp_sync.validation import validate; from ocpp_sync.handlers import Handlers; import ocpp_sync.checks\n"
        "validate('Heartbeat', {}, version='1.6', hints=True); Handlers((), ('1.6',), 'CSMS').on('Reset', print)\n"
        "assert not {'ocpp_sync.hints', 'ocpp_sync.counterparts', 'difflib'} & {*sys.modules}\n"
        "try: validate('Heartbeat', {'x': 1}, version='1.6', hints=True)\n"
        "except ValueError: assert 'ocpp_sync.hints' in sys.modules\n"
        "else: raise AssertionError\n"
    )
    root = Path(hints.__file__).parents[1]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, timeout=30)


def test_schemas_of_ones_own_are_looked_at_too() -> None:
    fields = {"siteName": {"type": ["string", "null"]}, "tags": {"type": "array", "items": {"type": "string"}}}
    site = {"type": "object", "properties": fields, "additionalProperties": False}
    boot = {"BootNotification": {"request": {"properties": {"site": site}}}}
    for wrong, message in (
        ({"siteName": "a"}, "'siteName' is not a field here; its place is site.siteName"),
        ({"site": {"siteName": 1}}, "site.siteName: this must be a string or null, not an integer"),
        ({"site": {"tags": "a"}}, "site.tags: this must be an array, not a string; write a list, even of one: […]"),
        ({"meter_type": "a"}, "'meter_type' is not a field here; did you mean 'meterType'?"),
        ({"vendorName": "a"}, "'vendorName' is OCPP 2.0.1 and 2.1; OCPP 1.6 has chargePointVendor"),
    ):
        with pytest.raises(InvalidPayload) as refused:
            validate("BootNotification", {**BOOT_16, **wrong}, version="1.6", schemas={"1.6": boot}, hints=True)
        assert str(refused.value) == f"BootNotification: {message}"


def test_an_action_that_ones_own_schemas_take_away() -> None:
    with pytest.raises(InvalidPayload, match=r"no action of OCPP 1\.6, but of OCPP 2\.0\.1 and OCPP 2\.1$"):
        validate("DataTransfer", {}, version="1.6", schemas={"1.6": {"DataTransfer": None}}, hints=True)
