"""A record is in the spool when the call returns, and whatever happens to the file it is never misread."""

import errno
import os
import shutil
import struct
import subprocess
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.ledger import spool as spool_module
from adapters.ledger.ownership import OwnDirectory
from adapters.ledger.segment import Damage, Frame, Kind, Record, Segment, frame, frames
from adapters.ledger.spool import Spool
from domain.records import AttemptRecord, ProgressRecord, RequestRecord, StartRecord
from domain.usage import TokenUsage
from tests.waiting import wait_until

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def a_start(number: int = 1) -> StartRecord:
    return StartRecord(f"req_{number}", f"dec_{number}", NOW, "ten", "key_1", "chat.completions", "m", True, 400)


def a_progress(number: int = 1) -> ProgressRecord:
    return ProgressRecord(f"req_{number}", 1, "alpha", "pk_1", "m", 80, None)


def an_end(number: int = 1, outcome: str = "ok") -> RequestRecord:
    attempt = AttemptRecord(1, "alpha", "pk_1", "m", "ok", 200, 12.5, TokenUsage(9, 3), "", "provider", None, None)
    return RequestRecord(
        f"req_{number}", f"dec_{number}", NOW, "ten", "key_1", "chat.completions", "m", "alpha", "m", 200,
        outcome, None, True, (attempt,), TokenUsage(9, 3), 20.0, 5.0,  # type: ignore[arg-type]  # test data
    )  # fmt: skip


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    writer = Spool(OwnDirectory(tmp_path, "own"), segment_bytes=64 * 1024)
    yield writer
    writer.close()


def is_writable(spool: Spool) -> bool:
    return spool.writable


def written(directory: Path) -> list[Record]:
    return [record for path in sorted(directory.glob("*.spool")) for record in records_in(path.read_bytes())]


def records_in(data: bytes) -> list[Record]:
    return [piece.record for piece in frames(data) if isinstance(piece, Frame) and piece.record is not None]


def test_records_can_be_read_back_from_the_file_at_once(spool: Spool, tmp_path: Path) -> None:
    """P-01: before the last byte goes out, the record is where a killed process leaves it."""
    spool.start(a_start())
    spool.progress(a_progress())
    spool.end(an_end())

    assert written(tmp_path / "own") == [a_start(), a_progress(), an_end()]
    assert spool.writable


def test_segments_follow_each_other_without_losing_a_record(spool: Spool, tmp_path: Path) -> None:
    for number in range(1500):
        spool.end(an_end(number))

    assert [r.request_id for r in written(tmp_path / "own")] == [f"req_{n}" for n in range(1500)]
    assert len(list((tmp_path / "own").glob("*.spool"))) > 3


def test_files_are_for_the_owner_alone(spool: Spool, tmp_path: Path) -> None:
    """S-35."""
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (tmp_path / "own").glob("*.spool"))


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_refusing_disk_keeps_records_in_their_order_until_it_takes_them(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: int, caplog: pytest.LogCaptureFixture
) -> None:
    """R-30: no error to anyone, one log line, recovery without a restart."""
    monkeypatch.setattr(spool_module, "RETRY_SECONDS", 0.05)
    real = Segment.append

    def refuses(segment: Segment, data: bytes) -> None:
        raise OSError(fault, os.strerror(fault))

    spool.end(an_end(1))
    monkeypatch.setattr(Segment, "append", refuses)
    for number in range(2, 6):
        spool.end(an_end(number))
    assert not is_writable(spool)
    assert len([r for r in caplog.records if "cannot be written" in r.message]) == 1
    monkeypatch.setattr(Segment, "append", real)
    wait_until(lambda: is_writable(spool) and len(written(tmp_path / "own")) == 5)

    assert [r.request_id for r in written(tmp_path / "own")] == [f"req_{n}" for n in range(1, 6)]


def test_memory_for_waiting_records_is_bounded(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "MAX_WAITING_BYTES", 2000)

    def refuses(segment: Segment, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Segment, "append", refuses)
    for number in range(100):
        spool.end(an_end(number))
    assert spool.dropped > 80


