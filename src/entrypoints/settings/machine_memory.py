"""How much memory this process may have: the machine's, or less where a container's limit says so."""

import os
from pathlib import Path

_SHARE_FOR_BODIES = 16
_LEAST_BODIES_BYTES = 64 * 1024 * 1024
_UNKNOWN_BYTES = 2 * 1024**3  # where the system does not say


def memory_bytes(root: Path = Path("/")) -> int:
    """The least of the machine's memory and the limits of the control groups this process is in.

    Source: the kernel's Documentation/admin-guide/cgroup-v2.rst (`memory.max` of each group up to the root) and
    cgroup-v1/memory.rst (`memory.limit_in_bytes`, a huge number where there is no limit); read 2026-11.
    """
    return min([_machine_bytes(), *_group_limits(root)])


def default_bytes_in_flight(workers: int, root: Path = Path("/")) -> int:
    """What the request bodies of one worker may take together: a body costs about twice its size."""
    return max(memory_bytes(root) // _SHARE_FOR_BODIES // workers, _LEAST_BODIES_BYTES)


def _machine_bytes() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return _UNKNOWN_BYTES


def _group_limits(root: Path) -> list[int]:
    limits: list[int] = []
    for file in _limit_files(root):
        try:
            text = file.read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            limits.append(int(text))
    return limits


def _limit_files(root: Path) -> list[Path]:
    """In a container its own group is mounted as the root, so both places are looked at."""
    mount = root / "sys/fs/cgroup"
    files = [mount / "memory.max", mount / "memory/memory.limit_in_bytes"]
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return files
    for line in groups:
        _, controllers, path = line.split(":", 2)
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for depth in range(1, len(parts) + 1):
            group = "/".join(parts[:depth])
            if not controllers:
                files.append(mount / group / "memory.max")
            elif "memory" in controllers.split(","):
                files.append(mount / "memory" / group / "memory.limit_in_bytes")
    return files
