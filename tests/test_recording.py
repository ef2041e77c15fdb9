"""Recordings: written by live ends, read again whatever has become of them, answers beside their calls."""

from __future__ import annotations

import errno
import gzip
import io
import json
import logging
import os
import stat
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ocpp_sync import CallError, OcppClient, OcppServer, utcnow
from ocpp_sync.default_responses import minimal_response
from ocpp_sync.messages import CallResult
from ocpp_sync.recording import Exchange, Frame, Log, Pairing, Recorder, exchanges
from ocpp_sync.recording import log as log_module
from ocpp_sync.recording import pairing as pairing_module
from ocpp_sync.recording import recorder as recorder_module
from ocpp_sync.recording.comparison import MISSING, Comparison
from ocpp_sync.recording.frames import frame_in
from ocpp_sync.recording.renewal import Renewal, is_time, times_in
from ocpp_sync.recording.summary import Summary
from ocpp_sync.redaction import redact
from ocpp_sync.timestamps import parse_time

from .support import TIMEOUT, VERSIONS, in_thread

BOOT: dict[str, dict[str, Any]] = {
    "1.6": {"chargePointVendor": "Ä", "chargePointModel": "x"},
    "2.0.1": {"reason": "PowerUp", "chargingStation": {"vendorName": "Ä", "model": "x"}},
    "2.1": {"reason": "PowerUp", "chargingStation": {"vendorName": "Ä", "model": "x"}},
}


def answering(server: OcppServer) -> OcppServer:
    """A server that says yes to everything."""
    server.on("*", lambda charge_point, action, request: minimal_response(charge_point.version, action, utcnow()))
    return server


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# --- The recorder


@pytest.mark.parametrize("version", VERSIONS)
def test_both_sides_record_each_frame(
    version: str, tmp_path: Path, make_server: Callable[..., OcppServer], make_client: Callable[..., OcppClient]
) -> None:
    of_server, of_client = tmp_path / "server.jsonl", tmp_path / "client.jsonl"
    server, client = answering(make_server()), make_client(version=version)
    with Recorder(of_server) as first, Recorder(str(of_client)) as second:
        first.attach(server)
        second.attach(client)
        client.on("*", lambda action, request: {"status": "Accepted"})
        client.connect(server.url)
        client.call("BootNotification", BOOT[version])
        server.wait_for("CP1").call("ClearCache", {})
        client.close()
    theirs, ours = lines_of(of_server), lines_of(of_client)
    assert [line["text"] for line in theirs] == [line["text"] for line in ours]
    assert [line["direction"] for line in theirs] == ["in", "out", "out", "in"]
    assert [line["direction"] for line in ours] == ["out", "in", "in", "out"]
    for line in (*theirs, *ours):
        assert list(line) == ["time", "identity", "side", "version", "link", "direction", "text"]
        assert (line["identity"], line["version"]) == ("CP1", version)
        assert line["time"].endswith("Z")
        assert abs(parse_time(line["time"]) - datetime.now(timezone.utc)) < timedelta(minutes=10)
    assert {line["side"] for line in theirs} == {"CSMS"}
    assert {line["side"] for line in ours} == {"CS"}


