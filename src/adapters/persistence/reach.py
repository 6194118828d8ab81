"""The condition by which a query finds only what an actor may reach (S-04)."""

from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, true
from sqlalchemy.orm import InstrumentedAttribute

from domain.authority import Reach


def within(
    reach: Reach, tenant_id: InstrumentedAttribute[str], owner_id: InstrumentedAttribute[Any] | None = None
) -> ColumnElement[bool]:
    """True for a row of a tenant, and of an owner where rows have one, that `reach` covers."""
    if reach.everywhere:
        return true()
    ways: list[ColumnElement[bool]] = []
    if reach.tenants:
        ways.append(tenant_id.in_(sorted(reach.tenants)))
    if owner_id is not None and reach.own_in and reach.owner_id is not None:
        ways.append(and_(tenant_id.in_(sorted(reach.own_in)), owner_id == reach.owner_id))
    return or_(*ways) if ways else false()
