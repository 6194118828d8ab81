"""Leases as rows with an end: one statement each, so that a pooler in front of the database changes nothing.

An advisory lock would be a session's, and behind a pooler of transactions a session is nobody's.
"""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, cast, delete, func, literal, or_
from typing_extensions import override

from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.tables import LeaseRow
from adapters.persistence.work import insert_into
from domain.ports.leases import Leases


class SqlAlchemyLeases(Leases):
    def __init__(self, store: SqlAlchemyStore) -> None:
        self._store = store

    @override
    async def take(self, name: str, holder: str, seconds: float) -> bool:
        async with self._store.writing() as work:
            session = work.session
            now = _milliseconds_now(session.get_bind().dialect.name)
            insert = insert_into(session, LeaseRow).values(name=name, holder=holder, ends_at=now + int(1000 * seconds))
            taken = insert.on_conflict_do_update(
                index_elements=["name"],
                set_={"holder": insert.excluded.holder, "ends_at": insert.excluded.ends_at},
                where=or_(LeaseRow.holder == holder, LeaseRow.ends_at <= now),
            ).returning(literal(1))
            return (await work.run(session.execute(taken))).first() is not None

    @override
    async def give_back(self, name: str, holder: str) -> None:
        async with self._store.writing() as work:
            await work.run(
                work.session.execute(delete(LeaseRow).where(LeaseRow.name == name, LeaseRow.holder == holder))
            )


def _milliseconds_now(dialect: str) -> ColumnElement[Any]:
    if dialect == "postgresql":
        return cast(func.extract("epoch", func.clock_timestamp()) * 1000, BigInteger)
    return cast((func.julianday("now") - 2_440_587.5) * 86_400_000, BigInteger)
