"""A gateway in front of a provider that makes responses in the background."""

import asyncio
from collections.abc import Sequence

import msgspec
from typing_extensions import override

from application.inference.calls import Operation
from application.inference.streams import StreamReply
from domain.attribution import Attribution
from domain.background_responses import FACT_PREFIX, FORGOTTEN, KeptState
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.kept_responses import KeptAction, KeptResponseRequest
from domain.keys import Principal
from domain.payload import Payload
from domain.ports.providers import (
    Answering,
    KeptResponsesProvider,
    ProviderAnswer,
    ProviderCall,
    ProviderStream,
    Streaming,
)
from domain.prices import PriceRow, Prices
from domain.records import RequestRecord
from domain.responses import ResponsesRequest
from domain.subject_limits import Subject
from domain.usage import TokenUsage
from tests.builders import NOW
from tests.fakes.gateway import ANYONE, FakeGateway
from tests.fakes.providers import FOREVER, FakeChatProvider, FakeStream

PROMPT_TOKENS = 8
USED = TokenUsage(100, 50)
TAGGED = Attribution(tags=("team",), end_user="ann")
PRICE = PriceRow("price_1", "a", "m", Prices(1_000_000_000, 2_000_000_000), "admin", NOW)
SPENDER = Subject("key", "key_1")
PAYLOAD = Payload(ResponsesRequest(model="m", input="hi", background=True, max_output_tokens=25_000), {})
STREAMED = Payload(msgspec.structs.replace(PAYLOAD.value, stream=True), {})
MOST = PROMPT_TOKENS * 1_000 + 25_000 * 2_000


class Making(Answering[ResponsesRequest], Streaming[ResponsesRequest]):
    """Begins responses that go on in the background."""

    def __init__(self) -> None:
        self.begun = 0
        self.steps: tuple[bytes | UpstreamFailure | str, ...] = (b"content", FOREVER)
        self.streamed = KeptState("resp_1", "in_progress", "m")

    @override
    async def complete(self, call: ProviderCall[ResponsesRequest]) -> ProviderAnswer:
        self.begun += 1
        name = f"resp_{self.begun}"
        return ProviderAnswer(b"{}", "m", None, kept=KeptState(name, "queued", "m"))

    @override
    async def stream(self, call: ProviderCall[ResponsesRequest]) -> ProviderStream:
        stream = FakeStream(*self.steps)
        stream.kept_state = self.streamed
        return stream


class Keeping(KeptResponsesProvider):
    """Has the response that was begun: `status` and `usage` are what it says when asked, `statuses` go before."""

    def __init__(self) -> None:
        self.status = "completed"
        self.statuses: list[str] = []
        self.usage: TokenUsage | None = USED
        self.asked = 0
        self.failure: UpstreamFailure | None = None

    @override
    async def complete(self, call: ProviderCall[KeptResponseRequest]) -> ProviderAnswer:
        self.asked += 1
        await asyncio.sleep(0)
        if call.payload.value.action == "delete":
            self.failure = UpstreamFailure(FailureKind.CLIENT_FAULT, "gone", status=404)
            return ProviderAnswer(b"{}", "m", None, kept=KeptState("resp_1", FORGOTTEN, "m", fetched=True))
        if self.failure is not None:
            raise self.failure
        status = self.statuses.pop(0) if self.statuses else self.status
        kept = KeptState("resp_1", status, "m", self.usage, "hello", fetched=True)
        return ProviderAnswer(b"{}", "m", TokenUsage(), kept=kept)

    @override
    async def stream(self, call: ProviderCall[KeptResponseRequest]) -> ProviderStream:
        raise AssertionError("nobody asks for its events here")


class Scene:
    """A gateway in front of a provider that keeps responses."""

    def __init__(self) -> None:
        self.keeping = Keeping()
        self.making = Making()
        self.gateway = FakeGateway({"a": FakeChatProvider()}, prices=[PRICE])
        self.gateway.registry.kept["a"] = self.keeping
        self.background = self.gateway.background

    async def begin(self, principal: Principal = ANYONE) -> RequestRecord:
        await self.gateway.started()
        call = msgspec.structs.replace(self.gateway.call(PAYLOAD, principal), attribution=TAGGED)
        await self.gateway.pipeline.complete(Operation("responses", lambda _: self.making), call)
        return self.gateway.ledger.last

    async def begin_stream(self, principal: Principal = ANYONE) -> StreamReply:
        await self.gateway.started()
        call = self.gateway.call(STREAMED, principal)
        call.trace.client_left = True
        return await self.gateway.pipeline.stream(Operation("responses", lambda _: self.making), call)

    async def fetch(self, principal: Principal = ANYONE, action: KeptAction = "retrieve") -> RequestRecord:
        payload: Payload[KeptResponseRequest] = Payload(
            KeptResponseRequest(action=action, upstream_id="resp_1", model="m"), {}
        )
        kept = Operation[Answering[KeptResponseRequest]]("responses", lambda able: able.kept_responses)
        await self.gateway.pipeline.complete(kept, self.gateway.call(payload, principal, "a"))
        return self.gateway.ledger.last

    def booked(self) -> Sequence[RequestRecord]:
        """The records of what responses used."""
        return [record for record in self.gateway.ledger.records if "~" in record.request_id]

    async def remembered(self) -> int:
        async with self.gateway.store.read() as unit:
            return len(await unit.facts.beginning_with(FACT_PREFIX, 10))
