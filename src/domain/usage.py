"""Tokens as providers report them, in OpenAI's way of counting, and what else an answer says of its bill."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

STANDARD_WORDS: Final = frozenset({"", "auto", "default", "standard", "on_demand", "global", "not_available"})
"""What providers call the terms that their list prices are for.

Sources: OpenAI's `default` and Anthropic's `standard` service tier, Groq's `on_demand`, Bedrock's `default`, Gemini's
`standard`; Anthropic's `inference_geo` of `global` or `not_available` (all read 2026-11).
"""


class BillingFacts(msgspec.Struct, frozen=True, array_like=True):
    """What an answer says, beside its tokens, that its price depends on: never what was asked for.

    `counts` are calls of hosted tools (`web_search`), and tokens by meter that `TokenUsage` has no count of. `units`
    are what is sold otherwise: `image:1024x1024/high`, `second` (counted in milliseconds), `character`, `page`,
    `search_unit`. `cost_nano_usd` is what the provider says it charged.
    Written to the spool as an array: new fields go last.
    """

    service_tier: str = ""
    speed: str = ""
    region: str = ""
    batch: bool = False
    counts: Mapping[str, int] = {}
    units: Mapping[str, int] = {}
    cost_nano_usd: int | None = None

    def plus(self, other: "BillingFacts | None") -> "BillingFacts":
        """Of two answers that are one: what is counted is added, of terms the later ones hold."""
        if other is None:
            return self
        costs = [cost for cost in (self.cost_nano_usd, other.cost_nano_usd) if cost is not None]
        return BillingFacts(
            other.service_tier or self.service_tier,
            other.speed or self.speed,
            other.region or self.region,
            batch=self.batch or other.batch,
            counts=_added(self.counts, other.counts),
            units=_added(self.units, other.units),
            cost_nano_usd=sum(costs) if costs else None,
        )

    def terms(self) -> tuple[str, ...]:
        """The names of the price variants that these terms choose, standard ones left out."""
        named = (("service_tier", self.service_tier), ("speed", self.speed), ("region", self.region))
        found = [f"{name}:{word}" for name, word in named if word not in STANDARD_WORDS]
        return ("batch", *found) if self.batch else tuple(found)


def _added(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return {name: first.get(name, 0) + second.get(name, 0) for name in (*first, *second)}


class TokenUsage(msgspec.Struct, frozen=True, array_like=True):
    """Token counts of one call. `input_tokens` includes cached ones, `output_tokens` includes reasoning.

    Written to the spool as an array: new counts go last, where `TOKEN_COUNTS` and every table of sums take them from.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    audio_input_tokens: int = 0
    audio_output_tokens: int = 0
    image_tokens: int = 0  # of the input
    cache_write_1h_tokens: int = 0  # of `cache_write_tokens`, those that are kept for an hour
    billing: BillingFacts | None = None  # of most answers there is nothing more to say

    @classmethod
    def of(cls, counts: Iterable[int], billing: BillingFacts | None = None) -> "TokenUsage":
        """From `TOKEN_COUNTS` in their order."""
        return cls(**dict(zip(TOKEN_COUNTS, counts, strict=True)), billing=billing)

    def plus(self, other: "TokenUsage") -> "TokenUsage":
        """Of two answers that are one, or of two parts of one."""
        counts = (a + b for a, b in zip(self.counts(), other.counts(), strict=True))
        return TokenUsage.of(counts, self.billing.plus(other.billing) if self.billing is not None else other.billing)

    def under(self, **facts: str) -> "TokenUsage":
        """The same, with what the answer says of its terms: `service_tier`, `speed`, `region`."""
        return msgspec.structs.replace(self, billing=msgspec.structs.replace(self.billing or BillingFacts(), **facts))

    def counts_nothing(self) -> bool:
        """Whether it says how much of what was used, but of no tokens."""
        return self.billing is not None and bool(self.billing.units) and not (self.input_tokens or self.output_tokens)

    def counts(self) -> tuple[int, ...]:
        """The tokens alone, in the order of `TOKEN_COUNTS`."""
        return msgspec.structs.astuple(self)[: len(TOKEN_COUNTS)]


TOKEN_COUNTS: Final = tuple(name for name in TokenUsage.__struct_fields__ if name != "billing")
"""The fields that count tokens."""


BYTES_PER_TOKEN = 4
"""As English prose has."""


def estimate_tokens(size_bytes: int) -> int:
    """Tokens of a text by its UTF-8 length alone, rounded up."""
    return -(-size_bytes // BYTES_PER_TOKEN)
