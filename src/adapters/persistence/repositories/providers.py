"""Providers and their keys in tables, each secret sealed to its row (P-20)."""

from collections.abc import Sequence

import msgspec
from advanced_alchemy.repository import OrderingPair, SQLAlchemyAsyncRepository
from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from adapters.persistence.tables import (
    KeyStateRow,
    OfferingsRow,
    ProviderKeyRow,
    ProviderRow,
    QuotaCountRow,
    QuotaFindingRow,
)
from adapters.persistence.work import Work, guarded, savepoint
from domain.availability import provider_state_id
from domain.errors import Conflict, NotFound
from domain.keys import ProviderKey
from domain.ports.repositories import KeyRepository, ProviderRepository
from domain.ports.security import SecretBox
from domain.providers import Provider, ProviderSettings
from domain.quotas import KeyQuota, provider_owner_id
from domain.secrets import Secret


class _Rows(SQLAlchemyAsyncRepository[ProviderRow]):
    model_type = ProviderRow


class SqlAlchemyProviderRepository(ProviderRepository):
    """Raises `SecretUnreadable` where a proxy with its password does not open."""

    def __init__(self, work: Work, box: SecretBox) -> None:
        self._work = work
        self._box = box
        self._rows = _Rows(session=work.session, wrap_exceptions=False, auto_refresh=False)

    @override
    @guarded
    async def get(self, provider_id: str) -> Provider | None:
        row = await self._rows.get_one_or_none(id=provider_id)
        return None if row is None else _entity(row, self._box)

    @override
    @guarded
    async def list_all(self) -> Sequence[Provider]:
        rows = await self._rows.get_many(order_by=[(ProviderRow.priority, False), (ProviderRow.id, False)])
        return [_entity(row, self._box) for row in rows]

    @override
    @guarded
    async def add(self, provider: Provider) -> None:
        try:
            async with savepoint(self._work.session):
                self._work.session.add(_write(ProviderRow(id=provider.id), provider, self._box))
        except IntegrityError as error:
            raise Conflict(f"A provider '{provider.id}' exists already.", param="id") from error

    @override
    @guarded
    async def update(self, provider: Provider) -> None:
        row = await self._rows.get_one_or_none(id=provider.id)
        if row is None:
            raise NotFound(f"There is no provider '{provider.id}'.", code="provider_not_found")
        _write(row, provider, self._box)
        await self._work.session.flush()

    @override
    @guarded
    async def delete(self, provider_id: str) -> bool:
        session = self._work.session
        await _forget_keys_of(session, provider_id)
        own_ids = [f"keyless:{provider_id}", provider_state_id(provider_id)]
        await session.execute(delete(KeyStateRow).where(_states_of(own_ids)))
        await _forget_quotas(session, [provider_owner_id(provider_id)])
        await session.execute(delete(OfferingsRow).where(OfferingsRow.provider_id == provider_id))
        return bool(await self._rows.delete_where(ProviderRow.id == provider_id))


