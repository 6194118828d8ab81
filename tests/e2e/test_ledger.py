"""Every request leaves exactly one record, whatever happens to the process, the database, the disk or the client."""

import json
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from typing_extensions import override

from adapters.ledger.segment import Damage, Frame, Kind, frame, frames
from tests.apart import run_apart
from tests.contracts.persistence.postgres import PostgresServer
from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_disconnect import read_at_least, send
from tests.unit.adapters.ledger.test_spool import an_end
from tests.waiting import HANG_SECONDS, wait_until

pytestmark = pytest.mark.process

ASK = [{"role": "user", "content": "hello there"}]
KILLS = int(os.environ.get("OMG_TEST_KILLS", "5"))
CLIENTS = 8
GRAINS = (
    "usage_hourly",
    "usage_daily",
    "usage_hourly_by_model",
    "usage_hourly_by_key",
    "usage_daily_by_model",
    "usage_daily_by_key",
)


def rows(gateway: Gateway, query: str) -> list[tuple[object, ...]]:
    """From the gateway's SQLite file, while it runs or not."""
    with closing(sqlite3.connect(f"file:{gateway.data / 'omg.db'}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def outcomes(gateway: Gateway) -> dict[str, str]:
    """Of every request in the database, by id."""
    return {str(name): str(outcome) for name, outcome in rows(gateway, "SELECT id, outcome FROM requests")}


def sums_are_those_of_the_rows(gateway: Gateway) -> None:
    """P-05."""
    requests = rows(gateway, "SELECT COUNT(*) FROM requests")
    tokens = rows(gateway, "SELECT COUNT(*), COALESCE(SUM(output_tokens), 0) FROM attempts")
    for grain in GRAINS:
        assert rows(gateway, f"SELECT COALESCE(SUM(requests), 0) FROM {grain}") == requests
        summed = f"SELECT COALESCE(SUM(attempts), 0), COALESCE(SUM(output_tokens), 0) FROM {grain}"
        assert rows(gateway, summed) == tokens


def spool_is_empty(gateway: Gateway) -> bool:
    return list((gateway.data / "spool").iterdir()) == []


@pytest.fixture
def own(tmp_path: Path, simulator: Simulator) -> Iterator[Gateway]:
    """A gateway of the test's own, with an upstream named `up`."""
    with Gateway(tmp_path, OMG_GRACE_SECONDS="0.1", OMG_DRAIN_SECONDS="1") as running:
        running.add_provider("up", simulator.base_url(f"ledger-{tmp_path.name}"))
        yield running


def ask(gateway: Gateway, model: str = "up/sim-words-3") -> httpx.Response:
    return gateway.http.post("/v1/chat/completions", json={"model": model, "messages": ASK})


class Client(threading.Thread):
    """Asks again and again, and keeps a journal of what it got whole and of what only began."""

    def __init__(self, gateway: Gateway, number: int) -> None:
        super().__init__(daemon=True)
        self.completed: list[str] = []
        self.cut: list[str] = []
        self._gateway = gateway
        self._random = random.Random(number)
        self._stop_asking = threading.Event()
        self.start()

    @override
    def run(self) -> None:
        headers = {"authorization": f"Bearer {self._gateway.key}"}
        with httpx.Client(base_url=self._gateway.url, headers=headers, timeout=10) as http:
            while not self._stop_asking.is_set():
                try:
                    self._ask(http)
                except httpx.HTTPError:
                    time.sleep(0.02)  # it is down

    def _ask(self, http: httpx.Client) -> None:
        model = self._random.choice(["up/sim-words-5", "up/sim-words-20+chunk-delay-20ms", "up/sim-words-5"])
        body = {"model": model, "messages": ASK, "stream": self._random.random() < 0.6}
        request_id = None
        try:
            with http.stream("POST", "/v1/chat/completions", json=body) as answer:
                request_id = answer.headers["x-request-id"]
                answer.read()
                assert answer.status_code == 200, answer.text
        except httpx.HTTPError:
            if request_id is not None:
                self.cut.append(request_id)
            raise
        self.completed.append(request_id)

    def finish(self) -> None:
        self._stop_asking.set()
        self.join(15)


@pytest.mark.timeout(120 + 15 * KILLS)
def test_killed_at_random_moments_no_completed_answer_is_missing_and_none_is_there_twice(
    own: Gateway, simulator: Simulator
) -> None:
    """P-01. `OMG_TEST_KILLS` says how often; what had begun and did not end is `interrupted`."""
    chance = random.Random(20261121)
    clients = [Client(own, number) for number in range(CLIENTS)]
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.1, 0.9))
        own.process.kill()
        own.process.wait()
        own.start_again()
        own.wait_until_answering(f"{own.url}/health/ready")
    time.sleep(0.3)
    for client in clients:
        client.finish()
    wait_until(lambda: len(list((own.data / "spool").iterdir())) == 1)  # the dead ones' are booked
    assert own.stop() == 0

    found = outcomes(own)
    completed = [request_id for client in clients for request_id in client.completed]
    cut = {request_id for client in clients for request_id in client.cut}
    assert len(completed) > 20 * KILLS
    assert [name for name in completed if found.get(name) != "ok"] == []
    assert {found.get(name) for name in cut} <= {"ok", "interrupted"}
    assert set(found.values()) <= {"ok", "interrupted", "error"}
    persona = f"ledger-{own.folder.name}"
    assert len(found) >= len(simulator.calls(persona))
    assert spool_is_empty(own)
    sums_are_those_of_the_rows(own)


