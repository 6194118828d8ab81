"""Tokens become principals through a cache that cannot keep a revoked key alive."""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from application.admission.authentication import OPEN_PRINCIPAL, AdminAuthenticator, Authenticator
from application.admission.last_used import LastUsed
from domain.actors import PLATFORM_ADMIN
from domain.admin_tokens import AdminToken
from domain.audit import AuditFilter
from domain.authority import EVERYWHERE
from domain.errors import ServiceUnavailable, Unauthenticated
from domain.keys import ADMIN_TOKEN_PREFIX, VIRTUAL_KEY_PREFIX, IssuedKey, VirtualKey, generate_key, imported_from
from domain.secrets import Secret
from tests.builders import NOW, a_tenant, a_virtual_key
from tests.fakes.clock import FakeClock
from tests.fakes.security import FakeHasher
from tests.fakes.store import MemoryStore
from tests.fakes.virtual_keys import MemoryVirtualKeys

pytestmark = pytest.mark.virtual_time

TOKEN = generate_key(VIRTUAL_KEY_PREFIX).reveal()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def authenticator(store: MemoryStore, clock: FakeClock) -> Authenticator:
    return Authenticator(store, FakeHasher(), clock, LastUsed(store))


async def stored(store: MemoryStore, **changes: Any) -> VirtualKey:
    key = a_virtual_key(digest=FakeHasher().digest(TOKEN), **changes)
    async with store.write() as unit:
        if await unit.tenants.get(key.tenant_id, EVERYWHERE) is None:
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
    assert principal.grants is not None
    assert principal.grants.allow("alpha", "m")
    assert not principal.grants.allow("beta", "m")
    assert not principal.grants.allow("alpha", "n")
    assert authenticator.cached(TOKEN) == principal


@pytest.mark.parametrize(
    "token",
    [None, "", "nonsense", TOKEN[:-1] + ("a" if TOKEN[-1] != "a" else "b"), "x" * 300],
    ids=["none", "empty", "nonsense", "its checksum is wrong", "too long"],
)
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

    async def slow(self: MemoryVirtualKeys, digests: Sequence[bytes]) -> IssuedKey | None:
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
    authenticator = Authenticator(store, FakeHasher(), clock, LastUsed(store), open_access=True)
    assert await authenticator.authenticate(None) == OPEN_PRINCIPAL
    assert await authenticator.authenticate("sk-anything-at-all-goes") == OPEN_PRINCIPAL
    await stored(store, revoked_at=NOW)
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(TOKEN)


async def test_open_access_refuses_a_secret_that_another_has_taken_the_place_of(
    store: MemoryStore, clock: FakeClock
) -> None:
    """P-11: whoever rotated a key meant the old secret to end."""
    authenticator = Authenticator(store, FakeHasher(), clock, LastUsed(store), open_access=True)
    present, old = FakeHasher().digest(generate_key(VIRTUAL_KEY_PREFIX).reveal()), FakeHasher().digest(TOKEN)
    key = await stored(store, previous_until=NOW + timedelta(seconds=2))
    await update(store, msgspec.structs.replace(key, digest=present, previous_digest=old))
    assert (await authenticator.authenticate(TOKEN)).key_id == key.id

    clock.advance(6)

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
    configured = AdminAuthenticator(store, FakeHasher(), FakeClock(), Secret("a-configured-admin-token"))
    assert await configured.authenticate("a-configured-admin-token") == PLATFORM_ADMIN
    with pytest.raises(Unauthenticated):
        await configured.authenticate(token.reveal())

    async with store.write() as unit:
        await unit.facts.put("admin_token_digest", FakeHasher().digest(token.reveal()).hex())
    from_store = AdminAuthenticator(store, FakeHasher(), FakeClock(), None)
    assert await from_store.authenticate(token.reveal()) == PLATFORM_ADMIN
    for wrong in (None, "", TOKEN, other.reveal()):
        with pytest.raises(Unauthenticated):
            await from_store.authenticate(wrong)


async def test_no_admin_token_anywhere_lets_nobody_in(store: MemoryStore) -> None:
    """S-12: a missing secret never verifies."""
    with pytest.raises(Unauthenticated):
        await AdminAuthenticator(store, FakeHasher(), FakeClock(), None).authenticate(
            generate_key(ADMIN_TOKEN_PREFIX).reveal()
        )