def test_a_line_is_there_as_soon_as_the_frame_has_passed(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    with Recorder(path) as recorder:
        recorder.note("CP1", "in", '[2,"1","Heartbeat",{}]', side="CSMS", version="1.6")
        assert lines_of(path)[0]["text"] == '[2,"1","Heartbeat",{}]'


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    with Recorder(tmp_path / "session.jsonl") as recorder:
        assert stat.S_IMODE(Path(recorder.name).stat().st_mode) == 0o600


@pytest.mark.parametrize("is_cut_off", [False, True])
def test_a_second_session_is_appended(is_cut_off: bool, tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    for identity in ("CP1", "CP2"):
        with Recorder(path) as recorder:
            recorder.note(identity, "in", "[]", side="CSMS", version=None)
        if is_cut_off:
            path.write_bytes(path.read_bytes()[:-5])
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2
    if not is_cut_off:
        assert [json.loads(line)["identity"] for line in lines] == ["CP1", "CP2"]


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Recorder(tmp_path / "missing" / "session.jsonl")


def test_a_full_disk_when_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "session.jsonl"
    path.write_text("{", encoding="utf-8")

    def fail(descriptor: int, text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(recorder_module, "_write_all", fail)
    before = sorted(Path("/proc/self/fd").iterdir())
    with pytest.raises(OSError, match="No space"):
        Recorder(path)
    assert sorted(Path("/proc/self/fd").iterdir()) == before


def test_a_file_that_may_be_written_but_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "session.jsonl"
    path.write_text("{", encoding="utf-8")

    def refuse(*arguments: Any) -> Any:
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        with Recorder(path) as recorder:
            recorder.note("CP1", "in", "[]", side="CSMS", version=None)
    assert path.read_text(encoding="utf-8").startswith('{{"time": ')


def test_what_comes_after_close_is_not_recorded(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    recorder = Recorder(path)
    recorder.close()
    recorder.close()
    recorder.note("CP1", "in", "[]", side="CSMS", version=None)
    assert path.read_bytes() == b""


def test_an_open_file_stays_open() -> None:
    file = io.StringIO()
    with Recorder(file) as recorder:
        recorder.note("CP1", "in", "[]", side="CS", version="1.6")
    assert json.loads(file.getvalue())["text"] == "[]"
    assert not file.closed


def test_a_closed_file_is_reported_once_and_hurts_no_link(
    caplog: pytest.LogCaptureFixture, make_server: Callable[..., OcppServer], make_client: Callable[..., OcppClient]
) -> None:
    file = io.StringIO()
    server = answering(make_server())
    Recorder(file).attach(server)
    file.close()
    client = make_client(server.url, version="1.6")
    for _ in range(3):
        assert client.call("Heartbeat")
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "nothing more is recorded in" in record.getMessage()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk here")
def test_a_full_disk_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    with Recorder("/dev/full") as recorder:
        for _ in range(3):
            recorder.note("CP1", "in", "[]", side="CS", version="1.6")
    assert [record.getMessage() for record in caplog.records] == [
        "nothing more is recorded in /dev/full: [Errno 28] No space left on device"
    ]


def test_a_pipe_that_nobody_reads_is_reported_once_and_hurts_no_link(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    make_server: Callable[..., OcppServer],
    make_client: Callable[..., OcppClient],
) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        server = make_server(validation="off")
        server.on("DataTransfer", lambda charge_point, request: {"status": "Accepted"})
        recorder = Recorder(path)
        recorder.attach(server)
        clients = [make_client(server.url, identity=f"CP{number}", version="1.6") for number in range(2)]
        for _ in range(10):
            for client in clients:
                assert client.call("DataTransfer", {"vendorId": "v", "data": "x" * 50_000}, timeout=TIMEOUT)
        closing = in_thread(recorder.close)
        closing.result(TIMEOUT)
        first = json.loads(os.read(reader, 1_000_000).split(b"\n")[0])
    finally:
        os.close(reader)
    assert first["identity"] == "CP0"
    (record,) = caplog.records
    assert record.getMessage() == f"nothing more is recorded in {path}: it has taken nothing more for 0.5 s"


def test_a_pipe_that_is_read_gets_all(tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "_PATIENCE", TIMEOUT)
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reading = in_thread(path.read_bytes)
    text = json.dumps([2, "1", "DataTransfer", {"vendorId": "x" * 300_000}])
    with Recorder(path) as recorder:
        for _ in range(5):
            recorder.note("CP1", "in", text, side="CS", version="1.6")
    assert [json.loads(line)["text"] for line in reading.result(TIMEOUT).splitlines()] == [text] * 5
    assert not caplog.records


def test_a_device_takes_everything(caplog: pytest.LogCaptureFixture) -> None:
    with Recorder("/dev/null") as recorder:
        for _ in range(100):
            recorder.note("CP1", "in", "[]" * 10_000, side="CS", version="1.6")
    assert not caplog.records


def test_lines_of_many_threads_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    text = json.dumps([2, "1", "DataTransfer", {"vendorId": "x" * 5000}])
    with Recorder(path) as recorder:

        def work(name: str) -> None:
            for _ in range(50):
                recorder.note(name, "in", text, side="CSMS", version="1.6")

        threads = [threading.Thread(target=work, args=(f"CP{number}",)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(TIMEOUT)
    lines = lines_of(path)
    assert len(lines) == 200
    assert {line["text"] for line in lines} == {text}
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)


SECRET = '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"topsecret"}]'


@pytest.mark.parametrize("redacts", [True, False])
def test_secrets_are_masked_unless_asked_for(redacts: bool) -> None:
    file = io.StringIO()
    with Recorder(file, redact=redacts) as recorder:
        recorder.note("CP1", "out", SECRET, side="CSMS", version="1.6")
    assert ("topsecret" in file.getvalue()) is not redacts


def test_secrets_of_an_end_that_shows_them_are_masked(
    make_server: Callable[..., OcppServer], make_client: Callable[..., OcppClient]
) -> None:
    file = io.StringIO()
    server = answering(make_server(redact=False))
    with Recorder(file) as recorder:
        recorder.attach(server)
        client = make_client(server.url, version="1.6")
        client.on("ChangeConfiguration", lambda request: {"status": "Accepted"})
        server.wait_for("CP1").call("ChangeConfiguration", {"key": "AuthorizationKey", "value": "topsecret"})
    assert "AuthorizationKey" in file.getvalue()
    assert "topsecret" not in file.getvalue()


_FRAME_TEXTS = st.sampled_from(
    ["password", "pin", "ftp://a:b@c/?sig=x", "password=x", '{"secret":"x"}', "***", "x", "-----PRIVATE KEY-----"]
)
_PAYLOADS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), _FRAME_TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["key", "value", "password", "variable", "name", "type", "idToken", "x"]), inner, max_size=4),
    ),
    max_leaves=10,
)


