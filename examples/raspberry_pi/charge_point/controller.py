"""The charge point itself: its main loop, its link, its end, and what it tells of itself.

There is: authorization by button, card and CSMS, with the local list and the offline policy; transactions that survive power cuts and lost
links; meter values; charging profiles; availability, reset, unlocking, triggers, configuration; OCPP 1.6 and 2.0.1. There is not: more than
one connector, reservation, firmware update, diagnostics, an authorization cache, certificates by OCPP, and ISO 15118.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

from ocpp_sync import ConnectionClosed, OcppError
from ocpp_sync.clock import SYSTEM_CLOCK, Clock

from . import ocpp16, ocpp201
from .authorization import Authorization
from .connector import Connector
from .hardware import Hardware
from .metering import Metering
from .safety import Cause
from .settings import Settings

log = logging.getLogger("charge_point")

DIALECTS = {"1.6": ocpp16, "2.0.1": ocpp201}  # all that differs between the versions
GOODBYE_TIMEOUT = 5.0  # for the CSMS to hear of the end


class Controller(Connector):
    """The charge point.

    Args:
        settings: The settings.
        hardware: The board.
        clock: Another clock than the machine's, for tests.
        healthy: See :class:`Guard`.
        ending: Called when :meth:`run` begins to end, and takes its time to say goodbye.
        client_options: Further options of the client.

    Raises:
        OutboxError: The outbox's file cannot be used.
        SettingsError: A key in [configuration] is wrong.
    """

    def __init__(
        self,
        settings: Settings,
        hardware: Hardware,
        *,
        clock: Clock = SYSTEM_CLOCK,
        healthy: Callable[[], object] | None = None,
        ending: Callable[[], object] = lambda: None,
        client_options: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(settings, hardware, clock, healthy, client_options)
        self.dialect = DIALECTS[settings.csms.version].Dialect(self)
        self.authorization = Authorization(self.client, self.configuration, self.memory, self.dialect)
        self.board_error = "NoError"  # in the error codes of 1.6
        self._metering = Metering(settings, hardware.meter, self.guard, lambda reading: self.post(lambda: self._measured(reading)), clock)
        self._ending = ending
        self._reported: Any = None
        self._shown: Any = None

    # --- The main loop

    def run(self) -> str:
        """Be a charge point until :meth:`stop`; returns ``"stop"``, ``"restart"``, ``"reboot"``, or ``"failed"``."""
        hardware, guard, threads = self.hardware, self.guard, []
        try:
            guard.start()
            self._end_what_was_left()
            self._prepare()
            hardware.start()  # first, so that the first state that is told knows of the car
            guard.begin(Cause.LINK_LOST, "there is no link yet")
            self._metering.expect()
            guard.expect(Cause.WATCHDOG, "the main loop", self.settings.safety.watchdog_seconds)
            threads = [
                guard.thread(self._connect, "link"),
                guard.thread(self._metering.run, "meter"),
                guard.thread(hardware.wait_for_cards, "cards"),
                guard.thread(hardware.watch, "board"),
            ]
            while self._end is None:
                self.do_next()
                self._show()
        except BaseException as error:
            if isinstance(error, Exception):
                guard.failed("main", error)  # opens at once
            raise
        finally:
            self._close(threads)
        return self._end

    def _close(self, threads: list[threading.Thread]) -> None:
        """Whatever of it fails, the contactor opens, and the board is let go of."""
        with ExitStack() as last:
            for thread in threads:
                last.callback(self._join, thread)
            last.callback(self.hardware.close)
            last.callback(self._say_goodbye)
            last.callback(self._metering.stop)
            last.callback(self.end_jobs)
            last.callback(self._ending)
            self.guard.shut()  # opens, if it was not open

    def _join(self, thread: threading.Thread) -> None:
        while thread.is_alive():
            self.client.close()  # again, if it was about to connect
            thread.join(0.1)

    def stop(self, how: str = "stop", reason: str = "Other") -> None:
        """End :meth:`run`; from any thread. The contactor opens before anything else."""
        self._end_reason = reason
        self.guard.begin(Cause.STOPPING, f"the program is to {how}")

        def end() -> None:
            self._end = self._end or how

        self.post(end)

    def _prepare(self) -> None:
        client, guard = self.client, self.guard
        for action, handler in self.dialect.handlers.items():
            client.on(action, handler)
        client.on("frame", lambda direction, text: guard.alive(Cause.CSMS_SILENT, "the CSMS") if direction == "in" else None)
        client.on("connect", lambda: self.post(self._link_changed))
        client.on("close", lambda code, reason: self.post(self._link_changed))
        client.on("registration", lambda status: self.post(self._link_changed))
        client.on("outbox", lambda what, message, reason: log.error("outbox: %s: %s", what, reason))
        self.configuration.changed = self._configured
        self._configured()
        hardware = self.hardware
        hardware.pressed = self._pressed
        hardware.stopped = lambda: self.post(lambda: self.end_session("Local"))
        hardware.carded = lambda uid: self.post(lambda: self._card(uid))
        hardware.plugged = lambda is_plugged: self.post(lambda: self._plug(is_plugged))
        hardware.failed = self._board_failed

    def _connect(self) -> None:
        reason = self.memory["boot_reason"]
        with suppress(ConnectionClosed):  # it was closed meanwhile
            try:
                self.client.connect(self.settings.csms.url, retry=True, boot=self.dialect.boot(reason))
            except ValueError as error:  # the URL or a file is wrong, which no further attempt mends
                log.critical("there will be no link: %s; see [csms] in config.toml", error)
                self.guard.failed("link", error)
            else:
                self.memory.keep(boot_reason="PowerUp")

    def _say_goodbye(self) -> None:
        """End the transaction, for which the CSMS has a moment; else it hears of it at the next start."""
        try:
            self.end_session(self._end_reason)
            if self._last_end is not None:
                self._last_end.result(timeout=GOODBYE_TIMEOUT if self.is_online else 0)
        except (OcppError, OSError) as error:  # a time-out is an OSError, and so is a full disk
            log.warning("the CSMS will hear of the end later: %s", error)
        finally:
            self.client.close(drain=True, timeout=GOODBYE_TIMEOUT)

    # --- What has changed

    def _link_changed(self) -> None:
        if self.is_online:
            patience = max(self.settings.safety.csms_seconds, 2 * self.client.heartbeat_interval)
            self.guard.expect(Cause.CSMS_SILENT, "the CSMS", patience)
            self.guard.end(Cause.LINK_LOST)
            if self._asks_again:
                self._plug(True)
        else:
            self.guard.begin(Cause.LINK_LOST, "there is no link to the CSMS")
            self.guard.forget(Cause.CSMS_SILENT, "the CSMS")

    def _board_failed(self, error: str, why: str) -> None:
        """In a thread of the board: the guard is told at once."""
        self.board_error = error
        self.guard.end(Cause.BOARD)
        if error != "NoError":
            self.guard.begin(Cause.BOARD, why)

    def _configured(self) -> None:
        self.client.outbox.attempts = self.configuration.number("attempts")
        self.client.outbox.retry_interval = self.configuration.number("retry")
        if self.is_online:  # else the answer to the BootNotification says it
            self.client.heartbeat_interval = self.configuration.number("heartbeat")
            self._link_changed()  # a silence may be longer, or shorter, now

    def _show(self) -> None:
        """After each job: tell the CSMS and the LEDs what is different now."""
        state = self.state
        if self.dialect.wire_state(state) != self._reported:
            self._reported = self.dialect.wire_state(state)
            self.report()
        if self.is_to_restart and self.session is None:
            self.stop("restart")
        shown = state, self.is_online
        if shown != self._shown:
            self._shown = shown
            self.hardware.show(*shown)

    def report(self) -> None:
        """Tell the CSMS the state."""
        self.dialect.status(self.state, self.guard.reasons)
