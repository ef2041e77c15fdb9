"""The queue on disk: order, transactions, bounds, and what a killed process leaves."""

from __future__ import annotations

import json
import os
import random
import re
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ocpp_sync.errors import OutboxError, OutboxFull
from ocpp_sync.outbox.database import connect
from ocpp_sync.outbox.lockfile import Witness, read_witness
from ocpp_sync.outbox.store import Entry, Origin, Store

from .support import TIMEOUT, in_thread

ORIGIN = Origin("link 1", "process 1", 12.5, 1_700_000_000.25, True)
ROOT = Path(__file__).parent.parent

Open = Callable[..., Store]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue.sqlite3"


@pytest.fixture
def opened(path: Path) -> Iterator[Open]:
    """Opens the outbox; all are closed in the end."""
    stores: list[Store] = []

    def make(**options: Any) -> Store:
        stores.append(Store(path, **options))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Open) -> Store:
    return opened()


def put(store: Store, action: str = "MeterValues", payload: dict[str, Any] | None = None, **options: Any) -> Entry:
    return store.put(action, {} if payload is None else payload, ORIGIN, **options).entry


def ids(store: Store) -> list[int]:
    return [entry.id for entry in store.entries()]


def handles(store: Store) -> list[str]:
    return [transaction.handle for transaction in store.open_transactions()]


# --- queue


def test_d13_what_was_put_is_there_in_order_after_a_restart(path: Path) -> None:
    first = Store(path)
    put(first, "StartTransaction", {"idTag": "Ä", "x": [1, 2.5, None, True]}, transaction="t", opens=True)
    entries = [put(first, "MeterValues", {"n": n}, transaction="t", droppable=True) for n in range(3)]
    last = put(first, "StopTransaction", transaction="t", closes=True)
    first.close()
    second = Store(path)
    try:
        assert second.damage is None
        assert list(second.entries())[1:] == [*entries, last]
        head = second.head()
        assert head == Entry(1, "StartTransaction", {"idTag": "Ä", "x": [1, 2.5, None, True]}, "t", 0, ORIGIN, False, True, False)
    finally:
        second.close()


def test_an_empty_outbox(store: Store) -> None:
    assert store.head() is None
    assert (store.count(), store.size(), ids(store), list(store.dead_letters()), handles(store)) == (0, 0, [], [], [])
    assert store.transaction_id("t") is None
    assert store.failed(1) == 0
    assert (store.drop(1), store.retry(1)) == (False, False)
    store.delivered(1)
    store.give_up(1, "why not")
    assert (store.count(), list(store.dead_letters())) == (0, [])


def test_what_is_delivered_is_gone_and_its_id_is_never_used_again(store: Store, opened: Open) -> None:
    number = put(store).id
    store.delivered(number)
    store.delivered(number)
    assert store.head() is None
    store.close()
    assert put(opened()).id == number + 1


def test_count_and_size_are_those_of_the_queue(store: Store) -> None:
    texts = ["{}", '{"a":"Ä"}', '{"b":1}']
    numbers = [put(store, payload=json.loads(text)).id for text in texts]
    assert (store.count(), store.size()) == (3, sum(len(text.encode()) for text in texts))
    store.delivered(numbers[0])
    store.give_up(numbers[1], "refused")
    assert (store.count(), store.size()) == (1, len(texts[2]))
    store.retry(numbers[1])
    assert (store.count(), store.size()) == (2, sum(len(text.encode()) for text in texts[1:]))
    store.drop(numbers[2])
    assert (store.count(), store.size()) == (1, len(texts[1].encode()))


def test_a_failed_put_leaves_count_and_queue_as_they_were(opened: Open) -> None:
    store = opened(max_messages=3)
    put(store)
    with pytest.raises(ValueError):
        put(store, transaction="t")
    with pytest.raises(OutboxError):
        store.put("A", {}, ORIGIN._replace(process=None))  # type: ignore[arg-type]  # which the table does not take
    put(store, droppable=True)
    put(store)
    with pytest.raises(OutboxFull):
        put(store, payload={"x": "y" * 100_000_000})
    assert (store.count(), store.size(), ids(store)) == (3, 6, [1, 2, 3])


