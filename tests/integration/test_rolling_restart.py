"""SIGHUP: another version of the gateway takes the place of the one that runs, and no client notices (P-38, R-11)."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import psutil
import pytest

from tests.contracts.persistence.postgres import PostgresServer
from tests.e2e.processes import Gateway
from tests.waiting import HANG_SECONDS, until, wait_until

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers are spawned: SIGHUP ends the gateway there"),
]

LONG = bool(os.environ.get("LONG_UPDATES"))
WORKERS = 4 if LONG else 2
RESTARTS = 5 if LONG else 1
DECLARED = "providers:\n  - {id: lab, kind: openai, base_url: http://127.0.0.1:9/v1}\n"
WRONG = "providers: ["


@pytest.fixture(scope="module")
def gateway(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    settings = {"OMG_DATABASE_URL": postgres.new_database(), "OMG_GRACE_SECONDS": "2", "OMG_LOG_LEVEL": "info"}
    with Gateway(tmp_path_factory.mktemp("rolling"), "--demo", "--workers", str(WORKERS), **settings) as running:
        wait_until(lambda: len(workers_of(running)) == WORKERS)
        yield running


def workers_of(gateway: Gateway) -> set[int]:
    children = psutil.Process(gateway.process.pid).children()
    return {child.pid for child in children if child.status() != psutil.STATUS_ZOMBIE}


@dataclass
class Load:
    """Clients that ask without a pause, and what came of it."""

    gateway: Gateway
    over: bool = False
    answers: int = 0
    streams: int = 0
    faults: list[str] = field(default_factory=list)

    async def ask(self, client: httpx.AsyncClient) -> None:
        while not self.over:
            answer = await client.post("/v1/chat/completions", json=body("demo-a/sim-words-5"))
            self.answers += 1
            if answer.status_code != 200:
                self.faults.append(f"{answer.status_code}: {answer.text}")
            await asyncio.sleep(0.02)  # the workers that start need the machine too

    async def ask_on_new_connections(self, client: httpx.AsyncClient) -> None:
        while not self.over:
            answer = await client.get("/v1/models", headers={"connection": "close"})
            await asyncio.sleep(0.02)
            self.answers += 1
            if answer.status_code != 200:
                self.faults.append(f"{answer.status_code}: {answer.text}")

    async def stream(self, client: httpx.AsyncClient) -> None:
        while not self.over:
            model = "demo-a/sim-words-30+chunk-delay-50ms"
            async with client.stream("POST", "/v1/chat/completions", json=body(model, stream=True)) as answer:
                lines = [line async for line in answer.aiter_lines() if line]
            self.streams += 1
            if lines[-1:] != ["data: [DONE]"]:
                self.faults.append(f"{answer.status_code}: {lines[-1:]}")

    def client(self) -> httpx.AsyncClient:
        key = {"authorization": f"Bearer {self.gateway.key}"}
        return httpx.AsyncClient(base_url=self.gateway.url, headers=key, timeout=HANG_SECONDS)


def body(model: str, **more: object) -> dict[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": "hi"}], **more}


@asynccontextmanager
async def load(gateway: Gateway) -> AsyncIterator[Load]:
    """Six clients; at the end each request that was begun has been answered. A request that fails ends the test."""
    running = Load(gateway)
    async with running.client() as one, running.client() as other, asyncio.TaskGroup() as clients:
        for client in (one, other):
            clients.create_task(running.ask(client))
            clients.create_task(running.stream(client))
            clients.create_task(running.ask_on_new_connections(client))
        try:
            yield running
        finally:
            running.over = True


async def test_all_workers_are_replaced_under_load_and_no_request_fails(gateway: Gateway) -> None:
    """And what is installed, settings among it, is what the new ones run; process and socket stay."""
    supervisor = psutil.Process(gateway.process.pid)
    async with load(gateway) as running:
        for number in range(RESTARTS):
            (gateway.folder / "omg.yaml").write_text(DECLARED.replace("lab", f"lab-{number}"))
            await replaced(gateway, running)

    assert running.faults == []
    assert running.answers > 20
    assert supervisor.is_running()
    providers = (await asyncio.to_thread(gateway.admin.get, "/providers")).json()["data"]
    assert f"lab-{RESTARTS - 1}" in {provider["id"] for provider in providers}


async def replaced(gateway: Gateway, running: Load) -> None:
    """Restart while streams are open, and wait until the last worker of before is gone and others have answered."""
    before, begun = workers_of(gateway), running.streams
    await until(lambda: running.streams > begun + 2)
    gateway.process.send_signal(signal.SIGHUP)
    await until(lambda: bool(workers_of(gateway) - before))  # the version that is tried
    await until(lambda: len(before & workers_of(gateway)) < WORKERS)
    await until(lambda: not before & workers_of(gateway) and len(workers_of(gateway)) == WORKERS)
    ended = running.streams
    await until(lambda: running.streams > ended + 2)


def test_a_version_that_does_not_start_replaces_nothing(gateway: Gateway) -> None:
    before = workers_of(gateway)
    (gateway.folder / "omg.yaml").write_text(WRONG)

    gateway.process.send_signal(signal.SIGHUP)

    wait_until(lambda: "the installed version does not start; this one goes on" in gateway.output)
    assert "omg.yaml" in gateway.output  # what is wrong was said by the version that was tried
    assert workers_of(gateway) == before
    assert gateway.http.get("/v1/models").status_code == 200


def test_workers_end_with_a_supervisor_that_was_renewed(gateway: Gateway) -> None:
    (gateway.folder / "omg.yaml").write_text(DECLARED)
    children = [psutil.Process(pid) for pid in workers_of(gateway)]

    gateway.process.kill()

    wait_until(lambda: not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children))
