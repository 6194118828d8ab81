"""Tenants as those who may see them do, and as the platform's admin changes them."""

import msgspec
from msgspec import UNSET, UnsetType

from application.admin.allowances import (
    Cidrs,
    ModelPatterns,
    Name,
    ProviderIds,
    Tags,
    check_cidrs,
    check_tags,
)
from application.admin.config_write import Change, config_write
from application.admin.paging import Page, first_of
from application.admission.access import check_budgets, check_grants
from application.admission.authentication import DEFAULT_TENANT_ID, Authenticator
from application.snapshot import GatewayState
from domain.actors import Actor
from domain.authority import Right, reach, require
from domain.errors import Conflict, NotFound
from domain.limits import Budgets, RateLimits
from domain.ports.people import TenantRepository
from domain.ports.repositories import Store
from domain.ports.runtime import Clock, IdFactory
from domain.tenants import Tenant, TenantKind, TenantStatus


class NewTenant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A tenant to create. Lists are as a key's: null or absent allows all, an empty one nothing.

    Personal tenants come with their users, so that `kind` can only be `shared`.
    """

    name: Name
    kind: TenantKind = "shared"
    status: TenantStatus = "active"
    allowed_models: ModelPatterns | None = None
    allowed_providers: ProviderIds | None = None
    cidrs: Cidrs | None = None
    limits: RateLimits = RateLimits()
    budgets: Budgets = ()
    tags: Tags = ()
    external_id: Name | None = None


class TenantChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Fields to change: what is absent stays, null lifts the restriction. `limits` and `budgets` are taken whole."""

    name: Name | UnsetType = UNSET
    status: TenantStatus | UnsetType = UNSET
    allowed_models: ModelPatterns | UnsetType | None = UNSET
    allowed_providers: ProviderIds | UnsetType | None = UNSET
    cidrs: Cidrs | UnsetType | None = UNSET
    limits: RateLimits | UnsetType = UNSET
    budgets: Budgets | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    external_id: Name | UnsetType | None = UNSET


class TenantAdmin:
    """Creates, lists, changes and deletes tenants. What an actor may not see is not there (S-04).

    A change is in force for the next request of every key of the tenant here, and within a second elsewhere.
    """

    def __init__(
        self, store: Store, state: GatewayState, authenticator: Authenticator, clock: Clock, ids: IdFactory
    ) -> None:
        self._store = store
        self._state = state
        self._authenticator = authenticator
        self._clock = clock
        self._ids = ids

    async def list_page(self, actor: Actor, limit: int, cursor: str | None, query: str | None = None) -> Page[Tenant]:
        """Newest first: those that the actor may see, and that `query` is found in."""
        async with self._store.read() as unit:
            found = await unit.tenants.list_page(reach(actor, Right.TENANT_READ), limit + 1, cursor, query)
        return first_of(found, limit, lambda tenant: tenant.id)

    async def get(self, actor: Actor, tenant_id: str) -> Tenant:
        """Raises `NotFound`."""
        async with self._store.read() as unit:
            return await visible_tenant(unit.tenants, actor, tenant_id)

    async def create(self, actor: Actor, new: NewTenant) -> Tenant:
        """Raises `PermissionDenied`, and `RequestInvalid` for what could never hold."""
        require(actor, Right.PLATFORM_WRITE, "")
        _check(new)
        if new.kind != "shared":
            raise Conflict("A personal tenant comes with its user: create a user.", code="read_only", param="kind")
        now = self._clock.now()
        tenant = Tenant(id=self._ids.new("ten"), created_at=now, updated_at=now, **msgspec.structs.asdict(new))
        async with config_write(self._store, self._state, actor, Change("create", "tenant", tenant.id)) as unit:
            await unit.tenants.add(tenant)
        return tenant

    async def update(self, actor: Actor, tenant_id: str, change: TenantChange) -> Tenant:
        """Raises `NotFound`, `PermissionDenied`, `RequestInvalid`."""
        _check(change)
        async with config_write(self._store, self._state, actor, Change("update", "tenant", tenant_id)) as unit:
            tenant = await visible_tenant(unit.tenants, actor, tenant_id)
            require(actor, Right.PLATFORM_WRITE, tenant_id)
            given = {name: value for name in change.__struct_fields__ if (value := getattr(change, name)) is not UNSET}
            changed = msgspec.structs.replace(tenant, version=tenant.version + 1, updated_at=self._clock.now(), **given)
            await unit.tenants.update(changed)
        self._authenticator.forget_all()
        return changed

    async def delete(self, actor: Actor, tenant_id: str) -> None:
        """With its keys and memberships. Raises `NotFound`, `PermissionDenied`, and `Conflict` for what must stay."""
        async with config_write(self._store, self._state, actor, Change("delete", "tenant", tenant_id)) as unit:
            tenant = await visible_tenant(unit.tenants, actor, tenant_id)
            require(actor, Right.PLATFORM_WRITE, tenant_id)
            if tenant.id == DEFAULT_TENANT_ID or tenant.kind == "personal":
                why = "is the default one" if tenant.id == DEFAULT_TENANT_ID else "goes with its user"
                raise Conflict(f"Tenant '{tenant_id}' {why}: suspend it instead.", code="read_only")
            await unit.tenants.delete(tenant_id)
        self._authenticator.forget_all()


async def visible_tenant(tenants: TenantRepository, actor: Actor, tenant_id: str) -> Tenant:
    """One that the actor may see. Raises `NotFound`, alike for what is another's and what is not there."""
    tenant = await tenants.get(tenant_id, reach(actor, Right.TENANT_READ))
    if tenant is None:
        raise NotFound(f"There is no tenant '{tenant_id}'.")
    return tenant


def _check(given: NewTenant | TenantChange) -> None:
    check_grants(given.allowed_models or None, given.allowed_providers or None)
    check_cidrs(given.cidrs or None)
    check_budgets(given.budgets or ())
    check_tags(given.tags or ())
