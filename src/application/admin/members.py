"""Who is in a tenant, and as what."""

from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from application.admin.config_write import Change, audited, config_write
from application.admin.key_rights import check_amounts
from application.admin.paging import Page, first_of
from application.admin.tenants import visible_tenant
from application.admin.users import Email, NewUser, normal_email, user_of
from application.admission.access import check_budgets
from application.admission.authentication import Authenticator
from application.newcomers import Newcomers
from application.sign_in.sign_in import OneTimeLinks
from application.snapshot import GatewayState
from domain.actors import Actor
from domain.authority import Right, denied, reach, require
from domain.errors import NotFound, RequestInvalid
from domain.limits import Budgets, RateLimits
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock
from domain.secrets import Secret
from domain.tenants import RANK, Membership, Role, Tenant
from domain.users import User


class NewMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A member to add: somebody known by `user_id`, or by `email`, under which a user is made where there is none."""

    user_id: str | None = None
    email: Email | None = None
    role: Role = "member"
    limits: RateLimits = RateLimits()
    budgets: Budgets = ()


class MemberChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Fields to change: what is absent stays. `limits` and `budgets` are taken whole."""

    role: Role | UnsetType = UNSET
    limits: RateLimits | UnsetType = UNSET
    budgets: Budgets | UnsetType = UNSET


class Member(msgspec.Struct, frozen=True):
    """A membership and who it is of; `invite` is the secret of theirs where they were just made for it, this once."""

    membership: Membership
    user: User
    invite: Secret | None = None


