"""Several worker processes on one socket, one Postgres: one seeds, all serve, the dead are replaced, all stop."""

import re
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from tests.contracts.persistence.postgres import PostgresServer
from tests.e2e.processes import OMG, RunningProcess, free_port
from tests.waiting import HANG_SECONDS, wait_until

pytestmark = pytest.mark.process


@pytest.fixture
def pair(postgres: PostgresServer, tmp_path: Path) -> Iterator[RunningProcess]:
    """Two workers on an empty database."""
    shared = {"OMG_DATABASE_URL": postgres.new_database()}
    port = free_port()
    serve = [*OMG, "serve", "--demo", "--workers", "2", "--port", str(port)]
    with RunningProcess(serve, tmp_path, shared | {"URL": f"http://127.0.0.1:{port}"}) as running:
        running.wait_until_answering(f"http://127.0.0.1:{port}/health/ready")
        yield running


def workers(running: RunningProcess) -> list[psutil.Process]:
    """The processes that serve, without multiprocessing's own, oldest first."""
    children = psutil.Process(running.process.pid).children()
    return [child for child in children if alive(child) and "resource_tracker" not in " ".join(child.cmdline())]


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def call(url: str, path: str, token: str) -> int:
    """The status, on a connection of its own: any worker may take it."""
    return httpx.get(url + path, headers={"authorization": f"Bearer {token}"}, timeout=HANG_SECONDS).status_code


def test_workers_share_one_configuration_and_outlive_one_another(pair: RunningProcess) -> None:
    url = pair.environment["URL"]
    wait_until(lambda: len(workers(pair)) == 2)
    (token,) = re.findall(r"omg-admin-\w{38}", pair.stdout)
    (key,) = set(re.findall(r"sk-omg-\w{38}", pair.stdout))
    assert {call(url, "/v1/models", key) for _ in range(10)} == {200}

    made = httpx.post(
        f"{url}/admin/keys", headers={"authorization": f"Bearer {token}"}, json={"name": "shared"}, timeout=10
    ).json()
    assert {call(url, "/v1/models", made["secret"]) for _ in range(10)} == {200}
    httpx.post(
        f"{url}/admin/keys/{made['id']}/revoke", headers={"authorization": f"Bearer {token}"}, timeout=10
    ).raise_for_status()
    wait_until(lambda: {call(url, "/v1/models", made["secret"]) for _ in range(6)} == {401})

    victim, survivor = workers(pair)
    victim.kill()
    wait_until(lambda: not alive(victim) and len(workers(pair)) == 2)
    assert survivor.pid in {child.pid for child in workers(pair)}
    assert {call(url, "/v1/models", key) for _ in range(10)} == {200}
    assert '"worker died"' in pair.output

    children = workers(pair)
    pair.process.send_signal(signal.SIGTERM)

    assert pair.process.wait(HANG_SECONDS) == 0
    assert not [child for child in children if alive(child)]


def test_workers_share_a_budget_to_the_last_call(pair: RunningProcess) -> None:
    """R-15, P-06."""
    wait_until(lambda: len(workers(pair)) == 2)
    url = pair.environment["URL"]
    (token,) = re.findall(r"omg-admin-\w{38}", pair.stdout)
    admin = {"authorization": f"Bearer {token}"}
    model = httpx.get(f"{url}/admin/models", headers=admin, timeout=HANG_SECONDS).json()["data"][0]
    name = f"{model['provider']}/{model['model']}"
    price = {"provider": model["provider"], "model": model["model"], "prices": {"input": "0", "output": "1000"}}
    httpx.post(f"{url}/admin/models", headers=admin, json=price | {"confirm": True}, timeout=HANG_SECONDS)
    budget = {"limit_usd": "0.01", "period": "never"}
    made = httpx.post(f"{url}/admin/keys", headers=admin, json={"budgets": [budget]}, timeout=HANG_SECONDS).json()

    def ask(_: int) -> int:
        body = {"model": name, "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]}
        key = {"authorization": f"Bearer {made['secret']}"}
        return httpx.post(f"{url}/v1/chat/completions", headers=key, json=body, timeout=HANG_SECONDS).status_code

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(ask, range(40)))

    assert sorted(answers) == [200] * 10 + [429] * 30


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers are spawned, and share nothing")
def test_workers_share_the_code_they_run_with_their_supervisor(pair: RunningProcess) -> None:
    wait_until(lambda: len(workers(pair)) == 2)
    url = pair.environment["URL"]
    assert {call(url, "/health/live", "none") for _ in range(10)} == {200}

    _, second = [child.memory_full_info() for child in workers(pair)]

    assert second.uss < 0.7 * second.rss


def test_workers_that_share_a_supervisors_memory_draw_different_ids(pair: RunningProcess) -> None:
    """What a fork copies includes the state of random generators."""
    wait_until(lambda: len(workers(pair)) == 2)
    url = pair.environment["URL"] + "/v1/models"

    ids = [httpx.get(url, timeout=HANG_SECONDS).headers["x-request-id"] for _ in range(40)]

    assert len(set(ids)) == 40


def test_a_stop_signal_during_the_start_ends_everything(postgres: PostgresServer, tmp_path: Path) -> None:
    shared = {"OMG_DATABASE_URL": postgres.new_database()}
    serve = [*OMG, "serve", "--demo", "--workers", "2", "--port", str(free_port())]
    with RunningProcess(serve, tmp_path, shared) as running:
        wait_until(lambda: bool(workers(running)))
        children = workers(running)

        running.process.send_signal(signal.SIGTERM)

        assert running.process.wait(HANG_SECONDS) == 0
        assert not [child for child in children if alive(child)]


def test_workers_end_when_their_supervisor_was_killed(pair: RunningProcess) -> None:
    wait_until(lambda: len(workers(pair)) == 2)
    children = workers(pair)

    pair.process.kill()

    wait_until(lambda: not [child for child in children if alive(child)])
