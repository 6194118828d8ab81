"""OpenAI's moderations, asked with OpenAI's client."""

import openai
import pytest

from tests.matrix.bench import Bench
from tests.matrix.rows import Row


def plain(bench: Bench, row: Row) -> None:
    answer = bench.openai.moderations.create(model=bench.chat(row), input=["peace", "violence"])

    assert [result.flagged for result in answer.results] == [False, True]


def error(bench: Bench, row: Row) -> None:
    with pytest.raises(openai.BadRequestError):
        bench.openai.moderations.create(model=bench.chat(row, "sim-400"), input="peace")
