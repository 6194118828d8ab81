"""How providers, keys, models and prices stand."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from application.admin.providers import standing_of
from application.alerts.watch import Source
from application.catalog import ModelDirectory
from application.snapshot import GatewayState, LiveProvider
from application.usage.asking import UsageAsked
from application.usage.report import UsageReport
from domain.alerts import AlertSubject, Reading
from domain.authority import EVERYWHERE
from domain.availability import KeyCondition, ProviderStatus
from domain.keys import VirtualKey
from domain.money import usd
from domain.ports.policies import AvailabilityPolicy
from domain.ports.repositories import UnitOfWork
from domain.ports.runtime import Clock
from domain.quotas import SHORT, QuotaStanding, provider_owner_id

PROVIDER_SECONDS: Final = 2.0
SLOW_SECONDS: Final = 600.0
"""For what changes by the day."""

PAGE: Final = 200
DRIFT_DAYS: Final = 1
USED_DAYS: Final = 30
MIN_DRIFT_CALLS: Final = 5

_BY_CALENDAR: Final = frozenset({"day", "month"})
_DOWN: Final = frozenset({ProviderStatus.UNHEALTHY, ProviderStatus.INVALID_KEY})


class ProviderReadings:
    """`provider_down` of providers and of keys that are refused; `quota_low` of keys and of what keys share.

    Read from memory: what this process learned. Quotas of minutes and hours are no news: they are over soon.
    """

    def __init__(self, state: GatewayState, availability: AvailabilityPolicy, clock: Clock) -> None:
        self._state = state
        self._availability = availability
        self._clock = clock

    def source(self) -> Source:
        return Source(["provider_down", "quota_low"], PROVIDER_SECONDS, self.read)

    async def read(self, _: UnitOfWork) -> Sequence[Reading]:
        return [
            reading
            for live in self._state.current.by_id.values()
            if live.provider.enabled
            for reading in (self._provider(live), *self._shared(live), *self._keys(live))
        ]

    def _provider(self, live: LiveProvider) -> Reading:
        standing = standing_of(live, self._availability, self._clock)
        name = live.provider.name
        down = standing.status in _DOWN
        text = f"The provider {name} cannot be used: {standing.reason}" if down else f"The provider {name} works."
        return Reading(
            event="provider_down",
            subject=AlertSubject("provider", live.provider.id, name),
            level=1.0 if down else 0.0,
            text=text,
            value=standing.status.value,
            period_end=standing.available_at if down else None,
        )

    def _keys(self, live: LiveProvider) -> Iterator[Reading]:
        for key in live.keys:
            state = self._availability.key_state(key.id)
            name = f"{live.provider.name} / {key.label}" if key.label else live.provider.name
            subject = AlertSubject("provider_key", key.id, name)
            refused = state.condition is KeyCondition.INVALID
            yield Reading(
                event="provider_down",
                subject=subject,
                level=1.0 if refused else 0.0,
                text=f"{name} refuses its key '{key.id}': {state.reason}" if refused else f"The key of {name} works.",
                value=state.condition.value,
                period_end=state.until if refused else None,
            )
            if state.condition is KeyCondition.EXHAUSTED:
                yield Reading(
                    event="quota_low",
                    subject=subject,
                    level=1.0,
                    text=f"The quota or credit of the key '{key.id}' of {name} is used up: {state.reason}",
                    period=_period(state.until),
                    period_end=state.until,
                )
            else:
                standings = self._availability.quotas(key.id, key.id)
                yield _lowest(subject, f"the key '{key.id}' of {name}", standings)

    def _shared(self, live: LiveProvider) -> Iterator[Reading]:
        """Of what all keys of the provider take from."""
        for key in live.keys[:1]:
            provider = live.provider
            standings = self._availability.quotas(key.id, provider_owner_id(provider.id))
            yield _lowest(AlertSubject("provider", provider.id, provider.name), provider.name, standings)


def _lowest(subject: AlertSubject, whose: str, standings: Sequence[QuotaStanding]) -> Reading:
    """Of the quota of which the least is left. Level: the share that is used."""
    lowest: QuotaStanding | None = None
    level = 0.0
    for standing in standings:
        if standing.limit and standing.remaining is not None and standing.window not in SHORT:
            used = (standing.limit - standing.remaining) / standing.limit
            if lowest is None or used > level:
                lowest, level = standing, used
    if lowest is None:
        return Reading(event="quota_low", subject=subject, level=0.0, text=f"No quota of {whose} is known.")
    what = f"{lowest.dimension.replace('_', ' ')} per {lowest.window}"
    of = f" ({lowest.pool or ', '.join(lowest.models)})" if lowest.pool or lowest.models else ""
    return Reading(
        event="quota_low",
        subject=subject,
        level=level,
        text=f"Of {lowest.limit:,} {what}{of} of {whose} {level:.0%} are used: {lowest.remaining:,} are left.",
        value=lowest.remaining,
        limit=lowest.limit,
        period=_period(lowest.resets_at) if lowest.window in _BY_CALENDAR else "",
        period_end=lowest.resets_at,
    )


def _period(ends_at: datetime | None) -> str:
    """By the day on which it ends: providers that say in how many seconds that is differ from call to call."""
    return "" if ends_at is None else (ends_at + timedelta(minutes=30)).astimezone(UTC).date().isoformat()


class ExpiryReadings:
    """`key_expiring`: virtual keys whose end is near. Level: days that are left."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def source(self) -> Source:
        return Source(["key_expiring"], SLOW_SECONDS, self.read)

    async def read(self, unit: UnitOfWork) -> Sequence[Reading]:
        found: list[Reading] = []
        after: str | None = None
        while True:
            page = await unit.virtual_keys.list_page(EVERYWHERE, PAGE, after)
            found += [reading for key in page if (reading := self._reading(key)) is not None]
            if len(page) < PAGE:
                return found
            after = page[-1].id

    def _reading(self, key: VirtualKey) -> Reading | None:
        ends, now = key.expires_at, self._clock.now()
        if ends is None or ends <= now or key.revoked_at is not None:
            return None
        days = (ends - now) / timedelta(days=1)
        name = key.name or key.id
        return Reading(
            event="key_expiring",
            subject=AlertSubject("key", key.id, name),
            level=days,
            text=f"The key '{name}' ({key.id}) ends on {ends.astimezone(UTC):%Y-%m-%d %H:%M} UTC.",
            falling=True,
            value=round(days, 2),
            period=ends.isoformat(),
            period_end=ends,
        )


