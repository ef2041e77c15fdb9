"""What is held while the books of a CSMS are changed: charge points, transactions, and what is wrong with them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .records import ChargePoint, Transaction

__all__ = ["MAX_CHARGE_POINTS", "MAX_ENDED", "MAX_OPEN", "MAX_VARIABLES", "Books", "Changed"]

# What a flood of charge points, or one that runs for months, may take of the memory. The file keeps all.
MAX_CHARGE_POINTS = 10_000
MAX_OPEN = 10_000
MAX_ENDED = 1000
# Of connectors, measurands and variables together; of one charge point, and of all. About as many bytes.
_MAX_SIZE_EACH = 5_000_000
_MAX_SIZE = 50_000_000
_ENTRY = 250  # what each takes beside its text
MAX_VARIABLES = _MAX_SIZE_EACH // _ENTRY


@dataclass
class Changed:
    """What has changed since it was written: identities, names of variables, and transactions, in their order."""

    charge_points: dict[str, ChargePoint] = field(default_factory=dict)
    variables: dict[tuple[str, str], str | None] = field(default_factory=dict)
    transactions: dict[tuple[str, int | str], Transaction] = field(default_factory=dict)
    durably: bool = False

    def __bool__(self) -> bool:
        return bool(self.charge_points or self.variables or self.transactions)

    def before(self, later: Changed) -> Changed:
        """Both together; what has changed twice is as it was later."""
        return Changed(
            {**self.charge_points, **later.charge_points},
            {**self.variables, **later.variables},
            {**self.transactions, **later.transactions},
            self.durably or later.durably,
        )


class Books:
    """The books themselves; who uses them holds the lock of the :class:`~ocpp_sync.csms.ledger.Ledger`.

    Args:
        charge_points: Those that are known from the beginning, the one that was seen last first; as many are taken as there is room for.
        transactions: Those that are known from the beginning, oldest first.
        last_id: The highest transaction id of 1.6 so far.

    Attributes:
        charge_points: By identity.
        changed: What is to be written.
        found: The problems that are to be counted and logged, each with its kind.
        started: How many transactions have started.
        energy: What has been charged in those that have ended, in Wh.
    """

    def __init__(self, charge_points: Iterable[ChargePoint], transactions: list[Transaction], last_id: int) -> None:
        self.charge_points: dict[str, ChargePoint] = {}
        self._sizes: dict[str, int] = {}
        self._size = 0
        self._restore(charge_points)
        self.changed = Changed()
        self.found: list[tuple[str, str]] = []
        self.started = 0
        self.energy = 0.0
        self._last_id = last_id
        self._transactions = {(each.identity, each.id): each for each in transactions}
        self._open: dict[str, dict[int | str, Transaction]] = {}
        self._ended: deque[tuple[str, int | str]] = deque()
        for each in transactions:
            if each.ended is None:
                self._open.setdefault(each.identity, {})[each.id] = each
            else:
                self._ended.append((each.identity, each.id))

    def _restore(self, charge_points: Iterable[ChargePoint]) -> None:
        for point in charge_points:
            size = _size_of(point)
            while size > _MAX_SIZE_EACH and point.variables:
                size -= _cost(*point.variables.popitem())
            if len(self.charge_points) >= MAX_CHARGE_POINTS or self._size + size > _MAX_SIZE:
                break
            self.charge_points[point.identity] = point
            self._sizes[point.identity] = size
            self._size += size
        self.charge_points = dict(reversed(self.charge_points.items()))

    def known_as(self, identity: str, version: str | None) -> str:
        """The identity under which a charge point is kept: those of 2.x are the same whatever their case (rule A2)."""
        if version == "1.6" or identity in self.charge_points:
            return identity
        folded = identity.lower()
        kept = (name for name, point in self.charge_points.items() if point.version != "1.6" and name.lower() == folded)
        return next(kept, identity)

    def charge_point(self, identity: str) -> ChargePoint:
        """The record of a charge point, made if there is none; it counts as changed."""
        point = self.charge_points.get(identity)
        if point is None:
            while len(self.charge_points) >= MAX_CHARGE_POINTS:
                self._forget_oldest(identity)
            point = self.charge_points[identity] = ChargePoint(identity)
        self.changed.charge_points[identity] = point
        return point

    def _forget_oldest(self, but: str) -> None:
        others = (each for each in self.charge_points.values() if each.identity != but)
        oldest = min(others, key=lambda each: (each.connected, each.last_seen or ""))
        del self.charge_points[oldest.identity]
        self._size -= self._sizes.pop(oldest.identity, 0)

    def put(self, point: ChargePoint, mapping: dict[str, Any], name: str, value: Any) -> bool:
        """Keep a value under a name that a charge point has chosen, in a part of its record.

        If that takes too much of the memory, the charge points are forgotten that were not seen for the longest time.

        Returns:
            Whether it is kept; not if the charge point has so many that they would fill the memory.
        """
        more = _cost(name, value) - (_cost(name, mapping[name]) if name in mapping else 0)
        size = self._sizes.get(point.identity, 0) + more
        if more > 0 and size > _MAX_SIZE_EACH:
            return False
        while self._size + more > _MAX_SIZE:
            self._forget_oldest(point.identity)
        mapping[name] = value
        self._sizes[point.identity] = size
        self._size += more
        return True

    def set_variable(self, identity: str, name: str, value: str | None) -> None:
        """Keep the value of a variable."""
        point = self.charge_point(identity)
        if self.put(point, point.variables, name, value):
            self.changed.variables[identity, name] = value

    # --- Transactions

    def next_id(self) -> int:
        """An id that no transaction has had."""
        self._last_id += 1
        return self._last_id

    @property
    def transactions(self) -> list[Transaction]:
        """All that are known, oldest first."""
        return list(self._transactions.values())

    def transaction(self, identity: str, number: int | str) -> Transaction | None:
        """A transaction of a charge point; None if there is none of this id."""
        return self._transactions.get((identity, number))

    def open_of(self, identity: str) -> list[Transaction]:
        """The transactions of a charge point that have not ended."""
        return list(self._open.get(identity, {}).values())

    def start(self, transaction: Transaction) -> Transaction:
        """Keep a new transaction."""
        while len(self._transactions) - len(self._ended) >= MAX_OPEN:
            self._forget(next(key for key, each in self._transactions.items() if each.ended is None))
        self._transactions[transaction.identity, transaction.id] = transaction
        self._open.setdefault(transaction.identity, {})[transaction.id] = transaction
        self.started += 1
        self.change(transaction)
        return transaction

    def change(self, transaction: Transaction) -> None:
        """Tell that a transaction has changed."""
        self.changed.transactions[transaction.identity, transaction.id] = transaction

    def end(self, transaction: Transaction, time: str, reason: str | None) -> None:
        """Note the end of a transaction; the oldest of those that have ended are forgotten."""
        transaction.ended, transaction.reason = time, reason
        self.energy += transaction.energy
        self.change(transaction)
        key = transaction.identity, transaction.id
        self._open.get(transaction.identity, {}).pop(transaction.id, None)
        self._ended.append(key)
        if len(self._ended) > MAX_ENDED:
            self._forget(self._ended.popleft())

    def _forget(self, key: tuple[str, int | str]) -> None:
        del self._transactions[key]
        still_open = self._open.get(key[0], {})
        still_open.pop(key[1], None)
        if not still_open:
            self._open.pop(key[0], None)

    def problem(self, kind: str, text: str) -> None:
        """Something that makes no sense.

        Args:
            kind: What it is, for the count.
            text: What exactly, for people.
        """
        self.found.append((kind, text))


def _cost(name: str, value: Any) -> int:
    return _ENTRY + len(name) + len(str(value))


def _size_of(point: ChargePoint) -> int:
    parts: tuple[Mapping[str, Any], ...] = (point.connectors, point.variables, *point.meter.values())
    places = sum(_cost(place, {}) for place in point.meter)
    return places + sum(_cost(name, value) for part in parts for name, value in part.items())