@pytest.mark.parametrize("payload", [{"x": float("nan")}, {"x": {1, 2}}, {"x": "\ud800"}, ["x"], None, "x"])
def test_what_is_no_json_object_is_refused(store: Store, payload: Any) -> None:
    with pytest.raises(ValueError, match="the payload of MeterValues is no JSON"):
        store.put("MeterValues", payload, ORIGIN)
    assert store.count() == 0


def test_a_payload_is_kept_as_it_is_sent(store: Store) -> None:
    payload = {"a": Decimal("8.1"), "b": (1, 2)}
    assert put(store, payload=payload).payload == {"a": 8.1, "b": [1, 2]}
    assert payload == {"a": Decimal("8.1"), "b": (1, 2)}


def test_d9_attempts_are_stored(store: Store, opened: Open) -> None:
    number = put(store).id
    assert [store.failed(number), store.failed(number)] == [1, 2]
    store.close()
    again = opened()
    assert again.failed(number) == 3
    assert [entry.attempts for entry in again.entries()] == [3]


def test_d9_what_is_given_up_is_a_dead_letter(path: Path, opened: Open) -> None:
    class Noon:
        def time(self) -> float:
            return 43_200.0

    store = opened(clock=Noon())
    number = put(store, "SecurityEventNotification", {"type": "x"}).id
    store.failed(number)
    store.give_up(number, "GenericError: no")
    assert store.count() == 0
    assert list(store.dead_letters()) == [(number, "SecurityEventNotification", {"type": "x"}, None, 1, "GenericError: no", 43_200.0)]


def test_a_dead_letter_goes_back_to_its_place(store: Store) -> None:
    numbers = [put(store, payload={"n": n}).id for n in range(3)]
    before = list(store.entries())
    store.failed(numbers[1])
    store.give_up(numbers[1], "refused")
    assert ids(store) == [numbers[0], numbers[2]]
    assert store.retry(numbers[1])
    assert not store.retry(numbers[1])
    assert list(store.entries()) == before
    assert list(store.dead_letters()) == []


def test_dropping_is_for_good(store: Store) -> None:
    queued, dead = put(store).id, put(store).id
    store.give_up(dead, "refused")
    assert (store.drop(queued), store.drop(dead)) == (True, True)
    assert (store.drop(queued), store.drop(dead)) == (False, False)
    assert (ids(store), list(store.dead_letters())) == ([], [])


def test_dead_letters_have_the_bounds_of_the_queue(opened: Open, caplog: pytest.LogCaptureFixture) -> None:
    store = opened(max_messages=3)
    for n in range(5):
        store.give_up(put(store, payload={"n": n}).id, "refused")
    assert [letter.payload["n"] for letter in store.dead_letters()] == [2, 3, 4]
    assert len(caplog.records) == 2
    store.close()
    small = opened(max_bytes=30)
    small.give_up(put(small, payload={"n": "x" * 12}).id, "refused")
    assert [letter.payload["n"] for letter in small.dead_letters()] == [4, "x" * 12]


# --- transactions


def test_d10_a_handle_stands_for_the_id_that_comes_with_the_answer(store: Store, opened: Open) -> None:
    start = put(store, "StartTransaction", {"meterStart": 5}, transaction="t", opens=True)
    stop = put(store, "StopTransaction", transaction="t", closes=True)
    assert store.transaction_id("t") is None
    store.delivered(start.id, 42)
    assert store.transaction_id("t") == 42
    store.close()
    again = opened()
    assert again.transaction_id("t") == 42
    again.delivered(stop.id)
    assert again.transaction_id("t") is None


