"""Errors in Google's shape."""

import json

import pytest

from entrypoints.http.errors import ErrorAnswer, ErrorDetail
from entrypoints.http.google_errors import GOOGLE_ERRORS


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (400, "INVALID_ARGUMENT"),
        (401, "UNAUTHENTICATED"),
        (403, "PERMISSION_DENIED"),
        (404, "NOT_FOUND"),
        (409, "ABORTED"),
        (413, "INVALID_ARGUMENT"),
        (429, "RESOURCE_EXHAUSTED"),
        (500, "INTERNAL"),
        (502, "UNAVAILABLE"),
        (503, "UNAVAILABLE"),
        (504, "DEADLINE_EXCEEDED"),
    ],
)
def test_every_status_has_googles_word(status: int, word: str) -> None:
    shown, body = GOOGLE_ERRORS.plain(ErrorAnswer(status, ErrorDetail("What went wrong.", "t")), "req_1")

    error = json.loads(body)["error"]
    assert (shown, error["code"], error["status"], error["message"]) == (status, status, word, "What went wrong.")


def test_code_place_and_wait_are_details_by_type() -> None:
    error = ErrorDetail("m", "rate_limit_error", "contents", "rate_limit_exceeded")

    _, body = GOOGLE_ERRORS.plain(ErrorAnswer(429, error, ((b"retry-after", b"12"),)), "req_1")

    details = {detail.pop("@type").rpartition(".")[2]: detail for detail in json.loads(body)["error"]["details"]}
    assert details["ErrorInfo"]["reason"] == "RATE_LIMIT_EXCEEDED"
    assert details["BadRequest"]["fieldViolations"] == [{"field": "contents", "description": "m"}]
    assert details["RetryInfo"] == {"retryDelay": "12s"}
    assert details["RequestInfo"] == {"requestId": "req_1"}


def test_an_event_begins_as_googles_client_looks_for_it_and_a_ping_is_blank() -> None:
    event = GOOGLE_ERRORS.event(ErrorAnswer(502, ErrorDetail("Broken off.", "api_error")), "req_1")

    assert event.startswith(b'data: {"error":{"code":502,')
    assert event.endswith(b"}\n\n")
    assert GOOGLE_ERRORS.ping == b"\n\n"
