"""A CSMS whose answers are a script: it can break every rule that a real one should keep."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import messages
from ..clock import SYSTEM_CLOCK, Clock
from ..endpoint import DEFAULT_MAX_MESSAGE_SIZE
from ..errors import CallError, CallTimeout, ConnectionClosed, MalformedMessage, NotConnected
from ..handshake import choose_subprotocol, parse_target, subprotocols, version_of
from ..limits import Limits
from ..protocol import DIALECTS
from ..server_connection import HandshakeHeaders
from ..transport.http import Exchange, HttpAnswer, HttpServer
from ..transport.link import ABNORMAL
from ..transport.server import accept_link
from .log import Handshake, Log, Received
from .reserved_port import reserve_port
from .responder import Peer, Responder
from .steps import Chooser, Script, Step

if TYPE_CHECKING:
    import ssl
    from os import PathLike
    from types import TracebackType

    from typing_extensions import Self

    from ..transport.link import Link

__all__ = ["ScriptedCsms"]

_log = logging.getLogger("ocpp_sync")

_HOST = "127.0.0.1"
_CLOSE_TIMEOUT = 5.0  # seconds for what stop() waits for
_POLICY_VIOLATION = 1008


class ScriptedCsms:
    """A CSMS on this machine that keeps a log of what it gets, and answers by a script.

    ::

        with ScriptedCsms() as csms:
            csms.script("StartTransaction", Drop(), CallError("InternalError"))
            client = OcppClient("CP1111", version="1.6").connect(csms.url)
            …
            assert csms.wait_for("StartTransaction", 3).outcome == "answered"

    It listens as soon as it is made. What no script says is answered as a CSMS should: a request that breaks its schema with a CALLERROR,
    others with the shortest valid response, one that accepts; the transaction ids of 1.6 rise from 1. WebSocket pings are answered.

    Args:
        versions: What it speaks; a charge point gets the first of its own that is among them, or 400.
        port: 0 picks a free one, which it keeps.
        clock: For the times that it tells and notes, and for :class:`Delay` and :class:`Late`.
        interval: Seconds that a BootNotification is answered with.
        certfile: The PEM file of its certificate and chain, for ``wss://``; None is without TLS.
        keyfile: The PEM file of the private key; None is in ``certfile`` too.
        client_ca: The PEM file of the CAs that sign charge points' certificates, which they must have then; None asks for none.

    Attributes:
        port: The port of 127.0.0.1 that it listens at.
        url: The endpoint for a charge point.
    """

    def __init__(
        self,
        *,
        versions: str | Sequence[str] = ("2.1", "2.0.1", "1.6"),
        port: int = 0,
        clock: Clock = SYSTEM_CLOCK,
        interval: int = 300,
        certfile: str | PathLike[str] | None = None,
        keyfile: str | PathLike[str] | None = None,
        client_ca: str | PathLike[str] | None = None,
    ) -> None:
        self._subprotocols = subprotocols([versions] if isinstance(versions, str) else versions)
        self._context: ssl.SSLContext | None = None
        if certfile is not None:
            from ..tls import server_context

            self._context = server_context(certfile, keyfile, client_ca=client_ca)
        self._clock = clock
        self._log = Log(clock)
        self._changed = self._log.changed
        self._responder = Responder(self._log, clock, interval)
        self._script = Script()
        self._peers: dict[str, Peer] = {}
        self._numbers = itertools.count(1)
        self._refusal: int | None = None
        self._http: HttpServer | None = None
        self._reserved = reserve_port(_HOST, port)
        self.port: int = self._reserved.getsockname()[1]
        self.url = f"{'ws' if self._context is None else 'wss'}://{_HOST}:{self.port}"
        try:
            self.start()
        except BaseException:
            self._reserved.close()
            raise

    # --- Running

    def start(self) -> None:
        """Listen again after :meth:`stop`, at the same port; script, logs and transaction ids go on where they were.

        Raises:
            RuntimeError: It listens already.
        """
        with self._changed:
            if self._http is not None:
                raise RuntimeError(f"the CSMS listens at port {self.port} already")
            self._http = HttpServer(_HOST, self.port, self._handle, Limits(), self._context)
            self._http.start()

    def stop(self, code: int | None = None) -> None:
        """Go down: end all connections, and let TCP refuse new ones until :meth:`start`.

        Args:
            code: The close code to say goodbye with, for example 1001; None just cuts the connections.
        """
        deadline = time.monotonic() + _CLOSE_TIMEOUT
        with self._changed:
            http, self._http = self._http, None
            peers = list(self._peers.values())
        if http is None:
            return
        http.stop()
        if code is not None:
            for peer in peers:
                peer.link.close(code, "the CSMS stops")
            http.join(deadline)
        http.cut()
        for name in http.join(max(deadline, time.monotonic() + 1.0)):
            _log.warning("the thread %r still runs after stop()", name)

    def close(self) -> None:
        """End everything; twice does not hurt. The logs stay."""
        self.stop()
        self._responder.close()
        self._reserved.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "stopped" if self._http is None else f"at {self.url}"
        return f"<ScriptedCsms {state}, {len(self.identities)} connected, {len(self.received)} messages received>"

    # --- What it does

    @property
    def interval(self) -> int:
        """Seconds that a BootNotification is answered with; may be set at any time."""
        return self._responder.interval

    @interval.setter
    def interval(self, seconds: int) -> None:
        self._responder.interval = seconds

    def script(self, action: str, *steps: Step | Chooser) -> None:
        """Say what becomes of the next requests of an action, instead of what was said before.

        Args:
            action: An action, or ``"*"`` for those that have no script of their own, or not any more.
            steps: One for each request, in order: an :class:`Answer`, :class:`Drop`, :class:`Duplicate`, :class:`Delay`, :class:`Late`,
                :class:`~ocpp_sync.CallError`, :class:`Close`, :class:`Cut` or :class:`CutAfter`. The last one may be a function,
                which is asked for each request from then on, in the thread of its connection; it gets the :class:`Received` and
                returns a step, or None for the default. After the last step the default holds again.

        Raises:
            ValueError: No version defines the action, or a step is none.
        """
        self._script.set(action, steps)

    def release(self) -> None:
        """Take all steps now that a :class:`Late` holds back."""
        with self._changed:
            peers = list(self._peers.values())
        for peer in peers:
            self._responder.release(peer)

    def refuse(self, status: int = 401) -> None:
        """Answer each attempt to connect with an HTTP status from now on; the connections that are there stay."""
        self._refusal = status

    def accept(self) -> None:
        """Let charge points connect again."""
        self._refusal = None

    def disconnect(self, identity: str, code: int | None = None) -> None:
        """End the connection of a charge point.

        Args:
            identity: Its identity.
            code: A WebSocket close code; None cuts the TCP connection.

        Raises:
            NotConnected: It is not connected.
        """
        link = self._peer(identity).link
        if code is None:
            link.abort()
        else:
            link.close(code)

    def call(self, identity: str, action: str, payload: Mapping[str, Any] | None = None, timeout: float = 10.0) -> dict[str, Any]:
        """Send a CALL to a charge point, whatever else is under way, and wait for its answer; nothing is checked.

        Args:
            identity: Its identity.
            action: The action.
            payload: The request; None is ``{}``.
            timeout: Seconds of real time.

        Returns:
            The response.

        Raises:
            CallError: It answered with a CALLERROR.
            CallTimeout: It did not answer.
            NotConnected: It is not connected.
            ConnectionClosed: The connection ended meanwhile.
        """
        started = time.monotonic()
        peer = self._peer(identity)
        call = messages.Call(str(uuid.uuid4()), action, dict(payload or {}))
        answers: queue.SimpleQueue[messages.CallResult | messages.CallError | ConnectionClosed] = queue.SimpleQueue()
        with self._changed:
            if not peer.is_open:
                raise NotConnected
            peer.calls[call.message_id] = answers
        try:
            peer.link.post(messages.serialise(call))
            answer = answers.get(timeout=timeout)
        except queue.Empty:
            raise CallTimeout(action, call.message_id, time.monotonic() - started, True) from None
        finally:
            with self._changed:
                peer.calls.pop(call.message_id, None)
        if isinstance(answer, ConnectionClosed):
            raise answer
        if isinstance(answer, messages.CallError):
            raise CallError(answer.code, answer.description, answer.details)
        return answer.payload

    def _peer(self, identity: str) -> Peer:
        with self._changed:
            peer = self._peers.get(identity)
            names = ", ".join(self._peers) or "nobody"
        if peer is None:
            raise NotConnected(reason=f"{identity} is not connected; connected: {names}")
        return peer

    # --- What it has seen

    @property
    def received(self) -> list[Received]:
        """All messages so far, in the order in which they came; a copy."""
        return self._log.received

    @property
    def handshakes(self) -> list[Handshake]:
        """All attempts to connect so far that have come as far as HTTP; a copy."""
        return self._log.handshakes

    @property
    def identities(self) -> list[str]:
        """Who is connected; a copy."""
        with self._changed:
            return list(self._peers)

    def clear(self) -> None:
        """Forget the logs."""
        self._log.clear()

    def wait_for(self, action: str, count: int = 1, timeout: float = 10.0) -> Received:
        """Wait until so many requests of an action have come.

        Args:
            action: The action; ``"*"`` is any message.
            count: How many, since the beginning, or the last :meth:`clear`.
            timeout: Seconds of real time.

        Returns:
            The last of these.

        Raises:
            TimeoutError: They have not come in time; the text says what has.
        """
        return self._log.wait_for(action, count, timeout)

    def wait_until(self, condition: Callable[[ScriptedCsms], bool], timeout: float = 10.0) -> None:
        """Wait until a function of the CSMS is true; it is asked whenever something has come, gone, or been answered.

        Args:
            condition: For example ``lambda csms: "CP1111" in csms.identities``. It must not wait.
            timeout: Seconds of real time.

        Raises:
            TimeoutError: It has not become true in time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: condition(self), timeout):
                raise TimeoutError(f"the condition has not become true within {timeout:g} s: {self!r}")

    # --- The thread of a connection

    def _handle(self, environ: dict[str, Any], exchange: Exchange) -> HttpAnswer | None:
        target = parse_target(environ["REQUEST_URI"])
        identity = "" if target is None else target.identity
        subprotocol = choose_subprotocol(environ.get("HTTP_SEC_WEBSOCKET_PROTOCOL", ""), self._subprotocols)
        status = self._refusal or (404 if target is None else 400 if subprotocol is None else 101)
        link: Link | None = None
        now = self._clock.monotonic()
        # The lock is held while 101 goes out, which waits for nothing: whoever has seen the answer finds it in the log.
        with self._changed:
            if status == 101:
                try:
                    link = accept_link(
                        environ,
                        exchange.open_stream(),
                        subprotocol=subprotocol,
                        max_message_size=DEFAULT_MAX_MESSAGE_SIZE,
                        compression=False,
                    )
                except ValueError:
                    status = 400
            self._log.add_handshake(Handshake(identity, now, status, _headers(environ)))
            if link is None or subprotocol is None:
                challenge = (("WWW-Authenticate", 'Basic realm="OCPP"'),) if status == 401 else ()
                return HttpAnswer(status, "This connection is refused.", challenge)
            peer = Peer(identity, version_of(subprotocol), next(self._numbers), link)
            older, self._peers[identity] = self._peers.get(identity), peer
        if older is not None:
            older.link.close(_POLICY_VIOLATION, "replaced by a newer connection of this identity")
            older.link.abort()
        self._serve(peer)
        return None

    def _serve(self, peer: Peer) -> None:
        threading.current_thread().name = f"csms-rx {peer.identity}"
        closed = ConnectionClosed(ABNORMAL, "the reader failed")
        try:
            closed = ConnectionClosed(*peer.link.run(lambda text: self._receive(peer, text)))
        finally:
            with self._changed:
                if self._peers.get(peer.identity) is peer:
                    del self._peers[peer.identity]
                self._responder.leave(peer)
                for answers in peer.calls.values():
                    answers.put(closed)
                self._changed.notify_all()

    def _receive(self, peer: Peer, text: str) -> None:
        try:
            message = messages.parse(text, DIALECTS[peer.version].kinds)
        except MalformedMessage as error:
            self._log.add(peer.identity, peer.number, "", {}, error.message_id or "", "malformed")
            return
        if isinstance(message, (messages.Call, messages.Send)):
            self._request(peer, message)
        elif isinstance(message, messages.CallResultError) or not self._resolve(peer, message):
            self._log.add(peer.identity, peer.number, "", {}, message.message_id, "unasked")

    def _resolve(self, peer: Peer, answer: messages.CallResult | messages.CallError) -> bool:
        with self._changed:
            answers = peer.calls.pop(answer.message_id, None)
        if answers is not None:
            answers.put(answer)
        return answers is not None

    def _request(self, peer: Peer, request: messages.Call | messages.Send) -> None:
        entry = self._log.add(peer.identity, peer.number, request.action, request.payload, request.message_id)
        self._responder.release(peer)
        if isinstance(request, messages.Send):
            return
        try:
            step = self._script.next(entry.received)
        except Exception:
            _log.exception("the script for %s failed", request.action)
            self._log.note(entry, "failed")
        else:
            self._responder.take(peer, entry, step)


def _headers(environ: Mapping[str, Any]) -> HandshakeHeaders:
    return HandshakeHeaders([(name[5:].replace("_", "-").title(), value) for name, value in environ.items() if name.startswith("HTTP_")])
