"""People and their memberships in tables."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from typing_extensions import override

from adapters.persistence.reach import within
from adapters.persistence.repositories.allowances import budgets_of, limits_of, stored_budgets, stored_limits
from adapters.persistence.search import mentions
from adapters.persistence.tables import MembershipRow, UserRow, VirtualKeyRow
from adapters.persistence.work import Work, guarded, refers_to_nothing, savepoint
from domain.authority import Reach
from domain.errors import Conflict, GatewayError, NotFound
from domain.ports.people import MembershipRepository, UserRepository
from domain.tenants import Membership
from domain.users import User


class SqlAlchemyUserRepository(UserRepository):
    def __init__(self, work: Work) -> None:
        self._work = work

    @override
    @guarded
    async def get(self, user_id: str) -> User | None:
        row = await self._work.session.get(UserRow, user_id)
        return None if row is None else user_of(row)

    @override
    @guarded
    async def find(self, email: str) -> User | None:
        asked = select(UserRow).where(UserRow.email == email)
        row = (await self._work.session.execute(asked)).scalar_one_or_none()
        return None if row is None else user_of(row)

    @override
    @guarded
    async def list_page(self, limit: int, after: str | None, query: str | None = None) -> Sequence[User]:
        newest_first = (UserRow.created_at.desc(), UserRow.id.desc())
        found = mentions(query, UserRow.id, UserRow.name, UserRow.email)
        asked = select(UserRow).where(found).order_by(*newest_first).limit(limit)
        if after is not None:
            last = select(UserRow.created_at, UserRow.id).where(UserRow.id == after)
            asked = asked.where(tuple_(UserRow.created_at, UserRow.id) < last.scalar_subquery())
        return [user_of(row) for row in (await self._work.session.execute(asked)).scalars()]

    @override
    @guarded
    async def add(self, user: User) -> None:
        try:
            async with savepoint(self._work.session):
                self._work.session.add(_write(UserRow(id=user.id), user))
        except IntegrityError as error:
            raise _refusal(error, user) from error

    @override
    @guarded
    async def update(self, user: User) -> None:
        row = await self._work.session.get(UserRow, user.id)
        if row is None:
            raise NotFound(f"There is no user '{user.id}'.")
        try:
            async with savepoint(self._work.session):
                _write(row, user)
        except IntegrityError as error:
            raise _refusal(error, user) from error

    @override
    @guarded
    async def seen(self, user_id: str, at: datetime) -> None:
        earlier = or_(UserRow.last_seen_at.is_(None), UserRow.last_seen_at < at)
        await self._work.session.execute(update(UserRow).where(UserRow.id == user_id, earlier).values(last_seen_at=at))

    @override
    @guarded
    async def delete(self, user_id: str) -> bool:
        session = self._work.session
        await session.execute(delete(VirtualKeyRow).where(VirtualKeyRow.owner_id == user_id))
        await session.execute(delete(MembershipRow).where(MembershipRow.user_id == user_id))
        gone = await session.execute(delete(UserRow).where(UserRow.id == user_id).returning(UserRow.id))
        return gone.first() is not None


class SqlAlchemyMembershipRepository(MembershipRepository):
    def __init__(self, work: Work) -> None:
        self._work = work

    @override
    @guarded
    async def get(self, tenant_id: str, user_id: str, reach: Reach) -> Membership | None:
        asked = select(MembershipRow).where(
            MembershipRow.tenant_id == tenant_id, MembershipRow.user_id == user_id, _within(reach)
        )
        row = (await self._work.session.execute(asked)).scalar_one_or_none()
        return None if row is None else membership_of(row)

    @override
    @guarded
    async def list_of_tenant(
        self, tenant_id: str, reach: Reach, limit: int, after: str | None
    ) -> Sequence[tuple[Membership, User]]:
        asked = (
            select(MembershipRow, UserRow)
            .join(UserRow, UserRow.id == MembershipRow.user_id)
            .where(MembershipRow.tenant_id == tenant_id, MembershipRow.user_id > (after or ""), _within(reach))
            .order_by(MembershipRow.user_id)
            .limit(limit)
        )
        found = (await self._work.session.execute(asked)).all()
        return [(membership_of(membership), user_of(user)) for membership, user in found]

    @override
    @guarded
    async def list_of_user(self, user_id: str) -> Sequence[Membership]:
        asked = select(MembershipRow).where(MembershipRow.user_id == user_id).order_by(MembershipRow.tenant_id)
        return [membership_of(row) for row in (await self._work.session.execute(asked)).scalars()]

    @override
    @guarded
    async def add(self, membership: Membership) -> None:
        row = MembershipRow(tenant_id=membership.tenant_id, user_id=membership.user_id)
        try:
            async with savepoint(self._work.session):
                self._work.session.add(_write_membership(row, membership))
        except IntegrityError as error:
            if refers_to_nothing(error):
                raise NotFound("There is no such tenant, or no such user.") from error
            raise Conflict("This user is a member already.", param="user_id") from error

    @override
    @guarded
    async def update(self, membership: Membership) -> None:
        row = await self._work.session.get(MembershipRow, (membership.tenant_id, membership.user_id))
        if row is None:
            raise NotFound(f"There is no member '{membership.user_id}'.")
        _write_membership(row, membership)
        await self._work.session.flush()

    @override
    @guarded
    async def delete(self, tenant_id: str, user_id: str) -> bool:
        gone = await self._work.session.execute(
            delete(MembershipRow)
            .where(MembershipRow.tenant_id == tenant_id, MembershipRow.user_id == user_id)
            .returning(MembershipRow.user_id)
        )
        return gone.first() is not None


def _within(reach: Reach) -> ColumnElement[bool]:
    return within(reach, MembershipRow.tenant_id, MembershipRow.user_id)


def _refusal(error: IntegrityError, user: User) -> GatewayError:
    if "email" in str(error.orig):
        return Conflict(f"Another user has the address '{user.email}'.", param="email")
    return Conflict(f"A user '{user.id}' exists already.", param="id")


def user_of(row: UserRow) -> User:
    return User(
        id=row.id,
        email=row.email,
        name=row.name,
        created_at=row.created_at,
        updated_at=row.updated_at,
        platform_role=row.platform_role,
        status=row.status,
        personal_tenant_id=row.personal_tenant_id,
        last_seen_at=row.last_seen_at,
        limits=limits_of(row.limits),
        budgets=budgets_of(row.budgets),
        version=row.version,
    )


def _write(row: UserRow, user: User) -> UserRow:
    row.email = user.email
    row.name = user.name
    row.created_at = user.created_at
    row.updated_at = user.updated_at
    row.platform_role = user.platform_role
    row.status = user.status
    row.personal_tenant_id = user.personal_tenant_id
    row.last_seen_at = user.last_seen_at
    row.limits = stored_limits(user.limits)
    row.budgets = stored_budgets(user.budgets)
    row.version = user.version
    return row


def membership_of(row: MembershipRow) -> Membership:
    return Membership(
        tenant_id=row.tenant_id,
        user_id=row.user_id,
        role=row.role,
        created_at=row.created_at,
        updated_at=row.updated_at,
        limits=limits_of(row.limits),
        budgets=budgets_of(row.budgets),
        managed_by=row.managed_by,
    )


def _write_membership(row: MembershipRow, membership: Membership) -> MembershipRow:
    row.role = membership.role
    row.created_at = membership.created_at
    row.updated_at = membership.updated_at
    row.limits = stored_limits(membership.limits)
    row.budgets = stored_budgets(membership.budgets)
    row.managed_by = membership.managed_by
    return row
