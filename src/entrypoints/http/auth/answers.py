"""What sign-in answers: who is signed in, with the cookie of a new session."""

from datetime import datetime
from typing import Literal

import msgspec
from litestar import Response

from application.sign_in.sessions import NewSession
from domain.authority import EVERYWHERE
from domain.ports.repositories import Store
from domain.ports.runtime import Clock
from domain.sign_in import Preferences
from domain.users import User
from entrypoints.http.auth.cookies import SessionCookie
from entrypoints.http.auth.people import Person, PersonAuthenticator


class PersonResponse(msgspec.Struct, frozen=True):
    """Who is signed in. An empty preference means: as the browser has it."""

    id: str
    email: str | None
    name: str
    platform_role: Literal["admin", "auditor", "none"]
    personal_tenant_id: str | None
    timezone: str
    locale: str
    theme: Literal["", "light", "dark"]


class SignInResponse(msgspec.Struct, frozen=True):
    """`csrf_token` goes with every unsafe request as `x-omg-csrf`; keep it in memory alone."""

    user: PersonResponse
    csrf_token: str
    expires_at: datetime | None


class TenantOfPerson(msgspec.Struct, frozen=True):
    """A tenant and what one is there."""

    id: str
    name: str
    kind: Literal["shared", "personal"]
    role: Literal["owner", "admin", "member", "viewer"]


class SessionResponse(SignInResponse, frozen=True, kw_only=True):
    """The same, with the tenants one belongs to. With `auth` of `open` nobody signs in, and there is no
    token; with `open_on_network` that holds for whoever reaches the gateway, and not for its machine alone.
    """

    tenants: tuple[TenantOfPerson, ...]
    auth: Literal["keys", "open"]
    open_on_network: bool = False


class SignInProvider(msgspec.Struct, frozen=True):
    """Another way in, at an issuer."""

    name: str
    title: str
    start_url: str


class SignInAnswers:
    """What sign-in answers, with what it needs from the store."""

    def __init__(self, store: Store, cookie: SessionCookie, people: PersonAuthenticator, clock: Clock) -> None:
        self._store = store
        self._cookie = cookie
        self._people = people
        self._clock = clock

    async def opened(self, new: NewSession) -> Response[SignInResponse]:
        """With the cookie."""
        found = new.signed_in
        seconds = int((found.session.ends_at - self._clock.now()).total_seconds())
        answer = await self.signed_in(found.user, found.csrf_token, found.session.ends_at)
        return Response(answer, headers={"set-cookie": self._cookie.setting(new.secret.reveal(), seconds)})

    async def signed_in(self, user: User, csrf_token: str, ends_at: datetime | None) -> SignInResponse:
        async with self._store.read() as unit:
            return SignInResponse(person_response(user, await unit.preferences.get(user.id)), csrf_token, ends_at)

    async def session(self, person: Person) -> SessionResponse:
        found, user = person.signed_in, person.user
        tenants: list[TenantOfPerson] = []
        async with self._store.read() as unit:
            preferences = await unit.preferences.get(user.id)
            for tenant_id, role in sorted(person.actor.roles.items()):
                tenant = await unit.tenants.get(tenant_id, EVERYWHERE)
                if tenant is not None:
                    tenants.append(TenantOfPerson(tenant.id, tenant.name, tenant.kind, role))
        return SessionResponse(
            user=person_response(user, preferences),
            csrf_token=found.csrf_token if found is not None else "",
            expires_at=found.session.ends_at if found is not None else None,
            tenants=tuple(tenants),
            auth=self._people.mode,
            open_on_network=self._people.open_on_network,
        )


def person_response(user: User, preferences: Preferences) -> PersonResponse:
    return PersonResponse(
        user.id,
        user.email,
        user.name,
        user.platform_role,
        user.personal_tenant_id,
        preferences.timezone,
        preferences.locale,
        preferences.theme,
    )
