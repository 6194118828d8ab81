"""A key whose calls keep failing is passed over while others of its provider serve (R-39)."""

from typing_extensions import override

from application.inference.calls import CHAT
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.keys import ProviderKey
from domain.ports.providers import ProviderAnswer, ProviderCall
from domain.usage import TokenUsage
from tests.builders import a_chat_payload, a_provider_key
from tests.fakes.gateway import FakeGateway
from tests.fakes.providers import FakeChatProvider

GOOD, BAD, OTHER = "pk_good", "pk_bad", "pk_other"


class ByKey(FakeChatProvider):
    """Fails with some keys."""

    def __init__(self, *failing: str) -> None:
        super().__init__(TokenUsage(1, 2))
        self.failing = set(failing)

    @override
    async def complete(self, call: ProviderCall[ChatRequest]) -> ProviderAnswer:
        key: ProviderKey | None = call.key
        if key is not None and key.id in self.failing:
            self.calls.append(call)
            raise UpstreamFailure(FailureKind.TRUNCATED, "cut")
        return await super().complete(call)

    def asked_with(self, key_id: str) -> int:
        return sum(call.key is not None and call.key.id == key_id for call in self.calls)


async def asked(gateway: FakeGateway, times: int) -> list[str]:
    for _ in range(times):
        await gateway.pipeline.complete(CHAT, gateway.call(a_chat_payload()))
    return [record.provider_id or "" for record in gateway.ledger.records[-times:]]


async def a_gateway(chat: ByKey, *key_ids: str) -> FakeGateway:
    keys = [a_provider_key(key_id, "a") for key_id in key_ids]
    chats = {"a": chat, "b": FakeChatProvider()}
    return await FakeGateway(chats, keys=[*keys, a_provider_key("pk_b", "b")]).started()


async def test_after_five_failures_its_provider_is_asked_with_the_other_key_alone() -> None:
    chat = ByKey(BAD)
    gateway = await a_gateway(chat, GOOD, BAD)

    first = await asked(gateway, 10)
    later = await asked(gateway, 20)

    assert (first.count("a"), first.count("b")) == (5, 5)
    assert later == ["a"] * 20
    assert chat.asked_with(BAD) == 5


async def test_it_is_tried_again_after_its_wait_and_serves_when_it_works() -> None:
    chat = ByKey(BAD)
    gateway = await a_gateway(chat, GOOD, BAD)
    await asked(gateway, 10)
    chat.failing.clear()
    gateway.clock.advance(30)

    await asked(gateway, 10)

    assert chat.asked_with(BAD) == 10


async def test_where_all_keys_fail_the_breaker_of_their_provider_decides() -> None:
    chat = ByKey(GOOD, BAD, OTHER)
    gateway = await a_gateway(chat, GOOD, BAD, OTHER)

    await asked(gateway, 20)

    assert len(chat.calls) == 5
    assert not gateway.availability.healthy("a", "m")
