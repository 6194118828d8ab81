"""Records that a version before wrote, or a version to come: a spool outlives the process and its version (R-10)."""

from base64 import b64decode
from datetime import UTC, datetime

import msgspec
import pytest

from adapters.ledger.segment import Frame, Kind, frame, frames
from domain.records import AttemptRecord, ProgressRecord, RequestRecord, StartRecord
from domain.usage import TOKEN_COUNTS, BillingFacts, TokenUsage
from tests.builders import a_request_record, an_attempt_record

BEFORE_THE_HOUR_IN_THE_CACHE = 8
"""The counts that a usage had before `cache_write_1h_tokens` was the last."""


def as_written(record: RequestRecord | ProgressRecord, kind: Kind, values: list[object]) -> bytes:
    """The record's frame with these values as usage, in the place of each that it has."""

    def other(value: object) -> object:
        if isinstance(value, TokenUsage):
            return values
        if isinstance(value, msgspec.Struct):
            return [other(each) for each in msgspec.structs.astuple(value)]
        if isinstance(value, tuple):
            return [other(each) for each in value]
        return value

    return frame(kind, other(record))  # type: ignore[arg-type]  # the same array, with other counts


def read(data: bytes) -> object:
    (found,) = frames(data)
    assert isinstance(found, Frame)
    return found.record


def test_a_record_without_the_new_count_reads_as_one_that_has_none_of_it() -> None:
    usage = TokenUsage(1, 2, 3, 4, 5, 6, 7, 8)
    written = as_written(a_request_record(), Kind.END, [*range(1, BEFORE_THE_HOUR_IN_THE_CACHE + 1)])

    assert usage.cache_write_1h_tokens == 0
    assert read(written) == a_request_record(attempts=(an_attempt_record(usage=usage),), usage=usage)


def test_progress_without_the_new_count_reads_too() -> None:
    record = ProgressRecord("req_1", 1, "alpha", None, "m", 500, TokenUsage(9))

    found = read(as_written(record, Kind.PROGRESS, [*range(1, BEFORE_THE_HOUR_IN_THE_CACHE + 1)]))

    assert found == msgspec.structs.replace(record, usage=TokenUsage(1, 2, 3, 4, 5, 6, 7, 8))


@pytest.mark.parametrize("more", [0, 1, 5])
def test_counts_that_this_version_does_not_know_are_passed_over(more: int) -> None:
    usage = TokenUsage.of(range(1, len(TOKEN_COUNTS) + 1), BillingFacts("flex", counts={"web_search": 2}))
    values = [*usage.counts(), msgspec.to_builtins(usage.billing), *range(more)]

    found = read(as_written(a_request_record(), Kind.END, values))

    assert isinstance(found, RequestRecord)
    assert found.usage == usage


AS_WRITTEN = """
SwAAAMNOKTQBnaVyZXFfMaVkZWNfMdb/awA2QKt0ZW5fZGVmYXVsdKVrZXlfMbBjaGF0LmNvbXBsZXRpb25zpGZhc3TDeKVhbHBoYa
Rwa18xoW0eGQAAAChnv2oCl6VyZXFfMQGlYWxwaGGkcGtfMaFtzQKAwLAAAAA+IrhpA9wAEqVyZXFfMaVkZWNfMdb/awA2QKt0ZW5f
ZGVmYXVsdKVrZXlfMbBjaGF0LmNvbXBsZXRpb25zpGZhc3SlYWxwaGGhbczIom9rwMORnAGlYWxwaGGkcGtfMaFtom9rzMjLQIlkAA
AAAACZZAoUBQMAAAAAoKhwcm92aWRlcrFjYXRhbG9nOng6YWxwaGE6bc0E4plkChQFAwAAAADLQInyAAAAAADLQGpQAAAAAACg
"""
"""A start, a progress and an end, byte for byte as versions wrote them whose frames had no number (November 2026)."""


def test_frames_that_an_older_version_wrote_are_read_to_the_last_field() -> None:
    at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    usage = TokenUsage(100, 10, 20, 5, 3)
    call = AttemptRecord(
        1, "alpha", "pk_1", "m", "ok", 200, 812.5, usage, "", "provider", "catalog:x:alpha:m", 1250
    )  # fmt: skip

    found = list(frames(b64decode(AS_WRITTEN)))

    assert [each.record if isinstance(each, Frame) else each for each in found] == [
        StartRecord(
            "req_1", "dec_1", at, "ten_default", "key_1", "chat.completions", "fast", True, 120, "alpha", "pk_1", "m",
            30,
        ),
        ProgressRecord("req_1", 1, "alpha", "pk_1", "m", 640, None),
        RequestRecord(
            "req_1", "dec_1", at, "ten_default", "key_1", "chat.completions", "fast", "alpha", "m", 200, "ok", None,
            True, (call,), usage, 830.25, 210.5,
        ),
    ]  # fmt: skip
    assert [each.number for each in found if isinstance(each, Frame)] == [0, 0, 0]
