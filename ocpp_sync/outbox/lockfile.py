"""The file beside an outbox's: who delivers from it, and a witness of how far it has come.

SQLite does not notice when its log is cut or gone: it goes on with what is left, as after a power cut. The witness does. It is a
record of the oldest and the newest message, written after each change, without a sync, which costs next to nothing.

It never says more than the database holds, unless that has lost something. It is written after COMMIT has returned; with
``synchronous=FULL`` the change is on disk by then, so whichever of the two writes a power cut forgets, the witness is behind or
equal. A killed process loses neither, as both are with the kernel. (With ``NORMAL`` a power cut may forget the change and keep the witness;
then messages are lost indeed, which that durability allows.) There are two places for the record, used in turn, each with a checksum:
a torn write leaves the record before.
"""

from __future__ import annotations

import fcntl
import os
import re
import weakref
import zlib
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ocpp_sync.errors import OutboxError

__all__ = ["LockFile", "Witness", "read_witness"]

_LINE = 96  # bytes: one for the process, two for the witness
_RECORD = re.compile(rb"(?P<body>change (?P<serial>\d+) oldest (?P<oldest>\d+) newest (?P<newest>\d+)) (?P<check>[0-9a-f]{8}) *\n")


class Witness(NamedTuple):
    """What was in the queue.

    Attributes:
        oldest: The id of the oldest message that was still queued; above ``newest`` when none was.
        newest: The highest id ever given.
    """

    oldest: int
    newest: int


class LockFile:
    """The lock of the one process that delivers, held until :meth:`close` or the end of the process.

    Raises:
        OutboxError: Another one holds it.
        OSError: The file cannot be written.
    """

    def __init__(self, path: Path, outbox: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = re.match(rb"process (\d+)", os.pread(self._file, _LINE, 0))
                who = (
                    "another process"
                    if holder is None
                    else "this process"
                    if int(holder[1]) == os.getpid()
                    else f"process {int(holder[1])}"
                )
                raise OutboxError(outbox, f"{who} delivers from it already; two would send everything twice") from None
            self._serial, self._written = _latest(self._file)
            os.pwrite(self._file, _line(f"process {os.getpid()}"), 0)
            if os.fstat(self._file).st_size < 3 * _LINE:
                os.pwrite(self._file, b" " * (2 * _LINE), _LINE)
            os.fsync(self._file)  # once: afterwards it is only written in place
        except BaseException:
            os.close(self._file)
            raise
        self._let_go = weakref.finalize(self, os.close, self._file)  # also when a client is forgotten that was never closed

    def write(self, witness: Witness) -> None:
        """Note how far the outbox has come; an error is none of its own, as the messages are stored by then."""
        if witness == self._written:
            return
        self._serial += 1
        body = f"change {self._serial} oldest {witness.oldest} newest {witness.newest}"
        with suppress(OSError):
            os.pwrite(self._file, _line(f"{body} {zlib.crc32(body.encode()):08x}"), _LINE * (1 + self._serial % 2))
        self._written = witness

    def close(self) -> None:
        """Let others have it."""
        self._let_go()


def read_witness(path: Path) -> Witness | None:
    """The witness in a lock file; None if it has none that can be read."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return _latest(file)[1]
    finally:
        os.close(file)


def _latest(file: int) -> tuple[int, Witness | None]:
    latest: tuple[int, Witness | None] = (0, None)
    for place in (1, 2):
        match = _RECORD.fullmatch(os.pread(file, _LINE, place * _LINE))
        if match and zlib.crc32(match["body"]) == int(match["check"], 16) and int(match["serial"]) > latest[0]:
            latest = int(match["serial"]), Witness(int(match["oldest"]), int(match["newest"]))
    return latest


def _line(text: str) -> bytes:
    return text.ljust(_LINE - 1).encode() + b"\n"
