"""`/admin/model-groups`, and `/admin/settings/default-models`, the list of every personal tenant."""

from datetime import datetime
from typing import Annotated

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg, PathParameter
from msgspec import UNSET, UnsetType

from application.admin.default_models import DefaultModels, DefaultModelsAdmin
from application.admin.model_groups import ModelGroupAdmin, ModelGroupChange, NewModelGroup
from domain.actors import Actor
from domain.model_groups import ModelGroup
from domain.providers import Owner
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
from entrypoints.http.owners import owner_of, owner_of_setting

GroupName = Annotated[str, PathParameter(description="The name of a model group, without `@`")]


class ModelGroupResponse(msgspec.Struct, frozen=True):
    """A model group."""

    name: str
    patterns: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    owner: Owner = "database"


class ModelGroupList(msgspec.Struct, frozen=True):
    """All of them, by name."""

    data: tuple[ModelGroupResponse, ...]
    next_cursor: str | None = None


_EXAMPLE = {
    "name": "fast",
    "patterns": ["groq/*", "cerebras/*"],
    "created_at": "2026-11-30T11:58:00Z",
    "updated_at": "2026-11-30T11:58:00Z",
}
_LISTED = {"data": [_EXAMPLE], "next_cursor": None}
_NEW = {"name": "fast", "patterns": ["groq/*", "cerebras/*"]}
_DEFAULTS = {"models": ["@fast", "openai/gpt-6-luna"]}

NewModelGroupBody = Annotated[NewModelGroup, BodyKwarg(examples=[Example(summary="A group", value=_NEW)])]
ModelGroupChangeBody = Annotated[
    ModelGroupChange, BodyKwarg(examples=[Example(summary="Other patterns", value={"patterns": ["groq/*"]})])
]
DefaultModelsBody = Annotated[DefaultModels, BodyKwarg(examples=[Example(summary="A list", value=_DEFAULTS)])]


class ModelGroupController(Controller):
    path = "/admin/model-groups"
    tags = ("Models",)
    guards = (require_admin,)
    dependencies = ACTING
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listModelGroups",
        summary="List model groups",
        description="All of them, by name.",
        responses={
            200: example({"data": [_EXAMPLE], "next_cursor": None}, "All groups", ModelGroupList),
            **READ_ERRORS,
        },
    )
    @inject
    async def list_all(self, groups: FromDishka[ModelGroupAdmin]) -> ModelGroupList:
        return ModelGroupList(tuple(map(_answer, await groups.list_all())))

    @post(
        operation_id="createModelGroup",
        summary="Create a model group",
        description="Lists of keys and tenants can hold it as `@name`.",
        responses={201: example(_EXAMPLE, "Created", ModelGroupResponse)} | WRITE_ERRORS,
    )
    @inject
    async def create(
        self, actor: NamedDependency[Actor], data: NewModelGroupBody, groups: FromDishka[ModelGroupAdmin]
    ) -> ModelGroupResponse:
        return _answer(await groups.create(actor, data))

    @get(
        "/{name:str}",
        operation_id="getModelGroup",
        summary="Get a model group",
        description="One group.",
        responses={200: example(_EXAMPLE, "The group", ModelGroupResponse), **ITEM_ERRORS},
    )
    @inject
    async def get_one(self, name: GroupName, groups: FromDishka[ModelGroupAdmin]) -> ModelGroupResponse:
        return _answer(await groups.get(name))

    @patch(
        "/{name:str}",
        operation_id="updateModelGroup",
        summary="Change a model group",
        description="In force for the next request of whoever has it in a list.",
        responses={200: example(_EXAMPLE, "Changed", ModelGroupResponse), **CHANGE_ERRORS},
    )
    @inject
    async def update(
        self,
        actor: NamedDependency[Actor],
        name: GroupName,
        data: ModelGroupChangeBody,
        groups: FromDishka[ModelGroupAdmin],
    ) -> ModelGroupResponse:
        return _answer(await groups.update(actor, name, data))

    @delete(
        "/{name:str}",
        operation_id="deleteModelGroup",
        summary="Delete a model group",
        description="A list that has it allows nothing by it any more; one that took it away allows nothing at all.",
        responses=DELETE_ERRORS,
    )
    @inject
    async def remove(self, actor: NamedDependency[Actor], name: GroupName, groups: FromDishka[ModelGroupAdmin]) -> None:
        await groups.delete(actor, name)


class DefaultModelsResponse(msgspec.Struct, frozen=True):
    """`allowed_models` of every personal tenant: null allows all, an empty list nothing."""

    models: list[str] | None
    owner: Owner | UnsetType = UNSET


class DefaultModelsController(Controller):
    path = "/admin/settings/default-models"
    tags = ("Models",)
    guards = (require_admin,)
    dependencies = ACTING
    exception_handlers = COMPLAINTS

    @get(
        operation_id="getDefaultModels",
        summary="Get the models of personal tenants",
        description="`allowed_models` of every personal tenant, and of each new one.",
        responses={200: example(_DEFAULTS, "The list", DefaultModelsResponse), **READ_ERRORS},
    )
    @inject
    async def get_setting(self, defaults: FromDishka[DefaultModelsAdmin]) -> DefaultModelsResponse:
        return _shown(await defaults.get())

    @patch(
        operation_id="updateDefaultModels",
        summary="Change the models of personal tenants",
        description="Written into all of them again, also where somebody had changed it there.",
        responses={200: example(_DEFAULTS, "Changed", DefaultModelsResponse), **WRITE_ERRORS},
    )
    @inject
    async def update(
        self, actor: NamedDependency[Actor], data: DefaultModelsBody, defaults: FromDishka[DefaultModelsAdmin]
    ) -> DefaultModelsResponse:
        return _shown(await defaults.update(actor, data))


def _shown(setting: DefaultModels) -> DefaultModelsResponse:
    models = None if setting.models is None else list(setting.models)
    return DefaultModelsResponse(models, owner_of_setting("default-models"))


def _answer(group: ModelGroup) -> ModelGroupResponse:
    return ModelGroupResponse(
        group.name, group.patterns, group.created_at, group.updated_at, owner_of("model_group", group.name)
    )
