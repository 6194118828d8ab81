"""Streams of the Messages API passed on to a client that speaks it: bytes are kept, and read along."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.failover import FailureKind
from tests.unit.adapters.dialects.anthropic.samples import (
    STREAMS,
    block,
    end,
    event,
    native_decoder,
    sample,
    start,
    text,
    tool,
)
from tests.unit.adapters.dialects.anthropic.test_stream import EXPECTED, FAILURES

MENDED = ("idxgap", "noblockstart", "nodelta", "nostart", "nousagedelta")
"""Recordings in an order that SDKs cannot follow."""
STOP = b'event: message_stop\ndata: {"type": "message_stop"}\n\n'


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
    received = [json.loads(event.partition(b"data: ")[2]) for event in (output + reading.ending).split(b"\n\n")[:-1]]
    head = received[0].pop("message")
    assert (head["content"], head["usage"]["input_tokens"]) == ([], 0 if name == "nostart" else 5)
    assert received == [
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

    received = [json.loads(event.partition(b"data: ")[2]) for event in (output + reading.ending).split(b"\n\n")[:-1]]
    assert [(event["type"], event.get("index")) for event in received] == [
        ("message_start", None),
        ("content_block_start", 0),
        ("content_block_stop", 0),
        ("content_block_start", 1),
        ("content_block_stop", 1),
        ("message_delta", None),
        ("message_stop", None),
    ]
    assert received[-2]["delta"]["stop_reason"] == "tool_use"


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


def test_bytes_that_are_no_text_cost_a_character_and_not_the_stream() -> None:
    decoder = native_decoder()
    decoder.feed(start())

    received = decoder.feed(b'event: message_delta\ndata: {"type": "message_delta", "us\xf6ge": 1, "delta": {}}\n\n')

    assert decoder.failure is None
    assert "us\ufffdge" in received.decode()
