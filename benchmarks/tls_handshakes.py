"""What a TLS handshake costs, a full one and a resumed one: ``python -m benchmarks.tls_handshakes`` (half a minute).

Between the contexts of our own two ends, client and server in a process each, on 127.0.0.1, with an RSA-2048 certificate. The four kinds
take turns. A handshake ends when the server's first byte has come, with which TLS 1.3 has also brought the tickets.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common import machine, show
from ocpp_sync.cli import main as command
from ocpp_sync.tls import client_context, server_context

ROUNDS = 300
WARM_UP = 20
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
KINDS = [(version, resumed) for version in VERSIONS for resumed in (False, True)]
DOUBLE = 8  # bytes of the time that the server sends back


def serve(directory: str) -> None:
    """One handshake after the other; when one has ended, the connection carries the CPU time that it took here, in microseconds."""
    context = server_context(Path(directory) / "server.pem", Path(directory) / "server.key")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        show(str(listening.getsockname()[1]))
        while True:
            plain = listening.accept()[0]
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as both ends of ours do
            started = time.process_time()
            try:
                with context.wrap_socket(plain, server_side=True) as sock:
                    sock.send(b"x")
                    spent = time.process_time() - started
                    if not sock.recv(1):
                        return
                    sock.sendall(round(spent * 1e6).to_bytes(DOUBLE, "big"))
                    sock.recv(1)
            except OSError as error:
                show(f"the server failed: {error}")
                return


class Times(list[tuple[float, float, float]]):
    """Of each handshake: wall-clock, the client's CPU, the server's CPU, all in ms."""

    def medians(self) -> str:
        """As cells of a table."""
        return " | ".join(f"{statistics.median(column):.2f}" for column in zip(*self))  # noqa: B905 (three each)


def shake_hands(port: int, context: ssl.SSLContext, session: ssl.SSLSession | None, times: Times) -> ssl.SSLSession | None:
    """One handshake; the session of it."""
    plain = socket.create_connection(("127.0.0.1", port))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    started, cpu = time.perf_counter(), time.process_time()
    with context.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as sock:
        sock.recv(1)
        spent, wall = time.process_time() - cpu, time.perf_counter() - started
        if sock.session_reused is not (session is not None):
            raise RuntimeError("it was resumed, or not, against what was asked for")
        fresh = sock.session
        sock.send(b"x")
        server = int.from_bytes(sock.recv(DOUBLE), "big")
        times.append((wall * 1000, spent * 1000, server / 1000))
    return fresh


def measure(port: int, ca: Path) -> None:
    """All four kinds, in turns."""
    contexts, sessions = {}, {}
    for version, number in VERSIONS.items():
        contexts[version] = client_context(cafile=ca)
        contexts[version].minimum_version = contexts[version].maximum_version = number
        sessions[version] = shake_hands(port, contexts[version], None, Times())
    times = {kind: Times() for kind in KINDS}
    for _ in range(WARM_UP + ROUNDS):
        for version, resumed in KINDS:
            session = shake_hands(port, contexts[version], sessions[version] if resumed else None, times[version, resumed])
            if resumed:
                sessions[version] = session  # TLS 1.3 uses a ticket once
    show("| TLS | handshake | wall-clock ms | client CPU ms | server CPU ms |\n| --- | --- | ---: | ---: | ---: |")
    for version, resumed in KINDS:
        show(f"| {version} | {'resumed' if resumed else 'full'} | {Times(times[version, resumed][WARM_UP:]).medians()} |")


def main() -> None:
    """Make certificates, start the server, and print the table."""
    show(f"{machine()}, {ssl.OPENSSL_VERSION}")
    show(f"cryptography {importlib.metadata.version('cryptography')} made the certificates. Medians of {ROUNDS} handshakes each.\n")
    with tempfile.TemporaryDirectory() as directory:
        with contextlib.redirect_stdout(io.StringIO()):
            if command(["certs", directory]):
                raise SystemExit("no certificates")
        arguments = [sys.executable, "-m", "benchmarks.tls_handshakes", directory]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
            try:
                assert server.stdout is not None
                measure(int(server.stdout.readline()), Path(directory) / "ca.pem")
            finally:
                server.terminate()


if __name__ == "__main__":
    serve(sys.argv[1]) if len(sys.argv) > 1 else main()
