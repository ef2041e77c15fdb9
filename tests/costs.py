"""What :mod:`tests.test_costs` measures, in a process for each function; little is imported, and late, since that is measured too."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from ocpp_sync import OcppClient, OcppServer

WARM_UP, SAMPLES = 50, 200
CALLS = 2000
CONNECTIONS = 20
MEASURED = ("Heartbeat", "MeterValues")
SYSTEM_CALLS = {
    **dict.fromkeys(("recv", "recv_into", "read"), "read"),
    **dict.fromkeys(("send", "sendall", "sendmsg", "write"), "write"),
    **dict.fromkeys(("poll", "select"), "poll"),
    **dict.fromkeys(("register", "modify", "unregister", "setsockopt", "settimeout", "eventfd_read", "eventfd_write"), "other"),
}


def say(line: object) -> None:
    """Answer who has started this process."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def station(url: str, cafile: str, version: str) -> None:
    """Connect by TLS, call, say what has been imported for that beside websocket-client, and stay until the standard input ends."""
    import websocket  # noqa: F401

    from benchmarks.payloads import REQUESTS

    before = set(sys.modules)
    from ocpp_sync import OcppClient

    with OcppClient("CP1", version=version, cafile=cafile, ping_interval=None).connect(url) as client:
        for action, request in REQUESTS[version].items():
            if action != "DataTransfer":
                for _ in range(50):
                    client.call(action, request)
        say(" ".join(sorted(set(sys.modules) - before)))
        sys.stdin.read()


class Tally:
    """A profile function: counts the calls of functions, in Python and in C, and which of them are system calls.

    Attributes:
        samples: Both, one after the other.
    """

    def __init__(self) -> None:
        self.samples: list[tuple[int, dict[str, int]]] = []
        self._functions = 0
        self._system: dict[str, int] = {}

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        """Python calls it at each call and each return."""
        if event in ("call", "c_call"):
            self._functions += 1
        if event == "c_call" and (name := SYSTEM_CALLS.get(argument.__name__)) is not None:
            self._system[name] = self._system.get(name, 0) + 1

    def end_sample(self) -> None:
        """What comes next is another one."""
        self.samples.append((self._functions, self._system))
        self._functions, self._system = 0, {}

    def summary(self) -> list[Any]:
        """Of the last samples: how many calls nine of ten need at most; the usual system calls, and how many have these."""
        samples = self.samples[-SAMPLES:]
        functions = sorted(count for count, _ in samples)
        systems = [system for _, system in samples]
        usual = max(systems, key=systems.count)
        return [functions[len(functions) * 9 // 10], usual, systems.count(usual) / len(systems)]


class RoundTally(Tally):
    """Of a thread that goes round: a sample is from one wait to the next."""

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        """As the base does."""
        if event == "c_call" and argument.__name__ == "poll":
            self.end_sample()
        super().__call__(frame, event, argument)


def calls(folder: str, *flags: str) -> None:
    """Say what a call costs the thread that makes it, and the server's that answers it, for each action."""
    import json

    from benchmarks.payloads import REQUESTS
    from ocpp_sync import reactor, reading

    # However busy the machine is: a caller reads its own answer, and the leader is always the same.
    reading._STEP_BACK, reading._PATIENCE = 0.05, 10.0
    reactor._LOOK_INTERVAL = reactor._SLOW = 10.0
    leader = RoundTally()

    def handle(connection: object, request: object) -> dict[str, Any]:
        if sys.getprofile() is None:
            sys.setprofile(leader)
        return {"currentTime": "2026-01-01T00:00:00Z"} if request == {} else {}

    found = {}
    with _server(folder, flags, handle) as server, _client(server, folder, flags) as client:
        for action in MEASURED:
            request, caller = REQUESTS["1.6"][action], Tally()
            for _ in range(WARM_UP):
                client.call(action, request)
            for _ in range(SAMPLES):
                sys.setprofile(caller)
                client.call(action, request)
                sys.setprofile(None)
                caller.end_sample()
            found[action] = {"caller": caller.summary(), "leader": leader.summary()}
    say(json.dumps(found))


def leaks(folder: str, *flags: str) -> None:
    """Say what is left of calls, and of connections: blocks of memory, and objects that only the garbage collector frees."""
    import gc
    import json

    from benchmarks.payloads import REQUESTS

    request = REQUESTS["1.6"]["MeterValues"]

    def call(count: int) -> None:
        for _ in range(count):
            client.call("MeterValues", request)

    def connect(count: int) -> None:
        for _ in range(count):
            connection = server["CP1"]
            client.close()
            connection.wait_closed(10.0)
            client.connect(_url(server, flags))
            client.call("MeterValues", request)

    def measured(function: Any, count: int) -> list[int]:
        function(count)
        gc.collect()
        before = sys.getallocatedblocks()
        function(count)
        garbage = gc.collect()
        return [sys.getallocatedblocks() - before, garbage]

    gc.disable()
    with _server(folder, flags, lambda connection, request: {}) as server, _client(server, folder, flags) as client:
        say(json.dumps({"calls": measured(call, CALLS), "connections": measured(connect, CONNECTIONS)}))


def _server(folder: str, flags: tuple[str, ...], handler: Any) -> OcppServer:
    from ocpp_sync import OcppServer

    server = OcppServer()
    for action in MEASURED:
        server.on(action, handler)
    return server.listen(0, "127.0.0.1", **_files(flags, certfile=f"{folder}/server.pem", keyfile=f"{folder}/server.key"))


def _client(server: OcppServer, folder: str, flags: tuple[str, ...]) -> OcppClient:
    from ocpp_sync import OcppClient

    client = OcppClient("CP1", version="1.6", **_files(flags, cafile=f"{folder}/ca.pem"))
    return client.connect(_url(server, flags))


def _url(server: OcppServer, flags: tuple[str, ...]) -> str:
    return f"{'wss' if 'tls' in flags else 'ws'}://127.0.0.1:{server.port}"


def _files(flags: tuple[str, ...], **files: str) -> Any:
    return files if "tls" in flags else {}
