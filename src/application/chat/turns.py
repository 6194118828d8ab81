"""One turn: a message becomes a request like any other, and its answer is kept whatever ends it."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from application.chat.conversations import Conversations
from application.chat.people import Person
from application.chat.pictures import Pictures, data_url
from application.chat.templates import Templates, filled_in
from domain.conversations import (
    NEW_TITLE,
    ChatMessage,
    ChatTotal,
    Conversation,
    MessageStatus,
    Part,
    active_line,
    title_of,
)
from domain.errors import NotFound, RequestInvalid
from domain.ports.conversations import ChatStore
from domain.ports.runtime import Clock, IdFactory
from domain.records import RequestRecord

_encode = msgspec.json.Encoder().encode
MAX_DEVICE_ID = 64


class AskedUrl(msgspec.Struct, frozen=True):
    """`{"url": "/api/files/…"}`."""

    url: str


class AskedPart(msgspec.Struct, frozen=True):
    """A part of a message as it comes: text, or a picture that was uploaded, named by its id or its address."""

    type: Literal["text", "image", "image_url"]
    text: str = ""
    file_id: str | None = None
    image_url: AskedUrl | None = None


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message to answer. Without `conversation_id` it begins one; `system_prompt` becomes the conversation's.

    `tenant_id` is who pays, where it is not the personal tenant.
    """

    model: str
    content: str | list[AskedPart] = ""
    conversation_id: str | None = None
    system_prompt: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    reasoning: Literal["none", "minimal", "low", "medium", "high"] | None = None
    template_id: str | None = None
    template_values: dict[str, str] = {}
    tenant_id: str | None = None


class AskedAgain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another answer to the same message. `message_id` is the answer, or the message that has none."""

    conversation_id: str
    message_id: str
    model: str | None = None
    tenant_id: str | None = None


class Turn(msgspec.Struct, frozen=True):
    """A request on its way: `answer` is kept already, empty and streaming; `body` is a chat completion's."""

    conversation: Conversation
    user_message_id: str
    answer: ChatMessage
    body: bytes


class Ending(msgspec.Struct, frozen=True):
    """How a turn ended. `record` is what the books say of it, None where nothing got that far."""

    status: MessageStatus
    content: tuple[Part, ...]
    reasoning: str = ""
    record: RequestRecord | None = None
    error: str | None = None


class Turns:
    """Begins turns and ends them. Between the two no store is asked."""

    def __init__(
        self,
        chats: ChatStore,
        conversations: Conversations,
        templates: Templates,
        pictures: Pictures,
        ids: IdFactory,
        clock: Clock,
    ) -> None:
        self._chats = chats
        self._conversations = conversations
        self._templates = templates
        self._pictures = pictures
        self._ids = ids
        self._clock = clock

    async def begin(self, person: Person, asked: Asked, device_id: str | None, request_id: str) -> Turn:
        """Raises `NotFound`, `RequestInvalid`."""
        asked = await self._with_template(person, asked)
        parts = _parts(asked.content)
        if not parts:
            raise RequestInvalid("A message needs some text or a picture.", param="content")
        conversation, line = await self._place(person, asked, parts, device_id)
        user, answer = self._pair(conversation.id, parts, line[-1].id if line else None, asked, request_id)
        await self._chats.save(conversation, [user, answer])
        body = await self._request(person, conversation, [*line, user], asked)
        return Turn(conversation, user.id, answer, body)

    async def begin_again(self, person: Person, asked: AskedAgain, request_id: str) -> Turn:
        """The old answer stays, as a sibling that is not shown. Raises `NotFound`."""
        conversation = await self._conversations.get(person, asked.conversation_id)
        messages = {one.id: one for one in await self._conversations.messages(person, conversation.id)}
        found = messages.get(asked.message_id)
        user = messages.get(found.parent_id or "") if found is not None and found.role == "assistant" else found
        if user is None or not user.active:
            raise NotFound(f"There is no message '{asked.message_id}' to answer.", param="message_id")
        line = [one for one in active_line(messages.values()) if one.id <= user.id]
        hidden = [
            msgspec.structs.replace(one, active=False) for one in active_line(messages.values()) if one.id > user.id
        ]
        model = asked.model or conversation.model or (found.model if found is not None else "") or "auto"
        conversation = msgspec.structs.replace(conversation, model=model, updated_at=self._clock.now())
        answer = self._answer(conversation.id, user.id, model, None, request_id)
        await self._chats.save(conversation, [*hidden, answer])
        body = await self._request(person, conversation, line, Asked(model))
        return Turn(conversation, user.id, answer, body)

    async def end(self, person: Person, turn: Turn, ending: Ending) -> ChatMessage:
        """Keeps the answer with what it cost, and counts that."""
        record = ending.record
        message = msgspec.structs.replace(
            turn.answer,
            content=ending.content,
            status=ending.status,
            reasoning=ending.reasoning,
            error=ending.error,
            **_booked(record) if record is not None else {},
        )
        total = _total(record, turn.conversation.device_id) if record is not None else None
        await self._chats.finish(person.user_id, message, total)
        return message

    async def _with_template(self, person: Person, asked: Asked) -> Asked:
        if asked.template_id is None:
            return asked
        template = await self._templates.get(person, asked.template_id)
        text = filled_in(template.content, asked.template_values)
        if template.system:
            return msgspec.structs.replace(asked, system_prompt=text)
        if isinstance(asked.content, str):
            return msgspec.structs.replace(asked, content="\n\n".join(one for one in (text, asked.content) if one))
        return msgspec.structs.replace(asked, content=[AskedPart("text", text), *asked.content])

    async def _place(
        self, person: Person, asked: Asked, parts: Sequence[Part], device_id: str | None
    ) -> tuple[Conversation, list[ChatMessage]]:
        """The conversation that the message goes to, as it will be then, and what is shown of it so far."""
        now = self._clock.now()
        if asked.conversation_id is None:
            text = " ".join(part.text for part in parts)
            device = device_id[:MAX_DEVICE_ID] if device_id else None
            new = Conversation(
                self._ids.new("conv"), person.user_id, person.tenant_id, title_of(text), now, now, asked.model,
                asked.system_prompt or "", device,
            )  # fmt: skip
            return new, []
        known = await self._conversations.get(person, asked.conversation_id)
        prompt = known.system_prompt if asked.system_prompt is None else asked.system_prompt
        line = active_line(await self._conversations.messages(person, known.id))
        title = known.title if line or known.title != NEW_TITLE else title_of(" ".join(part.text for part in parts))
        fields = {"model": asked.model, "system_prompt": prompt, "updated_at": now, "title": title}
        return msgspec.structs.replace(known, **fields), line

    def _pair(
        self, conversation_id: str, parts: tuple[Part, ...], parent_id: str | None, asked: Asked, request_id: str
    ) -> tuple[ChatMessage, ChatMessage]:
        user = ChatMessage(self._ids.new("msg"), conversation_id, "user", parts, self._clock.now(), parent_id=parent_id)
        return user, self._answer(conversation_id, user.id, asked.model, asked.temperature, request_id)

    def _answer(
        self, conversation_id: str, user_id: str, model: str, temperature: float | None, request_id: str
    ) -> ChatMessage:
        return ChatMessage(
            self._ids.new("msg"), conversation_id, "assistant", (), self._clock.now(), "streaming", user_id,
            model=model, temperature=temperature, request_id=request_id,
        )  # fmt: skip

    async def _request(
        self, person: Person, conversation: Conversation, line: Sequence[ChatMessage], asked: Asked
    ) -> bytes:
        """A chat completion's body. Empty answers are left out; pictures go along with what people wrote."""
        messages: list[Mapping[str, object]] = []
        if conversation.system_prompt:
            messages.append({"role": "system", "content": conversation.system_prompt})
        for message in line:
            if message.role == "user":
                messages.append({"role": "user", "content": await self._content(person, message)})
            elif message.text:
                messages.append({"role": "assistant", "content": message.text})
        fields: dict[str, object] = {"model": asked.model, "messages": messages, "stream": True}
        given = {
            "temperature": asked.temperature,
            "max_completion_tokens": asked.max_tokens,
            "reasoning_effort": asked.reasoning,
        }
        return _encode(fields | {name: value for name, value in given.items() if value is not None})

    async def _content(self, person: Person, message: ChatMessage) -> object:
        if all(part.type == "text" for part in message.content):
            return message.text
        parts: list[Mapping[str, object]] = []
        for part in message.content:
            if part.file_id is None:
                parts.append({"type": "text", "text": part.text})
            else:
                picture = await self._pictures.get(person, part.file_id)
                parts.append({"type": "image_url", "image_url": {"url": data_url(picture)}})
        return parts