class ModelReadings:
    """`model_retiring`: models that requests went to in the last 30 days, and whose end is known. Level: days left.
    `cost_drift`: models whose provider charged otherwise than our prices give, in the last day. Level: the share.
    """

    def __init__(self, directory: ModelDirectory, usage: UsageReport, clock: Clock) -> None:
        self._directory = directory
        self._usage = usage
        self._clock = clock

    def sources(self) -> tuple[Source, Source]:
        return (
            Source(["model_retiring"], SLOW_SECONDS, self.read_ends),
            Source(["cost_drift"], SLOW_SECONDS, self.read_drift),
        )

    async def read_ends(self, _: UnitOfWork) -> Sequence[Reading]:
        now = self._clock.now()
        since = (now - timedelta(days=USED_DAYS)).date().isoformat()
        used = await self._usage.of_all(UsageAsked(since, group_by=("provider", "model")))
        return [
            reading
            for row in used.rows
            if row.provider and row.model and (reading := self._end(row.provider, row.model, now)) is not None
        ]

    def _end(self, provider_id: str, model: str, now: datetime) -> Reading | None:
        end = self._directory.retirement(provider_id, model)
        if end is None:
            return None
        ends_at = datetime(end.retired_at.year, end.retired_at.month, end.retired_at.day, tzinfo=UTC)
        days = (ends_at - now) / timedelta(days=1)
        name = f"{provider_id}/{model}"
        instead = f" {end.successor} is recommended instead." if end.successor else ""
        when = f"ends on {end.retired_at.isoformat()}" if days > 0 else f"ended on {end.retired_at.isoformat()}"
        return Reading(
            event="model_retiring",
            subject=AlertSubject("model", name, name),
            level=days,
            text=f"The model {name}, which is in use, {when}.{instead}",
            falling=True,
            value=round(days, 2),
            period=end.retired_at.isoformat(),
            period_end=ends_at,
        )

    async def read_drift(self, _: UnitOfWork) -> Sequence[Reading]:
        since = self._clock.now() - timedelta(days=DRIFT_DAYS)
        drifts = await self._usage.drift(UsageAsked(since.isoformat(), group_by=("model",)))
        return [
            Reading(
                event="cost_drift",
                subject=AlertSubject("model", f"{drift.provider}/{drift.model}", f"{drift.provider}/{drift.model}"),
                level=abs(drift.reported_nano_usd - drift.computed_nano_usd) / (drift.reported_nano_usd or 1),
                text=f"{drift.provider} charged ${usd(drift.reported_nano_usd)} for {drift.calls} calls of "
                f"{drift.model} in the last day; the prices here give ${usd(drift.computed_nano_usd)}.",
            )
            for drift in drifts
            if drift.calls >= MIN_DRIFT_CALLS
        ]
