"""What a CSMS knows of the transactions, from the messages alone that it has got."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ocpp_sync import parse_time
from ocpp_sync.testing import Received


@dataclass
class Transaction:
    """A transaction, from its start to its end.

    Attributes:
        readings: The energy register in Wh as it was told, the first and the last included.
        times: When, of each message.
        why: The reason in 1.6; stoppedReason and triggerReason in 2.0.1.
    """

    number: Any
    tag: str
    readings: list[int] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    why: Any = None

    @property
    def wh(self) -> int:
        return self.readings[-1] - self.readings[0]

    def _add(self, time: str, *readings: Any) -> None:
        assert self.why is None, f"{self.number} has ended before"
        self.times.append(parse_time(time))
        self.readings += [int(each) for each in readings]


def keep(received: Iterable[Received]) -> list[Transaction]:
    """The transactions, in the order in which they have begun; whatever is not as it should be raises AssertionError."""
    books: dict[Any, Transaction] = {}
    for each in received:
        if each.action == "StartTransaction":
            assert isinstance(each.response, dict)
            _start(books, each.response["transactionId"], each.payload["idTag"])._add(each.payload["timestamp"], each.payload["meterStart"])
        elif each.action == "MeterValues" and "transactionId" in each.payload:
            (value,) = each.payload["meterValue"]
            books[each.payload["transactionId"]]._add(value["timestamp"], _register(value))
        elif each.action == "StopTransaction":
            transaction = books[each.payload["transactionId"]]
            transaction._add(each.payload["timestamp"], each.payload["meterStop"])
            transaction.why = each.payload["reason"]
        elif each.action == "TransactionEvent":
            _event(books, each.payload)
    return list(books.values())


def _start(books: dict[Any, Transaction], number: Any, tag: str) -> Transaction:
    assert number not in books, f"{number} begins twice"
    assert all(each.why is not None for each in books.values()), f"{number} begins before another has ended"
    books[number] = Transaction(number, tag)
    return books[number]


def _event(books: dict[Any, Transaction], event: dict[str, Any]) -> None:
    info = event["transactionInfo"]
    number = info["transactionId"]
    if event["eventType"] == "Started":
        _start(books, number, event["idToken"]["idToken"])
    transaction = books[number]
    assert event["seqNo"] == len(transaction.times)
    transaction._add(event["timestamp"], *(_register(value) for value in event.get("meterValue", ())))
    if event["eventType"] == "Ended":
        transaction.why = info["stoppedReason"], event["triggerReason"]


def _register(value: dict[str, Any]) -> Any:
    """The energy register of a meter value."""
    (found,) = (each["value"] for each in value["sampledValue"] if each["measurand"] == "Energy.Active.Import.Register")
    return found
