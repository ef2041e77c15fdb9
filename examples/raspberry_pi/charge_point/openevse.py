"""An OpenEVSE board as the hardware: its relay, pilot, meter and protection, spoken to over its serial port (rapi.py).

The board decides for itself too: it has a button, restarts, and opens its relay when something is wrong. So nothing is taken as done
because it was said once: a thread looks at the board twice a second, and says again whatever is not as it should be. The contactor is
closed by waking the board (``$FE``), which then lets a car charge, and opened by putting it to sleep (``$FS``), in which it still sees the
car.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from .cards import CardReader, make_reader
from .hardware import open_serial
from .meter import Meter, MeterError, ModbusMeter, Reading
from .rapi import ASLEEP, DISABLED, OpenEvse, PortLost, RapiError, Refused, State, serial_port
from .safety import Switch
from .settings import Settings

log = logging.getLogger("charge_point")

LOOK_SECONDS = 0.5
SILENT_SECONDS = 10.0  # without an answer, until that is a fault
SUPERVISION_SECONDS = 30  # after which the board goes down to the least current if nothing has come from here
BEAT_SECONDS = 5.0
LEAST_AMPS = 6  # the board cannot tell a car less
FAULTS = {  # the board's states from 4 on, in the error codes of OCPP 1.6
    4: ("OtherError", "the car wants ventilation"),
    5: ("EVCommunicationError", "the car has no diode in its pilot"),
    6: ("GroundFailure", "the residual-current detection has tripped"),
    7: ("GroundFailure", "there is no ground"),
    8: ("PowerSwitchFailure", "the relay is stuck"),
    9: ("InternalError", "the self-test of the residual-current detection has failed"),
    10: ("HighTemperature", "it is too hot"),
    11: ("OverCurrentFailure", "the car takes more than it may"),
}
WELL = ("NoError", "")


class OpenEvseHardware:
    """The board at the port that the settings name.

    Args:
        settings: The settings.
        evse: The board, instead of that in the settings.
        cards: The card reader, instead of that in the settings.

    Raises:
        SettingsError: pyserial is not installed.
        OSError: A port cannot be opened, or the board does not answer.
    """

    def __init__(self, settings: Settings, *, evse: OpenEvse | None = None, cards: CardReader | None = None) -> None:
        self.pressed: Callable[[], object] = lambda: None
        self.stopped: Callable[[], object] = lambda: None
        self.carded: Callable[[str], object] = lambda uid: None
        self.plugged: Callable[[bool], object] = lambda is_plugged: None
        self.failed: Callable[[str, str], object] = lambda error, why: None
        self.knows_plug, self.has_lock = True, False
        self.contactor: Switch = self
        self._lock = threading.Lock()  # held while the board is told something, so that what was wished last is told last
        self._closing = threading.Event()
        self._wants_power = False
        self._amps = 0
        self._told: bool | None = None  # whether the board was told to let a car charge; None is not known
        self._asked = self._taken = 0  # amperes: what the board was told, and what it has made of that
        self._is_awake = False  # it has said so, and was not told otherwise since
        self._was_stopped = False  # by its button; so it stays until it is told to
        self._has_left = False  # the car has gone, and may have come back since
        self._fault = self._seen = WELL  # what was told last, and what the board has said last
        self._silent_since: float | None = None
        self._beat_at: float | None = 0.0  # None: the board knows no heartbeats
        self._evse = evse or OpenEvse(serial_port(settings.openevse.port))
        self._evse.notify = self._notified
        try:
            log.info("the OpenEVSE board has firmware %s", self._evse.version()[0])
            self._state = self._evse.state()
            sees = self._state.code not in (0, DISABLED)
            self._plugged = self._state.plugged if sees else None  # None is not known
            self._beat()
            self.meter: Meter = _make_meter(settings, self._evse)
            self._cards = cards or make_reader(settings.cards)
        except BaseException:
            with suppress(RapiError):
                self._evse.sleep()  # it has started awake
            self._evse.close()
            raise

    # --- The contactor; the guard calls this with its lock held, so it must not raise, nor wait time and again for a board that is silent

    def on(self) -> None:
        """Let the car charge; what the board has not heard, it is told again."""
        if self._was_stopped:
            return
        self._wants_power = True
        if self._told is not True:
            self._try()

    def off(self) -> None:
        """Let no car charge; what the board has not heard, it is told again."""
        self._wants_power = self._was_stopped = False
        if self._told is not False:
            self._try()

    def allow(self, amps: float) -> None:
        """See :class:`Hardware`; less than 6 A is nothing, for which the board is put to sleep."""
        self._amps = int(amps)
        if self._wants_power and self._asked != self._amps >= LEAST_AMPS:
            self._try()

    def _try(self) -> None:
        """Tell the board at once, if it answers at all; else :meth:`watch` does it."""
        if self._silent_since is not None:
            return
        with self._lock:
            try:
                self._tell()
            except RapiError as error:
                log.warning("the board will be told again: %s", error)

    def _tell(self) -> None:
        """With the lock held: tell the board what is wanted of it."""
        if not self._wants_power:
            if self._state.faulty and not self._state.plugged:
                self._told = None  # without a car nothing can flow, and asleep it would not say any more what is wrong
            elif self._told is not False:  # in a fault, too: it would try again by itself
                self._told, self._is_awake = None, False  # until it has answered
                self._evse.sleep()
                self._told = False
        elif self._state.faulty:
            self._told = None  # it lets no car charge
        else:
            was_on, self._told = self._told is True, None  # from here on, off() has something to say
            if self._asked != self._amps or not was_on:
                self._asked = 0
                self._taken = self._evse.set_current(self._amps)
                self._asked = self._amps
            if not self._wants_power:
                return  # off() waits for the lock
            if not was_on:
                self._evse.enable()
            self._told = self._is_awake = True

    # --- The board

    def start(self) -> None:
        """See :class:`Hardware`; what changes, :meth:`watch` tells."""
        if self._plugged is not None:
            self.plugged(self._plugged)

    def watch(self) -> None:
        """See :class:`Hardware`.

        Raises:
            PortLost: The board's serial port is gone.
        """
        while not self._closing.is_set():
            try:
                with self._lock:
                    if self._closing.is_set():
                        return
                    has_left = self._has_left  # before the look, which says what has come of it
                    was_pressed = self._look()
                if has_left:
                    self._has_left = False
                self._silent_since = None
                self._report(was_pressed, has_left)
            except PortLost:
                raise
            except RapiError as error:
                self._silent(error)
            self._closing.wait(LOOK_SECONDS)

    def _look(self) -> bool:
        """With the lock held: make the board do what it should; returns whether its button was pressed, which has ended a charge."""
        state = self._state = self._evse.state()
        if state.code in (ASLEEP, DISABLED) and self._is_awake:
            self._wants_power, self._told, self._is_awake, self._was_stopped = False, None, False, True
            return True
        if not self._wants_power:
            self._told = False if state.code == ASLEEP else None  # it has started anew, its button was pressed, or its fault is over
        elif self._told is True and self._evse.limit() != self._taken:
            self._asked = 0  # it has started anew, or was too hot, or has missed heartbeats
        self._tell()
        self._beat()
        return False

    def _report(self, was_pressed: bool, has_left: bool) -> None:
        """Without the lock, as who is told may want something of the board: say what is different now."""
        state = self._state
        if was_pressed:
            self.stopped()
        if state.faulty:
            self._seen = FAULTS.get(state.code, ("OtherError", f"it is in state {state.code}"))
        elif not (state.code in (ASLEEP, DISABLED) and state.plugged):  # else it is hidden, and for this car it stays a fault
            self._seen = WELL
        self._report_fault(self._seen)
        if state.code not in (0, DISABLED):  # in which it does not see the car
            if has_left and state.plugged and self._plugged:
                self.plugged(False)
                self._plugged = False
            if state.plugged != self._plugged:
                self.plugged(state.plugged)
                self._plugged = state.plugged

    def _report_fault(self, fault: tuple[str, str]) -> None:
        if fault != self._fault:
            self._fault = fault
            error, why = fault
            self.failed(error, f"the board: {why}" if why else "")

    def _silent(self, error: RapiError) -> None:
        now = time.monotonic()
        if self._silent_since is None:
            log.warning("%s", error)
            self._silent_since = now
        self._told = None
        if now - self._silent_since >= SILENT_SECONDS:
            self._report_fault(("InternalError", str(error)))

    def _notified(self, words: list[str]) -> None:
        """The board has said something by itself: that its state is another one, which may have been for a moment only."""
        if words[0] == "AT" and len(words) == 5:
            with suppress(ValueError):
                code, flags = int(words[1], 16), int(words[4], 16)
                if code not in (0, DISABLED):  # in which it does not see the car
                    self._has_left = self._has_left or not State(code, 0, 0, flags).plugged

    def _beat(self) -> None:
        """Show the board that somebody looks after it."""
        now = time.monotonic()
        if self._beat_at is not None and now >= self._beat_at:
            try:
                self._evse.supervise(SUPERVISION_SECONDS, LEAST_AMPS)
                self._beat_at = now + BEAT_SECONDS
            except Refused:
                self._beat_at = None
                log.warning(
                    "the board's firmware has no heartbeat supervision: if this computer fails, a car charges on with what it was allowed"
                )

    # --- What else there is

    def show(self, state: str, is_online: bool) -> None:
        """See :class:`Hardware`; the board shows by itself what it does."""

    def unlock(self) -> bool:
        """See :class:`Hardware`; there is no lock."""
        return False

    def wait_for_cards(self) -> None:
        """See :class:`Hardware`."""
        if self._cards is not None:
            for uid in self._cards.uids():
                self.carded(uid)

    def close(self) -> None:
        """See :class:`Hardware`; the board is put to sleep, whatever it does."""
        if self._closing.is_set():
            return
        self._closing.set()
        with self._lock:
            try:
                self._evse.sleep()
            except RapiError as error:
                log.error("the board was not put to sleep: %s", error)
            self._evse.close()
        self.meter.close()
        if self._cards is not None:
            self._cards.close()


class BoardMeter:
    """The board's own meter; one without an ammeter shows no current and no energy."""

    def __init__(self, evse: OpenEvse, volts: float) -> None:
        self._evse, self._volts = evse, volts
        self._energy = self._lost = 0
        self._lock = threading.Lock()
        if evse.current()[0] is None:
            log.warning("the board has no ammeter: what a car takes is not measured, unless [meter] names another meter")

    def read(self) -> Reading:
        """See :class:`Meter`."""
        with self._lock:
            try:
                energy = self._evse.energy_wh()
                amps, volts = self._evse.current()
            except RapiError as error:
                raise MeterError(str(error)) from error
            volts = volts if volts > 0 else self._volts  # some have no voltmeter
            self._lost += max(0, self._energy - energy)  # it has started anew in the middle of a charge, and has forgotten that
            self._energy = energy
            return Reading(energy + self._lost, (amps or 0.0) * volts, volts, amps or 0.0)

    def close(self) -> None:
        """See :class:`Meter`; the port is the board's."""


def _make_meter(settings: Settings, evse: OpenEvse) -> Meter:
    it = settings.meter
    if it.kind == "simulated":  # there is no need for one
        return BoardMeter(evse, settings.supply.volts)
    return ModbusMeter(open_serial("meter.port", it.port, it.baud, 0.5), it.kind, it.unit)
