"""OpenAI's Responses, asked with OpenAI's client."""

import json
from typing import Any

import openai
import pytest

from tests.matrix.asking import (
    ARGUMENTS,
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

TOOLS: Any = [{"type": "function", "name": name, "parameters": PARAMETERS, "strict": False} for name in NAMES]


def _ask(bench: Bench, model: str, said: Any = TEXT, **fields: Any) -> Any:
    return bench.openai.responses.create(model=model, input=said, **fields)


def _stream(bench: Bench, model: str, **fields: Any) -> Any:
    with bench.openai.responses.stream(model=model, input=TEXT, **fields) as stream:
        return stream.get_final_response()


def plain(bench: Bench, row: Row) -> None:
    answer = _ask(bench, bench.chat(row))

    assert (answer.output_text, answer.status) == (TEXT, "completed")


def stream(bench: Bench, row: Row) -> None:
    answer = _stream(bench, bench.chat(row, "sim-words-9"))

    assert (answer.output_text, answer.status) == (WORDS, "completed")


def _history(answer: Any) -> list[Any]:
    """What was said, to be sent again."""
    said = [item.model_dump(exclude_none=True, exclude={"parsed_arguments": True}) for item in answer.output]
    return [{"role": "user", "content": TEXT}, *said]


def _called(bench: Bench, row: Row, answer: Any, count: int) -> None:
    calls = [item for item in answer.output if item.type == "function_call"]
    check_calls([(call.name, call.arguments) for call in calls], count)
    assert len({call.call_id for call in calls}) == count
    history = _history(answer)
    for call, text in zip(calls, RESULTS, strict=False):
        history.append({"type": "function_call_output", "call_id": call.call_id, "output": text})
    assert _ask(bench, bench.chat(row), history, tools=TOOLS).output_text == RESULTS[count - 1]


def tools(bench: Bench, row: Row) -> None:
    _called(bench, row, _ask(bench, bench.chat(row, "sim-tools"), tools=TOOLS), 1)
    _called(bench, row, _stream(bench, bench.chat(row, "sim-tools"), tools=TOOLS), 1)


def parallel_tools(bench: Bench, row: Row) -> None:
    _called(bench, row, _ask(bench, bench.chat(row, "sim-parallel-tools"), tools=TOOLS), 2)
    _called(bench, row, _stream(bench, bench.chat(row, "sim-parallel-tools"), tools=TOOLS), 2)


def images(bench: Bench, row: Row) -> None:
    url = f"data:image/png;base64,{PICTURE}"
    parts = [{"type": "input_text", "text": TEXT}, {"type": "input_image", "image_url": url, "detail": "auto"}]

    assert _ask(bench, bench.chat(row), [{"role": "user", "content": parts}]).output_text == SEEN


def system(bench: Bench, row: Row) -> None:
    assert _ask(bench, bench.chat(row, "sim-system"), instructions="Be kind.").output_text == "Be kind."


def sampling(bench: Bench, row: Row) -> None:
    wanted: Any = {"temperature": 1.5, "top_p": 0.9, "max_output_tokens": 50, "reasoning": {"effort": "low"}}

    assert _ask(bench, bench.chat(row), user="someone", **wanted).output_text == TEXT


def history(bench: Bench, row: Row) -> None:
    before = ({"role": "developer", "content": "Be kind."}, {"role": "user", "content": "Hello"})
    between = ({"role": "assistant", "content": "Yes?"}, {"role": "system", "content": "Be brief."})

    said = [*before, *between, {"role": "user", "content": TEXT}, {"role": "user", "content": "and Bergen"}]
    assert "and Bergen" in _ask(bench, bench.chat(row), said).output_text


def reasoning(bench: Bench, row: Row) -> None:
    for answer in (_ask(bench, bench.chat(row, "sim-reasoning")), _stream(bench, bench.chat(row, "sim-reasoning"))):
        thoughts = [item for item in answer.output if item.type == "reasoning"]
        assert [part.text for part in (*(thoughts[0].summary or ()), *(thoughts[0].content or ()))] == [THOUGHT]
        assert answer.output_text == TEXT


def thinking_tools(bench: Bench, row: Row) -> None:
    for answer in (
        _ask(bench, bench.chat(row, "sim-tools+reasoning"), tools=TOOLS),
        _stream(bench, bench.chat(row, "sim-tools+reasoning"), tools=TOOLS),
    ):
        [call] = [item.call_id for item in answer.output if item.type == "function_call"]
        result = {"type": "function_call_output", "call_id": call, "output": "sunny"}
        again = _ask(bench, bench.chat(row, "sim-request"), [*_history(answer), result], tools=TOOLS)
        assert "sunny" in again.output_text
        assert was_signed(row, again.output_text)


def structured(bench: Bench, row: Row) -> None:
    wanted = {"format": {"type": "json_schema", "name": "place", "schema": SHAPE, "strict": True}}

    assert json.loads(_ask(bench, bench.chat(row), text=wanted).output_text) == ARGUMENTS


def refusal(bench: Bench, row: Row) -> None:
    answer = _ask(bench, bench.chat(row, "sim-refusal"))

    parts = [part.type for item in answer.output if item.type == "message" for part in item.content]
    assert "refusal" in parts or answer.incomplete_details.reason == "content_filter"


def cached(bench: Bench, row: Row) -> None:
    assert _ask(bench, bench.chat(row, "sim-cached")).usage.input_tokens_details.cached_tokens == 60


def usage(bench: Bench, row: Row) -> None:
    for answer in (_ask(bench, bench.chat(row, "sim-cached")), _stream(bench, bench.chat(row, "sim-cached"))):
        assert (answer.usage.input_tokens, answer.usage.output_tokens) == (100, 10)


def error(bench: Bench, row: Row) -> None:
    with pytest.raises(openai.BadRequestError):
        _ask(bench, bench.chat(row, "sim-400-context"))


def _breaks(bench: Bench, row: Row, directives: tuple[str, ...]) -> None:
    for directive in directives:
        kinds = []
        try:
            for event in _ask(bench, bench.broken(row, directive), stream=True):
                kinds.append(event.type)
        except openai.APIError:
            kinds.append("error")
        assert "response.completed" not in kinds
        assert kinds[-1] in {"response.failed", "error"}


def error_in_stream(bench: Bench, row: Row) -> None:
    _breaks(bench, row, BROKEN)


def cut(bench: Bench, row: Row) -> None:
    _breaks(bench, row, CUT)
