"""Tokens become principals through a cache that cannot keep a revoked key alive."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from application.admission.authentication import OPEN_PRINCIPAL, AdminAuthenticator, Authenticator
from domain.errors import ServiceUnavailable, Unauthenticated
from domain.keys import ADMIN_TOKEN_PREFIX, VIRTUAL_KEY_PREFIX, VirtualKey, generate_key
from domain.secrets import Secret
from tests.builders import NOW, a_tenant, a_virtual_key
from tests.fakes.clock import FakeClock
from tests.fakes.security import FakeHasher
from tests.fakes.store import MemoryStore, MemoryVirtualKeys

TOKEN = generate_key(VIRTUAL_KEY_PREFIX).reveal()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def authenticator(store: MemoryStore, clock: FakeClock) -> Authenticator:
    return Authenticator(store, FakeHasher(), clock)


async def stored(store: MemoryStore, **changes: Any) -> VirtualKey:
    key = a_virtual_key(digest=FakeHasher().digest(TOKEN), **changes)
    async with store.write() as unit:
        if await unit.tenants.get(key.tenant_id) is None:
            await unit.tenants.add(a_tenant(key.tenant_id))
        await unit.virtual_keys.add(key)
    return key


async def update(store: MemoryStore, key: VirtualKey) -> None:
    async with store.write() as unit:
        await unit.virtual_keys.update(key)


async def test_a_stored_key_becomes_a_principal_with_its_grants(
    store: MemoryStore, authenticator: Authenticator
) -> None:
    await stored(store, allowed_models=("m",), allowed_providers=("alpha",))

    principal = await authenticator.authenticate(TOKEN)

    assert (principal.kind, principal.key_id, principal.tenant_id) == ("virtual_key", "key_1", "ten_default")
    assert principal.allowed_models == frozenset({"m"})
    assert principal.allowed_providers == frozenset({"alpha"})
    assert authenticator.cached(TOKEN) == principal


@pytest.mark.parametrize("token", [None, "", "nonsense", TOKEN[:-1] + ("a" if TOKEN[-1] != "a" else "b"), "x" * 300])
async def test_missing_and_malformed_keys_are_refused_without_asking_the_store(
    store: MemoryStore, authenticator: Authenticator, token: str | None
) -> None:
    store.broken = True

    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(token)


async def test_an_unknown_key_is_refused_and_asked_about_once_in_two_seconds(
    store: MemoryStore, authenticator: Authenticator, clock: FakeClock
) -> None:
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(TOKEN)
    store.broken = True
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(TOKEN)
    clock.advance(3)
    with pytest.raises(ServiceUnavailable):
        await authenticator.authenticate(TOKEN)


async def test_a_revoked_key_is_refused_at_the_next_request(store: MemoryStore, authenticator: Authenticator) -> None:
    """P-11, S-09: same process, next request."""
    key = await stored(store)
    await authenticator.authenticate(TOKEN)
    await update(store, msgspec.structs.replace(key, revoked_at=NOW, version=2))
    authenticator.forget(key.id)

    assert authenticator.cached(TOKEN) is None
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(TOKEN)


async def test_a_read_under_way_when_a_key_is_revoked_does_not_write_it_back(
    store: MemoryStore, authenticator: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-09: only a read that began after the change may fill the cache."""
    key = await stored(store)
    answered = asyncio.Event()
    find = MemoryVirtualKeys.find

    async def slow(self: MemoryVirtualKeys, digests: Sequence[bytes]) -> VirtualKey | None:
        found = await find(self, digests)
        await answered.wait()
        return found

    monkeypatch.setattr(MemoryVirtualKeys, "find", slow)
    reading = [asyncio.ensure_future(authenticator.authenticate(TOKEN)) for _ in range(50)]
    await asyncio.sleep(0.01)
    authenticator.forget(key.id)
    answered.set()
    await asyncio.gather(*reading)

    assert authenticator.cached(TOKEN) is None


async def test_an_expired_key_says_so_even_from_the_cache(
    store: MemoryStore, authenticator: Authenticator, clock: FakeClock
) -> None:
    await stored(store, expires_at=NOW + timedelta(seconds=2))
    await authenticator.authenticate(TOKEN)
    clock.advance(2)

    with pytest.raises(Unauthenticated, match="expired"):
        await authenticator.authenticate(TOKEN)


async def test_a_known_key_goes_on_for_a_minute_while_the_store_is_away(
    store: MemoryStore, authenticator: Authenticator, clock: FakeClock
) -> None:
    """R-25: never a 401 because the database could not be asked."""
    await stored(store)
    await authenticator.authenticate(TOKEN)
    store.broken = True
    clock.advance(59)
    assert (await authenticator.authenticate(TOKEN)).key_id == "key_1"
    clock.advance(2)
    with pytest.raises(ServiceUnavailable):
        await authenticator.authenticate(TOKEN)


async def test_open_access_lets_anyone_in_but_a_revoked_key(store: MemoryStore, clock: FakeClock) -> None:
    authenticator = Authenticator(store, FakeHasher(), clock, open_access=True)
    assert await authenticator.authenticate(None) == OPEN_PRINCIPAL
    assert await authenticator.authenticate("sk-anything-at-all-goes") == OPEN_PRINCIPAL
    await stored(store, revoked_at=NOW)
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(TOKEN)


async def test_tokens_that_share_all_but_the_last_character_share_nothing(
    store: MemoryStore, authenticator: Authenticator
) -> None:
    """S-10: the cache is keyed by a digest of the whole token."""
    await stored(store)
    await authenticator.authenticate(TOKEN)
    for last in "abcXYZ019":
        if last != TOKEN[-1]:
            assert authenticator.cached(TOKEN[:-1] + last) is None


async def test_the_admin_token_is_the_configured_one_or_the_stored_one(store: MemoryStore) -> None:
    token, other = generate_key(ADMIN_TOKEN_PREFIX), generate_key(ADMIN_TOKEN_PREFIX)
    configured = AdminAuthenticator(store, FakeHasher(), Secret("a-configured-admin-token"))
    assert (await configured.authenticate("a-configured-admin-token")).kind == "admin"
    with pytest.raises(Unauthenticated):
        await configured.authenticate(token.reveal())

    async with store.write() as unit:
        await unit.facts.put("admin_token_digest", FakeHasher().digest(token.reveal()).hex())
    from_store = AdminAuthenticator(store, FakeHasher(), None)
    assert (await from_store.authenticate(token.reveal())).kind == "admin"
    for wrong in (None, "", TOKEN, other.reveal()):
        with pytest.raises(Unauthenticated):
            await from_store.authenticate(wrong)


async def test_no_admin_token_anywhere_lets_nobody_in(store: MemoryStore) -> None:
    """S-12: a missing secret never verifies."""
    with pytest.raises(Unauthenticated):
        await AdminAuthenticator(store, FakeHasher(), None).authenticate(generate_key(ADMIN_TOKEN_PREFIX).reveal())
