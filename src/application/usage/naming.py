"""Puts names beside ids: what people call the tenants, keys, users and providers that requests and sums are of."""

from collections.abc import Iterable, Mapping

from application.snapshot import GatewayState
from domain.ports.usage import NamedKind, Names
from domain.records import RequestRecord
from domain.subject_limits import Subject, SubjectKind
from domain.usage_queries import Grouping, UsageRow

NAMED: tuple[tuple[Grouping, NamedKind], ...] = (
    ("provider", "provider"),
    ("key", "key"),
    ("tenant", "tenant"),
    ("user", "user"),
)
"""The groupings whose values are ids of something that has a name."""

_OF_SUBJECT: Mapping[SubjectKind, NamedKind] = {
    "key": "key",
    "member": "user",
    "user": "user",
    "tenant": "tenant",
    "provider": "provider",
    "provider_key": "provider_key",
}
"""Of a tag and of a pattern of models the id is the name."""

NamesByKind = Mapping[NamedKind, Mapping[str, str]]
"""Names by id; what is gone, or never had a name, is not there."""


class Naming:
    """Asks for the names of many objects at once, one question a kind. Raises `StoreUnavailable`."""

    def __init__(self, names: Names, state: GatewayState) -> None:
        self._names = names
        self._state = state

    async def of_requests(self, records: Iterable[RequestRecord]) -> NamesByKind:
        """Of tenants, keys, users, providers, and the providers' keys of their calls."""
        wanted: dict[NamedKind, set[str | None]] = {
            kind: set() for kind in ("tenant", "key", "user", "provider", "provider_key")
        }
        for record in records:
            wanted["tenant"].add(record.tenant_id)
            wanted["key"].add(record.key_id)
            wanted["user"].add(record.attribution.user_id)
            wanted["provider"].add(record.provider_id)
            for attempt in record.attempts:
                wanted["provider"].add(attempt.provider_id)
                wanted["provider_key"].add(attempt.key_id)
        return await self._of(wanted)

    async def of_groups(self, group_by: Iterable[Grouping], rows: Iterable[UsageRow]) -> NamesByKind:
        """Of what the rows are grouped by, as far as that has names."""
        groups, found = set(group_by), list(rows)
        return await self._of(
            {kind: {getattr(row, grouping) for row in found} for grouping, kind in NAMED if grouping in groups}
        )

    async def of_subjects(self, subjects: Iterable[Subject]) -> Mapping[Subject, str]:
        """Of whom limits and budgets are; of a member the user's. What has no name, or is gone, is not there."""
        named = {each: _OF_SUBJECT[each.kind] for each in subjects if each.kind in _OF_SUBJECT}
        wanted: dict[NamedKind, set[str | None]] = {kind: set() for kind in named.values()}
        for subject, kind in named.items():
            wanted[kind].add(_object_id(subject))
        found = await self._of(wanted)
        names = {subject: found[kind].get(_object_id(subject)) for subject, kind in named.items()}
        return {subject: name for subject, name in names.items() if name}

    async def _of(self, wanted: Mapping[NamedKind, set[str | None]]) -> NamesByKind:
        known: dict[NamedKind, dict[str, str]] = {}
        unknown: dict[NamedKind, set[str]] = {}
        for kind, ids in wanted.items():
            declared = self._declared(kind)
            known[kind] = {each: declared[each] for each in ids if each is not None and each in declared}
            unknown[kind] = {each for each in ids if each and each not in declared}
        if not wanted:
            return {}
        found = await self._names.of(unknown)
        return {kind: {**found.get(kind, {}), **names} for kind, names in known.items()}

    def _declared(self, kind: NamedKind) -> Mapping[str, str]:
        """Of providers and their keys those in use, wherever they are declared."""
        if kind == "provider":
            return {provider_id: live.provider.name for provider_id, live in self._state.current.by_id.items()}
        if kind == "provider_key":
            return {key.id: key.label for live in self._state.current.by_id.values() for key in live.keys}
        return {}


def _object_id(subject: Subject) -> str:
    return subject.id.rpartition("/")[2] if subject.kind == "member" else subject.id
