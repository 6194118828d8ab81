"""What a question about usage means, and what is said of one that means nothing."""

from datetime import datetime

import pytest

from application.usage.asking import UsageAsked, query_of
from domain.errors import RequestInvalid
from tests.builders import NOW


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def ask(**parameters: object) -> UsageAsked:
    return UsageAsked(**parameters)  # type: ignore[arg-type]  # as the tests write them


def test_by_default_it_is_the_last_thirty_days_of_utc_by_day() -> None:
    query = query_of(ask(), NOW)

    assert (query.start, query.end) == (at("2026-10-23T00:00Z"), at("2026-11-22T00:00Z"))
    assert (query.group_by, query.timezone) == (("day",), "UTC")


def test_dates_are_days_of_the_timezone_and_the_last_one_is_included() -> None:
    query = query_of(ask(from_="2026-11-01", to="2026-11-01", timezone="America/New_York"), NOW)

    assert (query.start, query.end) == (at("2026-11-01T04:00Z"), at("2026-11-02T05:00Z"))


def test_the_default_range_begins_and_ends_at_the_timezones_midnights() -> None:
    query = query_of(ask(timezone="Asia/Kolkata"), NOW)

    assert (query.start, query.end) == (at("2026-10-22T18:30Z"), at("2026-11-21T18:30Z"))


def test_times_are_taken_as_they_are_and_the_end_is_not_included() -> None:
    query = query_of(ask(from_="2026-11-21T10:00:00+02:00", to="2026-11-21T09:30:00.5Z", timezone="Asia/Tokyo"), NOW)

    assert (query.start, query.end) == (at("2026-11-21T08:00Z"), at("2026-11-21T09:30:00.500Z"))


def test_a_plus_that_an_address_made_a_blank_is_understood() -> None:
    assert query_of(ask(from_="2026-11-21T10:00:00 02:00"), NOW).start == at("2026-11-21T08:00Z")


@pytest.mark.parametrize("given", [("day,model",), ("day", "model"), (" day , model,",), ("day,model", "day")])
def test_groups_may_be_listed_or_repeated(given: tuple[str, ...]) -> None:
    assert query_of(ask(group_by=given), NOW).group_by == ("day", "model")


@pytest.mark.parametrize(
    ("parameters", "param", "words"),
    [
        ({"group_by": ("day,colour",)}, "group_by", "'colour' is none of day, hour, model, provider, key"),
        ({"timezone": "America/New_Yrok"}, "timezone", "Did you mean 'America/New_York'?"),
        ({"timezone": "kathmandu"}, "timezone", "Did you mean 'Asia/Kathmandu'?"),
        ({"timezone": "America"}, "timezone", "Did you mean"),
        ({"timezone": "../../etc/passwd"}, "timezone", "Did you mean"),
        ({"timezone": "z" * 5000}, "timezone", "Did you mean"),
        ({"from_": "2026-11-22", "to": "2026-11-20"}, "from", "is after 'to'"),
        ({"from_": "yesterday"}, "from", "'yesterday' is no date such as"),
        ({"to": "2026-02-30"}, "to", "no date"),
        ({"to": "0001-01-01"}, "to", "between 2000 and 2200"),
        ({"from_": "9999-12-31T23:59:59Z"}, "from", "between 2000 and 2200"),
        ({"from_": "2026-11-21T10:00:00"}, "from", "needs an offset"),
        ({"from_": "2025-01-01", "to": "2026-11-20"}, "from", "at most 400 days"),
        ({"from_": "2026-10-01", "to": "2026-11-20", "group_by": ("hour",)}, "from", "at most 31 days"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_would_do(parameters: dict[str, object], param: str, words: str) -> None:
    with pytest.raises(RequestInvalid, match=words.replace("?", r"\?")) as refused:
        query_of(ask(**parameters), NOW)

    assert refused.value.param == param


def test_a_long_range_may_be_asked_for_without_days() -> None:
    query = query_of(ask(from_="2020-01-01", group_by=("model",)), NOW)

    assert query.start == at("2020-01-01T00:00Z")


def test_four_hundred_days_may_be_asked_for_in_every_zone() -> None:
    query = query_of(ask(from_="2025-10-19", to="2026-11-21", timezone="Europe/Berlin"), NOW)

    assert query.group_by == ("day",)
