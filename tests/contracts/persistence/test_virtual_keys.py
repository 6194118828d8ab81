"""What every store promises of virtual keys and model groups, asked of the fake, SQLite and Postgres alike."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from domain.authority import EVERYWHERE, Reach
from domain.errors import Conflict, NotFound
from domain.keys import IssuedKey
from domain.model_groups import ModelGroup
from domain.ports.repositories import Store
from tests.builders import NOW, a_membership, a_tenant, a_user, a_virtual_key

PRECISE = datetime(2026, 11, 21, 12, 34, 56, 789012, tzinfo=UTC)


async def test_a_virtual_key_comes_back_as_it_was_written(store: Store) -> None:
    wide = a_virtual_key("key_1")
    narrow = a_virtual_key(
        "key_2",
        digest=bytes(range(32)),
        allowed_models=("m", "alpha/m"),
        allowed_providers=(),
        expires_at=PRECISE,
        revoked_at=NOW,
        version=4,
    )
    async with store.write() as unit:
        await unit.tenants.add(a_tenant())
        await unit.virtual_keys.add(wide)
        await unit.virtual_keys.add(narrow)
    async with store.read() as unit:
        assert await unit.virtual_keys.get("key_1", EVERYWHERE) == wide
        assert await unit.virtual_keys.get("key_2", EVERYWHERE) == narrow
        assert await unit.virtual_keys.get("key_3", EVERYWHERE) is None


async def test_a_virtual_key_is_found_by_any_of_its_digests(store: Store) -> None:
    revoked = a_virtual_key("key_2", revoked_at=NOW, expires_at=NOW)
    async with store.write() as unit:
        await unit.tenants.add(a_tenant())
        await unit.virtual_keys.add(a_virtual_key("key_1"))
        await unit.virtual_keys.add(revoked)
    async with store.read() as unit:
        assert await unit.virtual_keys.find([b"x" * 32, revoked.digest]) == IssuedKey(revoked, a_tenant())
        assert await unit.virtual_keys.find([b"x" * 32]) is None
        assert await unit.virtual_keys.find([]) is None


async def test_a_virtual_key_is_found_with_its_tenant_its_owner_and_their_place_there(store: Store) -> None:
    async with store.write() as unit:
        for number in (1, 2):
            await unit.tenants.add(a_tenant(f"ten_{number}"))
            await unit.users.add(a_user(f"usr_{number}"))
        await unit.memberships.add(a_membership("ten_1", "usr_1"))
        await unit.memberships.add(a_membership("ten_2", "usr_2"))
        for name, tenant, owner in (
            ("key_1", "ten_1", "usr_1"),
            ("key_2", "ten_1", "usr_2"),
            ("key_3", "ten_1", "gone"),
        ):
            await unit.virtual_keys.add(a_virtual_key(name, tenant_id=tenant, owner_id=owner))
    async with store.read() as unit:
        found = [await unit.virtual_keys.find([a_virtual_key(name).digest]) for name in ("key_1", "key_2", "key_3")]

    assert [(each.tenant.id, each.owner, each.membership) for each in found if each is not None] == [
        ("ten_1", a_user("usr_1"), a_membership("ten_1", "usr_1")),
        ("ten_1", a_user("usr_2"), None),
        ("ten_1", None, None),
    ]


async def test_a_virtual_key_is_found_by_the_secret_before_its_rotation_and_the_present_one_wins(store: Store) -> None:
    old = b"o" * 32
    async with store.write() as unit:
        await unit.tenants.add(a_tenant())
        await unit.virtual_keys.add(a_virtual_key("key_1", previous_digest=old, previous_until=NOW))
        await unit.virtual_keys.add(a_virtual_key("key_2", previous_digest=a_virtual_key("key_1").digest))
    async with store.read() as unit:
        by_old, by_present = [await unit.virtual_keys.find([d]) for d in (old, a_virtual_key("key_1").digest)]

    assert by_old is not None
    assert by_present is not None
    assert (by_old.key.id, by_present.key.id) == ("key_1", "key_1")


async def test_a_digest_is_exchanged_only_where_it_is_still_the_old_one(store: Store) -> None:
    old, new, other = b"sha256:" + b"o" * 32, b"n" * 32, b"p" * 32
    async with store.write() as unit:
        await unit.tenants.add(a_tenant())
        await unit.virtual_keys.add(a_virtual_key("key_1", digest=old))
    async with store.write() as unit:
        done = [await unit.virtual_keys.exchange("key_1", old, new) for new in (new, other)]
        nowhere = await unit.virtual_keys.exchange("key_2", old, other)
    async with store.read() as unit:
        found = await unit.virtual_keys.find([new])
        by_old = await unit.virtual_keys.find([old])

    assert (done, nowhere, by_old) == ([True, False], False, None)
    assert found is not None
    assert found.key == a_virtual_key("key_1", digest=new)


@pytest.mark.parametrize(
    ("reach", "seen"),
    [
        (EVERYWHERE, ["key_4", "key_3", "key_2", "key_1"]),
        (Reach(tenants=frozenset({"ten_1"})), ["key_3", "key_2", "key_1"]),
        (Reach(own_in=frozenset({"ten_1"}), owner_id="usr_1"), ["key_2"]),
        (Reach(own_in=frozenset({"ten_2"}), owner_id="usr_1"), []),
        (Reach(), []),
    ],
)
async def test_a_virtual_key_outside_the_reach_is_not_there(store: Store, reach: Reach, seen: list[str]) -> None:
    """S-04. A service key is nobody's own."""
    rows = (
        ("key_1", "ten_1", None),
        ("key_2", "ten_1", "usr_1"),
        ("key_3", "ten_1", "usr_2"),
        ("key_4", "ten_2", None),
    )
    async with store.write() as unit:
        for tenant in ("ten_1", "ten_2"):
            await unit.tenants.add(a_tenant(tenant))
        for name, tenant, owner in rows:
            await unit.virtual_keys.add(a_virtual_key(name, tenant_id=tenant, owner_id=owner))
    async with store.read() as unit:
        assert [key.id for key in await unit.virtual_keys.list_page(reach, 9, None)] == seen
        assert [name for name, *_ in reversed(rows) if await unit.virtual_keys.get(name, reach)] == seen


