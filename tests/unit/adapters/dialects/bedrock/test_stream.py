"""ConverseStream's frames as OpenAI's chunks: recorded ones, cut everywhere, broken, and refused in the midst."""

import random
from typing import Any

import pytest

from adapters.wire.sse import MAX_EVENT_BYTES
from domain.failover import FailureKind
from domain.usage import TokenUsage
from tests.unit.adapters.dialects.bedrock.samples import (
    BEGIN,
    CLAUDE,
    END_OF_BLOCK,
    METADATA,
    NOVA,
    STREAMS,
    WIRE,
    a_call,
    decoder,
    delta,
    frame,
    play,
    stop,
)

TEXT = (WIRE / "converse_stream_text.bin").read_bytes()
TOOL = (WIRE / "converse_stream_tool.bin").read_bytes()


def deltas(received: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [chunk["choices"][0]["delta"] for chunk in received if chunk["choices"]]


def reasons(received: list[dict[str, Any]]) -> list[str]:
    return [reason for chunk in received if chunk["choices"] and (reason := chunk["choices"][0]["finish_reason"])]


def test_a_text_comes_as_chunks_with_the_role_first_and_usage_last() -> None:
    received = play(TEXT, a_call(include_usage=True))

    assert [each.get("content") for each in deltas(received)] == ["", "Hel", "lo", None]
    assert deltas(received)[0]["role"] == "assistant"
    assert reasons(received) == ["stop"]
    assert received[-1]["usage"]["prompt_tokens"] == 5
    assert received[-1]["choices"] == []


def test_usage_is_known_though_the_client_did_not_ask_for_it() -> None:
    reading = decoder()

    reading.feed(TEXT)

    assert reading.usage == TokenUsage(input_tokens=5, output_tokens=2)
    assert reading.done


def test_a_tool_call_has_its_id_once_and_its_arguments_in_pieces() -> None:
    received = deltas(play(TOOL))

    calls = [call for each in received for call in each.get("tool_calls", ())]
    assert (calls[0]["id"], calls[0]["function"]["name"]) == ("tooluse_1", "f")
    assert "".join(call["function"]["arguments"] for call in calls) == '{"a":1}'
    assert reasons(play(TOOL)) == ["tool_calls"]


def test_a_tool_without_arguments_is_called_with_an_empty_object() -> None:
    start = frame("contentBlockStart", {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "t", "name": "f"}}})

    received = deltas(play(BEGIN + start + END_OF_BLOCK + stop("tool_use") + METADATA))

    assert "".join(call["function"]["arguments"] for each in received for call in each.get("tool_calls", ())) == "{}"


def test_thoughts_come_as_reasoning_and_whole_with_their_signature() -> None:
    thoughts = (
        delta(reasoningContent={"text": "Let me "})
        + delta(reasoningContent={"text": "see."})
        + delta(reasoningContent={"signature": "sig=="})
        + END_OF_BLOCK
        + delta(1, reasoningContent={"redactedContent": "c2VjcmV0"})
        + END_OF_BLOCK
    )

    received = deltas(play(BEGIN + thoughts + delta(2, text="Yes.") + END_OF_BLOCK + stop("end_turn") + METADATA))

    assert "".join(each.get("reasoning_content", "") for each in received) == "Let me see."
    assert [block for each in received for block in each.get("thinking_blocks", ())] == [
        {"type": "thinking", "thinking": "Let me see.", "signature": "sig=="},
        {"type": "redacted_thinking", "data": "c2VjcmV0"},
    ]


def test_citations_come_with_the_text_they_are_of() -> None:
    cited = delta(text="So.") + delta(citation={"title": "T", "location": {"web": {"url": "https://a.example"}}})

    received = deltas(play(BEGIN + cited + END_OF_BLOCK + stop("end_turn") + METADATA))

    assert [note["url_citation"] for each in received for note in each.get("annotations", ())] == [
        {"start_index": 0, "end_index": 3, "title": "T", "url": "https://a.example"}
    ]


def test_the_call_that_stands_for_a_schema_is_told_as_text() -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    start = frame(
        "contentBlockStart", {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "t", "name": "json_answer"}}}
    )
    stream = BEGIN + start + delta(toolUse={"input": '{"a":'}) + delta(toolUse={"input": "1}"}) + END_OF_BLOCK

    received = play(stream + stop("tool_use") + METADATA, a_call(NOVA, response_format=wanted))

    assert "".join(each.get("content") or "" for each in deltas(received)) == '{"a":1}'
    assert reasons(received) == ["stop"]


