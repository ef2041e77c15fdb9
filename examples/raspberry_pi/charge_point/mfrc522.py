"""The MFRC522, a reader chip for cards of ISO 14443 type A, at SPI: what the UID of a card needs, by the names of the data sheet."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import Any

log = logging.getLogger("charge_point")

# Registers
COMMAND, COM_IRQ, ERROR, FIFO_DATA, FIFO_LEVEL, CONTROL, BIT_FRAMING = 0x01, 0x04, 0x06, 0x09, 0x0A, 0x0C, 0x0D
TX_CONTROL, TX_ASK, T_MODE, T_PRESCALER, T_RELOAD_HIGH, T_RELOAD_LOW, VERSION = 0x14, 0x15, 0x2A, 0x2B, 0x2C, 0x2D, 0x37

IDLE, TRANSCEIVE, SOFT_RESET = 0x00, 0x0C, 0x0F  # commands
POWER_DOWN = 0x10  # of COMMAND: it is not ready yet
RECEIVED, TIMED_OUT = 0x20, 0x01  # of COM_IRQ
COLLISION, ANY_ERROR = 0x08, 0x1F  # of ERROR
ANTENNA = 0x03  # of TX_CONTROL: both ends of the coil
KNOWN_VERSIONS = {0x91, 0x92, 0x88, 0xB2, 0x12}  # NXP's two, and those of chips that are sold as such

WAKE_UP, HALT, CASCADE_TAG, IS_INCOMPLETE = 0x52, 0x50, 0x88, 0x04  # WUPA, HLTA, CT, and a bit of SAK in ISO 14443-3
LEVELS = (0x93, 0x95, 0x97)  # a UID of 4 bytes needs the first, one of 7 bytes two, and one of 10 bytes all three
TRIES = 4  # for a card: each failure takes one more, which it does not answer, to bring it back to its beginning

WIRES = "look at the wires: SDA to pin 24, SCK to pin 23, MOSI to pin 19, MISO to pin 21, GND, and both 3.3V and RST to 3.3 V"


class CardError(Exception):
    """There is a card, but its UID could not be read; the text says why."""


class Mfrc522:
    """The chip; :meth:`start` comes first.

    Args:
        spi: An open ``spidev.SpiDev``.
        port: What errors call it.
    """

    def __init__(self, spi: Any, port: str) -> None:
        self._spi = spi
        self._port = port

    def start(self) -> None:
        """Reset it, and turn its field on.

        Raises:
            OSError: It is not there.
        """
        self._write(COMMAND, SOFT_RESET)
        for _ in range(10):
            time.sleep(0.005)
            if not self._read(COMMAND) & POWER_DOWN:
                break
        version = self._read(VERSION)
        if version in (0x00, 0xFF):
            raise OSError(f"no MFRC522 answers at {self._port} (its version reads as 0x{version:02X}): {WIRES}")
        if version not in KNOWN_VERSIONS:
            log.warning("version 0x%02X of the MFRC522 at %s is not known; if it reads no cards, %s", version, self._port, WIRES)
        # A timer of 5 ms, 200 steps of (2 * 169 + 1) / 13.56 MHz, which begins when all is sent and stops when an answer begins.
        # A card begins to answer after 0.1 ms, and has said all after less than one.
        for register, value in ((T_MODE, 0x80), (T_PRESCALER, 169), (T_RELOAD_HIGH, 0), (T_RELOAD_LOW, 200)):
            self._write(register, value)
        self._write(TX_ASK, 0x40)  # bits are made of pauses of the field, as type A has it
        self._write(TX_CONTROL, self._read(TX_CONTROL) | ANTENNA)

    def read_uid(self) -> bytes | None:
        """The UID of the card in the field, 4, 7 or 10 bytes; None if there is no card.

        Raises:
            CardError: The card cannot be read, or there are several.
            OSError: The chip does not answer, or has lost its settings; :meth:`start` may help.
        """
        state = self._read(TX_CONTROL)  # a reset turns the antenna off, and without a chip all bits are alike
        if state & ANTENNA != ANTENNA or state == 0xFF:
            raise OSError(f"the MFRC522 at {self._port} does not answer, or was reset (TxControlReg is 0x{state:02X}): {WIRES}")
        for attempt in range(TRIES):
            try:
                if self._transceive([WAKE_UP], last_bits=7) is not None:
                    return self._select()
            except CardError as error:
                failure = error
            else:
                if attempt == 0:
                    return None
        raise failure

    def close(self) -> None:
        """Turn the field off, and close the port; twice does not hurt."""
        with suppress(OSError):
            self._write(COMMAND, SOFT_RESET)
        self._spi.close()

    def _select(self) -> bytes:
        """Ask a card that is awake for its UID, part by part, and halt it, so that it can be woken again."""
        uid = b""
        for level in LEVELS:
            part = self._answer([level, 0x20], 5)
            if part[0] ^ part[1] ^ part[2] ^ part[3] != part[4]:
                raise CardError(f"the check byte of its UID is wrong: {part.hex(' ')}")
            sak = self._answer(with_crc(bytes([level, 0x70]) + part), 3)
            if sak != with_crc(sak[:1]):
                raise CardError(f"the check sum of its SAK is wrong: {sak.hex(' ')}")
            if bool(sak[0] & IS_INCOMPLETE) != (part[0] == CASCADE_TAG):
                raise CardError(f"its UID goes on or not, as {part.hex(' ')} or its SAK {sak[0]:02x} has it")
            if part[0] != CASCADE_TAG:
                with suppress(CardError):  # it does not answer; what else is heard is of no importance
                    self._transceive(with_crc(bytes([HALT, 0])))
                return uid + part[:4]
            uid += part[1:4]
        raise CardError("its UID is longer than 10 bytes")

    def _answer(self, data: bytes | list[int], length: int) -> bytes:
        answer = self._transceive(data)
        if answer is None or len(answer) != length:
            raise CardError(f"it answers {len(answer or b'')} bytes instead of {length}")
        return answer

    def _transceive(self, data: bytes | list[int], last_bits: int = 0) -> bytes | None:
        """Send bytes, of the last one only so many bits if not 0, and return what a card answers; None if none does."""
        self._write(COMMAND, IDLE)
        self._write(COM_IRQ, 0x7F)  # clears all
        self._write(FIFO_LEVEL, 0x80)  # empties it
        self._write(FIFO_DATA, *data)
        self._write(BIT_FRAMING, last_bits)
        self._write(COMMAND, TRANSCEIVE)
        self._write(BIT_FRAMING, 0x80 | last_bits)  # go
        for seconds in (0.001, 0.005, 0.005, 0.01, 0.02):  # an answer is there after the first, and the timer is up after the second
            time.sleep(seconds)
            happened = self._read(COM_IRQ)
            if happened & RECEIVED:
                break
            if happened & TIMED_OUT:
                return None
        else:
            raise OSError(f"the MFRC522 at {self._port} does not come to an end")
        error = self._read(ERROR)
        if error & COLLISION:
            raise CardError("several cards at once")
        if error & ANY_ERROR or self._read(CONTROL) & 0x07:  # the latter: bits of a byte that is not a whole one
            raise CardError(f"its answer is disturbed (ErrorReg is 0x{error:02X})")
        count = self._read(FIFO_LEVEL)
        return bytes(self._spi.xfer2([FIFO_DATA << 1 | 0x80] * count + [0])[1:])

    def _read(self, register: int) -> int:
        value: int = self._spi.xfer2([register << 1 | 0x80, 0])[1]
        return value

    def _write(self, register: int, *values: int) -> None:
        self._spi.xfer2([register << 1, *values])


def with_crc(data: bytes) -> bytes:
    """Bytes with the check sum CRC_A of ISO 14443-3 behind them."""
    value = 0x6363
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
    return data + value.to_bytes(2, "little")
