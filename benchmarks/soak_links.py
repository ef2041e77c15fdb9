"""The way between the clients and the server of the soak: a proxy in one thread that spoils single links at random moments."""

from __future__ import annotations

import json
import random
import select
import socket
import struct
import sys
import time
from collections import Counter

from benchmarks.frames import frame, frame_size

__all__ = ["Proxy"]

_HIGH_WATER = 256 * 1024  # bytes that may wait for an end that does not read
_STALL = (0.1, 1.0)  # seconds

GARBAGE = [
    b"what is this?",
    b"[",
    b"{}",
    b"[9,1]",
    b'[2,"garbage","NoSuchAction",{}]',
    b'[2,"garbage","DataTransfer",{"no":"vendor"}]',
    b'[3,"nobody asked",{}]',
    b'[4,"nobody asked","GenericError","",{}]',
    b'[4,"-1","RpcFrameworkError","",{}]',
    b"[" * 1000,
]


class End:
    """One of the two sockets of a link, and what is to go out by it."""

    def __init__(self, sock: socket.socket, *, to_server: bool) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock: socket.socket | None = sock
        self.fd = sock.fileno()
        self.mask = b"soak" if to_server else None
        self.unsent = bytearray()
        self.read = bytearray()  # what has come by it, up to the end of a whole frame
        self.upgraded = False
        self.ended = False  # nothing more comes by it
        self.shut = False  # nothing more goes out by it

    def take_whole(self) -> bytearray:
        """What may be passed on: the HTTP head, then whole frames, so that something can be put between two of them."""
        size = 0
        if not self.upgraded:
            size = self.read.find(b"\r\n\r\n") + 4
            if size < 4:
                return bytearray()
            self.upgraded = True
        while (length := frame_size(self.read[size : size + 14])) is not None and size + length <= len(self.read):
            size += length
        whole, self.read = self.read[:size], self.read[size:]
        return whole

    def close(self, *, reset: bool = False) -> None:
        """Close it, with RST if need be."""
        if self.sock is not None:
            if reset:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.sock.close()
            self.sock = None


class Link:
    """A client's connection and that to the server."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = End(client, to_server=False), End(server, to_server=True)
        self.ends = (self.client, self.server)
        self.half_open = False
        self.stalled_until = 0.0

    @property
    def is_over(self) -> bool:
        """Whether both ends are closed."""
        return all(end.sock is None for end in self.ends)

    @property
    def is_usable(self) -> bool:
        """Whether frames can go either way."""
        return all(end.upgraded and end.sock is not None and not end.ended for end in self.ends) and not self.half_open

    def opposite(self, end: End) -> End:
        """The other end."""
        return self.server if end is self.client else self.client

    def close(self, *, reset: bool = False) -> None:
        """Close both ends."""
        for end in self.ends:
            end.close(reset=reset)

    def wanted(self, end: End, now: float) -> int:
        """The events to wait for at an end."""
        if self.half_open:
            return select.EPOLLIN
        if now < self.stalled_until:
            return 0
        reads = not end.ended and len(self.opposite(end).unsent) < _HIGH_WATER
        return (select.EPOLLIN if reads else 0) | (select.EPOLLOUT if end.unsent else 0)

    def step(self, end: End, events: int) -> None:
        """Read and write what is possible; an error ends the link with RST."""
        try:
            if events & ~select.EPOLLOUT and not end.ended:
                self._read(end)
            for each in self.ends if not self.half_open else ():
                self._write(each)
        except OSError:
            end.close(reset=True)
            if not self.half_open:
                self.close(reset=True)
        if all(each.ended and not self.opposite(each).unsent for each in self.ends):
            self.close()

    def _read(self, end: End) -> None:
        assert end.sock is not None
        try:
            data = end.sock.recv(1 << 16)
        except BlockingIOError:
            return
        if self.half_open:
            if not data:
                end.close()
            return
        end.ended = not data
        end.read += data
        self.opposite(end).unsent += end.take_whole()

    def _write(self, end: End) -> None:
        if end.sock is None:
            return
        if end.unsent:
            try:
                del end.unsent[: end.sock.send(end.unsent)]
            except BlockingIOError:
                return
        if self.opposite(end).ended and not end.unsent and not end.shut:
            end.shut = True
            end.sock.shutdown(socket.SHUT_WR)

    # --- Faults

    def fault_reset(self, draw: random.Random) -> None:
        """RST to both ends."""
        self.close(reset=True)

    def fault_cut(self, draw: random.Random) -> None:
        """FIN to both ends, without a close frame."""
        self.close()

    def fault_half_open(self, draw: random.Random) -> None:
        """From now on all is swallowed, and neither end hears of the other's end."""
        self.half_open = True

    def fault_stall(self, draw: random.Random) -> None:
        """Nothing passes for a while."""
        self.stalled_until = time.monotonic() + draw.uniform(*_STALL)

    def fault_garbage(self, draw: random.Random) -> None:
        """A text that is no proper message, or an answer to nothing, to one end."""
        end = draw.choice(self.ends)
        end.unsent += frame(draw.choice(GARBAGE), mask=end.mask)

    def fault_bad_frame(self, draw: random.Random) -> None:
        """An opcode that does not exist, to one end."""
        end = draw.choice(self.ends)
        end.unsent += frame(b"x", 3, mask=end.mask)

    def fault_torn(self, draw: random.Random) -> None:
        """Half a frame to one end, then RST to both."""
        end = draw.choice(self.ends)
        half = frame(b'[2,"torn","DataTransfer",{"vendorId":"soak","data":"torn"}]', mask=end.mask)[:30]
        if end.sock is not None and not end.unsent:
            try:
                end.sock.send(half)
            except OSError:
                pass  # it has just gone
        self.close(reset=True)


