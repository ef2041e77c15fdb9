"""The CSMS's time (rule D5): told with each boot and heartbeat, carried on by a clock that nobody sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ocpp_sync import Backoff, OcppClient
from ocpp_sync.registration import CsmsTime
from ocpp_sync.testing import Answer, Cut, Delay, FakeClock, ScriptedCsms
from ocpp_sync.timestamps import format_time

from .support import TIMEOUT, in_thread

BOOT = {"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"}
TOLD = datetime(2030, 5, 1, 12, tzinfo=timezone.utc)

MakeClient = Callable[..., OcppClient]


def boot(status: str = "Accepted", interval: int = 300, told: datetime = TOLD) -> Answer:
    return Answer({"status": status, "interval": interval, "currentTime": format_time(told)})


def heartbeat(told: datetime) -> Answer:
    return Answer({"currentTime": format_time(told)})


def after(seconds: float) -> datetime:
    return TOLD + timedelta(seconds=seconds)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def csms(clock: FakeClock) -> Iterator[ScriptedCsms]:
    with ScriptedCsms(clock=clock) as csms:
        csms.script("BootNotification", boot())
        yield csms


@pytest.fixture
def client(csms: ScriptedCsms, make_client: MakeClient, clock: FakeClock) -> OcppClient:
    return make_client(csms.url, version="1.6", clock=clock, ping_interval=None, reconnect=Backoff(10.0, 0.0, 2))


def test_d5_before_the_csms_has_told_it_is_the_time_of_the_system(client: OcppClient, clock: FakeClock) -> None:
    assert client.time_offset is None
    assert client.now() == datetime(2025, 1, 1, tzinfo=timezone.utc)
    clock.advance(5)
    clock.jump(60)
    assert client.now() == datetime(2025, 1, 1, 0, 1, 5, tzinfo=timezone.utc)
    assert client.time_offset is None


def test_d5_the_clock_follows_the_csms(client: OcppClient, clock: FakeClock) -> None:
    client.boot(BOOT)
    assert client.now() == TOLD
    assert client.now().tzinfo is timezone.utc
    assert client.time_offset == TOLD.timestamp() - clock.time()
    clock.advance(12.5)
    assert client.now() == after(12.5)
    assert client.time_offset == TOLD.timestamp() + 12.5 - clock.time()


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
def test_d5_whatever_the_status(status: str, client: OcppClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", boot(status))
    in_thread(client.boot, BOOT)
    clock.wait_for("boot")
    assert client.now() == TOLD


def test_d5_each_heartbeat_sets_it_right(client: OcppClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("Heartbeat", heartbeat(after(302)), heartbeat(after(590)))
    client.boot(BOOT)
    for told in (302, 590):
        clock.advance_to("heartbeat")
        clock.wait_for("heartbeat")  # this one has its answer
        assert client.now() == after(told)


def test_d5_so_does_one_by_hand(client: OcppClient, csms: ScriptedCsms) -> None:
    csms.script("Heartbeat", heartbeat(TOLD))
    client.call("Heartbeat")
    assert client.now() == TOLD
    client.call("BootNotification", BOOT)
    assert client.now() == TOLD


@pytest.mark.parametrize("action", ["BootNotification", "Heartbeat"])
def test_d5_half_of_the_round_trip_is_added(action: str, client: OcppClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script(action, Delay(8, boot() if action == "BootNotification" else heartbeat(TOLD)))
    calling = in_thread(client.call, action, BOOT if action == "BootNotification" else {})
    assert clock.advance_to("csms answer") == 8
    calling.result()
    assert client.now() == after(4)


def test_d5_the_wait_for_its_turn_is_no_part_of_the_round_trip(client: OcppClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("DataTransfer", Delay(20))
    csms.script("Heartbeat", Delay(8, heartbeat(TOLD)))
    first = in_thread(client.call, "DataTransfer", {"vendorId": "V"})
    csms.wait_for("DataTransfer")
    second = in_thread(client.call, "Heartbeat", timeout=29)
    clock.run(lambda: clock.waiting()["answer"] == 29, when=["nobody"])  # the second one is in the queue, too
    assert clock.advance_to("csms answer") == 20
    first.result()
    assert clock.advance_to("csms answer") == 8
    second.result()
    assert client.now() == after(4)


@pytest.mark.parametrize("seconds", [1e9, -1e9])
def test_d5_a_jump_of_the_systems_clock_changes_nothing(seconds: float, client: OcppClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    csms.script("BootNotification", boot("Pending"), boot(told=after(300)))
    csms.script("Heartbeat", heartbeat(after(600)), Cut())
    booting = in_thread(client.boot, BOOT)
    clock.wait_for("boot")
    clock.jump(seconds)
    assert client.now() == TOLD
    assert clock.advance_to("boot") == 300
    booting.result()
    clock.wait_for("heartbeat")
    offset = client.time_offset
    assert offset is not None
    clock.jump(seconds)
    assert client.now() == after(300)
    assert client.time_offset == pytest.approx(offset - seconds)
    assert clock.advance_to("heartbeat") == 300
    clock.wait_for("heartbeat")
    clock.jump(seconds)
    assert clock.advance_to("heartbeat") == 300
    clock.wait_for("reconnect")
    clock.jump(seconds)
    assert clock.advance_to("reconnect") == 10
    assert client.wait_connected(TIMEOUT)
    assert client.now() == after(910)


def test_d5_it_outlives_the_link(client: OcppClient, csms: ScriptedCsms, clock: FakeClock) -> None:
    client.boot(BOOT)
    client.close()
    clock.advance(100)
    assert client.now() == after(100)


@pytest.mark.parametrize("text", ["", "tomorrow", None, 5, "2025-13-01T00:00:00Z"])
def test_d5_what_is_no_time_is_ignored(text: Any, clock: FakeClock) -> None:
    time = CsmsTime(clock)
    time.set(text, clock.monotonic())
    assert not time.known
    time.set("2030-05-01T12:00:00Z", clock.monotonic())
    time.set(text, clock.monotonic())
    assert time.known
    assert time.now() == TOLD


def test_d5_the_time_of_another_moment(clock: FakeClock) -> None:
    time, moment = CsmsTime(clock), clock.monotonic()
    clock.advance(10)
    assert time.at(moment) == clock.time() - 10
    time.set("2030-05-01T12:00:00Z", clock.monotonic())
    assert time.at(moment) == TOLD.timestamp() - 10
