"""The books of the soak: what became of each call, kept in files so that no process grows by them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.soak_calls import REFUSAL, Kind
from ocpp_sync import CallError, CallTimeout, ConnectionClosed, NotConnected

__all__ = ["ANSWERED", "Account", "Ledger"]

ANSWERED = "answered"
REFUSED = "CallError"
TIMED_OUT = "CallTimeout"
NOT_SENT = "CallTimeout, not sent"
CLOSED = "ConnectionClosed"
NOT_CONNECTED = "NotConnected"

# How often the other side may have handled a call that has ended so.
MAY_BE_HANDLED: dict[str, tuple[int, ...]] = {
    ANSWERED: (1,),
    REFUSED: (1,),
    TIMED_OUT: (0, 1),
    NOT_SENT: (0,),
    CLOSED: (0, 1),
    NOT_CONNECTED: (0,),
}


class Ledger:
    """Where a process writes down its calls and those that it handles; each call carries a number that no other has.

    Args:
        path: The file: a line begins with ``b`` for a call that is begun, ``e`` for one that has ended, ``h`` for one that is handled.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w")
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def call(self, call: Callable[..., dict[str, Any]], kind: Kind, number: int, **options: Any) -> None:
        """Make a call, and write down how it ends."""
        self._write(f"b {number}\n")
        outcome = _outcome(call, kind, number, options)
        self._write(f"e {number} {outcome}\n", outcome)

    def handled(self, number: int) -> None:
        """A handler of this process has been called."""
        self._write(f"h {number}\n", "handled")

    def count(self, what: str) -> None:
        """Count something that is no call."""
        self._write("", what)

    def counts(self) -> dict[str, int]:
        """How often each outcome, and what else was counted, has come so far."""
        with self._lock:
            return dict(self._counts)

    def close(self) -> None:
        """Nothing is written any more."""
        with self._lock:
            self._file.close()

    def _write(self, line: str, what: str | None = None) -> None:
        with self._lock:
            self._file.write(line)
            if what is not None:
                self._counts[what] += 1


def _outcome(call: Callable[..., dict[str, Any]], kind: Kind, number: int, options: dict[str, Any]) -> str:
    try:
        answer = call(kind.action, kind.request(number), **options)
    except CallError as error:
        return REFUSED if error.description == REFUSAL else repr(error)
    except CallTimeout as error:
        return TIMED_OUT if error.sent else NOT_SENT
    except NotConnected:
        return NOT_CONNECTED
    except ConnectionClosed:
        return CLOSED
    except Exception as error:  # none of these is expected: the account finds them
        return repr(error)
    return ANSWERED if answer == kind.response(number) else f"answered with {answer!r}"


class Account:
    """All calls in one direction, and what the other side knows of them."""

    def __init__(self) -> None:
        self.begun: Counter[int] = Counter()
        self.ended: dict[int, list[str]] = {}
        self.handled: Counter[int] = Counter()

    @classmethod
    def read(cls, callers: Iterable[Path], handlers: Iterable[Path]) -> Account:
        """From the files of the processes that call, and of those that handle."""
        account = cls()
        for path in callers:
            for line in path.read_text().splitlines():
                what, number, *outcome = line.split(" ", 2)
                if what == "b":
                    account.begun[int(number)] += 1
                elif what == "e":
                    account.ended.setdefault(int(number), []).extend(outcome)
        for path in handlers:
            for line in path.read_text().splitlines():
                if line.startswith("h "):
                    account.handled[int(line[2:])] += 1
        return account

    def outcomes(self) -> Counter[str]:
        """How many calls have ended how."""
        return Counter(outcome for outcomes in self.ended.values() for outcome in outcomes)

    def lost(self) -> int:
        """How many calls were handled without an answer to the caller."""
        return sum(1 for number in self.handled if self.ended.get(number) in ([TIMED_OUT], [CLOSED]))

    def problems(self) -> list[str]:
        """What must not be."""
        problems = []
        for number, times in self.begun.items():
            outcomes, handled = self.ended.get(number, []), self.handled[number]
            if times != 1 or len(outcomes) != 1:
                problems.append(f"call {number} was begun {times} times and ended as {outcomes}")
            elif handled not in MAY_BE_HANDLED.get(outcomes[0], ()):
                problems.append(f"call {number} was handled {handled} times and ended as {outcomes[0]!r}")
        problems += [f"call {number} ended, and was never begun" for number in self.ended.keys() - self.begun.keys()]
        problems += [f"call {number} was handled, and was never begun" for number in self.handled.keys() - self.begun.keys()]
        return problems
