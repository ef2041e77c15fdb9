"""Whatever goes wrong at once (rules A8, B3, D2, D7 to D13): random schedules of faults, each the same for the same seed.

``OCPP_SYNC_SCHEDULES=5000`` plays more of them, ``OCPP_SYNC_SEED=17`` begins with another one than the first.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .play import Play
from .schedule import Schedule
from .verdict import Verdict

BATCH = 25
FIRST = int(os.environ.get("OCPP_SYNC_SEED", "0"))
COUNT = int(os.environ.get("OCPP_SYNC_SCHEDULES", "500"))
NIGHTLY = range(1_000_000, 1_005_000, BATCH)


def check(first: int, count: int, folder: Path) -> None:
    """Play schedules, and judge them; those of 1.6 have even seeds."""
    for seed in range(first, first + count):
        schedule = Schedule.of(seed)
        play = Play(schedule, folder / f"{seed}.sqlite3")
        try:
            play.run()
            Verdict(play).check()
        except Exception as error:
            raise AssertionError(f"it has failed with {schedule}") from error


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(FIRST, FIRST + COUNT, BATCH))
def test_nothing_is_lost(first: int, tmp_path: Path) -> None:
    check(first, min(BATCH, FIRST + COUNT - first), tmp_path)


@pytest.mark.nightly
@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", NIGHTLY)
def test_nothing_is_lost_in_longer_nights(first: int, tmp_path: Path) -> None:
    check(first, BATCH, tmp_path)
