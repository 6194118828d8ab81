"""What the store must hold before the first request: a tenant, a way in for the admin and one for a client."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from application.admission.authentication import ADMIN_TOKEN_DIGEST, DEFAULT_TENANT_ID
from application.newcomers import Newcomers
from domain.actors import SYSTEM
from domain.audit import AuditRecord
from domain.authority import EVERYWHERE
from domain.configuration import Section
from domain.errors import Conflict
from domain.keys import ADMIN_TOKEN_PREFIX, VIRTUAL_KEY_PREFIX, ProviderKey, VirtualKey, generate_key
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock, IdFactory
from domain.ports.security import KeyHasher
from domain.secrets import Secret
from domain.tenants import Tenant
from domain.users import User, new_user_id

SEEDED = "seeded"
FIRST_USER_ID = "first_user_id"
"""The fact that names the platform's first admin, whom a sign-in link and `OMG_AUTH=open` are for."""

_FIRST_USER_SEEDED = "first_user_seeded"
BOOTSTRAP_KEY_ID = "bootstrap_key_id"
BOOTSTRAP = "bootstrap"
"""The fact that says whether the objects of the file's `bootstrap:` are still to be made, or all are."""

PENDING, DONE = "pending", "done"
DECLARED_SECRET = "declared_secret:"  # noqa: S105 - the prefix of a fact's name


class FirstStart(msgspec.Struct, frozen=True):
    """What was made just now and is shown once: a field is None where the setting gave the value."""

    admin_token: Secret | None
    virtual_key: Secret | None


