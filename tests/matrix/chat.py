"""OpenAI's chat, asked with OpenAI's client."""

import json
from typing import Any

import openai
import pytest

from tests.matrix.asking import (
    ARGUMENTS,
    BEFORE_STOP,
    BROKEN,
    CUT,
    NAMES,
    PARAMETERS,
    PICTURE,
    REFUSAL,
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
TOOLS: Any = [{"type": "function", "function": {"name": name, "parameters": PARAMETERS}} for name in NAMES]


def _ask(bench: Bench, model: str, *messages: Any, **fields: Any) -> Any:
    return bench.openai.chat.completions.create(model=model, messages=list(messages) or [USER], **fields)


def _stream(bench: Bench, model: str, **fields: Any) -> Any:
    with bench.openai.chat.completions.stream(model=model, messages=[USER], **fields) as stream:
        return stream.get_final_completion()


def plain(bench: Bench, row: Row) -> None:
    answer = _ask(bench, bench.chat(row))

    assert answer.choices[0].message.content == TEXT
    assert answer.choices[0].finish_reason == "stop"
    assert _ask(bench, bench.chat(row, "sim-words-9"), max_tokens=4).choices[0].finish_reason == "length"


def stream(bench: Bench, row: Row) -> None:
    answer = _stream(bench, bench.chat(row, "sim-words-9"))

    assert answer.choices[0].message.content == WORDS
    assert answer.choices[0].finish_reason == "stop"


def _history(message: Any) -> dict[str, Any]:
    """The message as it is sent back, with all that the gateway put into it."""
    output: dict[str, Any] = message.model_dump(exclude_none=True, exclude={"parsed": True})
    for call in output["tool_calls"]:
        call["function"].pop("parsed_arguments", None)
    return output


def _called(bench: Bench, row: Row, answer: Any, count: int) -> None:
    message = answer.choices[0].message
    calls = message.tool_calls
    check_calls([(call.function.name, call.function.arguments) for call in calls], count)
    assert len({call.id for call in calls}) == count
    assert answer.choices[0].finish_reason == "tool_calls"
    output = _history(message)
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": text} for call, text in zip(calls, RESULTS, strict=False)
    ]
    again = _ask(bench, bench.chat(row), USER, output, *results, tools=TOOLS)
    assert again.choices[0].message.content == RESULTS[count - 1]


def tools(bench: Bench, row: Row) -> None:
    _called(bench, row, _ask(bench, bench.chat(row, "sim-tools"), tools=TOOLS), 1)
    _called(bench, row, _stream(bench, bench.chat(row, "sim-tools"), tools=TOOLS), 1)


def parallel_tools(bench: Bench, row: Row) -> None:
    _called(bench, row, _ask(bench, bench.chat(row, "sim-parallel-tools"), tools=TOOLS), 2)
    _called(bench, row, _stream(bench, bench.chat(row, "sim-parallel-tools"), tools=TOOLS), 2)


def images(bench: Bench, row: Row) -> None:
    url = f"data:image/png;base64,{PICTURE}"
    parts = [{"type": "text", "text": TEXT}, {"type": "image_url", "image_url": {"url": url}}]

    answer = _ask(bench, bench.chat(row), {"role": "user", "content": parts})
    assert answer.choices[0].message.content == SEEN


def system(bench: Bench, row: Row) -> None:
    answer = _ask(bench, bench.chat(row, "sim-system"), {"role": "system", "content": "Be kind."}, USER)

    assert answer.choices[0].message.content == "Be kind."


def sampling(bench: Bench, row: Row) -> None:
    wanted = {"temperature": 1.5, "top_p": 0.9, "seed": 7, "presence_penalty": 0.5, "max_completion_tokens": 50}

    answer = _ask(bench, bench.chat(row), reasoning_effort="low", user="someone", **wanted)
    assert answer.choices[0].message.content == TEXT


def history(bench: Bench, row: Row) -> None:
    before = ({"role": "developer", "content": "Be kind."}, {"role": "user", "content": "Hello"}, USER)
    between = ({"role": "assistant", "content": "Yes?"}, {"role": "system", "content": "Be brief."})

    answer = _ask(bench, bench.chat(row), *before, *between, USER, {"role": "user", "content": "and Bergen"})
    assert "and Bergen" in answer.choices[0].message.content


def reasoning(bench: Bench, row: Row) -> None:
    for answer in (
        _ask(bench, bench.chat(row, "sim-reasoning")),
        _stream(bench, bench.chat(row, "sim-reasoning")),
    ):
        assert answer.choices[0].message.content == TEXT
        assert (answer.choices[0].message.model_extra or {}).get("reasoning_content") == THOUGHT


def thinking_tools(bench: Bench, row: Row) -> None:
    for answer in (
        _ask(bench, bench.chat(row, "sim-tools+reasoning"), tools=TOOLS),
        _stream(bench, bench.chat(row, "sim-tools+reasoning"), tools=TOOLS),
    ):
        output = _history(answer.choices[0].message)
        result = {"role": "tool", "tool_call_id": output["tool_calls"][0]["id"], "content": "sunny"}
        again = _ask(bench, bench.chat(row, "sim-request"), USER, output, result, tools=TOOLS)
        assert "sunny" in again.choices[0].message.content
        assert was_signed(row, again.choices[0].message.content)


def structured(bench: Bench, row: Row) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "place", "schema": SHAPE, "strict": True}}

    answer = _ask(bench, bench.chat(row), response_format=wanted)
    assert json.loads(answer.choices[0].message.content) == ARGUMENTS


def stop(bench: Bench, row: Row) -> None:
    answer = _ask(bench, bench.chat(row, "sim-words-9"), stop=["word4"])

    assert (answer.choices[0].message.content.strip(), answer.choices[0].finish_reason) == (BEFORE_STOP, "stop")


def refusal(bench: Bench, row: Row) -> None:
    output: Any = None
    try:
        choice = _ask(bench, bench.chat(row, "sim-refusal")).choices[0]
        output = choice.message.refusal or choice.finish_reason
    except openai.BadRequestError as filtered:  # a filter of the prompt, as Azure's
        output = filtered.code
    assert output in {REFUSAL, "content_filter"}


def cached(bench: Bench, row: Row) -> None:
    assert _ask(bench, bench.chat(row, "sim-cached")).usage.prompt_tokens_details.cached_tokens == 60


def usage(bench: Bench, row: Row) -> None:
    for answer in (
        _ask(bench, bench.chat(row, "sim-cached")),
        _stream(bench, bench.chat(row, "sim-cached"), stream_options={"include_usage": True}),
    ):
        assert answer.usage is not None
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (100, 10)


def error(bench: Bench, row: Row) -> None:
    with pytest.raises(openai.BadRequestError):
        _ask(bench, bench.chat(row, "sim-400-context"))


def _breaks(bench: Bench, row: Row, directives: tuple[str, ...]) -> None:
    for directive in directives:
        received = []
        with pytest.raises(openai.APIError):
            for chunk in _ask(bench, bench.broken(row, directive), stream=True):
                received += [choice for choice in chunk.choices if choice.delta.content]
        assert received, "the words before the break must arrive"
        assert all(choice.finish_reason is None for choice in received)


def error_in_stream(bench: Bench, row: Row) -> None:
    _breaks(bench, row, BROKEN)


def cut(bench: Bench, row: Row) -> None:
    _breaks(bench, row, CUT)
