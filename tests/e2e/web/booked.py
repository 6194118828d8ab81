"""Requests of an October whose clocks change, booked as if they had been made: for pages that add them up."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.persistence.ledger.opening import open_ledger_store
from domain.records import RequestRecord
from domain.usage import TokenUsage
from tests.builders import a_request_record, an_attempt_record

FIRST = datetime(2026, 10, 23, 12, 0, tzinfo=UTC)
HOURS = 96
"""Four days; Europe/Oslo puts its clocks back at 2026-10-25T01:00Z. Midnights of all zones are in it."""


def records() -> Iterator[RequestRecord]:
    """One every half an hour, a minute past it: of three models at two providers, one in seven a failure."""
    for number in range(2 * HOURS):
        failed = number % 7 == 3
        provider, model = ("demo-a", "demo-b")[number % 2], f"booked-{number % 3}"
        usage = TokenUsage(100 + number, 10 + number % 11)
        good = an_attempt_record(
            1,
            provider_id=provider,
            model=model,
            usage=usage,
            price_id="price_1",
            cost_nano_usd=1_000 * number + 7,
        )
        bad = an_attempt_record(
            1, provider_id=provider, model=model, outcome="server_error", status=500, usage=None, usage_source="none",
            price_id=None, cost_nano_usd=None,
        )  # fmt: skip
        yield a_request_record(
            f"req_{number:032x}",
            created_at=FIRST + timedelta(minutes=30 * number + 1),
            requested_model=model,
            provider_id=provider,
            model=model,
            key_id=None,
            status=502 if failed else 200,
            outcome="error" if failed else "ok",
            attempts=(bad,) if failed else (good,),
            usage=None if failed else usage,
        )


def book(database: Path, booked: Sequence[RequestRecord]) -> None:
    """Through the ledger's own writer, while the gateway serves. In a thread: the browser's loop has this one."""

    async def apply() -> None:
        ledger = open_ledger_store(f"sqlite:///{database}")
        try:
            await ledger.apply(booked, None)
        finally:
            await ledger.aclose()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, apply()).result()
