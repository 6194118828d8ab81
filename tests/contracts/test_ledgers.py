"""What every ledger and its backlog promise: the spool on disk with its flusher, and the one in memory."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from adapters.ledger.flusher import LedgerFlusher
from adapters.ledger.ownership import OwnDirectory
from adapters.ledger.spool import Spool
from domain.ports.ledger import Ledger, LedgerBacklog
from domain.records import ProgressRecord, StartRecord
from tests.builders import NOW, a_request_record
from tests.fakes.ledger import MemoryLedger, MemoryLedgerStore


class Pair(NamedTuple):
    """What a process writes to, and what carries it on."""

    ledger: Ledger
    backlog: LedgerBacklog


@pytest.fixture(params=["memory", "spool"])
async def pair(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Pair]:
    if request.param == "memory":
        memory = MemoryLedger()
        yield Pair(memory, memory)
        return
    own = OwnDirectory(tmp_path, "one")
    spool = Spool(own, segment_bytes=64 * 1024)
    yield Pair(spool, LedgerFlusher(spool, own, tmp_path, MemoryLedgerStore(), lambda provider, model: None))
    spool.close()


def write_one(ledger: Ledger) -> None:
    record = a_request_record()
    ledger.start(
        StartRecord(record.request_id, record.decision_id, NOW, record.tenant_id, None, record.endpoint, "m", True, 4)
    )
    ledger.progress(ProgressRecord(record.request_id, 1, "alpha", "pk_1", "m", 80, None))
    ledger.end(record)


async def test_a_new_ledger_is_writable_and_nothing_waits(pair: Pair) -> None:
    health = pair.backlog.health()

    assert pair.ledger.writable
    assert (health.writable, health.waiting_records, health.dropped_records, health.torn_records) == (True, 0, 0, 0)


async def test_what_is_written_waits_until_it_is_carried_over(pair: Pair) -> None:
    write_one(pair.ledger)

    assert pair.backlog.health().waiting_records == 1


async def test_a_turn_can_be_given_up_and_orphans_can_be_asked_for_where_there_are_none(pair: Pair) -> None:
    turn = asyncio.create_task(pair.backlog.turn())
    await asyncio.sleep(0)
    turn.cancel()
    await asyncio.gather(turn, return_exceptions=True)
    await pair.backlog.book_orphans()

    assert pair.backlog.health().dropped_records == 0


async def test_after_the_end_nothing_can_be_written_and_nothing_raises(pair: Pair) -> None:
    write_one(pair.ledger)
    await pair.backlog.finish()

    write_one(pair.ledger)

    assert not pair.ledger.writable
