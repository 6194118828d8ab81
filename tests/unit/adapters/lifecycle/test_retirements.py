"""No model that is gone, or soon will be, is offered by default, as of the day on which the facts were gone through.

The day is `as_of` of the file, never the day of the test: time alone breaks nothing. Who goes through the file anew and
moves the day finds here what has to follow.
"""

from datetime import date

import pytest

from adapters.lifecycle.retirements import Retirements
from adapters.providers.kind import Entry
from adapters.providers.kinds import ENTRIES
from domain.lifecycle import Retirement

NOTICE_DAYS = 30
SHIPPED = Retirements.shipped()


def gone(provider: str, model: str) -> bool:
    end = SHIPPED.ends().get((provider, model))
    return end is not None and end.within(NOTICE_DAYS, SHIPPED.as_of)


def offered(entry: Entry) -> set[str]:
    preset = entry.preset
    return {*preset.models, *filter(None, [preset.default_model])}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_no_provider_offers_by_default_what_is_gone_or_soon_will_be(entry: Entry) -> None:
    assert [model for model in sorted(offered(entry)) if gone(entry.id, model)] == []


@pytest.mark.parametrize(
    ("provider", "model", "last_day"),
    [
        ("deepseek", "deepseek-chat", date(2026, 7, 24)),
        ("groq", "llama-3.3-70b-versatile", date(2026, 8, 16)),
        ("groq", "llama-3.1-8b-instant", date(2026, 8, 16)),
        ("anthropic", "claude-sonnet-4-5", date(2026, 11, 30)),
        ("gemini", "gemini-2.5-flash", date(2026, 12, 1)),
        ("openai", "gpt-5", date(2026, 12, 11)),
        ("openai", "gpt-4o", date(2027, 1, 14)),
    ],
)
def test_the_ends_that_were_announced_are_known(provider: str, model: str, last_day: date) -> None:
    end = SHIPPED.ends().get((provider, model))

    assert end is not None
    assert end.retired_at == last_day


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("groq", "openai/gpt-oss-120b"),
        ("anthropic", "claude-sonnet-5-5"),
        ("nobody", "gpt-5"),
        ("openai", "gpt-6-luna"),
    ],
)
def test_of_others_no_end_is_known(provider: str, model: str) -> None:
    assert SHIPPED.ends().get((provider, model)) is None


def test_a_successor_is_not_gone_itself() -> None:
    successors = {(p, end.successor) for (p, _), end in SHIPPED.ends().items() if end.successor}

    assert [pair for pair in sorted(successors) if gone(*pair)] == []


def test_every_row_is_of_a_provider_that_is_known_and_names_its_source() -> None:
    ids = {entry.id for entry in ENTRIES}

    for (provider, _), end in SHIPPED.ends().items():
        assert provider in ids
        assert end.source


@pytest.mark.parametrize(("days", "within"), [(0, False), (29, False), (30, True), (365, True)])
def test_an_end_is_near_by_days(days: int, within: bool) -> None:
    end = Retirement(date(2026, 12, 30), "x")

    assert end.within(days, date(2026, 11, 30)) is within
