"""Peers that say exactly what a test tells them to, and small helpers."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

TIMEOUT = 10.0
"""Seconds that a test waits for what must come; nothing depends on how fast it comes."""

VERSIONS = ("1.6", "2.0.1", "2.1")


class Collector:
    """A handler that keeps what it was called with."""

    def __init__(self, result: Any = None) -> None:
        self.calls: queue.Queue[tuple[Any, ...]] = queue.Queue()
        self.result = result

    def __call__(self, *arguments: Any) -> Any:
        self.calls.put(arguments)
        return self.result

    def next(self) -> tuple[Any, ...]:
        """The arguments of the next call, in order."""
        return self.calls.get(timeout=TIMEOUT)


def wait_until(condition: Callable[[], Any], timeout: float = TIMEOUT) -> bool:
    """Wait for what no event tells of."""
    deadline, never = time.monotonic() + timeout, threading.Event()
    while not condition():
        if time.monotonic() >= deadline:
            return False
        never.wait(0.002)
    return True


def in_thread(function: Callable[..., Any], *arguments: Any, **named: Any) -> Future:
    """Run a function in a thread of its own."""
    return Future(function, *arguments, **named)


class Future:
    """What a thread returns or raises."""

    def __init__(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        self._outcome: Any = None
        self._error: BaseException | None = None

        def run() -> None:
            try:
                self._outcome = function(*arguments, **named)
            except BaseException as error:
                self._error = error

        self.thread = threading.Thread(target=run, name=f"test {getattr(function, '__name__', function)}", daemon=True)
        self.thread.start()

    def result(self, timeout: float = TIMEOUT) -> Any:
        """What the function returned; raises what it raised."""
        self.thread.join(timeout)
        assert not self.thread.is_alive(), f"{self.thread.name} has not come back"
        if self._error is not None:
            raise self._error
        return self._outcome


class _Raw:
    """The part that both raw peers share: messages as JSON arrays, texts as they are."""

    socket: Any

    def send(self, message: list[Any] | str | bytes) -> None:
        """Send a message: a list as JSON, a text or bytes as they are."""
        self.socket.send(json.dumps(message) if isinstance(message, list) else message)

    def receive(self) -> Any:
        """The next message, parsed."""
        return json.loads(self.socket.recv(timeout=TIMEOUT))

    def receive_close(self) -> tuple[int, str]:
        """The close code and reason that end the link; messages before it are thrown away."""
        while True:
            try:
                self.socket.recv(timeout=TIMEOUT)
            except ConnectionClosed as error:
                return (error.rcvd.code, error.rcvd.reason) if error.rcvd else (1006, "")

    def sync(self) -> None:
        """Return when the other side has handled what was sent before: it has answered a ping that came after it."""
        assert self.socket.ping().wait(TIMEOUT)


class RawChargePoint(_Raw):
    """A charge point without OCPP."""

    def __init__(self, url: str, identity: str = "CP1", *, version: str | None = "2.0.1", **options: Any) -> None:
        names = None if version is None else [Subprotocol(f"ocpp{version}")]
        options = {"compression": None, "ping_interval": None, "close_timeout": TIMEOUT, "max_size": None, **options}
        self._stack = ExitStack()
        self.socket = self._stack.enter_context(connect(f"{url}/{identity}", subprotocols=names, open_timeout=TIMEOUT, **options))

    def close(self) -> None:
        """Close; twice does not hurt."""
        self._stack.close()


class RawCsms(_Raw):
    """A CSMS without OCPP, for one charge point at a time."""

    def __init__(self, *, version: str = "2.0.1", **options: Any) -> None:
        self._connected: queue.Queue[ServerConnection] = queue.Queue()
        self._over = threading.Event()
        self._socket: ServerConnection | None = None
        options = {"compression": None, "ping_interval": None, "close_timeout": 1.0, "max_size": None, **options}
        self.server = serve(self._serve, "127.0.0.1", 0, subprotocols=[Subprotocol(f"ocpp{version}")], **options)
        self.url = f"ws://127.0.0.1:{self.server.socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self.server.serve_forever, name="test raw CSMS", daemon=True)
        self._thread.start()

    def _serve(self, connection: ServerConnection) -> None:
        self._connected.put(connection)
        self._over.wait()

    @property
    def socket(self) -> ServerConnection:
        """The connection of the first charge point."""
        if self._socket is None:
            self._socket = self._connected.get(timeout=TIMEOUT)
        return self._socket

    def next_socket(self) -> ServerConnection:
        """Go on to the next charge point that connects."""
        self._socket = None
        return self.socket

    def close(self) -> None:
        """Close everything; twice does not hurt."""
        self._over.set()
        self.server.shutdown()
        self._thread.join(TIMEOUT)
