"""Clients' keys as those see and change them who may. A secret is returned once and only its digest is kept (P-21)."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from application.admin.allowances import (
    Cidrs,
    ModelPatterns,
    Name,
    ProviderIds,
    Tags,
    check_cidrs,
    check_groups,
    check_tags,
)
from application.admin.config_write import Change, config_write
from application.admin.key_rights import check_rights, place_of
from application.admin.paging import Page, first_of
from application.admission.access import check_budgets, check_grants
from application.admission.authentication import Authenticator
from application.inference.calls import ENDPOINTS
from application.snapshot import GatewayState
from domain.actors import Actor
from domain.authority import Reach, Right, reach, require
from domain.errors import Conflict, NotFound, RequestInvalid
from domain.grants import Scope
from domain.keys import VIRTUAL_KEY_PREFIX, VirtualKey, generate_key
from domain.limits import Budgets, RateLimits
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock, IdFactory
from domain.ports.security import KeyHasher
from domain.secrets import Secret

Moment = Annotated[datetime, Meta(tz=True)]
Endpoints = Annotated[tuple[str, ...], Meta(max_length=50)]
Scopes = Annotated[tuple[Scope, ...], Meta(max_length=2)]
Metadata = Annotated[
    dict[Annotated[str, Meta(min_length=1, max_length=64)], Annotated[str, Meta(max_length=512)]], Meta(max_length=16)
]
MAX_OVERLAP_SECONDS = 30 * 86_400


class NewVirtualKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A key to create. Null or absent grants inherit what the tenant allows, an empty list allows nothing.

    `allowed_models` holds patterns of model ids and of `provider/model`, `allowed_providers` of provider ids: a name,
    or one with `*` for anything (`openai/*`, `*:free`); with `!` before it a pattern takes away (`!openai/*-pro`);
    `@fast` is a model group. `allowed_endpoints` are named as in the request log (`chat.completions`). Of `owner_id`
    null makes a service key of the tenant. For a `strict` key a parameter that a provider could only drop is refused.
    """

    name: Name = ""
    tenant_id: str | None = None
    owner_id: str | None = None
    allowed_models: ModelPatterns | None = None
    allowed_providers: ProviderIds | None = None
    allowed_endpoints: Endpoints | None = None
    scopes: Scopes | None = None
    cidrs: Cidrs | None = None
    tags: Tags = ()
    metadata: Metadata = {}
    expires_at: Moment | None = None
    strict: bool = False
    limits: RateLimits = RateLimits()
    budgets: Budgets = ()


class Credential(msgspec.Struct, frozen=True):
    """What is kept of a key's secret that was made elsewhere: its digest, and its last four characters."""

    digest: bytes
    last4: str


class VirtualKeyChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Fields to change: what is absent stays, null lifts the restriction. Tenant and owner never change."""

    name: Name | UnsetType = UNSET
    allowed_models: ModelPatterns | UnsetType | None = UNSET
    allowed_providers: ProviderIds | UnsetType | None = UNSET
    allowed_endpoints: Endpoints | UnsetType | None = UNSET
    scopes: Scopes | UnsetType | None = UNSET
    cidrs: Cidrs | UnsetType | None = UNSET
    tags: Tags | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET
    expires_at: Moment | UnsetType | None = UNSET
    strict: bool | UnsetType = UNSET
    limits: RateLimits | UnsetType = UNSET
    budgets: Budgets | UnsetType = UNSET

    def over(self, key: VirtualKey) -> VirtualKey:
        """`key` with this change applied. Raises `RequestInvalid` for what could never hold."""
        changes = {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not UNSET}
        if self.expires_at is not UNSET:
            changes["expires_at"] = _utc(self.expires_at)
        changed = msgspec.structs.replace(key, **changes)
        _check(changed)
        return changed


class VirtualKeyAdmin:
    """Creates, lists, changes, rotates, revokes and deletes virtual keys.

    What an actor may not see is not there (S-04). Every write bumps the section's version, by which other processes
    learn within a second that their cached keys are old; in this process the key is forgotten before the admin is
    answered (S-09, P-11).
    """

    def __init__(
        self,
        store: Store,
        state: GatewayState,
        authenticator: Authenticator,
        hasher: KeyHasher,
        clock: Clock,
        ids: IdFactory,
    ) -> None:
        self._store = store
        self._state = state
        self._authenticator = authenticator
        self._hasher = hasher
        self._clock = clock
        self._ids = ids

    async def list_page(
        self, actor: Actor, limit: int, cursor: str | None, within: Reach | None = None, query: str | None = None
    ) -> Page[VirtualKey]:
        """Newest first, revoked and expired ones too: those the actor may see, or fewer by `within` and `query`."""
        may_see = within or reach(actor, Right.TENANT_READ)
        async with self._store.read() as unit:
            found = await unit.virtual_keys.list_page(may_see, limit + 1, cursor, query)
        return first_of(found, limit, lambda key: key.id)

    async def get(self, actor: Actor, key_id: str) -> VirtualKey:
        """Raises `NotFound`."""
        async with self._store.read() as unit:
            return await _visible(unit, actor, key_id)

    async def create(self, actor: Actor, new: NewVirtualKey) -> tuple[VirtualKey, Secret]:
        """The key and, this once, its secret.

        Raises `PermissionDenied` for more than the actor has (S-01) and for a tenant or an owner that is not theirs to
        choose (S-03), `RequestInvalid` for what could never hold.
        """
        secret = generate_key(VIRTUAL_KEY_PREFIX)
        credential = Credential(self._hasher.digest(secret.reveal()), secret.last4)
        return await self.create_known(actor, new, credential), secret

    async def create_known(self, actor: Actor, new: NewVirtualKey, credential: Credential) -> VirtualKey:
        """A key whose secret was made elsewhere. Raises like `create`, and `Conflict` where another has the secret."""
        now = self._clock.now()
        tenant_id, owner_id = place_of(actor, new.tenant_id, new.owner_id)
        given = msgspec.structs.asdict(new) | {
            "tenant_id": tenant_id,
            "owner_id": owner_id,
            "expires_at": _utc(new.expires_at),
        }
        key = VirtualKey(
            id=self._ids.new("key"),
            digest=credential.digest,
            last4=credential.last4,
            revoked_at=None,
            version=1,
            created_at=now,
            updated_at=now,
            **given,
        )
        _check(key)
        async with config_write(self._store, self._state, actor, Change("create", "virtual_key", key.id)) as unit:
            await check_groups(unit, key.allowed_models, "allowed_models")
            await check_rights(unit, actor, key)
            await unit.virtual_keys.add(key)
        self._authenticator.forget(key.id)
        return key

    async def update(self, actor: Actor, key_id: str, change: VirtualKeyChange) -> VirtualKey:
        """Raises `NotFound`, `PermissionDenied`.

        Requests under way keep the rights they were let in with; streams end where the key may not be used at all.
        """
        async with config_write(self._store, self._state, actor, Change("update", "virtual_key", key_id)) as unit:
            key = await _changeable(unit, actor, key_id)
            changed = change.over(key)
            await check_groups(unit, changed.allowed_models, "allowed_models")
            await check_rights(unit, actor, changed, key)
            changed = await self._store_change(unit, changed)
        self._authenticator.forget(key_id)
        return changed

    async def revoke(self, actor: Actor, key_id: str) -> VirtualKey:
        """For good, and at once; one that is revoked already stays as it is. Raises `NotFound`, `PermissionDenied`."""
        async with config_write(self._store, self._state, actor, Change("revoke", "virtual_key", key_id)) as unit:
            key = await _changeable(unit, actor, key_id)
            if key.revoked_at is None:
                key = await self._store_change(unit, msgspec.structs.replace(key, revoked_at=self._clock.now()))
        self._authenticator.forget(key_id)
        return key

    async def rotate(self, actor: Actor, key_id: str, overlap_seconds: int = 0) -> tuple[VirtualKey, Secret]:
        """A new secret for the same key. The old one works for `overlap_seconds` more, one from before that no longer.

        Raises `NotFound`, `PermissionDenied`, and `Conflict` if revoked.
        """
        secret = generate_key(VIRTUAL_KEY_PREFIX)
        async with config_write(self._store, self._state, actor, Change("rotate", "virtual_key", key_id)) as unit:
            key = await _changeable(unit, actor, key_id)
            _refuse_revoked(key)
            rotated = msgspec.structs.replace(
                key,
                digest=self._hasher.digest(secret.reveal()),
                last4=secret.last4,
                previous_digest=key.digest if overlap_seconds else None,
                previous_until=self._clock.now() + timedelta(seconds=overlap_seconds) if overlap_seconds else None,
            )
            changed = await self._store_change(unit, rotated)
        self._authenticator.forget(key_id)
        return changed, secret

    async def replace_secret(self, actor: Actor, key_id: str, credential: Credential) -> VirtualKey:
        """The secret from elsewhere is the key's from now on, and the old one ends at once. Raises as `rotate`."""
        async with config_write(self._store, self._state, actor, Change("rotate", "virtual_key", key_id)) as unit:
            key = await _changeable(unit, actor, key_id)
            _refuse_revoked(key)
            changed = await self._store_change(
                unit,
                msgspec.structs.replace(
                    key,
                    digest=credential.digest,
                    last4=credential.last4,
                    previous_digest=None,
                    previous_until=None,
                ),
            )
        self._authenticator.forget(key_id)
        return changed

    async def delete(self, actor: Actor, key_id: str) -> None:
        """Raises `NotFound`, `PermissionDenied`."""
        async with config_write(self._store, self._state, actor, Change("delete", "virtual_key", key_id)) as unit:
            await _changeable(unit, actor, key_id)
            await unit.virtual_keys.delete(key_id)
        self._authenticator.forget(key_id)

    async def _store_change(self, unit: UnitOfWork, key: VirtualKey) -> VirtualKey:
        changed = msgspec.structs.replace(key, version=key.version + 1, updated_at=self._clock.now())
        await unit.virtual_keys.update(changed)
        return changed


def _refuse_revoked(key: VirtualKey) -> None:
    if key.revoked_at is not None:
        raise Conflict(f"Key '{key.id}' is revoked, and that is for good. Create a new one.", code="revoked")


def _check(key: VirtualKey) -> None:
    check_grants(key.allowed_models, key.allowed_providers)
    check_cidrs(key.cidrs)
    check_tags(key.tags)
    check_budgets(key.budgets)
    for place, endpoint in enumerate(key.allowed_endpoints or ()):
        if endpoint not in ENDPOINTS:
            raise RequestInvalid(
                f"'{endpoint}' is no endpoint. There are: {', '.join(sorted(ENDPOINTS))}.",
                param=f"allowed_endpoints.{place}",
            )


async def _visible(unit: UnitOfWork, actor: Actor, key_id: str) -> VirtualKey:
    key = await unit.virtual_keys.get(key_id, reach(actor, Right.TENANT_READ))
    if key is None:
        raise NotFound(f"There is no key '{key_id}'. GET /admin/keys lists them.")
    return key


async def _changeable(unit: UnitOfWork, actor: Actor, key_id: str) -> VirtualKey:
    """What the actor may not see is not found; what they see and may not change is denied."""
    key = await _visible(unit, actor, key_id)
    require(actor, Right.KEYS_WRITE, key.tenant_id, key.owner_id)
    return key


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment is not None else None