@given(st.one_of(_PAYLOADS.map(json.dumps), st.text(), _FRAME_TEXTS.map(lambda text: f'[2,"{text}')))
def test_masking_twice_is_as_masking_once(text: str) -> None:
    assert redact(redact(text)) == redact(text)


def test_half_of_a_surrogate_pair_is_an_escape(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    with Recorder(path) as recorder:
        recorder.note("CP\udc80", "in", "[\ud800]", side="CS", version=None)
    with Log(path) as log:
        (frame,) = log
    assert (frame.identity, frame.text) == ("CP\udc80", "[\ud800]")


# --- The reader


def read(data: bytes) -> tuple[list[Frame], Log]:
    log = Log(io.BytesIO(data))
    return list(log), log


CALL = '[2,"1","Heartbeat",{}]'
TIME = datetime(2026, 11, 27, 7, 0, 0, 123000, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (CALL, {}),
        (f"  {CALL}  ", {}),
        (f"2026-11-27 07:00:00,123 INFO {CALL}", {"time": TIME}),
        (f"[2026-11-27T07:00:00.123Z] <- {CALL}", {"time": TIME, "direction": "in"}),
        (f"[2026-11-27T08:00:00.123+01:00] --> {CALL} done", {"time": TIME, "direction": "out"}),
        (f"2026-13-27T07:00:00Z {CALL}", {}),
        (f"INFO:ocpp:CP_1: send {CALL}", {"identity": "CP_1", "direction": "out"}),
        (f"INFO:ocpp:CP_1: receive message {CALL}", {"identity": "CP_1", "direction": "in"}),
        (f"Received: {CALL}", {"direction": "in"}),
        (f"sending in 3 s: sent {CALL}", {"direction": "out"}),
        (f"retries [1, 2] RX {CALL}", {"direction": "in"}),
        (f"◀ {CALL}", {"direction": "in"}),
        (
            json.dumps({"ts": "2026-11-27T07:00:00.123Z", "cpId": "CP1", "dir": "OUT", "msg": CALL}),
            {"time": TIME, "identity": "CP1", "direction": "out"},
        ),
        (json.dumps({"level": "info", "message": f"received {CALL}"}), {}),
        (json.dumps({"payload": [2, "1", "Heartbeat", {}]}), {}),
        (
            json.dumps({"text": CALL, "direction": "in", "side": "CSMS", "version": "ocpp2.0.1"}),
            {"direction": "in", "side": "CSMS", "version": "2.0.1"},
        ),
        (json.dumps({"text": CALL, "direction": 1, "side": 2, "version": 3, "time": 4, "identity": None}), {}),
        (json.dumps({"text": CALL, "direction": "up", "side": "X", "version": "9", "time": "?", "identity": "CP1"}), {"identity": "CP1"}),
    ],
)
def test_a_frame_is_found_in_a_line(line: str, expected: dict[str, Any]) -> None:
    assert frame_in(7, line) == Frame(7, CALL, **expected)


