"""What the gateway remembers of itself, in memory: states of keys, lists of models, versions, facts."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
from typing_extensions import override

from domain.availability import KeyState, ProviderRest, state_to_keep
from domain.configuration import Learned, Section
from domain.ports.repositories import (
    FORGET_RESTS_SECONDS,
    AvailabilityRepository,
    ConfigVersionRepository,
    FactRepository,
    OfferingRepository,
    StoredList,
)
from domain.providers import Offering
from domain.quotas import QuotaChanges, QuotaCount, QuotaFinding


class StateRows(Protocol):
    """The part of the store's rows that these need."""

    states: dict[str, KeyState]
    rests: dict[tuple[str, str, str], ProviderRest]
    offerings: dict[str, tuple[datetime, tuple[Offering, ...]]]
    config_versions: dict[str, int]
    facts: dict[str, str]
    quota_counts: dict[tuple[str, str, int], QuotaCount]
    quota_findings: dict[tuple[str, str], QuotaFinding]


class MemoryAvailability(AvailabilityRepository):
    def __init__(self, rows: StateRows) -> None:
        self._rows = rows

    @override
    async def load(self) -> Sequence[KeyState]:
        return sorted(self._rows.states.values(), key=lambda state: state.id)

    @override
    async def save(self, states: Sequence[KeyState], now: datetime) -> None:
        for change in states:
            state = state_to_keep(self._rows.states.get(change.id), change, now)
            if state.is_plain:
                self._rows.states.pop(state.id, None)
            else:
                self._rows.states[state.id] = msgspec.structs.replace(state, replaces=None)

    @override
    async def load_rests(self, now: datetime) -> Sequence[ProviderRest]:
        long_ago = now - timedelta(seconds=FORGET_RESTS_SECONDS)
        return [rest for rest in self._rows.rests.values() if rest.until is not None and rest.until > long_ago]

    @override
    async def save_rests(self, rests: Sequence[ProviderRest], now: datetime) -> None:
        for rest in rests:
            stored = self._rows.rests.get(rest.id)
            if rest.until is None:
                if stored is not None and stored.since <= rest.since:
                    del self._rows.rests[rest.id]
            elif stored is None or stored.until is None or rest.until >= stored.until:
                self._rows.rests[rest.id] = rest

    @override
    async def load_quotas(self, now: int) -> tuple[Sequence[QuotaCount], Sequence[QuotaFinding]]:
        counts = [count for count in self._rows.quota_counts.values() if count.ends_at > now]
        return counts, list(self._rows.quota_findings.values())

    @override
    async def save_quotas(self, changes: QuotaChanges, now: int) -> None:
        counts, findings = self._rows.quota_counts, self._rows.quota_findings
        for pair in [pair for pair in counts if pair[0] in changes.forgotten or counts[pair].ends_at <= now]:
            del counts[pair]
        for found in [found for found in findings if found[0] in changes.forgotten]:
            del findings[found]
        for count in changes.used:
            known = counts.get((count.owner_id, count.name, count.starts_at))
            used = count.used + (known.used if known is not None else 0)
            counts[count.owner_id, count.name, count.starts_at] = msgspec.structs.replace(count, used=used)
        for finding in changes.findings:
            findings[finding.owner_id, finding.name] = finding


class MemoryOfferings(OfferingRepository):
    def __init__(self, rows: StateRows) -> None:
        self._rows = rows

    @override
    async def load(self, known: Mapping[str, datetime] | None = None) -> Sequence[StoredList]:
        stored = sorted(self._rows.offerings.items())
        return [(provider_id, *row) for provider_id, row in stored if (known or {}).get(provider_id) != row[0]]

    @override
    async def replace(self, provider_id: str, listed_at: datetime, offerings: Sequence[Offering]) -> None:
        self._rows.offerings[provider_id] = (listed_at, tuple(offerings))


class MemoryConfigVersions(ConfigVersionRepository):
    def __init__(self, rows: StateRows) -> None:
        self._rows = rows

    @override
    async def load(self) -> Mapping[str, int]:
        return dict(self._rows.config_versions)

    @override
    async def bump(self, section: Section | Learned) -> int:
        self._rows.config_versions[section] = self._rows.config_versions.get(section, 0) + 1
        return self._rows.config_versions[section]


class MemoryFacts(FactRepository):
    def __init__(self, rows: StateRows) -> None:
        self._rows = rows

    @override
    async def get(self, name: str) -> str | None:
        return self._rows.facts.get(name)

    @override
    async def put(self, name: str, value: str) -> None:
        self._rows.facts[name] = value

    @override
    async def bump(self, name: str) -> int:
        value = int(self._rows.facts.get(name, "0")) + 1
        self._rows.facts[name] = str(value)
        return value

    @override
    async def forget(self, name: str) -> None:
        self._rows.facts.pop(name, None)

    @override
    async def beginning_with(self, prefix: str, at_most: int) -> Mapping[str, str]:
        names = sorted(name for name in self._rows.facts if name.startswith(prefix))
        return {name: self._rows.facts[name] for name in names[:at_most]}
