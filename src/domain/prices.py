"""Prices and the one calculation of what a call cost (P-08)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from domain.money import usd
from domain.usage import TOKEN_COUNTS, TokenUsage

_PER_PRICE: Final = 1_000_000
_MILLISECONDS: Final = 1000

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
"""The start of a price of which nobody knows since when it holds."""

ADMIN = "admin"
"""The source of prices that were set here."""

ANY: Final = "*"
"""The price of a unit whose own kind (`1024x1024/high`) has none."""


class Rates(msgspec.Struct, frozen=True, omit_defaults=True):
    """Nano-USD per million: of tokens by meter, of calls by fee, of units by kind.

    A meter of None costs what the meter costs that it is a part of (`PARTS`): `cache_write_1h` what `cache_write` does,
    that what `input` does. `input` and `output` of None have no price at all, nor has a fee or a unit that is not
    there.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None
    image: int | None = None  # image tokens of the input
    cache_write_1h: int | None = None
    image_output: int | None = None
    video_input: int | None = None
    video_output: int | None = None
    audio_cache_read: int | None = None
    image_cache_read: int | None = None
    citation: int | None = None
    fees: Mapping[str, int] = {}
    units: Mapping[str, Mapping[str, int]] = {}

    def over(self, other: "Rates") -> "Rates":
        """These rates where there are any, else the other's."""
        own: dict[str, object] = {name: price for name in METERS if (price := getattr(self, name)) is not None}
        if self.fees:
            own["fees"] = {**other.fees, **self.fees}
        if self.units:
            own["units"] = {**other.units, **self.units}
        return msgspec.structs.replace(other, **own) if own else other

    def in_usd(self) -> dict[str, str]:
        """By meter, in USD per million tokens; meters without a price of their own are left out."""
        return {name: usd(price) for name in METERS if (price := getattr(self, name)) is not None}

    def of(self, meter: str) -> int | None:
        """What a meter's tokens cost, its own price or that of what they are a part of."""
        price: int | None = getattr(self, meter)
        if price is None and meter in PARTS:
            return self.of(PARTS[meter][0])
        return price


METERS: Final = tuple(name for name in Rates.__struct_fields__ if name not in {"fees", "units"})

PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "image_cache_read": ("cache_read", "image", "input"),
    "audio_cache_read": ("cache_read", "audio_input", "input"),
    "cache_write_1h": ("cache_write", "input"),
    "cache_read": ("input",),
    "cache_write": ("input",),
    "audio_input": ("input",),
    "image": ("input",),
    "video_input": ("input",),
    "reasoning": ("output",),
    "audio_output": ("output",),
    "image_output": ("output",),
    "video_output": ("output",),
    "citation": ("output",),
}
"""What a meter's tokens are a part of, the nearest first; the smallest parts first."""

_COUNTED: Final = tuple(
    (meter, PARTS.get(meter, ()), field if (field := f"{meter}_tokens") in TOKEN_COUNTS else "")
    for meter in (*PARTS, "input", "output")
)
"""Each meter with what it is a part of, and the field of `TokenUsage` that counts it, if any."""

_COUNTED_ALWAYS: Final = tuple(each for each in _COUNTED if each[2])
"""Those that `TokenUsage` counts, which is all of nearly every answer."""

REQUEST: Final = "request"
"""The unit that each call is one of."""

SECOND: Final = "second"
"""The unit whose counts are milliseconds."""

_NOTHING: Final[Mapping[str, int]] = {}


class Tier(Rates, frozen=True, kw_only=True):
    """What a whole request costs that has more input tokens than these, cached ones included: a cliff, no slope."""

    above_input_tokens: int


class Variant(Rates, frozen=True, kw_only=True):
    """What differs where an answer says `when`: `service_tier:priority`, `speed:fast`, `region:eu`, `batch`.

    Several with a `+` between, where all of them are said.
    """

    when: str
    tiers: tuple[Tier, ...] = ()

    def holds(self, terms: tuple[str, ...]) -> bool:
        return self.when in terms or all(term in terms for term in self.when.split("+"))


