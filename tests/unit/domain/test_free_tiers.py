"""Free tiers: what counts against what, in words, and which of them is too old to rely on."""

from datetime import date, timedelta

import pytest

from domain.free_tiers import FRESH_DAYS, FreeTier, Quota, age_in_words, is_outdated, worth_trying

READ = date(2026, 11, 1)
MINUTE = Quota("requests", 30, "minute", models=("a-*",))
MONTH = Quota("tokens", 4_000_000, "month", pool="standard", as_of=date(2026, 2, 1), confidence="observed")


def a_tier(*quotas: Quota, models: tuple[str, ...] = (), card_needed: bool | None = False) -> FreeTier:
    return FreeTier(
        kind="renewing",
        quotas=quotas,
        models=models,
        card_needed=card_needed,
        as_of=READ,
        source="https://a.example/limits",
    )


@pytest.mark.parametrize(
    ("days", "outdated"), [(0, False), (FRESH_DAYS, False), (FRESH_DAYS + 1, True), (-3, False), (4000, True)]
)
def test_a_fact_is_outdated_after_ninety_days(days: int, outdated: bool) -> None:
    assert is_outdated(READ, READ + timedelta(days=days)) is outdated
    assert a_tier().outdated(READ + timedelta(days=days)) is outdated


def test_what_holds_no_fact_does_not_age() -> None:
    assert not FreeTier(kind="own").outdated(date(2126, 1, 1))


def test_a_quota_has_a_day_source_and_confidence_of_its_own_or_those_of_its_tier() -> None:
    first, second = a_tier(MINUTE, MONTH).resolved()

    assert (first.as_of, first.source, first.confidence) == (READ, "https://a.example/limits", "official")
    assert (second.as_of, second.source, second.confidence) == (
        date(2026, 2, 1),
        "https://a.example/limits",
        "observed",
    )


def test_the_age_says_whether_the_tier_or_only_its_figures_are_old() -> None:
    tier = a_tier(MONTH)

    assert age_in_words(a_tier(MINUTE), READ) == ""
    assert age_in_words(tier, READ) == "figures last checked 2026-02-01, more than 90 days ago"
    assert age_in_words(tier, date(2027, 3, 1)) == "last checked 2026-02-01, more than 90 days ago"
    assert age_in_words(a_tier(MINUTE), date(2027, 3, 1)) == "last checked 2026-11-01, more than 90 days ago"


def test_a_model_counts_against_the_quotas_that_name_it_and_those_that_name_none() -> None:
    tier = a_tier(MINUTE, MONTH, models=("a-*", "b-1"))

    assert [quota.window for quota in tier.quotas_of("a-9")] == ["minute", "month"]
    assert [quota.window for quota in tier.quotas_of("b-1")] == ["month"]
    assert tier.quotas_of("c-1") == ()


@pytest.mark.parametrize(
    ("tier", "words"),
    [
        (a_tier(MINUTE, MONTH), "30 requests a minute for each model (a-*); 4,000,000 tokens a month"),
        (a_tier(Quota("requests", 1, "second", pool="all")), "1 request a second"),
        (a_tier(Quota("parallel", 1, "moment"), models=("b-1",)), "only b-1; 1 request at a time for each model"),
        (a_tier(Quota("usage", None, "5h", pool="all")), "unpublished allowance per 5 hours"),
        (
            FreeTier(
                kind="credit",
                quotas=(Quota("usd", 5, "once", pool="account", expires_after_days=30),),
                card_needed=True,
            ),
            "nothing that renews; 5 USD once, for 30 days; a card is needed",
        ),
        (FreeTier(kind="none", note="credits now and then"), "none; credits now and then"),
        (FreeTier(kind="unknown"), ""),
    ],
)
def test_a_free_tier_is_a_line_for_people(tier: FreeTier, words: str) -> None:
    assert tier.in_words() == words


def test_the_brief_form_is_the_first_group_of_quotas() -> None:
    assert a_tier(MINUTE, Quota("requests", 9, "day", models=("a-*",)), MONTH).in_brief() == (
        "30 requests a minute, 9 requests a day"
    )
    assert FreeTier(kind="none").in_brief() == ""


def test_worth_trying_is_what_renews_without_a_card_and_was_looked_at_lately_first() -> None:
    old = FreeTier(kind="renewing", card_needed=False, as_of=date(2025, 1, 1), source="x")
    others = FreeTier(kind="renewing", card_needed=False, as_of=READ, source="x", confidence="secondhand")
    tiers = [
        ("old", old),
        ("card", a_tier(card_needed=True)),
        ("unsure", a_tier(card_needed=None)),
        ("told", others),
        ("none", FreeTier(kind="none", as_of=READ, source="x")),
        ("fresh", a_tier()),
        ("fresh too", a_tier()),
    ]

    assert worth_trying(tiers, READ, 9) == ["fresh", "fresh too", "old"]
    assert worth_trying(tiers, READ, 1) == ["fresh"]
