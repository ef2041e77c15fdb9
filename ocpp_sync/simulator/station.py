"""A simulated charge point: :class:`Station`."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from os import PathLike
from random import Random
from typing import TYPE_CHECKING, Any

from .. import Delivery, format_time
from ..clock import SYSTEM_CLOCK, Clock
from . import commands2x, commands16
from .agenda import Agenda
from .charging import Charging
from .configuration import Configuration
from .connector import FAULTS, Connector, Reason, State, Token
from .energy import Car, Supply, random_car
from .maintenance import Maintenance
from .messages2x import Messages2x, charging_state
from .messages16 import Messages16
from .metering import Metering
from .notes import Note
from .presence import Presence
from .profiles import Profile
from .reader import Reader
from .registers import Registers
from .uplink import Uplink
from .wording import Identification, Message, Wording

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Station"]

_log = logging.getLogger("ocpp_sync")


class Station:
    """A charge point that behaves as real ones do; nobody but its software is missing.

    ::

        with Station("CP1", version="1.6").start("ws://localhost:9220") as station:
            station.plug(1)
            station.authorize("TAG-1", 1)
            station.wait_for(1, "Charging")

    What it does by itself, and what it says, happens on a thread of its own; its methods come back at once, and may be called from any
    thread.

    Args:
        identity: The identity.
        version: ``"1.6"``, ``"2.0.1"`` or ``"2.1"``.
        connectors: How many it has; in 2.x each is an EVSE of its own.
        power: W that each connector can give.
        vendor: Who has made it.
        model: What it is.
        speed: How many seconds of charging, and of waiting, pass in one of the clock. Times in messages are those of the clock all the
            same.
        seed: For what is left to chance; None is another course each time.
        outbox: The file of the outbox, beside which what the meters show is kept, too; None is one that goes with the station.
        listen: Called with each :class:`Note`, in whichever thread it happens; it must be quick.
        configuration: Keys of 1.6, or variables of 2.x by their paths, that have another value than usual.
        clock: Another clock than the machine's, for tests.
        options: Further ones, of :class:`OcppClient`.

    Attributes:
        connectors: The connectors, by their numbers.
        client: The client.
        errors: How often something went wrong, by what it was: ``"callerror"``, ``"timeout"``, ``"invalid"``, ``"lost"``, ``"link"``,
            ``"crash"``.
        provoked: CALLERRORs that a scenario wants to see, by their code.
        clock: The clock.

    Raises:
        ValueError: An argument is wrong.
        OutboxError: The file of the outbox cannot be used.
    """

    def __init__(
        self,
        identity: str,
        *,
        version: str = "2.0.1",
        connectors: int = 1,
        power: float = 11_000.0,
        vendor: str = "ocpp_sync",
        model: str = "Simulator",
        speed: float = 1.0,
        seed: int | None = None,
        outbox: str | PathLike[str] | None = None,
        listen: Callable[[Note], object] | None = None,
        configuration: dict[str, str] | None = None,
        clock: Clock = SYSTEM_CLOCK,
        **options: Any,
    ) -> None:
        if not 1 <= connectors <= 100:
            raise ValueError(f"a station has 1 to 100 connectors, not {connectors}")
        if not 0 < power <= 1_000_000:
            raise ValueError(f"a connector gives up to 1,000,000 W, not {power:g}")
        if not 0 < speed <= 100_000:
            raise ValueError(f"the speed is a number above 0, up to 100,000, not {speed:g}")
        self.identity, self.version, self.speed = identity, version, speed
        self.random = Random(None if seed is None else f"{seed} {identity}")  # noqa: S311
        self.who = Identification(vendor, model, f"SIM-{identity}"[:25], "1.0.0")
        self.wording: Wording = Messages16() if version == "1.6" else Messages2x()
        self.connectors = {number: Connector(number, Supply.of(power)) for number in range(1, connectors + 1)}
        self.pending_profiles: dict[int, Profile] = {}
        self.is_resetting = False
        self.errors: Counter[str] = Counter()
        self.provoked: Counter[str] = Counter()
        self.reboots = 0
        self._listen = listen or (lambda note: None)
        self.clock = clock
        self._lock = threading.RLock()  # guards all that is known; see changing()
        self._changed = threading.Condition(self._lock)
        self._depth = 0
        self._shown = State.AVAILABLE  # what the station as a whole was when it looked last
        self._notes: list[Note] = []
        self._when_idle: list[Callable[[], object]] = []
        self._closed = False
        self.agenda = Agenda(f"ocpp-station {identity}", clock, speed, self._task_failed)
        self.uplink = Uplink(identity, version, outbox, clock, self._failed, **options)
        self.client = self.uplink.client
        self._registers = Registers(outbox)
        for number, register in self._registers.load().items():
            if number in self.connectors:
                self.connectors[number].register = register
        try:
            self._equip(configuration or {})
        except BaseException:
            self.agenda.close()
            self.uplink.close(0.0)
            raise

    def _equip(self, configuration: Mapping[str, str]) -> None:
        commands = commands16 if self.version == "1.6" else commands2x
        self.configuration = Configuration.standard(
            self.version, commands.own_settings(self), self._setting_changed, commands.settings_of_connectors(self)
        )
        self.reader = Reader(self)
        self.charging = Charging(self)
        self.metering = Metering(self)
        self.presence = Presence(self)
        self.maintenance = Maintenance(self)
        for path, value in configuration.items():
            self.configuration.put(path, value)
        for action, handler in commands.HANDLERS.items():
            self.client.on(action, partial(handler, self))

    # --- The life of the station

    def start(self, url: str, headers: Mapping[str, str] | None = None, *, delay: float = 0.0) -> Self:
        """Switch it on: it connects, as soon as it can, and boots.

        Args:
            url: The endpoint of the CSMS.
            headers: Further HTTP headers for the upgrade.
            delay: Seconds of the clock before that.

        Raises:
            ValueError: The URL is wrong.
        """
        from ..handshake import connection_url

        connection_url(url, self.identity)
        self.uplink.set_endpoint(url, headers)
        self.presence.end_abandoned()
        self.agenda.after(delay * self.speed, partial(self.uplink.connect, self.wording.boot(self.who, "PowerUp")))
        self.metering.plan_aligned()
        return self

    def close(self, *, leave: bool = False, timeout: float = 5.0) -> None:
        """Switch it off; from any thread, any number of times.

        Args:
            leave: Whether transactions are left as they are, as after a power cut; else they are ended, and the CSMS is told.
            timeout: Seconds for that.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
        if not leave:
            with self.changing():
                self.charging.end_all(Reason.POWER_LOSS)
            self._deliver_last(timeout)
        self.agenda.close()
        self.uplink.close(timeout)
        self.agenda.join(timeout)
        if not leave and self.uplink.left and self.uplink.is_temporary:
            self._failed("lost", f"{self.uplink.left} of its last messages could not be delivered")
        self._flush()

    def _deliver_last(self, timeout: float) -> None:
        if self.uplink.is_flushed:
            return
        deadline, settled = time.monotonic() + timeout, threading.Event()
        self.agenda.soon(self.presence.go_online)  # if it is offline just now; and nobody takes it offline after that
        self.agenda.soon(settled.set)
        settled.wait(timeout)
        self.wait_until(lambda _: self.uplink.is_ready, max(0.0, deadline - time.monotonic()))
        self.uplink.flush(max(0.0, deadline - time.monotonic()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def reboot(self, *, reason: Reason = Reason.REBOOT, boot_reason: str = "LocalReset", hard: bool = False) -> None:
        """Start anew: transactions end, the link is closed, and the station boots.

        Args:
            reason: Why the transactions end.
            boot_reason: Why it boots, in 2.x.
            hard: Whether the link is cut first; what is left is said after the boot.
        """
        self.agenda.soon(partial(self.maintenance.reboot, reason, boot_reason, hard=hard))

    def when_idle(self, task: Callable[[], object]) -> None:
        """Run something in the station's thread as soon as nobody charges."""
        with self.changing():
            self._when_idle.append(task)

    # --- What drivers do, and what happens to them

    def plug(self, connector: int = 1, car: Car | None = None) -> None:
        """Plug a car in; None is any.

        Raises:
            ValueError: There is no such connector, or a car is plugged in.
        """
        with self.changing():
            it = self.connector(connector)
            if it.car is not None:
                raise ValueError(f"a car is plugged in at connector {connector}")
            it.car = car or random_car(self.random)
            self.note("plugged", f"plugged in: {it.car.name}, {it.car.soc:.0f} % full", connector, soc=round(it.car.soc))
            self.charging.begin(it, "CablePluggedIn")

    def unplug(self, connector: int = 1) -> None:
        """Unplug the car, which ends a transaction, unless the station is configured to wait for it.

        Raises:
            ValueError: There is no such connector, or no car.
        """
        with self.changing():
            it = self.connector(connector)
            if it.car is None:
                raise ValueError(f"no car is plugged in at connector {connector}")
            it.car = None
            self.note("unplugged", "unplugged", connector)
            if self.configuration.flag("stop on disconnect"):
                self.charging.end(it, Reason.EV_DISCONNECTED)
            it.finished = False

    def authorize(self, token: str | Token, connector: int = 1) -> None:
        """Hold a token to the reader: it begins, or ends the transaction that this token has begun.

        Raises:
            ValueError: There is no such connector.
        """
        it = self.connector(connector)
        self.agenda.soon(partial(self.reader.hold, it, Token(token) if isinstance(token, str) else token))

    def stop(self, connector: int = 1, reason: Reason = Reason.LOCAL) -> None:
        """End the transaction.

        Raises:
            ValueError: There is no such connector, or no transaction.
        """
        with self.changing():
            it = self.connector(connector)
            if it.transaction is None:
                raise ValueError(f"there is no transaction at connector {connector}")
            self.charging.end(it, reason)

    def fault(self, connector: int = 1, error: str = "GroundFailure") -> None:
        """Let a connector break down; the error is one of 1.6.

        Raises:
            ValueError: There is no such connector, or no such error.
        """
        if error not in FAULTS:
            raise ValueError(f"{error!r} is no error of a connector; these are: {', '.join(FAULTS)}")
        with self.changing():
            it = self.connector(connector)
            it.fault = error
            self.note("fault", f"a fault: {error}", connector, error=error)
            it.authorization = None
            self.charging.end(it, Reason.FAULT)

    def clear(self, connector: int = 1) -> None:
        """Repair it.

        Raises:
            ValueError: There is no such connector.
        """
        with self.changing():
            it = self.connector(connector)
            if it.fault is not None:
                it.fault = None
                self.note("cleared", "the fault is gone", connector)

    def go_offline(self, seconds: float | None = None) -> None:
        """Lose the link, for some of the station's seconds; None is until :meth:`go_online`."""
        self.agenda.soon(partial(self.presence.go_offline, seconds))

    def go_online(self) -> None:
        """Have a link again."""
        self.agenda.soon(self.presence.go_online)

    # --- To look at, and to wait for

    def connector(self, number: int) -> Connector:
        """A connector.

        Raises:
            ValueError: There is none of this number.
        """
        if number not in self.connectors:
            raise ValueError(f"there is no connector {number}; the last one is {len(self.connectors)}")
        return self.connectors[number]

    def wait_until(self, condition: Callable[[Station], bool], timeout: float | None = 10.0) -> bool:
        """Wait until something is true of the station; false if it is not within ``timeout`` seconds of real time."""
        with self._lock:
            return self._changed.wait_for(lambda: condition(self), timeout)

    def wait_for(self, connector: int, state: State | str, timeout: float | None = 10.0) -> bool:
        """Wait for a state of a connector; false if it does not come in time."""
        it, wanted = self.connector(connector), State(state)
        return self.wait_until(lambda _: it.state is wanted, timeout)

    def wait_ready(self, timeout: float | None = 10.0) -> bool:
        """Wait until there is a link and the CSMS has accepted the station; false if that is not so in time."""
        return self.wait_until(lambda _: self._closed or (self.uplink.is_ready and not self.is_resetting), timeout) and not self._closed

    def pause(self, seconds: float) -> bool:
        """Wait for so many of the station's seconds; false if it was closed meanwhile."""
        clock, deadline = self.clock, self.clock.monotonic() + seconds / self.speed
        with self._lock:
            while not self._closed and clock.monotonic() < deadline:
                clock.wait(self._changed, deadline, "pause")
            return not self._closed

    @property
    def is_closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closed

    def now(self) -> datetime:
        """The time, as the CSMS has told it."""
        return self.client.now()

    def __repr__(self) -> str:
        states = ", ".join(connector.state.value for connector in self.connectors.values())
        return f"<Station {self.identity!r}, OCPP {self.version}: {states}>"

    # --- For the other parts of the station

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Whoever changes what is known does it in this block, with the lock held.

        Before it the meters are moved on; after it the CSMS is told what has changed.
        """
        with self._lock:
            self._depth += 1
            try:
                if self._depth == 1:
                    self._advance()
                yield
            finally:
                if self._depth == 1:
                    self._settle()
                self._depth -= 1
            outermost = self._depth == 0
        if outermost:
            self._flush()

    def note(self, what: str, text: str, connector: int = 0, **data: Any) -> None:
        """Note what has happened; whoever listens is told when the lock is free."""
        with self._lock:
            self._notes.append(Note(self.now(), self.identity, connector, what, text, data))
            self._changed.notify_all()
            waits = self._depth > 0
        if not waits:
            self._flush()

    def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        """Send a request, in the station's thread and without the lock; None if there is no response."""
        return self.uplink.call(action, payload)

    def say(self, message: Message | None) -> None:
        """Send a request as soon as it is its turn; whatever becomes of it."""
        if message is not None:
            self.agenda.soon(partial(self.uplink.call, *message))

    def put(self, message: Message | None) -> Delivery | None:
        """Queue a message of a transaction; the meters never go back behind what it says."""
        if message is None:
            return None
        with self._lock:
            self._registers.save({number: connector.register for number, connector in self.connectors.items()})
        return self.uplink.put(message)

    def new_transaction_id(self) -> str:
        """An id that nobody has used."""
        return str(uuid.uuid4())

    # --- With the lock held

    def _advance(self) -> None:
        now = self.agenda.now
        for connector in self.connectors.values():
            connector.advance(now)

    def _settle(self) -> None:
        """See what has changed, and tell it."""
        self.charging.offer()
        for connector in self.connectors.values():
            state = connector.state
            if state is not connector.shown:
                connector.shown = state
                self.note("state", state.value, connector.number, state=state.value)
                self.presence.report(connector.number)
            self._settle_transaction(connector)
        if self.presence.state is not self._shown:
            self._shown = self.presence.state
            self.note("state", self._shown.value, state=self._shown.value)
            self.presence.report(0)
        if self._when_idle and not any(connector.transaction for connector in self.connectors.values()):
            for task in self._when_idle:
                self.agenda.soon(task)
            self._when_idle.clear()
        self._changed.notify_all()

    def _settle_transaction(self, connector: Connector) -> None:
        transaction = connector.transaction
        if transaction is None:
            return
        state, offered = charging_state(connector), connector.offered
        if transaction.told is None:
            pass  # it has just begun, and said so
        elif transaction.told[0] != state:
            self.put(self.wording.updated(connector, transaction, "ChargingStateChanged", format_time(self.now())))
        elif transaction.told[1] != offered:
            self.put(self.wording.updated(connector, transaction, "ChargingRateChanged", format_time(self.now())))
        if transaction.told is not None and transaction.told[1] != offered:
            self.note("limit", f"may give {offered / 1000:.1f} kW", connector.number, power=round(offered))
        transaction.told = state, offered

    # --- In the station's thread

    # --- In threads of the client

    def _setting_changed(self, name: str) -> None:
        self.maintenance.apply(name)
        if name == "aligned interval":
            self.metering.plan_aligned()

    def _failed(self, kind: str, text: str) -> None:
        with self._lock:
            self.errors[kind] += 1
        self.note("error", text, kind=kind)

    def _task_failed(self, error: Exception) -> None:
        self._failed("crash", f"{type(error).__name__}: {error}")

    def _flush(self) -> None:
        with self._lock:
            notes, self._notes = self._notes, []
        try:
            for note in notes:
                self._listen(note)
        except Exception:
            _log.exception("%s: whoever listens to it failed", self.identity)
