"""Errors inside a 200 (R-07): in every form, after what came before them."""

from typing import Any

import pytest

from domain.failover import FailureKind
from tests.unit.adapters.dialects.openai.samples import (
    DONE,
    SECRET,
    STOP,
    TEXT,
    choice,
    chunks,
    decoder,
    delta,
    event,
    sample,
)


@pytest.mark.parametrize(
    ("stream", "message", "kind"),
    [
        (sample("errmid.sse"), "boom", FailureKind.SERVER_ERROR),
        (sample("errstr.sse"), "plain", FailureKind.SERVER_ERROR),
        (sample("errevent.sse"), "boom2", FailureKind.SERVER_ERROR),
        (TEXT + b'event: error\ndata: {"message": "bare"}\n\n', "bare", FailureKind.SERVER_ERROR),
        (TEXT + b"event: error\n\n", "without a word", FailureKind.SERVER_ERROR),
        (
            TEXT + b'error: {"code":503,"message":"Loading model","type":"unavailable_error"}\n\n',
            "Loading",
            FailureKind.OVERLOADED,
        ),
        (TEXT + b'data: {"error": {"code": 429, "message": "slow"}}\n\n', "slow", FailureKind.RATE_LIMITED),
        (
            TEXT + b'data: {"error":{"message":"x","code":"insufficient_quota"},"choices":[]}\n\n',
            "x",
            FailureKind.QUOTA_EXHAUSTED,
        ),
        (TEXT + event(x_groq={"error": "groq says no"}, choices=[]), "groq says no", FailureKind.SERVER_ERROR),
        (TEXT + delta("error", content=""), "broke off", FailureKind.SERVER_ERROR),
        (TEXT + delta("insufficient_system_resource"), "broke off", FailureKind.OVERLOADED),
        (
            TEXT + event(choices=[{"index": 0, "delta": {}, "error": {"message": "host died"}}]),
            "host died",
            FailureKind.SERVER_ERROR,
        ),
        (TEXT + b"data: {broken\n\n", "not a chat completion", FailureKind.SERVER_ERROR),
        (TEXT + b"data: \xff\xfe\n\n", "not a chat completion", FailureKind.SERVER_ERROR),
        (TEXT + b"data: 5\n\n", "not a chat", FailureKind.SERVER_ERROR),
        (TEXT + event(object="error", message="of old", code=400), "of old", FailureKind.CLIENT_FAULT),
        (TEXT + b'data: {"choices": 5, "error": "odd"}\n\n', "odd", FailureKind.SERVER_ERROR),
    ],
)
def test_an_error_in_any_form_is_a_failure_after_what_came_before(
    stream: bytes, message: str, kind: FailureKind
) -> None:
    """R-07: errors inside a 200 count as failures."""
    reading = decoder()

    output = reading.feed(stream) + reading.finish()

    assert reading.failure is not None
    assert reading.failure.kind is kind
    assert message in reading.failure.message
    assert deltas_of(output)[0]["content"] == "A"
    assert not reading.done
    assert reading.feed(STOP + DONE) == b""


def deltas_of(output: bytes) -> list[dict[str, Any]]:
    return [choice(chunk)["delta"] for chunk in chunks(output)]


def test_a_failure_never_shows_our_credential() -> None:
    reading = decoder()
    reading.feed(b'data: {"error": "bad key ' + SECRET.reveal().encode() + b'"}\n\n')

    assert reading.failure is not None
    assert reading.failure.message == "bad key ***"
