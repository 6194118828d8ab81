"""How long usage takes to answer over a million requests: `uv run python -m bench.usage_million`.

Fills a SQLite file and a Postgres through the ledger's own writers, as evenly over keys and models as it is worst for
the roll-ups, and times every kind of question from the use case to the bytes of the answer. 1 where one is too slow.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import msgspec
from sqlalchemy import text
from tests.contracts.persistence.postgres import PostgresServer
from tests.fakes.providers import FakeRegistry

from adapters.clock import SystemClock
from adapters.persistence import schema
from adapters.persistence.engine import build_schema_engine, parse_url
from adapters.persistence.ledger.opening import open_ledger_store
from adapters.persistence.ledger.verification import verify
from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.usage_queries.names import SqlAlchemyNames
from adapters.persistence.usage_queries.reader import SqlAlchemyUsage
from adapters.persistence.usage_queries.rolling import SqlAlchemyRollUps
from adapters.security.key_ring import KeyRing
from adapters.security.secret_box import AesGcmSecretBox
from application.snapshot import DeclaredConfig, GatewayState
from application.usage.asking import UsageAsked
from application.usage.naming import Naming
from application.usage.report import UsageReport
from application.usage.request_log import RequestReport, RequestsAsked
from domain.attribution import Attribution
from domain.errors import RequestInvalid, StoreUnavailable
from domain.prices import PriceRow, Prices, cost_nano_usd
from domain.records import AttemptRecord, Outcome, RequestRecord
from domain.timeouts import Timeouts
from domain.usage import TokenUsage
from domain.usage_queries import RequestFilter, UsageFilter
from entrypoints.http.request_answer import request_entry, request_page
from entrypoints.http.usage_answer import usage_answer

DAYS, KEYS, MODELS, PROVIDERS, END_USERS = 90, 50, 20, 5, 2_000
ENDPOINTS = ("/v1/chat/completions", "/v1/embeddings")
LIMIT_MS = 500
TIMES = 5
BATCH = 5_000
END = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
PRICE = PriceRow("price_1", "provider-1", "m", Prices(350_000_000, 750_000_000), "admin", END)
MONTH = "2026-10-23"
FIRST = (END - timedelta(days=DAYS)).date().isoformat()

Question = Callable[[UsageReport, RequestReport], Awaitable[bytes]]

_encode = msgspec.json.Encoder().encode


def records(count: int) -> Iterator[RequestRecord]:
    """Oldest first; one in twenty takes two attempts, one in thirty fails."""
    chance = random.Random(1)
    keys = [f"key_{chance.getrandbits(128):032x}" for _ in range(KEYS)]
    step = timedelta(days=DAYS) / count
    for number in range(count):
        model = chance.randrange(MODELS)
        usage = TokenUsage(chance.randrange(20, 8_000), chance.randrange(1, 1_500), chance.randrange(20), 0, 7)
        missing = ("web_search",) if number % 500 == 3 else ()
        good = AttemptRecord(
            1, f"provider-{model % PROVIDERS}", "pk_1", f"model-with-a-name-{model}", "ok", 200, 800.0, usage, "",
            "provider", PRICE.id, cost_nano_usd(usage, PRICE.prices), missing,
        )  # fmt: skip
        attempts: tuple[AttemptRecord, ...] = (good,)
        if number % 20 == 0:
            bad = AttemptRecord(1, f"provider-{(model + 1) % PROVIDERS}", "pk_2", good.model, "timeout", None, 900.0)
            attempts = (bad, msgspec.structs.replace(good, number=2))
        outcome, status = _end(number)
        yield RequestRecord(
            f"req_{number:032x}", f"dec_{number:032x}", END - timedelta(days=DAYS) + step * number,
            "ten_default", keys[chance.randrange(KEYS)], ENDPOINTS[number % 10 == 0], good.model, good.provider_id,
            good.model, status, outcome, None if outcome == "ok" else "upstream_error", number % 2 == 0,
            attempts, usage, chance.lognormvariate(6.5, 0.8), chance.lognormvariate(5.0, 0.7),
            attribution=attributed(number, chance),
        )  # fmt: skip


def attributed(number: int, chance: random.Random) -> Attribution:
    """Each request is of one of 2,000 end users, and of a session of about ten requests."""
    end_user = chance.randrange(END_USERS)
    tags = (f"team:{end_user % 20}",) if end_user % 4 else ()
    return Attribution(
        f"usr_{end_user % 30}", tags, f"end-user-{end_user}", f"session-{number // 10_000}-{end_user % 1000}",
        f"device-{end_user % 300}" if end_user % 3 == 0 else "",
    )  # fmt: skip


def _end(number: int) -> tuple[Outcome, int]:
    if number % 300_000 == 7:
        return "error", 413
    return ("error", 502) if number % 30 == 0 else ("ok", 200)


def usage(timezone: str = "UTC", *groups: str, since: str = FIRST, stats: bool = False, **filters: str) -> Question:
    async def ask(report: UsageReport, _: RequestReport) -> bytes:
        asked = UsageAsked(since, END.date().isoformat(), groups, timezone, stats, UsageFilter(**filters))
        try:
            return _encode(usage_answer(await report.of_all(asked)))
        except (RequestInvalid, StoreUnavailable) as error:
            return str(error).encode()[:100]

    return ask


def listing(deep: bool = False, **filters: object) -> Question:
    async def ask(_: UsageReport, report: RequestReport) -> bytes:
        asked = RequestsAsked(filter=RequestFilter(**filters))  # type: ignore[arg-type]  # as the table below writes them
        cursor = f"{END - timedelta(days=45):%Y-%m-%dT%H:%M:%S.%f}Z~req_0" if deep else None
        page = await report.list_page(asked, 200, cursor)
        return _encode(request_page(page))

    return ask


async def one(_: UsageReport, report: RequestReport) -> bytes:
    record = await report.get(f"req_{4711:032x}")
    return _encode(request_entry(record, await report.names_of(record)))


def questions(key: str) -> dict[str, Question]:
    """Every kind there is: groups alone and together, with filters, in zones of each sort; lists dense and sparse."""
    york, kolkata = "America/New_York", "Asia/Kolkata"
    single = {f"by {group}": usage("UTC", group) for group in ("day", "model", "provider", "key", "task")}
    return (
        single
        | attributed_questions()
        | {
            "by day, New York": usage(york, "day"),
            "by day, Kolkata": usage(kolkata, "day"),
            "by day, model": usage("UTC", "day", "model"),
            "by day, model, New York": usage(york, "day", "model"),
            "by day, key, New York": usage(york, "day", "key"),
            "by day, model, Kolkata": usage(kolkata, "day", "model"),
            "by day, key, Kolkata": usage(kolkata, "day", "key"),
            "by day, provider, Kathmandu": usage("Asia/Kathmandu", "day", "provider"),
            "by key, model": usage("UTC", "key", "model"),
            "by key, model, provider, task": usage("UTC", "key", "model", "provider", "task"),
            "by day, key, model of a week, New York": usage(york, "day", "key", "model", since="2026-11-15"),
            "by day, key, model, New York (refused)": usage(york, "day", "key", "model"),
            "one key by day": usage("UTC", "day", key_id=key),
            "one key by day, model, New York": usage(york, "day", "model", key_id=key),
            "one key by day, model, Kolkata": usage(kolkata, "day", "model", key_id=key),
            "one model by day, key, New York": usage(york, "day", "key", model="model-with-a-name-3"),
            "one provider by day, key, New York": usage(york, "day", "key", provider_id="provider-3"),
            "one provider by day, key, Kolkata": usage(kolkata, "day", "key", provider_id="provider-3"),
            "one tenant by key, model": usage("UTC", "key", "model", tenant_id="ten_default"),
            "an unknown key by day, model, New York": usage(york, "day", "model", key_id="key_none"),
            "by model, with percentiles": usage("UTC", "model", stats=True),
            "by day, New York, with percentiles": usage(york, "day", stats=True),
            "by provider of a month, with percentiles": usage("UTC", "provider", since=MONTH, stats=True),
            "by hour of a week, Kolkata": usage(kolkata, "hour", since="2026-11-15"),
            "by hour, model of a week": usage("UTC", "hour", "model", since="2026-11-15"),
            "requests of an end user": listing(end_user="end-user-7"),
            "requests of a session": listing(session="session-50-7"),
            "requests with a tag": listing(tag="team:7"),
            "requests with a tag that never was": listing(tag="team:none"),
            "requests": listing(),
            "requests, deep in the list": listing(deep=True),
            "requests of a key": listing(key_id=key),
            "requests of a model, deep": listing(deep=True, model="model-with-a-name-3"),
            "requests of a key and a model": listing(key_id=key, model="model-with-a-name-3"),
            "requests of a provider and another's model": listing(
                provider_id="provider-1", model="model-with-a-name-3"
            ),
            "requests of an unknown tenant": listing(tenant_id="ten_none"),
            "requests that failed": listing(outcome="error"),
            "requests with a rare status": listing(status=413),
            "requests with a status that never was": listing(status=418),
            "requests of a key that failed": listing(key_id=key, outcome="error"),
            "requests cancelled, of a model": listing(outcome="client_cancelled", model="model-with-a-name-3"),
            "one request": one,
        }
    )


def attributed_questions() -> dict[str, Question]:
    """What no table of sums tells apart."""
    return {
        "by end user": usage("UTC", "end_user"),
        "by end user of a month": usage("UTC", "end_user", since=MONTH),
        "by session of a week": usage("UTC", "session", since="2026-11-15"),
        "by user of a month": usage("UTC", "user", since=MONTH),
        "by tag of a month": usage("UTC", "tag", since=MONTH),
        "by tag": usage("UTC", "tag"),
        "by endpoint": usage("UTC", "endpoint"),
        "by device": usage("UTC", "device"),
        "by user, model": usage("UTC", "user", "model"),
        "by day, user, New York": usage("America/New_York", "day", "user"),
        "one tag by day": usage("UTC", "day", tag="team:7"),
        "one end user by day": usage("UTC", "day", end_user="end-user-7"),
        "one session by model": usage("UTC", "model", session="session-50-7"),
    }


async def fill(url: str, count: int) -> None:
    """Through the ledger's own writer, in large batches; then what the database does by itself within minutes."""
    await schema.upgrade(url)
    async with opened(url) as store, store.write() as unit:
        await unit.prices.supersede(PRICE)
    ledger = open_ledger_store(url)
    batch: list[RequestRecord] = []
    for record in records(count):
        batch.append(record)
        if len(batch) == BATCH:
            await ledger.apply(batch, None)
            batch.clear()
    await ledger.apply(batch, None)
    await ledger.aclose()
    if url.startswith("postgres"):
        engine = build_schema_engine(parse_url(url), 5)
        async with engine.connect() as connection:
            by_itself = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await by_itself.execute(text("VACUUM ANALYZE"))
        await engine.dispose()
    async with opened(url) as store:
        await SqlAlchemyRollUps(store, SystemClock()).turn()


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[SqlAlchemyStore]:
    store = SqlAlchemyStore(url, AesGcmSecretBox(KeyRing.generate()))
    yield store
    await store.aclose()


