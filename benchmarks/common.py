"""What the benchmarks share: processes that end in any case, certificates, compiled files, and how often things are measured."""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import os
import platform
import random
import resource
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

PATIENCE = 120.0  # seconds for anything that must come
CLOSING = 10.0  # seconds that a process has to end after its standard input has
LIBRARIES = ("websocket-client", "simple-websocket", "wsproto")
PEERS = ("ocpp", "websockets")
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
SERVER, CLIENT = (CORES[0], CORES[1]) if len(CORES) > 1 else (None, None)
"""The cores that a server and those who keep it busy are pinned to; None leaves that to the system."""

T = TypeVar("T")


def show(line: str) -> None:
    """Print at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def write_into(page: Path, begin: str, end: str, lines: Sequence[str]) -> None:
    """Put lines between two marks of a page."""
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(begin)
    page.write_text("\n".join([f"{before}{begin}", "", *lines, "", end + rest.split(end)[1]]), encoding="utf-8")


def machine() -> str:
    """The system and its processor."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    kind = f"{platform.system()} {platform.release().split('-')[0]}, {models[0] if models else platform.machine()}"
    return f"{kind}, {os.cpu_count()} cores; Python {platform.python_version()}"


def environment(*more: str) -> str:
    """On what it was measured: the machine, and the versions of our libraries and of further distributions."""
    return ", ".join([machine(), *(f"{name} {importlib.metadata.version(name)}" for name in (*LIBRARIES, *more))])


def shuffled(things: Sequence[T]) -> list[T]:
    """The same in random order: who comes first in a round must not matter."""
    return random.sample(things, len(things))


class Child:
    """A process that is told what to do by lines, and answers by lines."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid

    def tell(self, *words: object) -> None:
        """Send a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()

    def read(self) -> str:
        """The next line.

        Raises:
            RuntimeError: There is none: the process has ended, or says nothing.
        """
        stdout = self._process.stdout
        assert stdout is not None
        # A child says one line at a time, so nothing is ever left in the buffer, which select() would not see.
        line = stdout.readline() if select.select([stdout], [], [], PATIENCE)[0] else ""
        if not line:
            raise RuntimeError(f"no answer from {self._process.args!r}")
        return line.strip()

    def ask(self, *words: object) -> str:
        """Send a line, and read the answer."""
        self.tell(*words)
        return self.read()

    def status(self, field: str) -> int:
        """A number of ``/proc/PID/status``."""
        return _number(Path(f"/proc/{self.pid}/status"), field)

    def memory(self) -> tuple[int, int]:
        """KiB that are resident, and those of them that are anonymous: of no file."""
        rollup = Path(f"/proc/{self.pid}/smaps_rollup")
        return _number(rollup, "Rss"), _number(rollup, "Anonymous")

    def wake_ups(self) -> int:
        """Voluntary context switches of all its threads, so far."""
        return sum(_number(path, "voluntary_ctxt_switches") for path in Path(f"/proc/{self.pid}/task").glob("*/status"))


def _number(path: Path, field: str) -> int:
    fields = dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
    return int(fields[field].split()[0])


@contextlib.contextmanager
def process(command: Sequence[str], core: int | None = None, folder: Path | None = None, **environ: str) -> Iterator[Child]:
    """Start a process, and end it: by the end of its standard input, and if that does not help, by force.

    Args:
        command: What to start.
        core: Which one it is pinned to; None is any.
        folder: Where it starts; None is here.
        environ: Variables beside those of this process.
    """
    pipe = subprocess.PIPE
    child = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=folder, env={**os.environ, **environ})  # noqa: S603
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        if core is not None:
            os.sched_setaffinity(child.pid, {core})
        yield Child(child)
        with contextlib.suppress(OSError):
            child.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(CLOSING)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
        with contextlib.suppress(OSError):
            child.stdin.close()


def role(module: str, function: str, *arguments: object) -> list[str]:
    """The command that runs a function of a module of this package.

    Neither ``-m`` nor the module ``site``, since both import more, which shows in the memory: the latter all that a developer's
    environment does at the start of each process. Where packages are it is told.
    """
    code = f"import sys; sys.path[:0] = {sys.path!r}; from benchmarks.{module} import {function}; {function}(*sys.argv[1:])"
    return [sys.executable, "-S", "-c", code, *map(str, arguments)]


class Bench:
    """Where a run of benchmarks takes place.

    Args:
        folder: For certificates and compiled files.
        scale: How much is measured; 1 is all, less is faster and less sure.

    Attributes:
        folder: Of the certificates.
    """

    def __init__(self, folder: Path, scale: float = 1.0) -> None:
        self.folder = folder
        self.scale = scale

    def times(self, count: int, least: int = 1) -> int:
        """How often, or of how many."""
        return max(least, round(count * self.scale))

    def seconds(self, seconds: float, least: float = 0.05) -> float:
        """How long."""
        return max(least, seconds * self.scale)

    @contextlib.contextmanager
    def end(self, module: str, function: str, *arguments: object, core: int | None = None) -> Iterator[Child]:
        """A process of this package: a function of one of its modules."""
        with process(role(module, function, *arguments), core) as child:
            yield child

    @contextlib.contextmanager
    def server(self, side: str, *flags: str, core: int | None = SERVER) -> Iterator[tuple[Child, int]]:
        """A server, ours or the peer's, and its port; the flags are those of ``serve`` of both."""
        with self.end(side, "serve", self.folder, *flags, core=core) as child:
            yield child, int(child.read())

    @contextlib.contextmanager
    def client(
        self, side: str, port: int, *flags: str, version: str = "1.6", tls: bool = False, core: int | None = CLIENT
    ) -> Iterator[Child]:
        """A client, ours or the peer's, that is connected."""
        with self.end(side, "call", address(port, tls), self.folder, version, *flags, core=core) as child:
            child.read()
            yield child


def address(port: int, tls: bool) -> str:
    """The URL of a server."""
    return f"{'wss' if tls else 'ws'}://127.0.0.1:{port}"


@contextlib.contextmanager
def bench(scale: float = 1.0) -> Iterator[Bench]:
    """Make certificates, have files compiled, and allow as many open files as the system does."""
    from ocpp_sync.cli import main as command

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        stack.enter_context(_environ("PYTHONPYCACHEPREFIX", str(folder / "compiled")))
        stack.enter_context(_environ("PYTHONDONTWRITEBYTECODE", None))
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        with contextlib.redirect_stdout(io.StringIO()):
            if command(["certs", str(folder / "pki"), "--host", "127.0.0.1"]):
                raise SystemExit("no certificates; they need the extra bench")
        yield Bench(folder / "pki", scale)


@contextlib.contextmanager
def _environ(name: str, value: str | None) -> Iterator[None]:
    """Set a variable, or take it away, for the processes that are started meanwhile."""
    before = os.environ.pop(name, None)
    if value is not None:
        os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name, None)
        if before is not None:
            os.environ[name] = before