@pytest.mark.parametrize("name", STREAMS)
def test_any_split_gives_the_same(name: str) -> None:
    stream = (WIRE / name).read_bytes()
    call = a_call(include_usage=True)
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
        assert output == expected
        assert reading.done
        assert reading.usage == whole.usage


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_cut_at_any_byte_is_complete_only_between_its_stop_and_its_usage(name: str) -> None:
    """R-08."""
    stream = (WIRE / name).read_bytes()
    without_metadata = stream.index(b"metadata")
    complete = []

    for cut in range(len(stream)):
        reading = decoder()
        reading.feed(stream[:cut])
        reading.finish()
        if reading.failure is None:
            complete.append(cut)
        else:
            assert reading.failure.kind is FailureKind.TRUNCATED
            assert not reading.done

    assert len(complete) == 1
    assert 0 < without_metadata - complete[0] < 40  # the end of messageStop, exactly


def test_an_answer_whose_usage_was_lost_is_an_answer() -> None:
    """R-08."""
    reading = decoder()

    reading.feed(BEGIN + delta(text="hi") + END_OF_BLOCK + stop("end_turn"))
    reading.finish()

    assert reading.done
    assert reading.usage is None
    assert reading.output_text() == "hi"


@pytest.mark.parametrize("place", range(0, len(TEXT), 7))
def test_a_changed_bit_is_a_failure_and_never_an_answer(place: int) -> None:
    spoiled = bytearray(TEXT)
    spoiled[place] ^= 0x04
    reading = decoder()

    reading.feed(bytes(spoiled))
    reading.finish()

    assert reading.failure is not None
    assert not reading.done


def test_a_throttled_stream_is_a_rate_limit_in_its_words() -> None:
    reading = decoder()

    received = reading.feed((WIRE / "converse_stream_throttled_midway.bin").read_bytes())

    assert b'"Hel"' in received
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.RATE_LIMITED
    assert reading.failure.message == "Too many tokens, please wait before trying again."


@pytest.mark.parametrize(
    ("name", "payload", "kind"),
    [
        ("modelStreamErrorException", {"message": "m"}, FailureKind.SERVER_ERROR),
        ("internalServerException", {"message": "m"}, FailureKind.SERVER_ERROR),
        ("serviceUnavailableException", {"message": "m"}, FailureKind.OVERLOADED),
        ("modelTimeoutException", {"message": "m"}, FailureKind.SERVER_ERROR),
        ("validationException", {"message": "Input is too long for requested model."}, FailureKind.CONTEXT_LENGTH),
        ("validationException", {"message": "bad"}, FailureKind.CLIENT_FAULT),
        ("somethingNewException", {"message": "m"}, FailureKind.SERVER_ERROR),
    ],
)
def test_an_exception_in_the_stream_has_its_kind(name: str, payload: object, kind: FailureKind) -> None:
    reading = decoder()

    reading.feed(BEGIN + frame(name, payload, "exception"))

    assert reading.failure is not None
    assert reading.failure.kind is kind


def test_an_error_frame_is_a_failure() -> None:
    reading = decoder()

    reading.feed(frame("InternalFailure", {}, "error"))

    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.SERVER_ERROR


def test_a_spoiled_answer_is_a_failure() -> None:
    reading = decoder()

    reading.feed(BEGIN + delta(text="x") + stop("malformed_tool_use"))

    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.SERVER_ERROR


def test_a_message_without_end_is_given_up() -> None:
    """R-34."""
    reading = decoder()
    long = frame("contentBlockDelta", {"delta": {"text": "x" * (2 * MAX_EVENT_BYTES)}})

    for start in range(0, len(long), 65_536):
        reading.feed(long[start : start + 65_536])

    assert reading.failure is not None
    assert "longer" in reading.failure.message or "bytes" in reading.failure.message


@pytest.mark.parametrize(
    ("reason", "received"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
    ],
)
def test_each_stop_reason_has_openais_word(reason: str, received: str) -> None:
    assert reasons(play(BEGIN + delta(text="x") + stop(reason) + METADATA, a_call(CLAUDE))) == [received]


def test_events_to_come_and_padding_are_passed_over() -> None:
    received = play(BEGIN + frame("somethingNew", {"p": "abc"}) + delta(text="x") + stop("end_turn") + METADATA)

    assert [each.get("content") for each in deltas(received)] == ["", "x", None]
