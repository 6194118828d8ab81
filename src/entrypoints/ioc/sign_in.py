"""How people sign in."""

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import urlsplit

from dishka import Provider, Scope, provide

from adapters.identity.configured import ConfiguredIssuers, IssuersNotInstalled, open_issuers
from adapters.limits.opening import attempt_counter
from application.audit.refusals import RefusalLog
from application.own_account.keys import OwnKeys
from application.own_account.limits import OwnLimits
from application.own_account.profile import OwnAccount
from application.own_account.usage import OwnUsage
from application.sign_in.accounts import Accounts
from application.sign_in.first_user import FirstUser
from application.sign_in.issuer_accounts import IssuerAccounts
from application.sign_in.issuer_sign_in import IssuerSignIn
from application.sign_in.sessions import SessionLife, Sessions
from application.sign_in.sign_in import OneTimeLinks, SignIn
from application.sign_in.throttle import AttemptThrottle
from domain.ports.limits import LimitStore
from domain.ports.runtime import Clock
from domain.ports.security import KeyHasher, SecretBox, SecretReferences
from domain.ports.sign_in import PasswordHasher
from entrypoints.http.auth.answers import SignInAnswers
from entrypoints.http.auth.cookies import SessionCookie, SignInCookie
from entrypoints.http.auth.links import PublicAddress
from entrypoints.http.auth.people import PersonAuthenticator
from entrypoints.ioc.outbound import calls_out
from entrypoints.ioc.security import instance_id
from entrypoints.settings.model import Settings, SettingsError


class SignInModule(Provider):
    scope = Scope.APP

    answers = provide(SignInAnswers)
    first_user = provide(FirstUser)
    accounts = provide(Accounts)
    account = provide(OwnAccount)
    own_keys = provide(OwnKeys)
    own_limits = provide(OwnLimits)
    own_usage = provide(OwnUsage)
    links = provide(OneTimeLinks)
    sessions = provide(Sessions)
    sign_in = provide(SignIn)
    issuer_accounts = provide(IssuerAccounts)

    @provide
    def life(self, settings: Settings) -> SessionLife:
        return SessionLife(timedelta(days=settings.session_idle), timedelta(days=settings.session_absolute))

    @provide
    def throttle(self, clock: Clock, limits: LimitStore, settings: Settings) -> AttemptThrottle:
        return AttemptThrottle(clock, settings.workers, attempt_counter(limits))

    @provide
    def passwords(self) -> PasswordHasher:
        from adapters.security.argon2_passwords import Argon2Passwords  # with the first password, not before

        return Argon2Passwords()

    @provide
    def cookie(self, hasher: KeyHasher, settings: Settings) -> SessionCookie:
        return SessionCookie(instance_id(hasher), https=settings.public_url.startswith("https://"))

    @provide
    def sign_in_cookie(self, hasher: KeyHasher, settings: Settings) -> SignInCookie:
        return SignInCookie(instance_id(hasher), https=settings.public_url.startswith("https://"))

    @provide
    async def issuers(
        self, settings: Settings, references: SecretReferences, clock: Clock
    ) -> AsyncIterator[ConfiguredIssuers]:
        """Raises `SettingsError`."""
        try:
            issuers = open_issuers(
                settings.issuers,
                calls_out(settings),
                references,
                clock,
                allow_private_network=settings.allow_private_network,
            )
        except IssuersNotInstalled as error:
            raise SettingsError(f"{error} ({settings.file_name})") from None
        yield issuers
        await issuers.aclose()

    @provide
    def issuer_sign_in(
        self,
        issuers: ConfiguredIssuers,
        accounts: IssuerAccounts,
        sessions: Sessions,
        box: SecretBox,
        throttle: AttemptThrottle,
        refusals: RefusalLog,
        clock: Clock,
        settings: Settings,
    ) -> IssuerSignIn:
        return IssuerSignIn(issuers.providers, accounts, sessions, box, throttle, refusals, clock, settings.address())

    @provide
    def address(self, settings: Settings) -> PublicAddress:
        return PublicAddress(settings.address())

    @provide
    def people(
        self, sessions: Sessions, first_user: FirstUser, cookie: SessionCookie, clock: Clock, settings: Settings
    ) -> PersonAuthenticator:
        return PersonAuthenticator(
            sessions,
            first_user,
            cookie,
            clock,
            public_authority=urlsplit(settings.public_url).netloc,
            open_access=settings.auth == "open",
            on_network=not settings.on_loopback,
        )
