"""The memory a process may have, read from what Linux says about control groups."""

from pathlib import Path

import pytest

from entrypoints.settings.machine_memory import default_bytes_in_flight, memory_bytes

MIB = 1024**2
MACHINE = memory_bytes(Path("/nowhere"))


def write(root: Path, name: str, text: str) -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, MACHINE),
        ({"sys/fs/cgroup/memory.max": "max\n"}, MACHINE),
        ({"sys/fs/cgroup/memory.max": "67108864\n"}, 64 * MIB),
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/memory.max": "33554432\n",
          "sys/fs/cgroup/a/b/memory.max": "max\n"}, 32 * MIB),
        ({"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, MACHINE),
        ({"proc/self/cgroup": "5:memory:/docker/x\n1:cpu:/y\n",
          "sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes": "50331648\n"}, 48 * MIB),
        ({"proc/self/cgroup": "0::/../../x\n", "sys/fs/cgroup/memory.max": "16777216"}, 16 * MIB),
    ],
    ids=["nothing", "no limit", "container", "a group above", "v1 without", "v1", "another namespace"],
)  # fmt: skip
def test_the_least_limit_counts(files: dict[str, str], expected: int, tmp_path: Path) -> None:
    for name, text in files.items():
        write(tmp_path, name, text)

    assert memory_bytes(tmp_path) == expected


def test_workers_share_what_bodies_may_take(tmp_path: Path) -> None:
    write(tmp_path, "sys/fs/cgroup/memory.max", str(4096 * MIB))
    total = min(MACHINE, 4096 * MIB) // 16

    assert default_bytes_in_flight(1, tmp_path) == max(total, 64 * MIB)
    assert default_bytes_in_flight(1000, tmp_path) == 64 * MIB
