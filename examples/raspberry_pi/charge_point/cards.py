"""Card readers: what a card is called is its UID, in hexadecimal."""

from __future__ import annotations

import importlib
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Protocol

from .hardware import open_serial
from .mfrc522 import CardError, Mfrc522
from .settings import Cards, SettingsError

log = logging.getLogger("charge_point")

UID = re.compile(r"\b[0-9A-F]{2}(?:[ :-]?[0-9A-F]{2}){3,9}\b", re.IGNORECASE)  # it has 4, 7 or 10 bytes
POLL_SECONDS = 0.2
GONE_AFTER = 5  # polls without any card; then each counts again
PATIENCE = 25  # polls that may fail in a row


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


class Mfrc522Reader:
    """An MFRC522, which is asked five times a second whether there is a card.

    A card counts once, and again when nothing has been held to the reader for a second. Of several cards at once none counts, since nobody
    could tell which one is meant; nor does a phone, or a card, that makes up another UID each time: it could not end what it has begun.

    Args:
        chip: The chip, started.
        poll_seconds: How long to wait between two questions.
    """

    def __init__(self, chip: Mfrc522, poll_seconds: float = POLL_SECONDS) -> None:
        self._chip = chip
        self._poll_seconds = poll_seconds
        self._lock = threading.Lock()  # nobody closes the chip in the middle of a question
        self._is_closing = threading.Event()
        self._known: set[str] = set()  # what was told since the reader was without any card
        self._empty_polls = 0
        self._failures = 0

    def uids(self) -> Iterator[str]:
        """See :class:`CardReader`."""
        while not self._is_closing.wait(self._poll_seconds):
            with self._lock:
                uid = None if self._is_closing.is_set() else self.poll()
            if uid is not None:
                yield uid

    def close(self) -> None:
        """See :class:`CardReader`."""
        self._is_closing.set()
        with self._lock:
            self._chip.close()

    def poll(self) -> str | None:
        """Ask once; returns the UID of a card that counts now.

        Raises:
            OSError: The chip has failed, and did so for some seconds.
        """
        try:
            uid = self._chip.read_uid()
        except CardError as error:
            self._empty_polls = self._failures = 0
            if self._is_new("unreadable"):
                log.info("no card was read: %s", error)
            return None
        except OSError as error:
            self._restart(error)
            return None
        if self._failures:
            log.info("the card reader works again")
            self._failures = 0
        if uid is None:
            self._empty_polls += 1
            if self._empty_polls >= GONE_AFTER:
                self._known.clear()
            return None
        self._empty_polls = 0
        if len(uid) == 4 and uid[0] == 0x08:  # by ISO 14443-3 such a UID is a random one
            if self._is_new("random"):
                log.info("a phone, or a card with a random UID: it cannot be recognized")
            return None
        name = uid.hex().upper()
        return name if self._is_new(name) else None

    def _is_new(self, what: str) -> bool:
        is_new = what not in self._known
        self._known.add(what)
        return is_new

    def _restart(self, error: OSError) -> None:
        self._failures += 1
        if self._failures >= PATIENCE:
            raise error
        if self._failures == 1:
            log.warning("%s; it is started again", error)
        with suppress(OSError):  # the next poll sees it
            self._chip.start()


def make_reader(settings: Cards) -> CardReader | None:
    """The reader that the settings name; None if there is none.

    Raises:
        SettingsError: A package is missing.
        OSError: The reader is not there.
    """
    if settings.kind == "mfrc522":
        return Mfrc522Reader(_open_mfrc522(settings.port))
    return SerialReader(open_serial("cards.port", settings.port, settings.baud, 1.0)) if settings.port else None


def _open_mfrc522(port: str) -> Mfrc522:
    try:
        spidev = importlib.import_module("spidev")
    except ImportError:
        raise SettingsError(f"the card reader at {port} needs spidev: apt install python3-spidev, or pip install spidev") from None
    bus, device = port.removeprefix("/dev/spidev").split(".")
    spi = spidev.SpiDev()
    try:
        spi.open(int(bus), int(device))
    except OSError as error:
        how = "raspi-config turns SPI on, and the user must be in the group spi"
        raise OSError(f"cards.port: {port} cannot be opened: {error.strerror}; {how}") from None
    chip = Mfrc522(spi, port)
    try:
        spi.mode, spi.max_speed_hz = 0, 1_000_000
        chip.start()
    except BaseException:
        chip.close()
        raise
    return chip
