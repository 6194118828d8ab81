"""The catalog says what the library that it was taken from says (R-17)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

import msgspec
import pytest
from genai_prices.types import ModelInfo, ModelPrice, Provider, TieredPrices

from adapters.prices.catalog import GenaiPricesCatalog
from adapters.prices.providers import CATALOG_NAMES
from adapters.prices.published import ANTHROPICS_HOUR, EDITION, IN_REGION, KEYS, variant_name
from domain.ports.prices import CatalogPrice
from domain.prices import Prices, Rates
from tests.builders import NOW
from tests.unit.adapters.prices.extract import FILE, alternatives, extracted, library, render

PRESETS = {name: preset for preset, name in CATALOG_NAMES.items()}


def known() -> dict[str, Provider]:
    """The library's providers that a preset stands for."""
    return {name: provider for name, provider in library().items() if name in PRESETS}


def of_library(model: ModelInfo, at: datetime) -> Prices | None:
    """What the library lists, with the variants that hold at the moment."""
    base = extracted(model, model.get_prices(at))
    if base is None:
        return None
    held = [each for each in model.price_variants or () if each.constraint is None or each.constraint.active(at)]
    variants = [{"when": variant_name(each.when)} | (extracted(model, each.prices) or {}) for each in held]
    return msgspec.convert(base | {"variants": variants}, Prices)


MOMENTS = (
    datetime(2024, 6, 1, tzinfo=UTC),
    datetime(2026, 8, 17, 3, 59, tzinfo=UTC),
    datetime(2026, 9, 9, 23, 59, 59, tzinfo=UTC),
    datetime(2026, 11, 21, 0, 29, tzinfo=UTC),
    datetime(2026, 11, 21, 7, 30, tzinfo=UTC),
    datetime(2026, 11, 21, 16, 30, tzinfo=UTC),
)
OTHER_NAMES = (
    "no-such-model",
    "gpt-5.2-20251211",
    "gpt-4o-20251340",
    "GPT-4o",
    "claude",
    "llama",
    ":free",
    "",
    "ü" * 600,
)


def own_rules_apart(price: CatalogPrice | None) -> Prices | None:
    """Without the variants that Anthropic's rule for regions adds."""
    if price is None:
        return None
    listed = tuple(each for each in price.prices.variants if IN_REGION not in each.when)
    return msgspec.structs.replace(price.prices, variants=listed)


@pytest.fixture(scope="module")
def catalog() -> GenaiPricesCatalog:
    made = GenaiPricesCatalog()
    made.load()
    return made


def names(model: ModelInfo) -> Iterator[str]:
    """The model's id and every text its rules are made of, alone and as part of a longer name."""
    todo: list[object] = [model.match]
    yield model.id
    while todo:
        clause = todo.pop()
        for text in vars(clause).values():
            if isinstance(text, list):
                todo += text
            else:
                yield from (text, text.upper(), f"{text}-x", f"x/{text}:free")


@pytest.mark.slow
def test_the_file_is_in_step_with_the_library() -> None:
    assert FILE.read_text(encoding="utf-8") == render(), "src/adapters/prices/catalog.json: run .ci/prices"


@pytest.mark.slow
def test_every_model_and_every_rule_finds_what_the_library_finds(catalog: GenaiPricesCatalog) -> None:
    asked = 0
    for name, provider in known().items():
        for ref in {ref for model in provider.models for ref in names(model)} | set(OTHER_NAMES):
            found = provider.find_model(ref)
            at = MOMENTS[asked % len(MOMENTS)]
            expected = of_library(found, at) if found is not None else None
            price = catalog.find(PRESETS[name], ref, at).price
            assert own_rules_apart(price) == expected, (name, ref, at)
            asked += 1
    assert asked > 5000


def test_prices_that_change_by_date_or_hour_are_the_librarys_at_every_moment(catalog: GenaiPricesCatalog) -> None:
    changing = [
        (name, model)
        for name, provider in known().items()
        for model in provider.models
        if not isinstance(model.prices, ModelPrice)
    ]
    for name, model in changing:
        found = known()[name].find_model(model.id)
        if found is None:
            continue
        for at in MOMENTS:
            price = catalog.find(PRESETS[name], model.id, at).price
            assert own_rules_apart(price) == of_library(found, at), (name, model.id, at)
    assert len(changing) > 20


def test_an_answer_holds_until_it_says_and_not_longer(catalog: GenaiPricesCatalog) -> None:
    """DeepSeek charges by the hour: twice as much from 01:00 to 04:00 and from 06:00 to 10:00 UTC."""

    def price(at: datetime) -> CatalogPrice | None:
        return catalog.find("deepseek", "deepseek-v4-flash", at).price

    at, changes = NOW, []
    for _ in range(4):
        until = catalog.find("deepseek", "deepseek-v4-flash", at).until
        assert until is not None
        assert price(until - timedelta(seconds=1)) == price(at)
        assert price(until) != price(at)
        changes.append(until)
        at = until
    assert [change.strftime("%d %H:%M") for change in changes] == ["22 01:00", "22 04:00", "22 06:00", "22 10:00"]
    assert catalog.find("openai", "gpt-4o", NOW).until is None


def test_what_the_catalog_does_not_know_has_no_price(catalog: GenaiPricesCatalog) -> None:
    assert catalog.find("openai", "no-such-model", NOW).price is None
    assert catalog.find("cerebras", "qwen-3-coder-480b", NOW).price is None, "listed without a price"
    for local in ("ollama", "vllm", "lmstudio", "llamacpp", "simulated", "custom", "nobody"):
        assert catalog.find(local, "gpt-4o", NOW).price is None


