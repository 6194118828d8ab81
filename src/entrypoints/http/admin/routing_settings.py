"""`/admin/settings/routing`: how `auto` chooses where a request does not say."""

from typing import Annotated

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, get, patch
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg
from msgspec import UNSET, UnsetType

from application.admin.routing_settings import RoutingSettingsAdmin, RoutingSettingsChange
from application.routing.settings import ROUTING, RoutingSettings
from domain.actors import Actor
from domain.providers import Owner
from entrypoints.http.admin.operations import COMPLAINTS, READ_ERRORS, WRITE_ERRORS, example
from entrypoints.http.authorization import ACTING, require_admin
from entrypoints.http.owners import owner_of_setting, with_owner


class RoutingSettingsResponse(RoutingSettings, frozen=True, kw_only=True):
    """The same; with `owner` of `file` where the settings file declares them."""

    owner: Owner | UnsetType = UNSET


_SETTINGS = msgspec.to_builtins(RoutingSettings(baseline="openai/gpt-6-sol", priority="cost", holdout_share=0.02))

RoutingSettingsBody = Annotated[
    RoutingSettingsChange,
    BodyKwarg(examples=[Example(summary="Cheaper", value={"priority": "cost", "holdout_share": 0.02})]),
]


class RoutingSettingsController(Controller):
    path = "/admin/settings/routing"
    tags = ("Routing",)
    guards = (require_admin,)
    dependencies = ACTING
    exception_handlers = COMPLAINTS

    @get(
        operation_id="getRoutingSettings",
        summary="Get how `auto` chooses",
        description="`baseline` and `classifier_model` are `provider/model`, or null.",
        responses={200: example(_SETTINGS, "The settings", RoutingSettingsResponse), **READ_ERRORS},
    )
    @inject
    async def get_settings(self, settings: FromDishka[RoutingSettingsAdmin]) -> RoutingSettingsResponse:
        return _shown(await settings.get())

    @patch(
        operation_id="updateRoutingSettings",
        summary="Change how `auto` chooses",
        description="In force for the next request. What is absent stays; null goes back to what it is as shipped: no "
        "baseline, no model that classifies, `balanced`, `normal`, and no requests held out.",
        responses={200: example(_SETTINGS, "Changed", RoutingSettingsResponse), **WRITE_ERRORS},
    )
    @inject
    async def update_settings(
        self, actor: NamedDependency[Actor], data: RoutingSettingsBody, settings: FromDishka[RoutingSettingsAdmin]
    ) -> RoutingSettingsResponse:
        return _shown(await settings.update(actor, data))


def _shown(settings: RoutingSettings) -> RoutingSettingsResponse:
    return with_owner(RoutingSettingsResponse, settings, owner_of_setting(ROUTING))
