"""`GET /admin/models`: every model that can be called now, in the order in which its providers are tried."""

from typing import Annotated

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, get
from litestar.params import QueryParameter

from application.admin.paging import page_of
from application.admission.authentication import DEFAULT_TENANT_ID
from application.catalog import ModelDirectory
from application.snapshot import GatewayState
from domain.keys import Principal
from entrypoints.http.admin.operations import COMPLAINTS, FIRST_PAGE, READ_ERRORS, Cursor, Limit, example
from entrypoints.http.authorization import require_admin

_EVERYTHING = Principal("admin", None, DEFAULT_TENANT_ID)


class ModelAnswer(msgspec.Struct, frozen=True):
    """One deployment: `provider/model` is its full name. `context_window` is in tokens, where it is known."""

    provider: str
    model: str
    owned_by: str
    context_window: int | None


class ModelPage(msgspec.Struct, frozen=True):
    data: tuple[ModelAnswer, ...]
    next_cursor: str | None


_EXAMPLE = {
    "data": [{"provider": "cerebras", "model": "gpt-oss-120b", "owned_by": "openai", "context_window": 65536}],
    "next_cursor": None,
}


class ModelController(Controller):
    path = "/admin/models"
    tags = ("Models",)
    guards = (require_admin,)
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listOfferedModels",
        summary="List the models",
        description="What every usable provider offers: what its settings name, and what its own list said last. "
        "It is no allow-list: `provider/model` works for a model that is not here.",
        responses={200: example(_EXAMPLE, "The models", ModelPage), **READ_ERRORS},
    )
    @inject
    async def list_models(
        self,
        state: FromDishka[GatewayState],
        directory: FromDishka[ModelDirectory],
        provider: Annotated[str | None, QueryParameter(description="Only this provider's")] = None,
        limit: Limit = FIRST_PAGE,
        cursor: Cursor = None,
    ) -> ModelPage:
        offered = [
            ModelAnswer(live.provider.id, model.id, model.owned_by, model.context_window)
            for live in state.current.live
            if provider in {None, live.provider.id}
            for model in directory.visible_to(_EVERYTHING, live.provider.id)
        ]
        page = page_of(offered, limit, cursor, lambda answer: f"{answer.provider}/{answer.model}")
        return ModelPage(page.data, page.next_cursor)
