"""Whether a station is there for its CSMS: the link, the registration, and what is told of the state of it all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from .. import format_time
from .connector import State

if TYPE_CHECKING:
    from .station import Station

__all__ = ["Presence"]


class Presence:
    """See the module.

    Args:
        station: The station.

    Attributes:
        boots: How often the CSMS has accepted it.
        outages: How often it has been offline on purpose.
        operative: Whether the station as a whole may be used.
    """

    def __init__(self, station: Station) -> None:
        self._station = station
        self._when_accepted: list[Callable[[], object]] = []
        self.boots = self.outages = 0
        self.operative = True
        self._reported: dict[int, dict[str, Any]] = {}  # what the CSMS was told last, but for what has to be said anew
        station.client.on("connect", self._linked)
        station.client.on("close", self._unlinked)
        station.client.on("registration", self._registered)

    def end_abandoned(self) -> None:
        """End what an earlier process has left."""
        station = self._station
        registers = {number: connector.register for number, connector in station.connectors.items()}
        for each in list(station.client.outbox.open_transactions()):
            station.put(station.wording.abandoned(each.handle, each.start, registers, format_time(station.now())))
            station.note("abandoned", "a transaction that was left open is ended", transaction=each.transaction_id or each.handle)

    @property
    def state(self) -> State:
        """What the station as a whole is; while a transaction goes on it is not yet out of use."""
        busy = any(connector.scheduled is not None for connector in self._station.connectors.values())
        return State.AVAILABLE if self.operative or busy else State.UNAVAILABLE

    def report(self, number: int, *, anew: bool = False) -> None:
        """Tell the CSMS the state of a connector, or of the station, whose number is 0.

        Args:
            number: Its number.
            anew: Whether it is told what it knows already, too.
        """
        station = self._station
        it = station.connectors.get(number)
        state, fault = (self.state, None) if it is None else (it.state, it.fault)
        payload = station.wording.status(number, state, fault, format_time(station.now()))
        if payload is None:
            return
        told = {name: value for name, value in payload.items() if name != "timestamp"}
        if self._reported.get(number) == told and not anew:
            return
        self._reported[number] = told
        station.agenda.soon(partial(self._send_status, number, payload))

    def report_all(self) -> None:
        """Tell it everything anew."""
        station = self._station
        with station.changing():
            for number in (0, *station.connectors):
                self.report(number, anew=True)

    def when_accepted(self, task: Callable[[], object]) -> None:
        """Run something in the station's thread as soon as the CSMS has accepted it after its next start."""
        with self._station.changing():
            self._when_accepted.append(task)

    # --- In the station's thread

    def _send_status(self, number: int, payload: dict[str, Any]) -> None:
        station = self._station
        reachable = station.uplink.is_ready or station.client.registration == "Pending"
        if not reachable or station.call("StatusNotification", payload) is None:
            with station.changing():
                self._reported.pop(number, None)

    def go_offline(self, seconds: float | None) -> None:
        """Lose the link, for some of the station's seconds, or until :meth:`go_online`; in the station's thread."""
        station = self._station
        if station.is_closed or not station.uplink.is_wanted:
            return
        self.outages += 1
        station.note("offline", "offline" if seconds is None else f"offline for {seconds:.0f} s")
        station.uplink.disconnect("the link is lost")
        if seconds is not None:
            station.agenda.after(seconds, self.go_online)

    def go_online(self) -> None:
        """Have a link again; in the station's thread."""
        station = self._station
        if not station.uplink.is_wanted and not station.is_resetting:
            boot = None if station.client.registration == "Accepted" else station.wording.boot(station.who, "PowerUp")
            station.uplink.connect(boot)

    # --- In threads of the client

    def _linked(self) -> None:
        station = self._station
        station.note("connected", f"connected, OCPP {station.client.version}", version=station.client.version)
        with station.changing():
            for number in (0, *station.connectors) if not station.uplink.is_booting else ():
                self.report(number)

    def _unlinked(self, code: int, reason: str) -> None:
        self._station.note("disconnected", f"the link is closed ({code}{' ' + reason if reason else ''})", code=code)

    def _registered(self, status: str) -> None:
        station = self._station
        station.note("registration", f"BootNotification: {status}", status=status)
        if status == "Accepted":
            with station.changing():
                self.boots += 1
                station.uplink.is_booting = False
                with suppress(ValueError):  # an interval beyond all bounds
                    station.configuration.put(station.configuration.path("heartbeat interval"), f"{station.client.heartbeat_interval:.0f}")
            self.report_all()
            with station.changing():
                tasks, self._when_accepted = self._when_accepted, []
            for task in tasks:
                station.agenda.soon(task)
