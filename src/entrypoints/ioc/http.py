"""What the HTTP layer is handed."""

from dishka import AsyncContainer, Provider, Scope, provide

from application.admission.authentication import Authenticator
from application.audit.refusals import RefusalLog
from application.catalog import ModelDirectory
from application.idempotency import IdempotentRequests
from application.inference.background import BackgroundResponses
from application.inference.pipeline import InferencePipeline
from application.inference.response_owners import ResponseOwners
from application.snapshot import GatewayState
from application.usage.report import UsageReport
from domain.ports.policies import AvailabilityPolicy
from domain.ports.runtime import Clock, IdFactory
from domain.ports.security import KeyHasher
from entrypoints.http.edge.body import BodyBudget
from entrypoints.http.edge.config import EdgeConfig
from entrypoints.http.edge.drain import DrainState
from entrypoints.http.services import HttpServices
from entrypoints.settings.machine_memory import default_bytes_in_flight
from entrypoints.settings.model import Settings
from entrypoints.web.pages import WebPages


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
            base_path=settings.base_path,
            https=settings.public_url.startswith("https://"),
            public_metrics=settings.metrics == "public",
        )

    @provide
    def bodies(self, settings: Settings) -> BodyBudget:
        return BodyBudget(settings.max_body_bytes_in_flight or default_bytes_in_flight(settings.workers))

    @provide
    def services(
        self,
        authenticator: Authenticator,
        pipeline: InferencePipeline,
        directory: ModelDirectory,
        state: GatewayState,
        usage: UsageReport,
        refusals: RefusalLog,
        idempotent: IdempotentRequests,
        availability: AvailabilityPolicy,
        clock: Clock,
        ids: IdFactory,
        edge: EdgeConfig,
        drain: DrainState,
        container: AsyncContainer,
        bodies: BodyBudget,
        hasher: KeyHasher,
        background: BackgroundResponses,
    ) -> HttpServices:
        return HttpServices(
            authenticator=authenticator,
            pipeline=pipeline,
            directory=directory,
            state=state,
            usage=usage,
            refusals=refusals,
            idempotent=idempotent,
            availability=availability,
            clock=clock,
            ids=ids,
            edge=edge,
            drain=drain,
            container=container,
            bodies=bodies,
            response_owners=ResponseOwners(hasher),
            background=background,
            pages=WebPages(base_path=edge.base_path),
        )
