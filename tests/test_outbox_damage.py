"""Damaged files of the outbox: everything that was committed is there, or it is said what is lost."""

from __future__ import annotations

import os
import random
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ocpp_sync.errors import OutboxError
from ocpp_sync.outbox import damage as repair
from ocpp_sync.outbox import salvage as salvaging
from ocpp_sync.outbox.database import PAGE_SIZE, connect
from ocpp_sync.outbox.lockfile import read_witness
from ocpp_sync.outbox.salvage import _record, _varint
from ocpp_sync.outbox.store import Entry, Origin, Store

ORIGIN = Origin("link 1", "process 1", 12.5, 1_700_000_000.25, True)
FRAME = PAGE_SIZE + 24
WAL_HEADER = 32


class Life(NamedTuple):
    """An outbox that was cut off in the middle of its life, and what it held."""

    folder: Path
    queued: dict[int, Entry]
    dead: set[int]
    ever: dict[int, Entry]
    newest: int


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """Messages of all sizes, some delivered, some given up; some in the file, some in its log only."""
    chance = random.Random(1)
    folder = tmp_path_factory.mktemp("life")
    store = Store(folder / "q")
    ever: dict[int, Entry] = {}
    queued: list[int] = []
    dead: set[int] = set()

    def put(**options: Any) -> None:
        payload = {"text": "".join(chance.choices("abcdefghijklä", k=chance.choice([20, 300, 900, 4000])))}
        entry = store.put("MeterValues", payload, ORIGIN, **options).entry
        ever[entry.id] = entry
        queued.append(entry.id)

    for turn in range(8):
        put(transaction=f"t{turn}", opens=True)
        for _ in range(6):
            put(transaction=f"t{turn}", droppable=True)
        put(transaction=f"t{turn}", closes=turn % 2 == 0)
        for _ in range(5):
            number = queued.pop(0)
            if chance.random() < 0.2:
                store.failed(number)
                store.give_up(number, "refused")
                dead.add(number)
            else:
                store.delivered(number, 100 + turn)
        if turn == 4:
            store._db.execute("PRAGMA wal_checkpoint(PASSIVE)")
    copy(folder, target := tmp_path_factory.mktemp("cut off"))
    held = {entry.id: entry for entry in store.entries()}
    assert list(held) == queued
    assert {letter.id for letter in store.dead_letters()} == dead != set()
    store.close()
    return Life(target, held, dead, ever, max(ever))


def copy(source: Path, target: Path) -> None:
    """What a killed process leaves."""
    for name in ("q", "q-wal", "q-lock"):
        shutil.copyfile(source / name, target / name)


@pytest.fixture
def path(tmp_path: Path, life: Life) -> Path:
    copy(life.folder, tmp_path)
    return tmp_path / "q"


@pytest.fixture
def opened(path: Path) -> Iterator[Callable[..., Store]]:
    stores: list[Store] = []

    def make(**options: Any) -> Store:
        stores.append(Store(path, **options))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


def beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def said_to_be_lost(text: str) -> set[int]:
    """The messages that a report names; all if it names too many to list them."""
    if "…" in text:
        return set(range(100_000))
    match = re.search(r"may be lost: ([\d, to]+)", text)
    lost: set[int] = set()
    for part in match[1].split(", ") if match else []:
        first, _, last = part.partition(" to ")
        lost |= set(range(int(first), int(last or first) + 1))
    return lost


