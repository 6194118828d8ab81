"""Signing in by password, by a one-time link, by an invite: one wording and one duration for what is wrong (S-13)."""

import hashlib
from datetime import timedelta

import msgspec

from application.audit.refusals import RefusalLog
from application.sign_in.sessions import NewSession, Origin, Sessions, SignedIn
from application.sign_in.throttle import AttemptThrottle
from domain.actors import Actor
from domain.audit import AuditRecord
from domain.configuration import Section
from domain.errors import Conflict, NotFound, RequestInvalid, Unauthenticated
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock
from domain.ports.security import KeyHasher
from domain.ports.sign_in import PasswordHasher
from domain.secrets import Secret
from domain.sign_in import (
    INVITE_LIFE,
    LINK_LIFE,
    OneTimeToken,
    TokenPurpose,
    check_password,
    is_secret,
    new_secret,
)
from domain.users import User

_WRONG = "The e-mail address or the password is wrong."
_OVER = "This link was used, or is too old. Ask for a new one."

LIVES: dict[TokenPurpose, timedelta] = {"link": LINK_LIFE, "invite": INVITE_LIFE}


class SignIn:
    """What stands before a session. Raises `Unauthenticated` (`invalid_credentials`) and `TooManyAttempts`."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        passwords: PasswordHasher,
        throttle: AttemptThrottle,
        refusals: RefusalLog,
        hasher: KeyHasher,
        clock: Clock,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._passwords = passwords
        self._throttle = throttle
        self._refusals = refusals
        self._hasher = hasher
        self._clock = clock

    async def by_password(self, email: str, password: str, origin: Origin) -> NewSession:
        """Who may not sign in is told what a wrong password is told, after as long."""
        email = email.strip().lower()
        account = hashlib.sha256(email.encode("utf-8", "surrogatepass")).hexdigest()
        await self._throttle.begin(origin.address, account)
        async with self._store.read() as unit:
            user = await unit.users.find(email)
            known = await unit.passwords.get(user.id) if user is not None else None
        fits = await self._passwords.verify(password, known)
        if not fits or user is None or known is None or user.status != "active":
            self._refuse(origin, "POST /auth/login", user)
            raise Unauthenticated(_WRONG, code="invalid_credentials")
        self._throttle.succeeded(origin.address, account)
        renewed = None if self._passwords.is_current(known) else await self._passwords.hash(password)
        async with self._store.write() as unit:
            if await unit.passwords.get(user.id) != known:  # it was changed while this one was verified
                raise Unauthenticated(_WRONG, code="invalid_credentials")
            if renewed is not None:
                await unit.passwords.put(user.id, renewed, self._clock.now())
            return await self._sessions.open(unit, await self._still(unit, user), "password", origin)

    async def by_link(self, token: str, origin: Origin) -> NewSession:
        """Signs in whom the link is for, once."""
        await self._throttle.begin(origin.address)
        async with self._store.write() as unit:
            user = await self._taken(unit, token, "link")
            if user is not None and user.status == "active":
                self._throttle.succeeded(origin.address)
                return await self._sessions.open(unit, user, "link", origin)
        self._refuse(origin, "POST /auth/link", user)
        raise Unauthenticated(_OVER, code="invalid_credentials")

    async def by_invite(self, token: str, name: str, password: str, origin: Origin) -> NewSession:
        """Takes an invite up: sets name and password, and signs in. Raises `NotFound` for a used or old one.

        Older sessions and other links of the person end: an invite also resets a password.
        """
        await self._throttle.begin(origin.address)
        check_password(password)
        hash_ = await self._passwords.hash(password) if is_secret(token) else ""
        async with self._store.write() as unit:
            await unit.config_versions.bump(Section.PEOPLE)
            user = await self._taken(unit, token, "invite")
            if user is not None and user.status != "disabled":
                check_password(password, user.email, user.name, name)
                self._throttle.succeeded(origin.address)
                now = self._clock.now()
                user = msgspec.structs.replace(
                    user, name=name or user.name, status="active", version=user.version + 1, updated_at=now
                )
                await unit.users.update(user)
                await unit.passwords.put(user.id, hash_, now)
                await unit.sessions.delete_all(user.id)
                await unit.one_time_tokens.delete_all(user.id)
                return await self._sessions.open(unit, user, "invite", origin)
        self._refuse(origin, "POST /auth/invites/{token}", user)
        raise NotFound(_OVER)

    async def confirm(self, signed_in: SignedIn, password: str) -> SignedIn:
        """Raises `Unauthenticated`: for people of a link too, who sign in again."""
        account, address = f"confirm/{signed_in.user.id}", signed_in.actor.address
        await self._throttle.begin(address, account)
        async with self._store.read() as unit:
            known = await unit.passwords.get(signed_in.user.id)
        if not await self._passwords.verify(password, known):
            self._refusals.note(signed_in.actor, "POST /auth/confirm", "invalid_credentials")
            raise Unauthenticated("The password is wrong.", code="invalid_credentials")
        self._throttle.succeeded(address, account)
        return await self._sessions.confirm(signed_in)

    async def change_password(self, signed_in: SignedIn, current: str | None, new: str) -> None:
        """Every other session ends. `current` may be None only where no password is set.

        Raises `Unauthenticated` for a wrong current one, `RequestInvalid` for a new one that is too weak, `Conflict`
        for people of an issuer.
        """
        user = signed_in.user
        check_password(new, user.email, user.name)
        async with self._store.read() as unit:
            known = await unit.passwords.get(user.id)
            at_issuers = await unit.identities.list_of(user.id)
        if at_issuers:
            raise Conflict("You sign in at your organisation's identity provider: change it there.", code="read_only")
        if known is not None:
            account, address = f"confirm/{user.id}", signed_in.actor.address
            await self._throttle.begin(address, account)
            if current is None or not await self._passwords.verify(current, known):
                self._refusals.note(signed_in.actor, "POST /me/password", "invalid_credentials")
                raise Unauthenticated("The current password is wrong.", code="invalid_credentials")
            self._throttle.succeeded(address, account)
        elif user.email is None:
            raise RequestInvalid("Set your e-mail address first: it is what one signs in with.", param="email")
        hash_ = await self._passwords.hash(new)
        async with self._store.write() as unit:
            if await unit.passwords.get(user.id) != known:
                raise Conflict("The password was changed at the same moment.", code="conflict")
            await unit.passwords.put(user.id, hash_, self._clock.now())
            await unit.sessions.delete_all(user.id, but=signed_in.session.id)
            await unit.one_time_tokens.delete_all(user.id)
            await unit.audit.append(
                AuditRecord(actor=signed_in.actor, action="set", object_kind="password", object_id=user.id)
            )

    async def _still(self, unit: UnitOfWork, user: User) -> User:
        """The user as they are now. Raises `Unauthenticated` where they may not sign in any more."""
        now = await unit.users.get(user.id)
        if now is None or now.status != "active":
            raise Unauthenticated(_WRONG, code="invalid_credentials")
        return now

    async def _taken(self, unit: UnitOfWork, token: str, purpose: TokenPurpose) -> User | None:
        if not is_secret(token):
            return None
        taken = await unit.one_time_tokens.take(self._hasher.digests(token), purpose)
        if taken is None or self._clock.now() >= taken.ends_at:
            return None
        return await unit.users.get(taken.user_id)

    def _refuse(self, origin: Origin, operation: str, user: User | None) -> None:
        nobody = Actor("anonymous", "", "", address=origin.address, request_id=origin.request_id)
        self._refusals.note(nobody, operation, "invalid_credentials", about=user.id if user is not None else "")


class OneTimeLinks:
    """Makes links that sign somebody in once. Of each only a keyed digest is kept."""

    def __init__(self, store: Store, hasher: KeyHasher, clock: Clock) -> None:
        self._store = store
        self._hasher = hasher
        self._clock = clock

    async def make(self, actor: Actor, user_id: str, purpose: TokenPurpose) -> tuple[Secret, OneTimeToken]:
        """Earlier links of the person stop working. Raises `NotFound`, and `Conflict` for somebody disabled."""
        async with self._store.write() as unit:
            user = await unit.users.get(user_id)
            if user is None:
                raise NotFound(f"There is no user '{user_id}'.")
            if user.status == "disabled":
                raise Conflict(f"User '{user_id}' is disabled.", code="disabled")
            made = await self.make_in(unit, user_id, purpose)
            await unit.audit.append(
                AuditRecord(actor=actor, action="create", object_kind=f"{purpose}", object_id=user_id)
            )
        return made

    async def make_in(self, unit: UnitOfWork, user_id: str, purpose: TokenPurpose) -> tuple[Secret, OneTimeToken]:
        """The same in a unit that is open already, whose caller audits it."""
        secret, now = new_secret(), self._clock.now()
        await unit.one_time_tokens.delete_all(user_id)
        token = OneTimeToken(self._hasher.digest(secret), purpose, user_id, now, now + LIVES[purpose])
        await unit.one_time_tokens.add(token)
        return Secret(secret), token
