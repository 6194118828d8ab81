"""Every field of a request's record comes back from the ledger with the value it was written with."""

from itertools import count

import msgspec

from adapters.persistence.ledger.opening import open_ledger_store
from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.usage_queries.reader import SqlAlchemyUsage
from domain.records import AttemptRecord, RequestRecord
from domain.usage import TokenUsage
from tests.builders import a_request_record, an_attempt_record
from tests.other_values import each_field_changed


async def test_every_field_of_a_record_comes_back(sql_store: SqlAlchemyStore, database_url: str) -> None:
    """By the ledger's own statements in, by the log of requests out."""
    ledger, log, numbers = open_ledger_store(database_url), SqlAlchemyUsage(sql_store), count()
    usage = TokenUsage(100, 10)
    attempt = an_attempt_record(usage=usage)
    nowhere = a_request_record(attempts=(), usage=None)
    records: list[tuple[str, RequestRecord]] = [
        (f"RequestRecord.{name}", _of_attempt(attempt) if name in {"attempts", "usage"} else changed)
        for name, changed in each_field_changed(nowhere)  # its usage is that of its last attempt
    ]
    attempts = [
        (f"AttemptRecord.{name}", changed)
        for name, changed in each_field_changed(attempt, number=1, usage_source="estimated")
    ] + [
        (f"TokenUsage.{name}", msgspec.structs.replace(attempt, usage=changed))
        for name, changed in each_field_changed(usage)
    ]
    records += [(name, _of_attempt(changed)) for name, changed in attempts]
    lost = []

    for name, record in records:
        stored = msgspec.structs.replace(record, request_id=f"{record.request_id}_{next(numbers)}")
        await ledger.apply([stored], None)
        if await log.get(stored.request_id) != stored:
            lost.append(name)
    await ledger.aclose()

    assert lost == []


def _of_attempt(attempt: AttemptRecord) -> RequestRecord:
    return a_request_record(
        attempts=(attempt,), usage=attempt.usage, provider_id=attempt.provider_id, model=attempt.model
    )
