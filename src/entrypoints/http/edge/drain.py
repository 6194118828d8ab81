"""Admission to the process: how many requests it serves at once, and the way down (F6, R-11)."""

import asyncio
from typing import Protocol

from domain.errors import ServiceUnavailable


class Interruptible(Protocol):
    """A request under way that can be told to end now."""

    def interrupt(self) -> None:
        """End with `shutting_down`: an error answer, or an error event where a stream has begun."""
        ...

    async def check_again(self) -> None:
        """End with a refusal where whoever asked for it may not any more. Raises `ServiceUnavailable`."""
        ...


class DrainState:
    """Counts requests under way, refuses new ones while draining, and can end those that run too long.

    On a stop signal call `begin()`: readiness says no, but a balancer may not have noticed yet, so requests are
    still served. After a grace call `refuse()`; when the drain time is over, `interrupt_all()`.
    """

    def __init__(self, max_in_flight: int = 3000) -> None:
        self._max_in_flight = max_in_flight
        self._running: set[Interruptible] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self.in_flight = 0
        self._refusing = False
        self.draining = False

    def begin(self) -> None:
        """The way down has begun: readiness says so."""
        self.draining = True

    def refuse(self) -> None:
        """From now on new requests are answered with `shutting_down`."""
        self.draining = self._refusing = True

    def enter(self) -> None:
        """Count a request in; every call is paired with one `leave`. Raises `ServiceUnavailable`."""
        if self._refusing:
            raise shutting_down()
        if self.in_flight >= self._max_in_flight:
            raise ServiceUnavailable(
                "The gateway is serving as many requests as it can; try again in a moment.",
                code="overloaded",
                retry_after_seconds=1,
            )
        self.in_flight += 1
        self._idle.clear()

    def leave(self) -> None:
        self.in_flight -= 1
        if self.in_flight == 0:
            self._idle.set()

    def started(self, request: Interruptible) -> None:
        """A request that may run for long."""
        self._running.add(request)

    def ended(self, request: Interruptible) -> None:
        self._running.discard(request)

    def interrupt_all(self) -> int:
        """Tell every long request to end, and refuse new ones; return how many there were."""
        self.refuse()
        running = list(self._running)
        for request in running:
            request.interrupt()
        return len(running)

    async def check_all_again(self) -> None:
        """Let every long request see whether it may go on (P-11). Raises `ServiceUnavailable`: ask later."""
        for request in list(self._running):
            await request.check_again()

    async def wait_idle(self, timeout_seconds: float) -> bool:
        """Whether nothing is under way any more, waiting for it at most that long."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True


def shutting_down() -> ServiceUnavailable:
    return ServiceUnavailable(
        "The gateway is shutting down; try again in a moment.", code="shutting_down", retry_after_seconds=1
    )
