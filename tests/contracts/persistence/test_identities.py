"""Accounts at identity providers as every store keeps them."""

from datetime import timedelta

import msgspec
import pytest

from domain.errors import NotFound
from domain.issuers import Identity
from domain.ports.repositories import Store
from domain.users import User
from tests.builders import NOW

ISSUER = "https://login.example"


def an_identity(subject: str = "s1", user_id: str = "usr_1") -> Identity:
    return Identity(ISSUER, subject, user_id, NOW, NOW, {"ten_a": "admin"})


async def with_users(store: Store) -> None:
    async with store.write() as unit:
        for number in (1, 2):
            await unit.users.add(User(f"usr_{number}", f"u{number}@example.com", "U", NOW, NOW))


async def test_an_account_comes_back_by_issuer_and_subject_and_is_replaced(store: Store) -> None:
    await with_users(store)
    changed = msgspec.structs.replace(an_identity(), last_seen_at=NOW + timedelta(days=1), granted={})
    async with store.write() as unit:
        await unit.identities.put(an_identity())
        await unit.identities.put(an_identity("S1", "usr_2"))
    async with store.read() as unit:
        assert await unit.identities.get(ISSUER, "s1") == an_identity()
        assert await unit.identities.get(ISSUER, "S1") == an_identity("S1", "usr_2")
        assert await unit.identities.get("https://other.example", "s1") is None
    async with store.write() as unit:
        await unit.identities.put(changed)
    async with store.read() as unit:
        assert await unit.identities.list_of("usr_1") == [changed]


async def test_accounts_go_with_their_user_and_need_one(store: Store) -> None:
    await with_users(store)
    async with store.write() as unit:
        await unit.identities.put(an_identity())
        with pytest.raises(NotFound):
            await unit.identities.put(an_identity("s2", "usr_none"))
    async with store.write() as unit:
        await unit.users.delete("usr_1")
    async with store.read() as unit:
        assert await unit.identities.get(ISSUER, "s1") is None
