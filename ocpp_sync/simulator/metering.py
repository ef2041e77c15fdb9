"""What the meters say, and when the CSMS is told."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from .. import format_time
from .agenda import Appointment
from .connector import Connector, Transaction
from .energy import Gauges, Reading, readings

if TYPE_CHECKING:
    from .station import Station

__all__ = ["Metering"]


class Metering:
    """The meters of a station; all with the station's lock held.

    Args:
        station: The station.
    """

    def __init__(self, station: Station) -> None:
        self._station = station
        self._aligned: Appointment | None = None

    def read(self, connector: Connector, which: str) -> list[Reading]:
        """The values of the measurands of a setting; none if it names none."""
        station = self._station
        measurands = station.configuration.members(which)
        car = connector.car
        gauges = Gauges(
            connector.register,
            connector.power,
            connector.offered,
            None if car is None else car.soc,
            connector.supply,
            connector.usable,
            station.random,
        )
        return readings(measurands, gauges) if measurands else []

    def report(self, connector: Connector, context: str) -> None:
        """Tell the CSMS what the meter says."""
        station = self._station
        which = "aligned measurands" if context == "Sample.Clock" else "sampled measurands"
        values = self.read(connector, which) or self.read(connector, "aligned measurands")
        if not values:
            return
        time = format_time(station.now())
        if connector.transaction is None:
            station.say(station.wording.idle_metered(connector, values, context, time))
            return
        station.put(station.wording.metered(connector, connector.transaction, values, context, time))
        soc = "" if connector.car is None else f", {connector.car.soc:.0f} % full"
        text = f"{connector.energy / 1000:.2f} kWh, {connector.power / 1000:.1f} kW{soc}"
        station.note("meter", text, connector.number, energy=round(connector.energy), power=round(connector.power))

    def plan_sample(self, connector: Connector) -> None:
        """Plan the next values of a transaction; again if the interval is another now."""
        station, transaction = self._station, connector.transaction
        if transaction is None:
            return
        if transaction.sample is not None:
            transaction.sample.cancel()
        seconds = station.configuration.number("sample interval")
        transaction.sample = station.agenda.after(seconds, partial(self._sample, connector, transaction)) if seconds > 0 else None

    def _sample(self, connector: Connector, transaction: Transaction) -> None:
        with self._station.changing():
            if connector.transaction is transaction:
                self.report(connector, "Sample.Periodic")
                self.plan_sample(connector)

    def plan_aligned(self) -> None:
        """Plan the next values by the clock on the wall; again if the interval is another now."""
        station = self._station
        if self._aligned is not None:
            self._aligned.cancel()
        interval = station.configuration.number("aligned interval")
        if interval > 0:
            left = interval - station.now().timestamp() % interval
            self._aligned = station.agenda.after(left * station.speed, self._align)

    def _align(self) -> None:
        station = self._station
        with station.changing():
            for connector in station.connectors.values():
                self.report(connector, "Sample.Clock")
        self.plan_aligned()