async def check(url: str) -> str:
    """What `omg ledger verify` finds, and how long it takes."""
    begun = time.perf_counter()
    async with opened(url) as store:
        result = await verify(store, lambda _segment, _applied_bytes: None)
    seconds = time.perf_counter() - begun
    return f"verified in {seconds:.0f} s: {len(result.differences)} differences in {result.requests} requests"


async def measure(url: str, asked: dict[str, Question]) -> dict[str, tuple[float, float, int]]:
    """For each question the median and the worst in milliseconds, and the answer's bytes."""
    found = {}
    async with opened(url) as store:
        reader = SqlAlchemyUsage(store)
        naming = Naming(SqlAlchemyNames(store), GatewayState(store, FakeRegistry(), DeclaredConfig(), Timeouts()))
        usage_report, request_report = UsageReport(reader, naming, SystemClock()), RequestReport(reader, naming)
        for name, question in asked.items():
            times, size = [], 0
            for _ in range(TIMES):
                begun = time.perf_counter()
                size = len(await question(usage_report, request_report))
                times.append((time.perf_counter() - begun) * 1000)
            found[name] = median(times), max(times), size
    return found


def main() -> int:
    options = _options()
    asked = questions(next(records(1)).key_id or "")
    slow = 0
    with tempfile.TemporaryDirectory(prefix="omg-usage-", ignore_cleanup_errors=True) as scratch:
        folder = Path(options.keep or scratch)
        folder.mkdir(parents=True, exist_ok=True)
        server = None if options.only == "sqlite" else PostgresServer(Path(scratch))
        urls = {} if options.only == "postgres" else {"sqlite": f"sqlite+aiosqlite:///{folder}/usage-{options.rows}.db"}
        if server is not None:
            urls["postgres"] = server.migrated_url
        for name, url in urls.items():
            if not (options.keep and name == "sqlite" and (folder / f"usage-{options.rows}.db").exists()):
                begun = time.perf_counter()
                asyncio.run(fill(url, options.rows))
                seconds = time.perf_counter() - begun
                print(f"{name}: {options.rows} requests in {seconds:.0f} s, {seconds / options.rows * 1e6:.0f} µs each")
            slow += _print(name, asyncio.run(measure(url, asked)))
            print(f"{name}: {asyncio.run(check(url))}")
        if server is not None:
            server.close()
    return 1 if slow else 0


def _print(name: str, found: dict[str, tuple[float, float, int]]) -> int:
    print(f"\n{name}, ms{'':<42} median   worst  answer KiB   (load {os.getloadavg()[0]:.1f})")
    for question, (middle, worst, size) in found.items():
        print(
            f"  {question:<50} {middle:7.1f} {worst:7.1f} {size / 1024:8.1f} {'TOO SLOW' if worst > LIMIT_MS else ''}"
        )
    return sum(worst > LIMIT_MS for _, worst, _ in found.values())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", choices=("sqlite", "postgres"))
    parser.add_argument("--keep", help="A folder to keep the SQLite file in, and to find it again.")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
