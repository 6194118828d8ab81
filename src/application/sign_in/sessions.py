"""Sessions at the server: a browser holds a random secret, and everything else is here and can be taken away."""

import hmac
from datetime import datetime, timedelta

import msgspec

from domain.actors import Actor
from domain.audit import AuditRecord
from domain.errors import NotFound, Unauthenticated
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.runtime import Clock, IdFactory
from domain.ports.security import KeyHasher
from domain.secrets import Secret
from domain.sign_in import CONFIRMED_FOR, Session, SignInMethod, is_secret, new_secret
from domain.users import User

TOUCH_SECONDS = 60.0
"""How exactly it is known when a session was last used."""

MAX_USER_AGENT = 300

NOT_SIGNED_IN = "You are not signed in, or no longer."


class SessionLife(msgspec.Struct, frozen=True):
    """How long a session lives unused, and at most."""

    idle: timedelta = timedelta(days=14)
    absolute: timedelta = timedelta(days=90)


class Origin(msgspec.Struct, frozen=True):
    """Where a request comes from."""

    address: str = ""
    user_agent: str = ""
    request_id: str = ""


class SignedIn(msgspec.Struct, frozen=True):
    """A person with the session that says so. `csrf_token` belongs to the session and to nothing else."""

    user: User
    session: Session
    actor: Actor
    csrf_token: str

    def confirmed(self, now: datetime) -> bool:
        """Whether the last sign-in or confirmation is recent enough for a write of the administration."""
        return now - self.session.confirmed_at < CONFIRMED_FOR


class IssuerSession(msgspec.Struct, frozen=True):
    """Who somebody is at the issuer that they signed in at, and its refresh token, sealed; empty where it gave none."""

    issuer: str
    subject: str
    refresh_token: str = ""


class NewSession(msgspec.Struct, frozen=True):
    """A session just made, and, this once, the secret for the browser's cookie."""

    secret: Secret
    signed_in: SignedIn


