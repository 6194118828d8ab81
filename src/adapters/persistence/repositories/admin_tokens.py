"""Admin tokens in a table, found by their digest (P-21)."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import CursorResult, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from typing_extensions import override

from adapters.persistence.tables import AdminTokenRow
from adapters.persistence.work import Work, guarded, savepoint
from domain.admin_tokens import AdminToken
from domain.errors import Conflict, NotFound
from domain.ports.admin_tokens import AdminTokenRepository


class SqlAlchemyAdminTokenRepository(AdminTokenRepository):
    def __init__(self, work: Work) -> None:
        self._work = work

    @override
    @guarded
    async def find(self, digests: Sequence[bytes]) -> AdminToken | None:
        found = await self._work.session.execute(select(AdminTokenRow).where(AdminTokenRow.digest.in_(digests)))
        row = found.scalars().first()
        return None if row is None else _token(row)

    @override
    @guarded
    async def get(self, token_id: str) -> AdminToken | None:
        found = await self._work.session.execute(select(AdminTokenRow).where(AdminTokenRow.id == token_id))
        row = found.scalar_one_or_none()
        return None if row is None else _token(row)

    @override
    @guarded
    async def list_page(self, limit: int, after: str | None) -> Sequence[AdminToken]:
        wanted = select(AdminTokenRow).order_by(AdminTokenRow.id.desc()).limit(limit)
        if after is not None:
            wanted = wanted.where(AdminTokenRow.id < after)
        return [_token(row) for row in (await self._work.session.execute(wanted)).scalars()]

    @override
    @guarded
    async def add(self, token: AdminToken) -> None:
        try:
            async with savepoint(self._work.session):
                await self._work.session.execute(insert(AdminTokenRow).values(_values(token)))
        except IntegrityError as error:
            raise Conflict(f"An admin token '{token.id}' exists already.", param="id") from error

    @override
    @guarded
    async def update(self, token: AdminToken) -> None:
        change = update(AdminTokenRow).where(AdminTokenRow.id == token.id).values(_values(token))
        done = await self._work.session.execute(change.execution_options(synchronize_session=False))
        if not (isinstance(done, CursorResult) and done.rowcount):
            raise NotFound(f"There is no admin token '{token.id}'.")

    @override
    @guarded
    async def delete(self, token_id: str) -> bool:
        gone = delete(AdminTokenRow).where(AdminTokenRow.id == token_id)
        done = await self._work.session.execute(gone.execution_options(synchronize_session=False))
        return isinstance(done, CursorResult) and done.rowcount > 0


def _values(token: AdminToken) -> dict[str, object]:
    return msgspec.structs.asdict(token) | {"scopes": list(token.scopes)}


def _token(row: AdminTokenRow) -> AdminToken:
    values = {name: getattr(row, name) for name in AdminToken.__struct_fields__}
    return AdminToken(**values | {"scopes": tuple(row.scopes)})
