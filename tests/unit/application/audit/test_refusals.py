"""Refusals reach the audit trail once a minute each, with their number, and never as a flood."""

import pytest

from application.audit.refusals import ENTRIES_A_TURN, MAX_KINDS, REPEAT_SECONDS, RefusalLog
from domain.actors import NOBODY, Actor
from domain.audit import AuditEntry, AuditFilter
from domain.errors import StoreUnavailable
from tests.fakes.clock import FakeClock
from tests.fakes.store import MemoryStore

MALLORY = Actor("anonymous", "", "", address="203.0.113.7", request_id="req_1")


async def entries(store: MemoryStore) -> list[AuditEntry]:
    async with store.read() as unit:
        return list(await unit.audit.page(AuditFilter(outcome="refused"), 10_000, None))


def changes(entry: AuditEntry) -> dict[str, bytes]:
    return {change.field: bytes(change.new) for change in entry.record.changes}


async def test_a_refusal_says_who_and_what_for() -> None:
    store = MemoryStore()
    log = RefusalLog(store, FakeClock())

    log.note(MALLORY, "GET /admin/keys", "invalid_api_key")
    await log.write_down()

    (entry,) = await entries(store)
    assert (entry.record.actor, entry.record.object_id) == (MALLORY, "GET /admin/keys")
    assert changes(entry) == {"code": b'"invalid_api_key"'}


async def test_the_same_refusal_is_one_entry_a_minute_with_its_number() -> None:
    store, clock = MemoryStore(), FakeClock()
    log = RefusalLog(store, clock)
    for _ in range(3):
        log.note(MALLORY, "GET /admin/keys", "invalid_api_key")
    await log.write_down()
    for _ in range(2):
        log.note(MALLORY, "GET /admin/keys", "invalid_api_key")
    await log.write_down()
    assert len(await entries(store)) == 1

    clock.advance(REPEAT_SECONDS + 1)
    await log.write_down()

    newest, oldest = await entries(store)
    assert (changes(newest)["times"], changes(oldest)["times"]) == (b"2", b"3")


async def test_a_flood_of_different_refusals_is_a_few_entries_and_a_number() -> None:
    store = MemoryStore()
    log = RefusalLog(store, FakeClock())
    total = MAX_KINDS + 500
    for number in range(total):
        log.note(Actor("anonymous", "", "", address=f"203.0.113.{number}"), "GET /admin/keys", "invalid_api_key")

    await log.write_down()

    found = await entries(store)
    assert len(found) == ENTRIES_A_TURN + 1
    assert found[0].record.actor == NOBODY
    assert changes(found[0])["times"] == b"%d" % (total - ENTRIES_A_TURN)


async def test_what_cannot_be_written_now_is_written_later() -> None:
    store = MemoryStore()
    log = RefusalLog(store, FakeClock())
    log.note(MALLORY, "GET /admin/keys", "invalid_api_key")
    store.broken = True
    with pytest.raises(StoreUnavailable):
        await log.write_down()

    store.broken = False
    await log.write_down()

    assert len(await entries(store)) == 1


async def test_at_the_end_everything_is_written() -> None:
    store = MemoryStore()
    log = RefusalLog(store, FakeClock())
    for _ in range(2):
        log.note(MALLORY, "GET /admin/keys", "invalid_api_key")
        await log.write_down(everything=True)

    assert len(await entries(store)) == 2