class Bootstrap:
    """Seeds an empty store, and keeps it in step with the credentials the settings give.

    Only digests are stored. Running it again changes nothing, and of several processes that start at once
    one seeds: `facts.bump` is atomic, and the others wait for it inside their own transaction.
    """

    def __init__(self, store: Store, hasher: KeyHasher, ids: IdFactory, clock: Clock, newcomers: Newcomers) -> None:
        self._store = store
        self._hasher = hasher
        self._ids = ids
        self._clock = clock
        self._newcomers = newcomers

    async def run(
        self, admin_token: Secret | None, virtual_key: Secret | None, *, objects_follow: bool = False
    ) -> FirstStart | None:
        """Seed the store, or take up changed settings; what a first start made, else None.

        `objects_follow` notes in the seed's own transaction that more is to be made, so that a start which dies before
        it is made is taken up by the next.
        """
        async with self._store.read() as unit:
            seeded = await unit.facts.get(SEEDED) is not None
            has_user = await unit.facts.get(FIRST_USER_ID) is not None
        if seeded and not has_user:  # a version without users seeded it
            async with self._store.write() as unit:
                await self._add_first_user(unit)
        if not seeded:
            async with self._store.write() as unit:
                if await unit.facts.bump(SEEDED) == 1:
                    if objects_follow:
                        await unit.facts.put(BOOTSTRAP, PENDING)
                    return await self._seed(unit, admin_token, virtual_key)
        if admin_token or virtual_key:
            await self._take_up(admin_token, virtual_key)
        return None

    async def _seed(self, unit: UnitOfWork, admin_token: Secret | None, virtual_key: Secret | None) -> FirstStart:
        now = self._clock.now()
        if await unit.tenants.get(DEFAULT_TENANT_ID, EVERYWHERE) is None:
            await unit.tenants.add(Tenant(DEFAULT_TENANT_ID, "Default", "shared", now, now))
        token = admin_token or generate_key(ADMIN_TOKEN_PREFIX)
        key = virtual_key or generate_key(VIRTUAL_KEY_PREFIX)
        await unit.facts.put(ADMIN_TOKEN_DIGEST, self._hasher.digest(token.reveal()).hex())
        await self._add_key(unit, key)
        await self._add_first_user(unit)
        await unit.audit.append(_by_itself("create", "gateway", "gateway"))
        return FirstStart(None if admin_token else token, None if virtual_key else key)

    async def _add_first_user(self, unit: UnitOfWork) -> None:
        """The one person of a new installation: platform admin, with neither address nor password yet."""
        if await unit.facts.bump(_FIRST_USER_SEEDED) != 1:
            return
        await unit.config_versions.bump(Section.PEOPLE)
        now = self._clock.now()
        user = await self._newcomers.add(unit, User(new_user_id(), None, "Admin", now, now, platform_role="admin"))
        await unit.facts.put(FIRST_USER_ID, user.id)
        await unit.audit.append(_by_itself("create", "user", user.id))

    async def _take_up(self, admin_token: Secret | None, virtual_key: Secret | None) -> None:
        """Settings changed since the last start win over what is stored, so that an old token does not live on."""
        async with self._store.read() as unit:
            known = await unit.facts.get(ADMIN_TOKEN_DIGEST)
            key_known = virtual_key is None or await unit.virtual_keys.find(self._hasher.digests(virtual_key.reveal()))
        digest = self._hasher.digest(admin_token.reveal()).hex() if admin_token else known
        if digest != known and digest is not None:
            async with self._store.write() as unit:
                await unit.facts.put(ADMIN_TOKEN_DIGEST, digest)
                await unit.audit.append(_by_itself("rotate", "admin_token", "platform"))
        if not key_known and virtual_key is not None:
            try:
                async with self._store.write() as unit:
                    key_id = await self._replace_key(unit, virtual_key)
                    await unit.audit.append(_by_itself("rotate", "virtual_key", key_id))
            except Conflict:
                return  # another process took it up at the same moment

    async def _replace_key(self, unit: UnitOfWork, secret: Secret) -> str:
        old_id = await unit.facts.get(BOOTSTRAP_KEY_ID)
        old = await unit.virtual_keys.get(old_id, EVERYWHERE) if old_id else None
        if old is None:
            return await self._add_key(unit, secret)
        changed = msgspec.structs.replace(
            old,
            digest=self._hasher.digest(secret.reveal()),
            last4=secret.last4,
            revoked_at=None,
            previous_digest=None,
            previous_until=None,
            version=old.version + 1,
            updated_at=self._clock.now(),
        )
        await unit.virtual_keys.update(changed)
        return old.id

    async def _add_key(self, unit: UnitOfWork, secret: Secret) -> str:
        now = self._clock.now()
        key = VirtualKey(
            id=self._ids.new("key"),
            tenant_id=DEFAULT_TENANT_ID,
            name="first key",
            digest=self._hasher.digest(secret.reveal()),
            last4=secret.last4,
            allowed_models=None,
            allowed_providers=None,
            expires_at=None,
            revoked_at=None,
            version=1,
            created_at=now,
            updated_at=now,
        )
        await unit.virtual_keys.add(key)
        await unit.facts.put(BOOTSTRAP_KEY_ID, key.id)
        return key.id


def _by_itself(action: str, object_kind: str, object_id: str) -> AuditRecord:
    """What the gateway does at a start, because of what its settings say."""
    return AuditRecord(actor=SYSTEM, action=action, object_kind=object_kind, object_id=object_id)


class Forgetting(Protocol):
    """The part of `AvailabilityPolicy` that this needs."""

    def forget_key(self, key_id: str) -> None: ...


async def forget_changed_secrets(store: Store, policy: Forgetting, declared: Sequence[ProviderKey]) -> None:
    """Forget what was learned of a declared key whose secret changed since the last start.

    A key refused as invalid stays so until it is changed; a key from the environment keeps its id, so that
    its fingerprint is what tells a corrected one.
    """
    async with store.read() as unit:
        known = {key.id: await unit.facts.get(DECLARED_SECRET + key.id) for key in declared}
    changed = [key for key in declared if known[key.id] != key.secret.fingerprint]
    if not changed:
        return
    async with store.write() as unit:
        for key in changed:
            await unit.facts.put(DECLARED_SECRET + key.id, key.secret.fingerprint)
    for key in changed:
        policy.forget_key(key.id)
