"""Prices as an admin writes and reads them: decimal strings in USD, by meter, tier, variant, fee and unit."""

from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from domain.errors import RequestInvalid
from domain.money import NANO_PER_USD, nano_usd_per_million, usd
from domain.prices import ANY, METERS, Prices, Rates, Tier

Usd = Annotated[str, Meta(min_length=1, max_length=32)]
"""USD, as a decimal string: per million tokens, or for one of what else is sold."""

Name = Annotated[str, Meta(min_length=1, max_length=64, pattern="^[a-z0-9][a-z0-9_:./+-]*$")]

_ONE = 1_000_000  # what is sold singly is kept per million, too
MAX_NANO_USD_EACH = 1_000 * NANO_PER_USD


class NewRates(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """USD per million tokens by meter, USD a call by hosted tool; what is left out costs what it is a part of."""

    input: Usd | None = None
    output: Usd | None = None
    cache_read: Usd | None = None
    cache_write: Usd | None = None
    cache_write_1h: Usd | None = None
    reasoning: Usd | None = None
    audio_input: Usd | None = None
    audio_output: Usd | None = None
    image: Usd | None = None
    image_output: Usd | None = None
    video_input: Usd | None = None
    video_output: Usd | None = None
    audio_cache_read: Usd | None = None
    image_cache_read: Usd | None = None
    citation: Usd | None = None
    fees: dict[Name, Usd] = {}


class NewTier(NewRates, frozen=True, kw_only=True):
    """What a whole request costs that has more input tokens than these."""

    above_input_tokens: Annotated[int, Meta(ge=1)]


class NewVariant(NewRates, frozen=True, kw_only=True):
    """What differs where the answer says so; meters that are left out stay as they are."""

    tiers: Annotated[list[NewTier], Meta(max_length=16)] = []


class NewPrices(NewRates, frozen=True):
    """USD per million tokens, as decimal strings. A part that is left out costs what `input` or `output` costs,
    `cache_write_1h` what `cache_write` costs. `variants` are chosen by what an answer says: `service_tier:priority`,
    `batch`, `speed:fast`, `region:eu`. `fees` are USD a call of a hosted tool: `web_search`, `file_search`, …
    """

    tiers: Annotated[list[NewTier], Meta(max_length=16)] = []
    variants: Annotated[dict[Name, NewVariant], Meta(max_length=32)] = {}


NewUnits = dict[Name, Usd | dict[str, Usd]]
"""USD for one `image` (by `size/quality`, `*` for any), `second`, `character`, `request`, `page` or `search_unit`."""


def read_prices(new: NewPrices, units: Mapping[str, str | Mapping[str, str]]) -> Prices:
    """Raises `RequestInvalid` with the path of what is no price, or where there is none at all."""
    if not units and (new.input is None or new.output is None):
        name = "input" if new.input is None else "output"
        raise RequestInvalid(
            f"Prices need both input and output, unless units say what is sold: prices.{name} is missing.",
            param=f"prices.{name}",
        )
    variants = [
        {"when": when, **_rates(each, f"prices.variants.{when}"), "tiers": _tiers(each, f"prices.variants.{when}")}
        for when, each in new.variants.items()
    ]
    whole = {**_rates(new, "prices"), "tiers": _tiers(new, "prices"), "variants": variants, "units": _units(units)}
    return msgspec.convert(whole, Prices)


def shown_prices(prices: Prices) -> NewPrices:
    """The same, to be read."""
    variants = {each.when: _shown(each) | _shown_tiers(each.tiers) for each in prices.variants}
    return msgspec.convert(_shown(prices) | _shown_tiers(prices.tiers) | {"variants": variants}, NewPrices)


def shown_units(prices: Prices) -> dict[str, dict[str, str]]:
    return {
        unit: {kind: _each_in_usd(price) for kind, price in by_kind.items()} for unit, by_kind in prices.units.items()
    }


def _rates(new: NewRates, path: str) -> dict[str, object]:
    read: dict[str, object] = {
        meter: _nano(price, f"{path}.{meter}", "per million tokens")
        for meter in METERS
        if (price := getattr(new, meter)) is not None
    }
    if new.fees:
        read["fees"] = {tool: _each(price, f"{path}.fees.{tool}") for tool, price in new.fees.items()}
    return read


def _tiers(new: NewPrices | NewVariant, path: str) -> list[dict[str, object]]:
    return [
        {"above_input_tokens": tier.above_input_tokens, **_rates(tier, f"{path}.tiers.{place}")}
        for place, tier in sorted(enumerate(new.tiers), key=lambda numbered: numbered[1].above_input_tokens)
    ]


def _units(units: Mapping[str, str | Mapping[str, str]]) -> dict[str, dict[str, int]]:
    return {
        unit: {kind: _each(price, f"units.{unit}") for kind, price in by_kind.items()}
        for unit, given in units.items()
        if (by_kind := {ANY: given} if isinstance(given, str) else given)
    }


def _each(price: str, path: str) -> int:
    nano = _nano(price, path, "for one")
    if nano > MAX_NANO_USD_EACH:
        raise RequestInvalid(f"'{price}' USD for one is more than anything costs.", param=path)
    return nano * _ONE


def _nano(price: str, path: str, measure: str) -> int:
    try:
        return nano_usd_per_million(price)
    except ValueError as error:
        raise RequestInvalid(
            f'{error}. Prices are decimal strings in USD {measure}, like "0.60".', param=path
        ) from error


def _shown(rates: Rates) -> dict[str, object]:
    fees = {tool: _each_in_usd(price) for tool, price in rates.fees.items()}
    return {**rates.in_usd(), **({"fees": fees} if fees else {})}


def _each_in_usd(price: int) -> str:
    return usd((price + _ONE // 2) // _ONE)


def _shown_tiers(tiers: tuple[Tier, ...]) -> dict[str, object]:
    return {"tiers": [_shown(tier) | {"above_input_tokens": tier.above_input_tokens} for tier in tiers]}


def sub_rates(prices: Prices) -> Iterator[Rates]:
    """The rates of every tier and variant."""
    yield from prices.tiers
    for variant in prices.variants:
        yield variant
        yield from variant.tiers
