"""A call's round trip: the client calls, one after the other, and both ends validate.

Only one end of an exchange is at work at a time, so both are pinned to one core: to wake another that sleeps takes a virtual machine
longer than the exchange itself, which is nothing of a library's.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import time
from functools import partial

from benchmarks.common import CLIENT, Bench, Child, shuffled
from benchmarks.goals import Goal, Report, Result, median, ratios
from benchmarks.ours import say

ROUNDS = 15
CALLS = 300  # a round
WARM_UP = 100
ARMS: dict[str, tuple[str, ...]] = {"ours": (), "peer": (), "tuned": ("tuned",)}
TIMES = partial(Goal, at_least=True, unit=" ×")
GOALS = {
    ("Heartbeat", "plain"): TIMES(12, 20),
    ("MeterValues", "plain"): TIMES(14, 25),
    ("Heartbeat", "TLS"): TIMES(6, 12),
    ("MeterValues", "TLS"): TIMES(6.5, 12),
}


def measure(bench: Bench) -> Report:
    """All four kinds of calls, and what the system takes for as many bytes."""
    report = Report()
    report.details += ["| call | by | raw TCP, µs | ours, µs | peer's, µs | tuned, µs |", "| --- | --- | ---: | ---: | ---: | ---: |"]
    for security in ("plain", "TLS"):
        with contextlib.ExitStack() as stack:
            arms = {name: _arm(stack, bench, name, security == "TLS") for name in ARMS}
            arms["raw"] = _raw_arm(stack, bench)
            for action in ("Heartbeat", "MeterValues"):
                times = rounds(bench, arms, action)
                medians = {name: median(values, 1e6) for name, values in times.items()}
                by = ", TLS" if security == "TLS" else ""
                report.results.append(
                    Result(
                        f'`call("{action}")`{by}',
                        GOALS[action, security],
                        ratios(times["peer"], times["ours"]),
                        f"{medians['ours']} µs",
                        f"{medians['peer']} µs",
                        ratios(times["tuned"], times["ours"]),
                    )
                )
                report.details.append(f"| {action} | {security} | {' | '.join(medians[name] for name in ('raw', *ARMS))} |")
    return report


def rounds(bench: Bench, arms: dict[str, Child], action: str) -> dict[str, list[float]]:
    """The seconds of a call in each round of each arm; the arms take turns in random order."""
    times: dict[str, list[float]] = {name: [] for name in arms}
    for arm in arms.values():
        arm.ask(action, bench.times(WARM_UP))
    for _ in range(bench.times(ROUNDS)):
        for name in shuffled(list(arms)):
            times[name].append(float(arms[name].ask(action, bench.times(CALLS))))
    return times


def _arm(stack: contextlib.ExitStack, bench: Bench, name: str, tls: bool) -> Child:
    side, flags = "ours" if name == "ours" else "peer", ARMS[name]
    _, port = stack.enter_context(bench.server(side, *flags, *(["tls"] if tls else []), core=CLIENT))
    return stack.enter_context(bench.client(side, port, *flags, tls=tls))


# --- Raw TCP, which is what no library can be faster than


def _raw_arm(stack: contextlib.ExitStack, bench: Bench) -> Child:
    server = stack.enter_context(bench.end("calls", "echo", core=CLIENT))
    return stack.enter_context(bench.end("calls", "ping", server.read(), core=CLIENT))


def echo() -> None:
    """Send back what one client sends."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        say(listening.getsockname()[1])
        with listening.accept()[0] as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while data := sock.recv(4096):
                sock.send(data)


def ping(port: str) -> None:
    """As ``call`` of the two sides: say the seconds of an exchange."""
    sizes = {"Heartbeat": 60, "MeterValues": 400}  # bytes
    with socket.create_connection(("127.0.0.1", int(port))) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(None)
        for line in sys.stdin:
            action, count = line.split()
            data = b"x" * sizes[action]
            started = time.perf_counter()
            for _ in range(int(count)):
                sock.send(data)
                sock.recv(4096)
            say((time.perf_counter() - started) / int(count))
