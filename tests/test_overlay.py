"""Schemas laid over the standard ones: what they change, what they do not, and what is wrong with them."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync import CallError, InvalidPayload, OcppClient, OcppServer, SchemaError, describe, skeleton, validate
from ocpp_sync.acceptance import acceptor
from ocpp_sync.fields import fields_of, named_schemas
from ocpp_sync.schemas import STANDARD, VERSIONS, action_names, actions, base_version, definitions, overlaid

from .integration.payloads import payload
from .support import TIMEOUT
from .test_acceptance import mutated, refused
from .test_architecture import new_modules

every_version = pytest.mark.parametrize("version", VERSIONS)

TARIFF: dict[str, Any] = {
    "from": "CS",
    "request": {
        "type": "object",
        "properties": {"idTag": {"type": "string", "maxLength": 20}},
        "required": ["idTag"],
        "additionalProperties": False,
    },
    "response": {"type": "object", "properties": {"perKWh": {"type": "number", "minimum": 0}}, "required": ["perKWh"]},
}
BLINK: dict[str, Any] = {"from": "CSMS", "request": {"type": "object"}, "response": {"type": "object"}}

Make = Callable[..., Any]


def message(**properties: Any) -> dict[str, Any]:
    """A change of BootNotification's request."""
    return {"BootNotification": {"request": {"properties": properties}}}


BOOT_16 = {"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"}
BOOT_2X = {"reason": "PowerUp", "chargingStation": {"vendorName": "eParking", "model": "NECU-T2"}}
BOOT: dict[str, dict[str, Any]] = {"1.6": BOOT_16, "2.0.1": BOOT_2X, "2.1": BOOT_2X}


def boot(version: str = "1.6", **fields: Any) -> dict[str, Any]:
    return {**BOOT[version], **fields}


def check(schemas: Any, action: str, payload: Any, version: str = "1.6", kind: str = "request") -> None:
    validate(action, payload, version=version, kind=kind, schemas=schemas)


def problem(schemas: Any, action: str, payload: Any, version: str = "1.6") -> InvalidPayload:
    with pytest.raises(InvalidPayload) as caught:
        check(schemas, action, payload, version)
    return caught.value


# --- Both ends


@every_version
def test_an_own_action_is_called_handled_and_checked(version: str, make_server: Make, make_client: Make) -> None:
    schemas = {version: {"GetTariff": TARIFF, "Blink": BLINK}}
    server: OcppServer = make_server(schemas=schemas)
    asked = []

    @server.on("GetTariff")
    def tariff(charge_point: Any, request: dict[str, Any]) -> dict[str, Any]:
        asked.append((charge_point.identity, request))
        return {"perKWh": 0.5 if request["idTag"] == "A" else -1}

    client: OcppClient = make_client(version=version, schemas=schemas)
    client.on("Blink", lambda request: {"times": 3})
    client.connect(server.url)
    assert client.version == version
    assert client.call("GetTariff", {"idTag": "A"}) == {"perKWh": 0.5}
    assert asked == [("CP1", {"idTag": "A"})]
    assert server.wait_for("CP1", TIMEOUT).call("Blink") == {"times": 3}
    with pytest.raises(InvalidPayload, match="'idTag' is missing"):
        client.call("GetTariff", {})
    with pytest.raises(InvalidPayload, match=r"did you mean 'GetTariff'"):
        client.call("GetTarif", {})
    with pytest.raises(InvalidPayload, match="not sent by the charge point"):
        client.call("Blink")
    with pytest.raises(CallError, match="InternalError"):
        client.call("GetTariff", {"idTag": "B"})  # the handler's answer breaks its schema
    assert len(asked) == 2


@every_version
def test_who_has_no_such_schema_refuses_an_own_action(version: str, server: OcppServer, make_client: Make) -> None:
    client = make_client(server.url, version=version, schemas={version: {"GetTariff": TARIFF}})
    with pytest.raises(CallError) as caught:
        client.call("GetTariff", {"idTag": "A"})
    assert (caught.value.code, caught.value.description) == ("NotImplemented", f"GetTariff is no action of OCPP {version}")
    with pytest.raises(ValueError, match="'GetTariff' is no action"):
        server.on("GetTariff")


