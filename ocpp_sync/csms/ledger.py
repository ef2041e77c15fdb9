"""The books of a CSMS, for many threads, and in a file if there is one."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from dataclasses import replace
from enum import Enum
from os import PathLike
from typing import TYPE_CHECKING

from ocpp_sync.errors import StateError

from .books import Books, Changed

if TYPE_CHECKING:
    from .state_file import StateFile

__all__ = ["Ledger", "Save"]

_log = logging.getLogger("ocpp_sync.csms")

_NOT_WRITTEN = "state that could not be written"
_MAX_COMPLAINTS = 50  # warnings in the log about one kind of problem
_LATER = 1.0  # seconds


class Save(Enum):
    """When a change must be in the file."""

    DURABLY = "before the answer goes out, and a power cut must not take it back"
    NOW = "before the answer goes out"
    LATER = "with whatever comes next, a second after the last time"


class Ledger:
    """The books, for one thread at a time, and in a file what has changed in them.

    Who changes them holds the lock by a plain ``with``, and calls :meth:`settle` after it.

    Whoever writes takes along what the others have changed meanwhile, so those find nothing left to do: many charge points cost one
    sync of the disk, and the books are not held while that lasts.

    Args:
        path: The file; None keeps everything in memory alone.

    Raises:
        StateError: The file cannot be used.

    Attributes:
        lock: Guards the books and the problems.
        books: The books.
        problems: What has made no sense, and how often.
    """

    def __init__(self, path: str | PathLike[str] | None) -> None:
        self.lock = threading.Lock()
        self._saving = threading.Lock()  # taken before the other one, never after it
        self._file: StateFile | None = None
        self._saved_at = time.monotonic()
        self.problems: Counter[str] = Counter()
        if path is None:
            self.books = Books([], [], 0)
            return
        from .state_file import StateFile  # here, since it imports sqlite3

        file = StateFile(path)
        try:
            self.books = Books(*file.load())
        except BaseException:
            file.close()
            raise
        self._file = file

    def settle(self, save: Save) -> None:
        """Count and log the problems that were found, and write what has changed. The lock must not be held.

        Args:
            save: When what is changed must be in the file.
        """
        with self.lock:
            found, self.books.found = self.books.found, []
            self.problems.update(kind for kind, _ in found)
            if self._file is None:
                self.books.changed = Changed()
        for kind, text in found:
            self._complain(kind, text)
        if save is not Save.LATER or time.monotonic() - self._saved_at >= _LATER:
            self._save()

    def _complain(self, kind: str, text: str) -> None:
        count = self.problems[kind]
        level = logging.WARNING if count <= _MAX_COMPLAINTS else logging.DEBUG
        more = "; further ones of this kind are logged as DEBUG" if count == _MAX_COMPLAINTS else ""
        _log.log(level, "%s%s", text, more)

    def _save(self) -> None:
        error = self._write()
        if error is not None:
            self._complain(_NOT_WRITTEN, f"the state could not be written, and is kept in memory: {error}")

    def _write(self) -> StateError | None:
        """Write what has changed; returns why it could not be written, and is to be written next time."""
        with self._saving:
            if self._file is None:
                return None
            changed = Changed()
            try:
                with self.lock:
                    changed, self.books.changed = self.books.changed, Changed()
                    # Copies: the records may change while they are written.
                    charge_points = [point.copy(with_variables=False) for point in changed.charge_points.values()]
                    transactions = [replace(transaction) for transaction in changed.transactions.values()]
                self._saved_at = time.monotonic()
                if changed:
                    self._file.write(charge_points, changed.variables, transactions, durably=changed.durably)
            except BaseException as error:
                with self.lock:
                    self.books.changed = changed.before(self.books.changed)
                    if isinstance(error, StateError):
                        self.problems[_NOT_WRITTEN] += 1
                        return error
                raise
            return None

    def close(self) -> None:
        """Write what is left, and close the file; the books stay, in memory."""
        self._save()
        with self._saving:
            file, self._file = self._file, None
        if file is not None:
            file.close()
