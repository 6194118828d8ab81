"""Cohere's events as OpenAI's chunks: whole, cut everywhere, and broken off."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from adapters.dialects.cohere.chat import CohereChat
from adapters.dialects.cohere.stream import CohereStreamDecoder
from adapters.wire.call import DialectCall
from adapters.wire.sse import MAX_EVENT_BYTES
from domain.chat import ChatRequest
from domain.failover import FailureKind
from domain.usage import TokenUsage
from tests.unit.adapters.dialects.cohere.samples import STREAMS, WIRE, a_call
from tests.unit.adapters.dialects.openai.samples import chunks


def decoder(call: DialectCall[ChatRequest] | None = None) -> CohereStreamDecoder:
    return CohereChat().decoder(call or a_call(), "text/event-stream")


def play(name: str, call: DialectCall[ChatRequest] | None = None) -> list[dict[str, Any]]:
    reading = decoder(call)
    output = reading.feed((WIRE / name).read_bytes()) + reading.finish()
    assert reading.failure is None
    assert reading.done
    return chunks(output)


def deltas(received: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [chunk["choices"][0]["delta"] for chunk in received if chunk["choices"]]


def event(kind: str, **delta: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, 'delta': delta})}\n\n".encode()


def test_a_text_has_its_citations_its_reason_and_what_is_billed() -> None:
    received = play("text.sse", a_call(include_usage=True))

    assert "".join(each.get("content") or "" for each in deltas(received)) == "Hellö"
    assert [note["url_citation"]["title"] for each in deltas(received) for note in each.get("annotations", ())] == [
        "Greetings"
    ]
    assert received[-2]["choices"][0]["finish_reason"] == "stop"
    assert received[-1]["usage"]["prompt_tokens"] == 4
    assert received[-1]["usage"]["prompt_tokens_details"]["cached_tokens"] == 3
    assert received[0]["id"] == "29f14a5a"


def test_calls_come_in_order_with_their_plan_as_reasoning() -> None:
    received = deltas(play("tools.sse"))

    calls = [call for each in received for call in each.get("tool_calls", ())]
    assert "".join(each.get("reasoning_content", "") for each in received) == "I will look."
    assert [(call["index"], call["id"]) for call in calls if "id" in call] == [(0, "f_1"), (1, "g_1")]
    assert "".join(call["function"]["arguments"] for call in calls if call["index"] == 0) == '{"a":1}'
    assert "".join(call["function"]["arguments"] for call in calls if call["index"] == 1) == "{}"


def test_thoughts_come_as_reasoning() -> None:
    received = play("thinking.sse")

    assert "".join(each.get("reasoning_content", "") for each in deltas(received)) == "Hm."
    assert "".join(each.get("content") or "" for each in deltas(received)) == "Yes."
    assert received[-1]["choices"][0]["finish_reason"] == "length"


def test_what_was_read_and_written_counts_where_nothing_is_billed() -> None:
    reading = decoder()

    reading.feed((WIRE / "thinking.sse").read_bytes())

    assert reading.usage == TokenUsage(3, 5)


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
def test_a_stream_cut_at_any_byte_before_its_end_is_never_complete(path: Path) -> None:
    """R-08."""
    stream = path.read_bytes()
    end = stream.index(b"\n\n", stream.index(b"event: message-end")) + 2

    for cut in range(end):
        reading = decoder()
        reading.feed(stream[:cut])
        reading.finish()
        assert not reading.done
        assert reading.failure is not None
        assert reading.failure.kind is FailureKind.TRUNCATED


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        (event("message-end", finish_reason="ERROR", error="broken"), FailureKind.SERVER_ERROR),
        (event("message-end", finish_reason="TIMEOUT"), FailureKind.SERVER_ERROR),
        (b'data: {"message":"trial key limit","id":"x"}\n\n', FailureKind.SERVER_ERROR),
        (b"event: content-delta\ndata: {broken\n\n", FailureKind.SERVER_ERROR),
        (b"data: " + b"x" * (MAX_EVENT_BYTES + 10), FailureKind.SERVER_ERROR),
    ],
)
def test_what_breaks_off_is_a_failure(stream: bytes, kind: FailureKind) -> None:
    reading = decoder()

    reading.feed(event("message-start") + stream)

    assert reading.failure is not None
    assert reading.failure.kind is kind
    assert not reading.done


def test_events_to_come_are_passed_over() -> None:
    reading = decoder()

    received = reading.feed(event("message-start") + event("debug") + event("something-new") + event("message-end"))

    assert reading.done
    assert len(chunks(received)) == 2
