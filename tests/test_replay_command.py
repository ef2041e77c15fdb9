"""``ocpp-sync replay``, as a user runs it: recordings of real sessions, played against live peers."""

from __future__ import annotations

import json
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync import CallError, OcppClient, OcppClientConnection, OcppServer, skeleton, utcnow
from ocpp_sync.cli import main, replay
from ocpp_sync.default_responses import minimal_response
from ocpp_sync.recording import Log, Recorder, exchanges
from ocpp_sync.recording.playing import Played
from ocpp_sync.timestamps import parse_time

from .pki import pki
from .support import TIMEOUT, Collector, Future, in_thread

Output = pytest.CaptureFixture[str]
Make = Callable[..., Any]

NEVER = "3600"  # seconds, of a time-out that no test waits for


class Books:
    """A CSMS: its transactions have ids from a first one on, and it keeps what it is told."""

    def __init__(self, server: OcppServer, first: int = 1, *, authorized: str = "Accepted") -> None:
        self.server = server
        self.told: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self.next_transaction = first
        self.authorized = authorized
        server.on("*", self._answer)

    def _answer(self, charge_point: Any, action: str, request: dict[str, Any]) -> dict[str, Any]:
        self.told.put((action, request))
        response = minimal_response(charge_point.version, action, utcnow())
        if action == "StartTransaction":
            response["transactionId"] = self.next_transaction
            self.next_transaction += 1
        if action == "Authorize":
            response["idTagInfo" if "idTagInfo" in response else "idTokenInfo"]["status"] = self.authorized
        return response

    def all_told(self) -> list[tuple[str, dict[str, Any]]]:
        found = []
        while not self.told.empty():
            found.append(self.told.get())
        return found


def charge_16(client: OcppClient[Any], server: OcppServer) -> None:
    client.call("BootNotification", {"chargePointVendor": "x", "chargePointModel": "y"})
    client.call("Authorize", {"idTag": "DEADBEEF"})
    start = {"connectorId": 1, "idTag": "DEADBEEF", "meterStart": 0, "timestamp": "2026-01-01T00:00:00Z"}
    transaction = client.call("StartTransaction", start)["transactionId"]
    meter = [{"timestamp": "2026-01-01T00:00:30.5+01:00", "sampledValue": [{"value": "1"}]}]
    client.call("MeterValues", {"connectorId": 1, "transactionId": transaction, "meterValue": meter})
    server.wait_for("CP1").call("RemoteStopTransaction", {"transactionId": transaction})
    client.call("StopTransaction", {"transactionId": transaction, "meterStop": 7, "timestamp": "2026-01-01T00:01:00Z"})
    client.call("Heartbeat")


def charge_2x(client: OcppClient[Any], server: OcppServer) -> None:
    client.call("BootNotification", {"reason": "PowerUp", "chargingStation": {"vendorName": "x", "model": "y"}})
    client.call("Authorize", {"idToken": {"idToken": "DEADBEEF", "type": "ISO14443"}})
    event = {"timestamp": "2026-01-01T00:00:00Z", "triggerReason": "Authorized", "transactionInfo": {"transactionId": "the-recorded-one"}}
    client.call("TransactionEvent", {**event, "eventType": "Started", "seqNo": 0})
    server.wait_for("CP1").call("RequestStopTransaction", {"transactionId": "the-recorded-one"})
    client.call("TransactionEvent", {**event, "eventType": "Ended", "seqNo": 1})
    client.call("Heartbeat")


CHARGE = {"1.6": charge_16, "2.0.1": charge_2x, "2.1": charge_2x}
COUNTS = {"1.6": 6, "2.0.1": 5, "2.1": 5}


def record(path: Path, version: str, make_server: Make, make_client: Make, *, side: str = "CS") -> Path:
    """A session of a real client and a real server, recorded by one of them."""
    server, client = make_server(), make_client(version=version)
    Books(server)
    client.on("*", lambda action, request: {"status": "Accepted"})
    with Recorder(path) as recorder:
        recorder.attach(client if side == "CS" else server)
        client.connect(server.url)
        CHARGE[version](client, server)
        client.close()
        server.close()
    return path


@pytest.fixture
def recording(tmp_path: Path, make_server: Make, make_client: Make) -> Path:
    return record(tmp_path / "session.jsonl", "1.6", make_server, make_client)


def run(capsys: Output, *arguments: object) -> tuple[int, list[str], str]:
    status = main(["replay", *map(str, arguments)])
    out, err = capsys.readouterr()
    return status, re.sub(r"\d+\.\d ms", "9.9 ms", out).splitlines(), err


# --- As the charge point