@every_version
def test_a_rule_that_a_peer_does_not_keep_is_removed(version: str, make_server: Make, make_client: Make) -> None:
    long = "x" * 100
    if version == "1.6":
        changes, request = message(chargePointVendor={"maxLength": None}), boot(chargePointVendor=long)
    else:
        changes = message(chargingStation={"properties": {"vendorName": {"maxLength": 100}}})
        request = {"reason": "PowerUp", "chargingStation": {"vendorName": long, "model": "m"}}
    response = {"status": "Accepted", "currentTime": "2025-01-31T12:00:00Z", "interval": 300}
    lenient: OcppServer = make_server(schemas={version: changes})
    strict: OcppServer = make_server()
    for server in (lenient, strict):
        server.on("BootNotification", lambda charge_point, request: response)
    with pytest.raises(InvalidPayload, match="100 characters are too many"):
        make_client(lenient.url, version=version).call("BootNotification", request)
    client: OcppClient = make_client(lenient.url, version=version, schemas={version: changes})
    assert client.call("BootNotification", request) == response
    with pytest.raises(CallError, match="PropertyConstraintViolation"):
        make_client(strict.url, version=version, schemas={version: changes}).call("BootNotification", request)


def test_a_version_without_changes_is_as_it_was(make_server: Make, make_client: Make) -> None:
    server = make_server(schemas={"1.6": {"GetTariff": TARIFF}})
    server.on("GetTariff", lambda charge_point, request: {"perKWh": 1})
    assert make_client(server.url, version="1.6", validation="off").call("GetTariff", {"idTag": "A"}) == {"perKWh": 1}
    with pytest.raises(CallError, match=r"NotImplemented: GetTariff is no action of OCPP 2\.0\.1"):
        make_client(server.url, version="2.0.1", validation="off").call("GetTariff", {"idTag": "A"})


def test_error_codes_and_texts_are_those_of_the_version(make_server: Make, make_client: Make) -> None:
    server = make_server(schemas={"1.6": {"GetTariff": TARIFF}})
    server.on("GetTariff", lambda charge_point, request: {"perKWh": 1})
    client = make_client(server.url, version="1.6", schemas={"1.6": {"GetTariff": TARIFF}}, validation={"out": "off"})
    with pytest.raises(CallError) as caught:
        client.call("GetTariff", {})
    assert caught.value.code == "OccurenceConstraintViolation"
    with pytest.raises(CallError) as caught:
        client.call("GetTarif", {})
    assert caught.value.description == "GetTarif is no action of OCPP 1.6"
    with pytest.raises(ValueError, match=r"'GetTarif' is no action of OCPP 2\.1, 2\.0\.1, 1\.6; did you mean 'GetTariff'\?"):
        server.on("GetTarif")
    error = problem({"1.6": {"GetTariff": TARIFF}}, "Nothing", {})
    assert str(error) == "Nothing: 'Nothing' is no action of OCPP 1.6"


def test_a_connection_of_the_server_handles_own_actions_too(make_server: Make, make_client: Make) -> None:
    server = make_server(schemas={"1.6": {"GetTariff": TARIFF}})
    client = make_client(server.url, version="1.6", schemas={"1.6": {"GetTariff": TARIFF}})
    server.wait_for("CP1", TIMEOUT).on("GetTariff", lambda request: {"perKWh": 2})
    assert client.call("GetTariff", {"idTag": "A"}) == {"perKWh": 2}


def test_an_own_send_of_21(make_server: Make, make_client: Make) -> None:
    schemas = {"2.1": {"Ticks": {"from": "CS", "send": True, "request": {"type": "object"}}}}
    server = make_server(schemas=schemas)
    client = make_client(server.url, version="2.1", schemas=schemas)
    import queue

    came: queue.Queue[Any] = queue.Queue()
    server.on("Ticks", lambda charge_point, request: came.put(request))
    client.send("Ticks", {"n": 1})
    assert came.get(timeout=TIMEOUT) == {"n": 1}
    with pytest.raises(InvalidPayload, match="use send"):
        client.call("Ticks", {})


