"""Every settled request reaches the database exactly once, whatever fails and whenever."""

import asyncio
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from adapters.ledger import flusher as flusher_module
from adapters.ledger.flusher import LedgerFlusher
from adapters.ledger.ownership import OwnDirectory
from adapters.ledger.reading import Read, SegmentReader
from adapters.ledger.segment import Kind, frame
from adapters.ledger.spool import Spool
from domain.errors import StoreUnavailable
from domain.prices import PriceRow, Prices
from domain.records import distinct
from tests.fakes.ledger import MemoryLedgerStore
from tests.unit.adapters.ledger.test_spool import NOW, a_progress, a_start, an_end

SEGMENT_BYTES = 64 * 1024
PRICE = PriceRow("price_1", "alpha", "m", Prices(1_000_000_000, 2_000_000_000), "admin", NOW)


class Process:
    """A process with its spool; `die` leaves everything where it is, as a kill does."""

    def __init__(self, root: Path, name: str, store: MemoryLedgerStore) -> None:
        self.own = OwnDirectory(root, name)
        self.directory = self.own.path
        self.spool = Spool(self.own, segment_bytes=SEGMENT_BYTES)
        self.flusher = LedgerFlusher(self.spool, self.own, root, store, lambda provider, model: PRICE)

    def die(self) -> None:
        self.own.release()


def left_in(root: Path) -> list[Path]:
    return list(root.iterdir())


@pytest.fixture
def store() -> MemoryLedgerStore:
    return MemoryLedgerStore()


@pytest.fixture
def process(tmp_path: Path, store: MemoryLedgerStore) -> Iterator[Process]:
    running = Process(tmp_path, "one", store)
    yield running
    running.spool.close()


async def test_ends_are_applied_once_and_flushing_again_does_nothing(
    process: Process, store: MemoryLedgerStore
) -> None:
    for number in range(1200):
        process.spool.start(a_start(number))
        process.spool.end(an_end(number))

    assert await process.flusher.flush() == 1200
    assert await process.flusher.flush() == 0
    assert len(store.requests) == 1200


async def test_a_segment_goes_when_all_of_it_is_applied_and_stays_while_a_request_in_it_is_open(
    process: Process, store: MemoryLedgerStore
) -> None:
    process.spool.start(a_start(0))
    first = next(process.directory.glob("*.spool"))
    for number in range(1, 600):
        process.spool.end(an_end(number))
    await process.flusher.flush()
    assert first.exists()
    process.spool.end(an_end(0))
    await process.flusher.flush()
    await process.flusher.flush()
    assert not first.exists()
    assert len(store.requests) == 600
    assert first.name not in store.offsets


