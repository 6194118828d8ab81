"""A reader who follows one request opens no more files than was agreed."""

import re
import subprocess
import sys

import pytest
from bench.walks import BOUNDS

pytestmark = pytest.mark.process


def test_no_walk_passes_more_files_than_its_bound() -> None:
    """In a process of its own: what pytest and its plugins call is no part of it."""
    run = subprocess.run(
        [sys.executable, "-m", "bench.walks", "--files"], capture_output=True, text=True, timeout=120, check=False
    )

    found = {name.strip(): int(count) for name, count in re.findall(r"^(\S.*?) +(\d+) files", run.stdout, re.MULTILINE)}
    assert set(found) == set(BOUNDS), run.stderr
    assert {name: count for name, count in found.items() if count > BOUNDS[name]} == {}, run.stdout
    assert run.stdout.count("entrypoints/http/edge/gateway.py") == len(BOUNDS)
    assert run.returncode == 0