def test_an_own_action_in_the_outbox(make_server: Make, make_client: Make, tmp_path: Path) -> None:
    schemas = {"1.6": {"GetTariff": TARIFF}}
    server = make_server(schemas=schemas)
    server.on("GetTariff", lambda charge_point, request: {"perKWh": 1})
    client = make_client(version="1.6", schemas=schemas, outbox=tmp_path / "queue.sqlite3")
    delivery = client.outbox.put("GetTariff", {"idTag": "A"})
    with pytest.raises(InvalidPayload):
        client.outbox.put("GetTariff", {})
    client.connect(server.url)
    assert delivery.result(TIMEOUT) == {"perKWh": 1}


def test_a_validation_policy_may_name_an_own_action(make_server: Make, make_client: Make) -> None:
    schemas = {"1.6": {"GetTariff": TARIFF}}
    policy = {"out:GetTariff": "off"}
    for make in (make_server, make_client):
        make(schemas=schemas, validation=policy)
        with pytest.raises(ValueError, match="GetTariff"):
            make(validation=policy)


def test_the_text_of_a_connection_is_of_the_version(make_server: Make, make_client: Make) -> None:
    server = make_server(schemas={"1.6": {"GetTariff": TARIFF}})
    client = make_client(server.url, version="1.6", schemas={"1.6": {"GetTariff": TARIFF}})
    assert (client.version, server.wait_for("CP1", TIMEOUT, version="1.6").version) == ("1.6", "1.6")
    assert "1.6)" in repr(client)


# --- The merge


def test_null_removes() -> None:
    check({"1.6": message(imsi={"maxLength": None})}, "BootNotification", boot(imsi="1" * 50))
    assert problem({"1.6": message(imsi=None)}, "BootNotification", boot(imsi="1")).keyword == "additionalProperties"
    open_ = {"1.6": {"BootNotification": {"request": {"additionalProperties": None}}}}
    check(open_, "BootNotification", boot(anything={"a": [1]}))
    assert problem({"1.6": {"Reset": None}}, "Reset", {"type": "Soft"}).message.startswith("'Reset' is no action of OCPP 1.6, but of")
    assert "Reset" not in action_names(overlaid({"1.6": {"Reset": None}})["1.6"])


def test_a_list_is_replaced() -> None:
    schemas = {"1.6": {"BootNotification": {"request": {"required": ["chargePointVendor"]}}}}
    check(schemas, "BootNotification", {"chargePointVendor": "x"})
    reset = {"1.6": {"Reset": {"request": {"properties": {"type": {"enum": ["Soft", "Hard", "Medium"]}}}}}}
    check(reset, "Reset", {"type": "Medium"})
    assert problem(reset, "Reset", {"type": "Median"}).message.endswith("did you mean 'Medium'?")


def test_who_sends_an_action_can_be_changed() -> None:
    key = overlaid({"1.6": {"Reset": {"from": "both"}}})["1.6"]
    assert actions(key)["Reset"] == actions("1.6")["Reset"]._replace(sent_by="both")


def test_a_data_type_is_changed_in_one_place_or_everywhere() -> None:
    here = {
        "2.0.1": {"SetChargingProfile": {"response": {"properties": {"statusInfo": {"properties": {"reasonCode": {"maxLength": 100}}}}}}}
    }
    everywhere = {"2.0.1": {"definitions": {"StatusInfoType": {"properties": {"reasonCode": {"maxLength": 100}}}}}}
    response = {"status": "Accepted", "statusInfo": {"reasonCode": "x" * 100}}
    for schemas in (here, everywhere):
        check(schemas, "SetChargingProfile", response, "2.0.1", "response")
    check(everywhere, "Reset", response, "2.0.1", "response")
    with pytest.raises(InvalidPayload):
        check(here, "Reset", response, "2.0.1", "response")


def test_a_field_refers_to_another_data_type() -> None:
    schemas = {
        "2.1": {
            "definitions": {"Place": {"type": "object", "properties": {"lat": {"type": "number"}}, "required": ["lat"]}},
            **message(place={"$ref": "#/definitions/Place"}, reason={"$ref": "#/definitions/Place"}),
        }
    }
    check(schemas, "BootNotification", boot("2.1", place={"lat": 1.5}, reason={"lat": 2}), "2.1")
    assert problem(schemas, "BootNotification", boot("2.1", place={"lat": 1.5}), "2.1").path == "reason"