async def test_when_a_key_was_used_never_goes_back(store: Store) -> None:
    async with store.write() as unit:
        await unit.tenants.add(a_tenant())
        await unit.virtual_keys.add(a_virtual_key())
    for later in (5, 3):
        async with store.write() as unit:
            await unit.virtual_keys.used({"key_1": NOW + timedelta(seconds=later), "key_none": NOW})
    async with store.read() as unit:
        found = await unit.virtual_keys.get("key_1", EVERYWHERE)

    assert found == a_virtual_key(last_used_at=NOW + timedelta(seconds=5))


async def test_model_groups_are_kept_by_name(store: Store) -> None:
    async with store.write() as unit:
        for name in ("slow", "fast"):
            await unit.model_groups.put(ModelGroup(name, ("a/*",), NOW, NOW))
        await unit.model_groups.put(ModelGroup("fast", ("b/*",), NOW, NOW))
        assert await unit.model_groups.delete("slow")
        assert not await unit.model_groups.delete("slow")
    async with store.read() as unit:
        assert await unit.model_groups.list_all() == [ModelGroup("fast", ("b/*",), NOW, NOW)]
        assert await unit.model_groups.patterns({"fast", "slow"}) == {"fast": ("b/*",)}
        assert await unit.model_groups.patterns(()) == {}


async def test_virtual_keys_are_paged_newest_first(store: Store) -> None:
    async with store.write() as unit:
        await unit.tenants.add(a_tenant())
        for number in (2, 4, 1, 3):
            await unit.virtual_keys.add(a_virtual_key(f"key_{number}"))
    async with store.read() as unit:
        assert [key.id for key in await unit.virtual_keys.list_page(EVERYWHERE, 3, None)] == ["key_4", "key_3", "key_2"]
        assert [key.id for key in await unit.virtual_keys.list_page(EVERYWHERE, 3, "key_2")] == ["key_1"]
        assert await unit.virtual_keys.list_page(EVERYWHERE, 3, "key_1") == []


async def test_a_virtual_key_can_be_changed_and_deleted(store: Store) -> None:
    key = a_virtual_key()
    changed = msgspec.structs.replace(key, revoked_at=PRECISE, version=2, allowed_models=())
    async with store.write() as unit:
        await unit.tenants.add(a_tenant())
        await unit.virtual_keys.add(key)
        await unit.virtual_keys.update(changed)
    async with store.write() as unit:
        assert await unit.virtual_keys.get(key.id, EVERYWHERE) == changed
        assert await unit.virtual_keys.delete(key.id)
        assert not await unit.virtual_keys.delete(key.id)
        with pytest.raises(NotFound):
            await unit.virtual_keys.update(changed)


async def test_virtual_keys_need_a_tenant_and_secrets_of_their_own(store: Store) -> None:
    async with store.write() as unit:
        with pytest.raises(NotFound, match="no tenant 'ten_default'"):
            await unit.virtual_keys.add(a_virtual_key())
        await unit.tenants.add(a_tenant())
        await unit.virtual_keys.add(a_virtual_key("key_1"))
        await unit.virtual_keys.add(a_virtual_key("key_2"))
        with pytest.raises(Conflict, match="'key_1' exists already"):
            await unit.virtual_keys.add(a_virtual_key("key_1", digest=b"y" * 32))
        with pytest.raises(Conflict, match="the same secret"):
            await unit.virtual_keys.add(a_virtual_key("key_3", digest=a_virtual_key("key_1").digest))
        with pytest.raises(Conflict, match="the same secret"):
            await unit.virtual_keys.update(a_virtual_key("key_2", digest=a_virtual_key("key_1").digest))
    async with store.read() as unit:
        assert [key.id for key in await unit.virtual_keys.list_page(EVERYWHERE, 9, None)] == ["key_2", "key_1"]
