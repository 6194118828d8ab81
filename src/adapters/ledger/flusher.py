"""Carries records from the spool to the database, exactly once, and closes what a dead process left open.

A record is applied in one transaction with its segment's offset, so a replay begins behind it; the unique
request id is the second wall. A segment's file goes when everything in it is applied and every request that
started in it has ended.
"""

import asyncio
import fcntl
import logging
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from adapters.ledger.frames import Frame, TornFrame, frames
from adapters.ledger.interrupted import interrupted
from adapters.ledger.spool import SUFFIX, Spool
from domain.ports.ledger import LedgerStore, SegmentOffset
from domain.prices import PriceRow
from domain.records import ProgressRecord, RequestRecord, StartRecord

log = logging.getLogger(__name__)

BATCH_RECORDS = 500
READ_BYTES = 1024 * 1024
LOCK_NAME = "lock"

FindPrice = Callable[[str, str], PriceRow | None]


class OpenRequest(msgspec.Struct):
    """A start without its end, and the segment that must stay until it comes."""

    start: StartRecord
    segment: Path
    progress: ProgressRecord | None = None


class Read(msgspec.Struct, frozen=True):
    """Some records of a segment, and where to go on once they are dealt with."""

    found: Sequence[Frame]
    next_offset: int


class SegmentReader:
    """Reads one directory's segments in order. `advance` after what was read is safe: a failure reads it again."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._read_to: dict[Path, int] = {}
        self.open: dict[str, OpenRequest] = {}
        self.torn = 0

    def segments(self) -> list[Path]:
        """Oldest first."""
        return sorted(self._directory.glob(f"*{SUFFIX}"))

    def read(self, segment: Path, until: int | None) -> Read | None:
        """The next mebibyte of a segment, or None at its end. A torn tail is skipped, counted, logged."""
        start = self._read_to.get(segment, 0)
        size = segment.stat().st_size if until is None else until
        if start >= size:
            return None
        with segment.open("rb") as file:
            data = os.pread(file.fileno(), min(READ_BYTES, size - start), start)
        found: list[Frame] = []
        last_window = start + len(data) >= size
        try:
            found.extend(frames(data, start))  # keeps what came before a torn record
        except TornFrame as torn:
            if last_window or not found:
                self.torn += 1
                log.warning("a torn record was cut from the spool", extra={"segment": segment.name, "at": torn.offset})
                return Read(found, size)
            return Read(found, found[-1].end)  # the window ended inside a record
        return Read(found, size if last_window or not found else found[-1].end)

    def advance(self, segment: Path, read: Read) -> None:
        """What was read is applied: remember whose end is still to come."""
        for item in read.found:
            record = item.record
            if isinstance(record, StartRecord):
                self.open[record.request_id] = OpenRequest(record, segment)
            elif isinstance(record, ProgressRecord):
                if started := self.open.get(record.request_id):
                    started.progress = record
            else:
                self.open.pop(record.request_id, None)
        self._read_to[segment] = read.next_offset

    def forget(self, segment: Path) -> None:
        """Its file is gone."""
        self._read_to.pop(segment, None)

    def done_with(self, segment: Path) -> bool:
        """Whether no request that started in this segment is still open."""
        return all(item.segment != segment for item in self.open.values())


class LedgerFlusher:
    """Flushes this process's spool, and at start those of processes that are no more."""

    def __init__(self, spool: Spool, directory: Path, root: Path, store: LedgerStore, find_price: FindPrice) -> None:
        self._spool = spool
        self._root = root
        self._store = store
        self._find_price = find_price
        self._reader = SegmentReader(directory)
        self._own = directory
        self._flushing = asyncio.Lock()
        self.interrupted = 0

    async def flush(self) -> int:
        """Apply what was written since the last flush; returns how many requests. Raises `StoreUnavailable`."""
        async with self._flushing:
            position = self._spool.position
            segments = await asyncio.to_thread(self._reader.segments)
            applied = 0
            for segment in segments:
                live = position is not None and segment == position[0]
                if position is not None and segment > position[0]:
                    break  # prepared, not in use yet
                until = position[1] if live and position is not None else None
                applied += await self._apply_segment(self._reader, segment, until, 0)
                if not live and self._reader.done_with(segment):
                    await self._remove(segment)
            return applied

    async def replay_orphans(self) -> int:
        """Apply what dead processes left, interrupted requests included; returns how many requests."""
        applied = 0
        for directory in sorted(path for path in self._root.iterdir() if path.is_dir() and path != self._own):
            lock = _take(directory)
            if lock is not None:
                try:
                    applied += await self._replay(directory)
                finally:
                    os.close(lock)
        return applied

    async def _replay(self, directory: Path) -> int:
        reader = SegmentReader(directory)
        applied = 0
        segments = reader.segments()
        for segment in segments:
            applied += await self._apply_segment(reader, segment, None, await self._store.offset(segment.name))
        left = [interrupted(item.start, item.progress, self._find_price) for item in reader.open.values()]
        for at in range(0, len(left), BATCH_RECORDS):
            result = await self._store.apply(left[at : at + BATCH_RECORDS], None)
            applied += result.inserted
            self.interrupted += result.inserted
        for segment in segments:
            await self._remove(segment)
        await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)
        if applied or reader.torn:
            log.warning(
                "a process that ended early left usage behind; it is booked now",
                extra={"records": applied, "interrupted": len(left), "torn": reader.torn},
            )
        return applied

    async def _apply_segment(self, reader: SegmentReader, segment: Path, until: int | None, skip_to: int) -> int:
        applied = 0
        while (read := await asyncio.to_thread(reader.read, segment, until)) is not None:
            ends = [item for item in read.found if isinstance(item.record, RequestRecord) and item.end > skip_to]
            for at in range(0, len(ends), BATCH_RECORDS):
                batch = ends[at : at + BATCH_RECORDS]
                records = [item.record for item in batch if isinstance(item.record, RequestRecord)]
                result = await self._store.apply(records, SegmentOffset(segment.name, batch[-1].end))
                applied += result.inserted
            reader.advance(segment, read)
        return applied

    async def _remove(self, segment: Path) -> None:
        await asyncio.to_thread(segment.unlink, missing_ok=True)
        self._reader.forget(segment)
        await self._store.forget(segment.name)


def own_directory(root: Path, name: str) -> tuple[Path, int]:
    """Make this process's directory and hold its lock for as long as the descriptor is open."""
    directory = root / name
    directory.mkdir(mode=0o700, parents=True)
    lock = _take(directory)
    if lock is None:
        raise OSError(f"the spool directory {directory} belongs to another process")
    return directory, lock


def _take(directory: Path) -> int | None:
    descriptor = os.open(directory / LOCK_NAME, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
