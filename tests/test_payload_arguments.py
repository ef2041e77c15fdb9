"""Payloads out of arguments: JSON, files, the standard input, and fields."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync import parse_time
from ocpp_sync.cli.payloads import Given, read_payload, schema_at
from ocpp_sync.schemas import actions, definitions


def built(*arguments: str, version: str = "2.0.1", action: str = "BootNotification") -> dict[str, Any]:
    return Given.of(arguments).build(version, action)


# --- Fields


@pytest.mark.parametrize(
    ("version", "action", "argument", "payload"),
    [
        ("1.6", "StatusNotification", "connectorId=1", {"connectorId": 1}),
        ("1.6", "StatusNotification", "connectorId=1.5", {"connectorId": 1.5}),
        ("1.6", "StatusNotification", "connectorId=one", {"connectorId": "one"}),
        ("1.6", "StatusNotification", "connectorId=true", {"connectorId": "true"}),
        ("1.6", "StatusNotification", "connectorId=", {"connectorId": ""}),
        ("1.6", "StatusNotification", "status=Available", {"status": "Available"}),
        ("1.6", "Authorize", "idTag=123", {"idTag": "123"}),
        ("1.6", "Authorize", 'idTag="123"', {"idTag": "123"}),
        ("1.6", "Authorize", "idTag=true", {"idTag": "true"}),
        ("1.6", "Authorize", "idTag=null", {"idTag": "null"}),
        ("1.6", "Authorize", "idTag==", {"idTag": "="}),
        ("1.6", "Authorize", "idTag=a:=b", {"idTag": "a:=b"}),
        ("1.6", "Authorize", "idTag=now", {"idTag": "now"}),
        ("1.6", "Authorize", "idTag=NaN", {"idTag": "NaN"}),
        ("1.6", "Authorize", 'idTag=two\nlines"', {"idTag": 'two\nlines"'}),
        ("1.6", "Authorize", "idTag:=123", {"idTag": 123}),
        ("1.6", "Authorize", "idtag=123", {"idtag": 123}),
        ("1.6", "MeterValues", "meterValue[0].sampledValue[0].value=7", {"meterValue": [{"sampledValue": [{"value": "7"}]}]}),
        ("2.0.1", "MeterValues", "meterValue[0].sampledValue[0].value=7", {"meterValue": [{"sampledValue": [{"value": 7}]}]}),
        ("2.0.1", "MeterValues", "meterValue[].sampledValue[].value=-7.5e1", {"meterValue": [{"sampledValue": [{"value": -75.0}]}]}),
        ("2.0.1", "BootNotification", "chargingStation.model=7", {"chargingStation": {"model": "7"}}),
        ("2.0.1", "BootNotification", 'chargingStation={"model": "7"}', {"chargingStation": {"model": "7"}}),
        ("2.0.1", "BootNotification", "chargingStation=7", {"chargingStation": "7"}),
        ("2.0.1", "BootNotification", 'customData:={"vendorId":"x"}', {"customData": {"vendorId": "x"}}),
        ("2.0.1", "BootNotification", "customData.own=1", {"customData": {"own": 1}}),
        ("2.0.1", "TransactionEvent", "offline=TRUE", {"offline": True}),
        ("2.0.1", "TransactionEvent", "offline=1", {"offline": "1"}),
        ("2.0.1", "NoSuchAction", "a.b=[1, 2]", {"a": {"b": [1, 2]}}),
        ("2.1", "DataTransfer", "data=7", {"data": 7}),
        ("2.1", "DataTransfer", "data=seven", {"data": "seven"}),
        ("1.6", "DataTransfer", 'data={"a": 1}', {"data": '{"a": 1}'}),
    ],
)
def test_a_field_has_the_type_that_the_schema_wants(version: str, action: str, argument: str, payload: dict[str, Any]) -> None:
    found = built(argument, version=version, action=action)
    assert found == payload
    assert [type(value) for value in found.values()] == [type(value) for value in payload.values()]


def test_now_is_the_time() -> None:
    parse_time(built("timestamp=now", action="StatusNotification")["timestamp"])


def test_fields_go_into_the_payload_and_override_it() -> None:
    payload = '{"chargingStation": {"model": "A", "vendorName": "V"}, "reason": "PowerUp"}'
    assert built("reason=Watchdog", payload, "chargingStation.model=B", "customData.vendorId=x") == {
        "chargingStation": {"model": "B", "vendorName": "V"},
        "reason": "Watchdog",
        "customData": {"vendorId": "x"},
    }


def test_items_of_an_array() -> None:
    items = [{"x": 1, "y": 2}, {"x": 3}, {"x": 4}, {"x": 5}]
    assert built("a[0].x=1", "a[0].y=2", "a[1].x=3", "a[].x=4", "a[].x=5", action="?") == {"a": items}
    assert built("key[]=A", "key[]=B", version="1.6", action="GetConfiguration") == {"key": ["A", "B"]}
    assert built('{"a": [1, 2]}', "a[1]=3", "a[2]=4", action="?") == {"a": [1, 3, 4]}


def test_what_was_read_is_not_changed_by_building() -> None:
    given = Given.of(['{"a": {"b": 1}}', "a.b=2"])
    base = {"c": {"d": 1}}
    assert given.build("1.6", "Heartbeat") == given.build("2.1", "Heartbeat") == {"a": {"b": 2}}
    assert given.payload == {"a": {"b": 1}}
    assert Given.of(["c.d=2"]).build("1.6", "Heartbeat", base) == {"c": {"d": 2}}
    assert base == {"c": {"d": 1}}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a[1]=2"], "a[1]: there is no item 0 yet; items count from 0"),
        (['{"a": [1]}', "a[2].b=2"], "a[2].b: there is no item 1 yet; items count from 0"),
        (['{"a": [1]}', "a.b=2"], "a.b: a field 'b' cannot be in an array"),
        (['{"a": {}}', "a[0]=2"], "a[0]: an item 0 cannot be in an object"),
        (["a=text", "a[]=2"], "a[]: an item cannot be in a single value"),
        (["a=5", "a.b=2"], "a.b: a field 'b' cannot be in a single value"),
    ],
)
def test_a_field_that_does_not_go_with_the_rest(arguments: list[str], said: str) -> None:
    with pytest.raises(ValueError) as raised:
        built(*arguments, action="?")
    assert str(raised.value) == said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a=1", "a=2"], "a is given twice"),
        (["connectorId"], "'connectorId' is neither a payload (JSON, @FILE or -) nor FIELD=VALUE"),
        (["connectorId:1"], "'connectorId:1' is neither a payload (JSON, @FILE or -) nor FIELD=VALUE"),
        (["a[x]=1"], "'a[x]=1' is neither a payload (JSON, @FILE or -) nor FIELD=VALUE"),
        (["x" * 100], f"'{'x' * 59}…' is neither a payload (JSON, @FILE or -) nor FIELD=VALUE"),
        (["{}", "{}"], "there is a payload already, and '{}' is a second one; fields are FIELD=VALUE"),
        (["5"], 'the payload must be a JSON object, such as {"connectorId": 1}'),
        (["[1]"], 'the payload must be a JSON object, such as {"connectorId": 1}'),
        (["null"], 'the payload must be a JSON object, such as {"connectorId": 1}'),
        (['{"a": 1,\n  "b": }'], "the payload is no JSON: line 2, column 8: Expecting value"),
        (["{'a': 1}"], "the payload is no JSON: line 1, column 2: Expecting property name enclosed in double quotes"),
        (['{"a": 1, "a": 2}'], "the payload is no JSON: the field 'a' is there twice"),
        (['{"a": {"b": NaN}}'], "the payload is no JSON: NaN is no number that JSON has"),
        (['{"a": -Infinity}'], "the payload is no JSON: -Infinity is no number that JSON has"),
        (['{"a": "\\ud800"}'], "the payload is no JSON: it has half of a surrogate pair in it, which is no character"),
        (['{"a":' * 100_000], "the payload is no JSON: it is nested too deeply"),
        (["a:=b"], "a:= is no JSON: line 1, column 1: Expecting value"),
    ],
)
def test_what_is_neither_payload_nor_field(arguments: list[str], said: str) -> None:
    with pytest.raises(ValueError) as raised:
        built(*arguments)
    assert str(raised.value) == said


# --- Files and the standard input


@pytest.mark.parametrize("data", [b'{"a": "\xc3\xa4"}', b'\xef\xbb\xbf{"a": "\xc3\xa4"}\n'], ids=["UTF-8", "with a byte order mark"])
def test_a_file_and_the_standard_input(data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "payload.json"
    file.write_bytes(data)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), "ascii"))
    assert built(f"@{file}", "b=1") == {"a": "ä", "b": 1}
    assert built("b=1", "-") == {"a": "ä", "b": 1}


def test_at_a_terminal_it_says_that_it_waits(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"{}"))
    monkeypatch.setattr(stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdin", stdin)
    assert read_payload("-") == {}
    assert capsys.readouterr().err == "The payload, and Ctrl-D at its end:\n"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", " is no JSON: line 1, column 1: Expecting value"),
        (b'{"a":\n\n x}', " is no JSON: line 3, column 2: Expecting value"),
        (b'{"a": "\xe4"}', " is no UTF-8: byte 7 is 0xe4"),
        (b"[]", ' must be a JSON object, such as {"connectorId": 1}'),
    ],
)
def test_a_file_that_is_no_payload(data: bytes, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "payload.json"
    file.write_bytes(data)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    for argument, what in ((f"@{file}", file), ("-", "the standard input")):
        with pytest.raises(ValueError) as raised:
            read_payload(argument)
        assert str(raised.value) == f"{what}{said}"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        built(f"@{tmp_path}/nothing.json")


def test_the_schema_of_a_field() -> None:
    request, known = actions("2.0.1")["MeterValues"].request, definitions("2.0.1")
    assert (schema_at(request, "meterValue[0].sampledValue[3].value", known) or {})["type"] == "number"
    assert schema_at(request, "meterValue[0].nothing.more[1]", known) is None
    assert schema_at(request, "evseId[0]", known) is None
