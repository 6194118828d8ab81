"""Plain answers: forwarded as bytes where they are OpenAI's shape, mended or refused where they are not."""

import json
from typing import Any

import pytest

from adapters.dialects.openai.answer import read_answer
from adapters.dialects.openai.quirks import Quirks
from adapters.wire.call import PlainAnswer
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage
from tests.unit.adapters.dialects.openai.samples import SECRET, facts, validator

_NAMELESS = {"function": {"arguments": '{"a":1}'}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def completion(**changes: object) -> dict[str, object]:
    message = {"role": "assistant", "content": "hi", "refusal": None}
    fields: dict[str, object] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21},
    }
    return fields | changes


def choices(finish: object = "stop", **message: object) -> list[object]:
    return [{"index": 0, "message": {"role": "assistant", "content": None} | message, "finish_reason": finish}]


def read(fields: object, quirks: Quirks | None = None) -> tuple[PlainAnswer, dict[str, Any]]:
    answer = read_answer(json.dumps(fields).encode(), facts(), quirks or Quirks())
    body: dict[str, Any] = json.loads(answer.body)
    validator("response").validate(body)
    return answer, body


def message(body: dict[str, Any]) -> dict[str, Any]:
    received: dict[str, Any] = body["choices"][0]["message"]
    return received


def test_a_sound_answer_passes_as_the_bytes_it_came() -> None:
    body = json.dumps(completion(extra={"kept": [1.50]})).encode()

    answer = read_answer(body, facts(), Quirks())

    assert answer.body is body
    assert (answer.model, answer.usage) == ("m", TokenUsage(input_tokens=9, output_tokens=12))


def test_empty_lines_before_an_answer_are_left_out() -> None:
    body = json.dumps(completion()).encode()

    assert read_answer(b"\n\n\n" + body + b"\n", facts(), Quirks()).body == body


@pytest.mark.parametrize(
    ("theirs", "ours"), [("eos", "stop"), ("model_length", "length"), ("weird", "stop"), (None, "stop"), ("", "stop")]
)
def test_finish_reasons_are_told_in_openais_words(theirs: str | None, ours: str) -> None:
    _, body = read(completion(choices=choices(theirs, content="x")))

    assert body["choices"][0]["finish_reason"] == ours


def test_tool_calls_without_ids_and_with_objects_are_mended() -> None:
    call = {"function": {"name": "f", "arguments": {"a": 1}}}
    _, body = read(completion(choices=choices(None, tool_calls=[call, CALL])))

    first, second = message(body)["tool_calls"]
    assert first["function"] == {"name": "f", "arguments": '{"a":1}'}
    assert first["type"] == "function"
    assert first["id"].startswith("call_")
    assert second == CALL
    assert body["choices"][0]["finish_reason"] == "tool_calls"


def test_a_stop_with_tool_calls_is_mended_only_where_the_provider_is_known_for_it() -> None:
    fields = completion(choices=choices("stop", tool_calls=[CALL]))

    assert read(fields)[1]["choices"][0]["finish_reason"] == "stop"
    mended = read(fields, Quirks(stop_with_tool_calls=True))[1]
    assert mended["choices"][0]["finish_reason"] == "tool_calls"


def test_content_as_a_list_becomes_text_and_reasoning() -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "A"}, 5]
    _, body = read(completion(choices=choices(content=parts)))

    assert (message(body)["content"], message(body)["reasoning_content"]) == ("A", "hm")


def test_what_is_missing_is_filled_in_and_what_is_unknown_kept() -> None:
    answer, body = read({"choices": [{"message": {"content": "x", "reasoning": "r"}, "logprobs": None}], "cost": 1})

    assert (body["object"], body["created"], body["model"]) == ("chat.completion", 1795222800, "asked-model")
    assert str(body["id"]).startswith("chatcmpl-")
    assert message(body) == {"content": "x", "reasoning": "r", "role": "assistant"}
    assert body["cost"] == 1
    assert answer.usage is None


