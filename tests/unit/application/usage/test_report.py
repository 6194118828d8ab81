"""Whose usage is told, in what order, and how much of it."""

from datetime import date

import pytest

from application.usage import report
from application.usage.asking import UsageAsked
from application.usage.report import UsageReport
from domain.errors import RequestInvalid
from domain.keys import Principal
from domain.usage_queries import UsageFilter
from tests.builders import NOW, a_request_record, an_attempt_record
from tests.fakes.clock import FakeClock
from tests.fakes.names import a_naming
from tests.fakes.usage_reader import MemoryUsage

TWO_ATTEMPTS = a_request_record(
    "req_2",
    provider_id="beta",
    attempts=(an_attempt_record(1, cost_nano_usd=700), an_attempt_record(2, provider_id="beta", cost_nano_usd=None)),
)


def reports(memory: MemoryUsage) -> UsageReport:
    return UsageReport(memory, a_naming(), FakeClock(NOW))


async def test_a_request_counts_where_it_ended_and_each_attempt_where_it_went() -> None:
    """R-17."""
    usage = await reports(MemoryUsage([a_request_record(), TWO_ATTEMPTS])).of_all(UsageAsked(group_by=("provider",)))

    alpha, beta = usage.rows
    assert (alpha.provider, alpha.sums.requests, alpha.sums.input_tokens, alpha.sums.cost_nano_usd) == (
        "alpha", 1, 200, 2200,
    )  # fmt: skip
    assert (beta.provider, beta.sums.requests, beta.sums.input_tokens, beta.sums.unpriced_requests) == (
        "beta", 1, 100, 1,
    )  # fmt: skip
    assert (usage.total.sums.requests, usage.total.sums.input_tokens, usage.total.sums.cost_nano_usd) == (2, 300, 2200)


async def test_rows_come_in_the_order_of_their_groups() -> None:
    records = [
        a_request_record(f"req_{number}", model=model, created_at=NOW.replace(day=day), attempts=())
        for number, (day, model) in enumerate([(21, "a"), (20, "b"), (21, "b"), (20, "a")])
    ]

    usage = await reports(MemoryUsage(records)).of_all(UsageAsked(group_by=("model,day",)))

    assert [(row.model, row.day) for row in usage.rows] == [
        ("a", date(2026, 11, 20)), ("a", date(2026, 11, 21)), ("b", date(2026, 11, 20)), ("b", date(2026, 11, 21)),
    ]  # fmt: skip


async def test_nothing_used_is_an_answer_too() -> None:
    usage = await reports(MemoryUsage()).of_all(UsageAsked())

    assert (usage.rows, usage.total.sums.requests) == ((), 0)


async def test_a_caller_sees_its_own_key_alone_whatever_it_asks_for() -> None:
    """S-06."""
    memory = MemoryUsage([a_request_record("req_1"), a_request_record("req_2", key_id="key_2")])
    asked = UsageAsked(filter=UsageFilter(tenant_id="ten_other", key_id="key_2"))

    usage = await reports(memory).of_caller(Principal("virtual_key", "key_1", "ten_default"), asked)

    assert usage.total.sums.requests == 1
    assert memory.queries[0].filter == UsageFilter("ten_default", "key_1")


async def test_without_keys_a_caller_sees_what_was_used_without_one() -> None:
    memory = MemoryUsage([a_request_record("req_1"), a_request_record("req_2", key_id=None)])

    usage = await reports(memory).of_caller(Principal("open", None, "ten_default"), UsageAsked(group_by=("key",)))

    assert [(row.key, row.sums.requests) for row in usage.rows] == [("", 1)]


async def test_an_answer_nobody_could_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "MAX_ROWS", 1)
    memory = MemoryUsage([a_request_record("req_1"), a_request_record("req_2", key_id="key_2")])

    with pytest.raises(RequestInvalid, match="more than 1 rows") as refused:
        await reports(memory).of_all(UsageAsked(group_by=("key",)))

    assert refused.value.param == "group_by"