@pytest.mark.parametrize(
    "line", ["hello", "[INFO] started", "took [1, 2, 3] s", "{}", '{"message": "hello"}', '{"data": [1.5]}', "{[", '"[2"']
)
def test_a_line_without_a_frame(line: str) -> None:
    assert frame_in(1, line) is None


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('[2,"1","Heart', '[2,"1","Heart'),
        ('INFO [2,"1","Heart', '[2,"1","Heart'),
        ("[]", "[]"),
        ('["x"]', '["x"]'),
        ("[7,8]", "[7,8]"),
        ('{"text": "nonsense", "direction": "in"}', "nonsense"),
        ('[3,"1",{"x":"[2,\\"b\\",1]"}] tail', '[3,"1",{"x":"[2,\\"b\\",1]"}]'),
    ],
)
def test_a_broken_frame_is_one_all_the_same(line: str, text: str) -> None:
    frame = frame_in(1, line)
    assert frame is not None
    assert frame.text == text


@pytest.mark.parametrize(
    ("side", "direction", "sender"), [("CS", "out", "CS"), ("CS", "in", "CSMS"), ("CSMS", "out", "CSMS"), (None, "in", None)]
)
def test_the_sender(side: str | None, direction: str, sender: str | None) -> None:
    assert Frame(1, CALL, side=side, direction=direction).sender == sender


@pytest.mark.parametrize(
    "data",
    [
        f"{CALL}\n\n \n{CALL}".encode(),
        f"\ufeff{CALL}\r\n{CALL}\r\n".encode(),
        f"{CALL}\n{CALL}\n".encode("utf-16"),
        gzip.compress(f"{CALL}\n{CALL}\n".encode(), mtime=0),
        b"\0\0\n" + CALL.encode() + b"\n" + CALL.encode(),
    ],
)
def test_lines_of_every_kind_of_file(data: bytes) -> None:
    frames, log = read(data)
    assert [frame.text for frame in frames] == [CALL, CALL]
    assert (log.left_out, log.damage) == (0, None)


def test_the_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CALL.encode())))
    with Log("-") as log:
        assert [frame.text for frame in log] == [CALL]
    assert log.name == "<stdin>"
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(OSError, match="the standard input is closed"):
        Log("-")


def test_wrong_utf_8_spoils_its_own_characters_only() -> None:
    frames, _ = read(b'[2,"1","DataTransfer",{"vendorId":"\xff"}]\n' + CALL.encode())
    assert [frame.text for frame in frames] == ['[2,"1","DataTransfer",{"vendorId":"\ufffd"}]', CALL]


def test_lines_without_a_frame_are_counted_and_named(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text(f"started\n\n{CALL}\nbye\n", encoding="utf-8")
    named: list[tuple[int, str]] = []
    with Log(path, lambda number, line: named.append((number, line))) as log:
        assert [frame.line for frame in log] == [3]
    assert named == [(1, "started"), (4, "bye")]
    assert log.left_out == 2


def test_a_file_is_read_as_far_as_it_goes() -> None:
    data = gzip.compress("".join(f'[2,"{number}","{os.urandom(20).hex()}",{{}}]\n' for number in range(5000)).encode())
    frames, log = read(data[:-2000])
    assert frames[0].line == 1
    assert 0 < len(frames) < 5000
    assert log.damage is not None
    assert log.damage.startswith("it could not be read beyond line ")


def test_a_huge_line_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "MAX_LINE", 100)
    huge = '[2,"1","DataTransfer",{"vendorId":"' + "x" * 1000 + '"}]'
    frames, log = read(f"{huge}\n{CALL}\n{huge}".encode())
    assert [frame.line for frame in frames] == [2]
    assert log.left_out == 2


