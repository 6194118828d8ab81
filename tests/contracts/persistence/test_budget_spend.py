"""What is read of money: what was spent, also before there was a budget, and what is held for responses that run."""

from datetime import datetime, timedelta
from typing import Final

import msgspec
import pytest

from adapters.persistence.budget_spend import SqlAlchemySpend
from adapters.persistence.ledger.opening import open_ledger_store
from adapters.persistence.ledger.verification import verify
from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.usage_queries.reader import SqlAlchemyUsage
from domain.attribution import Attribution
from domain.background_responses import BackgroundResponse
from domain.budget_periods import bucket_at, zone_of
from domain.limits import Period
from domain.ports.budgets import BudgetTerm
from domain.records import AttemptRecord, Charge, RequestRecord
from domain.subject_limits import Subject, SubjectKind
from domain.usage import TokenUsage
from tests.builders import NOW, a_request_record

ANN: Final = Attribution(user_id="usr_ann", tags=("team",))


def a_response(name: str, *held: Charge) -> BackgroundResponse:
    return BackgroundResponse(
        "openai", name, "pk", "req_1", f"dec_{name}", NOW, "ten_default", "key_1", "m", "m", 5, held=held
    )


async def test_what_running_responses_hold_is_read_by_account(sql_store: SqlAlchemyStore) -> None:
    one = a_response("resp_1", Charge("key:k", 100, 7), Charge("tag:t", 0, 7))
    other = a_response("resp_2", Charge("tag:t", 0, 9))
    before = msgspec.json.decode(msgspec.json.encode(a_response("resp_3")))
    del before["held"]
    async with sql_store.write() as unit:
        for each in (one, other):
            await unit.facts.put(each.fact, msgspec.json.encode(each).decode())
        await unit.facts.put(a_response("resp_3").fact, msgspec.json.encode(before).decode())
    spend = SqlAlchemySpend(sql_store, SqlAlchemyUsage(sql_store))

    assert await spend.kept("key:k") == {one.hold_id: Charge("key:k", 100, 7)}
    assert await spend.kept("tag:t") == {one.hold_id: Charge("tag:t", 0, 7), other.hold_id: Charge("tag:t", 0, 9)}
    assert await spend.kept("key:other") == {}


def a_call(request_id: str, model: str, nano_usd: int, at: datetime = NOW, key_id: str = "key_1") -> RequestRecord:
    usage = TokenUsage(10, 20)
    attempt = AttemptRecord(
        1, "openai", "pk", model, "ok", 200, 100.0, usage, usage_source="provider", cost_nano_usd=nano_usd
    )
    return a_request_record(
        request_id, decision_id=f"dec_{request_id}", created_at=at, key_id=key_id, provider_id="openai", model=model,
        attempts=(attempt,), usage=usage, attribution=ANN,
    )  # fmt: skip


CALLS: Final = (
    a_call("one", "gpt-a", 100),
    a_call("two", "gpt-b", 20, NOW - timedelta(hours=3)),
    a_call("other", "gpt-a", 3, key_id="key_2"),
    a_call("last month", "gpt-a", 7000, NOW - timedelta(days=31)),
)


@pytest.fixture
async def spend(sql_store: SqlAlchemyStore, database_url: str) -> SqlAlchemySpend:
    ledger = open_ledger_store(database_url)
    await ledger.apply(CALLS, None)
    await ledger.aclose()
    return SqlAlchemySpend(sql_store, SqlAlchemyUsage(sql_store))


async def spent(spend: SqlAlchemySpend, term: BudgetTerm) -> int:
    return sum((await spend.spent(term, bucket_at(term.period, zone_of(term.timezone), NOW))).values())


EXPECTED: Final[dict[tuple[SubjectKind, str, Period, tuple[str, ...] | None], int]] = {
    ("key", "key_1", "month", None): 120,
    ("key", "key_1", "rolling_5h", None): 120,
    ("key", "key_1", "rolling_30d", None): 120,
    ("key", "key_1", "day", ("gpt-a",)): 100,
    ("key", "key_1", "month", ("openai/gpt-b", "other")): 20,
    ("key", "key_1", "never", None): 0,
    ("key", "key_3", "month", None): 0,
    ("tenant", "ten_default", "month", None): 123,
    ("user", "usr_ann", "month", None): 123,
    ("member", "ten_default/usr_ann", "month", None): 123,
    ("tag", "team", "month", None): 123,
    ("model", "gpt-a", "month", None): 103,
    ("provider", "openai", "month", None): 123,
    ("provider_key", "pk", "month", None): 0,
}


async def test_a_new_budget_begins_with_what_was_spent_in_its_period(spend: SqlAlchemySpend) -> None:
    found = {
        (kind, name, period, models): await spent(
            spend, BudgetTerm(f"{kind}:{name}:{period}:{models}", Subject(kind, name), 1000, period, models=models)
        )
        for kind, name, period, models in EXPECTED
    }

    assert found == EXPECTED


async def test_what_was_spent_before_is_counted_once_and_the_books_agree(
    spend: SqlAlchemySpend, sql_store: SqlAlchemyStore, database_url: str
) -> None:
    term = BudgetTerm("account", Subject("key", "key_1"), 1000, "month")
    before = await spent(spend, term)
    start = bucket_at("month", zone_of("UTC"), NOW).starts_at
    call = msgspec.structs.replace(a_call("new", "gpt-a", 5), charges=(Charge("account", start, 5),))
    ledger = open_ledger_store(database_url)
    await ledger.apply([call], None)
    await ledger.aclose()

    assert (before, await spent(spend, term)) == (120, 125)
    differences = (await verify(sql_store, lambda name, offset: None)).differences
    assert [each for each in differences if each.startswith("budget")] == []
