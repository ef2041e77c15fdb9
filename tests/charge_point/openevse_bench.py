"""A charge point with an OpenEVSE board, a card reader in memory, and the thread that its main loop runs in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from charge_point.cards import SerialReader
from charge_point.controller import Controller
from charge_point.openevse import OpenEvseHardware
from charge_point.rapi import OpenEvse
from charge_point.settings import Settings

from ocpp_sync import Backoff
from ocpp_sync.testing import FakeClock

from ..support import TIMEOUT, in_thread, wait_until
from .bench import Cards
from .openevse_board import SLEEPING, Board


class OpenEvseBench:
    """The charge point, run by :meth:`run`."""

    def __init__(self, settings: Settings, board: Board, port: Any, clock: FakeClock) -> None:
        self.settings, self.board, self.clock = settings, board, clock
        self.evse = OpenEvse(port)
        self.controller: Controller

    @contextmanager
    def run(self, url: str, outcome: str = "stop") -> Iterator[OpenEvseBench]:
        self.settings.csms.url = url
        self.cards = Cards()
        hardware = OpenEvseHardware(self.settings, evse=self.evse, cards=SerialReader(self.cards))
        options = {"reconnect": Backoff(10.0, 0.0, 2), "ping_interval": None, "call_timeout": None}
        self.controller = Controller(self.settings, hardware, clock=self.clock, client_options=options)
        running = in_thread(self.controller.run)
        try:
            yield self
        finally:
            self.controller.stop()
            assert running.result(3 * TIMEOUT) == outcome

    def charge(self) -> None:
        self.board.plug()
        self.cards.hold()
        self.wait_relay(closed=True)

    def wait_relay(self, *, closed: bool) -> None:
        assert wait_until(lambda: self.board.relay == closed), self.controller.guard.reasons

    def wait_asleep(self) -> None:
        assert wait_until(lambda: self.board.state == SLEEPING)

    def look(self, times: int = 3) -> None:
        """Wait until the board was looked at, and the main loop has done what followed."""
        self.wait_seen(times)
        self.controller.ask(lambda: None)

    def wait_seen(self, times: int = 3) -> None:
        """Wait until the board was looked at."""
        seen = self.board.commands.count("GS")
        assert wait_until(lambda: self.board.commands.count("GS") >= seen + times)

    def measure(self) -> None:
        """Let the meter be read once more."""
        self.clock.advance_to("meter")
        self.clock.wait_for("meter")
        self.controller.ask(lambda: None)
