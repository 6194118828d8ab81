"""One's own profile and tenants: what people may change of themselves, and nothing of what they may do (S-02)."""

import re
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from application.admin.config_write import Change, config_write
from application.admin.users import Email, normal_email
from application.snapshot import GatewayState
from application.usage.moments import timezone_of
from domain.actors import Actor
from domain.authority import EVERYWHERE
from domain.errors import Conflict, RequestInvalid
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock
from domain.sign_in import Preferences
from domain.tenants import Membership, Role, Tenant
from domain.users import User

MOST_CONTACTS = 3
MEMBERS_LOOKED_AT = 1_000

_LOCALE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}")


class ProfileChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Fields to change; null puts a preference back to what the browser has. An address is set once, where none is."""

    name: Annotated[str, Meta(min_length=1, max_length=200)] | UnsetType = UNSET
    timezone: Annotated[str, Meta(max_length=64)] | UnsetType | None = UNSET
    locale: Annotated[str, Meta(max_length=35)] | UnsetType | None = UNSET
    theme: Literal["", "light", "dark"] | UnsetType | None = UNSET
    email: Email | UnsetType = UNSET


class Profile(msgspec.Struct, frozen=True):
    """A person with what they chose, and whether they can sign in by a password."""

    user: User
    preferences: Preferences
    has_password: bool


class OwnTenant(msgspec.Struct, frozen=True):
    """A tenant and one's place in it. `contacts` are the addresses of its owners, or of its admins where there is none:
    whom to ask for more."""

    tenant: Tenant
    membership: Membership
    contacts: tuple[str, ...] = ()


class OwnAccount:
    """Shows and changes what is one's own. Whose it is the session says, and never the body (S-03)."""

    def __init__(self, store: Store, state: GatewayState, clock: Clock) -> None:
        self._store = store
        self._state = state
        self._clock = clock

    async def profile(self, user: User) -> Profile:
        """Raises `StoreUnavailable`."""
        async with self._store.read() as unit:
            preferences = await unit.preferences.get(user.id)
            return Profile(user, preferences, await unit.passwords.get(user.id) is not None)

    async def change(self, actor: Actor, user: User, change: ProfileChange) -> Profile:
        """Raises `RequestInvalid`, and `Conflict` for an address that is set already, or somebody else's."""
        email = None if change.email is UNSET else normal_email(change.email)
        if email is not None and user.email is not None and email != user.email:
            raise Conflict("Your address is changed by an admin.", code="read_only", param="email")
        if change.name is not UNSET or email is not None:
            async with config_write(self._store, self._state, actor, Change("update", "user", user.id)) as unit:
                now = await unit.users.get(user.id) or user
                user = msgspec.structs.replace(
                    now,
                    name=now.name if change.name is UNSET else change.name,
                    email=email or now.email,
                    version=now.version + 1,
                    updated_at=self._clock.now(),
                )
                await unit.users.update(user)
        async with self._store.write() as unit:
            preferences = await unit.preferences.get(user.id)
            chosen = _chosen(preferences, change)
            if chosen != preferences:
                await unit.preferences.put(user.id, chosen)
        return await self.profile(user)

    async def tenants(self, user: User) -> list[OwnTenant]:
        """The personal one first, then by name."""
        found: list[OwnTenant] = []
        async with self._store.read() as unit:
            for membership in await unit.memberships.list_of_user(user.id):
                tenant = await unit.tenants.get(membership.tenant_id, EVERYWHERE)
                if tenant is not None:
                    found.append(OwnTenant(tenant, membership, await _contacts(unit, tenant)))
        return sorted(found, key=lambda own: (own.tenant.kind != "personal", own.tenant.name, own.tenant.id))


async def _contacts(unit: UnitOfWork, tenant: Tenant) -> tuple[str, ...]:
    """Of a shared one, at most as many as a sentence has room for."""
    if tenant.kind == "personal":
        return ()
    members = await unit.memberships.list_of_tenant(tenant.id, EVERYWHERE, MEMBERS_LOOKED_AT, None)
    by_role: dict[Role, list[str]] = {}
    for membership, user in members:
        if user.email is not None and user.status != "disabled":
            by_role.setdefault(membership.role, []).append(user.email)
    return tuple((by_role.get("owner") or by_role.get("admin") or [])[:MOST_CONTACTS])


def _chosen(before: Preferences, change: ProfileChange) -> Preferences:
    given = {
        name: value or "" for name in Preferences.__struct_fields__ if (value := getattr(change, name)) is not UNSET
    }
    if given.get("timezone"):
        timezone_of(given["timezone"])
    if given.get("locale") and not _LOCALE.fullmatch(given["locale"]):
        raise RequestInvalid("A locale is a language tag such as en or de-CH.", param="locale")
    return msgspec.structs.replace(before, **given)
