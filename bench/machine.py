"""Names the machine of a run, as far as its figures depend on it."""

import os
import platform
from pathlib import Path

from bench.processes import Cores


def machine(cores: Cores) -> str:
    """One line: processor, cores, Python, pinning."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    pinning = "measured process on one core, all else on the others" if cores.pinned else "no pinning"
    return f"{model}, {os.cpu_count()} cores; Python {platform.python_version()}; {pinning}"
