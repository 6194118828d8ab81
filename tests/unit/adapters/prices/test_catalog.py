"""The catalog says what the library that it was taken from says (R-17)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

import pytest
from genai_prices.types import ModelInfo, ModelPrice

from adapters.prices.catalog import GenaiPricesCatalog
from adapters.prices.providers import CATALOG_NAMES
from domain.ports.prices import CatalogPrice
from domain.prices import Prices
from tests.builders import NOW
from tests.unit.adapters.prices.extract import (
    ANTHROPICS_HOUR,
    EDITION,
    FILE,
    alternatives,
    library,
    render,
    token_prices,
)

PRESETS = {name: preset for preset, name in CATALOG_NAMES.items()}
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


def test_the_file_is_in_step_with_the_library() -> None:
    assert FILE.read_text(encoding="utf-8") == render(), "src/adapters/prices/catalog.json: run .ci/prices"


def test_every_model_and_every_rule_finds_what_the_library_finds(catalog: GenaiPricesCatalog) -> None:
    asked = 0
    for name, provider in library().items():
        for ref in {ref for model in provider.models for ref in names(model)} | set(OTHER_NAMES):
            found = provider.find_model(ref)
            at = MOMENTS[asked % len(MOMENTS)]
            expected = token_prices(found, found.get_prices(at)) if found is not None else None
            price = catalog.find(PRESETS[name], ref, at).price
            assert (price.prices if price else None) == (Prices(**expected) if expected else None), (name, ref, at)
            asked += 1
    assert asked > 5000


def test_prices_that_change_by_date_or_hour_are_the_librarys_at_every_moment(catalog: GenaiPricesCatalog) -> None:
    changing = [
        (name, model)
        for name, provider in library().items()
        for model in provider.models
        if not isinstance(model.prices, ModelPrice)
    ]
    for name, model in changing:
        found = library()[name].find_model(model.id)
        if found is None:
            continue
        for at in MOMENTS:
            expected = token_prices(found, found.get_prices(at))
            price = catalog.find(PRESETS[name], model.id, at).price
            assert (price.prices if price else None) == (Prices(**expected) if expected else None), (name, model.id, at)
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
    assert catalog.find("groq", "whisper-large-v3", NOW).price is None, "charged by the hour"
    assert catalog.find("cerebras", "qwen-3-coder-480b", NOW).price is None, "listed without a price"
    for local in ("ollama", "vllm", "lmstudio", "llamacpp", "simulated", "custom", "nobody"):
        assert catalog.find(local, "gpt-4o", NOW).price is None


def test_a_price_of_zero_is_a_price(catalog: GenaiPricesCatalog) -> None:
    price = catalog.find("openrouter", "deepseek/deepseek-r1:free", NOW).price
    assert price is not None
    assert price.prices == Prices(0, 0)


def test_of_a_tiered_price_the_base_is_taken(catalog: GenaiPricesCatalog) -> None:
    price = catalog.find("gemini", "gemini-2.5-pro", NOW).price
    assert price is not None
    assert price.prices.input == 1_250_000_000


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
    assert price.prices.cache_write < price.prices.of("cache_write_1h") == 2 * price.prices.input


def test_the_library_prices_an_hour_in_the_cache_as_anthropic_does() -> None:
    """If this fails, its prices and Anthropic's rule have parted: look which of them the others should have."""
    known = [
        found
        for provider in library().values()
        for model in provider.models
        for alternative in alternatives(model)
        if alternative.prices.cache_write_1h_mtok is not None
        and (found := token_prices(model, alternative.prices)) is not None
    ]

    assert len(known) > 70
    assert all(found["cache_write_1h"] == ANTHROPICS_HOUR * found["input"] for found in known)


def test_the_source_names_the_librarys_version_and_how_it_was_taken(catalog: GenaiPricesCatalog) -> None:
    assert catalog.source == f"genai-prices {version('genai-prices')}+{EDITION}"
