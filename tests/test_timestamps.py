"""Times as OCPP writes and reads them, the same on every Python (rule B20)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ocpp_sync.timestamps import format_time, parse_time, utcnow
from ocpp_sync.validation import validate

any_speed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

UTC = timezone.utc
NOON = datetime(2025, 1, 31, 12, tzinfo=UTC)

offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# A day away from both ends, so that the time in UTC has four digits too.
times = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=offsets)


def microseconds(time: datetime) -> int:
    return (time - datetime(1, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def test_b20_now_is_utc_with_z_and_milliseconds() -> None:
    before = datetime.now(UTC)
    text = utcnow()
    after = datetime.now(UTC)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    assert before - timedelta(milliseconds=1) < parse_time(text) <= after


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (NOON, "2025-01-31T12:00:00.000Z"),
        (NOON.replace(microsecond=123999), "2025-01-31T12:00:00.123Z"),
        (NOON.astimezone(timezone(timedelta(hours=2))), "2025-01-31T12:00:00.000Z"),
        (datetime(2024, 12, 31, 23, 30, tzinfo=timezone(-timedelta(hours=3, minutes=30))), "2025-01-01T03:00:00.000Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000Z"),
    ],
)
def test_b20_what_is_written(time: datetime, text: str) -> None:
    assert format_time(time) == text


class NoOffset(tzinfo):
    def utcoffset(self, dt: datetime | None) -> None: ...
    def tzname(self, dt: datetime | None) -> None: ...
    def dst(self, dt: datetime | None) -> None: ...


@pytest.mark.parametrize("zone", [None, NoOffset()])
def test_b20_a_time_without_an_offset_is_refused(zone: tzinfo | None) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        format_time(NOON.replace(tzinfo=zone))


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2025-01-31T12:00:00Z", NOON),
        ("2025-01-31T12:00:00", NOON),
        ("2025-01-31T12:00:00.5Z", NOON.replace(microsecond=500000)),
        ("2025-01-31T12:00:00.05", NOON.replace(microsecond=50000)),
        ("2025-01-31T12:00:00.1234Z", NOON.replace(microsecond=123400)),
        ("2025-01-31T12:00:00.123456789+00:00", NOON.replace(microsecond=123456)),
        ("2025-01-31T12:00:00." + "9" * 1000 + "Z", NOON.replace(microsecond=999999)),
        ("2025-01-31T14:00:00+02:00", NOON),
        ("2025-01-31T08:30:00-03:30", NOON),
        ("2025-01-31T12:00:00-00:00", NOON),
        ("2025-02-01T11:59:00.25+23:59", NOON.replace(microsecond=250000)),
        ("2025-01-31T14:00:00+0200", NOON),
        ("2025-01-31T14:00:00+02", NOON),
        ("2025-01-31t12:00:00z", NOON),
        ("2025-01-31 12:00:00Z", NOON),
        ("2025-01-31T12:00:00,5Z", NOON.replace(microsecond=500000)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_b20_what_is_read(text: str, time: datetime) -> None:
    parsed = parse_time(text)
    assert parsed == time
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2025-01-31", "12:00:00", "2025-01-31T12:00Z", "2025-01-31T12Z", "20250131T120000Z", "2025-W05-5T12:00:00Z"),
        *("2025-01-31T12:00:00.Z", "2025-01-31T12:00:00.5.5Z", "2025-01-31T12:00:00 Z", "2025-01-31T12:00:00Z ", "2025-01-31T12:00:00Z\n"),
        *("2025-01-31X12:00:00Z", "2025-01-31T12:00:00+2:00", "2025-01-31T12:00:00+02:", "2025-01-31T12:00:00+02:00:00"),
        *("2025-02-29T12:00:00Z", "2025-13-01T12:00:00Z", "2025-00-01T12:00:00Z", "2025-01-31T25:00:00Z", "2025-01-31T12:60:00Z"),
        *("2025-01-31T12:00:60Z", "2025-01-31T12:00:00+24:00", "0000-01-01T00:00:00Z", "２025-01-31T12:00:00Z", "1738324800"),
    ],
)
def test_b20_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError):
        parse_time(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"])
def test_b20_a_time_that_utc_cannot_tell(text: str) -> None:
    with pytest.raises(ValueError, match="in UTC"):
        parse_time(text)


@any_speed
@given(times)
def test_b20_what_is_written_is_read_again_to_the_millisecond(time: datetime) -> None:
    text = format_time(time)
    assert microseconds(parse_time(text)) == microseconds(time) // 1000 * 1000
    assert format_time(parse_time(text)) == text


@any_speed
@given(times, st.text("0123456789"), st.booleans())
def test_b20_what_validation_lets_pass_is_read(time: datetime, digits: str, is_local: bool) -> None:
    text = time.replace(tzinfo=None, microsecond=0).isoformat() + (f".{digits}" if digits else "")
    text += "" if is_local else time.isoformat()[-6:]
    validate("Heartbeat", {"currentTime": text}, version="1.6", kind="response")
    moment = time.replace(tzinfo=UTC) if is_local else time
    assert parse_time(text) == moment.replace(microsecond=int(digits[:6].ljust(6, "0")))


@any_speed
@given(st.text() | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?([+-][0-9:]{2,5})?", fullmatch=True))
def test_b20_no_text_does_any_harm(text: str) -> None:
    try:
        parsed = parse_time(text)
    except ValueError:
        return
    assert parsed.tzinfo is UTC
