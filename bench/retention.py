"""How long it takes to delete what was kept long enough: `python -m bench.retention --rows 1000000 [--postgres URL]`.

Half of the requests are older than they are kept. A reader asks for a page of requests all the while: what it waits is
what anybody else waits. `URL` is a database that may be filled.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import text

from adapters.clock import SystemClock
from adapters.persistence import schema
from adapters.persistence.ledger.opening import open_ledger_store
from adapters.persistence.retention import SqlAlchemyRetention
from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.tables import AttemptRow, RequestRow
from adapters.persistence.usage_queries.rolling import SqlAlchemyRollUps
from adapters.persistence.work import table_of
from adapters.security.key_ring import KeyRing
from adapters.security.secret_box import AesGcmSecretBox
from domain.records import AttemptRecord, RequestRecord
from domain.usage import TokenUsage

FILL_SECONDS: Final = 3_600.0
PER_DAY: Final = 10_000
_NUMBERS: Final = (
    "WITH RECURSIVE n(i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM n WHERE i < :last) "  # both know it
)


def first_record(now: datetime) -> RequestRecord:
    usage = TokenUsage(800, 200)
    attempt = AttemptRecord(1, "alpha", "pk_1", "a-model-with-a-name", "ok", 200, 800.0, usage, "")
    return RequestRecord(
        "req_0", "dec_0", now, "ten_default", "key_1", "/v1/chat/completions", attempt.model, "alpha", attempt.model,
        200, "ok", None, True, (attempt,), usage, 800.0, 90.0,
    )  # fmt: skip


async def fill(store: SqlAlchemyStore, url: str, rows: int, now: datetime) -> None:
    """Copies of one request, evenly over days that end now: none of them is summed up."""
    ledger = open_ledger_store(url)
    await ledger.apply([first_record(now)], None)
    await ledger.aclose()
    step = 86_400 / PER_DAY
    at = (
        f"now() - i * interval '{step} seconds'"
        if url.startswith("postgres")
        else f"strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || (i * {step}) || ' seconds')"
    )
    changed = {
        RequestRow: {"id": "'req_' || i", "decision_id": "'dec_' || i", "created_at": at},
        AttemptRow: {"request_id": "'req_' || i"},
    }
    async with store.writing(FILL_SECONDS) as work:
        if url.startswith("postgres"):
            await work.run(work.session.execute(text("SET LOCAL statement_timeout = 0")))
        for row, values in changed.items():
            table = table_of(row)
            names = [column.name for column in table.columns]
            chosen = ", ".join(values.get(name, name) for name in names)
            insert = f"INSERT INTO {table.name} ({', '.join(names)}) "
            await work.run(
                work.session.execute(
                    text(f"{insert}{_NUMBERS}SELECT {chosen} FROM n, {table.name}"),
                    {"last": rows},
                )
            )


async def reader(store: SqlAlchemyStore, waits: list[float]) -> None:
    newest = text("SELECT id FROM requests ORDER BY created_at DESC, id DESC LIMIT 50")
    while True:
        began = time.perf_counter()
        async with store.reading(30) as work:
            await work.run(work.session.execute(newest))
        waits.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.05)


async def measure(url: str, rows: int) -> None:
    await schema.upgrade(url)
    store, clock = SqlAlchemyStore(url, AesGcmSecretBox(KeyRing.generate()), unit_seconds=60.0), SystemClock()
    now = datetime.now(UTC)
    began = time.perf_counter()
    await fill(store, url, rows, now)
    sys.stdout.write(f"{rows} requests written in {time.perf_counter() - began:.0f} s\n")
    retention = SqlAlchemyRetention(store, SqlAlchemyRollUps(store, clock), clock)
    before = now - timedelta(days=rows / PER_DAY / 2)
    for name, at_leisure in (("at leisure", True), ("at once", False)):
        waits: list[float] = []
        reading = asyncio.create_task(reader(store, waits))
        half = before if at_leisure else now + timedelta(days=1)
        began = time.perf_counter()
        gone = await retention.prune(half, at_leisure=at_leisure)
        took = time.perf_counter() - began
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        tail = max(waits) if len(waits) < 100 else statistics.quantiles(waits, n=100)[98]
        sys.stdout.write(
            f"{name:10} {gone} deleted in {took:.1f} s ({gone / max(took, 0.001):.0f}/s); a page of requests takes "
            f"{statistics.median(waits or [0.0]):.1f} ms, p99 {tail:.1f} ms meanwhile\n"
        )
    await store.aclose()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--postgres", help="a database that may be filled; else a SQLite file is")
    asked = parser.parse_args()
    if asked.postgres:
        await measure(asked.postgres, asked.rows)
        return
    with tempfile.TemporaryDirectory(prefix="omg-retention-") as folder:
        path = Path(folder) / "omg.db"
        url = f"sqlite+aiosqlite:///{path}"
        await measure(url, asked.rows)
        sys.stdout.write(f"{path.stat().st_size / asked.rows:.0f} bytes of file a request, at most\n")


if __name__ == "__main__":
    asyncio.run(main())
