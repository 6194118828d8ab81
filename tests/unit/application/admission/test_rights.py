"""What a key may do at each use: its own lists, its owner's place and its tenant's state, as they are now (S-01)."""

from datetime import timedelta

import msgspec
import pytest

from application.admin.default_models import DefaultModels
from application.admin.members import MemberChange, NewMember
from application.admin.model_groups import ModelGroupChange, NewModelGroup
from application.admin.tenants import NewTenant, TenantChange
from application.admin.users import NewUser, UserChange
from application.admin.virtual_keys import NewVirtualKey, VirtualKeyChange
from domain.errors import GatewayError, PermissionDenied, Unauthenticated
from domain.grants import Grants
from domain.keys import Principal
from domain.limits import RateLimits
from tests.fakes.administration import ACTOR, FakeAdministration


@pytest.fixture
async def admin() -> FakeAdministration:
    return await FakeAdministration().started()


async def caller(admin: FakeAdministration, secret: str) -> Principal:
    return await admin.authenticator.authenticate(secret)


async def refused(admin: FakeAdministration, secret: str) -> str:
    """The code of the refusal, else `let in`."""
    try:
        await caller(admin, secret)
    except GatewayError as error:
        return error.code
    return "let in"


async def grants(admin: FakeAdministration, secret: str) -> Grants:
    found = (await caller(admin, secret)).grants
    assert found is not None
    return found


async def test_lists_of_key_and_tenant_narrow_together_from_the_next_request_on(admin: FakeAdministration) -> None:
    new = NewVirtualKey(allowed_models=("a/*", "b/*"), allowed_providers=("a", "b"))
    _, secret = await admin.virtual_keys.create(ACTOR, new)
    before = await grants(admin, secret.reveal())

    await admin.tenants.update(ACTOR, "ten_default", TenantChange(allowed_models=("b/*", "c/*")))
    after = await grants(admin, secret.reveal())
    await admin.tenants.update(ACTOR, "ten_default", TenantChange(allowed_models=()))
    nothing = await grants(admin, secret.reveal())

    assert [before.allow(name, "m") for name in "abc"] == [True, True, False]
    assert [after.allow(name, "m") for name in "abc"] == [False, True, False]
    assert [nothing.allow(name, "m") for name in "abc"] == [False, False, False]


async def test_a_key_that_restricts_nothing_costs_a_request_nothing(admin: FakeAdministration) -> None:
    _, secret = await admin.virtual_keys.create(ACTOR, NewVirtualKey())

    assert (await caller(admin, secret.reveal())).grants is None


async def test_a_suspended_tenants_keys_are_refused_until_it_is_active_again(admin: FakeAdministration) -> None:
    _, secret = await admin.virtual_keys.create(ACTOR, NewVirtualKey())

    seen = []
    for status in ("active", "suspended", "active"):
        await admin.tenants.update(ACTOR, "ten_default", TenantChange(status=status))
        seen.append(await refused(admin, secret.reveal()))

    assert seen == ["let in", "tenant_suspended", "let in"]


async def test_personal_keys_go_with_their_owner_and_service_keys_stay(admin: FakeAdministration) -> None:
    user = await admin.users.create(ACTOR, NewUser(email="ann@example.org"))
    await admin.members.add(ACTOR, "ten_default", NewMember(user_id=user.id))
    _, own = await admin.virtual_keys.create(ACTOR, NewVirtualKey(owner_id=user.id))
    _, service = await admin.virtual_keys.create(ACTOR, NewVirtualKey())
    seen = [await refused(admin, own.reveal())]

    await admin.users.update(ACTOR, user.id, UserChange(status="disabled"))
    seen.append(await refused(admin, own.reveal()))
    await admin.users.update(ACTOR, user.id, UserChange(status="active"))
    seen.append(await refused(admin, own.reveal()))
    await admin.members.update(ACTOR, "ten_default", user.id, MemberChange(role="viewer"))
    seen.append(await refused(admin, own.reveal()))
    await admin.members.update(ACTOR, "ten_default", user.id, MemberChange(role="owner"))
    seen.append(await refused(admin, own.reveal()))
    await admin.members.remove(ACTOR, "ten_default", user.id)
    seen.append(await refused(admin, own.reveal()))

    assert seen == ["let in", "invalid_api_key", "let in", "invalid_api_key", "let in", "invalid_api_key"]
    assert await refused(admin, service.reveal()) == "let in"


