"""What the chat app keeps, in tables."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

import msgspec
from sqlalchemy import ColumnElement, CursorResult, Select, Text, and_, delete, exists, func, or_, select, update
from sqlalchemy import cast as sql_cast
from typing_extensions import override

from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.tables import (
    ChatMessageRow,
    ChatPictureRow,
    ChatTemplateRow,
    ChatTotalRow,
    ConversationRow,
)
from adapters.persistence.work import Work, insert_into, table_of, upsert
from domain.conversations import ChatMessage, ChatTotal, Conversation, Part, Picture, Template, searchable
from domain.errors import NotFound
from domain.ports.conversations import ChatStore

E = TypeVar("E", bound=msgspec.Struct)

_READ_SECONDS = 10.0
_COUNTS = tuple(name for name in ChatTotal.__struct_fields__ if name not in {"model", "device_id"})


class SqlAlchemyChats(ChatStore):
    """Over the store's connections. Words are looked for by `LIKE`, so that parts of words match in every script."""

    def __init__(self, store: SqlAlchemyStore) -> None:
        self._store = store

    @override
    async def conversation(self, owner_id: str, conversation_id: str) -> Conversation | None:
        async with self._store.reading(_READ_SECONDS) as work:
            found = await _conversations(work, _selected(owner_id).where(ConversationRow.id == conversation_id))
            return found[0] if found else None

    @override
    async def list_conversations(
        self, owner_id: str, words: Sequence[str], limit: int, after: tuple[datetime, str] | None
    ) -> Sequence[Conversation]:
        query = _selected(owner_id).order_by(ConversationRow.updated_at.desc(), ConversationRow.id.desc()).limit(limit)
        for word in words:
            said = exists().where(
                ChatMessageRow.conversation_id == ConversationRow.id,
                ChatMessageRow.searchable.contains(word, autoescape=True),
            )
            query = query.where(or_(ConversationRow.searchable.contains(word, autoescape=True), said))
        if after is not None:
            changed_at, last_id = after
            older = and_(ConversationRow.updated_at == changed_at, ConversationRow.id < last_id)
            query = query.where(or_(ConversationRow.updated_at < changed_at, older))
        async with self._store.reading(_READ_SECONDS) as work:
            return await _conversations(work, query)

    @override
    async def messages(self, owner_id: str, conversation_id: str) -> Sequence[ChatMessage]:
        query = (
            select(ChatMessageRow)
            .join(ConversationRow, ConversationRow.id == ChatMessageRow.conversation_id)
            .where(ConversationRow.owner_id == owner_id, ConversationRow.id == conversation_id)
            .order_by(ChatMessageRow.id)
        )
        async with self._store.reading(_READ_SECONDS) as work:
            rows = await work.run(work.session.scalars(query))
            return [_message(row) for row in rows]

    @override
    async def save(self, conversation: Conversation, messages: Sequence[ChatMessage] = ()) -> None:
        values = msgspec.structs.asdict(conversation)
        del values["messages"]
        values["searchable"] = searchable(conversation.title)
        async with self._store.writing() as work:
            await _refuse_anothers(work, ConversationRow, conversation.id, conversation.owner_id)
            await work.run(upsert(work.session, ConversationRow, [values]))
            await work.run(upsert(work.session, ChatMessageRow, [_message_values(one) for one in messages]))

    @override
    async def finish(self, owner_id: str, message: ChatMessage, total: ChatTotal | None) -> None:
        values = _message_values(message)
        own = exists().where(ConversationRow.id == ChatMessageRow.conversation_id, ConversationRow.owner_id == owner_id)
        ended = update(ChatMessageRow).where(ChatMessageRow.id == message.id, own).values(values)
        async with self._store.writing() as work:
            await work.run(work.session.execute(ended))
            if total is not None:
                await work.run(_add(work, owner_id, total))

    @override
    async def delete_conversation(self, owner_id: str, conversation_id: str) -> bool:
        own = exists().where(ConversationRow.id == ChatMessageRow.conversation_id, ConversationRow.owner_id == owner_id)
        whose = and_(ChatMessageRow.conversation_id == conversation_id, own)
        gone = delete(ConversationRow).where(
            ConversationRow.id == conversation_id, ConversationRow.owner_id == owner_id
        )
        async with self._store.writing() as work:
            contents = await work.run(work.session.scalars(select(ChatMessageRow.content).where(whose)))
            pictures = {str(part["file_id"]) for content in contents for part in content if part.get("file_id")}
            await work.run(work.session.execute(delete(ChatMessageRow).where(whose)))
            done = await work.run(work.session.execute(gone))
            for file_id in sorted(pictures):
                shown = select(ChatMessageRow.id).where(_names(file_id), own)  # by a clone of the conversation
                picture = delete(ChatPictureRow).where(
                    ChatPictureRow.id == file_id, ChatPictureRow.owner_id == owner_id, ~shown.exists()
                )
                await work.run(work.session.execute(picture))
            return cast("CursorResult[Any]", done).rowcount > 0

    @override
    async def templates(self, owner_id: str) -> Sequence[Template]:
        query = select(ChatTemplateRow).where(ChatTemplateRow.owner_id == owner_id)
        async with self._store.reading(_READ_SECONDS) as work:
            rows = await work.run(work.session.scalars(query.order_by(ChatTemplateRow.name, ChatTemplateRow.id)))
            return [_entity(Template, row) for row in rows]

    @override
    async def save_template(self, template: Template) -> None:
        async with self._store.writing() as work:
            await _refuse_anothers(work, ChatTemplateRow, template.id, template.owner_id)
            await work.run(upsert(work.session, ChatTemplateRow, [msgspec.structs.asdict(template)]))

    @override
    async def delete_template(self, owner_id: str, template_id: str) -> bool:
        return await self._delete(
            delete(ChatTemplateRow).where(ChatTemplateRow.id == template_id, ChatTemplateRow.owner_id == owner_id)
        )

    @override
    async def picture(self, owner_id: str, file_id: str) -> Picture | None:
        query = select(ChatPictureRow).where(ChatPictureRow.id == file_id, ChatPictureRow.owner_id == owner_id)
        async with self._store.reading(_READ_SECONDS) as work:
            row = await work.run(work.session.scalar(query))
            return None if row is None else _entity(Picture, row)

    @override
    async def add_picture(self, picture: Picture) -> None:
        async with self._store.writing() as work:
            await work.run(upsert(work.session, ChatPictureRow, [msgspec.structs.asdict(picture)]))

    @override
    async def totals(self, owner_id: str, device_id: str | None) -> Sequence[ChatTotal]:
        sums = [func.sum(getattr(ChatTotalRow, name)).label(name) for name in _COUNTS]
        query = select(ChatTotalRow.model, *sums).where(ChatTotalRow.owner_id == owner_id)
        if device_id is not None:
            query = query.where(ChatTotalRow.device_id == device_id)
        async with self._store.reading(_READ_SECONDS) as work:
            rows = await work.run(work.session.execute(query.group_by(ChatTotalRow.model).order_by(ChatTotalRow.model)))
            return [
                ChatTotal(row.model, device_id or "", **{name: int(getattr(row, name)) for name in _COUNTS})
                for row in rows
            ]

    async def _delete(self, *statements: Any) -> bool:
        """Runs them in order; whether the last one deleted anything."""
        count = 0
        async with self._store.writing() as work:
            for statement in statements:
                done = await work.run(work.session.execute(statement))
                count = cast("CursorResult[Any]", done).rowcount
        return count > 0


