"""Descriptions and skeletons of every message, data type and enumeration."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import ocpp_sync
from ocpp_sync import describe, fields, skeleton, validate
from ocpp_sync.fields import fields_of, message_name, named_schemas
from ocpp_sync.schemas import VERSIONS, actions, definitions

from .test_architecture import LATE, new_modules

MESSAGES = [
    (version, action.name, kind)
    for version in VERSIONS
    for action in actions(version).values()
    for kind in ("request", "response")
    if kind == "request" or action.response is not None
]


def test_all_messages_are_gone_through() -> None:
    assert len(MESSAGES) == 387


# --- Skeletons


@pytest.mark.parametrize(("version", "action", "kind"), MESSAGES)
def test_skeletons_are_valid(version: str, action: str, kind: str) -> None:
    minimal = skeleton(action, version=version, kind=kind)
    full = skeleton(action, version=version, kind=kind, full=True)
    for payload in (minimal, full):
        validate(action, payload, version=version, kind=kind)
        json.dumps(payload)
    known = fields_of(version, message_name(action, kind))
    assert list(minimal) == [field.name for field in known if field.required]
    assert list(full) == [field.name for field in known]


def test_a_minimal_skeleton_has_what_must_be_there() -> None:
    assert skeleton("BootNotification", version="1.6") == {"chargePointVendor": "", "chargePointModel": ""}
    assert skeleton("BootNotification") == {"chargingStation": {"model": "", "vendorName": ""}, "reason": "ApplicationReset"}
    assert skeleton("Reset", version="1.6", kind="response") == {"status": "Accepted"}
    assert skeleton("MeterValues", version="1.6")["meterValue"][0]["sampledValue"] == [{"value": ""}]


def test_a_full_skeleton_has_all_fields_at_every_level() -> None:
    full = skeleton("SampledValueType", full=True)
    assert full["unitOfMeasure"] == {"unit": "Wh", "multiplier": 0}
    assert full["measurand"] == "Energy.Active.Import.Register"  # the default
    assert full["customData"] == {"vendorId": ""}
    assert skeleton("StopTransaction", version="1.6", full=True)["transactionData"][0]["sampledValue"][0]["phase"] == "L1"


def test_custom_data_is_in_the_message_alone() -> None:
    full = skeleton("BootNotification", full=True)
    assert full["customData"] == {"vendorId": ""}
    assert "customData" not in full["chargingStation"]


def test_a_skeleton_is_a_new_one_each_time() -> None:
    skeleton("BootNotification")["chargingStation"]["model"] = "changed"
    assert skeleton("BootNotification")["chargingStation"]["model"] == ""


def test_a_number_is_within_its_limits() -> None:
    assert skeleton("NotifyEVChargingNeeds", version="2.1")["evseId"] == 1
    assert skeleton("ChargingSchedulePeriod", version="1.6")["limit"] == 0.0
    assert isinstance(skeleton("ChargingSchedulePeriod", version="1.6")["limit"], float)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"action": "BootNotificaton"}, "'BootNotificaton' is not in OCPP 2.0.1; did you mean 'BootNotification'?"),
        ({"action": "RemoteStopTransaction"}, "'RemoteStopTransaction' is not in OCPP 2.0.1, but in OCPP 1.6"),
        ({"action": "IdTokenType", "version": "1.6"}, "'IdTokenType' is not in OCPP 1.6, but in OCPP 2.0.1 and OCPP 2.1"),
        ({"action": "x" * 1000}, f"'{'x' * 60}' is not in OCPP 2.0.1"),
        ({"action": "Reset", "kind": "answer"}, "a payload is a 'request' or a 'response', not 'answer'"),
        ({"action": "Reset", "version": "1.5"}, "OCPP '1.5' is not supported; the versions are '1.6', '2.0.1', '2.1'"),
        ({"action": "NotifyPeriodicEventStream", "version": "2.1", "kind": "response"}, "never answered"),
        ({"action": "ResetStatus", "version": "1.6"}, "ResetStatus is an enumeration: it has values, and no fields"),
    ],
)
def test_what_has_no_skeleton(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        skeleton(**arguments)


# --- Descriptions


def everything() -> Iterator[tuple[str, str]]:
    return ((version, name) for version in VERSIONS for name in named_schemas(version))


def test_everything_can_be_described() -> None:
    for version, name in everything():
        found = describe(name, version=version)
        schema = named_schemas(version)[name]
        assert found.name == name
        assert found.values == tuple(schema.get("enum", ()))
        own = [row.path for row in found.rows if "." not in row.path]
        assert sorted(own) == sorted(schema.get("properties", ()))
        assert {row.path for row in found.rows if row.required and "." not in row.path} == set(schema.get("required", ()))
        assert bool(found.used_in) is (found.action is None)
        assert all(len(line) <= 240 and line == line.rstrip() for line in str(found).splitlines())
        json.dumps(found.as_dict())


def test_the_text_of_a_request() -> None:
    assert str(describe("BootNotification")).splitlines() == [
        "BootNotification, OCPP 2.0.1: request from the charge point to the CSMS",
        "",
        "FIELD                            TYPE                 REQUIRED  LIMITS, VALUES",
        "chargingStation                  ChargingStationType  yes",
        "chargingStation.model            string               yes       at most 20 characters",
        "chargingStation.vendorName       string               yes       at most 50 characters",
        "chargingStation.serialNumber     string                         at most 25 characters",
        "chargingStation.modem            ModemType",
        "chargingStation.modem.iccid      string                         at most 20 characters",
        "chargingStation.modem.imsi       string                         at most 20 characters",
        "chargingStation.firmwareVersion  string                         at most 50 characters",
        "reason                           BootReasonEnumType   yes       ApplicationReset, FirmwareUpdate, LocalReset, PowerUp,",
        "                                                                RemoteReset, ScheduledReset, Triggered, Unknown,",
        "                                                                Watchdog",
        "customData                       CustomDataType                 vendorId, and fields of the vendor's own; every object",
        "                                                                may have one",
    ]
    assert repr(describe("BootNotification")) == str(describe("BootNotification"))


@pytest.mark.parametrize(
    ("name", "version", "kind", "headline"),
    [
        ("Reset", "1.6", "request", "Reset, OCPP 1.6: request from the CSMS to the charge point"),
        ("Reset", "1.6", "response", "Reset, OCPP 1.6: response from the charge point to the CSMS"),
        ("ResetResponse", "1.6", "request", "Reset, OCPP 1.6: response from the charge point to the CSMS"),
        ("DataTransfer", "2.1", "response", "DataTransfer, OCPP 2.1: response from either side to the other"),
        (
            "NotifyPeriodicEventStream",
            "2.1",
            "request",
            "NotifyPeriodicEventStream, OCPP 2.1: SEND, which is never answered, from the charge point to the CSMS",
        ),
        ("ResetStatus", "1.6", "request", "ResetStatus, OCPP 1.6: enumeration, used in ResetResponse"),
        ("ModemType", "2.0.1", "request", "ModemType, OCPP 2.0.1: data type, used in ChargingStationType"),
    ],
)
def test_what_it_is_and_who_sends_it(name: str, version: str, kind: str, headline: str) -> None:
    assert describe(name, version=version, kind=kind).headline == headline


def test_a_type_that_much_uses_names_some_of_it() -> None:
    assert describe("StatusInfoType").headline.count(",") < 12
    assert describe("StatusInfoType").headline.endswith(" more")


def test_arrays_limits_and_defaults() -> None:
    rows = {row.path: row for row in describe("MeterValues").rows}
    assert rows["meterValue"].type == "MeterValueType[]"
    assert rows["meterValue"].limits == ("at least 1 item",)
    assert rows["meterValue[].timestamp"].limits == ("date and time of ISO 8601",)
    assert rows["meterValue[].sampledValue[].unitOfMeasure.unit"].remarks == 'at most 20 characters; default "Wh"'
    assert rows["meterValue[].sampledValue[].context"].remarks.endswith('Transaction.End, Trigger; default "Sample.Periodic"')
    assert "meterValue[].customData" not in rows
    keys = {row.path: row for row in describe("GetConfiguration", version="1.6").rows}["key"]
    assert (keys.type, keys.limits) == ("string[]", ("each at most 50 characters",))


def test_depth() -> None:
    assert [row.path for row in describe("BootNotification", depth=1).rows] == ["chargingStation", "reason", "customData"]
    paths = [row.path for row in describe("BootNotification", depth=2).rows]
    assert "chargingStation.modem" in paths
    assert "chargingStation.modem.iccid" not in paths


def test_a_message_without_fields_and_an_enumeration() -> None:
    assert str(describe("ClearCache", version="1.6")).splitlines()[2:] == ["(no fields)"]
    assert str(describe("ResetStatus", version="1.6")).splitlines()[2:] == ["  Accepted", "  Rejected"]


def test_html_for_a_notebook() -> None:
    html = describe("BootNotification")._repr_html_()
    assert html.startswith("<p><strong>BootNotification, OCPP 2.0.1: ")
    assert html.count("<tr>") == 11
    assert "<code>chargingStation.model</code>" in html
    assert "vendor&#x27;s own" in html
    assert describe("ResetStatus", version="1.6")._repr_html_().count("<li>") == 2


def test_plain_data() -> None:
    plain = describe("Reset", version="1.6").as_dict()
    assert plain == {
        "name": "ResetRequest",
        "version": "1.6",
        "kind": "request",
        "action": "Reset",
        "requestFrom": "CSMS",
        "isSend": False,
        "fields": [{"path": "type", "type": "ResetType", "required": True, "values": ["Hard", "Soft"]}],
    }
    assert describe("ResetType", version="1.6").as_dict()["values"] == ["Hard", "Soft"]
    limited = describe("UnitOfMeasureType").as_dict()["fields"][0]
    assert limited == {"path": "unit", "type": "string", "required": False, "limits": ["at most 20 characters"], "default": "Wh"}


def test_what_cannot_be_described() -> None:
    with pytest.raises(ValueError, match=r"'bootNotification' is not in OCPP 1\.6; did you mean 'BootNotification'\?"):
        describe("bootNotification", version="1.6")


@pytest.fixture
def tree(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A data type that contains itself, as extra schemas may have; OCPP's own have none."""
    below = {"type": "object", "properties": {"name": {"type": "string"}, "below": {"$ref": "#/definitions/Tree"}}, "required": ["name"]}
    caches = (fields.named_schemas, fields.fields_of, fields.uses)
    monkeypatch.setattr(fields, "definitions", lambda version: {**definitions(version), "Tree": below})
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.usefixtures("tree")
def test_a_data_type_that_contains_itself_is_gone_into_once() -> None:
    assert [row.path for row in describe("Tree").rows] == ["name", "below"]
    assert skeleton("Tree", full=True) == {"name": ""}


def test_nothing_of_it_is_imported_before_it_is_used() -> None:
    assert not {"ocpp_sync.descriptions", "ocpp_sync.skeletons", "ocpp_sync.fields"} & new_modules("import ocpp_sync")
    loaded = new_modules("import ocpp_sync; ocpp_sync.describe('Reset'); ocpp_sync.skeleton('Reset')")
    assert {"ocpp_sync.descriptions", "ocpp_sync.skeletons"} <= loaded
    assert not loaded & LATE


def test_the_functions_are_exported_whatever_was_imported_before() -> None:
    assert callable(ocpp_sync.describe)
    assert "describe" in dir(ocpp_sync)
    assert sys.modules["ocpp_sync.descriptions"].describe is ocpp_sync.describe


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({}, ""),
        ({"minItems": 1}, "at least 1 item"),
        ({"maxItems": 2}, "at most 2 items"),
        ({"minItems": 2, "maxItems": 2}, "exactly 2 items"),
        ({"minItems": 1, "maxItems": 4}, "1 to 4 items"),
    ],
)
def test_how_many_items(schema: dict[str, int], text: str) -> None:
    assert fields._items(schema) == text
