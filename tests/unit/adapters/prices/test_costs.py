"""Any usage costs what the library says, at any tier, variant and moment (P-08, R-17)."""

import random
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import msgspec
import pytest
from genai_prices.data_units import unit_data
from genai_prices.types import ModelInfo, Provider, Usage

from adapters.prices.catalog import GenaiPricesCatalog
from adapters.prices.published import FEES, variant_name
from adapters.prices.published import METERS as KEYS
from domain.prices import Prices, Rates, cost_of
from domain.usage import TOKEN_COUNTS, BillingFacts, TokenUsage
from tests.builders import NOW
from tests.unit.adapters.prices.extract import library
from tests.unit.adapters.prices.test_catalog import MOMENTS, PRESETS

WHEN = (*MOMENTS, NOW, datetime.fromisoformat("2027-01-02T00:00:00+00:00"))

USAGE_KEYS = {unit["price_key"]: name for name, unit in unit_data.items()}

Case = tuple[Provider, ModelInfo, dict[str, str]]


def every_price() -> list[Case]:
    """Provider, model, and each variant of it, the standard one first."""
    return [
        (provider, model, context)
        for name, provider in library().items()
        if name in PRESETS
        for model in provider.models
        if provider.find_model(model.id) is model
        for context in ({}, *(each.when for each in model.price_variants or ()))
    ]


def flat(rates: Rates) -> Prices:
    """What holds for one call, as prices that hold for any."""
    return Prices(*(getattr(rates, name) for name in Rates.__struct_fields__))


def thresholds(prices: Prices) -> list[int]:
    return [tier.above_input_tokens for tiers in (prices.tiers, *(v.tiers for v in prices.variants)) for tier in tiers]


def some_usage(chance: random.Random, input_tokens: int) -> tuple[TokenUsage, dict[str, int]]:
    """A consistent usage with so much input: ours, and its counts as the library names them."""
    output_tokens = chance.choice([0, 1, chance.randrange(200_000)])
    left_in, left_out = input_tokens, output_tokens
    counts = {"input": input_tokens, "output": output_tokens}

    def part(of: int) -> int:
        return chance.choice([0, 0, of, chance.randint(0, of)])

    for meter in ("cache_read", "cache_write", "audio_input", "image", "video_input"):
        counts[meter] = part(left_in)
        left_in -= counts[meter]
    counts["cache_write_1h"] = part(counts["cache_write"])
    for meter, modality in (("audio_cache_read", "audio_input"), ("image_cache_read", "image")):
        cached = chance.randint(0, left_in) if chance.random() < 0.2 else 0
        left_in -= cached
        counts[meter] = cached  # a part of both: of what was read, and of what was heard or seen
        counts[modality] += cached
        counts["cache_read"] += cached
    for meter in ("reasoning", "audio_output", "image_output", "video_output", "citation"):
        counts[meter] = part(left_out)
        left_out -= counts[meter]
    calls = {fee: chance.choice([0, 0, chance.randint(1, 9)]) for fee in FEES}
    pages, characters = chance.randint(0, 5), chance.randint(0, 5000)
    seconds = chance.choice([0, chance.randint(10, 7200)])  # Groq bills at least ten: that is for who reads them
    units = {"page": pages, "page:annotated": chance.randint(0, 5), "character": characters}
    units["second:input"] = seconds * 1000
    own = {f"{meter}_tokens": count for meter, count in counts.items() if f"{meter}_tokens" in TOKEN_COUNTS}
    further = {meter: count for meter, count in counts.items() if f"{meter}_tokens" not in TOKEN_COUNTS}
    usage = TokenUsage(**own, billing=BillingFacts(counts=further | calls, units=units))
    theirs = {USAGE_KEYS[KEYS[meter]]: count for meter, count in counts.items()}
    theirs |= {USAGE_KEYS[FEES[fee]]: count for fee, count in calls.items()}
    theirs |= {
        "input_document_pages": pages + units["page:annotated"],
        "input_annotated_document_pages": units["page:annotated"],
        "input_characters": characters,
        "audio_seconds": seconds,
        "input_audio_seconds": seconds,
    }
    return usage, theirs


def cases(seed: int, count: int, catalog: GenaiPricesCatalog) -> Iterator[tuple[Case, datetime, Prices, int]]:
    """Random prices at random moments, each on both sides of each of its thresholds."""
    chance, prices = random.Random(seed), every_price()
    made = 0
    while made < count:
        case, at = chance.choice(prices), chance.choice(WHEN)
        answer = catalog.find(PRESETS[case[0].id], case[1].id, at).price
        if answer is None:
            continue
        around = {above + step for above in thresholds(answer.prices) for step in (0, 1)}
        for input_tokens in (chance.randrange(300_000), *sorted(around)):
            yield case, at, answer.prices, input_tokens
            made += 1


@pytest.mark.parametrize("count", [150, pytest.param(10_000, marks=pytest.mark.slow)])
def test_a_usage_costs_what_the_library_says(count: int) -> None:
    catalog, chance = GenaiPricesCatalog(), random.Random(count)
    for (provider, model, context), at, prices, input_tokens in cases(count, count, catalog):
        usage, theirs = some_usage(chance, input_tokens)
        rates = prices.for_call(input_tokens, (variant_name(context),) if context else ())
        listed = model.get_prices(at, context)
        if listed.cache_write_1h_mtok is None:  # by Anthropic's rule, which the library does not have everywhere
            usage = msgspec.structs.replace(usage, cache_write_1h_tokens=0)
            theirs["cache_write_1h_tokens"] = 0

        own = cost_of(usage, flat(rates))
        right = model.calc_price(Usage(**theirs), provider, genai_request_timestamp=at, price_context=context)

        exact = right.total_price * 10**9
        rounding = Decimal("0.5") + Decimal(sum(theirs.values())) / 2_000_000 + 2  # of the prices themselves
        assert abs(own.nano_usd - exact) <= rounding, (provider.id, model.id, context, at, usage)
