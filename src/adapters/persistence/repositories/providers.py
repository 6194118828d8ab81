"""Providers in a table."""

from collections.abc import Sequence

import msgspec
from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from typing_extensions import override

from adapters.persistence.repositories.provider_keys import forget_keys_of
from adapters.persistence.repositories.saving import savepoint
from adapters.persistence.tables import KeyStateRow, OfferingsRow, ProviderRow
from adapters.persistence.work import Work, guarded
from domain.errors import Conflict, NotFound
from domain.ports.repositories import ProviderRepository
from domain.providers import Provider, ProviderSettings


class _Rows(SQLAlchemyAsyncRepository[ProviderRow]):
    model_type = ProviderRow


class SqlAlchemyProviderRepository(ProviderRepository):
    def __init__(self, work: Work) -> None:
        self._work = work
        self._rows = _Rows(session=work.session, wrap_exceptions=False, auto_refresh=False)

    @override
    @guarded
    async def get(self, provider_id: str) -> Provider | None:
        row = await self._rows.get_one_or_none(id=provider_id)
        return None if row is None else _entity(row)

    @override
    @guarded
    async def list_all(self) -> Sequence[Provider]:
        rows = await self._rows.get_many(order_by=[(ProviderRow.priority, False), (ProviderRow.id, False)])
        return [_entity(row) for row in rows]

    @override
    @guarded
    async def add(self, provider: Provider) -> None:
        try:
            async with savepoint(self._work.session):
                self._work.session.add(_write(ProviderRow(id=provider.id), provider))
        except IntegrityError as error:
            raise Conflict(f"A provider '{provider.id}' exists already.", param="id") from error

    @override
    @guarded
    async def update(self, provider: Provider) -> None:
        row = await self._rows.get_one_or_none(id=provider.id)
        if row is None:
            raise NotFound(f"There is no provider '{provider.id}'.", code="provider_not_found")
        _write(row, provider)
        await self._work.session.flush()

    @override
    @guarded
    async def delete(self, provider_id: str) -> bool:
        session = self._work.session
        await forget_keys_of(session, provider_id)
        await session.execute(delete(KeyStateRow).where(KeyStateRow.key_id == f"keyless:{provider_id}"))
        await session.execute(delete(OfferingsRow).where(OfferingsRow.provider_id == provider_id))
        return bool(await self._rows.delete_where(ProviderRow.id == provider_id))


def _entity(row: ProviderRow) -> Provider:
    return Provider(
        id=row.id,
        kind=row.kind,
        name=row.name,
        base_url=row.base_url,
        priority=row.priority,
        enabled=row.enabled,
        settings=msgspec.convert(row.settings, ProviderSettings),
        owner=row.owner,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _write(row: ProviderRow, provider: Provider) -> ProviderRow:
    row.kind = provider.kind
    row.name = provider.name
    row.base_url = provider.base_url
    row.priority = provider.priority
    row.enabled = provider.enabled
    row.settings = msgspec.to_builtins(provider.settings)
    row.owner = provider.owner
    row.version = provider.version
    row.created_at = provider.created_at
    row.updated_at = provider.updated_at
    return row
