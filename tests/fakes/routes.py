"""Routes in memory."""

from collections.abc import Sequence

from typing_extensions import override

from domain.ports.routes import RouteRepository
from domain.routes import Route


class MemoryRoutes(RouteRepository):
    def __init__(self, rows: dict[str, Route]) -> None:
        self._rows = rows

    @override
    async def get(self, alias: str) -> Route | None:
        return self._rows.get(alias)

    @override
    async def list_all(self) -> Sequence[Route]:
        return [self._rows[alias] for alias in sorted(self._rows)]

    @override
    async def put(self, route: Route) -> None:
        self._rows[route.alias] = route

    @override
    async def delete(self, alias: str) -> bool:
        return self._rows.pop(alias, None) is not None
