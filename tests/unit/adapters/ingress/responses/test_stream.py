"""Chat's streams as response events: OpenAI's order whatever comes, and complete only where chat was (R-08)."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.wire.signatures import unseal
from tests.unit.adapters.ingress.responses.grammar import Json, follow, read
from tests.unit.adapters.ingress.responses.samples import (
    STREAMS,
    USAGE,
    OverChat,
    call,
    delta,
    event,
    play,
    whole,
)

STOP = delta("stop")
BROKEN = {"nofinish", "errmid", "errevent", "errstr"}
"""Samples of streams that break off or tell of an error: all others are complete."""


def types(stream: bytes) -> list[str]:
    return [item["type"].removeprefix("response.") for item in read(stream)]


def test_text_has_exactly_openais_events() -> None:
    stream = play(delta(role="assistant", content=""), delta(content="A"), delta(content="B"), STOP)

    assert types(stream) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    response = follow(stream)
    assert response["output"][0]["content"] == [
        {"type": "output_text", "text": "AB", "annotations": [], "logprobs": []}
    ]
    assert response["usage"] == {
        "input_tokens": 7,
        "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 1},
        "output_tokens": 3,
        "output_tokens_details": {"reasoning_tokens": 1},
        "total_tokens": 10,
    }


def test_a_function_call_has_exactly_openais_events() -> None:
    stream = play(
        call(0, id="call_1", type="function", function={"name": "f", "arguments": ""}),
        call(0, function={"arguments": '{"a"'}),
        call(0, function={"arguments": ":1}"}),
        delta("tool_calls"),
    )

    assert types(stream)[2:-1] == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ]
    [item] = follow(stream)["output"]
    assert (item["call_id"], item["name"], item["arguments"]) == ("call_1", "f", '{"a":1}')
    assert item["id"].startswith("fc_")


def test_thoughts_are_a_summary_before_the_text() -> None:
    stream = play(delta(reasoning_content="hm"), delta(reasoning="hm2"), delta(content="A"), STOP)

    assert types(stream)[2:9] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    thought, said = follow(stream)["output"]
    assert thought["summary"] == [{"type": "summary_text", "text": "hmhm2"}]
    assert said["type"] == "message"


def test_a_refusal_is_a_part_of_its_own() -> None:
    stream = play(delta(content="Well. "), delta(refusal="No"), delta(refusal="pe."), STOP)

    assert "refusal.delta" in types(stream)
    [message] = follow(stream)["output"]
    assert [part["type"] for part in message["content"]] == ["output_text", "refusal"]
    assert message["content"][1]["refusal"] == "Nope."


def test_text_thoughts_and_calls_may_alternate() -> None:
    stream = play(
        delta(reasoning_content="a"),
        delta(content="b"),
        delta(reasoning_content="c"),
        call(0, id="call_1", function={"name": "f", "arguments": "{"}),
        call(1, id="call_2", function={"name": "g", "arguments": "{"}),
        call(0, function={"arguments": "}"}),
        delta(content="d"),
        call(1, function={"arguments": "}"}),
        delta("tool_calls"),
    )

    kinds = [item["type"] for item in follow(stream)["output"]]
    assert kinds == ["reasoning", "message", "reasoning", "function_call", "function_call", "message"]


def test_a_custom_tools_input_is_free_text() -> None:
    stream = play(
        call(0, id="call_1", function={"name": "patch", "arguments": '{"inp'}),
        call(0, function={"arguments": 'ut":"*** Begin\\n"}'}),
        delta("tool_calls"),
        tools=[{"type": "custom", "name": "patch"}],
    )

    assert types(stream)[2:6] == [
        "output_item.added",
        "custom_tool_call_input.delta",
        "custom_tool_call_input.done",
        "output_item.done",
    ]
    [item] = follow(stream)["output"]
    assert (item["type"], item["name"], item["input"]) == ("custom_tool_call", "patch", "*** Begin\n")


def test_a_custom_tools_input_that_is_no_json_is_kept() -> None:
    [item] = whole(_calls(("patch", "*** Begin")), tools=[{"type": "custom", "name": "patch"}])["output"]

    assert item["input"] == "*** Begin"


def test_a_tool_of_a_namespace_comes_back_under_its_own_name() -> None:
    tools = [
        {"type": "namespace", "name": "agents", "description": "", "tools": [{"type": "function", "name": "spawn"}]}
    ]
    [item] = whole(_calls(("agents__spawn", "{}")), tools=tools)["output"]

    assert (item["namespace"], item["name"]) == ("agents", "spawn")


def test_logprobs_arrive_in_the_shape_of_responses() -> None:
    entry = {
        "token": "A",
        "logprob": -0.5,
        "bytes": [65],
        "top_logprobs": [{"token": "B", "logprob": -1, "bytes": None}],
    }
    chunk = event({"index": 0, "delta": {"content": "A"}, "logprobs": {"content": [entry]}, "finish_reason": None})

    [message] = follow(play(chunk, STOP))["output"]

    [received] = message["content"][0]["logprobs"]
    assert received["token"] == "A"
    assert received["top_logprobs"] == [{"token": "B", "logprob": -1, "bytes": []}]


def test_citations_become_flat_annotations() -> None:
    cited = {"start_index": 0, "end_index": 1, "url": "https://a.example", "title": "A"}
    stream = play(delta(content="A"), delta(annotations=[{"type": "url_citation", "url_citation": cited}]), STOP)

    assert "output_text.annotation.added" in types(stream)
    [message] = follow(stream)["output"]
    assert message["content"][0]["annotations"] == [{"type": "url_citation", **cited}]


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("length", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
    ],
)
def test_each_finish_reason_has_its_terminal_event(finish: str, status: str, reason: str | None) -> None:
    response = follow(play(delta(content="A"), delta(finish)))

    assert response["status"] == response["output"][0]["status"] == status
    assert response["incomplete_details"] == ({"reason": reason} if reason else None)


def test_an_answer_without_a_word_is_a_response_without_output() -> None:
    assert follow(play(delta(role="assistant", content=""), STOP))["output"] == []


def test_what_upstreams_want_back_is_sealed_into_reasoning_items() -> None:
    block = {"type": "thinking", "thinking": "hm", "signature": "s"}
    signature = {"google": {"thought_signature": "g"}}
    stream = play(
        delta(reasoning_content="hm"),
        delta(thinking_blocks=[block]),
        call(0, id="call_1", function={"name": "f", "arguments": "{}"}, extra_content=signature),
        delta("tool_calls"),
    )

    first, _, last = follow(stream)["output"]
    thinking, extra = unseal(first["encrypted_content"]), unseal(last["encrypted_content"])
    assert thinking is not None
    assert thinking.thinking_blocks == [block]
    assert extra is not None
    assert extra.extra_content == {"call_1": signature}


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_any_split_of_any_sample_gives_the_same_response(path: Path, data: st.DataObject) -> None:
    stream = path.read_bytes()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    bounds = [0, *cuts, len(stream)]
    parts = [stream[start:end] for start, end in pairwise(bounds)]

    assert _played(parts) == _played([stream])


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_every_sample_is_told_in_order_or_not_complete(path: Path) -> None:
    stream = _played([path.read_bytes()])

    assert (stream is None) == (path.stem in BROKEN)
    if stream is not None:
        assert follow(stream)["status"] == "completed"


@pytest.mark.parametrize(
    "path", [path for path in STREAMS if path.stem in {"ok", "reasoning", "usagelast", "toolrepeat"}]
)
def test_a_cut_at_any_byte_is_never_complete(path: Path) -> None:
    """R-08: but for the last bytes, after which nothing but `[DONE]` is missing."""
    stream = path.read_bytes()
    finished = (
        stream.rindex(b'"finish_reason":"') if b'"finish_reason":"' in stream else stream.rindex(b'"finish_reason": "')
    )

    for cut in range(finished):
        reading = OverChat()
        received = reading.feed(stream[:cut])
        assert b"response.completed" not in received
        assert reading.finish() is None


def test_whole_answers_and_streams_say_the_same() -> None:
    message = {"role": "assistant", "content": "AB", "reasoning_content": "hm", **_calls(("f", '{"a":1}'))}
    streamed = follow(
        play(
            delta(reasoning_content="hm"),
            delta(content="A"),
            delta(content="B"),
            call(0, id="call_0", function={"name": "f", "arguments": '{"a":1}'}),
            delta("tool_calls"),
        )
    )

    assert whole(message, "tool_calls") == streamed


def test_the_request_is_told_back() -> None:
    asked: Json = {
        "instructions": "Be brief.",
        "max_output_tokens": 16,
        "metadata": {"a": "b"},
        "temperature": 0.5,
        "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}],
        "tool_choice": "auto",
        "parallel_tool_calls": False,
        "text": {"format": {"type": "json_object"}},
        "reasoning": {"effort": "low"},
        "user": "u",
    }

    response = follow(play(STOP, usage=USAGE, **asked))

    for name, value in asked.items():
        if name not in {"tools", "text", "reasoning"}:
            assert response[name] == value
    assert response["tools"] == [{**asked["tools"][0], "strict": True, "description": None}]
    assert response["text"] == {"format": {"type": "json_object"}, "verbosity": "medium"}
    assert response["reasoning"] == {"effort": "low", "summary": None}
    assert response["store"] is False
    assert response["previous_response_id"] is None


def test_blank_lines_in_a_text_do_not_end_its_event() -> None:
    stream = play(delta(content="a\n\nb\u2028"), STOP)

    assert json.loads(stream.split(b"\n\n")[4].split(b"\n")[1][6:])["delta"] == "a\n\nb\u2028"
    assert follow(stream)["output"][0]["content"][0]["text"] == "a\n\nb\u2028"


def test_a_long_request_is_told_back_with_the_last_event_alone() -> None:
    """R-07: what comes before content stays small, so that another provider can still take over."""
    asked: Json = {
        "instructions": "x" * 100_000,
        "tools": [{"type": "function", "name": "f", "description": "x" * 100_000}],
    }

    stream = play(delta(content="A"), STOP, **asked)

    assert len(stream[: stream.index(b"event: response.output_item.added")]) < 32_000
    assert follow(stream)["instructions"] == asked["instructions"]
    assert len(follow(stream)["tools"]) == 1


def _calls(*made: tuple[str, str]) -> Json:
    calls = [
        {"id": f"call_{place}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for place, (name, arguments) in enumerate(made)
    ]
    return {"tool_calls": calls}


def _played(parts: list[bytes]) -> bytes | None:
    reading = OverChat()
    received = b"".join(reading.feed(part) for part in parts)
    rest = reading.finish()
    return None if rest is None else received + rest
