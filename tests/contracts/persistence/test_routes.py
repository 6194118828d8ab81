"""What every store promises of routes, asked of the fake, SQLite and Postgres alike."""

import msgspec

from domain.ports.repositories import Store
from domain.routes import Require, Route, RoutePolicy, Target, When
from tests.builders import NOW
from tests.other_values import each_field_changed


def a_route(alias: str) -> Route:
    return Route(alias, RoutePolicy(targets=(Target("m", "alpha"),)), "database", 1, NOW, NOW)


async def test_routes_are_kept_by_alias(store: Store) -> None:
    fast = a_route("fast")
    changed = msgspec.structs.replace(fast, policy=RoutePolicy(strategy="weighted", targets=(Target("n"),)), version=2)
    async with store.write() as unit:
        for route in (a_route("slow"), fast, a_route("Fast")):
            await unit.routes.put(route)
        await unit.routes.put(changed)
        assert await unit.routes.delete("slow")
        assert not await unit.routes.delete("slow")

    async with store.read() as unit:
        assert await unit.routes.list_all() == [a_route("Fast"), changed]
        assert await unit.routes.get("fast") == changed
        assert await unit.routes.get("slow") is None


def whole() -> list[Route]:
    """Routes that differ in one field each, of every struct that is in one."""
    policy, route = RoutePolicy(targets=(Target("m"),)), a_route("r")
    policies = [
        *(changed for _, changed in each_field_changed(policy)),
        *(RoutePolicy(targets=(changed,)) for _, changed in each_field_changed(Target("m"))),
        *(RoutePolicy(targets=(Target("m", when=changed),)) for _, changed in each_field_changed(When())),
        *(msgspec.structs.replace(policy, require=changed) for _, changed in each_field_changed(Require())),
    ]
    return [
        *(changed for _, changed in each_field_changed(route)),
        *(msgspec.structs.replace(route, policy=changed) for changed in policies),
    ]


async def test_every_field_of_a_route_comes_back(store: Store) -> None:
    routes = [msgspec.structs.replace(route, alias=f"r{place:03}") for place, route in enumerate(whole())]
    async with store.write() as unit:
        for route in routes:
            await unit.routes.put(route)

    async with store.read() as unit:
        assert await unit.routes.list_all() == routes
