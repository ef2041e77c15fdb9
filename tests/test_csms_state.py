"""The file in which a CSMS keeps what it knows."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync import OcppClient, OcppServer, utcnow
from ocpp_sync.csms import ChargePoint, Csms, StateError, Transaction
from ocpp_sync.csms.books import MAX_ENDED
from ocpp_sync.csms.state_file import StateFile
from ocpp_sync.errors import CallError

from .support import RawChargePoint, in_thread
from .test_csms import T0, T1, energy, event, start

Make = Callable[..., tuple[OcppServer, Csms]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite3"


@pytest.fixture
def csms_at(make_server: Callable[..., OcppServer]) -> Iterator[Make]:
    """Makes servers with a CSMS that keeps its state in a file."""
    made: list[Csms] = []

    def make(file: Path, **options: Any) -> tuple[OcppServer, Csms]:
        server = make_server(listen=False, **options)
        made.append(Csms(server, state=file))
        return server.listen(0, "127.0.0.1"), made[-1]

    yield make
    for csms in made:
        csms.close()


def rows(file: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as db:
        return db.execute(query).fetchall()


def told(csms: Csms) -> Any:
    """All that is known, but for who is connected at the moment."""
    return [vars(point) | {"connected": None} for point in csms.charge_points.values()], csms.transactions


def test_a_restarted_server_goes_on(file: Path, csms_at: Make, make_client: Callable[..., OcppClient]) -> None:
    server, csms = csms_at(file)
    old, new = make_client(server.url, "CP1", version="1.6"), make_client(server.url, "CP2", version="2.0.1")
    old.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
    old.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Charging"})
    old.call("MeterValues", {"connectorId": 1, "meterValue": [{"timestamp": T0, "sampledValue": [{"value": "5", "unit": "Wh"}]}]})
    assert [start(old, time=time)["transactionId"] for time in (T0, T1)] == [1, 2]
    old.call("StopTransaction", {"transactionId": 2, "meterStop": 1500, "timestamp": T1})
    event(new, "Started", 0, evse={"id": 1}, meterValue=energy(10))
    part = {"component": {"name": "C"}, "variable": {"name": "A"}, "variableAttribute": [{"value": "1"}]}
    new.call("NotifyReport", {"requestId": 1, "generatedAt": T0, "seqNo": 0, "reportData": [part]})
    server.close()
    csms.close()
    before = told(csms)

    server, csms = csms_at(file)
    assert told(csms) == before
    assert not any(point.connected for point in csms.charge_points.values())
    assert csms.totals == {"started": 0, "open": 2, "energy_wh": 0.0}
    old, new = make_client(server.url, "CP1", version="1.6"), make_client(server.url, "CP2", version="2.0.1")
    old.call("StopTransaction", {"transactionId": 2, "meterStop": 1500, "timestamp": T1})  # whose answer was lost
    old.call("StopTransaction", {"transactionId": 1, "meterStop": 1500, "timestamp": T1})
    event(new, "Ended", 1, meterValue=energy(60))
    assert start(old)["transactionId"] == 3
    assert (csms.totals, csms.problems) == ({"started": 1, "open": 1, "energy_wh": 550.0}, {})


def test_what_is_answered_is_on_disk(file: Path, csms_at: Make, make_client: Callable[..., OcppClient], tmp_path: Path) -> None:
    server, _ = csms_at(file)
    client = make_client(server.url, version="1.6")
    number = start(client)["transactionId"]
    # As after a power cut: what is there at this moment, and not closed.
    copy = tmp_path / "copy.sqlite3"
    shutil.copy(file, copy)
    shutil.copy(f"{file}-wal", f"{copy}-wal")
    _, after = csms_at(copy)
    assert [(each.id, each.ended) for each in after.transactions] == [(number, None)]


def test_only_what_must_survive_a_power_cut_waits_for_the_disk(
    file: Path, csms_at: Make, make_client: Callable[..., OcppClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocpp_sync.csms.ledger._LATER", 1e9)
    server, csms = csms_at(file)
    client = make_client(server.url, version="2.0.1")
    client.call("Heartbeat")
    statements: list[str] = []
    state = csms._ledger._file
    assert state is not None
    state._db.set_trace_callback(statements.append)

    def modes() -> list[str]:
        found = [statement.rpartition(" ")[2] for statement in statements if "synchronous" in statement]
        statements.clear()
        return found

    event(client, "Started", 0)
    assert modes() == ["FULL"]
    event(client, "Updated", 1)
    client.call("StatusNotification", {"timestamp": T0, "connectorStatus": "Occupied", "evseId": 1, "connectorId": 2})
    assert modes() == ["NORMAL", "NORMAL"]
    client.call("Heartbeat")
    assert modes() == [], "that can wait"
    event(client, "Ended", 2)
    assert modes() == ["FULL"]
    monkeypatch.setattr("ocpp_sync.csms.ledger._LATER", 0)
    client.call("Heartbeat")
    assert modes() == ["NORMAL"], "it has waited long enough"


def test_what_could_wait_is_written_at_the_end(file: Path, csms_at: Make, make_client: Callable[..., OcppClient]) -> None:
    server, csms = csms_at(file)
    client = make_client(server.url, version="1.6")
    client.call("MeterValues", {"connectorId": 1, "meterValue": [{"timestamp": T0, "sampledValue": [{"value": "5"}]}]})
    csms.close()
    csms.close()
    ((meter,),) = rows(file, "SELECT meter FROM charge_point")
    assert '"value": 5.0' in meter
    assert start(client)["transactionId"] == 1, "requests are answered all the same"
    assert rows(file, "SELECT * FROM charging") == []


def test_many_charge_points_at_once(file: Path, csms_at: Make, make_client: Callable[..., OcppClient]) -> None:
    server, csms = csms_at(file)
    clients = [make_client(server.url, f"CP{number}", version="1.6") for number in range(8)]

    def charge(client: OcppClient) -> list[int]:
        numbers = []
        for _ in range(10):
            numbers.append(start(client, time=utcnow())["transactionId"])
            client.call("StopTransaction", {"transactionId": numbers[-1], "meterStop": 1001, "timestamp": utcnow()})
        return numbers

    running = [in_thread(charge, client) for client in clients]
    numbers = [number for each in running for number in each.result(60)]
    assert sorted(numbers) == list(range(1, 81))
    assert rows(file, "SELECT count(*), count(ended), sum(meter_last - meter_start) FROM charging") == [(80, 80, 80.0)]
    assert csms.problems == {}


def test_the_file_keeps_what_the_memory_forgets(file: Path, csms_at: Make) -> None:
    _, csms = csms_at(file)
    csms.close()
    with closing(sqlite3.connect(file)) as db, db:
        values = [("CP1", number, None, None, 1, None, T0, None, None, None, 0, 0) for number in range(1, MAX_ENDED + 11)]
        db.executemany(f"INSERT INTO charging VALUES ({', '.join('?' * 12)})", values)
        db.execute("UPDATE charging SET ended = NULL WHERE id = 3")
    _, csms = csms_at(file)
    assert [each.id for each in csms.transactions] == [3, *range(11, MAX_ENDED + 11)]
    with csms._ledger.lock:
        assert csms._ledger.books.next_id() == MAX_ENDED + 11


def test_whatever_a_charge_point_says_can_be_kept(file: Path, csms_at: Make, raw_charge_point: Callable[..., RawChargePoint]) -> None:
    server, csms = csms_at(file, validation="off")
    peer = raw_charge_point(server.url, version="2.0.1")
    peer.send('[2,"1","BootNotification",{"reason":"PowerUp","chargingStation":{"vendorName":"\\u0000","model":{}}}]')
    event_of = {"eventType": "Started", "timestamp": [], "seqNo": 10**30, "transactionInfo": {"transactionId": "T"}}
    peer.send([2, "2", "TransactionEvent", event_of])
    peer.send('[3,"7",{"configurationKey":[{"key":"\\ud800","value":"\\ud800"}]}]')  # half of a surrogate pair, which is no character
    peer.send([2, "3", "Heartbeat", {}])
    assert [peer.receive()[:2] for _ in range(3)] == [[3, "1"], [3, "2"], [3, "3"]]
    assert csms.problems == {}
    assert rows(file, "SELECT vendor, model FROM charge_point") == [("\0", "{}")]
    assert rows(file, "SELECT id, seq_no FROM charging") == [("T", 2**53)]
    assert rows(file, "SELECT name, value FROM variable") == []


def test_a_full_disk_costs_nothing_but_the_file(
    file: Path, csms_at: Make, make_client: Callable[..., OcppClient], caplog: pytest.LogCaptureFixture
) -> None:
    server, csms = csms_at(file)
    client = make_client(server.url, version="2.0.1")
    state = csms._ledger._file
    assert state is not None
    state._db.execute("PRAGMA max_page_count = 1")
    names = [f"{number:050}" for number in range(500)]
    report = [{"component": {"name": "C"}, "variable": {"name": name}, "variableAttribute": [{"value": "1"}]} for name in names]
    client.call("NotifyReport", {"requestId": 1, "generatedAt": T0, "seqNo": 0, "reportData": report})
    event(client, "Started", 0)
    assert csms.problems == {"state that could not be written": 2}
    assert "state.sqlite3: database or disk is full" in caplog.text
    assert rows(file, "SELECT count(*) FROM variable") == [(0,)]
    state._db.execute("PRAGMA max_page_count = 100000")
    event(client, "Updated", 1)
    assert rows(file, "SELECT (SELECT count(*) FROM variable), seq_no FROM charging") == [(500, 1)], "all, as soon as there is room"


def test_a_number_that_is_too_large_costs_no_change_of_others(file: Path, csms_at: Make, make_client: Callable[..., OcppClient]) -> None:
    server, csms = csms_at(file)
    good, bad = make_client(server.url, "CP1", version="1.6"), make_client(server.url, "CP2", version="2.0.1")
    number = start(good)["transactionId"]
    meter = {"connectorId": 1, "transactionId": number, "meterValue": [{"timestamp": T0, "sampledValue": [{"value": "5000"}]}]}
    good.call("MeterValues", meter)
    for transaction, seq_no in (("T-1", -(10**30)), ("T-2", 10**30)):
        assert event(bad, "Started", seq_no, transaction) == {}
    assert csms.problems == {}
    assert rows(file, "SELECT id, meter_last, seq_no FROM charging") == [(1, 5000.0, None), ("T-1", None, -(2**53)), ("T-2", None, 2**53)]


@pytest.mark.parametrize("timestamp", [[1], 10**30, {"a": 1}, None, ""])
def test_an_end_that_cannot_be_read_is_an_end(file: Path, csms_at: Make, make_client: Callable[..., OcppClient], timestamp: Any) -> None:
    server, csms = csms_at(file, validation="off")
    old = make_client(server.url, "CP1", version="1.6", validation="off")
    new = make_client(server.url, "CP2", version="2.0.1", validation="off")
    start(old)
    event(new, "Started", 0)
    for _ in range(2):
        old.call("StopTransaction", {"transactionId": 1, "meterStop": 1500, "timestamp": timestamp})
    event(new, "Ended", 1, timestamp=timestamp)
    assert csms.totals["open"] == 0
    assert "state that could not be written" not in csms.problems
    assert rows(file, "SELECT count(*), count(ended) FROM charging") == [(2, 2)]
    assert start(old, time=T1)["transactionId"] == 2
    assert rows(file, "SELECT count(*), count(ended) FROM charging") == [(3, 2)]


def test_every_value_can_be_written(file: Path) -> None:
    values: list[Any] = [None, True, 2**63, -(2**70), 1.5, float("nan"), "\ud800", [1], {"a": "\ud800"}, b"x", object]
    with closing(StateFile(file)) as state:
        state.write([ChargePoint("CP1")], {("CP1", str(n)): value for n, value in enumerate(values)}, [], durably=True)
    assert [row[0] for row in rows(file, "SELECT value FROM variable WHERE name IN ('2', '3', '6', '7')")] == [
        2**63 - 1,
        -(2**63),
        "?",
        "[1]",
    ]


@pytest.mark.parametrize("error", [OverflowError, MemoryError])
def test_whatever_goes_wrong_what_has_changed_is_written_next_time(
    file: Path, csms_at: Make, make_client: Callable[..., OcppClient], monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    server, csms = csms_at(file)
    client = make_client(server.url, version="2.0.1")
    with monkeypatch.context() as patched:

        def fail(value: Any) -> Any:
            raise error

        patched.setattr("ocpp_sync.csms.state_file._plain", fail)
        if error is OverflowError:
            event(client, "Started", 0)
        else:
            with pytest.raises(CallError, match="InternalError"):
                event(client, "Started", 0)
    assert csms.problems == ({"state that could not be written": 1} if error is OverflowError else {})
    client.call("StatusNotification", {"timestamp": T0, "connectorStatus": "Occupied", "evseId": 1, "connectorId": 2})
    assert rows(file, "SELECT id FROM charging") == [("T-1",)]


def test_a_write_that_was_interrupted_does_not_hold_up_the_next(file: Path) -> None:
    with closing(StateFile(file)) as state:
        state._db.execute("BEGIN IMMEDIATE")
        state._db.execute("INSERT INTO variable VALUES ('CP1', 'half', NULL)")
        state.write([], {("CP1", "whole"): "1"}, [], durably=False)
    assert rows(file, "SELECT name FROM variable") == [("whole",)]


def test_only_what_there_is_room_for_is_read(file: Path, csms_at: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    csms_at(file)[1].close()
    with closing(StateFile(file)) as state:
        points = [ChargePoint(f"CP{number}", last_seen=str(number)) for number in range(9)]
        variables = {(point.identity, str(number)): "1" for point in points for number in range(9)}
        transactions = [Transaction("CP1", number, ended=T0 if number % 2 else None) for number in range(20)]
        state.write(points, variables, transactions, durably=False)
    for name, most in (("CHARGE_POINTS", 3), ("OPEN", 4), ("ENDED", 5), ("VARIABLES", 6)):
        monkeypatch.setattr(f"ocpp_sync.csms.books.MAX_{name}", most)
    _, csms = csms_at(file)
    assert [(name, len(point.variables)) for name, point in csms.charge_points.items()] == [("CP6", 6), ("CP7", 6), ("CP8", 6)]
    assert [each.id for each in csms.transactions] == [12, 14, 15, 16, 17, 18, 19]


def test_a_file_that_was_not_finished_becomes_one(file: Path, csms_at: Make) -> None:
    rows(file, "PRAGMA journal_mode = WAL")  # and a kill before the tables are made
    assert file.stat().st_size > 0
    csms_at(file)
    assert rows(file, "SELECT * FROM charge_point") == []


# --- Files that cannot be used


def test_another_server_uses_it(file: Path, csms_at: Make, make_server: Callable[..., OcppServer]) -> None:
    csms_at(file)
    with pytest.raises(StateError, match=r"state\.sqlite3: another server uses it") as caught:
        Csms(make_server(), state=file)
    assert caught.value.file == str(file)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda file: file.write_text("no database, but a text" * 100), "no state file of a CSMS"),
        (lambda file: rows(file, "CREATE TABLE t (x)"), "the database of another program"),
        (lambda file: file.mkdir(), "unable to open database file|disk I/O error"),
    ],
    ids=["text", "database", "folder"],
)
def test_a_file_that_is_no_state_stays_as_it_is(
    file: Path, spoil: Callable[[Path], Any], message: str, make_server: Callable[..., OcppServer]
) -> None:
    spoil(file)
    before = file.read_bytes() if file.is_file() else None
    with pytest.raises(StateError, match=message):
        Csms(make_server(), state=file)
    assert before is None or file.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("PRAGMA user_version = 2", "the format 2 of a newer ocpp-sync; this one knows 1"),
        ("DROP TABLE charging", "no such table"),
        ("INSERT INTO charge_point (identity, connectors, meter) VALUES ('CP1', '{', '{}')", "it is damaged"),
        ("INSERT INTO charge_point (identity) VALUES ('CP1')", "it is damaged"),
    ],
)
def test_a_state_that_cannot_be_read(file: Path, csms_at: Make, make_server: Callable[..., OcppServer], change: str, message: str) -> None:
    csms_at(file)[1].close()
    with closing(sqlite3.connect(file)) as db, db:
        db.execute(change)
    for _ in range(2):  # and the lock has been let go
        with pytest.raises(StateError, match=message):
            Csms(make_server(), state=file)


def test_a_folder_that_is_not_there(tmp_path: Path, make_server: Callable[..., OcppServer]) -> None:
    with pytest.raises(StateError, match=r"none/state: No such file or directory"):
        Csms(make_server(), state=tmp_path / "none" / "state")


@pytest.mark.parametrize("name", ["", "/", "a\0b"])
def test_no_name_of_a_file(name: str, make_server: Callable[..., OcppServer]) -> None:
    with pytest.raises(StateError, match="this is no name of a file"):
        Csms(make_server(), state=name)


def test_an_empty_file_becomes_one(file: Path, csms_at: Make) -> None:
    file.touch()
    csms_at(file)
    assert rows(file, "SELECT * FROM charge_point") == []


def test_a_program_error_is_no_damage(file: Path) -> None:
    with closing(StateFile(file)) as state, pytest.raises(TypeError):
        state.write(7, {}, [], durably=True)  # type: ignore[arg-type]
