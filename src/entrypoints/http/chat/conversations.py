"""`/api/conversations`: a person's conversations."""

from typing import Annotated, Literal

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg, PathParameter, QueryParameter

from application.chat.conversations import ConversationChange, Conversations
from application.chat.exports import as_json, as_markdown, as_passages
from application.chat.people import Person
from domain.conversations import active_line
from domain.ports.documents import DocumentSetter
from entrypoints.http.admin.operations import (
    CHANGE_ERRORS,
    COMPLAINTS,
    DELETE_ERRORS,
    FIRST_PAGE,
    ITEM_ERRORS,
    READ_ERRORS,
    WRITE_ERRORS,
    Cursor,
    Limit,
    example,
)
from entrypoints.http.chat.answers import (
    CONVERSATION_EXAMPLE,
    MESSAGE_EXAMPLE,
    ConversationAnswer,
    ConversationPage,
    conversation_answer,
)
from entrypoints.http.chat.people import PRESENT, require_person

ConversationId = Annotated[str, PathParameter(description="The id of a conversation")]
_WHOLE = CONVERSATION_EXAMPLE | {"messages": [MESSAGE_EXAMPLE]}


class NewConversation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A conversation with nothing in it yet."""

    title: str = ""
    model: str = ""
    system_prompt: str = ""


class CloneAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last message that is copied; all that are shown where none is named."""

    up_to_message_id: str | None = None