def test_no_line_takes_long() -> None:
    for text in ("-" * 1_000_000, "<" * 1_000_000, "[ " * 500_000, "a" * 1_000_000 + ": sen", "[" * 1_000_000, '{"x":' * 200_000):
        assert frame_in(1, f"{text} {CALL}") is not None


@given(st.binary())
@example(b"\x1f\x8b")
@example(b"\xff\xfe\x00")
@example(b"[" * 100_000)
@example(b'{"text":' + b"[" * 100_000)
@example(gzip.compress(b"[2,", mtime=0)[:-1])
def test_no_bytes_are_too_bad_to_be_read(data: bytes) -> None:
    found, _ = read(data)
    for exchange in exchanges(found):
        assert exchange.message is not None or exchange.malformed is not None


_PIECES = st.sampled_from(
    ['"', "[", "]", "{", "}", ",", "2", "3", '"1"', '"Heartbeat"', '"text":', '"direction":"in"', " ", "\\", "\n", "\0", "->", "x"]
)


@given(st.lists(_PIECES, max_size=40).map("".join))
def test_no_text_is_too_bad_to_be_read(text: str) -> None:
    found, _ = read(text.encode())
    summary = Summary()
    for exchange in exchanges(found):
        summary.add(exchange)
    assert summary.frames == len(found)
    assert list(summary.lines())
    json.dumps(summary.as_dict())


# --- Answers and calls


def frames_of(*texts: str | tuple[str, str], **more: Any) -> list[Frame]:
    """Frames, one a line and a second; with a direction if one is given with the text."""
    found = []
    for number, item in enumerate(texts, 1):
        text, direction = item if isinstance(item, tuple) else (item, None)
        side = "CSMS" if direction else None
        time = datetime(2026, 11, 27, tzinfo=timezone.utc) + timedelta(seconds=number)
        found.append(Frame(number, text, **{"time": time, "identity": "CP1", "side": side, "direction": direction, **more}))
    return found


def pairs(frames: Iterable[Frame]) -> list[tuple[int, int | None]]:
    """The lines of each call and its answer."""
    return [(found.frame.line, None if found.answer is None else found.answer.line) for found in exchanges(frames)]


def call(message_id: str, action: str = "Heartbeat") -> str:
    return json.dumps([2, message_id, action, {}])


def answer(message_id: str) -> str:
    return json.dumps([3, message_id, {}])


def test_an_answer_is_beside_its_call() -> None:
    (exchange,) = exchanges(frames_of(call("1"), answer("1")))
    assert isinstance(exchange.reply, CallResult)
    assert (exchange.action, exchange.sender, exchange.seconds, exchange.is_wrong) == ("Heartbeat", "CS", 1.0, False)


def test_they_are_in_the_order_of_the_calls() -> None:
    assert pairs(frames_of(call("1"), call("2", "Reset"), answer("2"), answer("1"))) == [(1, 4), (2, 3)]


def test_both_sides_may_use_the_same_id() -> None:
    recorded = frames_of((call("1"), "in"), (call("1", "Reset"), "out"), (answer("1"), "in"), (answer("1"), "out"))
    assert pairs(recorded) == [(1, 4), (2, 3)]


def test_without_a_direction_the_action_tells_the_sender() -> None:
    assert pairs(frames_of(call("1"), call("1", "Reset"), answer("1"), answer("1"))) == [(1, 3), (2, 4)]


def test_an_answer_does_not_belong_to_another_charge_point_or_recording() -> None:
    (mine,) = frames_of(call("1"))
    for other in ({"identity": "CP2"}, {"side": "CS"}):
        (theirs,) = frames_of(answer("1"), **other)
        assert [found.is_wrong for found in exchanges([mine, theirs])] == [True, True]


def test_after_a_reconnect_an_id_comes_again() -> None:
    assert pairs(frames_of(call("1"), answer("1"), call("1"), answer("1"))) == [(1, 2), (3, 4)]
    assert pairs(frames_of(call("1"), call("1"), answer("1"))) == [(1, None), (2, 3)]