async def test_a_rotated_secret_works_on_for_its_overlap_and_no_longer(admin: FakeAdministration) -> None:
    key, old = await admin.virtual_keys.create(ACTOR, NewVirtualKey())
    _, new = await admin.virtual_keys.rotate(ACTOR, key.id, overlap_seconds=3600)
    both = [await refused(admin, secret.reveal()) for secret in (old, new)]

    admin.clock.advance(3600)
    later = [await refused(admin, secret.reveal()) for secret in (old, new)]

    assert both == ["let in", "let in"]
    assert later == ["invalid_api_key", "let in"]


async def test_revoking_ends_the_old_secret_too_and_a_second_rotation_the_one_before(admin: FakeAdministration) -> None:
    key, first = await admin.virtual_keys.create(ACTOR, NewVirtualKey())
    _, second = await admin.virtual_keys.rotate(ACTOR, key.id, overlap_seconds=3600)
    _, third = await admin.virtual_keys.rotate(ACTOR, key.id, overlap_seconds=60)
    rotated = [await refused(admin, secret.reveal()) for secret in (first, second, third)]
    await admin.virtual_keys.revoke(ACTOR, key.id)
    revoked = [await refused(admin, secret.reveal()) for secret in (first, second, third)]

    assert rotated == ["invalid_api_key", "let in", "let in"]
    assert revoked == ["invalid_api_key"] * 3


async def test_a_model_group_is_what_it_is_now_and_one_that_is_gone_allows_nothing(admin: FakeAdministration) -> None:
    await admin.model_groups.create(ACTOR, NewModelGroup(name="fast", patterns=("a/*",)))
    _, given = await admin.virtual_keys.create(ACTOR, NewVirtualKey(allowed_models=("@fast", "b/n")))
    _, taken = await admin.virtual_keys.create(ACTOR, NewVirtualKey(allowed_models=("*", "!@fast")))
    seen = []

    for change in (None, ModelGroupChange(patterns=("b/*", "!b/n")), "gone"):
        if isinstance(change, ModelGroupChange):
            await admin.model_groups.update(ACTOR, "fast", change)
        elif change is not None:
            await admin.model_groups.delete(ACTOR, "fast")
        both = [await grants(admin, secret.reveal()) for secret in (given, taken)]
        seen.append([[each.allow(name, model) for name, model in ("am", "bm", "bn")] for each in both])

    assert seen == [
        [[True, False, True], [False, True, True]],
        [[False, True, True], [True, False, True]],
        [[False, False, True], [False, False, False]],
    ]


async def test_scopes_endpoints_and_addresses_are_asked_at_use(admin: FakeAdministration) -> None:
    new = NewVirtualKey(scopes=("inference",), allowed_endpoints=("embeddings",), cidrs=("10.0.0.0/8", "2001:db8::/32"))
    _, secret = await admin.virtual_keys.create(ACTOR, new)
    await admin.tenants.update(ACTOR, "ten_default", TenantChange(cidrs=("10.1.0.0/16", "2001:db8::/32")))
    found = await grants(admin, secret.reveal())

    found.require_endpoint("embeddings")
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1"):
        found.require_address(address)
    for ask, asked, code in (
        (found.require_endpoint, "chat.completions", "endpoint_not_allowed"),
        (found.require_address, "10.2.0.1", "address_not_allowed"),
        (found.require_address, "203.0.113.7", "address_not_allowed"),
        (found.require_address, "", "address_not_allowed"),
    ):
        with pytest.raises(PermissionDenied) as caught:
            ask(asked)
        assert caught.value.code == code
    with pytest.raises(PermissionDenied, match="scope 'usage'"):
        found.require_scope("usage")


