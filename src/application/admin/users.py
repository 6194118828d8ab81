"""People as the platform's admin sees and changes them, and how one comes to be."""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from application.admin.allowances import Name
from application.admin.config_write import Change, audited, config_write
from application.admin.paging import Page, first_of
from application.admission.access import check_budgets
from application.admission.authentication import Authenticator
from application.newcomers import Newcomers
from application.snapshot import GatewayState
from domain.actors import Actor
from domain.authority import Right, require
from domain.configuration import Section
from domain.errors import NotFound, RequestInvalid
from domain.limits import Budgets, RateLimits
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock
from domain.users import PlatformRole, User, UserStatus, new_user_id

Email = Annotated[str, Meta(min_length=3, max_length=254)]

_ADDRESS = re.compile(r"[^\s@,;<>\"()\[\]\\]+@[^\s@,;<>\"()\[\]\\]+")


def normal_email(address: str) -> str:
    """In lower case, as all are kept and compared. Raises `RequestInvalid` for what is no address."""
    text = address.strip().lower()
    if not _ADDRESS.fullmatch(text) or not text.isprintable():
        raise RequestInvalid(f"'{address}' is no e-mail address.", param="email")
    return text


class NewUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A user to create."""

    email: Email
    name: Name = ""
    platform_role: PlatformRole = "none"
    status: UserStatus = "invited"
    limits: RateLimits = RateLimits()
    budgets: Budgets = ()


class UserChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Fields to change: what is absent stays. `limits` and `budgets` are taken whole."""

    email: Email | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    platform_role: PlatformRole | UnsetType = UNSET
    status: UserStatus | UnsetType = UNSET
    limits: RateLimits | UnsetType = UNSET
    budgets: Budgets | UnsetType = UNSET


AndThen = Callable[[UnitOfWork, User], Awaitable[None]]


class UserAdmin:
    """Creates, lists, changes and deletes users. All of it is the platform's.

    Whoever is disabled or deleted loses their personal keys with the next request here, and within a second elsewhere;
    service keys that they made stay.
    """

    def __init__(
        self, store: Store, state: GatewayState, authenticator: Authenticator, newcomers: Newcomers, clock: Clock
    ) -> None:
        self._store = store
        self._state = state
        self._authenticator = authenticator
        self._newcomers = newcomers
        self._clock = clock

    async def list_page(self, limit: int, cursor: str | None, query: str | None = None) -> Page[User]:
        """Newest first: those that `query` is found in."""
        async with self._store.read() as unit:
            found = await unit.users.list_page(limit + 1, cursor, query)
        return first_of(found, limit, lambda user: user.id)

    async def get(self, user_id: str) -> User:
        """Raises `NotFound`."""
        async with self._store.read() as unit:
            return await _found(unit, user_id)

    async def create(self, actor: Actor, new: NewUser, and_then: AndThen | None = None) -> User:
        """Raises `PermissionDenied`, `RequestInvalid`, and `Conflict` where the address is taken.

        `and_then` does more for the new user in the same unit of work.
        """
        require(actor, Right.PLATFORM_WRITE, "")
        check_budgets(new.budgets)
        user = user_of(new, self._clock.now())
        async with config_write(self._store, self._state, actor, Change("create", "user", user.id)) as unit:
            user = await self._newcomers.add(unit, user)
            if and_then is not None:
                await and_then(unit, user)
        return user

    async def update(self, actor: Actor, user_id: str, change: UserChange) -> User:
        """Raises `NotFound`, `PermissionDenied`, `RequestInvalid`, and `Conflict` where the address is taken."""
        require(actor, Right.PLATFORM_WRITE, "")
        check_budgets(change.budgets or ())
        given = {name: value for name in change.__struct_fields__ if (value := getattr(change, name)) is not UNSET}
        if change.email is not UNSET:
            given["email"] = normal_email(change.email)
        async with config_write(self._store, self._state, actor, Change("update", "user", user_id)) as unit:
            user = await _found(unit, user_id)
            changed = msgspec.structs.replace(user, version=user.version + 1, updated_at=self._clock.now(), **given)
            await unit.users.update(changed)
            if changed.platform_role != user.platform_role or _locked_out(changed, user):
                await unit.sessions.delete_all(user_id)
                await unit.one_time_tokens.delete_all(user_id)
        self._authenticator.forget_all()
        return changed

    async def delete(self, actor: Actor, user_id: str) -> None:
        """With memberships, personal keys and the personal tenant. Raises `NotFound`, `PermissionDenied`."""
        require(actor, Right.PLATFORM_WRITE, "")
        async with config_write(self._store, self._state, actor, Change("delete", "user", user_id)) as unit:
            user = await _found(unit, user_id)
            await unit.users.delete(user_id)
            if user.personal_tenant_id is not None:
                await unit.config_versions.bump(Section.TENANTS)
                async with audited(unit, actor, Change("delete", "tenant", user.personal_tenant_id)):
                    await unit.tenants.delete(user.personal_tenant_id)
        self._authenticator.forget_all()


def _locked_out(changed: User, before: User) -> bool:
    """Whether a change takes their ways in. Whoever is invited and stays so keeps the invite."""
    return changed.status == "disabled" or (changed.status == "invited" and before.status != "invited")


def user_of(new: NewUser, now: datetime) -> User:
    """The user that `new` describes, under a fresh id. Raises `RequestInvalid` for what is no address."""
    given = msgspec.structs.asdict(new) | {"email": normal_email(new.email)}
    return User(id=new_user_id(), created_at=now, updated_at=now, **given)


async def _found(unit: UnitOfWork, user_id: str) -> User:
    user = await unit.users.get(user_id)
    if user is None:
        raise NotFound(f"There is no user '{user_id}'.")
    return user
