"""genai-prices' list prices: the file `.ci/prices` takes out of the library (decision 0022), or a newer one."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import msgspec
from typing_extensions import override

from adapters.prices.matching import Clause, Matcher
from adapters.prices.providers import CATALOG_NAMES
from domain.ports.prices import CatalogAnswer, CatalogPrice, PriceCatalog
from domain.prices import Prices, Variant

FILE = Path(__file__).with_name("catalog.json")

_COMPACT_DATE = re.compile(r"-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")
_DAY = timedelta(days=1)


class _Held(msgspec.Struct, frozen=True, kw_only=True):
    """When something holds: since a moment, every day between two minutes of the day in UTC, or always."""

    starts: datetime | None = None
    daily: tuple[int, int] | None = None

    def holds(self, at: datetime) -> bool:
        if self.starts is not None:
            return at >= self.starts
        if self.daily is None:
            return True
        start, end = self.daily
        now = at.hour * 60 + at.minute
        return start <= now < end if start <= end else (now >= start or now < end)

    def changes_after(self, at: datetime) -> list[datetime]:
        """When it begins or ends to hold, the next time."""
        if self.starts is not None:
            return [self.starts] if self.starts > at else []
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
        moments = [midnight + timedelta(minutes=minute) for minute in self.daily or ()]
        return [moment if moment > at else moment + _DAY for moment in moments]


class _Alternative(_Held, frozen=True, kw_only=True):
    prices: Prices | None  # None: it has no price


class _Variant(_Held, frozen=True, kw_only=True):
    prices: Variant


class _Model(msgspec.Struct, frozen=True):
    """The last alternative that holds is the price; where none does, the first is. Variants are those that hold."""

    match: Clause
    prices: tuple[_Alternative, ...]
    variants: tuple[_Variant, ...] = ()

    def at(self, moment: datetime) -> CatalogAnswer:
        parts: tuple[_Held, ...] = (*self.prices, *self.variants)
        until = min((change for one in parts for change in one.changes_after(moment)), default=None)
        place = max((place for place, one in enumerate(self.prices) if one.holds(moment)), default=0)
        chosen = self.prices[place]
        if chosen.prices is None:
            return CatalogAnswer(None, until)
        variants = tuple(one.prices for one in self.variants if one.holds(moment))
        prices = msgspec.structs.replace(chosen.prices, variants=variants) if variants else chosen.prices
        return CatalogAnswer(CatalogPrice(prices, place + self._edition(moment), self._since(chosen, moment)), until)

    def _edition(self, moment: datetime) -> int:
        """Another number for each set of variants that hold: prices with others are another price."""
        conditional = [one for one in self.variants if one.starts is not None or one.daily is not None]
        held = sum(1 << place for place, one in enumerate(conditional) if one.holds(moment))
        return held * len(self.prices)

    def _since(self, chosen: _Alternative, moment: datetime) -> datetime | None:
        parts = (chosen, *(one for one in self.variants if one.holds(moment)))
        return max((one.starts for one in parts if one.starts is not None), default=None)


class _Version(msgspec.Struct, frozen=True):
    version: str


class _Providers(msgspec.Struct, frozen=True):
    providers: dict[str, msgspec.Raw]


class _ProviderModels:
    """The models of one provider, and how one of them is found."""

    def __init__(self, models: Sequence[_Model]) -> None:
        self._models = models
        self._matcher = Matcher([model.match for model in models])

    def find(self, model: str) -> _Model | None:
        place = self._matcher.first(model)
        return None if place is None else self._models[place]


_decode_models = msgspec.json.Decoder(tuple[_Model, ...]).decode


class GenaiPricesCatalog(PriceCatalog):
    """Reads the release's file when first asked of a provider, in a few milliseconds, and holds that provider's models
    alone. `content` is another catalog in the same form.
    """

    def __init__(self, content: bytes | None = None) -> None:
        self._content = content
        self._read: dict[str, _ProviderModels] = {}

    @property
    @override
    def source(self) -> str:
        return f"genai-prices {self._version}"

    @override
    def load(self) -> None:
        _ = self._version

    @override
    def find(self, preset: str, model: str, at: datetime) -> CatalogAnswer:
        name = CATALOG_NAMES.get(preset)
        if name is None:
            return CatalogAnswer(None)
        models = self._models_of(name)
        model = model.lower()
        found = models.find(model)
        if found is None and (dashed := _COMPACT_DATE.sub(_dashed, model)) != model:
            found = models.find(dashed)
        return CatalogAnswer(None) if found is None else found.at(at.astimezone(UTC))

    @cached_property
    def _version(self) -> str:
        return msgspec.json.decode(self._bytes(), type=_Version).version

    def _models_of(self, name: str) -> _ProviderModels:
        models = self._read.get(name)
        if models is None:
            providers = msgspec.json.decode(self._bytes(), type=_Providers).providers
            models = self._read[name] = _ProviderModels(_decode_models(providers.get(name, b"[]")))
        return models

    def _bytes(self) -> bytes:
        return FILE.read_bytes() if self._content is None else self._content


def check(content: bytes) -> None:
    """Read all of a catalog. Raises `msgspec.DecodeError` where it cannot be asked."""
    for models in msgspec.json.decode(content, type=_Providers).providers.values():
        _decode_models(models)


def _dashed(found: "re.Match[str]") -> str:
    """`-20251211` as `-2025-12-11`, where that is a day."""
    year, month, day = found.groups()
    try:
        datetime(int(year), int(month), int(day), tzinfo=UTC)
    except ValueError:
        return found[0]
    return f"-{year}-{month}-{day}"
