"""``ocpp-sync schema``, as a user runs it."""

from __future__ import annotations

import json

import pytest

from ocpp_sync import describe
from ocpp_sync.cli import main

from .test_schemas import COUNTS

Output = pytest.CaptureFixture[str]


def test_a_request_of_2_0_1_by_default(capsys: Output) -> None:
    assert main(["schema", "BootNotification"]) == 0
    assert capsys.readouterr() == (f"{describe('BootNotification')}\n", "")


def test_a_response_of_a_version(capsys: Output) -> None:
    assert main(["schema", "Reset", "--version", "1.6", "--response"]) == 0
    assert capsys.readouterr().out.startswith("Reset, OCPP 1.6: response from the charge point to the CSMS\n")


def test_json(capsys: Output) -> None:
    assert main(["schema", "ResetType", "--version", "1.6", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == describe("ResetType", version="1.6").as_dict()


def test_depth(capsys: Output) -> None:
    assert main(["schema", "TransactionEvent", "--depth", "1"]) == 0
    assert "transactionInfo." not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["StartTransaction"], "'StartTransaction' is not in OCPP 2.0.1, but in OCPP 1.6"),
        (["bootnotification"], "did you mean 'BootNotification'?"),
        (["NotifyPeriodicEventStream", "--version", "2.1", "--response"], "never answered"),
    ],
)
def test_what_is_not_there(arguments: list[str], message: str, capsys: Output) -> None:
    assert main(["schema", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("ocpp-sync: ")
    assert message in err


def test_the_list_of_all(capsys: Output) -> None:
    assert main(["schema"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.count(".") > 0 for line in lines) == len(lines)
    assert sum(line.count(",") + 1 for line in lines) == sum(COUNTS.values())
    assert lines == sorted(lines)
    assert any(line.split() == ["BootNotification", "charge", "point", "1.6,", "2.0.1,", "2.1"] for line in lines)
    assert any(line.split() == ["DataTransfer", "either", "side", "1.6,", "2.0.1,", "2.1"] for line in lines)


def test_the_filters_of_the_list(capsys: Output) -> None:
    assert main(["schema", "--version", "1.6"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == COUNTS["1.6"]
    assert main(["schema", "--find", "LOCALlist", "--version", "2.0.1"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["GetLocalListVersion", "SendLocalList"]
    assert main(["schema", "--from", "CS", "--find", "data", "--version", "1.6"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["DataTransfer"]


def test_the_list_as_json(capsys: Output) -> None:
    assert main(["schema", "--find", "starttrans", "--json"]) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"action": "RemoteStartTransaction", "requestFrom": "CSMS", "versions": ["1.6"]},
        {"action": "RequestStartTransaction", "requestFrom": "CSMS", "versions": ["2.0.1", "2.1"]},
        {"action": "StartTransaction", "requestFrom": "CS", "versions": ["1.6"]},
    ]


def test_a_filter_that_leaves_nothing(capsys: Output) -> None:
    assert main(["schema", "--find", "zzz"]) == 1
    assert capsys.readouterr() == ("", "ocpp-sync: there is no such action\n")
