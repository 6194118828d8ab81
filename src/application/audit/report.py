"""The audit trail as it is read: in pages, or whole for an export."""

from collections.abc import AsyncIterator

import msgspec

from application.admin.paging import Page
from application.usage.moments import moment_of, timezone_of
from domain.audit import AuditEntry, AuditFilter
from domain.errors import RequestInvalid
from domain.ports.repositories import Store

EXPORT_PAGE = 500


class AuditAsked(msgspec.Struct, frozen=True):
    """Which entries, as asked: `from_` and `to` are dates of UTC or moments, the rest is in the filter."""

    from_: str | None = None
    to: str | None = None
    filter: AuditFilter = AuditFilter()


class AuditReport:
    """Reads the trail. Raises `RequestInvalid` and `StoreUnavailable`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def list_page(self, asked: AuditAsked, limit: int, cursor: str | None) -> Page[AuditEntry]:
        """Newest first. Entries that are made while one pages do not move what follows."""
        before = _read_cursor(cursor) if cursor else None
        async with self._store.read() as unit:
            found = await unit.audit.page(_filter_of(asked), limit + 1, before)
        data = tuple(found[:limit])
        return Page(data, str(data[-1].sequence) if len(found) > limit else None)

    async def list_all(self, asked: AuditAsked) -> AsyncIterator[tuple[AuditEntry, ...]]:
        """All that match, newest first, some at a time; what is wrong with `asked` is said at once."""
        cursor: str | None = None
        while True:
            page = await self.list_page(asked, EXPORT_PAGE, cursor)
            yield page.data
            cursor = page.next_cursor
            if cursor is None:
                return


def _filter_of(asked: AuditAsked) -> AuditFilter:
    utc = timezone_of("UTC")
    start = moment_of(asked.from_, utc, "from") if asked.from_ else None
    end = moment_of(asked.to, utc, "to", end_of_day=True) if asked.to else None
    if start is not None and end is not None and start > end:
        raise RequestInvalid(f"'from' ({start.isoformat()}) is after 'to' ({end.isoformat()}).", param="from")
    return msgspec.structs.replace(asked.filter, start=start, end=end)


def _read_cursor(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise RequestInvalid("This cursor leads nowhere; list from the start again.", param="cursor")
    return int(cursor)
