"""Prices and facts of models in memory."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from typing_extensions import override

from domain.model_facts import NOTHING_KNOWN, ModelFacts, StoredModelFacts
from domain.ports.models import ModelFactRepository
from domain.ports.prices import PriceRepository
from domain.price_catalogs import StoredCatalog
from domain.prices import ADMIN, PriceRow


class MemoryModelFacts(ModelFactRepository):
    def __init__(self, facts: dict[tuple[str, str], ModelFacts]) -> None:
        self._facts = facts

    @override
    async def list_all(self) -> Sequence[StoredModelFacts]:
        return [StoredModelFacts(*key, facts) for key, facts in sorted(self._facts.items())]

    @override
    async def get(self, provider_id: str, model: str) -> ModelFacts | None:
        return self._facts.get((provider_id, model))

    @override
    async def put(self, stored: StoredModelFacts) -> None:
        self._facts.pop((stored.provider_id, stored.model), None)
        if stored.facts != NOTHING_KNOWN:
            self._facts[stored.provider_id, stored.model] = stored.facts


class MemoryPrices(PriceRepository):
    def __init__(self, prices: dict[str, PriceRow], catalogs: dict[str, StoredCatalog]) -> None:
        self._prices = prices
        self._catalogs = catalogs

    @override
    async def add_catalog(self, catalog: StoredCatalog) -> None:
        self._catalogs.setdefault(catalog.version, catalog)

    @override
    async def get_catalog(self, version: str) -> StoredCatalog | None:
        return self._catalogs.get(version)

    @override
    async def list_catalogs(self) -> Sequence[StoredCatalog]:
        newest = sorted(self._catalogs.values(), key=lambda each: (each.stored_at, each.version), reverse=True)
        return [msgspec.structs.replace(each, content=b"") for each in newest]

    @override
    async def list_current(self) -> Sequence[PriceRow]:
        rows = [row for row in self._prices.values() if row.source == ADMIN and row.superseded_at is None]
        return sorted(rows, key=lambda row: (row.provider_id, row.model))

    @override
    async def get(self, price_id: str) -> PriceRow | None:
        return self._prices.get(price_id)

    @override
    async def supersede(self, row: PriceRow) -> None:
        for old in await self.list_current():
            if (old.provider_id, old.model) == (row.provider_id, row.model):
                await self.end(old.id, row.effective_from)
        self._prices[row.id] = row

    @override
    async def end(self, price_id: str, at: datetime) -> bool:
        row = self._prices.get(price_id)
        if row is None or row.superseded_at is not None:
            return False
        self._prices[price_id] = msgspec.structs.replace(row, superseded_at=at)
        return True

    @override
    async def keep(self, rows: Sequence[PriceRow]) -> None:
        for row in rows:
            self._prices.setdefault(row.id, row)
