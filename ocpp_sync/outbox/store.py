"""The queue on disk: what is put is there after a power cut, in its order (rule D13). It knows nothing of links.

How the file is written, and what that guarantees, stands in :mod:`ocpp_sync.outbox.database`.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from ocpp_sync.clock import SYSTEM_CLOCK, Clock
from ocpp_sync.errors import OutboxError, OutboxFull

from .damage import LAST_MISSING, make_ready, problem_of, refuse_others, sequence_of, take_damage
from .database import Message, beside, connect, errors_of, writing
from .lockfile import LockFile, Witness, read_witness
from .records import Damage, DeadLetter, Entry, OpenTransaction, Origin, Put, entry_of, payload_text
from .transactions import NEVER_KNOWN, Transactions

__all__ = ["Damage", "DeadLetter", "Entry", "OpenTransaction", "Origin", "Put", "Store"]

_log = logging.getLogger("ocpp_sync")

_PAGE = 32  # rows that are read at a time
_COLUMNS = ", ".join(Message._fields)


class Store:
    """The file of an outbox. Its methods may be called from any thread.

    Args:
        path: The file, made if it is not there. Beside it are its log (``-wal``, ``-shm``) and its lock (``-lock``).
        durability: ``"full"``: what a method has done is on disk when it returns. ``"normal"``: a power cut may take the last changes
            back, in order; the end of the process cannot.
        max_messages: How many messages may be queued. As many may be kept that were given up; the oldest of them are forgotten first.
        max_bytes: How many bytes of JSON their payloads may have together.
        exclusive: Be the one process that delivers; only that one makes the file, and repairs it. False is for a look at it, and small
            changes, while another has it open.
        clock: Where the time comes from at which a message is given up.

    Attributes:
        damage: What was found wrong with the file, and repaired, when it was opened; None if nothing was. It is in the log too.

    Raises:
        OutboxError: The file cannot be used: a newer ocpp_sync wrote it, it is something else, another process delivers from it
            (all with ``exclusive``: this one too), it cannot be read or written; without ``exclusive`` also if it is missing or damaged.
        ValueError: ``durability`` is neither of the two, or a bound is not above zero.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        durability: Literal["full", "normal"] = "full",
        max_messages: int = 100_000,
        max_bytes: int = 64 * 1024 * 1024,
        exclusive: bool = True,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if durability not in ("full", "normal"):
            raise ValueError(f'durability is "full" or "normal", not {durability!r}')
        if max_messages < 1 or max_bytes < 1:
            raise ValueError("the bounds of an outbox are above zero")
        self._path = Path(os.path.realpath(path))  # SQLite puts its log beside the file that a link leads to
        self._max_messages, self._max_bytes = max_messages, max_bytes
        self._clock = clock
        self._lock = threading.RLock()
        self._closed = False
        self._in_flight: int | None = None
        self._thinned_to = 0
        self._totals = (0, 0)  # messages, bytes
        self._counted_at = -1  # the data_version that they are of
        self.damage: Damage | None = None
        with ExitStack() as stack, errors_of(self._path):
            # Before the file: one that delivers just now goes on.
            witness = read_witness(beside(self._path, "-lock"))
            refuse_others(self._path, witness)
            self._lock_file = LockFile(beside(self._path, "-lock"), self._path) if exclusive else None
            if self._lock_file is not None:
                stack.callback(self._lock_file.close)
                make_ready(self._path, read_witness(beside(self._path, "-lock")), durability)
                self.damage = take_damage(self._path)
            elif problem := self._problem(witness):
                raise OutboxError(self._path, problem)
            self._db = connect(self._path, durability=durability)
            stack.callback(self._db.close)
            self._transactions = Transactions(self._db)
            self._recount()
            self._version = self._counted_at
            self._bear_witness()
            self._closing = stack.pop_all()
        if self.damage is not None:
            aside = "" if self.damage.set_aside is None else f"; the file is set aside as {self.damage.set_aside}"
            _log.error("The outbox %s was damaged: %s%s", self._path, self.damage.lost, aside)

    def close(self) -> None:
        """Close the file; twice does not hurt."""
        with self._lock:
            if not self._closed:
                self._closed = True
                with errors_of(self._path):
                    self._closing.close()

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    # --- Putting

    def put(
        self,
        action: str,
        payload: dict[str, Any],
        origin: Origin,
        *,
        transaction: str | None = None,
        opens: bool = False,
        closes: bool = False,
        numbered: bool = False,
        droppable: bool = False,
    ) -> Put:
        """Store a message as the newest of the queue. With the durability ``"full"`` that costs one sync, and it is safe afterwards.

        Args:
            action: The action.
            payload: The payload; numbers that are Decimal become what JSON has.
            origin: Where and when.
            transaction: The local handle of the transaction that it belongs to; None if to none.
            opens: It begins that transaction, which is known from now on.
            closes: It ends that transaction, which is forgotten when the last of its messages is gone.
            numbered: Give it the transaction's next number as ``seqNo``, from 0 on and without a gap (rule D11).
            droppable: It may be dropped when the outbox is full (rule D12).

        Raises:
            ValueError: The payload is no JSON object, the transaction is unknown, or is there already and cannot be opened again.
            OutboxFull: There is no room, and nothing that may be dropped would make enough.
            OutboxError: It could not be stored, and is not: the disk is full or broken.
        """
        if transaction is None and (opens or closes or numbered):
            raise ValueError("a message that opens, closes or is numbered belongs to a transaction")
        text = payload_text(action, payload)
        with self._changing():
            if transaction is not None:
                known = self._transactions.expect(transaction, opens=opens, numbered=numbered, now=float(origin.time))
                if numbered:
                    text = payload_text(action, {**payload, "seqNo": known.next_number})
                    known = known._replace(next_number=known.next_number + 1)
                elif isinstance(number := payload.get("seqNo"), int):
                    known = known._replace(next_number=max(known.next_number, number + 1))  # the user's own
                self._transactions.save(known._replace(start=text if opens else known.start, closed=int(known.closed or closes)))
            dropped = self._make_room(action, len(text.encode()))
            (newest,) = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'message'").fetchone()
            message = Message(
                id=newest + 1,
                action=action,
                handle=transaction,
                opens=int(opens),
                closes=int(closes),
                droppable=int(droppable),
                link=origin.link,
                process=origin.process,
                monotonic=float(origin.monotonic),
                time=float(origin.time),
                time_known=int(origin.time_known),
                attempts=0,
                checksum=0,
                payload=text,
            ).sealed()
            self._insert(message)
        return Put(entry_of(message), dropped)

    def _make_room(self, action: str, size: int) -> list[Entry]:
        """Drop every other droppable message, then every other one of the rest, and so on; as few as are needed (rule D12)."""
        dropped: list[Entry] = []
        untouched_round = False
        while self._totals[0] >= self._max_messages or self._totals[1] + size > self._max_bytes:
            victim = self._droppable_after(self._thinned_to)
            if victim is None and untouched_round:
                held = f"{self._totals[0]} messages with {self._totals[1]} bytes, none of which may be dropped"
                raise OutboxFull(self._path, f"there is no room for {action} ({size} bytes) beside {held}")
            untouched_round = victim is None
            if victim is None:
                self._thinned_to = 0
                continue
            self._remove(victim)
            dropped.append(entry_of(victim))
            spared = self._droppable_after(victim.id)
            self._thinned_to = victim.id if spared is None else spared.id
        return sorted(dropped)

    def _droppable_after(self, number: int) -> Message | None:
        return self._message("droppable AND id > ? AND id IS NOT ? ORDER BY id LIMIT 1", number, self._in_flight)

    # --- Delivering

    def set_in_flight(self, number: int | None) -> None:
        """Say which message is on its way, so that it is not dropped; None is none."""
        with self._lock:
            self._in_flight = number

    def failed(self, number: int) -> int:
        """Count an attempt that was in vain; returns how many there were, 0 if the message is gone."""
        with self._changing():
            self._db.execute("UPDATE message SET attempts = attempts + 1 WHERE id = ?", (number,))
            message = self._message("id = ?", number)
        return 0 if message is None else message.attempts

    def delivered(self, number: int, transaction_id: int | None = None) -> None:
        """Remove a message that was answered; if it is gone already, nothing happens.

        Args:
            number: Its id.
            transaction_id: What the answer calls the transaction that the message opens (1.6).
        """
        with self._changing():
            message = self._message("id = ?", number)
            if message is not None:
                if message.opens and transaction_id is not None:
                    self._transactions.name(message.handle, transaction_id)
                self._remove(message)

    def give_up(self, number: int, reason: str) -> None:
        """Move a message to the dead letters. The transaction that it opens will have no id any more: it is -1 (rule D10).

        Args:
            number: Its id; if it is gone already, nothing happens.
            reason: Why, for people.
        """
        with self._changing():
            message = self._message("id = ?", number)
            if message is not None:
                row = (*message, reason, float(self._clock.time()))
                self._db.execute(f"INSERT INTO dead_letter VALUES ({_marks(row)})", row)  # noqa: S608
                if message.opens:
                    self._transactions.name(message.handle, NEVER_KNOWN)
                self._remove(message)
                self._forget_dead_letters()

    # --- What people decide

    def drop(self, number: int) -> bool:
        """Remove a message of the queue or a dead letter for good; returns whether it was there."""
        with self._changing():
            message = self._message("id = ?", number)
            if message is not None:
                if message.opens:
                    self._transactions.name(message.handle, NEVER_KNOWN)
                self._remove(message)
                return True
            return self._remove_dead_letter(number)

    def retry(self, number: int) -> bool:
        """Put a dead letter back at its old place in the queue, with no attempts; returns whether it was there. Bounds do not count.

        The id of a transaction that it opens is unknown again.
        """
        with self._changing():
            row = self._db.execute(f"SELECT {_COLUMNS} FROM dead_letter WHERE id = ?", (number,)).fetchone()  # noqa: S608
            if row is None:
                return False
            message = Message._make(row)._replace(attempts=0)
            self._insert(message)
            if message.opens:
                self._transactions.name(message.handle, None)
            return self._remove_dead_letter(number)

    # --- Looking

    def head(self) -> Entry | None:
        """The oldest message of the queue; None if it is empty."""
        with self._reading():
            message = self._message("TRUE ORDER BY id LIMIT 1")
            return None if message is None else entry_of(message)

    def entries(self) -> Iterator[Entry]:
        """The messages of the queue, oldest first. What changes meanwhile may be among them or not; few are in memory at a time."""
        for row in self._pages(f"SELECT {_COLUMNS} FROM message"):  # noqa: S608
            yield entry_of(Message._make(row))

    def dead_letters(self) -> Iterator[DeadLetter]:
        """The messages that were given up, in the order in which they were put; as for :meth:`entries`."""
        for row in self._pages(f"SELECT {_COLUMNS}, reason, given_up_at FROM dead_letter"):  # noqa: S608
            entry = entry_of(Message._make(row[:-2]))
            yield DeadLetter(entry.id, entry.action, entry.payload, entry.transaction, entry.attempts, *row[-2:])

    def open_transactions(self) -> Iterator[OpenTransaction]:
        """The transactions that were opened and not closed yet, in their order: those that go on after a power cut."""
        for _, handle, number, start, time in self._pages(
            "SELECT number AS id, handle, transaction_id, start, queued_at FROM transactions WHERE start NOT NULL AND NOT closed"
        ):
            yield OpenTransaction(handle, number, json.loads(start), time)

    def transaction_id(self, handle: str) -> int | None:
        """What the CSMS calls a transaction: None if that is not known yet, -1 if it never will be (rule D10)."""
        with self._reading():
            transaction = self._transactions.find(handle)
            return None if transaction is None else transaction.transaction_id

    def knows(self, handle: str) -> bool:
        """Whether a transaction was begun here, and is not over with its last message gone."""
        with self._reading():
            return self._transactions.find(handle) is not None

    def count(self) -> int:
        """How many messages are queued."""
        with self._reading():
            self._recount()
            return self._totals[0]

    def size(self) -> int:
        """How many bytes of JSON their payloads have together."""
        with self._reading():
            self._recount()
            return self._totals[1]

    def changed_elsewhere(self) -> bool:
        """Whether another process has changed the file since this was asked last."""
        with self._reading():
            before, self._version = self._version, self._data_version()
            return self._version != before

    # --- Within the lock

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock:
            if self._closed:
                raise OutboxError(self._path, "the outbox is closed")
            with errors_of(self._path):
                yield

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """All of what is done in it, or nothing."""
        with self._reading():
            before = self._totals
            try:
                with writing(self._db):
                    self._recount()
                    before = self._totals
                    yield
            except (ValueError, OutboxFull):
                self._totals = before
                raise
            except BaseException:
                self._counted_at = -1  # it may be stored, or not
                raise
            self._bear_witness()

    def _bear_witness(self) -> None:
        if self._lock_file is not None:
            with suppress(sqlite3.Error):  # what was to be stored is
                newest, oldest = self._db.execute(
                    "SELECT seq, (SELECT min(id) FROM message) FROM sqlite_sequence WHERE name = 'message'"
                ).fetchone()
                self._lock_file.write(Witness(newest + 1 if oldest is None else oldest, newest))

    def _recount(self) -> None:
        """Count anew if another process has changed the file."""
        version = self._data_version()
        if version != self._counted_at:
            self._totals = self._db.execute("SELECT count(*), ifnull(sum(length(CAST(payload AS BLOB))), 0) FROM message").fetchone()
            self._counted_at = version

    def _data_version(self) -> int:
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def _problem(self, witness: Witness | None) -> str | None:
        if not self._path.exists():
            return "there is no such file"
        problem = problem_of(self._path, thorough=False)
        if problem is None and witness is not None and sequence_of(self._path) < witness.newest:
            problem = LAST_MISSING
        return problem and f"it is damaged ({problem}); it is repaired when it is opened to deliver from it"

    def _pages(self, query: str) -> Iterator[Any]:
        query = f"SELECT * FROM ({query}) WHERE id > ? ORDER BY id LIMIT {_PAGE}"  # noqa: S608
        number, more = 0, True
        while more:
            with self._reading():
                rows = self._db.execute(query, (number,)).fetchall()
            for row in rows:
                number = row[0]
                yield row
            more = len(rows) == _PAGE

    def _message(self, which: str, *values: Any) -> Message | None:
        row = self._db.execute(f"SELECT {_COLUMNS} FROM message WHERE {which}", values).fetchone()  # noqa: S608
        return None if row is None else Message._make(row)

    def _insert(self, message: Message) -> None:
        self._db.execute(f"INSERT INTO message VALUES ({_marks(message)})", message)  # noqa: S608
        self._totals = self._totals[0] + 1, self._totals[1] + len(message.payload.encode())

    def _remove(self, message: Message) -> None:
        self._db.execute("DELETE FROM message WHERE id = ?", (message.id,))
        self._totals = self._totals[0] - 1, self._totals[1] - len(message.payload.encode())
        self._transactions.forget_if_over(message.handle)

    def _remove_dead_letter(self, number: int) -> bool:
        row = self._db.execute("SELECT handle FROM dead_letter WHERE id = ?", (number,)).fetchone()
        if row is None:
            return False
        self._db.execute("DELETE FROM dead_letter WHERE id = ?", (number,))
        self._transactions.forget_if_over(row[0])
        return True

    def _forget_dead_letters(self) -> None:
        """Keep no more of them than of the queue, or a CSMS that refuses everything would fill the disk."""
        count, size = self._db.execute("SELECT count(*), sum(length(CAST(payload AS BLOB))) FROM dead_letter").fetchone()
        while count > self._max_messages or (size > self._max_bytes and count > 1):
            number, length = self._db.execute(
                "SELECT id, length(CAST(payload AS BLOB)) FROM dead_letter ORDER BY given_up_at, id LIMIT 1"
            ).fetchone()
            self._remove_dead_letter(number)
            count, size = count - 1, size - length
            _log.warning("The outbox %s has too many dead letters: number %d is forgotten", self._path, number)


def _marks(values: tuple[Any, ...]) -> str:
    return ", ".join("?" * len(values))
