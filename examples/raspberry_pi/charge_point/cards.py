"""Card readers: what a card is called is its UID, in hexadecimal."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from typing import Any, Protocol

from .hardware import open_serial
from .settings import Cards

log = logging.getLogger("charge_point")

UID = re.compile(r"\b[0-9A-F]{2}(?:[ :-]?[0-9A-F]{2}){3,9}\b", re.IGNORECASE)  # it has 4, 7 or 10 bytes


class CardReader(Protocol):
    """What is needed of a card reader."""

    def uids(self) -> Iterator[str]:
        """The cards that are held to it, until :meth:`close`: ``"04A1B2C3"``.

        Raises:
            OSError: The reader has failed.
        """

    def close(self) -> None:
        """End :meth:`uids`, from another thread; twice does not hurt."""


class SerialReader:
    """A reader that sends a line for each card, with the UID in it, whatever is around that.

    Args:
        port: The serial port: an object with ``readline()`` that returns after a second at most, and ``close()``.
    """

    def __init__(self, port: Any) -> None:
        self._port = port
        self._is_closing = threading.Event()

    def uids(self) -> Iterator[str]:
        """See :class:`CardReader`."""
        while not self._is_closing.is_set():
            try:
                line = self._port.readline()
            except (OSError, TypeError):  # the latter is pyserial's, when its port is closed meanwhile
                if self._is_closing.is_set():
                    return
                raise
            found = UID.search(line.decode("ascii", "replace"))
            if found is not None:
                yield re.sub("[ :-]", "", found[0]).upper()
            elif line.strip():
                log.warning("the card reader says %r, which has no UID of 4 to 10 bytes in it", line[:40])

    def close(self) -> None:
        """See :class:`CardReader`."""
        self._is_closing.set()
        self._port.close()


def make_reader(settings: Cards) -> CardReader | None:
    """The reader that the settings name; None if there is none."""
    return SerialReader(open_serial(settings.port, settings.baud, 1.0)) if settings.port else None
