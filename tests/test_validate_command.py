"""``ocpp-sync validate``, as a user runs it."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ocpp_sync import ConnectionClosed, OcppClient, OcppServer, skeleton, utcnow
from ocpp_sync.cli import main, validate
from ocpp_sync.default_responses import minimal_response
from ocpp_sync.recording import Frame, Recorder
from ocpp_sync.recording import checking as checking_module
from ocpp_sync.recording.checking import Checker, best_version
from ocpp_sync.recording.masked import without_masks
from ocpp_sync.redaction import MASK, redact
from ocpp_sync.schemas import actions, definitions

from .support import TIMEOUT, VERSIONS, in_thread

Output = pytest.CaptureFixture[str]
Make = Callable[..., Any]


def log_of(path: Path, *lines: str | list[Any]) -> Path:
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return path


def findings(path: Path, capsys: Output, *arguments: str) -> list[str]:
    """What is found, without the name of the file."""
    status = main(["validate", str(path), *arguments])
    found = capsys.readouterr().out.splitlines()
    assert status == (1 if found else 0)
    return [line.removeprefix(f"{path}:") for line in found]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_of_both_sides_is_clean(version: str, tmp_path: Path, make_server: Make, make_client: Make, capsys: Output) -> None:
    path = tmp_path / "session.jsonl"
    server: OcppServer = make_server()
    client: OcppClient[Any] = make_client(version=version)
    for end, side in ((server, "CSMS"), (client, "CS")):
        end.on("*", lambda *arguments, side=side: minimal_response(version, arguments[-2], utcnow()))
    with Recorder(path) as recorder:
        recorder.attach(server)
        recorder.attach(client)
        client.connect(server.url)
        for name, action in actions(version).items():
            if action.sent_by != "CSMS" and not action.is_send:
                client.call(name, skeleton(name, version=version))
        for name, action in actions(version).items():
            if action.sent_by != "CS":
                server.wait_for("CP1").call(name, skeleton(name, version=version))
        if version == "2.1":
            client.send("NotifyPeriodicEventStream", skeleton("NotifyPeriodicEventStream", version=version))
        client.close()
    assert main(["validate", str(path)]) == 0
    count = len(path.read_text(encoding="utf-8").splitlines())
    assert count > 2 * len(actions(version))
    assert capsys.readouterr() == ("", f"{path}: {count} frames, nothing found\n")


def test_an_invalid_session(tmp_path: Path, make_server: Make, make_client: Make, capsys: Output) -> None:
    path = tmp_path / "session.jsonl"
    server: OcppServer = make_server(validation="off")
    server.on("BootNotification", lambda charge_point, request: {"status": "Accept"})
    with Recorder(path) as recorder:
        recorder.attach(server)
        client: OcppClient[Any] = make_client(server.url, version="1.6", validation="off")
        client.call("BootNotification", {"chargePointVendor": "x", "chargepointModel": "y"})
    assert findings(path, capsys) == [
        "1: BootNotification request: 'chargepointModel' is not a field here; did you mean 'chargePointModel'?",
        "2: BootNotification response: 'currentTime', 'interval' are missing",
    ]


CALL = [2, "1", "Heartbeat", {}]
AUTHORIZE = [2, "1", "Authorize", {"idTag": "x"}]
ERROR = [4, "1", "GenericError", "", {}]
NO_CODE = "2: Heartbeat CALLERROR: {} is no error code of OCPP {}; did you mean {}?"
INCOMPLETE = "2: Heartbeat CALLERROR: after the code there must be a description, which is a string, and details, which are an object"


def begin_with(found: list[str], expected: list[str]) -> bool:
    """Whether each begins as expected: a hint may follow."""
    return [line[: len(wanted)] for line, wanted in zip(found, expected, strict=True)] == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["nonsense", '[2,"1","Heart'], ["2: the text is no JSON"]),
        (["[]"], ["1: a message must be a JSON array that begins with its type"]),
        ([[7, "1", "X", {}]], ["1: there is no message type 7 (id '1')"]),
        ([[2, 1, "Heartbeat", {}]], ["1: the message id is no string of characters"]),
        ([[2, "x" * 37, "Heartbeat", {}]], [f"1: the message id is longer than 36 characters (id '{'x' * 37}')"]),
        ([[2, "1", "Heartbeat"]], ["1: the message must have 4 elements, not 3 (id '1')"]),
        ([[2, "1", "Heartbeat", None]], ["1: Heartbeat request: the payload is null: without fields it is {}"]),
        (
            [[2, "1", "StatusNotification", {}], [3, "1", None]],
            ["1: StatusNotification request: ", "2: StatusNotification response: the payload is null"],
        ),
        ([CALL, [3, "1"]], ["2: Heartbeat response: the message must have 3 elements, not 2 (id '1')"]),
        ([[2, "1", "Heartbeet", {}]], ["1: Heartbeet request: 'Heartbeet' is no action of OCPP 1.6; did you mean 'Heartbeat'?"]),
        ([[2, "1", "Foo", {}], [3, "1", {"a": 1}]], ["1: Foo request: 'Foo' is no action of OCPP 1.6"]),
        ([[3, "1", {}]], ["1: CALLRESULT: it answers no open call (id '1')"]),
        ([CALL, ERROR, ERROR], ["3: CALLERROR: it answers no open call, line 1, which was answered, or given up, before (id '1')"]),
        ([CALL, [4, "1", "FormatViolation", "", {}]], [NO_CODE.format("'FormatViolation'", "1.6", "'FormationViolation'")]),
        ([CALL, [4, "1", "GenericErr", "", {}]], [NO_CODE.format("'GenericErr'", "1.6", "'GenericError'")]),
        ([CALL, [4, "1", "GenericError"]], [INCOMPLETE]),
        ([CALL, [4, "1", "GenericError", None, {}]], [INCOMPLETE]),
        ([AUTHORIZE, [2, "1", "Reset", {"type": "Soft"}]], []),
        ([AUTHORIZE, ERROR, [2, "2", "ClearCache", {}], AUTHORIZE], ["4: Authorize request: its id '1' was used on line 1 already"]),
        ([[4, "-1", "GenericError", "", {}]], ["1: CALLERROR: it answers no open call (id '-1')"]),
    ],
)
def test_1_6(lines: list[Any], expected: list[str], tmp_path: Path, capsys: Output) -> None:
    assert begin_with(findings(log_of(tmp_path / "x.log", *lines), capsys, "--version", "1.6"), expected)


_SPELT_AS_1_6 = NO_CODE.format("'OccurenceConstraintViolation'", "2.0.1", "'OccurrenceConstraintViolation'")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([[4, "-1", "RpcFrameworkError", "", {}]], []),
        ([[4, "-1", "Nonsense", "", {}]], ["1: CALLERROR: 'Nonsense' is no error code of OCPP 2.0.1; the codes are FormatViolation, "]),
        ([CALL, [4, "1", "OccurenceConstraintViolation", "", {}]], [_SPELT_AS_1_6]),
        (
            [CALL, [4, "1", "GenericError", "x" * 256, {}]],
            ["2: Heartbeat CALLERROR: 256 characters of description are too many, the limit is 255"],
        ),
        ([[6, "1", "NotifyEvent", {}]], ["1: there is no message type 6 (id '1')"]),
    ],
)
def test_2_0_1(lines: list[Any], expected: list[str], tmp_path: Path, capsys: Output) -> None:
    assert begin_with(findings(log_of(tmp_path / "x.log", *lines), capsys, "--version", "2.0.1"), expected)


STREAM = skeleton("NotifyPeriodicEventStream", version="2.1", full=True)
_NO_CALL = "1: NotifyPeriodicEventStream request: it goes out as SEND, [6,…], which is never answered"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([[6, "1", "NotifyPeriodicEventStream", STREAM], [6, "2", "NotifyPeriodicEventStream", STREAM]], []),
        ([[2, "1", "NotifyPeriodicEventStream", STREAM]], [_NO_CALL]),
        ([[6, "1", "Heartbeat", {}]], ["1: Heartbeat request: it goes out as CALL, [2,…], which is answered"]),
        ([[2, "1", "NotifyPeriodicEventStream", STREAM], [3, "1", {}]], [_NO_CALL]),
        ([[5, "1", "FormatViolation", "", {}]], []),
        ([[5, "1", "Nonsense", "", {}]], ["1: CALLRESULTERROR: 'Nonsense' is no error code of OCPP 2.1"]),
    ],
)
def test_2_1(lines: list[Any], expected: list[str], tmp_path: Path, capsys: Output) -> None:
    assert begin_with(findings(log_of(tmp_path / "x.log", *lines), capsys, "--version", "2.1"), expected)


def recorded(path: Path, *frames: tuple[str, list[Any]], version: str = "1.6", seconds: float = 1.0) -> Path:
    """A recording of a CSMS, a frame each so many seconds."""
    lines = []
    for number, (direction, message) in enumerate(frames):
        minutes, rest = divmod(number * seconds, 60)
        entry = {"time": f"2026-11-27T07:{int(minutes):02}:{rest:06.3f}Z", "identity": "CP1", "side": "CSMS", "version": version}
        lines.append(json.dumps({**entry, "direction": direction, "text": json.dumps(message)}))
    return log_of(path, *lines)


HEARTBEAT = ("in", [2, "1", "Heartbeat", {}])


def test_the_wrong_side(tmp_path: Path, capsys: Output) -> None:
    path = recorded(tmp_path / "x.jsonl", ("out", [2, "1", "Heartbeat", {}]), ("in", [2, "2", "Reset", {"type": "Soft"}]))
    assert findings(path, capsys) == [
        "1: Heartbeat request: it is sent by the charge point, not by the CSMS",
        "2: Reset request: it is sent by the CSMS, not by the charge point",
    ]


def test_a_report_about_no_answer(tmp_path: Path, capsys: Output) -> None:
    error = [5, "1", "FormatViolation", "", {}]
    path = recorded(
        tmp_path / "x.jsonl", ("in", error), HEARTBEAT, ("out", [3, "1", {"currentTime": utcnow()}]), ("in", error), version="2.1"
    )
    assert findings(path, capsys) == ["1: CALLRESULTERROR: there was no answer that it could be about (id '1')"]


@pytest.mark.parametrize(("seconds", "is_found"), [(1.0, True), (5.0, False)])
def test_two_calls_at_once(seconds: float, is_found: bool, tmp_path: Path, capsys: Output) -> None:
    path = recorded(tmp_path / "x.jsonl", HEARTBEAT, ("in", [2, "2", "Heartbeat", {}]), seconds=seconds)
    expected = ["2: Heartbeat request: it was sent while Heartbeat, line 1, was still open: one call at a time"]
    assert findings(path, capsys) == (expected if is_found else [])


@pytest.mark.parametrize("is_answered", [True, False])
def test_two_calls_at_once_without_times(is_answered: bool, tmp_path: Path, capsys: Output) -> None:
    answer = [[4, "1", "GenericError", "", {}]] if is_answered else []
    path = log_of(tmp_path / "x.log", [2, "1", "Heartbeat", {}], [2, "2", "Heartbeat", {}], *answer)
    expected = ["2: Heartbeat request: it was sent while Heartbeat, line 1, was still open: one call at a time"]
    assert findings(path, capsys, "--version", "1.6") == (expected if is_answered else [])


def test_each_side_may_have_a_call_open(tmp_path: Path, capsys: Output) -> None:
    path = recorded(tmp_path / "x.jsonl", HEARTBEAT, ("out", [2, "1", "ClearCache", {}]))
    assert findings(path, capsys) == []


@pytest.mark.parametrize(("version", "is_found"), [("1.6", False), ("2.0.1", True)])
def test_ids_may_come_again_after_a_reboot_in_1_6(version: str, is_found: bool, tmp_path: Path, capsys: Output) -> None:
    boot = ("in", [2, "1", "BootNotification", skeleton("BootNotification", version=version)])
    answer = ("out", [4, "1", "GenericError", "", {}])
    path = recorded(tmp_path / "x.jsonl", boot, answer, boot, answer, version=version)
    expected = ["3: BootNotification request: its id '1' was used on line 1 already"]
    assert findings(path, capsys) == (expected if is_found else [])


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking_module, "_MAX_IDS", 3)
    checker = Checker()
    for number in range(10):
        assert checker.check(Frame(number, json.dumps([2, str(number), "Heartbeat", {}])), "1.6") == []
    assert checker.check(Frame(10, json.dumps([2, "9", "Heartbeat", {}])), "1.6")
    assert not checker.check(Frame(11, json.dumps([2, "1", "Heartbeat", {}])), "1.6")


# --- What is masked


def masked_everywhere(value: Any) -> Any:
    """Every text and number masked, the shape kept, as :func:`redact` does below a secret name."""
    if isinstance(value, dict):
        return {name: masked_everywhere(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked_everywhere(inner) for inner in value]
    return value if value is None or isinstance(value, bool) else MASK


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["request", "response"])
def test_what_is_masked_is_not_judged(version: str, kind: str) -> None:
    checker = Checker()
    for name, action in actions(version).items():
        if kind == "response" and action.is_send:
            continue
        payload = masked_everywhere(skeleton(name, version=version, kind=kind, full=True))
        number = 6 if action.is_send else 2
        if kind == "request":
            assert checker.check(Frame(1, json.dumps([number, name, name, payload])), version) == []
        else:
            checker.check(Frame(1, json.dumps([2, name, name, {}])), version)
            assert checker.check(Frame(1, json.dumps([3, name, payload])), version) == []


def test_what_stands_beside_a_mask_is_judged(tmp_path: Path, capsys: Output) -> None:
    request = [2, "1", "ChangeConfiguration", {"key": "AuthorizationKey", "value": "x" * 600, "more": 1}]
    path = log_of(tmp_path / "x.log", redact(json.dumps(request)))
    assert findings(path, capsys, "--version", "1.6") == [
        "1: ChangeConfiguration request: 'more' is not a field here; the fields are 'key', 'value'"
    ]


def test_a_mask_may_be_longer_than_what_it_hides() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 12}, "b": {"type": "boolean"}}}
    assert without_masks({"a": "password=***", "b": "***", "c": "***", "d": {"e": ["***"]}}, schema, {}) == {
        "a": "password=***",
        "b": "***",
        "c": "***",
        "d": {"e": ["***"]},
    }
    assert without_masks("pass phrase=***", schema["properties"]["a"], {}) == "pass phrase="  # type: ignore[index]


def test_a_frame_that_is_masked_as_a_whole_is_not_judged(tmp_path: Path, capsys: Output) -> None:
    text = redact('[2,"2","ChangeConfiguration",{"key":"AuthorizationKey","key":"x","value":"secret"}]')
    frames = [
        json.dumps({"direction": "in", "side": "CSMS", "text": one}) for one in (json.dumps(HEARTBEAT[1]), text, '[2,"3","Heartbeat",{}]')
    ]
    path = log_of(tmp_path / "x.jsonl", *frames)
    assert main(["validate", str(path), "--version", "1.6"]) == 0
    assert capsys.readouterr() == ("", f"{path}: 3 frames, nothing found; 1 frame masked as a whole, and not judged\n")


@given(st.sampled_from(VERSIONS), st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_a_masked_field_never_hides_what_is_wrong_elsewhere(version: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(name for name, action in actions(version).items() if not action.is_send)))
    payload = masked_everywhere(skeleton(name, version=version, full=True))
    schema = actions(version)[name].request
    assert without_masks(payload, schema, definitions(version)).keys() == payload.keys()
    assert Checker().check(Frame(1, json.dumps([2, "1", name, {**payload, "wrong": 1}])), version)


# --- Which version


@pytest.mark.parametrize("version", VERSIONS)
def test_the_version_is_found_out(version: str, tmp_path: Path, capsys: Output) -> None:
    texts: list[Any] = [
        [2, str(number), name, skeleton(name, version=version)]
        for number, (name, action) in enumerate(actions(version).items())
        if action.sent_by != "CSMS" and not action.is_send
    ]
    path = log_of(tmp_path / "x.log", *texts)
    assert main(["validate", str(path)]) == 0
    assert capsys.readouterr().err.splitlines()[0] == (
        f"ocpp-sync: the lines name no version of OCPP; {version} fits them best (--version takes another)"
    )


def test_each_charge_point_has_a_version_of_its_own(tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validate, "_SAMPLE", 2)
    boots = {"CP1": skeleton("BootNotification", version="1.6"), "CP2": skeleton("BootNotification", version="2.0.1")}
    lines = [f"{name}: send {json.dumps([2, '1', 'BootNotification', boot])}" for _ in range(2) for name, boot in boots.items()]
    path = log_of(tmp_path / "x.log", "hello", *lines, f"CP1: send {json.dumps([2, '2'])}")
    assert main(["validate", str(path), "--left-out"]) == 1
    out, err = capsys.readouterr()
    assert out == (
        f"{path}:5: BootNotification request: its id '1' was used on line 3 already\n"
        f"{path}:6: the message must have 4 elements, not 2 (id '2')\n"
    )
    assert "of CP2 name no version of OCPP; 2.0.1 fits them best" in err
    assert "of CP1 name no version of OCPP; 1.6 fits them best" in err
    assert "line 1 holds no frame: hello" in err


def test_of_versions_that_fit_equally_well_it_is_the_oldest() -> None:
    assert best_version([Frame(1, '[2,"1","Heartbeat",{}]')]) == "1.6"


# --- Files and arguments


def test_json(tmp_path: Path, capsys: Output) -> None:
    path = recorded(tmp_path / "x.jsonl", ("in", [2, "1", "Authorize", {"idTag": 3}]))
    assert main(["validate", str(path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "file": str(path),
        "line": 1,
        "identity": "CP1",
        "version": "1.6",
        "about": "Authorize request",
        "path": "idTag",
        "rule": "type",
        "message": "this must be a string, not an integer; write it as text, in quotes",
    }


def test_own_messages(tmp_path: Path, capsys: Output) -> None:
    path = recorded(tmp_path / "x.jsonl", ("in", [2, "1", "Heartbeat", {"mood": "good"}]))
    schemas = tmp_path / "own.json"
    schemas.write_text(json.dumps({"1.6": {"Heartbeat": {"request": {"properties": {"mood": {"type": "string"}}}}}}), encoding="utf-8")
    assert findings(path, capsys) != []
    assert findings(path, capsys, "--schemas", str(schemas)) == []


@pytest.mark.parametrize(
    ("data", "message"), [(b"", "there is no frame in it"), (b"hello\n", "there is no frame in it; 1 line without a frame")]
)
def test_a_file_without_a_frame(data: bytes, message: str, tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(data)
    assert main(["validate", str(path)]) == 2
    assert capsys.readouterr() == ("", f"ocpp-sync: {path}: {message}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.log"], "No such file or directory: 'missing.log'"),
        ([".", "--schemas", "missing.json"], "schemas: missing.json: "),
    ],
)
def test_files_that_are_not_there(arguments: list[str], message: str, capsys: Output) -> None:
    assert main(["validate", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("ocpp-sync: ")
    assert message in err


def test_a_damaged_file_is_no_clean_one(tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "x.gz"
    lines = "".join(f'[2,"{number}","Heartbeat",{{}}]\n[4,"{number}","GenericError","",{{}}]\n' for number in range(8_000))
    path.write_bytes(gzip.compress(lines.encode())[:-500])
    assert main(["validate", str(path), "--version", "1.6"]) == 2
    assert "it could not be read beyond line" in capsys.readouterr().err


def test_a_wrong_version(capsys: Output) -> None:
    with pytest.raises(SystemExit) as end:
        main(["validate", "x.log", "--version", "2.0"])
    assert end.value.code == 2
    assert "did you mean 2.0.1?" in capsys.readouterr().err


def test_a_log_of_the_python_package_ocpp_from_a_pipe() -> None:
    boot = json.dumps([2, "1", "BootNotification", {"chargePointVendor": "x"}])
    log = f'INFO:ocpp:CP_1: receive message {boot}\nINFO:ocpp:CP_1: send [3,"1",{{}}]\n'
    done = subprocess.run(
        [sys.executable, "-m", "ocpp_sync", "validate", "-"], input=log, capture_output=True, text=True, timeout=TIMEOUT * 6, check=False
    )
    assert done.returncode == 1
    expected = ["<stdin>:1: BootNotification request: 'chargePointModel' is missing", "<stdin>:2: BootNotification response: 'status', "]
    assert begin_with(done.stdout.splitlines(), expected)
    assert done.stderr.splitlines() == [
        "ocpp-sync: the lines of CP_1 name no version of OCPP; 1.6 fits them best (--version takes another)",
        "<stdin>: 2 frames, 2 findings",
    ]


def test_nothing_in_a_finding_commands_the_terminal(tmp_path: Path, capsys: Output) -> None:
    path = log_of(tmp_path / "x.log", '[2,"1","Heart\\u001b[31mbeat",{}]')
    assert "\x1b" not in findings(path, capsys, "--version", "1.6")[0]


def test_b3_a_call_of_a_link_that_has_gone_is_over(tmp_path: Path, capsys: Output) -> None:
    lines: list[str] = []
    for link in (1, 2, 2):
        entry = {"time": "2026-11-27T07:00:00.000Z", "identity": "CP1", "side": "CSMS", "version": "1.6", "link": link, "direction": "in"}
        lines.append(json.dumps({**entry, "text": json.dumps([2, f"{len(lines)}", "Heartbeat", {}])}))
    path = log_of(tmp_path / "x.jsonl", *lines)
    expected = "3: Heartbeat request: it was sent while Heartbeat, line 2, was still open: one call at a time"
    assert findings(path, capsys) == [expected]


def test_b3_a_lost_link_is_recorded_as_one(
    tmp_path: Path, make_server: Callable[..., OcppServer], make_client: Callable[..., OcppClient], capsys: Output
) -> None:
    """By a server whose handler has not answered when the link goes."""
    server, called, go_on = make_server(), threading.Event(), threading.Event()

    def heartbeat(*_: Any) -> dict[str, str]:
        if not called.is_set():
            called.set()
            go_on.wait(10)
        return {"currentTime": "2026-11-27T07:00:00Z"}

    server.on("Heartbeat", heartbeat)
    with Recorder(tmp_path / "x.jsonl") as recorder:
        recorder.attach(server)
        client = make_client(server.url, version="1.6")
        calling = in_thread(client.call, "Heartbeat")
        assert called.wait(10)
        client.close()
        with pytest.raises(ConnectionClosed):
            calling.result()
        go_on.set()
        make_client(server.url, version="1.6").call("Heartbeat")
    assert findings(tmp_path / "x.jsonl", capsys) == []
