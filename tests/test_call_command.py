"""``ocpp-sync call``, against live servers and peers that misbehave."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync import CallError, OcppServer, RejectHandshake, utcnow
from ocpp_sync.cli import main
from ocpp_sync.testing import Close, Cut, Drop, ScriptedCsms

from .pki import encrypted_key, pki
from .support import TIMEOUT, Collector, RawCsms, in_thread

Output = pytest.CaptureFixture[str]

STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


@pytest.fixture
def csms(make_server: Callable[..., OcppServer]) -> OcppServer:
    """A server that answers what these tests send."""
    server = make_server(listen=False)
    server.on("BootNotification", lambda charge_point, request: {"status": "Accepted", "currentTime": utcnow(), "interval": 300})
    server.on("Heartbeat", lambda charge_point, request: {"currentTime": "2026-11-27T07:00:00.000Z"})
    server.on("StatusNotification", lambda charge_point, request: {})
    server.on("Authorize", lambda charge_point, request: {"idTagInfo": {"status": "Accepted"}})
    return server.listen(0, "127.0.0.1")


def call(server: Any, *arguments: str, version: str | None = "1.6") -> int:
    """Run the command in this process."""
    try:
        return main(["call", server.url, "CP1", *([] if version is None else ["--version", version]), *arguments])
    except SystemExit as stopped:
        assert isinstance(stopped.code, int)
        return stopped.code


def command(server: Any, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "ocpp_sync", "call", server.url, "CP1", "--version", "1.6", *arguments]


# --- What is answered


def test_the_response_is_a_line_of_json(csms: OcppServer, capsys: Output) -> None:
    assert call(csms, "Heartbeat") == 0
    assert capsys.readouterr() == ('{"currentTime": "2026-11-27T07:00:00.000Z"}\n', "")


def test_pretty(csms: OcppServer, capsys: Output) -> None:
    assert call(csms, "Heartbeat", "--pretty") == 0
    assert capsys.readouterr().out == '{\n  "currentTime": "2026-11-27T07:00:00.000Z"\n}\n'


@pytest.mark.parametrize(("option", "lines"), [([], 3), (["--compact"], 1)])
def test_on_a_terminal_it_is_pretty(option: list[str], lines: int, csms: OcppServer) -> None:
    master, slave = pty.openpty()
    with os.fdopen(master, "rb", buffering=0) as terminal:
        done = subprocess.run(command(csms, "Heartbeat", *option), stdout=slave, stderr=slave, timeout=60)
        os.close(slave)
        shown = b""
        try:
            while data := terminal.read(1000):
                shown += data
        except OSError:
            pass  # the other side of a terminal has been closed
    assert done.returncode == 0
    assert len(shown.decode().splitlines()) == lines
    assert json.loads(shown) == {"currentTime": "2026-11-27T07:00:00.000Z"}


@pytest.mark.parametrize(
    "arguments",
    [
        [json.dumps(STATUS)],
        ["connectorId=1", "errorCode=NoError", "status=Available"],
        ['{"connectorId": 2, "errorCode": "NoError"}', "connectorId=1", "status=Available"],
        ["-"],
        ["@payload.json"],
        ["--timeout", "10", "-", "--compact"],
    ],
)
def test_the_payload_arrives(
    arguments: list[str], csms: OcppServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    heard = Collector({})
    csms.on("StatusNotification", heard)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "payload.json").write_text(json.dumps(STATUS))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(STATUS).encode())))
    assert call(csms, "StatusNotification", *arguments) == 0
    assert heard.next()[1] == STATUS
    assert capsys.readouterr().out == "{}\n"


def test_the_version_is_chosen_of_several(make_server: Callable[..., OcppServer], capsys: Output) -> None:
    server = make_server(versions=("1.6",))
    heard = Collector({"idTagInfo": {"status": "Accepted"}})
    server.on("Authorize", heard)
    assert call(server, "Authorize", "idTag=123", "--version", "2.0.1,1.6", version=None) == 0
    assert heard.next()[1] == {"idTag": "123"}
    assert call(server, "Authorize", "idTag=123", "idTag.x=1", "--version", "2.0.1,1.6", version=None) == 2
    assert "idTag.x: a field 'x' cannot be in a single value" in capsys.readouterr().err
    assert call(server, "Authorize", "idTok=123", "--version", "2.0.1,1.6", version=None) == 6
    assert call(server, "Heartbeat", version=None) == 5
    assert "(subprotocol)" in capsys.readouterr().err


def test_boot_comes_first(csms: OcppServer, capsys: Output) -> None:
    heard = Collector()
    csms.on("frame", heard)
    for version in ("1.6", "2.0.1"):
        assert call(csms, "--boot", "Heartbeat", version=version) == 0
        texts = [heard.next()[2] for _ in range(4)]
        assert '"BootNotification"' in texts[0]
        assert '"Heartbeat"' in texts[2]
    boot = '{"chargePointVendor": "V", "chargePointModel": "M"}'
    assert call(csms, "--boot-with", boot, "Heartbeat") == 0
    assert json.loads(heard.next()[2])[3] == json.loads(boot)
    assert capsys.readouterr().out.count("currentTime") == 3


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
def test_a_station_that_is_not_accepted_sends_nothing(status: str, csms: OcppServer, capsys: Output) -> None:
    csms.on("BootNotification", lambda charge_point, request: {"status": status, "currentTime": utcnow(), "interval": 300})
    heard = Collector({})
    csms.on("Heartbeat", heard)
    assert call(csms, "--boot", "Heartbeat") == 5
    assert capsys.readouterr().err == f"ocpp-sync: Heartbeat was not sent: the CSMS has answered the BootNotification with {status!r}\n"
    assert heard.calls.empty()


def test_a_boot_that_is_invalid_is_not_sent(csms: OcppServer, capsys: Output) -> None:
    connected = Collector()
    csms.on("connection", connected)
    assert call(csms, "--boot-with", '{"chargePointVendor": "V"}', "Heartbeat") == 6
    assert "BootNotification: 'chargePointModel' is missing" in capsys.readouterr().err
    assert connected.calls.empty()


def test_a_send_is_not_answered(csms: OcppServer, capsys: Output) -> None:
    heard = Collector()
    csms.on("NotifyPeriodicEventStream", heard)
    arguments = ["id=1", "pending=0", "basetime=now", 'data=[{"t": 1, "v": "2"}]']
    assert call(csms, "NotifyPeriodicEventStream", *arguments, version="2.1") == 0
    assert heard.next()[1]["data"] == [{"t": 1, "v": "2"}]
    assert capsys.readouterr() == ("", "")


def test_what_cannot_be_printed_is_escaped(csms: OcppServer, capsys: Output) -> None:
    csms.on("DataTransfer", lambda charge_point, request: {"status": "Accepted", "data": "ä\x9b2J\u202e"})
    assert call(csms, "DataTransfer", "vendorId=x") == 0
    assert capsys.readouterr().out == '{"status": "Accepted", "data": "\\u00e4\\u009b2J\\u202e"}\n'
    csms.on("DataTransfer", lambda charge_point, request: {"status": "Accepted", "data": "ä"})
    assert call(csms, "DataTransfer", "vendorId=x") == 0
    assert capsys.readouterr().out == '{"status": "Accepted", "data": "ä"}\n'
    done = subprocess.run(
        command(csms, "DataTransfer", "vendorId=x"), capture_output=True, timeout=60, env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    assert done.stdout == b'{"status": "Accepted", "data": "\\u00e4"}\n'


def test_verbose_shows_the_frames(csms: OcppServer, capsys: Output) -> None:
    assert call(csms, "-v", "Heartbeat") == 0
    captured = capsys.readouterr()
    assert captured.out == '{"currentTime": "2026-11-27T07:00:00.000Z"}\n'
    assert re.search(r"──▶ CALL +Heartbeat +\{\}\n◀── CALLRESULT +Heartbeat ", captured.err)


def test_record(csms: OcppServer, tmp_path: Path) -> None:
    file = tmp_path / "session.jsonl"
    assert call(csms, "Heartbeat", "--record", str(file)) == 0
    frames = [json.loads(line) for line in file.read_text().splitlines()]
    assert [frame["direction"] for frame in frames if "text" in frame][:2] == ["out", "in"]
    assert call(csms, "Heartbeat", "--record", str(tmp_path / "nowhere" / "session.jsonl")) == 2


# --- What is not


def test_a_callerror(csms: OcppServer, capsys: Output) -> None:
    def refuse(charge_point: Any, request: Any) -> None:
        raise CallError("SecurityError", "not you\x1b[2J", {"why": "ä"})

    csms.on("Heartbeat", refuse)
    assert call(csms, "Heartbeat") == 3
    said = 'ocpp-sync: answered with the CALLERROR SecurityError: \'not you\\x1b[2J\' {"why": "\\u00e4"}\n'
    assert capsys.readouterr() == ("", said)
    assert call(csms, "MeterValues", "connectorId=1", "meterValue[].timestamp=now", "meterValue[0].sampledValue[].value=1") == 3
    assert "NotSupported" in capsys.readouterr().err


def test_no_answer(capsys: Output) -> None:
    with ScriptedCsms() as csms:
        csms.script("Heartbeat", Drop())
        assert call(csms, "Heartbeat", "--timeout", "0.2") == 4
    assert re.search(
        r"^ocpp-sync: Heartbeat timed out after 0\.\d s \(sent, but not answered; id [\w-]+\)$", capsys.readouterr().err.strip()
    )


@pytest.mark.parametrize("step", [Cut(), Close(1001, "so long")], ids=["cut", "closed"])
def test_a_lost_link(step: Any, capsys: Output) -> None:
    with ScriptedCsms() as csms:
        csms.script("Heartbeat", step)
        assert call(csms, "Heartbeat") == 7
    assert "ocpp-sync: the connection is closed (10" in capsys.readouterr().err


def test_nobody_listens(capsys: Output) -> None:
    assert main(["call", "ws://127.0.0.1:1", "CP1", "Heartbeat"]) == 5
    assert capsys.readouterr().err.endswith("(unreachable)\n")


@pytest.mark.parametrize(("status", "reason"), [(401, "unauthorized"), (404, "not-found"), (503, "rejected")])
def test_a_refusal(status: int, reason: str, csms: OcppServer, capsys: Output) -> None:
    def authorize(identity: str, request: Any) -> bool:
        raise RejectHandshake(status)

    csms.on("authorization", authorize)
    assert call(csms, "Heartbeat") == 5
    assert capsys.readouterr().err.endswith(f"({reason})\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["StatusNotification", "connectorid=1"], "'connectorid' is not a field here; did you mean 'connectorId'?"),
        (["StatusNotification", "connectorId=x", "status=Available", "errorCode=NoError"], "connectorId: this must be an integer"),
        (["BootNotification", "chargingStation.model=x"], "'chargingStation' is OCPP 2.0.1"),
        (["Hartbeat"], "did you mean 'Heartbeat'?"),
        (["Reset", "type=Soft"], "it is not sent by the charge point, but to it"),
        (["NotifyPeriodicEventStream"], "is no action of OCPP 1.6, but of OCPP 2.1"),
    ],
)
def test_an_invalid_request_is_not_even_a_connection(arguments: list[str], said: str, csms: OcppServer, capsys: Output) -> None:
    connected = Collector()
    csms.on("connection", connected)
    assert call(csms, *arguments) == 6
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"ocpp-sync: {arguments[0]}: ")
    assert said in captured.err
    assert connected.calls.empty()


def test_an_invalid_request_is_told_where_to_look(csms: OcppServer, capsys: Output) -> None:
    assert call(csms, "Authorize", "idTagg=x") == 6
    assert capsys.readouterr().err.endswith("\nMore: ocpp-sync schema Authorize --version 1.6\n")


def test_an_invalid_response(raw_csms: Callable[..., RawCsms], capsys: Output) -> None:
    peer = raw_csms(version="1.6")
    status = in_thread(call, peer, "Heartbeat")
    peer.send([3, peer.receive()[1], {"currentTime": 5}])
    assert status.result() == 6
    assert capsys.readouterr().err.startswith("ocpp-sync: the response is invalid: Heartbeat: currentTime: this must be a string")


def test_validation_may_be_off(csms: OcppServer, caplog: pytest.LogCaptureFixture, capsys: Output) -> None:
    heard = Collector()
    csms.on("frame", heard)
    assert call(csms, "Heartbeat", "x=1", "--validation", "off") == 3
    assert json.loads(heard.next()[2])[3] == {"x": 1}
    assert call(csms, "Heartbeat", "x=1", "--validation", "out:Heartbeat=warn") == 3
    assert caplog.text.count("sent although invalid") == 1
    assert call(csms, "Heartbeat", "x=1", "--validation", "out=off", "--validation", "Heartbeat=strict") == 6
    capsys.readouterr()
    assert call(csms, "Heartbeat", "--validation", "lax") == 2
    assert capsys.readouterr().err == "ocpp-sync: --validation: 'lax' for '*' is not one of 'strict', 'warn', 'off'\n"


# --- Wrong arguments


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Heartbeat", "{"], "the payload is no JSON: line 1, column 2"),
        (["Heartbeat", "@/nowhere/x.json"], "No such file or directory: '/nowhere/x.json'"),
        (["Heartbeat", "x"], "'x' is neither a payload (JSON, @FILE or -) nor FIELD=VALUE"),
        (["Heartbeat", "x[1]=2"], "x[1]: there is no item 0 yet"),
        (["Heartbeat", "--boot-with", "5"], "the payload must be a JSON object"),
        (["Heartbeat", "-", "--boot-with", "-"], "only one of the arguments can be the standard input"),
        (["Heartbeat", "-", "--password-file", "-"], "only one of the arguments can be the standard input"),
        (["Hartbeat", "--skeleton"], "'Hartbeat' is not in OCPP 1.6; did you mean 'Heartbeat'?"),
        (["Heartbeat", "x=\udcff"], "argument PAYLOAD|FIELD=VALUE: 'x=\\udcff' is no UTF-8"),
        (["Heart\udcff"], "argument ACTION: 'Heart\\udcff' is no UTF-8"),
        (["Heartbeat", "--wait", "-1"], "argument --wait: '-1' is no number of seconds above 0"),
        (["Heartbeat", "--cafile", "/nowhere/ca.pem"], "the client is configured for TLS, and connects to wss:// only"),
    ],
)
def test_wrong_arguments(arguments: list[str], said: str, csms: OcppServer, capsys: Output) -> None:
    assert call(csms, *arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert "Traceback" not in captured.err


def test_an_argument_in_another_encoding(csms: OcppServer) -> None:
    done = subprocess.run([*map(os.fsencode, command(csms, "Authorize")), b"idTag=\xff"], capture_output=True, timeout=60)
    assert done.returncode == 2
    assert b"'idTag=\\udcff' is no UTF-8" in done.stderr


# --- A payload to begin with


def test_skeleton(capsys: Output) -> None:
    assert main(["call", "ws://localhost:9220", "CP1", "BootNotification", "--skeleton"]) == 0
    skeleton = {"chargingStation": {"model": "", "vendorName": ""}, "reason": "ApplicationReset"}
    assert json.loads(capsys.readouterr().out) == skeleton
    assert main(["call", "ws://localhost:9220", "CP1", "BootNotification", "--skeleton", "chargingStation.model=M"]) == 0
    assert json.loads(capsys.readouterr().out)["chargingStation"] == {"model": "M", "vendorName": ""}


def test_skeletons_can_be_sent(csms: OcppServer, capfd: pytest.CaptureFixture[str]) -> None:
    line = " ".join(command(csms, "StatusNotification"))
    assert subprocess.run(["sh", "-ec", f"{line} --skeleton | {line} -"], timeout=60).returncode == 0
    assert capfd.readouterr() == ("{}\n", "")


# --- Staying


def test_wait_shows_what_the_csms_sends_and_says_yes(csms: OcppServer, capsys: Output) -> None:
    answers: list[Any] = []

    def trigger(charge_point: Any, request: Any) -> Iterator[dict[str, str]]:
        yield {"currentTime": utcnow()}
        answers.append(charge_point.call("TriggerMessage", {"requestedMessage": "Heartbeat"}))
        answers.append(charge_point.call("GetConfiguration", {}))
        charge_point.close(1001)

    csms.on("Heartbeat", trigger)
    assert call(csms, "Heartbeat", "--wait", str(TIMEOUT)) == 7
    captured = capsys.readouterr()
    assert json.loads(captured.out).keys() == {"currentTime"}
    assert re.search(r"◀── CALL +TriggerMessage +\{", captured.err)
    assert captured.err.endswith("ocpp-sync: the link was lost\n")
    assert answers == [{"status": "Accepted"}, {}]


def test_wait_ends_when_the_time_is_over(csms: OcppServer) -> None:
    assert call(csms, "Heartbeat", "--wait", "0.05") == 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_listen_ends_by_a_signal(number: int, status: int, csms: OcppServer) -> None:
    closed = Collector()
    csms.on("close", closed)
    with subprocess.Popen(command(csms, "Heartbeat", "--listen"), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert b"currentTime" in process.stdout.readline()
        process.send_signal(number)
        assert process.wait(TIMEOUT) == status
        assert b"Traceback" not in process.stderr.read()
    assert closed.next()[1] == 1000


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_call_that_is_not_answered(number: int, status: int) -> None:
    with ScriptedCsms() as csms:
        csms.script("Heartbeat", Drop())
        with subprocess.Popen(command(csms, "Heartbeat"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            assert process.stdout is not None
            csms.wait_for("Heartbeat", timeout=TIMEOUT)
            process.send_signal(number)
            assert process.wait(TIMEOUT) == status
            assert process.stdout.read() == b""


# --- In scripts


def sh(script: str, csms: Any) -> subprocess.CompletedProcess[str]:
    call = " ".join([sys.executable, "-m", "ocpp_sync", "call", csms.url, "CP1", "--version", "1.6"])
    return subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60, env={**os.environ, "CALL": call})


def test_in_a_shell_script(csms: OcppServer) -> None:
    done = sh('set -e; answer=$($CALL Heartbeat); echo "got $answer"; $CALL Hartbeat 2>/dev/null; echo not here', csms)
    assert (done.returncode, done.stdout) == (6, 'got {"currentTime": "2026-11-27T07:00:00.000Z"}\n')
    done = sh("$CALL MeterValues connectorId=1 'meterValue:=[]'; echo $?; printf '{}' | $CALL Heartbeat -; echo $?", csms)
    assert done.stdout == '6\n{"currentTime": "2026-11-27T07:00:00.000Z"}\n0\n'


def test_a_reader_that_has_gone(csms: OcppServer) -> None:
    done = sh("{ $CALL Heartbeat; echo $? >&2; } | true", csms)
    assert done.stderr in ("1\n", "0\n")  # whether it was gone already


def test_a_full_disk(csms: OcppServer) -> None:
    done = sh("$CALL Heartbeat > /dev/full", csms)
    assert done.returncode == 1
    assert done.stderr.startswith("ocpp-sync: [Errno 28] No space left on device")


# --- Secrets and certificates


def test_a_password_goes_out_and_is_never_shown(csms: OcppServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    asked = Collector(True)
    csms.on("authorization", asked)
    file = tmp_path / "password"
    file.write_text("hunter2\nmore\n")
    assert call(csms, "-v", "Heartbeat", "--password-file", str(file)) == 0
    assert asked.next()[1].password == b"hunter2"
    monkeypatch.setenv("OCPP_PASSWORD", "hunter2")
    assert call(csms, "-v", "Heartbeat") == 0
    assert asked.next()[1].password == b"hunter2"
    asked.result = False
    assert call(csms, "-v", "Heartbeat") == 5
    captured = capsys.readouterr()
    assert "hunter2" not in captured.out + captured.err


def test_a_password_in_the_url_is_refused_and_not_shown(csms: OcppServer, capsys: Output) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["call", csms.url.replace("//", "//CP1:hunter2@"), "CP1", "Heartbeat"])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert "credentials do not belong in the endpoint" in said
    assert "hunter2" not in said


def test_with_tls(make_server: Callable[..., OcppServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    files, own = pki().server(), pki().client("CP1")
    server = make_server(listen=False)
    server.on("Heartbeat", lambda charge_point, request: {"currentTime": utcnow()})
    server.listen(0, "127.0.0.1", certfile=files.cert, keyfile=files.key, client_ca=pki().ca)
    trust = ["--cafile", str(pki().ca), "--certfile", str(own.cert)]
    assert call(server, "Heartbeat", *trust, "--keyfile", str(own.key)) == 0
    locked = encrypted_key(own, b"hunter2", tmp_path / "locked.key")
    assert call(server, "Heartbeat", *trust, "--keyfile", str(locked)) == 2
    monkeypatch.setenv("OCPP_KEY_PASSWORD", "hunter2")
    assert call(server, "Heartbeat", *trust, "--keyfile", str(locked)) == 0
    capsys.readouterr()
    assert call(server, "Heartbeat") == 5
    assert capsys.readouterr().err.endswith("(unknown-ca)\n")
    assert call(server, "Heartbeat", "--cafile", "/nowhere/ca.pem") == 2
    assert capsys.readouterr().err.startswith("ocpp-sync: /nowhere/ca.pem: ")
