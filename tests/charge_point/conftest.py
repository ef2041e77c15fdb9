"""A charge point on a bench, made for a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from charge_point import openevse
from charge_point import settings as settings_of
from charge_point.rapi import serial_port
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPWMPin

from ocpp_sync.testing import FakeClock

from .bench import HOUR, IDENTITY, VERSIONS, Bench, Csms
from .openevse_bench import OpenEvseBench
from .openevse_board import Board


@pytest.fixture
def factory() -> Iterator[MockFactory]:
    previous, Device.pin_factory = Device.pin_factory, MockFactory(pin_class=MockPWMPin)
    yield Device.pin_factory
    Device.pin_factory.reset()
    Device.pin_factory = previous


@pytest.fixture
def csms(clock: FakeClock) -> Iterator[Csms]:
    with Csms(clock=clock) as csms:
        yield csms


@pytest.fixture
def make_bench(factory: MockFactory, clock: FakeClock, tmp_path: Path) -> Callable[..., Bench]:
    def make(version: str = "1.6", **changes: Any) -> Bench:
        document = {
            "csms": {"url": "ws://127.0.0.1:1", "identity": IDENTITY, "version": version},
            "files": {"outbox": str(tmp_path / "outbox"), "memory": str(tmp_path / "memory.json")},
            "pins": {"plug": 25, "pilot": 18},
            "button_tag": "BUTTON-1",
            "meter": {"seconds": 5.0},
        }
        return Bench(settings_of.parse({**document, **changes}), factory, clock)

    return make


@pytest.fixture(params=VERSIONS)
def bench(request: pytest.FixtureRequest, make_bench: Callable[..., Bench]) -> Bench:
    return make_bench(request.param)


@pytest.fixture
def booted(make_bench: Callable[..., Bench], csms: Csms) -> Iterator[Bench]:
    """A charge point of 1.6 that the CSMS has accepted."""
    with make_bench().run(csms.url) as bench:
        csms.wait_state("Available")
        yield bench


@pytest.fixture
def board() -> Iterator[Board]:
    """An OpenEVSE board."""
    board = Board()
    yield board
    board.close()


@pytest.fixture
def port(board: Board) -> Iterator[Any]:
    """Its serial port."""
    port: Any = serial_port(board.path)
    yield port
    port.close()


@pytest.fixture
def make_openevse(
    board: Board, port: Any, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., OpenEvseBench]:
    """Makes charge points with the board, which look at it often."""
    monkeypatch.setattr(openevse, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(openevse, "BEAT_SECONDS", HOUR)

    def make(version: str = "1.6", **changes: Any) -> OpenEvseBench:
        document = {
            "board": "openevse",
            "csms": {"url": "ws://127.0.0.1:1", "identity": IDENTITY, "version": version},
            "files": {"outbox": str(tmp_path / "outbox"), "memory": str(tmp_path / "memory.json")},
            "meter": {"seconds": 5.0},
        }
        return OpenEvseBench(settings_of.parse({**document, **changes}), board, port, clock)

    return make