def test_a_data_type_is_removed_with_all_that_refers_to_it() -> None:
    with pytest.raises(SchemaError, match="there is no 'ModemType' in definitions") as caught:
        overlaid({"2.0.1": {"definitions": {"ModemType": None}}})
    assert caught.value.place == "2.0.1/definitions/ChargingStationType"
    station = {"ChargingStationType": {"properties": {"modem": None}}}
    assert "ModemType" not in definitions(overlaid({"2.0.1": {"definitions": {"ModemType": None, **station}}})["2.0.1"])


def test_objects_in_fields_of_like_names_are_told_apart() -> None:
    inner = {name: {"type": "object", "properties": {"x": {"type": kind}}} for name, kind in (("a/b", "string"), ("a_b", "integer"))}
    schemas = {"1.6": {"BootNotification": {"request": {"properties": inner}}}}
    check(schemas, "BootNotification", {**BOOT_16, "a/b": {"x": "y"}, "a_b": {"x": 1}})
    assert problem(schemas, "BootNotification", {**BOOT_16, "a/b": {"x": 1}}).path == "a/b.x"
    assert problem(schemas, "BootNotification", boot(a_b={"x": "y"})).path == "a_b.x"


def test_a_field_may_be_null() -> None:
    schemas = {"1.6": message(imsi={"type": ["string", "null"]})}
    check(schemas, "BootNotification", boot(imsi=None))
    assert problem(schemas, "BootNotification", boot(imsi=5)).message == "this must be a string or null, not an integer"


def test_an_enumeration_is_told_from_what_is_no_text_at_all() -> None:
    # "enum" before "type": jsonschema looks at them in this order.
    schemas = {"1.6": message(colour={"enum": ["red", "green"], "type": "string"})}
    assert problem(schemas, "BootNotification", boot(colour=5)).message == "5 is not one of 'red', 'green'"


def test_what_is_only_about_a_schema_is_left_out() -> None:
    about = {"$schema": "x", "$id": "urn:x", "id": "y", "title": "t", "description": "d"}
    inner = {**about, "type": "object", "properties": {"a": {"$ref": "#/definitions/StatusInfoType"}}}
    schemas = {"2.0.1": {"GetTariff": {**TARIFF, "request": {**about, "type": "object", "properties": {"inner": inner}}}}}
    check(schemas, "GetTariff", {"inner": {"a": {"reasonCode": "x"}}}, "2.0.1")
    assert problem(schemas, "GetTariff", {"inner": {"a": {"reasonCode": 1}}}, "2.0.1").path == "inner.a.reasonCode"


def test_the_same_schemas_have_the_same_key() -> None:
    first = {"1.6": message(imsi={"maxLength": 77})}
    assert overlaid(first) == overlaid(copy.deepcopy(first))
    assert overlaid(first) != overlaid({"1.6": message(imsi={"maxLength": 78})})
    assert {version: base_version(key) for version, key in overlaid(first).items()} == dict(STANDARD)


def test_a_mapping_that_is_changed_later_changes_nothing() -> None:
    schemas = {"1.6": message(imsi={"maxLength": 79})}
    key = overlaid(schemas)["1.6"]
    schemas["1.6"]["BootNotification"]["request"]["properties"]["imsi"]["maxLength"] = 1
    assert actions(key)["BootNotification"].request["properties"]["imsi"]["maxLength"] == 79


def test_the_standard_stays_as_it_is() -> None:
    before = copy.deepcopy((dict(actions("2.0.1")), dict(named_schemas("2.0.1"))))
    overlaid({"2.0.1": {"definitions": {"StatusInfoType": {"properties": {"more": {"type": "string"}}}}, "GetTariff": TARIFF}})
    assert (dict(actions("2.0.1")), dict(named_schemas("2.0.1"))) == before


# --- Files


def test_from_a_file_and_from_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"1.6": {"GetTariff": TARIFF, **message(imsi={"maxLength": 1, "default": "x"})}}))
    (tmp_path / "b.json").write_text(json.dumps({"1.6": {"Blink": BLINK, **message(imsi={"maxLength": None})}}))
    (tmp_path / "README.md").write_text("no schemas")
    assert overlaid(str(tmp_path / "a.json")) == overlaid(json.loads((tmp_path / "a.json").read_text()))
    key = overlaid(tmp_path)["1.6"]
    assert {"GetTariff", "Blink"} <= actions(key).keys()
    assert actions(key)["BootNotification"].request["properties"]["imsi"] == {"type": "string", "default": "x"}