class Prices(Rates, frozen=True):
    """All that a model costs. Of several tiers those that a request is above count in their order; so do variants."""

    tiers: tuple[Tier, ...] = ()
    variants: tuple[Variant, ...] = ()

    def for_call(self, input_tokens: int, terms: tuple[str, ...] = ()) -> Rates:
        """What one call costs, by the size of its prompt and by what its answer says (`BillingFacts.terms`)."""
        rates: Rates = _above(self, self.tiers, input_tokens) if self.tiers else self
        if terms:
            for variant in reversed(self.variants):  # the first that has a price for a meter decides
                if variant.holds(terms):
                    rates = _above(variant, variant.tiers, input_tokens).over(rates)
        return rates


def _above(rates: Rates, tiers: tuple[Tier, ...], input_tokens: int) -> Rates:
    for tier in tiers:
        if input_tokens > tier.above_input_tokens:
            rates = tier.over(rates)
    return rates


class PriceRow(msgspec.Struct, frozen=True):
    """One price of one model, for a stretch of time. Superseded, never changed (R-17)."""

    id: str  # `price_…`
    provider_id: str
    model: str
    prices: Prices
    source: str  # `admin`, or the catalog it was taken from with its version
    effective_from: datetime
    superseded_at: datetime | None = None


class Booking(msgspec.Struct, frozen=True):
    """What a call is booked at: the provider's own figure where it gives one, else what its price gives."""

    price_id: str | None = None
    cost_nano_usd: int | None = None  # None: unpriced
    missing: tuple[str, ...] = ()
    computed_nano_usd: int | None = None


class Cost(msgspec.Struct, frozen=True):
    """What a call cost by its price; `missing` are the meters, fees, units and terms that have none."""

    nano_usd: int
    missing: tuple[str, ...] = ()


UNPRICED: Final = ("price",)
"""What is missing where a model has no price at all."""


def booked(usage: TokenUsage, price: PriceRow | None) -> Booking:
    """What a call that used this is booked at."""
    reported = usage.billing.cost_nano_usd if usage.billing is not None else None
    if price is None:
        return Booking(None, reported, UNPRICED if reported is None else ())
    cost = cost_of(usage, price.prices)
    if reported is not None:
        return Booking(price.id, reported, (), cost.nano_usd)
    return Booking(price.id, cost.nano_usd, cost.missing, cost.nano_usd)


def is_sold_by_units(usage: TokenUsage, price: PriceRow | None) -> bool:
    """Whether what was used has a price by the piece, by time or by length, so that its tokens need not be known."""
    if price is None or usage.billing is None:
        return False
    return _units(usage.billing.units, price.prices.for_call(0, usage.billing.terms())).priced


def cost_nano_usd(usage: TokenUsage, prices: Prices) -> int:
    """What a call cost, as far as it has prices."""
    return cost_of(usage, prices).nano_usd


def cost_of(usage: TokenUsage, prices: Prices) -> Cost:
    """What a call cost, rounded half up to a nano-USD, once.

    `input_tokens` includes cached, audio and image tokens and `output_tokens` includes reasoning and audio,
    as OpenAI counts; a part without a price of its own costs what the whole does. A provider that reports
    more in the parts than in the whole is charged for the parts. What is sold by the piece, by time or by length needs
    no price by the token, nor the other way round; where it has both, it costs both.
    """
    billing = usage.billing
    if billing is None:
        rates = prices.for_call(usage.input_tokens) if prices.tiers else prices
        tokens = _tokens(usage, _NOTHING, rates)
        if rates.units:
            request = _units(_NOTHING, rates)
            return Cost(_rounded(tokens.total + request.total), () if request.priced else tokens.missing)
        return Cost(_rounded(tokens.total), tokens.missing)
    terms = billing.terms()
    rates = prices.for_call(usage.input_tokens, terms)
    tokens, units = _tokens(usage, billing.counts, rates), _units(billing.units, rates)
    fees = _fees(billing.counts, rates)
    known = {term for variant in prices.variants if variant.holds(terms) for term in variant.when.split("+")}
    missing = (
        *(tokens.missing if not units.priced else ()),
        *(units.missing if not tokens.priced else ()),
        *(fees.missing if not _is_sold_by_request(rates) else ()),
        *(term for term in terms if term not in known),
    )
    return Cost(_rounded(tokens.total + units.total + fees.total), missing)


