"""Limits and budgets of any subject in a table."""

from collections.abc import Sequence
from typing import Final

import msgspec
from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute
from typing_extensions import override

from adapters.persistence.repositories.allowances import budgets_of, limits_of, stored_limits
from adapters.persistence.tables import MembershipRow, SubjectRuleRow, TenantRow, UserRow, VirtualKeyRow
from adapters.persistence.work import Work, guarded, savepoint
from domain.errors import Conflict, NotFound
from domain.limits import Budget
from domain.ports.rules import RuleRepository
from domain.subject_limits import StoredRule, Subject, SubjectKind, SubjectRules

_Field = tuple[
    SubjectKind,
    tuple[InstrumentedAttribute[str], ...],
    InstrumentedAttribute[dict[str, int]],
    InstrumentedAttribute[list[dict[str, object]]],
    tuple[ColumnElement[bool], ...],
]

_FIELDS: Final[tuple[_Field, ...]] = (
    ("tenant", (TenantRow.id,), TenantRow.limits, TenantRow.budgets, ()),
    ("user", (UserRow.id,), UserRow.limits, UserRow.budgets, ()),
    ("member", (MembershipRow.tenant_id, MembershipRow.user_id), MembershipRow.limits, MembershipRow.budgets, ()),
    (
        "key",
        (VirtualKeyRow.id,),
        VirtualKeyRow.limits,
        VirtualKeyRow.budgets,
        (VirtualKeyRow.revoked_at.is_(None),),
    ),
)
"""Where limits and budgets are fields: of whom, the columns of the id, theirs, and which rows count."""


class _Rows(SQLAlchemyAsyncRepository[SubjectRuleRow]):
    model_type = SubjectRuleRow


class SqlAlchemyRuleRepository(RuleRepository):
    def __init__(self, work: Work) -> None:
        self._work = work
        self._rows = _Rows(session=work.session, wrap_exceptions=False, auto_refresh=False)

    @override
    @guarded
    async def list_all(self) -> Sequence[StoredRule]:
        return [_entity(row) for row in await self._rows.get_many(order_by=[(SubjectRuleRow.id, False)])]

    @override
    @guarded
    async def list_of_fields(self) -> Sequence[SubjectRules]:
        found: list[SubjectRules] = []
        for kind, of_whom, limits, budgets, only in _FIELDS:
            rows = await self._work.session.execute(select(*of_whom, limits, budgets).where(*only).order_by(*of_whom))
            found += [
                SubjectRules(Subject(kind, "/".join(ids)), limits_of(of_limits), budgets_of(of_budgets))
                for *ids, of_limits, of_budgets in rows
                if of_limits or of_budgets
            ]
        return found

    @override
    @guarded
    async def get(self, rule_id: str) -> StoredRule | None:
        row = await self._rows.get_one_or_none(id=rule_id)
        return None if row is None else _entity(row)

    @override
    @guarded
    async def add(self, rule: StoredRule) -> None:
        try:
            async with savepoint(self._work.session):
                self._work.session.add(_write(SubjectRuleRow(id=rule.id), rule))
        except IntegrityError as error:
            raise Conflict(f"'{rule.id}' exists already.", param="id") from error

    @override
    @guarded
    async def update(self, rule: StoredRule) -> None:
        row = await self._rows.get_one_or_none(id=rule.id)
        if row is None:
            raise NotFound(f"There is no '{rule.id}'.")
        async with savepoint(self._work.session):
            _write(row, rule)

    @override
    @guarded
    async def delete(self, rule_id: str) -> bool:
        return bool(await self._rows.delete_where(SubjectRuleRow.id == rule_id))


def _entity(row: SubjectRuleRow) -> StoredRule:
    return StoredRule(
        id=row.id,
        subject=Subject(msgspec.convert(row.subject_kind, SubjectKind), row.subject_id),
        limits=limits_of(row.limits),
        budget=None if row.budget is None else msgspec.convert(row.budget, Budget),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _write(row: SubjectRuleRow, rule: StoredRule) -> SubjectRuleRow:
    row.subject_kind = rule.subject.kind
    row.subject_id = rule.subject.id
    row.limits = stored_limits(rule.limits)
    row.budget = None if rule.budget is None else msgspec.to_builtins(rule.budget)
    row.created_at = rule.created_at
    row.updated_at = rule.updated_at
    return row
