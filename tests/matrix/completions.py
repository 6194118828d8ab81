"""OpenAI's text completions, asked with OpenAI's client."""

from typing import Any

import openai
import pytest

from tests.matrix.asking import BROKEN, CUT, TEXT, WORDS
from tests.matrix.bench import Bench
from tests.matrix.rows import Row


def _ask(bench: Bench, model: str, **fields: Any) -> Any:
    return bench.openai.completions.create(model=model, prompt=TEXT, **fields)


def plain(bench: Bench, row: Row) -> None:
    answer = _ask(bench, bench.chat(row))

    assert answer.choices[0].text == TEXT
    assert answer.choices[0].finish_reason == "stop"


def stream(bench: Bench, row: Row) -> None:
    chunks = list(_ask(bench, bench.chat(row, "sim-words-9"), stream=True))

    assert "".join(choice.text for chunk in chunks for choice in chunk.choices) == WORDS
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices][-1] == "stop"


def usage(bench: Bench, row: Row) -> None:
    plain_answer = _ask(bench, bench.chat(row, "sim-cached"))
    *_, last = _ask(bench, bench.chat(row, "sim-cached"), stream=True, stream_options={"include_usage": True})

    for answer in (plain_answer, last):
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (100, 10)


def error(bench: Bench, row: Row) -> None:
    with pytest.raises(openai.BadRequestError):
        _ask(bench, bench.chat(row, "sim-400-context"))


def _breaks(bench: Bench, row: Row, directives: tuple[str, ...]) -> None:
    for directive in directives:
        received = []
        with pytest.raises(openai.APIError):
            for chunk in _ask(bench, bench.broken(row, directive), stream=True, max_tokens=30):
                received += [choice for choice in chunk.choices if choice.text]
        assert received, "the words before the break must arrive"


def error_in_stream(bench: Bench, row: Row) -> None:
    _breaks(bench, row, BROKEN)


def cut(bench: Bench, row: Row) -> None:
    _breaks(bench, row, CUT)
