"""A Raspberry Pi as the hardware: contactor, button, LEDs, pilot and plug on its pins, card reader and meter at its ports."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from gpiozero import LED, DigitalInputDevice, DigitalOutputDevice, OutputDevice, PWMOutputDevice

from ocpp_sync.clock import SYSTEM_CLOCK, Clock

from .cards import CardReader, make_reader
from .hardware import open_serial
from .meter import Meter, ModbusMeter, SimulatedMeter
from .safety import Switch
from .settings import Settings, SettingsError

log = logging.getLogger("charge_point")

UNLOCK_SECONDS = 1.0  # how long the coil of a lock is powered


class PiHardware:
    """The pins and ports that the settings name.

    Args:
        settings: The settings.
        cards: The card reader, instead of that in the settings.
        clock: Another clock than the machine's for the simulated meter, for tests.
    """

    def __init__(self, settings: Settings, *, cards: CardReader | None = None, clock: Clock = SYSTEM_CLOCK) -> None:
        pins = settings.pins
        self.pressed: Callable[[], object] = lambda: None
        self.stopped: Callable[[], object] = lambda: None
        self.carded: Callable[[str], object] = lambda uid: None
        self.plugged: Callable[[bool], object] = lambda is_plugged: None
        self.failed: Callable[[str, str], object] = lambda error, why: None
        self._devices: list[Any] = []
        self._amps = 0.0
        try:
            relay = open_relay(pins.contactor)
            self._devices.append(relay)
            self.contactor: Switch = relay
            self._button = self._pin(DigitalInputDevice, pins.button, pull_up=True, bounce_time=0.05)
            self._plug = self._pin(DigitalInputDevice, pins.plug, pull_up=True, bounce_time=0.1)
            self._lock = self._pin(DigitalOutputDevice, pins.unlock)
            self._pilot = self._pin(PWMOutputDevice, pins.pilot, frequency=1000, initial_value=1.0)
            self._ready, self._charging, self._fault = (
                self._pin(LED, each) for each in (pins.led_ready, pins.led_charging, pins.led_fault)
            )
            self.knows_plug, self.has_lock = self._plug is not None, self._lock is not None
            self._cards = cards or make_reader(settings.cards)
            self.meter = _make_meter(settings, lambda: bool(relay.value), lambda: self._amps, clock)
        except BaseException:
            self.close()
            raise

    def _pin(self, kind: Any, number: int | None, **options: Any) -> Any:
        if number is None:
            return None
        device = _open_pin(kind, number, **options)
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

    def watch(self) -> None:
        """See :class:`Hardware`; pins tell by themselves."""

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
        """See :class:`Hardware`."""
        if self._cards is not None:
            for uid in self._cards.uids():
                self.carded(uid)

    def close(self) -> None:
        """See :class:`Hardware`; twice does not hurt."""
        for device in self._devices:
            device.close()
        for each in (getattr(self, "_cards", None), getattr(self, "meter", None)):
            if each is not None:
                each.close()


def open_relay(number: int) -> Any:
    """The pin of the contactor, which opens it.

    Raises:
        SettingsError: The pin cannot be used.
    """
    return _open_pin(OutputDevice, number, initial_value=False)


def _open_pin(kind: Any, number: int, **options: Any) -> Any:
    try:
        return kind(number, **options)
    except Exception as error:  # gpiozero's, or that of the library below it
        raise SettingsError(
            f"GPIO{number} cannot be used ({type(error).__name__}: {error}). On a Pi: is python3-lgpio installed, does another program "
            "use the pin? Elsewhere GPIOZERO_PIN_FACTORY=mock pretends that there are pins."
        ) from error


def _make_meter(settings: Settings, is_closed: Callable[[], bool], amps: Callable[[], float], clock: Clock) -> Meter:
    it = settings.meter
    if it.kind == "simulated":
        log.warning("the meter is pretended (meter.kind), and so is the energy that the CSMS is told")
        return SimulatedMeter(is_closed, amps, settings.supply.phases, clock)
    return ModbusMeter(open_serial("meter.port", it.port, it.baud, 0.5), it.kind, it.unit)


def _light(led: Any, is_on: bool, *, blinks: bool) -> None:
    if led is None:
        return
    if is_on and blinks:
        led.blink(on_time=0.5, off_time=0.5)
    elif is_on:
        led.on()
    else:
        led.off()
