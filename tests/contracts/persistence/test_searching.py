"""Lists are searched by what is in a name, whatever its case, and page on within what was found."""

import pytest

from domain.authority import EVERYWHERE, Reach
from domain.ports.repositories import Store
from tests.builders import a_tenant, a_user, a_virtual_key


@pytest.fixture
async def filled(store: Store) -> Store:
    async with store.write() as unit:
        for number in range(6):
            name = f"Research {number}" if number % 2 else f"100%_done {number}"
            await unit.tenants.add(a_tenant(f"ten_{number}", name=name, external_id=f"EXT-{number}"))
            await unit.users.add(a_user(f"usr_{number}", name=name, email=f"ann{number}@example.com"))
            await unit.virtual_keys.add(
                a_virtual_key(f"key_{number}", tenant_id=f"ten_{number}", name=name, digest=bytes([number]) * 32)
            )
    return store


@pytest.mark.parametrize(
    ("query", "found"),
    [("RESEARCH", [5, 3, 1]), ("100%_", [4, 2, 0]), ("%", [4, 2, 0]), ("research 3", [3]), ("nobody", []), ("", None)],
)
async def test_what_is_in_a_name_is_found_as_it_stands(filled: Store, query: str, found: list[int] | None) -> None:
    expected = [5, 4, 3, 2, 1, 0] if found is None else found
    async with filled.read() as unit:
        tenants = await unit.tenants.list_page(EVERYWHERE, 9, None, query)
        keys = await unit.virtual_keys.list_page(EVERYWHERE, 9, None, query)
        users = await unit.users.list_page(9, None, query)

    assert [tenant.id for tenant in tenants] == [f"ten_{number}" for number in expected]
    assert [key.id for key in keys] == [f"key_{number}" for number in expected]
    assert [user.id for user in users] == [f"usr_{number}" for number in expected]


async def test_addresses_and_external_ids_are_found_too(filled: Store) -> None:
    async with filled.read() as unit:
        assert [each.id for each in await unit.tenants.list_page(EVERYWHERE, 9, None, "ext-4")] == ["ten_4"]
        assert [each.id for each in await unit.users.list_page(9, None, "ANN2@")] == ["usr_2"]


async def test_a_search_pages_on_and_finds_nothing_beyond_ones_reach(filled: Store) -> None:
    """S-04."""
    reach = Reach(tenants=frozenset({"ten_1", "ten_2", "ten_5"}))
    async with filled.read() as unit:
        first = await unit.tenants.list_page(reach, 1, None, "research")
        second = await unit.tenants.list_page(reach, 1, first[0].id, "research")
        keys = await unit.virtual_keys.list_page(reach, 9, None, "research")

    assert [first[0].id, second[0].id] == ["ten_5", "ten_1"]
    assert [key.id for key in keys] == ["key_5", "key_1"]
