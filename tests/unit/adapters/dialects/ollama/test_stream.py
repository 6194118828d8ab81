"""Ollama's lines as OpenAI's chunks: whole, cut everywhere, and broken off."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from adapters.dialects.ollama.chat import OllamaChat
from adapters.dialects.ollama.stream import OllamaStreamDecoder
from adapters.wire.call import DialectCall
from adapters.wire.sse import MAX_EVENT_BYTES
from domain.chat import ChatRequest
from domain.failover import FailureKind
from domain.usage import TokenUsage
from tests.unit.adapters.dialects.ollama.samples import STREAMS, WIRE, a_call
from tests.unit.adapters.dialects.openai.samples import chunks


def decoder(call: DialectCall[ChatRequest] | None = None) -> OllamaStreamDecoder:
    return OllamaChat().decoder(call or a_call(), "application/x-ndjson")


def play(name: str, call: DialectCall[ChatRequest] | None = None) -> list[dict[str, Any]]:
    reading = decoder(call)
    output = reading.feed((WIRE / name).read_bytes()) + reading.finish()
    assert reading.failure is None
    assert reading.done
    return chunks(output)


def deltas(received: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [chunk["choices"][0]["delta"] for chunk in received if chunk["choices"]]


def test_a_text_has_its_model_its_reason_and_its_usage() -> None:
    received = play("text.ndjson", a_call(include_usage=True))

    assert "".join(each.get("content") or "" for each in deltas(received)) == "Hellö"
    assert received[0]["model"] == "llama3.2:3b"
    assert received[-2]["choices"][0]["finish_reason"] == "stop"
    assert received[-1]["usage"]["total_tokens"] == 28


def test_calls_get_ids_and_their_arguments_as_text() -> None:
    received = play("tools.ndjson")

    calls = [call for each in deltas(received) for call in each.get("tool_calls", ())]
    assert "".join(each.get("reasoning_content", "") for each in deltas(received)) == "Let me look."
    assert [call["index"] for call in calls] == [0, 1]
    assert calls[0]["id"].startswith("call_")
    assert calls[1]["id"] == "call_own"
    assert json.loads(calls[0]["function"]["arguments"]) == {"a": 1, "b": ["ö"]}
    assert calls[1]["function"]["arguments"] == "{}"
    assert received[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_chances_are_told_and_a_missing_count_is_no_usage() -> None:
    """R-22."""
    reading = decoder()

    received = chunks(reading.feed((WIRE / "length.ndjson").read_bytes()))

    (chances,) = [chunk["choices"][0]["logprobs"] for chunk in received if chunk["choices"][0]["logprobs"]]
    assert [one["token"] for one in chances["content"][0]["top_logprobs"]] == ["A", "The"]
    assert received[-1]["choices"][0]["finish_reason"] == "length"
    assert reading.usage is None
    assert reading.output_text() == "A"


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_any_split_gives_the_same(path: Path) -> None:
    stream, call = path.read_bytes(), a_call(include_usage=True)
    whole = decoder(call)
    expected = whole.feed(stream)

    for seed in range(30):
        dice = random.Random(seed)
        reading, output, rest = decoder(call), b"", stream
        while rest:
            size = dice.randint(1, 1 + seed * 7)
            output += reading.feed(rest[:size])
            rest = rest[size:]
        output += reading.finish()
        assert (output, reading.done, reading.usage) == (expected, True, whole.usage)


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_a_stream_cut_at_any_byte_is_never_complete(path: Path) -> None:
    """R-08: but for the line end alone, after which nothing was to come."""
    stream = path.read_bytes()

    for cut in range(len(stream) - 1):
        reading = decoder()
        reading.feed(stream[:cut])
        reading.finish()
        assert not reading.done
        assert reading.failure is not None
        assert reading.failure.kind is FailureKind.TRUNCATED


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b'{"error":"an error was encountered while running the model"}\n', FailureKind.SERVER_ERROR),
        (b'{"error":"the input length exceeds the context length"}\n', FailureKind.CONTEXT_LENGTH),
        (b"<html>\n", FailureKind.SERVER_ERROR),
        (b'{"message": \n', FailureKind.SERVER_ERROR),
        (b"x" * (MAX_EVENT_BYTES + 1), FailureKind.SERVER_ERROR),
        (b'"' + b"x" * MAX_EVENT_BYTES + b'"\n', FailureKind.SERVER_ERROR),
    ],
)
def test_what_breaks_off_is_a_failure(line: bytes, kind: FailureKind) -> None:
    reading = decoder()
    begun = reading.feed((WIRE / "text.ndjson").read_bytes().split(b"\n")[0] + b"\n")

    reading.feed(line)

    assert b"Hel" in begun
    assert reading.failure is not None
    assert reading.failure.kind is kind
    assert not reading.done


def test_one_object_instead_of_a_stream_is_an_answer() -> None:
    reading = decoder()
    answer = {"model": "m", "message": {"content": "hi"}, "done": True, "prompt_eval_count": 1, "eval_count": 1}

    received = reading.feed(json.dumps(answer).encode()) + reading.finish()

    assert reading.done
    assert reading.usage == TokenUsage(1, 1)
    assert len(chunks(received)) == 3