def check(path: Path, life: Life, caplog: pytest.LogCaptureFixture | None = None) -> Store:
    """Open it: what is there is right, what is missing is named, and the next process finds it sound. Returns it open."""
    store = Store(path)
    there = {entry.id: entry for entry in store.entries()}
    dead = {letter.id for letter in store.dead_letters()}
    for number, entry in there.items():
        assert entry._replace(attempts=0) == life.ever[number]._replace(attempts=0)
    if store.damage is None:
        # Where only what was done last is forgotten, it is done again.
        assert life.queued.keys() <= there.keys()
        assert life.dead <= there.keys() | dead
    else:
        missing = life.queued.keys() - there.keys() - dead
        assert missing <= said_to_be_lost(store.damage.lost), store.damage.lost
        if store.damage.set_aside is not None:
            assert store.damage.salvaged == len(there) + len(dead)
            assert Path(store.damage.set_aside).exists() or Path(f"{store.damage.set_aside}-wal").exists()
    assert store.put("Next", {}, ORIGIN).entry.id > life.newest
    store.delivered(max(life.newest + 1, *(entry.id for entry in store.entries())))
    store.close()
    again = Store(path)
    assert again.damage is None
    assert {entry.id for entry in again.entries()} == there.keys()
    again.damage = store.damage
    return again


# --- no false alarm


def test_a_process_that_was_killed_has_damaged_nothing(path: Path, life: Life, caplog: pytest.LogCaptureFixture) -> None:
    store = check(path, life)
    assert {entry.id: entry for entry in store.entries()} == life.queued
    assert {letter.id for letter in store.dead_letters()} == life.dead
    store.close()
    assert caplog.records == []


def test_d13_a_cut_within_the_last_commit_takes_only_that(path: Path, life: Life, opened: Callable[..., Store]) -> None:
    store = opened()
    size = beside(path, "-wal").stat().st_size
    witness = beside(path, "-lock").read_bytes()
    store.put("NeverAcknowledged", {"text": "x" * 2000}, ORIGIN)
    log = beside(path, "-wal").read_bytes()
    (other := path.parent / "other").mkdir()
    for cut in range(size, len(log), 97):
        shutil.copyfile(path, other / "q")
        (other / "q-wal").write_bytes(log[:cut])
        (other / "q-lock").write_bytes(witness)  # which is written afterwards
        again = Store(other / "q")
        assert again.damage is None
        there = {entry.id: entry for entry in again.entries()}
        assert {number: entry for number, entry in there.items() if number <= life.newest} == life.queued
        again.close()


@pytest.mark.parametrize("place", [96, 192])
def test_a_torn_witness_is_no_alarm(path: Path, life: Life, place: int) -> None:
    with beside(path, "-lock").open("r+b") as file:
        file.seek(place + 20)
        file.write(b"999999")
    check(path, life).close()


def test_no_witness_is_no_alarm(path: Path, life: Life) -> None:
    beside(path, "-lock").unlink()
    check(path, life).close()


# --- the log


def test_d13_a_log_that_is_gone_is_noticed(path: Path, life: Life, caplog: pytest.LogCaptureFixture) -> None:
    beside(path, "-wal").unlink()
    store = check(path, life)
    assert store.damage is not None
    assert store.damage.set_aside is None
    assert "its last changes are missing; 24 messages may be lost: 41 to 64" in store.damage.lost
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert store.damage.lost in caplog.text
    store.close()


def test_the_durability_normal_is_named_where_it_is_the_likely_reason(path: Path, opened: Callable[..., Store]) -> None:
    beside(path, "-wal").unlink()
    store = opened(durability="normal")
    assert store.damage is not None
    assert "the durability 'normal' allows that at a power cut" in store.damage.lost


