"""Rankings in Cohere's form, which has no official client here: asked over plain HTTP with OpenAI's client."""

from typing import Any

import openai
import pytest

from tests.matrix.bench import Bench
from tests.matrix.rows import Row

ASKED: dict[str, Any] = {"query": "capital of France", "documents": ["Berlin", "the capital of France", {"text": "of"}]}


def _ranked(bench: Bench, model: str, **fields: Any) -> Any:
    return bench.openai.post("/rerank", body={"model": model, **ASKED, **fields}, cast_to=object)


def plain(bench: Bench, row: Row) -> None:
    answer = _ranked(bench, bench.chat(row), top_n=2, return_documents=True)

    assert [(found["index"], found["document"]["text"]) for found in answer["results"]] == [
        (1, "the capital of France"),
        (2, "of"),
    ]
    assert answer["meta"]["billed_units"] == {"search_units": 1}


def error(bench: Bench, row: Row) -> None:
    with pytest.raises(openai.BadRequestError):
        _ranked(bench, bench.chat(row, "sim-400"))
