"""What every store promises of tenants, users and memberships, asked of the fake, SQLite and Postgres alike."""

from datetime import timedelta
from decimal import Decimal

import pytest

from domain.authority import EVERYWHERE, Reach
from domain.errors import Conflict, NotFound
from domain.limits import Budget, RateLimits
from domain.ports.repositories import Store
from tests.builders import NOW, a_membership, a_tenant, a_user, a_virtual_key

OF_ONE = Reach(tenants=frozenset({"ten_1"}))
OWN_IN_ONE = Reach(own_in=frozenset({"ten_1"}), owner_id="usr_1")
NOWHERE = Reach()


async def filled(store: Store) -> None:
    """Two tenants, two users; both are in the first tenant, one in the second."""
    async with store.write() as unit:
        for number in (1, 2):
            await unit.tenants.add(a_tenant(f"ten_{number}"))
            await unit.users.add(a_user(f"usr_{number}", created_at=NOW + timedelta(seconds=number)))
            await unit.memberships.add(a_membership("ten_1", f"usr_{number}"))
        await unit.memberships.add(a_membership("ten_2", "usr_2", role="owner"))


@pytest.mark.parametrize(
    ("reach", "seen"), [(EVERYWHERE, ["ten_2", "ten_1"]), (OF_ONE, ["ten_1"]), (OWN_IN_ONE, []), (NOWHERE, [])]
)
async def test_a_tenant_outside_the_reach_is_not_there(store: Store, reach: Reach, seen: list[str]) -> None:
    await filled(store)

    async with store.read() as unit:
        assert [tenant.id for tenant in await unit.tenants.list_page(reach, 10, None)] == seen
        assert [t.id for number in (2, 1) if (t := await unit.tenants.get(f"ten_{number}", reach))] == seen
        assert await unit.tenants.get("ten_none", reach) is None


@pytest.mark.parametrize(
    ("reach", "seen"),
    [(EVERYWHERE, ["usr_1", "usr_2"]), (OF_ONE, ["usr_1", "usr_2"]), (OWN_IN_ONE, ["usr_1"]), (NOWHERE, [])],
)
async def test_a_member_outside_the_reach_is_not_there(store: Store, reach: Reach, seen: list[str]) -> None:
    await filled(store)

    async with store.read() as unit:
        listed = await unit.memberships.list_of_tenant("ten_1", reach, 10, None)
        assert [(membership.user_id, user.id) for membership, user in listed] == [(name, name) for name in seen]
        for name in ("usr_1", "usr_2"):
            assert (await unit.memberships.get("ten_1", name, reach) is not None) == (name in seen)


async def test_tenants_and_members_come_in_pages(store: Store) -> None:
    await filled(store)

    async with store.read() as unit:
        assert [t.id for t in await unit.tenants.list_page(EVERYWHERE, 1, None)] == ["ten_2"]
        assert [t.id for t in await unit.tenants.list_page(EVERYWHERE, 1, "ten_2")] == ["ten_1"]
        assert [u.id for _, u in await unit.memberships.list_of_tenant("ten_1", EVERYWHERE, 1, None)] == ["usr_1"]
        assert [u.id for _, u in await unit.memberships.list_of_tenant("ten_1", EVERYWHERE, 1, "usr_1")] == ["usr_2"]


async def test_users_come_newest_first_whatever_their_ids_are(store: Store) -> None:
    async with store.write() as unit:
        for place, name in enumerate(("b", "c", "a")):
            await unit.users.add(a_user(f"usr_{name}", created_at=NOW + timedelta(microseconds=place)))
        await unit.users.add(a_user("usr_d", created_at=NOW))

    async with store.read() as unit:
        assert [user.id for user in await unit.users.list_page(9, None)] == ["usr_a", "usr_c", "usr_d", "usr_b"]
        assert [user.id for user in await unit.users.list_page(2, "usr_c")] == ["usr_d", "usr_b"]
        assert await unit.users.list_page(2, "usr_gone") == []


async def test_an_address_is_of_one_user_and_many_may_have_none(store: Store) -> None:
    async with store.write() as unit:
        await unit.users.add(a_user("usr_1", email="ann@example.org"))
        await unit.users.add(a_user("usr_2", email=None))
        await unit.users.add(a_user("usr_3", email=None))
        with pytest.raises(Conflict, match="address"):
            await unit.users.add(a_user("usr_4", email="ann@example.org"))
        with pytest.raises(Conflict, match="address"):
            await unit.users.update(a_user("usr_2", email="ann@example.org"))
        with pytest.raises(Conflict, match="exists"):
            await unit.users.add(a_user("usr_1", email="bob@example.org"))

    async with store.read() as unit:
        found = await unit.users.find("ann@example.org")
        assert found is not None
        assert found.id == "usr_1"
        assert await unit.users.find("nobody@example.org") is None


