"""A day in the life of the charge point: its drivers, its CSMS, its link and its mains, on a clock that goes as fast as they can follow."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta, timezone
from types import TracebackType
from typing import Any

import pytest
from charge_point.meter import MeterError

from ocpp_sync import validate
from ocpp_sync.testing import Answer, FaultyLink, Received
from ocpp_sync.testing.steps import Step

from ..support import TIMEOUT, wait_until
from .bench import Bench, Csms, profile

MIDNIGHT = datetime(2025, 1, 1, tzinfo=timezone.utc)


def o_clock(text: str) -> datetime:
    """A time of the day: ``"06:40"``, or with seconds."""
    hours, minutes, seconds = (int(each) for each in f"{text}:00".split(":")[:3])
    return MIDNIGHT + timedelta(hours=hours, minutes=minutes, seconds=seconds)


class Day:
    """What happens, in words; each returns when the charge point has done all that follows, and the CSMS has heard of it if it can.

    Attributes:
        edges: When the contactor has closed and opened.
    """

    def __init__(self, bench: Bench, csms: Csms, tags: set[str]) -> None:
        self.bench, self.csms, self.clock = bench, csms, bench.clock
        self.is_16 = bench.settings.csms.version == "1.6"
        self.edges: list[tuple[datetime, bool]] = []
        self._link = FaultyLink(csms.port)
        self._is_on, self._is_link_there = False, True
        self._tags = tags
        csms.script("Authorize", self._authorize)
        self._record(bench.pin["contactor"])

    def __enter__(self) -> Day:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if self._is_on:
                self.power_off()
        finally:
            self._link.close()

    def _record(self, contactor: Any) -> None:
        change = contactor._change_state

        def changed(state: bool) -> bool:
            if contactor.state and not state:
                with suppress(MeterError):
                    self.bench.meter.read()  # a real one counts until it opens, and this one from look to look
            is_changed: bool = change(state)
            if is_changed:
                self.edges.append((self.now, bool(state)))
            return is_changed

        contactor._change_state = changed

    def _authorize(self, request: Received) -> Step | None:
        """The CSMS knows some tags, and no others."""
        if self.is_16:
            return None if request.payload["idTag"] in self._tags else Answer({"idTagInfo": {"status": "Invalid"}})
        return None if request.payload["idToken"]["idToken"] in self._tags else Answer({"idTokenInfo": {"status": "Invalid"}})

    # --- Time

    def arrived(self, message: Received) -> datetime:
        """When the CSMS has got a message."""
        return self.now - timedelta(seconds=self.clock.monotonic() - message.time)

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.time(), timezone.utc)

    def until(self, text: str) -> None:
        """Let the time pass, from one moment at which something is due to the next."""
        while (left := (o_clock(text) - self.now).total_seconds()) > 0:
            self.clock.advance(min([left, *self.clock.waiting().values()]))
            self.settle()

    def settle(self) -> None:
        """Wait until nothing will happen any more before the clock goes on, however slow the machine is."""
        while self._is_on:
            self.bench.settle()
            assert wait_until(self._is_quiet, 3 * TIMEOUT), str(self.clock)
            self.bench.settle()
            if self._is_quiet():
                return

    def _is_quiet(self) -> bool:
        waiting = self.clock.waiting().keys()
        if self.bench.controller.is_online:
            return {"meter", "safety", "heartbeat"} <= waiting and len(self.bench.controller.client.outbox) == 0
        return {"meter", "safety", "reconnect"} <= waiting

    # --- The mains, and the link

    def power_on(self) -> None:
        self.bench.start(self._link.url)
        self.clock.wait_for("meter")  # it runs
        self._is_on = True
        self.settle()

    def power_off(self) -> None:
        """By the owner, who tells the program before."""
        self._is_on = False
        self.bench.controller.stop()
        self.bench.end()

    def power_fails(self) -> None:
        self._is_on = False
        self._cut()  # whatever the program might say in the end
        self.bench.cut_power()
        self.bench.end()
        if self._is_link_there:
            self._link.heal()

    def link_fails(self) -> None:
        self._is_link_there = False
        self._cut()
        self.settle()

    def link_comes_back(self) -> None:
        self._is_link_there = True
        self._link.heal()

    def _cut(self) -> None:
        self._link.refuse()
        self._link.cut()
        assert wait_until(lambda: not self.bench.controller.client.connected)

    # --- The drivers

    def plug(self) -> None:
        self.bench.plug()
        self.settle()

    def unplug(self) -> None:
        self.bench.unplug()
        self.settle()

    def card(self, tag: str) -> None:
        self.bench.cards.hold(tag)
        self.bench.cards.wait_read()
        self.settle()

    def press_button(self) -> None:
        self.bench.press()
        self.settle()

    # --- The CSMS

    def _ask(self, action: str, **request: Any) -> dict[str, Any]:
        version = self.bench.settings.csms.version
        validate(action, request, version=version)
        answer = self.csms.ask(action, **request)
        validate(action, answer, version=version, kind="response")
        return answer

    def list_tags(self, *tags: str) -> None:
        if self.is_16:
            entries = [{"idTag": tag, "idTagInfo": {"status": "Accepted"}} for tag in tags]
            answer = self._ask("SendLocalList", listVersion=1, updateType="Full", localAuthorizationList=entries)
        else:
            entries = [{"idToken": {"idToken": tag, "type": "ISO14443"}, "idTokenInfo": {"status": "Accepted"}} for tag in tags]
            answer = self._ask("SendLocalList", versionNumber=1, updateType="Full", localAuthorizationList=entries)
        assert answer == {"status": "Accepted"}

    def remote_start(self, tag: str) -> None:
        if self.is_16:
            answer = self._ask("RemoteStartTransaction", connectorId=1, idTag=tag)
        else:
            answer = self._ask("RequestStartTransaction", evseId=1, remoteStartId=1, idToken={"idToken": tag, "type": "Central"})
        assert answer == {"status": "Accepted"}
        self.bench.wait_closed()
        self.settle()

    def _transaction(self) -> Any:
        """What goes on, as the CSMS calls it."""
        if self.is_16:
            started = [each.response for each in self.csms.received if each.action == "StartTransaction"]
            assert isinstance(started[-1], dict)
            return started[-1]["transactionId"]
        return self.csms.events("Started")[-1]["transactionInfo"]["transactionId"]

    def remote_stop(self) -> None:
        action = "RemoteStopTransaction" if self.is_16 else "RequestStopTransaction"
        assert self._ask(action, transactionId=self._transaction()) == {"status": "Accepted"}
        self.bench.wait_open()
        self.settle()

    def limit(self, *periods: tuple[int, float]) -> None:
        """So many amps, from so many seconds after the start of the transaction on."""
        wire = profile(list(periods), "TxProfile", transactionId=self._transaction())
        if self.is_16:
            answer = self._ask("SetChargingProfile", connectorId=1, csChargingProfiles=wire)
        else:
            wire["id"] = wire.pop("chargingProfileId")
            wire["chargingSchedule"] = [{"id": 1, **wire["chargingSchedule"]}]
            answer = self._ask("SetChargingProfile", evseId=1, chargingProfile=wire)
        assert answer == {"status": "Accepted"}
        self.settle()

    def set_available(self, is_available: bool) -> None:
        kind = "Operative" if is_available else "Inoperative"
        if self.is_16:
            answer = self._ask("ChangeAvailability", connectorId=1, type=kind)
        else:
            answer = self._ask("ChangeAvailability", evse={"id": 1, "connectorId": 1}, operationalStatus=kind)
        assert answer == {"status": "Accepted"}
        self.settle()

    def reset(self) -> None:
        """The program ends, as main() does then, and its successor has not begun."""
        self._is_on = False
        assert self._ask("Reset", type="Soft" if self.is_16 else "Immediate") == {"status": "Accepted"}
        self.bench.end("restart")

    # --- What is seen from outside

    @property
    def is_charging(self) -> bool:
        return bool(self.bench.pin["contactor"].state)

    @property
    def pilot_amps(self) -> Any:
        """What the car is told, by IEC 61851."""
        return pytest.approx(self.bench.pin["pilot"].state * 60)