def test_a_second_answer_names_the_call() -> None:
    first, second = exchanges(frames_of(call("1"), answer("1"), answer("1")))
    assert not first.is_wrong
    assert second.is_stray
    assert second.earlier == first.frame


def test_an_answer_to_nothing() -> None:
    (found,) = exchanges(frames_of(answer("1")))
    assert found.is_stray
    assert found.is_wrong
    assert (found.earlier, found.action, found.is_call, found.seconds) == (None, None, False, None)


def test_one_may_not_answer_oneself() -> None:
    assert [found.is_wrong for found in exchanges(frames_of((call("1"), "in"), (answer("1"), "in")))] == [True, True]


def test_a_malformed_answer_is_beside_its_call_too() -> None:
    (found,) = exchanges(frames_of(call("1"), '[3,"1"]'))
    assert found.reply is None
    assert found.malformed_answer is not None
    assert found.is_wrong
    assert not found.is_open


def test_what_is_no_message() -> None:
    first, second = exchanges(frames_of("[]", '[3,"1"]'))
    assert first.malformed is not None
    assert second.malformed is not None
    assert first.is_wrong


def test_a_report_about_an_answer_names_its_call() -> None:
    texts = ((call("1"), "in"), (answer("1"), "out"), ('[5,"1","FormatViolation","",{}]', "in"))
    _, report = exchanges(frames_of(*texts))
    assert report.earlier is not None
    assert (report.earlier.line, report.is_wrong, report.is_stray) == (1, True, False)


def test_a_send_is_not_answered() -> None:
    first, second = exchanges(frames_of('[6,"1","NotifyPeriodicEventStream",{}]', answer("1")))
    assert not first.is_open
    assert second.is_stray


def test_a_call_without_an_answer_holds_back_others_for_two_minutes_at_most() -> None:
    frames = frames_of(call("1"), call("2"), answer("2"), answer("1"))
    late = frames[3]._replace(time=datetime(2026, 11, 27, 0, 3, tzinfo=timezone.utc))
    first, second, third = exchanges([*frames[:3], late])
    assert first.is_open
    assert second.answer is frames[2]
    assert third.is_stray
    assert third.earlier is frames[0]


def test_a_call_without_an_answer_holds_back_a_limited_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairing_module, "_MAX_HELD", 2)
    taken: list[int] = []

    def source() -> Iterator[Frame]:
        for number, text in enumerate((call("1"), call("2"), answer("2"), call("3"), call("4")), 1):
            taken.append(number)
            yield Frame(number, text)

    assert next(exchanges(source())).frame.line == 1
    assert taken == [1, 2, 3, 4]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairing_module, "_MAX_OPEN", 2)
    monkeypatch.setattr(pairing_module, "_MAX_OVER", 2)
    pairing = Pairing()
    for frame in frames_of(*(call(str(number)) for number in range(10))):
        pairing.take(frame)
    texts = [answer("9"), answer("8"), answer("7"), answer("1")]
    found = [pairing.take(frame)[0] for frame in frames_of(*texts)]
    assert [(exchange.is_stray, exchange.earlier is not None) for exchange in found] == [
        (False, False),
        (False, False),
        (True, False),
        (True, False),
    ]


def test_giving_up_twice_is_harmless() -> None:
    pairing = Pairing()
    exchange, _ = pairing.take(Frame(1, call("1")))
    pairing.give_up(exchange)
    pairing.give_up(exchange)
    assert pairing.take(Frame(2, answer("1")))[0].is_stray


# --- Figures


def summary_of(found: Iterable[Exchange]) -> Summary:
    summary = Summary()
    for exchange in found:
        summary.add(exchange)
    return summary


