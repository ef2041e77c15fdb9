"""What every test has: ends that are closed when it is over, and a check that nothing is left behind."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from ocpp_sync import OcppClient, OcppServer
from ocpp_sync.testing import FakeClock, ScriptedCsms

from .support import RawChargePoint, RawCsms

pytest_plugins = ["ocpp_sync.testing.plugin", "pytester"]

JOIN_TIMEOUT = 10.0

# Marked `slow`: each takes minutes where a program takes seconds to start, as on an emulated or very small board, and none of it depends on
# the processor: commands as processes, random schedules, whatever looks at memory, in which qemu-user counts itself.
SLOW = {
    "reliability/test_life", "reliability/test_schedules", "simulator/test_whole", "test_attacks", "test_benchmarks", "test_call_command",
    "test_cli", "test_completion", "test_costs", "test_growth", "test_pytest_plugin", "test_repl_command", "test_replay_command",
    "test_serve_command", "test_show_command", "test_simulate_command", "test_soak", "test_transcripts", "test_typing",
    "test_validate_command",
}  # fmt: skip

# A shell ignores it for what it starts in the background, and so would the processes that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Nothing may depend on the speed of the machine.
hypothesis.settings.register_profile("any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("any machine")


def open_sockets() -> set[str]:
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = str(entry.readlink())
        except OSError:
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(Path(__file__).parent).with_suffix("").as_posix() in SLOW:
            item.add_marker("slow")


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    threads, sockets = set(threading.enumerate()), open_sockets()
    yield
    for thread in set(threading.enumerate()) - threads:
        thread.join(JOIN_TIMEOUT)
        assert not thread.is_alive(), f"the thread {thread.name!r} still runs"
    if open_sockets() - sockets:
        gc.collect()  # of tests that drop a peer without closing it
        assert not open_sockets() - sockets, "a socket is still open"


@pytest.fixture
def start_process() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts programs, with variables beside those of this process, whose output can be read; they are killed at the end."""
    programs: list[subprocess.Popen[str]] = []

    def start(command: Sequence[str], **environ: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        programs.append(subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env={**os.environ, **environ}))
        return programs[-1]

    yield start
    for each in programs:
        with each:
            each.kill()


@pytest.fixture
def make_server() -> Iterator[Callable[..., OcppServer]]:
    """Makes servers that listen at a free port of the loopback interface."""
    servers: list[OcppServer] = []

    def make(*, listen: bool = True, **options: Any) -> OcppServer:
        server = OcppServer(**options)
        servers.append(server)
        return server.listen(0, "127.0.0.1") if listen else server

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def make_client() -> Iterator[Callable[..., OcppClient]]:
    """Makes clients, connected if ``url`` is given; a lost link stays lost, unless the test says otherwise."""
    clients: list[OcppClient] = []

    def make(url: str | None = None, identity: str = "CP1", **options: Any) -> OcppClient:
        client = OcppClient(identity, **{"reconnect": None, **options})
        clients.append(client)
        return client if url is None else client.connect(url, timeout=10)

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def server(make_server: Callable[..., OcppServer]) -> OcppServer:
    """A server with all defaults."""
    return make_server()


@pytest.fixture
def raw_csms() -> Iterator[Callable[..., RawCsms]]:
    """Makes CSMSs that say what they are told to."""
    peers: list[RawCsms] = []

    def make(**options: Any) -> RawCsms:
        peers.append(RawCsms(**options))
        return peers[-1]

    yield make
    for peer in peers:
        peer.close()


@pytest.fixture
def raw_charge_point() -> Iterator[Callable[..., RawChargePoint]]:
    """Makes charge points that say what they are told to."""
    peers: list[RawChargePoint] = []

    def make(url: str, identity: str = "CP1", **options: Any) -> RawChargePoint:
        peers.append(RawChargePoint(url, identity, **options))
        return peers[-1]

    yield make
    for peer in peers:
        peer.close()


@pytest.fixture
def clock() -> FakeClock:
    """A clock that the test moves."""
    return FakeClock()


@pytest.fixture
def csms(clock: FakeClock) -> Iterator[ScriptedCsms]:
    """A CSMS that answers by a script, with that clock."""
    with ScriptedCsms(clock=clock) as csms:
        yield csms