@pytest.mark.parametrize("side", ["CS", "CSMS"])
@pytest.mark.parametrize("version", CHARGE)
def test_the_same_answers(version: str, side: str, tmp_path: Path, make_server: Make, make_client: Make, capsys: Output) -> None:
    path = record(tmp_path / "session.jsonl", version, make_server, make_client, side=side)
    books = Books(make_server(), first=40)
    status, out, err = run(capsys, path, books.server.url)
    assert (status, err) == (0, "")
    assert out[-1] == f"{COUNTS[version]} calls: {COUNTS[version]} as recorded, 0 otherwise."
    assert all(" same " in line for line in out[:-2])
    told = books.all_told()
    with Log(path) as log:
        recorded = [exchange for exchange in exchanges(log) if exchange.sender == "CS"]
    assert [action for action, _ in told] == [exchange.action for exchange in recorded]


def test_what_is_renewed_in_1_6(recording: Path, make_server: Make, capsys: Output) -> None:
    books = Books(make_server(), first=40)
    before = parse_time(utcnow())
    assert run(capsys, recording, books.server.url)[0] == 0
    told = dict(books.all_told())
    assert told["StopTransaction"]["transactionId"] == told["MeterValues"]["transactionId"] == 40
    began, metered, stopped = (
        told["StartTransaction"]["timestamp"],
        told["MeterValues"]["meterValue"][0]["timestamp"],
        told["StopTransaction"]["timestamp"],
    )
    assert parse_time(stopped) - parse_time(began) == timedelta(minutes=1)
    assert metered.endswith(".5+01:00")
    with Log(recording) as log:
        first = next(iter(log)).time
    assert first is not None
    offset = parse_time(began) - parse_time("2026-01-01T00:00:00Z")
    assert before - first - timedelta(seconds=1) <= offset <= parse_time(utcnow()) - first


def test_what_is_renewed_in_2x(tmp_path: Path, make_server: Make, make_client: Make, capsys: Output) -> None:
    path = record(tmp_path / "session.jsonl", "2.0.1", make_server, make_client)
    books = Books(make_server())
    assert run(capsys, path, books.server.url)[0] == 0
    ids = [request["transactionInfo"]["transactionId"] for action, request in books.all_told() if action == "TransactionEvent"]
    assert ids[0] == ids[1] != "the-recorded-one"
    assert re.fullmatch(r"[0-9a-f-]{36}", ids[0])


def test_other_answers(recording: Path, make_server: Make, capsys: Output) -> None:
    books = Books(make_server(), authorized="Invalid")
    status, out, err = run(capsys, recording, books.server.url)
    assert (status, err) == (1, "")
    assert "line 3     Authorize                  differs  9.9 ms" in out
    assert '    idTagInfo.status: "Accepted" recorded, "Invalid" now' in out
    assert out[-1] == "6 calls: 5 as recorded, 1 otherwise."


@pytest.mark.parametrize("path", ["idTagInfo", "Authorize.idTagInfo.status", "*.status"])
def test_what_may_differ(path: str, recording: Path, make_server: Make, capsys: Output) -> None:
    books = Books(make_server(), authorized="Invalid")
    assert run(capsys, recording, books.server.url, "--ignore", path)[0] == 0


def test_json(recording: Path, make_server: Make, capsys: Output) -> None:
    books = Books(make_server(), authorized="Invalid")
    status, out, _ = run(capsys, recording, books.server.url, "--json")
    entries = [json.loads(line) for line in out]
    assert status == 1
    assert [entry["action"] for entry in entries] == [
        "BootNotification", "Authorize", "StartTransaction", "MeterValues", "StopTransaction", "Heartbeat"
    ]  # fmt: skip
    assert entries[1]["differences"] == [{"path": "idTagInfo.status", "recorded": "Accepted", "now": "Invalid"}]
    assert entries[1]["seconds"] > 0
    assert (entries[1]["line"], entries[1]["differs"], entries[0]["differs"]) == (3, True, False)


def test_json_of_what_json_does_not_have(tmp_path: Path, raw_csms: Make, capsys: Output) -> None:
    found = entry("in", [3, "1", {"currentTime": "x", "a": 0}]).replace('\\"a\\": 0', '\\"a\\": 1e999')
    assert "1e999" in found
    csms = raw_csms(version="1.6")
    playing = in_thread(main, ["replay", str(lines(tmp_path / "x.jsonl", HEARTBEAT, found)), csms.url, "--json"])
    message_id = csms.receive()[1]
    csms.send(f'[3,"{message_id}",{{"currentTime":"x","a":-1e999,"b":[1e999]}}]')
    assert playing.result(TIMEOUT) == 1

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    (outcome,) = (json.loads(line, parse_constant=refuse) for line in capsys.readouterr().out.splitlines())
    assert outcome["differences"] == [{"path": "a", "recorded": "Infinity", "now": "-Infinity"}, {"path": "b", "now": "[Infinity]"}]


def entry(direction: str, message: list[Any], second: float = 0, **more: Any) -> str:
    """A line that a charge point has recorded."""
    fields = {"time": f"2026-11-27T07:00:{second:09.6f}Z", "identity": "CP1", "side": "CS", "version": "1.6", "direction": direction}
    return json.dumps({**fields, "text": json.dumps(message), **more})


def lines(path: Path, *found: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in found), encoding="utf-8")
    return path


