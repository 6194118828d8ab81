"""The usage spool: records are in a file before the client has its last byte (R-10, P-01).

One writer per process. The loop only writes to memory the kernel keeps: a killed process loses nothing.
A thread makes it durable every 100 ms and prepares the next segment, so that the loop never waits for a disk.
Where the disk refuses to take or to keep them, or the database has been away for so long that the spool is full,
records wait in memory in their order, `writable` turns False, and the thread tries again every second; nothing has
to be restarted.
"""

import contextlib
import errno
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from typing_extensions import override

from adapters.ledger.frames import Kind, frame
from adapters.ledger.ownership import OwnDirectory
from adapters.ledger.segment import Segment
from domain.ports.ledger import Ledger
from domain.records import ProgressRecord, RequestRecord, StartRecord

log = logging.getLogger(__name__)

SEGMENT_BYTES = 16 * 1024 * 1024
SYNC_SECONDS = 0.1
RETRY_SECONDS = 1.0
MAX_SPOOL_BYTES = 1024 * 1024 * 1024
MAX_WAITING_BYTES = 256 * 1024 * 1024
SUFFIX = ".spool"


class Extent(NamedTuple):
    """A segment and the length of the whole records in it. Only the last one may be growing."""

    path: Path
    length: int
    growing: bool


