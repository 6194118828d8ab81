"""Names of what a store in memory holds, one look-up each."""

from collections.abc import Collection, Mapping

from typing_extensions import override

from application.snapshot import DeclaredConfig, GatewayState
from application.usage.naming import Naming
from domain.authority import EVERYWHERE
from domain.ports.repositories import Store, UnitOfWork
from domain.ports.usage import NamedKind, Names
from domain.timeouts import Timeouts
from tests.fakes.providers import FakeRegistry
from tests.fakes.store import MemoryStore


class MemoryNames(Names):
    """Of any store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @override
    async def of(self, ids: Mapping[NamedKind, Collection[str]]) -> Mapping[NamedKind, Mapping[str, str]]:
        async with self._store.read() as unit:
            return {
                kind: {each: name for each in wanted if (name := await _name(unit, kind, each)) is not None}
                for kind, wanted in ids.items()
            }


async def _name(unit: UnitOfWork, kind: NamedKind, id_: str) -> str | None:
    match kind:
        case "user":
            user = await unit.users.get(id_)
            return (user.name or user.email or "") if user else None
        case "provider_key":
            provider_key = await unit.keys.get(id_)
            return provider_key.label if provider_key else None
        case "tenant":
            tenant = await unit.tenants.get(id_, EVERYWHERE)
            return tenant.name if tenant else None
        case "key":
            key = await unit.virtual_keys.get(id_, EVERYWHERE)
            return key.name if key else None
        case "provider":
            provider = await unit.providers.get(id_)
            return provider.name if provider else None


def a_naming(store: Store | None = None, state: GatewayState | None = None) -> Naming:
    """Over a store, or over one in which nothing has a name."""
    store = store or MemoryStore()
    return Naming(MemoryNames(store), state or GatewayState(store, FakeRegistry(), DeclaredConfig(), Timeouts()))
