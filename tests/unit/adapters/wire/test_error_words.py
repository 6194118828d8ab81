"""Every word of an error body that may tell what it means is found, however deep; what repeats the request is not."""

import json

import pytest

from adapters.wire.error_body import read_error
from adapters.wire.error_words import MAX_HEAD_CHARS, MAX_TAIL_CHARS, words_of
from adapters.wire.errors import Refusals, failure_from_answer
from domain.failover import FailureKind
from tests.unit.adapters.dialects.openai.samples import NOW, SECRET


def kind(status: int, body: bytes) -> FailureKind:
    return failure_from_answer(status, (), body, Refusals(), secret=SECRET, now=NOW).kind


def test_codes_come_outermost_first_and_once() -> None:
    body = {"error": {"innererror": {"code": "deep"}, "code": "outer", "details": [{"reason": "deeper"}], "type": "t"}}

    assert words_of(body).codes == ("outer", "t", "deep", "deeper")


def test_json_that_is_a_text_is_read_too() -> None:
    inner = json.dumps({"error": {"message": "no credit", "code": "insufficient_quota"}})

    assert words_of({"error": {"message": f"429 {inner}"}}).codes == ("insufficient_quota",)


@pytest.mark.parametrize("echo", ["input", "flagged_input", "request", "messages", "prompt"])
def test_what_a_body_repeats_of_the_request_says_nothing(echo: str) -> None:
    body = {"error": {"message": "bad value", echo: {"message": "rate limit", "code": "rate_limit_exceeded"}}}

    assert words_of(body).codes == ()
    assert "rate limit" not in words_of(body).text
    assert kind(400, json.dumps(body).encode()) is FailureKind.CLIENT_FAULT


def test_of_a_long_text_both_ends_are_looked_at() -> None:
    """R-33: a body made to be long does not hold the loop; what it ends with is found all the same."""
    text = "x " * 20_000 + "Insufficient credits."

    assert len(words_of({"error": {"message": text}}).text) <= MAX_HEAD_CHARS + MAX_TAIL_CHARS + 1
    assert kind(403, json.dumps({"error": {"message": text}}).encode()) is FailureKind.QUOTA_EXHAUSTED


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"[[[[]]]]",
        b'"text"',
        b"12",
        b"\xff\xfe\x00",
        b"\xef\xbb\xbf{}",
        b'{"error": null}',
        b'{"error": {"message": null, "code": [1], "type": {"a": 1}}}',
        b'{"error": {"details": "x", "metadata": []}}',
        b"[" * 5_000,
        b'{"a":' * 5_000,
        json.dumps({"error": {"message": "{" * 3_000 + "}" * 3_000}}).encode(),
    ],
)
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 429, 500, 503])
def test_no_body_is_too_odd_to_be_read(status: int, body: bytes) -> None:
    failure = failure_from_answer(status, (), body, Refusals(), secret=SECRET, now=NOW)

    assert failure.message


def test_a_body_that_is_no_utf8_is_read_as_far_as_it_is() -> None:
    body = b'{"error": {"message": "caf\xe9: Insufficient credits", "code": 402}}'

    assert kind(402, body) is FailureKind.QUOTA_EXHAUSTED
    assert read_error(body).message.endswith("Insufficient credits")
