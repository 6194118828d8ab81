"""What was spent of budgets, as the ledger has added it up, and what is held of them beyond the end of a request."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec
from sqlalchemy import select
from typing_extensions import override

from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.tables.budgets import BudgetPeriodRow
from adapters.persistence.work import insert_into
from domain.background_responses import FACT_PREFIX, BackgroundResponse
from domain.budget_periods import ROLLING, Bucket
from domain.grants import Patterns
from domain.ports.budgets import BudgetTerm, SpendReader
from domain.ports.usage import UsageReader
from domain.records import Charge
from domain.subject_limits import Subject
from domain.usage_periods import HOUR
from domain.usage_queries import Grouping, UsageFilter, UsageQuery, UsageRow

READ_SECONDS = 5.0
MAX_GROUPS: Final = 100_000
"""Of usage before a budget: hours, providers and models."""

MAX_RUNNING: Final = 10_000
"""Of the responses that run in the background; money for more of them is not held after a start."""

_decode = msgspec.json.Decoder(BackgroundResponse).decode


class SqlAlchemySpend(SpendReader):
    """Reads the table that the ledger writes; of accounts that are not there it asks the usage before."""

    def __init__(self, store: SqlAlchemyStore, usage: UsageReader) -> None:
        self._store = store
        self._usage = usage

    @override
    async def spent(self, term: BudgetTerm, bucket: Bucket) -> Mapping[int, int]:
        known, spent = await self._read(term.account, bucket)
        if known:
            return spent
        before = {bucket.starts_at: 0, **await self._before(term, bucket)}
        rows = [
            {"account": term.account, "starts_at": start, "spent_nano_usd": nano, "opening_nano_usd": nano}
            for start, nano in before.items()
        ]
        async with self._store.writing() as work:
            insert = insert_into(work.session, BudgetPeriodRow).values(rows).on_conflict_do_nothing()
            await work.run(work.session.execute(insert))
        return (await self._read(term.account, bucket))[1]

    async def _read(self, account: str, bucket: Bucket) -> tuple[bool, Mapping[int, int]]:
        """Whether it was ever written of, and what counts at present."""
        row = BudgetPeriodRow
        present = select(row.starts_at, row.spent_nano_usd).where(
            row.account == account, row.starts_at >= bucket.counts_from
        )
        ever = select(row.account).where(row.account == account).limit(1)
        async with self._store.reading(READ_SECONDS) as work:
            found = (await work.run(work.session.execute(present))).all()
            known = bool(found) or (await work.run(work.session.execute(ever))).first() is not None
        return known, {int(starts_at): int(spent) for starts_at, spent in found}

    async def _before(self, term: BudgetTerm, bucket: Bucket) -> Mapping[int, int]:
        """What its subject spent in the present period without it, by bucket."""
        filter_ = _usage_of(term.subject)
        if filter_ is None or term.period == "never":
            return {}
        by: tuple[Grouping, ...] = ("provider", "model")
        rolling = ROLLING.get(term.period)
        query = UsageQuery(
            datetime.fromtimestamp(bucket.counts_from, UTC),
            datetime.fromtimestamp(bucket.ends_at, UTC),
            by if rolling is None else ("hour", *by),
            filter=filter_,
        )
        patterns = [] if term.models is None else [Patterns(term.models)]
        if term.subject.kind == "model":
            patterns.append(Patterns([term.subject.id]))
        found: dict[int, int] = {}
        for row in await self._usage.sums(query, MAX_GROUPS):
            if row.sums.cost_nano_usd and all(_matches(each, row) for each in patterns):
                start = bucket.starts_at if rolling is None else _bucket_of(row.hour, bucket, rolling[1])
                found[start] = found.get(start, 0) + row.sums.cost_nano_usd
        return found

    @override
    async def kept(self, account: str) -> Mapping[str, Charge]:
        async with self._store.read() as unit:
            found = await unit.facts.beginning_with(FACT_PREFIX, MAX_RUNNING)
        responses = [_decode(value) for value in found.values()]
        return {each.hold_id: charge for each in responses for charge in each.held if charge.account == account}


def _usage_of(subject: Subject) -> UsageFilter | None:
    """Which usage is a subject's; None where sums of usage do not tell it apart."""
    if subject.kind == "member":
        tenant_id, _, user_id = subject.id.partition("/")
        return UsageFilter(tenant_id=tenant_id, user_id=user_id)
    if subject.kind == "provider_key":
        return None
    by_kind = {
        "key": UsageFilter(key_id=subject.id),
        "tenant": UsageFilter(tenant_id=subject.id),
        "user": UsageFilter(user_id=subject.id),
        "tag": UsageFilter(tag=subject.id),
        "provider": UsageFilter(provider_id=subject.id),
        "model": UsageFilter(),
    }
    return by_kind[subject.kind]


def _matches(patterns: Patterns, row: UsageRow) -> bool:
    model = row.model or ""
    return patterns.match(model, f"{row.provider}/{model}")


def _bucket_of(hour: datetime | None, bucket: Bucket, width: int) -> int:
    """Where an hour's usage goes in a rolling period: to the bucket in which it ends, so that it counts long enough."""
    if hour is None:
        return bucket.starts_at
    last = int((hour + HOUR).timestamp()) - 1
    return min(last // width * width, bucket.starts_at)
