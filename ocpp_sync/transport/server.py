"""The server's end of a link: simple-websocket on a :class:`~ocpp_sync.transport.stream.Stream`.

The library would start a thread for each connection. It is given a thread class whose ``start()`` does nothing, so that its reading
loop runs in the HTTP thread of the connection, and an event class that hands each message on as soon as it is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import simple_websocket
from wsproto.connection import ConnectionState
from wsproto.events import CloseConnection, Event, Ping, Pong
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

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
            event_class=_Signal,
        )
    except (RemoteProtocolError, LocalProtocolError, simple_websocket.ConnectionError) as error:
        raise ValueError(str(error)) from error
    return ServerLink(stream, link)


class _Inline:
    """A thread that is not started: whoever calls ``run`` is the thread."""

    def __init__(self, target: Callable[[], None]) -> None:
        self.run = target
        self.name = ""

    def start(self) -> None:
        pass


class _Signal:
    """An event that calls back, in the thread that sets it."""

    def __init__(self) -> None:
        self.callback: Callable[[], None] | None = None

    def set(self) -> None:
        if self.callback is not None:
            self.callback()


class ServerLink(Link):
    """A link that :func:`accept_link` made."""

    def __init__(self, stream: Stream, link: simple_websocket.Server) -> None:
        super().__init__(stream)
        self._link = link
        send = link.ws.send

        def send_unless_closing(event: Event) -> bytes:
            # The library gives up when it cannot answer a ping that crosses our close frame.
            closing = isinstance(event, Pong) and link.ws.state is not ConnectionState.OPEN
            return b"" if closing else send(event)

        link.ws.send = send_unless_closing

    def _read(self, receive: Callable[[str], None]) -> Closed:
        link = self._link

        def deliver() -> None:
            while link.input_buffer:
                message = link.input_buffer.pop(0)
                if isinstance(message, str):
                    receive(message)
                else:
                    self.fail(UNSUPPORTED_DATA, "OCPP-J uses text messages")

        link.event.callback = deliver
        failure = ""
        try:
            link.thread.run()
        except (RemoteProtocolError, LocalProtocolError, OSError) as error:
            failure = str(error)
        # The library keeps to itself what its reading has failed of.
        failure = failure or self._stream.failure or "the connection was lost"
        if link.incoming_message_len > link.max_message_size:
            return self._refuse(TOO_BIG, "the message is too big")
        closed = Closed(ABNORMAL, failure) if link.close_message is None else Closed(int(link.close_reason), link.close_message)
        # The library answers what breaks WebSocket's rules as if the other side had closed; the state tells that it has not.
        return self._refuse(*closed) if link.ws.state is ConnectionState.LOCAL_CLOSING else closed

    def _send_text(self, text: str) -> None:
        try:
            self._link.send(text)
        except (LocalProtocolError, simple_websocket.ConnectionClosed) as error:
            raise ConnectionResetError("the other side has closed the connection") from error

    def _send_ping(self) -> None:
        try:
            self._stream.send(self._link.ws.send(Ping()))
        except LocalProtocolError:
            pass  # the other side has closed

    def _send_close(self, code: int, reason: str) -> None:
        # Not by the library's close(), after which it reads no more.
        try:
            self._stream.send(self._link.ws.send(CloseConnection(code=code, reason=reason)))
        except LocalProtocolError:
            pass  # the other side was first
