"""The whole HTTP application over fakes, with an admin's and a client's way in."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from copy import copy
from functools import cache
from typing import Any, cast

import httpx
from dishka import AsyncContainer, Provider, Scope, make_async_container
from litestar import Litestar
from litestar.datastructures import State

from adapters.documents.typst_setter import TypstSetter
from application.admin.admin_tokens import AdminTokenAdmin
from application.admin.alerts import AlertAdmin
from application.admin.default_models import DefaultModelsAdmin
from application.admin.default_rules import DefaultRulesAdmin
from application.admin.health import HealthReport
from application.admin.limits_explained import LimitExplainer
from application.admin.members import MemberAdmin
from application.admin.model_groups import ModelGroupAdmin
from application.admin.object_versions import ObjectVersions
from application.admin.prices import PriceAdmin
from application.admin.provider_check import ProviderCheck
from application.admin.provider_keys import ProviderKeyAdmin
from application.admin.providers import ProviderAdmin
from application.admin.routes import RouteAdmin
from application.admin.routing_settings import RoutingSettingsAdmin
from application.admin.store_watch import StoreWatch
from application.admin.subject_rules import RuleAdmin
from application.admin.tenants import TenantAdmin
from application.admin.users import UserAdmin
from application.admin.virtual_keys import VirtualKeyAdmin
from application.admission.authentication import ADMIN_TOKEN_DIGEST, AdminAuthenticator, Authenticator
from application.alerts.dispatch import ChannelCheck
from application.audit.exports import ExportTrail
from application.audit.report import AuditReport
from application.catalog import ModelDirectory
from application.chat.conversations import Conversations
from application.chat.people import Callers
from application.chat.pictures import Pictures
from application.chat.templates import Templates
from application.chat.turns import Turns
from application.decisions.backtest import Backtests
from application.decisions.explaining import RouteExplainer
from application.decisions.reading import Decisions
from application.desired_state.sent import SentDocuments
from application.idempotency import IdempotentRequests
from application.inference.background import BackgroundResponses
from application.inference.response_owners import ResponseOwners
from application.own_account.keys import OwnKeys
from application.own_account.limits import OwnLimits
from application.own_account.profile import OwnAccount
from application.own_account.usage import OwnUsage
from application.sign_in.accounts import Accounts
from application.sign_in.first_user import FirstUser
from application.sign_in.issuer_sign_in import IssuerSignIn
from application.sign_in.sessions import Sessions
from application.sign_in.sign_in import OneTimeLinks, SignIn
from application.snapshot import GatewayState
from application.usage.explanation import CostExplanation
from application.usage.report import UsageReport
from application.usage.request_log import RequestReport
from domain.keys import ADMIN_TOKEN_PREFIX, ProviderKey, generate_key
from domain.ports.conversations import ChatStore
from domain.ports.documents import DocumentSetter
from domain.ports.ledger import Ledger
from domain.ports.policies import AvailabilityPolicy
from domain.ports.providers import ProviderRegistry
from domain.ports.runtime import Clock
from domain.providers import Provider as Upstream
from domain.secrets import Secret
from domain.timeouts import Timeouts
from entrypoints.http.app import route_table, serving
from entrypoints.http.auth.answers import SignInAnswers
from entrypoints.http.auth.cookies import SessionCookie, SignInCookie
from entrypoints.http.auth.links import PublicAddress
from entrypoints.http.auth.people import PersonAuthenticator
from entrypoints.http.edge.config import EdgeConfig
from entrypoints.http.edge.drain import DrainState
from entrypoints.http.edge.gateway import GatewayApp
from entrypoints.http.metrics import MetricsAccess
from entrypoints.http.services import HttpServices
from entrypoints.settings.model import Settings
from entrypoints.web.pages import WebPages
from tests.fakes.administration import FakeAdministration
from tests.fakes.chats import MemoryChats
from tests.fakes.decisions import MemoryDecisions
from tests.fakes.names import a_naming
from tests.fakes.pipeline import FakePipeline
from tests.fakes.providers import FakeLister

ADMIN_TOKEN = generate_key(ADMIN_TOKEN_PREFIX).reveal()


SETTINGS = Settings(
    database_url=Secret("postgresql+asyncpg://omg:correct-horse@db.example/omg"),
    log_level="debug",
    allowed_hosts=("localhost",),
    timeouts=Timeouts(connect=3.0),
    sources={"database_url": ".env", "log_level": "environment", "timeout_connect": "omg.yaml"},
)
"""As if they had been read at the start: one of them a secret."""


@cache
def _route_table() -> Litestar:
    """Made once for all tests of a process: each would take most of a second for the very same one."""
    return route_table(WebPages(), "")


class AdminApp:
    """`fakes` is what stands behind; `app` is the ASGI application."""

    def __init__(self, fakes: FakeAdministration, *, https: bool = False, open_access: bool = False) -> None:
        self.fakes = fakes
        self.cookie = SessionCookie("0123abcd", https=https)
        self.sign_in_cookie = SignInCookie("0123abcd", https=https)
        self.people = PersonAuthenticator(
            fakes.sessions,
            fakes.first_user,
            self.cookie,
            fakes.clock,
            public_authority="gateway.example",
            open_access=open_access,
        )
        self.drain = DrainState()
        self.chats = MemoryChats()
        admin = AdminAuthenticator(fakes.store, fakes.hasher, fakes.clock, None)
        self.services = HttpServices(
            authenticator=fakes.authenticator,
            pipeline=FakePipeline(),
            directory=fakes.directory,
            state=fakes.state,
            usage=UsageReport(fakes.usage, a_naming(fakes.store, fakes.state), fakes.clock),
            refusals=fakes.refusals,
            idempotent=IdempotentRequests(fakes.idempotency),
            availability=fakes.availability,
            response_owners=ResponseOwners(fakes.hasher),
            background=cast(BackgroundResponses, None),  # nothing is kept here
            clock=fakes.clock,
            ids=fakes.ids,
            edge=EdgeConfig(allowed_hosts=("localhost",)),
            drain=self.drain,
            container=_container(self, admin),
        )
        routed = copy(_route_table())
        routed.state = State()
        self.app: GatewayApp = serving(self.services, routed)

    @classmethod
    async def make(
        cls,
        declared: Iterable[Upstream] = (),
        declared_keys: Iterable[ProviderKey] = (),
        *,
        https: bool = False,
        open_access: bool = False,
    ) -> "AdminApp":
        listers = {name: FakeLister(["m"]) for name in ("alpha", "groq")}
        fakes = FakeAdministration(declared=tuple(declared), declared_keys=tuple(declared_keys), listers=listers)
        await fakes.started()
        async with fakes.store.write() as unit:
            await unit.facts.put(ADMIN_TOKEN_DIGEST, fakes.hasher.digest(ADMIN_TOKEN).hex())
        return cls(fakes, https=https, open_access=open_access)

    @asynccontextmanager
    async def client(self, token: str | None = ADMIN_TOKEN) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(cast(httpx.ASGITransport, self.app), raise_app_exceptions=True)  # type: ignore[arg-type]  # both speak ASGI
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
            yield client


def _container(app: AdminApp, admin: AdminAuthenticator) -> AsyncContainer:
    fakes = app.fakes
    naming = a_naming(fakes.store, fakes.state)
    usage, requests = UsageReport(fakes.usage, naming, fakes.clock), RequestReport(fakes.usage, naming)
    explanation, decisions = CostExplanation(fakes.usage, fakes.store, fakes.clock), _decisions(fakes)
    instances = {
        MetricsAccess: MetricsAccess("off"),
        PersonAuthenticator: app.people,
        SignInAnswers: SignInAnswers(fakes.store, app.cookie, app.people, fakes.clock),
        PublicAddress: PublicAddress("http://localhost"),
        Accounts: Accounts(fakes.users, fakes.links, fakes.passwords, fakes.clock),
        OwnUsage: OwnUsage(usage, requests, explanation, decisions),
        OwnKeys: OwnKeys(fakes.virtual_keys),
        OwnLimits: OwnLimits(fakes.store, fakes.explainer),
        OwnAccount: OwnAccount(fakes.store, fakes.state, fakes.clock),
        ProviderAdmin: fakes.providers,
        ProviderKeyAdmin: fakes.keys,
        VirtualKeyAdmin: fakes.virtual_keys,
        AdminTokenAdmin: fakes.admin_tokens,
        TenantAdmin: fakes.tenants,
        UserAdmin: fakes.users,
        MemberAdmin: fakes.members,
        ModelGroupAdmin: fakes.model_groups,
        DefaultModelsAdmin: fakes.default_models,
        AlertAdmin: fakes.alerts,
        ChannelCheck: fakes.channel_check,
        LimitExplainer: fakes.explainer,
        DefaultRulesAdmin: fakes.default_rules,
        RoutingSettingsAdmin: fakes.routing_settings,
        SentDocuments: SentDocuments(fakes.administration),
        ProviderCheck: fakes.tests,
        PriceAdmin: fakes.prices,
        RuleAdmin: fakes.rules,
        HealthReport: fakes.health,
        UsageReport: usage,
        AuditReport: AuditReport(fakes.store),
        ExportTrail: ExportTrail(fakes.store),
        CostExplanation: explanation,
        ObjectVersions: ObjectVersions(fakes.store),
        RequestReport: requests,
        StoreWatch: fakes.watch,
        Ledger: fakes.ledger,
        ProviderRegistry: fakes.registry,
        AvailabilityPolicy: fakes.availability,
        Clock: fakes.clock,
        GatewayState: fakes.state,
        Settings: SETTINGS,
        ModelDirectory: fakes.directory,
        Authenticator: fakes.authenticator,
        AdminAuthenticator: admin,
        DrainState: app.drain,
        **_sign_in(app),
        **_chat(fakes, app.chats),
        **_routing(fakes, decisions),
    }
    module = Provider(scope=Scope.APP)
    for kind in instances:
        module.from_context(provides=kind, scope=Scope.APP)
    return make_async_container(module, context=instances)


def _sign_in(app: AdminApp) -> dict[Any, object]:
    """The ways in."""
    fakes = app.fakes
    return {
        SessionCookie: app.cookie,
        SignInCookie: app.sign_in_cookie,
        IssuerSignIn: fakes.issuer_sign_in,
        Sessions: fakes.sessions,
        SignIn: fakes.sign_in,
        OneTimeLinks: fakes.links,
        FirstUser: fakes.first_user,
    }


def _decisions(fakes: FakeAdministration) -> Decisions:
    return Decisions(MemoryDecisions(fakes.usage.records))


def _routing(fakes: FakeAdministration, decisions: Decisions) -> dict[Any, object]:
    return {
        RouteExplainer: fakes.explain_routes,
        Backtests: Backtests(
            MemoryDecisions(fakes.usage.records),
            fakes.route_book,
            fakes.state,
            fakes.directory,
            fakes.book,
            fakes.measurements,
            fakes.facts,
            fakes.clock,
        ),
        Decisions: decisions,
        RouteAdmin: fakes.routes,
    }


def _chat(fakes: FakeAdministration, chats: MemoryChats) -> dict[Any, object]:
    """The chat app, where nobody is signed in."""
    ids, clock = fakes.ids, fakes.clock
    conversations = Conversations(chats, ids, clock)
    templates, pictures = Templates(chats, ids, clock), Pictures(chats, ids, clock)
    return {
        ChatStore: chats,
        Callers: Callers(fakes.store),
        DocumentSetter: TypstSetter(),
        Conversations: conversations,
        Templates: templates,
        Pictures: pictures,
        Turns: Turns(chats, conversations, templates, pictures, ids, clock),
    }
