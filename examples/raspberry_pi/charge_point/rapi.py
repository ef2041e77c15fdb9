"""An OpenEVSE board by RAPI, the protocol of its serial port: `OpenEvse(serial_port("/dev/serial0")).state()`.

From a shell, in the folder above this one: `python3 -m charge_point.rapi /dev/serial0 GS`.

It needs RAPI 3.0.0 or newer, as `OpenEvse.version()` says: since then an answer carries the number of its command, here 2A. `$GS :2A^59` is
answered with `$OK 02 0 02 0100 :2A^78`, either with a carriage return behind it; after `^` is the XOR of all bytes before it. The port has
115200 baud, and is opened by pyserial (`pip install pyserial`).
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from .hardware import open_serial
from .settings import SettingsError

ASLEEP, DISABLED = 254, 255  # codes of a state
_MAX_LINE = 128  # bytes; the longest line of RAPI is shorter


class RapiError(OSError):
    """The board cannot be spoken to; the root of what `OpenEvse` raises."""


class NoReply(RapiError, TimeoutError):
    """The board has not answered, in none of the attempts."""


class Garbled(RapiError):
    """What has come had a wrong checksum, in the last attempt too."""


class Refused(RapiError):
    """The board has answered `$NK`; `words` is what it said beside that."""

    def __init__(self, command: str, words: Sequence[str]) -> None:
        super().__init__(f"the board refuses ${command}" + (f": {' '.join(words)}" if words else ""))
        self.words = list(words)


class PortLost(RapiError, ConnectionError):
    """The serial port cannot be read or written any more."""


class Port(Protocol):
    """What a serial port must be able to do; `read` waits for a fraction of a second at most, and then returns b""."""

    def read(self, size: int) -> bytes: ...  # noqa: D102

    def write(self, data: bytes) -> object: ...  # noqa: D102

    def close(self) -> None: ...  # noqa: D102


class State(NamedTuple):
    """What `$GS` says."""

    code: int  # 0 not known yet, 1 no car, 2 a car, 3 charging, 4 and more a fault, 254 asleep, 255 disabled
    seconds: int  # of charging, in this session or the last one
    pilot: int  # the same codes, as the car's pilot would have it
    flags: int

    @property
    def plugged(self) -> bool:
        """Whether a car is plugged in; not known while the board is disabled."""
        return bool(self.flags & 0x0100)

    @property
    def faulty(self) -> bool:
        """Whether the board keeps the relay open because something is wrong."""
        return 3 < self.code < ASLEEP


def serial_port(path: str) -> Port:
    """The board's serial port.

    Raises:
        SettingsError: pyserial is not installed, or the port cannot be opened.
    """
    serial = open_serial("openevse.port", path, 115200, 0.05)
    serial.write_timeout = 1.0
    port: Port = serial
    return port


def framed(text: str) -> bytes:
    """A line of RAPI, with the XOR of all that is before the `^`."""
    checksum = 0
    for byte in text.encode("ascii"):
        checksum ^= byte
    return f"{text}^{checksum:02X}\r".encode("ascii")


def unframed(line: bytes) -> list[str] | None:
    """The words of a line without its `$`; None if the checksum is missing or wrong."""
    text, _, _ = line.decode("ascii", "replace").rpartition("^")
    right = text.isascii() and framed(text)[:-1].upper() == line.upper()
    return text[1:].split() if right and text[1:].strip() else None


class OpenEvse:
    """An OpenEVSE board; its methods may be called from any thread.

    Args:
        port: A serial port, as `serial_port` makes it, or anything else that reads and writes.
        timeout: Seconds that an attempt waits for its answer; so a command ends within `timeout` × `attempts`.
        attempts: How often a command is sent until it is given up. Every command that is used here may come twice.
        notify: Called with the words of what the board says unasked, `["AT", "02", "02", "32", "0100"]`, when the next command finds it. It
            must be quick and must not call the board.
    """

    def __init__(
        self, port: Port, *, timeout: float = 0.5, attempts: int = 3, notify: Callable[[list[str]], object] = lambda words: None
    ) -> None:
        self.notify = notify
        self._port, self._timeout, self._attempts = port, timeout, attempts
        self._lock = threading.Lock()  # one command at a time
        self._received = b""
        self._number = int(time.monotonic()) % 255  # so that a late answer to an earlier program is not taken for ours

    def command(self, command: str) -> list[str]:
        """Send a command without its `$`, and return the words after `$OK`."""
        with self._lock:
            try:
                return self._command(command)
            except RapiError:
                raise
            except OSError as error:
                raise PortLost(f"the serial port has failed: {error}; is the board's cable plugged in?") from error

    def _command(self, command: str) -> list[str]:
        seen: list[bytes] = []
        for _ in range(self._attempts):
            self._number = self._number % 255 + 1  # 00 is no number
            number, deadline = f":{self._number:02X}", time.monotonic() + self._timeout
            self._port.write(framed(f"${command} {number}"))
            seen.clear()
            while (line := self._line(deadline)) is not None:
                words = unframed(line)
                if words is None:
                    seen.append(line)
                elif words[0] == "OK" and words[-1] == number:
                    return words[1:-1]
                elif words[0] == "NK" and words[-1] == number:
                    raise Refused(command, words[1:-1])
                elif words == ["NK"]:  # it has not understood, so it does not know our number
                    seen.append(line)
                    break
                elif words[0] == "OK" and not words[-1].startswith(":"):
                    raise RapiError(f"${command} was answered without its number: this board's firmware has a RAPI before 3.0.0")
                elif words[0] not in ("OK", "NK"):  # else it is the late answer to an earlier attempt
                    self.notify(words)
        if seen:
            raise Garbled(f"${command} failed {self._attempts} times, at last with {seen[-1]!r}; is the baud rate 115200, the cable short?")
        raise NoReply(f"no answer to ${command} in {self._attempts} × {self._timeout} s; is the board on, and are RX and TX crossed?")

    def _line(self, deadline: float) -> bytes | None:
        """The next line, from its last `$` on, since all before that is noise."""
        while True:
            while b"\r" in self._received:
                line, _, self._received = self._received.partition(b"\r")
                if (start := line.rfind(b"$")) >= 0:
                    return line[start:]
            self._received = self._received[-_MAX_LINE:]
            if time.monotonic() >= deadline:
                return None
            self._received += self._port.read(1)

    def _numbers(self, command: str, *bases: int) -> list[int]:
        words = self.command(command)
        try:
            return [int(word, base) for word, base in zip(words[: len(bases)], bases, strict=True)]
        except ValueError:
            raise RapiError(f"${command} was answered with {' '.join(words)!r}, not with {len(bases)} numbers") from None

    def version(self) -> tuple[str, str]:
        """That of the firmware, and of RAPI."""
        firmware, protocol = (*self.command("GV"), "", "")[:2]
        return firmware, protocol

    def state(self) -> State:
        """What the board does."""
        return State(*self._numbers("GS", 16, 10, 16, 16))

    def current(self) -> tuple[float | None, float]:
        """Amperes, None if the board has no ammeter, and volts."""
        milliamperes, millivolts = self._numbers("GG", 10, 10)
        return None if milliamperes < 0 else milliamperes / 1000, millivolts / 1000

    def energy_wh(self) -> int:
        """The meter: all that was ever charged. The board adds a session to its total when the car is unplugged."""
        for _ in range(self._attempts):
            plugged = self.state().plugged
            session, total = self._numbers("GU", 10, 10)
            if self.state().plugged == plugged:
                return total + (session // 3600 if plugged else 0)  # it counts a session in watt-seconds
        raise RapiError("the meter could not be read: the car was plugged in or out each time")

    def set_current(self, amps: int) -> int:
        """Limit the car, until the board is off; returns the limit that the board has taken, which keeps to its own bounds."""
        command = f"SC {amps} V"  # V does not write it to the EEPROM, which would be worn out
        try:
            return int(self.command(command)[0])
        except Refused as refused:  # not a failure: it has taken the nearest
            if refused.words and refused.words[0].isdigit():
                return int(refused.words[0])
            raise
        except (ValueError, IndexError):
            raise RapiError(f"${command} was answered without the limit") from None

    def limit(self) -> int:
        """Amperes that a car is told now."""
        words = self.command("GE")
        try:
            return int(words[0])
        except (ValueError, IndexError):
            raise RapiError(f"$GE was answered with {' '.join(words)!r}, not with the limit") from None

    def supervise(self, seconds: int, amps: int) -> None:
        """Have the board go down to so many amperes, six at least, when this is not said again in time.

        The board remembers both, and does not wear out its EEPROM with what is in there already. More than 65 seconds overflow in some.

        Raises:
            Refused: Its firmware was built without that.
        """
        self.command(f"SY {seconds} {amps}")

    def enable(self) -> None:
        """Let a car charge."""
        self.command("FE")

    def sleep(self) -> None:
        """Let no car charge, but watch whether there is one."""
        self.command("FS")

    def close(self) -> None:
        """Let go of the port."""
        with self._lock:
            self._port.close()


def main(path: str, *words: str) -> None:
    """Send a command, and print the answer."""
    try:
        print(*OpenEvse(serial_port(path)).command(" ".join(words)))
    except (SettingsError, OSError) as error:
        sys.exit(f"charge_point.rapi: {error}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: python3 -m charge_point.rapi /dev/serial0 GS")
    main(*sys.argv[1:])
