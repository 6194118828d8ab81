"""Usage summed in memory, one record after the other: slow, and right by being plain."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from zoneinfo import ZoneInfo

import msgspec
from typing_extensions import override

from domain.errors import StoreUnavailable
from domain.ports.usage import RequestLog, UsageReader
from domain.records import AttemptRecord, RequestRecord
from domain.usage import TokenUsage
from domain.usage_queries import LogPlace, RequestFilter, UsageFilter, UsageQuery, UsageRow, UsageSums, too_many_groups


class MemoryUsage(UsageReader, RequestLog):
    """Both ports over the same records. Set `broken` and they cannot be asked; `queries` remembers."""

    def __init__(self, records: Iterable[RequestRecord] = ()) -> None:
        self.records = list(records)
        self.queries: list[UsageQuery] = []
        self.broken = False

    @override
    async def sums(self, query: UsageQuery, limit: int) -> Sequence[UsageRow]:
        self._check()
        self.queries.append(query)
        zone = ZoneInfo(query.timezone)
        groups: dict[tuple[object, ...], UsageSums] = defaultdict(UsageSums)
        for record in self.records:
            if query.start <= record.created_at < query.end:
                day = record.created_at.astimezone(zone).date()
                for provider, model, sums in _parts(record):
                    if _wanted(query.filter, record, provider, model):
                        groups[_group(query, record, day, provider, model)] += sums
        if len(groups) > limit:
            raise too_many_groups(limit)
        return [UsageRow(sums, *group) for group, sums in groups.items()]  # type: ignore[arg-type]  # in the order of the fields

    @override
    async def page(self, filter_: RequestFilter, limit: int, after: LogPlace | None) -> Sequence[RequestRecord]:
        self._check()
        newest = sorted(self.records, key=lambda record: (record.created_at, record.request_id), reverse=True)
        place = (after.created_at, after.request_id) if after else None
        return [
            record
            for record in newest
            if (place is None or (record.created_at, record.request_id) < place) and _listed(filter_, record)
        ][:limit]

    @override
    async def get(self, request_id: str) -> RequestRecord | None:
        self._check()
        return next((record for record in self.records if record.request_id == request_id), None)

    def _check(self) -> None:
        if self.broken:
            raise StoreUnavailable("broken by the test")


def _parts(record: RequestRecord) -> Iterable[tuple[str, str, UsageSums]]:
    attempts = record.attempts
    last = attempts[-1] if attempts else record
    yield (
        last.provider_id or "",
        last.model or "",
        UsageSums(
            requests=1,
            estimated_requests=int(any(attempt.usage_source == "estimated" for attempt in attempts)),
            unpriced_requests=int(any(a.usage is not None and a.cost_nano_usd is None for a in attempts)),
        ),
    )
    for attempt in attempts:
        yield attempt.provider_id, attempt.model, _tokens(attempt)


def _tokens(attempt: AttemptRecord) -> UsageSums:
    usage = attempt.usage or TokenUsage()
    return UsageSums(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        cost_nano_usd=attempt.cost_nano_usd or 0,
    )


def _wanted(filter_: UsageFilter, record: RequestRecord, provider: str, model: str) -> bool:
    has = UsageFilter(record.tenant_id, record.key_id or "", provider, model, record.task)
    return all(getattr(filter_, name) in (None, getattr(has, name)) for name in filter_.__struct_fields__)


def _group(query: UsageQuery, record: RequestRecord, day: date, provider: str, model: str) -> tuple[object, ...]:
    values = {"day": day, "model": model, "provider": provider, "key": record.key_id or "", "task": record.task}
    return tuple(values[name] if name in query.group_by else None for name in values)


def _listed(filter_: RequestFilter, record: RequestRecord) -> bool:
    if filter_.start is not None and record.created_at < filter_.start:
        return False
    if filter_.end is not None and record.created_at >= filter_.end:
        return False
    wanted = msgspec.structs.asdict(filter_)
    return all(
        value is None or getattr(record, name) == value
        for name, value in wanted.items()
        if name not in ("start", "end")
    )
