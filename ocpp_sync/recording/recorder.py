"""Writes the frames of connections into a file, one a line."""

from __future__ import annotations

import json
import logging
import os
import select
import stat
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ocpp_sync.redaction import redact as redacted

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from ocpp_sync.client import OcppClient
    from ocpp_sync.server import OcppServer

__all__ = ["Recorder"]

_log = logging.getLogger("ocpp_sync")

_FOR_THE_OWNER = 0o600  # frames hold idTags and the like
_PATIENCE = 0.5  # seconds for a line; what records is the thread that reads the link


class Recorder:
    """Records the frames of clients and servers, each as a JSON object on a line of its own.

    ::

        with Recorder("session.jsonl") as recorder, OcppServer() as server:
            recorder.attach(server)
            server.listen(9220)
            …

    A line has ``time`` (UTC, microseconds), ``identity``, ``side`` (who recorded it, ``"CS"`` or ``"CSMS"``), ``version``, ``link``
    (another number for each link), ``direction`` (``"in"`` or ``"out"``, seen from there) and ``text``. Each is in the file as soon as the
    frame has passed, so a crash loses nothing, and ``tail -f`` works. A file that fails, because the disk is full, say, is reported once in
    the log ``ocpp_sync``, and nothing more is recorded; the link does not notice.

    Args:
        file: The path of a file, which is made for its owner alone, or appended to if it is there; or an open text file, which stays open.
        redact: Whether passwords and keys are masked, see :func:`ocpp_sync.redaction.redact`. False records what the ``frame`` event
            shows, which is masked too unless the client or server was made with ``redact=False``.

    Raises:
        OSError: The file cannot be opened.
    """

    def __init__(self, file: str | PathLike[str] | TextIO, *, redact: bool = True) -> None:
        self._redact = redact
        self._lock = threading.Lock()  # of the file: whole lines only
        self._write: Callable[[str], None] | None
        self._descriptor: int | None = None
        if isinstance(file, (str, PathLike)):
            self.name = os.fspath(file)
            self._descriptor = _open_to_append(self.name)
            self._write = partial(_write_all, self._descriptor)
        else:
            self.name = str(getattr(file, "name", file))
            self._write = partial(_write_and_flush, file)

    def attach(self, end: OcppClient[Any] | OcppServer) -> None:
        """Record all frames of a client, or of every connection of a server, from now on; once for each.

        Args:
            end: The client or server.
        """
        on: Callable[[str, Callable[..., None]], object] = end.on
        if hasattr(end, "identity"):
            on("frame", partial(self._record, "CS", end))
        else:  # a server, whose event has the connection with it; asked so, so that neither needs the other's module
            on("frame", partial(self._record, "CSMS"))

    def _record(self, side: str, connection: Any, direction: str, text: str) -> None:
        self.note(connection.identity, direction, text, side=side, version=connection.version, link=connection.link_number)

    def note(self, identity: str, direction: str, text: str, *, side: str, version: str | None, link: int | None = None) -> None:
        """Record one frame; from any thread, and without effect after :meth:`close`.

        Args:
            identity: The identity of the charge point.
            direction: ``"in"`` or ``"out"``, seen from the side that records.
            text: The frame.
            side: The side that records, ``"CS"`` or ``"CSMS"``.
            version: The version of OCPP; None if it is not known.
            link: A number that the frames of one link have in common; None if that is not known.
        """
        shown = redacted(text) if self._redact else text
        with self._lock:
            if (write := self._write) is None:
                return
            # The time is taken here, so that the lines are in the order of their times.
            now = datetime.now(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")
            entry = {
                "time": now,
                "identity": identity,
                "side": side,
                "version": version,
                "link": link,
                "direction": direction,
                "text": shown,
            }
            line = json.dumps(entry, ensure_ascii=not _is_unicode(shown + identity)) + "\n"
            try:
                write(line)
            except (OSError, ValueError) as error:  # ValueError: somebody has closed the file
                self._write = None
                _log.error("nothing more is recorded in %s: %s", self.name, error)

    def close(self) -> None:
        """Close the file, unless it was given open; from any thread, any number of times. What passes afterwards is not recorded."""
        with self._lock:
            self._write = None
            descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _open_to_append(name: str) -> int:
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), _FOR_THE_OWNER)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.set_blocking(descriptor, False)  # a pipe that nobody reads from must not hold up the links
        elif status.st_size and not _ends_with_newline(name):
            _write_all(descriptor, "\n")  # a crash has cut its last line off, which must not spoil the next one
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _ends_with_newline(name: str) -> bool:
    try:
        with Path(name).open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
    except PermissionError:
        return True  # it may be written, but not read


def _write_all(descriptor: int, text: str) -> None:
    rest = memoryview(text.encode())
    end = time.monotonic() + _PATIENCE
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:  # only what is no regular file has no room for now
            if not select.select([], [descriptor], [], max(0.0, end - time.monotonic()))[1]:
                raise TimeoutError(f"it has taken nothing more for {_PATIENCE:g} s") from None


def _write_and_flush(file: TextIO, text: str) -> None:
    file.write(text)
    file.flush()


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which goes into a file as an escape only
        return False
    return True
