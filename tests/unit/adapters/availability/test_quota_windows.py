"""A quota is counted in its provider's own window: any minute, its own day, five hours from the first use (R-20)."""

from datetime import UTC, datetime, timedelta

import pytest

from adapters.availability.quota_counter import QuotaCounter
from domain.quotas import QuotaRule, Window


def counter(window: Window, reset: str = "", amount: int = 10) -> QuotaCounter:
    return QuotaCounter("pk_1", QuotaRule("requests", amount, window, "admin", reset), "m", 0.0)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_any_minute_holds_at_most_what_is_allowed() -> None:
    minute, start = counter("minute"), at("2026-11-21T12:00:30")
    for second in range(10):
        minute.add(start + second, 1)

    assert not minute.allows(start + 59, 1)
    assert not minute.allows(start + 60, 1)
    assert minute.allows(start + 61, 1)
    assert not minute.allows(start + 61, 2)


@pytest.mark.parametrize(
    ("reset", "day_ends"),
    [
        ("", "2026-11-22T00:00:00"),
        ("00:00 UTC", "2026-11-22T00:00:00"),
        ("00:00 America/Los_Angeles", "2026-11-22T08:00:00"),
        ("00:00 Asia/Shanghai", "2026-11-21T16:00:00"),
        ("13:30 UTC", "2026-11-21T13:30:00"),
    ],
)
def test_a_day_ends_in_the_providers_own_zone(reset: str, day_ends: str) -> None:
    day, now = counter("day", reset, amount=1), at("2026-11-21T12:00:00")
    day.add(now, 1)

    assert day.resets_at(now) == at(day_ends)
    assert not day.allows(at(day_ends) - 1, 1)
    assert day.allows(at(day_ends), 1)


@pytest.mark.parametrize(
    ("noon", "day_ends"),
    [("2026-03-08T20:00:00", "2026-03-09T07:00:00"), ("2026-11-01T20:00:00", "2026-11-02T08:00:00")],
)
def test_a_day_on_which_the_clocks_change_ends_at_the_midnight_of_its_zone(noon: str, day_ends: str) -> None:
    day = counter("day", "00:00 America/Los_Angeles", amount=1)
    day.add(at(noon), 1)

    assert day.resets_at(at(noon)) == at(day_ends)


def test_a_month_ends_with_the_calendars() -> None:
    month = counter("month", amount=1)
    month.add(at("2026-12-31T23:00:00"), 1)

    assert month.resets_at(at("2026-12-31T23:00:00")) == at("2027-01-01T00:00:00")


@pytest.mark.parametrize(("window", "hours"), [("5h", 5), ("7d", 168)])
def test_the_window_of_a_coding_plan_begins_with_its_first_call(window: Window, hours: int) -> None:
    plan, first = counter(window, amount=2), at("2026-11-21T11:47:00")
    plan.add(first, 1)
    plan.add(first + 3600, 1)
    ends = first + timedelta(hours=hours).total_seconds()

    assert plan.resets_at(first + 7200) == ends
    assert not plan.allows(ends - 1, 1)

    assert plan.allows(ends, 1)
    plan.add(ends + 60, 1)
    assert plan.resets_at(ends + 61) == ends + 60 + timedelta(hours=hours).total_seconds()


def test_a_day_that_rolls_gives_back_what_is_older_than_a_day() -> None:
    day, start = counter("day", "provider", amount=2), at("2026-11-21T12:00:00")
    day.add(start, 1)
    day.add(start + 43_200, 1)

    assert not day.allows(start + 86_399, 1)
    assert day.allows(start + 86_400 + 1_440, 1)
    assert not day.allows(start + 86_400 + 1_440, 2)


def test_what_is_given_once_never_comes_back() -> None:
    credit = counter("once", amount=1)
    credit.add(at("2026-11-21T12:00:00"), 1)

    assert credit.resets_at(at("2026-11-21T12:00:00")) is None
    assert not credit.allows(at("2036-11-21T12:00:00"), 1)


def test_the_forecast_is_the_moment_at_which_nothing_is_left_at_the_last_hours_rate() -> None:
    day, start = QuotaCounter("pk_1", QuotaRule("requests", 100, "day", "admin"), "m", at("2026-11-21T00:00:00")), 0.0
    start = at("2026-11-21T12:00:00")
    for minute in range(0, 60, 2):
        day.add(start + minute * 60, 1)

    gone = day.forecast(start + 3599)

    assert gone is not None
    assert gone - start == pytest.approx(3600 * (1 + 70 / 30), rel=0.05)


def test_what_resets_before_it_is_used_up_has_no_forecast() -> None:
    day = QuotaCounter("pk_1", QuotaRule("requests", 1000, "day", "admin"), "m", at("2026-11-21T00:00:00"))
    day.add(at("2026-11-21T12:00:00"), 1)

    assert day.forecast(at("2026-11-21T12:30:00")) is None


def test_a_provider_that_counted_more_is_believed_and_one_that_counted_less_only_when_nothing_is_under_way() -> None:
    day, now = counter("day"), at("2026-11-21T12:00:00")
    day.open = 3
    day.add(now, 3)

    day.sync(now, 1)
    assert day.used(now) == 3
    day.sync(now, 6)
    assert day.used(now) == 8
    day.open = 1
    day.sync(now, 2)

    assert day.used(now) == 2