def test_a_client_that_is_killed_mid_stream_pays_for_what_it_could_read(own: Gateway) -> None:
    """R-02: one record, and the tokens generated until then, not the hundred that were asked for."""
    connection = send(own, "up/sim-words-100+chunk-delay-50ms", True)
    received = b""
    while received.count(b'"content"') < 6:
        received += connection.recv(65536)
    connection.close()
    wait_until(lambda: bool(outcomes(own)))
    time.sleep(0.3)

    assert list(outcomes(own).values()) == ["client_cancelled"]
    ((output, source),) = rows(own, "SELECT output_tokens, usage_source FROM attempts")
    assert source == "estimated"
    assert 6 <= int(str(output)) <= 12
    sums_are_those_of_the_rows(own)


def test_stopped_with_two_hundred_open_streams_each_has_its_record(own: Gateway) -> None:
    """P-02: the process ends, and nothing is left in the spool."""
    connections = [send(own, "up/sim-endless+chunk-delay-100ms", True) for _ in range(200)]
    for connection in connections:
        read_at_least(connection, 300)
    own.process.send_signal(signal.SIGTERM)
    assert own.process.wait(HANG_SECONDS) == 0
    for connection in connections:
        connection.close()

    found = outcomes(own)
    assert len(found) == 200
    assert set(found.values()) == {"interrupted"}
    assert rows(own, "SELECT COUNT(*) FROM attempts WHERE output_tokens > 0") == [(200,)]
    assert spool_is_empty(own)
    sums_are_those_of_the_rows(own)


LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read(1)
"""


def test_a_locked_database_delays_records_and_nothing_else(own: Gateway) -> None:
    """R-23: known keys go on, nobody is turned away, each record arrives once."""
    assert ask(own).status_code == 200
    command = [sys.executable, "-c", LOCKER, str(own.data / "omg.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as locker:
        assert locker.stdout is not None
        assert locker.stdout.readline() == b"locked\n"
        asked = [ask(own) for _ in range(20)]
        wait_until(lambda: own.admin.get("/health").json()["usage"]["lag_seconds"] > 1)
        late = own.admin.get("/health").json()["usage"]
        locker.communicate(b"over")
    assert {answer.status_code for answer in asked} == {200}
    assert late["waiting_records"] > 10
    assert late["lag_seconds"] > 1
    wait_until(lambda: len(outcomes(own)) == 1 + len(asked))
    assert set(outcomes(own)) >= {answer.headers["x-request-id"] for answer in asked}
    wait_until(lambda: own.admin.get("/health").json()["usage"]["waiting_records"] == 0)
    sums_are_those_of_the_rows(own)


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    with TemporaryDirectory(prefix="omg-postgres-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder))
        yield server
        server.close()


def test_known_keys_go_on_without_postgres_and_their_records_arrive_later(
    tmp_path: Path, simulator: Simulator, postgres: PostgresServer
) -> None:
    """P-04: away for a while, no client notices; then each record arrives exactly once."""
    counted: list[int] = []

    def count() -> int:
        async def read() -> None:
            counted.extend(await postgres.fetch(postgres.migrated_url, "SELECT COUNT(*) FROM requests"))

        run_apart(read())
        return counted[-1]

    with Gateway(tmp_path, OMG_DATABASE_URL=postgres.migrated_url) as running:
        running.add_provider("up", simulator.base_url("ledger-postgres"))
        assert ask(running).status_code == 200
        wait_until(lambda: count() == 1)
        postgres.stop()
        answers = [ask(running) for _ in range(30)]
        time.sleep(1.2)
        answers += [ask(running) for _ in range(30)]
        health = running.admin.get("/health").json()
        postgres.start()
        wait_until(lambda: count() == 61, 15)
        assert running.http.get("/health/ready").status_code == 200
    assert {answer.status_code for answer in answers} == {200}
    assert health["usage"]["waiting_records"] >= 30
    assert running.output.count("usage waits in the spool") == 1
    assert count() == 61
    assert list((running.data / "spool").iterdir()) == []


def limit_file_size(gateway: Gateway, size: int) -> None:
    """As a full disk does, to this process alone."""
    resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_on_a_full_disk_it_starts_and_serves_and_is_ready_when_there_is_room_again(own: Gateway) -> None:
    """R-30: not ready, one line in the log, no record lost, no restart."""
    own.stop()
    own.start_again()
    limit_file_size(own, 4 * 1024 * 1024)  # a spool segment has 16
    own.wait_until_answering(f"{own.url}/health/live")
    ready = own.http.get("/health/ready")
    answers = [ask(own) for _ in range(20)]
    assert (ready.status_code, ready.json()) == (503, {"status": "usage_unwritable"})
    assert {answer.status_code for answer in answers} == {200}
    assert own.admin.get("/health").json()["usage"]["writable"] is False
    assert outcomes(own) == {}

    limit_file_size(own, resource.RLIM_INFINITY)
    own.wait_until_answering(f"{own.url}/health/ready")
    wait_until(lambda: len(outcomes(own)) == 20)
    assert set(outcomes(own)) == {answer.headers["x-request-id"] for answer in answers}
    wait_until(lambda: "usage is written down again" in own.output)  # log lines are written a moment later
    assert own.output.count("usage cannot be written down") == 1
    assert own.output.count("usage is written down again") == 1
    assert own.stop() == 0
    assert spool_is_empty(own)


def test_a_torn_tail_is_cut_counted_and_logged(own: Gateway) -> None:
    """What a lost machine may leave: the records before it are booked, and it is told."""
    answers = [ask(own) for _ in range(5)]
    own.process.kill()
    own.process.wait()
    (segment,) = (own.data / "spool").glob("*/*.spool")
    end = max(piece.end for piece in frames(segment.read_bytes()) if isinstance(piece, Frame))
    torn = frame(Kind.END, an_end(99))[:-9]
    with segment.open("r+b") as file:
        file.seek(end)
        file.write(torn)
    assert any(isinstance(piece, Damage) and not piece.blank for piece in frames(segment.read_bytes()))

    own.start_again()
    own.wait_until_answering(f"{own.url}/health/ready")
    wait_until(lambda: own.admin.get("/health").json()["usage"]["torn_records"] == 1)
    wait_until(lambda: len(outcomes(own)) == 5)
    assert set(outcomes(own)) == {answer.headers["x-request-id"] for answer in answers}
    came_out = "damaged usage records were passed over"
    wait_until(lambda: came_out in own.output)  # log lines are written by a thread, a moment later
    (line,) = [line for line in own.output.splitlines() if came_out in line]
    assert json.loads(line)["segment"] == segment.name


def test_a_request_id_of_the_clients_choice_pays_every_time(own: Gateway) -> None:
    """R-18."""
    headers = {"x-request-id": "always-the-same"}
    body = {"model": "up/sim-words-3", "messages": ASK}
    for _ in range(3):
        assert own.http.post("/v1/chat/completions", json=body, headers=headers).status_code == 200
    wait_until(lambda: len(outcomes(own)) == 3)
    assert "always-the-same" in outcomes(own)
    sums_are_those_of_the_rows(own)