def _names(file_id: str) -> ColumnElement[bool]:
    """Messages with this picture."""
    return sql_cast(ChatMessageRow.content, Text).contains(f'"{file_id}"', autoescape=True)


def _selected(owner_id: str) -> Select[Any]:
    counted = (
        select(func.count())
        .where(ChatMessageRow.conversation_id == ConversationRow.id, ChatMessageRow.active)
        .scalar_subquery()
    )
    return select(ConversationRow, counted).where(ConversationRow.owner_id == owner_id)


async def _conversations(work: Work, query: Select[Any]) -> list[Conversation]:
    rows = await work.run(work.session.execute(query))
    return [_entity(Conversation, row, messages=count) for row, count in rows]


async def _refuse_anothers(work: Work, row_type: type[Any], row_id: str, owner_id: str) -> None:
    owner = await work.run(work.session.scalar(select(row_type.owner_id).where(row_type.id == row_id)))
    if owner is not None and owner != owner_id:
        raise NotFound(f"There is no '{row_id}'.")


async def _add(work: Work, owner_id: str, total: ChatTotal) -> None:
    table = table_of(ChatTotalRow)
    statement = insert_into(work.session, ChatTotalRow).values(owner_id=owner_id, **msgspec.structs.asdict(total))
    added = {name: table.c[name] + statement.excluded[name] for name in _COUNTS}
    await work.session.execute(
        statement.on_conflict_do_update(index_elements=["owner_id", "device_id", "model"], set_=added)
    )


def _message_values(message: ChatMessage) -> dict[str, Any]:
    values = msgspec.structs.asdict(message)
    parts = [msgspec.structs.asdict(part) for part in message.content]
    values["content"] = [{**part, "text": part["text"].replace("\0", "")} for part in parts]  # Postgres keeps no NUL
    values["reasoning"] = message.reasoning.replace("\0", "")
    values["searchable"] = searchable(message.text)
    return values


def _message(row: ChatMessageRow) -> ChatMessage:
    parts = tuple(msgspec.convert(part, Part) for part in row.content)
    return _entity(ChatMessage, row, content=parts)


def _entity(kind: type[E], row: Any, **others: Any) -> E:
    """The entity whose fields are the row's columns of the same names, but for `others`."""
    fields: Mapping[str, Any] = {
        name: others[name] if name in others else getattr(row, name) for name in kind.__struct_fields__
    }
    return kind(**fields)
