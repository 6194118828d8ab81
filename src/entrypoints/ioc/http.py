"""What the HTTP layer is handed."""

from dishka import AsyncContainer, Provider, Scope, provide

from application.admission.authentication import AdminAuthenticator, Authenticator
from application.catalog import ModelDirectory
from application.inference.pipeline import InferencePipeline
from application.snapshot import GatewayState
from application.usage.report import UsageReport
from domain.ports.policies import AvailabilityPolicy
from domain.ports.runtime import Clock, IdFactory
from entrypoints.http.edge.config import EdgeConfig
from entrypoints.http.edge.drain import DrainState
from entrypoints.http.services import HttpServices
from entrypoints.settings.model import Settings


class HttpModule(Provider):
    scope = Scope.APP

    @provide
    def edge(self, settings: Settings) -> EdgeConfig:
        return EdgeConfig(
            allowed_hosts=settings.hosts,
            cors_origins=settings.cors_origins,
            trusted_proxies=settings.trusted_proxies,
            max_body_bytes=settings.max_body_bytes,
            max_admin_body_bytes=settings.max_admin_body_bytes,
            https=settings.public_url.startswith("https://"),
        )

    @provide
    def services(
        self,
        authenticator: Authenticator,
        admin_authenticator: AdminAuthenticator,
        pipeline: InferencePipeline,
        directory: ModelDirectory,
        state: GatewayState,
        usage: UsageReport,
        availability: AvailabilityPolicy,
        clock: Clock,
        ids: IdFactory,
        edge: EdgeConfig,
        drain: DrainState,
        container: AsyncContainer,
    ) -> HttpServices:
        return HttpServices(
            authenticator=authenticator,
            admin_authenticator=admin_authenticator,
            pipeline=pipeline,
            directory=directory,
            state=state,
            usage=usage,
            availability=availability,
            clock=clock,
            ids=ids,
            edge=edge,
            drain=drain,
            container=container,
        )
