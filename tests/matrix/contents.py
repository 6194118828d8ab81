"""Google's `generateContent`, asked with Google's client."""

import json
from base64 import b64decode
from typing import Any

import pytest
from google.genai import errors, types

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

USER: Any = types.Content(role="user", parts=[types.Part(text=TEXT)])
DECLARED = [types.FunctionDeclaration(name=name, parameters_json_schema=PARAMETERS) for name in NAMES]
TOOLS: Any = [types.Tool(function_declarations=DECLARED)]
NO_LOOP = types.AutomaticFunctionCallingConfig(disable=True)


def _config(**fields: Any) -> types.GenerateContentConfig:
    asked: dict[str, Any] = {"max_output_tokens": 100, "automatic_function_calling": NO_LOOP} | fields
    return types.GenerateContentConfig(**asked)


def _ask(bench: Bench, model: str, *contents: Any, **fields: Any) -> Any:
    return bench.google.models.generate_content(model=model, contents=[*contents] or [USER], config=_config(**fields))


def _stream(bench: Bench, model: str, **fields: Any) -> Any:
    """What the chunks are together."""
    chunks: list[Any] = list(
        bench.google.models.generate_content_stream(model=model, contents=[USER], config=_config(**fields))
    )
    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts or ()]
    whole = chunks[-1]
    whole.candidates[0].content.parts = parts
    return whole


def _parts(answer: Any) -> list[Any]:
    return answer.candidates[0].content.parts or []


def _text(answer: Any) -> str:
    return "".join(part.text for part in _parts(answer) if part.text and not part.thought)


def _finish(answer: Any) -> str:
    return str(answer.candidates[0].finish_reason.value)


def plain(bench: Bench, row: Row) -> None:
    answer = _ask(bench, bench.chat(row))

    assert (_text(answer), _finish(answer)) == (TEXT, "STOP")
    assert _finish(_ask(bench, bench.chat(row, "sim-words-9"), max_output_tokens=4)) == "MAX_TOKENS"


def stream(bench: Bench, row: Row) -> None:
    answer = _stream(bench, bench.chat(row, "sim-words-9"))

    assert (_text(answer), _finish(answer)) == (WORDS, "STOP")


def _results(calls: list[Any]) -> Any:
    return types.Content(
        role="user",
        parts=[
            types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name, response={"output": text}))
            for call, text in zip(calls, RESULTS, strict=False)
        ],
    )


def _calls(answer: Any) -> list[Any]:
    return [part.function_call for part in _parts(answer) if part.function_call]


def _called(bench: Bench, row: Row, answer: Any, count: int) -> None:
    calls = _calls(answer)
    check_calls([(call.name, call.args) for call in calls], count)
    assert _finish(answer) == "STOP"
    again = _ask(bench, bench.chat(row), USER, answer.candidates[0].content, _results(calls), tools=TOOLS)
    assert _text(again) == RESULTS[count - 1]


def tools(bench: Bench, row: Row) -> None:
    _called(bench, row, _ask(bench, bench.chat(row, "sim-tools"), tools=TOOLS), 1)
    _called(bench, row, _stream(bench, bench.chat(row, "sim-tools"), tools=TOOLS), 1)


def parallel_tools(bench: Bench, row: Row) -> None:
    _called(bench, row, _ask(bench, bench.chat(row, "sim-parallel-tools"), tools=TOOLS), 2)
    _called(bench, row, _stream(bench, bench.chat(row, "sim-parallel-tools"), tools=TOOLS), 2)


def images(bench: Bench, row: Row) -> None:
    picture = types.Part.from_bytes(data=b64decode(PICTURE), mime_type="image/png")

    shown = types.Content(role="user", parts=[types.Part(text=TEXT), picture])
    assert _text(_ask(bench, bench.chat(row), shown)) == SEEN


def system(bench: Bench, row: Row) -> None:
    assert _text(_ask(bench, bench.chat(row, "sim-system"), system_instruction="Be kind.")) == "Be kind."


