"""What is left of every limit and budget that one's own requests meet, and of a member's for who manages the tenant."""

from collections.abc import Sequence

import msgspec

from application.admin.limits_explained import ExplainedLimits, LimitExplainer
from application.admission.rights import person_in_tenant
from application.own_account.keys import as_oneself
from domain.actors import Actor
from domain.authority import EVERYWHERE, Right, reach
from domain.errors import NotFound
from domain.keys import Principal
from domain.ports.repositories import Store, UnitOfWork
from domain.tenants import Membership, Tenant
from domain.users import User


class LimitsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Of a key, or of a tenant and who is meant in it; all of them None: of all the tenants that one is in."""

    key_id: str | None = None
    tenant_id: str | None = None
    user_id: str | None = None
    model: str | None = None
    tags: tuple[str, ...] = ()  # those that the request names itself


class OwnLimits:
    """Shows what is one's own; of others in a tenant only to those who see it whole, and only what it is there."""

    def __init__(self, store: Store, explainer: LimitExplainer) -> None:
        self._store = store
        self._explainer = explainer

    async def get(self, actor: Actor, user: User, asked: LimitsAsked) -> ExplainedLimits:
        """Raises `NotFound`, alike for what is another's and what is not there, and `ServiceUnavailable`."""
        if asked.key_id is not None:
            try:
                return await self._explainer.get(as_oneself(actor), asked.key_id, asked.model, asked.tags)
            except NotFound:
                raise NotFound(f"You have no key '{asked.key_id}'. GET /me/keys lists yours.") from None
        if asked.user_id not in (None, user.id):
            return await self._of_member(actor, asked)
        async with self._store.read() as unit:
            found = [
                each
                for each in await unit.memberships.list_of_user(user.id)
                if asked.tenant_id in (None, each.tenant_id)
            ]
            if asked.tenant_id is not None and not found:
                raise _nobody(asked.tenant_id)
            callers = await _callers(unit, user, found)
        return await self._explainer.get_for(callers, asked.model, asked.tags)

    async def _of_member(self, actor: Actor, asked: LimitsAsked) -> ExplainedLimits:
        """What a member meets in the tenant, without what holds for them everywhere: that is their own."""
        tenant_id, user_id = asked.tenant_id or "", asked.user_id or ""
        as_member = msgspec.structs.replace(actor, platform_role="none")
        whole = reach(as_member, Right.TENANT_READ).covers(tenant_id)
        async with self._store.read() as unit:
            membership = await unit.memberships.get(tenant_id, user_id, EVERYWHERE) if whole else None
            user = await unit.users.get(user_id) if membership is not None else None
            if membership is None or user is None:
                raise NotFound(f"There is no member '{user_id}' in a tenant '{tenant_id}' of yours.")
            callers = await _callers(unit, user, [membership])
        found = await self._explainer.get_for(callers, asked.model, asked.tags)
        return ExplainedLimits(
            tuple(each for each in found.limits if each.subject.kind != "user"),
            tuple(each for each in found.budgets if each.subject.kind != "user"),
        )


async def _callers(unit: UnitOfWork, user: User, memberships: Sequence[Membership]) -> list[Principal]:
    """As whom somebody asks in these tenants; in one that is suspended nobody does."""
    callers: list[Principal] = []
    for membership in memberships:
        tenant: Tenant | None = await unit.tenants.get(membership.tenant_id, EVERYWHERE)
        if tenant is not None and tenant.status == "active":
            callers.append(person_in_tenant(user, membership, tenant, {}))
    return callers


def _nobody(tenant_id: str) -> NotFound:
    return NotFound(f"You are in no tenant '{tenant_id}'. GET /me/tenants lists yours.")
