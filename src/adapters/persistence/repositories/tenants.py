"""Tenants in a table."""

from collections.abc import Sequence

from sqlalchemy import delete, select
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
from adapters.persistence.search import mentions
from adapters.persistence.tables import MembershipRow, TenantRow, VirtualKeyRow
from adapters.persistence.work import Work, guarded, savepoint
from domain.authority import Reach
from domain.errors import Conflict, NotFound
from domain.ports.people import TenantRepository
from domain.tenants import Tenant


class SqlAlchemyTenantRepository(TenantRepository):
    def __init__(self, work: Work) -> None:
        self._work = work

    @override
    @guarded
    async def get(self, tenant_id: str, reach: Reach) -> Tenant | None:
        asked = select(TenantRow).where(TenantRow.id == tenant_id, within(reach, TenantRow.id))
        row = (await self._work.session.execute(asked)).scalar_one_or_none()
        return None if row is None else tenant_of(row)

    @override
    @guarded
    async def list_page(
        self, reach: Reach, limit: int, after: str | None, query: str | None = None
    ) -> Sequence[Tenant]:
        found = mentions(query, TenantRow.id, TenantRow.name, TenantRow.external_id)
        asked = select(TenantRow).where(within(reach, TenantRow.id), found).order_by(TenantRow.id.desc()).limit(limit)
        if after is not None:
            asked = asked.where(TenantRow.id < after)
        return [tenant_of(row) for row in (await self._work.session.execute(asked)).scalars()]

    @override
    @guarded
    async def list_personal(self) -> Sequence[Tenant]:
        asked = select(TenantRow).where(TenantRow.kind == "personal").order_by(TenantRow.id)
        return [tenant_of(row) for row in (await self._work.session.execute(asked)).scalars()]

    @override
    @guarded
    async def add(self, tenant: Tenant) -> None:
        try:
            async with savepoint(self._work.session):
                self._work.session.add(_write(TenantRow(id=tenant.id), tenant))
        except IntegrityError as error:
            raise Conflict(f"A tenant '{tenant.id}' exists already.", param="id") from error

    @override
    @guarded
    async def update(self, tenant: Tenant) -> None:
        row = await self._work.session.get(TenantRow, tenant.id)
        if row is None:
            raise NotFound(f"There is no tenant '{tenant.id}'.")
        _write(row, tenant)
        await self._work.session.flush()

    @override
    @guarded
    async def delete(self, tenant_id: str) -> bool:
        session = self._work.session
        await session.execute(delete(VirtualKeyRow).where(VirtualKeyRow.tenant_id == tenant_id))
        await session.execute(delete(MembershipRow).where(MembershipRow.tenant_id == tenant_id))
        gone = await session.execute(delete(TenantRow).where(TenantRow.id == tenant_id).returning(TenantRow.id))
        return gone.first() is not None


def tenant_of(row: TenantRow) -> Tenant:
    return Tenant(
        id=row.id,
        name=row.name,
        kind=row.kind,
        created_at=row.created_at,
        updated_at=row.updated_at,
        status=row.status,
        allowed_models=listed(row.allowed_models),
        allowed_providers=listed(row.allowed_providers),
        cidrs=listed(row.cidrs),
        limits=limits_of(row.limits),
        budgets=budgets_of(row.budgets),
        tags=tuple(row.tags),
        external_id=row.external_id,
        version=row.version,
    )


def _write(row: TenantRow, tenant: Tenant) -> TenantRow:
    row.name = tenant.name
    row.kind = tenant.kind
    row.created_at = tenant.created_at
    row.updated_at = tenant.updated_at
    row.status = tenant.status
    row.allowed_models = stored_list(tenant.allowed_models)
    row.allowed_providers = stored_list(tenant.allowed_providers)
    row.cidrs = stored_list(tenant.cidrs)
    row.limits = stored_limits(tenant.limits)
    row.budgets = stored_budgets(tenant.budgets)
    row.tags = list(tenant.tags)
    row.external_id = tenant.external_id
    row.version = tenant.version
    return row
