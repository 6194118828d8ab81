"""Whose spool directory is whose: a process holds a lock in its own for as long as it lives."""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOCK_NAME = "lock"
_UNFINISHED = "."
_CLAIM_SECONDS = 60.0


class OwnDirectory:
    """This process's directory below `root`. Nothing is made before it is claimed."""

    def __init__(self, root: Path, name: str) -> None:
        self.path = root / name
        self._lock: int | None = None

    def claim(self) -> None:
        """Make it and hold its lock; again where it has vanished since. Raises `OSError` where it cannot be made now.

        It gets its name when it is locked: nobody can mistake it for one whose process is gone. The folder above
        `root` is not made: where that is gone, a file system is.
        """
        if self.is_held():
            return
        if self._lock is not None and self.path.exists():  # its lock alone is gone
            self._hold(_locked(self.path))
            return
        if self.path.exists():
            raise FileExistsError(errno.EEXIST, "the spool directory belongs to another process", str(self.path))
        draft = self.path.with_name(f"{_UNFINISHED}{self.path.name}")
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        draft.mkdir(mode=0o700, exist_ok=True)
        lock = None
        try:
            lock = _locked(draft)
            draft.rename(self.path)
        except OSError:
            if lock is not None:
                os.close(lock)
            shutil.rmtree(draft, ignore_errors=True)
            raise
        self._hold(lock)

    def _hold(self, lock: int) -> None:
        """In place of the lock before, which is kept until then: what went away as a whole may come back as it was."""
        self.release()
        self._lock = lock

    def is_held(self) -> bool:
        """Whether it is there, and its lock is this process's."""
        if self._lock is None:
            return False
        try:
            there, own = (self.path / LOCK_NAME).stat(), os.fstat(self._lock)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (own.st_dev, own.st_ino)

    def release(self) -> None:
        """Give it up, as the process's end would: what is in it is for the next process."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def remove(self) -> None:
        """Everything in it is applied. What cannot be removed now is for the next process."""
        if self._lock is not None:
            shutil.rmtree(self.path, ignore_errors=True)
        self.release()


@contextmanager
def orphan(directory: Path) -> Iterator[bool]:
    """Hold the lock of a directory whose process is gone; False where it lives, or somebody else was quicker."""
    lock = _take(directory)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            os.close(lock)


def directories(root: Path) -> list[Path]:
    """Every process's directory below `root`, the dead ones' too, also those that never got their name."""
    with suppress(FileNotFoundError):
        long_ago = time.time() - _CLAIM_SECONDS
        return sorted(
            path
            for path in root.iterdir()
            if path.is_dir() and (not path.name.startswith(_UNFINISHED) or path.stat().st_mtime < long_ago)
        )
    return []


def _take(directory: Path) -> int | None:
    try:
        return _locked(directory)
    except (FileNotFoundError, BlockingIOError):  # its last user has just removed it, or it lives
        return None


def _locked(directory: Path) -> int:
    descriptor = os.open(directory / LOCK_NAME, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
