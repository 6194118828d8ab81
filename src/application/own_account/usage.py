"""One's own usage and requests; a whole tenant's for those who may see it (S-04, S-06)."""

from collections.abc import AsyncIterator
from typing import TypeVar

import msgspec

from application.decisions.reading import Decision, Decisions, decision_of, missing_decision
from application.usage.asking import UsageAsked
from application.usage.explanation import CostExplanation, Explanation
from application.usage.naming import NamesByKind
from application.usage.report import Usage, UsageReport
from application.usage.request_log import LogPage, RequestReport, RequestsAsked
from domain.actors import Actor
from domain.authority import Right, reach
from domain.errors import NotFound
from domain.records import RequestRecord
from domain.usage_queries import RequestFilter, UsageFilter
from domain.users import User

_NOWHERE = ""
"""The tenant of no request."""


class OwnUsage:
    """Narrows what is asked to what is one's own, whatever it names.

    A tenant that is named is seen whole by its owners, admins and viewers; of any other one sees one's own, which in a
    foreign tenant, and in none, is nothing.
    """

    def __init__(
        self, usage: UsageReport, requests: RequestReport, explanation: CostExplanation, decisions: Decisions
    ) -> None:
        self._usage = usage
        self._requests = requests
        self._explanation = explanation
        self._decisions = decisions

    async def sums(self, actor: Actor, user: User, asked: UsageAsked) -> Usage:
        """Raises `RequestInvalid`."""
        own = _narrowed(asked.filter, actor, user)
        return await self._usage.of_all(msgspec.structs.replace(asked, filter=own))

    async def explain(self, actor: Actor, user: User, asked: UsageAsked) -> Explanation:
        """Raises `RequestInvalid`."""
        own = _narrowed(asked.filter, actor, user)
        return await self._explanation.explain(msgspec.structs.replace(asked, filter=own))

    async def list_page(
        self, actor: Actor, user: User, asked: RequestsAsked, limit: int, cursor: str | None, after: str | None
    ) -> LogPage:
        """Newest first. Raises `RequestInvalid`."""
        return await self._requests.list_page(_own(asked, actor, user), limit, cursor, after)

    def list_all(self, actor: Actor, user: User, asked: RequestsAsked) -> AsyncIterator[LogPage]:
        """All that match, some at a time. Raises `RequestInvalid`."""
        return self._requests.list_all(_own(asked, actor, user))

    async def get(self, actor: Actor, user: User, request_id: str) -> tuple[RequestRecord, NamesByKind]:
        """With the names of what it names by id. Raises `NotFound`, alike for another's and for none."""
        missing = NotFound(f"You have no request '{request_id}' in the log; one that still runs is not in it yet.")
        try:
            found = await self._requests.get(request_id)
        except NotFound:
            raise missing from None
        if found.attribution.user_id != user.id and not _sees_whole(actor, found.tenant_id):
            raise missing
        return found, await self._requests.names_of(found)

    async def decision(self, actor: Actor, user: User, decision_id: str) -> Decision:
        """Of one of these requests. Raises `NotFound`, alike for another's and for none."""
        found = await self._decisions.find(decision_id)
        if found is None or (found.attribution.user_id != user.id and not _sees_whole(actor, found.tenant_id)):
            raise missing_decision(decision_id)
        return decision_of(found)


_Filter = TypeVar("_Filter", UsageFilter, RequestFilter)


def _own(asked: RequestsAsked, actor: Actor, user: User) -> RequestsAsked:
    return msgspec.structs.replace(asked, filter=_narrowed(asked.filter, actor, user))


def _narrowed(filter_: _Filter, actor: Actor, user: User) -> _Filter:
    """Anybody's in a tenant that one may see whole, else one's own; somebody else's there is nothing."""
    if filter_.tenant_id is not None and _sees_whole(actor, filter_.tenant_id):
        return filter_
    if filter_.user_id not in (None, user.id):
        return msgspec.structs.replace(filter_, tenant_id=_NOWHERE, user_id=user.id)
    return msgspec.structs.replace(filter_, user_id=user.id)


def _sees_whole(actor: Actor, tenant_id: str) -> bool:
    """By the role in the tenant alone: what the platform's admin sees beyond is for `/admin`."""
    as_member = msgspec.structs.replace(actor, platform_role="none")
    return reach(as_member, Right.TENANT_READ).covers(tenant_id)
