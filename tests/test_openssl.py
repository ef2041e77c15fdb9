"""Both ends against OpenSSL's own command, which a Debian machine has: what is negotiated, resumed, refused and survived."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import select
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import pytest

from ocpp_sync import HandshakeError, OcppServer, utcnow
from ocpp_sync.tls import client_context
from ocpp_sync.transport.tls_stream import TlsStream

from .pki import Pki, pki
from .support import TIMEOUT, Collector, in_thread
from .test_security import own
from .test_stream import Polling, polling
from .test_tls import SUITES
from .wire import header

__all__ = ["polling"]

Make = Callable[..., Any]

OPENSSL = shutil.which("openssl")

UPGRADE = (
    "GET /{} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ocpp2.0.1\r\n\r\n"
)


class Output:
    """What a process has written so far; a thread collects it."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._data = bytearray()
        self._over = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._collect, name="test openssl output", daemon=True)
        self._thread.start()

    def _collect(self) -> None:
        while chunk := self._pipe.read(1 << 16):
            with self._changed:
                self._data += chunk
                self._changed.notify_all()
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def __len__(self) -> int:
        with self._changed:
            return len(self._data)

    def wait_for(self, pattern: str | bytes) -> re.Match[bytes]:
        """Wait until the pattern is in what was written."""
        compiled = re.compile(pattern.encode() if isinstance(pattern, str) else pattern, re.DOTALL)
        deadline = time.monotonic() + TIMEOUT
        with self._changed:
            while (match := compiled.search(bytes(self._data))) is None:
                assert not self._over, f"{pattern!r} has not come: {self._data!r}"
                assert self._changed.wait(deadline - time.monotonic()), f"{pattern!r} does not come: {self._data!r}"
        return match

    def all(self) -> str:
        """Everything, once it has ended."""
        self._thread.join(TIMEOUT)
        assert not self._thread.is_alive()
        return self._data.decode(errors="replace")

    def close(self) -> None:
        self._thread.join(TIMEOUT)
        self._pipe.close()


class OpenSsl:
    """``openssl`` at work. It takes commands (``R``, ``K`` ...) where a piece of its input begins with that letter."""

    def __init__(self, *arguments: object) -> None:
        command = [str(OPENSSL), *map(str, arguments)]
        # Without the machine's settings, which may forbid old versions.
        environment = {**os.environ, "OPENSSL_CONF": os.devnull}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, env=environment
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._stdin = self._process.stdin
        self.out, self.err = Output(self._process.stdout), Output(self._process.stderr)

    def write(self, data: str | bytes) -> None:
        self._stdin.write(data.encode() if isinstance(data, str) else data)

    def exit_code(self) -> int:
        return self._process.wait(TIMEOUT)

    def close(self) -> None:
        self._process.kill()
        self._process.wait(TIMEOUT)
        self._stdin.close()
        self.out.close()
        self.err.close()


@pytest.fixture
def openssl() -> Iterator[Callable[..., OpenSsl]]:
    """Runs ``openssl`` with arguments; it is killed at the end."""
    if OPENSSL is None:
        pytest.fail("these tests need the command openssl, of Debian's package of that name")
    processes: list[OpenSsl] = []

    def run(*arguments: object) -> OpenSsl:
        processes.append(OpenSsl(*arguments))
        return processes[-1]

    yield run
    for process in processes:
        process.close()


# --- Our server, openssl s_client


@pytest.fixture
def serve(make_server: Make) -> Callable[..., OcppServer]:
    """Makes servers with an RSA and an ECDSA certificate."""

    def make(**options: Any) -> OcppServer:
        rsa, ecdsa = pki().server("RSA"), pki().server("ECDSA")
        server: OcppServer = make_server(listen=False)
        server.on("Heartbeat", lambda charge_point, request: {"currentTime": utcnow()})
        return server.listen(0, "127.0.0.1", certfile=[rsa.cert, ecdsa.cert], keyfile=[rsa.key, ecdsa.key], **options)

    return make


