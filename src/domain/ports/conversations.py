"""Where the chat app keeps what belongs to a person. Every look-up names the owner: what is another's is not there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.conversations import ChatMessage, ChatTotal, Conversation, Picture, Template


class ChatStore(Protocol):
    """Each method is one transaction. All raise `StoreUnavailable` if they cannot ask (S-04)."""

    async def conversation(self, owner_id: str, conversation_id: str) -> Conversation | None: ...

    async def list_conversations(
        self, owner_id: str, words: Sequence[str], limit: int, after: tuple[datetime, str] | None
    ) -> Sequence[Conversation]:
        """Those changed last first. Each of `words` (made by `searchable`) is in the title or in one of the messages;
        `after` are `updated_at` and the id of the last one of the page before.
        """
        ...

    async def messages(self, owner_id: str, conversation_id: str) -> Sequence[ChatMessage]:
        """All of them, siblings too, oldest first."""
        ...

    async def save(self, conversation: Conversation, messages: Sequence[ChatMessage] = ()) -> None:
        """Insert or replace the conversation and these of its messages. Raises `NotFound` where it is another's."""
        ...

    async def finish(self, owner_id: str, message: ChatMessage, total: ChatTotal | None) -> None:
        """Replace a message and count what it cost. Without the conversation, which may be gone, it is only counted."""
        ...

    async def delete_conversation(self, owner_id: str, conversation_id: str) -> bool:
        """With its messages, and pictures that no other conversation of theirs shows. False where there was none."""
        ...

    async def templates(self, owner_id: str) -> Sequence[Template]:
        """By name, then id."""
        ...

    async def save_template(self, template: Template) -> None:
        """Insert or replace. Raises `NotFound` where it is another's."""
        ...

    async def delete_template(self, owner_id: str, template_id: str) -> bool: ...

    async def picture(self, owner_id: str, file_id: str) -> Picture | None: ...

    async def add_picture(self, picture: Picture) -> None: ...

    async def totals(self, owner_id: str, device_id: str | None) -> Sequence[ChatTotal]:
        """By model; of all devices together where none is named."""
        ...
