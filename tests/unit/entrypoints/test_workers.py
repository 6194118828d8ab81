"""Background jobs run until they are stopped, whatever they raise."""

import asyncio
import logging

import pytest

from entrypoints.workers import Workers


async def test_a_job_runs_at_once_and_again_after_each_end() -> None:
    runs = asyncio.Queue[int]()
    workers = Workers()

    workers.every(0.001, "count", lambda: runs.put(1))
    async with asyncio.timeout(5):
        for _ in range(3):
            await runs.get()

    await workers.stop()
    assert runs.empty() or runs.qsize() < 3


async def test_a_job_that_fails_is_logged_and_runs_again(caplog: pytest.LogCaptureFixture) -> None:
    workers, again = Workers(), asyncio.Event()

    async def job() -> None:
        if caplog.records:
            again.set()
        raise RuntimeError("not today")

    with caplog.at_level(logging.ERROR):
        workers.every(0.001, "fragile", job)
        async with asyncio.timeout(5):
            await again.wait()
    await workers.stop()

    assert caplog.records[0].message == "background job failed"
    assert caplog.records[0].__dict__["job"] == "fragile"


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
