"""What providers report, to the nano-USD: every payload of `tests/wire/usage` (R-17, P-08).

Each case holds the usage object (or the stream's chunk) as its provider writes it, the tokens it means in OpenAI's way
of counting, prices in USD per million tokens, and the bill: which tokens cost which price, worked out by hand.
"""

from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from adapters.dialects.anthropic.usage import Usage
from adapters.dialects.bedrock.answer_facts import ConverseUsage
from adapters.dialects.openai.call import CallFacts
from adapters.dialects.openai.stream import ChatStreamDecoder
from adapters.dialects.openai.usage import read_usage
from adapters.providers.registry import ENTRIES
from adapters.tokens.length import LengthTokenCounter
from application.metering import Meter
from domain.money import nano_usd_per_million, usd
from domain.prices import ADMIN, PriceRow, Prices
from domain.usage import TokenUsage
from tests.builders import NOW
from tests.fakes.fixed_prices import FixedPriceBook

FOLDER = Path(__file__).parents[1] / "wire" / "usage"
QUIRKS = {entry.preset.id: entry.quirks for entry in ENTRIES}
OWN_FORMATS: dict[str, Callable[[bytes], TokenUsage | None]] = {
    "anthropic": lambda usage: msgspec.json.decode(usage, type=Usage).tokens(),
    "bedrock": lambda usage: msgspec.json.decode(usage, type=ConverseUsage).counted(),
    "vertex": lambda usage: msgspec.json.decode(usage, type=Usage).tokens(),
}
"""Of those that do not speak OpenAI's."""


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    tokens: dict[str, int]  # by meter
    prices: dict[str, str]
    bill: list[tuple[str, int, str]]  # meter, tokens, USD per million
    cost_usd: str
    usage: msgspec.Raw | UnsetType = UNSET
    chunk: msgspec.Raw | UnsetType = UNSET


class Cases(msgspec.Struct, frozen=True):
    provider: str
    cases: list[Case]


def every_case() -> Iterator[tuple[str, Case]]:
    for path in sorted(FOLDER.glob("*.json")):
        found = msgspec.json.decode(path.read_bytes(), type=Cases)
        yield from ((found.provider, case) for case in found.cases)


CASES = list(every_case())
each_case = pytest.mark.parametrize(
    ("provider", "case"), [pytest.param(*found, id=f"{found[0]}: {found[1].name}") for found in CASES]
)


def reported(provider: str, case: Case) -> TokenUsage | None:
    """The usage as the gateway reads it, from a plain answer or from a stream."""
    if provider in OWN_FORMATS:
        assert case.usage is not UNSET
        return OWN_FORMATS[provider](bytes(case.usage))
    quirks = QUIRKS[provider]
    if case.usage is not UNSET:
        read = read_usage(bytes(case.usage), completion_excludes_reasoning=quirks.completion_excludes_reasoning)
        return read.tokens if read is not None else None
    assert case.chunk is not UNSET
    decoder = ChatStreamDecoder(CallFacts(quirks, "m", None, lambda: 0.0), include_usage=False)
    decoder.feed(b'data: {"id":"1","choices":[{"index":0,"delta":{"role":"assistant","content":"a"}}]}\n\n')
    decoder.feed(b"data: " + bytes(case.chunk) + b"\n\ndata: [DONE]\n\n")
    assert decoder.done
    return decoder.usage


def expected(case: Case) -> TokenUsage:
    names = {meter: f"{meter}_tokens" for meter in case.tokens}
    return TokenUsage(**{names[meter]: count for meter, count in case.tokens.items()})


@each_case
def test_the_usage_is_read_as_the_provider_means_it(provider: str, case: Case) -> None:
    assert reported(provider, case) == expected(case)


@each_case
def test_the_cost_is_exact_to_the_nano_usd(provider: str, case: Case) -> None:
    prices = Prices(**{meter: nano_usd_per_million(price) for meter, price in case.prices.items()})
    meter = Meter(FixedPriceBook([PriceRow("price_1", provider, "m", prices, ADMIN, NOW)]), LengthTokenCounter())

    attempt = meter.record(1, provider, None, "m", "ok", 200, 1.0, reported(provider, case), "provider")

    assert attempt.price_id == "price_1"
    assert attempt.cost_nano_usd is not None
    assert usd(attempt.cost_nano_usd) == case.cost_usd


@each_case
def test_the_bill_explains_the_cost(provider: str, case: Case) -> None:
    """The golden files themselves: a bill names each price as listed and adds up to the cost."""
    for meter, _, price in case.bill:
        assert case.prices[meter] == price
    exact = sum((tokens * Decimal(price) / 1_000_000 for _, tokens, price in case.bill), Decimal(0))
    assert exact.quantize(Decimal("1e-9"), ROUND_HALF_UP) == Decimal(case.cost_usd)


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 60
    assert len({provider for provider, _ in CASES}) >= 12