class SystemText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes behind the system prompt."""

    content: str


def _body(value: object) -> BodyKwarg:
    return BodyKwarg(examples=[Example(summary="A body", value=value)])


NewBody = Annotated[NewConversation, _body({"title": "Ideas", "system_prompt": "You are brief."})]
ChangeBody = Annotated[ConversationChange, _body({"title": "Better ideas"})]
CloneBody = Annotated[CloneAsked, _body({"up_to_message_id": MESSAGE_EXAMPLE["id"]})]
SystemBody = Annotated[SystemText, _body({"content": "Answer in French."})]


class ConversationController(Controller):
    path = "/api/conversations"
    tags = ("Conversations",)
    guards = (require_person,)
    dependencies = PRESENT
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listConversations",
        summary="List one's conversations",
        description="Those changed last first. With `query` those that have each of its words, or a part of it, in the "
        "title or in a message, whatever the case and the script.",
        responses={
            200: example({"data": [CONVERSATION_EXAMPLE], "next_cursor": None}, "The conversations", ConversationPage),
            **READ_ERRORS,
        },
    )
    @inject
    async def list_conversations(
        self,
        conversations: FromDishka[Conversations],
        person: NamedDependency[Person],
        words: Annotated[str, QueryParameter(name="query", description="Words to look for")] = "",
        limit: Limit = FIRST_PAGE,
        cursor: Cursor = None,
    ) -> ConversationPage:
        page = await conversations.list_page(person, words, limit, cursor)
        return ConversationPage(tuple(conversation_answer(one) for one in page.data), page.next_cursor)

    @post(
        operation_id="createConversation",
        summary="Begin a conversation",
        description="Empty. A message sent without a `conversation_id` begins one by itself.",
        responses={201: example(CONVERSATION_EXAMPLE, "The conversation", ConversationAnswer), **WRITE_ERRORS},
    )
    @inject
    async def create(
        self, conversations: FromDishka[Conversations], person: NamedDependency[Person], data: NewBody
    ) -> ConversationAnswer:
        return conversation_answer(await conversations.create(person, data.title, data.model, data.system_prompt))

    @get(
        "/{conversation_id:str}",
        operation_id="getConversation",
        summary="Look at a conversation",
        description="With the messages that are shown; with `all=true` their siblings too.",
        responses={200: example(_WHOLE, "The conversation", ConversationAnswer), **ITEM_ERRORS},
    )
    @inject
    async def get_one(
        self,
        conversations: FromDishka[Conversations],
        person: NamedDependency[Person],
        conversation_id: ConversationId,
        whole: Annotated[bool, QueryParameter(name="all", description="Other answers as well")] = False,
    ) -> ConversationAnswer:
        conversation = await conversations.get(person, conversation_id)
        messages = await conversations.messages(person, conversation_id)
        return conversation_answer(conversation, messages if whole else active_line(messages))

    @patch(
        "/{conversation_id:str}",
        operation_id="changeConversation",
        summary="Change a conversation",
        description="`active_message_id` shows the line that leads through that message: an earlier answer, say.",
        responses={200: example(CONVERSATION_EXAMPLE, "The conversation", ConversationAnswer), **CHANGE_ERRORS},
    )
    @inject
    async def change(
        self,
        conversations: FromDishka[Conversations],
        person: NamedDependency[Person],
        conversation_id: ConversationId,
        data: ChangeBody,
    ) -> ConversationAnswer:
        return conversation_answer(await conversations.change(person, conversation_id, data))

    @delete(
        "/{conversation_id:str}",
        operation_id="deleteConversation",
        summary="Delete a conversation",
        description="With its messages, for good. What it cost stays counted.",
        responses=DELETE_ERRORS,
    )
    @inject
    async def delete(
        self, conversations: FromDishka[Conversations], person: NamedDependency[Person], conversation_id: ConversationId
    ) -> None:
        await conversations.delete(person, conversation_id)

    @post(
        "/{conversation_id:str}/clone",
        operation_id="cloneConversation",
        summary="Clone a conversation",
        description="A copy of what is shown, up to a message and with it. To edit a message, clone up to the one "
        "before it and send the new text there.",
        responses={201: example(CONVERSATION_EXAMPLE, "The copy", ConversationAnswer), **CHANGE_ERRORS},
    )
    @inject
    async def clone(
        self,
        conversations: FromDishka[Conversations],
        person: NamedDependency[Person],
        conversation_id: ConversationId,
        data: CloneBody,
    ) -> ConversationAnswer:
        return conversation_answer(await conversations.clone(person, conversation_id, data.up_to_message_id))

    @post(
        "/{conversation_id:str}/system",
        status_code=200,
        operation_id="appendSystemPrompt",
        summary="Add to the system prompt",
        description="The text goes behind what is there. PATCH replaces it.",
        responses={200: example(CONVERSATION_EXAMPLE, "The conversation", ConversationAnswer), **CHANGE_ERRORS},
    )
    @inject
    async def append_system(
        self,
        conversations: FromDishka[Conversations],
        person: NamedDependency[Person],
        conversation_id: ConversationId,
        data: SystemBody,
    ) -> ConversationAnswer:
        return conversation_answer(await conversations.append_system(person, conversation_id, data.content))

    @get(
        "/{conversation_id:str}/export",
        operation_id="exportConversation",
        summary="Take a conversation away",
        description="A download of what is shown, as JSON, Markdown or PDF. PDF needs the extra `pdf`, else 501 "
        "`not_installed`; the page prints without it.",
        responses={
            200: ResponseSpec(
                str,
                generate_examples=False,
                media_type="text/markdown",
                description="The file",
                examples=[Example(summary="Markdown", value="# A prime above ten\n\n## You\n\nName one.\n")],
            ),
            **ITEM_ERRORS,
        },
    )
    @inject
    async def export(
        self,
        conversations: FromDishka[Conversations],
        documents: FromDishka[DocumentSetter],
        person: NamedDependency[Person],
        conversation_id: ConversationId,
        format_: Annotated[
            Literal["json", "markdown", "pdf"], QueryParameter(name="format", description="`json`, `markdown` or `pdf`")
        ] = "markdown",
    ) -> Response[bytes]:
        conversation = await conversations.get(person, conversation_id)
        line = active_line(await conversations.messages(person, conversation_id))
        if format_ == "json":
            made, kind, suffix = as_json(conversation, line), "application/json", "json"
        elif format_ == "pdf":
            made = await documents.pdf(conversation.title, as_passages(conversation, line))
            kind, suffix = "application/pdf", "pdf"
        else:
            made, kind, suffix = as_markdown(conversation, line), "text/markdown", "md"
        name = f"attachment; filename={conversation_id}.{suffix}"
        return Response(made, media_type=kind, headers={"content-disposition": name})