def test_figures() -> None:
    error = '[4,"2","NotSupported","",{}]'
    summary = summary_of(exchanges(frames_of(call("1"), answer("1"), call("2"), error, call("3", "Reset"), answer("9"), error, "[]")))
    figures = summary.as_dict()
    assert figures["frames"] == 8
    assert figures["identities"] == {"CP1": 8}
    assert (figures["first"], figures["last"]) == ("2026-11-27T00:00:01.000Z", "2026-11-27T00:00:08.000Z")
    assert figures["actions"] == [
        {"action": "Heartbeat", "sender": "CS", "calls": 2, "errors": 1, "unanswered": 0, "median": 1.0, "p95": 1.0, "max": 1.0},
        {"action": "Reset", "sender": "CSMS", "calls": 1, "errors": 0, "unanswered": 1},
    ]
    assert figures["errors"] == {"NotSupported": {"Heartbeat": 1, "?": 1}}
    assert (figures["unanswered"], figures["strays"], figures["malformed"]) == (1, 2, 1)
    assert list(summary.lines()) == [
        "8 frames of CP1, 2026-11-27T00:00:01.000Z to 2026-11-27T00:00:08.000Z: 7.0 s",
        "",
        "from          action      calls  errors   open     median       95 %        max",
        "charge point  Heartbeat       2       1      0      1.0 s      1.0 s      1.0 s",
        "CSMS          Reset           1       0      1",
        "",
        "NotSupported: ? 1, Heartbeat 1",
        "",
        "1 call without an answer, 2 answers to nothing, 1 frame that is no message",
    ]


def test_quantiles_are_those_of_the_nearest_rank() -> None:
    start = datetime(2026, 1, 1, tzinfo=timezone.utc)
    frames = []
    for number in range(1, 101):
        frames += [Frame(1, call(str(number)), start), Frame(2, answer(str(number)), start + timedelta(milliseconds=number))]
    (entry,) = summary_of(exchanges(frames)).as_dict()["actions"]
    assert (entry["median"], entry["p95"], entry["max"]) == (0.05, 0.095, 0.1)


def test_figures_without_times_and_of_many() -> None:
    frames = [Frame(number, call(str(number)), identity=f"CP{number:02}") for number in range(12)]
    first, *_ = summary_of(exchanges(frames)).lines()
    assert first.startswith("12 frames of CP00, ")
    assert first.endswith(" and 2 more")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0123, "12.3 ms"), (59.96, "60.0 s"), (119, "1 min 59 s"), (3600 * 25 + 60, "25 h 01 min")]
)
def test_durations(seconds: float, text: str) -> None:
    first, last = (Frame(1, "[]", TIME + timedelta(seconds=offset)) for offset in (0, seconds))
    assert next(iter(summary_of(exchanges([first, last])).lines())).endswith(f": {text}")


# --- Renewal


