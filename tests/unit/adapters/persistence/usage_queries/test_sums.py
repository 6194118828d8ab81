"""The statements behind sums of usage; what they answer is in the contract tests."""

from datetime import timedelta

import pytest

from adapters.persistence.usage_queries.sums import statement
from domain.usage_queries import UsageFilter, UsageQuery
from tests.builders import NOW


def a_question(key_id: str = "key_1") -> UsageQuery:
    return UsageQuery(NOW - timedelta(days=30), NOW, ("day", "model"), "Europe/Oslo", UsageFilter(key_id=key_id))


@pytest.mark.parametrize("lateral", [False, True], ids=["sqlite", "postgres"])
def test_equal_questions_are_put_together_once(lateral: bool) -> None:
    first = statement(a_question(), 10, lateral=lateral)

    assert statement(a_question(), 10, lateral=lateral) is first
    assert statement(a_question("key_2"), 10, lateral=lateral) is not first
    assert statement(a_question(), 10, lateral=not lateral) is not first
