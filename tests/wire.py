"""A WebSocket peer whose every byte a test decides, for what a WebSocket library refuses to send."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import struct
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from .support import TIMEOUT

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
RSV1 = 0x40

_KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def header(size: int, opcode: int = TEXT, *, fin: bool = True, flags: int = 0, masked: bool) -> bytes:
    """The header of a frame whose payload has ``size`` bytes. A mask of zeros leaves the payload as it is."""
    first, bit, key = (0x80 if fin else 0) | flags | opcode, 0x80 if masked else 0, bytes(4) if masked else b""
    if size < 126:
        return bytes([first, bit | size]) + key
    if size < 1 << 16:
        return struct.pack("!BBH", first, bit | 126, size) + key
    return struct.pack("!BBQ", first, bit | 127, size) + key


def close_payload(code: int, reason: str | bytes = b"") -> bytes:
    return struct.pack("!H", code) + (reason.encode() if isinstance(reason, str) else reason)


class Wire:
    """The peer's end of an open WebSocket.

    Attributes:
        socket: The socket. Each read and write fails after TIMEOUT.
        masks: Whether its frames are masked: it is the client.
        head: The HTTP head that the other side sent.
    """

    def __init__(self, sock: socket.socket, *, masks: bool) -> None:
        sock.settimeout(TIMEOUT)
        self.socket = sock
        self.masks = masks
        self.head = ""
        self._received = bytearray()

    def connect(self, target: str, **headers: str) -> Wire:
        """Upgrade as the client does."""
        offer = {"Host": "localhost", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": _KEY, **headers}
        lines = [f"GET {target} HTTP/1.1", "Sec-WebSocket-Version: 13", *(f"{name}: {value}" for name, value in offer.items())]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self.read_head()
        assert self.head.startswith("HTTP/1.1 101 "), self.head
        return self

    def accept(self, version: str) -> Wire:
        """Upgrade as the server does."""
        self.read_head()
        fields = dict(line.lower().split(": ", 1) for line in self.head.splitlines()[1:])
        key = next(line.split(": ", 1)[1] for line in self.head.splitlines() if line.lower().startswith("sec-websocket-key:"))
        assert f"ocpp{version}" in fields["sec-websocket-protocol"]
        digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
        lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Protocol: ocpp{version}"]
        self.socket.sendall("\r\n".join([*lines, f"Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}", "", ""]).encode())
        return self

    def read_head(self) -> None:
        """Read the HTTP head of the other side."""
        while b"\r\n\r\n" not in self._received:
            self._fill()
        head, _, rest = bytes(self._received).partition(b"\r\n\r\n")
        self.head, self._received = head.decode(), bytearray(rest)

    # --- Sending

    def frame(self, payload: bytes | str = b"", opcode: int = TEXT, *, fin: bool = True, flags: int = 0) -> bytes:
        """One frame as it goes over the wire."""
        data = payload.encode() if isinstance(payload, str) else payload
        return header(len(data), opcode, fin=fin, flags=flags, masked=self.masks) + data

    def send(self, message: list[Any] | str | bytes, opcode: int = TEXT, *, fin: bool = True, flags: int = 0) -> None:
        """Send a frame: a list as JSON, a text or bytes as they are."""
        data = json.dumps(message, ensure_ascii=False) if isinstance(message, list) else message
        self.socket.sendall(self.frame(data, opcode, fin=fin, flags=flags))

    def send_close(self, code: int, reason: str | bytes = b"") -> None:
        self.send(close_payload(code, reason), CLOSE)

    # --- Receiving

    def receive(self) -> tuple[int, bytes]:
        """The next frame: opcode and payload."""
        first, second = self._exactly(2)
        assert first & 0x80, "nothing of ours comes in fragments"
        assert bool(second & 0x80) is not self.masks, "only the client masks"
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self._exactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._exactly(8))
        key = self._exactly(4) if second & 0x80 else bytes(4)
        return first & 0x0F, _masked(self._exactly(size), key)

    def receive_json(self) -> Any:
        """The next frame, which is a text message with JSON."""
        opcode, payload = self.receive()
        assert opcode == TEXT, (opcode, payload)
        return json.loads(payload)

    def receive_close(self) -> tuple[int, str]:
        """Code and reason of the next frame, which is a close frame; 1005 when it has none."""
        opcode, payload = self.receive()
        assert opcode == CLOSE, (opcode, payload)
        return (struct.unpack("!H", payload[:2])[0], payload[2:].decode()) if payload else (1005, "")

    def receive_end(self) -> None:
        """The other side ends the connection, with a proper end and with nothing before it."""
        assert not self._received
        assert self.socket.recv(1) == b""

    def _exactly(self, size: int) -> bytes:
        while len(self._received) < size:
            self._fill()
        data = bytes(self._received[:size])
        del self._received[:size]
        return data

    def _fill(self) -> None:
        data = self.socket.recv(1 << 16)
        assert data, "the other side has ended the connection"
        self._received += data

    # --- Ending

    def reset(self) -> None:
        """End the connection with a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self) -> None:
        """End the connection; twice does not hurt."""
        self.socket.close()


def _masked(data: bytes, key: bytes) -> bytes:
    size = len(data)
    stream = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(size, "big")


def connect_wire(url: str, identity: str = "CP1", *, version: str, headers: Mapping[str, str] | None = None) -> Wire:
    """Connect to a server of ours."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    wire = Wire(socket.create_connection((parts.hostname, parts.port or 80), TIMEOUT), masks=True)
    return wire.connect(f"/{identity}", **{"Sec-WebSocket-Protocol": f"ocpp{version}", **(headers or {})})