@pytest.mark.parametrize(
    ("time", "moved"),
    [
        ("2026-11-27T07:00:00Z", "2026-11-27T08:00:00Z"),
        ("2026-11-27T07:00:00.5Z", "2026-11-27T08:00:00.5Z"),
        ("2026-12-31T23:30:00.123456789z", "2027-01-01T00:30:00.123456789z"),
        ("2026-11-27 07:00:00", "2026-11-27 08:00:00"),
        ("2026-11-27t23:30:00,123+02:00", "2026-11-28t00:30:00,123+02:00"),
        ("2026-11-27T07:00:00-0330", "2026-11-27T08:00:00-0330"),
        ("2026-11-27T07:00:00+01", "2026-11-27T08:00:00+01"),
        ("0987-11-27T07:00:00Z", "0987-11-27T08:00:00Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ("2026-11-27", "2026-11-27"),
        ("at 2026-11-27T07:00:00Z", "at 2026-11-27T07:00:00Z"),
        ("2026-11-31T07:00:00Z", "2026-11-31T07:00:00Z"),
    ],
)
def test_a_time_keeps_its_form(time: str, moved: str) -> None:
    assert Renewal(3600.9).renew({"a": [{"b": time}]}) == {"a": [{"b": moved}]}


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),
    st.floats(-1e8, 1e8),
    st.timedeltas(timedelta(hours=-23), timedelta(hours=23)),
)
def test_times_keep_their_distance(first: datetime, second: datetime, offset: float, zone: timedelta) -> None:
    zone = timedelta(minutes=zone // timedelta(minutes=1))
    times = [time.replace(tzinfo=timezone(zone)).isoformat(timespec="milliseconds") for time in (first, second)]
    moved = Renewal(offset).renew(times)
    before, after = ([parse_time(time) for time in these] for these in (times, moved))
    assert after[1] - after[0] == before[1] - before[0]
    assert abs((after[0] - before[0]).total_seconds() - offset) <= 1
    assert [len(time) for time in moved] == [len(time) for time in times]


def test_transactions_have_their_id_of_now() -> None:
    renewal = Renewal(0)
    renewal.replace(1, 7)
    renewal.replace("a", "b")
    renewal.replace(None, 3)
    renewal.replace(True, 3)
    payload = {"transactionId": 1, "connectorId": 1, "transactionInfo": {"transactionId": "a"}, "ids": [{"transactionId": 2}]}
    expected = {"transactionId": 7, "connectorId": 1, "transactionInfo": {"transactionId": "b"}, "ids": [{"transactionId": 2}]}
    assert renewal.renew(payload) == expected


def test_times_of_a_payload() -> None:
    assert list(times_in({"x": 1, "y": ["2026-11-27T07:00:00Z", "no"], "z": {"t": "2026-11-27T08:00:00Z"}})) == [
        "2026-11-27T07:00:00Z",
        "2026-11-27T08:00:00Z",
    ]
    assert not is_time(3)


# --- Comparison


def differences(recorded: Any, now: Any, *ignored: str, renewal: Renewal | None = None) -> list[str]:
    return [str(found) for found in Comparison(renewal or Renewal(0), ignored).differences("Authorize", recorded, now)]


@pytest.mark.parametrize(
    ("recorded", "now", "expected"),
    [
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1}, {"a": True}, ["a: 1 recorded, true now"]),
        ({"a": {"b": ["x", "y"]}}, {"a": {"b": ["x", "z"]}}, ['a.b[1]: "y" recorded, "z" now']),
        ({"a": ["x"]}, {"a": []}, ['a[0]: "x" recorded, not there now']),
        ({}, {"a": {"b": 1}}, ['a: not recorded, {"b": 1} now']),
        ({"a": None}, {"a": {}}, ["a: null recorded, {} now"]),
        ({"currentTime": "2026-11-27T07:00:00Z"}, {"currentTime": "2027-11-27T07:00:00.123Z"}, []),
        ({"currentTime": "2026-11-27T07:00:00Z"}, {"currentTime": "now"}, ['currentTime: "2026-11-27T07:00:00Z" recorded, "now" now']),
        ({"password": "***", "url": "ftp://***@x"}, {"password": "topsecret", "url": "ftp://a:b@x"}, []),
        ({"password": "***"}, {}, ['password: "***" recorded, not there now']),
        ({"a": "x" * 500}, {"a": "y"}, [f'a: "{"x" * 199}… recorded, "y" now']),
    ],
)
def test_what_differs(recorded: Any, now: Any, expected: list[str]) -> None:
    assert differences(recorded, now) == expected


@pytest.mark.parametrize("path", ["a", "a.b", "a[0].b", "a[1].b", "Authorize.a", "Authorize.a.b", "*.b", "a*", "*"])
def test_what_may_differ(path: str) -> None:
    assert differences({"a": [{"b": 1}, {"b": 1}]}, {"a": [{"b": 1}, {"b": 2}]}, path) == (
        [] if path != "a[0].b" else ["a[1].b: 1 recorded, 2 now"]
    )


@pytest.mark.parametrize("path", ["b", "x", "Heartbeat.a", "a.", "A"])
def test_what_is_another_path(path: str) -> None:
    assert differences({"a": {"b": 1}}, {"a": {"b": 2}}, path)


def test_a_transaction_may_have_another_id() -> None:
    renewal = Renewal(0)
    renewal.replace(1, 7)
    assert differences({"transactionId": 1}, {"transactionId": 7}, renewal=renewal) == []
    assert differences({"transactionId": 1}, {"transactionId": 1}, renewal=renewal) == ["transactionId: 1 recorded, 1 now"]
    assert differences({"transactionId": {}}, {"transactionId": 1}, renewal=renewal)


def test_missing_says_so() -> None:
    assert repr(MISSING) == "MISSING"


def test_call_errors_are_wrong() -> None:
    (found,) = exchanges(frames_of(call("1"), '[4,"1","NotSupported","",{}]'))
    assert found.is_wrong
    assert not isinstance(found.reply, CallError)
