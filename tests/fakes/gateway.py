"""The application core over fakes: a state with providers whose answers are scripted."""

from collections.abc import Sequence

from adapters.availability.automatic import AutomaticAvailability
from adapters.tokens.length import LengthTokenCounter
from application.admission.access import Gate
from application.catalog import ModelDirectory
from application.inference.calls import CallContext, CallTrace
from application.inference.dispatch import Dispatcher
from application.inference.pipeline import InferencePipeline
from application.metering import Meter
from application.routing.router import PriorityRouter
from application.settlement import Settlement
from application.snapshot import DeclaredConfig, GatewayState
from domain.keys import Principal, ProviderKey
from domain.prices import PriceRow
from domain.providers import Provider, ProviderSettings
from domain.timeouts import Timeouts
from tests.builders import a_provider, a_provider_key
from tests.fakes.clock import FakeClock
from tests.fakes.fixed_prices import FixedPriceBook
from tests.fakes.ids import CountingIds
from tests.fakes.ledger import MemoryLedger
from tests.fakes.providers import FakeChatProvider, FakeRegistry
from tests.fakes.store import MemoryStore
from tests.fakes.usage import RememberingSink

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
        self.registry = FakeRegistry(chats)
        declared = DeclaredConfig(tuple(providers), tuple(keys))
        self.state = GatewayState(self.store, self.registry, declared, timeouts)
        self.directory = ModelDirectory(self.store, self.state, self.clock, self.prices)
        self.router = PriorityRouter(self.state, self.directory, timeouts)
        self.availability = AutomaticAvailability(self.clock)
        self.dispatcher = Dispatcher(self.state, self.availability, self.clock, self.meter, jitter=lambda: 0.0)
        settlement = Settlement(self.ledger, self.sink, self.clock, lambda error: 599)
        self.pipeline = InferencePipeline(
            self.router, Gate(), self.dispatcher, settlement, self.meter, self.availability, self.clock, CountingIds()
        )

    async def started(self) -> "FakeGateway":
        await self.state.reload()
        return self

    def context(self, pinned: str | None = None) -> CallContext:
        return CallContext("req_1", "/v1/chat/completions", pinned, self.clock.monotonic(), CallTrace())
