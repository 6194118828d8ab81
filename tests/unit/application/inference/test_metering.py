"""What a call used is the provider's count, or an estimate that says so."""

from typing import Any

import pytest
from typing_extensions import override

from adapters.tokens.length import LengthTokenCounter
from application.inference.metering import Meter
from domain.completions import CompletionRequest
from domain.embeddings import EmbeddingRequest
from domain.failover import FailureKind
from domain.prices import PriceRow, Prices
from domain.usage import BillingFacts, TokenUsage
from tests.builders import NOW, a_chat_payload
from tests.fakes.fixed_prices import FixedPriceBook

PRICE = PriceRow("price_1", "alpha", "m", Prices(1_000_000_000, 4_000_000_000), "admin", NOW)
REQUEST = a_chat_payload(messages=[{"role": "user", "content": "x" * 400}]).value


@pytest.fixture
def meter() -> Meter:
    return Meter(FixedPriceBook([PRICE]), LengthTokenCounter())


def test_the_providers_count_is_taken_as_it_is(meter: Meter) -> None:
    assert meter.answered(REQUEST, TokenUsage(7, 9), "whatever") == (TokenUsage(7, 9), "provider")


def test_a_missing_count_is_estimated_from_the_texts_and_flagged(meter: Meter) -> None:
    """R-22."""
    usage, source = meter.answered(REQUEST, None, "y" * 40)

    assert source == "estimated"
    assert (usage.input_tokens, usage.output_tokens) == (100 + 4 + 3, 10)


def test_a_long_text_is_counted_by_its_beginning(meter: Meter) -> None:
    assert meter.answered(REQUEST, None, "y" * 400, 4000)[0].output_tokens == 1000
    assert meter.answered(REQUEST, None, "", 4000)[0].output_tokens == 1000


@pytest.mark.parametrize("kind", [FailureKind.TIMEOUT, FailureKind.TRUNCATED, None])
def test_a_call_of_unknown_outcome_is_booked_with_its_input(meter: Meter, kind: FailureKind | None) -> None:
    """R-09: money is never under-counted."""
    usage, source = meter.unanswered(REQUEST, kind)
    assert (usage, source) == (TokenUsage(107), "estimated")


@pytest.mark.parametrize("kind", [FailureKind.CONNECT, FailureKind.RATE_LIMITED, FailureKind.SERVER_ERROR])
def test_a_call_that_was_refused_costs_nothing(meter: Meter, kind: FailureKind) -> None:
    assert meter.unanswered(REQUEST, kind) == (None, "none")


def test_a_record_holds_its_price_and_cost_or_neither(meter: Meter) -> None:
    priced = meter.record(1, "alpha", "pk", "m", "ok", 200, 5.0, TokenUsage(1000, 500), "provider")
    unpriced = meter.record(1, "beta", "pk", "m", "ok", 200, 5.0, TokenUsage(1000, 500), "provider")
    refused = meter.record(1, "alpha", "pk", "m", "connect", None, 5.0, None, "none")

    assert (priced.price_id, priced.cost_nano_usd) == ("price_1", 3_000_000)
    assert (unpriced.price_id, unpriced.cost_nano_usd) == (None, None)
    assert (refused.price_id, refused.cost_nano_usd) == (None, None)


DRAWN = TokenUsage(billing=BillingFacts(units={"image:1024x1024/high": 2}))
PICTURES = Prices(units={"image": {"1024x1024/high": 167_000_000_000_000, "*": 40_000_000_000_000}})


def test_what_is_sold_by_the_piece_is_booked_without_an_estimate() -> None:
    meter = Meter(FixedPriceBook([PriceRow("price_1", "alpha", "m", PICTURES, "admin", NOW)]), LengthTokenCounter())

    usage, source = meter.answered(REQUEST, DRAWN, "")
    booked = meter.record(1, "alpha", None, "m", "ok", 200, 5.0, usage, source)

    assert (booked.usage, booked.usage_source) == (DRAWN, "provider")
    assert (booked.cost_nano_usd, booked.cost_missing) == (334_000_000, ())


def test_what_is_sold_by_the_token_is_estimated_where_only_pieces_were_counted(meter: Meter) -> None:
    usage, source = meter.answered(REQUEST, DRAWN, "")
    booked = meter.record(1, "alpha", None, "m", "ok", 200, 5.0, usage, source)

    assert (usage, source) == (TokenUsage(107, 0, billing=DRAWN.billing), "estimated")
    assert (booked.cost_nano_usd, booked.cost_missing) == (107_000, ())


def test_what_has_no_price_is_named_and_never_a_silent_zero(meter: Meter) -> None:
    searched = TokenUsage(10, 5, billing=BillingFacts("scale", counts={"web_search": 1, "maps": 2}))

    booked = meter.record(1, "alpha", None, "m", "ok", 200, 5.0, searched, "provider")
    unknown = meter.record(1, "beta", None, "m", "ok", 200, 5.0, searched, "provider")

    assert booked.cost_missing == ("web_search", "maps", "service_tier:scale")
    assert booked.cost_nano_usd == 30_000
    assert (unknown.cost_nano_usd, unknown.cost_missing) == (None, ("price",))


def test_what_the_provider_says_it_charged_wins_and_ours_stays_beside_it(meter: Meter) -> None:
    told = TokenUsage(10, 5, billing=BillingFacts(counts={"web_search": 1}, cost_nano_usd=10_030_000))

    priced = meter.record(1, "alpha", None, "m", "ok", 200, 5.0, told, "provider")
    unpriced = meter.record(1, "beta", None, "m", "ok", 200, 5.0, told, "provider")

    assert (priced.cost_nano_usd, priced.computed_nano_usd, priced.cost_missing) == (10_030_000, 30_000, ())
    assert (unpriced.cost_nano_usd, unpriced.computed_nano_usd, unpriced.cost_missing) == (10_030_000, None, ())


def test_tools_and_calls_in_the_history_count_as_input(meter: Meter) -> None:
    plain = a_chat_payload().value
    tooled = a_chat_payload(
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "hi"}]},
            {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f" * 40}}]},
        ],
        tools=[{"type": "function", "function": {"name": "g" * 40, "description": "d" * 80}}],
    ).value
    assert meter.input_tokens(tooled) > meter.input_tokens(plain) + 30


@pytest.mark.parametrize(("tokens", "count"), [([1, 2, 3], 3), ([[1, 2], [3]], 3), (["xxxxxxxx"], 2)])
def test_a_prompt_of_token_ids_is_counted_by_them(meter: Meter, tokens: Any, count: int) -> None:
    assert meter.input_tokens(EmbeddingRequest(model="m", input=tokens)) == count
    assert meter.input_tokens(CompletionRequest(model="m", prompt=tokens)) == count


class WatchedCounter(LengthTokenCounter):
    def __init__(self) -> None:
        self.prepared = 0

    @override
    def prepare(self) -> None:
        self.prepared += 1


def test_a_vocabulary_is_worth_having_only_where_a_whole_answer_came_without_usage() -> None:
    counter = WatchedCounter()
    meter = Meter(FixedPriceBook([PRICE]), counter)
    meter.answered(REQUEST, TokenUsage(7, 9), "whatever")
    meter.answered(REQUEST, None, "cut", complete=False)
    meter.unanswered(REQUEST, None)
    assert counter.prepared == 0
    meter.answered(REQUEST, None, "whole")
    assert counter.prepared == 1
