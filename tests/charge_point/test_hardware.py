"""The meter by Modbus, on a pseudo-terminal."""

from __future__ import annotations

import os
import queue
import select
import struct
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from charge_point.hardware import open_serial
from charge_point.meter import MeterError, ModbusMeter, crc
from charge_point.pi import PiHardware
from charge_point.settings import SettingsError
from gpiozero import BadPinFactory

from ..support import TIMEOUT, in_thread
from .bench import Bench


class SerialPort:
    """A serial port as pyserial has it, at a pseudo-terminal."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.patience = 0.05  # seconds
        self.error: Exception | None = None
        self.opened: list[str] = []

    def write(self, data: bytes) -> int:
        return os.write(self._number, data)

    def read(self, size: int) -> bytes:
        found = b""
        while len(found) < size and select.select([self._number], [], [], self.patience)[0]:
            found += os.read(self._number, size - len(found))
        return found

    def reset_input_buffer(self) -> None:
        if self.error is not None:
            raise self.error
        while select.select([self._number], [], [], 0)[0]:
            os.read(self._number, 256)

    def close(self) -> None:
        self.opened.append("closed")  # the test closes it

    def open(self) -> None:
        self.opened.append("opened")


class SimulatedSdm:
    """What answers at the other end, in a thread; what is in ``spoilt`` is done to the next answers."""

    def __init__(self, number: int, registers: dict[int, float]) -> None:
        self.registers = registers
        self.asked: list[int] = []
        self.spoilt: list[Callable[[bytes], bytes]] = []
        self._number = number
        self._over = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        request = b""
        while not self._over.is_set():
            if select.select([self._number], [], [], 0.01)[0]:
                request += os.read(self._number, 8 - len(request))
            if len(request) < 8:
                continue
            unit, function, register, count = struct.unpack(">BBHH", request[:6])
            assert (unit, function, count, crc(request[:6])) == (1, 4, 2, request[6:])
            self.asked.append(register)
            request = b""
            value = self.registers.get(register)
            body = b"\x01\x84\x02" if value is None else b"\x01\x04\x04" + struct.pack(">f", value)
            answer = body + crc(body)
            os.write(self._number, self.spoilt.pop(0)(answer) if self.spoilt else answer)

    def close(self) -> None:
        self._over.set()
        self.thread.join(TIMEOUT)


SDM120 = {0x0156: 1234.5, 0x000C: 3680.0, 0x0000: 230.5, 0x0006: 16.25}
SDM630 = {0x0156: 1234.5, 0x0034: 11040.0, 0x0000: 230.5, 0x0006: 16.0, 0x0008: 16.25, 0x000A: 15.5}


@pytest.fixture
def line() -> Iterator[tuple[SimulatedSdm, SerialPort]]:
    meter_end, our_end = os.openpty()
    tty.setraw(our_end)
    sdm = SimulatedSdm(meter_end, SDM120)
    yield sdm, SerialPort(our_end)
    sdm.close()
    os.close(meter_end)
    os.close(our_end)


@pytest.mark.parametrize(("model", "registers", "power"), [("sdm120", SDM120, 3680.0), ("sdm630", SDM630, 11040.0)])
def test_a_meter_is_read(model: str, registers: dict[int, float], power: float, line: tuple[SimulatedSdm, SerialPort]) -> None:
    sdm, port = line
    sdm.registers, port.patience = registers, TIMEOUT
    assert ModbusMeter(port, model).read() == (1234500.0, power, 230.5, 16.25)
    assert sdm.asked == list(registers)


def test_the_checksum_is_that_of_the_manual() -> None:
    assert crc(bytes.fromhex("01 04 00 00 00 02")).hex() == "71cb"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: b"",
        lambda answer: answer[:4],
        lambda answer: answer[:5] + bytes([answer[5] ^ 1]) + answer[6:],
        lambda answer: b"\x02" + answer[1:],
        lambda answer: b"\xff" + answer,
    ],
)
def test_a_disturbed_answer_is_asked_for_again(spoil: Callable[[bytes], bytes], line: tuple[SimulatedSdm, SerialPort]) -> None:
    sdm, port = line
    sdm.spoilt = [spoil]
    assert ModbusMeter(port, "sdm120").read().energy_wh == 1234500.0
    assert sdm.asked[:2] == [0x0156, 0x0156]


def test_a_meter_that_cannot_be_read_says_what_to_look_at(line: tuple[SimulatedSdm, SerialPort]) -> None:
    sdm, port = line
    sdm.spoilt = [lambda answer: b""] * 2
    with pytest.raises(MeterError, match=r"the meter with address 1 does not answer: check its address, baud rate, and A and B"):
        ModbusMeter(port, "sdm120", attempts=2).read()
    sdm.registers = {}
    with pytest.raises(MeterError, match=r"refuses register 0x0156 with error 2; is it an SDM120\?"):
        ModbusMeter(port, "sdm120", attempts=1).read()
    sdm.registers = {**SDM120, 0x0156: float("nan")}
    with pytest.raises(MeterError, match=r"shows nan in register 0x0156"):
        ModbusMeter(port, "sdm120", attempts=1).read()


def test_the_ports_of_the_settings_are_opened(
    make_bench: Callable[..., Bench],
) -> None:
    """With pyserial itself: meter and card reader, each on a pseudo-terminal."""
    pytest.importorskip("serial")
    meter_end, meter_port = os.openpty()
    cards_end, cards_port = os.openpty()
    sdm = SimulatedSdm(meter_end, SDM120)
    try:
        bench = make_bench(meter={"kind": "sdm120", "port": os.ttyname(meter_port)}, cards={"port": os.ttyname(cards_port)})
        hardware = PiHardware(bench.settings)
        cards: queue.Queue[str] = queue.Queue()
        hardware.carded = cards.put
        waiting = in_thread(hardware.wait_for_cards)
        os.write(cards_end, b"hello\r\n04 a1 b2 c3 d4 e5 f6\r\n")
        assert cards.get(timeout=TIMEOUT) == "04A1B2C3D4E5F6"
        assert hardware.meter.read() == (1234500.0, 3680.0, 230.5, 16.25)
        hardware.close()
        waiting.result()
    finally:
        sdm.close()
        for each in (meter_end, meter_port, cards_end, cards_port):
            os.close(each)


def test_an_adapter_that_was_pulled_out_is_used_again_when_it_is_back(tmp_path: Path) -> None:
    """With pyserial itself; a pulled adapter's port fails with termios.error, which is no OSError."""
    pytest.importorskip("serial")
    link = tmp_path / "ttyUSB0"
    for attempt in range(2):
        meter_end, our_end = os.openpty()
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(our_end))  # as udev does
        if attempt == 0:
            meter = ModbusMeter(open_serial("meter.port", str(link), 9600, TIMEOUT), "sdm120")
        sdm = SimulatedSdm(meter_end, SDM120)
        try:
            assert meter.read().energy_wh == 1234500.0
        finally:
            sdm.close()
            link.unlink()
            os.close(meter_end)
            os.close(our_end)
        with pytest.raises(MeterError, match="the port of the meter failed"):
            meter.read()
    meter.close()


def test_a_port_that_fails_in_whatever_way_is_a_meter_that_cannot_be_read(line: tuple[SimulatedSdm, SerialPort]) -> None:
    _, port = line
    port.patience = TIMEOUT
    meter = ModbusMeter(port, "sdm120", attempts=1)
    for error in (termios.error(5, "Input/output error"), OSError("gone"), TypeError("its number is None")):
        opened = len(port.opened)
        port.error = error
        with pytest.raises(MeterError, match="the port of the meter failed"):
            meter.read()
        port.error = None
        assert meter.read().energy_wh == 1234500.0
        assert port.opened[opened:] == ["closed", "opened"]


def test_pins_that_cannot_be_used_end_in_words(make_bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: Any, **options: Any) -> None:
        raise BadPinFactory("Unable to load any default pin factory!")

    monkeypatch.setattr("charge_point.pi.LED", refused)
    bench = make_bench()
    with pytest.raises(SettingsError, match=r"GPIO22 cannot be used \(BadPinFactory: Unable .*\). On a Pi: is python3-lgpio installed"):
        PiHardware(bench.settings)
    assert not bench.pin["contactor"].state
    monkeypatch.undo()
    PiHardware(bench.settings).close()  # all pins were let go
