"""The log of single requests, in pages: for an admin who wants to know what happened to one."""

import re
from datetime import datetime

import msgspec

from application.admin.paging import Page
from application.usage.moments import moment_of, timezone_of
from domain.errors import NotFound, RequestInvalid
from domain.ports.usage import RequestLog
from domain.records import RequestRecord
from domain.usage_queries import LogPlace, RequestFilter

_SEPARATOR = "~"
_STAMP = len("2026-11-21T12:00:00.000000")
_CURSOR = re.compile(
    rf"(?P<moment>\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{6}}Z){_SEPARATOR}(?P<id>[\w.-]{{1,128}})", re.ASCII
)


class RequestsAsked(msgspec.Struct, frozen=True):
    """Which requests, as asked: `from_` and `to` are dates of UTC or moments, the rest is in the filter."""

    from_: str | None = None
    to: str | None = None
    filter: RequestFilter = RequestFilter()


class RequestReport:
    """Reads the log. Raises `RequestInvalid`, `NotFound` and `StoreUnavailable`."""

    def __init__(self, log: RequestLog) -> None:
        self._log = log

    async def list_page(self, asked: RequestsAsked, limit: int, cursor: str | None) -> Page[RequestRecord]:
        """Newest first. Requests that arrive while one pages do not move what follows."""
        found = await self._log.page(_filter_of(asked), limit + 1, _place_of(cursor) if cursor else None)
        data = tuple(found[:limit])
        return Page(data, _cursor_of(data[-1]) if len(found) > limit else None)

    async def get(self, request_id: str) -> RequestRecord:
        found = await self._log.get(request_id)
        if found is None:
            raise NotFound(f"There is no request '{request_id}' in the log; one that still runs is not in it yet.")
        return found


def _filter_of(asked: RequestsAsked) -> RequestFilter:
    utc = timezone_of("UTC")
    start = moment_of(asked.from_, utc, "from") if asked.from_ else None
    end = moment_of(asked.to, utc, "to", end_of_day=True) if asked.to else None
    if start is not None and end is not None and start > end:
        raise RequestInvalid(f"'from' ({start.isoformat()}) is after 'to' ({end.isoformat()}).", param="from")
    return msgspec.structs.replace(asked.filter, start=start, end=end)


def _cursor_of(record: RequestRecord) -> str:
    return f"{record.created_at.isoformat(timespec='microseconds')[:_STAMP]}Z{_SEPARATOR}{record.request_id}"


def _place_of(cursor: str) -> LogPlace:
    form = _CURSOR.fullmatch(cursor)
    try:
        if form is not None:
            return LogPlace(datetime.fromisoformat(form["moment"]), form["id"])
    except ValueError:  # a thirteenth month
        form = None
    raise RequestInvalid("This cursor leads nowhere; list from the start again.", param="cursor")
