"""The server that a test's charge points connect to."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..checks import Checks
from ..csms import Csms
from ..schemas import actions
from .adjustable_server import AdjustableServer
from .conversation import Conversation, ReceivedRequest, SeenFrame
from .counted_ids import CountedIds
from .expectations import Expectation
from .failures import Failures
from .inbox import Inbox
from .possible import check_action
from .printable import printable
from .replies import Reply, check_reply
from .report import transcript

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from ..server import OcppServer
    from ..server_connection import HandshakeRequest, OcppClientConnection
    from .certificates import Certificates

__all__ = ["OcppServerFixture"]

_HOST = "127.0.0.1"


class OcppServerFixture:
    """A CSMS for a test: it listens, answers each charge point, keeps what these send, and knows what the test expects.

    It is what the fixture ``ocpp_server`` of the pytest plug-in gives to a test, and a context manager for other test frameworks. All times
    are real ones.

    Args:
        versions: What it speaks; None is all versions.
        heartbeat_interval: Seconds that a BootNotification is answered with.
        tokens: The idTags and idTokens that may charge; None accepts all.
        password: What the charge points must show by Basic authentication; None asks for none.
        certificates: Where it has its own from, for ``wss://``; None is without TLS.
        client_certificates: Whether each charge point must have one of these, too; ``certificates.of("CP1")`` makes it.
        timeout: Seconds that its methods wait, if they are not told otherwise.
        allow_invalid: Whether a charge point may send what breaks its schema; else :meth:`check` fails.
        allow_failures: Whether handlers may raise what is no CallError; else :meth:`check` fails.
        options: Those of :class:`~ocpp_sync.OcppServer`.

    Raises:
        ValueError: An argument is none of these.

    Attributes:
        server: The server; handlers that are registered there come before all else.
        csms: What answers, and keeps the charge points, transactions and variables.
        url: The endpoint for a charge point.
        versions: What it speaks, the preferred one first.
        password, client_certificates: As given.
        certificates: As given; ``certificates.ca`` is the PEM file of the CA that a charge point must trust.
        allow_invalid, allow_failures: As given; may be set.
    """

    def __init__(
        self,
        *,
        versions: str | Sequence[str] | None = None,
        heartbeat_interval: int = 300,
        tokens: Iterable[str] | None = None,
        password: str | bytes | None = None,
        certificates: Certificates | None = None,
        client_certificates: bool = False,
        timeout: float = 10.0,
        allow_invalid: bool = False,
        allow_failures: bool = False,
        **options: Any,
    ) -> None:
        if not (isinstance(timeout, (int, float)) and 0 < timeout < float("inf")):
            raise ValueError(f"timeout is a number of seconds above zero, not {timeout!r}")
        if versions is not None:
            options["versions"] = [versions] if isinstance(versions, str) else versions
        self.password = password
        self.certificates = certificates
        self.client_certificates = client_certificates
        self.allow_invalid = allow_invalid
        self.allow_failures = allow_failures
        self._conversation = Conversation(timeout)
        self._server = AdjustableServer(**options)
        self.server: OcppServer = self._server
        self.versions = self._server.versions
        self.csms = Csms(self.server, interval=heartbeat_interval, tokens=tokens)
        self._checks = Checks("CSMS", self._server.policy, "", self._server.keys)
        self._inbox = Inbox(self._conversation)
        for event in ("frame", "connection", "close", "rejected"):
            self.server.on(event, getattr(self._conversation, event))
        if password is not None:
            self.server.on("authorization", partial(_has_password, password.encode() if isinstance(password, str) else password))
        self._ids = CountedIds()
        self._told: set[str] = set()
        self._failures = Failures()
        self._failures.install()
        self._ids.install()
        try:
            self._listen(certificates, client_certificates)
        except BaseException:
            self.close()
            raise

    def _listen(self, certificates: Certificates | None, client_certificates: bool) -> None:
        if certificates is None:
            self.server.listen(0, _HOST)
        else:
            certfile, keyfile = certificates.server
            self.server.listen(0, _HOST, certfile=certfile, keyfile=keyfile, client_ca=certificates.ca if client_certificates else None)
        self.url = self.server.url

    def close(self) -> None:
        """End all connections and threads; twice does not hurt. What was received stays."""
        self._ids.remove()
        self.server.close()
        self.csms.close()
        self._failures.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
        if kind is None:
            self.check()

    def __repr__(self) -> str:
        return f"<OcppServerFixture at {self.url}, {len(self.server.connections)} connected, {len(self.received)} requests received>"

    # --- The charge points

    def __getitem__(self, identity: str) -> OcppClientConnection:
        """The connection of a charge point: ``ocpp_server["CP1"].call("Reset", {"type": "Soft"})``.

        Raises:
            KeyError: It is not connected; the text names those that are.
        """
        return self.server[identity]

    def __contains__(self, identity: object) -> bool:
        return identity in self.server

    def wait_for(self, identity: str, timeout: float | None = None) -> OcppClientConnection:
        """Wait until a charge point is connected.

        Args:
            identity: Its identity.
            timeout: Seconds; None is :attr:`timeout`.

        Raises:
            TimeoutError: It has not come in time.
        """
        __tracebackhide__ = True
        try:
            return self.server.wait_for(identity, self._timeout(timeout))
        except TimeoutError as error:
            raise TimeoutError(f"{error}{self._conversation.refusals()}") from None

    def wait_booted(self, identity: str | None = None, timeout: float | None = None) -> OcppClientConnection:
        """Wait until a BootNotification of a charge point has been accepted; :meth:`expect` finds it afterwards all the same.

        Args:
            identity: Its identity; None is any.
            timeout: Seconds; None is :attr:`timeout`.

        Returns:
            Its connection.

        Raises:
            AssertionError: It has not come so far in time.
            KeyError: It has, but is not connected any more.
        """
        __tracebackhide__ = True
        expectation = Expectation("BootNotification", {}, identity, self._server.spoken)
        booted = self._inbox.wait(lambda request: expectation.is_about(request) and _is_accepted(request), self._timeout(timeout))
        if booted is None:
            raise AssertionError(f"no {expectation} has been accepted within {self._timeout(timeout):g} s{self._conversation.refusals()}")
        return self.server[booted.identity]

    def call(
        self,
        action: str,
        payload: Mapping[str, Any] | None = None,
        /,
        *,
        identity: str | None = None,
        timeout: float | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """Call a charge point: the only one that is connected, or will be in time.

        Args:
            action: The action.
            payload: The request; None is ``{}``.
            identity: The charge point, where there are several.
            timeout: Seconds for the connection, and for the answer; None is :attr:`timeout`.
            fields: Fields of the request, beside those of ``payload``: ``call("Reset", type="Soft")``.

        Returns:
            The response.

        Raises:
            AssertionError: There is no charge point, or there are several.
            OcppError: See :meth:`~ocpp_sync.OcppClientConnection.call`.
        """
        __tracebackhide__ = True
        connection = self._only(timeout) if identity is None else self.wait_for(identity, timeout)
        return connection.call(action, {**(payload or {}), **fields}, timeout=self._timeout(timeout))

    def _only(self, timeout: float | None) -> OcppClientConnection:
        deadline = time.monotonic() + self._timeout(timeout)
        changed = self._conversation.changed
        with changed:
            while not (connections := list(self.server.connections.values())):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(
                        f"no charge point has connected within {self._timeout(timeout):g} s{self._conversation.refusals()}"
                    )
                changed.wait(left)
        if len(connections) > 1:
            names = ", ".join(sorted(connection.identity for connection in connections))
            raise AssertionError(f"{len(connections)} charge points are connected ({names}): say which one, with identity=")
        return connections[0]

    # --- What came

    @property
    def received(self) -> list[ReceivedRequest]:
        """All requests of the charge points, in order: a copy."""
        with self._conversation.changed:
            return list(self._conversation.requests)

    @property
    def frames(self) -> list[SeenFrame]:
        """All frames, in order, nothing masked: a copy."""
        with self._conversation.changed:
            return list(self._conversation.frames)

    @property
    def failures(self) -> list[str]:
        """What handlers, of clients too, have raised: of each a text with the traceback. What is taken out does not count."""
        return self._failures.texts

    def transcript(self) -> str:
        """All frames, connections and refusals as lines for people, secrets masked."""
        return transcript(self._conversation)

    def expect(
        self,
        action: str,
        fields: Mapping[str, Any] | None = None,
        /,
        *,
        identity: str | None = None,
        timeout: float | None = None,
        any_order: bool = False,
        **more: Any,
    ) -> ReceivedRequest:
        """Wait for the next request of a charge point that is like this, and return it.

        Requests that came before count too, but each is returned once, and of each charge point it goes forward only: what came before
        the last one that was returned is passed.

        Args:
            action: The action; ``"*"`` is any.
            fields: What the payload must have, see ``more``; for names that are arguments of this method.
            identity: The charge point; None is any.
            timeout: Seconds; None is :attr:`timeout`.
            any_order: Whether it may have been passed; then it passes nothing either.
            more: The values of fields. The parts of a path are joined by ``__``, numbers are places in a list:
                ``transactionInfo__chargingState="Charging"``. A dict is what the object there must have, a list what its items must have;
                a function is asked about the value, a type is what it must be of; None stands for a field that is not there.

        Raises:
            AssertionError: It has not come in time; the text says what came instead, and in what that differs.
            ValueError: No charge point sends this action, or it has no such field, or that can have no such value.
        """
        __tracebackhide__ = True
        expectation = Expectation(action, {**(fields or {}), **more}, identity, self._server.spoken)
        return self._inbox.take(expectation, self._timeout(timeout), any_order=any_order)

    def expect_no(
        self,
        action: str,
        fields: Mapping[str, Any] | None = None,
        /,
        *,
        identity: str | None = None,
        within: float = 0.0,
        **more: Any,
    ) -> None:
        """Check that no such request has come, after those that :meth:`expect` has passed.

        It waits for nothing by itself: expect first what the charge point does instead, or does after it.

        Args:
            action: As for :meth:`expect`.
            fields: As for :meth:`expect`.
            identity: As for :meth:`expect`.
            within: Seconds in which none may come either. The test takes that long.
            more: As for :meth:`expect`.

        Raises:
            AssertionError: One has come.
            ValueError: As for :meth:`expect`.
        """
        __tracebackhide__ = True
        expectation = Expectation(action, {**(fields or {}), **more}, identity, self._server.spoken)
        self._inbox.take_none(expectation, within)

    @property
    def timeout(self) -> float:
        """Seconds that the methods wait, if they are not told otherwise; may be set."""
        return self._conversation.timeout

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        self._conversation.timeout = seconds

    def _timeout(self, timeout: float | None) -> float:
        return self.timeout if timeout is None else timeout

    # --- What it answers

    def reply(self, action: str, reply: Reply | Sequence[Reply] | None, *, once: bool = False, validate: bool = True) -> None:
        """Answer requests of an action in another way.

        Args:
            action: The action.
            reply: The response, a dict; a :class:`~ocpp_sync.CallError` to send instead; a function that makes one of these from the
                request, which runs on a thread of the server and may wait; a list of these, one for each of the next requests; None is
                as a CSMS would answer.
            once: Whether it is for the next request only.
            validate: False sends it even if it breaks the schema of the action, and so from then on all that is replied to that.

        Raises:
            InvalidPayload: The response breaks its schema; the text says what to write instead.
            ValueError: No charge point sends the action, or it is never answered.
            TypeError: It is no reply.
        """
        __tracebackhide__ = True
        check_action(action, self._server.spoken)
        keys = [key for key in self._server.spoken if action in actions(key)]
        if not keys:
            raise ValueError(f"a reply is to one action, not to {action!r}")
        if all(actions(key)[action].is_send for key in keys):
            raise ValueError(f"{action} is a SEND, which is never answered")
        is_list = isinstance(reply, Sequence) and not isinstance(reply, str)
        replies: list[Any] = [*reply] if is_list else [] if reply is None else [reply]  # type: ignore[misc]
        if validate:
            likely = [key for key in self._server.spoken_now if key in keys] or keys
            for each in replies:
                check_reply(action, each, likely)
            self._server.policy.unchecked.discard(action)
        else:
            self._server.policy.unchecked.add(action)
        handler = self._server.replies(action)
        if once or is_list:
            handler.append(replies)
        else:
            handler.set(replies[0] if replies else None)

    # --- The end

    def check(self) -> None:
        """Check that no charge point has sent what breaks its schema, and that no handler has failed, unless that is allowed.

        Raises:
            AssertionError: One has; the text says what. The next time it does not count any more.
        """
        __tracebackhide__ = True
        if problems := self.new_problems():
            raise AssertionError("\n\n".join(problems))

    def new_problems(self) -> list[str]:
        """What :meth:`check` would say, one text each; they do not count any more."""
        found = [] if self.allow_invalid else [f"{each}\n(allow_invalid=True lets it)" for each in self._conversation.invalid(self._checks)]
        found += [] if self.allow_failures else [f"{each}\n(allow_failures=True lets it)" for each in self.failures]
        new = [problem for problem in map(printable, found) if problem not in self._told]
        self._told.update(new)
        return new


def _is_accepted(request: ReceivedRequest) -> bool:
    return isinstance(request.answer, dict) and request.answer.get("status") == "Accepted"


def _has_password(password: bytes, identity: str, request: HandshakeRequest) -> bool:
    return request.password == password
