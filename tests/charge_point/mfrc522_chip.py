"""An MFRC522 behind the interface of spidev, register by register, and cards that follow ISO 14443-3."""

from __future__ import annotations

import binascii
import errno
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

COMMAND, COM_IRQ, ERROR, FIFO_DATA, FIFO_LEVEL, CONTROL, BIT_FRAMING = 0x01, 0x04, 0x06, 0x09, 0x0A, 0x0C, 0x0D
TX_CONTROL, TX_ASK, T_MODE, T_PRESCALER, T_RELOAD_HIGH, T_RELOAD_LOW, VERSION = 0x14, 0x15, 0x2A, 0x2B, 0x2C, 0x2D, 0x37
IDLE, TRANSCEIVE, SOFT_RESET = 0x00, 0x0C, 0x0F
SENT, RECEIVED, TIMED_OUT = 0x40, 0x20, 0x01
OVERFLOW, COLLISION, PARITY = 0x10, 0x08, 0x02
REQA, WUPA = 0x26, 0x52

Noise = Callable[[bytes], "tuple[bytes | None, int, int]"]
"""What becomes of an answer: its bytes, ErrorReg, and the valid bits of the last byte, 0 for all."""


def crc_a(data: bytes) -> bytes:
    """CRC_A by another way than the driver's: the CRC of the mirrored bits."""

    def mirrored(value: int, bits: int) -> int:
        return int(f"{value:0{bits}b}"[::-1], 2)

    value = binascii.crc_hqx(bytes(mirrored(byte, 8) for byte in data), mirrored(0x6363, 16))
    return mirrored(value, 16).to_bytes(2, "little")


@dataclass(eq=False)
class Card:
    """A card, as far as its UID goes."""

    uid: bytes
    atqa: bytes = b"\x04\x00"
    saks: list[int] = field(default_factory=list)
    spoils_bcc: bool = False
    state: str = "idle"
    was_halted: bool = False
    level: int = 0

    def __post_init__(self) -> None:
        rest, self.parts = self.uid, []
        while len(rest) > 4:
            self.parts.append(b"\x88" + rest[:3])
            rest = rest[3:]
        self.parts.append(rest)
        self.saks = self.saks or [0x04] * (len(self.parts) - 1) + [0x08]

    def lose_power(self) -> None:
        self.state, self.was_halted = "idle", False

    def hear(self, frame: bytes, last_bits: int) -> bytes | None:
        """The answer to a frame."""
        if last_bits == 7 and len(frame) == 1 and (frame[0] == WUPA or (frame[0] == REQA and self.state == "idle")):
            if self.state in ("idle", "halt"):
                self.was_halted = self.state == "halt"
                self.state, self.level = "ready", 0
                return self.atqa
        elif self.state == "ready" and last_bits == 0:
            part = self.parts[self.level]
            part += bytes([part[0] ^ part[1] ^ part[2] ^ part[3] ^ (0x01 if self.spoils_bcc else 0)])
            select = bytes([(0x93, 0x95, 0x97)[self.level]])
            if frame == select + b"\x20":
                return part
            command = select + b"\x70" + part
            if frame == command + crc_a(command):
                sak = bytes([self.saks[self.level]])
                self.level += 1
                if self.level == len(self.parts):
                    self.state = "active"
                return sak + crc_a(sak)
        elif self.state == "active" and frame == b"\x50\x00" + crc_a(b"\x50\x00"):
            self.state = "halt"
            return None
        elif self.state in ("idle", "halt"):
            return None
        self.state = "halt" if self.was_halted else "idle"  # what is not for this state brings it back
        return None


