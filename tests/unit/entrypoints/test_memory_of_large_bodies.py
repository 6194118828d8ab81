"""What large bodies cost a process: their room goes back to the system when they are answered."""

import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and glibc's allocator is the subject"),
]

PROGRAM = """
import asyncio, gc, re
from pathlib import Path
from entrypoints.lean_start import keep_heap_small
keep_heap_small()
from entrypoints.http.edge.body import BodyReader
from entrypoints.http.edge.head import Head

SIZE, PIECE = 24 * 1024 * 1024, 48 * 1024

class Clock:
    def monotonic(self): return 0.0

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024

async def read_one():
    left = SIZE
    async def receive():
        nonlocal left
        await asyncio.sleep(0)  # the others' pieces come between
        left -= PIECE
        return {"type": "http.request", "body": bytes(PIECE), "more_body": left > 0}
    return await BodyReader(receive, Head([]), 2 * SIZE, 1e9, Clock()).read()

async def main():
    await read_one()  # by default its size would be what the allocator takes for small from now on
    before = resident()
    bodies = await asyncio.gather(*(read_one() for _ in range(6)))
    held = resident() - before
    kept = [bytes(1000) for _ in range(1000)]
    del bodies
    await asyncio.sleep(0)  # the loop lets go of what it has just told
    gc.collect()  # `gather` is a cycle
    print(held // SIZE, (resident() - before) // (1024 * 1024))

asyncio.run(main())
"""


def test_bodies_that_come_in_pieces_side_by_side_are_held_once_and_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    held, left_mebibytes = (int(word) for word in done.stdout.split())
    assert held <= 7
    assert left_mebibytes <= 16
