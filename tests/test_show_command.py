"""``ocpp-sync show``, as a user runs it."""

from __future__ import annotations

import fcntl
import gzip
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync import CallError, OcppClient, OcppServer, utcnow
from ocpp_sync.cli import main
from ocpp_sync.cli.page import Page
from ocpp_sync.recording import Recorder

from .support import TIMEOUT

Output = pytest.CaptureFixture[str]

COMMAND = [sys.executable, "-m", "ocpp_sync", "show"]


@pytest.fixture
def recording(tmp_path: Path, make_server: Callable[..., OcppServer], make_client: Callable[..., OcppClient]) -> Path:
    """A session of a real client and a real server: three calls of CP1, one of them refused, one of the CSMS, and one call of CP2."""
    path = tmp_path / "session.jsonl"
    server = make_server()

    @server.on("BootNotification")
    def boot(charge_point: Any, request: dict[str, Any]) -> dict[str, Any]:
        return {"status": "Accepted", "currentTime": utcnow(), "interval": 300}

    @server.on("Authorize")
    def authorize(charge_point: Any, request: dict[str, Any]) -> dict[str, Any]:
        raise CallError("SecurityError", "who is this?", {"seen": 1})

    server.on("Heartbeat", lambda charge_point, request: {"currentTime": utcnow()})
    with Recorder(path) as recorder:
        recorder.attach(server)
        first = make_client(server.url, version="1.6")
        first.on("Reset", lambda request: {"status": "Rejected"})
        first.call("BootNotification", {"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"})
        with pytest.raises(CallError):
            first.call("Authorize", {"idTag": "DEADBEEF"})
        first.call("Heartbeat")
        server.wait_for("CP1").call("Reset", {"type": "Soft"})
        first.close()
        make_client(server.url, identity="CP2", version="1.6").call("Heartbeat")
    return path


def test_each_answer_is_below_its_call(recording: Path, capsys: Output) -> None:
    assert main(["show", str(recording)]) == 0
    out, err = capsys.readouterr()
    shown = re.sub(r"\d\d:\d\d:\d\d\.\d{3}", "00:00:00.000", re.sub(r"\d+\.\d ms", "9.9 ms", out))
    shown = re.sub(r"\d{4}-\d\d-\d\dT00:00:00.000Z", "TIME", shown)
    lines = shown.splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", lines[0])
    assert lines[1:12] == [
        '00:00:00.000 CP1 ──▶ BootNotification {"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"}',
        '                 ◀── 9.9 ms {"status": "Accepted", "currentTime": "TIME", "interval": 300}',
        '00:00:00.000 CP1 ──▶ Authorize {"idTag": "DEADBEEF"}',
        '                 ◀── 9.9 ms CALLERROR SecurityError: who is this? {"seen": 1}',
        "00:00:00.000 CP1 ──▶ Heartbeat {}",
        '                 ◀── 9.9 ms {"currentTime": "TIME"}',
        '00:00:00.000 CP1 ◀── Reset {"type": "Soft"}',
        '                 ──▶ 9.9 ms {"status": "Rejected"}',
        "00:00:00.000 CP2 ──▶ Heartbeat {}",
        '                 ◀── 9.9 ms {"currentTime": "TIME"}',
        "",
    ]
    assert lines[12].startswith("10 frames of CP1, CP2, TIME to TIME: 9.9 ms")
    assert "SecurityError: Authorize 1" in lines
    assert err == ""


def actions(recording: Path, capsys: Output, *arguments: str) -> list[tuple[str, str]]:
    assert main(["show", str(recording), "--json", *arguments]) == 0
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [(entry["identity"], entry["action"]) for entry in entries]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--identity", "CP2"], [("CP2", "Heartbeat")]),
        (["--action", "Heart*"], [("CP1", "Heartbeat"), ("CP2", "Heartbeat")]),
        (["--action", "Reset", "--action", "Authorize"], [("CP1", "Authorize"), ("CP1", "Reset")]),
        (["--errors"], [("CP1", "Authorize")]),
        (["--errors", "--identity", "CP2"], []),
        (["--slow", "3600"], []),
        (["--slow", "0", "--action", "Reset"], [("CP1", "Reset")]),
        (["--since", "2026-01-01", "--until", "2999-01-01T00:00", "--action", "Reset"], [("CP1", "Reset")]),
    ],
)
def test_what_is_chosen(arguments: list[str], expected: list[tuple[str, str]], recording: Path, capsys: Output) -> None:
    assert actions(recording, capsys, *arguments) == expected


