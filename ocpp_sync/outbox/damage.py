"""What is done about a damaged file: it is set aside, and what can be read of it is put into a new one. Nothing is silently emptied.

The new file is made complete beside the old one. Its renaming to ``FILE.damaged-…-salvaged`` decides: from then on it stands for the
outbox, and what is left to do, to move the old files away and it to their place, is done again after a power cut.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from glob import escape
from pathlib import Path

from ocpp_sync.errors import OutboxError

from .database import APPLICATION_ID, FORMAT, PAGE_SIZE, SCHEMA, Message, Transaction, beside, connect, create, sync, writing
from .lockfile import Witness
from .records import Damage
from .salvage import log_goes_on, salvage

__all__ = ["LAST_MISSING", "make_ready", "problem_of", "refuse_others", "sequence_of", "take_damage"]

LAST_MISSING = "its last changes are missing"


_MAGIC = b"SQLite format 3\0"
_HEADER = 100  # bytes
_HEADERS_FIXED = _MAGIC + PAGE_SIZE.to_bytes(2, "big") + b"\2\2\0\x40\x20\x20"
_SHOWN_RANGES = 8
_SALVAGED = "-salvaged"
_NORMAL = "; the durability 'normal' allows that at a power cut"


def refuse_others(path: Path, witness: Witness | None) -> None:
    """Refuse what is no outbox, or one that is too new.

    Raises:
        OutboxError: It is refused; the message says why.
        OSError: It cannot be read.
    """
    if not path.exists():
        if not path.parent.is_dir():
            raise OutboxError(path, f"there is no folder {path.parent}")
        return
    if not path.is_file():
        raise OutboxError(path, "this is no regular file")
    header = _header(path)
    application, version = (int.from_bytes(header[place : place + 4], "big") for place in (68, 60))
    whole = len(header) == _HEADER and header.startswith(_MAGIC)
    # With a witness it was ours, whatever is in it now.
    if whole and application != APPLICATION_ID and witness is None:
        raise OutboxError(path, "this is an SQLite database of something else")
    if whole and application == APPLICATION_ID and version > FORMAT:
        raise OutboxError(path, f"its format is {version}, of a newer ocpp_sync; this one knows {FORMAT}")


def make_ready(path: Path, witness: Witness | None, durability: str) -> None:
    """Have a sound outbox at a path: as it is, made if it is missing, repaired if it is damaged.

    Raises:
        sqlite3.Error, OSError: That is not possible; nothing of what there was is lost.
    """
    _finish(path)
    newest = 0 if witness is None else witness.newest
    found, log = _size(path), _size(beside(path, "-wal"))
    if not found and not log:
        # Never used, or gone, which only the witness knows.
        if newest:
            _replace(path, witness, f"the file is {'missing' if found is None else 'empty'}")
        else:
            new = beside(path, "-new")
            create(new)
            _rename(new, path)
        return
    problem = "the file is missing" if found is None else problem_of(path)
    if problem is None:
        sequence = sequence_of(path)
        if witness is None or sequence >= newest:
            return
        problem = LAST_MISSING
        if not log_goes_on(path):
            _note(path, witness, sequence, f"{problem}{_NORMAL if durability == 'normal' else ''}")
            return
    _replace(path, witness, problem)


def take_damage(path: Path) -> Damage | None:
    """What was noted in the file when it was repaired; it is told once."""
    with closing(connect(path)) as db:
        row = db.execute("SELECT set_aside, salvaged, lost FROM damage ORDER BY rowid DESC").fetchone()
        if row is not None:
            with writing(db):
                db.execute("DELETE FROM damage")
    return None if row is None else Damage(*row)


def problem_of(path: Path, *, thorough: bool = True) -> str | None:
    """What is wrong with a file that is there; None if nothing is.

    Args:
        path: The file.
        thorough: Read all of it.

    Raises:
        sqlite3.Error, OSError: It cannot be read now, which does not mean that it is damaged.
    """
    header = _header(path)
    if not header.startswith(_HEADERS_FIXED) or len(header) < _HEADER:
        return "its beginning is not that of an outbox"
    try:
        with closing(connect(path, readonly=True)) as db:
            db.text_factory = lambda text: text.decode(errors="replace")
            tables = dict(db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"))
            if tables != SCHEMA or db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                return "its tables are not those of an outbox"
            if db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'message'").fetchone() is None:
                return "the number of its newest message is missing"
            return next(_broken(db), None) if thorough else None
    except sqlite3.DatabaseError as error:
        # What else goes wrong, such as a lock that is not given up, is an OperationalError; a bad sector too.
        if isinstance(error, sqlite3.OperationalError) and "disk I/O error" not in str(error):
            raise
        return str(error)


def sequence_of(path: Path) -> int:
    """The highest id ever given to a message of a sound file."""
    with closing(connect(path, readonly=True)) as db:
        return int(db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'message'").fetchone()[0])


def _broken(db: sqlite3.Connection) -> Iterator[str]:
    found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        yield " ".join(found.split())
    columns = ", ".join(Message._fields)
    for table in ("message", "dead_letter"):
        for message in map(Message._make, db.execute(f"SELECT {columns} FROM {table}")):  # noqa: S608
            if message != message.sealed():
                yield f"message {message.id} is not as it was written"
    for transaction in map(Transaction._make, db.execute(f"SELECT {', '.join(Transaction._fields)} FROM transactions")):  # noqa: S608
        if transaction != transaction.sealed():
            yield f"the transaction {transaction.handle!r} is not as it was written"


def _replace(path: Path, witness: Witness | None, problem: str) -> None:
    """Set a file aside, if there is one, and put a new one in its place with all that can be read of it."""
    aside = _free_name(path) if _size(path) or _size(beside(path, "-wal")) else None
    new = beside(path, "-new")
    create(new)
    with closing(connect(new)) as db, writing(db):
        newest = salvage(path, db, 0 if witness is None else witness.oldest)
        _mend_transactions(db)
        ids = _ids(db)
        if witness is not None:
            newest = max([witness.newest, *ids])
        oldest = witness.oldest if witness is not None else min(ids, default=newest + 1)
        lost = _ranges(oldest, newest, ids)
        saved = f"{_messages(len(ids))} {'was' if len(ids) == 1 else 'were'} salvaged" if aside else ""
        unknown = "" if witness else "how many came after these is not known"
        state = "what was known about transactions and given-up messages may be incomplete"
        _set_damage(
            db,
            newest,
            Damage(None if aside is None else str(aside), len(ids), "; ".join(filter(None, (problem, saved, lost, unknown, state)))),
        )
    if aside is None:
        _rename(new, path)
    else:
        _rename(new, beside(aside, _SALVAGED))
        _finish(path)


def _finish(path: Path) -> None:
    """Put a salvaged file in its place, if there is one, and the damaged one away."""
    for salvaged in path.parent.glob(f"{escape(path.name)}.damaged-*{_SALVAGED}"):
        aside = salvaged.with_name(salvaged.name.removesuffix(_SALVAGED))
        # The log first: SQLite would take it for the new file's.
        for suffix in ("-wal", "-shm", ""):
            if beside(path, suffix).exists():
                _rename(beside(path, suffix), beside(aside, suffix))
        _rename(salvaged, path)


def _note(path: Path, witness: Witness, sequence: int, problem: str) -> None:
    """Note what a file has lost that is sound by itself."""
    with closing(connect(path)) as db, writing(db):
        lost = _ranges(max(witness.oldest, sequence + 1), witness.newest, [])
        _set_damage(db, witness.newest, Damage(None, 0, f"{problem}; {lost}; what changed last about others may be forgotten"))


def _set_damage(db: sqlite3.Connection, newest: int, damage: Damage) -> None:
    db.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'message'", (newest,))  # no id is used twice
    db.execute("INSERT INTO damage VALUES (?, ?, ?)", damage)


def _mend_transactions(db: sqlite3.Connection) -> None:
    """Make up for transactions that were lost while messages of them are there, and the other way round."""
    known = {handle for (handle,) in db.execute("SELECT handle FROM transactions")}
    lost: dict[str, Transaction] = {}
    opening = set()
    columns = ", ".join(Message._fields)
    query = f"SELECT {columns} FROM message UNION ALL SELECT {columns} FROM dead_letter ORDER BY id"  # noqa: S608
    for message in map(Message._make, db.execute(query)):
        handle = message.handle
        if handle is None:
            continue
        if message.opens:
            opening.add(handle)
        if handle not in known:
            transaction = lost.get(handle, Transaction(handle))
            number = json.loads(message.payload).get("seqNo")
            lost[handle] = transaction._replace(
                next_number=number + 1 if isinstance(number, int) else transaction.next_number,
                closed=transaction.closed | message.closes,
                start=message.payload if message.opens else transaction.start,
                queued_at=message.time if message.opens else transaction.queued_at,
            )
    for transaction in lost.values():
        db.execute("INSERT INTO transactions VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", transaction.sealed())
    # Of 2.x (which numbers its messages) the id is known to all; of 1.6 it came with an answer, or is to come (rule D10).
    rows = db.execute(f"SELECT {', '.join(Transaction._fields)} FROM transactions WHERE transaction_id IS NULL AND NOT next_number")  # noqa: S608
    for transaction in map(Transaction._make, rows.fetchall()):
        if transaction.handle not in opening:
            sealed = transaction._replace(transaction_id=-1).sealed()
            db.execute("UPDATE transactions SET transaction_id = -1, checksum = ? WHERE handle = ?", (sealed.checksum, sealed.handle))


def _ids(db: sqlite3.Connection) -> list[int]:
    return [number for (number,) in db.execute("SELECT id FROM message UNION SELECT id FROM dead_letter ORDER BY id")]


def _ranges(first: int, last: int, there: list[int]) -> str:
    """Which messages from the first to the last are not there, in words."""
    gaps, count = [], 0
    for number in [*(number for number in there if number >= first), last + 1]:
        if number > first:
            gaps.append(f"{first}" if number == first + 1 else f"{first} to {number - 1}")
            count += number - first
        first = number + 1
    if not gaps:
        return "no message is missing"
    shown = ", ".join(gaps[:_SHOWN_RANGES]) + (", …" if len(gaps) > _SHOWN_RANGES else "")
    return f"{_messages(count)} may be lost: {shown}"


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"


def _header(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEADER)


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.exists() else None


def _free_name(path: Path) -> Path:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    endings = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
    names = (beside(path, f".damaged-{stamp}{ending}") for ending in endings)
    return next(name for name in names if not name.exists() and not beside(name, "-wal").exists())


def _rename(old: Path, new: Path) -> None:
    """Rename a file so that a power cut finds the one or the other."""
    sync(old)
    old.rename(new)
    sync(new.parent)