def test_a_null_error_is_no_error() -> None:
    assert "error" not in read(completion(error=None))[1]


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 5,
                "total_tokens": 14,
                "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2, "audio_tokens": 1},
                "completion_tokens_details": {"reasoning_tokens": 3, "audio_tokens": 1},
            },
            TokenUsage(9, 5, 4, 2, 3, 1, 1),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14, "prompt_cache_hit_tokens": 6},
            TokenUsage(9, 5, cache_read_tokens=6),
        ),
        ({"prompt_tokens": 9.0, "completion_tokens": None}, TokenUsage(9, 0)),
        ({"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": None}, TokenUsage(9, 5)),
        ({"something": "else"}, None),
        ("none", None),
        (None, None),
    ],
)
def test_usage_is_read_in_every_shape(usage: object, tokens: TokenUsage | None) -> None:
    assert read(completion(usage=usage))[0].usage == tokens


def test_reasoning_left_out_of_completion_tokens_is_counted_again() -> None:
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 35,
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    answer, body = read(completion(usage=usage), Quirks(completion_excludes_reasoning=True))

    assert answer.usage == TokenUsage(input_tokens=10, output_tokens=25, reasoning_tokens=20)
    assert body["usage"]["completion_tokens"] == 25
    right = usage | {"completion_tokens": 25}
    assert read(completion(usage=right), Quirks(completion_excludes_reasoning=True))[1]["usage"] == right


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"error": {"message": "no", "type": "server_error"}}', FailureKind.SERVER_ERROR),
        (b'{"error": "Unexpected endpoint or method"}', FailureKind.UNEXPECTED_ANSWER),
        (b'{"error": {"code": 429, "message": "slow down"}}', FailureKind.RATE_LIMITED),
        (b'{"error": {"code": 400, "message": "maximum context length is 5"}}', FailureKind.CONTEXT_LENGTH),
        (b'{"success": false, "errors": [{"code": 10, "message": "no"}]}', FailureKind.SERVER_ERROR),
        (json.dumps(completion(error={"message": "x"})).encode(), FailureKind.SERVER_ERROR),
        (json.dumps(completion(choices=[{"error": {"code": 502, "message": "x"}}])).encode(), FailureKind.SERVER_ERROR),
        (json.dumps(completion(choices=choices("error"))).encode(), FailureKind.SERVER_ERROR),
        (json.dumps(completion(choices=choices("insufficient_system_resource"))).encode(), FailureKind.OVERLOADED),
        (json.dumps(completion(choices=[])).encode(), FailureKind.SERVER_ERROR),
        (json.dumps(completion(choices="x")).encode(), FailureKind.SERVER_ERROR),
        (json.dumps(completion(choices=choices(tool_calls=[_NAMELESS]))).encode(), FailureKind.SERVER_ERROR),
        (b"", FailureKind.SERVER_ERROR),
        (b"<html>", FailureKind.SERVER_ERROR),
        (b'{"id": "cut', FailureKind.SERVER_ERROR),
        (b"[" * 100_000, FailureKind.SERVER_ERROR),
    ],
)
def test_a_200_that_is_no_answer_is_a_failure(body: bytes, kind: FailureKind) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        read_answer(body, facts(), Quirks())

    assert caught.value.kind is kind
    assert caught.value.message


def test_an_unreadable_answer_never_shows_our_credential() -> None:
    with pytest.raises(UpstreamFailure) as caught:
        read_answer(b"you sent " + SECRET.reveal().encode(), facts(), Quirks())

    assert SECRET.reveal() not in caught.value.message


def test_zeros_by_a_server_that_does_not_count_are_no_usage() -> None:
    """R-22: its tokens are estimated, instead of booked as none."""
    nothing = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}

    answer = read_answer(json.dumps(completion(usage=nothing)).encode(), facts(), Quirks())

    assert (answer.usage, answer.output_text) == (None, "hi")
    assert "usage" not in json.loads(answer.body)
