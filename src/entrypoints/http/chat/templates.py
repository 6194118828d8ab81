"""`/api/templates`: a person's texts with `{{name}}` fields."""

from typing import Annotated

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg, PathParameter

from application.chat.people import Person
from application.chat.templates import TemplateChange, Templates
from entrypoints.http.admin.operations import (
    CHANGE_ERRORS,
    COMPLAINTS,
    DELETE_ERRORS,
    ITEM_ERRORS,
    READ_ERRORS,
    WRITE_ERRORS,
    example,
)
from entrypoints.http.chat.answers import TEMPLATE_EXAMPLE, TemplateAnswer, TemplateList, template_answer
from entrypoints.http.chat.people import PRESENT, require_person


class NewTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A template. With `system` it is a system prompt."""

    name: str
    content: str
    system: bool = False


_NEW = {"name": "Explain", "content": "Explain {{topic}} to a child."}
NewBody = Annotated[NewTemplate, BodyKwarg(examples=[Example(summary="A template", value=_NEW)])]
ChangeBody = Annotated[TemplateChange, BodyKwarg(examples=[Example(summary="A name", value={"name": "Explain it"})])]
TemplateId = Annotated[str, PathParameter(description="The id of a template")]


class TemplateController(Controller):
    path = "/api/templates"
    tags = ("Templates",)
    guards = (require_person,)
    dependencies = PRESENT
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listTemplates",
        summary="List one's templates",
        description="All of them, by name.",
        responses={
            200: example({"data": [TEMPLATE_EXAMPLE], "next_cursor": None}, "The templates", TemplateList),
            **READ_ERRORS,
        },
    )
    @inject
    async def list_templates(self, templates: FromDishka[Templates], person: NamedDependency[Person]) -> TemplateList:
        return TemplateList(tuple(template_answer(one) for one in await templates.list_all(person)))

    @post(
        operation_id="createTemplate",
        summary="Keep a template",
        description="Fields are `{{name}}` with letters and underscores; everything else in double braces is text.",
        responses={201: example(TEMPLATE_EXAMPLE, "The template", TemplateAnswer), **WRITE_ERRORS},
    )
    @inject
    async def create(
        self, templates: FromDishka[Templates], person: NamedDependency[Person], data: NewBody
    ) -> TemplateAnswer:
        return template_answer(await templates.create(person, data.name, data.content, system=data.system))

    @get(
        "/{template_id:str}",
        operation_id="getTemplate",
        summary="Look at a template",
        description="With the names of its fields.",
        responses={200: example(TEMPLATE_EXAMPLE, "The template", TemplateAnswer), **ITEM_ERRORS},
    )
    @inject
    async def get_one(
        self, templates: FromDishka[Templates], person: NamedDependency[Person], template_id: TemplateId
    ) -> TemplateAnswer:
        return template_answer(await templates.get(person, template_id))

    @patch(
        "/{template_id:str}",
        operation_id="changeTemplate",
        summary="Change a template",
        description="What is left out stays.",
        responses={200: example(TEMPLATE_EXAMPLE, "The template", TemplateAnswer), **CHANGE_ERRORS},
    )
    @inject
    async def change(
        self,
        templates: FromDishka[Templates],
        person: NamedDependency[Person],
        template_id: TemplateId,
        data: ChangeBody,
    ) -> TemplateAnswer:
        return template_answer(await templates.change(person, template_id, data))

    @delete(
        "/{template_id:str}",
        operation_id="deleteTemplate",
        summary="Delete a template",
        description="For good.",
        responses=DELETE_ERRORS,
    )
    @inject
    async def delete(
        self, templates: FromDishka[Templates], person: NamedDependency[Person], template_id: TemplateId
    ) -> None:
        await templates.delete(person, template_id)