@pytest.mark.parametrize("configured", [Secret("a-configured-admin-token"), None])
async def test_a_further_admin_token_is_looked_up_each_time(
    store: MemoryStore, clock: FakeClock, configured: Secret | None
) -> None:
    secret = generate_key(ADMIN_TOKEN_PREFIX).reveal()
    ends = NOW + timedelta(hours=1)
    scopes = ("usage", "tenant:ten_1")
    token = AdminToken("tok_1", "CI", FakeHasher().digest(secret), secret[-4:], scopes, ends, NOW, NOW)
    authenticator = AdminAuthenticator(store, FakeHasher(), clock, configured)
    async with store.write() as unit:
        await unit.admin_tokens.add(token)

    actor = await authenticator.authenticate(secret)
    assert (actor.kind, actor.id, actor.name) == ("admin_token", "tok_1", "CI")
    assert (actor.platform_role, actor.roles) == ("accountant", {"ten_1": "admin"})

    clock.advance(3600)
    with pytest.raises(Unauthenticated, match="expired"):
        await authenticator.authenticate(secret)
    async with store.write() as unit:
        await unit.admin_tokens.update(msgspec.structs.replace(token, expires_at=None, scopes=("read",)))
    assert (await authenticator.authenticate(secret)).platform_role == "auditor"
    async with store.write() as unit:
        await unit.admin_tokens.delete("tok_1")
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(secret)


LITELLM_KEY = "sk-CiCiCiCiCiCiCiCiCiCiCi"
LITELLM_DIGEST = hashlib.sha256(LITELLM_KEY.encode()).hexdigest()


async def imported(store: MemoryStore) -> VirtualKey:
    key = msgspec.structs.replace(await stored(store), digest=imported_from(LITELLM_DIGEST))
    await update(store, key)
    return key


async def test_an_imported_key_works_and_its_digest_is_a_keyed_one_from_its_first_use_on(
    store: MemoryStore, authenticator: Authenticator, clock: FakeClock
) -> None:
    """A SHA-256 without a key, as LiteLLM stores it, is not kept longer than it must be (P-21)."""
    key = await imported(store)

    for _ in range(2):
        assert (await authenticator.authenticate(LITELLM_KEY)).key_id == key.id
        clock.advance(6)

    async with store.read() as unit:
        kept = await unit.virtual_keys.get(key.id, EVERYWHERE)
        trail = await unit.audit.page(AuditFilter(), 10, None)
    assert kept == msgspec.structs.replace(key, digest=FakeHasher().digest(LITELLM_KEY))
    assert [(entry.record.action, entry.record.object_id) for entry in trail] == [("rotate", key.id)]


@pytest.mark.parametrize(
    "token",
    [
        LITELLM_DIGEST,
        "sk-" + LITELLM_DIGEST,
        "sha256:" + LITELLM_DIGEST,
        LITELLM_DIGEST.upper(),
        imported_from(LITELLM_DIGEST).hex(),
        "sk-" + imported_from(LITELLM_DIGEST).hex(),
        imported_from(LITELLM_DIGEST).decode("latin-1"),
    ],
    ids=["digest", "sk-digest", "sha256:digest", "capitals", "stored", "sk-stored", "as text"],
)
async def test_a_leaked_database_of_another_gateway_opens_nothing(
    store: MemoryStore, authenticator: Authenticator, token: str
) -> None:
    """Whatever comes as a key is hashed: what is stored of one is never one (S-06)."""
    await imported(store)

    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(token)


async def test_a_key_that_the_other_gateway_would_not_take_does_not_work_here_either(
    store: MemoryStore, authenticator: Authenticator
) -> None:
    """LiteLLM refuses keys without `sk-`, so that nobody sends a stored digest as a key."""
    bare = "my-own-key-without-prefix"
    key = msgspec.structs.replace(await stored(store), digest=imported_from(hashlib.sha256(bare.encode()).hexdigest()))
    await update(store, key)

    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(bare)


async def test_an_imported_key_works_while_its_new_digest_cannot_be_written(
    store: MemoryStore, authenticator: Authenticator, caplog: pytest.LogCaptureFixture
) -> None:
    key = await imported(store)
    store.audit_broken = True

    assert (await authenticator.authenticate(LITELLM_KEY)).key_id == key.id
    assert "keeps its digest" in caplog.text
