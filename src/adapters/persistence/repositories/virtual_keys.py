"""Virtual keys in a table, found by their digest (P-21)."""

from collections.abc import Sequence

from advanced_alchemy.filters import LimitOffset
from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from sqlalchemy.exc import IntegrityError
from typing_extensions import override

from adapters.persistence.errors import refers_to_nothing
from adapters.persistence.repositories.saving import savepoint
from adapters.persistence.tables import VirtualKeyRow
from adapters.persistence.work import Work, guarded
from domain.errors import Conflict, GatewayError, NotFound
from domain.keys import VirtualKey
from domain.ports.repositories import VirtualKeyRepository


class _Rows(SQLAlchemyAsyncRepository[VirtualKeyRow]):
    model_type = VirtualKeyRow


class SqlAlchemyVirtualKeyRepository(VirtualKeyRepository):
    def __init__(self, work: Work) -> None:
        self._work = work
        self._rows = _Rows(session=work.session, wrap_exceptions=False, auto_refresh=False)

    @override
    @guarded
    async def find(self, digests: Sequence[bytes]) -> VirtualKey | None:
        rows = await self._rows.get_many(VirtualKeyRow.digest.in_(digests), LimitOffset(1, 0))
        return _entity(rows[0]) if rows else None

    @override
    @guarded
    async def get(self, key_id: str) -> VirtualKey | None:
        row = await self._rows.get_one_or_none(id=key_id)
        return None if row is None else _entity(row)

    @override
    @guarded
    async def list_page(self, limit: int, after: str | None) -> Sequence[VirtualKey]:
        older = [] if after is None else [VirtualKeyRow.id < after]
        rows = await self._rows.get_many(*older, LimitOffset(limit, 0), order_by=[(VirtualKeyRow.id, True)])
        return [_entity(row) for row in rows]

    @override
    @guarded
    async def add(self, key: VirtualKey) -> None:
        try:
            async with savepoint(self._work.session):
                self._work.session.add(_write(VirtualKeyRow(id=key.id), key))
        except IntegrityError as error:
            raise _refusal(error, key) from error

    @override
    @guarded
    async def update(self, key: VirtualKey) -> None:
        row = await self._rows.get_one_or_none(id=key.id)
        if row is None:
            raise NotFound(f"There is no virtual key '{key.id}'.")
        try:
            async with savepoint(self._work.session):
                _write(row, key)
        except IntegrityError as error:
            raise _refusal(error, key) from error

    @override
    @guarded
    async def delete(self, key_id: str) -> bool:
        return bool(await self._rows.delete_where(VirtualKeyRow.id == key_id))


def _refusal(error: IntegrityError, key: VirtualKey) -> GatewayError:
    if refers_to_nothing(error):
        return NotFound(f"There is no tenant '{key.tenant_id}'.", param="tenant_id")
    if "digest" in str(error.orig):
        return Conflict("Another virtual key has the same secret.")
    return Conflict(f"A virtual key '{key.id}' exists already.", param="id")


def _entity(row: VirtualKeyRow) -> VirtualKey:
    return VirtualKey(
        id=row.id,
        tenant_id=row.tenant_id,
        name=row.name,
        digest=row.digest,
        last4=row.last4,
        allowed_models=None if row.allowed_models is None else tuple(row.allowed_models),
        allowed_providers=None if row.allowed_providers is None else tuple(row.allowed_providers),
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        strict=row.strict,
    )


def _write(row: VirtualKeyRow, key: VirtualKey) -> VirtualKeyRow:
    row.tenant_id = key.tenant_id
    row.name = key.name
    row.digest = key.digest
    row.last4 = key.last4
    row.allowed_models = None if key.allowed_models is None else list(key.allowed_models)
    row.allowed_providers = None if key.allowed_providers is None else list(key.allowed_providers)
    row.expires_at = key.expires_at
    row.revoked_at = key.revoked_at
    row.version = key.version
    row.created_at = key.created_at
    row.updated_at = key.updated_at
    row.strict = key.strict
    return row
