"""The client's end of a link: websocket-client on a :class:`~ocpp_sync.transport.stream.Stream`."""

from __future__ import annotations

import struct
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, cast

import websocket

from ..errors import HandshakeError
from .dial import Breakable, Route, TlsClient, dial
from .frames import Incomplete
from .link import INVALID_DATA, NO_STATUS, NORMAL, PROTOCOL_ERROR, TOO_BIG, UNSUPPORTED_DATA, Closed, Link
from .stream import LentStream, Stream

if TYPE_CHECKING:
    from .tls_stream import TlsStream

__all__ = ["ClientLink", "open_link"]

_TEXT, _BINARY, _CONTINUATION = websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY, websocket.ABNF.OPCODE_CONT
_CLOSE = websocket.ABNF.OPCODE_CLOSE
_FIRST_CONTROL = 0x8
_MAX_CONTROL = 125
_MAX_FRAGMENTS = 4096  # the library joins them one by one
_MAX_RESPONSE = 64 * 1024  # bytes of an HTTP response

_REASONS = {401: "unauthorized", 404: "not-found"}


def open_link(
    url: str,
    *,
    subprotocols: Sequence[str],
    headers: Mapping[str, str],
    tls: TlsClient | None,
    route: Route,
    deadline: float | None,
    max_message_size: int,
    opening: Callable[[Breakable], None],
) -> tuple[ClientLink, str]:
    """Connect, and upgrade to a WebSocket.

    Args:
        url: ``ws://…`` or ``wss://…``, with the identity in it.
        subprotocols: What to offer, in order of preference.
        headers: Further HTTP headers.
        tls: For ``wss://``; None for ``ws://``.
        route: Which way.
        deadline: Until when, for everything from the name's resolution on, in ``time.monotonic()`` seconds; None is as long as it takes.
        max_message_size: Bytes of the largest message that is taken.
        opening: Called before each wait with what another thread can end it by.

    Returns:
        The link, and the subprotocol that the server chose.

    Raises:
        HandshakeError: It could not be made; the cause is chained.
    """
    stream = dial(url, tls=tls, route=route, deadline=deadline, opening=opening)
    try:
        opening(stream)
        stream.deadline, stream.allowance = deadline, _MAX_RESPONSE
        link = _WebSocket(max_message_size=max_message_size, skip_utf8_validation=True)
        subprotocol = _upgrade(link, url, stream, subprotocols, headers)
        stream.deadline = stream.allowance = None
        if tls is not None:
            tls.remember(url, cast("TlsStream", stream))
    except BaseException:
        stream.close()
        raise
    return ClientLink(stream, link, max_message_size=max_message_size), subprotocol


def _upgrade(link: _WebSocket, url: str, stream: Stream, subprotocols: Sequence[str], headers: Mapping[str, str]) -> str:
    # Not by the library's own argument for it: it cannot tell a missing subprotocol from any other mistake.
    offer = {"Sec-WebSocket-Protocol": ", ".join(subprotocols), **headers}
    try:
        link.connect(
            url,
            socket=_UpgradeStream(stream),
            header=[f"{name}: {value}" for name, value in offer.items()],
            suppress_origin=True,
            redirect_limit=0,
        )
    except websocket.WebSocketBadStatusException as error:
        status = error.status_code
        # A server may have sent our own credentials back to us, and the library puts all that it sent into the text.
        error.args, error.resp_headers, error.resp_body = (f"HTTP {status}",), None, None
        _refuse_status(status, error)
    except (TimeoutError, websocket.WebSocketTimeoutException) as error:
        raise HandshakeError("timeout", "the server did not answer the WebSocket upgrade in time") from error
    except Exception as error:
        # The library lets out whatever a broken answer leads to (IndexError, ValueError, …).
        if link.status not in (None, 101):
            _refuse_status(link.status, error)
        failure = _tls_failure(stream, error)
        if failure is not None:
            raise failure from error
        raise HandshakeError("rejected", f"the server's answer is no WebSocket upgrade: {_brief(error)}") from error
    # Some versions of the library call themselves connected after a redirect.
    if link.status != 101:
        _refuse_status(link.status)
    chosen: str | None = (link.headers or {}).get("sec-websocket-protocol")
    if chosen is None or chosen not in subprotocols:
        named = "none" if chosen is None else repr(chosen[:40])
        raise HandshakeError("subprotocol", f"the server chose {named} of the subprotocols {', '.join(subprotocols)}", 101)
    return chosen


def _tls_failure(stream: Stream, error: Exception) -> HandshakeError | None:
    """With TLS 1.3 a station learns only now that its certificate is not wanted, and its writing may have failed first."""
    if "ssl" not in sys.modules:
        return None
    import ssl

    from ..tls import handshake_failure

    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
        try:
            stream.recv(1)
        except OSError as said:
            error = said
    return HandshakeError(*handshake_failure(error, suite_agreed=True)) if isinstance(error, ssl.SSLError) else None


