"""How long to wait before the next attempt (rule A8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

__all__ = ["Backoff"]


class Backoff:
    """Delays that double, up to a limit, and that differ from station to station, so that not all come back at once (rule A8).

    The first is ``minimum`` and a random part; each further one is twice the one before and a new random part; after ``repeat_times``
    doublings it stays as it is. Nobody ever gives up. The names in brackets are those of OCPP 2.x.

    Args:
        minimum: Seconds of the first delay, without the random part (RetryBackOffWaitMinimum).
        random_range: Seconds of the random part at most (RetryBackOffRandomRange).
        repeat_times: How often the delay is doubled (RetryBackOffRepeatTimes).
        refused_minimum: Seconds at least after the other side has refused this station: its password, identity or certificate.

    Raises:
        ValueError: One of them is negative, or not finite, or ``repeat_times`` is no whole number.
    """

    def __init__(self, minimum: float = 2.0, random_range: float = 3.0, repeat_times: int = 6, *, refused_minimum: float = 60.0) -> None:
        self.minimum = minimum
        self.random_range = random_range
        self.repeat_times = repeat_times
        self.refused_minimum = refused_minimum
        for name, value in vars(self).items():
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} must be zero or more, not {value!r}")
        if repeat_times != int(repeat_times):
            raise ValueError(f"repeat_times must be a whole number, not {repeat_times!r}")

    def delays(self, uniform: Callable[[float, float], float] | None = None) -> Iterator[float]:
        """The delays, without end.

        Args:
            uniform: Gives a random number between two; None is ``random.uniform``.
        """
        # Here, since it costs as much as half of a client's import.
        import random

        part = uniform or random.uniform
        delay = self.minimum + part(0, self.random_range)
        yield delay
        for _ in range(int(self.repeat_times)):
            delay = 2 * delay + part(0, self.random_range)
            yield delay
        while True:
            yield delay

    def __repr__(self) -> str:
        return f"Backoff({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"
