"""A station, made for a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from ocpp_sync.testing import FakeClock, ScriptedCsms

from .bench import Bench


@pytest.fixture
def make(csms: ScriptedCsms, clock: FakeClock) -> Iterator[Callable[..., Bench]]:
    with ExitStack() as stack:

        def make(version: str, *, start: bool = True, **options: Any) -> Bench:
            bench = Bench(csms, clock, version, **options)
            stack.callback(bench.close, leave=True)
            return bench.start() if start else bench

        yield make
