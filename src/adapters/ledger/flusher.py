"""Carries records from the spool to the database, exactly once, and closes what a dead process left open.

A record is applied in one transaction with its segment's offset, so a replay begins behind it; the unique
request id is the second wall. A segment's file goes when everything in it is applied and every request that
started in it has ended.
"""

import asyncio
import logging
import shutil
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

from typing_extensions import override

from adapters.ledger.interrupted import interrupted
from adapters.ledger.ownership import LOCK_NAME, OwnDirectory, directories, orphan
from adapters.ledger.reading import OpenRequest, Read, SegmentReader
from adapters.ledger.segment import Kind, ended
from adapters.ledger.spool import SUFFIX, Spool
from domain.errors import StoreUnavailable
from domain.ports.ledger import LedgerBacklog, LedgerHealth, LedgerStore, SegmentOffset
from domain.prices import PriceRow
from domain.records import RequestRecord
from domain.savings import settled

log = logging.getLogger(__name__)

BATCH_RECORDS = 500
FLUSH_SECONDS = 1.0
FINISH_SECONDS = 2.0
"""What the last flush may take when the process stops; what it does not reach is for the next process."""
UNREADABLE_SECONDS = 60.0
"""How soon another look is taken at what a dead process left and cannot be read."""

FindPrice = Callable[[str, str], PriceRow | None]
Observe = Callable[[Sequence[RequestRecord]], None]
"""Told of the requests that were carried over: only of those that this process has served."""


def _observe_nothing(_: Sequence[RequestRecord]) -> None:
    pass


