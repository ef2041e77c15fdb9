"""Plays one side of a recorded conversation against a live peer."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ocpp_sync import messages
from ocpp_sync.client import OcppClient
from ocpp_sync.default_responses import minimal_response
from ocpp_sync.errors import CallError, CallTimeout, ConnectionClosed, InvalidPayload
from ocpp_sync.schemas import actions
from ocpp_sync.server import OcppServer
from ocpp_sync.server_connection import OcppClientConnection
from ocpp_sync.timestamps import utcnow

from .comparison import Comparison, Difference
from .pairing import Exchange
from .renewal import TRANSACTION_ID, Renewal
from .script import Answers, Script

__all__ = ["CsmsPlayer", "Outcome", "Played", "answer_as_charge_point", "play_charge_point"]

_EVENT = "TransactionEvent"  # of OCPP 2.x, where the charge point gives a transaction its id
_MAX_DELAY = 366 * 86_400.0  # seconds; what is longer comes from a damaged clock, and cannot be waited for
_LINGER = 0.5  # seconds in which a CALLERROR goes out: unlike an answer, nobody is told when it has


@dataclass
class Outcome:
    """What has become of a recorded call.

    Attributes:
        call: The recorded call.
        differences: In what the answer of now differs; empty if in nothing.
        problem: Why there is nothing to compare, or what differs as a whole; None if there is nothing to say.
        differs: Whether it went otherwise than recorded.
        seconds: How long the answer has taken; None if there was none.
    """

    call: Exchange
    differences: list[Difference] = field(default_factory=list)
    problem: str | None = None
    differs: bool = False
    seconds: float | None = None


class Played:
    """What one side needs to play a script.

    Args:
        script: What is played.
        comparison: How answers are compared.
        renewal: How payloads are renewed.
        speed: How many times as fast as recorded; 0 is as fast as answers come.
        timeout: Seconds for an answer, and for a message that is waited for.
        tell: Told what happens that is not in the recording, once for each kind; from any thread.
    """

    def __init__(
        self,
        script: Script,
        comparison: Comparison,
        renewal: Renewal,
        *,
        speed: float,
        timeout: float,
        tell: Callable[[str], None],
    ) -> None:
        self.script = script
        self.renewal = renewal
        self.timeout = timeout
        self._comparison = comparison
        self._speed = speed
        self._tell = tell
        self._told: set[str] = set()
        self._lock = threading.Lock()  # of what handlers change

    def tell_once(self, text: str) -> None:
        """Say something, once."""
        with self._lock:
            is_new = text not in self._told
            self._told.add(text)
        if is_new:
            self._tell(text)

    def delay(self, earlier: Exchange, call: Exchange) -> float:
        """Seconds from one recorded call to another, at the speed that is wanted."""
        if not self._speed or earlier.frame.time is None or call.frame.time is None:
            return 0.0
        return min(max(0.0, (call.frame.time - earlier.frame.time).total_seconds() / self._speed), _MAX_DELAY)

    def send(self, call: Exchange, peer: OcppClient[Any] | OcppClientConnection) -> Outcome:
        """Send a recorded call, and compare what is answered.

        Raises:
            ConnectionClosed: The link is lost.
        """
        message = call.message
        assert isinstance(message, (messages.Call, messages.Send))
        payload = self.renewal.renew(message.payload)
        started = time.monotonic()
        try:
            if isinstance(message, messages.Send):
                peer.send(message.action, payload)
                return Outcome(call)
            answer = peer.call(message.action, payload, timeout=self.timeout)
        except CallError as error:
            return self._with_error(call, error, time.monotonic() - started)
        except CallTimeout:
            if call.reply is None:
                return Outcome(call, problem="not answered, as recorded")
            return Outcome(call, problem=f"not answered in {self.timeout:g} s", differs=True)
        except InvalidPayload as error:
            return Outcome(call, problem=str(error), differs=True)
        return self._with_answer(call, answer, time.monotonic() - started)

    def _with_answer(self, call: Exchange, answer: dict[str, Any], seconds: float) -> Outcome:
        action = call.action or ""
        if isinstance(call.reply, messages.CallResult):
            if action == "StartTransaction":
                self.renewal.replace(call.reply.payload.get(TRANSACTION_ID), answer.get(TRANSACTION_ID))
            differences = self._comparison.differences(action, call.reply.payload, answer)
            return Outcome(call, differences, differs=bool(differences), seconds=seconds)
        if call.reply is None:
            return Outcome(call, problem="answered; nothing is recorded to compare it with", seconds=seconds)
        return Outcome(call, problem=f"answered; CALLERROR {call.reply.code} recorded", differs=True, seconds=seconds)

    def _with_error(self, call: Exchange, error: CallError, seconds: float) -> Outcome:
        if call.reply is None:
            return Outcome(call, problem=f"CALLERROR {error}; nothing is recorded to compare it with", seconds=seconds)
        if isinstance(call.reply, messages.CallResult):
            return Outcome(call, problem=f"CALLERROR {error}; an answer recorded", differs=True, seconds=seconds)
        differs = call.reply.code != error.code
        problem = f"CALLERROR {error}; {call.reply.code} recorded" if differs else None
        return Outcome(call, problem=problem, differs=differs, seconds=seconds)

    def answer(self, answers: Answers, action: str) -> dict[str, Any] | None:
        """The recorded answer to an action, renewed; None if there is none.

        Raises:
            CallError: It is one.
        """
        with self._lock:
            reply = answers.next(action)
        if isinstance(reply, messages.CallError):
            raise CallError(reply.code, reply.description, reply.details)
        return None if reply is None else self.renewal.renew(reply.payload)


# --- As the charge point


def play_charge_point(played: Played, client: OcppClient[Any]) -> Iterator[Outcome]:
    """Send the calls of the charge point, one after the other, and answer those of the CSMS as recorded, else with NotSupported.

    Args:
        played: What is played.
        client: A client that does not connect again by itself.

    Returns:
        An iterator, each step of which sends a call.

    Raises:
        ConnectionClosed: The link is lost.
    """
    calls = played.script.calls("CS")
    started = time.monotonic()
    for call in calls:
        seconds = started + played.delay(calls[0], call) - time.monotonic()
        if seconds > 0:
            client.wait_closed(seconds)  # the call says what there is to say if it is
        if isinstance(call.message, messages.Call) and call.action == _EVENT:
            transaction = _transaction_of(call.message.payload)
            if transaction is not None and transaction not in played.renewal.transactions:
                played.renewal.replace(transaction, str(uuid.uuid4()))
        yield played.send(call, client)


def answer_as_charge_point(played: Played, client: OcppClient[Any]) -> None:
    """Answer what the CSMS calls; before :func:`play_charge_point`, and before the client connects."""
    answers = Answers(played.script.calls("CSMS"))

    def handle(action: str, request: dict[str, Any]) -> dict[str, Any]:
        answer = played.answer(answers, action)
        if answer is None:
            played.tell_once(f"the CSMS calls {action}, to which no answer is recorded: NotSupported")
            raise CallError("NotSupported", f"{action} is not in the recording")
        return answer

    client.on("*", handle)


# --- As the CSMS


class CsmsPlayer:
    """Answers the calls of a charge point as recorded, and sends it those of the CSMS.

    A call goes out once the charge point's last call before it in the recording has come: the same action, as many times as it is there
    until then. What no answer is recorded to is answered with the shortest valid response.

    Args:
        played: What is played.
        server: A server that does not listen yet.
        identity: Of the charge point.
    """

    def __init__(self, played: Played, server: OcppServer, identity: str) -> None:
        self._played = played
        self._server = server
        self._identity = identity
        calls = played.script.calls("CS")
        self._answers = Answers(calls)
        events = (call.message.payload for call in calls if isinstance(call.message, messages.Call) and call.action == _EVENT)
        self._recorded_transactions = list(dict.fromkeys(filter(None, map(_transaction_of, events))))
        self._transactions: dict[str, None] = {}  # of now
        self._came: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._refused = float("-inf")  # when the last CALLERROR was about to go out, by time.monotonic()
        server.on("*", self._handle)

    def play(self) -> Iterator[Outcome]:
        """Wait for the charge point, as long as it takes, and play; each step sends a call, or misses one of the charge point.

        Raises:
            TimeoutError: The charge point has gone, and has not come again in time.
        """
        played = self._played
        self._server.wait_for(self._identity)
        due: Counter[str] = Counter()
        missed: set[str] = set()
        last = played.script.exchanges[0]
        for exchange in played.script.exchanges:
            action = exchange.action or ""
            if exchange.sender == "CS":
                due[action] += 1
                last = exchange
                continue
            awaited = last.action or ""
            if last.sender == "CS" and not self._have_come({awaited: due[awaited]}):
                missed.add(awaited)
                yield self._missing(last, due)
            self._wait(played.delay(last, exchange))
            last = exchange
            try:
                yield played.send(exchange, self._server.wait_for(self._identity, played.timeout))
            except ConnectionClosed as error:
                yield Outcome(exchange, problem=str(error), differs=True)
        self._have_come({action: count for action, count in due.items() if action not in missed})
        for exchange in {call.action: call for call in played.script.calls("CS")}.values():
            action = exchange.action or ""
            if action not in missed and self._came[action] < due[action]:
                yield self._missing(exchange, due)
        if (connection := self._server.connections.get(self._identity)) is not None:
            connection.wait_closed(max(0.0, self._refused + _LINGER - time.monotonic()))

    def _wait(self, delay: float) -> None:
        """Wait, as long as the charge point is there, or comes again in time."""
        end = time.monotonic() + delay
        while (left := end - time.monotonic()) > 0:
            self._server.wait_for(self._identity, self._played.timeout).wait_closed(left)

    def _have_come(self, due: Mapping[str, int]) -> bool:
        """Whether calls have come as often as they are due; it waits for them, from each message of the charge point to the next."""
        with self._changed:
            while any(self._came[action] < count for action, count in due.items()):
                before = self._came.total()
                if not self._changed.wait_for(lambda: self._came.total() > before, self._played.timeout):  # noqa: B023 (called at once)
                    return False
        return True

    def _missing(self, call: Exchange, due: Counter[str]) -> Outcome:
        action = call.action or ""
        problem = f"came {self._came[action]} of {due[action]} times, and nothing more for {self._played.timeout:g} s"
        return Outcome(call, problem=problem, differs=True)

    def _handle(self, charge_point: OcppClientConnection, action: str, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        try:
            self._learn(action, request)
            yield self._answer(charge_point.version or self._played.script.version, action)
        except CallError:
            self._refused = time.monotonic()
            raise
        finally:  # once the answer has gone out
            with self._changed:
                self._came[action] += 1
                self._changed.notify_all()

    def _learn(self, action: str, request: dict[str, Any]) -> None:
        """A charge point of OCPP 2.x gives its transactions new ids; the first of now is the first recorded one."""
        transaction = _transaction_of(request) if action == _EVENT else None
        if transaction is None or transaction in self._transactions:
            return
        number = len(self._transactions)
        self._transactions[transaction] = None
        if number < len(self._recorded_transactions):
            self._played.renewal.replace(self._recorded_transactions[number], transaction)

    def _answer(self, version: str, action: str) -> dict[str, Any]:
        answer = self._played.answer(self._answers, action)
        if answer is not None:
            return answer
        entry = actions(version).get(action)
        if entry is None:
            self._played.tell_once(f"the charge point calls {action[:60]}, which OCPP {version} does not have: NotImplemented")
            raise CallError("NotImplemented", f"{action[:60]} is no action of OCPP {version}")
        if entry.is_send:
            return {}
        self._played.tell_once(f"the charge point calls {action}, to which no answer is recorded: the shortest valid one")
        return minimal_response(version, action, utcnow())


def _transaction_of(event: dict[str, Any]) -> str | None:
    """The transaction of a TransactionEvent."""
    info = event.get("transactionInfo")
    found = info.get(TRANSACTION_ID) if isinstance(info, dict) else None
    return found if isinstance(found, str) else None
