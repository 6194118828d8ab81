"""Conversations of the chat app: each belongs to one person, and so does everything in it."""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

MessageStatus = Literal["complete", "streaming", "stopped", "failed"]

LONGEST_ANSWER = timedelta(minutes=10)
"""A message that has been streaming for longer was left by a process that died."""

NEW_TITLE = "New conversation"
_TITLE_CHARACTERS = 60


class Part(msgspec.Struct, frozen=True):
    """A piece of a message: text, or the picture with this id."""

    type: Literal["text", "image"]
    text: str = ""
    file_id: str | None = None


class ChatMessage(msgspec.Struct, frozen=True):
    """One message. `parent_id` is the one before it; those of one parent are siblings, of which one is `active`.

    `model` is the one that answered, or was asked for where nothing answered. `cost_nano_usd` of None with tokens is an
    answer whose price nobody knows. `request_id` leads to the request log; `error` is a sentence about what failed.
    """

    id: str  # `msg_…`, growing with time
    conversation_id: str
    role: Literal["user", "assistant"]
    content: tuple[Part, ...]
    created_at: datetime
    status: MessageStatus = "complete"
    parent_id: str | None = None
    active: bool = True
    model: str | None = None
    provider: str | None = None
    temperature: float | None = None
    reasoning: str = ""
    tokens_input: int | None = None
    tokens_output: int | None = None
    cost_nano_usd: int | None = None
    latency_ms: int | None = None
    request_id: str | None = None
    error: str | None = None

    @property
    def text(self) -> str:
        """What it says, without pictures."""
        return "\n\n".join(part.text for part in self.content if part.type == "text" and part.text)


class Conversation(msgspec.Struct, frozen=True):
    """A conversation. `parent_id` is the one it was cloned from; `messages` counts the active ones."""

    id: str  # `conv_…`
    owner_id: str
    tenant_id: str
    title: str
    created_at: datetime
    updated_at: datetime
    model: str = ""
    system_prompt: str = ""
    device_id: str | None = None
    parent_id: str | None = None
    messages: int = 0


class Template(msgspec.Struct, frozen=True):
    """A text with `{{name}}` fields, to be sent or, with `system`, to be the system prompt."""

    id: str  # `tpl_…`
    owner_id: str
    name: str
    content: str
    created_at: datetime
    updated_at: datetime
    system: bool = False


class Picture(msgspec.Struct, frozen=True):
    """An uploaded or generated picture, as its bytes say what it is."""

    id: str  # `file_…`
    owner_id: str
    content_type: str
    data: bytes
    created_at: datetime


class ChatTotal(msgspec.Struct, frozen=True):
    """What one model cost a person on one device. It stays when a conversation is deleted."""

    model: str
    device_id: str = ""
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cost_nano_usd: int = 0
    estimated_requests: int = 0
    unpriced_requests: int = 0
    inexact_requests: int = 0


def searchable(*texts: str) -> str:
    """Texts as a search compares them: in one form and one case, in every script."""
    return unicodedata.normalize("NFKC", "\n".join(texts)).casefold().replace("\0", "")


def title_of(text: str) -> str:
    """A title for a conversation that begins so: its first line, cut at a word."""
    line = " ".join(next((line for line in text.splitlines() if line.strip()), "").split())
    if len(line) <= _TITLE_CHARACTERS:
        return line or NEW_TITLE
    cut = line[:_TITLE_CHARACTERS].rsplit(" ", 1)[0]
    return f"{cut}…"


def active_line(messages: Iterable[ChatMessage]) -> list[ChatMessage]:
    """What is shown, in order."""
    return sorted((message for message in messages if message.active), key=lambda message: message.id)


def line_through(messages: Sequence[ChatMessage], message_id: str) -> set[str]:
    """The ids of the line that has this message: what led to it, and behind it the newest of each siblings."""
    by_id = {message.id: message for message in messages}
    line: set[str] = set()
    at: str | None = message_id
    while at is not None and at in by_id and at not in line:
        line.add(at)
        at = by_id[at].parent_id
    newest: dict[str | None, str] = {}
    for message in messages:
        newest[message.parent_id] = max(newest.get(message.parent_id, ""), message.id)
    at = newest.get(message_id)
    while at is not None and at not in line:
        line.add(at)
        at = newest.get(at)
    return line


def as_of(message: ChatMessage, now: datetime) -> ChatMessage:
    """The message as it is now: what a dead process left streaming has failed."""
    if message.status == "streaming" and now - message.created_at > LONGEST_ANSWER:
        return msgspec.structs.replace(message, status="failed", error="The gateway stopped while this was answered.")
    return message