class LedgerFlusher(LedgerBacklog):
    """Flushes this process's spool, and those of processes that are no more."""

    def __init__(
        self,
        spool: Spool,
        directory: OwnDirectory,
        root: Path,
        store: LedgerStore,
        find_price: FindPrice,
        observe: Observe = _observe_nothing,
    ) -> None:
        self._spool = spool
        self._directory = directory
        self._root = root
        self._store = store
        self._find_price = find_price
        self._observe = observe
        self._reader = SegmentReader(lean=True)
        self._flushing = asyncio.Lock()
        self._poked = asyncio.Event()
        self._away = self._blocked = False
        self._unreadable: set[Path] = set()
        self._try_at: dict[Path, float] = {}  # directories of dead processes, not to be looked into before
        self._torn_at: set[tuple[str, int]] = set()
        self._taken = 0  # of `spool.ended`
        self._caught_up_at = time.monotonic()
        self._orphans_booked = asyncio.Event()
        self.interrupted = 0
        self.torn = 0
        spool.on_backlog = self._poked.set
        spool.records_read = self._reader.records_read

    @override
    def health(self) -> LedgerHealth:
        waiting = max(0, self._spool.ended - self._taken)
        return LedgerHealth(
            writable=self._spool.writable,
            waiting_records=waiting,
            lag_seconds=round(time.monotonic() - self._caught_up_at, 3) if waiting else 0.0,
            spool_bytes=self._spool.size_bytes,
            torn_records=self.torn,
            dropped_records=self._spool.dropped,
        )

    @override
    async def turn(self) -> None:
        """Wait for a second or a batch, and flush. A database that is away is told once; the records wait."""
        self._poked.clear()
        self._spool.backlog_at = self._taken + BATCH_RECORDS
        if self._spool.ended < self._spool.backlog_at:
            with suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_SECONDS):
                    await self._poked.wait()
        if not await self._reached(self.flush):
            await asyncio.sleep(FLUSH_SECONDS)

    async def flush(self) -> int:
        """Apply what was written since the last flush; returns how many requests.

        Raises `StoreUnavailable`, and `OSError` for files that cannot be read; the others are applied all the same.
        """
        async with self._flushing:
            applied, ended = 0, self._spool.ended - self._spool.waiting
            failure: OSError | None = None
            for extent in self._spool.extents:
                try:
                    applied += await self._apply(self._reader, extent.path, extent.length, 0, extent.descriptor)
                except OSError as error:
                    failure = error
                    continue
                if not extent.growing and self._reader.done_with(extent.path):
                    await self._remove(extent.path)
            if failure is not None:
                raise failure
            self._taken = max(self._taken, ended)
            self._caught_up_at = time.monotonic()
            return applied

    @override
    async def finish(self) -> None:
        """The process stops: flush, close the spool, and leave nothing behind, or leave it to the next process."""
        await self._last_flush(self.flush)
        await asyncio.to_thread(self._spool.close)
        await self._last_flush(self.flush)
        if self._spool.waiting and not await self._last_flush(self._from_memory):
            log.error("usage could neither be written down nor booked", extra={"records": self._spool.waiting})
        if self._spool.extents:
            log.warning("usage that is not in the database yet stays in the spool until the next start")
            self._directory.release()
        else:
            self._directory.remove()
        self._spool.let_go()

    @override
    async def book_orphans(self) -> None:
        """Replay what dead processes left. A database that is away is told once."""
        if await self._reached(self.replay_orphans):
            self._orphans_booked.set()

    @override
    async def orphans_booked(self) -> None:
        await self._orphans_booked.wait()

    async def replay_orphans(self) -> int:
        """Apply what dead processes left, interrupted requests included; returns how many requests.

        What cannot be read is told once, stays for a later try, and keeps nothing else waiting.
        """
        applied = 0
        for directory in await asyncio.to_thread(directories, self._root):
            if directory == self._directory.path or self._try_at.get(directory, 0.0) > time.monotonic():
                continue
            try:
                with orphan(directory) as taken:
                    applied += await self._replay(directory) if taken else 0
            except FileNotFoundError:  # a sibling was quicker
                continue
            except OSError as error:
                self._tell_unreadable(directory, directory, error)
        return applied

    async def _replay(self, directory: Path) -> int:
        reader = SegmentReader()
        applied, torn_before = 0, self.torn
        unreadable: Path | None = None
        segments, strangers = await asyncio.to_thread(_segments, directory)
        for segment, size in segments:
            known = await self._store.offset(segment.name)
            try:
                applied += await self._apply(reader, segment, size, known)
            except OSError as error:
                self._tell_unreadable(directory, segment, error)
                unreadable = segment
        closed = await self._close(reader.open_after(unreadable))  # an end may be in what cannot be read
        if unreadable is None:
            for segment, _ in segments:
                await self._remove(segment)
            if not strangers:
                await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)
        for path in strangers:
            self._tell_unreadable(directory, path, IsADirectoryError("it is no file of the spool"))
        self.interrupted += closed
        if applied or closed or self.torn > torn_before:
            log.warning(
                "a process that ended early left usage behind; it is booked now",
                extra={"records": applied + closed, "interrupted": closed, "torn": self.torn - torn_before},
            )
        return applied + closed

    async def _close(self, left: Sequence[OpenRequest]) -> int:
        """Book what a dead process had under way; returns how many requests."""
        records = [interrupted(item.start, item.progress, self._find_price) for item in left]
        closed = 0
        for at in range(0, len(records), BATCH_RECORDS):
            closed += (await self._store.apply(records[at : at + BATCH_RECORDS], None)).inserted
        return closed

    def _count_torn(self, segment: Path, read: Read) -> None:
        """Once, however often the segment is read."""
        found_at = (segment.name, read.position.offset)
        if read.lost and found_at not in self._torn_at:
            self._torn_at.add(found_at)
            self.torn += read.lost
            facts = {"segment": segment.name, "at": read.position.offset, "records": read.lost}
            log.warning("damaged usage records were passed over", extra=facts)

    def _tell_unreadable(self, directory: Path, path: Path, error: OSError) -> None:
        self._try_at[directory] = time.monotonic() + UNREADABLE_SECONDS
        if path not in self._unreadable:
            self._unreadable.add(path)
            facts = {"path": str(path), "reason": str(error)}
            log.error("usage that a dead process left cannot be read; it stays where it is", extra=facts)

    async def _from_memory(self) -> int:
        """What the disk never took, when the process stops."""
        ends = [ended(payload) for kind, payload in self._spool.in_memory if kind == Kind.END]
        applied = 0
        for at in range(0, len(ends), BATCH_RECORDS):
            batch = await self._settled(ends[at : at + BATCH_RECORDS])
            applied += (await self._store.apply(batch, None)).inserted
        return applied

    async def _apply(
        self, reader: SegmentReader, segment: Path, length: int, known: int, descriptor: int | None = None
    ) -> int:
        """What ended in a segment, as far as it is so long; what lies before `known` is in the database."""
        applied = 0
        while (read := await asyncio.to_thread(reader.read, segment, length, descriptor)) is not None:
            ends = [(item.end, item.record) for item in read.found if isinstance(item.record, RequestRecord)]
            fresh = [(end, record) for end, record in ends if end > known]
            for at in range(0, len(fresh), BATCH_RECORDS):
                batch = fresh[at : at + BATCH_RECORDS]
                offset = SegmentOffset(segment.name, batch[-1][0])
                records = await self._settled([record for _, record in batch])
                applied += (await self._store.apply(records, offset)).inserted
                if reader is self._reader:
                    self._observe(records)
            reader.advance(segment, read)
            self._count_torn(segment, read)
        return applied

    async def _settled(self, records: list[RequestRecord]) -> list[RequestRecord]:
        """With what their decisions saved, where any was made: priced in a thread, once, before it is written."""
        for record in records:
            if record.decision is not None:
                break
        else:
            return records
        return await asyncio.to_thread(lambda: [settled(record, self._find_price) for record in records])

    async def _remove(self, segment: Path) -> None:
        """First its offset, durably with all that came from it, then the file (P-03).

        A file that the disk does not let go is for the next process: applying it again changes nothing.
        """
        await self._store.forget(segment.name)
        self._spool.forget(segment)
        try:
            await asyncio.to_thread(segment.unlink, missing_ok=True)
        except OSError as error:
            log.warning("a finished spool file cannot be removed", extra={"reason": str(error)})
        self._reader.forget(segment)

    async def _reached(self, work: Callable[[], Awaitable[int]]) -> bool:
        """Whether it could be done; that it cannot, and that it can again, is one line each.

        Work that carried nothing has asked nobody, and knows of no end.
        """
        try:
            carried = await work()
        except StoreUnavailable as error:
            if not self._away:
                log.warning("usage waits in the spool: the database is away", extra={"reason": str(error)})
            self._away = True
            return False
        except OSError as error:
            if not self._blocked:
                log.warning("usage waits in the spool: it cannot be read", extra={"reason": str(error)})
            self._blocked = True
            return False
        if carried and (self._away or self._blocked):
            log.warning("usage is carried to the database again")
            self._away = self._blocked = False
        return True

    async def _last_flush(self, work: Callable[[], Awaitable[int]]) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(FINISH_SECONDS):
                return await self._reached(work)
        return False


def _segments(directory: Path) -> tuple[list[tuple[Path, int]], list[Path]]:
    """A dead process's segments with their sizes, oldest first; and what else is there, but for the lock."""
    found = sorted(path for path in directory.iterdir() if path.name != LOCK_NAME)
    segments = [path for path in found if path.suffix == SUFFIX and path.is_file()]
    return [(path, path.stat().st_size) for path in segments], [path for path in found if path not in segments]
