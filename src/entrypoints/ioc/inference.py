"""The hot path: everything here lives as long as the process and is resolved once."""

from dishka import Provider, Scope, provide

from application.admission.access import Gate
from application.admission.authentication import AdminAuthenticator, Authenticator
from application.availability import AvailabilityKeeper
from application.bootstrap import Bootstrap
from application.catalog import ModelDirectory
from application.inference.dispatch import Dispatcher
from application.inference.pipeline import InferencePipeline
from application.metering import Meter
from application.routing.router import PriorityRouter
from application.settlement import Settlement
from application.snapshot import DeclaredConfig, GatewayState
from domain.ports.ledger import Ledger
from domain.ports.policies import AvailabilityPolicy
from domain.ports.providers import ProviderRegistry
from domain.ports.repositories import Store
from domain.ports.runtime import Clock, UsageSink
from domain.ports.security import KeyHasher
from entrypoints.http.errors import describe
from entrypoints.settings.model import Settings


class InferenceModule(Provider):
    scope = Scope.APP

    directory = provide(ModelDirectory)
    gate = provide(Gate)
    pipeline = provide(InferencePipeline)
    bootstrap = provide(Bootstrap)
    keeper = provide(AvailabilityKeeper)
    meter = provide(Meter)

    @provide
    def state(
        self, store: Store, registry: ProviderRegistry, declared: DeclaredConfig, settings: Settings
    ) -> GatewayState:
        return GatewayState(store, registry, declared, settings.timeouts)

    @provide
    def authenticator(self, store: Store, hasher: KeyHasher, clock: Clock, settings: Settings) -> Authenticator:
        return Authenticator(store, hasher, clock, open_access=settings.auth == "open")

    @provide
    def admin_authenticator(self, store: Store, hasher: KeyHasher, settings: Settings) -> AdminAuthenticator:
        return AdminAuthenticator(store, hasher, settings.admin_token or None)

    @provide
    def router(self, state: GatewayState, directory: ModelDirectory, settings: Settings) -> PriorityRouter:
        return PriorityRouter(state, directory, settings.timeouts)

    @provide
    def dispatcher(
        self, state: GatewayState, availability: AvailabilityPolicy, clock: Clock, meter: Meter
    ) -> Dispatcher:
        return Dispatcher(state, availability, clock, meter)

    @provide
    def settlement(self, ledger: Ledger, sink: UsageSink, clock: Clock) -> Settlement:
        return Settlement(ledger, sink, clock, lambda error: describe(error).status)
