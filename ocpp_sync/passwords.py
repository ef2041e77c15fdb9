"""Passwords of charge points on the CSMS's side: compared in constant time, kept as salted scrypt hashes."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import heapq
import hmac
import itertools
import os
import re
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote

from .errors import RejectHandshake
from .handshake import check_identity
from .throttle import FailureDelays

if TYPE_CHECKING:
    from .server_connection import HandshakeRequest

__all__ = ["PasswordFile", "check_password"]

# 32 MiB, from which on glibc gives memory back at once. Of 16 MiB it would keep one for each of its arenas: half a gigabyte.
_COST, _BLOCK, _PARALLEL = 2**15, 8, 1
_MAX_COST = 2**20
_MAX_MEMORY = 64 * 1024 * 1024
_MAX_WAITING = 4  # guesses of one identity
_MIN_LENGTH = 16  # rule C2
_LINE = re.compile(r"(?P<identity>[^:\s]+):scrypt:(?P<cost>\d+):(?P<block>\d+):(?P<parallel>\d+):(?P<salt>[\w+/=]+):(?P<hash>[\w+/=]+)")


def check_password(given: bytes | None, expected: str | bytes) -> bool:
    """Whether a password is the right one, in a time that does not tell how much of it is.

    For an authorization hook: ``return check_password(request.password, "secret-password-1")``.

    Args:
        given: ``request.password``; None is never right.
        expected: Text is compared as UTF-8.
    """
    right = expected.encode() if isinstance(expected, str) else expected
    return hmac.compare_digest(b"" if given is None else given, right) and given is not None


class _Entry(NamedTuple):
    cost: int
    block: int
    parallel: int
    salt: bytes
    hash: bytes

    def matches(self, password: bytes) -> bool:
        return hmac.compare_digest(_scrypt(password, self.salt, self.cost, self.block, self.parallel), self.hash)


class _Turns:
    """A lock that those who wait get in the order of their ranks, lowest first, and of their arrival."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = False
        self._numbers = itertools.count()
        self._waiting: list[tuple[int, int, threading.Event]] = []

    @contextmanager
    def turn(self, rank: int) -> Iterator[None]:
        """Hold the lock."""
        ticket = (rank, next(self._numbers), threading.Event())
        with self._lock:
            heapq.heappush(self._waiting, ticket)
            if not self._taken:
                self._next()
        try:
            ticket[2].wait()
            yield
        finally:
            with self._lock:
                if ticket[2].is_set():
                    self._next()
                else:  # Ctrl-C came first
                    self._waiting.remove(ticket)
                    heapq.heapify(self._waiting)

    def _next(self) -> None:
        self._taken = bool(self._waiting)
        if self._waiting:
            heapq.heappop(self._waiting)[2].set()


