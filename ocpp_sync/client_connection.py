"""A client's connection, which is made again whenever its link is lost."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from .backoff import Backoff
from .client_tls import ClientTls, TlsSettings, security_event
from .connection import Connection
from .deadlines import checked_timeout, remaining
from .errors import ConnectionClosed, HandshakeError
from .handlers import Handlers
from .handshake import basic_credentials, check_headers, check_identity, connection_url, subprotocols, version_of

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from .transport.dial import Breakable
    from .transport.link import Closed, Link
    from .transport.proxy import Proxy

__all__ = ["ClientConnection"]

_log = logging.getLogger("ocpp_sync")

_MAX_TIMEOUT = 1_000_000.0  # seconds; a socket takes no more than 2^31 milliseconds
_NORMAL = 1000


class ClientConnection(Connection):
    """The link, its thread, and all that makes it: endpoints, credentials, TLS, delays.

    Args:
        identity: The identity of the charge point.
        versions: The versions to offer, in order of preference.
        handlers: What the user registers.
        password: For HTTP Basic authentication; None sends none.
        tls: What the user has said about TLS.
        reconnect: The delays before a lost link is made again; None does not make it again.
        proxy: The URL of the HTTP proxy to go through; None is none.
        source_address: The own address to go from, or address and port; None leaves that to the system.
        options: Those of :class:`Connection`.
    """

    _side = "CS"

    def __init__(
        self,
        identity: str,
        versions: Sequence[str],
        handlers: Handlers,
        *,
        password: str | bytes | Callable[[], str | bytes] | None,
        tls: TlsSettings,
        reconnect: Backoff | None,
        proxy: str | None,
        source_address: str | tuple[str, int] | None,
        **options: Any,
    ) -> None:
        check_identity(identity)
        self._versions = versions
        self._subprotocols = subprotocols(versions)
        if password is not None and not callable(password):
            basic_credentials(identity, password)
        self._password = password
        self._tls = ClientTls(tls)
        self._reconnect = reconnect
        self._proxy = None if proxy is None else _proxy(proxy)
        self._source_address = (source_address, 0) if isinstance(source_address, str) else source_address
        self._life: _Life | None = None
        self._turn = threading.Lock()  # held while what depends on the life is told of its beginning or end
        self.link_number = 0  # how many links there were
        self.failed_attempts = 0  # to connect
        super().__init__(identity, handlers, **options)
        self._changed = threading.Condition(self._lock)  # the link has come or gone, or is not to come any more

    def connect(
        self, url: str | Sequence[str], headers: Mapping[str, str] | None = None, *, timeout: float | None = 30.0, retry: bool = False
    ) -> Self:
        """Connect to a CSMS, and wait until the link is open.

        From then on the client connects again by itself whenever the link is lost, until :meth:`close`; see ``reconnect``.

        Args:
            url: The endpoint, ``ws://…`` or ``wss://…``; the identity is added to its path (rule A1). Or several, which each attempt tries
                in turn.
            headers: Further HTTP headers for the upgrade.
            timeout: Seconds of an attempt for everything: name, TCP, TLS, upgrade; None is as long as it takes. A link that is just ending
                is waited for.
            retry: Whether to go on until there is a link, with the delays of ``reconnect``; each failure is told to the ``error`` event.

        Returns:
            The client itself.

        Raises:
            HandshakeError: No link could be made; ``reason`` says why, in one word.
            ConnectionClosed: Another thread called :meth:`close` meanwhile.
            CertificateError: A certificate or key file is wrong.
            OutboxError: The file of the outbox cannot be used any more.
            ValueError: The URL, a header or the time-out is wrong; or the URL is a plain one, and the client configured for TLS (rule C8).
            RuntimeError: It is connected already, or connecting again by itself.
        """
        self._check_process()
        urls = [connection_url(each, self.identity) for each in ([url] if isinstance(url, str) else url)]
        if not urls:
            raise ValueError("there must be an endpoint to connect to")
        if retry and self._reconnect is None:
            raise ValueError("to retry, a client needs the delays of reconnect=Backoff(...)")
        life = _Life(urls, check_headers(headers, has_password=self._password is not None), checked_timeout(timeout, "timeout"))
        for each in urls:
            self._tls.for_url(each)  # raises what is wrong with it now
        try:
            self._begin(life)
            with self._turn:
                if life.closing:
                    raise ConnectionClosed(_NORMAL, "closed while connecting")
                self._life_begins()
            try:
                link = self._dial(life)
            except HandshakeError as error:
                if not retry:
                    raise
                self._report(error)
                link = self._redial(life, error)
            self._start(life, link)
        finally:
            # First without the lock, for which Ctrl-C may come too early.
            life.connecting = False
            if life.thread is None:
                life.ended.set()
                with self._lock:
                    self._changed.notify_all()
        return self

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

    # --- Closing and waiting

    def begin_close(self, code: int, reason: str) -> None:
        """For the package: all of closing that waits for nothing."""
        with self._lock:
            # All at once: another thread may be about to connect again.
            life, link, worker = self._life, self._link, self._worker
            if life is not None:
                life.closing = True
                opening = life.opening
                if opening is not None:
                    _shut(opening)
            self._changed.notify_all()
        self._end_life(life)
        self._begin_close(link, worker, code, reason)

    def finish_close(self, deadline: float) -> None:
        """For the package: wait for what :meth:`begin_close` has begun."""
        super().finish_close(deadline)
        if self.is_reading:
            return  # the thread of the link cannot end before this one goes on
        life, patience = self._life, max(deadline, time.monotonic() + 1.0)
        if life is None or not life.closing or life.thread in (None, threading.current_thread()):
            return  # or a handler of "close" has connected again
        if not life.ended.wait(remaining(patience)):
            _log.warning("%s: the thread of the link still runs after close()", self.identity)
        elif life.thread is not None and life.thread.is_alive():  # it may never have been started
            life.thread.join(remaining(patience))  # it has nothing more to do

    def wait_connected(self, timeout: float | None = None) -> bool:
        """Wait until there is a link.

        Args:
            timeout: Seconds; None is as long as it takes.

        Returns:
            False if there is none in time, or will be none: the client is closed, or was never told to connect.
        """
        self._check_process()
        timeout = checked_timeout(timeout, "timeout")
        return self._wait_for_link(None if timeout is None else self._clock.monotonic() + timeout)

    def wait_closed(self, timeout: float | None = None) -> bool:
        """Wait until the client is closed, or has lost a link that it does not make again.

        Args:
            timeout: Seconds; None is as long as it takes.

        Returns:
            False if it still lives.
        """
        self._check_process()
        life = self._life
        return life is None or life.ended.wait(checked_timeout(timeout, "timeout"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # --- One attempt, and attempt after attempt

    def _begin(self, life: _Life) -> None:
        with self._lock:
            last = self._life
            if last is not None and last.connecting:
                raise RuntimeError("another thread is connecting this client")
            if self._core is not None or (last is not None and last.thread is threading.current_thread()):
                raise RuntimeError("the client is connected already")
            if last is not None and not (last.closing or self._reconnect is None or last.ended.is_set()):
                raise RuntimeError("the client is connecting again by itself; close() ends that")
            self._life = life
        # The calls of a lost link fail a moment before it has ended, and its "close" event may be the place to connect again.
        if last is not None and not last.ended.wait(life.timeout):
            self._life = last
            raise HandshakeError("timeout", "the last link has not ended in time")

    def _dial(self, life: _Life) -> tuple[Link, str]:
        """One attempt: each endpoint in turn."""
        life.refused = False
        deadline = None if life.timeout is None else time.monotonic() + min(life.timeout, _MAX_TIMEOUT)
        for left in range(len(life.urls) - 1, 0, -1):
            until = None if deadline is None else time.monotonic() + max(0.0, deadline - time.monotonic()) / (left + 1)
            try:
                return self._open(life, life.urls[-left - 1], until)
            except HandshakeError as error:
                life.refused = life.refused or _is_refusal(error)
                self._report(error)
        return self._open(life, life.urls[-1], deadline)

    def _redial(self, life: _Life, failure: BaseException | None) -> tuple[Link, str]:
        """Attempt after attempt, with the delays of rule A8.

        Raises:
            ConnectionClosed: The client was closed.
        """
        assert self._reconnect is not None
        for delay in self._reconnect.delays():
            if failure is not None and (life.refused or _is_refusal(failure)):
                delay = max(delay, self._reconnect.refused_minimum)
            self._pause(life, delay)
            try:
                return self._dial(life)
            except BaseException as error:
                if not isinstance(error, Exception) and threading.current_thread() is not life.thread:
                    raise  # Ctrl-C in connect()
                if life.closing:
                    raise ConnectionClosed(_NORMAL, "closed while connecting") from None
                # A file that is wrong now, the user's function for the password, …: it must not end the station's connection for ever.
                failure = error
            self._report(failure)
        raise AssertionError("delays do not end")

    def _pause(self, life: _Life, seconds: float) -> None:
        deadline = self._clock.monotonic() + seconds
        with self._lock:
            while not life.closing and self._clock.monotonic() < deadline:
                self._clock.wait(self._changed, deadline, "reconnect")
            if life.closing:
                raise ConnectionClosed(_NORMAL, "closed while connecting")

    def _report(self, error: BaseException) -> None:
        self.failed_attempts += 1
        _log.warning("%s: no link: %s", self.identity, error)
        self._put_event("error", error)

    def _open(self, life: _Life, url: str, deadline: float | None) -> tuple[Link, str]:
        # Here, so that importing the package needs no WebSocket library.
        from .transport.client import open_link
        from .transport.dial import Route

        headers = dict(life.headers)
        password = self._password() if callable(self._password) else self._password
        if password is not None:
            headers["Authorization"] = basic_credentials(self.identity, password)
        try:
            link, subprotocol = open_link(
                url,
                subprotocols=self._subprotocols,
                headers=headers,
                tls=self._tls.for_url(url),
                route=Route(self._proxy, self._source_address),
                deadline=deadline,
                max_message_size=self._max_message_size,
                opening=partial(self._set_opening, life),
            )
        except Exception as error:
            if life.closing:
                raise ConnectionClosed(_NORMAL, "closed while connecting") from None
            if isinstance(error, HandshakeError):
                error.security_event = security_event(error.reason, self._versions)
            raise
        finally:
            life.opening = None
        return link, version_of(subprotocol)

    def _set_opening(self, life: _Life, opening: Breakable) -> None:
        with self._lock:
            life.opening = opening
            if life.closing:
                raise ConnectionClosed(_NORMAL, "closed while connecting")

    def _start(self, life: _Life, opened: tuple[Link, str]) -> None:
        """Hand the first link to the thread that it lives in."""
        link, _ = opened
        unread = threading.Lock()

        def live() -> None:
            if unread.acquire(blocking=False):
                self._live(life, link)

        try:
            self._adopt(life, *opened)
            life.thread = threading.Thread(target=live, name=f"ocpp-rx {self.identity}", daemon=True)
            life.thread.start()
        except BaseException:
            # No thread can be started, or Ctrl-C came: if nobody reads yet, it ends here, as if the link were lost.
            life.closing = True
            link.abort()
            live()
            raise
        if life.closing:
            self.close()
            raise ConnectionClosed(_NORMAL, "closed while connecting")

    def _adopt(self, life: _Life, link: Link, version: str) -> None:
        self.link_number += 1
        self.attach(link, version)
        self._put_event("connect")
        with self._lock:
            self._changed.notify_all()
        self._link_changed()
        if life.closing:
            # close() came before it could see this link.
            self._begin_close(link, self._worker, _NORMAL, "")
            link.fail(_NORMAL, "")  # this bounds the wait for the other side

    def _live(self, life: _Life, link: Link) -> None:
        """The reader's thread: read, and when the link is lost, connect again."""
        try:
            while True:
                try:
                    self._read()
                except Exception:
                    # No memory, or a mistake of ours: it must not end the station's connection for ever either.
                    _log.exception("%s: the link failed", self.identity)
                if self._reconnect is None or life.closing:
                    return
                link, version = self._redial(life, None)
                self._adopt(life, link, version)
        except ConnectionClosed:
            pass  # close() came while there was no link
        finally:
            if not life.closing:
                self._end_life(life)
                self._worker.close()
            with self._lock:
                life.ended.set()
                self._changed.notify_all()

    def detach(self, closed: Closed | None) -> None:
        """For the package: the link has ended."""
        super().detach(closed)
        with self._lock:
            self._changed.notify_all()
        self._link_changed()

    def _wait_for_link(self, deadline: float | None) -> bool:
        with self._lock:
            while self._core is None:
                life = self._life
                if life is None or life.closing or life.ended.is_set():
                    return False
                if deadline is not None and self._clock.monotonic() >= deadline:
                    return False
                self._clock.wait(self._changed, deadline, "link")
        return True

    def _link_changed(self) -> None:
        """The link has come or gone."""

    def _end_life(self, life: _Life | None) -> None:
        with self._turn:
            if self._life is life:  # else another thread has begun the next one
                self._life_ended()

    def _life_begins(self) -> None:
        """There is about to be a link, the first after :meth:`connect`."""

    def _life_ended(self) -> None:
        """There is to be no further link, until the next :meth:`connect`."""


