"""The gateway as an ASGI application: `create_app` composes it, its lifespan starts and stops it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from dishka import Provider

from application.bootstrap import FirstStart
from entrypoints.http.edge.config import ConnectionLimits
from entrypoints.http.edge.drain import DrainState
from entrypoints.lifespan import RunningGateway, start_gateway
from entrypoints.process_settings import load_process_settings
from entrypoints.settings.model import Settings

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class GatewayProcess:
    """Everything one process serves. HTTP is answered only while it runs (`lifespan` or `running`)."""

    def __init__(self, settings: Settings, overrides: tuple[Provider, ...] = ()) -> None:
        self.settings = settings
        self.drain = DrainState()
        self.failure: Exception | None = None
        self._overrides = overrides
        self._gateway: RunningGateway | None = None

    @property
    def gateway(self) -> RunningGateway:
        """What runs. Raises `RuntimeError` before the start and after the end."""
        if self._gateway is None:
            raise RuntimeError("the gateway is not running: drive its lifespan, or use `running()`")
        return self._gateway

    @property
    def first_start(self) -> FirstStart | None:
        """What a first start made, to be shown once."""
        return self.gateway.first_start

    def connection_limits(self) -> ConnectionLimits:
        return ConnectionLimits()

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """ASGI 3, but no coroutine of its own: that would be one more frame for as long as a stream is open."""
        if scope["type"] == "lifespan":
            return self._lifespan(receive, send)
        return self.gateway.http(scope, receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["GatewayProcess"]:
        """Start, and stop at the end: the lifespan for callers without a server."""
        await self._start()
        try:
            yield self
        finally:
            await self._stop()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._start()
        except Exception as error:  # noqa: BLE001 - kept for whoever runs the server, who shows it
            self.failure = error
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _start(self) -> None:
        self._gateway = await start_gateway(self.settings, self.drain, self._overrides)

    async def _stop(self) -> None:
        gateway, self._gateway = self._gateway, None
        if gateway is not None:
            await gateway.stop()


def create_app(settings: Settings | None = None, *overrides: Provider) -> GatewayProcess:
    """The application under these settings (those of the environment where none are given).

    `overrides` are dishka providers that replace parts: `provide(..., override=True)`.
    """
    return GatewayProcess(settings or load_process_settings(), overrides)