async def test_a_file_that_the_disk_does_not_let_go_is_told_and_applied_again_without_effect(
    tmp_path: Path, process: Process, store: MemoryLedgerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-18, R-30: the disk turned read-only; whatever a later process finds there is booked already."""
    for number in range(600):
        process.spool.start(a_start(number))
        process.spool.end(an_end(number))
    files = sorted(process.directory.glob("*.spool"))

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refuse)
        assert await process.flusher.flush() == 600
        assert await process.flusher.flush() == 0
    assert sorted(process.directory.glob("*.spool")) == files
    assert len(process.spool.extents) == 1
    process.die()
    following = Process(tmp_path, "two", store)
    assert await following.flusher.replay_orphans() == 0
    following.spool.close()
    assert {record.outcome for record in store.requests.values()} == {"ok"}
    assert len(store.requests) == 600


async def test_a_database_that_fails_midway_is_caught_up_with_later(process: Process, store: MemoryLedgerStore) -> None:
    """P-04."""
    for number in range(2000):
        process.spool.end(an_end(number))
    for fail_at in (2, 3, 5):
        store.fail_at = fail_at
        with pytest.raises(StoreUnavailable):
            await process.flusher.flush()
    store.fail_at = None
    await process.flusher.flush()

    assert len(store.requests) == 2000


async def test_what_a_killed_process_left_is_booked_by_the_next(
    tmp_path: Path, process: Process, store: MemoryLedgerStore
) -> None:
    """P-01: ended requests are kept as they were, open ones become interrupted, nothing twice."""
    process.spool.end(an_end(1))
    await process.flusher.flush()
    process.spool.end(an_end(2))
    process.spool.start(a_start(3))
    process.spool.progress(a_progress(3))
    process.spool.start(a_start(4))
    process.die()

    following = Process(tmp_path, "two", store)
    assert await following.flusher.replay_orphans() == 3
    assert await following.flusher.replay_orphans() == 0
    following.spool.close()

    assert {r.request_id: r.outcome for r in store.requests.values()} == {
        "req_1": "ok",
        "req_2": "ok",
        "req_3": "interrupted",
        "req_4": "interrupted",
    }
    attempt = store.requests["req_3"].attempts[0]
    assert attempt.usage is not None
    assert (attempt.usage.input_tokens, attempt.usage.output_tokens) == (100, 20)
    assert (attempt.usage_source, attempt.price_id, attempt.cost_nano_usd) == ("estimated", "price_1", 140_000)
    assert store.requests["req_4"].attempts == ()
    assert not process.directory.exists()


async def test_a_process_that_still_runs_is_not_replayed(
    tmp_path: Path, process: Process, store: MemoryLedgerStore
) -> None:
    process.spool.end(an_end(1))
    other = Process(tmp_path, "two", store)
    assert await other.flusher.replay_orphans() == 0
    other.spool.close()
    assert process.directory.exists()


async def test_a_torn_tail_is_cut_counted_and_logged(
    tmp_path: Path, process: Process, store: MemoryLedgerStore, caplog: pytest.LogCaptureFixture
) -> None:
    process.spool.end(an_end(1))
    (extent,) = process.spool.extents
    with extent.path.open("r+b") as file:
        file.seek(extent.length)
        file.write(frame(Kind.END, an_end(2))[:-7])
    process.die()

    following = Process(tmp_path, "two", store)
    await following.flusher.replay_orphans()
    following.spool.close()

    assert list(store.requests) == ["req_1"]
    assert any("passed over" in record.message for record in caplog.records)
    assert following.flusher.health().torn_records == 1


async def test_a_replay_that_was_cut_short_itself_goes_on_where_it_stopped(
    tmp_path: Path, process: Process, store: MemoryLedgerStore
) -> None:
    """R-18: crash between insert and offset, three times over."""
    for number in range(1800):
        process.spool.start(a_start(number))
        process.spool.end(an_end(number))
    process.spool.start(a_start(9999))
    process.die()
    for attempt in range(3):
        store.fail_at = store.batches + 2
        dying = Process(tmp_path, f"dying-{attempt}", store)
        with pytest.raises(StoreUnavailable):
            await dying.flusher.replay_orphans()
        dying.spool.close()
        dying.die()
    store.fail_at = None
    last = Process(tmp_path, "last", store)
    await last.flusher.replay_orphans()
    last.spool.close()

    assert len(store.requests) == 1801


async def test_two_requests_under_one_id_of_the_clients_choice_are_two(
    tmp_path: Path, process: Process, store: MemoryLedgerStore
) -> None:
    """R-18: or a client could have every request after the first for nothing."""
    first, second = an_end(1), msgspec.structs.replace(an_end(1), decision_id="dec_other")
    process.spool.start(a_start(1))
    process.spool.start(msgspec.structs.replace(a_start(1), decision_id="dec_other"))
    process.spool.end(first)
    await process.flusher.flush()
    process.die()
    following = Process(tmp_path, "two", store)
    await following.flusher.replay_orphans()
    following.spool.close()

    assert [(r.request_id, r.outcome) for r in store.requests.values()] == [
        ("req_1", "ok"),
        ("req_1~dec_other", "interrupted"),
    ]
    assert distinct(second).request_id == "req_1~dec_other"


async def test_a_clean_stop_leaves_nothing_behind(tmp_path: Path, process: Process, store: MemoryLedgerStore) -> None:
    """P-02."""
    for number in range(700):
        process.spool.start(a_start(number))
        process.spool.end(an_end(number))
    await process.flusher.finish()

    assert len(store.requests) == 700
    assert left_in(tmp_path) == []
    assert store.offsets == {}


async def test_a_stop_without_a_database_leaves_everything_to_the_next_process(
    tmp_path: Path, process: Process, store: MemoryLedgerStore
) -> None:
    process.spool.end(an_end(1))
    process.spool.start(a_start(2))
    store.broken = True
    await process.flusher.finish()
    store.broken = False
    following = Process(tmp_path, "two", store)
    await following.flusher.book_orphans()
    await following.flusher.finish()

    assert {r.request_id: r.outcome for r in store.requests.values()} == {"req_1": "ok", "req_2": "interrupted"}
    assert left_in(tmp_path) == []


async def test_a_look_for_dead_processes_that_finds_none_does_not_say_that_the_database_is_back(
    process: Process, store: MemoryLedgerStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(flusher_module, "FLUSH_SECONDS", 0.001)
    process.spool.end(an_end(1))
    store.broken = True
    for _ in range(2):
        await process.flusher.turn()
        await process.flusher.book_orphans()
    store.broken = False
    await process.flusher.turn()

    assert [record.message for record in caplog.records] == [
        "usage waits in the spool: the database is away",
        "usage is carried to the database again",
    ]


async def test_a_database_that_is_away_is_told_once_and_its_return_once(
    process: Process, store: MemoryLedgerStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """R-42, P-04: the backlog shows meanwhile, and is gone afterwards."""
    monkeypatch.setattr(flusher_module, "FLUSH_SECONDS", 0.01)
    store.broken = True
    process.spool.end(an_end(1))
    for _ in range(3):
        await process.flusher.turn()
    away = process.flusher.health()
    store.broken = False
    await process.flusher.turn()
    back = process.flusher.health()

    assert (away.waiting_records, away.lag_seconds > 0) == (1, True)
    assert (back.waiting_records, back.lag_seconds) == (0, 0.0)
    received = [record.message for record in caplog.records]
    assert sum("database is away" in message for message in received) == 1
    assert sum("to the database again" in message for message in received) == 1


async def test_a_full_batch_does_not_wait_for_its_second(
    process: Process, store: MemoryLedgerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.ledger.flusher.FLUSH_SECONDS", 3600)
    turn = asyncio.create_task(process.flusher.turn())
    await asyncio.sleep(0)
    for number in range(500):
        process.spool.end(an_end(number))
    await turn

    assert len(store.requests) == 500


async def test_a_directory_whose_owner_died_before_it_had_a_name_goes(
    tmp_path: Path, process: Process, store: MemoryLedgerStore
) -> None:
    draft = tmp_path / ".never"
    draft.mkdir()
    await process.flusher.replay_orphans()
    assert draft.exists()  # it may be about to get one
    os.utime(draft, (1, 1))
    await process.flusher.replay_orphans()
    assert not draft.exists()


def a_stray_folder(directory: Path) -> None:
    (directory / "00000000000000000001.spool").mkdir()


def a_lock_that_is_a_folder(directory: Path) -> None:
    (directory / "lock").unlink()
    (directory / "lock").mkdir()


def a_link_into_nothing(directory: Path) -> None:
    (directory / "00000000000000000001.spool").symlink_to(directory / "nowhere" / "nothing")


def a_link_to_itself(directory: Path) -> None:
    (directory / "lock").unlink()
    (directory / "lock").symlink_to(directory / "lock")


@pytest.mark.parametrize("spoil", [a_stray_folder, a_lock_that_is_a_folder, a_link_into_nothing, a_link_to_itself])
async def test_what_cannot_be_read_of_one_dead_process_is_told_once_and_keeps_no_other_waiting(
    tmp_path: Path, store: MemoryLedgerStore, caplog: pytest.LogCaptureFixture, spoil: Callable[[Path], None]
) -> None:
    dead = [Process(tmp_path, name, store) for name in ("a", "b", "c")]
    for number, process in enumerate(dead):
        process.spool.end(an_end(number))
        process.spool.close()
        process.die()
    spoil(dead[0].directory)
    living = Process(tmp_path, "living", store)
    for _ in range(3):
        await living.flusher.book_orphans()
    living.spool.close()

    assert {"req_1", "req_2"} <= set(store.requests)
    assert (dead[0].directory.exists(), dead[1].directory.exists()) == (True, False)
    assert len([r for r in caplog.records if "cannot be read" in r.message]) == 1


@pytest.mark.parametrize("fault", [errno.EIO, errno.EACCES, errno.ESTALE])
async def test_a_segment_that_cannot_be_read_is_booked_when_it_can_and_the_others_at_once(
    tmp_path: Path, store: MemoryLedgerStore, monkeypatch: pytest.MonkeyPatch, fault: int
) -> None:
    """A request whose end may be in it is not booked as interrupted meanwhile."""
    process = Process(tmp_path, "dead", store)
    process.spool.start(a_start(5000))
    process.spool.end(an_end(0))
    while len(process.spool.extents) == 1:
        process.spool.end(an_end(1))
    process.spool.end(an_end(5000))
    process.spool.close()
    process.die()
    (_, second) = sorted(process.directory.glob("*.spool"))
    real = SegmentReader.read

    def fails(reader: SegmentReader, segment: Path, length: int, descriptor: int | None = None) -> Read | None:
        if segment == second:
            raise OSError(fault, os.strerror(fault))
        return real(reader, segment, length, descriptor)

    monkeypatch.setattr(SegmentReader, "read", fails)
    monkeypatch.setattr(flusher_module, "UNREADABLE_SECONDS", 0.0)
    living = Process(tmp_path, "living", store)
    await living.flusher.book_orphans()
    before = dict(store.requests)
    monkeypatch.setattr(SegmentReader, "read", real)
    await living.flusher.book_orphans()
    living.spool.close()

    assert set(before) == {"req_0", "req_1"}
    assert {r.request_id: r.outcome for r in store.requests.values()} == {
        "req_0": "ok", "req_1": "ok", "req_5000": "ok",
    }  # fmt: skip
    assert not process.directory.exists()
