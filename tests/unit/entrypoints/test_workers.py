"""Background jobs run until they are stopped, whatever they raise."""

import asyncio
import logging

import pytest

from domain.errors import ServiceUnavailable, StoreUnavailable
from entrypoints.workers import Workers
from tests.waiting import HANG_SECONDS

pytestmark = pytest.mark.virtual_time


async def test_a_job_runs_at_once_and_again_after_each_end() -> None:
    runs = asyncio.Queue[int]()
    workers = Workers()

    workers.every(0.001, "count", lambda: runs.put(1))
    async with asyncio.timeout(HANG_SECONDS):
        for _ in range(3):
            await runs.get()

    await workers.stop()
    assert runs.empty() or runs.qsize() < 3


async def test_a_job_that_keeps_failing_is_told_once_rests_and_is_told_when_it_works(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also one that has no pause of its own: it would take the whole loop otherwise."""
    workers, works = Workers(), asyncio.Event()
    rests: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        rests.append(seconds)
        await real(0)

    async def job() -> None:
        if len(rests) == 9:
            works.set()
        if len(rests) < 9:
            raise RuntimeError("not today")

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with caplog.at_level(logging.WARNING):
        workers.every(0.0, "fragile", job)
        async with asyncio.timeout(HANG_SECONDS):
            await works.wait()
        await real(0)
    await workers.stop()

    assert rests[:9] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert [(r.message, r.__dict__["job"]) for r in caplog.records] == [
        ("background job failed", "fragile"),
        ("background job works again", "fragile"),
    ]


@pytest.mark.parametrize(
    "error", [StoreUnavailable("refused"), ServiceUnavailable("refused", code="store_unavailable")]
)
async def test_a_job_whose_store_is_away_waits_and_says_so_in_a_line(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    workers, asked = Workers(), asyncio.Queue[int]()

    async def job() -> None:
        await asked.put(1)
        raise error

    workers.every(1, "fragile", job)
    for _ in range(3):
        await asked.get()
    await workers.stop()

    assert [(r.message, r.levelname, r.exc_info) for r in caplog.records] == [
        ("background job waits: a store is away", "WARNING", None)
    ]


async def test_stopping_ends_a_job_in_the_midst_of_its_work() -> None:
    workers, begun, ended = Workers(), asyncio.Event(), asyncio.Event()

    async def job() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    workers.every(1, "long", job)
    await begun.wait()
    await workers.stop()

    assert ended.is_set()
