"""Streams as clients get them: the odd ones of the wire facts, section 12, and every rule of theirs."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.dialects.openai.quirks import Quirks
from domain.usage import TokenUsage
from tests.unit.adapters.dialects.openai.samples import (
    DONE,
    STOP,
    STREAMS,
    TEXT,
    choice,
    chunks,
    decoder,
    delta,
    deltas,
    event,
    play,
    sample,
    tool,
)

USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def test_a_clean_stream_passes_as_the_bytes_it_came() -> None:
    stream = sample("ok.sse")
    reading = decoder()

    output = reading.feed(stream)

    assert output == stream.removesuffix(DONE)
    assert reading.done
    assert reading.finish() == b""
    assert reading.model == "m"


def test_a_block_without_an_oddity_is_not_even_copied() -> None:
    reading = decoder()
    reading.feed(TEXT)
    block = delta(content="B") + delta(content="C")

    assert reading.feed(block) is block


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_any_split_of_any_sample_gives_the_same_output(path: Path, data: st.DataObject) -> None:
    stream = path.read_bytes()
    whole = decoder(include_usage=True)
    expected = whole.feed(stream) + whole.finish()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    bounds = [0, *cuts, len(stream)]

    reading = decoder(include_usage=True)
    output = b"".join(reading.feed(stream[a:b]) for a, b in pairwise(bounds)) + reading.finish()

    assert output == expected
    assert str(reading.failure) == str(whole.failure)
    assert (reading.usage, reading.output_bytes, reading.model) == (whole.usage, whole.output_bytes, whole.model)


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_one_byte_at_a_time_gives_the_same_output(path: Path) -> None:
    stream = path.read_bytes()
    whole = decoder()
    expected = whole.feed(stream) + whole.finish()

    reading = decoder()
    output = b"".join(reading.feed(stream[place : place + 1]) for place in range(len(stream))) + reading.finish()

    assert output == expected


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_a_stream_cut_anywhere_is_complete_only_if_the_end_rule_holds(path: Path) -> None:
    """R-08: `[DONE]`, or a finish reason for every choice, as a whole line before a clean end."""
    stream = path.read_bytes()
    for cut in range(len(stream)):
        reading = decoder()
        reading.feed(stream[:cut])
        reading.finish()
        assert reading.done is (reading.failure is None)
        lines = [line.partition(b":")[2].strip() for line in stream[:cut].splitlines() if line.startswith(b"data:")]
        ended = any(line == b"[DONE]" or (line.endswith(b"}") and b'"finish_reason": "' in line) for line in lines)
        if reading.done:
            assert ended, stream[:cut]


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_every_rule_of_the_reaction_table_holds_for_every_sample(path: Path) -> None:
    reading = decoder(include_usage=True)
    found = chunks(reading.feed(path.read_bytes()) + reading.finish())

    roles = [received for chunk in found for received in chunk["choices"] if "role" in received["delta"]]
    assert len(roles) == 1
    first = next(chunk for chunk in found if chunk["choices"])
    assert choice(first)["delta"]["role"] == "assistant"
    usages = [place for place, chunk in enumerate(found) if chunk.get("usage")]
    assert usages in ([], [len(found) - 1])
    if reading.failure is None:
        reasons = [
            received["finish_reason"] for chunk in found for received in chunk["choices"] if received["finish_reason"]
        ]
        assert len(reasons) == 1


def test_a_repeated_role_is_told_once() -> None:
    received = deltas(sample("rolerepeat.sse"))

    assert [part.get("role") for part in received] == ["assistant", None, None]
    assert [part.get("content") for part in received] == ["A", "B", None]


def test_a_missing_role_is_added_for_each_choice() -> None:
    found = play(delta(content="A") + delta(None, 1, content="B") + delta("stop") + delta("stop", 1))

    assert [choice(chunk)["delta"].get("role") for chunk in found[:2]] == ["assistant", "assistant"]


def test_a_null_error_is_taken_out_and_the_chunk_kept() -> None:
    assert deltas(sample("errnull.sse"))[0]["content"] == "A"


def test_comments_ids_and_empty_events_never_reach_a_client() -> None:
    for name in ("comment.sse", "idfield.sse", "eventonly.sse", "crlf.sse", "nospace.sse"):
        assert [part.get("content") for part in deltas(sample(name))] == ["A", None]


def test_pings_of_any_kind_are_left_out() -> None:
    pings = b"event: ping\ndata: now\n\n" + b'event: ping\ndata: {"type": "ping"}\n\n' + b'data: {"type": "ping"}\n\n'

    assert len(deltas(TEXT + pings + STOP + DONE)) == 2


def test_data_over_several_lines_becomes_one_line() -> None:
    pretty = b"".join(
        b"data: " + line + b"\n" for line in json.dumps(json.loads(TEXT[6:]), indent=1).encode().split(b"\n")
    )

    assert deltas(pretty + b"\n" + STOP + DONE)[0]["content"] == "A"


def test_usage_comes_last_and_only_if_it_was_asked_for() -> None:
    """R-22."""
    stream = sample("usagethenmore.sse")

    asked = play(stream, include_usage=True)
    assert asked[-1]["usage"] == {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    assert asked[-1]["choices"] == []
    assert [chunk.get("usage") for chunk in asked[:-1]] == [None, None]
    assert all("usage" not in chunk for chunk in play(stream))


def test_a_sound_usage_chunk_is_told_in_the_upstreams_own_bytes() -> None:
    last = event(choices=[], usage=USAGE, service_tier="default", obfuscation="x")
    reading = decoder(include_usage=True)

    assert reading.feed(TEXT + STOP + last + DONE) == TEXT + STOP + last
    assert reading.usage == TokenUsage(input_tokens=7, output_tokens=3)


def test_usage_in_every_chunk_is_gathered_into_one_at_the_end() -> None:
    stream = (
        event(choices=[{"index": 0, "delta": {"role": "assistant", "content": "A"}}], usage={"prompt_tokens": 7})
        + event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}], usage=USAGE)
        + DONE
    )

    assert [chunk.get("usage") for chunk in play(stream, include_usage=True)] == [None, None, USAGE]


@pytest.mark.parametrize(
    "last",
    [
        event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop", "usage": USAGE}]),
        event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}], x_groq={"id": "r", "usage": USAGE}),
    ],
)
def test_usage_hidden_elsewhere_is_found(last: bytes) -> None:
    reading = decoder(include_usage=True)

    found = chunks(reading.feed(TEXT + last + DONE))

    assert reading.usage == TokenUsage(input_tokens=7, output_tokens=3)
    assert found[-1]["usage"] == USAGE


def test_a_null_usage_passes_as_it_came() -> None:
    reading = decoder()
    first = {"index": 0, "delta": {"role": "assistant", "content": "A"}, "finish_reason": None}
    block = event(choices=[first], usage=None)

    assert reading.feed(block) is block


def test_a_stream_ended_by_done_alone_gets_its_finish_reason() -> None:
    found = play(
        TEXT + delta(None, 1, role="assistant", content="B") + tool(index=0, id="a", function={"name": "f"}) + DONE
    )

    assert [choice(chunk)["finish_reason"] for chunk in found[-2:]] == ["tool_calls", "stop"]


def test_a_second_finish_reason_is_taken_back() -> None:
    assert [choice(chunk)["finish_reason"] for chunk in play(TEXT + STOP + STOP + DONE)] == [None, "stop", None]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("eos", "stop"),
        ("model_length", "length"),
        ("SAFETY", "content_filter"),
        ("STOP", "stop"),
        ("who knows", "stop"),
    ],
)
def test_finish_reasons_are_told_in_openais_words(theirs: str, ours: str) -> None:
    assert choice(play(TEXT + delta(theirs) + DONE)[-1])["finish_reason"] == ours


def test_an_empty_finish_reason_is_none() -> None:
    assert choice(play(delta("", role="assistant", content="A") + STOP + DONE)[0])["finish_reason"] is None


def test_a_stop_after_tool_calls_is_mended_only_where_the_provider_is_known_for_it() -> None:
    stream = tool(index=0, id="a", function={"name": "f", "arguments": "{}"}) + STOP + DONE

    assert choice(play(stream)[-1])["finish_reason"] == "stop"
    assert choice(play(stream, Quirks(stop_with_tool_calls=True))[-1])["finish_reason"] == "tool_calls"


def test_a_stream_that_ends_without_an_answer_is_a_failure() -> None:
    reading = decoder()
    reading.feed(b": hello\n\n" + DONE)

    assert reading.failure is not None
    assert "without an answer" in reading.failure.message


def test_a_done_without_its_blank_line_still_ends_the_answer() -> None:
    reading = decoder()
    reading.feed(TEXT + b"data: [DONE]")

    chunks(reading.finish())

    assert reading.done


def test_what_follows_done_is_ignored() -> None:
    reading = decoder()
    reading.feed(sample("ok.sse") + TEXT)

    assert reading.feed(TEXT) == b""
    assert reading.failure is None


def test_missing_parts_of_a_chunk_are_filled_in() -> None:
    stream = (
        b'data: {"choices":[{"delta":{"content":"A"}}]}\n\n'
        b'data: {"created": 5.7, "choices":[{"finish_reason":"stop"}]}\n\n'
    )

    first, last = play(stream)

    assert (first["model"], first["object"], first["created"]) == ("asked-model", "chat.completion.chunk", 1795222800)
    assert first["id"] == last["id"]
    assert choice(last)["delta"] == {}
    assert choice(last)["index"] == 0


def test_content_as_a_list_of_parts_becomes_text_and_reasoning() -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "A"}]
    received = deltas(delta(role="assistant", content=parts) + STOP + DONE)[0]

    assert (received["content"], received["reasoning_content"]) == ("A", "hm")


def test_azures_first_chunk_without_choices_passes() -> None:
    assert play(sample("emptychoices1st.sse"))[0]["choices"] == []


def test_content_is_seen_when_it_is_given_back_and_not_before() -> None:
    reading = decoder()
    seen = []
    for block in (delta(role="assistant", content=""), delta(reasoning="hm"), delta(content="größe")):
        reading.feed(block)
        seen.append((reading.has_content, reading.output_bytes))

    assert seen == [(False, 0), (True, 4), (True, 11)]


def test_reasoning_and_unknown_fields_survive() -> None:
    stream = sample("reasoning.sse")

    assert b"".join(part for part in [decoder().feed(stream)]) == stream.removesuffix(DONE)


def test_an_event_that_never_ends_is_a_failure() -> None:
    reading = decoder()
    reading.feed(b"data: " + b"x" * (1024 * 1024))

    assert reading.failure is not None
    assert "longer than 1048576 bytes" in reading.failure.message


def test_half_a_character_in_an_escape_passes_as_it_came() -> None:
    reading = decoder()
    reading.feed(TEXT)
    block = delta(content="\ud83d") + delta(content="\ude00")

    assert reading.feed(block) == block


def test_a_verdict_on_the_prompt_that_names_no_model_does_not_name_it() -> None:
    """Azure's first chunk has no id, no model and no choices."""
    head = {"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": []}
    reading = decoder()

    first = chunks(reading.feed(b"data: " + json.dumps(head).encode() + b"\n\n"))[0]

    assert (bool(first["id"]), first["model"]) == (True, "asked-model")
    assert chunks(reading.feed(TEXT + STOP + DONE).removesuffix(DONE))[0]["id"] == "c1"
    assert reading.model == "m"
