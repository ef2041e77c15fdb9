"""The program as a process, with an OpenEVSE board that is played on a pseudo-terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ocpp_sync.testing import ScriptedCsms

from ..support import TIMEOUT, wait_until
from . import EXAMPLES, PYTHONPATH
from .openevse_board import SLEEPING, Board

pytest.importorskip("serial", reason="pyserial is not installed")


@pytest.fixture
def program(tmp_path: Path, board: Board, start_process: Callable[..., subprocess.Popen[str]]) -> Callable[[str], subprocess.Popen[str]]:
    """Starts the real program, where there is no gpiozero."""

    def run(url: str) -> subprocess.Popen[str]:
        config = tmp_path / "config.toml"
        document = f'board = "openevse"\n[csms]\nurl = "{url}"\nidentity = "CP1"\n[openevse]\nport = "{board.path}"\n'
        config.write_text(document, encoding="utf-8")
        main = "import sys; sys.modules['gpiozero'] = None; from charge_point.__main__ import main; sys.exit(main(sys.argv[1]))"
        return start_process([sys.executable, "-c", main, str(config)], PYTHONPATH=PYTHONPATH)

    return run


def charging(csms: ScriptedCsms, board: Board, program: Callable[[str], subprocess.Popen[str]]) -> subprocess.Popen[str]:
    """The program, while the CSMS lets a car charge."""
    board.plug()
    running = program(csms.url)
    csms.wait_for("StatusNotification", timeout=6 * TIMEOUT)
    csms.call("CP1", "RemoteStartTransaction", {"idTag": "REMOTE-1"})
    assert wait_until(lambda: board.relay)
    return running


def test_a_signal_puts_the_board_to_sleep(board: Board, program: Callable[[str], subprocess.Popen[str]]) -> None:
    with ScriptedCsms(versions="1.6") as csms:
        running = charging(csms, board, program)
        running.send_signal(signal.SIGTERM)
        assert csms.wait_for("StopTransaction").payload["reason"] == "Other"
        assert running.wait(TIMEOUT) == 0
        assert board.state == SLEEPING


def test_after_kill_9_what_systemd_runs_puts_the_board_to_sleep(
    board: Board, program: Callable[[str], subprocess.Popen[str]], tmp_path: Path
) -> None:
    """ExecStopPost; see README.md."""
    with ScriptedCsms(versions="1.6") as csms:
        running = charging(csms, board, program)
        csms.wait_for("StatusNotification", 2)  # so the answer to the StartTransaction is on disk
        running.kill()
        running.communicate(timeout=TIMEOUT)
        assert board.relay
        command = [sys.executable, "-m", "charge_point.open_contactor", str(tmp_path / "config.toml")]
        subprocess.run(command, check=True, timeout=6 * TIMEOUT, env={**os.environ, "PYTHONPATH": str(EXAMPLES)})
        assert board.state == SLEEPING
        board.session_ws = 3600 * 400
        program(csms.url)
        stop = csms.wait_for("StopTransaction", timeout=6 * TIMEOUT)
        assert (stop.payload["reason"], stop.payload["meterStop"]) == ("PowerLoss", 5400)


def test_no_board_is_said_in_a_line(board: Board, program: Callable[[str], subprocess.Popen[str]]) -> None:
    board.silent = True
    running = program("ws://127.0.0.1:1")
    _, error = running.communicate(timeout=6 * TIMEOUT)
    wanted = "charge_point: no answer to $GV in 3 × 0.5 s; is the board on, and are RX and TX crossed?\n"
    assert (running.returncode, error) == (2, wanted)
