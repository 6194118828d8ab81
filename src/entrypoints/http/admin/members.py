"""`/admin/tenants/{id}/members`: who is in a tenant, and as what."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg, PathParameter

from application.admin.members import Member, MemberAdmin, MemberChange, NewMember
from domain.actors import Actor
from domain.authority import Right, reach
from domain.limits import Budget, RateLimits
from domain.providers import Owner
from domain.tenants import Role
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
    example,
)
from entrypoints.http.admin.tenants import EXAMPLE_BUDGET, EXAMPLE_LIMITS, TenantId
from entrypoints.http.auth.links import PublicAddress
from entrypoints.http.authorization import ACTING, require_admin
from entrypoints.http.owners import owner_of

UserId = Annotated[str, PathParameter(description="The id of a user")]


class MemberResponse(msgspec.Struct, frozen=True):
    """A member of a tenant. `name` and `status` are the user's, and null for those who manage only the tenant."""

    tenant_id: str
    user_id: str
    email: str | None
    name: str | None
    status: Literal["invited", "active", "disabled"] | None
    role: Role
    limits: RateLimits
    budgets: tuple[Budget, ...]
    managed_by: Literal["hand", "idp"]
    created_at: datetime
    updated_at: datetime
    owner: Owner = "database"


class NewMemberResponse(MemberResponse, frozen=True, kw_only=True):
    """The same with an invite, this once: of somebody new, for the platform's admin. Null for all others."""

    invite_url: str | None


class MemberList(msgspec.Struct, frozen=True):
    """By the user's id."""

    data: tuple[MemberResponse, ...]
    next_cursor: str | None


_EXAMPLE = {
    "tenant_id": "ten_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "user_id": "usr_6a1f0c77ab3e4d5f8d1f0c77ab3e4d5f",
    "email": "ann@example.org",
    "name": "Ann",
    "status": "active",
    "role": "member",
    "limits": EXAMPLE_LIMITS,
    "budgets": [EXAMPLE_BUDGET],
    "managed_by": "hand",
    "created_at": "2026-11-30T11:58:00Z",
    "updated_at": "2026-11-30T11:58:00Z",
}
_INVITE = "http://127.0.0.1:8000/app#/invite/5f2c…"
_NEW = {"email": "ann@example.org", "role": "member", "limits": {"rpm": 600}}

NewMemberBody = Annotated[NewMember, BodyKwarg(examples=[Example(summary="A member", value=_NEW)])]
MemberChangeBody = Annotated[MemberChange, BodyKwarg(examples=[Example(summary="An admin", value={"role": "admin"})])]


class MemberController(Controller):
    path = "/admin/tenants/{tenant_id:str}/members"
    tags = ("Tenants",)
    guards = (require_admin,)
    dependencies = ACTING
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listMembers",
        summary="List a tenant's members",
        description="By the user's id.",
        responses={
            200: example({"data": [_EXAMPLE], "next_cursor": None}, "A page of members", MemberList),
            **READ_ERRORS,
        },
    )
    @inject
    async def list_page(
        self,
        actor: NamedDependency[Actor],
        tenant_id: TenantId,
        members: FromDishka[MemberAdmin],
        limit: Limit = FIRST_PAGE,
        cursor: Cursor = None,
    ) -> MemberList:
        page = await members.list_page(actor, tenant_id, limit, cursor)
        return MemberList(tuple(_answer(actor, member) for member in page.data), page.next_cursor)

    @post(
        operation_id="addMember",
        summary="Add a member",
        description="By `email`, which makes an invited user where nobody has the address, or, for the platform's "
        "admin, by `user_id`. A role above one's own and limits above the tenant's are refused. `invite_url` is for "
        "the platform's admin alone.",
        responses={201: example(_EXAMPLE | {"invite_url": _INVITE}, "Added", NewMemberResponse)} | WRITE_ERRORS,
    )
    @inject
    async def add(
        self,
        actor: NamedDependency[Actor],
        tenant_id: TenantId,
        data: NewMemberBody,
        members: FromDishka[MemberAdmin],
        address: FromDishka[PublicAddress],
    ) -> NewMemberResponse:
        member = await members.add(actor, tenant_id, data)
        url = address.invite(member.invite) if member.invite is not None else None
        return NewMemberResponse(**msgspec.structs.asdict(_answer(actor, member)), invite_url=url)

    @get(
        "/{user_id:str}",
        operation_id="getMember",
        summary="Get a member",
        description="One member of the tenant.",
        responses={200: example(_EXAMPLE, "The member", MemberResponse), **ITEM_ERRORS},
    )
    @inject
    async def get_one(
        self, actor: NamedDependency[Actor], tenant_id: TenantId, user_id: UserId, members: FromDishka[MemberAdmin]
    ) -> MemberResponse:
        return _answer(actor, await members.get(actor, tenant_id, user_id))

    @patch(
        "/{user_id:str}",
        operation_id="updateMember",
        summary="Change a member",
        description="Role, limits and budgets of this user in this tenant. In force for the next request.",
        responses={200: example(_EXAMPLE | {"role": "admin"}, "Changed", MemberResponse), **CHANGE_ERRORS},
    )
    @inject
    async def update(
        self,
        actor: NamedDependency[Actor],
        tenant_id: TenantId,
        user_id: UserId,
        data: MemberChangeBody,
        members: FromDishka[MemberAdmin],
    ) -> MemberResponse:
        return _answer(actor, await members.update(actor, tenant_id, user_id, data))

    @delete(
        "/{user_id:str}",
        operation_id="removeMember",
        summary="Remove a member",
        description="Their own keys in the tenant end with it; service keys stay.",
        responses=DELETE_ERRORS,
    )
    @inject
    async def remove(
        self, actor: NamedDependency[Actor], tenant_id: TenantId, user_id: UserId, members: FromDishka[MemberAdmin]
    ) -> None:
        await members.remove(actor, tenant_id, user_id)


def _answer(actor: Actor, member: Member) -> MemberResponse:
    """Whoever manages a tenant alone does not learn from it who has an account here, and how it stands."""
    membership, user = member.membership, member.user
    knows_people = reach(actor, Right.PLATFORM_READ).everywhere
    return MemberResponse(
        tenant_id=membership.tenant_id,
        user_id=membership.user_id,
        email=user.email,
        name=user.name if knows_people else None,
        status=user.status if knows_people else None,
        role=membership.role,
        limits=membership.limits,
        budgets=membership.budgets,
        managed_by=membership.managed_by,
        created_at=membership.created_at,
        updated_at=membership.updated_at,
        owner=owner_of("member", f"{membership.tenant_id}/{membership.user_id}"),
    )
