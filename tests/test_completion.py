"""Completion in the shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync.cli import COMMANDS, completion, main
from ocpp_sync.schemas import VERSIONS

Output = pytest.CaptureFixture[str]

PROGRAM = Path(sys.executable).with_name("ocpp-sync")


def completed(line: str, breaks: str = "") -> list[str]:
    """What a shell is told that the end of a line may become, by the protocol of argcomplete."""
    environment = {
        **os.environ,
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_COMP_WORDBREAKS": breaks,
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line.encode())),
    }
    script = f"exec {PROGRAM} 8>&1 >/dev/null"
    done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [word for word in done.stdout.split("\v") if word]


def test_commands() -> None:
    assert completed("ocpp-sync ") == [*COMMANDS, "help"]
    assert completed("ocpp-sync s") == [name for name in COMMANDS if name.startswith("s")]
    assert completed("ocpp-sync help rep") == ["repl", "replay"]
    assert completed("ocpp-sync completion ") == ["bash", "zsh", "fish"]


def test_options() -> None:
    assert completed("ocpp-sync call --vers") == ["--version"]
    assert "--boot" in completed("ocpp-sync call ws://localhost:9220 CP1 --")
    assert completed("ocpp-sync schema --from ") == ["CS", "CSMS"]
    assert completed("ocpp-sync call ws://localhost:9220 CP1 --timeout ") == []


def test_a_whole_call() -> None:
    line = "ocpp-sync call "
    assert completed(line) == ["ws://localhost:9220", "wss://"]
    line += "ws://localhost:9220 "
    assert completed(line) == []
    line += "CP1 --version "
    assert completed(line) == list(VERSIONS)
    line += "1.6 "
    assert {"Authorize", "DataTransfer", "StatusNotification"} < set(completed(line))
    assert sorted(completed(f"{line}Sta")) == ["StartTransaction", "StatusNotification"]
    assert "Reset" not in completed(line)
    line += "StatusNotification "
    assert {"connectorId=", "errorCode=", "status="} < set(completed(line))
    assert completed(f"{line}conn") == ["connectorId="]
    line += "connectorId=1 "
    assert {"Available", "Faulted"} < {word.removeprefix("status=") for word in completed(f"{line}status=")}
    assert completed(f"{line}status=Av", breaks="=") == ["Available"]


def test_what_is_quoted() -> None:
    line = "ocpp-sync call ws://localhost:9220 CP1 --version 1.6 MeterValues 'meterValue[0].time"
    assert completed(line) == ["meterValue[0].timestamp="]


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "payload.json").touch()
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    assert completed("ocpp-sync call ws://localhost:9220 CP1 Heartbeat @pay") == ["@payload.json"]
    assert sorted(completed("ocpp-sync call ws://localhost:9220 CP1 Heartbeat --cafile ")) == ["folder/", "payload.json"]
    assert completed("ocpp-sync outbox show pay") == ["payload.json"]


def test_names_of_the_schemas() -> None:
    assert completed("ocpp-sync schema BootN") == ["BootNotification", "BootNotificationRequest", "BootNotificationResponse"]
    assert completed("ocpp-sync schema --version 1.6 HeartbeatInt") == ["HeartbeatInterval"]


def test_a_line_that_is_wrong() -> None:
    assert completed("ocpp-sync nonsense ws") == []
    assert completed("ocpp-sync call nonsense --nonsense CP1 x y z") == []


# --- Without a shell


class Parsed(Namespace):
    """What argparse has made of the line so far."""

    versions = ("2.0.1",)


def fields(prefix: str, action: str | None = "BootNotification", **parsed: Any) -> list[str]:
    completer = completion._COMPLETERS["items"]
    return list(completer(prefix=prefix, parsed_args=Parsed(action=action, **parsed)))


def test_fields_of_fields() -> None:
    assert fields("") == ["chargingStation.", "reason=", "customData."]
    assert fields("charg") == [
        f"chargingStation.{name}" for name in ("serialNumber=", "model=", "modem.", "vendorName=", "firmwareVersion=", "customData.")
    ]
    assert fields("chargingStation.mode") == ["chargingStation.model=", "chargingStation.modem."]
    assert fields("chargingStation.modem") == [f"chargingStation.modem.{name}" for name in ("iccid=", "imsi=", "customData.")]
    assert fields("customData.v") == ["customData.vendorId="]
    assert fields("chargingStation.nothing") == []
    assert fields("nothing.") == []
    assert "meterValue[0].sampledValue[0]." in fields("meterValue[0].", "MeterValues")
    assert "seqNo=" in fields("", "TransactionEvent")


def test_values_of_fields() -> None:
    assert fields("reason=Pow")[3] == "reason=PowerUp"  # argcomplete chooses
    assert fields("offline=", "TransactionEvent") == ["offline=true", "offline=false"]
    assert fields("seqNo=", "TransactionEvent") == []
    assert fields("nothing=", "TransactionEvent") == []


def test_fields_of_what_is_no_action() -> None:
    assert fields("", None) == fields("", "Nonsense") == []


def test_several_versions() -> None:
    completer = completion._COMPLETERS["versions"]
    assert completer(prefix="") == list(VERSIONS)
    assert completer(prefix="2.0.1,") == ["2.0.1,1.6", "2.0.1,2.1"]


def test_only_the_command_that_is_meant_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    imported: list[str] = []

    def load(name: str, package: str) -> Any:
        imported.append(name)
        return completion

    monkeypatch.setattr(completion, "import_module", load)
    parser = completion._parser("ocpp-sync completion ba")
    assert imported == [".completion"]
    assert [argument.dest for argument in parser.arguments() if argument.choices and "bash" in argument.choices] == ["shell"]


# --- What goes into the start-up file


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_a_shell_reads(shell: str, capsys: Output) -> None:
    assert main(["completion", shell]) == 0
    shown = capsys.readouterr().out
    assert "ocpp-sync" in shown
    assert "_ARGCOMPLETE" in shown


def test_an_unknown_shell(capsys: Output) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["completion", "bsh"])
    assert stopped.value.code == 2
    assert "did you mean bash?" in capsys.readouterr().err


def test_without_the_package(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    for name in ("argcomplete", "argcomplete.shell_integration"):
        monkeypatch.setitem(sys.modules, name, None)
    assert main(["completion", "bash"]) == 1
    assert capsys.readouterr().err == ("ocpp-sync: this command needs the package 'argcomplete': pip install 'ocpp-sync[completion]'\n")
    monkeypatch.setenv("_ARGCOMPLETE", "1")
    with pytest.raises(SystemExit) as stopped:
        main(["call", "ws://localhost:9220", "CP1", "Heartbeat"])
    assert stopped.value.code == 1
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("line", "replies"),
    [
        ("ocpp-sync ca", ["call "]),
        ("ocpp-sync call --version 1.6 ws://localhost:9220 CP1 StatusNotification conn", ["connectorId="]),
        ("ocpp-sync call --version 1.6 ws://localhost:9220 CP1 StatusNotification status=Av", ["Available "]),
    ],
)
def test_bash(line: str, replies: list[str]) -> None:
    script = """
    eval "$(ocpp-sync completion bash)"
    function=$(complete -p ocpp-sync | sed 's/.*-F \\([^ ]*\\).*/\\1/')
    COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9 COMP_WORDS=($1) COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    $function ocpp-sync "${COMP_WORDS[COMP_CWORD]}" "" 2>/dev/null
    printf '%s\\n' "${COMPREPLY[@]}"
    """
    path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", "--norc", "-c", script, "bash", line]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, "PATH": path})
    assert done.stdout.splitlines() == replies, done.stderr
