"""Every class of limit has a fixture from a real body: what it counts, and what rests until when (contract 7)."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain.provider_limits import LimitClass
from tests.unit.adapters.wire.refusals import Refusal


class Limited(msgspec.Struct, frozen=True):
    """One line of the table."""

    cause: str = msgspec.field(name="class")
    provider: str
    status: int
    body: Any
    rests: str
    source: str
    wait: float | None = None
    dimension: str | None = None
    window: str | None = None
    amount: int | None = None


LIMITS = [
    msgspec.json.decode(line, type=Limited)
    for line in (Path(__file__).parent / "limit_classes.jsonl").read_text().splitlines()
]


def test_each_class_has_a_fixture_with_its_source() -> None:
    assert {row.cause for row in LIMITS} == {each.value for each in LimitClass}
    assert all(row.source for row in LIMITS)


@pytest.mark.parametrize("row", LIMITS, ids=lambda row: f"{row.cause}-{row.provider}")
def test_a_limit_says_what_it_counts_and_what_rests_until_when(row: Limited) -> None:
    failure = Refusal(row.provider, row.status, row.body, "", "").answered()

    assert failure.limit is not None
    assert (failure.limit.cause.value, failure.scope.value) == (row.cause, row.rests)
    assert row.dimension in {None, failure.limit.dimension}
    assert row.window in {None, failure.limit.window}
    assert row.amount in {None, failure.limit.amount}
    if row.wait is not None:
        assert failure.retry_after_seconds == pytest.approx(row.wait, abs=1.5)
