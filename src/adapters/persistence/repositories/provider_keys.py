"""Provider keys in a table, each secret sealed to its row (P-20)."""

from collections.abc import Sequence

from advanced_alchemy.repository import OrderingPair, SQLAlchemyAsyncRepository
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from adapters.persistence.repositories.saving import savepoint
from adapters.persistence.tables import KeyStateRow, ProviderKeyRow
from adapters.persistence.work import Work, guarded
from domain.errors import Conflict, NotFound
from domain.keys import ProviderKey
from domain.ports.repositories import KeyRepository
from domain.ports.security import SecretBox

_OLDEST_FIRST: list[OrderingPair] = [(ProviderKeyRow.created_at, False), (ProviderKeyRow.id, False)]


class _Rows(SQLAlchemyAsyncRepository[ProviderKeyRow]):
    model_type = ProviderKeyRow


class SqlAlchemyKeyRepository(KeyRepository):
    """Raises `SecretUnreadable` wherever a stored secret does not open."""

    def __init__(self, work: Work, box: SecretBox) -> None:
        self._work = work
        self._box = box
        self._rows = _Rows(session=work.session, wrap_exceptions=False, auto_refresh=False)

    @override
    @guarded
    async def get(self, key_id: str) -> ProviderKey | None:
        row = await self._rows.get_one_or_none(id=key_id)
        return None if row is None else self._entity(row)

    @override
    @guarded
    async def list_for(self, provider_id: str) -> Sequence[ProviderKey]:
        rows = await self._rows.get_many(ProviderKeyRow.provider_id == provider_id, order_by=_OLDEST_FIRST)
        return [self._entity(row) for row in rows]

    @override
    @guarded
    async def list_all(self) -> Sequence[ProviderKey]:
        return [self._entity(row) for row in await self._rows.get_many(order_by=_OLDEST_FIRST)]

    @override
    @guarded
    async def add(self, key: ProviderKey) -> None:
        row = ProviderKeyRow(id=key.id, provider_id=key.provider_id, owner=key.owner, created_at=key.created_at)
        self._write(row, key)
        try:
            async with savepoint(self._work.session):
                self._work.session.add(row)
        except IntegrityError as error:
            raise Conflict(f"A provider key '{key.id}' exists already.", param="id") from error

    @override
    @guarded
    async def update(self, key: ProviderKey) -> None:
        row = await self._rows.get_one_or_none(id=key.id)
        if row is None:
            raise NotFound(f"There is no provider key '{key.id}'.")
        self._write(row, key)
        await self._work.session.flush()

    @override
    @guarded
    async def delete(self, key_id: str) -> bool:
        await self._work.session.execute(delete(KeyStateRow).where(KeyStateRow.key_id == key_id))
        return bool(await self._rows.delete_where(ProviderKeyRow.id == key_id))

    @override
    @guarded
    async def delete_for(self, provider_id: str) -> int:
        return await forget_keys_of(self._work.session, provider_id)

    @override
    @guarded
    async def reencrypt_all(self) -> int:
        rows = await self._work.session.scalars(select(ProviderKeyRow).with_for_update())
        stale = [row for row in rows if not self._box.is_current(row.sealed_secret)]
        for row in stale:
            secret = self._box.open(row.sealed_secret, _bound_to(row))
            row.sealed_secret = self._box.seal(secret, _bound_to(row))
        await self._work.session.flush()
        return len(stale)

    def _entity(self, row: ProviderKeyRow) -> ProviderKey:
        return ProviderKey(
            id=row.id,
            provider_id=row.provider_id,
            label=row.label,
            secret=self._box.open(row.sealed_secret, _bound_to(row)),
            weight=row.weight,
            owner=row.owner,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    def _write(self, row: ProviderKeyRow, key: ProviderKey) -> None:
        row.label = key.label
        row.sealed_secret = self._box.seal(key.secret, _bound_to(row))
        row.weight = key.weight
        row.updated_at = key.updated_at


async def forget_keys_of(session: AsyncSession, provider_id: str) -> int:
    """Delete a provider's keys and their states; return how many keys there were."""
    of_provider = ProviderKeyRow.provider_id == provider_id
    ids = list(await session.scalars(select(ProviderKeyRow.id).where(of_provider)))
    await session.execute(delete(KeyStateRow).where(KeyStateRow.key_id.in_(ids)))
    await session.execute(delete(ProviderKeyRow).where(ProviderKeyRow.id.in_(ids)))
    return len(ids)


def _bound_to(row: ProviderKeyRow) -> str:
    return f"provider_keys/secret/{row.id}/{row.provider_id}"