def _refuse_status(status: int | None, cause: Exception | None = None) -> NoReturn:
    if status is not None and 300 <= status < 400:
        raise HandshakeError("redirect", f"the server redirects (HTTP {status}); redirects are not followed", status) from cause
    reason = _REASONS.get(status or 0, "rejected")
    raise HandshakeError(reason, f"the server refused the connection with HTTP {status}", status) from cause


def _brief(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]


# --- WebSocket


class _UpgradeStream(LentStream):
    """Lets no cookie of the server through: the library would keep it for all clients of the process, and send it to other servers."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream)
        self._stream = stream
        self._head: bytes | None = None
        self.recv = self._recv_head

    def _recv_head(self, size: int) -> bytes:
        if self._head is None:
            lines = [self._stream.readline()]
            while lines[-1].strip():
                lines.append(self._stream.readline())
            self._head = b"".join(line for line in lines if line[:11].lower() != b"set-cookie:")
        data, self._head = self._head[:size], self._head[size:]
        if not self._head:
            self.recv = self._stream.recv
        return data


class _TooBig(Exception):
    """A message is longer than allowed."""


class _FrameBuffer(websocket.frame_buffer):  # type: ignore[misc]
    """Knows how long a frame may be before its payload is read."""

    room = 0

    def recv_length(self) -> None:
        super().recv_length()
        if self.header[4] >= _FIRST_CONTROL:
            if self.length > _MAX_CONTROL:
                raise websocket.WebSocketProtocolException(f"a control frame is longer than {_MAX_CONTROL} bytes")
        elif self.length > self.room:
            raise _TooBig


class _WebSocket(websocket.WebSocket):  # type: ignore[misc]
    """The library's WebSocket with a limit on the size of a message, fragments and all, and one close frame at most."""

    def __init__(self, *, max_message_size: int, **options: Any) -> None:
        super().__init__(**options)
        self._max_message_size = max_message_size
        self._fragments = 0
        self._close_sent = False
        self._closing = threading.Lock()
        self.frame_buffer = _FrameBuffer(self._recv, skip_utf8_validation=True)
        self.frame_buffer.room = max_message_size

    def recv_frame(self) -> websocket.ABNF:
        frame = super().recv_frame()
        if frame.opcode in (_TEXT, _BINARY, _CONTINUATION):
            if frame.fin:
                self._fragments, self.frame_buffer.room = 0, self._max_message_size
            else:
                self._fragments, self.frame_buffer.room = self._fragments + 1, self.frame_buffer.room - len(frame.data)
                if self._fragments > _MAX_FRAGMENTS:
                    raise _TooBig
        return frame

    def send_close(self, status: int = NORMAL, reason: bytes = b"") -> None:
        # The library answers every close frame, also one that answers ours.
        with self._closing:
            if self._close_sent:
                return
            self._close_sent = True
        try:
            super().send_close(status, reason)
        except (OSError, websocket.WebSocketException):
            pass  # the connection is broken, and the reader will see it; what it has read may be the other side's close frame


class ClientLink(Link):
    """A link that :func:`open_link` made."""

    def __init__(self, stream: Stream, library: _WebSocket, *, max_message_size: int) -> None:
        super().__init__(stream, library, is_client=True, max_message_size=max_message_size)
        library.sock.recv = self._frames.recv

    def _read_frame(self) -> tuple[Closed | None, str | None]:
        try:
            opcode, frame = self._library.recv_data_frame()
        except Incomplete:
            return None, None
        except _TooBig:
            self._refuse(TOO_BIG, "the message is too big")
            return None, None
        except websocket.WebSocketException as error:
            self._refuse(PROTOCOL_ERROR, str(error)[:100])
            return None, None
        if opcode == _CLOSE:
            return _closed(frame.data), None
        if opcode == _BINARY:
            self.fail(UNSUPPORTED_DATA, "OCPP-J uses text messages")
            return None, None
        try:
            return None, frame.data.decode()
        except UnicodeDecodeError:
            self.fail(INVALID_DATA, "the text is no UTF-8")
            return None, None

    def _let_go(self) -> None:
        self._library.frame_buffer.recv = None

    def _send_ping(self) -> None:
        try:
            self._library.ping()
        except websocket.WebSocketException as error:
            raise ConnectionResetError(str(error)) from error

    def _send_close(self, code: int, reason: str) -> None:
        self._library.send_close(code, reason.encode())


def _closed(data: bytes) -> Closed:
    if len(data) < 2:
        return Closed(NO_STATUS, "")
    (code,) = struct.unpack("!H", data[:2])
    return Closed(code, data[2:].decode(errors="replace"))
