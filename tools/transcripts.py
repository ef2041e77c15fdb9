"""``python -m tools.transcripts [--check]``: run the commands that docs/cli.md shows, and write what they print below them.

In a block of the kind ``console`` each line that begins with ``$`` is a command. All blocks of the page are one session, in an empty
folder: ``… &`` starts a command that goes on, and shows its first line; ``kill %1`` ends it as Ctrl-C does, and shows the rest. The port
9220 of the page is a free one when it is run.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from .generated import ROOT

PAGE = ROOT / "docs" / "cli.md"
PORT = "9220"
TIMEOUT = 60.0  # seconds for a command

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# What is another one each time, in this order; see comparable().
_CHANGING = (
    (r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b", "ID"),
    (r"\d+([.:]\d+)*", "N"),
    (r"\b(ms|s|µs)\b", "s"),
    (r"[ \t]+", " "),
)


class Session:
    """A shell, as far as a page needs one.

    Args:
        folder: Where it works.
    """

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = str(free.getsockname()[1])
        self._folder = folder
        self._jobs: list[Job] = []
        self._status = 0
        (folder / "examples").symlink_to(ROOT / "examples")
        scripts = Path(sys.executable).parent
        self._env = {
            **os.environ,
            "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}",
            "COLUMNS": "110",
            "LINES": "40",
            "NO_COLOR": "1",
            "PYTHONIOENCODING": "utf-8",
            "HOME": str(folder),
            "TERM": "dumb",
        }

    def run(self, command: str) -> str:
        """Run a line, and return what is shown for it."""
        command = command.replace(PORT, self._port)
        if command.endswith(" &"):
            self._jobs.append(Job(command.removesuffix(" &"), self._folder, self._env))
            shown = self._jobs[-1].first_line()
        elif command.startswith("kill %"):
            job = self._jobs[int(command.removeprefix("kill %")) - 1]
            shown, self._status = job.end()
        else:
            line = ["/bin/bash", "-c", f"(exit {self._status})\n{command}"]
            done = subprocess.run(  # noqa: S603 (the page is ours)
                line, cwd=self._folder, env=self._env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT
            )
            shown, self._status = done.stdout, done.returncode
        return shown.replace(self._port, PORT).replace(str(self._folder), "~")

    def close(self) -> None:
        """End what still runs."""
        for job in self._jobs:
            job.end()


class Job:
    """A command that goes on."""

    def __init__(self, command: str, folder: Path, env: dict[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 (the page is ours)
            ["/bin/bash", "-c", f"exec {command}"], cwd=folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self._command = command
        self._lines: list[str] = []
        self._shown = 0
        self._first = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self._lines.append(line)
                self._first.set()
        self._first.set()

    def first_line(self) -> str:
        """What it says first."""
        if not self._first.wait(TIMEOUT):
            raise TimeoutError(f"{self._command} has said nothing")
        self._shown = 1
        return "".join(self._lines[:1])

    def end(self) -> tuple[str, int]:
        """Interrupt it; what it has said since then, and its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        status = self._process.wait(TIMEOUT)
        self._reader.join(TIMEOUT)
        shown, self._shown = "".join(self._lines[self._shown :]), len(self._lines)
        return shown, status


def fresh(text: str) -> str:
    """A page with the output of now."""
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder))
        try:
            return _BLOCK.sub(lambda block: f"```console\n{''.join(_lines(session, block[1]))}```", text)
        finally:
            session.close()


def _lines(session: Session, block: str) -> Iterator[str]:
    for line in block.splitlines():
        if line.startswith("$ "):
            yield f"{line}\n"
            yield from (f"{shown.rstrip()}\n" for shown in session.run(line.removeprefix("$ ")).splitlines())


def comparable(text: str) -> str:
    """A page without what is another one each time: in a block only the different kinds of lines are left, in an order of their own."""
    return _BLOCK.sub(lambda block: "".join(sorted({_without_figures(line) for line in block[1].splitlines(keepends=True)})), text)


def _without_figures(line: str) -> str:
    for pattern, word in _CHANGING:
        line = re.sub(pattern, word, line)
    return line


def main() -> None:
    """Write the page, or with ``--check`` compare it.

    Raises:
        SystemExit: With ``--check``, if something else is printed than the page says.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.transcripts", description="Run the commands that docs/cli.md shows.")
    parser.add_argument("--check", action="store_true", help="write nothing, and fail if something else is printed")
    only_check = parser.parse_args().check
    old = PAGE.read_text(encoding="utf-8")
    new = fresh(old)
    if not only_check:
        PAGE.write_text(new, encoding="utf-8")
    elif comparable(new) != comparable(old):
        import difflib

        wrong = difflib.unified_diff(comparable(old).splitlines(), comparable(new).splitlines(), "docs/cli.md", "printed now", lineterm="")
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
