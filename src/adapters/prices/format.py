"""Catalogs as genai-prices publishes them and as they are kept, and what stands in one."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec
from typing_extensions import override

from adapters.prices.catalog import FILE, GenaiPricesCatalog, check
from adapters.prices.providers import CATALOG_NAMES
from adapters.prices.published import EDITION, URL, catalog_text
from domain.errors import RequestInvalid
from domain.money import usd
from domain.ports.price_catalogs import CatalogFormat, ConvertedCatalog
from domain.ports.prices import PriceCatalog
from domain.price_catalogs import ListedModel

_LICENSE = "MIT, Pydantic Services Inc.: https://github.com/pydantic/genai-prices"
_PER_ONE = 1_000_000  # what is sold singly is kept per million, too
_SINGLY = frozenset({"fees", "units"})


class GenaiPricesFormat(CatalogFormat):
    """Takes the published list of providers, and a catalog of another release as well."""

    @property
    @override
    def published_at(self) -> str:
        return URL

    @override
    def version_of(self, name: str) -> str:
        return f"{name}+{EDITION}"

    @override
    def release_version(self) -> str:
        return GenaiPricesCatalog().source.rpartition(" ")[2]

    @override
    def convert(self, published: bytes, version: str) -> ConvertedCatalog:
        skipped: list[str] = []
        try:
            document = json.loads(published, parse_float=Decimal)
            if isinstance(document, dict) and isinstance(document.get("providers"), dict):
                content, models = _renamed(document, version)
            elif isinstance(document, list):
                content, models = catalog_text(document, version, _LICENSE, skipped)
            else:
                raise ValueError("it is no list of providers")  # noqa: TRY301, TRY004  # told like what else is wrong
            check(content.encode())
        except (ValueError, KeyError, TypeError) as error:
            raise RequestInvalid(f"This is no price catalog of genai-prices: {error}.", param="source") from error
        if not models:
            raise RequestInvalid("There is no model in this price catalog that can be read.", param="source")
        return ConvertedCatalog(content.encode(), models, tuple(skipped))

    @override
    def open(self, content: bytes) -> PriceCatalog:
        catalog = GenaiPricesCatalog(content)
        try:
            check(content)
            catalog.load()
        except msgspec.DecodeError as error:
            raise RequestInvalid(f"This version cannot read this price catalog: {error}.", param="source") from error
        return catalog

    @override
    def listed(self, content: bytes | None) -> Sequence[ListedModel]:
        document = msgspec.json.decode(FILE.read_bytes() if content is None else content)
        presets: dict[str, list[str]] = {}
        for preset, name in CATALOG_NAMES.items():
            presets.setdefault(name, []).append(preset)
        return [
            ListedModel(provider, label, tuple(presets.get(provider, ())), dict(_paths(model)))
            for provider, models in document["providers"].items()
            for label, model in _labelled(models)
        ]


def _renamed(document: Mapping[str, object], version: str) -> tuple[str, int]:
    """A catalog of another release, under this version."""
    providers = document["providers"]
    models = sum(len(each) for each in providers.values()) if isinstance(providers, dict) else 0
    return json.dumps({**document, "version": version}, ensure_ascii=False, default=int), models


def _labelled(models: Sequence[Mapping[str, object]]) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Each rule by the first name in it; of two with the same name the second has a number."""
    seen: dict[str, int] = {}
    for model in models:
        name = _first_name(model["match"])
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name} #{seen[name]}", model


def _first_name(clause: object) -> str:
    if isinstance(clause, Mapping):
        for name, value in clause.items():
            if isinstance(value, str):
                return value if name == "equals" else f"{value}…" if name == "starts_with" else f"…{value}…"
            if isinstance(value, list) and value:
                return _first_name(value[0])
    return hashlib.sha256(repr(clause).encode()).hexdigest()[:12]


def _paths(model: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Every price of a model by its path: `input`, `tiers.200000.input`, `since 2026-03-13 output`."""
    for part, word in (("prices", ""), ("variants", "variants.")):
        listed = model.get(part)
        for each in listed if isinstance(listed, list) else []:
            prices = each.get("prices")
            when = _condition(each)
            if isinstance(prices, dict):
                head = f"{when}{word}" + (f"{prices['when']}." if "when" in prices else "")
                yield from _flat(prices, head, singly=False)
            else:
                yield f"{when}price", "none"


def _condition(each: Mapping[str, object]) -> str:
    if (starts := each.get("starts")) is not None:
        return f"since {str(starts)[:10]} "
    daily = each.get("daily")
    if isinstance(daily, list):
        first, last = (f"{minute // 60:02d}:{minute % 60:02d}" for minute in daily)
        return f"{first}-{last} "
    return ""


def _flat(prices: Mapping[str, object], head: str, *, singly: bool) -> Iterator[tuple[str, str]]:
    for name, value in prices.items():
        if name == "tiers" and isinstance(value, list):
            for tier in value:
                rest = {key: price for key, price in tier.items() if key != "above_input_tokens"}
                yield from _flat(rest, f"{head}tiers.{tier['above_input_tokens']}.", singly=False)
        elif isinstance(value, dict):
            yield from _flat(value, f"{head}{name}.", singly=singly or name in _SINGLY)
        elif isinstance(value, int):
            yield f"{head}{name}", usd((value + _PER_ONE // 2) // _PER_ONE if singly else value)