class Sessions:
    """Makes, finds and ends sessions. Nothing is cached: what is ended or changed holds for the next request (P-24)."""

    def __init__(self, store: Store, hasher: KeyHasher, clock: Clock, ids: IdFactory, life: SessionLife) -> None:
        self._store = store
        self._hasher = hasher
        self._clock = clock
        self._ids = ids
        self._life = life

    async def authenticate(self, secret: str, origin: Origin) -> SignedIn:
        """Raises `Unauthenticated` for what is no session of ours, has ended, or is of somebody who may not sign in."""
        if not is_secret(secret):
            raise Unauthenticated(NOT_SIGNED_IN)
        now = self._clock.now()
        async with self._store.read() as unit:
            session = await unit.sessions.find(self._hasher.digests(secret))
            if session is None or now >= session.ends_at or now - session.last_seen_at >= self._life.idle:
                raise Unauthenticated(NOT_SIGNED_IN)
            user = await unit.users.get(session.user_id)
            if user is None or user.status != "active":
                raise Unauthenticated(NOT_SIGNED_IN)
            actor = await actor_of(unit, user, origin)
        if (now - session.last_seen_at).total_seconds() >= TOUCH_SECONDS:
            async with self._store.write() as unit:
                await unit.sessions.touch(session.id, now)
                await unit.users.seen(user.id, now)
        return SignedIn(user, session, actor, self.csrf_token(secret))

    def csrf_token(self, secret: str) -> str:
        return self._hasher.digest(_csrf_text(secret)).hex()

    def fits(self, secret: str, csrf_token: str) -> bool:
        """Whether the token is that of the session with this secret."""
        given = csrf_token.encode()
        digests = self._hasher.digests(_csrf_text(secret))
        return any(hmac.compare_digest(digest.hex().encode(), given) for digest in digests)

    async def open(
        self, unit: UnitOfWork, user: User, method: SignInMethod, origin: Origin, there: IssuerSession | None = None
    ) -> NewSession:
        """A new session, with its audit entry; the last thing that the unit does. No old id ever lives on (F2)."""
        now, there = self._clock.now(), there or IssuerSession("", "")
        session = Session(
            id=self._ids.new("ses"),
            user_id=user.id,
            digest=b"",
            method=method,
            created_at=now,
            last_seen_at=now,
            confirmed_at=now,
            ends_at=now + self._life.absolute,
            address=origin.address,
            user_agent=origin.user_agent[:MAX_USER_AGENT],
            issuer=there.issuer,
            subject=there.subject,
            refresh_token=there.refresh_token,
        )
        return await self._open(unit, user, session, origin, "sign_in")

    async def refresh(self, old: SignedIn, origin: Origin, refresh_token: str | None = None) -> NewSession:
        """The same session under a new id and a new secret; the old ones end at once. Raises `Unauthenticated`.

        `refresh_token` is an issuer's new one, sealed; None: as it was.
        """
        now = self._clock.now()
        kept = old.session.refresh_token if refresh_token is None else refresh_token
        session = msgspec.structs.replace(old.session, id=self._ids.new("ses"), last_seen_at=now, refresh_token=kept)
        async with self._store.write() as unit:
            if not await unit.sessions.delete(old.user.id, old.session.id):
                raise Unauthenticated(NOT_SIGNED_IN)  # another refresh was first
            return await self._open(unit, old.user, session, origin, "refresh")

    async def confirm(self, signed_in: SignedIn) -> SignedIn:
        """It is still the same person who sits there."""
        now = self._clock.now()
        async with self._store.write() as unit:
            await unit.sessions.touch(signed_in.session.id, now, confirmed_at=now)
            await unit.audit.append(_entry(signed_in.actor, "confirm", signed_in.session.id))
        session = msgspec.structs.replace(signed_in.session, last_seen_at=now, confirmed_at=now)
        return msgspec.structs.replace(signed_in, session=session)

    async def end(self, signed_in: SignedIn, session_id: str | None = None) -> None:
        """The own session, or another one of the same person. Raises `NotFound`."""
        wanted = session_id or signed_in.session.id
        async with self._store.write() as unit:
            if not await unit.sessions.delete(signed_in.user.id, wanted):
                raise NotFound(f"You have no session '{wanted}'.")
            await unit.audit.append(_entry(signed_in.actor, "sign_out", wanted))

    async def list_of(self, user_id: str) -> list[Session]:
        """Newest first, without those that have ended."""
        now = self._clock.now()
        async with self._store.read() as unit:
            found = await unit.sessions.list_of(user_id)
        return [one for one in found if now < one.ends_at and now - one.last_seen_at < self._life.idle]

    async def forget_ended(self) -> None:
        """Delete what has ended: for a job that runs now and then."""
        now = self._clock.now()
        async with self._store.write() as unit:
            await unit.sessions.delete_ended(now - self._life.idle, now)

    async def _open(self, unit: UnitOfWork, user: User, session: Session, origin: Origin, action: str) -> NewSession:
        secret = new_secret()
        session = msgspec.structs.replace(session, digest=self._hasher.digest(secret))
        actor = await actor_of(unit, user, origin)
        await unit.sessions.add(session)
        await unit.users.seen(user.id, session.last_seen_at)
        await unit.audit.append(_entry(actor, action, session.id))
        return NewSession(Secret(secret), SignedIn(user, session, actor, self.csrf_token(secret)))


async def actor_of(unit: UnitOfWork, user: User, origin: Origin) -> Actor:
    """The person as they act: with the roles that they have at this moment."""
    roles = {one.tenant_id: one.role for one in await unit.memberships.list_of_user(user.id)}
    return Actor(
        "user",
        user.id,
        user.name or user.email or user.id,
        platform_role=user.platform_role,
        roles=roles,
        user_id=user.id,
        address=origin.address,
        request_id=origin.request_id,
    )


def _entry(actor: Actor, action: str, session_id: str) -> AuditRecord:
    return AuditRecord(actor=actor, action=action, object_kind="session", object_id=session_id)


def _csrf_text(secret: str) -> str:
    return f"csrf/{secret}"