def test_what_is_behind_a_broken_frame_is_salvaged(path: Path, life: Life) -> None:
    log = beside(path, "-wal")
    frames = (log.stat().st_size - WAL_HEADER) // FRAME
    with log.open("r+b") as file:
        file.seek(WAL_HEADER + FRAME * (frames // 3))
        file.write(os.urandom(FRAME))
    store = check(path, life)
    assert store.damage is not None
    assert store.damage.set_aside is not None
    assert len(life.queued.keys() - {entry.id for entry in store.entries()}) <= 2
    store.close()


def test_of_a_page_that_is_broken_an_older_version_is_read(tmp_path: Path) -> None:
    store = Store(tmp_path / "live")
    first = store.put("A", {}, ORIGIN).entry
    size = beside(store.path, "-wal").stat().st_size
    second = store.put("B", {}, ORIGIN).entry
    for suffix in ("", "-wal", "-lock"):
        shutil.copyfile(beside(store.path, suffix), tmp_path / f"q{suffix}")
    store.close()
    with (tmp_path / "q-wal").open("r+b") as log:
        for place in range(size - FRAME, os.fstat(log.fileno()).st_size, FRAME):
            log.seek(place + 24)
            log.write(b"\x99" * PAGE_SIZE)
    again = Store(tmp_path / "q")
    assert again.damage is not None
    assert list(again.entries()) == [first]
    assert said_to_be_lost(again.damage.lost) == {second.id}
    again.close()


@pytest.mark.parametrize("broken", [range(32), range(12, 16), range(24, 32)])
def test_a_log_without_its_header_is_salvaged(path: Path, life: Life, broken: range) -> None:
    with beside(path, "-wal").open("r+b") as file:
        file.seek(broken[0])
        file.write(b"\x55" * len(broken))
    store = check(path, life)
    assert store.damage is not None
    assert life.queued.keys() <= {entry.id for entry in store.entries()}
    store.close()


# --- the file


@pytest.mark.parametrize("left", [0, 1, 99])
def test_a_log_beside_a_file_that_is_empty(path: Path, life: Life, left: int) -> None:
    os.truncate(path, left)
    store = check(path, life)
    assert store.damage is not None
    assert store.damage.salvaged > 0  # what is in the log
    store.close()


def test_a_log_beside_no_file(path: Path, life: Life) -> None:
    path.unlink()
    store = check(path, life)
    assert store.damage is not None
    assert "the file is missing" in store.damage.lost
    assert store.damage.salvaged > 0
    store.close()


@pytest.mark.parametrize("how", ["missing", "empty"])
def test_d13_a_file_that_was_emptied_is_noticed(path: Path, life: Life, how: str) -> None:
    beside(path, "-wal").unlink()
    path.unlink()
    if how == "empty":
        path.touch()
    store = check(path, life)
    assert store.damage is not None
    assert f"the file is {how}; 24 messages may be lost: 41 to 64" in store.damage.lost
    assert store.damage.set_aside is None
    store.close()


def test_a_file_that_was_never_used_is_simply_made(path: Path, opened: Callable[..., Store]) -> None:
    for suffix in ("", "-wal", "-lock"):
        beside(path, suffix).unlink()
    opened().close()
    path.unlink()
    assert opened().damage is None
    opened_again = path.with_name("fresh")
    opened_again.touch()  # as mktemp does
    store = Store(opened_again)
    assert store.damage is None
    store.close()


@pytest.mark.parametrize("content", [b"this is not a database", b"\0" * 5000, b"SQLite format 3\0" + b"\xff" * 3000])
def test_what_is_no_outbox_at_all_is_set_aside(path: Path, content: bytes, opened: Callable[..., Store]) -> None:
    beside(path, "-wal").unlink()
    path.write_bytes(content)
    store = opened()
    assert store.damage is not None
    assert store.damage.set_aside is not None
    assert Path(store.damage.set_aside).read_bytes() == content
    assert "its beginning is not that of an outbox" in store.damage.lost
    assert store.put("A", {}, ORIGIN).entry.id == 65


def test_without_a_witness_it_is_said_that_the_end_is_unknown(path: Path, opened: Callable[..., Store]) -> None:
    beside(path, "-lock").unlink()
    beside(path, "-wal").unlink()
    with path.open("r+b") as file:
        file.write(b"x" * 16)
    store = opened()
    assert store.damage is not None
    assert "how many came after these is not known" in store.damage.lost


def damage_pages(path: Path, pages: list[int], chance: random.Random) -> None:
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE_SIZE)
            file.write(chance.randbytes(PAGE_SIZE))


def checkpointed(path: Path) -> None:
    """All of it in the file, without a log."""
    with connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    assert not beside(path, "-wal").exists()


@pytest.mark.parametrize("table", ["message", "dead_letter", "transactions", "sqlite_sequence", "sqlite_master"])
def test_a_broken_root_page_costs_no_message(path: Path, life: Life, table: str) -> None:
    checkpointed(path)
    with connect(path, readonly=True) as db:
        root = {"sqlite_master": 1, **dict(db.execute("SELECT name, rootpage FROM sqlite_master"))}[table]
    db.close()
    damage_pages(path, [root], random.Random(2))
    store = check(path, life)
    assert store.damage is not None
    assert {entry.id for entry in store.entries()} == life.queued.keys()  # and nothing that was delivered comes back
    if table != "dead_letter":
        assert life.dead == {letter.id for letter in store.dead_letters()}
    handles = {transaction.handle for transaction in store.open_transactions()}
    if table == "transactions":  # of those only what their messages tell
        assert handles >= {"t5", "t7"}
    else:
        assert handles == {"t1", "t3", "t5", "t7"}
    assert store.transaction_id("t7") is None  # its StartTransaction is still queued
    store.close()


def test_what_was_delivered_long_ago_does_not_come_back_from_unused_pages(tmp_path: Path) -> None:
    store = Store(path := tmp_path / "n")
    numbers = [store.put("A", {"text": "x" * 3000}, ORIGIN).entry.id for _ in range(100)]
    for number in numbers[:90]:
        store.delivered(number)
    (root,) = store._db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'dead_letter'").fetchone()
    (unused,) = store._db.execute("PRAGMA freelist_count").fetchone()
    store.close()
    assert unused > 80
    damage_pages(path, [root], random.Random(2))
    again = Store(path)
    assert again.damage is not None
    assert [entry.id for entry in again.entries()] == numbers[90:]
    again.close()


def test_a_transaction_that_is_lost_is_made_up_for(path: Path, tmp_path: Path) -> None:
    (tmp_path / "n").mkdir()
    path = tmp_path / "n" / "q"
    store = Store(path)
    start = store.put("StartTransaction", {}, ORIGIN, transaction="delivered", opens=True).entry
    store.delivered(start.id, 5)
    store.put("MeterValues", {}, ORIGIN, transaction="delivered")
    store.put("StartTransaction", {"meterStart": 3}, ORIGIN, transaction="queued", opens=True)
    store.put("StopTransaction", {}, ORIGIN, transaction="queued", closes=True)
    for kind in ("Started", "Updated"):
        event = {"eventType": kind}
        number = store.put("TransactionEvent", event, ORIGIN, transaction="2.x", numbered=True, opens=kind == "Started").entry.id
    store.delivered(number - 1)
    (root,) = store._db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'transactions'").fetchone()
    store.close()
    damage_pages(path, [root], random.Random(2))
    again = Store(path)
    assert again.damage is not None
    assert "1 message may be lost: 5; what was known about transactions" in again.damage.lost  # it was delivered out of its turn
    assert [again.transaction_id(handle) for handle in ("delivered", "queued", "2.x")] == [-1, None, None]
    assert again.put("TransactionEvent", {}, ORIGIN, transaction="2.x", numbered=True).entry.payload == {"seqNo": 2}
    again.delivered(4)
    again.delivered(3, 8)
    assert again.transaction_id("queued") is None  # it was closed: it is over
    again.close()


@pytest.mark.parametrize("statement", ["DROP TABLE transactions", "DELETE FROM sqlite_sequence", "ALTER TABLE message ADD COLUMN more"])
def test_missing_or_strange_tables(path: Path, life: Life, statement: str) -> None:
    with connect(path) as db:
        db.execute(statement)
    db.close()
    store = Store(path)
    assert store.damage is not None
    there = {entry.id for entry in store.entries()}
    assert there == (life.queued.keys() if "ALTER" not in statement else there)
    store.close()


@pytest.mark.parametrize("table", ["message", "dead_letter"])
def test_a_payload_that_has_changed_is_noticed(path: Path, life: Life, table: str) -> None:
    checkpointed(path)
    with connect(path) as db:
        (number,) = db.execute(f"SELECT max(id) FROM {table}").fetchone()
        db.execute(f"UPDATE {table} SET payload = replace(payload, 'a', 'b') WHERE id = ?", (number,))
    db.close()
    store = Store(path)
    assert store.damage is not None
    assert f"message {number} is not as it was written" in store.damage.lost
    assert number not in {entry.id for entry in store.entries()}
    if table == "message":
        assert said_to_be_lost(store.damage.lost) >= {number}
    store.close()


def test_a_transaction_that_has_changed_is_noticed(path: Path, life: Life) -> None:
    with connect(path) as db:
        db.execute("UPDATE transactions SET transaction_id = 9 WHERE handle = 't6'")
    db.close()
    store = check(path, life)
    assert store.damage is not None
    assert "the transaction 't6' is not as it was written" in store.damage.lost
    store.close()


# --- at random


def spoil(path: Path, chance: random.Random) -> str:
    """Damage the file or its log, in one of many ways."""
    target = chance.choice([path, beside(path, "-wal")])
    size = target.stat().st_size
    way = chance.choice(["cut", "cut", "cut", "garbage", "zeros", "bits"])
    if way == "cut":
        os.truncate(target, chance.randrange(size))
    else:
        with target.open("r+b") as file:
            for _ in range(chance.randrange(1, 6)):
                place = chance.randrange(size)
                file.seek(place)
                old = file.read(1)
                length = {"garbage": 700, "zeros": 4096, "bits": 1}[way]
                new = {"garbage": chance.randbytes(length), "zeros": bytes(length), "bits": bytes([old[0] ^ 1 << chance.randrange(8)])}[way]
                file.seek(place)
                file.write(new[: size - place])
    return f"{way} of {target.name}"


def test_d13_torn_files_lose_nothing_in_silence(tmp_path: Path, life: Life) -> None:
    tear(tmp_path, life, 1, 60)


@pytest.mark.nightly
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(2, 12))
def test_d13_many_torn_files_lose_nothing_in_silence(tmp_path: Path, life: Life, seed: int) -> None:
    tear(tmp_path, life, seed, 300)