RECORDS: list[tuple[Kind, Record]] = [(Kind.START, a_start()), (Kind.PROGRESS, a_progress()), (Kind.END, an_end())]


@settings(max_examples=60)
@given(st.data())
def test_a_segment_cut_anywhere_gives_its_whole_records_and_never_a_wrong_one(data: st.DataObject) -> None:
    pieces = [frame(kind, record, number) for number, (kind, record) in enumerate(RECORDS, 1)]
    whole = b"".join(pieces)
    cut = data.draw(st.integers(min_value=0, max_value=len(whole)))
    ends = [sum(map(len, pieces[: n + 1])) for n in range(3)]

    found = list(frames(whole[:cut] + bytes(64)))

    assert [piece.record for piece in found if isinstance(piece, Frame)] == [
        record for (_, record), end in zip(RECORDS, ends, strict=True) if end <= cut
    ]
    torn = [piece for piece in found if isinstance(piece, Damage) and not piece.blank]
    left = whole[max([0, *[e for e in ends if e <= cut]]) : cut]
    assert bool(torn) == (len(left) - left.count(0) > 1)


def test_closing_twice_makes_nothing_again(tmp_path: Path) -> None:
    own = OwnDirectory(tmp_path, "own")
    spool = Spool(own)
    spool.close()
    own.remove()
    spool.close()
    spool.end(an_end())

    assert list(tmp_path.iterdir()) == []
    assert spool.dropped == 1


