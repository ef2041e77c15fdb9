"""Energy meters: SDM120 and SDM630 by Modbus RTU, and a simulated one for the bench."""

from __future__ import annotations

import struct
import termios
import threading
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from ocpp_sync.clock import SYSTEM_CLOCK, Clock


class Reading(NamedTuple):
    """What a meter shows: of several phases, the sum of the power, and the voltage and the greatest current of a phase."""

    energy_wh: float
    power_w: float
    voltage_v: float
    current_a: float


class MeterError(OSError):
    """The meter has not answered, or not as it should."""


class Meter(Protocol):
    """Any meter."""

    def read(self) -> Reading:
        """What it shows now.

        Raises:
            MeterError: It cannot be read.
        """

    def close(self) -> None:
        """Let go of it."""


# Input registers (function 4), float32 with the high word first. 0x0156 is all energy in kWh; nothing flows back here, so it is the import.
VOLTAGE, ENERGY = 0x0000, 0x0156
POWER = {"sdm120": 0x000C, "sdm630": 0x0034}  # the only phase; the sum of three
CURRENTS = {"sdm120": (0x0006,), "sdm630": (0x0006, 0x0008, 0x000A)}


class Port(Protocol):
    """A serial port, as ``serial.Serial`` is one."""

    def write(self, data: bytes) -> Any:
        """Send."""

    def read(self, size: int) -> bytes:
        """Receive so many bytes, or fewer when the time-out is over."""

    def reset_input_buffer(self) -> None:
        """Forget what has come."""

    def close(self) -> None:
        """Close it; it may be opened again."""

    def open(self) -> None:
        """Open it again."""


class ModbusMeter:
    """An SDM120 or SDM630 at an RS-485 adapter.

    Args:
        port: The serial port, with a time-out of about 0.5 s.
        model: ``"sdm120"`` or ``"sdm630"``.
        unit: The meter's Modbus address.
        attempts: How often a register is asked for; a line next to a contactor has disturbances.
    """

    def __init__(self, port: Port, model: str, unit: int = 1, attempts: int = 3) -> None:
        self._port = port
        self._model = model
        self._unit = unit
        self._attempts = attempts
        self._is_lost = False  # the port; it may be there again
        self._is_closed = False
        self._lock = threading.Lock()

    def read(self) -> Reading:
        """See :class:`Meter`."""
        with self._lock:
            energy = self._float(ENERGY) * 1000
            power = self._float(POWER[self._model])
            return Reading(energy, power, self._float(VOLTAGE), max(self._float(each) for each in CURRENTS[self._model]))

    def close(self) -> None:
        """See :class:`Meter`; a reading that goes on fails, and does not open the port again."""
        self._is_closed = True
        self._port.close()

    def _float(self, register: int) -> float:
        for attempt in range(1, self._attempts + 1):
            try:
                return self._ask(register)
            except MeterError:
                if attempt == self._attempts:
                    raise
        raise AssertionError("not reached")

    def _ask(self, register: int) -> float:
        request = struct.pack(">BBHH", self._unit, 4, register, 2)
        try:
            if self._is_lost and not self._is_closed:
                self._port.close()
                self._port.open()
                self._is_lost = False
            self._port.reset_input_buffer()  # a late answer to an earlier question
            self._port.write(request + crc(request))
            head = self._port.read(3)
            rest = self._port.read(6 if head[1:2] == b"\x04" else 2)  # an error is two bytes shorter
        except (OSError, TypeError, termios.error) as error:  # serial.SerialException is the first: the adapter was pulled out
            self._is_lost = True
            raise MeterError(f"the port of the meter failed: {error}") from error
        answer = head + rest
        if not answer:
            raise MeterError(f"the meter with address {self._unit} does not answer: check its address, baud rate, and A and B of the line")
        if len(answer) < 5 or crc(answer[:-2]) != answer[-2:]:
            raise MeterError(f"the answer {answer.hex(' ')} of the meter is damaged")
        if answer[:2] == bytes([self._unit, 0x84]):
            raise MeterError(f"the meter refuses register 0x{register:04X} with error {answer[2]}; is it an {self._model.upper()}?")
        if answer[:3] != bytes([self._unit, 4, 4]):
            raise MeterError(f"the answer {answer.hex(' ')} is not to what the meter was asked")
        value: float = struct.unpack(">f", answer[3:7])[0]
        if not abs(value) < 1e12:
            raise MeterError(f"the meter shows {value} in register 0x{register:04X}")
        return value


def crc(data: bytes) -> bytes:
    """The checksum of Modbus RTU."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


class SimulatedMeter:
    """A meter and a car for the bench: power flows while the contactor is closed.

    Args:
        is_closed: Whether the contactor is closed.
        amps: What the car takes a phase; the station may allow it less.
        phases: How many.
        clock: Another clock than the machine's, for tests.

    Attributes:
        car_amps: What the car would take; 0 is a full one.
        energy_wh: The register.
        failure: What :meth:`read` raises, if anything.
        is_stuck: Whether the register stands still.
    """

    def __init__(self, is_closed: Callable[[], bool], amps: Callable[[], float], phases: int = 1, clock: Clock = SYSTEM_CLOCK) -> None:
        self.car_amps = 32.0
        self.energy_wh = 0.0
        self.failure: Exception | None = None
        self.is_stuck = False
        self._is_closed = is_closed
        self._amps = amps
        self._phases = phases
        self._clock = clock
        self._at = clock.monotonic()
        self._lock = threading.Lock()

    def read(self) -> Reading:
        """See :class:`Meter`."""
        with self._lock:
            amps = min(self.car_amps, self._amps()) if self._is_closed() else 0.0
            power, now = amps * 230.0 * self._phases, self._clock.monotonic()
            if not self.is_stuck:
                self.energy_wh += power * (now - self._at) / 3600
            self._at = now
            if self.failure is not None:
                raise self.failure
            return Reading(self.energy_wh, power, 230.0, amps)

    def close(self) -> None:
        """See :class:`Meter`."""
