"""Model groups in a table."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import delete, select
from typing_extensions import override

from adapters.persistence.tables import ModelGroupRow
from adapters.persistence.work import Work, guarded, upsert
from domain.model_groups import ModelGroup
from domain.ports.people import ModelGroupRepository


class SqlAlchemyModelGroupRepository(ModelGroupRepository):
    def __init__(self, work: Work) -> None:
        self._work = work

    @override
    @guarded
    async def patterns(self, names: Collection[str]) -> Mapping[str, Sequence[str]]:
        if not names:
            return {}
        asked = select(ModelGroupRow.name, ModelGroupRow.patterns).where(ModelGroupRow.name.in_(sorted(names)))
        return {row.name: tuple(row.patterns) for row in await self._work.session.execute(asked)}

    @override
    @guarded
    async def get(self, name: str) -> ModelGroup | None:
        row = await self._work.session.get(ModelGroupRow, name)
        return None if row is None else _entity(row)

    @override
    @guarded
    async def list_all(self) -> Sequence[ModelGroup]:
        found = await self._work.session.execute(select(ModelGroupRow).order_by(ModelGroupRow.name))
        return [_entity(row) for row in found.scalars()]

    @override
    @guarded
    async def put(self, group: ModelGroup) -> None:
        values = {
            "name": group.name,
            "patterns": list(group.patterns),
            "created_at": group.created_at,
            "updated_at": group.updated_at,
        }
        await upsert(self._work.session, ModelGroupRow, [values])

    @override
    @guarded
    async def delete(self, name: str) -> bool:
        gone = await self._work.session.execute(
            delete(ModelGroupRow).where(ModelGroupRow.name == name).returning(ModelGroupRow.name)
        )
        return gone.first() is not None


def _entity(row: ModelGroupRow) -> ModelGroup:
    return ModelGroup(row.name, tuple(row.patterns), row.created_at, row.updated_at)
