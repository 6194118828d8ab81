"""The hot path: everything here lives as long as the process and is resolved once."""

from collections.abc import AsyncIterator

from dishka import AnyOf, Provider, Scope, provide

from adapters.gathering.endpoints import EndpointGatherers
from adapters.identity.configured import ConfiguredIssuers
from adapters.ingress.carriers import PicturesAsChats
from adapters.lifecycle.data_policies import DataPolicies
from adapters.lifecycle.retirements import Retirements
from adapters.lifecycle.strengths import FamilyStrengths
from adapters.limits.opening import open_budget_store, open_limit_store
from adapters.persistence.budget_spend import SqlAlchemySpend
from adapters.persistence.conversation_places import SqlAlchemyConversationPlaces
from adapters.persistence.day_counts import SqlAlchemyDayCounts
from adapters.persistence.idempotency import SqlAlchemyIdempotency
from adapters.persistence.leases import SqlAlchemyLeases
from adapters.persistence.store import SqlAlchemyStore
from application.admission.access import Gate
from application.admission.authentication import AdminAuthenticator, Authenticator
from application.admission.bearer_tokens import bearer_tokens
from application.admission.last_used import LastUsed
from application.admission.limits import LimitGate
from application.admission.rule_book import RuleBook
from application.availability import AvailabilityKeeper
from application.bootstrap import Bootstrap
from application.catalog import ModelDirectory
from application.health_checks import HealthChecks, HealthCheckSettings
from application.idempotency import IdempotentRequests
from application.inference.background import BackgroundResponses
from application.inference.books import Books
from application.inference.dispatch import Dispatcher
from application.inference.metering import Meter
from application.inference.pipeline import InferencePipeline
from application.inference.task_asking import TaskAsking
from application.measurements import LiveMeasurements
from application.model_facts import LiveModelFacts
from application.ownership import Ownership
from application.routing.auto import AutoRouter
from application.routing.auto_pool import AutoPool
from application.routing.route_book import RouteBook
from application.routing.route_plans import RoutePlanner
from application.routing.router import PriorityRouter
from application.routing.settings import LiveRoutingSettings
from application.routing.shared_places import SharedPlaces
from application.snapshot import DeclaredConfig, GatewayState
from domain.budget_periods import zone_of
from domain.ports.budgets import BudgetStore
from domain.ports.gathering import Gatherers
from domain.ports.idempotency import IdempotencyStore
from domain.ports.ledger import Ledger, LedgerBacklog
from domain.ports.lifecycle import ModelLifecycle, ShippedPolicies
from domain.ports.limits import LimitStore
from domain.ports.models import Measurements, ModelFactBook
from domain.ports.policies import AvailabilityPolicy
from domain.ports.prices import PriceBook, TokenCounter
from domain.ports.providers import PictureCarrier, ProviderRegistry
from domain.ports.repositories import Store
from domain.ports.routing import Router
from domain.ports.runtime import Clock, IdFactory, UsageSink
from domain.ports.security import KeyHasher, SecretBox
from domain.ports.tasks import ShippedStrengths
from domain.ports.usage import UsageReader
from entrypoints.http.errors import describe
from entrypoints.ioc.security import instance_id
from entrypoints.ioc.telemetry import BOOKS, Traces
from entrypoints.settings.default_rules import default_rules
from entrypoints.settings.model import Settings


