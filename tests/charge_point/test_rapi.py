"""RAPI, the protocol of an OpenEVSE board, against one on a pseudo-terminal: noise and lost replies included."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from charge_point import rapi
from charge_point.rapi import OpenEvse

from ..support import TIMEOUT, in_thread
from . import EXAMPLES
from .openevse_board import CAR, CHARGING, NO_CAR, SLEEPING, STUCK_RELAY, Board, framed, garbled, lost

pytest.importorskip("serial", reason="pyserial is not installed")


@pytest.fixture
def evse(port: Any) -> OpenEvse:
    return OpenEvse(port)


@pytest.mark.parametrize(
    ("text", "frame"), [("$GS", b"$GS^30\r"), ("$GV", b"$GV^35\r"), ("$GG", b"$GG^24\r"), ("$GU", b"$GU^36\r"), ("$SK 0", b"$SK 0^2C\r")]
)
def test_the_checksum_is_that_of_the_firmwares_documentation(text: str, frame: bytes) -> None:
    assert rapi.framed(text) == frame
    assert rapi.unframed(frame[:-1]) == text[1:].split()
    assert rapi.unframed(frame[:-1].lower().replace(b"$" + text[1:].lower().encode(), b"$" + text[1:].encode())) == text[1:].split()


@pytest.mark.parametrize("line", [b"$GS^31", b"$GS", b"$", b"$^24", b"$GS^3", b"$\xff\xfe^30", b"$GS^30 "])
def test_what_has_no_right_checksum_has_no_words(line: bytes) -> None:
    assert rapi.unframed(line) is None


def test_what_the_board_says(board: Board, evse: OpenEvse) -> None:
    assert evse.version() == ("8.2.1", "5.2.1")
    assert (evse.state().code, evse.state().plugged) == (NO_CAR, False)
    assert evse.current() == (0.0, 231.5)
    board.plug()
    assert (evse.state().code, evse.state().plugged, evse.state().faulty) == (CHARGING, True, False)
    assert evse.current() == (16.0, 231.5)
    evse.sleep()
    assert (evse.state().code, evse.state().plugged, evse.state().faulty) == (SLEEPING, True, False)
    evse.enable()
    assert evse.state().code == CHARGING
    board.fault = STUCK_RELAY
    assert (evse.state().code, evse.state().faulty) == (STUCK_RELAY, True)
    board.fault = 0
    board.milliamperes = -1
    assert evse.current() == (None, 231.5)


def test_the_meter_never_falls_and_counts_a_session_once(board: Board, evse: OpenEvse) -> None:
    assert evse.energy_wh() == 5000
    board.plug()
    assert evse.energy_wh() == 5000
    board.session_ws = 3600 * 700 + 3599
    assert evse.energy_wh() == 5700
    board.unplug()
    assert evse.energy_wh() == 5700


@pytest.mark.parametrize(("wanted", "taken"), [(6, 6), (16, 16), (3, 6), (80, 24)])
def test_a_limit_that_the_board_moves_is_returned(board: Board, evse: OpenEvse, wanted: int, taken: int) -> None:
    assert evse.set_current(wanted) == taken == board.amps
    assert board.commands == [f"SC {wanted} V"]  # volatile: not to the EEPROM


def test_the_limit_and_the_supervision(board: Board, evse: OpenEvse) -> None:
    evse.set_current(10)
    assert evse.limit() == 10
    evse.supervise(30, 6)
    assert board.supervision == ("30", "6")
    board.supervision = None
    with pytest.raises(rapi.Refused):
        evse.supervise(30, 6)


@pytest.mark.parametrize("spoil", [lost, garbled, lambda reply: reply[:-1], lambda reply: b"$NK^2\r"])
def test_a_reply_that_is_lost_or_garbled_is_asked_for_again(board: Board, port: Any, spoil: Any) -> None:
    evse = rapi.OpenEvse(port, timeout=0.1)
    board.spoils.extend([spoil, spoil])
    assert evse.state().code == NO_CAR
    assert board.commands == ["GS"] * 3


def test_a_board_that_has_not_understood_is_asked_again_at_once(board: Board, port: Any) -> None:
    evse = rapi.OpenEvse(port, timeout=TIMEOUT)
    board.spoils.append(lambda reply: framed("$NK"))
    assert in_thread(evse.state).result(TIMEOUT / 2).code == NO_CAR
    assert board.commands == ["GS"] * 2


def test_attempts_are_bounded_and_the_error_says_why(board: Board, port: Any) -> None:
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


def test_a_refusal_is_not_repeated(board: Board, evse: OpenEvse) -> None:
    with pytest.raises(rapi.Refused, match=r"the board refuses \$SH 5$"):
        evse.command("SH 5")
    assert board.commands == ["SH 5"]


def test_noise_and_half_a_line_are_thrown_away(board: Board, evse: OpenEvse) -> None:
    board.spoils.append(lambda reply: b"\x00\xff~" * 200 + b"OK 03 no start\r\r$\r$OK 0" + reply)
    board.plug()
    assert evse.state().code == CHARGING
    assert board.commands == ["GS"]


def test_noise_without_an_end_takes_no_memory() -> None:
    class Noise:
        def read(self, size: int) -> bytes:
            return b"$" * 64

        def write(self, data: bytes) -> None: ...

        def close(self) -> None: ...

    evse = rapi.OpenEvse(Noise(), timeout=0.02)
    with pytest.raises(rapi.NoReply):
        evse.state()
    assert len(evse._received) <= 256


def test_the_late_answer_to_an_earlier_attempt_is_not_taken_for_another(board: Board, port: Any) -> None:
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


def test_what_comes_unasked_is_told_and_is_no_answer(board: Board, port: Any) -> None:
    told: list[list[str]] = []
    evse = rapi.OpenEvse(port, notify=told.append)
    board.plug(wants=False)
    board.spoils.append(lambda reply: framed("$ST 02") + reply[:0] + framed("$WF 01") + b"$AT 03 0^00\r" + reply)
    assert evse.state().code == CAR
    assert told == [["AT", "02", "02", "24", "0300"], ["ST", "02"], ["WF", "01"]]
    assert board.commands == ["GS"]


def test_an_old_firmware_is_named(board: Board, evse: OpenEvse) -> None:
    board.spoils.append(lambda reply: framed("$OK 1 0"))
    with pytest.raises(rapi.RapiError, match=r"RAPI before 3\.0\.0"):
        evse.state()


@pytest.mark.parametrize("answer", ["OK", "OK 01 x 01 0200", "OK 1 2 3"])
def test_an_answer_that_makes_no_sense_is_an_error(board: Board, evse: OpenEvse, answer: str) -> None:
    board.spoils.append(lambda reply: framed(f"${answer}" + reply[reply.rindex(b" :") : -4].decode()))
    with pytest.raises(rapi.RapiError, match=r"\$GS was answered with '.*', not with 4 numbers"):
        evse.state()


def test_threads_do_not_get_each_others_answers(board: Board, evse: OpenEvse) -> None:
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


def test_a_port_that_is_lost_is_an_error_of_its_own() -> None:
    class Unplugged:
        def read(self, size: int) -> bytes:
            raise OSError(5, "Input/output error")

        def write(self, data: bytes) -> None: ...

        def close(self) -> None: ...

    with pytest.raises(rapi.PortLost, match="Input/output error; is the board's cable plugged in") as lost_port:
        rapi.OpenEvse(Unplugged()).state()
    assert isinstance(lost_port.value, ConnectionError)


def shell(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(EXAMPLES), str(EXAMPLES.parents[1])])}
    command = [sys.executable, "-m", "charge_point.rapi", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=6 * TIMEOUT, check=False)


def test_a_command_from_a_shell(board: Board) -> None:
    done = shell(board.path, "SC", "10", "V")
    assert (done.returncode, done.stdout, done.stderr) == (0, "10\n", "")
    assert board.commands == ["SC 10 V"]


def test_a_command_from_a_shell_that_fails(board: Board) -> None:
    done = shell(board.path, "SH", "5")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "charge_point.rapi: the board refuses $SH 5\n")
    assert "usage: python3 -m charge_point.rapi /dev/serial0 GS" in shell(board.path).stderr