def test_d10_the_id_of_a_start_that_is_given_up_is_minus_one(store: Store) -> None:
    start = put(store, "StartTransaction", transaction="t", opens=True)
    store.give_up(start.id, "refused")
    assert store.transaction_id("t") == -1
    assert store.retry(start.id)
    assert store.transaction_id("t") is None
    store.delivered(start.id, 7)
    assert store.transaction_id("t") == 7


def test_d10_the_id_of_a_start_that_is_dropped_is_minus_one(store: Store) -> None:
    store.drop(put(store, "StartTransaction", transaction="t", opens=True).id)
    assert store.transaction_id("t") == -1


def test_d11_numbers_have_no_gap(store: Store, opened: Open) -> None:
    payloads = [put(store, "TransactionEvent", {"n": n}, transaction="t", numbered=True, opens=n == 0).payload for n in range(3)]
    assert payloads == [{"n": n, "seqNo": n} for n in range(3)]
    with pytest.raises(ValueError):
        put(store, payload={"x": float("inf")}, transaction="t", numbered=True)
    store.close()
    again = opened(max_messages=3)
    with pytest.raises(OutboxFull):
        put(again, transaction="t", numbered=True)
    again.delivered(1)
    assert put(again, transaction="t", numbered=True).payload["seqNo"] == 3
    again.delivered(2)
    assert put(again, transaction="another", numbered=True).payload["seqNo"] == 0
    assert handles(again) == ["t"]  # which was opened


def test_a_transaction_that_is_not_known_is_named(store: Store) -> None:
    with pytest.raises(ValueError, match="'t' is not known"):
        put(store, transaction="t")
    put(store, transaction="t", opens=True)
    with pytest.raises(ValueError, match="'t' is there already"):
        put(store, transaction="t", opens=True)
    flags: list[dict[str, Any]] = [{"opens": True}, {"closes": True}, {"numbered": True}]
    for flag in flags:
        with pytest.raises(ValueError, match="belongs to a transaction"):
            put(store, **flag)


def test_transactions_that_go_on_are_known_after_a_power_cut(store: Store, opened: Open) -> None:
    for handle in ("a", "b", "c"):
        put(store, "StartTransaction", {"of": handle}, transaction=handle, opens=True)
    put(store, "StopTransaction", transaction="b", closes=True)
    store.delivered(1, 11)
    assert store.head() is not None
    store.close()
    again = opened()
    assert list(again.open_transactions()) == [("a", 11, {"of": "a"}, ORIGIN.time), ("c", None, {"of": "c"}, ORIGIN.time)]


def test_which_transactions_are_known(path: Path, store: Store) -> None:
    put(store, transaction="t", opens=True)
    assert (store.knows("t"), store.knows("u")) == (True, False)
    assert store.path == path


def test_a_transaction_is_forgotten_with_its_last_message(store: Store) -> None:
    numbers = [put(store, transaction="t", opens=n == 0, closes=n == 2).id for n in range(3)]
    store.delivered(numbers[0], 5)
    store.give_up(numbers[1], "refused")
    store.delivered(numbers[2])
    assert store.transaction_id("t") == 5  # the dead letter may be sent yet
    store.drop(numbers[1])
    assert store.transaction_id("t") is None
    with pytest.raises(ValueError, match="'t' is not known"):
        put(store, transaction="t")


# --- bounds


def fill_16(store: Store) -> list[int]:
    put(store, "StartTransaction", transaction="t", opens=True)
    numbers = [put(store, "MeterValues", {"n": n}, transaction="t", droppable=True).id for n in range(8)]
    put(store, "StopTransaction", transaction="t", closes=True)
    return numbers


def dropped_by(store: Store, times: int) -> list[int]:
    return [entry.id for _ in range(times) for entry in store.put("StartTransaction", {}, ORIGIN).dropped]


