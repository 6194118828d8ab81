"""Prices in a table: rows are added and ended, and never change otherwise (R-17)."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from sqlalchemy import CursorResult, update
from typing_extensions import override

from adapters.persistence.repositories.saving import insert_into
from adapters.persistence.tables import PriceTableRow
from adapters.persistence.work import Work, guarded
from domain.ports.prices import PriceRepository
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
    async def keep(self, rows: Sequence[PriceRow]) -> None:
        if rows:
            session = self._work.session
            insert = insert_into(session, PriceTableRow).on_conflict_do_nothing(index_elements=["id"])
            await session.execute(insert, [_columns(row) for row in rows])


def _columns(row: PriceRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__struct_fields__} | {"prices": msgspec.to_builtins(row.prices)}


def _entity(row: PriceTableRow) -> PriceRow:
    prices = msgspec.convert(row.prices, Prices)
    return PriceRow(row.id, row.provider_id, row.model, prices, row.source, row.effective_from, row.superseded_at)
