"""A CSMS that answers every charge point: :class:`Csms`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Any

from ocpp_sync.default_responses import minimal_response
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
        interval: Seconds between heartbeats, which a BootNotification is answered with.
        tokens: The idTags and idTokens that may charge, whatever their case; None accepts all.
        state: An SQLite file that keeps it all, so that transactions and their ids go on after a restart; None keeps it in memory. One
            server may use it at a time.

    Raises:
        StateError: The file cannot be used.
        ValueError: The interval is not above zero, or the tokens are one text.
    """

    def __init__(
        self,
        server: OcppServer,
        *,
        interval: int = 300,
        tokens: Iterable[str] | None = None,
        state: str | PathLike[str] | None = None,
    ) -> None:
        if interval < 1:
            raise ValueError(f"the interval is a number of seconds above zero, not {interval}")
        if isinstance(tokens, str):
            raise ValueError("tokens is a list of texts, not one text")
        self._interval = interval
        self._tokens = None if tokens is None else frozenset(token.casefold() for token in tokens)
        self._live: dict[str, OcppClientConnection] = {}  # the ledger's lock guards it
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
        with self._ledger.open() as books:
            return {identity: point.copy() for identity, point in books.charge_points.items()}

    @property
    def transactions(self) -> list[Transaction]:
        """The transactions, oldest first: copies, which do not change. Of those that have ended, the last 1000."""
        with self._ledger.open() as books:
            return [replace(transaction) for transaction in books.transactions]

    @property
    def problems(self) -> dict[str, int]:
        """What has made no sense, and how often."""
        with self._ledger.open():
            return dict(self._ledger.problems)

    @property
    def totals(self) -> dict[str, float]:
        """How many transactions have started since this object is there, how many are open, and their energy in Wh, of both together."""
        with self._ledger.open() as books:
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
        message = Message(charge_point.identity, charge_point.version, action, request, response, now)
        with self._ledger.open(_when_to_save(action, request)) as books:
            point = books.charge_point(charge_point.identity)
            point.version, point.last_seen = charge_point.version, now
            keep = KEEPERS.get(action)
            if keep is not None:
                self._try(books, message, lambda: keep(books, message, self._is_known))
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

    def _is_known(self, token: str) -> bool:
        return self._tokens is None or token.casefold() in self._tokens

    def _connected(self, charge_point: OcppClientConnection) -> None:
        with self._ledger.open(Save.LATER) as books:
            self._live[charge_point.identity] = charge_point
            point = books.charge_point(charge_point.identity)
            point.version, point.connected, point.last_seen = charge_point.version or "", True, utcnow()

    def _left(self, charge_point: OcppClientConnection, code: int, reason: str) -> None:
        with self._ledger.open(Save.LATER) as books:
            if self._live.get(charge_point.identity) is charge_point:  # else a newer one has taken its place
                del self._live[charge_point.identity]
                books.charge_point(charge_point.identity).connected = False

    def _learn(self, charge_point: OcppClientConnection, direction: str, text: str) -> None:
        """What a charge point has answered to GetConfiguration or GetVariables, whoever has asked."""
        if direction != "in" or ('"configurationKey"' not in text and '"getVariableResult"' not in text):
            return
        try:
            kind, _, response = json.loads(text)
        except ValueError:
            return
        if kind != 3:
            return
        message = Message(charge_point.identity, charge_point.version or "", "the answer about variables", response, {}, utcnow())
        with self._ledger.open(Save.NOW) as books:
            self._try(books, message, lambda: learn(books, message))


def _when_to_save(action: str, request: dict[str, Any]) -> Save:
    if action == "TransactionEvent" and request.get("eventType") == "Updated":
        return Save.NOW
    return _SAVE.get(action, Save.LATER)
