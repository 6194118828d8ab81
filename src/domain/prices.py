"""Prices and the one calculation of what a call cost (P-08)."""

from datetime import UTC, datetime

import msgspec

from domain.money import usd
from domain.usage import TokenUsage

_TOKENS_PER_PRICE = 1_000_000

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
"""The start of a price of which nobody knows since when it holds."""

ADMIN = "admin"
"""The source of prices that were set here."""


class Prices(msgspec.Struct, frozen=True, omit_defaults=True):
    """Nano-USD per million tokens. A meter of None costs what its main meter (input or output) costs.

    `cache_write_1h`, of what is kept for an hour, is a part of `cache_write`: of None, it costs what that does.
    """

    input: int
    output: int
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None
    image: int | None = None  # image tokens of the input
    cache_write_1h: int | None = None

    def in_usd(self) -> dict[str, str]:
        """By meter, in USD per million tokens; meters without a price of their own are left out."""
        return {name: usd(price) for name in self.__struct_fields__ if (price := getattr(self, name)) is not None}

    def of(self, meter: str) -> int:
        """What a meter's tokens cost, its own price or its main meter's."""
        price: int | None = getattr(self, meter)
        if price is not None:
            return price
        if meter == "cache_write_1h":
            return self.of("cache_write")
        return self.output if meter in _OUTPUT_METERS else self.input


_OUTPUT_METERS = frozenset({"reasoning", "audio_output"})


class PriceRow(msgspec.Struct, frozen=True):
    """One price of one model, for a stretch of time. Superseded, never changed (R-17)."""

    id: str  # `price_…`
    provider_id: str
    model: str
    prices: Prices
    source: str  # `admin`, or the catalog it was taken from with its version
    effective_from: datetime
    superseded_at: datetime | None = None


def cost_nano_usd(usage: TokenUsage, prices: Prices) -> int:
    """What a call cost, rounded half up to a nano-USD, once.

    `input_tokens` includes cached, audio and image tokens and `output_tokens` includes reasoning and audio,
    as OpenAI counts; a part without a price of its own costs what the whole does. A provider that reports
    more in the parts than in the whole is charged for the parts.
    """
    for_an_hour = usage.cache_write_1h_tokens
    parts_in: tuple[tuple[int, int | None], ...] = (
        (usage.cache_read_tokens, prices.cache_read),
        (usage.cache_write_tokens - for_an_hour, prices.cache_write),
        (usage.audio_input_tokens, prices.audio_input),
        (usage.image_tokens, prices.image),
    )
    if for_an_hour:
        parts_in += ((for_an_hour, prices.cache_write if prices.cache_write_1h is None else prices.cache_write_1h),)
    parts_out = ((usage.reasoning_tokens, prices.reasoning), (usage.audio_output_tokens, prices.audio_output))
    total = _metered(usage.input_tokens, prices.input, parts_in) + _metered(
        usage.output_tokens, prices.output, parts_out
    )
    return (total + _TOKENS_PER_PRICE // 2) // _TOKENS_PER_PRICE


def _metered(whole: int, price: int, parts: tuple[tuple[int, int | None], ...]) -> int:
    own = [(tokens, part_price) for tokens, part_price in parts if part_price is not None and tokens > 0]
    rest = max(whole - sum(tokens for tokens, _ in own), 0)
    return rest * price + sum(tokens * part_price for tokens, part_price in own)
