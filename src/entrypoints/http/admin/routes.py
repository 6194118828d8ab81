"""`/admin/routes`: aliases, and which deployments answer for them."""

from datetime import datetime
from typing import Annotated

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg, PathParameter

from application.admin.routes import RouteAdmin
from application.configuration.routes import NewRoute, RouteChange
from domain.actors import Actor
from domain.providers import Owner
from domain.routes import FallbackCause, Require, Route, Strategy, Target
from entrypoints.http.admin.operations import (
    CHANGE_ERRORS,
    COMPLAINTS,
    DELETE_ERRORS,
    ITEM_ERRORS,
    READ_ERRORS,
    WRITE_ERRORS,
    example,
)
from entrypoints.http.authorization import ACTING, require_admin

Alias = Annotated[str, PathParameter(description="The alias of a route")]


class RouteResponse(msgspec.Struct, frozen=True):
    """A route. `version` grows with each change; decisions name it. `fallback_on` of null is the usual causes."""

    alias: str
    strategy: Strategy
    targets: tuple[Target, ...]
    fallback_on: tuple[FallbackCause, ...] | None
    require: Require | None
    affinity: bool
    baseline: str | None
    holdout_share: float
    owner: Owner
    version: int
    created_at: datetime
    updated_at: datetime


class RouteList(msgspec.Struct, frozen=True):
    """All of them, by alias."""

    data: tuple[RouteResponse, ...]
    next_cursor: str | None = None


_NEW = {
    "alias": "fast",
    "strategy": "priority",
    "targets": [
        {"provider": "groq", "model": "openai/gpt-oss-120b", "when": {"max_input_tokens": 8000}},
        {"provider": "cerebras", "model": "gpt-oss-120b"},
    ],
}
_EXAMPLE = {
    **_NEW,
    "fallback_on": None,
    "require": None,
    "affinity": False,
    "baseline": None,
    "holdout_share": 0.0,
    "owner": "database",
    "version": 1,
    "created_at": "2026-11-30T11:58:00Z",
    "updated_at": "2026-11-30T11:58:00Z",
}
_CHANGE = {"strategy": "weighted", "fallback_on": ["error", "rate_limit", "timeout"]}

NewRouteBody = Annotated[NewRoute, BodyKwarg(examples=[Example(summary="A route", value=_NEW)])]
RouteChangeBody = Annotated[RouteChange, BodyKwarg(examples=[Example(summary="Another strategy", value=_CHANGE)])]


class RouteController(Controller):
    path = "/admin/routes"
    tags = ("Routes",)
    guards = (require_admin,)
    dependencies = ACTING
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listRoutes",
        summary="List routes",
        description="All of them, by alias, those of the settings file too.",
        responses={
            200: example({"data": [_EXAMPLE], "next_cursor": None}, "All routes", RouteList),
            **READ_ERRORS,
        },
    )
    @inject
    async def list_all(self, routes: FromDishka[RouteAdmin]) -> RouteList:
        return RouteList(tuple(map(_answer, await routes.list_all())))

    @post(
        operation_id="createRoute",
        summary="Create a route",
        description="Clients name its alias in `model`, before anything else of this name.",
        responses={201: example(_EXAMPLE, "Created", RouteResponse)} | WRITE_ERRORS,
    )
    @inject
    async def create(
        self, actor: NamedDependency[Actor], data: NewRouteBody, routes: FromDishka[RouteAdmin]
    ) -> RouteResponse:
        return _answer(await routes.create(actor, data))

    @get(
        "/{alias:str}",
        operation_id="getRoute",
        summary="Get a route",
        description="One route.",
        responses={200: example(_EXAMPLE, "The route", RouteResponse), **ITEM_ERRORS},
    )
    @inject
    async def get_one(self, alias: Alias, routes: FromDishka[RouteAdmin]) -> RouteResponse:
        return _answer(await routes.get(alias))

    @patch(
        "/{alias:str}",
        operation_id="updateRoute",
        summary="Change a route",
        description="In force for the next request, within a second in every process; running ones are left alone.",
        responses={200: example(_EXAMPLE, "Changed", RouteResponse), **CHANGE_ERRORS},
    )
    @inject
    async def update(
        self, actor: NamedDependency[Actor], alias: Alias, data: RouteChangeBody, routes: FromDishka[RouteAdmin]
    ) -> RouteResponse:
        return _answer(await routes.update(actor, alias, data))

    @delete(
        "/{alias:str}",
        operation_id="deleteRoute",
        summary="Delete a route",
        description="Its alias then means what it would mean without the route.",
        responses=DELETE_ERRORS,
    )
    @inject
    async def remove(self, actor: NamedDependency[Actor], alias: Alias, routes: FromDishka[RouteAdmin]) -> None:
        await routes.delete(actor, alias)


def _answer(route: Route) -> RouteResponse:
    policy = route.policy
    return RouteResponse(
        route.alias, policy.strategy, policy.targets, policy.fallback_on, policy.require, policy.affinity,
        policy.baseline, policy.holdout_share, route.owner, route.version, route.created_at, route.updated_at,
    )  # fmt: skip