def _entity(row: ProviderRow, box: SecretBox) -> Provider:
    settings = row.settings | {name: _opened(row, name, box) for name in _SEALED if name in row.settings}
    return Provider(
        id=row.id,
        kind=row.kind,
        name=row.name,
        base_url=row.base_url,
        priority=row.priority,
        enabled=row.enabled,
        settings=msgspec.convert(settings, ProviderSettings),
        owner=row.owner,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


_SEALED = ("proxy", "headers")
"""Those of the settings that may hold a credential. What is no text is sealed as JSON."""


def _opened(row: ProviderRow, name: str, box: SecretBox) -> object:
    text = box.open(str(row.settings[name]), _setting_of(row, name)).reveal()
    return msgspec.json.decode(text) if name == "headers" else text


def _setting_of(row: ProviderRow, name: str) -> str:
    return f"providers/settings.{name}/{row.id}"


def _write(row: ProviderRow, provider: Provider, box: SecretBox) -> ProviderRow:
    row.kind = provider.kind
    row.name = provider.name
    row.base_url = provider.base_url
    row.priority = provider.priority
    row.enabled = provider.enabled
    settings = msgspec.to_builtins(provider.settings)
    for name in _SEALED:
        if name in settings:
            value = settings[name]
            text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
            settings[name] = box.seal(Secret(text), _setting_of(row, name))
    row.settings = settings
    row.owner = provider.owner
    row.version = provider.version
    row.created_at = provider.created_at
    row.updated_at = provider.updated_at
    return row


_OLDEST_FIRST: list[OrderingPair] = [(ProviderKeyRow.created_at, False), (ProviderKeyRow.id, False)]


class _KeyRows(SQLAlchemyAsyncRepository[ProviderKeyRow]):
    model_type = ProviderKeyRow


class SqlAlchemyKeyRepository(KeyRepository):
    """Raises `SecretUnreadable` wherever a stored secret does not open."""

    def __init__(self, work: Work, box: SecretBox) -> None:
        self._work = work
        self._box = box
        self._rows = _KeyRows(session=work.session, wrap_exceptions=False, auto_refresh=False)

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
        await self._work.session.execute(delete(KeyStateRow).where(_states_of([key_id])))
        await _forget_quotas(self._work.session, [key_id])
        return bool(await self._rows.delete_where(ProviderKeyRow.id == key_id))

    @override
    @guarded
    async def delete_for(self, provider_id: str) -> int:
        return await _forget_keys_of(self._work.session, provider_id)

    @override
    @guarded
    async def reencrypt_all(self) -> int:
        rows = await self._work.session.scalars(select(ProviderKeyRow).with_for_update())
        stale = [row for row in rows if not self._box.is_current(row.sealed_secret)]
        for row in stale:
            secret = self._box.open(row.sealed_secret, _bound_to(row))
            row.sealed_secret = self._box.seal(secret, _bound_to(row))
        of_providers = await self._reencrypt_settings()
        await self._work.session.flush()
        return len(stale) + of_providers

    async def _reencrypt_settings(self) -> int:
        count = 0
        for row in await self._work.session.scalars(select(ProviderRow).with_for_update()):
            for name in _SEALED:
                if name in row.settings and not self._box.is_current(str(row.settings[name])):
                    secret = self._box.open(str(row.settings[name]), _setting_of(row, name))
                    row.settings = {**row.settings, name: self._box.seal(secret, _setting_of(row, name))}
                    count += 1
        return count

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
            quota=None if row.quota is None else msgspec.convert(row.quota, tuple[KeyQuota, ...]),
        )

    def _write(self, row: ProviderKeyRow, key: ProviderKey) -> None:
        row.label = key.label
        row.sealed_secret = self._box.seal(key.secret, _bound_to(row))
        row.weight = key.weight
        row.updated_at = key.updated_at
        row.quota = None if key.quota is None else msgspec.to_builtins(key.quota)


async def _forget_keys_of(session: AsyncSession, provider_id: str) -> int:
    """Delete a provider's keys and their states; return how many keys there were."""
    of_provider = ProviderKeyRow.provider_id == provider_id
    ids = list(await session.scalars(select(ProviderKeyRow.id).where(of_provider)))
    await session.execute(delete(KeyStateRow).where(_states_of(ids)))
    await _forget_quotas(session, ids)
    await session.execute(delete(ProviderKeyRow).where(ProviderKeyRow.id.in_(ids)))
    return len(ids)


async def _forget_quotas(session: AsyncSession, owner_ids: Sequence[str]) -> None:
    await session.execute(delete(QuotaCountRow).where(QuotaCountRow.owner_id.in_(owner_ids)))
    await session.execute(delete(QuotaFindingRow).where(QuotaFindingRow.owner_id.in_(owner_ids)))


def _bound_to(row: ProviderKeyRow) -> str:
    return f"provider_keys/secret/{row.id}/{row.provider_id}"


def _states_of(key_ids: Sequence[str]) -> ColumnElement[bool]:
    """The rows of what is known of these keys, and of each with one model."""
    with_models = [KeyStateRow.key_id.startswith(f"{key_id} ", autoescape=True) for key_id in key_ids]
    return or_(KeyStateRow.key_id.in_(key_ids), *with_models)
