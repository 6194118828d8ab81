"""Runs the gateway under uvicorn: listening, the way down (R-11), and the exit code."""

import asyncio
import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn
from typing_extensions import override

from entrypoints.app import GatewayProcess
from entrypoints.settings.model import Settings, SettingsError

BACKLOG = 2048
"""Connections that may wait to be accepted."""

ACCEPTS_A_TURN = 16
"""libuv takes one connection from a listening socket in each turn of the loop, and under load a turn takes 30 ms: the
socket is registered so many times over, or the last of 256 clients that come at once would wait for seconds."""

FORCED_SECONDS = 1.0
"""What closing may take after a second stop signal."""


def bind(settings: Settings) -> socket.socket:
    """The listening socket, taken before anything is prepared: who comes second stops here and changes nothing.

    Clients that connect during the start wait in its backlog. Raises `SettingsError` where the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family=family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)  # two sockets may be bound to one port as long as neither listens
    except OSError as error:
        listener.close()
        hint = "; is another gateway running? Choose another with --port" if error.errno == errno.EADDRINUSE else ""
        raise SettingsError(
            f"OMG_PORT: cannot listen on {settings.host}:{settings.port}: {error.strerror}{hint}"
        ) from None
    listener.set_inheritable(True)
    # Before it is shared: `dup` in a worker that starts sets what it finds here on the socket itself, and were that
    # blocking, a sibling that just then looks for a connection which another has taken would wait for the next one.
    listener.setblocking(False)
    return listener


def run(app: GatewayProcess, settings: Settings, listener: socket.socket, on_listening: Callable[[], None]) -> int:
    """Serve until a stop signal; the exit code: 0 after a clean stop, 1 after a failed start or requests cut off."""
    from entrypoints.http.edge.protocol import protocol_class

    config = uvicorn.Config(
        app,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        interface="asgi3",  # the application is no coroutine function, by which uvicorn would tell
        http=protocol_class(app.connection_limits(), settings.trusted_proxies),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=int(settings.drain_seconds) + 5,
        backlog=BACKLOG,
    )
    server = GatewayServer(config, app, settings, on_listening)
    try:
        server.run(sockets=[listener, *(listener.dup() for _ in range(ACCEPTS_A_TURN - 1))])
    except SystemExit as error:  # uvicorn's way to say that the start failed; the app has said why
        return int(error.code or 0)
    return 1 if server.cut_off else 0


class GatewayServer(uvicorn.Server):
    """Drains on the first stop signal and ends at once on the second."""

    def __init__(
        self, config: uvicorn.Config, app: GatewayProcess, settings: Settings, on_listening: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._app = app
        self._settings = settings
        self._on_listening = on_listening
        self._stop_signals = 0
        self._draining: asyncio.Task[None] | None = None
        self._forced = asyncio.Event()
        self._cut_off = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def forced(self) -> bool:
        return self._forced.is_set()

    @property
    def cut_off(self) -> int:
        """Requests that were under way when a second signal ended them."""
        return self._cut_off

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        words = logging.getLogger("uvicorn.error")
        words.setLevel(logging.CRITICAL)  # a failed start is told once, by `entrypoints.process`
        await super().startup(sockets)
        words.setLevel(logging.WARNING)
        if self.started:
            self._on_listening()

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """First signal: drain. Second: end. The signal is not raised again: a clean stop exits with 0."""
        self._stop_signals += 1
        if self._loop is None or not self.started:
            self.should_exit = True
        elif self._stop_signals == 1:
            self._loop.call_soon_threadsafe(self._begin_drain, sig)
        else:
            self._loop.call_soon_threadsafe(self._force)

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        closing = asyncio.ensure_future(super().shutdown(sockets))
        forced = asyncio.ensure_future(self._forced.wait())
        await asyncio.wait({closing, forced}, return_when=asyncio.FIRST_COMPLETED)
        forced.cancel()
        if self.forced:
            await asyncio.wait({closing}, timeout=FORCED_SECONDS)
            closing.cancel()
            await asyncio.wait({asyncio.ensure_future(self.lifespan.shutdown())}, timeout=FORCED_SECONDS)
        else:
            await closing
        if self._draining:
            self._draining.cancel()

    def _begin_drain(self, sig: int) -> None:
        self._draining = asyncio.ensure_future(self._drain(sig))

    async def _drain(self, sig: int) -> None:
        """Not ready at once; while busy a grace in which balancers notice; then no new ones; at last no old ones."""
        drain = self._app.drain
        drain.begin()
        grace = self._settings.grace_seconds if sig == signal.SIGTERM else 0.0
        await drain.wait_idle(grace)
        drain.refuse()
        self.should_exit = True
        if not await drain.wait_idle(self._settings.drain_seconds):
            drain.interrupt_all()

    def _force(self) -> None:
        self.should_exit = True
        self.force_exit = True
        self._forced.set()
        self._cut_off = self._app.drain.in_flight
        self._app.drain.interrupt_all()


def restrict_new_files() -> None:
    """Files made from now on are for this user only (S-35)."""
    os.umask(0o077)
