"""Periods tile time in every zone, whatever its clocks do (R-20)."""

from datetime import UTC, datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.budget_periods import ROLLING, bucket_at, zone_of
from domain.errors import RequestInvalid
from domain.limits import Period

PERIODS = get_args(Period)
ZONES = sorted(available_timezones())
MOMENTS = st.integers(1_262_304_000, 1_893_456_000).map(lambda at: datetime.fromtimestamp(at, UTC))
"""From 2010 to 2030."""

CHANGES = [
    ("America/St_Johns", datetime(2010, 11, 7, 2, 31, tzinfo=UTC)),  # back over midnight, at 00:01
    ("Asia/Beirut", datetime(2022, 3, 26, 22, 0, tzinfo=UTC)),  # forward at midnight
    ("America/Havana", datetime(2024, 3, 10, 5, 0, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10, 0, tzinfo=UTC)),  # a day that never was
    ("Australia/Lord_Howe", datetime(2025, 4, 5, 15, 0, tzinfo=UTC)),  # half an hour
    ("Europe/Berlin", datetime(2026, 10, 25, 1, 0, tzinfo=UTC)),
]


def check(period: Period, zone: str, now: datetime) -> None:
    """The bucket holds the moment, its neighbours begin where it ends, and end where it begins."""
    at = zone_of(zone)
    bucket = bucket_at(period, at, now)
    assert bucket.starts_at <= now.timestamp() < bucket.ends_at
    if period == "never":
        return
    after = bucket_at(period, at, datetime.fromtimestamp(bucket.ends_at, UTC))
    before = bucket_at(period, at, datetime.fromtimestamp(bucket.starts_at - 1, UTC))
    last = bucket_at(period, at, datetime.fromtimestamp(bucket.ends_at - 1, UTC))
    assert after.starts_at == bucket.ends_at
    assert before.ends_at == bucket.starts_at
    assert last == bucket


@pytest.mark.slow
@given(period=st.sampled_from(PERIODS), zone=st.sampled_from(ZONES), now=MOMENTS)
def test_buckets_tile_time_in_every_zone(period: Period, zone: str, now: datetime) -> None:
    check(period, zone, now)


@pytest.mark.parametrize(("zone", "change"), CHANGES)
def test_and_around_each_change_of_clocks(zone: str, change: datetime) -> None:
    for minutes in range(-180, 180, 7):
        for period in PERIODS:
            check(period, zone, change + timedelta(minutes=minutes))


def test_a_day_has_the_hours_its_zone_gives_it() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    hours = [
        (bucket.ends_at - bucket.starts_at) // 3600
        for day in ("2026-03-29", "2026-06-01", "2026-10-25")
        for bucket in [bucket_at("day", berlin, datetime.fromisoformat(f"{day}T12:00:00+00:00"))]
    ]

    assert hours == [23, 24, 25]


def test_weeks_begin_on_monday_and_months_on_their_first() -> None:
    now = datetime(2026, 11, 29, 12, tzinfo=UTC)  # a Sunday

    week, month = bucket_at("week", UTC, now), bucket_at("month", UTC, now)

    assert datetime.fromtimestamp(week.starts_at, UTC) == datetime(2026, 11, 23, tzinfo=UTC)
    assert datetime.fromtimestamp(month.starts_at, UTC) == datetime(2026, 11, 1, tzinfo=UTC)
    assert datetime.fromtimestamp(month.ends_at, UTC) == datetime(2026, 12, 1, tzinfo=UTC)


@given(period=st.sampled_from(sorted(ROLLING)), now=MOMENTS, ago=st.integers(0, 40 * 86_400))
def test_a_rolling_period_forgets_nothing_too_soon(period: Period, now: datetime, ago: int) -> None:
    spent_in = bucket_at(period, UTC, now - timedelta(seconds=ago))
    present = bucket_at(period, UTC, now)
    span, width = ROLLING[period]

    if ago <= span:
        assert spent_in.starts_at >= present.counts_from
    if ago > span + 2 * width:
        assert spent_in.starts_at < present.counts_from


def test_a_zone_that_is_none_is_refused() -> None:
    for name in ("Europe/Atlantis", "../../etc/passwd", "", "Berlin\0"):
        with pytest.raises(RequestInvalid):
            zone_of(name)
