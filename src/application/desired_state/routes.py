"""Routes as a document writes them: as the API does."""

from collections.abc import Sequence

import msgspec

from application.configuration.routes import NewRoute, RouteChange
from application.desired_state.objects import Administration, Draft, Found, Kind, Made, References
from domain.actors import Actor
from domain.routes import RoutePolicy


async def _routes(of: Administration, _: References) -> Sequence[Found]:
    return [
        Found(
            each.alias,
            each.alias,
            NewRoute(alias=each.alias, **{name: getattr(each.policy, name) for name in RoutePolicy.__struct_fields__}),
            closed="" if each.owner == "database" else f"it is declared by the {each.owner}",
        )
        for each in await of.routes.list_all()
    ]


async def _create_route(of: Administration, actor: Actor, draft: Draft, _: References) -> Made:
    return Made((await of.routes.create(actor, draft.of(NewRoute))).alias)


async def _update_route(of: Administration, actor: Actor, alias: str, draft: Draft, _: References) -> object:
    change = RouteChange(**{name: getattr(draft.entry, name) for name in draft.changed})
    return await of.routes.update(actor, alias, change)


def _alias(entry: msgspec.Struct) -> str:
    return str(getattr(entry, "alias", ""))


ROUTES = Kind(
    section="routes",
    object_kind="route",
    entry=NewRoute,
    key=_alias,
    find=_routes,
    create=_create_route,
    update=_update_route,
    delete=lambda of, actor, found: of.routes.delete(actor, found.id),
)
