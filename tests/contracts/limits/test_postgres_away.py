"""What becomes of limits in Postgres while it is silent (R-27)."""

import asyncio
import logging
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise

import pytest

from adapters.limits.breaker import PROBE_SECONDS
from adapters.limits.postgres_counters import PostgresCounters
from adapters.limits.shared import SharedLimitStore
from adapters.persistence.engine import parse_url
from domain.ports.limits import Demand
from tests.contracts.limits.conftest import milliseconds_of
from tests.contracts.limits.test_limit_stores import admitted, limits
from tests.contracts.persistence.postgres import PostgresServer
from tests.fakes.clock import FakeClock
from tests.waiting import until

REPLY_SECONDS = 1.0


async def processes_of(postgres: PostgresServer, counters: PostgresCounters) -> Sequence[int]:
    """The one that serves the counters, and the one that would begin others."""
    connection = counters._link._connection
    serving = await connection.fetchval("SELECT pg_backend_pid()")
    first_line = (postgres._server.pgdata / "postmaster.pid").read_text().splitlines()[0]
    return serving, int(first_line)


def send(number: signal.Signals, processes: Sequence[int]) -> None:
    for process in processes:
        with suppress(ProcessLookupError):  # it ended with the connection that was given up
            os.kill(process, number)


async def test_a_frozen_database_is_asked_by_one_probe_at_a_time_and_each_process_has_its_share(
    postgres: PostgresServer, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    counters = PostgresCounters(parse_url(postgres.migrated_url), milliseconds_of(clock), REPLY_SECONDS)
    store = SharedLimitStore(counters, clock)
    limiter = store.limiter(limits(rpm=50))
    await limiter.take(Demand())
    link, loop = counters._link, asyncio.get_running_loop()
    asked: list[tuple[float, str]] = []
    exchange, probe = link.exchange, link.breaker._probe

    async def exchanged(commands: Sequence[dict[str, object]]) -> object:
        asked.append((loop.time(), "calls"))
        return await exchange(commands)

    async def probed() -> None:
        asked.append((loop.time(), "probe"))
        await probe()

    link.exchange, link.breaker._probe = exchanged, probed  # type: ignore[method-assign, assignment]  # to see what goes out
    frozen = await processes_of(postgres, counters)
    try:
        send(signal.SIGSTOP, frozen)
        with caplog.at_level(logging.INFO):
            await asyncio.gather(*(limiter.take(Demand()) for _ in range(5)))
            assert counters.away
            opened = loop.time()
            while sum(at > opened for at, _ in asked) < 2:
                assert len(await admitted(limiter, 60)) <= 50
                await asyncio.sleep(0.05)
            during = [(at, what) for at, what in asked if at > opened]
            send(signal.SIGCONT, frozen)
            await until(lambda: not counters.away)
    finally:
        send(signal.SIGCONT, frozen)
        await store.aclose()

    assert {what for _, what in during} == {"probe"}
    assert all(later - at >= PROBE_SECONDS - 0.01 for at, later in pairwise([opened, *(at for at, _ in during)]))
    assert len(caplog.records) == 2
