"""What a request saved (contract 11)."""

import msgspec
import pytest

from domain.decisions import DecisionNote, Weighed
from domain.prices import ALWAYS, PriceRow, Prices, Tier
from domain.records import RequestRecord
from domain.savings import settled
from domain.usage import BillingFacts, TokenUsage
from tests.builders import a_request_record, an_attempt_record

EACH = 1_000_000  # nano-USD per million tokens: one nano-USD a token
PRICES = {
    ("a", "cheap"): Prices(1 * EACH, 2 * EACH),
    ("b", "dear"): Prices(10 * EACH, 20 * EACH, cache_read=1 * EACH),
    ("c", "tiered"): Prices(5 * EACH, 5 * EACH, tiers=(Tier(50 * EACH, 50 * EACH, above_input_tokens=500),)),
}
NOTE = DecisionNote("fast", "priority", candidates=(Weighed("a", "cheap"), Weighed("b", "dear")))


def find_price(provider_id: str, model: str) -> PriceRow | None:
    prices = PRICES.get((provider_id, model))
    return None if prices is None else PriceRow(f"price_{model}", provider_id, model, prices, "test", ALWAYS)


def routed(note: DecisionNote = NOTE, usage: TokenUsage | None = None, cost: int | None = 1200) -> RequestRecord:
    attempt = an_attempt_record(
        provider_id="a", model="cheap", usage=usage or TokenUsage(1000, 100), cost_nano_usd=cost
    )
    return a_request_record(attempts=(attempt,), route="fast", decision=note)


def test_savings_are_the_same_tokens_at_the_dearest_less_what_was_paid() -> None:
    found = settled(routed(), find_price)

    assert found.decision is not None
    assert (found.decision.priced_against, found.decision.baseline_price_id) == ("b/dear", "price_dear")
    assert found.decision.baseline_nano_usd == 12_000
    assert found.savings_nano_usd == 12_000 - 1_200
    assert [each.cost_nano_usd for each in found.decision.candidates] == [1_200, 12_000]


def test_a_request_that_named_a_model_saves_nothing() -> None:
    plain = a_request_record()

    assert settled(plain, find_price) is plain


def test_a_baseline_that_is_named_counts_whatever_else_there_is() -> None:
    found = settled(routed(msgspec.structs.replace(NOTE, baseline="c/tiered")), find_price)

    assert found.decision is not None
    assert found.decision.priced_against == "c/tiered"
    assert found.decision.baseline_nano_usd == 1100 * 50, "the tier that this request reaches"


def test_what_a_rule_excludes_could_not_have_served_and_is_no_baseline() -> None:
    note = DecisionNote(
        "fast", "priority", candidates=(Weighed("a", "cheap"), Weighed("b", "dear", "capability:tools"))
    )

    found = settled(routed(note), find_price)

    assert found.savings_nano_usd == 0


def test_what_only_rested_could_have_served() -> None:
    note = DecisionNote("fast", "priority", candidates=(Weighed("b", "dear", "unavailable"), Weighed("a", "cheap")))

    assert settled(routed(note), find_price).savings_nano_usd == 10_800


def test_retries_are_paid_and_may_make_savings_negative() -> None:
    failed = an_attempt_record(
        1, provider_id="b", model="dear", outcome="unknown_outcome", usage=TokenUsage(1000), cost_nano_usd=10_000
    )
    served = an_attempt_record(2, provider_id="a", model="cheap", usage=TokenUsage(1000, 100), cost_nano_usd=4_000)
    record = a_request_record(attempts=(failed, served), route="fast", decision=NOTE)

    assert settled(record, find_price).savings_nano_usd == 12_000 - 14_000


def test_a_cache_that_a_switch_lost_would_have_been_read_at_the_baseline() -> None:
    kept = Weighed("b", "dear", score=0.5, parts=(0.9, 0.1, None, 1.0, 0.8))
    note = msgspec.structs.replace(NOTE, candidates=(Weighed("a", "cheap"), kept))

    found = settled(routed(note), find_price)

    assert found.decision is not None
    assert found.decision.baseline_nano_usd == 200 * 10 + 800 * 1 + 100 * 20


@pytest.mark.parametrize("cost", [None])
def test_nothing_is_said_where_what_was_paid_has_no_price(cost: int | None) -> None:
    found = settled(routed(cost=cost), find_price)

    assert found.savings_nano_usd is None
    assert found.decision is not None
    assert found.decision.baseline_nano_usd == 12_000


def test_nothing_is_said_where_the_baseline_has_no_price() -> None:
    found = settled(routed(msgspec.structs.replace(NOTE, baseline="x/unknown")), find_price)

    assert found.savings_nano_usd is None


def test_the_terms_of_the_place_that_served_are_not_the_baselines() -> None:
    usage = TokenUsage(1000, 100, billing=BillingFacts(service_tier="priority", cost_nano_usd=1_200))

    assert settled(routed(usage=usage), find_price).savings_nano_usd == 10_800


def test_a_request_without_an_answer_has_nothing_to_compare() -> None:
    record = a_request_record(attempts=(an_attempt_record(usage=None, cost_nano_usd=None),), decision=NOTE)

    assert settled(record, find_price) is record