def _parts(content: str | list[AskedPart]) -> tuple[Part, ...]:
    """Raises `RequestInvalid` for a picture that was not uploaded here."""
    if isinstance(content, str):
        return (Part("text", content),) if content.strip() else ()
    parts: list[Part] = []
    for number, part in enumerate(content):
        if part.type == "text":
            if part.text.strip():
                parts.append(Part("text", part.text))
            continue
        url = part.image_url.url if part.image_url is not None else ""
        file_id = part.file_id or (url.removeprefix("/api/files/") if url.startswith("/api/files/") else None)
        if not file_id:
            raise RequestInvalid(
                "A picture is uploaded first (POST /api/files) and then named by its `file_id`.",
                param=f"content.{number}",
            )
        parts.append(Part("image", file_id=file_id))
    return tuple(parts)


def cost_of(record: RequestRecord) -> int | None:
    """Nano-USD of all attempts, None where one that used something has no price."""
    used = [attempt for attempt in record.attempts if attempt.usage is not None]
    if any(attempt.cost_nano_usd is None for attempt in used):
        return None
    return sum(attempt.cost_nano_usd or 0 for attempt in used)


def _booked(record: RequestRecord) -> dict[str, object]:
    usage = record.usage
    return {
        "model": record.model or record.requested_model,
        "provider": record.provider_id,
        "tokens_input": usage.input_tokens if usage is not None else None,
        "tokens_output": usage.output_tokens if usage is not None else None,
        "cost_nano_usd": cost_of(record),
        "latency_ms": round(record.latency_ms),
    }


def _total(record: RequestRecord, device_id: str | None) -> ChatTotal | None:
    """None for a request that used nothing."""
    used = [attempt for attempt in record.attempts if attempt.usage is not None]
    if not used:
        return None
    usages = [attempt.usage for attempt in used if attempt.usage is not None]
    name = f"{record.provider_id}/{record.model}" if record.provider_id else record.requested_model
    return ChatTotal(
        name,
        device_id or "",
        requests=1,
        input_tokens=sum(usage.input_tokens for usage in usages),
        output_tokens=sum(usage.output_tokens for usage in usages),
        cache_read_tokens=sum(usage.cache_read_tokens for usage in usages),
        cache_write_tokens=sum(usage.cache_write_tokens for usage in usages),
        reasoning_tokens=sum(usage.reasoning_tokens for usage in usages),
        cost_nano_usd=sum(attempt.cost_nano_usd or 0 for attempt in used),
        estimated_requests=int(any(attempt.usage_source == "estimated" for attempt in used)),
        unpriced_requests=int(any(attempt.cost_nano_usd is None for attempt in used)),
        inexact_requests=int(any(attempt.cost_missing for attempt in used)),
    )