def test_d12_every_other_meter_value_goes_first(opened: Open) -> None:
    store = opened(max_messages=10)
    values = fill_16(store)
    rounds = [values[0::2], values[1::4], values[3::8], values[7::8]]
    assert dropped_by(store, 8) == [number for numbers in rounds for number in numbers]
    assert [entry.action for entry in store.entries()] == ["StartTransaction", "StopTransaction", *["StartTransaction"] * 8]
    before = ids(store)
    with pytest.raises(OutboxFull, match=r"no room for MeterValues \(2 bytes\) beside 10 messages"):
        put(store, droppable=True)
    assert ids(store) == before


def test_d12_started_and_ended_are_never_dropped(opened: Open) -> None:
    store = opened(max_messages=6)
    kinds = ["Started", "Updated", "Updated", "Updated", "Ended"]
    for turn in ("a", "b"):
        for kind in kinds:
            flags = {"opens": kind == "Started", "closes": kind == "Ended", "droppable": kind == "Updated"}
            store.put("TransactionEvent", {"eventType": kind}, ORIGIN, transaction=turn, numbered=True, **flags)
    left = [(entry.transaction, entry.payload["eventType"]) for entry in store.entries()]
    assert [kind for _, kind in left].count("Updated") == 2
    for turn in ("a", "b"):
        assert {kind for handle, kind in left if handle == turn} >= {"Started", "Ended"}


def test_d12_bytes_count_too_and_only_as_many_go_as_must(opened: Open) -> None:
    store = opened(max_bytes=1000)
    values = [put(store, payload={"x": "y" * 92}, droppable=True).id for _ in range(10)]
    assert store.size() == 1000
    result = store.put("StopTransaction", {"x": "y" * 242}, ORIGIN)
    assert [entry.id for entry in result.dropped] == values[0:6:2]
    assert store.size() == 950


def test_d12_nothing_goes_in_vain(opened: Open) -> None:
    store = opened(max_bytes=1000)
    put(store, payload={"x": "y" * 500})
    for _ in range(4):
        put(store, payload={"x": "y" * 92}, droppable=True)
    with pytest.raises(OutboxFull):
        put(store, payload={"x": "y" * 600})
    assert store.count() == 5


def test_d12_what_is_in_flight_stays(opened: Open) -> None:
    store = opened(max_messages=2)
    first, second = put(store, droppable=True).id, put(store, droppable=True).id
    store.set_in_flight(first)
    assert dropped_by(store, 1) == [second]
    with pytest.raises(OutboxFull):
        put(store)
    store.set_in_flight(None)
    assert dropped_by(store, 1) == [first]


def test_d12_one_put_goes_on_where_the_last_one_has_dropped(opened: Open) -> None:
    store = opened(max_messages=64)
    for n in range(96):
        put(store, payload={"n": n}, droppable=True)
    assert [entry.payload["n"] for entry in store.entries()] == [*range(1, 64, 2), *range(64, 96)]


# --- who may use the file


def test_only_its_owner_may_read_it(path: Path, store: Store) -> None:
    put(store)
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_this_process_cannot_deliver_twice(store: Store, opened: Open) -> None:
    with pytest.raises(OutboxError, match="this process delivers from it already"):
        opened()
    store.close()
    opened()


