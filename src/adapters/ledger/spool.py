"""The usage spool: records are in a file before the client has its last byte (R-10, P-01).

One writer per process. The loop only writes to memory the kernel keeps: a killed process loses nothing.
A thread makes it durable every 100 ms and prepares the next segment, so that the loop never waits for a disk.
Where the disk refuses to take or to keep them, or the database has been away for so long that the spool is full,
records wait in memory in their order, `writable` turns False, and the thread tries again every second; nothing has
to be restarted. Where the folder vanishes, what is in its files is still there for who has them open: it is carried
to the database, and written anew as soon as the folder can be had again.
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

from adapters.ledger.ownership import OwnDirectory
from adapters.ledger.segment import HEAD_BYTES, Kind, Segment, encoded, framed
from domain.ports.ledger import Ledger
from domain.records import ProgressRecord, RequestRecord, StartRecord

log = logging.getLogger(__name__)

SEGMENT_BYTES = 16 * 1024 * 1024
SYNC_SECONDS = 0.1
RETRY_SECONDS = 1.0
MAX_SPOOL_BYTES = 1024 * 1024 * 1024
MAX_WAITING_BYTES = 256 * 1024 * 1024
SUFFIX = ".spool"


_Entry = tuple[Kind, bytes]
"""A record as it waits: what it is, and its bytes."""


class Extent(NamedTuple):
    """A segment and the length of the whole records in it. Only the last one may be growing."""

    path: Path
    length: int
    growing: bool
    descriptor: int


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
        self._full: deque[Segment] = deque()  # yet to be made durable
        self._kept: dict[Path, Segment] = {}  # full segments, until the flusher has removed them
        self._forgotten: list[Segment] = []  # yet to be closed, by the thread: it alone works with the files of others
        self._waiting: deque[_Entry] = deque()
        self._waiting_bytes = 0
        self._dirty = False
        self._numbering = threading.Lock()
        self._last_number = 0
        self.ended = 0  # requests that were settled
        self.dropped = 0  # records given up because even memory was full
        self.backlog_at = 0  # call `on_backlog` when `ended` comes here
        self.on_backlog: Callable[[], None] = _nothing
        self.records_read: Callable[[Path], int] = _none  # of a segment, by the flusher
        self._wake = threading.Event()
        self._stopping = False
        self._closed = False
        self._refused = self._missing = False
        self._drained = 0  # records that waited and are written down, since it was last told
        try:
            self._current = self._new_segment()
        except OSError as error:  # a full disk at start is the same as one later
            self._tell(error)
        self._thread = threading.Thread(target=self._keep, name="usage-spool", daemon=True)
        self._thread.start()

    @property
    @override
    def writable(self) -> bool:
        return not self._waiting and self._current is not None and not self._missing

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
            current = self._current
            extents = [Extent(path, kept.written, False, kept.descriptor) for path, kept in self._kept.items()]
            if current is not None:
                extents.append(Extent(current.path, current.written, True, current.descriptor))
        return extents

    @property
    def in_memory(self) -> list[tuple[Kind, bytes]]:
        """The records that wait in memory, and their kinds."""
        with self._lock:
            return list(self._waiting)

    def forget(self, segment: Path) -> None:
        """All of it is in the database, and its file goes."""
        with self._lock:
            forgotten = self._kept.pop(segment, None)
            if forgotten is not None:
                self._forgotten.append(forgotten)

    @override
    def start(self, record: StartRecord) -> None:
        self._write((Kind.START, encoded(record)))

    @override
    def progress(self, record: ProgressRecord) -> None:
        self._write((Kind.PROGRESS, encoded(record)))

    @override
    def end(self, record: RequestRecord) -> None:
        self._write((Kind.END, encoded(record)))
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
        self._look_for_files()
        if self._missing:
            with contextlib.suppress(OSError):  # told when they went missing
                self._put_back()

    def let_go(self) -> None:
        """Close the files, after `close`. What is in them is for the next process."""
        for segment in list(self._kept):
            self.forget(segment)
        self._close_forgotten()

    @property
    def _segments(self) -> int:
        return len(self._kept) + (self._current is not None) + (self._next is not None)

    def _write(self, entry: _Entry) -> None:
        with self._lock:
            if self._waiting or self._current is None or self._closed:
                self._wait(entry)
                return
            try:
                self._append(entry)
            except OSError as error:
                self._tell(error)
                self._wait(entry)

    def _append(self, entry: _Entry) -> None:
        current = self._current
        kind, payload = entry
        if current is None or current.written + HEAD_BYTES + len(payload) > current.size:
            if current is not None:
                self._fill_up(current)
                self._current = None
            if self._next is not None:
                self._current, self._next = self._next, None
            else:
                self._current = self._new_segment()
            current = self._current
        current.append(framed(kind, payload, current.records + 1))
        self._dirty = True

    def _tell(self, error: OSError) -> None:
        if not self._refused:
            self._refused = True
            log.error("usage cannot be written down; records wait in memory", extra={"reason": str(error)})

    def _fill_up(self, segment: Segment) -> None:
        self._full.append(segment)
        self._kept[segment.path] = segment

    def _wait(self, entry: _Entry) -> None:
        if self._closed or self._waiting_bytes + len(entry[1]) > MAX_WAITING_BYTES:
            self.dropped += 1
            return
        self._waiting.append(entry)
        self._waiting_bytes += len(entry[1])

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
            self._look_for_files()
            self._tell_recovery()
            if not self.writable and time.monotonic() - retried_at >= RETRY_SECONDS:
                retried_at = time.monotonic()
                self._try_again()
            self._prepare()
            self._close_forgotten()

    def _sync(self) -> None:
        with self._lock:
            full, current, dirty = list(self._full), self._current, self._dirty
            self._full.clear()
            self._dirty = False
        for segment in full:
            try:
                if segment.path in self._kept:
                    segment.sync()
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
            if self._current is not segment:  # it filled up meanwhile, and is made durable with the full ones
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
            if self._missing:
                self._put_back()
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
            self._tell_recovery()

    def _drain_waiting(self) -> None:
        count = len(self._waiting)
        try:
            if self._current is None:
                self._current = self._new_segment()
            while self._waiting:
                self._append(self._waiting[0])
                self._waiting_bytes -= len(self._waiting.popleft()[1])
        except OSError:
            return
        finally:
            self._drained += count - len(self._waiting)

    def _tell_recovery(self) -> None:
        if self._refused and self.writable:
            self._refused = False
            log.warning("usage is written down again", extra={"records": self._drained})
            self._drained = 0

    def _close_forgotten(self) -> None:
        with self._lock:
            forgotten, self._forgotten = self._forgotten, []
        for segment in forgotten:
            segment.let_go()

    def _look_for_files(self) -> None:
        """Records in a file that nobody can find are lost with this process: the same as not written down."""
        with self._lock:
            mine = self._mine()
            prepared = self._next
        missing = [segment for segment in mine if not segment.is_in_its_folder()]
        if missing:
            with self._lock:  # one that was booked meanwhile is gone because it was let go
                still_mine = self._mine()
            missing = [segment for segment in missing if segment in still_mine]
        self._missing = bool(missing) or (bool(mine) and not self._directory.is_held())
        if self._missing:
            path = str(missing[0].path if missing else self._directory.path)
            self._tell(FileNotFoundError(errno.ENOENT, "it is not where it was", path))
        if self._missing and prepared is not None:
            with self._lock:
                unused, self._next = self._next, None
            if unused is not None:
                unused.discard()

    def _mine(self) -> list[Segment]:
        return [*self._kept.values(), *([self._current] if self._current is not None else [])]

    def _put_back(self) -> None:
        """Write what is in files that cannot be found into new ones of their names. Raises `OSError`."""
        with self._numbering:
            self._directory.claim()
        with self._lock:
            mine = self._mine()
        for segment in mine:
            if not segment.is_in_its_folder():
                try:
                    segment.put_back(self._lock)
                except FileNotFoundError:
                    if not self._directory.is_held():
                        raise
                    self._lose(segment)
        self._missing = False

    def _lose(self, segment: Segment) -> None:
        """Its handle is dead and its file is gone."""
        with self._lock:
            self._kept.pop(segment.path, None)
            if self._current is segment:
                self._current = None
            self._forgotten.append(segment)
        lost = max(0, segment.records - self.records_read(segment.path))
        self.dropped += lost
        log.error("a spool file is gone, and what was in it with it", extra={"records": lost})

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


def _none(_segment: Path) -> int:
    return 0
