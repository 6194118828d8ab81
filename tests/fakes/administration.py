"""The admin use cases over fakes: a store in memory, scripted providers, time that stands still."""

from collections.abc import Mapping, Sequence
from datetime import date

from adapters.availability.automatic import AutomaticAvailability
from adapters.lifecycle.data_policies import DataPolicies
from adapters.lifecycle.retirements import Retirements
from adapters.lifecycle.strengths import FamilyStrengths
from adapters.limits.memory import MemoryLimitStore
from adapters.limits.memory_budgets import MemoryBudgetStore
from adapters.tokens.length import LengthTokenCounter
from application.admin.admin_tokens import AdminTokenAdmin
from application.admin.alerts import AlertAdmin
from application.admin.default_models import DefaultModelsAdmin
from application.admin.default_rules import DefaultRulesAdmin
from application.admin.health import HealthReport
from application.admin.limits_explained import LimitExplainer
from application.admin.members import MemberAdmin
from application.admin.model_groups import ModelGroupAdmin
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
from application.admission.access import Gate
from application.admission.authentication import Authenticator
from application.admission.bearer_tokens import BearerTokens
from application.admission.last_used import LastUsed
from application.admission.limits import LimitGate
from application.admission.rule_book import RuleBook
from application.alerts.book import AlertBook
from application.alerts.dispatch import ChannelCheck, Senders
from application.audit.refusals import RefusalLog
from application.availability import AvailabilityKeeper
from application.catalog import ModelDirectory
from application.decisions.explaining import RouteExplainer
from application.desired_state.objects import Administration
from application.inference.metering import Meter
from application.measurements import LiveMeasurements
from application.model_facts import LiveModelFacts
from application.newcomers import Newcomers
from application.pricing.book import LivePriceBook
from application.routing.route_book import RouteBook
from application.routing.route_plans import RoutePlanner
from application.routing.router import PriorityRouter
from application.routing.settings import LiveRoutingSettings
from application.sign_in.accounts import Accounts
from application.sign_in.first_user import FirstUser
from application.sign_in.issuer_accounts import IssuerAccounts
from application.sign_in.issuer_sign_in import IssuerSignIn
from application.sign_in.sessions import SessionLife, Sessions
from application.sign_in.sign_in import OneTimeLinks, SignIn
from application.sign_in.throttle import AttemptThrottle
from application.snapshot import DeclaredConfig, GatewayState
from domain.actors import Actor
from domain.configuration import Section
from domain.free_tiers import FreeTier, Quota
from domain.keys import ProviderKey
from domain.lifecycle import Retirement
from domain.ports.providers import ChatProvider, ModelLister, ProviderRegistry
from domain.ports.repositories import UnitOfWork
from domain.prices import Prices
from domain.providers import Provider, ProviderPreset
from domain.timeouts import Timeouts
from tests.builders import a_tenant
from tests.fakes.alerts import RememberingSender
from tests.fakes.budgets import NothingSpent
from tests.fakes.clock import FakeClock
from tests.fakes.idempotency import MemoryIdempotency
from tests.fakes.ids import CountingIds
from tests.fakes.issuers import FakeProvider, FakeVerifier
from tests.fakes.ledger import MemoryLedger
from tests.fakes.names import a_naming
from tests.fakes.prices import FakeCatalog
from tests.fakes.providers import FakeRegistry
from tests.fakes.security import FakeBox, FakeHasher
from tests.fakes.sign_in import FakePasswords
from tests.fakes.store import MemoryStore
from tests.fakes.usage_reader import MemoryUsage

OPENROUTER = ProviderPreset(
    id="openrouter",
    kind="openai",
    name="OpenRouter",
    base_url="https://openrouter.example/api/v1",
    env=("OPENROUTER_API_KEY",),
    priority=20,
    free_tier=FreeTier(
        kind="renewing",
        quotas=(
            Quota("requests", 30, "minute"),
            Quota("requests", 1_000, "day", pool="all", as_of=date(2026, 2, 1), confidence="observed"),
        ),
        as_of=date(2026, 11, 21),
        source="https://free.example/limits",
    ),
)


