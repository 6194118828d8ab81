"""One way to what processes share: the calls of a tick go out together, and none waits long for one that is silent."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, Generic, TypeVar

from adapters.limits.breaker import Breaker, StoreAway

log = logging.getLogger(__name__)

PARTS: Final = 4
MAX_TOGETHER: Final = 256
"""How many calls go out at once: a store does so many well within the time that one may wait."""

Command = TypeVar("Command")
Reply = list[int] | list[str] | list[bytes]


class Link(ABC, Generic[Command]):
    """Calls are answered in their order. A caller who is cancelled changes nothing for the others: nobody waits on the
    connection itself, and one on which a reply is overdue is dropped with all its replies. A new connection may take
    `connect_seconds`, or as long as a reply where that is longer.
    """

    def __init__(self, store: str, reply_seconds: float, connect_seconds: float) -> None:
        self._reply_seconds = reply_seconds
        self.connect_seconds: Final = max(connect_seconds, reply_seconds)
        self._waiting: list[tuple[Command, asyncio.Future[Reply]]] = []
        self._sending: asyncio.Task[None] | None = None
        self._closed = False
        self.breaker = Breaker(store, self.probe)

    @abstractmethod
    async def exchange(self, commands: Sequence[Command]) -> Sequence[Reply | Exception]:
        """A reply for each, or why there is none. Cancelled, it leaves no connection with replies to come."""

    @abstractmethod
    async def probe(self) -> None:
        """Raises unless the store would do what commands ask for. It limits itself in time."""

    @abstractmethod
    async def disconnect(self) -> None: ...

    def call(self, command: Command) -> asyncio.Future[Reply]:
        """What is asked is under way. Raises `StoreAway`, at once where it is known."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        if self._closed or self.breaker.open:
            future.set_exception(StoreAway("the link is closed" if self._closed else "the breaker is open"))
            return future
        self._waiting.append((command, future))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())
        return future

    async def answers(self) -> bool:
        """Whether a probe finds it well."""
        try:
            await self.probe()
        except Exception as error:  # noqa: BLE001 - whatever it is, it does not answer
            log.debug("a probe failed", extra={"error": str(error)[:200]})
            return False
        return True

    async def aclose(self) -> None:
        """Calls that were made are answered first, or fail; later ones fail."""
        self._closed = True
        if self._sending is not None:
            await asyncio.wait({self._sending}, timeout=2 * self._reply_seconds)
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
        await self.breaker.aclose()
        await self.disconnect()

    async def _send(self) -> None:
        try:
            while self._waiting:
                calls, self._waiting = self._waiting[:MAX_TOGETHER], self._waiting[MAX_TOGETHER:]
                if self.breaker.open:
                    _fail(calls, StoreAway("the breaker is open"))
                else:
                    await self._answer(calls)
        finally:
            _fail(self._waiting, StoreAway("the link was closed"))
            self._waiting = []

    async def _answer(self, calls: Sequence[tuple[Command, asyncio.Future[Reply]]]) -> None:
        try:
            async with patience(self._reply_seconds):
                replies = await self.exchange([command for command, _ in calls])
        except (OSError, TimeoutError, StoreAway) as error:
            overdue = isinstance(error, TimeoutError) or isinstance(error.__cause__, TimeoutError)
            self.breaker.failed(error, len(calls), lost=not overdue)
            _fail(calls, StoreAway(str(error) or type(error).__name__, perhaps_done=True))
            return
        except BaseException as error:
            _fail(calls, StoreAway(type(error).__name__, perhaps_done=True))
            raise
        refused = [reply for reply in replies if isinstance(reply, Exception)]
        if refused:
            self.breaker.failed(refused[0], len(refused))
        for (_, future), reply in zip(calls, replies, strict=True):
            if future.done():
                continue
            if isinstance(reply, Exception):
                future.set_exception(StoreAway(str(reply)))
            else:
                future.set_result(reply)


@asynccontextmanager
async def patience(seconds: float) -> AsyncIterator[None]:
    """As `asyncio.timeout`, of the time in which this process could have heard the reply.

    A loop that was kept from running finds the reply and its deadline at once, and would take the deadline first. So
    the time is waited for in parts, each of which begins when the one before it was seen to end.
    """
    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle | None = None

    def part(left: int) -> None:
        nonlocal timer
        if left:
            timer = loop.call_later(seconds / PARTS, part, left - 1)
        else:
            limit.reschedule(loop.time())

    async with asyncio.timeout(None) as limit:
        part(PARTS)
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()


def _fail(calls: Sequence[tuple[Command, asyncio.Future[Reply]]], error: StoreAway) -> None:
    for _, future in calls:
        if not future.done():
            future.set_exception(error)
