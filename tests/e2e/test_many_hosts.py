"""Four gateways on one Postgres and one Valkey: what is said to one holds in all, and background work has an owner."""

import base64
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import httpx
import pytest

from tests.contracts.limits.valkey import ValkeyServer
from tests.contracts.persistence.postgres import PostgresServer
from tests.e2e.processes import Gateway, Simulator
from tests.waiting import HANG_SECONDS, wait_until

pytestmark = pytest.mark.process

OWNS = "background work taken over"
BUDGET = {"limit_usd": "0.000001", "period": "never"}


class Hosts:
    """Each with a data folder of its own."""

    def __init__(self, gateways: list[Gateway], postgres: PostgresServer) -> None:
        self.gateways = gateways
        self.postgres = postgres

    def everywhere(self, holds: Callable[[Gateway], bool]) -> None:
        """Wait until it holds in each."""
        for gateway in self.gateways:
            wait_until(partial(holds, gateway))

    def owner(self) -> str | None:
        """Whose the background work is now, by the database."""
        ends = "SELECT holder FROM leases WHERE ends_at > extract(epoch FROM clock_timestamp()) * 1000"
        found = anyio.run(self.postgres.fetch, self.postgres.migrated_url, ends)
        return found[0] if found else None


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    with TemporaryDirectory(prefix="omg-postgres-", ignore_cleanup_errors=True) as folder, ExitStack() as running:
        valkey = running.enter_context(ValkeyServer())
        postgres = PostgresServer(Path(folder))
        running.callback(postgres.close)
        shared = {
            "OMG_DATABASE_URL": postgres.migrated_url,
            "OMG_VALKEY_URL": valkey.url.reveal(),
            "OMG_MASTER_KEYS": f"k1:{base64.b64encode(os.urandom(32)).decode()}",
        }
        folders = [tmp_path_factory.mktemp(f"host{number}") for number in range(4)]
        yield Hosts([running.enter_context(Gateway(each, **shared)) for each in folders], postgres)


def ask(gateway: Gateway, secret: str, model: str) -> httpx.Response:
    body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}
    headers = {"authorization": f"Bearer {secret}"}
    return httpx.post(f"{gateway.url}/v1/chat/completions", headers=headers, json=body, timeout=HANG_SECONDS)


def goes_to(gateway: Gateway, secret: str, target: str) -> bool:
    return bool(ask(gateway, secret, "way").headers.get("x-omg-provider") == target)


def a_key(gateway: Gateway, **fields: Any) -> tuple[str, str]:
    made = gateway.admin.post("/keys", json=fields)
    assert made.status_code == 201, made.text
    return made.json()["id"], made.json()["secret"]


