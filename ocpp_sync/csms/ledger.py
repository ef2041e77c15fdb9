"""The books of a CSMS, for many threads, and in a file if there is one."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum
from os import PathLike
from typing import TYPE_CHECKING

from .books import MAX_ENDED, Books, Changed
from .errors import StateError

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
    """Hands out the books, to one thread at a time, and writes what has changed in them.

    Whoever writes takes along what the others have changed meanwhile, so those find nothing left to do: many charge points cost one
    sync of the disk, and the books are not held while that lasts.

    Args:
        path: The file; None keeps everything in memory alone.

    Raises:
        StateError: The file cannot be used.
    """

    def __init__(self, path: str | PathLike[str] | None) -> None:
        self._lock = threading.Lock()
        self._saving = threading.Lock()  # taken before the other one, never after it
        self._file: StateFile | None = None
        self._saved_at = time.monotonic()
        self.problems: Counter[str] = Counter()
        if path is None:
            self._books = Books([], [], 0)
            return
        from .state_file import StateFile  # here, since it imports sqlite3

        file = StateFile(path)
        try:
            self._books = Books(*file.load(MAX_ENDED))
        except BaseException:
            file.close()
            raise
        self._file = file

    @contextmanager
    def open(self, save: Save | None = None) -> Iterator[Books]:
        """The books; nobody else has them as long as the block runs.

        Args:
            save: When what is changed must be in the file; None changes nothing.
        """
        with self._lock:
            books = self._books
            try:
                yield books
            finally:
                found, books.found = books.found, []
                self.problems.update(kind for kind, _ in found)
                if self._file is None:
                    books.changed = Changed()
                elif save is Save.DURABLY:
                    books.changed.durably = True
        for kind, text in found:
            self._complain(kind, text)
        if save is Save.LATER and time.monotonic() - self._saved_at < _LATER:
            return
        if save is not None:
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
            with self._lock:
                changed, self._books.changed = self._books.changed, Changed()
                # Copies: the records may change while they are written.
                charge_points = [point.copy(with_variables=False) for point in changed.charge_points.values()]
                transactions = [replace(transaction) for transaction in changed.transactions.values()]
            self._saved_at = time.monotonic()
            if not changed:
                return None
            try:
                self._file.write(charge_points, changed.variables, transactions, durably=changed.durably)
            except StateError as error:
                with self._lock:
                    self._books.changed = changed.before(self._books.changed)
                    self.problems[_NOT_WRITTEN] += 1
                return error
            return None

    def close(self) -> None:
        """Write what is left, and close the file; the books stay, in memory."""
        self._save()
        with self._saving:
            file, self._file = self._file, None
        if file is not None:
            file.close()
