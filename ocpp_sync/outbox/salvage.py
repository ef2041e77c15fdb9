"""Reads the rows out of a damaged file and its log, page by page, without the help of the pages that lead to them.

It knows just enough of SQLite's file format (https://sqlite.org/fileformat2.html): the leaves of tables, the records in them, the
pages that continue a record, the list of free pages, and the frames of the log. Rows have a checksum, so what is found is right.

Of each page the newest version is read, which may be in the log. If it does not make sense, the older ones are read too: a message
that is sent again does less harm than one that is lost.
"""

from __future__ import annotations

import os
import sqlite3
import struct
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from .database import PAGE_SIZE, Message, Transaction, beside

__all__ = ["log_goes_on", "salvage"]

_WAL_HEADER, _FRAME_HEADER = 32, 24
_FRAME = _FRAME_HEADER + PAGE_SIZE
_WAL_MAGIC = 0x377F0682  # and this + 1, when checksums are big-endian
_TABLE_LEAF, _OTHER_TREE_PAGES = 0x0D, (0x02, 0x05, 0x0A)
_LEAST_CELL = 4  # bytes that a cell takes at least
_USABLE = PAGE_SIZE  # no bytes are reserved
_MAX_LOCAL = _USABLE - 35
_MIN_LOCAL = (_USABLE - 12) * 32 // 255 - 23
_MESSAGE, _DEAD_LETTER, _TRANSACTION, _SEQUENCE = len(Message._fields), len(Message._fields) + 2, len(Transaction._fields) + 1, 2
_MAX_ID = 2**53  # there are never as many; SQLite stops at 2 ** 63
_INTEGER_SIZES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}

Row = tuple[int, list[Any]]


def salvage(path: Path, target: sqlite3.Connection, oldest: int) -> int:
    """Copy every row that can be read into an empty outbox, with its id.

    Args:
        path: The damaged file; it may be missing, if it has a log.
        target: The new outbox, within a transaction.
        oldest: Messages before this id were not queued any more; used where it is not certain that a page was still in use.

    Returns:
        The highest id that the damaged file knew of.
    """
    newest = 0
    with _Pages(path) as pages:
        free = pages.free()
        doubtful = []
        for number in pages.numbers():
            if number in (free or ()):
                continue
            rows, sound = pages.rows(number)
            newest = max([newest, *(_store(target, row, oldest if free is None else 0) for row in rows)])
            if not sound:
                doubtful.append(number)
        for number in doubtful:
            if number in pages.continued:  # it continues a row that was read
                continue
            for age in range(1, pages.versions(number)):
                rows, sound = pages.rows(number, age)
                newest = max([newest, *(_store(target, row, oldest) for row in rows)])
                if sound:
                    break
    # A page that was not in use any more may still have had a message of before its giving up, or its retry.
    target.execute("DELETE FROM dead_letter WHERE id IN (SELECT id FROM message)")
    return newest


def log_goes_on(path: Path) -> bool:
    """Whether the log of a file has transactions that SQLite will not read, because something before them is broken."""
    with _Pages(path) as pages:
        return pages.broken_off


def _store(target: sqlite3.Connection, row: Row, oldest: int) -> int:
    """Store a row if it is one of ours, whole, and not there yet; returns the highest id that it tells of."""
    number, values = row
    if len(values) in (_MESSAGE, _DEAD_LETTER):
        message = Message(number, *values[1:_MESSAGE])
        if len(values) == _DEAD_LETTER:
            target.execute(_insert("dead_letter", _DEAD_LETTER), (*message, *values[_MESSAGE:]))
        elif number >= oldest:
            target.execute(_insert("message", _MESSAGE), message)
        return number
    if len(values) == _TRANSACTION:
        target.execute(_insert("transactions", _TRANSACTION), (number, *values[1:]))
    return int(values[1]) if len(values) == _SEQUENCE else 0


def _insert(table: str, columns: int) -> str:
    return f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * columns)})"  # noqa: S608


def _intact(row: Row) -> bool:
    """Whether the checksum of a row is right, or it is of a table that has none."""
    number, values = row
    try:
        if len(values) in (_MESSAGE, _DEAD_LETTER):
            message = Message(number, *values[1:_MESSAGE])
            kinds = [int, str, float][: 1 + len(values) - _MESSAGE]
            return message == message.sealed() and all(map(isinstance, (message.attempts, *values[_MESSAGE:]), kinds))
        if len(values) == _TRANSACTION:
            transaction = Transaction(*values[1:])
            return transaction == transaction.sealed()
    except TypeError:  # bytes where none belong
        return False
    return len(values) != _SEQUENCE or (isinstance(values[1], int) and 0 <= values[1] <= _MAX_ID)


