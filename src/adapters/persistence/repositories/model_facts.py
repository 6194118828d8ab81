"""Facts of models in a table."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import delete, select
from typing_extensions import override

from adapters.persistence.tables import ModelFactsRow
from adapters.persistence.work import Work, guarded, upsert
from domain.model_facts import NOTHING_KNOWN, ModelFacts, StoredModelFacts
from domain.ports.models import ModelFactRepository


class SqlAlchemyModelFactRepository(ModelFactRepository):
    def __init__(self, work: Work) -> None:
        self._work = work

    @override
    @guarded
    async def list_all(self) -> Sequence[StoredModelFacts]:
        rows = await self._work.session.scalars(
            select(ModelFactsRow).order_by(ModelFactsRow.provider_id, ModelFactsRow.model)
        )
        return [StoredModelFacts(row.provider_id, row.model, _facts(row)) for row in rows]

    @override
    @guarded
    async def get(self, provider_id: str, model: str) -> ModelFacts | None:
        row = await self._work.session.get(ModelFactsRow, (provider_id, model))
        return None if row is None else _facts(row)

    @override
    @guarded
    async def put(self, stored: StoredModelFacts) -> None:
        session, key = self._work.session, {"provider_id": stored.provider_id, "model": stored.model}
        if stored.facts == NOTHING_KNOWN:
            await session.execute(delete(ModelFactsRow).filter_by(**key))
        else:
            await upsert(session, ModelFactsRow, [key | {"facts": msgspec.to_builtins(stored.facts)}])


def _facts(row: ModelFactsRow) -> ModelFacts:
    return msgspec.convert(row.facts, ModelFacts)
