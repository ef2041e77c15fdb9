"""Our two ends, for a process each; they import what they need late, since start and memory are measured."""

from __future__ import annotations

import sys
import time
from typing import Any

from benchmarks.payloads import REQUESTS

SLOW = 0.05  # seconds of a handler that does something
QUIET = "no-pings"


def say(line: object) -> None:
    """Answer who has started this process."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def serve(folder: str, *flags: str) -> None:
    """Serve until the standard input ends; flags are ``tls`` and ``no-pings``."""
    from ocpp_sync import OcppServer, utcnow

    def slow(*arguments: Any) -> dict[str, Any]:
        time.sleep(SLOW)
        return {"status": "Accepted"}

    options: dict[str, Any] = {"ping_interval": None} if QUIET in flags else {}
    with OcppServer(**options) as server:
        server.on("BootNotification", lambda charge_point, request: {"status": "Accepted", "currentTime": utcnow(), "interval": 3600})
        server.on("Heartbeat", lambda charge_point, request: {"currentTime": utcnow()})
        server.on("MeterValues", lambda charge_point, request: {})
        server.on("TransactionEvent", lambda charge_point, request: {})
        server.on("DataTransfer", slow)
        files = {"certfile": f"{folder}/server.pem", "keyfile": f"{folder}/server.key"} if "tls" in flags else {}
        server.listen(0, "127.0.0.1", **files)  # type: ignore[arg-type]
        say(server.port)
        sys.stdin.read()


def call(url: str, folder: str, version: str, *flags: str) -> None:
    """Connect, and call as each line of the standard input says: an action and how often; say the seconds of one.

    Flags are ``no-pings`` and ``password=…``. The line ``burn`` starts a thread that is busy all the time.
    """
    from ocpp_sync import OcppClient

    options: dict[str, Any] = {"ping_interval": None} if QUIET in flags else {}
    if url.startswith("wss"):
        options["cafile"] = f"{folder}/ca.pem"
    options.update(flag.split("=") for flag in flags if flag.startswith("password="))  # type: ignore[misc]
    with OcppClient("CP1", version=version, **options).connect(url) as client:
        say("connected")
        for line in sys.stdin:
            if line == "burn\n":
                burn()
                continue
            action, count = line.split()
            payload = REQUESTS[version][action]
            started = time.perf_counter()
            for _ in range(int(count)):
                client.call(action, payload)
            say((time.perf_counter() - started) / int(count))


def boot(url: str, folder: str) -> None:
    """Connect by TLS, register, and say so."""
    from ocpp_sync import OcppClient

    with OcppClient("CP1", version="1.6", cafile=f"{folder}/ca.pem").connect(url, boot=REQUESTS["1.6"]["BootNotification"]):
        say("accepted")


def burn() -> None:
    """Be busy in another thread, until the process ends."""
    from threading import Thread

    def run() -> None:
        number = 0
        while True:
            number += 1

    Thread(target=run, daemon=True).start()
