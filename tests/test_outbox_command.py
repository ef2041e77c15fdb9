"""``ocpp-sync outbox``, as a user runs it while a controller has the file open."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ocpp_sync.cli import main
from ocpp_sync.outbox.store import Origin, Store

from .support import TIMEOUT

ORIGIN = Origin(None, "process 1", 12.5, 1_700_000_000.25, True)

Output = pytest.CaptureFixture[str]


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "queue.sqlite3")


@pytest.fixture
def store(path: str) -> Iterator[Store]:
    """A controller's: two messages are queued, two were given up."""
    store = Store(path)
    store.put("StartTransaction", {"idTag": "Ä"}, ORIGIN, transaction="t", opens=True)
    store.put("MeterValues", {"n": 2}, ORIGIN._replace(time_known=False), transaction="t")
    for n in (3, 4):
        store.give_up(store.put("DataTransfer", {"vendorId": "x", "password": f"hush {n}"}, ORIGIN).entry.id, "GenericError: no")
    yield store
    store.close()


def ids(store: Store) -> list[int]:
    return [entry.id for entry in store.entries()]


def test_list(path: str, store: Store, capsys: Output) -> None:
    assert main(["outbox", "list", path]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["ID", "SINCE", "ATTEMPTS", "ACTION", "TRANSACTION"]
    assert lines[1].split() == ["1", "2023-11-14T22:13:20.250Z", "0", "StartTransaction", "t"]
    assert lines[2].split()[3:] == ["MeterValues", "t", "before", "the", "clock", "was", "known"]
    assert lines[3].split()[3:] == ["DataTransfer", "-", "given", "up:", "GenericError:", "no"]
    assert lines[5:] == [f"2 queued ({store.size()} bytes), 2 given up"]


def test_list_as_json(path: str, store: Store, capsys: Output) -> None:
    assert main(["outbox", "list", path, "--json"]) == 0
    text = capsys.readouterr().out
    first, _, third, _ = map(json.loads, text.splitlines())
    assert first == {
        "id": 1,
        "queued": "2023-11-14T22:13:20.250Z",
        "clockKnown": True,
        "attempts": 0,
        "transaction": "t",
        "action": "StartTransaction",
        "payload": {"idTag": "Ä"},
    }
    assert third["reason"] == "GenericError: no"
    assert third["payload"] == {"vendorId": "x", "password": "***"}
    assert "hush" not in text


def test_show_masks_secrets(path: str, store: Store, capsys: Output) -> None:
    assert main(["outbox", "show", path, "3"]) == 0
    text = capsys.readouterr().out
    assert json.loads(text)["payload"] == {"vendorId": "x", "password": "***"}
    assert "hush" not in text
    assert main(["outbox", "show", path, "2"]) == 0
    assert json.loads(capsys.readouterr().out)["payload"] == {"n": 2}


def test_retry(path: str, store: Store, capsys: Output) -> None:
    assert main(["outbox", "retry", path, "4"]) == 0
    assert capsys.readouterr().out == "4: queued again\n"
    assert store.changed_elsewhere()
    assert ids(store) == [1, 2, 4]
    assert main(["outbox", "retry", path, "all"]) == 0
    assert capsys.readouterr().out == "3: queued again\n"
    assert ids(store) == [1, 2, 3, 4]
    assert main(["outbox", "retry", path, "all"]) == 0
    assert capsys.readouterr() == ("", "")


def test_drop(path: str, store: Store, capsys: Output) -> None:
    assert main(["outbox", "drop", path, "2"]) == 0
    assert capsys.readouterr() == ("2: dropped\n", "")
    assert ids(store) == [1]
    assert main(["outbox", "drop", path, "3"]) == 0
    assert main(["outbox", "drop", path, "all-dead"]) == 0
    assert capsys.readouterr() == ("3: dropped\n4: dropped\n", "")
    assert (ids(store), list(store.dead_letters())) == ([1], [])


def test_drop_of_what_may_be_on_its_way_says_so(path: str, store: Store, capsys: Output) -> None:
    store.set_in_flight(1)
    assert main(["outbox", "drop", path, "1"]) == 0
    out, err = capsys.readouterr()
    assert out == "1: dropped\n"
    assert err == "1 was the oldest: if a controller is delivering, it may be on its way already\n"
    store.delivered(1, 5)
    assert ids(store) == [2]


@pytest.mark.parametrize(("what", "message"), [("show", "not in the outbox"), ("drop", "not in the outbox"), ("retry", "given up")])
def test_a_message_that_is_not_there(path: str, store: Store, capsys: Output, what: str, message: str) -> None:
    assert main(["outbox", what, path, "9"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("ocpp-sync: message 9 is not ")
    assert message in err
    assert main(["outbox", "retry", path, "1"]) == 1  # which is queued


def test_a_missing_file_is_an_error_and_is_not_made(path: str, capsys: Output) -> None:
    for arguments in (["list"], ["show", "1"], ["retry", "all"], ["drop", "all-dead"]):
        assert main(["outbox", arguments[0], path, *arguments[1:]]) == 1
        assert capsys.readouterr() == ("", f"ocpp-sync: {path}: there is no such file\n")
    assert list(Path(path).parent.iterdir()) == []


def test_what_is_no_outbox(path: str, capsys: Output) -> None:
    Path(path).write_text("something else")
    assert main(["outbox", "list", path]) == 1
    assert "it is damaged (its beginning is not that of an outbox)" in capsys.readouterr().err
    assert Path(path).read_text() == "something else"


def test_wrong_arguments(path: str, capsys: Output) -> None:
    for arguments in (["outbox"], ["outbox", "lst", path], ["outbox", "show", path], ["outbox", "drop", path, "all"]):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 2
    assert "invalid ID or 'all-dead' value: 'all'" in capsys.readouterr().err


def test_while_another_process_delivers(path: str, store: Store) -> None:
    for _ in range(20):
        store.put("MeterValues", {}, ORIGIN)
    command = [sys.executable, "-m", "ocpp_sync", "outbox", "drop", path]
    processes = [subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE, env=dict(os.environ)) for number in range(20, 25)]
    while any(process.poll() is None for process in processes):
        store.delivered(store.put("MeterValues", {}, ORIGIN).entry.id)
    assert [process.communicate(timeout=TIMEOUT)[0] for process in processes] == [f"{n}: dropped\n".encode() for n in range(20, 25)]
    assert ids(store) == [1, 2, *range(5, 20)]
    assert store.count() == 17


def test_without_a_controller(path: str, store: Store, capsys: Output) -> None:
    store.close()
    assert main(["outbox", "drop", path, "1"]) == 0
    again = Store(path)
    assert again.damage is None
    assert ids(again) == [2]
    again.close()


def test_what_the_csms_has_worded_does_not_control_the_terminal(path: str, store: Store, capsys: Output) -> None:
    store.give_up(store.put("DataTransfer", {"vendorId": "x"}, ORIGIN).entry.id, "GenericError: \x1b[2J\n9 queued\x9b")
    assert main(["outbox", "list", path]) == 0
    assert "given up: GenericError: ?[2J?9 queued?\n" in capsys.readouterr().out
