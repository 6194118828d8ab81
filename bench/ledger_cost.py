"""What the usage ledger costs a request: `python -m bench.ledger_cost`. CPU of all threads, on SQLite, printed.

START, PROGRESS and END are what the event loop pays at once; the flush is paid in threads, once a batch.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.ledger.flusher import LedgerFlusher
from adapters.ledger.ownership import OwnDirectory
from adapters.ledger.spool import Spool
from adapters.persistence import schema
from adapters.persistence.ledger.opening import open_ledger_store
from domain.records import AttemptRecord, ProgressRecord, RequestRecord, StartRecord
from domain.usage import TokenUsage
from entrypoints.lean_start import collect_garbage_seldom

REQUESTS = 20_000
BATCH = 500
KEYS, MODELS = 20, 5
GOAL_MICROSECONDS = 50.0

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def records(number: int) -> tuple[StartRecord, ProgressRecord, RequestRecord]:
    """One request's, as the pipeline makes them."""
    request_id, decision_id = f"req_0198f0a2c7d17b0e{number:012x}", f"dec_0198f0a2c7d17b0e{number:012x}"
    key_id, model = f"key_{number % KEYS}", f"gpt-5-mini-{number % MODELS}"
    at = NOW + timedelta(microseconds=331 * number)
    usage = TokenUsage(412 + number % 97, 120, cache_read_tokens=64)
    attempt = AttemptRecord(1, "openai", "pk_1", model, "ok", 200, 412.25, usage, "", "provider", "price_1", 98_250)
    start = StartRecord(request_id, decision_id, at, "ten_default", key_id, "/v1/chat/completions", model, True, 2048)
    progress = ProgressRecord(request_id, 1, "openai", "pk_1", model, 480, None)
    end = RequestRecord(
        request_id, decision_id, at, "ten_default", key_id, "/v1/chat/completions", model, "openai", model,
        200, "ok", None, True, (attempt,), usage, 431.5, 102.25,
    )  # fmt: skip
    return start, progress, end


def microseconds(work: Callable[[], object]) -> float:
    """CPU of the whole process while `work` runs, divided by the requests."""
    before = time.process_time()
    work()
    return (time.process_time() - before) / REQUESTS * 1e6


def main() -> None:
    made = [records(number) for number in range(REQUESTS)]
    with TemporaryDirectory(prefix="omg-ledger-") as folder:
        url = f"sqlite:///{folder}/omg.db"
        asyncio.run(schema.upgrade(url))
        collect_garbage_seldom()  # as in a process that serves
        gc.freeze()
        written, flushed = asyncio.run(measure(made, Path(folder), url))
        size = Path(folder, "omg.db").stat().st_size / REQUESTS
    total = written + flushed
    lines = (
        f"START, PROGRESS and END into the spool  {written:6.1f} µs a request",
        f"flush into SQLite, {BATCH} a batch         {flushed:6.1f} µs a request, {size:.0f} bytes",
        f"together                                {total:6.1f} µs a request, the goal is {GOAL_MICROSECONDS:.0f}",
    )
    sys.stdout.write("\n".join(lines) + "\n")


async def measure(
    made: list[tuple[StartRecord, ProgressRecord, RequestRecord]], folder: Path, url: str
) -> tuple[float, float]:
    """Microseconds a request: written down, and carried over."""
    directory = OwnDirectory(folder / "spool", "bench")
    spool, store = Spool(directory), open_ledger_store(url)
    flusher = LedgerFlusher(spool, directory, folder / "spool", store, lambda provider, model: None)
    written = flushed = 0.0
    for at in range(0, REQUESTS, BATCH):
        batch = made[at : at + BATCH]
        written += microseconds(lambda batch=batch: write(spool, batch))  # type: ignore[misc]  # bound at once
        before = time.process_time()
        await flusher.flush()
        flushed += (time.process_time() - before) / REQUESTS * 1e6
    await flusher.finish()
    await store.aclose()
    return written, flushed


def write(spool: Spool, batch: list[tuple[StartRecord, ProgressRecord, RequestRecord]]) -> None:
    for start, progress, end in batch:
        spool.start(start)
        spool.progress(progress)
        spool.end(end)


if __name__ == "__main__":
    main()