class Spool(Ledger):
    """Writes this process's records to `directory`, which it owns alone.

    `on_backlog` is called by the `end` that makes `ended` come to `backlog_at`.
    """

    def __init__(
        self, directory: OwnDirectory, *, segment_bytes: int = SEGMENT_BYTES, max_bytes: int = MAX_SPOOL_BYTES
    ) -> None:
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._max_segments = max(2, max_bytes // segment_bytes)
        self._lock = threading.Lock()  # guards the fields below: the loop and the thread both write
        self._current: Segment | None = None
        self._next: Segment | None = None
        self._full: deque[Segment] = deque()  # yet to be made durable and closed
        self._extents: dict[Path, int] = {}  # of full segments, until the flusher has removed them
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._dirty = False
        self._numbering = threading.Lock()
        self._last_number = 0
        self.ended = 0  # requests that were settled
        self.dropped = 0  # records given up because even memory was full
        self.backlog_at = 0  # call `on_backlog` when `ended` comes here
        self.on_backlog: Callable[[], None] = _nothing
        self._wake = threading.Event()
        self._stopping = False
        self._closed = False
        self._refused = False
        try:
            self._current = self._new_segment()
        except OSError as error:  # a full disk at start is the same as one later
            self._tell(error)
        self._thread = threading.Thread(target=self._keep, name="usage-spool", daemon=True)
        self._thread.start()

    @property
    @override
    def writable(self) -> bool:
        return not self._waiting and self._current is not None

    @property
    def waiting(self) -> int:
        """Records that wait in memory."""
        return len(self._waiting)

    @property
    def size_bytes(self) -> int:
        """What its files take on the disk."""
        return self._segments * self._segment_bytes

    @property
    def extents(self) -> list[Extent]:
        """What is written, oldest segment first."""
        with self._lock:
            extents = [Extent(path, length, False) for path, length in self._extents.items()]
            if self._current is not None:
                extents.append(Extent(self._current.path, self._current.written, True))
        return extents

    def forget(self, segment: Path) -> None:
        """Its file is gone."""
        with self._lock:
            self._extents.pop(segment, None)

    @override
    def start(self, record: StartRecord) -> None:
        self._write(frame(Kind.START, record))

    @override
    def progress(self, record: ProgressRecord) -> None:
        self._write(frame(Kind.PROGRESS, record))

    @override
    def end(self, record: RequestRecord) -> None:
        self._write(frame(Kind.END, record))
        self.ended = ended = self.ended + 1
        if ended == self.backlog_at:
            self.on_backlog()

    def close(self) -> None:
        """Write what waits, make everything durable, and stop; again, it does nothing. Blocks for some milliseconds."""
        if self._closed:
            return
        self._stopping = True
        self._wake.set()
        self._thread.join(timeout=5)
        with self._lock:
            self._closed = True
            if self._waiting:
                self._drain_waiting()
            current, prepared = self._current, self._next
            self._current = self._next = None
            if current is not None:
                self._fill_up(current)
        self._sync()
        if prepared is not None:
            prepared.discard()

    @property
    def _segments(self) -> int:
        return len(self._extents) + (self._current is not None) + (self._next is not None)

    def _write(self, data: bytes) -> None:
        with self._lock:
            if self._waiting or self._current is None or self._closed:
                self._wait(data)
                return
            try:
                self._append(data)
            except OSError as error:
                self._tell(error)
                self._wait(data)

    def _append(self, data: bytes) -> None:
        current = self._current
        if current is None or current.written + len(data) > current.size:
            if current is not None:
                self._fill_up(current)
                self._current = None
            if self._next is not None:
                self._current, self._next = self._next, None
            else:
                self._current = self._new_segment()
            current = self._current
        current.append(data)
        self._dirty = True

    def _tell(self, error: OSError) -> None:
        if not self._refused:
            self._refused = True
            log.error("usage cannot be written down; records wait in memory", extra={"reason": str(error)})

    def _fill_up(self, segment: Segment) -> None:
        self._full.append(segment)
        self._extents[segment.path] = segment.written

    def _wait(self, data: bytes) -> None:
        if self._closed or self._waiting_bytes + len(data) > MAX_WAITING_BYTES:
            self.dropped += 1
            return
        self._waiting.append(data)
        self._waiting_bytes += len(data)

    def _new_segment(self) -> Segment:
        if self._segments >= self._max_segments:
            raise OSError(errno.EDQUOT, "the spool is full: the database has been away for too long")
        with self._numbering:
            self._directory.claim()
            self._last_number = number = max(self._last_number + 1, time.time_ns())
        return Segment(self._directory.path / f"{number:020d}{SUFFIX}", self._segment_bytes)

    def _keep(self) -> None:
        """The thread: durable every 100 ms, a next segment in time, and another try for what waits."""
        retried_at = time.monotonic()
        while not self._stopping:
            self._wake.wait(SYNC_SECONDS)
            self._sync()
            if not self.writable and time.monotonic() - retried_at >= RETRY_SECONDS:
                retried_at = time.monotonic()
                self._try_again()
            self._prepare()

    def _sync(self) -> None:
        with self._lock:
            full, current, dirty = list(self._full), self._current, self._dirty
            self._full.clear()
            self._dirty = False
        for segment in full:
            try:
                segment.close()
            except OSError as error:
                log.warning("usage could not be made durable", extra={"reason": str(error)})
        if dirty and current is not None:
            try:
                current.sync()
            except OSError as error:
                self._give_up(current, error)

    def _give_up(self, segment: Segment, error: OSError) -> None:
        """A disk that takes records and cannot keep them refuses. Those in the segment can be read for now."""
        with self._lock:
            if self._current is not segment:  # it filled up meanwhile, and is tried again when it is closed
                log.warning("usage could not be made durable", extra={"reason": str(error)})
                return
            self._tell(error)
            self._fill_up(segment)
            self._current = None
            prepared, self._next = self._next, None
        if prepared is not None:
            prepared.discard()

    def _try_again(self) -> None:
        """Write what waits. Whether a new segment can be made durable is asked first, outside the lock."""
        made = None
        try:
            if self._current is None:
                made = self._new_segment()
                made.sync()
        except OSError:
            if made is not None:
                made.discard()
            return
        with self._lock:
            if made is not None:  # only this thread makes one while there is none
                self._current = made
            self._drain_waiting()

    def _drain_waiting(self) -> None:
        count = len(self._waiting)
        try:
            if self._current is None:
                self._current = self._new_segment()
            while self._waiting:
                self._append(self._waiting[0])
                self._waiting_bytes -= len(self._waiting.popleft())
        except OSError:
            return
        if self._refused:
            self._refused = False
            log.warning("usage is written down again", extra={"records": count})

    def _prepare(self) -> None:
        """A next segment, outside the lock where it can be: making room may take the disk a while."""
        current = self._current
        if self._next is None and current is not None and current.written * 2 > current.size:
            with contextlib.suppress(OSError):  # told when a record needs the room and has none
                made = self._new_segment()
                with self._lock:
                    if self._current is current:
                        self._next = made
                        return
                made.discard()  # the loop could not wait and made a later one


def _nothing() -> None:
    pass