HEARTBEAT = entry("out", [2, "1", "Heartbeat", {}])
ALIVE = entry("in", [3, "1", {"currentTime": "2026-11-27T07:00:00Z"}])
REFUSED = entry("in", [4, "1", "SecurityError", "no", {}])


@pytest.mark.parametrize(
    ("recorded", "now", "status", "shown"),
    [
        (ALIVE, CallError("SecurityError", "no"), 1, "differs  9.9 ms  CALLERROR SecurityError: no; an answer recorded"),
        (REFUSED, None, 1, "differs  9.9 ms  answered; CALLERROR SecurityError recorded"),
        (REFUSED, CallError("SecurityError", "otherwise worded"), 0, "same     9.9 ms"),
        (REFUSED, CallError("InternalError"), 1, "differs  9.9 ms  CALLERROR InternalError; SecurityError recorded"),
        (None, None, 0, "same     9.9 ms  answered; nothing is recorded to compare it with"),
        (None, CallError("InternalError"), 0, "same     9.9 ms  CALLERROR InternalError; nothing is recorded to compare it with"),
    ],
)
def test_errors(
    recorded: str | None, now: CallError | None, status: int, shown: str, tmp_path: Path, make_server: Make, capsys: Output
) -> None:
    server: OcppServer = make_server()

    @server.on("Heartbeat")
    def heartbeat(charge_point: Any, request: dict[str, Any]) -> dict[str, Any]:
        if now is not None:
            raise now
        return {"currentTime": utcnow()}

    path = lines(tmp_path / "x.jsonl", HEARTBEAT, *([recorded] if recorded else []))
    found, out, _ = run(capsys, path, server.url)
    assert (found, out[0]) == (status, f"line 1     Heartbeat                  {shown}")


