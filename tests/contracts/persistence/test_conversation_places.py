"""Where a conversation is, any process tells and any finds."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.persistence.conversation_places import SqlAlchemyConversationPlaces
from adapters.persistence.store import SqlAlchemyStore
from domain.ports.conversation_places import ConversationPlaces, Place
from domain.ports.security import SecretBox
from tests.builders import NOW
from tests.contracts.persistence.conftest import empty_database
from tests.fakes.conversation_places import MemoryConversationPlaces


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def places(request: pytest.FixtureRequest, tmp_path: Path, box: SecretBox) -> AsyncIterator[ConversationPlaces]:
    if request.param == "memory":
        yield MemoryConversationPlaces()
        return
    store = SqlAlchemyStore(await empty_database(request, tmp_path), box)
    yield SqlAlchemyConversationPlaces(store, seconds=20.0)
    await store.aclose()


def a_place(conversation: str, provider_id: str = "a", minutes: int = 0) -> Place:
    return Place(conversation, provider_id, "m/with a name", 9_000, 300, NOW + timedelta(minutes=minutes))


async def test_what_is_told_last_is_found(places: ConversationPlaces) -> None:
    await places.tell([a_place("one"), a_place("two")])
    await places.tell([a_place("two", "b", 1)])

    assert await places.find("one") == a_place("one")
    assert await places.find("two") == a_place("two", "b", 1)
    assert await places.find("three") is None


async def test_many_tell_at_once_of_the_same(places: ConversationPlaces) -> None:
    names = [f"c{number}" for number in range(20)]

    await asyncio.gather(*(places.tell([a_place(name) for name in order]) for order in (names, names[::-1], names)))

    assert [await places.find(name) for name in names] == [a_place(name) for name in names]


async def test_what_was_served_long_ago_is_forgotten(places: ConversationPlaces) -> None:
    await places.tell([a_place("old"), a_place("new", minutes=10)])

    await places.forget(NOW + timedelta(minutes=5))

    assert await places.find("old") is None
    assert await places.find("new") is not None
