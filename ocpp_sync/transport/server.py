"""The server's end of a link: simple-websocket on a :class:`~ocpp_sync.transport.stream.Stream`.

The library would start a thread for each connection. It is given a thread class whose ``start()`` does nothing: its reading loop runs when
and where a frame is there for it, and is left, by an exception, at the end of that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import simple_websocket
from wsproto.connection import ConnectionState
from wsproto.events import CloseConnection, Event, Ping, Pong, TextMessage
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from .frames import Incomplete
from .link import ABNORMAL, TOO_BIG, UNSUPPORTED_DATA, Closed, Link
from .stream import LentStream, Stream

__all__ = ["ServerLink", "accept_link"]

_CHUNK = 64 * 1024
_COMPRESSED_CHUNK = 1024  # inflated it may be a thousand times as long


def accept_link(
    environ: Mapping[str, Any], stream: Stream, *, subprotocol: str | None, max_message_size: int, compression: bool
) -> ServerLink:
    """Answer a WebSocket upgrade with 101.

    Args:
        environ: The WSGI environment of the request.
        stream: Its connection.
        subprotocol: The subprotocol to choose; None is none.
        max_message_size: Bytes of the largest message that is taken, after inflation.
        compression: Whether to take an offer to compress (RFC 7692, rule A6).

    Raises:
        ValueError: The request is no proper WebSocket upgrade; nothing was sent.
    """
    request = {name: value for name, value in environ.items() if name.startswith("HTTP_")}
    if not compression:
        # The library takes every offer.
        request.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
    try:
        link = simple_websocket.Server(
            {**request, "werkzeug.socket": LentStream(stream)},
            subprotocols=[] if subprotocol is None else [subprotocol],
            receive_bytes=_COMPRESSED_CHUNK if compression else _CHUNK,
            max_message_size=max_message_size,
            thread_class=_Inline,
        )
    except (RemoteProtocolError, LocalProtocolError, simple_websocket.ConnectionError) as error:
        raise ValueError(str(error)) from error
    is_compressed = compression and "permessage-deflate" in environ.get("HTTP_SEC_WEBSOCKET_EXTENSIONS", "")
    return (_CompressedLink if is_compressed else ServerLink)(stream, link, max_message_size=max_message_size)


class _Inline:
    """A thread that is not started: whoever calls ``run`` is the thread."""

    def __init__(self, target: Callable[[], None]) -> None:
        self.run = target
        self.name = ""

    def start(self) -> None:
        pass


class ServerLink(Link):
    """A link that :func:`accept_link` made."""

    def __init__(self, stream: Stream, library: simple_websocket.Server, *, max_message_size: int) -> None:
        super().__init__(stream, library, is_client=False, max_message_size=max_message_size)
        library.sock.recv = self._frames.recv
        send = library.ws.send

        def send_unless_closing(event: Event) -> bytes:
            # The library gives up when it cannot answer a ping that crosses our close frame.
            closing = isinstance(event, Pong) and library.ws.state is not ConnectionState.OPEN
            return b"" if closing else send(event)

        library.ws.send = send_unless_closing

    def _read_frame(self) -> tuple[Closed | None, str | None]:
        library = self._library
        failure = ""
        try:
            library.thread.run()
        except Incomplete:
            return None, self._take_message()
        except (RemoteProtocolError, LocalProtocolError, OSError) as error:
            failure = str(error)
        # The library keeps to itself what its reading has failed of.
        failure = failure or self.stream.failure or "the connection was lost"
        if library.incoming_message_len > library.max_message_size:
            self._refuse(TOO_BIG, "the message is too big")
            return None, None
        closed = Closed(ABNORMAL, failure) if library.close_message is None else Closed(int(library.close_reason), library.close_message)
        # The library answers what breaks WebSocket's rules as if the other side had closed; the state tells that it has not.
        if library.ws.state is ConnectionState.LOCAL_CLOSING:
            self._refuse(*closed)
            return None, None
        return closed, None

    def _take_message(self) -> str | None:
        if not self._library.input_buffer:
            return None
        message = self._library.input_buffer.pop(0)
        if isinstance(message, str):
            return message
        self.fail(UNSUPPORTED_DATA, "OCPP-J uses text messages")
        return None

    def _let_go(self) -> None:
        self._library.thread = None
        vars(self._library.ws).pop("send", None)

    def _send_ping(self) -> None:
        try:
            self.stream.send_owed(self._library.ws.send(Ping()))
        except LocalProtocolError:
            pass  # the other side has closed

    def _send_close(self, code: int, reason: str) -> None:
        # Not by the library's close(), after which it reads no more.
        try:
            self.stream.send_owed(self._library.ws.send(CloseConnection(code=code, reason=reason)))
        except LocalProtocolError:
            pass  # the other side was first


class _CompressedLink(ServerLink):
    """A link with compression: the library makes its frames."""

    def _send_text(self, text: str, *, is_owed: bool) -> None:
        try:
            data = self._library.ws.send(TextMessage(text))
        except LocalProtocolError as error:
            raise ConnectionResetError("the other side has closed the connection") from error
        self.stream.send(data, is_owed=is_owed)
