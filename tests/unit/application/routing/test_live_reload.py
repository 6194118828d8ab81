"""Half of a route's deployments are swapped while requests are under way, and none of them fails (R-12)."""

import asyncio

import msgspec
from typing_extensions import override

from application.inference.calls import CHAT
from domain.chat import ChatRequest
from domain.configuration import Section
from domain.ports.providers import ProviderAnswer, ProviderCall
from domain.providers import ProviderSettings
from domain.routes import Route, RoutePolicy, Target
from domain.usage import TokenUsage
from tests.builders import NOW, a_chat_payload, a_provider
from tests.fakes.gateway import FakeGateway
from tests.fakes.providers import FakeChatProvider

IDS = "abcdefgh"


class Slow(FakeChatProvider):
    """Answers after some turns of the loop, so that reloads happen meanwhile."""

    @override
    async def complete(self, call: ProviderCall[ChatRequest]) -> ProviderAnswer:
        for _ in range(5):
            await asyncio.sleep(0)
        return await super().complete(call)


def a_route(ids: str, version: int) -> Route:
    policy = RoutePolicy(strategy="weighted", targets=tuple(Target("m", each) for each in ids))
    return Route("r", policy, "database", version, NOW, NOW)


async def test_half_of_the_deployments_are_swapped_under_load_and_no_request_fails() -> None:
    chats: dict[str, FakeChatProvider] = {name: Slow(TokenUsage(1, 1)) for name in IDS}
    gateway = FakeGateway(chats, providers=())
    gateway.state.follow(Section.ROUTES, gateway.route_book.reload)
    providers = {name: a_provider(name, settings=ProviderSettings(models=("m",))) for name in IDS}
    async with gateway.store.write() as unit:
        for provider in providers.values():
            await unit.providers.add(provider)
        await unit.routes.put(a_route("abcd", 1))
    await gateway.started()
    served: list[str | None] = []

    async def ask() -> None:
        call = gateway.call(a_chat_payload(model="r"))
        await gateway.pipeline.complete(CHAT, call)
        served.append(call.trace.provider_id)

    async with asyncio.TaskGroup() as load:
        for number in range(600):
            load.create_task(ask())
            await asyncio.sleep(0)
            if number % 50 == 49:
                turn = number // 50
                off, on = ("ab", "ef") if turn % 2 else ("ef", "ab")
                async with gateway.store.write() as unit:
                    await unit.routes.put(a_route(f"cd{on}", turn + 2))
                    for name in on:
                        await unit.providers.update(msgspec.structs.replace(providers[name], enabled=True))
                    for name in off:
                        changed = msgspec.structs.replace(providers[name], enabled=False, version=turn + 2)
                        await unit.providers.update(changed)
                    await unit.config_versions.bump(Section.ROUTES)
                    await unit.config_versions.bump(Section.PROVIDERS)
                await gateway.state.reload_if_changed()

    assert len(served) == 600
    assert set(served) == set("abcdef")
