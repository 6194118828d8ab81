"""Virtual keys in a table, found by their digest (P-21)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import msgspec
from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from sqlalchemy import ColumnElement, CursorResult, and_, or_, select, update
from sqlalchemy.exc import IntegrityError
from typing_extensions import override

from adapters.persistence.reach import within
from adapters.persistence.repositories.allowances import (
    budgets_of,
    limits_of,
    listed,
    stored_budgets,
    stored_limits,
    stored_list,
)
from adapters.persistence.repositories.tenants import tenant_of
from adapters.persistence.repositories.users import membership_of, user_of
from adapters.persistence.search import mentions
from adapters.persistence.tables import MembershipRow, TenantRow, UserRow, VirtualKeyRow
from adapters.persistence.work import Work, guarded, refers_to_nothing, savepoint
from domain.authority import Reach
from domain.errors import Conflict, GatewayError, NotFound
from domain.grants import Scope
from domain.keys import IssuedKey, VirtualKey
from domain.ports.repositories import VirtualKeyRepository

_Found = tuple[VirtualKeyRow, TenantRow, UserRow | None, MembershipRow | None]


class _Rows(SQLAlchemyAsyncRepository[VirtualKeyRow]):
    model_type = VirtualKeyRow


class SqlAlchemyVirtualKeyRepository(VirtualKeyRepository):
    def __init__(self, work: Work) -> None:
        self._work = work
        self._rows = _Rows(session=work.session, wrap_exceptions=False, auto_refresh=False)

    @override
    @guarded
    async def find(self, digests: Sequence[bytes]) -> IssuedKey | None:
        """Of a secret that is one key's and was another's, the present one counts."""
        is_present = VirtualKeyRow.digest.in_(digests)
        at_home = and_(MembershipRow.tenant_id == VirtualKeyRow.tenant_id, MembershipRow.user_id == UserRow.id)
        asked = (
            select(VirtualKeyRow, TenantRow, UserRow, MembershipRow)
            .join(TenantRow, TenantRow.id == VirtualKeyRow.tenant_id)
            .outerjoin(UserRow, UserRow.id == VirtualKeyRow.owner_id)
            .outerjoin(MembershipRow, at_home)
            .where(or_(is_present, VirtualKeyRow.previous_digest.in_(digests)))
            .limit(2)
        )
        found = (await self._work.session.execute(asked)).all()
        if not found:
            return None
        key, tenant, user, membership = cast(
            _Found, next((each for each in found if each[0].digest in digests), found[0])
        )
        return IssuedKey(
            _entity(key),
            tenant_of(tenant),
            user_of(user) if user is not None else None,
            membership_of(membership) if membership is not None else None,
        )

    @override
    @guarded
    async def get(self, key_id: str, reach: Reach) -> VirtualKey | None:
        asked = select(VirtualKeyRow).where(VirtualKeyRow.id == key_id, _within(reach))
        row = (await self._work.session.execute(asked)).scalar_one_or_none()
        return None if row is None else _entity(row)

    @override
    @guarded
    async def list_page(
        self, reach: Reach, limit: int, after: str | None, query: str | None = None
    ) -> Sequence[VirtualKey]:
        found = mentions(query, VirtualKeyRow.id, VirtualKeyRow.name, VirtualKeyRow.last4, VirtualKeyRow.owner_id)
        asked = select(VirtualKeyRow).where(_within(reach), found).order_by(VirtualKeyRow.id.desc()).limit(limit)
        if after is not None:
            asked = asked.where(VirtualKeyRow.id < after)
        return [_entity(row) for row in (await self._work.session.execute(asked)).scalars()]

    @override
    @guarded
    async def used(self, moments: Mapping[str, datetime]) -> None:
        session = self._work.session
        for key_id, at in sorted(moments.items()):
            earlier = or_(VirtualKeyRow.last_used_at.is_(None), VirtualKeyRow.last_used_at < at)
            row = update(VirtualKeyRow).where(VirtualKeyRow.id == key_id, earlier).values(last_used_at=at)
            await session.execute(row.execution_options(synchronize_session=False))

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
    async def exchange(self, key_id: str, old: bytes, new: bytes) -> bool:
        row = update(VirtualKeyRow).where(VirtualKeyRow.id == key_id, VirtualKeyRow.digest == old).values(digest=new)
        changed = await self._work.session.execute(row.execution_options(synchronize_session=False))
        return cast(CursorResult[Any], changed).rowcount > 0

    @override
    @guarded
    async def delete(self, key_id: str) -> bool:
        return bool(await self._rows.delete_where(VirtualKeyRow.id == key_id))


def _within(reach: Reach) -> ColumnElement[bool]:
    return within(reach, VirtualKeyRow.tenant_id, VirtualKeyRow.owner_id)


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
        allowed_models=listed(row.allowed_models),
        allowed_providers=listed(row.allowed_providers),
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        owner_id=row.owner_id,
        strict=row.strict,
        limits=limits_of(row.limits),
        budgets=budgets_of(row.budgets),
        allowed_endpoints=listed(row.allowed_endpoints),
        scopes=None if row.scopes is None else msgspec.convert(row.scopes, tuple[Scope, ...]),
        cidrs=listed(row.cidrs),
        tags=tuple(row.tags),
        metadata=dict(row.extra),
        previous_digest=row.previous_digest,
        previous_until=row.previous_until,
        last_used_at=row.last_used_at,
    )


def _write(row: VirtualKeyRow, key: VirtualKey) -> VirtualKeyRow:
    row.tenant_id = key.tenant_id
    row.name = key.name
    row.digest = key.digest
    row.last4 = key.last4
    row.allowed_models = stored_list(key.allowed_models)
    row.allowed_providers = stored_list(key.allowed_providers)
    row.expires_at = key.expires_at
    row.revoked_at = key.revoked_at
    row.version = key.version
    row.created_at = key.created_at
    row.updated_at = key.updated_at
    row.owner_id = key.owner_id
    row.strict = key.strict
    row.limits = stored_limits(key.limits)
    row.budgets = stored_budgets(key.budgets)
    row.allowed_endpoints = stored_list(key.allowed_endpoints)
    row.scopes = stored_list(key.scopes)
    row.cidrs = stored_list(key.cidrs)
    row.tags = list(key.tags)
    row.extra = dict(key.metadata)
    row.previous_digest = key.previous_digest
    row.previous_until = key.previous_until
    row.last_used_at = key.last_used_at
    return row
