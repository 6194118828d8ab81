"""What several workers behind one port have counted is one true answer (contract 13)."""

import os
import time
from pathlib import Path

import msgspec

from adapters.telemetry.worker_sums import STALE_SECONDS, WorkerSums, begin, end, folder_of
from domain.metrics import Readings, folded

NO_PROCESS = 2**30
"""More than any system counts to."""


def counted(requests: float) -> Readings:
    return {"omg_requests_total": {("chat", "a", "m", "ok"): [requests]}, "omg_inflight_requests": {(): [1.0]}}


def test_each_worker_reads_what_its_siblings_have_written(tmp_path: Path) -> None:
    first, second = WorkerSums(tmp_path, "proc_1"), WorkerSums(tmp_path, "proc_2")

    first.write(counted(2))
    second.write(counted(3))
    second.write(counted(4))

    assert first.others() == [counted(4)]
    assert second.others() == [counted(2)]
    assert folded([counted(2), *first.others()])["omg_requests_total"] == {("chat", "a", "m", "ok"): [6.0]}


def test_what_a_worker_that_is_gone_has_counted_stays_and_its_state_does_not(tmp_path: Path) -> None:
    left, here = WorkerSums(tmp_path, "proc_1"), WorkerSums(tmp_path, "proc_2")
    left.write(counted(5))
    path = tmp_path / "proc_1.counted"
    path.write_bytes(path.read_bytes().replace(_packed(os.getpid()), _packed(NO_PROCESS)))

    assert here.others() == [{"omg_requests_total": {("chat", "a", "m", "ok"): [5.0]}}]


def test_a_file_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    here = WorkerSums(tmp_path, "proc_1")
    (tmp_path / "proc_2.counted").write_bytes(b"of another version")

    assert here.others() == []


def test_a_supervisors_folder_begins_and_ends_with_it_and_what_a_killed_one_left_goes_a_day_later(
    tmp_path: Path,
) -> None:
    ours, left, other = (folder_of(tmp_path, number) for number in (1, 2, 3))
    for folder in (ours, left, other):
        WorkerSums(folder, "proc_1").write(counted(1))
    old = time.time() - STALE_SECONDS - 60
    for path in (left / "proc_1.counted", left):
        os.utime(path, (old, old))

    begin(ours)
    there = sorted(folder.name for folder in other.parent.iterdir())
    end(other)

    assert there == [other.name]
    assert list(other.parent.iterdir()) == []


def _packed(number: int) -> bytes:
    """A number as MessagePack has it, behind the field's name."""
    return b"process" + msgspec.msgpack.encode(number)
