"""A preallocated file of the usage spool."""

import errno
import os
from contextlib import suppress
from pathlib import Path

_CANNOT_RESERVE = {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}
_ZEROS = bytes(256 * 1024)


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

    def append(self, data: bytes) -> None:
        """Write one record whole. Raises `OSError`; a record cut short is overwritten by the next try.

        A system call, not a copy into a mapping of the file: decision 0039.
        """
        if os.pwrite(self.descriptor, data, self.written) != len(data):
            raise OSError(errno.ENOSPC, "the record was written in part")
        self.written += len(data)

    def sync(self) -> None:
        """Make what was written durable."""
        getattr(os, "fdatasync", os.fsync)(self.descriptor)  # macOS has only the latter

    def close(self) -> None:
        """Make it durable and let go of it."""
        try:
            self.sync()
        finally:
            os.close(self.descriptor)

    def discard(self) -> None:
        """It was prepared and is not needed. A file that cannot be removed holds no record, and stays."""
        os.close(self.descriptor)
        with suppress(OSError):
            self.path.unlink()


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
    at = 0
    while at < size:
        at += os.pwrite(descriptor, _ZEROS[: size - at], at)
