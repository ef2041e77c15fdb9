"""The SQLite file in which a CSMS keeps what it knows."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ocpp_sync.errors import StateError
from ocpp_sync.outbox.database import beside, connect, sync

from . import books
from .records import ChargePoint, Transaction

__all__ = ["StateFile"]

_APPLICATION_ID = 0x4F43534D  # "OCSM"
_FORMAT = 1

_CHARGE_POINT = ("identity", "version", "vendor", "model", "serial_number", "firmware", "booted", "last_seen", "connectors", "meter")
_TRANSACTION = (
    *("identity", "id", "connector", "token", "authorized", "started", "ended", "reason", "state", "seq_no", "meter_start", "meter_last"),
)
_SCHEMA = (
    f"CREATE TABLE charge_point ({', '.join(_CHARGE_POINT)}, PRIMARY KEY (identity))",
    "CREATE TABLE variable (identity, name, value, PRIMARY KEY (identity, name))",
    # The id of 1.6 is a number, that of 2.x a text: a column without a type keeps both as they are.
    f"CREATE TABLE charging ({', '.join(_TRANSACTION)}, PRIMARY KEY (identity, id))",
    "CREATE INDEX charging_open ON charging (identity) WHERE ended IS NULL",
)
_SEEN_LAST = f"SELECT {', '.join(_CHARGE_POINT)} FROM charge_point ORDER BY last_seen DESC, rowid DESC LIMIT ?"  # noqa: S608
_VARIABLES = "SELECT name, value FROM variable WHERE identity = ? LIMIT ?"
_KEPT_IN_MEMORY = f"""SELECT {", ".join(_TRANSACTION)} FROM charging
 WHERE rowid IN (SELECT rowid FROM charging WHERE ended IS NULL ORDER BY rowid DESC LIMIT ?)
 OR rowid > (SELECT max(rowid) FROM charging) - ? ORDER BY rowid"""  # noqa: S608

_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**63 - 1  # of SQLite


class StateFile:
    """The file, open for this process alone; one thread may use it at a time.

    Each :meth:`write` is a transaction of SQLite: a power cut leaves what was there before, or all of it.

    Args:
        path: The file; made if it is not there, or empty.

    Raises:
        StateError: It cannot be used.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        with self._errors():
            try:
                self._lock = os.open(beside(self._path, "-lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except ValueError:  # "", "/", or a zero byte
                raise StateError(repr(os.fspath(path)), "this is no name of a file") from None
            try:
                self._db = self._open()
            except BaseException:
                os.close(self._lock)
                raise

    def _open(self) -> sqlite3.Connection:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateError(self._path, "another server uses it; each needs a file of its own") from None
        if not self._path.exists():
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600))  # id tags are in it
        db = connect(self._path)
        try:
            if _is_empty(db):
                self._create(db)
            else:
                self._check(db)
        except BaseException:
            db.close()
            raise
        return db

    def _create(self, db: sqlite3.Connection) -> None:
        db.execute("PRAGMA journal_mode = WAL")
        with db:
            db.execute("BEGIN IMMEDIATE")
            db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {_FORMAT}")
            for statement in _SCHEMA:
                db.execute(statement)
        sync(self._path.parent)

    def _check(self, db: sqlite3.Connection) -> None:
        (application,), (number,) = (db.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version"))
        if application != _APPLICATION_ID:
            raise StateError(self._path, "this is the database of another program, no state file of a CSMS")
        if number != _FORMAT:
            raise StateError(self._path, f"it has the format {number} of a newer ocpp-sync; this one knows {_FORMAT}")
        db.execute("PRAGMA journal_mode = WAL")

    def load(self) -> tuple[Iterator[ChargePoint], list[Transaction], int]:
        """What is in it, as far as it is kept in memory.

        Returns:
            The charge points, the one that was seen last first, each read when it is asked for; the transactions, oldest first; and the
            highest transaction id of 1.6.

        Raises:
            StateError: The file is damaged.
        """
        with self._errors(damaged=True):
            transactions = [_transaction(row) for row in self._db.execute(_KEPT_IN_MEMORY, (books.MAX_OPEN, books.MAX_ENDED))]
            (highest,) = self._db.execute("SELECT max(id) FROM charging WHERE typeof(id) = 'integer'").fetchone()
        return self._charge_points(), transactions, highest or 0

    def _charge_points(self) -> Iterator[ChargePoint]:
        with self._errors(damaged=True):
            for row in self._db.execute(_SEEN_LAST, (books.MAX_CHARGE_POINTS,)):
                point = _charge_point(row)
                point.variables.update(self._db.execute(_VARIABLES, (point.identity, books.MAX_VARIABLES)))
                yield point

    def write(
        self,
        charge_points: Iterable[ChargePoint],
        variables: Mapping[tuple[str, str], str | None],
        transactions: Iterable[Transaction],
        *,
        durably: bool,
    ) -> None:
        """Write records in the place of those of before.

        Args:
            charge_points: Without their variables.
            variables: By identity and name.
            transactions: Those that are new, or have changed.
            durably: Whether they must survive a power cut from now on; a killed process loses nothing in either case.

        Raises:
            StateError: The disk is full or broken; nothing has been written.
        """
        with self._errors():
            if self._db.in_transaction:  # of a write that was interrupted
                self._db.execute("ROLLBACK")
            self._db.execute(f"PRAGMA synchronous = {'FULL' if durably else 'NORMAL'}")
            with self._db:  # and no generator, which Ctrl-C can leave in the middle of its block
                self._db.execute("BEGIN IMMEDIATE")
                _put(self._db, "charge_point", _CHARGE_POINT, charge_points)
                rows = ([_plain(part) for part in (*key, value)] for key, value in variables.items())
                self._db.executemany("INSERT OR REPLACE INTO variable VALUES (?, ?, ?)", rows)
                _put(self._db, "charging", _TRANSACTION, transactions)

    def close(self) -> None:
        """Close it, and let others have it."""
        try:
            self._db.close()
        except sqlite3.Error:
            pass
        finally:
            os.close(self._lock)

    @contextmanager
    def _errors(self, *, damaged: bool = False) -> Iterator[None]:
        try:
            yield
        except (ValueError, TypeError) as error:
            if not damaged:
                raise
            raise StateError(self._path, f"it is damaged: {error}") from error
        except OverflowError as error:
            raise StateError(self._path, f"it cannot hold a number: {error}") from error
        except sqlite3.Error as error:
            what = f"this is no state file of a CSMS: {error}" if "not a database" in str(error) else str(error)
            raise StateError(self._path, what) from error
        except OSError as error:
            raise StateError(self._path, error.strerror or str(error)) from error


def _is_empty(db: sqlite3.Connection) -> bool:
    """Whether it is new, or was left so by who was killed while making it."""
    (tables,), (application,) = (db.execute(query).fetchone() for query in ("SELECT count(*) FROM sqlite_master", "PRAGMA application_id"))
    return bool(tables == 0 and application == 0)


def _put(db: sqlite3.Connection, table: str, columns: tuple[str, ...], records: Iterable[Any]) -> None:
    # Not "OR REPLACE", which would give the row a new place in the order.
    key = "identity, id" if "id" in columns else "identity"
    update = ", ".join(f"{column} = excluded.{column}" for column in columns)
    statement = f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))}) ON CONFLICT ({key}) DO UPDATE SET {update}"  # noqa: S608
    db.executemany(statement, ([_plain(getattr(record, column)) for column in columns] for record in records))


def _plain(value: Any) -> Any:
    """What SQLite can hold, whatever the value: one that it cannot would keep all others out of the file."""
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, int):
        return max(_MIN_INTEGER, min(value, _MAX_INTEGER))
    text = json.dumps(value) if isinstance(value, dict) else str(value)
    return text.encode(errors="replace").decode()  # half a surrogate pair, which JSON can carry, and SQLite cannot


def _charge_point(row: tuple[Any, ...]) -> ChargePoint:
    named = dict(zip(_CHARGE_POINT, row, strict=True))
    return ChargePoint(**{**named, "connectors": json.loads(named["connectors"]), "meter": json.loads(named["meter"])})


def _transaction(row: tuple[Any, ...]) -> Transaction:
    named = dict(zip(_TRANSACTION, row, strict=True))
    return Transaction(**{**named, "authorized": bool(named["authorized"])})