@pytest.mark.parametrize(("text", "message"), [("{", "this cannot be read as JSON"), ("[]", "must be an object"), (None, "no JSON files")])
def test_files_that_are_none(text: str | None, message: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "a.json").write_text(text)
    with pytest.raises(SchemaError, match=message) as caught:
        overlaid(tmp_path)
    assert caught.value.place == str(tmp_path / "a.json" if text is not None else tmp_path)
    with pytest.raises(SchemaError, match="No such file"):
        overlaid(tmp_path / "missing.json")


# --- What is wrong


def request(**schema: Any) -> dict[str, Any]:
    return {"1.6": {"Reset": {"request": schema}}}


def field(**schema: Any) -> dict[str, Any]:
    return request(properties={"more": schema})


RESET = "1.6/Reset/request"
MORE = f"{RESET}/properties/more"

WRONG: list[tuple[Any, str, str]] = [
    ({"1.7": {}}, "1.7", "no version of OCPP; the versions are '1.6', '2.0.1', '2.1'"),
    ({"1.6": []}, "1.6", "must be an object, by actions"),
    ({"1.6": {"Reset": {1, 2}}}, "1.6", "this is no JSON"),
    ({"1.6": {"definitions": []}}, "1.6/definitions", "must be an object"),
    ({"1.6": {"definitions": {"a/b": {}}}}, "1.6/definitions/a/b", "letters, digits"),
    ({"1.6": {"definitions": {"A": 5}}}, "1.6/definitions/A", "must be a schema"),
    ({"1.6": {"resett": {}}}, "1.6/resett", "no action of OCPP 1.6; one of your own has a 'from', who sends it; did you mean 'Reset'?"),
    ({"1.6": {"getTariff": TARIFF}}, "1.6/getTariff", "begins with a capital letter"),
    ({"1.6": {"Reset": 5}}, "1.6/Reset", "must be an object with 'from'"),
    ({"1.6": {"Reset": {"requst": {}}}}, "1.6/Reset/requst", "did you mean 'request'?"),
    ({"1.6": {"Reset": {"from": "CP"}}}, "1.6/Reset/from", "one of 'CS', 'CSMS', 'both'"),
    ({"1.6": {"Reset": {"send": True}}}, "1.6/Reset/send", "only in OCPP 2.1"),
    ({"2.1": {"Reset": {"send": 1}}}, "2.1/Reset/send", "true or false"),
    ({"1.6": {"X": {**TARIFF, "response": None}}}, "1.6/X/response", '"type": "object"'),
    ({"1.6": {"X": {**TARIFF, "request": {"type": "string"}}}}, "1.6/X/request", '"type": "object"'),
    ({"1.6": {"Reset": {"request": None}}}, RESET, '"type": "object"'),
    ({"1.6": {"Reset": {"request": []}}}, RESET, '"type": "object"'),
    (request(required=["type", "more"]), f"{RESET}/required", "'more' is not among the properties"),
    (request(properties={"type": None}), f"{RESET}/required", "'type' is not among the properties"),
    (request(properties=[]), f"{RESET}/properties", "an object of schemas"),
    (request(properties={"more": True}), MORE, "must be a schema"),
    (field(maxLenght=5), f"{MORE}/maxLenght", "no keyword of OCPP's schemas; did you mean 'maxLength'?"),
    (field(pattern="x"), f"{MORE}/pattern", "no keyword"),
    (field(maxLength="5"), f"{MORE}/maxLength", "a whole number"),
    (field(maxLength=-1), f"{MORE}/maxLength", "a whole number"),
    (field(maxLength=True), f"{MORE}/maxLength", "a whole number"),
    (field(minItems=1.5), f"{MORE}/minItems", "a whole number"),
    (field(minimum="0"), f"{MORE}/minimum", "a number"),
    (field(maximum=10**400), f"{MORE}/maximum", "a number"),
    (field(multipleOf=0), f"{MORE}/multipleOf", "above 0"),
    (field(type="text"), f"{MORE}/type", "one of 'array'"),
    (field(type=[]), f"{MORE}/type", "one of 'array'"),
    (field(type={"a": 1}), f"{MORE}/type", "one of 'array'"),
    (field(format="email"), f"{MORE}/format", "'date-time' or 'uri'"),
    (field(enum=[], type="string"), f"{MORE}/enum", "a list of texts"),
    (field(enum=[1], type="string"), f"{MORE}/enum", "a list of texts"),
    (field(enum=["1"]), f"{MORE}/enum", '"type": "string"'),
    (field(additionalProperties={"type": "string"}), f"{MORE}/additionalProperties", "true or false"),
    (field(properties={"a": {}}), MORE, '"type": "object"'),
    (field(type="array"), MORE, "what its items are"),
    (field(type="array", items=[{}]), f"{MORE}/items", "a schema"),
    (field(required="a"), f"{MORE}/required", "a list of the names"),
    (field(**{"$ref": "StatusInfoType"}), f"{MORE}/$ref", "'#/definitions/NAME'"),
    (field(**{"$ref": "#/definitions/A", "maxLength": 5}), f"{MORE}/$ref", "beside a reference"),
    (field(**{"$ref": "#/definitions/MeterValu"}), RESET, "there is no 'MeterValu' in definitions; did you mean 'MeterValue'?"),
    ({"1.6": {"definitions": {"A": {"type": "array", "items": {"$ref": "#/definitions/A"}}}}}, "1.6/definitions/A", "contains itself"),
]


