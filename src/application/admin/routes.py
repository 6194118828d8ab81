"""Routes: aliases that clients name in `model`, and what answers for them."""

from typing import NoReturn

import msgspec

from application.admin.config_write import Change, config_write, read_only
from application.configuration.routes import NewRoute, RouteChange, changed, check_policy, route_of
from application.routing.route_book import RouteBook
from application.snapshot import GatewayState
from domain.actors import Actor
from domain.authority import Right, require
from domain.errors import Conflict, NotFound
from domain.ports.repositories import Store
from domain.ports.runtime import Clock
from domain.routes import Route


class RouteAdmin:
    """Creates, lists, changes and deletes routes; in force for the next request, in every process within a second.

    A route of the settings file is shown, and changed there alone.
    """

    def __init__(self, store: Store, state: GatewayState, book: RouteBook, clock: Clock) -> None:
        self._store = store
        self._state = state
        self._book = book
        self._clock = clock

    async def list_all(self) -> tuple[Route, ...]:
        """By alias."""
        async with self._store.read() as unit:
            stored = {route.alias: route for route in await unit.routes.list_all()}
        everything = {**stored, **self._book.declared}
        return tuple(everything[alias] for alias in sorted(everything))

    async def get(self, alias: str) -> Route:
        """Raises `NotFound`."""
        if (route := self._book.declared.get(alias)) is not None:
            return route
        async with self._store.read() as unit:
            found = await unit.routes.get(alias)
        if found is None:
            raise _no_such_route(alias)
        return found

    async def create(self, actor: Actor, new: NewRoute) -> Route:
        """Raises `PermissionDenied`, `RequestInvalid`, and `Conflict` where the alias is taken."""
        require(actor, Right.PLATFORM_WRITE, "")
        route = route_of(new, "database", self._clock.now())
        check_policy(route.policy, self._state.current.by_id)
        if new.alias in self._book.declared:
            self._refuse_declared(new.alias)
        async with config_write(self._store, self._state, actor, Change("create", "route", new.alias)) as unit:
            if await unit.routes.get(new.alias) is not None:
                raise Conflict(f"A route '{new.alias}' exists already.", param="alias")
            await unit.routes.put(route)
        return route

    async def update(self, actor: Actor, alias: str, change: RouteChange) -> Route:
        """Raises `NotFound`, `PermissionDenied`, `RequestInvalid`, and `Conflict` for one of the settings file."""
        require(actor, Right.PLATFORM_WRITE, "")
        if alias in self._book.declared:
            self._refuse_declared(alias)
        async with config_write(self._store, self._state, actor, Change("update", "route", alias)) as unit:
            route = await unit.routes.get(alias)
            if route is None:
                raise _no_such_route(alias)
            policy = changed(route.policy, change)
            check_policy(policy, self._state.current.by_id if change.targets is not msgspec.UNSET else None)
            route = msgspec.structs.replace(
                route, policy=policy, version=route.version + 1, updated_at=self._clock.now()
            )
            await unit.routes.put(route)
        return route

    async def delete(self, actor: Actor, alias: str) -> None:
        """Raises `NotFound`, `PermissionDenied`, and `Conflict` for one of the settings file."""
        require(actor, Right.PLATFORM_WRITE, "")
        if alias in self._book.declared:
            self._refuse_declared(alias)
        async with config_write(self._store, self._state, actor, Change("delete", "route", alias)) as unit:
            if not await unit.routes.delete(alias):
                raise _no_such_route(alias)

    def _refuse_declared(self, alias: str) -> NoReturn:
        raise read_only(f"Route '{alias}'", self._book.declared[alias].owner, None)


def _no_such_route(alias: str) -> NotFound:
    return NotFound(f"There is no route '{alias}'. GET /admin/routes lists them.")
