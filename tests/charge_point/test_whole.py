"""The program as its owner runs it, killed in the middle of a charge, at a CSMS over TLS with a password."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ocpp_sync import OcppServer
from ocpp_sync.csms import Csms
from ocpp_sync.passwords import check_password

from ..pki import pki
from ..support import TIMEOUT, wait_until
from . import EXAMPLES
from .bench import IDENTITY, VERSIONS

PASSWORD = "correct-horse-battery"
CONFIG = """
[csms]
url = "wss://127.0.0.1:{port}"
identity = "{identity}"
version = "{version}"
password = "{password}"
cafile = "{cafile}"

[supply]
amps = 63
phases = 3

[meter]
seconds = 0.05

[configuration]
MeterValueSampleInterval = 1
"""


@contextmanager
def program(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES.parents[1]), "GPIOZERO_PIN_FACTORY": "mock"}
    command = [sys.executable, "-m", "charge_point", str(config)]
    with (config.parent / "log").open("ab") as log, subprocess.Popen(command, cwd=EXAMPLES, env=environment, stderr=log) as running:
        try:
            yield running
        finally:
            running.kill()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_books_are_complete_after_kill_9(version: str, make_server: Callable[..., OcppServer], tmp_path: Path) -> None:
    server = make_server(listen=False)
    server.on("authorization", lambda identity, request: check_password(request.password, PASSWORD))
    files, config = pki().server(), tmp_path / "config.toml"
    with Csms(server) as csms:
        server.listen(0, "127.0.0.1", certfile=files.cert, keyfile=files.key)
        text = CONFIG.format(port=server.port, identity=IDENTITY, version=version, password=PASSWORD, cafile=pki().ca)
        config.write_text(text, encoding="utf-8")

        def wait(condition: Callable[[], object]) -> None:
            assert wait_until(condition, 6 * TIMEOUT), (tmp_path / "log").read_text(encoding="utf-8")

        with program(config) as running:
            wait(lambda: IDENTITY in csms.charge_points and "Available" in csms.charge_points[IDENTITY].connectors.values())
            station = server.wait_for(IDENTITY, TIMEOUT)
            if version == "1.6":
                answer = station.call("RemoteStartTransaction", {"idTag": "REMOTE-1"})
            else:
                token = {"idToken": "REMOTE-1", "type": "Central"}
                answer = station.call("RequestStartTransaction", {"evseId": 1, "remoteStartId": 1, "idToken": token})
            assert answer["status"] == "Accepted"
            wait(lambda: any(each.energy > 0 for each in csms.transactions))
            running.kill()
            running.wait(TIMEOUT)
        (cut,) = csms.transactions
        assert cut.ended is None

        with program(config) as running:
            wait(lambda: csms.transactions[0].ended is not None)
            running.terminate()
            assert running.wait(6 * TIMEOUT) == 0
        (ended,) = csms.transactions
        assert (ended.id, ended.token, ended.reason) == (cut.id, "REMOTE-1", "PowerLoss")
        assert ended.energy >= cut.energy > 0  # though the simulated meter begins at 0 again, as one does that was replaced
        assert not csms.problems
