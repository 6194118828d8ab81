"""What the chat app keeps, in memory."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from typing_extensions import override

from domain.conversations import ChatMessage, ChatTotal, Conversation, Picture, Template, searchable
from domain.errors import NotFound
from domain.ports.conversations import ChatStore


class MemoryChats(ChatStore):
    """`ChatStore` in memory."""

    def __init__(self) -> None:
        self._conversations: dict[str, Conversation] = {}
        self._messages: dict[str, ChatMessage] = {}
        self._templates: dict[str, Template] = {}
        self._pictures: dict[str, Picture] = {}
        self._totals: dict[tuple[str, str, str], ChatTotal] = {}

    @override
    async def conversation(self, owner_id: str, conversation_id: str) -> Conversation | None:
        found = self._conversations.get(conversation_id)
        return self._counted(found) if found is not None and found.owner_id == owner_id else None

    @override
    async def list_conversations(
        self, owner_id: str, words: Sequence[str], limit: int, after: tuple[datetime, str] | None
    ) -> Sequence[Conversation]:
        own = [one for one in self._conversations.values() if one.owner_id == owner_id]
        own.sort(key=lambda one: (one.updated_at, one.id), reverse=True)
        found = [
            self._counted(one)
            for one in own
            if all(self._has(one, word) for word in words) and (after is None or (one.updated_at, one.id) < after)
        ]
        return found[:limit]

    @override
    async def messages(self, owner_id: str, conversation_id: str) -> Sequence[ChatMessage]:
        if await self.conversation(owner_id, conversation_id) is None:
            return []
        return sorted(self._of(conversation_id), key=lambda message: message.id)

    @override
    async def save(self, conversation: Conversation, messages: Sequence[ChatMessage] = ()) -> None:
        known = self._conversations.get(conversation.id)
        if known is not None and known.owner_id != conversation.owner_id:
            raise NotFound(f"There is no '{conversation.id}'.")
        self._conversations[conversation.id] = conversation
        self._messages.update({message.id: message for message in messages})

    @override
    async def finish(self, owner_id: str, message: ChatMessage, total: ChatTotal | None) -> None:
        if await self.conversation(owner_id, message.conversation_id) is not None and message.id in self._messages:
            self._messages[message.id] = message
        if total is not None:
            key = (owner_id, total.device_id, total.model)
            self._totals[key] = _sum(self._totals.get(key, ChatTotal(total.model, total.device_id)), total)

    @override
    async def delete_conversation(self, owner_id: str, conversation_id: str) -> bool:
        if await self.conversation(owner_id, conversation_id) is None:
            return False
        gone = {one.file_id for message in self._of(conversation_id) for one in message.content if one.file_id}
        for message in self._of(conversation_id):
            del self._messages[message.id]
        del self._conversations[conversation_id]
        shown = {part.file_id for message in self._messages.values() for part in message.content}
        for file_id in gone - shown:
            if await self.picture(owner_id, file_id) is not None:
                del self._pictures[file_id]
        return True

    @override
    async def templates(self, owner_id: str) -> Sequence[Template]:
        own = [template for template in self._templates.values() if template.owner_id == owner_id]
        return sorted(own, key=lambda template: (template.name, template.id))

    @override
    async def save_template(self, template: Template) -> None:
        known = self._templates.get(template.id)
        if known is not None and known.owner_id != template.owner_id:
            raise NotFound(f"There is no '{template.id}'.")
        self._templates[template.id] = template

    @override
    async def delete_template(self, owner_id: str, template_id: str) -> bool:
        found = self._templates.get(template_id)
        if found is None or found.owner_id != owner_id:
            return False
        del self._templates[template_id]
        return True

    @override
    async def picture(self, owner_id: str, file_id: str) -> Picture | None:
        found = self._pictures.get(file_id)
        return found if found is not None and found.owner_id == owner_id else None

    @override
    async def add_picture(self, picture: Picture) -> None:
        self._pictures[picture.id] = picture

    @override
    async def totals(self, owner_id: str, device_id: str | None) -> Sequence[ChatTotal]:
        found: dict[str, ChatTotal] = {}
        for (owner, device, model), total in self._totals.items():
            if owner == owner_id and device_id in {None, device}:
                found[model] = _sum(found.get(model, ChatTotal(model, device_id or "")), total)
        return [found[model] for model in sorted(found)]

    def _of(self, conversation_id: str) -> list[ChatMessage]:
        return [message for message in self._messages.values() if message.conversation_id == conversation_id]

    def _counted(self, conversation: Conversation) -> Conversation:
        count = sum(message.active for message in self._of(conversation.id))
        return msgspec.structs.replace(conversation, messages=count)

    def _has(self, conversation: Conversation, word: str) -> bool:
        texts = [conversation.title, *(message.text for message in self._of(conversation.id))]
        return any(word in searchable(text) for text in texts)


def _sum(one: ChatTotal, other: ChatTotal) -> ChatTotal:
    counts = [name for name in ChatTotal.__struct_fields__ if name not in {"model", "device_id"}]
    return ChatTotal(one.model, one.device_id, **{name: getattr(one, name) + getattr(other, name) for name in counts})
