"""Several processes, each with its own connections: what they admit together is what the limit says."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence

import msgspec
import pytest

from adapters.limits.shared import LEASE_SECONDS, SharedLimitStore
from domain.subject_limits import Limit, Subject
from tests.architecture.tree import ROOT
from tests.contracts.limits.conftest import SHARED
from tests.contracts.limits.counting_process import Orders, counters
from tests.contracts.limits.test_limit_stores import admitted
from tests.contracts.limits.valkey import ValkeyServer
from tests.contracts.persistence.postgres import PostgresServer
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.process

PROCESSES = 4

UnderWay = list[tuple[float, float]]


@pytest.fixture(params=SHARED)
def server(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Which store, and its address."""
    SHARED[request.param](request, FakeClock(), True)
    if request.param == "valkey":
        valkey: ValkeyServer = request.getfixturevalue("valkey")
        return request.param, valkey.url.reveal()
    postgres: PostgresServer = request.getfixturevalue("postgres")
    return "postgres", postgres.migrated_url


@pytest.fixture(scope="module")
def processes() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Started once: most of what they cost is their start."""
    command = [sys.executable, "-m", "tests.contracts.limits.counting_process"]
    running = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(PROCESSES)
    ]
    yield running
    for process in running:
        process.communicate()  # its input ends, and so does it
        assert process.returncode in {0, -signal.SIGKILL}


def carried_out(processes: Sequence[subprocess.Popen[bytes]], orders: Orders) -> list[UnderWay]:
    """By all at once."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(orders) + b"\n")
        process.stdin.flush()
    answers = [process.stdout.readline() for process in processes if process.stdout is not None]
    return [msgspec.json.decode(answer, type=UnderWay) for answer in answers]


def test_two_processes_with_a_thousand_requests_admit_a_hundred(
    server: tuple[str, str], processes: list[subprocess.Popen[bytes]]
) -> None:
    """R-04, P-07."""
    admitted_by = carried_out(processes[:2], Orders(*server, "rpm", 100, 500))

    assert sum(map(len, admitted_by)) == 100


def test_of_two_hundred_requests_of_four_processes_never_more_than_ten_are_under_way(
    server: tuple[str, str], processes: list[subprocess.Popen[bytes]]
) -> None:
    """R-04."""
    by_process = carried_out(processes, Orders(*server, "parallel", 10, 50, seconds=0.05))
    spans = [span for under_way in by_process for span in under_way]

    moments = sorted([(began, 1) for began, _ in spans] + [(ended, -1) for _, ended in spans])
    under_way = most = 0
    for _, change in moments:
        under_way += change
        most = max(most, under_way)
    assert 0 < most <= 10


async def test_fifty_slots_of_a_killed_process_are_free_after_half_a_minute(
    server: tuple[str, str], processes: list[subprocess.Popen[bytes]]
) -> None:
    """R-03. By the server's clock, which is told."""
    orders = Orders(*server, "parallel", 50, 50, for_good=True, milliseconds=1_000_000_000)
    dying = processes[-1] if server[0] == "valkey" else processes[-2]
    assert [len(under_way) for under_way in carried_out([dying], orders)] == [50]
    dying.kill()
    dying.wait()

    free = []
    for seconds in (LEASE_SECONDS - 1, LEASE_SECONDS + 1):
        orders.milliseconds = 1_000_000_000 + seconds * 1000
        store = SharedLimitStore(counters(orders), FakeClock())
        free.append(len(await admitted(store.limiter([Limit(Subject("key", "shared"), "parallel", 50)]), 60)))
        await store.aclose()
    assert free == [0, 50]
