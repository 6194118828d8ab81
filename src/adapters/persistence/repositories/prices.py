"""Prices in a table: rows are added and ended, and never change otherwise (R-17)."""

import zlib
from collections.abc import Sequence
from datetime import datetime

import msgspec
from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from sqlalchemy import CursorResult, select, update
from typing_extensions import override

from adapters.persistence.tables import PriceCatalogRow, PriceTableRow
from adapters.persistence.work import Work, guarded, insert_into
from domain.ports.prices import PriceRepository
from domain.price_catalogs import StoredCatalog
from domain.prices import ADMIN, PriceRow, Prices

_IN_FORCE = (PriceTableRow.source == ADMIN, PriceTableRow.superseded_at.is_(None))


class _Rows(SQLAlchemyAsyncRepository[PriceTableRow]):
    model_type = PriceTableRow


class SqlAlchemyPriceRepository(PriceRepository):
    def __init__(self, work: Work) -> None:
        self._work = work
        self._rows = _Rows(session=work.session, wrap_exceptions=False, auto_refresh=False)

    @override
    @guarded
    async def list_current(self) -> Sequence[PriceRow]:
        rows = await self._rows.get_many(*_IN_FORCE)
        return sorted((_entity(row) for row in rows), key=lambda price: (price.provider_id, price.model))

    @override
    @guarded
    async def get(self, price_id: str) -> PriceRow | None:
        row = await self._rows.get_one_or_none(id=price_id)
        return None if row is None else _entity(row)

    @override
    @guarded
    async def supersede(self, row: PriceRow) -> None:
        session = self._work.session
        same = (PriceTableRow.provider_id == row.provider_id, PriceTableRow.model == row.model)
        await session.execute(update(PriceTableRow).where(*same, *_IN_FORCE).values(superseded_at=row.effective_from))
        await session.execute(insert_into(session, PriceTableRow).values(_columns(row)))

    @override
    @guarded
    async def end(self, price_id: str, at: datetime) -> bool:
        in_force = (PriceTableRow.id == price_id, PriceTableRow.superseded_at.is_(None))
        ended = await self._work.session.execute(update(PriceTableRow).where(*in_force).values(superseded_at=at))
        return isinstance(ended, CursorResult) and ended.rowcount > 0

    @override
    @guarded
    async def add_catalog(self, catalog: StoredCatalog) -> None:
        session = self._work.session
        columns = msgspec.structs.asdict(catalog) | {"content": zlib.compress(catalog.content)}
        insert = insert_into(session, PriceCatalogRow).on_conflict_do_nothing(index_elements=["version"])
        await session.execute(insert.values(columns))

    @override
    @guarded
    async def get_catalog(self, version: str) -> StoredCatalog | None:
        row = await self._work.session.get(PriceCatalogRow, version)
        if row is None:
            return None
        columns = {name: getattr(row, name) for name in StoredCatalog.__struct_fields__}
        return StoredCatalog(**columns | {"content": zlib.decompress(row.content)})

    @override
    @guarded
    async def list_catalogs(self) -> Sequence[StoredCatalog]:
        names = [name for name in StoredCatalog.__struct_fields__ if name != "content"]
        columns = [getattr(PriceCatalogRow, name) for name in names]
        ordered = select(*columns).order_by(PriceCatalogRow.stored_at.desc(), PriceCatalogRow.version.desc())
        found = await self._work.session.execute(ordered)
        return [StoredCatalog(*row) for row in found.all()]

    @override
    @guarded
    async def keep(self, rows: Sequence[PriceRow]) -> None:
        if rows:
            session = self._work.session
            insert = insert_into(session, PriceTableRow).on_conflict_do_nothing(index_elements=["id"])
            await session.execute(insert, [_columns(row) for row in rows])


def _columns(row: PriceRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__struct_fields__} | {"prices": msgspec.to_builtins(row.prices)}


def _entity(row: PriceTableRow) -> PriceRow:
    return PriceRow(
        id=row.id,
        provider_id=row.provider_id,
        model=row.model,
        prices=msgspec.convert(row.prices, Prices),
        source=row.source,
        effective_from=row.effective_from,
        superseded_at=row.superseded_at,
    )
