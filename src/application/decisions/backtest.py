"""A policy tried on yesterday's traffic: what it would have moved, and what that would have cost."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from application.catalog import ModelDirectory
from application.configuration.routes import check_policy
from application.decisions.replay import Deployment, Replay, actual
from application.routing.route_book import RouteBook
from application.routing.route_plans import unkept
from application.snapshot import GatewayState
from application.usage.moments import moment_of, timezone_of
from domain.errors import RequestInvalid
from domain.ports.decisions import DecisionLog
from domain.ports.models import Measurements, ModelFactBook
from domain.ports.prices import PriceBook
from domain.ports.runtime import Clock
from domain.prices import cost_of
from domain.records import RequestRecord
from domain.routes import Require, RoutePolicy
from domain.usage_queries import LogCursor

Prices = Literal["then", "now"]

PAGE: Final = 500
MOST: Final = 50_000
"""Decisions of one backtest: the first of the time that is asked for."""

DAYS: Final = 7
"""How far back, where nobody says."""


class Figures(msgspec.Struct, frozen=True):
    """Of the requests of which it is known; None where it is of none. Failures may be a part of one: a share."""

    cost_nano_usd: int | None
    latency_ms: float | None
    failures: float | None


class Move(msgspec.Struct, frozen=True):
    """Requests that would have gone to another deployment. The difference is None where one has no price."""

    source: str
    target: str
    requests: int
    cost_delta_nano_usd: int | None


class Backtested(msgspec.Struct, frozen=True):
    """`unknown` are the requests that would have gone where nothing was measured, or nowhere."""

    requests: int
    moved: int
    unknown: int
    before: Figures
    after: Figures
    moves: tuple[Move, ...]


class Backtests:
    """Replays recorded decisions. Raises `RequestInvalid` and `StoreUnavailable`."""

    def __init__(
        self,
        log: DecisionLog,
        book: RouteBook,
        state: GatewayState,
        directory: ModelDirectory,
        prices: PriceBook,
        measurements: Measurements,
        facts: ModelFactBook,
        clock: Clock,
    ) -> None:
        self._log = log
        self._book = book
        self._state = state
        self._directory = directory
        self._prices = prices
        self._measurements = measurements
        self._facts = facts
        self._clock = clock

    async def run(
        self, alias: str, policy: RoutePolicy, from_: str | None, to: str | None, prices: Prices
    ) -> Backtested:
        """Over what went by `alias`, which may be a route that is gone."""
        check_policy(policy, None)
        zone, now = timezone_of("UTC"), self._clock.now()
        end = moment_of(to, zone, "to", end_of_day=True) if to else now + timedelta(seconds=1)
        start = moment_of(from_, zone, "from") if from_ else end - timedelta(days=DAYS)
        if start > end:
            raise RequestInvalid(f"'from' ({start.isoformat()}) is after 'to' ({end.isoformat()}).", param="from")
        records = await self._read(alias, start, end)
        return self._summed(records, alias, policy, prices)

    async def _read(self, alias: str, start: datetime, end: datetime) -> list[RequestRecord]:
        records: list[RequestRecord] = []
        at = None
        while len(records) < MOST:
            page = await self._log.page(alias, start, end, PAGE, at)
            records += page
            if len(page) < PAGE:
                break
            at = LogCursor(page[-1].created_at, page[-1].request_id)
        return [record for record in records if record.decision is not None]

    def _summed(self, records: Sequence[RequestRecord], alias: str, policy: RoutePolicy, prices: Prices) -> Backtested:
        live, measured = self._book.routes.get(alias), _measured(records)
        before, after = _Sum(), _Sum()
        moves: dict[tuple[str, str], list[int | None]] = defaultdict(list)
        unknown = 0

        def cost(record: RequestRecord, where: Deployment) -> int | None:
            return self._cost(record, where, prices)

        def latency(where: Deployment) -> float | None:
            return self._latency(where, measured)

        book = self._prices if prices == "now" else None

        def deployments(provider_id: str, model: str) -> Sequence[Deployment]:
            return [each for each in self._deployments(provider_id, model) if self._keeps(policy.require, each)]

        replay = Replay(policy, live, deployments, cost, latency, book)
        for record in records:
            note = record.decision
            if note is None:
                continue
            was = actual(record, note)
            would = replay.chosen(record, note)
            failed = record.outcome not in ("ok", "client_cancelled")
            paid = sum(each.cost_nano_usd or 0 for each in record.attempts) if prices == "then" else None
            its_cost = paid if paid is not None else cost(record, was) if was is not None else None
            before.add(its_cost, record.latency_ms, float(failed))
            if would == was:
                after.add(its_cost, record.latency_ms, float(failed))
                continue
            other = cost(record, would) if would is not None else None
            delta = None if other is None or its_cost is None else other - its_cost
            moves[_name(was), _name(would)].append(delta)
            calls = measured.get(would) if would is not None else None
            took = latency(would) if would is not None else None
            unknown += took is None
            after.add(other, took, calls.failures / calls.calls if calls is not None else None)
        listed = sorted(moves.items(), key=lambda item: (-len(item[1]), item[0]))
        return Backtested(
            len(records),
            sum(map(len, moves.values())),
            unknown,
            before.figures,
            after.figures,
            tuple(Move(*key, len(deltas), _sum_of(deltas)) for key, deltas in listed),
        )

    def _cost(self, record: RequestRecord, where: Deployment, prices: Prices) -> int | None:
        """What the same tokens cost there: as it was reckoned then, or by the price of now."""
        if prices == "then" and record.decision is not None:
            for each in record.decision.candidates:
                if (each.provider_id, each.model) == where and each.cost_nano_usd is not None:
                    return each.cost_nano_usd
        usage = next((each.usage for each in reversed(record.attempts) if each.usage is not None), None)
        price = self._prices.look_up(*where) if usage is not None else None
        if usage is None or price is None:
            return None
        return cost_of(msgspec.structs.replace(usage, billing=None), price.prices).nano_usd

    def _latency(self, where: Deployment, measured: "dict[Deployment, _Calls]") -> float | None:
        calls = measured.get(where)
        if calls is not None and calls.answered:
            return calls.took_ms / calls.answered
        found = self._measurements.measured(*where)
        return found.latency_ms.p50 if found is not None and found.latency_ms is not None else None

    def _keeps(self, require: Require | None, where: Deployment) -> bool:
        """Whether a target is known to keep the rules, which never relax: a live route would leave it out."""
        return unkept(require, self._directory.capabilities(*where), self._facts.of(*where)) is None

    def _deployments(self, provider_id: str, model: str) -> Sequence[Deployment]:
        if provider_id:
            return ((provider_id, model),)
        live = self._state.current.live
        return [(each.provider.id, model) for each in live if self._directory.offers(each, model)]


class _Calls:
    """What was recorded of one deployment."""

    def __init__(self) -> None:
        self.calls = self.failures = self.answered = 0
        self.took_ms = 0.0


def _measured(records: Sequence[RequestRecord]) -> dict[Deployment, _Calls]:
    found: dict[Deployment, _Calls] = {}
    for record in records:
        for attempt in record.attempts:
            calls = found.setdefault((attempt.provider_id, attempt.model), _Calls())
            calls.calls += 1
            if attempt.outcome == "ok":
                calls.answered += 1
                calls.took_ms += attempt.duration_ms
            elif attempt.outcome != "cancelled":
                calls.failures += 1
    return found


class _Sum:
    def __init__(self) -> None:
        self._costs: list[int] = []
        self._latencies: list[float] = []
        self._failures: list[float] = []

    def add(self, cost: int | None, latency_ms: float | None, failures: float | None) -> None:
        self._costs += [] if cost is None else [cost]
        self._latencies += [] if latency_ms is None else [latency_ms]
        self._failures += [] if failures is None else [failures]

    @property
    def figures(self) -> Figures:
        latencies = self._latencies
        return Figures(
            sum(self._costs) if self._costs else None,
            round(sum(latencies) / len(latencies), 1) if latencies else None,
            round(sum(self._failures), 2) if self._failures else None,
        )


def _name(where: Deployment | None) -> str:
    return "" if where is None else f"{where[0]}/{where[1]}"


def _sum_of(deltas: Sequence[int | None]) -> int | None:
    known = [delta for delta in deltas if delta is not None]
    return sum(known) if len(known) == len(deltas) else None
