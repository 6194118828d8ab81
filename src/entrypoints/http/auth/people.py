"""Who sits at the browser: from the session cookie to a person, and no request of a foreign page (S-29)."""

import logging
from collections.abc import Iterable, Mapping
from typing import Literal, cast

import msgspec
from dishka import AsyncContainer
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import Provide
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.types import HTTPScope

from application.sign_in.first_user import FirstUser
from application.sign_in.sessions import NOT_SIGNED_IN, Origin, Sessions, SignedIn
from domain.actors import Actor
from domain.errors import (
    GatewayError,
    NotFound,
    PermissionDenied,
    ServiceUnavailable,
    StoreUnavailable,
    Unauthenticated,
)
from domain.ports.runtime import Clock
from domain.users import User
from entrypoints.http.auth.cookies import SessionCookie
from entrypoints.http.exports import note_export
from entrypoints.http.owners import note_owners
from entrypoints.http.versions import expecting, note_version

log = logging.getLogger(__name__)

Connection = ASGIConnection[HTTPRouteHandler, object, object, State]

CSRF_HEADER = b"x-omg-csrf"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITE = frozenset({b"same-origin", b"none"})


class Person(msgspec.Struct, frozen=True):
    """Who asks. `signed_in` is None where nobody needs to sign in (`OMG_AUTH=open`)."""

    user: User
    actor: Actor
    signed_in: SignedIn | None

    @property
    def session(self) -> SignedIn:
        """Raises `Unauthenticated` where there is none."""
        if self.signed_in is None:
            raise Unauthenticated("There is no session here: with OMG_AUTH=open nobody signs in.")
        return self.signed_in


class PersonAuthenticator:
    """Finds the person of a request. `public_authority` is the host and port of the public URL, empty where unset."""

    def __init__(
        self,
        sessions: Sessions,
        first_user: FirstUser,
        cookie: SessionCookie,
        clock: Clock,
        *,
        public_authority: str,
        open_access: bool,
        on_network: bool = False,
    ) -> None:
        self._sessions = sessions
        self._first_user = first_user
        self._cookie = cookie
        self._clock = clock
        self._public_authority = public_authority.encode().lower()
        self._open_access = open_access
        self.open_on_network = open_access and on_network

    @property
    def mode(self) -> Literal["keys", "open"]:
        return "open" if self._open_access else "keys"

    async def person(self, scope: HTTPScope, origin: Origin) -> Person:
        """Raises `Unauthenticated`, and `PermissionDenied` for an unsafe request that our own page did not send."""
        unsafe = scope["method"] not in SAFE
        secret = self._cookie.find(scope["headers"])
        if secret is None and not self._open_access:
            raise Unauthenticated(NOT_SIGNED_IN)
        if unsafe or self._open_access:  # where nobody signs in, whoever asks at all is somebody
            self.refuse_foreign(scope["headers"])
        if secret is not None:
            try:
                return await self._of_session(scope, secret, origin, unsafe=unsafe)
            except Unauthenticated:
                if not self._open_access:
                    raise
        try:
            user, actor = await self._first_user.get(origin)
        except NotFound as error:
            raise Unauthenticated(error.message) from None
        return Person(user, actor, None)

    async def administrator(self, connection: Connection) -> Person:
        """The same for `/admin`, where a write needs a recent sign-in too (`confirmation_needed`)."""
        scope = cast(HTTPScope, connection.scope)
        person = await self.person(scope, origin_of(connection))
        signed_in = person.signed_in
        if signed_in is not None and scope["method"] not in SAFE and not signed_in.confirmed(self._clock.now()):
            raise Unauthenticated(
                "You signed in more than 12 hours ago. Confirm that it is still you by POST /auth/confirm, or sign in "
                "again.",
                code="confirmation_needed",
            )
        return person

    def carries_cookie(self, connection: Connection) -> bool:
        """Whether there is anybody to be asked about."""
        return self._open_access or self._cookie.find(connection.scope["headers"]) is not None

    def refuse_foreign(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Raises `PermissionDenied` for what a page of another site sent, as browsers tell by either of two headers."""
        found = _last_of(headers)
        site, origin = found.get(b"sec-fetch-site"), found.get(b"origin")
        own = {found.get(b"host", b"").lower(), self._public_authority}
        foreign = origin is not None and origin.partition(b"://")[2].lower() not in own - {b""}
        if foreign or (site is not None and site not in _OWN_SITE):
            raise csrf_failed("This came from a page of another site.")

    async def _of_session(self, scope: HTTPScope, secret: str, origin: Origin, *, unsafe: bool) -> Person:
        signed_in = await self._sessions.authenticate(secret, origin)
        if unsafe:
            token = _last_of(scope["headers"]).get(CSRF_HEADER, b"").decode("latin-1")
            if not self._sessions.fits(secret, token):
                raise csrf_failed("Send the csrf_token of your sign-in, or of GET /auth/session, as x-omg-csrf.")
        return Person(signed_in.user, signed_in.actor, signed_in)


def csrf_failed(why: str) -> PermissionDenied:
    return PermissionDenied(why, code="csrf_failed")


def origin_of(connection: Connection) -> Origin:
    """Where a request comes from, for sessions, throttles and the audit trail."""
    scope = cast(HTTPScope, connection.scope)
    return origin_in(scope, str(scope["state"].get("request_id", "")))


def origin_in(scope: HTTPScope, request_id: str) -> Origin:
    """The same for a route that the edge serves."""
    client = scope["client"]
    agent = _last_of(scope["headers"]).get(b"user-agent", b"").decode("latin-1")
    return Origin(client[0] if client else "", agent, request_id)


_PERSON = "person"


async def require_person(connection: Connection, _: BaseRouteHandler) -> None:
    """The guard of what belongs to a person. Runs before the body is read; `asking` hands on whom it let in."""
    container: AsyncContainer = connection.app.state.dishka_container
    authenticator = await container.get(PersonAuthenticator)
    try:
        person = await authenticator.person(cast(HTTPScope, connection.scope), origin_of(connection))
    except (GatewayError, StoreUnavailable):
        raise
    except Exception as error:  # whatever goes wrong, nobody gets in (S-06)
        log.exception("person not authenticated")
        raise ServiceUnavailable(
            "The gateway cannot tell who is signed in now.", code="store_unavailable", retry_after_seconds=1
        ) from error
    person = msgspec.structs.replace(person, actor=expecting(person.actor, connection.scope["headers"]))
    connection.scope["state"][_PERSON] = person
    connection.scope["state"]["actor"] = person.actor
    if b"format" in connection.scope["query_string"]:
        await note_export(connection, person.actor)
    await note_owners(connection.app.state.dishka_container)
    await note_version(connection)


async def require_own_page(connection: Connection, _: BaseRouteHandler) -> None:
    """The guard of the ways in: no token is needed, even beside an old cookie, but no foreign page signs anybody in."""
    container: AsyncContainer = connection.app.state.dishka_container
    authenticator = await container.get(PersonAuthenticator)
    authenticator.refuse_foreign(connection.scope["headers"])


def asking(request: Request[object, object, State]) -> Person:
    """The person that `require_person` let in."""
    person: Person = request.scope["state"][_PERSON]
    return person


ASKING = {"person": Provide(asking, sync_to_thread=False)}
"""The `dependencies` of a controller behind `require_person`."""


def _last_of(headers: Iterable[tuple[bytes, bytes]]) -> Mapping[bytes, bytes]:
    return dict(headers)
