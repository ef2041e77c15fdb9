"""What charge points that behave well notice while a server is under attack: ``python -m benchmarks.attacks`` (Linux, three minutes).

Three processes: the server, with its limits as they are by default, compression and passwords; 20 charge points that call all the time, of
which some reconnect, and some come for the first time; and the attackers, all of them on 127.0.0.1 too.
"""

from __future__ import annotations

import base64
import json
import random
import select
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.common import environment, show
from ocpp_sync import OcppClient, OcppError, OcppServer, utcnow
from ocpp_sync.passwords import PasswordFile

STATIONS = [f"CP{number:03}" for number in range(20)]
NEWCOMERS = [f"NEW{number:03}" for number in range(40)]
ATTACKERS = [f"EVIL{number:02}" for number in range(20)]
VERSION = "2.0.1"
METER_VALUES = {"evseId": 1, "meterValue": [{"timestamp": "2026-01-01T00:00:00Z", "sampledValue": [{"value": 1.0}]}]}

PAUSE = 0.05  # seconds of a charge point between its calls
BASELINE = 2.0  # seconds
SLOW_CONNECTIONS = 500
GUESSES, GUESSERS, GUESS_PATIENCE = 10_000, 200, 0.5  # the last in seconds
PATIENCE = 60.0  # seconds for anything that must end


def password(identity: str) -> str:
    """The right one."""
    return f"secret-password-of-{identity}"


# --- The server's process


def serve(passwords: str) -> None:
    """Serve until the standard input ends."""
    with OcppServer(compression=True) as server:
        server.on("authorization", PasswordFile(passwords))
        server.on("Heartbeat", lambda charge_point, request: {"currentTime": utcnow()})
        server.on("MeterValues", lambda charge_point, request: {})
        server.listen(0, "127.0.0.1")
        show(str(server.port))
        sys.stdin.read()


# --- The process of the charge points that behave well


class Tally:
    """What they have seen since they were last asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lists: dict[str, list[Any]] = {}

    def add(self, name: str, value: Any) -> None:
        """Note something."""
        with self._lock:
            self._lists.setdefault(name, []).append(value)

    def take(self) -> dict[str, list[Any]]:
        """All of it, and begin anew."""
        with self._lock:
            taken, self._lists = self._lists, {}
        return taken

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Note how long something takes, or that it fails."""
        started = time.perf_counter()
        try:
            yield
        except OcppError as error:
            self.add("failures", f"{name}: {error!r}")
        else:
            self.add(name, time.perf_counter() - started)


def behave_well(url: str) -> None:
    """Call all the time, and answer each line of the standard input with what has happened since the last one."""
    tally, over, ready = Tally(), threading.Event(), threading.Barrier(len(STATIONS) + 1)

    def station(number: int, identity: str) -> None:
        with OcppClient(identity, version=VERSION, password=password(identity)) as client:
            client.connect(url)
            client.call("Heartbeat")
            ready.wait(PATIENCE)
            calls = 0
            while not over.wait(PAUSE):
                calls += 1
                if number % 4 == 0 and calls % 25 == 0:
                    client.close()
                    with tally.timed("reconnects"):
                        client.connect(url)
                with tally.timed("calls"):
                    client.call("Heartbeat") if calls % 2 else client.call("MeterValues", METER_VALUES)

    def newcomers() -> None:
        for identity in NEWCOMERS:
            if over.wait(3.0):
                return
            with OcppClient(identity, version=VERSION, password=password(identity)) as client:
                with tally.timed("newcomers"):
                    client.connect(url)
                with tally.timed("calls"):
                    client.call("Heartbeat")

    threads = [threading.Thread(target=station, args=each) for each in enumerate(STATIONS)] + [threading.Thread(target=newcomers)]
    for thread in threads:
        thread.start()
    ready.wait(PATIENCE)
    for _ in sys.stdin:
        show(json.dumps(tally.take()))
    over.set()
    for thread in threads:
        thread.join()


# --- The attackers


class Target(NamedTuple):
    """Where the server is."""

    port: int
    pid: int

    def connect(self, *, buffer_for_answers: bool = True) -> socket.socket:
        """A plain connection."""
        sock = socket.socket()
        sock.settimeout(PATIENCE)
        if not buffer_for_answers:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the kernel takes the least that it can
        sock.connect(("127.0.0.1", self.port))
        return sock

    def keeps(self, sock: socket.socket) -> bool:
        """Whether the server's end of a connection is open."""
        ends = [f"0100007F:{port:04X}" for port in (self.port, sock.getsockname()[1])]
        return any(line.split()[1:4] == [*ends, "01"] for line in Path("/proc/net/tcp").read_text().splitlines())

    def upgrade(self, identity: str, *, extensions: str = "", buffer_for_answers: bool = True) -> socket.socket:
        """A WebSocket, with the right password."""
        sock = self.connect(buffer_for_answers=buffer_for_answers)
        sock.sendall(request(identity, password(identity), extensions))
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = sock.recv(1)
            if not byte:
                raise ConnectionError("no answer")
            head += byte
        if b" 101 " not in head:
            raise ConnectionError(head.decode("latin-1"))
        return sock


