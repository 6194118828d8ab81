"""`/admin/users`: people who sign in."""

from datetime import datetime
from typing import Annotated

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg

from application.admin.users import UserAdmin, UserChange
from application.sign_in.accounts import Accounts, NewAccount
from domain.actors import Actor
from domain.limits import Budget, RateLimits
from domain.providers import Owner
from domain.users import PlatformRole, User, UserStatus
from entrypoints.http.admin.members import UserId
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
from entrypoints.http.admin.tenants import EXAMPLE_BUDGET, EXAMPLE_LIMITS
from entrypoints.http.auth.links import PublicAddress
from entrypoints.http.authorization import ACTING, require_admin
from entrypoints.http.owners import owner_of


class UserResponse(msgspec.Struct, frozen=True):
    """A user. The first one has no address until they set it."""

    id: str
    email: str | None
    name: str
    platform_role: PlatformRole
    status: UserStatus
    personal_tenant_id: str | None
    last_seen_at: datetime | None
    limits: RateLimits
    budgets: tuple[Budget, ...]
    created_at: datetime
    updated_at: datetime
    owner: Owner = "database"


class NewUserResponse(UserResponse, frozen=True, kw_only=True):
    """The same with an invite, this once: null where a password was given."""

    invite_url: str | None


class UserList(msgspec.Struct, frozen=True):
    """Newest first."""

    data: tuple[UserResponse, ...]
    next_cursor: str | None


_EXAMPLE = {
    "id": "usr_6a1f0c77ab3e4d5f8d1f0c77ab3e4d5f",
    "email": "ann@example.org",
    "name": "Ann",
    "platform_role": "none",
    "status": "invited",
    "personal_tenant_id": "ten_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "last_seen_at": None,
    "limits": EXAMPLE_LIMITS,
    "budgets": [EXAMPLE_BUDGET],
    "created_at": "2026-11-30T11:58:00Z",
    "updated_at": "2026-11-30T11:58:00Z",
}
_INVITE = "http://127.0.0.1:8000/app#/invite/5f2c…"
_NEW = {"email": "ann@example.org", "name": "Ann"}

NewUserBody = Annotated[NewAccount, BodyKwarg(examples=[Example(summary="A user", value=_NEW)])]
UserChangeBody = Annotated[UserChange, BodyKwarg(examples=[Example(summary="Disabled", value={"status": "disabled"})])]


class UserController(Controller):
    path = "/admin/users"
    tags = ("Users",)
    guards = (require_admin,)
    dependencies = ACTING
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listUsers",
        summary="List users",
        description="Newest first.",
        responses={
            200: example({"data": [_EXAMPLE], "next_cursor": None}, "A page of users", UserList),
            **READ_ERRORS,
        },
    )
    @inject
    async def list_page(
        self, users: FromDishka[UserAdmin], limit: Limit = FIRST_PAGE, cursor: Cursor = None, words: Search = None
    ) -> UserList:
        page = await users.list_page(limit, cursor, words)
        return UserList(tuple(map(_answer, page.data)), page.next_cursor)

    @post(
        operation_id="createUser",
        summary="Create a user",
        description="With a personal tenant, unless `OMG_PERSONAL_TENANTS` is off. Without a `password` the answer has "
        "a one-time `invite_url`, this once, by which they set one.",
        responses={201: example(_EXAMPLE | {"invite_url": _INVITE}, "Created", NewUserResponse)} | WRITE_ERRORS,
    )
    @inject
    async def create(
        self,
        actor: NamedDependency[Actor],
        data: NewUserBody,
        accounts: FromDishka[Accounts],
        address: FromDishka[PublicAddress],
    ) -> NewUserResponse:
        user, invite = await accounts.create(actor, data)
        url = address.invite(invite.secret) if invite is not None else None
        return NewUserResponse(**msgspec.structs.asdict(_answer(user)), invite_url=url)

    @get(
        "/{user_id:str}",
        operation_id="getUser",
        summary="Get a user",
        description="One user.",
        responses={200: example(_EXAMPLE, "The user", UserResponse), **ITEM_ERRORS},
    )
    @inject
    async def get_one(self, user_id: UserId, users: FromDishka[UserAdmin]) -> UserResponse:
        return _answer(await users.get(user_id))

    @patch(
        "/{user_id:str}",
        operation_id="updateUser",
        summary="Change a user",
        description="Changes the fields that are sent. Whoever is disabled loses personal keys with the next request; "
        "service keys stay.",
        responses={200: example(_EXAMPLE | {"status": "disabled"}, "Changed", UserResponse), **CHANGE_ERRORS},
    )
    @inject
    async def update(
        self, actor: NamedDependency[Actor], user_id: UserId, data: UserChangeBody, users: FromDishka[UserAdmin]
    ) -> UserResponse:
        return _answer(await users.update(actor, user_id, data))

    @delete(
        "/{user_id:str}",
        operation_id="deleteUser",
        summary="Delete a user",
        description="With memberships, personal keys and the personal tenant; what they have used stays in the books.",
        responses=DELETE_ERRORS,
    )
    @inject
    async def remove(self, actor: NamedDependency[Actor], user_id: UserId, users: FromDishka[UserAdmin]) -> None:
        await users.delete(actor, user_id)


def _answer(user: User) -> UserResponse:
    return UserResponse(
        id=user.id,
        email=user.email,
        name=user.name,
        platform_role=user.platform_role,
        status=user.status,
        personal_tenant_id=user.personal_tenant_id,
        last_seen_at=user.last_seen_at,
        limits=user.limits,
        budgets=user.budgets,
        created_at=user.created_at,
        updated_at=user.updated_at,
        owner=owner_of("user", user.id),
    )
