"""What an end of OCPP-J has done so far, counted: the source of ``client.stats`` and ``server.stats``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .errors import CallError

if TYPE_CHECKING:
    from .transport.link import Link

__all__ = ["Durations", "Stats"]

_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_MAX_CODES, _MAX_CODE_LENGTH = 30, 60  # the other side may make up any number of them
_OTHER = "other"


class Durations:
    """How long something took, in buckets of microseconds that are an eighth of a power of two wide: exact to 6 %, however many there are.

    Whoever adds or reads holds the lock of what they are about.
    """

    __slots__ = ("_buckets", "count", "maximum", "total")

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        self.count = 0
        self.total = 0.0
        self.maximum = 0.0

    def add(self, seconds: float) -> None:
        """Count one more."""
        if seconds > self.maximum:
            self.maximum = seconds
        self.count += 1
        self.total += seconds
        number = int(seconds * 1e6)
        shift = number.bit_length() - 4
        if shift > 0:
            number = (shift << 3) + (number >> shift)
        self._buckets[number] = self._buckets.get(number, 0) + 1

    def merge(self, other: Durations) -> None:
        """Count all that another one has counted."""
        for bucket, count in other._buckets.items():
            self._buckets[bucket] = self._buckets.get(bucket, 0) + count
        self.count += other.count
        self.total += other.total
        self.maximum = max(self.maximum, other.maximum)

    def as_dict(self) -> dict[str, float | int | None]:
        """``count``, and ``mean``, ``p50``, ``p95``, ``p99`` and ``max`` in seconds, which are None as long as there is nothing."""
        found: dict[str, float | int | None] = {"count": self.count, "mean": self.total / self.count if self.count else None}
        for name, part in _QUANTILES.items():
            found[name] = self._quantile(part)
        found["max"] = self.maximum if self.count else None
        return found

    def _quantile(self, part: float) -> float | None:
        left = part * self.count
        for _, upper, count in self.buckets():
            left -= count
            if left <= 0:
                return min(upper, self.maximum)
        return None

    def buckets(self) -> Iterator[tuple[float, float, int]]:
        """Lower and upper end in seconds, and how many lie between, from the shortest on."""
        for bucket in sorted(self._buckets):
            shift = max(0, (bucket >> 3) - 1)
            lower = (bucket - (shift << 3)) << shift
            yield lower / 1e6, (lower + (1 << shift)) / 1e6, self._buckets[bucket]


class Stats:
    """The counters of one end, over all of its links. The lock of the end guards them.

    Attributes:
        links: How many links there were.
        frames_in: Messages that came; of ended links, as the next three.
        frames_out: Messages that went out.
        bytes_in: Bytes that came, with the frames' headers, and without TLS.
        bytes_out: Bytes that went out.
        answered: Calls of this side that were answered.
        errors: CALLERRORs that came instead, by their code.
        timeouts: Calls that were given up.
        lost: Calls that were not answered when their link ended.
        invalid: Responses that broke their schema.
        served: Requests of the other side that were answered.
        refused: CALLERRORs that were sent instead, by their code.
        malformed: What came and was no message.
        strays: Answers that came to nothing.
        latency: From the moment that a CALL went out to its answer.
        handling: From the moment that a handler began to its answer.
    """

    __slots__ = (
        *("links", "frames_in", "frames_out", "bytes_in", "bytes_out", "answered", "errors", "timeouts", "lost", "invalid", "served"),
        *("refused", "malformed", "strays", "latency", "handling"),
    )

    def __init__(self) -> None:
        self.links = self.frames_in = self.frames_out = self.bytes_in = self.bytes_out = 0
        self.answered = self.timeouts = self.lost = self.invalid = self.served = self.malformed = self.strays = 0
        self.errors: dict[str, int] = {}
        self.refused: dict[str, int] = {}
        self.latency = Durations()
        self.handling = Durations()

    def count_answer(self, outcome: dict[str, Any] | Exception, seconds: float) -> None:
        """A call was answered: with a response, a CALLERROR, or something that is neither."""
        self.latency.add(seconds)
        if isinstance(outcome, CallError):
            _count_code(self.errors, outcome.code)
        else:
            self.answered += 1
            self.invalid += isinstance(outcome, Exception)

    def count_request(self, answer: dict[str, Any] | CallError, seconds: float) -> None:
        """A request was answered."""
        self.handling.add(seconds)
        if isinstance(answer, CallError):
            _count_code(self.refused, answer.code)
        else:
            self.served += 1

    def add_link(self, link: Link) -> None:
        """Add what has gone over a link."""
        self.frames_in += link.frames_in
        self.frames_out += link.frames_out
        self.bytes_in += link.stream.received_bytes
        self.bytes_out += link.stream.sent_bytes

    def merge(self, other: Stats) -> None:
        """Add what another end has done."""
        for name in Stats.__slots__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, int):
                setattr(self, name, mine + theirs)
            elif isinstance(mine, Durations):
                mine.merge(theirs)
            else:
                for code, count in theirs.items():
                    _count_code(mine, code, count)

    def copy(self) -> Stats:
        """The same, which does not change any more."""
        copied = Stats()
        copied.merge(self)
        return copied

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values; see ``docs/observability.md``."""
        return {
            "links": self.links,
            "frames": {"in": self.frames_in, "out": self.frames_out},
            "bytes": {"in": self.bytes_in, "out": self.bytes_out},
            "calls": {
                "answered": self.answered,
                "errors": dict(self.errors),
                "timeouts": self.timeouts,
                "lost": self.lost,
                "invalid": self.invalid,
            },
            "requests": {"answered": self.served, "errors": dict(self.refused)},
            "malformed": self.malformed,
            "strays": self.strays,
            "latency": self.latency.as_dict(),
            "handling": self.handling.as_dict(),
        }


def _count_code(counts: dict[str, int], code: str, count: int = 1) -> None:
    name = code[:_MAX_CODE_LENGTH]
    if name not in counts and len(counts) >= _MAX_CODES:
        name = _OTHER
    counts[name] = counts.get(name, 0) + count
