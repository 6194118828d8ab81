"""Streams of the Messages API as chunks: every recorded oddity, any split, and cuts at every byte."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.wire.sse import MAX_EVENT_BYTES
from domain.failover import FailureKind
from domain.usage import TokenUsage
from tests.unit.adapters.dialects.anthropic.samples import (
    STREAMS,
    Fields,
    assembled,
    block,
    chat_call,
    chunks,
    decoder,
    end,
    event,
    play,
    sample,
    start,
    text,
    tool,
    validator,
)

USAGE = TokenUsage(input_tokens=5, output_tokens=7)
SAID_A = {"content": "A", "finish_reason": "stop"}
TOOL = {"finish_reason": "tool_calls"}
EXPECTED: dict[str, tuple[Fields, TokenUsage | None]] = {
    "comment": (SAID_A, USAGE),
    "done": (SAID_A, USAGE),
    "idxgap": (SAID_A, USAGE),
    "noblockstart": (SAID_A, USAGE),
    "nodelta": (SAID_A, None),
    "noeventnames": (SAID_A, USAGE),
    "nostart": (SAID_A, None),
    "nousagedelta": (SAID_A, None),
    "ok": (SAID_A, USAGE),
    "thinking": (
        SAID_A
        | {
            "reasoning_content": "t",
            "thinking_blocks": [{"type": "thinking", "thinking": "t", "signature": "s"}],
        },
        USAGE,
    ),
    "thinknosig": (SAID_A | {"reasoning_content": "t"}, USAGE),
    "tool": (TOOL | {"tools": [["toolu_1", "f", '{"a":1}']]}, USAGE),
    "toolbadjson": ({"tools": [["toolu_1", "f", '{"a":']], "finish_reason": "length"}, USAGE),
    "toolempty": (TOOL | {"tools": [["toolu_1", "f", "{}"]]}, USAGE),
    "unknownevent": (SAID_A, USAGE),
    "usageonlyatend": (SAID_A, TokenUsage(input_tokens=64, output_tokens=7, cache_read_tokens=9)),
}
FAILURES = {
    "error": (FailureKind.OVERLOADED, "Overloaded"),
    "error_oai": (FailureKind.SERVER_ERROR, "x"),
    "nostop": (FailureKind.TRUNCATED, "The provider's stream ended before its answer was complete."),
}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}


def test_every_recorded_stream_is_expected_here() -> None:
    assert {path.stem for path in STREAMS} == EXPECTED.keys() | FAILURES.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recorded_stream_is_put_together(name: str) -> None:
    reading = decoder()

    found = chunks(reading.feed(sample(f"{name}.sse")) + reading.finish())

    message, usage = EXPECTED[name]
    assert assembled(found) == message
    assert (reading.done, reading.failure, reading.usage) == (True, None, usage)
    assert found[0]["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    received = [chunk["usage"] for chunk in found if chunk["usage"]]
    assert [part["total_tokens"] for part in received] == ([usage.input_tokens + usage.output_tokens] if usage else [])


@pytest.mark.parametrize("name", FAILURES)
def test_a_recorded_failure_is_one(name: str) -> None:
    """R-07, R-08."""
    reading = decoder()

    found = chunks(reading.feed(sample(f"{name}.sse")) + reading.finish())

    assert assembled(found) == {"content": "A"}
    assert reading.failure is not None
    assert not reading.done
    assert (reading.failure.kind, reading.failure.message) == FAILURES[name]


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_any_split_gives_the_same_output(path: Path, data: st.DataObject) -> None:
    stream = path.read_bytes()
    whole = decoder(call := chat_call(include_usage=True))
    expected = whole.feed(stream) + whole.finish()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    bounds = [0, *cuts, len(stream)]

    reading = decoder(call)
    output = b"".join(reading.feed(stream[a:b]) for a, b in pairwise(bounds)) + reading.finish()

    assert output == expected
    assert str(reading.failure) == str(whole.failure)
    assert (reading.usage, reading.output_bytes, reading.model) == (whole.usage, whole.output_bytes, whole.model)


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_a_stream_cut_at_any_byte_is_never_complete(path: Path) -> None:
    """R-08: the answer ends with the blank line after `message_stop`, and nowhere before it."""
    stream = path.read_bytes()
    last = stream.find(b'{"type": "message_stop"}\n\n')
    ends = len(stream) + 1 if last < 0 else last + len(b'{"type": "message_stop"}\n\n')
    for cut in range(len(stream)):
        reading = decoder()
        reading.feed(stream[:cut])
        reading.finish()
        assert reading.done is (cut >= ends)
        assert (reading.failure is None) is reading.done


def test_crlf_and_a_byte_order_mark_change_nothing() -> None:
    stream = sample("tool.sse")
    call = chat_call()

    whole, odd = decoder(call), decoder(call)

    assert odd.feed(b"\xef\xbb\xbf" + stream.replace(b"\n", b"\r\n")) == whole.feed(stream)
    assert odd.done


def test_the_answers_id_and_model_are_the_providers() -> None:
    found = play(start() + text("hi") + end())

    assert {(chunk["id"], chunk["model"]) for chunk in found} == {("msg_1", "claude-served")}


def test_usage_is_told_only_if_it_was_asked_for() -> None:
    """R-22."""
    reading = decoder(chat_call())

    found = chunks(reading.feed(sample("ok.sse")))

    assert not any("usage" in chunk for chunk in found)
    assert reading.usage == USAGE


def test_usage_counts_what_the_cache_gave_and_took() -> None:
    kept = {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 15}
    stream = start(cache_read_input_tokens=100, cache_creation_input_tokens=20, cache_creation=kept) + text("hi")
    stream += event(
        "message_delta",
        delta={"stop_reason": "end_turn"},
        usage={"output_tokens": 30, "output_tokens_details": {"thinking_tokens": 11}},
    )

    found = play(stream + event("message_stop"))

    assert found[-1]["usage"] == {
        "prompt_tokens": 125,
        "completion_tokens": 30,
        "total_tokens": 155,
        "prompt_tokens_details": {
            "cached_tokens": 100,
            "cache_write_tokens": 20,
            "audio_tokens": 0,
            "cache_creation_token_details": kept,
        },
        "completion_tokens_details": {"reasoning_tokens": 11, "audio_tokens": 0},
    }


@pytest.mark.parametrize(
    ("later", "for_an_hour"),
    [
        ({}, 15),
        ({"cache_creation_input_tokens": 20}, 15),
        ({"cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}}, 15),
        ({"cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 18}}, 18),
        ({"cache_creation_input_tokens": 9}, 9),
        ({"cache_creation": None}, 15),
    ],
)
def test_what_is_cached_for_an_hour_is_counted_apart(later: Fields, for_an_hour: int) -> None:
    kept = {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 15}
    reading = decoder()

    reading.feed(start(cache_creation_input_tokens=20, cache_creation=kept) + text("hi"))
    reading.feed(event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 30} | later))
    reading.feed(event("message_stop"))

    assert reading.usage is not None
    assert reading.usage.cache_write_1h_tokens == for_an_hour
    assert reading.usage.cache_write_tokens == later.get("cache_creation_input_tokens", 20)


def test_until_the_end_usage_is_not_known() -> None:
    """R-02: a stream given up midway is estimated, not booked with the one token of its beginning."""
    reading = decoder()
    reading.feed(start() + text("hello there"))

    assert reading.usage is None
    assert (reading.output_text(), reading.output_bytes) == ("hello there", 11)


def test_parallel_calls_are_numbered_by_themselves_not_by_blocks() -> None:
    stream = start() + text("Looking.") + tool("f", "", '{"a"', ":1}", index=1) + tool("g", index=2) + end("tool_use")

    found = play(stream)

    calls = [
        call for chunk in found for received in chunk["choices"] for call in received["delta"].get("tool_calls") or []
    ]
    assert [call["index"] for call in calls] == [0, 0, 0, 1, 1]
    assert assembled(found)["tools"] == [["toolu_f", "f", '{"a":1}'], ["toolu_g", "g", "{}"]]
    assert all(call["function"]["arguments"] for call in calls if "id" not in call)


def test_an_input_told_at_the_beginning_is_kept() -> None:
    whole = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}

    assert assembled(play(start() + block(0, whole) + end("tool_use")))["tools"] == [["t", "f", '{"a": 1}']]


def test_a_block_that_never_stops_ends_with_the_next_one() -> None:
    begin = event("content_block_start", index=0, content_block={"type": "tool_use", "id": "t", "name": "f"})

    message = assembled(play(start() + begin + text("hi", 1) + end("tool_use")))

    assert message == {"tools": [["t", "f", "{}"]], "content": "hi", "finish_reason": "tool_calls"}


def test_thoughts_keep_what_the_next_turn_needs() -> None:
    thought = block(
        0,
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "thinking_delta", "thinking": "a"},
        {"type": "thinking_delta", "thinking": "b"},
        {"type": "signature_delta", "signature": "c2"},
        {"type": "signature_delta", "signature": "ln"},
    )
    hidden = block(1, {"type": "thinking", "thinking": ""}, {"type": "signature_delta", "signature": "eA"})
    redacted = block(2, {"type": "redacted_thinking", "data": "eHh4"})

    message = assembled(play(start() + thought + hidden + redacted + text("hi", 3) + end()))

    assert message["reasoning_content"] == "ab"
    assert message["thinking_blocks"] == [
        {"type": "thinking", "thinking": "ab", "signature": "c2ln"},
        {"type": "thinking", "thinking": "", "signature": "eA"},
        {"type": "redacted_thinking", "data": "eHh4"},
    ]


def test_a_search_leaves_text_and_its_sources() -> None:
    search = block(
        0,
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "input_json_delta", "partial_json": '{"query": "x"}'},
    )
    results = block(1, {"type": "web_search_tool_result", "tool_use_id": "s", "content": []})
    cited = block(
        3,
        {"type": "text", "text": "", "citations": []},
        {"type": "text_delta", "text": "Snow."},
        {
            "type": "citations_delta",
            "citation": {"type": "web_search_result_location", "url": "https://a.example", "title": "A"},
        },
        {"type": "citations_delta", "citation": {"type": "page_location", "document_title": "B"}},
    )

    message = assembled(play(start() + search + results + text("So: ", 2) + cited + end()))

    source = {"start_index": 4, "end_index": 9, "title": "A", "url": "https://a.example"}
    assert message == {
        "content": "So: Snow.",
        "annotations": [{"type": "url_citation", "url_citation": source}],
        "finish_reason": "stop",
    }


def test_a_forced_answer_is_streamed_as_content() -> None:
    call = chat_call("claude-3-5-haiku-20241022", response_format=FORMAT)

    message = assembled(play(start() + tool("answer_in_json", '{"a":', " 1}") + end("tool_use"), call))

    assert message == {"content": '{"a": 1}', "finish_reason": "stop"}


def test_a_forced_answer_without_input_is_an_empty_object() -> None:
    call = chat_call("claude-3-5-haiku-20241022", response_format=FORMAT)

    assert assembled(play(start() + tool("answer_in_json") + end("tool_use"), call))["content"] == "{}"


@pytest.mark.parametrize(
    ("stop_reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "stop"),
        ("refusal", "content_filter"),
        (None, "stop"),
    ],
)
def test_stop_reasons_become_openais(stop_reason: str | None, finish: str) -> None:
    assert assembled(play(start() + text("hi") + end(stop_reason)))["finish_reason"] == finish


def test_an_unknown_stop_reason_is_stop_with_a_log(caplog: pytest.LogCaptureFixture) -> None:
    assert assembled(play(start() + text("hi") + end("tired")))["finish_reason"] == "stop"
    assert "unknown stop reason" in caplog.text


def test_a_refusal_says_why() -> None:
    details = {"type": "refusal", "category": "x", "explanation": "I would rather not."}

    message = assembled(play(start() + end("refusal", stop_details=details)))

    assert message == {"refusal": "I would rather not.", "finish_reason": "content_filter"}


def test_pings_of_any_kind_are_no_content() -> None:
    pings = b': hello\n\nevent: ping\ndata: {"type": "ping"}\n\nevent: ping\ndata: now\n\ndata:\n\n'
    reading = decoder()

    assert reading.feed(pings) == b""
    assert not reading.has_content
    assert assembled(play(pings + start() + pings + text("hi") + pings + end()))["content"] == "hi"


def test_the_beginning_alone_is_no_content() -> None:
    """R-07: another provider may still answer."""
    reading = decoder()
    begun = event("content_block_start", index=0, content_block={"type": "text", "text": ""})

    reading.feed(start() + begun + event("ping"))

    assert not reading.has_content
    reading.feed(event("error", error={"type": "overloaded_error", "message": "Overloaded"}))
    assert reading.failure is not None


@pytest.mark.parametrize(
    "bad",
    [
        b"event: message_start\ndata: {oops\n\n",
        b"data: 5\n\n",
        b"data: \xff\n\n",
        b"data: [" + b"[" * 5000 + b"\n\n",
        event("message_stop"),
        event("error"),
        b"data: " + b"x" * (MAX_EVENT_BYTES + 1),
    ],
    ids=["cut", "odd type", "no utf-8", "nested", "nothing but an end", "no words", "too large"],
)
def test_what_is_no_stream_of_a_message_is_a_failure(bad: bytes) -> None:
    reading = decoder()

    reading.feed(bad)

    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.SERVER_ERROR
    assert reading.feed(text("more")) == reading.finish() == b""


def test_an_error_keeps_the_key_to_itself() -> None:
    """S-21."""
    reading = decoder()

    reading.feed(event("error", error={"type": "api_error", "message": "no sk-ant-canary-0123456789"}))

    assert reading.failure is not None
    assert reading.failure.message == "no ***"


def test_the_recorded_events_are_those_of_the_sdks_types() -> None:
    for line in sample("ok.sse").splitlines():
        if line.startswith(b"data: "):
            validator("anthropic.messages.stream_event").validate(json.loads(line[6:]))
