"""The command line, as a user runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from ocpp_sync import __version__
from ocpp_sync.cli import main
from ocpp_sync.csms import Csms

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
    assert len(re.findall(r"CALLRESULT \w+ +\d+\.\d ms +\{", done.stdout)) == len(calls) + 1


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

    monkeypatch.setattr(demo, "Csms", partial(Csms, tokens=[]))
    assert main(["demo"]) == 1
    assert "Failed: _Unexpected: idTokenInfo.status is 'Unknown', not 'Accepted'" in capsys.readouterr().err


def test_the_demo_notices_what_does_not_arrive(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(Csms, "transactions", [])
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


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    ("arguments", "status"),
    [("demo", 0), ("show x.jsonl --json", 0), ("show missing.jsonl", 2), ("--help", 0), ("call ws://127.0.0.1:1 CP1 Heartbeat", 5)],
)
def test_a_stream_may_be_closed(arguments: str, status: int, closed: str, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('[2,"1","Heartbeat",{}]\n', encoding="utf-8")
    command = ["sh", "-c", f"{sys.executable} -m ocpp_sync {arguments} {closed}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert done.returncode == status
    assert "Traceback" not in done.stderr + done.stdout
    if status == 0 or "2" in closed:
        assert not done.stderr


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
