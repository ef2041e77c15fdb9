"""install.sh, below a folder; Python's venv and pip are played, since both take their time."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from ..support import TIMEOUT
from . import EXAMPLES

PYTHON = """#!/bin/sh
# python3 -m venv [--clear] [--system-site-packages] FOLDER
for folder; do :; done
case "$*" in *--clear*) rm -rf "$folder" ;; esac
mkdir -p "$folder/bin"
[ -e "$folder/bin/python" ] || printf '#!/bin/sh\\nexit 0\\n' >"$folder/bin/python"
[ -e "$folder/bin/pip" ] || printf '#!/bin/sh\\necho "$@" >>"%s/pip.log"\\n' "$folder" >"$folder/bin/pip"
chmod +x "$folder/bin/python" "$folder/bin/pip"
"""
BROKEN = "#!/bin/sh\nexit 1\n"


class Computer:
    """The source, and the folder that it is installed below."""

    def __init__(self, folder: Path) -> None:
        self.root, self.commands, project = folder / "root", folder / "commands", folder / "project"
        self.source = project / "examples" / "raspberry_pi" / "charge_point"
        shutil.copytree(EXAMPLES / "charge_point", self.source, ignore=shutil.ignore_patterns("__pycache__", "memory.[!p]*", "outbox.*"))
        (project / "ocpp_sync").mkdir()
        for name in ("pyproject.toml", "setup.cfg", "README.md", "LICENSE"):
            (project / name).touch()
        self.program, self.settings = self.root / "opt" / "charge-point", self.root / "etc" / "charge-point" / "config.toml"
        self.commands.mkdir()
        self.write(self.commands / "python3", PYTHON)

    def write(self, file: Path, text: str) -> None:
        """Write a command."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755)

    def install(self, umask: str = "022") -> str:
        """Run it; returns what it says."""
        command = ["sh", "-c", f'umask {umask} && exec "$0" "$1"', str(self.source / "install.sh"), str(self.root)]
        environment = {**os.environ, "PATH": f"{self.commands}:{os.environ['PATH']}"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=6 * TIMEOUT, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def readable(self, path: Path) -> bool:
        """Whether the service's user, who is none of those that own it, can read it."""
        mode = path.stat().st_mode
        return bool(mode & stat.S_IROTH) and (not path.is_dir() or bool(mode & stat.S_IXOTH))


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    return Computer(tmp_path)


def test_it_installs_and_brings_up_to_date(computer: Computer) -> None:
    assert "Write the URL, the identity and the password into" in computer.install()
    assert 'outbox = "/var/lib/charge-point/outbox.sqlite3"' in computer.settings.read_text(encoding="utf-8")
    computer.settings.write_text("mine", encoding="utf-8")
    (computer.source / "__main__.py").write_text("new", encoding="utf-8")
    assert "Write the URL" not in computer.install()
    assert computer.settings.read_text(encoding="utf-8") == "mine"
    assert (computer.program / "charge_point" / "__main__.py").read_text(encoding="utf-8") == "new"
    assert not (computer.program / "charge_point" / "charge_point.new").exists()
    assert len((computer.program / "venv" / "pip.log").read_text(encoding="utf-8").splitlines()) == 2


def test_a_venv_that_was_left_half_made_is_made_anew(computer: Computer) -> None:
    venv = computer.program / "venv"
    computer.write(venv / "bin" / "python", BROKEN)  # without pip, as when the power went while it was made
    computer.write(venv / "bin" / "pip", BROKEN)
    computer.install()
    assert subprocess.run([venv / "bin" / "python"], check=False).returncode == 0
    assert "gpiozero" in (venv / "pip.log").read_text(encoding="utf-8")


def test_a_venv_that_works_is_kept(computer: Computer) -> None:
    computer.install()
    (computer.program / "venv" / "mine").touch()
    computer.install()
    assert (computer.program / "venv" / "mine").exists()


def test_what_somebody_has_tried_in_the_source_is_not_installed(computer: Computer) -> None:
    names = ["outbox.sqlite3", "outbox.sqlite3-wal", "outbox.sqlite3-lock", "memory.json", "memory.damaged", "memory.new"]
    for name in names:
        (computer.source / name).write_text("mine", encoding="utf-8")
    (computer.source / "__pycache__").mkdir()
    computer.install()
    installed = {each.name for each in (computer.program / "charge_point").iterdir()}
    assert installed == {each.name for each in computer.source.iterdir()} - {*names, "config.toml", "__pycache__"}


@pytest.mark.parametrize("is_private", [False, True])
def test_the_service_can_read_the_program_whatever_the_umask(is_private: bool, computer: Computer) -> None:
    if is_private:  # the source was cloned with that umask, too
        for each in [computer.source, *computer.source.iterdir()]:
            each.chmod(0o700 if each.is_dir() or each.suffix == ".sh" else 0o600)
    computer.install("077")
    installed = [computer.program, *computer.program.rglob("*"), computer.root / "etc" / "systemd" / "system" / "charge-point.service"]
    assert [each for each in installed if not computer.readable(each)] == []
    assert computer.readable(computer.root / "var" / "lib" / "charge-point")
    assert stat.S_IMODE(computer.settings.stat().st_mode) == 0o600
