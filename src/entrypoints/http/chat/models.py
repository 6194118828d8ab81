"""`GET /api/models`: what the person may ask for in the chat."""

from typing import Annotated

from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from application.catalog import ModelDirectory
from application.chat.people import Callers, Person
from domain.models import ModelList
from entrypoints.http.admin.operations import READ_ERRORS, example
from entrypoints.http.chat.people import PRESENT, require_person
from entrypoints.http.inference.models import LIST_MODELS


class ChatModelController(Controller):
    path = "/api/models"
    tags = ("Chat app",)
    guards = (require_person,)
    dependencies = PRESENT

    @get(
        operation_id="listChatModels",
        summary="List the models one may use",
        description="As `GET /v1/models`, with prices in USD per million tokens, context window and capabilities.",
        responses={200: example(LIST_MODELS.response_example, "The models", ModelList), **READ_ERRORS},
    )
    @inject
    async def list_models(
        self,
        directory: FromDishka[ModelDirectory],
        callers: FromDishka[Callers],
        person: NamedDependency[Person],
        tenant_id: Annotated[str | None, QueryParameter(description="Who pays, if not the personal one")] = None,
    ) -> ModelList:
        principal = await callers.principal(person.paying_in(tenant_id))
        await directory.read_awaited()
        return ModelList(directory.visible_to(principal, None))
