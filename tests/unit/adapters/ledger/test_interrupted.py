"""What a process that died leaves behind is booked with what its providers bill."""

import msgspec

from adapters.ledger.interrupted import interrupted
from adapters.ledger.segment import Frame, Kind, frame, frames
from domain.prices import PriceRow, Prices
from domain.records import Charge, ProgressRecord, StartRecord
from domain.usage import TokenUsage
from tests.builders import NOW

START = StartRecord(
    "req_1", "dec_1", NOW, "ten", "key_1", "chat.completions", "auto", False, 4000, "alpha", "pk_a", "m", 107
)
PRICE = PriceRow("price_1", "alpha", "m", Prices(1_000_000_000, 4_000_000_000), "admin", NOW)


def find_price(provider_id: str, model: str) -> PriceRow | None:
    return PRICE if (provider_id, model) == ("alpha", "m") else None


def test_a_killed_plain_call_is_booked_with_its_prompt_where_it_went() -> None:
    record = interrupted(START, None, find_price)

    (attempt,) = record.attempts
    assert (record.outcome, record.provider_id, record.model) == ("interrupted", "alpha", "m")
    assert (attempt.number, attempt.key_id, attempt.usage_source) == (1, "pk_a", "estimated")
    assert record.usage == attempt.usage == TokenUsage(107)
    assert attempt.cost_nano_usd == 107_000


def test_a_call_that_had_moved_on_is_booked_where_it_was() -> None:
    further = ProgressRecord("req_1", 2, "beta", None, "n", 0, None)

    record = interrupted(START, further, find_price)

    (attempt,) = record.attempts
    assert (attempt.number, attempt.provider_id, attempt.model, attempt.usage) == (2, "beta", "n", TokenUsage(107))
    assert attempt.cost_nano_usd is None


def test_a_start_of_an_older_version_reads_and_is_booked_without_a_call() -> None:
    written = frame(Kind.START, list(msgspec.structs.astuple(START))[:9])  # type: ignore[arg-type]  # the older array
    (found,) = frames(written)
    assert isinstance(found, Frame)
    assert isinstance(found.record, StartRecord)

    record = interrupted(found.record, None, find_price)

    assert (record.attempts, record.usage, record.requested_model) == ((), None, "auto")


def test_a_budget_is_charged_what_was_held_last_at_most() -> None:
    """P-06: what is known of a killed request is an estimate, and must not pass a limit."""
    started = msgspec.structs.replace(START, charges=(Charge("key:k", 0, 50_000), Charge("tenant:t", 0, 500_000)))
    extended = ProgressRecord("req_1", 1, "alpha", "pk_a", "m", 0, None, (Charge("key:k", 0, 110_000),))

    assert interrupted(started, None, find_price).charges == (
        Charge("key:k", 0, 50_000),
        Charge("tenant:t", 0, 107_000),
    )
    assert interrupted(started, extended, find_price).charges == (Charge("key:k", 0, 107_000),)