class _Sum(NamedTuple):
    total: int
    missing: tuple[str, ...]
    priced: bool  # something of it was there and had a price


def _rounded(total: int) -> int:
    return (total + _PER_PRICE // 2) // _PER_PRICE


def _tokens(usage: TokenUsage, further: Mapping[str, int], rates: Rates) -> _Sum:
    """Each token at the price of the smallest part it belongs to that has one."""
    total, priced = 0, False
    missing: tuple[str, ...] = ()
    taken: dict[str, int] = {}
    for meter, wholes, field in _COUNTED if further else _COUNTED_ALWAYS:
        tokens: int = getattr(usage, field) if field else further.get(meter, 0)
        if taken:
            tokens -= taken.get(meter, 0)
        if tokens <= 0:
            continue
        price: int | None = getattr(rates, meter)
        if price is not None:
            total += tokens * price
            priced = True
            for whole in wholes:
                taken[whole] = taken.get(whole, 0) + tokens
        elif not wholes:
            missing = (*missing, meter)
    return _Sum(total, missing, priced)


def metered(usage: TokenUsage, rates: Rates) -> tuple[tuple[str, int, int], ...]:
    """Each meter that was used and has a price: its name, its tokens, and nano-USD per million of them."""
    taken: dict[str, int] = {}
    found = []
    for meter, wholes, field in _COUNTED_ALWAYS:
        tokens, price = getattr(usage, field) - taken.get(meter, 0), getattr(rates, meter)
        if tokens > 0 and price is not None:
            found.append((meter, tokens, price))
            for whole in wholes:
                taken[whole] = taken.get(whole, 0) + tokens
    return tuple(found)


def _units(units: Mapping[str, int], rates: Rates) -> _Sum:
    """What is sold by the piece, by time or by length: each kind at its own price, else at that of any."""
    request = rates.units.get(REQUEST, _NOTHING).get(ANY)
    total, priced = request or 0, request is not None
    missing: tuple[str, ...] = ()
    for name, count in units.items():
        unit, _, kind = name.partition(":")
        by_kind = rates.units.get(unit, _NOTHING)
        price = next((by_kind[each] for each in _kinds(kind) if each in by_kind), None)
        if price is None:
            missing = (*missing, unit)
        else:
            priced = True
            total += count * price // (_MILLISECONDS if unit == SECOND else 1)
    return _Sum(total, missing, priced)


def _is_sold_by_request(rates: Rates) -> bool:
    """Then whatever has no price of its own is in the request's."""
    return ANY in rates.units.get(REQUEST, _NOTHING)


def _kinds(kind: str) -> tuple[str, ...]:
    """`1024x1024/high` as it may be priced: as that, by its size, by its quality, or as any."""
    if not kind:
        return (ANY,)
    size, _, quality = kind.partition("/")
    return (kind, size, f"{ANY}/{quality}", ANY)


def _fees(counts: Mapping[str, int], rates: Rates) -> _Sum:
    """Calls of hosted tools."""
    total = 0
    missing: tuple[str, ...] = ()
    for tool, calls in counts.items():
        if tool in METERS or not calls:
            continue
        price = rates.fees.get(tool)
        if price is None:
            missing = (*missing, tool)
        else:
            total += calls * price
    return _Sum(total, missing, priced=bool(total))