FAULTS = {
    "reset": Link.fault_reset,
    "cut": Link.fault_cut,
    "half open": Link.fault_half_open,
    "stall": Link.fault_stall,
    "garbage": Link.fault_garbage,
    "bad frame": Link.fault_bad_frame,
    "torn frame": Link.fault_torn,
}


class Proxy:
    """All links.

    Args:
        target: The server's port.
        pause: Seconds from one fault to the next, on average.
        seed: For all that is random.
    """

    def __init__(self, target: int, pause: float, seed: int) -> None:
        self._target = target
        self._pause = pause
        self._random = random.Random(seed)  # noqa: S311 (no secret)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._epoll = select.epoll()
        self._epoll.register(self._listener, select.EPOLLIN)
        self._ends: dict[int, tuple[Link, End, int]] = {}  # with the events that are waited for
        self._stalled: list[Link] = []
        self._counts: Counter[str] = Counter()
        self._next_fault = time.monotonic()

    def run(self) -> None:
        """Pass on until the standard input ends; its first line ends the faults, and is answered with their number."""
        self._epoll.register(sys.stdin, select.EPOLLIN)
        while True:
            for fd, events in self._epoll.poll(0.02):
                if fd == sys.stdin.fileno():
                    if not sys.stdin.readline():
                        return
                    self._heal()
                elif fd == self._listener.fileno():
                    self._accept()
                elif fd in self._ends:
                    link, end, _ = self._ends[fd]
                    link.step(end, events)
                    self._watch(link)
            now = time.monotonic()
            over = [link for link in self._stalled if now >= link.stalled_until]
            self._stalled = [link for link in self._stalled if link not in over]
            for link in over:
                self._watch(link)
            if now >= self._next_fault:
                self._next_fault = now + self._random.expovariate(1 / self._pause)
                self._spoil()

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        try:
            link = Link(client, socket.create_connection(("127.0.0.1", self._target), 5.0))
        except OSError:
            client.close()
            return
        for end in link.ends:
            self._ends[end.fd] = link, end, select.EPOLLIN
            self._epoll.register(end.fd, select.EPOLLIN)

    def _watch(self, link: Link) -> None:
        """Wait for what a link wants now."""
        now = time.monotonic()
        for end in link.ends:
            if end.fd not in self._ends or self._ends[end.fd][0] is not link:
                continue
            if end.sock is None:
                del self._ends[end.fd]  # epoll has forgotten it by itself
            elif (wanted := link.wanted(end, now)) != self._ends[end.fd][2]:
                self._ends[end.fd] = link, end, wanted
                # A peer that has gone is reported again and again, wanted or not: once is enough.
                self._epoll.modify(end.fd, wanted | (select.EPOLLET if end.ended or not wanted else 0))

    def _spoil(self) -> None:
        usable = [link for link, end, _ in self._ends.values() if end is link.client and link.is_usable]
        if not usable:
            return
        link = self._random.choice(usable)
        name = self._random.choice(list(FAULTS))
        FAULTS[name](link, self._random)
        self._counts[name] += 1
        if name == "stall":
            self._stalled.append(link)
        self._watch(link)

    def _heal(self) -> None:
        self._next_fault = float("inf")
        for link in {link for link, _, _ in self._ends.values() if link.half_open}:
            link.close(reset=True)
            self._watch(link)
        sys.stdout.write(json.dumps(self._counts) + "\n")
        sys.stdout.flush()
