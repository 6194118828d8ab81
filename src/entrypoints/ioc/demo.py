"""The demo: three simulated providers in this process, behind real sockets like any other upstream."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from typing_extensions import override

from domain.keys import ProviderKey
from domain.ports.runtime import Clock
from domain.providers import Provider, ProviderSettings
from domain.secrets import Secret

DEMO_MODEL = "demo"
DEMO_IDS = ("demo-a", "demo-b", "demo-c")
DEMO_PRIORITY = 900
"""After every real provider."""


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
    for place, provider_id in enumerate(DEMO_IDS):
        provider = Provider(
            id=provider_id,
            kind="simulated",
            name=f"Demo {provider_id[-1].upper()} (simulated)",
            base_url=f"{upstream.base_url}/{provider_id}/v1",
            priority=DEMO_PRIORITY + place,
            enabled=True,
            settings=settings,
            owner="demo",
            version=1,
            created_at=now,
            updated_at=now,
        )
        secret = Secret(f"simulated-{provider_id}")
        key = ProviderKey(f"pk_{provider_id}", provider_id, "demo", secret, 1, "demo", now, now)
        found.append((provider, (key,)))
    return found
