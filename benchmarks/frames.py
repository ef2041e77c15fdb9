"""WebSocket frames made and measured by hand, for the ends of a connection that are no library's."""

from __future__ import annotations

import struct

__all__ = ["frame", "frame_size", "upgrade_request"]

_KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def frame(payload: bytes, opcode: int = 1, *, mask: bytes | None = None) -> bytes:
    """A whole frame; with a mask of four bytes it is a client's."""
    bit, key = (0, b"") if mask is None else (0x80, mask)
    size = len(payload)
    if size < 126:
        head = bytes([0x80 | opcode, bit | size])
    elif size < 1 << 16:
        head = struct.pack("!BBH", 0x80 | opcode, bit | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, bit | 127, size)
    return head + key + (payload if mask is None else _masked(payload, mask))


def _masked(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    stream = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")).to_bytes(size, "big")


def frame_size(data: bytes | bytearray) -> int | None:
    """How long the frame is that begins here; None as long as its header is not complete."""
    if len(data) < 2:
        return None
    length, masked = data[1] & 0x7F, data[1] & 0x80
    start = 2 + (2 if length == 126 else 8 if length == 127 else 0)
    if len(data) < start:
        return None
    if length >= 126:
        length = int.from_bytes(data[2:start], "big")
    return start + (4 if masked else 0) + length


def upgrade_request(identity: str, version: str) -> bytes:
    """The HTTP request of a charge point."""
    fields = {
        "Host": "127.0.0.1",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": _KEY,
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": f"ocpp{version}",
    }
    return "\r\n".join([f"GET /{identity} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]).encode()
