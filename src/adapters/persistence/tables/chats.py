"""Tables of the chat app: conversations with their messages, templates, pictures, and what they cost."""

from typing import Literal

from sqlalchemy import BigInteger, Boolean, Float, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.persistence.tables.row import Identifier, Json, Moment, Row
from domain.conversations import MessageStatus


class ConversationRow(Row):
    """A person's conversation. `searchable` is its title, in the form that a search compares."""

    __tablename__ = "conversations"
    __table_args__ = (Index("ix_conversations_owner", "owner_id", "updated_at", "id"),)

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    owner_id: Mapped[Identifier]
    tenant_id: Mapped[Identifier]
    title: Mapped[str] = mapped_column(Text)
    searchable: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    system_prompt: Mapped[str] = mapped_column(Text)
    device_id: Mapped[str | None] = mapped_column(Text)
    parent_id: Mapped[Identifier | None]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]


class ChatMessageRow(Row):
    """A message. Its content is a list of parts."""

    __tablename__ = "chat_messages"
    __table_args__ = (Index("ix_chat_messages_conversation", "conversation_id", "id"),)

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    conversation_id: Mapped[Identifier] = mapped_column(ForeignKey("conversations.id"))
    role: Mapped[Literal["user", "assistant"]] = mapped_column(Text)
    content: Mapped[list[dict[str, object]]] = mapped_column(Json)
    searchable: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Moment]
    status: Mapped[MessageStatus] = mapped_column(Text)
    parent_id: Mapped[Identifier | None]
    active: Mapped[bool] = mapped_column(Boolean)
    model: Mapped[str | None] = mapped_column(Text)
    provider: Mapped[str | None] = mapped_column(Text)
    temperature: Mapped[float | None] = mapped_column(Float)
    reasoning: Mapped[str] = mapped_column(Text)
    tokens_input: Mapped[int | None] = mapped_column(BigInteger)
    tokens_output: Mapped[int | None] = mapped_column(BigInteger)
    cost_nano_usd: Mapped[int | None] = mapped_column(BigInteger)
    latency_ms: Mapped[int | None] = mapped_column(BigInteger)
    request_id: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)


class ChatTemplateRow(Row):
    """A text with fields."""

    __tablename__ = "chat_templates"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    owner_id: Mapped[Identifier] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(Text)
    content: Mapped[str] = mapped_column(Text)
    system: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]


class ChatPictureRow(Row):
    """A picture of a message."""

    __tablename__ = "chat_pictures"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    owner_id: Mapped[Identifier] = mapped_column(index=True)
    content_type: Mapped[str] = mapped_column(Text)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[Moment]


class ChatTotalRow(Row):
    """What a person used of a model on a device; an empty device is none that was named."""

    __tablename__ = "chat_totals"

    owner_id: Mapped[Identifier] = mapped_column(primary_key=True)
    device_id: Mapped[Identifier] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(Text, primary_key=True)
    requests: Mapped[int] = mapped_column(BigInteger)
    input_tokens: Mapped[int] = mapped_column(BigInteger)
    output_tokens: Mapped[int] = mapped_column(BigInteger)
    cache_read_tokens: Mapped[int] = mapped_column(BigInteger)
    cache_write_tokens: Mapped[int] = mapped_column(BigInteger)
    reasoning_tokens: Mapped[int] = mapped_column(BigInteger)
    cost_nano_usd: Mapped[int] = mapped_column(BigInteger)
    estimated_requests: Mapped[int] = mapped_column(BigInteger)
    unpriced_requests: Mapped[int] = mapped_column(BigInteger)
    inexact_requests: Mapped[int] = mapped_column(BigInteger)
