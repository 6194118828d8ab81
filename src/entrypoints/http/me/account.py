"""`/me`, `/me/password` and `/me/tenants`: profile, password, and the tenants one belongs to."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg
from msgspec import Meta

from application.own_account.profile import OwnAccount, OwnTenant, Profile, ProfileChange
from application.sign_in.sign_in import SignIn
from domain.limits import Budget, RateLimits
from domain.sign_in import MAX_PASSWORD_BYTES
from domain.tenants import Role, TenantKind
from domain.users import PlatformRole
from entrypoints.http.admin.operations import CHANGE_ERRORS, COMPLAINTS, READ_ERRORS, example
from entrypoints.http.auth.people import ASKING, Person, require_person


class ProfileResponse(msgspec.Struct, frozen=True):
    """Who one is. An empty preference means: as the browser has it. `email` is null until it is set."""

    id: str
    email: str | None
    name: str
    platform_role: PlatformRole
    personal_tenant_id: str | None
    timezone: str
    locale: str
    theme: Literal["", "light", "dark"]
    has_password: bool
    created_at: datetime


class NewPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`current_password` may be null where none is set."""

    new_password: Annotated[str, Meta(max_length=MAX_PASSWORD_BYTES)]
    current_password: Annotated[str, Meta(max_length=MAX_PASSWORD_BYTES)] | None = None


class OwnTenantResponse(msgspec.Struct, frozen=True):
    """A tenant one belongs to. `limits` and `budgets` are the tenant's, `member_…` one's own in it; all hold.

    `contacts` are up to three addresses of its owners, or of its admins where it has none: whom to ask for more.
    """

    id: str
    name: str
    kind: TenantKind
    role: Role
    limits: RateLimits
    budgets: tuple[Budget, ...]
    member_limits: RateLimits
    member_budgets: tuple[Budget, ...]
    contacts: tuple[str, ...]


class OwnTenantList(msgspec.Struct, frozen=True):
    """The personal one first."""

    data: tuple[OwnTenantResponse, ...]


_PROFILE = {
    "id": "usr_6a1f0c77ab3e4d5f8d1f0c77ab3e4d5f",
    "email": "ada@example.com",
    "name": "Ada",
    "platform_role": "none",
    "personal_tenant_id": "ten_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "timezone": "Europe/Oslo",
    "locale": "",
    "theme": "dark",
    "has_password": True,
    "created_at": "2026-11-30T02:41:00Z",
}
_NO_LIMITS = dict.fromkeys(RateLimits.__struct_fields__)
_TENANT = {
    "id": "ten_default",
    "name": "Default",
    "kind": "shared",
    "role": "member",
    "limits": _NO_LIMITS,
    "budgets": [],
    "member_limits": _NO_LIMITS,
    "member_budgets": [],
    "contacts": ["ada@example.com"],
}

ProfileChangeBody = Annotated[ProfileChange, BodyKwarg(examples=[Example(value={"theme": "dark"})])]
NewPasswordBody = Annotated[
    NewPassword, BodyKwarg(examples=[Example(value={"current_password": "…", "new_password": "…"})])
]


class AccountController(Controller):
    path = "/me"
    tags = ("Own account",)
    guards = (require_person,)
    dependencies = ASKING
    exception_handlers = COMPLAINTS

    @get(
        operation_id="getProfile",
        summary="Look at one's own profile",
        description="Who one is, and what one chose.",
        responses={200: example(_PROFILE, "The profile", ProfileResponse), **READ_ERRORS},
    )
    @inject
    async def profile(self, person: NamedDependency[Person], account: FromDishka[OwnAccount]) -> ProfileResponse:
        return _profile(await account.profile(person.user))

    @patch(
        operation_id="updateProfile",
        summary="Change one's own profile",
        description="Changes the fields that are sent. `email` can be set where none is; roles are an admin's to give.",
        responses={200: example(_PROFILE, "Changed", ProfileResponse), **CHANGE_ERRORS},
    )
    @inject
    async def change(
        self, person: NamedDependency[Person], data: ProfileChangeBody, account: FromDishka[OwnAccount]
    ) -> ProfileResponse:
        return _profile(await account.change(person.actor, person.user, data))

    @post(
        "/password",
        status_code=204,
        operation_id="changePassword",
        summary="Set one's own password",
        description="Every other session ends. The current one may be null only where none is set.",
        responses=CHANGE_ERRORS,
    )
    @inject
    async def password(
        self, person: NamedDependency[Person], data: NewPasswordBody, sign_in: FromDishka[SignIn]
    ) -> None:
        await sign_in.change_password(person.session, data.current_password, data.new_password)

    @get(
        "/tenants",
        operation_id="listOwnTenants",
        summary="List the tenants one belongs to",
        description="The personal one first.",
        responses={200: example({"data": [_TENANT]}, "The tenants", OwnTenantList), **READ_ERRORS},
    )
    @inject
    async def tenants(self, person: NamedDependency[Person], account: FromDishka[OwnAccount]) -> OwnTenantList:
        return OwnTenantList(tuple(map(_tenant, await account.tenants(person.user))))


def _profile(profile: Profile) -> ProfileResponse:
    user, preferences = profile.user, profile.preferences
    return ProfileResponse(
        user.id,
        user.email,
        user.name,
        user.platform_role,
        user.personal_tenant_id,
        preferences.timezone,
        preferences.locale,
        preferences.theme,
        profile.has_password,
        user.created_at,
    )


def _tenant(own: OwnTenant) -> OwnTenantResponse:
    tenant, membership = own.tenant, own.membership
    return OwnTenantResponse(
        tenant.id,
        tenant.name,
        tenant.kind,
        membership.role,
        tenant.limits,
        tenant.budgets,
        membership.limits,
        membership.budgets,
        own.contacts,
    )
