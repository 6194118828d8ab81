"""A new user with a way in: a password that an admin sets, or an invite by which they set one themselves."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from application.admin.users import NewUser, UserAdmin
from application.sign_in.sign_in import OneTimeLinks
from domain.actors import Actor
from domain.authority import Right, require
from domain.ports.repositories import UnitOfWork
from domain.ports.runtime import Clock
from domain.ports.sign_in import PasswordHasher
from domain.secrets import Secret
from domain.sign_in import MAX_PASSWORD_BYTES, check_password
from domain.users import User


class NewAccount(NewUser, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A user to create. With a `password` they are active at once; without, the answer has an invite for them."""

    password: Annotated[str, Meta(max_length=MAX_PASSWORD_BYTES)] | None = None


class Invite(msgspec.Struct, frozen=True):
    """The secret of an invite, this once, and until when it works."""

    secret: Secret
    ends_at: datetime


class Accounts:
    """Makes users who can sign in, in one transaction with what they need for it."""

    def __init__(self, users: UserAdmin, links: OneTimeLinks, passwords: PasswordHasher, clock: Clock) -> None:
        self._users = users
        self._links = links
        self._passwords = passwords
        self._clock = clock

    async def create(self, actor: Actor, new: NewAccount) -> tuple[User, Invite | None]:
        """Raises `PermissionDenied`, `RequestInvalid`, `Conflict`, and `TooManyAttempts` where too many sign in."""
        require(actor, Right.PLATFORM_WRITE, "")
        hash_: str | None = None
        if new.password is not None:
            check_password(new.password, new.email, new.name)
            hash_ = await self._passwords.hash(new.password)
        invites: list[Invite] = []

        async def give_way_in(unit: UnitOfWork, user: User) -> None:
            if hash_ is not None:
                await unit.passwords.put(user.id, hash_, self._clock.now())
            elif user.status != "disabled":
                secret, token = await self._links.make_in(unit, user.id, "invite")
                invites.append(Invite(secret, token.ends_at))

        given = {name: getattr(new, name) for name in NewUser.__struct_fields__}
        if hash_ is not None and new.status == "invited":
            given["status"] = "active"
        user = await self._users.create(actor, NewUser(**given), give_way_in)
        return user, invites[0] if invites else None
