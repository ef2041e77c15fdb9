"""Drivers, who come and go, and what befalls a station: all by chance, and the same again with the same seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .connector import FAULTS, Connector, State, Token
from .energy import Car, random_car
from .station import Station

__all__ = ["Drivers", "Outages"]

_FAULT_CHANCE = 0.03
_TOKEN_FIRST_CHANCE = 0.15
_UNPLUG_CHANCE = 0.3  # of leaving without holding the token to the reader again


class Drivers:
    """Those who come to one connector, one after the other. All seconds are the station's.

    Args:
        station: The station.
        connector: The number of the connector.
        tokens: What they have.
        at_once: Whether the first one comes at once.
    """

    def __init__(self, station: Station, connector: int, tokens: Sequence[str], *, at_once: bool) -> None:
        self._station = station
        self._connector: Connector = station.connector(connector)
        self._tokens = tokens
        self._random = station.random
        self._car: Car | None = None
        self._token = Token("")
        self._after(1.0 if at_once else self._random.uniform(5, 120), self._come)

    def _after(self, seconds: float, task: Callable[[], object]) -> None:
        self._station.agenda.after(seconds, task)

    def _come(self) -> None:
        station, connector = self._station, self._connector
        self._token = Token(self._random.choice(self._tokens))
        with station.changing():
            welcome = connector.state is State.AVAILABLE and station.uplink.is_ready and not (station.is_resetting or station.is_closed)
            if welcome:
                self._car = random_car(station.random)
                token_first = self._random.random() < _TOKEN_FIRST_CHANCE
                if not token_first:
                    station.plug(connector.number, self._car)
        if not welcome:
            self._after(self._random.uniform(10, 60), self._come)
        elif token_first:
            station.authorize(self._token, connector.number)
            self._after(self._random.uniform(5, 15), self._plug)
        else:
            self._after(self._random.uniform(3, 10), self._authorize)

    def _plug(self) -> None:
        with self._station.changing():
            if self._connector.car is None:
                self._station.plug(self._connector.number, self._car)
        self._stay()

    def _authorize(self) -> None:
        if self._connector.transaction is None:  # else the CSMS has started it meanwhile
            self._station.authorize(self._token, self._connector.number)
        self._stay()

    def _stay(self) -> None:
        if self._random.random() < _FAULT_CHANCE:
            self._after(self._random.uniform(60, 600), self._break)
        self._after(30, self._look)

    def _break(self) -> None:
        if self._connector.car is self._car and self._connector.fault is None:
            self._station.fault(self._connector.number, self._random.choice(FAULTS))
            self._after(self._random.uniform(60, 300), lambda: self._station.clear(self._connector.number))

    def _look(self) -> None:
        """Is it charging? Then come back later, else leave."""
        self._after(self._random.uniform(900, 5400) if self._connector.transaction is not None else 30, self._return)

    def _return(self) -> None:
        transaction = self._connector.transaction
        if transaction is not None and self._random.random() >= _UNPLUG_CHANCE:
            self._station.authorize(transaction.token, self._connector.number)
        self._after(self._random.uniform(5, 20), self._leave)

    def _leave(self) -> None:
        with self._station.changing():
            if self._connector.car is self._car and self._car is not None:
                self._station.unplug(self._connector.number)
        self._car = None
        self._after(self._random.uniform(30, 600), self._come)


class Outages:
    """The link of a station is lost now and then.

    Args:
        station: The station.
        rate: How often in an hour of the station's time.
    """

    def __init__(self, station: Station, rate: float) -> None:
        self._station = station
        self._rate = rate / 3600
        self._plan()

    def _plan(self) -> None:
        self._station.agenda.after(self._station.random.expovariate(self._rate), self._lose)

    def _lose(self) -> None:
        self._station.go_offline(self._station.random.uniform(20, 120))
        self._plan()
