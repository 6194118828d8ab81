"""Days of every zone tile the time, and cutting them loses no moment (R-20)."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.usage_periods import DAY, HOUR, Stretch, cut, local_days, midnight

MOMENTS = st.datetimes(datetime(2006, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - its bounds are naive
ZONES = st.sampled_from(sorted(available_timezones()))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.slow
@settings(max_examples=400)
@given(zone=ZONES, start=MOMENTS, length=st.timedeltas(timedelta(0), timedelta(days=60)))
def test_the_days_of_any_zone_tile_any_range(zone: str, start: datetime, length: timedelta) -> None:
    days = [*local_days(start, start + length, ZoneInfo(zone))]

    ends = [start, *(day.end for day in days)]
    assert [day.start for day in days] == ends[:-1]
    assert ends[-1] == start + length
    names = [day.day for day in days if day.day is not None]
    assert names == sorted(set(names))


@pytest.mark.slow
@settings(max_examples=400)
@given(zone=ZONES, start=MOMENTS, length=st.timedeltas(timedelta(0), timedelta(days=9)), nearest_days=st.booleans())
def test_a_cut_keeps_every_moment_once_and_its_day(
    zone: str, start: datetime, length: timedelta, nearest_days: bool
) -> None:
    days = (*local_days(start, start + length, ZoneInfo(zone)),)
    parts = cut(days, nearest_days=nearest_days)

    assert changes((*parts.days, *parts.hours, *parts.edges)) == changes(days)
    assert all((piece.end - piece.start) % DAY == timedelta(0) for piece in parts.days)
    assert all(moment.hour == 0 for piece in parts.days for moment in (piece.start, piece.end))
    for piece in (*parts.days, *parts.hours):
        assert all(moment == moment.replace(minute=0, second=0, microsecond=0) for moment in (piece.start, piece.end))
    assert all(timedelta(0) < piece.end - piece.start < 2 * HOUR for piece in parts.edges)


def changes(pieces: Iterable[Stretch]) -> dict[tuple[date | None, datetime], int]:
    """By how much more often a moment counts for a day from then on."""
    found = Counter[tuple[date | None, datetime]]()
    for piece in pieces:
        found[piece.day, piece.start] += piece.sign
        found[piece.day, piece.end] -= piece.sign
    return {key: change for key, change in found.items() if change}


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 11, 1), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Africa/Cairo", date(2026, 4, 24), 23),  # its midnight is the one that is skipped
        ("America/Havana", date(2026, 11, 1), 25),  # its midnight comes twice
        ("Asia/Kathmandu", date(2026, 11, 21), 24),
    ],
)
def test_days_are_as_long_as_the_clocks_make_them(zone: str, day: date, hours: float) -> None:
    length = midnight(day + DAY, ZoneInfo(zone)) - midnight(day, ZoneInfo(zone))

    assert length == timedelta(hours=hours)


def test_a_day_that_a_country_skipped_is_not_there() -> None:
    """Samoa went from the 29th to the 31st of December 2011."""
    days = local_days(at("2011-12-29T00:00Z"), at("2012-01-01T00:00Z"), ZoneInfo("Pacific/Apia"))

    assert [day.day for day in days] == [date(2011, 12, day) for day in (28, 29, 31)] + [date(2012, 1, 1)]


def test_whole_days_of_utc_need_neither_hours_nor_edges() -> None:
    whole = Stretch(at("2026-11-01T00:00Z"), at("2026-11-21T00:00Z"))

    parts = cut((whole,))

    assert (parts.days, parts.hours, parts.edges) == ((whole,), (), ())


def test_zones_on_the_half_hour_take_the_straddled_hour_from_the_rows_once() -> None:
    """What the hour nearest to a midnight has in excess is taken away from one day, and the other needs it."""
    start, end = at("2026-11-20T18:30Z"), at("2026-11-22T18:30Z")

    parts = cut(local_days(start, end, ZoneInfo("Asia/Kolkata")))

    first, second = date(2026, 11, 21), date(2026, 11, 22)
    between = at("2026-11-21T18:30Z"), at("2026-11-21T19:00Z")
    assert parts.edges == (
        Stretch(start, at("2026-11-20T19:00Z"), first),
        Stretch(*between, first, sign=-1),
        Stretch(*between, second),
        Stretch(end, at("2026-11-22T19:00Z"), second, sign=-1),
    )
    assert parts.hours == (
        Stretch(at("2026-11-20T19:00Z"), at("2026-11-21T19:00Z"), first),
        Stretch(at("2026-11-21T19:00Z"), at("2026-11-22T19:00Z"), second),
    )


@pytest.mark.parametrize(("zone", "hours"), [("America/New_York", 5), ("Asia/Kolkata", 5), ("Pacific/Fiji", 12)])
def test_the_nearest_days_leave_the_hours_up_to_the_next_midnight(zone: str, hours: int) -> None:
    begin = midnight(date(2026, 11, 2), ZoneInfo(zone))

    parts = cut(local_days(begin, begin + 18 * DAY, ZoneInfo(zone)), nearest_days=True)

    assert [piece.end - piece.start for piece in parts.days] == [DAY] * 18
    spans = {(piece.start, piece.end) for piece in parts.hours}
    assert [end - start for start, end in sorted(spans)] == [hours * HOUR] * 19


def test_a_few_hours_are_not_a_day_less_the_rest() -> None:
    part = Stretch(at("2026-11-21T10:00Z"), at("2026-11-21T14:00Z"))

    assert cut((part,), nearest_days=True).hours == (part,)
