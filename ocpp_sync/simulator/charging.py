"""Who may charge, with how much, and what the CSMS is told of it: with the station's lock held, but for what asks the CSMS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from .. import Delivery, OcppError, format_time
from .connector import Connector, Reason, Reservation, Token, Transaction
from .energy import Supply
from .profiles import Limit, Profiles, Subject

if TYPE_CHECKING:
    from .station import Station

__all__ = ["Charging"]

_TICK = 10.0  # seconds after which it is looked whether a battery is full, or a limit has changed
_SHORTEST_TICK = 0.25  # seconds of the clock, whatever the speed
_NAME_TIME = 2.0  # seconds of the clock that are waited for what the CSMS calls a transaction


class Charging:
    """The transactions of a station.

    Args:
        station: The station.

    Attributes:
        profiles: What limits them.
        sessions: How many have ended.
        energy: Wh of these.
    """

    def __init__(self, station: Station) -> None:
        self._station = station
        self.profiles = Profiles()
        self.sessions = 0
        self.energy = 0.0
        self._ticking = False

    # --- Who may

    # --- Beginning and end

    def begin(self, connector: Connector, trigger: str) -> None:
        """Begin a transaction, if everything is there for it; the trigger is one of 2.x."""
        station, authorization = self._station, connector.authorization
        ready = (
            connector.transaction is None
            and connector.fault is None
            and connector.operative
            and not (station.is_resetting or station.is_closed)
        )
        if authorization is None or connector.car is None or not ready:
            return
        connector.authorization = None
        if authorization.end is not None:
            authorization.end.cancel()
        reservation = connector.reservation
        if reservation is not None and reservation.is_for(authorization.token, authorization.group):
            self.release(connector)
        else:
            reservation = None
        transaction = Transaction(authorization, connector.register, station.now(), handle=station.new_transaction_id())
        transaction.reservation_id = None if reservation is None else reservation.id
        connector.transaction, connector.finished = transaction, False
        if station.version != "1.6":
            transaction.id = transaction.handle
            self._bind_profiles(connector)
        self.offer()
        transaction.begin = station.metering.read(connector, "ended measurands")
        started = station.metering.read(connector, "started measurands")
        delivery = station.put(station.wording.started(connector, transaction, trigger, started, format_time(transaction.started)))
        station.note("started", f"a transaction of {authorization.token.id} has started", connector.number, token=authorization.token.id)
        transaction.delivery = delivery
        if delivery is not None:
            transaction.handle = delivery.transaction or transaction.handle
            delivery.add_done_callback(partial(self._answered, connector, transaction))
        station.metering.plan_sample(connector)
        self._tick()

    def end(self, connector: Connector, reason: Reason) -> None:
        """End the transaction of a connector, if there is one."""
        station, transaction = self._station, connector.transaction
        if transaction is None:
            return
        if transaction.sample is not None:
            transaction.sample.cancel()
        energy, values = connector.energy, station.metering.read(connector, "ended measurands")
        connector.transaction, connector.finished = None, connector.car is not None
        self.sessions += 1
        self.energy += energy
        self.profiles.remove(lambda profile: profile.purpose == "Tx" and profile.connector == connector.number)
        if connector.scheduled is not None:
            connector.operative, connector.scheduled = connector.scheduled, None
        station.put(station.wording.ended(connector, transaction, reason, values, format_time(station.now())))
        text = f"the transaction has ended after {energy / 1000:.2f} kWh ({reason.value})"
        station.note("ended", text, connector.number, reason=reason.value, energy=round(energy))

    def _answered(self, connector: Connector, transaction: Transaction, delivery: Delivery) -> None:
        """The CSMS knows of a transaction."""
        try:
            response = delivery.result(0)
        except (OcppError, TimeoutError):
            return  # which was told by the outbox
        station = self._station
        with station.changing():
            self._name(connector, transaction, response)
            station.note("transaction", f"it is transaction {transaction.id}", connector.number, transaction=transaction.id)
            info = station.wording.token_info(response)
            if info is None:
                return
            station.reader.tokens.learn(transaction.token, info)
            if info.is_accepted or connector.transaction is not transaction:
                return
            station.note("refused", f"{transaction.token.id} is refused: {info.status}", connector.number, status=info.status)
            if station.configuration.flag("stop on invalid"):
                self.end(connector, Reason.DEAUTHORIZED)
            else:
                transaction.deauthorized = True

    def _name(self, connector: Connector, transaction: Transaction, response: dict[str, Any]) -> None:
        """The CSMS has said what it calls a transaction; in 2.x it has its name from the beginning."""
        if transaction.id is None:
            transaction.id = response["transactionId"]
            if connector.transaction is transaction:  # else it is over already
                self._bind_profiles(connector)

    def wait_named(self, transaction_id: Any) -> None:
        """Wait a moment for a transaction that the CSMS has perhaps just named; without the lock, in a thread of the client.

        What the CSMS asks right after it has answered may be looked at before the answer.
        """
        station = self._station
        deadline = station.clock.monotonic() + _NAME_TIME
        with station.changing():
            begun = [(it, it.transaction, it.transaction.delivery) for it in station.connectors.values() if it.transaction is not None]
        unnamed = [(it, transaction, delivery) for it, transaction, delivery in begun if transaction.id is None and delivery is not None]
        for connector, transaction, delivery in sorted(unnamed, key=lambda each: each[2].id):
            if self.find(transaction_id) is not None:
                return
            with suppress(OcppError, TimeoutError):
                response = delivery.result(max(0.0, deadline - station.clock.monotonic()))
                with station.changing():
                    self._name(connector, transaction, response)

    def find(self, transaction_id: Any) -> Connector | None:
        """The connector of a transaction, by what the CSMS calls it."""
        known = (connector for connector in self._station.connectors.values() if connector.transaction is not None)
        return next((connector for connector in known if connector.transaction and connector.transaction.id == transaction_id), None)

    def end_all(self, reason: Reason) -> None:
        """End every transaction, and let nobody begin who was about to."""
        for connector in self._station.connectors.values():
            if connector.authorization is not None and connector.authorization.end is not None:
                connector.authorization.end.cancel()
            connector.authorization = None
            self.end(connector, reason)

    # --- Reservations

    def reserve(self, connector: Connector, number: int, token: Token, group: str | None, expires: datetime) -> None:
        """Keep a connector for somebody; another reservation of this number is gone then."""
        if (older := self.reservation(number)) is not None:
            self.release(older)
        station = self._station
        seconds = (expires - station.now()).total_seconds() * station.speed  # that is the clock on the wall, which goes as it always does
        end = station.agenda.after(seconds, partial(self._expire, connector, number))
        connector.reservation = Reservation(number, token, group, expires, end)
        station.note("reserved", f"reserved for {token.id}", connector.number, token=token.id, reservation=number)

    def reservation(self, number: int) -> Connector | None:
        """The connector of a reservation; None if there is none of this number."""
        found = (it for it in self._station.connectors.values() if it.reservation is not None and it.reservation.id == number)
        return next(found, None)

    def release(self, connector: Connector, how: str | None = None) -> None:
        """End the reservation of a connector, if there is one.

        Args:
            connector: The connector.
            how: ``"Expired"`` or ``"Removed"``, which the CSMS is told; None is used, or cancelled.
        """
        reservation, connector.reservation = connector.reservation, None
        if reservation is None:
            return
        reservation.end.cancel()
        if how is not None:
            self._station.say(self._station.wording.reservation_ended(reservation.id, how))

    def _expire(self, connector: Connector, number: int) -> None:
        with self._station.changing():
            if connector.reservation is not None and connector.reservation.id == number:
                self.release(connector, "Expired")
                self._station.note("expired", "the reservation has expired", connector.number, reservation=number)

    # --- How much

    def offer(self) -> None:
        """Work out what each connector may give now."""
        for connector in self._station.connectors.values():
            connector.offered, phases = self.limit(connector, self._station.now())
            connector.usable = connector.supply.using(phases)

    def limit(self, connector: Connector, at: datetime) -> Limit:
        """What a connector may give at a time, as things are now."""
        station, transaction = self._station, connector.transaction
        started = None if transaction is None else transaction.started
        subject = Subject(connector.number, connector.supply, transaction and transaction.id, started)
        own = self.profiles.limit(subject, at)
        all_of_it = self.profiles.station_limit(connector.supply, at)
        charging = sum(it.transaction is not None and it.car is not None and not it.car.is_full for it in station.connectors.values())
        share = None if all_of_it is None else all_of_it._replace(power=all_of_it.power / max(1, charging))
        return _least(connector.supply, own, share)

    def schedule(self, number: int, duration: int) -> Iterator[tuple[int, Limit]]:
        """The limits of a connector, or of the station, from now on: after how many seconds, and which."""
        station, now = self._station, self._station.now()
        connector = station.connectors.get(number)
        transaction = None if connector is None else connector.transaction
        started = None if transaction is None else transaction.started
        before: Limit | None = None
        for when in self.profiles.changes(now, now + timedelta(seconds=duration), started):
            limit = self._station_limit(when) if connector is None else self.limit(connector, when)
            if limit != before:
                yield round((when - now).total_seconds()), limit
            before = limit

    def _station_limit(self, at: datetime) -> Limit:
        supplies = [connector.supply for connector in self._station.connectors.values()]
        whole = Supply(sum(supply.power for supply in supplies), supplies[0].phases)
        return _least(whole, self.profiles.station_limit(supplies[0], at))

    def _bind_profiles(self, connector: Connector) -> None:
        """A profile that came with a remote start is one of the transaction that it has started."""
        pending = self._station.pending_profiles.pop(connector.number, None)
        if pending is not None:
            self.profiles.add(pending)

    # --- The meter

    def _tick(self) -> None:
        """While somebody charges, look again and again."""
        if not self._ticking:
            self._ticking = True
            self._station.agenda.after(max(_TICK, _SHORTEST_TICK * self._station.speed), self._look)

    def _look(self) -> None:
        with self._station.changing():
            self._ticking = False
            if any(connector.transaction is not None for connector in self._station.connectors.values()):
                self._tick()


def _least(supply: Supply, *limits: Limit | None) -> Limit:
    """What a supply gives within some limits; None is no limit."""
    known = [limit for limit in limits if limit is not None]
    usable = supply.using(min((limit.phases for limit in known if limit.phases is not None), default=None))
    return Limit(max(0.0, min(usable.power, *(limit.power for limit in known))) if known else usable.power, usable.phases)
