"""What SQLite has acknowledged survives `kill -9`, and the file stays whole (R-24)."""

import asyncio
import sys
from pathlib import Path

import pytest

from adapters.persistence import schema
from adapters.persistence.store import SqlAlchemyStore
from tests.fakes.security import FakeBox

WRITER = """
import asyncio, sys
from adapters.persistence.store import SqlAlchemyStore
from adapters.security.secret_box import AesGcmSecretBox, KeyRing

async def main():
    store = SqlAlchemyStore(sys.argv[1], AesGcmSecretBox(KeyRing.generate()), unit_seconds=20)
    while True:
        async with store.write() as unit:
            number = await unit.facts.bump("counter")
        print(number, flush=True)

asyncio.run(main())
"""


@pytest.mark.process
async def test_a_killed_writer_loses_nothing_it_was_told_is_written(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/omg.db"
    await schema.upgrade(url)
    for _ in range(2):
        writer = await asyncio.create_subprocess_exec(sys.executable, "-c", WRITER, url, stdout=asyncio.subprocess.PIPE)
        assert writer.stdout is not None
        received = [int(await writer.stdout.readline()) for _ in range(25)]
        writer.kill()
        received += [int(line) for line in (await writer.stdout.read()).split(b"\n")[:-1]]
        await writer.wait()

        store = SqlAlchemyStore(url, FakeBox(), unit_seconds=20)
        async with store.read() as unit:
            found = int(await unit.facts.get("counter") or 0)
        await store.aclose()
        assert found in {max(received), max(received) + 1}  # one may have been committed and not yet told
