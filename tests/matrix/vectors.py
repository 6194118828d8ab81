"""OpenAI's embeddings, asked with OpenAI's client."""

from typing import Any

import openai
import pytest

from entrypoints.simulator.vectors import vector_of
from tests.matrix.bench import Bench
from tests.matrix.rows import Row

INPUTS = ["Oslo today", "Bergen"]


def _ask(bench: Bench, model: str, **fields: Any) -> Any:
    return bench.openai.embeddings.create(model=model, input=INPUTS, **fields)


def _check(answer: Any) -> None:
    assert [item.index for item in answer.data] == [0, 1]
    for item, text in zip(answer.data, INPUTS, strict=True):
        assert item.embedding == pytest.approx(vector_of(text, len(item.embedding)), abs=1e-6)


def plain(bench: Bench, row: Row) -> None:
    _check(_ask(bench, bench.embeddings(row), encoding_format="float"))


def base64(bench: Bench, row: Row) -> None:
    """What the client asks for where nobody says anything."""
    _check(_ask(bench, bench.embeddings(row)))


def tokens(bench: Bench, row: Row) -> None:
    answer = bench.openai.embeddings.create(model=bench.embeddings(row), input=[[9906, 1917], [1]])

    assert [len(item.embedding) > 0 for item in answer.data] == [True, True]


def usage(bench: Bench, row: Row) -> None:
    received = _ask(bench, bench.embeddings(row)).usage

    assert received.prompt_tokens > 0
    assert received.total_tokens == received.prompt_tokens


def error(bench: Bench, row: Row) -> None:
    with pytest.raises(openai.BadRequestError):
        _ask(bench, bench.embeddings(row, "sim-400-context"))
