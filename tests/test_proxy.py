"""Ways to the CSMS: through an HTTP proxy, and from one of several addresses."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ocpp_sync import HandshakeError, OcppClient, OcppServer
from ocpp_sync.transport.proxy import parse_proxy

from .pki import pki
from .support import TIMEOUT, in_thread

MakeServer = Callable[..., OcppServer]
MakeClient = Callable[..., OcppClient]

OK = b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n"


class TestProxy:
    """A proxy that answers what it is told to, and connects if that is 200."""

    __test__ = False

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.heads: list[str] = []
        self.asked = threading.Event()
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = [self._start(self._accept)]

    def _start(self, target: Callable[..., None], *arguments: Any) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, name="test proxy", daemon=True)
        thread.start()
        return thread

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            self._ends.append(near)
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += near.recv(1)
            self.heads.append(head.decode())
            self.asked.set()
            near.sendall(self._answer)
            if self._answer == OK:
                host, _, port = head.split()[1].decode().rpartition(":")
                far = socket.create_connection((host.strip("[]"), int(port)), TIMEOUT)
                self._ends.append(far)
                self._threads += [self._start(self._pass, near, far), self._start(self._pass, far, near)]
            elif not self._answer.startswith(b"wait"):
                near.shutdown(socket.SHUT_RDWR)

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(1 << 16):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(TIMEOUT)
        for end in self._ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self._threads:
            thread.join(TIMEOUT)
        for end in (*self._ends, self._listening):
            end.close()


@pytest.fixture
def proxy() -> Iterator[Callable[..., TestProxy]]:
    proxies: list[TestProxy] = []

    def make(answer: bytes = OK) -> TestProxy:
        proxies.append(TestProxy(answer))
        return proxies[-1]

    yield make
    for each in proxies:
        each.close()


def test_a_link_goes_through_a_proxy(server: OcppServer, make_client: MakeClient, proxy: Callable[..., TestProxy]) -> None:
    between = proxy()
    client = make_client(server.url, proxy=f"http://{between.address}")
    assert server.wait_for("CP1", TIMEOUT).connected
    assert between.heads == [f"CONNECT 127.0.0.1:{server.port} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n"]
    client.close()


def test_tls_goes_through_a_proxy_to_the_csms(make_server: MakeServer, make_client: MakeClient, proxy: Callable[..., TestProxy]) -> None:
    files, between = pki().server(), proxy()
    server = make_server(listen=False).listen(0, "127.0.0.1", certfile=files.cert, keyfile=files.key)
    client = make_client(server.url, proxy=f"http://me:se%3Acret@{between.address}/", cafile=pki().ca)
    assert server.wait_for("CP1", TIMEOUT).connected
    credentials = base64.b64encode(b"me:se:cret").decode()
    assert f"\r\nProxy-Authorization: Basic {credentials}\r\n" in between.heads[0]
    client.close()


@pytest.mark.parametrize(
    ("answer", "reason", "status"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "unauthorized", 407),
        (b"HTTP/1.0 502 Bad Gateway\r\n\r\n", "unreachable", 502),
        (b"SSH-2.0-x\r\n\r\n", "unreachable", None),
        (b"HTTP/1.1 ABC\r\n\r\n", "unreachable", None),
        (b"", "unreachable", None),
        (b"x" * 20_000, "unreachable", None),
        (b"wait", "timeout", None),
    ],
)
def test_a_proxy_that_does_not_connect(
    answer: bytes, reason: str, status: int | None, make_client: MakeClient, proxy: Callable[..., TestProxy]
) -> None:
    between = proxy(answer)
    client = make_client(proxy=f"http://me:secret@{between.address}", password="secret-password-1")
    with pytest.raises(HandshakeError, match=f"the proxy {between.address}") as caught:
        client.connect("ws://csms.invalid", timeout=0.2 if reason == "timeout" else TIMEOUT)
    assert (caught.value.reason, caught.value.status) == (reason, status)
    assert "Authorization: Basic" in between.heads[0]  # to the proxy; the CSMS's password has gone nowhere
    assert between.heads[0].count("Authorization") == 1
    assert "secret" not in str(caught.value)


def test_close_ends_the_wait_for_a_proxy(make_client: MakeClient, proxy: Callable[..., TestProxy]) -> None:
    between = proxy(b"wait")
    client = make_client(proxy=f"http://{between.address}")
    connecting = in_thread(client.connect, "ws://csms.invalid")
    assert between.asked.wait(TIMEOUT)
    client.close()
    with pytest.raises(ConnectionError, match="closed while connecting"):
        connecting.result()


def test_a_proxy_that_is_not_there(make_client: MakeClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(HandshakeError, match=f"cannot connect to 127.0.0.1:{port}") as caught:
        make_client(proxy=f"http://127.0.0.1:{port}").connect("ws://csms.invalid")
    assert caught.value.reason == "unreachable"


@pytest.mark.parametrize("url", ["https://proxy", "proxy:8080", "http://", "http://me:secret@proxy/path", "http://me:secret@proxy:port"])
def test_a_url_that_is_no_proxy(url: str) -> None:
    with pytest.raises(ValueError, match="prox") as caught:
        OcppClient("CP1", proxy=url)
    assert "secret" not in str(caught.value)


def test_a_proxy_does_not_show_its_password() -> None:
    assert repr(parse_proxy("http://me:secret@proxy")) == "<proxy proxy:8080>"


@pytest.mark.parametrize("address", ["127.0.0.2", ("127.0.0.3", 0)])
def test_links_come_from_the_address_that_was_given(address: Any, server: OcppServer, make_client: MakeClient) -> None:
    make_client(server.url, source_address=address)
    assert server.wait_for("CP1", TIMEOUT).request.remote_address[0] == (address if isinstance(address, str) else address[0])


def test_an_address_that_is_not_ours(server: OcppServer, make_client: MakeClient) -> None:
    with pytest.raises(HandshakeError) as caught:
        make_client(server.url, source_address="192.0.2.1")
    assert caught.value.reason == "unreachable"


def test_addresses_of_a_kind_that_the_system_does_not_have(
    server: OcppServer, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = (9999, socket.SOCK_STREAM, 6, "", ("::1", server.port, 0, 0))
    known = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))
    monkeypatch.setattr("ocpp_sync.transport.dial._resolve", lambda *arguments: [unknown, known])
    assert make_client(server.url).connected
    monkeypatch.setattr("ocpp_sync.transport.dial._resolve", lambda *arguments: [unknown])
    with pytest.raises(HandshakeError) as caught:
        make_client(server.url)
    assert caught.value.reason == "unreachable"
