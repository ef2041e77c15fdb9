"""What could let power flow from an OpenEVSE board though nobody charges, or count what has flowed wrong."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

import pytest
from charge_point import settings as settings_of
from charge_point.meter import Reading
from charge_point.openevse import BoardMeter, OpenEvseHardware
from charge_point.rapi import OpenEvse
from charge_point.settings import SettingsError

from ..support import TIMEOUT, in_thread, wait_until
from .bench import CARD, IDENTITY, Csms, busy
from .openevse_bench import OpenEvseBench as Bench
from .openevse_board import SLEEPING, Board

pytest.importorskip("serial", reason="pyserial is not installed")


@pytest.fixture
def hardware(make_openevse: Callable[..., Bench]) -> Iterator[OpenEvseHardware]:
    """The board, asleep, as a program that nobody runs has it."""
    bench = make_openevse()
    hardware = OpenEvseHardware(bench.settings, evse=bench.evse)
    hardware.off()
    yield hardware
    hardware.close()


def test_a_car_that_was_there_before_the_start_does_not_charge_by_plug_tag(
    make_openevse: Callable[..., Bench], board: Board, csms: Csms, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "charge_point")
    board.plug()  # before the start, in which the program cannot know whether it has charged
    with make_openevse(plug_tag="PLUG-1").run(csms.url) as bench:
        csms.wait_state("Preparing")
        assert wait_until(lambda: "link-lost has ended" in caplog.text)  # and so the CSMS could be asked
        bench.look()
        assert not board.relay
        assert not csms.all("Authorize")
        board.unplug()
        csms.wait_state("Available")
        board.plug()
        bench.wait_relay(closed=True)
        assert csms.wait_for("StartTransaction").payload["idTag"] == "PLUG-1"


def test_a_car_that_the_board_could_not_see_at_the_start_does_not_charge_by_plug_tag(
    make_openevse: Callable[..., Bench], board: Board, csms: Csms
) -> None:
    board.allowed = -1  # disabled it sees no car
    board.plug()
    with make_openevse(plug_tag="PLUG-1").run(csms.url) as bench:
        csms.wait_state("Preparing")
        bench.look()
        assert not board.relay
        assert not csms.all("Authorize")


def test_the_boards_button_begins_nothing_whatever_else_has_ended_the_charge(
    make_openevse: Callable[..., Bench], board: Board, csms: Csms
) -> None:
    with make_openevse(button_tag="BUTTON-1").run(csms.url) as bench:
        csms.wait_state("Available")
        bench.charge()
        csms.wait_state("Charging")
        with busy(bench.controller):
            bench.cards.hold()
            bench.cards.wait_read()
            board.press()
            bench.wait_seen()
        csms.wait_state("Finishing")
        bench.look()
        assert board.state == SLEEPING
        assert [each["idTag"] for each in csms.all("Authorize")] == [CARD]


def test_who_has_pressed_the_boards_button_is_not_overruled_before_his_charge_has_ended(
    make_openevse: Callable[..., Bench], board: Board, csms: Csms
) -> None:
    with make_openevse().run(csms.url) as bench:
        csms.wait_state("Available")
        bench.charge()
        csms.wait_state("Charging")
        with busy(bench.controller):
            board.press()
            bench.wait_seen()
            woken = board.commands.count("FE")
            bench.controller.guard.close()  # as each reading of the meter does
            bench.wait_seen()
            assert board.commands.count("FE") == woken
            assert board.state == SLEEPING
        assert csms.wait_for("StopTransaction").payload["reason"] == "Local"
        bench.cards.hold()
        bench.wait_relay(closed=True)


def test_who_opens_while_the_board_is_told_a_limit_has_the_last_word(hardware: OpenEvseHardware, board: Board) -> None:
    board.plug()
    hardware.allow(16.0)
    telling, told = threading.Event(), threading.Event()
    set_current = hardware._evse.set_current

    def slow(amps: int) -> int:
        taken = set_current(amps)
        telling.set()
        told.wait(TIMEOUT)
        return taken

    hardware._evse.set_current = slow  # type: ignore[method-assign]
    closing = in_thread(hardware.on)
    assert telling.wait(TIMEOUT)
    opening = in_thread(hardware.off)
    assert wait_until(lambda: not hardware._wants_power)
    told.set()
    closing.result()
    opening.result()
    assert board.state == SLEEPING
    assert [each for each in board.commands if each[:2] in ("SC", "FE", "FS")] == ["FS", "SC 16 V", "FS"]


def test_a_board_that_cannot_be_used_is_left_asleep(board: Board) -> None:
    board.plug()
    assert board.relay  # as it has started
    sections = {"csms": {"url": "ws://x", "identity": IDENTITY}, "openevse": {"port": board.path}, "cards": {"port": "/nonexistent"}}
    with pytest.raises(SettingsError, match=r"cards\.port: /nonexistent cannot be opened"):
        OpenEvseHardware(settings_of.parse({"board": "openevse", **sections}))
    assert board.state == SLEEPING


class Crossing:
    """A lock that says when somebody has to wait for it."""

    def __init__(self, crossed: threading.Event) -> None:
        self._lock, self._crossed = threading.Lock(), crossed

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self._crossed.set()
            self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()


def test_two_who_read_the_boards_meter_at_once_count_nothing_twice(hardware: OpenEvseHardware, board: Board) -> None:
    evse: OpenEvse = hardware._evse
    meter, crossed, first = BoardMeter(evse, 230.0), threading.Event(), threading.Event()
    meter._lock = Crossing(crossed)  # type: ignore[assignment]
    energy_wh, current = evse.energy_wh, evse.current

    def rising() -> int:
        found = energy_wh()
        board.total_wh += 100
        return found

    def slow() -> tuple[float | None, float]:
        if not first.is_set():
            first.set()
            assert crossed.wait(TIMEOUT)
        return current()

    evse.energy_wh, evse.current = rising, slow  # type: ignore[method-assign]
    one = in_thread(meter.read)
    assert first.wait(TIMEOUT)

    def read() -> Reading:
        reading = meter.read()
        crossed.set()  # in the middle of the first one's reading, if nobody waits
        return reading

    other = in_thread(read)
    assert {one.result().energy_wh, other.result().energy_wh} == {5000, 5100}
    assert meter.read().energy_wh == 5200
