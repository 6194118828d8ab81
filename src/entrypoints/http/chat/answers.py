"""What the chat's API answers: conversations, messages and templates, with decimal strings for money."""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from application.chat.templates import fields_of
from domain.conversations import ChatMessage, Conversation, MessageStatus, Template
from domain.money import usd


class ContentPart(msgspec.Struct, frozen=True, omit_defaults=True):
    """Text, or a picture with the address that it is served at."""

    type: str
    text: str | None = None
    file_id: str | None = None
    url: str | None = None


class MessageAnswer(msgspec.Struct, frozen=True):
    """A message. `content` is a text, or parts where there are pictures; `parent_id` is the message before it.

    Messages of one parent are siblings, and `active` marks the one that is shown. `cost_usd` is null where nothing was
    used, or where nobody knows the price: then `unpriced` is true.
    """

    id: str
    role: str
    content: str | tuple[ContentPart, ...]
    model: str | None
    provider: str | None
    temperature: float | None
    reasoning: str
    status: MessageStatus
    parent_id: str | None
    active: bool
    tokens_input: int | None
    tokens_output: int | None
    cost_usd: str | None
    unpriced: bool
    latency_ms: int | None
    request_id: str | None
    error: str | None
    created_at: datetime


class ConversationAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation; `messages` counts those that are shown, or is the list of them where one was asked for."""

    id: str
    title: str
    model: str
    system_prompt: str
    device_id: str | None
    parent_id: str | None
    created_at: datetime
    updated_at: datetime
    messages: int | tuple[MessageAnswer, ...]


class ConversationPage(msgspec.Struct, frozen=True):
    data: tuple[ConversationAnswer, ...]
    next_cursor: str | None


class TemplateAnswer(msgspec.Struct, frozen=True):
    """A template; `fields` are the names in its text that need a value."""

    id: str
    name: str
    content: str
    system: bool
    fields: tuple[str, ...]
    created_at: datetime
    updated_at: datetime


class TemplateList(msgspec.Struct, frozen=True):
    data: tuple[TemplateAnswer, ...]
    next_cursor: str | None = None


class SubmitAnswer(msgspec.Struct, frozen=True):
    """A whole answer and the conversation it is in."""

    conversation_id: str
    message: MessageAnswer


MESSAGE_EXAMPLE = {
    "id": "msg_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "role": "assistant",
    "content": "Eleven.",
    "model": "gpt-oss-120b",
    "provider": "groq",
    "temperature": None,
    "reasoning": "",
    "status": "complete",
    "parent_id": "msg_0198f3c2a1b37d0e8c5f6a7b8c9d0e1f",
    "active": True,
    "tokens_input": 21,
    "tokens_output": 3,
    "cost_usd": "0.00000495",
    "unpriced": False,
    "latency_ms": 412,
    "request_id": "req_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "error": None,
    "created_at": "2026-11-30T12:00:01Z",
}
CONVERSATION_EXAMPLE = {
    "id": "conv_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "title": "A prime above ten",
    "model": "auto",
    "system_prompt": "You are brief.",
    "device_id": None,
    "parent_id": None,
    "created_at": "2026-11-30T12:00:00Z",
    "updated_at": "2026-11-30T12:00:01Z",
    "messages": 2,
}
TEMPLATE_EXAMPLE = {
    "id": "tpl_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "name": "Explain",
    "content": "Explain {{topic}} to a child.",
    "system": False,
    "fields": ["topic"],
    "created_at": "2026-11-30T12:00:00Z",
    "updated_at": "2026-11-30T12:00:00Z",
}


def conversation_answer(
    conversation: Conversation, messages: Iterable[ChatMessage] | UnsetType = UNSET
) -> ConversationAnswer:
    return ConversationAnswer(
        id=conversation.id,
        title=conversation.title,
        model=conversation.model,
        system_prompt=conversation.system_prompt,
        device_id=conversation.device_id,
        parent_id=conversation.parent_id,
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
        messages=conversation.messages
        if isinstance(messages, UnsetType)
        else tuple(message_answer(message) for message in messages),
    )


def message_answer(message: ChatMessage) -> MessageAnswer:
    cost = message.cost_nano_usd
    return MessageAnswer(
        id=message.id,
        role=message.role,
        content=_content(message),
        model=message.model,
        provider=message.provider,
        temperature=message.temperature,
        reasoning=message.reasoning,
        status=message.status,
        parent_id=message.parent_id,
        active=message.active,
        tokens_input=message.tokens_input,
        tokens_output=message.tokens_output,
        cost_usd=None if cost is None else usd(cost),
        unpriced=cost is None and message.tokens_input is not None,
        latency_ms=message.latency_ms,
        request_id=message.request_id,
        error=message.error,
        created_at=message.created_at,
    )


def template_answer(template: Template) -> TemplateAnswer:
    return TemplateAnswer(
        template.id,
        template.name,
        template.content,
        template.system,
        fields_of(template.content),
        template.created_at,
        template.updated_at,
    )


def _content(message: ChatMessage) -> str | tuple[ContentPart, ...]:
    if all(part.type == "text" for part in message.content):
        return message.text
    return tuple(
        ContentPart("text", part.text)
        if part.file_id is None
        else ContentPart("image", file_id=part.file_id, url=f"/api/files/{part.file_id}")
        for part in message.content
    )
