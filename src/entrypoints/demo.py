"""The demo: three simulated providers in this process, behind real sockets like any other upstream."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import msgspec
import uvicorn
from typing_extensions import override

from domain.keys import ProviderKey
from domain.model_facts import ModelFacts, StoredModelFacts
from domain.money import NANO_PER_USD
from domain.ports.runtime import Clock
from domain.prices import ALWAYS, PriceRow, Prices
from domain.providers import Provider, ProviderSettings
from domain.quotas import KeyQuota
from domain.secrets import Secret
from domain.tasks import Task

DEMO_MODEL = "demo"
DEMO_IDS = ("demo-a", "demo-b", "demo-c")
DEMO_PRIORITY = 900
"""After every real provider."""


class DemoModel(msgspec.Struct, frozen=True):
    """What the model is like at one of them, in imitation of a small, a middling and a large one.

    Prices are USD for a million tokens of input and output.
    """

    input_usd: float
    output_usd: float
    chat: float
    else_: float
    requests_a_day: int | None = None


DEMO_MODELS: Final = {
    "demo-a": DemoModel(0.1, 0.4, chat=0.82, else_=0.55, requests_a_day=50_000),
    "demo-b": DemoModel(0.8, 3.2, chat=0.9, else_=0.86, requests_a_day=100_000),
    "demo-c": DemoModel(3.0, 15.0, chat=0.96, else_=0.95),
}


class _QuietServer(uvicorn.Server):
    """Leaves the process's signals to the gateway's own server, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def demo_upstream(*, enabled: bool) -> AsyncIterator["DemoUpstream"]:
    """The simulated upstream, running until the end where it is enabled."""
    upstream = DemoUpstream()
    if enabled:
        await upstream.start()
    yield upstream
    await upstream.stop()


class DemoUpstream:
    """The simulator on a free loopback port. `base_url` is None while it does not run."""

    def __init__(self) -> None:
        self.base_url: str | None = None
        self._server: _QuietServer | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        from entrypoints.simulator.app import create_simulator
        from entrypoints.simulator.server import configure

        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        config = configure(create_simulator())
        config.log_config = None
        self._server = _QuietServer(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]), name="demo upstream")
        await self._server.listening.wait()
        self.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    async def stop(self) -> None:
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving


def demo_config(upstream: DemoUpstream, clock: Clock) -> list[tuple[Provider, tuple[ProviderKey, ...]]]:
    """Three providers that serve the same model, each with a key; none where the demo does not run."""
    if upstream.base_url is None:
        return []
    now = clock.now()
    settings = ProviderSettings(models=(DEMO_MODEL,), default_model=DEMO_MODEL)
    found: list[tuple[Provider, tuple[ProviderKey, ...]]] = []
    for number, provider_id in enumerate(DEMO_IDS):
        provider = Provider(
            id=provider_id,
            kind="simulated",
            name=f"Demo {provider_id[-1].upper()} (simulated)",
            base_url=f"{upstream.base_url}/{provider_id}/v1",
            priority=DEMO_PRIORITY + number,
            enabled=True,
            settings=settings,
            owner="demo",
            version=1,
            created_at=now,
            updated_at=now,
        )
        secret = Secret(f"simulated-{provider_id}")
        daily = DEMO_MODELS[provider_id].requests_a_day
        quota = () if daily is None else (KeyQuota(dimension="requests", limit=daily, window="day"),)
        key = ProviderKey(f"pk_{provider_id}", provider_id, "demo", secret, 1, "demo", now, now, quota)
        found.append((provider, (key,)))
    return found


def demo_prices(upstream: DemoUpstream) -> tuple[PriceRow, ...]:
    """What the demo's model costs at each of them."""
    if upstream.base_url is None:
        return ()
    return tuple(
        PriceRow(
            f"demo:{provider_id}:{DEMO_MODEL}",
            provider_id,
            DEMO_MODEL,
            Prices(round(like.input_usd * NANO_PER_USD), round(like.output_usd * NANO_PER_USD)),
            "demo",
            ALWAYS,
        )
        for provider_id, like in DEMO_MODELS.items()
    )


def demo_facts(upstream: DemoUpstream) -> tuple[StoredModelFacts, ...]:
    """What it is good at there."""
    if upstream.base_url is None:
        return ()
    return tuple(
        StoredModelFacts(provider_id, DEMO_MODEL, ModelFacts(strengths=_strengths(like)))
        for provider_id, like in DEMO_MODELS.items()
    )


def _strengths(like: DemoModel) -> dict[str, float]:
    easy = {Task.CHAT, Task.SUMMARIZATION, Task.TRANSLATION}
    return {task.value: like.chat if task in easy else like.else_ for task in Task if task is not Task.IMAGE}