class Chip:
    """The chip.

    Attributes:
        noise: What becomes of the next answers, one after the other.
        dead: What all bytes read as when it has no power, or no wires; None while it is well.
        is_stuck: It never comes to an end.
        transfers: So many there were.
        polls: So often cards were called.
    """

    def __init__(self, version: int = 0x92) -> None:
        self.version = version
        self.noise: list[Noise | None] = []
        self.dead: int | None = None
        self.is_stuck = False
        self.transfers = self.polls = 0
        self._cards: list[Card] = []
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """All registers are as after power came."""
        self._registers = {COMMAND: 0x20, TX_CONTROL: 0x80, VERSION: self.version}
        self._fifo = bytearray()
        self._command = IDLE
        self._wakes_after = 2  # reads of CommandReg
        self._coming: list[int] = []  # what ComIrqReg has next, as time passes between two reads
        for card in self._cards:
            card.lose_power()

    @property
    def has_field(self) -> bool:
        return self._registers[TX_CONTROL] & 0x03 == 0x03

    def hold(self, *cards: Card) -> None:
        """Exactly these cards are in the field from now on."""
        with self._lock:
            for card in cards:
                if card not in self._cards:
                    card.lose_power()
            self._cards = list(cards)

    def transfer(self, data: Sequence[int]) -> list[int]:
        with self._lock:
            self.transfers += 1
            if self.dead is not None:
                return [self.dead] * len(data)
            assert not data[0] & 0x01, "the lowest bit of an address is 0"
            if data[0] & 0x80:
                assert data[-1] == 0, "the last byte only fetches"
                return [0, *(self._get(each >> 1 & 0x3F) for each in data[:-1])]
            for value in data[1:]:
                self._set(data[0] >> 1, value)
            return [0] * len(data)

    def _get(self, register: int) -> int:
        if register == FIFO_DATA:
            return self._fifo.pop(0) if self._fifo else 0
        if register == FIFO_LEVEL:
            return len(self._fifo)
        if register == COMMAND and self._wakes_after:
            self._wakes_after -= 1
            return 0x30
        if register == COM_IRQ and self._coming and not self.is_stuck:
            self._registers[COM_IRQ] |= self._coming.pop(0)
        return self._registers.get(register, 0)

    def _set(self, register: int, value: int) -> None:
        assert not self._wakes_after or register == COMMAND, "it is not awake yet"
        if register == COMMAND:
            self._command = value & 0x0F
            self._registers[ERROR] = 0
            if self._command == SOFT_RESET:
                self.reset()
        elif register == COM_IRQ:
            marked = value & 0x7F
            before = self._registers.get(COM_IRQ, 0)
            self._registers[COM_IRQ] = before | marked if value & 0x80 else before & ~marked
        elif register == FIFO_LEVEL and value & 0x80:
            self._fifo.clear()
        elif register == FIFO_DATA:
            if len(self._fifo) == 64:
                self._registers[ERROR] |= OVERFLOW
            else:
                self._fifo.append(value)
        else:
            self._registers[register] = value
        if register == BIT_FRAMING and value & 0x80 and self._command == TRANSCEIVE:
            self._transceive(value & 0x07)

    def _transceive(self, last_bits: int) -> None:
        frame = bytes(self._fifo)
        self._fifo.clear()
        self.polls += frame in (bytes([REQA]), bytes([WUPA]))
        answers = []
        if self.has_field and self._registers.get(TX_ASK) == 0x40:  # without it no card hears anything
            answers = [answer for card in self._cards if (answer := card.hear(frame, last_bits)) is not None]
        answer, error, valid_bits = merged(answers)
        noise = self.noise.pop(0) if self.noise and answer is not None else None
        if noise is not None and answer is not None:
            answer, error, valid_bits = noise(answer)
        if answer is None:
            steps = self._registers.get(T_RELOAD_HIGH, 0) << 8 | self._registers.get(T_RELOAD_LOW, 0)
            seconds = steps * (2 * self._registers.get(T_PRESCALER, 0) + 1) / 13.56e6
            starts = self._registers.get(T_MODE, 0) & 0x80 and seconds >= 0.001
            self._coming = [SENT, TIMED_OUT] if starts else [SENT]
        else:
            self._fifo.extend(answer)
            self._registers[ERROR], self._registers[CONTROL] = error, valid_bits
            self._coming = [SENT | RECEIVED]


def merged(answers: list[bytes]) -> tuple[bytes | None, int, int]:
    """What is heard when several cards speak at once."""
    if not answers:
        return None, 0, 0
    if all(answer == answers[0] for answer in answers):
        return answers[0], 0, 0
    longest = max(len(answer) for answer in answers)
    padded = [answer.ljust(longest, b"\0") for answer in answers]
    return bytes(a | b for a, b in zip(padded[0], padded[1], strict=True)), COLLISION, 0


def lost(answer: bytes) -> tuple[bytes | None, int, int]:
    return None, 0, 0


def disturbed(answer: bytes) -> tuple[bytes | None, int, int]:
    return answer, PARITY, 0


def cut(answer: bytes) -> tuple[bytes | None, int, int]:
    return answer[:-1], 0, 3


def shortened(answer: bytes) -> tuple[bytes | None, int, int]:
    return answer[:-1], 0, 0


def flipped(bit: int) -> Noise:
    """One bit is another one, and the chip has not noticed."""

    def flip(answer: bytes) -> tuple[bytes | None, int, int]:
        place, mask = bit // 8 % len(answer), 1 << bit % 8
        return answer[:place] + bytes([answer[place] ^ mask]) + answer[place + 1 :], 0, 0

    return flip


class SpiDev:
    """spidev.SpiDev."""

    def __init__(self, chips: dict[tuple[int, int], Chip]) -> None:
        self._chips = chips
        self._chip: Chip | None = None
        self.mode = 3  # as somebody else has left it
        self.max_speed_hz = 125_000_000

    def open(self, bus: int, device: int) -> None:
        if (bus, device) not in self._chips:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        self._chip = self._chips[bus, device]

    def xfer2(self, data: Sequence[int]) -> list[int]:
        if self._chip is None:
            raise OSError(errno.EBADF, "Bad file descriptor")
        assert (self.mode, self.max_speed_hz <= 10_000_000) == (0, True)
        assert all(0 <= byte <= 0xFF for byte in data)
        return self._chip.transfer(data)

    def close(self) -> None:
        self._chip = None


class SpiModule:
    """The module spidev, with the chips that there are."""

    def __init__(self, chips: dict[tuple[int, int], Chip]) -> None:
        self.chips = chips
        self.opened: list[SpiDev] = []

    def SpiDev(self) -> SpiDev:
        self.opened.append(SpiDev(self.chips))
        return self.opened[-1]