@pytest.mark.parametrize("kill", [False, True])
def test_two_processes_cannot_deliver_from_one_file(path: Path, opened: Open, kill: bool) -> None:
    code = "import sys; from ocpp_sync.outbox.store import Store; s = Store(sys.argv[1]); print('open', flush=True); input(); s.close()"
    with subprocess.Popen([sys.executable, "-c", code, str(path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(OutboxError, match=f"process {other.pid} delivers from it already") as caught:
            opened()
        assert caught.value.file == str(path)
        looking = opened(exclusive=False)
        assert looking.count() == 0
        if kill:
            other.kill()
        else:
            other.stdin.write(b"\n")
            other.stdin.flush()
        other.wait(TIMEOUT)
    assert opened().damage is None


def test_a_second_process_may_look_and_change(store: Store, opened: Open) -> None:
    numbers = [put(store, payload={"n": n}).id for n in range(3)]
    other = opened(exclusive=False)
    assert ids(other) == numbers
    assert not store.changed_elsewhere()
    other.drop(numbers[0])
    assert store.changed_elsewhere()
    assert not store.changed_elsewhere()
    assert (store.count(), store.size(), ids(store)) == (2, 14, numbers[1:])
    put(store)
    assert not store.changed_elsewhere()
    assert (store.count(), other.count(), other.size()) == (3, 3, 16)
    assert other.changed_elsewhere()


def test_a_look_makes_no_file(path: Path, opened: Open) -> None:
    with pytest.raises(OutboxError, match="there is no such file"):
        opened(exclusive=False)
    assert list(path.parent.iterdir()) == []


def test_a_newer_format_is_refused(path: Path, store: Store, opened: Open) -> None:
    put(store)
    store.close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 7")
    db.close()
    content = path.read_bytes()
    for exclusive in (True, False):
        with pytest.raises(OutboxError, match="its format is 7, of a newer ocpp_sync; this one knows 1"):
            opened(exclusive=exclusive)
    assert path.read_bytes() == content


def test_a_database_of_something_else_is_refused_and_left_alone(path: Path, opened: Open) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE songs (title TEXT)")
    db.close()
    content = path.read_bytes()
    for exclusive in (True, False):
        with pytest.raises(OutboxError, match="an SQLite database of something else"):
            opened(exclusive=exclusive)
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_what_cannot_be_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name, message in (("folder", "no regular file"), ("pipe", "no regular file"), ("no/queue", "there is no folder")):
        with pytest.raises(OutboxError, match=message) as caught:
            Store(tmp_path / name)
        assert caught.value.file == str(tmp_path / name)


def test_a_folder_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(OutboxError, match="/proc/queue"):
        Store("/proc/queue")


def test_wrong_options(path: Path, opened: Open) -> None:
    for options in ({"durability": "some"}, {"max_messages": 0}, {"max_bytes": 0}):
        with pytest.raises(ValueError):
            opened(**options)
    assert not path.exists()


def test_a_closed_outbox_says_so(store: Store) -> None:
    put(store)
    store.close()
    store.close()
    for use in (lambda: put(store), store.head, store.count, lambda: list(store.entries())):
        with pytest.raises(OutboxError, match="the outbox is closed"):
            use()


@pytest.mark.parametrize("name", ["with space", "a?b#c%41", "ä"])
def test_any_name_of_a_file(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path / name)
    put(store)
    store.close()
    assert {file.name for file in tmp_path.iterdir()} == {name, f"{name}-lock"}


def test_a_link_leads_to_the_file_and_to_its_lock(path: Path, store: Store, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(OutboxError, match="delivers from it already"):
        Store(tmp_path / "link")


# --- trouble with the disk


def test_a_full_disk_stores_nothing_and_says_so(store: Store) -> None:
    put(store)
    (pages,) = store._db.execute("PRAGMA page_count").fetchone()
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OutboxError, match="full") as caught:
        put(store, payload={"x": "y" * 100_000}, transaction="t", opens=True)
    assert not isinstance(caught.value, OutboxFull)
    assert (ids(store), store.count(), handles(store)) == ([1], 1, [])
    store._db.execute("PRAGMA max_page_count = 100000")
    assert put(store, payload={"x": "y" * 100_000}).id == 2


def test_a_write_that_fails_stores_nothing(path: Path, opened: Open) -> None:
    code = f"""
import resource, sys
sys.path.insert(0, {str(ROOT)!r})
from ocpp_sync.errors import OutboxError
from ocpp_sync.outbox.store import Origin, Store
store = Store(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
stored = 0
for n in range(1000):
    try:
        store.put("A", {{"n": n, "x": "y" * 500}}, Origin(None, "p", 0.0, 0.0, True))
        stored += 1
    except OutboxError as error:
        print(stored, store.count(), error)
        break
"""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, timeout=60)
    stored, counted, message = done.stdout.split(maxsplit=2)
    assert "disk I/O error" in message or "full" in message
    store = opened()
    assert store.damage is None
    assert int(stored) == int(counted) == len(ids(store)) > 0


# --- threads and memory


def test_eight_threads_put_while_one_reads(store: Store) -> None:
    start = threading.Barrier(9)

    def work(worker: int) -> list[int]:
        start.wait(TIMEOUT)
        return [put(store, payload={"worker": worker, "n": n}).id for n in range(30)]

    threads = [in_thread(work, worker) for worker in range(8)]
    start.wait(TIMEOUT)
    while any(thread.thread.is_alive() for thread in threads):
        seen = ids(store)
        assert seen == sorted(set(seen))
    written = [thread.result() for thread in threads]
    assert sorted(number for numbers in written for number in numbers) == ids(store) == list(range(1, 241))
    for worker, numbers in enumerate(written):
        assert [entry.id for entry in store.entries() if entry.payload["worker"] == worker] == numbers


def test_what_changes_during_a_look_does_not_disturb_it(store: Store) -> None:
    numbers = [put(store).id for _ in range(200)]
    seen = []
    for entry in store.entries():
        seen.append(entry.id)
        store.delivered(entry.id)
    assert seen == numbers
    assert store.count() == 0


def test_the_queue_is_not_in_memory(opened: Open) -> None:
    store = opened(durability="normal")
    put(store, transaction="t", opens=True)
    for n in range(10_000):
        put(store, payload={"n": n, "x": "y" * 300}, transaction="t")
    tracemalloc.start()
    try:
        assert sum(1 for _ in store.entries()) == 10_001
        assert tracemalloc.get_traced_memory()[1] < 500_000
    finally:
        tracemalloc.stop()


# --- what is written


def test_the_log_stays_small(path: Path, opened: Open) -> None:
    store = opened(durability="normal")
    for n in range(3000):
        store.delivered(put(store, payload={"n": n, "x": "y" * 300}).id)
    assert path.with_name(f"{path.name}-wal").stat().st_size < 2_000_000
    assert path.stat().st_size < 100_000


@pytest.mark.parametrize(("durability", "mode"), [("full", 2), ("normal", 1)])
def test_durability_is_what_sqlite_calls_synchronous(opened: Open, durability: str, mode: int) -> None:
    store = opened(durability=durability)
    assert store._db.execute("PRAGMA synchronous").fetchone() == (mode,)
    assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize(("durability", "expected"), [("full", 20), ("normal", 0)])
def test_d13_one_sync_for_a_put_and_one_for_a_delivery(path: Path, tmp_path: Path, durability: str, expected: int) -> None:
    code = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from ocpp_sync.outbox.store import Origin, Store
store = Store(sys.argv[1], durability={durability!r})
store.put("A", {{}}, Origin(None, "p", 0.0, 0.0, True))  # the first begins the log
os.write(1, b"BEGIN")
for n in range(10):
    store.delivered(store.put("A", {{"x": "y" * 300}}, Origin(None, "p", 0.0, 0.0, True)).entry.id)
os.write(1, b"END")
"""
    trace = tmp_path / "trace"
    command = ["strace", "-f", "-e", "trace=fsync,fdatasync,write", "-o", str(trace), sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, timeout=60)
    if b"ptrace" in done.stderr:
        pytest.skip("strace may not be used here")  # pragma: no cover
    assert done.returncode == 0, done.stderr
    between = trace.read_text().partition('"BEGIN"')[2].partition('"END"')[0]
    assert len(re.findall(r"\b(?:fsync|fdatasync)\(", between)) == expected


def test_d13_a_sector_that_is_lost_while_it_is_written_takes_nothing_older(path: Path, store: Store, tmp_path: Path) -> None:
    log = path.with_name(f"{path.name}-wal")
    other = tmp_path / "other"
    for _ in range(10):
        number = put(store, payload={"x": "y" * 700}).id
        # The next commit begins in the sector that this one ends in.
        whole = log.stat().st_size // 4096 * 4096
        shutil.copyfile(path, other)
        other.with_name("other-wal").write_bytes(log.read_bytes()[:whole])
        again = Store(other)
        assert ids(again) == list(range(1, number + 1))
        again.close()


# --- power cuts

WORK = f"""
import os, random, sys
sys.path.insert(0, {str(ROOT)!r})
from ocpp_sync.outbox.store import Origin, Store
path, seed, durability = sys.argv[1:]
chance = random.Random(int(seed))
store = Store(path, durability=durability)
queued = [entry.id for entry in store.entries()]
def say(what, number):
    os.write(1, f"{{what}} {{number}}\\n".encode())
say("open", len(queued))
while True:
    if queued and chance.random() < 0.4:
        number = queued.pop(0)
        say("deliver", number)
        store.delivered(number)
        say("delivered", number)
    else:
        payload = {{"x": "y" * chance.randrange(3000)}}
        number = store.put("A", payload, Origin(None, "p", 0.0, 0.0, True), numbered=True, transaction="t").entry.id
        queued.append(number)
        say("put", number)
"""


def test_d13_kill_at_a_random_moment(path: Path) -> None:
    kill_often(path, 30)


@pytest.mark.nightly
@pytest.mark.timeout(1200)
def test_d13_kill_at_many_random_moments(path: Path) -> None:
    kill_often(path, 200)


def kill_often(path: Path, times: int) -> None:
    """Kill a process that puts and delivers; what it has acknowledged decides what must be there afterwards."""
    chance = random.Random(times)
    queued: set[int] = set()
    newest = 0
    for turn in range(times):
        command = [sys.executable, "-c", WORK, str(path), str(turn), chance.choice(["full", "normal"])]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(1 + chance.randrange(40))]
            for _ in range(chance.randrange(20_000)):  # somewhere within what follows
                pass
            process.send_signal(signal.SIGKILL)
            lines += process.stdout.readlines()
        assert lines[0] == f"open {len(queued)}\n"
        uncertain = None
        for line in lines[1:]:
            if not line.endswith("\n"):
                continue
            what, number = line.split()
            if what == "put":
                queued.add(int(number))
                newest = int(number)
            elif what == "deliver":
                uncertain = int(number)
            else:
                queued.remove(int(number))
        store = Store(path)
        try:
            assert store.damage is None
            there = ids(store)
            assert there == sorted(there)
            assert queued - {uncertain} <= set(there)
            # What nobody acknowledged: the last put, or the last delivery.
            assert set(there) - queued <= {newest + 1}
            numbers = [entry.payload["seqNo"] for entry in store.entries()]
            assert numbers == [number - 1 for number in there]
            queued = set(there)
            newest = max([newest, *there])
        finally:
            store.close()


def test_the_witness_is_never_ahead(path: Path, store: Store) -> None:
    lock = path.with_name(f"{path.name}-lock")
    assert read_witness(lock) == Witness(1, 0)
    first, second = put(store).id, put(store).id
    assert read_witness(lock) == Witness(first, second)
    store.delivered(first)
    assert read_witness(lock) == Witness(second, second)
    with pytest.raises(ValueError):
        put(store, transaction="t")
    store.give_up(second, "refused")
    assert read_witness(lock) == Witness(second + 1, second)
    store.retry(second)
    assert read_witness(lock) == Witness(second, second)
    with connect(path, readonly=True) as db:
        assert db.execute("SELECT seq FROM sqlite_sequence").fetchone() == (second,)
    db.close()
