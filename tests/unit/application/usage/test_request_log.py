"""The log in pages: every request once, however many there are and whatever arrives."""

from datetime import timedelta

import pytest

from application.usage.request_log import RequestReport, RequestsAsked
from domain.errors import NotFound, RequestInvalid
from domain.usage_queries import RequestFilter
from tests.builders import NOW, a_request_record
from tests.fakes.names import a_naming
from tests.fakes.usage_reader import MemoryUsage

RECORDS = [
    a_request_record(f"req_{number}", created_at=NOW - timedelta(microseconds=number // 3)) for number in range(10)
]


async def test_pages_hold_every_request_once_though_several_have_one_time() -> None:
    memory = MemoryUsage(RECORDS)
    report = RequestReport(memory, a_naming())

    seen: list[str] = []
    cursor = None
    while True:
        page = await report.list_page(RequestsAsked(), 4, cursor)
        seen += (record.request_id for record in page.data)
        memory.records.append(a_request_record(f"req_new{len(seen)}", created_at=NOW + timedelta(seconds=len(seen))))
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == ["req_2", "req_1", "req_0", "req_5", "req_4", "req_3", "req_8", "req_7", "req_6", "req_9"]


async def test_a_range_and_a_filter_go_together() -> None:
    asked = RequestsAsked("2026-11-21", "2026-11-21", None, RequestFilter(status=200, outcome="ok"))
    other_day = a_request_record("req_old", created_at=NOW - timedelta(days=1))

    page = await RequestReport(MemoryUsage([*RECORDS, other_day]), a_naming()).list_page(asked, 200, None)

    assert (len(page.data), page.next_cursor) == (10, None)


@pytest.mark.parametrize("cursor", ["req_1", "2026-11-21~req_1", "x~y", "~", "2026-11-21T00:00:00~req_1"])
async def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(RequestInvalid) as refused:
        await RequestReport(MemoryUsage(), a_naming()).list_page(RequestsAsked(), 5, cursor)

    assert refused.value.param == "cursor"


async def test_newer_requests_follow_a_page_without_a_gap() -> None:
    memory = MemoryUsage(RECORDS[5:])
    report = RequestReport(memory, a_naming())
    seen = (await report.list_page(RequestsAsked(), 3)).previous_cursor
    memory.records += RECORDS[:5]

    first = await report.list_page(RequestsAsked(), 2, after=seen)
    rest = await report.list_page(RequestsAsked(), 9, after=first.previous_cursor)
    none = await report.list_page(RequestsAsked(), 9, after=rest.previous_cursor)
    back = await report.list_page(RequestsAsked(), 9, first.next_cursor)

    assert [record.request_id for record in first.data] == ["req_1", "req_0"]
    assert [record.request_id for record in rest.data] == ["req_2"]
    assert (none.data, none.next_cursor, none.previous_cursor) == ((), None, rest.previous_cursor)
    assert [record.request_id for record in back.data][:3] == ["req_5", "req_4", "req_3"]


async def test_a_requests_id_says_after_what_and_another_tenants_leads_nowhere() -> None:
    report = RequestReport(MemoryUsage([*RECORDS, a_request_record("req_of_others", tenant_id="ten_2")]), a_naming())
    own = RequestsAsked(filter=RequestFilter(tenant_id="ten_default"))

    page = await report.list_page(own, 9, after="req_1")

    assert [record.request_id for record in page.data] == ["req_2"]
    refusals = []
    for request_id in ("req_of_others", "req_none"):
        with pytest.raises(RequestInvalid) as refused:
            await report.list_page(own, 9, after=request_id)
        refusals.append((refused.value.message, refused.value.param))
    assert refusals[0] == refusals[1]


async def test_both_directions_at_once_are_refused() -> None:
    with pytest.raises(RequestInvalid) as refused:
        await RequestReport(MemoryUsage(), a_naming()).list_page(RequestsAsked(), 5, "a", "b")

    assert refused.value.param == "after"


async def test_from_after_to_is_refused() -> None:
    with pytest.raises(RequestInvalid, match="is after") as refused:
        await RequestReport(MemoryUsage(), a_naming()).list_page(RequestsAsked("2026-11-22", "2026-11-20"), 5, None)

    assert refused.value.param == "from"


async def test_one_request_is_found_by_its_id() -> None:
    report = RequestReport(MemoryUsage(RECORDS), a_naming())

    assert (await report.get("req_3")).request_id == "req_3"
    with pytest.raises(NotFound, match="no request 'req_x'"):
        await report.get("req_x")
