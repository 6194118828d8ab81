"""Port to the limits and budgets that are stored by themselves."""

from collections.abc import Sequence
from typing import Protocol

from domain.subject_limits import StoredRule, SubjectRules


class RuleRepository(Protocol):
    """Limits and budgets of any subject. All raise `StoreUnavailable`."""

    async def list_all(self) -> Sequence[StoredRule]:
        """Oldest first."""
        ...

    async def list_of_fields(self) -> Sequence[SubjectRules]:
        """Those that are fields: of tenants, users, members and keys that are not revoked, where they have any."""
        ...

    async def get(self, rule_id: str) -> StoredRule | None: ...

    async def add(self, rule: StoredRule) -> None:
        """Raises `Conflict` where the id is taken."""
        ...

    async def update(self, rule: StoredRule) -> None:
        """Replaces the row of the same id. Raises `NotFound`."""
        ...

    async def delete(self, rule_id: str) -> bool: ...
