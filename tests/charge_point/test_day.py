"""A whole day, from midnight to midnight: whatever happens, the CSMS's books are complete, and the energy adds up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import pytest
from charge_point.meter import MeterError

from ocpp_sync import parse_time, validate

from . import books
from .bench import VERSIONS, Bench, Csms
from .day import Day, o_clock

NEIGHBOUR, OWNER, STRANGER = "04A1B2C3", "04D4E5F6", "DEADBEEF"
GUEST, BUTTON = "REMOTE-1", "BUTTON-1"
FULL = 16 * 230.0  # watts
METER_AT_MIDNIGHT = 1_234_567.8


class Charge(NamedTuple):
    """What should be in the books.

    Attributes:
        closed: When the contactor was closed.
        wh: What has flowed, by the clock and the amps that were allowed.
        why: The reason in 1.6.
        why_2: stoppedReason and triggerReason of 2.0.1.
        ended: When, if that was not when the contactor opened.
    """

    tag: str
    closed: tuple[tuple[str, str], ...]
    wh: float
    why: str
    why_2: tuple[str, str]
    ended: str = ""


CHARGES = (
    Charge(NEIGHBOUR, (("06:40", "07:30"),), FULL * 50 / 60, "EVDisconnected", ("EVDisconnected", "EVCommunicationLost")),
    Charge(
        GUEST,
        (("08:00", "08:30"), ("08:45", "09:30")),
        FULL * 10 / 60 + 10 * 230.0 * (20 + 45) / 60,
        "EVDisconnected",
        ("EVDisconnected", "EVCommunicationLost"),
    ),
    Charge(OWNER, (("10:30", "11:40"),), FULL * 70 / 60, "Local", ("Local", "StopAuthorized")),
    Charge(NEIGHBOUR, (("12:00", "12:30"),), FULL * 30 / 60, "PowerLoss", ("PowerLoss", "AbnormalCondition"), ended="12:40"),
    Charge(NEIGHBOUR, (("12:45", "13:30"),), FULL * 45 / 60, "Local", ("Local", "StopAuthorized")),
    Charge(OWNER, (("14:30", "15:00"),), FULL * 30 / 60, "PowerLoss", ("PowerLoss", "AbnormalCondition"), ended="15:20"),
    Charge(GUEST, (("16:00", "17:00"),), FULL, "Remote", ("Remote", "RemoteStop")),
    Charge(OWNER, (("18:30", "19:00"),), FULL * 30 / 60, "SoftReset", ("ImmediateReset", "ResetCommand")),
    Charge(OWNER, (("19:10", "20:00"),), FULL * 50 / 60, "Local", ("Local", "StopAuthorized")),
    Charge(
        NEIGHBOUR,
        (("20:30", "21:00:30"),),
        FULL * 30 / 60 + 25 * 230.0 / 120,
        "EmergencyStop",
        ("EmergencyStop", "AbnormalCondition"),
    ),
    # The meter cannot be read from 21:20 on, so what flows for the last two and a half minutes is in nobody's books.
    Charge(NEIGHBOUR, (("21:10", "21:22:30"),), FULL * 10 / 60, "Other", ("Other", "AbnormalCondition")),
    Charge(BUTTON, (("22:40", "23:30"),), FULL * 50 / 60, "Local", ("Local", "StopAuthorized")),
)
LOST, BACK = o_clock("11:00"), o_clock("13:00:30")  # the link; attempts are 40 s apart
TELLING = {"StartTransaction", "MeterValues", "StopTransaction", "TransactionEvent", "StatusNotification"}
UNSEEN_WH = FULL * 2.5 / 60


def play(day: Day) -> None:
    """The day."""
    day.power_on()
    day.list_tags(NEIGHBOUR)

    day.until("06:40")  # a neighbour charges, and drives to work
    day.plug()
    day.card(NEIGHBOUR)
    day.until("07:30")
    day.unplug()

    day.until("08:00")  # a guest, with less current, and none for a while
    day.plug()
    day.remote_start(GUEST)
    assert day.pilot_amps == 16
    day.until("08:10")
    day.limit((0, 10.0), (1800, 0.0), (2700, 10.0))
    assert day.pilot_amps == 10
    day.until("08:40")
    assert not day.is_charging
    day.until("09:30")
    day.unplug()

    day.until("10:30")  # the link is lost in the middle of a charge
    day.plug()
    day.card(OWNER)
    day.until("11:00")
    day.link_fails()
    day.until("11:40")
    day.card(OWNER)
    day.unplug()
    day.until("11:50")  # without it nobody charges whom the local list does not know
    day.plug()
    day.card(STRANGER)
    assert not day.is_charging
    day.unplug()
    day.until("12:00")
    day.plug()
    day.card(NEIGHBOUR)
    day.until("12:30")  # and the power fails, too
    day.power_fails()
    day.until("12:40")
    day.power_on()
    assert not day.is_charging
    day.until("12:45")
    day.card(NEIGHBOUR)
    day.until("13:00")
    day.link_comes_back()
    day.until("13:30")
    day.card(NEIGHBOUR)
    day.unplug()

    day.until("14:30")  # the power fails in the middle of a charge
    day.plug()
    day.card(OWNER)
    day.until("15:00")
    day.power_fails()
    day.until("15:20")
    day.power_on()
    assert not day.is_charging
    day.unplug()

    day.until("16:00")  # another guest, as long as the CSMS likes
    day.plug()
    day.remote_start(GUEST)
    day.until("17:00")
    day.remote_stop()
    day.unplug()

    day.until("18:00")  # somebody whom the CSMS does not know
    day.plug()
    day.card(STRANGER)
    assert not day.is_charging
    day.unplug()

    day.until("18:30")  # the program starts again in the middle of a charge
    day.plug()
    day.card(OWNER)
    day.until("19:00")
    day.reset()
    day.until("19:01")
    day.power_on()
    assert not day.is_charging
    day.until("19:10")
    day.card(OWNER)
    day.until("20:00")
    day.card(OWNER)
    day.unplug()

    day.until("20:30")  # a car that takes more than it may
    day.plug()
    day.card(NEIGHBOUR)
    day.until("21:00")
    meter = day.bench.meter
    allowed, meter._amps = meter._amps, lambda: 25.0
    day.until("21:05")
    meter._amps = allowed
    assert not day.is_charging
    day.unplug()

    day.until("21:10")  # the meter's cable gets loose
    day.plug()
    day.card(NEIGHBOUR)
    day.until("21:20")
    meter.failure = MeterError("no answer")
    day.until("21:30")
    meter.failure = None
    day.until("21:35")
    assert not day.is_charging
    day.unplug()

    day.until("22:00")  # half an hour for the electrician
    day.set_available(False)
    day.until("22:10")
    day.plug()
    day.card(OWNER)
    assert not day.is_charging
    day.unplug()
    day.until("22:30")
    day.set_available(True)

    day.until("22:40")  # a last one, by the button
    day.plug()
    day.press_button()
    day.until("23:30")
    day.press_button()
    day.unplug()
    day.until("24:00")
    day.power_off()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_day(version: str, make_bench: Callable[..., Bench], csms: Csms) -> None:
    bench = make_bench(version, meter={"seconds": 30.0})
    bench.meter_wh = METER_AT_MIDNIGHT
    with Day(bench, csms, {NEIGHBOUR, OWNER, BUTTON}) as day:
        play(day)

    for each in csms.received:
        assert each.outcome == "answered", each
        validate(each.action, each.payload, version=version)
    check_transactions(day)
    check_times(day)
    check_states(day)
    asked = [each.get("idTag") or each["idToken"]["idToken"] for each in csms.all("Authorize")]
    assert asked == [NEIGHBOUR, OWNER, OWNER, STRANGER, OWNER, OWNER, NEIGHBOUR, NEIGHBOUR, BUTTON]
    reasons = [each.get("reason") for each in csms.all("BootNotification")]
    assert reasons == ([None] * 4 if day.is_16 else ["PowerUp", "PowerUp", "PowerUp", "RemoteReset"])


def check_transactions(day: Day) -> None:
    """Each has one start and one end, and the right energy; power has flowed when it should, and never else."""
    transactions = books.keep(day.csms.received)
    found = [(each.tag, each.times[0], each.times[-1], each.why) for each in transactions]
    assert found == [
        (each.tag, o_clock(each.closed[0][0]), o_clock(each.ended or each.closed[-1][1]), each.why if day.is_16 else each.why_2)
        for each in CHARGES
    ]
    for each, charge in zip(transactions, CHARGES, strict=True):
        assert each.readings == sorted(each.readings)
        assert len(each.readings) > 10  # one a minute
        assert each.wh == pytest.approx(charge.wh, abs=1)  # begin and end are told in whole Wh

    # All that the meter has counted is in the books, to the Wh: a charge begins with the reading that the one before has ended with.
    ends = [METER_AT_MIDNIGHT, *(each.readings[-1] for each in transactions)]
    begins = [*(each.readings[0] for each in transactions), day.bench.meter_wh]
    unseen = [round(begin) - round(end) for begin, end in zip(begins, ends, strict=True)]
    assert unseen == [*[0] * 11, pytest.approx(UNSEEN_WH, abs=1), 0]
    assert sum(each.wh for each in transactions) + sum(unseen) == round(day.bench.meter_wh) - round(METER_AT_MIDNIGHT)

    edges = [edge for each in CHARGES for begin, end in each.closed for edge in ((o_clock(begin), True), (o_clock(end), False))]
    assert day.edges == edges


def check_times(day: Day) -> None:
    """What was said without a link comes at the first attempt after it, and all else at once; each tells when it has happened."""
    last = o_clock("00:00")
    for each in day.csms.received:
        if each.action not in TELLING:
            continue
        told, arrived = _told(each.payload), day.arrived(each)
        assert last <= told <= o_clock("24:00")
        last = told
        is_late = LOST < told <= BACK
        assert arrived == (BACK if is_late else told), each
        if each.action == "TransactionEvent":
            is_after_start = each.payload["transactionInfo"].get("stoppedReason") == "PowerLoss"  # and before there is a link
            assert each.payload.get("offline", False) is (is_late or is_after_start)


def check_states(day: Day) -> None:
    """Each state is told once, with the time of its begin."""
    times: dict[str, list[datetime]] = {}
    for each in day.csms.all("StatusNotification"):
        times.setdefault(each.get("status") or each["connectorStatus"], []).append(_told(each))
    assert times["Faulted"] == [o_clock("21:00:30"), o_clock("21:22:30")]
    assert times["Unavailable"] == [o_clock("22:00")]
    assert times.get("SuspendedEVSE", []) == ([o_clock("08:30")] if day.is_16 else [])
    free = ["00:00", "07:30", "09:30", "11:40", "11:50", "13:30", "15:20", "17:00", "18:00", "20:00", "21:05", "21:35", "22:30", "23:30"]
    assert times["Available"] == [o_clock(each) for each in free]


def _told(message: dict[str, Any]) -> datetime:
    """When what a message tells of has happened."""
    return parse_time(message.get("timestamp") or message["meterValue"][0]["timestamp"])
