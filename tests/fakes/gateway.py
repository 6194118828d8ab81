"""The application core over fakes: a state with providers whose answers are scripted."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar

from adapters.availability.automatic import AutomaticAvailability
from adapters.gathering.endpoints import EndpointGatherers
from adapters.ingress.carriers import PicturesAsChats
from adapters.lifecycle.data_policies import DataPolicies
from adapters.lifecycle.retirements import Retirements
from adapters.lifecycle.strengths import FamilyStrengths
from adapters.limits.memory import MemoryLimitStore
from adapters.limits.memory_budgets import MemoryBudgetStore
from adapters.tokens.length import LengthTokenCounter
from application.admission.access import Gate
from application.admission.limits import LimitGate
from application.admission.rule_book import RuleBook
from application.availability import AvailabilityKeeper
from application.catalog import ModelDirectory
from application.inference.background import BackgroundResponses
from application.inference.books import Books
from application.inference.calls import CallTrace, InferenceCall
from application.inference.dispatch import Dispatcher
from application.inference.metering import Meter
from application.inference.pipeline import InferencePipeline
from application.inference.task_asking import TaskAsking
from application.measurements import LiveMeasurements
from application.model_facts import LiveModelFacts
from application.routing.auto import AutoRouter
from application.routing.auto_pool import AutoPool
from application.routing.route_book import RouteBook
from application.routing.route_plans import RoutePlanner
from application.routing.router import PriorityRouter
from application.routing.settings import LiveRoutingSettings
from application.routing.shared_places import SharedPlaces
from application.snapshot import DeclaredConfig, GatewayState
from domain.attribution import UNATTRIBUTED, Attribution
from domain.inference import InferenceRequest
from domain.keys import Principal, ProviderKey
from domain.lifecycle import Retirement
from domain.payload import Payload
from domain.ports.conversation_places import ConversationPlaces
from domain.ports.routing import RoutingQuestion
from domain.prices import PriceRow
from domain.providers import Provider, ProviderPreset, ProviderSettings
from domain.routes import Route
from domain.routing import Candidate, Plan
from domain.timeouts import Timeouts
from tests.builders import a_provider, a_provider_key
from tests.fakes.budgets import NothingSpent
from tests.fakes.clock import FakeClock
from tests.fakes.conversation_places import MemoryConversationPlaces
from tests.fakes.fixed_prices import FixedPriceBook
from tests.fakes.ids import CountingIds
from tests.fakes.ledger import MemoryLedger
from tests.fakes.providers import FakeChatProvider, FakeRegistry
from tests.fakes.store import MemoryStore
from tests.fakes.usage import RememberingSink
from tests.fakes.usage_reader import MemoryUsage

R = TypeVar("R", bound=InferenceRequest)

ANYONE = Principal("virtual_key", "key_1", "ten_default")


class FakeGateway:
    """Everything behind the edge. Providers are tried in the order given and offer the model `m`."""

    def __init__(
        self,
        chats: dict[str, FakeChatProvider],
        *,
        keys: Sequence[ProviderKey] | None = None,
        providers: Sequence[Provider] | None = None,
        timeouts: Timeouts | None = None,
        prices: Sequence[PriceRow] = (),
        presets: Sequence[ProviderPreset] = (),
        routes: Sequence[Route] = (),
        chance: Callable[[], float] = lambda: 0.5,
        shared: ConversationPlaces | None = None,
    ) -> None:
        timeouts = timeouts or Timeouts()
        self.chats = chats
        self.clock = FakeClock()
        self.store = MemoryStore()
        self.ledger = MemoryLedger()
        self.sink = RememberingSink()
        self.prices = FixedPriceBook(prices)
        self.meter = Meter(self.prices, LengthTokenCounter())
        if providers is None:
            settings = ProviderSettings(models=("m",))
            providers = [a_provider(name, priority=place, settings=settings) for place, name in enumerate(chats)]
        if keys is None:
            keys = [a_provider_key(f"pk_{name}", name) for name in chats]
        self.registry = FakeRegistry(chats, presets=presets)
        declared = DeclaredConfig(tuple(providers), tuple(keys))
        self.state = GatewayState(self.store, self.registry, declared, timeouts)
        self.ends: dict[tuple[str, str], Retirement] = {}  # of models, by provider and model
        self.lifecycle = Retirements(date(2026, 11, 21), self.ends)
        self.route_book = RouteBook(routes)
        self.facts = LiveModelFacts(self.state, self.lifecycle, DataPolicies.shipped(), FamilyStrengths())
        self.measurements = LiveMeasurements(MemoryUsage(), self.clock)
        known = (self.prices, self.lifecycle, self.route_book, self.facts, self.measurements)
        self.directory = ModelDirectory(self.store, self.state, self.clock, *known)
        self.planner = RoutePlanner(self.route_book, self.facts, self.measurements, self.prices, self.clock, chance)
        self.availability = AutomaticAvailability(self.clock)
        self.router = self._router(timeouts, shared)
        self.dispatcher = Dispatcher(self.state, self.availability, self.clock, jitter=lambda: 0.0)
        self.spend = NothingSpent()
        self.rules = RuleBook()
        self.budgets = MemoryBudgetStore(self.clock, self.spend, self.ledger.orphans_booked)
        self.limits = LimitGate(
            MemoryLimitStore(self.clock),
            self.budgets,
            self.prices,
            self.meter.input_tokens,
            LengthTokenCounter().count,
            self.rules,
        )
        self.gate = Gate(self.limits)
        self.books = Books(self.ledger, self.sink, self.clock, self.meter, lambda error: 599)
        self.background = BackgroundResponses(
            self.store, self.state, self.ledger, self.sink, self.meter, LengthTokenCounter(), self.budgets, self.clock
        )
        self.pipeline = InferencePipeline(
            self.router, self.gate, self.dispatcher, self.books, self.availability, CountingIds(), EndpointGatherers(),
            PicturesAsChats(), TaskAsking(self.routing, CountingIds(), self.clock), self.background,
        )  # fmt: skip

    def _router(self, timeouts: Timeouts, shared: ConversationPlaces | None) -> AutoRouter:
        places = MemoryConversationPlaces() if shared is None else shared
        self.shared = SharedPlaces(places, self.clock, on=shared is not None)
        self.routing = LiveRoutingSettings()
        self.draws: list[float] = []  # what chance says next; 1 where nothing is here
        names = PriorityRouter(self.state, self.directory, timeouts, self.route_book, self.planner)
        return AutoRouter(
            names,
            AutoPool(names, self.state, self.directory, FamilyStrengths(), self.facts),
            self.state,
            self.prices,
            self.measurements,
            self.availability,
            self.clock,
            self.routing,
            chance=lambda: self.draws.pop(0) if self.draws else 1.0,
            shared=self.shared,
        )

    async def started(self) -> "FakeGateway":
        self.keeper = AvailabilityKeeper(self.store, self.availability, self.clock)
        await self.state.reload()
        self.keeper.follow(self.state)
        return self

    def plan(
        self, request: InferenceRequest, pinned: str | None = None, endpoint: str = "chat.completions", *, auto: bool
    ) -> Sequence[Candidate]:
        """The candidates of a request that anyone could make."""
        return self.planned(request, pinned, endpoint, auto=auto).candidates

    def planned(
        self,
        request: InferenceRequest,
        pinned: str | None = None,
        endpoint: str = "chat.completions",
        *,
        auto: bool = True,
        principal: Principal = ANYONE,
        attribution: Attribution = UNATTRIBUTED,
    ) -> Plan:
        """The whole plan of a request."""
        tokens = self.meter.input_tokens
        return self.router.plan(
            RoutingQuestion(request, endpoint, auto, pinned, principal, attribution, lambda: tokens(request))
        )

    def call(self, payload: Payload[R], principal: Principal = ANYONE, pinned: str | None = None) -> InferenceCall[R]:
        """A request that came in just now."""
        return InferenceCall(principal, payload, "req_1", self.clock.monotonic(), CallTrace(), pinned)