def test_a_price_of_zero_is_a_price(catalog: GenaiPricesCatalog) -> None:
    price = catalog.find("openrouter", "deepseek/deepseek-r1:free", NOW).price
    assert price is not None
    assert price.prices == Prices(0, 0)


def test_above_a_threshold_the_whole_request_costs_the_tier(catalog: GenaiPricesCatalog) -> None:
    price = catalog.find("gemini", "gemini-2.5-pro", NOW).price
    assert price is not None
    assert price.prices.for_call(200_000).input == 1_250_000_000
    assert price.prices.for_call(200_001).input == 2_500_000_000


def test_what_is_not_sold_by_the_token_has_its_price(catalog: GenaiPricesCatalog) -> None:
    whisper = catalog.find("groq", "whisper-large-v3", NOW).price
    assert whisper is not None
    assert whisper.prices.input is None
    assert whisper.prices.units["second"]["input"] == 30_833_333_333, "0.111 USD an hour"
    searching = catalog.find("anthropic", "claude-opus-4-6", NOW).price
    assert searching is not None
    assert searching.prices.fees == {"web_search": 10_000_000_000_000}, "0.01 USD each"


def test_what_is_kept_in_anthropics_region_costs_a_tenth_more(catalog: GenaiPricesCatalog) -> None:
    price = catalog.find("anthropic", "claude-opus-4-8", NOW).price
    assert price is not None
    for terms, listed in (((), 5_000_000_000), (("speed:fast",), 10_000_000_000), (("batch",), 2_500_000_000)):
        assert price.prices.for_call(10, terms).input == listed
        assert price.prices.for_call(10, (*terms, IN_REGION)).input == listed * 11 // 10
    long = catalog.find("anthropic", "claude-haiku-5-5", NOW).price
    assert long is not None
    assert long.prices.for_call(150_000, (IN_REGION,)).input == 550_000_000
    elsewhere = catalog.find("vertex", "claude-opus-4-8", NOW).price
    assert elsewhere is not None
    assert not any(IN_REGION in variant.when for variant in elsewhere.prices.variants)


def test_no_tier_variant_or_meter_of_the_library_is_dropped() -> None:
    """Counted in the file itself, for every provider, model and alternative there is."""
    in_file = msgspec.json.decode(FILE.read_bytes())["providers"]
    tiered = searching = variants = 0
    for name, provider in library().items():
        assert len(in_file[name]) == len(provider.models)
        for model, written in zip(provider.models, in_file[name], strict=True):
            for each, kept in zip(alternatives(model), written["prices"], strict=True):
                assert_kept(each.prices, kept["prices"])
            listed = [each for each in written.get("variants", ()) if IN_REGION not in each["prices"]["when"]]
            for variant, kept in zip(model.price_variants or (), listed, strict=True):
                assert kept["prices"]["when"] == variant_name(variant.when)
                assert_kept(variant.prices, kept["prices"])
            of_model = [each["prices"] or {} for each in written["prices"]]
            tiered += any("tiers" in each for each in of_model)
            searching += sum("web_search" in each.get("fees", {}) for each in of_model)
            variants += bool(listed)
    assert (tiered, variants, searching) == (151, 111, 106)


def assert_kept(prices: ModelPrice, kept: dict[str, Any] | None) -> None:
    """As many prices, and as many tiers of each, as there are; no meter is used that there is no place for."""
    given = {key: price for key, price in prices.__dict__.items() if price is not None}
    assert given.keys() <= KEYS
    kept = kept or {}
    own_rule = 0 if "cache_write_1h_mtok" in given else "cache_write_1h" in kept
    assert numbers(kept) - own_rule == len(given) or not given
    tiers = sum(len(price.tiers) for price in given.values() if isinstance(price, TieredPrices))
    by_rule = sum("cache_write_1h" in tier for tier in kept.get("tiers", ())) if own_rule else 0
    assert sum(numbers(tier) for tier in kept.get("tiers", ())) - by_rule == tiers


def numbers(rates: dict[str, Any]) -> int:
    """How many prices there are in rates, those of their tiers left out."""
    plain = sum(name in Rates.__struct_fields__ and type(price) is int for name, price in rates.items())
    return plain + len(rates.get("fees", ())) + sum(map(len, rates.get("units", {}).values()))


@pytest.mark.parametrize(
    ("preset", "model"),
    [
        ("anthropic", "claude-sonnet-4-5"),
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("vertex", "claude-opus-4-6"),
        ("openrouter", "anthropic/claude-sonnet-4.5"),
    ],
)
def test_an_hour_in_claudes_cache_costs_twice_the_input(catalog: GenaiPricesCatalog, preset: str, model: str) -> None:
    price = catalog.find(preset, model, NOW).price

    assert price is not None
    assert price.prices.cache_write is not None
    assert price.prices.input is not None
    assert price.prices.of("cache_write_1h") == 2 * price.prices.input > price.prices.cache_write


def test_the_library_prices_an_hour_in_the_cache_as_anthropic_does() -> None:
    """If this fails, its prices and Anthropic's rule have parted: look which of them the others should have."""
    priced = [
        found
        for provider in library().values()
        for model in provider.models
        for alternative in alternatives(model)
        if alternative.prices.cache_write_1h_mtok is not None
        and (found := extracted(model, alternative.prices)) is not None
    ]

    assert len(priced) > 70
    assert all(found["cache_write_1h"] == ANTHROPICS_HOUR * found["input"] for found in priced)


def test_the_source_names_the_librarys_version_and_how_it_was_taken(catalog: GenaiPricesCatalog) -> None:
    assert catalog.source == f"genai-prices {version('genai-prices')}+{EDITION}"
