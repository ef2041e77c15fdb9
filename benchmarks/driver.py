"""Many charge points in one process that costs little, the same for every server: a selector, plain sockets, frames made before.

Each sends its next call when the answer to the last one has come.
"""

from __future__ import annotations

import json
import os
import select
import socket
import ssl
import statistics
import sys
import time

from benchmarks.frames import frame, upgrade_request
from benchmarks.ours import say
from benchmarks.payloads import REQUESTS

FRAMES = 64  # made before, of each action; their ids differ
_TEXT, _PING = 0x81, 0x89  # whole frames
_PONG = 10
_PATIENCE = 60.0  # seconds


def request(action: str, number: int) -> bytes:
    """The frame of a call."""
    message = [2, f"bench-{number}", action, REQUESTS["1.6"][action]]
    return frame(json.dumps(message, separators=(",", ":")).encode(), mask=os.urandom(4))


class Station:
    """One connection."""

    def __init__(self, identity: str, port: int, context: ssl.SSLContext | None) -> None:
        plain = socket.create_connection(("127.0.0.1", port), _PATIENCE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = plain if context is None else context.wrap_socket(plain, server_hostname="127.0.0.1")
        self.buffer = b""
        self.sent = 0.0
        self._upgrade(identity)

    def _upgrade(self, identity: str) -> None:
        self.sock.sendall(upgrade_request(identity, "1.6"))
        while b"\r\n\r\n" not in self.buffer:
            self._read()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            raise ConnectionError(f"not upgraded: {head!r}")

    def _read(self) -> None:
        data = self.sock.recv(1 << 16)
        if not data:
            raise ConnectionError("the server has closed the connection")
        self.buffer += data

    def take(self) -> bool:
        """Whether an answer is there now; it is taken, and so are pings before it."""
        while len(self.buffer) > 1:
            start, size = 2, self.buffer[1]
            if size == 126:
                start, size = 4, int.from_bytes(self.buffer[2:4], "big")
            if len(self.buffer) < start + size:
                return False
            opcode, payload, self.buffer = self.buffer[0], self.buffer[start : start + size], self.buffer[start + size :]
            if opcode == _PING:
                self.sock.sendall(frame(payload, _PONG, mask=os.urandom(4)))
            elif opcode == _TEXT and payload.startswith(b"[3,"):
                return True
            else:
                raise ConnectionError(f"no answer to a call: {payload!r}")
        return False

    def receive(self) -> bool:
        """Read, and say whether that makes an answer."""
        self._read()
        return self.take()

    def call(self, message: bytes) -> None:
        """Send, and wait for the answer."""
        self.sock.sendall(message)
        while not self.receive():
            pass


class Driver:
    """Stations that all call at once."""

    def __init__(self, port: int, cafile: str) -> None:
        self._port = port
        self._context = ssl.create_default_context(cafile=cafile) if cafile else None
        self._stations: dict[int, Station] = {}
        self._selector = select.epoll()
        self._selector.register(sys.stdin, select.EPOLLIN)
        self._frames: dict[str, list[bytes]] = {}

    def connect(self, count: int) -> None:
        """Connect until there are so many; each makes one call."""
        for number in range(len(self._stations), count):
            station = Station(f"CP{os.getpid()}-{number}", self._port, self._context)
            station.call(request("Heartbeat", 0))
            if self._context is None:
                station.sock.setblocking(False)  # a time-out costs a system call each time
            self._stations[station.sock.fileno()] = station
            self._selector.register(station.sock, select.EPOLLIN)
        say(len(self._stations))

    def run(self, action: str, seconds: float) -> None:
        """Call for a time, and until all is answered; say how many calls a second were, and after how long half and 99 of 100 were."""
        frames = self._frames.setdefault(action, [request(action, number) for number in range(FRAMES)])
        now, poll, stations = time.perf_counter, self._selector.poll, self._stations
        latencies: list[float] = []
        started = now()
        stop = started + seconds
        for station in stations.values():
            station.sent = now()
            station.sock.send(frames[0])
        waiting = len(stations)
        while waiting:
            ready = poll(_PATIENCE)
            if not ready:
                raise TimeoutError(f"{waiting} calls are not answered")
            for descriptor, _ in ready:
                if descriptor not in stations:
                    raise EOFError("ended while it runs")
                station = stations[descriptor]
                if not station.receive():
                    continue
                answered = now()
                latencies.append(answered - station.sent)
                if answered >= stop:
                    waiting -= 1
                    continue
                station.sent = answered
                station.sock.send(frames[len(latencies) % FRAMES])
        slices = statistics.quantiles(latencies, n=100) if len(latencies) > 1 else latencies * 99
        say(json.dumps([len(latencies) / (now() - started), statistics.median(latencies), slices[98]]))

    def main(self) -> None:
        """Do as each line says, and answer pings meanwhile, until the standard input ends."""
        while True:
            for descriptor, _ in self._selector.poll():
                if descriptor in self._stations:
                    self._stations[descriptor].receive()
                    continue
                words = sys.stdin.readline().split()
                if not words:
                    return
                if words[0] == "connect":
                    self.connect(int(words[1]))
                else:
                    self.run(words[1], float(words[2]))


def drive(port: str, cafile: str = "") -> None:
    """Drive the server at a port, by TLS if there is a CA."""
    Driver(int(port), cafile).main()