def tear(tmp_path: Path, life: Life, seed: int, times: int) -> None:
    chance = random.Random(seed)
    for turn in range(times):
        folder = tmp_path / str(turn)
        folder.mkdir()
        copy(life.folder, folder)
        how = spoil(folder / "q", chance)
        try:
            check(folder / "q", life).close()
        except OutboxError as error:
            # A bit of the format's number has turned: it is refused, and all of it is still there.
            assert "of a newer ocpp_sync" in error.message, how
        except BaseException as error:
            raise AssertionError(f"turn {turn} of seed {seed}: {how}") from error
        shutil.rmtree(folder)


# --- the repair itself may be cut off


@pytest.mark.parametrize("step", range(4))
def test_a_repair_that_is_cut_off_is_finished(path: Path, life: Life, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    os.truncate(path, 50)
    rename, steps = repair._rename, iter(range(step))

    def until(old: Path, new: Path) -> None:
        if next(steps, None) is None:
            raise OSError(5, "the power is gone")
        rename(old, new)

    with monkeypatch.context() as context:
        context.setattr(repair, "_rename", until)
        with pytest.raises(OutboxError, match="the power is gone"):
            Store(path)
    store = check(path, life)
    assert store.damage is not None
    assert store.damage.set_aside is not None
    assert {file.name for file in path.parent.iterdir()} >= {Path(store.damage.set_aside).name, f"{Path(store.damage.set_aside).name}-wal"}
    assert not list(path.parent.glob("*-salvaged"))
    store.close()


def test_two_repairs_in_one_second_keep_both_files(path: Path) -> None:
    for _ in range(2):
        with path.open("r+b") as file:
            file.write(b"x" * 16)
        Store(path).close()
    assert len([file for file in path.parent.glob("q.damaged-*") if "-wal" not in file.name and "-shm" not in file.name]) == 2


def test_an_unused_leftover_is_no_obstacle(path: Path, life: Life) -> None:
    beside(path, "-new").write_bytes(b"half")
    beside(path, "-new-wal").write_bytes(b"half")
    os.truncate(path, 5000)
    check(path, life).close()


def test_a_look_at_a_damaged_file_leaves_it_alone(path: Path, life: Life) -> None:
    os.truncate(path, 50)
    content = path.read_bytes(), beside(path, "-wal").read_bytes()
    with pytest.raises(OutboxError, match="it is damaged"):
        Store(path, exclusive=False)
    assert (path.read_bytes(), beside(path, "-wal").read_bytes()) == content


def test_a_look_at_a_file_that_has_lost_its_end_leaves_the_log_alone(path: Path) -> None:
    log = beside(path, "-wal")
    with log.open("r+b") as file:
        file.seek(WAL_HEADER + 3 * FRAME)
        file.write(b"x" * FRAME)
    content = log.read_bytes()
    with pytest.raises(OutboxError, match="its last changes are missing"):
        Store(path, exclusive=False)
    assert log.read_bytes() == content


def test_a_lock_that_is_not_given_up_is_no_damage(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: Any, **__: Any) -> None:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(repair, "connect", locked)
    with pytest.raises(OutboxError, match="database is locked"):
        Store(path)
    assert not list(path.parent.glob("*damaged*"))


def test_a_bad_sector_is_damage(path: Path, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpointed(path)
    with connect(path, readonly=True) as db:
        (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'message'").fetchone()
    db.close()
    read = os.pread
    bad = (root - 1) * PAGE_SIZE

    def pread(file: int, size: int, place: int) -> bytes:
        if place == bad and size == PAGE_SIZE:
            raise OSError(5, "Input/output error")
        return read(file, size, place)

    def broken(*_: Any) -> Iterator[str]:
        raise sqlite3.OperationalError("disk I/O error")
        yield ""

    with monkeypatch.context() as context:
        context.setattr(repair, "_broken", broken)
        context.setattr(os, "pread", pread)
        store = Store(path)
    assert store.damage is not None
    assert "disk I/O error" in store.damage.lost
    assert life.queued.keys() == {entry.id for entry in store.entries()}
    store.close()
    assert read_witness(beside(path, "-lock")) is not None


# --- SQLite's format


def test_numbers_of_every_length() -> None:
    for value in (0, 127, 128, 16_383, 2**21, 2**35, 2**56 - 1, 2**56, 2**64 - 1):
        data = encoded(value)
        assert _varint(b"\xff" + data, 1) == (value, 1 + len(data))


def encoded(value: int) -> bytes:
    if value >= 2**56:
        return bytes(0x80 | value >> shift & 0x7F for shift in range(57, 0, -7))[:8] + bytes([value & 0xFF])
    parts = [value & 0x7F]
    while value := value >> 7:
        parts.append(0x80 | value & 0x7F)
    return bytes(reversed(parts))


@pytest.mark.parametrize("data", [b"", b"\x02", b"\x02\x01", b"\x02\x0a", b"\x02\x0f\xff", b"\x02\x01\x00\x00", b"\x03\x81\x01"])
def test_what_is_no_record(data: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        _record(data)


def test_records_are_read_as_sqlite_reads_them(tmp_path: Path) -> None:
    values = [None, 0, 1, -1, 127, -129, 2**20, -(2**30), 2**45, -(2**60), 2.5, "", "ä" * 500, b"", b"\0\xff" * 700]
    with sqlite3.connect(tmp_path / "x") as db:
        db.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        db.execute(f"CREATE TABLE x ({', '.join(f'c{number}' for number in range(len(values)))})")
        db.execute(f"INSERT INTO x VALUES ({', '.join('?' * len(values))})", values)
    db.close()
    with salvaging._Pages(tmp_path / "x") as pages:
        assert pages.rows(2) == ([(1, values)], True)
