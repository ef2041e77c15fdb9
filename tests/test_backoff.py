"""Delays between attempts (rule A8)."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp_sync import Backoff


def some(backoff: Backoff, count: int, *, part: float = 0.0) -> list[float]:
    return list(islice(backoff.delays(lambda low, high: low + part * (high - low)), count))


def test_a8_delays_double_as_often_as_is_said_and_stay() -> None:
    assert some(Backoff(10, 0, 3), 7) == [10, 20, 40, 80, 80, 80, 80]


def test_a8_each_doubling_has_a_random_part_of_its_own() -> None:
    assert some(Backoff(10, 4, 2), 5, part=0.5) == [12, 26, 54, 54, 54]


def test_a8_without_doublings_the_first_delay_stays() -> None:
    assert some(Backoff(10, 4, 0), 3, part=1.0) == [14, 14, 14]


def test_a8_stations_differ() -> None:
    backoff = Backoff(1, 1000, 5)
    assert len({next(backoff.delays()) for _ in range(20)}) == 20


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.integers(0, 20))
def test_a8_the_delays_are_within_their_bounds(minimum: float, random_range: float, repeat_times: int) -> None:
    delays = list(islice(Backoff(minimum, random_range, repeat_times).delays(), repeat_times + 3))
    assert minimum <= delays[0] <= minimum + random_range
    for before, delay in pairwise(delays[: repeat_times + 1]):
        assert 2 * before <= delay <= 2 * before + random_range
    assert len(set(delays[repeat_times:])) == 1


@pytest.mark.parametrize(
    "options",
    [{"minimum": -1}, {"random_range": float("nan")}, {"repeat_times": -1}, {"repeat_times": 2.5}, {"refused_minimum": float("inf")}],
)
def test_delays_that_make_no_sense(options: dict[str, float]) -> None:
    (name,) = options
    with pytest.raises(ValueError, match=name):
        Backoff(**options)  # type: ignore[arg-type]


def test_it_shows_what_it_is() -> None:
    assert repr(Backoff(1.5, 2, 3)) == "Backoff(minimum=1.5, random_range=2, repeat_times=3, refused_minimum=60.0)"