def test_a_spool_that_is_full_keeps_what_follows_in_memory_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """P-04: a database that is away for too long fills no disk, and turns the gateway unready."""
    monkeypatch.setattr(spool_module, "RETRY_SECONDS", 0.05)
    spool = Spool(OwnDirectory(tmp_path, "own"), segment_bytes=16 * 1024, max_bytes=64 * 1024)
    for number in range(1000):
        spool.end(an_end(number))
    assert not is_writable(spool)
    assert spool.size_bytes <= 64 * 1024
    assert len([record for record in caplog.records if "cannot be written" in record.message]) == 1

    found: list[Record] = []

    def nothing_is_left() -> bool:
        for extent in spool.extents:
            if not extent.growing or spool.waiting == 0:
                found.extend(records_in(extent.path.read_bytes()[: extent.length]))
                if not extent.growing:
                    spool.forget(extent.path)
                    extent.path.unlink()
        return len(found) >= 1000

    wait_until(nothing_is_left, every_seconds=0.05)
    spool.close()
    assert [r.request_id for r in found] == [f"req_{n}" for n in range(1000)]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], check=False)
    if made.returncode != 0:
        pytest.skip("mounting a small file system needs root")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_disk_that_fills_up_loses_no_record(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """R-30: somebody else fills it; when there is room again everything is written, in its order."""
    monkeypatch.setattr(spool_module, "RETRY_SECONDS", 0.05)
    spool = Spool(OwnDirectory(small_disk, "own"), segment_bytes=32 * 1024)
    filler = small_disk / "filler"
    filler.write_bytes(bytes(160 * 1024))
    for number in range(1000):
        spool.end(an_end(number))
    assert not is_writable(spool)

    filler.unlink()
    wait_until(lambda: is_writable(spool))
    spool.close()
    assert [r.request_id for r in written(small_disk / "own")] == [f"req_{n}" for n in range(1000)]
    assert len([record for record in caplog.records if "cannot be written" in record.message]) == 1


def test_a_start_on_a_full_disk_waits_for_room(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "RETRY_SECONDS", 0.05)
    spool = Spool(OwnDirectory(small_disk, "own"), segment_bytes=1024 * 1024)
    spool.end(an_end())
    assert not is_writable(spool)
    assert spool.extents == []
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    wait_until(lambda: is_writable(spool))
    assert written(small_disk / "own") == [an_end()]
    spool.close()


def test_a_disk_that_takes_records_and_does_not_keep_them_refuses(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """R-30: as a mapping does, or a device that fails when it is written back. One line, then one when it is over."""
    monkeypatch.setattr(spool_module, "RETRY_SECONDS", 0.05)
    real = Segment.sync

    def refuses(segment: Segment) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Segment, "sync", refuses)
    spool.end(an_end(1))
    wait_until(lambda: not is_writable(spool))
    for number in range(2, 5):
        spool.end(an_end(number))
    time.sleep(0.3)
    assert not is_writable(spool)
    assert spool.waiting == 3
    assert [extent.growing for extent in spool.extents] == [False]
    monkeypatch.setattr(Segment, "sync", real)
    wait_until(lambda: is_writable(spool))

    assert [r.request_id for r in written(tmp_path / "own")] == [f"req_{n}" for n in range(1, 5)]
    received = [record.message for record in caplog.records]
    assert sum("cannot be written" in message for message in received) == 1
    assert sum("written down again" in message for message in received) == 1


@pytest.fixture
def own_ext4(tmp_path: Path) -> Iterator[Path]:
    """A file system of the test's own, which turns read-only on an error."""
    image, place = tmp_path / "image", tmp_path / "disk"
    image.write_bytes(bytes(16 * 1024 * 1024))
    place.mkdir()
    mount = ["mount", "-t", "ext4", "-o", "loop,errors=remount-ro", str(image), str(place)]
    for command in (["mkfs.ext4", "-q", str(image)], mount):
        if shutil.which(command[0]) is None or subprocess.run(command, check=False).returncode != 0:
            pytest.skip("an ext4 of one's own needs root and a loop device")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_records_wait_in_memory_when_the_file_system_turns_read_only(
    own_ext4: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-30: the process lives, and what it wrote before can be read."""
    device = own_ext4.stat().st_dev
    loop = (Path("/sys/dev/block") / f"{os.major(device)}:{os.minor(device)}").resolve().name
    trigger = Path("/sys/fs/ext4") / loop / "trigger_fs_error"
    if not os.access(trigger, os.W_OK):
        pytest.skip("errors cannot be caused here")
    monkeypatch.setattr(spool_module, "RETRY_SECONDS", 0.05)
    spool = Spool(OwnDirectory(own_ext4, "own"), segment_bytes=1024 * 1024)
    for number in range(100):
        spool.end(an_end(number))
    trigger.write_text("1")

    def is_refused() -> bool:
        spool.end(an_end(100))
        return not is_writable(spool)

    wait_until(is_refused, every_seconds=0.001)
    for number in range(1000):
        spool.end(an_end(number))
    found = written(own_ext4 / "own")
    spool.close()

    assert not is_writable(spool)
    assert spool.waiting >= 1000
    assert [r.request_id for r in found[:100]] == [f"req_{n}" for n in range(100)]


@pytest.mark.parametrize("value", ["x" * 400_000, "\ud800"], ids=["larger than a frame may be", "no Unicode"])
def test_a_record_that_cannot_be_encoded_is_cut_and_stops_nothing(spool: Spool, tmp_path: Path, value: str) -> None:
    record = msgspec.structs.replace(an_end(1), requested_model=value, usage=TokenUsage(10**40))
    spool.end(record)
    spool.end(an_end(2))

    first, second = written(tmp_path / "own")
    assert isinstance(first, RequestRecord)
    assert first.attempts == record.attempts
    assert first.usage == TokenUsage(2**62)
    assert first.requested_model in ("x" * 1000, "?")
    assert second == an_end(2)


def test_a_record_of_a_version_that_is_not_known_hides_no_other() -> None:
    unknown = msgspec.msgpack.encode({"from": "the future"})
    foreign = struct.pack("<IIB", len(unknown), zlib.crc32(unknown, 3), 3) + unknown
    found = [piece.record for piece in frames(foreign + frame(Kind.END, an_end())) if isinstance(piece, Frame)]
    assert found == [None, an_end()]
