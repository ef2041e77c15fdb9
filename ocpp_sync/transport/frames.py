"""WebSocket frames (RFC 6455, 5): whole text messages are read and written here, all others are the library's.

OCPP-J is nothing but text messages in one frame each. websocket-client takes 11 µs for one to go and one to come, simple-websocket 18 µs;
here it is 3 µs (``python -m benchmarks.frames``). Whatever else may come (control frames, fragments, compressed messages, what breaks the
rules) goes through the library, frame by frame and untouched, and so does the handshake.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

__all__ = ["FrameReader", "FrameWriter", "Incomplete", "OtherFrame"]

_WHOLE_TEXT = 0x81  # FIN, no extension, opcode 1
_FIN, _CONTROL = 0x80, 0x08
_MASKED = 0x80

_LENGTH_16, _LENGTH_64 = struct.Struct("!H"), struct.Struct("!Q")
_KEY, _KEYS = struct.Struct("4s"), 64
_HEADER_16, _HEADER_64 = struct.Struct("!BBH"), struct.Struct("!BBQ")


class OtherFrame:
    """A frame for the library."""


_OTHER_FRAME = OtherFrame()


class Incomplete(Exception):
    """The library asks for more than the frame that it was called for."""


class FrameReader:
    """Cuts what comes in into frames.

    Args:
        is_masked: Whether the other side masks its frames: it is the client.
        max_size: Bytes of the largest message that is taken.
    """

    def __init__(self, *, is_masked: bool, max_size: int) -> None:
        self._mask_bit = _MASKED if is_masked else 0
        self._max_size = max_size
        self._buffer: bytes | bytearray = b""
        self._position = 0
        self._needed = 2  # bytes that must be there until there is something to look at
        self._left = 0  # bytes of the frame that the library is reading
        self._in_fragments = False

    def feed(self, data: bytes) -> None:
        """Add what has come."""
        if self._position == len(self._buffer):
            self._buffer = data
        elif isinstance(self._buffer, bytearray):
            del self._buffer[: self._position]
            self._buffer += data
        else:
            self._buffer = bytearray(self._buffer[self._position :]) + data
        self._position = 0

    def next(self) -> str | OtherFrame | None:
        """Look at the next frame.

        Returns:
            The text of a message in one frame. An :class:`OtherFrame` if it is another one: the library is to be called then, and
            finds it by :meth:`recv`. None if nothing whole is there.

        Raises:
            UnicodeDecodeError: The text is no UTF-8; the frame is done with.
        """
        buffer, position = self._buffer, self._position
        there = len(buffer) - position
        if self._left:
            return _OTHER_FRAME if there else None
        if there < self._needed:
            return None
        first, second = buffer[position], buffer[position + 1]
        length, start = second & 0x7F, position + 2
        if length >= 126:
            form = _LENGTH_16 if length == 126 else _LENGTH_64
            if there < 2 + form.size:
                self._needed = 2 + form.size
                return None
            (length,) = form.unpack_from(buffer, start)
            start += form.size
        if second & _MASKED:
            start += 4
        if length > self._max_size:
            # As much as is there: the library refuses it before it has read the rest.
            self._left, self._needed = start + length - position, 2
            return _OTHER_FRAME
        end = start + length
        if end > len(buffer):
            self._needed = end - position
            return None
        self._needed = 2
        if first == _WHOLE_TEXT and second & _MASKED == self._mask_bit and not self._in_fragments:
            payload = buffer[start:end]
            if self._mask_bit and length:
                payload = _masked(payload, bytes(buffer[start - 4 : start]))
            self._position = end
            return payload.decode()
        if not first & _CONTROL:
            self._in_fragments = not first & _FIN
        self._left = end - position
        return _OTHER_FRAME

    def recv(self, size: int) -> bytes:
        """The next bytes of the frame that :meth:`next` has told of, as from a socket.

        Raises:
            Incomplete: It has no more.
        """
        data = bytes(self._buffer[self._position : self._position + min(size, self._left)])
        if not data:
            raise Incomplete
        self._position += len(data)
        self._left -= len(data)
        return data


class FrameWriter:
    """Makes the frames of text messages; for one thread at a time.

    Args:
        is_masked: Whether this side is the client, whose frames are masked with random bytes.
    """

    def __init__(self, *, is_masked: bool) -> None:
        self._mask_bit = _MASKED if is_masked else 0
        self._keys: Iterator[tuple[bytes]] = iter(())

    def frame(self, text: str) -> bytes:
        """A text message in one frame."""
        payload = text.encode()
        length = len(payload)
        if length < 126:
            header = bytes((_WHOLE_TEXT, self._mask_bit | length))
        elif length < 65536:
            header = _HEADER_16.pack(_WHOLE_TEXT, self._mask_bit | 126, length)
        else:
            header = _HEADER_64.pack(_WHOLE_TEXT, self._mask_bit | 127, length)
        if not self._mask_bit:
            return header + payload
        key = self._new_key()
        return header + key + _masked(payload, key)

    def _new_key(self) -> bytes:
        for (key,) in self._keys:
            return key
        self._keys = _KEY.iter_unpack(os.urandom(_KEYS * _KEY.size))
        return self._new_key()


def _masked(payload: bytes | bytearray, key: bytes) -> bytes:
    size = len(payload)
    keys = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(keys, "little")).to_bytes(size, "little")
