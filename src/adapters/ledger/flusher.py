"""Carries records from the spool to the database, exactly once, and closes what a dead process left open.

A record is applied in one transaction with its segment's offset, so a replay begins behind it; the unique
request id is the second wall. A segment's file goes when everything in it is applied and every request that
started in it has ended.
"""

import asyncio
import logging
import shutil
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from typing_extensions import override

from adapters.ledger.interrupted import interrupted
from adapters.ledger.ownership import OwnDirectory, directories, orphan
from adapters.ledger.reading import SegmentReader
from adapters.ledger.spool import SUFFIX, Spool
from domain.errors import StoreUnavailable
from domain.ports.ledger import LedgerBacklog, LedgerHealth, LedgerStore, SegmentOffset
from domain.prices import PriceRow
from domain.records import RequestRecord

log = logging.getLogger(__name__)

BATCH_RECORDS = 500
FLUSH_SECONDS = 1.0
FINISH_SECONDS = 2.0
"""What the last flush may take when the process stops; what it does not reach is for the next process."""

FindPrice = Callable[[str, str], PriceRow | None]


class LedgerFlusher(LedgerBacklog):
    """Flushes this process's spool, and those of processes that are no more."""

    def __init__(
        self, spool: Spool, directory: OwnDirectory, root: Path, store: LedgerStore, find_price: FindPrice
    ) -> None:
        self._spool = spool
        self._directory = directory
        self._root = root
        self._store = store
        self._find_price = find_price
        self._reader = SegmentReader(lean=True)
        self._flushing = asyncio.Lock()
        self._poked = asyncio.Event()
        self._away = False
        self._taken = 0  # of `spool.ended`
        self._caught_up_at = time.monotonic()
        self.interrupted = 0
        self.torn = 0
        spool.on_backlog = self._poked.set

    @override
    def health(self) -> LedgerHealth:
        waiting = max(0, self._spool.ended - self._taken)
        return LedgerHealth(
            writable=self._spool.writable,
            waiting_records=waiting,
            lag_seconds=round(time.monotonic() - self._caught_up_at, 3) if waiting else 0.0,
            spool_bytes=self._spool.size_bytes,
            torn_records=self.torn + self._reader.torn,
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
        """Apply what was written since the last flush; returns how many requests. Raises `StoreUnavailable`."""
        async with self._flushing:
            applied, ended = 0, self._spool.ended - self._spool.waiting
            for extent in self._spool.extents:
                applied += await self._apply(self._reader, extent.path, extent.length, 0)
                if not extent.growing and self._reader.done_with(extent.path):
                    await self._remove(extent.path)
            self._taken = max(self._taken, ended)
            self._caught_up_at = time.monotonic()
            return applied

    @override
    async def finish(self) -> None:
        """The process stops: flush, close the spool, and leave nothing behind, or leave it to the next process."""
        await self._last_flush()
        await asyncio.to_thread(self._spool.close)
        await self._last_flush()
        if self._spool.extents:
            log.warning("usage that is not in the database yet stays in the spool until the next start")
            self._directory.release()
        else:
            self._directory.remove()

    @override
    async def book_orphans(self) -> None:
        """Replay what dead processes left. A database that is away is told once."""
        await self._reached(self.replay_orphans)

    async def replay_orphans(self) -> int:
        """Apply what dead processes left, interrupted requests included; returns how many requests."""
        applied = 0
        for directory in directories(self._root):
            if directory != self._directory.path:
                with orphan(directory) as taken:
                    applied += await self._replay(directory) if taken else 0
        return applied

    async def _replay(self, directory: Path) -> int:
        reader = SegmentReader()
        applied = 0
        segments = await asyncio.to_thread(_segments, directory)
        for segment, size in segments:
            known = await self._store.offset(segment.name)
            applied += await self._apply(reader, segment, size, known)
        left = [interrupted(item.start, item.progress, self._find_price) for item in reader.open.values()]
        closed = 0
        for at in range(0, len(left), BATCH_RECORDS):
            closed += (await self._store.apply(left[at : at + BATCH_RECORDS], None)).inserted
        for segment, _ in segments:
            await self._remove(segment)
        await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)
        self.interrupted += closed
        self.torn += reader.torn
        if applied or closed or reader.torn:
            log.warning(
                "a process that ended early left usage behind; it is booked now",
                extra={"records": applied + closed, "interrupted": closed, "torn": reader.torn},
            )
        return applied + closed

    async def _apply(self, reader: SegmentReader, segment: Path, length: int, known: int) -> int:
        """What ended in a segment, as far as it is so long; what lies before `known` is in the database."""
        applied = 0
        while (read := await asyncio.to_thread(reader.read, segment, length)) is not None:
            ends = [(item.end, item.record) for item in read.found if isinstance(item.record, RequestRecord)]
            fresh = [(end, record) for end, record in ends if end > known]
            for at in range(0, len(fresh), BATCH_RECORDS):
                batch = fresh[at : at + BATCH_RECORDS]
                offset = SegmentOffset(segment.name, batch[-1][0])
                applied += (await self._store.apply([record for _, record in batch], offset)).inserted
            reader.advance(segment, read)
        return applied

    async def _remove(self, segment: Path) -> None:
        """First its offset, durably with all that came from it, then the file (P-03).

        A file that the disk does not let go is for the next process: applying it again changes nothing.
        """
        await self._store.forget(segment.name)
        try:
            await asyncio.to_thread(segment.unlink, missing_ok=True)
        except OSError as error:
            log.warning("a finished spool file cannot be removed", extra={"reason": str(error)})
        self._reader.forget(segment)
        self._spool.forget(segment)

    async def _reached(self, work: Callable[[], Awaitable[int]]) -> bool:
        """Whether the database could be asked; its going and coming is one line each."""
        try:
            await work()
        except StoreUnavailable as error:
            if not self._away:
                log.warning("usage waits in the spool: the database is away", extra={"reason": str(error)})
            self._away = True
            return False
        if self._away:
            log.warning("usage is carried to the database again")
        self._away = False
        return True

    async def _last_flush(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(FINISH_SECONDS):
                await self._reached(self.flush)


def _segments(directory: Path) -> list[tuple[Path, int]]:
    """A dead process's segments with their sizes, oldest first."""
    return [(path, path.stat().st_size) for path in sorted(directory.glob(f"*{SUFFIX}"))]
