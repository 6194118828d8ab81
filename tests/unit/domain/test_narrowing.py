"""What a key is given lies within what its maker has (S-01), for whatever lists there are."""

from decimal import Decimal
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.grants import Grants, Patterns, networks
from domain.limits import Budget, RateLimits
from domain.narrowing import wider_budget, wider_entry, wider_limit, wider_network

PROVIDERS = ("a", "b", "ab")
MODELS = ("x", "y", "xy", "a/x", "x-pro", "x:free", "b")
PARTS = st.lists(st.sampled_from(["a", "b", "x", "y", "/", "*", "-pro", ":free"]), min_size=1, max_size=4)
ENTRIES = st.builds(lambda sign, parts: sign + "".join(parts), st.sampled_from(["", "", "", "!"]), PARTS)
LISTS = st.none() | st.lists(ENTRIES, max_size=4)


def allowed(entries: list[str] | None) -> set[tuple[str, str]]:
    """Every pair of provider and model that a list allows."""
    pairs = {(provider, model) for provider in PROVIDERS for model in MODELS}
    if entries is None:
        return pairs
    grants = Grants(models=(Patterns(entries),))
    return {pair for pair in pairs if grants.allow(*pair)}


@given(asked=LISTS, had=LISTS)
def test_a_list_that_passes_allows_nothing_that_was_not_had(asked: list[str] | None, had: list[str] | None) -> None:
    if wider_entry(asked, had) is None and asked is not None:
        assert allowed(asked) <= allowed(had)


@given(asked=LISTS, had=LISTS, later=LISTS)
def test_at_use_a_key_never_exceeds_whoever_it_depends_on_also_after_they_lost_a_right(
    asked: list[str] | None, had: list[str] | None, later: list[str] | None
) -> None:
    """However it was minted: at use each list is asked, as it is then."""
    for of_tenant in (had, later):
        lists = [each for each in (asked, of_tenant) if each is not None]
        grants = Grants(models=tuple(map(Patterns, lists)))
        used = {(p, m) for p in PROVIDERS for m in MODELS if grants.allow(p, m)}

        assert used <= allowed(of_tenant)
        assert used <= allowed(asked)


@pytest.mark.parametrize(
    ("asked", "had", "wider"),
    [
        (None, ["openai/*"], None),
        (["anything"], None, None),
        ([], ["openai/*"], None),
        (["openai/gpt-5"], ["openai/*"], None),
        (["openai/gpt-*"], ["openai/*"], None),
        (["openai/*"], ["openai/*"], None),
        (["*"], ["openai/*"], "*"),
        (["anthropic/*"], ["openai/*"], "anthropic/*"),
        (["openai/gpt-5", "groq/x"], ["openai/*"], "groq/x"),
        (["gpt-5"], ["openai/*"], "gpt-5"),  # a bare id is at every provider
        (["gpt-5"], ["gpt-*"], None),
        (["openai/*"], ["openai/gpt-*"], "openai/*"),
        (["openai/*"], ["openai/*", "!openai/*-pro"], "openai/*"),
        (["openai/*", "!openai/*-pro"], ["openai/*", "!openai/*-pro"], None),
        (["openai/gpt-5"], ["openai/*", "!openai/*-pro"], None),
        (["openai/gpt-5-pro"], ["openai/*", "!*-pro"], "openai/gpt-5-pro"),
        (["!openai/x"], ["openai/*"], "*"),
        (["!openai/x"], ["!openai/x"], None),
        (["@fast"], ["@fast", "openai/*"], None),
        (["@fast"], ["openai/*"], "@fast"),
        (["openai/*"], [], "openai/*"),
    ],
)
def test_the_first_entry_that_reaches_further_is_named(
    asked: list[str] | None, had: list[str] | None, wider: str | None
) -> None:
    assert wider_entry(asked, had) == wider


CIDRS = st.lists(
    st.builds(lambda a, b, bits: f"10.{a}.{b}.0/{bits}", st.integers(0, 3), st.integers(0, 3), st.integers(8, 32)),
    max_size=3,
)


@given(asked=CIDRS, had=CIDRS, address=st.builds(lambda a, b, c: f"10.{a}.{b}.{c}", *[st.integers(0, 3)] * 3))
def test_networks_that_pass_hold_no_address_that_was_not_had(asked: list[str], had: list[str], address: str) -> None:
    if wider_network(asked, had) is None:
        inside = [any(IPv4Address(address) in network for network in networks(each)) for each in (asked, had)]
        assert inside != [True, False]


def test_networks_of_two_kinds_are_not_in_each_other() -> None:
    assert wider_network(["::/0"], ["0.0.0.0/0"]) == "::/0"
    assert wider_network(["10.1.0.0/16"], ["10.0.0.0/8", "::/0"]) is None
    assert wider_network(None, ["10.0.0.0/8"]) is None


def test_a_limit_above_the_one_it_is_under_is_named() -> None:
    assert wider_limit(RateLimits(rpm=5, tpm=9), RateLimits(rpm=5, tpm=8)) == "tpm"
    assert wider_limit(RateLimits(rpm=5), RateLimits(tpm=1)) is None
    assert wider_limit(RateLimits(), RateLimits(rpm=1)) is None


def test_a_budget_above_one_of_its_period_is_named() -> None:
    had = (Budget(limit_usd=Decimal(10)), Budget(limit_usd=Decimal(1), period="day", models=("a/*",)))

    assert wider_budget((Budget(limit_usd=Decimal(10)), Budget(limit_usd=Decimal(11))), had) == 1
    assert wider_budget((Budget(limit_usd=Decimal(11), models=("b/*",)),), had) == 0
    assert wider_budget((Budget(limit_usd=Decimal(2), period="day"),), had) is None
    assert wider_budget((Budget(limit_usd=Decimal(99), period="week"),), had) is None
