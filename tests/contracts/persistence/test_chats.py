"""What the chat app keeps: every store of it, in memory, on SQLite and on Postgres."""

from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest

from adapters.persistence.chats import SqlAlchemyChats
from adapters.persistence.store import SqlAlchemyStore
from adapters.security.secret_box import AesGcmSecretBox, KeyRing
from domain.conversations import ChatMessage, ChatTotal, Conversation, Part, Picture, Template, searchable
from domain.errors import NotFound
from domain.ports.conversations import ChatStore
from tests.builders import NOW
from tests.contracts.persistence.conftest import empty_database
from tests.fakes.chats import MemoryChats
from tests.other_values import each_field_changed

OWNER, STRANGER = "usr_1", "usr_2"


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def chats(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ChatStore]:
    if request.param == "memory":
        yield MemoryChats()
        return
    url = await empty_database(request, tmp_path_factory.mktemp("chats"))
    store = SqlAlchemyStore(url, AesGcmSecretBox(KeyRing.generate()), unit_seconds=20.0)
    yield SqlAlchemyChats(store)
    await store.aclose()


def a_conversation(number: int = 1, owner_id: str = OWNER, title: str = "A title") -> Conversation:
    moment = NOW + timedelta(minutes=number)
    return Conversation(f"conv_{number}", owner_id, "ten_1", title, moment, moment)


def a_message(number: int = 1, text: str = "Hello", conversation_id: str = "conv_1") -> ChatMessage:
    return ChatMessage(f"msg_{number:03}", conversation_id, "user", (Part("text", text),), NOW)


async def test_every_field_of_a_conversation_and_a_message_comes_back(chats: ChatStore) -> None:
    wrong = []
    for field, conversation in each_field_changed(a_conversation(), id="conv_1", messages=0, owner_id=OWNER):
        await chats.save(conversation)
        if await chats.conversation(OWNER, "conv_1") != conversation:
            wrong.append(field)
    for field, message in each_field_changed(a_message(), id="msg_001", conversation_id="conv_1", content=()):
        kept = msgspec.structs.replace(message, content=(Part("text", "x"), Part("image", file_id="file_1")))
        await chats.save(a_conversation(), [kept])
        if await chats.messages(OWNER, "conv_1") != [kept]:
            wrong.append(field)

    assert wrong == []


async def test_what_is_anothers_is_not_there(chats: ChatStore) -> None:
    """S-04, on every method."""
    await chats.save(a_conversation(), [a_message()])
    await chats.save_template(Template("tpl_1", OWNER, "t", "x", NOW, NOW))
    await chats.add_picture(Picture("file_1", OWNER, "image/png", b"png", NOW))
    await chats.finish(OWNER, a_message(), ChatTotal("m", "dev", requests=1))

    assert await chats.conversation(STRANGER, "conv_1") is None
    assert await chats.list_conversations(STRANGER, [], 10, None) == []
    assert await chats.messages(STRANGER, "conv_1") == []
    assert not await chats.delete_conversation(STRANGER, "conv_1")
    assert await chats.templates(STRANGER) == []
    assert not await chats.delete_template(STRANGER, "tpl_1")
    assert await chats.picture(STRANGER, "file_1") is None
    assert await chats.totals(STRANGER, None) == []
    with pytest.raises(NotFound):
        await chats.save(a_conversation(owner_id=STRANGER))
    with pytest.raises(NotFound):
        await chats.save_template(Template("tpl_1", STRANGER, "t", "theirs", NOW, NOW))
    await chats.finish(STRANGER, a_message(text="theirs"), None)

    (message,) = await chats.messages(OWNER, "conv_1")
    assert message.text == "Hello"
    (template,) = await chats.templates(OWNER)
    assert template.content == "x"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("failover", ["conv_3", "conv_1"]),
        ("FAIL over", ["conv_3", "conv_1"]),
        ("haiku failover", ["conv_1"]),
        ("größe", ["conv_2"]),
        ("GRÖSSE", ["conv_2"]),
        ("数据", ["conv_2"]),
        ("مرحبا", ["conv_3"]),
        ("100%", ["conv_2"]),
        ("100_", []),
        ("nothing of it", []),
        ("", ["conv_3", "conv_2", "conv_1"]),
    ],
)
async def test_search_finds_words_in_titles_and_messages_in_every_script(
    chats: ChatStore, query: str, found: list[str]
) -> None:
    await chats.save(a_conversation(1, title="A haiku"), [a_message(1, "About Failover, please")])
    await chats.save(a_conversation(2), [a_message(2, "Größe 100% 大数据 of it", "conv_2")])
    await chats.save(a_conversation(3, title="failover"), [a_message(3, "مرحبا بالعالم", "conv_3")])
    await chats.save(a_conversation(4, STRANGER, title="failover haiku"))

    page = await chats.list_conversations(OWNER, searchable(query).split(), 10, None)

    assert [one.id for one in page] == found


