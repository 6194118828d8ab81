"""Sums of the requests that ended, for `/metrics`: on the hot path a record is only kept, and added up later."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

from domain.metrics import (
    ATTEMPT_DURATION,
    ATTEMPTS,
    COST,
    DURATION,
    FIRST_TOKEN,
    OTHER,
    OVERHEAD,
    REFUSALS,
    REQUESTS,
    SUBJECT_COST,
    SUBJECT_REQUESTS,
    TOKENS,
    UNPRICED,
    Cells,
    Metric,
    Readings,
)
from domain.money import NANO_PER_USD
from domain.records import AttemptRecord, RequestRecord

MAX_MODELS: Final = 200
"""Models that are told apart; of these, at most half that have only failed, since clients name models."""

MAX_PROVIDERS: Final = 200
MAX_SUBJECTS: Final = 500
"""Keys and tenants together, where they are told apart."""

_MAX_KNOWN: Final = 1_000
"""Ways that requests go, whose cells are at hand."""

_DIRECTIONS: Final = ("input", "output", "cache_read", "cache_write", "reasoning")

TURN_RECORDS: Final = 200
"""Added up at once: a millisecond or so."""


class RequestSums:
    """`keep` is called on the hot path, `add_up` beside it. `readings` are as of the last `add_up`."""

    def __init__(self, *, subjects: bool = False) -> None:
        self._waiting: list[RequestRecord] = []
        self.keep = self._waiting.append
        self._subjects = subjects
        self._models: dict[str, str] = {}
        self._failed_models = 0
        self._providers: dict[str, str] = {"": ""}
        self._known_subjects: set[tuple[str, str]] = set()
        self._known: dict[tuple[str, str, str], _Usual] = {}
        self.readings: Readings = {
            metric.name: {}
            for metric in (REQUESTS, TOKENS, COST, UNPRICED, DURATION, FIRST_TOKEN, OVERHEAD, ATTEMPTS,
                           ATTEMPT_DURATION, REFUSALS)
        }  # fmt: skip
        if subjects:
            self.readings |= {SUBJECT_REQUESTS.name: {}, SUBJECT_COST.name: {}}

    def add_up(self, at_most: int | None = None) -> int:
        """Add what was kept; returns how many wait still."""
        waiting = self._waiting
        count = len(waiting) if at_most is None else min(at_most, len(waiting))
        taken = waiting[:count]
        del waiting[:count]
        self.observe(taken)
        return len(waiting)

    def observe(self, records: Iterable[RequestRecord]) -> None:
        known = self._known
        for record in records:
            attempts = record.attempts
            if len(attempts) != 1 or record.outcome != "ok" or attempts[0].outcome != "ok":
                self._add(record)
                continue
            attempt = attempts[0]
            key = (record.endpoint, attempt.provider_id, attempt.model)
            usual = known.get(key)
            if usual is not None and not self._subjects and usual.add(record, attempt):
                continue
            self._add(record)
            if len(known) < _MAX_KNOWN or usual is not None:
                provider, model = self._provider(attempt.provider_id), self._model(attempt.model, served=True)
                known[key] = _Usual(self.readings, record.endpoint, provider, model)

    def _add(self, record: RequestRecord) -> None:
        readings, attempts, endpoint = self.readings, record.attempts, record.endpoint
        served = record.outcome == "ok"
        last = attempts[-1] if attempts else None
        provider = self._provider(last.provider_id if last is not None else record.provider_id or "")
        model = self._model(last.model, served=served) if last is not None else ""
        seconds, upstream = record.latency_ms / 1000, 0.0
        _count(readings[REQUESTS.name], (endpoint, provider, model, record.outcome), 1)
        cost = 0.0
        for attempt in attempts:
            upstream += attempt.duration_ms / 1000
            cost += self._add_attempt(endpoint, attempt)
        if last is not None:
            _observe(DURATION, readings, (endpoint, provider), seconds)
            _observe(OVERHEAD, readings, (endpoint,), max(0.0, seconds - upstream))
        if record.ttft_ms is not None:
            _observe(FIRST_TOKEN, readings, (endpoint, provider), record.ttft_ms / 1000)
        if record.refused_by:
            kind = record.refused_by.partition(":")[0]
            _count(readings[REFUSALS.name], (kind, record.error_code or ""), 1)
        if self._subjects:
            subject = self._subject(record)
            _count(readings[SUBJECT_REQUESTS.name], (*subject, record.outcome), 1)
            _count(readings[SUBJECT_COST.name], subject, cost)

    def _add_attempt(self, endpoint: str, attempt: AttemptRecord) -> float:
        readings = self.readings
        provider = self._provider(attempt.provider_id)
        _count(readings[ATTEMPTS.name], (provider, attempt.outcome), 1)
        _observe(ATTEMPT_DURATION, readings, (provider,), attempt.duration_ms / 1000)
        usage = attempt.usage
        if usage is None:
            return 0.0
        model = self._model(attempt.model, served=attempt.outcome == "ok")
        tokens = readings[TOKENS.name]
        _count(tokens, ("input", endpoint, provider, model), usage.input_tokens)
        _count(tokens, ("output", endpoint, provider, model), usage.output_tokens)
        for direction, amount in (
            ("cache_read", usage.cache_read_tokens),
            ("cache_write", usage.cache_write_tokens),
            ("reasoning", usage.reasoning_tokens),
        ):
            if amount:
                _count(tokens, (direction, endpoint, provider, model), amount)
        if attempt.cost_nano_usd is None:
            _count(readings[UNPRICED.name], (provider, model), 1)
            return 0.0
        cost = attempt.cost_nano_usd / NANO_PER_USD
        _count(readings[COST.name], (endpoint, provider, model), cost)
        return cost

    def _provider(self, provider_id: str) -> str:
        known = self._providers.get(provider_id)
        if known is None:
            known = provider_id if len(self._providers) <= MAX_PROVIDERS else OTHER
            if known == provider_id:
                self._providers[provider_id] = known
        return known

    def _model(self, model: str, *, served: bool) -> str:
        known = self._models.get(model)
        if known is not None:
            return known
        if len(self._models) >= MAX_MODELS or (not served and self._failed_models >= MAX_MODELS // 2):
            return OTHER
        self._failed_models += not served
        self._models[model] = model
        return model

    def _subject(self, record: RequestRecord) -> tuple[str, str]:
        subject = (record.tenant_id, record.key_id or "")
        if subject not in self._known_subjects:
            if len(self._known_subjects) >= MAX_SUBJECTS:
                return (OTHER, OTHER)
            self._known_subjects.add(subject)
        return subject


class _Usual:
    """The cells of requests that one call answered at one deployment, as most are: those that are there."""

    __slots__ = (
        "_attempt",
        "_attempts",
        "_cost",
        "_duration",
        "_first",
        "_overhead",
        "_requests",
        "_tokens",
        "_unpriced",
    )

    def __init__(self, readings: Readings, endpoint: str, provider: str, model: str) -> None:
        went_to = (endpoint, provider, model)
        tokens = readings[TOKENS.name]
        self._requests = readings[REQUESTS.name][*went_to, "ok"]
        self._attempts = readings[ATTEMPTS.name][provider, "ok"]
        self._duration = readings[DURATION.name][endpoint, provider]
        self._overhead = readings[OVERHEAD.name][endpoint,]
        self._attempt = readings[ATTEMPT_DURATION.name][provider,]
        self._first = readings[FIRST_TOKEN.name].get((endpoint, provider))
        self._tokens = tuple(tokens.get((direction, *went_to)) for direction in _DIRECTIONS)
        self._cost = readings[COST.name].get(went_to)
        self._unpriced = readings[UNPRICED.name].get((provider, model))

    def add(self, record: RequestRecord, attempt: AttemptRecord) -> bool:
        """False, and nothing is added, where a cell is needed that was not there."""
        usage, nano_usd, ttft_ms = attempt.usage, attempt.cost_nano_usd, record.ttft_ms
        given, made, read, written, reasoned = self._tokens
        money, first = self._unpriced if nano_usd is None else self._cost, self._first
        if usage is None or money is None or given is None or made is None or (ttft_ms is not None and first is None):
            return False
        if usage.cache_read_tokens or usage.cache_write_tokens or usage.reasoning_tokens:
            amounts = (usage.cache_read_tokens, usage.cache_write_tokens, usage.reasoning_tokens)
            further = [pair for pair in zip((read, written, reasoned), amounts, strict=True) if pair[1]]
            for have, _ in further:
                if have is None:
                    return False
            for have, amount in further:
                if have is not None:
                    have[0] += amount
        given[0] += usage.input_tokens
        made[0] += usage.output_tokens
        money[0] += 1 if nano_usd is None else nano_usd / NANO_PER_USD
        self._requests[0] += 1
        self._attempts[0] += 1
        seconds, upstream = record.latency_ms / 1000, attempt.duration_ms / 1000
        beside = seconds - upstream if seconds > upstream else 0.0
        for cell, buckets, value in (
            (self._duration, DURATION.buckets, seconds),
            (self._attempt, ATTEMPT_DURATION.buckets, upstream),
            (self._overhead, OVERHEAD.buckets, beside),
        ):
            cell[bisect_left(buckets, value)] += 1
            cell[-1] += value
        if ttft_ms is not None and first is not None:
            first[bisect_left(FIRST_TOKEN.buckets, ttft_ms / 1000)] += 1
            first[-1] += ttft_ms / 1000
        return True


def _count(cells: Cells, labels: tuple[str, ...], amount: float) -> None:
    cell = cells.get(labels)
    if cell is None:
        cells[labels] = [amount]
    else:
        cell[0] += amount


def _observe(metric: Metric, readings: Readings, labels: tuple[str, ...], seconds: float) -> None:
    cells = readings[metric.name]
    cell = cells.get(labels)
    if cell is None:
        cell = cells[labels] = [0.0] * (len(metric.buckets) + 2)
    cell[bisect_left(metric.buckets, seconds)] += 1
    cell[-1] += seconds
