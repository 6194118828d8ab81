"""Admin tokens as every store keeps them."""

import msgspec
import pytest

from domain.admin_tokens import AdminToken
from domain.errors import Conflict, NotFound
from domain.ports.repositories import Store
from tests.builders import NOW
from tests.other_values import each_field_changed


def a_token(number: int) -> AdminToken:
    return AdminToken(f"tok_{number}", "CI", bytes([number]) * 32, "abcd", ("read",), None, NOW, NOW)


async def test_every_field_of_a_token_comes_back_added_and_updated(store: Store) -> None:
    lost = []
    async with store.write() as unit:
        await unit.admin_tokens.add(a_token(1))
    for field, changed in each_field_changed(a_token(1), id="tok_1"):
        async with store.write() as unit:
            await unit.admin_tokens.update(changed)
        async with store.read() as unit:
            if await unit.admin_tokens.get("tok_1") != changed:
                lost.append(field)
    async with store.write() as unit:
        await unit.admin_tokens.add(a_token(2))
        lost += ["added"] * (await unit.admin_tokens.get("tok_2") != a_token(2))

    assert lost == []


async def test_tokens_are_listed_in_pages_newest_first(store: Store) -> None:
    async with store.write() as unit:
        for number in (2, 1, 3):
            await unit.admin_tokens.add(a_token(number))

    async with store.read() as unit:
        first = await unit.admin_tokens.list_page(2, None)
        rest = await unit.admin_tokens.list_page(2, first[-1].id)

    assert [token.id for token in (*first, *rest)] == ["tok_3", "tok_2", "tok_1"]


async def test_a_token_is_found_by_one_of_its_digests_and_not_by_less_of_it(store: Store) -> None:
    """S-10."""
    async with store.write() as unit:
        await unit.admin_tokens.add(a_token(1))

    async with store.read() as unit:
        assert await unit.admin_tokens.find([b"\x09" * 32, a_token(1).digest]) == a_token(1)
        assert await unit.admin_tokens.find([a_token(1).digest[:-1]]) is None
        assert await unit.admin_tokens.find([]) is None


async def test_no_two_tokens_share_an_id_or_a_secret(store: Store) -> None:
    async with store.write() as unit:
        await unit.admin_tokens.add(a_token(1))
        for twin in (a_token(1), msgspec.structs.replace(a_token(1), id="tok_2")):
            with pytest.raises(Conflict):
                await unit.admin_tokens.add(twin)


async def test_a_token_that_is_gone_is_neither_changed_nor_deleted_again(store: Store) -> None:
    async with store.write() as unit:
        await unit.admin_tokens.add(a_token(1))
    async with store.write() as unit:
        assert await unit.admin_tokens.delete("tok_1")
    async with store.write() as unit:
        assert not await unit.admin_tokens.delete("tok_1")
        with pytest.raises(NotFound):
            await unit.admin_tokens.update(a_token(1))
