"""The charge point of examples/raspberry_pi as a process, pins and meter pretended, at a server over TLS with a password."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.common import PATIENCE, Child, process
from ocpp_sync import OcppServer
from ocpp_sync.csms import Csms
from ocpp_sync.passwords import check_password

EXAMPLES = Path(__file__).parent.parent / "examples" / "raspberry_pi"
PASSWORD = "secret-password-1"  # noqa: S105 - of this server alone
DAY = 86_400

CONFIG = """
[csms]
url = "{url}"
identity = "CP1111"
version = "{version}"
password = "{password}"
cafile = "{cafile}"
[meter]
seconds = 0.5
[configuration]
{interval} = 1
"""


class Words(NamedTuple):
    """What differs between the versions.

    Attributes:
        begin: The CSMS's request to begin a charge.
        end: That to end it.
        started: A word of the message that it has begun.
        sampled: A word of each meter value.
        interval: The key of the time between two of them.
    """

    begin: tuple[str, dict[str, Any]]
    end: str
    started: str
    sampled: str
    interval: str


WORDS = {
    "1.6": Words(
        ("RemoteStartTransaction", {"idTag": "TAG-1"}),
        "RemoteStopTransaction",
        "StartTransaction",
        "Sample.Periodic",
        "MeterValueSampleInterval",
    ),
    "2.0.1": Words(
        ("RequestStartTransaction", {"evseId": 1, "remoteStartId": 1, "idToken": {"idToken": "TAG-1", "type": "Central"}}),
        "RequestStopTransaction",
        "Started",
        "MeterValuePeriodic",
        '"SampledDataCtrlr.TxUpdatedInterval"',
    ),
}


class Station:
    """A server with the one charge point that is measured; it never pings.

    Args:
        certificates: The folder of its certificate.
        version: Which one the charge point speaks.
    """

    def __init__(self, certificates: Path, version: str) -> None:
        self._heard: queue.Queue[str] = queue.Queue()
        self._certificates, self._version, self._words = certificates, version, WORDS[version]
        self.server = OcppServer(ping_interval=None)
        self._csms = Csms(self.server, interval=DAY)
        self.server.on("authorization", lambda identity, request: check_password(request.password, PASSWORD))
        self.server.on("frame", lambda charge_point, direction, text: self._heard.put(text) if direction == "in" else None)
        self.server.listen(0, "127.0.0.1", certfile=certificates / "server.pem", keyfile=certificates / "server.key")
        self.url = f"wss://127.0.0.1:{self.server.port}"

    @contextlib.contextmanager
    def charge_point(self, folder: Path) -> Iterator[Child]:
        """The example, as a process of its own, with its files in a folder."""
        path = folder / "config.toml"
        ca, interval = self._certificates / "ca.pem", self._words.interval
        text = CONFIG.format(url=self.url, version=self._version, password=PASSWORD, cafile=ca, interval=interval)
        path.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "charge_point", str(path)]
        with process(command, folder=EXAMPLES, GPIOZERO_PIN_FACTORY="mock") as child:
            try:
                yield child
            finally:
                os.kill(child.pid, signal.SIGTERM)

    def wait_for(self, word: str, count: int = 1) -> None:
        """Until so many messages with a word in them have come."""
        while count:
            count -= word in self._heard.get(timeout=PATIENCE)

    def begin(self, samples: int) -> None:
        """Let somebody charge, until there were so many meter values."""
        self.server.wait_for("CP1111", timeout=PATIENCE).call(*self._words.begin)
        self.wait_for(self._words.started)
        self.wait_for(self._words.sampled, samples)

    def end(self) -> None:
        """Let nobody charge any more."""
        self.server["CP1111"].call(self._words.end, {"transactionId": self._csms.transactions[-1].id})
        self.wait_for("Available")