@pytest.fixture
def s_client(openssl: Callable[..., OpenSsl]) -> Callable[..., OpenSsl]:
    """Runs ``openssl s_client`` against a server; with -brief, nothing but data comes on ``out``."""

    def run(server: OcppServer, *arguments: object) -> OpenSsl:
        verify = ("-CAfile", pki().ca, "-verify_return_error", "-verify_ip", "127.0.0.1")
        return openssl("s_client", "-connect", f"127.0.0.1:{server.port}", *verify, *arguments)

    return run


Serve = Callable[..., OcppServer]
Run = Callable[..., OpenSsl]


def frame(message: list[Any], *, masked: bool) -> bytes:
    data = json.dumps(message).encode()
    return header(len(data), masked=masked) + data


def works(server: OcppServer, client: OpenSsl, identity: str = "CP1") -> None:
    """Both sides call and are answered; the ids are new ones each time."""
    number = os.urandom(8).hex()
    client.write(frame([2, number, "Heartbeat", {}], masked=True))
    client.out.wait_for(rf'\[3,"{number}",{{"currentTime":"[^"]+"}}\]')
    calling = in_thread(server.wait_for(identity, TIMEOUT).call, "GetLocalListVersion", {}, timeout=TIMEOUT)
    message_id = client.out.wait_for(rf'{number}.*\[2,"([^"]+)","GetLocalListVersion"').group(1).decode()
    client.write(frame([3, message_id, {"versionNumber": 7}], masked=True))
    assert calling.result() == {"versionNumber": 7}


def upgrade(client: OpenSsl, identity: str = "CP1") -> str:
    client.write(UPGRADE.format(identity))
    return client.out.wait_for("HTTP/1.1 101 .*?\r\n\r\n").group().decode()


@pytest.mark.parametrize("suite", SUITES)
def test_c4_each_suite_is_negotiated_with_a_client_that_has_no_other(suite: str, serve: Serve, s_client: Run) -> None:
    client = s_client(serve(), "-brief", "-tls1_2", "-cipher", suite)
    client.err.wait_for(f"Protocol version: TLSv1.2\r?\nCiphersuite: {suite}\r?\n.*Verification: OK")


