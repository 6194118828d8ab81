"""`/admin/tenants`: whose keys and spend belong together."""

from datetime import datetime
from typing import Annotated

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg, PathParameter

from application.admin.tenants import NewTenant, TenantAdmin, TenantChange
from domain.actors import Actor
from domain.limits import Budget, RateLimits
from domain.providers import Owner
from domain.tenants import Tenant, TenantKind, TenantStatus
from entrypoints.http.admin.operations import (
    CHANGE_ERRORS,
    COMPLAINTS,
    DELETE_ERRORS,
    FIRST_PAGE,
    ITEM_ERRORS,
    READ_ERRORS,
    WRITE_ERRORS,
    Cursor,
    Limit,
    Search,
    example,
)
from entrypoints.http.authorization import ACTING, require_admin
from entrypoints.http.owners import owner_of

TenantId = Annotated[str, PathParameter(description="The id of a tenant")]


class TenantResponse(msgspec.Struct, frozen=True):
    """A tenant. A list of null allows all."""

    id: str
    name: str
    kind: TenantKind
    status: TenantStatus
    allowed_models: tuple[str, ...] | None
    allowed_providers: tuple[str, ...] | None
    cidrs: tuple[str, ...] | None
    limits: RateLimits
    budgets: tuple[Budget, ...]
    tags: tuple[str, ...]
    external_id: str | None
    created_at: datetime
    updated_at: datetime
    owner: Owner = "database"


class TenantList(msgspec.Struct, frozen=True):
    """Newest first."""

    data: tuple[TenantResponse, ...]
    next_cursor: str | None


EXAMPLE_LIMITS = {"rpm": 600, "rpd": None, "tpm": None, "tpd": None, "itpm": None, "otpm": None, "parallel": None}
_BUDGET = {"limit_usd": "25.00", "period": "month"}
EXAMPLE_BUDGET = _BUDGET | {
    "timezone": "UTC",
    "warn_at": [0.8],
    "on_exceeded": "block",
    "downgrade_to": None,
    "hold": "elastic",
    "unpriced": "deny",
    "models": None,
}
_EXAMPLE = {
    "id": "ten_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "name": "Research",
    "kind": "shared",
    "status": "active",
    "allowed_models": ["openai/*"],
    "allowed_providers": None,
    "cidrs": None,
    "limits": EXAMPLE_LIMITS,
    "budgets": [EXAMPLE_BUDGET],
    "tags": ["team:research"],
    "external_id": None,
    "created_at": "2026-11-30T11:58:00Z",
    "updated_at": "2026-11-30T11:58:00Z",
}
_NEW = {"name": "Research", "allowed_models": ["openai/*"], "limits": {"rpm": 600}, "budgets": [_BUDGET]}

NewTenantBody = Annotated[NewTenant, BodyKwarg(examples=[Example(summary="A tenant", value=_NEW)])]
TenantChangeBody = Annotated[
    TenantChange, BodyKwarg(examples=[Example(summary="Suspended", value={"status": "suspended"})])
]


class TenantController(Controller):
    path = "/admin/tenants"
    tags = ("Tenants",)
    guards = (require_admin,)
    dependencies = ACTING
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listTenants",
        summary="List tenants",
        description="Newest first: all for the platform's admin, else those whose owner, admin or viewer one is.",
        responses={
            200: example({"data": [_EXAMPLE], "next_cursor": None}, "A page of tenants", TenantList),
            **READ_ERRORS,
        },
    )
    @inject
    async def list_page(
        self,
        actor: NamedDependency[Actor],
        tenants: FromDishka[TenantAdmin],
        limit: Limit = FIRST_PAGE,
        cursor: Cursor = None,
        words: Search = None,
    ) -> TenantList:
        page = await tenants.list_page(actor, limit, cursor, words)
        return TenantList(tuple(map(_answer, page.data)), page.next_cursor)

    @post(
        operation_id="createTenant",
        summary="Create a tenant",
        description="A shared one; personal tenants come with their users.",
        responses={201: example(_EXAMPLE, "Created", TenantResponse)} | WRITE_ERRORS,
    )
    @inject
    async def create(
        self, actor: NamedDependency[Actor], data: NewTenantBody, tenants: FromDishka[TenantAdmin]
    ) -> TenantResponse:
        return _answer(await tenants.create(actor, data))

    @get(
        "/{tenant_id:str}",
        operation_id="getTenant",
        summary="Get a tenant",
        description="One tenant. Another's answers as one that is not there.",
        responses={200: example(_EXAMPLE, "The tenant", TenantResponse), **ITEM_ERRORS},
    )
    @inject
    async def get_one(
        self, actor: NamedDependency[Actor], tenant_id: TenantId, tenants: FromDishka[TenantAdmin]
    ) -> TenantResponse:
        return _answer(await tenants.get(actor, tenant_id))

    @patch(
        "/{tenant_id:str}",
        operation_id="updateTenant",
        summary="Change a tenant",
        description="Changes the fields that are sent; null lifts a restriction. In force for the next request of each "
        "of its keys. The keys of a suspended tenant get 403 `tenant_suspended`.",
        responses={200: example(_EXAMPLE | {"status": "suspended"}, "Changed", TenantResponse), **CHANGE_ERRORS},
    )
    @inject
    async def update(
        self,
        actor: NamedDependency[Actor],
        tenant_id: TenantId,
        data: TenantChangeBody,
        tenants: FromDishka[TenantAdmin],
    ) -> TenantResponse:
        return _answer(await tenants.update(actor, tenant_id, data))

    @delete(
        "/{tenant_id:str}",
        operation_id="deleteTenant",
        summary="Delete a tenant",
        description="With its keys and memberships; what it has used stays in the books. The default tenant and "
        "personal ones are suspended instead.",
        responses=DELETE_ERRORS,
    )
    @inject
    async def remove(
        self, actor: NamedDependency[Actor], tenant_id: TenantId, tenants: FromDishka[TenantAdmin]
    ) -> None:
        await tenants.delete(actor, tenant_id)


def _answer(tenant: Tenant) -> TenantResponse:
    return TenantResponse(
        id=tenant.id,
        name=tenant.name,
        kind=tenant.kind,
        status=tenant.status,
        allowed_models=tenant.allowed_models,
        allowed_providers=tenant.allowed_providers,
        cidrs=tenant.cidrs,
        limits=tenant.limits,
        budgets=tenant.budgets,
        tags=tenant.tags,
        external_id=tenant.external_id,
        created_at=tenant.created_at,
        updated_at=tenant.updated_at,
        owner=owner_of("tenant", tenant.id),
    )
