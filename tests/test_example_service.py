"""The charge point of the examples as a service: its unit, and the script that installs it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "examples" / "raspberry_pi" / "charge_point"
UNIT = FOLDER / "charge-point.service"

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")


def run(*command: str | Path, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=timeout, check=False)


@needs_systemd
def test_the_unit_is_a_proper_one() -> None:
    said = run("systemd-analyze", "verify", UNIT).stderr.splitlines()
    complaints = [line for line in said if "charge-point.service" in line]
    # The program is not installed here; what else of this machine is wrong is nothing of ours.
    assert [line for line in complaints if "/opt/charge-point/venv/bin/python is not executable" not in line] == []


@needs_systemd
def test_the_unit_has_few_rights() -> None:
    done = run("systemd-analyze", "security", "--offline=true", UNIT)
    score = re.search(r"Overall exposure level for charge-point.service: ([0-9.]+)", done.stdout)
    if score is None:
        pytest.skip("this systemd-analyze judges no files")
    assert float(score[1]) <= 2.0


def test_what_the_unit_runs_when_the_program_is_gone_opens_the_contactor(tmp_path: Path) -> None:
    """What the pin does then: tests/charge_point/test_process.py."""
    command = re.findall(
        r"^ExecStopPost=-/opt/charge-point/venv/bin/python (.*) /etc/charge-point/config.toml$",
        UNIT.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert command == ["-m charge_point.open_contactor"]
    config = tmp_path / "config.toml"
    shutil.copy(FOLDER / "config.toml", config)
    environment = {**os.environ, "GPIOZERO_PIN_FACTORY": "mock"}

    def stopped() -> subprocess.CompletedProcess[str]:
        whole = [sys.executable, *command[0].split(), str(config)]
        return subprocess.run(whole, cwd=FOLDER.parent, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert (stopped().returncode, stopped().stderr) == (0, "")
    config.write_text(config.read_text(encoding="utf-8").replace("contactor = 17", "contactor = 99"), encoding="utf-8")
    failed = stopped()
    assert failed.returncode == 1
    assert "the contactor may be closed still" in failed.stderr
    assert "pins.contactor: 99 is no GPIO number" in failed.stderr


def test_who_is_not_root_is_told(tmp_path: Path) -> None:
    script = tmp_path / "install.sh"
    text = (FOLDER / "install.sh").read_text(encoding="utf-8")
    script.write_text(text.replace('"$(id -u)"', "1000"), encoding="utf-8")
    done = run("sh", script)
    assert (done.returncode, done.stdout) == (1, "")
    assert "this must be run as root: sudo" in done.stderr


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_it_may_be_installed_twice(tmp_path: Path) -> None:
    root = tmp_path / "image"
    settings = root / "etc" / "charge-point" / "config.toml"
    for _ in range(2):
        done = run("sh", FOLDER / "install.sh", root, timeout=500)
        assert done.returncode == 0, done.stderr
    assert settings.stat().st_mode & 0o777 == 0o600
    settings.write_text(settings.read_text(encoding="utf-8").replace("CP1111", "CP2222"), encoding="utf-8")
    assert run("sh", FOLDER / "install.sh", root, timeout=500).returncode == 0
    text = settings.read_text(encoding="utf-8")
    assert 'identity = "CP2222"' in text, "the settings are the owner's"
    assert 'outbox = "/var/lib/charge-point/outbox.sqlite3"' in text
    assert (root / "etc" / "systemd" / "system" / "charge-point.service").read_bytes() == UNIT.read_bytes()
    program = root / "opt" / "charge-point"
    code = "import charge_point.__main__, charge_point.settings as s, sys; print(s.load(sys.argv[1]).csms.identity)"
    loaded = subprocess.run(
        [program / "venv" / "bin" / "python", "-c", code, settings], cwd=program, capture_output=True, text=True, timeout=60, check=False
    )
    assert loaded.stdout == "CP2222\n", loaded.stderr
