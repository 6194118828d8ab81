"""The whole HTTP application over fakes, with an admin's and a client's way in."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import cast

import httpx
from dishka import AsyncContainer, Provider, Scope, make_async_container

from application.admin.health import HealthReport
from application.admin.provider_keys import ProviderKeyAdmin
from application.admin.provider_test import ProviderTest
from application.admin.providers import ProviderAdmin
from application.admin.store_watch import StoreWatch
from application.admin.virtual_keys import VirtualKeyAdmin
from application.admission.authentication import ADMIN_TOKEN_DIGEST, AdminAuthenticator, Authenticator
from application.catalog import ModelDirectory
from application.pricing.administration import PriceAdmin
from application.snapshot import GatewayState
from application.usage.report import UsageReport
from application.usage.request_log import RequestReport
from domain.keys import ADMIN_TOKEN_PREFIX, ProviderKey, generate_key
from domain.ports.ledger import Ledger
from domain.ports.policies import AvailabilityPolicy
from domain.ports.providers import ProviderRegistry
from domain.ports.runtime import Clock
from domain.providers import Provider as Upstream
from entrypoints.http.app import create_http_app
from entrypoints.http.edge.config import EdgeConfig
from entrypoints.http.edge.drain import DrainState
from entrypoints.http.edge.gateway import GatewayApp
from entrypoints.http.services import HttpServices
from tests.fakes.administration import FakeAdministration
from tests.fakes.pipeline import FakePipeline
from tests.fakes.providers import FakeLister

ADMIN_TOKEN = generate_key(ADMIN_TOKEN_PREFIX).reveal()


class AdminApp:
    """`fakes` is what stands behind; `app` is the ASGI application."""

    def __init__(self, fakes: FakeAdministration) -> None:
        self.fakes = fakes
        self.drain = DrainState()
        admin = AdminAuthenticator(fakes.store, fakes.hasher, None)
        self.services = HttpServices(
            authenticator=fakes.authenticator,
            admin_authenticator=admin,
            pipeline=FakePipeline(),
            directory=fakes.directory,
            state=fakes.state,
            usage=UsageReport(fakes.usage, fakes.clock),
            availability=fakes.availability,
            clock=fakes.clock,
            ids=fakes.ids,
            edge=EdgeConfig(allowed_hosts=("localhost",)),
            drain=self.drain,
            container=_container(fakes, admin, self.drain),
        )
        self.app: GatewayApp = create_http_app(self.services)

    @classmethod
    async def make(cls, declared: Iterable[Upstream] = (), declared_keys: Iterable[ProviderKey] = ()) -> "AdminApp":
        listers = {name: FakeLister(["m"]) for name in ("alpha", "groq")}
        fakes = FakeAdministration(declared=tuple(declared), declared_keys=tuple(declared_keys), listers=listers)
        await fakes.started()
        async with fakes.store.write() as unit:
            await unit.facts.put(ADMIN_TOKEN_DIGEST, fakes.hasher.digest(ADMIN_TOKEN).hex())
        return cls(fakes)

    @asynccontextmanager
    async def client(self, token: str | None = ADMIN_TOKEN) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(cast(httpx.ASGITransport, self.app), raise_app_exceptions=True)  # type: ignore[arg-type]  # both speak ASGI
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
            yield client


def _container(fakes: FakeAdministration, admin: AdminAuthenticator, drain: DrainState) -> AsyncContainer:
    instances = {
        ProviderAdmin: fakes.providers,
        ProviderKeyAdmin: fakes.keys,
        VirtualKeyAdmin: fakes.virtual_keys,
        ProviderTest: fakes.tests,
        PriceAdmin: fakes.prices,
        HealthReport: fakes.health,
        UsageReport: UsageReport(fakes.usage, fakes.clock),
        RequestReport: RequestReport(fakes.usage),
        StoreWatch: fakes.watch,
        Ledger: fakes.ledger,
        ProviderRegistry: fakes.registry,
        AvailabilityPolicy: fakes.availability,
        Clock: fakes.clock,
        GatewayState: fakes.state,
        ModelDirectory: fakes.directory,
        Authenticator: fakes.authenticator,
        AdminAuthenticator: admin,
        DrainState: drain,
    }
    module = Provider(scope=Scope.APP)
    for kind in instances:
        module.from_context(provides=kind, scope=Scope.APP)
    return make_async_container(module, context=instances)
