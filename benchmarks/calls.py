"""A call's round trip, ours and that of the asyncio library ``ocpp`` on ``websockets``: ``python -m benchmarks.calls`` (two minutes).

Each arm is a server and a client in processes of their own. All arms are there at once and take turns in random order; what counts is the
median of the ratios of each round, since a machine is never the same twice. Needs the extra ``test``.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import random
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from benchmarks.attacks import environment, show

ROUNDS = 15
CALLS = 300  # a round
WARM_UP = 100
METER_VALUES: dict[str, Any] = {
    "connector_id": 1,
    "transaction_id": 7,
    "meter_value": [
        {
            "timestamp": "2026-01-01T00:00:00Z",
            "sampled_value": [
                {"value": "230.1", "measurand": "Voltage", "unit": "V"},
                {"value": "16.0", "measurand": "Current.Import", "unit": "A"},
                {"value": "12345", "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
            ],
        }
    ],
}
ACTIONS = ("Heartbeat", "MeterValues")
ARMS = ("ours", "ocpp", "ocpp tuned")


def camel(value: Any) -> Any:
    """The same with the names that are on the wire."""
    if isinstance(value, list):
        return [camel(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {(words := name.split("_"))[0] + "".join(map(str.title, words[1:])): camel(each) for name, each in value.items()}


PAYLOADS = {"Heartbeat": {}, "MeterValues": camel(METER_VALUES)}


# --- Ours


def serve_ours(folder: str, tls: str) -> None:
    """Serve until the standard input ends."""
    from ocpp_sync import OcppServer, utcnow

    with OcppServer() as server:
        server.on("Heartbeat", lambda charge_point, request: {"currentTime": utcnow()})
        server.on("MeterValues", lambda charge_point, request: {})
        files = {"certfile": f"{folder}/server.pem", "keyfile": f"{folder}/server.key"} if tls == "TLS" else {}
        server.listen(0, "127.0.0.1", **files)  # type: ignore[arg-type]
        show(str(server.port))
        sys.stdin.read()


def call_ours(url: str, folder: str) -> None:
    """Call as often as each line of the standard input says, and print the seconds of one."""
    from ocpp_sync import OcppClient

    ca = f"{folder}/ca.pem" if url.startswith("wss") else None
    with OcppClient("CP1", version="1.6", cafile=ca).connect(url) as client:
        for line in sys.stdin:
            action, count = line.split()
            payload = PAYLOADS[action]
            started = time.perf_counter()
            for _ in range(int(count)):
                client.call(action, payload)
            show(str((time.perf_counter() - started) / int(count)))


# --- The peer


def _tune(tuned: str) -> dict[str, Any]:
    from ocpp import messages

    if tuned == "tuned":
        messages.ASYNC_VALIDATION = False
        return {"compression": None}
    return {}


def serve_peer(folder: str, tls: str, tuned: str) -> None:
    """As :func:`serve_ours`."""
    from ocpp.routing import on
    from ocpp.v16 import ChargePoint, call_result
    from websockets.asyncio.server import ServerConnection, serve

    options = _tune(tuned)
    if tls == "TLS":
        options["ssl"] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        options["ssl"].load_cert_chain(f"{folder}/server.pem", f"{folder}/server.key")

    class Csms(ChargePoint):  # type: ignore[misc]
        @on("Heartbeat")  # type: ignore[untyped-decorator]
        def heartbeat(self) -> Any:
            return call_result.Heartbeat(current_time=datetime.now(timezone.utc).isoformat())

        @on("MeterValues")  # type: ignore[untyped-decorator]
        def meter_values(self, **payload: Any) -> Any:
            return call_result.MeterValues()

    async def connected(connection: ServerConnection) -> None:
        with contextlib.suppress(Exception):
            await Csms("CP1", connection).start()

    async def run() -> None:
        async with serve(connected, "127.0.0.1", 0, subprotocols=["ocpp1.6"], **options) as server:  # type: ignore[list-item]
            show(str(next(iter(server.sockets)).getsockname()[1]))
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

    asyncio.run(run())


def call_peer(url: str, folder: str, tuned: str) -> None:
    """As :func:`call_ours`."""
    from ocpp.v16 import ChargePoint, call
    from websockets.asyncio.client import connect

    options = _tune(tuned)
    if url.startswith("wss"):
        options["ssl"] = ssl.create_default_context(cafile=f"{folder}/ca.pem")

    async def run() -> None:
        async with connect(f"{url}/CP1", subprotocols=["ocpp1.6"], **options) as connection:  # type: ignore[list-item]
            client = ChargePoint("CP1", connection)
            reading = asyncio.create_task(client.start())
            loop = asyncio.get_running_loop()
            while line := await loop.run_in_executor(None, sys.stdin.readline):
                action, count = line.split()
                payload = METER_VALUES if action == "MeterValues" else {}
                started = time.perf_counter()
                for _ in range(int(count)):
                    await client.call(getattr(call, action)(**payload))
                show(str((time.perf_counter() - started) / int(count)))
            reading.cancel()

    asyncio.run(run())


# --- Measuring


class Arm:
    """A server and a client."""

    def __init__(self, stack: contextlib.ExitStack, name: str, tls: str, folder: str) -> None:
        tuned = [] if name == "ours" else ["tuned" if name.endswith("tuned") else "shipped"]
        side = "ours" if name == "ours" else "peer"
        server = stack.enter_context(_process(f"serve_{side}", folder, tls, *tuned))
        assert server.stdout is not None
        scheme = "wss" if tls == "TLS" else "ws"
        url = f"{scheme}://127.0.0.1:{server.stdout.readline().strip()}"
        self._client = stack.enter_context(_process(f"call_{side}", url, folder, *tuned))

    def measure(self, action: str, count: int) -> float:
        """Seconds of a call."""
        assert self._client.stdin is not None
        assert self._client.stdout is not None
        self._client.stdin.write(f"{action} {count}\n")
        self._client.stdin.flush()
        return float(self._client.stdout.readline())


@contextlib.contextmanager
def _process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "benchmarks.calls", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603
        try:
            yield child
        finally:
            assert child.stdin is not None
            child.stdin.close()


def main() -> None:
    """Print the table."""
    from ocpp_sync.cli import main as command

    show(f"{environment()}; ocpp {importlib.metadata.version('ocpp')}, websockets {importlib.metadata.version('websockets')}\n")
    show("| call | by | ours, µs | ocpp, µs | ocpp tuned, µs | times faster | than tuned |")
    show("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        with contextlib.redirect_stdout(sys.stderr):
            command(["certs", f"{folder}/made", "--host", "127.0.0.1"])
        made = Path(folder) / "made"
        for tls in ("plain", "TLS"):
            with contextlib.ExitStack() as stack:
                arms = {name: Arm(stack, name, tls, str(made)) for name in ARMS}
                for action in ACTIONS:
                    rounds: dict[str, list[float]] = {name: [] for name in ARMS}
                    for arm in arms.values():
                        arm.measure(action, WARM_UP)
                    for _ in range(ROUNDS):
                        for name in random.sample(ARMS, len(ARMS)):
                            rounds[name].append(arms[name].measure(action, CALLS))
                    medians = " | ".join(f"{statistics.median(rounds[name]) * 1e6:.0f}" for name in ARMS)
                    ratios = [
                        statistics.median(theirs / ours for theirs, ours in zip(rounds[name], rounds["ours"], strict=True))
                        for name in ARMS[1:]
                    ]
                    show(f"| {action} | {tls} | {medians} | {ratios[0]:.1f} | {ratios[1]:.1f} |")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        globals()[sys.argv[1]](*sys.argv[2:])
    else:
        main()
