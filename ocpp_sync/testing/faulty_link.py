"""A TCP proxy with faults, between a charge point and its CSMS."""

from __future__ import annotations

import math
import random
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .link_script import Counters, LinkScript, LinkStep, random_fault
from .pipes import DIRECTIONS, Connection, Direction, Faults, State
from .reserved_port import reserve_port

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from .pipes import End

__all__ = ["FaultyLink"]

_HOST = "127.0.0.1"
_BACKLOG = 128
_PORTS = {"ws": 80, "wss": 443}


class FaultyLink:
    """A TCP proxy on this machine whose faults a test chooses; it passes bytes on, so TLS goes through as it is.

    ::

        with FaultyLink(csms.url) as link:
            client = OcppClient("CP1111").connect(link.url)
            link.half_open()

    A fault holds from the moment its method returns, until :meth:`heal`. The methods may be called from any thread, and in a script.
    ``"up"`` is the direction from the client to the target, ``"down"`` the other one, None both.

    Args:
        target: What it leads to: a port of this machine, host and port, or a URL, ``ws://…`` or ``wss://…``.
        port: The port of 127.0.0.1 that it listens at; 0 picks a free one, which it keeps.
        seed: For all that is random.

    Attributes:
        port: The port that it listens at.
        url: As the target's, but for host and port; it is ``localhost`` where the target's is, so that certificates fit, else 127.0.0.1.

    Raises:
        ValueError: The target is none.
        OSError: Its name is not known, or the port is taken.
    """

    def __init__(self, target: int | tuple[str, int] | str, *, port: int = 0, seed: int = 0) -> None:
        scheme, host, target_port, path = _parsed(target)
        # IPv4 first: what listens at one of localhost's two addresses only, listens there.
        found = sorted(socket.getaddrinfo(host, target_port, type=socket.SOCK_STREAM), key=lambda each: each[0] != socket.AF_INET)
        self._family, self._address = found[0][0], found[0][4]
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311
        self._faults: dict[Direction, Faults] = {direction: Faults() for direction in DIRECTIONS}
        self._half_open = False
        self._links: list[Connection] = []
        self._listener: socket.socket | None = None
        self._commands: deque[tuple[Callable[[], None], threading.Event]] = deque()
        self._changed = threading.Condition()  # guards the counters and the queue of commands
        self._closed = False
        self._counters = Counters()
        self._script = LinkScript(self, self._counters)
        with ExitStack() as undo:
            self._reserved = undo.enter_context(reserve_port(_HOST, port))
            self.port: int = self._reserved.getsockname()[1]
            self._listen()
            self._wake_up, self._woken = socket.socketpair()
            undo.pop_all()
        self._wake_up.setblocking(False)
        self._woken.setblocking(False)
        self.url = f"{scheme}://{'localhost' if host == 'localhost' else _HOST}:{self.port}{path}"
        self._thread = threading.Thread(target=self._run, name=f"faulty-link :{self.port}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End all connections, and the thread; twice does not hurt."""
        with self._changed:
            self._closed = True
        self._wake()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<FaultyLink {self.url}, {self.open_connections} open, {self.bytes_up} bytes up, {self.bytes_down} down>"

    # --- Faults

    def cut(self) -> None:
        """End all connections with FIN at both ends; what is on its way is lost."""
        self._do(lambda: self._each(Connection.cut))

    def reset(self) -> None:
        """End all connections with RST at both ends; what is on its way is lost."""
        self._do(lambda: self._each(Connection.reset))

    def refuse(self) -> None:
        """Refuse new connections, as if nobody listened; those that are there stay."""
        self._do(self._unlisten)

    def half_open(self) -> None:
        """Swallow all that comes, at both ends, while the connections look alive; new ones do not even reach the target.

        :meth:`heal` makes new connections work. The half-open ones stay so: they end with :meth:`cut` or :meth:`reset`, or when both
        ends have given them up.
        """
        self._do(self._go_half_open)

    def stall(self, direction: Direction | None = None) -> None:
        """Read nothing, so that the sender is slowed down by TCP; what is on its way waits, and goes on after :meth:`heal`."""
        self._set("stalled", True, direction)

    def delay(self, seconds: float, direction: Direction | None = None) -> None:
        """Pass on later what comes from now on; 0 is at once."""
        self._set("delay", _positive(seconds, or_zero=True), direction)

    def throttle(self, bytes_per_second: float, direction: Direction | None = None) -> None:
        """Pass on no more than this, in each connection."""
        self._set("rate", _positive(bytes_per_second), direction)

    def split(self, size: int, direction: Direction | None = None) -> None:
        """Pass on in pieces of at most ``size`` bytes, each a TCP segment of its own; a receiver may still read several at once."""
        self._set("piece", int(_positive(size)), direction)

    def corrupt(self, rate: float, direction: Direction | None = None) -> None:
        """Flip a random bit in some bytes; which ones is the same for the same seed, number of the connection, and place in it.

        Args:
            rate: The probability for a byte, from 0 to 1.
            direction: Which direction.
        """
        if not 0 <= rate <= 1:
            raise ValueError(f"a rate is a probability, not {rate!r}")
        self._set("corruption", rate, direction)

    def heal(self) -> None:
        """End all faults: what was stalled, delayed or throttled goes on at once, and new connections get through."""
        self._do(self._heal)

    # --- Script

    def play(self, steps: Iterable[LinkStep]) -> None:
        """Take steps, one after the other, each as soon as its conditions hold; instead of the script that is playing, if one is."""
        script = list(steps)
        self._do(lambda: self._script.begin(script))

    def wait_played(self, timeout: float = 10.0) -> None:
        """Wait until all steps have been taken.

        Raises:
            TimeoutError: They were not within ``timeout`` seconds; the text names the one that is next.
            Exception: What a function of the script raised, which ended it.
        """
        script = self._script
        self._wait(lambda: not script.left, timeout, lambda: f"{len(script.left)} steps have not been taken; next: {script.left[:1]}")
        if script.error is not None:
            raise script.error

    def random_steps(self, count: int, *, within: int = 4096) -> list[LinkStep]:
        """Make a script of random faults that do not change what is said: cut, reset, refuse, half open, stall, delay, split, throttle.

        The same seed makes the same script. Each fault but the first two is healed within 0.2 seconds, a half-open connection is reset
        then.

        Args:
            count: How many faults.
            within: How many bytes pass at most between one fault and the next.
        """
        return [step for _ in range(count) for step in random_fault(self._random, within)]

    # --- Counters

    @property
    def connections(self) -> int:
        """How many connections have been made so far."""
        return self._counters.connections

    @property
    def bytes_up(self) -> int:
        """How many bytes have been passed on from clients to the target."""
        return self._counters.bytes["up"]

    @property
    def bytes_down(self) -> int:
        """How many bytes have been passed on from the target to clients."""
        return self._counters.bytes["down"]

    @property
    def bytes_swallowed(self) -> int:
        """How many bytes went into half-open connections, or came after a cut."""
        return self._counters.swallowed

    @property
    def open_connections(self) -> int:
        """How many connections there are now, half-open ones included."""
        return sum(link.state in (State.CONNECTING, State.OPEN, State.HALF_OPEN) for link in list(self._links))

    def wait_for_connection(self, number: int = 1, timeout: float = 10.0) -> None:
        """Wait until so many connections have been made, since the beginning.

        Raises:
            TimeoutError: They were not within ``timeout`` seconds.
        """
        self._wait(lambda: self.connections >= number, timeout, lambda: f"{self.connections} of {number} connections were made")

    def wait_until(self, condition: Callable[[FaultyLink], bool], timeout: float = 10.0) -> None:
        """Wait until a function of the link is true; it is asked when something has passed, come or gone.

        Args:
            condition: For example ``lambda link: link.bytes_up > 500``. It must not wait.
            timeout: Seconds.

        Raises:
            TimeoutError: It has not become true in time.
        """
        self._wait(lambda: condition(self), timeout, lambda: f"the condition has not become true: {self!r}")

    def _wait(self, condition: Callable[[], bool], timeout: float, what: Callable[[], str]) -> None:
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                raise TimeoutError(f"within {timeout:g} s {what()}")

    # --- From another thread into that of the link

    def _do(self, function: Callable[[], None]) -> None:
        """Call a function in the link's thread, to which all sockets belong, and wait for it."""
        if threading.current_thread() is self._thread:
            function()
            return
        done = threading.Event()
        errors: list[Exception] = []

        def attempt() -> None:
            try:
                function()
            except Exception as error:  # it is the caller's, and must not end the thread
                errors.append(error)

        with self._changed:
            if self._closed:
                raise RuntimeError("the link is closed")
            self._commands.append((attempt, done))
        self._wake()
        done.wait()
        if errors:
            raise errors[0]

    def _wake(self) -> None:
        with suppress(OSError):  # it is full, or closed
            self._wake_up.send(b"\0")

    def _set(self, fault: str, value: float, direction: Direction | None) -> None:
        if direction not in (None, *DIRECTIONS):
            raise ValueError(f"a direction is 'up', 'down' or None, not {direction!r}")
        chosen = DIRECTIONS if direction is None else (direction,)

        def set_fault() -> None:
            for each in chosen:
                setattr(self._faults[each], fault, value)

        self._do(set_fault)

    # --- The thread of the link

    def _run(self) -> None:
        try:
            while not self._closed:
                self._turn()
        finally:
            with self._changed:
                self._closed = True
                commands = list(self._commands)
            self._each(Connection.close)
            self._unlisten()
            for sock in (self._reserved, self._wake_up, self._woken):
                sock.close()
            for _, done in commands:
                done.set()

    def _turn(self) -> None:
        """Wait until there is something to do, and do it."""
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        if self._listener is not None:
            poll.register(self._listener, select.POLLIN)
        ends: dict[int, End] = {}
        for link in self._links:
            for end, events in link.interests():
                ends[end.sock.fileno()] = end
                poll.register(end.sock, events)
        due = min([self._script.due, *(link.due for link in self._links)])
        for descriptor, events in poll.poll(None if due == math.inf else max(0.0, due - time.monotonic()) * 1000):
            if descriptor in ends:
                ends[descriptor].notice(events)
        with suppress(BlockingIOError):
            self._woken.recv(4096)
        while self._commands:
            function, done = self._commands.popleft()
            function()
            done.set()
        self._accept()
        self._play_on()
        for link in list(self._links):
            link.step(time.monotonic(), self._script.budget, self._passed)
        self._forget()

    def _accept(self) -> None:
        while self._listener is not None:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # there is no more
            target = None if self._half_open else socket.socket(self._family, socket.SOCK_STREAM)
            if target is not None:
                target.setblocking(False)
                target.connect_ex(self._address)  # what comes of it, poll() tells
            self._links.append(Connection(client, target, self._faults, f"{self._seed} {self._counters.connections}"))
            with self._changed:
                self._counters.connections += 1
                self._changed.notify_all()

    def _passed(self, direction: Direction, count: int) -> None:
        with self._changed:
            self._counters.bytes[direction] += count
            self._changed.notify_all()
        self._play_on()

    def _play_on(self) -> None:
        self._script.play_on()
        with self._changed:
            self._changed.notify_all()

    def _forget(self) -> None:
        """Forget connections that are over."""
        with self._changed:
            for link in self._links:
                self._counters.swallowed += link.swallowed
                link.swallowed = 0
            self._links = [link for link in self._links if link.state is not State.OVER]
            self._changed.notify_all()

    def _each(self, function: Callable[[Connection], None]) -> None:
        for link in self._links:
            function(link)
        self._forget()

    def _listen(self) -> None:
        if self._listener is None:
            self._listener = socket.create_server((_HOST, self.port), backlog=_BACKLOG)
            self._listener.setblocking(False)

    def _unlisten(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _go_half_open(self) -> None:
        self._half_open = True
        self._each(Connection.go_half_open)

    def _heal(self) -> None:
        self._half_open = False
        for faults in self._faults.values():
            faults.heal()
        for link in self._links:
            for pipe in link.pipes.values():
                pipe.heal()
        self._listen()


def _parsed(target: int | tuple[str, int] | str) -> tuple[str, str, int, str]:
    """Scheme, host, port and path of a target."""
    if isinstance(target, int):
        return "ws", _HOST, target, ""
    if isinstance(target, tuple):
        return "ws", *target, ""
    parts = urlsplit(target)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"a target is a port, a host and port, or a URL such as ws://host:9220/ocpp, not {target!r}")
    return parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme], parts.path + (f"?{parts.query}" if parts.query else "")


def _positive(number: float, *, or_zero: bool = False) -> float:
    # "not >", so that NaN is refused too.
    if not (number > 0 or (or_zero and number == 0)):
        raise ValueError(f"{number!r} is not above zero")
    return number
