"""Tenants in a table."""

from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from sqlalchemy.exc import IntegrityError
from typing_extensions import override

from adapters.persistence.repositories.saving import savepoint
from adapters.persistence.tables import TenantRow
from adapters.persistence.work import Work, guarded
from domain.errors import Conflict
from domain.keys import Tenant
from domain.ports.repositories import TenantRepository


class _Rows(SQLAlchemyAsyncRepository[TenantRow]):
    model_type = TenantRow


class SqlAlchemyTenantRepository(TenantRepository):
    def __init__(self, work: Work) -> None:
        self._work = work
        self._rows = _Rows(session=work.session, wrap_exceptions=False, auto_refresh=False)

    @override
    @guarded
    async def get(self, tenant_id: str) -> Tenant | None:
        row = await self._rows.get_one_or_none(id=tenant_id)
        return None if row is None else Tenant(row.id, row.name, row.kind, row.created_at)

    @override
    @guarded
    async def add(self, tenant: Tenant) -> None:
        row = TenantRow(id=tenant.id, name=tenant.name, kind=tenant.kind, created_at=tenant.created_at)
        try:
            async with savepoint(self._work.session):
                self._work.session.add(row)
        except IntegrityError as error:
            raise Conflict(f"A tenant '{tenant.id}' exists already.", param="id") from error
