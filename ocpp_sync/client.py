"""The charge point's end: :class:`OcppClient`."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, overload

from . import messages
from .backoff import Backoff
from .client_connection import ClientConnection
from .client_tls import ClientTls, TlsSettings
from .clock import SYSTEM_CLOCK, Clock
from .deadlines import checked_timeout, remaining
from .endpoint import DEFAULT_MAX_MESSAGE_SIZE
from .errors import CallError, CallTimeout, NotAccepted, NotConnected
from .handlers import Handlers
from .registration import CsmsTime, Registration
from .schemas import overlaid
from .signals import terminable
from .typed import VersionT, typed_call, typed_send

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from datetime import datetime
    from os import PathLike
    from typing import Literal, TextIO

    from typing_extensions import Self, Unpack

    from .outbox import Outbox, OutboxSettings
    from .protocol import OutgoingCall, Protocol
    from .transport.link import Link
    from .typed import ClientOptions, Version

__all__ = ["OcppClient"]

_log = logging.getLogger("ocpp_sync")

_EVENTS = ("connect", "registration", "outbox", "close", "error", "frame")
_IDENTITY_2X = re.compile(r"[a-zA-Z0-9*\-_=+|@.]{1,48}")
_RECONNECT = Backoff()


class OcppClient(ClientConnection, Generic[VersionT]):
    """A charge point's connection to its CSMS.

    ::

        with OcppClient("CP1111", version="1.6").connect("ws://csms.example/ocpp") as client:
            client.call("BootNotification", {"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"})

    Beside the events of every connection there are ``connect()`` at each link, and ``registration(status)`` at each answer to a
    BootNotification. ``error(exception)`` is told of each attempt to connect that fails, too. ``outbox(what, message, reason)`` is told
    when a queued message is ``"given-up"`` or ``"dropped"``, and, without a message, when the file was ``"damaged"``.

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
        ping_interval: Seconds of silence after which a ping is sent; 0 or None sends none (WebSocketPingInterval, rule A7).
        pong_timeout: Seconds after that in which something must come, else the link is taken for half open, and lost.
        reconnect: The delays before a lost link is made again (rule A8), and a failed BootNotification repeated; None connects once only.
        proxy: The URL of an HTTP proxy that connects to the CSMS (CONNECT), ``http://[user:password@]host[:port]``; None is no proxy.
        source_address: The own address that links come from, where there are several interfaces, or address and port, which the system may
            not give again in the minute after a link; None leaves that to the system.
        validation: ``"strict"``, ``"warn"`` or ``"off"``, or a mapping to these from ``"in"``, ``"out"``, actions, or both
            (``"in:MeterValues"``); the most specific key wins.
        max_message_size: Bytes of the largest message that is taken; a larger one closes the link with 1009.
        outbox: The file of the durable queue, or its :class:`OutboxSettings`; None has no queue.
        schemas: What is laid over the schemas of OCPP, for a CSMS that keeps to rules of its own and for own actions: a mapping, or the
            path of a JSON file or a folder of such files, see docs/own-messages.md; None is nothing.
        clock: Another clock than the machine's, for tests.
        redact: Whether passwords and keys are masked in what the ``frame`` event shows.
        slow_handler: Seconds after which a handler that others wait for is named in the log; None names none.

    Raises:
        ValueError: An argument is none of these.
        OutboxError: The outbox's file cannot be used.
        SchemaError: There is something wrong with ``schemas``.
    """

    @overload
    def __init__(self: OcppClient[Literal["1.6"]], identity: str, *, version: Literal["1.6"], **options: Unpack[ClientOptions]) -> None: ...
    @overload
    def __init__(
        self: OcppClient[Literal["2.0.1"]], identity: str, *, version: Literal["2.0.1"] = "2.0.1", **options: Unpack[ClientOptions]
    ) -> None: ...
    @overload
    def __init__(self: OcppClient[Literal["2.1"]], identity: str, *, version: Literal["2.1"], **options: Unpack[ClientOptions]) -> None: ...
    @overload
    def __init__(self: OcppClient[Version], identity: str, *, version: str | Sequence[str], **options: Unpack[ClientOptions]) -> None: ...
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
        ping_interval: float | None = 30.0,
        pong_timeout: float = 20.0,
        reconnect: Backoff | None = _RECONNECT,
        proxy: str | None = None,
        source_address: str | tuple[str, int] | None = None,
        validation: str | Mapping[str, str] = "strict",
        max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE,
        outbox: str | PathLike[str] | OutboxSettings | None = None,
        schemas: Mapping[str, Any] | str | PathLike[str] | None = None,
        redact: bool = True,
        slow_handler: float | None = 10.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        versions = [version] if isinstance(version, str) else list(version)
        if outbox is not None and len(versions) != 1:
            raise ValueError("an outbox needs a client with one version: what is queued is of that one")
        keys = overlaid(schemas)
        super().__init__(
            identity,
            versions,
            Handlers(_EVENTS, [keys.get(version, version) for version in versions], "CSMS"),
            password=password,
            tls=TlsSettings(cafile, certfile, keyfile, key_password, ssl_context, verify_time),
            reconnect=reconnect,
            proxy=proxy,
            source_address=source_address,
            call_timeout=call_timeout,
            ping_interval=ping_interval,
            pong_timeout=pong_timeout,
            validation=validation,
            max_message_size=max_message_size,
            redact=redact,
            slow_handler=slow_handler,
            keys=keys,
            clock=clock,
        )
        if "1.6" not in versions and not _IDENTITY_2X.fullmatch(identity):
            _log.warning("%r is no identity by the rules of OCPP 2.x: at most 48 characters of a-zA-Z0-9*-_=+|@.", identity)
        self._draining = False
        self._time = CsmsTime(clock)
        self._registration = Registration(self, clock, self._time, reconnect or _RECONNECT)
        self._outbox = None if outbox is None else self._open_outbox(outbox)

    def connect(
        self,
        url: str | Sequence[str],
        headers: Mapping[str, str] | None = None,
        *,
        timeout: float | None = 30.0,
        retry: bool = False,
        boot: dict[str, Any] | None = None,
    ) -> Self:
        """Connect to a CSMS, and wait until the link is open; see :meth:`ClientConnection.connect`.

        Args:
            url: The endpoint, or several.
            headers: Further HTTP headers for the upgrade.
            timeout: Seconds of an attempt.
            retry: Whether to go on until there is a link.
            boot: The BootNotification of a station that has just started: nothing goes out before it, neither what the outbox holds from
                earlier nor what a ``connect`` handler sends (rules D1, D2), and this returns when the CSMS has accepted it; see
                :meth:`boot`. None does not register.

        Raises:
            InvalidPayload: The BootNotification is refused before anything was sent.
        """
        if boot is not None:
            self._check_process()
            self._check_boot(boot)
            self._registration.require(boot)
        super().connect(url, headers, timeout=timeout, retry=retry)
        if boot is not None:
            self._registration.wait_accepted(None)
        return self

    @typed_call
    def call(
        self, action: str, payload: dict[str, Any] | None = None, *, timeout: float | None = None, wait: bool = False
    ) -> dict[str, Any]:
        """Send a CALL and wait for its answer; see :meth:`Connection.call`.

        Args:
            action: The action, spelt as on the wire.
            payload: The request, with the wire's own names; None is ``{}``.
            timeout: Seconds from now until the answer; None is the client's ``call_timeout``.
            wait: Whether to wait, within that time, for a link and for the CSMS's acceptance. A call that has gone out when the link is
                lost still ends with ConnectionClosed.

        Raises:
            NotAccepted: :meth:`boot` was called, and the CSMS has not accepted this station (rules D2, D3).
        """
        started = self._clock.monotonic()
        timeout = self._call_timeout if timeout is None else checked_timeout(timeout, "timeout")
        deadline = None if timeout is None else started + timeout
        self._check_process()
        while True:
            try:
                self._registration.check(action)
                return self.request(action, payload, timeout=None if deadline is None else max(0.0, deadline - self._clock.monotonic()))
            except (NotConnected, NotAccepted) as error:
                if not wait:
                    raise
                if not self._wait_until_sendable(action, deadline):
                    if deadline is None or self._clock.monotonic() < deadline:
                        raise  # the client is closed
                    raise CallTimeout(action, "", self._clock.monotonic() - started, False, self._why_not(action, error)) from None

    def deliver(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """For the package: a call whose time-out counts from its turn on, so that other calls do not make it fail."""
        self._registration.check(action)
        return self.request(action, payload, is_patient=True)

    def request(
        self, action: str, payload: dict[str, Any] | None = None, *, timeout: float | None = None, is_patient: bool = False
    ) -> dict[str, Any]:
        """For the package: a call that passes the registration's gate."""
        asked = self._clock.monotonic()
        response = self._call(action, payload, timeout, is_patient=is_patient)
        self._registration.answered(action, response, max(asked, self._last_sent))
        if self._time.known and not self._tls.settings.verify_time:
            with self._lock:
                # Now the board can know the time, and from the next connect on dates count.
                self._tls = ClientTls(self._tls.settings._replace(verify_time=True))
        return response

    @typed_send
    def send(self, action: str, payload: dict[str, Any] | None = None) -> None:
        """Send a SEND of OCPP 2.1; see :meth:`Connection.send`.

        Raises:
            NotAccepted: As for :meth:`call`.
        """
        self._check_process()
        self._registration.check(action)
        super().send(action, payload)

    # --- Registration and time

    def boot(self, payload: dict[str, Any], *, timeout: float | None = None) -> dict[str, Any]:
        """Register with the CSMS, and wait until it accepts (rules D1 to D6).

        BootNotification is sent, as soon as there is a link, until the answer is Accepted: after Pending and Rejected when the interval
        that the CSMS names is over, or when it triggers one; after no answer, or a CALLERROR, with the delays of ``reconnect``. Until then
        every other call raises NotAccepted, but for what a Pending CSMS triggers. Afterwards heartbeats go out by themselves. A lost link
        does not undo it: this is for the start of the station, not for each connect.

        Args:
            payload: The BootNotification. With the same one as that of a registration which is under way, this only waits for its end.
            timeout: Seconds to wait; None is as long as it takes.

        Returns:
            The accepting response.

        Raises:
            InvalidPayload: The payload is refused before anything was sent.
            CallTimeout: It has not been accepted in time; the registration goes on nevertheless.
            ConnectionClosed: The client was closed meanwhile.
        """
        self._check_process()
        timeout = checked_timeout(timeout, "timeout")
        self._check_boot(payload)
        self._worker.step_aside()  # called in a handler, it must not keep the CSMS's requests from being answered
        deadline = None if timeout is None else self._clock.monotonic() + timeout
        self._registration.require(payload)
        return self._registration.wait_accepted(deadline)

    def _check_boot(self, payload: dict[str, Any]) -> None:
        if len(self._versions) == 1:  # else it is known only when there is a link
            self._check_request(self._versions[0], "BootNotification", payload)

    @property
    def registration(self) -> str | None:
        """The CSMS's last answer to a BootNotification: ``"Accepted"``, ``"Pending"``, ``"Rejected"``; None before the first."""
        return self._registration.status

    @property
    def heartbeat_interval(self) -> float:
        """Seconds between the heartbeats that :meth:`boot` leads to, as the CSMS has said, or as it was set; 0 is one a day (rule D6)."""
        return self._registration.interval

    @heartbeat_interval.setter
    def heartbeat_interval(self, seconds: float) -> None:
        self._registration.interval = seconds

    def now(self) -> datetime:
        """The CSMS's time, aware, in UTC: what it said last, and the seconds since then; the system's while it has said nothing (rule D5).

        The system's clock is never set, and may jump without changing this.
        """
        return self._time.now()

    @property
    def time_offset(self) -> float | None:
        """Seconds that the CSMS's clock is ahead of the system's; None while it is not known."""
        return self._time.offset

    # --- Outbox

    @property
    def outbox(self) -> Outbox:
        """The durable queue: ``client.outbox.put(action, payload)`` (rules D7 to D13).

        Raises:
            RuntimeError: The client was made without one.
        """
        if self._outbox is None:
            raise RuntimeError('the client has no outbox: OcppClient(..., outbox="queue.sqlite3") has one')
        self._check_process()
        return self._outbox

    def _open_outbox(self, outbox: str | PathLike[str] | OutboxSettings) -> Outbox:
        # Here, so that a client without one does not import it, nor SQLite.
        from .outbox import Outbox, OutboxSettings

        settings = outbox if isinstance(outbox, OutboxSettings) else OutboxSettings(outbox)
        return Outbox(settings, self._versions[0], self, self._clock, self._time)

    # --- What it is doing

    @property
    def stats(self) -> dict[str, Any]:
        """What it has done so far, in plain values: a copy. See docs/observability.md for each of them."""
        stats = super().stats
        return {
            **stats,
            "reconnects": max(0, stats["links"] - 1),
            "failed_attempts": self.failed_attempts,
            "registration": self.registration,
            "outbox": None if self._outbox is None else self._outbox.depth(),
        }

    def dump(self, file: TextIO | None = None) -> None:
        """Write down what is going on; see :meth:`Connection.dump`."""
        from .dump import dump_client, dump_outbox, dump_threads

        dump_client(self, file)
        dump_threads(file)
        if self._outbox is not None:
            dump_outbox(self._outbox, file)

    # --- The end

    def close(self, code: int = 1000, reason: str = "", *, drain: bool = False, timeout: float = 10.0) -> None:
        """Close the link, or end the :meth:`connect` of another thread, and connect no more; see :meth:`Connection.close`.

        Args:
            code: The WebSocket close code.
            reason: A short text for the other side.
            drain: Whether to let calls, handlers and the delivery of a message that are under way come to their end first. The rest of
                the outbox stays on disk, with or without it.
            timeout: Seconds for that.
        """
        if drain and not self._is_forked and threading.get_ident() not in self._showing:
            self._drain(self._clock.monotonic() + timeout)
        super().close(code, reason)

    def finish_close(self, deadline: float) -> None:
        """For the package: wait for what :meth:`begin_close` has begun."""
        super().finish_close(deadline)
        if not self._registration.join(remaining(deadline)):
            _log.warning("%s: the registration still runs after close()", self.identity)
        if self._outbox is not None and not self._outbox.join(remaining(deadline)):
            _log.warning("%s: the outbox still delivers after close()", self.identity)

    def run_forever(self) -> None:
        """Block until the client is closed: the main loop of a controller that only answers.

        Ctrl-C ends it with KeyboardInterrupt, as it ends every wait. SIGTERM closes the client with ``drain=True``, and it returns, unless
        the program has a handler of its own for that, or this is not its main thread.
        """
        with terminable() as terminated:
            self.wait_closed()
        if terminated:
            self.close(drain=True)

    def _why_not(self, action: str, error: Exception) -> str:
        """What keeps an action from being sent now; an error said so a while ago."""
        try:
            self._registration.check(action)
        except NotAccepted as newer:
            return newer.why
        return str(error) if isinstance(error, NotConnected) else "the time was over when it could have been sent"

    def _wait_until_sendable(self, action: str, deadline: float | None) -> bool:
        return self._wait_for_link(deadline) and self._registration.wait(action, deadline)

    def _drain(self, deadline: float) -> None:
        if self._outbox is not None:
            self._outbox.drain(deadline)
        with self._lock:
            self._draining, core = True, self._core
            while core is not None and core is self._core and not core.is_idle and self._clock.monotonic() < deadline:
                self._clock.wait(self._changed, deadline, "drain")
        self._worker.wait_idle(self._clock.for_system(deadline))

    def _resolve(self, call: OutgoingCall, outcome: dict[str, Any] | Exception) -> None:
        super()._resolve(call, outcome)
        if self._draining:
            self._changed.notify_all()

    def _give_up(self, core: Protocol, call: OutgoingCall) -> bool:
        gave_up = super()._give_up(core, call)
        if self._draining:
            with self._lock:
                self._changed.notify_all()
        return gave_up

    # --- What registration and outbox need, and what they say

    @property
    def last_sent(self) -> float:
        """For the package: when the last message went out."""
        return self._last_sent

    @property
    def may_send(self) -> bool:
        """For the package: whether the registration lets everything pass."""
        return self._registration.is_open

    def check_request(self, action: str, payload: dict[str, Any]) -> None:
        """For the package: raise InvalidPayload if a request could not be sent by this link."""
        if (version := self.version) is not None:
            self._check_request(version, action, payload)

    def check_queued(self, action: str, payload: dict[str, Any]) -> None:
        """For the package: the same for a message that is queued, with or without a link."""
        self._check_process()
        self._check_request(self._versions[0], action, payload)

    def run(self, task: Callable[[], None]) -> None:
        """For the package: run something on the thread of the handlers."""
        self._worker.put(task)

    def tell(self, event: str, *arguments: Any) -> None:
        """For the package: emit an event."""
        self._put_event(event, *arguments)
        if event == "registration":
            self._wake_outbox()

    def _link_changed(self) -> None:
        self._registration.wake()
        self._wake_outbox()

    def _wake_outbox(self) -> None:
        if self._outbox is not None:
            self._outbox.wake()

    def _life_ended(self) -> None:
        self._registration.close()
        if self._outbox is not None:
            self._outbox.close()

    def _life_begins(self) -> None:
        self._draining = False
        self._registration.resume()
        if self._outbox is not None:
            self._outbox.resume()

    def _serve(self, core: Protocol, link: Link, request: messages.Call | messages.Send) -> None:
        if isinstance(request, messages.Call) and self._registration.is_rejected:
            # Rule D3: a rejected station is silent.
            if core.version == "1.6":
                with self._lock:
                    core.ignore(request.message_id)
            else:
                self._answer(core, link, request, CallError("SecurityError", "the CSMS has rejected this station"))
            return
        super()._serve(core, link, request)

    def _request_answered(self, request: messages.Call | messages.Send, answer: dict[str, Any] | CallError) -> None:
        self._registration.trigger_answered(request.action, request.payload, answer)
