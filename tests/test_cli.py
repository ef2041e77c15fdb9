"""The command line, as a user runs it."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys

import pytest

from ocpp_sync import __version__
from ocpp_sync.cli import main
from ocpp_sync.cli.frames import FramePrinter

from .support import VERSIONS


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ocpp_sync", *arguments]
    env = {**os.environ, "PYTHONIOENCODING": "utf-8", **environment}
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=env, timeout=60)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_demo_goes_through_a_whole_session(version: str) -> None:
    done = run("demo", "--version", version)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert f"OCPP {version}" in lines[0]
    assert lines[-1].endswith("All went well.")
    calls = re.findall(r"^──▶ CALL +(\w+) +(\{.*\})$", done.stdout, re.MULTILINE)
    assert all(isinstance(json.loads(payload), dict) for _, payload in calls)
    names = [name for name, _ in calls]
    assert names[0] == "BootNotification"
    assert names[-1] == "Heartbeat"
    assert {"Authorize", "StatusNotification"} <= set(names)
    assert {"StartTransaction", "MeterValues", "StopTransaction"} <= set(names) or names.count("TransactionEvent") == 5
    stop = "RemoteStopTransaction" if version == "1.6" else "RequestStopTransaction"
    assert re.search(rf"^◀── CALL +{stop} ", done.stdout, re.MULTILINE)
    assert len(re.findall(r"CALLRESULT .* \d+\.\d ms$", done.stdout, re.MULTILINE)) == len(calls) + 1


def test_the_demo_speaks_2_0_1_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo"]) == 0
    assert "with OCPP 2.0.1." in capsys.readouterr().out


def test_the_demo_without_unicode_prints_plain_arrows() -> None:
    done = run("demo", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert re.search(r"^--> CALL ", done.stdout, re.MULTILINE)
    assert done.stdout.isascii()


def test_the_demo_reports_what_goes_wrong(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from ocpp_sync.cli import demo

    monkeypatch.setattr(demo._Csms, "_authorize", lambda *_: {"idTokenInfo": {"status": "Blocked"}})
    assert main(["demo"]) == 1
    assert "Failed: _Unexpected: idTokenInfo.status is 'Blocked', not 'Accepted'" in capsys.readouterr().err


def test_the_demo_notices_what_does_not_arrive(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from ocpp_sync.cli import demo

    monkeypatch.setattr(demo._Csms, "_transaction_event", lambda *_: None)
    assert main(["demo"]) == 1
    assert "not everything that was sent has arrived" in capsys.readouterr().err


def test_a_reader_that_has_had_enough_gets_no_traceback() -> None:
    with subprocess.Popen([sys.executable, "-m", "ocpp_sync", "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
        process.wait(60)


def test_a_full_disk_is_an_error_without_a_traceback() -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:  # noqa: PTH123
        done = subprocess.run([sys.executable, "-m", "ocpp_sync", "demo"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["dem"], ["demo", "--version", "1.5"]):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 2
        assert "usage: ocpp-sync" in capsys.readouterr().err


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert (stopped.value.code, capsys.readouterr().out) == (0, f"ocpp-sync {__version__}\n")
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "demo" in capsys.readouterr().out


# --- frames


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def shown(out: io.StringIO, *frames: tuple[str, str]) -> list[str]:
    printer = FramePrinter(out)
    for direction, text in frames:
        printer.show(direction, text)
    return out.getvalue().splitlines()


def test_an_answer_is_shown_with_its_action_and_time() -> None:
    lines = shown(
        io.StringIO(),
        ("out", '[2,"1","Reset",{"type":"Soft"}]'),
        ("in", '[2,"1","Heartbeat",{}]'),
        ("in", '[4,"1","NotSupported","no",{}]'),
        ("out", '[3,"1",{"currentTime":"x"}]'),
        ("in", '[3,"9",{}]'),
        ("in", '[6,"2","NotifyPeriodicEventStream",{}]'),
    )
    assert re.fullmatch(r'──▶ CALL +Reset +\{"type": "Soft"\}', lines[0])
    assert re.fullmatch(r'◀── CALLERROR +Reset +"NotSupported" "no" \{\}  \d+\.\d ms', lines[2])
    assert re.fullmatch(r'──▶ CALLRESULT Heartbeat +\{"currentTime": "x"\}  \d+\.\d ms', lines[3])
    assert re.match(r"◀── CALLRESULT \? ", lines[4])
    assert re.fullmatch(r"◀── SEND +NotifyPeriodicEventStream +\{\}", lines[5])


@pytest.mark.parametrize("text", ["nonsense", "[]", "[7,1]", "3", '{"a":1}', '["2",1]'])
def test_what_is_no_message_is_shown_as_it_is(text: str) -> None:
    assert shown(io.StringIO(), ("in", text)) == [f"◀── no OCPP-J message: {text}"]


def test_colour_is_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    frame = ("out", '[2,"1","Heartbeat",{}]')
    assert "\x1b[36m" in shown(Terminal(), frame)[0]
    assert "\x1b" not in shown(io.StringIO(), frame)[0]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in shown(Terminal(), frame)[0]
