"""examples/raspberry_pi/openevse.py and rapi.py against a board that is played on a pseudo-terminal, noise and lost replies included."""

from __future__ import annotations

import importlib
import os
import re
import select
import signal
import subprocess
import sys
import threading
import tty
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ocpp_sync import Backoff, OcppClient
from ocpp_sync.testing import OcppServerFixture

from .support import TIMEOUT, in_thread, wait_until

pytest.importorskip("serial", reason="pyserial is not installed")

EXAMPLE = Path(__file__).parent.parent / "examples" / "raspberry_pi" / "openevse.py"
TAG = "PLUG-1"
CONNECTED, CHARGING_ON = 0x0100, 0x0040
NO_CAR, CAR, CHARGING, SLEEPING, DISABLED = 0x01, 0x02, 0x03, 0xFE, 0xFF


def framed(text: str) -> bytes:
    checksum = 0
    for byte in text.encode():
        checksum ^= byte
    return f"{text}^{checksum:02X}\r".encode()


class Board:
    """An OpenEVSE board by RAPI, as its firmware answers; `path` is its serial port."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self.lock = threading.RLock()
        self.commands: list[str] = []  # as they came, without number and checksum
        self.spoils: deque[Callable[[bytes], bytes]] = deque()  # what becomes of the next replies
        self.car = self.wants = self.relay_fault = False
        self.allowed = 1  # 1 enabled, 0 asleep, -1 disabled
        self.amps = 24
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

    def reboot(self) -> None:
        with self.lock:
            self.allowed, self.amps = 1, 24
            self.send(framed("$AB 00 8.2.1"))
            self.say_state()

    def say_state(self) -> None:
        self.send(framed(f"$AT {self.state:02x} {self.pilot:02x} {self.amps} {self.flags:04x}"))

    def send(self, data: bytes) -> None:
        os.write(self._master, data)

    # --- what it is

    @property
    def state(self) -> int:
        if self.relay_fault:
            return 0x08
        return {0: SLEEPING, -1: DISABLED}.get(self.allowed, self.pilot)

    @property
    def pilot(self) -> int:
        return CHARGING if self.car and self.wants else CAR if self.car else NO_CAR

    @property
    def relay(self) -> bool:
        return self.state == CHARGING

    @property
    def flags(self) -> int:
        return 0x0200 | CONNECTED * self.car | CHARGING_ON * self.relay

    # --- what it answers

    def _serve(self) -> None:
        received = b""
        while self._stop_read not in select.select([self._master, self._stop_read], [], [])[0]:
            received += os.read(self._master, 4096)
            while b"\r" in received:
                line, _, received = received.partition(b"\r")
                with self.lock:
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
            return f"OK {self.milliamperes if self.relay else 0} 231500"
        if word == "GU":
            return f"OK {self.session_ws} {self.total_wh}"
        if word == "GV":
            return "OK 8.2.1 5.2.1"
        if word == "SC":
            wanted = int(arguments[0])
            self.amps = min(max(wanted, 6), 24)
            return f"{'OK' if self.amps == wanted else 'NK'} {self.amps}"
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


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(EXAMPLE.parent)
    monkeypatch.setitem(sys.modules, "openevse", ModuleType("openevse"))  # both are forgotten at the end
    monkeypatch.setitem(sys.modules, "rapi", ModuleType("rapi"))
    del sys.modules["openevse"], sys.modules["rapi"]
    return importlib.import_module("openevse")


@pytest.fixture
def rapi(example: ModuleType) -> ModuleType:
    return sys.modules["rapi"]


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board()
    yield board
    board.close()


@pytest.fixture
def port(example: ModuleType, board: Board) -> Iterator[Any]:
    with example.serial_port(board.path) as port:
        yield port


@pytest.fixture
def evse(example: ModuleType, port: Any) -> Any:
    return example.OpenEvse(port)


def lost(reply: bytes) -> bytes:
    return b""


def garbled(reply: bytes) -> bytes:
    return reply.replace(b"$OK", b"$O\x00").replace(b"$NK", b"$N\x00")


# --- RAPI


@pytest.mark.parametrize(
    ("text", "frame"), [("$GS", b"$GS^30\r"), ("$GV", b"$GV^35\r"), ("$GG", b"$GG^24\r"), ("$GU", b"$GU^36\r"), ("$SK 0", b"$SK 0^2C\r")]
)
def test_the_checksum_is_that_of_the_firmwares_documentation(rapi: ModuleType, text: str, frame: bytes) -> None:
    assert rapi.framed(text) == frame
    assert rapi.unframed(frame[:-1]) == text[1:].split()
    assert rapi.unframed(frame[:-1].lower().replace(b"$" + text[1:].lower().encode(), b"$" + text[1:].encode())) == text[1:].split()


@pytest.mark.parametrize("line", [b"$GS^31", b"$GS", b"$", b"$^24", b"$GS^3", b"$\xff\xfe^30", b"$GS^30 "])
def test_what_has_no_right_checksum_has_no_words(rapi: ModuleType, line: bytes) -> None:
    assert rapi.unframed(line) is None


def test_what_the_board_says(board: Board, evse: Any) -> None:
    assert evse.version() == ("8.2.1", "5.2.1")
    assert (evse.state().code, evse.state().plugged, evse.state().charging) == (NO_CAR, False, False)
    assert evse.current() == (0.0, 231.5)
    board.plug()
    assert (evse.state().code, evse.state().plugged, evse.state().charging, evse.state().asleep) == (CHARGING, True, True, False)
    assert evse.current() == (16.0, 231.5)
    evse.sleep()
    assert (evse.state().code, evse.state().plugged, evse.state().asleep) == (SLEEPING, True, True)
    evse.disable()
    assert evse.state().code == DISABLED
    evse.enable()
    assert evse.state().code == CHARGING
    board.milliamperes = -1
    assert evse.current() == (None, 231.5)


def test_the_meter_never_falls_and_counts_a_session_once(board: Board, evse: Any) -> None:
    assert evse.energy_wh() == 5000
    board.plug()
    assert evse.energy_wh() == 5000
    board.session_ws = 3600 * 700 + 3599
    assert evse.energy_wh() == 5700
    board.unplug()
    assert evse.energy_wh() == 5700


@pytest.mark.parametrize(("wanted", "taken"), [(6, 6), (16, 16), (3, 6), (80, 24)])
def test_a_limit_that_the_board_moves_is_returned(board: Board, evse: Any, wanted: int, taken: int) -> None:
    assert evse.set_current(wanted) == taken == board.amps
    assert board.commands == [f"SC {wanted} V"]  # volatile: not to the EEPROM


@pytest.mark.parametrize("spoil", [lost, garbled, lambda reply: reply[:-1], lambda reply: b"$NK^2\r"])
def test_a_reply_that_is_lost_or_garbled_is_asked_for_again(rapi: ModuleType, board: Board, port: Any, spoil: Any) -> None:
    evse = rapi.OpenEvse(port, timeout=0.1)
    board.spoils.extend([spoil, spoil])
    assert evse.state().code == NO_CAR
    assert board.commands == ["GS"] * 3


def test_a_board_that_has_not_understood_is_asked_again_at_once(rapi: ModuleType, board: Board, port: Any) -> None:
    evse = rapi.OpenEvse(port, timeout=TIMEOUT)
    board.spoils.append(lambda reply: framed("$NK"))
    assert in_thread(evse.state).result(TIMEOUT / 2).code == NO_CAR
    assert board.commands == ["GS"] * 2


def test_attempts_are_bounded_and_the_error_says_why(rapi: ModuleType, board: Board, port: Any) -> None:
    evse = rapi.OpenEvse(port, timeout=0.05)
    board.spoils.extend([lost] * 3)
    with pytest.raises(rapi.NoReply, match=r"no answer to \$GS in 3 × 0.05 s") as no_reply:
        evse.state()
    assert isinstance(no_reply.value, TimeoutError)
    board.spoils.extend([lost, lost, garbled])
    with pytest.raises(rapi.Garbled, match=r"\$GS failed 3 times, at last with b'\$O.x00"):
        evse.state()
    assert board.commands == ["GS"] * 6
    assert evse.state().code == NO_CAR


def test_a_refusal_is_not_repeated(rapi: ModuleType, board: Board, evse: Any) -> None:
    with pytest.raises(rapi.Refused, match=r"the board refuses \$SH 5$"):
        evse.command("SH 5")
    assert board.commands == ["SH 5"]


def test_noise_and_half_a_line_are_thrown_away(board: Board, evse: Any) -> None:
    board.spoils.append(lambda reply: b"\x00\xff~" * 200 + b"OK 03 no start\r\r$\r$OK 0" + reply)
    board.plug()
    assert evse.state().code == CHARGING
    assert board.commands == ["GS"]


def test_noise_without_an_end_takes_no_memory(rapi: ModuleType) -> None:
    class Noise:
        def read(self, size: int) -> bytes:
            return b"$" * 64

        def write(self, data: bytes) -> None: ...

    evse = rapi.OpenEvse(Noise(), timeout=0.02)
    with pytest.raises(rapi.NoReply):
        evse.state()
    assert len(evse._received) <= 256


def test_the_late_answer_to_an_earlier_attempt_is_not_taken_for_another(rapi: ModuleType, board: Board, port: Any) -> None:
    evse = rapi.OpenEvse(port, timeout=0.1)
    late: list[bytes] = []

    def delayed(reply: bytes) -> bytes:
        late.append(reply)
        return b""

    board.spoils.extend([delayed] * 3)
    with pytest.raises(rapi.NoReply):
        evse.current()
    board.spoils.append(lambda reply: b"".join(late) + reply)
    assert evse.energy_wh() == 5000


def test_what_comes_unasked_is_told_and_is_no_answer(rapi: ModuleType, board: Board, port: Any) -> None:
    told: list[list[str]] = []
    evse = rapi.OpenEvse(port, notify=told.append)
    board.plug(wants=False)
    board.spoils.append(lambda reply: framed("$ST 02") + reply[:0] + framed("$WF 01") + b"$AT 03 0^00\r" + reply)
    assert evse.state().code == CAR
    assert told == [["AT", "02", "02", "24", "0300"], ["ST", "02"], ["WF", "01"]]
    assert board.commands == ["GS"]


def test_an_old_firmware_is_named(rapi: ModuleType, board: Board, evse: Any) -> None:
    board.spoils.append(lambda reply: framed("$OK 1 0"))
    with pytest.raises(rapi.RapiError, match=r"RAPI before 3\.0\.0"):
        evse.state()


@pytest.mark.parametrize("answer", ["OK", "OK 01 x 01 0200", "OK 1 2 3"])
def test_an_answer_that_makes_no_sense_is_an_error(rapi: ModuleType, board: Board, evse: Any, answer: str) -> None:
    board.spoils.append(lambda reply: framed(f"${answer}" + reply[reply.rindex(b" :") : -4].decode()))
    with pytest.raises(rapi.RapiError, match=r"\$GS was answered with '.*', not with 4 numbers"):
        evse.state()


def test_threads_do_not_get_each_others_answers(board: Board, evse: Any) -> None:
    def ask(what: Callable[[], Any], expected: Any) -> None:
        for _ in range(50):
            assert what() == expected

    asking = [
        in_thread(ask, evse.version, ("8.2.1", "5.2.1")),
        in_thread(ask, evse.energy_wh, 5000),
        in_thread(ask, lambda: evse.set_current(10), 10),
    ]
    for each in asking:
        each.result()


def test_a_port_that_is_lost_is_an_error_of_its_own(rapi: ModuleType) -> None:
    class Unplugged:
        def read(self, size: int) -> bytes:
            raise OSError(5, "Input/output error")

        def write(self, data: bytes) -> None: ...

    with pytest.raises(rapi.PortLost, match="Input/output error; is the board's cable plugged in") as lost_port:
        rapi.OpenEvse(Unplugged()).state()
    assert isinstance(lost_port.value, ConnectionError)


# --- the charge point


class Point:
    """The program, in a thread, until it is told to stop."""

    def __init__(self, example: ModuleType, evse: Any, outbox: Path, *, meter_interval: float = 3600.0) -> None:
        self.client = OcppClient("CP1", version="1.6", outbox=outbox, reconnect=Backoff(0.1, 0.0, 1))
        self.stopping = threading.Event()
        self._arguments = (self.client, evse, self.stopping, meter_interval)
        self._run = example.run

    def start(self, url: str) -> Point:
        self.running = in_thread(self._run, url, *self._arguments)
        return self

    def end(self) -> None:
        self.stopping.set()
        self.running.result()


@pytest.fixture
def point(example: ModuleType, port: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Point]:
    monkeypatch.setattr(example, "LOOK_INTERVAL", 0.02)
    point = Point(example, example.OpenEvse(port, timeout=0.1), tmp_path / "outbox")
    yield point
    point.stopping.set()
    point.running.thread.join(TIMEOUT)


def booted(point: Point, ocpp_server: OcppServerFixture) -> Point:
    point.start(ocpp_server.url)
    ocpp_server.expect("BootNotification", chargePointVendor="OpenEVSE", firmwareVersion="8.2.1")
    ocpp_server.expect("StatusNotification", status="Available", connectorId=1, errorCode="NoError")
    return point


def charging(board: Board, ocpp_server: OcppServerFixture) -> int:
    board.plug()
    ocpp_server.expect("Authorize", idTag=TAG)
    ocpp_server.expect("StatusNotification", status="Preparing", any_order=True)  # by the outbox, and so after it or before
    started = ocpp_server.expect("StartTransaction", idTag=TAG)
    ocpp_server.expect("StatusNotification", status="Charging")
    assert board.relay
    number: int = started.response["transactionId"]
    return number


def test_a_car_is_charged_from_plug_to_unplug(ocpp_server: OcppServerFixture, board: Board, point: Point) -> None:
    booted(point, ocpp_server)
    assert board.commands[:2] == ["GV", "FS"]  # whatever it did before, nothing flows while the meter is read
    number = charging(board, ocpp_server)
    assert board.amps == 24  # the board's own bound
    board.session_ws = 3600 * 1200
    board.unplug()
    ocpp_server.expect("StopTransaction", transactionId=number, meterStop=6200, reason="EVDisconnected")
    ocpp_server.expect("StatusNotification", status="Available")
    assert board.allowed == 0
    point.end()
    assert board.allowed == -1
    assert [(each.energy, each.reason) for each in ocpp_server.csms.transactions] == [(1200, "EVDisconnected")]


def test_the_csms_stops_and_starts(ocpp_server: OcppServerFixture, board: Board, point: Point) -> None:
    booted(point, ocpp_server)
    assert ocpp_server.call("RemoteStartTransaction", idTag="REMOTE") == {"status": "Rejected"}  # there is no car
    number = charging(board, ocpp_server)
    assert ocpp_server.call("RemoteStopTransaction", transactionId=number + 1) == {"status": "Rejected"}
    assert ocpp_server.call("RemoteStartTransaction", idTag="REMOTE") == {"status": "Rejected"}
    assert ocpp_server.call("RemoteStopTransaction", transactionId=number) == {"status": "Accepted"}
    ocpp_server.expect("StopTransaction", transactionId=number, reason="Remote")
    ocpp_server.expect("StatusNotification", status="Finishing")
    assert not board.relay
    assert ocpp_server.call("RemoteStartTransaction", idTag="REMOTE") == {"status": "Accepted"}
    started = ocpp_server.expect("StartTransaction", idTag="REMOTE")
    ocpp_server.expect("StatusNotification", status="Charging")
    point.end()
    ocpp_server.expect("StopTransaction", transactionId=started.response["transactionId"], reason="Other")


def test_who_may_not_charge_is_asked_about_once(ocpp_server: OcppServerFixture, board: Board, point: Point) -> None:
    ocpp_server.reply("Authorize", {"idTagInfo": {"status": "Blocked"}})
    booted(point, ocpp_server)
    board.plug()
    ocpp_server.expect("Authorize")
    looked = board.commands.count("GS") + 10
    assert wait_until(lambda: board.commands.count("GS") > looked)
    point.end()
    assert [each.action for each in ocpp_server.received if each.action in ("Authorize", "StartTransaction")] == ["Authorize"]
    assert "FE" not in board.commands


def test_a_transaction_that_is_refused_ends(ocpp_server: OcppServerFixture, board: Board, point: Point) -> None:
    ocpp_server.reply("StartTransaction", {"transactionId": 9, "idTagInfo": {"status": "ConcurrentTx"}})
    booted(point, ocpp_server)
    board.plug()
    ocpp_server.expect("StopTransaction", transactionId=9, reason="DeAuthorized")
    assert wait_until(lambda: board.allowed == 0)


@pytest.mark.parametrize(("limit", "unit", "amps"), [(10, "A", 10), (16.9, "A", 16), (3680, "W", 16), (3, "A", 0)])
def test_a_limit_reaches_the_board(ocpp_server: OcppServerFixture, board: Board, point: Point, limit: float, unit: str, amps: int) -> None:
    booted(point, ocpp_server)
    charging(board, ocpp_server)
    schedule = {
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}, {"startPeriod": 9999, "limit": 32}],
    }
    profile = {"chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxProfile", "chargingProfileKind": "Relative"}
    request = {"connectorId": 1, "csChargingProfiles": {**profile, "chargingSchedule": schedule}}
    assert ocpp_server.call("SetChargingProfile", request) == {"status": "Accepted"}
    if amps:
        assert wait_until(lambda: board.amps == amps)
    else:
        ocpp_server.expect("StatusNotification", status="SuspendedEVSE")
        assert board.allowed == 0
    assert ocpp_server.call("ClearChargingProfile", chargingProfilePurpose="TxDefaultProfile") == {"status": "Unknown"}
    assert ocpp_server.call("ClearChargingProfile") == {"status": "Accepted"}
    assert wait_until(lambda: board.amps == 24 and board.relay)
    board.unplug()
    ocpp_server.expect("StopTransaction")
    assert ocpp_server.call("SetChargingProfile", request) == {"status": "Rejected"}  # without a transaction


def test_meter_values_come_at_their_interval(ocpp_server: OcppServerFixture, board: Board, point: Point) -> None:
    point._arguments = (*point._arguments[:3], 0.05)
    booted(point, ocpp_server)
    board.session_ws = 0
    number = charging(board, ocpp_server)
    with board.lock:
        board.session_ws = 3600 * 300
    values = [{"value": "5300", "unit": "Wh"}, {"value": "231.5"}, {"value": "16.0", "unit": "A"}]
    ocpp_server.expect("MeterValues", connectorId=1, transactionId=number, meterValue__0__sampledValue=values)


def test_a_car_that_wants_nothing_and_a_fault_are_told(ocpp_server: OcppServerFixture, board: Board, point: Point) -> None:
    booted(point, ocpp_server)
    charging(board, ocpp_server)
    board.wants = False
    ocpp_server.expect("StatusNotification", status="SuspendedEV")
    board.relay_fault = True
    ocpp_server.expect("StatusNotification", status="Faulted", errorCode="PowerSwitchFailure")


def test_a_car_that_is_changed_between_two_looks_is_another_one(ocpp_server: OcppServerFixture, board: Board, point: Point) -> None:
    booted(point, ocpp_server)
    number = charging(board, ocpp_server)
    with board.lock:  # nothing is answered meanwhile
        board.session_ws = 3600 * 50
        board.allowed = 1
        board.unplug()
        board.plug()
    ocpp_server.expect("StopTransaction", transactionId=number, meterStop=5050, reason="EVDisconnected")
    ocpp_server.expect("StartTransaction", meterStart=5050)


def test_a_car_that_is_changed_while_the_board_sleeps_is_another_one(ocpp_server: OcppServerFixture, board: Board, point: Point) -> None:
    booted(point, ocpp_server)
    number = charging(board, ocpp_server)
    assert ocpp_server.call("RemoteStopTransaction", transactionId=number) == {"status": "Accepted"}
    ocpp_server.expect("StatusNotification", status="Finishing")
    with board.lock:
        board.unplug()
        board.plug()
    ocpp_server.expect("StartTransaction", idTag=TAG)


def test_a_start_that_the_board_was_silent_at_is_tried_again(ocpp_server: OcppServerFixture, board: Board, point: Point) -> None:
    def accept_and_silence_the_board(request: Any) -> dict[str, Any]:
        with board.lock:
            board.spoils.extend([lost] * 3)
        return {"idTagInfo": {"status": "Accepted"}}

    ocpp_server.reply("Authorize", accept_and_silence_the_board, once=True)
    booted(point, ocpp_server)
    board.plug()
    ocpp_server.expect("Authorize")
    ocpp_server.expect("StatusNotification", status="Faulted", errorCode="InternalError", any_order=True)
    ocpp_server.expect("Authorize", any_order=True)
    ocpp_server.expect("StartTransaction", idTag=TAG)
    ocpp_server.expect("StatusNotification", status="Charging")


def test_a_board_that_has_rebooted_is_told_the_limit_again(ocpp_server: OcppServerFixture, board: Board, point: Point) -> None:
    booted(point, ocpp_server)
    board.reboot()  # and lets everybody charge
    assert wait_until(lambda: board.allowed == 0)
    profile = {"chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Absolute"}
    schedule = {
        "chargingRateUnit": "A",
        "startSchedule": "2025-01-01T00:00:00Z",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 8}],
    }
    ocpp_server.call("SetChargingProfile", connectorId=0, csChargingProfiles={**profile, "chargingSchedule": schedule})
    charging(board, ocpp_server)
    assert board.amps == 8
    board.reboot()
    assert wait_until(lambda: board.amps == 8)


def test_the_boards_button_lets_nobody_charge(ocpp_server: OcppServerFixture, board: Board, point: Point) -> None:
    booted(point, ocpp_server)
    board.allowed = 1
    assert wait_until(lambda: board.allowed == 0)


def test_a_board_with_a_fault_charges_nobody_until_it_is_over(ocpp_server: OcppServerFixture, board: Board, point: Point) -> None:
    booted(point, ocpp_server)
    board.relay_fault = True
    board.plug()
    ocpp_server.expect("StatusNotification", status="Faulted")
    looked = board.commands.count("GS") + 10
    assert wait_until(lambda: board.commands.count("GS") > looked)
    ocpp_server.expect_no("Authorize")
    board.relay_fault = False
    ocpp_server.expect("Authorize")
    ocpp_server.expect("StatusNotification", status="Charging")


def test_a_board_that_is_silent_is_a_fault_until_it_answers(ocpp_server: OcppServerFixture, board: Board, point: Point) -> None:
    booted(point, ocpp_server)
    number = charging(board, ocpp_server)
    with board.lock:
        board.spoils.extend([lost] * 4)
    ocpp_server.expect("StatusNotification", status="Faulted", errorCode="InternalError")
    ocpp_server.expect("StatusNotification", status="Charging", errorCode="NoError")
    board.unplug()
    ocpp_server.expect("StopTransaction", transactionId=number)


def test_a_car_that_comes_without_a_link_waits_for_it(example: ModuleType, board: Board, point: Point) -> None:
    with OcppServerFixture() as ocpp_server:
        booted(point, ocpp_server)
        ocpp_server.server.close()
        assert wait_until(lambda: not point.client.connected)
        board.plug()
        looked = board.commands.count("GS") + 10
        assert wait_until(lambda: board.commands.count("GS") > looked)
        assert "FE" not in board.commands
        ocpp_server.server.listen(int(ocpp_server.url.rpartition(":")[2]), "127.0.0.1")
        ocpp_server.expect("Authorize", idTag="PLUG-1")
        ocpp_server.expect("StartTransaction")
        point.end()


def test_a_lost_port_ends_the_program_and_the_transaction(
    example: ModuleType, ocpp_server: OcppServerFixture, board: Board, point: Point
) -> None:
    booted(point, ocpp_server)
    number = charging(board, ocpp_server)
    board.session_ws = 3600 * 10
    asked = board.commands.count("GU") + 2
    assert wait_until(lambda: board.commands.count("GU") >= asked)
    board.close()
    with pytest.raises(example.PortLost):
        point.running.result()
    ocpp_server.expect("StopTransaction", transactionId=number, meterStop=5010, reason="Other")


def test_a_power_cut_and_sigterm(ocpp_server: OcppServerFixture, board: Board, tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLE), ocpp_server.url, "CP1", board.path, str(tmp_path / "outbox")]
    with subprocess.Popen(command) as first:
        try:
            ocpp_server.expect("StatusNotification", status="Available")
            number = charging(board, ocpp_server)
        finally:
            first.kill()
    board.session_ws = 3600 * 400
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as second:
        try:
            ocpp_server.expect("BootNotification")
            ocpp_server.expect("StopTransaction", transactionId=number, meterStop=5400, reason="PowerLoss")
            ocpp_server.expect("StartTransaction", meterStart=5400)  # the car is still there
            ocpp_server.expect("StatusNotification", status="Charging")
            second.send_signal(signal.SIGTERM)
            _, error = second.communicate(timeout=TIMEOUT)
        finally:
            second.kill()
    assert (second.returncode, error) == (0, "")
    ocpp_server.expect("StopTransaction", reason="Other")
    assert board.allowed == -1


def test_no_board_ends_the_program_with_what_to_check(board: Board, tmp_path: Path) -> None:
    board.spoils.extend([lost] * 3)
    command = [sys.executable, str(EXAMPLE), "ws://127.0.0.1:1", "CP1", board.path, str(tmp_path / "outbox")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert done.returncode == 1
    assert re.fullmatch(r"no answer to \$GV in 3 × 0.5 s; is the board on, .*\n", done.stderr)
