"""A connection through a :class:`~ocpp_sync.testing.FaultyLink`: two sockets, and what is on its way between them; nothing here waits."""

from __future__ import annotations

import enum
import math
import os
import random
import select
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import Literal

__all__ = ["DIRECTIONS", "Connection", "Direction", "Faults", "Pipe", "State"]

Direction = Literal["up", "down"]
DIRECTIONS: tuple[Direction, Direction] = ("up", "down")

_CHUNK = 64 * 1024
_MAX_ON_ITS_WAY = 256 * 1024  # bytes in one direction of a connection; beyond, nothing more is read
_MAX_PIECES = 64  # until others have their turn
_THROTTLED_PIECE = 0.05  # seconds' worth of bytes


class Faults:
    """What is wrong in one direction, of all connections.

    Attributes:
        stalled: Whether nothing moves.
        delay: Seconds that bytes are on their way.
        rate: Bytes a second; None is any number.
        piece: How many bytes are written at once; None is any number.
        corruption: The probability that a byte has a wrong bit.
    """

    def __init__(self) -> None:
        self.heal()

    def heal(self) -> None:
        """Nothing is wrong any more."""
        self.stalled = False
        self.delay = 0.0
        self.rate: float | None = None
        self.piece: int | None = None
        self.corruption = 0.0

    @property
    def piece_size(self) -> int:
        """How many bytes may be written at once."""
        size = _CHUNK if self.piece is None else self.piece
        return size if self.rate is None else max(1, min(size, int(self.rate * _THROTTLED_PIECE)))


