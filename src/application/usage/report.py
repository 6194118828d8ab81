"""Usage as it is told to whoever may see it: rows by group, and their total."""

from collections.abc import Sequence

import msgspec

from application.usage.asking import UsageAsked, query_of
from domain.keys import Principal
from domain.ports.runtime import Clock
from domain.ports.usage import UsageReader
from domain.usage_queries import Grouping, UsageRow, UsageSums

MAX_ROWS = 10_000
"""Of one answer: more are no help to a reader, and making them would hold up other requests of this process."""


class Usage(msgspec.Struct, frozen=True):
    """Rows in the order of their groups, and the sum of all of them."""

    group_by: tuple[Grouping, ...]
    rows: tuple[UsageRow, ...]
    total: UsageSums


class UsageReport:
    """Answers questions about usage. Raises `RequestInvalid` and `StoreUnavailable`."""

    def __init__(self, reader: UsageReader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock

    async def of_all(self, asked: UsageAsked) -> Usage:
        """Everyone's usage, as far as the question does not narrow it."""
        query = query_of(asked, self._clock.now())
        rows = await self._reader.sums(query, MAX_ROWS)
        ordered = sorted(rows, key=lambda row: tuple(str(getattr(row, name)) for name in query.group_by))
        return Usage(query.group_by, tuple(ordered), _total(rows))

    async def of_caller(self, principal: Principal, asked: UsageAsked) -> Usage:
        """The usage of the caller's own key, whatever key or tenant the question names (S-06)."""
        own = msgspec.structs.replace(asked.filter, tenant_id=principal.tenant_id, key_id=principal.key_id or "")
        return await self.of_all(msgspec.structs.replace(asked, filter=own))


def _total(rows: Sequence[UsageRow]) -> UsageSums:
    columns = zip(*(msgspec.structs.astuple(row.sums) for row in rows), strict=True)
    return UsageSums(*(sum(column) for column in columns))
