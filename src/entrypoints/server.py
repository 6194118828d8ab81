"""Runs the gateway under uvicorn: listening, the way down (R-11), and the exit code."""

import asyncio
import errno
import logging
import math
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType

import uvicorn
from typing_extensions import override

from entrypoints.app import GatewayProcess
from entrypoints.http.edge.connection_counts import ConnectionCounts
from entrypoints.settings.model import Settings, SettingsError

BACKLOG = 2048
"""Connections that may wait to be accepted."""

ACCEPTS_A_TURN = 16
"""libuv takes one connection from a listening socket in each turn of the loop, and under load a turn takes 30 ms: the
socket is registered so many times over, or the last of 256 clients that come at once would wait for seconds."""

LAST_WORDS_SECONDS = 2.0
"""How long after the drain a connection may take what was written to it, an error event or the end of an answer."""

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
    except (OSError, UnicodeError) as error:
        listener.close()
        number, reason = (error.errno, error.strerror) if isinstance(error, OSError) else (None, "it is no host's name")
        setting = "OMG_PORT" if number in {errno.EADDRINUSE, errno.EACCES} else "OMG_HOST"
        hint = "; is another gateway running? Choose another with --port" if number == errno.EADDRINUSE else ""
        raise SettingsError(f"{setting}: cannot listen on {settings.host}:{settings.port}: {reason}{hint}") from None
    listener.set_inheritable(True)
    # Before it is shared: `dup` in a worker that starts sets what it finds here on the socket itself, and were that
    # blocking, a sibling that just then looks for a connection which another has taken would wait for the next one.
    listener.setblocking(False)
    return listener


def take_over(descriptor: int) -> socket.socket:
    """The listening socket that the version before has bound."""
    listener = socket.socket(fileno=descriptor)
    listener.setblocking(False)
    return listener


def run(
    app: GatewayProcess,
    settings: Settings,
    listener: socket.socket,
    on_listening: Callable[[], None],
    *,
    has_siblings: bool = False,
) -> int:
    """Serve until a stop signal; the exit code: 0 after a clean stop, 1 after a failed start or requests cut off.

    `has_siblings`: other processes listen on the same socket, and go on when SIGHUP ends this one.
    """
    from entrypoints.http.edge.protocol import protocol_class

    protocol = protocol_class(app.connection_limits(), settings.trusted_proxies)
    config = uvicorn.Config(
        app,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        interface="asgi3",  # the application is no coroutine function, by which uvicorn would know
        http=protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=math.ceil(settings.drain_seconds + LAST_WORDS_SECONDS),
        backlog=BACKLOG,
    )
    sockets = [listener, *(listener.dup() for _ in range(ACCEPTS_A_TURN - 1))]
    server = GatewayServer(config, app, settings, on_listening)
    if has_siblings:
        server.retires_by(partial(_leave_to_siblings, server, sockets, protocol.counts))
    try:
        server.run(sockets=sockets)
    except SystemExit as error:  # uvicorn's way to say that the start failed; the app has said why
        return int(error.code or 0)
    return 1 if server.cut_off else 0


def _leave_to_siblings(server: uvicorn.Server, sockets: Sequence[socket.socket], counts: ConnectionCounts) -> None:
    """Take no more connections, and let the next answer on each there is be its last."""
    counts.last_answers = True
    for listening in server.servers:
        listening.close()
    for each in sockets:
        each.close()


class GatewayServer(uvicorn.Server):
    """Drains on the first stop signal and ends at once on the second. SIGHUP is a stop signal too."""

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
        self._leave: Callable[[], None] | None = None

    def retires_by(self, leave: Callable[[], None]) -> None:
        """On SIGHUP `leave` is called instead of saying that this process is not ready: its siblings are."""
        self._leave = leave

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
        words.setLevel(logging.CRITICAL)  # a failed start is reported once, by `entrypoints.process`
        await super().startup(sockets)
        words.setLevel(logging.WARNING)
        if self.started:
            self._on_listening()

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            hang_up = getattr(signal, "SIGHUP", None)
            if hang_up is None or threading.current_thread() is not threading.main_thread():
                yield
                return
            if signal.getsignal(hang_up) is signal.SIG_IGN:  # as nohup leaves it
                yield
                return
            before = signal.signal(hang_up, self.handle_exit)
            try:
                yield
            finally:
                signal.signal(hang_up, before)

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
        if self._leave is not None and sig not in {signal.SIGTERM, signal.SIGINT}:
            self._leave()
            await self._wait_until_unconnected(self._settings.grace_seconds)
        else:
            drain.begin()
            await drain.wait_idle(0.0 if sig == signal.SIGINT else self._settings.grace_seconds)
        drain.refuse()
        self.should_exit = True
        if not await drain.wait_idle(self._settings.drain_seconds):
            drain.interrupt_all()

    async def _wait_until_unconnected(self, seconds: float) -> None:
        """A request that is on its way on a connection that was kept is still answered, and the connection ends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.server_state.connections:  # noqa: ASYNC110 - uvicorn has no event for it
                    await asyncio.sleep(0.05)

    def _force(self) -> None:
        self.should_exit = True
        self.force_exit = True
        self._forced.set()
        self._cut_off = self._app.drain.in_flight
        self._app.drain.interrupt_all()


def restrict_new_files() -> None:
    """Files made from now on are for this user only (S-35)."""
    os.umask(0o077)
