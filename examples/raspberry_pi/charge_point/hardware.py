"""What is wired to the Pi: contactor, button, LEDs, pilot, card reader. Another board offers the same by its own means."""

from __future__ import annotations

import importlib
import logging
import re
import threading
from collections.abc import Callable
from typing import Any, Protocol

from gpiozero import LED, DigitalInputDevice, DigitalOutputDevice, OutputDevice, PWMOutputDevice

from ocpp_sync.clock import SYSTEM_CLOCK, Clock

from .meter import Meter, ModbusMeter, SimulatedMeter
from .safety import Switch
from .settings import Settings, SettingsError

log = logging.getLogger("charge_point")

CARD = re.compile(r"\b[0-9A-F]{2}(?:[ :-]?[0-9A-F]{2}){3,9}\b", re.IGNORECASE)  # a UID has 4, 7 or 10 bytes
UNLOCK_SECONDS = 1.0  # how long the coil of a lock is powered


class Hardware(Protocol):
    """What the controller needs of a board.

    Attributes:
        contactor: Only the guard switches it.
        meter: The energy meter.
        pressed: Set by the controller; called when the button is pressed.
        carded: Set by the controller; called with the UID of a card.
        plugged: Set by the controller; called with whether a car is plugged in.
        knows_plug: Whether ``plugged`` is ever called; without it a car is taken to be there.
        has_lock: Whether there is a lock that :meth:`unlock` opens.
    """

    contactor: Switch
    meter: Meter
    pressed: Callable[[], object]
    carded: Callable[[str], object]
    plugged: Callable[[bool], object]
    knows_plug: bool
    has_lock: bool

    def start(self) -> None:
        """Begin to call ``pressed``, ``carded`` and ``plugged``."""

    def allow(self, amps: float) -> None:
        """Tell the car how much it may take; 0 is nothing."""

    def show(self, state: str, is_online: bool) -> None:
        """Show a state, in the words of OCPP 1.6."""

    def unlock(self) -> bool:
        """Let the cable go; false if that has failed."""

    def wait_for_cards(self) -> None:
        """Read cards until :meth:`close`, in a thread of its own."""

    def close(self) -> None:
        """Let go of all pins and ports; after this the contactor is open."""


class PiHardware:
    """The pins and ports that the settings name.

    Args:
        settings: The settings.
        cards: The card reader, with ``readline()``, instead of the port in the settings.
        clock: Another clock than the machine's for the simulated meter, for tests.
    """

    def __init__(self, settings: Settings, *, cards: Any = None, clock: Clock = SYSTEM_CLOCK) -> None:
        pins = settings.pins
        self.pressed: Callable[[], object] = lambda: None
        self.carded: Callable[[str], object] = lambda uid: None
        self.plugged: Callable[[bool], object] = lambda is_plugged: None
        self._devices: list[Any] = []
        self._is_closing = threading.Event()
        self._amps = 0.0
        try:
            relay = self._pin(OutputDevice, pins.contactor, active_high=pins.contactor_active_high, initial_value=False)
            self.contactor: Switch = relay
            self._button = self._pin(DigitalInputDevice, pins.button, pull_up=True, bounce_time=0.05)
            self._plug = self._pin(DigitalInputDevice, pins.plug, pull_up=True, bounce_time=0.1)
            self._lock = self._pin(DigitalOutputDevice, pins.unlock)
            self._pilot = self._pin(PWMOutputDevice, pins.pilot, frequency=1000, initial_value=1.0)
            self._ready, self._charging, self._fault = (
                self._pin(LED, each) for each in (pins.led_ready, pins.led_charging, pins.led_fault)
            )
            self.knows_plug, self.has_lock = self._plug is not None, self._lock is not None
            self._cards = cards or (open_serial(settings.cards.port, settings.cards.baud, 1.0) if settings.cards.port else None)
            self.meter = _make_meter(settings, lambda: bool(relay.value), lambda: self._amps, clock)
        except BaseException:
            self.close()
            raise

    def _pin(self, kind: Any, number: int | None, **options: Any) -> Any:
        if number is None:
            return None
        device = kind(number, **options)
        self._devices.append(device)
        return device

    def start(self) -> None:
        """See :class:`Hardware`."""
        if self._button is not None:
            self._button.when_activated = lambda: self.pressed()
        if self._plug is not None:
            self._plug.when_activated = lambda: self.plugged(True)
            self._plug.when_deactivated = lambda: self.plugged(False)
            self.plugged(self._plug.is_active)

    def allow(self, amps: float) -> None:
        """See :class:`Hardware`; the pilot's duty cycle is that of IEC 61851: 10 % for 6 A, 80 % for 48 A, always high for nothing."""
        self._amps = amps
        if self._pilot is not None:
            self._pilot.value = min(amps, 48.0) / 60 if amps >= 6 else 1.0

    def show(self, state: str, is_online: bool) -> None:
        """See :class:`Hardware`; the LED *ready* blinks without a link, and *charging* during a pause."""
        _light(self._ready, state in ("Available", "Preparing", "Finishing"), blinks=not is_online)
        _light(self._charging, state in ("Charging", "SuspendedEV", "SuspendedEVSE"), blinks=state != "Charging")
        _light(self._fault, state in ("Faulted", "Unavailable"), blinks=state == "Unavailable")

    def unlock(self) -> bool:
        """See :class:`Hardware`; the lock reports nothing, so it is taken to have opened."""
        self._lock.blink(on_time=UNLOCK_SECONDS, n=1)
        return True

    def wait_for_cards(self) -> None:
        """See :class:`Hardware`; a line is a UID in hexadecimal, whatever is around it."""
        while self._cards is not None and not self._is_closing.is_set():
            try:
                line = self._cards.readline()
            except (OSError, TypeError):  # the latter is pyserial's, when its port is closed meanwhile
                if self._is_closing.is_set():
                    return
                raise
            found = CARD.search(line.decode("ascii", "replace"))
            if found is not None:
                self.carded(re.sub("[ :-]", "", found[0]).upper())
            elif line.strip():
                log.warning("the card reader says %r, which has no UID of 4 to 10 bytes in it", line[:40])

    def close(self) -> None:
        """See :class:`Hardware`; twice does not hurt."""
        self._is_closing.set()
        for device in self._devices:
            device.close()
        for each in (getattr(self, "_cards", None), getattr(self, "meter", None)):
            if each is not None:
                each.close()


def open_serial(port: str, baud: int, timeout: float) -> Any:
    """A serial port.

    Raises:
        SettingsError: pyserial is not installed.
        OSError: The port cannot be opened.
    """
    try:
        serial = importlib.import_module("serial")
    except ImportError:
        raise SettingsError(f"the port {port} needs pyserial: pip install pyserial, or apt install python3-serial") from None
    return serial.Serial(port, baud, timeout=timeout)


def _make_meter(settings: Settings, is_closed: Callable[[], bool], amps: Callable[[], float], clock: Clock) -> Meter:
    it = settings.meter
    if it.kind == "simulated":
        return SimulatedMeter(is_closed, amps, settings.supply.phases, clock)
    return ModbusMeter(open_serial(it.port, it.baud, 0.5), it.kind, it.unit)


def _light(led: Any, is_on: bool, *, blinks: bool) -> None:
    if led is None:
        return
    if is_on and blinks:
        led.blink(on_time=0.5, off_time=0.5)
    elif is_on:
        led.on()
    else:
        led.off()
