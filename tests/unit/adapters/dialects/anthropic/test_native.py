"""Requests of the Messages API passed on to an upstream that speaks it: bytes are kept, and read along."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.dialects.anthropic.messages import AnthropicMessages
from adapters.dialects.anthropic.params import MESSAGES_FIDELITY
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.inference import GATEWAY_FIELDS
from domain.messages import MessagesRequest
from domain.usage import TokenUsage
from tests.unit.adapters.dialects.anthropic.samples import (
    BEDROCK,
    NATIVE,
    STREAMS,
    VERTEX,
    Fields,
    block,
    end,
    event,
    messages_call,
    native_decoder,
    sample,
    start,
    text,
    tool,
)
from tests.unit.adapters.dialects.anthropic.test_response import TEXT, a_message
from tests.unit.adapters.dialects.anthropic.test_stream import EXPECTED, FAILURES

DIALECT = AnthropicMessages(NATIVE)
MENDED = ("idxgap", "noblockstart", "nodelta", "nostart", "nousagedelta")
"""Recordings in an order that SDKs cannot follow."""

STOP = b'event: message_stop\ndata: {"type": "message_stop"}\n\n'


def test_a_request_keeps_its_bytes_but_for_the_model() -> None:
    fields = (
        b'"max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"h\\u00e9 \\/", '
        b'"cache_control" : {"type":"ephemeral","ttl":"1h"}}]}],"context_management":{"edits":[ ]},"container":"c_1"'
    )
    call = messages_call(b'{"model":"alias",' + fields + b',"stream":true,"models":["x"]}')

    made = DIALECT.encode(call, stream=True)

    assert made.body == b'{"model":"claude-opus-5",' + fields + b',"stream":true}'
    assert made.dropped == ()


def test_every_field_of_the_request_is_honored() -> None:
    fields = {*MessagesRequest.__struct_fields__} - GATEWAY_FIELDS - {"model", "messages", "max_tokens"}

    assert fields == MESSAGES_FIDELITY.keys()
    assert {cell.support for cell in MESSAGES_FIDELITY.values()} == {"honored"}


def test_the_clients_version_and_betas_go_along_and_nothing_else() -> None:
    """S-24."""
    headers = [("anthropic-version", "2026-10-21"), ("anthropic-beta", "a-1,b-2"), ("cookie", "c")]

    assert DIALECT.encode(messages_call(), stream=False).headers == (("anthropic-version", "2023-06-01"),)
    assert DIALECT.encode(
        messages_call(b'{"model":"m","messages":[{"role":"user","content":"a"}]}', *headers), stream=False
    ).headers == (
        ("anthropic-version", "2026-10-21"),
        ("anthropic-beta", "a-1,b-2"),
    )


@pytest.mark.parametrize(("place", "streams"), [(VERTEX, True), (BEDROCK, False)], ids=["vertex", "bedrock"])
def test_other_clouds_have_version_and_betas_in_the_body(place: object, streams: bool) -> None:
    assert isinstance(place, type(VERTEX))
    body = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}]}'
    call = messages_call(body, ("anthropic-version", "2026-10-21"), ("anthropic-beta", "a-1, b-2"))

    made = AnthropicMessages(place).encode(call, stream=True)

    told = json.loads(made.body)
    assert (told["anthropic_version"], told["anthropic_beta"]) == (place.body_version, ["a-1", "b-2"])
    assert "model" not in told
    assert told.get("stream", False) is streams
    assert made.headers == ()


def test_a_body_chooses_no_destination() -> None:
    """S-07."""
    body = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}],"api_base":"https://evil.example"}'

    made = DIALECT.encode(messages_call(body), stream=False)

    assert b"evil" not in made.body
    assert made.dropped == ("api_base",)
    with pytest.raises(UpstreamFailure):
        DIALECT.encode(messages_call(body, strict=True), stream=False)


def test_an_answer_is_passed_on_as_the_bytes_it_came() -> None:
    body = json.dumps(a_message(TEXT, {"type": "brand_new", "x": 1}), indent=2).encode()

    answer = DIALECT.read(body, messages_call(), "application/json")

    assert answer.body is body
    assert answer.model == "claude-served"
    assert answer.usage == TokenUsage(125, 7, cache_read_tokens=100, cache_write_tokens=20, reasoning_tokens=3)


def test_an_answer_without_usage_is_estimated_from_its_blocks() -> None:
    """R-22."""
    blocks: list[Fields] = [
        TEXT,
        {"type": "thinking", "thinking": "hm"},
        {"type": "tool_use", "input": {"a": 1}},
        {"type": "x"},
    ]

    answer = DIALECT.read(json.dumps(a_message(*blocks, usage=None)).encode(), messages_call(), "application/json")

    assert (answer.usage, answer.output_text) == (None, 'hi\nhm\n{"a": 1}')


@pytest.mark.parametrize("name", sorted(EXPECTED.keys() - {*MENDED}))
def test_a_recorded_stream_passes_as_the_bytes_it_came(name: str) -> None:
    """R-08: the parser only observes; held back is the last event alone."""
    stream = sample(f"{name}.sse")
    reading = native_decoder()

    output = reading.feed(stream) + reading.finish()

    assert reading.done
    assert reading.failure is None
    assert reading.ending == STOP
    if name == "noeventnames":
        assert output + reading.ending == sample("ok.sse")
    else:
        assert output + reading.ending == stream.removesuffix(b"data: [DONE]\n\n")
    assert reading.usage == EXPECTED[name][1]
    assert reading.has_content
    assert reading.model == "m"


@pytest.mark.parametrize("name", MENDED)
def test_a_stream_that_sdks_cannot_follow_is_put_in_order(name: str) -> None:
    """P-35."""
    reading = native_decoder()

    output = reading.feed(sample(f"{name}.sse")) + reading.finish()

    usage = {"output_tokens": {"nodelta": 1, "nousagedelta": 1}.get(name, 7)}
    told = [json.loads(event.partition(b"data: ")[2]) for event in (output + reading.ending).split(b"\n\n")[:-1]]
    head = told[0].pop("message")
    assert (head["content"], head["usage"]["input_tokens"]) == ([], 0 if name == "nostart" else 5)
    assert told == [
        {"type": "message_start"},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "A"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": usage},
        {"type": "message_stop"},
    ]
    assert reading.ending.endswith(STOP)
    assert (reading.done, reading.usage) == (True, EXPECTED[name][1])
    assert reading.model == ("m" if name != "nostart" else "claude-opus-5")


def test_blocks_that_nobody_closed_are_closed_and_input_without_its_call_is_left_out() -> None:
    """P-35."""
    lost = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":3,"delta":{"type":'
    lost += b'"input_json_delta","partial_json":"{"}}\n\n'
    stray = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":3}\n\n'
    first = event("content_block_start", index=0, content_block={"type": "text", "text": "A"})
    second = event("content_block_start", index=1, content_block={"type": "tool_use", "id": "t", "name": "f"})
    reading = native_decoder()

    output = reading.feed(start() + lost + stray + first + second + STOP)

    told = [json.loads(event.partition(b"data: ")[2]) for event in (output + reading.ending).split(b"\n\n")[:-1]]
    assert [(event["type"], event.get("index")) for event in told] == [
        ("message_start", None),
        ("content_block_start", 0),
        ("content_block_stop", 0),
        ("content_block_start", 1),
        ("content_block_stop", 1),
        ("message_delta", None),
        ("message_stop", None),
    ]
    assert told[-2]["delta"]["stop_reason"] == "tool_use"


def test_a_start_without_usage_gets_one() -> None:
    """P-35: SDKs add the counts of the end to those of the start."""
    begun = b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","content":[]}}\n\n'

    output = native_decoder().feed(begun)

    assert json.loads(output.partition(b"data: ")[2])["message"] == {
        "id": "msg_1",
        "content": [],
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }


@pytest.mark.parametrize("name", FAILURES)
def test_a_recorded_failure_is_one(name: str) -> None:
    """R-07, R-08."""
    reading = native_decoder()

    output = reading.feed(sample(f"{name}.sse")) + reading.finish()

    assert b"message_stop" not in output
    assert b"event: error" not in output
    assert reading.ending == b""
    assert reading.failure is not None
    assert (reading.failure.kind, reading.failure.message) == FAILURES[name]


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_any_split_gives_the_same_output(path: Path, data: st.DataObject) -> None:
    stream = path.read_bytes()
    whole = native_decoder()
    expected = whole.feed(stream) + whole.finish()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    bounds = [0, *cuts, len(stream)]

    reading = native_decoder()
    output = b"".join(reading.feed(stream[a:b]) for a, b in pairwise(bounds)) + reading.finish()

    made = re.compile(rb"msg_[0-9a-f]{24}")
    assert (made.sub(b"", output), reading.ending) == (made.sub(b"", expected), whole.ending)
    assert str(reading.failure) == str(whole.failure)
    assert (reading.usage, reading.output_bytes, reading.model) == (whole.usage, whole.output_bytes, whole.model)


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_a_stream_cut_at_any_byte_is_never_complete(path: Path) -> None:
    """R-08."""
    stream = path.read_bytes()
    last = stream.find(b'{"type": "message_stop"}\n\n')
    ends = len(stream) + 1 if last < 0 else last + len(b'{"type": "message_stop"}\n\n')
    for cut in range(len(stream)):
        reading = native_decoder()
        reading.feed(stream[:cut])
        reading.finish()
        assert reading.done is (cut >= ends)
        assert (reading.failure is None) is reading.done


def test_the_beginning_alone_is_no_content() -> None:
    """R-07: one `message_start` is all that goes by before another provider may answer."""
    reading = native_decoder()
    begun = event("content_block_start", index=0, content_block={"type": "text", "text": ""})

    passed = reading.feed(start() + begun + event("ping"))

    assert passed == start() + begun + event("ping")
    assert not reading.has_content
    reading.feed(event("error", error={"type": "overloaded_error", "message": "Overloaded"}))
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.OVERLOADED
    assert reading.failure.type == "overloaded_error"


@pytest.mark.parametrize(
    "content",
    [
        text("hi"),
        tool("f"),
        block(0, {"type": "thinking", "thinking": ""}, {"type": "thinking_delta", "thinking": "t"}),
    ],
    ids=["text", "tool", "thinking"],
)
def test_content_is_noticed_whatever_its_kind(content: bytes) -> None:
    reading = native_decoder()
    reading.feed(start() + content)

    assert reading.has_content
    assert reading.output_bytes > 0
    assert reading.usage is None


def test_what_was_said_is_kept_for_an_estimate() -> None:
    """R-22."""
    reading = native_decoder()
    reading.feed(start() + text("hé") + tool("f", '{"a":', "1}", index=1))

    assert (reading.output_text(), reading.output_bytes) == ('héf{"a":1}', 11)


def test_comments_and_pings_keep_the_client_awake() -> None:
    pings = b": hello\n\n" + event("ping") + b"event: ping\ndata: now\n\n"

    assert native_decoder().feed(pings) == pings


@pytest.mark.parametrize("bad", [b"data: {oops\n\n", event("message_stop"), b"data: " + b"x" * 1_100_000])
def test_what_is_no_stream_of_a_message_is_a_failure(bad: bytes) -> None:
    reading = native_decoder()

    reading.feed(bad)

    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.SERVER_ERROR
    assert reading.feed(end()) == reading.finish() == b""


def test_refusals_keep_the_words_that_claude_code_goes_by() -> None:
    message = 'thinking.type "enabled" is not supported for this model. Use "thinking.type.adaptive".'
    body = json.dumps({"type": "error", "error": {"type": "invalid_request_error", "message": message}}).encode()

    failure = DIALECT.failure(400, (), body, messages_call())

    assert (failure.kind, failure.message, failure.type) == (FailureKind.CLIENT_FAULT, message, "invalid_request_error")


def test_an_event_that_cannot_be_mended_is_a_failure_and_raises_nothing() -> None:
    decoder = native_decoder()
    decoder.feed(start())

    told = decoder.feed(b'event: message_delta\ndata: {"type": "message_delta", "us\xf6ge": 1, "delta": {}}\n\n')

    assert told == b""
    assert decoder.failure is not None
    assert decoder.failure.kind is FailureKind.SERVER_ERROR
    assert decoder.failure.code == "invalid_response"