def sampling(bench: Bench, row: Row) -> None:
    assert _text(_ask(bench, bench.chat(row), temperature=0.5, top_k=5)) == TEXT


def history(bench: Bench, row: Row) -> None:
    before = (types.Content(role="user", parts=[types.Part(text="Hello")]), USER)
    model = types.Content(role="model", parts=[types.Part(text="Yes?")])
    last = types.Content(role="user", parts=[types.Part(text="and Bergen")])

    assert "and Bergen" in _text(_ask(bench, bench.chat(row), *before, model, last))


def reasoning(bench: Bench, row: Row) -> None:
    asked: Any = {"thinking_config": types.ThinkingConfig(include_thoughts=True)}
    for answer in (
        _ask(bench, bench.chat(row, "sim-reasoning"), **asked),
        _stream(bench, bench.chat(row, "sim-reasoning"), **asked),
    ):
        assert "".join(part.text for part in _parts(answer) if part.thought) == THOUGHT
        assert _text(answer) == TEXT


def thinking_tools(bench: Bench, row: Row) -> None:
    for answer in (
        _ask(bench, bench.chat(row, "sim-tools+reasoning"), tools=TOOLS),
        _stream(bench, bench.chat(row, "sim-tools+reasoning"), tools=TOOLS),
    ):
        said = answer.candidates[0].content
        turns = (USER, said, _results(_calls(answer)))
        received = _text(_ask(bench, bench.chat(row, "sim-request"), *turns, tools=TOOLS, max_output_tokens=1000))
        assert "sunny" in received
        assert was_signed(row, received)


def structured(bench: Bench, row: Row) -> None:
    answer = _ask(bench, bench.chat(row), response_mime_type="application/json", response_json_schema=SHAPE)

    assert json.loads(_text(answer)) == ARGUMENTS


def stop(bench: Bench, row: Row) -> None:
    answer = _ask(bench, bench.chat(row, "sim-words-9"), stop_sequences=["word4"])

    assert _text(answer).strip() == BEFORE_STOP
    assert _finish(answer) == "STOP"


def refusal(bench: Bench, row: Row) -> None:
    received = ""
    try:
        received = _finish(_ask(bench, bench.chat(row, "sim-refusal")))
    except errors.ClientError as filtered:  # a filter of the prompt, as Azure's
        received = filtered.details["error"]["details"][0]["reason"]
    assert received in {"SAFETY", "CONTENT_FILTER"}


def cached(bench: Bench, row: Row) -> None:
    assert _ask(bench, bench.chat(row, "sim-cached")).usage_metadata.cached_content_token_count == 60


def usage(bench: Bench, row: Row) -> None:
    for answer in (_ask(bench, bench.chat(row, "sim-cached")), _stream(bench, bench.chat(row, "sim-cached"))):
        counts = answer.usage_metadata
        assert (counts.prompt_token_count, counts.candidates_token_count) == (100, 10)
        assert counts.total_token_count == 110


def error(bench: Bench, row: Row) -> None:
    with pytest.raises(errors.ClientError) as refused:
        _ask(bench, bench.chat(row, "sim-400-context"))
    assert (refused.value.code, refused.value.status) == (400, "INVALID_ARGUMENT")


def _breaks(bench: Bench, row: Row, directives: tuple[str, ...]) -> None:
    for directive in directives:
        said: list[Any] = []
        model = bench.broken(row, directive)
        with pytest.raises(errors.APIError):
            said.extend(bench.google.models.generate_content_stream(model=model, contents=[USER], config=_config()))
        assert said, "the words before the break must arrive"
        assert all(chunk.candidates[0].finish_reason is None for chunk in said)


def error_in_stream(bench: Bench, row: Row) -> None:
    _breaks(bench, row, BROKEN)


def cut(bench: Bench, row: Row) -> None:
    _breaks(bench, row, CUT)
