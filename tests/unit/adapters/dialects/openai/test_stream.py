"""Streams as clients get them: the odd ones of the wire facts, section 12, and every rule of theirs."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.dialects.openai.quirks import Quirks
from domain.failover import FailureKind
from domain.usage import TokenUsage
from tests.unit.adapters.dialects.openai.samples import (
    DONE,
    SECRET,
    STREAMS,
    chunks,
    decoder,
    delta,
    event,
    play,
    sample,
)

USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
TEXT = delta(role="assistant", content="A")
STOP = delta("stop")


def choice(chunk: dict[str, object]) -> dict[str, object]:
    choices = chunk["choices"]
    assert isinstance(choices, list)
    found: dict[str, object] = choices[0]
    return found


def deltas(stream: bytes, quirks: Quirks | None = None) -> list[dict[str, object]]:
    found = []
    for chunk in play(stream, quirks):
        told = choice(chunk)["delta"]
        assert isinstance(told, dict)
        found.append(told)
    return found


def calls(stream: bytes) -> list[dict[str, object]]:
    return [call for told in deltas(stream) for call in told.get("tool_calls") or ()]  # type: ignore[attr-defined]  # opaque JSON


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
    output = b"".join(reading.feed(stream[a:b]) for a, b in zip(bounds, bounds[1:], strict=False)) + reading.finish()

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

    roles = [told for chunk in found for told in chunk["choices"] if "role" in told["delta"]]  # type: ignore[attr-defined]  # opaque JSON
    assert len(roles) == 1
    first = next(chunk for chunk in found if chunk["choices"])
    assert choice(first)["delta"]["role"] == "assistant"  # type: ignore[index]  # opaque JSON
    usages = [place for place, chunk in enumerate(found) if chunk.get("usage")]
    assert usages in ([], [len(found) - 1])
    if reading.failure is None:
        reasons = [told["finish_reason"] for chunk in found for told in chunk["choices"] if told["finish_reason"]]  # type: ignore[attr-defined]  # opaque JSON
        assert len(reasons) == 1


def test_a_repeated_role_is_told_once() -> None:
    told = deltas(sample("rolerepeat.sse"))

    assert [part.get("role") for part in told] == ["assistant", None, None]
    assert [part.get("content") for part in told] == ["A", "B", None]


def test_a_missing_role_is_added_for_each_choice() -> None:
    found = play(delta(content="A") + delta(None, 1, content="B") + delta("stop") + delta("stop", 1))

    assert [choice(chunk)["delta"].get("role") for chunk in found[:2]] == ["assistant", "assistant"]  # type: ignore[attr-defined]  # opaque JSON


def test_tool_calls_are_numbered_from_zero_and_named_once() -> None:
    assert [call["index"] for call in calls(sample("toolidx1.sse"))] == [0]
    repeated = calls(sample("toolrepeat.sse"))
    assert [("id" in call, "name" in call["function"]) for call in repeated] == [
        (True, True),
        (False, False),
        (False, False),
    ]  # type: ignore[operator]  # opaque JSON
    assert "".join(call["function"]["arguments"] for call in repeated) == '{"a":1}'  # type: ignore[index]  # opaque JSON


def test_arguments_as_an_object_become_text() -> None:
    (call,) = calls(sample("tooldictargs.sse"))

    assert call["function"] == {"name": "f", "arguments": '{"a":1}'}


def test_a_whole_call_told_twice_without_an_index_is_one_call() -> None:
    assert [(call["index"], call["id"]) for call in calls(sample("toolnoindex.sse"))] == [(0, "call_1")]


def tool(**fields: object) -> bytes:
    return delta(tool_calls=[fields])


def test_parallel_calls_that_share_an_index_are_told_apart_by_id_and_name() -> None:
    stream = (
        tool(index=0, id="a", function={"name": "f", "arguments": "{}"})
        + tool(index=0, id="b", function={"name": "g", "arguments": "{}"})
        + delta("tool_calls")
        + DONE
    )

    assert [(call["index"], call["id"]) for call in calls(stream)] == [(0, "a"), (1, "b")]


def test_a_new_id_with_each_fragment_is_still_the_same_call() -> None:
    """An old vLLM made a new id for every delta of a call."""
    stream = (
        tool(index=0, id="a", type="function", function={"name": "f", "arguments": ""})
        + tool(index=0, id="b", function={"arguments": "{}"})
        + delta("tool_calls")
        + DONE
    )

    assert [(call["index"], call.get("id")) for call in calls(stream)] == [(0, "a"), (0, None)]


def test_calls_without_ids_and_with_text_indexes_get_what_they_lack() -> None:
    stream = (
        tool(index="2", function={"name": "f", "arguments": "{}"})
        + tool(function={"name": "g", "arguments": "{"})
        + tool(function={"arguments": "}"})
        + delta("tool_calls")
        + DONE
    )
    first, second, third = calls(stream)

    assert (first["index"], second["index"], third["index"]) == (0, 1, 1)
    assert first["type"] == second["type"] == "function"
    assert str(first["id"]).startswith("call_")
    assert first["id"] != second["id"]
    assert "id" not in third


def test_a_null_error_is_taken_out_and_the_chunk_kept() -> None:
    assert deltas(sample("errnull.sse"))[0]["content"] == "A"


@pytest.mark.parametrize(
    ("stream", "message", "kind"),
    [
        (sample("errmid.sse"), "boom", FailureKind.SERVER_ERROR),
        (sample("errstr.sse"), "plain", FailureKind.SERVER_ERROR),
        (sample("errevent.sse"), "boom2", FailureKind.SERVER_ERROR),
        (TEXT + b'event: error\ndata: {"message": "bare"}\n\n', "bare", FailureKind.SERVER_ERROR),
        (TEXT + b"event: error\n\n", "without a word", FailureKind.SERVER_ERROR),
        (TEXT + b'error: {"code":503,"message":"Loading model","type":"unavailable_error"}\n\n', "Loading", FailureKind.OVERLOADED),
        (TEXT + b'data: {"error": {"code": 429, "message": "slow"}}\n\n', "slow", FailureKind.RATE_LIMITED),
        (TEXT + b'data: {"error":{"message":"x","code":"insufficient_quota"},"choices":[]}\n\n', "x", FailureKind.QUOTA_EXHAUSTED),
        (TEXT + event(x_groq={"error": "groq says no"}, choices=[]), "groq says no", FailureKind.SERVER_ERROR),
        (TEXT + delta("error", content=""), "broke off", FailureKind.SERVER_ERROR),
        (TEXT + delta("insufficient_system_resource"), "broke off", FailureKind.OVERLOADED),
        (TEXT + event(choices=[{"index": 0, "delta": {}, "error": {"message": "host died"}}]), "host died", FailureKind.SERVER_ERROR),
        (TEXT + b"data: {broken\n\n", "not a chat completion", FailureKind.SERVER_ERROR),
        (TEXT + b"data: \xff\xfe\n\n", "not a chat completion", FailureKind.SERVER_ERROR),
        (TEXT + b'data: {"choices":[{"index":0,"delta":{"content":"\xff"}}]}\n\n', "not a chat", FailureKind.SERVER_ERROR),
        (TEXT + b'data: {"choices": 5}\n\n', "not a chat", FailureKind.SERVER_ERROR),
        (TEXT + b'data: {"choices": 5, "error": "odd"}\n\n', "odd", FailureKind.SERVER_ERROR),
    ],
)  # fmt: skip
def test_an_error_in_any_form_is_a_failure_after_what_came_before(
    stream: bytes, message: str, kind: FailureKind
) -> None:
    """R-07: errors inside a 200 count as failures."""
    reading = decoder()

    output = reading.feed(stream) + reading.finish()

    assert reading.failure is not None
    assert reading.failure.kind is kind
    assert message in reading.failure.message
    assert deltas_of(output)[0]["content"] == "A"
    assert not reading.done
    assert reading.feed(STOP + DONE) == b""


def deltas_of(output: bytes) -> list[dict[str, object]]:
    return [choice(chunk)["delta"] for chunk in chunks(output)]  # type: ignore[misc]  # opaque JSON


def test_a_failure_never_shows_our_credential() -> None:
    reading = decoder()
    reading.feed(b'data: {"error": "bad key ' + SECRET.reveal().encode() + b'"}\n\n')

    assert reading.failure is not None
    assert reading.failure.message == "bad key ***"


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
    block = event(choices=[{"index": 0, "delta": {"role": "assistant", "content": "A"}}], usage=None)

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
    stream = b'data: {"choices":[{"delta":{"content":"A"}}]}\n\ndata: {"created": 5.7, "choices":[{"finish_reason":"stop"}]}\n\n'

    first, last = play(stream)

    assert (first["model"], first["object"], first["created"]) == ("asked-model", "chat.completion.chunk", 1795222800)
    assert first["id"] == last["id"]
    assert choice(last)["delta"] == {}
    assert choice(last)["index"] == 0


def test_content_as_a_list_of_parts_becomes_text_and_reasoning() -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "A"}]
    told = deltas(delta(role="assistant", content=parts) + STOP + DONE)[0]

    assert (told["content"], told["reasoning_content"]) == ("A", "hm")


def test_azures_first_chunk_without_choices_passes() -> None:
    assert play(sample("emptychoices1st.sse"))[0]["choices"] == []


def test_content_is_seen_when_it_is_given_back_and_not_before() -> None:
    reading = decoder()
    reading.feed(delta(role="assistant", content=""))
    assert not reading.has_content
    reading.feed(delta(reasoning="hm"))
    assert reading.has_content
    before = reading.output_bytes
    reading.feed(delta(content="größe"))
    assert reading.output_bytes == before + 7


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
