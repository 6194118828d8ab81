"""The port to the audit trail: it takes entries and gives them back, and has no way to change one (P-10)."""

from collections.abc import Sequence
from typing import Protocol

from domain.audit import AuditEntry, AuditFilter, AuditRecord


class AuditRepository(Protocol):
    """The trail, inside a unit of work: what is appended is there if and only if the unit commits."""

    async def append(self, record: AuditRecord) -> int:
        """Write the next entry and return its sequence.

        The last thing that a unit does: from here to its end other units that append wait.
        """
        ...

    async def page(self, filter_: AuditFilter, limit: int, before: int | None) -> Sequence[AuditEntry]:
        """Newest first, at most `limit`, with a sequence below `before`."""
        ...
