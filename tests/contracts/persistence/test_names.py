"""`Names`: what people call what records know by an id, of every kind, in one question."""

import pytest

from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.usage_queries.names import AT_ONCE, SqlAlchemyNames
from domain.ports.repositories import Store
from domain.ports.usage import Names
from tests.builders import a_provider, a_provider_key, a_tenant, a_user, a_virtual_key
from tests.fakes.names import MemoryNames


@pytest.fixture
def names(store: Store) -> Names:
    return SqlAlchemyNames(store) if isinstance(store, SqlAlchemyStore) else MemoryNames(store)


async def test_each_kind_is_found_by_its_ids_and_what_is_gone_is_not(store: Store, names: Names) -> None:
    async with store.write() as unit:
        await unit.tenants.add(a_tenant("ten_1", name="Research"))
        await unit.users.add(a_user("usr_1", name="Ann", email="ann@example.com"))
        await unit.users.add(a_user("usr_2", name="", email="bob@example.com"))
        await unit.virtual_keys.add(a_virtual_key("key_1", tenant_id="ten_1", name="notebook"))
        await unit.providers.add(a_provider("alpha", name="Alpha"))
        await unit.keys.add(a_provider_key("pk_1", provider_id="alpha", label="free tier"))

    found = await names.of(
        {
            "tenant": {"ten_1", "ten_gone"},
            "user": {"usr_1", "usr_2"},
            "key": {"key_1"},
            "provider": {"alpha"},
            "provider_key": {"pk_1"},
        }
    )

    assert found == {
        "tenant": {"ten_1": "Research"},
        "user": {"usr_1": "Ann", "usr_2": "bob@example.com"},
        "key": {"key_1": "notebook"},
        "provider": {"alpha": "Alpha"},
        "provider_key": {"pk_1": "free tier"},
    }


async def test_more_ids_than_a_statement_takes_are_found_all_the_same(store: Store, names: Names) -> None:
    ids = {f"ten_{number:05}" for number in range(3)} | {f"ten_none_{number:05}" for number in range(2 * AT_ONCE)}
    async with store.write() as unit:
        for number in range(3):
            await unit.tenants.add(a_tenant(f"ten_{number:05}", name=f"Tenant {number}"))

    assert len((await names.of({"tenant": ids}))["tenant"]) == 3


async def test_nobody_has_no_name(names: Names) -> None:
    assert await names.of({"tenant": set(), "key": set()}) == {"tenant": {}, "key": {}}
