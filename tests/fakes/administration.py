"""The admin use cases over fakes: a store in memory, scripted providers, time that stands still."""

from collections.abc import Mapping, Sequence

from adapters.availability.automatic import AutomaticAvailability
from application.admin.health import HealthReport
from application.admin.provider_keys import ProviderKeyAdmin
from application.admin.provider_test import ProviderTest
from application.admin.providers import ProviderAdmin
from application.admin.store_watch import StoreWatch
from application.admin.virtual_keys import VirtualKeyAdmin
from application.admission.authentication import Authenticator
from application.catalog import ModelDirectory
from application.pricing.administration import PriceAdmin
from application.pricing.book import LivePriceBook
from application.snapshot import CONFIG_VERSION, DeclaredConfig, GatewayState
from domain.keys import ProviderKey
from domain.ports.providers import ChatProvider, ModelLister
from domain.prices import Prices
from domain.providers import Provider, ProviderPreset
from domain.timeouts import Timeouts
from tests.builders import a_tenant
from tests.fakes.clock import FakeClock
from tests.fakes.ids import CountingIds
from tests.fakes.ledger import MemoryLedger
from tests.fakes.prices import FakeCatalog
from tests.fakes.providers import FakeRegistry
from tests.fakes.security import FakeHasher
from tests.fakes.store import MemoryStore
from tests.fakes.usage_reader import MemoryUsage

OPENROUTER = ProviderPreset(
    id="openrouter",
    kind="openai",
    name="OpenRouter",
    base_url="https://openrouter.example/api/v1",
    env=("OPENROUTER_API_KEY",),
    priority=20,
)


class FakeAdministration:
    """Call `started()` before use. `groq` and the like may be declared; `openrouter` is a preset."""

    def __init__(
        self,
        *,
        declared: Sequence[Provider] = (),
        declared_keys: Sequence[ProviderKey] = (),
        chats: Mapping[str, ChatProvider | None] | None = None,
        listers: Mapping[str, ModelLister] | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.ids = CountingIds()
        self.store = MemoryStore()
        self.usage = MemoryUsage()
        self.ledger = MemoryLedger()
        self.hasher = FakeHasher()
        self.registry = FakeRegistry(chats, listers, (OPENROUTER,))
        config = DeclaredConfig(tuple(declared), tuple(declared_keys))
        self.state = GatewayState(self.store, self.registry, config, Timeouts())
        self.availability = AutomaticAvailability(self.clock)
        self.catalog = FakeCatalog({("openrouter", "vendor/listed"): Prices(600_000_000, 2_400_000_000)})
        self.book = LivePriceBook(self.store, self.state, self.catalog, self.clock)
        self.directory = ModelDirectory(self.store, self.state, self.clock, self.book)
        self.prices = PriceAdmin(self.store, self.state, self.directory, self.book, self.clock, self.ids)
        self.authenticator = Authenticator(self.store, self.hasher, self.clock)
        self.watch = StoreWatch(self.store, self.clock)
        self.providers = ProviderAdmin(
            self.store, self.state, self.registry, self.availability, self.directory, self.clock
        )
        self.keys = ProviderKeyAdmin(self.store, self.state, self.availability, self.directory, self.clock, self.ids)
        self.virtual_keys = VirtualKeyAdmin(
            self.store, self.state, self.authenticator, self.hasher, self.clock, self.ids
        )
        self.tests = ProviderTest(self.state, self.directory, self.clock)
        self.health = HealthReport(self.watch, self.state, self.availability, self.ledger, self.clock)

    async def started(self) -> "FakeAdministration":
        async with self.store.write() as unit:
            await unit.tenants.add(a_tenant())
        await self.state.reload()
        await self.book.load()
        return self

    async def config_version(self) -> int:
        async with self.store.read() as unit:
            return int(await unit.facts.get(CONFIG_VERSION) or 0)