def test_what_is_said_to_one_of_four_holds_in_all(hosts: Hosts, simulator: Simulator) -> None:
    """B12: a provider, a price, a route, a key and its end, a limit, a budget, and a provider key that has to rest."""
    first, second, third, last = hosts.gateways
    for name in ("here", "there"):
        simulator.script(name, behaviours={"*": [{"reply": "hi"}]})
        first.add_provider(name, simulator.base_url(name))
    key_id, secret = a_key(second)
    hosts.everywhere(lambda gateway: ask(gateway, secret, "here/m").status_code == 200)

    _, spender = a_key(last, budgets=[BUDGET])
    hosts.everywhere(lambda gateway: "budget" in ask(gateway, spender, "here/m").text)  # nobody knows what it costs
    price = {"provider": "here", "model": "m", "prices": {"input": "0", "output": "0"}, "confirm": True}
    assert third.admin.post("/models", json=price).status_code == 201
    hosts.everywhere(lambda gateway: ask(gateway, spender, "here/m").status_code == 200)
    price["prices"] = {"input": "1000", "output": "1000"}
    assert first.admin.post("/models", json=price).status_code == 201
    hosts.everywhere(lambda gateway: "budget" in ask(gateway, spender, "here/m").text)  # it has a price, and costs more

    for target in ("here", "there"):
        route = {"targets": [{"provider": target, "model": "m"}]}
        if target == "here":
            assert first.admin.post("/routes", json={"alias": "way", **route}).status_code == 201
        else:
            assert second.admin.patch("/routes/way", json=route).status_code == 200
        hosts.everywhere(partial(goes_to, secret=secret, target=target))

    _, limited = a_key(third, limits={"rpm": 10})
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda number: ask(hosts.gateways[number % 4], limited, "there/m"), range(40)))
    assert 10 <= [answer.status_code for answer in answers].count(200) <= 15  # 10, unless Valkey seemed silent (P-07)

    simulator.script("there", behaviours={"*": "sim-429-retry-600s"})
    assert ask(last, secret, "there/m").status_code == 429
    hosts.everywhere(lambda gateway: gateway.provider("there")["status"] == "rate_limited")
    asked = len(simulator.calls("there"))
    assert {ask(gateway, secret, "there/m").status_code for gateway in hosts.gateways} == {429}
    assert len(simulator.calls("there")) == asked  # nobody asked again with a key that rests
    assert first.admin.post("/providers/there/retry").status_code == 200
    hosts.everywhere(lambda gateway: gateway.provider("there")["status"] == "available")

    assert second.admin.post(f"/keys/{key_id}/revoke").status_code == 200
    hosts.everywhere(lambda gateway: ask(gateway, secret, "here/m").status_code == 401)


TRACES, STEPS = 200, 3
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]


def test_no_agent_whose_requests_alternate_between_hosts_is_moved_inside_a_tool_loop(
    hosts: Hosts, simulator: Simulator
) -> None:
    """Each conversation begins wherever chance has it; every result comes to another host than the call came from."""
    targets = []
    for name in ("red", "green", "blue"):
        simulator.script(name, behaviours={"*": "sim-tools"})
        hosts.gateways[0].add_provider(name, simulator.base_url(name))
        targets.append({"provider": name, "model": "m", "weight": 1})
    route = {"alias": "agents", "strategy": "weighted", "affinity": True, "targets": targets}
    assert hosts.gateways[0].admin.post("/routes", json=route).status_code == 201
    _, secret = a_key(hosts.gateways[0])
    hosts.everywhere(lambda gateway: ask(gateway, secret, "agents").status_code == 200)
    headers = {"authorization": f"Bearer {secret}"}

    def trace(number: int) -> list[str]:
        """Who served each step."""
        history: list[dict[str, Any]] = [{"role": "user", "content": f"Task {number}"}]
        served = []
        for step in range(STEPS):
            body = {"model": "agents", "messages": history, "tools": TOOLS}
            url = f"{hosts.gateways[(number + step) % 4].url}/v1/chat/completions"
            answer = client.post(url, headers=headers, json=body)
            assert answer.status_code == 200, answer.text
            served.append(answer.headers["x-omg-provider"])
            message = answer.json()["choices"][0]["message"]
            history.append(message)
            history += [
                {"role": "tool", "tool_call_id": call["id"], "content": "done"} for call in message["tool_calls"]
            ]
        return served

    with httpx.Client(timeout=HANG_SECONDS) as client, ThreadPoolExecutor(8) as threads:
        traces = list(threads.map(trace, range(TRACES)))

    assert {served[0] for served in traces} == {"red", "green", "blue"}
    assert [served for served in traces if len(set(served)) > 1] == []


def test_another_owns_the_background_work_when_its_owner_is_killed(hosts: Hosts) -> None:
    wait_until(lambda: hosts.owner() is not None)
    holder = hosts.owner()
    (owner,) = [gateway for gateway in hosts.gateways if OWNS in gateway.output]

    owner.process.kill()
    owner.process.wait()

    wait_until(lambda: hosts.owner() not in {None, holder})
    others = [gateway for gateway in hosts.gateways if gateway is not owner]
    wait_until(lambda: sum(OWNS in gateway.output for gateway in others) == 1)
