"""Limits and budgets over the wire, on each store that they may be counted in: SQLite and memory, Postgres, Valkey."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from tests.contracts.limits.valkey import ValkeyServer
from tests.contracts.persistence.postgres import PostgresServer
from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_budgets import FIVE_TOKENS, a_caller, price, upstream_of, verified
from tests.e2e.test_budgets_of_subjects import SUBJECTS, Poor
from tests.e2e.test_limits import CHAT, COUNTING, SPENDING, Caller
from tests.waiting import HANG_SECONDS, wait_until

pytestmark = pytest.mark.process

SLOWLY = FIVE_TOKENS | {"chunk_delay_ms": 200, "reply": "one two three four"}
LATE: dict[str, Any] = {"reply": "hi", "delay_ms": 500}
STORES = ("sqlite", "postgres", "postgres and valkey")
PATHS = tuple(path for path in SPENDING if path not in COUNTING)
EACH = SPENDING if os.environ.get("LONG_TESTS") else None
"""All endpoints for each subject; else one for each: what decides is the same for all."""


@pytest.fixture(scope="module", params=STORES)
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    settings: dict[str, str] = {}
    with ExitStack() as running:
        if request.param != "sqlite":
            folder = running.enter_context(TemporaryDirectory(prefix="omg-postgres-", ignore_cleanup_errors=True))
            postgres = PostgresServer(Path(folder))
            running.callback(postgres.close)
            settings["OMG_DATABASE_URL"] = postgres.migrated_url
        if request.param.endswith("valkey"):
            settings["OMG_VALKEY_URL"] = running.enter_context(ValkeyServer()).url.reveal()
        yield running.enter_context(Gateway(tmp_path_factory.mktemp("stored"), **settings))


def a_name(gateway: Gateway, name: str) -> str:
    """Of an upstream that no other store's gateway asks."""
    return f"{name}-{gateway.port}"


def test_a_budget_of_ten_calls_pays_for_exactly_ten_of_two_hundred(stored: Gateway, simulator: Simulator) -> None:
    """R-15, P-06."""
    up = upstream_of(stored, simulator, a_name(stored, "ten"))
    price(stored, up, "m", output="1000")
    caller = a_caller(stored, f"{up}/m", "0.05")

    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(lambda _: caller.ask(max_tokens=5).status_code, range(200)))

    assert sorted(answers) == [200] * 10 + [429] * 190
    assert len(simulator.calls(up)) == 10
    last = caller.ask(max_tokens=5)
    assert last.headers["x-should-retry"] == "false"
    assert last.json()["error"]["type"] == "insufficient_quota"
    assert last.json()["error"]["code"] == "budget_exceeded"


def test_twenty_agents_with_huge_maxima_are_admitted_and_spend_no_more_than_their_budget(
    stored: Gateway, simulator: Simulator
) -> None:
    """R-16: $25, `max_tokens` 64,000 at $50 a million, each really $0.10."""
    usage = {"prompt_tokens": 0, "completion_tokens": 2_000}
    up = upstream_of(stored, simulator, a_name(stored, "agents"), {"reply": "hi", "usage": usage})
    price(stored, up, "m", output="50")
    caller = a_caller(stored, f"{up}/m", "25")

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: caller.ask(max_tokens=64_000).status_code, range(20)))

    assert answers.count(200) >= 19
    wait_until(lambda: stands(stored, caller) == (0.1 * answers.count(200), 0), every_seconds=0.1)


def stands(gateway: Gateway, caller: Caller) -> tuple[float, float]:
    """What is spent and held."""
    (found,) = [each for each in gateway.admin.get("/budgets").json()["data"] if each["subject"]["id"] == caller.key_id]
    return float(found["spent_usd"]), float(found["held_usd"])


@pytest.mark.parametrize("kind", SUBJECTS)
def test_each_of_eight_subjects_is_refused_by_its_name(stored: Gateway, simulator: Simulator, kind: str) -> None:
    poor = Poor(stored, simulator, kind)
    number = 3 * SUBJECTS.index(kind)
    try:
        for path in EACH or (PATHS[number % len(PATHS)],):
            refusal = poor.caller.ask(path)
            assert refusal.status_code == 429, refusal.text
            assert f"'{poor.subject}'" in refusal.text
    finally:
        poor.end()


@pytest.mark.parametrize("limits", [{"rpm": 10}, {"parallel": 10}], ids=["rpm", "parallel"])
def test_of_many_at_once_no_more_reach_the_provider_than_a_limit_says(
    stored: Gateway, simulator: Simulator, limits: dict[str, int]
) -> None:
    """R-04: what is refused takes nothing of another limit either."""
    (dimension,) = limits
    up = upstream_of(stored, simulator, a_name(stored, dimension), LATE)
    fields: dict[str, Any] = {"limits": limits | {"rpd": 10 if dimension == "rpm" else 1_000}}
    caller = Caller(stored, f"{up}/m", fields)

    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(lambda _: caller.ask().status_code, range(50 if dimension == "rpm" else 25)))

    assert set(answers) == {200, 429}
    assert len(simulator.calls(up)) == answers.count(200)
    assert answers.count(200) == 10 if dimension == "rpm" else answers.count(200) >= 10


def test_killed_with_streams_under_way_it_holds_nothing_afterwards_and_its_books_are_right(
    stored: Gateway, simulator: Simulator
) -> None:
    """P-01, P-06, R-03."""
    up = upstream_of(stored, simulator, a_name(stored, "killed"), SLOWLY)
    price(stored, up, "m", output="1000")
    caller = a_caller(stored, f"{up}/m", "0.5", hold="worst_case")

    def ask(_: int) -> None:
        body: dict[str, Any] = {"model": f"{up}/m", "max_tokens": 5, "stream": True} | CHAT
        url = f"{stored.url}/v1/chat/completions"
        try:
            httpx.post(url, json=body, headers=caller.headers, timeout=HANG_SECONDS)
        except httpx.HTTPError:
            return  # it was killed meanwhile

    with ThreadPoolExecutor(20) as threads:
        asked = [threads.submit(ask, number) for number in range(20)]
        wait_until(lambda: len(simulator.calls(up)) >= 20)
        stored.process.kill()
        assert [each.result() for each in asked] == [None] * 20
    stored.process.wait()
    stored.start_again()
    stored.wait_until_answering(f"{stored.url}/health/ready")

    wait_until(lambda: stands(stored, caller)[1] == 0)
    assert stands(stored, caller)[0] <= 0.1
    stored.stop()
    assert verified(stored).startswith("0 ")
