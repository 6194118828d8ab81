"""genai-prices' published file, made into the form that the gateway keeps catalogs in.

All of it: each tier, variant and meter of each provider, also of those that the gateway has no preset for. Prices are
rounded to a nano-USD per million (the library has a few that are binary fractions of cents; hours of sound are cut into
seconds). A model without any price is in the file all the same, so that no other rule takes it. Where an hour in
Claude's cache has no price it gets Anthropic's: twice the input's, wherever Claude is served.

Source: https://github.com/pydantic/genai-prices, prices/new_data/v2/data.json and its schema (read 2026-11).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

URL: Final = "https://raw.githubusercontent.com/pydantic/genai-prices/refs/heads/main/prices/new_data/v2/data.json"

METERS: Final = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "reasoning": "output_reasoning_mtok",
    "audio_input": "input_audio_mtok",
    "audio_output": "output_audio_mtok",
    "image": "input_image_mtok",
    "image_output": "output_image_mtok",
    "video_input": "input_video_mtok",
    "video_output": "output_video_mtok",
    "audio_cache_read": "cache_audio_read_mtok",
    "image_cache_read": "cache_image_read_mtok",
    "citation": "output_citation_mtok",
}
"""Ours to the library's, per million tokens."""

FEES: Final = {
    "web_search": "web_searches_kcount",
    "x_search": "social_searches_kcount",
    "file_search": "storage_searches_kcount",
    "code_execution": "code_executions_kcount",
}
"""Per thousand calls."""

UNITS: Final[Mapping[tuple[str, str], tuple[str, Decimal]]] = {
    ("character", "*"): ("input_mchars", Decimal(1)),
    ("second", "*"): ("audio_hours", Decimal(1_000_000) / 3600),
    ("second", "input"): ("input_audio_hours", Decimal(1_000_000) / 3600),
    ("second", "output"): ("output_audio_hours", Decimal(1_000_000) / 3600),
    ("page", "*"): ("input_document_kpages", Decimal(1000)),
    ("page", "annotated"): ("input_annotated_document_kpages", Decimal(1000)),
    ("message", "*"): ("input_text_messages_kcount", Decimal(1000)),
    ("request", "*"): ("requests_kcount", Decimal(1000)),
    ("search_unit", "*"): ("rerank_searches_kcount", Decimal(1000)),
}
"""Unit and kind to the library's, and how many of the library's measure a million are."""

KEYS: Final = {*METERS.values(), *FEES.values(), *(key for key, _ in UNITS.values())}
"""Every meter of the library that the catalog has a place for; a test holds that it uses no other."""

ANTHROPICS_HOUR: Final = 2
"""An hour in the cache costs twice what input does.

Source: https://platform.claude.com/docs/en/about-claude/pricing (read 2026-11). Every price that the library has for an
hour is of this ratio too, in Anthropic's own list, Bedrock's and Vertex AI's; a test looks.
"""

ANTHROPICS_REGION: Final = Decimal("1.1")
"""What is kept in the United States costs more, of every meter, in Anthropic's own API.

Source: https://platform.claude.com/docs/en/manage-claude/data-residency (read 2026-11).
"""

IN_REGION: Final = "region:us"

EDITION: Final = 4
"""How the file is made: 2 has the hour in the cache, 3 all tiers, variants and meters, 4 regions.

Raise it where that changes: it is part of the ids of prices in the books, where no row is ever written again (R-17).
"""

Made = dict[str, object]
Published = Mapping[str, object]


def catalog_text(
    providers: Sequence[object], version: str, license_text: str, skipped: list[str] | None = None
) -> tuple[str, int]:
    """The whole file, one model a line, so that a new version is a readable diff; and how many models it has.

    Models that cannot be read are named in `skipped`; without it they raise `ValueError`, `KeyError` or `TypeError`.
    """
    head = json.dumps({"version": version, "license": license_text}, ensure_ascii=False)[:-1]
    blocks: dict[str, list[str]] = {}
    for provider in providers:
        name, models = _provider(provider)
        blocks[name] = [_dump(model) for model in _models(name, models, skipped)]
    body = ",\n".join(f"{json.dumps(name)}: [\n" + ",\n".join(blocks[name]) + "\n]" for name in sorted(blocks))
    return head + ', "providers": {\n' + body + "\n}}\n", sum(map(len, blocks.values()))


def _provider(provider: object) -> tuple[str, Sequence[object]]:
    if not isinstance(provider, Mapping) or not isinstance(provider.get("models"), list):
        raise TypeError("a provider has no models")
    return str(provider["id"]), provider["models"]


def _models(name: str, models: Sequence[object], skipped: list[str] | None) -> Iterator[Made]:
    for model in models:
        try:
            yield _model(_mapping(model), regions=name == "anthropic")
        except (ValueError, KeyError, TypeError, ArithmeticError):
            if skipped is None:
                raise
            model_id = model.get("id") if isinstance(model, Mapping) else model
            skipped.append(f"{name}/{str(model_id)[:64]}")


def extracted(model_id: str, prices: Published) -> Made | None:
    """Rates with their tiers, in nano-USD per million; None where there is no price at all.

    An empty list of prices is the library's word for free, believed of `:free` ids.
    """
    given = {key: price for key, price in prices.items() if price is not None}
    if not given:
        return {"input": 0, "output": 0} if model_id.endswith(":free") else None
    starts = sorted({start for price in given.values() for start in _tiers(price)})
    found = _rates(model_id, {key: _base(price) for key, price in given.items()})
    tiers = [
        {"above_input_tokens": start}
        | _rates(model_id, {key: tiers[start] for key, price in given.items() if start in (tiers := _tiers(price))})
        for start in starts
    ]
    return found | ({"tiers": tiers} if tiers else {})


