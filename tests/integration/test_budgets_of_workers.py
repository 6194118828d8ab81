"""Budgets that several processes share: exact at once, and nothing stays held when one is killed (P-06, R-03, R-15)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.contracts.persistence.postgres import PostgresServer
from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_budgets import FIVE_TOKENS, a_caller, price, upstream_of, verified
from tests.e2e.test_limits import CHAT, Caller
from tests.integration.test_workers import alive, workers
from tests.waiting import HANG_SECONDS, wait_until

pytestmark = pytest.mark.process

WORKERS = 4


@pytest.fixture
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture
def four(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Four workers on one database."""
    folder = tmp_path_factory.mktemp("four")
    with Gateway(folder, "--workers", str(WORKERS), OMG_DATABASE_URL=postgres.new_database()) as running:
        wait_until(lambda: len(workers(running)) == WORKERS)
        yield running


def stands(gateway: Gateway, caller: Caller) -> tuple[str, str]:
    """What is spent and held of the caller's budget."""
    (found,) = [each for each in gateway.admin.get("/budgets").json()["data"] if each["subject"]["id"] == caller.key_id]
    return found["spent_usd"], found["held_usd"]


def ask(client: httpx.Client, caller: Caller, body: dict[str, Any]) -> int:
    """The status; 0 where the worker was killed."""
    try:
        answer = client.post("/v1/chat/completions", json=body | CHAT, headers=caller.headers)
    except httpx.HTTPError:
        return 0
    return answer.status_code


def test_what_four_workers_spend_is_exact_and_what_a_killed_one_held_is_booked_or_given_back(
    four: Gateway, simulator: Simulator
) -> None:
    """A budget of ten calls pays for ten of two hundred; one of twenty, while a worker dies, for twenty at most."""
    many = upstream_of(four, simulator, "many")
    slow = upstream_of(four, simulator, "slow", FIVE_TOKENS | {"chunk_delay_ms": 300})
    ten, twenty = (a_caller_of(four, up, usd) for up, usd in ((many, "0.05"), (slow, "0.1")))
    with httpx.Client(base_url=four.url, timeout=HANG_SECONDS, limits=httpx.Limits(max_connections=40)) as client:
        with ThreadPoolExecutor(40) as threads:
            body = {"model": f"{many}/m", "max_tokens": 5}
            answers = list(threads.map(lambda _: ask(client, ten, body), range(200)))
        assert sorted(answers) == [200] * 10 + [429] * 190
        assert len(simulator.calls(many)) == 10
        wait_until(lambda: stands(four, ten) == ("0.05", "0.00"), every_seconds=0.3)

        with ThreadPoolExecutor(40) as threads:
            streamed = {"model": f"{slow}/m", "max_tokens": 5, "stream": True}
            asked = [threads.submit(ask, client, twenty, streamed) for _ in range(40)]
            wait_until(lambda: len(simulator.calls(slow)) >= 10, every_seconds=0.1)
            victim = workers(four)[0]
            victim.kill()
            assert {each.result() for each in asked} <= {0, 200, 429}
    wait_until(lambda: not alive(victim) and stands(four, twenty)[1] == "0.00", every_seconds=0.3)
    assert float(stands(four, twenty)[0]) <= 0.1
    assert len(simulator.calls(slow)) <= 20
    four.stop()
    assert verified(four).startswith("0 ")


def a_caller_of(gateway: Gateway, upstream: str, usd: str) -> Caller:
    price(gateway, upstream, "m", output="1000")
    return a_caller(gateway, f"{upstream}/m", usd)
