"""A segment holds what was put into it, whichever way it went, on any system and file system."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.ledger import segment as segment_module
from adapters.ledger.segment import WINDOW_BYTES, Mapped, Segment, Written

SIZE = 4 * WINDOW_BYTES


@pytest.fixture(params=[Mapped, Written], ids=["mapped", "written"])
def made(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Segment:
    """A new segment that is written in the one way or the other."""
    monkeypatch.setattr(segment_module, "_writer", request.param if request.param is Mapped else _by_system_call)
    return Segment(tmp_path / "one.spool", SIZE)


def _by_system_call(descriptor: int, size: int) -> Written:
    return Written(descriptor)


def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Let the folder be on a file system of this kind."""
    device = tmp_path.stat().st_dev
    table = tmp_path / "mountinfo"
    place = f"{os.major(device)}:{os.minor(device)}"
    table.write_text(f"26 1 0:5 / /proc rw - proc proc rw\n27 1 {place} / / rw,relatime shared:1 - {what}\n")
    monkeypatch.setattr(segment_module, "_MOUNTS", table)


def writer_of(segment: Segment) -> type[object]:
    segment.close()
    return type(segment._writer)


def test_records_of_all_sizes_lie_behind_each_other_and_a_reader_sees_them_at_once(made: Segment) -> None:
    """P-01: larger than the window, across its end, and up to the last byte of the file."""
    sizes = [300] * 900 + [WINDOW_BYTES - 1, WINDOW_BYTES + 9, 5, 70_000]
    sizes.append(SIZE - sum(sizes))
    expected = b""
    for number, size in enumerate(sizes):
        record = bytes([number % 255 + 1]) * size
        made.append(record)
        expected += record
        if number % 100 == 0 or size != 300:
            assert made.path.read_bytes()[: made.written] == expected
    made.close()

    assert made.path.read_bytes() == expected


def test_a_file_has_its_full_size_from_the_start_and_zeros_follow_the_last_record(made: Segment) -> None:
    made.append(b"record")
    made.sync()
    content = made.path.read_bytes()
    made.close()

    assert content == b"record" + bytes(SIZE - 6)


def test_closing_and_discarding_leave_no_descriptor_open(made: Segment, tmp_path: Path) -> None:
    other = Segment(tmp_path / "two.spool", SIZE)
    for _ in range(3):
        made.append(bytes(WINDOW_BYTES - 100))
    made.close()
    other.discard()

    left = [str(link.resolve()) for link in Path("/proc/self/fd").iterdir()]
    assert [path for path in left if ".spool" in path] == []
    assert not other.path.exists()


WRITER = """
import os, signal, sys
from pathlib import Path
from adapters.ledger import segment
segment._writer = segment.Mapped if sys.argv[2] == "mapped" else lambda descriptor, size: segment.Written(descriptor)
made = segment.Segment(Path(sys.argv[1]), 1024 * 1024)
for number in range(2000):
    made.append(b"%08d" % number * 30)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("way", ["mapped", "written"])
def test_a_killed_process_leaves_all_it_put_in(tmp_path: Path, way: str) -> None:
    """R-10, P-01: nothing was made durable, and nothing closed."""
    file = tmp_path / "one.spool"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    died = subprocess.run([sys.executable, "-c", WRITER, str(file), way], env=env, check=False)

    assert died.returncode == -signal.SIGKILL
    assert file.read_bytes()[: 2000 * 240] == b"".join(b"%08d" % number * 30 for number in range(2000))


def test_a_usual_ext4_is_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounted(tmp_path, monkeypatch, "ext4 /dev/vda rw,discard")
    assert writer_of(Segment(tmp_path / "one.spool", SIZE)) is Mapped


@pytest.mark.parametrize(
    "what",
    [
        "btrfs /dev/vda rw,ssd",
        "ext4 /dev/vda rw,nodelalloc",
        "ext4 /dev/vda rw,nodelalloc,data=journal",
        "nfs4 host:/export rw,vers=4.2",
        "overlay overlay rw,lowerdir=/a,upperdir=/b",
        "xfs /dev/vda rw,attr2",
    ],
)
def test_where_a_full_or_broken_disk_would_end_the_process_nothing_is_mapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """R-30."""
    mounted(tmp_path, monkeypatch, what)
    assert writer_of(Segment(tmp_path / "one.spool", SIZE)) is Written


def test_where_the_file_system_is_not_known_nothing_is_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_module, "_MOUNTS", tmp_path / "missing")
    assert writer_of(Segment(tmp_path / "one.spool", SIZE)) is Written
    (tmp_path / "empty").touch()
    monkeypatch.setattr(segment_module, "_MOUNTS", tmp_path / "empty")
    assert writer_of(Segment(tmp_path / "two.spool", SIZE)) is Written


@pytest.mark.parametrize("fault", [errno.ENOMEM, errno.ENODEV])
def test_without_room_for_a_mapping_records_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: int
) -> None:
    mounted(tmp_path, monkeypatch, "ext4 /dev/vda rw")
    mapped = Segment(tmp_path / "one.spool", SIZE)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr("mmap.mmap", refuse)
    assert writer_of(Segment(tmp_path / "two.spool", SIZE)) is Written
    for number in range(1, 200):  # beyond the window that it has
        mapped.append(bytes([number]) * 5000)
    mapped.close()
    assert mapped.path.read_bytes()[: mapped.written] == b"".join(bytes([n]) * 5000 for n in range(1, 200))


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
    segment.close()

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
