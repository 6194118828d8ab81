"""The list prices of genai-prices, from the file that `.ci/prices` takes out of the library (decision 0022)."""

import re
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import msgspec
from typing_extensions import override

from adapters.prices.matching import Clause, Matcher
from adapters.prices.providers import CATALOG_NAMES
from domain.ports.prices import CatalogAnswer, CatalogPrice, PriceCatalog
from domain.prices import Prices

FILE = Path(__file__).with_name("catalog.json")

_COMPACT_DATE = re.compile(r"-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")
_DAY = timedelta(days=1)


class _Alternative(msgspec.Struct, frozen=True):
    """A price and when it holds: since a moment, or every day between two minutes of the day in UTC."""

    prices: Prices | None  # None: not charged by the token
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
        """When this alternative begins or ends to hold, the next time."""
        if self.starts is not None:
            return [self.starts] if self.starts > at else []
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
        moments = [midnight + timedelta(minutes=minute) for minute in self.daily or ()]
        return [moment if moment > at else moment + _DAY for moment in moments]


class _Model(msgspec.Struct, frozen=True):
    """The last alternative that holds is the price; where none does, the first is."""

    match: Clause
    prices: tuple[_Alternative, ...]

    def at(self, moment: datetime) -> CatalogAnswer:
        until = min((change for one in self.prices for change in one.changes_after(moment)), default=None)
        variant = max((place for place, one in enumerate(self.prices) if one.holds(moment)), default=0)
        chosen = self.prices[variant]
        price = None if chosen.prices is None else CatalogPrice(chosen.prices, variant, chosen.starts)
        return CatalogAnswer(price, until)


class _File(msgspec.Struct, frozen=True):
    version: str
    providers: dict[str, tuple[_Model, ...]]


class GenaiPricesCatalog(PriceCatalog):
    """Reads the file when first asked, in about ten milliseconds."""

    @property
    @override
    def source(self) -> str:
        return f"genai-prices {self._file.version}"

    @override
    def load(self) -> None:
        _ = self._matchers

    @override
    def find(self, preset: str, model: str, at: datetime) -> CatalogAnswer:
        name = CATALOG_NAMES.get(preset)
        matcher = self._matchers.get(name) if name is not None else None
        if name is None or matcher is None:
            return CatalogAnswer(None)
        model = model.lower()
        place = matcher.first(model)
        if place is None and (dashed := _COMPACT_DATE.sub(_dashed, model)) != model:
            place = matcher.first(dashed)
        return CatalogAnswer(None) if place is None else self._file.providers[name][place].at(at.astimezone(UTC))

    @cached_property
    def _file(self) -> _File:
        return msgspec.json.decode(FILE.read_bytes(), type=_File)

    @cached_property
    def _matchers(self) -> dict[str, Matcher]:
        return {name: Matcher([model.match for model in models]) for name, models in self._file.providers.items()}


def _dashed(found: "re.Match[str]") -> str:
    """`-20251211` as `-2025-12-11`, where that is a day."""
    year, month, day = found.groups()
    try:
        datetime(int(year), int(month), int(day), tzinfo=UTC)
    except ValueError:
        return found[0]
    return f"-{year}-{month}-{day}"