class InferenceModule(Provider):
    scope = Scope.APP

    directory = provide(ModelDirectory)
    lifecycle = provide(Retirements.shipped, provides=ModelLifecycle)
    gatherers = provide(EndpointGatherers, provides=Gatherers)
    policies = provide(DataPolicies.shipped, provides=ShippedPolicies)
    model_facts = provide(LiveModelFacts, provides=AnyOf[LiveModelFacts, ModelFactBook])
    measurements = provide(LiveMeasurements, provides=AnyOf[LiveMeasurements, Measurements])
    strengths = provide(FamilyStrengths, provides=ShippedStrengths)
    gate = provide(Gate)
    routing_settings = provide(LiveRoutingSettings)
    asking = provide(TaskAsking)
    pictures = provide(PicturesAsChats, provides=PictureCarrier)
    pipeline = provide(InferencePipeline)
    bootstrap = provide(Bootstrap)
    last_used = provide(LastUsed)
    meter = provide(Meter)
    idempotent = provide(IdempotentRequests)
    background = provide(BackgroundResponses)

    @provide
    def state(
        self, store: Store, registry: ProviderRegistry, declared: DeclaredConfig, settings: Settings
    ) -> GatewayState:
        return GatewayState(store, registry, declared, settings.timeouts)

    @provide
    def authenticator(
        self,
        store: Store,
        hasher: KeyHasher,
        clock: Clock,
        last_used: LastUsed,
        settings: Settings,
        issuers: ConfiguredIssuers,
    ) -> Authenticator:
        tokens = bearer_tokens(issuers.verifier, store)
        return Authenticator(store, hasher, clock, last_used, open_access=settings.auth == "open", bearer_tokens=tokens)

    @provide
    def admin_authenticator(
        self, store: Store, hasher: KeyHasher, clock: Clock, settings: Settings
    ) -> AdminAuthenticator:
        return AdminAuthenticator(store, hasher, clock, settings.admin_token or None)

    @provide
    def routes(self, declared: DeclaredConfig) -> RouteBook:
        return RouteBook(declared.routes)

    @provide
    def route_planner(
        self, book: RouteBook, facts: ModelFactBook, measurements: Measurements, prices: PriceBook, clock: Clock
    ) -> RoutePlanner:
        return RoutePlanner(book, facts, measurements, prices, clock)

    @provide
    def names(
        self,
        state: GatewayState,
        directory: ModelDirectory,
        book: RouteBook,
        planner: RoutePlanner,
        settings: Settings,
    ) -> PriorityRouter:
        return PriorityRouter(state, directory, settings.timeouts, book, planner)

    @provide
    def auto_pool(
        self,
        names: PriorityRouter,
        state: GatewayState,
        directory: ModelDirectory,
        shipped: ShippedStrengths,
        facts: ModelFactBook,
    ) -> AutoPool:
        return AutoPool(names, state, directory, shipped, facts)

    @provide
    def router(
        self,
        names: PriorityRouter,
        pool: AutoPool,
        state: GatewayState,
        prices: PriceBook,
        measurements: Measurements,
        availability: AvailabilityPolicy,
        clock: Clock,
        settings: LiveRoutingSettings,
        shared: SharedPlaces,
    ) -> Router:
        return AutoRouter(names, pool, state, prices, measurements, availability, clock, settings, shared=shared)

    @provide
    def shared_places(self, store: SqlAlchemyStore, clock: Clock, settings: Settings) -> SharedPlaces:
        return SharedPlaces(SqlAlchemyConversationPlaces(store), clock, on=not settings.uses_sqlite)

    @provide
    def dispatcher(self, state: GatewayState, availability: AvailabilityPolicy, clock: Clock) -> Dispatcher:
        return Dispatcher(state, availability, clock)

    @provide
    def health_checks(self, state: GatewayState, policy: AvailabilityPolicy, of: Settings) -> HealthChecks:
        settings = HealthCheckSettings(of.health_interval, of.health_window, of.health_cooldown)
        return HealthChecks(state, policy, settings)

    @provide
    def ownership(self, store: SqlAlchemyStore, clock: Clock, ids: IdFactory, settings: Settings) -> Ownership:
        return Ownership(SqlAlchemyLeases(store), ids.new("proc"), clock, alone=settings.uses_sqlite)

    @provide
    def keeper(self, store: Store, policy: AvailabilityPolicy, clock: Clock, settings: Settings) -> AvailabilityKeeper:
        return AvailabilityKeeper(store, policy, clock, shared=not settings.uses_sqlite)

    @provide
    def rule_book(self, settings: Settings) -> RuleBook:
        return RuleBook(default_rules(settings))

    @provide
    async def limit_store(
        self, clock: Clock, store: SqlAlchemyStore, hasher: KeyHasher, settings: Settings
    ) -> AsyncIterator[LimitStore]:
        limits = open_limit_store(
            settings.database,
            settings.valkey_url,
            instance_id(hasher),
            clock,
            zone_of(settings.limits_timezone),
            settings.workers,
            SqlAlchemyDayCounts(store),
        )
        yield limits
        await limits.aclose()

    @provide
    async def budget_store(
        self, clock: Clock, store: SqlAlchemyStore, usage: UsageReader, backlog: LedgerBacklog, settings: Settings
    ) -> AsyncIterator[BudgetStore]:
        reader = SqlAlchemySpend(store, usage)
        budgets = open_budget_store(settings.database, clock, reader, backlog.orphans_booked)
        yield budgets
        await budgets.aclose()

    @provide
    def limit_gate(
        self,
        store: LimitStore,
        budgets: BudgetStore,
        prices: PriceBook,
        meter: Meter,
        counter: TokenCounter,
        book: RuleBook,
    ) -> LimitGate:
        return LimitGate(store, budgets, prices, meter.input_tokens, counter.count, book)

    @provide
    def idempotency_store(self, store: SqlAlchemyStore, box: SecretBox, clock: Clock) -> IdempotencyStore:
        return SqlAlchemyIdempotency(store, box, clock)

    @provide
    def books(self, ledger: Ledger, sink: UsageSink, clock: Clock, meter: Meter, traces: Traces) -> Books:
        return BOOKS[traces](ledger, sink, clock, meter, lambda error: describe(error).status)
