"""Prices and the one calculation of what a call cost (P-08)."""

from datetime import datetime

import msgspec

from domain.usage import TokenUsage

_TOKENS_PER_PRICE = 1_000_000


class Prices(msgspec.Struct, frozen=True, omit_defaults=True):
    """Nano-USD per million tokens. A meter of None costs what its main meter (input or output) costs."""

    input: int
    output: int
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None
    image: int | None = None  # image tokens of the input


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
    parts_in = (
        (usage.cache_read_tokens, prices.cache_read),
        (usage.cache_write_tokens, prices.cache_write),
        (usage.audio_input_tokens, prices.audio_input),
        (usage.image_tokens, prices.image),
    )
    parts_out = ((usage.reasoning_tokens, prices.reasoning), (usage.audio_output_tokens, prices.audio_output))
    total = _metered(usage.input_tokens, prices.input, parts_in) + _metered(
        usage.output_tokens, prices.output, parts_out
    )
    return (total + _TOKENS_PER_PRICE // 2) // _TOKENS_PER_PRICE


def _metered(whole: int, price: int, parts: tuple[tuple[int, int | None], ...]) -> int:
    own = [(tokens, part_price) for tokens, part_price in parts if part_price is not None and tokens > 0]
    rest = max(whole - sum(tokens for tokens, _ in own), 0)
    return rest * price + sum(tokens * part_price for tokens, part_price in own)
