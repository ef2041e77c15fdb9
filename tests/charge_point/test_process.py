"""The program as a process, on mock pins."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from charge_point.open_contactor import open_contactor
from charge_point.systemd import notify
from gpiozero.pins.mock import MockFactory

from ocpp_sync.testing import Received, ScriptedCsms

from ..support import TIMEOUT, in_thread
from . import PYTHONPATH
from .bench import Bench

DRIVER = """
import os, sys, threading
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPin

class Pin(MockPin):
    def _change_state(self, value):  # what is on the pin is seen from outside, as if by a lamp
        if self.info.name == "GPIO17" and self.state != value:
            os.write(1, b"closed\\n" if value else b"open\\n")
        return super()._change_state(value)

Device.pin_factory = MockFactory(pin_class=Pin)
from charge_point import __main__ as program, controller, pi
"""
MAIN = "\nsys.exit(program.main(sys.argv[1]))\n"
# What is changed of the program: how long it waits for the CSMS, and a thread that does not end.
PATIENT = "controller.GOODBYE_TIMEOUT = 600.0"
STUCK = """
def wait_for_cards(self, over=threading.Event()):
    over.wait()

def close(self, close=pi.PiHardware.close):
    close(self)
    os.write(1, b"closed for good\\n")

pi.PiHardware.wait_for_cards, pi.PiHardware.close = wait_for_cards, close
"""


def waiting(systemd: socket.socket) -> list[bytes]:
    """What systemd was told, and has not read yet."""
    systemd.setblocking(False)
    told: list[bytes] = []
    with suppress(BlockingIOError):
        while True:
            told.append(systemd.recv(100))
    return told


class Held:
    """A script for a CSMS that answers when it is told to."""

    def __init__(self) -> None:
        self.asked, self._answer = threading.Event(), threading.Event()

    def __call__(self, request: Received) -> None:
        self.asked.set()
        self._answer.wait(6 * TIMEOUT)

    def answer(self) -> None:
        self._answer.set()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        yield listening


@pytest.fixture
def program(
    tmp_path: Path, systemd: socket.socket, start_process: Callable[..., subprocess.Popen[str]]
) -> Callable[..., subprocess.Popen[str]]:
    """Starts the real program on mock pins."""

    def run(url: str, *, systemd_is_there: bool = True, changed: str = "") -> subprocess.Popen[str]:
        config = tmp_path / "config.toml"
        config.write_text(f'[csms]\nurl = "{url}"\nidentity = "CP1"\n[meter]\nseconds = 0.05\n', encoding="utf-8")
        environ = {"GPIOZERO_PIN_FACTORY": "mock", "NOTIFY_SOCKET": str(tmp_path / "notify") if systemd_is_there else ""}
        return start_process([sys.executable, "-c", DRIVER + changed + MAIN, str(config)], PYTHONPATH=PYTHONPATH, **environ)

    return run


def line(running: subprocess.Popen[str]) -> str:
    assert running.stdout is not None
    return running.stdout.readline().strip()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_opens_and_ends_the_transaction(number: signal.Signals, program: Callable[[str], subprocess.Popen[str]]) -> None:
    with ScriptedCsms(versions="1.6") as csms:
        running = program(csms.url)
        csms.wait_for("StatusNotification", timeout=6 * TIMEOUT)
        csms.call("CP1", "RemoteStartTransaction", {"idTag": "REMOTE-1"})
        assert line(running) == "closed"
        running.send_signal(number)
        assert line(running) == "open"
        assert csms.wait_for("StopTransaction").payload["reason"] == "Other"
        assert running.wait(TIMEOUT) == 0


def test_kill_9_opens_nothing_and_the_next_start_does(program: Callable[[str], subprocess.Popen[str]]) -> None:
    """What software cannot do; see README.md for what has to be wired."""
    with ScriptedCsms(versions="1.6") as csms:
        running = program(csms.url)
        csms.wait_for("StatusNotification", timeout=6 * TIMEOUT)
        csms.call("CP1", "RemoteStartTransaction", {"idTag": "REMOTE-1"})
        assert line(running) == "closed"
        csms.wait_for("StatusNotification", 2)  # so the answer to the StartTransaction is on disk
        running.kill()
        out, _ = running.communicate(timeout=TIMEOUT)
        assert out == ""
        program(csms.url)
        stop = csms.wait_for("StopTransaction", timeout=6 * TIMEOUT)
        assert (stop.payload["reason"], stop.payload["transactionId"]) == ("PowerLoss", 1)


def test_what_is_run_when_the_program_is_gone_opens_the_contactor(factory: MockFactory, make_bench: Callable[..., Bench]) -> None:
    pin = factory.pin(17)
    pin.output_with_state(True)  # as a program that was killed has left it
    assert pin.state
    open_contactor(make_bench().settings)
    assert not pin.state


def test_a_soft_reset_ends_the_program_for_systemd_to_start_it_again(program: Callable[[str], subprocess.Popen[str]]) -> None:
    with ScriptedCsms(versions="1.6") as csms:
        running = program(csms.url)
        csms.wait_for("StatusNotification", timeout=6 * TIMEOUT)
        csms.call("CP1", "Reset", {"type": "Soft"})
        assert running.wait(6 * TIMEOUT) == 0


def test_without_systemd_a_soft_reset_starts_the_program_again(program: Callable[..., subprocess.Popen[str]]) -> None:
    with ScriptedCsms(versions="1.6") as csms:
        running = program(csms.url, systemd_is_there=False)
        csms.wait_for("StatusNotification", timeout=6 * TIMEOUT)
        csms.call("CP1", "Reset", {"type": "Soft"})
        csms.wait_for("BootNotification", 2, timeout=6 * TIMEOUT)
        assert running.poll() is None
        running.send_signal(signal.SIGTERM)
        assert running.wait(TIMEOUT) == 0


def test_systemd_is_told(systemd: socket.socket, program: Callable[[str], subprocess.Popen[str]]) -> None:
    with ScriptedCsms(versions="1.6") as csms:
        running = program(csms.url)
        systemd.settimeout(6 * TIMEOUT)
        assert systemd.recv(100) == b"READY=1"
        assert systemd.recv(100) == b"WATCHDOG=1"
        running.send_signal(signal.SIGTERM)
        told = iter(lambda: systemd.recv(100), b"STOPPING=1")
        assert set(told) <= {b"WATCHDOG=1"}
        assert running.wait(TIMEOUT) == 0


def charging(csms: ScriptedCsms, held: Held, program: Callable[..., subprocess.Popen[str]], **options: Any) -> subprocess.Popen[str]:
    """The program, while somebody charges whose end the CSMS will let wait."""
    csms.script("StopTransaction", held)
    running = program(csms.url, changed=PATIENT, **options)
    csms.wait_for("StatusNotification", timeout=6 * TIMEOUT)
    csms.call("CP1", "RemoteStartTransaction", {"idTag": "REMOTE-1"})
    assert line(running) == "closed"
    return running


def test_systemd_is_told_once_and_before_the_goodbye(systemd: socket.socket, program: Callable[..., subprocess.Popen[str]]) -> None:
    systemd.settimeout(6 * TIMEOUT)
    before = in_thread(lambda: list(iter(lambda: systemd.recv(100), b"STOPPING=1")))
    held = Held()
    with ScriptedCsms(versions="1.6") as csms:
        running = charging(csms, held, program)
        running.send_signal(signal.SIGTERM)
        assert held.asked.wait(6 * TIMEOUT)
        assert before.result(6 * TIMEOUT)[:1] == [b"READY=1"]
        assert running.poll() is None
        held.answer()
        assert running.wait(6 * TIMEOUT) == 0
    assert b"STOPPING=1" not in waiting(systemd)


def test_systemd_that_cannot_be_told_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_many(*arguments: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody listens"))
    notify("WATCHDOG=1")
    monkeypatch.setattr("socket.socket", too_many)
    notify("WATCHDOG=1")


def test_a_second_signal_ends_a_goodbye_that_the_csms_lets_wait(program: Callable[..., subprocess.Popen[str]]) -> None:
    held = Held()
    with ScriptedCsms(versions="1.6") as csms:
        running = charging(csms, held, program)
        running.send_signal(signal.SIGTERM)
        assert held.asked.wait(6 * TIMEOUT)
        running.send_signal(signal.SIGTERM)
        assert running.wait(6 * TIMEOUT) == 1
        held.answer()


def test_a_signal_in_the_goodbye_of_a_reset_ends_the_program(program: Callable[..., subprocess.Popen[str]]) -> None:
    held = Held()
    with ScriptedCsms(versions="1.6") as csms:
        running = charging(csms, held, program, systemd_is_there=False)
        csms.call("CP1", "Reset", {"type": "Soft"})
        assert held.asked.wait(6 * TIMEOUT)
        running.send_signal(signal.SIGTERM)
        held.answer()
        # Whoever is first: the thread that takes signals, or the end of the goodbye, which lets a signal that waits have its way.
        assert running.wait(6 * TIMEOUT) in (0, -signal.SIGTERM)
        assert len([each for each in csms.received if each.action == "BootNotification"]) == 1


def test_a_second_signal_ends_a_program_whose_pins_are_closed_already(program: Callable[..., subprocess.Popen[str]]) -> None:
    running = program("ws://127.0.0.1:1", changed=STUCK + PATIENT, systemd_is_there=False)
    assert running.stderr is not None
    assert any("there is no link yet" in each for each in running.stderr)
    running.send_signal(signal.SIGTERM)
    assert running.stdout is not None
    assert any(each == "closed for good\n" for each in running.stdout)
    running.send_signal(signal.SIGTERM)
    assert running.wait(6 * TIMEOUT) == 1


def test_what_is_wrong_with_the_settings_is_said_in_a_line(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[csms]\nurl = "ws://x"\nidentiy = "CP1"\n', encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": PYTHONPATH}
    command = [sys.executable, "-m", "charge_point", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=6 * TIMEOUT, check=False)
    wanted = f"charge_point: {config}: csms.identiy is no key that is known; did you mean csms.identity?\n"
    assert (done.returncode, done.stderr) == (2, wanted)
