"""Anthropic's messages, asked with Anthropic's client."""

import json
from typing import Any

import anthropic
import pytest

from tests.matrix.asking import (
    ARGUMENTS,
    BEFORE_STOP,
    BROKEN,
    CUT,
    NAMES,
    PARAMETERS,
    PICTURE,
    RESULTS,
    SEEN,
    SHAPE,
    TEXT,
    THOUGHT,
    WORDS,
    check_calls,
    was_signed,
)
from tests.matrix.bench import Bench
from tests.matrix.rows import Row

USER: Any = {"role": "user", "content": TEXT}
TOOLS: Any = [{"name": name, "input_schema": PARAMETERS} for name in NAMES]


def _ask(bench: Bench, model: str, *messages: Any, **fields: Any) -> Any:
    received: Any = {"max_tokens": 100, "messages": list(messages) or [USER]} | fields
    return bench.anthropic.messages.create(model=model, **received)


def _stream(bench: Bench, model: str, **fields: Any) -> Any:
    with bench.anthropic.messages.stream(model=model, max_tokens=100, messages=[USER], **fields) as stream:
        return stream.get_final_message()


def _text(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def plain(bench: Bench, row: Row) -> None:
    answer = _ask(bench, bench.chat(row))

    assert (_text(answer), answer.stop_reason) == (TEXT, "end_turn")
    assert _ask(bench, bench.chat(row, "sim-words-9"), max_tokens=4).stop_reason == "max_tokens"


def stream(bench: Bench, row: Row) -> None:
    answer = _stream(bench, bench.chat(row, "sim-words-9"))

    assert (_text(answer), answer.stop_reason) == (WORDS, "end_turn")


def _history(answer: Any) -> dict[str, Any]:
    """The message as it is sent back."""
    return {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in answer.content]}


def _called(bench: Bench, row: Row, answer: Any, count: int) -> None:
    calls = [block for block in answer.content if block.type == "tool_use"]
    check_calls([(call.name, call.input) for call in calls], count)
    assert len({call.id for call in calls}) == count
    assert answer.stop_reason == "tool_use"
    said = _history(answer)
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "content": text}
        for call, text in zip(calls, RESULTS, strict=False)
    ]
    again = _ask(bench, bench.chat(row), USER, said, {"role": "user", "content": results}, tools=TOOLS)
    assert _text(again) == RESULTS[count - 1]


def tools(bench: Bench, row: Row) -> None:
    _called(bench, row, _ask(bench, bench.chat(row, "sim-tools"), tools=TOOLS), 1)
    _called(bench, row, _stream(bench, bench.chat(row, "sim-tools"), tools=TOOLS), 1)


def parallel_tools(bench: Bench, row: Row) -> None:
    _called(bench, row, _ask(bench, bench.chat(row, "sim-parallel-tools"), tools=TOOLS), 2)
    _called(bench, row, _stream(bench, bench.chat(row, "sim-parallel-tools"), tools=TOOLS), 2)


def images(bench: Bench, row: Row) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": PICTURE}
    parts = [{"type": "text", "text": TEXT}, {"type": "image", "source": source}]

    assert _text(_ask(bench, bench.chat(row), {"role": "user", "content": parts})) == SEEN


def system(bench: Bench, row: Row) -> None:
    assert _text(_ask(bench, bench.chat(row, "sim-system"), system="Be kind.")) == "Be kind."


def sampling(bench: Bench, row: Row) -> None:
    """As clients of the API before its version of October 2026 send them."""
    older = {"anthropic-version": "2023-06-01"}
    wanted: Any = {"extra_body": {"temperature": 0.5, "top_k": 5}, "metadata": {"user_id": "someone"}}

    answer = _ask(bench, bench.chat(row), extra_headers=older, **wanted)
    assert _text(answer) == TEXT


def history(bench: Bench, row: Row) -> None:
    before = ({"role": "user", "content": "Hello"}, USER, {"role": "assistant", "content": "Yes?"})
    last = ({"role": "user", "content": [{"type": "text", "text": TEXT, "cache_control": {"type": "ephemeral"}}]},)

    answer = _ask(bench, bench.chat(row), *before, *last, {"role": "user", "content": "and Bergen"})
    assert "and Bergen" in _text(answer)


def reasoning(bench: Bench, row: Row) -> None:
    for answer in (_ask(bench, bench.chat(row, "sim-reasoning")), _stream(bench, bench.chat(row, "sim-reasoning"))):
        assert [block.thinking for block in answer.content if block.type == "thinking"] == [THOUGHT]
        assert _text(answer) == TEXT


def thinking_tools(bench: Bench, row: Row) -> None:
    for answer in (
        _ask(bench, bench.chat(row, "sim-tools+reasoning"), tools=TOOLS),
        _stream(bench, bench.chat(row, "sim-tools+reasoning"), tools=TOOLS),
    ):
        said = _history(answer)
        result = {"type": "tool_result", "tool_use_id": said["content"][-1]["id"], "content": "sunny"}
        turns = (USER, said, {"role": "user", "content": [result]})
        received = _text(_ask(bench, bench.chat(row, "sim-request"), *turns, tools=TOOLS, max_tokens=1000))
        assert "sunny" in received
        if "claude" in row.chat:
            assert was_signed(row, received)


def structured(bench: Bench, row: Row) -> None:
    wanted = {"format": {"type": "json_schema", "schema": SHAPE}}

    assert json.loads(_text(_ask(bench, bench.chat(row), output_config=wanted))) == ARGUMENTS


def stop(bench: Bench, row: Row) -> None:
    answer = _ask(bench, bench.chat(row, "sim-words-9"), stop_sequences=["word4"])

    assert _text(answer).strip() == BEFORE_STOP
    assert answer.stop_reason in {"stop_sequence", "end_turn"}


def refusal(bench: Bench, row: Row) -> None:
    received: Any = None
    try:
        received = _ask(bench, bench.chat(row, "sim-refusal")).stop_reason
    except anthropic.BadRequestError as filtered:  # a filter of the prompt, as Azure's
        body: Any = filtered.body
        received = body["error"]["details"]["error_code"]
    assert received in {"refusal", "content_filter"}


def cached(bench: Bench, row: Row) -> None:
    assert _ask(bench, bench.chat(row, "sim-cached")).usage.cache_read_input_tokens == 60


def usage(bench: Bench, row: Row) -> None:
    for answer in (_ask(bench, bench.chat(row, "sim-cached")), _stream(bench, bench.chat(row, "sim-cached"))):
        received = answer.usage
        cached = (received.cache_read_input_tokens or 0) + (received.cache_creation_input_tokens or 0)
        assert (received.input_tokens + cached, received.output_tokens) == (100, 10)


def error(bench: Bench, row: Row) -> None:
    with pytest.raises(anthropic.BadRequestError):
        _ask(bench, bench.chat(row, "sim-400-context"))


def _breaks(bench: Bench, row: Row, directives: tuple[str, ...]) -> None:
    for directive in directives:
        kinds = []
        with pytest.raises(anthropic.APIError):
            for event in _ask(bench, bench.broken(row, directive), stream=True):
                kinds.append(event.type)
        assert "content_block_delta" in kinds, "the words before the break must arrive"
        assert "message_stop" not in kinds


def error_in_stream(bench: Bench, row: Row) -> None:
    _breaks(bench, row, BROKEN)


def cut(bench: Bench, row: Row) -> None:
    _breaks(bench, row, CUT)
