"""The SQLite file of an outbox: its tables, its rows, and how it is opened.

What makes it durable, from SQLite's documentation (https://sqlite.org/wal.html, pragma.html, psow.html):

- In WAL mode a transaction is appended to the file's ``-wal``. With ``synchronous=FULL`` that is synced before COMMIT returns: one
  fdatasync for each change. With ``NORMAL`` it is not: a power cut may take the last changes back, in order, and never breaks the file.
- A page is as large as a sector of a card or disk, and ``psow=0`` fills the log up to the end of a sector with each commit (its last page
  once more): a power cut while a sector is written cannot reach what was committed before, even on a card that loses that sector.
- About every 250 pages the log is copied into the file and begun again in place, so it stays near one megabyte.
- Two processes may use the file at once; who finds it locked waits.
"""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from ocpp_sync.errors import OutboxError

__all__ = [
    "APPLICATION_ID",
    "FORMAT",
    "PAGE_SIZE",
    "SCHEMA",
    "Message",
    "Transaction",
    "beside",
    "connect",
    "create",
    "errors_of",
    "sync",
    "writing",
]

APPLICATION_ID = 0x4F434A51  # "OCJQ"
FORMAT = 1
PAGE_SIZE = 4096  # bytes

_BUSY_TIMEOUT = 10.0  # seconds, that another process may hold the file
_CACHE = 256  # KiB
_WAL_PAGES = 250
_WAL_LIMIT = 4 * 1024 * 1024  # bytes; it is cut to this if a reader has kept it growing

# Salvage tells the tables apart by their number of columns.
_MESSAGE = """id INTEGER PRIMARY KEY{}, action TEXT NOT NULL, handle TEXT, opens INTEGER NOT NULL, closes INTEGER NOT NULL,
 droppable INTEGER NOT NULL, link TEXT, process TEXT NOT NULL, monotonic NOT NULL, time NOT NULL, time_known INTEGER NOT NULL,
 attempts INTEGER NOT NULL, checksum INTEGER NOT NULL, payload TEXT NOT NULL"""
SCHEMA = {
    "message": f"CREATE TABLE message ({_MESSAGE.format(' AUTOINCREMENT')})",
    "dead_letter": f"CREATE TABLE dead_letter ({_MESSAGE.format('')}, reason TEXT NOT NULL, given_up_at NOT NULL)",
    "transactions": """CREATE TABLE transactions (number INTEGER PRIMARY KEY, handle TEXT NOT NULL UNIQUE, transaction_id INTEGER,
 next_number INTEGER NOT NULL, queued_at NOT NULL, closed INTEGER NOT NULL, checksum INTEGER NOT NULL, start TEXT)""",
    "damage": "CREATE TABLE damage (set_aside TEXT, salvaged INTEGER NOT NULL, lost TEXT NOT NULL)",
}


class Message(NamedTuple):
    """A row of ``message``, and the beginning of one of ``dead_letter``."""

    id: int
    action: str
    handle: str | None
    opens: int
    closes: int
    droppable: int
    link: str | None
    process: str
    monotonic: float
    time: float
    time_known: int
    attempts: int
    checksum: int
    payload: str

    def sealed(self) -> Message:
        """The same with its checksum. What changes is not in it, so that a change needs no new one."""
        return self._replace(checksum=_checksum(*self[:11], self.payload))


class Transaction(NamedTuple):
    """A row of ``transactions``, without its number. ``start`` is None if no message that opens it was put."""

    handle: str
    transaction_id: int | None = None
    next_number: int = 0
    queued_at: float = 0.0
    closed: int = 0
    checksum: int = 0
    start: str | None = None

    def sealed(self) -> Transaction:
        """The same with its checksum."""
        return self._replace(checksum=_checksum(*self[:5], self.start))


def _checksum(*values: Any) -> int:
    """A checksum of plain values, the same with every Python."""
    return zlib.crc32(json.dumps(values).encode())


def beside(path: Path, suffix: str) -> Path:
    """The companion of a file."""
    return path.with_name(path.name + suffix)


def connect(path: Path, *, durability: str = "full", readonly: bool = False) -> sqlite3.Connection:
    """Open a file that is there; one opened for reading leaves the file and its log as they are, closing included."""
    uri = f"file:{quote(os.fsencode(path))}?mode={'ro' if readonly else 'rw'}&psow=0"
    connection = sqlite3.connect(uri, timeout=_BUSY_TIMEOUT, isolation_level=None, check_same_thread=False, uri=True)
    try:
        connection.execute(f"PRAGMA cache_size = -{_CACHE}")
        if not readonly:
            connection.execute(f"PRAGMA synchronous = {durability.upper()}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
            connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT}")
            connection.execute("PRAGMA secure_delete = FAST")  # some builds have it on, which writes more
    except BaseException:
        connection.close()
        raise
    return connection


def create(path: Path) -> None:
    """Make an empty outbox, complete and on disk. Whatever is at the path is replaced."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        beside(path, suffix).unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # id tags are in it
    with closing(connect(path)) as db:
        db.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        db.execute("PRAGMA auto_vacuum = NONE")
        # In this mode from the start: no rollback journal ever belongs to an outbox.
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("BEGIN IMMEDIATE")
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {FORMAT}")
        for statement in SCHEMA.values():
            db.execute(statement)
        db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('message', 0)")
        db.execute("COMMIT")


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def writing(db: sqlite3.Connection) -> Iterator[None]:
    """A transaction of the database: all of it or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # else SQLite has taken it back already
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
        raise


@contextmanager
def errors_of(path: Path) -> Iterator[None]:
    """Errors of SQLite and of the system as an OutboxError that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        raise OutboxError(path, str(error)) from error
    except OSError as error:
        raise OutboxError(path, error.strerror or str(error)) from error