ACTOR = Actor("admin_token", "tests", "a test's token", platform_role="admin")


class FakeAdministration:
    """Call `started()` before use. `groq` and the like may be declared; `openrouter` is a preset.

    `known` is a registry to use instead of the fake one.
    """

    def __init__(
        self,
        *,
        declared: Sequence[Provider] = (),
        declared_keys: Sequence[ProviderKey] = (),
        chats: Mapping[str, ChatProvider | None] | None = None,
        listers: Mapping[str, ModelLister] | None = None,
        known: ProviderRegistry | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.ids = CountingIds()
        self.store = MemoryStore(self.clock.now)
        self.usage = MemoryUsage()
        self.ledger = MemoryLedger()
        self.hasher = FakeHasher()
        self.registry = FakeRegistry(chats, listers, (OPENROUTER,))
        config = DeclaredConfig(tuple(declared), tuple(declared_keys))
        known = known or self.registry
        self.state = GatewayState(self.store, known, config, Timeouts())
        self.availability = AutomaticAvailability(self.clock)
        AvailabilityKeeper(self.store, self.availability, self.clock).follow(self.state)
        self.catalog = FakeCatalog({("openrouter", "vendor/listed"): Prices(600_000_000, 2_400_000_000)})
        self.book = LivePriceBook(self.store, self.state, self.catalog, self.clock)
        self.ends: dict[tuple[str, str], Retirement] = {}  # of models, by provider and model
        self.route_book = RouteBook()
        self._models()
        self.last_used = LastUsed(self.store)
        self._limits()
        self._alerts()
        self.verifier = FakeVerifier()
        tokens = BearerTokens(self.verifier, self.store)
        self.authenticator = Authenticator(self.store, self.hasher, self.clock, self.last_used, bearer_tokens=tokens)
        self.refusals = RefusalLog(self.store, self.clock)
        for section in (Section.VIRTUAL_KEYS, Section.TENANTS, Section.PEOPLE):
            self.state.follow(section, self._forget_keys, only_foreign=True)
        self._people()
        self.routes = RouteAdmin(self.store, self.state, self.route_book, self.clock)
        self.state.follow(Section.ROUTES, self.route_book.reload)
        self.watch = StoreWatch(self.store, self.clock)
        self.providers = ProviderAdmin(self.store, self.state, known, self.availability, self.directory, self.clock)
        self.keys = ProviderKeyAdmin(self.store, self.state, self.availability, self.directory, self.clock, self.ids)
        self.virtual_keys = VirtualKeyAdmin(
            self.store, self.state, self.authenticator, self.hasher, self.clock, self.ids
        )
        self.admin_tokens = AdminTokenAdmin(self.store, self.state, self.hasher, self.clock, self.ids)
        self.tests = ProviderCheck(self.state, self.directory, self.availability, self.clock)
        self.idempotency = MemoryIdempotency(self.clock)
        self.health = HealthReport(
            self.watch,
            self.state,
            self.availability,
            self.ledger,
            MemoryLimitStore(self.clock),
            self.idempotency,
            self.clock,
        )

    def _models(self) -> None:
        lifecycle = Retirements(date.max, self.ends)
        self.facts = LiveModelFacts(self.state, lifecycle, DataPolicies.shipped(), FamilyStrengths())
        self.measurements = LiveMeasurements(self.usage, self.clock)
        of_models = (self.facts, self.measurements)
        self.directory = ModelDirectory(
            self.store, self.state, self.clock, self.book, lifecycle, self.route_book, *of_models
        )
        self.prices = PriceAdmin(self.store, self.state, self.directory, self.book, self.clock, self.ids, *of_models)
        self.state.follow(Section.PRICES, self.book.reload)
        self.state.follow(Section.PRICES, self.facts.reload)

    def _people(self) -> None:
        people = (self.store, self.state, self.authenticator)
        self.links = OneTimeLinks(self.store, self.hasher, self.clock)
        self.model_groups = ModelGroupAdmin(*people, self.clock)
        self.default_models = DefaultModelsAdmin(*people, self.clock)
        self.newcomers = Newcomers(self.ids)
        self.tenants = TenantAdmin(*people, self.clock, self.ids)
        self.users = UserAdmin(*people, self.newcomers, self.clock)
        self.members = MemberAdmin(*people, self.newcomers, self.links, self.clock)
        self.sessions = Sessions(self.store, self.hasher, self.clock, self.ids, SessionLife())
        self.passwords = FakePasswords()
        self.first_user = FirstUser(self.store)
        throttle = AttemptThrottle(self.clock)
        self.sign_in = SignIn(
            self.store, self.sessions, self.passwords, throttle, self.refusals, self.hasher, self.clock
        )
        self.corp = FakeProvider()
        box = FakeBox()
        self.issuer_accounts = IssuerAccounts(
            self.store, self.sessions, self.newcomers, self.authenticator, box, self.clock
        )
        self.issuer_sign_in = IssuerSignIn(
            {"corp": self.corp},
            self.issuer_accounts,
            self.sessions,
            box,
            throttle,
            self.refusals,
            self.clock,
            "http://localhost",
        )

    def _limits(self) -> None:
        self.rule_book = RuleBook()
        self.budgets = MemoryBudgetStore(self.clock, NothingSpent(), self.ledger.orphans_booked)
        self.gate = LimitGate(
            MemoryLimitStore(self.clock),
            self.budgets,
            self.book,
            lambda _: 1,
            LengthTokenCounter().count,
            self.rule_book,
        )
        meter = Meter(self.book, LengthTokenCounter())
        self.explain_routes = RouteExplainer(
            self.store,
            PriorityRouter(
                self.state,
                self.directory,
                Timeouts(),
                self.route_book,
                RoutePlanner(self.route_book, self.facts, self.measurements, self.book, self.clock),
            ),
            self.route_book,
            Gate(self.gate),
            self.book,
            meter,
            self.availability,
            self.clock,
        )
        self.explainer = LimitExplainer(self.store, self.gate, self.state, self.directory, self.clock, "UTC")
        self.rules = RuleAdmin(
            self.store, self.state, self.budgets, a_naming(self.store, self.state), self.clock, self.ids
        )
        self.routing = LiveRoutingSettings()
        self.routing_settings = RoutingSettingsAdmin(self.store, self.state)
        self.state.follow(Section.ROUTES, self.routing.reload)
        self.default_rules = DefaultRulesAdmin(self.store, self.state, self.rule_book)
        self.state.follow(Section.LIMITS, self.rule_book.reload)

    def _alerts(self) -> None:
        self.sender = RememberingSender()
        self.senders: Senders = {"webhook": self.sender, "email": self.sender}
        self.alert_book = AlertBook()
        self.alerts = AlertAdmin(self.store, self.state, self.clock, self.ids)
        self.channel_check = ChannelCheck(self.store, self.senders, self.clock, self.ids)
        self.state.follow(Section.ALERTS, self.alert_book.reload)

    async def started(self) -> "FakeAdministration":
        async with self.store.write() as unit:
            await unit.tenants.add(a_tenant())
        await self.book.load()
        await self.state.reload()
        return self

    async def _forget_keys(self, _: UnitOfWork) -> None:
        self.authenticator.forget_all()

    async def config_version(self) -> int:
        async with self.store.read() as unit:
            return sum((await unit.config_versions.load()).values())

    @property
    def administration(self) -> Administration:
        """Its use cases, as documents of the configuration use them."""
        return Administration(
            store=self.store,
            state=self.state,
            hasher=self.hasher,
            tenants=self.tenants,
            users=self.users,
            accounts=Accounts(self.users, self.links, self.passwords, self.clock),
            members=self.members,
            keys=self.virtual_keys,
            providers=self.providers,
            provider_keys=self.keys,
            prices=self.prices,
            groups=self.model_groups,
            routes=self.routes,
            rules=self.rules,
            alerts=self.alerts,
            default_rules=self.default_rules,
            default_models=self.default_models,
            routing_settings=self.routing_settings,
        )
