"""From who signed in at an issuer to a user here: their account, and the memberships that their groups give."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from application.admin.config_write import Change, audited
from application.admission.authentication import Authenticator
from application.admission.issuer_tenants import tenants_given
from application.newcomers import Newcomers
from application.sign_in.sessions import IssuerSession, NewSession, Origin, Sessions
from domain.actors import Actor
from domain.configuration import Section
from domain.errors import PermissionDenied, Unauthenticated
from domain.issuers import Identity, Issuer, highest, name_of, overage, verified_email
from domain.ports.issuers import SignedInThere
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock
from domain.ports.security import SecretBox
from domain.secrets import Secret
from domain.tenants import Membership, Role
from domain.users import User, new_user_id

NOT_LET_IN = "This account may not sign in here. Ask an admin of the gateway."

Granted = Mapping[str, Role]
"""Roles by the tenant's id."""


class _MembershipChange(msgspec.Struct, frozen=True):
    before: Membership | None
    after: Membership | None


class IssuerAccounts:
    """Makes, links and follows accounts. Only memberships that an issuer manages are ever changed by one."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        newcomers: Newcomers,
        authenticator: Authenticator,
        box: SecretBox,
        clock: Clock,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._newcomers = newcomers
        self._authenticator = authenticator
        self._box = box
        self._clock = clock

    async def enter(self, issuer: Issuer, there: SignedInThere, origin: Origin) -> NewSession:
        """Opens a session. Raises `PermissionDenied` where the issuer left groups out, `Unauthenticated` for nobody."""
        if (refusal := overage(issuer, there.claims)) is not None:
            raise refusal
        actor = actor_of_issuer(issuer, origin)
        opened: NewSession | None = None
        async with self._store.write() as unit:
            granted = await _granted(unit, issuer, there)
            if issuer.only_members and not granted:
                changed = await self._left(unit, actor, issuer, there.subject)
            else:
                if not await self._is_settled(unit, issuer, there.subject, granted):
                    await unit.config_versions.bump(Section.PEOPLE)
                user = await self._user(unit, actor, issuer, there)
                changed = await self._follow(unit, actor, issuer, there.subject, user, granted)
                sealed = self.sealed(issuer.issuer, there.subject, there.refresh_token)
                session = IssuerSession(issuer.issuer, there.subject, sealed)
                opened = await self._sessions.open(unit, user, "oidc", origin, session)
        if changed:
            self._authenticator.forget_all()
        if opened is None:
            raise _no_member(issuer)
        return opened

    async def follow(self, issuer: Issuer, there: SignedInThere, origin: Origin) -> None:
        """What the issuer says now of somebody known, taken over. Raises as `enter`."""
        if (refusal := overage(issuer, there.claims)) is not None:
            raise refusal
        async with self._store.write() as unit:
            await unit.config_versions.bump(Section.PEOPLE)
            identity = await unit.identities.get(issuer.issuer, there.subject)
            user = await unit.users.get(identity.user_id) if identity is not None else None
            if user is None or user.status != "active":
                raise Unauthenticated(NOT_LET_IN, code="invalid_credentials")
            granted = await _granted(unit, issuer, there)
            changed = await self._follow(unit, actor_of_issuer(issuer, origin), issuer, there.subject, user, granted)
        if changed:
            self._authenticator.forget_all()
        if issuer.only_members and not granted:
            raise _no_member(issuer)

    def sealed(self, issuer: str, subject: str, refresh_token: Secret | None) -> str:
        """As a session keeps it; empty where there is none."""
        return "" if refresh_token is None else self._box.seal(refresh_token, _bound_to(issuer, subject))

    def opened(self, issuer: str, subject: str, sealed: str) -> Secret:
        """Raises `SecretUnreadable`."""
        return self._box.open(sealed, _bound_to(issuer, subject))

    async def _left(self, unit: UnitOfWork, actor: Actor, issuer: Issuer, subject: str) -> bool:
        """Takes what the issuer gave to somebody whom it now puts into no group. Whether that was anything."""
        identity = await unit.identities.get(issuer.issuer, subject)
        user = await unit.users.get(identity.user_id) if identity is not None else None
        if user is None:
            return False
        await unit.config_versions.bump(Section.PEOPLE)
        return await self._follow(unit, actor, issuer, subject, user, {})

    async def _is_settled(self, unit: UnitOfWork, issuer: Issuer, subject: str, granted: Granted) -> bool:
        """Whether this sign-in changes nothing of people, so that no other process need hear of it."""
        identity = await unit.identities.get(issuer.issuer, subject)
        user = await unit.users.get(identity.user_id) if identity is not None else None
        if user is None or user.status == "invited":
            return False
        return not await self._changes(unit, issuer, subject, user.id, granted)

    async def _user(self, unit: UnitOfWork, actor: Actor, issuer: Issuer, there: SignedInThere) -> User:
        """Whose account it is: known by issuer and subject, else linked by address where that is allowed, else new."""
        identity = await unit.identities.get(issuer.issuer, there.subject)
        if identity is not None:
            known = await unit.users.get(identity.user_id)
            if known is None:
                raise Unauthenticated(NOT_LET_IN, code="invalid_credentials")
            return await self._let_in(unit, actor, known)
        email = verified_email(there.claims)
        same_address = await unit.users.find(email) if email is not None else None
        if same_address is not None and await self._may_link(unit, issuer, same_address):
            return await self._let_in(unit, actor, same_address)
        now = self._clock.now()
        user = User(
            new_user_id(), email if same_address is None else None, name_of(there.claims) or issuer.name, now, now
        )
        async with audited(unit, actor, Change("create", "user", user.id)):
            return await self._newcomers.add(unit, user)

    async def _may_link(self, unit: UnitOfWork, issuer: Issuer, user: User) -> bool:
        """Not to somebody who has another account at the issuer: addresses are given to others in time."""
        if not issuer.link_verified_email:
            return False
        return all(one.issuer != issuer.issuer for one in await unit.identities.list_of(user.id))

    async def _let_in(self, unit: UnitOfWork, actor: Actor, user: User) -> User:
        if user.status == "disabled":
            raise Unauthenticated(NOT_LET_IN, code="invalid_credentials")
        if user.status == "active":
            return user
        now = self._clock.now()
        active = msgspec.structs.replace(user, status="active", version=user.version + 1, updated_at=now)
        async with audited(unit, actor, Change("update", "user", user.id)):
            await unit.users.update(active)
        await unit.one_time_tokens.delete_all(user.id)  # an invite that is still about would set a password beside
        return active

    async def _follow(
        self, unit: UnitOfWork, actor: Actor, issuer: Issuer, subject: str, user: User, granted: Granted
    ) -> bool:
        """Whether a membership changed."""
        changes = await self._changes(unit, issuer, subject, user.id, granted)
        for change in changes:
            await _apply(unit, actor, change)
        now = self._clock.now()
        known = await unit.identities.get(issuer.issuer, subject)
        created_at = known.created_at if known is not None else now
        await unit.identities.put(Identity(issuer.issuer, subject, user.id, created_at, now, granted))
        return bool(changes)

    async def _changes(
        self, unit: UnitOfWork, issuer: Issuer, subject: str, user_id: str, granted: Granted
    ) -> Sequence[_MembershipChange]:
        """A person may have accounts at several issuers: what another one gives stays, and the highest role holds."""
        wanted: dict[str, Role] = dict(granted)
        for other in await unit.identities.list_of(user_id):
            if (other.issuer, other.subject) != (issuer.issuer, subject):
                for tenant_id, role in other.granted.items():
                    wanted[tenant_id] = highest([role, wanted.get(tenant_id, role)])
        current = {one.tenant_id: one for one in await unit.memberships.list_of_user(user_id)}
        now, changes = self._clock.now(), list[_MembershipChange]()
        for tenant_id, role in wanted.items():
            before = current.get(tenant_id)
            if before is None and tenant_id in granted:
                changes.append(_MembershipChange(None, _given(tenant_id, user_id, role, now)))
            elif before is not None and before.managed_by == "idp" and before.role != role:
                after = msgspec.structs.replace(before, role=role, updated_at=now)
                changes.append(_MembershipChange(before, after))
        gone = (one for one in current.values() if one.managed_by == "idp" and one.tenant_id not in wanted)
        return [*changes, *(_MembershipChange(one, None) for one in gone)]


def actor_of_issuer(issuer: Issuer, origin: Origin) -> Actor:
    """Who gives and takes what groups give, as the audit names them."""
    return Actor(
        "system", f"issuer/{issuer.name}", issuer.shown_as, address=origin.address, request_id=origin.request_id
    )


def _no_member(issuer: Issuer) -> PermissionDenied:
    return PermissionDenied(
        f"{issuer.shown_as} puts you into none of the groups that may sign in here.", code="permission_denied"
    )


def _given(tenant_id: str, user_id: str, role: Role, now: datetime) -> Membership:
    return Membership(tenant_id, user_id, role, now, now, managed_by="idp")


async def _granted(unit: UnitOfWork, issuer: Issuer, there: SignedInThere) -> Granted:
    given = await tenants_given(unit.tenants, issuer, there.claims)
    return {one.tenant.id: one.role for one in given}


async def _apply(unit: UnitOfWork, actor: Actor, change: _MembershipChange) -> None:
    before, after = change.before, change.after
    one = after or before
    if one is None:
        return
    name = f"{one.tenant_id}/{one.user_id}"
    if before is None:
        async with audited(unit, actor, Change("create", "member", name)):
            await unit.memberships.add(one)
    elif after is None:
        async with audited(unit, actor, Change("delete", "member", name)):
            await unit.memberships.delete(one.tenant_id, one.user_id)
    else:
        async with audited(unit, actor, Change("update", "member", name)):
            await unit.memberships.update(after)


def _bound_to(issuer: str, subject: str) -> str:
    return f"refresh token of {subject} at {issuer}"