@pytest.mark.parametrize(("schemas", "place", "message"), WRONG)
def test_what_is_wrong_is_said_with_its_place(schemas: Any, place: str, message: str) -> None:
    for use in (overlaid, lambda schemas: OcppClient("CP1", schemas=schemas), lambda schemas: OcppServer(schemas=schemas)):
        with pytest.raises(SchemaError) as caught:
            use(schemas)
        assert caught.value.place == place
        assert message in str(caught.value)
        assert isinstance(caught.value, ValueError)


def test_definitions_that_contain_each_other() -> None:
    a = {"type": "object", "properties": {"b": {"$ref": "#/definitions/B"}}}
    b = {"type": "object", "properties": {"a": {"type": "array", "items": {"$ref": "#/definitions/A"}}}}
    with pytest.raises(SchemaError, match="contains itself"):
        overlaid({"1.6": {"definitions": {"A": a, "B": b}}})


# --- The quick yes is right


def change(version: str, schema: dict[str, Any], chance: random.Random, *, is_inside: bool = True) -> dict[str, Any]:
    """A change of one schema, or of one in it."""
    if "$ref" in schema:
        return change(version, definitions(version)[schema["$ref"].rpartition("/")[2]], chance)
    fields = schema.get("properties")
    if fields and chance.random() < 0.8:
        name = chance.choice(list(fields))
        return {"properties": {name: change(version, fields[name], chance)}}
    if "items" in schema and chance.random() < 0.7:
        return {"items": change(version, schema["items"], chance)}
    if not is_inside or (fields is not None and chance.random() < 0.7):
        return chance.choice(OBJECT_CHANGES)
    limits = schema.keys() & {"maxLength", "minItems", "maxItems", "minimum", "maximum", "format", "enum"}
    instead = {**dict.fromkeys(schema), **chance.choice(INSTEAD)}
    return chance.choice([dict.fromkeys(limits), chance.choice(LIMITS), instead, instead])


INSTEAD: list[dict[str, Any]] = [
    {},
    {"type": "boolean"},
    {"type": ["string", "null"]},
    {"type": ["integer", "string"], "maxLength": 2, "minimum": 2},
    {"type": "integer", "minimum": -5, "maximum": 2},
    {"type": "integer", "maximum": 1e308},
    {"type": "number", "multipleOf": 0.1},
    {"type": "number", "minimum": 0.5},
    {"type": "string", "maxLength": 3, "enum": ["a", "Accepted", "x"]},
    {"type": "string", "maxLength": 22, "format": "date-time"},
    {"type": "string", "format": "uri"},
    {"type": "array", "items": {"type": "string", "maxLength": 2}, "maxItems": 2},
    {"type": "array", "items": {}, "minItems": 1},
    {"type": "object"},
    {"type": "object", "additionalProperties": False},
    {"type": "object", "properties": {"a": {"type": "boolean"}, "vendorId": {}}, "required": ["vendorId"]},
    {"type": ["object", "null"], "properties": {"vendorId": {"type": "string"}}},
]
LIMITS: list[dict[str, Any]] = [{"maxLength": 2}, {"minimum": 1}, {"maximum": 1}, {"minItems": 2}, {"maxItems": 1}]
OBJECT_CHANGES: list[dict[str, Any]] = [
    {"additionalProperties": None},
    {"additionalProperties": True},
    {"additionalProperties": False},
    {"required": None},
    {"properties": {"extra": {"type": "object", "properties": {"a": {"type": "number"}}, "additionalProperties": False}}},
    {"properties": {"extra": {}}, "required": ["extra"]},
    {"properties": {"vendorId": {"type": ["string", "null"]}, "status": {"type": "integer", "enum": None, "$ref": None}}, "required": None},
]