async def test_when_someone_was_last_seen_never_goes_back(store: Store) -> None:
    async with store.write() as unit:
        await unit.users.add(a_user())
    for later in (5, 3, 5):
        async with store.write() as unit:
            await unit.users.seen("usr_1", NOW + timedelta(seconds=later))
            await unit.users.seen("usr_none", NOW)

    async with store.read() as unit:
        found = await unit.users.get("usr_1")
        assert found is not None
        assert found.last_seen_at == NOW + timedelta(seconds=5)


async def test_a_membership_needs_both_and_is_one(store: Store) -> None:
    await filled(store)

    async with store.write() as unit:
        for place in (("ten_none", "usr_1"), ("ten_1", "usr_none")):
            with pytest.raises(NotFound):
                await unit.memberships.add(a_membership(*place))
        with pytest.raises(Conflict):
            await unit.memberships.add(a_membership("ten_1", "usr_1", role="owner"))
        with pytest.raises(NotFound):
            await unit.memberships.update(a_membership("ten_2", "usr_1"))
        assert await unit.memberships.delete("ten_1", "usr_1")
        assert not await unit.memberships.delete("ten_1", "usr_1")
        assert [m.tenant_id for m in await unit.memberships.list_of_user("usr_2")] == ["ten_1", "ten_2"]


async def test_what_is_not_there_is_not_changed(store: Store) -> None:
    async with store.write() as unit:
        with pytest.raises(NotFound):
            await unit.tenants.update(a_tenant())
        with pytest.raises(NotFound):
            await unit.users.update(a_user())
        assert not await unit.tenants.delete("ten_default")
        assert not await unit.users.delete("usr_1")


async def test_a_tenant_goes_with_its_keys_and_members_and_a_user_with_theirs(store: Store) -> None:
    await filled(store)
    async with store.write() as unit:
        await unit.virtual_keys.add(a_virtual_key("key_service", tenant_id="ten_1"))
        await unit.virtual_keys.add(a_virtual_key("key_own", tenant_id="ten_1", owner_id="usr_2"))
        await unit.virtual_keys.add(a_virtual_key("key_other", tenant_id="ten_2", owner_id="usr_2"))

    async with store.write() as unit:
        assert await unit.users.delete("usr_2")
        assert [key.id for key in await unit.virtual_keys.list_page(EVERYWHERE, 9, None)] == ["key_service"]
        assert await unit.memberships.list_of_user("usr_2") == []
        assert await unit.tenants.delete("ten_1")
        assert await unit.virtual_keys.list_page(EVERYWHERE, 9, None) == []
        assert await unit.memberships.list_of_user("usr_1") == []


async def test_personal_tenants_are_listed_apart(store: Store) -> None:
    async with store.write() as unit:
        for name, kind in (("ten_b", "personal"), ("ten_c", "shared"), ("ten_a", "personal")):
            await unit.tenants.add(a_tenant(name, kind=kind))
        assert [tenant.id for tenant in await unit.tenants.list_personal()] == ["ten_a", "ten_b"]


async def test_limits_and_budgets_that_are_fields_are_listed_by_whose_they_are(store: Store) -> None:
    budgets = tuple(Budget(limit_usd=Decimal(number)) for number in (1, 2))
    async with store.write() as unit:
        await unit.tenants.add(a_tenant("ten_1", budgets=budgets))
        await unit.tenants.add(a_tenant("ten_2"))
        await unit.tenants.add(a_tenant("ten_3", limits=RateLimits(rpm=5)))
        await unit.users.add(a_user("usr_1", budgets=budgets[:1]))
        await unit.memberships.add(a_membership("ten_1", "usr_1", budgets=budgets[1:]))
        await unit.virtual_keys.add(a_virtual_key("key_1", tenant_id="ten_1", budgets=budgets[:1]))
        gone = a_virtual_key("key_2", tenant_id="ten_1", digest=b"2" * 32, budgets=budgets, revoked_at=NOW)
        await unit.virtual_keys.add(gone)

    async with store.read() as unit:
        listed = await unit.rules.list_of_fields()
    found = {(each.subject.kind, each.subject.id): each.budgets or each.limits for each in listed}

    assert found == {
        ("tenant", "ten_1"): budgets,
        ("tenant", "ten_3"): RateLimits(rpm=5),
        ("user", "usr_1"): budgets[:1],
        ("member", "ten_1/usr_1"): budgets[1:],
        ("key", "key_1"): budgets[:1],
    }
