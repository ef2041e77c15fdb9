"""An OpenEVSE board that is played on a pseudo-terminal, as its firmware answers."""

from __future__ import annotations

import os
import select
import threading
import tty
from collections import deque
from collections.abc import Callable

from ..support import TIMEOUT

CONNECTED, CHARGING_ON = 0x0100, 0x0040
NO_CAR, CAR, CHARGING, GROUND_FAULT, STUCK_RELAY, SLEEPING, DISABLED = 0x01, 0x02, 0x03, 0x06, 0x08, 0xFE, 0xFF
MAXIMUM = 24  # amperes


def framed(text: str) -> bytes:
    checksum = 0
    for byte in text.encode():
        checksum ^= byte
    return f"{text}^{checksum:02X}\r".encode()


class Board:
    """The board; `path` is its serial port."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self.lock = threading.RLock()
        self.commands: list[str] = []  # as they came, without number and checksum
        self.spoils: deque[Callable[[bytes], bytes]] = deque()  # what becomes of the next replies
        self.car = self.wants = False
        self.fault = 0  # a state
        self.silent = False  # whether it does not even hear
        self.allowed = 1  # 1 enabled, 0 asleep, -1 disabled
        self.amps = MAXIMUM
        self.supervision: tuple[str, ...] | None = ("0", "6")  # what it was told; None: it was built without
        self.session_ws, self.total_wh = 0, 5000
        self.milliamperes = 16000
        self._stop_read, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._serve, name="test board")
        self._thread.start()

    # --- what a test does

    def plug(self, *, wants: bool = True) -> None:
        with self.lock:
            self.car, self.wants, self.session_ws = True, wants, 0
            self.say_state()

    def unplug(self) -> None:
        with self.lock:
            self.total_wh += self.session_ws // 3600
            self.car = self.wants = False
            self.say_state()

    def press(self) -> None:
        """Its button, while it charges."""
        with self.lock:
            self.allowed = 0

    def reboot(self) -> None:
        with self.lock:
            self.allowed, self.amps, self.session_ws = 1, MAXIMUM, 0
            self.send(framed("$AB 00 8.2.1"))
            self.say_state()

    def say_state(self) -> None:
        self.send(framed(f"$AT {self.state:02x} {self.pilot:02x} {self.amps} {self.flags:04x}"))

    def send(self, data: bytes) -> None:
        os.write(self._master, data)

    # --- what it is

    @property
    def state(self) -> int:
        return {0: SLEEPING, -1: DISABLED}.get(self.allowed, self.fault or self.pilot)

    @property
    def pilot(self) -> int:
        return CHARGING if self.car and self.wants else CAR if self.car else NO_CAR

    @property
    def relay(self) -> bool:
        return self.state == CHARGING

    @property
    def flags(self) -> int:
        return 0x0200 | CONNECTED * (self.car and self.allowed >= 0) | CHARGING_ON * self.relay

    # --- what it answers

    def _serve(self) -> None:
        received = b""
        while self._stop_read not in select.select([self._master, self._stop_read], [], [])[0]:
            received += os.read(self._master, 4096)
            while b"\r" in received:
                line, _, received = received.partition(b"\r")
                with self.lock:
                    if self.silent:
                        continue
                    reply = self._reply(line[line.rfind(b"$") :].decode())
                    self.send(self.spoils.popleft()(reply) if self.spoils else reply)

    def _reply(self, line: str) -> bytes:
        text = line.rpartition("^")[0]
        if framed(text) != line.encode() + b"\r":
            return framed("$NK")
        command, _, number = text[1:].rpartition(" :")
        self.commands.append(command)
        word, *arguments = command.split()
        answer = self._obey(word, *arguments)
        return framed(f"${answer} :{number}")

    def _obey(self, word: str, *arguments: str) -> str:
        if word == "GS":
            return f"OK {self.state:02x} 12 {self.pilot:02x} {self.flags:04x}"
        if word == "GG":
            return f"OK {self.milliamperes if self.relay or self.milliamperes < 0 else 0} 231500"
        if word == "GU":
            return f"OK {self.session_ws} {self.total_wh}"
        if word == "GV":
            return "OK 8.2.1 5.2.1"
        if word == "SC":
            wanted = int(arguments[0])
            self.amps = min(max(wanted, 6), MAXIMUM)
            return f"{'OK' if self.amps == wanted else 'NK'} {self.amps}"
        if word == "GE":
            return f"OK {self.amps} 0000"
        if word == "SY" and self.supervision is not None:
            self.supervision = arguments
            return f"OK {' '.join(arguments)} 0"
        if word in ("FE", "FS", "FD"):
            self.allowed = {"FE": 1, "FS": 0, "FD": -1}[word]
            return "OK"
        return "NK"

    def close(self) -> None:
        if self._thread.is_alive():
            os.write(self._stop, b"x")
            self._thread.join(TIMEOUT)
            for each in (self._master, self._slave, self._stop_read, self._stop):
                os.close(each)


def lost(reply: bytes) -> bytes:
    return b""


def garbled(reply: bytes) -> bytes:
    return reply.replace(b"$OK", b"$O\x00").replace(b"$NK", b"$N\x00")