def changed(version: str, chance: random.Random) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Messages whose schemas were changed: key, action, kind, and a payload that was valid before."""
    for action, entry in actions(version).items():
        for kind, schema in (("request", entry.request), ("response", entry.response)):
            if schema is not None and schema.get("properties"):
                key = overlaid({version: {action: {kind: change(version, schema, chance, is_inside=False)}}})[version]
                yield key, action, kind, payload(version, action, chance.choice(("minimal", "full")), response=kind == "response")


def complaint(key: str, action: str, kind: str, value: Any) -> InvalidPayload | None:
    """What a user is told: every error has a text, with its hint."""
    try:
        validate(action, value, version=key, kind=kind, hints=True)
    except InvalidPayload as error:
        return error
    return None


@every_version
def test_what_is_accepted_at_once_is_valid(version: str) -> None:
    chance = random.Random(f"overlays of {version}")
    accepted = refusals = 0
    for key, action, kind, valid in changed(version, chance):
        accept = acceptor(key, action, kind)
        bases = [valid, *(skeleton(action, version=key, kind=kind, full=full) for full in (False, True))]
        payloads = [*bases, *(mutated(chance.choice(bases), chance) for _ in range(40))]
        for value in payloads:
            is_refused = refused(key, action, kind, value)
            assert is_refused is (complaint(key, action, kind, value) is not None)
            refusals += is_refused
            if accept(value):
                accepted += 1
                assert not is_refused, (key, action, kind, value, actions(key)[action])
    assert accepted > 200
    assert refusals > 200


@every_version
def test_a_changed_message_can_be_described_and_has_a_skeleton(version: str) -> None:
    chance = random.Random(f"descriptions of {version}")
    for key, action, kind, _ in changed(version, chance):
        for name in named_schemas(key):
            if name.startswith(action):
                assert all(field.type_text for field in fields_of(key, name))
        made = skeleton(action, version=key, kind=kind)
        assert isinstance(made, dict)


def test_descriptions_and_skeletons_know_own_schemas() -> None:
    schemas = {"1.6": {"GetTariff": TARIFF, **message(imsi={"maxLength": None}, place={"type": "object", "properties": {"lat": {}}})}}
    assert skeleton("GetTariff", version="1.6", schemas=schemas) == {"idTag": ""}
    assert skeleton("GetTariff", version="1.6", kind="response", schemas=schemas) == {"perKWh": 0.0}
    described = describe("GetTariff", version="1.6", schemas=schemas)
    assert described.headline == "GetTariff, OCPP 1.6: request from the charge point to the CSMS"
    assert [(row.path, row.limits) for row in described.rows] == [("idTag", ("at most 20 characters",))]
    rows = {row.path: row for row in describe("BootNotification", version="1.6", schemas=schemas).rows}
    assert (rows["imsi"].limits, rows["place"].type, rows["place.lat"].type) == ((), "BootNotificationRequest.place", "any")


def test_what_a_connection_may_send_has_own_actions(make_client: Make) -> None:
    client = make_client(version="1.6", schemas={"1.6": {"GetTariff": TARIFF, "Blink": BLINK}})
    assert "GetTariff" in client.actions
    assert "Blink" not in client.actions
    assert "idTag" in client.api.GetTariff.__doc__


# --- Who does not use it


def test_who_has_no_schemas_of_his_own_pays_nothing() -> None:
    assert overlaid(None) is STANDARD
    loaded = new_modules("import ocpp_sync; ocpp_sync.OcppClient('CP1').close(); ocpp_sync.OcppServer().close()")
    assert "ocpp_sync.schemas" in loaded
    assert not {"ocpp_sync.schemas.overlay", "ocpp_sync.data_transfer"} & loaded
