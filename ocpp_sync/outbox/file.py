"""The file of a client's outbox, which is open as long as the client is: :class:`OutboxFile`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from ..errors import OutboxError
from .store import Damage, Store

__all__ = ["OutboxFile"]

_log = logging.getLogger("ocpp_sync")

_T = TypeVar("_T")


class OutboxFile:
    """A store that one thread has at a time: with it, what else must agree with the file is done in one go.

    It is open from the beginning until :meth:`close`, and afterwards whenever somebody uses it, for that moment.

    Args:
        make: Opens the store.

    Raises:
        OutboxError: It cannot be opened.
    """

    def __init__(self, make: Callable[[], Store]) -> None:
        self._make = make
        self._lock = threading.Lock()  # held as long as the disk takes
        self._store: Store | None = None
        self._closed = False
        self._damage: Damage | None = None
        self._was_opened = False
        self.use(lambda store: None)

    def use(self, work: Callable[[Store], _T]) -> _T:
        """Do something with the store, which nobody else has meanwhile; it may take as long as a disk takes.

        A function, and no context manager: that is Python, where Ctrl-C may come while it holds the lock, and leave it held.

        Raises:
            OutboxError: It was closed, and cannot be opened any more.
        """
        with self._lock:
            return self._use(work)

    def try_to_use(self, work: Callable[[Store], _T], patience: float) -> _T | None:
        """The same, or None if somebody else has the store for so many seconds."""
        if not self._lock.acquire(timeout=patience):
            return None
        try:
            return self._use(work)
        finally:
            self._lock.release()

    def _use(self, work: Callable[[Store], _T]) -> _T:
        if self._store is None:
            self._store = self._make()
            self._damage, self._was_opened = self._store.damage or self._damage, True
        try:
            return work(self._store)
        finally:
            self._close_if_told()

    def listed(self, look: Callable[[Store], Iterator[_T]]) -> Iterator[_T]:
        """What a method of the store yields, bit by bit as long as the file is open."""
        return self.use(lambda store: iter([*look(store)]) if self._closed else look(store))

    def was_opened(self) -> bool:
        """Whether it was opened since this was asked last, with the store in hand: anything may have changed then."""
        was_opened, self._was_opened = self._was_opened, False
        return was_opened

    def take_damage(self) -> Damage | None:
        """What was found wrong with the file, once."""
        with self._lock:
            damage, self._damage = self._damage, None
        return damage

    def resume(self) -> None:
        """Stay open from now on.

        Raises:
            OutboxError: It cannot be opened any more.
        """
        self._closed = False
        self.use(lambda store: None)

    def close(self) -> None:
        """Stay open no longer than somebody uses it; it waits for nothing, see :meth:`let_go`."""
        self._closed = True

    def let_go(self) -> None:
        """If it is closed, have it closed now."""
        with self._lock:
            self._close_if_told()

    def _close_if_told(self) -> None:
        if self._closed and self._store is not None:
            store, self._store = self._store, None
            try:
                store.close()
            except OutboxError as error:
                _log.error("%s", error)  # what was stored is