async def test_a_list_goes_on_behind_the_last_one_changed(chats: ChatStore) -> None:
    for number in (1, 2, 3):
        await chats.save(a_conversation(number), [a_message(number, conversation_id=f"conv_{number}")])

    first = await chats.list_conversations(OWNER, [], 2, None)
    rest = await chats.list_conversations(OWNER, [], 2, (first[-1].updated_at, first[-1].id))

    assert [one.id for one in (*first, *rest)] == ["conv_3", "conv_2", "conv_1"]
    assert {one.messages for one in first} == {1}


async def test_a_finished_message_is_counted_though_its_conversation_is_gone(chats: ChatStore) -> None:
    await chats.save(a_conversation(), [a_message()])
    spent = ChatTotal("m", "dev", 1, 10, 5, 1, 2, 3, 700, 1, 1, 1)
    await chats.finish(OWNER, a_message(text="done"), spent)
    assert [message.text for message in await chats.messages(OWNER, "conv_1")] == ["done"]

    assert await chats.delete_conversation(OWNER, "conv_1")
    await chats.finish(OWNER, a_message(text="late"), spent)
    await chats.finish(OWNER, a_message(), ChatTotal("m", "other", 1))

    assert await chats.messages(OWNER, "conv_1") == []
    assert await chats.totals(OWNER, "dev") == [ChatTotal("m", "dev", 2, 20, 10, 2, 4, 6, 1400, 2, 2, 2)]
    assert await chats.totals(OWNER, None) == [ChatTotal("m", "", 3, 20, 10, 2, 4, 6, 1400, 2, 2, 2)]


async def test_pictures_go_with_the_last_conversation_that_shows_them(chats: ChatStore) -> None:
    for name, owner in (("file_1", OWNER), ("file_10", OWNER), ("file_x", STRANGER)):
        await chats.add_picture(Picture(name, owner, "image/png", b"bytes", NOW))
    shown = tuple(Part("image", file_id=name) for name in ("file_1", "file_10", "file_x"))
    await chats.save(a_conversation(1), [msgspec.structs.replace(a_message(1), content=shown)])
    copied = msgspec.structs.replace(a_message(2, conversation_id="conv_2"), content=(Part("image", file_id="file_1"),))
    await chats.save(a_conversation(2), [copied])

    assert not await chats.delete_conversation(STRANGER, "conv_1")
    assert await chats.picture(OWNER, "file_10") is not None
    assert await chats.delete_conversation(OWNER, "conv_1")
    assert await chats.picture(OWNER, "file_1") is not None
    assert await chats.picture(OWNER, "file_10") is None
    assert await chats.picture(STRANGER, "file_x") is not None
    assert await chats.delete_conversation(OWNER, "conv_2")
    assert await chats.picture(OWNER, "file_1") is None


async def test_templates_and_pictures_come_back_as_they_were(chats: ChatStore) -> None:
    template = Template("tpl_1", OWNER, "Greeting", "Hello {{name}}", NOW, NOW, system=True)
    await chats.save_template(template)
    await chats.save_template(msgspec.structs.replace(template, id="tpl_0", name="Answer"))
    picture = Picture("file_1", OWNER, "image/png", bytes(range(256)), NOW)
    await chats.add_picture(picture)

    assert [one.name for one in await chats.templates(OWNER)] == ["Answer", "Greeting"]
    assert (await chats.templates(OWNER))[1] == template
    assert await chats.picture(OWNER, "file_1") == picture
    assert await chats.delete_template(OWNER, "tpl_1")
    assert not await chats.delete_template(OWNER, "tpl_1")


async def test_a_nul_in_an_answer_is_left_out(chats: ChatStore) -> None:
    """Postgres keeps none, and models say them."""
    await chats.save(a_conversation(), [a_message(text="a\0b")])

    (message,) = await chats.messages(OWNER, "conv_1")
    assert message.text in {"ab", "a\0b"}
