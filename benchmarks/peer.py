"""The two ends of the asyncio library ``ocpp`` on ``websockets``, with the roles of :mod:`benchmarks.ours`.

As shipped, or with the flag ``tuned``: validation in place instead of in a pool of threads, and no compression.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys
import time
from datetime import datetime, timezone
from typing import Any

from benchmarks.ours import QUIET, SLOW, burn, say
from benchmarks.payloads import REQUESTS

TUNED = "tuned"


def _options(flags: tuple[str, ...]) -> dict[str, Any]:
    from ocpp import messages

    options: dict[str, Any] = {"ping_interval": None} if QUIET in flags else {}
    if TUNED in flags:
        messages.ASYNC_VALIDATION = False
        options["compression"] = None
    return options


async def _input() -> asyncio.StreamReader:
    """The standard input without a thread, which would count."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def serve(folder: str, *flags: str) -> None:
    """Serve until the standard input ends."""
    from websockets.asyncio.server import ServerConnection
    from websockets.asyncio.server import serve as listen

    options = _options(flags)
    if "tls" in flags:
        options["ssl"] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        options["ssl"].load_cert_chain(f"{folder}/server.pem", f"{folder}/server.key")
    systems = {"ocpp1.6": _v16(), "ocpp2.0.1": _v201()}

    async def connected(connection: ServerConnection) -> None:
        with contextlib.suppress(Exception):
            await systems[str(connection.subprotocol)]("CP1", connection).start()

    async def run() -> None:
        async with listen(connected, "127.0.0.1", 0, subprotocols=list(systems), **options) as server:  # type: ignore[arg-type]
            say(next(iter(server.sockets)).getsockname()[1])
            await (await _input()).read()

    asyncio.run(run())


def _now() -> str:
    return datetime.now(timezone.utc).isoformat()


def _v16() -> Any:
    from ocpp.routing import on
    from ocpp.v16 import ChargePoint, call_result

    class Csms(ChargePoint):  # type: ignore[misc]
        @on("BootNotification")  # type: ignore[untyped-decorator]
        def boot_notification(self, **payload: Any) -> Any:
            return call_result.BootNotification(current_time=_now(), interval=3600, status="Accepted")

        @on("Heartbeat")  # type: ignore[untyped-decorator]
        def heartbeat(self) -> Any:
            return call_result.Heartbeat(current_time=_now())

        @on("MeterValues")  # type: ignore[untyped-decorator]
        def meter_values(self, **payload: Any) -> Any:
            return call_result.MeterValues()

        @on("DataTransfer")  # type: ignore[untyped-decorator]
        async def data_transfer(self, **payload: Any) -> Any:
            await asyncio.sleep(SLOW)
            return call_result.DataTransfer(status="Accepted")

    return Csms


def _v201() -> Any:
    from ocpp.routing import on
    from ocpp.v201 import ChargePoint, call_result

    class Csms(ChargePoint):  # type: ignore[misc]
        @on("BootNotification")  # type: ignore[untyped-decorator]
        def boot_notification(self, **payload: Any) -> Any:
            return call_result.BootNotification(current_time=_now(), interval=3600, status="Accepted")

        @on("Heartbeat")  # type: ignore[untyped-decorator]
        def heartbeat(self) -> Any:
            return call_result.Heartbeat(current_time=_now())

        @on("TransactionEvent")  # type: ignore[untyped-decorator]
        def transaction_event(self, **payload: Any) -> Any:
            return call_result.TransactionEvent()

    return Csms


@contextlib.asynccontextmanager
async def _connected(url: str, folder: str, version: str, flags: tuple[str, ...]) -> Any:
    """A charge point whose messages are read, and the classes of its calls."""
    from websockets.asyncio.client import connect

    if version == "1.6":
        from ocpp.v16 import ChargePoint, call
    else:
        from ocpp.v201 import ChargePoint, call
    options = _options(flags)
    if url.startswith("wss"):
        options["ssl"] = ssl.create_default_context(cafile=f"{folder}/ca.pem")
    async with connect(f"{url}/CP1", subprotocols=[f"ocpp{version}"], **options) as connection:  # type: ignore[list-item]
        client = ChargePoint("CP1", connection)
        reading = asyncio.create_task(client.start())
        yield client, call
        reading.cancel()


def call(url: str, folder: str, version: str, *flags: str) -> None:
    """Connect, and call as each line of the standard input says."""
    from ocpp.charge_point import camel_to_snake_case

    async def run() -> None:
        async with _connected(url, folder, version, flags) as (client, calls):
            say("connected")
            lines = await _input()
            while line := (await lines.readline()).decode():
                if line == "burn\n":
                    burn()
                    continue
                action, count = line.split()
                payload = camel_to_snake_case(REQUESTS[version][action])
                started = time.perf_counter()
                for _ in range(int(count)):
                    await client.call(getattr(calls, action)(**payload))
                say((time.perf_counter() - started) / int(count))

    asyncio.run(run())


def boot(url: str, folder: str, *flags: str) -> None:
    """Connect by TLS, register, and say so."""
    from ocpp.charge_point import camel_to_snake_case

    async def run() -> None:
        async with _connected(url, folder, "1.6", flags) as (client, calls):
            await client.call(calls.BootNotification(**camel_to_snake_case(REQUESTS["1.6"]["BootNotification"])))
            say("accepted")

    asyncio.run(run())
