"""The one connector: what happens when a driver, a card, a car or the CSMS comes, and the transaction.

Everything that happens is a job in one queue, and the main loop does one job after the other: so nothing here needs a lock. Jobs come from
the button, the card reader, the handlers of the CSMS's requests, the meter and the guard. A job may wait for the CSMS only while nobody
charges (``Authorize``); whatever must be at once (opening the contactor) is the guard's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ocpp_sync import ConnectionClosed, Delivery, OcppError
from ocpp_sync.clock import Clock

from . import profiles
from .authorization import Authorization
from .configuration import Configuration
from .hardware import Hardware
from .jobs import Jobs
from .memory import Memory
from .meter import Reading
from .safety import IS_FAULT, Cause, Guard
from .sessions import Driver, Session
from .settings import Settings, SettingsError
from .uplink import make_client

if TYPE_CHECKING:
    from . import ocpp16, ocpp201

log = logging.getLogger("charge_point")

LEAST_AMPS = 6.0  # by IEC 61851 a car takes nothing below


class Connector(Jobs):
    """What :class:`~charge_point.controller.Controller` controls; its main loop calls all of this."""

    def __init__(
        self,
        settings: Settings,
        hardware: Hardware,
        clock: Clock,
        healthy: Callable[[], object] | None,
        client_options: dict[str, Any] | None,
    ) -> None:
        super().__init__()
        self.settings, self.hardware, self.clock = settings, hardware, clock
        self.memory = Memory(settings.files.memory)
        try:
            fixed = {"SecurityProfile": str(settings.csms.security_profile)}
            self.configuration = Configuration(settings.csms.version, self.memory, settings.configuration, fixed)
        except ValueError as error:
            raise SettingsError(str(error)) from None
        self.client = make_client(settings, clock, **(client_options or {}))
        self.guard = Guard(
            hardware.contactor, settings.safety.policies, clock=clock, told=lambda: self.post(self._safety_changed), healthy=healthy
        )
        self.dialect: ocpp16.Dialect | ocpp201.Dialect
        self.limits = profiles.Limits(self.memory, settings.supply, self.client.now)
        self.session: Session | None = None
        self.driver: Driver | None = None
        self.is_plugged = not hardware.knows_plug
        self.is_to_restart = False  # when the transaction is over
        self.is_to_be_inoperative = False  # when the transaction is over
        self.last_reading = Reading(self.memory["meter_wh"], 0.0, settings.supply.volts, 0.0)
        self.authorization: Authorization
        self._asks_again = False  # about plug_tag, once there is a link
        self._has_seen_plug = False
        self._is_finished = False  # the car that is plugged in has been charged
        self._sampled_at = clock.monotonic()
        self._end: str | None = None  # what run() returns
        self._end_reason = "Other"  # of the transaction that goes on then
        self._last_end: Delivery | None = None  # of a transaction

    @property
    def is_online(self) -> bool:
        """Whether the CSMS can be asked."""
        return self.client.connected and self.client.registration == "Accepted"

    # --- Drivers

    def _pressed(self) -> None:
        """In whatever thread the button is: who presses it while somebody charges wants that to end, and nothing to begin."""
        session = self.session
        self.post(lambda: self._button(session))

    def _button(self, session: Session | None) -> None:
        if session is not None or self.session is not None:
            if self.session is session:
                self.end_session("Local")
        elif self.driver is not None:
            self.driver = None
        elif self.settings.button_tag:
            self.begin(self.settings.button_tag)

    def _card(self, tag: str) -> None:
        if self.session is not None:
            if tag.lower() == self.session.tag.lower():  # as OCPP compares them
                self.end_session("Local")
        elif self.driver is not None and self.driver.tag.lower() == tag.lower():
            self.driver = None  # has changed his mind
        else:
            self.begin(tag)

    def _plug(self, is_plugged: bool) -> None:
        was_there = not self._has_seen_plug  # since before the start; power does not come back by itself
        self.is_plugged, self._has_seen_plug = is_plugged, True
        self._asks_again = self._is_finished = False
        if not is_plugged:
            self.end_session("EVDisconnected")
        elif self.driver is not None:
            driver, self.driver = self.driver, None
            self._start(driver)
        elif self.settings.plug_tag and self.session is None and not was_there:
            self._asks_again = not self.is_online
            self.begin(self.settings.plug_tag)

    def why_not(self) -> str | None:
        """Why nobody can begin to charge now; None if somebody can."""
        if self.session is not None or self.driver is not None:
            return "somebody else charges"
        if not self.memory["operative"] or self.is_to_restart or self._end is not None:
            return "the charge point is out of service"
        return next(iter(self.guard.reasons.values()), None)

    def begin(self, tag: str, *, is_known: bool = False, remote_start_id: int | None = None, profile: dict[str, Any] | None = None) -> None:
        """Somebody wants to charge.

        Args:
            tag: Who.
            is_known: Whether nobody needs to be asked.
            remote_start_id: Of 2.0.1.
            profile: The TxProfile that came along.
        """
        why = self.why_not()
        if why is None and not (is_known or self.authorization.accepts(tag)):
            why = f"{tag} is not authorized"
        if why is not None:
            log.info("no charge: %s", why)
            return
        driver = Driver(tag, self.clock.monotonic() + self.configuration.number("plug_timeout"), remote_start_id, profile)
        if self.is_plugged:
            self._start(driver)
        else:
            self.driver = driver

    # --- The transaction

    def _start(self, driver: Driver) -> None:
        if not self.guard.arm():
            log.warning("no charge: %s", "; ".join(self.guard.reasons.values()))
            return
        reading, now = self.read_meter(), self.client.now()
        session = Session("", driver.tag, now, reading, driver.remote_start_id)
        delivery = self.dialect.started(session)  # on disk before power flows
        session.handle = delivery.transaction or session.handle
        self.memory.keep(meter_wh=reading.energy_wh)
        self.session, self._sampled_at, self._asks_again = session, self.clock.monotonic(), False
        if driver.profile is not None:
            self.set_profile(driver.profile)
        delivery.add_done_callback(lambda done: self.post(lambda: self._start_answered(session, done)))
        self._apply_limit()

    def _start_answered(self, session: Session, delivery: Delivery) -> None:
        status = "Accepted"
        try:
            status = self.dialect.token_status(delivery.result(0)) or "Accepted"
        except ConnectionClosed:
            return  # the program ends
        except OcppError as error:
            status = f"unknown, since {delivery.action} failed: {error}"
        if status != "Accepted" and session is self.session and self.configuration.flag("stop_on_invalid"):
            log.warning("the charge of %s ends; it is %s", session.tag, status)
            self.end_session("DeAuthorized")

    def end_session(self, reason: str) -> None:
        """End the transaction, if there is one; the contactor opens first."""
        self.guard.disarm()
        self.hardware.allow(0.0)
        session, self.session, self.driver = self.session, None, None
        if session is None:
            return
        reading = self.read_meter()
        self._last_end = self.dialect.ended(session, reading, reason)
        self._is_finished = True
        self.limits.end_transaction()
        operative = self.memory["operative"] and not self.is_to_be_inoperative
        self.memory.keep(operative=operative, meter_wh=max(reading.energy_wh, session.begin.energy_wh))
        self.is_to_be_inoperative = False

    def _end_what_was_left(self) -> None:
        """After a power cut: end what was going on."""
        for left in list(self.client.outbox.open_transactions()):
            reading = self.read_meter()
            highest = max(reading.energy_wh, self.memory["meter_wh"])
            self.dialect.abandoned(left, reading._replace(energy_wh=highest))
        self.limits.end_transaction()

    def set_profile(self, profile: dict[str, Any]) -> bool:
        """Install a charging profile; false if it cannot be."""
        transaction = self.dialect.transaction_id(self.session) if self.session is not None else None
        if "transactionId" not in profile and self.session is not None and transaction is None:
            transaction = -1  # the CSMS has not named it yet; a profile without an id is for it nevertheless
        is_installed = self.limits.install(profile, transaction)
        self._apply_limit()
        return is_installed

    def clear_profiles(self, matches: Callable[[dict[str, Any]], bool]) -> bool:
        """Take away the charging profiles that a function says; false if there are none."""
        is_changed = self.limits.clear(matches)
        self._apply_limit()
        return is_changed

    def schedule(self, seconds: int, unit: str) -> tuple[str, list[dict[str, Any]]]:
        """The time, and what the charging profiles come to from then on."""
        return self.limits.composite(self.session.started if self.session else None, seconds, unit)

    def _apply_limit(self) -> None:
        if self.session is None:
            return
        amps = self.limits.amps(self.session.started)
        if amps >= LEAST_AMPS:
            self.hardware.allow(amps)
            flows = self.guard.close()
        else:
            self.hardware.allow(0.0)  # first: a car ends by itself what it is told to, and spares the contacts
            self.guard.open()
            flows = False
        if flows != self.session.is_flowing and self.guard.is_armed:
            self.session.is_flowing = flows
            self.dialect.flow_changed(self.session)

    def set_availability(self, operative: bool) -> str:
        """Be in service, or not; returns ``"Accepted"``, or ``"Scheduled"`` for when the transaction is over."""
        self.is_to_be_inoperative = not operative and self.session is not None
        if self.is_to_be_inoperative:
            return "Scheduled"
        self.memory.keep(operative=operative)
        if not operative:
            self.driver = None
        return "Accepted"

    def restart_when_idle(self) -> None:
        """End :meth:`run` when the transaction is over, to start again."""
        self.is_to_restart = True
        self.driver = None

    def unlock(self) -> bool | None:
        """Let the cable go, which ends the transaction; None if there is no lock."""
        if not self.hardware.has_lock:
            return None
        self.end_session("UnlockCommand")
        return self.hardware.unlock()

    # --- The meter

    def read_meter(self) -> Reading:
        """What the meter shows; if it cannot be read, what it has shown last."""
        try:
            self.last_reading = self.hardware.meter.read()
        except Exception as error:  # whatever it is, a transaction must come to its end
            log.warning("the last reading is taken: %s", error)
        return self.last_reading

    def _measured(self, reading: Reading | None) -> None:
        self.guard.alive(Cause.WATCHDOG, "the main loop")
        now = self.clock.monotonic()
        if self.driver is not None and now >= self.driver.until:
            self.driver = None  # nobody has plugged in
        if reading is None:
            return
        self.last_reading = reading
        if self.session is None:
            return
        self._apply_limit()
        interval = self.configuration.number("meter_interval")
        if interval and now - self._sampled_at >= interval:
            self._sampled_at = now
            self.memory.keep(meter_wh=max(reading.energy_wh, self.memory["meter_wh"]))  # first: what is told is not taken back
            self.dialect.sampled(self.session, reading, "Sample.Periodic")

    # --- What it is

    def _safety_changed(self) -> None:
        if self.session is not None and not self.guard.is_armed:
            by = self.guard.tripped
            self.end_session("EmergencyStop" if Cause.OVER_CURRENT in by else self._end_reason if Cause.STOPPING in by else "Other")
        if Cause.THREAD_FAILED in self.guard.reasons:
            self._end = self._end or "failed"  # a fresh start is better than a limping one

    @property
    def state(self) -> str:
        """The state of the connector, in the words of 1.6."""
        if IS_FAULT & self.guard.reasons.keys():
            return "Faulted"
        if self.session is not None:
            return "Charging" if self.session.is_flowing else "SuspendedEVSE"
        if not self.memory["operative"]:
            return "Unavailable"
        if self.driver is not None:
            return "Preparing"
        if not (self.hardware.knows_plug and self.is_plugged):
            return "Available"
        return "Finishing" if self._is_finished else "Preparing"
