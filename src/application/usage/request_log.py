"""The log of single requests, in pages, both ways: for whoever wants to know what happened to one."""

import re
from collections.abc import AsyncIterator
from datetime import datetime

import msgspec

from application.usage.moments import moment_of, timezone_of
from application.usage.naming import NamesByKind, Naming
from domain.errors import NotFound, RequestInvalid
from domain.ports.usage import RequestLog
from domain.records import RequestRecord
from domain.usage_queries import LogCursor, RequestFilter

_SEPARATOR = "~"
_STAMP = len("2026-11-21T12:00:00.000000")
_CURSOR = re.compile(
    rf"(?P<moment>\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{6}}Z){_SEPARATOR}(?P<id>[\w.-]{{1,128}})", re.ASCII
)


class RequestsAsked(msgspec.Struct, frozen=True):
    """Which requests, as asked: `from_` and `to` are moments, or dates of `timezone` (UTC where none is named); the
    rest is in the filter."""

    from_: str | None = None
    to: str | None = None
    timezone: str | None = None
    filter: RequestFilter = RequestFilter()


class LogPage(msgspec.Struct, frozen=True):
    """Newest first, with the names of what the records name by id.

    `next_cursor` leads to older ones, and is None where there are none; `previous_cursor` to newer ones, which may come
    at any time: it is None only where nothing is there to be newer than.
    """

    data: tuple[RequestRecord, ...]
    names: NamesByKind
    next_cursor: str | None
    previous_cursor: str | None


EXPORT_PAGE = 1_000


class RequestReport:
    """Reads the log. Raises `RequestInvalid`, `NotFound` and `StoreUnavailable`."""

    def __init__(self, log: RequestLog, naming: Naming) -> None:
        self._log = log
        self._naming = naming

    async def list_page(
        self, asked: RequestsAsked, limit: int, cursor: str | None = None, after: str | None = None
    ) -> LogPage:
        """Newest first, from behind `cursor`. Requests that arrive while one pages do not move what follows.

        `after` asks for those right before it instead, which are newer; it is a cursor, or a request's id.
        """
        if cursor and after:
            raise RequestInvalid("Send 'cursor' for older requests or 'after' for newer ones, not both.", param="after")
        filter_ = _filter_of(asked)
        if after:
            return await self._newer(filter_, limit, after)
        found = await self._log.page(filter_, limit + 1, _read_cursor(cursor) if cursor else None)
        data = tuple(found[:limit])
        older = _cursor_of(data[-1]) if len(found) > limit else None
        names = await self._naming.of_requests(data)
        return LogPage(data, names, older, _cursor_of(data[0]) if data else cursor)

    async def _newer(self, filter_: RequestFilter, limit: int, after: str) -> LogPage:
        at = await self._place_of(after, filter_)
        data = tuple(await self._log.page(filter_, limit, msgspec.structs.replace(at, newer=True)))
        names = await self._naming.of_requests(data)
        if not data:
            return LogPage(data, names, None, after)
        return LogPage(data, names, _cursor_of(data[-1]), _cursor_of(data[0]))

    async def _place_of(self, after: str, filter_: RequestFilter) -> LogCursor:
        """Of another's request nobody learns that it is there: whose one is asked for, it has to be theirs."""
        if _CURSOR.fullmatch(after):
            return _read_cursor(after, "after")
        record = await self._log.get(after)
        if record is None or filter_.tenant_id not in (None, record.tenant_id):
            raise _leads_nowhere("after")
        if filter_.user_id not in (None, record.attribution.user_id):
            raise _leads_nowhere("after")
        return LogCursor(record.created_at, record.request_id)

    async def list_all(self, asked: RequestsAsked) -> AsyncIterator[LogPage]:
        """All that match, newest first, some at a time; what is wrong with `asked` is said at once."""
        cursor: str | None = None
        while True:
            page = await self.list_page(asked, EXPORT_PAGE, cursor)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return

    async def get(self, request_id: str) -> RequestRecord:
        found = await self._log.get(request_id)
        if found is None:
            raise NotFound(f"There is no request '{request_id}' in the log; one that still runs is not in it yet.")
        return found

    async def names_of(self, record: RequestRecord) -> NamesByKind:
        return await self._naming.of_requests([record])


def _filter_of(asked: RequestsAsked) -> RequestFilter:
    zone = timezone_of(asked.timezone or "UTC")
    start = moment_of(asked.from_, zone, "from") if asked.from_ else None
    end = moment_of(asked.to, zone, "to", end_of_day=True) if asked.to else None
    if start is not None and end is not None and start > end:
        raise RequestInvalid(f"'from' ({start.isoformat()}) is after 'to' ({end.isoformat()}).", param="from")
    return msgspec.structs.replace(asked.filter, start=start, end=end)


def _cursor_of(record: RequestRecord) -> str:
    return f"{record.created_at.isoformat(timespec='microseconds')[:_STAMP]}Z{_SEPARATOR}{record.request_id}"


def _read_cursor(cursor: str, param: str = "cursor") -> LogCursor:
    form = _CURSOR.fullmatch(cursor)
    try:
        if form is not None:
            return LogCursor(datetime.fromisoformat(form["moment"]), form["id"])
    except ValueError:  # a thirteenth month
        form = None
    raise _leads_nowhere(param)


def _leads_nowhere(param: str) -> RequestInvalid:
    return RequestInvalid("This cursor leads nowhere; list from the start again.", param=param)
