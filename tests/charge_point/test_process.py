"""The program as a process, on mock pins."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from charge_point.open_contactor import open_contactor
from gpiozero.pins.mock import MockFactory

from ocpp_sync.testing import ScriptedCsms

from ..support import TIMEOUT
from . import EXAMPLES
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
from charge_point import __main__ as program
sys.exit(program.main(sys.argv[1]))
"""


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        yield listening


@pytest.fixture
def program(tmp_path: Path, systemd: socket.socket) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the real program on mock pins."""
    programs: list[subprocess.Popen[str]] = []

    def run(url: str, *, systemd_is_there: bool = True) -> subprocess.Popen[str]:
        config = tmp_path / "config.toml"
        config.write_text(f'[csms]\nurl = "{url}"\nidentity = "CP1"\n[meter]\nseconds = 0.05\n', encoding="utf-8")
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(EXAMPLES), str(EXAMPLES.parents[1])])}
        environment |= {"GPIOZERO_PIN_FACTORY": "mock", "NOTIFY_SOCKET": str(tmp_path / "notify") if systemd_is_there else ""}
        command = [sys.executable, "-c", DRIVER, str(config)]
        programs.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment))
        return programs[-1]

    yield run
    for each in programs:
        with each:
            each.kill()


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


def test_what_is_wrong_with_the_settings_is_said_in_a_line(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[csms]\nurl = "ws://x"\nidentiy = "CP1"\n', encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(EXAMPLES), str(EXAMPLES.parents[1])])}
    command = [sys.executable, "-m", "charge_point", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=6 * TIMEOUT, check=False)
    wanted = f"charge_point: {config}: csms.identiy is no key that is known; did you mean csms.identity?\n"
    assert (done.returncode, done.stderr) == (2, wanted)
