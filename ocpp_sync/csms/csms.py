"""A CSMS that answers every charge point: :class:`Csms`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Any

from ocpp_sync.default_responses import minimal_response
from ocpp_sync.errors import MalformedMessage
from ocpp_sync.messages import CallResult, parse
from ocpp_sync.messages import Message as AnyMessage
from ocpp_sync.schemas import actions
from ocpp_sync.timestamps import utcnow

from .bookkeeping import KEEPERS, Message, learn
from .books import Books
from .ledger import Ledger, Save
from .records import ChargePoint, Transaction

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from ocpp_sync import OcppClientConnection, OcppServer

__all__ = ["Csms"]

_ANSWERS: frozenset[type[AnyMessage]] = frozenset({CallResult})

# What it cannot do: it has no CA, no OCSP responder, no roaming hub, and nobody to reckon a charging schedule.
_REFUSED = {
    "DataTransfer": "UnknownVendorId",
    "Get15118EVCertificate": "Failed",
    "GetCertificateStatus": "Failed",
    "NotifyEVChargingNeeds": "Rejected",
    "PullDynamicScheduleUpdate": "Rejected",
    "SignCertificate": "Rejected",
}

_SAVE = {
    "BootNotification": Save.DURABLY,
    "StartTransaction": Save.DURABLY,
    "StopTransaction": Save.DURABLY,
    "TransactionEvent": Save.DURABLY,
    "NotifyEvent": Save.NOW,
    "NotifyReport": Save.NOW,
    "StatusNotification": Save.NOW,
}

_MAX_INTERVAL = 2**31 - 1  # seconds; what a charge point can be expected to read

# What a payload that is not as its schema says, where nobody has checked that, does to who reads it.
_SENSELESS = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


class Csms:
    """Answers every request that a charge point may send, in each version, and keeps what a person at the bench wants to know.

    ::

        server = OcppServer()
        csms = Csms(server, tokens=["DEADBEEF"])
        server.listen(9220)

    It takes the handler ``"*"`` of the server: a handler of an action that is registered there answers instead of it, and can ask it by
    :meth:`answer`. What makes no sense, as the end of an unknown transaction, is answered as a CSMS must, counted, and in the log as a
    warning.

    Args:
        server: The server; it need not listen yet.
        interval: Seconds between heartbeats, which a BootNotification is answered with: a whole number from 1 to 2147483647.
        tokens: The idTags and idTokens that may charge, whatever their case; None accepts all.
        state: An SQLite file that keeps it all, so that transactions and their ids go on after a restart; None keeps it in memory. One
            server may use it at a time.

    Raises:
        StateError: The file cannot be used.
        ValueError: The interval is no such number, or the tokens are one text.
    """

    def __init__(
        self,
        server: OcppServer,
        *,
        interval: int = 300,
        tokens: Iterable[str] | None = None,
        state: str | PathLike[str] | None = None,
    ) -> None:
        if not isinstance(interval, int) or isinstance(interval, bool) or not 1 <= interval <= _MAX_INTERVAL:
            raise ValueError(f"the interval is a whole number of seconds from 1 to {_MAX_INTERVAL}, not {interval!r}")
        if isinstance(tokens, str):
            raise ValueError("tokens is a list of texts, not one text")
        self._interval = interval
        self._tokens = None if tokens is None else frozenset(token.casefold() for token in tokens)
        self._live: dict[OcppClientConnection, str] = {}  # and the identity in the books; the ledger's lock guards it
        self._ledger = Ledger(state)
        server.on("*", self.answer)
        server.on("connection", self._connected)
        server.on("close", self._left)
        server.on("frame", self._learn)

    def close(self) -> None:
        """Write what is left to the file, and close it; requests are answered all the same. Twice does not hurt."""
        self._ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # --- What is known

    @property
    def charge_points(self) -> dict[str, ChargePoint]:
        """The charge points by identity: copies, which do not change."""
        with self._ledger.lock:
            return {identity: point.copy() for identity, point in self._ledger.books.charge_points.items()}

    @property
    def transactions(self) -> list[Transaction]:
        """The transactions, oldest first: copies, which do not change. Of those that have ended, the last 1000."""
        with self._ledger.lock:
            return [replace(transaction) for transaction in self._ledger.books.transactions]

    @property
    def problems(self) -> dict[str, int]:
        """What has made no sense, and how often."""
        with self._ledger.lock:
            return dict(self._ledger.problems)

    @property
    def totals(self) -> dict[str, float]:
        """How many transactions have started since this object is there, how many are open, and their energy in Wh, of both together."""
        with self._ledger.lock:
            books = self._ledger.books
            still = [transaction for transaction in books.transactions if transaction.ended is None]
            return {"started": books.started, "open": len(still), "energy_wh": books.energy + sum(each.energy for each in still)}

    # --- What comes

    def answer(self, charge_point: OcppClientConnection, action: str, request: dict[str, Any]) -> dict[str, Any]:
        """Take a request, and make the response to it.

        Args:
            charge_point: Who sends it.
            action: The action.
            request: Its payload.
        """
        assert charge_point.version is not None
        now = utcnow()
        response = self._response(charge_point.version, action, now)
        save = _when_to_save(action, request)
        with self._ledger.lock:
            books = self._ledger.books
            identity = books.known_as(charge_point.identity, charge_point.version)
            message = Message(identity, charge_point.version, action, request, response, now)
            books.changed.durably |= save is Save.DURABLY
            point = books.charge_point(identity)
            point.version, point.last_seen = charge_point.version, now
            keep = KEEPERS.get(action)
            if keep is not None:
                self._try(books, message, lambda: keep(books, message, self._is_known))
        self._ledger.settle(save)
        return response

    def _response(self, version: str, action: str, now: str) -> dict[str, Any]:
        known = actions(version).get(action)
        if known is None or known.response is None:  # an action of the user's own, or a SEND
            return {}
        response = minimal_response(version, action, now)
        if action in _REFUSED:
            response["status"] = _REFUSED[action]
        if action == "BootNotification":
            response["interval"] = self._interval
        return response

    def _try(self, books: Books, message: Message, keep: Callable[[], None]) -> None:
        try:
            keep()
        except _SENSELESS as error:
            text = f"{message.identity}: {message.action} makes no sense: {type(error).__name__}: {error}"
            books.problem("payload that makes no sense", text)

    def _is_known(self, token: Any) -> bool:
        return self._tokens is None or (isinstance(token, str) and token.casefold() in self._tokens)

    def _connected(self, charge_point: OcppClientConnection) -> None:
        with self._ledger.lock:
            books = self._ledger.books
            identity = self._live[charge_point] = books.known_as(charge_point.identity, charge_point.version)
            point = books.charge_point(identity)
            point.version, point.connected, point.last_seen = charge_point.version or "", True, utcnow()
        self._ledger.settle(Save.LATER)

    def _left(self, charge_point: OcppClientConnection, code: int, reason: str) -> None:
        with self._ledger.lock:
            identity = self._live.pop(charge_point, None)
            if identity is not None and identity not in self._live.values():  # else a newer one has taken its place
                self._ledger.books.charge_point(identity).connected = False
        self._ledger.settle(Save.LATER)

    def _learn(self, charge_point: OcppClientConnection, direction: str, text: str) -> None:
        """What a charge point has answered to GetConfiguration or GetVariables, whoever has asked."""
        if direction != "in" or ('"configurationKey"' not in text and '"getVariableResult"' not in text):
            return
        try:
            answer = parse(text, _ANSWERS)
        except MalformedMessage:
            return
        assert isinstance(answer, CallResult)
        with self._ledger.lock:
            books = self._ledger.books
            identity = books.known_as(charge_point.identity, charge_point.version)
            message = Message(identity, charge_point.version or "", "the answer about variables", answer.payload, {}, utcnow())
            self._try(books, message, lambda: learn(books, message))
        self._ledger.settle(Save.NOW)


def _when_to_save(action: str, request: dict[str, Any]) -> Save:
    if action == "TransactionEvent" and request.get("eventType") == "Updated":
        return Save.NOW
    return _SAVE.get(action, Save.LATER)