def request(identity: str, secret: str, extensions: str = "") -> bytes:
    """The HTTP request of a charge point."""
    credentials = base64.b64encode(f"{identity}:{secret}".encode()).decode()
    fields = {
        "Host": "127.0.0.1",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": f"ocpp{VERSION}",
        "Authorization": f"Basic {credentials}",
        "Sec-WebSocket-Extensions": extensions,
    }
    return "\r\n".join([f"GET /{identity} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items() if value), "", ""]).encode()


def frame(payload: bytes, opcode: int = 1, *, flags: int = 0x80, masked: bool = True) -> bytes:
    """A frame; a mask of zeros leaves its payload as it is."""
    mask_bit, key = (0x80, bytes(4)) if masked else (0, b"")
    size = len(payload)
    if size < 126:
        return bytes([flags | opcode, mask_bit | size]) + key + payload
    if size < 1 << 16:
        return struct.pack("!BBH", flags | opcode, mask_bit | 126, size) + key + payload
    return struct.pack("!BBQ", flags | opcode, mask_bit | 127, size) + key + payload


def ending(sock: socket.socket) -> str:
    """Read until the server ends the connection: how it did."""
    received = bytearray()
    try:
        while data := sock.recv(1 << 16):
            received += data
            while (size := _frame_size(received)) <= len(received):
                if received[0] & 0xF == 8:
                    return f"close {struct.unpack('!H', received[2:4])[0]}"
                del received[:size]
    except TimeoutError:
        return "left open"
    except OSError:
        return "reset"
    return "cut"


def _frame_size(data: bytearray) -> int:
    if len(data) < 10:
        return 2 + data[1] if len(data) >= 2 and data[1] < 126 else 1 << 62
    length, start = (data[1], 2) if data[1] < 126 else (int.from_bytes(data[2:4], "big"), 4)
    if data[1] == 127:
        length, start = int.from_bytes(data[2:10], "big"), 10
    return start + length


def in_threads(function: Callable[..., str], arguments: list[Any]) -> Counter[str]:
    """Run a function with each argument in a thread of its own: how often it returned what."""
    outcomes: Counter[str] = Counter()
    lock = threading.Lock()

    def run(argument: Any) -> None:
        try:
            outcome = function(argument)
        except OSError as error:
            outcome = f"{type(error).__name__}"
        with lock:
            outcomes[outcome] += 1

    threads = [threading.Thread(target=run, args=(argument,)) for argument in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def slow_headers(target: Target) -> Counter[str]:
    """Each connection sends a byte of its request every half second."""
    return _hold(target, lambda sock, sent: sock.send(request("CP000", "x" * 16)[sent : sent + 1]))


def silence(target: Target) -> Counter[str]:
    """Connections that say nothing."""
    return _hold(target, lambda sock, sent: None)


def _hold(target: Target, act: Callable[[socket.socket, int], object]) -> Counter[str]:
    opened = {sock: time.monotonic() for sock in (target.connect() for _ in range(SLOW_CONNECTIONS))}
    outcomes: Counter[str] = Counter()
    sent, stop = 0, time.monotonic() + PATIENCE
    poller = select.poll()
    by_number = {sock.fileno(): sock for sock in opened}
    for number in by_number:
        poller.register(number, select.POLLIN)
    while opened and time.monotonic() < stop:
        for number, _ in poller.poll(500):
            poller.unregister(number)
            sock = by_number[number]
            outcomes[f"{ending(sock)} after {time.monotonic() - opened.pop(sock):.0f} s"] += 1
            sock.close()
        for sock in opened:
            try:
                act(sock, sent)
            except OSError:
                pass  # it is seen above
        sent += 1
    for sock in opened:
        outcomes["left open"] += 1
        sock.close()
    return outcomes


def never_read(target: Target) -> Counter[str]:
    """Each sends pings and calls, whose answers it does not read, until the server takes no more; then it waits."""

    def flood(identity: str) -> str:
        with target.upgrade(identity, buffer_for_answers=False) as sock:
            started = time.monotonic()
            burst = unsent = frame(b"x" * 125, 9) * 100 + frame(b'[2,"1","NoSuchAction",{}]') * 10
            sock.settimeout(1.0)
            while time.monotonic() < started + PATIENCE:
                try:
                    unsent = unsent[sock.send(unsent) :] or burst
                except TimeoutError:
                    if not target.keeps(sock):
                        break  # but the kernel still tries to send us what is left
                except OSError:
                    break
            else:
                return "left open"
            return f"cut after {time.monotonic() - started:.0f} s"

    return in_threads(flood, ATTACKERS[:3])


BAD_FRAMES = {
    "bad JSON": frame(b'[2,"1",') * 150,
    "bad UTF-8": frame(b"\xff\xfe"),
    "bad opcode": frame(b"x", 3),
    "no mask": frame(b"[]", masked=False),
    "binary": frame(b"[]", 2),
    "long ping": frame(b"x" * 126, 9),
}


def bad_frames(target: Target) -> Counter[str]:
    """Each sends one kind of bad frame after the other, and connects again when it is thrown out, for ten seconds."""
    outcomes: Counter[str] = Counter()
    stop = time.monotonic() + 10.0

    def attack(identity: str) -> str:
        while time.monotonic() < stop:
            for name, data in BAD_FRAMES.items():
                with target.upgrade(identity) as sock:
                    try:
                        sock.sendall(data)
                    except OSError:
                        pass  # it is thrown out already
                    outcomes[f"{name}: {ending(sock)}"] += 1
        return ""

    in_threads(attack, ATTACKERS)
    return outcomes


def bomb(size: int) -> bytes:
    """A compressed message that is a hundred times as long when it is inflated."""
    chance = random.Random(1)  # noqa: S311 (no secret)
    plain = b"".join(chance.randbytes(8).hex().encode()[:9] + b" " * 900 for _ in range(size // 909))
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (deflate.compress(b'[2,"1","' + plain) + deflate.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")


def bombs(target: Target) -> Counter[str]:
    """Each sends ten of them, one after the other: 64 MiB when inflated."""
    size = 64 * 1024 * 1024
    data = bomb(size)
    outcomes: Counter[str] = Counter()

    def attack(identity: str) -> str:
        for _ in range(10):
            with target.upgrade(identity, extensions="permessage-deflate") as sock:
                try:
                    sock.sendall(frame(data, flags=0xC0))
                except OSError:
                    pass
                outcomes[f"{size // len(data)}:1: {ending(sock)}"] += 1
        return ""

    in_threads(attack, ATTACKERS)
    return outcomes


def nesting(target: Target) -> Counter[str]:
    """Each sends ten messages of 100,000 nested brackets."""
    data = frame(b"[" * 100_000 + b"]" * 100_000)
    outcomes: Counter[str] = Counter()

    def attack(identity: str) -> str:
        with target.upgrade(identity) as sock:
            for _ in range(10):
                sock.sendall(data)
                outcomes["CALLERROR" if sock.recv(1 << 16)[2:].startswith(b'[4,"-1","RpcFrameworkError"') else "another answer"] += 1
        return ""

    in_threads(attack, ATTACKERS)
    return outcomes


def guesses(target: Target) -> Counter[str]:
    """10,000 wrong passwords, 200 at a time, for the charge points that are there; who gets no answer soon goes on to the next."""
    outcomes: Counter[str] = Counter()
    lock = threading.Lock()

    def guess(guesser: int) -> str:
        for number in range(guesser, GUESSES, GUESSERS):
            with target.connect() as sock:
                sock.sendall(request(STATIONS[number % len(STATIONS)], f"wrong-password-{number:05}"))
                sock.settimeout(GUESS_PATIENCE)
                try:
                    outcome = sock.recv(1 << 16)[9:12].decode() or "cut"
                except TimeoutError:
                    outcome = "no answer yet"
            with lock:
                outcomes[outcome] += 1
        return ""

    failed = in_threads(guess, list(range(GUESSERS)))
    failed.pop("", None)
    return outcomes + failed


ATTACKS = {
    f"{SLOW_CONNECTIONS} slow headers": slow_headers,
    f"{SLOW_CONNECTIONS} silent": silence,
    "3 that never read": never_read,
    "bad frames, from 20": bad_frames,
    "200 compression bombs": bombs,
    "200 times 100,000 brackets": nesting,
    f"{GUESSES} wrong passwords, {GUESSERS} at a time": guesses,
}


# --- Measuring


class Watch:
    """Memory and threads of a process, looked at all the time."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._peaks = self.now()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def now(self) -> tuple[int, int]:
        """Resident KiB, and threads."""
        fields = dict(line.split(":", 1) for line in self._status.read_text().splitlines())
        return int(fields["VmRSS"].split()[0]), int(fields["Threads"])

    def _run(self) -> None:
        while not self._over.wait(0.02):
            memory, threads = self.now()
            self._peaks = max(self._peaks[0], memory), max(self._peaks[1], threads)

    def take_peaks(self) -> tuple[int, int]:
        """The highest since the last time."""
        peaks, self._peaks = self._peaks, self.now()
        return peaks

    def wait_for(self, threads: int) -> None:
        """Wait until there are no more threads than that."""
        stop = time.monotonic() + PATIENCE
        while self.now()[1] > threads and time.monotonic() < stop:
            time.sleep(0.1)

    def close(self) -> None:
        """End."""
        self._over.set()
        self._thread.join()


@contextmanager
def process(*arguments: str, log: Path) -> Iterator[subprocess.Popen[str]]:
    """This program in another role, which ends with its standard input."""
    command = [sys.executable, "-m", "benchmarks.attacks", *arguments]
    with (
        log.open("w") as errors,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True) as child,  # noqa: S603
    ):
        try:
            yield child
        finally:
            assert child.stdin is not None
            child.stdin.close()


def ask(child: subprocess.Popen[str]) -> dict[str, list[Any]]:
    """What the charge points have seen."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write("\n")
    child.stdin.flush()
    answer: dict[str, list[Any]] = json.loads(child.stdout.readline())
    return answer


def _latency(seen: dict[str, list[Any]]) -> tuple[str, str]:
    calls = seen["calls"]
    return f"{statistics.median(calls) * 1000:.1f}", f"{statistics.quantiles(calls, n=100)[98] * 1000:.0f}"


def _connects(seen: dict[str, list[Any]], name: str) -> str:
    times = seen.get(name, [])
    return f"{len(times)}, {max(times):.2f} s" if times else "0"


def measure(target: Target, stations: subprocess.Popen[str], log: Path) -> None:
    """Attack after attack."""
    show("| attack | calls | failures | median ms | p99 ms | RSS MiB | threads | reconnects, slowest | newcomers, slowest |")
    show("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    watch = Watch(target.pid)
    refusals: dict[str, Counter[str]] = {}
    logged: dict[str, int] = {}
    failures: list[str] = []
    for name, attack in ATTACKS.items():
        ask(stations)
        time.sleep(BASELINE)
        before, (rss, threads) = ask(stations), watch.now()
        watch.take_peaks()
        size = log.stat().st_size
        refusals[name] = attack(target)
        during, (peak_rss, peak_threads) = ask(stations), watch.take_peaks()
        watch.wait_for(threads + 4)  # some may just be reconnecting
        rss_after, threads_after = watch.now()
        logged[name] = log.stat().st_size - size
        after = ask(stations)
        failed = during.get("failures", []) + after.get("failures", [])
        failures += failed
        (median, p99), (median_during, p99_during) = _latency(before), _latency(during)
        memory = " / ".join(f"{kib / 1024:.0f}" for kib in (rss, peak_rss, rss_after))
        show(
            f"| {name} | {len(during['calls'])} | {len(failed)} | {median} → {median_during} | {p99} → {p99_during} | {memory}"
            f" | {threads} / {peak_threads} / {threads_after} | {_connects(during, 'reconnects')} | {_connects(during, 'newcomers')} |"
        )
    watch.close()
    show("\n| attack | how it was refused (how often) | log KiB |\n| --- | --- | ---: |")
    for name, outcomes in refusals.items():
        show(f"| {name} | {', '.join(f'{what} ({count})' for what, count in sorted(outcomes.items()))} | {logged[name] / 1024:.0f} |")
    for failure in failures:
        show(f"failed: {failure}")


def main() -> None:
    """Start everything, and print the tables."""
    show(environment())
    show("Before → during the attack; memory and threads of the server before / at their highest / after it.\n")
    with tempfile.TemporaryDirectory() as directory:
        path = str(Path(directory) / "passwords")
        passwords = PasswordFile.create(path)
        for identity in STATIONS + NEWCOMERS + ATTACKERS:
            passwords.set(identity, password(identity))
        log = Path(directory) / "log"
        with process("server", path, log=log) as server:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            with process("stations", f"ws://127.0.0.1:{port}", log=Path(directory) / "log of the charge points") as stations:
                measure(Target(port, server.pid), stations, log)


if __name__ == "__main__":
    roles = {"server": serve, "stations": behave_well}
    roles[sys.argv[1]](sys.argv[2]) if len(sys.argv) > 1 else main()
