"""The charge point's end: :class:`OcppClient`."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .client_tls import ClientTls, TlsSettings, security_event
from .connection import DEFAULT_MAX_MESSAGE_SIZE, Connection
from .deadlines import checked_timeout
from .errors import ConnectionClosed, HandshakeError
from .handlers import Handlers
from .handshake import basic_credentials, check_identity, connection_url, subprotocols, version_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from os import PathLike
    from types import TracebackType

    from typing_extensions import Self

    from .transport.dial import Breakable, TlsClient

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
        cafile: The PEM file of the CAs that may sign the CSMS's certificate (profiles 2 and 3); None trusts the system's.
        certfile: The PEM file of this station's certificate and its chain (profile 3); None has none.
        keyfile: The PEM file of its private key; None is in ``certfile`` too.
        key_password: Of an encrypted key.
        ssl_context: A context of one's own, instead of these four.
        verify_time: False takes a certificate whatever its dates, all else is verified, until a CSMS has told the time; for a board that
            does not know it yet.
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
        cafile: str | PathLike[str] | None = None,
        certfile: str | PathLike[str] | None = None,
        keyfile: str | PathLike[str] | None = None,
        key_password: str | bytes | None = None,
        ssl_context: ssl.SSLContext | None = None,
        verify_time: bool = True,
        call_timeout: float | None = 30.0,
        validation: str | Mapping[str, str] = "strict",
        max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE,
        redact: bool = True,
    ) -> None:
        check_identity(identity)
        versions = [version] if isinstance(version, str) else list(version)
        self._versions = versions
        self._subprotocols = subprotocols(versions)
        if "1.6" not in versions and not _IDENTITY_2X.fullmatch(identity):
            _log.warning("%r is no identity by the rules of OCPP 2.x: at most 48 characters of a-zA-Z0-9*-_=+|@.", identity)
        if password is not None and not callable(password):
            basic_credentials(identity, password)
        self._password = password
        self._tls = ClientTls(TlsSettings(cafile, certfile, keyfile, key_password, ssl_context, verify_time))
        self._opening: Breakable | None = None
        self._connecting: threading.Thread | None = None
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
            url: The endpoint, ``ws://…`` or ``wss://…``; the identity is added to its path (rule A1).
            headers: Further HTTP headers for the upgrade.
            timeout: Seconds for everything: name, TCP, TLS, upgrade; None is as long as it takes. A link that is just ending is waited for.

        Returns:
            The client itself.

        Raises:
            HandshakeError: No link could be made; ``reason`` says why, in one word.
            ConnectionClosed: Another thread called :meth:`close` meanwhile.
            CertificateError: A certificate or key file is wrong.
            ValueError: The URL, a header or the time-out is wrong; or the URL is a plain one, and the client configured for TLS (rule C8).
            RuntimeError: It is connected already.
        """
        timeout = checked_timeout(timeout, "timeout")
        deadline = None if timeout is None else time.monotonic() + min(timeout, _MAX_TIMEOUT)
        target = connection_url(url, self.identity)
        request_headers = self._headers(headers)
        tls = self._tls.for_url(target)
        this = threading.current_thread()
        try:
            with self._lock:
                if self._connecting not in (None, this):
                    raise RuntimeError("another thread is connecting this client")
                if self._core is not None or self._reader is this:
                    raise RuntimeError("the client is connected already")
                self._connecting, self._closing = this, False
            # The calls of a lost link fail a moment before it has ended, and its "close" event may be the place to connect again.
            if not self.wait_closed(None if deadline is None else max(0.0, deadline - time.monotonic())):
                raise HandshakeError("timeout", "the last link has not ended in time")
            self._open(target, request_headers, tls, deadline)
        finally:
            # No lock: Ctrl-C could come between its acquisition and the try, and leave it locked.
            if self._connecting is this:
                self._connecting = None
        return self

    def call(self, action: str, payload: dict[str, Any] | None = None, *, timeout: float | None = None) -> dict[str, Any]:
        """Send a CALL and wait for its answer; see :meth:`Connection.call`."""
        response = super().call(action, payload, timeout=timeout)
        if action in ("BootNotification", "Heartbeat") and "currentTime" in response:
            with self._lock:
                if not self._tls.settings.verify_time:
                    # Now the board can know the time, and from the next connect on dates count.
                    self._tls = ClientTls(self._tls.settings._replace(verify_time=True))
        return response

    def reconfigure(self, **settings: Any) -> None:
        """Change credentials or certificates; it holds from the next :meth:`connect` on, the open link stays as it is.

        Args:
            settings: ``password``, ``cafile``, ``certfile``, ``keyfile``, ``key_password``, ``ssl_context`` or ``verify_time``, which
                mean what they mean to the constructor; what is not named stays. Files are read again, named or not.

        Raises:
            CertificateError: A certificate or key file is wrong; nothing is changed then.
            ValueError: The password cannot be used with this identity.
            TypeError: There is no such setting.
        """
        unknown = settings.keys() - {"password", *TlsSettings._fields}
        if unknown:
            raise TypeError(f"{', '.join(sorted(unknown))} cannot be changed; password, {', '.join(TlsSettings._fields)} can")
        password = settings.pop("password", self._password)
        if password is not None and not callable(password):
            basic_credentials(self.identity, password)
        with self._lock:
            self._tls = self._tls.replaced(settings)
            self._password = password

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

    def _open(self, target: str, headers: Mapping[str, str], tls: TlsClient | None, deadline: float | None) -> None:
        # Here, so that importing the package needs no WebSocket library.
        from .transport.client import open_link

        try:
            link, subprotocol = open_link(
                target,
                subprotocols=self._subprotocols,
                headers=headers,
                tls=tls,
                deadline=deadline,
                max_message_size=self._max_message_size,
                opening=self._set_opening,
            )
        except Exception as error:
            if self._closing:
                raise ConnectionClosed(1000, "closed while connecting") from None
            if isinstance(error, HandshakeError):
                error.security_event = security_event(error.reason, self._versions)
            raise
        finally:
            self._opening = None
        unread = threading.Lock()

        def read() -> None:
            if unread.acquire(blocking=False):
                self._read(link)

        try:
            self.attach(link, version_of(subprotocol))
            self._put_event("connect")
            threading.Thread(target=read, name=f"ocpp-rx {self.identity}", daemon=True).start()
        except BaseException:
            # No thread can be started, or Ctrl-C came: if nobody reads yet, it ends here, as if the link were lost.
            link.abort()
            read()
            raise
        if self._closing:
            self.close()
            raise ConnectionClosed(1000, "closed while connecting")

    def _set_opening(self, opening: Breakable) -> None:
        with self._lock:
            self._opening = opening
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


def _shut(opening: Breakable) -> None:
    try:
        opening.shutdown(2)
    except OSError:
        pass  # it is not connected yet, or not any more
