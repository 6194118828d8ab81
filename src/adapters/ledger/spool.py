"""The usage spool: records are in a file before the client has its last byte (R-10, P-01).

One writer per process. The loop only writes to memory the kernel keeps: a killed process loses nothing.
A thread makes it durable every 100 ms and prepares the next segment, so that the loop never waits for a disk.
Where the disk refuses, records wait in memory in their order, `writable` turns False, and the thread tries
again every second; nothing has to be restarted.
"""

import contextlib
import errno
import logging
import os
import threading
import time
from collections import deque
from pathlib import Path

from typing_extensions import override

from adapters.ledger.frames import Kind, frame
from domain.ports.ledger import Ledger
from domain.records import ProgressRecord, RequestRecord, StartRecord

log = logging.getLogger(__name__)

SEGMENT_BYTES = 16 * 1024 * 1024
SYNC_SECONDS = 0.1
RETRY_SECONDS = 1.0
MAX_WAITING_BYTES = 256 * 1024 * 1024
SUFFIX = ".spool"


class Segment:
    """A preallocated file being filled. `written` is the length of whole records in it."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self.written = 0
        self.descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(self.descriptor, 0, size)
        except OSError:
            os.close(self.descriptor)
            path.unlink()
            raise

    def append(self, data: bytes) -> None:
        """Write one record whole. Raises `OSError`; a record cut short is overwritten by the next try."""
        done = os.pwrite(self.descriptor, data, self.written)
        if done != len(data):
            raise OSError(errno.ENOSPC, "the record was written in part")
        self.written += done

    def close(self) -> None:
        """Make it durable and let go of it."""
        with contextlib.closing(_Descriptor(self.descriptor)):
            os.fdatasync(self.descriptor)


class _Descriptor:
    def __init__(self, number: int) -> None:
        self._number = number

    def close(self) -> None:
        os.close(self._number)


class Spool(Ledger):
    """Writes this process's records to `directory`, which it owns alone."""

    def __init__(self, directory: Path, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._lock = threading.Lock()  # guards the fields below: the loop and the thread both write
        self._current: Segment | None = None
        self._next: Segment | None = None
        self._full: deque[Segment] = deque()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._dirty = False
        self._last_number = 0
        self._numbering = threading.Lock()
        self.dropped = 0  # records given up because even memory was full
        self._wake = threading.Event()
        self._stopping = False
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(OSError):  # a full disk at start is the same as one later
            self._current = self._new_segment()
        self._thread = threading.Thread(target=self._keep, name="usage-spool", daemon=True)
        self._thread.start()

    @property
    @override
    def writable(self) -> bool:
        return not self._waiting and self._current is not None

    @property
    def position(self) -> tuple[Path, int] | None:
        """The segment being filled and the length of what is in it."""
        current = self._current
        return None if current is None else (current.path, current.written)

    @override
    def start(self, record: StartRecord) -> None:
        self._write(frame(Kind.START, record))

    @override
    def progress(self, record: ProgressRecord) -> None:
        self._write(frame(Kind.PROGRESS, record))

    @override
    def end(self, record: RequestRecord) -> None:
        self._write(frame(Kind.END, record))

    def close(self) -> None:
        """Write what waits, make everything durable, and stop. Blocks for a few milliseconds."""
        self._stopping = True
        self._wake.set()
        self._thread.join(timeout=5)
        with self._lock:
            self._drain_waiting()
            for segment in (*self._full, *((self._current,) if self._current else ())):
                segment.close()
            self._full.clear()
            self._current = None
            if self._next is not None:
                self._next.close()
                self._next.path.unlink(missing_ok=True)
                self._next = None

    def _write(self, data: bytes) -> None:
        with self._lock:
            if self._waiting:
                self._wait(data)
                return
            try:
                self._append(data)
            except OSError as error:
                log.warning("usage cannot be written down; records wait in memory", extra={"reason": str(error)})
                self._wait(data)

    def _append(self, data: bytes) -> None:
        current = self._current
        if current is None or current.written + len(data) > current.size:
            if current is not None:
                self._full.append(current)
                self._current = None
            if self._next is not None:
                self._current, self._next = self._next, None
            else:
                self._current = self._new_segment()
            current = self._current
        current.append(data)
        self._dirty = True

    def _wait(self, data: bytes) -> None:
        if self._waiting_bytes + len(data) > MAX_WAITING_BYTES:
            self.dropped += 1
            return
        self._waiting.append(data)
        self._waiting_bytes += len(data)

    def _new_segment(self) -> Segment:
        with self._numbering:
            self._last_number = max(self._last_number + 1, time.time_ns())
            path = self._directory / f"{self._last_number:020d}{SUFFIX}"
        return Segment(path, self._segment_bytes)

    def _keep(self) -> None:
        """The thread: durable every 100 ms, a next segment in time, and another try for what waits."""
        retried_at = 0.0
        while not self._stopping:
            self._wake.wait(SYNC_SECONDS)
            self._sync()
            if self._waiting and time.monotonic() - retried_at >= RETRY_SECONDS:
                retried_at = time.monotonic()
                with self._lock:
                    self._drain_waiting()
            self._prepare()

    def _sync(self) -> None:
        with self._lock:
            full, current, dirty = list(self._full), self._current, self._dirty
            self._full.clear()
            self._dirty = False
        try:
            for segment in full:
                segment.close()
            if dirty and current is not None:
                os.fdatasync(current.descriptor)
        except OSError as error:
            log.warning("usage could not be made durable", extra={"reason": str(error)})

    def _drain_waiting(self) -> None:
        count = len(self._waiting)
        try:
            while self._waiting:
                self._append(self._waiting[0])
                self._waiting_bytes -= len(self._waiting.popleft())
        except OSError:
            return
        if count:
            log.warning("usage is written down again", extra={"records": count})

    def _prepare(self) -> None:
        current = self._current
        if self._next is None and current is not None and current.written * 2 > current.size:
            with contextlib.suppress(OSError):  # told when a record needs the room and has none
                self._next = self._new_segment()  # outside the lock: making room may take the disk a while
