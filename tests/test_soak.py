from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.frames import frame, frame_size
from benchmarks.soak_account import Account, Ledger
from benchmarks.soak_calls import FROM_CSMS, FROM_STATION, Kind
from ocpp_sync import CallError, CallTimeout, ConnectionClosed, NotConnected
from ocpp_sync.checks import Checks
from ocpp_sync.validation import ValidationPolicy

ROOT = Path(__file__).parent.parent
KIND = FROM_STATION["1.6"]["DataTransfer"]


def settle(tmp_path: Path, callers: str, handlers: str) -> Account:
    (tmp_path / "callers").write_text(callers)
    (tmp_path / "handlers").write_text(handlers)
    return Account.read([tmp_path / "callers"], [tmp_path / "handlers"])


@pytest.mark.parametrize(
    ("outcome", "handled"),
    [
        ("answered", 1),
        ("CallError", 1),
        ("CallTimeout", 0),
        ("CallTimeout", 1),
        ("CallTimeout, not sent", 0),
        ("ConnectionClosed", 0),
        ("ConnectionClosed", 1),
        ("NotConnected", 0),
    ],
)
def test_calls_that_are_accounted_for(tmp_path: Path, outcome: str, handled: int) -> None:
    account = settle(tmp_path, f"b 7\ne 7 {outcome}\n", "h 7\n" * handled)
    assert account.problems() == []
    assert account.outcomes() == {outcome: 1}
    assert account.lost() == (handled if outcome in ("CallTimeout", "ConnectionClosed") else 0)


@pytest.mark.parametrize(
    ("callers", "handlers"),
    [
        ("b 7\n", ""),  # it never ended
        ("b 7\ne 7 answered\ne 7 answered\n", "h 7\n"),
        ("b 7\ne 7 answered\n", ""),
        ("b 7\ne 7 answered\n", "h 7\nh 7\n"),
        ("b 7\ne 7 CallError\n", ""),
        ("b 7\ne 7 ConnectionClosed\n", "h 7\nh 7\n"),
        ("b 7\ne 7 NotConnected\n", "h 7\n"),
        ("b 7\ne 7 CallTimeout, not sent\n", "h 7\n"),
        ("b 7\ne 7 KeyError(1)\n", "h 7\n"),
        ("e 7 answered\n", ""),
        ("", "h 7\n"),
    ],
)
def test_calls_that_are_not(tmp_path: Path, callers: str, handlers: str) -> None:
    assert len(settle(tmp_path, callers, handlers).problems()) == 1


def test_a_ledger_knows_how_a_call_ended(tmp_path: Path) -> None:
    def raising(error: Exception) -> Ledger:
        def call(action: str, payload: object) -> dict[str, object]:
            raise error

        ledger.call(call, KIND, 7)
        return ledger

    ledger = Ledger(tmp_path / "book")
    ledger.call(lambda action, payload: KIND.response(7), KIND, 7)
    ledger.call(lambda action, payload: KIND.response(8), KIND, 7)
    errors = [
        CallError("GenericError", "refused on purpose"),
        CallError("InternalError"),
        CallTimeout("DataTransfer", "1", 1.0, True),
        CallTimeout("DataTransfer", "1", 1.0, False),
        NotConnected(),
        ConnectionClosed(),
    ]
    for error in errors:
        raising(error)
    ledger.close()
    outcomes = settle(tmp_path, (tmp_path / "book").read_text(), "").ended[7]
    assert outcomes.pop(1).startswith("answered with ")  # another's answer
    assert outcomes.pop(2).startswith("CallError('InternalError'")
    assert outcomes == ["answered", "CallError", "CallTimeout", "CallTimeout, not sent", "NotConnected", "ConnectionClosed"]


@pytest.mark.parametrize(
    ("side", "version", "kind"),
    [
        pytest.param(side, version, kind, id=f"{side} {version} {kind.action}")
        for side, table in (("CS", FROM_STATION), ("CSMS", FROM_CSMS))
        for version, kinds in table.items()
        for kind in kinds.values()
    ],
)
def test_what_is_said_is_valid_and_carries_the_number(side: str, version: str, kind: Kind) -> None:
    checks = Checks(side, ValidationPolicy("strict"), "CP1")
    for number in (1, 123_000_020):
        request = kind.request(number)
        checks.outgoing_request(version, kind.action, request, is_send=False)
        assert int(kind.number(request)) == number
        checks.incoming_response(version, kind.action, kind.response(number))


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
@pytest.mark.parametrize("mask", [None, b"soak"])
def test_the_size_of_a_frame(size: int, mask: bytes | None) -> None:
    whole = frame(b"x" * size, mask=mask)
    assert frame_size(whole) == frame_size(whole + b"more") == len(whole)
    assert frame_size(whole[:1]) is None


def test_it_runs_and_every_call_is_accounted_for() -> None:
    command = [sys.executable, "-m", "benchmarks.soak", "--minutes", "0.05", "--clients", "6"]
    run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100)
    assert run.returncode == 0, run.stdout
    assert run.stdout.endswith("verdict: every call accounted for\n")
    made = next(line for line in run.stdout.splitlines() if line.startswith("| clients | "))
    assert int(made.split("|")[2]) > 0
