"""Every row of the table of refusals, on every way a refusal can come (contract 7)."""

import pytest

from domain.failover import FailureKind
from tests.unit.adapters.wire.refusals import REFUSALS, Refusal
from tests.unit.adapters.wire.refusals_page import PAGE, page

AT_LEAST = 300
HELD_BACK_AT_LEAST = 40


def test_the_table_is_long_and_a_share_of_it_was_held_back() -> None:
    assert len(REFUSALS) >= AT_LEAST
    assert sum(row.held for row in REFUSALS) >= HELD_BACK_AT_LEAST


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: row.name)
def test_a_refusal_means_what_its_row_says(row: Refusal) -> None:
    failure = row.answered()

    assert (failure.kind.value, failure.scope.value) == (row.kind, row.scope)
    assert failure.message
    if row.wait is not None:
        assert failure.retry_after_seconds == pytest.approx(row.wait, abs=1.5)


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: row.name)
def test_the_same_words_in_a_stream_mean_the_same_unless_only_the_status_told(row: Refusal) -> None:
    failure = row.in_stream()

    assert failure.kind.value == (row.stream or row.kind)
    assert failure.message


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: row.name)
def test_only_limits_and_overload_name_a_wait_and_only_what_a_client_caused_keeps_its_status(row: Refusal) -> None:
    failure = row.answered()

    waiting = {"rate_limited", "quota_exhausted", "overloaded", "server_error", "model_absent"}
    assert failure.retry_after_seconds is None or failure.kind.value in waiting
    if failure.kind in {FailureKind.CLIENT_FAULT, FailureKind.CONTENT_POLICY}:
        assert failure.status in {400, 404, 405, 409, 413, 415, 422}


def test_the_page_of_the_docs_is_made_from_the_table() -> None:
    assert PAGE.read_text() == page(), "run .ci/pages"
