"""A person's conversations: listed, searched, changed, cloned, deleted."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from application.admin.paging import Page
from application.chat.people import Person
from domain.conversations import NEW_TITLE, ChatMessage, Conversation, active_line, as_of, line_through, searchable
from domain.errors import NotFound, RequestInvalid
from domain.ports.conversations import ChatStore
from domain.ports.runtime import Clock, IdFactory

MAX_WORDS = 8
MAX_TITLE = 200


class ConversationChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to change; what is left out stays. `active_message_id` shows the line through that message."""

    title: str | UnsetType = UNSET
    model: str | UnsetType = UNSET
    system_prompt: str | UnsetType = UNSET
    active_message_id: str | UnsetType = UNSET


class Conversations:
    """Every method takes the person first, and finds what is theirs alone (S-04)."""

    def __init__(self, chats: ChatStore, ids: IdFactory, clock: Clock) -> None:
        self._chats = chats
        self._ids = ids
        self._clock = clock

    async def list_page(self, person: Person, query: str, limit: int, cursor: str | None) -> Page[Conversation]:
        """Those changed last first; each word of `query` is in them. Raises `RequestInvalid` for a broken cursor."""
        words = searchable(query).split()[:MAX_WORDS]
        found = await self._chats.list_conversations(person.user_id, words, limit + 1, _read(cursor))
        data = tuple(found[:limit])
        return Page(data, _cursor(data[-1]) if len(found) > limit else None)

    async def get(self, person: Person, conversation_id: str) -> Conversation:
        """Raises `NotFound`."""
        found = await self._chats.conversation(person.user_id, conversation_id)
        if found is None:
            raise NotFound(f"There is no conversation '{conversation_id}'.", param="conversation_id")
        return found

    async def messages(self, person: Person, conversation_id: str) -> Sequence[ChatMessage]:
        """All of them, siblings too, as they are now, oldest first."""
        now = self._clock.now()
        return [as_of(message, now) for message in await self._chats.messages(person.user_id, conversation_id)]

    async def create(
        self, person: Person, title: str = "", model: str = "", system_prompt: str = "", device_id: str | None = None
    ) -> Conversation:
        """Raises `RequestInvalid`."""
        now = self._clock.now()
        conversation = Conversation(
            self._ids.new("conv"), person.user_id, person.tenant_id, _checked(title or NEW_TITLE), now, now,
            model, system_prompt, device_id,
        )  # fmt: skip
        await self._chats.save(conversation)
        return conversation

    async def change(self, person: Person, conversation_id: str, change: ConversationChange) -> Conversation:
        """Raises `NotFound`, `RequestInvalid`."""
        conversation = await self.get(person, conversation_id)
        fields = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
        shown = fields.pop("active_message_id", None)
        if "title" in fields:
            fields["title"] = _checked(fields["title"])
        moved = await self._shown(person, conversation_id, shown) if shown is not None else []
        conversation = msgspec.structs.replace(conversation, **fields, updated_at=self._clock.now())
        await self._chats.save(conversation, moved)
        return await self.get(person, conversation_id)

    async def append_system(self, person: Person, conversation_id: str, content: str) -> Conversation:
        """The system prompt with this behind it. Raises `NotFound`."""
        conversation = await self.get(person, conversation_id)
        prompt = "\n\n".join(part for part in (conversation.system_prompt, content) if part)
        return await self.change(person, conversation_id, ConversationChange(system_prompt=prompt))

    async def clone(self, person: Person, conversation_id: str, up_to_message_id: str | None) -> Conversation:
        """A copy of what is shown, up to that message and with it. Raises `NotFound`."""
        original = await self.get(person, conversation_id)
        line = active_line(await self.messages(person, conversation_id))
        if up_to_message_id is not None:
            ids = [message.id for message in line]
            if up_to_message_id not in ids:
                raise NotFound(f"There is no message '{up_to_message_id}'.", param="up_to_message_id")
            line = line[: ids.index(up_to_message_id) + 1]
        now = self._clock.now()
        copy = msgspec.structs.replace(
            original, id=self._ids.new("conv"), parent_id=original.id, created_at=now, updated_at=now
        )
        copies: list[ChatMessage] = []
        for message in line:
            before = copies[-1].id if copies else None
            fields = {"id": self._ids.new("msg"), "conversation_id": copy.id, "parent_id": before}
            copies.append(msgspec.structs.replace(message, **fields))
        await self._chats.save(copy, copies)
        return await self.get(person, copy.id)

    async def delete(self, person: Person, conversation_id: str) -> None:
        """Raises `NotFound`."""
        if not await self._chats.delete_conversation(person.user_id, conversation_id):
            raise NotFound(f"There is no conversation '{conversation_id}'.")

    async def _shown(self, person: Person, conversation_id: str, message_id: str) -> list[ChatMessage]:
        """The messages whose `active` changes when the line through this one is shown."""
        messages = await self.messages(person, conversation_id)
        if message_id not in {message.id for message in messages}:
            raise NotFound(f"There is no message '{message_id}'.", param="active_message_id")
        line = line_through(messages, message_id)
        return [
            msgspec.structs.replace(message, active=message.id in line)
            for message in messages
            if message.active != (message.id in line)
        ]


def _checked(title: str) -> str:
    title = " ".join(title.split())
    if not 0 < len(title) <= MAX_TITLE:
        raise RequestInvalid(f"A title has 1 to {MAX_TITLE} characters.", param="title")
    return title


def _cursor(conversation: Conversation) -> str:
    """Where the next page goes on: behind this one."""
    place = f"{conversation.updated_at.isoformat()} {conversation.id}"
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _read(cursor: str | None) -> tuple[datetime, str] | None:
    if cursor is None:
        return None
    try:
        place = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        moment, _, last_id = place.partition(" ")
        at = datetime.fromisoformat(moment)
    except (ValueError, binascii.Error) as error:
        raise RequestInvalid("This cursor leads nowhere; list from the start again.", param="cursor") from error
    if at.tzinfo is None or not last_id:
        raise RequestInvalid("This cursor leads nowhere; list from the start again.", param="cursor")
    return at, last_id
