"""Usage summed in memory, one record after the other: slow, and right by being plain."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

import msgspec
from typing_extensions import override

from domain.attribution import Attribution
from domain.errors import StoreUnavailable
from domain.ports.usage import RequestLog, Sample, UsageReader
from domain.prices import UNPRICED
from domain.records import AttemptRecord, RequestRecord
from domain.usage import TokenUsage
from domain.usage_queries import (
    GROUPINGS,
    PERCENTILES,
    CostDrift,
    CostSpread,
    Latencies,
    LogCursor,
    Percentiles,
    PricedCalls,
    RequestFilter,
    UsageFilter,
    UsageQuery,
    UsageRow,
    UsageSums,
    too_many_groups,
)


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
                for tag in _tags(query, record):
                    for provider, model, sums in _parts(record):
                        if _wanted(query.filter, record, provider, model, tag):
                            groups[_group(query, record, zone, provider, model, tag)] += sums
        if len(groups) > limit:
            raise too_many_groups(limit)
        return [UsageRow(sums, *group) for group, sums in groups.items()]  # type: ignore[arg-type]  # in the order of the fields

    @override
    async def missing(self, query: UsageQuery, limit: int) -> Sequence[UsageRow]:
        self._check()
        zone = ZoneInfo(query.timezone)
        return [
            UsageRow(UsageSums(), *groups, cost_missing=each.cost_missing)  # type: ignore[arg-type, misc]  # in the order of the fields
            for record in self.records
            if query.start <= record.created_at < query.end
            for tag in _tags(query, record)
            for each in record.attempts
            if each.cost_missing not in ((), UNPRICED)
            and _wanted(query.filter, record, each.provider_id, each.model, tag)
            for groups in (_group(query, record, zone, each.provider_id, each.model, tag),)
        ][:limit]

    @override
    async def latencies(self, query: UsageQuery, one_in: Sample) -> Latencies:
        self._check()
        suffix = {1: "", 16: "0", 256: "00"}[one_in]
        zone = ZoneInfo(query.timezone)
        values: dict[tuple[object, ...], dict[str, list[float]]] = {}
        for record in self.records:
            counts = record.decision_id.endswith(suffix) and not record.refused_by
            if counts and query.start <= record.created_at < query.end:
                last = record.attempts[-1] if record.attempts else record
                provider, model = last.provider_id or "", last.model or ""
                for tag in _tags(query, record):
                    if _wanted(query.filter, record, provider, model, tag):
                        of_group = values.setdefault(_group(query, record, zone, provider, model, tag), {})
                        of_group.setdefault("latency_ms", []).append(record.latency_ms)
                        if record.ttft_ms is not None:
                            of_group.setdefault("ttft_ms", []).append(record.ttft_ms)
        rows = tuple(
            msgspec.structs.replace(
                UsageRow(UsageSums(), *group),  # type: ignore[arg-type]  # as above
                **{measure: _percentiles(found) for measure, found in measured.items()},
            )
            for group, measured in values.items()
        )
        if not query.group_by:
            return Latencies(rows, rows[0] if rows else UsageRow(UsageSums()))
        whole = await self.latencies(msgspec.structs.replace(query, group_by=()), one_in)
        return Latencies(rows, whole.total)

    @override
    async def priced(self, query: UsageQuery, limit: int) -> Sequence[PricedCalls]:
        self._check()
        found: dict[tuple[str, str, str, bool], list[AttemptRecord]] = defaultdict(list)
        for record in self.records:
            if query.start <= record.created_at < query.end:
                for tag in _tags(query, record):
                    for each in record.attempts:
                        wanted = _wanted(query.filter, record, each.provider_id, each.model, tag)
                        if each.cost_nano_usd is not None and wanted:
                            reported = each.reported_nano_usd is not None
                            found[each.provider_id, each.model, each.price_id or "", reported].append(each)
        return [
            PricedCalls(*group, len(calls), sum(each.cost_nano_usd or 0 for each in calls), _added(calls))
            for group, calls in found.items()
        ][:limit]

    @override
    async def spreads(self, query: UsageQuery) -> Sequence[CostSpread]:
        self._check()
        found: dict[tuple[str, bool], list[RequestRecord]] = defaultdict(list)
        for record in self.records:
            last = record.attempts[-1] if record.attempts else record
            for tag in _tags(query, record):
                within = query.start <= record.created_at < query.end and record.route
                if within and _wanted(query.filter, record, last.provider_id or "", last.model or "", tag):
                    found[record.route, record.holdout].append(record)
        return [_spread(route, holdout, records) for (route, holdout), records in found.items()]

    @override
    async def drift(self, query: UsageQuery, limit: int) -> Sequence[CostDrift]:
        self._check()
        found: dict[tuple[str, str], list[AttemptRecord]] = defaultdict(list)
        for record in self.records:
            if query.start <= record.created_at < query.end:
                for each in record.attempts:
                    both = each.reported_nano_usd is not None and each.computed_nano_usd is not None
                    if both and _wanted(query.filter, record, each.provider_id, each.model, ""):
                        found[each.provider_id, each.model].append(each)
        rows = [_drift(provider, model, attempts) for (provider, model), attempts in found.items()]
        apart = [row for row in rows if row.apart]
        apart.sort(key=lambda row: (-abs(row.reported_nano_usd - row.computed_nano_usd), row.provider, row.model))
        return apart[:limit]

    @override
    async def page(self, filter_: RequestFilter, limit: int, at: LogCursor | None) -> Sequence[RequestRecord]:
        self._check()
        newest = sorted(self.records, key=lambda record: (record.created_at, record.request_id), reverse=True)
        listed = [record for record in newest if _listed(filter_, record)]
        if at is None:
            return listed[:limit]
        place = (at.created_at, at.request_id)
        if at.newer:
            newer = [record for record in listed if (record.created_at, record.request_id) > place]
            return newer[-limit:] if limit else []
        return [record for record in listed if (record.created_at, record.request_id) < place][:limit]

    @override
    async def get(self, request_id: str) -> RequestRecord | None:
        self._check()
        return next((record for record in self.records if record.request_id == request_id), None)

    def _check(self) -> None:
        if self.broken:
            raise StoreUnavailable("broken by the test")


def _added(calls: list[AttemptRecord]) -> TokenUsage:
    counts = [(each.usage or TokenUsage()).counts() for each in calls]
    return TokenUsage.of((sum(column) for column in zip(*counts, strict=True)), None)


def _percentiles(values: list[float]) -> Percentiles:
    ordered = sorted(values)
    return Percentiles(*(ordered[math.ceil(len(ordered) * percent / 100) - 1] for percent in PERCENTILES))


def _spread(route: str, holdout: bool, records: list[RequestRecord]) -> CostSpread:
    costs = [sum(attempt.cost_nano_usd or 0 for attempt in record.attempts) / 1e9 for record in records]
    saved = sum(record.savings_nano_usd or 0 for record in records) / 1e9
    return CostSpread(route, holdout, len(costs), sum(costs), sum(cost * cost for cost in costs), saved)


def _drift(provider: str, model: str, attempts: list[AttemptRecord]) -> CostDrift:
    costs = [(each.reported_nano_usd or 0, each.computed_nano_usd or 0) for each in attempts]
    apart = sum(abs(reported - computed) * 100 > reported for reported, computed in costs)
    reported, computed = (sum(column) for column in zip(*costs, strict=True))
    return CostDrift(provider, model, len(costs), apart, reported, computed)


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
            inexact_requests=int(any(attempt.cost_missing for attempt in attempts)),
            failed_requests=int(record.outcome not in ("ok", "client_cancelled") and not record.refused_by),
            refused_requests=int(bool(record.refused_by)),
            savings_nano_usd=record.savings_nano_usd or 0,
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


def _wanted(filter_: UsageFilter, record: RequestRecord, provider: str, model: str, tag: str) -> bool:
    has = {"provider_id": provider, "model": model, "tag": tag, **_whose(record)}
    has["tenant_id"], has["key_id"], has["user_id"] = has["tenant"], has["key"], has["user"]
    return all(getattr(filter_, name) in (None, has[name]) for name in filter_.__struct_fields__)


def _whose(record: RequestRecord) -> dict[str, str]:
    by = record.attribution
    return {
        "key": record.key_id or "",
        "task": record.task,
        "tenant": record.tenant_id,
        "user": by.user_id or "",
        "endpoint": record.endpoint,
        "end_user": by.end_user,
        "session": by.session,
        "device": by.device,
        "route": record.route,
    }


def _tags(query: UsageQuery, record: RequestRecord) -> Sequence[str]:
    """A request counts for each of its tags where they are asked for, else once."""
    asked = "tag" in query.group_by or query.filter.tag is not None
    return (record.attribution.tags or ("",)) if asked else ("",)


def _group(
    query: UsageQuery, record: RequestRecord, zone: ZoneInfo, provider: str, model: str, tag: str
) -> tuple[object, ...]:
    local = record.created_at.astimezone(zone)
    passed = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    times = {"day": local.date(), "hour": record.created_at - passed}
    values = {**times, "model": model, "provider": provider, "tag": tag, **_whose(record)}
    return tuple(values[name] if name in query.group_by else None for name in GROUPINGS)


_OF_ATTRIBUTION = frozenset(Attribution.__struct_fields__)


def _listed(filter_: RequestFilter, record: RequestRecord) -> bool:
    if filter_.start is not None and record.created_at < filter_.start:
        return False
    if filter_.end is not None and record.created_at >= filter_.end:
        return False
    wanted = msgspec.structs.asdict(filter_)
    if filter_.tag is not None and filter_.tag not in record.attribution.tags:
        return False
    attempts = record.attempts
    flags = {
        "refused": bool(record.refused_by),
        "estimated": any(attempt.usage_source == "estimated" for attempt in attempts),
        "unpriced": any(attempt.usage is not None and attempt.cost_nano_usd is None for attempt in attempts),
    }
    return all(
        value is None
        or (flags[name] if name in flags else getattr(record.attribution if name in _OF_ATTRIBUTION else record, name))
        == value
        for name, value in wanted.items()
        if name not in ("start", "end", "tag")
    )
