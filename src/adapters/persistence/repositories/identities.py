"""People's accounts at identity providers in a table."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from typing_extensions import override

from adapters.persistence.tables import IdentityRow
from adapters.persistence.work import Work, guarded, savepoint, upsert
from domain.errors import NotFound
from domain.issuers import Identity
from domain.ports.issuers import IdentityRepository


class SqlAlchemyIdentityRepository(IdentityRepository):
    def __init__(self, work: Work) -> None:
        self._work = work

    @override
    @guarded
    async def get(self, issuer: str, subject: str) -> Identity | None:
        asked = select(IdentityRow).where(IdentityRow.issuer == issuer, IdentityRow.subject == subject)
        row = (await self._work.session.execute(asked)).scalar_one_or_none()
        return None if row is None else _identity(row)

    @override
    @guarded
    async def list_of(self, user_id: str) -> Sequence[Identity]:
        asked = select(IdentityRow).where(IdentityRow.user_id == user_id)
        rows = (await self._work.session.execute(asked)).scalars()
        return sorted((_identity(row) for row in rows), key=lambda one: (one.issuer, one.subject))

    @override
    @guarded
    async def put(self, identity: Identity) -> None:
        row = msgspec.structs.asdict(identity) | {"granted": dict(identity.granted)}
        try:
            async with savepoint(self._work.session):
                await upsert(self._work.session, IdentityRow, [row])
        except IntegrityError as error:
            raise NotFound(f"There is no user '{identity.user_id}'.") from error


def _identity(row: IdentityRow) -> Identity:
    values = {name: getattr(row, name) for name in Identity.__struct_fields__}
    return msgspec.convert(values, Identity)