@pytest.mark.parametrize(
    ("recorded", "status", "shown"), [([ALIVE], 1, "differs  not answered in 0.1 s"), ([], 0, "same     not answered, as recorded")]
)
def test_no_answer(
    recorded: list[str], status: int, shown: str, tmp_path: Path, raw_csms: Make, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Short for the answer alone, not for the connection.
    monkeypatch.setattr(replay, "Played", lambda *arguments, **options: Played(*arguments, **{**options, "timeout": 0.1}))
    path = lines(tmp_path / "x.jsonl", HEARTBEAT, *recorded)
    found, out, _ = run(capsys, path, raw_csms(version="1.6").url)
    assert (found, out[0]) == (status, f"line 1     Heartbeat                  {shown}")


def test_what_the_live_csms_calls_is_answered_as_recorded(tmp_path: Path, raw_csms: Make, capsys: Output) -> None:
    path = lines(
        tmp_path / "x.jsonl",
        entry("in", [2, "1", "Reset", {"type": "Soft"}]),
        entry("out", [3, "1", {"status": "Rejected"}]),
        entry("in", [2, "2", "Reset", {"type": "Soft"}]),
        entry("out", [3, "2", {"status": "Accepted"}]),
        entry("in", [2, "3", "ClearCache", {}]),
        entry("out", [4, "3", "InternalError", "oh", {"a": 1}]),
        entry("in", [2, "4", "GetLocalListVersion", {}]),
        HEARTBEAT,
        ALIVE,
    )
    csms = raw_csms(version="1.6")
    future = in_thread(main, ["replay", str(path), csms.url, "--timeout", NEVER])
    call = csms.receive()
    answers = []
    for number, action in enumerate(("Reset", "Reset", "Reset", "ClearCache", "GetLocalListVersion", "GetLocalListVersion", "Foo")):
        csms.send([2, str(number), action, {}])
        answers.append(csms.receive()[2:])
    csms.send([3, call[1], {"currentTime": utcnow()}])
    assert future.result() == 0
    assert answers == [
        [{"status": "Rejected"}],
        [{"status": "Accepted"}],
        [{"status": "Accepted"}],
        ["InternalError", "oh", {"a": 1}],
        ["NotSupported", "GetLocalListVersion is not in the recording", {}],
        ["NotSupported", "GetLocalListVersion is not in the recording", {}],
        ["NotSupported", "Foo is not in the recording", {}],
    ]
    assert capsys.readouterr().err.splitlines() == [
        "ocpp-sync: the CSMS calls GetLocalListVersion, to which no answer is recorded: NotSupported",
        "ocpp-sync: the CSMS calls Foo, to which no answer is recorded: NotSupported",
    ]


def test_the_pace_of_the_recording(tmp_path: Path, make_server: Make, capsys: Output) -> None:
    found = [entry("out", [2, str(second), "Heartbeat", {}], second) for second in range(4)]
    path = lines(tmp_path / "x.jsonl", *found)
    books = Books(make_server())
    started = time.monotonic()
    assert run(capsys, path, books.server.url, "--speed", "10")[0] == 0
    assert time.monotonic() - started >= 0.3


def test_a_send(tmp_path: Path, make_server: Make, capsys: Output) -> None:
    server = make_server()
    came = Collector()
    server.on("NotifyPeriodicEventStream", came)
    server.on("Heartbeat", lambda charge_point, request: {"currentTime": utcnow()})
    stream = skeleton("NotifyPeriodicEventStream", version="2.1", full=True)
    path = lines(tmp_path / "x.jsonl", entry("out", [6, "1", "NotifyPeriodicEventStream", stream], version="2.1"), HEARTBEAT)
    status, out, _ = run(capsys, path, server.url, "--validation", "in:Heartbeat=strict", "--validation", "out=off")
    assert (status, out[0]) == (0, "line 1     NotifyPeriodicEventStream  same")
    assert came.next()[1]["id"] == stream["id"]


def test_what_cannot_be_sent(tmp_path: Path, make_server: Make, capsys: Output) -> None:
    number = entry("out", [2, "1", "DataTransfer", {"vendorId": "x"}]).replace(r"\"x\"", "1e999")
    path = lines(tmp_path / "x.jsonl", number, HEARTBEAT)
    status, out, _ = run(capsys, path, Books(make_server()).server.url)
    assert status == 1
    assert out[0].startswith("line 1     DataTransfer               differs  DataTransfer")
    assert out[-1] == "2 calls: 1 as recorded, 1 otherwise."


def test_an_answer_that_breaks_its_schema(tmp_path: Path, make_server: Make, capsys: Output) -> None:
    server = make_server(validation="off")
    server.on("Heartbeat", lambda charge_point, request: {})
    path = lines(tmp_path / "x.jsonl", HEARTBEAT, ALIVE)
    status, out, _ = run(capsys, path, server.url, "--validation", "in=strict")
    assert status == 1
    assert "'currentTime' is missing" in out[0]
    status, out, _ = run(capsys, path, server.url)
    assert out[1] == '    currentTime: "2026-11-27T07:00:00Z" recorded, not there now'


def test_masked_secrets_are_sent_as_they_are(tmp_path: Path, make_server: Make, capsys: Output) -> None:
    server = make_server(validation="off")
    books = Books(server)
    request = {"vendorId": "x", "data": "password=***"}
    path = lines(tmp_path / "x.jsonl", entry("out", [2, "1", "DataTransfer", request]), entry("out", [2, "2", "DataTransfer", request]))
    status, _, err = run(capsys, path, server.url)
    assert status == 0
    assert err == "ocpp-sync: there are secrets in the recording that are masked; they are sent as they are: ***\n"
    assert [told for _, told in books.all_told()] == [request, request]


def test_a_link_that_is_lost(tmp_path: Path, make_server: Make, capsys: Output) -> None:
    server: OcppServer = make_server()

    @server.on("Heartbeat")
    def heartbeat(charge_point: Any, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield {"currentTime": utcnow()}
        charge_point.close(1001, "enough")

    found = [entry("out", [2, str(number), "Heartbeat", {}], number) for number in (0, 59)]
    path = lines(tmp_path / "x.jsonl", *found)
    status, _, err = run(capsys, path, server.url, "--speed", "1")  # it does not wait for the minute
    assert status == 7
    assert err.endswith("1 call of 2 had been played\n")


def test_no_link(recording: Path, make_server: Make, capsys: Output) -> None:
    server = make_server()
    server.on("authorization", lambda identity, request: False)
    status, out, err = run(capsys, recording, server.url)
    assert (status, out) == (5, [])
    assert "(unauthorized)" in err


@pytest.mark.parametrize("secret", ["a-long-enough-password", "another-one"])
def test_tls_and_a_password(secret: str, recording: Path, make_server: Make, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    server = make_server(listen=False)
    server.on("authorization", lambda identity, request: (identity, request.password) == ("CP7", b"a-long-enough-password"))
    Books(server)
    files = pki().server()
    server.listen(0, "127.0.0.1", certfile=files.cert, keyfile=files.key)
    monkeypatch.setenv("OCPP_PASSWORD", secret)
    status, *_ = run(capsys, recording, server.url, "--as", "CP7", "--cafile", pki().ca)
    assert status == (0 if secret.startswith("a-long") else 5)


def test_it_records_too(recording: Path, make_server: Make, capsys: Output, tmp_path: Path) -> None:
    books = Books(make_server())
    again = tmp_path / "again.jsonl"
    assert run(capsys, recording, books.server.url, "--as", "CP9", "--record", again)[0] == 0
    assert run(capsys, again, books.server.url)[0] == 0
    with Log(again) as log:
        assert {frame.identity for frame in log} == {"CP9"}


# --- Which recording


def test_there_may_be_several_charge_points(tmp_path: Path, make_server: Make, capsys: Output) -> None:
    path = lines(tmp_path / "x.jsonl", HEARTBEAT, entry("out", [2, "1", "Heartbeat", {}], identity="CP2"))
    books = Books(make_server())
    with pytest.raises(SystemExit) as end:
        run(capsys, path, books.server.url)
    assert end.value.code == 2
    assert "there is more than one charge point in it: choose with --identity CP1, or CP2" in capsys.readouterr().err
    status, out, _ = run(capsys, path, books.server.url, "--identity", "CP2")
    assert (status, out[-1]) == (0, "1 call: 1 as recorded, 0 otherwise.")


def test_if_both_sides_have_recorded_one_is_played(tmp_path: Path, make_server: Make, capsys: Output) -> None:
    path = lines(tmp_path / "x.jsonl", HEARTBEAT, entry("in", [2, "1", "Heartbeat", {}], side="CSMS"), ALIVE)
    books = Books(make_server())
    assert run(capsys, path, books.server.url)[1][-1] == "1 call: 1 as recorded, 0 otherwise."


def test_a_bare_log(tmp_path: Path, make_server: Make, capsys: Output) -> None:
    boot = {"reason": "PowerUp", "chargingStation": {"vendorName": "x", "model": "y"}}
    status = {"timestamp": "2026-01-01T00:00:00Z", "connectorStatus": "Available", "evseId": 1, "connectorId": 1}
    path = lines(
        tmp_path / "x.log",
        json.dumps([2, "1", "BootNotification", boot]),
        "[2,",
        json.dumps([2, "2", "StatusNotification", status]),
        json.dumps([2, "3", "DataTransfer", {"vendorId": "x"}]),
    )
    books = Books(make_server())
    before = parse_time(utcnow())
    found, _, err = run(capsys, path, books.server.url, "--as", "CP1")
    assert found == 0
    assert err == "ocpp-sync: 2 frames left out: neither a call nor its answer, or a call that may be of either side\n"
    (_, first), (_, second) = books.all_told()
    assert first == boot
    assert abs(parse_time(second["timestamp"]) - before) < timedelta(minutes=10)
    with pytest.raises(SystemExit):
        run(capsys, path, books.server.url)
    assert "say with --as which one it is now" in capsys.readouterr().err


def test_a_bare_log_without_any_time(tmp_path: Path, make_server: Make, capsys: Output) -> None:
    path = lines(tmp_path / "x.log", json.dumps([2, "1", "Heartbeat", {}]))
    books = Books(make_server())
    assert run(capsys, path, books.server.url, "--as", "CP1", "--version", "2.1", "--speed", "1")[0] == 0


@pytest.mark.parametrize(
    ("found", "arguments", "message"),
    [
        ([], [], "there is no frame in it"),
        (["hello"], [], "there is no frame in it"),
        ([ALIVE], [], "there is no call in it"),
        ([HEARTBEAT], ["--identity", "CP2"], "there is nothing of 'CP2' in it; there is CP1"),
        (['[2,"1","Heartbeat",{}]'], ["--identity", "CP2"], "there is nothing of 'CP2' in it; its lines name no charge point"),
        ([], ["--identity", "CP2"], "there is nothing of 'CP2' in it"),
        ([HEARTBEAT], ["--side", "CSMS"], "there is no call of the CSMS in it; --side CS plays the charge point"),
        ([HEARTBEAT], ["--as", "a/b"], "'a/b'"),
    ],
)
def test_a_recording_that_cannot_be_played(found: list[str], arguments: list[str], message: str, tmp_path: Path, capsys: Output) -> None:
    path = lines(tmp_path / "x.jsonl", *found)
    with pytest.raises(SystemExit) as end:
        run(capsys, path, "ws://localhost:1", *arguments)
    assert end.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


def test_a_damaged_recording_is_played_as_far_as_it_goes(
    tmp_path: Path, make_server: Make, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lines(tmp_path / "x.jsonl", HEARTBEAT)
    original = Log._lines

    def broken(self: Log) -> Iterator[tuple[int, str]]:
        yield from original(self)
        self.damage = "it could not be read beyond line 1"

    monkeypatch.setattr(Log, "_lines", broken)
    status, _, err = run(capsys, path, Books(make_server()).server.url)
    assert status == 0
    assert "beyond line 1" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.jsonl", "ws://localhost:1"], "No such file or directory: 'missing.jsonl'"),
        (["FILE", "http://localhost:1"], "an endpoint is a URL such as ws://host:9220/ocpp"),
        (["-", "ws://localhost:1", "--password-file", "-"], "- is the standard input: "),
        (["FILE", "ws://localhost:1", "--speed", "-1"], "'-1' is no speed"),
        (["FILE", "ws://localhost:1", "--speed", "fast"], "'fast' is no speed"),
        (["FILE", "http://localhost:1", "--side", "CSMS"], "to listen, the URL is such as ws://localhost:9221, not http://localhost:1"),
        (["FILE", "ws://a:b@localhost:1", "--side", "CSMS"], "not localhost:1"),
        (["FILE", "ws://localhost:99999", "--side", "CSMS"], "with a port up to 65535, not ws://localhost:99999\n"),
        (["FILE", "ws://CP1:s3cret@localhost:99999", "--side", "CSMS"], "with a port up to 65535, not localhost:99999\n"),
        (["FILE", "ws://CP1:s3cret@localhost:s3", "--side", "CSMS"], "not localhost:s3\n"),
        (["FILE", "ws://CP1:s3cret/@localhost:1", "--side", "CSMS"], "not localhost:1\n"),
        (["FILE", "ws://CP1:s3cret\u2100@localhost:1", "--side", "CSMS"], "not localhost:1\n"),
        (["FILE", "ws://CP1:s3cret@[localhost:1", "--side", "CSMS"], "not [localhost:1\n"),
        (["FILE", "wss://localhost:1", "--side", "CSMS"], "wss:// needs it to listen"),
        (["FILE", "ws://localhost:1", "--side", "CSMS", "--cafile", "x"], "--keyfile and --cafile go with wss:// and --certfile"),
        (["FILE", "wss://localhost:0", "--side", "CSMS", "--certfile", "missing.pem"], "missing.pem"),
    ],
)
def test_wrong_arguments(arguments: list[str], message: str, recording: Path, capsys: Output) -> None:
    with pytest.raises(SystemExit) as end:
        main(["replay", *(str(recording) if argument == "FILE" else argument for argument in arguments)])
    assert end.value.code == 2
    told = capsys.readouterr().err
    assert message in told
    assert "s3cret" not in told


# --- As the CSMS


class Told:
    """What the command tells on the standard error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.texts: list[str] = []
        self._urls: queue.Queue[str] = queue.Queue()
        monkeypatch.setattr(replay, "_tell", self._take)

    def _take(self, text: str) -> None:
        self.texts.append(text)
        if (found := re.search(r"waiting for \S+ at (\S+)", text)) is not None:
            self._urls.put(found[1])

    @property
    def url(self) -> str:
        return self._urls.get(timeout=TIMEOUT)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    return Told(monkeypatch)


def play_csms(path: Path, *arguments: object) -> Future:
    return in_thread(main, ["replay", str(path), "ws://127.0.0.1:0", "--side", "CSMS", "--timeout", NEVER, *map(str, arguments)])


class Station:
    """A charge point of 1.6 that stops its transaction when it is told to."""

    def __init__(self, client: OcppClient[Any], status: str = "Accepted") -> None:
        self.client = client
        self.asked: queue.Queue[dict[str, Any]] = queue.Queue()

        def stop(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
            yield {"status": status}
            self.asked.put(request)

        client.on("RemoteStopTransaction", stop)

    def charge(self) -> int:
        """A session; returns the id of its transaction."""
        client = self.client
        client.call("BootNotification", {"chargePointVendor": "other", "chargePointModel": "one"})
        client.call("Authorize", {"idTag": "X"})
        start = {"connectorId": 1, "idTag": "X", "meterStart": 0, "timestamp": utcnow()}
        transaction: int = client.call("StartTransaction", start)["transactionId"]
        meter = [{"timestamp": utcnow(), "sampledValue": [{"value": "1"}]}]
        client.call("MeterValues", {"connectorId": 1, "transactionId": transaction, "meterValue": meter})
        assert self.asked.get(timeout=TIMEOUT) == {"transactionId": transaction}
        client.call("StopTransaction", {"transactionId": transaction, "meterStop": 7, "timestamp": utcnow()})
        client.call("Heartbeat")
        return transaction


@pytest.mark.parametrize("side", ["CS", "CSMS"])
def test_it_plays_the_csms(side: str, tmp_path: Path, make_server: Make, make_client: Make, told: Told, capsys: Output) -> None:
    path = record(tmp_path / "session.jsonl", "1.6", make_server, make_client, side=side)
    future = play_csms(path)
    client = make_client(told.url, version="1.6")
    assert Station(client).charge() == 1
    assert future.result() == 0
    out = capsys.readouterr().out
    assert re.match(r"line 9     RemoteStopTransaction      same ", out)
    assert out.endswith("\n1 call: 1 as recorded, 0 otherwise.\n")


def test_another_answer_of_the_charge_point(recording: Path, make_client: Make, told: Told, capsys: Output) -> None:
    future = play_csms(recording, "--as", "CP5")
    Station(make_client(told.url, identity="CP5", version="1.6"), status="Rejected").charge()
    assert future.result() == 1
    assert '    status: "Accepted" recorded, "Rejected" now' in capsys.readouterr().out.splitlines()


def test_transactions_of_the_charge_point_in_2x(tmp_path: Path, make_server: Make, make_client: Make, told: Told) -> None:
    path = record(tmp_path / "session.jsonl", "2.0.1", make_server, make_client)
    future = play_csms(path)
    client: OcppClient[Any] = make_client(told.url)
    asked: queue.Queue[dict[str, Any]] = queue.Queue()

    def stop(request: dict[str, Any]) -> dict[str, Any]:
        asked.put(request)
        return {"status": "Accepted"}

    client.on("RequestStopTransaction", stop)
    client.call("BootNotification", {"reason": "PowerUp", "chargingStation": {"vendorName": "x", "model": "y"}})
    client.call("Authorize", {"idToken": {"idToken": "X", "type": "ISO14443"}})
    event = {"timestamp": utcnow(), "triggerReason": "Authorized", "transactionInfo": {"transactionId": "of-now"}}
    client.call("TransactionEvent", {**event, "eventType": "Started", "seqNo": 0})
    assert asked.get(timeout=TIMEOUT) == {"transactionId": "of-now"}
    client.call("TransactionEvent", {**event, "eventType": "Ended", "seqNo": 1})
    client.call("TransactionEvent", {**event, "eventType": "Started", "seqNo": 0, "transactionInfo": {"transactionId": "one-more"}})
    client.call("Heartbeat")
    assert future.result() == 0


def test_what_is_not_recorded_has_the_shortest_answer(tmp_path: Path, make_client: Make, told: Told) -> None:
    path = lines(
        tmp_path / "x.jsonl",
        entry("in", [2, "1", "ClearCache", {}]),
        entry("out", [3, "1", {"status": "Accepted"}]),
        entry("out", [2, "2", "Heartbeat", {}]),
        entry("in", [4, "2", "SecurityError", "no", {}]),
        entry("out", [2, "3", "Heartbeat", {}]),
    )
    future = play_csms(path, "--version", "2.1")
    client = make_client(version="2.1", validation="off")
    cleared = Collector({"status": "Accepted"})
    client.on("ClearCache", cleared)
    client.connect(told.url)
    cleared.next()
    assert client.call("Authorize", {"idToken": {"idToken": "X", "type": "Central"}}) == {"idTokenInfo": {"status": "Accepted"}}
    client.send("NotifyPeriodicEventStream", {})
    with pytest.raises(CallError, match="NotImplemented"):
        client.call("Foo", {})
    for _ in range(2):
        with pytest.raises(CallError, match="SecurityError"):
            client.call("Heartbeat")
    assert future.result() == 0
    assert [text for text in told.texts if "calls" in text] == [
        "the charge point calls Authorize, to which no answer is recorded: the shortest valid one",
        "the charge point calls Foo, which OCPP 2.1 does not have: NotImplemented",
    ]


def test_what_does_not_come_is_told(recording: Path, make_client: Make, told: Told, capsys: Output) -> None:
    future = play_csms(recording, "--timeout", "1")
    client = make_client(version="1.6")
    asked = Collector({"status": "Accepted"})
    client.on("RemoteStopTransaction", asked)
    client.connect(told.url)
    asked.next()  # although the meter values before it have not come
    assert future.result() == 1
    out = re.sub(r"\d+\.\d ms", "9.9 ms", capsys.readouterr().out).splitlines()
    nothing = "differs  came 0 of 1 times, and nothing more for 1 s"
    assert out == [
        f"line 7     MeterValues                {nothing}",
        "line 9     RemoteStopTransaction      same     9.9 ms",
        f"line 1     BootNotification           {nothing}",
        f"line 3     Authorize                  {nothing}",
        f"line 5     StartTransaction           {nothing}",
        f"line 11    StopTransaction            {nothing}",
        f"line 13    Heartbeat                  {nothing}",
        "",
        "7 calls: 1 as recorded, 6 otherwise.",
    ]


def test_a_charge_point_that_goes(tmp_path: Path, make_client: Make, told: Told, capsys: Output) -> None:
    resets = [entry("in", [2, str(number), "Reset", {"type": "Soft"}], number) for number in range(2)]
    path = lines(tmp_path / "x.jsonl", *resets)
    future = play_csms(path, "--timeout", "1")
    client = make_client(version="1.6")

    connected = threading.Event()

    def reset(request: dict[str, Any]) -> dict[str, Any]:
        assert connected.wait(TIMEOUT)
        client.close()
        return {"status": "Accepted"}

    client.on("Reset", reset)
    client.connect(told.url)
    connected.set()
    assert future.result() == 7
    assert "line 1     Reset                      differs  the connection is closed" in capsys.readouterr().out
    assert told.texts[-1].endswith("; 1 call of 2 had been played")


FAR_APART = [
    entry("out", [2, "1", "Heartbeat", {}], time="0001-01-02T00:00:00Z"),
    entry("in", [2, "2", "Reset", {"type": "Soft"}], time="9999-01-02T00:00:00Z"),
    entry("out", [2, "3", "Heartbeat", {}], time="9999-01-02T00:00:00Z"),
]


@pytest.mark.parametrize("speed", ["1", "1e-300"])
def test_a_clock_that_is_damaged_as_csms(
    speed: str, tmp_path: Path, make_client: Make, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = Collector()
    wait_closed = OcppClientConnection.wait_closed

    def wait(self: OcppClientConnection, seconds: float | None = None) -> bool:
        waiting(seconds)
        return wait_closed(self, seconds)

    monkeypatch.setattr(OcppClientConnection, "wait_closed", wait)
    future = play_csms(lines(tmp_path / "x.jsonl", *FAR_APART), "--speed", speed, "--timeout", "1")
    client = make_client(told.url, version="1.6")
    client.call("Heartbeat")
    assert 365 * 86_400 < waiting.next()[0] <= 366 * 86_400
    client.close()
    assert future.result() == 7, "it notices that the charge point has gone"
    assert told.texts[-1] == "CP1 has not connected within 1 s; 0 calls of 1 had been played"


def test_the_pace_outlives_a_reconnect_as_csms(tmp_path: Path, make_client: Make, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Collector()
    wait_closed = OcppClientConnection.wait_closed

    def wait(self: OcppClientConnection, seconds: float | None = None) -> bool:
        waiting(seconds)
        return wait_closed(self, seconds)

    monkeypatch.setattr(OcppClientConnection, "wait_closed", wait)
    found = [HEARTBEAT, entry("in", [2, "2", "Reset", {"type": "Soft"}], 2)]
    future = play_csms(lines(tmp_path / "x.jsonl", *found), "--speed", "1")
    url = told.url
    first = make_client(url, version="1.6")
    began = time.monotonic()
    first.call("Heartbeat")
    longest = waiting.next()[0]
    first.close()
    second = make_client(version="1.6")
    second.on("Reset", lambda request: {"status": "Accepted"})
    second.connect(url)
    assert waiting.next()[0] < longest
    assert future.result() == 0
    assert time.monotonic() - began >= 2.0


def test_a_clock_that_is_damaged_as_charge_point(tmp_path: Path, make_server: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    server, waiting = Books(make_server()).server, Collector()
    wait_closed = OcppClient.wait_closed

    def wait(self: OcppClient[Any], seconds: float | None = None) -> bool:
        waiting(seconds)
        return wait_closed(self, seconds)

    monkeypatch.setattr(OcppClient, "wait_closed", wait)
    future = in_thread(main, ["replay", str(lines(tmp_path / "x.jsonl", *FAR_APART)), server.url, "--speed", "1"])
    assert 365 * 86_400 < waiting.next()[0] <= 366 * 86_400
    server.wait_for("CP1", TIMEOUT).close()
    assert future.result() == 7


@pytest.mark.parametrize(
    ("secret", "reason"), [("a-long-enough-password", ""), ("another-one-16-chars", "unauthorized"), (None, "unauthorized")]
)
def test_as_csms_with_tls_and_a_password(secret: str | None, reason: str, recording: Path, make_client: Make, told: Told) -> None:
    files = pki().server()
    options = ["--certfile", files.cert, "--keyfile", files.key, "--password", "a-long-enough-password"]
    future = in_thread(main, ["replay", str(recording), "wss://127.0.0.1:0", "--side", "CSMS", *map(str, options)])
    url = told.url
    assert url.startswith("wss://")
    if reason:
        with pytest.raises(ConnectionError, match=reason):
            make_client(url, version="1.6", cafile=pki().ca, password=secret)
        assert told.texts[-1] == "CP1 was refused with 401: it has another password, or none"
    good = make_client(url, version="1.6", cafile=pki().ca, password="a-long-enough-password")
    Station(good).charge()
    assert future.result() == 0


def test_another_charge_point_is_refused(recording: Path, make_client: Make, told: Told, tmp_path: Path) -> None:
    again = tmp_path / "again.jsonl"
    future = play_csms(recording, "--record", again, "--validation", "warn", "--speed", "1000")
    url = told.url
    with pytest.raises(ConnectionError, match="not-found"):
        make_client(url, identity="CP2", version="1.6")
    Station(make_client(url, version="1.6")).charge()
    assert future.result() == 0
    assert "CP2 was refused with 404: it is not CP1" in told.texts
    with Log(again) as log:
        assert {frame.side for frame in log} == {"CSMS"}


@pytest.mark.parametrize(("url", "port"), [("ws://localhost", 80), ("ws://localhost:9221", 9221)])
def test_where_it_listens(url: str, port: int, recording: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Collector()

    def listen(self: OcppServer, port: int, host: str, **certificates: Any) -> None:
        asked(port, host)
        raise OSError("in use")

    monkeypatch.setattr(OcppServer, "listen", listen)
    with pytest.raises(SystemExit):
        run(capsys, recording, url, "--side", "CSMS")
    assert asked.next() == (port, "localhost")
    assert capsys.readouterr().err == "ocpp-sync: in use\n"


# --- As a process


def test_both_sides_as_processes(recording: Path) -> None:
    command = [sys.executable, "-m", "ocpp_sync", "replay", str(recording)]
    with subprocess.Popen(
        [*command, "ws://127.0.0.1:0", "--side", "CSMS"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as csms:
        assert csms.stderr is not None
        url = csms.stderr.readline().split()[-1]
        done = subprocess.run([*command, url, "--linger", "60"], capture_output=True, text=True, timeout=60, check=False)
        out, err = csms.communicate(timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("6 calls: 6 as recorded, 0 otherwise.\n")
    assert (csms.returncode, err) == (0, "")
    assert out.endswith("1 call: 1 as recorded, 0 otherwise.\n")


def test_ctrl_c_while_it_waits(recording: Path) -> None:
    command = [sys.executable, "-m", "ocpp_sync", "replay", str(recording), "ws://127.0.0.1:0", "--side", "CSMS"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "waiting for CP1" in process.stderr.readline()
        process.send_signal(2)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "")
