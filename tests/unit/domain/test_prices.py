"""Costs are exact integers, equal to a slow reference (P-08, R-17)."""

from decimal import ROUND_HALF_UP, Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import nano_usd_per_million, usd
from domain.prices import Prices, cost_nano_usd
from domain.usage import TokenUsage

tokens = st.integers(min_value=0, max_value=3_000_000)
price = st.integers(min_value=0, max_value=200 * 10**9)


@pytest.mark.parametrize(
    ("nano", "text"),
    [(0, "0.00"), (1, "0.000000001"), (1_500_000_000, "1.50"), (123_456, "0.000123456"), (-20_000_000, "-0.02")],
)
def test_money_is_written_as_a_plain_decimal(nano: int, text: str) -> None:
    assert usd(nano) == text


@given(st.integers(min_value=-(10**18), max_value=10**18))
def test_written_money_reads_back_to_the_same_amount(nano: int) -> None:
    assert int(Decimal(usd(nano)) * 10**9) == nano


def test_a_price_as_written_is_kept_exactly() -> None:
    assert nano_usd_per_million("0.0375") == 37_500_000
    assert nano_usd_per_million("15") == 15_000_000_000


@pytest.mark.parametrize("text", ["", "x", "-1", "NaN", "Infinity", "1e9", "0.0000000001"])
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="'"):
        nano_usd_per_million(text)


def test_cached_and_reasoning_tokens_cost_their_own_price_once() -> None:
    prices = Prices(input=1_000_000_000, output=4_000_000_000, cache_read=100_000_000)
    usage = TokenUsage(input_tokens=1000, output_tokens=100, cache_read_tokens=600, reasoning_tokens=50)
    assert cost_nano_usd(usage, prices) == 400 * 1000 + 600 * 100 + 100 * 4000


def test_what_is_cached_for_an_hour_costs_its_own_price_or_what_five_minutes_do() -> None:
    usage = TokenUsage(1000, cache_write_tokens=700, cache_write_1h_tokens=400)
    five_minutes = Prices(3_000_000_000, 15_000_000_000, cache_write=3_750_000_000)
    an_hour = msgspec.structs.replace(five_minutes, cache_write_1h=6_000_000_000)

    assert cost_nano_usd(usage, an_hour) == 300 * 3_000 + 300 * 3_750 + 400 * 6_000
    assert cost_nano_usd(usage, five_minutes) == 300 * 3_000 + 700 * 3_750
    prices = [each.of("cache_write_1h") for each in (an_hour, five_minutes, Prices(5, 7))]
    assert prices == [6_000_000_000, 3_750_000_000, 5]


@given(tokens, tokens, tokens, price, price, st.none() | price, st.none() | price)
def test_the_cost_of_what_was_cached_equals_a_slow_reference(
    fresh: int, for_minutes: int, for_an_hour: int, p_out: int, p_in: int, p_minutes: int | None, p_hour: int | None
) -> None:
    written = for_minutes + for_an_hour
    usage = TokenUsage(fresh + written, 0, cache_write_tokens=written, cache_write_1h_tokens=for_an_hour)
    minutes = p_in if p_minutes is None else p_minutes
    exact = Decimal(fresh * p_in + for_minutes * minutes + for_an_hour * (minutes if p_hour is None else p_hour))
    reference = int((exact / 10**6).to_integral_value(rounding=ROUND_HALF_UP))
    assert cost_nano_usd(usage, Prices(p_in, p_out, cache_write=p_minutes, cache_write_1h=p_hour)) == reference


@given(tokens, tokens, tokens, tokens, price, price, st.none() | price, st.none() | price)
def test_cost_equals_a_slow_reference(  # the parts as a share of the whole, so that both are consistent
    input_tokens: int,
    cached: int,
    output_tokens: int,
    reasoning: int,
    p_in: int,
    p_out: int,
    p_cache: int | None,
    p_reason: int | None,
) -> None:
    cached, reasoning = min(cached, input_tokens), min(reasoning, output_tokens)
    usage = TokenUsage(input_tokens, output_tokens, cached, 0, reasoning)
    exact = (
        Decimal(input_tokens - cached) * p_in
        + Decimal(cached) * (p_in if p_cache is None else p_cache)
        + Decimal(output_tokens - reasoning) * p_out
        + Decimal(reasoning) * (p_out if p_reason is None else p_reason)
    ) / 10**6
    reference = int(exact.to_integral_value(rounding=ROUND_HALF_UP))
    assert cost_nano_usd(usage, Prices(p_in, p_out, cache_read=p_cache, reasoning=p_reason)) == reference
