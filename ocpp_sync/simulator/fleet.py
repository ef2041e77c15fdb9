"""Many charge points, and what is to be said of them in the end: :class:`Fleet`."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from .driver import Drivers, Outages
from .notes import Note
from .station import Station
from .transcript import Passed, Transcript

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Fleet", "Latencies", "identities"]

_MAX_SAMPLES = 10_000
_JOIN_TIMEOUT = 15.0
_WRONG = {  # answers to the CSMS that tell of a mistake, its own or the simulator's
    *("FormatViolation", "FormationViolation", "InternalError", "OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
    *("PropertyConstraintViolation", "ProtocolError", "RpcFrameworkError", "TypeConstraintViolation"),
}


def identities(pattern: str, count: int) -> list[str]:
    """The identities of many: a number is put in place of ``{}`` or ``%d``, else at the end; one alone is as it is.

    Raises:
        ValueError: The pattern has several such places.
    """
    if count == 1 and "{}" not in pattern and "%d" not in pattern:
        return [pattern]
    digits = max(4, len(str(count)))
    for mark in ("{}", "%d"):
        if pattern.count(mark) > 1:
            raise ValueError(f"{pattern!r} has several places for a number")
        if mark in pattern:
            return [pattern.replace(mark, str(number)) for number in range(1, count + 1)]
    return [f"{pattern}{number:0{digits}}" for number in range(1, count + 1)]


class Latencies:
    """How long calls have taken, in seconds: as many samples as there is room for, each call with the same chance; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._random = Random(0)  # noqa: S311
        self._samples: list[float] = []
        self.count = 0
        self.max = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        with self._lock:
            self.count += 1
            self.max = max(self.max, seconds)
            if len(self._samples) < _MAX_SAMPLES:
                self._samples.append(seconds)
            elif (place := self._random.randrange(self.count)) < _MAX_SAMPLES:
                self._samples[place] = seconds

    def quantile(self, part: float) -> float:
        """The time that a part of the calls did not exceed; 0 if there were none."""
        with self._lock:
            ordered = sorted(self._samples)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0


class Fleet:
    """Some stations that are alike, each with drivers of its own.

    Args:
        names: Their identities.
        make: Makes one of an identity.
        listen: Called with each :class:`Note` of each.
    """

    def __init__(self, names: Sequence[str], make: Callable[..., Station], listen: Callable[[Note], object] | None = None) -> None:
        self.latencies = Latencies()
        self.stations: list[Station] = []
        self.transcripts: dict[str, Transcript] = {}
        self._drivers: list[object] = []
        self._began = time.monotonic()
        try:
            for name in names:
                station = make(name, listen=listen)
                self.stations.append(station)
                self.transcripts[name] = Transcript(self._passed)
                station.client.on("frame", self.transcripts[name].take)
        except BaseException:
            self.close(leave=True)
            raise

    def start(self, url: str, headers: Mapping[str, str] | None = None, *, stagger: float = 0.0) -> None:
        """Switch them on, one after the other.

        Args:
            url: The endpoint of the CSMS.
            headers: Further HTTP headers for the upgrade.
            stagger: Seconds between two.

        Raises:
            ValueError: The URL is wrong.
        """
        for number, station in enumerate(self.stations):
            station.start(url, headers, delay=number * stagger)

    def plug(self) -> None:
        """Plug a car in, to every connector."""
        for station in self.stations:
            for number in station.connectors:
                station.plug(number)

    def drive(self, tokens: Sequence[str], *, at_once: bool = False) -> None:
        """Let drivers come, to every connector.

        Args:
            tokens: What they have.
            at_once: Whether the first ones come at once.
        """
        for station in self.stations:
            self._drivers += [Drivers(station, number, tokens, at_once=at_once) for number in station.connectors]

    def lose_links(self, rate: float) -> None:
        """Let each link be lost now and then, so often in an hour of the stations' time."""
        self._drivers += [Outages(station, rate) for station in self.stations]

    def close(self, *, leave: bool = False, timeout: float = 5.0) -> None:
        """Switch all of them off, at the same time; see :meth:`Station.close`."""
        threads = [
            threading.Thread(
                target=station.close, kwargs={"leave": leave, "timeout": timeout}, name=f"ocpp-close {station.identity}", daemon=True
            )
            for station in self.stations
        ]
        for thread in threads:
            thread.start()
        for transcript in self.transcripts.values():
            transcript.close()
        deadline = time.monotonic() + timeout + _JOIN_TIMEOUT
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def summary(self) -> dict[str, Any]:
        """What has happened, in plain values; times in milliseconds, energy in Wh."""
        stats = [station.client.stats for station in self.stations]
        call_errors: Counter[str] = Counter()
        refused: Counter[str] = Counter()
        provoked: Counter[str] = Counter()
        errors: Counter[str] = Counter()
        for station, stat in zip(self.stations, stats, strict=True):
            call_errors.update(stat["calls"]["errors"])
            refused.update(stat["requests"]["errors"])
            provoked.update(station.provoked)
            errors.update(station.errors)
        charged = [station.charging for station in self.stations]
        return {
            "seconds": round(time.monotonic() - self._began, 1),
            "stations": len(self.stations),
            "accepted": sum(station.client.registration == "Accepted" for station in self.stations),
            "sessions": sum(each.sessions for each in charged),
            "energy": round(sum(each.energy for each in charged)),
            "calls": sum(stat["calls"]["answered"] for stat in stats),
            "callErrors": dict(call_errors - provoked),
            "provoked": dict(provoked),
            "refused": dict(refused),
            "timeouts": sum(stat["calls"]["timeouts"] for stat in stats),
            "invalid": sum(stat["calls"]["invalid"] for stat in stats),
            "errors": dict(errors),
            "reconnects": sum(max(0, stat["links"] - 1) for stat in stats),
            "outages": sum(station.presence.outages for station in self.stations),
            "reboots": sum(station.reboots for station in self.stations),
            "latency": {
                "median": round(self.latencies.quantile(0.5) * 1000, 2),
                "p95": round(self.latencies.quantile(0.95) * 1000, 2),
                "max": round(self.latencies.max * 1000, 2),
            },
        }

    def problems(self, summary: dict[str, Any], *, is_cut_short: bool = False) -> list[str]:
        """What is wrong with a summary, for people; nothing if all went well.

        Args:
            summary: The summary.
            is_cut_short: Whether somebody has ended it, so that there may have been no time to be accepted.
        """
        found = [f"{count} × {code} from the CSMS" for code, count in summary["callErrors"].items()]
        wrong = {code: count for code, count in summary["refused"].items() if code in _WRONG}
        found += [f"{count} × {code} to the CSMS" for code, count in wrong.items()]
        found += [
            f"{summary[name]} × {text}" for name, text in (("timeouts", "no answer"), ("invalid", "an invalid answer")) if summary[name]
        ]
        found += [f"{summary['errors'][kind]} × {text}" for kind, text in _ERRORS.items() if summary["errors"].get(kind)]
        missing = summary["stations"] - summary["accepted"]
        if missing and not is_cut_short:
            found.append(f"{missing} not accepted by the CSMS")
        return found

    def _passed(self, passed: Passed) -> None:
        if passed.direction == "in" and passed.kind != "request":
            self.latencies.add(passed.seconds)


_ERRORS = {"invalid": "a payload refused", "lost": "a message lost", "link": "a link that cannot be", "crash": "a fault of the simulator"}
