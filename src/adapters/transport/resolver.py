"""Turns names into addresses off the event loop, with a limit, a short memory and one look-up at a time (R-44)."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx

_THREADS = 8  # a dead name server keeps these busy, never the loop and never the default executor
_CACHED_NAMES = 256

Lookup = Callable[[str], Sequence[str]]


def system_lookup(name: str) -> Sequence[str]:
    """Every address of a name, in the system's order (RFC 6724). Blocks; raises `OSError`."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Resolver:
    """Names to addresses. One for the process is enough: share it between the guards."""

    def __init__(
        self, lookup: Lookup = system_lookup, *, limit_seconds: float = 3.0, cache_seconds: float = 5.0
    ) -> None:
        self._lookup = lookup
        self._limit_seconds = limit_seconds
        self._cache_seconds = cache_seconds
        self._known: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._pending: dict[str, asyncio.Future[Sequence[str]]] = {}
        self._threads: ThreadPoolExecutor | None = None

    async def resolve(self, name: str) -> tuple[str, ...]:
        """At least one address. Raises `httpx.ConnectError`: no such name, no address, or no answer in time."""
        now = asyncio.get_running_loop().time()
        known = self._known.get(name)
        if known is not None and now - known[0] < self._cache_seconds:
            return known[1]
        try:
            async with asyncio.timeout(self._limit_seconds):
                addresses = tuple(await asyncio.shield(self._shared_lookup(name)))
        except TimeoutError:
            raise httpx.ConnectError(
                f"The name '{name}' was not resolved within {self._limit_seconds:g} s; check the DNS server."
            ) from None
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(f"The name '{name}' cannot be resolved: {error}.") from error
        if not addresses:
            raise httpx.ConnectError(f"The name '{name}' has no address.")
        if len(self._known) >= _CACHED_NAMES:
            self._known.clear()
        self._known[name] = (now, addresses)
        return addresses

    def _shared_lookup(self, name: str) -> asyncio.Future[Sequence[str]]:
        pending = self._pending.get(name)
        if pending is None or pending.get_loop() is not asyncio.get_running_loop():
            if self._threads is None:
                self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="resolver")
            pending = asyncio.get_running_loop().run_in_executor(self._threads, self._lookup, name)
            self._pending[name] = pending
            pending.add_done_callback(lambda done: self._forget(name, done))
        return pending

    def _forget(self, name: str, done: asyncio.Future[Sequence[str]]) -> None:
        if self._pending.get(name) is done:
            del self._pending[name]
        if not done.cancelled():
            done.exception()  # whoever waited may have left: the failure is told to the next one
