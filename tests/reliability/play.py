"""A station, the link and the CSMS, put through a schedule; it keeps what :mod:`.verdict` judges."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple

from ocpp_sync import Backoff, CallError, CallTimeout, ConnectionClosed, InvalidPayload, NotAccepted, OcppClient
from ocpp_sync.outbox import OutboxSettings
from ocpp_sync.outbox.delivery import Delivery
from ocpp_sync.testing import Delay, Drop, FakeClock, FaultyLink, Late, LinkStep, ScriptedCsms
from ocpp_sync.testing.log import Received
from ocpp_sync.testing.steps import Step

from ..support import TIMEOUT, Future, in_thread
from .schedule import CALL_TIMEOUT, Action, Schedule

RETRY_INTERVAL = 60.0
LONGEST_WAIT = 400.0
"""Seconds of the fake clock that one action of the schedule waits at most, if no call times out meanwhile."""
LONGEST_STEP = 300.0
"""Seconds from one deadline to the next, if no call times out meanwhile."""
DRAIN = 100.0
"""Seconds that a client that closes lets a delivery go on."""
BOUND = 4 * CALL_TIMEOUT
"""Seconds of the fake clock, after the last fault is healed, within which all must be delivered."""

_TIME = "2025-01-01T00:00:00.000Z"
_EXPECTED = (CallError, CallTimeout, ConnectionClosed, InvalidPayload, NotAccepted)


class Put(NamedTuple):
    """A message that was put.

    Attributes:
        mark: Its number, from 1, which is in its payload.
        action: The action.
        payload: As it was put.
        transaction: Which transaction it belongs to, by the mark of its first message; 0 is none.
        links: By which link of which client it may go out without being called offline: before and after the put. None is offline.
    """

    mark: int
    action: str
    payload: dict[str, Any]
    transaction: int
    links: tuple[LinkName | None, LinkName | None]


class LinkName(NamedTuple):
    """A link of the station: the number of the client, from 1, and of its link."""

    client: int
    link: int


class Sent:
    """A CALL that has gone out, or was about to.

    Attributes:
        order: Its place among all frames.
        mark: That of the message; None if it is none of the outbox's.
        link: The link.
        action: The action.
        payload: The payload.
        at: When, by the fake clock.
        hopeless: Time went on while nobody was to answer it.
        answer: The first frame that answered it, at ``answer_at``, ``answer_order``; None is none.
    """

    def __init__(self, order: int, link: LinkName, action: str, payload: dict[str, Any], at: float) -> None:
        self.order = order
        self.mark = mark_of(action, payload)
        self.link = link
        self.action = action
        self.payload = payload
        self.at = at
        self.hopeless = False
        self.answer: list[Any] | None = None
        self.answer_at = self.answer_order = 0.0

    @property
    def is_late(self) -> bool:
        """Whether the answer came at the time-out or after it: at that very moment, either of the two may be first."""
        return self.answer_at >= self.at + CALL_TIMEOUT

    def __repr__(self) -> str:
        return f"<{self.order}: {self.action} {self.mark} by {tuple(self.link)} at {self.at:g}, answer {self.answer} at {self.answer_at:g}>"


class Transaction:
    """One that goes on: what its messages say of it, and its first one."""

    def __init__(self, handle: str, mark: int) -> None:
        self.handle = handle
        self.mark = mark


class Play:
    """Plays a schedule.

    Args:
        schedule: The schedule.
        path: The file of the outbox.
    """

    def __init__(self, schedule: Schedule, path: Path) -> None:
        self.schedule = schedule
        self.path = path
        self.puts: list[Put] = []
        self.sent: dict[str, Sent] = {}
        self.calls: list[Future] = []
        self.clients = 0
        self.deliveries: list[tuple[Put, Delivery]] = []  # of the last client
        self.told: list[tuple[Any, ...]] = []  # by the event "outbox"
        self._frames = 0
        self._open: list[Transaction] = []
        self._chosen: dict[str, Step | None] = {}
        self._steps = list(schedule.steps)
        self._boot_steps = list(schedule.boot_steps)
        self._under_way: str | None = None  # the last CALL that went out, while it is not answered
        self._is_stuck = False  # what is sent stays in the link, and real time passes
        self._is_stopped = False
        self._is_closing = False
        self._stack = ExitStack()

    def run(self) -> None:
        """All of it: the actions, then no further fault, until everything is delivered."""
        with self._stack:
            self.clock = FakeClock()
            self.csms = self._stack.enter_context(ScriptedCsms(clock=self.clock))
            self.csms.script("*", lambda request: self._choose(request, self._steps))
            self.csms.script("BootNotification", lambda request: self._choose(request, self._boot_steps))
            self.link = self._stack.enter_context(FaultyLink(self.csms.url))
            self._stack.callback(self._close_now)
            self._start()
            for action in self.schedule.actions:
                self._act(action)
            self._recover()
            self.received: list[Received] = self.csms.received
            self.dead = {mark_of(each.action, each.payload): each for each in self.client.outbox.dead_letters()}
            self._stop(drain=False)

    def link_now(self) -> LinkName | None:
        """The link that there is, as the client sees it."""
        number = self.client.link_number
        return LinkName(self.clients, number) if self.client.connected else None

    # --- The station

    def _start(self) -> None:
        self.clients += 1
        number = self.clients
        schedule = self.schedule
        settings = OutboxSettings(self.path, schedule.attempts, RETRY_INTERVAL, schedule.durability)
        client = self.client = OcppClient(
            "CP1",
            version=schedule.version,
            outbox=settings,
            reconnect=Backoff(1.0, 1.0, 3, refused_minimum=5.0),
            call_timeout=CALL_TIMEOUT,
            ping_interval=None,
            redact=False,
            clock=self.clock,
        )
        self._is_closing = False
        self.deliveries = []
        client.on("frame", lambda direction, text: self._saw(LinkName(number, client.link_number), direction, text))
        client.on("outbox", lambda *told: self.told.append(told))
        client.on("ClearCache", lambda request: {"status": "Accepted"})
        if schedule.boots:
            with suppress(CallTimeout):
                client.boot(boot(schedule.version), timeout=0)  # it goes on by itself
        self._connecting = in_thread(client.connect, self.link.url, retry=True)
        self.clock.run(lambda: client._life is not None, when=["nothing"], timeout=TIMEOUT)  # a close() before it would end nothing

    def _stop(self, *, drain: bool) -> None:
        if self._is_stuck:
            self._unstick()
        self._is_closing = True
        closing = in_thread(self.client.close, drain=drain, timeout=DRAIN)
        self._pass_time(lambda: not closing.thread.is_alive(), 2 * DRAIN)
        closing.result()
        with suppress(ConnectionClosed):
            self._connecting.result()

    def _close_now(self) -> None:
        """Whatever has gone wrong in the test."""
        with suppress(RuntimeError):
            self.link.reset()
        self.client.close()

    def _saw(self, link: LinkName, direction: str, text: str) -> None:
        kind, message_id, *rest = json.loads(text)
        self._frames += 1
        if kind == 2 and direction == "out":
            action, payload = rest
            self.sent[message_id] = Sent(self._frames, link, action, payload, self.clock.monotonic())
            self._under_way = message_id
        elif kind in (3, 4) and direction == "in":
            sent = self.sent[message_id]
            if sent.answer is None:
                sent.answer, sent.answer_at, sent.answer_order = [kind, *rest], self.clock.monotonic(), self._frames
            if self._under_way == message_id:
                self._under_way = None

    # --- The CSMS

    def _choose(self, request: Received, steps: list[Step]) -> Step | None:
        step = self._chosen[request.message_id] = steps.pop(0) if steps else None
        return step

    # --- Time

    def _is_hopeless(self) -> bool:
        """Whether no answer comes to what is under way unless time passes."""
        message_id, core = self._under_way, self.client._core
        if message_id is None or core is None or core._outstanding is None or core._outstanding.message_id != message_id:
            return False
        if not (self._is_stuck or isinstance(self._chosen.get(message_id), (Drop, Late, Delay))):
            return False
        self.sent[message_id].hopeless = True
        return True

    def _pass_time(self, until: Callable[[], bool], seconds: float) -> None:
        """Let the clock go from one deadline to the next, but not while something is on its way that takes real time."""
        end = self.clock.monotonic() + seconds
        while not until() and self.clock.monotonic() < end:
            if (step := self._next_step()) is not None:
                self.clock.advance(step)
            else:
                self.clock.run(lambda: until() or self._next_step() is not None, when=["nothing"], timeout=TIMEOUT)

    def _next_step(self) -> float | None:
        """Seconds until the next deadline; None if it must not come yet."""
        waiting, names = self.clock.waiting(), Counter(wait.what for wait in self.clock._current())
        step = min(waiting.values(), default=0.0)
        if self._is_hopeless():
            # A caller that reads itself does not wait for the clock, for some milliseconds; else years could pass in these.
            core = self.client._core
            return (step or None) if core is None or names["answer"] > len(core._waiting) else None
        is_dialling = not self._is_closing and not self.client.connected and "reconnect" not in names
        is_working = not names.keys() & {"outbox", "outbox disk"} and any(each.name == "ocpp-outbox CP1" for each in threading.enumerate())
        # A thread that is about to call is not seen; no time-out is so near that this matters.
        return None if is_dialling or is_working or "answer" in names or not 0 < step <= LONGEST_STEP else step

    # --- Actions

    def _act(self, action: Action) -> None:
        name, number = action
        getattr(self, "_do_" + name.replace(" ", "_"))(number)

    def _do_put_start(self, number: float) -> None:
        mark = len(self.puts) + 1
        if self.schedule.version == "1.6":
            delivery = self._put(
                "StartTransaction", {"connectorId": 1, "idTag": f"tag {mark}", "meterStart": mark, "timestamp": _TIME}, mark
            )
            handle = delivery.transaction
        else:
            handle = f"transaction {mark}"
            self._put_event("Started", Transaction(handle, mark))
        assert handle is not None
        self._open.append(Transaction(handle, mark))

    def _do_put_meter(self, number: float) -> None:
        if not self._open:
            return
        transaction = self._open[int(number * len(self._open))]
        if self.schedule.version == "1.6":
            values = [{"timestamp": _TIME, "sampledValue": [{"value": str(len(self.puts) + 1)}]}]
            self._put("MeterValues", {"connectorId": 1, "transactionId": transaction.handle, "meterValue": values}, transaction.mark)
        else:
            self._put_event("Updated", transaction)

    def _do_put_stop(self, number: float) -> None:
        if not self._open:
            return
        transaction = self._open.pop(int(number * len(self._open)))
        if self.schedule.version == "1.6":
            stop = {"transactionId": transaction.handle, "meterStop": len(self.puts) + 1, "timestamp": _TIME}
            self._put("StopTransaction", stop, transaction.mark)
        else:
            self._put_event("Ended", transaction)

    def _do_put_data(self, number: float) -> None:
        self._put("DataTransfer", {"vendorId": "outbox", "data": str(len(self.puts) + 1)}, 0)

    def _put_event(self, kind: str, transaction: Transaction) -> None:
        event = {
            "eventType": kind,
            "timestamp": _TIME,
            "triggerReason": "MeterValuePeriodic",
            "transactionInfo": {"transactionId": transaction.handle},
            "customData": {"vendorId": "outbox", "mark": len(self.puts) + 1},
        }
        self._put("TransactionEvent", event, transaction.mark)

    def _put(self, action: str, payload: dict[str, Any], transaction: int) -> Delivery:
        before = self.link_now()
        delivery = self.client.outbox.put(action, payload)
        put = Put(len(self.puts) + 1, action, payload, transaction, (before, self.link_now()))
        self.puts.append(put)
        self.deliveries.append((put, delivery))
        return delivery

    def _do_call(self, number: float) -> None:
        data = {"vendorId": "call", "data": str(len(self.calls))}
        self.calls.append(in_thread(self.client.call, "DataTransfer", data, wait=number < 0.5))

    def _do_ask(self, number: float) -> None:
        if "CP1" in self.csms.identities and not self._is_stuck:
            self.calls.append(in_thread(self.csms.call, "CP1", "ClearCache", {}, TIMEOUT))

    def _do_wait(self, number: float) -> None:
        """Until some more requests have come, or nothing is left to come."""
        if self._is_stuck:
            # Whoever connects, or has said all, waits for what only the next action can change.
            if self._is_hopeless() and (waiting := self.clock.waiting()):
                self.clock.advance(min(waiting.values()))
            return
        enough = len(self.csms.received) + int(1 + 6 * number)
        self._pass_time(lambda: len(self.csms.received) >= enough or self._is_idle(), LONGEST_WAIT)

    def _is_idle(self) -> bool:
        return self.client.connected and not len(self.client.outbox) and not any(call.thread.is_alive() for call in self.calls)

    def _do_cut(self, number: float) -> None:
        self._unstick(self.link.cut)

    def _do_reset(self, number: float) -> None:
        self._unstick(self.link.reset)

    def _do_half_open(self, number: float) -> None:
        self._is_stuck = True
        self.link.half_open()

    def _do_stall(self, number: float) -> None:
        self._is_stuck = True
        self.link.stall("up" if number < 0.3 else "down" if number < 0.6 else None)

    def _do_refuse(self, number: float) -> None:
        self._unstick(self.link.reset)
        self.link.refuse()

    def _do_cut_within(self, number: float) -> None:
        """In the midst of one of the next messages."""
        fault = FaultyLink.cut if number < 0.5 else FaultyLink.reset
        self.link.play([LinkStep(fault, bytes=1 + int(600 * number), direction="up" if number * 10 % 1 < 0.5 else "down")])

    def _do_disconnect(self, number: float) -> None:
        if "CP1" in self.csms.identities:
            with suppress(ConnectionClosed):
                self.csms.disconnect("CP1", None if number < 0.3 else 1001 if number < 0.6 else 1012)

    def _do_stop_CSMS(self, number: float) -> None:
        if not self._is_stopped and not self._is_stuck:
            self._is_stopped = True
            self.csms.stop(None if number < 0.5 else 1001)

    def _do_heal(self, number: float) -> None:
        self._unstick(self.link.reset if number < 0.5 else None)
        if self._is_stopped:
            self._is_stopped = False
            self.csms.start()

    def _unstick(self, fault: Callable[[], None] | None = None) -> None:
        """Heal the link; a fault comes first. What was half open stays so, and must be cut."""
        half_open = self.link._half_open
        if fault is not None or half_open:
            (fault or self.link.reset)()
        self.link.heal()
        if half_open:
            self.link.reset()  # who has connected meanwhile
        self._is_stuck = False

    def _do_release(self, number: float) -> None:
        self.csms.release()

    def _do_restart(self, number: float) -> None:
        self._stop(drain=number < 0.5)
        self._start()

    # --- The end

    def _recover(self) -> None:
        self._steps.clear()
        self._boot_steps.clear()
        self.link.play([])
        self._unstick(self.link.reset)
        self._do_heal(1.0)
        self.csms.release()
        self._pass_time(self._is_idle, BOUND)
        assert not [entry.id for entry in self.client.outbox.pending()], f"not delivered within {BOUND:g} s: {self.clock!r}"
        give_up = time.monotonic() + TIMEOUT
        for call in self.calls:
            with suppress(*_EXPECTED):
                call.result(max(0.0, give_up - time.monotonic()))


def boot(version: str) -> dict[str, Any]:
    """The BootNotification."""
    if version == "1.6":
        return {"chargePointVendor": "test", "chargePointModel": "test"}
    return {"reason": "PowerUp", "chargingStation": {"vendorName": "test", "model": "test"}}


def mark_of(action: str, payload: dict[str, Any]) -> int | None:
    """The number of a message that was put; None if it was not."""
    if action == "StartTransaction":
        return int(payload["meterStart"])
    if action == "MeterValues":
        return int(payload["meterValue"][0]["sampledValue"][0]["value"])
    if action == "StopTransaction":
        return int(payload["meterStop"])
    if action == "TransactionEvent":
        return int(payload["customData"]["mark"])
    if action == "DataTransfer" and payload["vendorId"] == "outbox":
        return int(payload["data"])
    return None
