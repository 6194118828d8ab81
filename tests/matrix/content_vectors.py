"""Google's embeddings, asked with Google's client, which always sends a batch."""

import pytest
from google.genai import errors

from entrypoints.simulator.vectors import vector_of
from tests.matrix.bench import Bench
from tests.matrix.rows import Row

INPUTS = ["Oslo today", "Bergen"]


def plain(bench: Bench, row: Row) -> None:
    answer = bench.google.models.embed_content(model=bench.embeddings(row), contents=[*INPUTS])

    assert answer.embeddings is not None
    for found, text in zip(answer.embeddings, INPUTS, strict=True):
        assert found.values == pytest.approx(vector_of(text, len(found.values or ())), abs=1e-6)


def error(bench: Bench, row: Row) -> None:
    with pytest.raises(errors.ClientError):
        bench.google.models.embed_content(model=bench.embeddings(row, "sim-400-context"), contents=[*INPUTS])
