"""The published file is read as the library's own objects are, field by field, and what stands in it can be listed."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.prices.catalog import GenaiPricesCatalog
from adapters.prices.format import GenaiPricesFormat
from domain.errors import RequestInvalid
from domain.prices import Prices
from tests.unit.adapters.prices.extract import FILE, published_form

AT = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
FORMAT = GenaiPricesFormat()

OPUS: dict[str, Any] = {  # as published, of two of its alternatives the first has tiers
    "id": "claude-opus-4-6",
    "name": "Claude Opus 4.6",
    "match": {"or": [{"starts_with": "claude-opus-4-6"}, {"starts_with": "claude-opus-4.6"}]},
    "prices": [
        {
            "prices": {
                "input_mtok": {"base": 5, "tiers": [{"start": 200000, "price": 10}]},
                "output_mtok": {"base": 25, "tiers": [{"start": 200000, "price": 37.5}]},
                "web_searches_kcount": 10,
            }
        },
        {"constraint": {"start_date": "2026-03-13"}, "prices": {"input_mtok": 5, "output_mtok": 25}},
    ],
}
SONNET: dict[str, Any] = {
    "id": "some-model",
    "match": {"equals": "Some-Model"},
    "prices": {"input_mtok": 0.8, "output_mtok": 4, "sold_by_the_moon_mtok": 1},
    "price_variants": [{"when": {"processing": "batch"}, "prices": {"input_mtok": 0.4}}],
}


def published(*models: object, provider: str = "openai") -> bytes:
    return json.dumps([{"id": provider, "name": "P", "models": list(models)}]).encode()


def test_a_published_file_is_asked_like_the_releases() -> None:
    made = FORMAT.convert(published(SONNET), "2026-11-30.ab+4")

    catalog = FORMAT.open(made.content)
    answer = catalog.find("openai", "some-model", AT)
    assert catalog.source == "genai-prices 2026-11-30.ab+4"
    assert answer.price is not None
    assert (answer.price.prices.input, answer.price.prices.output) == (800_000_000, 4_000_000_000)
    assert [(each.when, each.input) for each in answer.price.prices.variants] == [("batch", 400_000_000)]
    assert catalog.find("openai", "another", AT).price is None
    assert catalog.find("xai", "grok", AT).price is None


def test_tiers_fees_and_dates_of_a_published_file_hold() -> None:
    catalog = FORMAT.open(FORMAT.convert(published(OPUS), "1+4").content)

    before = catalog.find("openai", "claude-opus-4-6", datetime(2026, 1, 1, tzinfo=UTC)).price
    after = catalog.find("openai", "claude-opus-4-6", AT).price
    assert before is not None
    assert before.prices.for_call(200_001).input == 10_000_000_000
    assert before.prices.fees == {"web_search": 10 * 10**9 // 1000 * 10**6}
    assert after is not None
    assert after.prices == Prices(5_000_000_000, 25_000_000_000)


def test_a_model_that_cannot_be_read_is_named_and_the_rest_holds() -> None:
    odd = [
        {"id": "no-match", "prices": {"input_mtok": 1}},
        {"id": "new-clause", "match": {"sounds_like": "x"}, "prices": {"input_mtok": 1}},
        {"id": "negative", "match": {"equals": "n"}, "prices": {"input_mtok": -1}},
        {"id": "words", "match": {"equals": "w"}, "prices": {"input_mtok": "cheap"}},
        "no object",
    ]

    made = FORMAT.convert(published(SONNET, *odd), "1+4")

    assert made.models == 1
    assert made.skipped == (
        "openai/no-match",
        "openai/new-clause",
        "openai/negative",
        "openai/words",
        "openai/no object",
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html>", "This is no price catalog"),
        (b"7", "it is no list of providers"),
        (b"[7]", "a provider has no models"),
        (b"[]", "no model in this price catalog"),
        (published({"id": "x"}), "no model in this price catalog"),
        (b'{"providers": {"openai": [{"match": 7}]}}', "This is no price catalog"),
    ],
)
def test_what_is_no_catalog_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(RequestInvalid) as refused:
        FORMAT.convert(content, "1+4")

    assert words in refused.value.message


def test_the_catalog_of_another_release_is_taken_as_it_is() -> None:
    content = b'{"version": "9+4", "license": "MIT", "providers": {"openai": [' + (
        b'{"match": {"equals": "m"}, "prices": [{"prices": {"input": 1, "output": 2}}]}]}}'
    )

    made = FORMAT.convert(content, "2026-11-30.ab+4")

    answer = FORMAT.open(made.content).find("openai", "m", AT)
    assert answer.price is not None
    assert answer.price.prices == Prices(1, 2)
    assert FORMAT.open(made.content).source.endswith(" 2026-11-30.ab+4")


def test_every_price_is_listed_by_its_path_in_usd() -> None:
    listed = FORMAT.listed(FORMAT.convert(published(OPUS, SONNET), "1+4").content)

    assert [(each.provider, each.model, each.presets) for each in listed] == [
        ("openai", "claude-opus-4-6…", ("openai",)),
        ("openai", "some-model", ("openai",)),
    ]
    assert dict(listed[0].prices) == {
        "input": "5.00",
        "output": "25.00",
        "fees.web_search": "0.01",
        "tiers.200000.input": "10.00",
        "tiers.200000.output": "37.50",
        "since 2026-03-13 input": "5.00",
        "since 2026-03-13 output": "25.00",
    }
    assert listed[1].prices["variants.batch.input"] == "0.40"


def test_the_releases_own_catalog_is_listed_whole() -> None:
    listed = FORMAT.listed(None)

    assert len(listed) == sum(map(len, json.loads(FILE.read_text(), parse_float=Decimal)["providers"].values()))
    assert len({(each.provider, each.model) for each in listed}) == len(listed)
    assert GenaiPricesCatalog().source == f"genai-prices {FORMAT.release_version()}"


@pytest.mark.slow
def test_the_librarys_own_file_becomes_the_releases_catalog() -> None:
    content = json.dumps(published_form(), default=float).encode()

    made = FORMAT.convert(content, FORMAT.release_version())

    assert made.skipped == ()
    assert json.loads(made.content)["providers"] == json.loads(FILE.read_text())["providers"]
