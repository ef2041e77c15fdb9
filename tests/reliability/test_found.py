"""What the schedules have found, one by one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ocpp_sync import CallTimeout, OcppClient
from ocpp_sync.outbox import OutboxSettings
from ocpp_sync.testing import Delay, Drop, FakeClock, ScriptedCsms

from ..support import TIMEOUT, in_thread

TRANSFER = {"vendorId": "test"}


def test_b4_a_call_whose_turn_comes_with_its_time_out_does_not_go_out(make_client: Callable[..., OcppClient]) -> None:
    clock = FakeClock()
    with ScriptedCsms(clock=clock) as csms:
        client = make_client(csms.url, clock=clock, call_timeout=30.0, ping_interval=None)
        csms.script("Heartbeat", *[Drop()] * 10)
        for count in range(1, 11):
            first = in_thread(client.call, "Heartbeat")
            csms.wait_for("Heartbeat", count)
            second = in_thread(client.call, "DataTransfer", TRANSFER)
            end = clock.monotonic() + 30.0
            clock.run(lambda end=end: clock.monotonic() >= end, when=["answer", "answer"])  # type: ignore[misc]
            for call, sent in ((first, True), (second, False)):
                with pytest.raises(CallTimeout) as caught:
                    call.result()
                assert caught.value.sent is sent
        assert {each.action for each in csms.received} == {"Heartbeat"}


def test_d9_a_message_does_not_wait_for_its_turn_on_its_own_time(make_client: Callable[..., OcppClient], tmp_path: Path) -> None:
    clock = FakeClock()
    with ScriptedCsms(clock=clock) as csms:
        settings = OutboxSettings(tmp_path / "queue.sqlite3", attempts=1)
        client = make_client(csms.url, clock=clock, call_timeout=30.0, ping_interval=None, outbox=settings)
        csms.script("Heartbeat", Drop())
        csms.script("DataTransfer", Delay(5.0))
        call = in_thread(client.call, "Heartbeat", timeout=28.0)
        csms.wait_for("Heartbeat")
        delivery = client.outbox.put("DataTransfer", TRANSFER)
        clock.run(lambda: clock.monotonic() == 1028.0, when=["answer", "answer"])
        with pytest.raises(CallTimeout):
            call.result()
        csms.wait_for("DataTransfer")
        clock.wait_for("csms answer")
        clock.advance(2.0)  # 30 seconds after it could first have gone out
        assert clock.advance_to("csms answer") == 3.0
        assert delivery.result(TIMEOUT) == {"status": "Accepted"}
        assert len(csms.received) == 2
