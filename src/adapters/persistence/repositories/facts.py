"""Named values in a table."""

from collections.abc import Mapping

from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from sqlalchemy import BigInteger, Text, cast, delete, select
from typing_extensions import override

from adapters.persistence.tables import FactRow
from adapters.persistence.work import Work, guarded, insert_into, upsert
from domain.ports.repositories import FactRepository


class _Rows(SQLAlchemyAsyncRepository[FactRow]):
    model_type = FactRow
    id_attribute = "name"


class SqlAlchemyFactRepository(FactRepository):
    def __init__(self, work: Work) -> None:
        self._work = work
        self._rows = _Rows(session=work.session, wrap_exceptions=False, auto_refresh=False)

    @override
    @guarded
    async def get(self, name: str) -> str | None:
        row = await self._rows.get_one_or_none(name=name)
        return None if row is None else row.value

    @override
    @guarded
    async def put(self, name: str, value: str) -> None:
        await upsert(self._work.session, FactRow, [{"name": name, "value": value}])

    @override
    @guarded
    async def bump(self, name: str) -> int:
        session = self._work.session
        following = cast(cast(FactRow.value, BigInteger) + 1, Text)
        insert = insert_into(session, FactRow).values(name=name, value="1")
        bumped = insert.on_conflict_do_update(index_elements=["name"], set_={"value": following})
        value = (await session.execute(bumped.returning(FactRow.value))).scalar_one()
        session.expire_all()
        return int(value)

    @override
    @guarded
    async def forget(self, name: str) -> None:
        await self._work.session.execute(delete(FactRow).where(FactRow.name == name))

    @override
    @guarded
    async def beginning_with(self, prefix: str, at_most: int) -> Mapping[str, str]:
        named = select(FactRow.name, FactRow.value).where(FactRow.name.startswith(prefix, autoescape=True))
        rows = await self._work.session.execute(named.order_by(FactRow.name).limit(at_most))
        return {row.name: row.value for row in rows}