class _Life:
    """From one :meth:`OcppClient.connect` to the end of its thread.

    Attributes:
        connecting: The first link is being made, in the user's thread.
        closing: There is to be no further link.
        refused: An endpoint of the last attempt has refused this station.
        opening: What another thread can end an attempt by.
        thread: The reader's.
        ended: Set when there is no thread (any more).
    """

    def __init__(self, urls: Sequence[str], headers: Mapping[str, str], timeout: float | None) -> None:
        self.urls = urls
        self.headers = headers
        self.timeout = timeout
        self.connecting = True
        self.closing = False
        self.refused = False
        self.opening: Breakable | None = None
        self.thread: threading.Thread | None = None
        self.ended = threading.Event()


def _proxy(url: str) -> Proxy:
    # Here, since hardly anybody needs it.
    from .transport.proxy import parse_proxy

    return parse_proxy(url)


def _shut(opening: Breakable) -> None:
    try:
        opening.shutdown(2)
    except OSError:
        pass  # it is not connected yet, or not any more


def _is_refusal(error: BaseException) -> bool:
    """Whether nothing but a change of what is configured, here or there, makes the next attempt better."""
    if not isinstance(error, HandshakeError):
        return True
    passing = error.reason in ("unreachable", "timeout") or (error.reason == "rejected" and not 400 <= (error.status or 0) < 500)
    return not passing
