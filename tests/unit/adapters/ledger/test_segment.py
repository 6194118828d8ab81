"""A segment holds what was put into it, on any system and file system."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.ledger.segment import Segment

SIZE = 1024 * 1024


@pytest.fixture
def made(tmp_path: Path) -> Segment:
    return Segment(tmp_path / "one.spool", SIZE)


def test_records_of_all_sizes_lie_behind_each_other_and_a_reader_sees_them_at_once(made: Segment) -> None:
    """P-01: up to the last byte of the file."""
    sizes = [300] * 900 + [200_000, 5, 70_000]
    sizes.append(SIZE - sum(sizes))
    expected = b""
    for number, size in enumerate(sizes):
        record = bytes([number % 255 + 1]) * size
        made.append(record)
        expected += record
        if number % 100 == 0 or size != 300:
            assert made.path.read_bytes()[: made.written] == expected
    made.let_go()

    assert made.path.read_bytes() == expected


def test_a_file_has_its_full_size_from_the_start_and_zeros_follow_the_last_record(made: Segment) -> None:
    made.append(b"record")
    made.sync()
    content = made.path.read_bytes()
    made.let_go()

    assert content == b"record" + bytes(SIZE - 6)


def test_letting_go_and_discarding_leave_no_descriptor_open(made: Segment, tmp_path: Path) -> None:
    other = Segment(tmp_path / "two.spool", SIZE)
    made.append(b"record")
    made.let_go()
    other.discard()

    left = [str(link.resolve()) for link in Path("/proc/self/fd").iterdir()]
    assert [path for path in left if str(tmp_path) in path] == []
    assert not other.path.exists()


WRITER = """
import os, signal, sys
from pathlib import Path
from adapters.ledger.segment import Segment
made = Segment(Path(sys.argv[1]), 1024 * 1024)
for number in range(2000):
    made.append(b"%08d" % number * 30)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_a_killed_process_leaves_all_it_put_in(tmp_path: Path) -> None:
    """R-10, P-01: nothing was made durable, and nothing closed."""
    file = tmp_path / "one.spool"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    died = subprocess.run([sys.executable, "-c", WRITER, str(file)], env=env, check=False)

    assert died.returncode == -signal.SIGKILL
    assert file.read_bytes()[: 2000 * 240] == b"".join(b"%08d" % number * 30 for number in range(2000))


def _without_calls_of_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fallocate")
    monkeypatch.delattr(os, "fdatasync")


def _without_reservation(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, offset: int, length: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "not on this file system")

    monkeypatch.setattr(os, "posix_fallocate", refuse)


@pytest.mark.parametrize("missing", [_without_calls_of_linux, _without_reservation])
def test_where_room_cannot_be_reserved_it_is_written_full_of_zeros(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: Callable[[pytest.MonkeyPatch], None]
) -> None:
    """As on macOS, and on file systems without the call."""
    missing(monkeypatch)
    segment = Segment(tmp_path / "one.spool", SIZE + 5)
    taken = segment.path.stat()
    segment.append(b"record")
    segment.sync()
    segment.let_go()

    assert taken.st_size == SIZE + 5
    assert taken.st_blocks * 512 >= SIZE
    assert segment.path.read_bytes() == b"record" + bytes(SIZE - 1)


def test_a_disk_without_room_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _without_calls_of_linux(monkeypatch)

    def refuse(descriptor: int, data: bytes, offset: int) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "pwrite", refuse)
    with pytest.raises(OSError, match="full"):
        Segment(tmp_path / "one.spool", SIZE)
    assert list(tmp_path.iterdir()) == []
