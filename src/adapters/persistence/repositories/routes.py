"""Routes in a table."""

from collections.abc import Sequence
from typing import cast

import msgspec
from sqlalchemy import delete, select
from typing_extensions import override

from adapters.persistence.tables import RouteRow
from adapters.persistence.work import Work, guarded, upsert
from domain.ports.routes import RouteRepository
from domain.providers import Owner
from domain.routes import Route, RoutePolicy


class SqlAlchemyRouteRepository(RouteRepository):
    def __init__(self, work: Work) -> None:
        self._work = work

    @override
    @guarded
    async def get(self, alias: str) -> Route | None:
        row = await self._work.session.get(RouteRow, alias)
        return None if row is None else _entity(row)

    @override
    @guarded
    async def list_all(self) -> Sequence[Route]:
        found = await self._work.session.execute(select(RouteRow).order_by(RouteRow.alias))
        return [_entity(row) for row in found.scalars()]

    @override
    @guarded
    async def put(self, route: Route) -> None:
        values = {
            "alias": route.alias,
            "policy": msgspec.to_builtins(route.policy),
            "owner": route.owner,
            "version": route.version,
            "created_at": route.created_at,
            "updated_at": route.updated_at,
        }
        await upsert(self._work.session, RouteRow, [values])

    @override
    @guarded
    async def delete(self, alias: str) -> bool:
        gone = await self._work.session.execute(
            delete(RouteRow).where(RouteRow.alias == alias).returning(RouteRow.alias)
        )
        return gone.first() is not None


def _entity(row: RouteRow) -> Route:
    policy = msgspec.convert(row.policy, RoutePolicy)
    return Route(row.alias, policy, cast(Owner, row.owner), row.version, row.created_at, row.updated_at)
