"""Four processes behind one port tell one truth: each alert once, and counts that never go back (R-41)."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.contracts.persistence.postgres import PostgresServer
from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_alerts import Receiver
from tests.e2e.test_budgets import a_caller, price, upstream_of
from tests.e2e.test_limits import CHAT, Caller
from tests.integration.test_workers import alive, workers
from tests.waiting import HANG_SECONDS, wait_until

pytestmark = pytest.mark.process

WORKERS = 4
PAID_CALLS, REFUSED_CALLS = 60, 20
"""Of half a cent each, from a budget of 30: 48 are 80 % of it, 54 are 90 %."""


@pytest.fixture
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture
def four(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("four")
    with Gateway(folder, "--workers", str(WORKERS), OMG_DATABASE_URL=postgres.new_database()) as running:
        wait_until(lambda: len(workers(running)) == WORKERS)
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def anyone() -> Iterator[httpx.Client]:
    """A connection for each request: any worker takes it."""
    with httpx.Client(timeout=HANG_SECONDS, limits=httpx.Limits(max_keepalive_connections=0)) as client:
        yield client


def asked(anyone: httpx.Client, gateway: Gateway, caller: Caller, model: str, count: int) -> list[int]:
    """The statuses."""
    body = {"model": model, "max_tokens": 5} | CHAT
    url = f"{gateway.url}/v1/chat/completions"
    with ThreadPoolExecutor(8) as threads:
        asking = [threads.submit(anyone.post, url, json=body, headers=caller.headers) for _ in range(count)]
        return [each.result().status_code for each in asking]


def scraped(anyone: httpx.Client, gateway: Gateway) -> dict[str, float]:
    """Sums over all labels."""
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(anyone.get(f"{gateway.url}/metrics").text):
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    return sums


def deliveries(gateway: Gateway) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = gateway.admin.get("/alerts/deliveries").json()["data"]
    return found


def test_of_four_processes_one_tells_each_threshold_and_all_count_the_same_requests(
    four: Gateway, simulator: Simulator, receiver: Receiver, anyone: httpx.Client
) -> None:
    up = upstream_of(four, simulator, "watched")
    price(four, up, "m", output="1000")
    caller = a_caller(four, f"{up}/m", "0.3", warn_at=[0.8, 0.9])
    hook = four.admin.post("/alerts/channels", json={"kind": "webhook", "url": receiver.url}).json()
    rule = {"event": "budget_threshold", "channels": [hook["id"]], "cooldown_seconds": 0}
    assert four.admin.post("/alerts/rules", json=rule).status_code == 201

    statuses = asked(anyone, four, caller, f"{up}/m", PAID_CALLS)
    wait_until(lambda: len(receiver.got) >= 3)
    statuses += asked(anyone, four, caller, f"{up}/m", REFUSED_CALLS)
    wait_until(lambda: scraped(anyone, four)["omg_requests_total"] == PAID_CALLS + REFUSED_CALLS, every_seconds=0.3)
    before = scraped(anyone, four)
    victim = workers(four)[-1]
    victim.kill()
    wait_until(lambda: not alive(victim) and len(workers(four)) == WORKERS)
    seen = [scraped(anyone, four)["omg_requests_total"] for _ in range(12)]
    statuses += asked(anyone, four, caller, f"{up}/m", 8)
    wait_until(lambda: scraped(anyone, four)["omg_requests_total"] == PAID_CALLS + REFUSED_CALLS + 8, every_seconds=0.3)
    wait_until(lambda: scraped(anyone, four)["omg_workers"] == WORKERS, every_seconds=0.3)

    assert sorted(statuses) == [200] * PAID_CALLS + [429] * (REFUSED_CALLS + 8)
    assert seen == [PAID_CALLS + REFUSED_CALLS] * 12
    assert before["omg_limit_refusals_total"] == REFUSED_CALLS
    assert round(before["omg_cost_usd_total"], 6) == 0.3
    assert before["omg_build_info"] == before["omg_store_up"] / 2 == 1
    told = [json.loads(body)["threshold"] for _, body in receiver.got]
    assert sorted(told) == [0.8, 0.9, 1.0]
    assert sorted(each["body"]["threshold"] for each in deliveries(four)) == [0.8, 0.9, 1.0]
    assert re.search(r'"event":"?background job failed', four.output) is None
