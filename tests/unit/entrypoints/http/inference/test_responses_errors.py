"""An error in a stream of response events is an event that every client of theirs takes for one."""

import json

from domain.errors import StreamBroken
from entrypoints.http.errors import describe
from entrypoints.http.inference.responses_errors import RESPONSES_ERRORS
from tests.unit.adapters.ingress.responses.grammar import event_validator


def test_the_error_stands_in_both_forms() -> None:
    answer = describe(StreamBroken("It broke.", code="upstream_truncated"))

    name, data = RESPONSES_ERRORS.event(answer, "req_1", 7).decode().removesuffix("\n\n").split("\n")

    event = json.loads(data.removeprefix("data: "))
    assert name == "event: error"
    event_validator("error").validate(event)
    assert event["sequence_number"] == 7
    assert (event["code"], event["message"]) == ("upstream_truncated", "It broke.")
    assert event["error"] == {
        "type": "api_error",
        "code": "upstream_truncated",
        "message": "It broke.",
        "param": None,
    }


def test_an_error_before_the_stream_is_openais() -> None:
    status, body = RESPONSES_ERRORS.plain(describe(StreamBroken("It broke.", code="upstream_error")), "req_1")

    assert status == 502
    assert json.loads(body)["error"]["code"] == "upstream_error"