class PasswordFile:
    """An authorization hook that looks passwords up in a file: ``server.on("authorization", PasswordFile("passwords"))``.

    The file has a line for each identity, with a salted scrypt hash of its password; ``ocpp-sync passwd FILE IDENTITY`` writes it. A
    changed file is read again at the next connect. An identity that is not in it is refused with 404, a wrong password with 401 (rule A5).

    Args:
        path: The file.

    Raises:
        OSError: It cannot be read.
        ValueError: A line of it is damaged; the text has its number, and nothing of the line.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        self._hashing = _Turns()  # one at a time: it takes memory, and a flood of guesses must leave a core to the others
        self._guesses = FailureDelays()
        self._waiting: dict[str, int] = {}
        self._read_at: tuple[int, int, int] | None = None
        self._entries: dict[str, _Entry] = {}
        # A station that reconnects need not be hashed again. What is kept of its password is worthless without the key.
        self._key = os.urandom(32)
        self._proven: dict[str, tuple[_Entry, bytes]] = {}
        self._load()

    def __call__(self, identity: str, request: HandshakeRequest) -> bool:
        """Whether a charge point may connect."""
        self._load()
        with self._lock:
            entry, proven = self._entries.get(identity), self._proven.get(identity)
        if entry is None:
            raise RejectHandshake(404)
        if request.password is None:
            return False
        digest = hmac.digest(self._key, request.password, "sha256")
        if proven is not None and proven[0] == entry and hmac.compare_digest(proven[1], digest):
            return True
        with self._place(identity), self._hashing.turn(self._guesses.failures(identity)):  # who is being guessed waits for the others
            right = entry.matches(request.password)
        if right:
            with self._lock:
                self._proven[identity] = entry, digest
            self._guesses.succeeded(identity)
        else:
            self._guesses.failed(identity)
        return right

    @contextmanager
    def _place(self, identity: str) -> Iterator[None]:
        """A place among those that wait to be hashed: there are few for one identity, and who has none is told to come back."""
        with self._lock:
            waiting = self._waiting.get(identity, 0)
            if waiting >= _MAX_WAITING:
                raise RejectHandshake(503, "Too many passwords are being tried for this identity.")
            self._waiting[identity] = waiting + 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting[identity] -= 1
                if not self._waiting[identity]:
                    del self._waiting[identity]

    def set(self, identity: str, password: str | bytes) -> None:
        """Store a password in the file, for a new identity or in place of its old one; the file is replaced as a whole.

        Args:
            identity: The identity.
            password: Text is stored as UTF-8; bytes are for a 1.6 AuthorizationKey, see :func:`hex_password`.

        Raises:
            ValueError: The password is shorter than 16 characters (rule C2), or the identity is none.
            OSError: The file cannot be written.
        """
        check_identity(identity)
        if len(password) < _MIN_LENGTH:
            raise ValueError(f"a password has {_MIN_LENGTH} characters or more")
        secret = password.encode() if isinstance(password, str) else password
        salt = os.urandom(16)
        entry = _Entry(_COST, _BLOCK, _PARALLEL, salt, _scrypt(secret, salt, _COST, _BLOCK, _PARALLEL))
        with self._lock, self._changing():
            self._read_now()
            self._write({**self._entries, identity: entry})

    def remove(self, identity: str) -> None:
        """Remove an identity from the file.

        Raises:
            KeyError: It is not there.
            OSError: The file cannot be written.
        """
        with self._lock, self._changing():
            self._read_now()
            if identity not in self._entries:
                raise KeyError(identity)
            self._write({name: entry for name, entry in self._entries.items() if name != identity})

    @classmethod
    def create(cls, path: str | PathLike[str]) -> PasswordFile:
        """The file at a path, made if it is not there yet."""
        if not Path(path).exists():
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        return cls(path)

    def _load(self) -> None:
        with self._lock:
            self._read_now()

    def _read_now(self) -> None:
        state = self._path.stat()
        stamp = (state.st_mtime_ns, state.st_size, state.st_ino)
        if stamp == self._read_at:
            return
        entries = {}
        for number, line in enumerate(self._path.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                identity, entry = _parse(line.strip(), f"{self._path}, line {number}")
                entries[identity] = entry
        self._entries, self._read_at = entries, stamp
        self._proven = {identity: proven for identity, proven in self._proven.items() if entries.get(identity) == proven[0]}

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Keep other processes from changing the file meanwhile. The lock is the folder's: the file itself is replaced."""
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _write(self, entries: dict[str, _Entry]) -> None:
        lines = [
            f"{quote(identity, safe='')}:scrypt:{e.cost}:{e.block}:{e.parallel}:{_base64(e.salt)}:{_base64(e.hash)}\n"
            for identity, e in sorted(entries.items())
        ]
        with tempfile.NamedTemporaryFile("w", dir=self._path.parent, prefix=f".{self._path.name}.", delete=False, encoding="utf-8") as file:
            try:
                file.writelines(lines)
                file.flush()
                os.fsync(file.fileno())
                # The administrator may write it, and a service must go on reading it.
                old = self._path.stat()
                os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode))
                with suppress(PermissionError):
                    os.fchown(file.fileno(), old.st_uid, old.st_gid)
                Path(file.name).replace(self._path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
        self._read_at = None
        self._read_now()


def _parse(line: str, where: str) -> tuple[str, _Entry]:
    match = _LINE.fullmatch(line)
    try:
        if match is None or not 1 < (cost := int(match["cost"])) <= _MAX_COST:
            raise ValueError
        salt, digest = (base64.b64decode(match[name], validate=True) for name in ("salt", "hash"))
        return unquote(match["identity"], errors="strict"), _Entry(cost, int(match["block"]), int(match["parallel"]), salt, digest)
    except ValueError:
        raise ValueError(f"{where}: this is no line of a password file (IDENTITY:scrypt:…)") from None


def _scrypt(password: bytes, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    return hashlib.scrypt(password, salt=salt, n=cost, r=block, p=parallel, maxmem=_MAX_MEMORY, dklen=32)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
