"""Streams of Gemini's, told in OpenAI's chunks, however they are cut."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.dialects.gemini.chat import GeminiChat
from adapters.dialects.gemini.stream import GeminiStreamDecoder
from adapters.wire.call import DialectCall
from domain.chat import ChatRequest
from domain.failover import FailureKind
from domain.usage import TokenUsage
from tests.unit.adapters.dialects.gemini.samples import STREAMS, a_call, answered, chunks, sample

CANDIDATES = {"two_candidates": 2}
BEGUN = {"role": "assistant", "content": "", "refusal": None}


def call_of(name: str) -> DialectCall[ChatRequest]:
    return a_call(n=CANDIDATES.get(name, 1))


def decoder(name: str = "text") -> GeminiStreamDecoder:
    return GeminiChat().decoder(call_of(name), "text/event-stream")


def play(name: str) -> tuple[list[dict[str, Any]], GeminiStreamDecoder]:
    reading = decoder(name)
    output = reading.feed(sample(f"{name}.sse")) + reading.finish()
    assert reading.failure is None
    assert reading.done
    return chunks(output), reading


def event(body: object) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\r\n\r\n"


def deltas(received: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [chunk["choices"][0]["delta"] for chunk in received if chunk["choices"]]


def test_text_comes_as_it_is_made_and_usage_last() -> None:
    received, reading = play("text")

    texts = [{"content": "Hello, "}, {"content": "wörld 🌍"}, {"content": "."}]
    assert deltas(received) == [BEGUN, *texts, {}]
    assert received[-2]["choices"][0]["finish_reason"] == "stop"
    assert (received[-1]["choices"], received[-1]["usage"]["completion_tokens"]) == ([], 4)
    assert {chunk["id"] for chunk in received} == {"chatcmpl-r3sp"}
    assert reading.model == "gemini-3-flash-preview"
    assert reading.usage == TokenUsage(input_tokens=5, output_tokens=4)
    assert reading.output_text() == "Hello, wörld 🌍."


def test_thoughts_are_reasoning_and_count_as_output() -> None:
    received, reading = play("thinking")

    assert {"reasoning_content": "**Weighing** it"} in deltas(received)
    assert reading.usage == TokenUsage(input_tokens=5, output_tokens=22, reasoning_tokens=20)


def test_tool_calls_have_ids_and_keep_their_signature() -> None:
    received, reading = play("tools")

    calls = [delta["tool_calls"][0] for delta in deltas(received) if "tool_calls" in delta]
    assert [(call["index"], call["function"]["name"]) for call in calls] == [(0, "weather"), (1, "clock")]
    assert json.loads(calls[0]["function"]["arguments"]) == {"city": "Zürich", "days": 2}
    assert calls[0]["extra_content"] == {"google": {"thought_signature": "c2lnbmVk"}}
    assert calls[0]["id"].startswith("call_")
    assert calls[1]["id"] == "own-id"
    assert calls[1]["function"]["arguments"] == "{}"
    assert received[-2]["choices"][0]["finish_reason"] == "tool_calls"
    assert reading.usage == TokenUsage(input_tokens=40, output_tokens=18, cache_read_tokens=16)


def test_each_candidate_ends_for_its_own_reason() -> None:
    received, _ = play("two_candidates")

    ends = {
        choice["index"]: choice["finish_reason"]
        for chunk in received
        for choice in chunk["choices"]
        if choice["finish_reason"]
    }
    assert ends == {0: "stop", 1: "length"}


def test_a_blocked_prompt_is_a_filtered_answer() -> None:
    received, reading = play("blocked")

    assert received[-2]["choices"][0]["finish_reason"] == "content_filter"
    assert reading.usage == TokenUsage(input_tokens=9)


@pytest.mark.parametrize("name", STREAMS)
def test_cut_at_every_byte_it_is_never_complete(name: str) -> None:
    """R-08: not before the last event's JSON is whole."""
    stream = sample(f"{name}.sse")
    needed = len(stream.rstrip())

    for length in range(needed):
        reading = decoder(name)
        reading.feed(stream[:length])
        reading.finish()
        assert not reading.done, length
        assert reading.failure is not None
        assert reading.failure.kind is FailureKind.TRUNCATED

    reading = decoder(name)
    reading.feed(stream[:needed])
    reading.finish()
    assert reading.done


@settings(max_examples=60)
@given(st.sampled_from(STREAMS), st.lists(st.integers(1, 90), max_size=40))
def test_any_splitting_gives_the_same(name: str, sizes: list[int]) -> None:
    stream, reading, output, start = sample(f"{name}.sse"), decoder(name), b"", 0
    for size in sizes:
        output += reading.feed(stream[start : start + size])
        start += size
    output += reading.feed(stream[start:]) + reading.finish()

    assert reading.done
    assert _without_ids(chunks(output)) == _without_ids(play(name)[0])


def test_an_error_in_the_middle_fails_the_stream() -> None:
    reading = decoder()

    received = chunks(reading.feed(sample("broken_off.sse")))

    assert deltas(received)[-1] == {"content": "Hel"}
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.OVERLOADED
    assert reading.finish() == b""


@pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "OTHER", "MISSING_THOUGHT_SIGNATURE"])
def test_a_bad_end_fails_what_has_said_nothing_and_stops_what_has(reason: str) -> None:
    silent, speaking = decoder(), decoder()

    silent.feed(event(answered(finish=reason)))
    silent.finish()
    output = speaking.feed(event(answered({"text": "hi"}, finish=reason))) + speaking.finish()

    assert silent.failure is not None
    assert silent.failure.kind is FailureKind.SERVER_ERROR
    assert reason in silent.failure.message
    assert chunks(output)[-2]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("garbage", [b"data: {nope}\r\n\r\n", b"data: [1]\n\n", b'data: {"candidates": \n\n'])
def test_garbage_is_a_failure_and_never_an_answer(garbage: bytes) -> None:
    reading = decoder()
    reading.feed(garbage)

    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.SERVER_ERROR


def test_an_endless_event_is_given_up() -> None:
    reading = decoder()
    reading.feed(b"data: " + b"x" * (1024 * 1024 + 1))

    assert reading.failure is not None


def test_images_and_pages_and_logprobs_are_told_too() -> None:
    reading = decoder()
    body = answered(
        {"text": "a"},
        {"inlineData": {"mimeType": "image/png", "data": "aWk="}},
        {"inlineData": {"mimeType": "audio/L16;rate=24000", "data": "AAA="}},
        logprobsResult={"chosenCandidates": [{"token": "a", "logProbability": -0.5}]},
        groundingMetadata={"groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}]},
    )

    received = chunks(reading.feed(event(body)) + reading.finish())

    assert received[1]["choices"][0]["logprobs"]["content"][0]["logprob"] == -0.5
    assert {"images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aWk="}}]} in deltas(received)
    assert {"audio": {"data": "AAA="}} in deltas(received)
    assert any("annotations" in delta for delta in deltas(received))


def _without_ids(received: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for delta in deltas(received):
        for call in delta.get("tool_calls", ()):
            call["id"] = call["id"][:5]
    return [{name: value for name, value in chunk.items() if name != "id"} for chunk in received]
