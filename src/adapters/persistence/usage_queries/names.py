"""What people call the objects that requests and sums name by their ids."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute
from typing_extensions import override

from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.tables import ProviderKeyRow, ProviderRow, TenantRow, UserRow, VirtualKeyRow
from adapters.persistence.work import Work
from domain.ports.usage import NamedKind, Names

AT_ONCE = 500
"""Ids of one statement; a database takes so many parameters and not any number."""

SECONDS = 5.0

_OF: Mapping[NamedKind, tuple[InstrumentedAttribute[str], ColumnElement[str] | InstrumentedAttribute[str]]] = {
    "tenant": (TenantRow.id, TenantRow.name),
    "key": (VirtualKeyRow.id, VirtualKeyRow.name),
    "user": (UserRow.id, func.coalesce(func.nullif(UserRow.name, ""), UserRow.email, "")),
    "provider": (ProviderRow.id, ProviderRow.name),
    "provider_key": (ProviderKeyRow.id, ProviderKeyRow.label),
}


class SqlAlchemyNames(Names):
    def __init__(self, store: SqlAlchemyStore) -> None:
        self._store = store

    @override
    async def of(self, ids: Mapping[NamedKind, Collection[str]]) -> Mapping[NamedKind, Mapping[str, str]]:
        if not any(ids.values()):
            return {kind: {} for kind in ids}
        async with self._store.reading(SECONDS) as work:
            return {kind: await _names(work, kind, sorted(wanted)) for kind, wanted in ids.items()}


async def _names(work: Work, kind: NamedKind, wanted: Sequence[str]) -> Mapping[str, str]:
    id_, name = _OF[kind]
    found: dict[str, str] = {}
    for at in range(0, len(wanted), AT_ONCE):
        asked = select(id_, name).where(id_.in_(wanted[at : at + AT_ONCE]))
        found.update((row[0], row[1]) for row in await work.run(work.session.execute(asked)))
    return found
