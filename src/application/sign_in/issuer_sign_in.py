"""Signing in at an issuer: away with a secret that only this browser has, and back once (S-30).

What is needed on the way back (state, nonce, PKCE's verifier) is in a sealed cookie of ten minutes and nowhere else, so
that any process of the gateway can take the browser back.
"""

import hmac
import json
import logging
from collections import OrderedDict
from contextlib import suppress
from typing import Final
from urllib.parse import quote

import msgspec

from application.audit.refusals import RefusalLog
from application.sign_in.issuer_accounts import IssuerAccounts
from application.sign_in.sessions import NOT_SIGNED_IN, NewSession, Origin, Sessions, SignedIn
from application.sign_in.throttle import AttemptThrottle
from domain.actors import Actor
from domain.errors import GatewayError, NotFound, PermissionDenied, ServiceUnavailable, Unauthenticated
from domain.issuers import Issuer
from domain.ports.issuers import IdentityProvider, IdentityProviders, IssuerAway, IssuerRefused, SignInRequest
from domain.ports.runtime import Clock
from domain.ports.security import SecretBox, SecretUnreadable
from domain.secrets import Secret
from domain.sign_in import new_secret

log = logging.getLogger(__name__)

WAY_SECONDS: Final = 600
"""How long somebody may take at the issuer."""

MAX_REMEMBERED: Final = 10_000
HOME: Final = "/app"

_CALLBACK: Final = "GET /auth/oidc/{name}/callback"
_REFUSED: Final = (
    "This sign-in could not be completed. Start again, in one window, and without the browser's back button."
)


class IssuerAnswer(msgspec.Struct, frozen=True):
    """What the browser brings back in the address."""

    state: str = ""
    code: str = ""
    error: str = ""
    iss: str | None = None

    def granted_code(self) -> str:
        """Raises `IssuerRefused` where the issuer said no."""
        if self.error or not self.code:
            raise IssuerRefused(f"the issuer answered {json.dumps(self.error[:80])}")
        return self.code


class Departure(msgspec.Struct, frozen=True):
    """Where the browser goes, and what its cookie holds meanwhile."""

    address: str
    cookie: Secret
    seconds: int = WAY_SECONDS


class Arrival(msgspec.Struct, frozen=True):
    """A session, and the address of the page that was wanted."""

    session: NewSession
    page: str


class _Way(msgspec.Struct, frozen=True):
    """What the cookie holds."""

    name: str
    state: str
    nonce: str
    verifier: str
    page: str
    ends_at: float


