"""The spool's folder vanishes, moves or refuses while the gateway serves: no record is lost, and it is told once."""

import errno
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.ledger import flusher as flusher_module
from adapters.ledger import spool as spool_module
from adapters.ledger.flusher import LedgerFlusher
from adapters.ledger.ownership import OwnDirectory
from adapters.ledger.segment import Segment
from adapters.ledger.spool import Spool
from tests.fakes.ledger import MemoryLedgerStore
from tests.unit.adapters.ledger.test_spool import a_start, an_end, is_writable, records_in
from tests.waiting import wait_until


class Books:
    """A spool and its flusher in `data`/spool."""

    def __init__(self, data: Path) -> None:
        self.root = data / "spool"
        self.store = MemoryLedgerStore()
        self.own = OwnDirectory(self.root, "own")
        self.spool = Spool(self.own, segment_bytes=16 * 1024)
        self.flusher = LedgerFlusher(self.spool, self.own, self.root, self.store, lambda provider, model: None)
        self.count = 0

    def end(self, count: int) -> None:
        for _ in range(count):
            self.count += 1
            self.spool.end(an_end(self.count))

    @property
    def all_of_them(self) -> set[str]:
        return {f"req_{number}" for number in range(1, self.count + 1)}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    return made


@pytest.fixture
def books(data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Books]:
    monkeypatch.setattr(spool_module, "SYNC_SECONDS", 0.01)
    monkeypatch.setattr(spool_module, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(flusher_module, "FLUSH_SECONDS", 0.01)
    made = Books(data)
    yield made
    made.spool.close()
    made.spool.let_go()
    made.own.release()


def the_folder_of_the_process(books: Books) -> None:
    shutil.rmtree(books.own.path)


def the_spool_folder(books: Books) -> None:
    shutil.rmtree(books.root)


def the_files_in_it(books: Books) -> None:
    for path in books.own.path.glob("*.spool"):
        path.unlink()


def its_lock(books: Books) -> None:
    (books.own.path / "lock").unlink()


def moved_away(books: Books) -> None:
    books.root.rename(books.root.with_name("moved"))


def replaced_by_a_copy(books: Books) -> None:
    copy = books.root.with_name("copy")
    shutil.copytree(books.root, copy)
    shutil.rmtree(books.root)
    copy.rename(books.root)


VANISHING = [
    the_folder_of_the_process, the_spool_folder, the_files_in_it, its_lock, moved_away, replaced_by_a_copy,
]  # fmt: skip


def in_their_folder(books: Books) -> bool:
    pairs = [(extent.path, os.fstat(extent.descriptor).st_ino) for extent in books.spool.extents]
    return books.own.is_held() and all(path.exists() and path.stat().st_ino == inode for path, inode in pairs)


@pytest.mark.parametrize("vanish", VANISHING)
async def test_what_vanishes_is_made_again_and_every_record_is_in_it(
    books: Books, vanish: Callable[[Books], None], caplog: pytest.LogCaptureFixture
) -> None:
    """A process killed afterwards leaves all of them, as if nothing had been."""
    books.spool.start(a_start(5000))
    books.end(300)
    vanish(books)
    books.end(300)
    wait_until(lambda: in_their_folder(books) and is_writable(books.spool))
    books.end(10)

    found = [record for extent in books.spool.extents for record in records_in(extent.path.read_bytes())]
    assert {r.request_id for r in found} == books.all_of_them | {"req_5000"}
    assert len([r for r in caplog.records if "cannot be written" in r.message]) <= 1
    await books.flusher.flush()
    assert set(books.store.requests) == books.all_of_them


@pytest.mark.parametrize("vanish", VANISHING)
async def test_a_stop_right_after_it_vanished_loses_nothing_and_leaves_nothing(
    books: Books, vanish: Callable[[Books], None], data: Path
) -> None:
    books.end(300)
    vanish(books)
    books.end(300)
    await books.flusher.finish()

    assert set(books.store.requests) == books.all_of_them
    assert not books.own.path.exists()


async def test_while_the_data_folder_is_gone_it_is_unready_said_once_and_the_rest_goes_on(
    books: Books, data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What is mounted there is not there: nothing is made below where it was. The database may be elsewhere."""
    books.end(100)
    shutil.rmtree(data)
    wait_until(lambda: not is_writable(books.spool))
    books.end(600)  # more than the file that is open takes
    for _ in range(20):
        await books.flusher.turn()

    assert data.name not in os.listdir(data.parent)  # noqa: PTH208 - quick, in a coroutine
    assert not is_writable(books.spool)
    assert len(books.store.requests) >= 100
    assert books.spool.waiting > 0

    os.mkdir(data)  # noqa: PTH102 - of a few microseconds, in a coroutine
    wait_until(lambda: any("written down again" in record.message for record in caplog.records))
    await books.flusher.flush()
    assert set(books.store.requests) == books.all_of_them
    messages = [record.message for record in caplog.records]
    assert len([m for m in messages if "cannot be written" in m]) == 1
    assert len([m for m in messages if "written down again" in m]) == 1
    assert len(messages) == 2


async def test_a_data_folder_that_comes_back_as_it_was_is_gone_on_with(books: Books, data: Path) -> None:
    """As a mount that was away. Its lock is still this process's, and is not given up in between."""
    books.end(100)
    away = data.with_name("away")
    os.rename(data, away)  # noqa: PTH104 - of a few microseconds, in a coroutine
    wait_until(lambda: not is_writable(books.spool))
    books.end(600)
    for _ in range(20):
        await books.flusher.turn()
    time.sleep(4 * spool_module.RETRY_SECONDS)  # noqa: ASYNC251 - a thread tries to make it again meanwhile
    os.rename(away, data)  # noqa: PTH104 - the same

    wait_until(lambda: is_writable(books.spool))
    assert books.own.is_held()
    await books.flusher.flush()
    assert set(books.store.requests) == books.all_of_them


async def test_what_no_disk_took_is_booked_from_memory_when_the_process_stops(books: Books, data: Path) -> None:
    books.end(100)
    shutil.rmtree(data)
    books.end(600)
    await books.flusher.finish()

    assert set(books.store.requests) == books.all_of_them


FAULTS = [errno.EIO, errno.ESTALE, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.ENODEV, errno.EMFILE]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda number: errno.errorcode[number])
@pytest.mark.parametrize("call", ["append", "sync", "put_back", "__init__"])
async def test_a_lasting_fault_of_any_call_loses_nothing_and_is_said_once(
    books: Books,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    call: str,
    fault: int,
) -> None:
    real, refusing, asked = getattr(Segment, call), threading.Event(), 0

    def refuses(segment: Segment, *args: object) -> object:
        nonlocal asked
        if not refusing.is_set():
            return real(segment, *args)
        asked += 1
        raise OSError(fault, os.strerror(fault))

    books.end(50)
    monkeypatch.setattr(Segment, call, refuses)
    refusing.set()
    if call == "put_back":
        shutil.rmtree(books.root)
    books.end(600)
    wait_until(lambda: not is_writable(books.spool))
    begun = time.monotonic()
    for _ in range(10):
        await books.flusher.turn()
    wait_until(lambda: time.monotonic() - begun > 0.3)
    tries = asked
    refusing.clear()
    wait_until(lambda: any("written down again" in record.message for record in caplog.records))
    await books.flusher.flush()

    assert set(books.store.requests) == books.all_of_them
    messages = [record.message for record in caplog.records]
    assert len([m for m in messages if "cannot be written" in m]) == 1
    assert len([m for m in messages if "written down again" in m]) == 1
    assert tries <= 1 + 2 * (time.monotonic() - begun) / 0.05 + 64  # a try now and then, not one a record


async def test_files_whose_handle_has_died_are_opened_again(books: Books, caplog: pytest.LogCaptureFixture) -> None:
    """As a network file system's do when its server was restarted."""
    books.end(100)
    (extent, *_) = books.spool.extents
    other = os.open("/", os.O_RDONLY)
    os.dup2(other, extent.descriptor)  # reading and writing fail from now on
    os.close(other)
    books.end(100)
    wait_until(lambda: is_writable(books.spool) and bool(caplog.records))
    await books.flusher.flush()

    assert set(books.store.requests) == books.all_of_them


async def test_what_is_lost_for_good_is_counted(books: Books) -> None:
    """A dead handle, and the file gone too."""
    books.end(20)
    await books.flusher.flush()
    books.end(7)
    (extent,) = books.spool.extents
    other = os.open("/", os.O_RDONLY)
    extent.path.unlink()
    os.dup2(other, extent.descriptor)
    os.close(other)
    wait_until(lambda: books.spool.dropped > 0 and is_writable(books.spool))
    books.end(5)
    await books.flusher.flush()

    assert books.spool.dropped == 7
    assert set(books.store.requests) == books.all_of_them - {f"req_{number}" for number in range(21, 28)}


def test_a_file_that_is_booked_while_it_is_looked_for_is_not_missed(
    books: Books, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    books.end(600)
    booked = books.spool.extents[0].path
    real, gone = Segment.is_in_its_folder, threading.Event()

    def is_booked_first(segment: Segment) -> bool:
        if segment.path == booked and not gone.is_set():
            books.spool.forget(booked)
            booked.unlink()
            gone.set()
        return real(segment)

    monkeypatch.setattr(Segment, "is_in_its_folder", is_booked_first)
    wait_until(gone.is_set)
    looked_again = threading.Event()

    def looks_again(segment: Segment) -> bool:
        looked_again.set()
        return real(segment)

    monkeypatch.setattr(Segment, "is_in_its_folder", looks_again)
    wait_until(looked_again.is_set)  # so the first look is over, and what it found is told

    assert is_writable(books.spool)
    assert [record for record in caplog.records if "cannot be written" in record.message] == []