class _Pages:
    """The pages of a file and its log, each in all its versions."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = ExitStack()
        self._file: int | None = None
        self._log: int | None = None
        self._in_log: dict[int, list[int]] = {}  # where each page is, newest last
        self.broken_off = False
        self.continued: set[int] = set()

    def __enter__(self) -> _Pages:
        self._file, self._log = self._open(self._path), self._open(beside(self._path, "-wal"))
        if self._log is not None:
            self._read_log(self._log)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _open(self, path: Path) -> int | None:
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        self._stack.callback(os.close, file)
        return file

    def _read_log(self, log: int) -> None:
        """Find the frames of this generation of the log, up to the last that ends a transaction."""
        header = _read(log, 0, _WAL_HEADER)
        big = header[3:4] != b"\x82"
        # Each frame has the sums of all before it and its own: those of the one before tell whether it is right.
        before = _sum(header[:24], b"\0" * 8, big) if len(header) == _WAL_HEADER else b""
        sound = chain = header[24:] == before and int.from_bytes(header[:4], "big") & ~1 == _WAL_MAGIC
        salt = header[16:24] if sound else _read(log, _WAL_HEADER + 8, 8)
        pending: list[tuple[int, int]] = []
        for place in range(_WAL_HEADER, os.fstat(log).st_size - _FRAME + 1, _FRAME):
            frame = _read(log, place, _FRAME)
            if len(frame) < _FRAME or frame[8:16] != salt:  # broken, or of an earlier generation
                sound = chain = False
                continue
            right = _sum(frame[_FRAME_HEADER:], _sum(frame[:8], before, big), big) == frame[16:24]
            wrong = sound and not right
            before, sound, chain = frame[16:24], right, chain and right
            if wrong:
                continue
            page, ends = struct.unpack_from(">II", frame)
            pending.append((page, place + _FRAME_HEADER))
            if ends:
                self.broken_off = self.broken_off or not chain
                for number, where in pending:
                    self._in_log.setdefault(number, []).append(where)
                pending.clear()

    def numbers(self) -> list[int]:
        """All pages there are."""
        size = 0 if self._file is None else os.fstat(self._file).st_size
        in_file = -(-size // PAGE_SIZE)
        return [*range(1, in_file + 1), *sorted(number for number in self._in_log if number > in_file)]

    def versions(self, number: int) -> int:
        """How many versions of a page there may be."""
        return len(self._in_log.get(number, ())) + 1

    def page(self, number: int, age: int = 0) -> bytes:
        """A page; ``age`` 0 is its newest version. What cannot be read is zeros."""
        places = self._in_log.get(number, [])
        data = b""
        if age < len(places):
            data = b"" if self._log is None else _read(self._log, places[-1 - age], PAGE_SIZE)
        elif self._file is not None and number > 0:
            data = _read(self._file, (number - 1) * PAGE_SIZE, PAGE_SIZE)
        return data.ljust(PAGE_SIZE, b"\0")

    def free(self) -> set[int] | None:
        """The pages that are not in use; None if that cannot be known."""
        head = self.page(1)
        trunk, count = struct.unpack_from(">II", head, 32)
        free: set[int] = set()
        while trunk:
            following, leaves = struct.unpack_from(">II", self.page(trunk))
            if trunk in free or leaves > PAGE_SIZE // 4 - 2 or len(free) > count:
                return None
            free |= {trunk, *struct.unpack_from(f">{leaves}I", self.page(trunk), 8)}
            trunk = following
        return free if len(free) == count and head.startswith(b"SQLite format 3\0") else None

    def rows(self, number: int, age: int = 0) -> tuple[list[Row], bool]:
        """The rows of a page that are whole, and whether the page made sense as a whole."""
        data, start = self.page(number, age), 100 if number == 1 else 0
        kind, cells = data[start], int.from_bytes(data[start + 3 : start + 5], "big")
        if kind in _OTHER_TREE_PAGES and cells * _LEAST_CELL < PAGE_SIZE:
            return [], True
        if kind != _TABLE_LEAF or cells * _LEAST_CELL > PAGE_SIZE:
            return [], False
        rows, sound = [], True
        for (place,) in struct.iter_unpack(">H", data[start + 8 : start + 8 + 2 * cells]):
            try:
                row, continued = self._cell(data, place)
            except (ValueError, IndexError, struct.error):
                sound = False
                continue
            if _intact(row):
                rows.append(row)
                self.continued |= continued
            else:
                sound = False
        return rows, sound

    def _cell(self, page: bytes, place: int) -> tuple[Row, set[int]]:
        size, place = _varint(page, place)
        number, place = _varint(page, place)
        local = size
        if size > _MAX_LOCAL:
            local = _MIN_LOCAL + (size - _MIN_LOCAL) % (_USABLE - 4)
            local = local if local <= _MAX_LOCAL else _MIN_LOCAL
        parts, have, continued = [page[place : place + local]], local, set[int]()
        following = int.from_bytes(page[place + local : place + local + 4], "big") if local < size else 0
        while have < size:
            if following in continued or not following:
                raise ValueError("a row has no end")
            continued.add(following)
            more = self.page(following)
            parts.append(more[4 : 4 + size - have])
            have += len(parts[-1])
            following = int.from_bytes(more[:4], "big")
        return (number, _record(b"".join(parts))), continued


def _record(data: bytes) -> list[Any]:
    end, place = _varint(data, 0)
    body, values = end, list[Any]()
    while place < end:
        kind, place = _varint(data, place)
        size = _INTEGER_SIZES.get(kind, 8 if kind == 7 else (kind - 12) // 2 if kind >= 12 else 0)
        part = data[body : body + size]
        body += size
        if len(part) < size or kind in (10, 11):
            raise ValueError("a row is cut off")
        if kind in _INTEGER_SIZES:
            values.append(int.from_bytes(part, "big", signed=True))
        elif kind == 7:
            values.append(struct.unpack(">d", part)[0])
        elif kind >= 12:
            values.append(part.decode() if kind % 2 else part)
        else:
            values.append({0: None, 8: 0, 9: 1}[kind])
    if body != len(data) or place != end:
        raise ValueError("a row is longer than what is in it")
    return values


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = 0
    for index in range(place, place + 8):
        byte = data[index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, index + 1
    return value << 8 | data[place + 8], place + 9


def _sum(data: bytes, before: bytes, big: bool) -> bytes:
    first, second = struct.unpack(">II", before)
    for left, right in struct.iter_unpack(">II" if big else "<II", data):
        first = (first + left + second) & 0xFFFFFFFF
        second = (second + right + first) & 0xFFFFFFFF
    return struct.pack(">II", first, second)


def _read(file: int, place: int, size: int) -> bytes:
    try:
        return os.pread(file, size, place)
    except OSError:  # a bad sector
        return b""