def test_what_json_does_not_have_is_there_as_text(tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "x.jsonl"
    frames = [
        '[2,"1","Heartbeat",{"a":1e999}]', '[3,"1",{"currentTime":"now"}]',
        '[2,"2","Heartbeat",{}]', '[4,"2","InternalError","no",{"a":[-1e999]}]',
        '[3,"3",{"a":1e999}]',
    ]  # fmt: skip
    path.write_text("".join(f"{frame}\n" for frame in frames), encoding="utf-8")
    assert main(["show", "--json", str(path)]) == 0

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    first, second, third = (json.loads(line, parse_constant=refuse) for line in capsys.readouterr().out.splitlines())
    assert (first["action"], first["text"], first["answerText"]) == ("Heartbeat", frames[0], frames[1])
    assert (second["action"], second["text"], second["answerText"]) == ("Heartbeat", frames[2], frames[3])
    assert (third["problem"], third["text"]) == ("an answer to nothing", frames[4])
    assert "answerText" not in third
    assert not {"request", "response", "error"} & {*first, *second, *third}


def test_json(recording: Path, capsys: Output) -> None:
    assert main(["show", "--json", str(recording)]) == 0
    boot, authorize, *_ = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert boot.pop("time")
    assert boot.pop("answerTime")
    assert boot.pop("id")
    assert 0 <= boot.pop("seconds") < 60
    assert boot.pop("response")["status"] == "Accepted"
    assert boot == {
        "line": 1,
        "identity": "CP1",
        "version": "1.6",
        "sender": "CS",
        "kind": "CALL",
        "action": "BootNotification",
        "request": {"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"},
        "answerLine": 2,
    }
    assert authorize["error"] == {"code": "SecurityError", "description": "who is this?", "details": {"seen": 1}}


def test_the_figures_alone(recording: Path, capsys: Output) -> None:
    assert main(["show", str(recording), "--summary"]) == 0
    assert capsys.readouterr().out.startswith("10 frames of CP1, CP2")
    assert main(["show", str(recording), "--summary", "--json", "--identity", "CP2"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["identities"] == {"CP2": 2}
    assert [(entry["action"], entry["calls"]) for entry in figures["actions"]] == [("Heartbeat", 1)]


WRONG = """\
started
[2,"1","Heartbeat",{}]
[2,"1","Heartbeat",{}]
[3,"1",{}]
[3,"1",{}]
[4,"9","GenericError","",{}]
[5,"1","FormatViolation","bad",{}]
[2,"2","Heartbeat",{}]
[3,"2"]
[2,"x\u001b[31m
[6,"3","NotifyPeriodicEventStream",{}]
[2,"4","Foo",{}]
"""


def test_what_is_wrong(tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "other.log"
    path.write_text(WRONG, encoding="utf-8")
    assert main(["show", str(path), "--errors", "--left-out"]) == 0
    out, err = capsys.readouterr()
    assert out.partition("\n\n")[0].splitlines() == [
        "     2 ──▶ Heartbeat {}",
        "       ◀── no answer, line 2",
        "     5 ─── CALLRESULT to line 3, once more or too late, line 5, id 1: {}",
        "     6 ─── CALLERROR to nothing, line 6, id 9: GenericError",
        "     7 ─── CALLRESULTERROR, line 7, id 1: FormatViolation: bad",
        "     8 ──▶ Heartbeat {}",
        "       ◀── no message, line 9: the message must have 3 elements, not 2 (id '2'): [3,\"2\"]",
        '    10 ─── no message, line 10: the text is no JSON: [2,"x\\u001b[31m',
        "    12 ─── Foo {}",
        "       ─── no answer, line 12",
    ]
    assert err.splitlines() == ["line 1 holds no frame: started", f"ocpp-sync: {path}: 1 line holds no frame"]


def test_what_is_wrong_as_json(tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "other.log"
    path.write_text(WRONG + "bye\n", encoding="utf-8")
    assert main(["show", str(path), "--errors", "--json"]) == 0
    out, err = capsys.readouterr()
    entries = [json.loads(line) for line in out.splitlines()]
    assert [(entry["line"], entry["kind"], entry.get("problem")) for entry in entries] == [
        (2, "CALL", "no answer"),
        (5, "CALLRESULT", "an answer to nothing"),
        (6, "CALLERROR", "an answer to nothing"),
        (7, "CALLRESULTERROR", None),
        (8, "CALL", "the answer is no message: the message must have 3 elements, not 2 (id '2')"),
        (10, "malformed", "the text is no JSON"),
        (12, "CALL", "no answer"),
    ]
    assert entries[1]["answered"] == 3
    assert entries[2]["answered"] is None
    assert err == f"ocpp-sync: {path}: 2 lines hold no frame\n"


def test_a_report_about_an_answer(tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "session.jsonl"
    with Recorder(path) as recorder:
        for direction, text in (("out", '[2,"1","Reset",{}]'), ("in", '[3,"1",{}]'), ("out", '[5,"1","FormatViolation","",{}]')):
            recorder.note("CP1", direction, text, side="CSMS", version="2.1")
    assert main(["show", str(path), "--errors"]) == 0
    assert "CALLRESULTERROR about the answer to line 1, line 3, id 1: FormatViolation" in capsys.readouterr().out


def test_what_is_no_message_is_cut(tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "x.log"
    path.write_text(f'[2,"{"x" * 1000}\n', encoding="utf-8")
    assert main(["show", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith("x…")


def test_folding(recording: Path, capsys: Output) -> None:
    assert main(["show", str(recording), "--width", "60", "--action", "BootNotification"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:4] == [
        '                    {"chargePointVendor": "eParking",',
        '                    "chargePointModel": "NECU-T2"}',
    ]
    assert max(map(len, lines[:6])) <= 60


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--identity", "cp2"], "there is nothing of cp2 in it; did you mean CP2?"),
        (["--identity", "garage"], "there is nothing of garage in it; there is CP1, CP2"),
        (["--action", "Heartbeet"], "there is nothing of the action Heartbeet in it; did you mean Heartbeat?"),
        (["--identity", "CP2", "--action", "Reset"], "there is nothing in it that is all of this"),
        (["--since", "2999-01-01T00:00:00Z"], "there is nothing in it that is all of this"),
    ],
)
def test_when_there_is_nothing_to_show(arguments: list[str], message: str, recording: Path, capsys: Output) -> None:
    assert main(["show", str(recording), *arguments]) == 1
    assert capsys.readouterr() == ("", f"ocpp-sync: {recording}: {message}\n")


@pytest.mark.parametrize(("text", "message"), [("", "there is no frame in it"), ("hello\n", "there is no frame in it")])
def test_a_file_without_a_frame(text: str, message: str, tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "x.log"
    path.write_text(text, encoding="utf-8")
    assert main(["show", str(path)]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == f"ocpp-sync: {path}: {message}"


def test_a_log_that_names_no_charge_point(tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "x.log"
    path.write_text('[2,"1","Heartbeat",{}]\n', encoding="utf-8")
    assert main(["show", str(path), "--identity", "CP1"]) == 1
    assert "there is nothing of CP1 in it; its lines name none" in capsys.readouterr().err


def test_a_file_that_is_not_there(tmp_path: Path, capsys: Output) -> None:
    assert main(["show", str(tmp_path / "missing.jsonl")]) == 2
    assert capsys.readouterr().err.startswith("ocpp-sync: [Errno 2] No such file or directory")


def test_a_damaged_file_is_shown_as_far_as_it_goes(recording: Path, capsys: Output) -> None:
    packed = recording.with_suffix(".gz")
    packed.write_bytes(gzip.compress(recording.read_bytes())[:-4])
    assert main(["show", str(packed)]) == 1
    out, err = capsys.readouterr()
    assert "it could not be read beyond line" in err
    assert out == "" or "BootNotification" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--slow", "-1"], "'-1' is no number of seconds"),
        (["--slow", "x"], "'x' is no number of seconds"),
        (["--width", "39"], "'39' is no number of columns, which is 40 at least"),
        (["--width", "x"], "'x' is no number of columns"),
        (["--since", "yesterday"], "'yesterday' is no time such as 2026-11-27"),
        (["--until", "2026-02-30"], "'2026-02-30' is no time such as"),
        (["--error"], "did you mean --errors?"),
    ],
)
def test_wrong_arguments(arguments: list[str], message: str, capsys: Output) -> None:
    with pytest.raises(SystemExit) as end:
        main(["show", "x.jsonl", *arguments])
    assert end.value.code == 2
    assert message in capsys.readouterr().err


# --- The page


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_body_is_folded_between_its_fields_and_coloured_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    terminal, file = Terminal(), io.StringIO()
    body = '{"one": "1111111", "two": "222", "three": "3333333"}'
    Page(terminal, 40).line("head", body, colour="call", indent=6)
    Page(file).line("head", body, colour="call", indent=6)
    assert terminal.getvalue() == '\x1b[36mhead\x1b[0m {"one": "1111111", "two": "222",\n      "three": "3333333"}\n'
    assert file.getvalue() == f"head {body}\n"


def test_nothing_commands_the_terminal() -> None:
    file = io.StringIO()
    Page(file).line("a\x1b[31m", '{"\x9b": "\u202e\u00a0"}')
    assert file.getvalue() == 'a\\u001b[31m {"\\u009b": "\\u202e\\u00a0"}\n'


# --- As a process


def test_from_a_pipe_as_it_grows(recording: Path) -> None:
    lines = recording.read_bytes().splitlines(keepends=True)
    with subprocess.Popen([*COMMAND, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in lines[:2]:
            process.stdin.write(line)
        process.stdin.flush()
        shown = [process.stdout.readline() for _ in range(3)]  # hangs if it waits for more
        assert b"BootNotification" in shown[1]
        assert b"Accepted" in shown[2]
        process.stdin.close()
        process.stdout.read()
        assert process.wait(TIMEOUT) == 0


def test_whoever_reads_may_have_had_enough(recording: Path, tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(recording.read_bytes() * 2000)
    with subprocess.Popen([*COMMAND, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 1


def test_an_encoding_without_arrows(recording: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*COMMAND, str(recording)], capture_output=True, text=True, timeout=60, check=True, env=environment)
    assert "CP1 --> BootNotification" in done.stdout


def test_on_a_terminal(recording: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    control, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 50, 0, 0))
    try:
        with subprocess.Popen([*COMMAND, str(recording)], stdout=terminal, env={**environment, "TERM": "xterm"}) as process:
            os.close(terminal)
            shown = b""
            try:
                while data := os.read(control, 65536):
                    shown += data
            except OSError:
                pass  # it has ended
            assert process.wait(TIMEOUT) == 0
    finally:
        os.close(control)
    text = shown.decode()
    assert "\x1b[36m" in text
    assert "\x1b[31m" in text
    plain = re.sub(r"\x1b\[\d*m", "", text).partition("\r\n\r\n")[0]
    assert max(map(len, plain.splitlines())) <= 50


def test_the_demo_records(tmp_path: Path) -> None:
    path = tmp_path / "demo.jsonl"
    command = [sys.executable, "-m", "ocpp_sync"]
    subprocess.run([*command, "demo", "--record", str(path)], capture_output=True, timeout=60, check=True)
    done = subprocess.run([*command, "show", str(path), "--json"], capture_output=True, text=True, timeout=60, check=True)
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    assert [entry["action"] for entry in entries if entry["sender"] == "CSMS"] == ["RequestStopTransaction"]
    assert all("response" in entry for entry in entries)
