"""Limits and budgets of any subject, in dictionaries."""

from collections.abc import Sequence

from typing_extensions import override

from domain.errors import Conflict, NotFound
from domain.keys import VirtualKey
from domain.limits import RateLimits
from domain.ports.rules import RuleRepository
from domain.subject_limits import StoredRule, Subject, SubjectRules
from domain.tenants import Membership, Tenant
from domain.users import User


class MemoryRules(RuleRepository):
    """Reads the fields of tenants, users, memberships and keys beside its own rows."""

    def __init__(
        self,
        rules: dict[str, StoredRule],
        tenants: dict[str, Tenant],
        users: dict[str, User],
        memberships: dict[tuple[str, str], Membership],
        keys: dict[str, VirtualKey],
    ) -> None:
        self._rules = rules
        self._tenants = tenants
        self._users = users
        self._memberships = memberships
        self._keys = keys

    @override
    async def list_all(self) -> Sequence[StoredRule]:
        return sorted(self._rules.values(), key=lambda rule: rule.id)

    @override
    async def list_of_fields(self) -> Sequence[SubjectRules]:
        found = [
            *(
                SubjectRules(Subject("tenant", name), each.limits, each.budgets)
                for name, each in sorted(self._tenants.items())
            ),
            *(
                SubjectRules(Subject("user", name), each.limits, each.budgets)
                for name, each in sorted(self._users.items())
            ),
            *(
                SubjectRules(Subject("member", "/".join(names)), each.limits, each.budgets)
                for names, each in sorted(self._memberships.items())
            ),
            *(
                SubjectRules(Subject("key", name), each.limits, each.budgets)
                for name, each in sorted(self._keys.items())
                if each.revoked_at is None
            ),
        ]
        return [each for each in found if each.limits != RateLimits() or each.budgets]

    @override
    async def get(self, rule_id: str) -> StoredRule | None:
        return self._rules.get(rule_id)

    @override
    async def add(self, rule: StoredRule) -> None:
        if rule.id in self._rules:
            raise Conflict(f"'{rule.id}' exists already.", param="id")
        self._rules[rule.id] = rule

    @override
    async def update(self, rule: StoredRule) -> None:
        if rule.id not in self._rules:
            raise NotFound(f"There is no '{rule.id}'.")
        self._rules[rule.id] = rule

    @override
    async def delete(self, rule_id: str) -> bool:
        return self._rules.pop(rule_id, None) is not None