def _rates(model_id: str, given: Mapping[str, Decimal]) -> Made:
    found: Made = {meter: _nano(given[key]) for meter, key in METERS.items() if key in given}
    if "claude" in model_id and "cache_write" in found and "input" in found:
        found.setdefault("cache_write_1h", ANTHROPICS_HOUR * _nano(given["input_mtok"]))
    if fees := {fee: _nano(given[key] * 1000) for fee, key in FEES.items() if key in given}:
        found["fees"] = fees
    units: dict[str, dict[str, int]] = {}
    for (unit, kind), (key, measure) in UNITS.items():
        if key in given:
            units.setdefault(unit, {})[kind] = _nano(given[key] * measure)
    if units:
        found["units"] = units
    return found


def _base(price: object) -> Decimal:
    return _amount(price["base"] if isinstance(price, Mapping) else price)


def _tiers(price: object) -> dict[int, Decimal]:
    if not isinstance(price, Mapping):
        return {}
    return {int(tier["start"]): _amount(tier["price"]) for tier in price.get("tiers") or ()}


def _amount(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise TypeError("a price is no number")
    amount = Decimal(value)
    if not amount.is_finite() or amount < 0:
        raise ValueError("a price is no amount")
    return amount


def _model(model: Published, *, regions: bool) -> Made:
    model_id = str(model["id"])
    prices: list[Made] = [
        {"prices": extracted(model_id, _mapping(each["prices"]))} | _constraint(each.get("constraint"))
        for each in _alternatives(model.get("prices") or {})
    ]
    variants: list[Made] = [
        {
            "prices": {"when": variant_name(_mapping(each["when"]))}
            | (extracted(model_id, _mapping(each["prices"])) or {})
        }
        | _constraint(each.get("constraint"))
        for each in _listed(model.get("price_variants"))
    ]
    if regions:
        variants = _in_region(variants, prices) + variants
    made: Made = {"match": _clause(model["match"]), "prices": prices}
    return made | ({"variants": variants} if variants else {})


def _alternatives(prices: object) -> Sequence[Published]:
    return _listed(prices) if isinstance(prices, list) else [{"prices": prices}]


def _listed(value: object) -> Sequence[Published]:
    return [_mapping(each) for each in value] if isinstance(value, list) else []


def _mapping(value: object) -> Published:
    if not isinstance(value, Mapping):
        raise TypeError("something is no object")
    return value


def _in_region(variants: Sequence[Made], prices: Sequence[Made]) -> list[Made]:
    """Every variant as it is in Anthropic's region, then every price, the latest first: the first that holds counts."""
    made: list[Made] = []
    for each in (*variants, *reversed(prices)):
        rates = each["prices"]
        if isinstance(rates, dict):
            when = f"{rates['when']}+{IN_REGION}" if "when" in rates else IN_REGION
            made.append(each | {"prices": {"when": when} | _dearer(rates)})
    return made


def _dearer(rates: Mapping[str, object]) -> Made:
    found: Made = {
        meter: int(price * ANTHROPICS_REGION) for meter in METERS if isinstance(price := rates.get(meter), int)
    }
    listed = rates.get("tiers")
    tiers: list[Made] = [
        {"above_input_tokens": tier["above_input_tokens"]} | _dearer(tier)
        for tier in (listed if isinstance(listed, list) else [])
    ]
    return found | ({"tiers": tiers} if tiers else {})


def variant_name(when: Mapping[str, object]) -> str:
    """`batch`, or what is said and how: `service_tier:priority`. Several have a `+` between."""
    named = ("batch" if (name, value) == ("processing", "batch") else f"{name}:{value}" for name, value in when.items())
    return "+".join(named)


def _constraint(constraint: object) -> Made:
    if not isinstance(constraint, Mapping):
        return {}
    if "start_date" in constraint:
        start = datetime.fromisoformat(str(constraint["start_date"]))
        return {"starts": datetime(start.year, start.month, start.day, tzinfo=UTC).isoformat()}
    return {"daily": [_minute(constraint["start_time"]), _minute(constraint["end_time"])]}


_TEXTS: Final = ("equals", "starts_with", "ends_with", "contains")


def _clause(clause: object) -> Made:
    given = _mapping(clause)
    for name in _TEXTS:
        if name in given:
            return {name: str(given[name]).lower()}
    if "regex" in given:
        return {"regex": str(given["regex"])}
    parts = {"any": given.get("or"), "all": given.get("and")}
    for name, listed in parts.items():
        if isinstance(listed, list) and listed:
            return {name: [_clause(part) for part in listed]}
    raise ValueError("nobody knows how to match it")


def _minute(moment: object) -> int:
    """Minutes since midnight UTC."""
    at = time.fromisoformat(str(moment))
    if at.utcoffset() not in {None, UTC.utcoffset(None)} or (at.second, at.microsecond) != (0, 0):
        raise ValueError("an hour is not of UTC, or not of whole minutes")
    return at.hour * 60 + at.minute


def _nano(price: Decimal) -> int:
    return int((price * 10**9).to_integral_value(ROUND_HALF_UP))


def _dump(value: Made) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
