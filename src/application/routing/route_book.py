"""The routes in force: those of the settings file over those of the database, in memory."""

from collections.abc import Iterable, Mapping

from domain.ports.repositories import UnitOfWork
from domain.routes import Route


class RouteBook:
    """Call `reload` when routes have changed. `routes` is by alias, and swapped whole."""

    def __init__(self, declared: Iterable[Route] = ()) -> None:
        self.declared: Mapping[str, Route] = {route.alias: route for route in declared}
        self.routes: Mapping[str, Route] = self.declared
        self.generation = 0

    async def reload(self, unit: UnitOfWork) -> None:
        """Raises `StoreUnavailable`, and keeps what it had."""
        stored = {route.alias: route for route in await unit.routes.list_all()}
        self.routes = {**stored, **self.declared}
        self.generation += 1
