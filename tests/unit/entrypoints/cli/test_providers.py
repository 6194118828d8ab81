"""`omg providers list` shows what a provider gives away, and how old that is known to be."""

from typing import Any

import click
import pytest

from entrypoints.cli.providers import in_words, with_free_tier_in_words, written_headers, written_quotas

ROW = {"id": "mistral", "status": "available"}


def test_headers_are_given_as_words_or_by_the_variable_that_holds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIENT_SECRET", " hush ")

    assert written_headers(("x-team=a=b",), ("x-client-secret=CLIENT_SECRET",)) == {
        "x-team": "a=b",
        "x-client-secret": "hush",
    }
    for plain, in_variables in ((("x-team",), ()), (("=a",), ()), ((), ("x-client-secret=NOT_SET",))):
        with pytest.raises(click.UsageError, match="NAME=VALUE"):
            written_headers(plain, in_variables)


def a_tier(*, tier_outdated: bool, quota_outdated: bool) -> dict[str, Any]:
    return {
        "summary": "1 request a second",
        "as_of": "2026-11-21",
        "outdated": tier_outdated,
        "quotas": [{"as_of": "2026-02-28", "outdated": quota_outdated}],
    }


def test_a_fresh_free_tier_is_shown_as_it_is() -> None:
    row = ROW | {"free_tier": a_tier(tier_outdated=False, quota_outdated=False)}

    assert with_free_tier_in_words(row) == ROW | {"free_tier": "1 request a second"}


def test_an_old_one_says_when_it_was_last_checked() -> None:
    row = ROW | {"free_tier": a_tier(tier_outdated=False, quota_outdated=True)}

    assert with_free_tier_in_words(row)["free_tier"] == (
        "1 request a second (last checked 2026-02-28, more than 90 days ago)"
    )


def test_a_provider_of_which_nothing_is_known_shows_nothing() -> None:
    assert with_free_tier_in_words(ROW | {"free_tier": None})["free_tier"] is None


def test_what_is_left_of_quotas_is_a_line_of_text() -> None:
    quota = {
        "pool": "free models",
        "models": ["*:free"],
        "dimension": "requests",
        "window": "day",
        "limit": 1_000,
        "remaining": 9,
        "resets_at": "2026-11-22T00:00:00Z",
        "forecast_exhausted_at": "2026-11-21T14:20:00Z",
    }

    assert in_words(ROW | {"quotas": [quota]})["quotas"] == (
        "requests/day (free models): 9 of 1,000 left, resets 2026-11-22T00:00:00Z, gone 2026-11-21T14:20:00Z"
    )


def test_quotas_are_written_in_words_or_as_none_or_the_registrys() -> None:
    assert written_quotas(("requests=1000/day", "usd=2.5/month"), "00:00 UTC", None, "*:free") == [
        {"dimension": "requests", "limit": 1000, "window": "day", "reset": "00:00 UTC", "models": ["*:free"]},
        {"dimension": "usd", "limit": 2.5, "window": "month", "reset": "00:00 UTC", "models": ["*:free"]},
    ]
    assert written_quotas(("none",), None, None, None) == []
    assert written_quotas(("registry",), None, None, None) is None


@pytest.mark.parametrize("words", [("requests",), ("requests=many/day",), ()])
def test_what_is_no_quota_is_said(words: tuple[str, ...]) -> None:
    with pytest.raises(click.BadParameter, match="requests=1000/day"):
        written_quotas(words, None, None, None)