class MemberAdmin:
    """Adds, lists, changes and removes members.

    Nobody gives or takes a role above their own (S-02), nor gives limits above the tenant's.
    """

    def __init__(
        self,
        store: Store,
        state: GatewayState,
        authenticator: Authenticator,
        newcomers: Newcomers,
        links: OneTimeLinks,
        clock: Clock,
    ) -> None:
        self._store = store
        self._state = state
        self._authenticator = authenticator
        self._newcomers = newcomers
        self._links = links
        self._clock = clock

    async def list_page(self, actor: Actor, tenant_id: str, limit: int, cursor: str | None) -> Page[Member]:
        """By the user's id. Raises `NotFound` for a tenant that the actor may not see."""
        async with self._store.read() as unit:
            await visible_tenant(unit.tenants, actor, tenant_id)
            within = reach(actor, Right.TENANT_READ)
            found = await unit.memberships.list_of_tenant(tenant_id, within, limit + 1, cursor)
        return first_of([Member(*pair) for pair in found], limit, lambda member: member.user.id)

    async def get(self, actor: Actor, tenant_id: str, user_id: str) -> Member:
        """Raises `NotFound`."""
        async with self._store.read() as unit:
            return await _found(unit, actor, tenant_id, user_id)

    async def add(self, actor: Actor, tenant_id: str, new: NewMember) -> Member:
        """Raises `NotFound`, `PermissionDenied`, `RequestInvalid`, and `Conflict` for who is a member already.

        Only the platform's admin names somebody by `user_id` or gets the invite of somebody new: others would learn who
        has an account here.
        """
        check_budgets(new.budgets)
        if (new.user_id is None) == (new.email is None):
            raise RequestInvalid("A member is named by 'email' or by 'user_id', by one of them.", param="email")
        now = self._clock.now()
        user, is_new = await self._who(actor, new, now)
        change = Change("create", "member", f"{tenant_id}/{user.id}")
        invite: Secret | None = None
        async with config_write(self._store, self._state, actor, change) as unit:
            tenant = await visible_tenant(unit.tenants, actor, tenant_id)
            _require(actor, tenant_id, new.role)
            if tenant.kind == "personal":
                raise RequestInvalid("A personal tenant has no other members.")
            _check_amounts(actor, tenant, new.limits, new.budgets)
            if is_new:
                async with audited(unit, actor, Change("create", "user", user.id)):
                    user = await self._newcomers.add(unit, user)
                if reach(actor, Right.PLATFORM_WRITE).everywhere:
                    invite, _ = await self._links.make_in(unit, user.id, "invite")
            membership = Membership(tenant_id, user.id, new.role, now, now, new.limits, new.budgets)
            await unit.memberships.add(membership)
        self._authenticator.forget_all()
        return Member(membership, user, invite)

    async def update(self, actor: Actor, tenant_id: str, user_id: str, change: MemberChange) -> Member:
        """Raises `NotFound`, `PermissionDenied`, `RequestInvalid`."""
        check_budgets(change.budgets or ())
        given = {name: value for name in change.__struct_fields__ if (value := getattr(change, name)) is not UNSET}
        async with config_write(
            self._store, self._state, actor, Change("update", "member", f"{tenant_id}/{user_id}")
        ) as unit:
            member = await _found(unit, actor, tenant_id, user_id)
            _require(actor, tenant_id, member.membership.role, *([] if change.role is UNSET else [change.role]))
            tenant = await visible_tenant(unit.tenants, actor, tenant_id)
            _check_amounts(actor, tenant, change.limits or RateLimits(), change.budgets or ())
            changed = msgspec.structs.replace(member.membership, updated_at=self._clock.now(), **given)
            await unit.memberships.update(changed)
        self._authenticator.forget_all()
        return Member(changed, member.user)

    async def remove(self, actor: Actor, tenant_id: str, user_id: str) -> None:
        """Their keys in the tenant end with it. Raises `NotFound`, `PermissionDenied`."""
        async with config_write(
            self._store, self._state, actor, Change("delete", "member", f"{tenant_id}/{user_id}")
        ) as unit:
            member = await _found(unit, actor, tenant_id, user_id)
            _require(actor, tenant_id, member.membership.role)
            if member.user.personal_tenant_id == tenant_id:
                raise RequestInvalid("Nobody is removed from their own personal tenant.")
            await unit.memberships.delete(tenant_id, user_id)
        self._authenticator.forget_all()

    async def _who(self, actor: Actor, new: NewMember, now: datetime) -> tuple[User, bool]:
        """The user to add, and whether they are yet to be made: where nobody has the address."""
        async with self._store.read() as unit:
            if new.email is not None:
                known = await unit.users.find(normal_email(new.email))
                return (known, False) if known else (user_of(NewUser(email=new.email), now), True)
            if not reach(actor, Right.PLATFORM_READ).everywhere:
                raise denied("Members are added by 'email'.")
            found = await unit.users.get(new.user_id or "")
        if found is None:
            raise RequestInvalid(f"There is no user '{new.user_id}'.", param="user_id")
        return found, False


def _require(actor: Actor, tenant_id: str, *roles: Role) -> None:
    """Raises `PermissionDenied` unless the actor manages members here, and none of these roles is above their own."""
    require(actor, Right.MEMBERS_WRITE, tenant_id)
    if reach(actor, Right.PLATFORM_WRITE).everywhere:
        return
    own = RANK[actor.roles[tenant_id]]
    if any(RANK[role] > own for role in roles):
        raise denied("Nobody gives, changes or takes a role above their own.")


def _check_amounts(actor: Actor, tenant: Tenant, limits: RateLimits, budgets: Budgets) -> None:
    """Raises `PermissionDenied` for whoever manages a tenant and gives a member more than the tenant has itself."""
    if not reach(actor, Right.PLATFORM_WRITE).everywhere:
        check_amounts(limits, tuple(budgets), [tenant.limits], [tenant.budgets])


async def _found(unit: UnitOfWork, actor: Actor, tenant_id: str, user_id: str) -> Member:
    """Raises `NotFound`, alike for another's tenant, another's member and nobody."""
    membership = await unit.memberships.get(tenant_id, user_id, reach(actor, Right.TENANT_READ))
    user = await unit.users.get(user_id) if membership is not None else None
    if membership is None or user is None:
        raise NotFound(f"There is no member '{user_id}' in tenant '{tenant_id}'.")
    return Member(membership, user)
