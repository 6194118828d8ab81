"""Clients' keys as an admin changes them (S-09, S-22, P-11)."""

from datetime import datetime, timedelta, timezone

import pytest

from application.admin.virtual_keys import NewVirtualKey, VirtualKeyChange
from domain.authority import EVERYWHERE
from domain.errors import Conflict, NotFound, RequestInvalid, Unauthenticated
from domain.keys import VIRTUAL_KEY_PREFIX, well_formed
from tests.fakes.administration import ACTOR, FakeAdministration


async def test_a_created_key_works_at_once_and_only_its_digest_is_stored(admin: FakeAdministration) -> None:
    key, secret = await admin.virtual_keys.create(ACTOR, NewVirtualKey(name="notebook", allowed_models=("a/*",)))

    principal = await admin.authenticator.authenticate(secret.reveal())

    assert well_formed(secret.reveal(), VIRTUAL_KEY_PREFIX)
    assert principal.key_id == key.id
    assert principal.grants is not None
    assert principal.grants.allow("a", "m")
    async with admin.store.read() as unit:
        stored = await unit.virtual_keys.get(key.id, EVERYWHERE)
    assert stored is not None
    assert secret.reveal() not in repr(stored)
    assert stored.last4 == secret.reveal()[-4:]


async def test_a_key_needs_a_tenant_that_is_there(admin: FakeAdministration) -> None:
    with pytest.raises(RequestInvalid) as caught:
        await admin.virtual_keys.create(ACTOR, NewVirtualKey(tenant_id="ten_nobody"))

    assert caught.value.param == "tenant_id"


async def test_times_are_kept_in_utc(admin: FakeAdministration) -> None:
    tokyo = timezone(timedelta(hours=9))

    key, _ = await admin.virtual_keys.create(ACTOR, NewVirtualKey(expires_at=datetime(2027, 1, 1, 9, tzinfo=tokyo)))

    assert key.expires_at is not None
    assert key.expires_at.isoformat() == "2027-01-01T00:00:00+00:00"


async def test_a_revoked_key_is_refused_at_the_next_request(admin: FakeAdministration) -> None:
    key, secret = await admin.virtual_keys.create(ACTOR, NewVirtualKey())
    await admin.authenticator.authenticate(secret.reveal())

    revoked = await admin.virtual_keys.revoke(ACTOR, key.id)
    again = await admin.virtual_keys.revoke(ACTOR, key.id)

    assert revoked == again
    with pytest.raises(Unauthenticated):
        await admin.authenticator.authenticate(secret.reveal())


async def test_a_rotated_key_changes_its_secret_and_nothing_else(admin: FakeAdministration) -> None:
    key, old = await admin.virtual_keys.create(ACTOR, NewVirtualKey(name="n", allowed_providers=("alpha",)))
    await admin.authenticator.authenticate(old.reveal())

    rotated, new = await admin.virtual_keys.rotate(ACTOR, key.id)

    principal = await admin.authenticator.authenticate(new.reveal())
    assert principal.key_id == key.id
    assert principal.grants is not None
    assert not principal.grants.allow("beta", "m")
    assert (rotated.name, rotated.version) == ("n", 2)
    with pytest.raises(Unauthenticated):
        await admin.authenticator.authenticate(old.reveal())


async def test_a_revoked_key_is_not_rotated_back_to_life(admin: FakeAdministration) -> None:
    key, _ = await admin.virtual_keys.create(ACTOR, NewVirtualKey())
    await admin.virtual_keys.revoke(ACTOR, key.id)

    with pytest.raises(Conflict, match="for good"):
        await admin.virtual_keys.rotate(ACTOR, key.id)


async def test_a_change_is_in_force_for_the_next_request(admin: FakeAdministration) -> None:
    key, secret = await admin.virtual_keys.create(ACTOR, NewVirtualKey(name="n", allowed_models=("m",)))
    await admin.authenticator.authenticate(secret.reveal())

    changed = await admin.virtual_keys.update(ACTOR, key.id, VirtualKeyChange(allowed_models=None))

    assert (await admin.authenticator.authenticate(secret.reveal())).grants is None
    assert (changed.name, changed.allowed_models, changed.version) == ("n", None, 2)


async def test_an_expiry_can_be_set_and_lifted(admin: FakeAdministration) -> None:
    key, secret = await admin.virtual_keys.create(ACTOR, NewVirtualKey())

    await admin.virtual_keys.update(ACTOR, key.id, VirtualKeyChange(expires_at=admin.clock.now()))
    with pytest.raises(Unauthenticated, match="expired"):
        await admin.authenticator.authenticate(secret.reveal())
    await admin.virtual_keys.update(ACTOR, key.id, VirtualKeyChange(expires_at=None))

    assert (await admin.authenticator.authenticate(secret.reveal())).key_id == key.id


async def test_a_deleted_key_is_refused_at_the_next_request(admin: FakeAdministration) -> None:
    key, secret = await admin.virtual_keys.create(ACTOR, NewVirtualKey())
    await admin.authenticator.authenticate(secret.reveal())

    await admin.virtual_keys.delete(ACTOR, key.id)

    with pytest.raises(Unauthenticated):
        await admin.authenticator.authenticate(secret.reveal())
    with pytest.raises(NotFound):
        await admin.virtual_keys.get(ACTOR, key.id)


async def test_what_is_not_there_is_not_found(admin: FakeAdministration) -> None:
    for attempt in (
        admin.virtual_keys.get(ACTOR, "key_x"),
        admin.virtual_keys.update(ACTOR, "key_x", VirtualKeyChange(name="x")),
        admin.virtual_keys.revoke(ACTOR, "key_x"),
        admin.virtual_keys.rotate(ACTOR, "key_x"),
        admin.virtual_keys.delete(ACTOR, "key_x"),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_a_list_comes_in_pages_newest_first(admin: FakeAdministration) -> None:
    for name in ("first", "second", "third"):
        await admin.virtual_keys.create(ACTOR, NewVirtualKey(name=name))

    one = await admin.virtual_keys.list_page(ACTOR, 2, None)
    two = await admin.virtual_keys.list_page(ACTOR, 2, one.next_cursor)

    assert [key.name for key in (*one.data, *two.data)] == ["third", "second", "first"]
    assert two.next_cursor is None


async def test_every_write_is_told_to_other_processes(admin: FakeAdministration) -> None:
    key, _ = await admin.virtual_keys.create(ACTOR, NewVirtualKey())
    await admin.virtual_keys.update(ACTOR, key.id, VirtualKeyChange(name="x"))
    await admin.virtual_keys.rotate(ACTOR, key.id)
    await admin.virtual_keys.revoke(ACTOR, key.id)
    await admin.virtual_keys.delete(ACTOR, key.id)

    assert await admin.config_version() == 5


async def test_a_key_may_be_made_strict_and_lenient_again(admin: FakeAdministration) -> None:
    key, secret = await admin.virtual_keys.create(ACTOR, NewVirtualKey(name="ci", strict=True))
    assert (await admin.authenticator.authenticate(secret.reveal())).strict

    await admin.virtual_keys.update(ACTOR, key.id, VirtualKeyChange(name="renamed"))
    assert (await admin.authenticator.authenticate(secret.reveal())).strict

    await admin.virtual_keys.update(ACTOR, key.id, VirtualKeyChange(strict=False))
    assert not (await admin.authenticator.authenticate(secret.reveal())).strict
