"""The thread that looks at the meter: the guard is told of what is wrong at once, the main loop of each reading."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from ocpp_sync.clock import Clock

from .meter import Meter, MeterError, Reading
from .safety import Cause, Guard, MeterWatch
from .settings import Settings

log = logging.getLogger("charge_point")


class Metering:
    """Reads the meter all few seconds.

    Args:
        settings: The settings.
        meter: The meter.
        guard: The guard.
        measured: Called with each reading, or None if there was none; it must not wait.
        clock: The clock.
    """

    def __init__(self, settings: Settings, meter: Meter, guard: Guard, measured: Callable[[Reading | None], object], clock: Clock) -> None:
        self._settings, self._meter, self._guard, self._measured, self._clock = settings, meter, guard, measured, clock
        self._watch = MeterWatch(settings.meter.patience_wh, clock)
        self._wake = threading.Condition()
        self._is_over = False

    def expect(self) -> None:
        """Let the guard expect signs of life."""
        self._guard.expect(Cause.METER_UNREADABLE, "the meter", 3 * self._settings.meter.seconds)
        self._guard.expect(Cause.WATCHDOG, "the meter's thread", self._settings.safety.watchdog_seconds)

    def run(self) -> None:
        """Look until :meth:`stop`; in a thread of its own."""
        while not self._is_over:
            reading = None
            try:
                reading = self._meter.read()
            except MeterError as error:
                log.warning("%s", error)
            self._guard.alive(Cause.WATCHDOG, "the meter's thread")
            self._check_temperature()
            if reading is not None:
                self._guard.alive(Cause.METER_UNREADABLE, "the meter")
                self._check(reading)
            self._measured(reading)
            deadline = self._clock.monotonic() + self._settings.meter.seconds
            with self._wake:
                if not self._is_over:
                    self._clock.wait(self._wake, deadline, "meter")

    def stop(self) -> None:
        """End :meth:`run`."""
        with self._wake:
            self._is_over = True
            self._wake.notify_all()

    def _check(self, reading: Reading) -> None:
        guard, safety = self._guard, self._settings.safety
        wrong = self._watch.check(reading.energy_wh, reading.power_w)
        if wrong is not None:
            guard.begin(Cause.METER_STUCK, wrong)
        most = self._settings.supply.amps * safety.over_current_percent / 100
        if reading.current_a > most:
            guard.begin(Cause.OVER_CURRENT, f"{reading.current_a:.1f} A flow; {most:.1f} A may")
        else:
            guard.end(Cause.OVER_CURRENT)

    def _check_temperature(self) -> None:
        guard, safety = self._guard, self._settings.safety
        if safety.temperature_file:
            degrees = int(Path(safety.temperature_file).read_text(encoding="ascii")) / 1000
            if degrees > safety.temperature_limit:
                guard.begin(Cause.OVER_TEMPERATURE, f"it has {degrees:.0f} °C; {safety.temperature_limit:.0f} °C may be")
            elif degrees < safety.temperature_limit - 5:
                guard.end(Cause.OVER_TEMPERATURE)
