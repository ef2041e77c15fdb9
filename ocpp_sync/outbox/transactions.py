"""What is known of transactions: their ids (rule D10), their numbers (rule D11), and which of them go on."""

from __future__ import annotations

import sqlite3

from .database import Transaction

__all__ = ["NEVER_KNOWN", "Transactions"]

NEVER_KNOWN = -1  # rule D10

_COLUMNS = ", ".join(Transaction._fields)
_MARKS = ", ".join("?" * len(Transaction._fields))


class Transactions:
    """The table of them. Who calls has the lock, and a transaction of the database."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def find(self, handle: str) -> Transaction | None:
        """The transaction of a handle."""
        row = self._db.execute(f"SELECT {_COLUMNS} FROM transactions WHERE handle = ?", (handle,)).fetchone()  # noqa: S608
        return None if row is None else Transaction._make(row)

    def expect(self, handle: str, *, opens: bool, numbered: bool, now: float) -> Transaction:
        """The transaction that a new message belongs to, made if the message may be its first.

        Raises:
            ValueError: It is not known, or is there already and cannot be opened.
        """
        known = self.find(handle)
        if known is not None and opens:
            raise ValueError(f"the transaction {handle!r} is there already")
        if known is None and not (opens or numbered):
            raise ValueError(
                f"the transaction {handle!r} is not known: no message has opened it, or it is over and its last message is gone"
            )
        return known or Transaction(handle, queued_at=now)

    def save(self, transaction: Transaction) -> None:
        """Store what has changed, if anything has."""
        known = self.find(transaction.handle)
        if known is None:
            self._db.execute(f"INSERT INTO transactions ({_COLUMNS}) VALUES ({_MARKS})", transaction.sealed())  # noqa: S608
        elif known != transaction:
            values = (*transaction.sealed(), transaction.handle)
            self._db.execute(f"UPDATE transactions SET ({_COLUMNS}) = ({_MARKS}) WHERE handle = ?", values)  # noqa: S608

    def name(self, handle: str | None, transaction_id: int | None) -> None:
        """Set what the CSMS calls a transaction."""
        transaction = None if handle is None else self.find(handle)
        if transaction is not None:
            self.save(transaction._replace(transaction_id=transaction_id))

    def forget_if_over(self, handle: str | None) -> None:
        """Forget a transaction that is closed and has no message any more."""
        transaction = None if handle is None else self.find(handle)
        if transaction is None or not transaction.closed:
            return
        # Reads the whole queue, but only for the last message: of the others, the next one is near.
        left = "SELECT 1 FROM message WHERE handle = ? UNION ALL SELECT 1 FROM dead_letter WHERE handle = ? LIMIT 1"
        if self._db.execute(left, (handle, handle)).fetchone() is None:
            self._db.execute("DELETE FROM transactions WHERE handle = ?", (handle,))
