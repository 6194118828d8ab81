"""A chat's chunks become a message's events: the grammar, whatever the chunks (R-08)."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from anthropic import Anthropic
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.ingress.messages.stream import MESSAGE_STOP, MessageEvents
from adapters.wire.signatures import unpack
from domain.errors import UpstreamFailure
from domain.usage import TokenUsage
from tests.unit.adapters.dialects.openai.samples import STREAMS, decoder, delta, event
from tests.unit.adapters.ingress.messages.samples import USAGE, reassembled, streamed

FAILING = {"errevent", "errmid", "errstr", "nofinish"}
WHOLE = [path for path in STREAMS if path.stem not in FAILING]


def translated(stream: bytes, size: int = 1 << 20) -> bytes:
    """An upstream's bytes as a message's: through the decoder every chat passes."""
    reading, events = decoder(), MessageEvents("asked-model")
    output = b""
    for start in range(0, len(stream), size):
        output += events.feed(reading.feed(stream[start : start + size]))
    output += events.feed(reading.finish())
    if reading.failure is not None:
        raise reading.failure
    return output + events.finish(reading.usage or TokenUsage()) + MESSAGE_STOP


def tool(index: int, arguments: str | None = None, **fields: object) -> bytes:
    function = {name: value for name, value in (("name", fields.pop("name", None)), ("arguments", arguments)) if value}
    return delta(tool_calls=[{"index": index, "function": function} | fields])


def kinds(message: dict[str, Any]) -> list[str]:
    return [block["type"] for block in message["content"]]


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.stem)
def test_every_recorded_stream_is_a_message(path: Path) -> None:
    message = reassembled(translated(path.read_bytes()))

    assert message["stop_reason"] in ("end_turn", "tool_use")
    assert message["content"]


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.stem)
def test_the_official_client_reads_every_recorded_stream(path: Path) -> None:
    body = translated(path.read_bytes())
    answer = httpx2.Response(200, content=body, headers={"content-type": "text/event-stream"})
    http = httpx2.Client(transport=httpx2.MockTransport(lambda request: answer))

    with (
        Anthropic(api_key="k", http_client=http, max_retries=0) as client,
        client.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}]) as stream,
    ):
        message = stream.get_final_message()

    received = json.loads(message.model_dump_json())
    assert [block["type"] for block in received["content"]] == kinds(reassembled(body))


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
@given(size=st.integers(1, 64))
@settings(max_examples=8, deadline=None)
def test_any_split_gives_the_same_message(path: Path, size: int) -> None:
    stream = path.read_bytes()
    if path.stem in FAILING:
        with pytest.raises(UpstreamFailure):
            translated(stream, size)
        return

    assert without_ids(translated(stream, size)) == without_ids(translated(stream))


def without_ids(stream: bytes) -> dict[str, Any]:
    """Ids that an upstream leaves out are made up."""
    message = reassembled(stream)
    for block in message["content"]:
        block.pop("id", None)
    return message | {"id": ""}


@pytest.mark.parametrize("name", ["ok", "toolrepeat", "reasoning", "usagelast"])
def test_a_cut_anywhere_is_never_a_whole_message(name: str) -> None:
    stream = next(path for path in STREAMS if path.stem == name).read_bytes()
    end = stream.index(b"[DONE]")
    finished = stream.index(b'"finish_reason": "')

    for place in range(0, min(finished, end)):
        with pytest.raises(UpstreamFailure):
            translated(stream[:place])


def test_blocks_open_when_their_content_comes() -> None:
    message = streamed(
        delta(role="assistant", content=""),
        delta(reasoning_content="hm"),
        delta(content="I "),
        delta(content="look."),
        tool(0, '{"a":', id="c1", name="look"),
        tool(0, "1}"),
        delta("tool_calls"),
    )

    assert kinds(message) == ["thinking", "text", "tool_use"]
    assert message["content"][0] == {"type": "thinking", "thinking": "hm", "signature": ""}
    assert message["content"][1]["text"] == "I look."
    assert message["content"][2] == {"type": "tool_use", "id": "c1", "name": "look", "input": {"a": 1}}
    assert (message["stop_reason"], message["id"], message["model"]) == ("tool_use", "msg_c1", "m")


def test_parallel_calls_that_interleave_come_one_after_the_other() -> None:
    message = streamed(
        tool(0, '{"a"', id="c0", name="first"),
        tool(1, '{"b":', id="c1", name="second"),
        tool(0, ":1}"),
        tool(2, "{}", id="c2", name="third"),
        tool(1, "2}"),
        delta("tool_calls"),
    )

    assert [(block["name"], block["input"]) for block in message["content"]] == [
        ("first", {"a": 1}),
        ("second", {"b": 2}),
        ("third", {}),
    ]


def test_a_whole_call_goes_out_when_the_next_begins() -> None:
    events = MessageEvents("m")
    first = events.feed(tool(0, "{}", id="c0", name="first"))
    second = events.feed(tool(1, '{"b":', id="c1", name="second"))

    assert b'"name":"first"' in first
    assert b"content_block_stop" in second
    assert b'"name":"second"' in second


def test_what_hangs_on_a_call_goes_before_it() -> None:
    extra = {"google": {"thought_signature": "sig=="}}

    message = streamed(tool(0, "{}", id="c", name="f", extra_content=extra), delta("tool_calls"))

    assert kinds(message) == ["redacted_thinking", "tool_use"]
    assert unpack(message["content"][0]["data"]) is not None


def test_a_call_without_arguments_takes_none() -> None:
    message = streamed(tool(0, "", id="c0", name="first"), tool(1, "{}", id="c1", name="second"), delta("tool_calls"))

    assert [block["input"] for block in message["content"]] == [{}, {}]


def test_text_after_a_call_is_a_block_of_its_own() -> None:
    message = streamed(delta(content="a"), tool(0, "{}", id="c", name="f"), delta(content="b"), delta("stop"))

    assert kinds(message) == ["text", "tool_use", "text"]


def test_a_call_that_goes_on_after_its_end_is_the_providers_failure() -> None:
    events = MessageEvents("m")
    events.feed(tool(0, "{}", id="c0", name="f") + tool(1, "{}", id="c1", name="g"))
    events.feed(tool(0, " "))

    with pytest.raises(UpstreamFailure):
        events.feed(tool(0, "{}"))


def test_anthropics_own_thoughts_keep_their_signatures() -> None:
    """Its text has come as reasoning; the signed block says the same again."""
    message = streamed(
        delta(reasoning_content="de"),
        delta(reasoning_content="ep"),
        delta(thinking_blocks=[{"type": "thinking", "thinking": "deep", "signature": "sig"}]),
        delta(thinking_blocks=[{"type": "redacted_thinking", "data": "abc"}]),
        delta(reasoning_content="more"),
        delta(thinking_blocks=[{"type": "thinking", "thinking": "more"}]),
        delta(content="So."),
        delta("stop"),
    )

    assert message["content"][:3] == [
        {"type": "thinking", "thinking": "deep", "signature": "sig"},
        {"type": "redacted_thinking", "data": "abc"},
        {"type": "thinking", "thinking": "more", "signature": ""},
    ]


def test_thoughts_that_come_as_blocks_alone_are_read_too() -> None:
    pieces = [{"type": "thinking", "thinking": "de"}, {"type": "thinking", "thinking": "ep", "signature": "s"}]
    message = streamed(*(delta(thinking_blocks=[piece]) for piece in pieces), delta("stop"))

    assert message["content"] == [{"type": "thinking", "thinking": "deep", "signature": "s"}]


@pytest.mark.parametrize(
    ("finish", "reason"), [("stop", "end_turn"), ("length", "max_tokens"), ("content_filter", "refusal")]
)
def test_stop_reasons(finish: str, reason: str) -> None:
    assert streamed(delta(content="a"), delta(finish))["stop_reason"] == reason


def test_a_refusal_is_said_and_explained() -> None:
    message = streamed(delta(refusal="N"), delta(refusal="o."), delta("stop"))

    assert message["content"][0]["text"] == "No."
    assert (message["stop_reason"], message["stop_details"]["explanation"]) == ("refusal", "No.")


def test_a_stop_sequence_that_was_hit_is_named() -> None:
    choice = {"index": 0, "delta": {}, "finish_reason": "stop", "stop_reason": "END"}

    message = streamed(delta(content="a"), event(choices=[choice]), stops=("END",))

    assert (message["stop_reason"], message["stop_sequence"]) == ("stop_sequence", "END")


def test_usage_stands_in_the_last_delta() -> None:
    usage = streamed(delta(content="a"), delta("stop"), usage=TokenUsage(9, 4, cache_read_tokens=2))["usage"]

    assert (usage["input_tokens"], usage["cache_read_input_tokens"], usage["output_tokens"]) == (7, 2, 4)


def test_only_the_first_choice_is_told() -> None:
    message = streamed(delta(content="a"), delta(None, 1, content="b"), delta("stop"))

    assert [block["text"] for block in message["content"]] == ["a"]


def test_an_answer_of_nothing_is_a_message_all_the_same() -> None:
    assert reassembled(MessageEvents("m").finish(USAGE) + MESSAGE_STOP)["content"] == []


def test_what_is_no_chunk_is_the_providers_failure() -> None:
    with pytest.raises(UpstreamFailure):
        MessageEvents("m").feed(b'data: {"choices":\n\n')
