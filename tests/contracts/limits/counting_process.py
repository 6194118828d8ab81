"""A process of its own with the shared stores: it takes what it is told, a line each time, and says what it got."""

import asyncio
import sys

import msgspec

from adapters.clock import SystemClock
from adapters.limits.postgres_counters import PostgresCounters
from adapters.limits.shared import SharedCounters, SharedLimitStore
from adapters.limits.valkey_counters import ValkeyCounters
from adapters.persistence.engine import parse_url
from domain.errors import LimitExceeded
from domain.ports.limits import Demand
from domain.secrets import Secret
from domain.subject_limits import Limit, LimitDimension, Subject


class Orders(msgspec.Struct):
    """So many takes at once of one limit; each that is admitted is under way for a while, or for good."""

    store: str
    url: str
    dimension: LimitDimension
    amount: int
    takes: int
    seconds: float = 0.0
    for_good: bool = False
    milliseconds: int | None = None


def counters(orders: Orders) -> SharedCounters:
    at = orders.milliseconds
    now = None if at is None else lambda: at
    if orders.store == "valkey":
        return ValkeyCounters(Secret(orders.url), "processes", now, 30.0)
    return PostgresCounters(parse_url(orders.url), now, 30.0)


async def carry_out(orders: Orders) -> list[tuple[float, float]]:
    """When what was admitted was under way, by a clock that all processes share."""
    clock = SystemClock()
    store = SharedLimitStore(counters(orders), clock)
    limiter = store.limiter([Limit(Subject("key", "shared"), orders.dimension, orders.amount)])
    under_way: list[tuple[float, float]] = []

    async def one() -> None:
        try:
            take = await limiter.take(Demand())
        except LimitExceeded:
            return
        began = clock.monotonic()
        await asyncio.sleep(orders.seconds)
        under_way.append((began, clock.monotonic()))
        if not orders.for_good:
            take.settle(0, 0)

    await asyncio.gather(*(one() for _ in range(orders.takes)))
    assert not store.counters.away
    if orders.for_good:
        await store.keep()
    await store.aclose()
    return under_way


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(
            msgspec.json.encode(asyncio.run(carry_out(msgspec.json.decode(line, type=Orders)))).decode() + "\n"
        )
        sys.stdout.flush()