async def test_limits_of_all_whom_a_key_acts_for_are_on_its_way(admin: FakeAdministration) -> None:
    user = await admin.users.create(ACTOR, NewUser(email="ann@example.org", limits=RateLimits(rpm=1)))
    await admin.members.add(ACTOR, "ten_default", NewMember(user_id=user.id, limits=RateLimits(rpm=2)))
    await admin.tenants.update(ACTOR, "ten_default", TenantChange(limits=RateLimits(rpm=3)))
    key, secret = await admin.virtual_keys.create(ACTOR, NewVirtualKey(owner_id=user.id, limits=RateLimits(rpm=1)))

    rules = (await caller(admin, secret.reveal())).rules

    assert [(rule.subject.kind, rule.subject.id, rule.limits.rpm) for rule in rules] == [
        ("key", key.id, 1),
        ("member", f"ten_default/{user.id}", 2),
        ("user", user.id, 1),
        ("tenant", "ten_default", 3),
    ]


async def test_whose_a_request_is_and_its_tags_come_from_key_and_tenant(admin: FakeAdministration) -> None:
    user = await admin.users.create(ACTOR, NewUser(email="ann@example.org"))
    tenant = user.personal_tenant_id
    await admin.tenants.update(ACTOR, tenant or "", TenantChange(tags=("team", "a")))
    new = NewVirtualKey(tenant_id=tenant, owner_id=user.id, tags=("a", "b"))
    _, secret = await admin.virtual_keys.create(ACTOR, new)

    principal = await caller(admin, secret.reveal())

    assert (principal.tenant_id, principal.user_id, principal.tags) == (tenant, user.id, ("a", "b", "team"))


async def test_when_a_key_was_used_is_written_later_and_once(admin: FakeAdministration) -> None:
    key, secret = await admin.virtual_keys.create(ACTOR, NewVirtualKey())
    for _ in range(3):
        await caller(admin, secret.reveal())
    before = await admin.virtual_keys.get(ACTOR, key.id)
    units = admin.store.units

    await admin.last_used.flush()
    await admin.last_used.flush()

    after = await admin.virtual_keys.get(ACTOR, key.id)
    assert (before.last_used_at, after.last_used_at) == (None, admin.clock.now())
    assert after == msgspec.structs.replace(before, last_used_at=after.last_used_at)
    assert admin.store.units == units + 2  # one that wrote, one that looked


async def test_what_was_noted_while_the_store_was_away_is_written_when_it_is_back(admin: FakeAdministration) -> None:
    key, secret = await admin.virtual_keys.create(ACTOR, NewVirtualKey())
    await caller(admin, secret.reveal())
    admin.store.broken = True
    with pytest.raises(Exception, match="broken"):
        await admin.last_used.flush()
    admin.store.broken = False

    await admin.last_used.flush()

    assert (await admin.virtual_keys.get(ACTOR, key.id)).last_used_at is not None


async def test_default_models_are_the_same_in_every_personal_tenant_before_and_after(admin: FakeAdministration) -> None:
    early = await admin.users.create(ACTOR, NewUser(email="early@example.org"))
    await admin.default_models.update(ACTOR, DefaultModels(models=("a/*",)))
    late = await admin.users.create(ACTOR, NewUser(email="late@example.org"))
    shared = await admin.tenants.create(ACTOR, NewTenant(name="Shared"))
    own = [user.personal_tenant_id or "" for user in (early, late)]
    seen = [(await admin.tenants.get(ACTOR, tenant)).allowed_models for tenant in (*own, shared.id)]

    await admin.default_models.update(ACTOR, DefaultModels(models=None))

    assert seen == [("a/*",), ("a/*",), None]
    assert [(await admin.tenants.get(ACTOR, tenant)).allowed_models for tenant in own] == [None, None]
    assert (await admin.default_models.get()).models is None


async def test_an_expired_key_says_so_and_its_old_secret_never_outlives_it(admin: FakeAdministration) -> None:
    key, old = await admin.virtual_keys.create(ACTOR, NewVirtualKey())
    await admin.virtual_keys.rotate(ACTOR, key.id, overlap_seconds=3600)
    soon = admin.clock.now() + timedelta(seconds=10)
    await admin.virtual_keys.update(ACTOR, key.id, VirtualKeyChange(expires_at=soon))
    admin.clock.advance(10)

    with pytest.raises(Unauthenticated, match="expired"):
        await caller(admin, old.reveal())
