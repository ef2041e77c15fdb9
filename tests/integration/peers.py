"""The other side, written with the asyncio package ``ocpp``, on an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import queue
import sys
import threading
import uuid
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from types import ModuleType
from typing import Any

import pytest
from ocpp.charge_point import ChargePoint, camel_to_snake_case, remove_nones, serialize_as_dict, snake_to_camel_case
from ocpp.messages import Call, CallResult, validate_payload
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from ..support import TIMEOUT

_OPTIONS: dict[str, Any] = {"compression": None, "ping_interval": None, "close_timeout": 1.0, "max_size": None}


def ocpp_package(version: str) -> ModuleType:
    """The part of ``ocpp`` for a version of OCPP; skips the test where there is none."""
    try:
        return importlib.import_module(f"ocpp.v{version.replace('.', '')}")
    except ModuleNotFoundError:
        if sys.version_info < (3, 11):
            pytest.skip(f"the last 'ocpp' for Python 3.10 has no OCPP {version}")
        raise


class Background:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="test event loop", daemon=True)
        self._thread.start()
        assert self._ready.wait(TIMEOUT)

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._ready.set()
        await self._over.wait()

    def start(self, coroutine: Coroutine[Any, Any, Any]) -> Future[Any]:
        """Let a coroutine run."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine, and wait for its result."""
        return self.start(coroutine).result(TIMEOUT)

    def close(self) -> None:
        """End the loop and all that still runs in it."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(TIMEOUT)
        assert not self._thread.is_alive(), "the event loop still runs"


class Peer(ChargePoint):  # type: ignore[misc]
    """One link of ``ocpp``, whichever end of it.

    The package renames all fields (``chargePointVendor`` to ``charge_point_vendor``) and has a class for each payload. What these cannot
    carry as it is goes through the package's layer of messages.

    Attributes:
        requests: What has come in, as ``(action, payload)``.
        by_messages: What the layer of messages was needed for: an action and ``"request"`` or ``"response"``.
        silent: Whether requests are not answered.
        concurrent: Whether reading goes on while a handler runs; the package itself waits for the handler.
    """

    def __init__(self, version: str, connection: Any, background: Background) -> None:
        super().__init__("CP1", connection, response_timeout=TIMEOUT)
        package = ocpp_package(version)
        self._ocpp_version, self._call, self._call_result = version, package.call, package.call_result
        self._background = background
        self.requests: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.by_messages: set[tuple[str, str]] = set()
        self.silent = False
        self.concurrent = False
        self._answers: dict[str, list[Any]] = {}
        self._raw_responses: dict[str, dict[str, Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # --- In the thread of the test

    def start_call(self, action: str, request: dict[str, Any]) -> Future[Any]:
        """Call; the result is the frame of the answer."""
        return self._background.start(self.exchange(action, request))

    def call_and_wait(self, action: str, request: dict[str, Any]) -> Any:
        """Call, and return the frame of the answer."""
        return self.start_call(action, request).result(TIMEOUT)

    def respond(self, action: str, response: dict[str, Any] | Callable[[dict[str, Any]], Any]) -> None:
        """Answer an action from now on.

        Args:
            action: The action.
            response: The response, or a function or coroutine function that makes it of the request as the package has renamed it.
        """
        self._raw_responses.pop(action, None)
        if isinstance(response, dict) and self._object(self._call_result, action, response) is None:
            self.by_messages.add((action, "response"))
            self._raw_responses[action] = response

        async def answer(**request: Any) -> Any:
            result = response(request) if callable(response) else response
            return self._object(self._call_result, action, await result if inspect.isawaitable(result) else result)

        self.route_map[action] = {"_on_action": answer}

    # --- In the event loop

    async def live(self) -> None:
        """Serve until the link has gone."""
        try:
            await self.start()
        except ConnectionClosed:
            pass

    async def exchange(self, action: str, request: dict[str, Any]) -> list[Any]:
        """Call, and return the frame of the answer."""
        message_id = str(uuid.uuid4())
        by_class = self._object(self._call, action, request)
        if by_class is not None:
            await self.call(by_class, unique_id=message_id)
        else:
            self.by_messages.add((action, "request"))
            await self._call_by_message(Call(message_id, action, request))
        return self._answers.pop(message_id)

    async def route_message(self, raw_msg: str) -> None:
        frame = json.loads(raw_msg)
        if frame[0] != Call.message_type_id:
            self._answers[frame[1]] = frame
        else:
            self.requests.put((frame[2], frame[3]))
            if self.silent:
                return
            if self.concurrent:
                task = asyncio.create_task(super().route_message(raw_msg))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                return
        await super().route_message(raw_msg)

    async def _handle_call(self, msg: Any) -> None:
        if msg.action not in self._raw_responses:
            await super()._handle_call(msg)
            return
        await validate_payload(msg, self._ocpp_version)
        result = msg.create_call_result(self._raw_responses[msg.action])
        await validate_payload(result, self._ocpp_version)
        await self._send(result.to_json())

    async def _call_by_message(self, call: Any) -> None:
        await validate_payload(call, self._ocpp_version)
        async with self._call_lock:
            await self._send(call.to_json())
            answer = await self._get_specific_response(call.unique_id, self._response_timeout)
        if isinstance(answer, CallResult):
            answer.action = call.action
            await validate_payload(answer, self._ocpp_version)

    def _object(self, module: ModuleType, action: str, payload: dict[str, Any]) -> Any | None:
        """The package's object for a payload; None if there is none, or one that would go out as something else."""
        try:
            made = getattr(module, action)(**camel_to_snake_case(payload))
        except (AttributeError, TypeError):
            return None
        return made if snake_to_camel_case(remove_nones(serialize_as_dict(made))) == payload else None


class OcppCsms:
    """A CSMS written with ``ocpp``."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._peers: queue.Queue[Peer] = queue.Queue()
        self._background = Background()
        self.url: str = self._background.run(self._listen())

    async def _listen(self) -> str:
        self._server = await serve(self._serve, "127.0.0.1", 0, subprotocols=[Subprotocol(f"ocpp{self._version}")], **_OPTIONS)
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"

    async def _serve(self, connection: ServerConnection) -> None:
        peer = Peer(self._version, connection, self._background)
        self._peers.put(peer)
        await peer.live()

    def next_peer(self) -> Peer:
        """The next charge point that connects."""
        return self._peers.get(timeout=TIMEOUT)

    def close(self) -> None:
        async def close() -> None:
            self._server.close()
            await self._server.wait_closed()

        self._background.run(close())
        self._background.close()


class OcppChargePoint:
    """A charge point written with ``ocpp``."""

    def __init__(self, url: str, version: str) -> None:
        self._background = Background()
        self.peer: Peer = self._background.run(self._connect(f"{url}/CP1", version))
        self._living = self._background.start(self.peer.live())

    async def _connect(self, url: str, version: str) -> Peer:
        self._connection = await connect(url, subprotocols=[Subprotocol(f"ocpp{version}")], open_timeout=TIMEOUT, **_OPTIONS)
        return Peer(version, self._connection, self._background)

    def close(self) -> None:
        async def close() -> None:
            await self._connection.close()

        self._background.run(close())
        self._living.result(TIMEOUT)
        self._background.close()