class End:
    """A socket, and whether it is ready.

    Attributes:
        readable: Reading would not block.
        full: Writing would.
        ended: Nothing more comes from it.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.readable = self.full = self.ended = False

    def notice(self, events: int) -> None:
        """Take what poll() says; an error shows when reading or writing."""
        if events & ~select.POLLOUT:
            self.readable = True
        if events & ~select.POLLIN:
            self.full = False

    def read(self) -> bytes | None:
        """What is there, ``b""`` at the end, None if nothing is; raises OSError."""
        self.readable = False
        try:
            data = self.sock.recv(_CHUNK)
        except BlockingIOError:
            return None
        self.ended = not data
        return data

    def finish(self) -> None:
        """Send FIN."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it is not connected any more

    def reset(self) -> None:
        """Send RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Pipe:
    """One direction of a connection."""

    def __init__(self, source: End, sink: End, faults: Faults, seed: str) -> None:
        self.source = source
        self.sink = sink
        self._faults = faults
        self._random = random.Random(seed)  # noqa: S311
        self._parts: deque[tuple[float, bytes]] = deque()  # when it is due, and what; b"" is the end
        self._size = 0
        self._free_at = 0.0  # when the throttle lets more pass
        self._corruption = 0.0  # for which the gap was drawn
        self._gap = 0  # bytes until the next wrong one
        self.finished = False

    @property
    def reads(self) -> bool:
        """Whether more can be taken."""
        return not (self._faults.stalled or self.source.ended) and self._size < _MAX_ON_ITS_WAY

    @property
    def due(self) -> float:
        """When something can be written, in ``time.monotonic()`` seconds; infinity is never."""
        if not self._parts or self._faults.stalled:
            return math.inf
        return max(self._parts[0][0], self._free_at)

    def read(self, now: float) -> None:
        """Take what the source has; raises OSError."""
        data = self.source.read()
        if data is not None:
            self._parts.append((now + self._faults.delay, self._corrupted(data)))
            self._size += len(data)

    def write(self, now: float, budget: int | None) -> int:
        """Hand what is due to the sink, so many bytes at most; raises OSError.

        Returns:
            How many bytes it were.
        """
        written = 0
        for _ in range(_MAX_PIECES):
            if self.sink.full or self.due > now or budget == written:
                break
            due, data = self._parts.popleft()
            if not data:
                self.sink.finish()
                self.finished = True
                continue
            limit = self._faults.piece_size if budget is None else min(self._faults.piece_size, budget - written)
            sent = self._send(data[:limit])
            if sent < len(data):
                self._parts.appendleft((due, data[sent:]))
            self._size -= sent
            written += sent
            if self._faults.rate is not None:
                self._free_at = max(self._free_at, now) + sent / self._faults.rate
        return written

    def _send(self, data: bytes) -> int:
        try:
            # Where pieces count, the kernel must not join them while they wait for their turn.
            return self.sink.sock.send(data, 0 if self._faults.piece is None else socket.MSG_EOR)
        except BlockingIOError:
            self.sink.full = True
            return 0

    def heal(self) -> None:
        """What is on its way may go on now."""
        self._parts = deque((0.0, data) for _, data in self._parts)
        self._free_at = 0.0

    def drop(self) -> None:
        """Forget what is on its way."""
        self._parts.clear()
        self._size = 0

    def _corrupted(self, data: bytes) -> bytes:
        # Counted from byte to byte, so that it is the same however they come.
        if self._corruption != self._faults.corruption:
            self._corruption = self._faults.corruption
            self._gap = self._draw_gap()
        if not self._corruption:
            return data
        damaged = bytearray(data)
        while self._gap < len(data):
            damaged[self._gap] ^= 1 << self._random.randrange(8)
            self._gap += 1 + self._draw_gap()
        self._gap -= len(data)
        return bytes(damaged)

    def _draw_gap(self) -> int:
        if not 0.0 < self._corruption < 1.0:
            return 0
        return int(math.log(1.0 - self._random.random()) / math.log1p(-self._corruption))


class State(enum.Enum):
    """Where a connection is in its life."""

    CONNECTING = enum.auto()
    OPEN = enum.auto()
    HALF_OPEN = enum.auto()  # all that comes is swallowed
    ENDING = enum.auto()  # both ends have got FIN, and what they still send is thrown away
    OVER = enum.auto()


class Connection:
    """A client, and its connection to the target.

    Args:
        client: The client's socket.
        target: That to the target, which connects; None if it is to be half open from the beginning.
        faults: Those of the two directions.
        seed: For the bits that are corrupted.
    """

    def __init__(self, client: socket.socket, target: socket.socket | None, faults: dict[Direction, Faults], seed: str) -> None:
        self.state = State.HALF_OPEN if target is None else State.CONNECTING
        self._client = End(client)
        self._ends = [self._client]
        self.pipes: dict[Direction, Pipe] = {}
        self.swallowed = 0
        if target is not None:
            self._target = End(target)
            self._target.full = True  # until it is connected
            self._ends.append(self._target)
            self.pipes["up"] = Pipe(self._client, self._target, faults["up"], f"{seed} up")
            self.pipes["down"] = Pipe(self._target, self._client, faults["down"], f"{seed} down")

    def interests(self) -> list[tuple[End, int]]:
        """What poll() is to watch; nothing that would wake it for nothing."""
        if self.state is State.CONNECTING:
            return [(self._target, select.POLLOUT)]
        if self.state is not State.OPEN:
            return [(end, select.POLLIN) for end in self._ends if not end.ended]
        events = dict.fromkeys(self._ends, 0)
        for pipe in self.pipes.values():
            if pipe.reads:
                events[pipe.source] |= select.POLLIN
            if pipe.sink.full:
                events[pipe.sink] |= select.POLLOUT
        return [(end, mask) for end, mask in events.items() if mask]

    @property
    def due(self) -> float:
        """When there is something to do without any news from poll()."""
        if self.state is not State.OPEN:
            return math.inf
        return min(math.inf if pipe.sink.full else pipe.due for pipe in self.pipes.values())

    def step(self, now: float, budget: Callable[[Direction], int | None], passed: Callable[[Direction, int], None]) -> None:
        """Do all that can be done.

        Args:
            now: ``time.monotonic()``.
            budget: How many bytes may pass in a direction; None is any number.
            passed: Told how many have.
        """
        try:
            if self.state is State.CONNECTING and not self._target.full:
                self._connected()
            if self.state is State.OPEN:
                self._pass_on(now, budget, passed)
            elif self.state in (State.HALF_OPEN, State.ENDING):
                self._throw_away()
        except OSError:
            self.reset()

    def _connected(self) -> None:
        error = self._target.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))
        self.state = State.OPEN

    def _pass_on(self, now: float, budget: Callable[[Direction], int | None], passed: Callable[[Direction, int], None]) -> None:
        for direction, pipe in self.pipes.items():
            if self.state is State.OPEN and pipe.source.readable and pipe.reads:
                pipe.read(now)
            if self.state is State.OPEN and (count := pipe.write(now, budget(direction))):
                passed(direction, count)  # whereupon everything may have changed
        if self.state is State.OPEN and all(pipe.finished for pipe in self.pipes.values()):
            self.close()

    def _throw_away(self) -> None:
        for end in self._ends:
            if not end.ended and end.readable:
                try:
                    self.swallowed += len(end.read() or b"")
                except OSError:
                    end.ended = True
        if all(end.ended for end in self._ends):
            self.close()

    # --- Ends

    def go_half_open(self) -> None:
        """Swallow all that comes from now on."""
        if self.state in (State.CONNECTING, State.OPEN):
            self.state = State.HALF_OPEN
            for pipe in self.pipes.values():
                pipe.drop()

    def cut(self) -> None:
        """End it with FIN in both directions; what is on its way is lost."""
        if self.state is not State.OVER:
            self.state = State.ENDING
            for end in self._ends:
                # Closing it with something unread would send RST.
                end.finish()

    def reset(self) -> None:
        """End it with RST in both directions."""
        if self.state is not State.OVER:
            self.state = State.OVER
            for end in self._ends:
                end.reset()

    def close(self) -> None:
        """Close both sockets."""
        self.state = State.OVER
        for end in self._ends:
            end.sock.close()