class IssuerSignIn:
    """`address` is the gateway's as browsers reach it: what an issuer sends them back to is fixed by it."""

    def __init__(
        self,
        providers: IdentityProviders,
        accounts: IssuerAccounts,
        sessions: Sessions,
        box: SecretBox,
        throttle: AttemptThrottle,
        refusals: RefusalLog,
        clock: Clock,
        address: str,
    ) -> None:
        self._providers = providers
        self._accounts = accounts
        self._sessions = sessions
        self._box = box
        self._throttle = throttle
        self._refusals = refusals
        self._clock = clock
        self._address = address.rstrip("/")
        self._used: OrderedDict[str, float] = OrderedDict()
        self._refreshing: set[str] = set()

    def issuers(self) -> tuple[Issuer, ...]:
        """Those that one can sign in at."""
        return tuple(provider.issuer for provider in self._providers.values())

    async def start(self, name: str, page: str) -> Departure:
        """Raises `NotFound`, and `ServiceUnavailable` where the issuer cannot be asked."""
        provider = self._provider(name)
        ends_at = self._clock.now().timestamp() + WAY_SECONDS
        way = _Way(name, new_secret(), new_secret(), new_secret(), own_page(page), ends_at)
        try:
            address = await provider.address(self._request(way))
        except IssuerAway as error:
            raise _away(provider.issuer, error) from None
        text = msgspec.json.encode(way).decode()
        return Departure(address, Secret(self._box.seal(Secret(text), _bound_to(name))))

    async def finish(self, name: str, cookie: str | None, answer: IssuerAnswer, origin: Origin) -> Arrival:
        """Raises `NotFound`, `Unauthenticated` for whatever is not right, `PermissionDenied`, `ServiceUnavailable`."""
        provider = self._provider(name)
        await self._throttle.begin(origin.address)
        try:
            way = self._way(name, cookie, answer.state)
            await provider.check_answer(answer.iss)
            there = await provider.redeem(answer.granted_code(), self._request(way))
            session = await self._accounts.enter(provider.issuer, there, origin)
        except IssuerRefused as error:
            log.warning("a sign-in at an issuer was refused", extra={"issuer": name, "reason": str(error)})
            self._note(origin, "invalid_credentials")
            raise Unauthenticated(_REFUSED, code="invalid_credentials") from None
        except IssuerAway as error:
            raise _away(provider.issuer, error) from None
        except GatewayError as error:
            log.warning("a sign-in at an issuer was refused", extra={"issuer": name, "reason": error.code})
            self._note(origin, error.code)
            raise
        self._throttle.succeeded(origin.address)
        return Arrival(session, f"{self._address}{way.page}")

    async def refresh(self, signed_in: SignedIn, origin: Origin) -> NewSession:
        """The session under a new secret, as its issuer sees the person now: who is no more known there is signed out.

        While the issuer is away nothing is taken from anybody. Raises `Unauthenticated`, and `PermissionDenied` where
        the issuer says of them what lets nobody in: then they are signed out too.
        """
        session = signed_in.session
        if not session.issuer:
            return await self._sessions.refresh(signed_in, origin)
        provider = self._of_issuer(session.issuer)
        if provider is None:
            await self._sign_out(signed_in)
            raise Unauthenticated(NOT_SIGNED_IN)
        if not session.refresh_token:
            return await self._sessions.refresh(signed_in, origin)
        if session.id in self._refreshing:  # asking twice with one token looks like a theft to an issuer that rotates
            raise Unauthenticated(NOT_SIGNED_IN)
        self._refreshing.add(session.id)
        try:
            return await self._renewed(provider, signed_in, origin)
        finally:
            self._refreshing.discard(session.id)

    async def _renewed(self, provider: IdentityProvider, signed_in: SignedIn, origin: Origin) -> NewSession:
        session = signed_in.session
        try:
            token = self._accounts.opened(session.issuer, session.subject, session.refresh_token)
            there = await provider.renew(token, session.subject)
        except IssuerAway as error:
            log.warning("an issuer is away", extra={"issuer": provider.issuer.name, "reason": str(error)})
            return await self._sessions.refresh(signed_in, origin)
        except (IssuerRefused, SecretUnreadable) as error:
            log.info("an issuer knows a person no more", extra={"issuer": provider.issuer.name, "reason": str(error)})
            await self._sign_out(signed_in)
            raise Unauthenticated(NOT_SIGNED_IN) from None
        sealed = self._accounts.sealed(session.issuer, session.subject, there.refresh_token)
        try:
            await self._accounts.follow(provider.issuer, there, origin)
        except (PermissionDenied, Unauthenticated) as error:
            log.info("an issuer lets a person in no more", extra={"issuer": provider.issuer.name, "reason": error.code})
            await self._sign_out(signed_in)
            raise
        return await self._sessions.refresh(signed_in, origin, refresh_token=sealed)

    async def _sign_out(self, signed_in: SignedIn) -> None:
        with suppress(NotFound):  # it has ended already
            await self._sessions.end(signed_in)

    def _provider(self, name: str) -> IdentityProvider:
        provider = self._providers.get(name)
        if provider is None:
            raise NotFound(f"There is no issuer '{name}' to sign in at. GET /auth/providers lists them.")
        return provider

    def _of_issuer(self, issuer: str) -> IdentityProvider | None:
        return next((one for one in self._providers.values() if one.issuer.issuer == issuer), None)

    def _request(self, way: _Way) -> SignInRequest:
        back = f"{self._address}/auth/oidc/{quote(way.name)}/callback"
        return SignInRequest(way.state, way.nonce, way.verifier, back)

    def _way(self, name: str, cookie: str | None, state: str) -> _Way:
        """What this browser left with, once. Raises `IssuerRefused`."""
        if not cookie:
            raise IssuerRefused("it began in another browser, or long ago")
        try:
            way = msgspec.json.decode(self._box.open(cookie, _bound_to(name)).reveal(), type=_Way)
        except (SecretUnreadable, msgspec.DecodeError) as error:
            raise IssuerRefused("its cookie is not ours, or of another issuer") from error
        now = self._clock.now().timestamp()
        same = hmac.compare_digest(way.state.encode(), state.encode("utf-8", "surrogatepass"))
        if not same or way.name != name or now >= way.ends_at:
            raise IssuerRefused("it is not the sign-in that this browser began last, or is too old")
        while self._used and (len(self._used) >= MAX_REMEMBERED or next(iter(self._used.values())) <= now):
            self._used.popitem(last=False)
        if way.state in self._used:
            raise IssuerRefused("it was completed, or tried, before")
        self._used[way.state] = way.ends_at
        return way

    def _note(self, origin: Origin, code: str) -> None:
        nobody = Actor("anonymous", "", "", address=origin.address, request_id=origin.request_id)
        self._refusals.note(nobody, _CALLBACK, code)


def own_page(page: str) -> str:
    """The page to go to afterwards: one of ours, else the first one. No address of another site ever gets through."""
    plain = page.isascii() and page.isprintable() and not any(letter in page for letter in " \\<>\"'")
    inside = page == HOME or page.startswith((f"{HOME}/", f"{HOME}?", f"{HOME}#"))
    upwards = ".." in page or "%2e" in page.lower()
    return page if plain and inside and not upwards and len(page) <= 512 else HOME


def _away(issuer: Issuer, error: IssuerAway) -> ServiceUnavailable:
    log.warning("an issuer is away", extra={"issuer": issuer.name, "reason": str(error)})
    return ServiceUnavailable(
        f"{issuer.shown_as} cannot be reached now; try again soon.", code="store_unavailable", retry_after_seconds=5
    )


def _bound_to(name: str) -> str:
    return f"a sign-in at {name}"