@pytest.mark.parametrize("suite", ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"])
def test_c4_tls_1_3_is_negotiated(suite: str, serve: Serve, s_client: Run) -> None:
    client = s_client(serve(), "-brief", "-tls1_3", "-ciphersuites", suite)
    client.err.wait_for(f"Protocol version: TLSv1.3\r?\nCiphersuite: {suite}\r?\n.*Verification: OK")


REFUSED = {
    "TLS 1.0": (("-tls1", "-cipher", "ALL:@SECLEVEL=0"), "alert protocol version"),
    "TLS 1.1": (("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), "alert protocol version"),
    "foreign suite": (("-tls1_2", "-cipher", "ECDHE-RSA-AES256-GCM-SHA384"), "alert handshake failure"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_c3_an_old_version_or_foreign_suite_is_refused(what: str, serve: Serve, s_client: Run) -> None:
    arguments, alert = REFUSED[what]
    client = s_client(serve(), "-brief", *arguments)
    client.err.wait_for(alert)
    assert client.exit_code() == 1


@pytest.mark.parametrize(("identity", "status"), [("CP1", 101), ("", 404)])
def test_a_handwritten_upgrade_is_answered(identity: str, status: int, serve: Serve, s_client: Run) -> None:
    client = s_client(serve(), "-brief")
    client.write(UPGRADE.format(identity))
    head = client.out.wait_for("HTTP/1.1 .*?\r\n\r\n").group().decode()
    assert head.startswith(f"HTTP/1.1 {status} ")
    if identity:
        assert "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head  # RFC 6455, 1.3
        assert re.search("(?i)\r\nsec-websocket-protocol: ocpp2.0.1\r\n", head)
    else:
        assert client.exit_code() == 0


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_an_ocpp_conversation(version: str, serve: Serve, s_client: Run) -> None:
    server = serve()
    client = s_client(server, "-brief", version)
    upgrade(client)
    for _ in range(3):
        works(server, client)


@pytest.mark.parametrize("command", ["K", "k"])
def test_a_key_update_in_the_middle_of_a_conversation_is_survived(command: str, serve: Serve, s_client: Run) -> None:
    server = serve()
    client = s_client(server, "-brief", "-tls1_3")
    upgrade(client)
    works(server, client)
    for count in range(1, 6):
        client.write(f"{command}\n")  # K asks the server for new keys, too
        client.err.wait_for(f"(KEYUPDATE.*){{{count}}}")
        works(server, client)


def test_c3_renegotiation_is_refused(serve: Serve, s_client: Run) -> None:
    server = serve()
    client = s_client(server, "-brief", "-tls1_2")
    upgrade(client)
    works(server, client)
    client.write("R\n")
    client.err.wait_for("RENEGOTIATING.*no renegotiation")
    assert client.exit_code() == 1  # its own decision, the server has only said no
    again = s_client(server, "-brief", "-tls1_2")
    upgrade(again, "CP2")
    works(server, again, "CP2")


def certificate(identity: str = "CP1", ca: Pki | None = None) -> tuple[object, ...]:
    files = (ca or pki()).client(identity)
    return "-cert", files.cert, "-key", files.key


@pytest.mark.parametrize("profile", [2, 3])
def test_a_session_of_tls_1_2_is_resumed(profile: int, serve: Serve, s_client: Run) -> None:
    server = serve(client_ca=pki().ca if profile == 3 else None)
    client = s_client(server, "-tls1_2", "-reconnect", *(certificate() if profile == 3 else ()))
    client.out.wait_for("New, TLSv1.2.*(Reused, TLSv1.2.*){5}")


@pytest.mark.parametrize("profile", [2, 3])
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_saved_session_is_resumed(version: str, profile: int, serve: Serve, s_client: Run, tmp_path: Path) -> None:
    server = serve(client_ca=pki().ca if profile == 3 else None)
    arguments = (version, *(certificate() if profile == 3 else ()))
    saved = tmp_path / "session"
    first = s_client(server, *arguments, "-sess_out", saved)
    first.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert first.exit_code() == 0  # TLS 1.3 sends tickets after the handshake, but before the answer
    assert "\nNew, TLSv1." in first.out.all()
    second = s_client(server, *arguments, "-sess_in", saved)
    second.out.wait_for(r"\nReused, TLSv1\.")
    upgrade(second)
    works(server, second)
    assert (server["CP1"].request.peer_certificate is not None) == (profile == 3)


NO_CERTIFICATE = {
    ("none", "-tls1_2"): "alert handshake failure",
    ("none", "-tls1_3"): "alert certificate required",
    ("foreign", "-tls1_2"): "alert unknown ca",
    ("foreign", "-tls1_3"): "alert unknown ca",
}


@pytest.mark.parametrize(("which", "version"), NO_CERTIFICATE)
def test_c6_a_station_without_a_certificate_that_counts_is_refused(which: str, version: str, serve: Serve, s_client: Run) -> None:
    server = serve(client_ca=pki().ca)
    client = s_client(server, "-brief", version, *(certificate(ca=pki("other")) if which == "foreign" else ()))
    client.err.wait_for(NO_CERTIFICATE[which, version])
    assert client.exit_code() == 1
    good = s_client(server, "-brief", version, *certificate())
    upgrade(good)
    works(server, good)
    assert len(server.connections) == 1


def test_a_client_that_is_killed_is_gone(serve: Serve, s_client: Run) -> None:
    server = serve()
    client = s_client(server, "-brief")
    upgrade(client)
    works(server, client)
    gone = Collector()
    server.on("close", gone)
    client.close()
    assert gone.next()[0].identity == "CP1"


# --- Our client, openssl s_server


class Csms:
    """``openssl s_server``, whose answers a test types."""

    def __init__(self, process: OpenSsl) -> None:
        self.process = process
        port = process.out.wait_for(rb"ACCEPT \S+:(\d+)\n").group(1).decode()
        self.url = f"wss://127.0.0.1:{port}"

    def accept(self) -> None:
        """Answer the upgrade."""
        key = self.process.out.wait_for(rb"Sec-WebSocket-Key: (\S+)\r\n.*\r\n\r\n").group(1)
        token = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
        self.process.write(
            f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {token}\r\n"
            "Sec-WebSocket-Protocol: ocpp2.0.1\r\n\r\n"
        )

    def send(self, message: list[Any]) -> None:
        self.process.write(frame(message, masked=False))


@pytest.fixture
def s_server(openssl: Callable[..., OpenSsl]) -> Callable[..., Csms]:
    """Runs ``openssl s_server``."""

    def run(*arguments: object, ca: Pki | None = None) -> Csms:
        files = (ca or pki()).server()
        return Csms(openssl("s_server", "-accept", "127.0.0.1:0", "-cert", files.cert, "-key", files.key, *arguments))

    return run


def refused(make_client: Make, csms: Csms, **options: Any) -> HandshakeError:
    with pytest.raises(HandshakeError) as caught:
        make_client(**{"cafile": pki().ca, **options}).connect(csms.url, timeout=TIMEOUT)
    return caught.value


def test_c8_a_server_that_knows_no_websocket(s_server: Callable[..., Csms], make_client: Make) -> None:
    error = refused(make_client, s_server("-www"))
    assert (error.reason, error.status) == ("rejected", 200)


@pytest.mark.parametrize("answer", ["hello\r\n\r\n", "Q\n"])
def test_c8_a_server_that_speaks_no_http(answer: str, s_server: Callable[..., Csms], make_client: Make) -> None:
    csms = s_server()
    connecting = in_thread(refused, make_client, csms)
    csms.process.out.wait_for("Sec-WebSocket-Key: .*\r\n\r\n")
    csms.process.write(answer)  # Q quits
    error = connecting.result()
    assert (error.reason, error.status) == ("rejected", None)


def test_c8_a_server_that_says_nothing(s_server: Callable[..., Csms], make_client: Make) -> None:
    client = make_client(cafile=pki().ca)
    with pytest.raises(HandshakeError) as caught:
        client.connect(s_server().url, timeout=0.5)
    assert caught.value.reason == "timeout"


REASONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "TLS 1.0": ("tls-version", ("-tls1", "-cipher", "ALL:@SECLEVEL=0")),
    "TLS 1.1": ("tls-version", ("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")),
    "foreign suite of TLS 1.2": ("cipher", ("-tls1_2", "-cipher", "ECDHE-RSA-AES256-GCM-SHA384")),
    "foreign suite of TLS 1.3": ("cipher", ("-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_SHA256")),
}


@pytest.mark.parametrize("what", REASONS)
def test_c8_another_version_or_suite(what: str, s_server: Callable[..., Csms], make_client: Make) -> None:
    reason, arguments = REASONS[what]
    error = refused(make_client, s_server(*arguments))
    assert (error.reason, error.status) == (reason, None)


def test_c8_a_foreign_ca(s_server: Callable[..., Csms], make_client: Make) -> None:
    assert refused(make_client, s_server(ca=pki("other"))).reason == "unknown-ca"


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_c8_no_certificate_of_the_station(version: str, s_server: Callable[..., Csms], make_client: Make) -> None:
    csms = s_server(version, "-Verify", 3, "-verify_return_error", "-CAfile", pki().ca)
    assert refused(make_client, csms).reason == "client-certificate"


@pytest.mark.parametrize("ours", [True, False], ids=["our context", "one that allows it"])
def test_c3_a_renegotiation_that_the_server_asks_for(ours: bool, s_server: Callable[..., Csms], make_client: Make) -> None:
    csms = s_server("-tls1_2")
    context = client_context(cafile=pki().ca)
    if not ours:
        context.options &= ~ssl.OP_NO_RENEGOTIATION
    client = make_client(ssl_context=context)
    frames, closed = Collector(), Collector()
    client.on("frame", frames)
    client.on("close", closed)
    connecting = in_thread(client.connect, csms.url, timeout=TIMEOUT)
    csms.accept()
    connecting.result()
    csms.process.write("r\n")
    if ours:
        # It is told no, and gives up by itself.
        assert closed.next()[0] == 1006
    else:
        csms.process.out.wait_for("SSL_do_handshake -> 1")
        csms.send([3, "nothing", {}])
        assert frames.next() == ("in", '[3, "nothing", {}]')
        csms.process.close()


@pytest.mark.parametrize("command", ["K", "k"], ids=["both keys", "one key"])
def test_new_keys_in_the_middle_of_a_conversation_are_survived(command: str, s_server: Callable[..., Csms], make_client: Make) -> None:
    csms = s_server("-tls1_3", "-CAfile", pki().ca)
    client = make_client(cafile=pki().ca, version="2.0.1", **own())
    frames = Collector()
    client.on("frame", frames)
    connecting = in_thread(client.connect, csms.url, timeout=TIMEOUT)
    csms.accept()
    connecting.result()
    for _ in range(5):
        size = len(csms.process.out)
        calling = in_thread(client.call, "Heartbeat", {}, timeout=TIMEOUT)
        direction, text = frames.next()
        assert direction == "out"
        csms.process.out.wait_for(f".{{{size + 1}}}")  # it takes commands first, so it has taken the last one alone
        csms.send([3, json.loads(text)[1], {"currentTime": utcnow()}])
        assert "currentTime" in calling.result()
        assert frames.next()[0] == "in"
        csms.process.write(f"{command}\n")
    csms.process.close()


class Relay:
    """Stands between a client and a server; :meth:`hold` lets one more piece of the server's through, and the rest only later."""

    def __init__(self, port: int) -> None:
        self._held, self._go = threading.Event(), threading.Event()
        self.answered = threading.Event()
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.client = socket.create_connection(listening.getsockname(), TIMEOUT)
            self._near = listening.accept()[0]
        self._far = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self._threads = in_thread(self._forth), in_thread(self._back)

    def _forth(self) -> None:
        with suppress(OSError):
            while data := self._near.recv(1 << 16):
                held = self._held.is_set()
                self._far.sendall(data)
                if held:
                    self.answered.set()

    def _back(self) -> None:
        with suppress(OSError):
            while data := self._far.recv(1 << 16):
                held = self._held.is_set()  # before the other end can go on
                self._near.sendall(data)
                if held:
                    self._go.wait(TIMEOUT)

    def hold(self) -> None:
        self._held.set()

    def release(self) -> None:
        self._go.set()

    def close(self) -> None:
        self.release()
        for end in (self._near, self._far):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.result()
        self._near.close()
        self._far.close()


def test_a_renegotiation_that_stands_still_costs_no_time(s_server: Callable[..., Csms], polling: Polling) -> None:
    csms = s_server("-tls1_2")
    relay = Relay(int(csms.url.rpartition(":")[2]))
    context = client_context(cafile=pki().ca)
    context.options &= ~ssl.OP_NO_RENEGOTIATION  # as a context of the user's own may be
    stream = TlsStream(context.wrap_socket(relay.client, server_hostname="127.0.0.1"))
    try:
        reader = in_thread(stream.recv, 100)
        polling.wait_for(select.POLLIN)
        relay.hold()
        csms.process.write("r\n")
        assert relay.answered.wait(TIMEOUT)  # what the server says to that is held back
        stream.send(b"late but sent\n")
        before = polling.events.qsize()
        assert not stream.drain(time.monotonic() + 0.5)
        assert polling.events.qsize() - before < 50
        draining = in_thread(stream.drain)
        relay.release()
        assert draining.result() is True
        csms.process.out.wait_for("late but sent")
        csms.process.write("thanks\n")
        assert reader.result() == b"thanks\n"
    finally:
        stream.close()
        relay.close()
