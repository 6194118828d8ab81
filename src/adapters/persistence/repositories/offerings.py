"""The model lists providers gave last, one row a provider."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from sqlalchemy import select
from typing_extensions import override

from adapters.persistence.tables import OfferingsRow
from adapters.persistence.work import Work, guarded, upsert
from domain.ports.repositories import OfferingRepository, StoredList
from domain.providers import Offering


class _Rows(SQLAlchemyAsyncRepository[OfferingsRow]):
    model_type = OfferingsRow
    id_attribute = "provider_id"


class SqlAlchemyOfferingRepository(OfferingRepository):
    def __init__(self, work: Work) -> None:
        self._work = work
        self._rows = _Rows(session=work.session, wrap_exceptions=False, auto_refresh=False)

    @override
    @guarded
    async def load(self, known: Mapping[str, datetime] | None = None) -> Sequence[StoredList]:
        if known:
            read = await self._work.session.execute(select(OfferingsRow.provider_id, OfferingsRow.listed_at))
            wanted = [row.provider_id for row in read if known.get(row.provider_id) != row.listed_at]
            rows = await self._rows.get_many(
                OfferingsRow.provider_id.in_(wanted), order_by=[(OfferingsRow.provider_id, False)]
            )
        else:
            rows = await self._rows.get_many(order_by=[(OfferingsRow.provider_id, False)])
        return [(row.provider_id, row.listed_at, msgspec.convert(row.models, tuple[Offering, ...])) for row in rows]

    @override
    @guarded
    async def replace(self, provider_id: str, listed_at: datetime, offerings: Sequence[Offering]) -> None:
        models = msgspec.to_builtins(list(offerings))
        row = {"provider_id": provider_id, "listed_at": listed_at, "models": models}
        await upsert(self._work.session, OfferingsRow, [row])
