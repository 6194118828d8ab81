"""Records that a version before wrote, or a version to come: a spool outlives the process and its version (R-10)."""

import msgspec
import pytest

from adapters.ledger.frames import Kind, frame, frames
from domain.records import ProgressRecord, RequestRecord
from domain.usage import TokenUsage
from tests.builders import a_request_record, an_attempt_record

BEFORE_THE_HOUR_IN_THE_CACHE = 8
"""The counts that a usage had before `cache_write_1h_tokens` was the last."""


def as_written(record: RequestRecord | ProgressRecord, kind: Kind, *, counts: int) -> bytes:
    """The record's frame with usages of so many counts in it, in the place of each that it has."""

    def other(value: object) -> object:
        if isinstance(value, TokenUsage):
            return list(range(1, counts + 1))
        if isinstance(value, msgspec.Struct):
            return [other(each) for each in msgspec.structs.astuple(value)]
        if isinstance(value, tuple):
            return [other(each) for each in value]
        return value

    return frame(kind, other(record))  # type: ignore[arg-type]  # the same array, with other counts


def read(data: bytes) -> object:
    (found,) = frames(data)
    return found.record


def test_a_record_without_the_new_count_reads_as_one_that_has_none_of_it() -> None:
    usage = TokenUsage(1, 2, 3, 4, 5, 6, 7, 8)
    written = as_written(a_request_record(), Kind.END, counts=BEFORE_THE_HOUR_IN_THE_CACHE)

    assert usage.cache_write_1h_tokens == 0
    assert read(written) == a_request_record(attempts=(an_attempt_record(usage=usage),), usage=usage)


def test_progress_without_the_new_count_reads_too() -> None:
    record = ProgressRecord("req_1", 1, "alpha", None, "m", 500, TokenUsage(9))

    found = read(as_written(record, Kind.PROGRESS, counts=BEFORE_THE_HOUR_IN_THE_CACHE))

    assert found == msgspec.structs.replace(record, usage=TokenUsage(1, 2, 3, 4, 5, 6, 7, 8))


@pytest.mark.parametrize("more", [0, 1, 5])
def test_counts_that_this_version_does_not_know_are_passed_over(more: int) -> None:
    known = len(TokenUsage.__struct_fields__)

    found = read(as_written(a_request_record(), Kind.END, counts=known + more))

    assert isinstance(found, RequestRecord)
    assert found.usage == TokenUsage(*range(1, known + 1))
