"""What a first start seeds, and what later starts leave alone."""

import asyncio

import msgspec

from application.admission.authentication import ADMIN_TOKEN_DIGEST, DEFAULT_TENANT_ID
from application.bootstrap import Bootstrap, FirstStart, forget_changed_secrets
from application.newcomers import Newcomers
from domain.authority import EVERYWHERE
from domain.keys import ADMIN_TOKEN_PREFIX, VIRTUAL_KEY_PREFIX, ProviderKey, VirtualKey, well_formed
from domain.secrets import Secret
from tests.builders import NOW, a_provider_key
from tests.fakes.clock import FakeClock
from tests.fakes.ids import CountingIds
from tests.fakes.security import FakeHasher
from tests.fakes.store import MemoryStore

TOKEN = Secret("an-operator-chosen-token-0123456789")
KEY = Secret("an-operator-chosen-key-0123456789abc")


def a_bootstrap(store: MemoryStore) -> Bootstrap:
    return Bootstrap(store, FakeHasher(), CountingIds(), FakeClock(NOW), Newcomers(CountingIds()))


async def found(store: MemoryStore, secret: Secret) -> VirtualKey | None:
    async with store.read() as unit:
        issued = await unit.virtual_keys.find(FakeHasher().digests(secret.reveal()))
    return issued.key if issued is not None else None


async def fact(store: MemoryStore, name: str) -> str | None:
    async with store.read() as unit:
        return await unit.facts.get(name)


async def test_a_first_start_makes_credentials_and_keeps_their_digests_only() -> None:
    store = MemoryStore()

    made = await a_bootstrap(store).run(None, None)

    assert made is not None
    assert made.admin_token is not None
    assert made.virtual_key is not None
    assert well_formed(made.admin_token.reveal(), ADMIN_TOKEN_PREFIX)
    assert well_formed(made.virtual_key.reveal(), VIRTUAL_KEY_PREFIX)
    assert await fact(store, ADMIN_TOKEN_DIGEST) == FakeHasher().digest(made.admin_token.reveal()).hex()
    key = await found(store, made.virtual_key)
    assert key is not None
    assert (key.tenant_id, key.last4) == (DEFAULT_TENANT_ID, made.virtual_key.reveal()[-4:])
    async with store.read() as unit:
        assert await unit.tenants.get(DEFAULT_TENANT_ID, EVERYWHERE) is not None


async def test_a_second_start_makes_and_changes_nothing() -> None:
    store = MemoryStore()
    made = await a_bootstrap(store).run(None, None)
    digest = await fact(store, ADMIN_TOKEN_DIGEST)

    again = await a_bootstrap(store).run(None, None)

    assert made is not None
    assert again is None
    assert await fact(store, ADMIN_TOKEN_DIGEST) == digest


async def test_of_several_processes_that_start_at_once_one_seeds() -> None:
    """R-31, for data."""
    store = MemoryStore()

    made = await asyncio.gather(*(a_bootstrap(store).run(None, None) for _ in range(8)))

    assert sum(one is not None for one in made) == 1


async def test_configured_credentials_are_taken_and_not_reported() -> None:
    store = MemoryStore()

    made = await a_bootstrap(store).run(TOKEN, KEY)

    assert made == FirstStart(None, None)
    assert await found(store, KEY) is not None


async def test_a_changed_setting_ends_the_old_credential() -> None:
    store = MemoryStore()
    await a_bootstrap(store).run(TOKEN, KEY)
    before = await found(store, KEY)
    other_token, other_key = Secret("another-admin-token-0123456789-abcd"), Secret("another-client-key-0123456789-abcd")

    assert await a_bootstrap(store).run(other_token, other_key) is None

    assert await fact(store, ADMIN_TOKEN_DIGEST) == FakeHasher().digest(other_token.reveal()).hex()
    assert await found(store, KEY) is None
    after = await found(store, other_key)
    assert before is not None
    assert after is not None
    assert (after.id, after.version) == (before.id, before.version + 1)


async def test_a_restart_does_not_bring_a_revoked_key_back() -> None:
    store = MemoryStore()
    await a_bootstrap(store).run(None, KEY)
    key = await found(store, KEY)
    assert key is not None
    async with store.write() as unit:
        await unit.virtual_keys.update(msgspec.structs.replace(key, revoked_at=NOW))

    await a_bootstrap(store).run(None, KEY)

    after = await found(store, KEY)
    assert after is not None
    assert after.revoked_at == NOW


class ForgettingPolicy:
    """Remembers whom it was told to forget."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []

    def forget_key(self, key_id: str) -> None:
        self.forgotten.append(key_id)


async def test_a_declared_key_with_a_new_secret_starts_anew() -> None:
    store, policy = MemoryStore(), ForgettingPolicy()
    one, two = _declared("pk_env_one", "secret-number-one"), _declared("pk_env_two", "secret-number-two")
    await forget_changed_secrets(store, policy, (one, two))
    policy.forgotten.clear()

    await forget_changed_secrets(store, policy, (one, _declared("pk_env_two", "corrected-secret")))
    await forget_changed_secrets(store, policy, (one, _declared("pk_env_two", "corrected-secret")))

    assert policy.forgotten == ["pk_env_two"]


def _declared(key_id: str, secret: str) -> ProviderKey:
    return a_provider_key(key_id, secret=Secret(secret), owner="environment")
