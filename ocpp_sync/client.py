"""The charge point's end: :class:`OcppClient`."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .connection import DEFAULT_MAX_MESSAGE_SIZE, Connection, checked_timeout
from .errors import ConnectionClosed, HandshakeError
from .handlers import Handlers
from .handshake import basic_credentials, check_identity, connection_url, subprotocols, version_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["OcppClient"]

_log = logging.getLogger("ocpp_sync")

_EVENTS = ("connect", "close", "error", "frame")
_IDENTITY_2X = re.compile(r"[a-zA-Z0-9*\-_=+|@.]{1,48}")
# They are the library's own, and a second one of them would contradict the first.
_RESERVED_HEADERS = {"host", "upgrade", "connection", "content-length", "transfer-encoding"}

_MAX_TIMEOUT = 1_000_000.0  # seconds; a socket takes no more than 2^31 milliseconds


class OcppClient(Connection):
    """A charge point's connection to its CSMS.

    ::

        with OcppClient("CP1111", version="1.6").connect("ws://csms.example/ocpp") as client:
            client.call("BootNotification", {"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"})

    Beside the events of every connection there is ``connect()``.

    Args:
        identity: The identity of the charge point, which goes into the URL (rules A1, A2).
        version: ``"1.6"``, ``"2.0.1"`` or ``"2.1"``, or several in order of preference (rule A3).
        password: For HTTP Basic authentication, the identity being the user (rule C2); text goes out as UTF-8, bytes as they are.
            A function without arguments is asked at each connect. None sends no credentials.
        call_timeout: Seconds that a call waits for its answer; None is as long as the link lives (rule B4).
        validation: ``"strict"``, ``"warn"`` or ``"off"``, or a mapping to these from ``"in"``, ``"out"``, actions, or both
            (``"in:MeterValues"``); the most specific key wins.
        max_message_size: Bytes of the largest message that is taken; a larger one closes the link with 1009.
        redact: Whether passwords and keys are masked in what the ``frame`` event shows.

    Raises:
        ValueError: An argument is none of these.
    """

    _side = "CS"

    def __init__(
        self,
        identity: str,
        *,
        version: str | Sequence[str] = "2.0.1",
        password: str | bytes | Callable[[], str | bytes] | None = None,
        call_timeout: float | None = 30.0,
        validation: str | Mapping[str, str] = "strict",
        max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE,
        redact: bool = True,
    ) -> None:
        check_identity(identity)
        versions = [version] if isinstance(version, str) else list(version)
        self._subprotocols = subprotocols(versions)
        if "1.6" not in versions and not _IDENTITY_2X.fullmatch(identity):
            _log.warning("%r is no identity by the rules of OCPP 2.x: at most 48 characters of a-zA-Z0-9*-_=+|@.", identity)
        if password is not None and not callable(password):
            basic_credentials(identity, password)
        self._password = password
        self._opening: socket.socket | None = None
        self._connecting = threading.Lock()
        self._closing = False
        super().__init__(
            identity,
            Handlers(_EVENTS, versions, "CSMS"),
            call_timeout=call_timeout,
            validation=validation,
            max_message_size=max_message_size,
            redact=redact,
        )

    def connect(self, url: str, headers: Mapping[str, str] | None = None, *, timeout: float | None = 30.0) -> Self:
        """Connect to a CSMS, and wait until the link is open.

        Args:
            url: The endpoint, ``ws://…``; the identity is added to its path (rule A1).
            headers: Further HTTP headers for the upgrade.
            timeout: Seconds for everything: name, TCP, upgrade; None is as long as it takes. A link that is just ending is waited for.

        Returns:
            The client itself.

        Raises:
            HandshakeError: No link could be made; ``reason`` says why, in one word.
            ConnectionClosed: Another thread called :meth:`close` meanwhile.
            ValueError: The URL, a header or the time-out is wrong.
            RuntimeError: It is connected already.
        """
        timeout = checked_timeout(timeout, "timeout")
        deadline = None if timeout is None else time.monotonic() + min(timeout, _MAX_TIMEOUT)
        target = connection_url(url, self.identity)
        request_headers = self._headers(headers)
        if target.startswith("wss:"):
            raise ValueError("wss:// is not supported yet")
        if not self._connecting.acquire(blocking=False):
            raise RuntimeError("another thread is connecting this client")
        try:
            if self.connected or self._reader is threading.current_thread():
                raise RuntimeError("the client is connected already")
            with self._lock:
                self._closing = False
            # The calls of a lost link fail a moment before it has ended, and its "close" event may be the place to connect again.
            if not self.wait_closed(None if deadline is None else max(0.0, deadline - time.monotonic())):
                raise HandshakeError("timeout", "the last link has not ended in time")
            self._open(target, request_headers, deadline)
        finally:
            self._connecting.release()
        return self

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the link, or end the :meth:`connect` of another thread; see :meth:`Connection.close`."""
        with self._lock:
            self._closing = True
            if self._opening is not None:
                _shut(self._opening)
        super().close(code, reason)

    def run_forever(self) -> None:
        """Block until the link has gone, or Ctrl-C: the main loop of a controller that only answers."""
        self.wait_closed()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _open(self, target: str, headers: Mapping[str, str], deadline: float | None) -> None:
        # Here, so that importing the package needs no WebSocket library.
        from .transport.client import open_link

        try:
            link, subprotocol = open_link(
                target,
                subprotocols=self._subprotocols,
                headers=headers,
                deadline=deadline,
                max_message_size=self._max_message_size,
                opening=self._set_opening,
            )
        except Exception:
            if self._closing:
                raise ConnectionClosed(1000, "closed while connecting") from None
            raise
        finally:
            self._opening = None
        self.attach(link, version_of(subprotocol))
        self._put_event("connect")
        reader = threading.Thread(target=self._read, args=(link,), name=f"ocpp-rx {self.identity}", daemon=True)
        try:
            reader.start()
        except RuntimeError:
            # Out of threads or memory: it ends here and now, as if the link were lost.
            link.abort()
            self._read(link)
            raise
        if self._closing:
            self.close()
            raise ConnectionClosed(1000, "closed while connecting")

    def _set_opening(self, sock: socket.socket) -> None:
        with self._lock:
            self._opening = sock
            if self._closing:
                raise ConnectionClosed(1000, "closed while connecting")

    def _headers(self, headers: Mapping[str, str] | None) -> dict[str, Any]:
        result = dict(headers or {})
        for name, value in result.items():
            if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or not re.fullmatch(r"[\t\x20-\x7e\xa0-\xff]*", value):
                raise ValueError(f"{name!r:.80} is no HTTP header, or its value holds what no header may")
            if name.lower() in _RESERVED_HEADERS or name.lower().startswith("sec-websocket-"):
                raise ValueError(f"the header {name!r} is part of the WebSocket upgrade and cannot be given")
        password = self._password() if callable(self._password) else self._password
        if password is not None:
            if "authorization" in map(str.lower, result):
                raise ValueError("the header 'Authorization' and a password cannot both be given")
            result["Authorization"] = basic_credentials(self.identity, password)
        return result


def _shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(2)
    except OSError:
        pass  # it is not connected yet, or not any more
