"""A preallocated file of the usage spool, and the two ways in which a record gets into it (decision 0039)."""

import errno
import mmap
import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from typing_extensions import override

WINDOW_BYTES = 256 * 1024
_PAGE = mmap.ALLOCATIONGRANULARITY
_CANNOT_RESERVE = {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}
_MOUNTS = Path("/proc/self/mountinfo")
_JOURNALLED = {"nodelalloc", "data=journal"}


class Segment:
    """A file being filled. `written` is the length of whole records in it."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self.written = 0
        self.descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            _reserve(self.descriptor, size)
        except OSError:
            os.close(self.descriptor)
            path.unlink()
            raise
        self._writer = _writer(self.descriptor, size)

    def append(self, data: bytes) -> None:
        """Write one record whole. Raises `OSError`; a record cut short is overwritten by the next try."""
        self._writer.put(data, self.written)
        self.written += len(data)

    def sync(self) -> None:
        """Make what was written durable: what was copied into a mapping as well as what was written."""
        getattr(os, "fdatasync", os.fsync)(self.descriptor)  # macOS has only the latter

    def close(self) -> None:
        """Make it durable and let go of it."""
        try:
            self.sync()
        finally:
            self._let_go()

    def discard(self) -> None:
        """It was prepared and is not needed. A file that cannot be removed holds no record, and stays."""
        self._let_go()
        with suppress(OSError):
            self.path.unlink()

    def _let_go(self) -> None:
        self._writer.close()
        os.close(self.descriptor)


class Writer(Protocol):
    """Puts a record into the file so that the kernel has it when the call returns: a killed process loses nothing."""

    def put(self, data: bytes, at: int) -> None:
        """Raises `OSError` where the file does not take all of it."""

    def close(self) -> None:
        """Let go of what it holds, not of the file."""


class Written(Writer):
    """One system call a record, which gives the interpreter to another thread: for any file system."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @override
    def put(self, data: bytes, at: int) -> None:
        if os.pwrite(self._descriptor, data, at) != len(data):
            raise OSError(errno.ENOSPC, "the record was written in part")

    @override
    def close(self) -> None:
        pass


class Mapped(Writer):
    """A copy into the kernel's own pages of the file, through a moving window. It must not fail: see `_writer`.

    The pages are the file's: what a killed process copied is in them, and `Segment.sync` makes them durable. Not the
    whole file is mapped, because what is mapped counts as the process's memory.
    """

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self._size = size
        self._written = Written(descriptor)
        self._begin, self._end = 0, min(size, WINDOW_BYTES)
        self._window = mmap.mmap(descriptor, self._end)

    @override
    def put(self, data: bytes, at: int) -> None:
        end = at + len(data)
        if end > self._end and not self._moved(at, end):
            self._written.put(data, at)
            return
        self._window[at - self._begin : end - self._begin] = data

    @override
    def close(self) -> None:
        self._window.close()

    def _moved(self, at: int, end: int) -> bool:
        """Whether the window is over this place now; it is not where the record is larger, or memory is short."""
        begin = at - at % _PAGE
        window_end = min(self._size, begin + WINDOW_BYTES)
        if end > window_end:
            return False
        try:
            window = mmap.mmap(self._descriptor, window_end - begin, offset=begin)
        except OSError:
            return False
        self._window.close()
        self._window, self._begin, self._end = window, begin, window_end
        return True


def _reserve(descriptor: int, size: int) -> None:
    """Take the room for the whole file from the disk. Raises `OSError` where there is not so much."""
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError as error:
            if error.errno not in _CANNOT_RESERVE:
                raise
        else:
            return
    zeros, at = bytes(256 * 1024), 0
    while at < size:
        at += os.pwrite(descriptor, zeros[: size - at], at)


def _writer(descriptor: int, size: int) -> Writer:
    """A mapping where no later trouble of the disk can make a copy into it fail, since that would end the process."""
    if _is_safe_to_map(descriptor):
        try:
            return Mapped(descriptor, size)
        except OSError:
            return Written(descriptor)
    return Written(descriptor)


def _is_safe_to_map(descriptor: int) -> bool:
    """Whether it is a file of ext4 as it is usually mounted: room that is taken stays, no page asks the journal.

    Others answer a full or broken disk with SIGBUS: those that copy on write, XFS after a shutdown, network ones.
    """
    if not hasattr(os, "posix_fallocate"):
        return False
    device = os.fstat(descriptor).st_dev
    place = f"{os.major(device)}:{os.minor(device)}"
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    for mount in mounts:  # Source: proc_pid_mountinfo(5), read 2026-11
        where, _, what = mount.partition(" - ")
        if where.split(" ", 3)[2] == place:
            kind, _, options = what.split(" ", 2)
            return kind == "ext4" and _JOURNALLED.isdisjoint(options.split(","))
    return False
